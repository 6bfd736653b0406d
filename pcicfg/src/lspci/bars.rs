//! Base address registers and the expansion ROM.

use super::{Subject, System, Text};

const COMMAND_IO: u16 = 1 << 0;
const COMMAND_MEMORY: u16 = 1 << 1;

/// In a base address register: I/O space.
const SPACE_IO: u32 = 1 << 0;
/// In a memory base address register: how wide the address is.
const MEMORY_TYPE: u32 = 0b110;
const MEMORY_64: u32 = 0b100;
const PREFETCHABLE: u32 = 1 << 3;
const ROM_ENABLE: u32 = 1 << 0;
const ROM_ADDRESS: u64 = !0x7ff;

/// The kernel's flags of a resource.
pub(super) mod kernel {
    pub(crate) const TYPE: u64 = 0x1f00;
    pub(crate) const IO: u64 = 0x100;
    pub(crate) const MEMORY: u64 = 0x200;
    pub(crate) const PREFETCH: u64 = 0x2000;
    pub(crate) const MEMORY_64: u64 = 0x10_0000;
    pub(crate) const ENHANCED: u64 = 1 << 5;
    /// The low bits of a register that the kernel keeps in the flags.
    pub(crate) const REGISTER: u64 = 0xf;
}

/// A resource of the kernel in the form of a register: its low bits, start, size and flags.
#[derive(Clone, Copy, Default)]
pub(super) struct Base {
    /// The address with the register's low bits.
    pub(super) address: u64,
    pub(super) size: u64,
    /// The kernel's flags; `None` if the address comes from the register itself.
    pub(super) flags: Option<u64>,
}

impl Base {
    /// What the kernel says of resource `index`, if it says anything at all.
    pub(super) fn of_system(system: &System<'_>, index: usize) -> Option<Self> {
        let resource = system.resources.get(index)?;
        let size =
            if resource.end > resource.start { (resource.end - resource.start).wrapping_add(1) } else { 0 };
        let address = resource.start | resource.flags & kernel::REGISTER;
        Some(Self { address, size, flags: Some(resource.flags) })
    }
}

/// The base addresses as libpci reports them: the kernel's, or those in the registers.
pub(super) fn bases(subject: &Subject<'_>) -> [Base; 6] {
    let mut bases = [Base::default(); 6];
    if let Some(system) = subject.system().filter(|system| !system.resources.is_empty()) {
        for (index, base) in bases.iter_mut().enumerate() {
            *base = Base::of_system(system, index).unwrap_or_default();
        }
        return bases;
    }
    let count = match subject.header_type() {
        0 => 6,
        1 => 2,
        2 => 1,
        _ => 0,
    };
    let mut index = 0;
    while index < count {
        let low = register(subject, index);
        let wide = low & SPACE_IO == 0 && low & MEMORY_TYPE == MEMORY_64;
        let present = low != 0 && low != u32::MAX;
        if present && !wide {
            bases[index].address = low.into();
        } else if present && index + 1 < count {
            bases[index].address = u64::from(register(subject, index + 1)) << 32 | u64::from(low);
            index += 1;
        }
        index += 1;
    }
    bases
}

fn register(subject: &Subject<'_>, index: usize) -> u32 {
    subject.u32(0x10 + 4 * index)
}

/// The low bits of a register that has these flags of the kernel's.
fn register_bits(flags: u64) -> u32 {
    if flags & kernel::IO != 0 {
        SPACE_IO
    } else if flags & kernel::MEMORY == 0 {
        0
    } else {
        let wide = if flags & kernel::MEMORY_64 != 0 { MEMORY_64 } else { 0 };
        wide | if flags & kernel::PREFETCH != 0 { PREFETCHABLE } else { 0 }
    }
}

/// Writes the first `count` registers.
pub(super) fn write(text: &mut Text, subject: &Subject<'_>, count: usize, verbose: u8) {
    // Of a function whose header cannot be read, or is unknown, only the kernel's word counts.
    let readable = subject.has_header() && subject.header_type() <= 2;
    let command = if readable { subject.command() } else { COMMAND_IO | COMMAND_MEMORY };
    for (index, base) in bases(subject).iter().enumerate().take(count) {
        let bits = match base.flags {
            Some(flags) => register_bits(flags),
            None if readable => register(subject, index),
            None => 0,
        };
        let bits = if bits == u32::MAX { 0 } else { bits };
        if base.address == 0 && bits == 0 && base.size == 0 {
            continue;
        }
        match verbose {
            0..=1 => text.str("\t"),
            _ => text.str("\tRegion ").dec(index as u64).str(": "),
        };
        let seen = if readable { Hardware::of(subject, base, index, count) } else { Hardware::default() };
        if bits & SPACE_IO != 0 {
            write_io(text, base.address, command, seen);
        } else {
            write_memory(text, base.address, bits, command, seen);
        }
        if base.flags.is_some_and(|flags| flags & kernel::ENHANCED != 0) {
            text.str(" [enhanced]");
        }
        write_size(text, base.size);
        text.end();
    }
}

