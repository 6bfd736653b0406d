//! The views of the extended capability list, from bytes written by hand.

#[path = "common/build.rs"]
mod build;

use build::{endpoint, put, view};
use pcicfg::Truncated;
use pcicfg::bar::Bar;
use pcicfg::extended::{
    AcsCapability, AcsControl, AdvancedErrorControl, ArbitrationTable, AriCapability, AtsCapability,
    AtsControl, ClockGranularity, CorrectableErrors, CxlPortControl, DpcCapability, DpcControl, DpcStatus,
    DpcTriggerEnable, DpcTriggerReason, ErrorSource, ExtendedCapability, ExtendedCapabilityEntry,
    L1PmSubstatesCapabilities, L1PmSubstatesControl1, MaxLatency, MemoryTargetAccess, PageRequestControl,
    PageRequestStatus, PasidCapability, PasidControl, PtmCapability, PtmControl, ReadinessTime,
    RootErrorCommand, RootErrorStatus, RootPortPioErrors, SrIovCapabilities, SrIovControl,
    SteeringTableLocation, SteeringTagMode, TphCapability, TphRequesterEnable, UncorrectableErrors,
    VcResourceControl, VcResourceStatus, has_intel_acs_layout,
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

/// Makes the function a PCI Express one of version 2 with this type and Device Capabilities 2.
fn express(bytes: &mut [u8], device_type: u8, capabilities_2: u32) {
    put(bytes, 0x34, &[0x40]);
    put(bytes, 0x40, &[0x10, 0x00, device_type << 4 | 2, 0x00]);
    put(bytes, 0x64, &capabilities_2.to_le_bytes());
}

const ERRORS: [u32; 17] = [
    0x0000_4020, // a completion timeout, and the link went away
    0x0040_0000, // internal errors are masked
    0x0046_2030, // usual severity
    0x0000_2001, // advisory, receiver
    0x0000_2000, // advisory is masked
    0x0000_10ae, // first error 14; ECRC could be made and checked, and is not
    0x4a00_0001,
    0x0000_000f,
    0xdead_beef,
    0x0000_0000, // header log
    0x0000_0007, // all three messages interrupt
    0x1000_0054, // message 2; fatal received, first fatal, one ERR_FATAL/NONFATAL
    0x0300_0210, // ERR_FATAL from 03:00.0, ERR_COR from 02:02.0
    0x9100_0001,
    0x9100_0002,
    0x9100_0003,
    0x9100_0004, // TLP prefix log
];

#[test]
fn advanced_error_reporting() {
    let mut bytes = with(0x0001, &ERRORS);
    let aer = decode!(&bytes, AdvancedErrorReporting);
    assert_eq!(
        aer.uncorrectable_error_status(),
        UncorrectableErrors::COMPLETION_TIMEOUT | UncorrectableErrors::SURPRISE_DOWN_ERROR
    );
    assert_eq!(aer.uncorrectable_error_mask(), UncorrectableErrors::UNCORRECTABLE_INTERNAL_ERROR);
    assert!(aer.uncorrectable_error_severity().contains(UncorrectableErrors::MALFORMED_TLP));
    assert_eq!(
        aer.correctable_error_status(),
        CorrectableErrors::ADVISORY_NON_FATAL_ERROR | CorrectableErrors::RECEIVER_ERROR
    );
    assert_eq!(aer.correctable_error_mask(), CorrectableErrors::ADVISORY_NON_FATAL_ERROR);
    let control = aer.capabilities_and_control();
    assert_eq!((control.first_error_pointer(), control.logged_tlp_size()), (14, 0));
    // In flit mode: 14 dwords were logged.
    let flit = AdvancedErrorControl::from_bits_retain(14 << 19 | 1 << 18);
    assert!(flit.contains(AdvancedErrorControl::TLP_LOGGED_IN_FLIT_MODE));
    assert_eq!(flit.logged_tlp_size(), 14);
    assert!(
        control.contains(
            AdvancedErrorControl::ECRC_GENERATION_CAPABLE | AdvancedErrorControl::ECRC_CHECK_CAPABLE
        )
    );
    assert!(
        !control.intersects(
            AdvancedErrorControl::ECRC_GENERATION_ENABLE | AdvancedErrorControl::ECRC_CHECK_ENABLE
        )
    );
    assert_eq!(aer.header_log(), [0x4a00_0001, 0x0000_000f, 0xdead_beef, 0]);
    // Neither a root port, nor one that supports prefixes.
    assert_eq!(aer.root_error_command(), None);
    assert_eq!(aer.root_error_status(), None);
    assert_eq!(aer.error_source_identification(), None);
    assert_eq!(aer.tlp_prefix_log(), None);

    express(&mut bytes, 0x4, 1 << 21);
    let aer = view(&bytes).advanced_error_reporting().expect("at 100h");
    assert_eq!(
        aer.root_error_command(),
        Some(
            RootErrorCommand::CORRECTABLE_ERROR_REPORTING_ENABLE
                | RootErrorCommand::NON_FATAL_ERROR_REPORTING_ENABLE
                | RootErrorCommand::FATAL_ERROR_REPORTING_ENABLE
        )
    );
    let status = aer.root_error_status().expect("a root port");
    assert_eq!(status.interrupt_message_number(), 2);
    assert!(status.contains(
        RootErrorStatus::FATAL_ERROR_MESSAGES_RECEIVED
            | RootErrorStatus::FIRST_UNCORRECTABLE_FATAL
            | RootErrorStatus::ERR_FATAL_NONFATAL_RECEIVED
    ));
    let source = ErrorSource { correctable: 0x0210, uncorrectable: 0x0300 };
    assert_eq!(aer.error_source_identification(), Some(source));
    assert_eq!(aer.tlp_prefix_log(), Some([0x9100_0001, 0x9100_0002, 0x9100_0003, 0x9100_0004]));

    // An endpoint's ends before the root registers.
    needs(bytes, 0x2c);
}

#[test]
fn virtual_channel() {
    #[rustfmt::skip]
    let dwords = [
        0x0000_0811, // one more channel, of low priority; port table entries of 4 bits
        0x0300_0003, // hardware or WRR 32; table at 30h
        0x0001_0003, // WRR selected, being loaded; not in force
        0x0400_8014, 0x8000_00ff, 0x0000_0000, // VC0: WRR 64 or timed 128, table at 40h, no snoop
        0x007f_0001, 0x0103_0080, 0x0002_0000, // VC1: hardware only; not enabled, negotiation pending
    ];
    let bytes = with(0x0002, &dwords);
    let vc = decode!(&bytes, VirtualChannel);
    let port = vc.port_capability_1();
    assert_eq!((port.extended_vc_count(), port.low_priority_extended_vc_count()), (1, 1));
    assert_eq!(port.port_arbitration_table_entry_size(), 4);
    assert_eq!(vc.port_control().vc_arbitration_select(), 1);
    let table = ArbitrationTable { offset: 0x30, length: 16 };
    assert_eq!(vc.vc_arbitration_table(), Some(table));
    assert_eq!(vc.table(table).map(<[u8]>::len), Some(16));
    let resources: Vec<_> = vc.resources().collect();
    assert_eq!(resources.len(), 2);
    assert_eq!(resources[0].control_offset, 0x114);
    assert_eq!(resources[0].control.tc_vc_map(), 0xff);
    assert!(resources[0].control.contains(VcResourceControl::VC_ENABLE));
    assert_eq!(resources[0].arbitration_table, Some(ArbitrationTable { offset: 0x40, length: 64 }));
    assert_eq!(resources[1].control_offset, 0x120);
    assert_eq!(resources[1].capability.maximum_time_slots(), 128);
    assert_eq!((resources[1].control.vc_id(), resources[1].control.port_arbitration_select()), (1, 1));
    assert_eq!(resources[1].status, VcResourceStatus::VC_NEGOTIATION_PENDING);
    assert_eq!(resources[1].arbitration_table, None);

    // The same layout under the two other ids.
    let bytes = with(0x0009, &dwords);
    assert_eq!(decode!(&bytes, VirtualChannel).resources().count(), 2);
    assert!(view(&bytes).virtual_channel().is_some());
    let bytes = with(0x0008, &dwords);
    assert_eq!(decode!(&bytes, MultiFunctionVirtualChannel).resources().count(), 2);
    // Cut off within the second channel, and before its tables.
    let mut bytes = with(0x0002, &dwords);
    bytes.truncate(0x100 + 0x24);
    let vc = decode!(&bytes, VirtualChannel);
    assert_eq!(vc.resources().count(), 1);
    assert_eq!(vc.table(table), None);
    needs(bytes, 0x10);
}

#[test]
fn device_serial_number() {
    let bytes = with(0x0003, &[0xff12_3456, 0x001b_21ff]);
    let serial = decode!(&bytes, DeviceSerialNumber).serial_number();
    assert_eq!(serial.0, 0x001b_21ff_ff12_3456);
    assert_eq!(serial.to_string(), "00-1b-21-ff-ff-12-34-56");
    needs(bytes, 12);
}

#[test]
fn vendor_specific() {
    let bytes = with(0x000b, &[0x0100_1abc | 2 << 16, 0x4433_2211, 0x8877_6655]);
    let vsec = decode!(&bytes, VendorSpecific);
    assert_eq!((vsec.vsec_id(), vsec.vsec_revision(), vsec.vsec_length()), (0x1abc, 2, 0x10));
    assert_eq!(vsec.data(), [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88]);
    // A length shorter than the headers.
    let bytes = with(0x000b, &[0x0040_0001]);
    assert_eq!(decode!(&bytes, VendorSpecific).data(), []);
    needs(bytes, 8);
}

#[test]
fn access_control_services() {
    // A vector of 40 bits; source validation, both redirects, forwarding and egress control on.
    let bytes = with(0x000d, &[0x003d_287f, 0x0000_000f, 0x0000_00f0, 0xffff_ffff]);
    let acs = decode!(&bytes, AccessControlServices);
    assert!(!acs.has_intel_layout());
    assert_eq!(acs.control_offset(), 6);
    assert_eq!(acs.capability().bits(), 0x287f);
    assert_eq!(acs.capability().egress_control_vector_size(), 40);
    assert!(acs.control().contains(
        AcsControl::SOURCE_VALIDATION
            | AcsControl::P2P_REQUEST_REDIRECT
            | AcsControl::P2P_COMPLETION_REDIRECT
            | AcsControl::UPSTREAM_FORWARDING
    ));
    assert_eq!(acs.egress_control_vector().collect::<Vec<_>>(), [0x0f, 0xf0]);
    // Without egress control there is no vector; 0 stands for 256 bits.
    let bytes = with(0x000d, &[0x0000_005f, 0xffff_ffff]);
    assert_eq!(decode!(&bytes, AccessControlServices).egress_control_vector().count(), 0);
    let bytes = with(0x000d, &[0x0000_0020]);
    let acs = decode!(&bytes, AccessControlServices);
    assert_eq!(
        (acs.capability().egress_control_vector_size(), acs.egress_control_vector().count()),
        (256, 8)
    );
    needs(bytes, 8);
    // The enhanced controls.
    let bytes = with(0x000d, &[0x1a80_0080]);
    let acs = decode!(&bytes, AccessControlServices);
    assert_eq!(acs.capability(), AcsCapability::ENHANCED_CAPABILITY);
    assert_eq!(acs.control().dsp_memory_target_access(), MemoryTargetAccess::RequestRedirect);
    assert_eq!(acs.control().usp_memory_target_access(), MemoryTargetAccess::RequestRedirect);
    assert!(acs.control().contains(AcsControl::UNCLAIMED_REQUEST_REDIRECT | AcsControl::IO_REQUEST_BLOCKING));
}

#[test]
fn intels_layout_of_access_control_services() {
    let mut bytes = with(0x000d, &[0x0000_000f, 0x0000_001d]);
    put(&mut bytes, 0x00, &[0x86, 0x80, 0x10, 0xa1]); // 8086:a110
    let acs = decode!(&bytes, AccessControlServices);
    assert!(acs.has_intel_layout());
    assert_eq!(acs.control_offset(), 8);
    assert_eq!((acs.capability().bits(), acs.control().bits()), (0x0f, 0x1d));
    assert_eq!(acs.egress_control_vector().count(), 0);
    needs(bytes, 12);

    for device in [0xa110, 0xa11f, 0xa167, 0xa16a, 0xa290, 0xa29f, 0xa2e7, 0xa2ee, 0x9d10, 0x9d1b] {
        assert!(has_intel_acs_layout(0x8086, device), "{device:#06x}");
        assert!(!has_intel_acs_layout(0x1022, device), "{device:#06x}");
    }
    for device in [0xa10f, 0xa120, 0xa166, 0xa16b, 0xa28f, 0xa2a0, 0xa2e6, 0xa2ef, 0x9d0f, 0x9d1c] {
        assert!(!has_intel_acs_layout(0x8086, device), "{device:#06x}");
    }
}

#[test]
fn alternative_routing_id() {
    let bytes = with(0x000e, &[0x0031_0502]);
    let ari = decode!(&bytes, AlternativeRoutingId);
    assert_eq!(ari.capability().next_function_number(), 5);
    assert!(ari.capability().contains(AriCapability::ACS_FUNCTION_GROUPS_CAPABILITY));
    assert_eq!((ari.control().function_group(), ari.control().bits() & 1), (3, 1));
    needs(bytes, 8);
}

#[test]
fn address_translation_services() {
    let bytes = with(0x000f, &[0x8001_0060]);
    let ats = decode!(&bytes, AddressTranslationServices);
    assert_eq!(ats.capability().invalidate_queue_depth(), 32);
    assert_eq!(
        ats.capability(),
        AtsCapability::PAGE_ALIGNED_REQUEST | AtsCapability::GLOBAL_INVALIDATE_SUPPORTED
    );
    assert!(ats.control().contains(AtsControl::ENABLE));
    assert_eq!(ats.control().smallest_translation_unit(), 8192);
    needs(bytes, 8);
}

#[test]
fn sr_iov() {
    #[rustfmt::skip]
    let bytes = with(0x0010, &[
        0x0060_0002, // message 3, hierarchy preserved
        0x0000_0019, // enabled, memory enabled, ARI
        0x0040_0040, // 64 initially, 64 in all
        0x0000_0007, // 7 now
        0x0002_0180, // stride 2, offset 384
        0x1520_0000, // VF Device ID 1520
        0x0000_0553, 0x0000_0001, // pages of 4 KiB
        0xe000_000c, 0x0000_0002, 0, 0xd000_0000, 0, 0x0000_0004, // VF BARs: 64-bit, unset, 32-bit, unset, broken
        0x0000_1003,
    ]);
    let sr_iov = decode!(&bytes, SrIov);
    assert_eq!(sr_iov.capabilities().vf_migration_interrupt_message_number(), 3);
    assert!(sr_iov.capabilities().contains(SrIovCapabilities::ARI_CAPABLE_HIERARCHY_PRESERVED));
    assert_eq!(
        sr_iov.control(),
        SrIovControl::VF_ENABLE | SrIovControl::VF_MEMORY_SPACE_ENABLE | SrIovControl::ARI_CAPABLE_HIERARCHY
    );
    assert_eq!((sr_iov.initial_vfs(), sr_iov.total_vfs(), sr_iov.num_vfs()), (64, 64, 7));
    assert_eq!((sr_iov.first_vf_offset(), sr_iov.vf_stride()), (384, 2));
    assert_eq!(sr_iov.vf_routing_id(0x0100, 0), 0x0280);
    assert_eq!(sr_iov.vf_routing_id(0x0100, 3), 0x0286);
    assert_eq!(sr_iov.vf_routing_id(0xffff, 0), 0x017f, "it wraps");
    assert_eq!(sr_iov.vf_device_id(), 0x1520);
    assert_eq!((sr_iov.supported_page_sizes(), sr_iov.system_page_bytes()), (0x553, Some(4096)));
    assert_eq!(sr_iov.vf_migration_state_array_offset(), 0x1003);
    let bars: Vec<_> = sr_iov.vf_bars().map(|bar| (bar.index, bar.bar)).collect();
    assert_eq!(
        bars,
        [
            (0, Bar::Memory64 { base: 0x2_e000_0000, prefetchable: true }),
            (2, Bar::Unset),
            (3, Bar::Memory32 { base: 0xd000_0000, prefetchable: false }),
            (4, Bar::Unset),
            (5, Bar::Broken64),
        ]
    );
    needs(bytes, 0x40);
}

#[test]
fn sr_iov_counts_out_of_specification() {
    let bytes = with(0x0010, &[0xffff_ffff; 15]);
    let sr_iov = decode!(&bytes, SrIov);
    assert_eq!((sr_iov.total_vfs(), sr_iov.num_vfs()), (0xffff, 0xffff));
    assert_eq!(sr_iov.system_page_bytes(), None, "more than one bit");
    assert_eq!(sr_iov.vf_routing_id(0xffff, 0xffff), 0xffff);
    assert_eq!(sr_iov.vf_bars().count(), 6);
}

#[test]
fn page_request_interface() {
    let bytes = with(0x0013, &[0x8100_0001, 0x0000_0200, 0x0000_0020]);
    let pri = decode!(&bytes, PageRequestInterface);
    assert_eq!(pri.control(), PageRequestControl::ENABLE);
    assert_eq!(pri.status(), PageRequestStatus::STOPPED | PageRequestStatus::PRG_RESPONSE_PASID_REQUIRED);
    assert_eq!(
        (pri.outstanding_page_request_capacity(), pri.outstanding_page_request_allocation()),
        (512, 32)
    );
    needs(bytes, 16);
}

#[test]
fn resizable_bar() {
    // Two: BAR 0 of 256 MiB, 256 MiB to 16 GiB and 512 TiB; BAR 2 of 2 MiB, only that.
    let bytes = with(0x0015, &[0x0007_f000, 0x0002_0840, 0x0000_0020, 0x0000_0102]);
    let bar = decode!(&bytes, ResizableBar);
    assert_eq!(bar.number_of_resizable_bars(), Some(2));
    let entries: Vec<_> = bar.entries().collect();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].control_offset(), 0x108);
    assert_eq!((entries[0].control().bar_index(), entries[0].control().bar_size()), (0, Some(256 << 20)));
    let sizes: Vec<_> = entries[0].supported_sizes().map(|size| size >> 20).collect();
    assert_eq!(sizes, [256, 512, 1024, 2048, 4096, 8192, 16384, 512 << 20]);
    // What a restore writes: 1 GiB, and the rest as it was.
    assert_eq!(entries[0].control().with_bar_size_code(10).bits(), 0x0002_0a40);
    assert_eq!(entries[1].control_offset(), 0x110);
    assert_eq!((entries[1].control().bar_index(), entries[1].control().bar_size()), (2, Some(2 << 20)));
    assert_eq!(entries[1].supported_sizes().collect::<Vec<_>>(), [2 << 20]);
    needs(bytes, 20);

    let bytes = with(0x0024, &[0x0000_0010, 0x0000_0025]);
    assert_eq!(decode!(&bytes, VfResizableBar).entries().count(), 1);
    assert!(view(&bytes).vf_resizable_bar().is_some() && view(&bytes).resizable_bar().is_none());
}

