//! The capability list.

mod agp;
mod enhanced_allocation;
mod express;
mod express_link;
mod express_port;
mod hyper_transport;
mod interrupts;
mod pci_x;
mod power_management;
mod small;
mod vendor;
mod vital_product_data;

use super::names::Naming;
use super::walk::{Step, Walk};
use super::{Subject, Text, extended};

/// Writes the list that begins at the pointer at `pointer`, and the extended one if lspci would look
/// at it.
pub(super) fn write_list(
    text: &mut Text,
    subject: &Subject<'_>,
    pointer: usize,
    verbose: u8,
    naming: Naming<'_>,
) {
    let mut may_be_extended = false;
    let mut express = None;
    for step in Walk::new(subject, pointer) {
        text.str("\tCapabilities: ");
        match step {
            Step::Unreadable => text.str("<access denied>\n"),
            Step::Looped { at } => text.str("[").hex2(at as u8).str("] <chain looped>\n"),
            Step::Broken { at } => text.str("[").hex2(at as u8).str("] <chain broken>\n"),
            Step::Capability { at, id, flags } => {
                text.str("[").hex2(at as u8).str("] ");
                let body = Body { subject, at, flags, verbose };
                write_one(text, id, body, naming);
                may_be_extended |= matches!(id, id::PCI_X | id::PCI_EXPRESS);
                if id == id::PCI_EXPRESS {
                    express = Some(express::kind(flags));
                }
                continue;
            }
        };
    }
    if may_be_extended {
        extended::write(text, subject, verbose, express);
    }
}

mod id {
    pub(super) const PCI_X: u8 = 0x07;
    pub(super) const PCI_EXPRESS: u8 = 0x10;
}

/// Writes a capability, from what follows its position on.
fn write_one(text: &mut Text, id: u8, body: Body<'_, '_>, naming: Naming<'_>) {
    match id {
        0x00 => _ = text.str("Null\n"),
        0x01 => power_management::write(text, body),
        0x02 => agp::write(text, body),
        0x03 => vital_product_data::write(text, body),
        0x04 => small::write_slot_id(text, body),
        0x05 => interrupts::write_msi(text, body),
        0x06 => _ = text.str("CompactPCI hot-swap <?>\n"),
        id::PCI_X => pci_x::write(text, body),
        0x08 => hyper_transport::write(text, body),
        0x09 => vendor::write(text, body),
        0x0a => small::write_debug_port(text, body),
        0x0b => _ = text.str("CompactPCI central resource control <?>\n"),
        0x0c => _ = text.str("Hot-plug capable\n"),
        0x0d => small::write_subsystem(text, body, naming),
        0x0e => _ = text.str("AGP3 <?>\n"),
        0x0f => _ = text.str("Secure device <?>\n"),
        id::PCI_EXPRESS => express::write(text, body),
        0x11 => interrupts::write_msi_x(text, body),
        0x12 => small::write_sata(text, body),
        0x13 => small::write_advanced_features(text, body),
        0x14 => enhanced_allocation::write(text, body),
        _ => _ = text.str("Capability ID 0x").hex(0, id.into()).str(" [").hex4(body.flags).str("]\n"),
    }
}

/// A capability at its place.
#[derive(Clone, Copy)]
struct Body<'s, 'a> {
    subject: &'s Subject<'a>,
    /// Where it begins.
    at: usize,
    /// The word after id and next pointer; it can always be read.
    flags: u16,
    verbose: u8,
}

impl Body<'_, '_> {
    /// Whether more than the first line is wanted.
    fn details(self) -> bool {
        self.verbose >= 2
    }

    /// Whether `length` bytes from this offset on can be read.
    fn has(self, offset: usize, length: usize) -> bool {
        self.subject.has(self.at + offset, length)
    }

    fn u8(self, offset: usize) -> u8 {
        self.subject.u8(self.at + offset)
    }

    fn u16(self, offset: usize) -> u16 {
        self.subject.u16(self.at + offset)
    }

    fn u32(self, offset: usize) -> u32 {
        self.subject.u32(self.at + offset)
    }

    fn flags(self) -> u32 {
        self.flags.into()
    }
}

/// `count` bits of a register from `bit` on.
fn bits(register: u32, bit: u32, count: u32) -> u32 {
    register >> bit & ((1 << count) - 1)
}

/// The same, as an index into a table.
fn index(register: u32, bit: u32, count: u32) -> usize {
    bits(register, bit, count) as usize
}
