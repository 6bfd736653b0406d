//! IP discovery: the card's own table of where its register blocks are, in video memory.
//!
//! The PSP writes it 64 KiB below the end of video memory when the card is powered up. A guest may
//! have written there since, so nothing of it is believed that was not checked: sizes, offsets, counts,
//! both byte sums, that the segments that are needed have a base where a register can be reached, and that the
//! base of the interface to PCI Express leads to the size of video memory. What fails any check is not used at
//! all: parts of a table would be worse than none. Whoever makes a table with the right sums can still name other
//! places for PSP and SMU than the known ones, so such a table is told to the user. Layout: Linux 6.12 amdgpu
//! `include/discovery.h`, `amdgpu_discovery.c`.

use super::soc15::{Bases, CONFIG_MEMSIZE, SEGMENTS, STATIC};
use crate::vendor::device::Device;
use crate::vendor::outcome::StepResult;
use crate::vendor::register::Place;

/// How much is read at most, as amdgpu does.
const SIZE: usize = 10 << 10;
/// Signature, version, byte sum and size.
const HEADER: usize = 12;
/// Where it is, below the end of video memory.
const BELOW_END: u64 = 64 << 10;

const BINARY_SIGNATURE: u32 = 0x2821_1407;
/// `IPDS`.
const TABLE_SIGNATURE: u32 = 0x5344_5049;

/// Hardware ids of the blocks that are needed.
const MP1: u16 = 1;
const NBIF: u16 = 108;
const MP0: u16 = 255;

const MP0_NAME: &str = "PSP (MP0)";
const MP1_NAME: &str = "SMU (MP1)";
const NBIF_NAME: &str = "interface to PCI Express (NBIF)";
/// The segments that registers are taken from.
const MP0_SEGMENT: usize = 0;
const MP1_SEGMENT: usize = 0;
const NBIF_SEGMENT: usize = CONFIG_MEMSIZE.segment();

/// Bases above it cannot be reached through MM_INDEX with any register of a block, in dwords.
const HIGHEST_BASE: u32 = 0x0fff_ffff;

/// Why a card's table is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Where the table is follows from the size of video memory.
    #[error("the size of video memory reads {0:#x} MiB, so the IP discovery table cannot be found")]
    MemorySize(u32),
    /// There is something else.
    #[error("there is no IP discovery table in video memory (it begins with {0:#010x})")]
    NoTable(u32),
    /// Something in it leads out of it.
    #[error("the IP discovery table is damaged: {what} at byte {at:#x} does not fit")]
    Bounds {
        /// What.
        what: &'static str,
        /// Where, from the beginning.
        at: usize,
    },
    /// A byte sum is not what it should be.
    #[error(
        "the IP discovery table is damaged: the byte sum of {what} is {found:#06x}, and should be {expected:#06x}"
    )]
    Checksum {
        /// Of what.
        what: &'static str,
        /// What it is.
        found: u16,
        /// What it should be.
        expected: u16,
    },
    /// A number is not what it should be.
    #[error("the IP discovery table is not understood: {what} is {found:#x}")]
    Unknown {
        /// Which number.
        what: &'static str,
        /// What it is.
        found: u32,
    },
    /// A block is missing.
    #[error("the IP discovery table has no {0}")]
    Missing(&'static str),
    /// A block has no base for a segment that is needed.
    #[error("the IP discovery table has no base for segment {segment} of the {block}")]
    NoBase {
        /// Which block.
        block: &'static str,
        /// Which segment.
        segment: usize,
    },
    /// The size of video memory is not where the table says.
    #[error(
        "the IP discovery table puts the size of video memory at {at:#x}, and there is {found:#x} instead of {expected:#x}"
    )]
    Elsewhere {
        /// The byte in the register aperture.
        at: u32,
        /// What is there.
        found: u32,
        /// The size.
        expected: u32,
    },
}

