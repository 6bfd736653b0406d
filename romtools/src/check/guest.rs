//! Can a virtual machine's firmware start this ROM? The question that a ROM is looked at for.
//!
//! UEFI firmware (OVMF) starts EFI drivers and nothing else; a BIOS (SeaBIOS) starts PC-AT images and
//! nothing else. Both go from image to image until one says that it is the last. A ROM from before PCI is for neither: they
//! look for the PCI Data Structure in a device's ROM.

use std::fmt;

use super::{bios, efi, romfile};
use crate::edit::is_for_firmware;
use crate::efi::Drivers;
use crate::header::{Header, Machine};
use crate::pcir::ClassCode;
use crate::{Chain, Image, Rom};

/// What one kind of firmware does with a ROM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// It starts this image.
    Yes(Started),
    /// It would, but the image is broken: a finding says why.
    Refused(Started),
    /// There is no image for it.
    No,
}

/// The image that is started, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    /// Its number among the images that firmware looks at, from 0.
    pub index: usize,
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
pub struct Guests {
    /// For a guest with UEFI firmware: an EFI driver, for X64 if there are several.
    pub uefi: Answer,
    /// For a guest with a BIOS: a PC-AT image.
    pub bios: Answer,
    /// How many images firmware looks at.
    pub images: usize,
    /// Where the ROM begins in the file: elsewhere than at 0, firmware finds nothing before that is cut off.
    pub offset: usize,
    /// How many bytes must follow the file, so that OVMF reads it: see [`super::padding`].
    pub padding: usize,
    /// What the device is, by the first image.
    pub class_code: Option<ClassCode>,
}

/// What firmware can do with a ROM that is given to a virtual machine.
#[must_use]
pub fn guests(rom: &Rom<'_>) -> Guests {
    guests_with(rom, |_| true)
}

/// The same for a device with these ids: a BIOS starts only an image that names them in its PCI Data Structure.
#[must_use]
pub fn guests_of_device(rom: &Rom<'_>, vendor_id: u16, device_id: u16) -> Guests {
    guests_with(rom, |image| {
        let structure = image.structure();
        (structure.vendor_id, structure.device_id) == (vendor_id, device_id)
    })
}

fn guests_with(rom: &Rom<'_>, named: impl Fn(&Image<'_>) -> bool) -> Guests {
    let none =
        Guests { uefi: Answer::No, bios: Answer::No, images: 0, offset: 0, padding: 0, class_code: None };
    let Some(chain) = rom.chain_for_firmware() else {
        if rom.legacy().is_none() {
            return none;
        }
        let started = Started { index: 0, offset: 0, machine: None, is_signed: None };
        return Guests { bios: Answer::Refused(started), images: 1, ..none };
    };
    let images: Vec<_> = looked_at(chain).collect();
    let mut drivers = Drivers::new();
    let looked: Vec<_> = images.iter().map(|image| driver(image, &mut drivers)).collect();
    let efi = |wanted: fn(Machine) -> bool| {
        first(&images, |index, _| looked[index].filter(|driver| driver.machine.is_some_and(wanted)))
    };
    // On an x86 machine, which most are, only these can run; for another one the next best is named.
    let uefi = match efi(|machine| matches!(machine, Machine::X64 | Machine::EBC)) {
        Answer::No => efi(|_| true),
        answer => answer,
    };
    let bios = first(&images, |_, image| {
        let Header::PcAt(header) = image.header() else { return None };
        let works = named(image) && bios::starts(rom.file(), image, &header);
        Some(Looked { works, machine: None, is_signed: None })
    });
    Guests {
        uefi,
        bios,
        images: images.len(),
        padding: romfile::padding(rom),
        offset: images.first().map_or(0, |image| image.offset()),
        class_code: images.first().map(|image| image.structure().class_code),
    }
}

