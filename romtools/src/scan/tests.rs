use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::testing::{ImageSpec, NpdeSpec};

fn scanned(bytes: &[u8]) -> (Vec<Found>, Summary) {
    let mut all = Vec::new();
    let summary = scan(bytes, bytes.len() as u64, &mut |event| {
        if let Event::Found(found) = event {
            all.push(found.clone());
        }
        Ok(())
    })
    .unwrap();
    (all, summary)
}

fn spans(bytes: &[u8]) -> Vec<(u64, u64)> {
    scanned(bytes).0.iter().map(|found| (found.offset, found.length)).collect()
}

fn last(spec: ImageSpec) -> Vec<u8> {
    ImageSpec { last: true, ..spec }.build()
}

fn rom() -> Vec<u8> {
    [ImageSpec::pc_at(0x1002, 1).build(), last(ImageSpec::efi(0x1002, 1))].concat()
}

#[test]
fn a_rom_is_found_wherever_firmware_packs_it() {
    for before in [0, 2, 4, 8, 24, 512, 100_000, window::SIZE - 2, window::SIZE - 30] {
        let file = [vec![0; before], rom(), vec![0xff; 700]].concat();
        let (found, summary) = scanned(&file);
        assert_eq!(summary, Summary { found: 1, not_judged: 0 }, "{before}");
        assert_eq!((found[0].offset, found[0].length), (before as u64, 0x800));
        let What::Rom(rom) = &found[0].what else { panic!() };
        assert!(rom.is_sound() && rom.findings.is_empty());
        let types: Vec<_> = rom.images.iter().map(|image| (image.offset, image.code_type.0)).collect();
        assert_eq!(types, [(0, 0), (0x400, 3)]);
    }
}

#[test]
fn copies_and_roms_behind_each_other_are_each_found() {
    let file = [rom(), rom(), vec![0; 4], rom()].concat();
    assert_eq!(spans(&file), [(0, 0x800), (0x800, 0x800), (0x1004, 0x800)]);
}

#[test]
fn what_is_inside_of_a_sound_rom_is_its_own() {
    let spec = ImageSpec { blocks: 32, last: true, ..ImageSpec::pc_at(7, 1) };
    let mut outer = spec.build();
    outer[0x1000..0x1800].copy_from_slice(&rom());
    let end = outer.len() - 1;
    outer[end] = outer[end].wrapping_sub(checksum::sum(&outer));
    assert_eq!(spans(&outer), [(0, 0x4000)]);
    // A damaged one may not be one at all.
    outer[0x2000] ^= 1;
    assert_eq!(spans(&outer), [(0, 0x4000), (0x1000, 0x800)]);
}

#[test]
fn a_cut_rom_is_found_with_its_defect() {
    let file = [vec![0; 16], rom()[..0x700].to_vec()].concat();
    let (found, _) = scanned(&file);
    let What::Rom(rom) = &found[0].what else { panic!() };
    assert_eq!((found[0].length, rom.worst()), (0x700, Some(Severity::Defect)));
}

#[test]
fn roms_from_before_pci_must_sum_to_zero() {
    let mut isa = vec![0x90u8; 1024];
    isa[..4].copy_from_slice(&[0x55, 0xaa, 2, 0xe9]);
    isa[1023] = isa[1023].wrapping_sub(checksum::sum(&isa));
    let file = [vec![1; 100], isa.clone(), vec![2; 100]].concat();
    assert_eq!(spans(&file), [(100, 1024)]);
    let mut other = file.clone();
    other[500] ^= 1;
    assert_eq!(spans(&other), []);
    // A boot sector ends with 55 AA.
    let mut boot = vec![0; 1024];
    boot[510..512].copy_from_slice(&[0x55, 0xaa]);
    assert_eq!(spans(&boot), []);
}

