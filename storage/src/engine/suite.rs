//! What every engine must do. Each engine's tests call [`run`].

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::{Batch, Durability, Engine, Order, Row, Snapshot};
use crate::limits::CHORE_LIST_COUNT;
use crate::table::Space;
use crate::{BlobId, FileId, Owner, OwnerKind, Table, UserId, owners};

/// Checks engines that `fresh` makes, each of them empty below `f1`.
///
/// # Panics
///
/// If an engine does not do what it must.
pub(crate) fn run<E: Engine>(fresh: &mut dyn FnMut() -> E) {
    values(&fresh());
    scans(&fresh());
    ranges_go_before_rows(&fresh());
    snapshots_do_not_change(&fresh());
    agrees_with_a_map(&fresh());
    owners_of_a_kind(&fresh());
}

type Model = BTreeMap<Vec<u8>, Vec<u8>>;

fn put(key: &[u8], value: &[u8]) -> Row {
    Row::put(&[key, value].concat(), key.len())
}

fn write(engine: &dyn Engine, rows: Vec<Row>, cleared: &[(&[u8], &[u8])]) {
    let cleared = cleared.iter().map(|(start, end)| (start.to_vec(), end.to_vec())).collect();
    let batch = Batch { rows, cleared };
    engine.write(&batch, Durability::Synced).expect("the engine writes");
}

fn value(snapshot: &dyn Snapshot, key: &[u8]) -> Option<Vec<u8>> {
    let mut value = None;
    let found = snapshot.get(key, &mut |bytes| value = Some(bytes.to_vec()));
    assert_eq!(found.expect("the engine reads"), value.is_some());
    value
}

fn scan(
    snapshot: &dyn Snapshot,
    (start, end): (&[u8], &[u8]),
    order: Order,
    limit: usize,
) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    let mut visit = |key: &[u8], value: &[u8]| {
        found.push((key.to_vec(), value.to_vec()));
        if found.len() == limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    snapshot.scan(start, end, order, &mut visit).expect("the engine scans");
    found
}

fn keys(snapshot: &dyn Snapshot, range: (&[u8], &[u8]), order: Order) -> Vec<Vec<u8>> {
    scan(snapshot, range, order, usize::MAX).into_iter().map(|(key, _)| key).collect()
}

fn values(engine: &dyn Engine) {
    write(engine, vec![put(b"\0\x01a", b""), put(b"\0\x01b", b"two")], &[]);
    let snapshot = engine.snapshot();
    assert_eq!(value(&*snapshot, b"\0\x01a").as_deref(), Some(&b""[..]));
    assert_eq!(value(&*snapshot, b"\0\x01b").as_deref(), Some(&b"two"[..]));
    assert_eq!(value(&*snapshot, b"\0\x01"), None);
    assert_eq!(value(&*snapshot, b"\0\x01bc"), None);
    drop(snapshot);
    write(engine, vec![Row::deleted(b"\0\x01a"), put(b"\0\x01b", b"2")], &[]);
    let snapshot = engine.snapshot();
    assert_eq!(value(&*snapshot, b"\0\x01a"), None);
    assert_eq!(value(&*snapshot, b"\0\x01b").as_deref(), Some(&b"2"[..]));
    engine.sync().expect("the engine syncs");
}

fn scans(engine: &dyn Engine) {
    let all: Vec<Vec<u8>> =
        [&b"\0\x01a"[..], b"\0\x01a\0", b"\0\x01b", b"\0\x02", b"\xf0\0", b"\xf0\xff\xff\xff"]
            .map(<[u8]>::to_vec)
            .to_vec();
    write(engine, all.iter().rev().map(|key| put(key, b"-")).collect(), &[]);
    let snapshot = engine.snapshot();
    let bounds = [&b""[..], b"\0", b"\0\x01a", b"\0\x01a\0", b"\0\x01c", b"\xf0\0\x01", b"\xf1"];
    for start in bounds {
        for end in bounds {
            let mut expected = all.clone();
            expected.retain(|key| (start..end).contains(&&key[..]));
            assert_eq!(keys(&*snapshot, (start, end), Order::Forward), expected);
            expected.reverse();
            assert_eq!(keys(&*snapshot, (start, end), Order::Backward), expected);
            let some = scan(&*snapshot, (start, end), Order::Backward, 2);
            assert!(some.iter().map(|(key, _)| key).eq(expected.iter().take(2)));
        }
    }
}

fn ranges_go_before_rows(engine: &dyn Engine) {
    for space in [b"\0", b"\xf0"] {
        let key = |last: u8| [&space[..], &[0, last]].concat();
        write(engine, (0..6).map(|last| put(&key(last), b"old")).collect(), &[]);
        write(engine, vec![put(&key(2), b"new")], &[(&key(1), &key(4))]);
        let snapshot = engine.snapshot();
        let found = keys(&*snapshot, (&key(0), &key(9)), Order::Forward);
        assert_eq!(found, [key(0), key(2), key(4), key(5)]);
        assert_eq!(value(&*snapshot, &key(2)).as_deref(), Some(&b"new"[..]));
    }
}

