//! What can be odd about a table: the sentence, the severity and the advice of each.

use super::Uuid;
use crate::Severity;

/// One thing that is odd about a VFCT table. Lengths and offsets are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Less is there than the table claims.
    #[error("the table has {length:x}h bytes by its header, and only {available:x}h are there")]
    Truncated {
        /// What the header claims.
        length: usize,
        /// What is there.
        available: usize,
    },
    /// The claimed length does not even cover the fields before the first record.
    #[error("the table's length {length:x}h is below the {:x}h bytes before its first record", super::LENGTH)]
    TooShort {
        /// What the header claims.
        length: usize,
    },
    /// More is there than the table claims.
    #[error("{more:x}h bytes follow behind the table's length")]
    Longer {
        /// How much more.
        more: usize,
    },
    /// The table does not sum to zero.
    #[error("the table sums to {sum:02x}h instead of 00h")]
    Checksum {
        /// The sum.
        sum: u8,
    },
    /// A UUID of neither known form.
    #[error("the table's UUID {uuid} is neither AMD's nor coreboot's")]
    UnknownUuid {
        /// The UUID.
        uuid: Uuid,
    },
    /// Reserved words are not zero.
    #[error("reserved words are not zero")]
    Reserved,
    /// The records begin elsewhere than usual.
    #[error("the first record is at {offset:x}h instead of {:x}h", super::LENGTH)]
    FirstRecord {
        /// The table's VBIOS image offset.
        offset: u32,
    },
    /// No record has an image.
    #[error("there is no image in the table")]
    NoImage,
    /// The table ends inside a record's header.
    #[error("the table ends {available:x}h bytes into a record, before its image")]
    HeaderTruncated {
        /// How many bytes are there.
        available: usize,
    },
    /// The table ends inside an image.
    #[error(
        "the image for {location} has {length:x}h bytes by its record, and only {available:x}h are there"
    )]
    ImageTruncated {
        /// For which function it is.
        location: super::Location,
        /// What the record claims.
        length: u32,
        /// What is there.
        available: usize,
    },
    /// A record reaches behind the length that the table claims.
    #[error("the record for {location} ends {more:x}h bytes behind the table's length")]
    PastTable {
        /// For which function it is.
        location: super::Location,
        /// How far behind.
        more: usize,
    },
    /// More records than any machine has GPUs.
    #[error("there are more than {} records: the rest is left out", super::MOST_RECORDS)]
    TooManyRecords,
    /// A record without an image.
    #[error("the record for {location} has no image")]
    EmptyRecord {
        /// For which function it is.
        location: super::Location,
    },
    /// A record for an address that no function can have.
    #[error("{location} is not the address of a PCI function")]
    ImpossibleLocation {
        /// For which function it is.
        location: super::Location,
    },
    /// An image that is no option ROM.
    #[error("the image for {location} is not an option ROM")]
    NotARom {
        /// For which function it is.
        location: super::Location,
    },
    /// An image for AMD's driver that has no ATOM BIOS.
    #[error("the image for {location} has no ATOM BIOS")]
    NotAtom {
        /// For which function it is.
        location: super::Location,
    },
    /// The record's ids and the image's differ.
    #[error(
        "the record is for {:04x}:{:04x}, its image for {:04x}:{:04x}", record.0, record.1, image.0, image.1
    )]
    Ids {
        /// Vendor and device id of the record.
        record: (u16, u16),
        /// Those of the image.
        image: (u16, u16),
    },
    /// A second record for the same function and ids.
    #[error("an earlier record is for {location} and the same ids, too")]
    Duplicate {
        /// For which function it is.
        location: super::Location,
    },
    /// AMD's form without its terminator.
    #[error("no record of zeros ends the table, as it does in AMD's form")]
    NoTerminator,
    /// The library's record is not in the table.
    #[error("the Lib1 record should be at {offset:x}h, which is not inside the table")]
    Lib1Outside {
        /// The table's Lib1 image offset.
        offset: u32,
    },
    /// The library is not whole.
    #[error("the Lib1 image has {length:x}h bytes by its record, and only {available:x}h are there")]
    Lib1Truncated {
        /// What the record claims.
        length: u32,
        /// What is there.
        available: usize,
    },
}

