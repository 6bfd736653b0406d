//! Which registers and bits lspci 3.14 leaves out, capability by capability.

use crate::ConfigSpace;
use crate::capability::{Capability, CapabilityId, HtCapabilityType};
use crate::extended::{Cxl, ExtendedCapability, ExtendedCapabilityId, has_intel_acs_layout};
use crate::registers::{PlacedRegister, Structure};

/// What lspci leaves out of a capability.
#[derive(Clone, Copy, Debug)]
pub(super) enum LeftOut {
    /// All registers: it prints the name, or not even that.
    Everything,
    /// These bits of these registers.
    Parts(&'static [Part]),
}

/// A register's name, a `*` at its end for all that begin so, and the bits.
pub(super) type Part = (&'static str, u32);

/// The bits of a register that are left out.
pub(super) fn mask(parts: &[Part], register: &PlacedRegister) -> u32 {
    let name = register.name().text();
    let is = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    };
    parts.iter().filter(|(pattern, _)| is(pattern)).fold(0, |mask, (_, bits)| mask | bits)
}

pub(super) fn left_out(structure: Structure, space: ConfigSpace<'_>) -> LeftOut {
    match structure {
        Structure::Header => LeftOut::Parts(&[]),
        Structure::Capability { id: CapabilityId::HYPER_TRANSPORT, offset } => hyper_transport(space, offset),
        Structure::Capability { id, .. } => of_capability(id),
        Structure::Extended { id: ExtendedCapabilityId::ACCESS_CONTROL_SERVICES, .. } => {
            let id = space.header().id();
            match has_intel_acs_layout(id as u16, (id >> 16) as u16) {
                // lspci looks in the wrong places.
                true => LeftOut::Parts(&[("ACS Capability", !0), ("ACS Control", !0)]),
                false => of_extended(ExtendedCapabilityId::ACCESS_CONTROL_SERVICES),
            }
        }
        Structure::Extended { id: ExtendedCapabilityId::DESIGNATED_VENDOR_SPECIFIC, offset } => {
            designated_vendor_specific(space, offset)
        }
        Structure::Extended { id, .. } => of_extended(id),
    }
}

/// Of a device of CXL 1.1, whose registers came before the revisions, lspci prints the name alone.
fn designated_vendor_specific(space: ConfigSpace<'_>, offset: u16) -> LeftOut {
    let entry = space.extended_capabilities().flatten().find(|entry| entry.offset() == offset);
    let Some(Ok(ExtendedCapability::DesignatedVendorSpecific(dvsec))) = entry.map(|entry| entry.decode())
    else {
        return LeftOut::Parts(&[]);
    };
    LeftOut::Parts(match (dvsec.cxl(), dvsec.dvsec_revision()) {
        (Some(Cxl::Device(_)), 0) => &[("CXL*", !0)],
        _ => CXL,
    })
}

/// lspci shows interfaces, revisions and MSI mappings; of the other types the name.
fn hyper_transport(space: ConfigSpace<'_>, offset: u16) -> LeftOut {
    let entry = space.capabilities().flatten().find(|entry| entry.offset() == offset);
    let kind = match entry.and_then(|entry| entry.decode().ok()) {
        Some(Capability::HyperTransport(link)) => link.capability_type(),
        _ => return LeftOut::Parts(&[]),
    };
    match kind {
        HtCapabilityType::SlavePrimary | HtCapabilityType::HostSecondary => {
            LeftOut::Parts(&[("Enumeration Scratchpad", !0)])
        }
        HtCapabilityType::RevisionId | HtCapabilityType::MsiMapping => LeftOut::Parts(&[]),
        _ => LeftOut::Everything,
    }
}

fn of_capability(id: CapabilityId) -> LeftOut {
    type Id = CapabilityId;
    LeftOut::Parts(match id {
        Id::COMPACT_PCI_HOT_SWAP
        | Id::COMPACT_PCI_RESOURCE_CONTROL
        | Id::HOT_PLUG
        | Id::AGP_8X
        | Id::SECURE_DEVICE
        | Id::FLATTENING_PORTAL_BRIDGE => return LeftOut::Everything,
        // Immediate Readiness on Return to D0.
        Id::POWER_MANAGEMENT => &[("Power Management Capabilities", 1 << 4), ("Power Management Data", !0)],
        Id::MSI => &[("MSI Message Control", 3 << 9), ("MSI Extended Message Data", !0)],
        Id::PCI_X => &[("PCI-X Command", 3 << 12), ("PCI-X Secondary Status", 0xf000)],
        Id::VENDOR_SPECIFIC => &[("virtio id", !0), ("virtio pci_cfg_data", !0)],
        Id::SATA => &[("SATA Index", !0), ("SATA Data", !0)],
        Id::PCI_EXPRESS => EXPRESS,
        _ => &[],
    })
}

const EXPRESS: &[Part] = &[
    // ERR_COR Subclass Capable, Mixed MPS Supported.
    ("Device Capabilities", 1 << 16 | 1 << 29),
    // Emergency Power Reduction Detected.
    ("Device Status", 1 << 6),
    // SRIS Clocking, DRS Signaling Control.
    ("Link Control", 1 << 12 | 3 << 14),
    // Auto Slot Power Limit Disable, In-Band Presence Detect Disable.
    ("Slot Control", 3 << 13),
    // No NFM Subtree Below This Root Port.
    ("Root Control", 1 << 5),
    // Lower SKP OS Generation and Reception.
    ("Link Capabilities 2", 0x7f << 9 | 0x7f << 16),
    ("Slot Capabilities 2", !0),
    ("Slot Control 2", !0),
    ("Slot Status 2", !0),
];

fn of_extended(id: ExtendedCapabilityId) -> LeftOut {
    type Id = ExtendedCapabilityId;
    LeftOut::Parts(match id {
        Id::POWER_BUDGETING
        | Id::ROOT_COMPLEX_INTERNAL_LINK_CONTROL
        | Id::MULTI_FUNCTION_VIRTUAL_CHANNEL
        | Id::ROOT_COMPLEX_REGISTER_BLOCK
        | Id::CONFIGURATION_ACCESS_CORRELATION
        | Id::MR_IOV
        | Id::DYNAMIC_POWER_ALLOCATION
        | Id::PROTOCOL_MULTIPLEXING
        | Id::LN_REQUESTER
        | Id::M_PCIE
        | Id::FRS_QUEUEING
        | Id::READINESS_TIME_REPORTING
        | Id::DATA_LINK_FEATURE
        | Id::HIERARCHY_ID
        | Id::NATIVE_PCIE_ENCLOSURE_MANAGEMENT
        | Id::ALTERNATE_PROTOCOL
        | Id::SYSTEM_FIRMWARE_INTERMEDIARY
        | Id::SHADOW_FUNCTIONS
        | Id::FLIT_PERFORMANCE_MEASUREMENT
        | Id::STREAMLINED_VIRTUAL_CHANNEL
        | Id::NOP_FLIT
        | Id::SCALABLE_IO_VIRTUALIZATION
        | Id::PHYSICAL_LAYER_128_GT
        | Id::CAPTURED_DATA => return LeftOut::Everything,
        Id::ADVANCED_ERROR_REPORTING => {
            &[("Advanced Error Capabilities and Control", 0x3f << 18), ("TLP Prefix Log*", !0)]
        }
        Id::VIRTUAL_CHANNEL | Id::VIRTUAL_CHANNEL_WITH_MFVC => {
            &[("VC Arbitration Table", !0), ("Port Arbitration Table", !0)]
        }
        // The enhanced controls.
        Id::ACCESS_CONTROL_SERVICES => {
            &[("ACS Capability", 0xff80), ("ACS Control", 0x1f80), ("ACS Egress Control Vector", !0)]
        }
        // Page Aligned Request, Global Invalidate, Relaxed Ordering.
        Id::ADDRESS_TRANSLATION_SERVICES => &[("ATS Capability", 7 << 5)],
        // ARI Capable Hierarchy Preserved, 14-bit tags.
        Id::SR_IOV => &[("SR-IOV Capabilities", 1 << 1 | 1 << 3), ("SR-IOV Control", 1 << 6)],
        Id::TPH_REQUESTER => &[
            // No ST Mode, ST Table Size.
            ("TPH Requester Capability", 1 | 0x7ff << 16),
            ("TPH Requester Control", !0),
            ("TPH Steering Tag", !0),
        ],
        // Lower SKP OS vector; lanes from 16 on.
        Id::SECONDARY_PCI_EXPRESS => {
            &[("Link Control 3", 0x7f << 9), ("Lane Error Status", !0), ("Lane Equalization Control", !0)]
        }
        // Translated Requests with PASID.
        Id::PASID => &[("PASID Capability", 1 << 3), ("PASID Control", 1 << 3)],
        // The log's size with its fifth bit, what is signalled to firmware.
        Id::DOWNSTREAM_PORT_CONTAINMENT => {
            &[("DPC Capability", 0x2f00), ("DPC Control", 1 << 8), ("DPC Status", 1 << 13), ("RP PIO*", !0)]
        }
        // Link Activation.
        Id::L1_PM_SUBSTATES => {
            &[("L1 PM Substates Capabilities", 1 << 5), ("L1 PM Substates Control 1", 3 << 4)]
        }
        // Enhanced PTM, Propagation Delay Adaptation.
        Id::PRECISION_TIME_MEASUREMENT => &[("PTM Capability", 3 << 3)],
        Id::PHYSICAL_LAYER_16_GT => &[
            ("16.0 GT/s Capabilities", !0),
            ("16.0 GT/s Control", !0),
            ("16.0 GT/s L*", !0),
            ("16.0 GT/s First*", !0),
            ("16.0 GT/s Second*", !0),
        ],
        Id::PHYSICAL_LAYER_32_GT => &[
            ("Received Modified TS Data*", !0),
            ("Transmitted Modified TS Data*", !0),
            ("32.0 GT/s Lane Equalization Control", !0),
        ],
        Id::PHYSICAL_LAYER_64_GT => &[
            ("64.0 GT/s Capabilities", !0),
            ("64.0 GT/s Control", !0),
            ("64.0 GT/s Lane Equalization Control", !0),
        ],
        Id::LANE_MARGINING_AT_THE_RECEIVER => &[("Margining Lane*", !0)],
        Id::DATA_OBJECT_EXCHANGE => &[("DOE Write Data Mailbox", !0), ("DOE Read Data Mailbox", !0)],
        // Flit Offset, Consecutive Errors.
        Id::FLIT_LOGGING => &[("Flit Error Log 1", 0x1ff0)],
        _ => &[],
    })
}

/// Of Compute Express Link what lspci leaves out, and the registers that it reads with wrong masks.
const CXL: &[Part] = &[
    ("CXL Capability", 0x0708),
    ("CXL Control 2", !0),
    ("CXL Status 2", 1),
    ("CXL Lock", !0),
    ("CXL Capability 3", !0),
    ("CXL Port Status", !0),
    ("Alternate Prefetchable*", !0),
    ("CXL RCRB Base*", !0),
    ("Non-CXL Function Map Register", !0),
];
