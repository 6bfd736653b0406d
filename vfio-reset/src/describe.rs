//! What a function's configuration space says, for a person who wants it reset.
//!
//! A [`Description`] has the registers by name, and of each capability what matters to a reset, in
//! sentences. What the operating system knows (driver, groups) is in the inventory.

mod capability;
mod extended;

use pcicfg::ConfigSpace;
use pcicfg::bar::Bar;
use pcicfg::capability::PciExpress;
use pcicfg::header::{HeaderType, Layout, Presence, Status};
use pcicfg::registers::{PlacedRegister, RegisterName, Structure, registers};
use serde::Serialize;

pub use pcicfg::registers::bytes;

/// What a configuration space says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Description {
    /// Why there is nothing more to be said.
    pub silence: Option<Silence>,
    /// The header; `None` with [`Self::silence`].
    pub header: Option<HeaderDescription>,
    /// The link; `None` where there is none.
    pub link: Option<LinkDescription>,
    /// The capabilities, in the order of the lists.
    pub capabilities: Vec<CapabilityDescription>,
    /// What is wrong with the lists, each with its place.
    pub defects: Vec<String>,
}

/// Why the registers of a function mean nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Silence {
    /// Everything reads all-ones.
    AllOnes,
    /// It answers with Request Retry Status.
    NotReady,
    /// The header is of a type that no specification defines.
    UnknownHeader(u8),
}

impl Silence {
    /// What it means, and what to do.
    #[must_use]
    pub fn meaning(self) -> String {
        match self {
            Self::AllOnes => {
                "It does not answer: its registers read all-ones (lspci calls that \"unknown header type \
                7f\"). It is switched off (D3cold, slot power), its link is down, or it is wedged."
                    .to_string()
            }
            Self::NotReady => {
                "It is not ready: it answers every access with Request Retry Status (vendor 0001). Wait, \
                then look again; a device that stays so for a minute does not come up."
                    .to_string()
            }
            Self::UnknownHeader(code) => format!(
                "Its header is of type {code:02x}, which no specification defines: nobody knows what its registers \
                mean. It may be coming up, or going; look again."
            ),
        }
    }
}

/// The header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HeaderDescription {
    /// `endpoint`, `bridge`, `cardbus`.
    pub kind: &'static str,
    /// Whether the device has other functions.
    pub multi_function: bool,
    /// Revision ID.
    pub revision: u8,
    /// Base class, sub-class and programming interface, as one number.
    pub class: u32,
    /// Subsystem vendor and device.
    pub subsystem: Option<(u16, u16)>,
    /// Command.
    pub command: u16,
    /// The bits set in Command, in words.
    pub command_bits: Vec<String>,
    /// Errors raised in Status, in words.
    pub errors: Vec<String>,
    /// The function is ready at once after any reset.
    pub immediate_readiness: bool,
    /// The power state by the function's own register.
    pub power_state: Option<String>,
    /// The Base Address Registers that are in use.
    pub bars: Vec<BarDescription>,
    /// Of a bridge: primary, secondary and subordinate bus number.
    pub buses: Option<(u8, u8, u8)>,
    /// Of a bridge: what it forwards.
    pub windows: Vec<String>,
    /// Of a bridge: everything below is held in reset.
    pub secondary_bus_reset: bool,
}

/// A Base Address Register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BarDescription {
    /// Its number, or `rom`.
    pub register: String,
    /// What it says, in words.
    pub text: String,
    /// The address; `None` for what makes no sense.
    pub address: Option<u64>,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LinkDescription {
    /// Its speed now; `None` for a reserved code.
    pub speed: Option<String>,
    /// Its width now, in lanes.
    pub width: u8,
    /// The highest speed of this end.
    pub max_speed: Option<String>,
    /// The largest width of this end.
    pub max_width: u8,
    /// Data Link Layer Link Active; `None` where the port cannot tell.
    pub active: Option<bool>,
    /// The port holds the link down.
    pub disabled: bool,
    /// The link trains.
    pub training: bool,
    /// The power management states that it may enter on its own.
    pub aspm: &'static str,
}

/// A capability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CapabilityDescription {
    /// Where it begins.
    pub offset: u16,
    /// Its id.
    pub id: u16,
    /// Whether it is in the extended list.
    pub extended: bool,
    /// The specification's name.
    pub name: String,
    /// What matters to a reset.
    pub findings: Vec<Finding>,
    /// All its registers that have a name.
    pub registers: Vec<RegisterValue>,
}

/// Something that is to be known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A clause.
    pub text: String,
    /// Whether it is out of the ordinary.
    pub notable: bool,
}

