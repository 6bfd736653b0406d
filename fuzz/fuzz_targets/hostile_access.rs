//! A function that is read and written live and answers as it likes: what it says changes between reads, accesses fail,
//! the space shrinks.
//!
//! The input is the number of bytes in a script, the script, and what an honest function would have.
#![no_main]

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use pcicfg::edit::{Edit, apply};
use pcicfg::live::{SnapshotError, WalkError};
use pcicfg::{ConfigRead, ConfigWrite};

#[path = "../../pcicfg/tests/common/exercise.rs"]
mod exercise;

/// An access that failed: its offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Failed(u16);

/// A function that follows a script of one step for each access.
struct Hostile<'i> {
    script: RefCell<std::slice::Iter<'i, u8>>,
    image: &'i [u8],
    /// The end of what can be read.
    end: Cell<usize>,
    accesses: Cell<usize>,
    /// What the last failure was.
    failure: Cell<Option<Failed>>,
}

impl<'i> Hostile<'i> {
    fn new(script: &'i [u8], image: &'i [u8]) -> Self {
        Self {
            script: RefCell::new(script.iter()),
            image,
            end: Cell::new(4096),
            accesses: Cell::new(0),
            failure: Cell::new(None),
        }
    }

    fn step(&self) -> Option<u8> {
        self.script.borrow_mut().next().copied()
    }

    fn fail(&self, offset: u16) -> Result<(), Failed> {
        self.failure.set(Some(Failed(offset)));
        Err(Failed(offset))
    }
}

impl ConfigRead for Hostile<'_> {
    type Error = Failed;

    fn read(&self, offset: u16, bytes: &mut [u8]) -> Result<(), Failed> {
        self.accesses.set(self.accesses.get() + 1);
        let (start, end) = (usize::from(offset), usize::from(offset) + bytes.len());
        assert!(!bytes.is_empty() && end <= 4096, "{start:#x}..{end:#x} is no configuration space");
        assert!(bytes.len() > 4 || start.is_multiple_of(bytes.len()), "registers are read as such");
        // What an honest function says, all-ones where the image ends.
        for (byte, at) in bytes.iter_mut().zip(start..) {
            *byte = self.image.get(at).copied().unwrap_or(0xff);
        }
        match self.step() {
            None | Some(0x00..0x80) => {}
            Some(0x80..0x90) => return self.fail(offset),
            Some(0x90..0xa0) => bytes.fill(0xff),
            Some(0xa0..0xb0) => bytes.fill(0x00),
            // From now on the space ends earlier.
            Some(0xb0..0xb8) => self.end.set(usize::from(self.step().unwrap_or(0)) * 16),
            // The answer is the script's.
            Some(0xb8..0xe0) => bytes.fill_with(|| self.step().unwrap_or(0x40)),
            // The honest answer, with some bits of it changed.
            Some(flip) => {
                for byte in bytes {
                    *byte ^= self.step().unwrap_or(flip);
                }
            }
        }
        if end > self.end.get() { self.fail(offset) } else { Ok(()) }
    }
}

impl ConfigWrite for Hostile<'_> {
    /// What is written is lost, and some writes fail.
    fn write(&self, offset: u16, bytes: &[u8]) -> Result<(), Failed> {
        self.accesses.set(self.accesses.get() + 1);
        assert!(matches!(bytes.len(), 1 | 2 | 4) && usize::from(offset).is_multiple_of(bytes.len()));
        assert!(usize::from(offset) + bytes.len() <= 4096);
        if matches!(self.step(), Some(0x80..0x90)) { self.fail(offset) } else { Ok(()) }
    }
}

