//! What is measured: the same work, done by this project and by its peers.
//!
//! All of them go through [`black_box`], which keeps the compiler from leaving out what nobody looks
//! at: what a peer's view holds in its fields, ours has to read from the bytes.

use pci_types::{ConfigRegionAccess, EndpointHeader, PciAddress, PciHeader};
use pcicfg::ConfigSpace;
use pcicfg::capability::{Capability, Msi, MsiX, PciExpress};
use pcicfg::extended::{AdvancedErrorReporting, DownstreamPortContainment, ExtendedCapability, SrIov};
use pcicfg::header::{Header, HeaderType, Layout};
use std::hint::black_box;

/// Both lists, guarded against loops and dead ends, and nothing decoded. Gives how many capabilities
/// there are.
#[must_use]
pub fn walk(bytes: &[u8]) -> usize {
    let Ok(space) = ConfigSpace::new(bytes) else { return 0 };
    let mut found = 0;
    for entry in space.capabilities().map_while(Result::ok) {
        see((entry.id(), entry.offset()));
        found += 1;
    }
    for entry in space.extended_capabilities().map_while(Result::ok) {
        see((entry.id(), entry.offset()));
        found += 1;
    }
    found
}

/// The header and both lists, with every register that `pcicfg` knows read through its accessor. Gives
/// how many capabilities there are.
#[must_use]
pub fn decode(bytes: &[u8]) -> usize {
    let Ok(space) = ConfigSpace::new(bytes) else { return 0 };
    header(space.header());
    let mut found = 0;
    for entry in space.capabilities().map_while(Result::ok) {
        if let Ok(view) = entry.decode() {
            capability(view);
        }
        found += 1;
    }
    for entry in space.extended_capabilities().map_while(Result::ok) {
        if let Ok(view) = entry.decode() {
            extended(view);
        }
        found += 1;
    }
    found
}

/// As much as [`pci_types()`] does: the ids, and of a type 0 header the first list, with MSI-X decoded.
/// Gives how many capabilities there are.
#[must_use]
pub fn conventional(bytes: &[u8]) -> usize {
    let Ok(space) = ConfigSpace::new(bytes) else { return 0 };
    let header = space.header();
    see(header.id());
    if header.header_type() != HeaderType::Endpoint {
        return 0;
    }
    let mut found = 0;
    for entry in space.capabilities().map_while(Result::ok) {
        match entry.decode() {
            Ok(Capability::MsiX(view)) => msi_x(view),
            Ok(Capability::Msi(view)) => see(view.message_control()),
            _ => see((entry.id(), entry.offset())),
        }
        found += 1;
    }
    found
}

/// `pcics`: header and both lists, everything decoded. Gives how many capabilities it could decode.
///
/// It goes on for ever when a list loops.
#[must_use]
pub fn pcics(bytes: &[u8]) -> usize {
    let Some(Ok(header)) = bytes.get(..0x40).map(pcics::Header::try_from) else { return 0 };
    let header = black_box(header);
    let mut found = 0;
    for capability in pcics::Capabilities::new(bytes.get(0x40..0x100).unwrap_or_default(), &header) {
        found += usize::from(black_box(capability).is_ok());
    }
    for capability in pcics::ExtendedCapabilities::new(bytes.get(0x100..).unwrap_or_default()) {
        found += usize::from(black_box(capability).is_ok());
    }
    found
}

/// `pci_types`: the ids, and of a type 0 header the first list, which is all it can do. Gives how many
/// capabilities there are.
///
/// It goes on for ever when the list loops.
#[must_use]
pub fn pci_types(bytes: &[u8]) -> usize {
    let access = Slice(bytes);
    let header = PciHeader::new(PciAddress::default());
    see(header.id(access));
    let Some(endpoint) = EndpointHeader::from_header(header, access) else { return 0 };
    let mut found = 0;
    for capability in endpoint.capabilities(access) {
        see(capability);
        found += 1;
    }
    found
}

/// Bytes as `pci_types` wants them: dwords that can be read and written.
#[derive(Clone, Copy)]
struct Slice<'a>(&'a [u8]);

impl ConfigRegionAccess for Slice<'_> {
    unsafe fn read(&self, _: PciAddress, offset: u16) -> u32 {
        let found = self.0.get(usize::from(offset)..).and_then(|rest| rest.first_chunk());
        found.copied().map_or(u32::MAX, u32::from_le_bytes)
    }

    unsafe fn write(&self, _: PciAddress, _: u16, _: u32) {}
}

/// Has the value made, and does nothing with it.
fn see<T>(value: T) {
    black_box(value);
}

/// Hands what the methods give to [`black_box`], all at once.
macro_rules! read {
    ($view:expr; $($method:ident),* $(,)?) => {{
        let view = $view;
        see(($(view.$method(),)*));
    }};
}

fn header(header: Header<'_>) {
    read!(header; vendor_id, device_id, command, status, revision_id, class_code, cache_line_size,
        latency_timer, header_type, multi_function, bist);
    header.bars().for_each(see);
    match header.layout() {
        Layout::Endpoint(view) => read!(view; cardbus_cis_pointer, subsystem_vendor_id, subsystem_id, rom),
        Layout::Bridge(view) => read!(view; primary_bus_number, secondary_bus_number,
            subordinate_bus_number, secondary_latency_timer, secondary_status, io_window, memory_window,
            prefetchable_window, rom, bridge_control),
        Layout::CardBus(view) => read!(view; primary_bus_number, cardbus_bus_number,
            subordinate_bus_number, bridge_control),
        Layout::Unknown(_) => {}
    }
    read!(header; interrupt_line, interrupt_pin);
}

