//! The Baudot server: sockets, threads, configuration and time around the protocol (`mtproto`) and the
//! state (`services`), which have none of them.

pub mod admin;
pub mod cli;
pub mod clock;
pub mod codes;
pub mod config;
pub mod connect;
pub mod convert;
mod gateway;
pub mod handlers;
pub mod keyfile;
pub mod limits;
pub mod logging;
pub mod media;
pub mod router;
pub mod rpc;
mod server;
pub mod service_user;
pub mod shared;
mod stop;
mod tickets;
pub mod updates;
mod upkeep;

pub use server::{Error, Server, Stores};
