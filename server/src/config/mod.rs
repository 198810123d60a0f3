//! The configuration: what an operator may decide, as types that cannot hold a wrong value.
//!
//! | file      | what                                                                            |
//! |-----------|---------------------------------------------------------------------------------|
//! | `keys`    | the one list of settings: name, default, what is allowed, what it does          |
//! | `load`    | layers (file, environment, flags) to a [`Config`], or everything wrong with them |
//! | `parse`   | one value to its type                                                           |
//!
//! A [`Config`] is complete and valid: whoever holds one checks nothing again. Bounds that no operator
//! needs to change are constants in `limits.rs` instead.

mod keys;
mod load;
mod parse;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use zeroize::Zeroize;

pub use self::keys::{Allowed, KEYS, Key};
pub use self::load::{Effective, Flag, Origin, Problem, Problems, Sources};

/// Everything the server is told before it starts.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where clients connect. Port 0 lets the system choose, for tests.
    pub listen: SocketAddr,
    /// The address clients are told, where it differs from the one that is bound.
    pub advertise: Option<Advertise>,
    /// Folder of the key and the store. Relative to the working directory.
    pub data_dir: PathBuf,
    /// What keeps the rows.
    pub engine: Engine,
    /// Memory for blocks read from disk, in MiB. The memory engine has no use for it.
    pub block_cache_mib: usize,
    /// Threads that own connections.
    pub shards: usize,
    /// The data centre ids.
    pub dc: Dc,
    /// Whether and where WebSocket clients are served.
    pub websocket: WebSocket,
    /// Secrets of the MTProxy handshake that are accepted on the same port; none by default.
    pub mtproxy_secrets: Vec<MtProxySecret>,
    /// How login codes leave the server.
    pub codes: Codes,
    /// Files that people send.
    pub media: Media,
    /// Bounds that depend on the machine and the users.
    pub limits: Limits,
    /// What is logged, and how.
    pub log: Log,
}

/// The address that clients are told in `help.getConfig`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advertise {
    /// A numeric address: some clients stop at a name.
    pub ip: IpAddr,
    /// `None` is the port that is bound.
    pub port: Option<u16>,
}

/// What keeps the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// RocksDB in the data folder. Needs the feature `rocks`.
    Rocks,
    /// A map in memory: everything is gone when the server stops.
    Memory,
}

/// Data centre ids. One server answers for all that a client may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dc {
    /// The id that clients are told, whichever accepted one they began with.
    pub this: i32,
    /// The ids that a handshake may name, among them `this`.
    pub accepted: Vec<i32>,
}

/// Where WebSocket clients are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebSocket {
    /// Nowhere.
    Off,
    /// On the port of all other transports.
    Shared,
    /// On a port of its own, and on no other.
    Own(SocketAddr),
}

/// A secret of the MTProxy handshake.
#[derive(Clone, PartialEq, Eq)]
pub struct MtProxySecret {
    /// The 16 bytes that are hashed into the key of the obfuscation.
    pub key: [u8; 16],
    /// The secret was written with `dd` in front: only the padded transport may be used with it.
    pub padded_only: bool,
}

/// How login codes leave the server.
#[derive(Clone, Debug)]
pub struct Codes {
    /// Codes are written to the log, under the target `login_code`.
    pub log: bool,
    /// Numbers `99966XYYYY` exist; their code is `X` five times.
    pub test_numbers: bool,
    /// Codes are posted to a URL.
    pub webhook: Option<Webhook>,
    /// The operator said explicitly that guessable codes are wanted beyond loopback.
    pub allow_insecure: bool,
}

/// Where and how codes are posted.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// An `http://` or `https://` URL.
    pub url: String,
    /// Key of the signature.
    pub secret: Secret,
    /// Attempts after the first one.
    pub retry_count_max: u32,
    /// How long one attempt may take.
    pub timeout_s: u64,
}

