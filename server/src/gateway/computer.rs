//! A thread of low priority for the big numbers of a shard's handshakes.
//!
//! A flood of handshakes must not slow down those who are connected. What the thread computes takes a fraction of a
//! millisecond at a time; after each it offers the processor to whoever waits for it, and it gets what others leave.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use mtproto::handshake::server::{Job, JobDone};
use thread_priority::{ThreadPriority, set_current_thread_priority};
use tokio::sync::oneshot;

use crate::limits::{HANDSHAKE_JOBS_MAX, HANDSHAKE_PRIORITY};

/// The thread of one shard. It ends with it.
pub(super) struct Computer(SyncSender<Task>);

struct Task {
    job: Job,
    done: oneshot::Sender<JobDone>,
}

impl Computer {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub(super) fn start(shard: usize) -> io::Result<Self> {
        let (tasks, waiting) = mpsc::sync_channel(HANDSHAKE_JOBS_MAX);
        thread::Builder::new().name(format!("handshake-{shard}")).spawn(move || work(&waiting))?;
        Ok(Self(tasks))
    }

    /// Has `job` done; `None` while too many wait.
    ///
    /// The answer is an error if the computation panicked.
    pub(super) fn run(&self, job: Job) -> Option<oneshot::Receiver<JobDone>> {
        let (done, answer) = oneshot::channel();
        self.0.try_send(Task { job, done }).ok()?;
        Some(answer)
    }
}

/// What the thread does until the shard is gone.
fn work(waiting: &Receiver<Task>) {
    let priority = HANDSHAKE_PRIORITY.try_into().map(ThreadPriority::Crossplatform);
    let set = priority.map(set_current_thread_priority);
    if !matches!(set, Ok(Ok(()))) {
        tracing::warn!(?set, "failed to lower the priority of a thread for handshakes");
    }
    for Task { job, done } in waiting {
        // One that panics drops `done`, and so costs its connection alone.
        if let Ok(output) = catch_unwind(AssertUnwindSafe(|| job.run())) {
            let _ = done.send(output);
        }
        // Without this the scheduler lets it go on for some milliseconds, whoever wakes up.
        thread::yield_now();
    }
}

#[cfg(test)]
mod tests {
    /// `HANDSHAKE_PRIORITY`: as its doc tells, nice 10.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_thread_gives_way() {
        use std::{fs, path::Path, thread, time::Duration};

        use super::{Computer, HANDSHAKE_PRIORITY};

        /// What a thread is called, and how nice it is.
        fn look(task: &Path) -> Option<(String, i64)> {
            let stat = fs::read_to_string(task.join("stat")).ok()?;
            let (start, fields) = stat.rsplit_once(") ")?;
            let (_, name) = start.split_once('(')?;
            // The nineteenth field of all, the first two being the number and the name.
            Some((name.to_owned(), fields.split(' ').nth(16)?.parse().ok()?))
        }

        const { assert!(HANDSHAKE_PRIORITY < 48, "others have more") };
        let _computer = Computer::start(77).unwrap();
        let (_, own) = look(Path::new("/proc/thread-self")).unwrap();
        // It sets its priority when it begins, which may be in a moment.
        let gives_way = (0..1000).any(|_| {
            thread::sleep(Duration::from_millis(5));
            let mut tasks = fs::read_dir("/proc/self/task").unwrap();
            let found = tasks.find_map(|task| {
                look(&task.ok()?.path()).filter(|(name, _)| name == "handshake-77")
            });
            // Who gives way already may not be allowed to do so less.
            found.is_some_and(|(_, nice)| nice == 10 || own > 10 && nice == own)
        });
        assert!(gives_way, "where others have {own}");
    }
}
