//! Any file, through everything that is done with ROMs: every byte of it is in one image or in none; findings and text are
//! about the file; what is cut out, fixed and built is whole, is read back as what it was made to be, and does not
//! change when it is done again; a comparison finds nothing only between files that are equal; memory is bounded by the file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use romtools::build::{Builder, Part};
use romtools::checksum::Verdict;
use romtools::compression::MAXIMUM_SIZE;
use romtools::fix::{self, Fixes};
use romtools::{CodeType, Image, Rom, Signature, Stop, check, compare, cut, efi, text};
use vfio_reset_fuzz::{printed, within};

/// What is allocated for a file of this length, at most: lists of images, findings, and the edited file.
fn bound(length: usize) -> usize {
    16 * length + (64 << 10)
}

fuzz_target!(|file: &[u8]| {
    let rom = match within(bound(file.len()), || Rom::parse(file)) {
        Ok(rom) => rom,
        Err(error) => {
            assert_eq!(error.offset(), 0);
            assert!(!error.to_string().is_empty() && !error.advice().is_empty());
            return;
        }
    };
    every_byte_once(&rom);
    // A driver is looked into, one after the other; by a comparison, two at a time.
    let drivers_too = bound(file.len()) + 2 * MAXIMUM_SIZE + (512 << 10);
    within(drivers_too, || said(&rom));
    drivers(&rom);
    within(bound(file.len()), || cuts(&rom));
    within(drivers_too, || fixes(&rom));
    // An ISA ROM gets the length that it claims, 128 KiB at most, and is copied once.
    within(bound(file.len()) + (256 << 10), || builds(&rom));
});

/// Images, the ISA ROM and data are the file, in order.
fn every_byte_once(rom: &Rom<'_>) {
    let legacy = rom.legacy().map(|legacy| (0, legacy.bytes()));
    let images = rom.images().map(|image| (image.offset(), image.bytes()));
    let mut parts: Vec<_> = legacy.into_iter().chain(images).collect();
    parts.extend(rom.data().map(|data| (data.offset, data.bytes)));
    parts.retain(|(_, bytes)| !bytes.is_empty());
    parts.sort_by_key(|(offset, _)| *offset);
    let mut end = 0;
    for (offset, bytes) in parts {
        assert_eq!(offset, end, "a byte in two parts, or in none");
        assert_eq!(bytes, &rom.file()[offset..offset + bytes.len()]);
        end += bytes.len();
    }
    assert_eq!(end, rom.file().len());
    assert_eq!(rom.copies().len(), rom.chains().len());
}

/// `info` and `check`.
fn said(rom: &Rom<'_>) {
    let length = rom.file().len();
    // An image of 512 bytes has its two dozen lines, and a device list 5 characters for 2 bytes.
    assert!(printed(text::info_with_tables(rom)) <= 4096 + 64 * length);
    assert!(printed(check::guests(rom)) < 1024);
    let findings = check::findings(rom);
    assert!(findings.is_sorted_by_key(check::Finding::offset));
    for finding in findings.iter().chain(&check::for_device(rom, 0x1002, 0x1900)) {
        assert!(finding.offset() <= length, "{finding}");
        assert!(!finding.to_string().is_empty() && !finding.problem().advice().is_empty());
        assert!(!finding.problem().id().is_empty());
    }
}

/// `extract`: the first drivers, as a stream of a few bytes can become 16 MiB.
fn drivers(rom: &Rom<'_>) {
    for image in rom.images().filter(|image| image.code_type() == CodeType::EFI).take(2) {
        match within(MAXIMUM_SIZE + (256 << 10), || efi::driver(image)).expect("it is an EFI image") {
            Ok(driver) => {
                assert!(driver.bytes.starts_with(b"MZ") && driver.bytes.len() <= MAXIMUM_SIZE);
                assert!(driver.compression.is_some() || driver.bytes.len() <= image.bytes().len());
            }
            Err(error) => assert!(!error.to_string().is_empty() && !error.advice().is_empty()),
        }
    }
}

fn cuts(rom: &Rom<'_>) {
    for private_images in [false, true] {
        let options = cut::Options::default().private_images(private_images);
        let cut = match cut::cut(rom, &options) {
            Ok(cut) => cut,
            Err(error) => {
                assert!(!error.to_string().is_empty() && !error.advice().is_empty());
                continue;
            }
        };
        let end = cut.offset + cut.bytes.len();
        assert!(!cut.bytes.is_empty());
        assert_eq!(cut.bytes, &rom.file()[cut.offset..end]);
        // What is left and what is out is the file.
        let mut at = 0;
        for removed in &cut.removed {
            at = if at == cut.offset { end } else { at };
            assert_eq!(removed.offset, at, "{removed}");
            at += removed.length;
        }
        assert_eq!(if at == cut.offset { end } else { at }, rom.file().len());
        // It is a ROM, whole, and nothing can be cut from it any more.
        let own = Rom::parse(cut.bytes).expect("what is cut out is a ROM");
        assert!(own.images().all(|image| !image.is_truncated() && image.length() != 0));
        assert_eq!(own.images().count() + usize::from(own.legacy().is_some()), cut.images);
        let again = cut::cut(&own, &options).expect("it can be cut again");
        assert_eq!((again.offset, again.bytes, again.images), (0, cut.bytes, cut.images));
        assert_eq!((again.is_terminated, again.removed.len()), (cut.is_terminated, 0));
    }
}

