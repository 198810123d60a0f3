//! Tables: constants that say what the rows are.
//!
//! ```text
//! row's key = bucket (2) | owner | table (1) | key
//! ```
//!
//! So an owner's rows are one range, a table's rows of an owner are one range in it, and both scan in the order of the
//! key's values. The row itself is a constructor of `records.tl`.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};

use crate::Error;
use crate::error::Hex;
use crate::ids::{Bucket, Owner};
use crate::key::{Key, KeyBuf, KeyReader, Prefix};

/// What a row can hold: any type of `records.tl`.
///
/// The `Layer` is of no meaning to records; they are written as [`RECORD_LAYER`].
pub trait Record: tl::Encode + for<'a> tl::Decode<'a> {}

impl<T: tl::Encode + for<'a> tl::Decode<'a>> Record for T {}

/// The layer handed to the encoders of records and operations, whose shapes do not depend on it.
pub const RECORD_LAYER: tl::Layer = tl::Layer::NEWEST;

/// A table: which records, under which keys.
///
/// ```
/// use storage::{MessageId, Table};
///
/// # use tl::{Cursor, Decode, DecodeError, Encode, Layer, Sink};
/// # pub struct Message;
/// # impl Encode for Message { fn encode<S: Sink>(&self, _: Layer, _: &mut S) {} }
/// # impl<'a> Decode<'a> for Message { fn decode(_: &mut Cursor<'a>) -> Result<Self, DecodeError> { Ok(Self) } }
/// /// A user's messages, in the order they came.
/// pub const MESSAGES: Table<MessageId, Message> = Table::new(1, "messages");
/// ```
pub struct Table<K, V> {
    id: u8,
    name: &'static str,
    pub(crate) keep: Keep,
    pub(crate) watched: bool,
    row: PhantomData<fn() -> (K, V)>,
}

/// What of a table its writer keeps in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nothing: rows that are hardly read again.
    Nothing,
    /// Rows that were read or written lately.
    Rows,
    /// The first row of ranges, whose keys differ in their last bytes.
    Newest {
        /// How many bytes these are.
        behind: usize,
    },
}

impl<K, V> Table<K, V> {
    /// Declares a table. Its `id` is in every stored key: from 1 to 254, used by no other table, and kept for good.
    pub const fn new(id: u8, name: &'static str) -> Self {
        assert!(id != 0 && id != u8::MAX, "table ids are from 1 to 254");
        Self { id, name, keep: Keep::Nothing, watched: false, row: PhantomData }
    }

    /// The same, whose rows stay in the memory of their writer once they were read or written, for the next time.
    #[must_use]
    pub const fn kept(self) -> Self {
        Self { keep: Keep::Rows, ..self }
    }

    /// The same, whose newest rows stay in the memory of their writer, for [`crate::Read::newest`]. The last `behind` bytes of
    /// a key are its place in such a range.
    #[must_use]
    pub const fn newest_kept(self, behind: usize) -> Self {
        Self { keep: Keep::Newest { behind }, ..self }
    }

    /// The same, whose changes are told of in [`crate::Committed::watched`].
    #[must_use]
    pub const fn watched(self) -> Self {
        Self { watched: true, ..self }
    }

    /// The number in the keys.
    pub const fn id(self) -> u8 {
        self.id
    }

    /// What errors call it.
    pub const fn name(self) -> &'static str {
        self.name
    }
}

impl<K, V> Clone for Table<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V> Copy for Table<K, V> {}

impl<K, V> fmt::Debug for Table<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.name, self.id)
    }
}

impl<K: Key, V: Record> Table<K, V> {
    /// The record stored as `value` under `key`, which is all of the row's key; `space` is the owner's part of it.
    pub(crate) fn record(self, space: &Space, key: &[u8], value: &[u8]) -> Result<V, Error> {
        V::from_bytes(value).map_err(|error| self.corrupt(space, key, &error.to_string()))
    }

