//! Can a virtual machine's firmware start this ROM? The question that a ROM is looked at for.
//!
//! UEFI firmware (OVMF) starts EFI drivers and nothing else; a BIOS (SeaBIOS) starts PC-AT images and
//! nothing else. Each goes from image to image by rules of its own, which [`crate::check::Halt`] tells where it matters. A
//! ROM from before PCI is for neither: they look for the PCI Data Structure in a device's ROM.

use std::fmt;

use super::{Check, bios, efi, romfile};
use crate::edit::is_for_firmware;
use crate::efi::Drivers;
use crate::firmware::{self, Firmware, Halt, Walk};
use crate::header::{EfiHeader, Header, Machine};
use crate::pcir::ClassCode;
use crate::{Chain, CodeType, Image, Rom};

/// What one kind of firmware does with a ROM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// It starts this image.
    Yes(Started),
    /// It would, but the image is broken, or something in front of it is: a finding says why.
    Refused(Started),
    /// It comes to this image, and the file is cut short in it: what runs then cannot be told.
    CutShort(Started),
    /// An EFI driver that is whole and not for x86-64: a guest with another processor starts it.
    OtherMachine(Started),
    /// There is no image for it.
    No,
}

/// The image that is started, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Started {
    /// Its number among the images that this firmware comes to, from 0; of one that it does not come to, among those of the
    /// chain.
    pub index: usize,
    /// How many images these are.
    pub images: usize,
    /// Where it begins in the file.
    pub offset: usize,
    /// For which processor an EFI driver is; `None` for a PC-AT image.
    pub machine: Option<Machine>,
    /// If an EFI driver carries a signature for Secure Boot, which is not verified; `None` where there is none to
    /// look at.
    pub is_signed: Option<bool>,
}

/// What a ROM does for guests with either kind of firmware. `Display` says it in two lines, or three if there is an
/// EFI driver that can be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Guests {
    /// For a guest with UEFI firmware: an EFI driver, for X64 if there are several.
    pub uefi: Answer,
    /// For a guest with a BIOS: a PC-AT image.
    pub bios: Answer,
    /// Where the ROM begins in the file: elsewhere than at 0, firmware finds nothing before that is cut off.
    pub offset: usize,
    /// How many bytes must follow the file, so that OVMF reads it: see [`super::padding`].
    pub padding: usize,
    /// What the device is, by the first image for firmware.
    pub class_code: Option<ClassCode>,
}

/// What firmware can do with a ROM that is given to a virtual machine. A BIOS starts an image only for a device with its
/// ids: here, that is the device of the first PC-AT image.
///
/// Who asks for findings, too, takes [`super::Check`], which decompresses drivers once.
#[must_use]
pub fn guests(rom: &Rom<'_>) -> Guests {
    Check::new(rom).guests()
}

/// The same for a device with these ids: a BIOS starts only an image that names them in its PCI Data Structure.
#[must_use]
pub fn guests_of_device(rom: &Rom<'_>, vendor_id: u16, device_id: u16) -> Guests {
    Check::new(rom).guests_of_device(vendor_id, device_id)
}

/// The answers about a ROM whose drivers were looked at.
pub(super) fn answers(rom: &Rom<'_>, uefi: Answer, device: Option<(u16, u16)>) -> Guests {
    let chain = rom.chain_for_firmware();
    let first = chain.and_then(|chain| chain.images().iter().find(|image| is_for_firmware(image)));
    Guests {
        uefi,
        bios: bios(rom, device),
        offset: chain.map_or(0, firmware::begin),
        padding: romfile::padding(rom),
        class_code: first.map(|image| image.structure().class_code),
    }
}

/// What is known of an EFI image: what edk2's PCI bus driver demands of it, and its loader of the driver.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looked {
    /// Where the image begins.
    pub(super) offset: usize,
    /// If the driver is loaded.
    pub(super) works: bool,
    /// If the file does not hold it whole.
    is_cut_short: bool,
    pub(super) machine: Machine,
    pub(super) is_signed: Option<bool>,
}

impl Looked {
    pub(super) fn new(image: &Image<'_>, header: &EfiHeader, look: &efi::Look) -> Self {
        let is_cut_short = image.is_truncated();
        let works = look.is_loadable() && !is_cut_short;
        let (offset, machine) = (image.offset(), header.machine);
        Self { offset, works, is_cut_short, machine, is_signed: look.is_signed }
    }

