//! PCI Express, from bytes written by hand.

#[path = "common/build.rs"]
mod build;

use build::{endpoint, put, view};
use pcicfg::capability::{
    Aspm, CrosslinkResolution, DeviceCapabilities2, DeviceControl, DevicePortType,
    DownstreamComponentPresence, DrsSignaling, EmergencyPowerReduction, Indicator, LinkCapabilities2,
    LinkControl, LinkSpeed, LinkStatus2, LinkWidth, LnSystemCls, ObffEnable, PciExpress, RootControl,
    SlotCapabilities2, SlotControl, SlotStatus,
};
use pcicfg::{ConfigSpace, capability::RootCapabilities};
use std::time::Duration;

fn at(offset: u8, registers: &[u8]) -> Vec<u8> {
    let mut bytes = endpoint(256, offset);
    put(&mut bytes, offset.into(), registers);
    bytes
}

fn express(bytes: &[u8]) -> PciExpress<'_> {
    ConfigSpace::new(bytes).expect("256 bytes").pci_express().expect("at the pointer")
}

#[rustfmt::skip]
const ROOT_PORT: [u8; 0x3c] = [
    0x10, 0x00, 0x42, 0x03, // version 2, root port, slot, message 1
    0x01, 0x80, 0x00, 0x00, // MPS 256, role-based errors
    0x2f, 0x20, 0x10, 0x00, // all four errors, MPS 256, MRRS 512; aux power
    0x43, 0x48, 0x31, 0x05, // 8 GT/s x4, L1, 1 us, 4 us, DLLLA reporting, port 5
    0x42, 0x00, 0x41, 0x30, // L1, common clock; 2.5 GT/s x4, slot clock, DLLLA
    0xe2, 0x25, 0x18, 0x00, // power controller, surprise, hot-plug, 75 W, slot 3
    0xe8, 0x11, 0x40, 0x01, // PDCE, HPIE, lights off/on, DLLSCE; present, DLLSC
    0x18, 0x00, 0x01, 0x00, // PME interrupt, RRS visibility; capable of it
    0x00, 0x03, 0x01, 0x00, // PME of 03:00.0
    0x33, 0x08, 0x00, 0x00, // ranges A and B, disable, ARI, LTR
    0x26, 0x44, 0x00, 0x00, // 65 to 210 ms, ARI, LTR, OBFF by message B
    0x0e, 0x00, 0x00, 0x80, // 2.5, 5 and 8 GT/s, DRS
    0x03, 0x00, 0x1f, 0x50, // target 8 GT/s; equalized, link up, DRS received
    0x01, 0x00, 0x00, 0x00, // in-band presence detect can be disabled
    0x00, 0x00, 0x00, 0x00,
];

