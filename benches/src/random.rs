//! Numbers that look random and are the same in every run.

/// A generator of numbers (SplitMix64); no two seeds give the same ones.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The generator that begins at `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number, as a word.
    pub const fn word(&mut self) -> u16 {
        self.next() as u16
    }

    /// The next number, as a dword.
    pub const fn dword(&mut self) -> u32 {
        self.next() as u32
    }

    /// Whether it happens, `one_in` times out of `many`.
    pub const fn happens(&mut self, one_in: u64, many: u64) -> bool {
        self.next() % many < one_in
    }
}
