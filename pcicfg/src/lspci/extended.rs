//! The extended list as lspci prints it.
//!
//! lspci walks with rules of its own: the list begins at 100h whatever stands there, a pointer below
//! 100h is followed, and a header that was met before ends the list with `<chain looped>`. Zero,
//! all-ones, or the end of what can be read end it without a word.
//!
//! A capability that the end of the space cuts off keeps its name; whether `<unreadable>` follows is
//! a habit of each capability's own, and kept.

mod cxl;
mod device_3;
mod errors;
mod flags;
mod flit;
mod ide;
mod latency;
mod link;
mod multicast;
mod register_blocks;
mod resizable_bar;
mod root_complex;
mod routing;
mod sr_iov;
#[cfg(test)]
mod tests;
mod translation;
mod vendor;
mod virtual_channel;

use super::{Subject, Text};
use crate::capability::DevicePortType;
use crate::config_space::dword;
use crate::extended::ExtendedCapabilityId;

/// Writes the extended capabilities; called once, after the capability list, for functions with a
/// PCI Express or PCI-X capability in it. `express` is Device/Port Type of the last Express
/// capability in the list, `None` if there was none.
pub(super) fn write(text: &mut Text, subject: &Subject<'_>, verbose: u8, express: Option<u8>) {
    let port = express.map(DevicePortType::from_code);
    // One bit for each dword of the space.
    let mut visited = [0u64; 16];
    let mut offset = 0x100;
    loop {
        let bytes = subject.bytes().get(usize::from(offset)..).unwrap_or_default();
        let Some(first) = bytes.first_chunk::<4>() else { return };
        let header = dword::<0, 4>(first);
        if matches!(header, 0 | 0xffff_ffff) {
            return;
        }
        let version = (header >> 16) as u8 & 0xf;
        text.str("\tCapabilities: [").hex(3, offset.into());
        if verbose > 1 {
            text.str(" v").dec(version.into());
        }
        text.str("] ");
        let bit = 1 << (offset >> 2 & 63);
        if let Some(word) = visited.get_mut(usize::from(offset >> 8)) {
            if *word & bit != 0 {
                text.str("<chain looped>\n");
                return;
            }
            *word |= bit;
        }
        let body = Body { bytes, offset, version, port, verbose };
        write_one(text, ExtendedCapabilityId(header as u16), body);
        offset = (header >> 20) as u16 & 0xffc;
        if offset == 0 {
            return;
        }
    }
}

/// A capability's bytes, from its header to the end of what can be read.
#[derive(Clone, Copy)]
struct Body<'a> {
    bytes: &'a [u8],
    offset: u16,
    version: u8,
    port: Option<DevicePortType>,
    verbose: u8,
}

impl<'a> Body<'a> {
    /// The first `N` bytes, if they can be read.
    fn registers<const N: usize>(self) -> Option<&'a [u8; N]> {
        self.bytes.first_chunk()
    }

    /// `N` bytes from `at` on, if they can be read.
    fn block<const N: usize>(self, at: usize) -> Option<&'a [u8; N]> {
        self.bytes.get(at..)?.first_chunk()
    }

    /// Whether all of the first `len` bytes can be read.
    fn reaches(self, len: usize) -> bool {
        len <= self.bytes.len()
    }
}

