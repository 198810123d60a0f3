//! Client against server in virtual time, from a seed: each request is handled once and each answer arrives.
//!
//! A failure prints its seed; `SEED=… cargo nextest run` runs that one again.

mod server;
mod world;

use world::{Options, Pair};

/// The seeds to run: the one of the environment, or the first `count`.
fn seeds(count: u64) -> impl Iterator<Item = u64> {
    let one = std::env::var("SEED").ok().map(|seed| seed.parse::<u64>().expect("SEED is a number"));
    one.unwrap_or(0)..one.map_or(count, |seed| seed + 1)
}

#[track_caller]
fn check(count: u64, options: impl Fn(u64) -> Options) {
    for seed in seeds(count) {
        Pair::new(seed, options(seed)).run();
    }
}

#[test]
fn a_quiet_line() {
    check(20, |_| Options::default());
}

#[test]
fn a_handshake_and_what_follows() {
    check(5, |_| Options { handshake: true, ..Options::default() });
}

#[test]
fn a_temporary_key_is_bound() {
    check(5, |_| Options { handshake: true, temp_key: true, ..Options::default() });
}

#[test]
fn handshakes_survive_cut_connections() {
    check(5, |seed| Options {
        handshake: true,
        temp_key: seed % 2 == 0,
        cut_after: Some(3000),
        ..Options::default()
    });
}

#[test]
fn answers_survive_cut_connections() {
    check(200, |_| Options { cut_after: Some(4000), ..Options::default() });
}

#[test]
fn answers_survive_connections_cut_all_the_time() {
    check(50, |_| Options { cut_after: Some(400), request_count: 20, ..Options::default() });
}

#[test]
fn wrong_clocks_are_set_right() {
    check(60, |seed| Options {
        skew_s: [-100_000, -301, -290, 25, 31, 100_000][seed as usize % 6],
        cut_after: (seed % 2 == 1).then_some(4000),
        ..Options::default()
    });
}

#[test]
fn clocks_that_are_set_lose_nothing() {
    check(200, |_| Options { jumps: true, ..Options::default() });
}

#[test]
fn salts_change_on_the_way() {
    check(20, |seed| Options {
        pause_s: 400,
        request_count: 40,
        cut_after: (seed % 2 == 1).then_some(4000),
        ..Options::default()
    });
}
