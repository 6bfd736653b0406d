//! Why a ROM cannot be built.

use crate::edit;

/// Why a ROM cannot be built. Parts are counted from 0, in the order in which they were given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing to build from.
    #[error("there is nothing to put into the ROM")]
    Empty,
    /// No device id.
    #[error("no device id was given")]
    NoDevice,
    /// Several devices, and a structure that has no list.
    #[error("{devices} device ids need a list, and a PCI Data Structure of revision 0 has none")]
    ListNeedsRevision3 {
        /// How many.
        devices: usize,
    },
    /// The file is no PE file.
    #[error("part {} is no PE file (MZ, then PE with an optional header)", part + 1)]
    NotPe {
        /// Which.
        part: usize,
    },
    /// The PE file is no driver.
    #[error("part {} has PE subsystem {subsystem:x}h, which is not a driver's (0bh or 0ch)", part + 1)]
    NotADriver {
        /// Which.
        part: usize,
        /// Its subsystem.
        subsystem: u16,
    },
    /// A driver that cannot be compressed.
    #[error("part {} cannot be compressed: {error}", part + 1)]
    Compression {
        /// Which.
        part: usize,
        /// Why.
        error: crate::Error,
    },
    /// The file has no image at its start.
    #[error("part {} is no image: {error}", part + 1)]
    NotAnImage {
        /// Which.
        part: usize,
        /// What it is instead.
        error: crate::Error,
    },
    /// The image is of another kind than PC-AT.
    #[error("part {} is no legacy image but of code type {code_type}", part + 1)]
    NotLegacy {
        /// Which.
        part: usize,
        /// Its code type.
        code_type: crate::CodeType,
    },
    /// An ISA ROM has something where the pointer to the structure belongs.
    #[error("part {} has no PCI Data Structure, and {found:04x}h where its pointer belongs (18h)", part + 1)]
    PointerOccupied {
        /// Which.
        part: usize,
        /// What is there.
        found: u16,
    },
    /// The structure of an ISA ROM would be out of the pointer's reach.
    #[error(
        "part {} has {length:x}h bytes: a PCI Data Structure behind them is out of the pointer's reach", part + 1
    )]
    PointerOutOfReach {
        /// Which.
        part: usize,
        /// Its length.
        length: usize,
    },
    /// A file with other than one chain.
    #[error("part {} has {chains} chains of images instead of one", part + 1)]
    NotOneChain {
        /// Which.
        part: usize,
        /// How many.
        chains: usize,
    },
    /// Bytes that are in no image.
    #[error("part {} has other data at {offset:x}h, in no image", part + 1)]
    OtherData {
        /// Which.
        part: usize,
        /// Where.
        offset: usize,
    },
    /// An image that the file does not hold whole.
    #[error("part {} does not hold the {length:x}h bytes of its image at {offset:x}h", part + 1)]
    Truncated {
        /// Which.
        part: usize,
        /// Where the image begins.
        offset: usize,
        /// What it claims.
        length: usize,
    },
    /// An image larger than its fields can say.
    #[error("part {} becomes an image of {length} bytes; the most is {most}", part + 1)]
    ImageTooLong {
        /// Which.
        part: usize,
        /// Its length in bytes.
        length: usize,
        /// The most.
        most: usize,
    },
    /// A ROM larger than firmware takes.
    #[error("the ROM has {length} bytes; the most is 16 MiB")]
    TooLarge {
        /// Its length in bytes.
        length: usize,
    },
    /// An image whose fields cannot be set.
    #[error("part {}: {error}", part + 1)]
    Edit {
        /// Which.
        part: usize,
        /// Why.
        error: edit::Error,
    },
    /// Images that cannot be put into a chain.
    #[error("the images cannot be chained: {0}")]
    Chain(edit::Error),
}

impl Error {
    /// Which part it is about, where it is about one.
    #[must_use]
    pub fn part(&self) -> Option<usize> {
        match *self {
            Self::NotPe { part }
            | Self::NotADriver { part, .. }
            | Self::Compression { part, .. }
            | Self::NotAnImage { part, .. }
            | Self::NotLegacy { part, .. }
            | Self::PointerOccupied { part, .. }
            | Self::PointerOutOfReach { part, .. }
            | Self::NotOneChain { part, .. }
            | Self::OtherData { part, .. }
            | Self::Truncated { part, .. }
            | Self::ImageTooLong { part, .. }
            | Self::Edit { part, .. } => Some(part),
            _ => None,
        }
    }

    /// What a user can do about it, in one sentence.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Empty => "give at least one EFI driver or legacy image",
            Self::NoDevice => "give the ids that the ROM is for",
            Self::ListNeedsRevision3 { .. } => "give one device id, or let the structure be of revision 3",
            Self::NotPe { .. } => {
                "give the .efi file of a driver; a finished ROM is taken as it is by --image"
            }
            Self::NotADriver { .. } => {
                "firmware starts only drivers from a ROM: build it as an EFI boot service or run-time driver"
            }
            Self::NotAnImage { error: crate::Error::HeaderSignature { .. }, .. } => {
                "an image begins with 55 aa: an EFI driver's .efi file goes to --efi, a dump with something in front \
                 of the ROM is cut first, with `cut`"
            }
            Self::Compression { error, .. } | Self::NotAnImage { error, .. } => error.advice(),
            Self::NotLegacy { .. } => "give an EFI driver's .efi file, or the image as it is by --image",
            Self::PointerOccupied { .. } => {
                "this ROM's code lies where a PCI ROM has its pointer: it has to be assembled anew with bytes 18h \
                 and 19h free"
            }
            Self::PointerOutOfReach { .. } => "a ROM with a structure behind its code has less than 64 KiB",
            Self::NotOneChain { .. } | Self::OtherData { .. } => "cut the ROM out of the file first",
            Self::Truncated { .. } => "the file is cut short: dump the ROM again",
            Self::ImageTooLong { .. } => "a PC-AT image has at most 127.5 KiB, an EFI image 16 MiB",
            Self::TooLarge { .. } => "leave something out, or store the drivers compressed",
            Self::Edit { error, .. } | Self::Chain(error) => error.advice(),
        }
    }
}
