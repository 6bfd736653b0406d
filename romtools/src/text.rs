//! The lines that `romtools info` prints.
//!
//! Where rom-parser had a line, it is the same line, because people read and paste it in forums;
//! what it did not know stands beside it.
//!
//! ```
//! # let mut file = vec![0u8; 512];
//! # file[..3].copy_from_slice(&[0x55, 0xaa, 1]);
//! # file[0x18] = 0x1c;
//! # file[0x1c..0x34].copy_from_slice(b"PCIR\x21\x1b\x12\x06\0\0\x18\0\0\0\x04\x01\x01\0\x20\x04\0\x80\0\0");
//! # let rom = romtools::Rom::parse(&file)?;
//! let lines = romtools::text::info(&rom).to_string();
//! assert!(lines.starts_with("Valid ROM signature found @0h, PCIR offset 1ch\n\tPCIR: type 0 (x86 PC-AT)"));
//! # Ok::<(), romtools::Error>(())
//! ```

use std::fmt;

use crate::checksum::Verdict;
use crate::compression::Variant;
use crate::efi::{Driver, Drivers};
use crate::header::{EfiHeader, Header};
use crate::image::BLOCK;
use crate::printable::Printable;
use crate::rom::{Content, CopyOf, Data};
use crate::{Chain, Image, LegacyImage, Result, Rom, Signature, Stop, atom, expansion};

/// Everything known about a file, in the order of the file.
pub fn info<'a>(rom: &'a Rom<'a>) -> impl fmt::Display + 'a {
    Info { rom, place: Place::File, tables: false }
}

/// Likewise, with a line for each table of an ATOM BIOS.
pub fn info_with_tables<'a>(rom: &'a Rom<'a>) -> impl fmt::Display + 'a {
    Info { rom, place: Place::File, tables: true }
}

/// Likewise for an image in a VFCT table, where a chain that goes on is no surprise.
pub(crate) fn info_in_vfct<'a>(rom: &'a Rom<'a>, tables: bool) -> impl fmt::Display + 'a {
    Info { rom, place: Place::Vfct, tables }
}

/// Where the bytes are from: it decides what is said about a chain without an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    File,
    Vfct,
}

struct Info<'a> {
    rom: &'a Rom<'a>,
    place: Place,
    tables: bool,
}

impl fmt::Display for Info<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut data = self.rom.data().peekable();
        if let Some(legacy) = self.rom.legacy() {
            write_legacy(f, &legacy)?;
        }
        let mut end = None;
        let mut drivers = Drivers::new();
        for (chain, copy) in self.rom.chains().iter().zip(self.rom.copies()) {
            while let Some(before) = data.next_if(|d| d.offset < chain.offset()) {
                write_data(f, &before)?;
            }
            if end == Some(chain.offset()) {
                writeln!(f, "More images behind the last one:")?;
            }
            match copy {
                None => {}
                Some(CopyOf { offset, differing: 0 }) => {
                    writeln!(f, "Copy of the images @{offset:x}h, the same in every byte:")?;
                }
                Some(CopyOf { offset, differing }) => {
                    writeln!(f, "Copy of the images @{offset:x}h, {differing} byte(s) differ:")?;
                }
            }
            for image in chain.images() {
                write_image(f, image, &mut drivers, self.tables)?;
            }
            // How a vendor's own images end is the vendor's affair.
            if end != Some(chain.offset()) {
                write_stop(f, chain, self.place)?;
            }
            end = Some(chain.end());
        }
        data.try_for_each(|behind| write_data(f, &behind))
    }
}

