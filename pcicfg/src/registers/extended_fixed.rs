//! The registers of the rarer capabilities of the extended list: those that always stand at the same place.

use super::{Register, bits, byte, dword, field, word};
use crate::extended::{
    AlternateProtocolCapabilities, AlternateProtocolControl, CxlCapability, CxlControl, CxlControl2,
    CxlFlexBusCapability, CxlFlexBusControl, CxlFlexBusStatus, CxlPortStatus, CxlRangeSizeLow, CxlStatus,
    CxlStatus2, DataLinkFeatures, DeviceCapabilities3, DeviceControl3, DeviceStatus3, DoeCapabilities,
    DoeControl, DoeStatus, DpaStatus, ExtendedCapabilityId, FberMeasurementControl, FlitErrorCounterControl,
    FlitErrorInjectionControl1, FlitErrorLog1, FrsQueueingControl, FrsQueueingStatus, IdeCapability,
    IdeControl, LinkControl3, LnrCapability, LnrControl, MPcieCapabilities, MPciePhyControlAddress,
    MPciePhyControlData, MPcieStatus, MarginingPortCapabilities, MarginingPortStatus, MulticastCapability,
    MulticastControl, NpemIndicators, OrderedSetErrorInjectionControl1, PhysicalLayer16Status,
    PhysicalLayer32Capabilities, PhysicalLayer32Control, PhysicalLayer32Status, PhysicalLayer64Status,
    PmuxCapability, PmuxStatus, PowerBudgetingCapability, RcrbCapabilities, RcrbControl,
    RootComplexLinkControl, SfiCapability, SfiControl,
};

/// The registers of a capability; none for one that has a table elsewhere, or none at all.
pub(super) const fn of(id: ExtendedCapabilityId) -> &'static [Register] {
    match id {
        ExtendedCapabilityId::POWER_BUDGETING => POWER_BUDGETING,
        ExtendedCapabilityId::ROOT_COMPLEX_LINK_DECLARATION => ROOT_COMPLEX_LINK_DECLARATION,
        ExtendedCapabilityId::ROOT_COMPLEX_INTERNAL_LINK_CONTROL => ROOT_COMPLEX_INTERNAL_LINK,
        ExtendedCapabilityId::ROOT_COMPLEX_EVENT_COLLECTOR_ENDPOINT_ASSOCIATION => {
            EVENT_COLLECTOR_ASSOCIATION
        }
        ExtendedCapabilityId::ROOT_COMPLEX_REGISTER_BLOCK => ROOT_COMPLEX_REGISTER_BLOCK,
        ExtendedCapabilityId::CONFIGURATION_ACCESS_CORRELATION => CONFIGURATION_ACCESS_CORRELATION,
        ExtendedCapabilityId::MR_IOV => MR_IOV,
        ExtendedCapabilityId::MULTICAST => MULTICAST,
        ExtendedCapabilityId::DYNAMIC_POWER_ALLOCATION => DYNAMIC_POWER_ALLOCATION,
        ExtendedCapabilityId::SECONDARY_PCI_EXPRESS => SECONDARY_PCI_EXPRESS,
        ExtendedCapabilityId::PHYSICAL_LAYER_16_GT => PHYSICAL_LAYER16,
        ExtendedCapabilityId::PHYSICAL_LAYER_32_GT => PHYSICAL_LAYER32,
        ExtendedCapabilityId::PHYSICAL_LAYER_64_GT => PHYSICAL_LAYER64,
        ExtendedCapabilityId::PHYSICAL_LAYER_128_GT => PHYSICAL_LAYER128,
        ExtendedCapabilityId::PROTOCOL_MULTIPLEXING => PROTOCOL_MULTIPLEXING,
        ExtendedCapabilityId::LN_REQUESTER => LN_REQUESTER,
        ExtendedCapabilityId::M_PCIE => M_PCIE,
        ExtendedCapabilityId::FRS_QUEUEING => FRS_QUEUEING,
        ExtendedCapabilityId::DATA_LINK_FEATURE => DATA_LINK_FEATURE,
        ExtendedCapabilityId::LANE_MARGINING_AT_THE_RECEIVER => LANE_MARGINING,
        ExtendedCapabilityId::HIERARCHY_ID => HIERARCHY_ID,
        ExtendedCapabilityId::NATIVE_PCIE_ENCLOSURE_MANAGEMENT => ENCLOSURE_MANAGEMENT,
        ExtendedCapabilityId::ALTERNATE_PROTOCOL => ALTERNATE_PROTOCOL,
        ExtendedCapabilityId::SYSTEM_FIRMWARE_INTERMEDIARY => SYSTEM_FIRMWARE_INTERMEDIARY,
        ExtendedCapabilityId::SHADOW_FUNCTIONS => SHADOW_FUNCTIONS,
        ExtendedCapabilityId::DATA_OBJECT_EXCHANGE => DATA_OBJECT_EXCHANGE,
        ExtendedCapabilityId::DEVICE_3 => DEVICE3,
        ExtendedCapabilityId::INTEGRITY_AND_DATA_ENCRYPTION => INTEGRITY_AND_DATA_ENCRYPTION,
        ExtendedCapabilityId::FLIT_LOGGING => FLIT_LOGGING,
        ExtendedCapabilityId::FLIT_PERFORMANCE_MEASUREMENT => FLIT_PERFORMANCE,
        ExtendedCapabilityId::FLIT_ERROR_INJECTION => FLIT_ERROR_INJECTION,
        ExtendedCapabilityId::STREAMLINED_VIRTUAL_CHANNEL => STREAMLINED_VIRTUAL_CHANNEL,
        ExtendedCapabilityId::MMIO_REGISTER_BLOCK_LOCATOR => MMIO_REGISTER_BLOCK_LOCATOR,
        ExtendedCapabilityId::NOP_FLIT => NOP_FLIT,
        ExtendedCapabilityId::SCALABLE_IO_VIRTUALIZATION => SCALABLE_IO_VIRTUALIZATION,
        ExtendedCapabilityId::CAPTURED_DATA => CAPTURED_DATA,
        _ => &[],
    }
}

