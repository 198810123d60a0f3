//! The outbox by itself: bounds, refusals, what is deleted when, what is known after a start.

#[path = "common/numbers.rs"]
mod numbers;

use numbers::Numbers;
use storage::limits::{ACKNOWLEDGED_COUNT_MAX, OPERATION_LEN_MAX, PENDING_COUNT_MAX};
use storage::{
    Delivery, Engine, Error, Failure, Fault, Group, Memory, Order, Outbox, Owner, PartitionId,
    Partitions, Read, Receipt, Round, Table, Txn, UserId,
};

const ROWS: Table<u64, Numbers> = Table::new(1, "rows");

/// Partition 0, from which all is sent, partition 1, and an owner in each.
struct Pair {
    memory: Memory,
    sender: Outbox,
    receiver: Outbox,
    from: Owner,
    to: Owner,
}

impl Pair {
    fn new() -> Self {
        let partitions = Partitions::new(2).unwrap();
        let in_partition = |id| {
            (1..)
                .map(|user| Owner::User(UserId(user)))
                .find(|owner| partitions.of(owner) == PartitionId(id))
                .unwrap()
        };
        Self::open(Memory::new(), in_partition(0), in_partition(1))
    }

    fn open(memory: Memory, from: Owner, to: Owner) -> Self {
        let partitions = Partitions::new(2).unwrap();
        let load = |id| Outbox::load(&*memory.snapshot(), PartitionId(id), partitions).unwrap();
        Self { sender: load(0), receiver: load(1), memory, from, to }
    }

    fn restart(self) -> Self {
        Self::open(self.memory.restarted(0), self.from, self.to)
    }

    /// Sends that many deliveries, in one group.
    fn send(&mut self, count: u64) -> Result<Vec<Delivery>, Error> {
        let snapshot = self.memory.snapshot();
        let mut group: Group<'_> = Group::begin(&*snapshot, &mut self.sender)?;
        let result = group.execute(&self.from, |txn| {
            (0..count).try_for_each(|number| txn.deliver(self.to.clone(), &Numbers(vec![number])))
        });
        result.map_err(|failure| match failure {
            Failure::Refused(error) => error,
            failure => panic!("{failure:?}"),
        })?;
        Ok(group.commit(&self.memory)?.deliveries)
    }

    /// Commits a group at the sender that delivers nothing.
    fn write(&mut self) {
        let snapshot = self.memory.snapshot();
        let mut group: Group<'_> = Group::begin(&*snapshot, &mut self.sender).unwrap();
        let put = |txn: &mut Txn<'_>| {
            txn.put(ROWS, &0, &Numbers(vec![]));
            Ok::<_, ()>(())
        };
        group.execute(&self.from, put).unwrap();
        group.commit(&self.memory).unwrap();
    }

    /// Receives it; the operation writes a row and succeeds.
    fn receive(&mut self, delivery: &Delivery) -> Receipt<(), Error> {
        let snapshot = self.memory.snapshot();
        let mut group: Group<'_> = Group::begin(&*snapshot, &mut self.receiver).unwrap();
        let receipt = group.receive(delivery, |txn| {
            let count = txn.scan(ROWS, .., Order::Forward, usize::MAX)?.len();
            txn.put(ROWS, &(count as u64), &Numbers(vec![delivery.number]));
            Ok(())
        });
        group.commit(&self.memory).unwrap();
        receipt
    }

    fn rows_of_partitions(&self) -> usize {
        let mut count = 0;
        let mut visit = |_: &[u8], _: &[u8]| {
            count += 1;
            std::ops::ControlFlow::Continue(())
        };
        self.memory.snapshot().scan(&[0xf0], &[0xf1], Order::Forward, &mut visit).unwrap();
        count
    }
}

#[test]
fn duplicates_and_gaps_are_not_applied() {
    let mut pair = Pair::new();
    let sent = pair.send(3).unwrap();
    assert_eq!(sent.iter().map(|delivery| delivery.number).collect::<Vec<_>>(), [1, 2, 3]);
    for (index, expected) in [
        (1, Receipt::Gap { expected: 1 }),
        (0, Receipt::Applied(Ok(()))),
        (0, Receipt::Duplicate),
        (2, Receipt::Gap { expected: 2 }),
        (1, Receipt::Applied(Ok(()))),
        (2, Receipt::Applied(Ok(()))),
        (1, Receipt::Duplicate),
    ] {
        assert_eq!(pair.receive(&sent[index]), expected);
    }
    assert_eq!(pair.receiver.received(PartitionId(0)), 3);
    assert_eq!(pair.restart().receiver.received(PartitionId(0)), 3);
}

