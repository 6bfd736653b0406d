//! The views of Power Budgeting, Multicast, IDE and the other rarer extended capabilities, from bytes
//! written by hand.

#[path = "common/build.rs"]
mod build;

use build::{endpoint, put, view};
use pcicfg::Truncated;
use pcicfg::capability::{Aspm, LinkSpeed, LinkWidth};
use pcicfg::extended::{
    AlternateProtocolNegotiation, AssociatedBusNumbers, DataLinkFeatures, DeviceCapabilities3,
    DeviceControl3, DeviceStatus3, DoeControl, DoeStatus, DpaStatus, EnhancedLinkBehavior,
    ExtendedCapability, ExtendedCapabilityEntry, ExtendedCapabilityId, FlitErrorCounterControl,
    FlitErrorInjectionControl1, FlitErrorLog1, FlitInjectionStatus, FlitType, FrsReason,
    IdeAddressAssociation, IdeAggregation, IdeAlgorithm, IdeCapability, IdeRidAssociation, IdeStreamControl,
    IdeStreamState, IdeStreamStatus, LinkControl3, LnrCapability, LnrControl, MPcieCapabilities, MPcieStatus,
    MarginType, MarginingPortStatus, MarginingReceiver, MmioRegisterBlock, MmioRegisterBlockId,
    ModifiedTsData2, ModifiedTsUsageMode, MulticastCapability, MulticastControl, NpemIndicators,
    OrderedSetErrorInjectionControl1, PartialHeaderEncryption, PhysicalLayer16Status,
    PhysicalLayer32Capabilities, PhysicalLayer32Status, PhysicalLayer64Status, PmuxCapability, PmuxProtocol,
    PmuxStatus, PowerBudgetingCapability, PowerBudgetingPmState, PowerBudgetingRail, PowerBudgetingType,
    RcrbCapabilities, RcrbControl, RootComplexElementType, RootComplexLinkAddress,
    RootComplexLinkCapabilities, RootComplexLinkDescription, SfiCapability, SfiControl, SvcResource,
    TargetLinkWidth,
};
use std::time::Duration;

/// A function whose extended list has one capability at 100h, of `dwords` behind its header.
fn with(id: u16, dwords: &[u32]) -> Vec<u8> {
    let mut bytes = endpoint(4096, 0);
    put(&mut bytes, 0x100, &(u32::from(id) | 1 << 16).to_le_bytes());
    for (index, dword) in dwords.iter().enumerate() {
        put(&mut bytes, 0x104 + 4 * index, &dword.to_le_bytes());
    }
    bytes
}

fn first(bytes: &[u8]) -> ExtendedCapabilityEntry<'_> {
    view(bytes).extended_capabilities().next().expect("at 100h").expect("sound")
}

/// The one capability, decoded as the variant says.
macro_rules! decode {
    ($bytes:expr, $variant:ident) => {
        match first($bytes).decode() {
            Ok(ExtendedCapability::$variant(view)) => view,
            other => panic!("{other:?}"),
        }
    };
}

/// One byte less than `needed` is too few, and `needed` are enough.
fn needs(mut bytes: Vec<u8>, needed: u16) {
    bytes.truncate(0x100 + usize::from(needed));
    assert!(first(&bytes).decode().is_ok());
    bytes.truncate(0x100 + usize::from(needed) - 1);
    let error = Truncated { offset: 0x100, needed, available: needed - 1 };
    assert_eq!(first(&bytes).decode().map(|_| ()), Err(error));
}

#[test]
fn every_id_has_a_view() {
    for id in (1..=0x3a).filter(|&id| id != 0x14) {
        let bytes = with(id, &[]);
        let decoded = first(&bytes).decode();
        let name = ExtendedCapabilityId(id).name();
        assert!(!matches!(decoded, Ok(ExtendedCapability::Other(_))), "{name:?}");
    }
    // Reserved for AMD: the layout is no one else's.
    assert!(matches!(first(&with(0x14, &[])).decode(), Ok(ExtendedCapability::Other(_))));
}

#[test]
fn views_are_small() {
    use pcicfg::extended as e;
    for size in [
        size_of::<e::PowerBudgeting<'_>>(),
        size_of::<e::RootComplexLinkDeclaration<'_>>(),
        size_of::<e::Multicast<'_>>(),
        size_of::<e::PhysicalLayer32<'_>>(),
        size_of::<e::IntegrityAndDataEncryption<'_>>(),
        size_of::<e::FlitErrorInjection<'_>>(),
        size_of::<e::StreamlinedVirtualChannel<'_>>(),
        size_of::<e::DesignatedVendorSpecific<'_>>(),
    ] {
        assert!(size <= 32, "{size}");
    }
}

