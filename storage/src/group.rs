//! Groups: what a partition's writer executes between two writes to the engine.

use std::any::Any;
use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::engine::{Batch, Engine, Snapshot};
use crate::outbox::{Delivery, Outbox};
use crate::round::Round;
use crate::table::Space;
use crate::txn::{Changes, Txn};
use crate::{Error, Owner, PartitionId};

/// Operations of one partition, executed one after another and committed at once.
///
/// ```text
/// begin ──► execute, receive … ──► commit ──► answers, effects, deliveries, acknowledgements are released
/// ```
///
/// Each operation sees what those before it wrote. One that is refused or panics leaves nothing behind. There must be one
/// group of a partition at a time, on a snapshot that has all that was committed before; [`Outbox`] being borrowed sees to
/// the first. `E` is what operations push.
pub struct Group<'s, E = ()> {
    snapshot: &'s dyn Snapshot,
    outbox: &'s mut Outbox,
    changes: Changes<E>,
    /// The last numbers applied, by sender, once a delivery was.
    received: Option<Vec<u64>>,
    /// From whom deliveries came that are to be acknowledged.
    heard: Vec<PartitionId>,
    /// Whether it has rows in the batch of its round.
    written: bool,
}

/// Why an operation was not executed. Nothing of it is left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure<R> {
    /// It said no.
    Refused(R),
    /// It panicked, with this message. A bug.
    Panicked(String),
    /// Its owner is in another partition. A bug of whoever sent it here.
    Misrouted,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt<T, R> {
    /// It was its turn. A refusal or panic counts as applied too: repeating it would bring the same again.
    Applied(Result<T, Failure<R>>),
    /// It has been applied before. It is acknowledged again.
    Duplicate,
    /// Others must come first. Not applied.
    Gap {
        /// The number whose turn it is.
        expected: u64,
    },
    /// The engine failed to read. Not applied; sent again later, it may be.
    Unread(Error),
    /// It is for another partition, or from one that there is none. Not applied.
    Misrouted,
}

/// What may be released now that it is durable.
#[derive(Debug)]
pub struct Committed<E> {
    /// The partition that did it.
    pub partition: PartitionId,
    /// Whether that took a write: not if all was refused, or changed nothing.
    pub written: bool,
    /// What the operations pushed, in order.
    pub effects: Vec<E>,
    /// The owners of which rows of watched tables may have changed.
    pub watched: Vec<Owner>,
    /// What the operations delivered, in order. Send what was not applied directly; it is also in the outbox until
    /// acknowledged.
    pub deliveries: Vec<Delivery>,
    /// Acknowledge to each of these partitions all its deliveries up to this number.
    pub received: Vec<(PartitionId, u64)>,
}

impl<'s, E> Group<'s, E> {
    /// An empty group of the outbox's partition, on a snapshot taken after its last commit.
    ///
    /// If that commit failed, reads from the snapshot what it left.
    ///
    /// # Errors
    ///
    /// Only then: [`Error::Engine`], [`Error::CorruptPartition`].
    pub fn begin(snapshot: &'s dyn Snapshot, outbox: &'s mut Outbox) -> Result<Self, Error> {
        outbox.refresh(snapshot)?;
        let changes = Changes::new(outbox);
        Ok(Self { snapshot, outbox, changes, received: None, heard: Vec::new(), written: false })
    }

    /// The partition whose operations it executes.
    pub const fn partition(&self) -> PartitionId {
        self.outbox.partition()
    }

    /// How many deliveries the operations have made so far: those of one operation are the ones made while it ran. They are released
    /// in this order.
    pub fn delivery_count(&self) -> usize {
        self.changes.deliveries.len()
    }

    /// How many rows a commit would write, those for deliveries included.
    pub fn row_count(&self) -> usize {
        self.changes.rows.len()
            + self.changes.deliveries.iter().filter(|delivery| !delivery.is_direct()).count()
            + usize::from(self.received.is_some())
    }

