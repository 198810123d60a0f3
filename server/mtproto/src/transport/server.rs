//! The server's end of a transport: finds out what the client speaks, then speaks it.

use std::mem;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use crypto::Side;

use super::framer::Unit;
use super::http::{self, Refusal};
use super::link::Link;
use super::obfuscated::{self, INIT_LEN, InitId, Secret};
use super::websocket::WebSocket;
use super::{Error, Framing, HEADROOM, Kind, Noise, Packet};

/// What a server accepts. One for all connections of a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// The secrets of an MTProxy, at most [`SECRET_COUNT_MAX`](crate::limits::SECRET_COUNT_MAX): each costs a try on
    /// every connection that fits none before it.
    pub secrets: Vec<Secret>,
    /// Serve nothing but connections with one of `secrets`.
    pub secrets_only: bool,
    /// Serve WebSockets; otherwise HTTP is answered with 404.
    pub websockets: bool,
}

impl Default for ServerConfig {
    /// Everything but secrets.
    fn default() -> Self {
        Self { secrets: Vec::new(), secrets_only: false, websockets: true }
    }
}

/// One connection as the server sees it: bytes to packets and back.
///
/// ```text
/// Detecting ──ef, ee.., dd.., full──────────────────────► Open ──► Failed
///     │  └────64 bytes that open──────────────────────────► ▲
///     └──"GET " …──► Http ──101──► Upgraded ──64 bytes──────┘      any error, from anywhere: Failed
/// ```
///
/// After each read: [`next_packet`](Self::next_packet) until it answers `None`, then
/// [`poll_output`](Self::poll_output) until it does. On an error poll once more, write that, close.
pub struct ServerTransport {
    config: Arc<ServerConfig>,
    state: State,
    /// What the transport itself owes the peer.
    output: BytesMut,
    dc_id: Option<i16>,
    init: Option<InitId>,
}

enum State {
    /// Too little has arrived to tell.
    Detecting,
    /// An HTTP request is arriving; that many of its bytes do not contain its end.
    Http { scanned: usize },
    /// A WebSocket is open, the init inside it is arriving.
    Upgraded(Box<WebSocket>),
    /// Packets.
    Open(Box<Link>),
    /// Refused; whatever comes is refused as well.
    Failed(Error),
}

/// What the first bytes of a connection are.
enum Detected {
    Plain { framing: Framing, tag_len: usize },
    Http,
    Obfuscated([u8; INIT_LEN]),
}

impl ServerTransport {
    /// A connection that has not said anything.
    pub fn new(config: Arc<ServerConfig>) -> Self {
        let (state, output) = (State::Detecting, BytesMut::new());
        Self { config, state, output, dc_id: None, init: None }
    }

    /// Takes the next packet off the front of `input`; `None` while it is incomplete.
    ///
    /// `input` belongs to the transport except for its end: bytes may be appended, and what is left is handed over
    /// together with the transport, because its front may be decrypted already. Payloads are split off, not copied
    /// (once copied inside a WebSocket, where a packet may be cut by frames).
    ///
    /// # Errors
    ///
    /// Any error is final, and is repeated by every later call.
    pub fn next_packet(&mut self, input: &mut BytesMut) -> Result<Option<Packet>, Error> {
        let packet = self.advance(input);
        if let Err(error) = packet {
            self.state = State::Failed(error);
        }
        packet
    }

    /// How many more bytes complete the packet that [`next_packet`](Self::next_packet) waits for; 0 if that is not known.
    pub fn missing(&self) -> usize {
        match &self.state {
            State::Open(link) => link.missing(),
            _ => 0,
        }
    }

