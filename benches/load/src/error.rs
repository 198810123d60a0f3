//! What can end a run.

use std::io;

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A file, a socket or a process.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Something that should exist does not, or cannot be read.
    #[error("{what}: {why}")]
    Setup { what: String, why: String },
    /// The other side broke the protocol, or we misread it.
    #[error("protocol: {0}")]
    Protocol(String),
    /// A request that has to succeed was refused.
    #[error("{method} was refused: {text}")]
    Rpc { method: &'static str, text: String },
    /// The transport said this number.
    #[error("transport error {0}")]
    Transport(i32),
    /// The other side closed the connection.
    #[error("the server closed the connection")]
    Closed,
    /// Nothing came.
    #[error("no answer in time")]
    Timeout,
    /// The server did not do what it promised.
    #[error("{count} violations")]
    Violated { count: usize },
}

/// What has a value unless the run failed.
pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Something that should exist does not, or cannot be read.
    pub(crate) fn setup(what: impl ToString, why: impl ToString) -> Self {
        Self::Setup { what: what.to_string(), why: why.to_string() }
    }
}