#[test]
fn power_budgeting() {
    // 75 x 0.1 W, substate 1 of D0, sustained, 3.3 V.
    let bytes = with(0x0004, &[0x0000_0003, 0x0005_854b, 0x0000_0001]);
    let power = decode!(&bytes, PowerBudgeting);
    assert_eq!(power.data_select(), 3);
    let data = power.data();
    assert_eq!((data.base_power(), data.data_scale(), data.pm_sub_state()), (75, 1, 1));
    assert_eq!(data.milliwatts().map(u32::from), Some(7_500));
    assert_eq!(data.pm_state(), PowerBudgetingPmState::D0);
    assert_eq!(data.operating_condition(), PowerBudgetingType::Sustained);
    assert_eq!(data.power_rail(), PowerBudgetingRail::Volts3_3);
    assert_eq!(power.capability(), PowerBudgetingCapability::SYSTEM_ALLOCATED);
    // 300 W of thermal power at most, in D3; beyond the codes; no entry.
    let data = decode!(&with(0x0004, &[0, 0x001f_e0f2]), PowerBudgeting).data();
    assert_eq!(data.milliwatts().map(u32::from), Some(300_000));
    assert_eq!(
        (data.pm_state(), data.operating_condition()),
        (PowerBudgetingPmState::D3, PowerBudgetingType::Maximum)
    );
    assert_eq!(data.power_rail(), PowerBudgetingRail::Thermal);
    assert_eq!(decode!(&with(0x0004, &[0, 0xf3]), PowerBudgeting).data().milliwatts(), None);
    let data = decode!(&with(0x0004, &[0, 0x0013_0000]), PowerBudgeting).data();
    assert_eq!((data.milliwatts(), data.operating_condition()), (None, PowerBudgetingType::Reserved(6)));
    needs(bytes, 13);
}

#[test]
fn root_complex_link_declaration() {
    let dwords = [
        0x0402_0300,
        0,
        0, // port 4 of component 2, three links, a function
        0x0102_0001,
        0,
        0xfed1_9000,
        0x0000_0001, // to memory
        0x0203_0003,
        0,
        0xe01a_0006,
        0x0000_0002, // to a function: 6 bits of bus number
        0x0203_0000,
        0,
        0,
        0,
    ];
    let mut bytes = with(0x0005, &dwords);
    let links = decode!(&bytes, RootComplexLinkDeclaration);
    let element = links.element_self_description();
    assert_eq!(element.element_type(), RootComplexElementType::ConfigurationSpace);
    assert_eq!((element.number_of_link_entries(), element.component_id(), element.port_number()), (3, 2, 4));
    let entries: Vec<_> = links.entries().collect();
    assert_eq!(entries.iter().map(|entry| entry.offset).collect::<Vec<_>>(), [0x110, 0x120, 0x130]);
    assert_eq!(entries[0].description.target_port_number(), 1);
    assert_eq!(entries[0].address(), RootComplexLinkAddress::Memory(0x1_fed1_9000));
    assert!(entries[1].description.contains(RootComplexLinkDescription::LINK_TYPE));
    assert_eq!(entries[1].description.target_component_id(), 3);
    // 2_e01a_0006h: bits 25:20 are bus 1, bits 19:12 are a0h, and the rest is the base.
    assert_eq!(
        entries[1].address(),
        RootComplexLinkAddress::ConfigurationSpace { base: 0x2_e000_0000, bus_bits: 6, routing_id: 0x01a0 }
    );
    assert!(!entries[2].description.contains(RootComplexLinkDescription::LINK_VALID));
    bytes.truncate(0x12f);
    assert_eq!(decode!(&bytes, RootComplexLinkDeclaration).entries().count(), 1);
    needs(bytes, 8);
}

#[test]
fn root_complex_internal_link() {
    // 5 GT/s, x8, L0s and L1, 256 ns, 8 us, 2.5 and 5 GT/s; L1, extended synch; 2.5 GT/s, x4.
    let bytes = with(0x0006, &[0x000e_3c82 | 1 << 19, 0x0041_0082]);
    let link = decode!(&bytes, RootComplexInternalLink);
    let capabilities = link.capabilities();
    assert_eq!(capabilities.max_link_speed(), Some(LinkSpeed::Gt5));
    assert_eq!(capabilities.maximum_link_width(), LinkWidth(8));
    assert_eq!(capabilities.aspm_support(), Aspm::L0S | Aspm::L1);
    // Of each range the end: 64 ns doubled three times, 1 us doubled four times.
    assert_eq!(capabilities.l0s_exit_latency(), Some(Duration::from_nanos(512)));
    assert_eq!(capabilities.l1_exit_latency(), Some(Duration::from_micros(16)));
    let slow = RootComplexLinkCapabilities::from_bits_retain(7 << 12 | 7 << 15);
    assert_eq!((slow.l0s_exit_latency(), slow.l1_exit_latency()), (None, None));
    assert_eq!(capabilities.supported_link_speeds().bits(), 3);
    assert_eq!(link.control().aspm_control(), Aspm::L1);
    assert_eq!(link.status().current_link_speed(), Some(LinkSpeed::Gt2_5));
    assert_eq!(link.status().negotiated_link_width(), LinkWidth(4));
    needs(bytes, 12);
}

#[test]
fn root_complex_others() {
    let mut bytes = with(0x0007, &[0x8000_0001, 0x0021_2000]);
    let events = decode!(&bytes, EventCollectorAssociation);
    assert_eq!((events.version(), events.association_bitmap()), (1, 0x8000_0001));
    assert_eq!(events.associated_bus_numbers(), None, "since version 2");
    bytes[0x102] = 0x02;
    let buses = AssociatedBusNumbers { next_bus: 0x20, last_bus: 0x21 };
    assert_eq!(decode!(&bytes, EventCollectorAssociation).associated_bus_numbers(), Some(buses));
    needs(bytes, 8);

    let bytes = with(0x000a, &[0x1234_8086, 1, 1]);
    let block = decode!(&bytes, RootComplexRegisterBlock);
    assert_eq!((block.vendor_id(), block.device_id()), (0x8086, 0x1234));
    assert_eq!(block.capabilities(), RcrbCapabilities::CONFIGURATION_RRS_SOFTWARE_VISIBILITY);
    assert_eq!(block.control(), RcrbControl::CONFIGURATION_RRS_SOFTWARE_VISIBILITY_ENABLE);
    needs(bytes, 16);

    let bytes = with(0x000c, &[0xdead_beef]);
    assert_eq!(decode!(&bytes, ConfigurationAccessCorrelation).device_correlation(), 0xdead_beef);
    needs(bytes, 8);
}