    /// Executes an operation addressed to `owner`.
    ///
    /// # Errors
    ///
    /// See [`Failure`]: nothing of the operation is left.
    pub fn execute<T, R>(
        &mut self,
        owner: &Owner,
        operation: impl FnOnce(&mut Txn<'_, E>) -> Result<T, R>,
    ) -> Result<T, Failure<R>> {
        self.run(owner, operation).0
    }

    /// Executes the operation of a delivery, if it is its turn. Costs one put a group, however many are received; a direct
    /// one, whose turn it always is, none.
    pub fn receive<T, R>(
        &mut self,
        delivery: &Delivery,
        operation: impl FnOnce(&mut Txn<'_, E>) -> Result<T, R>,
    ) -> Receipt<T, R> {
        if delivery.is_direct() {
            return match self.run(&delivery.owner, operation) {
                (_, Some(error)) => Receipt::Unread(error),
                (Err(Failure::Misrouted), None) => Receipt::Misrouted,
                (result, None) => Receipt::Applied(result),
            };
        }
        let from = usize::from(delivery.from.0);
        let received = self.received_numbers();
        let Some(last) = received.get(from).filter(|_| delivery.to == self.partition()) else {
            return Receipt::Misrouted;
        };
        let expected = last + 1;
        if delivery.number > expected {
            return Receipt::Gap { expected };
        }
        if delivery.number == expected {
            let result = match self.run(&delivery.owner, operation) {
                (_, Some(error)) => return Receipt::Unread(error),
                (Err(Failure::Misrouted), None) => return Receipt::Misrouted,
                (result, None) => result,
            };
            let outbox = &self.outbox;
            self.received.get_or_insert_with(|| outbox.received_numbers().to_vec())[from] =
                expected;
            self.hear(delivery.from);
            return Receipt::Applied(result);
        }
        self.hear(delivery.from);
        Receipt::Duplicate
    }

    /// Writes what the operations changed, and syncs. Writes nothing if nothing changed.
    ///
    /// # Errors
    ///
    /// See [`Engine::write`]: nothing may be released, and of what the operations did nothing may be believed.
    pub fn commit(self, engine: &dyn Engine) -> Result<Committed<E>, Error> {
        let mut committed = Round::from(self).commit(engine)?;
        Ok(committed.pop().expect("one group was committed"))
    }

    fn received_numbers(&self) -> &[u64] {
        match &self.received {
            Some(received) => received,
            None => self.outbox.received_numbers(),
        }
    }

    fn hear(&mut self, from: PartitionId) {
        if !self.heard.contains(&from) {
            self.heard.push(from);
        }
    }

    /// Runs an operation; also answers why the engine failed to read, if it did. Then nothing of the operation is left.
    fn run<T, R>(
        &mut self,
        owner: &Owner,
        operation: impl FnOnce(&mut Txn<'_, E>) -> Result<T, R>,
    ) -> (Result<T, Failure<R>>, Option<Error>) {
        let space = Space::new(owner.clone());
        if !self.outbox.has(space.bucket) {
            return (Err(Failure::Misrouted), None);
        }
        let savepoint = self.changes.savepoint();
        let mut txn = Txn {
            space,
            snapshot: self.snapshot,
            changes: &mut self.changes,
            recent: &self.outbox.recent,
            unread: OnceCell::new(),
        };
        // What a panic may have left half done is taken back below.
        let outcome = catch_unwind(AssertUnwindSafe(|| operation(&mut txn)));
        let unread = txn.unread.take();
        let result = match outcome {
            Ok(Ok(answer)) if unread.is_none() => return (Ok(answer), None),
            Ok(result) => result.map_err(Failure::Refused),
            Err(panic) => Err(Failure::Panicked(message(&*panic))),
        };
        self.changes.roll_back(&savepoint);
        (result, unread)
    }
}

impl<'s, E> Group<'s, E> {
    /// The first delivery from the `from`th on that nothing but the own round has to wait for, as a direct one.
    pub(crate) fn next_direct(&self, from: usize) -> Option<(usize, Delivery)> {
        let new = self.changes.deliveries.iter().enumerate().skip(from);
        let mut new = new.filter(|(_, delivery)| !delivery.is_direct());
        new.find(|(_, delivery)| self.changes.may_be_direct(self.outbox, delivery.to))
            .map(|(index, delivery)| (index, delivery.direct()))
    }

    /// Notes that the delivery at `index` was applied: it needs no row, and no number.
    pub(crate) fn settled(&mut self, index: usize) {
        self.changes.settled(index);
    }

    /// Leaves the delivery at `index` to the outbox, and all after it to the same partition.
    pub(crate) fn keep_from(&mut self, index: usize) {
        self.changes.keep_from(index);
    }

    /// Notes that it is unknown what a commit wrote.
    pub(crate) fn doubt(&mut self) {
        self.outbox.doubt();
    }

    pub(crate) const fn snapshot(&self) -> &'s dyn Snapshot {
        self.snapshot
    }

    /// Moves the changed rows into `batch`. The deletion of acknowledged deliveries waits for a group that changes any.
    pub(crate) fn collect(&mut self, batch: &mut Batch) {
        if self.row_count() == 0 {
            return;
        }
        self.written = true;
        batch.rows.reserve(self.row_count());
        batch.rows.extend(std::mem::take(&mut self.changes.rows));
        self.changes.renumber();
        let kept = self.changes.deliveries.iter().filter(|delivery| !delivery.is_direct());
        batch.rows.extend(kept.map(|delivery| delivery.row.clone()));
        batch
            .rows
            .extend(self.received.as_deref().map(|numbers| self.outbox.received_row(numbers)));
        batch.cleared.extend(self.outbox.clear(&self.changes.numbers));
    }

    pub(crate) fn release(mut self) -> Committed<E> {
        self.outbox.committed(&self.changes.numbers, self.received);
        let recent = self.outbox.recent.get_mut();
        self.changes.kept.drain(..).for_each(|(row, keep)| recent.committed(row, keep));
        let received = self.heard.iter().map(|from| (*from, self.outbox.received(*from)));
        Committed {
            partition: self.outbox.partition(),
            received: received.collect(),
            written: self.written,
            effects: self.changes.effects,
            watched: self.changes.watched,
            deliveries: self.changes.deliveries,
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without message").into()
}