#[test]
fn resizable_bar_counts_out_of_specification() {
    for control in [0x0000_0000, 0x0000_00e0] {
        let bytes = with(0x0015, &[0x0000_00f0, control, 0x0000_00f0, 0]);
        let bar = decode!(&bytes, ResizableBar);
        assert_eq!((bar.number_of_resizable_bars(), bar.entries().count()), (None, 0));
        needs(bytes, 12);
    }
    // A size beyond 8 EiB, and the largest there is.
    let bytes = with(0x0015, &[0x8000_0000, 0x8000_3f20]);
    let entry = decode!(&bytes, ResizableBar).entries().next().expect("one");
    assert_eq!((entry.control().bar_size_code(), entry.control().bar_size()), (63, None));
    assert_eq!(entry.supported_sizes().collect::<Vec<_>>(), [1 << 47, 1 << 63]);
}

#[test]
fn tph_requester() {
    // Interrupt vector mode, table of three in the capability; enabled in that mode.
    let bytes = with(0x0017, &[0x0002_0203, 0x0000_0101, 0x2222_1111, 0xffff_3333]);
    let tph = decode!(&bytes, TphRequester);
    assert!(tph.capability().contains(TphCapability::INTERRUPT_VECTOR_MODE_SUPPORTED));
    assert_eq!(tph.capability().st_table_location(), SteeringTableLocation::Capability);
    assert_eq!(tph.capability().st_table_size(), 3);
    assert_eq!(tph.control().st_mode_select(), SteeringTagMode::InterruptVector);
    assert_eq!(tph.control().tph_requester_enable(), TphRequesterEnable::Tph);
    assert_eq!(tph.st_table().collect::<Vec<_>>(), [0x1111, 0x2222, 0x3333]);
    // 2048 tags are too many for the capability; in the MSI-X table there are none here.
    let bytes = with(0x0017, &[0x07ff_0200]);
    assert_eq!(decode!(&bytes, TphRequester).st_table().count(), 64);
    let bytes = with(0x0017, &[0x0002_0400]);
    assert_eq!(decode!(&bytes, TphRequester).st_table().count(), 0);
    needs(bytes, 12);
}

