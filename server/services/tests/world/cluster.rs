//! Partitions on one engine that may fail, and the way between them, which loses, repeats and reorders.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use services::{Origin, Pushed, UnixTime, partition};
use storage::format::PARTITION_SPACE;
use storage::{
    Delivery, Engine, Fault, Group, Memory, Order, Outbox, Owner, PartitionId, Partitions,
    RECORD_LAYER, Receipt, Round, View,
};

use super::Random;

/// What came of a call.
pub(crate) enum Outcome {
    Answered(Vec<u8>),
    Refused(services::Error),
    /// The write failed: nobody knows whether it happened.
    Unknown,
}

pub(crate) struct Cluster {
    pub(crate) engine: Memory,
    partitions: Partitions,
    outboxes: Vec<Outbox>,
    /// Deliveries on their way, in no order.
    wire: Vec<Delivery>,
    /// Acknowledgements on their way: from whom, to whom, up to which number.
    acknowledgements: Vec<(PartitionId, PartitionId, u64)>,
    /// The last delivery that was applied, by its way; not for those to a partition that just failed to write.
    applied: BTreeMap<(PartitionId, PartitionId), u64>,
    /// Between which partitions nothing comes through at the moment.
    held_back: BTreeSet<(PartitionId, PartitionId)>,
    pub(crate) pushed: Vec<Pushed>,
    pub(crate) now: i32,
    /// How often power went: all that was only in memory is gone then.
    pub(crate) crashes: u32,
    healthy: bool,
}

impl Cluster {
    pub(crate) fn new(partitions: u16) -> Self {
        let partitions = Partitions::new(partitions).unwrap();
        let ways = partitions.iter().flat_map(|from| partitions.iter().map(move |to| (from, to)));
        let mut cluster = Self {
            engine: Memory::new(),
            partitions,
            applied: ways.map(|way| (way, 0)).collect(),
            outboxes: Vec::new(),
            wire: Vec::new(),
            acknowledgements: Vec::new(),
            held_back: BTreeSet::new(),
            pushed: Vec::new(),
            now: 1_700_000_000,
            crashes: 0,
            healthy: false,
        };
        cluster.load();
        cluster
    }

    fn load(&mut self) {
        let snapshot = self.engine.snapshot();
        let load = |id| Outbox::load(&*snapshot, id, self.partitions).unwrap();
        self.outboxes = self.partitions.iter().map(load).collect();
    }

    /// Executes a call, and with it some of the deliveries that wait for the same partition. What is refused leaves nothing.
    pub(crate) fn call(
        &mut self,
        random: &mut Random,
        owner: &Owner,
        origin: Origin,
        operation: &[u8],
    ) -> Outcome {
        let to = self.partitions.of(owner);
        let mut answer = None;
        let written = self.group(to, random, |group, now| {
            let result = partition::write(group, owner, now, origin, operation);
            assert!(result.is_ok() || group.row_count() == 0, "a row of what failed: {result:?}");
            answer = Some(result);
        });
        match answer {
            _ if !written => Outcome::Unknown,
            Some(Ok(answer)) => Outcome::Answered(answer),
            Some(Err(storage::Failure::Refused(error))) => Outcome::Refused(error),
            other => panic!("{other:?}"),
        }
    }

