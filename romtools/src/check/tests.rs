use super::*;
use crate::compression::{self, Variant};
use crate::testing::pe::PeSpec;
use crate::testing::{ImageSpec, NpdeSpec, PCIR};

fn ids(file: &[u8]) -> Vec<(&'static str, usize)> {
    findings(&Rom::parse(file).unwrap()).iter().map(|f| (f.problem().id(), f.offset())).collect()
}

fn last(spec: ImageSpec) -> ImageSpec {
    ImageSpec { last: true, ..spec }
}

/// The checksum of a PC-AT image, corrected after an edit.
fn summed(mut image: Vec<u8>) -> Vec<u8> {
    let end = image.len() - 1;
    image[end] = image[end].wrapping_sub(crate::checksum::sum(&image));
    image
}

#[test]
fn a_good_rom_has_no_findings() {
    let file =
        [ImageSpec::pc_at(0x1002, 1).build(), last(ImageSpec::efi(0x1002, 1)).build(), vec![0xff; 700]];
    assert_eq!(ids(&file.concat()), []);
}

#[test]
fn a_changed_byte_is_a_defect_only_where_a_checksum_is_due() {
    let mut file = [ImageSpec::pc_at(1, 2).build(), last(ImageSpec::efi(1, 2)).build()].concat();
    file[0x700] ^= 1;
    assert_eq!(ids(&file), []);
    file[0x300] ^= 1;
    assert_eq!(ids(&file), [("checksum", 0)]);
}

#[test]
fn what_firmware_refuses_of_an_efi_image() {
    let good = last(ImageSpec::efi(1, 2)).build();
    let with = |at: usize, byte: u8| {
        let mut file = good.clone();
        file[at] = byte;
        ids(&file)
    };
    assert_eq!(with(4, 0), [("efi-signature", 0)]);
    assert_eq!(with(2, 3), [("efi-initialization-size", 0)]);
    assert_eq!(with(0x17, 4), [("efi-image-offset", 0)]);
    assert_eq!(with(0x0c, 2), [("efi-compression", 0)]);
    assert_eq!(with(8, 0x0a), [("efi-subsystem", 0)]);
}

/// A ROM with this at its image offset, 100h.
fn with_driver(driver: Vec<u8>) -> Vec<u8> {
    last(ImageSpec { driver, blocks: 4, ..ImageSpec::efi(1, 2) }).build()
}

fn compressed(driver: &[u8], variant: Variant) -> Vec<u8> {
    let mut rom = with_driver(compression::compress(driver, variant).unwrap());
    rom[0x0c] = 1;
    rom
}

#[test]
fn a_good_driver_has_no_findings_however_it_is_stored() {
    for headers in [0x40, 0x88, 0x200] {
        let driver = PeSpec { headers, signature: vec![0x30; 24], ..PeSpec::driver() }.build();
        assert_eq!(ids(&with_driver(driver.clone())), []);
        assert_eq!(ids(&compressed(&driver, Variant::Uefi)), []);
    }
}

#[test]
fn what_firmware_refuses_of_a_driver() {
    let driver = PeSpec::driver().build();
    assert_eq!(ids(&compressed(&driver, Variant::Tiano)), [("efi-tiano", 0x100)]);
    assert_eq!(ids(&with_driver(b"no PE file".to_vec())), [("efi-no-pe", 0x100)]);
    assert_eq!(ids(&compressed(&vec![7; 300], Variant::Uefi)), [("efi-no-pe", 0x100)]);
    let arm = PeSpec { machine: 0xaa64, ..PeSpec::driver() }.build();
    assert_eq!(ids(&compressed(&arm, Variant::Uefi)), [("efi-machine", 0x100)]);
    for (subsystem, severity) in [(0x0a, Severity::Warning), (0x0c, Severity::Warning), (3, Severity::Defect)]
    {
        let rom = with_driver(PeSpec { subsystem, ..PeSpec::driver() }.build());
        let found = findings(&Rom::parse(&rom).unwrap());
        assert_eq!((found[0].problem().id(), found[0].severity()), ("efi-driver-subsystem", severity));
        assert_eq!(found.len(), 1);
    }
    // The header is what firmware looks at first: one verdict.
    let mut application = with_driver(driver.clone());
    application[8] = 0x0a;
    assert_eq!(ids(&application), [("efi-subsystem", 0)]);
}

