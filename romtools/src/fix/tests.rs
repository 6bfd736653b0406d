use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::checksum::Verdict;
use crate::testing::{ImageSpec, NpdeSpec};
use crate::{Image, Stop, check};

fn fixed(file: &[u8], fixes: &Fixes) -> Fixed {
    apply(&Rom::parse(file).unwrap(), fixes).unwrap()
}

fn fields(fixed: &Fixed) -> Vec<(usize, &'static str)> {
    fixed.changes.iter().map(|change| (change.offset, change.field)).collect()
}

fn chain() -> Vec<u8> {
    [ImageSpec::pc_at(0x10de, 1).build(), ImageSpec { last: true, ..ImageSpec::efi(0x10de, 1) }.build()]
        .concat()
}

#[test]
fn ids_of_both_kinds_and_a_checksum_where_one_is_due() {
    let fixes = Fixes { vendor_id: Some(0x1002), device_ids: Some(vec![0x1640]), ..Fixes::default() };
    let fixed = fixed(&chain(), &fixes);
    assert_eq!(
        fields(&fixed),
        [
            (0x20, "Vendor ID"),
            (0x22, "Device ID"),
            (0x3ff, "Checksum"),
            (0x420, "Vendor ID"),
            (0x422, "Device ID")
        ]
    );
    assert_eq!(
        (fixed.changes[0].old.as_slice(), fixed.changes[0].new.as_slice()),
        (&[0xde, 0x10][..], &[2, 0x10][..])
    );
    let rom = Rom::parse(&fixed.bytes).unwrap();
    assert!(rom.images().all(|image| image.structure().is_for(0x1002, 0x1640)));
    assert_eq!(check::findings(&rom), []);
}

#[test]
fn an_image_whose_structure_is_not_its_own_is_not_fixed() {
    let zero = ImageSpec { blocks: 0, ..ImageSpec::pc_at(1, 2) }.build();
    let error = apply(&Rom::parse(&zero).unwrap(), &Fixes::default()).unwrap_err();
    assert_eq!(error, Error::Edit { index: 0, offset: 0, error: edit::Error::StructureOutside });
    assert!(error.to_string().contains("lies outside of its image"));
}

#[test]
fn nothing_asked_for_is_nothing_done() {
    let file = [chain(), b"data behind it".to_vec()].concat();
    let fixed = fixed(&file, &Fixes::default());
    assert_eq!((fixed.bytes, fixed.changes.len()), (file, 0));
    assert!(Fixes::default().is_empty() && !Fixes { last: true, ..Fixes::default() }.is_empty());
}

#[test]
fn damage_stays_to_be_seen_until_its_checksum_is_asked_for() {
    let mut file = chain();
    file[0x200] ^= 1;
    let vendor = Fixes { vendor_id: Some(7), ..Fixes::default() };
    let still = fixed(&file, &vendor);
    assert!(matches!(
        Rom::parse(&still.bytes).unwrap().images().next().unwrap().checksum(),
        Verdict::Wrong { .. }
    ));
    let both = fixed(&file, &Fixes { checksum: true, ..vendor });
    assert_eq!(check::findings(&Rom::parse(&both.bytes).unwrap()), []);
    assert!(both.changes.iter().any(|change| change.why.contains("summed to")));
}

#[test]
fn a_shadow_s_missing_last_bit_is_set() {
    let file = ImageSpec::pc_at(1, 2).build();
    assert!(matches!(Rom::parse(&file).unwrap().chains()[0].stop(), Stop::EndOfFile { .. }));
    let fixed = fixed(&file, &Fixes { last: true, ..Fixes::default() });
    assert_eq!(fields(&fixed), [(0x31, "Last Image Indicator"), (0x3ff, "Checksum")]);
    assert_eq!(check::findings(&Rom::parse(&fixed.bytes).unwrap()), []);
}

#[test]
fn only_the_images_that_are_named_change() {
    let fixes = Fixes { vendor_id: Some(7), images: vec![1], ..Fixes::default() };
    assert_eq!(fields(&fixed(&chain(), &fixes)), [(0x420, "Vendor ID")]);
    let error = apply(&Rom::parse(&chain()).unwrap(), &Fixes { images: vec![2], ..fixes }).unwrap_err();
    assert_eq!(error, Error::NoImage { index: 2, images: 2 });
}

