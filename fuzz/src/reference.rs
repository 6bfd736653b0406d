//! A decompressor that does what the specification says (UEFI 2.10, section 19.2 and edk2's variant), a bit at a
//! time, without a table: slow, and short enough to be read. `romtools` must agree with it on every stream.

/// What is left of the stream.
struct Bits<'a> {
    stream: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn bit(&mut self) -> Option<usize> {
        let byte = self.stream.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit.into())
    }

    fn number(&mut self, width: usize) -> Option<usize> {
        (0..width).try_fold(0, |number, _| Some(number << 1 | self.bit()?))
    }
}

/// The symbols of a code, in the order of the codes, and how long each code is.
struct Code(Vec<(usize, usize)>);

impl Code {
    /// The code with these lengths, if they use up all codes and no more.
    fn new(lengths: &[usize], symbols: usize) -> Option<Self> {
        let used = || lengths.iter().enumerate().filter(|(_, length)| **length != 0);
        if used().any(|(symbol, length)| symbol >= symbols || *length > 16) {
            return None;
        }
        let space: usize = used().map(|(_, length)| 1 << (16 - length)).sum();
        let mut code: Vec<_> = used().map(|(symbol, length)| (*length, symbol)).collect();
        code.sort_unstable();
        (space == 1 << 16).then_some(Self(code))
    }

    fn symbol(&self, bits: &mut Bits<'_>) -> Option<usize> {
        let (mut read, mut width, mut next) = (0, 0, 0);
        for &(length, symbol) in &self.0 {
            next <<= length - width.min(length);
            while width < length {
                read = read << 1 | bits.bit()?;
                width += 1;
            }
            if read == next {
                return Some(symbol);
            }
            next += 1;
        }
        None
    }
}

/// A code whose lengths stand there as they are.
fn plain(bits: &mut Bits<'_>, width: usize, run_at: usize, symbols: usize) -> Option<Code> {
    let count = bits.number(width)?;
    if count == 0 {
        return single(bits.number(width)?, symbols);
    }
    let mut lengths = Vec::new();
    while lengths.len() < count {
        let mut length = bits.number(3)?;
        if length == 7 {
            while bits.bit()? == 1 {
                length += 1;
            }
        }
        lengths.push(length);
        if lengths.len() == run_at {
            lengths.resize(run_at + bits.number(2)?, 0);
        }
    }
    Code::new(&lengths, symbols)
}

/// The code whose lengths are packed by another.
fn packed(bits: &mut Bits<'_>, by: &Code) -> Option<Code> {
    const SYMBOLS: usize = 510;
    let count = bits.number(9)?;
    if count == 0 {
        return single(bits.number(9)?, SYMBOLS);
    }
    let mut lengths = Vec::new();
    while lengths.len() < count {
        let zeros = match by.symbol(bits)? {
            0 => 1,
            1 => bits.number(4)? + 3,
            2 => bits.number(9)? + 20,
            longer => {
                lengths.push(longer - 2);
                continue;
            }
        };
        lengths.resize(lengths.len() + zeros, 0);
    }
    Code::new(&lengths, SYMBOLS)
}

/// A code of one symbol takes no bits.
fn single(symbol: usize, symbols: usize) -> Option<Code> {
    (symbol < symbols).then(|| Code(vec![(0, symbol)]))
}

/// Decompresses a stream whose positions are counted in so many bits (UEFI: 4, Tiano: 5), if it becomes `most` bytes or
/// less and is right in every bit, up to where the last match is cut off.
pub fn decompress(stream: &[u8], position_bits: usize, most: usize) -> Option<Vec<u8>> {
    let word = |at: usize| Some(u32::from_le_bytes(*stream.get(at..)?.first_chunk()?) as usize);
    let (compressed, original) = (word(0)?, word(4)?);
    let mut bits = Bits { stream: stream.get(8..)?.get(..compressed)?, at: 0 };
    if original > most {
        return None;
    }
    let mut output = Vec::new();
    // No encoder makes more blocks than this: the limit is the project's own.
    let mut blocks = original / 64 + 16;
    while output.len() < original {
        blocks = blocks.checked_sub(1)?;
        let symbols = bits.number(16)?;
        let lengths = plain(&mut bits, 5, 3, 19)?;
        let characters = packed(&mut bits, &lengths)?;
        let positions = plain(&mut bits, position_bits, usize::MAX, 32)?;
        for _ in 0..if symbols == 0 { 1 << 16 } else { symbols } {
            if output.len() == original {
                break;
            }
            let symbol = characters.symbol(&mut bits)?;
            if let Ok(literal) = u8::try_from(symbol) {
                output.push(literal);
                continue;
            }
            let position = match positions.symbol(&mut bits)? {
                near @ (0 | 1) => near,
                far => (1 << (far - 1)) + bits.number(far - 1)?,
            };
            let (length, from) = (symbol - 253, output.len().checked_sub(position + 1)?);
            // A last match may say more than there is room for.
            let length = length.min(original - output.len());
            for at in from..from + length {
                output.push(output[at]);
            }
        }
    }
    Some(output)
}
