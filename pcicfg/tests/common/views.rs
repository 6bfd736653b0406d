//! The views with fixed places for their registers: what `exercise` calls of them.

use super::sink;
use pcicfg::capability::{
    Agp, CompactPciHotSwap, CompactPciResourceControl, DebugPort, FlatteningPortalBridge, HotPlug,
    HtAddressMapping, HtDirectRoute, HtExtendedConfiguration, HtHostSecondary, HtInterruptDiscovery,
    HtMsiMapping, HtRetryMode, HtRevisionId, HtSlavePrimary, HtSwitch, HtUnitIdClumping, HtVcSet,
    HyperTransport, IntelCapabilities, Sata, SecureDevice, SlotIdentification, VendorSpecific, Virtio,
    VitalProductData,
};
use pcicfg::extended::{
    AlternateProtocol, CapturedData, ConfigurationAccessCorrelation, Cxl, CxlDevice, CxlDeviceGpf,
    CxlFlexBusPort, CxlMultiLogicalDevice, CxlNonCxlFunctionMap, CxlPortExtensions, CxlPortGpf,
    CxlRegisterLocator, DataLinkFeature, DataObjectExchange, DesignatedVendorSpecific, Device3,
    DynamicPowerAllocation, EnclosureManagement, EventCollectorAssociation, FlitErrorInjection, FlitLogging,
    FlitPerformance, FrsQueueing, HierarchyId, IdeStreamControl, IdeStreamStatus, IntegrityAndDataEncryption,
    LaneMargining, LnRequester, MPcie, MmioRegisterBlockLocator, MrIov, Multicast, NopFlit, PhysicalLayer16,
    PhysicalLayer32, PhysicalLayer64, PhysicalLayer128, PowerBudgeting, ProtocolMultiplexing,
    RootComplexInternalLink, RootComplexLinkDeclaration, RootComplexRegisterBlock, ScalableIoVirtualization,
    SecondaryPciExpress, ShadowFunctions, StreamlinedVirtualChannel, SystemFirmwareIntermediary,
};

pub(super) fn agp(view: Agp<'_>) {
    see!(view; offset, revision, status, command);
    see!(view.status(); calibration_cycle, optimum_request_size, maximum_requests);
    see!(view.command(); calibration_cycle, optimum_request_size, maximum_requests);
    see!(view; major_revision, minor_revision);
}

pub(super) fn vital_product_data(view: VitalProductData<'_>) {
    see!(view; offset, address, data);
    see!(view.address(); vpd_address);
}

pub(super) fn slot_identification(view: SlotIdentification<'_>) {
    see!(view; offset, expansion_slot, chassis_number);
    see!(view.expansion_slot(); expansion_slots_provided);
}

pub(super) fn compact_pci_hot_swap(view: CompactPciHotSwap<'_>) {
    see!(view; offset, control_status);
    see!(view.control_status(); programming_interface);
}

pub(super) fn compact_pci_resource_control(view: CompactPciResourceControl<'_>) {
    see!(view; offset, control);
}

pub(super) fn debug_port(view: DebugPort<'_>) {
    see!(view; offset, location);
    see!(view.location(); debug_port_offset, bar_number);
}

pub(super) fn hot_plug(view: HotPlug<'_>) {
    see!(view; offset, dword_select, pending, dword_data);
}

pub(super) fn secure_device(view: SecureDevice<'_>) {
    see!(view; offset, header, base_address_low, base_address_high, range, miscellaneous_information_0, miscellaneous_information_1_register);
    see!(view.header(); capability_block_type, capability_block_revision);
    see!(view.range(); unit_id, bus_number, first_device, last_device);
    see!(view.miscellaneous_information_0(); msi_message_number, guest_virtual_address_size, physical_address_size, virtual_address_size, ppr_msi_message_number);
    see!(view; is_iommu, base_address, ga_msi_message_number);
}

