//! The words for a function's registers in a description.

use serde::Deserialize;

/// A capability in a description: a keyword, or a keyword with parameters.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum CapabilityText {
    PowerManagement(PowerManagement),
    PciExpress(Box<PciExpress>),
    Msi(Msi),
    MsiX(MsiX),
    AdvancedFeatures(AdvancedFeatures),
    /// The bridge's subsystem ids.
    Subsystem,
    VitalProductData,
    PciX,
    /// Any other capability: its id, and the bytes after the header in hex.
    Raw(Raw),
    Aer,
    SerialNumber,
    Acs,
    Ari,
    Sriov(Sriov),
    ResizableBar(ResizableBar),
    Ltr,
    L1PmSubstates,
    Dpc,
    VirtualChannel,
    Ptm,
    Ats,
    Pri,
    Pasid,
    Tph,
    SecondaryPciExpress,
    ReadinessTimeReporting(ReadinessTimeReporting),
    /// Any other extended capability.
    RawExtended(Raw),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct PowerManagement {
    pub(in super::super) no_soft_reset: bool,
    pub(in super::super) d1: bool,
    pub(in super::super) d2: bool,
    /// PME from D0, D3hot and D3cold.
    pub(in super::super) pme: bool,
    /// The power state it is found in: 0 or 3.
    pub(in super::super) state: u8,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum PortType {
    #[default]
    Endpoint = 0,
    LegacyEndpoint = 1,
    RootPort = 4,
    UpstreamPort = 5,
    DownstreamPort = 6,
    PciBridge = 7,
    RootComplexIntegratedEndpoint = 9,
    RootComplexEventCollector = 10,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct PciExpress {
    pub(in super::super) port: PortType,
    /// Function Level Reset Capability.
    pub(in super::super) flr: bool,
    /// The highest link speed, 1 for 2.5 GT/s, and the most lanes.
    pub(in super::super) max_speed: u8,
    pub(in super::super) max_width: u8,
    /// What the link has trained to; as fast and as wide as it can without them.
    pub(in super::super) speed: Option<u8>,
    pub(in super::super) width: Option<u8>,
    /// Data Link Layer Link Active Reporting Capable.
    pub(in super::super) link_active_reporting: bool,
    /// Of a port with a slot: its number.
    pub(in super::super) slot: Option<u16>,
    /// The slot can be plugged while the machine runs.
    pub(in super::super) hot_plug: bool,
    /// The slot's power can be switched.
    pub(in super::super) power_controller: bool,
    /// Device Control, Link Control and Slot Control as the machine is found.
    pub(in super::super) device_control: u16,
    pub(in super::super) link_control: u16,
    pub(in super::super) slot_control: Option<u16>,
    /// Of a root port: RRS Software Visibility is there and enabled.
    pub(in super::super) rrs_software_visibility: bool,
    /// LTR mechanism and ARI forwarding supported.
    pub(in super::super) ltr: bool,
    pub(in super::super) ari_forwarding: bool,
    pub(in super::super) version: u8,
}

impl Default for PciExpress {
    fn default() -> Self {
        Self {
            port: PortType::default(),
            flr: false,
            max_speed: 1,
            max_width: 1,
            speed: None,
            width: None,
            link_active_reporting: false,
            slot: None,
            hot_plug: false,
            power_controller: false,
            device_control: 0x2810,
            link_control: 0,
            slot_control: None,
            rrs_software_visibility: false,
            ltr: false,
            ari_forwarding: false,
            version: 2,
        }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct Msi {
    /// 64-bit addresses, per-vector masking.
    pub(in super::super) wide: bool,
    pub(in super::super) maskable: bool,
    /// The message as the machine is found; enabled if it is given.
    pub(in super::super) address: Option<u64>,
    pub(in super::super) data: u16,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct MsiX {
    pub(in super::super) vectors: u16,
    pub(in super::super) table_bar: u8,
    pub(in super::super) enabled: bool,
}

impl Default for MsiX {
    fn default() -> Self {
        Self { vectors: 1, table_bar: 0, enabled: false }
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in super::super) struct AdvancedFeatures {
    /// Function Level Reset and Transactions Pending are there.
    pub(in super::super) flr: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Raw {
    pub(in super::super) id: u16,
    pub(in super::super) bytes: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Sriov {
    pub(in super::super) total: u16,
    /// How many are enabled as the machine is found.
    #[serde(default)]
    pub(in super::super) enabled: u16,
    pub(in super::super) offset: u16,
    pub(in super::super) stride: u16,
    pub(in super::super) device: u16,
    #[serde(default)]
    pub(in super::super) bars: Vec<BarText>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ResizableBar {
    pub(in super::super) bar: u8,
    /// The supported sizes, one bit each: bit 0 is 1 MiB.
    pub(in super::super) sizes: u32,
    /// The size as the machine is found, in the same numbering.
    pub(in super::super) size: u8,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct ReadinessTimeReporting {
    pub(in super::super) reset_ms: u32,
    pub(in super::super) flr_ms: u32,
    pub(in super::super) d3hot_to_d0_ms: u32,
}

/// A Base Address Register in a description.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct BarText {
    pub(in super::super) bar: u8,
    #[serde(default)]
    pub(in super::super) kind: BarKind,
    #[serde(default)]
    pub(in super::super) prefetchable: bool,
    #[serde(default)]
    pub(in super::super) address: u64,
    /// In bytes: a power of two.
    pub(in super::super) size: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum BarKind {
    Io,
    #[default]
    Memory32,
    Memory64,
}

/// The expansion ROM in a description.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct RomText {
    #[serde(default)]
    pub(in super::super) address: u32,
    pub(in super::super) size: u64,
}

/// A bridge's bus numbers and windows in a description.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct BridgeText {
    pub(in super::super) secondary: u8,
    pub(in super::super) subordinate: u8,
    /// First and last port or byte.
    #[serde(default)]
    pub(in super::super) io: Option<[u32; 2]>,
    #[serde(default)]
    pub(in super::super) memory: Option<[u32; 2]>,
    #[serde(default)]
    pub(in super::super) prefetchable: Option<[u64; 2]>,
    /// Bridge Control as the machine is found.
    #[serde(default = "BridgeText::control")]
    pub(in super::super) control: u16,
}

impl BridgeText {
    fn control() -> u16 {
        0x0002
    }
}
