//! Random configuration spaces: mostly what a device could show, and in every part also what none should.

mod capability;
mod extended;
mod header;
mod host;

pub(crate) use host::host;

use super::random::Random;
use super::space::Space;

/// Vendors for which lspci knows something, and some for which it does not.
const VENDORS: [u16; 12] =
    [0x8086, 0x8086, 0x1af4, 0x1af4, 0x10de, 0x1002, 0x1022, 0x1b36, 0x1e98, 0x0001, 0x0000, 0xffff];

/// Kinds of headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Endpoint,
    Bridge,
    CardBus,
    Unknown(u8),
}

/// The bytes of function `index` in the run with this seed.
pub(crate) fn function(seed: u64, index: u64) -> Vec<u8> {
    let mut random = Random::of(seed, index);
    let random = &mut random;
    let size = size(random);
    let mut space = Space::new();
    // What no register is written over shows where lspci reads beyond a capability.
    match random.below(20) {
        0 => space.put(0, &[0xff; 4096]),
        1 => fill(&mut space, 0, 4096, Style::Any, random),
        2..=3 => fill(&mut space, 0, 4096, Style::Sparse, random),
        _ => {}
    }
    if random.percent(1) {
        return space.cut(size);
    }
    let kind = header::write(&mut space, random);
    capability::write(&mut space, kind, size, random);
    extended::write(&mut space, size, random);
    space.cut(size)
}

/// How many bytes can be read.
fn size(random: &mut Random) -> usize {
    match random.below(100) {
        0..60 => 4096,
        60..78 => 256,
        78..86 => 64,
        86..89 => 128,
        89..91 => random.within(1, 63),
        91..95 => random.within(65, 256),
        95..97 => random.within(257, 4095),
        _ => {
            random.of_these(&[16, 48, 60, 63, 65, 68, 127, 129, 252, 255, 257, 260, 264, 0x200, 0xffc, 4095])
        }
    }
}

/// How the bits of a structure are chosen.
#[derive(Debug, Clone, Copy)]
enum Style {
    /// All zero.
    Zero,
    /// All one.
    Ones,
    /// One bit of all.
    Single,
    /// One of eight bits.
    Sparse,
    /// Seven of eight bits.
    Dense,
    /// Every bit by itself.
    Any,
    /// Each dword in a style of its own.
    Mixed,
}

impl Style {
    fn of(random: &mut Random) -> Self {
        match random.below(20) {
            0 => Self::Zero,
            1 => Self::Ones,
            2..=3 => Self::Single,
            4..=7 => Self::Sparse,
            8..=9 => Self::Dense,
            10..=14 => Self::Mixed,
            _ => Self::Any,
        }
    }
}

/// Writes `length` bytes in a style.
fn fill(space: &mut Space, at: usize, length: usize, style: Style, random: &mut Random) {
    match style {
        Style::Zero => space.put(at, &[0; 4096][..length.min(4096)]),
        Style::Ones => space.put(at, &[0xff; 4096][..length.min(4096)]),
        Style::Single => {
            fill(space, at, length, Style::Zero, random);
            let bit = random.below(8 * length.max(1));
            space.set(at + bit / 8, 1 << (bit % 8), 0xff);
        }
        Style::Sparse | Style::Dense | Style::Any => {
            for at in at..at + length {
                let (a, b, c) = (random.byte(), random.byte(), random.byte());
                let byte = match style {
                    Style::Sparse => a & b & c,
                    Style::Dense => a | b | c,
                    _ => a,
                };
                space.put(at, &[byte]);
            }
        }
        Style::Mixed => {
            for at in (at..at + length).step_by(4) {
                let style =
                    random.of_these(&[Style::Zero, Style::Ones, Style::Single, Style::Sparse, Style::Any]);
                fill(space, at, 4, style, random);
            }
        }
    }
}

/// The places of `count` structures of some length in `first..end`, dwords all: one after the other with gaps, or
/// anywhere, so that they overlap; in order or not.
fn places(count: usize, first: usize, end: usize, longest: usize, random: &mut Random) -> Vec<usize> {
    let mut places = Vec::new();
    let anywhere = random.percent(20);
    let mut at = first + 4 * random.below(6);
    for _ in 0..count {
        if anywhere {
            at = first + 4 * random.below((end - first) / 4);
        }
        if at >= end {
            break;
        }
        places.push(at);
        at += 4 * random.within(1, longest / 4);
    }
    // A list may end where the space does.
    if random.percent(5) {
        places.push(end - 4 * random.within(1, 8));
    }
    if random.percent(30) {
        for index in (1..places.len()).rev() {
            places.swap(index, random.below(index + 1));
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_depends_on_seed_and_index_alone() {
        assert_eq!(function(1, 2), function(1, 2));
        assert_ne!(function(1, 2), function(1, 3));
        assert_ne!(function(1, 2), function(2, 2));
    }

    #[test]
    fn there_is_something_of_everything() {
        let (mut capabilities, mut extended, mut sizes) = ([0; 256], [0; 256], [0; 4]);
        for index in 0..4000 {
            let bytes = function(7, index);
            assert!((1..=4096).contains(&bytes.len()));
            sizes[[64, 256, 4096].iter().position(|size| *size == bytes.len()).unwrap_or(3)] += 1;
            let dword =
                |at: usize| bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes(b.try_into().unwrap()));
            let mut at = usize::from(bytes.get(0x34).copied().unwrap_or_default());
            for _ in 0..48 {
                capabilities[dword(at) as usize & 0xff] += 1;
                at = dword(at) as usize >> 8 & 0xfc;
            }
            let mut at = 0x100;
            for _ in 0..48 {
                extended[dword(at) as usize & 0xff] += 1;
                at = dword(at) as usize >> 20 & 0xffc;
                if at == 0 {
                    break;
                }
            }
        }
        assert!(sizes.iter().all(|count| *count > 200), "{sizes:?}");
        assert!(capabilities[1..=0x15].iter().all(|count| *count > 100), "{capabilities:?}");
        assert!(extended[1..=0x3a].iter().all(|count| *count > 100), "{extended:?}");
    }
}
