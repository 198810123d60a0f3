//! The layers of one connection once they are known: WebSocket, cipher, framing.
//!
//! The same for both ends. Incoming bytes pass through the layers as they stand here, outgoing ones the other way round.

use bytes::{BufMut, BytesMut};
use crypto::Side;

use super::framer::{Framer, Unit};
use super::obfuscated::Cipher;
use super::websocket::WebSocket;
use super::{Error, Framing, HEADROOM, Kind, Noise};

/// One connection's layers.
pub(super) struct Link {
    websocket: Option<WebSocket>,
    cipher: Option<Cipher>,
    framer: Framer,
}

impl Link {
    /// A link whose incoming half is sent by `from`.
    pub(super) const fn new(
        websocket: Option<WebSocket>,
        cipher: Option<Cipher>,
        framing: Framing,
        from: Side,
    ) -> Self {
        Self { websocket, cipher, framer: Framer::new(framing, from) }
    }

    pub(super) const fn kind(&self) -> Kind {
        Kind {
            framing: self.framer.framing(),
            obfuscated: self.cipher.is_some(),
            websocket: self.websocket.is_some(),
        }
    }

    /// How many more bytes complete the packet at the front of the stream; 0 if that is not known, as in a WebSocket,
    /// which cuts packets as it likes.
    pub(super) fn missing(&self) -> usize {
        if self.websocket.is_some() { 0 } else { self.framer.missing() }
    }

    /// Takes the next unit off `input`; what a WebSocket has to answer goes to `output`.
    pub(super) fn next_unit(
        &mut self,
        input: &mut BytesMut,
        output: &mut BytesMut,
    ) -> Result<Option<Unit>, Error> {
        let Some(websocket) = &mut self.websocket else {
            return next_unit(&mut self.cipher, &mut self.framer, input);
        };
        // Frame by frame, so that a bad frame cannot hide the packets before it.
        loop {
            if let Some(unit) =
                next_unit(&mut self.cipher, &mut self.framer, &mut websocket.stream)?
            {
                return Ok(Some(unit));
            }
            if !websocket.pull(input, output)? {
                return Ok(None);
            }
        }
    }

    /// Appends a packet to `out`.
    pub(super) fn encode(
        &mut self,
        payload: &[u8],
        quick_ack: bool,
        noise: &Noise,
        out: &mut BytesMut,
    ) {
        let (before, behind) = self.framer.overhead(payload.len(), noise);
        let frame_len = before + payload.len() + behind;
        let head_len = before + self.websocket_header_len(frame_len);
        out.reserve(head_len + payload.len() + behind);
        let payload_at = out.len() + head_len;
        out.put_bytes(0, head_len);
        out.put_slice(payload);
        let frame_at = self.framer.frame(out, payload_at, quick_ack, noise);
        self.carry(out, frame_at, noise);
    }

    /// Makes a packet of `HEADROOM` bytes and a payload, in place; returns where it starts.
    pub(super) fn encode_in_place(&mut self, packet: &mut BytesMut, noise: &Noise) -> usize {
        let frame_at = self.framer.frame(packet, HEADROOM, false, noise);
        self.carry(packet, frame_at, noise)
    }

    /// Appends a quick ack to `out`, where the framing has such a thing.
    pub(super) fn encode_quick_ack(&mut self, token: u32, noise: &Noise, out: &mut BytesMut) {
        let Some(frame) = self.framer.quick_ack(token, noise) else { return };
        let frame_at = out.len() + self.websocket_header_len(frame.len());
        out.put_bytes(0, frame_at - out.len());
        out.put_slice(&frame);
        self.carry(out, frame_at, noise);
    }

    /// Appends what closes the connection in an orderly way: nothing but in a WebSocket.
    pub(super) fn encode_close(&self, out: &mut BytesMut) {
        if let Some(websocket) = &self.websocket {
            websocket.write_close(out);
        }
    }

    fn websocket_header_len(&self, frame_len: usize) -> usize {
        self.websocket.as_ref().map_or(0, |websocket| websocket.header_len(frame_len))
    }

    /// Encrypts the frame at the end of `buf`, and puts the WebSocket's header in front of it.
    fn carry(&mut self, buf: &mut BytesMut, frame_at: usize, noise: &Noise) -> usize {
        if let Some(cipher) = &mut self.cipher {
            cipher.seal(buf.get_mut(frame_at..).unwrap_or_default());
        }
        match &self.websocket {
            Some(websocket) => websocket.frame(buf, frame_at, noise),
            None => frame_at,
        }
    }
}

fn next_unit(
    cipher: &mut Option<Cipher>,
    framer: &mut Framer,
    stream: &mut BytesMut,
) -> Result<Option<Unit>, Error> {
    let Some(cipher) = cipher else { return framer.next_unit(stream) };
    cipher.open(stream);
    let unit = framer.next_unit(stream);
    cipher.taken(stream.len());
    unit
}