pub(super) fn sata(view: Sata<'_>) {
    see!(view; offset, revision, bar, index_register, data_register);
    see!(view.revision(); minor_revision, major_revision);
    see!(view.bar(); bar_location, bar_offset);
    see!(view; index_data_pair);
}

pub(super) fn flattening_portal_bridge(view: FlatteningPortalBridge<'_>) {
    see!(view; offset, capabilities, rid_vector_control_1, rid_vector_control_2, mem_low_vector_control, mem_high_vector_control_1, mem_high_vector_control_2, vector_access_control, vector_access_data);
    see!(view.capabilities(); num_sec_dev, rid_vector_size_supported, mem_low_vector_size_supported, mem_high_vector_size_supported);
    see!(view.rid_vector_control_1(); rid_vector_granularity, rid_vector_start);
    see!(view.rid_vector_control_2(); rid_secondary_start);
    see!(view.mem_low_vector_control(); mem_low_vector_granularity, mem_low_vector_start);
    see!(view.mem_high_vector_control_1(); mem_high_vector_granularity, mem_high_vector_start_lower);
    see!(view.vector_access_control(); vector_access_offset, vector_select);
    see!(view; mem_high_vector_start);
}

pub(super) fn virtio(view: Virtio<'_>) {
    see!(view; offset, structure, bar, id, structure_offset_low, structure_length_low, extra, structure_length_high);
    see!(view; structure_offset, structure_length, notify_off_multiplier, pci_cfg_data);
}

pub(super) fn intel_capabilities(view: IntelCapabilities<'_>) {
    see!(view; offset, length, version_and_type, word_a, word_b, word_c);
    see!(view; version, capability_type);
    see_some!(view.capabilities_a(); ddr_maximum_size, compatibility_device_id, compatibility_revision_id);
    see_some!(view.capabilities_b(); ddr3_maximum_frequency_code, ddr3_maximum_frequency_with_100_mhz_reference_code, cache_size_capability);
    see_some!(view.capabilities_c(); gear_1_maximum_frequency_code, bclk_overclocking_code, lpddr4_maximum_frequency_code, ddr4_maximum_frequency_code);
}

pub(super) fn ht_slave_primary(view: HtSlavePrimary<'_>) {
    see!(view; offset, command, link_control_0, link_configuration_0, link_control_1, link_configuration_1, revision, link_frequency_error_0, link_frequency_capability_0, feature, link_frequency_error_1, link_frequency_capability_1, enumeration_scratchpad, error_handling, memory_base_upper, memory_limit_upper, bus_number);
    see!(view.command(); base_unit_id, unit_count);
    see!(view.link_control_0(); crc_error);
    see!(view.link_configuration_0(); max_link_width_in, max_link_width_out, link_width_in, link_width_out);
    see!(view.link_control_1(); crc_error);
    see!(view.link_configuration_1(); max_link_width_in, max_link_width_out, link_width_in, link_width_out);
    see!(view.revision(); minor_revision, major_revision);
    see!(view.link_frequency_error_0(); link_frequency);
    see!(view.link_frequency_error_1(); link_frequency);
}

pub(super) fn ht_host_secondary(view: HtHostSecondary<'_>) {
    see!(view; offset, command, link_control, link_configuration, revision, link_frequency_error, link_frequency_capability, feature, enumeration_scratchpad, error_handling, memory_base_upper, memory_limit_upper);
    see!(view.command(); device_number);
    see!(view.link_control(); crc_error);
    see!(view.link_configuration(); max_link_width_in, max_link_width_out, link_width_in, link_width_out);
    see!(view.revision(); minor_revision, major_revision);
    see!(view.link_frequency_error(); link_frequency);
}

pub(super) fn ht_switch(view: HtSwitch<'_>) {
    see!(view; offset, command, partition_mask, switch_info, performance_counter_data, base_limit_range_data, secondary_base_data);
    see!(view.switch_info(); default_port, performance_counter_index, base_limit_range_index);
}

pub(super) fn ht_interrupt_discovery(view: HtInterruptDiscovery<'_>) {
    see!(view; offset, index, data);
}