fn fixes(rom: &Rom<'_>) {
    let checksum = Fixes::default().checksum(true);
    let list: Vec<u16> = (1..40).collect();
    for fixes in [
        Fixes::default(),
        checksum.clone(),
        checksum.last(true).initialization_size(true),
        Fixes::default().vendor_id(0x1002).device_ids(vec![0x1900]),
        Fixes::default().device_ids(list).vendor_rom_revision(0x420),
    ] {
        let fixed = match fix::apply(rom, &fixes) {
            Ok(fixed) => fixed,
            Err(error) => {
                assert!(!error.to_string().is_empty() && !error.advice().is_empty());
                continue;
            }
        };
        // What is not written to is as it was.
        assert!(fixed.changes.is_empty() || !fixes.is_empty());
        assert_eq!(fixed.changes.is_empty(), fixed.bytes == rom.file());
        for change in &fixed.changes {
            let end = change.offset + change.new.len();
            assert!(change.old != change.new && end <= fixed.bytes.len(), "{change:?}");
        }
        if fixed.bytes.len() == rom.file().len() && fixed.changes.iter().all(|change| !change.old.is_empty())
        {
            let mut undone = fixed.bytes.clone();
            for change in fixed.changes.iter().rev() {
                undone[change.offset..change.offset + change.new.len()].copy_from_slice(&change.old);
            }
            assert_eq!(undone, rom.file(), "a change is not told");
        }
        let again = Rom::parse(&fixed.bytes).expect("what was fixed is a ROM");
        holds(&again, &fixes);
        let twice = fix::apply(&again, &fixes).expect("what was fixed can be fixed");
        assert_eq!(twice.changes, [], "a second time");
        compared(rom, &again);
    }
}

/// What was asked for is so.
fn holds(rom: &Rom<'_>, fixes: &Fixes) {
    let Some(chain) = rom.chain_for_firmware() else { return };
    for image in chain.images() {
        let pcir = image.structure();
        if fixes.checksum {
            assert!(!matches!(image.checksum(), Verdict::Wrong { .. }));
        }
        if is_for_firmware(image) {
            assert!(fixes.vendor_id.is_none_or(|id| id == pcir.vendor_id));
            if let Some(ids) = &fixes.device_ids {
                assert_eq!(Some(&pcir.device_id), ids.first());
                let listed: Vec<_> = pcir.device_list().collect();
                assert_eq!(listed, if ids.len() > 1 { &ids[..] } else { &[] });
            }
        }
    }
}

fn is_for_firmware(image: &Image<'_>) -> bool {
    image.signature() == Signature::OptionRom && image.code_type().0 <= 3
}

/// A comparison is blind to nothing, and from either side the same.
fn compared(first: &Rom<'_>, second: &Rom<'_>) {
    let comparison = compare::compare(first, second);
    assert_eq!(comparison.is_same(), first.file() == second.file());
    let back = compare::compare(second, first);
    assert_eq!((back.is_same(), back.pairs.len()), (comparison.is_same(), comparison.pairs.len()));
    for pair in comparison.pairs.iter().flat_map(|pair| &pair.ranges) {
        assert!(pair.first <= first.file().len() && pair.second <= second.file().len());
    }
}

/// The file as finished images, and as a legacy image.
fn builds(rom: &Rom<'_>) {
    let file = rom.file();
    for part in [Part::Images(file), Part::Legacy(file)] {
        let built = match Builder::new(0x1234, vec![0x1111]).part(part).build() {
            Ok(built) => built,
            Err(error) => {
                assert!(!error.to_string().is_empty() && !error.advice().is_empty());
                continue;
            }
        };
        let again = Rom::parse(&built).expect("what was built is a ROM");
        assert_eq!((again.data().count(), again.legacy()), (0, None));
        assert_eq!(again.chains()[0].stop(), Stop::LastImage);
        assert!(again.images().all(|image| !image.is_truncated()));
        if let Part::Images(_) = part {
            let sizes = |rom: &Rom<'_>| rom.images().map(Image::length).collect::<Vec<_>>();
            assert_eq!(sizes(&again), sizes(rom));
            // A vendor's own images may stand behind the last one: they are a chain of their own.
            if again.chains().len() == 1 {
                let twice = Builder::new(0x1234, vec![0x1111]).part(Part::Images(&built)).build();
                assert_eq!(twice.as_ref(), Ok(&built));
            }
        } else {
            let images: Vec<_> = again.images().collect();
            assert!(images.len() == 1 && !matches!(images[0].checksum(), Verdict::Wrong { .. }));
            assert!(images[0].structure().is_for(0x1234, 0x1111));
        }
    }
}