#[test]
fn latency_tolerance_reporting() {
    // 3 x 1048576 ns, and 15 x 32768 ns.
    let bytes = with(0x0018, &[0x0c0f_1003]);
    let ltr = decode!(&bytes, LatencyToleranceReporting);
    assert_eq!(ltr.max_latencies(), 0x0c0f_1003);
    assert_eq!(ltr.max_snoop_latency(), MaxLatency(0x1003));
    assert_eq!(ltr.max_snoop_latency().duration(), Some(Duration::from_nanos(3_145_728)));
    assert_eq!(ltr.max_no_snoop_latency().duration(), Some(Duration::from_nanos(491_520)));
    assert_eq!(MaxLatency(0x1fff).duration(), None, "scale 7 is reserved");
    assert_eq!(MaxLatency(0x17ff).duration(), Some(Duration::from_nanos(1023 * 33_554_432)));
    needs(bytes, 8);
}

#[test]
fn pasid() {
    let bytes = with(0x001b, &[0x0005_1406]);
    let pasid = decode!(&bytes, Pasid);
    assert_eq!(pasid.capability().max_pasid_width(), 20);
    assert!(pasid.capability().contains(
        PasidCapability::EXECUTE_PERMISSION_SUPPORTED | PasidCapability::PRIVILEGED_MODE_SUPPORTED
    ));
    assert_eq!(pasid.control(), PasidControl::PASID_ENABLE | PasidControl::PRIVILEGED_MODE_ENABLE);
    needs(bytes, 8);
}

