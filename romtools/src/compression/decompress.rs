//! From stream to bytes.

use super::bits::BitReader;
use super::code::{Code, CodeKind, Lengths};
use super::tables::{Entry, LengthTable, Tables};
use super::{
    CHARACTERS, Defect, HEADER, LENGTHS, LITERALS, MATCH_BIAS, MAXIMUM_SIZE, POSITIONS, Sizes, Variant,
    most_blocks,
};
use crate::{Error, Result};
use fast::Tokens;

mod fast;
#[cfg(test)]
mod tests;

/// Blocks with fewer symbols are decoded without tables, which would take longer to make.
const WORTH_TABLES: usize = 256;

/// Decompresses a stream: its header and, behind that, the bits. What follows them is not looked at.
///
/// ```
/// use romtools::compression::{self, Variant};
/// use romtools::Error;
///
/// let claims_nine = [9, 0, 0, 0, 3, 0, 0, 0, 0x12];
/// let error = compression::decompress(&claims_nine, Variant::Uefi).unwrap_err();
/// assert!(matches!(error, Error::Truncated { needed: 9, available: 1, .. }));
/// ```
///
/// It takes memory for the output, 16 MiB at most, and time linear in stream and output. The output ends where the header
/// says, also inside of a match, as firmware has it.
///
/// # Errors
/// [`Error::Truncated`] where the header claims more bytes than there are, and [`Error::Compressed`].
/// Offsets count from the start of the stream.
pub fn decompress(stream: &[u8], variant: Variant) -> Result<Vec<u8>> {
    decode(stream, variant, &mut 0).map(|decompressed| decompressed.bytes)
}

/// What comes out of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decompressed {
    /// The bytes, as many as the header says.
    pub(crate) bytes: Vec<u8>,
    /// Bytes of the last match that were too many.
    pub(crate) beyond: usize,
}

/// Likewise, with all that is known; `blocks` grows by the blocks that were decoded, which is the measure of the work.
pub(crate) fn decode(stream: &[u8], variant: Variant, blocks: &mut usize) -> Result<Decompressed> {
    let Sizes { compressed, original } = Sizes::parse(stream)?;
    if original > MAXIMUM_SIZE {
        return Err(Error::Compressed { offset: 4, defect: Defect::TooLarge { original } });
    }
    let rest = stream.get(HEADER..).unwrap_or_default();
    let bits = rest.get(..compressed).ok_or(Error::Truncated {
        what: "compressed data",
        offset: HEADER,
        needed: compressed,
        available: rest.len(),
    })?;
    let mut decoder = Decoder::new(bits, variant, original);
    let outcome = decoder.run();
    *blocks += decoder.blocks;
    match outcome {
        Ok(()) => {
            decoder.output.truncate(original);
            Ok(Decompressed { bytes: decoder.output, beyond: decoder.beyond })
        }
        Err(defect) => Err(Error::Compressed { offset: HEADER + decoder.reader.position(), defect }),
    }
}

/// What the decoder returns; its reader knows the place.
type Decoded<T> = std::result::Result<T, Defect>;

struct Decoder<'a> {
    reader: BitReader<'a>,
    variant: Variant,
    original: usize,
    /// Longer than `original`, by what the fast loop may scribble on.
    output: Vec<u8>,
    made: usize,
    /// Blocks so far.
    blocks: usize,
    /// Bytes of the last match that were not made.
    beyond: usize,
    tables: Tables,
    tokens: Tokens,
}

/// A block, as far as it is not decoded yet.
struct Block {
    symbols: usize,
    characters: Code<CHARACTERS>,
    positions: Code<POSITIONS>,
}

impl<'a> Decoder<'a> {
    fn new(bits: &'a [u8], variant: Variant, original: usize) -> Self {
        Self {
            reader: BitReader::new(bits),
            variant,
            original,
            output: vec![0; original + fast::SLACK],
            made: 0,
            blocks: 0,
            beyond: 0,
            tables: Tables::new(),
            tokens: Tokens::new(),
        }
    }

    fn run(&mut self) -> Decoded<()> {
        let most = most_blocks(self.original);
        // Each block has a symbol at least, and each symbol makes a byte: this ends, and soon.
        while self.made < self.original {
            if self.blocks == most {
                return Err(Defect::TooManyBlocks { most, original: self.original });
            }
            self.blocks += 1;
            let block = self.block();
            // Whatever was made of the zeros behind the end.
            self.within_the_stream()?;
            let mut block = block?;
            if block.symbols >= WORTH_TABLES {
                self.tables.set(&block.characters, &block.positions);
                self.fast(&mut block);
            }
            self.careful(&block)?;
        }
        Ok(())
    }

