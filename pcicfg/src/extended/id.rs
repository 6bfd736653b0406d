//! The ids of the extended capability list, and their names.

/// An extended capability's id (PCI Code and ID Assignment, "Extended Capability IDs").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExtendedCapabilityId(pub u16);

macro_rules! ids {
    ($($name:ident = $id:literal $text:literal;)*) => {
        impl ExtendedCapabilityId {
            $(
                #[doc = concat!($text, ".")]
                pub const $name: Self = Self($id);
            )*

            /// The specification's name; `None` for an id that it does not know.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                Some(match self.0 {
                    $($id => $text,)*
                    _ => return None,
                })
            }
        }
    };
}

ids! {
    NULL = 0x0000 "Null Capability";
    ADVANCED_ERROR_REPORTING = 0x0001 "Advanced Error Reporting (AER)";
    VIRTUAL_CHANNEL = 0x0002 "Virtual Channel (VC)";
    DEVICE_SERIAL_NUMBER = 0x0003 "Device Serial Number";
    POWER_BUDGETING = 0x0004 "Power Budgeting";
    ROOT_COMPLEX_LINK_DECLARATION = 0x0005 "Root Complex Link Declaration";
    ROOT_COMPLEX_INTERNAL_LINK_CONTROL = 0x0006 "Root Complex Internal Link Control";
    ROOT_COMPLEX_EVENT_COLLECTOR_ENDPOINT_ASSOCIATION = 0x0007 "Root Complex Event Collector Endpoint Association";
    MULTI_FUNCTION_VIRTUAL_CHANNEL = 0x0008 "Multi-Function Virtual Channel (MFVC)";
    VIRTUAL_CHANNEL_WITH_MFVC = 0x0009 "Virtual Channel (VC), with an MFVC capability beside it";
    ROOT_COMPLEX_REGISTER_BLOCK = 0x000a "Root Complex Register Block (RCRB) Header";
    VENDOR_SPECIFIC = 0x000b "Vendor-Specific Extended Capability (VSEC)";
    CONFIGURATION_ACCESS_CORRELATION = 0x000c "Configuration Access Correlation (CAC)";
    ACCESS_CONTROL_SERVICES = 0x000d "Access Control Services (ACS)";
    ALTERNATIVE_ROUTING_ID = 0x000e "Alternative Routing-ID Interpretation (ARI)";
    ADDRESS_TRANSLATION_SERVICES = 0x000f "Address Translation Services (ATS)";
    SR_IOV = 0x0010 "Single Root I/O Virtualization (SR-IOV)";
    MR_IOV = 0x0011 "Multi-Root I/O Virtualization (MR-IOV)";
    MULTICAST = 0x0012 "Multicast";
    PAGE_REQUEST_INTERFACE = 0x0013 "Page Request Interface (PRI)";
    RESERVED_FOR_AMD = 0x0014 "Reserved for AMD";
    RESIZABLE_BAR = 0x0015 "Resizable BAR";
    DYNAMIC_POWER_ALLOCATION = 0x0016 "Dynamic Power Allocation (DPA)";
    TPH_REQUESTER = 0x0017 "TPH Requester";
    LATENCY_TOLERANCE_REPORTING = 0x0018 "Latency Tolerance Reporting (LTR)";
    SECONDARY_PCI_EXPRESS = 0x0019 "Secondary PCI Express";
    PROTOCOL_MULTIPLEXING = 0x001a "Protocol Multiplexing (PMUX)";
    PASID = 0x001b "Process Address Space ID (PASID)";
    LN_REQUESTER = 0x001c "LN Requester (LNR)";
    DOWNSTREAM_PORT_CONTAINMENT = 0x001d "Downstream Port Containment (DPC)";
    L1_PM_SUBSTATES = 0x001e "L1 PM Substates";
    PRECISION_TIME_MEASUREMENT = 0x001f "Precision Time Measurement (PTM)";
    M_PCIE = 0x0020 "PCI Express over M-PHY (M-PCIe)";
    FRS_QUEUEING = 0x0021 "FRS Queueing";
    READINESS_TIME_REPORTING = 0x0022 "Readiness Time Reporting";
    DESIGNATED_VENDOR_SPECIFIC = 0x0023 "Designated Vendor-Specific Extended Capability (DVSEC)";
    VF_RESIZABLE_BAR = 0x0024 "VF Resizable BAR";
    DATA_LINK_FEATURE = 0x0025 "Data Link Feature";
    PHYSICAL_LAYER_16_GT = 0x0026 "Physical Layer 16.0 GT/s";
    LANE_MARGINING_AT_THE_RECEIVER = 0x0027 "Lane Margining at the Receiver";
    HIERARCHY_ID = 0x0028 "Hierarchy ID";
    NATIVE_PCIE_ENCLOSURE_MANAGEMENT = 0x0029 "Native PCIe Enclosure Management (NPEM)";
    PHYSICAL_LAYER_32_GT = 0x002a "Physical Layer 32.0 GT/s";
    ALTERNATE_PROTOCOL = 0x002b "Alternate Protocol";
    SYSTEM_FIRMWARE_INTERMEDIARY = 0x002c "System Firmware Intermediary (SFI)";
    SHADOW_FUNCTIONS = 0x002d "Shadow Functions";
    DATA_OBJECT_EXCHANGE = 0x002e "Data Object Exchange (DOE)";
    DEVICE_3 = 0x002f "Device 3";
    INTEGRITY_AND_DATA_ENCRYPTION = 0x0030 "Integrity and Data Encryption (IDE)";
    PHYSICAL_LAYER_64_GT = 0x0031 "Physical Layer 64.0 GT/s";
    FLIT_LOGGING = 0x0032 "Flit Logging";
    FLIT_PERFORMANCE_MEASUREMENT = 0x0033 "Flit Performance Measurement";
    FLIT_ERROR_INJECTION = 0x0034 "Flit Error Injection";
    STREAMLINED_VIRTUAL_CHANNEL = 0x0035 "Streamlined Virtual Channel (SVC)";
    MMIO_REGISTER_BLOCK_LOCATOR = 0x0036 "MMIO Register Block Locator (MRBL)";
    NOP_FLIT = 0x0037 "NOP Flit";
    SCALABLE_IO_VIRTUALIZATION = 0x0038 "Scalable I/O Virtualization (SIOV)";
    PHYSICAL_LAYER_128_GT = 0x0039 "Physical Layer 128.0 GT/s";
    CAPTURED_DATA = 0x003a "Captured Data";
}
