//! Deliveries to other partitions: written with the rows, sent after, applied once and in order.
//!
//! ```text
//! sender                                      receiver
//! operation delivers: number = last + 1
//! commit: rows + delivery, one batch
//!                     ── delivery n ──►       n = received + 1: applied, received = n, one batch
//!                                             n <= received: duplicate
//!                                             n >  received + 1: gap, not applied
//!                     ◄── acknowledge n ──    after the commit
//! a later commit deletes rows <= n
//! ```
//!
//! Deliveries of a pair of partitions are numbered 1, 2, 3 … The last one of a pair keeps its row until the next one has
//! one: so the number to go on with is found in the rows, and costs no write of its own. What was acknowledged is not
//! stored either: the receiver knows it, and a delivery sent once too often is a duplicate.
//!
//! A delivery within a [`crate::Round`] takes none of this way: it is direct. As long as a pair has one that is not
//! acknowledged, those after it are not, so that their order stays.
//!
//! Costs: one put a delivery, one put a group for all it received, one deletion of a range for every
//! [`ACKNOWLEDGED_COUNT_MAX`] deliveries of a pair.

use std::cell::RefCell;
use std::ops::{ControlFlow, RangeInclusive};

use crate::engine::{Order, Row, Snapshot};
use crate::format::{DELIVERIES, RECEIVED, partition_space};
use crate::ids::{Bucket, Partitions};
use crate::key::{Key, KeyBuf, KeyReader};
use crate::limits::{ACKNOWLEDGED_COUNT_MAX, OPERATION_LEN_MAX};
use crate::recent::Recent;
use crate::table::{RECORD_LAYER, next_prefix};
use crate::{Error, Owner, PartitionId};

/// The first byte of what a partition stores for itself. Another layout would get another one.
const VERSION: u8 = 1;

/// An operation on its way to an owner in another (or the same) partition.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Whose outbox it is in.
    pub from: PartitionId,
    /// Where the owner is.
    pub to: PartitionId,
    /// Its place among those of the pair, from 1 on; 0 if it is direct.
    pub number: u64,
    /// To whom it is addressed.
    pub owner: Owner,
    /// The outbox row, shared with the batch: version, owner, operation.
    pub(crate) row: Row,
    operation_at: usize,
    direct: bool,
}

impl Delivery {
    /// The delivery with these parts, as when it came over a wire.
    ///
    /// # Errors
    ///
    /// [`Error::TooLong`].
    pub fn new(
        from: PartitionId,
        to: PartitionId,
        number: u64,
        owner: Owner,
        operation: &[u8],
    ) -> Result<Self, Error> {
        Self::build(&mut Vec::new(), (from, to, number), owner, |out| out.extend(operation))
    }

    /// The delivery of `operation`, encoded once, into the row; `scratch` is for that.
    pub(crate) fn encode(
        scratch: &mut Vec<u8>,
        place: (PartitionId, PartitionId, u64),
        owner: Owner,
        operation: &impl tl::Encode,
    ) -> Result<Self, Error> {
        Self::build(scratch, place, owner, |out| operation.encode(RECORD_LAYER, out))
    }

