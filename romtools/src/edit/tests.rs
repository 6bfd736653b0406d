use super::*;
use crate::testing::{ImageSpec, NpdeSpec, PCIR};

fn edited(image: Vec<u8>, edit: impl FnOnce(&mut Editor)) -> Vec<u8> {
    let mut editor = Editor::new(image).unwrap();
    edit(&mut editor);
    editor.correct_checksum(false).unwrap();
    editor.finish().0
}

fn ids(image: &[u8]) -> Vec<u16> {
    Image::parse(image, 0).unwrap().structure().device_list().collect()
}

#[test]
fn a_list_that_fits_stays_where_it_is() {
    let spec = ImageSpec { devices: vec![1, 2, 3], revision: 3, last: true, ..ImageSpec::pc_at(7, 1) };
    let image = edited(spec.build(), |e| e.set_device_ids(&[8, 9], "asked for").unwrap());
    assert_eq!((ids(&image), image.len()), (vec![8, 9], spec.build().len()));
    assert_eq!(Image::parse(&image, 0).unwrap().structure().device_id, 8);
    assert_eq!(Image::parse(&image, 0).unwrap().checksum(), Verdict::Good);
}

#[test]
fn a_list_that_the_structure_counts_as_its_own_is_written_in_place() {
    let spec = ImageSpec { devices: vec![1, 2, 3], revision: 3, ..ImageSpec::pc_at(7, 1) };
    let mut image = spec.build();
    image[PCIR + 0x0a] = 0x40;
    let image = edited(image, |e| e.set_device_ids(&[8, 9], "asked for").unwrap());
    assert_eq!((ids(&image), image.len()), (vec![8, 9], spec.build().len()));
}

#[test]
fn a_list_that_runs_into_nvidia_s_extension_does_not_destroy_it() {
    let npde = Some(NpdeSpec { blocks: 2, last: true });
    let mut image = ImageSpec { npde, revision: 3, ..ImageSpec::pc_at(0x10de, 1) }.build();
    // Four ids without a terminator, and then "NPDE".
    image[PCIR + 8] = 0x1c;
    image[PCIR + 0x1c..PCIR + 0x24].copy_from_slice(&[1, 0, 2, 0, 3, 0, 4, 0]);
    assert_eq!(ids(&image)[4..6], [u16::from_le_bytes(*b"NP"), u16::from_le_bytes(*b"DE")]);
    let image = edited(image, |e| e.set_device_ids(&[5, 6, 7, 8, 9, 10], "asked for").unwrap());
    assert_eq!(ids(&image), [5, 6, 7, 8, 9, 10]);
    let parsed = Image::parse(&image, 0).unwrap();
    assert!(parsed.npde().is_some_and(|npde| npde.last == Some(true)));
    assert_eq!(parsed.length(), image.len());
}

#[test]
fn the_short_form_of_nvidia_s_extension_can_be_the_last() {
    let npde = Some(NpdeSpec { blocks: 1, last: false });
    let mut image = ImageSpec { npde, ..ImageSpec::pc_at(0x10de, 1) }.build();
    // 0Ah bytes: no bit of its own, and half the length that the structure says.
    let at = image.windows(4).position(|bytes| bytes == b"NPDE").unwrap();
    image[at + 6] = 0x0a;
    image.truncate(BLOCK);
    assert_eq!(Image::parse(&image, 0).unwrap().npde().unwrap().last, None);
    let image = edited(image, |e| e.set_last(true, true, "asked for").unwrap());
    let parsed = Image::parse(&image, 0).unwrap();
    assert!(parsed.is_last());
    assert_eq!((parsed.length(), parsed.structure().image_length), (BLOCK, 1));
}