/// Reads the table and gives the bases in it, or why they cannot be used.
///
/// # Errors
/// When the card cannot be accessed.
pub fn read_bases(device: &mut Device<'_>) -> StepResult<Result<Bases, Unusable>> {
    device.group("read the IP discovery table from video memory", |device| {
        let mebibytes = device.read(CONFIG_MEMSIZE.at(&STATIC))?;
        if mebibytes == 0 || mebibytes == u32::MAX {
            return Ok(Err(Unusable::MemorySize(mebibytes)));
        }
        let begin = (u64::from(mebibytes) << 20) - BELOW_END;
        let header = bytes_of(device.read_vram(begin, HEADER / 4)?);
        let size = match size(&header) {
            Ok(size) => size,
            Err(unusable) => return Ok(Err(unusable)),
        };
        let bases = match parse(&bytes_of(device.read_vram(begin, size.div_ceil(4))?)) {
            Ok(bases) => bases,
            Err(unusable) => return Ok(Err(unusable)),
        };
        let register = CONFIG_MEMSIZE.at(&bases);
        let found = device.read(register)?;
        if found != mebibytes {
            let at = match register.place {
                Place::Mmio { offset } => offset,
                // No base leads elsewhere; a place that has no offset is none that could be right.
                _ => u32::MAX,
            };
            return Ok(Err(Unusable::Elsewhere { at, found, expected: mebibytes }));
        }
        Ok(Ok(bases))
    })
}

/// The bases to use, and a note on where they come from if they are not the known ones of the table.
///
/// # Errors
/// When the card cannot be accessed.
pub fn find_bases(device: &mut Device<'_>) -> StepResult<Bases> {
    let bases = match read_bases(device)? {
        Ok(bases) => bases,
        Err(why) => {
            device.note(format!("{why}; the register bases that are known for the card are used"));
            return Ok(STATIC);
        }
    };
    for (block, found, known) in [
        (MP0_NAME, bases.mp0[MP0_SEGMENT], STATIC.mp0[MP0_SEGMENT]),
        (MP1_NAME, bases.mp1[MP1_SEGMENT], STATIC.mp1[MP1_SEGMENT]),
        (NBIF_NAME, bases.nbio[NBIF_SEGMENT], STATIC.nbio[NBIF_SEGMENT]),
    ] {
        if found != known {
            device.note(format!(
                "the card's own table, in video memory, puts the {block} at {found:#x}, where every known card has it \
                 at {known:#x} (dwords); the table is followed"
            ));
        }
    }
    Ok(bases)
}

fn bytes_of(words: Vec<u32>) -> Vec<u8> {
    words.into_iter().flat_map(u32::to_le_bytes).collect()
}

/// The size that a table gives itself.
fn size(header: &[u8]) -> Result<usize, Unusable> {
    let header = Bytes(header);
    let signature = header.dword(0, "the signature")?;
    if signature != BINARY_SIGNATURE {
        return Err(Unusable::NoTable(signature));
    }
    match usize::from(header.word(10, "the size")?) {
        size @ HEADER..=SIZE => Ok(size),
        _ => Err(Unusable::Bounds { what: "the size", at: 10 }),
    }
}

