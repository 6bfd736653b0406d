//! The registers of the rarer capabilities of the first 256 bytes: those that always stand at the same place.

use super::{Register, bits, byte, dword, field, word};
use crate::capability::{
    AgpCommand, AgpStatus, CapabilityId, ExpansionSlot, FpbCapabilities, FpbMemHighVectorControl1,
    FpbMemLowVectorControl, FpbRidVectorControl1, HotPlugPending, HotSwapControlStatus, HtErrorHandling,
    HtExtendedConfigurationAddress, HtFeature, HtHostCommand, HtHostFeature, HtLinkConfiguration,
    HtLinkControl, HtLinkFrequencyCapability, HtLinkFrequencyError, HtMsiMappingCommand, HtRetryControl,
    HtRetryStatus, HtSlaveCommand, HtSwitchCommand, HtSwitchInfo, IommuBaseAddressLow, IommuCapabilityHeader,
    IommuMiscellaneousInformation0, IommuRange, VpdAddressRegister,
};

/// The registers of a capability; none for one that has a table elsewhere, or none at all.
pub(super) const fn of(id: CapabilityId) -> &'static [Register] {
    match id {
        CapabilityId::AGP | CapabilityId::AGP_8X => AGP,
        CapabilityId::VITAL_PRODUCT_DATA => VITAL_PRODUCT_DATA,
        CapabilityId::SLOT_IDENTIFICATION => SLOT_IDENTIFICATION,
        CapabilityId::COMPACT_PCI_HOT_SWAP => COMPACT_PCI_HOT_SWAP,
        CapabilityId::COMPACT_PCI_RESOURCE_CONTROL => COMPACT_PCI_RESOURCE_CONTROL,
        CapabilityId::DEBUG_PORT => DEBUG_PORT,
        CapabilityId::HOT_PLUG => HOT_PLUG,
        CapabilityId::SECURE_DEVICE => SECURE_DEVICE,
        CapabilityId::SATA => SATA,
        CapabilityId::FLATTENING_PORTAL_BRIDGE => FLATTENING_PORTAL_BRIDGE,
        _ => &[],
    }
}

const AGP: &[Register] = &[
    byte("AGP Revision", 0x02),
    dword("AGP Status", 0x04).flags(bits::<AgpStatus>).fields(&[
        field("Calibration Cycle", 0x1c00),
        field("Optimum Request Size", 0xe000),
        field("Maximum Requests", 0xff000000),
    ]),
    dword("AGP Command", 0x08).flags(bits::<AgpCommand>).fields(&[
        field("Calibration Cycle", 0x1c00),
        field("Optimum Request Size", 0xe000),
        field("Maximum Requests", 0xff000000),
    ]),
];

const VITAL_PRODUCT_DATA: &[Register] = &[
    word("VPD Address", 0x02)
        .flags(bits::<VpdAddressRegister>)
        .fields(&[field("VPD Address", 0x7fff)])
        .status(0xffff),
    dword("VPD Data", 0x04).status(!0),
];

const SLOT_IDENTIFICATION: &[Register] = &[
    byte("Expansion Slot", 0x02)
        .flags(bits::<ExpansionSlot>)
        .fields(&[field("Expansion Slots Provided", 0x1f)]),
    byte("Chassis Number", 0x03),
];

const COMPACT_PCI_HOT_SWAP: &[Register] = &[byte("Hot Swap Control and Status", 0x02)
    .flags(bits::<HotSwapControlStatus>)
    .fields(&[field("Programming Interface", 0x30)])
    .status(0xff)];

const COMPACT_PCI_RESOURCE_CONTROL: &[Register] = &[word("Central Resource Control", 0x02)];

const DEBUG_PORT: &[Register] = &[word("Debug Port Location", 0x02)
    .fields(&[field("Debug Port Offset", 0x1fff), field("BAR Number", 0xe000)])];

const HOT_PLUG: &[Register] = &[
    byte("DWORD Select", 0x02).status(0xff),
    byte("Controller Pending", 0x03).flags(bits::<HotPlugPending>).status(0xff),
    dword("DWORD Data", 0x04).status(!0),
];

