//! Calls everything that the crate offers on one configuration space, and formats what comes back.
//!
//! Shared by the property tests and by the fuzz target: neither looks at the values, both demand that
//! no bytes make it panic or go on for ever. `tests/properties.rs` checks that no accessor is missing
//! here.

use pcicfg::ConfigSpace;
use pcicfg::capability::{
    Capability, CapabilityEntry, EnhancedAllocation, LinkSpeed, Msi, PciExpress, PciX, PciXBridge,
    PowerManagement, PowerState,
};
use pcicfg::extended::{
    AdvancedErrorReporting, DownstreamPortContainment, ExtendedCapability, ExtendedCapabilityEntry,
    L1PmSubstates, ResizableBar, SrIov, VirtualChannel,
};
use pcicfg::header::Layout;
use std::fmt::{Debug, Write};

/// Takes so many pieces of text and keeps none of them: the numbers of thousands of bytes show nothing new.
struct Sink {
    left: usize,
}

impl Write for Sink {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        std::hint::black_box(text);
        self.left = self.left.checked_sub(1).ok_or(std::fmt::Error)?;
        Ok(())
    }
}

fn sink(value: impl Debug) {
    // An error says that the sink is full.
    let _ = write!(Sink { left: 300 }, "{value:?}");
}

/// Formats the value, and what each of its methods gives.
macro_rules! see {
    ($value:expr; $($method:ident),* $(,)?) => {{
        let value = $value;
        sink(value);
        $(sink(value.$method());)*
    }};
}

/// The same for an `Option`, the methods being those of what is in it.
macro_rules! see_some {
    ($value:expr; $($method:ident),* $(,)?) => {{
        if let Some(value) = $value {
            see!(value; $($method),*);
        }
    }};
}

#[path = "views.rs"]
mod views;

/// What the walks found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// The offsets of the capabilities, in the list's order.
    pub(crate) capabilities: Vec<u16>,
    /// The offsets of the extended capabilities, in the list's order.
    pub(crate) extended_capabilities: Vec<u16>,
}

/// Calls everything.
pub(crate) fn exercise(space: ConfigSpace<'_>) -> Found {
    header(space);
    finders(space);
    let mut found = Found::default();
    for item in space.capabilities() {
        sink(item);
        if let Ok(entry) = item {
            found.capabilities.push(entry.offset());
            capability(entry);
        }
    }
    for item in space.extended_capabilities() {
        sink(item);
        if let Ok(entry) = item {
            found.extended_capabilities.push(entry.offset());
            extended_capability(entry);
        }
    }
    found
}

fn header(space: ConfigSpace<'_>) {
    see!(space; size, bytes);
    let header = space.header();
    see!(header; id, vendor_id, device_id, presence, command, status, revision_id, class_code,
        cache_line_size, latency_timer, header_type, multi_function, bist, interrupt_line, interrupt_pin,
        bridge);
    see!(header.class_code(); to_u32);
    see!(header.status(); devsel_timing);
    header.bars().for_each(sink);
    match header.layout() {
        Layout::Endpoint(endpoint) => {
            see!(endpoint; subsystem_vendor_id, subsystem_id, cardbus_cis_pointer);
            see!(endpoint.rom(); enabled, base, validation_status, validation_details);
        }
        Layout::Bridge(bridge) => {
            see!(bridge; primary_bus_number, secondary_bus_number, subordinate_bus_number,
                secondary_latency_timer, secondary_status, io_window, memory_window, prefetchable_window,
                bridge_control);
            see!(bridge.rom(); enabled, base, validation_status, validation_details);
            see!(bridge.secondary_status(); devsel_timing);
        }
        Layout::CardBus(bridge) => {
            see!(bridge; primary_bus_number, cardbus_bus_number, subordinate_bus_number, bridge_control,
                secondary_status, memory_windows, io_windows, latency_timer);
        }
        Layout::Unknown(other) => sink(other),
    }
}

fn finders(space: ConfigSpace<'_>) {
    see!(space; power_management, msi, msi_x, pci_express, advanced_features, advanced_error_reporting,
        virtual_channel, device_serial_number, multi_function_virtual_channel, access_control_services,
        alternative_routing_id, address_translation_services, sr_iov, page_request_interface,
        resizable_bar, tph_requester, latency_tolerance_reporting, pasid, downstream_port_containment,
        l1_pm_substates, precision_time_measurement, readiness_time_reporting, vf_resizable_bar, cxl_port);
    space.designated_vendor_specific().for_each(sink);
}

