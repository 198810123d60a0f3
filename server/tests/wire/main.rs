//! The server as clients meet it: over real sockets, with answers, pushes and errors as facts.
//!
//! One program, so that it is linked once; a module for each theme.

#[path = "../common/mod.rs"]
mod common;

mod account;
mod attacks;
mod bad_input;
mod chat;
mod contacts;
mod dialogs;
mod empty;
mod external;
mod faults;
mod handshake;
mod layers;
mod limits;
mod login;
mod media;
mod photos;
mod session;
mod sync;
mod together;
mod transports;
mod upload;
mod videos;
