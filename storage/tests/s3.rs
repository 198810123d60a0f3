//! Blobs in a remote store: in memory, and in a real SeaweedFS that loses servers.
#![cfg(feature = "s3")]
#![expect(clippy::disallowed_methods, reason = "a real store is waited for")]

mod seaweed;

use std::{
    io::Write as _,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
    time::{Duration, Instant},
};

use bytes::Bytes;
use seaweed::Seaweed;
use storage::{
    BlobId, DataId, Error,
    blobs::s3::{Credentials, Object, Objects},
};

const MIB: usize = 1 << 20;

/// A blob that is named by a number.
fn blob(number: u64) -> (BlobId, DataId) {
    let mut id = [number as u8; 32];
    id[24..].copy_from_slice(&number.to_be_bytes());
    (BlobId(id), DataId(number.cast_signed().wrapping_neg()))
}

/// The bytes of a blob, another for each place and blob.
fn content(number: u64, len: usize) -> Bytes {
    let words =
        (0..len.div_ceil(8) as u64).map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number);
    let mut bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    bytes.truncate(len);
    bytes.into()
}

fn put(objects: &Objects, number: u64, len: usize) -> Result<(), Error> {
    let (blob, data) = blob(number);
    let mut left = content(number, len);
    objects.put(blob, data, len as u64, &mut || {
        // Pieces of an odd length: parts are cut elsewhere.
        let piece = left.split_to(left.len().min(300_001));
        Ok((!piece.is_empty()).then_some(piece))
    })
}

#[track_caller]
fn check(objects: &Objects, number: u64, len: usize, at: usize, count: usize) {
    let (blob, data) = blob(number);
    let read = objects.read(blob, data, at as u64..(at + count) as u64).unwrap().unwrap();
    assert!(read == content(number, len)[at..at + count], "{number}: {count} at {at}");
}

fn list(objects: &Objects) -> Vec<Object> {
    (0..=255).flat_map(|first| objects.list(first).unwrap()).collect()
}

/// What holds for every store. Leaves nothing.
fn suite(objects: &Objects) {
    objects.probe().unwrap();
    let lens = [(1, 1), (2, 5 * MIB), (3, 8 * MIB), (4, 8 * MIB + 1), (0x0105, 40 * MIB)];
    for (number, len) in lens {
        put(objects, number, len).unwrap();
        check(objects, number, len, 0, 1);
        check(objects, number, len, len - 1, 1);
        check(objects, number, len, 0, len);
    }
    for (at, count) in [(1, 1023), (8 * MIB - 7, 14), (16 * MIB, MIB), (39 * MIB + 13, 333_333)] {
        check(objects, 0x0105, 40 * MIB, at, count);
    }
    // Written again: the same object.
    put(objects, 2, 5 * MIB).unwrap();

    let (missing, data) = blob(77);
    assert_eq!(objects.read(missing, data, 0..10).unwrap(), None);
    objects.delete(missing, data).unwrap();
    // A blob that came with another upload is another object.
    assert_eq!(objects.read(blob(1).0, data, 0..1).unwrap(), None);
    let beyond = objects.read(blob(1).0, blob(1).1, 0..2);
    assert!(matches!(beyond, Err(Error::Remote { .. })), "{beyond:?}");

    let mut expected: Vec<_> = lens
        .map(|(number, len)| {
            let (blob, data) = blob(number);
            Object { blob, data, len: len as u64 }
        })
        .into();
    expected.sort_unstable();
    assert_eq!(list(objects), expected);

    // What breaks off, or has another length than announced, leaves no object.
    for (announced, given) in [(3_u64, 2_usize), (2, 3), (30 << 20, 20 << 20), (20 << 20, 21 << 20)]
    {
        let mut left = content(9, given);
        let error = objects.put(blob(9).0, blob(9).1, announced, &mut || {
            let piece = left.split_to(left.len().min(MIB));
            Ok((!piece.is_empty()).then_some(piece))
        });
        assert!(
            error.as_ref().is_err_and(Error::is_corrupt_bytes),
            "{announced} {given} {error:?}"
        );
    }
    let mut count = 0;
    let failed = objects.put(blob(9).0, blob(9).1, 30 << 20, &mut || {
        count += 1;
        if count > 20 { Err(Error::TooLong { len: 1 }) } else { Ok(Some(content(9, MIB))) }
    });
    assert_eq!(failed, Err(Error::TooLong { len: 1 }));
    assert_eq!(objects.read(blob(9).0, blob(9).1, 0..1).unwrap(), None);
    assert_eq!(list(objects), expected);

    for (number, _) in lens {
        let (blob, data) = blob(number);
        objects.delete(blob, data).unwrap();
        objects.delete(blob, data).unwrap();
        assert_eq!(objects.read(blob, data, 0..1).unwrap(), None);
    }
    assert_eq!(list(objects), []);
}

#[test]
fn in_memory() {
    suite(&Objects::in_memory().unwrap());
}

/// The runtime inside may be dropped where waiting is forbidden.
#[test]
fn is_dropped_in_asynchronous_code() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let objects = Objects::in_memory().unwrap();
    runtime.block_on(async move { drop(objects) });
}