pub(super) fn ht_revision_id(view: HtRevisionId<'_>) {
    see!(view; offset, revision);
    see!(view.revision(); minor_revision, major_revision);
}

pub(super) fn ht_unit_id_clumping(view: HtUnitIdClumping<'_>) {
    see!(view; offset, clumping_support, clumping_enable);
}

pub(super) fn ht_extended_configuration(view: HtExtendedConfiguration<'_>) {
    see!(view; offset, configuration_address, configuration_data);
    see!(view.configuration_address(); register, function, device, bus_number);
}

pub(super) fn ht_address_mapping(view: HtAddressMapping<'_>) {
    see!(view; offset, command, first_register, second_register, third_register);
    see!(view.command(); number_of_dma_mappings, io_size, map_type);
}

pub(super) fn ht_msi_mapping(view: HtMsiMapping<'_>) {
    see!(view; offset, command, address_low, address_high);
    see!(view; address, has_fixed_window);
}

pub(super) fn ht_direct_route(view: HtDirectRoute<'_>) {
    see!(view; offset, command, enable_vector, data);
    see!(view.command(); number_of_direct_route_spaces, index);
}

pub(super) fn ht_vc_set(view: HtVcSet<'_>) {
    see!(view; offset, vcsets_supported, link_1_vcsets_enabled, link_0_vcsets_enabled, stream_bucket_depth, stream_interval, streaming_vcs_supported, non_fc_bucket_depth, non_fc_bucket_interval);
}

pub(super) fn ht_retry_mode(view: HtRetryMode<'_>) {
    see!(view; offset, control_0, status_0, control_1, status_1, retry_count_0, retry_count_1);
    see!(view.control_0(); allowed_attempts);
    see!(view.control_1(); allowed_attempts);
}

pub(super) fn power_budgeting(view: PowerBudgeting<'_>) {
    see!(view; offset, data_select, data, capability);
    see!(view.data(); base_power, data_scale, pm_sub_state, pm_state, operating_condition, power_rail);
    see!(view.data(); milliwatts);
}

pub(super) fn root_complex_link_declaration(view: RootComplexLinkDeclaration<'_>) {
    see!(view; offset, element_self_description);
    see!(view.element_self_description(); element_type, number_of_link_entries, component_id, port_number);
    for entry in view.entries() {
        see!(entry.description; target_component_id, target_port_number);
        see!(entry; address);
    }
    assert!(view.entries().count() <= 255);
}

pub(super) fn root_complex_internal_link(view: RootComplexInternalLink<'_>) {
    see!(view; offset, capabilities, control, status);
    see!(view.capabilities(); max_link_speed, maximum_link_width, aspm_support, l0s_exit_latency, l1_exit_latency, supported_link_speeds);
    see!(view.control(); aspm_control);
    see!(view.status(); current_link_speed, negotiated_link_width);
}

pub(super) fn event_collector_association(view: EventCollectorAssociation<'_>) {
    see!(view; offset, association_bitmap, associated_bus_numbers_register);
    see!(view; version, associated_bus_numbers);
}

pub(super) fn root_complex_register_block(view: RootComplexRegisterBlock<'_>) {
    see!(view; offset, vendor_id, device_id, capabilities, control);
}

pub(super) fn configuration_access_correlation(view: ConfigurationAccessCorrelation<'_>) {
    see!(view; offset, device_correlation);
}

pub(super) fn mr_iov(view: MrIov<'_>) {
    see!(view; offset, capabilities, control, status);
}

pub(super) fn multicast(view: Multicast<'_>) {
    see!(view; offset, capability, control, base_address, receive, block_all, block_untranslated, overlay_low, overlay_high);
    see!(view.capability(); max_group, window_size_requested);
    see!(view.control(); num_group);
    see!(view.base_address(); index_position);
    see!(view.base_address(); base_address);
    see_some!(view.overlay(); overlay_base_address, overlay_size);
}