const POWER_BUDGETING: &[Register] = &[
    byte("Power Budgeting Data Select", 0x04),
    dword("Power Budgeting Data", 0x08)
        .fields(&[
            field("Base Power", 0xff),
            field("Data Scale", 0x300),
            field("PM Sub State", 0x1c00),
            field("PM State", 0x6000),
            field("Operating Condition", 0x38000),
            field("Power Rail", 0x1c0000),
        ])
        .status(!0),
    byte("Power Budget Capability", 0x0c).flags(bits::<PowerBudgetingCapability>),
];

const ROOT_COMPLEX_LINK_DECLARATION: &[Register] = &[dword("Element Self Description", 0x04).fields(&[
    field("Element Type", 0xf),
    field("Number of Link Entries", 0xff00),
    field("Component ID", 0xff0000),
    field("Port Number", 0xff000000),
])];

const ROOT_COMPLEX_INTERNAL_LINK: &[Register] = &[
    dword("Root Complex Link Capabilities", 0x04).fields(&[
        field("Max Link Speed", 0xf),
        field("Maximum Link Width", 0x3f0),
        field("ASPM Support", 0xc00),
        field("L0s Exit Latency Code", 0x7000),
        field("L1 Exit Latency Code", 0x38000),
        field("Supported Link Speeds Vector", 0x1fc0000),
    ]),
    word("Root Complex Link Control", 0x08)
        .flags(bits::<RootComplexLinkControl>)
        .fields(&[field("ASPM Control", 0x3)]),
    word("Root Complex Link Status", 0x0a)
        .fields(&[field("Current Link Speed", 0xf), field("Negotiated Link Width", 0x3f0)]),
];

const EVENT_COLLECTOR_ASSOCIATION: &[Register] = &[dword("Association Bitmap for RCiEPs", 0x04)];

const ROOT_COMPLEX_REGISTER_BLOCK: &[Register] = &[
    word("Vendor ID", 0x04),
    word("Device ID", 0x06),
    dword("RCRB Capabilities", 0x08).flags(bits::<RcrbCapabilities>),
    dword("RCRB Control", 0x0c).flags(bits::<RcrbControl>),
];

const CONFIGURATION_ACCESS_CORRELATION: &[Register] = &[dword("Device Correlation", 0x04)];

const MR_IOV: &[Register] =
    &[dword("MR-IOV Capabilities", 0x04), dword("MR-IOV Control", 0x08), dword("MR-IOV Status", 0x0c)];

