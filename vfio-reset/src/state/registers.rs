//! **Which registers are restored, and in which order**: the list for one function.

use super::header::{self, BridgeHeaders};
use super::{RegisterWrite, WriteRule, virtual_channel};
use pcicfg::ConfigSpace;
use pcicfg::capability::{CapabilityId, DeviceControl, DevicePortType, LinkControl, PciExpress, SlotControl};
use pcicfg::extended::ExtendedCapabilityId;
use pcicfg::header::HeaderType;
use std::collections::HashMap;
use std::time::Duration;

/// The time virtual functions need after VF Enable (PCI Express Base 6.0, 9.3.3.3.1).
const VF_ENABLE_TIME: Duration = Duration::from_millis(100);

/// A register of a capability: what a table of rules below is made of.
struct Register {
    at: u16,
    width: u8,
    /// The bits that are written and compared; a bit that acts when written stays out.
    mask: u32,
    name: &'static str,
}

const fn word(at: u16, mask: u16, name: &'static str) -> Register {
    Register { at, width: 2, mask: mask as u32, name }
}

const fn dword(at: u16, mask: u32, name: &'static str) -> Register {
    Register { at, width: 4, mask, name }
}

/// Before the header: what decides about latencies, links, and the size of the BARs.
#[rustfmt::skip]
const BEFORE_HEADER: &[(ExtendedCapabilityId, &[Register])] = &[
    (ExtendedCapabilityId::PASID, &[word(0x06, !0, "PASID Control")]),
    (ExtendedCapabilityId::PAGE_REQUEST_INTERFACE, &[
        dword(0x0c, !0, "Outstanding Page Request Allocation"),
        // Bit 1 resets the page request counter and reads 0.
        word(0x04, !(1 << 1), "Page Request Control"),
    ]),
    (ExtendedCapabilityId::ADDRESS_TRANSLATION_SERVICES, &[word(0x06, !0, "ATS Control")]),
];

/// Before the header, after the virtual channels and the sizes of the BARs.
#[rustfmt::skip]
const ERROR_REPORTING: &[(ExtendedCapabilityId, &[Register])] = &[
    // Bit 6 triggers containment by software and reads 0.
    (ExtendedCapabilityId::DOWNSTREAM_PORT_CONTAINMENT, &[word(0x06, !(1 << 6), "DPC Control")]),
    (ExtendedCapabilityId::PRECISION_TIME_MEASUREMENT, &[dword(0x08, !0, "PTM Control")]),
    (ExtendedCapabilityId::TPH_REQUESTER, &[dword(0x08, !0, "TPH Requester Control")]),
    (ExtendedCapabilityId::ADVANCED_ERROR_REPORTING, &[
        dword(0x08, !0, "Uncorrectable Error Mask"),
        dword(0x0c, !0, "Uncorrectable Error Severity"),
        dword(0x14, !0, "Correctable Error Mask"),
        // The low five bits say where the last error was.
        dword(0x18, !0x1f, "Advanced Error Capabilities and Control"),
    ]),
];

/// The writes that bring a function back to what `image` shows, in order.
///
/// `virtual_function`: its BARs, ids and most of Command belong to the physical function.
#[must_use]
pub fn restore_sequence(
    image: ConfigSpace<'_>,
    virtual_function: bool,
    bridges: BridgeHeaders,
) -> Vec<RegisterWrite> {
    let mut sequence = Sequence { image, places: Places::of(image), writes: Vec::with_capacity(64) };
    let express = image.pci_express();

    sequence.extended(ExtendedCapabilityId::LATENCY_TOLERANCE_REPORTING, &[dword(0x04, !0, "Max Latencies")]);
    sequence.l1_pm_substates(express);
    if let Some(express) = express {
        sequence.pci_express(express);
    }
    sequence.extended_table(BEFORE_HEADER);
    for id in [
        ExtendedCapabilityId::VIRTUAL_CHANNEL,
        ExtendedCapabilityId::VIRTUAL_CHANNEL_WITH_MFVC,
        ExtendedCapabilityId::MULTI_FUNCTION_VIRTUAL_CHANNEL,
    ] {
        if let Some(at) = sequence.places.extended(id) {
            sequence.writes.extend(virtual_channel::writes(image, at));
        }
    }
    sequence.resizable_bars(ExtendedCapabilityId::RESIZABLE_BAR);
    sequence.clear_errors();
    sequence.extended_table(ERROR_REPORTING);
    sequence.tph_steering_table();
    sequence.aer_root_command(express);
    if !virtual_function {
        sequence.writes.extend(header::writes(image, bridges));
    }
    sequence.pci_x();
    sequence.msi();
    sequence.msi_x();
    sequence.access_control_services();
    sequence.sr_iov();
    sequence.command(bridges);
    if let Some(express) = express {
        sequence.hot_plug_notification(express);
    }
    sequence.writes
}