pub(super) fn dynamic_power_allocation(view: DynamicPowerAllocation<'_>) {
    see!(view; offset, capability, latency_indicator, status, control);
    see!(view.capability(); substate_max, transition_latency_unit, power_allocation_scale_milliwatts, transition_latency_value_0, transition_latency_value_1);
    see!(view.status(); substate_status);
    see!(view.control(); substate_control);
    assert!(view.power_allocation_milliwatts().count() <= 32);
    for substate in 0..=32 {
        sink(view.transition_latency(substate));
    }
}

pub(super) fn secondary_pci_express(view: SecondaryPciExpress<'_>) {
    see!(view; offset, link_control_3, lane_error_status);
    see!(view.link_control_3(); enable_lower_skp_os_generation);
    assert!(view.lane_equalization_control(255).count() <= 32);
    for lane in view.lane_equalization_control(2) {
        see!(lane; downstream_port_transmitter_preset, downstream_port_receiver_preset_hint, upstream_port_transmitter_preset, upstream_port_receiver_preset_hint);
    }
}

pub(super) fn physical_layer16(view: PhysicalLayer16<'_>) {
    see!(view; offset, capabilities, control, status, local_data_parity_mismatch, first_retimer_data_parity_mismatch, second_retimer_data_parity_mismatch);
    assert!(view.lane_equalization(255).count() <= 32);
    for lane in view.lane_equalization(2) {
        see!(lane; downstream_port_transmitter_preset, upstream_port_transmitter_preset);
    }
}

pub(super) fn physical_layer32(view: PhysicalLayer32<'_>) {
    see!(view; offset, capabilities, control, status, received_modified_ts_data_1, received_modified_ts_data_2, transmitted_modified_ts_data_1, transmitted_modified_ts_data_2);
    see!(view.control(); modified_ts_usage_mode_selected);
    see!(view.status(); received_enhanced_link_behavior_control);
    see!(view.received_modified_ts_data_1(); usage_mode, information_1, vendor_id);
    see!(view.received_modified_ts_data_2(); information_2, alternate_protocol_negotiation_status);
    see!(view.transmitted_modified_ts_data_1(); usage_mode, information_1, vendor_id);
    see!(view.transmitted_modified_ts_data_2(); information_2, alternate_protocol_negotiation_status);
    assert!(view.lane_equalization(255).count() <= 32);
}

pub(super) fn physical_layer64(view: PhysicalLayer64<'_>) {
    see!(view; offset, capabilities, control, status);
    assert!(view.lane_equalization(255).count() <= 32);
}

pub(super) fn physical_layer128(view: PhysicalLayer128<'_>) {
    see!(view; offset, capabilities, control, status);
    see!(view.capabilities(); supported_link_speeds_vector_2, lower_skp_os_generation_supported_speeds_vector_2, lower_skp_os_reception_supported_speeds_vector_2);
    assert!(view.lane_equalization(255).count() <= 32);
}

pub(super) fn protocol_multiplexing(view: ProtocolMultiplexing<'_>) {
    see!(view; offset, capability, control, status);
    see!(view.capability(); protocol_array_size);
    see!(view.control(); channel_0_assignment, channel_1_assignment, channel_2_assignment, channel_3_assignment);
    assert!(view.protocols().count() <= 63);
    view.protocols().for_each(sink);
}

pub(super) fn ln_requester(view: LnRequester<'_>) {
    see!(view; offset, capability, control);
    see!(view.capability(); registration_max);
    see!(view.control(); registration_limit);
}

pub(super) fn m_pcie(view: MPcie<'_>) {
    see!(view; offset, capabilities, control, status, lane_error_status, phy_control_address, phy_control_data);
    see!(view.capabilities(); maximum_tx_lane_width, maximum_rx_lane_width);
    see!(view.control(); target_link_speed);
    see!(view.status(); current_link_speed, tx_lane_width, rx_lane_width);
    see!(view.phy_control_address(); lower_addr, upper_addr, phy_location);
    see!(view.phy_control_data(); phy_register_data);
}