#[test]
fn a_longer_list_gets_a_block_behind_a_pc_at_image() {
    for revision in [0, 3] {
        let spec = ImageSpec { revision, ..ImageSpec::pc_at(7, 1) };
        let image = edited(spec.build(), |e| e.set_device_ids(&[8, 9, 10], "asked for").unwrap());
        let parsed = Image::parse(&image, 0).unwrap();
        assert_eq!((ids(&image), image.len()), (vec![8, 9, 10], 3 * BLOCK));
        assert_eq!(parsed.length(), image.len());
        assert!(parsed.structure().revision_3.is_some());
        assert_eq!(parsed.checksum(), Verdict::Good);
        let Header::PcAt(header) = parsed.header() else { panic!() };
        assert_eq!(header.initialization_size, 3);
        // The code has not moved.
        assert_eq!(image[0x100..0x300], spec.build()[0x100..0x300]);
    }
}

#[test]
fn a_longer_list_gets_a_block_in_front_of_a_pe_file() {
    for revision in [0, 3] {
        let spec = ImageSpec { revision, ..ImageSpec::efi(7, 1) };
        let image = edited(spec.build(), |e| e.set_device_ids(&[8, 9, 10], "asked for").unwrap());
        let parsed = Image::parse(&image, 0).unwrap();
        assert_eq!((ids(&image), parsed.length()), (vec![8, 9, 10], image.len()));
        let Header::Efi(header) = parsed.header() else { panic!() };
        assert_eq!(usize::from(header.initialization_size) * BLOCK, image.len());
        assert_eq!(header.image_offset, 0x300, "100h and a block");
        assert_eq!(image[0x300..], spec.build()[0x100..]);
    }
}

#[test]
fn one_id_drops_the_list() {
    let spec = ImageSpec { devices: vec![1, 2, 3], ..ImageSpec::efi(7, 1) };
    let image = edited(spec.build(), |e| e.set_device_ids(&[5], "asked for").unwrap());
    let parsed = Image::parse(&image, 0).unwrap();
    assert!(!parsed.structure().has_device_list());
    assert_eq!(parsed.structure().device_id, 5);
}

#[test]
fn nvidia_s_extension_is_kept_alike() {
    let npde = Some(NpdeSpec { blocks: 2, last: false });
    let spec = ImageSpec { npde, ..ImageSpec::efi(0x10de, 1) };
    let image = edited(spec.build(), |e| {
        e.set_device_ids(&[1, 2], "asked for").unwrap();
        e.set_last(true, true, "asked for").unwrap();
    });
    let parsed = Image::parse(&image, 0).unwrap();
    assert_eq!(parsed.npde().unwrap().sub_image_length, 3);
    assert!(parsed.is_last() && parsed.structure().indicator.is_last());
    let old = Editor::new(ImageSpec { revision: 0, ..spec }.build()).unwrap().set_device_ids(&[1, 2], "");
    assert!(matches!(old, Err(Error::NoRoom { .. })));
}

#[test]
fn old_damage_is_not_hidden_by_an_edit() {
    let mut image = ImageSpec::pc_at(7, 1).build();
    image[0x200] ^= 0x55;
    let kept = edited(image.clone(), |e| e.set_vendor_id(8, "asked for").unwrap());
    assert!(matches!(Image::parse(&kept, 0).unwrap().checksum(), Verdict::Wrong { .. }));
    let mut editor = Editor::new(image).unwrap();
    editor.correct_checksum(true).unwrap();
    assert_eq!(editor.image().unwrap().checksum(), Verdict::Good);
    let (_, changes) = editor.finish();
    assert!(changes[0].why.starts_with("the image summed to"), "{changes:?}");
}

#[test]
fn fields_upon_each_other_are_refused_and_nothing_panics() {
    // A device list that begins inside of its structure is never written in place.
    let mut image = ImageSpec { devices: vec![1, 2, 3], ..ImageSpec::efi(7, 1) }.build();
    image[PCIR + 8..PCIR + 10].copy_from_slice(&[2, 0]);
    let mut editor = Editor::new(image).unwrap();
    editor.set_device_ids(&[4, 5], "").unwrap();
    assert_eq!(editor.image().unwrap().structure().device_list().collect::<Vec<_>>(), [4, 5]);
    // A structure upon the initialization size.
    let mut image = ImageSpec::pc_at(7, 1).build();
    image.copy_within(PCIR..PCIR + 0x16, 2);
    image[0x18..0x1a].copy_from_slice(&[2, 0]);
    if let Ok(mut editor) = Editor::new(image) {
        let edits = editor.set_initialization_size("").and_then(|()| editor.set_vendor_id(1, ""));
        assert!(edits.is_err());
    }
}

