//! What one operation of a partition reads and writes.

use std::cell::{OnceCell, RefCell};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::ops::{Bound, ControlFlow};

use crate::engine::{Order, Row, Snapshot, Visit};
use crate::ids::Partitions;
use crate::key::Key;
use crate::limits::PENDING_COUNT_MAX;
use crate::outbox::Delivery;
use crate::read::{Read, Rows};
use crate::recent::Recent;
use crate::table::{Keep, RECORD_LAYER, Record, Space, Table};
use crate::{Error, Owner, PartitionId};

/// One operation's access to the rows of its owner.
///
/// Reads see what this operation and the group's earlier ones wrote. What it writes, delivers and pushes counts only if it
/// succeeds, and takes effect when the group is committed. `E` is what is pushed.
pub struct Txn<'g, E = ()> {
    pub(crate) space: Space,
    pub(crate) snapshot: &'g dyn Snapshot,
    pub(crate) changes: &'g mut Changes<E>,
    pub(crate) recent: &'g RefCell<Recent>,
    /// Why the engine could not read, if it could not.
    pub(crate) unread: OnceCell<Error>,
}

impl<E> Txn<'_, E> {
    /// Writes `record` under `key`, in place of the one that is there.
    ///
    /// Costs one allocation, and one put in the batch however often the row is written in the group.
    pub fn put<K: Key, V: Record>(&mut self, table: Table<K, V>, key: &K, record: &V) {
        let key = self.space.row(table, key);
        let mut scratch = std::mem::take(&mut self.changes.scratch);
        scratch.clear();
        scratch.extend_from_slice(&key);
        record.encode(RECORD_LAYER, &mut scratch);
        let row = Row::put(&scratch, key.len());
        self.changes.scratch = scratch;
        self.set(table, row);
    }

    /// Deletes the row under `key`, if there is one. Costs as much as a put.
    pub fn delete<K: Key, V: Record>(&mut self, table: Table<K, V>, key: &K) {
        let key = self.space.row(table, key);
        self.set(table, Row::deleted(&key));
    }

    fn set<K, V>(&mut self, table: Table<K, V>, row: Row) {
        if table.keep != Keep::Nothing {
            self.changes.kept.push((row.clone(), table.keep));
        }
        if table.watched && self.changes.watched.last() != Some(&self.space.owner) {
            self.changes.watched.push(self.space.owner.clone());
        }
        self.changes.set(row);
    }

    /// Sends `operation` to `to` once the group is committed: it is applied there once, after those sent before it from
    /// this partition to that one.
    ///
    /// Costs one allocation and one put.
    ///
    /// # Errors
    ///
    /// [`Error::OutboxFull`], [`Error::TooLong`]. The operation must fail then.
    pub fn deliver(&mut self, to: Owner, operation: &impl tl::Encode) -> Result<(), Error> {
        self.changes.deliver(to, operation)
    }

    /// Notes what is to be done once the group is committed, such as waking the owner's sessions.
    pub fn push(&mut self, effect: E) {
        self.changes.effects.push(effect);
    }

    /// How owners are spread over partitions.
    pub const fn partitions(&self) -> Partitions {
        self.changes.partitions
    }

    /// What was answered for `key` lately, or what `read` answers now.
    fn recently(
        &self,
        key: &[u8],
        read: impl FnOnce(&mut Option<Row>) -> Result<(), Error>,
    ) -> Result<Option<Row>, Error> {
        let known = self.recent.borrow().get(key);
        if let Some(row) = known {
            return Ok(row);
        }
        let mut row = None;
        self.note(read(&mut row))?;
        self.recent.borrow_mut().learn(key, row.clone());
        Ok(row)
    }

    fn note(&self, result: Result<(), Error>) -> Result<(), Error> {
        result.inspect_err(|error| {
            self.unread.get_or_init(|| error.clone());
        })
    }
}

