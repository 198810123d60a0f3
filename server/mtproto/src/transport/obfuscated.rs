//! Obfuscated2: a stream that looks random, and begins with 64 bytes that say how to read it.
//!
//! ```text
//! init  | random (8) | key (32) | iv (16) | tag (4) | dc (2) | random (2) |
//!       |<---------- in clear ----------->|<------ encrypted ------------>|
//!
//! client to server   AES-256-CTR with key and iv as above, counting from init's first byte
//! server to client   AES-256-CTR with key and iv of the 64 bytes reversed, counting from the first frame
//! ```
//!
//! With a secret, as MTProxy has them, both keys are `SHA256(key || secret)`. Only then `dc` means anything: many
//! clients leave random bytes there otherwise. `init` never starts like another transport.
//!
//! Source: <https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation>.

use std::fmt;
use std::str::FromStr;

use bytes::BytesMut;
use crypto::aes_ctr::Ctr;
use crypto::sha::sha256;

use super::{Error, ServerConfig, Tag};

/// Length of the bytes that begin an obfuscated stream.
pub(super) const INIT_LEN: usize = 64;

/// Length of the secret proper.
const SECRET_LEN: usize = 16;

/// What a client of an MTProxy has to know.
///
/// Parsed from 32 hex digits, or `dd` and 32 hex digits.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// Any framing.
    Plain([u8; SECRET_LEN]),
    /// Padded intermediate alone (`dd`).
    Padded([u8; SECRET_LEN]),
}

impl Secret {
    const fn bytes(&self) -> &[u8; SECRET_LEN] {
        match self {
            Self::Plain(bytes) | Self::Padded(bytes) => bytes,
        }
    }

    fn allows(&self, tag: Tag) -> bool {
        matches!(self, Self::Plain(_)) || tag == Tag::Padded
    }
}

/// A text that is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret is 32 hex digits, or `dd` and 32 hex digits")]
pub struct BadSecret;

impl FromStr for Secret {
    type Err = BadSecret;

    fn from_str(text: &str) -> Result<Self, BadSecret> {
        let (digits, padded) = match text.len() {
            32 => (text, false),
            34 => (text.strip_prefix("dd").ok_or(BadSecret)?, true),
            _ => return Err(BadSecret),
        };
        let (pairs, _) = digits.as_bytes().as_chunks::<2>();
        let mut bytes = [0; SECRET_LEN];
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            for digit in pair {
                let value = char::from(*digit).to_digit(16).ok_or(BadSecret)?;
                *byte = *byte << 4 | u8::try_from(value).map_err(|_| BadSecret)?;
            }
        }
        Ok(if padded { Self::Padded(bytes) } else { Self::Plain(bytes) })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain(..)",
            Self::Padded(_) => "Padded(..)",
        })
    }
}

/// The part of an init that decides its keys, by which a repeated one is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InitId(pub(super) [u8; 48]);

/// A client's 64 random bytes, known not to look like another transport.
#[derive(Clone)]
pub struct Init([u8; INIT_LEN]);

impl Init {
    /// Accepts `random` unless a server would take it for another transport: then draw again.
    pub fn new(random: [u8; INIT_LEN]) -> Option<Self> {
        let [a, b, c, d, e, f, g, h, ..] = random;
        let taken = matches!(
            &[a, b, c, d],
            [0xef, ..]
                | [0xee, 0xee, 0xee, 0xee]
                | [0xdd, 0xdd, 0xdd, 0xdd]
                | [0x16, 0x03, 0x01, _]
        ) || matches!(&[a, b, c, d], b"GET " | b"POST" | b"HEAD" | b"OPTI");
        (!taken && [e, f, g, h] != [0; 4]).then_some(Self(random))
    }

    /// Writes `tag` and, with a secret, the DC into the init; returns what goes on the wire and the streams after it.
    pub(super) fn start(
        mut self,
        tag: Tag,
        target: Option<&(Secret, i16)>,
    ) -> ([u8; INIT_LEN], Cipher) {
        let dc = target.map(|(_, dc)| dc.to_le_bytes());
        let told = tag.bytes().into_iter().chain(dc.into_iter().flatten());
        for (to, from) in self.0.iter_mut().skip(56).zip(told) {
            *to = from;
        }
        let secret = target.map(|(secret, _)| secret);
        let mut outgoing = keystream(&self.0, secret);
        let mut wire = self.0;
        outgoing.apply(&mut wire);
        for (to, clear) in wire.iter_mut().zip(self.0).take(56) {
            *to = clear;
        }
        let incoming = keystream(&reversed(&self.0), secret);
        (wire, Cipher { incoming, outgoing, clear_len: 0 })
    }
}

