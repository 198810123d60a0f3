//! What a shard knows of an auth key: the key itself, whom it is logged in as, and what its client told of itself.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    num::NonZeroU32,
};

use crypto::AuthKey;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter, clock::Clock as _};
use mtproto::{MsgId, UnixTime, session::FirstSalt};
use storage::{AuthKeyId, Owner, UserId};
use tl::{
    operations::functions,
    records::types::{self, Client},
};

use crate::{limits, shared::Shared};

/// An auth key that somebody uses. Its sessions and the requests in them share it.
pub(crate) struct Login {
    key: AuthKey,
    created: i32,
    first_salt: i64,
    expires_at: Cell<Option<i32>>,
    /// The permanent key that this temporary one acts for.
    bound_to: Cell<Option<AuthKeyId>>,
    user: Cell<Option<UserId>>,
    client: RefCell<Option<Client>>,
    budget: DefaultDirectRateLimiter,
    dropped: RefCell<Dropped>,
    /// The sessions that are in memory. Whoever has a key makes as many as they like, each of which must cost the same however
    /// many others have.
    pub(super) sessions: RefCell<Vec<i64>>,
}

/// What sessions had received that were dropped: one that comes back under its number must not take anything twice.
#[derive(Default)]
struct Dropped {
    /// The latest of them, by number.
    latest: VecDeque<(i64, MsgId)>,
    /// All others together.
    others: Option<MsgId>,
}

impl Login {
    /// Looks the key up. `None` if there is none or it has expired.
    pub(super) fn load(shared: &Shared, id: crypto::AuthKeyId) -> Option<Self> {
        let id = AuthKeyId(id.0.cast_signed());
        let record = shared.router.read_now(&Owner::AuthKey(id), &functions::keys::Get {}).ok()?;
        Self::new(shared, record)
    }

    fn new(shared: &Shared, record: types::AuthKey) -> Option<Self> {
        let key = AuthKey::new(record.key.try_into().ok()?);
        let bound_to = record.bound_to.map(AuthKeyId);
        let perm = bound_to.and_then(|perm| {
            shared.router.read_now(&Owner::AuthKey(perm), &functions::keys::Get {}).ok()
        });
        let (perm_user, perm_client) =
            perm.map_or((None, None), |perm| (perm.user_id, perm.client));
        let burst = NonZeroU32::new(limits::COST_UNITS_BURST)?;
        let quota =
            Quota::per_second(NonZeroU32::new(limits::COST_UNITS_PER_S)?).allow_burst(burst);
        Some(Self {
            key,
            created: record.created,
            first_salt: record.salt,
            expires_at: Cell::new(record.expires_at),
            bound_to: Cell::new(bound_to),
            user: Cell::new(record.user_id.or(perm_user).map(UserId)),
            client: RefCell::new(record.client.or(perm_client)),
            budget: RateLimiter::direct(quota),
            dropped: RefCell::default(),
            sessions: RefCell::default(),
        })
    }

    pub(super) fn auth_key(&self) -> &AuthKey {
        &self.key
    }

    /// The salt of the handshake and when it came to be, if that was not before `started`: as all salts, it ends with the server.
    pub(super) fn first_salt(&self, started: UnixTime) -> Option<FirstSalt> {
        let valid_since = UnixTime::from_secs(u64::try_from(self.created).unwrap_or(0));
        let is_own = valid_since.secs() >= started.secs();
        is_own.then_some(FirstSalt { salt: self.first_salt, valid_since })
    }

    /// Notes that a session was dropped, and up to where it had received.
    pub(super) fn note_dropped(&self, session_id: i64, received_up_to: Option<MsgId>) {
        let Some(last) = received_up_to else { return };
        let mut dropped = self.dropped.borrow_mut();
        dropped.latest.push_back((session_id, last));
        if dropped.latest.len() > limits::SESSIONS_PER_KEY_MAX {
            let oldest = dropped.latest.pop_front().map(|(_, last)| last);
            dropped.others = dropped.others.max(oldest);
        }
    }

    /// Up to where a session that begins may have received before it was dropped.
    pub(super) fn received_up_to(&self, session_id: i64) -> Option<MsgId> {
        let dropped = self.dropped.borrow();
        let of_it = dropped.latest.iter().filter(|(id, _)| *id == session_id);
        of_it.map(|(_, last)| *last).max().or(dropped.others)
    }

    /// The key's own id.
    pub(crate) fn key_id(&self) -> AuthKeyId {
        AuthKeyId(self.key.id().0.cast_signed())
    }

    /// The permanent key: this one, or the one it is bound to.
    pub(crate) fn perm_key_id(&self) -> Option<AuthKeyId> {
        if self.expires_at.get().is_some() { self.bound_to.get() } else { Some(self.key_id()) }
    }

    /// When a temporary key ends.
    pub(crate) fn expires_at(&self) -> Option<i32> {
        self.expires_at.get()
    }

    pub(super) fn has_expired(&self, now: UnixTime) -> bool {
        self.expires_at.get().is_some_and(|expires_at| expires_at <= now.secs_i32())
    }

    /// Who is logged in.
    pub(crate) fn user(&self) -> Option<UserId> {
        self.user.get()
    }

    /// Notes who is logged in, as the rows say.
    pub(crate) fn set_user(&self, user: Option<UserId>) {
        self.user.set(user);
    }

    /// Notes which permanent key this one acts for, until when, and who is logged in with that.
    pub(crate) fn set_bound(&self, perm: AuthKeyId, expires_at: i32, user: Option<UserId>) {
        self.bound_to.set(Some(perm));
        self.expires_at.set(Some(expires_at));
        self.user.set(user);
    }

    /// What the client told of itself.
    pub(crate) fn client(&self) -> Option<Client> {
        self.client.borrow().clone()
    }

    /// Notes what the client tells of itself; whether that is news.
    pub(super) fn set_client(&self, client: &Client) -> bool {
        let mut known = self.client.borrow_mut();
        if known.as_ref() == Some(client) {
            return false;
        }
        *known = Some(client.clone());
        true
    }

    /// Takes `units` from what this login may spend.
    ///
    /// # Errors
    ///
    /// After how many seconds it may.
    pub(crate) fn spend(&self, units: u32) -> Result<(), i32> {
        let Some(units) = NonZeroU32::new(units) else { return Ok(()) };
        match self.budget.check_n(units) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => {
                let now = governor::clock::DefaultClock::default().now();
                let wait_s = not_until.wait_time_from(now).as_secs().saturating_add(1);
                Err(i32::try_from(wait_s).unwrap_or(i32::MAX))
            }
            // No single call costs more than the burst.
            Err(_) => Err(1),
        }
    }
}