    /// If it can be what an x86-64 guest starts, and how good it is: what works there before what is cut short or
    /// broken, and that before what is for others.
    fn rank(&self) -> u8 {
        let is_x64 = matches!(self.machine, Machine::X64 | Machine::EBC);
        3 * u8::from(is_x64) + if self.works { 2 } else { u8::from(self.is_cut_short) }
    }

    fn answer(&self, index: usize, images: usize) -> Answer {
        let (machine, is_signed) = (Some(self.machine), self.is_signed);
        let started = Started { index, images, offset: self.offset, machine, is_signed };
        match self.rank() {
            5 => Answer::Yes(started),
            1 | 4 => Answer::CutShort(Started { is_signed: None, ..started }),
            2 => Answer::OtherMachine(started),
            _ => Answer::Refused(started),
        }
    }
}

/// What UEFI firmware does; `looked` are the EFI images of all chains, in the order of the file.
pub(super) fn uefi(rom: &Rom<'_>, looked: &[Looked], mut drivers: Option<&mut Drivers>) -> Answer {
    let Some(walk) = Walk::of(Firmware::Ovmf, rom) else { return Answer::No };
    let mut look = |image: &Image<'_>, header: &EfiHeader| match looked
        .binary_search_by_key(&image.offset(), |looked| looked.offset)
    {
        Ok(index) => looked[index],
        // Firmware steps into an image where NVIDIA's extension has another length.
        Err(_) => Looked::new(image, header, &efi::look(image, header, drivers.as_deref_mut())),
    };
    let mut best: Option<(usize, Looked)> = None;
    let mut images = 0;
    for image in walk {
        if let Header::Efi(header) = image.header() {
            let found = look(&image, &header);
            if best.is_none_or(|(_, best)| best.rank() < found.rank()) {
                best = Some((images, found));
            }
        }
        images += 1;
    }
    let missed = not_reached(rom, Firmware::Ovmf);
    if let (Some((index, looked)), None) = (best, &missed) {
        return looked.answer(index, images);
    }
    missed.map_or(Answer::No, |missed| {
        let Header::Efi(header) = missed.image.header() else { return Answer::No };
        let looked = Looked { works: false, ..look(missed.image, &header) };
        Answer::Refused(Started { is_signed: None, ..missed.started(Some(looked.machine)) })
    })
}

/// What SeaBIOS does for a device, or for that of the first PC-AT image.
fn bios(rom: &Rom<'_>, device: Option<(u16, u16)>) -> Answer {
    let Some(walk) = Walk::of(Firmware::SeaBios, rom) else {
        let started = Started { index: 0, images: 1, offset: 0, machine: None, is_signed: None };
        return if rom.legacy().is_some() { Answer::Refused(started) } else { Answer::No };
    };
    let mut wanted = device;
    let (mut first, mut taken) = (None, None);
    let mut images = 0;
    for image in walk {
        if let Header::PcAt(header) = image.header() {
            let ids = (image.structure().vendor_id, image.structure().device_id);
            first = first.or(Some((images, image)));
            // The first with these ids is taken, also if it is broken and another one follows.
            if taken.is_none() && *wanted.get_or_insert(ids) == ids {
                taken = Some((images, image, header));
            }
        }
        images += 1;
    }
    let started = |index, image: &Image<'_>| Started {
        index,
        images,
        offset: image.offset(),
        machine: None,
        is_signed: None,
    };
    match (taken, first) {
        (Some((index, image, _)), _) if bios::is_cut_short(rom.file(), &image) => {
            Answer::CutShort(started(index, &image))
        }
        (Some((index, image, header)), _) if bios::starts(rom.file(), &image, &header) => {
            Answer::Yes(started(index, &image))
        }
        (Some((index, image, _)), _) | (None, Some((index, image))) => {
            Answer::Refused(started(index, &image))
        }
        (None, None) => not_reached(rom, Firmware::SeaBios)
            .map_or(Answer::No, |missed| Answer::Refused(missed.started(None))),
    }
}

/// An image that a firmware would start and does not come to.
pub(super) struct Missed<'r, 'a> {
    pub(super) image: &'r Image<'a>,
    index: usize,
    images: usize,
    /// Where the firmware stops.
    pub(super) stop: usize,
    /// Why it does.
    pub(super) halt: Halt,
}

impl Missed<'_, '_> {
    fn started(&self, machine: Option<Machine>) -> Started {
        let Self { index, images, .. } = *self;
        Started { index, images, offset: self.image.offset(), machine, is_signed: None }
    }
}

