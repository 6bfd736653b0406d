use std::cell::Cell;
use std::io::Cursor;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::testing::{ImageSpec, NpdeSpec};

fn read(bytes: &[u8]) -> Vec<u8> {
    read_rom(bytes, 0, MAXIMUM_SIZE).unwrap()
}

fn last(spec: ImageSpec) -> Vec<u8> {
    ImageSpec { last: true, ..spec }.build()
}

#[test]
fn a_bar_is_read_up_to_the_end_of_the_chain() {
    let rom = [ImageSpec::pc_at(1, 2).build(), last(ImageSpec::efi(1, 2))].concat();
    for behind in [0xff, 0x00, 0x55] {
        assert_eq!(read(&[rom.clone(), vec![behind; 0x4000]].concat()), rom);
    }
    assert_eq!(read(&rom), rom);
}

#[test]
fn a_chain_without_last_ends_where_no_image_follows() {
    let rom = ImageSpec::pc_at(1, 2).build();
    assert_eq!(read(&[rom.clone(), vec![0xff; 0x4000]].concat()), rom);
    assert_eq!(read(&[rom.clone(), vec![0x55; 3]].concat()), rom);
}

#[test]
fn nvidia_s_private_images_belong_to_it() {
    let npde = |last| Some(NpdeSpec { blocks: 2, last });
    let efi = ImageSpec { npde: npde(false), ..ImageSpec::efi(0x10de, 1) };
    let private = ImageSpec { npde: npde(true), code_type: 0xe0, ..ImageSpec::pc_at(0x10de, 1) };
    let rom = [last(efi), last(private)].concat();
    assert_eq!(read(&[rom.clone(), vec![0xff; 512]].concat()), rom);
}

#[test]
fn a_rom_from_before_pci_has_its_length_at_2() {
    let mut rom = vec![7; 1024];
    rom[..4].copy_from_slice(&[0x55, 0xaa, 2, 0xcb]);
    assert_eq!(read(&[rom.clone(), vec![0xff; 512]].concat()), rom);
    rom[2] = 0;
    assert_eq!(read(&rom).len(), header::LENGTH);
}

#[test]
fn what_is_no_rom_gives_its_beginning_for_a_message() {
    assert_eq!(read(&[0xff; 4096]), [0xff; header::LENGTH]);
    assert_eq!(read(b"abc"), b"abc");
    assert_eq!(read(b""), b"");
}

#[test]
fn limits_hold_whatever_a_header_claims() {
    let rom = ImageSpec { blocks: 0xffff, ..ImageSpec::efi(1, 2) }.build();
    assert_eq!(read_rom(&rom[..], 0, 4096).unwrap(), rom[..4096]);
    assert_eq!(read(&rom[..5000]).len(), 5000);
    let endless = ImageSpec { blocks: 1, ..ImageSpec::efi(1, 2) };
    let rom = endless.build();
    // The data structure of the last one lies in the limit, its end does not.
    struct Repeating<'a>(&'a [u8]);
    impl ReadAt for Repeating<'_> {
        fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read_at(offset % self.0.len() as u64, buffer)
        }
    }
    assert_eq!(read_rom(&Repeating(&rom), 0, 100 * 512).unwrap().len(), 100 * 512);
}

/// Reads a byte at a time, and is interrupted each time.
struct Slow<'a>(&'a [u8], Cell<bool>);

impl ReadAt for Slow<'_> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.1.replace(!self.1.get()) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let length = buffer.len().min(1);
        self.0.read_at(offset, &mut buffer[..length])
    }
}

#[test]
fn short_and_interrupted_reads_are_continued() {
    let rom = last(ImageSpec::pc_at(1, 2));
    let file = [vec![1; 77], rom.clone(), vec![2; 900]].concat();
    assert_eq!(read_rom(&Slow(&file, Cell::new(false)), 77, MAXIMUM_SIZE).unwrap(), rom);
    assert_eq!(read_rom(&Seekable::new(Cursor::new(file)), 77, MAXIMUM_SIZE).unwrap(), rom);
}

proptest! {
    #[test]
    fn any_bytes(file in vec(any::<u8>(), 0..3000), limit in 0usize..4000) {
        let rom = read_rom(&file[..], 0, limit).unwrap();
        prop_assert_eq!(&rom[..], &file[..rom.len()]);
        prop_assert!(rom.len() <= limit);
    }

    /// What is read is what the walk finds in the whole file.
    #[test]
    fn the_walk_and_the_reading_agree(
        images in vec((any::<bool>(), any::<bool>(), 0u16..5), 1..5),
        edits in vec((0usize..0x40, any::<u8>()), 0..3),
        behind in vec(any::<u8>(), 0..2000),
    ) {
        let mut file: Vec<u8> = images.iter().flat_map(|&(efi, last, blocks)| {
            let spec = if efi { ImageSpec::efi(1, 2) } else { ImageSpec::pc_at(1, 2) };
            ImageSpec { last, blocks, ..spec }.build()
        }).collect();
        for (at, byte) in edits {
            file[at] = byte;
        }
        file.extend(behind);
        let rom = read(&file);
        let chain = crate::Chain::walk(&file, 0);
        let again = crate::Chain::walk(&rom, 0);
        prop_assert_eq!(chain.images().len(), again.images().len());
        for (a, b) in chain.images().iter().zip(again.images()) {
            prop_assert_eq!(a.bytes(), b.bytes());
        }
    }
}