/// What the register itself says where the kernel's word is printed.
#[derive(Clone, Copy, Default)]
struct Hardware {
    /// The register has an address.
    assigned: bool,
    /// Half of a 64-bit register is missing.
    broken: bool,
    /// The kernel has an address and the register has none: such as a virtual function's.
    is_virtual: bool,
}

impl Hardware {
    fn of(subject: &Subject<'_>, base: &Base, index: usize, count: usize) -> Self {
        let Some(flags) = base.flags else { return Self::default() };
        let low = register(subject, index);
        if low & SPACE_IO != register_bits(flags) & SPACE_IO {
            return Self { assigned: low != 0, ..Self::default() };
        }
        let wide = flags & kernel::TYPE == kernel::MEMORY && low & MEMORY_TYPE == MEMORY_64;
        let broken = wide && index + 1 >= count;
        let high = if wide && !broken { register(subject, index + 1) } else { 0 };
        let assigned = low != 0 || high != 0;
        Self { assigned, broken, is_virtual: base.address != 0 && !assigned && flags & kernel::ENHANCED == 0 }
    }
}

fn write_io(text: &mut Text, address: u64, command: u16, seen: Hardware) {
    let address = address & !3;
    let enabled = command & COMMAND_IO != 0;
    text.str("I/O ports at ");
    if address != 0 || enabled {
        text.hex(4, address);
    } else {
        text.str(if seen.assigned { "<ignored>" } else { "<unassigned>" });
    }
    write_state(text, seen.is_virtual, enabled);
}

fn write_memory(text: &mut Text, address: u64, bits: u32, command: u16, seen: Hardware) {
    let address = address & !0xf;
    text.str("Memory at ");
    if seen.broken {
        text.str("<broken-64-bit-slot>");
    } else if address != 0 {
        text.hex(8, address);
    } else {
        text.str(if seen.assigned { "<ignored>" } else { "<unassigned>" });
    }
    text.str([" (32-bit, ", " (low-1M, ", " (64-bit, ", " (type 3, "][(bits >> 1 & 3) as usize]);
    text.str(if bits & PREFETCHABLE != 0 { "prefetchable)" } else { "non-prefetchable)" });
    write_state(text, seen.is_virtual, command & COMMAND_MEMORY != 0);
}

fn write_state(text: &mut Text, is_virtual: bool, enabled: bool) {
    if is_virtual {
        text.str(" [virtual]");
    } else if !enabled {
        text.str(" [disabled]");
    }
}

/// Writes the expansion ROM, whose register is at `register` in this kind of header.
pub(super) fn write_rom(text: &mut Text, subject: &Subject<'_>, register: Option<usize>) {
    let of_system = subject.system().and_then(|system| Base::of_system(system, 6));
    let base = of_system.unwrap_or_else(|| Base { address: rom_register(subject), ..Base::default() });
    let flags = base.flags.unwrap_or(0);
    let mut bits = register.map_or_else(|| register_bits(flags), |at| subject.u32(at));
    let command = if register.is_some() { subject.command() } else { COMMAND_MEMORY };
    if base.address == 0 && bits == 0 && base.size == 0 {
        return;
    }
    let address = base.address & ROM_ADDRESS;
    let is_virtual = register.is_some()
        && address != 0
        && u64::from(bits) & ROM_ADDRESS == 0
        && flags & kernel::ENHANCED == 0;
    if is_virtual {
        bits = base.address as u32;
    }
    text.str("\tExpansion ROM at ");
    if address != 0 {
        text.hex(8, address);
    } else {
        text.str(if u64::from(bits) & ROM_ADDRESS != 0 { "<ignored>" } else { "<unassigned>" });
    }
    if is_virtual {
        text.str(" [virtual]");
    }
    if bits & ROM_ENABLE == 0 {
        text.str(" [disabled]");
    } else if !is_virtual && command & COMMAND_MEMORY == 0 {
        text.str(" [disabled by cmd]");
    }
    if flags & kernel::ENHANCED != 0 {
        text.str(" [enhanced]");
    }
    write_size(text, base.size);
    text.end();
}

/// The ROM's register as libpci reads it: all ones are no address.
fn rom_register(subject: &Subject<'_>) -> u64 {
    let value = match subject.header_type() {
        0 => subject.u32(0x30),
        1 => subject.u32(0x38),
        _ => 0,
    };
    if value == u32::MAX { 0 } else { value.into() }
}

/// ` [size=16K]`, in the largest unit that divides it; nothing for 0.
pub(super) fn write_size(text: &mut Text, size: u64) {
    if size == 0 {
        return;
    }
    let units = ["", "K", "M", "G", "T"];
    let unit = (size.trailing_zeros() / 10).min(4) as usize;
    // lspci's number has 32 bits.
    text.str(" [size=").dec(size >> (10 * unit) & 0xffff_ffff).str(units[unit]).str("]");
}
