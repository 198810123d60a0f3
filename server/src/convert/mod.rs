//! Between what clients send and see (`tl::api`) and what is stored and executed (`tl::records`, `tl::operations`).
//!
//! | module         | from clients                         | to clients                                   |
//! |----------------|--------------------------------------|----------------------------------------------|
//! | [`peers`]      | peers with access hashes, replies    | peers                                        |
//! | [`entities`]   | formatting of a text                 | formatting of a text                         |
//! | [`text`]       | a text, trimmed, with its formatting |                                              |
//! | [`detect`]     | addresses, names, tags in a text     |                                              |
//! | [`users`]      |                                      | users as one viewer may see them             |
//! | [`acquaintances`] |                                   | what viewers know of users, in memory        |
//! | [`messages`]   |                                      | messages, dialogs, drafts, whom they mention |
//! | [`media`]      |                                      | photos, documents, what else is attached     |
//! | [`attributes`] | what a document is                   | what a document is                           |
//! | [`cards`]      | contacts and places                  |                                              |
//! | [`notify`]     | notification settings                | notification settings                        |
//! | [`privacy`]    | privacy keys and rules               | privacy keys and rules                       |
//!
//! What is made for clients borrows from what it is made of; it is encoded while that is alive. Whatever is made is of the
//! newest layer: older ones are a matter of the encoding.

pub mod acquaintances;
pub mod attributes;
pub mod cards;
pub mod detect;
pub mod entities;
pub mod media;
pub mod messages;
pub mod notify;
pub mod peers;
pub mod privacy;
pub mod text;
pub mod users;

use storage::{Owner, UserId};
use tl::{Decode, Encode, Method};

use crate::{
    rpc::{Result, RpcError},
    shared::Shared,
};

/// Executes a read operation of a user at once.
fn read<M>(shared: &Shared, user: UserId, operation: &M) -> Result<M::Answer<'static>>
where
    M: Method + Encode,
    M::Answer<'static>: for<'a> Decode<'a>,
{
    shared.router.read_now(&Owner::User(user), operation).map_err(RpcError::from)
}
