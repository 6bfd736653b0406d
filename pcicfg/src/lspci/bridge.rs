//! The header of a bridge to PCI: buses, windows, Bridge Control.

use super::bars::{self, Base, kernel};
use super::header::device_select;
use super::names::Naming;
use super::{Subject, Text, capability};

pub(super) fn write(text: &mut Text, subject: &Subject<'_>, verbose: u8, naming: Naming<'_>) {
    bars::write(text, subject, 2, verbose);
    write_buses(text, subject);
    let windows = windows_of_system(subject);
    let window = |index: usize| windows.map(|windows| windows[index]);
    write_io_window(text, subject, verbose, window(0));
    write_memory_window(text, subject, verbose, window(1));
    write_prefetchable_window(text, subject, verbose, window(2));
    if verbose > 1 {
        let status = subject.u16(0x1e);
        text.str("\tSecondary status:")
            .flags(status.into(), &[("66MHz", 5), ("FastB2B", 7), ("ParErr", 8)])
            .str(" DEVSEL=")
            .str(device_select(status))
            .flags(
                status.into(),
                &[(">TAbort", 11), ("<TAbort", 12), ("<MAbort", 13), ("<SERR", 14), ("<PERR", 15)],
            )
            .end();
    }
    bars::write_rom(text, subject, Some(0x38));
    if verbose > 1 {
        let control = u32::from(subject.u16(0x3e));
        text.str("\tBridgeCtl:")
            .flags(
                control,
                &[
                    ("Parity", 0),
                    ("SERR", 1),
                    ("NoISA", 2),
                    ("VGA", 3),
                    ("VGA16", 4),
                    ("MAbort", 5),
                    (">Reset", 6),
                    ("FastB2B", 7),
                ],
            )
            .str("\n\t\tPriDiscTmr")
            .flag("", control & 1 << 8 != 0)
            .flags(control, &[("SecDiscTmr", 9), ("DiscTmrStat", 10), ("DiscTmrSERREn", 11)])
            .end();
    }
    capability::write_list(text, subject, 0x34, verbose, naming);
}

/// The bus numbers, at the same place in the header of a CardBus bridge.
pub(super) fn write_buses(text: &mut Text, subject: &Subject<'_>) {
    text.str("\tBus: primary=").hex2(subject.u8(0x18));
    text.str(", secondary=").hex2(subject.u8(0x19));
    text.str(", subordinate=").hex2(subject.u8(0x1a));
    text.str(", sec-latency=").dec(subject.u8(0x1b).into()).end();
}

/// The windows that the kernel knows of.
fn windows_of_system(subject: &Subject<'_>) -> Option<[Base; 4]> {
    let system = subject.system()?;
    // Behind registers and ROM; a kernel with SR-IOV puts six resources between.
    let first = match system.resources.len() {
        11 => 7,
        17.. => 13,
        _ => return None,
    };
    let mut windows = [Base::default(); 4];
    for (index, window) in windows.iter_mut().enumerate() {
        *window = Base::of_system(system, first + index)?;
        // The flags stand apart.
        window.address = system.resources.get(first + index)?.start;
    }
    Some(windows)
}

/// A window; `bits` is the width of its addresses, 0 if that is unknown.
struct Window {
    base: u64,
    limit: u64,
    bits: u8,
    disabled: bool,
}

fn write_window(text: &mut Text, name: &str, window: &Window, verbose: u8) {
    let &Window { base, limit, bits, disabled } = window;
    text.str(name).str(":");
    if base <= limit || verbose > 2 {
        let width = bits.div_ceil(4);
        text.str(" ").hex(width, base).str("-").hex(width, limit);
    }
    if !disabled && base <= limit {
        bars::write_size(text, (limit - base).wrapping_add(1));
    } else {
        text.str(" [disabled]");
    }
    if bits != 0 {
        text.str(" [").dec(bits.into()).str("-bit]");
    }
    text.end();
}