    fn within_the_stream(&self) -> Decoded<()> {
        if self.reader.is_overrun() {
            return Err(Defect::Ends { made: self.made, original: self.original });
        }
        Ok(())
    }

    /// Reads how many symbols a block has, and its codes.
    fn block(&mut self) -> Decoded<Block> {
        self.reader.refill();
        let symbols = match self.reader.take(16) {
            // The reference decoder counts down before it compares.
            0 => 1 << 16,
            symbols => symbols as usize,
        };
        // The third length of the first code is followed by a short run of zeros.
        let lengths = self.plain_code(CodeKind::Length, 5, 3)?;
        let characters = self.character_code(&lengths)?;
        let positions = self.plain_code(CodeKind::Position, self.variant.position_bits(), POSITIONS)?;
        Ok(Block { symbols, characters, positions })
    }

    /// Reads a code whose lengths are packed by no other; behind the length at `run_at`, two bits skip symbols.
    fn plain_code<const SYMBOLS: usize>(
        &mut self,
        kind: CodeKind,
        width: u32,
        run_at: usize,
    ) -> Decoded<Code<SYMBOLS>> {
        self.reader.refill();
        let count = self.reader.take(width) as usize;
        if count == 0 {
            let symbol = self.reader.take(width);
            return if (symbol as usize) < SYMBOLS {
                Ok(Code::single(symbol as u16))
            } else {
                Err(Defect::Symbol { kind, symbol })
            };
        }
        let mut lengths = Lengths::new(kind);
        let mut at = 0;
        while at < count {
            self.reader.refill();
            let mut length = self.reader.take(3);
            if length == 7 {
                // Each further one adds one, and a zero ends it. More than 16 make no code, however many they are.
                let ones = self.reader.window().leading_ones().min(32);
                self.reader.consume(ones + 1);
                length += ones;
            }
            lengths.push(at, length)?;
            at += 1;
            if at == run_at {
                at += self.reader.take(2) as usize;
            }
        }
        Code::new(&lengths)
    }

    /// Reads the character code, whose lengths and runs of zeros are symbols of `packed`.
    fn character_code(&mut self, packed: &Code<LENGTHS>) -> Decoded<Code<CHARACTERS>> {
        const WIDTH: u32 = 9;
        let kind = CodeKind::Character;
        self.reader.refill();
        let count = self.reader.take(WIDTH) as usize;
        if count == 0 {
            let symbol = self.reader.take(WIDTH);
            return if (symbol as usize) < CHARACTERS {
                Ok(Code::single(symbol as u16))
            } else {
                Err(Defect::Symbol { kind, symbol })
            };
        }
        let table = LengthTable::new(packed);
        let mut lengths = Lengths::new(kind);
        let mut at = 0;
        while at < count {
            self.reader.refill();
            let (symbol, bits) = table.look_up(self.reader.window(), packed);
            self.reader.consume(bits);
            match symbol {
                0 => at += 1,
                1 => at += 3 + self.reader.take(4) as usize,
                2 => at += 20 + self.reader.take(9) as usize,
                _ => {
                    lengths.push(at, symbol - 2)?;
                    at += 1;
                }
            }
        }
        Code::new(&lengths)
    }

    /// Decodes the block's symbols, or as many as the output has room for.
    fn careful(&mut self, block: &Block) -> Decoded<()> {
        for _ in 0..block.symbols {
            if self.made == self.original {
                break;
            }
            self.reader.refill();
            let (symbol, bits) = block.characters.find(self.reader.window());
            self.reader.consume(bits);
            if symbol < LITERALS {
                self.within_the_stream()?;
                self.output[self.made] = symbol as u8;
                self.made += 1;
                continue;
            }
            let window = self.reader.window();
            let (position, bits) = block.positions.find(window);
            let position = Entry::position(position, bits);
            self.reader.consume(position.bits());
            self.within_the_stream()?;
            let (distance, length) = (position.distance(window), (symbol - MATCH_BIAS) as usize);
            if distance > self.made {
                return Err(Defect::BeforeStart { distance, made: self.made });
            }
            // The reference decoder stops in the middle of a match, and is content.
            let room = self.original - self.made;
            self.beyond = length.saturating_sub(room);
            let length = length.min(room);
            for at in self.made..self.made + length {
                self.output[at] = self.output[at - distance];
            }
            self.made += length;
        }
        Ok(())
    }
}
