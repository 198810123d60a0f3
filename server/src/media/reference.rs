//! File references: what ties a file to the place where its viewer saw it.
//!
//! ```text
//! | version (1) | kind (1) | expires (4) | origin (0, 4 or 8) | MAC (16) |
//! ```
//!
//! The MAC is HMAC-SHA256 over the viewer, the file's id and all before it, so that a reference is of use to nobody else and
//! for no other file. Nothing is stored. References of one hour are the same bytes, so that clients' caches stay good. When
//! one is used the origin is read again: whoever lost the message lost the file.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use storage::UserId;

use crate::{
    rpc::{Result, RpcError},
    shared::Shared,
};

/// Where a viewer saw a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In a message of the viewer's own box.
    Message(i32),
    /// The viewer made it lately.
    Own,
    /// In the profile of a user.
    Profile(UserId),
}

const VERSION: u8 = 1;
const HEAD_LEN: usize = 6;
const MAC_LEN: usize = 16;

/// A lifetime is rounded up to a multiple of this, in seconds, as long as it is longer than that.
const ROUND_S: i64 = 3600;

/// The reference of a file for `viewer`, who sees it at `origin` now.
#[must_use]
pub fn issue(shared: &Shared, viewer: UserId, file: i64, origin: Origin) -> Vec<u8> {
    let now = i64::from(shared.clock.now().secs_i32());
    let lifetime_s = i64::from(shared.config.media.reference_s);
    issue_at(&shared.media.reference_secret, now, lifetime_s, viewer, file, origin)
}

/// Where `viewer` saw the file, as the reference says.
///
/// # Errors
///
/// `FILE_REFERENCE_EMPTY`, `FILE_REFERENCE_EXPIRED`, and `FILE_REFERENCE_INVALID` for what was not issued to this viewer for
/// this file.
pub fn check(shared: &Shared, viewer: UserId, file: i64, reference: &[u8]) -> Result<Origin> {
    let now = i64::from(shared.clock.now().secs_i32());
    check_at(&shared.media.reference_secret, now, viewer, file, reference)
}

fn issue_at(
    secret: &[u8; 32],
    now: i64,
    lifetime_s: i64,
    viewer: UserId,
    file: i64,
    origin: Origin,
) -> Vec<u8> {
    let mut expires = now + lifetime_s;
    if lifetime_s > ROUND_S {
        expires = (expires + ROUND_S - 1) / ROUND_S * ROUND_S;
    }
    let expires = u32::try_from(expires).unwrap_or(u32::MAX);
    let mut reference = Vec::with_capacity(HEAD_LEN + 8 + MAC_LEN);
    reference.extend([VERSION, kind(origin)]);
    reference.extend(expires.to_le_bytes());
    match origin {
        Origin::Message(id) => reference.extend(id.to_le_bytes()),
        Origin::Own => {}
        Origin::Profile(user) => reference.extend(user.0.to_le_bytes()),
    }
    let mac = mac(secret, viewer, file, &reference);
    reference.extend(mac);
    reference
}

fn check_at(
    secret: &[u8; 32],
    now: i64,
    viewer: UserId,
    file: i64,
    reference: &[u8],
) -> Result<Origin> {
    if reference.is_empty() {
        return Err(RpcError::FILE_REFERENCE_EMPTY);
    }
    let invalid = RpcError::FILE_REFERENCE_INVALID;
    let Some((signed, tag)) = reference.split_last_chunk::<MAC_LEN>() else { return Err(invalid) };
    if !crypto::ct_eq(&mac(secret, viewer, file, signed), tag) {
        return Err(invalid);
    }
    // What is read from here on was written here, if perhaps by another version.
    let Some((&[version, kind, a, b, c, d], origin)) = signed.split_first_chunk::<HEAD_LEN>()
    else {
        return Err(invalid);
    };
    if version != VERSION {
        return Err(RpcError::FILE_REFERENCE_EXPIRED);
    }
    let origin = match (kind, origin) {
        (kind::MESSAGE, &[a, b, c, d]) => Origin::Message(i32::from_le_bytes([a, b, c, d])),
        (kind::OWN, []) => Origin::Own,
        (kind::PROFILE, bytes) => match bytes.try_into() {
            Ok(bytes) => Origin::Profile(UserId(i64::from_le_bytes(bytes))),
            Err(_) => return Err(invalid),
        },
        _ => return Err(invalid),
    };
    if now >= i64::from(u32::from_le_bytes([a, b, c, d])) {
        return Err(RpcError::FILE_REFERENCE_EXPIRED);
    }
    Ok(origin)
}

const fn kind(origin: Origin) -> u8 {
    match origin {
        Origin::Message(_) => kind::MESSAGE,
        Origin::Own => kind::OWN,
        Origin::Profile(_) => kind::PROFILE,
    }
}

/// The second byte of a reference.
mod kind {
    pub(super) const MESSAGE: u8 = 1;
    pub(super) const OWN: u8 = 2;
    pub(super) const PROFILE: u8 = 3;
}

fn mac(secret: &[u8; 32], viewer: UserId, file: i64, signed: &[u8]) -> [u8; MAC_LEN] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(&viewer.0.to_le_bytes());
    mac.update(&file.to_le_bytes());
    mac.update(signed);
    let mut tag = [0; MAC_LEN];
    tag.copy_from_slice(&mac.finalize().into_bytes()[..MAC_LEN]);
    tag
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; 32] = [7; 32];
    const VIEWER: UserId = UserId(5);
    const FILE: i64 = 99;
    const NOW: i64 = 1_700_000_000;

    #[test]
    fn what_was_issued_is_good_until_it_expires() {
        for origin in [Origin::Message(7), Origin::Own, Origin::Profile(UserId(12))] {
            for lifetime_s in [1, 86_400] {
                let reference = issue_at(&SECRET, NOW, lifetime_s, VIEWER, FILE, origin);
                let check = |now| check_at(&SECRET, now, VIEWER, FILE, &reference);
                assert_eq!(check(NOW), Ok(origin));
                assert_eq!(check(NOW + lifetime_s - 1), Ok(origin));
                let late = NOW + lifetime_s + if lifetime_s > ROUND_S { ROUND_S } else { 0 };
                assert_eq!(check(late), Err(RpcError::FILE_REFERENCE_EXPIRED));
            }
        }
    }

    #[test]
    fn references_of_one_hour_are_the_same() {
        let at = |now| issue_at(&SECRET, now, 86_400, VIEWER, FILE, Origin::Own);
        let hour = NOW - NOW % ROUND_S;
        assert_eq!(at(hour + 1), at(hour + 3600));
        assert_ne!(at(hour), at(hour + 1));
    }

    #[test]
    fn nothing_else_is_good() {
        let reference = issue_at(&SECRET, NOW, 86_400, VIEWER, FILE, Origin::Message(7));
        let check = |viewer, file, bytes: &[u8]| check_at(&SECRET, NOW, viewer, file, bytes);
        assert_eq!(check(VIEWER, FILE, &[]), Err(RpcError::FILE_REFERENCE_EMPTY));
        let invalid = Err(RpcError::FILE_REFERENCE_INVALID);
        assert_eq!(check(UserId(6), FILE, &reference), invalid);
        assert_eq!(check(VIEWER, FILE + 1, &reference), invalid);
        for len in 1..reference.len() {
            assert_eq!(check(VIEWER, FILE, &reference[..len]), invalid);
        }
        for at in 0..reference.len() {
            let mut tampered = reference.clone();
            tampered[at] ^= 1;
            assert_eq!(check(VIEWER, FILE, &tampered), invalid, "{at}");
        }
    }
}
