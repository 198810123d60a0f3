//! What viewers know of users, kept until somebody's rows change.
//!
//! Every message names two users to two viewers, and a user is a dozen rows. Here they are one look-up.
//!
//! Each user has a *generation*, which its writer raises when a watched row of the user was committed, before the answer goes
//! out. An entry tells the generations of both sides from before its rows were read; where one has changed since, it counts for
//! nothing. So whoever has the answer to a change sees that change, whichever thread asks. A write that failed may have been made
//! all the same, so that after one nothing is believed.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use quick_cache::sync::Cache;
use storage::{Owner, UserId};

use super::users::Known;
use crate::limits::{ACQUAINTANCE_COUNT, GENERATION_COUNT};

/// The generations of all users. Several may share one, and are then looked up again together.
pub(crate) struct Generations(Box<[AtomicU32]>);

impl Default for Generations {
    fn default() -> Self {
        Self((0..GENERATION_COUNT).map(|_| AtomicU32::new(0)).collect())
    }
}

impl Generations {
    /// Notes that rows of `owner` were committed that say what others see of it.
    pub(crate) fn changed(&self, owner: &Owner) {
        if let Owner::User(user) = owner {
            self.of(*user).fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Notes that rows of anybody may have been committed: it is unknown whether a write was.
    pub(crate) fn all_changed(&self) {
        for generation in &self.0 {
            generation.fetch_add(1, Ordering::AcqRel);
        }
    }

    fn of(&self, user: UserId) -> &AtomicU32 {
        // Ids are random: their low bits are spread well.
        let index = user.0.cast_unsigned() % GENERATION_COUNT as u64;
        &self.0[usize::try_from(index).unwrap_or_default()]
    }
}

/// Who looks at whom.
type Pair = (UserId, UserId);

/// What viewers know of users.
pub struct Acquaintances {
    generations: Arc<Generations>,
    known: Cache<Pair, (Seen, Arc<Known>)>,
}

/// The generations of both sides of a pair.
type Seen = (u32, u32);

/// Where what is read now may be kept: it tells from when it is.
pub(crate) struct Place {
    pair: Pair,
    seen: Seen,
}

impl Acquaintances {
    /// Nobody knows anybody yet.
    pub(crate) fn new(generations: Arc<Generations>) -> Self {
        Self { generations, known: Cache::new(ACQUAINTANCE_COUNT) }
    }

    /// What `viewer` knows of `user`; if it must be read, where to keep it then.
    pub(crate) fn get(&self, viewer: UserId, user: UserId) -> Result<Arc<Known>, Place> {
        let pair = (viewer, user);
        let generation = |user| self.generations.of(user).load(Ordering::Acquire);
        let seen = (generation(viewer), generation(user));
        match self.known.get(&pair) {
            Some((then, known)) if then == seen => Ok(known),
            _ => Err(Place { pair, seen }),
        }
    }

    /// Keeps what was read since [`Acquaintances::get`].
    pub(crate) fn keep(&self, place: Place, known: Arc<Known>) {
        self.known.insert(place.pair, (place.seen, known));
    }
}

#[cfg(test)]
mod tests {
    use storage::{Engine, Fault, Memory, Partitions};
    use tl::{operations::functions::accounts, records::types::Relation};

    use super::*;
    use crate::{clock::Clock, router::Router, updates::Hub};

    const VIEWER: UserId = UserId(1_000_000_001);
    const USER: UserId = UserId(1_000_000_002);

    fn known() -> Arc<Known> {
        Arc::new(Known::new(None, Relation::new(), 7))
    }

    #[test]
    fn what_is_known_counts_until_either_side_changes() {
        let generations = Arc::new(Generations::default());
        let acquaintances = Acquaintances::new(Arc::clone(&generations));
        for changed in [VIEWER, USER] {
            let place = acquaintances.get(VIEWER, USER).err().unwrap();
            acquaintances.keep(place, known());
            assert!(acquaintances.get(VIEWER, USER).is_ok());
            assert!(acquaintances.get(USER, VIEWER).is_err(), "the other way is another matter");
            generations.changed(&Owner::User(UserId(5)));
            assert!(acquaintances.get(VIEWER, USER).is_ok());
            generations.changed(&Owner::User(changed));
            assert!(acquaintances.get(VIEWER, USER).is_err());
        }
    }

    /// `GENERATION_COUNT`: users that share a generation are read again together, others are not.
    #[test]
    fn users_share_generations() {
        let generations = Arc::new(Generations::default());
        let acquaintances = Acquaintances::new(Arc::clone(&generations));
        let count = i64::try_from(GENERATION_COUNT).unwrap();
        for (other, is_read_again) in
            [(1, false), (count - 1, false), (count, true), (9 * count, true)]
        {
            let place = acquaintances.get(VIEWER, USER).err().unwrap();
            acquaintances.keep(place, known());
            generations.changed(&Owner::User(UserId(USER.0 + other)));
            // The first of these is the viewer's neighbour, the second the viewer's own.
            let is_viewers = (USER.0 + other - VIEWER.0) % count == 0;
            let is_known = acquaintances.get(VIEWER, USER).is_ok();
            assert_eq!(is_known, !is_read_again && !is_viewers, "{other}");
            generations.all_changed();
        }
    }

    /// `ACQUAINTANCE_COUNT`: however many look at however many, no more pairs are kept; the latest is.
    #[test]
    fn so_many_are_known() {
        let acquaintances = Acquaintances::new(Arc::default());
        for number in 0..3 * ACQUAINTANCE_COUNT as i64 {
            let user = UserId(USER.0 + number / 2);
            let viewer = UserId(VIEWER.0 - number % 2);
            let place = acquaintances.get(viewer, user).err().unwrap();
            acquaintances.keep(place, known());
            assert!(acquaintances.get(viewer, user).is_ok(), "{number}");
            assert!(acquaintances.known.len() <= ACQUAINTANCE_COUNT);
        }
        assert!(acquaintances.known.len() > ACQUAINTANCE_COUNT / 2, "it was never full");
    }

    #[test]
    fn what_changed_while_it_was_read_is_not_kept() {
        let generations = Arc::new(Generations::default());
        let acquaintances = Acquaintances::new(Arc::clone(&generations));
        let place = acquaintances.get(VIEWER, USER).err().unwrap();
        generations.changed(&Owner::User(USER));
        acquaintances.keep(place, known());
        assert!(acquaintances.get(VIEWER, USER).is_err());
    }

    /// The engine fails after it has written, as when the disk is gone a moment later.
    #[tokio::test]
    async fn what_is_known_counts_for_nothing_after_a_write_that_failed() {
        let memory = Arc::new(Memory::new());
        let engine = Arc::clone(&memory) as Arc<dyn Engine>;
        let (clock, hub) = (Arc::new(Clock::default()), Arc::new(Hub::default()));
        let partitions = Partitions::default();
        let (router, writers) = Router::start(engine, clock, &hub, partitions, 1).unwrap();
        let acquaintances = Acquaintances::new(Arc::clone(router.generations()));
        let place = acquaintances.get(VIEWER, USER).err().unwrap();
        acquaintances.keep(place, known());
        memory.inject(1, Fault::Unheard);
        let create = accounts::Create { phone: "15550001", first_name: "A", last_name: "" };
        let origin = services::Origin::default();
        router.call(&Owner::User(USER), origin, &create).await.unwrap_err();
        let get = accounts::Get { viewer: VIEWER.0 };
        router.read_now(&Owner::User(USER), &get).expect("it was written");
        assert!(acquaintances.get(VIEWER, USER).is_err());
        writers.stop();
    }
}
