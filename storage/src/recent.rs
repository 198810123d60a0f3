//! Rows that a partition's writer read or wrote lately, so that it need not ask the engine for them again.
//!
//! A partition has one writer, and nobody else changes its rows: so what was read stays true until that writer commits
//! something else, and no snapshot is older or newer than what is kept here. Readers on other threads do not use it.
//!
//! Two kinds of answers are kept, told apart by their keys, none of which begins with another:
//!
//! | of a table that is | under | what |
//! |---|---|---|
//! | [`Keep::Rows`] | the row's key | the row, or that there is none |
//! | [`Keep::Newest`] | what the keys of a range have in common | its first row, or that it is empty |

use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter, unsync::Cache};

use crate::engine::Row;
use crate::limits::RECENT_LEN;
use crate::table::Keep;

/// The answers of one partition.
pub(crate) struct Recent(Cache<Box<[u8]>, Option<Row>, ByLen>);

/// What entries take beside the bytes of keys and values, about.
const ENTRY_LEN: u64 = 96;

/// How many there is room for at first.
const FIRST_COUNT: usize = 64;

#[derive(Clone)]
struct ByLen;

impl Weighter<Box<[u8]>, Option<Row>> for ByLen {
    fn weight(&self, key: &Box<[u8]>, row: &Option<Row>) -> u64 {
        (key.len() + row.as_ref().map_or(0, Row::len)) as u64 + ENTRY_LEN
    }
}

impl Default for Recent {
    fn default() -> Self {
        let options = OptionsBuilder::new()
            .estimated_items_capacity(FIRST_COUNT)
            .weight_capacity(RECENT_LEN)
            .build()
            .expect("both capacities are given");
        let hasher = DefaultHashBuilder::default();
        Self(Cache::with_options(options, ByLen, hasher, Default::default()))
    }
}

impl std::fmt::Debug for Recent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recent({})", self.0.len())
    }
}

impl Recent {
    /// What was answered for `key`, if that is known: the row, or that there is none.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<Row>> {
        self.0.get(key).cloned()
    }

    /// Notes what the engine answered.
    pub(crate) fn learn(&mut self, key: &[u8], row: Option<Row>) {
        self.0.insert(key.into(), row);
    }

    /// Takes over a row that was committed.
    pub(crate) fn committed(&mut self, row: Row, keep: Keep) {
        match keep {
            Keep::Nothing => {}
            Keep::Rows => {
                let key = row.key().into();
                self.0.insert(key, row.value().is_some().then_some(row));
            }
            Keep::Newest { behind } => {
                let range = &row.key()[..row.key().len() - behind];
                let Some(newest) = self.0.peek(range) else { return };
                let first = newest.as_ref().is_none_or(|newest| row.key() <= newest.key());
                if row.value().is_some() {
                    if first {
                        self.0.insert(range.into(), Some(row));
                    }
                } else if first {
                    // Which one comes after it is not known.
                    self.0.remove(range);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: usize, len: usize) -> Row {
        let key = number.to_be_bytes();
        Row::put(&[&key[..], &vec![7; len]].concat(), key.len())
    }

    /// `RECENT_LEN`: however much is read and written, no more is kept; and something is.
    #[test]
    fn so_much_is_kept() {
        for len in [0, 100, 10_000, 2 * RECENT_LEN as usize] {
            let mut recent = Recent::default();
            for number in 0..2 * RECENT_LEN as usize / (len + 100) + 2 {
                let row = row(number, len);
                let key = row.key().to_owned();
                if number % 2 == 0 {
                    recent.learn(&key, Some(row));
                } else {
                    recent.committed(row, Keep::Rows);
                }
                assert!(recent.0.weight() <= RECENT_LEN, "{len}: {}", recent.0.weight());
                let kept = recent.get(&key).is_some();
                assert_eq!(kept, len <= 10_000, "{len}: the newest");
            }
        }
    }
}
