use super::*;
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
    assert_eq!(with(2, 1), [("initialization-size", 0)]);

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
    assert_eq!(ids(&file), []);
    file[9] = 1;
    assert_eq!(ids(&file), [("legacy-checksum", 0)]);
    file[2] = 2;
    assert_eq!(ids(&file), [("truncated", 0)]);
    file[2] = 0;
    assert_eq!(ids(&file), [("zero-length", 0), ("other-data", 0)]);
}

#[test]
fn a_finding_reads_as_one_line() {
    let mut file = last(ImageSpec::pc_at(1, 2)).build();
    file[0x300] = file[0x300].wrapping_add(3);
    let found = findings(&Rom::parse(&file).unwrap());
    assert_eq!(found[0].to_string(), "defect @0h: the image sums to 03h instead of 00h");
}
