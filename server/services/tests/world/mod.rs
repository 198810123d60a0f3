//! A world of partitions and users, and every choice in it: random calls; deliveries lost, repeated, delayed and reordered;
//! writes that fail, power that goes. The tests choose by a seed, fuzzing by its bytes.
//!
//! | file | what it is |
//! |---|---|
//! | `random.rs` | the choices |
//! | `cluster.rs` | partitions and the faulty ways between them |
//! | `people.rs` | users who call until they have an answer, and what must come of it |
//! | `device.rs` | a client that follows a box by pushes and differences |
//! | `check.rs` | what must hold at the end |
//! | `media.rs` | users who have files, and the server that looks after what is over |
//! | `holdings.rs` | what must hold of files, at each step and at the end |

pub(crate) mod check;
pub(crate) mod cluster;
mod device;
mod holdings;
mod media;
mod people;
mod random;
#[path = "../common/media.rs"]
pub(crate) mod records;

pub(crate) use random::Random;

use cluster::Cluster;
use media::Crowd;
use people::People;

/// People write to each other. When all has come through, both sides of each chat agree.
pub(crate) fn chats(random: &mut Random, users: i64, steps: usize, crashes: bool) {
    let mut cluster = Cluster::new(5);
    let mut people = People::new(users);
    for _ in 0..steps {
        if random.is_spent() {
            break;
        }
        match random.below(10) {
            0..=3 => people.act(&mut cluster, random),
            4..=7 => cluster.carry(random),
            8 => cluster.resend(random),
            _ if crashes && random.one_in(4) => cluster.break_soon(random),
            _ => cluster.now += 1,
        }
        people.hear(&mut cluster, random);
    }
    cluster.heal();
    while people.busy() || !cluster.idle() {
        people.finish(&mut cluster, random);
        cluster.resend(random);
        cluster.carry(random);
        people.hear(&mut cluster, random);
    }
    people.catch_up(&cluster);
    check::all(&cluster, &people);
}

/// People have files. In the end nothing is left of them.
pub(crate) fn files(random: &mut Random, users: i64, steps: usize, crashes: bool) {
    let mut cluster = Cluster::new(7);
    let mut crowd = Crowd::new(&mut cluster, random, users);
    for _ in 0..steps {
        if random.is_spent() {
            break;
        }
        match random.below(10) {
            0..=4 => crowd.act(&mut cluster, random),
            5..=7 => cluster.carry(random),
            8 => cluster.resend(random),
            _ if crashes && random.one_in(4) => cluster.break_soon(random),
            _ => cluster.now += 1,
        }
        if random.one_in(40) {
            cluster.hold_back(random);
        }
        cluster.pushed.clear();
        crowd.check_step(&cluster);
    }
    cluster.heal();
    settle(&mut cluster, &mut crowd, random);
    crowd.check_quiet(&cluster);
    crowd.leave(&cluster);
    settle(&mut cluster, &mut crowd, random);
    crowd.check_quiet(&cluster);
    cluster.now += 1_000;
    while crowd.wait(&mut cluster, random) {
        settle(&mut cluster, &mut crowd, random);
    }
    settle(&mut cluster, &mut crowd, random);
    crowd.check_quiet(&cluster);
    crowd.check_empty(&cluster);
    cluster.check_rows();
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
