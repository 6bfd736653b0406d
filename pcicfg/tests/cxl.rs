//! The views of the CXL capabilities, from bytes written by hand.

#[path = "common/build.rs"]
mod build;

use build::{endpoint, put, view};
use pcicfg::extended::{
    Cxl, CxlCapability, CxlCapability3, CxlControl, CxlControl2, CxlFlexBusCapability, CxlFlexBusControl,
    CxlFlexBusStatus, CxlInterleave, CxlMediaType, CxlMemoryClass, CxlPortControl, CxlPortStatus,
    CxlRangeSizeLow, CxlRegisterBlock, CxlRegisterBlockId, CxlStatus, CxlStatus2, ExtendedCapability,
};
use std::time::Duration;

/// A function with the CXL capability of an id at 100h, of `length` bytes and with these from 0Ah on.
fn with(id: u16, revision: u8, length: u16, registers: &[u8]) -> Vec<u8> {
    let mut bytes = endpoint(4096, 0);
    put(&mut bytes, 0x100, &[0x23, 0x00, 0x01, 0x00, 0x98, 0x1e]);
    put(&mut bytes, 0x106, &(length << 4 | u16::from(revision)).to_le_bytes());
    put(&mut bytes, 0x108, &id.to_le_bytes());
    put(&mut bytes, 0x10a, registers);
    bytes
}

fn cxl(bytes: &[u8]) -> Option<Cxl<'_>> {
    let entry = view(bytes).extended_capabilities().next().expect("at 100h").expect("sound");
    let Ok(ExtendedCapability::DesignatedVendorSpecific(dvsec)) = entry.decode() else { panic!() };
    dvsec.cxl()
}

/// The registers, decoded as the variant says.
macro_rules! decode {
    ($bytes:expr, $variant:ident) => {
        match cxl($bytes) {
            Some(Cxl::$variant(view)) => view,
            other => panic!("{other:?}"),
        }
    };
}

/// One byte less than `needed` is too few, and `needed` are enough.
fn needs(mut bytes: Vec<u8>, needed: usize) {
    bytes.truncate(0x100 + needed);
    assert!(cxl(&bytes).is_some());
    bytes.truncate(0x100 + needed - 1);
    assert!(cxl(&bytes).is_none());
}

#[test]
fn device() {
    #[rustfmt::skip]
    let mut bytes = with(0, 2, 0x3c, &[
        0xde, 0x42, // io, mem, HW init, one range, writeback, reset within 1 s, viral
        0x1f, 0x4a, // cache, io, mem, coverage 3, granularity 2, clean, viral
        0x00, 0x40, 0x08, 0x00, 0x06, 0x80, // viral; mem clear; complete, error, PM init
        0x01, 0x00, 0x02, 0x10, // locked; 16 MiB
        0x02, 0x00, 0x00, 0x00, 0x07, 0x61, 0x00, 0x40, // 9 GiB, not volatile, memory, 256 bytes, 64 s
        0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, // at 1_8000_0000h
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x09, 0x00,
    ]);
    let device = decode!(&bytes, Device);
    let capability = device.capability();
    assert!(capability.contains(CxlCapability::MEM_CAPABLE | CxlCapability::CXL_RESET_CAPABLE));
    assert!(!capability.contains(CxlCapability::CACHE_CAPABLE));
    assert_eq!((capability.hdm_count(), capability.cxl_reset_timeout()), (1, Some(Duration::from_secs(1))));
    assert!(device.control().contains(CxlControl::MEM_ENABLE | CxlControl::CACHE_CLEAN_EVICTION));
    assert_eq!((device.control().cache_sf_coverage(), device.control().cache_sf_granularity()), (3, 2));
    assert_eq!(device.status(), CxlStatus::VIRAL_STATUS);
    assert_eq!(device.control_2(), CxlControl2::CXL_RESET_MEM_CLEAR_ENABLE);
    assert_eq!(
        device.status_2(),
        CxlStatus2::CXL_RESET_COMPLETE
            | CxlStatus2::CXL_RESET_ERROR
            | CxlStatus2::POWER_MANAGEMENT_INITIALIZATION_COMPLETE
    );
    assert_eq!(device.lock(), 1);
    assert_eq!(
        (device.capability_2().cache_size_unit(), device.capability_2().cache_size_units()),
        (1 << 20, 16)
    );
    let [range, unused] = device.ranges();
    assert_eq!((range.size, range.base), (0x2_4000_0000, 0x1_8000_0000));
    assert!(range.info.contains(CxlRangeSizeLow::MEMORY_INFO_VALID | CxlRangeSizeLow::MEMORY_ACTIVE));
    assert_eq!(
        (range.info.media_type(), range.info.memory_class(), range.info.desired_interleave()),
        (CxlMediaType::NonVolatile, CxlMemoryClass::Memory, CxlInterleave::Bytes(256))
    );
    assert_eq!(range.info.memory_active_timeout(), Some(Duration::from_secs(64)));
    assert_eq!((unused.size, unused.base), (0, 0));
    assert_eq!(
        device.capability_3(),
        Some(
            CxlCapability3::DEFAULT_VOLATILE_HDM_STATE_AFTER_COLD_RESET
                | CxlCapability3::VOLATILE_HDM_STATE_AFTER_HOT_RESET_CONFIGURABLE
        )
    );
    bytes[0x106] = 0xc1; // revision 1 ends before
    assert_eq!(decode!(&bytes, Device).capability_3(), None);
    // Reserved codes of the two timeouts.
    put(&mut bytes, 0x10a, &[0x00, 0x05]);
    put(&mut bytes, 0x11d, &[0xe0]);
    assert_eq!(decode!(&bytes, Device).capability().cxl_reset_timeout(), None);
    assert_eq!(decode!(&bytes, Device).ranges()[0].info.memory_active_timeout(), None);
    needs(bytes, 0x38);
}