const MULTICAST: &[Register] = &[
    word("Multicast Capability", 0x04)
        .flags(bits::<MulticastCapability>)
        .fields(&[field("Max Group", 0x3f), field("Window Size Requested", 0x3f00)]),
    word("Multicast Control", 0x06).flags(bits::<MulticastControl>).fields(&[field("Num Group", 0x3f)]),
    dword("MC_Base_Address, lower half", 0x08).fields(&[field("Index Position", 0x3f)]),
    dword("MC_Base_Address, upper half", 0x0c),
    dword("MC_Receive, lower half", 0x10),
    dword("MC_Receive, upper half", 0x14),
    dword("MC_Block_All, lower half", 0x18),
    dword("MC_Block_All, upper half", 0x1c),
    dword("MC_Block_Untranslated, lower half", 0x20),
    dword("MC_Block_Untranslated, upper half", 0x24),
];

const DYNAMIC_POWER_ALLOCATION: &[Register] = &[
    dword("DPA Capability", 0x04).fields(&[
        field("Substate Max", 0x1f),
        field("Transition Latency Unit", 0x300),
        field("Power Allocation Scale Milliwatts", 0x3000),
        field("Transition Latency Value 0", 0xff0000),
        field("Transition Latency Value 1", 0xff000000),
    ]),
    dword("DPA Latency Indicator", 0x08),
    word("DPA Status", 0x0c).flags(bits::<DpaStatus>).fields(&[field("Substate Status", 0x1f)]),
    word("DPA Control", 0x0e).fields(&[field("Substate Control", 0x1f)]),
];

const SECONDARY_PCI_EXPRESS: &[Register] = &[
    dword("Link Control 3", 0x04)
        .flags(bits::<LinkControl3>)
        .fields(&[field("Enable Lower SKP OS Generation Vector", 0xfe00)]),
    dword("Lane Error Status", 0x08).status(!0),
];

const PHYSICAL_LAYER16: &[Register] = &[
    dword("16.0 GT/s Capabilities", 0x04),
    dword("16.0 GT/s Control", 0x08),
    dword("16.0 GT/s Status", 0x0c).flags(bits::<PhysicalLayer16Status>).status(!0),
    dword("16.0 GT/s Local Data Parity Mismatch Status", 0x10).status(!0),
    dword("16.0 GT/s First Retimer Data Parity Mismatch Status", 0x14).status(!0),
    dword("16.0 GT/s Second Retimer Data Parity Mismatch Status", 0x18).status(!0),
];

const PHYSICAL_LAYER32: &[Register] = &[
    dword("32.0 GT/s Capabilities", 0x04).flags(bits::<PhysicalLayer32Capabilities>),
    dword("32.0 GT/s Control", 0x08)
        .flags(bits::<PhysicalLayer32Control>)
        .fields(&[field("Modified TS Usage Mode Selected", 0x700)]),
    dword("32.0 GT/s Status", 0x0c)
        .flags(bits::<PhysicalLayer32Status>)
        .fields(&[field("Received Enhanced Link Behavior Control", 0xc0)])
        .status(!0),
    dword("Received Modified TS Data 1", 0x10)
        .fields(&[field("Usage Mode", 0x7), field("Information 1", 0xfff8), field("Vendor ID", 0xffff0000)])
        .status(!0),
    dword("Received Modified TS Data 2", 0x14)
        .fields(&[
            field("Information 2", 0xffffff),
            field("Alternate Protocol Negotiation Status", 0x3000000),
        ])
        .status(!0),
    dword("Transmitted Modified TS Data 1", 0x18).fields(&[
        field("Usage Mode", 0x7),
        field("Information 1", 0xfff8),
        field("Vendor ID", 0xffff0000),
    ]),
    dword("Transmitted Modified TS Data 2", 0x1c).fields(&[
        field("Information 2", 0xffffff),
        field("Alternate Protocol Negotiation Status", 0x3000000),
    ]),
];

const PHYSICAL_LAYER64: &[Register] = &[
    dword("64.0 GT/s Capabilities", 0x04),
    dword("64.0 GT/s Control", 0x08),
    dword("64.0 GT/s Status", 0x0c).flags(bits::<PhysicalLayer64Status>).status(!0),
];

const PHYSICAL_LAYER128: &[Register] = &[
    dword("128.0 GT/s Capabilities", 0x04).fields(&[
        field("Supported Link Speeds Vector 2", 0xff),
        field("Lower SKP OS Generation Supported Speeds Vector 2", 0xff00),
        field("Lower SKP OS Reception Supported Speeds Vector 2", 0xff0000),
    ]),
    dword("128.0 GT/s Control", 0x08),
    dword("128.0 GT/s Status", 0x0c).flags(bits::<PhysicalLayer64Status>).status(!0),
];