#[test]
fn downstream_port_containment() {
    #[rustfmt::skip]
    let bytes = with(0x001d, &[
        0x000a_17a2, // message 2, root port, software trigger, 7 dwords of log, DL_Active; non-fatal, interrupt
        0x0300_120f, // triggered, reason 3 (extension 0), interrupt; first error 18, from 03:00.0
        0x0004_0000, 0x0007_0707, 0x0000_0001, 0x0000_0002, 0x0000_0004,
        0x1111_1111, 0x2222_2222, 0x3333_3333, 0x4444_4444, 0x5555_5555, 0x6666_6666, 0x7777_7777, 0x8888_8888,
    ]);
    let dpc = decode!(&bytes, DownstreamPortContainment);
    assert_eq!(dpc.capability().interrupt_message_number(), 2);
    assert_eq!(dpc.capability().rp_pio_log_size(), 7);
    assert!(dpc.capability().contains(DpcCapability::SOFTWARE_TRIGGERING_SUPPORTED));
    assert_eq!(dpc.control().trigger_enable(), DpcTriggerEnable::NonFatalOrFatal);
    assert!(dpc.control().contains(DpcControl::INTERRUPT_ENABLE));
    assert!(dpc.status().contains(DpcStatus::TRIGGER_STATUS | DpcStatus::INTERRUPT_STATUS));
    assert!(!dpc.status().contains(DpcStatus::RP_BUSY));
    assert_eq!(dpc.status().trigger_reason(), DpcTriggerReason::RootPortPioError);
    assert_eq!(dpc.status().rp_pio_first_error_pointer(), 18);
    assert_eq!(dpc.error_source_id(), 0x0300);
    assert_eq!(dpc.rp_pio_status(), Some(RootPortPioErrors::MEM_CTO));
    assert_eq!(dpc.rp_pio_mask().map(|mask| mask.bits()), Some(0x0007_0707));
    assert_eq!(dpc.rp_pio_severity(), Some(RootPortPioErrors::CFG_UR_CPL));
    assert_eq!(dpc.rp_pio_sys_error(), Some(RootPortPioErrors::CFG_CA_CPL));
    assert_eq!(dpc.rp_pio_exception(), Some(RootPortPioErrors::CFG_CTO));
    assert_eq!(dpc.rp_pio_header_log(), Some([0x1111_1111, 0x2222_2222, 0x3333_3333, 0x4444_4444]));
    assert_eq!(dpc.rp_pio_imp_spec_log(), Some(0x5555_5555));
    assert_eq!(dpc.rp_pio_tlp_prefix_log().collect::<Vec<_>>(), [0x6666_6666, 0x7777_7777]);

    // A switch port has none of them.
    let bytes = with(0x001d, &[0x0000_0080, 0x0000_0025, 0x0004_0000]);
    let dpc = decode!(&bytes, DownstreamPortContainment);
    assert_eq!((dpc.rp_pio_status(), dpc.rp_pio_header_log()), (None, None));
    assert_eq!(dpc.rp_pio_tlp_prefix_log().count(), 0);
    assert_eq!(dpc.status().trigger_reason(), DpcTriggerReason::ErrFatal);
    assert_eq!(DpcStatus::from_bits_retain(0x27).trigger_reason(), DpcTriggerReason::SoftwareTrigger);
    assert_eq!(DpcCapability::from_bits_retain(0x2100).rp_pio_log_size(), 17);
    needs(bytes, 12);
}