/// One store for all cases: it takes seconds to start.
#[test]
fn in_seaweedfs() {
    let Some(program) = seaweed::program() else {
        let _ = writeln!(
            std::io::stderr(),
            "LEFT OUT: no SeaweedFS (neither BAUDOT_WEED nor weed in PATH)"
        );
        return;
    };
    let mut seaweed = Seaweed::start(program);
    let objects = Objects::connect_as(&seaweed.options(), &seaweed.credentials()).unwrap();
    suite(&objects);
    wrong_settings_are_told(&seaweed);
    loses_a_server(&mut seaweed, &objects);
    is_down(&mut seaweed);
}

fn wrong_settings_are_told(seaweed: &Seaweed) {
    let mut options = seaweed.options();
    options.bucket = "elsewhere".into();
    let objects = Objects::connect_as(&options, &seaweed.credentials()).unwrap();
    let error = objects.probe().unwrap_err().to_string();
    assert!(error.contains("elsewhere"), "{error}");

    let wrong = Credentials { secret: "hush-hush".into(), ..seaweed.credentials() };
    let objects = Objects::connect_as(&seaweed.options(), &wrong).unwrap();
    let error = objects.probe().unwrap_err().to_string();
    assert!(error.contains("credentials") && !error.contains("hush"), "{error}");
}

/// A volume server dies amid reads and writes. Reads go on from the other; what was acknowledged is on both; writes
/// succeed again when it is back.
fn loses_a_server(seaweed: &mut Seaweed, objects: &Objects) {
    const LEN: usize = 12 * MIB;
    put(objects, 1, LEN).unwrap();
    let (done, reads, refused) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let acknowledged = thread::scope(|scope| {
        let end = EndsWith(&done);
        scope.spawn(|| {
            let mut at = 0;
            while !done.load(Ordering::Relaxed) {
                check(objects, 1, LEN, at, 200_000);
                at = (at + 1_234_567) % (LEN - 200_000);
                reads.fetch_add(1, Ordering::Relaxed);
            }
        });
        let writer = scope.spawn(|| {
            let mut acknowledged = Vec::new();
            for number in 1000.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                // Every fourth goes in parts.
                let len = if number % 4 == 0 { 9 * MIB } else { MIB / 2 };
                match put(objects, number, len) {
                    Ok(()) => acknowledged.push((number, len)),
                    Err(Error::Remote { .. }) => {
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(error) => panic!("{error}"),
                }
            }
            acknowledged
        });
        let more_reads = |seaweed: &Seaweed, count| {
            let before = reads.load(Ordering::Relaxed);
            seaweed.wait("go on", || reads.load(Ordering::Relaxed) >= before + count);
        };
        more_reads(seaweed, 10);
        seaweed.kill("volume0");
        more_reads(seaweed, 30);
        thread::sleep(Duration::from_secs(2));
        more_reads(seaweed, 30);
        seaweed.start_volume(0);
        seaweed.wait("take objects again", || put(objects, 2, MIB).is_ok());
        thread::sleep(Duration::from_secs(1));
        drop(end);
        writer.join().unwrap()
    });
    assert!(!acknowledged.is_empty());
    put(objects, 3, 9 * MIB).unwrap();
    let all = || {
        check(objects, 1, LEN, 0, LEN);
        check(objects, 2, MIB, 0, MIB);
        check(objects, 3, 9 * MIB, 0, 9 * MIB);
        for &(number, len) in &acknowledged {
            check(objects, number, len, 0, len);
        }
    };
    all();
    // The one that was away has all of it, too.
    seaweed.kill("volume1");
    all();
    let _ = writeln!(
        std::io::stderr(),
        "{} written, {} refused, {} read",
        acknowledged.len(),
        refused.load(Ordering::Relaxed),
        reads.load(Ordering::Relaxed)
    );
}

/// Ends the threads of a scope, also when a panic would wait for them.
struct EndsWith<'a>(&'a AtomicBool);

impl Drop for EndsWith<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A store that stands still, or is not there, is an error in good time.
fn is_down(seaweed: &mut Seaweed) {
    let mut options = seaweed.options();
    options.timeout = Duration::from_secs(1);
    options.retries = 1;
    let objects = Objects::connect_as(&options, &seaweed.credentials()).unwrap();
    let (blob, data) = blob(1);
    let fails = |what: &str| {
        let begun = Instant::now();
        let results = [
            objects.read(blob, data, 0..10).map(drop),
            put(&objects, 4, MIB),
            put(&objects, 5, 9 * MIB),
            objects.delete(blob, data),
            objects.list(0).map(drop),
            objects.probe(),
        ];
        for result in results {
            let error = result.unwrap_err();
            assert!(matches!(error, Error::Remote { .. }), "{what}: {error}");
            assert!(!error.to_string().contains("not secret"), "{error}");
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}: {:?}", begun.elapsed());
    };
    seaweed.freeze("s3");
    fails("stands still");
    seaweed.kill("s3");
    fails("is not there");
}
