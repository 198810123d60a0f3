//! The Baudot server: sockets, threads, configuration and time around the protocol (`mtproto`) and the
//! state (`services`), which have none of them.

pub mod cli;
pub mod codes;
pub mod config;
pub mod connect;
pub mod keyfile;
pub mod logging;
pub mod placeholder;