#[test]
fn non_cxl_function_map_and_logical_devices() {
    let mut registers = [0; 34];
    registers[2] = 0x02;
    registers[30..].copy_from_slice(&[0x78, 0x56, 0x34, 0x12]);
    let bytes = with(2, 0, 0x2c, &registers);
    let map: Vec<_> = decode!(&bytes, NonCxlFunctionMap).registers().collect();
    assert_eq!(map, [2, 0, 0, 0, 0, 0, 0, 0x1234_5678]);
    needs(bytes, 0x2c);
    let bytes = with(9, 0, 0x10, &[0x10, 0x00]);
    assert_eq!(decode!(&bytes, MultiLogicalDevice).number_of_lds(), 16);
    needs(bytes, 0x0c);
}

#[test]
fn port_extensions() {
    #[rustfmt::skip]
    let mut bytes = with(3, 0, 0x28, &[
        0x01, 0x40, 0x05, 0x00, 0x10, 0x1f, 0x00, 0xe0, 0xf0, 0xe0, 0x01, 0x80, 0xf1, 0x80,
        0x04, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x01, 0x20, 0xd0, 0xfe, 0x01, 0x00, 0x00, 0x00,
    ]);
    let port = decode!(&bytes, PortExtensions);
    assert_eq!(
        port.status(),
        CxlPortStatus::POWER_MANAGEMENT_INITIALIZATION_COMPLETE | CxlPortStatus::VIRAL_STATUS
    );
    assert_eq!(port.control(), CxlPortControl::UNMASK_SBR | CxlPortControl::ALT_MEMORY_AND_ID_SPACE_ENABLE);
    assert_eq!((port.alternate_bus_base(), port.alternate_bus_limit()), (0x10, 0x1f));
    assert_eq!(port.alternate_memory_base_register(), 0xe000);
    assert_eq!(port.alternate_memory_limit_register(), 0xe0f0);
    assert_eq!(port.alternate_prefetchable_memory_base_register(), 0x8001);
    assert_eq!(port.alternate_prefetchable_memory_limit_register(), 0x80f1);
    assert_eq!(port.alternate_prefetchable_memory_base_high(), 4);
    assert_eq!(port.alternate_prefetchable_memory_limit_high(), 5);
    assert_eq!(port.rcrb_base(), Some(0x1_fed0_2000));
    bytes[0x120] = 0;
    assert_eq!(decode!(&bytes, PortExtensions).rcrb_base(), None);
    needs(bytes, 0x28);
}

#[test]
fn global_persistent_flush() {
    let bytes = with(4, 0, 0x10, &[0x00, 0x00, 0x05, 0x04, 0x0f, 0x06]);
    let port = decode!(&bytes, PortGpf);
    assert_eq!(port.phase_1_timeout().duration(), Some(Duration::from_millis(50)));
    assert_eq!(port.phase_2_timeout().duration(), Some(Duration::from_secs(15)));
    needs(bytes, 0x10);
    let bytes = with(5, 0, 0x10, &[0x07, 0x02, 0xb8, 0x0b, 0x00, 0x00]);
    let device = decode!(&bytes, DeviceGpf);
    assert_eq!(device.phase_2_duration().duration(), Some(Duration::from_micros(700)));
    assert_eq!(device.phase_2_power_milliwatts(), 3_000);
    needs(bytes, 0x10);
    for (scale, time) in [
        (0, Some(Duration::from_micros(1))),
        (1, Some(Duration::from_micros(10))),
        (3, Some(Duration::from_millis(1))),
        (5, Some(Duration::from_millis(100))),
        (7, Some(Duration::from_secs(10))),
        (8, None),
    ] {
        let bytes = with(5, 0, 0x10, &[0x01, scale]);
        assert_eq!(decode!(&bytes, DeviceGpf).phase_2_duration().duration(), time);
    }
}