#[test]
fn multicast() {
    // 64 groups, a window of 2^20 bytes, ECRC; 16 groups, on; from 4_c000_0000h, groups from bit 12 on;
    // overlay at 9000_0040h of 2^6 bytes.
    let bytes = with(0x0012, &[0x800f_943f, 0xc000_000c, 4, 1, 2, 3, 4, 5, 6, 0x9000_0046, 1]);
    let multicast = decode!(&bytes, Multicast);
    let capability = multicast.capability();
    assert_eq!((capability.max_group(), capability.window_size_requested()), (64, 20));
    assert!(capability.contains(MulticastCapability::ECRC_REGENERATION_SUPPORTED));
    assert!(multicast.control().contains(MulticastControl::ENABLE));
    assert_eq!(multicast.control().num_group(), 16);
    assert_eq!(multicast.base_address().base_address(), 0x4_c000_0000);
    assert_eq!(multicast.base_address().index_position(), 12);
    assert_eq!(multicast.receive(), 0x2_0000_0001);
    assert_eq!(multicast.block_all(), 0x4_0000_0003);
    assert_eq!(multicast.block_untranslated(), 0x6_0000_0005);
    let overlay = multicast.overlay().expect("two more dwords");
    assert_eq!((overlay.overlay_base_address(), overlay.overlay_size()), (0x1_9000_0040, 6));
    needs(bytes, 40);
}

#[test]
fn dynamic_power_allocation() {
    // Three substates, 10 ms, 1 W, 5 and 20 units; the last one takes the longer.
    let mut bytes = with(0x0016, &[0x1405_1102, 0x0000_0004, 0x0001_0102, 0x000a_1428]);
    let power = decode!(&bytes, DynamicPowerAllocation);
    assert_eq!(power.capability().substate_max(), 2);
    assert_eq!(power.capability().transition_latency_unit(), Some(Duration::from_millis(10)));
    assert_eq!(power.capability().power_allocation_scale_milliwatts(), 1_000);
    assert!(power.status().contains(DpaStatus::SUBSTATE_CONTROL_ENABLED));
    assert_eq!((power.status().substate_status(), power.control().substate_control()), (2, 1));
    assert_eq!(power.power_allocation_milliwatts().collect::<Vec<_>>(), [40_000, 20_000, 10_000]);
    assert_eq!(power.transition_latency(0), Some(Duration::from_millis(50)));
    assert_eq!(power.transition_latency(2), Some(Duration::from_millis(200)));
    assert_eq!(power.transition_latency(3), None);
    bytes.truncate(0x112);
    assert_eq!(decode!(&bytes, DynamicPowerAllocation).power_allocation_milliwatts().count(), 2);
    needs(bytes, 16);
    let bytes = with(0x0016, &[0x0000_3300]);
    assert_eq!(decode!(&bytes, DynamicPowerAllocation).transition_latency(0), None, "the reserved unit");
}

#[test]
fn secondary_pci_express() {
    let mut bytes = with(0x0019, &[0x0000_0601, 0x0000_8001, 0x7f2a_1435, 0x0000_0000]);
    let link = decode!(&bytes, SecondaryPciExpress);
    assert_eq!(
        link.link_control_3() & LinkControl3::PERFORM_EQUALIZATION,
        LinkControl3::PERFORM_EQUALIZATION
    );
    assert_eq!(link.link_control_3().enable_lower_skp_os_generation().highest(), Some(LinkSpeed::Gt5));
    assert_eq!(link.lane_error_status(), 0x8001);
    let lanes: Vec<_> = link.lane_equalization_control(2).collect();
    assert_eq!(lanes.len(), 2);
    assert_eq!(lanes[0].downstream_port_transmitter_preset(), 5);
    assert_eq!(lanes[0].downstream_port_receiver_preset_hint(), 3);
    assert_eq!(lanes[0].upstream_port_transmitter_preset(), 4);
    assert_eq!(lanes[0].upstream_port_receiver_preset_hint(), 1);
    assert_eq!(lanes[1].downstream_port_transmitter_preset(), 10);
    assert_eq!(lanes[1].upstream_port_receiver_preset_hint(), 7);
    assert_eq!(link.lane_equalization_control(255).count(), 32);
    bytes.truncate(0x10f);
    assert_eq!(decode!(&bytes, SecondaryPciExpress).lane_equalization_control(16).count(), 1);
    needs(bytes, 12);
}

