//! What VFIO says of a region, and which parts of it may be mapped.
//!
//! A region of which only parts may be mapped (around a table of MSI-X on old kernels, by the driver's will with variant
//! drivers) says so in a chain of capabilities behind the structure (`VFIO_REGION_INFO_CAP_SPARSE_MMAP`).

use vfio_bindings::bindings::vfio;

/// What `VFIO_DEVICE_GET_REGION_INFO` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) flags: u32,
    pub(super) size: u64,
    /// Where in the device's file it begins.
    pub(super) offset: u64,
    /// The parts that may be mapped: where each begins in the region, and its size.
    pub(super) parts: Vec<(u64, u64)>,
}

impl Region {
    /// The words of the structure: argsz, flags, index, cap_offset, size and offset as two words each.
    pub(super) const WORDS: usize = 8;

    /// Reads the structure and what is behind it.
    pub(super) fn new(words: &[u32]) -> Self {
        let size = wide(words, 4).unwrap_or_default();
        let word = |at: usize| words.get(at).copied().unwrap_or_default();
        let flags = word(1);
        let parts = match flags & vfio::VFIO_REGION_INFO_FLAG_MMAP {
            0 => Vec::new(),
            _ if flags & vfio::VFIO_REGION_INFO_FLAG_CAPS == 0 => vec![(0, size)],
            _ => sparse(words, word(3)).unwrap_or_else(|| vec![(0, size)]),
        };
        let fits = |&(start, length): &(u64, u64)| {
            length > 0 && start.checked_add(length).is_some_and(|end| end <= size)
        };
        Self {
            flags,
            size,
            offset: wide(words, 6).unwrap_or_default(),
            parts: parts.into_iter().filter(fits).collect(),
        }
    }
}

/// The parts that a capability names; `None` if there is no such capability.
fn sparse(words: &[u32], first: u32) -> Option<Vec<(u64, u64)>> {
    /// More than any kernel has; what it says is not followed in circles.
    const MOST: usize = 32;
    let mut at = first;
    for _ in 0..MOST {
        if at == 0 || !at.is_multiple_of(4) {
            return None;
        }
        let place = at as usize / 4;
        let [low, high, ..] = words.get(place)?.to_ne_bytes();
        if u32::from(u16::from_ne_bytes([low, high])) == vfio::VFIO_REGION_INFO_CAP_SPARSE_MMAP {
            // id and version, next, nr_areas, reserved; then offset and size of each area.
            let count = *words.get(place + 2)? as usize;
            let areas = words.get(place + 4..)?.chunks_exact(4).take(count);
            return areas.map(|area| Some((wide(area, 0)?, wide(area, 2)?))).collect();
        }
        at = *words.get(place + 1)?;
    }
    None
}

/// A number of two words.
fn wide(words: &[u32], at: usize) -> Option<u64> {
    let (first, second) = (u64::from(*words.get(at)?), u64::from(*words.get(at + 1)?));
    Some(if cfg!(target_endian = "big") { first << 32 | second } else { second << 32 | first })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MMAP: u32 = vfio::VFIO_REGION_INFO_FLAG_MMAP;
    const CAPS: u32 = vfio::VFIO_REGION_INFO_FLAG_CAPS;

    fn words(values: &[u64]) -> Vec<u32> {
        values
            .iter()
            .flat_map(|value| {
                let [a, b, c, d, e, f, g, h] = value.to_ne_bytes();
                [u32::from_ne_bytes([a, b, c, d]), u32::from_ne_bytes([e, f, g, h])]
            })
            .collect()
    }

    /// The structure of a region of four pages, whose capabilities begin at `first`.
    fn region(flags: u32, first: u32, behind: &[u32]) -> Vec<u32> {
        [&[0, flags, 2, first][..], &words(&[0x4000, 0x200_0000_0000]), behind].concat()
    }

    /// A capability's id and version 1, as one word.
    fn id(id: u16) -> u32 {
        let [a, b] = id.to_ne_bytes();
        let [c, d] = 1_u16.to_ne_bytes();
        u32::from_ne_bytes([a, b, c, d])
    }

    #[test]
    fn a_region_is_mapped_whole_unless_it_says_otherwise() {
        let whole = Region::new(&region(MMAP, 0, &[]));
        assert_eq!((whole.size, whole.offset), (0x4000, 0x200_0000_0000));
        assert_eq!(whole.parts, [(0, 0x4000)]);
        assert!(Region::new(&region(0, 0, &[])).parts.is_empty());
        // Another capability, which says that a table of MSI-X may be mapped.
        assert_eq!(Region::new(&region(MMAP | CAPS, 32, &[id(3), 0])).parts, [(0, 0x4000)]);
    }

    #[test]
    fn the_parts_that_may_be_mapped_are_those_that_the_capability_names() {
        let areas = words(&[0, 0x1000, 0x2000, 0x2000]);
        let chain = [&[id(3), 40, id(1), 0, 2, 0][..], &areas].concat();
        assert_eq!(Region::new(&region(MMAP | CAPS, 32, &chain)).parts, [(0, 0x1000), (0x2000, 0x2000)]);
        // None at all: the driver wants to see each access.
        assert!(Region::new(&region(MMAP | CAPS, 32, &[id(1), 0, 0, 0])).parts.is_empty());
        // What leaves the region is not mapped.
        let beyond = [&[id(1), 0, 2, 0][..], &words(&[0x3000, 0x2000, u64::MAX, 1])].concat();
        assert!(Region::new(&region(MMAP | CAPS, 32, &beyond)).parts.is_empty());
    }

    proptest! {
        #[test]
        fn whatever_the_words_the_parts_are_within_the_region(
            mut words in prop::collection::vec(prop_oneof![0_u32..80, any::<u32>()], 0..64),
            first in 0_u32..80,
        ) {
            if let Some(flags) = words.get_mut(1) {
                *flags |= MMAP | CAPS;
            }
            if let Some(offset) = words.get_mut(3) {
                *offset = first;
            }
            let region = Region::new(&words);
            prop_assert!(region.parts.len() <= 64);
            for (start, length) in region.parts {
                prop_assert!(length > 0 && start + length <= region.size);
            }
        }
    }
}