#[test]
fn what_the_engine_cannot_read_for_is_not_counted() {
    let mut pair = Pair::new();
    let sent = pair.send(1).unwrap();
    let snapshot = pair.memory.snapshot();
    let mut group: Group<'_> = Group::begin(&*snapshot, &mut pair.receiver).unwrap();
    pair.memory.fail_reads(true);
    for swallow in [false, true] {
        let receipt = group.receive(&sent[0], |txn| {
            txn.put(ROWS, &1, &Numbers(vec![]));
            let read = txn.get(ROWS, &2).map(drop);
            if swallow { Ok(()) } else { read }
        });
        assert!(matches!(receipt, Receipt::Unread(Error::Engine { .. })), "{receipt:?}");
    }
    assert_eq!(group.row_count(), 0);
    pair.memory.fail_reads(false);
    drop(group);
    drop(snapshot);
    assert_eq!(pair.receive(&sent[0]), Receipt::Applied(Ok(())));
}

#[test]
fn what_is_for_others_is_not_executed() {
    let mut pair = Pair::new();
    let sent = pair.send(1).unwrap();
    let snapshot = pair.memory.snapshot();
    let mut group: Group<'_> = Group::begin(&*snapshot, &mut pair.sender).unwrap();
    let unreachable = |_: &mut Txn<'_>| -> Result<(), ()> { panic!("is not executed") };
    assert_eq!(group.execute(&pair.to, unreachable), Err(Failure::Misrouted));
    assert_eq!(group.receive(&sent[0], unreachable), Receipt::Misrouted);
    let (zero, one) = (PartitionId(0), PartitionId(1));
    let astray = Delivery::new(one, zero, 1, pair.to.clone(), &[]).unwrap();
    assert_eq!(group.receive(&astray, unreachable), Receipt::Misrouted);
    let unknown = Delivery::new(PartitionId(9), zero, 1, pair.from.clone(), &[]).unwrap();
    assert_eq!(group.receive(&unknown, unreachable), Receipt::Misrouted);
}

#[test]
fn rows_of_acknowledged_deliveries_go() {
    let mut pair = Pair::new();
    let to = PartitionId(1);
    for _ in 0..10 {
        let last = pair.send(50).unwrap().pop().unwrap().number;
        pair.sender.acknowledge(to, last).unwrap();
        assert!(pair.rows_of_partitions() as u64 <= 50 + ACKNOWLEDGED_COUNT_MAX + 1);
    }
    let mut pair = pair.restart();
    let (_, numbers) = pair.sender.waiting().next().unwrap();
    assert_eq!(*numbers.end(), 500);
    let snapshot = pair.memory.snapshot();
    let found = pair.sender.pending(&*snapshot, to, 0, usize::MAX).unwrap();
    assert!(found.iter().map(|delivery| delivery.number).eq(numbers));
    assert_eq!(
        found[0].operation(),
        tl::Encode::to_vec(&Numbers(vec![(found[0].number - 1) % 50]), storage::RECORD_LAYER)
    );
    drop(snapshot);
    // Numbers go on where they were, also when all are acknowledged and a group without deliveries came after.
    pair.sender.acknowledge(to, 500).unwrap();
    pair.write();
    assert_eq!(pair.rows_of_partitions(), 1);
    let mut pair = pair.restart();
    assert_eq!(pair.send(1).unwrap()[0].number, 501);
    assert_eq!(pair.restart().send(1).unwrap()[0].number, 502);
}

#[test]
fn numbers_go_on_after_a_commit_of_unknown_outcome() {
    for (fault, next) in [(Fault::Refused, 2), (Fault::Unheard, 4)] {
        let mut pair = Pair::new();
        pair.send(1).unwrap();
        pair.sender.acknowledge(PartitionId(1), 1).unwrap();
        pair.memory.inject(1, fault);
        pair.send(2).unwrap_err();
        assert_eq!(pair.send(1).unwrap()[0].number, next, "{fault:?}");
        assert_eq!(pair.sender.waiting().next(), Some((PartitionId(1), 2..=next)), "{fault:?}");
    }
}

#[test]
fn acknowledging_what_was_never_sent_is_an_error() {
    let mut pair = Pair::new();
    pair.send(2).unwrap();
    pair.sender.acknowledge(PartitionId(1), 2).unwrap();
    pair.sender.acknowledge(PartitionId(1), 1).unwrap();
    pair.sender.acknowledge(PartitionId(1), 3).unwrap_err();
    pair.sender.acknowledge(PartitionId(7), 0).unwrap_err();
}