    fn advance(&mut self, input: &mut BytesMut) -> Result<Option<Packet>, Error> {
        loop {
            let next = match &mut self.state {
                State::Detecting => self.detect(input)?,
                State::Http { scanned } => match http::head_len(input, scanned) {
                    Ok(None) => None,
                    Ok(Some(len)) => Some(self.upgrade(&input.split_to(len))?),
                    Err(status) => return Err(self.refuse(&Refusal::new(status))),
                },
                State::Upgraded(websocket) => match websocket.stream.first_chunk().copied() {
                    Some(init) => Some(self.open(&init)?),
                    None if websocket.pull(input, &mut self.output)? => continue,
                    None => None,
                },
                State::Open(link) => {
                    return Ok(link.next_unit(input, &mut self.output)?.and_then(
                        |unit| match unit {
                            Unit::Packet(packet) => Some(packet),
                            // Clients send none, and the framing knows that it reads a client.
                            Unit::QuickAck(_) => None,
                        },
                    ));
                }
                State::Failed(error) => return Err(*error),
            };
            match next {
                Some(state) => self.state = state,
                None => return Ok(None),
            }
        }
    }

    /// Chooses a transport by the first bytes of `input`; `None` while they say too little.
    fn detect(&mut self, input: &mut BytesMut) -> Result<Option<State>, Error> {
        match detect(input)? {
            None => Ok(None),
            Some(Detected::Http) => Ok(Some(State::Http { scanned: 0 })),
            Some(Detected::Plain { .. }) if self.config.secrets_only => Err(Error::NotAllowed),
            Some(Detected::Plain { framing, tag_len }) => {
                input.advance(tag_len);
                Ok(Some(State::Open(Box::new(Link::new(None, None, framing, Side::Client)))))
            }
            Some(Detected::Obfuscated(init)) => {
                let state = self.open(&init)?;
                input.advance(INIT_LEN);
                Ok(Some(state))
            }
        }
    }

    /// Answers a request: the WebSocket it opens, or an error.
    fn upgrade(&mut self, head: &[u8]) -> Result<State, Error> {
        let upgrade =
            http::parse(head, self.config.websockets).map_err(|refusal| self.refuse(&refusal))?;
        http::write_switching(&upgrade, &mut self.output);
        Ok(State::Upgraded(Box::new(WebSocket::new(Side::Server))))
    }

    fn refuse(&mut self, refusal: &Refusal) -> Error {
        http::write_refusal(refusal, &mut self.output);
        Error::Http { status: refusal.status }
    }

    /// Reads the init of an obfuscated stream, which inside a WebSocket is still at the front of that.
    fn open(&mut self, init: &[u8; INIT_LEN]) -> Result<State, Error> {
        let opened = obfuscated::open(init, &self.config)?;
        self.dc_id = opened.dc_id;
        self.init = Some(opened.id);
        let websocket = match mem::replace(&mut self.state, State::Detecting) {
            State::Upgraded(mut websocket) => {
                websocket.stream.advance(INIT_LEN);
                Some(*websocket)
            }
            _ => None,
        };
        let (cipher, framing) = (Some(opened.cipher), Framing::from(opened.tag));
        Ok(State::Open(Box::new(Link::new(websocket, cipher, framing, Side::Client))))
    }

    /// What the transport itself has to send: an HTTP answer, a pong, a close frame. Before any packet encoded later.
    pub fn poll_output(&mut self) -> Option<Bytes> {
        (!self.output.is_empty()).then(|| self.output.split().freeze())
    }

    fn flush(&mut self, out: &mut BytesMut) {
        if !self.output.is_empty() {
            out.extend_from_slice(&self.output.split());
        }
    }

    /// Appends the packet of `payload` to `out`, after what [`poll_output`](Self::poll_output) would give.
    ///
    /// `payload` is an envelope: a multiple of 4 bytes, 4 to [`PACKET_LEN_MAX`](crate::limits::PACKET_LEN_MAX). Packets
    /// must be sent in the order they were encoded in. Copies the payload once. Writes nothing while the client's
    /// transport is unknown.
    pub fn encode_packet(&mut self, payload: &[u8], noise: &Noise, out: &mut BytesMut) {
        self.flush(out);
        if let State::Open(link) = &mut self.state {
            link.encode(payload, false, noise, out);
        }
    }