fn write_image(
    f: &mut fmt::Formatter<'_>,
    image: &Image<'_>,
    drivers: &mut Drivers,
    tables: bool,
) -> fmt::Result {
    let pcir = image.structure();
    let structure = pcir.signature.as_str();
    match image.signature() {
        Signature::OptionRom => write!(f, "Valid ROM signature")?,
        private => {
            let [first, second] = private.bytes();
            write!(f, "NVIDIA ROM signature {first:02x} {second:02x}")?;
        }
    }
    writeln!(f, " found @{:x}h, {structure} offset {:x}h", image.offset(), pcir.pointer)?;
    writeln!(
        f,
        "\t{structure}: type {}, vendor: {:04x}, device: {:04x}, class: {}",
        pcir.code_type, pcir.vendor_id, pcir.device_id, pcir.class_code
    )?;
    writeln!(
        f,
        "\t{structure}: revision {:x}, vendor revision: {:x}",
        pcir.revision, pcir.vendor_rom_revision
    )?;
    if let Header::Efi(efi) = image.header() {
        write_efi(f, &efi)?;
        // What is wrong with such a header is told by `check`, and the driver cannot be found by it.
        if let Some(driver) = drivers.driver(image).filter(|_| efi.has_signature()) {
            write_driver(f, driver)?;
        }
    }
    expansion::text::write(f, image)?;
    write_nvidia(f, image)?;
    if let Some(pointer) = image.code_partition_directory() {
        writeln!(f, "\tIntel code partition directory ($CPD) @{pointer:x}h of the image")?;
    }
    if let Some(atom) = image.atom() {
        atom::text::write(f, &atom)?;
        if tables {
            atom::text::write_tables(f, &atom)?;
        }
    }
    if pcir.has_device_list() {
        write!(f, "\tDevice list:")?;
        pcir.device_list().try_for_each(|id| write!(f, " {id:04x}"))?;
        writeln!(f)?;
    }
    write!(f, "\tImage length: {:x}h", image.length())?;
    match pcir.revision_3.map_or(0, |revision_3| usize::from(revision_3.maximum_run_time_image_length)) {
        0 => {}
        blocks => write!(f, ", at most {:x}h at run time", blocks * BLOCK)?,
    }
    match image.checksum() {
        Verdict::Good => writeln!(f, ", checksum good")?,
        Verdict::Wrong { sum } => writeln!(f, ", checksum WRONG (sum {sum:02x}h, should be 00h)")?,
        Verdict::NotRequired { .. } => writeln!(f)?,
        Verdict::Truncated if image.length() == 0 => writeln!(f, "{NO_LENGTH}")?,
        Verdict::Truncated => writeln!(f, ", but the file has only {:x}h of it", image.bytes().len())?,
    }
    match (image.is_last(), pcir.indicator.is_last()) {
        (true, true) => writeln!(f, "\tLast image"),
        (true, false) => writeln!(f, "\tLast image (by NVIDIA's NPDE; not by {structure})"),
        (false, true) => writeln!(f, "\tLast image (for firmware; by NVIDIA's NPDE private images follow)"),
        (false, false) => Ok(()),
    }
}

fn write_nvidia(f: &mut fmt::Formatter<'_>, image: &Image<'_>) -> fmt::Result {
    if let Some(at) = image.inforom() {
        writeln!(f, "\tNVIDIA InfoROM @{at:x}h of the image")?;
    }
    let Some(bit) = image.bit() else { return Ok(()) };
    write!(f, "\tNVIDIA video BIOS: ")?;
    match bit.version() {
        Some(version) => write!(f, "version {version}")?,
        None => write!(f, "no version")?,
    }
    if let Some(date) = bit.build_date() {
        write!(f, ", built {}", Printable(&date))?;
    }
    if let Some(text) = bit.version_text().filter(|&text| Some(text) != bit.version()) {
        write!(f, ", but its text says {text}")?;
    }
    writeln!(f)
}

fn write_efi(f: &mut fmt::Formatter<'_>, efi: &EfiHeader) -> fmt::Result {
    /// A name, or the number where there is none.
    struct Name(Option<&'static str>, u16);
    impl fmt::Display for Name {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.0 {
                Some(name) => f.write_str(name),
                None => write!(f, "unknown ({:x}h)", self.1),
            }
        }
    }
    writeln!(
        f,
        "\t\tEFI: Signature {}, Subsystem: {}, Machine: {}",
        if efi.has_signature() { "Valid" } else { "Invalid" },
        Name(efi.subsystem.name(), efi.subsystem.0),
        Name(efi.machine.name(), efi.machine.0),
    )?;
    writeln!(
        f,
        "\t\tEFI: Compression: {}, image offset {:x}h",
        Name(efi.compression.name(), efi.compression.0),
        efi.image_offset
    )
}

fn write_driver(f: &mut fmt::Formatter<'_>, driver: Result<Driver<'_>>) -> fmt::Result {
    write!(f, "\t\tEFI: Driver: ")?;
    let driver = match driver {
        Ok(driver) => driver,
        Err(error) => return writeln!(f, "none that can be read: {error}"),
    };
    let Some(pe) = driver.pe() else { return writeln!(f) };
    write!(f, "{} of ", if pe.is_plus { "PE32+" } else { "PE32" })?;
    match driver.compression {
        // Without the image's padding.
        None => write!(f, "{:x}h bytes", pe.end())?,
        Some(variant) => {
            let name = match variant {
                Variant::Uefi => "UEFI",
                Variant::Tiano => "TIANO: no firmware decompresses it",
            };
            write!(f, "{:x}h bytes, decompressed from {:x}h ({name})", driver.bytes.len(), driver.stored)?;
        }
    }
    match pe.certificate_table() {
        Some(place) => writeln!(f, ", signed ({:x}h bytes, not verified)", place.length),
        None => writeln!(f, ", not signed"),
    }
}