fn capability(entry: CapabilityEntry<'_>) {
    see!(entry; id, offset, bytes);
    see!(entry.id(); name);
    let decoded = entry.decode();
    sink(decoded);
    let Ok(decoded) = decoded else { return };
    match decoded {
        Capability::PowerManagement(view) => power_management(view),
        Capability::Msi(view) => msi(view),
        Capability::PciX(view) => pci_x(view),
        Capability::PciXBridge(view) => pci_x_bridge(view),
        Capability::VendorSpecific(view) => views::vendor_specific(view),
        Capability::HyperTransport(view) => views::hyper_transport(view),
        Capability::BridgeSubsystem(view) => see!(view; offset, subsystem_vendor_id, subsystem_id),
        Capability::PciExpress(view) => pci_express(view),
        Capability::MsiX(view) => {
            see!(view; offset, message_control, table, pending_bit_array);
            see!(view.message_control(); table_size);
            see!(view.table(); bar_index, offset);
            see!(view.pending_bit_array(); bar_index, offset);
        }
        Capability::AdvancedFeatures(view) => see!(view; offset, length, capabilities, control, status,
            function_level_reset_capable, transactions_pending),
        Capability::EnhancedAllocation(view) => enhanced_allocation(view),
        Capability::Agp(view) => views::agp(view),
        Capability::VitalProductData(view) => views::vital_product_data(view),
        Capability::SlotIdentification(view) => views::slot_identification(view),
        Capability::CompactPciHotSwap(view) => views::compact_pci_hot_swap(view),
        Capability::CompactPciResourceControl(view) => views::compact_pci_resource_control(view),
        Capability::DebugPort(view) => views::debug_port(view),
        Capability::HotPlug(view) => views::hot_plug(view),
        Capability::SecureDevice(view) => views::secure_device(view),
        Capability::Sata(view) => views::sata(view),
        Capability::FlatteningPortalBridge(view) => views::flattening_portal_bridge(view),
        Capability::Other(entry) => sink(entry),
        other => panic!("exercise() does not know {other:?}"),
    }
}

fn power_management(view: PowerManagement<'_>) {
    see!(view; offset, capabilities, control_status, bridge_support_extensions, data,
        data_milliwatts);
    see!(view.capabilities(); version, aux_current);
    see!(view.control_status(); power_state, data_select, data_scale_milliwatts, no_soft_reset);
    for state in [PowerState::D0, PowerState::D1, PowerState::D2, PowerState::D3hot] {
        sink(view.capabilities().pme_support(state));
        assert_eq!(view.control_status().with_power_state(state).power_state(), state);
    }
}

fn msi(view: Msi<'_>) {
    see!(view; offset, message_control, message_address, message_data, extended_message_data, mask_bits,
        pending_bits);
    see!(view.message_control(); multiple_message_capable, multiple_message_enable, message_data_offset,
        mask_bits_offset, pending_bits_offset, size);
}

fn pci_x(view: PciX<'_>) {
    see!(view; offset, command, status);
    see!(view.command(); maximum_memory_read_byte_count, maximum_outstanding_split_transactions, version);
    see!(view.status(); routing_id, designed_maximum_memory_read_byte_count,
        designed_maximum_outstanding_split_transactions, designed_maximum_cumulative_read_size);
}

fn pci_x_bridge(view: PciXBridge<'_>) {
    see!(view; offset, secondary_status, status);
    see!(view.secondary_status(); bus_mode_and_frequency, version);
    see!(view.status(); routing_id);
    see!(view.upstream_split_transaction_control(); capacity, commitment_limit);
    see!(view.downstream_split_transaction_control(); capacity, commitment_limit);
}