#[test]
fn a_damaged_stream_is_told_with_its_place() {
    let driver = PeSpec { code: (0..=255).collect(), ..PeSpec::driver() }.build();
    let good = compressed(&driver, Variant::Uefi);
    let with = |at: usize, bytes: &[u8]| {
        let mut rom = good.clone();
        rom[at..at + bytes.len()].copy_from_slice(bytes);
        ids(&rom)
    };
    // More bytes than the image has, more than the limit, and a code that is none.
    assert_eq!(with(0x101, &[0x7f]), [("efi-decompression", 0x108)]);
    assert_eq!(with(0x107, &[0x01]), [("efi-decompression", 0x104)]);
    let broken = with(0x10a, &[0xff; 4]);
    assert!(matches!(broken[..], [("efi-decompression", 0x109..0x120)]), "{broken:x?}");
}

#[test]
fn a_stream_that_goes_on_behind_its_length_is_a_note() {
    let driver = [PeSpec::driver().build(), vec![7; 300]].concat();
    let mut rom = compressed(&driver, Variant::Uefi);
    rom[0x104..0x108].copy_from_slice(&(driver.len() as u32 - 2).to_le_bytes());
    assert_eq!(ids(&rom), [("efi-beyond", 0x100)]);
    assert_eq!(findings(&Rom::parse(&rom).unwrap())[0].severity(), Severity::Note);
}

#[test]
fn what_is_wrong_inside_of_a_driver_is_told_with_its_place() {
    let spec = PeSpec { signature: vec![0x30; 16], ..PeSpec::driver() };
    let mut driver = spec.build();
    let section = spec.section_table();
    driver[section + 18] = 1;
    assert_eq!(ids(&with_driver(driver.clone())), [("pe-section-data", 0x100 + section)]);
    // In a compressed one, there is no such place in the file.
    assert_eq!(ids(&compressed(&driver, Variant::Uefi)), [("pe-section-data", 0x100)]);
    let mut driver = spec.build();
    driver.pop();
    assert_eq!(ids(&compressed(&driver, Variant::Uefi)), [("pe-certificate-table", 0x100)]);
    let found = findings(&Rom::parse(&compressed(&driver, Variant::Uefi)).unwrap())[0];
    assert_eq!(
        found.to_string(),
        format!(
            "defect @100h: the EFI driver is broken: its signature ends at {:x}h, and there are only {:x}h bytes",
            driver.len() + 1,
            driver.len()
        )
    );
}

#[test]
fn odd_structures_are_warnings() {
    let good = last(ImageSpec::pc_at(1, 2)).build();
    let with = |at: usize, byte: u8| {
        let mut file = good.clone();
        file[at] = byte;
        ids(&summed(file))
    };
    assert_eq!(with(PCIR + 0x0c, 1), [("structure-form", PCIR)]);
    assert_eq!(with(PCIR + 0x15, 0x81), [("reserved-indicator", PCIR)]);
    assert_eq!(with(PCIR + 0x0b, 0x80), [("structure-outside", PCIR), ("structure-form", PCIR)]);
    assert_eq!(with(2, 1), [("initialization-sum", 0)]);

    let mut unaligned = good.clone();
    unaligned.copy_within(PCIR..PCIR + 0x18, PCIR + 1);
    unaligned[0x18] += 1;
    assert_eq!(ids(&summed(unaligned)), [("unaligned", PCIR + 1)]);

    let mut list = last(ImageSpec { devices: vec![7], ..ImageSpec::efi(1, 2) }).build();
    list[PCIR + 9] = 0x7f;
    assert_eq!(ids(&list), [("device-list", PCIR)]);
}