/// The bases in a table.
///
/// # Errors
/// Why it cannot be used.
pub fn parse(bytes: &[u8]) -> Result<Bases, Unusable> {
    let size = size(bytes)?;
    let whole = Bytes(bytes);
    let binary = whole.part(0, size, "the size")?;
    binary.check_sum(10, whole.word(8, "the byte sum")?, "the whole")?;

    // The first of the tables is the one of IP blocks.
    let table = usize::from(binary.word(12, "the table")?);
    let table_sum = binary.word(14, "the table's byte sum")?;
    let signature = binary.dword(table, "the table's signature")?;
    if signature != TABLE_SIGNATURE {
        return Err(Unusable::Unknown { what: "the table's signature", found: signature });
    }
    let table_size = usize::from(binary.word(table + 6, "the table's size")?);
    binary.part(table, table_size, "the table's size")?.check_sum(0, table_sum, "the table")?;
    // From version 4 on addresses may have 64 bits; no card that this is for has one.
    let version = binary.word(table + 4, "the table's version")?;
    if version >= 4 {
        return Err(Unusable::Unknown { what: "the table's version", found: u32::from(version) });
    }
    let dies = binary.word(table + 12, "the number of dies")?;
    if !(1..=16).contains(&dies) {
        return Err(Unusable::Unknown { what: "the number of dies", found: u32::from(dies) });
    }

    let mut blocks = Blocks::default();
    for number in 0..dies {
        let info = table + 14 + 4 * usize::from(number);
        let die = usize::from(binary.word(info + 2, "a die's place")?);
        let id = binary.word(die, "a die's id")?;
        if id != number || binary.word(info, "a die's id")? != number {
            return Err(Unusable::Unknown { what: "the id of a die", found: u32::from(id) });
        }
        let count = binary.word(die + 2, "the number of a die's blocks")?;
        let mut at = die + 4;
        // Each block moves on by eight bytes or more, within 64 KiB.
        for _ in 0..count {
            at = blocks.read(binary, at)?;
        }
    }
    blocks.finish()
}

/// The blocks that were found so far, each the first instance.
#[derive(Default)]
struct Blocks {
    mp0: Option<[u32; SEGMENTS]>,
    mp1: Option<[u32; SEGMENTS]>,
    nbif: Option<[u32; SEGMENTS]>,
}

impl Blocks {
    /// Reads one block, and gives where the next one is.
    fn read(&mut self, binary: Bytes<'_>, at: usize) -> Result<usize, Unusable> {
        let id = binary.word(at, "a block's id")?;
        let [instance, count, ..] = binary.word(at + 2, "a block's number of bases")?.to_le_bytes();
        let next = at + 8 + 4 * usize::from(count);
        binary.part(at, next - at, "a block's bases")?;
        let (slot, block, needed) = match id {
            MP0 => (&mut self.mp0, MP0_NAME, MP0_SEGMENT),
            MP1 => (&mut self.mp1, MP1_NAME, MP1_SEGMENT),
            NBIF => (&mut self.nbif, NBIF_NAME, NBIF_SEGMENT),
            _ => return Ok(next),
        };
        if instance != 0 || slot.is_some() {
            return Ok(next);
        }
        if usize::from(count) <= needed {
            return Err(Unusable::NoBase { block, segment: needed });
        }
        let mut bases = [0; SEGMENTS];
        for (number, base) in bases.iter_mut().take(usize::from(count)).enumerate() {
            *base = binary.dword(at + 8 + 4 * number, "a base")?;
            if *base > HIGHEST_BASE {
                return Err(Unusable::Unknown { what: "a base", found: *base });
            }
        }
        // Mailboxes at the beginning of the aperture would be other registers.
        if id != NBIF && bases.get(needed) == Some(&0) {
            return Err(Unusable::NoBase { block, segment: needed });
        }
        *slot = Some(bases);
        Ok(next)
    }

    fn finish(self) -> Result<Bases, Unusable> {
        Ok(Bases {
            mp0: self.mp0.ok_or(Unusable::Missing(MP0_NAME))?,
            mp1: self.mp1.ok_or(Unusable::Missing(MP1_NAME))?,
            nbio: self.nbif.ok_or(Unusable::Missing(NBIF_NAME))?,
        })
    }
}