/// Files that people send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// Where file contents end up.
    pub store: MediaStore,
    /// The remote store. Also there while files are moved back from it.
    pub s3: Option<S3>,
    /// Memory for what was read lately, in MiB.
    pub cache_mib: usize,
    /// Threads that pictures are worked on.
    pub image_threads: usize,
    /// How long an upload that is not finished is kept, and a file that was made and not used.
    pub upload_s: i32,
    /// How long a file reference is good for.
    pub reference_s: i32,
    /// How often what is over is looked for.
    pub sweep_s: u64,
    /// Whether files may have 8,000 parts (4 GB) rather than 4,000 (2 GB).
    pub large_uploads: bool,
    /// Whether clients may have the server fetch files from addresses.
    pub external_fetch: bool,
    /// Addresses that are fetched from although they are not public. For tests; there is no setting.
    pub external_allowed: Vec<SocketAddr>,
}

/// Where file contents end up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaStore {
    /// In the data folder; in memory if that is where the rows are.
    Local,
    /// In the remote store. They come here first, and are moved there.
    S3,
}

/// A remote store. Credentials come from the environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3 {
    /// The bucket, which must exist.
    pub bucket: String,
    /// The URL of the store; `None` is that of Amazon's region.
    pub endpoint: Option<String>,
    /// The region.
    pub region: String,
    /// What the names of all objects begin with.
    pub prefix: String,
    /// Whether `endpoint` may be one without TLS.
    pub allow_http: bool,
    /// Whether the bucket is part of the path rather than of the host name.
    pub path_style: bool,
}

/// Bounds that depend on the machine and the users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open connections of the whole server; one more is closed at once.
    pub connections_max: usize,
    /// Open connections from one address, or one network of IPv6.
    pub connections_per_ip_max: usize,
    /// A connection that has not sent a complete packet by then is closed.
    pub first_packet_s: u64,
    /// A connection that has been silent for so long is closed.
    pub idle_s: u64,
    /// How long a stopping server waits for what is running.
    pub drain_s: u64,
    /// How long a login code is good for.
    pub code_lifetime_s: u64,
    /// Auth keys that a shard keeps in memory without a session of theirs. For tests; there is no setting.
    pub idle_keys_max: usize,
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A level, or directives such as `info,server::gateway=debug`.
    pub filter: String,
    /// The form of the lines.
    pub format: LogFormat,
}

/// The form of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A string that is not printed, and is cleared when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Config {
    /// Reads all layers and checks the whole.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, not only the first of it. Nothing has been started or created then.
    pub fn load(sources: &Sources) -> Result<Self, Problems> {
        load::load(sources).map(|(config, _)| config)
    }

    /// Like [`Config::load`], with the value of every setting and where it came from.
    ///
    /// # Errors
    ///
    /// Everything that is wrong.
    pub fn explain(sources: &Sources) -> Result<Vec<Effective>, Problems> {
        load::load(sources).map(|(_, effective)| effective)
    }

    /// A server for one test: a free port of loopback, the memory engine, two shards, test numbers.
    pub fn for_tests(data_dir: impl Into<PathBuf>) -> Self {
        let defaults = Sources { cores: 2, ..Sources::default() };
        let config = Self::load(&defaults).expect("the defaults are valid");
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data_dir: data_dir.into(),
            engine: Engine::Memory,
            codes: Codes { log: false, ..config.codes },
            ..config
        }
    }

    /// The address clients are told, given the one that was bound.
    pub fn advertised(&self, local: SocketAddr) -> SocketAddr {
        match self.advertise {
            None => local,
            Some(Advertise { ip, port }) => {
                SocketAddr::new(ip, port.unwrap_or_else(|| local.port()))
            }
        }
    }

    /// Whether only programs on this machine can reach the server.
    pub fn loopback_only(&self) -> bool {
        let own = match self.websocket {
            WebSocket::Own(address) => address.ip().is_loopback(),
            WebSocket::Off | WebSocket::Shared => true,
        };
        let told = self.advertise.is_none_or(|advertise| advertise.ip.is_loopback());
        self.listen.ip().is_loopback() && own && told
    }
}

impl Secret {
    /// Wraps `text`.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The bytes, for the one who needs them.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl MtProxySecret {
    /// The text that clients are given: hexadecimal, with `dd` in front where it was configured so.
    pub fn to_text(&self) -> String {
        let prefix = if self.padded_only { "dd" } else { "" };
        format!("{prefix}{}", hex::encode(self.key))
    }
}

impl fmt::Debug for MtProxySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MtProxySecret")
            .field("padded_only", &self.padded_only)
            .finish_non_exhaustive()
    }
}

impl Drop for MtProxySecret {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

#[cfg(test)]
mod tests;