    fn build(
        scratch: &mut Vec<u8>,
        (from, to, number): (PartitionId, PartitionId, u64),
        owner: Owner,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<Self, Error> {
        let mut head = row_key(from, to, number);
        let key_len = head.len();
        head.push(VERSION);
        owner.encode(&mut head);
        scratch.clear();
        scratch.extend_from_slice(&head);
        write(scratch);
        let len = scratch.len() - head.len();
        if len > OPERATION_LEN_MAX {
            return Err(Error::TooLong { len });
        }
        let row = Row::put(scratch, key_len);
        let operation_at = head.len() - key_len;
        Ok(Self { from, to, number, owner, row, operation_at, direct: false })
    }

    /// Whether it is applied in the round that makes it: it has no number and no row then.
    pub const fn is_direct(&self) -> bool {
        self.direct
    }

    /// The same as a direct one.
    pub(crate) fn direct(&self) -> Self {
        Self { number: 0, direct: true, ..self.clone() }
    }

    /// The same with another number.
    pub(crate) fn renumbered(&self, number: u64) -> Result<Self, Error> {
        Self::new(self.from, self.to, number, self.owner.clone(), self.operation())
    }

    /// The encoded operation.
    pub fn operation(&self) -> &[u8] {
        &self.row.value().unwrap_or_default()[self.operation_at..]
    }

    fn decode(from: PartitionId, key: &[u8], value: &[u8]) -> Option<Self> {
        let (to, number) = decode_key(key)?;
        let mut reader = KeyReader::new(value);
        if u8::decode(&mut reader)? != VERSION {
            return None;
        }
        let owner = Owner::decode(&mut reader)?;
        let operation_at = value.len() - reader.rest().len();
        let row = Row::put(&[key, value].concat(), key.len());
        Some(Self { from, to, number, owner, row, operation_at, direct: false })
    }
}

/// What a partition's writer has to remember of what it sent to and received from the others.
#[derive(Debug)]
pub struct Outbox {
    partition: PartitionId,
    partitions: Partitions,
    /// By receiver.
    sent: Vec<Sent>,
    /// The last number applied, by sender.
    received: Vec<u64>,
    /// Whether it is unknown what the last commit wrote.
    stale: bool,
    /// What its writer need not read again.
    pub(crate) recent: RefCell<Recent>,
}

/// The deliveries to one receiver.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    /// The number of the last one.
    last: u64,
    /// All up to this one are known to have been applied.
    acknowledged: u64,
    /// All before this one have no row any more.
    kept: u64,
}

impl Outbox {
    /// What `snapshot` says of `partition`. Costs two look-ups for each receiver it ever had.
    ///
    /// # Errors
    ///
    /// [`Error::CorruptPartition`], [`Error::Engine`].
    pub fn load(
        snapshot: &dyn Snapshot,
        partition: PartitionId,
        partitions: Partitions,
    ) -> Result<Self, Error> {
        let mut sent = vec![Sent { kept: 1, ..Sent::default() }; usize::from(partitions.count())];
        let mut start = pairs_key(partition);
        let end = next_prefix(&start);
        while let Some((to, kept)) = edge(snapshot, partition, (&start, &end), Order::Forward)? {
            let next = next_prefix(&pair_key(partition, to));
            let last = edge(snapshot, partition, (&start, &next), Order::Backward)?;
            let slot = sent.get_mut(usize::from(to.0));
            let (Some(slot), Some((_, last))) = (slot, last) else {
                return Err(corrupt(partition, "a delivery to a partition that there is none"));
            };
            *slot = Sent { last, acknowledged: kept - 1, kept };
            start = next;
        }
        let received = load_received(snapshot, partition, partitions)?;
        let recent = RefCell::default();
        Ok(Self { partition, partitions, sent, received, stale: false, recent })
    }

    /// The partition it belongs to.
    pub const fn partition(&self) -> PartitionId {
        self.partition
    }

    /// How many partitions there are.
    pub const fn partitions(&self) -> Partitions {
        self.partitions
    }

    /// The number of the last delivery from `from` that was durably applied; 0 if none was.
    pub fn received(&self, from: PartitionId) -> u64 {
        self.received.get(usize::from(from.0)).copied().unwrap_or(0)
    }

    /// Notes that `to` has durably applied all deliveries up to `number`. A later commit deletes their rows.
    ///
    /// # Errors
    ///
    /// [`Error::CorruptPartition`] if there is no such delivery: one of both stores is not what it was. Stop, because the
    /// receiver would take the next deliveries for duplicates.
    pub fn acknowledge(&mut self, to: PartitionId, number: u64) -> Result<(), Error> {
        match self.sent.get_mut(usize::from(to.0)) {
            Some(sent) if number <= sent.last => {
                sent.acknowledged = sent.acknowledged.max(number);
                Ok(())
            }
            // What the last commit wrote is not known yet.
            Some(_) if self.stale => Ok(()),
            _ => Err(corrupt(self.partition, "a delivery was acknowledged that was never sent")),
        }
    }

