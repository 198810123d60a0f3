//! The tests that every store of pieces passes.

use std::thread;

use bytes::Bytes;

use super::{PieceKey, Pieces, tree};
use crate::ids::DataId;

/// Runs all of them on an empty store, which is empty again afterwards.
///
/// # Panics
///
/// If one fails.
pub fn run(pieces: &dyn Pieces) {
    for test in [
        put_get_delete,
        overwrites,
        order_of_keys,
        lengths,
        many_datas,
        concurrent_puts,
        large_pieces,
        large_pieces_again,
        concurrent_large_puts,
    ] {
        test(pieces);
        assert_eq!(pieces.keys(&key(i64::MIN, 0, 0), 1).expect("readable"), [], "left over");
    }
}

/// The first of all keys has the least of each.
fn key(data: i64, part: u32, check: u8) -> PieceKey {
    PieceKey { data: DataId(data), part, check: [check; 8] }
}

fn all(pieces: &dyn Pieces) -> Vec<PieceKey> {
    pieces.keys(&key(i64::MIN, 0, 0), usize::MAX).expect("readable")
}

fn put_get_delete(pieces: &dyn Pieces) {
    let bytes = vec![7_u8; 3000];
    let hash = tree::piece(0, &bytes).expect("a piece");
    let first = PieceKey::new(DataId(-5), 0, &hash);
    let second = PieceKey::new(DataId(-5), 1, &hash);
    let other = PieceKey::new(DataId(9), 0, &hash);
    assert_eq!(pieces.get(&first).expect("readable"), None);
    for key in [&first, &second, &other] {
        pieces.put(key, &bytes).expect("writable");
        assert_eq!(pieces.get(key).expect("readable").as_deref(), Some(&*bytes));
    }
    assert_eq!(pieces.keys(&first, 10).expect("readable"), [first, second, other]);
    assert_eq!(pieces.keys(&second, 1).expect("readable"), [second]);
    assert_eq!(pieces.keys(&second, 0).expect("readable"), []);
    pieces.delete_piece(&first).expect("writable");
    pieces.delete_piece(&first).expect("writable");
    assert_eq!(pieces.get(&first).expect("readable"), None);
    assert_eq!(pieces.keys(&first, 10).expect("readable"), [second, other]);
    pieces.delete(DataId(-5)).expect("writable");
    pieces.delete(DataId(-5)).expect("writable");
    assert_eq!(pieces.get(&second).expect("readable"), None);
    assert_eq!(pieces.keys(&first, 10).expect("readable"), [other]);
    pieces.delete(DataId(9)).expect("writable");
}

/// The same key again replaces the bytes; another check is another piece; what was deleted can come again.
fn overwrites(pieces: &dyn Pieces) {
    let (one, other) = (key(1, 0, 1), key(1, 0, 2));
    for text in ["first", "second, longer", "3"] {
        pieces.put(&one, text.as_bytes()).expect("writable");
        assert_eq!(pieces.get(&one).expect("readable").as_deref(), Some(text.as_bytes()));
    }
    pieces.put(&other, b"other").expect("writable");
    assert_eq!(pieces.get(&one).expect("readable").as_deref(), Some(&b"3"[..]));
    assert_eq!(all(pieces), [one, other]);
    pieces.delete(DataId(1)).expect("writable");
    pieces.put(&one, b"again").expect("writable");
    assert_eq!(pieces.get(&one).expect("readable").as_deref(), Some(&b"again"[..]));
    assert_eq!(pieces.get(&other).expect("readable"), None);
    pieces.delete(DataId(1)).expect("writable");
}

