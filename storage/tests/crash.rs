//! Loss of power at every write, while partitions deliver to each other over a network that loses, repeats and delays:
//! nothing committed is lost, nothing refused stays, every delivery is applied once and in order.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::resume_unwind;

use common::{Numbers, Random, Seed, seeds};
use storage::{
    Committed, Delivery, Engine, Error, Fault, Group, Memory, Order, Outbox, Owner, PartitionId,
    Partitions, Read, Receipt, Round, Table, Txn, UserId, View,
};

/// What an owner's clients asked for, in order: id of the operation.
const ASKED: Table<u64, Numbers> = Table::new(1, "asked");
/// What an owner was delivered, in order: from, number, id, hop.
const GOT: Table<u64, Numbers> = Table::new(2, "got");

const FAULTS: [Fault; 4] = [Fault::Refused, Fault::Unheard, Fault::PowerBefore, Fault::PowerAfter];
const OWNERS: u64 = 5;

fn owner(index: u64) -> Owner {
    Owner::User(UserId(100 + (index % OWNERS) as i64))
}

/// Whom the operation `id` is delivered to, at its `hop`th hop.
fn targets(id: u64, hop: u64) -> Vec<Owner> {
    match hop {
        0 => (0..id % 3).map(|step| owner(id / 3 + step)).collect(),
        1 if id.is_multiple_of(5) => vec![owner(id / 5 + 2)],
        _ => vec![],
    }
}

/// Whether the operation refuses, at its `hop`th hop, or panics; both after it wrote.
fn fails(id: u64, hop: u64) -> Option<&'static str> {
    match (id + 3 * hop) % 13 {
        4 => Some("refuses"),
        9 => Some("panics"),
        _ => None,
    }
}

fn append(txn: &mut Txn<'_, u64>, table: Table<u64, Numbers>, row: &Numbers) -> Result<(), Error> {
    let last = txn.first(table, .., Order::Backward)?.map_or(0, |(key, _)| key);
    txn.put(table, &(last + 1), row);
    Ok(())
}

fn run(txn: &mut Txn<'_, u64>, id: u64, hop: u64) -> Result<(), Error> {
    for to in targets(id, hop) {
        txn.deliver(to, &Numbers(vec![id, hop + 1]))?;
    }
    txn.push(id);
    match fails(id, hop) {
        Some("panics") => resume_unwind(Box::new("on purpose")),
        Some(_) => Err(Error::TooLong { len: 0 }),
        None => Ok(()),
    }
}

enum Packet {
    Delivery(Delivery),
    Acknowledge { from: PartitionId, to: PartitionId, number: u64 },
}

struct World {
    memory: Memory,
    partitions: Partitions,
    outboxes: Vec<Outbox>,
    network: Vec<Packet>,
    random: Random,
    /// How many operations clients will ask for, and have asked for.
    operations: u64,
    asked: u64,
    /// Operations whose clients have an answer.
    answered: BTreeSet<u64>,
}

impl World {
    fn new(seed: &Seed, operations: u64) -> Self {
        let random = seed.random();
        let partitions = Partitions::new(1 + ((seed.0 + 1) % 4) as u16).unwrap();
        let memory = Memory::new();
        let outboxes = load(&memory, partitions);
        let (network, answered) = (Vec::new(), BTreeSet::new());
        Self { memory, partitions, outboxes, network, random, operations, asked: 0, answered }
    }

    /// Runs until all has been asked for and all deliveries have been acknowledged.
    fn run(&mut self) {
        for round in 0.. {
            assert!(round < 100_000, "comes to rest");
            let calm = self.asked == self.operations;
            if calm && self.outboxes.iter().all(|outbox| outbox.waiting().next().is_none()) {
                return;
            }
            self.survive();
            if self.random.one_in(8) {
                self.send_again();
            }
        }
    }

    /// One round, and a restart if it ended so.
    fn survive(&mut self) {
        let failed = self.round().is_err();
        if !self.memory.has_power() {
            assert!(failed);
            self.restart();
        } else if failed {
            let snapshot = self.memory.snapshot();
            for outbox in &mut self.outboxes {
                outbox.refresh(&*snapshot).unwrap();
            }
        }
    }

