//! Key derivation: which AES key and IV encrypt one message, and how a message's key names its plaintext.
//!
//! ```text
//! 2.0   msg_key_large = SHA256(K[88+x..120+x] | plaintext with padding)     msg_key = msg_key_large[8..24]
//!       a = SHA256(msg_key | K[x..x+36])      b = SHA256(K[40+x..76+x] | msg_key)
//!       key = a[0..8] | b[8..24] | a[24..32]  iv = b[0..8] | a[8..24] | b[24..32]
//!
//! 1.0   msg_key = SHA1(plaintext without padding)[4..20]
//!       a = SHA1(msg_key | K[x..x+32])        b = SHA1(K[x+32..x+48] | msg_key | K[x+48..x+64])
//!       c = SHA1(K[x+64..x+96] | msg_key)     d = SHA1(msg_key | K[x+96..x+128])
//!       key = a[0..8] | b[8..20] | c[4..16]   iv = a[8..20] | b[0..8] | c[16..20] | d[0..8]
//!
//! tmp   a = SHA1(new_nonce | server_nonce)    b = SHA1(server_nonce | new_nonce)    c = SHA1(new_nonce | new_nonce)
//!       key = a | b[0..12]                    iv = b[12..20] | c | new_nonce[0..4]
//! ```
//!
//! `K` is the auth key; `x` is 0 for messages of a client and 8 for those of a server.
//!
//! Source: <https://core.telegram.org/mtproto/description#defining-aes-key-and-initialization-vector>,
//! <https://core.telegram.org/mtproto/description_v1>, <https://core.telegram.org/mtproto/auth_key>; known answers
//! in `crypto/tests/vectors/`.

use std::mem;

use crate::{AesIv, AesKey, AuthKey, MsgKey, Secret, Side, sha};

/// Derives the AES key and IV for one MTProto 2.0 message.
///
/// | argument   | size      | meaning                                                     |
/// |------------|-----------|-------------------------------------------------------------|
/// | `auth_key` | 256 bytes | the shared key, big-endian                                  |
/// | `msg_key`  | 16 bytes  | bytes 8..24 of SHA-256 over a part of the key and plaintext |
/// | `sender`   |           | offset `x` into the key: 0 from client, 8 from server       |
///
/// Cannot fail. Cost: two blocks of SHA-256, side by side.
pub fn message_keys(auth_key: &AuthKey, msg_key: &MsgKey, sender: Side) -> (AesKey, AesIv) {
    let [mut a, mut b] = sha::sha256_two_of_52(
        (msg_key, part::<0, 36>(auth_key, sender)),
        (part::<40, 36>(auth_key, sender), msg_key),
    );
    // The key has the outer bytes of `a` and the middle of `b`, the IV the reverse.
    a.iter_mut().zip(b.iter_mut()).skip(8).take(16).for_each(|(a, b)| mem::swap(a, b));
    (a, b)
}

/// Derives the AES key and IV for one MTProto 1.0 message: `auth.bindTempAuthKey`'s inner message.
///
/// Cannot fail. Cost: four SHA-1 over 48 bytes.
pub fn message_keys_v1(auth_key: &AuthKey, msg_key: &MsgKey, sender: Side) -> (AesKey, AesIv) {
    let a = Secret::new(sha::sha1(&[msg_key, part::<0, 32>(auth_key, sender)]));
    let b = Secret::new(sha::sha1(&[
        part::<32, 16>(auth_key, sender),
        msg_key,
        part::<48, 16>(auth_key, sender),
    ]));
    let c = Secret::new(sha::sha1(&[part::<64, 32>(auth_key, sender), msg_key]));
    let d = Secret::new(sha::sha1(&[msg_key, part::<96, 32>(auth_key, sender)]));
    let (a, b, c, d) = (&*a, &*b, &*c, &*d);
    (join(&[&a[0..8], &b[8..20], &c[4..16]]), join(&[&a[8..20], &b[0..8], &c[16..20], &d[0..8]]))
}

/// The part of the auth key that comes first in [`msg_key_large`].
pub(crate) fn msg_key_secret(auth_key: &AuthKey, sender: Side) -> &[u8; 32] {
    part::<88, 32>(auth_key, sender)
}

/// SHA-256 that the `msg_key` and the quick-ack token of a 2.0 message are cut from.
///
/// `plaintext` is everything that gets encrypted, padding included.
pub fn msg_key_large(auth_key: &AuthKey, plaintext: &[u8], sender: Side) -> [u8; 32] {
    sha::sha256(&[msg_key_secret(auth_key, sender), plaintext])
}

/// The `msg_key` of a 2.0 message: the middle of its large hash.
pub fn msg_key(large: &[u8; 32]) -> MsgKey {
    let [_, _, _, _, _, _, _, _, middle @ .., _, _, _, _, _, _, _, _] = *large;
    middle
}

/// The `msg_key` of a 1.0 message. `plaintext` is without padding.
pub fn msg_key_v1(plaintext: &[u8]) -> MsgKey {
    let [_, _, _, _, tail @ ..] = sha::sha1(&[plaintext]);
    tail
}

/// The token that acknowledges a message right after decryption: the first 4 bytes of its large hash, little-endian,
/// with the top bit set. All transports send it little-endian but abridged, which sends it big-endian.
///
/// Source: <https://core.telegram.org/mtproto/mtproto-transports#quick-ack>.
pub fn quick_ack(large: &[u8; 32]) -> u32 {
    let [a, b, c, d, ..] = *large;
    u32::from_le_bytes([a, b, c, d]) | 1 << 31
}

/// Derives the AES key and IV that protect the handshake's two Diffie-Hellman messages.
///
/// Cannot fail. Cost: three SHA-1 over at most 64 bytes.
pub fn tmp_aes(new_nonce: &[u8; 32], server_nonce: &[u8; 16]) -> (AesKey, AesIv) {
    let a = Secret::new(sha::sha1(&[new_nonce, server_nonce]));
    let b = Secret::new(sha::sha1(&[server_nonce, new_nonce]));
    let c = Secret::new(sha::sha1(&[new_nonce, new_nonce]));
    let (a, b, c) = (&*a, &*b, &*c);
    (join(&[&a[..], &b[0..12]]), join(&[&b[12..20], &c[..], &new_nonce[0..4]]))
}

/// `LEN` bytes of the auth key from `AT + x`.
fn part<const AT: usize, const LEN: usize>(auth_key: &AuthKey, sender: Side) -> &[u8; LEN] {
    const { assert!(AT + 8 + LEN <= 256) };
    let x = match sender {
        Side::Client => 0,
        Side::Server => 8,
    };
    let (_, rest) = auth_key.as_bytes().split_at(AT + x);
    rest.first_chunk().expect("asserted at compile time")
}

/// The pieces, which must be 32 bytes together, one after another.
fn join(pieces: &[&[u8]]) -> Secret<32> {
    let mut joined = Secret::new([0; 32]);
    let mut rest: &mut [u8] = &mut *joined;
    for piece in pieces {
        let (front, back) = rest.split_at_mut(piece.len());
        front.copy_from_slice(piece);
        rest = back;
    }
    debug_assert!(rest.is_empty());
    joined
}
