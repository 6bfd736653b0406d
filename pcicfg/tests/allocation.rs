//! Views need no allocator: not the walks, not the decoding, not the registers that they give.

#[path = "common/exercise.rs"]
mod exercise;
#[path = "common/lists.rs"]
mod lists;

use exercise::exercise;
use pcicfg::ConfigSpace;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// How many allocations this thread asked for: the test harness has threads of its own.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: all of it is the system's allocator, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<T>(act: impl FnOnce() -> T) -> (T, u64) {
    let before = ALLOCATIONS.get();
    let result = act();
    (result, ALLOCATIONS.get() - before)
}

/// Walks both lists and decodes what is in them: how many entries there were.
fn decode(space: ConfigSpace<'_>) -> usize {
    let traditional = space.capabilities().flatten().map(|entry| entry.decode().is_ok());
    let extended = space.extended_capabilities().flatten().map(|entry| entry.decode().is_ok());
    traditional.chain(extended).count()
}

/// A function with every capability of the specification, in both lists.
fn everything(port_type: u8, fill: u8) -> Vec<u8> {
    let mut bytes = vec![fill; 4096];
    bytes[0..4].copy_from_slice(&[0xf4, 0x1a, 0x41, 0x10]);
    (bytes[0x06], bytes[0x0e], bytes[0x34]) = (0x10, port_type >> 6, 0x40);
    let mut at = 0x40;
    for id in 1..=0x15_u8 {
        let next = if id == 0x15 { 0 } else { at + 8 };
        bytes[at..at + 4].copy_from_slice(&[id, next as u8, port_type, 0x01]);
        at += 8;
    }
    let mut at = 0x100;
    for id in 1..=0x3a_u32 {
        let next = if id == 0x3a { 0 } else { at as u32 + 0x40 };
        bytes[at..at + 4].copy_from_slice(&(id | 2 << 16 | next << 20).to_le_bytes());
        at += 0x40;
    }
    bytes
}

/// The images that the project keeps for fuzzing; none where the crate is alone.
fn images() -> Vec<Vec<u8>> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds/config_space");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|file| std::fs::read(file.path()).ok()).collect()
}

#[test]
fn walks_and_decoding_allocate_nothing() {
    // The count counts.
    assert_eq!(allocations(|| vec![0_u8; 64]).1, 1);
    for port_type in [0x02, 0x42, 0x62] {
        for fill in [0x00, 0x5a, 0xff] {
            let bytes = everything(port_type, fill);
            let space = ConfigSpace::new(&bytes).expect("4096 bytes");
            assert_eq!(allocations(|| decode(space)), (0x15 + 0x3a, 0));
        }
    }
    for bytes in images() {
        let Ok(space) = ConfigSpace::new(&bytes) else { continue };
        assert_eq!(allocations(|| decode(space)).1, 0, "{space:?}");
    }
}

/// Every accessor, every iterator of a view, the defects, and all of it in text that is thrown away.
#[test]
fn nothing_that_a_view_gives_allocates() {
    /// The lists of offsets that `exercise` gives back, which grow by doubling.
    fn of_the_lists(found: &exercise::Found) -> u64 {
        let growths = |list: &Vec<u16>| {
            if list.is_empty() {
                0
            } else {
                u64::from(list.len().div_ceil(4).next_power_of_two().ilog2()) + 1
            }
        };
        growths(&found.capabilities) + growths(&found.extended_capabilities)
    }
    let check = |bytes: &[u8]| {
        let space = ConfigSpace::new(bytes).expect("64 to 4096 bytes");
        let (found, count) = allocations(|| exercise(space));
        assert!(count <= of_the_lists(&found), "{count} allocations: {found:?}");
    };
    for port_type in [0x02, 0x42, 0x62] {
        for fill in [0x00, 0x5a, 0xff] {
            check(&everything(port_type, fill));
        }
    }
    images().iter().filter(|bytes| (64..=4096).contains(&bytes.len())).for_each(|bytes| check(bytes));
    let mut runner = TestRunner::deterministic();
    for _ in 0..256 {
        check(&lists::lists().new_tree(&mut runner).expect("a strategy without filters").current());
    }
}
