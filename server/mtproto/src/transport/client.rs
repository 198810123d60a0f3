//! The client's end of a transport, for tests, fuzzing and the load generator.

use bytes::{Buf as _, BufMut, Bytes, BytesMut};
use crypto::Side;

use super::framer::Unit;
use super::link::Link;
use super::websocket::WebSocket;
use super::{Error, Framing, HEADROOM, Init, Kind, Noise, Secret, Tag, http};

/// What a server sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// An envelope.
    Packet(BytesMut),
    /// The token of a packet that was accepted; its top bit is set.
    QuickAck(u32),
    /// A transport error, such as -404. The server closes after it.
    Error(i32),
}

/// Where a WebSocket is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebSocketRequest<'a> {
    /// The `Host` field: name or address, and port.
    pub host: &'a str,
    /// `/apiws`, or one of the other three.
    pub path: &'a str,
    /// Random bytes.
    pub key: [u8; 16],
}

/// One connection as a client sees it.
///
/// What [`poll_output`](Self::poll_output) gives first (a tag, an init, an HTTP request) goes out before all packets;
/// [`encode_packet`](Self::encode_packet) puts it there by itself. Nothing has to be awaited: a server reads what
/// follows the request for a WebSocket as soon as it has accepted it.
pub struct ClientTransport {
    link: Link,
    /// The answer awaited to a request for a WebSocket, and how much of the input does not contain its end.
    upgrade: Option<(String, usize)>,
    output: BytesMut,
    failed: Option<Error>,
}

impl ClientTransport {
    /// Framing alone.
    pub fn plain(framing: Framing) -> Self {
        let tag: &[u8] = match framing {
            Framing::Abridged => &[0xef],
            Framing::Intermediate => &Tag::Intermediate.bytes(),
            Framing::Padded => &Tag::Padded.bytes(),
            Framing::Full => &[],
        };
        Self::new(Link::new(None, None, framing, Side::Server), BytesMut::from(tag))
    }

    /// Framing inside obfuscated2; `target` is the secret of an MTProxy and the DC wanted there.
    pub fn obfuscated(tag: Tag, init: Init, target: Option<&(Secret, i16)>) -> Self {
        let (wire, cipher) = init.start(tag, target);
        let link = Link::new(None, Some(cipher), tag.into(), Side::Server);
        Self::new(link, BytesMut::from(&wire[..]))
    }

    /// Framing inside obfuscated2 inside a WebSocket. `noise` masks the init's frame.
    pub fn websocket(
        request: &WebSocketRequest<'_>,
        tag: Tag,
        init: Init,
        target: Option<&(Secret, i16)>,
        noise: &Noise,
    ) -> Self {
        let (wire, cipher) = init.start(tag, target);
        let websocket = WebSocket::new(Side::Client);
        let (key, accept) = http::client_key(&request.key);
        let mut output = BytesMut::new();
        http::write_request(request.host, request.path, &key, &mut output);
        let init_at = output.len() + websocket.header_len(wire.len());
        output.put_bytes(0, init_at - output.len());
        output.put_slice(&wire);
        websocket.frame(&mut output, init_at, noise);
        let link = Link::new(Some(websocket), Some(cipher), tag.into(), Side::Server);
        Self { upgrade: Some((accept, 0)), ..Self::new(link, output) }
    }

    const fn new(link: Link, output: BytesMut) -> Self {
        Self { link, upgrade: None, output, failed: None }
    }

    /// What the transport itself has to send.
    pub fn poll_output(&mut self) -> Option<Bytes> {
        (!self.output.is_empty()).then(|| self.output.split().freeze())
    }

    fn flush(&mut self, out: &mut BytesMut) {
        if !self.output.is_empty() {
            out.extend_from_slice(&self.output.split());
        }
    }

    /// Takes the next event off the front of `input`, which is treated as in
    /// [`ServerTransport::next_packet`](super::ServerTransport::next_packet).
    ///
    /// # Errors
    ///
    /// Any error is final.
    pub fn next_event(&mut self, input: &mut BytesMut) -> Result<Option<Incoming>, Error> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let event = self.advance(input);
        self.failed = event.as_ref().err().copied();
        event
    }

    fn advance(&mut self, input: &mut BytesMut) -> Result<Option<Incoming>, Error> {
        if let Some((accept, scanned)) = &mut self.upgrade {
            let len = http::head_len(input, scanned).map_err(|_| Error::BadUpgrade)?;
            let Some(len) = len else { return Ok(None) };
            if !http::is_accepted(&input.split_to(len), accept) {
                return Err(Error::BadUpgrade);
            }
            self.upgrade = None;
        }
        Ok(self.link.next_unit(input, &mut self.output)?.map(|unit| match unit {
            Unit::QuickAck(token) => Incoming::QuickAck(token),
            Unit::Packet(packet) => match packet.payload.as_array::<4>() {
                Some(code) => Incoming::Error(i32::from_le_bytes(*code)),
                None => Incoming::Packet(packet.payload),
            },
        }))
    }

    /// Appends the packet of `payload` to `out`, after what [`poll_output`](Self::poll_output) would give.
    ///
    /// For the payload see [`ServerTransport::encode_packet`](super::ServerTransport::encode_packet). `quick_ack` is
    /// ignored in full, which has no such thing.
    pub fn encode_packet(
        &mut self,
        payload: &[u8],
        quick_ack: bool,
        noise: &Noise,
        out: &mut BytesMut,
    ) {
        self.flush(out);
        self.link.encode(payload, quick_ack, noise, out);
    }

    /// Makes a packet in place, as [`ServerTransport::encode_in_place`](super::ServerTransport::encode_in_place) does.
    ///
    /// What [`poll_output`](Self::poll_output) gives is to be sent before it.
    ///
    /// # Panics
    ///
    /// When `packet` is shorter than [`HEADROOM`](super::HEADROOM).
    pub fn encode_in_place(&mut self, packet: &mut BytesMut, noise: &Noise) {
        assert!(packet.len() >= HEADROOM, "a packet without room for its headers");
        let wire_at = self.link.encode_in_place(packet, noise);
        packet.advance(wire_at);
    }

    /// Appends what ends the connection in an orderly way: a WebSocket's close frame, else nothing.
    pub fn encode_close(&mut self, out: &mut BytesMut) {
        self.flush(out);
        self.link.encode_close(out);
    }

    /// Whether the [`Noise`] passed to `encode_packet` has to be fresh random bytes.
    pub fn wants_noise(&self) -> bool {
        let kind = self.kind();
        kind.websocket || kind.framing == Framing::Padded
    }

    /// The transport in use.
    pub const fn kind(&self) -> Kind {
        self.link.kind()
    }
}
