//! WebSocket frames: any number of messages, cut anywhere, are one stream of bytes.
//!
//! ```text
//! | fin·1 rsv·3 opcode·4 (1) | mask·1 len·7 (1) | len (2 or 8, if 126 or 127) | mask (4) | payload |
//! ```
//!
//! Big-endian. Clients mask, servers do not. Payloads are passed on as they arrive, so that neither a frame nor a
//! message has to be kept; what is kept is one control frame (up to 125 bytes). Each packet is sent as one binary frame.
//!
//! Source: RFC 6455, section 5.

use bytes::{Buf, BufMut, BytesMut};
use crypto::Side;

use super::framer::put_before;
use super::{Error, Noise};
use crate::limits::WEBSOCKET_FRAME_LEN_MAX;

/// Longest header: that of a client's frame.
pub(super) const HEADER_LEN_MAX: usize = 14;

/// Most a ping, pong or close may carry.
const CONTROL_LEN_MAX: usize = 125;

/// What the four bits of an opcode mean.
mod opcode {
    pub(super) const CONTINUATION: u8 = 0;
    pub(super) const BINARY: u8 = 2;
    pub(super) const CLOSE: u8 = 8;
    pub(super) const PING: u8 = 9;
    pub(super) const PONG: u8 = 10;
}

/// The status of every close frame sent: a normal one.
const CLOSE_NORMAL: [u8; 2] = 1000_u16.to_be_bytes();

/// How a peer broke the rules of WebSockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A client's frame without a mask, or a server's with one.
    #[error("wrong masking")]
    Masking,
    /// An extension that was never agreed on.
    #[error("reserved bits")]
    Reserved,
    /// Text, or an opcode without meaning.
    #[error("opcode {opcode}")]
    Opcode {
        /// As sent.
        opcode: u8,
    },
    /// A control frame that is fragmented or longer than 125 bytes.
    #[error("fragmented or long control frame")]
    Control,
    /// A continuation of nothing, or a message within a message.
    #[error("fragments out of order")]
    Fragment,
    /// A length beyond [`WEBSOCKET_FRAME_LEN_MAX`], or not in its shortest form.
    #[error("bad length")]
    Length,
}

/// One WebSocket, both directions.
pub(super) struct WebSocket {
    /// Who we are.
    side: Side,
    /// The data frame whose payload is arriving.
    frame: Option<DataFrame>,
    /// A message was begun and its last fragment has not been seen.
    fragmented: bool,
    /// Payloads not yet read as packets.
    pub(super) stream: BytesMut,
}

struct DataFrame {
    left: usize,
    mask: [u8; 4],
}

impl WebSocket {
    pub(super) fn new(side: Side) -> Self {
        Self { side, frame: None, fragmented: false, stream: BytesMut::new() }
    }

    /// Moves one frame, or the part of it that is there, from `input` to `stream`; false when `input` has too little.
    ///
    /// What has to be answered is written to `output`. On any error that includes the close frame.
    pub(super) fn pull(
        &mut self,
        input: &mut BytesMut,
        output: &mut BytesMut,
    ) -> Result<bool, Error> {
        let pulled = match &mut self.frame {
            Some(frame) => {
                let mut payload = input.split_to(frame.left.min(input.len()));
                unmask(&mut payload, &mut frame.mask);
                frame.left -= payload.len();
                if frame.left == 0 {
                    self.frame = None;
                }
                let progress = !payload.is_empty();
                if self.stream.is_empty() {
                    self.stream = payload;
                } else {
                    self.stream.extend_from_slice(&payload);
                }
                Ok(progress)
            }
            None => self.pull_header(input, output),
        };
        if pulled.is_err() {
            self.write_control(opcode::CLOSE, &CLOSE_NORMAL, &Noise::default(), output);
        }
        pulled
    }

    fn pull_header(&mut self, input: &mut BytesMut, output: &mut BytesMut) -> Result<bool, Error> {
        let Some(header) = Header::parse(input, self.side)? else { return Ok(false) };
        match header.opcode {
            opcode::BINARY | opcode::CONTINUATION => {
                if self.fragmented != (header.opcode == opcode::CONTINUATION) {
                    return Err(Violation::Fragment.into());
                }
                self.fragmented = !header.fin;
                input.advance(header.header_len);
                if header.len > 0 {
                    self.frame = Some(DataFrame { left: header.len, mask: header.mask });
                }
            }
            opcode => {
                if input.len() < header.header_len + header.len {
                    return Ok(false);
                }
                input.advance(header.header_len);
                let mut payload = input.split_to(header.len);
                let mut mask = header.mask;
                unmask(&mut payload, &mut mask);
                match opcode {
                    opcode::CLOSE => return Err(Error::Closed),
                    // Masked with zeros by a client: the mask protects proxies from scripts, and this is no script.
                    opcode::PING => {
                        self.write_control(opcode::PONG, &payload, &Noise::default(), output);
                    }
                    _ => {}
                }
            }
        }
        Ok(true)
    }