#[test]
fn private_images_keep_their_ids() {
    let npde = |last| Some(NpdeSpec { blocks: 2, last });
    let private =
        ImageSpec { code_type: 0xe0, npde: npde(true), last: true, ..ImageSpec::pc_at(0x10de, 1) }.build();
    let efi = ImageSpec { npde: npde(false), last: true, ..ImageSpec::efi(0x10de, 1) }.build();
    let file = [efi, private.clone()].concat();
    let fixed = fixed(&file, &Fixes { device_ids: Some(vec![9]), last: true, ..Fixes::default() });
    assert_eq!(fields(&fixed), [(0x22, "Device ID")]);
    assert_eq!(fixed.bytes[0x400..], private);
}

#[test]
fn a_longer_list_moves_what_follows_in_the_chain() {
    let padded = [chain(), vec![0xff; 0x400]].concat();
    let ids = vec![0x1640, 0x1681, 0x1900];
    let fixed = fixed(&padded, &Fixes { device_ids: Some(ids.clone()), ..Fixes::default() });
    assert_eq!(fixed.bytes.len(), padded.len(), "padding gives way");
    let rom = Rom::parse(&fixed.bytes).unwrap();
    assert_eq!(rom.images().map(Image::offset).collect::<Vec<_>>(), [0, 0x600]);
    assert!(rom.images().all(|image| image.structure().device_list().eq(ids.iter().copied())));
    assert_eq!(check::findings(&rom), []);
    let occupied = [chain(), b"something".to_vec()].concat();
    let error = apply(&Rom::parse(&occupied).unwrap(), &Fixes { device_ids: Some(ids), ..Fixes::default() });
    assert_eq!(error, Err(Error::DataBehind { offset: 0x800 }));
}

#[test]
fn the_initialization_size_follows_the_length() {
    let mut file = chain();
    file[2] = 1;
    file[0x402] = 1;
    let fixed = fixed(&file, &Fixes { initialization_size: true, checksum: true, ..Fixes::default() });
    // With its old size the first image sums to zero again.
    assert_eq!(fields(&fixed), [(2, "Initialization Size"), (0x402, "Initialization Size")]);
}

#[test]
fn an_isa_rom_has_a_size_and_a_checksum_only() {
    let mut file = vec![0x90; 0x400];
    file[..6].copy_from_slice(&[0x55, 0xaa, 1, 0xcb, 0, 0]);
    let fixes = Fixes { checksum: true, initialization_size: true, ..Fixes::default() };
    let fixed = fixed(&file, &fixes);
    assert_eq!(fields(&fixed), [(2, "Initialization Size"), (0x3ff, "Checksum")]);
    let left = check::findings(&Rom::parse(&fixed.bytes).unwrap());
    assert_eq!(left.iter().map(|finding| finding.problem().id()).collect::<Vec<_>>(), ["no-structure"]);
    let ids = Fixes { vendor_id: Some(1), ..Fixes::default() };
    assert_eq!(apply(&Rom::parse(&file).unwrap(), &ids), Err(Error::NoStructure));
}

#[test]
fn padding_behind_an_isa_rom_stays_padding() {
    let mut rom = vec![0x90u8; 0x400];
    rom[..6].copy_from_slice(&[0x55, 0xaa, 2, 0xcb, 0, 0]);
    rom[0x3ff] = rom[0x3ff].wrapping_sub(checksum::sum(&rom));
    let file = [&rom[..], &[0xff; 0x400]].concat();
    let both = Fixes::default().initialization_size(true).checksum(true);
    assert_eq!(fields(&fixed(&file, &both)), [], "it was right");
    // A size that is wrong becomes that of the ROM, without the padding.
    for size in [0, 1, 3, 4, 9] {
        let mut wrong = file.clone();
        wrong[2] = size;
        let fixed = fixed(&wrong, &both);
        assert_eq!(fixed.bytes, file, "{size}");
    }
}

#[test]
fn the_chain_for_firmware_is_fixed_where_a_private_one_stands_first() {
    let private = ImageSpec { code_type: 0xe0, last: true, ..ImageSpec::pc_at(0x10de, 1) }.build();
    let file = [private.clone(), chain()].concat();
    let fixed = fixed(&file, &Fixes { vendor_id: Some(7), ..Fixes::default() });
    assert_eq!(fields(&fixed)[0], (0x420, "Vendor ID"));
    assert_eq!(fixed.bytes[..0x400], private);
    let error = apply(&Rom::parse(&private).unwrap(), &Fixes { vendor_id: Some(7), ..Fixes::default() });
    assert_eq!(error, Err(Error::NothingForFirmware));
}

