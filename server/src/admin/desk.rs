//! Does what operators ask, in a server or in a process that has the store open alone.

use std::sync::Arc;

use services::tables::{CHORES, UPLOAD_TOTALS};
use storage::{Owner, OwnerKind, Read as _, View, owners};
use tl::records::enums::Chore;
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc};

use super::{
    Line, Request,
    report::{Listener, Report},
};
use crate::{
    limits,
    media::{
        check,
        depot::{Depot, Error, block},
        mover::{self, Arrivals, Place},
    },
    stop::Stop,
};

/// What a running server counts besides, by name.
pub(crate) type Gauges = Box<dyn Fn() -> Vec<(&'static str, u64)> + Send + Sync>;

/// Does what operators ask.
pub(crate) struct Desk {
    pub(crate) depot: Arc<Depot>,
    /// Whether new files go to the remote store.
    pub(crate) carries: bool,
    pub(crate) arrivals: Arc<Arrivals>,
    pub(crate) stop: Stop,
    pub(crate) gauges: Gauges,
    /// Held by a check or a migration: one at a time.
    pub(crate) busy: Arc<Mutex<()>>,
}

impl Desk {
    /// Answers a request. Ends early when nobody hears the answer.
    pub(crate) async fn serve(&self, request: Request, lines: &mpsc::Sender<Line>) {
        let last = match request {
            Request::Status => self.status().await,
            Request::Check { repair } => self.check(repair, lines).await,
            Request::Migrate { to } => self.migrate(to, lines).await,
        };
        let last = last.unwrap_or_else(|error| Line::Failed(error.to_string()));
        // Nobody may hear it.
        let _ = lines.send(last).await;
    }

    fn begin(&self) -> Option<OwnedMutexGuard<()>> {
        Arc::clone(&self.busy).try_lock_owned().ok()
    }

    async fn check(&self, repair: bool, lines: &mpsc::Sender<Line>) -> Result<Line, Error> {
        let Some(busy) = self.begin() else { return Ok(another()) };
        let (report, listener) = Report::new();
        let (depot, stop) = (Arc::clone(&self.depot), self.stop.clone());
        let work = tokio::spawn(block(move || {
            let _busy = busy;
            let checked = check::run(&depot, repair, &report, &stop)?;
            Ok((checked, report.found() as u64))
        }));
        let (checked, found) = follow(work, listener, lines).await?;
        let mut text = vec![
            format!(
                "{} blobs with {}, {} files, {} uses of them.",
                checked.blobs,
                people_len(checked.len),
                checked.files,
                checked.references
            ),
            match found {
                0 => "Nothing is wrong.".to_owned(),
                1 => "One thing is wrong.".to_owned(),
                found => format!("{found} things are wrong."),
            },
        ];
        if found > limits::FINDINGS_SHOWN_MAX as u64 {
            text.push(format!("The first {} were told.", limits::FINDINGS_SHOWN_MAX));
        }
        if checked.removed > 0 {
            text.push(format!("{} things that belonged to nothing were removed.", checked.removed));
        } else if checked.orphans > 0 {
            text.push("With --repair, what belongs to nothing is removed.".to_owned());
        }
        let counts = vec![
            ("blobs", checked.blobs),
            ("bytes", checked.len),
            ("files", checked.files),
            ("references", checked.references),
            ("orphans", checked.orphans),
            ("removed", checked.removed),
        ];
        Ok(Line::Done { wrong: found, text, counts })
    }

    async fn migrate(&self, to: Place, lines: &mpsc::Sender<Line>) -> Result<Line, Error> {
        let Some(busy) = self.begin() else { return Ok(another()) };
        if self.carries == (to == Place::Here) {
            let note = match to {
                Place::Here => {
                    "`media.store` is s3: new files still go there, and after a restart all of them"
                }
                Place::There => "`media.store` is local: new files stay here",
            };
            // Nobody may hear it.
            let _ = lines.send(Line::Note(note.to_owned())).await;
        }
        let (report, listener) = Report::new();
        let (depot, stop) = (Arc::clone(&self.depot), self.stop.clone());
        let work = tokio::spawn(async move {
            let _busy = busy;
            let done = mover::migrate(&depot, to, &report, &stop).await?;
            if stop.is_set() { Err(Error::Stopped) } else { Ok((done, report.found() as u64)) }
        });
        let (done, wrong) = follow(work, listener, lines).await?;
        let mut text =
            vec![format!("{} blobs with {} were moved.", done.moved, people_len(done.moved_len))];
        if wrong > 0 {
            text.push(format!("{wrong} were not."));
        }
        let counts =
            vec![("moved", done.moved), ("bytes", done.moved_len), ("skipped", done.skipped)];
        Ok(Line::Done { wrong, text, counts })
    }

    async fn status(&self) -> Result<Line, Error> {
        let depot = Arc::clone(&self.depot);
        let mut counts = block(move || count(&depot)).await?;
        counts.push(("blobs_moving", self.depot.moving_count() as u64));
        counts.push(("blobs_waiting", self.arrivals.len() as u64));
        counts.extend((self.gauges)());
        let text = counts
            .iter()
            .map(|(name, count)| {
                let value =
                    if name.contains("bytes") { people_len(*count) } else { count.to_string() };
                format!("{:<24} {value}", name.replace('_', " "))
            })
            .collect();
        Ok(Line::Done { wrong: 0, text, counts })
    }
}

fn another() -> Line {
    Line::Failed("another check or migration is running; wait until it ends".to_owned())
}

/// Tells how far `work` is until it ends.
async fn follow<T>(
    mut work: tokio::task::JoinHandle<Result<T, Error>>,
    mut listener: Listener,
    lines: &mpsc::Sender<Line>,
) -> Result<T, Error> {
    let mut ticks = tokio::time::interval(limits::ADMIN_PROGRESS);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let result = loop {
        let line = tokio::select! {
            biased;
            Some(text) = listener.findings.recv() => Line::Found(text),
            result = &mut work => break result.map_err(|_| Error::Panicked)?,
            _ = ticks.tick() => {
                if !listener.progress.has_changed().unwrap_or_default() {
                    continue;
                }
                Line::Progress(*listener.progress.borrow_and_update())
            }
        };
        if lines.send(line).await.is_err() {
            // The listener is dropped, which the work notices.
            return Err(Error::Stopped);
        }
    };
    let last = *listener.progress.borrow_and_update();
    if result.is_ok() && lines.send(Line::Progress(last)).await.is_err() {
        return Err(Error::Stopped);
    }
    while let Ok(text) = listener.findings.try_recv() {
        if lines.send(Line::Found(text)).await.is_err() {
            break;
        }
    }
    result
}

/// How much there is of everything. Blocks.
fn count(depot: &Depot) -> Result<Vec<(&'static str, u64)>, Error> {
    let blobs = mover::count(depot)?;
    let snapshot = depot.engine.snapshot();
    let (mut uploads, mut upload_len, mut chores) = (0, 0, 0);
    let mut last: Option<Owner> = None;
    loop {
        let limit = limits::OWNER_PAGE_COUNT;
        let page = owners(&*snapshot, OwnerKind::User, last.as_ref(), limit)?;
        for owner in &page {
            let view = View::new(&*snapshot, owner.clone());
            if let Some(totals) = view.get(UPLOAD_TOTALS, &())? {
                uploads += u64::try_from(totals.count).unwrap_or_default();
                upload_len += u64::try_from(totals.len).unwrap_or_default();
            }
        }
        if page.len() < limit {
            break;
        }
        last = page.last().cloned();
    }
    for owner in owners(&*snapshot, OwnerKind::Chores, None, usize::MAX)? {
        let view = View::new(&*snapshot, owner);
        view.visit(CHORES, .., storage::Order::Forward, |_, chore| {
            // That keys are looked at one day is nothing about files.
            chores += u64::from(!matches!(chore, Chore::ChoreKey(_)));
            std::ops::ControlFlow::Continue(())
        })?;
    }
    Ok(vec![
        ("blobs_here", blobs.here),
        ("bytes_here", blobs.here_len),
        ("blobs_remote", blobs.there),
        ("bytes_remote", blobs.there_len),
        ("uploads_open", uploads),
        ("bytes_uploading", upload_len),
        ("chores_waiting", chores),
    ])
}

/// A length for people.
pub(crate) fn people_len(len: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = len as f64;
    let mut unit = "B";
    for next in UNITS {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit == "B" { format!("{len} B") } else { format!("{value:.1} {unit}") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::*;
    use crate::{limits::ADMIN_PROGRESS, media::stage::Stage};

    impl Desk {
        /// One on a stage.
        pub(crate) fn on(stage: &Stage) -> Self {
            Self {
                depot: Arc::clone(&stage.depot),
                carries: false,
                arrivals: Arc::default(),
                stop: stage.stop.clone(),
                gauges: Box::new(Vec::new),
                busy: Arc::new(Mutex::new(())),
            }
        }
    }

    /// `ADMIN_PROGRESS`: however often work gets on, that is told so often, and once more at the end.
    #[tokio::test(start_paused = true)]
    async fn progress_is_told_now_and_then() {
        const STEPS: u64 = 10;
        const TIMES: u64 = 5;
        let (report, listener) = Report::new();
        let work = tokio::spawn(async move {
            for _ in 0..TIMES * STEPS {
                tokio::time::sleep(ADMIN_PROGRESS / STEPS as u32).await;
                report.advance(1);
            }
            Ok(())
        });
        let (lines, mut told) = mpsc::channel(100);
        let begun = Instant::now();
        follow(work, listener, &lines).await.unwrap();
        assert_eq!(begun.elapsed(), ADMIN_PROGRESS * TIMES as u32);
        drop(lines);
        let mut heard: Vec<u64> = Vec::new();
        while let Some(Line::Progress(progress)) = told.recv().await {
            heard.push(progress.done);
        }
        assert_eq!(heard.last(), Some(&(TIMES * STEPS)));
        assert!((TIMES as usize..=TIMES as usize + 2).contains(&heard.len()), "{heard:?}");
        // Who does not get on is not told of.
        let (_report, listener) = Report::new();
        let pause = ADMIN_PROGRESS * 100;
        let work = tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            Ok(())
        });
        let (lines, mut told) = mpsc::channel(100);
        let begun = Instant::now();
        follow(work, listener, &lines).await.unwrap();
        assert!(begun.elapsed() >= pause && pause > Duration::from_secs(1));
        drop(lines);
        assert!(matches!(told.recv().await, Some(Line::Progress(_))), "the end");
        assert_eq!(told.recv().await, None);
    }

    #[test]
    fn lengths_for_people() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_500_000, "1.4 MiB"),
            (4 << 30, "4.0 GiB"),
            (u64::MAX, "16777216.0 TiB"),
        ];
        for (len, text) in cases {
            assert_eq!(people_len(len), text);
        }
    }
}
