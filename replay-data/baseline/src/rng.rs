//! Pseudo-random numbers: xoshiro256**, seeded through splitmix64. The same seed gives the same numbers on every
//! machine and with every release of the compiler; nothing here may ask clock, environment or a library.

/// A generator of numbers.
#[derive(Clone, Debug)]
pub struct Rng([u64; 4]);

/// One step of splitmix64: spreads a counter or a small seed over 64 bits.
pub fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Rng {
    /// A generator for a seed.
    pub fn new(seed: u64) -> Self {
        let a = mix(seed);
        let b = mix(a);
        let c = mix(b);
        Self([a, b, c, mix(c)])
    }

    /// A generator for a word: equal words, equal numbers.
    pub fn of(word: &str) -> Self {
        Self::new(word.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| mix(hash ^ u64::from(byte))))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.0;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (c ^ a, d ^ b);
        self.0 = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A number below `end`; 0 when `end` is 0. The bias is below 2⁻³² for the ends used here.
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u64
    }

    /// A number of `from..to`, both in milliseconds or whatever unit the caller has.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        from + self.below(to.saturating_sub(from).max(0) as u64) as i64
    }

    /// True once in so many times.
    pub fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// An index of a table of `len` entries; 0 of an empty one.
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// One of a table's texts.
    pub fn pick(&mut self, table: &[&'static str]) -> &'static str {
        let at = self.index(table.len());
        table.get(at).copied().unwrap_or("")
    }

    /// Hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.bits()));
        }
        text.truncate(digits);
        text
    }

    /// A digest of an image.
    pub fn digest(&mut self) -> String {
        format!("sha256:{}", self.hex(64))
    }

    /// The hash of a commit.
    pub fn commit(&mut self) -> String {
        self.hex(40)
    }
}