const SECURE_DEVICE: &[Register] = &[
    word("IOMMU Capability Header", 0x02)
        .flags(bits::<IommuCapabilityHeader>)
        .fields(&[field("Capability Block Type", 0x7), field("Capability Block Revision", 0xf8)]),
    dword("Base Address Low", 0x04).flags(bits::<IommuBaseAddressLow>),
    dword("Base Address High", 0x08),
    dword("IOMMU Range", 0x0c).flags(bits::<IommuRange>).fields(&[
        field("Unit ID", 0x1f),
        field("Bus Number", 0xff00),
        field("First Device", 0xff0000),
        field("Last Device", 0xff000000),
    ]),
    dword("Miscellaneous Information 0", 0x10).flags(bits::<IommuMiscellaneousInformation0>).fields(&[
        field("MSI Message Number", 0x1f),
        field("Guest Virtual Address Size Code", 0xe0),
        field("Physical Address Size", 0x7f00),
        field("Virtual Address Size", 0x3f8000),
        field("Ppr MSI Message Number", 0xf8000000),
    ]),
];

const SATA: &[Register] = &[
    byte("SATA Revision", 0x02).fields(&[field("Minor Revision", 0xf), field("Major Revision", 0xf0)]),
    dword("SATA Capability 1", 0x04).fields(&[field("BAR Location", 0xf), field("BAR Offset", 0xfffff0)]),
];

const FLATTENING_PORTAL_BRIDGE: &[Register] = &[
    dword("FPB Capabilities", 0x04).flags(bits::<FpbCapabilities>).fields(&[
        field("Num Sec Dev", 0xf8),
        field("RID Vector Size Supported", 0x700),
        field("MEM Low Vector Size Supported", 0x70000),
        field("MEM High Vector Size Supported", 0x7000000),
    ]),
    dword("FPB RID Vector Control 1", 0x08)
        .flags(bits::<FpbRidVectorControl1>)
        .fields(&[field("RID Vector Granularity", 0xf0), field("RID Vector Start", 0xfff80000)]),
    dword("FPB RID Vector Control 2", 0x0c).fields(&[field("RID Secondary Start", 0xfff8)]),
    dword("FPB MEM Low Vector Control", 0x10)
        .flags(bits::<FpbMemLowVectorControl>)
        .fields(&[field("MEM Low Vector Granularity", 0xf0), field("MEM Low Vector Start", 0xfff00000)]),
    dword("FPB MEM High Vector Control 1", 0x14).flags(bits::<FpbMemHighVectorControl1>).fields(&[
        field("MEM High Vector Granularity", 0xf0),
        field("MEM High Vector Start Lower", 0xf0000000),
    ]),
    dword("FPB MEM High Vector Control 2", 0x18),
    dword("FPB Vector Access Control", 0x1c)
        .fields(&[field("Vector Access Offset", 0xff), field("Vector Select", 0xc000)]),
    dword("FPB Vector Access Data", 0x20).status(!0),
];

pub(super) const HT_SLAVE_PRIMARY: &[Register] = &[
    word("Command", 0x02)
        .flags(bits::<HtSlaveCommand>)
        .fields(&[field("Base Unit ID", 0x1f), field("Unit Count", 0x3e0)]),
    word("Link Control 0", 0x04).flags(bits::<HtLinkControl>).fields(&[field("CRC Error", 0xf00)]),
    word("Link Configuration 0", 0x06).flags(bits::<HtLinkConfiguration>).fields(&[
        field("Max Link Width in", 0x7),
        field("Max Link Width Out", 0x70),
        field("Link Width in", 0x700),
        field("Link Width Out", 0x7000),
    ]),
    word("Link Control 1", 0x08).flags(bits::<HtLinkControl>).fields(&[field("CRC Error", 0xf00)]),
    word("Link Configuration 1", 0x0a).flags(bits::<HtLinkConfiguration>).fields(&[
        field("Max Link Width in", 0x7),
        field("Max Link Width Out", 0x70),
        field("Link Width in", 0x700),
        field("Link Width Out", 0x7000),
    ]),
    byte("Revision ID", 0x0c).fields(&[field("Minor Revision", 0x1f), field("Major Revision", 0xe0)]),
    byte("Link Frequency/Error 0", 0x0d)
        .flags(bits::<HtLinkFrequencyError>)
        .fields(&[field("Link Frequency", 0xf)]),
    word("Link Frequency Capability 0", 0x0e).flags(bits::<HtLinkFrequencyCapability>),
    byte("Feature Capability", 0x10).flags(bits::<HtFeature>),
    byte("Link Frequency/Error 1", 0x11)
        .flags(bits::<HtLinkFrequencyError>)
        .fields(&[field("Link Frequency", 0xf)]),
    word("Link Frequency Capability 1", 0x12).flags(bits::<HtLinkFrequencyCapability>),
    word("Enumeration Scratchpad", 0x14),
    word("Error Handling", 0x16).flags(bits::<HtErrorHandling>),
    byte("Memory Base Upper", 0x18),
    byte("Memory Limit Upper", 0x19),
    byte("Bus Number", 0x1a),
];