    /// The key's values, from all of the row's key.
    pub(crate) fn key(self, space: &Space, key: &[u8]) -> Result<K, Error> {
        let mut reader = KeyReader::new(key.get(space.prefix.len() + 1..).unwrap_or_default());
        K::decode(&mut reader)
            .filter(|_| reader.is_empty())
            .ok_or_else(|| self.corrupt(space, key, "the key is none of this table"))
    }

    fn corrupt(self, space: &Space, key: &[u8], reason: &str) -> Error {
        Error::Corrupt {
            table: self.name,
            owner: space.owner.clone(),
            key: Hex(key.get(space.prefix.len() + 1..).unwrap_or_default().into()),
            reason: reason.into(),
        }
    }
}

/// Where an owner's rows are: the beginning that their keys share.
pub struct Space {
    pub(crate) owner: Owner,
    pub(crate) bucket: Bucket,
    prefix: KeyBuf,
}

impl Space {
    pub(crate) fn new(owner: Owner) -> Self {
        let mut encoded = KeyBuf::new();
        owner.encode(&mut encoded);
        let bucket = Bucket::of(&encoded);
        let mut prefix = KeyBuf::new();
        bucket.0.encode(&mut prefix);
        prefix.extend(&encoded);
        Self { owner, bucket, prefix }
    }

    pub(crate) fn row<K: Key, V>(&self, table: Table<K, V>, key: &K) -> KeyBuf {
        let mut row = self.table(table);
        key.encode(&mut row);
        row
    }

    /// From where to where (exclusive) the rows with keys in `range` are.
    pub(crate) fn range<K: Key, V>(
        &self,
        table: Table<K, V>,
        range: &impl RangeBounds<K>,
    ) -> (KeyBuf, KeyBuf) {
        let start = match range.start_bound() {
            Bound::Included(key) => self.row(table, key),
            Bound::Excluded(key) => behind(self.row(table, key)),
            Bound::Unbounded => self.table(table),
        };
        let end = match range.end_bound() {
            Bound::Included(key) => behind(self.row(table, key)),
            Bound::Excluded(key) => self.row(table, key),
            Bound::Unbounded => self.table_end(table),
        };
        (start, end)
    }

    /// The same for the rows whose keys begin with `prefix`.
    pub(crate) fn prefix_range<K: Key, V>(
        &self,
        table: Table<K, V>,
        prefix: &impl Prefix<K>,
    ) -> (KeyBuf, KeyBuf) {
        let mut start = self.table(table);
        prefix.encode_prefix(&mut start);
        let end = next_prefix(&start);
        (start, end)
    }

    fn table<K, V>(&self, table: Table<K, V>) -> KeyBuf {
        let mut key = self.prefix.clone();
        key.push(table.id);
        key
    }

    fn table_end<K, V>(&self, table: Table<K, V>) -> KeyBuf {
        let mut key = self.prefix.clone();
        key.push(table.id + 1);
        key
    }
}

/// The key right behind `key`: no key of a table begins with another.
fn behind(mut key: KeyBuf) -> KeyBuf {
    key.push(0);
    key
}

/// The first key behind all that begin with `prefix`.
pub(crate) fn next_prefix(prefix: &[u8]) -> KeyBuf {
    let mut next = KeyBuf::new();
    if let Some(at) = prefix.iter().rposition(|byte| *byte != u8::MAX) {
        next.extend(&prefix[..at]);
        next.push(prefix[at] + 1);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_prefix_is_behind_all_with_the_prefix() {
        assert_eq!(&*next_prefix(&[1, 2]), &[1, 3]);
        assert_eq!(&*next_prefix(&[1, 0xff, 0xff]), &[2]);
    }

    #[test]
    fn row_key_layout() {
        let space = Space::new(Owner::User(crate::UserId(1)));
        let row = space.row(Table::<u16, ()>::new(7, "seven"), &0x0102);
        let bucket = space.owner.bucket().0.to_be_bytes();
        let expected = [&bucket[..], &[1, 0x80, 0, 0, 0, 0, 0, 0, 1], &[7], &[1, 2]].concat();
        assert_eq!(&*row, expected);
    }
}