/// Bytes that are only read where they are.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn part(self, at: usize, length: usize, what: &'static str) -> Result<Bytes<'a>, Unusable> {
        let end = at.checked_add(length).ok_or(Unusable::Bounds { what, at })?;
        self.0.get(at..end).map(Bytes).ok_or(Unusable::Bounds { what, at })
    }

    fn word(self, at: usize, what: &'static str) -> Result<u16, Unusable> {
        match *self.part(at, 2, what)?.0 {
            [low, high] => Ok(u16::from_le_bytes([low, high])),
            _ => Err(Unusable::Bounds { what, at }),
        }
    }

    fn dword(self, at: usize, what: &'static str) -> Result<u32, Unusable> {
        let low = u32::from(self.word(at, what)?);
        Ok(low | u32::from(self.word(at + 2, what)?) << 16)
    }

    /// The sum of the bytes from `at` on must be this.
    fn check_sum(self, at: usize, expected: u16, what: &'static str) -> Result<(), Unusable> {
        let rest = self.0.get(at..).ok_or(Unusable::Bounds { what, at })?;
        let found = rest.iter().fold(0u16, |sum, &byte| sum.wrapping_add(u16::from(byte)));
        if found == expected { Ok(()) } else { Err(Unusable::Checksum { what, found, expected }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A table as the PSP writes it: ids, instances and bases of one die.
    fn table(blocks: &[(u16, u8, &[u32])]) -> Vec<u8> {
        let mut dies = vec![0, 0];
        dies.extend((blocks.len() as u16).to_le_bytes());
        for (id, instance, bases) in blocks {
            dies.extend(id.to_le_bytes());
            dies.extend([*instance, bases.len() as u8, 11, 0, 0, 0]);
            dies.extend(bases.iter().flat_map(|base| base.to_le_bytes()));
        }
        // Header, one of sixteen dies, padding.
        let mut ips = TABLE_SIGNATURE.to_le_bytes().to_vec();
        ips.extend([1, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
        ips.extend([0, 0, 0x90, 0]);
        ips.resize(0x50, 0);
        ips.extend(dies);
        let size = ips.len() as u16;
        ips[6..8].copy_from_slice(&size.to_le_bytes());
        let mut bytes = vec![0; 0x40];
        bytes[..4].copy_from_slice(&BINARY_SIGNATURE.to_le_bytes());
        bytes[12] = 0x40;
        bytes.extend(ips);
        let size = bytes.len() as u16;
        bytes[10..12].copy_from_slice(&size.to_le_bytes());
        bytes.resize(SIZE, 0);
        summed(bytes)
    }

    /// With the byte sums that belong to it.
    fn summed(mut bytes: Vec<u8>) -> Vec<u8> {
        let sum = |bytes: &[u8]| bytes.iter().fold(0u16, |sum, &byte| sum.wrapping_add(u16::from(byte)));
        let size = usize::from(u16::from_le_bytes([bytes[10], bytes[11]])).clamp(16, SIZE);
        let length = usize::from(u16::from_le_bytes([bytes[0x46], bytes[0x47]]));
        let inner = sum(&bytes[0x40..(0x40 + length).min(SIZE)]);
        bytes[14..16].copy_from_slice(&inner.to_le_bytes());
        let outer = sum(&bytes[10..size]);
        bytes[8..10].copy_from_slice(&outer.to_le_bytes());
        bytes
    }

    const WHOLE: &[(u16, u8, &[u32])] =
        &[(MP1, 0, &[0x1_6800, 0xdc_0000]), (MP0, 0, &[0x1_6400]), (NBIF, 0, &[0, 0x14, 0xd20, 0x1_0400])];

    #[test]
    fn the_bases_come_from_the_table() {
        let bases = parse(&table(WHOLE)).unwrap();
        assert_eq!(bases.mp1, [0x1_6800, 0xdc_0000, 0, 0, 0]);
        assert_eq!(bases.mp0[0], 0x1_6400);
        assert_eq!(bases.nbio, STATIC.nbio);
    }

    #[test]
    fn only_the_first_instance_counts_and_an_impossible_one_does_no_harm() {
        let mut blocks = WHOLE.to_vec();
        blocks.insert(0, (MP0, 255, &[0xdead]));
        blocks.push((MP0, 0, &[0xbeef]));
        blocks.push((0x6c0, 200, &[1, 2, 3, 4, 5, 6, 7, 8, 9]));
        assert_eq!(parse(&table(&blocks)).unwrap().mp0[0], 0x1_6400);
    }

    #[test]
    fn a_table_without_a_block_is_not_used_at_all() {
        assert_eq!(parse(&table(&WHOLE[1..])), Err(Unusable::Missing("SMU (MP1)")));
    }

    #[test]
    fn a_block_without_a_base_that_is_needed_makes_a_table_unusable() {
        for (place, bases, block, segment) in [
            (0, &[][..], MP1_NAME, 0),
            (0, &[0, 0x1_6000], MP1_NAME, 0),
            (1, &[], MP0_NAME, 0),
            (1, &[0], MP0_NAME, 0),
            (2, &[0, 0x14], NBIF_NAME, 2),
        ] {
            let mut blocks = WHOLE.to_vec();
            blocks[place].2 = bases;
            assert_eq!(parse(&table(&blocks)), Err(Unusable::NoBase { block, segment }), "{bases:x?}");
        }
        let mut blocks = WHOLE.to_vec();
        blocks[2].2 = &[0, 0x14, 0xd20];
        assert_eq!(parse(&table(&blocks)).unwrap().nbio, [0, 0x14, 0xd20, 0, 0]);
    }

    #[test]
    fn no_more_is_read_than_a_table_may_have() {
        let mut header = table(WHOLE);
        for (length, expected) in [(11u16, None), (12, Some(12)), (0x2800, Some(0x2800)), (0x2801, None)] {
            header[10..12].copy_from_slice(&length.to_le_bytes());
            assert_eq!(size(&header[..HEADER]).ok(), expected, "{length}");
        }
        assert_eq!(size(&[0; HEADER]), Err(Unusable::NoTable(0)));
    }

    #[test]
    fn what_is_wrong_in_a_table_is_said() {
        let good = table(WHOLE);
        let with = |at: usize, value: u16| {
            let mut bytes = good.clone();
            bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
            bytes
        };
        assert!(matches!(parse(&with(8, 1)), Err(Unusable::Checksum { what: "the whole", .. })));
        assert!(matches!(parse(&with(10, 0xffff)), Err(Unusable::Bounds { what: "the size", .. })));
        let fixed = |at, value| parse(&summed(with(at, value)));
        assert!(matches!(fixed(12, 0xfff), Err(Unusable::Bounds { .. })));
        assert!(matches!(fixed(0x46, 0xf00), Err(Unusable::Bounds { what: "the table's size", .. })));
        assert!(matches!(fixed(0x4c, 17), Err(Unusable::Unknown { what: "the number of dies", .. })));
        assert!(matches!(fixed(0x50, 0xfff0), Err(Unusable::Bounds { what: "a die's id", .. })));
        assert!(matches!(fixed(0x90, 1), Err(Unusable::Unknown { what: "the id of a die", .. })));
        assert!(matches!(fixed(0x92, 0xffff), Err(Unusable::Bounds { .. })));
        assert!(matches!(fixed(0x9e, 0xffff), Err(Unusable::Unknown { what: "a base", .. })));
        assert!(matches!(parse(&[0; SIZE]), Err(Unusable::NoTable(0))));
        assert!(matches!(parse(&[]), Err(Unusable::Bounds { .. })));
    }

    proptest! {
        #[test]
        fn no_bytes_are_read_out_of_bounds(bytes in prop::collection::vec(any::<u8>(), 0..SIZE)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn no_change_to_a_good_table_is_followed_out_of_bounds(
            changes in prop::collection::vec((0..0x100usize, any::<u8>()), 0..8)
        ) {
            let mut bytes = table(WHOLE);
            for (at, value) in changes {
                bytes[at] = value;
            }
            // With the right sums, so that the changed fields are looked at.
            if let Ok(bases) = parse(&summed(bytes)) {
                for base in bases.mp0.into_iter().chain(bases.mp1).chain(bases.nbio) {
                    prop_assert!(base <= HIGHEST_BASE);
                }
            }
        }
    }
}
