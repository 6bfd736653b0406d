//! What can be odd: the sentence, the severity and the advice of each.

use std::fmt;

use crate::firmware::{Firmware, Halt};
use crate::header::Machine;
use crate::nvidia::Version;
use crate::rom::Content;
use crate::{Error, atom, efi, expansion, vfct};

/// How bad a finding is, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Unusual and harmless.
    Note,
    /// Some firmware or kernel refuses it, or it is most likely not what was wanted.
    Warning,
    /// It keeps the image from working.
    Defect,
}

/// `note`, `warning`, `defect`.
impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Defect => "defect",
        })
    }
}

/// One thing that is odd. Lengths and sizes are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A PC-AT image does not sum to zero.
    #[error("the image sums to {sum:02x}h instead of 00h")]
    Checksum {
        /// The sum.
        sum: u8,
    },
    /// An ISA ROM does not sum to zero.
    #[error("the ISA ROM sums to {sum:02x}h instead of 00h")]
    LegacyChecksum {
        /// The sum.
        sum: u8,
    },
    /// The file ends inside an image.
    #[error("the image has {length:x}h bytes, and the file only {available:x}h of them")]
    Truncated {
        /// What the image claims.
        length: usize,
        /// What is there.
        available: usize,
    },
    /// An image claims no length.
    #[error("the image length is 0: nothing behind it can be found")]
    ZeroLength,
    /// An EFI image without 00000EF1h.
    #[error("the EFI signature is {found:08x} instead of 00000ef1")]
    EfiSignature {
        /// What is there.
        found: u32,
    },
    /// An EFI image that is larger than itself.
    #[error("the EFI initialization size {initialization:x}h is larger than the image length {length:x}h")]
    EfiInitializationSize {
        /// The header's size.
        initialization: usize,
        /// The structure's.
        length: usize,
    },
    /// An EFI image whose PE file lies outside of it.
    #[error(
        "the EFI image offset {image_offset:x}h is not inside the initialization size {initialization:x}h"
    )]
    EfiImageOffset {
        /// The header's pointer.
        image_offset: u16,
        /// The header's size.
        initialization: usize,
    },
    /// An EFI image in a reserved compression.
    #[error("the EFI compression type {found:x}h is reserved")]
    EfiCompression {
        /// What is there.
        found: u16,
    },
    /// An EFI image that is no driver.
    #[error("the EFI subsystem {found:x}h is not a driver's (0bh or 0ch)")]
    EfiSubsystem {
        /// What is there.
        found: u16,
    },
    /// The data structure is not on a 4-byte boundary.
    #[error("the pointer {pointer:x}h to the PCI Data Structure is not a multiple of 4")]
    Unaligned {
        /// The pointer.
        pointer: u16,
    },
    /// The data structure is not in its image.
    #[error("the PCI Data Structure lies outside of its image")]
    StructureOutside,
    /// A revision or length that no one is known to use.
    #[error(
        "PCI Data Structure revision {revision:x}h of {length:x}h bytes: expecting 0 with 18h or 3 with 1ch"
    )]
    StructureForm {
        /// The structure's revision.
        revision: u8,
        /// Its length.
        length: u16,
    },
    /// Reserved bits in the last-image indicator.
    #[error("the last-image indicator {indicator:02x}h has reserved bits set")]
    ReservedIndicator {
        /// The indicator.
        indicator: u8,
    },
    /// A device list that lies outside of the image, or has no end in it or in front of its driver.
    #[error(
        "the device list at {pointer:x}h of the PCI Data Structure has no end in the image, or in front of its driver"
    )]
    DeviceList {
        /// The pointer, from the start of the structure.
        pointer: u16,
    },
    /// The last image that is there does not say "last", and the file ends.
    #[error("the chain continues past the end of the file")]
    ContinuesPastEnd,
    /// The last image that is there does not say "last", and something else follows.
    #[error("the chain should continue here: {error}")]
    ContinuesWithout {
        /// Why what follows is not an image.
        error: Error,
    },
    /// NVIDIA's private images are not in the file.
    #[error("NVIDIA's private images should follow and do not")]
    NoPrivateImages,
    /// Images directly behind the one that says "last".
    #[error("{images} image(s) follow behind the last one")]
    BehindLast {
        /// How many.
        images: usize,
    },
    /// A PC-AT image's two lengths differ.
    #[error("the initialization size {initialization:x}h differs from the image length {length:x}h")]
    InitializationSize {
        /// The header's size.
        initialization: usize,
        /// The structure's.
        length: usize,
    },
    /// A PC-AT image whose initialization size is 0.
    #[error("the initialization size is 0: SeaBIOS, the BIOS of QEMU's guests, refuses the image")]
    NoInitializationSize,
    /// A PC-AT image does not sum to zero by its initialization size, and by its length it does or need not.
    #[error(
        "the {initialization:x}h bytes of the initialization size sum to {sum:02x}h instead of 00h: SeaBIOS, the BIOS of QEMU's guests, refuses the image"
    )]
    InitializationSum {
        /// The header's size.
        initialization: usize,
        /// The sum of as many bytes as the header says.
        sum: u8,
    },
    /// An image that a firmware could start, and does not come to.
    #[error("{by} does not come to this image: it stops at {stop:x}h, where {halt}")]
    NotReached {
        /// Which firmware.
        by: Firmware,
        /// Where it stops.
        stop: usize,
        /// Why it does.
        halt: Halt,
    },
    /// The only EFI driver is for another processor than nearly all guests have.
    #[error("the only EFI driver is for {machine}: the firmware of an x86-64 guest skips it")]
    OtherMachine {
        /// For which.
        machine: Machine,
    },
    /// A ROM from before PCI.
    #[error(
        "a ROM from before PCI has no PCI Data Structure: a guest's firmware does not start it from a PCI device"
    )]
    NoStructure,
    /// A PC-AT image that is for the device by its list only, or by ids of zero.
    #[error(
        "SeaBIOS, the BIOS of QEMU's guests, compares the ids {:04x}:{:04x} alone, without a device list: they are not {:04x}:{:04x}", found.0, found.1, wanted.0, wanted.1
    )]
    BiosIds {
        /// The device that was asked for.
        wanted: (u16, u16),
        /// The ids in the structure.
        found: (u16, u16),
    },
    /// A ROM with an EFI driver in a file that OVMF does not read.
    #[error("the file has only {length:x}h bytes: OVMF under QEMU reads no ROM of 2 KiB or less")]
    SmallFile {
        /// Its length.
        length: usize,
    },
    /// NVIDIA's container is in front of the ROM.
    #[error("{length:x}h bytes of NVIDIA's flash container are in front of the ROM")]
    Container {
        /// Its length.
        length: usize,
    },
    /// Something else is in front of the ROM.
    #[error("{length:x}h bytes of other data are in front of the ROM")]
    LeadingData {
        /// Its length.
        length: usize,
    },
    /// Something that is not padding is between or behind the chains.
    #[error("{length:x}h bytes of {content} follow the chain")]
    OtherData {
        /// Its length.
        length: usize,
        /// What it is.
        content: Content,
    },
    /// NVIDIA's container leads elsewhere than to an image for firmware.
    #[error("the container says that the ROM begins at {says:x}h, and no image for firmware begins there")]
    ContainerPointer {
        /// Where the container says.
        says: usize,
    },
    /// An NVIDIA video BIOS with two versions.
    #[error("the video BIOS has version {table} in its table and {text} in its text")]
    NvidiaVersion {
        /// The version in the BIOS Information Table.
        table: Version,
        /// The version in the text.
        text: Version,
    },
    /// Ids that somebody typed in hexadecimal, and a tool read as decimal.
    #[error("the ids {:04x}:{:04x} are {:04x}:{:04x}, read as decimal numbers", ids.0, ids.1, typed.0, typed.1)]
    DecimalIds {
        /// Vendor and device id, as they are.
        ids: (u16, u16),
        /// What was meant.
        typed: (u16, u16),
    },
    /// A device id that no device has.
    #[error("the ids {vendor_id:04x}:ffff are no device's")]
    NoDeviceId {
        /// The vendor id.
        vendor_id: u16,
    },
    /// No image is for the device that was asked for.
    #[error("the image is for {:04x}:{:04x}, not for {:04x}:{:04x}", found.0, found.1, wanted.0, wanted.1)]
    WrongDevice {
        /// The device that was asked for.
        wanted: (u16, u16),
        /// The image's ids.
        found: (u16, u16),
    },
    /// This image is not for the device that was asked for; another one is.
    #[error("this image is for {:04x}:{:04x}, not for {:04x}:{:04x} as another one is", found.0, found.1, wanted.0, wanted.1)]
    OtherDevice {
        /// The device that was asked for.
        wanted: (u16, u16),
        /// The image's ids.
        found: (u16, u16),
    },
    /// A ROM without ids.
    #[error("a ROM from before PCI has no ids: whether it is for {:04x}:{:04x} cannot be told", wanted.0, wanted.1)]
    NoIds {
        /// The device that was asked for.
        wanted: (u16, u16),
    },
    /// Something about the ATOM BIOS in an image.
    #[error(transparent)]
    Atom(#[from] atom::Problem),
    /// Something about the structures that a PC-AT or Open Firmware header leads to.
    #[error(transparent)]
    Expansion(#[from] expansion::Problem),
    /// Something about the driver in an EFI image.
    #[error(transparent)]
    Efi(#[from] efi::Problem),
    /// Something about an ACPI VFCT table.
    #[error(transparent)]
    Vfct(#[from] vfct::Problem),
}

impl Problem {
    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self {
            Self::Atom(problem) => problem.severity(),
            Self::Expansion(problem) => problem.severity(),
            Self::Efi(problem) => problem.severity(),
            Self::Vfct(problem) => problem.severity(),
            Self::Checksum { .. }
            | Self::Truncated { .. }
            | Self::ZeroLength
            | Self::EfiSignature { .. }
            | Self::EfiInitializationSize { .. }
            | Self::EfiImageOffset { .. }
            | Self::EfiCompression { .. }
            | Self::WrongDevice { .. } => Severity::Defect,
            Self::LegacyChecksum { .. }
            | Self::NoInitializationSize
            | Self::InitializationSum { .. }
            | Self::NotReached { .. }
            | Self::OtherMachine { .. }
            | Self::NoStructure
            | Self::BiosIds { .. }
            | Self::SmallFile { .. }
            | Self::EfiSubsystem { .. }
            | Self::Unaligned { .. }
            | Self::StructureOutside
            | Self::StructureForm { .. }
            | Self::ReservedIndicator { .. }
            | Self::DeviceList { .. }
            | Self::ContinuesPastEnd
            | Self::ContinuesWithout { .. }
            | Self::Container { .. }
            | Self::ContainerPointer { .. }
            | Self::DecimalIds { .. }
            | Self::NoDeviceId { .. }
            | Self::OtherDevice { .. }
            | Self::LeadingData { .. } => Severity::Warning,
            Self::NoPrivateImages
            | Self::BehindLast { .. }
            | Self::InitializationSize { .. }
            | Self::NvidiaVersion { .. }
            | Self::NoIds { .. }
            | Self::OtherData { .. } => Severity::Note,
        }
    }

    /// A stable name for scripts.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Atom(problem) => problem.id(),
            Self::Expansion(problem) => problem.id(),
            Self::Efi(problem) => problem.id(),
            Self::Vfct(problem) => problem.id(),
            Self::Checksum { .. } => "checksum",
            Self::LegacyChecksum { .. } => "legacy-checksum",
            Self::Truncated { .. } => "truncated",
            Self::ZeroLength => "zero-length",
            Self::EfiSignature { .. } => "efi-signature",
            Self::EfiInitializationSize { .. } => "efi-initialization-size",
            Self::EfiImageOffset { .. } => "efi-image-offset",
            Self::EfiCompression { .. } => "efi-compression",
            Self::EfiSubsystem { .. } => "efi-subsystem",
            Self::Unaligned { .. } => "unaligned",
            Self::StructureOutside => "structure-outside",
            Self::StructureForm { .. } => "structure-form",
            Self::ReservedIndicator { .. } => "reserved-indicator",
            Self::DeviceList { .. } => "device-list",
            Self::ContinuesPastEnd => "continues-past-end",
            Self::ContinuesWithout { .. } => "continues-without",
            Self::NoPrivateImages => "no-private-images",
            Self::BehindLast { .. } => "behind-last",
            Self::InitializationSize { .. } => "initialization-size",
            Self::NoInitializationSize => "no-initialization-size",
            Self::InitializationSum { .. } => "initialization-sum",
            Self::NotReached { .. } => "not-reached",
            Self::OtherMachine { .. } => "efi-other-machine",
            Self::NoStructure => "no-structure",
            Self::BiosIds { .. } => "bios-ids",
            Self::SmallFile { .. } => "small-file",
            Self::Container { .. } => "container",
            Self::LeadingData { .. } => "leading-data",
            Self::OtherData { .. } => "other-data",
            Self::ContainerPointer { .. } => "container-pointer",
            Self::NvidiaVersion { .. } => "nvidia-version",
            Self::DecimalIds { .. } => "decimal-ids",
            Self::NoDeviceId { .. } => "no-device-id",
            Self::WrongDevice { .. } => "wrong-device",
            Self::OtherDevice { .. } => "other-device",
            Self::NoIds { .. } => "no-ids",
        }
    }

    /// What a user can do about it, in one sentence.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Atom(problem) => problem.advice(),
            Self::Expansion(problem) => problem.advice(),
            Self::Efi(problem) => problem.advice(),
            Self::Vfct(problem) => problem.advice(),
            Self::Checksum { .. } => {
                "a BIOS refuses this image: dump it again, or if it was edited, correct its checksum byte; the \
                 shadow at C0000h may differ because the ROM's own code changes it"
            }
            Self::LegacyChecksum { .. } => {
                "normal for adapters that fill it in when flashed; else dump it again"
            }
            Self::Truncated { .. } => {
                "the dump is cut short: dump it again from the device's rom file or the flash chip"
            }
            Self::ZeroLength => "the header is damaged, and firmware may hang on it: dump it again",
            Self::EfiSignature { .. } => {
                "firmware skips this image; a tool that writes a checksum at byte 6 destroys the signature: start \
                 from the unedited file"
            }
            Self::EfiInitializationSize { .. }
            | Self::EfiImageOffset { .. }
            | Self::EfiCompression { .. } => {
                "firmware refuses this image: dump it again, or build it again from its driver"
            }
            Self::EfiSubsystem { .. } => {
                "firmware does not start it from an option ROM: build it from a driver"
            }
            Self::Unaligned { .. } => {
                "UEFI firmware and newer Linux kernels refuse it and all that follows; a BIOS runs it: give it as a romfile to a BIOS guest only"
            }
            Self::StructureOutside => "the pointer or the length is damaged: compare with a second dump",
            Self::StructureForm { .. } | Self::ReservedIndicator { .. } => {
                "most readers ignore it; if the ROM does not start, compare with a second dump"
            }
            Self::DeviceList { .. } => "the image serves its own device id only; compare with a second dump",
            Self::ContinuesPastEnd => {
                "normal for the shadow at C0000h and for images from the VFCT table, which leave the EFI image \
                 out; else the dump is cut short"
            }
            Self::ContinuesWithout { .. } => {
                "normal for a padded shadow dump; else the dump is damaged, or an image was cut out without \
                 setting the last-image bit"
            }
            Self::NoPrivateImages => {
                "nothing: they are for NVIDIA's driver, which reads them from the card itself"
            }
            Self::BehindLast { .. } => {
                "nothing: firmware does not look at them; such images are mostly the vendor's own"
            }
            Self::InitializationSize { .. } => {
                "nothing: readers go by the image length, and what SeaBIOS copies and runs, by the other, sums to zero"
            }
            Self::NoInitializationSize | Self::InitializationSum { .. } => {
                "SeaBIOS copies, sums and runs as many bytes as the initialization size says, and refuses this image: \
                 `romtools fix --init-size --checksum` corrects it"
            }
            Self::NotReached { .. } => {
                "take the images out with `romtools extract`, and put those that are needed into a new ROM with \
                 `romtools build --image`"
            }
            Self::OtherMachine { .. } => {
                "for an x86-64 guest, take a ROM with a driver for X64; a guest with that processor starts this one"
            }
            Self::NoStructure => {
                "`romtools build --legacy` gives it one with the device's ids; without, QEMU's `-option-rom` runs it \
                 under SeaBIOS beside the device"
            }
            Self::BiosIds { .. } => {
                "for a guest with a BIOS, `romtools fix --device` with the device's id first sets it"
            }
            Self::SmallFile { .. } => {
                "pad it to 4 KiB, as `romtools cut` and `build` do (`truncate -s 4096 FILE`)"
            }
            Self::Container { .. } => {
                "a VM's romfile must begin with the ROM: `romtools cut` cuts the container off"
            }
            Self::LeadingData { .. } => {
                "a VM's romfile must begin with the ROM: `romtools cut` cuts off what is in front of it"
            }
            Self::ContainerPointer { .. } => {
                "the dump is damaged, or the ROM in it was moved: `romtools cut` goes by the ROM itself"
            }
            Self::NvidiaVersion { .. } => {
                "the ROM was edited or put together from two: the driver goes by the table; compare with an unedited dump"
            }
            Self::DecimalIds { .. } => {
                "a tool read ids without 0x as decimal (EfiRom does): correct them with `romtools fix --vendor \
                 --device`"
            }
            Self::NoDeviceId { .. } => {
                "UEFI firmware starts the driver all the same, a BIOS refuses it: set the device's id with \
                 `romtools fix --device`"
            }
            Self::WrongDevice { .. } => {
                "take a ROM of the same card; if it is for a close relative and only the ids differ, `romtools fix` \
                 sets them"
            }
            Self::OtherDevice { .. } => "firmware may refuse this image: `romtools fix --image` sets its ids",
            Self::NoIds { .. } => "nothing: check by its name",
            Self::OtherData { .. } => {
                "nothing: firmware does not look at it; flash dumps hold certificates and copies there"
            }
        }
    }
}