fn write_stop(f: &mut fmt::Formatter<'_>, chain: &Chain<'_>, place: Place) -> fmt::Result {
    // Behind the firmware's last image, the lack of NVIDIA's private ones is no news.
    let complete = chain.images().last().is_some_and(|image| image.structure().indicator.is_last());
    match chain.stop() {
        Stop::LastImage => Ok(()),
        Stop::EndOfFile { .. } if complete => {
            writeln!(f, "The file ends before the private images")
        }
        Stop::EndOfFile { .. } if place == Place::Vfct => {
            writeln!(f, "The chain continues on the card itself: VFCT tables hold its first image only")
        }
        Stop::EndOfFile { offset } => {
            writeln!(f, "The chain continues past the end of the file, at {offset:x}h")
        }
        Stop::ZeroLength { offset } => {
            writeln!(f, "The image at {offset:x}h has no length: the chain ends there")
        }
        Stop::NotAnImage(error) => writeln!(f, "The chain should continue at {:x}h: {error}", chain.end()),
    }
}

/// What is said behind a length of 0.
const NO_LENGTH: &str = ": none, the header is damaged";

fn write_legacy(f: &mut fmt::Formatter<'_>, legacy: &LegacyImage<'_>) -> fmt::Result {
    writeln!(f, "Valid ROM signature found @0h, no PCIR: an ISA ROM from before PCI")?;
    expansion::text::write_headers(f, legacy.bytes())?;
    write!(f, "\tImage length: {:x}h", legacy.length())?;
    match legacy.sum() {
        _ if legacy.length() == 0 => writeln!(f, "{NO_LENGTH}"),
        _ if legacy.is_truncated() => {
            writeln!(f, ", but the file has only {:x}h of it", legacy.bytes().len())
        }
        0 => writeln!(f, ", checksum good"),
        sum => writeln!(f, ", checksum {sum:02x}h (some adapters fill it in when flashed)"),
    }
}