/// Where the capabilities begin; the first of an id counts, as in the kernel.
struct Places {
    capabilities: HashMap<CapabilityId, u16>,
    extended: HashMap<ExtendedCapabilityId, u16>,
}

impl Places {
    fn of(image: ConfigSpace<'_>) -> Self {
        let mut places = Self { capabilities: HashMap::new(), extended: HashMap::new() };
        for entry in image.capabilities().flatten() {
            places.capabilities.entry(entry.id()).or_insert(entry.offset());
        }
        for entry in image.extended_capabilities().flatten() {
            places.extended.entry(entry.id()).or_insert(entry.offset());
        }
        places
    }

    fn capability(&self, id: CapabilityId) -> Option<u16> {
        self.capabilities.get(&id).copied()
    }

    fn extended(&self, id: ExtendedCapabilityId) -> Option<u16> {
        self.extended.get(&id).copied()
    }
}

struct Sequence<'a> {
    image: ConfigSpace<'a>,
    places: Places,
    writes: Vec<RegisterWrite>,
}

impl Sequence<'_> {
    fn saved(&self, offset: u16, width: u8) -> Option<u32> {
        match width {
            1 => self.image.read_u8(offset).map(u32::from),
            2 => self.image.read_u16(offset).map(u32::from),
            _ => self.image.read_u32(offset),
        }
    }

    /// Writes a register of the structure at `base` back, if it is part of the image.
    fn register(&mut self, base: u16, register: &Register) {
        if let Some(value) = self.saved(base + register.at, register.width) {
            self.value(base, register, value & register.mask);
        }
    }

    /// Writes a value of our own, compared as if it were the saved one.
    fn value(&mut self, base: u16, register: &Register, value: u32) {
        self.writes.push(RegisterWrite {
            register: register.name,
            offset: base + register.at,
            width: register.width,
            value,
            compare: register.mask,
            rule: WriteRule::IfDifferent,
            settle: Duration::ZERO,
        });
    }

    /// Writes a value on the way to the saved one: a later write of the same register is the one
    /// that is compared.
    fn passing(&mut self, base: u16, register: &Register, value: u32) {
        self.value(base, register, value);
        if let Some(write) = self.writes.last_mut() {
            write.compare = 0;
        }
    }

    fn extended(&mut self, id: ExtendedCapabilityId, registers: &[Register]) {
        if let Some(at) = self.places.extended(id) {
            for register in registers {
                self.register(at, register);
            }
        }
    }

    fn extended_table(&mut self, table: &[(ExtendedCapabilityId, &[Register])]) {
        for (id, registers) in table {
            self.extended(*id, registers);
        }
    }

    /// L1 PM Substates may be changed only while ASPM is off, the enables last (PCI Express Base 6.0,
    /// 7.8.3.3).
    fn l1_pm_substates(&mut self, express: Option<PciExpress<'_>>) {
        const CONTROL_1: u16 = 0x08;
        const CONTROL_2: u16 = 0x0c;
        const ENABLES: u32 = 0xf;
        let Some(at) = self.places.extended(ExtendedCapabilityId::L1_PM_SUBSTATES) else { return };
        if let Some((express, control)) = express.and_then(|express| Some((express, express.link_control()?)))
        {
            let off = LINK_CONTROL.mask & u32::from(control.bits() & !ASPM_CONTROL);
            self.passing(express.offset(), &LINK_CONTROL, off);
        }
        self.register(at, &dword(CONTROL_2, !0, "L1 PM Substates Control 2"));
        let control_1 = dword(CONTROL_1, !0, "L1 PM Substates Control 1");
        if let Some(saved) = self.saved(at + CONTROL_1, 4) {
            self.passing(at, &control_1, saved & !ENABLES);
            self.value(at, &control_1, saved);
        }
    }

    /// The control words, in the kernel's order; which there are depends on the kind of function.
    fn pci_express(&mut self, express: PciExpress<'_>) {
        let at = express.offset();
        // In a bridge to a conventional bus the bit has another meaning: Bridge Configuration Retry Enable.
        match express.device_port_type() {
            DevicePortType::PciExpressToPciBridge => {
                self.register(at, &word(PciExpress::DEVICE_CONTROL, !0, DEVICE_CONTROL.name));
            }
            _ => self.register(at, &DEVICE_CONTROL),
        }
        if express.link_control().is_some() {
            self.register(at, &LINK_CONTROL);
        }
        // Power first: what is below may need it. Notification comes last of all.
        if let Some(control) = express.slot_control() {
            let quiet = control.difference(SlotControl::NOTIFICATION_ENABLES).bits();
            self.passing(at, &SLOT_CONTROL, u32::from(quiet) & SLOT_CONTROL.mask);
        }
        if express.root_control().is_some() {
            self.register(at, &word(PciExpress::ROOT_CONTROL, !0, "Root Control"));
        }
        if express.device_control_2().is_some() {
            self.register(at, &word(PciExpress::DEVICE_CONTROL_2, !0, "Device Control 2"));
        }
        if express.link_control_2().is_some() {
            self.register(at, &word(PciExpress::LINK_CONTROL_2, !0, "Link Control 2"));
        }
        if express.slot_control_2().is_some() {
            self.register(at, &word(PciExpress::SLOT_CONTROL_2, !0, "Slot Control 2"));
        }
    }

    /// The size a resizable BAR has decides which of its bits exist, so it goes before the BARs.
    fn resizable_bars(&mut self, id: ExtendedCapabilityId) {
        const CONTROL: u16 = 0x08;
        const STRIDE: u16 = 8;
        const BAR_SIZE: u32 = 0x3f00;
        let Some(at) = self.places.extended(id) else { return };
        // The first control register says how many there are, of at most six.
        let count = self.saved(at + CONTROL, 4).map_or(0, |control| (control >> 5 & 7).min(6)) as u16;
        for index in 0..count {
            self.register(at, &dword(CONTROL + STRIDE * index, BAR_SIZE, "Resizable BAR Control"));
        }
    }

    /// The reset itself may have raised errors: they are not to be reported as new.
    fn clear_errors(&mut self) {
        let Some(at) = self.places.extended(ExtendedCapabilityId::ADVANCED_ERROR_REPORTING) else { return };
        self.clear_raised(at + 0x04, 4, "Uncorrectable Error Status");
        self.clear_raised(at + 0x10, 4, "Correctable Error Status");
    }

    fn clear_raised(&mut self, offset: u16, width: u8, register: &'static str) {
        if self.saved(offset, width).is_some() {
            let (rule, settle) = (WriteRule::ClearRaised, Duration::ZERO);
            self.writes.push(RegisterWrite { register, offset, width, value: 0, compare: 0, rule, settle });
        }
    }

    fn aer_root_command(&mut self, express: Option<PciExpress<'_>>) {
        if express.is_some_and(|express| express.device_port_type().is_root()) {
            let command = [dword(0x2c, !0, "Root Error Command")];
            self.extended(ExtendedCapabilityId::ADVANCED_ERROR_REPORTING, &command);
        }
    }

    fn tph_steering_table(&mut self) {
        const CAPABILITY: u16 = 0x04;
        const TABLE: u16 = 0x0c;
        let Some(at) = self.places.extended(ExtendedCapabilityId::TPH_REQUESTER) else { return };
        let Some(capability) = self.saved(at + CAPABILITY, 4) else { return };
        // The table stands here, or in the MSI-X table, or nowhere.
        if capability >> 9 & 3 == 1 {
            let entries = (capability >> 16 & 0x7ff) as u16 + 1;
            // At most 64 fit behind the capability (PCI Express Base 6.0, 7.9.13.2).
            for entry in 0..entries.min(64) {
                self.register(at, &word(TABLE + 2 * entry, !0, "TPH Steering Tag"));
            }
        }
    }

    fn pci_x(&mut self) {
        if self.image.header().header_type() != HeaderType::Endpoint {
            return;
        }
        if let Some(at) = self.places.capability(CapabilityId::PCI_X) {
            self.register(at, &word(0x02, 0x7f, "PCI-X Command"));
        }
    }

    /// Address and data before Enable. Where they stand depends on the capability's own flags.
    fn msi(&mut self) {
        const CONTROL: Register = word(0x02, !0, "MSI Message Control");
        let Some(at) = self.places.capability(CapabilityId::MSI) else { return };
        let Some(control) = self.saved(at + CONTROL.at, 2) else { return };
        let (is_64_bit, maskable) = (control & 1 << 7 != 0, control & 1 << 8 != 0);
        self.register(at, &dword(0x04, !0, "MSI Message Address"));
        let data = if is_64_bit {
            self.register(at, &dword(0x08, !0, "MSI Message Upper Address"));
            0x0c
        } else {
            0x08
        };
        self.register(at, &word(data, !0, "MSI Message Data"));
        if maskable {
            self.register(at, &dword(data + 4, !0, "MSI Mask Bits"));
        }
        self.register(at, &CONTROL);
    }

    /// The table is in a BAR, and not ours to restore: what is bound to vfio-pci and closed has no
    /// vector in use.
    fn msi_x(&mut self) {
        if let Some(at) = self.places.capability(CapabilityId::MSI_X) {
            self.register(at, &word(0x02, !0, "MSI-X Message Control"));
        }
    }

    fn access_control_services(&mut self) {
        let Some(acs) = self.image.access_control_services() else { return };
        // Some Intel ports have it in another place, as a dword.
        if acs.has_intel_layout() {
            self.register(acs.offset(), &dword(acs.control_offset(), !0, "ACS Control"));
        } else {
            self.register(acs.offset(), &word(acs.control_offset(), !0, "ACS Control"));
        }
    }

    /// What the physical function needs before VF Enable, then VF Enable.
    fn sr_iov(&mut self) {
        const CONTROL: Register = word(0x08, !0, "SR-IOV Control");
        const VF_ENABLE: u32 = 1 << 0;
        const VF_MEMORY_SPACE_ENABLE: u32 = 1 << 3;
        let Some(at) = self.places.extended(ExtendedCapabilityId::SR_IOV) else { return };
        let Some(control) = self.saved(at + CONTROL.at, 2) else { return };
        self.resizable_bars(ExtendedCapabilityId::VF_RESIZABLE_BAR);
        // ARI decides where the virtual functions are, so it is set before they exist.
        self.passing(at, &CONTROL, control & !(VF_ENABLE | VF_MEMORY_SPACE_ENABLE));
        self.register(at, &dword(0x20, !0, "System Page Size"));
        self.register(at, &word(0x10, !0, "NumVFs"));
        for index in 0..6 {
            self.register(at, &dword(0x24 + 4 * index, !0, "VF Base Address"));
        }
        self.value(at, &CONTROL, control);
        if let Some(write) = self.writes.last_mut().filter(|_| control & VF_ENABLE != 0) {
            write.settle = VF_ENABLE_TIME;
        }
    }

    /// Command, last: nothing decodes or masters before everything is in place.
    fn command(&mut self, bridges: BridgeHeaders) {
        self.register(0, &word(0x04, !0, "Command"));
        let forced =
            self.image.header().header_type() == HeaderType::Bridge && bridges == BridgeHeaders::Forced;
        if let Some(write) = self.writes.last_mut().filter(|_| forced) {
            write.rule = WriteRule::Always;
        }
    }

    /// The reset took the link down and up: those events are cleared before the port may report
    /// events again.
    fn hot_plug_notification(&mut self, express: PciExpress<'_>) {
        if express.slot_control().is_some() {
            self.clear_raised(express.offset() + PciExpress::SLOT_STATUS, 2, "Slot Status");
            self.register(express.offset(), &SLOT_CONTROL);
        }
    }
}