fn snapshots_do_not_change(engine: &dyn Engine) {
    write(engine, vec![put(b"\0\0a", b"1"), put(b"\0\0b", b"1")], &[]);
    let before = engine.snapshot();
    write(engine, vec![put(b"\0\0a", b"2"), Row::deleted(b"\0\0b"), put(b"\0\0c", b"2")], &[]);
    let after = engine.snapshot();
    for (snapshot, expected) in [(&before, ["a1", "b1"]), (&after, ["a2", "c2"])] {
        for order in [Order::Forward, Order::Backward] {
            let mut found: Vec<String> = scan(&**snapshot, (b"\0\0", b"\0\x01"), order, usize::MAX)
                .into_iter()
                .map(|(key, value)| String::from_utf8([&key[2..], &value].concat()).expect("text"))
                .collect();
            found.sort();
            assert_eq!(found, expected);
        }
    }
    assert_eq!(value(&*before, b"\0\0c"), None);
    assert_eq!(value(&*before, b"\0\0b").as_deref(), Some(&b"1"[..]));
    assert_eq!(value(&*after, b"\0\0b"), None);
}

/// Owners are found in pages of any length, each once, whoever else lives in their buckets.
fn owners_of_a_kind(engine: &dyn Engine) {
    let mut all = Vec::new();
    for id in 0..400 {
        let mut blob = [0xff; 32];
        blob[..8].copy_from_slice(&u64::MAX.wrapping_mul(id as u64 + 1).to_be_bytes());
        all.extend([
            Owner::User(UserId(id - 200)),
            Owner::File(FileId(id << 40)),
            Owner::Blob(BlobId(blob)),
            Owner::phone(&id.to_string()),
        ]);
    }
    all.extend((0..CHORE_LIST_COUNT).map(Owner::Chores));
    let table = Table::<u8, ()>::new(254, "last");
    let rows = all.iter().flat_map(|owner| {
        let space = Space::new(owner.clone());
        (0..3).map(move |row| put(&space.row(table, &(row * 127)), b"-"))
    });
    write(engine, rows.collect(), &[]);
    let snapshot = engine.snapshot();
    let kinds = [
        OwnerKind::User,
        OwnerKind::AuthKey,
        OwnerKind::Phone,
        OwnerKind::Username,
        OwnerKind::File,
        OwnerKind::Blob,
        OwnerKind::Chores,
    ];
    let mut total = 0;
    for kind in kinds {
        let whole = owners(&*snapshot, kind, None, usize::MAX).expect("the engine scans");
        total += whole.len();
        for limit in [1, 7] {
            let mut paged: Vec<Owner> = Vec::new();
            loop {
                let page = owners(&*snapshot, kind, paged.last(), limit).expect("readable");
                let is_last = page.len() < limit;
                paged.extend(page);
                if is_last {
                    break;
                }
            }
            assert_eq!(paged, whole, "{kind:?} by {limit}");
        }
        all.retain(|owner| !whole.contains(owner));
    }
    assert_eq!((total, all), (1616, Vec::new()));
}

/// Many writes over few keys, some of them with the shape of real ones.
fn agrees_with_a_map(engine: &dyn Engine) {
    let mut model = Model::new();
    let mut random = 1_u64;
    let mut next = |below: u64| {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let mut held = Vec::new();
    for round in 0..300_u64 {
        let mut rows: BTreeMap<Vec<u8>, Row> = BTreeMap::new();
        for _ in 0..next(8) {
            let key = [
                &[0, 7, 1, 0x80, 0, 0, 0, 0, 0, 0, next(4) as u8][..],
                &[next(3) as u8, next(9) as u8],
            ]
            .concat();
            let row =
                if next(4) == 0 { Row::deleted(&key) } else { put(&key, &round.to_be_bytes()) };
            rows.insert(key, row);
        }
        for (key, row) in &rows {
            match row.value() {
                Some(value) => model.insert(key.clone(), value.to_vec()),
                None => model.remove(key),
            };
        }
        write(engine, rows.into_values().collect(), &[]);
        if round % 50 == 0 {
            held.push((engine.snapshot(), model.clone()));
        }
    }
    held.push((engine.snapshot(), model));
    for (snapshot, model) in &held {
        let found = scan(&**snapshot, (b"", b"\xf1"), Order::Forward, usize::MAX);
        assert!(found.iter().map(|(key, value)| (key, value)).eq(model), "forward");
        let found = scan(&**snapshot, (b"", b"\xf1"), Order::Backward, usize::MAX);
        assert!(found.iter().map(|(key, value)| (key, value)).eq(model.iter().rev()), "backward");
        for (key, expected) in model {
            assert_eq!(value(&**snapshot, key).as_ref(), Some(expected));
            let owner = &key[..11];
            let end = [owner, &[0xff]].concat();
            let found = scan(&**snapshot, (owner, &end), Order::Backward, usize::MAX);
            let expected = model.range(owner.to_vec()..end.clone()).rev();
            assert!(found.iter().map(|(key, value)| (key, value)).eq(expected), "an owner's rows");
        }
    }
}
