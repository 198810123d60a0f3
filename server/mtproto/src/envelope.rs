//! What surrounds messages: the outermost layout of a packet, with or without encryption.
//!
//! ```text
//! unencrypted | 0 (8) | msg_id (8) | length (4) | body |
//! encrypted   | auth_key_id (8) | msg_key (16) | ciphertext, a multiple of 16 |
//! ciphertext  | salt (8) | session_id (8) | msg_id (8) | seq_no (4) | length (4) | body | padding 12..=1024 |
//! ```
//!
//! Sizes in brackets are bytes; all numbers are little-endian. Packets are opened and sealed in place. Nothing here knows
//! which salts or identifiers are right: see [`crate::session`].
//!
//! Source: <https://core.telegram.org/mtproto/description>.

use bytes::{Buf as _, BytesMut};
use crypto::{AuthKey, AuthKeyId, Side, envelope as sealed};
use tl::Cursor;

use crate::buffer::Buffer;
use crate::limits::{ENVELOPE_HEADER_LEN, MESSAGE_HEADER_LEN, PADDING_LEN_MAX, PADDING_LEN_MIN};
use crate::msg_id::{MsgId, MsgIds, Origin};
use crate::time::UnixTime;

/// Why a packet is none of ours. The peer is at fault: answer -404, or close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The packet or its message ends before its header does.
    #[error("packet of {len} bytes ends inside its header")]
    Truncated {
        /// Bytes of the packet.
        len: usize,
    },
    /// The `auth_key_id` is (not) zero although it should (not) be.
    #[error("the packet is of the other kind")]
    OtherKind,
    /// The ciphertext is empty or no multiple of 16 bytes.
    #[error("ciphertext of {len} bytes")]
    BadCiphertextLength {
        /// Bytes of the ciphertext.
        len: usize,
    },
    /// It was encrypted with another key, or altered.
    #[error("msg_key does not fit")]
    WrongMsgKey,
    /// `length` is negative, no multiple of 4, or leaves a padding outside 12..=1024.
    #[error("message of {length} bytes in {room}")]
    BadMessageLength {
        /// What the message claims.
        length: i32,
        /// What follows its header.
        room: usize,
    },
}

/// The two kinds of packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A step of the handshake, without encryption.
    Unencrypted,
    /// A message of a session, under this key.
    Encrypted(AuthKeyId),
}

/// Looks at the first eight bytes of a packet.
///
/// # Errors
///
/// [`Error::Truncated`].
pub fn peek(packet: &[u8]) -> Result<Kind, Error> {
    let first = packet.first_chunk().ok_or(Error::Truncated { len: packet.len() })?;
    Ok(match AuthKeyId::from_le_bytes(*first) {
        AuthKeyId(0) => Kind::Unencrypted,
        id => Kind::Encrypted(id),
    })
}

// ===== Without encryption =====

/// An unencrypted message.
#[derive(Debug, PartialEq, Eq)]
pub struct Plain {
    /// Its identifier. The time in it means nothing: the peer may not know the time yet.
    pub msg_id: MsgId,
    /// One TL object, perhaps followed by bytes without meaning.
    pub body: BytesMut,
}

/// Opens an unencrypted packet. What follows the announced length (padding of the transport) is cut.
///
/// # Errors
///
/// [`Error::Truncated`], [`Error::OtherKind`], [`Error::BadMessageLength`].
pub fn open_plain(mut packet: BytesMut) -> Result<Plain, Error> {
    if peek(&packet)? != Kind::Unencrypted {
        return Err(Error::OtherKind);
    }
    let mut header = Cursor::new(&packet);
    let truncated = |_| Error::Truncated { len: packet.len() };
    header.i64().map_err(truncated)?;
    let msg_id = MsgId(header.i64().map_err(truncated)?);
    let length = header.i32().map_err(truncated)?;
    let room = header.remaining();
    let len = usize::try_from(length)
        .ok()
        .filter(|len| *len <= room)
        .ok_or(Error::BadMessageLength { length, room })?;
    packet.advance(PLAIN_HEADER_LEN);
    packet.truncate(len);
    Ok(Plain { msg_id, body: packet })
}

