//! Walks and snapshots of a function that is read register by register, and that cannot be trusted.

#[path = "common/build.rs"]
mod build;

use std::cell::{Cell, RefCell};
use std::error::Error as _;

use build::{endpoint, put, view};
use pcicfg::capability::{CapabilityId, ChainDefect};
use pcicfg::extended::ExtendedCapabilityId;
use pcicfg::live::{self, SnapshotError, WalkError};
use pcicfg::{ConfigRead, SizeError};
use proptest::collection::vec;
use proptest::prelude::*;

/// An access that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Failed(u16);

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "nobody answers at {:#05x}", self.0)
    }
}

impl std::error::Error for Failed {}

/// A function whose answer is what the closure says, given the access's number, from 0, and its offset.
struct Device<F> {
    answer: F,
    accesses: Cell<usize>,
}

impl<F: Fn(usize, usize) -> Option<u8>> Device<F> {
    fn new(answer: F) -> Self {
        Self { answer, accesses: Cell::new(0) }
    }
}

impl<F: Fn(usize, usize) -> Option<u8>> ConfigRead for Device<F> {
    type Error = Failed;

    fn read(&self, offset: u16, bytes: &mut [u8]) -> Result<(), Failed> {
        let number = self.accesses.replace(self.accesses.get() + 1);
        for (at, byte) in (usize::from(offset)..).zip(bytes) {
            *byte = (self.answer)(number, at).ok_or(Failed(offset))?;
        }
        Ok(())
    }
}

fn honest(bytes: &[u8]) -> Device<impl Fn(usize, usize) -> Option<u8>> {
    Device::new(|_, at| bytes.get(at).copied())
}

fn extended_header(id: u16, next: u16) -> [u8; 4] {
    (u32::from(id) | 1 << 16 | u32::from(next) << 20).to_le_bytes()
}

#[test]
fn both_walks_find_what_is_there() {
    let mut bytes = endpoint(4096, 0x40);
    put(&mut bytes, 0x40, &[0x01, 0x52]);
    put(&mut bytes, 0x50, &[0x10, 0x00]);
    put(&mut bytes, 0x100, &extended_header(0x0001, 0x148));
    put(&mut bytes, 0x148, &extended_header(0x0018, 0));
    let device = honest(&bytes);
    let found: Vec<_> = device.capabilities().map(|entry| entry.map(|e| (e.id.0, e.offset))).collect();
    assert_eq!(found, [Ok((0x01, 0x40)), Ok((0x10, 0x50))]);
    // Header type, Status, the pointer, and one access for each capability.
    assert_eq!(device.accesses.get(), 5);
    let found: Vec<_> =
        device.extended_capabilities().map(|entry| entry.map(|e| (e.id.0, e.version, e.offset))).collect();
    assert_eq!(found, [Ok((0x01, 1, 0x100)), Ok((0x18, 1, 0x148))]);
    assert_eq!(device.find_capability(CapabilityId::PCI_EXPRESS), Ok(Some(0x50)));
    assert_eq!(device.find_capability(CapabilityId::MSI), Ok(None));
    let ltr = ExtendedCapabilityId::LATENCY_TOLERANCE_REPORTING;
    assert_eq!(device.find_extended_capability(ltr), Ok(Some(0x148)));
    assert_eq!(device.find_extended_capability(ExtendedCapabilityId::SR_IOV), Ok(None));
}

#[test]
fn a_finder_says_that_the_list_was_broken_before_the_capability() {
    let mut bytes = endpoint(256, 0x40);
    put(&mut bytes, 0x40, &[0x01, 0x40]);
    let device = honest(&bytes);
    let defect = ChainDefect::Looped { holder: 0x41, pointer: 0x40 };
    assert_eq!(device.find_capability(CapabilityId::MSI), Err(WalkError::Chain(defect)));
    assert_eq!(device.find_capability(CapabilityId::POWER_MANAGEMENT), Ok(Some(0x40)));
}

#[test]
fn an_access_that_fails_ends_the_walk_and_is_named() {
    let bytes = endpoint(64, 0x40);
    let device = honest(&bytes);
    let error = WalkError::Access { offset: 0x40, error: Failed(0x40) };
    assert_eq!(device.capabilities().collect::<Vec<_>>(), [Err(error)]);
    assert_eq!(error.to_string(), "configuration space cannot be read at 0x040");
    assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("nobody answers at 0x040"));
    let error = WalkError::Access { offset: 0x100, error: Failed(0x100) };
    let mut walk = device.extended_capabilities();
    assert_eq!((walk.next(), walk.next()), (Some(Err(error)), None));

    // Already Header Type cannot be read.
    let error = WalkError::Access { offset: 0x0e, error: Failed(0x0e) };
    let device = honest(&bytes[..0x0e]);
    let mut walk = device.capabilities();
    assert_eq!((walk.next(), walk.next()), (Some(Err(error)), None));
}

#[test]
fn a_function_that_is_gone_has_no_lists() {
    let device = Device::new(|_, _| Some(0xff));
    assert_eq!(device.capabilities().next(), None);
    assert_eq!(device.extended_capabilities().next(), None);
}