#[test]
fn what_the_fields_cannot_say_is_refused() {
    let spec = ImageSpec { blocks: 255, ..ImageSpec::pc_at(7, 1) };
    let mut editor = Editor::new(spec.build()).unwrap();
    assert!(matches!(editor.set_device_ids(&[1, 2], ""), Err(Error::TooLong { blocks: 256, most: 255 })));
    // The end of a long image is out of the list pointer's reach.
    let spec = ImageSpec { blocks: 200, ..ImageSpec::pc_at(7, 1) };
    let mut editor = Editor::new(spec.build()).unwrap();
    assert!(matches!(editor.set_device_ids(&[1, 2], ""), Err(Error::OutOfReach { .. })));
    let mut editor = Editor::new(ImageSpec::pc_at(7, 1).build()).unwrap();
    assert_eq!(editor.set_device_ids(&[], ""), Err(Error::NoDevice));
    assert_eq!(editor.set_device_ids(&[1, 0], ""), Err(Error::DeviceZero));
}

/// A PC-AT image that sums to zero by its length and by its initialization size, which is half of that.
fn two_sums() -> Vec<u8> {
    let mut image = ImageSpec { blocks: 4, last: true, ..ImageSpec::pc_at(7, 1) }.build();
    image[2] = 2;
    image[0x3ff] = image[0x3ff].wrapping_sub(checksum::sum(&image[..0x400]));
    image[0x7ff] = image[0x7ff].wrapping_sub(checksum::sum(&image));
    image
}

#[test]
fn what_seabios_ran_it_still_runs() {
    let is_run = |image: &[u8]| {
        let rom = crate::Rom::parse(image).unwrap();
        matches!(crate::check::guests(&rom).bios, crate::check::Answer::Yes(_))
    };
    assert!(is_run(&two_sums()));
    for vendor in [8, 0x4321] {
        let image = edited(two_sums(), |e| e.set_vendor_id(vendor, "asked for").unwrap());
        assert!(is_run(&image));
        assert_eq!(Image::parse(&image, 0).unwrap().checksum(), Verdict::Good);
    }
    // By its initialization size alone, and then by both.
    let mut image = two_sums();
    image[0x600] ^= 1;
    let mut image = edited(image, |e| e.set_vendor_id(8, "asked for").unwrap());
    assert!(is_run(&image) && Image::parse(&image, 0).unwrap().checksum() == Verdict::Wrong { sum: 1 });
    image = edited(image, |e| e.set_initialization_size("asked for").unwrap());
    assert!(is_run(&image));
    // What it did not run, only if it is asked for, and here padding takes the byte.
    let mut image = two_sums();
    image[0x3e0..0x400].fill(0);
    image[0x100] ^= 1;
    image = edited(image, |e| e.set_vendor_id(8, "asked for").unwrap());
    assert!(!is_run(&image));
    image = edited(image, |e| e.correct_checksum(true).unwrap());
    assert!(is_run(&image));
    // A device list behind the image is not a part of what is copied.
    let image = edited(two_sums(), |e| e.set_device_ids(&[8, 9, 10], "asked for").unwrap());
    assert_eq!((ids(&image), image[2], is_run(&image)), (vec![8, 9, 10], 2, true));
}