const PROTOCOL_MULTIPLEXING: &[Register] = &[
    dword("PMUX Capability", 0x04)
        .flags(bits::<PmuxCapability>)
        .fields(&[field("Protocol Array Size", 0x3f)]),
    dword("PMUX Control", 0x08).fields(&[
        field("Channel 0 Assignment", 0x3f),
        field("Channel 1 Assignment", 0x3f00),
        field("Channel 2 Assignment", 0x3f0000),
        field("Channel 3 Assignment", 0x3f000000),
    ]),
    dword("PMUX Status", 0x0c).flags(bits::<PmuxStatus>),
];

const LN_REQUESTER: &[Register] = &[
    word("LNR Capability", 0x04).flags(bits::<LnrCapability>).fields(&[field("Registration Max", 0x1f00)]),
    word("LNR Control", 0x06).flags(bits::<LnrControl>).fields(&[field("Registration Limit", 0x1f00)]),
];

const M_PCIE: &[Register] = &[
    dword("M-PCIe Capabilities", 0x04)
        .flags(bits::<MPcieCapabilities>)
        .fields(&[field("Maximum TX Lane Width", 0xff0000), field("Maximum RX Lane Width", 0xff000000)]),
    dword("M-PCIe Control", 0x08).fields(&[field("Target Link Speed", 0x3)]),
    dword("M-PCIe Status", 0x0c).flags(bits::<MPcieStatus>).fields(&[
        field("Current Link Speed", 0x3),
        field("TX Lane Width", 0xff0000),
        field("RX Lane Width", 0xff000000),
    ]),
    dword("M-PCIe LANE Error Status", 0x10).status(!0),
    dword("M-PCIe Phy Control Address", 0x14).flags(bits::<MPciePhyControlAddress>).fields(&[
        field("Lower Addr", 0xff),
        field("Upper Addr", 0x3f0000),
        field("Phy Location", 0xe000000),
    ]),
    dword("M-PCIe Phy Control Data", 0x18)
        .flags(bits::<MPciePhyControlData>)
        .fields(&[field("Phy Register Data", 0xff)])
        .status(!0),
];

const FRS_QUEUEING: &[Register] = &[
    dword("FRS Queueing Capability", 0x04)
        .fields(&[field("Queue Max Depth", 0xfff), field("Interrupt Message Number", 0x1f0000)]),
    word("FRS Queueing Status", 0x08).flags(bits::<FrsQueueingStatus>).status(0xffff),
    word("FRS Queueing Control", 0x0a).flags(bits::<FrsQueueingControl>),
    dword("FRS Message Queue", 0x0c)
        .fields(&[field("Function ID", 0xffff), field("Reason", 0xf0000), field("Depth", 0xfff00000)])
        .status(!0),
];

const DATA_LINK_FEATURE: &[Register] = &[
    dword("Data Link Feature Capabilities", 0x04)
        .flags(bits::<DataLinkFeatures>)
        .fields(&[field("Extended VC Count", 0x1c), field("L0p Exit Latency Code", 0xe0)]),
    dword("Data Link Feature Status", 0x08)
        .flags(bits::<DataLinkFeatures>)
        .fields(&[field("Extended VC Count", 0x1c), field("L0p Exit Latency Code", 0xe0)])
        .status(!0),
];

const LANE_MARGINING: &[Register] = &[
    word("Margining Port Capabilities", 0x04).flags(bits::<MarginingPortCapabilities>),
    word("Margining Port Status", 0x06).flags(bits::<MarginingPortStatus>).status(0xffff),
];

const HIERARCHY_ID: &[Register] = &[
    dword("Hierarchy ID Status", 0x04).fields(&[field("Message Requester ID", 0xffff)]),
    dword("Hierarchy ID Data", 0x08)
        .fields(&[field("System GUID Authority ID", 0xff), field("Hierarchy ID", 0xffff0000)]),
    dword("Hierarchy ID GUID 1", 0x0c),
    dword("Hierarchy ID GUID 2", 0x10),
    dword("Hierarchy ID GUID 3", 0x14),
    dword("Hierarchy ID GUID 4", 0x18),
    dword("Hierarchy ID GUID 5", 0x1c),
];