#[test]
fn l1_pm_substates() {
    // All supported, 60 us, 5 x 10 us; ASPM both on, 60 us, 310 x 1024 ns; 20 x 100 us.
    let bytes = with(0x001e, &[0x0029_3c1f, 0x4136_3c0c, 0x0000_00a2]);
    let l1ss = decode!(&bytes, L1PmSubstates);
    let capabilities = l1ss.capabilities();
    assert!(capabilities.contains(L1PmSubstatesCapabilities::L1_PM_SUBSTATES_SUPPORTED));
    assert_eq!(capabilities.port_common_mode_restore_time(), Duration::from_micros(60));
    assert_eq!(capabilities.port_t_power_on(), Some(Duration::from_micros(50)));
    let control = l1ss.control_1();
    assert_eq!(
        control & L1PmSubstatesControl1::ENABLES,
        L1PmSubstatesControl1::ASPM_L1_2_ENABLE | L1PmSubstatesControl1::ASPM_L1_1_ENABLE
    );
    assert_eq!(control.difference(L1PmSubstatesControl1::L1_2_ENABLES).bits(), 0x4136_3c08);
    assert_eq!(control.common_mode_restore_time(), Duration::from_micros(60));
    assert_eq!(control.ltr_l1_2_threshold(), Some(Duration::from_nanos(317_440)));
    assert_eq!(l1ss.control_2().t_power_on(), Some(Duration::from_micros(2_000)));
    // Reserved scales.
    let bytes = with(0x001e, &[0x0003_0000, 0xe001_0000, 0x0000_0003]);
    let l1ss = decode!(&bytes, L1PmSubstates);
    assert_eq!(l1ss.capabilities().port_t_power_on(), None);
    assert_eq!(l1ss.control_1().ltr_l1_2_threshold(), None);
    assert_eq!(l1ss.control_2().t_power_on(), None);
    needs(bytes, 16);
}

