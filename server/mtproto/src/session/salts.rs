//! Salts: numbers that change every half hour and that each message of a client must carry.
//!
//! They form a chain that needs no storage: `HMAC-SHA-256(server secret, auth_key_id | period)`, first eight bytes, where
//! `period` counts half hours since 1970. Accepted are the current one, the one before, the next one shortly before its
//! time, and the one that both sides derived in the handshake during the key's first hour.
//!
//! Source: <https://core.telegram.org/mtproto/description#server-salt>.

use std::sync::Arc;

use crypto::{AuthKeyId, sha};
use tl::mtproto::types::FutureSalt;
use zeroize::Zeroizing;

use crate::limits::{FIRST_SALT_S, FUTURE_SALT_COUNT_MAX, SALT_EARLY_S, SALT_PERIOD_S};
use crate::time::UnixTime;

/// What all salts of a server derive from. Another after each start: what was recorded before carries a salt that is wrong then,
/// so that nobody can have it run again by a server that has forgotten its sessions. Clients are told the new one.
pub struct SaltSecret(Zeroizing<[u8; 32]>);

impl SaltSecret {
    /// Of 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl core::fmt::Debug for SaltSecret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SaltSecret")
    }
}

/// The salt that both sides derived in the handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstSalt {
    /// The salt.
    pub salt: i64,
    /// When the handshake ended.
    pub valid_since: UnixTime,
}

/// The salts of one key.
#[derive(Debug)]
pub(super) struct Salts {
    secret: Arc<SaltSecret>,
    auth_key_id: AuthKeyId,
    first: Option<FirstSalt>,
    period: i64,
    current: i64,
    previous: i64,
    /// The current one and those after it, as far as somebody has asked: each takes four blocks of SHA-256, and whoever asks
    /// again and again would take the thread from everybody else.
    future: Vec<i64>,
}

impl Salts {
    pub(super) fn new(
        now: UnixTime,
        secret: Arc<SaltSecret>,
        auth_key_id: AuthKeyId,
        first: Option<FirstSalt>,
    ) -> Self {
        let period = period(now);
        let mut salts = Self {
            secret,
            auth_key_id,
            first,
            period,
            current: 0,
            previous: 0,
            future: Vec::new(),
        };
        salts.current = salts.derive(period);
        salts.previous = salts.derive(period.saturating_sub(1));
        salts
    }

    /// The salt to use now.
    pub(super) fn current(&mut self, now: UnixTime) -> i64 {
        let period = period(now);
        if period != self.period {
            let next_to_ours = period == self.period.saturating_add(1);
            self.previous =
                if next_to_ours { self.current } else { self.derive(period.saturating_sub(1)) };
            self.current = self.derive(period);
            self.period = period;
            self.future = Vec::new();
        }
        self.current
    }

    /// Whether a message may carry `salt` now.
    pub(super) fn accepts(&mut self, now: UnixTime, salt: i64) -> bool {
        if salt == self.current(now) || salt == self.previous {
            return true;
        }
        if let Some(first) = self.first {
            let age_s = now.secs().saturating_sub(first.valid_since.secs());
            if age_s >= FIRST_SALT_S {
                self.first = None;
            } else if salt == first.salt {
                return true;
            }
        }
        let next = self.period.saturating_add(1);
        let until_next_s = starts_at(next).saturating_sub(now.secs());
        until_next_s <= SALT_EARLY_S && salt == self.derive(next)
    }

    /// The current salt and those that follow it.
    pub(super) fn future(&mut self, now: UnixTime, count: i32) -> Vec<FutureSalt> {
        self.current(now);
        let count = usize::try_from(count.clamp(1, FUTURE_SALT_COUNT_MAX)).unwrap_or(1);
        let periods = (self.period..).take(count);
        for period in periods.clone().skip(self.future.len()) {
            self.future.push(self.derive(period));
        }
        let second = |period| i32::try_from(starts_at(period)).unwrap_or(i32::MAX);
        periods
            .zip(&self.future)
            .map(|(period, salt)| {
                FutureSalt::new(second(period), second(period.saturating_add(2)), *salt)
            })
            .collect()
    }

    fn derive(&self, period: i64) -> i64 {
        let message = [self.auth_key_id.to_le_bytes(), period.to_le_bytes()].concat();
        let [a, b, c, d, e, f, g, h, ..] = hmac(&self.secret.0, &message);
        i64::from_le_bytes([a, b, c, d, e, f, g, h])
    }
}