#[test]
fn a_root_port_has_every_register() {
    let bytes = at(0x40, &ROOT_PORT);
    let port = express(&bytes);
    assert_eq!(port.offset(), 0x40);
    assert_eq!(port.capabilities().version(), 2);
    assert_eq!(port.capabilities().interrupt_message_number(), 1);
    assert_eq!(port.device_port_type(), DevicePortType::RootPort);
    assert!(port.slot_implemented());

    assert_eq!(port.device_capabilities().max_payload_size_supported(), Some(256));
    assert_eq!(port.device_control().max_payload_size(), Some(256));
    assert_eq!(port.device_control().max_read_request_size(), Some(512));
    assert!(!port.transactions_pending());
    assert!(!port.function_level_reset_capable());
    assert_eq!(port.initiate_function_level_reset(), None);

    let link = port.link_capabilities().expect("a root port has a link");
    assert_eq!(link.max_link_speed(), Some(LinkSpeed::Gt8));
    assert_eq!(link.maximum_link_width(), LinkWidth(4));
    assert_eq!(link.aspm_support(), Aspm::L1);
    assert_eq!(link.l0s_exit_latency(), Some(Duration::from_nanos(1024)));
    assert_eq!(link.l1_exit_latency(), Some(Duration::from_micros(4)));
    assert_eq!(link.port_number(), 5);
    let control = port.link_control().expect("a root port has a link");
    assert_eq!(control.aspm_control(), Aspm::L1);
    assert_eq!(control.with_aspm_control(Aspm::empty()), LinkControl::COMMON_CLOCK_CONFIGURATION);
    assert_eq!(control.drs_signaling_control(), DrsSignaling::NotReported);
    let status = port.link_status().expect("a root port has a link");
    assert_eq!(status.current_link_speed(), Some(LinkSpeed::Gt2_5));
    assert_eq!(status.negotiated_link_width().to_string(), "x4");
    assert!(port.data_link_layer_link_active_reporting_capable());
    assert_eq!(port.data_link_layer_link_active(), Some(true));

    assert!(port.hot_plug_capable());
    let slot = port.slot_capabilities().expect("slot implemented");
    assert_eq!(slot.slot_power_limit(), 75_000);
    assert_eq!(slot.physical_slot_number(), 3);
    let control = port.slot_control().expect("slot implemented");
    assert_eq!(control.attention_indicator(), Indicator::Off);
    assert_eq!(control.power_indicator(), Indicator::On);
    assert_eq!(
        control & SlotControl::NOTIFICATION_ENABLES,
        SlotControl::PRESENCE_DETECT_CHANGED_ENABLE
            | SlotControl::HOT_PLUG_INTERRUPT_ENABLE
            | SlotControl::DATA_LINK_LAYER_STATE_CHANGED_ENABLE
    );
    // What is written while a reset takes the link down: the lights stay as they are.
    assert_eq!(control.difference(SlotControl::NOTIFICATION_ENABLES).bits(), 0x01c0);
    assert_eq!(port.slot_power_on(), Some(true));
    assert_eq!(
        port.slot_status(),
        Some(SlotStatus::PRESENCE_DETECT_STATE | SlotStatus::DATA_LINK_LAYER_STATE_CHANGED)
    );

    assert_eq!(
        port.root_control(),
        Some(RootControl::PME_INTERRUPT_ENABLE | RootControl::RRS_SOFTWARE_VISIBILITY_ENABLE)
    );
    assert_eq!(port.root_capabilities(), Some(RootCapabilities::RRS_SOFTWARE_VISIBILITY_CAPABLE));
    assert!(port.rrs_software_visibility_enabled());
    assert_eq!(port.root_status().map(|status| status.pme_requester_id()), Some(0x0300));

    let control = port.device_control_2().expect("version 2");
    let timeout = control.completion_timeout().expect("code 6");
    assert_eq!(*timeout.start(), Duration::from_millis(65));
    assert_eq!(*timeout.end(), Duration::from_millis(210));
    assert_eq!(control.obff_enable(), ObffEnable::MessageB);
    assert_eq!(port.device_capabilities_2().map(|two| two.bits()), Some(0x833));
    assert_eq!(port.device_status_2(), Some(0));

    let link = port.link_capabilities_2().expect("version 2");
    assert!(link.supports(LinkSpeed::Gt8) && !link.supports(LinkSpeed::Gt16));
    assert_eq!(link.max_link_speed(), Some(LinkSpeed::Gt8));
    let speeds = link.supported_link_speeds();
    assert_eq!(speeds.iter().collect::<Vec<_>>(), [LinkSpeed::Gt2_5, LinkSpeed::Gt5, LinkSpeed::Gt8]);
    // Bits 15 to 9 and 22 to 16.
    let skp = LinkCapabilities2::from_bits_retain(0x0040_0200);
    assert_eq!(skp.lower_skp_os_generation_supported().to_string(), "2.5 GT/s");
    assert_eq!(skp.lower_skp_os_reception_supported().highest(), Some(LinkSpeed::Gt128));
    assert!(skp.supported_link_speeds().is_empty());
    assert_eq!(skp.supported_link_speeds().to_string(), "none");
    assert!(link.contains(LinkCapabilities2::DRS_SUPPORTED));
    let control = port.link_control_2().expect("version 2");
    assert_eq!(control.target_link_speed(), Some(LinkSpeed::Gt8));
    assert_eq!(control.with_target_link_speed(LinkSpeed::Gt2_5).bits(), 0x0001);
    let status = port.link_status_2().expect("version 2");
    assert_eq!(
        status.downstream_component_presence(),
        DownstreamComponentPresence::LinkUpPresentAndDrsReceived
    );
    for (code, resolution) in [
        CrosslinkResolution::NotSupported,
        CrosslinkResolution::UpstreamPort,
        CrosslinkResolution::DownstreamPort,
        CrosslinkResolution::NotCompleted,
    ]
    .into_iter()
    .enumerate()
    {
        let status = LinkStatus2::from_bits_retain(0xfc01 | (code as u16) << 8);
        assert_eq!(status.crosslink_resolution(), resolution);
    }
    assert_eq!(
        port.slot_capabilities_2(),
        Some(SlotCapabilities2::IN_BAND_PRESENCE_DETECT_DISABLE_SUPPORTED)
    );
    assert_eq!((port.slot_control_2(), port.slot_status_2()), (Some(0), Some(0)));
}

