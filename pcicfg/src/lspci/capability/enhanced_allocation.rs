//! Enhanced Allocation.

use super::{Body, Text, bits};

pub(super) fn write(text: &mut Text, body: Body<'_, '_>) {
    let entries = bits(body.flags(), 0, 6);
    text.str("Enhanced Allocation (EA): NumEntries=").dec(entries.into());
    let mut at = 4;
    if body.subject.header_type() == 1 {
        if !body.has(4, 2) {
            text.end();
            return;
        }
        text.str(", secondary=").dec(body.u8(4).into()).str(", subordinate=").dec(body.u8(5).into());
        at += 4;
    }
    text.end();
    if !body.details() {
        return;
    }
    for number in 0..entries {
        if !body.has(at, 4) {
            return;
        }
        let dwords = bits(body.u32(at), 0, 3);
        let end = at + 4 + 4 * dwords as usize;
        if !body.has(at, end - at) {
            return;
        }
        write_entry(text, body, at, number);
        at = end;
    }
}

fn write_entry(text: &mut Text, body: Body<'_, '_>, at: usize, number: u32) {
    let header = body.u32(at);
    text.str("\t\tEntry ").dec(number.into()).str(":").flags(header, &[("Enable", 31), ("Writable", 30)]);
    text.str(" EntrySize=").dec(bits(header, 0, 3).into());
    text.str("\n\t\t\t BAR Equivalent Indicator: ");
    match bits(header, 4, 4) {
        bar @ 0..=5 => text.str("BAR ").dec(bar.into()),
        6 => text.str("resource behind function"),
        7 => text.str("not indicated"),
        8 => text.str("expansion ROM"),
        bar @ 9..=14 => text.str("VF-BAR ").dec(u64::from(bar) - 9),
        _ => text.str("reserved"),
    };
    text.str("\n\t\t\t PrimaryProperties: ");
    write_properties(text, bits(header, 8, 8), "");
    text.str("\n\t\t\t SecondaryProperties: ");
    write_properties(text, bits(header, 16, 8), ", PrimaryProperties should be used");
    let (base, limit) = (body.u32(at + 4), body.u32(at + 8));
    // Bit 1 of either: it has a second dword.
    let mut next = at + 12;
    let mut high = |text: &mut Text, low: u32| {
        if low & 2 != 0 {
            text.hex(0, body.u32(next).into());
            next += 4;
        }
    };
    text.str("\n\t\t\t Base: ");
    high(text, base);
    text.hex8(base & !3).str("\n\t\t\t MaxOffset: ");
    high(text, limit);
    text.hex8(limit | 3).end();
}

fn write_properties(text: &mut Text, properties: u32, instead: &str) {
    text.str(match properties {
        0x00 => "memory space, non-prefetchable",
        0x01 => "memory space, prefetchable",
        0x02 => "I/O space",
        0x03 => "VF memory space, prefetchable",
        0x04 => "VF memory space, non-prefetchable",
        0x05 => "allocation behind bridge, non-prefetchable memory",
        0x06 => "allocation behind bridge, prefetchable memory",
        0x07 => "allocation behind bridge, I/O space",
        0xfd => "memory space resource unavailable for use",
        0xfe => "I/O space resource unavailable for use",
        0xff => {
            text.str("entry unavailable for use").str(instead);
            return;
        }
        _ => {
            text.str("[").hex2(properties as u8).str("]");
            return;
        }
    });
}
