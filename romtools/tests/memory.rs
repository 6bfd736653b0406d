//! What is allocated, at most: by the length of the file, whatever is in it, and by what a stream becomes.
//!
//! One test alone, because what is counted is the whole process's.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write;

use peak_alloc::PeakAlloc;
use romtools::compression::{self, MAXIMUM_SIZE, Variant};
use romtools::expansion::Headers;
use romtools::scan::{self, Event};
use romtools::vfct::{self, Table};
use romtools::{Rom, acpi, check, compare, cut, text};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Does something, and fails if it held more than so many bytes at a time.
fn within<T>(what: &str, bytes: usize, work: impl FnOnce() -> T) -> T {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let result = work();
    let used = MEMORY.peak_usage() - before;
    assert!(used <= bytes, "{what}: {used} bytes, and {bytes} is the bound");
    result
}

/// Takes text and forgets it.
struct Sink;

impl Write for Sink {
    fn write_str(&mut self, _: &str) -> std::fmt::Result {
        Ok(())
    }
}

/// The smallest image that there is: 512 bytes, not the last, with a device list without an end.
fn image() -> Vec<u8> {
    let mut image = vec![0x11; 512];
    image[..0x38].fill(0);
    image[..4].copy_from_slice(&[0x55, 0xaa, 1, 0xcb]);
    image[0x18] = 0x1c;
    image[0x1c..0x38]
        .copy_from_slice(b"PCIR\x21\x1b\x12\x06\x1c\0\x1c\0\x03\0\x04\x01\x01\0\x20\x04\0\0\0\0\0\0\0\0");
    image
}

#[test]
fn memory_is_bounded_by_the_input() {
    // Nothing but images: each takes less in the list of images than it has bytes.
    let file = image().repeat(2048);
    let rom = within("parse", file.len() + 64 * KIB, || Rom::parse(&file)).unwrap();
    assert_eq!(rom.images().count(), 2048);
    // Each is damaged in its checksum, its list and more.
    within("check", file.len() + 64 * KIB, || assert!(check::findings(&rom).len() >= 2 * 2048));
    within("info", 64 * KIB, || write!(Sink, "{}", text::info_with_tables(&rom)).unwrap());
    within("cut", file.len() + 64 * KIB, || cut::cut(&rom, &cut::Options::default()).is_ok());
    within("the first chain alone", 64 * KIB, || romtools::Images::new(&file, 0).count());

    // Nothing at all: no memory.
    let noise = vec![0x5a; MIB];
    within("no ROM", 0, || assert!(Rom::parse(&noise).is_err()));

    // A ring of headers.
    let mut ring = image();
    ring[0x1a..0x1c].copy_from_slice(&[0x40, 0]);
    ring[0x40..0x48].copy_from_slice(b"$PnP\x01\x02\x40\x00");
    within("expansion headers", 0, || assert_eq!(Headers::new(&ring).count(), 1));

    // Two blocks of no bits become almost 16 MiB; one byte more is refused before anything is allocated.
    let block = |symbols: u128, character: u128| symbols << 36 | character << 8;
    let bits = ((block(1, 0) << 52 | block(0, 509)) << 24).to_be_bytes();
    let stream =
        |original: usize| [&13u32.to_le_bytes(), &(original as u32).to_le_bytes(), &bits[..13]].concat();
    let (bomb, refused) = (stream(1 + 256 * 65_535), stream(MAXIMUM_SIZE + 1));
    within("a bomb", MAXIMUM_SIZE + 128 * KIB, || {
        assert_eq!(compression::decompress(&bomb, Variant::Uefi).unwrap().len(), 1 + 256 * 65_535);
    });
    // The same in an image of 512 bytes: each that looks into the driver holds one, and a comparison two.
    let mut bombs = image();
    bombs[2..0x0e].copy_from_slice(&[1, 0, 0xf1, 0x0e, 0, 0, 0x0b, 0, 0x64, 0x86, 1, 0]);
    bombs[0x16..0x18].copy_from_slice(&[0x40, 0]);
    bombs[0x1c + 0x14] = 3;
    bombs[0x40..0x40 + bomb.len()].copy_from_slice(&bomb);
    let others = [&bombs[..], &image()].concat();
    let (one, other) = (Rom::parse(&bombs).unwrap(), Rom::parse(&others).unwrap());
    within("check of a bomb", MAXIMUM_SIZE + 256 * KIB, || assert!(!check::findings(&one).is_empty()));
    within("its guests", MAXIMUM_SIZE + 256 * KIB, || check::guests(&one));
    within("info of a bomb", MAXIMUM_SIZE + 256 * KIB, || write!(Sink, "{}", text::info(&one)).unwrap());
    within("compare of bombs", 2 * MAXIMUM_SIZE + 512 * KIB, || compare::compare(&one, &other));
    within("check without drivers", 8 * KIB, || check::findings_without_drivers(&one).len());

    // A file of several times what is read of one ROM, with nothing but images that are bombs and damaged.
    let file = [bombs, image()].concat().repeat(3 * scan::LARGEST_ROM / 1024);
    let mut found = 0;
    within("scan", 12 * MIB, || {
        scan::scan(&file[..], file.len() as u64, &mut |event| {
            found += usize::from(matches!(event, Event::Found(_)));
            Ok(())
        })
    })
    .unwrap();
    assert!(found > 0);

    within("a larger one", 0, || assert!(compression::decompress(&refused, Variant::Uefi).is_err()));

    // A table with many records that lie about their length.
    let mut table = b"VFCT\xff\xff\xff\xff\x01\0TEST  TESTTEST\x01\0\0\0TEST\x01\0\0\0".to_vec();
    table.resize(vfct::LENGTH, 0);
    table[0x34] = 0x4c;
    for _ in 0..4000 {
        table.extend([
            1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x10, 0, 0x19, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0,
        ]);
    }
    within("find", KIB, || acpi::find(&table, vfct::SIGNATURE).unwrap().bytes.len());
    let vfct = Table::parse(&table).unwrap();
    within("records", 0, || assert_eq!(vfct.records().count(), vfct::MOST_RECORDS));
    within("findings", 64 * KIB, || assert!(!vfct::findings(&vfct).is_empty()));
}