fn pci_express(view: PciExpress<'_>) {
    see!(view; offset, capabilities, device_port_type, slot_implemented, device_capabilities,
        device_control, device_status, device_status_2, slot_control_2, slot_status_2,
        function_level_reset_capable, initiate_function_level_reset, transactions_pending,
        data_link_layer_link_active_reporting_capable, data_link_layer_link_active, hot_plug_capable,
        slot_power_on, rrs_software_visibility_enabled);
    see!(view.capabilities(); version, device_port_type, interrupt_message_number);
    see!(view.device_port_type(); has_link, is_downstream_port, is_root);
    see!(view.device_capabilities(); max_payload_size_supported, phantom_functions_supported,
        endpoint_l0s_acceptable_latency, endpoint_l1_acceptable_latency, captured_slot_power_limit);
    see!(view.device_control(); max_payload_size, max_read_request_size);
    see_some!(view.link_capabilities(); max_link_speed, maximum_link_width, aspm_support, l0s_exit_latency,
        l1_exit_latency, port_number);
    see_some!(view.link_control(); aspm_control, drs_signaling_control);
    if let Some(control) = view.link_control() {
        assert_eq!(control.with_aspm_control(control.aspm_control()), control);
    }
    see_some!(view.link_status(); current_link_speed, negotiated_link_width);
    if let Some(status) = view.link_status() {
        see!(status.negotiated_link_width(); lanes, is_defined);
        sink(format_args!("{}", status.negotiated_link_width()));
        see_some!(status.current_link_speed(); code, megatransfers_per_second);
        if let Some(speed) = status.current_link_speed() {
            sink(format_args!("{speed}"));
        }
    }
    see_some!(view.slot_capabilities(); slot_power_limit, physical_slot_number);
    see_some!(view.slot_control(); attention_indicator, power_indicator);
    see_some!(view.slot_status(); bits);
    see_some!(view.root_control(); bits);
    see_some!(view.root_capabilities(); bits);
    see_some!(view.root_status(); pme_requester_id);
    see_some!(view.device_capabilities_2(); max_end_end_tlp_prefixes, ln_system_cls,
        emergency_power_reduction_supported);
    see_some!(view.device_control_2(); completion_timeout, obff_enable);
    see_some!(view.link_capabilities_2(); max_link_speed, supported_link_speeds, lower_skp_os_generation_supported,
        lower_skp_os_reception_supported);
    if let Some(capabilities) = view.link_capabilities_2() {
        let speeds = capabilities.supported_link_speeds();
        see!(speeds; bits, is_empty, highest);
        // The highest is the last, and all that it yields are in it.
        assert_eq!(speeds.iter().last(), speeds.highest());
        assert!(speeds.iter().all(|speed| speeds.contains(speed)));
    }
    see_some!(view.link_control_2(); target_link_speed, transmit_margin, compliance_preset);
    for speed in [LinkSpeed::Gt2_5, LinkSpeed::Gt128] {
        sink(view.link_capabilities_2().map(|link| link.supports(speed)));
        if let Some(control) = view.link_control_2() {
            assert_eq!(control.with_target_link_speed(speed).target_link_speed(), Some(speed));
        }
    }
    see_some!(view.link_status_2(); crosslink_resolution, downstream_component_presence);
    see_some!(view.slot_capabilities_2(); bits);
}

fn enhanced_allocation(view: EnhancedAllocation<'_>) {
    see!(view; offset, num_entries, fixed_bus_numbers);
    assert!(view.entries().count() <= usize::from(view.num_entries()));
    for entry in view.entries() {
        sink(entry);
        see!(entry.flags; entry_size, bar_equivalent, primary_properties, secondary_properties);
    }
}