/// Keys come in the order of data, part and check, negative datas first.
fn order_of_keys(pieces: &dyn Pieces) {
    let datas = [i64::MIN, -256, -1, 0, 1, 255, i64::MAX];
    let parts = [0, 1, 255, 256, u32::MAX];
    let checks = [0, 1, 0x7f, 0x80, 0xff];
    let mut keys: Vec<_> = datas
        .into_iter()
        .flat_map(|data| parts.map(|part| checks.map(|check| key(data, part, check))))
        .flatten()
        .collect();
    for key in keys.iter().rev() {
        pieces.put(key, b"x").expect("writable");
    }
    keys.sort_unstable();
    assert_eq!(all(pieces), keys);
    // In pages, as a walk over all of them does it.
    let mut paged = Vec::new();
    let mut from = key(i64::MIN, 0, 0);
    loop {
        let page = pieces.keys(&from, 8).expect("readable");
        let again = usize::from(paged.last() == page.first());
        if page.len() == again {
            break;
        }
        paged.extend_from_slice(&page[again..]);
        from = *paged.last().expect("just added");
    }
    assert_eq!(paged, keys);
    // Deleting the greatest and the least of a data reaches no neighbour.
    for (index, data) in datas.into_iter().enumerate() {
        pieces.delete(DataId(data)).expect("writable");
        assert_eq!(all(pieces), keys[(index + 1) * parts.len() * checks.len()..]);
    }
}

/// From nothing to the longest piece.
fn lengths(pieces: &dyn Pieces) {
    for len in [0, 1, 1023, 1024, 1025, 100_000, crate::limits::PIECE_LEN_MAX] {
        let bytes: Vec<u8> = (0..len).map(|index| (index % 253) as u8).collect();
        pieces.put(&key(3, len as u32, 0), &bytes).expect("writable");
        let found = pieces.get(&key(3, len as u32, 0)).expect("readable");
        assert_eq!(found.as_deref(), Some(&*bytes), "{len}");
    }
    pieces.delete(DataId(3)).expect("writable");
}

/// Datas of few and of many parts are deleted alike, each alone.
fn many_datas(pieces: &dyn Pieces) {
    let counts = [1_u32, 2, 63, 64, 65, 200];
    for (data, count) in (0..).zip(counts) {
        for part in 0..count {
            pieces.put(&key(data, part, 5), format!("{data}/{part}").as_bytes()).expect("writable");
        }
    }
    for (data, count) in (0..).zip(counts) {
        for part in 0..count {
            let found = pieces.get(&key(data, part, 5)).expect("readable");
            assert_eq!(found.as_deref(), Some(format!("{data}/{part}").as_bytes()));
        }
    }
    let mut left: u32 = counts.iter().sum();
    for (data, count) in (0..).zip(counts) {
        pieces.delete(DataId(data)).expect("writable");
        left -= count;
        assert_eq!(all(pieces).len(), left as usize);
        assert_eq!(pieces.get(&key(data, 0, 5)).expect("readable"), None);
    }
}

/// Threads that put, read and delete do not get in each other's way.
fn concurrent_puts(pieces: &dyn Pieces) {
    thread::scope(|scope| {
        for writer in 0..4_u8 {
            scope.spawn(move || {
                for part in 0..25 {
                    let bytes = vec![writer; 10_000 + part as usize];
                    // One data that all share, and one of its own that goes again.
                    for data in [100, 200 + i64::from(writer)] {
                        let key = key(data, part, writer);
                        pieces.put(&key, &bytes).expect("writable");
                        let found = pieces.get(&key).expect("readable");
                        assert_eq!(found.as_deref(), Some(&*bytes));
                    }
                }
                pieces.delete(DataId(200 + i64::from(writer))).expect("writable");
            });
        }
    });
    assert_eq!(all(pieces).len(), 100);
    pieces.delete(DataId(100)).expect("writable");
}

/// Bytes that depend on `seed`.
fn bytes(seed: u32, len: usize) -> Bytes {
    (0..len).map(|index| (index as u32 ^ index as u32 >> 9).wrapping_add(seed) as u8).collect()
}

fn get(pieces: &dyn Pieces, key: &PieceKey) -> Option<Bytes> {
    pieces.get(key).expect("readable")
}

fn put_large(pieces: &dyn Pieces, large: &[(PieceKey, Bytes)]) {
    let large: Vec<_> = large.iter().map(|(key, bytes)| (*key, bytes.clone().into())).collect();
    pieces.put_large(&large).expect("writable");
}

