//! A write operation's access to its owner's rows.

use core::ops::{Deref, DerefMut};

use storage::{Owner, Read, UserId};
use tl::{Encode, operations::enums::Effect};

use crate::Result;

/// Which session made a call. The default stands for none: deliveries and the server's own calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The permanent auth key of the session.
    pub auth_key_id: i64,
    /// The session.
    pub session_id: i64,
}

/// An effect to be pushed after the commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Pushed {
    /// Whose sessions are told, unless the effect names others.
    pub owner: Owner,
    /// Who caused it: this session has the answer and is left out, unless the effect says otherwise.
    pub origin: Origin,
    /// What happened.
    pub effect: Effect,
}

/// The transaction of one operation: storage's, knowing who calls.
pub struct Txn<'t, 'g> {
    rows: &'t mut storage::Txn<'g, Pushed>,
    origin: Origin,
}

impl<'t, 'g> Txn<'t, 'g> {
    /// The transaction of a call from `origin`.
    pub const fn new(rows: &'t mut storage::Txn<'g, Pushed>, origin: Origin) -> Self {
        Self { rows, origin }
    }

    /// The rows, for functions that read.
    pub const fn rows(&self) -> &storage::Txn<'g, Pushed> {
        self.rows
    }

    /// Tells the owner's sessions, once committed.
    pub fn tell(&mut self, effect: impl Into<Effect>) {
        let owner = self.rows.owner().clone();
        self.rows.push(Pushed { owner, origin: self.origin, effect: effect.into() });
    }

    /// Sends an operation to another user, once committed.
    pub(crate) fn deliver_to(&mut self, user: i64, operation: &impl Encode) -> Result<()> {
        Ok(self.rows.deliver(Owner::User(UserId(user)), operation)?)
    }
}

impl<'g> Deref for Txn<'_, 'g> {
    type Target = storage::Txn<'g, Pushed>;

    fn deref(&self) -> &Self::Target {
        self.rows
    }
}

impl DerefMut for Txn<'_, '_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.rows
    }
}
