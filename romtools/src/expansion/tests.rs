//! Headers written by hand, and what is wrong with damaged ones.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::testing::ImageSpec;
use crate::{Problem as Found, Rom, check, text};

/// Where the first header is.
const AT: usize = 0x80;

/// A `$PnP` header that sums to zero.
fn header(next: u16) -> [u8; LENGTH] {
    let mut bytes =
        *b"$PnP\x01\x02\0\0\0\0\x41\xd0\x0c\x31\xc0\0\xd0\0\x02\0\x01\xf4\0\x02\x10\x02\x20\x02\0\0\0\0";
    bytes[6..8].copy_from_slice(&next.to_le_bytes());
    bytes[9] = 0u8.wrapping_sub(crate::checksum::sum(&bytes));
    bytes
}

/// A PC-AT image with these headers and two names, summing to zero.
fn image(headers: &[(usize, [u8; LENGTH])]) -> Vec<u8> {
    let mut image = ImageSpec { last: true, ..ImageSpec::pc_at(0x8086, 0x100e) }.build();
    let first = headers.first().map_or(0, |(at, _)| *at);
    put(&mut image, 0x1a, &(first as u16).to_le_bytes());
    put(&mut image, 0xc0, b"Maker\0");
    put(&mut image, 0xd0, b"Thing 1.0\0");
    for (at, header) in headers {
        put(&mut image, *at, header);
    }
    summed(image)
}

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..at + bytes.len()].copy_from_slice(bytes);
}

fn summed(mut image: Vec<u8>) -> Vec<u8> {
    let end = image.len() - 1;
    image[end] = image[end].wrapping_sub(crate::checksum::sum(&image));
    image
}

fn problems(file: &[u8]) -> Vec<(usize, &'static str)> {
    let findings = check::findings(&Rom::parse(file).unwrap());
    findings.iter().map(|finding| (finding.offset(), finding.problem().id())).collect()
}

#[test]
fn every_field_is_where_the_specification_has_it() {
    let image = image(&[(AT, header(0))]);
    let header = Headers::new(&image).next().unwrap();
    assert_eq!((header.offset, header.revision, header.length, header.next_header), (0x80, 1, 2, 0));
    assert_eq!(header.device_id.to_string(), "PNP0C31");
    assert_eq!(header.manufacturer_name(), Some(&b"Maker"[..]));
    assert_eq!(header.product_name(), Some(&b"Thing 1.0"[..]));
    assert_eq!(header.device_type.to_string(), "020001");
    assert_eq!(header.vectors().map(|(_, vector)| vector), [0x200, 0x210, 0x220, 0]);
    assert_eq!(header.sum(), Some(0));
    let indicators = header.indicators;
    assert!(indicators.device_driver_initialization_model() && indicators.may_be_shadowed());
    assert!(indicators.is_read_cacheable() && indicators.only_for_boot());
    assert!(indicators.is_initial_program_load_device());
    assert!(!indicators.is_input_device() && !indicators.is_display_device());
    assert_eq!(problems(&image), []);
}

#[test]
fn headers_are_followed_in_either_direction() {
    let image = image(&[(0xa0, header(0x80)), (0x80, header(0xe0)), (0xe0, header(0))]);
    let offsets: Vec<_> = Headers::new(&image).map(|header| header.offset).collect();
    assert_eq!(offsets, [0xa0, 0x80, 0xe0]);
    assert_eq!(Headers::new(&image).into_stop(), Stop::End);
    assert_eq!(problems(&image), []);
}

#[test]
fn a_ring_of_headers_is_walked_once_and_told() {
    for (headers, ring) in [
        (vec![(0x80, header(0x80))], 0x80),
        (vec![(0x80, header(0xa0)), (0xa0, header(0x80))], 0x80),
        (vec![(0x80, header(0xa0)), (0xa0, header(0xe0)), (0xe0, header(0xa0))], 0xa0),
    ] {
        let image = image(&headers);
        assert_eq!(Headers::new(&image).count(), headers.len());
        assert_eq!(Headers::new(&image).into_stop(), Stop::Loop { pointer: ring });
        let last = headers.last().unwrap().0;
        assert_eq!(problems(&image), [(last, "pnp-loop")]);
    }
}

#[test]
fn a_next_header_that_is_none_ends_the_walk() {
    let nowhere = image(&[(AT, header(0xfff0))]);
    assert_eq!(Headers::new(&nowhere).into_stop(), Stop::Outside { pointer: 0xfff0 });
    assert_eq!(problems(&nowhere), [(AT, "pnp-outside")]);
    let other = image(&[(AT, header(0xd0))]);
    assert_eq!(Headers::new(&other).into_stop(), Stop::NotPnp { pointer: 0xd0, found: *b"Thin" });
    assert_eq!(problems(&other), [(AT, "not-pnp")]);
    let mut cut = image(&[(AT, header(0x3f0))]);
    put(&mut cut, 0x3f0, b"$PnP");
    assert_eq!(Headers::new(&cut).into_stop(), Stop::Outside { pointer: 0x3f0 });
}

