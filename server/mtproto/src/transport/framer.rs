//! What the framings have in common: cutting a clear stream into packets, and putting headers around payloads.

use bytes::{Buf, BufMut, BytesMut};
use crypto::Side;

use super::padded::{self, Body};
use super::{Error, Framing, Noise, Packet, abridged, full, intermediate};
use crate::limits::PACKET_LEN_MAX;

/// Longest header of a framing, in bytes: that of full.
pub(super) const HEADER_LEN_MAX: usize = 8;

/// What the front of a stream announces.
pub(super) enum Parsed {
    /// A packet.
    Head(Head),
    /// A quick ack of `len` bytes, from the server alone.
    QuickAck { token: u32, len: usize },
}

/// The announcement of one packet.
pub(super) struct Head {
    /// Bytes in front of the body.
    pub(super) head_len: usize,
    /// The payload and, in padded intermediate, its padding.
    pub(super) body_len: usize,
    pub(super) quick_ack: bool,
}

/// The bytes in front of a payload.
pub(super) struct Header {
    bytes: [u8; HEADER_LEN_MAX],
    len: usize,
}

impl Header {
    pub(super) fn new(header: &[u8]) -> Self {
        let mut bytes = [0; HEADER_LEN_MAX];
        for (to, from) in bytes.iter_mut().zip(header) {
            *to = *from;
        }
        Self { bytes, len: header.len() }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }
}

/// One thing taken off a stream.
pub(super) enum Unit {
    Packet(Packet),
    /// From the server alone.
    QuickAck(u32),
}

/// One connection's framing, both directions.
pub(super) struct Framer {
    framing: Framing,
    /// Who sends what we read.
    from: Side,
    /// Packets so far; only full counts them.
    received_count: u32,
    sent_count: u32,
    /// How many bytes the packet at the front of the stream lacks, as far as it was announced.
    missing: usize,
}

impl Framer {
    /// A framing whose incoming half is sent by `from`.
    pub(super) const fn new(framing: Framing, from: Side) -> Self {
        Self { framing, from, received_count: 0, sent_count: 0, missing: 0 }
    }

    pub(super) const fn framing(&self) -> Framing {
        self.framing
    }

    /// How many more bytes complete the packet at the front of the stream; 0 if that is not known yet.
    pub(super) const fn missing(&self) -> usize {
        self.missing
    }

    /// Takes the next unit off the front of `input`; `None` while it is incomplete.
    pub(super) fn next_unit(&mut self, input: &mut BytesMut) -> Result<Option<Unit>, Error> {
        self.missing = 0;
        let parsed = match self.framing {
            Framing::Abridged => abridged::parse(input, self.from),
            Framing::Intermediate => intermediate::parse(input, self.from),
            // In this framing a quick ack from the server has a length like everything else.
            Framing::Padded => intermediate::parse(input, Side::Client),
            Framing::Full => full::parse(input),
        };
        match parsed {
            None => Ok(None),
            Some(Parsed::QuickAck { token, len }) => {
                input.advance(len);
                Ok(Some(Unit::QuickAck(token)))
            }
            Some(Parsed::Head(head)) => self.next_packet(head, input),
        }
    }

    fn next_packet(&mut self, head: Head, input: &mut BytesMut) -> Result<Option<Unit>, Error> {
        let Head { head_len, body_len, quick_ack } = head;
        self.check_len(body_len)?;
        let trailer_len = if self.framing == Framing::Full { full::TRAILER_LEN } else { 0 };
        let frame_len = head_len + body_len + trailer_len;
        let Some(frame) = input.get(..frame_len) else {
            self.missing = frame_len - input.len();
            return Ok(None);
        };
        if self.framing == Framing::Full {
            full::verify(frame, self.received_count)?;
            self.received_count = self.received_count.wrapping_add(1);
        }
        input.advance(head_len);
        let mut payload = input.split_to(body_len);
        input.advance(trailer_len);
        if self.framing == Framing::Padded {
            match padded::parse(&payload, self.from)? {
                Body::Payload(len) => payload.truncate(len),
                Body::QuickAck(token) => return Ok(Some(Unit::QuickAck(token))),
            }
        }
        Ok(Some(Unit::Packet(Packet { payload, quick_ack })))
    }