/// Pieces of large files of any length, wherever they lie in memory, in any order, of several datas in one call.
fn large_pieces(pieces: &dyn Pieces) {
    const MAX: usize = crate::limits::PIECE_LEN_MAX;
    let lens = [1, 4096, 65_535, 65_536, 65_537, 131_072, 300_000, MAX - 1, MAX];
    for shift in [0, 1, 16, 512, 4096 - 84] {
        let mut all = Vec::new();
        for (part, len) in (0..).zip(lens.into_iter().chain([MAX; 3])) {
            for data in [i64::MIN, 5, 6] {
                let bytes = bytes(part ^ data as u32, shift + len).slice(shift..);
                all.push((key(data, part, 9), bytes));
            }
        }
        all.reverse();
        all.swap(1, 7);
        put_large(pieces, &all);
        for (key, bytes) in &all {
            assert!(get(pieces, key).as_ref() == Some(bytes), "{key:?} at {shift}");
        }
        assert_eq!(self::all(pieces).len(), all.len());
        // One goes, the others stay.
        pieces.delete_piece(&all[0].0).expect("writable");
        assert_eq!(get(pieces, &all[0].0), None);
        assert!(get(pieces, &all[3].0).as_ref() == Some(&all[3].1));
        for data in [5, i64::MIN, 6] {
            pieces.delete(DataId(data)).expect("writable");
            assert_eq!(get(pieces, &key(data, 8, 9)), None);
        }
    }
}

/// A piece that comes again is there once; other bytes under its key replace it; another version lies beside it. What was deleted
/// can come again.
fn large_pieces_again(pieces: &dyn Pieces) {
    const LEN: usize = 200_000;
    let (one, other) = (key(1, 3, 1), key(1, 3, 2));
    let put = |key: PieceKey, bytes: &Bytes| {
        put_large(pieces, &[(key, bytes.clone())]);
        assert!(get(pieces, &key).as_ref() == Some(bytes), "{key:?}");
    };
    let [first, second, third] = [1, 2, 3].map(|seed| bytes(seed, LEN));
    put(one, &first);
    put(one, &first);
    put(other, &second);
    assert!(get(pieces, &one) == Some(first.clone()));
    assert_eq!(all(pieces), [one, other]);
    put(one, &third);
    assert!(get(pieces, &other) == Some(second.clone()));
    // Both in one call.
    put_large(pieces, &[(one, first.clone()), (other, third.clone())]);
    assert!(get(pieces, &one) == Some(first.clone()) && get(pieces, &other) == Some(third.clone()));
    pieces.put(&one, b"short").expect("writable");
    assert_eq!(get(pieces, &one).as_deref(), Some(&b"short"[..]));
    pieces.delete_piece(&one).expect("writable");
    pieces.delete_piece(&other).expect("writable");
    assert_eq!(all(pieces), []);
    put(other, &first);
    assert_eq!(get(pieces, &one), None);
    put(one, &second);
    assert!(get(pieces, &other) == Some(first));
    pieces.delete(DataId(1)).expect("writable");
    put(one, &third);
    pieces.delete(DataId(1)).expect("writable");
}

/// Versions of one part that come at the same time are all kept.
fn concurrent_large_puts(pieces: &dyn Pieces) {
    thread::scope(|scope| {
        for writer in 0..4_u8 {
            scope.spawn(move || {
                for part in 0..12 {
                    let pair = [part, part + 1].map(|part| {
                        (key(7, part, writer), bytes(u32::from(writer) << 8 ^ part, 100_000))
                    });
                    put_large(pieces, &pair);
                    for (key, bytes) in &pair {
                        assert!(get(pieces, key).as_ref() == Some(bytes), "{key:?}");
                    }
                }
            });
        }
    });
    assert_eq!(all(pieces).len(), 4 * 13);
    for (writer, part) in (0..4_u8).flat_map(|writer| (0..13).map(move |part| (writer, part))) {
        let found = get(pieces, &key(7, part, writer));
        assert!(found == Some(bytes(u32::from(writer) << 8 ^ part, 100_000)), "{writer} {part}");
    }
    pieces.delete(DataId(7)).expect("writable");
}