fn write_data(f: &mut fmt::Formatter<'_>, data: &Data<'_>) -> fmt::Result {
    let (begin, length) = (data.offset, data.bytes.len());
    // A heading begins with a capital.
    match data.content() {
        Content::Padding(byte) => write!(f, "Padding ({byte:02x})")?,
        Content::Certificate => write!(f, "Certificate")?,
        Content::Unknown => write!(f, "Other data")?,
        named => write!(f, "{named}")?,
    }
    write!(f, " @{begin:x}h, length {length:x}h")?;
    match data.ifr() {
        Some(ifr) => match ifr.image_offset(data.bytes) {
            Some(at) => writeln!(f, ", IFR version {}: the ROM begins at {:x}h", ifr.version, begin + at),
            None => writeln!(f, ", IFR version {}", ifr.version),
        },
        None => writeln!(f),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::pe::PeSpec;
    use crate::testing::{ImageSpec, NpdeSpec};

    fn lines(file: &[u8]) -> String {
        info(&Rom::parse(file).unwrap()).to_string()
    }

    #[test]
    fn the_lines_of_rom_parser_are_there() {
        let pc_at = ImageSpec { class: [1, 4, 0], ..ImageSpec::pc_at(0x1b21, 0x0612) };
        let efi = ImageSpec {
            last: true,
            devices: vec![0x611, 0x612],
            run_time_blocks: 1,
            ..ImageSpec::efi(0x1b21, 0x0612)
        };
        assert_eq!(
            lines(&[pc_at.build(), efi.build()].concat()),
            "Valid ROM signature found @0h, PCIR offset 1ch\n\
             \tPCIR: type 0 (x86 PC-AT), vendor: 1b21, device: 0612, class: 010400\n\
             \tPCIR: revision 0, vendor revision: 420\n\
             \tImage length: 400h, checksum good\n\
             Valid ROM signature found @400h, PCIR offset 1ch\n\
             \tPCIR: type 3 (EFI), vendor: 1b21, device: 0612, class: 030000\n\
             \tPCIR: revision 3, vendor revision: 420\n\
             \t\tEFI: Signature Valid, Subsystem: Boot, Machine: X64\n\
             \t\tEFI: Compression: none, image offset 100h\n\
             \t\tEFI: Driver: PE32+ of 140h bytes, not signed\n\
             \tDevice list: 0611 0612\n\
             \tImage length: 400h, at most 200h at run time\n\
             \tLast image\n"
        );
    }

    #[test]
    fn a_driver_is_described_or_why_there_is_none() {
        let driver = PeSpec { signature: vec![0x30; 16], ..PeSpec::driver() }.build();
        let with = |compression: u8, driver: Vec<u8>| {
            let mut rom = ImageSpec { last: true, driver, ..ImageSpec::efi(1, 2) }.build();
            rom[0x0c] = compression;
            let lines = lines(&rom);
            let line = lines.lines().find_map(|line| line.strip_prefix("\t\tEFI: Driver: "));
            line.unwrap().to_string()
        };
        assert_eq!(with(0, driver.clone()), "PE32+ of 150h bytes, signed (10h bytes, not verified)");
        assert_eq!(
            with(0, vec![0; 8]),
            "none that can be read: the EFI driver at offset 0x100 is no PE file"
        );
        for (variant, name) in
            [(Variant::Uefi, "(UEFI)"), (Variant::Tiano, "(TIANO: no firmware decompresses it)")]
        {
            let stream = crate::compression::compress(&driver, variant).unwrap();
            let expected = format!(
                "PE32+ of 150h bytes, decompressed from {:x}h {name}, signed (10h bytes, not verified)",
                stream.len()
            );
            assert_eq!(with(1, stream), expected);
        }
    }

    #[test]
    fn what_rom_parser_called_an_error_is_explained() {
        let file = ImageSpec::pc_at(1, 2).build();
        assert!(lines(&file).ends_with("The chain continues past the end of the file, at 400h\n"));
        let file = [file, vec![0xff; BLOCK]].concat();
        assert!(lines(&file).ends_with(
            "The chain should continue at 400h: invalid ROM header signature at offset 0x400: \
             expecting 55 aa, got ff ff\nPadding (ff) @400h, length 200h\n"
        ));
    }

    #[test]
    fn nvidia_s_two_kinds_of_last_are_told_apart() {
        let file = ImageSpec {
            last: true,
            npde: Some(NpdeSpec { blocks: 2, last: false }),
            ..ImageSpec::efi(0x10de, 1)
        }
        .build();
        assert!(lines(&file).ends_with(
            "\tLast image (for firmware; by NVIDIA's NPDE private images follow)\n\
             The file ends before the private images\n"
        ));
    }

    #[test]
    fn nvidia_s_parts_are_named() {
        let mut container = vec![0xee; BLOCK];
        container[..12].copy_from_slice(b"NVGI\xf4\x01\x10\x80\x80\0\0\0");
        container[0x14..0x18].copy_from_slice(&512u32.to_le_bytes());
        let mut rom = ImageSpec { last: true, ..ImageSpec::pc_at(0x10de, 1) }.build();
        crate::nvidia::bit::tests::put(&mut rom, [0x86, 6, 0x63, 0, 0x46], "Version 86.06.63.00.47 ");
        let mut inforom = ImageSpec { code_type: 0x70, last: true, ..ImageSpec::pc_at(0x10de, 0) }.build();
        inforom[BLOCK..BLOCK + 4].copy_from_slice(b"JFFS");
        let lines = lines(&[container, rom.clone(), vec![0xff; BLOCK], rom, inforom].concat());
        for line in [
            "NVIDIA flash container (NVGI) @0h, length 200h, IFR version 1: the ROM begins at 200h\n",
            "\tNVIDIA video BIOS: version 86.06.63.00.46, built 10/04/17, but its text says 86.06.63.00.47\n",
            "Copy of the images @200h, the same in every byte:\nValid ROM signature found @800h",
            "\tNVIDIA InfoROM @200h of the image\n",
        ] {
            assert!(lines.contains(line), "{line} in {lines}");
        }
    }

    #[test]
    fn intel_s_directory_is_named() {
        let mut rom = ImageSpec { last: true, ..ImageSpec::efi(0x8086, 0x56a0) }.build();
        rom[0x1a..0x1c].copy_from_slice(&[0, 2]);
        rom[0x200..0x204].copy_from_slice(b"$CPD");
        assert!(lines(&rom).contains("\tIntel code partition directory ($CPD) @200h of the image\n"));
    }

    #[test]
    fn an_isa_rom_is_described_too() {
        let mut file = vec![0; BLOCK];
        file[..4].copy_from_slice(&[0x55, 0xaa, 1, 0]);
        assert_eq!(
            lines(&file),
            "Valid ROM signature found @0h, no PCIR: an ISA ROM from before PCI\n\
             \tImage length: 200h, checksum good\n"
        );
    }

    #[test]
    fn a_length_of_0_is_no_checksum_and_no_short_file() {
        let image = ImageSpec { blocks: 0, ..ImageSpec::pc_at(1, 2) }.build();
        for file in [image, vec![0x55, 0xaa, 0, 0xcb]] {
            let lines = info(&Rom::parse(&file).unwrap()).to_string();
            assert!(lines.contains("\tImage length: 0h: none, the header is damaged\n"), "{lines}");
        }
    }
}
