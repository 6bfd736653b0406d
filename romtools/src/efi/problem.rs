//! What is odd about the driver in an EFI image.

use crate::header::{Machine, Subsystem};
use crate::{Error, Severity, pe};

/// One oddity. Its offset is that of the driver, or of its compressed form, unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// It cannot be taken out.
    #[error("{error}")]
    Unreadable {
        /// Why.
        error: Error,
    },
    /// It is compressed as in firmware volumes.
    #[error("the driver is compressed in the Tiano variant: firmware decompresses the UEFI variant only")]
    Tiano,
    /// Its stream becomes more than it claims; firmware takes as much as it claims.
    #[error(
        "the driver's compressed data goes on for {bytes:x}h bytes behind the length that it claims to become"
    )]
    Beyond {
        /// How many bytes are too many.
        bytes: usize,
    },
    /// Header and PE file are for different processors.
    #[error("the EFI header is for {header} and the driver for {driver}")]
    Machine {
        /// The header's.
        header: Machine,
        /// The PE file's.
        driver: Machine,
    },
    /// Header and PE file have different subsystems.
    #[error("the EFI header has subsystem {:x}h and the driver {:x}h", header.0, driver.0)]
    Subsystem {
        /// The header's.
        header: Subsystem,
        /// The PE file's.
        driver: Subsystem,
    },
    /// Something about the PE file.
    #[error("the EFI driver is broken: {0}")]
    Pe(#[from] pe::Defect),
}

impl Problem {
    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Unreadable { error: Error::TooManyDrivers { .. } } | Self::Beyond { .. } => Severity::Note,
            Self::Pe(defect) if !defect.is_fatal() => Severity::Warning,
            // A loader takes any of UEFI's, and nothing else.
            Self::Subsystem { driver, .. } if driver.name().is_some() => Severity::Warning,
            _ => Severity::Defect,
        }
    }

    /// A stable name for scripts.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Unreadable { error: Error::NotPe { .. } } => "efi-no-pe",
            Self::Unreadable { error: Error::TooManyDrivers { .. } } => "efi-not-decompressed",
            Self::Unreadable { .. } => "efi-decompression",
            Self::Tiano => "efi-tiano",
            Self::Beyond { .. } => "efi-beyond",
            Self::Machine { .. } => "efi-machine",
            Self::Subsystem { .. } => "efi-driver-subsystem",
            Self::Pe(defect) => defect.id(),
        }
    }

    /// What a user can do about it, in one sentence.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Unreadable { error } => error.advice(),
            Self::Tiano => {
                "take the driver out with `romtools extract`, and build the ROM again with `romtools build \
                 --efi-compressed`"
            }
            Self::Beyond { .. } => {
                "nothing: firmware stops where the length says, and so does `romtools extract`"
            }
            Self::Machine { .. } | Self::Subsystem { .. } => {
                "firmware goes by both: take the driver out with `romtools extract`, and build the ROM again with \
                 `romtools build`"
            }
            Self::Pe(defect) => defect.advice(),
        }
    }
}