impl Problem {
    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Truncated { .. }
            | Self::TooShort { .. }
            | Self::NoImage
            | Self::ImageTruncated { .. }
            | Self::PastTable { .. }
            | Self::NotARom { .. } => Severity::Defect,
            Self::Checksum { .. }
            | Self::FirstRecord { .. }
            | Self::HeaderTruncated { .. }
            | Self::TooManyRecords
            | Self::ImpossibleLocation { .. }
            | Self::NotAtom { .. }
            | Self::Ids { .. }
            | Self::Duplicate { .. }
            | Self::Lib1Outside { .. }
            | Self::Lib1Truncated { .. } => Severity::Warning,
            Self::Longer { .. }
            | Self::UnknownUuid { .. }
            | Self::Reserved
            | Self::EmptyRecord { .. }
            | Self::NoTerminator => Severity::Note,
        }
    }

    /// A stable name for scripts.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "vfct-truncated",
            Self::TooShort { .. } => "vfct-too-short",
            Self::Longer { .. } => "vfct-longer",
            Self::Checksum { .. } => "vfct-checksum",
            Self::UnknownUuid { .. } => "vfct-unknown-uuid",
            Self::Reserved => "vfct-reserved",
            Self::FirstRecord { .. } => "vfct-first-record",
            Self::NoImage => "vfct-no-image",
            Self::HeaderTruncated { .. } => "vfct-header-truncated",
            Self::ImageTruncated { .. } => "vfct-image-truncated",
            Self::PastTable { .. } => "vfct-past-table",
            Self::TooManyRecords => "vfct-too-many-records",
            Self::EmptyRecord { .. } => "vfct-empty-record",
            Self::ImpossibleLocation { .. } => "vfct-impossible-location",
            Self::NotARom { .. } => "vfct-not-a-rom",
            Self::NotAtom { .. } => "vfct-not-atom",
            Self::Ids { .. } => "vfct-ids",
            Self::Duplicate { .. } => "vfct-duplicate",
            Self::NoTerminator => "vfct-no-terminator",
            Self::Lib1Outside { .. } => "vfct-lib1-outside",
            Self::Lib1Truncated { .. } => "vfct-lib1-truncated",
        }
    }

    /// What a user can do about it, in one sentence.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => {
                "the copy is cut short: copy the table again, with `cp` or `cat` as root; images that are whole \
                 can be used"
            }
            Self::ImageTruncated { .. } => {
                "Linux refuses the table here, and this image cannot be used: copy the table again; if it is so on \
                 the host itself, the firmware is at fault"
            }
            Self::TooShort { .. } | Self::PastTable { .. } => {
                "Linux refuses the table here: if the host itself shows it so, the firmware is at fault; images \
                 that are whole can still be used as a romfile"
            }
            Self::Longer { .. } => "nothing: readers go by the table's length",
            Self::Checksum { .. } => {
                "something changed the table after the firmware made it: copy it again, and compare the images' \
                 own checksums"
            }
            Self::UnknownUuid { .. } | Self::Reserved => {
                "nothing: Linux does not look at it; the layout may be newer than this program"
            }
            Self::FirstRecord { .. } => {
                "Linux follows this offset, too: compare the ids of what was found there"
            }
            Self::NoImage => {
                "the firmware left no video BIOS here: look for it in the card's ROM (`rom` of the device in \
                 sysfs) or in the board's firmware image"
            }
            Self::HeaderTruncated { .. } => "images before this place can be used; copy the table again",
            Self::TooManyRecords => "no machine has as many GPUs: the table is damaged or made up",
            Self::EmptyRecord { .. } => "nothing: Linux passes over it",
            Self::ImpossibleLocation { .. } => "no driver will find this image: take it by its ids",
            Self::NotARom { .. } => "a driver refuses it and so does a VM: look for the video BIOS elsewhere",
            Self::NotAtom { .. } => {
                "`amdgpu` refuses it, on the host and in a guest: \"Unable to locate a BIOS ROM\""
            }
            Self::Ids { .. } => {
                "the driver takes the image by the record's ids; a VM's firmware may refuse it: check that it is \
                 for your card"
            }
            Self::Duplicate { .. } => "Linux takes the earlier one: compare the two",
            Self::NoTerminator => "nothing: readers stop at the end of the table",
            Self::Lib1Outside { .. } | Self::Lib1Truncated { .. } => {
                "nothing: only the firmware's GOP driver uses it, and a VM does not"
            }
        }
    }
}
