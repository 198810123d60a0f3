//! Choices: from a seed, or from given bytes as long as there are any.

/// A source of choices.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    state: u64,
    /// What is chosen next, one byte a choice (two among many), and whether bytes are all there is.
    given: Option<Vec<u8>>,
    at: usize,
}

impl Random {
    /// All that follows from a seed.
    #[allow(dead_code, clippy::allow_attributes, reason = "fuzzing has bytes")]
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed, given: None, at: 0 }
    }

    /// What `bytes` choose, and then something.
    #[allow(dead_code, clippy::allow_attributes, reason = "the tests have seeds")]
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        Self { state: 0, given: Some(bytes.to_vec()), at: 0 }
    }

    /// Whether there were bytes, and there are none left.
    pub(crate) fn is_spent(&self) -> bool {
        self.given.as_ref().is_some_and(|bytes| self.at >= bytes.len())
    }

    /// A number that did not come before. SplitMix64: enough for choices.
    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to before `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        if end <= 1 && self.given.is_some() {
            return 0;
        }
        let chosen = match self.given_byte() {
            Some(low) if end > 256 => {
                u64::from(low) + 256 * u64::from(self.given_byte().unwrap_or(0))
            }
            Some(byte) => byte.into(),
            None => self.next(),
        };
        usize::try_from(chosen % end as u64).unwrap()
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn given_byte(&mut self) -> Option<u8> {
        let byte = *self.given.as_ref()?.get(self.at)?;
        self.at += 1;
        Some(byte)
    }
}