#[test]
fn a_mirror_of_the_first_256_bytes_is_no_extended_list() {
    let mut bytes = endpoint(256, 0).repeat(16);
    assert_eq!(honest(&bytes).extended_capabilities().next(), None);
    put(&mut bytes, 0xf00, &[0; 4]);
    assert!(honest(&bytes).extended_capabilities().next().is_some());
}

#[test]
fn a_list_that_grows_while_it_is_walked_ends() {
    // Every place holds a capability that points to a place that was not asked for yet.
    let next = RefCell::new((0x44u8..=0xfc).step_by(4));
    let device = Device::new(|_, at| match at {
        0x06 => Some(0x10),
        0x07 | 0x0e => Some(0),
        0x34 => Some(0x40),
        at if at % 4 == 0 => Some(0x09),
        _ => Some(next.borrow_mut().next().unwrap_or(0x40)),
    });
    let found: Vec<_> = device.capabilities().collect();
    assert_eq!(found.len(), 48 + 1);
    let defect = ChainDefect::Looped { holder: 0xfd, pointer: 0x40 };
    assert_eq!(found.last(), Some(&Err(WalkError::Chain(defect))));
}

#[test]
fn a_walk_works_on_a_trait_object() {
    let mut bytes = endpoint(256, 0x40);
    put(&mut bytes, 0x40, &[0x05, 0x00]);
    let device = honest(&bytes);
    let device: &dyn ConfigRead<Error = Failed> = &device;
    assert_eq!(live::Capabilities::new(device).count(), 1);
    assert_eq!(device.find_capability(CapabilityId::MSI), Ok(Some(0x40)));
}

#[test]
fn a_snapshot_has_the_size_of_its_buffer() {
    let bytes = endpoint(256, 0);
    let device = honest(&bytes);
    for size in [64, 100, 256] {
        let mut buffer = vec![0; size];
        assert_eq!(device.snapshot(&mut buffer).map(|space| space.bytes()), Ok(&bytes[..size]));
    }
    let accesses = device.accesses.get();
    for size in [0, 63, 4097] {
        let mut buffer = vec![0; size];
        assert_eq!(device.snapshot(&mut buffer), Err(SnapshotError::Size(SizeError { size })));
    }
    assert_eq!(device.accesses.get(), accesses, "the device is not asked for what has no room");
    let error = SnapshotError::Access(Failed(0));
    assert_eq!(device.snapshot(&mut [0; 4096]), Err(error));
    assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("nobody answers at 0x000"));
}

proptest! {
    /// What the live walks find is what the walks over the same bytes find.
    #[test]
    fn live_and_copied_bytes_give_the_same_lists(
        mut bytes in vec(prop_oneof![Just(0u8), 0x40u8..0x60, any::<u8>()], 4096),
        header_type in 0u8..4,
    ) {
        bytes[0x06] |= 0x10;
        bytes[0x0e] = header_type;
        let (space, device) = (view(&bytes), honest(&bytes));
        let live = device.capabilities().map(|entry| entry.map(|e| (e.id, e.offset)));
        let copied = space.capabilities().map(|entry| entry.map(|e| (e.id(), e.offset())));
        prop_assert!(live.eq(copied.map(|entry| entry.map_err(WalkError::Chain))));
        let live = device.extended_capabilities().map(|entry| entry.map(|e| (e.id, e.version, e.offset)));
        let copied = space.extended_capabilities().map(|entry| entry.map(|e| (e.id(), e.version(), e.offset())));
        prop_assert!(live.eq(copied.map(|entry| entry.map_err(WalkError::Chain))));
    }

    /// Whatever is answered, and however often it changes: the walks end, and no place comes twice.
    #[test]
    fn no_answer_makes_a_walk_endless(
        answers in vec(prop_oneof![4 => any::<u8>().prop_map(Some), 1 => (0u8..=0xff).prop_map(|b| Some(b | 0x40))], 1..64),
        fails in prop::option::of(0usize..100),
    ) {
        let device = Device::new(|number, at| {
            if Some(number) == fails {
                return None;
            }
            match at {
                0x06 => Some(0x10),
                0x0e => Some(0),
                _ => answers[(number * 7 + at * 3) % answers.len()],
            }
        });
        let found: Vec<_> = device.capabilities().collect();
        prop_assert!(found.len() <= 49);
        prop_assert!(device.accesses.get() <= 3 + 48);
        let mut places: Vec<_> = found.iter().flatten().map(|entry| entry.offset).collect();
        prop_assert!(places.iter().all(|at| at % 4 == 0 && (0x40..0x100).contains(at)));
        let count = places.len();
        places.sort_unstable();
        places.dedup();
        prop_assert_eq!(places.len(), count);
        prop_assert!(found.iter().take(count).all(Result::is_ok), "an error is the last");

        device.accesses.set(0);
        let found: Vec<_> = device.extended_capabilities().collect();
        prop_assert!(found.len() <= 961);
        prop_assert!(device.accesses.get() <= 2 + 14 + 960);
        let mut places: Vec<_> = found.iter().flatten().map(|entry| entry.offset).collect();
        prop_assert!(places.iter().all(|at| at % 4 == 0 && (0x100..0x1000).contains(at)));
        let count = places.len();
        places.sort_unstable();
        places.dedup();
        prop_assert_eq!(places.len(), count);
    }
}