/// Wraps an unencrypted message into a packet.
#[must_use]
pub fn seal_plain(msg_id: MsgId, mut body: Buffer) -> Buffer {
    let mut header = [0; PLAIN_HEADER_LEN];
    let [.., a, b, c, d] = &mut header;
    [*a, *b, *c, *d] = length_bytes(body.len());
    if let Some(bytes) = header.get_mut(8..16) {
        bytes.copy_from_slice(&msg_id.0.to_le_bytes());
    }
    body.prepend(&header);
    body
}

/// Identifiers for a connection's unencrypted answers.
#[derive(Debug, Default)]
pub struct PlainIds(MsgIds);

impl PlainIds {
    /// The next one.
    pub fn next(&mut self, now: UnixTime) -> MsgId {
        self.0.next(now, Origin::Answer)
    }
}

// ===== With encryption =====

/// A decrypted message.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// The server's salt, as the peer has it.
    pub salt: i64,
    /// The session that it belongs to.
    pub session_id: i64,
    /// Its identifier.
    pub msg_id: MsgId,
    /// Its number within the session.
    pub seq_no: i32,
    /// One TL object.
    pub body: BytesMut,
}

/// A message and the token that acknowledges its packet.
#[derive(Debug, PartialEq, Eq)]
pub struct Opened {
    /// The message.
    pub message: Message,
    /// What the transport sends back if the packet asked for a quick ack.
    pub quick_ack: u32,
}

/// Decrypts a packet in place.
///
/// The comparison of `msg_key` takes constant time. Up to 15 bytes that a padding transport left behind the ciphertext
/// are cut off.
///
/// # Errors
///
/// Any [`Error`]; the packet is gone.
pub fn open(key: &AuthKey, from: Side, mut packet: BytesMut) -> Result<Opened, Error> {
    trim(&mut packet)?;
    let quick_ack = sealed::open(key, from, &mut packet).map_err(Error::from)?;
    let message = read_message(packet)?;
    Ok(Opened { message, quick_ack })
}

/// One of the packets of [`open_many`].
#[derive(Debug)]
pub struct OpenJob<'k> {
    /// The key that `auth_key_id` named.
    pub key: &'k AuthKey,
    /// The packet.
    pub packet: BytesMut,
}

/// Decrypts several packets at once, which is faster than one after the other. Answers in the same order.
#[must_use]
pub fn open_many(from: Side, mut jobs: Vec<OpenJob<'_>>) -> Vec<Result<Opened, Error>> {
    let trimmed: Vec<_> = jobs.iter_mut().map(|job| trim(&mut job.packet)).collect();
    let mut sealed: Vec<_> =
        jobs.iter_mut().map(|job| sealed::Job::new(job.key, from, &mut job.packet)).collect();
    sealed::open_many(&mut sealed);
    let results: Vec<_> = sealed.into_iter().map(|job| job.result).collect();
    jobs.into_iter()
        .zip(trimmed.into_iter().zip(results))
        .map(|(job, (trimmed, result))| {
            trimmed?;
            let quick_ack = result.map_err(Error::from)?;
            Ok(Opened { message: read_message(job.packet)?, quick_ack })
        })
        .collect()
}

/// Random bytes that [`seal`] wants: as many as a message may need for its padding.
pub const PADDING_RANDOM_LEN: usize = 28;

/// Pads and encrypts a message in place, and writes the envelope's header before it.
///
/// `packet` holds the plaintext from the salt to the end of the body, as the sessions' `poll_transmit` gives it.
///
/// # Errors
///
/// [`Error::BadCiphertextLength`] only, which a message of a session cannot cause.
pub fn seal(
    key: &AuthKey,
    from: Side,
    packet: &mut Buffer,
    random: &[u8; PADDING_RANDOM_LEN],
) -> Result<(), Error> {
    pad(packet, random);
    sealed::seal(key, from, packet.as_mut_slice()).map_err(Error::from)?;
    Ok(())
}

/// One of the packets of [`seal_many`].
#[derive(Debug)]
pub struct SealJob<'a> {
    /// The key to encrypt with.
    pub key: &'a AuthKey,
    /// As for [`seal`].
    pub packet: &'a mut Buffer,
    /// As for [`seal`].
    pub random: [u8; PADDING_RANDOM_LEN],
}