    /// The length of the header of a frame that carries `len` bytes.
    pub(super) const fn header_len(&self, len: usize) -> usize {
        let mask_len = match self.side {
            Side::Client => 4,
            Side::Server => 0,
        };
        mask_len
            + match len {
                0..126 => 2,
                126..=0xffff => 4,
                _ => 10,
            }
    }

    /// Puts the header in front of the payload that starts at `payload_at` and ends `buf`, and masks it if we are the
    /// client. Returns where the frame starts.
    pub(super) fn frame(&self, buf: &mut [u8], payload_at: usize, noise: &Noise) -> usize {
        let len = buf.len().saturating_sub(payload_at);
        let (mut mask, mut at, mask_bit) = match self.side {
            Side::Client => {
                let (_, mask) = noise.0.split_last_chunk::<4>().unwrap_or((&[], &[0; 4]));
                (*mask, put_before(buf, payload_at, mask), 0x80)
            }
            Side::Server => ([0; 4], payload_at, 0),
        };
        let [.., c, d] = (len as u64).to_be_bytes();
        let len_byte = match len {
            0..126 => d,
            126..=0xffff => {
                at = put_before(buf, at, &[c, d]);
                126
            }
            _ => {
                at = put_before(buf, at, &(len as u64).to_be_bytes());
                127
            }
        };
        if mask_bit != 0 {
            unmask(buf.get_mut(payload_at..).unwrap_or_default(), &mut mask);
        }
        put_before(buf, at, &[0x80 | opcode::BINARY, mask_bit | len_byte])
    }

    /// Writes a close frame.
    pub(super) fn write_close(&self, out: &mut BytesMut) {
        self.write_control(opcode::CLOSE, &CLOSE_NORMAL, &Noise::default(), out);
    }

    /// Writes a control frame of at most 125 bytes.
    fn write_control(&self, opcode: u8, payload: &[u8], noise: &Noise, out: &mut BytesMut) {
        let payload_at = out.len() + self.header_len(payload.len());
        out.put_bytes(0, self.header_len(payload.len()));
        out.put_slice(payload);
        let at = self.frame(out, payload_at, noise);
        if let Some(first) = out.get_mut(at) {
            *first = 0x80 | opcode;
        }
    }
}

/// The fields of a frame header.
struct Header {
    fin: bool,
    opcode: u8,
    mask: [u8; 4],
    header_len: usize,
    len: usize,
}

impl Header {
    /// Reads and checks a header sent to `side`; `None` while it is incomplete.
    fn parse(input: &[u8], side: Side) -> Result<Option<Self>, Violation> {
        let Some((&[first, second], rest)) = input.split_first_chunk::<2>() else {
            return Ok(None);
        };
        let (fin, opcode) = (first & 0x80 != 0, first & 0x0f);
        if first & 0x70 != 0 {
            return Err(Violation::Reserved);
        }
        let masked = second & 0x80 != 0;
        if masked != matches!(side, Side::Server) {
            return Err(Violation::Masking);
        }
        let short = usize::from(second & 0x7f);
        match opcode {
            opcode::CONTINUATION | opcode::BINARY => {}
            opcode::CLOSE | opcode::PING | opcode::PONG if fin && short <= CONTROL_LEN_MAX => {}
            opcode::CLOSE | opcode::PING | opcode::PONG => return Err(Violation::Control),
            opcode => return Err(Violation::Opcode { opcode }),
        }
        let Some((len, rest)) = Self::parse_len(short, rest)? else { return Ok(None) };
        let (mask, rest) = match rest.split_first_chunk::<4>() {
            Some((mask, rest)) if masked => (*mask, rest),
            None if masked => return Ok(None),
            _ => ([0; 4], rest),
        };
        Ok(Some(Self { fin, opcode, mask, header_len: input.len() - rest.len(), len }))
    }

    fn parse_len(short: usize, rest: &[u8]) -> Result<Option<(usize, &[u8])>, Violation> {
        let (len, rest) = match short {
            126 => {
                let Some((bytes, rest)) = rest.split_first_chunk::<2>() else { return Ok(None) };
                let len = usize::from(u16::from_be_bytes(*bytes));
                (Some(len).filter(|len| *len >= 126), rest)
            }
            127 => {
                let Some((bytes, rest)) = rest.split_first_chunk::<8>() else { return Ok(None) };
                let len = usize::try_from(u64::from_be_bytes(*bytes)).ok();
                (len.filter(|len| *len > 0xffff), rest)
            }
            len => (Some(len), rest),
        };
        match len {
            Some(len) if len <= WEBSOCKET_FRAME_LEN_MAX => Ok(Some((len, rest))),
            _ => Err(Violation::Length),
        }
    }
}

/// Applies `mask` to `payload` and turns it to where the next byte continues.
fn unmask(payload: &mut [u8], mask: &mut [u8; 4]) {
    if *mask == [0; 4] {
        return;
    }
    let (chunks, rest) = payload.as_chunks_mut::<4>();
    for chunk in chunks {
        *chunk = (u32::from_ne_bytes(*chunk) ^ u32::from_ne_bytes(*mask)).to_ne_bytes();
    }
    for (byte, mask) in rest.iter_mut().zip(*mask) {
        *byte ^= mask;
    }
    mask.rotate_left(rest.len());
}
