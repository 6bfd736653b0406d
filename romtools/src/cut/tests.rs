use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::testing::{ImageSpec, NpdeSpec};

fn cut_of<'a>(file: &'a [u8], options: Options) -> Result<Cut<'a>, Error> {
    cut(&Rom::parse(file).unwrap(), &options)
}

const FIRMWARE_ONLY: Options = Options { private_images: false };

/// NVIDIA's: PC-AT, EFI, which is the firmware's last, and a private one.
fn nvidia() -> (Vec<u8>, Vec<u8>) {
    let npde = |last| Some(NpdeSpec { blocks: 2, last });
    let pc_at = ImageSpec { npde: npde(false), ..ImageSpec::pc_at(0x10de, 1) };
    let efi = ImageSpec { npde: npde(false), last: true, ..ImageSpec::efi(0x10de, 1) };
    let mut private =
        ImageSpec { npde: npde(true), code_type: 0xe0, last: true, ..ImageSpec::pc_at(0x10de, 1) }.build();
    private[..2].copy_from_slice(b"VN");
    private[0x1c..0x20].copy_from_slice(b"NPDS");
    ([pc_at.build(), efi.build()].concat(), private)
}

#[test]
fn a_dump_of_a_whole_flash_becomes_the_rom() {
    let (firmware, private) = nvidia();
    let mut copy = [firmware.clone(), private.clone()].concat();
    copy[0x280] ^= 1;
    let container = [&b"NVGI"[..], &[7; 508]].concat();
    let tail = [vec![0xff; 512], b"-----BEGIN CERTIFICATE-----".to_vec()].concat();
    let file = [container, firmware.clone(), private.clone(), vec![0; 0x400], copy, tail].concat();
    let cut = cut_of(&file, Options::default()).unwrap();
    assert_eq!(cut.bytes, [firmware.clone(), private].concat());
    assert_eq!((cut.offset, cut.images, cut.is_terminated), (0x200, 3, true));
    let lines: Vec<_> = cut.removed.iter().map(Removed::to_string).collect();
    assert_eq!(
        lines,
        [
            "0h..200h: NVIDIA flash container (NVGI)",
            "e00h..1200h: padding (00)",
            "1200h..1e00h: a second copy of the ROM, 1 byte(s) differ",
            "1e00h..2000h: padding (ff)",
            "2000h..201bh: data in no image (certificates, settings, other firmware)",
        ]
    );
    let cut = cut_of(&file, FIRMWARE_ONLY).unwrap();
    assert_eq!((cut.bytes, cut.images, cut.is_terminated), (&firmware[..], 2, true));
    assert_eq!(cut.removed[1].to_string(), "a00h..e00h: 1 image(s) private to the vendor's driver");
}

#[test]
fn a_driver_behind_a_gap_belongs_to_the_rom() {
    let first = ImageSpec::pc_at(1, 2).build();
    let driver = ImageSpec { last: true, ..ImageSpec::efi(1, 2) }.build();
    let file = [first.clone(), vec![0xff; 512], driver.clone(), vec![0xff; 512]].concat();
    for options in [Options::default(), FIRMWARE_ONLY] {
        let cut = cut_of(&file, options).unwrap();
        assert_eq!(cut.bytes, &file[..file.len() - 512], "OVMF looks on to the driver");
        assert_eq!((cut.images, cut.is_terminated, cut.removed.len()), (2, true, 1));
    }
    // A copy would be started twice, and an image for a BIOS not at all.
    let other = ImageSpec { last: true, ..ImageSpec::pc_at(3, 4) }.build();
    for behind in [first.clone(), other] {
        let file = [first.clone(), vec![0xff; 512], behind].concat();
        assert_eq!(cut_of(&file, Options::default()).unwrap().bytes, first);
    }
}