#[test]
fn physical_layer_16_and_32() {
    let bytes = with(0x0026, &[0, 0, 0x1f, 1, 2, 4, 0, 0x0000_a754]);
    let link = decode!(&bytes, PhysicalLayer16);
    assert!(link.status().contains(
        PhysicalLayer16Status::EQUALIZATION_COMPLETE | PhysicalLayer16Status::LINK_EQUALIZATION_REQUEST
    ));
    assert_eq!((link.capabilities(), link.control(), link.local_data_parity_mismatch()), (0, 0, 1));
    assert_eq!(link.first_retimer_data_parity_mismatch(), 2);
    assert_eq!(link.second_retimer_data_parity_mismatch(), 4);
    let lanes: Vec<_> = link.lane_equalization(2).collect();
    assert_eq!(lanes[0].downstream_port_transmitter_preset(), 4);
    assert_eq!(lanes[0].upstream_port_transmitter_preset(), 5);
    assert_eq!((lanes[1].0, link.lane_equalization(200).count()), (0xa7, 32));
    needs(bytes, 32);

    // CXL was negotiated.
    let bytes = with(0x002a, &[0x0000_0701, 0x0000_0201, 0x0000_07af, 0x1e98_0012, 0x0300_0005, 0, 0, 0x54]);
    let link = decode!(&bytes, PhysicalLayer32);
    assert!(link.capabilities().contains(
        PhysicalLayer32Capabilities::EQUALIZATION_BYPASS_TO_HIGHEST_RATE_SUPPORTED
            | PhysicalLayer32Capabilities::MODIFIED_TS_USAGE_MODE_2_SUPPORTED
    ));
    assert_eq!(link.control().modified_ts_usage_mode_selected(), ModifiedTsUsageMode::AlternateProtocol);
    assert!(link.status().contains(
        PhysicalLayer32Status::MODIFIED_TS_RECEIVED | PhysicalLayer32Status::NO_EQUALIZATION_NEEDED_RECEIVED
    ));
    assert_eq!(
        link.status().received_enhanced_link_behavior_control(),
        EnhancedLinkBehavior::NoEqualizationNeeded
    );
    let data = link.received_modified_ts_data_1();
    assert_eq!(data.usage_mode(), ModifiedTsUsageMode::AlternateProtocol);
    assert_eq!((data.information_1(), data.vendor_id()), (2, 0x1e98));
    let data = link.received_modified_ts_data_2();
    assert_eq!(data.information_2(), 5);
    assert_eq!(data.alternate_protocol_negotiation_status(), AlternateProtocolNegotiation::Successful);
    assert_eq!(link.transmitted_modified_ts_data_2(), ModifiedTsData2::from_bits_retain(0));
    assert_eq!(link.lane_equalization(1).next().map(|lane| lane.0), Some(0x54));
    needs(bytes, 32);
}

#[test]
fn physical_layer_64_and_128() {
    let bytes = with(0x0031, &[1, 2, 0x0000_00af, 0x0000_0021]);
    let link = decode!(&bytes, PhysicalLayer64);
    assert_eq!((link.capabilities(), link.control()), (1, 2));
    assert_eq!(
        link.status() & !PhysicalLayer64Status::from_bits_retain(0x0f),
        PhysicalLayer64Status::TRANSMITTER_PRECODING_ON
            | PhysicalLayer64Status::NO_EQUALIZATION_NEEDED_RECEIVED
    );
    assert_eq!(link.lane_equalization(1).next().map(|lane| lane.0), Some(0x21));
    needs(bytes, 16);
    let bytes = with(0x0039, &[0x0003_0201, 0, 0x0000_0001, 0x0000_0043]);
    let link = decode!(&bytes, PhysicalLayer128);
    let capabilities = link.capabilities();
    assert_eq!(capabilities.supported_link_speeds_vector_2(), 1);
    assert_eq!(capabilities.lower_skp_os_generation_supported_speeds_vector_2(), 2);
    assert_eq!(capabilities.lower_skp_os_reception_supported_speeds_vector_2(), 3);
    assert_eq!(link.status(), PhysicalLayer64Status::EQUALIZATION_COMPLETE);
    assert_eq!(link.lane_equalization(1).next().map(|lane| lane.0), Some(0x43));
    needs(bytes, 16);
}

#[test]
fn protocol_multiplexing() {
    let mut bytes = with(0x001a, &[0x0000_0c02, 0x0300_0201, 0x0204_0001, 0x8086_1234, 0x10de_5678]);
    let pmux = decode!(&bytes, ProtocolMultiplexing);
    assert_eq!(pmux.capability().protocol_array_size(), 2);
    assert!(
        pmux.capability()
            .contains(PmuxCapability::SPEED_8_GT_SUPPORTED | PmuxCapability::SPEED_16_GT_SUPPORTED)
    );
    let control = pmux.control();
    assert_eq!((control.channel_0_assignment(), control.channel_1_assignment()), (1, 2));
    assert_eq!((control.channel_2_assignment(), control.channel_3_assignment()), (0, 3));
    assert_eq!(
        pmux.status(),
        PmuxStatus::CHANNEL_0_DISABLED_LINK_SPEED
            | PmuxStatus::CHANNEL_2_DISABLED_PROTOCOL_SPECIFIC
            | PmuxStatus::CHANNEL_3_DISABLED_LINK_WIDTH
    );
    let second = PmuxProtocol { protocol_id: 0x5678, authority_id: 0x10de };
    assert_eq!(pmux.protocols().last(), Some(second));
    bytes.truncate(0x117);
    assert_eq!(decode!(&bytes, ProtocolMultiplexing).protocols().count(), 1);
    needs(bytes, 16);
}

