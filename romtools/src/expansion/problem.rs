//! What can be odd about the structures that a PC-AT or Open Firmware header leads to.

use crate::Severity;

/// One thing that is odd about them. Pointers count from the start of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A `$PnP` header does not sum to zero.
    #[error("the $PnP header sums to {sum:02x}h instead of 00h")]
    PnpChecksum {
        /// The sum.
        sum: u8,
    },
    /// A `$PnP` header with another length than the specification's.
    #[error("the $PnP header claims {length:x}h bytes instead of 20h")]
    PnpLength {
        /// What it claims, in bytes.
        length: usize,
    },
    /// A header is not in the image.
    #[error("the next expansion header should be at {pointer:x}h, which is not inside the image")]
    PnpOutside {
        /// Where it should begin.
        pointer: u16,
    },
    /// Something else is where a header should be.
    #[error("the next expansion header at {pointer:x}h is no $PnP header")]
    NotPnp {
        /// Where it should begin.
        pointer: u16,
    },
    /// The headers make a ring.
    #[error("the expansion headers lead back to the one at {pointer:x}h: they have no end")]
    PnpLoop {
        /// Where the ring is closed.
        pointer: u16,
    },
    /// More headers than any ROM has.
    #[error("there are more than {} expansion headers: the rest is left out", super::MOST_HEADERS)]
    TooManyPnp,
    /// A pointer to something that is not in the image.
    #[error("the {what} should be at {pointer:x}h, which is not inside the image")]
    PointerOutside {
        /// What it points at.
        what: &'static str,
        /// Where that should be.
        pointer: u16,
    },
    /// PXE's structure does not sum to zero.
    #[error("the UNDI ROM ID structure sums to {sum:02x}h instead of 00h")]
    UndiChecksum {
        /// The sum.
        sum: u8,
    },
    /// PXE's structure is shorter than it must be, or not in the image.
    #[error("the UNDI ROM ID structure claims {length:x}h bytes: 16h should be inside the image")]
    UndiLength {
        /// What it claims.
        length: u8,
    },
    /// More stays in memory than there is.
    #[error("the maximum run-time image length {run_time:x}h is more than the image length {length:x}h")]
    RunTimeLength {
        /// The structure's maximum.
        run_time: usize,
        /// The image's length.
        length: usize,
    },
    /// An FCode program that does not begin like one.
    #[error("the FCode program begins with {found:02x}h: a start code is f0h to f3h or fdh")]
    FcodeStart {
        /// What is there.
        found: u8,
    },
    /// An FCode program that is longer than its image.
    #[error(
        "the FCode program has {length:x}h bytes by its header, and the image only {available:x}h of them"
    )]
    FcodeLength {
        /// What it claims.
        length: u32,
        /// What is there.
        available: usize,
    },
    /// An FCode program that does not sum to what its header says.
    #[error("the FCode program sums to {sum:04x}h, and its header says {checksum:04x}h")]
    FcodeChecksum {
        /// The header's word.
        checksum: u16,
        /// The sum.
        sum: u16,
    },
}

impl Problem {
    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::PnpOutside { .. }
            | Self::PnpLength { .. }
            | Self::PnpLoop { .. }
            | Self::TooManyPnp
            | Self::PointerOutside { .. }
            | Self::UndiChecksum { .. }
            | Self::UndiLength { .. }
            | Self::FcodeStart { .. }
            | Self::FcodeLength { .. }
            | Self::FcodeChecksum { .. } => Severity::Warning,
            Self::PnpChecksum { .. } | Self::NotPnp { .. } | Self::RunTimeLength { .. } => Severity::Note,
        }
    }

    /// A stable name for scripts.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::PnpChecksum { .. } => "pnp-checksum",
            Self::PnpLength { .. } => "pnp-length",
            Self::PnpOutside { .. } => "pnp-outside",
            Self::NotPnp { .. } => "not-pnp",
            Self::PnpLoop { .. } => "pnp-loop",
            Self::TooManyPnp => "too-many-pnp",
            Self::PointerOutside { .. } => "pointer-outside",
            Self::UndiChecksum { .. } => "undi-checksum",
            Self::UndiLength { .. } => "undi-length",
            Self::RunTimeLength { .. } => "run-time-length",
            Self::FcodeStart { .. } => "fcode-start",
            Self::FcodeLength { .. } => "fcode-length",
            Self::FcodeChecksum { .. } => "fcode-checksum",
        }
    }

    /// What a user can do about it, in one sentence.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::PnpChecksum { .. } => {
                "nothing, if the byte at 9 is 0: the ROM's own code sets it when it starts, as ASMedia's does; else a BIOS \
                 boots nothing by this header: compare with a second dump"
            }
            Self::PnpLength { .. } | Self::PnpOutside { .. } | Self::TooManyPnp => {
                "a BIOS may not boot from the device, other uses are not affected: compare with a second dump"
            }
            Self::PnpLoop { .. } => {
                "a BIOS that follows them hangs: do not give this ROM to a BIOS guest, and compare with a second dump"
            }
            Self::NotPnp { .. } => "nothing: a BIOS passes over headers that it does not know",
            Self::PointerOutside { .. } => {
                "what it is for does not work, the rest may: compare with a second dump"
            }
            Self::UndiChecksum { .. } | Self::UndiLength { .. } => {
                "a boot loader that starts the network driver by itself does not find it: compare with a second dump"
            }
            Self::RunTimeLength { .. } => "nothing: a BIOS reserves the image length then",
            Self::FcodeStart { .. } | Self::FcodeLength { .. } | Self::FcodeChecksum { .. } => {
                "Open Firmware refuses the program, other images are not affected: compare with a second dump"
            }
        }
    }
}
