//! Which bits of a configuration space can be written, and what a reset makes of them.
//!
//! Derived from the image alone: the header by its type, each capability by the table of its
//! registers. What no table knows is read-only, as HwInit registers and vendors' own are.

use super::bars::{Base, Sizes};
use pcicfg::ConfigSpace;
use std::collections::BTreeMap;
use std::ops::Range;

/// A dword of a capability, as its specification describes it.
struct Register {
    /// Where, from the capability's first byte.
    at: u16,
    /// Bits that take what is written.
    write: u32,
    /// Bits that hardware sets and a written 1 clears.
    clear: u32,
    /// Bits that only a power cycle resets (RWS, RW1CS).
    sticky: u32,
    /// What a reset sets the bits to.
    default: u32,
}

const fn register(at: u16, write: u32) -> Register {
    Register { at, write, clear: 0, sticky: 0, default: 0 }
}

const fn sticky(at: u16, write: u32, default: u32) -> Register {
    Register { at, write, clear: 0, sticky: write, default }
}

const fn cleared(at: u16, clear: u32) -> Register {
    Register { at, write: 0, clear, sticky: 0, default: 0 }
}

const fn sticky_cleared(at: u16, clear: u32) -> Register {
    Register { at, write: 0, clear, sticky: clear, default: 0 }
}

/// The capabilities whose writable bits depend on nothing else.
fn capability_table(id: u8) -> Vec<Register> {
    match id {
        // Vital Product Data: address and data.
        0x03 => vec![register(0, 0xffff_0000), register(4, 0xffff_ffff)],
        // PCI-X of an endpoint: command.
        0x07 => vec![register(0, 0x007f_0000)],
        // Hot-plug (SHPC): dword select, and the dword selected.
        0x0c => vec![register(0, 0x00ff_0000), register(4, 0xffff_ffff)],
        // MSI-X: function mask and enable.
        0x11 => vec![register(0, 0xc000_0000)],
        _ => Vec::new(),
    }
}

/// The extended capabilities whose writable bits depend on nothing else.
fn extended_table(id: u16) -> Vec<Register> {
    match id {
        // Advanced Error Reporting; all of it is sticky. Root Command and Root Error Status are read
        // as zero and never written where they do not exist.
        0x01 => vec![
            sticky_cleared(0x04, 0x07ff_f030),
            sticky(0x08, 0x07ff_f030, 0),
            sticky(0x0c, 0x07ff_f030, 0x0046_2030),
            sticky_cleared(0x10, 0x0000_f1c1),
            sticky(0x14, 0x0000_f1c1, 0x0000_6000),
            sticky(0x18, 0x0000_0140, 0),
        ],
        // Virtual Channel, also with MFVC: port control, and virtual channel 0's traffic classes.
        0x02 | 0x08 | 0x09 => {
            vec![
                register(0x0c, 0x0000_000e),
                Register { default: 0x8000_00ff, ..register(0x14, 0x000e_00fe) },
            ]
        }
        // Power Budgeting: data select.
        0x04 => vec![register(4, 0xff)],
        // ARI: control.
        0x0e => vec![register(4, 0x0073_0000)],
        // ATS: enable, smallest translation unit.
        0x0f => vec![register(4, 0x801f_0000)],
        // Page Request Interface: control, status, allocation.
        0x13 => vec![Register { clear: 0x0003_0000, ..register(4, 0x3) }, register(0x0c, 0xffff_ffff)],
        // TPH requester: control.
        0x17 => vec![register(8, 0x0000_0307)],
        // Latency Tolerance Reporting: both latencies.
        0x18 => vec![register(4, 0x1fff_1fff)],
        // Secondary PCI Express: Link Control 3, lane errors.
        0x19 => vec![register(4, 0x3), sticky_cleared(8, 0xffff_ffff)],
        // Downstream Port Containment: control, status.
        0x1d => vec![sticky(4, 0x00ff_0000, 0), sticky_cleared(8, 0x0000_0009)],
        // L1 PM Substates: both controls.
        0x1e => vec![register(8, 0xe3ff_ff1f), register(0x0c, 0xff)],
        // Precision Time Measurement: control.
        0x1f => vec![register(8, 0x0000_ff03)],
        _ => Vec::new(),
    }
}