#[test]
fn small_ones() {
    let bytes = with(0x0011, &[1, 2, 3]);
    let mr_iov = decode!(&bytes, MrIov);
    assert_eq!((mr_iov.capabilities(), mr_iov.control(), mr_iov.status()), (1, 2, 3));
    needs(bytes, 16);

    let bytes = with(0x001c, &[0x0503_1002]);
    let requester = decode!(&bytes, LnRequester);
    assert_eq!(requester.capability() & LnrCapability::from_bits_retain(3), LnrCapability::LNR_128_SUPPORTED);
    assert_eq!(requester.capability().registration_max(), 16);
    assert!(requester.control().contains(LnrControl::LNR_ENABLE | LnrControl::LNR_CLS));
    assert_eq!(requester.control().registration_limit(), 5);
    needs(bytes, 8);

    let bytes = with(0x0020, &[0x0703_8001, 2, 0x0204_8002, 5, 0x4202_00ab, 0x8000_00cd]);
    let link = decode!(&bytes, MPcie);
    let capabilities = link.capabilities();
    assert!(
        capabilities.contains(MPcieCapabilities::HS_G1 | MPcieCapabilities::CONFIGURATION_SOFTWARE_SUPPORTED)
    );
    assert_eq!((capabilities.maximum_tx_lane_width(), capabilities.maximum_rx_lane_width()), (3, 7));
    assert_eq!((link.control().target_link_speed(), link.status().current_link_speed()), (2, 2));
    assert!(link.status().contains(MPcieStatus::CONFIGURATION_SOFTWARE_STATUS));
    assert_eq!((link.status().tx_lane_width(), link.status().rx_lane_width()), (4, 2));
    assert_eq!(link.lane_error_status(), 5);
    let address = link.phy_control_address();
    assert_eq!((address.lower_addr(), address.upper_addr(), address.phy_location()), (0xab, 2, 1));
    assert_eq!(link.phy_control_data().phy_register_data(), 0xcd);
    needs(bytes, 28);

    let bytes = with(0x0021, &[0x0003_0010, 0x0001_0002, 0x0058_0410]);
    let queue = decode!(&bytes, FrsQueueing);
    assert_eq!(
        (queue.capability().queue_max_depth(), queue.capability().interrupt_message_number()),
        (16, 3)
    );
    assert_eq!((queue.status().bits(), queue.control().bits()), (2, 1));
    assert_eq!(queue.message_queue().function_id(), 0x0410);
    assert_eq!((queue.message_queue().reason(), queue.message_queue().depth()), (FrsReason::VfEnabled, 5));
    needs(bytes, 16);

    let bytes = with(0x0025, &[0x8000_0065, 0x8000_0003]);
    let link = decode!(&bytes, DataLinkFeature);
    assert!(link.exchange_enabled() && link.remote_valid());
    assert_eq!(
        (link.capabilities().extended_vc_count(), link.capabilities().l0p_exit_latency()),
        (1, Some(Duration::from_micros(8)))
    );
    assert!(
        link.status().contains(DataLinkFeatures::SCALED_FLOW_CONTROL | DataLinkFeatures::IMMEDIATE_READINESS)
    );
    assert_eq!(link.capabilities().features(), 0x65);
    needs(bytes, 12);

    let bytes = with(0x0027, &[0x0003_0001, 0x050e_9c39, 0x0000_0000]);
    let margining = decode!(&bytes, LaneMargining);
    assert!(margining.port_status().contains(MarginingPortStatus::MARGINING_SOFTWARE_READY));
    let lane = margining.lanes(1).next().expect("lane 0");
    assert_eq!(lane.control.receiver_number(), MarginingReceiver::A);
    assert_eq!((lane.control.margin_type(), lane.control.margin_payload()), (MarginType::NoCommand, 0x9c));
    assert_eq!(lane.status.receiver_number(), MarginingReceiver::F);
    assert_eq!(lane.status.margin_type(), MarginType::Report);
    assert_eq!((lane.status.margin_payload(), margining.lanes(255).count()), (5, 32));
    needs(bytes, 8);

    let bytes = with(0x0028, &[0x8000_0108, 0x0007_0002, 1, 2, 3, 4, 5]);
    let tree = decode!(&bytes, HierarchyId);
    assert_eq!(tree.status().message_requester_id(), 0x0108);
    assert_eq!((tree.data().system_guid_authority_id(), tree.data().hierarchy_id()), (2, 7));
    assert_eq!([tree.guid_1(), tree.guid_2(), tree.guid_3(), tree.guid_4(), tree.guid_5()], [1, 2, 3, 4, 5]);
    needs(bytes, 32);

    let bytes = with(0x0029, &[0x0500_0ffd, 0x0000_0009, 0x0a00_0001]);
    let bay = decode!(&bytes, EnclosureManagement);
    assert!(bay.enabled() && bay.command_completed());
    assert!(!bay.capability().contains(NpemIndicators::RESET));
    assert!(bay.capability().contains(NpemIndicators::DISABLED));
    assert_eq!(bay.control() & NpemIndicators::LOCATE, NpemIndicators::LOCATE);
    assert_eq!((bay.capability().enclosure_specific(), bay.status().enclosure_specific()), (5, 10));
    needs(bytes, 16);

    let mut bytes = with(0x002b, &[0x0000_0102, 0x0000_0101, 0x1e98_0022, 0x0000_0005, 0x0000_0003]);
    let protocol = decode!(&bytes, AlternateProtocol);
    assert_eq!((protocol.capabilities().count(), protocol.control().index_select()), (2, 1));
    let data = protocol.data_1();
    assert_eq!((data.usage_information(), data.details(), data.vendor_id()), (2, 1, 0x1e98));
    assert_eq!(protocol.data_2().modified_ts_information_2(), 5);
    assert_eq!(protocol.selective_enable_mask(), Some(3));
    bytes[0x105] = 0;
    assert_eq!(decode!(&bytes, AlternateProtocol).selective_enable_mask(), None);
    needs(bytes, 20);

    let bytes = with(0x002c, &[0x0003_0001, 7, 0x100, 0x1234_5678]);
    let sfi = decode!(&bytes, SystemFirmwareIntermediary);
    assert_eq!(sfi.capability(), SfiCapability::SFI_OOB_PD_SUPPORTED);
    assert_eq!(sfi.control(), SfiControl::SFI_PD_STATE_MASK | SfiControl::SFI_DLL_STATE_MASK);
    assert_eq!((sfi.status(), sfi.cam_address(), sfi.cam_data()), (7, 0x100, 0x1234_5678));
    needs(bytes, 20);

    let bytes = with(0x002d, &[1, 2, 3, 4]);
    let shadow = decode!(&bytes, ShadowFunctions);
    assert_eq!((shadow.capability(), shadow.control(), shadow.instance(1)), (1, 2, Some(4)));
    needs(bytes, 12);

    let bytes = with(0x002e, &[0x0000_0555, 2, 0x8000_0005, 0, 0x0001_0001]);
    let mailbox = decode!(&bytes, DataObjectExchange);
    assert_eq!(mailbox.capabilities().interrupt_message_number(), 0x2aa);
    assert_eq!(mailbox.control(), DoeControl::INTERRUPT_ENABLE);
    assert_eq!(mailbox.status(), DoeStatus::BUSY | DoeStatus::ERROR | DoeStatus::DATA_OBJECT_READY);
    assert_eq!((mailbox.write_data_mailbox(), mailbox.read_data_mailbox()), (0, 0x0001_0001));
    needs(bytes, 24);

    let bytes = with(0x002f, &[0x0000_0cb9, 0x0000_00f1, 0x0000_001b]);
    let device = decode!(&bytes, Device3);
    assert!(device.capabilities().contains(
        DeviceCapabilities3::DMWR_REQUEST_ROUTING_SUPPORTED
            | DeviceCapabilities3::UIO_MEM_RD_WR_REQUESTER_SUPPORTED
    ));
    assert_eq!(device.capabilities().port_l0p_exit_latency(), Some(Duration::from_micros(8)));
    assert_eq!(device.capabilities().retimer_l0p_exit_latency(), Some(Duration::from_micros(2)));
    assert_eq!(device.control().target_link_width(), TargetLinkWidth::Dynamic);
    let width = |code: u32| DeviceControl3::from_bits_retain(code << 4).target_link_width();
    assert_eq!((width(4), width(5)), (TargetLinkWidth::Fixed(LinkWidth(16)), TargetLinkWidth::Reserved(5)));
    assert!(device.control().contains(DeviceControl3::UIO_MEM_RD_WR_REQUESTER_ENABLE));
    assert_eq!(device.status().initial_link_width(), Some(LinkWidth(8)));
    assert!(device.status().contains(DeviceStatus3::SEGMENT_CAPTURED | DeviceStatus3::REMOTE_L0P_SUPPORTED));
    let bytes_5 = with(0x002f, &[0, 0, 5]);
    assert_eq!(decode!(&bytes_5, Device3).status().initial_link_width(), None);
    needs(bytes, 16);
}

