//! Makes a configuration space from a few facts, so that a machine can be written by hand.

mod text;

use super::bars::Sizes;
use text::{BarKind, PciExpress, PortType, Sriov};

pub(super) use text::{BarText, BridgeText, CapabilityText, RomText};

/// The facts of a header.
#[derive(Clone, Debug, Default)]
pub(super) struct HeaderFacts<'t> {
    pub(super) vendor: u16,
    pub(super) device: u16,
    pub(super) class: u32,
    pub(super) revision: u8,
    pub(super) command: u16,
    pub(super) multi_function: bool,
    pub(super) subsystem: [u16; 2],
    pub(super) interrupt_pin: u8,
    pub(super) bus: u8,
    pub(super) bridge: Option<&'t BridgeText>,
}

/// A configuration space being made.
pub(super) struct Image {
    bytes: Vec<u8>,
    pub(super) sizes: Sizes,
    /// Where the next capability goes, and where its pointer is written.
    next: usize,
    pointer: usize,
    extended_next: usize,
    extended_last: Option<usize>,
}

impl Image {
    /// The header. `size` is 256 or 4096.
    pub(super) fn new(size: usize, facts: &HeaderFacts<'_>) -> Self {
        let mut this = Self {
            bytes: vec![0; size],
            sizes: Sizes::default(),
            next: 0x40,
            pointer: 0x34,
            extended_next: 0x100,
            extended_last: None,
        };
        this.word(0x00, facts.vendor);
        this.word(0x02, facts.device);
        this.word(0x04, facts.command);
        this.dword(0x08, facts.class << 8 | u32::from(facts.revision));
        let layout = u8::from(facts.bridge.is_some()) | if facts.multi_function { 0x80 } else { 0 };
        this.bytes[0x0e] = layout;
        this.bytes[0x3d] = facts.interrupt_pin;
        this.bytes[0x3c] = if facts.interrupt_pin == 0 { 0 } else { 0x0a };
        match facts.bridge {
            None => {
                this.word(0x2c, facts.subsystem[0]);
                this.word(0x2e, facts.subsystem[1]);
            }
            Some(bridge) => this.bridge(bridge, facts.bus),
        }
        this
    }

    fn bridge(&mut self, bridge: &BridgeText, bus: u8) {
        self.bytes[0x18..0x1b].copy_from_slice(&[bus, bridge.secondary, bridge.subordinate]);
        // A closed window has its base above its limit.
        let [base, limit] = bridge.io.unwrap_or([0xf000, 0x0fff]);
        self.bytes[0x1c] = (base >> 8) as u8 & 0xf0 | 1;
        self.bytes[0x1d] = (limit >> 8) as u8 & 0xf0 | 1;
        self.word(0x30, (base >> 16) as u16);
        self.word(0x32, (limit >> 16) as u16);
        let [base, limit] = bridge.memory.unwrap_or([0xfff0_0000, 0x000f_ffff]);
        self.word(0x20, (base >> 16) as u16 & 0xfff0);
        self.word(0x22, (limit >> 16) as u16 & 0xfff0);
        let [base, limit] = bridge.prefetchable.unwrap_or([0xfff0_0000, 0x000f_ffff]);
        self.word(0x24, (base >> 16) as u16 & 0xfff0 | 1);
        self.word(0x26, (limit >> 16) as u16 & 0xfff0 | 1);
        self.dword(0x28, (base >> 32) as u32);
        self.dword(0x2c, (limit >> 32) as u32);
        self.word(0x3e, bridge.control);
    }

    fn word(&mut self, at: usize, value: u16) {
        self.bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
    }

