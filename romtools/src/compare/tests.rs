use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::compression::Variant;
use crate::fix::{self, Fixes};
use crate::testing::pe::PeSpec;
use crate::testing::{self, ImageSpec, NpdeSpec, PCIR};

fn of(first: &[u8], second: &[u8]) -> Comparison {
    compare(&Rom::parse(first).unwrap(), &Rom::parse(second).unwrap())
}

fn chain() -> Vec<u8> {
    [ImageSpec::pc_at(0x1002, 1).build(), ImageSpec { last: true, ..ImageSpec::efi(0x1002, 1) }.build()]
        .concat()
}

fn names(pair: &Pair) -> Vec<&'static str> {
    pair.fields.iter().map(|field| field.name).collect()
}

#[test]
fn a_file_is_the_same_as_itself() {
    let comparison = of(&chain(), &chain());
    assert!(comparison.is_same());
    assert_eq!(comparison.pairs.len(), 2);
}

#[test]
fn images_of_a_kind_are_matched_in_order() {
    let [a, b] = [ImageSpec::pc_at(1, 1), ImageSpec::efi(1, 1)].map(|spec| spec.build());
    let first = [&a[..], &b, &b].concat();
    let second = [&b[..], &a, &a, &b, &b, &a].concat();
    let comparison = of(&first, &second);
    let pairs: Vec<_> = comparison.pairs.iter().map(|pair| (pair.first, pair.second)).collect();
    assert_eq!(pairs, [(0, 0x400), (0x400, 0), (0x800, 0xc00)]);
    let only: Vec<_> = comparison.only_second.iter().map(|only| only.offset).collect();
    assert_eq!(only, [0x800, 0x1000, 0x1400]);
}

#[test]
fn a_dump_and_the_rom_cut_out_of_it_differ_around_the_images_only() {
    let dump = [&b"NVGI"[..], &[0; 508], &chain(), &[0xff; 512]].concat();
    let comparison = of(&dump, &chain());
    assert!(comparison.is_same_rom() && !comparison.is_same());
    assert_eq!((comparison.pairs[1].first, comparison.pairs[1].second), (0x600, 0x400));
    let contents: Vec<_> = comparison.data.iter().map(|pair| pair.first.unwrap().content).collect();
    assert_eq!(contents, [Content::Nvgi, Content::Padding(0xff)]);
}

#[test]
fn edited_fields_are_named_and_are_no_code() {
    let file = chain();
    let fixes = Fixes { vendor_id: Some(0x1234), device_ids: Some(vec![7]), ..Fixes::default() };
    let fixed = fix::apply(&Rom::parse(&file).unwrap(), &fixes).unwrap();
    let comparison = of(&file, &fixed.bytes);
    for pair in &comparison.pairs {
        assert_eq!((names(pair), pair.ranges.len()), (vec!["Vendor ID", "Device ID"], 0));
    }
}

#[test]
fn changed_code_is_a_range_with_its_checksum_named() {
    let mut other = chain();
    other[0x250] ^= 1;
    other[0x252] ^= 1;
    let comparison = of(&chain(), &other);
    let pair = &comparison.pairs[0];
    assert_eq!(names(pair), ["Checksum"]);
    let [range] = pair.ranges[..] else { panic!("{:?}", pair.ranges) };
    assert_eq!((range.first, range.length, range.differing), (0x250, 3, 2));
    assert!(comparison.pairs[1].is_same());
}

#[test]
fn a_driver_is_compared_from_where_it_begins() {
    use crate::build::{Builder, Part};
    let file = testing::pe(0x8664, 0x0b, 0x300);
    let part = Part::Efi { file: &file, compress: false };
    let one = Builder::new(1, vec![2]).part(part).build().unwrap();
    let two = Builder::new(1, (2..60).collect()).part(part).build().unwrap();
    let comparison = of(&one, &two);
    let pair = &comparison.pairs[0];
    assert!(names(pair).contains(&"Device List") && names(pair).contains(&"EFI Image Offset"), "{pair:?}");
    assert!(pair.ranges.iter().all(|range| range.differing == 0), "only padding may be longer: {pair:?}");
}

/// A ROM with this driver, stored as it is or compressed.
fn driver_rom(file: &[u8], compress: bool) -> Vec<u8> {
    use crate::build::{Builder, Part};
    Builder::new(1, vec![2]).part(Part::Efi { file, compress }).build().unwrap()
}

fn driver_pair(first: &[u8], second: &[u8]) -> DriverPair {
    of(first, second).pairs[0].driver.clone().unwrap()
}

fn code() -> PeSpec {
    PeSpec { code: (0..600).map(|n| (n * n % 251) as u8).collect(), ..PeSpec::driver() }
}

