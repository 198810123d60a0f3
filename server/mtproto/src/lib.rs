//! MTProto without I/O: both ends of the protocol as state machines that take bytes and the time.

#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation)
)]

pub mod bind_temp;
pub mod buffer;
pub mod client;
pub mod envelope;
pub mod handshake;
pub mod limits;
pub mod msg_id;
pub mod session;
pub mod time;
pub mod transport;

pub use buffer::Buffer;
pub use msg_id::MsgId;
pub use time::UnixTime;
