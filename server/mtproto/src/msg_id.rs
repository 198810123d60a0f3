//! Message identifiers: a time, and in the two lowest bits who sends and why.
//!
//! ```text
//! | unix seconds (32) | fraction of the second (30) | kind (2) |
//! kind: 0 client; 1 server, answering a message; 3 server, on its own
//! ```
//!
//! Source: <https://core.telegram.org/mtproto/description#message-identifier-msg-id>.

use core::fmt;

use crate::UnixTime;

/// A `msg_id`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MsgId(pub i64);

impl MsgId {
    /// The moment that the identifier names.
    #[must_use]
    pub const fn time(self) -> UnixTime {
        let bits = self.0.cast_unsigned();
        let secs = bits >> 32;
        let nanos = ((bits & 0xffff_ffff) * 1_000_000_000) >> 32;
        UnixTime::from_nanos(secs.saturating_mul(1_000_000_000).saturating_add(nanos))
    }

    /// The lowest identifier of a moment.
    #[must_use]
    pub const fn at(time: UnixTime) -> Self {
        let secs = time.secs().cast_unsigned();
        let fraction = (time.subsec_nanos() << 32) / 1_000_000_000;
        Self(((secs << 32) | (fraction & !3)).cast_signed())
    }

    /// Whether a client may have made it.
    #[must_use]
    pub const fn is_of_client(self) -> bool {
        self.0 & 3 == 0
    }

    /// Whether a server may have made it.
    #[must_use]
    pub const fn is_of_server(self) -> bool {
        self.0 & 1 == 1
    }
}

impl fmt::Display for MsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Who makes an identifier, and why: its two lowest bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A client.
    Client,
    /// A server, answering one of the client's messages.
    Answer,
    /// A server, on its own.
    Push,
}

/// Makes identifiers: strictly increasing, close to the time.
#[derive(Debug, Default)]
pub struct MsgIds {
    last: i64,
}

impl MsgIds {
    /// The next identifier.
    pub fn next(&mut self, now: UnixTime, origin: Origin) -> MsgId {
        let bits = match origin {
            Origin::Client => 0,
            Origin::Answer => 1,
            Origin::Push => 3,
        };
        // A fraction of zero looks like a clock without one, which some peers mistrust.
        let fresh = MsgId::at(now).0 | 4;
        let base = fresh.max((self.last & !3).saturating_add(4));
        self.last = base | bits;
        MsgId(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_increase_and_say_who_made_them() {
        let mut ids = MsgIds::default();
        let now = UnixTime::from_nanos(1_700_000_000_500_000_000);
        let made: Vec<_> = [Origin::Answer, Origin::Push, Origin::Answer, Origin::Client]
            .into_iter()
            .map(|origin| ids.next(now, origin))
            .collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(made.iter().map(|id| id.0 & 3).collect::<Vec<_>>(), [1, 3, 1, 0]);
        assert!(made.iter().all(|id| id.time().since(now).as_millis() < 1));
        let earlier = UnixTime::from_secs(1_600_000_000);
        assert!(ids.next(earlier, Origin::Push) > made[3], "a clock set back does not matter");
    }

    #[test]
    fn a_whole_second_still_has_a_fraction() {
        let id = MsgIds::default().next(UnixTime::from_secs(1_700_000_000), Origin::Client);
        assert_eq!(id.0 >> 32, 1_700_000_000);
        assert_ne!(id.0 & 0xffff_ffff, 0);
    }
}
