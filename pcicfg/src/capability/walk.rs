//! The guarded walk of the capability list, whatever its registers are read from.

use super::{CapabilityId, ChainDefect};
use crate::header::{HeaderType, Status};

/// How far a walk has come.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    holder: u16,
    next: u8,
    /// One bit for each dword of the first 256 bytes.
    visited: u64,
}

/// Why a walk ends before its list does.
pub(crate) enum Stop<E> {
    /// The list is broken.
    Defect(ChainDefect),
    /// A header could not be read.
    Read {
        /// Where the pointer to it stands.
        holder: u16,
        /// Where the header is.
        pointer: u16,
        /// What reading gave.
        error: E,
    },
}

impl Stop<()> {
    /// The defect, where what cannot be read is what lies beyond `size` bytes.
    #[cold]
    pub(crate) fn in_bytes(self, size: usize) -> ChainDefect {
        match self {
            Self::Defect(defect) => defect,
            Self::Read { holder, pointer, error: () } => {
                ChainDefect::Unreadable { holder, pointer, size: size as u16 }
            }
        }
    }
}

impl Walk {
    /// Where the pointer to the first capability stands; `None` if the header or Status says that there is no
    /// list.
    #[inline]
    pub(crate) fn pointer(header_type: HeaderType, status: Status) -> Option<u16> {
        let holder = match header_type {
            HeaderType::Endpoint | HeaderType::Bridge => 0x34,
            HeaderType::CardBus => 0x14,
            HeaderType::Unknown(_) => return None,
        };
        status.contains(Status::CAPABILITIES_LIST).then_some(holder)
    }

    /// The walk of the list whose first pointer is `next` and stands at `holder`.
    #[inline]
    pub(crate) fn new(holder: u16, next: u8) -> Self {
        Self { holder, next, visited: 0 }
    }

    /// Where the pointer stands that is followed next, and how it reads.
    pub(crate) const fn next_pointer(&self) -> (u16, u16) {
        (self.holder, self.next as u16)
    }

    /// The next capability: its id and offset. `read` reads a word.
    #[inline]
    pub(crate) fn step<E>(
        &mut self,
        read: impl FnOnce(u16) -> Result<u16, E>,
    ) -> Option<Result<(CapabilityId, u16), Stop<E>>> {
        let offset = u16::from(self.next & !3);
        if offset == 0 {
            return None;
        }
        let (holder, pointer) = (self.holder, offset);
        self.next = 0;
        if offset < 0x40 {
            return Some(Err(Stop::Defect(ChainDefect::Below { holder, pointer })));
        }
        let bit = 1u64 << (offset >> 2);
        if self.visited & bit != 0 {
            return Some(Err(Stop::Defect(ChainDefect::Looped { holder, pointer })));
        }
        self.visited |= bit;
        let header = match read(offset) {
            Ok(header) => header,
            Err(error) => return Some(Err(Stop::Read { holder, pointer, error })),
        };
        let id = CapabilityId(header as u8);
        if id.0 == 0xff {
            return Some(Err(Stop::Defect(ChainDefect::AllOnes { holder, pointer })));
        }
        self.holder = offset + 1;
        self.next = (header >> 8) as u8;
        Some(Ok((id, offset)))
    }
}