/// Where the registers are that do something when they are written.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// PCI-to-PCI bridge header.
    pub(super) bridge: bool,
    /// Power Management.
    pub(super) pm: Option<u16>,
    /// PCI Express.
    pub(super) express: Option<u16>,
    /// Advanced Features.
    pub(super) af: Option<u16>,
    /// SR-IOV.
    pub(super) sriov: Option<u16>,
    /// The control registers of Resizable BAR, each with the BAR it is for.
    pub(super) resizable: Vec<(u16, u8)>,
    /// What a function-level reset leaves alone besides sticky bits (6.6.2): the link's and the
    /// virtual channels' registers.
    pub(super) spared_by_flr: Vec<Range<usize>>,
    /// Immediate Readiness: no wait after any reset but a power cycle.
    pub(super) immediate_readiness: bool,
}

/// Each bit's behaviour.
#[derive(Clone, Debug)]
pub(super) struct Registers {
    pub(super) write: Vec<u8>,
    pub(super) clear: Vec<u8>,
    pub(super) sticky: Vec<u8>,
    pub(super) default: Vec<u8>,
    pub(super) places: Places,
    pub(super) bases: Vec<Base>,
}

/// A PCI Express capability's port types that have a link below (7.5.3.2).
pub(super) fn has_link_below(flags: u16) -> bool {
    matches!(flags >> 4 & 0xf, 0x4 | 0x6 | 0x8)
}