    /// One round of a writer that has some or all of the partitions.
    fn round(&mut self) -> Result<(), Error> {
        let Self { memory, outboxes, network, random, partitions, .. } = self;
        let snapshot = memory.snapshot();
        let here: Vec<_> = outboxes.iter_mut().filter(|_| !random.one_in(3)).collect();
        let mut round = Round::<u64>::begin(&*snapshot, here);
        for _ in 0..random.below(4).min(self.operations - self.asked) {
            let (id, owner) = (self.asked, owner(random.below(OWNERS)));
            let partition = partitions.of(&owner);
            let Some(group) = round.group(partition)? else { continue };
            self.asked += 1;
            let answer = group.execute(&owner, |txn| {
                append(txn, ASKED, &Numbers(vec![id]))?;
                run(txn, id, 0)
            });
            assert_eq!(answer.is_ok(), fails(id, 0).is_none());
        }
        for _ in 0..random.below(6) {
            if network.is_empty() {
                break;
            }
            // Any of them, so in any order; sometimes it is lost, sometimes it comes again.
            let at = random.below(network.len() as u64) as usize;
            let packet = network.swap_remove(at);
            if random.one_in(6) {
                continue;
            }
            let Packet::Delivery(delivery) = &packet else {
                network.push(packet);
                continue;
            };
            let Some(group) = round.group(delivery.to)? else {
                network.push(packet);
                continue;
            };
            receive(group, delivery);
            if random.one_in(6) {
                network.push(packet);
            }
        }
        if random.one_in(2) {
            round.settle(random.below(6) as usize, receive);
        }
        let committed = round.commit(memory);
        drop(snapshot);
        self.release(committed?);
        Ok(())
    }

    fn release(&mut self, committed: Vec<Committed<u64>>) {
        for one in committed {
            self.answered.extend(&one.effects);
            let sent = one.deliveries.into_iter().filter(|delivery| !delivery.is_direct());
            self.network.extend(sent.map(Packet::Delivery));
            let acknowledge = |(from, to): (PartitionId, PartitionId), number| {
                Packet::Acknowledge { from, to, number }
            };
            let to = one.partition;
            self.network.extend(
                one.received.iter().map(|(from, number)| acknowledge((*from, to), *number)),
            );
        }
        // Acknowledgements need no write.
        let mut rest = Vec::new();
        for packet in self.network.drain(..) {
            match packet {
                Packet::Acknowledge { from, to, number } if self.random.one_in(2) => {
                    if !self.random.one_in(6) {
                        self.outboxes[usize::from(from.0)].acknowledge(to, number).unwrap();
                    }
                }
                packet => rest.push(packet),
            }
        }
        self.network = rest;
    }

    fn send_again(&mut self) {
        let snapshot = self.memory.snapshot();
        for outbox in &self.outboxes {
            for (to, numbers) in outbox.waiting() {
                let limit = 1 + self.random.below(5) as usize;
                let found = outbox.pending(&*snapshot, to, 0, limit).unwrap();
                assert_eq!(found.first().map(|first| first.number), Some(*numbers.start()));
                assert!(found.windows(2).all(|pair| pair[0].number + 1 == pair[1].number));
                self.network.extend(found.into_iter().map(Packet::Delivery));
            }
        }
    }

    fn restart(&mut self) {
        self.memory = self.memory.restarted(self.random.below(3));
        self.outboxes = load(&self.memory, self.partitions);
        let acknowledgements = |packet: &mut Packet| matches!(packet, Packet::Acknowledge { .. });
        if self.random.one_in(2) {
            self.network.clear();
        } else {
            self.network.extract_if(.., |packet| acknowledgements(packet)).for_each(drop);
        }
    }