fn extended_capability(entry: ExtendedCapabilityEntry<'_>) {
    see!(entry; id, version, offset, bytes);
    see!(entry.id(); name);
    let decoded = entry.decode();
    sink(decoded);
    let Ok(decoded) = decoded else { return };
    match decoded {
        ExtendedCapability::AdvancedErrorReporting(view) => advanced_error_reporting(view),
        ExtendedCapability::VirtualChannel(view) => virtual_channel(view),
        ExtendedCapability::DeviceSerialNumber(view) => {
            see!(view; offset, serial_number);
            sink(format_args!("{}", view.serial_number()));
        }
        ExtendedCapability::MultiFunctionVirtualChannel(view) => virtual_channel(view),
        ExtendedCapability::VendorSpecific(view) => {
            see!(view; offset, vsec_id, vsec_revision, vsec_length, data);
        }
        ExtendedCapability::AccessControlServices(view) => {
            see!(view; offset, has_intel_layout, control_offset, capability, control);
            see!(view.capability(); egress_control_vector_size);
            see!(view.control(); dsp_memory_target_access, usp_memory_target_access);
            assert!(view.egress_control_vector().count() <= 8);
            view.egress_control_vector().for_each(sink);
        }
        ExtendedCapability::AlternativeRoutingId(view) => {
            see!(view; offset, capability, control);
            see!(view.capability(); next_function_number);
            see!(view.control(); function_group);
        }
        ExtendedCapability::AddressTranslationServices(view) => {
            see!(view; offset, capability, control);
            see!(view.capability(); invalidate_queue_depth);
            see!(view.control(); smallest_translation_unit);
        }
        ExtendedCapability::SrIov(view) => sr_iov(view),
        ExtendedCapability::PageRequestInterface(view) => see!(view; offset, control, status,
            outstanding_page_request_capacity, outstanding_page_request_allocation),
        ExtendedCapability::ResizableBar(view) | ExtendedCapability::VfResizableBar(view) => {
            resizable_bar(view);
        }
        ExtendedCapability::TphRequester(view) => {
            see!(view; offset, capability, control);
            see!(view.capability(); st_table_location, st_table_size);
            see!(view.control(); st_mode_select, tph_requester_enable);
            assert!(view.st_table().count() <= 64);
            view.st_table().for_each(sink);
        }
        ExtendedCapability::LatencyToleranceReporting(view) => {
            see!(view; offset, max_latencies);
            see!(view.max_snoop_latency(); duration);
            see!(view.max_no_snoop_latency(); duration);
        }
        ExtendedCapability::Pasid(view) => {
            see!(view; offset, capability, control);
            see!(view.capability(); max_pasid_width);
        }
        ExtendedCapability::DownstreamPortContainment(view) => downstream_port_containment(view),
        ExtendedCapability::L1PmSubstates(view) => l1_pm_substates(view),
        ExtendedCapability::PrecisionTimeMeasurement(view) => {
            see!(view; offset, capability, control);
            see!(view.capability(); local_clock_granularity);
            see!(view.control(); effective_granularity);
        }
        ExtendedCapability::ReadinessTimeReporting(view) => {
            see!(view; offset, valid);
            see!(view.reset_time(); duration);
            see!(view.dl_up_time(); duration);
            see!(view.flr_time(); duration);
            see!(view.d3hot_to_d0_time(); duration);
        }
        ExtendedCapability::DesignatedVendorSpecific(view) => {
            see!(view; offset, dvsec_vendor_id, dvsec_revision, dvsec_length, dvsec_id, data);
            see_some!(view.cxl_port(); offset, control, secondary_bus_reset_masked);
            views::cxl(view);
        }
        ExtendedCapability::PowerBudgeting(view) => views::power_budgeting(view),
        ExtendedCapability::RootComplexLinkDeclaration(view) => views::root_complex_link_declaration(view),
        ExtendedCapability::RootComplexInternalLink(view) => views::root_complex_internal_link(view),
        ExtendedCapability::EventCollectorAssociation(view) => views::event_collector_association(view),
        ExtendedCapability::RootComplexRegisterBlock(view) => views::root_complex_register_block(view),
        ExtendedCapability::ConfigurationAccessCorrelation(view) => {
            views::configuration_access_correlation(view)
        }
        ExtendedCapability::MrIov(view) => views::mr_iov(view),
        ExtendedCapability::Multicast(view) => views::multicast(view),
        ExtendedCapability::DynamicPowerAllocation(view) => views::dynamic_power_allocation(view),
        ExtendedCapability::SecondaryPciExpress(view) => views::secondary_pci_express(view),
        ExtendedCapability::PhysicalLayer16(view) => views::physical_layer16(view),
        ExtendedCapability::PhysicalLayer32(view) => views::physical_layer32(view),
        ExtendedCapability::PhysicalLayer64(view) => views::physical_layer64(view),
        ExtendedCapability::PhysicalLayer128(view) => views::physical_layer128(view),
        ExtendedCapability::ProtocolMultiplexing(view) => views::protocol_multiplexing(view),
        ExtendedCapability::LnRequester(view) => views::ln_requester(view),
        ExtendedCapability::MPcie(view) => views::m_pcie(view),
        ExtendedCapability::FrsQueueing(view) => views::frs_queueing(view),
        ExtendedCapability::DataLinkFeature(view) => views::data_link_feature(view),
        ExtendedCapability::LaneMargining(view) => views::lane_margining(view),
        ExtendedCapability::HierarchyId(view) => views::hierarchy_id(view),
        ExtendedCapability::EnclosureManagement(view) => views::enclosure_management(view),
        ExtendedCapability::AlternateProtocol(view) => views::alternate_protocol(view),
        ExtendedCapability::SystemFirmwareIntermediary(view) => views::system_firmware_intermediary(view),
        ExtendedCapability::ShadowFunctions(view) => views::shadow_functions(view),
        ExtendedCapability::DataObjectExchange(view) => views::data_object_exchange(view),
        ExtendedCapability::Device3(view) => views::device3(view),
        ExtendedCapability::IntegrityAndDataEncryption(view) => views::integrity_and_data_encryption(view),
        ExtendedCapability::FlitLogging(view) => views::flit_logging(view),
        ExtendedCapability::FlitPerformance(view) => views::flit_performance(view),
        ExtendedCapability::FlitErrorInjection(view) => views::flit_error_injection(view),
        ExtendedCapability::StreamlinedVirtualChannel(view) => views::streamlined_virtual_channel(view),
        ExtendedCapability::MmioRegisterBlockLocator(view) => views::mmio_register_block_locator(view),
        ExtendedCapability::NopFlit(view) => views::nop_flit(view),
        ExtendedCapability::ScalableIoVirtualization(view) => views::scalable_io_virtualization(view),
        ExtendedCapability::CapturedData(view) => views::captured_data(view),
        ExtendedCapability::Other(entry) => sink(entry),
        other => panic!("exercise() does not know {other:?}"),
    }
}

