//! The extended capability list.

use super::{Style, fill, places};
use crate::differential::random::Random;
use crate::differential::space::Space;

/// The last id that has a name anywhere.
const LAST: usize = 0x3b;
/// The longest that is written of a capability.
const LONGEST: usize = 0x100;

pub(super) fn write(space: &mut Space, size: usize, random: &mut Random) {
    if random.percent(5) {
        // No list, zero or all-ones, or whatever stands there.
        if random.percent(70) {
            space.put32(0x100, random.of_these(&[0, u32::MAX]));
        }
        return;
    }
    let end = if random.percent(90) { 0x1000 } else { size.clamp(0x110, 0x1000) & !3 };
    let count = random.within(1, 14);
    let mut places = places(count, 0x100, end, LONGEST, random);
    // The list begins here whatever the others are.
    match places.iter().position(|at| *at == 0x100) {
        Some(index) => places.swap(0, index),
        None => places.insert(0, 0x100),
    }
    let mut headers = Vec::new();
    for &at in &places {
        let id = match random.below(100) {
            0..10 => 0x23,
            10..97 => random.within(0, LAST) as u16,
            _ => random.next() as u16,
        };
        let style = Style::of(random);
        let length = random.of_these(&[0x10, 0x20, 0x40, LONGEST]).min(0x1000 - at);
        fill(space, at, length, style, random);
        body(space, at, id, random);
        let version = if random.percent(80) { random.within(1, 4) } else { random.below(16) };
        headers.push(u32::from(id) | (version as u32) << 16);
    }
    for (index, (&at, header)) in places.iter().zip(headers).enumerate() {
        let mut next = places.get(index + 1).copied().unwrap_or_default();
        if random.percent(2) {
            next = match random.below(5) {
                0 => random.below(0x1000),
                1 => next | random.within(1, 3),
                2 => random.below(0x100),
                3 => 0xfff,
                _ => random.of_these(&places),
            };
        }
        space.put32(at, header | (next as u32) << 20);
    }
}

/// What random bits would show too seldom: counts that fit, and ids that are known.
fn body(space: &mut Space, at: usize, id: u16, random: &mut Random) {
    if random.percent(15) {
        return;
    }
    match id {
        // Virtual Channel: a few resources, and tables close by.
        0x02 | 0x08 | 0x09 => {
            space.set(at + 4, 0x07, random.below(4) as u8);
            space.put(at + 0x0b, &[random.below(6) as u8]);
            for resource in 0..4 {
                space.put(at + 0x13 + 0x0c * resource, &[random.below(10) as u8]);
            }
        }
        // Root Complex Link Declaration: how many links.
        0x05 => space.put(at + 5, &[random.below(5) as u8]),
        // Resizable BAR: how many.
        0x15 | 0x24 => {
            space.set(at + 8, 0xe0, 0x20 * random.below(8) as u8);
            space.set(at + 9, 0x3f, random.below(46) as u8);
        }
        0x23 => designated(space, at, random),
        // Integrity and Data Encryption: how many streams.
        0x30 => {
            space.set(at + 4, 0x03, random.byte());
            space.set(at + 5, 0xe0, 0x20 * random.below(4) as u8);
            space.put(at + 6, &[random.below(3) as u8]);
        }
        // MMIO Register Block Locator: its length.
        0x36 => {
            let length = random.of_these(&[0x08, 0x0c, 0x10, 0x18, 0x28]);
            space.put16(at + 4, length << 4 & 0xfff0 | u16::from(space.get(at + 4)) & 0xf);
        }
        _ => {}
    }
}

/// A Designated Vendor-Specific capability, mostly one of CXL's.
fn designated(space: &mut Space, at: usize, random: &mut Random) {
    let vendor: u32 = random.of_these(&[0x1e98, 0x1e98, 0x1e98, 0x1e98, 0x8086, 0x1002, 0]);
    let revision = random.of_these(&[0, 0, 1, 1, 2, 2, 3, 15]);
    let length: u32 = random.of_these(&[
        0x00, 0x0a, 0x0c, 0x0e, 0x10, 0x10, 0x14, 0x18, 0x1c, 0x20, 0x24, 0x28, 0x2c, 0x34, 0x38, 0x3c, 0x40,
        0xfff,
    ]);
    space.put32(at + 4, vendor | revision << 16 | length << 20);
    space.put16(at + 8, random.of_these(&[0, 0, 0, 2, 3, 3, 4, 5, 5, 7, 7, 8, 8, 9, 10, 0xffff]));
}
