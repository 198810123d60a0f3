//! What can go wrong with storage. It is never the peer's fault: answer `INTERNAL`, log as an error.

use std::fmt;
use std::path::PathBuf;

use crate::ids::{Owner, PartitionId};

/// Why rows could not be read, written or opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A stored row is not what its table holds.
    #[error("corrupt row in table {table} of {owner:?}, key {key}: {reason}")]
    Corrupt {
        /// The table's name.
        table: &'static str,
        /// Whose row it is.
        owner: Owner,
        /// The row's key within the table.
        key: Hex,
        /// What is wrong with it.
        reason: String,
    },
    /// A row of a partition's own (outbox, numbers) is not what it should be.
    #[error("corrupt row of partition {}: {reason}", partition.0)]
    CorruptPartition {
        /// Whose row it is.
        partition: PartitionId,
        /// What is wrong with it.
        reason: String,
    },
    /// The engine could not do what it was asked for.
    #[error("failed to {doing}: {reason}")]
    Engine {
        /// What it was asked for.
        doing: &'static str,
        /// What it says.
        reason: String,
    },
    /// Bytes of a file are not those that were stored.
    #[error("corrupt bytes of a file, {name}: {reason}")]
    CorruptBytes {
        /// Which of them.
        name: String,
        /// What is wrong with them.
        reason: String,
    },
    /// The remote store did not do what it was asked for, however often. Another try may succeed.
    #[error("the remote store failed to {doing} {name}: {reason}")]
    Remote {
        /// What it was asked for.
        doing: &'static str,
        /// The object, or the bucket.
        name: String,
        /// What it says, without credentials.
        reason: String,
    },
    /// No room is left where the store is. Reads still work; writes do again once there is room.
    #[error("failed to {doing}: the disk is full ({reason})")]
    DiskFull {
        /// What it was asked for.
        doing: &'static str,
        /// What the engine says.
        reason: String,
    },
    /// Another process has the store open.
    #[error(
        "failed to open the store in {}: another process has it open; stop that one, or choose another data folder",
        path.display()
    )]
    Locked {
        /// The store's folder.
        path: PathBuf,
    },
    /// The store's folder cannot be created or written.
    #[error(
        "failed to open the store in {}: {reason}; give this process's user the right to write there, or choose another data folder",
        path.display()
    )]
    Unwritable {
        /// The store's folder.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The store was made by another version or with other settings.
    #[error(
        "failed to open the store: {what} is {found}, but this server needs {needed}; {advice}"
    )]
    Format {
        /// What does not fit.
        what: &'static str,
        /// What the store has.
        found: u32,
        /// What was expected.
        needed: u32,
        /// What to do about it.
        advice: &'static str,
    },
    /// Too many deliveries wait for another partition.
    #[error("{count} deliveries wait for partition {}", to.0)]
    OutboxFull {
        /// The partition that does not acknowledge.
        to: PartitionId,
        /// How many wait.
        count: u64,
    },
    /// An operation is too long to be delivered.
    #[error("an operation of {len} bytes is too long to be delivered")]
    TooLong {
        /// Its length.
        len: usize,
    },
}

impl Error {
    /// Whether it is over once there is room on the disk again.
    pub const fn is_disk_full(&self) -> bool {
        matches!(self, Self::DiskFull { .. })
    }

    /// Whether bytes of a file are not those that were stored.
    pub const fn is_corrupt_bytes(&self) -> bool {
        matches!(self, Self::CorruptBytes { .. })
    }

    /// Whether the engine failed, as opposed to a row or a bound. Another try may succeed.
    pub const fn is_engine(&self) -> bool {
        matches!(self, Self::Engine { .. } | Self::DiskFull { .. })
    }
}

/// Bytes shown in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hex(pub Box<[u8]>);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corrupt_rows_name_table_and_key_but_no_phone() {
        let error = Error::Corrupt {
            table: "codes",
            owner: Owner::phone("9996610001"),
            key: Hex([0x0a, 0xff].into()),
            reason: "input ends".into(),
        };
        let text = error.to_string();
        assert!(
            text.contains("codes") && text.contains("0aff") && !text.contains("99966"),
            "{text}"
        );
    }
}
