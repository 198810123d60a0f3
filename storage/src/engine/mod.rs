//! Engines: ordered, durable maps from bytes to bytes.
//!
//! | engine | what it is |
//! |---|---|
//! | [`Memory`] | a map in memory, for tests; it can lose power and fail |
//! | `Rocks` (feature `rocks`) | RocksDB in a folder |
//!
//! `suite.rs` holds what every engine must do. An engine knows nothing of owners, tables or records, and is asked for no
//! more than this: consistent snapshots, and batches that are written as a whole or not at all.

mod memory;
#[cfg(feature = "rocks")]
pub(crate) mod rocks;
#[cfg(test)]
pub(crate) mod suite;

pub use memory::{Fault, Memory};
#[cfg(feature = "rocks")]
pub use rocks::{Rocks, RocksOptions};

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::Error;

/// An ordered map that survives.
pub trait Engine: Send + Sync {
    /// The state as of now, which later writes do not change.
    fn snapshot(&self) -> Box<dyn Snapshot + '_>;

    /// Writes all of `batch`, or nothing: first the ranges are deleted, then the rows are written.
    ///
    /// # Errors
    ///
    /// After any it is unknown whether the batch was written: read before relying on either. After [`Error::DiskFull`] later writes succeed once there is room.
    fn write(&self, batch: &Batch, durability: Durability) -> Result<(), Error>;

    /// Makes all that was written durable.
    ///
    /// # Errors
    ///
    /// Then it is unknown what of it is durable.
    fn sync(&self) -> Result<(), Error>;
}

/// A consistent state of an engine.
pub trait Snapshot: Send + Sync {
    /// Hands the value of `key` to `visit` and answers `true`, or answers `false` if there is none.
    ///
    /// # Errors
    ///
    /// The engine failed.
    fn get(&self, key: &[u8], visit: &mut dyn FnMut(&[u8])) -> Result<bool, Error>;

    /// Hands keys and values from `start` on and before `end` to `visit`, in order, until it breaks.
    ///
    /// # Errors
    ///
    /// The engine failed.
    fn scan(
        &self,
        start: &[u8],
        end: &[u8],
        order: Order,
        visit: &mut Visit<'_>,
    ) -> Result<(), Error>;
}

/// What a scan hands keys and values to, until it breaks.
pub type Visit<'v> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'v;

/// The direction of a scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// From the lowest key to the highest. The faster one.
    Forward,
    /// From the highest key to the lowest.
    Backward,
}

/// What a write survives once it returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Loss of power.
    Synced,
    /// The end of the process. What was written before it is never lost without it.
    Buffered,
}

/// What is written at once.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// Rows put or deleted, no key twice.
    pub rows: Vec<Row>,
    /// Ranges deleted before, from the first key to before the second.
    pub cleared: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Batch {
    /// Whether writing it changes nothing.
    pub const fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.cleared.is_empty()
    }
}

/// A key and its value, or that it has none: one allocation, shared by all who hold the row.
///
/// Compares by key alone.
#[derive(Clone, Debug)]
pub struct Row {
    /// The key, then the value.
    bytes: Arc<[u8]>,
    key_len: usize,
    deleted: bool,
}

impl Row {
    /// The row of which the first `key_len` of `bytes` are the key and the others the value.
    ///
    /// # Panics
    ///
    /// If `bytes` are fewer than that.
    pub fn put(bytes: &[u8], key_len: usize) -> Self {
        assert!(key_len <= bytes.len(), "the key is within the row");
        Self { bytes: bytes.into(), key_len, deleted: false }
    }

    /// That `key` has no value.
    pub fn deleted(key: &[u8]) -> Self {
        Self { bytes: key.into(), key_len: key.len(), deleted: true }
    }

    /// How many bytes key and value have.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether key and value are empty.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The key.
    pub fn key(&self) -> &[u8] {
        &self.bytes[..self.key_len]
    }

    /// The value, unless the row says that there is none.
    pub fn value(&self) -> Option<&[u8]> {
        (!self.deleted).then(|| &self.bytes[self.key_len..])
    }
}

impl Borrow<[u8]> for Row {
    fn borrow(&self) -> &[u8] {
        self.key()
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Row {}

impl PartialOrd for Row {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Row {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(other.key())
    }
}
