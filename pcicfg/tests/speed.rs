//! How long a walk takes. `cargo test --release -p pcicfg --test speed -- --ignored --nocapture`

#[path = "common/build.rs"]
mod build;

use build::{endpoint, put, view};
use pcicfg::ConfigSpace;
use std::hint::black_box;
use std::time::Instant;

/// A 4096-byte function with six capabilities and six extended ones.
fn usual() -> Vec<u8> {
    let mut bytes = endpoint(4096, 0x40);
    let list = [(0x40, 0x01), (0x48, 0x05), (0x60, 0x10), (0xa0, 0x11), (0xb0, 0x09), (0xd0, 0x13)];
    for (index, &(at, id)) in list.iter().enumerate() {
        put(&mut bytes, at, &[id, list.get(index + 1).map_or(0, |next| next.0 as u8), 0x02]);
    }
    let list = [0x001u16, 0x003, 0x00d, 0x018, 0x01e, 0x002];
    for (index, &id) in list.iter().enumerate() {
        let next = if index == 5 { 0 } else { 0x180 + 0x80 * index as u32 };
        let header = u32::from(id) | 1 << 16 | next << 20;
        put(&mut bytes, 0x100 + 0x80 * index, &header.to_le_bytes());
    }
    bytes
}

fn walk(space: ConfigSpace<'_>) -> usize {
    space.capabilities().filter(Result::is_ok).count()
        + space.extended_capabilities().filter(Result::is_ok).count()
}

fn decode(space: ConfigSpace<'_>) -> usize {
    let traditional = space.capabilities().map_while(Result::ok).map(|entry| black_box(entry.decode()));
    let extended = space.extended_capabilities().map_while(Result::ok).map(|entry| black_box(entry.decode()));
    traditional.filter(Result::is_ok).count() + extended.filter(Result::is_ok).count()
}

/// The median of 31 rounds, in nanoseconds for each of 256 functions.
fn nanoseconds(work: fn(ConfigSpace<'_>) -> usize) -> f64 {
    let functions: Vec<Vec<u8>> = (0..256).map(|_| usual()).collect();
    let mut rounds: Vec<f64> = (0..31)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..64 {
                for bytes in &functions {
                    assert_eq!(black_box(work(black_box(view(bytes)))), 12);
                }
            }
            start.elapsed().as_nanos() as f64 / (64.0 * 256.0)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[15]
}

#[test]
#[ignore = "a measurement"]
fn speed() {
    println!("walk: {:.1} ns", nanoseconds(walk));
    println!("walk and decode: {:.1} ns", nanoseconds(decode));
}