/// A register and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegisterValue {
    /// Its name.
    pub register: RegisterName,
    /// Where it stands.
    pub offset: u16,
    /// How many bytes it has.
    pub width: u8,
    /// Its value.
    pub value: u32,
    /// The flags that are set and the fields that are not zero.
    pub bits: Vec<String>,
}

/// What capabilities collect their findings in.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn plain(&mut self, text: impl Into<String>) {
        self.0.push(Finding { text: text.into(), notable: false });
    }

    fn notable(&mut self, text: impl Into<String>) {
        self.0.push(Finding { text: text.into(), notable: true });
    }
}

/// What a configuration space says. The ids and BARs of a virtual function read as nothing by
/// specification, so that they are no reason to call it silent.
#[must_use]
pub fn describe(space: ConfigSpace<'_>, is_virtual: bool) -> Description {
    let mut description = Description {
        silence: silence(space, is_virtual),
        header: None,
        link: None,
        capabilities: Vec::new(),
        defects: Vec::new(),
    };
    if description.silence.is_some() {
        return description;
    }
    let map = registers(space);
    description.header = Some(header(space, map.registers()));
    description.link = space.pci_express().and_then(link);
    for entry in space.capabilities() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(defect) => {
                description.defects.push(defect.to_string());
                break;
            }
        };
        let structure = Structure::Capability { id: entry.id(), offset: entry.offset() };
        let findings = capability::findings(entry);
        description.capabilities.push(described(space, structure, findings, map.registers()));
    }
    for entry in space.extended_capabilities() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(defect) => {
                description.defects.push(format!("extended: {defect}"));
                break;
            }
        };
        let structure = Structure::Extended { id: entry.id(), offset: entry.offset() };
        let findings = extended::findings(entry);
        description.capabilities.push(described(space, structure, findings, map.registers()));
    }
    description
}

/// The registers of the header, by name.
#[must_use]
pub fn header_registers(space: ConfigSpace<'_>) -> Vec<RegisterValue> {
    values(space, Structure::Header, registers(space).registers())
}

fn silence(space: ConfigSpace<'_>, is_virtual: bool) -> Option<Silence> {
    let header = space.header();
    let presence = match (is_virtual, space.read_u32(4)) {
        (true, Some(0xffff_ffff)) => Presence::Absent,
        (true, _) => Presence::Present,
        _ => header.presence(),
    };
    match (presence, header.header_type()) {
        (Presence::Absent, _) => Some(Silence::AllOnes),
        (Presence::RequestRetryStatus, _) => Some(Silence::NotReady),
        (Presence::Present, HeaderType::Unknown(code)) => Some(Silence::UnknownHeader(code)),
        (Presence::Present, _) => None,
    }
}

fn described(
    space: ConfigSpace<'_>,
    structure: Structure,
    findings: Findings,
    registers: &[PlacedRegister],
) -> CapabilityDescription {
    let (id, extended) = match structure {
        Structure::Header => (0, false),
        Structure::Capability { id, .. } => (u16::from(id.0), false),
        Structure::Extended { id, .. } => (id.0, true),
    };
    CapabilityDescription {
        offset: structure.offset(),
        id,
        extended,
        name: structure.name(),
        findings: findings.0,
        registers: values(space, structure, registers),
    }
}

fn values(space: ConfigSpace<'_>, structure: Structure, registers: &[PlacedRegister]) -> Vec<RegisterValue> {
    let own = registers.iter().filter(|register| register.structure() == structure);
    own.filter_map(|register| {
        let value = register.read(space)?;
        Some(RegisterValue {
            register: register.name(),
            offset: register.offset(),
            width: register.width(),
            value,
            bits: register.describe(value),
        })
    })
    .collect()
}

