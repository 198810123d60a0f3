//! What the tests share: seeds, random numbers, a record.

mod numbers;

pub(crate) use numbers::Numbers;

/// The seeds to run: `count` of them, or the one in the variable `SEED`.
pub(crate) fn seeds(count: u64) -> impl Iterator<Item = Seed> {
    let given = std::env::var("SEED").ok().map(|seed| seed.parse().expect("SEED is a number"));
    let range = given.map_or(0..count, |seed: u64| seed..seed + 1);
    range.map(Seed)
}

/// A seed; prints itself when the test it was used in fails.
pub(crate) struct Seed(pub(crate) u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed with SEED={}", self.0);
        }
    }
}

impl Seed {
    /// Numbers that depend on the seed alone.
    pub(crate) fn random(&self) -> Random {
        Random(self.0)
    }
}

/// SplitMix64: enough for choices.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// A number from 0 to before `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    /// True once in `count` times.
    pub(crate) fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}