#[test]
fn private_images_of_their_own_are_found() {
    let npde = Some(NpdeSpec { blocks: 2, last: true });
    let mut private = ImageSpec { npde, code_type: 0x70, ..ImageSpec::pc_at(0x10de, 0) }.build();
    private[..2].copy_from_slice(b"VN");
    private[0x1c..0x20].copy_from_slice(b"NPDS");
    let file = [rom(), vec![0xff; 0x200], private].concat();
    assert_eq!(spans(&file), [(0, 0x800), (0xa00, 0x400)]);
}

/// A table with one image, as AMD's firmware makes them.
fn vfct() -> Vec<u8> {
    let image = rom();
    let mut table = vec![0; 0x4c];
    table[..4].copy_from_slice(b"VFCT");
    table[0x0a..0x18].copy_from_slice(b"ALASKAA M I   ");
    table[0x34] = 0x4c;
    table.extend([0; 24]);
    table.extend((image.len() as u32).to_le_bytes());
    table.extend(image);
    let length = table.len() as u32;
    table[4..8].copy_from_slice(&length.to_le_bytes());
    table[9] = 0u8.wrapping_sub(checksum::sum(&table));
    table
}

#[test]
fn tables_and_containers_are_found_with_what_is_in_them() {
    let mut file = [vec![0; 64], vfct(), vec![0; 7]].concat();
    let table = Found { offset: 64, length: 0x868, what: What::Vfct { checksum_good: true } };
    assert_eq!(scanned(&file).0[0], table);
    assert_eq!(spans(&file)[1], (64 + 0x68, 0x800));
    file[80] ^= 1;
    assert!(matches!(scanned(&file).0[0].what, What::Vfct { checksum_good: false }));
    file.truncate(1000);
    assert!(!scanned(&file).0.iter().any(|found| matches!(found.what, What::Vfct { .. })), "it does not fit");

    let mut container = vec![0; 0x400];
    container[..12].copy_from_slice(b"NVGI\x00\x03\x40\x00\x00\x02\x00\x00");
    let (found, _) = scanned(&[container, rom()].concat());
    assert_eq!(found[0].what, What::NvidiaContainer { version: 3 });
    assert_eq!(found[1].offset, 0x400);
    assert_eq!(spans(b"VFCT RSDT FACP NVGI NPDS"), []);
}

#[test]
fn a_hostile_file_is_read_a_few_times_and_no_more() {
    // A header every 128 bytes, each with a claim to 8 MiB.
    let mut image = ImageSpec::efi(1, 2).build();
    image[0x1c + 0x10..0x1c + 0x12].copy_from_slice(&[0xff, 0x3f]);
    let hostile = image[..0x80].repeat((4 << 20) / 0x80);
    let (summary, _) = counted(&hostile);
    assert!(summary.not_judged > 1000, "{summary:?}");
}

#[test]
fn a_file_of_nothing_but_words_is_not_read_for_each_of_them() {
    let length = 4 << 20;
    for word in [&b"NPDS"[..], b"RGIS", b"VFCT", b"NVGI"] {
        let (summary, reads) = counted(&word.repeat(length / word.len()));
        assert_eq!(summary.found, 0);
        // Each window, and the words at the end of each, for which a few bytes more are needed.
        let windows = length as u64 / window::SIZE as u64;
        assert!(reads <= windows * 21, "{reads} reads for {word:02x?}");
    }
    // Each word claims a structure aa55h bytes further on, which is beyond the window for a third of them.
    let (summary, reads) = counted(&[0x55, 0xaa].repeat(length / 2));
    assert_eq!(summary.found, 0);
    assert!(reads <= (length as u64 * JUDGED_TIMES + JUDGED_AT_LEAST) / 512 + 100, "{reads} reads");
}

#[test]
fn looking_for_private_images_is_limited_too() {
    let words = (JUDGED_AT_LEAST as usize + (16 << 20)) / 4096 * 2;
    let file = b"NPDS".repeat(words);
    let (summary, _) = counted(&file);
    assert!(summary.not_judged > 0 && summary.not_judged < words as u64, "{summary:?}");
}

