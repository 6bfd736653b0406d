//! A function as a typed tree, for documents: what `serde` can write, it can be written as.
//!
//! [`Tree`] has the ids, the Base Address Registers, every register with its fields, the capabilities,
//! and what is wrong. Flags are booleans, states and encodings their names, sizes are in bytes and times in
//! nanoseconds with the unit in the key; a reserved code is nothing (`null`). It is written as it is walked
//! through: no tree is built in memory. Any bytes have one, and its keys are always the same.
//!
//! ```
//! use pcicfg::tree::Tree;
//!
//! let mut bytes = [0; 256];
//! bytes[0..4].copy_from_slice(&[0x36, 0x1b, 0x10, 0x00]);
//! bytes[0x06] = 0x10; // Status: Capabilities List
//! bytes[0x34] = 0x40; // Capabilities Pointer
//! bytes[0x40..0x48].copy_from_slice(&[0x01, 0x00, 0x03, 0x00, 0x0b, 0x00, 0x00, 0x00]);
//! let tree = serde_json::to_value(Tree::new(&bytes))?;
//! assert_eq!(tree["vendor"], "1b36");
//! let pm = &tree["capabilities"][0];
//! assert_eq!((&pm["name"], &pm["offset"]), (&"PCI Power Management Interface".into(), &64.into()));
//! let control = &pm["registers"][3];
//! assert_eq!(control["name"], "Power Management Control/Status");
//! assert_eq!(control["fields"]["power_state"], "D3hot");
//! assert_eq!(control["fields"]["no_soft_reset"], true);
//! # Ok::<(), serde_json::Error>(())
//! ```

use crate::bar::{Bar, IndexedBar, RomBar};
use crate::capability::{CapabilityId, DevicePortType};
use crate::config_space::ConfigSpace;
use crate::defect::Defects;
use crate::header::{Header, Layout, Presence, Window};
use crate::registers::{Field, PlacedRegister, RegisterMap, Structure, registers};
use core::fmt;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

/// A function of which these bytes can be read.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    bytes: &'a [u8],
}

impl<'a> Tree<'a> {
    /// The tree of any number of bytes; what is beyond 4096 is not looked at.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.get(..ConfigSpace::EXTENDED).unwrap_or(bytes) }
    }
}

impl Serialize for Tree<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("bytes", &self.bytes.len())?;
        match ConfigSpace::new(self.bytes) {
            Ok(space) => {
                let registers = registers(space);
                header(&mut map, space)?;
                map.serialize_entry(
                    "registers",
                    &Registers { map: &registers, space, of: Structure::Header },
                )?;
                map.serialize_entry("capabilities", &Capabilities { map: &registers, space })?;
            }
            // Of a few bytes there are the ids at most.
            Err(_) => {
                let id = |at: usize| {
                    let id = self.bytes.get(at..)?.first_chunk().copied().map(u16::from_le_bytes);
                    id.map(|id| Hex(id.into(), 4))
                };
                map.serialize_entry("vendor", &id(0))?;
                map.serialize_entry("device", &id(2))?;
                for key in NOT_IN_A_FEW_BYTES {
                    map.serialize_entry(key, &())?;
                }
                for key in ["bars", "registers", "capabilities"] {
                    map.serialize_entry(key, &[(); 0])?;
                }
            }
        }
        map.serialize_entry("defects", &DefectList(self.bytes))?;
        map.end()
    }
}

const NOT_IN_A_FEW_BYTES: [&str; 12] = [
    "class",
    "revision",
    "subsystem_vendor",
    "subsystem_device",
    "presence",
    "header_type",
    "multi_function",
    "port_type",
    "rom",
    "buses",
    "windows",
    "vf_bars",
];

/// A number in hexadecimal digits.
struct Hex(u32, usize);

impl Serialize for Hex {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:0width$x}", self.0, width = self.1))
    }
}