/// The images of a chain that firmware looks at: from the first of the standard to the one that is the last by `PCIR`.
pub(super) fn looked_at<'c, 'a>(chain: &'c Chain<'a>) -> impl Iterator<Item = &'c Image<'a>> {
    let mut ended = false;
    let from_first = chain.images().iter().skip_while(|image| !is_for_firmware(image));
    from_first.take_while(move |image| {
        let goes_on = !ended;
        ended |= image.structure().indicator.is_last();
        goes_on
    })
}

/// What is known of an image that one kind of firmware starts.
#[derive(Debug, Clone, Copy)]
struct Looked {
    works: bool,
    machine: Option<Machine>,
    is_signed: Option<bool>,
}

/// The first image that is wanted and works; else the first that is wanted.
fn first(images: &[&Image<'_>], wanted: impl Fn(usize, &Image<'_>) -> Option<Looked>) -> Answer {
    let mut answer = Answer::No;
    for (index, image) in images.iter().enumerate() {
        let Some(Looked { works, machine, is_signed }) = wanted(index, image) else { continue };
        let started = Started { index, offset: image.offset(), machine, is_signed };
        if works {
            return Answer::Yes(started);
        }
        if answer == Answer::No {
            answer = Answer::Refused(started);
        }
    }
    answer
}

/// What edk2's PCI bus driver demands of an EFI image before it starts it, and its loader of the driver.
fn driver(image: &Image<'_>, drivers: &mut Drivers) -> Option<Looked> {
    let Header::Efi(header) = image.header() else { return None };
    let look = efi::look(image, &header, Some(drivers));
    let works = look.is_loadable() && image.structure().pointer.is_multiple_of(4) && !image.is_truncated();
    Some(Looked { works, machine: Some(header.machine), is_signed: look.is_signed })
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
        let (Answer::Yes(started) | Answer::Refused(started)) = answer else { return Ok(()) };
        let Started { index, offset, machine, .. } = started;
        let refused = matches!(answer, Answer::Refused(_));
        write!(f, "{}", if refused { "no, firmware refuses the " } else { "yes, " })?;
        match machine {
            None => write!(f, "PC-AT image")?,
            Some(machine) => match machine.name() {
                Some(name) => write!(f, "EFI driver for {name}")?,
                None => write!(f, "EFI driver for machine {:x}h", machine.0)?,
            },
        }
        write!(f, " (image {} of {}, @{offset:x}h)", index + 1, self.images)?;
        if refused {
            write!(f, ": a finding says why")
        } else if self.offset != 0 {
            write!(f, ", once what is in front of it is cut off")
        } else if self.padding != 0 && machine.is_some() {
            write!(f, ", once the file is padded to 4 KiB")
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pe::PeSpec;
    use crate::testing::{ImageSpec, NpdeSpec};

    /// What is said of a file that is large enough for OVMF.
    fn said(file: &[u8]) -> String {
        let guests = guests(&Rom::parse(file).unwrap());
        Guests { padding: 0, ..guests }.to_string()
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
        let cut = last(ImageSpec::efi(1, 2));
        assert!(said(&cut[..0x3ff]).contains("UEFI guest: no, firmware refuses"));
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
        assert!(said(&alone).starts_with("UEFI guest: yes, EFI driver for ARM64 (image 1 of 2, @0h)"));
        let both = [&arm[..], &last(ImageSpec::efi(1, 2))].concat();
        assert!(said(&both).starts_with("UEFI guest: yes, EFI driver for X64 (image 2 of 2, @400h)"));
    }

    #[test]
    fn what_is_behind_the_last_image_is_not_started() {
        let npde = Some(NpdeSpec { blocks: 2, last: false });
        let pc_at = ImageSpec { npde, last: true, ..ImageSpec::pc_at(0x10de, 1) }.build();
        let file = [pc_at, last(ImageSpec::efi(0x10de, 1))].concat();
        assert!(said(&file).starts_with("UEFI guest: no, there is no EFI driver"), "{}", said(&file));
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
