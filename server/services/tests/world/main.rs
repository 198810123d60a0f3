//! Many partitions and users from one seed. When all has come through, both sides of each chat agree, every device knows what is
//! stored, and files are there as long as somebody has them.
//!
//! A failure prints its seed; `SEED=… cargo nextest run -p services` runs it again.

#[path = "mod.rs"]
mod world;

use world::{Random, chats, files};

/// Prints the seed of the run that failed.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed with SEED={}", self.0);
        }
    }
}

fn run(seed: u64, users: i64, steps: usize, crashes: bool) {
    let seed = Seed(seed);
    chats(&mut Random::new(seed.0), users, steps, crashes);
}

fn run_media(seed: u64, users: i64, steps: usize, crashes: bool) {
    let seed = Seed(seed);
    files(&mut Random::new(seed.0), users, steps, crashes);
}

fn seeds(count: u64) -> std::ops::Range<u64> {
    match std::env::var("SEED") {
        Ok(seed) => {
            let seed = seed.parse().expect("SEED is a number");
            seed..seed + 1
        }
        Err(_) => 0..count,
    }
}

/// Deliveries are lost, repeated, delayed and reordered.
#[test]
fn both_sides_agree_over_a_faulty_way() {
    for seed in seeds(30) {
        run(seed, 6, 600, false);
    }
}

/// The same, and writes fail and power goes at any of them.
#[test]
fn both_sides_agree_after_crashes() {
    for seed in seeds(60) {
        run(1_000_000 + seed, 4, 600, true);
    }
}

/// Two users who write to each other a lot, so that chats grow beyond what is looked through for copies.
#[test]
fn both_sides_agree_in_long_chats() {
    for seed in seeds(4) {
        run(2_000_000 + seed, 2, 3_000, true);
    }
}

/// Files are kept while somebody has them, and no longer, though some ways between partitions are shut for long.
#[test]
fn files_are_kept_while_somebody_has_them() {
    for seed in seeds(10) {
        run_media(3_000_000 + seed, 4, 600, false);
    }
}

/// The same, and writes fail and power goes at any of them.
#[test]
fn files_are_kept_while_somebody_has_them_despite_crashes() {
    for seed in seeds(14) {
        run_media(4_000_000 + seed, 3, 600, true);
    }
}