/// What a server learns from an init.
pub(super) struct Opened {
    pub(super) tag: Tag,
    /// The DC the client wants; with a secret alone.
    pub(super) dc_id: Option<i16>,
    pub(super) id: InitId,
    pub(super) cipher: Cipher,
}

/// Reads an init with the keys that `config` allows, the one without a secret first.
pub(super) fn open(init: &[u8; INIT_LEN], config: &ServerConfig) -> Result<Opened, Error> {
    let direct = (!config.secrets_only).then_some(None);
    for secret in direct.into_iter().chain(config.secrets.iter().map(Some)) {
        let mut incoming = keystream(init, secret);
        let mut clear = *init;
        incoming.apply(&mut clear);
        let (_, &[a, b, c, d, dc0, dc1, _, _]) =
            clear.split_last_chunk::<8>().ok_or(Error::UnknownTag)?;
        let Some(tag) = Tag::from_bytes([a, b, c, d]) else { continue };
        if !secret.is_none_or(|secret| secret.allows(tag)) {
            continue;
        }
        let mut id = [0; 48];
        for (to, from) in id.iter_mut().zip(init.iter().skip(8)) {
            *to = *from;
        }
        let outgoing = keystream(&reversed(init), secret);
        let cipher = Cipher { incoming, outgoing, clear_len: 0 };
        let dc_id = secret.map(|_| i16::from_le_bytes([dc0, dc1]));
        return Ok(Opened { tag, dc_id, id: InitId(id), cipher });
    }
    Err(Error::UnknownTag)
}

fn reversed(init: &[u8; INIT_LEN]) -> [u8; INIT_LEN] {
    let mut reversed = *init;
    reversed.reverse();
    reversed
}

/// The stream whose key and iv stand in `init`.
fn keystream(init: &[u8; INIT_LEN], secret: Option<&Secret>) -> Ctr {
    let (mut key, mut iv) = ([0; 32], [0; 16]);
    for (to, from) in key.iter_mut().chain(&mut iv).zip(init.iter().skip(8)) {
        *to = *from;
    }
    if let Some(secret) = secret {
        key = sha256(&[&key, secret.bytes()]);
    }
    Ctr::new(&key, &iv)
}

/// The two running streams of a connection.
pub(super) struct Cipher {
    incoming: Ctr,
    outgoing: Ctr,
    /// How much of the input's front is decrypted already.
    clear_len: usize,
}

impl Cipher {
    /// Decrypts, in place, what of `input` has not been decrypted yet.
    pub(super) fn open(&mut self, input: &mut BytesMut) {
        if let Some(fresh) = input.get_mut(self.clear_len..) {
            self.incoming.apply(fresh);
        }
        self.clear_len = input.len();
    }

    /// Notes that the decrypted front of `input` was shortened.
    pub(super) const fn taken(&mut self, left: usize) {
        self.clear_len = left;
    }

    /// Encrypts the next bytes to send, in place.
    pub(super) fn seal(&mut self, frame: &mut [u8]) {
        self.outgoing.apply(frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_parse() {
        #[track_caller]
        fn check(text: &str, expected: Result<Secret, BadSecret>) {
            assert_eq!(text.parse(), expected, "{text}");
        }
        let bytes = [0x0f, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff];
        check("0f0102030405060708090a0b0c0d0eff", Ok(Secret::Plain(bytes)));
        check("dd0F0102030405060708090A0B0C0D0EFF", Ok(Secret::Padded(bytes)));
        check("ee0f0102030405060708090a0b0c0d0eff", Err(BadSecret));
        check("0f0102030405060708090a0b0c0d0ef", Err(BadSecret));
        check("+f0102030405060708090a0b0c0d0eff", Err(BadSecret));
        check("ğğğğğğğğğğğğğğğğ", Err(BadSecret));
        check("", Err(BadSecret));
    }

    #[test]
    fn inits_look_like_nothing_else() {
        #[track_caller]
        fn check(start: &[u8], accepted: bool) {
            let mut random = [7; INIT_LEN];
            for (to, from) in random.iter_mut().zip(start) {
                *to = *from;
            }
            assert_eq!(Init::new(random).is_some(), accepted, "{start:02x?}");
        }
        check(&[], true);
        check(&[0xef], false);
        check(&[0xee; 4], false);
        check(&[0xdd; 4], false);
        check(&[0xdd; 3], true);
        check(&[0x16, 3, 1], false);
        for method in [b"GET ", b"POST", b"HEAD", b"OPTI"] {
            check(method, false);
        }
        check(&[1, 2, 3, 4, 0, 0, 0, 0], false);
    }
}
