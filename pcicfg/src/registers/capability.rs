//! The registers of the capabilities in the first 256 bytes.

use super::capability_fixed as fixed;
use super::{Register, RegisterMap, Structure, bits, byte, dword, field, field_of, word};
use crate::capability::{
    AdvancedFeaturesCapabilities, AdvancedFeaturesControl, AdvancedFeaturesStatus, Aspm,
    BridgeSupportExtensions, Capability, CapabilityEntry, DeviceCapabilities, DeviceCapabilities2,
    DeviceControl, DeviceControl2, DeviceStatus, HtCapabilityType, HyperTransport, LinkCapabilities,
    LinkCapabilities2, LinkControl, LinkControl2, LinkSpeed, LinkStatus, LinkStatus2, Msi, MsiMessageControl,
    MsiXMessageControl, PciExpress, PciExpressCapabilities, PciXBridgeStatus, PciXCommand,
    PciXSecondaryStatus, PciXStatus, PowerManagementCapabilities, PowerManagementControlStatus,
    RootCapabilities, RootControl, RootStatus, SlotCapabilities, SlotControl, SlotStatus,
};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

/// What every capability begins with.
const HEADER: &[Register] = &[byte("Capability ID", 0), byte("Next Capability Pointer", 1)];

#[rustfmt::skip]
const POWER_MANAGEMENT: &[Register] = &[
    word("Power Management Capabilities", 2).flags(bits::<PowerManagementCapabilities>)
        .fields(&[field("Version", 7), field("Aux Current", 7 << 6)]),
    word("Power Management Control/Status", 4).flags(bits::<PowerManagementControlStatus>)
        .fields(&[field_of("Power State", 3, power_state), field("Data Select", 0xf << 9), field("Data Scale", 3 << 13)])
        .status(1 << 15),
    byte("Bridge Support Extensions", 6).flags(bits::<BridgeSupportExtensions>),
    byte("Power Management Data", 7).status(0xff),
];

fn power_state(value: u32) -> Option<String> {
    Some(["D0", "D1", "D2", "D3hot"].get(value as usize)?.to_string())
}

const PCI_X: &[Register] = &[
    word("PCI-X Command", 2).flags(bits::<PciXCommand>).fields(&[
        field("Maximum Memory Read Byte Count", 3 << 2),
        field("Maximum Outstanding Split Transactions", 7 << 4),
    ]),
    dword("PCI-X Status", 4)
        .flags(bits::<PciXStatus>)
        .fields(&[field("Routing ID", 0xffff)])
        .status(1 << 18 | 1 << 19 | 1 << 29),
];

const PCI_X_BRIDGE: &[Register] = &[
    word("PCI-X Secondary Status", 2).flags(bits::<PciXSecondaryStatus>).status(0x3c),
    dword("PCI-X Bridge Status", 4).flags(bits::<PciXBridgeStatus>).status(0x3c_0000),
    dword("Upstream Split Transaction Control", 8),
    dword("Downstream Split Transaction Control", 12),
];

const VENDOR_SPECIFIC: &[Register] = &[byte("Vendor Specific Length", 2)];

const BRIDGE_SUBSYSTEM: &[Register] =
    &[word("Bridge Subsystem Vendor ID", 4), word("Bridge Subsystem ID", 6)];

const MSI_X: &[Register] = &[
    word("MSI-X Message Control", 2).flags(bits::<MsiXMessageControl>).fields(&[field("Table Size", 0x7ff)]),
    dword("MSI-X Table Offset", 4).fields(&[field("BAR", 7), field_of("Offset", !7, table_offset)]),
    dword("MSI-X Pending Bit Array Offset", 8)
        .fields(&[field("BAR", 7), field_of("Offset", !7, table_offset)]),
];

fn table_offset(value: u32) -> Option<String> {
    Some(format!("{:#x}", value << 3))
}

const ADVANCED_FEATURES: &[Register] = &[
    byte("AF Length", 2),
    byte("AF Capabilities", 3).flags(bits::<AdvancedFeaturesCapabilities>),
    byte("AF Control", 4).flags(bits::<AdvancedFeaturesControl>),
    byte("AF Status", 5).flags(bits::<AdvancedFeaturesStatus>).status(0xff),
];

/// Of a HyperTransport capability of which no more is known.
const HT_COMMAND: &[Register] = &[word("Command", 2)];

const MSI_CONTROL: &[Register] = &[
    word("MSI Message Control", 2)
        .flags(bits::<MsiMessageControl>)
        .fields(&[field("Multiple Message Capable", 7 << 1), field("Multiple Message Enable", 7 << 4)]),
    dword("MSI Message Address", 4),
];
const MSI_UPPER_ADDRESS: &Register = &dword("MSI Message Upper Address", 8);
const MSI_DATA: &Register = &word("MSI Message Data", 0);
const MSI_EXTENDED_DATA: &Register = &word("MSI Extended Message Data", 0);
const MSI_MASK: &Register = &dword("MSI Mask Bits", 0);
const MSI_PENDING: &Register = &dword("MSI Pending Bits", 0).status(!0);

