//! The registers of the extended capabilities.

use super::extended_fixed as fixed;
use super::{Register, RegisterMap, Structure, bits, dword, field, field_of, word};
use crate::extended::{
    AccessControlServices, AcsCapability, AcsControl, AdvancedErrorControl, AdvancedErrorReporting,
    AriCapability, AriControl, AtsCapability, AtsControl, CorrectableErrors, Cxl, DpcCapability, DpcControl,
    DpcStatus, ExtendedCapability, ExtendedCapabilityEntry, L1PmSubstatesCapabilities, L1PmSubstatesControl1,
    PageRequestControl, PageRequestStatus, PasidCapability, PasidControl, PortVcCapability2, PortVcControl,
    PortVcStatus, PtmCapability, PtmControl, ResizableBar, RootErrorCommand, RootErrorStatus,
    RootPortPioErrors, SrIovCapabilities, SrIovControl, SrIovStatus, TphCapability, TphRequester,
    UncorrectableErrors, VcResourceCapability, VcResourceControl, VcResourceStatus, VirtualChannel,
};
use alloc::string::{String, ToString};

/// What every extended capability begins with.
const HEADER: &[Register] = &[dword("Extended Capability Header", 0).fields(&[
    field("Capability ID", 0xffff),
    field("Capability Version", 0xf << 16),
    field("Next Capability Offset", 0xfff << 20),
])];

#[rustfmt::skip]
const ERROR_REPORTING: &[Register] = &[
    dword("Uncorrectable Error Status", 0x04).flags(bits::<UncorrectableErrors>).status(!0),
    dword("Uncorrectable Error Mask", 0x08).flags(bits::<UncorrectableErrors>),
    dword("Uncorrectable Error Severity", 0x0c).flags(bits::<UncorrectableErrors>),
    dword("Correctable Error Status", 0x10).flags(bits::<CorrectableErrors>).status(!0),
    dword("Correctable Error Mask", 0x14).flags(bits::<CorrectableErrors>),
    dword("Advanced Error Capabilities and Control", 0x18).flags(bits::<AdvancedErrorControl>)
        .fields(&[field("First Error Pointer", 0x1f)]).status(0x1f | 1 << 11),
    dword("Header Log 1", 0x1c).status(!0),
    dword("Header Log 2", 0x20).status(!0),
    dword("Header Log 3", 0x24).status(!0),
    dword("Header Log 4", 0x28).status(!0),
];
const ROOT_ERROR_REPORTING: &[Register] = &[
    dword("Root Error Command", 0x2c).flags(bits::<RootErrorCommand>),
    dword("Root Error Status", 0x30).flags(bits::<RootErrorStatus>).status(0x07ff_ffff),
    word("Correctable Error Source ID", 0x34).status(0xffff),
    word("Uncorrectable Error Source ID", 0x36).status(0xffff),
];
const TLP_PREFIX_LOG: &[Register] = &[
    dword("TLP Prefix Log 1", 0x38).status(!0),
    dword("TLP Prefix Log 2", 0x3c).status(!0),
    dword("TLP Prefix Log 3", 0x40).status(!0),
    dword("TLP Prefix Log 4", 0x44).status(!0),
];

const VIRTUAL_CHANNEL: &[Register] = &[
    dword("Port VC Capability 1", 0x04),
    dword("Port VC Capability 2", 0x08).flags(bits::<PortVcCapability2>),
    word("Port VC Control", 0x0c)
        .flags(bits::<PortVcControl>)
        .fields(&[field("VC Arbitration Select", 7 << 1)]),
    word("Port VC Status", 0x0e).flags(bits::<PortVcStatus>).status(0xffff),
];
/// One of each for every channel.
const VC_RESOURCE: &[Register] = &[
    dword("VC Resource Capability", 0x10).flags(bits::<VcResourceCapability>),
    dword("VC Resource Control", 0x14).flags(bits::<VcResourceControl>).fields(&[
        field("TC/VC Map", 0xff),
        field("Port Arbitration Select", 7 << 17),
        field("VC ID", 7 << 24),
    ]),
    word("VC Resource Status", 0x1a).flags(bits::<VcResourceStatus>).status(0xffff),
];

