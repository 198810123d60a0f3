//! What the log is told of writes that fail: that it began, now and then that it goes on, and that it is over.
//!
//! While the disk is full every write fails, thousands in a second, and the log may be on the same disk.

use std::sync::{Mutex, PoisonError};

use mtproto::UnixTime;
use storage::Error;

use crate::limits;

/// Whether writes fail at the moment, of all writers together.
#[derive(Default)]
pub(super) struct Trouble(Mutex<Option<Since>>);

struct Since {
    told: UnixTime,
    /// How many operations were refused since it began.
    refused: usize,
}

/// What to log of a failure or a success.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Began,
    GoesOn { refused: usize },
    Over { refused: usize },
}

impl Trouble {
    /// A group of so many operations was not written.
    pub(super) fn failed(&self, now: UnixTime, count: usize, error: &Error) {
        let full = error.is_disk_full();
        match self.note_failed(now, count) {
            Some(News::Began) if full => tracing::error!(
                %error,
                "the disk is full: what would be stored is refused until there is room again, reads go on"
            ),
            Some(News::Began) => tracing::error!(
                %error,
                "failed to write: what would be stored is refused, reads go on; if this lasts, look at the disk and restart"
            ),
            Some(News::GoesOn { refused }) => {
                tracing::error!(%error, refused, "writes still fail");
            }
            Some(News::Over { .. }) | None => {}
        }
    }

    /// A group was written.
    pub(super) fn succeeded(&self) {
        if let Some(News::Over { refused }) = self.note_succeeded() {
            tracing::warn!(refused, "writes succeed again");
        }
    }

    fn note_failed(&self, now: UnixTime, count: usize) -> Option<News> {
        let mut since = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(since) = &mut *since else {
            *since = Some(Since { told: now, refused: count });
            return Some(News::Began);
        };
        since.refused = since.refused.saturating_add(count);
        if now.since(since.told) < limits::TROUBLE_TOLD {
            return None;
        }
        since.told = now;
        Some(News::GoesOn { refused: since.refused })
    }

    fn note_succeeded(&self) -> Option<News> {
        let since = self.0.lock().unwrap_or_else(PoisonError::into_inner).take()?;
        Some(News::Over { refused: since.refused })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_told_of_the_beginning_and_the_end() {
        let trouble = Trouble::default();
        let begun = UnixTime::from_secs(1_700_000_000);
        assert_eq!(trouble.note_succeeded(), None);
        assert_eq!(trouble.note_failed(begun, 3), Some(News::Began));
        assert_eq!(trouble.note_failed(begun, 3), None);
        let later = begun + limits::TROUBLE_TOLD;
        assert_eq!(trouble.note_failed(later, 1), Some(News::GoesOn { refused: 7 }));
        assert_eq!(trouble.note_failed(later, 1), None);
        assert_eq!(trouble.note_succeeded(), Some(News::Over { refused: 8 }));
        assert_eq!(trouble.note_succeeded(), None);
        assert_eq!(trouble.note_failed(later, 1), Some(News::Began));
    }
}
