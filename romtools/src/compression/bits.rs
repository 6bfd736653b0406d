//! The bit stream: most significant bit first, in the order of the bytes.

/// Bits that the window has after a refill, at least.
pub(super) const REFILLED: u32 = 56;

/// Reads a stream through a window of 64 bits.
///
/// Behind the end of the stream it reads zeros and remembers that it did: the loops need not look at
/// every bit, and [`BitReader::is_overrun`] tells afterwards.
#[derive(Debug, Clone, Copy)]
pub(super) struct BitReader<'a> {
    /// The bytes that are not in the window yet.
    rest: &'a [u8],
    /// Bytes of the whole stream.
    length: usize,
    /// Bytes of zeros that were put into the window behind the end.
    beyond: usize,
    /// The next bit is the topmost one.
    window: u64,
    /// The low six bits are how many bits of the window count. Those below are zero, or what the next refill
    /// puts there anyway.
    count: u32,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(stream: &'a [u8]) -> Self {
        Self { rest: stream, length: stream.len(), beyond: 0, window: 0, count: 0 }
    }

    /// Fills the window to at least [`REFILLED`] bits.
    pub(super) fn refill(&mut self) {
        if self.refill_inside() {
            return;
        }
        self.count &= 63;
        while self.count < REFILLED {
            let byte = match self.rest {
                [byte, rest @ ..] => {
                    self.rest = rest;
                    *byte
                }
                [] => {
                    self.beyond += 1;
                    0
                }
            };
            self.window |= u64::from(byte) << (REFILLED - self.count);
            self.count += 8;
        }
    }

    /// The same without branches, but not within the last bytes of the stream: there, it returns `false`.
    #[inline(always)]
    pub(super) fn refill_inside(&mut self) -> bool {
        let Some(bytes) = self.rest.first_chunk() else { return false };
        let count = self.count & 63;
        self.window |= u64::from_be_bytes(*bytes) >> count;
        // Whole bytes only: a byte that fits in part is loaded again next time.
        self.rest = &self.rest[((63 - count) / 8) as usize..];
        self.count |= REFILLED;
        true
    }

    /// The window. Only the bits of the last refill count, less those consumed since.
    #[inline(always)]
    pub(super) fn window(&self) -> u64 {
        self.window
    }

    /// Moves on by as many bits as the low six of `bits` say; the next two of it must be zero.
    #[inline(always)]
    pub(super) fn consume(&mut self, bits: u32) {
        self.window = self.window.wrapping_shl(bits);
        self.count = self.count.wrapping_sub(bits);
    }

    /// The next bits as a number; at most 32, which must be in the window.
    #[inline(always)]
    pub(super) fn take(&mut self, bits: u32) -> u32 {
        // Two shifts: one by 64 would be no shift at all.
        let value = (self.window >> 1 >> (63 - bits)) as u32;
        self.consume(bits);
        value
    }

    /// If more bits were consumed than the stream has.
    #[inline(always)]
    pub(super) fn is_overrun(&self) -> bool {
        self.beyond > (self.count & 63) as usize / 8
    }

    /// The byte of the stream that the next bit is in; the stream's length behind its end.
    pub(super) fn position(&self) -> usize {
        let loaded = self.length - self.rest.len() + self.beyond;
        (loaded - (self.count & 63).div_ceil(8) as usize).min(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_in_order_and_zeros_behind_the_end() {
        let stream: Vec<u8> = (1..=20).collect();
        let mut reader = BitReader::new(&stream);
        for expected in 1..=20 {
            reader.refill();
            assert_eq!(reader.position() + 1, expected);
            assert_eq!(reader.take(3), expected as u32 >> 5);
            assert_eq!(reader.take(5), expected as u32 & 0x1f);
            assert!(!reader.is_overrun());
        }
        reader.refill();
        assert_eq!((reader.take(1), reader.position()), (0, 20));
        assert!(reader.is_overrun());
    }

    #[test]
    fn a_refill_keeps_what_was_not_consumed() {
        let stream = [0b1010_1010, 0xff, 0x0f, 0xf0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        for steps in [[1, 7, 8, 32], [32, 13, 11, 2], [9, 9, 9, 9], [31, 1, 30, 2]] {
            let (mut reader, mut at) = (BitReader::new(&stream), 0);
            for bits in steps {
                reader.refill();
                let number = stream.iter().fold(0u128, |number, byte| number << 8 | u128::from(*byte));
                let expected = number << at >> (128 - bits);
                assert_eq!(u128::from(reader.take(bits)), expected);
                at += bits;
            }
        }
    }
}
