//! What is kept and how: rows of owners, in partitions, on an engine. Knows nothing of sockets, of the wire, or of what
//! the rows mean.
//!
//! | module | what it is |
//! |---|---|
//! | [`ids`] | ids, owners, buckets, partitions |
//! | [`key`], [`table`] | order-preserving keys; tables of records |
//! | [`mod@owners`] | which owners there are |
//! | [`read`] | reading an owner's rows, as of a snapshot or within a transaction |
//! | [`group`], [`txn`] | operations of a partition, executed one after another and committed at once |
//! | [`round`] | the groups of one thread, committed at once |
//! | [`outbox`] | deliveries to other partitions, applied once and in order |
//! | [`engine`] | ordered maps that survive: in memory, RocksDB |
//! | [`blobs`] | file contents, in pieces |
//! | [`mod@format`] | the key space, and the row that says which format and how many partitions |
//! | [`limits`] | every bound |
//!
//! A writer's round, for the partitions of one thread:
//!
//! ```
//! use storage::{Engine, Memory, Outbox, Owner, Partitions, Round, UserId};
//!
//! let engine = Memory::new();
//! let partitions = Partitions::default();
//! let owner = Owner::User(UserId(1));
//! let mut outbox = Outbox::load(&*engine.snapshot(), partitions.of(&owner), partitions)?;
//!
//! let snapshot = engine.snapshot();
//! let mut round: Round<'_, &str> = Round::begin(&*snapshot, [&mut outbox]);
//! let group = round.group(partitions.of(&owner))?.expect("it is of this round");
//! let answer = group.execute(&owner, |txn| {
//!     txn.push("wake user 1");
//!     Ok::<_, ()>(42)
//! });
//! for committed in round.commit(&engine)? {
//!     // Only now may the answer be sent, and what was pushed and delivered go on.
//!     assert_eq!(committed.effects, ["wake user 1"]);
//! }
//! assert_eq!(answer, Ok(42));
//! # Ok::<_, storage::Error>(())
//! ```

pub mod blobs;
pub mod engine;
pub mod error;
pub mod format;
pub mod group;
pub mod ids;
pub mod key;
pub mod limits;
pub mod outbox;
pub mod owners;
pub mod read;
mod recent;
pub mod round;
pub mod table;
pub mod txn;

pub use engine::{Batch, Durability, Engine, Fault, Memory, Order, Row, Snapshot, Visit};
#[cfg(feature = "rocks")]
pub use engine::{Rocks, RocksOptions};
pub use error::Error;
pub use group::{Committed, Failure, Group, Receipt};
pub use ids::{
    AuthKeyId, BlobId, Bucket, DataId, FileId, MessageId, Owner, OwnerKind, PartitionId,
    Partitions, Pts, UserId,
};
pub use key::{Desc, FixedKey, Key, KeyBuf, KeyReader, Prefix, Whole};
pub use outbox::{Delivery, Outbox};
pub use owners::owners;
pub use read::{Read, View};
pub use round::Round;
pub use table::{RECORD_LAYER, Record, Table};
pub use txn::Txn;