#[test]
fn what_applies_to_nothing_is_an_error() {
    let private = ImageSpec { code_type: 0xe0, last: true, ..ImageSpec::pc_at(0x10de, 1) }.build();
    let efi = ImageSpec::efi(0x10de, 1).build();
    let file = [efi, private].concat();
    let of = |fixes: Fixes| apply(&Rom::parse(&file).unwrap(), &fixes).map(|fixed| fixed.changes.len());
    let nothing = |what| Err(Error::AppliesToNothing { what });
    let second = Fixes { images: vec![1], ..Fixes::default() };
    assert_eq!(of(Fixes { vendor_id: Some(7), ..second.clone() }), nothing("the vendor id"));
    assert_eq!(of(Fixes { device_ids: Some(vec![7]), ..second.clone() }), nothing("the device id"));
    assert_eq!(
        of(Fixes { initialization_size: true, checksum: true, ..second }),
        nothing("the initialization size")
    );
    assert_eq!(of(Fixes { checksum: true, ..Fixes::default() }), nothing("the checksum"));
    // Beside other things, the checksum is corrected where there is one.
    assert_eq!(of(Fixes { checksum: true, vendor_id: Some(7), ..Fixes::default() }), Ok(1));
}

#[test]
fn what_is_not_whole_is_fixed_only_if_told_and_its_checksum_never() {
    let file = &ImageSpec::pc_at(1, 2).build()[..0x3ff];
    let of = |fixes: Fixes| apply(&Rom::parse(file).unwrap(), &fixes).map(|fixed| fixed.changes.len());
    let truncated =
        |for_checksum| Err(Error::Truncated { offset: 0, length: 0x400, available: 0x3ff, for_checksum });
    let vendor = Fixes { vendor_id: Some(7), ..Fixes::default() };
    assert_eq!(of(vendor.clone()), truncated(false));
    assert_eq!(of(Fixes { damaged: true, ..vendor.clone() }), Ok(1));
    assert_eq!(of(Fixes { damaged: true, checksum: true, ..vendor }), truncated(true));
    assert_eq!(of(Fixes::default()), Ok(0));
}

#[test]
fn an_isa_rom_that_is_cut_or_of_no_size_is_an_error() {
    let mut file = vec![0x90; 0x3ff];
    file[..6].copy_from_slice(&[0x55, 0xaa, 2, 0xcb, 0, 0]);
    let of = |file: &[u8], fixes: Fixes| {
        apply(&Rom::parse(file).unwrap(), &fixes).map(|fixed| fixed.changes.len())
    };
    let checksum = Fixes { checksum: true, ..Fixes::default() };
    let size = Fixes { initialization_size: true, ..Fixes::default() };
    assert!(matches!(
        of(&file, checksum.clone()),
        Err(Error::Truncated { length: 0x400, available: 0x3ff, .. })
    ));
    assert_eq!(of(&file, size.clone()), Err(Error::IsaSize { length: 0x3ff }));
    // A file of whole blocks becomes whole by its size, and its checksum right.
    file.truncate(0x200);
    assert_eq!(of(&file, Fixes { initialization_size: true, ..checksum.clone() }), Ok(2));
    assert_eq!(of(&file, Fixes { last: true, ..Fixes::default() }), Err(Error::NoStructure));
    file[2] = 0;
    assert!(matches!(of(&file, checksum), Err(Error::Edit { error: edit::Error::NoChecksumByte, .. })));
}

proptest! {
    /// The changes are the whole difference: taken back, they give the old file.
    #[test]
    fn the_changes_are_what_is_different(
        edits in vec((0usize..0x900, any::<u8>()), 0..12),
        vendor in proptest::option::of(any::<u16>()),
        devices in proptest::option::of(vec(1u16.., 1..4)),
        flags in any::<[bool; 3]>(),
    ) {
        let mut file = [chain(), vec![0xff; 0x200]].concat();
        for (at, byte) in edits {
            file[at] = byte;
        }
        let Ok(rom) = Rom::parse(&file) else { return Ok(()) };
        let [last, initialization_size, checksum] = flags;
        let fixes = Fixes { vendor_id: vendor, device_ids: devices, last, initialization_size, checksum, ..Fixes::default() };
        let Ok(fixed) = apply(&rom, &fixes) else { return Ok(()) };
        prop_assert!(Rom::parse(&fixed.bytes).is_ok());
        // Where nothing was put in, offsets are the same in both.
        if fixed.changes.iter().all(|change| !change.old.is_empty()) {
            let mut back = fixed.bytes.clone();
            for change in fixed.changes.iter().rev() {
                prop_assert_eq!(&back[change.offset..change.offset + change.new.len()], &change.new[..]);
                back[change.offset..change.offset + change.old.len()].copy_from_slice(&change.old);
            }
            prop_assert_eq!(back, file);
        }
    }
}