#[test]
fn more_headers_than_any_rom_has_are_left_out() {
    let mut image = ImageSpec { blocks: 8, last: true, ..ImageSpec::pc_at(1, 2) }.build();
    put(&mut image, 0x1a, &[0, 2]);
    put(&mut image, 0xc0, &[0; 0x20]);
    for at in (0x200..0xff0u16).step_by(0x20) {
        put(&mut image, at.into(), &header(at + 0x20));
    }
    assert_eq!(Headers::new(&image).count(), MOST_HEADERS);
    assert!(matches!(Headers::new(&image).into_stop(), Stop::TooMany { .. }));
    assert!(problems(&summed(image)).iter().any(|(_, id)| *id == "too-many-pnp"));
}

#[test]
fn a_damaged_header_is_told_with_its_place() {
    let damaged = |at: usize, byte: u8| {
        let mut bytes = header(0);
        bytes[at] = byte;
        if at != 9 {
            bytes[9] = 0;
            bytes[9] = 0u8.wrapping_sub(crate::checksum::sum(&bytes));
        }
        problems(&image(&[(AT, bytes)]))
    };
    assert_eq!(damaged(9, 0x55), [(AT, "pnp-checksum")]);
    assert_eq!(damaged(5, 1), [(AT, "pnp-length")]);
    assert_eq!(damaged(5, 0xff), [(AT, "pnp-length")]);
    for vector_or_name in [0x0f, 0x11, 0x17, 0x19, 0x1b, 0x1f] {
        assert_eq!(damaged(vector_or_name, 0x40), [(AT, "pointer-outside")], "{vector_or_name:x}");
    }
}

#[test]
fn isa_roms_have_headers_too() {
    let mut isa = image(&[(AT, header(AT as u16))]);
    put(&mut isa, 0x18, &[0, 0]);
    let isa = summed(isa);
    assert_eq!(Rom::parse(&isa).unwrap().legacy().unwrap().pnp_headers().count(), 1);
    assert_eq!(problems(&isa), [(0, "no-structure"), (AT, "pnp-loop")]);
    let lines = text::info(&Rom::parse(&isa).unwrap()).to_string();
    assert!(lines.contains("\tPnP header @80h: \"Thing 1.0\" by \"Maker\"\n"), "{lines}");
}

#[test]
fn an_identifier_has_letters_and_a_number() {
    assert_eq!(EisaId([0x41, 0xd0, 0x0c, 0x31]).to_string(), "PNP0C31");
    assert_eq!(EisaId([0xff, 0xff, 0, 1]).to_string(), "???0001");
    assert!(EisaId([0; 4]).is_none());
}

/// With PXE's and iPXE's structures.
fn network() -> Vec<u8> {
    let mut image = image(&[(AT, header(0))]);
    put(&mut image, 0x16, &[0x00, 0x01]);
    put(&mut image, 0x100, b"UNDI\x16\x00\x00\0\x01\x02\x40\x02\0\x10\0\x20\0\x30PCIR");
    image[0x105] = 0u8.wrapping_sub(crate::checksum::sum(&image[0x100..0x116]));
    put(&mut image, 0x10, &[0x20, 0x01]);
    put(&mut image, 0x120, b"iPXE\x0c\0\x01\0\x78\x56\x34\x12");
    image[0x125] = 0u8.wrapping_sub(crate::checksum::sum(&image[0x120..0x12c]));
    summed(image)
}

#[test]
fn network_roms_say_what_pxe_needs() {
    let image = network();
    let undi = pxe::UndiRomId::parse(&image).unwrap();
    assert_eq!((undi.undi_revision, undi.bus_type, undi.sum), ([2, 1, 0], *b"PCIR", Some(0)));
    assert_eq!(
        (undi.loader, undi.stack_size, undi.data_size, undi.code_size),
        (0x240, 0x1000, 0x2000, 0x3000)
    );
    let ipxe = pxe::IpxeHeader::parse(&image).unwrap();
    assert_eq!((ipxe.build_id, ipxe.shrunk_length, ipxe.sum), (0x1234_5678, 1, Some(0)));
    assert_eq!(problems(&image), []);
    let lines = text::info(&Rom::parse(&image).unwrap()).to_string();
    for line in [
        "\tPnP header @80h: \"Thing 1.0\" by \"Maker\"\n\t\tDevice type 020001, id PNP0C31, boot connection vector \
         200h, disconnect vector 210h, bootstrap entry vector 220h\n",
        "\tPXE: UNDI 2.1.0 @100h, loader 240h, code 3000h, data 2000h, stack 1000h\n",
        "\tiPXE header @120h: build 12345678, shrinks to 200h\n",
    ] {
        assert!(lines.contains(line), "{line} in {lines}");
    }
}

