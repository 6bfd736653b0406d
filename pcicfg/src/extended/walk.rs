//! The guarded walk of the extended capability list, whatever its registers are read from.

use super::ExtendedCapabilityId;
use crate::capability::{ChainDefect, Stop};

/// Where the list begins.
pub(crate) const START: u16 = 0x100;

/// How far a walk has come.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    holder: u16,
    next: u16,
    /// One bit for each dword from 100h to fffh.
    visited: [u64; 15],
}

/// The header of an extended capability, and where it is.
pub(crate) struct Found {
    pub(crate) id: ExtendedCapabilityId,
    pub(crate) version: u8,
    pub(crate) offset: u16,
}

impl Walk {
    /// The walk of the list that begins at [`START`].
    #[inline]
    pub(crate) fn new() -> Self {
        Self { holder: 0, next: START, visited: [0; 15] }
    }

    /// The walk of a list that does not exist.
    #[inline]
    pub(crate) fn none() -> Self {
        Self { next: 0, ..Self::new() }
    }

    /// Where the pointer stands that is followed next, and how it reads.
    pub(crate) const fn next_pointer(&self) -> (u16, u16) {
        (self.holder, self.next)
    }

    /// The next capability. `read` reads a dword.
    #[inline]
    pub(crate) fn step<E>(
        &mut self,
        read: impl FnOnce(u16) -> Result<u32, E>,
    ) -> Option<Result<Found, Stop<E>>> {
        let offset = self.next & 0xffc;
        if offset == 0 {
            return None;
        }
        let (holder, pointer) = (self.holder, offset);
        self.next = 0;
        if offset < START {
            return Some(Err(Stop::Defect(ChainDefect::Below { holder, pointer })));
        }
        let index = usize::from(offset - START) >> 2;
        let bit = 1u64 << (index & 63);
        let seen = self.visited.get_mut(index >> 6)?;
        if *seen & bit != 0 {
            return Some(Err(Stop::Defect(ChainDefect::Looped { holder, pointer })));
        }
        *seen |= bit;
        match read(offset) {
            Err(error) => Some(Err(Stop::Read { holder, pointer, error })),
            Ok(0) => None,
            Ok(0xffff_ffff) => Some(Err(Stop::Defect(ChainDefect::AllOnes { holder, pointer }))),
            Ok(header) => {
                self.holder = offset + 2;
                self.next = (header >> 20) as u16;
                let id = ExtendedCapabilityId(header as u16);
                Some(Ok(Found { id, version: (header >> 16) as u8 & 0xf, offset }))
            }
        }
    }
}

/// Whether the dword at [`START`] begins a list: all-ones or zero is the specification's way to say that there is
/// none.
pub(crate) const fn exists(header: u32) -> bool {
    !matches!(header, 0 | 0xffff_ffff)
}

/// Where the first 256 bytes are again, behind a bridge that ignores the upper address bits: if all of these
/// places read as the function's id, there is no extended space (the kernel's `pci_ext_cfg_is_aliased`).
pub(crate) fn copies() -> impl Iterator<Item = u16> {
    (START..0x1000).step_by(0x100)
}