#[test]
fn a_full_outbox_refuses() {
    let mut pair = Pair::new();
    let to = PartitionId(1);
    pair.send(PENDING_COUNT_MAX).unwrap();
    assert_eq!(pair.send(1).unwrap_err(), Error::OutboxFull { to, count: PENDING_COUNT_MAX });
    pair.sender.acknowledge(to, 1).unwrap();
    assert_eq!(pair.send(2).unwrap_err(), Error::OutboxFull { to, count: PENDING_COUNT_MAX });
    assert_eq!(pair.send(1).unwrap()[0].number, PENDING_COUNT_MAX + 1);
}

#[test]
fn long_operations_are_refused() {
    let place = (PartitionId(0), PartitionId(1), 1);
    let deliver =
        |len| Delivery::new(place.0, place.1, place.2, Owner::User(UserId(1)), &vec![7; len]);
    assert_eq!(deliver(OPERATION_LEN_MAX).unwrap().operation().len(), OPERATION_LEN_MAX);
    assert_eq!(
        deliver(OPERATION_LEN_MAX + 1).unwrap_err(),
        Error::TooLong { len: OPERATION_LEN_MAX + 1 }
    );
}

/// Both partitions on one thread: sends `count` in a round and settles at most `limit` of them. Answers what is left.
fn round(pair: &mut Pair, count: u64, limit: usize) -> (Vec<u64>, Vec<Delivery>) {
    let snapshot = pair.memory.snapshot();
    let mut round: Round<'_> = Round::begin(&*snapshot, [&mut pair.receiver, &mut pair.sender]);
    let group = round.group(PartitionId(0)).unwrap().unwrap();
    let deliver = |txn: &mut Txn<'_>| {
        (1..=count).try_for_each(|number| txn.deliver(pair.to.clone(), &Numbers(vec![number])))
    };
    group.execute(&pair.from, deliver).unwrap();
    let mut applied = Vec::new();
    round.settle(limit, |group, delivery| {
        let Numbers(numbers) = tl::Decode::from_bytes(delivery.operation()).unwrap();
        let receipt = group.receive(delivery, |txn| {
            txn.get(ROWS, &0)?;
            txn.put(ROWS, &numbers[0], &Numbers(vec![]));
            Ok::<_, Error>(())
        });
        if matches!(receipt, Receipt::Applied(Ok(()))) {
            applied.push(numbers[0]);
        }
        receipt
    });
    let committed = round.commit(&pair.memory).unwrap();
    let sent = committed.into_iter().flat_map(|committed| committed.deliveries);
    (applied, sent.filter(|delivery| !delivery.is_direct()).collect())
}

fn numbers(deliveries: &[Delivery]) -> Vec<u64> {
    deliveries.iter().map(|delivery| delivery.number).collect()
}

#[test]
fn deliveries_of_one_thread_need_no_outbox() {
    let mut pair = Pair::new();
    let (applied, sent) = round(&mut pair, 3, 10);
    assert_eq!((applied, sent.len()), (vec![1, 2, 3], 0));
    assert_eq!(pair.rows_of_partitions(), 0);
    assert_eq!(pair.receiver.received(PartitionId(0)), 0);
    let mut pair = pair.restart();
    // What the limit leaves is numbered as if there had been nothing else.
    let (applied, sent) = round(&mut pair, 5, 2);
    assert_eq!((applied, numbers(&sent)), (vec![1, 2], vec![1, 2, 3]));
    assert_eq!(sent[0].operation(), tl::Encode::to_vec(&Numbers(vec![3]), storage::RECORD_LAYER));
    let pending = pair.sender.pending(&*pair.memory.snapshot(), PartitionId(1), 0, 10).unwrap();
    assert_eq!(numbers(&pending), [1, 2, 3]);
    assert_eq!(pending[0].operation(), sent[0].operation());
}

#[test]
fn what_waits_in_the_outbox_comes_first() {
    let mut pair = Pair::new();
    let first = pair.send(1).unwrap();
    let (applied, sent) = round(&mut pair, 2, 10);
    assert_eq!((applied, numbers(&sent)), (vec![], vec![2, 3]));
    for delivery in first.iter().chain(&sent) {
        assert_eq!(pair.receive(delivery), Receipt::Applied(Ok(())));
    }
    pair.sender.acknowledge(PartitionId(1), 3).unwrap();
    assert_eq!(round(&mut pair, 1, 10).0, [1]);
    assert_eq!(numbers(&pair.send(1).unwrap()), [4]);
}

#[test]
fn what_cannot_be_read_for_goes_to_the_outbox() {
    let mut pair = Pair::new();
    pair.memory.fail_reads(true);
    let (applied, sent) = round(&mut pair, 2, 10);
    pair.memory.fail_reads(false);
    assert_eq!((applied, numbers(&sent)), (vec![], vec![1, 2]));
    assert_eq!(round(&mut pair, 1, 10).1.len(), 1);
}