/// A container of each version: an image that is none in it, and its length, where the ROM begins.
fn containers() -> [(u8, Vec<u8>); 4] {
    let container = |version: u8, length: usize, words: &[(usize, u32)]| {
        let mut container = vec![0x11; length];
        container[..12].copy_from_slice(b"NVGI\xf4\x01\x10\x80\x80\0\0\0");
        container[5] = version;
        for (at, word) in words {
            container[*at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        let stray = ImageSpec { last: true, ..ImageSpec::pc_at(0x10de, 0x0bad) }.build();
        container[0x200..0x200 + stray.len()].copy_from_slice(&stray);
        (version, container)
    };
    let directory = u32::from_le_bytes(*b"RFRD");
    [
        container(1, 0x800, &[(0x14, 0x800)]),
        container(2, 0x800, &[(0x14, 0x800)]),
        container(3, 0x2800, &[(0x80, 0x1000), (0x2000, directory), (0x2008, 0x2800)]),
        // Its ROM begins between two blocks of the file.
        container(1, 0x90c, &[(0x14, 0x90c)]),
    ]
}

#[test]
fn a_copy_behind_a_gap_is_none_of_the_rom_whatever_private_images_stand_around_it() {
    let driver = ImageSpec::efi(1, 2).build();
    let (_, private) = nvidia();
    let gap = vec![0xff; 512];
    for (front, behind) in [(vec![], vec![]), (private.clone(), vec![]), (vec![], private.clone())] {
        let file = [&driver[..], &gap, &front, &driver, &behind].concat();
        for options in [Options::default(), FIRMWARE_ONLY] {
            assert_eq!(cut_of(&file, options).unwrap().bytes, driver, "{} {}", front.len(), behind.len());
        }
    }
    // Another driver is no copy.
    let other = ImageSpec { blocks: 4, ..ImageSpec::efi(1, 2) }.build();
    let file = [&driver[..], &gap, &other].concat();
    assert_eq!(cut_of(&file, FIRMWARE_ONLY).unwrap().bytes, file);
}

#[test]
fn nvidia_s_container_says_where_the_rom_begins() {
    let (firmware, private) = nvidia();
    let rom = [firmware, private].concat();
    for (version, container) in containers() {
        let file = [&container[..], &rom, &[0xff; 0x600]].concat();
        let cut = cut_of(&file, Options::default()).unwrap();
        assert_eq!((cut.offset, cut.images), (container.len(), 3), "version {version}");
        assert_eq!(cut.bytes, rom, "version {version}");
        assert_eq!(cut.removed[0].what, What::Container, "version {version}");
        assert_eq!(cut.removed[0].length, container.len(), "version {version}");
        // The words that lead there, damaged: then the first image that there is.
        let mut damaged = file.clone();
        damaged[5] = 9;
        assert_eq!(cut_of(&damaged, Options::default()).unwrap().offset, 0x200, "version {version}");
    }
}

#[test]
fn private_images_in_front_go_only_if_firmware_would_stop_at_them() {
    let (firmware, private) = nvidia();
    let mut readable = ImageSpec { code_type: 0xe0, ..ImageSpec::pc_at(0x10de, 1) }.build();
    readable[0x300] ^= 1;
    let mut opener = private.clone();
    opener[0x1c + 0x15] = 0;
    opener[0x3a] = 0;
    let file = [opener, readable.clone(), firmware.clone()].concat();
    let cut = cut_of(&file, Options::default()).unwrap();
    assert_eq!(cut.bytes, [readable, firmware.clone()].concat());
    assert_eq!(cut.removed[0].what, What::PrivateImages(1));
    assert_eq!(cut_of(&file, FIRMWARE_ONLY).unwrap().bytes, firmware);
}

#[test]
fn lsi_s_images_behind_last_belong_to_it() {
    let main = ImageSpec { last: true, ..ImageSpec::pc_at(0x1000, 0x72) }.build();
    let more = ImageSpec { code_type: 0xff, last: true, ..ImageSpec::pc_at(0x1000, 0) }.build();
    let other = ImageSpec { last: true, ..ImageSpec::pc_at(0x8086, 1) }.build();
    let file = [main.clone(), more.clone(), more.clone(), other].concat();
    let cut = cut_of(&file, Options::default()).unwrap();
    assert_eq!(cut.bytes.len(), main.len() + 2 * more.len());
    assert_eq!(cut.removed[0].what, What::OtherImages(1));
    assert_eq!(cut_of(&file, FIRMWARE_ONLY).unwrap().bytes, main);
}

#[test]
fn a_rom_that_is_nothing_else_stays_as_it_is() {
    let file = ImageSpec { last: true, ..ImageSpec::efi(1, 2) }.build();
    let cut = cut_of(&file, Options::default()).unwrap();
    assert_eq!((cut.bytes, cut.removed.len()), (&file[..], 0));
    let shadow = ImageSpec::pc_at(1, 2).build();
    assert!(!cut_of(&shadow, Options::default()).unwrap().is_terminated);
}

#[test]
fn what_is_not_whole_is_not_cut() {
    let file = ImageSpec { last: true, ..ImageSpec::pc_at(1, 2) }.build();
    let error = cut_of(&file[..0x3ff], Options::default()).unwrap_err();
    assert_eq!(error, Error::Truncated { offset: 0, length: 0x400, available: 0x3ff });
    let zero = ImageSpec { blocks: 0, ..ImageSpec::pc_at(1, 2) }.build();
    assert_eq!(cut_of(&zero, Options::default()), Err(Error::ZeroLength { offset: 0 }));
    let (_, private) = nvidia();
    assert_eq!(cut_of(&private, Options::default()), Err(Error::NothingForFirmware));
    let mut isa = vec![0; 1024];
    isa[..4].copy_from_slice(&[0x55, 0xaa, 1, 0xcb]);
    assert_eq!(cut_of(&isa, Options::default()).unwrap().bytes.len(), 512);
    assert!(matches!(cut_of(&isa[..100], Options::default()), Err(Error::Truncated { .. })));
    isa.extend(&private);
    let removed = cut_of(&isa, Options::default()).unwrap().removed;
    assert_eq!(removed[1].to_string(), "400h..800h: 1 image(s) private to the vendor's driver");
}

#[test]
fn a_vendor_s_own_images_behind_an_isa_rom_are_told() {
    let mut file = vec![0; 512];
    file[..4].copy_from_slice(&[0x55, 0xaa, 1, 0xcb]);
    file.extend(ImageSpec { code_type: 0xe0, last: true, ..ImageSpec::pc_at(0x10de, 1) }.build());
    file.extend([0xff; 7]);
    let rom = Rom::parse(&file).unwrap();
    let removed = cut(&rom, &Options::default()).unwrap().removed;
    let whats: Vec<_> =
        removed.iter().map(|removed| (removed.offset, removed.length, removed.what)).collect();
    assert_eq!(whats, [(512, 1024, What::PrivateImages(1)), (1536, 7, What::Padding(0xff))]);
}

#[test]
fn an_image_that_is_described_by_what_follows_it_is_not_cut_out() {
    let mut file = vec![0; 512];
    file[..3].copy_from_slice(&[0x55, 0xaa, 1]);
    // The pointer leads behind the one block that the structure there claims.
    file[0x19] = 2;
    file.extend(b"PCIR\xde\x10\x12\x06\0\0\x18\0\0\0\0\x03\x01\0\x20\x04\0\x80\0\0");
    assert_eq!(cut_of(&file, Options::default()), Err(Error::StructureOutside { offset: 0 }));
}

proptest! {
    /// What is cut out is cut out of itself again, whole; and with what is removed it makes the file.
    #[test]
    fn cutting_twice_is_cutting_once(
        parts in vec(prop_oneof![
            any::<(bool, bool)>().prop_map(|(efi, last)| {
                let spec = if efi { ImageSpec::efi(1, 2) } else { ImageSpec::pc_at(1, 2) };
                ImageSpec { last, ..spec }.build()
            }),
            vec(any::<u8>(), 0..1500),
            Just(nvidia().1),
            Just(vec![0xff; 512]),
        ], 0..7),
        edits in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        private_images in any::<bool>(),
    ) {
        let mut file = parts.concat();
        for (at, byte) in edits {
            if !file.is_empty() {
                let at = at.index(file.len());
                file[at] = byte;
            }
        }
        let options = Options { private_images };
        let Ok(rom) = Rom::parse(&file) else { return Ok(()) };
        let Ok(first) = cut(&rom, &options) else { return Ok(()) };
        let mut spans: Vec<_> = first.removed.iter().map(|r| (r.offset, r.length)).collect();
        spans.push((first.offset, first.bytes.len()));
        spans.sort_unstable();
        let mut at = 0;
        for (offset, length) in spans {
            prop_assert_eq!(offset, at);
            at += length;
        }
        prop_assert_eq!(at, file.len());
        let again = Rom::parse(first.bytes).unwrap();
        let second = cut(&again, &options).unwrap();
        prop_assert_eq!(second.bytes, first.bytes);
        prop_assert_eq!(second.removed.len(), 0);
    }
}
