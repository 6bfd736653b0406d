//! Which registers an extended capability has.

use super::{cxl, errors, flit, functions, ide, links, power, root_complex, virtual_channel, virtualization};
use crate::extended::{ExtendedCapability, ExtendedCapabilityEntry, ExtendedCapabilityId};
use crate::registers::table::{Register, dword, hex, id, number, word};
use crate::registers::{RegisterMap, Structure};

/// What every extended capability begins with.
static HEADER: &[Register] = &[dword("Extended Capability Header", 0).fields(&[
    hex("Capability ID", 0xffff),
    number("Capability Version", 0xf << 16),
    hex("Next Capability Offset", 0xfff << 20),
])];

static VENDOR_SPECIFIC: &[Register] = &[dword("Vendor-Specific Header", 4).fields(&[
    hex("VSEC ID", 0xffff),
    number("VSEC Revision", 0xf << 16),
    number("VSEC Length", 0xfff << 20),
])];

static DESIGNATED: &[Register] = &[
    dword("Designated Vendor-Specific Header 1", 4).fields(&[
        id("DVSEC Vendor ID", 0xffff),
        number("DVSEC Revision", 0xf << 16),
        number("DVSEC Length", 0xfff << 20),
    ]),
    word("Designated Vendor-Specific Header 2", 8).fields(&[hex("DVSEC ID", 0xffff)]),
];

fn structure(entry: ExtendedCapabilityEntry<'_>) -> Structure {
    Structure::Extended { id: entry.id(), offset: entry.offset() }
}

/// Notes the capability, and places what it begins with.
pub(in crate::registers) fn place_head(map: &mut RegisterMap, entry: ExtendedCapabilityEntry<'_>) {
    map.structures.push(structure(entry));
    map.place(structure(entry), HEADER);
}

/// Places its other registers.
pub(in crate::registers) fn place(map: &mut RegisterMap, entry: ExtendedCapabilityEntry<'_>) {
    let structure = structure(entry);
    let Ok(capability) = entry.decode() else { return };
    type Typed<'a> = ExtendedCapability<'a>;
    match capability {
        Typed::AdvancedErrorReporting(aer) => errors::place_error_reporting(map, structure, aer),
        Typed::DownstreamPortContainment(dpc) => errors::place_containment(map, structure, dpc),
        Typed::VirtualChannel(channels) | Typed::MultiFunctionVirtualChannel(channels) => {
            virtual_channel::place(map, structure, channels);
        }
        Typed::StreamlinedVirtualChannel(channels) => {
            virtual_channel::place_streamlined(map, structure, channels)
        }
        Typed::VendorSpecific(vendor) => {
            map.place(structure, VENDOR_SPECIFIC);
            map.vendor_bytes(structure, vendor.vsec_length());
        }
        Typed::DesignatedVendorSpecific(vendor) => {
            map.place(structure, DESIGNATED);
            map.vendor_bytes(structure, vendor.dvsec_length());
            if let Some(capability) = vendor.cxl() {
                cxl::place(map, structure, capability);
            }
        }
        Typed::AccessControlServices(acs) => functions::place_access_control(map, structure, acs),
        Typed::SrIov(sr_iov) => virtualization::place_sr_iov(map, structure, sr_iov),
        Typed::Multicast(multicast) => functions::place_multicast(map, structure, multicast, entry.space()),
        Typed::ResizableBar(bars) | Typed::VfResizableBar(bars) => {
            functions::place_resizable_bars(map, structure, bars);
        }
        Typed::TphRequester(tph) => virtualization::place_steering_tags(map, structure, tph),
        Typed::DynamicPowerAllocation(dpa) => power::place_allocation(map, structure, dpa),
        Typed::RootComplexLinkDeclaration(links) => root_complex::place_links(map, structure, links),
        Typed::EventCollectorAssociation(collector) => {
            root_complex::place_event_collector(map, structure, collector);
        }
        Typed::SecondaryPciExpress(_)
        | Typed::PhysicalLayer16(_)
        | Typed::PhysicalLayer32(_)
        | Typed::PhysicalLayer64(_)
        | Typed::PhysicalLayer128(_)
        | Typed::LaneMargining(_) => links::place_lanes(map, structure, capability, entry.space()),
        Typed::ProtocolMultiplexing(pmux) => links::place_protocols(map, structure, pmux),
        Typed::AlternateProtocol(alternate) => links::place_alternate(map, structure, alternate),
        Typed::IntegrityAndDataEncryption(capability) => ide::place(map, structure, capability),
        Typed::FlitLogging(_) => flit::place_logging(map, structure),
        Typed::MmioRegisterBlockLocator(locator) => functions::place_register_blocks(map, structure, locator),
        _ => map.place(structure, of(entry.id())),
    }
}

/// The registers of a capability whose registers always stand at the same place.
fn of(id: ExtendedCapabilityId) -> &'static [Register] {
    type Id = ExtendedCapabilityId;
    match id {
        Id::DEVICE_SERIAL_NUMBER => functions::SERIAL_NUMBER,
        Id::POWER_BUDGETING => power::POWER_BUDGETING,
        Id::ROOT_COMPLEX_INTERNAL_LINK_CONTROL => root_complex::INTERNAL_LINK,
        Id::ROOT_COMPLEX_REGISTER_BLOCK => root_complex::REGISTER_BLOCK,
        Id::CONFIGURATION_ACCESS_CORRELATION => root_complex::ACCESS_CORRELATION,
        Id::ALTERNATIVE_ROUTING_ID => functions::ARI,
        Id::ADDRESS_TRANSLATION_SERVICES => virtualization::ATS,
        Id::MR_IOV => virtualization::MR_IOV,
        Id::PAGE_REQUEST_INTERFACE => virtualization::PAGE_REQUEST,
        Id::LATENCY_TOLERANCE_REPORTING => power::LTR,
        Id::PASID => virtualization::PASID,
        Id::LN_REQUESTER => functions::LN_REQUESTER,
        Id::L1_PM_SUBSTATES => power::L1_PM_SUBSTATES,
        Id::PRECISION_TIME_MEASUREMENT => functions::PTM,
        Id::M_PCIE => links::M_PCIE,
        Id::FRS_QUEUEING => functions::FRS_QUEUEING,
        Id::READINESS_TIME_REPORTING => power::READINESS,
        Id::DATA_LINK_FEATURE => links::DATA_LINK_FEATURE,
        Id::HIERARCHY_ID => functions::HIERARCHY_ID,
        Id::NATIVE_PCIE_ENCLOSURE_MANAGEMENT => functions::ENCLOSURE_MANAGEMENT,
        Id::SYSTEM_FIRMWARE_INTERMEDIARY => functions::SYSTEM_FIRMWARE_INTERMEDIARY,
        Id::SHADOW_FUNCTIONS => virtualization::SHADOW_FUNCTIONS,
        Id::DATA_OBJECT_EXCHANGE => functions::DATA_OBJECT_EXCHANGE,
        Id::DEVICE_3 => functions::DEVICE_3,
        Id::FLIT_PERFORMANCE_MEASUREMENT => flit::PERFORMANCE,
        Id::FLIT_ERROR_INJECTION => flit::ERROR_INJECTION,
        Id::NOP_FLIT => flit::NOP_FLIT,
        Id::SCALABLE_IO_VIRTUALIZATION => virtualization::SIOV,
        Id::CAPTURED_DATA => functions::CAPTURED_DATA,
        _ => &[],
    }
}
