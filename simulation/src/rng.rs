//! Numbers that follow from a seed, the same on every machine and with every compiler.

/// Draws numbers (`SplitMix64`).
#[derive(Debug, Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    /// What this seed draws for this purpose. Purposes don't disturb each other: what one draws more leaves the others be.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        let mixed = purpose.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(mixed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `least` up to, and without, `bound`.
    pub(crate) fn within(&mut self, least: u64, bound: u64) -> u64 {
        least + self.next() % bound.saturating_sub(least).max(1)
    }

    /// True so many times in a thousand.
    pub(crate) fn chance(&mut self, per_mille: u64) -> bool {
        self.within(0, 1_000) < per_mille
    }

    /// One of these.
    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let place = self.within(0, from.len() as u64);
        from.get(usize::try_from(place).unwrap_or_default()).copied()
    }
}
