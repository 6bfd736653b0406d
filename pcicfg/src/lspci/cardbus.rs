//! The header of a CardBus bridge.

use super::names::Naming;
use super::{Subject, Text, bars, bridge, capability};

const COMMAND_IO: u16 = 1 << 0;
const COMMAND_MEMORY: u16 = 1 << 1;
const SYSTEM_ERROR: u16 = 1 << 14;

pub(super) fn write(text: &mut Text, subject: &Subject<'_>, verbose: u8, naming: Naming<'_>) {
    let (command, control) = (subject.command(), subject.u16(0x3e));
    bars::write(text, subject, 1, verbose);
    bridge::write_buses(text, subject);
    for index in 0..2 {
        let base = subject.u32(0x1c + 8 * index);
        let limit = subject.u32(0x20 + 8 * index).wrapping_add(0xfff);
        if base <= limit || verbose > 2 {
            text.str("\tMemory window ").dec(index as u64).str(": ").hex8(base).str("-").hex8(limit);
            text.str(if command & COMMAND_MEMORY != 0 { "" } else { " [disabled]" });
            text.str(if control & 0x100 << index != 0 { " (prefetchable)" } else { "" }).end();
        }
    }
    for index in 0..2 {
        let (mut base, mut limit) = (subject.u32(0x2c + 8 * index), subject.u32(0x30 + 8 * index));
        if base & 1 == 0 {
            // Sixteen-bit addresses.
            (base, limit) = (base & 0xffff, limit & 0xffff);
        }
        let (base, limit) = (base & !3, (limit & !3) | 3);
        if base <= limit || verbose > 2 {
            text.str("\tI/O window ").dec(index as u64).str(": ").hex8(base).str("-").hex8(limit);
            text.str(if command & COMMAND_IO != 0 { "" } else { " [disabled]" }).end();
        }
    }
    if subject.u16(0x16) & SYSTEM_ERROR != 0 {
        text.str("\tSecondary status: SERR\n");
    }
    if verbose > 1 {
        text.str("\tBridgeCtl:")
            .flags(
                control.into(),
                &[
                    ("Parity", 0),
                    ("SERR", 1),
                    ("ISA", 2),
                    ("VGA", 3),
                    ("MAbort", 5),
                    (">Reset", 6),
                    ("16bInt", 7),
                    ("PostWrite", 10),
                ],
            )
            .end();
    }
    if !subject.has(64, 64) {
        text.str("\t<access denied to the rest>\n");
        return;
    }
    let legacy = subject.u16(0x44);
    if legacy != 0 {
        text.str("\t16-bit legacy interface ports at ").hex4(legacy).end();
    }
    capability::write_list(text, subject, 0x14, verbose, naming);
}