#[test]
fn integrity_and_data_encryption() {
    let dwords = [
        0x0101_207f, // link and selective, 2 TCs, 2 streams, all but configuration requests
        0x0000_0004,
        0x0508_0501,
        0x8000_0002, // TC1, stream 5, PCRC, partial header 1; secure, a failure
        0x0000_00e4,
        0x0000_0000, // off; aggregation 1, 2 and 3
        0x0000_0002,
        0x07c0_0001,
        0x0000_0002,
        0x00ff_ff00,
        0x0201_0001, // two blocks; default, TEE, stream 7
        0xfff0_0001 | 0x100 << 8,
        0x0000_0010,
        0x0000_000f, // 16 MiB of it
        0x0000_0000,
        0,
        0,
        0x0000_0001,
        0x0100_0000,
        0x0000_0000,
        0x0000_0100,
        0x0000_0200, // one block
        0x0020_0101,
        0,
        0,
    ];
    let mut bytes = with(0x0030, &dwords);
    let ide = decode!(&bytes, IntegrityAndDataEncryption);
    let capability = ide.capability();
    assert!(!capability.contains(IdeCapability::SELECTIVE_IDE_FOR_CONFIGURATION_REQUESTS_SUPPORTED));
    assert_eq!(capability.number_of_tcs_supported_for_link_ide(), 2);
    assert_eq!(capability.number_of_selective_ide_streams_supported(), 2);
    assert_eq!((capability.supported_algorithms(), ide.control().bits()), (IdeAlgorithm::AesGcm256, 4));

    let links: Vec<_> = ide.link_streams().collect();
    assert_eq!(links.iter().map(|stream| stream.offset).collect::<Vec<_>>(), [0x10c, 0x114]);
    let control = links[0].control;
    assert!(control.contains(IdeStreamControl::ENABLE | IdeStreamControl::PCRC_ENABLE));
    assert_eq!((control.stream_id(), control.tc()), (5, 1));
    assert_eq!(control.partial_header_encryption_mode(), PartialHeaderEncryption::AddressBits { last: 17 });
    assert_eq!(control.selected_algorithm(), IdeAlgorithm::AesGcm256);
    assert_eq!(links[0].status.state(), IdeStreamState::Secure);
    assert!(links[0].status.contains(IdeStreamStatus::RECEIVED_INTEGRITY_CHECK_FAIL_MESSAGE));
    let control = links[1].control;
    assert_eq!(control.tx_aggregation_mode_npr(), IdeAggregation::UpTo2);
    assert_eq!(control.tx_aggregation_mode_pr(), IdeAggregation::UpTo4);
    assert_eq!(control.tx_aggregation_mode_cpl(), IdeAggregation::UpTo8);
    assert_eq!(links[1].status.state(), IdeStreamState::Insecure);

    let streams: Vec<_> = ide.selective_streams().collect();
    assert_eq!(streams.iter().map(|stream| stream.offset()).collect::<Vec<_>>(), [0x11c, 0x148]);
    assert_eq!(streams[0].capability().number_of_address_association_register_blocks(), 2);
    assert!(
        streams[0]
            .control()
            .contains(IdeStreamControl::DEFAULT_STREAM | IdeStreamControl::TEE_LIMITED_STREAM)
    );
    assert_eq!((streams[0].control().stream_id(), streams[0].status().state()), (7, IdeStreamState::Secure));
    let rids = IdeRidAssociation { valid: true, rid_base: 0x0100, rid_limit: 0xffff, segment_base: 2 };
    assert_eq!(streams[0].rid_association(), rids);
    let blocks: Vec<_> = streams[0].address_associations().collect();
    assert_eq!(blocks.len(), 2);
    assert_eq!(
        blocks[0],
        IdeAddressAssociation { valid: true, memory_base: 0xf_1000_0000, memory_limit: 0x10_ffff_ffff }
    );
    assert!(!blocks[1].valid);
    assert_eq!((streams[1].control().stream_id(), streams[1].rid_association().rid_base), (1, 2));
    assert!(!streams[1].rid_association().valid);
    let block = streams[1].address_associations().next().expect("one");
    assert_eq!((block.memory_base, block.memory_limit), (0x10_0000, 0x2f_ffff));

    // Cut off within the first stream's second block, and within its own registers.
    bytes.truncate(0x100 + 0x1c + 20 + 12 + 4);
    let ide = decode!(&bytes, IntegrityAndDataEncryption);
    let streams: Vec<_> = ide.selective_streams().collect();
    assert_eq!((streams.len(), streams[0].address_associations().count()), (1, 1));
    bytes.truncate(0x100 + 0x1c + 19);
    let ide = decode!(&bytes, IntegrityAndDataEncryption);
    assert_eq!((ide.link_streams().count(), ide.selective_streams().count()), (2, 0));
    needs(bytes, 12);
    // Neither kind.
    let bytes = with(0x0030, &[0xffff_fffc]);
    let ide = decode!(&bytes, IntegrityAndDataEncryption);
    assert_eq!((ide.link_streams().count(), ide.selective_streams().count()), (0, 0));
}