const ENCLOSURE_MANAGEMENT: &[Register] = &[
    dword("NPEM Capability", 0x04)
        .flags(bits::<NpemIndicators>)
        .fields(&[field("Enclosure Specific", 0xff000000)]),
    dword("NPEM Control", 0x08)
        .flags(bits::<NpemIndicators>)
        .fields(&[field("Enclosure Specific", 0xff000000)]),
    dword("NPEM Status", 0x0c)
        .flags(bits::<NpemIndicators>)
        .fields(&[field("Enclosure Specific", 0xff000000)])
        .status(!0),
];

const ALTERNATE_PROTOCOL: &[Register] = &[
    dword("Alternate Protocol Capabilities", 0x04)
        .flags(bits::<AlternateProtocolCapabilities>)
        .fields(&[field("Count", 0xff)]),
    dword("Alternate Protocol Control", 0x08)
        .flags(bits::<AlternateProtocolControl>)
        .fields(&[field("Index Select", 0xff)]),
    dword("Alternate Protocol Data 1", 0x0c)
        .fields(&[field("Usage Information", 0x7), field("Details", 0xffe0), field("Vendor ID", 0xffff0000)])
        .status(!0),
    dword("Alternate Protocol Data 2", 0x10)
        .fields(&[field("Modified TS Information 2", 0xffffff)])
        .status(!0),
];

const SYSTEM_FIRMWARE_INTERMEDIARY: &[Register] = &[
    word("SFI Capability", 0x04).flags(bits::<SfiCapability>),
    word("SFI Control", 0x06).flags(bits::<SfiControl>),
    word("SFI Status", 0x08).status(0xffff),
    dword("SFI CAM Address", 0x0c),
    dword("SFI CAM Data", 0x10).status(!0),
];

const SHADOW_FUNCTIONS: &[Register] =
    &[dword("Shadow Functions Capability", 0x04), dword("Shadow Functions Control", 0x08)];

const DATA_OBJECT_EXCHANGE: &[Register] = &[
    dword("DOE Capabilities", 0x04)
        .flags(bits::<DoeCapabilities>)
        .fields(&[field("Interrupt Message Number", 0xffe)]),
    dword("DOE Control", 0x08).flags(bits::<DoeControl>),
    dword("DOE Status", 0x0c).flags(bits::<DoeStatus>).status(!0),
    dword("DOE Write Data Mailbox", 0x10),
    dword("DOE Read Data Mailbox", 0x14).status(!0),
];

const DEVICE3: &[Register] = &[
    dword("Device Capabilities 3", 0x04)
        .flags(bits::<DeviceCapabilities3>)
        .fields(&[field("Port L0p Exit Latency Code", 0x70), field("Retimer L0p Exit Latency Code", 0x380)]),
    dword("Device Control 3", 0x08)
        .flags(bits::<DeviceControl3>)
        .fields(&[field("Target Link Width Code", 0x70)]),
    dword("Device Status 3", 0x0c)
        .flags(bits::<DeviceStatus3>)
        .fields(&[field("Initial Link Width", 0x7)])
        .status(!0),
];

const INTEGRITY_AND_DATA_ENCRYPTION: &[Register] = &[
    dword("IDE Capability", 0x04).flags(bits::<IdeCapability>).fields(&[
        field("Supported Algorithms", 0x1f00),
        field("Number of Tcs Supported for Link IDE", 0xe000),
        field("Number of Selective IDE Streams Supported", 0xff0000),
    ]),
    dword("IDE Control", 0x08).flags(bits::<IdeControl>),
];

const FLIT_LOGGING: &[Register] = &[
    dword("Flit Error Log 1", 0x04)
        .flags(bits::<FlitErrorLog1>)
        .fields(&[
            field("Link Width Code", 0xe),
            field("Flit Offset", 0xf0),
            field("Consecutive Errors", 0x1f00),
            field("Syndrome Parity 0", 0xff0000),
            field("Syndrome Check 0", 0xff000000),
        ])
        .status(!0),
    dword("Flit Error Log 2", 0x08)
        .fields(&[
            field("Syndrome Parity 1", 0xff),
            field("Syndrome Check 1", 0xff00),
            field("Syndrome Parity 2", 0xff0000),
            field("Syndrome Check 2", 0xff000000),
        ])
        .status(!0),
    word("Flit Error Counter Control", 0x0c)
        .flags(bits::<FlitErrorCounterControl>)
        .fields(&[field("Events to Count", 0xc), field("Trigger Event on Error Count", 0xff0)]),
    word("Flit Error Counter Status", 0x0e)
        .fields(&[field("Link Width Code", 0x7), field("Flit Error Counter", 0xff00)])
        .status(0xffff),
    dword("FBER Measurement Control", 0x10)
        .flags(bits::<FberMeasurementControl>)
        .fields(&[field("Granularity", 0xc)]),
    dword("FBER Measurement Status 1", 0x14).status(!0),
    dword("FBER Measurement Status 2", 0x18).status(!0),
];