/// The first image of a chain that a firmware does not come to, where it comes to none that it could start.
///
/// Where all drivers that OVMF comes to are for other processors, it is one for X64, of whichever chain.
pub(super) fn not_reached<'r, 'a>(rom: &'r Rom<'a>, firmware: Firmware) -> Option<Missed<'r, 'a>> {
    let wanted = match firmware {
        Firmware::Ovmf => CodeType::EFI,
        Firmware::SeaBios => CodeType::X86_PC_AT,
    };
    let mut walk = Walk::of(firmware, rom)?;
    let (mut is_met, mut is_startable) = (false, false);
    for image in walk.by_ref().filter(|image| image.code_type() == wanted) {
        is_met = true;
        is_startable |= firmware == Firmware::SeaBios || is_for_x64(&image);
    }
    if is_startable {
        return None;
    }
    let (stop, halt) = walk.halt()?;
    let is_wanted = |image: &Image<'_>| {
        is_for_firmware(image) && image.code_type() == wanted && (!is_met || is_for_x64(image))
    };
    let own = rom.chain_for_firmware()?;
    let chains = rom.chains().iter().filter(|chain| is_met || chain.offset() == own.offset());
    let (images, index) = chains
        .map(Chain::images)
        .find_map(|images| images.iter().position(is_wanted).map(|index| (images, index)))?;
    Some(Missed { image: &images[index], index, images: images.len(), stop, halt })
}

/// If the firmware of an x86-64 guest does not skip the driver, which is for that or for any processor.
fn is_for_x64(image: &Image<'_>) -> bool {
    matches!(image.header(), Header::Efi(EfiHeader { machine: Machine::X64 | Machine::EBC, .. }))
}

/// Two or three lines that somebody who has never seen a ROM can use.
impl fmt::Display for Guests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UEFI guest: ")?;
        match self.uefi {
            Answer::No => {
                write!(f, "no, there is no EFI driver")?;
                match self.class_code.map(|class| class.base) {
                    Some(1) => {
                        write!(f, ": its firmware cannot boot from the device, its system can use it")?
                    }
                    Some(2) => write!(f, ": its firmware cannot boot from the network by it")?,
                    Some(3) => write!(f, ": its screen stays dark until the guest's own driver starts")?,
                    _ => {}
                }
            }
            answer => self.write_image(f, answer)?,
        }
        write!(f, "\nBIOS guest: ")?;
        match self.bios {
            Answer::No => write!(f, "no, there is no PC-AT image")?,
            answer => self.write_image(f, answer)?,
        }
        writeln!(f)?;
        match self.uefi {
            Answer::Yes(Started { is_signed: Some(true), .. }) => {
                writeln!(
                    f,
                    "Secure Boot: the driver is signed; whether the guest trusts the signature is not checked"
                )
            }
            Answer::Yes(Started { is_signed: Some(false), .. }) => {
                writeln!(
                    f,
                    "Secure Boot: no, the driver is not signed: only a guest without it starts the driver"
                )
            }
            _ => Ok(()),
        }
    }
}