    fn dword(&mut self, at: usize, value: u32) {
        self.bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    /// Adds a Base Address Register.
    ///
    /// # Errors
    /// What is impossible about it.
    pub(super) fn bar(&mut self, text: &BarText, count: u8) -> Result<(), String> {
        let size = bar_size(text, count)?;
        let at = 0x10 + usize::from(text.bar) * 4;
        self.base(at, text);
        self.sizes.bars[usize::from(text.bar)] = Some(size);
        Ok(())
    }

    fn base(&mut self, at: usize, text: &BarText) {
        let kind = match text.kind {
            BarKind::Io => 1,
            BarKind::Memory32 => 0,
            BarKind::Memory64 => 4,
        } | if text.prefetchable { 8 } else { 0 };
        self.dword(at, text.address as u32 | kind);
        if text.kind == BarKind::Memory64 {
            self.dword(at + 4, (text.address >> 32) as u32);
        }
    }

    /// Adds the expansion ROM.
    ///
    /// # Errors
    /// What is impossible about it.
    pub(super) fn rom(&mut self, text: &RomText, bridge: bool) -> Result<(), String> {
        if !text.size.is_power_of_two() || !(2048..=16 << 20).contains(&text.size) {
            return Err(format!(
                "a ROM of {:#x} bytes: expected a power of two from 2 KiB to 16 MiB",
                text.size
            ));
        }
        if u64::from(text.address) % text.size != 0 {
            return Err(format!("the ROM's address {:#x} is not aligned to its size", text.address));
        }
        self.dword(if bridge { 0x38 } else { 0x30 }, text.address);
        self.sizes.rom = Some(text.size);
        Ok(())
    }

    /// Adds a capability to the list of its kind.
    ///
    /// # Errors
    /// What is impossible about it.
    pub(super) fn capability(&mut self, text: &CapabilityText) -> Result<(), String> {
        match text {
            CapabilityText::PowerManagement(pm) => {
                let support = u16::from(pm.d1) << 9 | u16::from(pm.d2) << 10;
                let pme = if pm.pme { 0xc800 } else { 0 };
                if !matches!(pm.state, 0 | 3) {
                    return Err(format!("a function in D{}: expected 0 or 3", pm.state));
                }
                let control = u16::from(pm.no_soft_reset) << 3 | u16::from(pm.state);
                self.add(0x01, &[&(0x0003 | support | pme).to_le_bytes(), &control.to_le_bytes(), &[0; 2]])
            }
            CapabilityText::PciExpress(express) => self.express(express),
            CapabilityText::Msi(msi) => {
                let enabled = u16::from(msi.address.is_some());
                let control = enabled | u16::from(msi.wide) << 7 | u16::from(msi.maskable) << 8;
                let address = msi.address.unwrap_or(0);
                let mut body = control.to_le_bytes().to_vec();
                body.extend((address as u32).to_le_bytes());
                if msi.wide {
                    body.extend(((address >> 32) as u32).to_le_bytes());
                }
                body.extend(msi.data.to_le_bytes());
                body.extend([0; 2]);
                if msi.maskable {
                    body.extend([0; 8]);
                }
                self.add(0x05, &[&body])
            }
            CapabilityText::MsiX(msi_x) => {
                if !(1..=2048).contains(&msi_x.vectors) || msi_x.table_bar > 5 {
                    return Err("MSI-X: expected 1 to 2048 vectors and a table in BAR 0 to 5".into());
                }
                let control = (msi_x.vectors - 1) | u16::from(msi_x.enabled) << 15;
                let table = u32::from(msi_x.table_bar);
                // Behind the table, however long that is.
                let pending = (u32::from(msi_x.vectors) * 16).max(0x800) | table;
                self.add(0x11, &[&control.to_le_bytes(), &table.to_le_bytes(), &pending.to_le_bytes()])
            }
            CapabilityText::AdvancedFeatures(af) => self.add(0x13, &[&[6, if af.flr { 3 } else { 0 }, 0, 0]]),
            CapabilityText::Subsystem => self.add(0x0d, &[&[0; 6]]),
            CapabilityText::VitalProductData => self.add(0x03, &[&[0; 6]]),
            CapabilityText::PciX => self.add(0x07, &[&[0; 6]]),
            CapabilityText::Raw(raw) => {
                let id = u8::try_from(raw.id)
                    .map_err(|_| format!("a capability's id is one byte, not {:#x}", raw.id))?;
                self.add(id, &[&hex(&raw.bytes)?])
            }
            CapabilityText::Aer => self.extend(0x01, 2, &aer()),
            CapabilityText::SerialNumber => {
                self.extend(0x03, 1, &[0x78, 0x56, 0x34, 0x12, 0xff, 0xff, 0x00, 0x52])
            }
            CapabilityText::Acs => self.extend(0x0d, 1, &[0x5f, 0, 0x1d, 0]),
            CapabilityText::Ari => self.extend(0x0e, 1, &[0; 4]),
            CapabilityText::Sriov(sriov) => self.sriov(sriov),
            CapabilityText::ResizableBar(resizable) => {
                if resizable.bar > 5 || resizable.size > 27 || resizable.sizes >> resizable.size & 1 == 0 {
                    return Err(
                        "a resizable BAR: expected BAR 0 to 5 with a size among the supported ones".into()
                    );
                }
                let control = u32::from(resizable.bar) | 1 << 5 | u32::from(resizable.size) << 8;
                self.extend(0x15, 1, &[(resizable.sizes << 4).to_le_bytes(), control.to_le_bytes()].concat())
            }
            CapabilityText::Ltr => self.extend(0x18, 1, &[0x03, 0x10, 0x03, 0x10]),
            CapabilityText::L1PmSubstates => {
                self.extend(0x1e, 1, &[0x1f, 0x28, 0x28, 0, 0, 0, 0, 0, 0x28, 0, 0, 0])
            }
            CapabilityText::Dpc => self.extend(0x1d, 1, &[0; 12]),
            CapabilityText::VirtualChannel => {
                let mut body = [0; 24];
                body[16..20].copy_from_slice(&0x8000_00ff_u32.to_le_bytes());
                self.extend(0x02, 1, &body)
            }
            CapabilityText::Ptm => self.extend(0x1f, 1, &[0x01, 0, 0, 0, 0, 0, 0, 0]),
            CapabilityText::Ats => self.extend(0x0f, 1, &[0x20, 0, 0, 0]),
            CapabilityText::Pri => self.extend(0x13, 1, &[0, 0, 0, 1, 0x40, 0, 0, 0, 0, 0, 0, 0]),
            CapabilityText::Pasid => self.extend(0x1b, 1, &[0x06, 0x14, 0, 0]),
            CapabilityText::Tph => self.extend(0x17, 1, &[0; 8]),
            CapabilityText::SecondaryPciExpress => self.extend(0x19, 1, &[0; 12]),
            CapabilityText::ReadinessTimeReporting(times) => {
                let reset = readiness_time(times.reset_ms)?;
                let (flr, d3) = (readiness_time(times.flr_ms)?, readiness_time(times.d3hot_to_d0_ms)?);
                let valid = 1 << 31;
                let first = reset | valid;
                let second = flr | d3 << 12;
                self.extend(0x22, 1, &[first.to_le_bytes(), second.to_le_bytes()].concat())
            }
            CapabilityText::RawExtended(raw) => self.extend(raw.id, 1, &hex(&raw.bytes)?),
        }
    }

    fn express(&mut self, text: &PciExpress) -> Result<(), String> {
        let speed = text.speed.unwrap_or(text.max_speed);
        let width = text.width.unwrap_or(text.max_width);
        if !(1..=6).contains(&text.max_speed) || speed == 0 || speed > text.max_speed {
            return Err(
                "link speeds: expected 1 (2.5 GT/s) to 6 (64 GT/s), and none above the highest".into()
            );
        }
        if !(1..=32).contains(&text.max_width) || width > text.max_width {
            return Err("link widths: expected 1 to 32 lanes, and no more than the most".into());
        }
        if !matches!(text.version, 1 | 2) {
            return Err("a PCI Express capability has version 1 or 2".into());
        }
        let port = text.port as u16;
        let is_port = matches!(text.port, PortType::RootPort | PortType::DownstreamPort);
        let integrated = matches!(
            text.port,
            PortType::RootComplexIntegratedEndpoint | PortType::RootComplexEventCollector
        );
        let flags = u16::from(text.version) | port << 4 | u16::from(text.slot.is_some() && is_port) << 8;
        let device = 0x8020 | u32::from(text.flr) << 28;
        let mut body = vec![0; 0x3a];
        let mut put = |at: usize, bytes: &[u8]| body[at - 2..at - 2 + bytes.len()].copy_from_slice(bytes);
        put(0x02, &flags.to_le_bytes());
        put(0x04, &device.to_le_bytes());
        put(0x08, &text.device_control.to_le_bytes());
        if !integrated {
            let link = u32::from(text.max_speed)
                | u32::from(text.max_width) << 4
                | u32::from(text.link_active_reporting) << 20
                | if text.link_active_reporting { 1 << 21 } else { 0 };
            put(0x0c, &link.to_le_bytes());
            put(0x10, &text.link_control.to_le_bytes());
            put(0x12, &(u16::from(speed) | u16::from(width) << 4).to_le_bytes());
        }
        if let (Some(slot), true) = (text.slot, is_port) {
            let hot_plug = if text.hot_plug { 0x60 } else { 0 };
            let power = if text.power_controller { 0x1b } else { 0 };
            put(0x14, &(u32::from(slot & 0x1fff) << 19 | hot_plug | power).to_le_bytes());
            put(0x18, &text.slot_control.unwrap_or(0x01c0).to_le_bytes());
            put(0x1a, &0x0040_u16.to_le_bytes());
        }
        if matches!(text.port, PortType::RootPort) {
            let visible = u16::from(text.rrs_software_visibility);
            put(0x1c, &(visible << 4).to_le_bytes());
            put(0x1e, &visible.to_le_bytes());
        }
        if text.version == 2 {
            let capabilities = 0x1f | u32::from(text.ari_forwarding) << 5 | u32::from(text.ltr) << 11;
            put(0x24, &capabilities.to_le_bytes());
            put(0x28, &(u16::from(text.ltr) << 10).to_le_bytes());
            if !integrated {
                put(0x2c, &((2u32 << text.max_speed) - 2).to_le_bytes());
                put(0x30, &u16::from(text.max_speed).to_le_bytes());
            }
        }
        if text.version == 1 {
            body.truncate(0x22);
        }
        self.add(0x10, &[&body])
    }

    fn sriov(&mut self, text: &Sriov) -> Result<(), String> {
        if text.enabled > text.total {
            return Err(format!("{} virtual functions enabled of {}", text.enabled, text.total));
        }
        let mut body = vec![0; 0x3c];
        let mut put = |at: usize, value: u16| body[at - 4..at - 2].copy_from_slice(&value.to_le_bytes());
        put(0x08, if text.enabled > 0 { 0x0009 } else { 0 });
        put(0x0c, text.total);
        put(0x0e, text.total);
        put(0x10, text.enabled);
        put(0x14, text.offset);
        put(0x16, text.stride);
        put(0x1a, text.device);
        put(0x1c, 0x0553);
        put(0x20, 1);
        let at = self.extended_next;
        self.extend(0x10, 1, &body)?;
        for bar in &text.bars {
            let size = bar_size(bar, 6)?;
            self.base(at + 0x24 + usize::from(bar.bar) * 4, bar);
            self.sizes.virtual_functions[usize::from(bar.bar)] = Some(size);
        }
        Ok(())
    }

    fn add(&mut self, id: u8, parts: &[&[u8]]) -> Result<(), String> {
        let body = parts.concat();
        let (at, end) = (self.next, self.next + 2 + body.len());
        if end > 0x100 {
            return Err(format!("there is no room for capability {id:#04x} in the first 256 bytes"));
        }
        self.bytes[self.pointer] = at as u8;
        self.bytes[at] = id;
        self.bytes[at + 2..end].copy_from_slice(&body);
        self.bytes[6] |= 0x10;
        self.pointer = at + 1;
        self.next = end.next_multiple_of(4);
        Ok(())
    }

    fn extend(&mut self, id: u16, version: u16, body: &[u8]) -> Result<(), String> {
        let (at, end) = (self.extended_next, self.extended_next + 4 + body.len());
        if end > self.bytes.len() {
            return Err(format!(
                "there is no room for extended capability {id:#06x} in {} bytes",
                self.bytes.len()
            ));
        }
        if let Some(last) = self.extended_last {
            let next = (at as u16) << 4 | u16::from(self.bytes[last + 2] & 0xf);
            self.word(last + 2, next);
        }
        self.word(at, id);
        self.word(at + 2, version);
        self.bytes[at + 4..end].copy_from_slice(body);
        self.extended_last = Some(at);
        self.extended_next = end.next_multiple_of(4);
        Ok(())
    }

    /// The finished bytes.
    pub(super) fn finish(self) -> (Vec<u8>, Sizes) {
        (self.bytes, self.sizes)
    }
}

/// Checks a Base Address Register of a header with `count` of them.
fn bar_size(text: &BarText, count: u8) -> Result<u64, String> {
    let (bar, size) = (text.bar, text.size);
    let room = if text.kind == BarKind::Memory64 { 2 } else { 1 };
    if bar.saturating_add(room) > count {
        return Err(format!("there is no BAR {bar} of this kind: the header has {count} registers"));
    }
    let (least, most) = match text.kind {
        BarKind::Io => (4, 256),
        BarKind::Memory32 => (16, 1 << 31),
        BarKind::Memory64 => (16, 1 << 62),
    };
    if !size.is_power_of_two() || !(least..=most).contains(&size) {
        return Err(format!(
            "BAR {bar} with {size:#x} bytes: expected a power of two from {least:#x} to {most:#x}"
        ));
    }
    if !text.address.is_multiple_of(size) {
        return Err(format!(
            "BAR {bar}: the address {:#x} is not aligned to the size {size:#x}",
            text.address
        ));
    }
    if text.kind != BarKind::Memory64 && text.address > u64::from(u32::MAX) {
        return Err(format!("BAR {bar}: the address {:#x} needs kind = \"memory64\"", text.address));
    }
    Ok(size)
}

fn hex(text: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<u32> = text
        .chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_digit(16).ok_or_else(|| format!("{c:?} is no hexadecimal digit")))
        .collect::<Result<_, _>>()?;
    if !digits.len().is_multiple_of(2) {
        return Err("an odd number of hexadecimal digits".into());
    }
    Ok(digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect())
}

/// Advanced Error Reporting with the severities that every function starts with.
fn aer() -> Vec<u8> {
    let mut body = vec![0; 0x44];
    body[0x08..0x0c].copy_from_slice(&0x0046_2030_u32.to_le_bytes());
    body[0x10..0x14].copy_from_slice(&0x0000_6000_u32.to_le_bytes());
    body[0x14..0x18].copy_from_slice(&0x0000_00a0_u32.to_le_bytes());
    body
}

/// A time as Readiness Time Reporting has it (7.9.17): nine bits of value times a power of 32 ns,
/// the fifth at most: scales 6 and 7 are reserved.
fn readiness_time(milliseconds: u32) -> Result<u32, String> {
    let mut value = u64::from(milliseconds) * 1_000_000;
    let mut scale = 0;
    while value > 0x1ff {
        value = value.div_ceil(32);
        scale += 1;
    }
    if scale > 5 {
        return Err(format!("a readiness time of {milliseconds} ms: expected 17146 ms at most"));
    }
    Ok(value as u32 | scale << 9)
}