/// Scans a file, and counts how often it was read; fails if more was read than is promised.
fn counted(file: &[u8]) -> (Summary, u64) {
    let (read, reads) = <(std::cell::Cell<u64>, std::cell::Cell<u64>)>::default();
    let length = file.len() as u64;
    let summary = scan(&Counting { file, read: &read, reads: &reads }, length, &mut |_| Ok(())).unwrap();
    // Once for the scan, and a few times for the judging; the last ROM may be begun when little is left.
    let allowed = length * (1 + JUDGED_TIMES) + JUDGED_AT_LEAST + LARGEST_ROM as u64;
    assert!(read.get() <= allowed, "{} of {allowed}", read.get());
    (summary, reads.get())
}

/// Counts what is read.
struct Counting<'a> {
    file: &'a [u8],
    read: &'a std::cell::Cell<u64>,
    reads: &'a std::cell::Cell<u64>,
}

impl ReadAt for Counting<'_> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read_at(offset, buffer)?;
        self.read.set(self.read.get() + length as u64);
        self.reads.set(self.reads.get() + 1);
        Ok(length)
    }
}

#[test]
fn drivers_are_not_decompressed_for_a_list() {
    let mut driver = ImageSpec::efi(1, 2).build();
    driver[0x0c] = 1;
    driver[0x100..0x200].fill(0x90);
    let (found, _) = scanned(&last_of(driver));
    let What::Rom(rom) = &found[0].what else { panic!() };
    assert_eq!(rom.findings, []);
}

fn last_of(mut image: Vec<u8>) -> Vec<u8> {
    image[crate::testing::PCIR + 0x15] = 0x80;
    image
}

#[test]
fn of_many_findings_the_worst_are_kept() {
    let mut image = ImageSpec { blocks: 1, ..ImageSpec::pc_at(1, 2) }.build();
    image[crate::testing::PCIR + 0x15] = 2;
    let mut broken = image.clone();
    broken[0x1f0] ^= 1;
    let file = [image.repeat(1000), broken].concat();
    let (found, _) = scanned(&file);
    let What::Rom(rom) = &found[0].what else { panic!() };
    assert_eq!((rom.findings.len(), rom.worst()), (MOST_FINDINGS, Some(Severity::Defect)));
    assert!(rom.findings.is_sorted_by_key(Finding::offset));
}

#[test]
fn errors_of_the_reader_end_the_scan() {
    let error = scan(&rom()[..], 0x800, &mut |_| Err(io::Error::other("enough"))).unwrap_err();
    assert_eq!(error.to_string(), "enough");
}

proptest! {
    #[test]
    fn any_bytes(file in vec(any::<u8>(), 0..5000)) {
        for found in scanned(&file).0 {
            prop_assert!(found.offset + found.length <= file.len() as u64);
        }
    }

    /// Whatever stands around and between them, sound ROMs are found where they are.
    #[test]
    fn planted_roms_are_found(
        gaps in vec((0usize..3000, any::<u8>()), 1..6),
        noise in vec((any::<prop::sample::Index>(), prop_oneof![Just([0x55, 0xaa]), any::<[u8; 2]>()]), 0..9),
    ) {
        let mut file = Vec::new();
        let mut planted = Vec::new();
        for (gap, fill) in gaps {
            let gap = gap / 2 * 2;
            let begin = file.len();
            file.extend(vec![fill; gap]);
            for (at, pair) in &noise {
                if gap >= 2 {
                    let at = begin + at.index(gap - 1);
                    file[at..at + 2].copy_from_slice(pair);
                }
            }
            planted.push((file.len() as u64, 0x800));
            file.extend(rom());
        }
        let found = spans(&file);
        for place in planted {
            prop_assert!(found.contains(&place), "{:?} not in {:?}", place, found);
        }
    }
}