pub(super) fn word(bytes: &[u8], at: u16) -> u16 {
    let at = usize::from(at);
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

pub(super) fn dword(bytes: &[u8], at: u16) -> u32 {
    u32::from(word(bytes, at)) | u32::from(word(bytes, at.saturating_add(2))) << 16
}

impl Registers {
    /// What an image makes of its bits. `resets` are values that a reset gives to a register in
    /// place of the specification's: by offset, the dword's value.
    pub(super) fn derive(
        image: &[u8],
        sizes: &Sizes,
        virtual_function: bool,
        resets: &BTreeMap<u16, u8>,
    ) -> Self {
        let length = image.len();
        let mut this = Self {
            write: vec![0; length],
            clear: vec![0; length],
            sticky: vec![0; length],
            default: image.to_vec(),
            places: Places::default(),
            bases: Vec::new(),
        };
        this.header(image, sizes, virtual_function);
        if let Ok(space) = ConfigSpace::new(image) {
            for entry in space.capabilities().map_while(Result::ok) {
                this.capability(image, entry.id().0, entry.offset(), virtual_function);
            }
            for entry in space.extended_capabilities().map_while(Result::ok) {
                this.extended(image, entry.id().0, entry.offset(), sizes);
            }
        }
        for (&at, &value) in resets {
            if let Some(byte) = this.default.get_mut(usize::from(at)) {
                *byte = value;
            }
        }
        this
    }

    fn set(&mut self, base: u16, register: &Register) {
        let Register { at, write, clear, sticky, default } = *register;
        let start = usize::from(base) + usize::from(at);
        for i in 0..4 {
            let [write, clear, sticky, default] =
                [write, clear, sticky, default].map(|value| value.to_le_bytes()[i]);
            if let Some(byte) = self.write.get_mut(start + i) {
                *byte |= write;
                self.clear[start + i] |= clear;
                self.sticky[start + i] |= sticky;
                let changeable = write | clear;
                self.default[start + i] = self.default[start + i] & !changeable | default & changeable;
            }
        }
    }

    fn header(&mut self, image: &[u8], sizes: &Sizes, virtual_function: bool) {
        let layout = image.get(0x0e).copied().unwrap_or(0) & 0x7f;
        let express = ConfigSpace::new(image)
            .is_ok_and(|s| s.capabilities().map_while(Result::ok).any(|c| c.id().0 == 0x10));
        self.places.immediate_readiness = word(image, 0x06) & 1 != 0;
        // A virtual function has Bus Master only; its memory is the physical function's to enable.
        let command = if virtual_function { 0x0004 } else { 0x0547 };
        let conventional = if express || virtual_function { 0 } else { 0x0010 };
        self.set(0, &Register { clear: 0xf900_0000, ..register(4, command | conventional) });
        self.set(0, &register(0x0c, if express { 0x00ff } else { 0xffff }));
        self.set(0, &register(0x3c, 0xff));
        match layout {
            0 if virtual_function => {}
            0 => {
                self.bases(image, sizes, 0x10, 6, 0x30);
            }
            1 => {
                self.places.bridge = true;
                self.bases(image, sizes, 0x10, 2, 0x38);
                // Bus numbers; the secondary latency timer is hardwired to zero on PCI Express.
                self.set(0, &register(0x18, if express { 0x00ff_ffff } else { 0xffff_ffff }));
                // Windows: the low digit of each says how wide it is, and is read-only.
                self.set(0, &Register { clear: 0xf900_0000, ..register(0x1c, 0xf0f0) });
                self.set(0, &register(0x20, 0xfff0_fff0));
                self.set(0, &register(0x24, 0xfff0_fff0));
                if word(image, 0x24) & 0xf == 1 {
                    self.set(0, &register(0x28, 0xffff_ffff));
                    self.set(0, &register(0x2c, 0xffff_ffff));
                }
                if word(image, 0x1c) & 0xf == 1 {
                    self.set(0, &register(0x30, 0xffff_ffff));
                }
                let discard_timer = if express { 0 } else { 0x0b00_0000 };
                self.set(0, &register(0x3c, 0x005f_0000 | discard_timer));
            }
            2 => {
                self.bases(image, sizes, 0x10, 1, 0x100);
                for at in [0x18, 0x1c, 0x20, 0x24, 0x28, 0x2c, 0x30, 0x34, 0x38] {
                    self.set(0, &register(at, 0xffff_ffff));
                }
                self.set(0, &register(0x3c, 0x07ff_0000));
            }
            _ => {}
        }
    }

    /// The Base Address Registers: their address bits can be written, their type bits not.
    fn bases(&mut self, image: &[u8], sizes: &Sizes, at: u16, count: u8, rom: u16) {
        self.bases = Base::all(image, sizes, at, count, rom);
        for base in self.bases.clone() {
            self.base(&base);
        }
    }

    /// Gives a base its address bits anew, after its size has changed.
    pub(super) fn base(&mut self, base: &Base) {
        for (at, mask) in base.masks() {
            let start = usize::from(at);
            for (i, byte) in mask.to_le_bytes().into_iter().enumerate() {
                if let Some(write) = self.write.get_mut(start + i) {
                    *write = byte;
                    self.default[start + i] &= !base.address_bits(at).to_le_bytes()[i];
                }
            }
        }
    }

    fn capability(&mut self, image: &[u8], id: u8, at: u16, virtual_function: bool) {
        for register in &capability_table(id) {
            self.set(at, register);
        }
        match id {
            0x01 => self.power_management(at),
            0x05 => self.msi(image, at),
            0x10 => self.express(image, at, virtual_function),
            0x13 => self.places.af = Some(at),
            _ => {}
        }
    }

    fn power_management(&mut self, at: u16) {
        self.places.pm = Some(at);
        // The power state; PME enable and status are sticky, data select is not.
        self.set(at, &Register { clear: 0x8000, sticky: 0x8100, ..register(4, 0x1f03) });
    }

    fn msi(&mut self, image: &[u8], at: u16) {
        let control = word(image, at + 2);
        let (wide, maskable) = (control & 0x80 != 0, control & 0x100 != 0);
        self.set(at, &register(0, 0x0071_0000));
        self.set(at, &register(4, 0xffff_fffc));
        let mut next = 8;
        if wide {
            self.set(at, &register(8, 0xffff_ffff));
            next = 12;
        }
        self.set(at, &register(next, 0xffff));
        if maskable {
            self.set(at, &register(next + 4, 0xffff_ffff));
        }
    }

    fn express(&mut self, image: &[u8], at: u16, virtual_function: bool) {
        self.places.express = Some(at);
        let flags = word(image, at + 2);
        let version = flags & 0xf;
        let port = has_link_below(flags);
        let root = matches!(flags >> 4 & 0xf, 0x4 | 0xa);
        let integrated = matches!(flags >> 4 & 0xf, 0x9 | 0xa);
        let device_capabilities = dword(image, at + 4);
        // Device Control and Status. The defaults are the specification's: relaxed ordering and no
        // snoop on, read requests of 512 bytes. Initiate FLR reads as zero.
        let function_level = if device_capabilities & 1 << 28 != 0 { 0 } else { 0x8000 };
        if virtual_function {
            self.set(at, &cleared(8, 0x000f_0000));
        } else {
            let writable = 0x7fff | if self.places.bridge { function_level } else { 0 };
            self.set(
                at,
                &Register { at: 8, write: writable, clear: 0x000f_0000, sticky: 0x0400, default: 0x2810 },
            );
        }
        if !integrated && !virtual_function {
            // Link Control: disable, retrain and the notifications exist where a link is below.
            let (control, status) = if port { (0x0fdb, 0xc000_0000) } else { (0x03cb, 0) };
            self.set(at, &Register { clear: status, ..register(0x10, control & !0x20) });
            self.places.spared_by_flr.push(usize::from(at) + 0x10..usize::from(at) + 0x14);
        }
        if port && flags & 0x100 != 0 {
            // Slot Control: indicators off is the default of those who have them.
            self.set(at, &Register { clear: 0x011f_0000, default: 0x03c0, ..register(0x18, 0x1fff) });
        }
        if root {
            self.set(at, &register(0x1c, 0x1f));
            self.set(at, &cleared(0x20, 0x0001_0000));
        }
        if version >= 2 {
            let capabilities = dword(image, at + 0x24);
            let mut control = 0x0fc0;
            control |= if capabilities & 0xf != 0 { 0x000f } else { 0 };
            control |= (capabilities & 0x10) | (capabilities & 0x20);
            control &= if capabilities & 1 << 11 != 0 { !0 } else { !(1 << 10) };
            control |= if capabilities & 0xc_0000 != 0 { 0x6000 } else { 0 };
            if !virtual_function {
                self.set(at, &register(0x28, control));
            }
            if !integrated && !virtual_function {
                // Link Control 2 is sticky; its default speed is the highest.
                let fastest = (dword(image, at + 0x0c) & 0xf).max(1);
                self.set(at, &sticky(0x30, 0x1fff, fastest));
                self.places.spared_by_flr.push(usize::from(at) + 0x30..usize::from(at) + 0x34);
            }
        }
    }

    fn extended(&mut self, image: &[u8], id: u16, at: u16, sizes: &Sizes) {
        for register in &extended_table(id) {
            self.set(at, register);
        }
        match id {
            0x01 if word(image, 0x0e) & 0x7f == 1 => {
                self.set(at, &register(0x2c, 0x7));
                self.set(at, &sticky_cleared(0x30, 0x7f));
            }
            0x02 | 0x08 | 0x09 => {
                self.places.spared_by_flr.push(usize::from(at)..usize::from(at) + 0x1c);
            }
            // Access Control Services: what the capability has can be enabled.
            0x0d => {
                let capable = u32::from(word(image, at + 4)) & 0x5f;
                self.set(at, &register(4, capable << 16));
            }
            0x10 => {
                self.places.sriov = Some(at);
                self.set(at, &Register { clear: 0x0001_0000, ..register(8, 0x1f) });
                self.set(at, &register(0x10, 0xffff));
                self.set(at, &Register { default: 1, ..register(0x20, 0xffff_ffff) });
                let bases = Base::virtual_functions(image, sizes, at + 0x24);
                for base in &bases {
                    self.base(base);
                }
                self.bases.extend(bases);
            }
            // Resizable BAR: the size of each.
            0x15 => {
                let count = (dword(image, at + 8) >> 5 & 7).min(6) as u16;
                for entry in 0..count {
                    let control = at + 8 + entry * 8;
                    let value = dword(image, control);
                    self.set(control, &Register { default: value & 0x3f00, ..register(0, 0x3f00) });
                    self.places.resizable.push((control, (value & 7) as u8));
                }
            }
            // PASID: enable, and what the capability has.
            0x1b => {
                let capable = u32::from(word(image, at + 4)) & 0x6 | 1;
                self.set(at, &register(4, capable << 16));
            }
            _ => {}
        }
    }
}
