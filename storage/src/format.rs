//! What is where in the key space, and the row that says so.
//!
//! ```text
//! 0000..0fff | owner | table | key      an owner's rows, by bucket          values: records.tl
//! f000..f0ff | 01 | to | number         deliveries that wait, by partition  values: see `outbox`
//! f000..f0ff | 02                       last numbers received, by partition
//! ffff | 01                             format and number of partitions     version (4) | partitions (2)
//! ```
//!
//! Numbers are big-endian. Rows of a partition's own are few, short-lived and only read at its start; engines may keep them
//! apart ([`PARTITION_SPACE`]).

use crate::engine::{Batch, Durability, Engine, Row};
use crate::ids::Partitions;
use crate::{Error, PartitionId};

/// The version of the layout above that this code reads and writes.
pub const VERSION: u32 = 1;

/// Where the rows of partitions' own begin: all keys whose first byte is at least this one.
pub const PARTITION_SPACE: u8 = 0xf0;

/// What follows the space of a partition in the keys of its deliveries.
pub(crate) const DELIVERIES: u8 = 1;

/// What follows the space of a partition in the key of its received numbers.
pub(crate) const RECEIVED: u8 = 2;

const STORE_KEY: [u8; 3] = [0xff, 0xff, 1];

/// The first two bytes of the keys of a partition's own rows.
pub(crate) const fn partition_space(partition: PartitionId) -> [u8; 2] {
    (((PARTITION_SPACE as u16) << 8) + partition.0).to_be_bytes()
}

/// Checks that a store was written in this format for that many partitions; marks an empty one so.
///
/// # Errors
///
/// [`Error::Format`] if it was not; [`Error::Engine`].
pub fn ensure(engine: &dyn Engine, partitions: Partitions) -> Result<(), Error> {
    let mut value = [0; 6];
    value[..4].copy_from_slice(&VERSION.to_be_bytes());
    value[4..].copy_from_slice(&partitions.count().to_be_bytes());
    let mut found = None;
    engine.snapshot().get(&STORE_KEY, &mut |value| found = Some(value.to_vec()))?;
    match found.as_deref() {
        None => {
            let row = Row::put(&[&STORE_KEY[..], &value].concat(), STORE_KEY.len());
            let batch = Batch { rows: vec![row], ..Batch::default() };
            engine.write(&batch, Durability::Synced)
        }
        Some(found) => check(found, partitions),
    }
}

fn check(found: &[u8], partitions: Partitions) -> Result<(), Error> {
    let version = found.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    if version != VERSION {
        return Err(Error::Format {
            what: "its format",
            found: version,
            needed: VERSION,
            advice: "use the version of the server that wrote it, or another data folder",
        });
    }
    let count = found.last_chunk().map_or(0, |bytes| u16::from_be_bytes(*bytes));
    if count != partitions.count() {
        return Err(Error::Format {
            what: "its number of partitions",
            found: count.into(),
            needed: partitions.count().into(),
            advice: "set the number that the store was created with",
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Memory;

    #[test]
    fn a_store_keeps_its_format_and_partitions() {
        let memory = Memory::new();
        let count = |count| Partitions::new(count).unwrap();
        ensure(&memory, count(64)).unwrap();
        ensure(&memory, count(64)).unwrap();
        let error = ensure(&memory, count(32)).unwrap_err();
        assert!(matches!(error, Error::Format { found: 64, needed: 32, .. }), "{error}");
        assert!(matches!(
            check(&[0, 0, 0, 9, 0, 64], count(64)),
            Err(Error::Format { found: 9, .. })
        ));
        assert!(matches!(check(&[], count(64)), Err(Error::Format { found: 0, .. })));
    }
}