const SERIAL_NUMBER: &[Register] =
    &[dword("Serial Number, lower half", 4), dword("Serial Number, upper half", 8)];
const VENDOR_SPECIFIC: &[Register] = &[dword("Vendor-Specific Header", 4)];
const DESIGNATED: &[Register] =
    &[dword("Designated Vendor-Specific Header 1", 4), word("Designated Vendor-Specific Header 2", 8)];

const ACS: &[Register] = &[
    word("ACS Capability", 4).flags(bits::<AcsCapability>),
    word("ACS Control", 6).flags(bits::<AcsControl>).fields(ACS_TARGETS),
];
/// Where Intel has put them.
const ACS_INTEL: &[Register] = &[
    dword("ACS Capability", 4).flags(bits::<AcsCapability>),
    dword("ACS Control", 8).flags(bits::<AcsControl>).fields(ACS_TARGETS),
];
const ACS_TARGETS: &[super::Field] =
    &[field("DSP Memory Target Access", 3 << 8), field("USP Memory Target Access", 3 << 10)];
const EGRESS_CONTROL_VECTOR: &Register = &dword("ACS Egress Control Vector", 8);

const ARI: &[Register] = &[
    word("ARI Capability", 4)
        .flags(bits::<AriCapability>)
        .fields(&[field("Next Function Number", 0xff << 8)]),
    word("ARI Control", 6).flags(bits::<AriControl>).fields(&[field("Function Group", 7 << 4)]),
];
const ATS: &[Register] = &[
    word("ATS Capability", 4).flags(bits::<AtsCapability>).fields(&[field("Invalidate Queue Depth", 0x1f)]),
    word("ATS Control", 6).flags(bits::<AtsControl>).fields(&[field("Smallest Translation Unit", 0x1f)]),
];

const SR_IOV: &[Register] = &[
    dword("SR-IOV Capabilities", 0x04).flags(bits::<SrIovCapabilities>),
    word("SR-IOV Control", 0x08).flags(bits::<SrIovControl>),
    word("SR-IOV Status", 0x0a).flags(bits::<SrIovStatus>).status(0xffff),
    word("InitialVFs", 0x0c),
    word("TotalVFs", 0x0e),
    word("NumVFs", 0x10),
    word("Function Dependency Link", 0x12),
    word("First VF Offset", 0x14),
    word("VF Stride", 0x16),
    word("VF Device ID", 0x1a),
    dword("Supported Page Sizes", 0x1c),
    dword("System Page Size", 0x20),
    dword("VF Base Address 0", 0x24),
    dword("VF Base Address 1", 0x28),
    dword("VF Base Address 2", 0x2c),
    dword("VF Base Address 3", 0x30),
    dword("VF Base Address 4", 0x34),
    dword("VF Base Address 5", 0x38),
    dword("VF Migration State Array Offset", 0x3c),
];

const PAGE_REQUEST: &[Register] = &[
    word("Page Request Control", 4).flags(bits::<PageRequestControl>),
    // What is raised, and whether it has stopped; whether PASIDs are required is a capability.
    word("Page Request Status", 6).flags(bits::<PageRequestStatus>).status(0x103),
    dword("Outstanding Page Request Capacity", 8),
    dword("Outstanding Page Request Allocation", 12),
];

const RESIZABLE_BAR_CAPABILITY: &Register = &dword("Resizable BAR Capability", 0);
const RESIZABLE_BAR_CONTROL: &Register = &dword("Resizable BAR Control", 0).fields(&[
    field("BAR Index", 7),
    field("Number of Resizable BARs", 7 << 5),
    field_of("BAR Size", 0x3f << 8, bar_size),
]);

const TPH: &[Register] = &[
    dword("TPH Requester Capability", 4)
        .flags(bits::<TphCapability>)
        .fields(&[field("ST Table Location", 3 << 9), field("ST Table Size", 0x7ff << 16)]),
    dword("TPH Requester Control", 8)
        .flags(bits::<crate::extended::TphControl>)
        .fields(&[field("ST Mode Select", 7), field("TPH Requester Enable", 3 << 8)]),
];
const STEERING_TAG: &Register = &word("TPH Steering Tag", 0);

const LTR: &[Register] = &[word("Max Snoop Latency", 4), word("Max No-Snoop Latency", 6)];