pub(super) fn frs_queueing(view: FrsQueueing<'_>) {
    see!(view; offset, capability, status, control, message_queue);
    see!(view.capability(); queue_max_depth, interrupt_message_number);
    see!(view.message_queue(); function_id, reason, depth);
}

pub(super) fn data_link_feature(view: DataLinkFeature<'_>) {
    see!(view; offset, capabilities, status);
    see!(view.capabilities(); features, extended_vc_count, l0p_exit_latency);
    see!(view.status(); features, extended_vc_count, l0p_exit_latency);
    see!(view; exchange_enabled, remote_valid);
}

pub(super) fn lane_margining(view: LaneMargining<'_>) {
    see!(view; offset, port_capabilities, port_status);
    assert!(view.lanes(255).count() <= 32);
    for lane in view.lanes(2) {
        see!(lane.control; receiver_number, margin_type, margin_payload);
        see!(lane.status; receiver_number, margin_type, margin_payload);
    }
}

pub(super) fn hierarchy_id(view: HierarchyId<'_>) {
    see!(view; offset, status, data, guid_1, guid_2, guid_3, guid_4, guid_5);
    see!(view.status(); message_requester_id);
    see!(view.data(); system_guid_authority_id, hierarchy_id);
}

pub(super) fn enclosure_management(view: EnclosureManagement<'_>) {
    see!(view; offset, capability, control, status);
    see!(view.capability(); enclosure_specific);
    see!(view.control(); enclosure_specific);
    see!(view.status(); enclosure_specific);
    see!(view; enabled, command_completed);
}

pub(super) fn alternate_protocol(view: AlternateProtocol<'_>) {
    see!(view; offset, capabilities, control, data_1, data_2, selective_enable_mask_register);
    see!(view.capabilities(); count);
    see!(view.control(); index_select);
    see!(view.data_1(); usage_information, details, vendor_id);
    see!(view.data_2(); modified_ts_information_2);
    see!(view; selective_enable_mask);
}

pub(super) fn system_firmware_intermediary(view: SystemFirmwareIntermediary<'_>) {
    see!(view; offset, capability, control, status, cam_address, cam_data);
}

pub(super) fn shadow_functions(view: ShadowFunctions<'_>) {
    see!(view; offset, capability, control);
    sink(view.instance(u8::MAX));
}

pub(super) fn data_object_exchange(view: DataObjectExchange<'_>) {
    see!(view; offset, capabilities, control, status, write_data_mailbox, read_data_mailbox);
    see!(view.capabilities(); interrupt_message_number);
}

pub(super) fn device3(view: Device3<'_>) {
    see!(view; offset, capabilities, control, status);
    see!(view.capabilities(); port_l0p_exit_latency, retimer_l0p_exit_latency);
    see!(view.control(); target_link_width);
    see!(view.status(); initial_link_width);
}

pub(super) fn integrity_and_data_encryption(view: IntegrityAndDataEncryption<'_>) {
    see!(view; offset, capability, control);
    see!(view.capability(); supported_algorithms, number_of_tcs_supported_for_link_ide, number_of_selective_ide_streams_supported);
    assert!(view.link_streams().count() <= 8 && view.selective_streams().count() <= 256);
    for stream in view.link_streams() {
        sink(stream);
        ide_stream(stream.control, stream.status);
    }
    for stream in view.selective_streams() {
        see!(stream; offset, rid_association);
        see!(stream.capability(); number_of_address_association_register_blocks);
        ide_stream(stream.control(), stream.status());
        assert!(stream.address_associations().count() <= 15);
        stream.address_associations().for_each(sink);
    }
}

pub(super) fn flit_logging(view: FlitLogging<'_>) {
    see!(view; offset, error_log_1, error_log_2, counter_control, counter_status, measurement_control, flit_counter, measurement_status_2);
    see!(view.error_log_1(); link_width, flit_offset, consecutive_errors, syndrome_parity_0, syndrome_check_0);
    see!(view.error_log_2(); syndrome_parity_1, syndrome_check_1, syndrome_parity_2, syndrome_check_2);
    see!(view.counter_control(); events_to_count, trigger_event_on_error_count);
    see!(view.counter_status(); link_width, flit_error_counter);
    see!(view.measurement_control(); granularity);
    see!(view; invalid_flit_counter, lane_correctable_counters);
}

