use super::*;
use crate::checksum::Verdict;
use crate::header::Header;
use crate::testing::{self, ImageSpec, NpdeSpec};
use crate::{Severity, Stop, check};

mod properties;

/// The headers of a driver for X64, and nothing behind them.
fn driver(length: usize) -> Vec<u8> {
    testing::pe(0x8664, 0x0b, length)
}

fn efi(file: &[u8]) -> Part<'_> {
    Part::Efi { file, compress: false }
}

/// An ISA ROM as an assembler leaves it: no checksum, nothing at 18h.
fn isa(length: usize) -> Vec<u8> {
    let mut code = vec![0x90; length];
    code[..0x1c].fill(0);
    code[..6].copy_from_slice(&[0x55, 0xaa, length.div_ceil(BLOCK) as u8, 0xe9, 0x20, 0]);
    code
}

fn sound(rom: &[u8]) -> Rom<'_> {
    let rom = Rom::parse(rom).unwrap();
    assert_eq!(check::findings(&rom), []);
    assert_eq!((rom.chains().len(), rom.chains()[0].stop()), (1, Stop::LastImage));
    rom
}

#[test]
fn a_driver_is_laid_out_as_efirom_does_it() {
    let file = driver(0x400);
    let rom = Builder::new(0x1234, vec![0x1111])
        .class_code(ClassCode { base: 3, sub: 1, programming_interface: 2 })
        .vendor_rom_revision(0x0420)
        .part(efi(&file))
        .build()
        .unwrap();
    assert_eq!(rom.len(), 3 * BLOCK);
    // Header by header, from the UEFI specification, table 14-25, and edk2's EfiRom.
    assert_eq!(rom[..0x0e], *b"\x55\xaa\x03\x00\xf1\x0e\x00\x00\x0b\x00\x64\x86\x00\x00");
    assert_eq!(rom[0x0e..0x1c], *b"\0\0\0\0\0\0\0\0\x38\x00\x1c\x00\0\0");
    assert_eq!(
        rom[0x1c..0x38],
        *b"PCIR\x34\x12\x11\x11\0\0\x1c\0\x03\x02\x01\x03\x03\0\x20\x04\x03\x80\0\0\0\0\0\0"
    );
    assert_eq!(rom[0x38..0x438], file);
    assert!(rom[0x438..].iter().all(|&byte| byte == 0xff));
    sound(&rom);
}

#[test]
fn the_older_structure_has_18h_bytes_and_no_list() {
    let file = driver(0x200);
    let builder = Builder::new(1, vec![2]).revision(Revision::Revision0);
    let rom = builder.clone().part(efi(&file)).build().unwrap();
    assert_eq!(rom[0x1c..0x34], *b"PCIR\x01\0\x02\0\0\0\x18\0\0\0\0\0\x02\0\0\0\x03\x80\0\0");
    sound(&rom);
    let error = Builder { device_ids: vec![2, 3], ..builder }.part(efi(&file)).build();
    assert_eq!(error, Err(Error::ListNeedsRevision3 { devices: 2 }));
}

#[test]
fn a_compressed_driver_comes_out_again() {
    use crate::compression::{Variant, decompress};
    let file = [driver(0x400), b"the same again and again ".repeat(400)].concat();
    let rom = Builder::new(1, vec![2]).part(Part::Efi { file: &file, compress: true }).build().unwrap();
    assert!(rom.len() < file.len() / 4);
    let parsed = sound(&rom);
    let Header::Efi(header) = parsed.images().next().unwrap().header() else { panic!() };
    assert_eq!(header.compression.name(), Some("UEFI"));
    let stream = &rom[usize::from(header.image_offset)..];
    assert_eq!(decompress(stream, Variant::Uefi).unwrap(), file);
}

#[test]
fn several_devices_are_listed_behind_the_structure() {
    let file = driver(0x200);
    let ids = [0x0612, 0x0611, 0x0601];
    let rom = Builder::new(0x1b21, ids.to_vec()).part(efi(&file)).build().unwrap();
    assert_eq!(rom[0x38..0x40], *b"\x12\x06\x11\x06\x01\x06\0\0");
    let rom = sound(&rom);
    let pcir = *rom.images().next().unwrap().structure();
    assert_eq!((pcir.device_id, pcir.device_list_pointer), (0x0612, 0x1c));
    assert!(ids.iter().all(|&id| pcir.is_for(0x1b21, id)));
}

#[test]
fn only_the_last_image_says_so() {
    let (file, code) = (driver(0x200), isa(0x300));
    let builder = Builder::new(1, vec![2]).part(Part::Legacy(&code)).part(efi(&file)).part(efi(&file));
    let rom = builder.build().unwrap();
    let rom = sound(&rom);
    let last: Vec<_> = rom.images().map(|image| image.structure().indicator.0).collect();
    assert_eq!(last, [0, 0, 0x80]);
    let rom = builder.last(false).build().unwrap();
    assert_eq!(Rom::parse(&rom).unwrap().chains()[0].stop(), Stop::EndOfFile { offset: rom.len() });
}

#[test]
fn an_isa_rom_gets_a_structure_behind_its_code() {
    for length in [0x1fe, 0x200, 0x201, 0x3f0] {
        let code = isa(length);
        let rom = Builder::new(1, vec![2, 3]).part(Part::Legacy(&code)).build().unwrap();
        let parsed = sound(&rom);
        let image = parsed.images().next().unwrap();
        assert_eq!(image.checksum(), Verdict::Good);
        let Header::PcAt(header) = image.header() else { panic!() };
        assert_eq!(usize::from(header.initialization_size) * BLOCK, rom.len());
        assert_eq!(usize::from(image.structure().pointer), length.next_multiple_of(4));
        assert_eq!(rom[0x1a..length], code[0x1a..], "the code stays where it was assembled for");
        assert_eq!(image.structure().device_list().collect::<Vec<_>>(), [2, 3]);
    }
}