fn header(space: ConfigSpace<'_>, registers: &[PlacedRegister]) -> HeaderDescription {
    let header = space.header();
    let bits = |offset: u16, mask: u32| {
        let register = registers.iter().find(|register| register.offset() == offset);
        register
            .and_then(|register| Some(register.describe(register.read(space)? & mask)))
            .unwrap_or_default()
    };
    let errors = Status::MASTER_DATA_PARITY_ERROR
        | Status::SIGNALED_TARGET_ABORT
        | Status::RECEIVED_TARGET_ABORT
        | Status::RECEIVED_MASTER_ABORT
        | Status::SIGNALED_SYSTEM_ERROR
        | Status::DETECTED_PARITY_ERROR;
    let mut description = HeaderDescription {
        kind: "endpoint",
        multi_function: header.multi_function(),
        revision: header.revision_id(),
        class: header.class_code().to_u32(),
        subsystem: None,
        command: header.command().bits(),
        command_bits: bits(4, !0),
        errors: bits(6, u32::from(errors.bits())),
        immediate_readiness: header.status().contains(Status::IMMEDIATE_READINESS),
        power_state: space.power_management().map(|pm| format!("{:?}", pm.control_status().power_state())),
        bars: header.bars().filter_map(|bar| bar_description(bar.index, bar.bar)).collect(),
        buses: None,
        windows: Vec::new(),
        secondary_bus_reset: false,
    };
    let rom = match header.layout() {
        Layout::Endpoint(endpoint) => {
            description.subsystem = Some((endpoint.subsystem_vendor_id(), endpoint.subsystem_id()));
            Some(endpoint.rom())
        }
        Layout::Bridge(bridge) => {
            use pcicfg::header::BridgeControl;
            description.kind = "bridge";
            description.buses = Some((
                bridge.primary_bus_number(),
                bridge.secondary_bus_number(),
                bridge.subordinate_bus_number(),
            ));
            description.windows = [
                ("I/O ports", bridge.io_window()),
                ("memory", bridge.memory_window()),
                ("prefetchable memory", bridge.prefetchable_window()),
            ]
            .into_iter()
            .filter_map(|(name, window)| Some((name, window?)))
            .map(|(name, window)| format!("{name} {:x}-{:x}", window.base, window.limit))
            .collect();
            description.secondary_bus_reset =
                bridge.bridge_control().contains(BridgeControl::SECONDARY_BUS_RESET);
            Some(bridge.rom())
        }
        Layout::CardBus(bridge) => {
            description.kind = "cardbus";
            description.buses = Some((
                bridge.primary_bus_number(),
                bridge.cardbus_bus_number(),
                bridge.subordinate_bus_number(),
            ));
            None
        }
        Layout::Unknown(_) => None,
    };
    if let Some(rom) = rom.filter(|rom| rom.0 != 0) {
        let enabled = if rom.enabled() { "decoded" } else { "not decoded" };
        description.bars.push(BarDescription {
            register: "rom".to_string(),
            text: format!("ROM at {:x}, {enabled}", rom.base()),
            address: Some(u64::from(rom.base())),
        });
    }
    description
}

fn bar_description(index: u8, bar: Bar) -> Option<BarDescription> {
    let kind = |prefetchable| if prefetchable { ", prefetchable" } else { "" };
    let (text, address) = match bar {
        Bar::Unset => return None,
        Bar::Io { base } => (format!("I/O ports at {base:x}"), Some(u64::from(base))),
        Bar::Memory32 { base, prefetchable } => {
            (format!("memory at {base:08x}, 32-bit{}", kind(prefetchable)), Some(u64::from(base)))
        }
        // What a function says after a reset: there is a register, and nothing in it.
        Bar::Memory64 { base: 0, prefetchable } => {
            (format!("memory, 64-bit{}, without an address", kind(prefetchable)), None)
        }
        Bar::Memory64 { base, prefetchable } => {
            (format!("memory at {base:x}, 64-bit{}", kind(prefetchable)), Some(base))
        }
        Bar::Broken64 => ("a 64-bit register in the last place, without its upper half".to_string(), None),
        Bar::Reserved { value } => (format!("a type that does not exist ({value:08x})"), None),
        _ => return None,
    };
    Some(BarDescription { register: index.to_string(), text, address })
}

fn link(express: PciExpress<'_>) -> Option<LinkDescription> {
    use pcicfg::capability::{Aspm, LinkControl, LinkStatus};
    let (capabilities, control, status) =
        (express.link_capabilities()?, express.link_control()?, express.link_status()?);
    let max_speed = express
        .link_capabilities_2()
        .and_then(|capabilities| capabilities.max_link_speed())
        .or_else(|| capabilities.max_link_speed());
    let states = control.aspm_control();
    Some(LinkDescription {
        speed: status.current_link_speed().map(|speed| speed.to_string()),
        width: status.negotiated_link_width().lanes(),
        max_speed: max_speed.map(|speed| speed.to_string()),
        max_width: capabilities.maximum_link_width().lanes(),
        active: express.data_link_layer_link_active(),
        disabled: control.contains(LinkControl::LINK_DISABLE),
        training: status.contains(LinkStatus::LINK_TRAINING),
        aspm: match (states.contains(Aspm::L0S), states.contains(Aspm::L1)) {
            (false, false) => "off",
            (true, false) => "L0s",
            (false, true) => "L1",
            (true, true) => "L0s and L1",
        },
    })
}

#[cfg(test)]
mod tests;
