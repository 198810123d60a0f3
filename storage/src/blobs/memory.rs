//! Pieces in memory, for tests and for servers that keep nothing.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use super::{PieceKey, Pieces};
use crate::{Error, ids::DataId};

/// A store of pieces that lasts as long as the process.
#[derive(Debug, Default)]
pub struct MemoryPieces {
    pieces: Mutex<BTreeMap<PieceKey, Bytes>>,
}

impl MemoryPieces {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<PieceKey, Bytes>> {
        self.pieces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pieces for MemoryPieces {
    fn put(&self, key: &PieceKey, bytes: &[u8]) -> Result<(), Error> {
        self.lock().insert(*key, Bytes::copy_from_slice(bytes));
        Ok(())
    }

    fn get(&self, key: &PieceKey) -> Result<Option<Bytes>, Error> {
        Ok(self.lock().get(key).cloned())
    }

    fn delete(&self, data: DataId) -> Result<(), Error> {
        self.lock().retain(|key, _| key.data != data);
        Ok(())
    }

    fn delete_piece(&self, key: &PieceKey) -> Result<(), Error> {
        self.lock().remove(key);
        Ok(())
    }

    fn keys(&self, from: &PieceKey, limit: usize) -> Result<Vec<PieceKey>, Error> {
        Ok(self.lock().range(from..).take(limit).map(|(key, _)| *key).collect())
    }
}

#[test]
fn passes_the_suite() {
    super::suite::run(&MemoryPieces::default());
}
