//! A cluster in a value: partitions on one memory engine, deliveries that are carried between them at once.

#![allow(dead_code, clippy::allow_attributes, reason = "each test file uses a part of it")]

pub(crate) mod media;

use std::collections::VecDeque;

use services::{Error, Origin, Pushed, UnixTime, partition};
use storage::{
    Delivery, Engine, Failure, Group, Memory, Outbox, Owner, Partitions, RECORD_LAYER, Receipt,
    UserId, View,
};
use tl::operations::enums::{Effect, Refusal};
use tl::operations::functions;
use tl::{Decode, Encode, Method};

/// The date at which tests begin.
pub(crate) const START: i32 = 1_700_000_000;

/// Users whom [`Cluster::new`] creates.
pub(crate) const ALICE: i64 = 1_000_000_001;
pub(crate) const BOB: i64 = 1_000_000_002;
pub(crate) const CAROL: i64 = 1_000_000_003;

pub(crate) fn user(id: i64) -> Owner {
    Owner::User(UserId(id))
}

/// Partitions and the deliveries between them, without faults.
pub(crate) struct Cluster {
    pub(crate) engine: Memory,
    pub(crate) partitions: Partitions,
    outboxes: Vec<Outbox>,
    /// The time, which tests move.
    pub(crate) now: i32,
    /// What was pushed since it was last taken.
    pub(crate) pushed: Vec<Pushed>,
}

impl Cluster {
    /// Seven partitions, with Alice, Bob and Carol.
    pub(crate) fn new() -> Self {
        let mut cluster = Self::empty();
        for (id, name) in [(ALICE, "Alice"), (BOB, "Bob"), (CAROL, "Carol")] {
            let phone = format!("99966{id}");
            let create =
                functions::accounts::Create { phone: &phone, first_name: name, last_name: "" };
            cluster.call(user(id), &create).unwrap();
        }
        cluster
    }

    pub(crate) fn empty() -> Self {
        let engine = Memory::new();
        let partitions = Partitions::new(7).unwrap();
        let outboxes =
            partitions.iter().map(|id| Outbox::load(&*engine.snapshot(), id, partitions).unwrap());
        let outboxes = outboxes.collect();
        Self { engine, partitions, outboxes, now: START, pushed: Vec::new() }
    }

    /// Executes an operation, and all that follows from it elsewhere.
    pub(crate) fn call<M: Method + Encode>(
        &mut self,
        owner: Owner,
        operation: &M,
    ) -> Result<M::Answer<'static>, Refusal>
    where
        M::Answer<'static>: for<'a> Decode<'a>,
    {
        let bytes = operation.to_vec(RECORD_LAYER);
        let (kind, name) = partition::describe(&bytes).unwrap();
        assert_eq!(name, M::NAME);
        let answer = match kind {
            partition::Kind::Read => {
                let snapshot = self.engine.snapshot();
                partition::read(&View::new(&*snapshot, owner), UnixTime(self.now), &bytes)
            }
            partition::Kind::Write => self.write(&owner, &bytes),
        };
        match answer {
            Ok(answer) => Ok(Decode::from_bytes(&answer).unwrap()),
            Err(Failure::Refused(Error::Refused(refusal))) => Err(refusal),
            Err(failure) => panic!("{name}: {failure:?}"),
        }
    }

    /// Executes an operation given as bytes, and all that follows from it.
    pub(crate) fn raw(
        &mut self,
        owner: &Owner,
        bytes: &[u8],
    ) -> Result<Vec<u8>, partition::Failure> {
        match partition::describe(bytes) {
            Some((partition::Kind::Read, _)) => {
                let snapshot = self.engine.snapshot();
                partition::read(&View::new(&*snapshot, owner.clone()), UnixTime(self.now), bytes)
            }
            _ => self.write(owner, bytes),
        }
    }

    fn write(&mut self, owner: &Owner, bytes: &[u8]) -> Result<Vec<u8>, partition::Failure> {
        let now = UnixTime(self.now);
        let outbox = &mut self.outboxes[usize::from(self.partitions.of(owner).0)];
        let snapshot = self.engine.snapshot();
        let mut group = Group::begin(&*snapshot, outbox).unwrap();
        let origin = Origin { auth_key_id: 1, session_id: 1 };
        let answer = partition::write(&mut group, owner, now, origin, bytes);
        let committed = group.commit(&self.engine).unwrap();
        self.pushed.extend(committed.effects);
        let mut waiting: VecDeque<Delivery> = committed.deliveries.into();
        while let Some(delivery) = waiting.pop_front() {
            let snapshot = self.engine.snapshot();
            let outbox = &mut self.outboxes[usize::from(delivery.to.0)];
            let mut group = Group::begin(&*snapshot, outbox).unwrap();
            let receipt = partition::receive(&mut group, now, &delivery);
            assert!(matches!(receipt, Receipt::Applied(Ok(_))), "{receipt:?}");
            let committed = group.commit(&self.engine).unwrap();
            self.pushed.extend(committed.effects);
            waiting.extend(committed.deliveries);
            self.outboxes[usize::from(delivery.from.0)]
                .acknowledge(delivery.to, delivery.number)
                .unwrap();
        }
        answer
    }

    /// Writes rows as they are, without an operation.
    pub(crate) fn rows(
        &mut self,
        owner: &Owner,
        write: impl FnOnce(&mut storage::Txn<'_, Pushed>),
    ) {
        let snapshot = self.engine.snapshot();
        let outbox = &mut self.outboxes[usize::from(self.partitions.of(owner).0)];
        let mut group = Group::begin(&*snapshot, outbox).unwrap();
        group
            .execute(owner, |txn| {
                write(txn);
                Ok::<_, ()>(())
            })
            .unwrap();
        group.commit(&self.engine).unwrap();
    }

    /// The effects for `owner` since they were last taken.
    pub(crate) fn effects(&mut self, owner: &Owner) -> Vec<Effect> {
        let (own, others) =
            std::mem::take(&mut self.pushed).into_iter().partition(|pushed| pushed.owner == *owner);
        self.pushed = others;
        own.into_iter().map(|pushed| pushed.effect).collect()
    }

    /// Forgets all effects so far.
    pub(crate) fn forget(&mut self) {
        self.pushed.clear();
    }
}
