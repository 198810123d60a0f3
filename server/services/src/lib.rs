//! The state without I/O: what partitions can do, one plain function an operation.
//!
//! ```text
//! operation (bytes) ──partition──► function(rows, now, arguments) ──► answer | refusal
//!                                        │
//!                                        ├──► rows        of the owner
//!                                        ├──► deliveries  to other owners, through the outbox
//!                                        └──► effects     for the owner's sessions, after the commit
//! ```
//!
//! | module | owner | what it keeps |
//! |---|---|---|
//! | [`accounts`] | user | account, presence, authorizations, privacy, notification settings |
//! | [`contacts`] | user | contact list and blocks, in both directions |
//! | [`mailbox`] | user | private chats, drafts, the update log |
//! | [`keys`] | auth key | keys, temporary ones and their binding, logins |
//! | [`directory`] | phone number | login codes, who has the number |
//! | [`usernames`] | username | who has the name |
//! | [`uploads`], [`files`] | user | parts that came, files made lately |
//! | [`photos`] | user | photos of the profile |
//! | [`holders`] | file | who holds it |
//! | [`blobs`] | blob | where its bytes are, which files hold it |
//! | [`chores`] | list of chores | things to be done later |
//!
//! The list of operations is `schema/operations.tl`; [`partition`] calls the function of the same name. A function depends
//! on its rows and arguments alone: nothing here reads a clock or draws a random number.

pub mod accounts;
pub mod blobs;
pub mod chores;
pub mod contacts;
pub mod directory;
pub mod files;
pub mod holders;
pub mod keys;
pub mod limits;
pub mod mailbox;
pub mod partition;
pub mod photos;
pub mod tables;
mod txn;
pub mod uploads;
pub mod usernames;

use storage::{Owner, Read, UserId};
use tl::operations::enums::Refusal;

pub use txn::{Origin, Pushed, Txn};

/// Seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub i32);

/// Why an operation did nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The caller asked for something that cannot be: answered under its published name.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The rows could not be read or written.
    #[error(transparent)]
    Storage(#[from] storage::Error),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What operations answer.
pub type Result<T> = core::result::Result<T, Error>;

/// The user whose rows these are.
pub(crate) fn user(rows: &impl Read) -> Result<UserId> {
    match rows.owner() {
        Owner::User(id) => Ok(*id),
        _ => Err(Refusal::UserIdInvalid.into()),
    }
}

/// The answer of operations that have none.
pub(crate) type Done = tl::operations::types::Done;