pub(super) fn flit_performance(view: FlitPerformance<'_>) {
    see!(view; offset, capability, control, status);
}

pub(super) fn flit_error_injection(view: FlitErrorInjection<'_>) {
    see!(view; offset, capability, control_1, control_2, status, ordered_set_control_1, ordered_set_control_2, ordered_set_tx_status, ordered_set_rx_status);
    see!(view.control_1(); number_of_errors, spacing, flit_type);
    see!(view.control_2(); consecutive_error_injection, error_type, error_offset, error_magnitude);
    see!(view.status(); tx, rx);
    see!(view.ordered_set_control_1(); number_of_errors, spacing);
    see!(view.ordered_set_control_2(); error_injection_bytes, lane_number_for_error_injection);
    see!(view.ordered_set_tx_status(); ts0, ts1, ts2, skp, eieos, eios, sds, polling, configuration, l0, recovery, equalization_phases_0_and_1, equalization_phase_2, equalization_phase_3);
    see!(view.ordered_set_rx_status(); ts0, ts1, ts2, skp, eieos, eios, sds, polling, configuration, l0, recovery, equalization_phases_0_and_1, equalization_phase_2, equalization_phase_3);
}

pub(super) fn streamlined_virtual_channel(view: StreamlinedVirtualChannel<'_>) {
    see!(view; offset, port_capability_1, port_capability_2, port_control, port_status);
    see!(view.port_capability_1(); extended_vc_count);
    assert!(view.resources().count() <= 8);
    view.resources().for_each(sink);
}

pub(super) fn mmio_register_block_locator(view: MmioRegisterBlockLocator<'_>) {
    see!(view; offset, capabilities);
    see!(view.capabilities(); structure_length);
    assert!(view.blocks().count() <= 511);
    view.blocks().for_each(sink);
}

pub(super) fn nop_flit(view: NopFlit<'_>) {
    see!(view; offset, capabilities, control_1, control_2, status);
}

pub(super) fn scalable_io_virtualization(view: ScalableIoVirtualization<'_>) {
    see!(view; offset, capabilities, total_sdis, status, first_sdi_offset, sdi_stride);
}

pub(super) fn captured_data(view: CapturedData<'_>) {
    see!(view; offset, first_dword);
    sink(view.dword(0));
    sink(view.dword(u8::MAX));
}

pub(super) fn cxl_device(view: CxlDevice<'_>) {
    see!(view; offset, capability, control, status, control_2, status_2, lock, capability_2, range_1_size_high, range_1_size_low, range_1_base_high, range_1_base_low, range_2_size_high, range_2_size_low, range_2_base_high, range_2_base_low, capability_3_register);
    see!(view.capability(); hdm_count, cxl_reset_timeout);
    see!(view.control(); cache_sf_coverage, cache_sf_granularity);
    see!(view.capability_2(); cache_size_unit, cache_size_units);
    see!(view.range_1_size_low(); media_type, memory_class, desired_interleave, memory_active_timeout);
    see!(view.range_2_size_low(); media_type, memory_class, desired_interleave, memory_active_timeout);
    see!(view; ranges, capability_3);
}

pub(super) fn cxl_non_cxl_function_map(view: CxlNonCxlFunctionMap<'_>) {
    see!(view; offset, register_0);
    assert!(view.registers().count() == 8);
}

pub(super) fn cxl_port_extensions(view: CxlPortExtensions<'_>) {
    see!(view; offset, status, control, alternate_bus_base, alternate_bus_limit, alternate_memory_base_register, alternate_memory_limit_register, alternate_prefetchable_memory_base_register, alternate_prefetchable_memory_limit_register, alternate_prefetchable_memory_base_high, alternate_prefetchable_memory_limit_high, rcrb_base_low, rcrb_base_high);
    see!(view; rcrb_base);
}