fn header<M: SerializeMap>(map: &mut M, space: ConfigSpace<'_>) -> Result<(), M::Error> {
    let header = space.header();
    let subsystem = subsystem(space);
    map.serialize_entry("vendor", &Hex(header.vendor_id().into(), 4))?;
    map.serialize_entry("device", &Hex(header.device_id().into(), 4))?;
    map.serialize_entry("class", &Hex(header.class_code().to_u32(), 6))?;
    map.serialize_entry("revision", &Hex(header.revision_id().into(), 2))?;
    map.serialize_entry("subsystem_vendor", &subsystem.map(|(vendor, _)| Hex(vendor.into(), 4)))?;
    map.serialize_entry("subsystem_device", &subsystem.map(|(_, device)| Hex(device.into(), 4)))?;
    map.serialize_entry(
        "presence",
        match header.presence() {
            Presence::Present => "present",
            Presence::Absent => "absent",
            Presence::RequestRetryStatus => "not_ready",
        },
    )?;
    map.serialize_entry("header_type", kind(header))?;
    map.serialize_entry("multi_function", &header.multi_function())?;
    let port = space.pci_express().map(|express| express.device_port_type());
    map.serialize_entry("port_type", &port.and_then(DevicePortType::name))?;
    map.serialize_entry("bars", &Bars(|| header.bars()))?;
    let (rom, buses) = match header.layout() {
        Layout::Endpoint(endpoint) => (Some(endpoint.rom()), None),
        Layout::Bridge(bridge) => (
            Some(bridge.rom()),
            Some([
                bridge.primary_bus_number(),
                bridge.secondary_bus_number(),
                bridge.subordinate_bus_number(),
            ]),
        ),
        Layout::CardBus(bridge) => (
            None,
            Some([bridge.primary_bus_number(), bridge.cardbus_bus_number(), bridge.subordinate_bus_number()]),
        ),
        Layout::Unknown(_) => (None, None),
    };
    map.serialize_entry("rom", &rom.filter(|rom| rom.0 != 0).map(Rom))?;
    map.serialize_entry("buses", &buses.map(Buses))?;
    map.serialize_entry("windows", &windows(header))?;
    let sr_iov = space.sr_iov();
    map.serialize_entry("vf_bars", &sr_iov.map(|sr_iov| Bars(move || sr_iov.vf_bars())))
}

fn kind(header: Header<'_>) -> &'static str {
    match header.layout() {
        Layout::Endpoint(_) => "endpoint",
        Layout::Bridge(_) => "bridge",
        Layout::CardBus(_) => "cardbus",
        Layout::Unknown(_) => "unknown",
    }
}

/// Vendor and device of the subsystem, where they are for this kind of header; `None` if there is none.
fn subsystem(space: ConfigSpace<'_>) -> Option<(u16, u16)> {
    let at = match space.header().layout() {
        Layout::Endpoint(_) => 0x2c,
        Layout::Bridge(_) => space.capability(CapabilityId::BRIDGE_SUBSYSTEM_VENDOR_ID)?.offset() + 4,
        Layout::CardBus(_) => 0x40,
        Layout::Unknown(_) => return None,
    };
    let (vendor, device) = (space.read_u16(at)?, space.read_u16(at + 2)?);
    (!matches!(vendor, 0 | 0xffff)).then_some((vendor, device))
}

/// Base Address Registers that are in use.
struct Bars<F>(F);

impl<I: Iterator<Item = IndexedBar>, F: Fn() -> I> Serialize for Bars<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)().filter(|bar| bar.bar != Bar::Unset).map(OneBar))
    }
}

struct OneBar(IndexedBar);

impl Serialize for OneBar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let IndexedBar { index, bar } = self.0;
        let (kind, bits, prefetchable, address) = match bar {
            Bar::Io { base } => ("io", None, None, Some(u64::from(base))),
            Bar::Memory32 { base, prefetchable } => {
                ("memory", Some(32), Some(prefetchable), Some(u64::from(base)))
            }
            Bar::Memory64 { base, prefetchable } => ("memory", Some(64), Some(prefetchable), Some(base)),
            // Told with the defects as well.
            Bar::Unset | Bar::Broken64 | Bar::Reserved { .. } => ("broken", None, None, None),
        };
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("index", &index)?;
        map.serialize_entry("kind", kind)?;
        map.serialize_entry("bits", &bits)?;
        map.serialize_entry("prefetchable", &prefetchable)?;
        map.serialize_entry("address", &address)?;
        map.end()
    }
}

struct Rom(RomBar);