impl<E> Rows for Txn<'_, E> {
    fn space(&self) -> &Space {
        &self.space
    }

    fn get_row(&self, key: &[u8], keep: Keep, visit: &mut dyn FnMut(&[u8])) -> Result<bool, Error> {
        if let Some(row) = self.changes.rows.get(key) {
            return Ok(row.value().map(visit).is_some());
        }
        if keep != Keep::Rows {
            let mut found = false;
            self.note(self.snapshot.get(key, visit).map(|answer| found = answer))?;
            return Ok(found);
        }
        let row = self.recently(key, |row| {
            let mut keep = |value: &[u8]| *row = Some(Row::put(&[key, value].concat(), key.len()));
            self.snapshot.get(key, &mut keep).map(drop)
        })?;
        Ok(row.as_ref().and_then(Row::value).map(visit).is_some())
    }

    /// The first of the changed rows and the one that is kept, unless that one was deleted.
    fn newest_row(
        &self,
        (start, end): (&[u8], &[u8]),
        keep: Keep,
        visit: &mut Visit<'_>,
    ) -> Result<(), Error> {
        if !matches!(keep, Keep::Newest { .. }) {
            return self.scan_rows(start, end, Order::Forward, visit);
        }
        let stored = self.recently(start, |row| {
            self.snapshot.scan(start, end, Order::Forward, &mut |key, value| {
                *row = Some(Row::put(&[key, value].concat(), key.len()));
                ControlFlow::Break(())
            })
        })?;
        let bounds = (Bound::Included(start), Bound::Excluded(end));
        for changed in self.changes.rows.range::<[u8], _>(bounds) {
            match stored.as_ref().map(|stored| changed.cmp(stored)) {
                Some(Ordering::Greater) => break,
                Some(Ordering::Equal) if changed.value().is_none() => {
                    return self.scan_rows(start, end, Order::Forward, visit);
                }
                _ => {}
            }
            if let Some(value) = changed.value() {
                let _ = visit(changed.key(), value);
                return Ok(());
            }
        }
        if let Some(row) = &stored
            && let Some(value) = row.value()
        {
            let _ = visit(row.key(), value);
        }
        Ok(())
    }

    /// Merges the snapshot's rows with the changed ones, which come first and hide those of the same key.
    fn scan_rows(
        &self,
        start: &[u8],
        end: &[u8],
        order: Order,
        visit: &mut Visit<'_>,
    ) -> Result<(), Error> {
        if start >= end {
            return Ok(());
        }
        let bounds = (Bound::Included(start), Bound::Excluded(end));
        let mut rows = self.changes.rows.range::<[u8], _>(bounds);
        let mut next = || match order {
            Order::Forward => rows.next(),
            Order::Backward => rows.next_back(),
        };
        let mut changed = next();
        let mut stopped = false;
        let scanned = self.snapshot.scan(start, end, order, &mut |key, value| {
            while let Some(row) = changed {
                let before = match order {
                    Order::Forward => row.key() < key,
                    Order::Backward => row.key() > key,
                };
                if !before && row.key() != key {
                    break;
                }
                changed = next();
                if let Some(value) = row.value()
                    && visit(row.key(), value).is_break()
                {
                    stopped = true;
                    return ControlFlow::Break(());
                }
                if !before {
                    return ControlFlow::Continue(());
                }
            }
            let flow = visit(key, value);
            stopped = flow.is_break();
            flow
        });
        self.note(scanned)?;
        while let Some(row) = changed
            && !stopped
        {
            changed = next();
            stopped = row.value().is_some_and(|value| visit(row.key(), value).is_break());
        }
        Ok(())
    }
}

impl<E> Read for Txn<'_, E> {}

/// What the operations of a group have changed so far, and how to take back the last one's share.
pub(crate) struct Changes<E> {
    /// The rows as they will be; of one key, the newest.
    pub(crate) rows: BTreeSet<Row>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) effects: Vec<E>,
    /// Rows that are to stay in memory, in the order they were changed.
    pub(crate) kept: Vec<(Row, Keep)>,
    /// Whose watched rows may have changed.
    pub(crate) watched: Vec<Owner>,
    /// The last number given out, by receiver.
    pub(crate) numbers: Vec<u64>,
    partition: PartitionId,
    partitions: Partitions,
    acknowledged: Vec<u64>,
    /// To whom nothing is direct any more.
    indirect: Vec<PartitionId>,
    /// How to take back the rows of the operation that runs, newest last.
    undo: Vec<Undo>,
    scratch: Vec<u8>,
}