    /// The receivers that have not acknowledged all, and the numbers that they have not.
    ///
    /// After a start these are all that have a row, acknowledged or not.
    pub fn waiting(&self) -> impl Iterator<Item = (PartitionId, RangeInclusive<u64>)> {
        self.partitions.iter().filter_map(|to| Some((to, self.unacknowledged(to)?)))
    }

    /// The numbers that `to` has not acknowledged, if there are any.
    pub fn unacknowledged(&self, to: PartitionId) -> Option<RangeInclusive<u64>> {
        let sent = self.sent.get(usize::from(to.0))?;
        (sent.acknowledged < sent.last).then_some(sent.acknowledged + 1..=sent.last)
    }

    /// The first `limit` deliveries to `to` with numbers above `after`, in order, to be sent (again).
    ///
    /// # Errors
    ///
    /// [`Error::CorruptPartition`], [`Error::Engine`].
    pub fn pending(
        &self,
        snapshot: &dyn Snapshot,
        to: PartitionId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Delivery>, Error> {
        let mut found = Vec::new();
        let acknowledged = self.sent.get(usize::from(to.0)).map_or(0, |sent| sent.acknowledged);
        let start = row_key(self.partition, to, after.max(acknowledged).saturating_add(1));
        let end = next_prefix(&pair_key(self.partition, to));
        let mut intact = true;
        snapshot.scan(&start, &end, Order::Forward, &mut |key, value| {
            if found.len() == limit {
                return ControlFlow::Break(());
            }
            let delivery = Delivery::decode(self.partition, key, value);
            intact = delivery.is_some();
            found.extend(delivery);
            if intact { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        if !intact {
            return Err(corrupt(self.partition, "a delivery cannot be read"));
        }
        Ok(found)
    }

    /// Whether owners in `bucket` are in this partition.
    pub(crate) fn has(&self, bucket: Bucket) -> bool {
        self.partitions.of_bucket(bucket) == self.partition
    }

    /// Whether `to` has applied all that was sent to it.
    pub(crate) fn is_clear(&self, to: PartitionId) -> bool {
        self.sent.get(usize::from(to.0)).is_some_and(|sent| sent.acknowledged == sent.last)
    }

    /// The last numbers given out, by receiver, and those acknowledged.
    pub(crate) fn numbers(&self) -> (Vec<u64>, Vec<u64>) {
        self.sent.iter().map(|sent| (sent.last, sent.acknowledged)).unzip()
    }

    /// The last numbers applied, by sender.
    pub(crate) fn received_numbers(&self) -> &[u64] {
        &self.received
    }

    /// The ranges of rows that may go now that the last numbers given out are `last`.
    pub(crate) fn clear(&self, last: &[u64]) -> impl Iterator<Item = (Vec<u8>, Vec<u8>)> {
        self.partitions.iter().zip(self.sent.iter().zip(last)).filter_map(|(to, (sent, last))| {
            let end = sent.clearable(*last)?;
            let key = |number| row_key(self.partition, to, number).to_vec();
            Some((key(sent.kept), key(end)))
        })
    }

    /// The row with the numbers received.
    pub(crate) fn received_row(&self, received: &[u64]) -> Row {
        let key = received_key(self.partition);
        let mut row = Vec::with_capacity(key.len() + 1 + 8 * received.len());
        row.extend_from_slice(&key);
        row.push(VERSION);
        row.extend(received.iter().flat_map(|number| number.to_be_bytes()));
        Row::put(&row, key.len())
    }

    /// Takes over what was committed.
    pub(crate) fn committed(&mut self, last: &[u64], received: Option<Vec<u64>>) {
        for (sent, last) in self.sent.iter_mut().zip(last) {
            sent.kept = sent.clearable(*last).unwrap_or(sent.kept);
            sent.last = *last;
        }
        self.received = received.unwrap_or_else(|| std::mem::take(&mut self.received));
    }

    /// Notes that a commit failed: it may have been written or not.
    pub(crate) fn doubt(&mut self) {
        self.stale = true;
    }

    /// Reads again what a failed commit left, if one failed since it was last known. Until then [`Self::waiting`] does
    /// not know of deliveries that were written all the same. [`crate::Group::begin`] does it too.
    ///
    /// # Errors
    ///
    /// As for [`Self::load`].
    pub fn refresh(&mut self, snapshot: &dyn Snapshot) -> Result<(), Error> {
        if self.stale {
            let mut now = Self::load(snapshot, self.partition, self.partitions)?;
            for (now, old) in now.sent.iter_mut().zip(&self.sent) {
                now.acknowledged = now.acknowledged.max(old.acknowledged.min(now.last));
            }
            *self = now;
        }
        Ok(())
    }
}

impl Sent {
    /// The number before which rows may go, once enough have been acknowledged to make it worth a range.
    fn clearable(self, last: u64) -> Option<u64> {
        let end = (self.acknowledged + 1).min(last);
        (end >= self.kept + ACKNOWLEDGED_COUNT_MAX).then_some(end)
    }
}

fn pairs_key(from: PartitionId) -> KeyBuf {
    let mut key = KeyBuf::new();
    key.extend(&partition_space(from));
    key.push(DELIVERIES);
    key
}

fn pair_key(from: PartitionId, to: PartitionId) -> KeyBuf {
    let mut key = pairs_key(from);
    to.encode(&mut key);
    key
}

fn row_key(from: PartitionId, to: PartitionId, number: u64) -> KeyBuf {
    let mut key = pair_key(from, to);
    number.encode(&mut key);
    key
}

fn received_key(partition: PartitionId) -> KeyBuf {
    let mut key = KeyBuf::new();
    key.extend(&partition_space(partition));
    key.push(RECEIVED);
    key
}

fn decode_key(key: &[u8]) -> Option<(PartitionId, u64)> {
    let mut reader = KeyReader::new(key.get(3..)?);
    let place = (PartitionId::decode(&mut reader)?, u64::decode(&mut reader)?);
    (reader.is_empty() && place.1 > 0).then_some(place)
}

/// Receiver and number of the first or last delivery in a range.
fn edge(
    snapshot: &dyn Snapshot,
    from: PartitionId,
    (start, end): (&[u8], &[u8]),
    order: Order,
) -> Result<Option<(PartitionId, u64)>, Error> {
    let mut found = None;
    snapshot.scan(start, end, order, &mut |key, _| {
        found = Some(decode_key(key));
        ControlFlow::Break(())
    })?;
    match found {
        None => Ok(None),
        Some(Some(place)) => Ok(Some(place)),
        Some(None) => Err(corrupt(from, "the key of a delivery cannot be read")),
    }
}

fn load_received(
    snapshot: &dyn Snapshot,
    partition: PartitionId,
    partitions: Partitions,
) -> Result<Vec<u64>, Error> {
    let count = usize::from(partitions.count());
    let mut received = Some(vec![0; count]);
    snapshot.get(&received_key(partition), &mut |value| {
        received = value.split_first().and_then(|(version, numbers)| {
            let (numbers, rest) = numbers.as_chunks();
            (*version == VERSION && rest.is_empty() && numbers.len() == count)
                .then(|| numbers.iter().map(|bytes| u64::from_be_bytes(*bytes)).collect())
        });
    })?;
    received.ok_or_else(|| corrupt(partition, "the received numbers cannot be read"))
}

fn corrupt(partition: PartitionId, reason: &str) -> Error {
    Error::CorruptPartition { partition, reason: reason.into() }
}