const ASPM_CONTROL: u16 = 0x3;
const DEVICE_CONTROL: Register = word(
    PciExpress::DEVICE_CONTROL,
    // Reads 0, and resets the function when written.
    !DeviceControl::INITIATE_FUNCTION_LEVEL_RESET.bits(),
    "Device Control",
);
const LINK_CONTROL: Register = word(
    PciExpress::LINK_CONTROL,
    // Reads 0, and trains the link when written.
    !LinkControl::RETRAIN_LINK.bits(),
    "Link Control",
);
const SLOT_CONTROL: Register = word(
    PciExpress::SLOT_CONTROL,
    // Reads 0, and toggles the interlock when written.
    !SlotControl::ELECTROMECHANICAL_INTERLOCK_CONTROL.bits(),
    "Slot Control",
);

/// Of a list of writes those that say what a register finally holds: the last of each place.
#[must_use]
pub fn final_writes(writes: &[RegisterWrite]) -> Vec<RegisterWrite> {
    let last: HashMap<u16, usize> =
        writes.iter().enumerate().map(|(index, write)| (write.offset, index)).collect();
    let finals = writes
        .iter()
        .enumerate()
        .filter(|(index, write)| last[&write.offset] == *index && write.compare != 0);
    finals.map(|(_, write)| *write).collect()
}