#[test]
fn flits() {
    let mut dwords = [0; 14];
    dwords[0] = 0xabcd_e357; // valid; width 3, offset 5, 3 more; more entries, unrecognized, FEC
    dwords[1] = 0x4433_2211;
    dwords[2] = 0x1703_0105; // on, event 1, trigger 10h; width 3, 17h errors
    dwords[3] = 0x0000_0009; // on, granularity 2
    dwords[4] = 1_000_000;
    dwords[5] = 0x0000_0007;
    dwords[6] = 0x0002_0001;
    dwords[13] = 0x0010_000f;
    let bytes = with(0x0032, &dwords);
    let log = decode!(&bytes, FlitLogging);
    let error = log.error_log_1();
    assert!(error.contains(
        FlitErrorLog1::VALID | FlitErrorLog1::MORE_ENTRIES_VALID | FlitErrorLog1::FEC_UNCORRECTABLE_ERROR
    ));
    assert_eq!(error.link_width(), Some(LinkWidth(8)));
    assert_eq!((error.flit_offset(), error.consecutive_errors()), (5, 3));
    assert_eq!((error.syndrome_parity_0(), error.syndrome_check_0()), (0xcd, 0xab));
    let error = log.error_log_2();
    assert_eq!((error.syndrome_parity_1(), error.syndrome_check_1()), (0x11, 0x22));
    assert_eq!((error.syndrome_parity_2(), error.syndrome_check_2()), (0x33, 0x44));
    assert!(log.counter_control().contains(FlitErrorCounterControl::ENABLE));
    assert_eq!(log.counter_control().events_to_count(), 1);
    assert_eq!(log.counter_control().trigger_event_on_error_count(), 0x10);
    assert_eq!(
        (log.counter_status().link_width(), log.counter_status().flit_error_counter()),
        (Some(LinkWidth(8)), 0x17)
    );
    assert_eq!((log.measurement_control().granularity(), log.flit_counter()), (2, 1_000_000));
    assert_eq!(log.invalid_flit_counter(), 7);
    let lanes = log.lane_correctable_counters();
    assert_eq!((lanes[0], lanes[1], lanes[14], lanes[15]), (1, 2, 15, 16));
    needs(bytes, 60);

    let bytes = with(0x0033, &[1, 2, 3]);
    let flits = decode!(&bytes, FlitPerformance);
    assert_eq!((flits.capability(), flits.control(), flits.status()), (1, 2, 3));
    needs(bytes, 16);

    // 3 errors, 5 apart, only payload, at 64 GT/s; consecutive 2, type 1, offset 10, magnitude 80h; done;
    // ordered sets: 1 error, 4 apart, SKP in L0; bytes 1, lanes ffffh.
    let dwords =
        [0, 0x40a3_0803, 0x0008_014a, 0x0000_0006, 0x0208_0409, 0xffff_0001, 0x0000_0080, 0x0c00_0003];
    let bytes = with(0x0034, &dwords);
    let injection = decode!(&bytes, FlitErrorInjection);
    let control = injection.control_1();
    assert!(control.contains(
        FlitErrorInjectionControl1::ENABLE | FlitErrorInjectionControl1::INJECT_ON_TRANSMITTED_FLITS
    ));
    assert!(control.contains(FlitErrorInjectionControl1::SPEED_64_GT));
    assert_eq!(
        (control.number_of_errors(), control.spacing(), control.flit_type()),
        (3, 5, FlitType::Payload)
    );
    let control = injection.control_2();
    assert_eq!((control.consecutive_error_injection(), control.error_type()), (2, 1));
    assert_eq!((control.error_offset(), control.error_magnitude()), (10, 0x80));
    assert_eq!(injection.status().tx(), FlitInjectionStatus::Completed);
    assert_eq!(injection.status().rx(), FlitInjectionStatus::InProgress);
    let control = injection.ordered_set_control_1();
    assert!(control.contains(OrderedSetErrorInjectionControl1::SKP | OrderedSetErrorInjectionControl1::L0));
    assert_eq!((control.number_of_errors(), control.spacing()), (1, 4));
    assert_eq!(injection.ordered_set_control_2().error_injection_bytes(), 1);
    assert_eq!(injection.ordered_set_control_2().lane_number_for_error_injection(), 0xffff);
    assert_eq!(injection.ordered_set_tx_status().skp(), FlitInjectionStatus::Completed);
    assert_eq!(injection.ordered_set_rx_status().ts0(), FlitInjectionStatus::Error);
    assert_eq!(injection.ordered_set_rx_status().equalization_phase_3(), FlitInjectionStatus::Error);
    needs(bytes, 36);
}