const FLIT_PERFORMANCE: &[Register] = &[
    dword("Flit Performance Measurement Capability", 0x04),
    dword("Flit Performance Measurement Control", 0x08),
    dword("Flit Performance Measurement Status", 0x0c).status(!0),
];

const FLIT_ERROR_INJECTION: &[Register] = &[
    dword("Flit Error Injection Capability", 0x04),
    dword("Flit Error Injection Control 1", 0x08).flags(bits::<FlitErrorInjectionControl1>).fields(&[
        field("Number of Errors", 0x1f0000),
        field("Spacing", 0x1fe00000),
        field("Flit Type", 0xe0000000),
    ]),
    dword("Flit Error Injection Control 2", 0x0c).fields(&[
        field("Consecutive Error Injection", 0x7),
        field("Error Type", 0x18),
        field("Error Offset", 0xfe0),
        field("Error Magnitude", 0xff000),
    ]),
    dword("Flit Error Injection Status", 0x10).fields(&[field("TX", 0x3), field("RX", 0xc)]).status(!0),
    dword("Ordered Set Error Injection Control 1", 0x14)
        .flags(bits::<OrderedSetErrorInjectionControl1>)
        .fields(&[field("Number of Errors", 0xf8), field("Spacing", 0xff00)]),
    dword("Ordered Set Error Injection Control 2", 0x18).fields(&[
        field("Error Injection Bytes", 0xffff),
        field("Lane Number for Error Injection", 0xffff0000),
    ]),
    dword("Ordered Set Error Tx Injection Status", 0x1c)
        .fields(&[
            field("TS0", 0x3),
            field("TS1", 0xc),
            field("TS2", 0x30),
            field("SKP", 0xc0),
            field("EIEOS", 0x300),
            field("EIOS", 0xc00),
            field("SDS", 0x3000),
            field("Polling", 0xc000),
            field("Configuration", 0x30000),
            field("L0", 0xc0000),
            field("Recovery", 0x300000),
            field("Equalization Phases 0 and 1", 0xc00000),
            field("Equalization Phase 2", 0x3000000),
            field("Equalization Phase 3", 0xc000000),
        ])
        .status(!0),
    dword("Ordered Set Error Rx Injection Status", 0x20)
        .fields(&[
            field("TS0", 0x3),
            field("TS1", 0xc),
            field("TS2", 0x30),
            field("SKP", 0xc0),
            field("EIEOS", 0x300),
            field("EIOS", 0xc00),
            field("SDS", 0x3000),
            field("Polling", 0xc000),
            field("Configuration", 0x30000),
            field("L0", 0xc0000),
            field("Recovery", 0x300000),
            field("Equalization Phases 0 and 1", 0xc00000),
            field("Equalization Phase 2", 0x3000000),
            field("Equalization Phase 3", 0xc000000),
        ])
        .status(!0),
];

const STREAMLINED_VIRTUAL_CHANNEL: &[Register] = &[
    dword("SVC Port Capability 1", 0x04).fields(&[field("Extended VC Count", 0x7)]),
    dword("SVC Port Capability 2", 0x08),
    dword("SVC Port Control", 0x0c),
    dword("SVC Port Status", 0x10).status(!0),
];

const MMIO_REGISTER_BLOCK_LOCATOR: &[Register] =
    &[dword("MRBL Capabilities", 0x04).fields(&[field("Structure Length", 0xfff)])];

const NOP_FLIT: &[Register] = &[
    dword("NOP Flit Capabilities", 0x04),
    dword("NOP Flit Control 1", 0x08),
    dword("NOP Flit Control 2", 0x0c),
    dword("NOP Flit Status", 0x10).status(!0),
];