#[test]
fn damaged_pxe_structures_are_told() {
    let damaged = |at: usize, byte: u8| {
        let mut image = network();
        image[at] = byte;
        problems(&summed(image))
    };
    assert_eq!(damaged(0x106, 1), [(0x100, "undi-checksum")]);
    assert_eq!(damaged(0x104, 0x15), [(0x100, "undi-length")]);
    let mut outside = network();
    put(&mut outside, 0x10a, &[0, 0x40]);
    outside[0x105] = 0;
    outside[0x105] = 0u8.wrapping_sub(crate::checksum::sum(&outside[0x100..0x116]));
    assert_eq!(problems(&summed(outside)), [(0x100, "pointer-outside")]);
    // A word that leads elsewhere is code, and no news.
    assert_eq!(damaged(0x100, b'u'), []);
}

#[test]
fn pointers_of_revision_3_lie_inside() {
    let with = |at: usize, word: u16| {
        let mut image = ImageSpec { revision: 3, last: true, ..ImageSpec::pc_at(1, 2) }.build();
        put(&mut image, crate::testing::PCIR + at, &word.to_le_bytes());
        summed(image)
    };
    let at = crate::testing::PCIR;
    assert_eq!(problems(&with(0x18, 0x3ff)), []);
    assert_eq!(problems(&with(0x18, 0x400)), [(at, "pointer-outside")]);
    assert_eq!(problems(&with(0x1a, 0xffff)), [(at, "pointer-outside")]);
    assert_eq!(problems(&with(0x16, 2)), []);
    assert_eq!(problems(&with(0x16, 3)), [(at, "run-time-length")]);
    let lines = text::info(&Rom::parse(&with(0x1a, 0x3ff)).unwrap()).to_string();
    assert!(lines.contains("\tDMTF CLP entry point @3ffh of the image\n"), "{lines}");
}

/// An Open Firmware image: a program of 16 bytes that sum to 36h.
fn open_firmware_image() -> Vec<u8> {
    let mut image = ImageSpec { code_type: 1, last: true, ..ImageSpec::pc_at(0x104b, 0x1040) }.build();
    put(&mut image, 2, &[0x80, 0, 0, 0]);
    put(&mut image, 0x80, b"\xf1\x08\x00\x36\x00\x00\x00\x10\x12\x01\x02\x03\x04\x05\x06\x0f");
    image
}

#[test]
fn an_fcode_program_has_its_own_sum() {
    let image = open_firmware_image();
    assert_eq!(problems(&image), []);
    let lines = text::info(&Rom::parse(&image).unwrap()).to_string();
    assert!(lines.contains("\tFCode program @80h: start1, 10h bytes, checksum good\n"), "{lines}");
    let damaged = |at: usize, byte: u8| {
        let mut image = open_firmware_image();
        image[at] = byte;
        problems(&image)
    };
    assert_eq!(damaged(0x88, 0x13), [(0x80, "fcode-checksum")]);
    assert_eq!(damaged(0x80, 0x55), [(0x80, "fcode-start")]);
    assert_eq!(damaged(0x85, 1), [(0x80, "fcode-length")]);
    assert_eq!(damaged(0x87, 7), [(0x80, "fcode-length")]);
    assert_eq!(damaged(3, 0xff), [(2, "pointer-outside")]);
}

#[test]
fn an_image_of_another_kind_has_no_headers() {
    let mut efi = ImageSpec { last: true, ..ImageSpec::efi(1, 2) }.build();
    put(&mut efi, 0x1a, &[AT as u8, 0]);
    put(&mut efi, AT, &header(AT as u16));
    let rom = Rom::parse(&efi).unwrap();
    assert_eq!(rom.images().next().unwrap().pnp_headers().count(), 0);
    assert!(check::findings(&rom).iter().all(|finding| !matches!(finding.problem(), Found::Expansion(_))));
}

proptest! {
    /// Headers are in the image and not two of one place, whatever the bytes are.
    #[test]
    fn any_bytes(
        mut image in vec(any::<u8>(), 0x20..0x400),
        headers in vec((0u16..0x400, 0u16..0x400), 0..80),
        first in 0u16..0x400,
    ) {
        put(&mut image, 0x1a, &first.to_le_bytes());
        for (at, next) in headers {
            let at = usize::from(at);
            if at + LENGTH <= image.len() {
                put(&mut image, at, &SIGNATURE);
                put(&mut image, at + NEXT, &next.to_le_bytes());
            }
        }
        let mut seen = std::collections::HashSet::new();
        for header in Headers::new(&image) {
            prop_assert!(usize::from(header.offset) + LENGTH <= image.len());
            prop_assert!(seen.insert(header.offset));
        }
        prop_assert!(seen.len() <= MOST_HEADERS);
        put(&mut image, 0x16, &first.to_le_bytes());
        put(&mut image, 0x10, &first.to_le_bytes());
        let at = usize::from(first);
        if let Some(undi) = pxe::UndiRomId::parse(&image) {
            prop_assert_eq!(undi.sum.is_some(), at + usize::from(undi.length) <= image.len());
        }
        if let Some(ipxe) = pxe::IpxeHeader::parse(&image) {
            prop_assert_eq!(ipxe.sum.is_some(), at + usize::from(ipxe.length) <= image.len());
        }
        let fcode = crate::open_firmware::Fcode::parse(&image, first);
        prop_assert_eq!(fcode.is_some(), at + 8 <= image.len());
    }
}