impl Guests {
    fn write_image(&self, f: &mut fmt::Formatter<'_>, answer: Answer) -> fmt::Result {
        let (lead, started) = match answer {
            Answer::Yes(started) => ("yes, ", started),
            Answer::Refused(started) => ("no, firmware refuses the ", started),
            Answer::CutShort(started) => ("not judged, the file is cut short in the ", started),
            Answer::OtherMachine(started) => ("no on x86-64, there is only an ", started),
            Answer::No => return Ok(()),
        };
        let Started { index, images, offset, machine, .. } = started;
        f.write_str(lead)?;
        match machine {
            None => write!(f, "PC-AT image")?,
            Some(machine) => write!(f, "EFI driver for {machine}")?,
        }
        write!(f, " (image {} of {images}, @{offset:x}h)", index + 1)?;
        match answer {
            Answer::Refused(_) => write!(f, ": a finding says why"),
            Answer::Yes(_) if self.offset != 0 => write!(f, ", once what is in front of it is cut off"),
            Answer::Yes(_) if self.padding != 0 && machine.is_some() => {
                write!(f, ", once the file is padded to 4 KiB")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pe::PeSpec;
    use crate::testing::{ImageSpec, NpdeSpec, PCIR};

    /// What is said of a file that is large enough for OVMF.
    fn said(file: &[u8]) -> String {
        let guests = guests(&Rom::parse(file).unwrap());
        Guests { padding: 0, ..guests }.to_string()
    }

    /// The ids of the findings.
    fn found(file: &[u8]) -> Vec<&'static str> {
        let findings = crate::check::findings(&Rom::parse(file).unwrap());
        findings.iter().map(|finding| finding.problem().id()).collect()
    }

    fn last(spec: ImageSpec) -> Vec<u8> {
        ImageSpec { last: true, ..spec }.build()
    }

    #[test]
    fn each_firmware_has_its_image() {
        let both = [ImageSpec::pc_at(1, 2).build(), last(ImageSpec::efi(1, 2))].concat();
        assert_eq!(
            said(&both),
            "UEFI guest: yes, EFI driver for X64 (image 2 of 2, @400h)\n\
             BIOS guest: yes, PC-AT image (image 1 of 2, @0h)\n\
             Secure Boot: no, the driver is not signed: only a guest without it starts the driver\n"
        );
        let container = [&b"NVGI"[..], &[0; 508]].concat();
        assert!(said(&[container, both].concat()).starts_with(
            "UEFI guest: yes, EFI driver for X64 (image 2 of 2, @600h), once what is in front of it is cut off\n"
        ));
    }

    #[test]
    fn without_an_image_it_says_what_that_means() {
        let of = |class| said(&last(ImageSpec { class, ..ImageSpec::pc_at(1, 2) }));
        assert!(of([1, 6, 1]).contains("no EFI driver: its firmware cannot boot from the device"));
        assert!(of([2, 0, 0]).contains("no EFI driver: its firmware cannot boot from the network"));
        assert!(of([3, 0, 0]).contains("no EFI driver: its screen stays dark"));
        assert!(of([0xc, 3, 0x30]).starts_with("UEFI guest: no, there is no EFI driver\n"));
        let efi = said(&last(ImageSpec::efi(1, 2)));
        assert!(efi.contains("BIOS guest: no, there is no PC-AT image\n"));
    }

    #[test]
    fn an_image_that_firmware_refuses_is_no_yes() {
        let refused = |at: usize, byte: u8| {
            let mut file = last(ImageSpec::efi(1, 2));
            file[at] = byte;
            said(&file)
                .contains("UEFI guest: no, firmware refuses the EFI driver for X64 (image 1 of 1, @0h)")
        };
        assert!(!refused(0x200, 0));
        for (at, byte) in [(4, 0), (8, 0x0a), (0x0c, 2), (2, 3), (0x17, 4)] {
            assert!(refused(at, byte), "{at:x}");
        }
        let mut sum = last(ImageSpec::pc_at(1, 2));
        sum[0x200] ^= 1;
        assert!(said(&sum).contains("BIOS guest: no, firmware refuses the PC-AT image"));
        // A second image that works.
        let mut broken = ImageSpec::efi(1, 2).build();
        broken[4] = 0;
        let file = [broken, last(ImageSpec::efi(1, 2))].concat();
        assert!(said(&file).starts_with("UEFI guest: yes, EFI driver for X64 (image 2 of 2, @400h)"));
    }

    #[test]
    fn a_driver_that_cannot_be_loaded_is_refused() {
        for driver in [
            b"no PE file".to_vec(),
            PeSpec { machine: 0xaa64, ..PeSpec::driver() }.build(),
            PeSpec { subsystem: 3, ..PeSpec::driver() }.build(),
        ] {
            let said = said(&last(ImageSpec { driver, ..ImageSpec::efi(1, 2) }));
            assert!(said.contains("UEFI guest: no, firmware refuses the EFI driver for X64"), "{said}");
            assert!(!said.contains("Secure Boot"), "{said}");
        }
    }

    #[test]
    fn whether_a_driver_is_signed_is_told() {
        let driver = PeSpec { signature: vec![0x30; 16], ..PeSpec::driver() }.build();
        let said = said(&last(ImageSpec { driver, ..ImageSpec::efi(1, 2) }));
        assert!(said.contains("\nSecure Boot: the driver is signed; whether"), "{said}");
    }

    #[test]
    fn a_driver_for_another_processor_is_named() {
        let driver = PeSpec { machine: 0xaa64, ..PeSpec::driver() }.build();
        let mut arm = ImageSpec { driver, ..ImageSpec::efi(1, 2) }.build();
        arm[0x0a..0x0c].copy_from_slice(&0xaa64u16.to_le_bytes());
        let alone = [&arm[..], &last(ImageSpec::pc_at(1, 2))].concat();
        assert!(said(&alone).starts_with(
            "UEFI guest: no on x86-64, there is only an EFI driver for ARM64 (image 1 of 2, @0h)\n"
        ));
        assert_eq!(found(&alone), ["efi-other-machine"]);
        let both = [&arm[..], &last(ImageSpec::efi(1, 2))].concat();
        assert!(said(&both).starts_with("UEFI guest: yes, EFI driver for X64 (image 2 of 2, @400h)"));
        assert!(found(&both).is_empty());
    }

    #[test]
    fn a_file_that_is_cut_short_is_not_judged_where_firmware_takes_it() {
        let pc_at = last(ImageSpec::pc_at(1, 2));
        let efi = last(ImageSpec::efi(1, 2));
        let bios = "BIOS guest: not judged, the file is cut short in the PC-AT image (image 1 of 1, @0h)\n";
        for length in [0x3ff, 0x200] {
            assert!(said(&pc_at[..length]).contains(bios));
            assert!(found(&pc_at[..length]).contains(&"truncated"));
        }
        // A BAR of 400h has room for the image, and one of 200h has not: edk2 refuses it.
        assert!(said(&efi[..0x3ff]).starts_with(
            "UEFI guest: not judged, the file is cut short in the EFI driver for X64 (image 1 of 1, @0h)\n"
        ));
        assert!(said(&efi[..0x200]).starts_with("UEFI guest: no, firmware refuses the EFI driver for X64"));
        for length in [0x3ff, 0x200] {
            assert!(found(&efi[..length]).contains(&"truncated"));
            assert!(!found(&efi[..length]).contains(&"not-reached"), "it is told already");
        }
        // A driver in front of it that works is started.
        let file = [ImageSpec::efi(1, 2).build(), efi].concat();
        assert!(said(&file[..0x700]).starts_with("UEFI guest: yes, EFI driver for X64 (image 1 of 2, @0h)"));
    }

    #[test]
    fn a_driver_is_the_only_one_if_no_chain_has_another() {
        let driver = PeSpec { machine: 0xaa64, ..PeSpec::driver() }.build();
        let mut arm = last(ImageSpec { driver, ..ImageSpec::efi(1, 2) });
        arm[0x0a..0x0c].copy_from_slice(&0xaa64u16.to_le_bytes());
        // Directly behind, in a chain of its own, and where padding lies between.
        for gap in [0, 512] {
            let file = [&arm[..], &vec![0xff; gap], &last(ImageSpec::efi(1, 2))].concat();
            let at = 0x400 + gap;
            let said = said(&file);
            let refused =
                format!("UEFI guest: no, firmware refuses the EFI driver for X64 (image 1 of 1, @{at:x}h)");
            assert!(said.starts_with(&refused), "{said}");
            assert!(found(&file).contains(&"not-reached"));
            assert!(!found(&file).contains(&"efi-other-machine"));
            let findings = crate::check::findings(&Rom::parse(&file).unwrap());
            let told = findings.iter().find(|finding| finding.problem().id() == "not-reached").unwrap();
            assert_eq!(
                told.to_string(),
                format!(
                    "warning @{at:x}h: OVMF does not come to this image: it stops at 0h, where an image says that \
                     it is the last"
                )
            );
        }
        let two = [&arm[..], &arm].concat();
        assert!(said(&two).starts_with("UEFI guest: no on x86-64, there is only an EFI driver for ARM64"));
    }

    #[test]
    fn what_is_behind_the_last_image_is_not_started() {
        let npde = Some(NpdeSpec { blocks: 2, last: false });
        let pc_at = ImageSpec { npde, last: true, ..ImageSpec::pc_at(0x10de, 1) }.build();
        let file = [pc_at, last(ImageSpec::efi(0x10de, 1))].concat();
        assert!(said(&file).starts_with(
            "UEFI guest: no, firmware refuses the EFI driver for X64 (image 2 of 2, @400h): a finding says why\n"
        ));
        assert_eq!(found(&file), ["not-reached"]);
    }

    #[test]
    fn a_bios_takes_the_first_image_with_the_ids_whatever_follows() {
        let good = || last(ImageSpec::pc_at(0x1234, 0x1111));
        let mut broken = ImageSpec::pc_at(0x1234, 0x1111).build();
        broken[0x300] ^= 1;
        let file = [broken, good()].concat();
        let refused =
            "BIOS guest: no, firmware refuses the PC-AT image (image 1 of 2, @0h): a finding says why\n";
        assert!(said(&file).contains(refused));
        assert_eq!(found(&file), ["checksum"]);
        let rom = Rom::parse(&file).unwrap();
        assert!(guests_of_device(&rom, 0x1234, 0x1111).to_string().contains(refused));
        // One for another device is passed over: without a device, the first image says which it is.
        let file = [ImageSpec::pc_at(0x1234, 0x2222).build(), good()].concat();
        let rom = Rom::parse(&file).unwrap();
        let started =
            |guests: Guests| if let Answer::Yes(started) = guests.bios { Some(started.index) } else { None };
        assert_eq!(started(guests(&rom)), Some(0));
        assert_eq!(started(guests_of_device(&rom, 0x1234, 0x1111)), Some(1));
        assert_eq!(started(guests_of_device(&rom, 0x1234, 0x3333)), None);
    }

    #[test]
    fn a_checksum_that_nvidia_switched_off_counts_for_a_bios() {
        let npde = Some(NpdeSpec { blocks: 2, last: true });
        let mut file = last(ImageSpec { npde, ..ImageSpec::pc_at(0x10de, 1) });
        file[0x4b] |= 4;
        assert!(said(&file).contains("BIOS guest: no, firmware refuses the PC-AT image"));
        assert_eq!(found(&file), ["initialization-sum"]);
    }

    #[test]
    fn a_private_image_with_a_header_of_the_standard_need_not_be_cut_off() {
        let private = ImageSpec { code_type: 0xe0, ..ImageSpec::pc_at(0x10de, 1) }.build();
        let file = [private, last(ImageSpec::pc_at(0x10de, 1))].concat();
        assert!(
            said(&file).contains("BIOS guest: yes, PC-AT image (image 2 of 2, @400h)\n"),
            "{}",
            said(&file)
        );
        let cut = crate::cut::cut(&Rom::parse(&file).unwrap(), &crate::cut::Options::default()).unwrap();
        assert_eq!(cut.offset, 0);
    }

    #[test]
    fn what_stops_a_firmware_is_told() {
        let mut unaligned = ImageSpec::pc_at(1, 2).build();
        unaligned.copy_within(PCIR..PCIR + 0x18, PCIR + 2);
        unaligned[0x18] += 2;
        let end = unaligned.len() - 1;
        unaligned[end] = unaligned[end].wrapping_sub(crate::checksum::sum(&unaligned));
        let file = [unaligned, last(ImageSpec::efi(1, 2))].concat();
        assert_eq!(found(&file), ["unaligned", "not-reached"]);
        let findings = crate::check::findings(&Rom::parse(&file).unwrap());
        assert_eq!(
            findings[1].to_string(),
            "warning @400h: OVMF does not come to this image: it stops at 0h, where the pointer to the PCI Data \
             Structure is not a multiple of 4"
        );
        assert!(
            said(&file).starts_with("UEFI guest: no, firmware refuses the EFI driver for X64 (image 2 of 2")
        );
        // edk2 looks on where SeaBIOS gives up.
        let mut private = ImageSpec { code_type: 0xe0, ..ImageSpec::pc_at(0x10de, 1) }.build();
        private[..2].copy_from_slice(b"VN");
        let efi = || ImageSpec::efi(1, 2).build();
        let file = [efi(), private.clone(), last(ImageSpec::pc_at(1, 2))].concat();
        assert!(
            said(&file).contains("BIOS guest: no, firmware refuses the PC-AT image (image 3 of 3, @800h)")
        );
        assert_eq!(found(&file), ["not-reached"]);
        let file = [ImageSpec::pc_at(1, 2).build(), private, last(ImageSpec::efi(1, 2))].concat();
        assert!(said(&file).starts_with("UEFI guest: yes, EFI driver for X64 (image 2 of 2, @800h)\n"));
        let file = [ImageSpec::pc_at(1, 2).build(), vec![0xff; 512], last(ImageSpec::efi(1, 2))].concat();
        assert!(said(&file).starts_with("UEFI guest: yes, EFI driver for X64 (image 2 of 2, @600h)\n"));
    }

    #[test]
    fn an_isa_rom_is_for_no_pci_device() {
        let mut file = vec![0; 512];
        file[..4].copy_from_slice(&[0x55, 0xaa, 1, 0]);
        let findings = crate::check::findings(&Rom::parse(&file).unwrap());
        assert_eq!(findings[0].problem().id(), "no-structure");
        assert!(said(&file).ends_with(
            "BIOS guest: no, firmware refuses the PC-AT image (image 1 of 1, @0h): a finding says why\n"
        ));
    }
}