enum Undo {
    /// The group had no row of that key.
    Remove(Row),
    /// The group had this row.
    Restore(Row),
}

/// The state before an operation.
pub(crate) struct Savepoint {
    delivery_count: usize,
    effect_count: usize,
    kept_count: usize,
}

impl<E> Changes<E> {
    pub(crate) fn new(outbox: &crate::Outbox) -> Self {
        let (numbers, acknowledged) = outbox.numbers();
        Self {
            rows: BTreeSet::new(),
            deliveries: Vec::new(),
            effects: Vec::new(),
            kept: Vec::new(),
            watched: Vec::new(),
            numbers,
            partition: outbox.partition(),
            partitions: outbox.partitions(),
            acknowledged,
            indirect: Vec::new(),
            undo: Vec::new(),
            scratch: Vec::new(),
        }
    }

    pub(crate) fn savepoint(&mut self) -> Savepoint {
        self.undo.clear();
        Savepoint {
            delivery_count: self.deliveries.len(),
            effect_count: self.effects.len(),
            kept_count: self.kept.len(),
        }
    }

    pub(crate) fn roll_back(&mut self, savepoint: &Savepoint) {
        for undo in self.undo.drain(..).rev() {
            match undo {
                Undo::Remove(row) => self.rows.remove(row.key()),
                Undo::Restore(row) => self.rows.replace(row).is_some(),
            };
        }
        for delivery in self.deliveries.drain(savepoint.delivery_count..) {
            self.numbers[usize::from(delivery.to.0)] -= 1;
        }
        self.effects.truncate(savepoint.effect_count);
        self.kept.truncate(savepoint.kept_count);
    }

    fn set(&mut self, row: Row) {
        let undo = match self.rows.replace(row.clone()) {
            Some(old) => Undo::Restore(old),
            None => Undo::Remove(row),
        };
        self.undo.push(undo);
    }

    fn deliver(&mut self, owner: Owner, operation: &impl tl::Encode) -> Result<(), Error> {
        let to = self.partitions.of(&owner);
        let last = &mut self.numbers[usize::from(to.0)];
        let count = *last - self.acknowledged[usize::from(to.0)];
        if count >= PENDING_COUNT_MAX {
            return Err(Error::OutboxFull { to, count });
        }
        let place = (self.partition, to, *last + 1);
        let delivery = Delivery::encode(&mut self.scratch, place, owner, operation)?;
        *last += 1;
        self.deliveries.push(delivery);
        Ok(())
    }

    /// Whether a delivery to `to` need not wait for any before it.
    pub(crate) fn may_be_direct(&self, outbox: &crate::Outbox, to: PartitionId) -> bool {
        outbox.is_clear(to) && !self.indirect.contains(&to)
    }

    /// Makes the delivery at `index` a direct one, which has been applied.
    pub(crate) fn settled(&mut self, index: usize) {
        let delivery = &mut self.deliveries[index];
        *delivery = delivery.direct();
        self.numbers[usize::from(delivery.to.0)] -= 1;
    }

    /// Leaves the delivery at `index`, and later ones to the same partition, to the outbox.
    pub(crate) fn keep_from(&mut self, index: usize) {
        self.indirect.push(self.deliveries[index].to);
    }

    /// Gives the deliveries that are for the outbox numbers without gaps, where direct ones left some.
    pub(crate) fn renumber(&mut self) {
        let mut numbers = self.numbers.clone();
        for delivery in self.deliveries.iter_mut().rev().filter(|delivery| !delivery.is_direct()) {
            let number = &mut numbers[usize::from(delivery.to.0)];
            if delivery.number != *number {
                *delivery = delivery.renumbered(*number).expect("it was as long before");
            }
            *number -= 1;
        }
    }
}