/// The offset and id of what a walk gave, and how it ended; checks what must hold for any answers.
fn check(
    device: &Hostile<'_>,
    found: &[Result<(u16, u16), WalkError<Failed>>],
    places: std::ops::Range<u16>,
) {
    let dwords = places.len() / 4;
    assert!(found.len() <= dwords + 1);
    let good: Vec<u16> = found.iter().map_while(|item| Some(item.ok()?.0)).collect();
    assert!(good.iter().all(|at| at % 4 == 0 && places.contains(at)));
    assert_eq!(good.iter().collect::<BTreeSet<_>>().len(), good.len(), "each at most once");
    match found.get(good.len()) {
        None => assert_eq!(device.failure.get(), None, "a failure was kept quiet"),
        Some(Ok(_)) => unreachable!(),
        Some(Err(WalkError::Access { offset, error })) => {
            assert_eq!((device.failure.get(), *offset), (Some(*error), error.0));
        }
        Some(Err(other)) => {
            assert_eq!(device.failure.get(), None, "{other}");
            assert!(!other.to_string().is_empty());
        }
    }
    assert!(found.len() <= good.len() + 1, "an error is the last");
}

fuzz_target!(|input: &[u8]| {
    let Some((&length, rest)) = input.split_first() else { return };
    let (script, image) = rest.split_at(usize::from(length).min(rest.len()));

    let device = Hostile::new(script, image);
    let mut walk = device.capabilities();
    let found: Vec<_> =
        walk.by_ref().map(|item| item.map(|entry| (entry.offset, entry.id.0.into()))).collect();
    check(&device, &found, 0x40..0x100);
    let accesses = device.accesses.get();
    assert!(accesses <= 3 + 48);
    assert_eq!((walk.next(), device.accesses.get()), (None, accesses), "an ended walk has ended");
    // The finder gives what the walk gave, if the device says the same again.
    for &(at, id) in found.iter().flatten().take(1).chain(found.iter().flatten().last()) {
        let device = Hostile::new(script, image);
        let first = found.iter().flatten().find(|(_, other)| *other == id).map(|(at, _)| *at);
        let id = pcicfg::capability::CapabilityId(id as u8);
        assert_eq!(device.find_capability(id), Ok(first), "{at:#x}");
    }

    let device = Hostile::new(script, image);
    let found: Vec<_> =
        device.extended_capabilities().map(|item| item.map(|entry| (entry.offset, entry.id.0))).collect();
    check(&device, &found, 0x100..0x1000);
    assert!(device.accesses.get() <= 2 + 14 + 960);
    if let Some(&(_, id)) = found.iter().flatten().last() {
        let device = Hostile::new(script, image);
        let first = found.iter().flatten().find(|(_, other)| *other == id).map(|(at, _)| *at);
        let id = pcicfg::extended::ExtendedCapabilityId(id);
        assert_eq!(device.find_extended_capability(id), Ok(first));
    }

    // Once copied, nothing changes any more.
    let device = Hostile::new(script, image);
    let mut buffer = vec![0; image.len().clamp(64, 4096)];
    match device.snapshot(&mut buffer) {
        Ok(space) => {
            exercise::exercise(space);
            write(&device, space);
        }
        Err(SnapshotError::Access(error)) => assert_eq!(device.failure.get(), Some(error)),
        Err(error) => panic!("{error}"),
    }
});

/// Edits of the header and of the registers that a reset touches: writes end with the first that fails.
fn write(device: &Hostile<'_>, space: pcicfg::ConfigSpace<'_>) {
    let mut edit = Edit::new(space);
    for (structure, register, field) in [
        ("Header", "Command", "Bus Master Enable"),
        ("Header", "Interrupt Line", ""),
        ("PCI Express", "Device Control", "Max Read Request Size"),
        ("PCI Power Management Interface", "Power Management Control/Status", "Power State"),
    ] {
        let _ = edit.set(structure, register, field, 1);
        let _ = edit.set_register(structure, register, 2);
    }
    let writes = edit.writes();
    let before = device.accesses.get();
    match apply(&writes, device) {
        Ok(()) => assert_eq!(device.accesses.get() - before, writes.len()),
        Err(error) => {
            assert_eq!(device.accesses.get() - before, error.index + 1);
            assert_eq!(writes.get(error.index), Some(&error.write));
            assert_eq!((device.failure.get(), error.write.offset), (Some(error.error), error.error.0));
        }
    }
}