    /// One round of a partition's writer. Answers whether it was written.
    fn group(
        &mut self,
        to: PartitionId,
        random: &mut Random,
        first: impl FnOnce(&mut Group<'_, Pushed>, UnixTime),
    ) -> bool {
        let now = UnixTime(self.now);
        let snapshot = self.engine.snapshot();
        let mut round = Round::begin(&*snapshot, &mut self.outboxes);
        let group = round.group(to).unwrap().unwrap();
        first(group, now);
        let mut applied = self.applied.clone();
        for at in (0..self.wire.len()).rev() {
            let way = (self.wire[at].from, self.wire[at].to);
            if way.1 != to || self.held_back.contains(&way) || random.one_in(3) {
                continue;
            }
            let delivery = self.wire[at].clone();
            let last = applied.get(&way).copied();
            match partition::receive(group, now, &delivery) {
                Receipt::Applied(result) => {
                    assert!(result.is_ok(), "{result:?}");
                    assert!(last.is_none_or(|last| delivery.number == last + 1), "out of turn");
                    applied.insert(way, delivery.number);
                }
                Receipt::Duplicate => assert!(last.is_none_or(|last| delivery.number <= last)),
                Receipt::Gap { .. } => assert!(last.is_none_or(|last| delivery.number > last + 1)),
                other => panic!("{other:?}"),
            }
            // Some stay on the way and arrive once more.
            if !random.one_in(4) {
                self.wire.swap_remove(at);
            }
        }
        // As by a thread that has all partitions, now and then.
        if random.one_in(2) {
            round.settle(random.below(8), |group, delivery| {
                let receipt = partition::receive(group, now, delivery);
                assert!(matches!(receipt, Receipt::Applied(Ok(_))), "{receipt:?}");
                receipt
            });
        }
        let Ok(committed) = round.commit(&self.engine) else {
            drop(snapshot);
            self.applied.retain(|way, _| way.1 != to);
            if !self.engine.has_power() {
                self.crash();
            }
            return false;
        };
        self.applied = applied;
        for committed in committed {
            self.pushed.extend(committed.effects);
            for (from, number) in committed.received {
                self.acknowledgements.push((from, committed.partition, number));
            }
            for delivery in committed.deliveries {
                if !delivery.is_direct() && (self.healthy || !random.one_in(4)) {
                    self.wire.push(delivery);
                }
            }
        }
        true
    }

    fn crash(&mut self) {
        self.engine = self.engine.restarted(0);
        self.wire.clear();
        self.acknowledgements.clear();
        self.pushed.clear();
        self.crashes += 1;
        self.load();
    }

    /// Brings some deliveries and acknowledgements to where they belong.
    pub(crate) fn carry(&mut self, random: &mut Random) {
        if let Some(delivery) = self.wire.get(random.below(self.wire.len().max(1))) {
            let to = delivery.to;
            self.group(to, random, |_, _| ());
        }
        let acknowledgements = std::mem::take(&mut self.acknowledgements);
        for (from, to, number) in acknowledgements {
            if self.healthy || !random.one_in(3) {
                self.outboxes[usize::from(from.0)].acknowledge(to, number).unwrap();
            }
        }
    }

    /// Sends again what a partition has no acknowledgement for.
    pub(crate) fn resend(&mut self, random: &mut Random) {
        let snapshot = self.engine.snapshot();
        let outbox = &self.outboxes[random.below(self.outboxes.len())];
        let waiting: Vec<_> = outbox.waiting().collect();
        for (to, numbers) in waiting {
            let after = numbers.start() - 1;
            self.wire.extend(outbox.pending(&*snapshot, to, after, 50).unwrap());
        }
    }

    /// From now on half of the ways between partitions let nothing through.
    pub(crate) fn hold_back(&mut self, random: &mut Random) {
        let ways = self.partitions.iter().flat_map(|from| {
            self.partitions.iter().map(move |to| (from, to)).filter(|(from, to)| from != to)
        });
        self.held_back = ways.filter(|_| random.one_in(2)).collect();
    }

    /// Lets one of the next writes fail.
    pub(crate) fn break_soon(&mut self, random: &mut Random) {
        let faults = [Fault::Refused, Fault::Unheard, Fault::PowerBefore, Fault::PowerAfter];
        let fault = faults[random.below(faults.len())];
        self.engine.inject(1 + random.below(5) as u64, fault);
    }

    /// From now on nothing fails.
    pub(crate) fn heal(&mut self) {
        self.crash();
        self.held_back.clear();
        self.healthy = true;
    }

    /// Whether nothing is on its way.
    pub(crate) fn idle(&self) -> bool {
        self.wire.is_empty()
            && self.acknowledgements.is_empty()
            && self.outboxes.iter().all(|outbox| outbox.waiting().next().is_none())
    }

    /// Reads rows.
    pub(crate) fn view<T>(&self, owner: Owner, read: impl FnOnce(&View<'_>) -> T) -> T {
        let snapshot = self.engine.snapshot();
        read(&View::new(&*snapshot, owner))
    }

    /// Executes a read operation.
    pub(crate) fn read(&self, owner: Owner, operation: &[u8]) -> Vec<u8> {
        self.view(owner, |view| partition::read(view, UnixTime(self.now), operation).unwrap())
    }

    /// Whether every row is a record, and all that was delivered was applied. Nothing may be on its way.
    pub(crate) fn check_rows(&self) {
        assert!(self.idle());
        let snapshot = self.engine.snapshot();
        let mut check = |key: &[u8], value: &[u8]| {
            let again = tl::records::any::value(value, RECORD_LAYER);
            assert_eq!(again.as_deref(), Ok(value), "the row at {key:02x?}");
            ControlFlow::Continue(())
        };
        snapshot.scan(&[], &[PARTITION_SPACE], Order::Forward, &mut check).unwrap();
        for from in self.partitions.iter() {
            // Freshly loaded, it knows of no acknowledgement.
            let outbox = Outbox::load(&*snapshot, from, self.partitions).unwrap();
            for (to, numbers) in outbox.waiting() {
                let applied = self.applied.get(&(from, to));
                assert!(applied.is_none_or(|last| last == numbers.end()), "{from:?} to {to:?}");
            }
        }
    }
}