#[test]
fn a_byte_of_code_does_not_become_a_checksum() {
    // The standard's sum is zero, and nothing says that the initialization part has one: 3ffh is code.
    let mut image = two_sums();
    image[0x100] ^= 1;
    image[0x7ff] = image[0x7ff].wrapping_sub(checksum::sum(&image));
    let sum = checksum::sum(&image[..0x400]);
    let mut editor = Editor::new(image.clone()).unwrap();
    let error = editor.correct_checksum(true).unwrap_err();
    assert_eq!(error, Error::NoInitializationByte { size: 0x400, sum });
    assert!(error.advice().contains("--init-size"));
    assert_eq!(editor.finish(), (image.clone(), vec![]), "nothing is written");
    // As the advice says.
    let sized = edited(image.clone(), |e| {
        e.set_initialization_size("asked for").unwrap();
        e.correct_checksum(true).unwrap();
    });
    assert_eq!((sized[2], checksum::sum(&sized), sized[0x3ff]), (4, 0, image[0x3ff]));
    // A builder's own byte is one: SeaBIOS' at 06h.
    image[6] = 0x84;
    image[0x7ff] = image[0x7ff].wrapping_sub(checksum::sum(&image));
    let own = edited(image.clone(), |e| e.correct_checksum(true).unwrap());
    assert_eq!((checksum::sum(&own[..0x400]), checksum::sum(&own), own[0x3ff]), (0, 0, image[0x3ff]));
}

#[test]
fn a_checksum_that_nvidia_switched_off_is_still_made_for_a_bios() {
    let npde = Some(NpdeSpec { blocks: 2, last: true });
    let mut image = ImageSpec { npde, last: true, ..ImageSpec::pc_at(0x10de, 1) }.build();
    image[0x4b] |= 4;
    let sum = |image: &[u8]| checksum::sum(image);
    let still_wrong = edited(image.clone(), |e| e.set_vendor_id(0x10dd, "asked for").unwrap());
    assert_ne!(sum(&still_wrong), 0);
    let right = edited(image, |e| e.correct_checksum(true).unwrap());
    assert_eq!(sum(&right), 0);
    assert_eq!(sum(&edited(right, |e| e.set_vendor_id(0x10dd, "asked for").unwrap())), 0);
}

#[test]
fn a_list_that_runs_into_the_driver_does_not_destroy_it() {
    let mut image = ImageSpec { devices: vec![7], last: true, ..ImageSpec::efi(1, 2) }.build();
    let list = Image::parse(&image, 0).unwrap().structure().device_list_offset();
    image[list..0x100].fill(0x11);
    let driver = image[0x100..].to_vec();
    let image = edited(image, |e| e.set_device_ids(&[5, 6, 7], "asked for").unwrap());
    assert_eq!(ids(&image), [5, 6, 7]);
    assert!(image.ends_with(&driver));
    // One that begins in the driver.
    let mut image = ImageSpec { devices: vec![7], last: true, ..ImageSpec::efi(1, 2) }.build();
    image[PCIR + 8..PCIR + 10].copy_from_slice(&(0x120 - PCIR as u16).to_le_bytes());
    let driver = image[0x100..].to_vec();
    let image = edited(image, |e| e.set_device_ids(&[5, 6, 7], "asked for").unwrap());
    assert_eq!(ids(&image), [5, 6, 7]);
    assert!(image.ends_with(&driver));
}

#[test]
fn an_atom_header_follows_its_structure() {
    let image = crate::testing::atom::AtomSpec::polaris().build();
    let image = edited(image, |e| e.set_device_ids(&[5, 6], "asked for").unwrap());
    let parsed = Image::parse(&image, 0).unwrap();
    assert_eq!(parsed.atom().unwrap().header().pci_info_offset, parsed.structure().pointer);
    assert_eq!(ids(&image), [5, 6]);
}

#[test]
fn a_list_that_no_pointer_reaches_has_its_own_advice() {
    let mut editor = Editor::new(ImageSpec { blocks: 0x80, ..ImageSpec::pc_at(7, 1) }.build()).unwrap();
    let error = editor.set_device_ids(&[1, 2], "asked for").unwrap_err();
    assert!(matches!(error, Error::OutOfReach { at: 0x1_001c }), "{error}");
    assert!(error.advice().contains("one ROM for each device"));
}