    /// Makes a packet in place: `packet` is [`HEADROOM`] bytes of anything and a payload, and becomes what is sent.
    ///
    /// For the payload see [`encode_packet`](Self::encode_packet). Moves nothing if `packet` has [`TAILROOM`] bytes of
    /// spare capacity. Empties `packet` while the client's transport is unknown.
    ///
    /// [`TAILROOM`]: super::TAILROOM
    ///
    /// # Panics
    ///
    /// When `packet` is shorter than [`HEADROOM`].
    pub fn encode_in_place(&mut self, packet: &mut BytesMut, noise: &Noise) {
        assert!(packet.len() >= HEADROOM, "a packet without room for its headers");
        match &mut self.state {
            State::Open(link) => {
                let wire_at = link.encode_in_place(packet, noise);
                packet.advance(wire_at);
            }
            _ => packet.clear(),
        }
    }

    /// Appends a quick ack to `out`, where the framing has such a thing (all but full).
    ///
    /// `token`: the first four bytes of the hash that `msg_key` comes from, little-endian; its top bit is set here.
    pub fn encode_quick_ack(&mut self, token: u32, noise: &Noise, out: &mut BytesMut) {
        self.flush(out);
        if let State::Open(link) = &mut self.state {
            link.encode_quick_ack(token, noise, out);
        }
    }

    /// Appends a transport error to `out`: -404, -429 or -444. The connection is to be closed after it.
    pub fn encode_error(&mut self, code: i32, out: &mut BytesMut) {
        // Errors are never padded: clients recognise them by their length of 4.
        self.encode_packet(&code.to_le_bytes(), &Noise::default(), out);
    }

    /// Appends what ends the connection in an orderly way: a WebSocket's close frame, else nothing.
    pub fn encode_close(&mut self, out: &mut BytesMut) {
        self.flush(out);
        if let State::Open(link) = &self.state {
            link.encode_close(out);
        }
    }

    /// Whether the [`Noise`] passed to `encode_*` has to be fresh random bytes; otherwise it is not read.
    pub fn wants_noise(&self) -> bool {
        self.kind().is_some_and(|kind| kind.framing == Framing::Padded)
    }

    /// The transport the client chose; `None` until it has, and after an error.
    ///
    /// A connection may stay undecided for as long as its client is silent: the caller sets a deadline.
    pub fn kind(&self) -> Option<Kind> {
        match &self.state {
            State::Open(link) => Some(link.kind()),
            _ => None,
        }
    }

    /// The DC the client asks an MTProxy for: 10000 is added for a test DC, and a media DC is negative.
    ///
    /// `None` without a secret.
    pub const fn dc_id(&self) -> Option<i16> {
        self.dc_id
    }

    /// The init of an obfuscated connection, once: it is to be checked against a [`ReplayMemory`](super::ReplayMemory)
    /// before the first packet is used.
    pub const fn take_init(&mut self) -> Option<InitId> {
        self.init.take()
    }
}

/// Compares the first bytes of a connection with what transports begin with; `None` while more are needed.
fn detect(input: &[u8]) -> Result<Option<Detected>, Error> {
    let plain = |framing, tag_len| Ok(Some(Detected::Plain { framing, tag_len }));
    if input.first() == Some(&0xef) {
        return plain(Framing::Abridged, 1);
    }
    let Some((tag, rest)) = input.split_first_chunk::<4>() else { return Ok(None) };
    match tag {
        [0xee, 0xee, 0xee, 0xee] => return plain(Framing::Intermediate, 4),
        [0xdd, 0xdd, 0xdd, 0xdd] => return plain(Framing::Padded, 4),
        b"GET " | b"POST" | b"HEAD" | b"OPTI" => return Ok(Some(Detected::Http)),
        [0x16, 0x03, 0x01, _] => return Err(Error::Tls),
        _ => {}
    }
    // Full has no tag; these four bytes are its first packet's number, 0.
    if rest.first_chunk() == Some(&[0; 4]) {
        return plain(Framing::Full, 0);
    }
    Ok(input.first_chunk().map(|init| Detected::Obfuscated(*init)))
}