/// Pads and encrypts several messages at once, which is faster than one after the other.
///
/// # Errors
///
/// As for [`seal`].
pub fn seal_many(from: Side, jobs: &mut [SealJob<'_>]) -> Result<(), Error> {
    for job in &mut *jobs {
        pad(job.packet, &job.random);
    }
    let mut sealed: Vec<_> = jobs
        .iter_mut()
        .map(|job| sealed::Job::new(job.key, from, job.packet.as_mut_slice()))
        .collect();
    sealed::seal_many(&mut sealed);
    sealed.into_iter().try_for_each(|job| job.result.map(drop).map_err(Error::from))
}

/// Writes a message's header before its body: the plaintext that [`seal`] takes.
pub(crate) fn write_header(
    body: &mut Buffer,
    salt: i64,
    session_id: i64,
    msg_id: MsgId,
    seq_no: i32,
) {
    let mut header = [0; MESSAGE_HEADER_LEN];
    let parts = salt
        .to_le_bytes()
        .into_iter()
        .chain(session_id.to_le_bytes())
        .chain(msg_id.0.to_le_bytes())
        .chain(seq_no.to_le_bytes())
        .chain(length_bytes(body.len()));
    for (to, from) in header.iter_mut().zip(parts) {
        *to = from;
    }
    body.prepend(&header);
}

impl From<sealed::Error> for Error {
    fn from(error: sealed::Error) -> Self {
        match error {
            sealed::Error::BadLength { len } => Self::BadCiphertextLength { len },
            sealed::Error::WrongKey | sealed::Error::WrongMsgKey => Self::WrongMsgKey,
        }
    }
}

/// Cuts what is no part of the ciphertext.
fn trim(packet: &mut BytesMut) -> Result<(), Error> {
    let truncated = Error::Truncated { len: packet.len() };
    let ciphertext_len = packet.len().checked_sub(ENVELOPE_HEADER_LEN).ok_or(truncated)?;
    let excess = ciphertext_len % 16;
    if ciphertext_len < 16 {
        return Err(Error::BadCiphertextLength { len: ciphertext_len });
    }
    packet.truncate(packet.len().saturating_sub(excess));
    Ok(())
}

/// Splits a decrypted packet.
fn read_message(mut packet: BytesMut) -> Result<Message, Error> {
    let truncated = |_| Error::Truncated { len: packet.len() };
    let mut header = Cursor::new(packet.get(ENVELOPE_HEADER_LEN..).unwrap_or_default());
    let salt = header.i64().map_err(truncated)?;
    let session_id = header.i64().map_err(truncated)?;
    let msg_id = MsgId(header.i64().map_err(truncated)?);
    let seq_no = header.i32().map_err(truncated)?;
    let length = header.i32().map_err(truncated)?;
    let room = header.remaining();
    let len = usize::try_from(length)
        .ok()
        .filter(|len| len.is_multiple_of(4))
        .filter(|len| {
            room.checked_sub(*len)
                .is_some_and(|padding| (PADDING_LEN_MIN..=PADDING_LEN_MAX).contains(&padding))
        })
        .ok_or(Error::BadMessageLength { length, room })?;
    packet.advance(ENVELOPE_HEADER_LEN.saturating_add(MESSAGE_HEADER_LEN));
    packet.truncate(len);
    Ok(Message { salt, session_id, msg_id, seq_no, body: packet })
}

/// Appends 12 to 27 random bytes and puts the free room of the header in front.
fn pad(packet: &mut Buffer, random: &[u8; PADDING_RANDOM_LEN]) {
    let unpadded = packet.len().saturating_add(PADDING_LEN_MIN);
    let padding_len = PADDING_LEN_MIN.saturating_add(unpadded.wrapping_neg() % 16);
    packet.tail().extend_from_slice(random.get(..padding_len).unwrap_or_default());
    packet.prepend(&[0; ENVELOPE_HEADER_LEN]);
}

/// A length as the wire has it. Packets are far below 2^31 bytes.
fn length_bytes(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_le_bytes()
}

const PLAIN_HEADER_LEN: usize = 20;
