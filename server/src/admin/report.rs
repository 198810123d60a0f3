//! How long work tells how far it is, what it found, and whether it is still wanted.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::sync::{mpsc, watch};

use crate::limits::FINDINGS_SHOWN_MAX;

/// How far work is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// What is being done, for people.
    pub(crate) stage: &'static str,
    /// How much of it is done.
    pub(crate) done: u64,
    /// Of how much; 0 while nobody knows.
    pub(crate) total: u64,
    /// Whether both count bytes.
    pub(crate) bytes: bool,
}

/// What work tells.
pub(crate) struct Report {
    progress: watch::Sender<Progress>,
    findings: mpsc::Sender<String>,
    found: AtomicUsize,
    unwanted: Arc<AtomicBool>,
}

/// Where it is heard.
pub(crate) struct Listener {
    pub(crate) progress: watch::Receiver<Progress>,
    pub(crate) findings: mpsc::Receiver<String>,
    unwanted: Arc<AtomicBool>,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.unwanted.store(true, Ordering::Release);
    }
}

impl Report {
    pub(crate) fn new() -> (Self, Listener) {
        let (progress, progress_of) = watch::channel(Progress::default());
        let (findings, findings_of) = mpsc::channel(FINDINGS_SHOWN_MAX);
        let unwanted = Arc::new(AtomicBool::new(false));
        let listener = Listener {
            progress: progress_of,
            findings: findings_of,
            unwanted: Arc::clone(&unwanted),
        };
        (Self { progress, findings, found: AtomicUsize::new(0), unwanted }, listener)
    }

    /// Whether nobody listens any more.
    pub(crate) fn is_unwanted(&self) -> bool {
        self.unwanted.load(Ordering::Acquire)
    }

    /// Begins something with `total` steps, or bytes.
    pub(crate) fn begin(&self, stage: &'static str, total: u64, bytes: bool) {
        self.progress.send_replace(Progress { stage, done: 0, total, bytes });
    }

    /// So much more is done.
    pub(crate) fn advance(&self, done: u64) {
        self.progress.send_modify(|progress| progress.done = progress.done.saturating_add(done));
    }

    /// Something is wrong. The first [`FINDINGS_SHOWN_MAX`] are told one by one, all are counted.
    pub(crate) fn find(&self, text: String) {
        self.found.fetch_add(1, Ordering::Relaxed);
        // What has no room is beyond those that are told.
        let _ = self.findings.try_send(text);
    }

    /// How many things are wrong.
    pub(crate) fn found(&self) -> usize {
        self.found.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_told_to_a_number_and_counted_beyond() {
        let (report, mut listener) = Report::new();
        for _ in 0..=FINDINGS_SHOWN_MAX {
            report.find("wrong".to_owned());
        }
        assert_eq!(report.found(), FINDINGS_SHOWN_MAX + 1);
        let told = std::iter::from_fn(|| listener.findings.try_recv().ok());
        assert_eq!(told.count(), FINDINGS_SHOWN_MAX);
    }
}
