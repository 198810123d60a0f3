//! One function a method, in the module of its namespace. The dispatch (`rpc`) calls them because the schema has the method.
//!
//! A handler checks, lets an operation change the state, and answers. It knows no table, no socket and no clock; what arrives
//! becomes ids and records in [`convert`](crate::convert), and what leaves becomes API types there.

pub mod account;
pub mod auth;
pub mod channels;
pub mod contacts;
pub mod help;
pub mod langpack;
pub mod messages;
pub mod payments;
pub mod photos;
pub mod stories;
pub mod updates;
pub mod upload;
pub mod users;
