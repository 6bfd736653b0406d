//! The Virtual Channel capabilities' part of what is restored: port control, arbitration tables,
//! each resource's control (PCI Express Base 6.0, 7.9.1; Linux `drivers/pci/vc.c`).

use super::{RegisterWrite, WriteRule};
use pcicfg::ConfigSpace;
use std::time::Duration;

const PORT_CAPABILITY_1: u16 = 0x04;
const PORT_CAPABILITY_2: u16 = 0x08;
const PORT_CONTROL: u16 = 0x0c;
const RESOURCES: u16 = 0x10;
const RESOURCE_STRIDE: u16 = 0x0c;
const RESOURCE_CONTROL: u16 = 0x04;
/// Bit 0 of Port VC Control and bit 16 of a resource's control load a table; they read 0.
const LOAD_PORT_TABLE: u32 = 1 << 0;
const LOAD_RESOURCE_TABLE: u32 = 1 << 16;

/// The writes for the capability that begins at `at`.
pub(super) fn writes(image: ConfigSpace<'_>, at: u16) -> Vec<RegisterWrite> {
    let mut writes = Vec::new();
    let read = |offset: u16| image.read_u32(at + offset);
    let (Some(capability_1), Some(capability_2)) = (read(PORT_CAPABILITY_1), read(PORT_CAPABILITY_2)) else {
        return writes;
    };
    let low_priority = capability_1 >> 4 & 7;
    if low_priority != 0 {
        // Four bits for each of 32, 64 or 128 phases.
        let phases = match capability_2 & 0xf {
            n if n & 8 != 0 => 128,
            n if n & 4 != 0 => 64,
            n if n & 2 != 0 => 32,
            _ => 0,
        };
        table(image, at, capability_2 >> 24, phases / 2, "VC Arbitration Table", &mut writes);
    }
    let entry_bits = 1u32 << (capability_1 >> 10 & 3);
    for index in 0..=(capability_1 & 7) as u16 {
        let resource = RESOURCES + index * RESOURCE_STRIDE;
        let Some(capability) = read(resource) else { break };
        let phases = match capability & 0x3f {
            n if n & 0x20 != 0 => 256,
            n if n & 0x18 != 0 => 128,
            n if n & 4 != 0 => 64,
            n if n & 2 != 0 => 32,
            _ => 0,
        };
        table(image, at, capability >> 24, phases * entry_bits / 8, "Port Arbitration Table", &mut writes);
    }
    dword(image, at + PORT_CONTROL, 0xffff & !LOAD_PORT_TABLE, "Port VC Control", &mut writes);
    for index in 0..=(capability_1 & 7) as u16 {
        let control = at + RESOURCES + index * RESOURCE_STRIDE + RESOURCE_CONTROL;
        dword(image, control, !LOAD_RESOURCE_TABLE, "VC Resource Control", &mut writes);
    }
    writes
}

/// A table of `bytes` bytes that stands `sixteens` times 16 bytes into the capability; offset 0
/// stands for no table.
fn table(
    image: ConfigSpace<'_>,
    at: u16,
    sixteens: u32,
    bytes: u32,
    name: &'static str,
    writes: &mut Vec<RegisterWrite>,
) {
    if sixteens == 0 {
        return;
    }
    let start = at + sixteens as u16 * 16;
    for offset in (0..bytes as u16).step_by(4) {
        dword(image, start + offset, !0, name, writes);
    }
}

fn dword(
    image: ConfigSpace<'_>,
    offset: u16,
    mask: u32,
    register: &'static str,
    writes: &mut Vec<RegisterWrite>,
) {
    if let Some(value) = image.read_u32(offset) {
        writes.push(RegisterWrite {
            register,
            offset,
            width: 4,
            value: value & mask,
            compare: mask,
            rule: WriteRule::IfDifferent,
            settle: Duration::ZERO,
        });
    }
}
