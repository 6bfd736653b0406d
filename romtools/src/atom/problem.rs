//! What can be odd about an ATOM BIOS: the sentence, the severity and the advice of each.

use crate::Severity;

/// One thing that is odd about the ATOM BIOS in an image. Offsets count from the start of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// ATI's, without an ATOM header.
    #[error("this is a video BIOS of ATI without an ATOM header: the pointer at 48h is {pointer:x}h")]
    NoHeader {
        /// The pointer.
        pointer: u16,
    },
    /// `MOTA` instead of `ATOM`.
    #[error("the ATOM header says \"MOTA\": it is byte-swapped, for PowerPC")]
    ByteSwapped,
    /// A format revision that no one is known to use.
    #[error("the ATOM header has format revision {revision}: 1 or 2 are known")]
    UnknownRevision {
        /// The revision.
        revision: u8,
    },
    /// The ATOM header knows another place for `PCIR` than the ROM header.
    #[error("the ATOM header says that the PCI Data Structure is at {atom:x}h, the ROM header says {rom:x}h")]
    PciInfo {
        /// The ATOM header's offset.
        atom: u16,
        /// The ROM header's.
        rom: u16,
    },
    /// A master table is missing.
    #[error("the master {which} table should be at {offset:x}h, which is not in the image")]
    NoMasterTable {
        /// `data` or `command`.
        which: &'static str,
        /// Where it should be.
        offset: u16,
    },
    /// Tables that are not in the image.
    #[error("{count} {which} table(s) are not in the image, the first of them number {first}")]
    TablesOutside {
        /// `data` or `command`.
        which: &'static str,
        /// How many.
        count: usize,
        /// The first one's number.
        first: usize,
    },
}

impl Problem {
    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::NoMasterTable { .. } | Self::TablesOutside { .. } => Severity::Defect,
            Self::ByteSwapped | Self::PciInfo { .. } => Severity::Warning,
            Self::NoHeader { .. } | Self::UnknownRevision { .. } => Severity::Note,
        }
    }

    /// A stable name for scripts.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::NoHeader { .. } => "atom-no-header",
            Self::ByteSwapped => "atom-byte-swapped",
            Self::UnknownRevision { .. } => "atom-unknown-revision",
            Self::PciInfo { .. } => "atom-pci-info",
            Self::NoMasterTable { .. } => "atom-no-master-table",
            Self::TablesOutside { .. } => "atom-tables-outside",
        }
    }

    /// What a user can do about it, in one sentence.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NoHeader { .. } => {
                "normal for cards older than ATOM (Mach, Rage); for a newer one the image is damaged, and the \
                 driver says \"Unable to locate a BIOS ROM\": dump it again"
            }
            Self::ByteSwapped => "only a PowerPC Mac takes this image: take one made for a PC",
            Self::UnknownRevision { .. } => {
                "nothing: the layout may be newer than this program; its tables are shown without names"
            }
            Self::PciInfo { .. } => "one of the two was edited: compare with an unedited dump",
            Self::NoMasterTable { .. } | Self::TablesOutside { .. } => {
                "the driver cannot start the card with this image: it is damaged or cut, dump it again"
            }
        }
    }
}
