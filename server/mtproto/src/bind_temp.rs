//! `auth.bindTempAuthKey`: the proof that a temporary key belongs to a permanent one.
//!
//! ```text
//! encrypted_message | perm_auth_key_id (8) | msg_key (16) | IGE of: message (72), padding (8) |
//! message           | random (16) | msg_id (8) | seq_no = 0 (4) | length = 40 (4) | bind_auth_key_inner (40) |
//! ```
//!
//! The proof is encrypted with the permanent key after MTProto 1.0, the only place where that is still in use.
//!
//! Source: <https://core.telegram.org/method/auth.bindTempAuthKey>.

use crypto::{AuthKey, AuthKeyId, Side, envelope};
use tl::mtproto::types::BindAuthKeyInner;
use tl::{Cursor, Decode as _, Encode as _, Layer};

use crate::limits::BIND_EXPIRES_AT_SLACK_S;
use crate::msg_id::MsgId;
use crate::time::UnixTime;

/// The request and where it came from.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Identifier of the request's message (inside a container: its own).
    pub msg_id: MsgId,
    /// The session that it came in.
    pub session_id: i64,
    /// The key that it came under.
    pub temp_key_id: AuthKeyId,
    /// When that key ends, in unix seconds.
    pub temp_expires_at: i64,
    /// Field of the request: the permanent key.
    pub perm_auth_key_id: i64,
    /// Field of the request.
    pub nonce: i64,
    /// Field of the request: when the binding ends, in unix seconds.
    pub expires_at: i32,
    /// Field of the request: the proof.
    pub encrypted_message: &'a [u8],
}

/// Why a proof does not hold. The peer is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not encrypted with the permanent key, or is about something else.
    ///
    /// TDLib takes it as "the permanent key is lost" and logs out in the end: never for transient faults.
    #[error("proof is invalid")]
    EncryptedMessageInvalid,
    /// `expires_at` has passed, or is beyond the end of the temporary key.
    #[error("binding would end at {expires_at}")]
    ExpiresAtInvalid {
        /// As requested.
        expires_at: i32,
    },
}

impl Error {
    /// The text of the `rpc_error`, whose code is 400.
    #[must_use]
    pub const fn rpc_message(&self) -> &'static str {
        match self {
            Self::EncryptedMessageInvalid => "ENCRYPTED_MESSAGE_INVALID",
            Self::ExpiresAtInvalid { .. } => "EXPIRES_AT_INVALID",
        }
    }
}

/// Checks a proof against the permanent key that it names.
///
/// # Errors
///
/// See [`Error`].
pub fn verify(now: UnixTime, request: &Request<'_>, perm_key: &AuthKey) -> Result<(), Error> {
    let Request { expires_at, perm_auth_key_id, .. } = *request;
    let mut packet = request.encrypted_message.to_vec();
    // No client makes a longer one.
    if packet.len() > ENCRYPTED_LEN_MAX {
        return Err(Error::EncryptedMessageInvalid);
    }
    envelope::open_v1(perm_key, Side::Client, &mut packet, data_len)
        .map_err(|_| Error::EncryptedMessageInvalid)?;
    let invalid = |_| Error::EncryptedMessageInvalid;
    let mut input = Cursor::new(packet.get(envelope::HEADER_LEN..).unwrap_or_default());
    input.take(RANDOM_LEN).map_err(invalid)?;
    let msg_id = MsgId(input.i64().map_err(invalid)?);
    let _seq_no = input.i32().map_err(invalid)?;
    let _length = input.i32().map_err(invalid)?;
    let inner = BindAuthKeyInner::decode(&mut input).map_err(invalid)?;
    let expected = BindAuthKeyInner::new(
        request.nonce,
        request.temp_key_id.0.cast_signed(),
        perm_key.id().0.cast_signed(),
        request.session_id,
        expires_at,
    );
    if inner != expected
        || msg_id != request.msg_id
        || perm_auth_key_id != expected.perm_auth_key_id
    {
        return Err(Error::EncryptedMessageInvalid);
    }
    let latest = request.temp_expires_at.saturating_add(BIND_EXPIRES_AT_SLACK_S);
    if i64::from(expires_at) <= now.secs() || i64::from(expires_at) > latest {
        return Err(Error::ExpiresAtInvalid { expires_at });
    }
    Ok(())
}

/// Makes a proof: the client's side.
///
/// `random` becomes the first 16 bytes of the message and its 8 of padding. Answers what the request carries as
/// `encrypted_message`; `msg_id` must become the request's.
#[must_use]
pub fn create(
    perm_key: &AuthKey,
    msg_id: MsgId,
    inner: &BindAuthKeyInner,
    random: &[u8; RANDOM_LEN + PADDING_LEN],
) -> Vec<u8> {
    let (front, padding) = random.split_at(RANDOM_LEN);
    let inner = inner.to_vec(Layer::NEWEST);
    let length = u32::try_from(inner.len()).unwrap_or(u32::MAX);
    let mut packet = vec![0; envelope::HEADER_LEN];
    packet.extend_from_slice(front);
    packet.extend_from_slice(&msg_id.0.to_le_bytes());
    packet.extend_from_slice(&0_i32.to_le_bytes());
    packet.extend_from_slice(&length.to_le_bytes());
    packet.extend_from_slice(&inner);
    let data_len = packet.len().saturating_sub(envelope::HEADER_LEN);
    packet.extend_from_slice(padding);
    // 80 bytes: five blocks.
    let sealed = envelope::seal_v1(perm_key, Side::Client, &mut packet, data_len);
    debug_assert_eq!(sealed, Ok(()), "the message is five blocks long");
    packet
}

/// How many decrypted bytes `msg_key` covers: header and body without padding.
fn data_len(plaintext: &[u8]) -> Option<usize> {
    let mut input = Cursor::new(plaintext);
    input.take(HEADER_LEN.checked_sub(4)?).ok()?;
    let length = usize::try_from(input.i32().ok()?).ok()?;
    HEADER_LEN.checked_add(length).filter(|len| *len <= plaintext.len())
}

const RANDOM_LEN: usize = 16;
const PADDING_LEN: usize = 8;
/// Random bytes, `msg_id`, `seq_no`, `length`.
const HEADER_LEN: usize = RANDOM_LEN + 16;
const ENCRYPTED_LEN_MAX: usize = 1024;

const _: () = assert!((HEADER_LEN + 40 + PADDING_LEN).is_multiple_of(16));