fn period(now: UnixTime) -> i64 {
    now.secs().div_euclid(SALT_PERIOD_S)
}

const fn starts_at(period: i64) -> i64 {
    period.saturating_mul(SALT_PERIOD_S)
}

/// HMAC-SHA-256 (RFC 2104) with a key of 32 bytes.
fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    let pad = |byte| {
        let mut block = Zeroizing::new([byte; 64]);
        block.iter_mut().zip(key).for_each(|(pad, key)| *pad ^= key);
        block
    };
    sha::sha256(&[&*pad(0x5c), &sha::sha256(&[&*pad(0x36), message])])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD_S: u64 = SALT_PERIOD_S as u64;
    const EARLY_S: u64 = SALT_EARLY_S as u64;
    const START: UnixTime = UnixTime::from_secs(1_700_000_000 / PERIOD_S * PERIOD_S);

    fn salts(now: UnixTime) -> Salts {
        let first = FirstSalt { salt: 77, valid_since: START };
        Salts::new(now, Arc::new(SaltSecret::new([7; 32])), AuthKeyId(5), Some(first))
    }

    fn after_s(secs: u64) -> UnixTime {
        START + core::time::Duration::from_secs(secs)
    }

    #[test]
    fn hmac_as_in_rfc_4231() {
        // Test case 1; its key of 20 bytes is padded with zeros, as HMAC does itself.
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let expected = [
            0xb0, 0x34, 0x4c, 0x61, 0xd8, 0xdb, 0x38, 0x53, 0x5c, 0xa8, 0xaf, 0xce, 0xaf, 0x0b,
            0xf1, 0x2b, 0x88, 0x1d, 0xc2, 0x00, 0xc9, 0x83, 0x3d, 0xa7, 0x26, 0xe9, 0x37, 0x6c,
            0x2e, 0x32, 0xcf, 0xf7,
        ];
        assert_eq!(hmac(&key, b"Hi There"), expected);
    }

    /// Whether the salt of `period` (counted from the start) is accepted `secs` after the start.
    #[track_caller]
    fn check(secs: u64, ahead: i64, expected: bool) {
        let mut salts = salts(START);
        let salt = salts.derive(salts.period + ahead);
        assert_eq!(salts.accepts(after_s(secs), salt), expected);
    }

    #[test]
    fn a_salt_lives_for_two_periods() {
        for (secs, ahead, expected) in [
            (0, 0, true),
            (PERIOD_S - 1, 0, true),
            (PERIOD_S, 0, true),
            (2 * PERIOD_S - 1, 0, true),
            (2 * PERIOD_S, 0, false),
            (0, 1, false),
            (PERIOD_S - EARLY_S - 1, 1, false),
            (PERIOD_S - EARLY_S, 1, true),
            (PERIOD_S, 1, true),
            (0, -1, true),
            (PERIOD_S, -1, false),
            (50 * PERIOD_S, 50, true),
            (50 * PERIOD_S, 49, true),
            (50 * PERIOD_S, 48, false),
        ] {
            check(secs, ahead, expected);
        }
    }

    #[test]
    fn the_first_salt_lives_for_an_hour() {
        let end_s = u64::try_from(FIRST_SALT_S).unwrap();
        for (secs, expected) in [(0, true), (PERIOD_S, true), (end_s - 1, true), (end_s, false)] {
            assert_eq!(salts(START).accepts(after_s(secs), 77), expected, "{secs}");
        }
    }

    #[test]
    fn future_salts_are_those_that_will_be_current() {
        let mut salts = salts(START);
        let future = salts.future(START, 3);
        for salt in &future {
            let valid_since = UnixTime::from_secs(u64::try_from(salt.valid_since).unwrap());
            assert_eq!(salts.current(valid_since), salt.salt);
        }
        assert_eq!(salts.future(START, 1000).len(), FUTURE_SALT_COUNT_MAX as usize);
        assert_eq!(salts.future(START, -1).len(), 1);
        let later = salts.future(after_s(1800), 2);
        assert_eq!(
            later.iter().map(|salt| salt.salt).collect::<Vec<_>>(),
            [1, 2].map(|at: usize| future[at].salt)
        );
    }
}