impl Serialize for Rom {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("address", &self.0.base())?;
        map.serialize_entry("enabled", &self.0.enabled())?;
        map.end()
    }
}

struct Buses([u8; 3]);

impl Serialize for Buses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(["primary", "secondary", "subordinate"].into_iter().zip(self.0))
    }
}

/// What a bridge forwards: of each kind its open windows.
struct Windows {
    io: [Option<Window>; 2],
    memory: [Option<Window>; 2],
    prefetchable: [Option<Window>; 2],
}

fn windows(header: Header<'_>) -> Option<Windows> {
    match header.layout() {
        Layout::Bridge(bridge) => Some(Windows {
            io: [bridge.io_window(), None],
            memory: [bridge.memory_window(), None],
            prefetchable: [bridge.prefetchable_window(), None],
        }),
        Layout::CardBus(bridge) => Some(Windows {
            io: bridge.io_windows(),
            memory: bridge.memory_windows(),
            prefetchable: [None, None],
        }),
        _ => None,
    }
}

impl Serialize for Windows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        for (key, windows) in [("io", self.io), ("memory", self.memory), ("prefetchable", self.prefetchable)]
        {
            map.serialize_entry(key, &WindowList(windows))?;
        }
        map.end()
    }
}

struct WindowList([Option<Window>; 2]);

impl Serialize for WindowList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.into_iter().flatten().map(OneWindow))
    }
}

struct OneWindow(Window);

impl Serialize for OneWindow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([("base", self.0.base), ("limit", self.0.limit)])
    }
}

struct Capabilities<'m, 'a> {
    map: &'m RegisterMap,
    space: ConfigSpace<'a>,
}

impl Serialize for Capabilities<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { map, space } = *self;
        let structures = map.structures().iter();
        serializer.collect_seq(structures.map(|&of| OneCapability(Registers { map, space, of })))
    }
}

struct OneCapability<'m, 'a>(Registers<'m, 'a>);

impl Serialize for OneCapability<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let structure = self.0.of;
        let (id, extended) = match structure {
            Structure::Header => (0, false),
            Structure::Capability { id, .. } => (u16::from(id.0), false),
            Structure::Extended { id, .. } => (id.0, true),
        };
        // Bits 19 to 16 of the first dword.
        let version = self.0.space.read_u8(structure.offset() + 2).filter(|_| extended);
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("id", &id)?;
        map.serialize_entry("extended", &extended)?;
        map.serialize_entry("name", &structure.known_name())?;
        map.serialize_entry("offset", &structure.offset())?;
        map.serialize_entry("version", &version.map(|byte| byte & 0xf))?;
        map.serialize_entry("registers", &self.0)?;
        map.end()
    }
}

/// The registers of one structure.
#[derive(Clone, Copy)]
struct Registers<'m, 'a> {
    map: &'m RegisterMap,
    space: ConfigSpace<'a>,
    of: Structure,
}

impl Serialize for Registers<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for register in self.map.of(self.of) {
            if let Some(value) = register.read(self.space) {
                list.serialize_element(&OneRegister { register, value })?;
            }
        }
        list.end()
    }
}

struct OneRegister<'m> {
    register: &'m PlacedRegister,
    value: u32,
}

impl Serialize for OneRegister<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("name", &self.register.name())?;
        map.serialize_entry("offset", &self.register.offset())?;
        map.serialize_entry("width", &self.register.width())?;
        map.serialize_entry("value", &self.value)?;
        map.serialize_entry("fields", &Fields(self))?;
        map.end()
    }
}

struct Fields<'m>(&'m OneRegister<'m>);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let OneRegister { register, value } = *self.0;
        serializer.collect_map(register.fields().map(|field: Field| (field.key(), field.value(value))))
    }
}

struct DefectList<'a>(&'a [u8]);

impl Serialize for DefectList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            Defects::of(self.0).map(|defect| OneDefect { offset: defect.offset(), text: defect }),
        )
    }
}

struct OneDefect<D> {
    offset: u16,
    text: D,
}

impl<D: fmt::Display> Serialize for OneDefect<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("offset", &self.offset)?;
        map.serialize_entry("text", &Displayed(&self.text))?;
        map.end()
    }
}

struct Displayed<D>(D);

impl<D: fmt::Display> Serialize for Displayed<D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