/// Writes what follows the name, at two `v`s and more.
type Fields = fn(&mut Text, Body<'_>);

/// Writes one capability, from behind its `[offset]` to the end of its last line.
fn write_one(text: &mut Text, id: ExtendedCapabilityId, body: Body<'_>) {
    type Id = ExtendedCapabilityId;
    const NONE: Fields = |_, _| ();
    let (name, fields): (&str, Fields) = match id {
        Id::NULL => ("Null\n", NONE),
        Id::ADVANCED_ERROR_REPORTING => ("Advanced Error Reporting\n", errors::advanced_error_reporting),
        Id::VIRTUAL_CHANNEL | Id::VIRTUAL_CHANNEL_WITH_MFVC => ("Virtual Channel\n", virtual_channel::fields),
        Id::DEVICE_SERIAL_NUMBER => return vendor::serial_number(text, body),
        Id::POWER_BUDGETING => ("Power Budgeting <?>\n", NONE),
        Id::ROOT_COMPLEX_LINK_DECLARATION => ("Root Complex Link\n", root_complex::links),
        Id::ROOT_COMPLEX_INTERNAL_LINK_CONTROL => ("Root Complex Internal Link <?>\n", NONE),
        Id::ROOT_COMPLEX_EVENT_COLLECTOR_ENDPOINT_ASSOCIATION => {
            ("Root Complex Event Collector Endpoint Association\n", root_complex::event_collector)
        }
        Id::MULTI_FUNCTION_VIRTUAL_CHANNEL => ("Multi-Function Virtual Channel <?>\n", NONE),
        Id::ROOT_COMPLEX_REGISTER_BLOCK => ("Root Complex Register Block <?>\n", NONE),
        Id::VENDOR_SPECIFIC => return vendor::vendor_specific(text, body),
        Id::ACCESS_CONTROL_SERVICES => ("Access Control Services\n", routing::access_control_services),
        Id::ALTERNATIVE_ROUTING_ID => {
            ("Alternative Routing-ID Interpretation (ARI)\n", routing::alternative_routing_id)
        }
        Id::ADDRESS_TRANSLATION_SERVICES => {
            ("Address Translation Service (ATS)\n", translation::address_translation_services)
        }
        Id::SR_IOV => ("Single Root I/O Virtualization (SR-IOV)\n", sr_iov::fields),
        Id::MR_IOV => ("Multi-Root I/O Virtualization <?>\n", NONE),
        Id::MULTICAST => ("Multicast\n", multicast::fields),
        Id::PAGE_REQUEST_INTERFACE => ("Page Request Interface (PRI)\n", translation::page_request_interface),
        Id::RESIZABLE_BAR => ("Physical Resizable BAR\n", resizable_bar::fields),
        Id::DYNAMIC_POWER_ALLOCATION => ("Dynamic Power Allocation <?>\n", NONE),
        Id::TPH_REQUESTER => ("Transaction Processing Hints\n", translation::processing_hints),
        Id::LATENCY_TOLERANCE_REPORTING => ("Latency Tolerance Reporting\n", latency::tolerance),
        Id::SECONDARY_PCI_EXPRESS => ("Secondary PCI Express\n", link::secondary),
        Id::PROTOCOL_MULTIPLEXING => ("Protocol Multiplexing <?>\n", NONE),
        Id::PASID => ("Process Address Space ID (PASID)\n", translation::pasid),
        Id::LN_REQUESTER => ("LN Requester <?>\n", NONE),
        Id::DOWNSTREAM_PORT_CONTAINMENT => {
            ("Downstream Port Containment\n", errors::downstream_port_containment)
        }
        Id::L1_PM_SUBSTATES => ("L1 PM Substates\n", latency::l1_pm_substates),
        Id::PRECISION_TIME_MEASUREMENT => {
            ("Precision Time Measurement\n", latency::precision_time_measurement)
        }
        Id::M_PCIE => ("PCI Express over M_PHY <?>\n", NONE),
        Id::FRS_QUEUEING => ("FRS Queueing <?>\n", NONE),
        Id::READINESS_TIME_REPORTING => ("Readiness Time Reporting <?>\n", NONE),
        Id::DESIGNATED_VENDOR_SPECIFIC => return vendor::designated(text, body),
        Id::VF_RESIZABLE_BAR => ("Virtual Resizable BAR\n", resizable_bar::fields),
        Id::DATA_LINK_FEATURE => ("Data Link Feature <?>\n", NONE),
        Id::PHYSICAL_LAYER_16_GT => ("Physical Layer 16.0 GT/s\n", link::physical_16gt),
        Id::LANE_MARGINING_AT_THE_RECEIVER => ("Lane Margining at the Receiver\n", link::lane_margining),
        Id::HIERARCHY_ID => ("Hierarchy ID <?>\n", NONE),
        Id::NATIVE_PCIE_ENCLOSURE_MANAGEMENT => ("Native PCIe Enclosure Management <?>\n", NONE),
        Id::PHYSICAL_LAYER_32_GT => ("Physical Layer 32.0 GT/s\n", link::physical_32gt),
        Id::DATA_OBJECT_EXCHANGE => ("Data Object Exchange\n", register_blocks::data_object_exchange),
        Id::DEVICE_3 => ("Device 3\n", device_3::fields),
        Id::INTEGRITY_AND_DATA_ENCRYPTION => ("Integrity & Data Encryption\n", ide::fields),
        Id::PHYSICAL_LAYER_64_GT => ("Physical Layer 64.0 GT/s\n", link::physical_64gt),
        Id::FLIT_LOGGING => ("Flit Logging\n", flit::logging),
        Id::FLIT_ERROR_INJECTION => ("Flit Error Injection\n", flit::error_injection),
        Id::MMIO_REGISTER_BLOCK_LOCATOR => {
            ("MMIO Register Block Locator\n", register_blocks::mmio_register_block_locator)
        }
        // Shadow Functions, Flit Performance Measurement, SIOV and others have a name elsewhere, none here.
        _ => {
            text.str("Extended Capability ID 0x").hex(1, id.0.into()).end();
            return;
        }
    };
    text.str(name);
    if body.verbose > 1 {
        fields(text, body);
    }
}

/// What some capabilities say in place of fields that cannot be read.
fn unreadable(text: &mut Text) {
    text.str("\t\t<unreadable>\n");
}