#[test]
fn flex_bus_port() {
    #[rustfmt::skip]
    let mut bytes = with(7, 2, 0x20, &[
        0x26, 0x20, 0x27, 0x01, 0x26, 0x40, 0x01, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02, 0x00,
        0x00, 0x00, 0x03, 0x00, 0x00, 0x00,
    ]);
    let port = decode!(&bytes, FlexBusPort);
    assert_eq!(
        port.capability(),
        CxlFlexBusCapability::IO_CAPABLE
            | CxlFlexBusCapability::MEM_CAPABLE
            | CxlFlexBusCapability::CXL_68B_FLIT_AND_VH_CAPABLE
            | CxlFlexBusCapability::LATENCY_OPTIMIZED_256B_FLIT_CAPABLE
    );
    assert!(port.control().contains(CxlFlexBusControl::CACHE_ENABLE | CxlFlexBusControl::RETIMER_1_PRESENT));
    assert_eq!(
        port.status(),
        CxlFlexBusStatus::IO_ENABLED
            | CxlFlexBusStatus::MEM_ENABLED
            | CxlFlexBusStatus::CXL_68B_FLIT_AND_VH_ENABLED
            | CxlFlexBusStatus::PBR_FLIT_ENABLED
    );
    assert_eq!((port.received_modified_ts_data_phase_1(), port.capability_2()), (Some(1), Some(1)));
    assert_eq!((port.control_2(), port.status_2()), (Some(2), Some(3)));
    bytes.truncate(0x11f);
    let port = decode!(&bytes, FlexBusPort);
    assert_eq!((port.control_2(), port.status_2()), (Some(2), None));
    needs(bytes, 0x10);
}

#[test]
fn register_locator() {
    #[rustfmt::skip]
    let mut bytes = with(8, 0, 0x24, &[
        0x00, 0x00,
        0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, // component registers in BAR 0
        0x02, 0x03, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00, // device registers in BAR 2
        0x00, 0x77, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    ]);
    let blocks: Vec<_> = decode!(&bytes, RegisterLocator).blocks().collect();
    assert_eq!(blocks.len(), 3);
    assert_eq!(
        blocks[1],
        CxlRegisterBlock { bar_index: 2, id: CxlRegisterBlockId::Device, block_offset: 0x2_0001_0000 }
    );
    assert_eq!(
        (blocks[0].id, blocks[2].id),
        (CxlRegisterBlockId::Component, CxlRegisterBlockId::Reserved(0x77))
    );
    for (id, kind) in [
        (0x00, CxlRegisterBlockId::Empty),
        (0x02, CxlRegisterBlockId::BarVirtualization),
        (0x04, CxlRegisterBlockId::PerformanceMonitoring),
        (0xff, CxlRegisterBlockId::DesignatedVendorSpecific),
    ] {
        bytes[0x11d] = id;
        assert_eq!(decode!(&bytes, RegisterLocator).blocks().last().map(|block| block.id), Some(kind));
    }
    // No longer than it says, nor than can be read.
    put(&mut bytes, 0x106, &[0x30, 0x02]);
    assert_eq!(decode!(&bytes, RegisterLocator).blocks().count(), 2);
    put(&mut bytes, 0x106, &[0xf0, 0xff]);
    assert_eq!(decode!(&bytes, RegisterLocator).blocks().count(), 478, "(1000h - 10ch) / 8");
    bytes.truncate(0x11b);
    assert_eq!(decode!(&bytes, RegisterLocator).blocks().count(), 1);
    put(&mut bytes, 0x106, &[0x00, 0x00]);
    assert_eq!(decode!(&bytes, RegisterLocator).blocks().count(), 0);
    needs(bytes, 0x0c);
}

#[test]
fn what_is_not_known() {
    assert!(cxl(&with(0xa, 0, 0x2c, &[])).is_none());
    assert!(cxl(&with(1, 0, 0x2c, &[])).is_none());
    let mut bytes = with(0, 0, 0x38, &[]);
    bytes[0x104] = 0x86;
    assert!(cxl(&bytes).is_none(), "another vendor's");
}