    /// Refuses a length before anything waits for that many bytes.
    fn check_len(&self, len: usize) -> Result<(), Error> {
        let (aligned, max) = match self.framing {
            Framing::Padded => (true, PACKET_LEN_MAX + padded::PADDING_LEN_MAX),
            _ => (len.is_multiple_of(4), PACKET_LEN_MAX),
        };
        if len < 4 || len > max || !aligned { Err(Error::BadLength { len }) } else { Ok(()) }
    }

    /// What the frame of a payload of `len` bytes adds: bytes before it and behind it.
    pub(super) fn overhead(&self, len: usize, noise: &Noise) -> (usize, usize) {
        match self.framing {
            Framing::Abridged => (if len / 4 < 0x7f { 1 } else { 4 }, 0),
            Framing::Intermediate => (4, 0),
            Framing::Padded => (4, padded::padding(noise).len()),
            Framing::Full => (8, full::TRAILER_LEN),
        }
    }

    /// Makes a frame of the payload that starts at `payload_at` and ends `buf`; the header goes in front, over what is
    /// there. Returns where the frame starts.
    pub(super) fn frame(
        &mut self,
        buf: &mut BytesMut,
        payload_at: usize,
        quick_ack: bool,
        noise: &Noise,
    ) -> usize {
        let len = buf.len().saturating_sub(payload_at);
        debug_assert!(len.is_multiple_of(4) && (4..=PACKET_LEN_MAX).contains(&len), "{len} bytes");
        let padding = match self.framing {
            Framing::Padded => padded::padding(noise),
            _ => &[],
        };
        let header = match self.framing {
            Framing::Abridged => abridged::header(len, quick_ack),
            Framing::Intermediate | Framing::Padded => {
                intermediate::header(len + padding.len(), quick_ack)
            }
            Framing::Full => full::header(len, self.sent_count),
        };
        let frame_at = put_before(buf, payload_at, header.as_bytes());
        buf.put_slice(padding);
        if self.framing == Framing::Full {
            let crc = full::trailer(buf.get(frame_at..).unwrap_or_default());
            buf.put_slice(&crc);
            self.sent_count = self.sent_count.wrapping_add(1);
        }
        frame_at
    }

    /// The whole frame of a quick ack; `None` where there is no such thing.
    pub(super) fn quick_ack(&self, token: u32, noise: &Noise) -> Option<Vec<u8>> {
        let token = token | intermediate::QUICK_ACK_BIT;
        match self.framing {
            Framing::Abridged => Some(token.to_be_bytes().to_vec()),
            Framing::Intermediate => Some(token.to_le_bytes().to_vec()),
            Framing::Padded => {
                let body: [&[u8]; 3] = [
                    &padded::QUICK_ACK_MARK,
                    &token.to_le_bytes(),
                    padded::quick_ack_padding(noise),
                ];
                let header = intermediate::header(body.iter().map(|part| part.len()).sum(), false);
                Some([header.as_bytes(), &body.concat()].concat())
            }
            Framing::Full => None,
        }
    }
}

/// Copies `bytes` so that they end at `at`, and returns where they start.
///
/// # Panics
///
/// When there is no room: the caller has computed `at` from the same lengths.
pub(super) fn put_before(buf: &mut [u8], at: usize, bytes: &[u8]) -> usize {
    let start = at.checked_sub(bytes.len()).expect("the caller left room for every header");
    let room = buf.get_mut(start..at).expect("`at` lies within the buffer");
    room.copy_from_slice(bytes);
    start
}