    fn check(&self) {
        let snapshot = self.memory.snapshot();
        let mut stored = BTreeSet::new();
        let mut got: BTreeMap<(Owner, u64, u64), u64> = BTreeMap::new();
        let mut applied: BTreeMap<(PartitionId, u64), Vec<u64>> = BTreeMap::new();
        for index in 0..OWNERS {
            let view = View::new(&*snapshot, owner(index));
            for (_, Numbers(row)) in view.scan(ASKED, .., Order::Forward, usize::MAX).unwrap() {
                assert!(stored.insert(row[0]), "stored once");
                assert_eq!(fails(row[0], 0), None, "nothing refused stays");
            }
            let mut last = BTreeMap::new();
            for (_, Numbers(row)) in view.scan(GOT, .., Order::Forward, usize::MAX).unwrap() {
                let &[from, number, id, hop] = &row[..] else { panic!("a row of four numbers") };
                if number > 0 {
                    assert!(last.insert(from, number).is_none_or(|last| last < number), "in order");
                }
                assert_eq!(fails(id, hop), None, "nothing refused stays");
                *got.entry((owner(index), id, hop)).or_default() += 1;
                applied.entry((self.partitions.of(&owner(index)), from)).or_default().push(number);
            }
        }
        for mut numbers in applied.into_values() {
            numbers.retain(|number| *number > 0);
            numbers.sort_unstable();
            assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "each number once");
        }
        assert!(self.answered.is_subset(&stored), "nothing committed is lost");
        let mut expected: BTreeMap<(Owner, u64, u64), u64> = BTreeMap::new();
        for id in stored {
            expect(&mut expected, id, 0);
        }
        assert_eq!(got, expected, "every delivery is applied once");
    }
}

/// What the deliveries of an operation that succeeded leave.
fn expect(expected: &mut BTreeMap<(Owner, u64, u64), u64>, id: u64, hop: u64) {
    for to in targets(id, hop) {
        if fails(id, hop + 1).is_none() {
            *expected.entry((to, id, hop + 1)).or_default() += 1;
            expect(expected, id, hop + 1);
        }
    }
}

fn receive(group: &mut Group<'_, u64>, delivery: &Delivery) -> Receipt<(), Error> {
    let Numbers(operation) = tl::Decode::from_bytes(delivery.operation()).unwrap();
    let [id, hop] = operation[..] else { panic!("an operation of two numbers") };
    let receipt = group.receive(delivery, |txn| {
        append(txn, GOT, &Numbers(vec![delivery.from.0.into(), delivery.number, id, hop]))?;
        run(txn, id, hop)
    });
    match &receipt {
        Receipt::Applied(result) => assert_eq!(result.is_ok(), fails(id, hop).is_none()),
        Receipt::Duplicate => {}
        Receipt::Gap { expected } => assert!(*expected < delivery.number),
        receipt => panic!("{receipt:?}"),
    }
    receipt
}

fn load(memory: &Memory, partitions: Partitions) -> Vec<Outbox> {
    let snapshot = memory.snapshot();
    let mut outboxes: Vec<Outbox> = partitions
        .iter()
        .map(|partition| Outbox::load(&*snapshot, partition, partitions).unwrap())
        .collect();
    // As a node does that has both ends: what it knows to be applied need not be sent again.
    for to in partitions.iter().step_by(2) {
        for from in partitions.iter() {
            let number = outboxes[usize::from(to.0)].received(from);
            outboxes[usize::from(from.0)].acknowledge(to, number).unwrap();
        }
    }
    outboxes
}

#[test]
fn nothing_goes_wrong_without_faults() {
    for seed in seeds(40) {
        let mut world = World::new(&seed, 120);
        world.run();
        world.check();
    }
}

#[test]
fn power_may_go_at_every_write() {
    for seed in seeds(3) {
        let mut world = World::new(&seed, 30);
        world.run();
        let writes = world.memory.writes();
        for nth in 1..=writes {
            for fault in FAULTS {
                let mut world = World::new(&seed, 30);
                world.memory.inject(nth, fault);
                world.run();
                world.check();
            }
        }
    }
}

#[test]
fn power_may_go_again_and_again() {
    for seed in seeds(60) {
        let mut world = World::new(&seed, 120);
        while world.asked < world.operations {
            let fault = FAULTS[world.random.below(4) as usize];
            world.memory.inject(1 + world.random.below(10), fault);
            for _ in 0..20 {
                world.survive();
                if world.random.one_in(4) {
                    world.send_again();
                }
            }
        }
        world.run();
        world.check();
    }
}