#[rustfmt::skip]
const EXPRESS: &[Register] = &[
    word("PCI Express Capabilities", PciExpress::CAPABILITIES).flags(bits::<PciExpressCapabilities>)
        .fields(&[field("Version", 0xf), field_of("Device/Port Type", 0xf0, port_type), field("Interrupt Message Number", 0x1f << 9)]),
    dword("Device Capabilities", PciExpress::DEVICE_CAPABILITIES).flags(bits::<DeviceCapabilities>)
        .fields(&[field_of("Max Payload Size Supported", 7, payload), field("Captured Slot Power Limit", 0x3ff << 18)]),
    word("Device Control", PciExpress::DEVICE_CONTROL).flags(bits::<DeviceControl>)
        .fields(&[field_of("Max Payload Size", 7 << 5, payload), field_of("Max Read Request Size", 7 << 12, payload)]),
    // All but Aux Power Detected.
    word("Device Status", PciExpress::DEVICE_STATUS).flags(bits::<DeviceStatus>).status(0x6f),
];

#[rustfmt::skip]
const LINK: &[Register] = &[
    dword("Link Capabilities", PciExpress::LINK_CAPABILITIES).flags(bits::<LinkCapabilities>)
        .fields(&[field_of("Max Link Speed", 0xf, speed), field_of("Maximum Link Width", 0x3f << 4, width), field_of("ASPM Support", 3 << 10, aspm), field("Port Number", 0xff << 24)]),
    word("Link Control", PciExpress::LINK_CONTROL).flags(bits::<LinkControl>)
        .fields(&[field_of("ASPM Control", 3, aspm), field("DRS Signaling Control", 3 << 14)]),
    // Speed, width and Data Link Layer Link Active are what a reset must bring back: no mere status.
    word("Link Status", PciExpress::LINK_STATUS).flags(bits::<LinkStatus>)
        .fields(&[field_of("Current Link Speed", 0xf, speed), field_of("Negotiated Link Width", 0x3f << 4, width)])
        .status(1 << 11 | 1 << 14 | 1 << 15),
];

#[rustfmt::skip]
const SLOT: &[Register] = &[
    dword("Slot Capabilities", PciExpress::SLOT_CAPABILITIES).flags(bits::<SlotCapabilities>)
        .fields(&[field("Slot Power Limit", 0x3ff << 7), field("Physical Slot Number", 0x1fff << 19)]),
    word("Slot Control", PciExpress::SLOT_CONTROL).flags(bits::<SlotControl>)
        .fields(&[field_of("Attention Indicator", 3 << 6, indicator), field_of("Power Indicator", 3 << 8, indicator)]),
    word("Slot Status", PciExpress::SLOT_STATUS).flags(bits::<SlotStatus>).status(0x11f),
];

const ROOT: &[Register] = &[
    word("Root Control", PciExpress::ROOT_CONTROL).flags(bits::<RootControl>),
    word("Root Capabilities", PciExpress::ROOT_CAPABILITIES).flags(bits::<RootCapabilities>),
    dword("Root Status", PciExpress::ROOT_STATUS)
        .flags(bits::<RootStatus>)
        .fields(&[field("PME Requester ID", 0xffff)])
        .status(!0),
];

const EXPRESS_2: &[Register] = &[
    dword("Device Capabilities 2", PciExpress::DEVICE_CAPABILITIES_2).flags(bits::<DeviceCapabilities2>),
    word("Device Control 2", PciExpress::DEVICE_CONTROL_2)
        .flags(bits::<DeviceControl2>)
        .fields(&[field("Completion Timeout Value", 0xf), field("OBFF Enable", 3 << 13)]),
    word("Device Status 2", PciExpress::DEVICE_STATUS_2).status(0xffff),
];

#[rustfmt::skip]
const LINK_2: &[Register] = &[
    dword("Link Capabilities 2", PciExpress::LINK_CAPABILITIES_2).flags(bits::<LinkCapabilities2>),
    word("Link Control 2", PciExpress::LINK_CONTROL_2).flags(bits::<LinkControl2>)
        .fields(&[field_of("Target Link Speed", 0xf, speed), field("Transmit Margin", 7 << 7), field("Compliance Preset", 0xf << 12)]),
    word("Link Status 2", PciExpress::LINK_STATUS_2).flags(bits::<LinkStatus2>)
        .fields(&[field("Crosslink Resolution", 3 << 8), field("Downstream Component Presence", 7 << 12)])
        .status(0x803f),
];

const SLOT_2: &[Register] = &[
    dword("Slot Capabilities 2", PciExpress::SLOT_CAPABILITIES_2),
    word("Slot Control 2", PciExpress::SLOT_CONTROL_2),
    word("Slot Status 2", PciExpress::SLOT_STATUS_2).status(0xffff),
];

fn payload(value: u32) -> Option<String> {
    (value < 6).then(|| format!("{} bytes", 128 << value))
}

fn speed(value: u32) -> Option<String> {
    LinkSpeed::from_code(value as u8).map(|speed| speed.to_string())
}