#[test]
fn the_newest() {
    let mut bytes = with(0x0035, &[0x0000_0001, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    let channels = decode!(&bytes, StreamlinedVirtualChannel);
    assert_eq!(channels.port_capability_1().extended_vc_count(), 1);
    assert_eq!((channels.port_capability_2(), channels.port_control(), channels.port_status()), (2, 3, 4));
    let resources: Vec<_> = channels.resources().collect();
    assert_eq!(resources.len(), 2);
    assert_eq!(resources[1], SvcResource { capability: 8, control: 9, status: 10 });
    bytes.truncate(0x12b);
    assert_eq!(decode!(&bytes, StreamlinedVirtualChannel).resources().count(), 1);
    needs(bytes, 20);

    let mut bytes = with(0x0036, &[24, 0x0002_0102, 1, 0x0000_ff05, 0]);
    let locator = decode!(&bytes, MmioRegisterBlockLocator);
    let blocks: Vec<_> = locator.blocks().collect();
    assert_eq!(blocks.len(), 2);
    assert_eq!(
        blocks[0],
        MmioRegisterBlock {
            bar_index: 2,
            id: MmioRegisterBlockId::MmioCapabilities,
            block_offset: 0x1_0002_0000
        }
    );
    assert_eq!((blocks[1].bar_index, blocks[1].id), (5, MmioRegisterBlockId::DesignatedVendorSpecific));
    bytes.truncate(0x117);
    assert_eq!(decode!(&bytes, MmioRegisterBlockLocator).blocks().count(), 1);
    needs(bytes, 8);
    for length in [0, 7, 8, 15] {
        assert_eq!(decode!(&with(0x0036, &[length]), MmioRegisterBlockLocator).blocks().count(), 0);
    }

    let bytes = with(0x0037, &[1, 2, 3, 4]);
    let flit = decode!(&bytes, NopFlit);
    assert_eq!((flit.capabilities(), flit.control_1(), flit.control_2(), flit.status()), (1, 2, 3, 4));
    needs(bytes, 20);

    let bytes = with(0x0038, &[1, 0x0500_0100, 0x0002_0010]);
    let siov = decode!(&bytes, ScalableIoVirtualization);
    assert_eq!((siov.capabilities(), siov.total_sdis(), siov.status()), (1, 256, 5));
    assert_eq!((siov.first_sdi_offset(), siov.sdi_stride()), (16, 2));
    needs(bytes, 16);

    let mut bytes = with(0x003a, &[1, 2]);
    let captured = decode!(&bytes, CapturedData);
    assert_eq!((captured.first_dword(), captured.dword(0), captured.dword(1)), (1, Some(1), Some(2)));
    bytes.truncate(0x10b);
    assert_eq!(decode!(&bytes, CapturedData).dword(1), None);
    needs(bytes, 8);
}