#[test]
fn encodings_of_device_capabilities_2() {
    let two = |bits| DeviceCapabilities2::from_bits_retain(bits);
    for (code, cls) in [
        (0, LnSystemCls::NotSupported),
        (1, LnSystemCls::Bytes64),
        (2, LnSystemCls::Bytes128),
        (3, LnSystemCls::Reserved),
    ] {
        assert_eq!(two(0xffff_3fff | code << 14).ln_system_cls(), cls);
    }
    for (code, reduction) in [
        (0, EmergencyPowerReduction::NotSupported),
        (1, EmergencyPowerReduction::DeviceSpecific),
        (2, EmergencyPowerReduction::FormFactorOrDeviceSpecific),
        (3, EmergencyPowerReduction::Reserved),
    ] {
        assert_eq!(two(0xfcff_ffff | code << 24).emergency_power_reduction_supported(), reduction);
    }
}

/// Which of link, slot, root, second set, second link, second slot a function has.
fn registers(version: u8, device_type: u8, slot: bool) -> [bool; 6] {
    let mut registers = ROOT_PORT;
    registers[2] = device_type << 4 | version;
    registers[3] = u8::from(slot);
    let bytes = at(0x40, &registers);
    let port = express(&bytes);
    let has = [
        port.link_capabilities().is_some(),
        port.slot_capabilities().is_some(),
        port.root_control().is_some(),
        port.device_capabilities_2().is_some(),
        port.link_capabilities_2().is_some(),
        port.slot_capabilities_2().is_some(),
    ];
    assert_eq!(has[0], port.link_control().is_some() && port.link_status().is_some());
    assert_eq!(has[1], port.slot_control().is_some() && port.slot_status().is_some());
    assert_eq!(has[2], port.root_capabilities().is_some() && port.root_status().is_some());
    assert_eq!(has[3], port.device_control_2().is_some() && port.device_status_2().is_some());
    assert_eq!(has[4], port.link_control_2().is_some() && port.link_status_2().is_some());
    assert_eq!(has[5], port.slot_control_2().is_some() && port.slot_status_2().is_some());
    has
}

#[test]
fn which_registers_exist_follows_from_version_type_and_slot() {
    let (yes, no) = (true, false);
    assert_eq!(registers(1, 0x0, no), [yes, no, no, no, no, no], "endpoint, version 1");
    assert_eq!(registers(2, 0x0, no), [yes, no, no, yes, yes, no], "endpoint");
    assert_eq!(registers(2, 0x1, yes), [yes, no, no, yes, yes, no], "an endpoint has no slot");
    assert_eq!(registers(2, 0x4, no), [yes, no, yes, yes, yes, no], "root port without a slot");
    assert_eq!(registers(1, 0x4, yes), [yes, yes, yes, no, no, no], "root port, version 1");
    assert_eq!(registers(2, 0x5, yes), [yes, no, no, yes, yes, no], "an upstream port has no slot");
    assert_eq!(registers(2, 0x6, yes), [yes, yes, no, yes, yes, yes], "downstream port");
    assert_eq!(registers(2, 0x7, yes), [yes, no, no, yes, yes, no], "bridge to PCI");
    assert_eq!(registers(2, 0x8, yes), [yes, yes, no, yes, yes, yes], "bridge from PCI");
    assert_eq!(registers(2, 0x9, yes), [no, no, no, yes, no, no], "integrated endpoint");
    assert_eq!(registers(2, 0xa, yes), [no, no, yes, yes, no, no], "event collector");
    assert_eq!(registers(2, 0xf, yes), [no, no, no, yes, no, no], "a type without a meaning");
}

