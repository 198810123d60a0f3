//! Sockets: accepts, owns, moves and closes connections, and takes requests from them to [`crate::rpc`].
//!
//! ```text
//! listen ──► Connection ──packets──► handshake            ──► keys.create
//!                        └─────────► Login, Live session  ──requests──► rpc ──results──┐
//! socket ◄── Connection ◄──sealed packets── flush ◄── sessions that have something to say ◄── updates
//! ```
//!
//! A shard is one thread that owns its connections and sessions outright. The first encrypted packet of a connection
//! names the auth key, whose hash says which shard is its home; a connection that landed elsewhere is handed over once, so that all
//! connections of a session meet on one thread.

mod command;
mod computer;
mod connection;
mod flush;
mod handshake;
mod listen;
mod live;
mod login;
mod room;
mod serve;
mod shard;
mod unopened;
mod wake;
mod write;

pub(crate) use command::{Command, ShardHandle};
pub(crate) use listen::{Admission, bind};
pub(crate) use live::RequestInfo;
pub(crate) use login::Login;
pub(crate) use room::{Answers, Promise};
pub(crate) use shard::{Entrance, start, this_shard};
