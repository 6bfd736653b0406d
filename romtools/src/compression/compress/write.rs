//! The bit stream's other end: most significant bit first.

/// Collects bits behind a header that is filled in at the end.
#[derive(Debug)]
pub(super) struct BitWriter {
    stream: Vec<u8>,
    /// Bits that make no whole byte yet, at the low end.
    bits: u64,
    count: u32,
}

impl BitWriter {
    pub(super) fn new() -> Self {
        Self { stream: vec![0; super::super::HEADER], bits: 0, count: 0 }
    }

    /// Appends the low `count` bits of a number; at most 32.
    pub(super) fn put(&mut self, count: u32, number: u32) {
        debug_assert!(count == 32 || number >> count == 0, "{number} in {count} bits");
        self.bits = self.bits << count | u64::from(number);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            self.stream.push((self.bits >> self.count) as u8);
        }
    }

    /// Fills up the last byte, and writes the header.
    pub(super) fn finish(mut self, original: usize) -> Vec<u8> {
        self.put((8 - self.count) % 8, 0);
        // Some readers look up a whole code ahead, and find the end of the stream before that of the output.
        self.put(16, 0);
        let compressed = self.stream.len() - super::super::HEADER;
        // Both are far below 4 GiB: the input is limited, and a literal takes two bytes at most.
        self.stream[..4].copy_from_slice(&(compressed as u32).to_le_bytes());
        self.stream[4..8].copy_from_slice(&(original as u32).to_le_bytes());
        self.stream
    }
}
