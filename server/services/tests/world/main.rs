//! Many partitions and users from one seed: random calls; deliveries lost, repeated, delayed and reordered; writes that fail,
//! power that goes. When all has come through, both sides of each chat agree, and every device knows what is stored.
//!
//! | file | what it is |
//! |---|---|
//! | `cluster.rs` | partitions and the faulty ways between them |
//! | `people.rs` | users who call until they have an answer, and what must come of it |
//! | `device.rs` | a client that follows a box by pushes and differences |
//! | `check.rs` | what must hold at the end |
//! | `media.rs` | users who have files, and the server that looks after what is over |
//! | `holdings.rs` | what must hold of files, at each step and at the end |
//!
//! A failure prints its seed; `SEED=… cargo nextest run -p services` runs it again.

mod check;
mod cluster;
mod device;
mod holdings;
mod media;
mod people;
#[path = "../common/media.rs"]
mod records;

use cluster::Cluster;
use media::Crowd;
use people::People;

/// SplitMix64: enough for choices.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to before `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

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
    let mut random = Random(seed.0);
    let mut cluster = Cluster::new(5);
    let mut people = People::new(users);
    for _ in 0..steps {
        match random.below(10) {
            0..=3 => people.act(&mut cluster, &mut random),
            4..=7 => cluster.carry(&mut random),
            8 => cluster.resend(&mut random),
            _ if crashes && random.one_in(4) => cluster.break_soon(&mut random),
            _ => cluster.now += 1,
        }
        people.hear(&mut cluster, &mut random);
    }
    cluster.heal();
    while people.busy() || !cluster.idle() {
        people.finish(&mut cluster, &mut random);
        cluster.resend(&mut random);
        cluster.carry(&mut random);
        people.hear(&mut cluster, &mut random);
    }
    people.catch_up(&cluster);
    check::all(&cluster, &people);
}

fn run_media(seed: u64, users: i64, steps: usize, crashes: bool) {
    let seed = Seed(seed);
    let mut random = Random(seed.0);
    let mut cluster = Cluster::new(7);
    let mut crowd = Crowd::new(&mut cluster, &mut random, users);
    for _ in 0..steps {
        match random.below(10) {
            0..=4 => crowd.act(&mut cluster, &mut random),
            5..=7 => cluster.carry(&mut random),
            8 => cluster.resend(&mut random),
            _ if crashes && random.one_in(4) => cluster.break_soon(&mut random),
            _ => cluster.now += 1,
        }
        if random.one_in(40) {
            cluster.hold_back(&mut random);
        }
        cluster.pushed.clear();
        crowd.check_step(&cluster);
    }
    cluster.heal();
    settle(&mut cluster, &mut crowd, &mut random);
    crowd.check_quiet(&cluster);
    crowd.leave(&cluster);
    settle(&mut cluster, &mut crowd, &mut random);
    crowd.check_quiet(&cluster);
    cluster.now += 1_000;
    while crowd.wait(&mut cluster, &mut random) {
        settle(&mut cluster, &mut crowd, &mut random);
    }
    settle(&mut cluster, &mut crowd, &mut random);
    crowd.check_quiet(&cluster);
    crowd.check_empty(&cluster);
}

/// Lets everything come through.
fn settle(cluster: &mut Cluster, crowd: &mut Crowd, random: &mut Random) {
    while crowd.busy() || !cluster.idle() {
        crowd.finish(cluster, random);
        cluster.resend(random);
        cluster.carry(random);
        cluster.pushed.clear();
        crowd.check_step(cluster);
    }
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
