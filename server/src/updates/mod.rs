//! From committed rows to online sessions, and to those that were away.
//!
//! ```text
//! writer ──effect──► Hub ──► shards where the user has sessions ──► push::render ──► session, in its layer
//! ```
//!
//! What is pushed is only ever a faster way to learn what `updates.getDifference` tells as well ([`difference`]), but for
//! what is not kept at all: who is typing, who is online.

pub mod difference;
pub mod push;

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use dashmap::DashMap;
use services::Pushed;
use storage::{AuthKeyId, BlobId, Owner, UserId};
use tl::operations::enums::Effect;

use crate::{
    gateway::{Command, ShardHandle},
    media::large::Stored,
    media::mover::Arrivals,
    router::Answer,
};

/// Which shards have sessions of a user, and how many: small, since a user has few devices.
type Places = Vec<(usize, u32)>;

/// Takes effects to the shards that have sessions of those concerned.
#[derive(Default)]
pub struct Hub {
    shards: OnceLock<Vec<ShardHandle>>,
    places: DashMap<UserId, Places>,
    /// By shard: whether something did not fit into its queue, so that its sessions must ask for the difference.
    overflowed: OnceLock<Vec<AtomicBool>>,
    /// Where new blobs are noted, if they are carried elsewhere.
    arrivals: OnceLock<Arc<Arrivals>>,
}

impl Hub {
    /// Makes the shards known, once.
    pub(crate) fn connect(&self, shards: Vec<ShardHandle>) {
        let overflowed = shards.iter().map(|_| AtomicBool::new(false)).collect();
        if self.overflowed.set(overflowed).is_err() || self.shards.set(shards).is_err() {
            tracing::error!("the shards were made known twice");
        }
    }

    /// Has new blobs noted in `arrivals`, once.
    pub(crate) fn carry(&self, arrivals: Arc<Arrivals>) {
        if self.arrivals.set(arrivals).is_err() {
            tracing::error!("where blobs are noted was made known twice");
        }
    }

    /// Counts one more session of `user` on `shard`.
    pub(crate) fn subscribe(&self, user: UserId, shard: usize) {
        let mut places = self.places.entry(user).or_default();
        match places.iter_mut().find(|(place, _)| *place == shard) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => places.push((shard, 1)),
        }
    }

    /// Counts one session less.
    pub(crate) fn unsubscribe(&self, user: UserId, shard: usize) {
        if let Some(mut places) = self.places.get_mut(&user) {
            for (_, count) in places.iter_mut().filter(|(place, _)| *place == shard) {
                *count = count.saturating_sub(1);
            }
            places.retain(|(_, count)| *count > 0);
        }
        self.places.remove_if(&user, |_, places| places.is_empty());
    }

    /// Takes an effect to whom it concerns. Never waits.
    pub(crate) fn publish(&self, pushed: Pushed) {
        match &pushed.effect {
            Effect::EffectAuthorizationsEnded(ended) => {
                let Owner::User(user) = pushed.owner else { return };
                let keys: Arc<[i64]> = ended.auth_key_ids.as_slice().into();
                self.broadcast(|| Command::LoginsEnded { user, keys: Arc::clone(&keys) });
            }
            Effect::EffectKeyLoggedOut(logged_out) => {
                self.login_changed(AuthKeyId(logged_out.auth_key_id));
            }
            Effect::EffectKeysDestroyed(destroyed) => {
                let keys: Arc<[i64]> = destroyed.auth_key_ids.as_slice().into();
                self.broadcast(|| Command::KeysDestroyed(Arc::clone(&keys)));
            }
            Effect::EffectBlobStored(stored) => {
                if let (Some(arrivals), Some(blob)) =
                    (self.arrivals.get(), BlobId::from_slice(&stored.blob))
                {
                    arrivals.push(blob);
                }
            }
            _ => {
                let users = push::recipients(&pushed);
                let pushed = Arc::new(pushed);
                for user in users {
                    self.publish_to(user, &pushed);
                }
            }
        }
    }

    fn publish_to(&self, user: UserId, pushed: &Arc<Pushed>) {
        let Some(places) = self.places.get(&user) else { return };
        for (shard, _) in places.iter() {
            self.send(*shard, Command::Effect { user, pushed: Arc::clone(pushed) });
        }
    }

    /// Makes every shard look up again who is logged in with `key`.
    pub(crate) fn login_changed(&self, key: AuthKeyId) {
        self.broadcast(|| Command::LoginChanged(key));
    }

    /// Whether something for `shard` was lost since this was last asked.
    pub(crate) fn take_overflow(&self, shard: usize) -> bool {
        let overflowed = self.overflowed.get().and_then(|all| all.get(shard));
        overflowed.is_some_and(|overflowed| overflowed.swap(false, Ordering::AcqRel))
    }

    /// Hands answers to the thread of `shard`; from here if that has no room for them.
    pub(crate) fn answer(&self, shard: usize, answers: Vec<Answer>) {
        if let Some(Command::Answers(answers)) = self.refused(shard, Command::Answers(answers)) {
            answers.into_iter().for_each(Answer::give);
        }
    }

    /// As [`Hub::answer`], what became of parts of files.
    pub(crate) fn stored(&self, shard: usize, parts: Vec<Stored>) {
        if let Some(Command::Stored(parts)) = self.refused(shard, Command::Stored(parts)) {
            parts.into_iter().for_each(Stored::give);
        }
    }

    /// Hands a command to a shard; gives it back if that has no room for it.
    fn refused(&self, shard: usize, command: Command) -> Option<Command> {
        match self.shards.get().and_then(|shards| shards.get(shard)) {
            Some(handle) => handle.try_send_or_back(command),
            None => Some(command),
        }
    }

    fn broadcast(&self, command: impl Fn() -> Command) {
        for shard in 0..self.shards.get().map_or(0, Vec::len) {
            self.send(shard, command());
        }
    }

    fn send(&self, shard: usize, command: Command) {
        let Some(handle) = self.shards.get().and_then(|shards| shards.get(shard)) else { return };
        if !handle.try_send(command)
            && let Some(overflowed) = self.overflowed.get().and_then(|all| all.get(shard))
        {
            overflowed.store(true, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::SHARD_QUEUE_COUNT;

    /// `SHARD_QUEUE_COUNT`: what does not fit is lost, and the shard is told so once; nobody waits for it.
    #[test]
    fn what_does_not_fit_is_made_up_for() {
        let hub = Hub::default();
        let (full, queue) = ShardHandle::new(SHARD_QUEUE_COUNT);
        let (other, mut taken) = ShardHandle::new(SHARD_QUEUE_COUNT + 1);
        hub.connect(vec![full, other]);
        for _ in 0..SHARD_QUEUE_COUNT {
            hub.login_changed(AuthKeyId(1));
        }
        assert!(!hub.take_overflow(0));
        hub.login_changed(AuthKeyId(2));
        assert!(hub.take_overflow(0) && !hub.take_overflow(0), "once");
        assert!(!hub.take_overflow(1), "the other one had room");
        assert_eq!((queue.len(), taken.len()), (SHARD_QUEUE_COUNT, SHARD_QUEUE_COUNT + 1));
        assert!(matches!(taken.try_recv(), Ok(Command::LoginChanged(AuthKeyId(1)))));
    }
}