#[test]
fn a_driver_that_is_stored_otherwise_is_the_same() {
    let file = code().build();
    let (plain, packed) = (driver_rom(&file, false), driver_rom(&file, true));
    let pair = driver_pair(&plain, &packed);
    assert!(pair.is_same() && !of(&plain, &packed).is_same());
    assert_eq!((pair.first.length, pair.second.length), (file.len(), file.len()));
    assert_eq!((pair.first.compression, pair.second.compression), (None, Some(Variant::Uefi)));
    assert_eq!(of(&packed, &packed).pairs[0].driver, None, "there is nothing to tell");
}

#[test]
fn one_byte_of_a_compressed_driver_is_one_byte_of_a_section() {
    let mut other = code();
    other.code[100] ^= 1;
    let pair = driver_pair(&driver_rom(&code().build(), true), &driver_rom(&other.build(), true));
    assert_eq!(pair.fields, []);
    let [part] = &pair.parts[..] else { panic!("{pair:?}") };
    assert_eq!((part.name.as_str(), part.ranges.len()), (".text", 1));
    assert_eq!((part.ranges[0].first, part.ranges[0].differing), (other.code_at() + 100, 1));
}

#[test]
fn a_signature_and_fields_of_a_driver_are_named() {
    let signed = PeSpec { signature: vec![0x30; 24], subsystem: 0x0c, ..code() }.build();
    let pair = driver_pair(&driver_rom(&code().build(), true), &driver_rom(&signed, false));
    let names: Vec<_> = pair.fields.iter().map(|field| field.name).collect();
    assert_eq!(names, ["Subsystem", "Signature"]);
    let parts: Vec<_> = pair.parts.iter().map(|part| (part.name.as_str(), part.first.is_some())).collect();
    assert_eq!(parts, [("headers", true), ("signature", false)]);
    assert_eq!(pair.parts[1].second.unwrap().length, 24);
}

#[test]
fn sections_that_overlap_do_not_keep_anybody_busy() {
    let mut file = code().build();
    // Far more sections than there is room for, each claiming everything.
    file[0x46..0x48].copy_from_slice(&[0xff, 0xff]);
    let mut other = file.clone();
    other[0x1ff] ^= 1;
    let pair = driver_pair(&driver_rom(&file, true), &driver_rom(&other, true));
    let names: Vec<_> = pair.parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["data"]);
}

#[test]
fn what_is_only_in_one_is_listed() {
    let one = ImageSpec { last: true, ..ImageSpec::pc_at(0x1002, 1) }.build();
    let comparison = of(&one, &chain());
    assert_eq!(comparison.only_first, []);
    let only = comparison.only_second[0];
    assert_eq!((only.offset, only.code_type, only.ids), (0x400, Some(CodeType::EFI), Some((0x1002, 1))));
    assert_eq!(names(&comparison.pairs[0]), ["Last Image Indicator"]);
    let mut isa = vec![0; 512];
    isa[..4].copy_from_slice(&[0x55, 0xaa, 1, 0]);
    let mut other = isa.clone();
    other[9] = 1;
    assert_eq!(of(&isa, &other).pairs[0].ranges[0].first, 9);
    assert_eq!((of(&isa, &one).only_first.len(), of(&isa, &one).only_second.len()), (1, 1));
}

proptest! {
    /// Files are the same if and only if their bytes are, and the order of the two changes nothing but sides.
    #[test]
    fn same_means_equal(
        edits in vec((prop_oneof![0usize..0x60, 0x400usize..0x460, 0usize..0x800], any::<u8>()), 0..4),
        cut in prop_oneof![Just(0usize), 1usize..0x500],
        more in vec(any::<u8>(), 0..40)) {
        let mut one = chain();
        let mut two = chain();
        one.truncate(one.len() - cut);
        two.truncate(two.len() - cut);
        for (at, byte) in edits {
            two[at % (0x800 - cut)] = byte;
        }
        two.extend(more);
        let (Ok(first), Ok(second)) = (Rom::parse(&one), Rom::parse(&two)) else { return Ok(()) };
        let (there, back) = (compare(&first, &second), compare(&second, &first));
        prop_assert_eq!(there.is_same(), one == two, "{:?}", there);
        prop_assert_eq!(there.is_same(), back.is_same());
        prop_assert_eq!(there.pairs.len(), back.pairs.len());
        prop_assert_eq!(there.only_first, back.only_second);
    }
}

#[test]
fn a_length_that_nvidia_overrules_is_compared_too() {
    let npde = Some(NpdeSpec { blocks: 2, last: true });
    let one = ImageSpec { npde, ..ImageSpec::efi(0x10de, 1) }.build();
    let mut two = one.clone();
    two[PCIR + 0x10] = 1;
    let comparison = compare(&Rom::parse(&one).unwrap(), &Rom::parse(&two).unwrap());
    let names: Vec<_> = comparison.pairs[0].fields.iter().map(|field| field.name).collect();
    assert_eq!(names, ["Image Length"]);
}