#[test]
fn precision_time_measurement() {
    let bytes = with(0x001f, &[0x0000_1006, 0x0000_ff03]);
    let ptm = decode!(&bytes, PrecisionTimeMeasurement);
    assert!(ptm.capability().contains(PtmCapability::RESPONDER_CAPABLE | PtmCapability::ROOT_CAPABLE));
    assert!(!ptm.capability().contains(PtmCapability::REQUESTER_CAPABLE));
    assert_eq!(ptm.capability().local_clock_granularity(), ClockGranularity::Nanoseconds(16));
    assert!(ptm.control().contains(PtmControl::ENABLE | PtmControl::ROOT_SELECT));
    assert_eq!(ptm.control().effective_granularity(), ClockGranularity::Above254Nanoseconds);
    needs(bytes, 12);
}

#[test]
fn readiness_time_reporting() {
    // Valid; reset 30 x 1048576 ns (81eh), link up 20 x 32768 ns (614h); FLR 100 x 32 ns (264h), D3hot
    // 511 x 1 ns (1ffh).
    let bytes = with(0x0022, &[0x8061_481e, 0x001f_f264]);
    let rtr = decode!(&bytes, ReadinessTimeReporting);
    assert!(rtr.valid());
    assert_eq!(rtr.reset_time(), ReadinessTime(0x81e));
    assert_eq!(rtr.reset_time().duration(), Some(Duration::from_nanos(31_457_280)));
    assert_eq!(rtr.dl_up_time().duration(), Some(Duration::from_nanos(655_360)));
    assert_eq!(rtr.flr_time().duration(), Some(Duration::from_nanos(3_200)));
    assert_eq!(rtr.d3hot_to_d0_time().duration(), Some(Duration::from_nanos(511)));
    // Not valid, and scales that are not permitted.
    let bytes = with(0x0022, &[0x0000_0c01, 0x0000_0e01]);
    let rtr = decode!(&bytes, ReadinessTimeReporting);
    assert!(!rtr.valid());
    assert_eq!((rtr.reset_time().duration(), rtr.flr_time().duration()), (None, None));
    assert_eq!(ReadinessTime(0xbff).duration(), Some(Duration::from_nanos(511 * 33_554_432)));
    needs(bytes, 12);
}

