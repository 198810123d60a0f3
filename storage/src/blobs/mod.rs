//! File contents: bytes in pieces, apart from the rows that say whose they are.
//!
//! ```text
//! blob (by the hash of its content) ──row──► data ──► piece 0 │ piece 1 │ … │ last piece
//! ```
//!
//! A piece is a part as a client sent it: up to 512 KiB, all but the last of one length. It is written once, under the
//! `data` of its upload, before the row that tells of it, and stays there when the upload becomes a blob. Its key carries the
//! beginning of its hash, so that a part sent again with other bytes never overwrites what a row tells of.
//!
//! | module | what it is |
//! |---|---|
//! | [`tree`] | hashes of pieces, and of the whole from them, in any order |
//! | [`Pieces`] | a store of pieces on this machine: in memory, RocksDB's blob files |
//! | `s3` | a remote store, where a blob is one object |
//!
//! All of it blocks, and is called on threads that may.

mod memory;
#[cfg(feature = "rocks")]
mod rocks;
#[cfg(feature = "s3")]
pub mod s3;
pub mod suite;
pub mod tree;

use bytes::Bytes;

pub use memory::MemoryPieces;
#[cfg(feature = "rocks")]
pub use rocks::{Disk, RocksPieces};
use tree::PieceHash;

use crate::{Error, ids::DataId};

/// The name of a piece in a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PieceKey {
    /// The upload that brought it.
    pub data: DataId,
    /// Which part it is, from 0 on.
    pub part: u32,
    /// The first bytes of its hash.
    pub check: [u8; 8],
}

impl PieceKey {
    /// The key of a piece with this hash.
    pub fn new(data: DataId, part: u32, hash: &PieceHash) -> Self {
        let mut check = [0; 8];
        check.copy_from_slice(&hash.0[..8]);
        Self { data, part, check }
    }

    /// The first key of the same data behind this one.
    pub fn after(self) -> Option<Self> {
        match u64::from_be_bytes(self.check).checked_add(1) {
            Some(check) => Some(Self { check: check.to_be_bytes(), ..self }),
            None => Some(Self { part: self.part.checked_add(1)?, check: [0; 8], ..self }),
        }
    }
}

/// Bytes and their CRC-32.
///
/// It is computed before anything else is done with them: that reads them in order and so brings them near. Their hash,
/// which is computed in sixteen places at once, then takes a fifth less.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summed {
    bytes: Bytes,
    crc: u32,
}

impl From<Bytes> for Summed {
    fn from(bytes: Bytes) -> Self {
        Self { crc: crc32fast::hash(&bytes), bytes }
    }
}

/// Checks bytes that came from a store against the hash of the piece at `offset` of its file.
///
/// # Errors
///
/// [`Error::CorruptBytes`].
pub fn check_piece(hash: &PieceHash, offset: u64, bytes: &[u8]) -> Result<(), Error> {
    if tree::piece(offset, bytes).as_ref() == Some(hash) {
        return Ok(());
    }
    Err(Error::CorruptBytes {
        name: format!("{} at {offset}", bytes.len()),
        reason: "their hash is another one".into(),
    })
}

/// A store of pieces on this machine.
pub trait Pieces: Send + Sync {
    /// Stores a piece; it is durable when this returns. The same key again replaces the bytes.
    fn put(&self, key: &PieceKey, bytes: &[u8]) -> Result<(), Error>;

    /// Stores pieces of large files as [`Pieces::put`] does, those of one call together: a store may have another place for what
    /// comes in bulk.
    fn put_large(&self, pieces: &[(PieceKey, Summed)]) -> Result<(), Error> {
        pieces.iter().try_for_each(|(key, piece)| self.put(key, &piece.bytes))
    }

    /// The bytes of a piece, checked against what was written.
    fn get(&self, key: &PieceKey) -> Result<Option<Bytes>, Error>;

    /// Removes all pieces of `data`. Nothing happens if there are none.
    fn delete(&self, data: DataId) -> Result<(), Error>;

    /// Removes one piece, if it is there.
    fn delete_piece(&self, key: &PieceKey) -> Result<(), Error>;

    /// The keys from `from` on, in order, at most `limit`; without their bytes.
    fn keys(&self, from: &PieceKey, limit: usize) -> Result<Vec<PieceKey>, Error>;
}
