//! Threads of low priority, and a queue with places.
//!
//! A place is taken before the bytes are there, so that those of all who wait are in memory only where there is one.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pictures::make;
use thread_priority::{ThreadPriority, set_current_thread_priority};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{Error, Kind, Made};
use crate::limits::{IMAGE_PRIORITY, IMAGE_QUEUE_COUNT, IMAGE_WAIT_MAX, IMAGE_WORK_MAX};

/// The threads that work on pictures. They end with it.
pub struct Pool {
    jobs: Sender<Job>,
    places: Arc<Semaphore>,
    wait_max: Duration,
}

/// What a pool is given, and gives up.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How many pictures may wait, besides those being worked on.
    pub queue_count: usize,
    /// How long one may wait for a place among them.
    pub wait_max: Duration,
    /// How long the work on one may take.
    pub work_max: Duration,
}

impl Bounds {
    /// Those of a server.
    pub const SERVER: Self =
        Self { queue_count: IMAGE_QUEUE_COUNT, wait_max: IMAGE_WAIT_MAX, work_max: IMAGE_WORK_MAX };
}

/// A place in the queue, for one picture.
pub struct Place {
    jobs: Sender<Job>,
    permit: OwnedSemaphorePermit,
}

struct Job {
    bytes: Bytes,
    kind: Kind,
    done: oneshot::Sender<Result<Made, pictures::Error>>,
    /// Held until the picture is made.
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    /// Starts `thread_count` threads (at least one).
    ///
    /// # Errors
    ///
    /// No thread was to be had.
    pub fn new(thread_count: usize, bounds: Bounds) -> io::Result<Self> {
        let thread_count = thread_count.max(1);
        let (jobs, waiting) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        for number in 0..thread_count {
            let waiting = Arc::clone(&waiting);
            let name = format!("image-{number}");
            thread::Builder::new().name(name).spawn(move || work(&waiting, bounds.work_max))?;
        }
        let count = (thread_count + bounds.queue_count).min(Semaphore::MAX_PERMITS);
        let places = Arc::new(Semaphore::new(count));
        Ok(Self { jobs, places, wait_max: bounds.wait_max })
    }

    /// How many threads there are where nothing else is configured: half of the cores, for the other work is worth more.
    #[must_use]
    pub fn thread_count_default() -> usize {
        thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))
    }

    /// Waits for a place, at most [`Bounds::wait_max`].
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] when there was none in that time.
    pub async fn place(&self) -> Result<Place, Error> {
        let permit = Arc::clone(&self.places).acquire_owned();
        match tokio::time::timeout(self.wait_max, permit).await {
            Ok(Ok(permit)) => Ok(Place { jobs: self.jobs.clone(), permit }),
            Ok(Err(_)) | Err(_) => Err(Error::Busy),
        }
    }

    /// Makes a picture of `bytes`. Dropping this future gives it up, at the latest after the step it is at.
    ///
    /// # Errors
    ///
    /// All of [`Error`].
    pub async fn run(&self, bytes: Bytes, kind: Kind) -> Result<Made, Error> {
        self.place().await?.run(bytes, kind).await
    }
}

impl Place {
    /// Makes a picture of `bytes`, as [`Pool::run`].
    ///
    /// # Errors
    ///
    /// All of [`Error`].
    pub async fn run(self, bytes: Bytes, kind: Kind) -> Result<Made, Error> {
        let (done, answer) = oneshot::channel();
        let job = Job { bytes, kind, done, _permit: self.permit };
        self.jobs.send(job).map_err(|_| Error::Busy)?;
        // A thread that is gone took its jobs along: only where the process ends.
        Ok(answer.await.map_err(|_| Error::Busy)??)
    }
}

/// What a thread does until the pool is gone.
fn work(waiting: &Mutex<Receiver<Job>>, work_max: Duration) {
    // No number of pictures outweighs who is waiting for a message; but with the lowest priority of all, other programs of the
    // machine could keep pictures waiting for good.
    let priority = IMAGE_PRIORITY.try_into().map(ThreadPriority::Crossplatform);
    let set = priority.map(set_current_thread_priority);
    if !matches!(set, Ok(Ok(()))) {
        tracing::warn!(?set, "failed to lower the priority of a thread that works on pictures");
    }
    loop {
        // Whoever waits for a job holds the lock, the others wait for that.
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        let deadline = now() + work_max;
        let overdue = || {
            // Between its steps, whoever woke up goes first: nice as it is, a thread is left its slice of 3 ms otherwise.
            thread::yield_now();
            job.done.is_closed() || now() > deadline
        };
        // A decoder that panics costs its picture. What it had is gone with it.
        let made = catch_unwind(AssertUnwindSafe(|| make(&job.bytes, job.kind, &overdue)));
        let made = made.unwrap_or_else(|_| {
            tracing::error!(len = job.bytes.len(), "a picture made its decoder panic");
            Err(pictures::Error::Broken)
        });
        if made == Err(pictures::Error::Overdue) && !job.done.is_closed() {
            tracing::warn!(len = job.bytes.len(), "a picture took too long");
        }
        let _ = job.done.send(made);
    }
}

#[expect(clippy::disallowed_methods, reason = "the time that work takes is that of the processor")]
fn now() -> Instant {
    Instant::now()
}