#[test]
fn how_a_chain_ends_decides_what_is_said() {
    let image = ImageSpec::pc_at(1, 2).build();
    assert_eq!(ids(&image), [("continues-past-end", image.len())]);
    assert_eq!(ids(&image[..0x3ff]), [("truncated", 0)]);
    let padded = [&image[..], &[0xff; 512]].concat();
    assert_eq!(ids(&padded), [("continues-without", image.len())]);
    let zero = ImageSpec { blocks: 0, ..ImageSpec::efi(1, 2) }.build();
    assert!(ids(&zero).contains(&("zero-length", 0)));
    let behind = [last(ImageSpec::pc_at(1, 2)).build(), last(ImageSpec::pc_at(1, 2)).build()].concat();
    assert_eq!(ids(&behind), [("behind-last", image.len())]);
    let nvidia =
        last(ImageSpec { npde: Some(NpdeSpec { blocks: 2, last: false }), ..ImageSpec::pc_at(0x10de, 1) });
    assert_eq!(ids(&nvidia.build()), [("no-private-images", image.len())]);
}

#[test]
fn data_around_the_chain() {
    let rom = last(ImageSpec::pc_at(1, 2)).build();
    let mut container = vec![0; 512];
    container[..4].copy_from_slice(b"NVGI");
    let tail = b"-----BEGIN CERTIFICATE-----".to_vec();
    assert_eq!(
        ids(&[container, rom.clone(), tail].concat()),
        [("container", 0), ("other-data", 512 + rom.len())]
    );
    assert_eq!(ids(&[vec![0xff; 512], rom].concat()), [("leading-data", 0)]);
}

#[test]
fn a_container_that_leads_elsewhere_is_told() {
    let rom = last(ImageSpec::pc_at(0x10de, 2)).build();
    let mut container = vec![0xee; 512];
    container[..12].copy_from_slice(b"NVGI\xf4\x01\x10\x80\x80\0\0\0");
    let leading_to = |offset: u32| {
        let mut container = container.clone();
        container[0x14..0x18].copy_from_slice(&offset.to_le_bytes());
        ids(&[container, rom.clone()].concat())
    };
    assert_eq!(leading_to(512), [("container", 0)]);
    assert_eq!(leading_to(1024), [("container", 0), ("container-pointer", 0)]);
}

#[test]
fn two_versions_in_one_video_bios_are_told() {
    let rom = |text| {
        let mut rom = last(ImageSpec::pc_at(0x10de, 2)).build();
        crate::nvidia::bit::tests::put(&mut rom, [0x86, 6, 0x63, 0, 0x46], text);
        ids(&summed(rom))
    };
    assert_eq!(rom("Version 86.06.63.00.46 "), []);
    assert_eq!(rom("Version 86.06.63.00.47 "), [("nvidia-version", 0x100)]);
}

#[test]
fn ids_that_cannot_be_meant_are_warnings() {
    assert_eq!(ids(&last(ImageSpec::efi(0x03ea, 0x0668)).build()), [("decimal-ids", PCIR)]);
    assert_eq!(ids(&last(ImageSpec::efi(0x1002, 0xffff)).build()), [("no-device-id", PCIR)]);
    assert_eq!(ids(&last(ImageSpec::efi(0, 0)).build()), []);
}

#[test]
fn isa_roms_are_judged_mildly() {
    let mut file = vec![0; 512];
    file[..4].copy_from_slice(&[0x55, 0xaa, 1, 0]);
    assert_eq!(ids(&file), [("no-structure", 0)]);
    file[9] = 1;
    assert_eq!(ids(&file), [("legacy-checksum", 0), ("no-structure", 0)]);
    file[2] = 2;
    assert_eq!(ids(&file), [("truncated", 0), ("no-structure", 0)]);
    file[2] = 0;
    assert_eq!(ids(&file), [("zero-length", 0), ("no-structure", 0), ("other-data", 0)]);
}

#[test]
fn a_finding_reads_as_one_line() {
    let mut file = last(ImageSpec::pc_at(1, 2)).build();
    file[0x300] = file[0x300].wrapping_add(3);
    let found = findings(&Rom::parse(&file).unwrap());
    assert_eq!(found[0].to_string(), "defect @0h: the image sums to 03h instead of 00h");
}
