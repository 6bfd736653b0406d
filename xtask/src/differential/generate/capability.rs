//! The capability list.

use super::{Kind, Style, fill, places};
use crate::differential::random::Random;
use crate::differential::space::Space;

const VENDOR_SPECIFIC: u8 = 0x09;
const PCI_EXPRESS: u8 = 0x10;

/// The longest that is written of a capability; PCI Express has 60 bytes.
const LONGEST: usize = 64;

pub(super) fn write(space: &mut Space, kind: Kind, size: usize, random: &mut Random) {
    let pointer = if kind == Kind::CardBus { 0x14 } else { 0x34 };
    let end = if random.percent(90) { 0x100 } else { size.clamp(0x50, 0x100) & !3 };
    let count = random.below(8);
    let first = if kind == Kind::CardBus && random.percent(50) { 0x80.min(end - 8) } else { 0x40 };
    let places = places(count, first, end, LONGEST, random);
    // Without one of these lspci does not look at the other list.
    let express = random.percent(80).then(|| random.below(places.len().max(1)));
    for (index, &at) in places.iter().enumerate() {
        let id = match random.below(100) {
            _ if express == Some(index) => PCI_EXPRESS,
            0..8 => VENDOR_SPECIFIC,
            8..16 => 0x08,
            16..97 => random.within(0x00, 0x16) as u8,
            _ => random.byte(),
        };
        let style = Style::of(random);
        let length = LONGEST.min(0x100 - at);
        fill(space, at, length, style, random);
        body(space, at, id, random);
        space.put(at, &[id]);
    }
    // Pointers last: where capabilities overlap, the list shall still be what was meant.
    let mut holder = pointer;
    for &at in &places {
        space.put(holder, &[at as u8]);
        holder = at + 1;
    }
    space.put(holder, &[0]);
    if random.percent(12) {
        damage(space, pointer, &places, random);
    }
}

/// What random bits would show too seldom.
fn body(space: &mut Space, at: usize, id: u8, random: &mut Random) {
    match id {
        VENDOR_SPECIFIC if random.percent(80) => {
            // Length, and the structure's type of virtio or a version of Intel's.
            space.put(at + 2, &[random.of_these(&[2, 3, 4, 8, 9, 12, 15, 16, 17, 20, 24, 0xff])]);
            space.put(
                at + 3,
                &[random.of_these(&[0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 8, 9, 0x10, 0x1f, 0x90, 0xf0])],
            );
            if random.percent(50) {
                space.put(at + 4, &[random.below(7) as u8]);
            }
        }
        PCI_EXPRESS => {
            if random.percent(90) {
                space.set(at + 2, 0x0f, random.of_these(&[1, 2, 2, 2, 3]));
            }
            if random.percent(90) {
                space.set(at + 2, 0xf0, 0x10 * random.of_these(&[0, 0, 1, 4, 4, 5, 6, 7, 8, 9, 10]));
            }
            // Speeds and widths that have names.
            if random.percent(70) {
                for register in [0x0c, 0x12] {
                    space.set(at + register, 0x0f, random.within(0, 8) as u8);
                    let width: u16 = random.of_these(&[0, 1, 2, 4, 8, 12, 16, 32]);
                    space.set(at + register, 0xf0, (width << 4) as u8);
                    space.set(at + register + 1, 0x03, (width >> 4) as u8);
                }
            }
        }
        // Enhanced Allocation: some entries, each with its size.
        0x14 if random.percent(80) => {
            space.put(at + 2, &[random.below(4) as u8]);
        }
        _ => {}
    }
}

/// Leads one pointer, that in the header included, to where it should not.
fn damage(space: &mut Space, pointer: usize, places: &[usize], random: &mut Random) {
    let holder = match random.below(places.len() + 1) {
        0 => pointer,
        index => places[index - 1] + 1,
    };
    let to = match random.below(6) {
        0 => random.byte(),
        1 => space.get(holder) | random.within(1, 3) as u8,
        2 => random.below(0x40) as u8,
        3 => 0xff,
        // Back to one that was there, or to itself.
        _ if !places.is_empty() => random.of_these(places) as u8,
        _ => random.byte(),
    };
    space.put(holder, &[to]);
    if random.percent(20) && !places.is_empty() {
        space.put(random.of_these(places), &[0xff]);
    }
}
