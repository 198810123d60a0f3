//! Rounds: what one thread executes in all its partitions between two writes to the engine.
//!
//! ```text
//! begin ──► group(partition).execute, .receive … ──► settle ──► commit
//!                                                      │
//!                  deliveries among these partitions are applied here, and never written
//! ```
//!
//! A delivery between two partitions of a round needs no outbox: what made it and what it does are written by the same
//! batch, or not at all. It has no number and no row, and nobody acknowledges it. So a message from one user to another
//! costs one sync, not two, wherever one thread has both partitions.

use crate::engine::{Batch, Durability, Engine, Snapshot};
use crate::group::{Committed, Group, Receipt};
use crate::outbox::{Delivery, Outbox};
use crate::{Error, PartitionId};

/// Groups of several partitions, on one snapshot, committed at once.
pub struct Round<'s, E = ()> {
    snapshot: &'s dyn Snapshot,
    /// By their partitions' numbers.
    places: Vec<Place<'s, E>>,
}

/// A partition of a round: its outbox until something is executed there, its group from then on.
struct Place<'s, E> {
    partition: PartitionId,
    outbox: Option<&'s mut Outbox>,
    group: Option<Group<'s, E>>,
}

impl<'s, E> Round<'s, E> {
    /// A round of the partitions of `outboxes`, on a snapshot that has all that was committed before.
    pub fn begin(
        snapshot: &'s dyn Snapshot,
        outboxes: impl IntoIterator<Item = &'s mut Outbox>,
    ) -> Self {
        let place = |outbox: &'s mut Outbox| Place {
            partition: outbox.partition(),
            outbox: Some(outbox),
            group: None,
        };
        let mut places: Vec<_> = outboxes.into_iter().map(place).collect();
        places.sort_unstable_by_key(|place| place.partition);
        Self { snapshot, places }
    }

    /// The group of `partition`; `None` if that is not of this round.
    ///
    /// # Errors
    ///
    /// As [`Group::begin`]. The partition is out of this round then.
    pub fn group(&mut self, partition: PartitionId) -> Result<Option<&mut Group<'s, E>>, Error> {
        let Ok(at) = self.places.binary_search_by_key(&partition, |place| place.partition) else {
            return Ok(None);
        };
        let place = &mut self.places[at];
        if let Some(outbox) = place.outbox.take() {
            place.group = Some(Group::begin(self.snapshot, outbox)?);
        }
        Ok(place.group.as_mut())
    }

    /// Applies deliveries between partitions of this round by `receive`, which is to call [`Group::receive`], and those that
    /// come of them, up to `limit`.
    ///
    /// Deliveries of a pair stay in order: while an earlier one is in the outbox, so are those after it. What cannot be
    /// applied because the engine fails to read goes there as well.
    pub fn settle<T, R>(
        &mut self,
        limit: usize,
        mut receive: impl FnMut(&mut Group<'s, E>, &Delivery) -> Receipt<T, R>,
    ) {
        let mut left = limit;
        loop {
            let before = left;
            for at in 0..self.places.len() {
                self.settle_from(at, &mut left, &mut receive);
            }
            if left == before || left == 0 {
                return;
            }
        }
    }

    fn settle_from<T, R>(
        &mut self,
        at: usize,
        left: &mut usize,
        receive: &mut impl FnMut(&mut Group<'s, E>, &Delivery) -> Receipt<T, R>,
    ) {
        let mut next = 0;
        while *left > 0 {
            let Some(group) = &mut self.places[at].group else { return };
            let Some((index, delivery)) = group.next_direct(next) else { return };
            next = index + 1;
            let applied = match self.group(delivery.to) {
                Ok(Some(to)) => !matches!(receive(to, &delivery), Receipt::Unread(_)),
                Ok(None) | Err(_) => false,
            };
            if let Some(group) = &mut self.places[at].group {
                if applied {
                    *left -= 1;
                    group.settled(index);
                } else {
                    group.keep_from(index);
                }
            }
        }
    }

    /// Writes what the operations changed by one write and one sync. Writes nothing if nothing changed. What may be
    /// released comes back by partition.
    ///
    /// # Errors
    ///
    /// See [`Engine::write`]: nothing may be released, and of what the operations did nothing may be believed.
    pub fn commit(self, engine: &dyn Engine) -> Result<Vec<Committed<E>>, Error> {
        let mut groups: Vec<_> = self.places.into_iter().filter_map(|place| place.group).collect();
        let mut batch = Batch::default();
        for group in &mut groups {
            group.collect(&mut batch);
        }
        if !batch.is_empty() {
            engine.write(&batch, Durability::Synced).inspect_err(|_| {
                groups.iter_mut().for_each(Group::doubt);
            })?;
        }
        Ok(groups.into_iter().map(Group::release).collect())
    }
}

impl<'s, E> From<Group<'s, E>> for Round<'s, E> {
    /// A round of one group.
    fn from(group: Group<'s, E>) -> Self {
        let partition = group.partition();
        let snapshot = group.snapshot();
        Self { snapshot, places: vec![Place { partition, outbox: None, group: Some(group) }] }
    }
}