pub(super) const HT_HOST_SECONDARY: &[Register] = &[
    word("Command", 0x02).flags(bits::<HtHostCommand>).fields(&[field("Device Number", 0x7c)]),
    word("Link Control", 0x04).flags(bits::<HtLinkControl>).fields(&[field("CRC Error", 0xf00)]),
    word("Link Configuration", 0x06).flags(bits::<HtLinkConfiguration>).fields(&[
        field("Max Link Width in", 0x7),
        field("Max Link Width Out", 0x70),
        field("Link Width in", 0x700),
        field("Link Width Out", 0x7000),
    ]),
    byte("Revision ID", 0x08).fields(&[field("Minor Revision", 0x1f), field("Major Revision", 0xe0)]),
    byte("Link Frequency/Error", 0x09)
        .flags(bits::<HtLinkFrequencyError>)
        .fields(&[field("Link Frequency", 0xf)]),
    word("Link Frequency Capability", 0x0a).flags(bits::<HtLinkFrequencyCapability>),
    word("Feature Capability", 0x0c).flags(bits::<HtHostFeature>),
    word("Enumeration Scratchpad", 0x10),
    word("Error Handling", 0x12).flags(bits::<HtErrorHandling>),
    byte("Memory Base Upper", 0x14),
    byte("Memory Limit Upper", 0x15),
];

pub(super) const HT_SWITCH: &[Register] = &[
    word("Command", 0x02).flags(bits::<HtSwitchCommand>),
    dword("Partition Mask", 0x04),
    dword("Switch Info", 0x08).flags(bits::<HtSwitchInfo>).fields(&[
        field("Default Port", 0x1f),
        field("Performance Counter Index", 0xf00),
        field("Base Limit Range Index", 0x3f000),
    ]),
    dword("Performance Counter Data", 0x0c),
    dword("Base/Limit Range Data", 0x10),
    dword("Secondary Base Data", 0x14),
];

pub(super) const HT_INTERRUPT_DISCOVERY: &[Register] = &[byte("Index", 0x02), dword("Data", 0x04)];

pub(super) const HT_REVISION_ID: &[Register] =
    &[byte("Revision ID", 0x02).fields(&[field("Minor Revision", 0x1f), field("Major Revision", 0xe0)])];

pub(super) const HT_UNIT_ID_CLUMPING: &[Register] =
    &[dword("Clumping Support", 0x04), dword("Clumping Enable", 0x08)];

pub(super) const HT_EXTENDED_CONFIGURATION: &[Register] = &[
    dword("Configuration Address", 0x04).flags(bits::<HtExtendedConfigurationAddress>).fields(&[
        field("Register", 0xffc),
        field("Function", 0x7000),
        field("Device", 0xf8000),
        field("Bus Number", 0xff00000),
    ]),
    dword("Configuration Data", 0x08),
];

pub(super) const HT_ADDRESS_MAPPING: &[Register] = &[word("Command", 0x02).fields(&[
    field("Number of DMA Mappings", 0xf),
    field("I/O Size", 0x1f0),
    field("Map Type", 0x600),
])];

pub(super) const HT_MSI_MAPPING: &[Register] = &[word("Command", 0x02).flags(bits::<HtMsiMappingCommand>)];

pub(super) const HT_DIRECT_ROUTE: &[Register] = &[
    word("Command", 0x02).fields(&[field("Number of Direct Route Spaces", 0xf), field("Index", 0x1f0)]),
    dword("Enable Vector", 0x04),
    dword("Data", 0x08),
];

pub(super) const HT_VC_SET: &[Register] = &[
    byte("VCSets Supported", 0x04),
    byte("Link 1 VCSets Enabled", 0x05),
    byte("Link 0 VCSets Enabled", 0x06),
    byte("Stream Bucket Depth", 0x08),
    byte("Stream Interval", 0x09),
    byte("Number of Streaming VCs Supported", 0x0a),
    byte("Non-FC Bucket Depth", 0x0c),
    byte("Non-FC Bucket Interval", 0x0d),
];

pub(super) const HT_RETRY_MODE: &[Register] = &[
    byte("Control 0", 0x04).flags(bits::<HtRetryControl>).fields(&[field("Allowed Attempts", 0xc0)]),
    byte("Status 0", 0x05).flags(bits::<HtRetryStatus>),
    byte("Control 1", 0x06).flags(bits::<HtRetryControl>).fields(&[field("Allowed Attempts", 0xc0)]),
    byte("Status 1", 0x07).flags(bits::<HtRetryStatus>),
    word("Retry Count 0", 0x08),
    word("Retry Count 1", 0x0a),
];