#[test]
fn an_endpoint_that_can_be_reset() {
    #[rustfmt::skip]
    let bytes = at(0x60, &[
        0x10, 0x00, 0x02, 0x00,
        0xc2, 0x8f, 0x00, 0x10, // FLR, role-based errors, both latencies unlimited, MPS 512
        0x10, 0x29, 0x20, 0x00, // relaxed ordering, extended tags, no snoop, MRRS 512; pending
    ]);
    let function = express(&bytes);
    assert_eq!(function.device_port_type(), DevicePortType::Endpoint);
    assert!(function.function_level_reset_capable() && function.transactions_pending());
    assert_eq!(function.initiate_function_level_reset().map(|control| control.bits()), Some(0xa910));
    assert!(!function.device_control().contains(DeviceControl::INITIATE_FUNCTION_LEVEL_RESET));
    let capabilities = function.device_capabilities();
    assert_eq!(capabilities.max_payload_size_supported(), Some(512));
    assert_eq!(capabilities.endpoint_l0s_acceptable_latency(), None);
    assert_eq!(capabilities.endpoint_l1_acceptable_latency(), None);
    // A link without the reporting bit says nothing about being up.
    assert_eq!(function.data_link_layer_link_active(), None);
    assert!(!function.hot_plug_capable());
    assert_eq!(function.slot_power_on(), None);
}

#[test]
fn a_slot_whose_power_is_off() {
    let mut registers = ROOT_PORT;
    registers[0x19] |= 0x04; // Power Controller Control
    registers[0x13] = 0x10; // the link is down
    let bytes = at(0x40, &registers);
    assert_eq!(express(&bytes).slot_power_on(), Some(false));
    assert_eq!(express(&bytes).data_link_layer_link_active(), Some(false));
}

#[test]
fn slot_power_limits() {
    for (value, scale, milliwatts) in [
        (75, 0, 75_000),
        (0xef, 0, 239_000),
        (0xf0, 0, 250_000),
        (0xf2, 0, 300_000),
        (0xfe, 0, 600_000),
        (250, 1, 25_000),
        (0xf0, 2, 2_400),
        (1, 3, 1),
    ] {
        let mut registers = ROOT_PORT;
        let dword: u32 = value << 7 | scale << 15;
        registers[0x14..0x18].copy_from_slice(&dword.to_le_bytes());
        let bytes = at(0x40, &registers);
        let slot = express(&bytes).slot_capabilities().expect("slot implemented");
        assert_eq!(slot.slot_power_limit(), milliwatts);
    }
}

#[test]
fn reserved_speeds_and_widths() {
    let mut registers = ROOT_PORT;
    registers[0x12..0x14].copy_from_slice(&[0x58, 0x00]); // speed code 8, width 5
    registers[0x2c..0x30].copy_from_slice(&[0x00; 4]);
    registers[0x30] = 0x0f;
    let bytes = at(0x40, &registers);
    let port = express(&bytes);
    let status = port.link_status().expect("a root port has a link");
    assert_eq!(status.current_link_speed(), None);
    assert!(!status.negotiated_link_width().is_defined());
    assert_eq!(port.link_capabilities_2().and_then(|link| link.max_link_speed()), None);
    assert_eq!(port.link_control_2().and_then(|link| link.target_link_speed()), None);
    assert_eq!(LinkSpeed::Gt2_5.to_string(), "2.5 GT/s");
    assert_eq!(LinkSpeed::Gt64.megatransfers_per_second(), 64_000);
}

#[test]
fn a_capability_that_the_end_cuts_off() {
    // At F0h there are sixteen bytes: up to Link Capabilities.
    let bytes = at(0xf0, &ROOT_PORT[..16]);
    let port = express(&bytes);
    assert!(port.link_capabilities().is_some());
    assert_eq!(port.link_control(), None);
    assert_eq!(port.slot_capabilities(), None);
    assert_eq!(port.device_control_2(), None);
    assert_eq!(port.data_link_layer_link_active(), None);
    // At F8h not even Device Status.
    let bytes = at(0xf8, &ROOT_PORT[..8]);
    assert_eq!(view(&bytes).pci_express(), None);
}