const PASID: &[Register] = &[
    word("PASID Capability", 4).flags(bits::<PasidCapability>).fields(&[field("Max PASID Width", 0x1f << 8)]),
    word("PASID Control", 6).flags(bits::<PasidControl>),
];

const DPC: &[Register] = &[
    word("DPC Capability", 4).flags(bits::<DpcCapability>),
    word("DPC Control", 6).flags(bits::<DpcControl>).fields(&[field_of(
        "DPC Trigger Enable",
        3,
        dpc_trigger,
    )]),
    word("DPC Status", 8)
        .flags(bits::<DpcStatus>)
        .fields(&[
            field("Trigger Reason", 3 << 1),
            field("Trigger Reason Extension", 3 << 5),
            field("RP PIO First Error Pointer", 0x1f << 8),
        ])
        .status(0xffff),
    word("DPC Error Source ID", 10).status(0xffff),
];
const RP_PIO: &[Register] = &[
    dword("RP PIO Status", 0x0c).flags(bits::<RootPortPioErrors>).status(!0),
    dword("RP PIO Mask", 0x10).flags(bits::<RootPortPioErrors>),
    dword("RP PIO Severity", 0x14).flags(bits::<RootPortPioErrors>),
    dword("RP PIO SysError", 0x18).flags(bits::<RootPortPioErrors>),
    dword("RP PIO Exception", 0x1c).flags(bits::<RootPortPioErrors>),
];

const L1_PM_SUBSTATES: &[Register] = &[
    dword("L1 PM Substates Capabilities", 4).flags(bits::<L1PmSubstatesCapabilities>),
    dword("L1 PM Substates Control 1", 8).flags(bits::<L1PmSubstatesControl1>).fields(&[
        field("Common Mode Restore Time", 0xff << 8),
        field("LTR L1.2 Threshold Value", 0x3ff << 16),
        field("LTR L1.2 Threshold Scale", 7 << 29),
    ]),
    dword("L1 PM Substates Control 2", 12),
];

const PTM: &[Register] = &[
    dword("PTM Capability", 4).flags(bits::<PtmCapability>),
    dword("PTM Control", 8).flags(bits::<PtmControl>).fields(&[field("Effective Granularity", 0xff << 8)]),
];

const READINESS: &[Register] = &[
    dword("Readiness Time Reporting 1", 4).fields(&[
        field("Reset Time", 0xfff),
        field("DL_Up Time", 0xfff << 12),
        field("Valid", 1 << 31),
    ]),
    dword("Readiness Time Reporting 2", 8)
        .fields(&[field("FLR Time", 0xfff), field("D3hot to D0 Time", 0xfff << 12)]),
];

fn bar_size(code: u32) -> Option<String> {
    (code <= 43).then(|| super::bytes(1 << (code + 20)))
}

fn dpc_trigger(value: u32) -> Option<String> {
    Some(["off", "fatal errors", "non-fatal and fatal errors", "reserved"].get(value as usize)?.to_string())
}

