//! Random operations against ordinary maps: what a group and a view read is what was put, whatever was refused, panicked
//! or could not be committed in between.

mod common;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::{Bound, RangeBounds};
use std::panic::resume_unwind;

use common::{Numbers, Random, seeds};
use storage::{
    Desc, Engine, Failure, Fault, Group, Memory, Order, Outbox, Owner, PartitionId, Partitions,
    Read, Table, Txn, UserId, View,
};

const PLAIN: Table<u16, Numbers> = Table::new(1, "plain").kept().watched();
const PAIRS: Table<(bool, Desc<i32>), Numbers> = Table::new(2, "pairs").newest_kept(4);

/// What one owner has.
#[derive(Clone, Debug, Default, PartialEq)]
struct Rows {
    plain: BTreeMap<u16, Numbers>,
    pairs: BTreeMap<(bool, Reverse<i32>), Numbers>,
}

type Model = BTreeMap<Owner, Rows>;

/// The effects and deliveries that a group should release.
#[derive(Clone, Debug, Default, PartialEq)]
struct Released {
    effects: Vec<u64>,
    deliveries: Vec<(Owner, Numbers)>,
}

#[test]
fn groups_and_views_agree_with_maps() {
    for seed in seeds(300) {
        let memory = Memory::new();
        check(seed.random(), &memory, &|| memory.inject(1, Fault::Refused));
    }
}

#[cfg(feature = "rocks")]
#[test]
fn so_they_do_on_rocks() {
    for seed in seeds(10) {
        let folder = tempfile::tempdir().unwrap();
        let partitions = Partitions::new(2).unwrap();
        let options = storage::RocksOptions { partitions, ..Default::default() };
        let rocks = storage::Rocks::open(folder.path(), &options).unwrap();
        check(seed.random(), &rocks, &|| ());
    }
}

/// Runs groups on `engine`, before some of which `fail` is called.
fn check(mut random: Random, engine: &dyn Engine, fail: &dyn Fn()) {
    let partitions = Partitions::new(2).unwrap();
    let partition = PartitionId(0);
    let owners: Vec<Owner> = (1..)
        .flat_map(|id| [Owner::User(UserId(id)), Owner::Phone(id.to_string())])
        .filter(|owner| partitions.of(owner) == partition)
        .take(3)
        .collect();
    let mut outbox = Outbox::load(&*engine.snapshot(), partition, partitions).unwrap();
    let mut committed = Model::new();
    for _ in 0..8 {
        let snapshot = engine.snapshot();
        let mut group: Group<'_, u64> = Group::begin(&*snapshot, &mut outbox).unwrap();
        let mut model = committed.clone();
        let mut released = Released::default();
        for _ in 0..random.below(6) {
            let owner = &owners[random.below(3) as usize];
            operate(&mut group, owner, &mut model, &mut released, &mut random);
        }
        let mut failed = false;
        if random.one_in(4) && group.row_count() > 0 {
            failed = true;
            fail();
        }
        match group.commit(engine) {
            Ok(outcome) => {
                assert_eq!(outcome.effects, released.effects);
                let sent = outcome.deliveries.iter().map(|delivery| {
                    let operation = tl::Decode::from_bytes(delivery.operation()).unwrap();
                    (delivery.owner.clone(), operation)
                });
                assert!(sent.eq(released.deliveries));
                let plain = |model: &Model, owner| {
                    model.get(owner).map(|rows| rows.plain.clone()).unwrap_or_default()
                };
                for owner in &owners {
                    let changed = plain(&model, owner) != plain(&committed, owner);
                    assert!(!changed || outcome.watched.contains(owner), "{owner:?} is told of");
                }
                committed = model;
            }
            Err(error) => assert!(failed && error.is_disk_full()),
        }
        let snapshot = engine.snapshot();
        for owner in &owners {
            let rows = committed.entry(owner.clone()).or_default();
            let view = View::new(&*snapshot, owner.clone());
            check_all(&view, rows);
            check_some(&view, rows, &mut random);
        }
    }
}

/// Executes an operation that does a few things, and checks each as it goes.
fn operate(
    group: &mut Group<'_, u64>,
    owner: &Owner,
    model: &mut Model,
    released: &mut Released,
    random: &mut Random,
) {
    let before = (model.clone(), released.clone());
    let rows = model.entry(owner.clone()).or_default();
    let outcome = random.below(4);
    let result = group.execute(owner, |txn| {
        for _ in 0..random.below(8) {
            change(txn, rows, released, random);
            check_some(txn, rows, random);
        }
        check_all(txn, rows);
        match outcome {
            0 => Err("refused"),
            // Without the message that a panic of its own would print.
            1 => resume_unwind(Box::new("panicked")),
            _ => Ok(rows.plain.len()),
        }
    });
    match outcome {
        0 => assert_eq!(result, Err(Failure::Refused("refused"))),
        1 => assert_eq!(result, Err(Failure::Panicked("panicked".into()))),
        _ => assert_eq!(result, Ok(rows.plain.len())),
    }
    if outcome < 2 {
        (*model, *released) = before;
    }
}