fn write_io_window(text: &mut Text, subject: &Subject<'_>, verbose: u8, known: Option<Base>) {
    const NAME: &str = "\tI/O behind bridge";
    if let Some(Base { address, size: size @ 1.., .. }) = known {
        let (base, bits) = (address & !0xf, if address & 0xf == 1 { 32 } else { 16 });
        let limit = base.wrapping_add(size).wrapping_sub(1);
        return write_window(text, NAME, &Window { base, limit, bits, disabled: false }, verbose);
    }
    let (base, limit) = (subject.u8(0x1c), subject.u8(0x1d));
    let kind = base & 0xf;
    if kind != limit & 0xf || kind > 1 {
        text.str("\t!!! Unknown I/O range types ").hex(0, base.into()).str("/").hex(0, limit.into()).end();
        return;
    }
    let (mut base, mut limit) = (u64::from(base & 0xf0) << 8, u64::from(limit & 0xf0) << 8);
    if kind == 1 {
        base |= u64::from(subject.u16(0x30)) << 16;
        limit |= u64::from(subject.u16(0x32)) << 16;
    }
    let disabled = known.is_some();
    if base != 0 || limit != 0 || !disabled {
        let bits = if kind == 1 { 32 } else { 16 };
        write_window(text, NAME, &Window { base, limit: limit + 0xfff, bits, disabled }, verbose);
    }
}

fn write_memory_window(text: &mut Text, subject: &Subject<'_>, verbose: u8, known: Option<Base>) {
    const NAME: &str = "\tMemory behind bridge";
    if let Some(Base { address, size: size @ 1.., .. }) = known {
        let base = address & !0xf;
        let limit = base.wrapping_add(size).wrapping_sub(1);
        return write_window(text, NAME, &Window { base, limit, bits: 32, disabled: false }, verbose);
    }
    let (base, limit) = (subject.u16(0x20), subject.u16(0x22));
    if base & 0xf != 0 || limit & 0xf != 0 {
        text.str("\t!!! Unknown memory range types ").hex(0, base.into()).str("/").hex(0, limit.into()).end();
        return;
    }
    let (base, limit) = (u64::from(base) << 16, u64::from(limit) << 16 | 0xf_ffff);
    write_window(text, NAME, &Window { base, limit, bits: 32, disabled: known.is_some() }, verbose);
}

fn write_prefetchable_window(text: &mut Text, subject: &Subject<'_>, verbose: u8, known: Option<Base>) {
    const NAME: &str = "\tPrefetchable memory behind bridge";
    if let Some(Base { address, size: size @ 1.., .. }) = known {
        let (base, bits) = (address & !0xf, if address & 0xf == 1 { 64 } else { 32 });
        let limit = base.wrapping_add(size).wrapping_sub(1);
        return write_window(text, NAME, &Window { base, limit, bits, disabled: false }, verbose);
    }
    let (base, limit) = (subject.u16(0x24), subject.u16(0x26));
    let kind = base & 0xf;
    if kind != limit & 0xf || kind > 1 {
        text.str("\t!!! Unknown prefetchable memory range types ");
        text.hex(0, base.into()).str("/").hex(0, limit.into()).end();
        return;
    }
    let (mut base, mut limit) = (u64::from(base & 0xfff0) << 16, u64::from(limit & 0xfff0) << 16);
    if kind == 1 {
        base |= u64::from(subject.u32(0x28)) << 32;
        limit |= u64::from(subject.u32(0x2c)) << 32;
    }
    let disabled = known.is_some();
    if base != 0 || limit != 0 || !disabled {
        let bits = if kind == 1 { 64 } else { 32 };
        write_window(text, NAME, &Window { base, limit: limit + 0xf_ffff, bits, disabled }, verbose);
    }
}

/// The windows as the kernel knows them, for a header that lspci does not know.
pub(super) fn write_windows_of_system(text: &mut Text, subject: &Subject<'_>, verbose: u8) {
    for window in windows_of_system(subject).into_iter().flatten() {
        if window.address == 0 {
            continue;
        }
        let flags = window.flags.unwrap_or(0);
        let (name, bits) = if flags & kernel::IO != 0 {
            ("\tI/O behind bridge", if flags & 1 != 0 { 16 } else { 32 })
        } else if flags & kernel::MEMORY != 0 {
            let name = match flags & kernel::PREFETCH {
                0 => "\tMemory behind bridge",
                _ => "\tPrefetchable memory behind bridge",
            };
            (name, if flags & kernel::MEMORY_64 != 0 { 64 } else { 32 })
        } else {
            ("\tUnknown resource behind bridge", 0)
        };
        let limit = window.address.wrapping_add(window.size).wrapping_sub(1);
        write_window(text, name, &Window { base: window.address, limit, bits, disabled: false }, verbose);
    }
}