fn capability(capability: Capability<'_>) {
    match capability {
        Capability::PowerManagement(view) => read!(view; capabilities, control_status,
            bridge_support_extensions, data),
        Capability::Msi(view) => msi(view),
        Capability::PciX(view) => read!(view; command, status),
        Capability::PciXBridge(view) => read!(view; secondary_status, status,
            upstream_split_transaction_control, downstream_split_transaction_control),
        Capability::VendorSpecific(view) => read!(view; length, data),
        Capability::BridgeSubsystem(view) => read!(view; subsystem_vendor_id, subsystem_id),
        Capability::PciExpress(view) => express(view),
        Capability::MsiX(view) => msi_x(view),
        Capability::AdvancedFeatures(view) => read!(view; length, capabilities, control, status),
        Capability::EnhancedAllocation(view) => {
            read!(view; num_entries, fixed_bus_numbers);
            view.entries().for_each(see);
        }
        other => see(other),
    }
}

fn msi(view: Msi<'_>) {
    read!(view; message_control, message_address, message_data, extended_message_data, mask_bits,
        pending_bits);
}

fn msi_x(view: MsiX<'_>) {
    read!(view; message_control, table, pending_bit_array);
}

fn express(view: PciExpress<'_>) {
    read!(view; capabilities, device_capabilities, device_control, device_status, link_capabilities,
        link_control, link_status, slot_capabilities, slot_control, slot_status, root_control,
        root_capabilities, root_status, device_capabilities_2, device_control_2, device_status_2,
        link_capabilities_2, link_control_2, link_status_2, slot_capabilities_2, slot_control_2,
        slot_status_2);
}

fn extended(capability: ExtendedCapability<'_>) {
    match capability {
        ExtendedCapability::AdvancedErrorReporting(view) => advanced_error_reporting(view),
        ExtendedCapability::VirtualChannel(view) | ExtendedCapability::MultiFunctionVirtualChannel(view) => {
            read!(view; port_capability_1, port_capability_2, port_control, port_status);
            view.resources().for_each(see);
        }
        ExtendedCapability::DeviceSerialNumber(view) => read!(view; serial_number),
        ExtendedCapability::VendorSpecific(view) => read!(view; vsec_id, vsec_revision, vsec_length, data),
        ExtendedCapability::AccessControlServices(view) => {
            read!(view; capability, control);
            view.egress_control_vector().for_each(see);
        }
        ExtendedCapability::AlternativeRoutingId(view) => read!(view; capability, control),
        ExtendedCapability::AddressTranslationServices(view) => read!(view; capability, control),
        ExtendedCapability::SrIov(view) => sr_iov(view),
        ExtendedCapability::PageRequestInterface(view) => read!(view; control, status,
            outstanding_page_request_capacity, outstanding_page_request_allocation),
        ExtendedCapability::ResizableBar(view) | ExtendedCapability::VfResizableBar(view) => {
            view.entries().for_each(see);
        }
        ExtendedCapability::TphRequester(view) => {
            read!(view; capability, control);
            view.st_table().for_each(see);
        }
        ExtendedCapability::LatencyToleranceReporting(view) => read!(view; max_snoop_latency,
            max_no_snoop_latency),
        ExtendedCapability::Pasid(view) => read!(view; capability, control),
        ExtendedCapability::DownstreamPortContainment(view) => downstream_port_containment(view),
        ExtendedCapability::L1PmSubstates(view) => read!(view; capabilities, control_1, control_2),
        ExtendedCapability::PrecisionTimeMeasurement(view) => read!(view; capability, control),
        ExtendedCapability::ReadinessTimeReporting(view) => read!(view; valid, reset_time, dl_up_time,
            flr_time, d3hot_to_d0_time),
        ExtendedCapability::DesignatedVendorSpecific(view) => read!(view; dvsec_vendor_id, dvsec_revision,
            dvsec_length, dvsec_id, data),
        other => see(other),
    }
}

fn advanced_error_reporting(view: AdvancedErrorReporting<'_>) {
    read!(view; uncorrectable_error_status, uncorrectable_error_mask, uncorrectable_error_severity,
        correctable_error_status, correctable_error_mask, capabilities_and_control, header_log,
        root_error_command, root_error_status, error_source_identification, tlp_prefix_log);
}

fn sr_iov(view: SrIov<'_>) {
    read!(view; capabilities, control, status, initial_vfs, total_vfs, num_vfs, function_dependency_link,
        first_vf_offset, vf_stride, vf_device_id, supported_page_sizes, system_page_size,
        vf_migration_state_array_offset);
    view.vf_bars().for_each(see);
}

fn downstream_port_containment(view: DownstreamPortContainment<'_>) {
    read!(view; capability, control, status, error_source_id, rp_pio_status, rp_pio_mask, rp_pio_severity,
        rp_pio_sys_error, rp_pio_exception, rp_pio_header_log, rp_pio_imp_spec_log);
    view.rp_pio_tlp_prefix_log().for_each(see);
}