pub(super) fn cxl_port_gpf(view: CxlPortGpf<'_>) {
    see!(view; offset, phase_1_timeout, phase_2_timeout);
    see!(view.phase_1_timeout(); time_base, time_scale);
    see!(view.phase_2_timeout(); time_base, time_scale);
    see!(view.phase_1_timeout(); duration);
}

pub(super) fn cxl_device_gpf(view: CxlDeviceGpf<'_>) {
    see!(view; offset, phase_2_duration, phase_2_power_milliwatts);
    see!(view.phase_2_duration(); time_base, time_scale);
    see!(view.phase_2_duration(); duration);
}

pub(super) fn cxl_flex_bus_port(view: CxlFlexBusPort<'_>) {
    see!(view; offset, capability, control, status, received_modified_ts_data_phase_1, capability_2, control_2, status_2);
}

pub(super) fn cxl_register_locator(view: CxlRegisterLocator<'_>) {
    see!(view; offset);
    assert!(view.blocks().count() <= 511);
    view.blocks().for_each(sink);
}

pub(super) fn cxl_multi_logical_device(view: CxlMultiLogicalDevice<'_>) {
    see!(view; offset, number_of_lds);
}

pub(super) fn vendor_specific(view: VendorSpecific<'_>) {
    see!(view; offset, length, data);
    if let Some(view) = view.virtio() {
        virtio(view);
    }
    if let Some(view) = view.intel() {
        intel_capabilities(view);
    }
}

pub(super) fn hyper_transport(view: HyperTransport<'_>) {
    see!(view; offset, command, capability_type);
    if let Some(view) = view.slave_primary() {
        ht_slave_primary(view);
    }
    if let Some(view) = view.host_secondary() {
        ht_host_secondary(view);
    }
    if let Some(view) = view.switch() {
        ht_switch(view);
    }
    if let Some(view) = view.interrupt_discovery() {
        ht_interrupt_discovery(view);
    }
    if let Some(view) = view.revision_id() {
        ht_revision_id(view);
    }
    if let Some(view) = view.unit_id_clumping() {
        ht_unit_id_clumping(view);
    }
    if let Some(view) = view.extended_configuration() {
        ht_extended_configuration(view);
    }
    if let Some(view) = view.address_mapping() {
        ht_address_mapping(view);
    }
    if let Some(view) = view.msi_mapping() {
        ht_msi_mapping(view);
    }
    if let Some(view) = view.direct_route() {
        ht_direct_route(view);
    }
    if let Some(view) = view.vc_set() {
        ht_vc_set(view);
    }
    if let Some(view) = view.retry_mode() {
        ht_retry_mode(view);
    }
}

pub(super) fn cxl(view: DesignatedVendorSpecific<'_>) {
    let Some(view) = view.cxl() else { return };
    sink(view);
    match view {
        Cxl::Device(view) => cxl_device(view),
        Cxl::NonCxlFunctionMap(view) => cxl_non_cxl_function_map(view),
        Cxl::PortExtensions(view) => cxl_port_extensions(view),
        Cxl::PortGpf(view) => cxl_port_gpf(view),
        Cxl::DeviceGpf(view) => cxl_device_gpf(view),
        Cxl::FlexBusPort(view) => cxl_flex_bus_port(view),
        Cxl::RegisterLocator(view) => cxl_register_locator(view),
        Cxl::MultiLogicalDevice(view) => cxl_multi_logical_device(view),
        other => panic!("cxl() does not know {other:?}"),
    }
}

fn ide_stream(control: IdeStreamControl, status: IdeStreamStatus) {
    see!(control; tx_aggregation_mode_npr, tx_aggregation_mode_pr, tx_aggregation_mode_cpl,
        partial_header_encryption_mode, selected_algorithm, tc, stream_id);
    see!(status; state);
}
