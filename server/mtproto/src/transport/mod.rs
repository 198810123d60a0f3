//! Transports: from the bytes of one connection to packets, and back.
//!
//! One port serves them all; the first bytes of a connection choose. What lies inside what:
//!
//! ```text
//! TCP ─┬──────────────────────────────────────────► framing: abridged, intermediate, padded, full
//!      ├─► obfuscated2 (AES-CTR, either way) ─────► framing: abridged, intermediate, padded
//!      └─► HTTP upgrade ─► WebSocket ─► obfuscated2 ► framing: the same three
//! ```
//!
//! | first bytes | transport |
//! |---|---|
//! | `ef` | abridged |
//! | `ee ee ee ee` | intermediate |
//! | `dd dd dd dd` | padded intermediate |
//! | `GET `, `POST`, `HEAD`, `OPTI` | HTTP: a WebSocket upgrade, or a short error |
//! | `16 03 01` | TLS, which is not served here: closed |
//! | bytes 4..8 zero | full |
//! | anything else | obfuscated2, once 64 bytes are there |
//!
//! [`ServerTransport`] and [`ClientTransport`] are the two ends. Both are values without I/O, clock or
//! randomness: they can be sent to another thread together with the bytes not yet read. Whatever they
//! refuse is final, because a stream that lost its boundaries has none to resume at.
//!
//! Absent on purpose: MTProto over plain HTTP (long polling), and the disguise as TLS.
//!
//! Source: <https://core.telegram.org/mtproto/mtproto-transports>.

mod abridged;
mod client;
mod framer;
mod full;
mod http;
mod intermediate;
mod link;
mod obfuscated;
mod output;
mod padded;
mod replay;
mod server;
mod websocket;

use std::fmt;

use bytes::BytesMut;

pub use self::client::{ClientTransport, Incoming, WebSocketRequest};
pub use self::obfuscated::{BadSecret, Init, InitId, Secret};
pub use self::output::Output;
pub use self::replay::ReplayMemory;
pub use self::server::{ServerConfig, ServerTransport};
pub use self::websocket::Violation;

/// Room to leave in front of a payload for [`ServerTransport::encode_in_place`], in bytes.
///
/// | part | server | client |
/// |---|---|---|
/// | WebSocket frame header | 2, 4 or 10 | 6, 8 or 14 |
/// | abridged | 1 or 4 | the same |
/// | intermediate, padded | 4 | the same |
/// | full (never inside a WebSocket) | 8 | the same |
///
/// So 18 at most; the rest keeps the payload aligned to 8.
pub const HEADROOM: usize = crate::limits::TRANSPORT_HEADROOM;

/// Spare capacity behind a payload that saves a reallocation, in bytes: a CRC (4) or padding (up to 15).
pub const TAILROOM: usize = 16;

const _: () =
    assert!(HEADROOM >= websocket::HEADER_LEN_MAX + 4 && HEADROOM >= framer::HEADER_LEN_MAX);

/// Fresh random bytes for one outgoing packet: the padding, and a client's WebSocket mask.
///
/// Read only where [`ServerTransport::wants_noise`] says so, and by every WebSocket client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noise(pub [u8; 16]);

/// One packet as received: an envelope, its padding already removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Starts with `auth_key_id`; split off the input, not copied. Never empty.
    pub payload: BytesMut,
    /// The client wants [`ServerTransport::encode_quick_ack`] as soon as the packet is accepted.
    pub quick_ack: bool,
}

/// How packets are told apart within a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framing {
    /// A length in one or four bytes.
    Abridged,
    /// A length in four bytes.
    Intermediate,
    /// A length in four bytes, and up to 15 random bytes behind the payload.
    Padded,
    /// Length, number and CRC-32.
    Full,
}

impl Framing {
    /// The name used in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Abridged => "abridged",
            Self::Intermediate => "intermediate",
            Self::Padded => "padded",
            Self::Full => "full",
        }
    }
}

/// The framings that obfuscated2 can carry; a client names one in its first 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tag {
    /// `ef ef ef ef`.
    Abridged,
    /// `ee ee ee ee`.
    Intermediate,
    /// `dd dd dd dd`.
    Padded,
}

impl Tag {
    /// All of them, for tests and for finding one by its bytes.
    pub const ALL: [Self; 3] = [Self::Abridged, Self::Intermediate, Self::Padded];

    /// The four bytes on the wire.
    pub const fn bytes(self) -> [u8; 4] {
        match self {
            Self::Abridged => [0xef; 4],
            Self::Intermediate => [0xee; 4],
            Self::Padded => [0xdd; 4],
        }
    }

    /// The tag that has these bytes.
    pub fn from_bytes(bytes: [u8; 4]) -> Option<Self> {
        Self::ALL.into_iter().find(|tag| tag.bytes() == bytes)
    }
}

impl From<Tag> for Framing {
    fn from(tag: Tag) -> Self {
        match tag {
            Tag::Abridged => Self::Abridged,
            Tag::Intermediate => Self::Intermediate,
            Tag::Padded => Self::Padded,
        }
    }
}

/// Which transport a connection chose, for logs and metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    /// The innermost layer.
    pub framing: Framing,
    /// Inside obfuscated2; always so inside a WebSocket.
    pub obfuscated: bool,
    /// Inside WebSocket frames.
    pub websocket: bool,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outer = match (self.websocket, self.obfuscated) {
            (true, _) => "websocket/",
            (false, true) => "obfuscated/",
            (false, false) => "",
        };
        write!(f, "{outer}{}", self.framing.name())
    }
}

/// Why a byte stream is no MTProto stream. The peer is at fault; close the connection.
///
/// What [`ServerTransport::poll_output`] still has (an HTTP error, a close frame) is sent before that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The first 64 bytes name no framing under any key they may have been made with.
    #[error("no transport tag in the first 64 bytes")]
    UnknownTag,
    /// A transport without a secret, where only those with one are served.
    #[error("connection without a secret")]
    NotAllowed,
    /// A TLS greeting.
    #[error("TLS is not served here")]
    Tls,
    /// A length is too small, no multiple of 4, or beyond [`PACKET_LEN_MAX`](crate::limits::PACKET_LEN_MAX);
    /// or it contradicts the packet's own length field.
    #[error("packet of {len} bytes")]
    BadLength {
        /// The length of the payload as announced.
        len: usize,
    },
    /// The CRC-32 of a full packet is not that of its bytes.
    #[error("checksum {received:#010x} for bytes of {computed:#010x}")]
    BadChecksum {
        /// As sent.
        received: u32,
        /// As computed.
        computed: u32,
    },
    /// A full packet is not the next one.
    #[error("packet number {received}, expected {expected}")]
    BadSeqNo {
        /// As sent.
        received: u32,
        /// The number of packets before this one.
        expected: u32,
    },
    /// An HTTP request that was answered with an error.
    #[error("HTTP request answered with {status}")]
    Http {
        /// The status of the answer.
        status: u16,
    },
    /// Frames that no WebSocket peer may send.
    #[error("WebSocket: {0}")]
    WebSocket(#[from] Violation),
    /// The peer closed the WebSocket in an orderly way.
    #[error("closed by the peer")]
    Closed,
    /// Client only: the server did not accept the WebSocket.
    #[error("WebSocket refused by the server")]
    BadUpgrade,
}
