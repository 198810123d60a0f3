//! One socket with a transport.

use std::io;
use std::net::SocketAddr;

use bytes::BytesMut;
use mtproto::transport::{
    ClientTransport, Framing, Incoming, Init, Noise, Secret, Tag, WebSocketRequest,
};
use rand_chacha::ChaCha20Rng;
use rand_core::Rng as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::PATIENCE;

/// How a connection begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Framing alone.
    Plain(Framing),
    /// Framing inside obfuscated2.
    Obfuscated(Tag),
    /// Framing inside obfuscated2 inside a WebSocket.
    WebSocket(Tag),
    /// As through an MTProxy: the secret, and the data centre wanted.
    Proxied(Tag, Secret, i16),
}

impl Wire {
    /// Every way without a secret.
    pub(crate) fn all() -> Vec<Self> {
        let framings = [Framing::Abridged, Framing::Intermediate, Framing::Padded, Framing::Full];
        let plain = framings.into_iter().map(Self::Plain);
        let obfuscated = Tag::ALL.into_iter().map(Self::Obfuscated);
        plain.chain(obfuscated).chain(Tag::ALL.into_iter().map(Self::WebSocket)).collect()
    }
}

/// What comes from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// An envelope.
    Packet(BytesMut),
    /// The token of a packet that was accepted.
    QuickAck(u32),
    /// A transport error.
    Error(i32),
    /// The end of the connection.
    Closed,
}

/// A connection.
pub(crate) struct Connection {
    stream: TcpStream,
    transport: ClientTransport,
    input: BytesMut,
    rng: ChaCha20Rng,
}

impl Connection {
    /// Connects.
    pub(crate) async fn open(address: SocketAddr, wire: &Wire, mut rng: ChaCha20Rng) -> Self {
        let init = loop {
            let mut random = [0; 64];
            rng.fill_bytes(&mut random);
            if let Some(init) = Init::new(random) {
                break init;
            }
        };
        let transport = match wire {
            Wire::Plain(framing) => ClientTransport::plain(*framing),
            Wire::Obfuscated(tag) => ClientTransport::obfuscated(*tag, init, None),
            Wire::Proxied(tag, secret, dc) => {
                ClientTransport::obfuscated(*tag, init, Some(&(secret.clone(), *dc)))
            }
            Wire::WebSocket(tag) => {
                let mut key = [0; 16];
                rng.fill_bytes(&mut key);
                let host = address.to_string();
                let request = WebSocketRequest { host: &host, path: "/apiws", key };
                ClientTransport::websocket(&request, *tag, init, None, &noise(&mut rng))
            }
        };
        Self::with(address, transport, rng).await
    }

    /// Connects with a transport made elsewhere.
    pub(crate) async fn with(
        address: SocketAddr,
        transport: ClientTransport,
        rng: ChaCha20Rng,
    ) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server accepts");
        stream.set_nodelay(true).expect("the socket has options");
        Self { stream, transport, input: BytesMut::new(), rng }
    }

    /// Sends one packet.
    pub(crate) async fn send(&mut self, payload: &[u8], quick_ack: bool) {
        let out = self.encode(payload, quick_ack);
        self.send_bytes(&out).await;
    }

    /// The bytes of a packet as they would be sent, for those who send them otherwise.
    pub(crate) fn encode(&mut self, payload: &[u8], quick_ack: bool) -> BytesMut {
        let mut out = BytesMut::new();
        let noise = noise(&mut self.rng);
        self.transport.encode_packet(payload, quick_ack, &noise, &mut out);
        out
    }

    /// Sends bytes past the transport. A server that has closed the connection does not hear them, which is no error.
    pub(crate) async fn send_bytes(&mut self, bytes: &[u8]) {
        let _ = tokio::time::timeout(PATIENCE, self.stream.write_all(bytes))
            .await
            .expect("the server reads");
    }

    /// Sends bytes past the transport; whether the connection took them.
    pub(crate) async fn try_send_bytes(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    /// Ends the sending half.
    pub(crate) async fn finish(&mut self) {
        let _ = self.stream.shutdown().await;
    }

    /// What comes next. Panics if nothing does.
    pub(crate) async fn hear(&mut self) -> Heard {
        tokio::time::timeout(PATIENCE, self.next()).await.expect("the server says something")
    }

    /// What comes next, however long it takes. Nothing is lost if the future is dropped.
    pub(crate) async fn next(&mut self) -> Heard {
        loop {
            let event = self.transport.next_event(&mut self.input);
            if let Some(bytes) = self.transport.poll_output() {
                self.send_bytes(&bytes).await;
            }
            match event {
                Ok(Some(Incoming::Packet(packet))) => return Heard::Packet(packet),
                Ok(Some(Incoming::QuickAck(token))) => return Heard::QuickAck(token),
                Ok(Some(Incoming::Error(code))) => return Heard::Error(code),
                Ok(None) => {}
                // How a WebSocket ends, or an HTTP error.
                Err(_) => return Heard::Closed,
            }
            self.input.reserve(16 * 1024);
            match self.stream.read_buf(&mut self.input).await {
                Ok(0) => return Heard::Closed,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Heard::Closed,
            }
        }
    }

    /// The connection's socket, for those who want to treat it badly.
    pub(crate) const fn stream(&self) -> &TcpStream {
        &self.stream
    }
}

fn noise(rng: &mut ChaCha20Rng) -> Noise {
    let mut noise = Noise::default();
    rng.fill_bytes(&mut noise.0);
    noise
}
