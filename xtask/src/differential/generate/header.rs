//! The first 64 bytes.

use super::{Kind, Style, VENDORS, fill};
use crate::differential::random::Random;
use crate::differential::space::Space;

/// Classes that go with some header, or that something is printed for.
const CLASSES: [u16; 14] = [
    0x0604, 0x0604, 0x0600, 0x0601, 0x0607, 0x0101, 0x0106, 0x0108, 0x0200, 0x0300, 0x0c03, 0x0880, 0x0000,
    0xffff,
];

/// Devices whose registers lspci reads otherwise than the specification says.
const DEVICES: [u16; 8] = [0x1000, 0x1041, 0x1237, 0x9d10, 0xa110, 0x9c10, 0x8c10, 0x1e10];

/// Writes a header and says of which kind it is.
pub(super) fn write(space: &mut Space, random: &mut Random) -> Kind {
    let kind = match random.below(100) {
        0..55 => Kind::Endpoint,
        55..86 => Kind::Bridge,
        86..96 => Kind::CardBus,
        96..98 => Kind::Unknown(0x7f),
        _ => Kind::Unknown(random.within(3, 0x7e) as u8),
    };
    let style = Style::of(random);
    fill(space, 0x10, 0x30, style, random);
    let any = |random: &mut Random| random.next() as u16;
    space.put16(0x00, if random.percent(70) { random.of_these(&VENDORS) } else { any(random) });
    space.put16(0x02, if random.percent(50) { random.of_these(&DEVICES) } else { any(random) });
    for at in [0x04, 0x06, 0x08, 0x0c] {
        let style = Style::of(random);
        fill(space, at, 2, style, random);
    }
    // Without this bit there are no capabilities to print.
    if random.percent(93) {
        space.set(0x06, 0x10, 0x10);
    }
    let class = match (kind, random.percent(60)) {
        (Kind::Bridge, true) => 0x0604,
        (Kind::CardBus, true) => 0x0607,
        _ if random.percent(90) => random.of_these(&CLASSES),
        _ => any(random),
    };
    space.put16(0x0a, class);
    space.put(0x09, &[if random.percent(50) { 0 } else { random.byte() }]);
    let code = match kind {
        Kind::Endpoint => 0,
        Kind::Bridge => 1,
        Kind::CardBus => 2,
        Kind::Unknown(code) => code,
    };
    space.put(0x0e, &[code | if random.percent(30) { 0x80 } else { 0 }]);
    space.put(0x0f, &[if random.percent(85) { 0 } else { random.byte() }]);
    let bars = match kind {
        Kind::Endpoint => 6,
        Kind::Bridge => 2,
        Kind::CardBus => 1,
        Kind::Unknown(_) => 0,
    };
    for bar in 0..bars {
        base_address(space, 0x10 + 4 * bar, random);
    }
    if kind == Kind::Bridge {
        windows(space, random);
    }
    // Interrupt line and pin; a pin above 4 is none.
    if random.percent(50) {
        space.put(0x3c, &[random.byte()]);
    }
    if random.percent(80) {
        space.put(0x3d, &[random.below(6) as u8]);
    }
    kind
}

fn base_address(space: &mut Space, at: usize, random: &mut Random) {
    let address = random.next() as u32;
    let value = match random.below(12) {
        0..=2 => 0,
        3 => u32::MAX,
        4 => address & 0xfff0 | 1,
        5 => address & !3 | 1,
        6 => 0x4,
        7 => address & !0xf | 0x4 | random.of_these(&[0, 8]),
        // Every type, address or none.
        8 => random.below(16) as u32,
        _ => address & !0xf | random.below(16) as u32,
    };
    space.put32(at, value);
}

/// The windows of a bridge: each open or closed, with the same type in base and limit, or not.
fn windows(space: &mut Space, random: &mut Random) {
    if random.percent(70) {
        let kind = random.of_these(&[0, 0, 1, 1, 2, 0xf]);
        let limit = if random.percent(90) { kind } else { random.below(16) as u8 };
        space.set(0x1c, 0x0f, kind);
        space.set(0x1d, 0x0f, limit);
    }
    if random.percent(70) {
        space.set(0x20, 0x0f, 0);
        space.set(0x22, 0x0f, 0);
    }
    if random.percent(80) {
        let kind = random.of_these(&[0, 1, 1, 2]);
        space.set(0x24, 0x0f, kind);
        space.set(0x26, 0x0f, kind);
    }
    for at in [0x1d, 0x23, 0x27] {
        if random.percent(40) {
            space.set(at, 0xf0, 0xf0);
        }
    }
    for at in [0x28, 0x2c, 0x30] {
        if random.percent(40) {
            space.put32(at, random.of_these(&[0, 0, u32::MAX, 0x38, 0x0038_0038]));
        }
    }
}
