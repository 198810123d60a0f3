//! Tickets: how a logged-in client logs another auth key in, as it does for each data centre.
//!
//! ```text
//! user (8) | auth_key_id (8) | expires_at (4) | nonce (16) | tag (32)
//! ```
//!
//! Little-endian; sizes in brackets are bytes; the tag is an HMAC-SHA256 over all before it. A ticket works once: used ones
//! are remembered until they expire. Both the key of the HMAC and that memory live and die with the process, so that a
//! restart does not make a used ticket new.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use storage::{AuthKeyId, UserId};

use crate::limits::{TICKET_LIFETIME_S, TICKET_USED_COUNT_MAX};

const NONCE_LEN: usize = 16;
const TAG_LEN: usize = 32;
const SIGNED_LEN: usize = 8 + 8 + 4 + NONCE_LEN;

/// Makes tickets and takes them back.
pub(crate) struct Tickets {
    secret: [u8; 32],
    /// The nonces of those that were used, and when they expire.
    used: Mutex<HashMap<[u8; NONCE_LEN], i32>>,
}

/// Who made a ticket: the user, and the auth key that was logged in as that user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) user: UserId,
    pub(crate) key: AuthKeyId,
}

/// Why a ticket is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// It was not made here, has expired, or was used.
    #[error("ticket is invalid")]
    Invalid,
    /// Too many were used lately.
    #[error("too many tickets were used lately")]
    Busy,
}

impl Tickets {
    /// `secret` is random.
    pub(crate) fn new(secret: [u8; 32]) -> Self {
        Self { secret, used: Mutex::default() }
    }

    /// A new ticket. `nonce` is random.
    pub(crate) fn issue(&self, now: i32, holder: Holder, nonce: [u8; NONCE_LEN]) -> Vec<u8> {
        let expires_at = now.saturating_add(TICKET_LIFETIME_S);
        let mut ticket = Vec::with_capacity(SIGNED_LEN + TAG_LEN);
        ticket.extend_from_slice(&holder.user.0.to_le_bytes());
        ticket.extend_from_slice(&holder.key.0.to_le_bytes());
        ticket.extend_from_slice(&expires_at.to_le_bytes());
        ticket.extend_from_slice(&nonce);
        let tag = self.mac(&ticket).finalize().into_bytes();
        ticket.extend_from_slice(&tag);
        ticket
    }

    /// Uses a ticket up.
    ///
    /// # Errors
    ///
    /// See [`Error`].
    pub(crate) fn redeem(&self, now: i32, ticket: &[u8]) -> Result<Holder, Error> {
        let (signed, tag) = ticket.split_at_checked(SIGNED_LEN).ok_or(Error::Invalid)?;
        self.mac(signed).verify_slice(tag).map_err(|_| Error::Invalid)?;
        let (user, rest) = signed.split_first_chunk().ok_or(Error::Invalid)?;
        let (key, rest) = rest.split_first_chunk().ok_or(Error::Invalid)?;
        let (expires_at, rest) = rest.split_first_chunk().ok_or(Error::Invalid)?;
        let nonce: [u8; NONCE_LEN] = rest.try_into().map_err(|_| Error::Invalid)?;
        let expires_at = i32::from_le_bytes(*expires_at);
        if expires_at <= now {
            return Err(Error::Invalid);
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.contains_key(&nonce) {
            return Err(Error::Invalid);
        }
        if used.len() >= TICKET_USED_COUNT_MAX {
            used.retain(|_, expires_at| *expires_at > now);
        }
        if used.len() >= TICKET_USED_COUNT_MAX {
            return Err(Error::Busy);
        }
        used.insert(nonce, expires_at);
        Ok(Holder {
            user: UserId(i64::from_le_bytes(*user)),
            key: AuthKeyId(i64::from_le_bytes(*key)),
        })
    }

    fn mac(&self, signed: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::new_from_slice(&self.secret).expect("HMAC takes keys of any length");
        mac.update(signed);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLDER: Holder = Holder { user: UserId(1), key: AuthKeyId(-2) };

    #[test]
    fn a_ticket_works_once() {
        let tickets = Tickets::new([1; 32]);
        let ticket = tickets.issue(100, HOLDER, [7; 16]);
        assert_eq!(tickets.redeem(101, &ticket), Ok(HOLDER));
        assert_eq!(tickets.redeem(101, &ticket), Err(Error::Invalid));
        let other = tickets.issue(100, HOLDER, [8; 16]);
        assert_eq!(tickets.redeem(101, &other), Ok(HOLDER));
    }

    #[test]
    fn what_is_old_changed_or_made_elsewhere_is_none() {
        let tickets = Tickets::new([1; 32]);
        let ticket = tickets.issue(100, HOLDER, [7; 16]);
        assert_eq!(tickets.redeem(100 + TICKET_LIFETIME_S, &ticket), Err(Error::Invalid));
        assert_eq!(Tickets::new([2; 32]).redeem(101, &ticket), Err(Error::Invalid));
        for at in 0..ticket.len() {
            let mut changed = ticket.clone();
            changed[at] ^= 1;
            assert_eq!(tickets.redeem(101, &changed), Err(Error::Invalid), "{at}");
            assert_eq!(tickets.redeem(101, &ticket[..at]), Err(Error::Invalid), "{at}");
        }
        assert_eq!(tickets.redeem(101, &ticket), Ok(HOLDER));
    }

    #[test]
    fn the_memory_is_bounded_and_frees_itself() {
        let tickets = Tickets::new([1; 32]);
        let ticket = |now: i32, number: usize| {
            let mut nonce = [0; 16];
            nonce[..8].copy_from_slice(&number.to_le_bytes());
            tickets.issue(now, HOLDER, nonce)
        };
        for number in 0..TICKET_USED_COUNT_MAX {
            assert_eq!(tickets.redeem(101, &ticket(100, number)), Ok(HOLDER));
        }
        let next = TICKET_USED_COUNT_MAX;
        assert_eq!(tickets.redeem(101, &ticket(100, next)), Err(Error::Busy));
        let later = 100 + TICKET_LIFETIME_S;
        assert_eq!(tickets.redeem(later, &ticket(later, next)), Ok(HOLDER));
    }
}