fn width(value: u32) -> Option<String> {
    Some(format!("x{value}"))
}

fn aspm(value: u32) -> Option<String> {
    let states = Aspm::from_bits_truncate(value as u8);
    let names: Vec<&str> = [(Aspm::L0S, "L0s"), (Aspm::L1, "L1")]
        .into_iter()
        .filter(|(state, _)| states.contains(*state))
        .map(|(_, name)| name)
        .collect();
    Some(if names.is_empty() { "off".to_string() } else { names.join("+") })
}

fn indicator(value: u32) -> Option<String> {
    Some(["reserved", "on", "blinking", "off"].get(value as usize)?.to_string())
}

fn port_type(value: u32) -> Option<String> {
    use crate::capability::DevicePortType;
    DevicePortType::from_code(value as u8).name().map(str::to_string)
}

pub(super) fn place(map: &mut RegisterMap, entry: CapabilityEntry<'_>) {
    let structure = Structure::Capability { id: entry.id(), offset: entry.offset() };
    map.place(structure, HEADER);
    let Ok(capability) = entry.decode() else { return };
    match capability {
        Capability::PowerManagement(_) => map.place(structure, POWER_MANAGEMENT),
        Capability::Msi(msi) => place_msi(map, structure, msi),
        Capability::PciX(_) => map.place(structure, PCI_X),
        Capability::PciXBridge(_) => map.place(structure, PCI_X_BRIDGE),
        Capability::VendorSpecific(vendor) => {
            map.place(structure, VENDOR_SPECIFIC);
            map.vendor_bytes(structure, u16::from(vendor.length()));
        }
        Capability::BridgeSubsystem(_) => map.place(structure, BRIDGE_SUBSYSTEM),
        Capability::PciExpress(express) => place_express(map, structure, express),
        Capability::MsiX(_) => map.place(structure, MSI_X),
        Capability::AdvancedFeatures(_) => map.place(structure, ADVANCED_FEATURES),
        Capability::HyperTransport(link) => place_hyper_transport(map, structure, link),
        _ => map.place(structure, fixed::of(entry.id())),
    }
}

fn place_hyper_transport(map: &mut RegisterMap, structure: Structure, link: HyperTransport<'_>) {
    map.place(
        structure,
        match link.capability_type() {
            HtCapabilityType::SlavePrimary => fixed::HT_SLAVE_PRIMARY,
            HtCapabilityType::HostSecondary => fixed::HT_HOST_SECONDARY,
            HtCapabilityType::Switch => fixed::HT_SWITCH,
            HtCapabilityType::InterruptDiscovery => fixed::HT_INTERRUPT_DISCOVERY,
            HtCapabilityType::RevisionId => fixed::HT_REVISION_ID,
            HtCapabilityType::UnitIdClumping => fixed::HT_UNIT_ID_CLUMPING,
            HtCapabilityType::ExtendedConfiguration => fixed::HT_EXTENDED_CONFIGURATION,
            HtCapabilityType::AddressMapping => fixed::HT_ADDRESS_MAPPING,
            HtCapabilityType::MsiMapping => fixed::HT_MSI_MAPPING,
            HtCapabilityType::DirectRoute => fixed::HT_DIRECT_ROUTE,
            HtCapabilityType::VcSet => fixed::HT_VC_SET,
            HtCapabilityType::RetryMode => fixed::HT_RETRY_MODE,
            _ => HT_COMMAND,
        },
    );
}

fn place_msi(map: &mut RegisterMap, structure: Structure, msi: Msi<'_>) {
    let control = msi.message_control();
    let at = structure.offset();
    map.place(structure, MSI_CONTROL);
    if control.contains(MsiMessageControl::ADDRESS_64_BIT_CAPABLE) {
        map.place_at(structure, MSI_UPPER_ADDRESS, at + MSI_UPPER_ADDRESS.at);
    }
    map.place_at(structure, MSI_DATA, at + control.message_data_offset());
    if control.contains(MsiMessageControl::EXTENDED_MESSAGE_DATA_CAPABLE) {
        map.place_at(structure, MSI_EXTENDED_DATA, at + control.message_data_offset() + 2);
    }
    if let (Some(mask), Some(pending)) = (control.mask_bits_offset(), control.pending_bits_offset()) {
        map.place_at(structure, MSI_MASK, at + mask);
        map.place_at(structure, MSI_PENDING, at + pending);
    }
}

/// Which registers there are depends on the kind of function: `pcicfg`'s accessors decide.
fn place_express(map: &mut RegisterMap, structure: Structure, express: PciExpress<'_>) {
    map.place(structure, EXPRESS);
    for (exists, table) in [
        (express.link_capabilities().is_some(), LINK),
        (express.slot_capabilities().is_some(), SLOT),
        (express.root_control().is_some(), ROOT),
        (express.device_capabilities_2().is_some(), EXPRESS_2),
        (express.link_capabilities_2().is_some(), LINK_2),
        (express.slot_capabilities_2().is_some(), SLOT_2),
    ] {
        if exists {
            map.place(structure, table);
        }
    }
}
