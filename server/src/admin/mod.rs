//! What operators ask: of a running server through a socket in its data folder, of the store itself if no server runs.
//!
//! ```text
//! baudot media check ──► DATA/admin.sock ──► Desk, in the server
//!                   └──► nobody there    ──► Desk, in this process, which opens the store
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | `desk` | does what is asked |
//! | `report` | how long work tells how far it is |
//! | `socket` | one request a connection; both ways a JSON object a line |
//! | `client` | the operator's side |
//!
//! A request is `{"command":"check","repair":false}`, `{"command":"migrate","to":"s3"}` or `{"command":"status"}`. The
//! answer is any number of lines `{"progress":…}`, `{"found":"…"}`, `{"note":"…"}`, then `{"done":…}` or `{"failed":"…"}`.

pub(crate) mod client;
pub(crate) mod desk;
pub(crate) mod report;
pub(crate) mod socket;

use serde_json::{Value, json};

use crate::media::mover::Place;
use report::Progress;

/// The socket's name in the data folder.
pub const SOCKET_FILE: &str = "admin.sock";

/// What an operator asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Look at everything; remove what belongs to nothing.
    Check { repair: bool },
    /// Move all blobs.
    Migrate { to: Place },
    /// Say how things are.
    Status,
}

impl Request {
    pub(crate) fn to_json(self) -> Value {
        match self {
            Self::Check { repair } => json!({ "command": "check", "repair": repair }),
            Self::Migrate { to: Place::Here } => json!({ "command": "migrate", "to": "local" }),
            Self::Migrate { to: Place::There } => json!({ "command": "migrate", "to": "s3" }),
            Self::Status => json!({ "command": "status" }),
        }
    }

    /// Reads a request; `Err` says what is wrong with it.
    pub(crate) fn from_json(text: &str) -> Result<Self, String> {
        let value: Value =
            serde_json::from_str(text).map_err(|_| "the request is no JSON".to_owned())?;
        let word = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
        match word("command") {
            "check" => {
                let repair = value.get("repair").and_then(Value::as_bool).unwrap_or_default();
                Ok(Self::Check { repair })
            }
            "migrate" => match word("to") {
                "local" => Ok(Self::Migrate { to: Place::Here }),
                "s3" => Ok(Self::Migrate { to: Place::There }),
                _ => Err("files can be moved to s3 or to local".to_owned()),
            },
            "status" => Ok(Self::Status),
            _ => Err("this version of the server does not know that command".to_owned()),
        }
    }
}

/// A line of the answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Line {
    /// How far it is.
    Progress(Progress),
    /// Something is wrong.
    Found(String),
    /// Something to know.
    Note(String),
    /// The end: how much is wrong, and the answer for people and for programs.
    Done { wrong: u64, text: Vec<String>, counts: Vec<(&'static str, u64)> },
    /// The end: it was not done.
    Failed(String),
}

impl Line {
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Progress(Progress { stage, done, total, bytes }) => json!({
                "progress": { "stage": stage, "done": done, "total": total, "bytes": bytes }
            }),
            Self::Found(text) => json!({ "found": text }),
            Self::Note(text) => json!({ "note": text }),
            Self::Done { wrong, text, counts } => {
                let counts: serde_json::Map<String, Value> =
                    counts.iter().map(|(name, count)| ((*name).into(), (*count).into())).collect();
                json!({ "done": { "wrong": wrong, "text": text, "counts": counts } })
            }
            Self::Failed(text) => json!({ "failed": text }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_survive_the_socket() {
        let all = [
            Request::Check { repair: false },
            Request::Check { repair: true },
            Request::Migrate { to: Place::Here },
            Request::Migrate { to: Place::There },
            Request::Status,
        ];
        for request in all {
            assert_eq!(Request::from_json(&request.to_json().to_string()), Ok(request));
        }
    }

    #[test]
    fn what_is_no_request_is_told() {
        let cases = [
            ("", "no JSON"),
            ("{", "no JSON"),
            ("[]", "does not know"),
            (r#"{"command":7}"#, "does not know"),
            (r#"{"command":"migrate","to":"moon"}"#, "to s3 or to local"),
        ];
        for (text, reason) in cases {
            let said = Request::from_json(text).unwrap_err();
            assert!(said.contains(reason), "{text}: {said}");
        }
    }
}