fn advanced_error_reporting(view: AdvancedErrorReporting<'_>) {
    see!(view; offset, uncorrectable_error_status, uncorrectable_error_mask, uncorrectable_error_severity,
        correctable_error_status, correctable_error_mask, header_log, root_error_command,
        error_source_identification, tlp_prefix_log);
    see!(view.capabilities_and_control(); first_error_pointer, logged_tlp_size);
    see_some!(view.root_error_status(); interrupt_message_number);
}

fn virtual_channel(view: VirtualChannel<'_>) {
    see!(view; offset, port_status, vc_arbitration_table);
    see!(view.port_capability_1(); extended_vc_count, low_priority_extended_vc_count,
        port_arbitration_table_entry_size);
    see!(view.port_capability_2(); vc_arbitration_table);
    see!(view.port_control(); vc_arbitration_select);
    sink(view.vc_arbitration_table().and_then(|table| view.table(table)));
    assert!(view.resources().count() <= 8);
    for resource in view.resources() {
        sink(resource);
        see!(resource.capability; maximum_time_slots);
        sink(resource.capability.port_arbitration_table(8));
        see!(resource.control; tc_vc_map, port_arbitration_select, vc_id);
        sink(resource.arbitration_table.and_then(|table| view.table(table)));
    }
}

fn sr_iov(view: SrIov<'_>) {
    see!(view; offset, control, status, initial_vfs, total_vfs, num_vfs, function_dependency_link,
        first_vf_offset, vf_stride, vf_device_id, supported_page_sizes, system_page_size, system_page_bytes,
        vf_migration_state_array_offset);
    see!(view.capabilities(); vf_migration_interrupt_message_number);
    sink(view.vf_routing_id(u16::MAX, u16::MAX));
    view.vf_bars().for_each(sink);
}

fn resizable_bar(view: ResizableBar<'_>) {
    see!(view; offset, number_of_resizable_bars);
    assert!(view.entries().count() <= 6);
    for entry in view.entries() {
        see!(entry; control_offset, capability, supported_size_codes);
        see!(entry.control(); bar_index, bar_size_code, bar_size);
        assert_eq!(entry.control().with_bar_size_code(63).bar_size_code(), 63);
        entry.supported_sizes().for_each(sink);
    }
}

fn downstream_port_containment(view: DownstreamPortContainment<'_>) {
    see!(view; offset, error_source_id, rp_pio_status, rp_pio_mask, rp_pio_severity, rp_pio_sys_error,
        rp_pio_exception, rp_pio_header_log, rp_pio_imp_spec_log);
    see!(view.capability(); interrupt_message_number, rp_pio_log_size);
    see!(view.control(); trigger_enable);
    see!(view.status(); trigger_reason, rp_pio_first_error_pointer);
    assert!(view.rp_pio_tlp_prefix_log().count() <= 4);
    view.rp_pio_tlp_prefix_log().for_each(sink);
}

fn l1_pm_substates(view: L1PmSubstates<'_>) {
    see!(view; offset);
    see!(view.capabilities(); port_common_mode_restore_time, port_t_power_on);
    see!(view.control_1(); common_mode_restore_time, ltr_l1_2_threshold);
    see!(view.control_2(); t_power_on);
}
