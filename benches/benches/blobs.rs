//! What file contents cost: hashing a piece, storing it, and reading it.
//!
//! Sketch: a part of 512 KiB is hashed once (BLAKE3, one thread, some GB/s), copied once into the store, and written twice to
//! the disk: to the log with a sync, and to a blob file behind the caller's back. So a put should take about as long as
//! writing it to a file with a sync where the disk is slow, and twice as long where it is fast. With feature `rocks` that ratio is
//! measured and printed: both in the same run, in turns.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use storage::{
    DataId,
    blobs::{MemoryPieces, PieceKey, Pieces, tree},
};

const LEN: usize = 512 << 10;

/// Bytes that do not compress.
fn piece(number: u64) -> Vec<u8> {
    let mut state = number ^ 0x9e37_79b9_7f4a_7c15;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.take(LEN / 8).flatten().collect()
}

fn key(number: u32) -> PieceKey {
    PieceKey { data: DataId(i64::from(number / 2000)), part: number % 2000, check: [0; 8] }
}

fn hash(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("blobs/tree");
    for len in [1 << 10, 32 << 10, LEN] {
        let bytes = &piece(1)[..len];
        group.throughput(Throughput::Bytes(len as u64));
        group.bench_function(format!("piece of {} KiB", len >> 10), |bencher| {
            bencher.iter(|| tree::piece(black_box(len as u64 * 8), black_box(bytes)));
        });
    }
    let hashes = vec![tree::piece(0, &piece(1)).expect("a piece"); 8000];
    group.throughput(Throughput::Elements(8000));
    group.bench_function("blob of 8000 pieces", |bencher| {
        bencher.iter(|| tree::blob(8000 * LEN as u64, LEN as u32, black_box(&hashes)));
    });
}

/// Puts pieces under new keys, and reads them in turn.
fn put_get(criterion: &mut Criterion, name: &str, pieces: &dyn Pieces) {
    let mut group = criterion.benchmark_group(format!("blobs/{name}"));
    group.throughput(Throughput::Bytes(LEN as u64));
    let bytes = piece(2);
    let mut count = 0;
    group.bench_function("put", |bencher| {
        bencher.iter_batched(
            || {
                count += 1;
                // What was written goes, a lot at a time, or the memory and the disk would be full.
                if count % 2000 == 0 {
                    pieces.delete(key(count - 1).data).expect("writable");
                }
                key(count)
            },
            |key| pieces.put(&key, &bytes).expect("writable"),
            BatchSize::PerIteration,
        );
    });
    for number in 0..100 {
        pieces.put(&key(number), &piece(u64::from(number))).expect("writable");
    }
    let mut number = 0;
    group.bench_function("get", |bencher| {
        bencher.iter(|| {
            number = (number + 37) % 100;
            black_box(pieces.get(&key(number)).expect("readable").expect("there"));
        });
    });
}

fn memory(criterion: &mut Criterion) {
    put_get(criterion, "memory", &MemoryPieces::default());
}

#[cfg(feature = "rocks")]
fn rocks(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pieces = storage::blobs::RocksPieces::open(folder.path()).expect("opens");
    put_get(criterion, "rocks", &pieces);
    ratio(&pieces, folder.path());
}

/// Compares puts with writing the same bytes to a file with a sync after each, from one thread and from four.
#[cfg(feature = "rocks")]
#[expect(clippy::disallowed_methods, reason = "it takes the time")]
fn ratio(pieces: &dyn Pieces, folder: &std::path::Path) {
    use std::{
        fs::File,
        io::Write as _,
        thread,
        time::{Duration, Instant},
    };

    const COUNT: u32 = 32;
    let bytes = &piece(3);
    for threads in [1, 4] {
        let each = |store: &(dyn Fn(u32) + Sync)| -> Duration {
            let begun = Instant::now();
            thread::scope(|scope| {
                for thread in 0..threads {
                    scope.spawn(move || (0..COUNT).for_each(|part| store(thread * COUNT + part)));
                }
            });
            begun.elapsed()
        };
        let (mut put, mut written) = (Duration::ZERO, Duration::ZERO);
        for round in 0..8 {
            put += each(&|part| {
                pieces.put(&key(10_000 + round * 2000 + part), bytes).expect("writable");
            });
            let path = folder.join("plain");
            written += each(&|part| {
                let mut file = File::options()
                    .create(true)
                    .append(true)
                    .open(path.with_extension((part / COUNT).to_string()))
                    .expect("opens");
                file.write_all(bytes).expect("writable");
                file.sync_data().expect("syncs");
            });
        }
        let rate = |time: Duration| {
            f64::from(8 * threads * COUNT) * LEN as f64 / time.as_secs_f64() / f64::from(1 << 20)
        };
        let _ = writeln!(
            std::io::stderr(),
            "blobs/rocks, {threads} threads: put {:.0} MiB/s, plain file with syncs {:.0} MiB/s, ratio {:.2}",
            rate(put),
            rate(written),
            rate(put) / rate(written)
        );
    }
}

#[cfg(not(feature = "rocks"))]
fn rocks(_: &mut Criterion) {}

criterion_group!(benches, hash, memory, rocks);
criterion_main!(benches);