#[test]
fn a_legacy_image_gets_the_ids_and_keeps_its_class() {
    let old = ImageSpec { class: [1, 4, 0], last: true, ..ImageSpec::pc_at(0x1b21, 0x0612) }.build();
    // Padding behind it is no part of it.
    let file = [old.clone(), vec![0xff; 100]].concat();
    let rom = Builder::new(0x1234, vec![0x5678]).part(Part::Legacy(&file)).build().unwrap();
    let pcir = *sound(&rom).images().next().unwrap().structure();
    assert_eq!((pcir.vendor_id, pcir.device_id, pcir.vendor_rom_revision), (0x1234, 0x5678, 0x0420));
    assert_eq!(pcir.class_code.to_string(), "010400");
    assert_eq!(rom.len(), old.len());
    let other = [old, b"something".to_vec()].concat();
    let error = Builder::new(1, vec![2]).part(Part::Legacy(&other)).build();
    assert_eq!(error, Err(Error::OtherData { part: 0, offset: 0x400 }));
}

#[test]
fn finished_images_only_change_in_last() {
    let one = ImageSpec { last: true, ..ImageSpec::pc_at(1, 2) }.build();
    let two = ImageSpec { last: true, ..ImageSpec::efi(3, 4) }.build();
    let builder = Builder::new(0, vec![]).part(Part::Images(&one)).part(Part::Images(&two));
    let rom = builder.build().unwrap();
    let parsed = sound(&rom);
    let ids: Vec<_> = parsed.images().map(|image| image.structure().device_id).collect();
    assert_eq!(ids, [2, 4]);
    let differing = rom.iter().zip([one, two].concat()).filter(|(a, b)| *a != b).count();
    assert_eq!(differing, 2, "the last-image bit and the checksum of the first");
}

#[test]
fn nvidia_s_private_images_stay_behind_firmware_s_last() {
    let npde = |last| Some(NpdeSpec { blocks: 2, last });
    let chain = [
        ImageSpec { npde: npde(false), ..ImageSpec::pc_at(0x10de, 1) },
        ImageSpec { npde: npde(false), last: true, ..ImageSpec::efi(0x10de, 1) },
        ImageSpec { npde: npde(true), code_type: 0xe0, last: true, ..ImageSpec::pc_at(0x10de, 1) },
    ];
    let chain: Vec<u8> = chain.iter().flat_map(ImageSpec::build).collect();
    let rom = Builder::new(0, vec![]).part(Part::Images(&chain)).build().unwrap();
    assert_eq!(rom, chain, "it was right before");
}

#[test]
fn what_cannot_be_an_image_says_why() {
    let build = |part| Builder::new(1, vec![2]).part(part).build();
    assert_eq!(build(efi(b"no PE file")), Err(Error::NotPe { part: 0 }));
    let application = testing::pe(0x8664, 0x0a, 0x200);
    assert_eq!(build(efi(&application)), Err(Error::NotADriver { part: 0, subsystem: 0x0a }));
    let mut occupied = isa(0x200);
    occupied[0x18] = 7;
    assert_eq!(build(Part::Legacy(&occupied)), Err(Error::PointerOccupied { part: 0, found: 7 }));
    assert!(matches!(build(Part::Legacy(b"no ROM")), Err(Error::NotAnImage { .. })));
    let other = ImageSpec::efi(1, 2).build();
    assert!(matches!(build(Part::Legacy(&other)), Err(Error::NotLegacy { .. })));
    assert!(matches!(build(Part::Images(&other[..0x300])), Err(Error::Truncated { .. })));
    assert_eq!(Builder::new(1, vec![2]).build(), Err(Error::Empty));
    let file = driver(0x200);
    assert_eq!(Builder::new(1, vec![]).part(efi(&file)).build(), Err(Error::NoDevice));
    let large = driver(MAXIMUM_SIZE);
    assert!(matches!(build(efi(&large)), Err(Error::TooLarge { .. })));
    let huge = driver(40 << 20);
    assert!(matches!(build(efi(&huge)), Err(Error::ImageTooLong { .. })));
    let long = isa(0xfffe);
    assert_eq!(build(Part::Legacy(&long)), Err(Error::PointerOutOfReach { part: 0, length: 0xfffe }));
    for error in [build(efi(b"")).unwrap_err(), build(Part::Images(&long)).unwrap_err()] {
        assert!(!error.to_string().is_empty() && !error.advice().is_empty());
    }
}

#[test]
fn no_defect_is_ever_built() {
    let file = driver(0x123);
    let code = isa(0x777);
    let rom = Builder::new(1, vec![2]).part(Part::Legacy(&code)).part(efi(&file)).build().unwrap();
    assert!(check::findings(&Rom::parse(&rom).unwrap()).iter().all(|f| f.severity() < Severity::Defect));
}

#[test]
fn a_checksum_that_is_right_by_chance_stays_right() {
    // Its ids were changed and its checksum was not: with these ids it sums to zero again, until "last" is set.
    let mut image = ImageSpec::pc_at(0x1234, 0x1111).build();
    image[testing::PCIR + 4..testing::PCIR + 8].copy_from_slice(&[7, 0, 8, 0]);
    let rom = Builder::new(0x1234, vec![0x1111]).part(Part::Legacy(&image)).build().unwrap();
    assert_eq!(sound(&rom).images().next().unwrap().checksum(), Verdict::Good);
}
