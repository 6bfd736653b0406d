//! What is shown: a ROM, made with `romtools`, and whether a firmware runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use romtools::header::{Compression, Header};
use romtools::{CodeType, Rom};

use super::machine::Firmware::{self, Ovmf, SeaBios};
use super::parts::Parts;
use super::programs;
use crate::command;

/// What the programs print.
const LINE: &str = "HELLO-FROM-OPTION-ROM";

/// QEMU's device for the ROMs with our own programs, which has none of its own.
const EDU: &str = "edu";
/// Its ids.
const EDU_IDS: [&str; 4] = ["--vendor", "0x1234", "--device", "11e8"];

/// A ROM and what becomes of it.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) firmware: Firmware,
    pub(super) device: &'static str,
    /// What is printed if the ROM runs.
    pub(super) mark: &'static str,
    /// Whether it shall run.
    pub(super) runs: bool,
    /// Makes the ROM.
    pub(super) make: fn(&Workshop<'_>) -> Result<PathBuf>,
}

const fn case(
    name: &'static str,
    firmware: Firmware,
    runs: bool,
    make: fn(&Workshop<'_>) -> Result<PathBuf>,
) -> Case {
    Case { name, firmware, device: EDU, mark: LINE, runs, make }
}

/// All of them. Those that must not run prove that the others run for the right reason.
pub(super) const CASES: &[Case] = &[
    case("efi", Ovmf, true, |shop| shop.build(&["--efi", shop.driver()?])),
    case("efi-compressed", Ovmf, true, |shop| {
        // It is small, and OVMF does not read a BAR that is smaller than a page: `build` pads it.
        shop.build(&["--efi-compressed", shop.driver()?])
    }),
    case("efi-not-padded", Ovmf, false, |shop| {
        let rom = shop.build(&["--efi-compressed", shop.driver()?])?;
        shop.edited(&rom, |bytes| bytes.truncate(0x800))
    }),
    case("efi-pcir-0", Ovmf, true, |shop| shop.build(&["--pcir-revision", "0", "--efi", shop.driver()?])),
    case("efi-behind-legacy", Ovmf, true, |shop| {
        shop.build(&["--device", "1111,11e8", "--legacy", shop.legacy()?, "--efi", shop.driver()?])
    }),
    case("mixed-compressed", Ovmf, true, |shop| shop.mixed()),
    case("mixed-compressed-bios", SeaBios, true, |shop| shop.mixed()),
    case("efi-longer-list", Ovmf, true, |shop| {
        let rom = shop.build(&["--efi", shop.driver()?])?;
        shop.romtools(&["fix", &text(&rom), "-o", "fixed.rom", "--device", "11e8,1,2,3"])
    }),
    case("efi-signature-broken", Ovmf, false, |shop| {
        let rom = shop.build(&["--efi", shop.driver()?])?;
        shop.edited(&rom, |bytes| bytes[6] ^= 1)
    }),
    case("efi-behind-container", Ovmf, false, |shop| shop.contained()),
    case("efi-cut-out", Ovmf, true, |shop| {
        let dump = shop.contained()?;
        shop.romtools(&["cut", &text(&dump), "-o", "cut.rom"])
    }),
    case("efi-device-fixed", Ovmf, true, |shop| {
        let other = shop.build(&["--device", "1111", "--legacy", shop.legacy()?, "--efi", shop.driver()?])?;
        shop.romtools(&["fix", &text(&other), "-o", "fixed.rom", "--device", "11e8"])
    }),
    case("mixed-cut-out-bios", SeaBios, true, |shop| {
        let rom = shop.mixed()?;
        let dump = shop.edited(&rom, contain)?;
        shop.romtools(&["cut", &text(&dump), "-o", "cut.rom"])
    }),
    Case {
        name: "efi-ipxe",
        firmware: Ovmf,
        device: "e1000",
        mark: "iPXE",
        runs: true,
        make: |shop| shop.build_for_e1000("--efi", &text(&shop.ipxe_driver()?)),
    },
    Case {
        name: "efi-ipxe-compressed",
        firmware: Ovmf,
        device: "e1000",
        mark: "iPXE",
        runs: true,
        make: |shop| shop.build_for_e1000("--efi-compressed", &text(&shop.ipxe_driver()?)),
    },
    case("legacy", SeaBios, true, |shop| shop.build(&["--legacy", shop.legacy()?])),
    case("legacy-behind-efi", SeaBios, true, |shop| {
        shop.build(&["--efi", shop.driver()?, "--legacy", shop.legacy()?])
    }),
    case("legacy-checksum-broken", SeaBios, false, |shop| shop.with_broken_checksum()),
    case("legacy-checksum-fixed", SeaBios, true, |shop| {
        let broken = shop.with_broken_checksum()?;
        shop.romtools(&["fix", &text(&broken), "-o", "fixed.rom", "--checksum"])
    }),
    case("legacy-other-device", SeaBios, false, |shop| {
        shop.build(&["--device", "1111", "--legacy", shop.legacy()?])
    }),
    // SeaBIOS looks for the PCI Data Structure, ...
    case("legacy-isa", SeaBios, false, |shop| {
        let name = shop.legacy()?;
        Ok(shop.folder.join(name))
    }),
    // ... goes by the initialization size, ...
    case("legacy-size-0", SeaBios, false, |shop| {
        let rom = shop.build(&["--legacy", shop.legacy()?])?;
        shop.edited(&rom, |bytes| {
            let size = std::mem::take(&mut bytes[2]);
            let last = bytes.len() - 1;
            bytes[last] = bytes[last].wrapping_add(size);
        })
    }),
    case("legacy-size-not-summed", SeaBios, false, |shop| shop.with_a_longer_image(false)),
    case("legacy-size-summed", SeaBios, true, |shop| shop.with_a_longer_image(true)),
    // ... and compares the ids of the structure alone.
    case("legacy-device-in-list", SeaBios, false, |shop| {
        shop.build(&["--device", "1111,11e8", "--legacy", shop.legacy()?])
    }),
    case("legacy-device-fixed", SeaBios, true, |shop| {
        let other = shop.build(&["--device", "1111", "--legacy", shop.legacy()?])?;
        shop.romtools(&["fix", &text(&other), "-o", "fixed.rom", "--device", "11e8"])
    }),
    // It takes the first image with the ids, whatever follows, ...
    case("legacy-behind-broken", SeaBios, false, |shop| {
        let rom = shop.build(&["--legacy", shop.legacy()?, "--legacy", shop.legacy()?])?;
        shop.edited(&rom, |bytes| bytes[0x180] ^= 1)
    }),
    // ... stops where no image follows, and does not mind where the structure is: edk2 does either otherwise.
    case("legacy-behind-gap", SeaBios, false, |shop| {
        shop.with_a_gap(&["--efi", shop.driver()?, "--legacy", shop.legacy()?])
    }),
    case("efi-behind-gap", Ovmf, true, |shop| {
        shop.with_a_gap(&["--legacy", shop.legacy()?, "--efi", shop.driver()?])
    }),
    case("efi-behind-gap-cut-out", Ovmf, true, |shop| {
        let rom = shop.with_a_gap(&["--legacy", shop.legacy()?, "--efi", shop.driver()?])?;
        let dump = shop.edited(&rom, contain)?;
        shop.romtools(&["cut", &text(&dump), "-o", "cut.rom"])
    }),
    case("legacy-unaligned", SeaBios, true, |shop| shop.unaligned()),
    case("efi-behind-unaligned", Ovmf, false, |shop| shop.unaligned()),
    Case {
        name: "legacy-ipxe",
        firmware: SeaBios,
        device: "e1000",
        mark: "iPXE",
        runs: true,
        make: |shop| shop.build_for_e1000("--legacy", &text(&shop.ipxe("pxe-e1000.rom"))),
    },
];

/// Where a case's ROM is made.
pub(super) struct Workshop<'a> {
    pub(super) parts: &'a Parts,
    /// The program.
    pub(super) romtools: &'a Path,
    /// The folder.
    pub(super) folder: &'a Path,
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

impl Workshop<'_> {
    /// Runs `romtools` in the folder; the file behind its `-o`.
    fn romtools(&self, arguments: &[&str]) -> Result<PathBuf> {
        command::output(Command::new(self.romtools).args(arguments).current_dir(self.folder))?;
        let output = arguments.iter().skip_while(|argument| **argument != "-o").nth(1);
        Ok(self.folder.join(output.context("a case without an output")?))
    }

    /// `romtools build`, for the device that QEMU has; what is given again counts.
    fn build(&self, arguments: &[&str]) -> Result<PathBuf> {
        let mut all = vec!["build", "-o", "built.rom"];
        if arguments.contains(&"--device") {
            all.extend(&EDU_IDS[..2]);
        } else {
            all.extend(EDU_IDS);
        }
        all.extend(arguments);
        self.romtools(&all)
    }

    /// `romtools build`, for QEMU's e1000.
    fn build_for_e1000(&self, kind: &str, file: &str) -> Result<PathBuf> {
        let ids = ["--vendor", "8086", "--device", "100e", "--class", "020000"];
        self.romtools(&[&["build", "-o", "ipxe.rom"][..], &ids, &[kind, file]].concat())
    }

    /// One of Debian's iPXE ROMs.
    fn ipxe(&self, name: &str) -> PathBuf {
        self.parts.qemu.join("usr/lib/ipxe/qemu").join(name)
    }

    /// iPXE's EFI driver for e1000, out of Debian's ROM, where it is stored as it is.
    fn ipxe_driver(&self) -> Result<PathBuf> {
        let bytes = fs::read(self.ipxe("efi-e1000.rom"))?;
        let rom = Rom::parse(&bytes)?;
        let image = rom.images().find(|image| image.code_type() == CodeType::EFI);
        let image = image.context("efi-e1000.rom has no EFI image")?;
        let Header::Efi(header) = image.header() else { bail!("an EFI image without its header") };
        ensure!(header.compression == Compression::NONE, "efi-e1000.rom is compressed");
        let driver = image.bytes().get(header.image_offset.into()..).context("efi-e1000.rom is cut short")?;
        Ok(self.folder.join(self.write("ipxe.efi", driver)?))
    }

    /// Our EFI driver, as a file.
    fn driver(&self) -> Result<&'static str> {
        self.write("driver.efi", &programs::efi_driver(LINE))
    }

    /// Our legacy image, as a file.
    fn legacy(&self) -> Result<&'static str> {
        self.write("legacy.bin", &programs::legacy_image(LINE))
    }

    fn write(&self, name: &'static str, bytes: &[u8]) -> Result<&'static str> {
        fs::write(self.folder.join(name), bytes).with_context(|| format!("cannot write {name}"))?;
        Ok(name)
    }

    /// A copy with other bytes.
    fn edited(&self, rom: &Path, edit: impl FnOnce(&mut Vec<u8>)) -> Result<PathBuf> {
        let mut bytes = fs::read(rom)?;
        edit(&mut bytes);
        Ok(self.folder.join(self.write("edited.rom", &bytes)?))
    }

    fn with_broken_checksum(&self) -> Result<PathBuf> {
        let rom = self.build(&["--legacy", self.legacy()?])?;
        self.edited(&rom, |bytes| bytes[0x180] ^= 1)
    }

    /// An image whose length is a block more than its initialization size. The whole sums to zero, and the part that
    /// SeaBIOS copies or not.
    fn with_a_longer_image(&self, both: bool) -> Result<PathBuf> {
        let rom = self.build(&["--legacy", self.legacy()?])?;
        self.edited(&rom, |bytes| {
            let structure = usize::from(u16::from_le_bytes([bytes[0x18], bytes[0x19]]));
            bytes[structure + 0x10] += 1;
            let end = usize::from(bytes[2]) * 512;
            bytes.truncate(end);
            bytes[end - 1] = bytes[end - 1].wrapping_sub(1).wrapping_add(u8::from(!both));
            bytes.resize(end + 512, 0);
            let sum = romtools::checksum::sum(bytes);
            bytes[end + 511] = 0u8.wrapping_sub(sum);
        })
    }

    /// A ROM of two images, with a block between them that is no image.
    fn with_a_gap(&self, parts: &[&str]) -> Result<PathBuf> {
        let rom = self.build(parts)?;
        self.edited(&rom, |bytes| {
            let end = first_image(bytes);
            bytes.splice(end..end, [0xff; 512]);
        })
    }

    /// A legacy image whose structure is on no 4-byte boundary, and a driver behind it.
    fn unaligned(&self) -> Result<PathBuf> {
        let rom = self.build(&["--legacy", self.legacy()?, "--efi", self.driver()?])?;
        self.edited(&rom, |bytes| {
            let structure = usize::from(u16::from_le_bytes([bytes[0x18], bytes[0x19]]));
            let end = first_image(bytes);
            bytes.copy_within(structure..structure + 0x1c, structure + 2);
            bytes[0x18] += 2;
            let sum = romtools::checksum::sum(&bytes[..end]);
            bytes[end - 1] = bytes[end - 1].wrapping_sub(sum);
        })
    }

    /// An EFI ROM as a dump of NVIDIA's flash has it: behind a container.
    fn contained(&self) -> Result<PathBuf> {
        let rom = self.build(&["--efi", self.driver()?])?;
        self.edited(&rom, contain)
    }

    /// A legacy image, and an EFI driver that is compressed.
    fn mixed(&self) -> Result<PathBuf> {
        let rom = self.build(&["--legacy", self.legacy()?, "--efi-compressed", self.driver()?])?;
        self.edited(&rom, |bytes| bytes.resize(0x1000, 0xff))
    }
}