fn change(txn: &mut Txn<'_, u64>, rows: &mut Rows, released: &mut Released, random: &mut Random) {
    let plain = random.below(6) as u16;
    let (first, second) = (random.one_in(2), random.below(5) as i32 - 2);
    let record = Numbers((0..random.below(4)).collect());
    match random.below(6) {
        0 => {
            txn.delete(PLAIN, &plain);
            rows.plain.remove(&plain);
        }
        1 => {
            txn.delete(PAIRS, &(first, Desc(second)));
            rows.pairs.remove(&(first, Reverse(second)));
        }
        2 => {
            txn.put(PLAIN, &plain, &record);
            rows.plain.insert(plain, record);
        }
        3 | 4 => {
            txn.put(PAIRS, &(first, Desc(second)), &record);
            rows.pairs.insert((first, Reverse(second)), record);
        }
        _ => {
            let to = Owner::User(UserId(second.into()));
            txn.deliver(to.clone(), &record).unwrap();
            released.deliveries.push((to, record));
            txn.push(u64::from(plain));
            released.effects.push(plain.into());
        }
    }
}

fn check_all(read: &impl Read, rows: &Rows) {
    let found = read.scan(PLAIN, .., Order::Forward, usize::MAX).unwrap();
    assert_eq!(found, rows.plain.clone().into_iter().collect::<Vec<_>>());
    let found = read.scan(PAIRS, .., Order::Backward, usize::MAX).unwrap();
    assert_eq!(found, pairs(rows, .., Order::Backward));
}

/// Reads a few things in random ranges.
fn check_some(read: &impl Read, rows: &Rows, random: &mut Random) {
    let key = random.below(6) as u16;
    assert_eq!(read.get(PLAIN, &key).unwrap(), rows.plain.get(&key).cloned());
    assert_eq!(read.contains(PLAIN, &key).unwrap(), rows.plain.contains_key(&key));

    let order = if random.one_in(2) { Order::Forward } else { Order::Backward };
    let limit = random.below(4) as usize;
    let mut bound = || match (random.below(3), (random.one_in(2), random.below(7) as i32 - 3)) {
        (0, _) => (Bound::Unbounded, Bound::Unbounded),
        (1, (a, b)) => (Bound::Included((a, Desc(b))), Bound::Included((a, Reverse(b)))),
        (_, (a, b)) => (Bound::Excluded((a, Desc(b))), Bound::Excluded((a, Reverse(b)))),
    };
    let ((start, model_start), (end, model_end)) = (bound(), bound());
    let found = read.scan(PAIRS, (start, end), order, limit).unwrap();
    let mut expected = pairs(rows, (model_start, model_end), order);
    expected.truncate(limit);
    assert_eq!(found, expected, "{start:?} {end:?} {order:?} {limit}");
    assert_eq!(
        read.first(PAIRS, (start, end), order).unwrap(),
        pairs(rows, (model_start, model_end), order).into_iter().next()
    );

    for first in [false, true] {
        let newest = read.newest(PAIRS, &first).unwrap();
        let mut all = pairs(rows, .., Order::Forward).into_iter();
        assert_eq!(newest, all.find(|((prefix, _), _)| *prefix == first));
    }

    let first = random.one_in(2);
    let found = read.scan_prefix(PAIRS, &first, order, limit).unwrap();
    let mut expected = pairs(rows, .., order);
    expected.retain(|((a, _), _)| *a == first);
    expected.truncate(limit);
    assert_eq!(found, expected);
}

fn pairs(
    rows: &Rows,
    range: impl RangeBounds<(bool, Reverse<i32>)>,
    order: Order,
) -> Vec<((bool, Desc<i32>), Numbers)> {
    // `BTreeMap::range` panics where a table's range is just empty.
    let all = rows.pairs.iter().filter(|(key, _)| range.contains(key));
    let mut all: Vec<_> = all.map(|((a, Reverse(b)), row)| ((*a, Desc(*b)), row.clone())).collect();
    if order == Order::Backward {
        all.reverse();
    }
    all
}