#[test]
fn designated_vendor_specific() {
    let bytes = with(0x0023, &[0x0102_8086, 0x3412_0007, 0x9988_7766]);
    let dvsec = decode!(&bytes, DesignatedVendorSpecific);
    assert_eq!((dvsec.dvsec_vendor_id(), dvsec.dvsec_id()), (0x8086, 7));
    assert_eq!((dvsec.dvsec_revision(), dvsec.dvsec_length()), (2, 0x10));
    assert_eq!(dvsec.data(), [0x12, 0x34, 0x66, 0x77, 0x88, 0x99]);
    assert_eq!(dvsec.cxl_port(), None);
    needs(bytes, 10);
}

#[test]
fn a_cxl_port_whose_secondary_bus_reset_is_masked() {
    let mut bytes = with(0x0023, &[0x0100_8086, 0x0000_0003]);
    put(&mut bytes, 0x102, &[0x01, 0x20]); // the next is at 200h
    put(&mut bytes, 0x200, &[0x23, 0x00, 0x01, 0x00]);
    put(&mut bytes, 0x204, &[0x98, 0x1e, 0x80, 0x02, 0x03, 0x00, 0x00, 0x00, 0x02, 0x00]);
    assert_eq!(view(&bytes).designated_vendor_specific().count(), 2);
    let port = view(&bytes).cxl_port().expect("the second one");
    assert_eq!(port.offset(), 0x200);
    assert_eq!(port.control(), CxlPortControl::UNMASK_LINK_DISABLE);
    assert!(port.secondary_bus_reset_masked());
    put(&mut bytes, 0x20c, &[0x03]);
    assert!(view(&bytes).cxl_port().is_some_and(|port| !port.secondary_bus_reset_masked()));
    // Cut off before the control register.
    bytes.truncate(0x20d);
    assert_eq!(view(&bytes).cxl_port(), None);
}