const SCALABLE_IO_VIRTUALIZATION: &[Register] = &[
    dword("SIOV Capabilities", 0x04),
    word("Total SDIs", 0x08),
    byte("SIOV Status", 0x0b),
    word("First SDI Offset", 0x0c),
    word("SDI Stride", 0x0e),
];

const CAPTURED_DATA: &[Register] = &[dword("Captured Data, first dword", 0x04)];

pub(super) const CXL_DEVICE: &[Register] = &[
    word("CXL Capability", 0x0a)
        .flags(bits::<CxlCapability>)
        .fields(&[field("HDM Count", 0x30), field("CXL Reset Timeout", 0x700)]),
    word("CXL Control", 0x0c)
        .flags(bits::<CxlControl>)
        .fields(&[field("Cache Sf Coverage", 0xf8), field("Cache Sf Granularity", 0x700)]),
    word("CXL Status", 0x0e).flags(bits::<CxlStatus>),
    word("CXL Control 2", 0x10).flags(bits::<CxlControl2>),
    word("CXL Status 2", 0x12).flags(bits::<CxlStatus2>),
    word("CXL Lock", 0x14),
    word("CXL Capability 2", 0x16)
        .fields(&[field("Cache Size Unit", 0xf), field("Cache Size Units", 0xff00)]),
    dword("CXL Range 1 Size High", 0x18),
    dword("CXL Range 1 Size Low", 0x1c).flags(bits::<CxlRangeSizeLow>).fields(&[
        field("Media Type", 0x1c),
        field("Memory Class", 0xe0),
        field("Desired Interleave", 0x1f00),
        field("Memory Active Timeout", 0xe000),
    ]),
    dword("CXL Range 1 Base High", 0x20),
    dword("CXL Range 1 Base Low", 0x24),
    dword("CXL Range 2 Size High", 0x28),
    dword("CXL Range 2 Size Low", 0x2c).flags(bits::<CxlRangeSizeLow>).fields(&[
        field("Media Type", 0x1c),
        field("Memory Class", 0xe0),
        field("Desired Interleave", 0x1f00),
        field("Memory Active Timeout", 0xe000),
    ]),
    dword("CXL Range 2 Base High", 0x30),
    dword("CXL Range 2 Base Low", 0x34),
];

pub(super) const CXL_NON_CXL_FUNCTION_MAP: &[Register] = &[dword("Non-CXL Function Map Register 0", 0x0c)];

pub(super) const CXL_PORT_EXTENSIONS: &[Register] = &[
    word("CXL Port Status", 0x0a).flags(bits::<CxlPortStatus>),
    word("CXL Port Control", 0x0c),
    byte("Alternate Bus Base", 0x0e),
    byte("Alternate Bus Limit", 0x0f),
    word("Alternate Memory Base", 0x10),
    word("Alternate Memory Limit", 0x12),
    word("Alternate Prefetchable Memory Base", 0x14),
    word("Alternate Prefetchable Memory Limit", 0x16),
    dword("Alternate Prefetchable Memory Base High", 0x18),
    dword("Alternate Prefetchable Memory Limit High", 0x1c),
    dword("CXL RCRB Base", 0x20),
    dword("CXL RCRB Base High", 0x24),
];

pub(super) const CXL_PORT_GPF: &[Register] = &[
    word("GPF Phase 1 Control", 0x0c).fields(&[field("Time Base", 0xf), field("Time Scale", 0xf00)]),
    word("GPF Phase 2 Control", 0x0e).fields(&[field("Time Base", 0xf), field("Time Scale", 0xf00)]),
];

pub(super) const CXL_DEVICE_GPF: &[Register] = &[
    word("GPF Phase 2 Duration", 0x0a).fields(&[field("Time Base", 0xf), field("Time Scale", 0xf00)]),
    dword("GPF Phase 2 Power", 0x0c),
];

pub(super) const CXL_FLEX_BUS_PORT: &[Register] = &[
    word("DVSEC Flex Bus Port Capability", 0x0a).flags(bits::<CxlFlexBusCapability>),
    word("DVSEC Flex Bus Port Control", 0x0c).flags(bits::<CxlFlexBusControl>),
    word("DVSEC Flex Bus Port Status", 0x0e).flags(bits::<CxlFlexBusStatus>),
];

pub(super) const CXL_MULTI_LOGICAL_DEVICE: &[Register] = &[word("Number of LDs Supported", 0x0a)];