/// Bytes of the first image of a ROM that was built.
fn first_image(bytes: &[u8]) -> usize {
    Rom::parse(bytes)
        .ok()
        .and_then(|rom| rom.images().next().map(romtools::Image::length))
        .unwrap_or_default()
}

/// Puts a ROM where a dump of NVIDIA's flash has it. What looks like an image in the container is none: only by the
/// container's own word is the ROM found.
fn contain(bytes: &mut Vec<u8>) {
    let mut container = b"NVGI\xf4\x01\x10\x80\x80\0\0\0".to_vec();
    container.resize(0x600, 0);
    container[0x14..0x18].copy_from_slice(&0x600u32.to_le_bytes());
    container[0x200..0x203].copy_from_slice(&[0x55, 0xaa, 1]);
    container[0x218] = 0x1c;
    container[0x21c..0x234].copy_from_slice(b"PCIR\xde\x10\x12\x06\0\0\x18\0\0\0\0\x03\x01\0\0\0\0\x80\0\0");
    bytes.splice(..0, container);
    bytes.resize(0x4000, 0xff);
}

/// Builds the program that is tested, and returns where it is.
pub(super) fn program() -> Result<PathBuf> {
    let built = crate::test::cargo(&["build", "--quiet", "--package", "romtools"]).status();
    ensure!(built.context("cannot run cargo")?.success(), "romtools does not build");
    Ok(crate::target().join("debug/romtools"))
}
