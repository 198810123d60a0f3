//! What the transport tests share: feeding streams in pieces, and the list of all transports.

use std::sync::Arc;

use bytes::BytesMut;
use mtproto::transport::{
    ClientTransport, Error, Framing, Incoming, Init, Noise, Secret, ServerConfig, ServerTransport,
    Tag, WebSocketRequest,
};

/// What came out of a server's end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Received {
    /// Payload, and whether a quick ack was asked for.
    pub(crate) packets: Vec<(Vec<u8>, bool)>,
    pub(crate) error: Option<Error>,
    pub(crate) output: Vec<u8>,
}

impl Received {
    pub(crate) fn packets(packets: &[(&[u8], bool)]) -> Self {
        let packets = packets.iter().map(|(payload, ack)| (payload.to_vec(), *ack)).collect();
        Self { packets, ..Self::default() }
    }
}

/// Feeds `pieces` to a server, one after the other.
pub(crate) fn feed<'a>(
    server: &mut ServerTransport,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Received {
    let (mut received, mut input) = (Received::default(), BytesMut::new());
    for piece in pieces {
        input.extend_from_slice(piece);
        let end = loop {
            match server.next_packet(&mut input) {
                Ok(Some(packet)) => {
                    received.packets.push((packet.payload.to_vec(), packet.quick_ack));
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        while let Some(output) = server.poll_output() {
            received.output.extend_from_slice(&output);
        }
        if let Some(error) = end {
            assert_eq!(server.next_packet(&mut input), Err(error), "an error is final");
            assert_eq!(server.poll_output(), None);
            received.error = end;
            break;
        }
    }
    received
}

/// Feeds `stream` whole, cut in two at every byte, and byte by byte: always `expected` comes out.
#[track_caller]
pub(crate) fn check(config: &ServerConfig, stream: &[u8], expected: &Received) {
    let config = Arc::new(config.clone());
    let server = || ServerTransport::new(config.clone());
    assert_eq!(feed(&mut server(), [stream]), *expected, "whole");
    assert_eq!(feed(&mut server(), stream.chunks(1)), *expected, "byte by byte");
    for at in 0..stream.len() {
        let (head, tail) = stream.split_at(at);
        assert_eq!(feed(&mut server(), [head, tail]), *expected, "cut at {at}");
    }
}

/// One way of connecting.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    Plain(Framing),
    Obfuscated(Tag),
    Proxy(Tag),
    WebSocket(Tag),
}

/// A secret, and the DC asked for with it.
pub(crate) fn target() -> (Secret, i16) {
    (Secret::Plain([0x5e; 16]), -10_002)
}

impl Way {
    pub(crate) fn all() -> Vec<Self> {
        let framings = [Framing::Abridged, Framing::Intermediate, Framing::Padded, Framing::Full]
            .map(Self::Plain);
        let inside = [Self::Obfuscated, Self::Proxy, Self::WebSocket];
        let inside = inside.into_iter().flat_map(|way| Tag::ALL.map(way));
        framings.into_iter().chain(inside).collect()
    }

    pub(crate) fn client(self) -> ClientTransport {
        let init = Init::new(std::array::from_fn(|i| i as u8 ^ 0xa5)).unwrap();
        match self {
            Self::Plain(framing) => ClientTransport::plain(framing),
            Self::Obfuscated(tag) => ClientTransport::obfuscated(tag, init, None),
            Self::Proxy(tag) => ClientTransport::obfuscated(tag, init, Some(&target())),
            Self::WebSocket(tag) => {
                let request = WebSocketRequest { host: "localhost", path: "/apiws", key: [9; 16] };
                ClientTransport::websocket(&request, tag, init, None, &noise(3))
            }
        }
    }

    /// A server that accepts all ways.
    pub(crate) fn server() -> ServerTransport {
        let secrets = vec![Secret::Plain([1; 16]), target().0];
        ServerTransport::new(Arc::new(ServerConfig { secrets, ..ServerConfig::default() }))
    }

    pub(crate) fn framing(self) -> Framing {
        self.client().kind().framing
    }
}

/// Noise that differs for each `n`; its padding is `n % 16` bytes.
pub(crate) fn noise(n: usize) -> Noise {
    Noise(std::array::from_fn(|i| (n * 17 + i * 31) as u8))
}

/// An envelope of `len` bytes: from 20 on an unencrypted one, because padding is told by its length.
pub(crate) fn payload(len: usize) -> Vec<u8> {
    let mut payload: Vec<u8> = (0..len).map(|i| (i * 7 + i / 256) as u8).collect();
    if let Some(rest) = len.checked_sub(20) {
        payload[..8].fill(0);
        payload[16..20].copy_from_slice(&(rest as u32).to_le_bytes());
    }
    payload
}

/// Everything a client reads from `stream`.
pub(crate) fn events(client: &mut ClientTransport, stream: &[u8]) -> Result<Vec<Incoming>, Error> {
    let (mut events, mut input) = (Vec::new(), BytesMut::from(stream));
    while let Some(event) = client.next_event(&mut input)? {
        events.push(event);
    }
    Ok(events)
}