pub(super) fn place(map: &mut RegisterMap, entry: ExtendedCapabilityEntry<'_>) {
    let structure = Structure::Extended { id: entry.id(), offset: entry.offset() };
    map.place(structure, HEADER);
    let Ok(capability) = entry.decode() else { return };
    match capability {
        ExtendedCapability::AdvancedErrorReporting(aer) => place_error_reporting(map, structure, aer),
        ExtendedCapability::VirtualChannel(channels)
        | ExtendedCapability::MultiFunctionVirtualChannel(channels) => {
            place_virtual_channels(map, structure, channels);
        }
        ExtendedCapability::DeviceSerialNumber(_) => map.place(structure, SERIAL_NUMBER),
        ExtendedCapability::VendorSpecific(vendor) => {
            map.place(structure, VENDOR_SPECIFIC);
            map.vendor_bytes(structure, vendor.vsec_length());
        }
        ExtendedCapability::DesignatedVendorSpecific(vendor) => {
            map.place(structure, DESIGNATED);
            map.vendor_bytes(structure, vendor.dvsec_length());
            if let Some(cxl) = vendor.cxl() {
                place_cxl(map, structure, cxl);
            }
        }
        ExtendedCapability::AccessControlServices(acs) => place_access_control(map, structure, acs),
        ExtendedCapability::AlternativeRoutingId(_) => map.place(structure, ARI),
        ExtendedCapability::AddressTranslationServices(_) => map.place(structure, ATS),
        ExtendedCapability::SrIov(_) => map.place(structure, SR_IOV),
        ExtendedCapability::PageRequestInterface(_) => map.place(structure, PAGE_REQUEST),
        ExtendedCapability::ResizableBar(bars) | ExtendedCapability::VfResizableBar(bars) => {
            place_resizable_bars(map, structure, bars);
        }
        ExtendedCapability::TphRequester(tph) => {
            map.place(structure, TPH);
            for (index, _) in (0..).zip(tph.st_table()) {
                let at = TphRequester::ST_TABLE + 2 * index;
                map.place_at(structure, STEERING_TAG, structure.offset().saturating_add(at));
            }
        }
        ExtendedCapability::LatencyToleranceReporting(_) => map.place(structure, LTR),
        ExtendedCapability::Pasid(_) => map.place(structure, PASID),
        ExtendedCapability::DownstreamPortContainment(dpc) => {
            map.place(structure, DPC);
            if dpc.rp_pio_status().is_some() {
                map.place(structure, RP_PIO);
            }
        }
        ExtendedCapability::L1PmSubstates(_) => map.place(structure, L1_PM_SUBSTATES),
        ExtendedCapability::PrecisionTimeMeasurement(_) => map.place(structure, PTM),
        ExtendedCapability::ReadinessTimeReporting(_) => map.place(structure, READINESS),
        _ => map.place(structure, fixed::of(entry.id())),
    }
}

fn place_cxl(map: &mut RegisterMap, structure: Structure, cxl: Cxl<'_>) {
    map.place(
        structure,
        match cxl {
            Cxl::Device(_) => fixed::CXL_DEVICE,
            Cxl::NonCxlFunctionMap(_) => fixed::CXL_NON_CXL_FUNCTION_MAP,
            Cxl::PortExtensions(_) => fixed::CXL_PORT_EXTENSIONS,
            Cxl::PortGpf(_) => fixed::CXL_PORT_GPF,
            Cxl::DeviceGpf(_) => fixed::CXL_DEVICE_GPF,
            Cxl::FlexBusPort(_) => fixed::CXL_FLEX_BUS_PORT,
            Cxl::MultiLogicalDevice(_) => fixed::CXL_MULTI_LOGICAL_DEVICE,
            _ => &[],
        },
    );
}

fn place_error_reporting(map: &mut RegisterMap, structure: Structure, aer: AdvancedErrorReporting<'_>) {
    map.place(structure, ERROR_REPORTING);
    if aer.root_error_command().is_some() {
        map.place(structure, ROOT_ERROR_REPORTING);
    }
    if aer.tlp_prefix_log().is_some() {
        map.place(structure, TLP_PREFIX_LOG);
    }
}

fn place_virtual_channels(map: &mut RegisterMap, structure: Structure, channels: VirtualChannel<'_>) {
    map.place(structure, VIRTUAL_CHANNEL);
    for (index, _) in (0..).zip(channels.resources()) {
        for register in VC_RESOURCE {
            let at = register.at + VirtualChannel::RESOURCE_SIZE * index;
            map.place_at(structure, register, structure.offset().saturating_add(at));
        }
    }
}

fn place_access_control(map: &mut RegisterMap, structure: Structure, acs: AccessControlServices<'_>) {
    map.place(structure, if acs.has_intel_layout() { ACS_INTEL } else { ACS });
    for (index, _) in (0..).zip(acs.egress_control_vector()) {
        let at = EGRESS_CONTROL_VECTOR.at + 4 * index;
        map.place_at(structure, EGRESS_CONTROL_VECTOR, structure.offset().saturating_add(at));
    }
}

fn place_resizable_bars(map: &mut RegisterMap, structure: Structure, bars: ResizableBar<'_>) {
    for entry in bars.entries() {
        let control = entry.control_offset();
        map.place_at(structure, RESIZABLE_BAR_CAPABILITY, control - 4);
        map.place_at(structure, RESIZABLE_BAR_CONTROL, control);
    }
}
