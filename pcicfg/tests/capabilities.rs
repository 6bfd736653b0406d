//! The other views of the capability list, from bytes written by hand.

#[path = "common/build.rs"]
mod build;

use build::{endpoint, put, view};
use pcicfg::Truncated;
use pcicfg::capability::{
    AdvancedFeaturesControl, BarEquivalent, BridgeSupportExtensions, Capability, CapabilityEntry,
    EnhancedAllocationFlags, FixedBusNumbers, MsiMessageControl, MsiXMessageControl, PciXBusMode,
    PciXCommand, PciXSecondaryStatus, PciXStatus, PowerManagementCapabilities, PowerManagementControlStatus,
    PowerManagementDatum, PowerState, ResourceProperties,
};

/// A function, or a bridge, with one capability.
fn with(header_type: u8, at: u8, registers: &[u8]) -> Vec<u8> {
    let mut bytes = endpoint(256, at);
    bytes[0x0e] = header_type;
    put(&mut bytes, at.into(), registers);
    bytes
}

fn first(bytes: &[u8]) -> CapabilityEntry<'_> {
    view(bytes).capabilities().next().expect("at the pointer").expect("sound")
}

/// The one capability, decoded as the variant says.
macro_rules! decode {
    ($bytes:expr, $variant:ident) => {
        match first($bytes).decode() {
            Ok(Capability::$variant(view)) => view,
            other => panic!("{other:?}"),
        }
    };
}

fn cut_off(bytes: &[u8], offset: u16, needed: u16) {
    let available = 256 - offset;
    assert_eq!(first(bytes).decode().map(|_| ()), Err(Truncated { offset, needed, available }));
}

#[test]
fn power_management() {
    // Version 3, 375 mA, D1, PME# from D0, D3hot and D3cold; D3hot, no soft reset, PME# enabled and
    // asserted, data 5 of scale 2; B2, data 2Ah.
    let bytes = with(0, 0x40, &[0x01, 0x00, 0xc3, 0xcb, 0x0b, 0xcb, 0x40, 0x2a]);
    let pm = decode!(&bytes, PowerManagement);
    let capabilities = pm.capabilities();
    assert_eq!((capabilities.version(), capabilities.aux_current()), (3, 375));
    assert!(capabilities.contains(PowerManagementCapabilities::D1_SUPPORT));
    assert!(!capabilities.contains(PowerManagementCapabilities::D2_SUPPORT));
    assert!(!capabilities.contains(PowerManagementCapabilities::IMMEDIATE_READINESS_ON_RETURN_TO_D0));
    let pme = [PowerState::D0, PowerState::D1, PowerState::D2, PowerState::D3hot]
        .map(|state| capabilities.pme_support(state));
    assert_eq!(pme, [true, false, false, true]);
    assert!(capabilities.contains(PowerManagementCapabilities::PME_SUPPORT_D3_COLD));
    let status = pm.control_status();
    assert_eq!(status.power_state(), PowerState::D3hot);
    assert!(status.no_soft_reset());
    assert_eq!(status.data_select(), PowerManagementDatum::Dissipated(PowerState::D1));
    assert_eq!((status.data_scale_milliwatts(), pm.data_milliwatts()), (Some(10), Some(420)));
    let other = |bits| PowerManagementControlStatus::from_bits_retain(bits);
    assert_eq!(other(0x9fff).data_select(), PowerManagementDatum::Reserved(15));
    assert_eq!(other(0x71ff).data_select(), PowerManagementDatum::CommonLogicConsumed);
    assert_eq!(
        (other(0x2000).data_scale_milliwatts(), other(0x6000).data_scale_milliwatts()),
        (Some(100), Some(1))
    );
    assert_eq!(other(0x9fff).data_scale_milliwatts(), None);
    // To D0: everything stays but the state, and PME Status is not cleared.
    assert_eq!(status.with_power_state(PowerState::D0).bits(), 0x4b08);
    assert_eq!(pm.bridge_support_extensions(), BridgeSupportExtensions::B2_B3);
    assert_eq!(pm.data(), 0x2a);
    cut_off(&with(0, 0xfc, &[0x01, 0x00, 0x03, 0x00]), 0xfc, 8);
}

#[test]
fn msi_32_bit() {
    // Eight vectors wanted, two given, enabled.
    let bytes = with(0, 0x50, &[0x05, 0x00, 0x17, 0x00, 0x00, 0xc0, 0xe0, 0xfe, 0x41, 0x40]);
    let msi = decode!(&bytes, Msi);
    let control = msi.message_control();
    assert!(control.contains(MsiMessageControl::MSI_ENABLE));
    assert_eq!((control.multiple_message_capable(), control.multiple_message_enable()), (Some(8), Some(2)));
    assert_eq!((control.message_data_offset(), control.size()), (8, 10));
    assert_eq!((control.mask_bits_offset(), control.pending_bits_offset()), (None, None));
    assert_eq!((msi.message_address(), msi.message_data()), (0xfee0_c000, 0x4041));
    assert_eq!((msi.mask_bits(), msi.pending_bits(), msi.extended_message_data()), (None, None, None));
}

#[test]
fn msi_64_bit_with_masking() {
    #[rustfmt::skip]
    let bytes = with(0, 0x50, &[
        0x05, 0x00, 0x81, 0x01, 0x00, 0x10, 0xe0, 0xfe, 0x01, 0x00, 0x00, 0x00,
        0x25, 0x49, 0x00, 0x00, 0x01, 0x00, 0x00, 0x80, 0x00, 0x00, 0x02, 0x00,
    ]);
    let msi = decode!(&bytes, Msi);
    let control = msi.message_control();
    assert_eq!((control.message_data_offset(), control.size()), (0x0c, 24));
    assert_eq!((control.mask_bits_offset(), control.pending_bits_offset()), (Some(0x10), Some(0x14)));
    assert_eq!((msi.message_address(), msi.message_data()), (0x1_fee0_1000, 0x4925));
    assert_eq!((msi.mask_bits(), msi.pending_bits()), (Some(0x8000_0001), Some(0x2_0000)));
}

#[test]
fn msi_32_bit_with_masking_and_extended_data() {
    #[rustfmt::skip]
    let bytes = with(0, 0x50, &[
        0x05, 0x00, 0x0c, 0x03, 0x00, 0x10, 0xe0, 0xfe,
        0x25, 0x49, 0x34, 0x12, 0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
    ]);
    let msi = decode!(&bytes, Msi);
    let control = msi.message_control();
    assert_eq!((control.mask_bits_offset(), control.pending_bits_offset()), (Some(0x0c), Some(0x10)));
    assert_eq!(control.size(), 20);
    assert_eq!(control.multiple_message_capable(), None, "code 6 is reserved");
    assert_eq!(msi.extended_message_data(), Some(0x1234));
    assert_eq!((msi.mask_bits(), msi.pending_bits()), (Some(1), Some(2)));
}

#[test]
fn msi_that_the_end_cuts_off() {
    // The flags say 24 bytes, and sixteen are left.
    cut_off(&with(0, 0xf0, &[0x05, 0x00, 0x80, 0x01]), 0xf0, 24);
    // Ten bytes would do for a 32-bit one.
    assert!(first(&with(0, 0xf4, &[0x05, 0x00, 0x00, 0x00])).decode().is_ok());
    let mut short = with(0, 0x7c, &[0x05, 0x00, 0x00, 0x00]);
    short.truncate(0x7f);
    let error = Truncated { offset: 0x7c, needed: 4, available: 3 };
    assert_eq!(first(&short).decode().map(|_| ()), Err(error));
}

#[test]
fn msi_x() {
    // 33 vectors, masked, enabled; table in BAR 4 at 2000h, pending bits in BAR 2 at 3008h.
    let bytes = with(0, 0x70, &[0x11, 0x00, 0x20, 0xc0, 0x04, 0x20, 0x00, 0x00, 0x0a, 0x30, 0x00, 0x00]);
    let msi_x = decode!(&bytes, MsiX);
    assert_eq!(msi_x.message_control().table_size(), 33);
    assert!(
        msi_x
            .message_control()
            .contains(MsiXMessageControl::MSI_X_ENABLE | MsiXMessageControl::FUNCTION_MASK)
    );
    assert_eq!((msi_x.table().bar_index(), msi_x.table().offset()), (4, 0x2000));
    assert_eq!((msi_x.pending_bit_array().bar_index(), msi_x.pending_bit_array().offset()), (2, 0x3008));
    cut_off(&with(0, 0xf8, &[0x11, 0x00]), 0xf8, 12);
}

#[test]
fn advanced_features() {
    let bytes = with(0, 0x98, &[0x13, 0x00, 0x06, 0x03, 0x00, 0x01]);
    let af = decode!(&bytes, AdvancedFeatures);
    assert_eq!(af.length(), 6);
    assert!(af.function_level_reset_capable() && af.transactions_pending());
    assert_eq!(af.control(), AdvancedFeaturesControl::empty());
    // Without Transactions Pending the kernel does not offer the method.
    let bytes = with(0, 0x98, &[0x13, 0x00, 0x06, 0x02, 0x00, 0x00]);
    assert!(!decode!(&bytes, AdvancedFeatures).function_level_reset_capable());
    cut_off(&with(0, 0xfc, &[0x13, 0x00, 0x06, 0x03]), 0xfc, 6);
}

#[test]
fn pci_x_of_a_function() {
    // Error recovery, relaxed ordering, 2048 bytes, 12 splits, version 2; 02:03.1, 64 bits, 133 MHz,
    // 4096 bytes, 32 splits, 16 KiB, 533 MHz.
    let bytes = with(0, 0x80, &[0x07, 0x00, 0x5b, 0x20, 0x19, 0x02, 0xe3, 0x93]);
    let pci_x = decode!(&bytes, PciX);
    let command = pci_x.command();
    assert!(command.contains(PciXCommand::DATA_PARITY_ERROR_RECOVERY_ENABLE));
    assert!(command.contains(PciXCommand::ENABLE_RELAXED_ORDERING));
    assert_eq!(command.maximum_memory_read_byte_count(), 2048);
    assert_eq!(command.maximum_outstanding_split_transactions(), 12);
    assert_eq!(command.version(), 2);
    let status = pci_x.status();
    assert_eq!(status.routing_id(), 0x0219);
    assert_eq!(
        status & (PciXStatus::DEVICE_64_BIT | PciXStatus::CAPABLE_266_MHZ | PciXStatus::CAPABLE_533_MHZ),
        PciXStatus::DEVICE_64_BIT | PciXStatus::CAPABLE_533_MHZ
    );
    assert_eq!(status.designed_maximum_memory_read_byte_count(), 4096);
    assert_eq!(status.designed_maximum_outstanding_split_transactions(), 32);
    assert_eq!(status.designed_maximum_cumulative_read_size(), 16 * 1024);
}

#[test]
fn pci_x_of_a_bridge() {
    #[rustfmt::skip]
    let bytes = with(1, 0x80, &[
        0x07, 0x00, 0xc3, 0x50, 0x08, 0x01, 0x03, 0x00,
        0x10, 0x00, 0x20, 0x00, 0x30, 0x00, 0x40, 0x00,
    ]);
    let bridge = decode!(&bytes, PciXBridge);
    let secondary = bridge.secondary_status();
    assert!(secondary.contains(PciXSecondaryStatus::CAPABLE_133_MHZ | PciXSecondaryStatus::CAPABLE_266_MHZ));
    assert_eq!((secondary.bus_mode_and_frequency(), secondary.version()), (PciXBusMode::Parity(133), 1));
    for (code, mode) in [
        (0x0, PciXBusMode::Conventional),
        (0x4, PciXBusMode::Reserved(4)),
        (0x5, PciXBusMode::Ecc(66)),
        (0xa, PciXBusMode::PciX266(100)),
        (0xf, PciXBusMode::PciX533(133)),
    ] {
        assert_eq!(PciXSecondaryStatus::from_bits_retain(code << 6).bus_mode_and_frequency(), mode);
    }
    assert_eq!(bridge.status().routing_id(), 0x0108);
    let upstream = bridge.upstream_split_transaction_control();
    assert_eq!((upstream.capacity(), upstream.commitment_limit()), (0x10, 0x20));
    let downstream = bridge.downstream_split_transaction_control();
    assert_eq!((downstream.capacity(), downstream.commitment_limit()), (0x30, 0x40));
    cut_off(&with(1, 0xf4, &[0x07, 0x00]), 0xf4, 16);
}

#[test]
fn bridge_subsystem() {
    let bytes = with(1, 0x88, &[0x0d, 0x00, 0x00, 0x00, 0xaa, 0x17, 0x34, 0x12]);
    let bridge = decode!(&bytes, BridgeSubsystem);
    assert_eq!((bridge.subsystem_vendor_id(), bridge.subsystem_id()), (0x17aa, 0x1234));
}

#[test]
fn vendor_specific() {
    let bytes = with(0, 0x88, &[0x09, 0x00, 0x05, 0xde, 0xad, 0xbe]);
    let vendor = decode!(&bytes, VendorSpecific);
    assert_eq!((vendor.length(), vendor.data()), (5, &[0xde, 0xad][..]));
    // A length that is too small for itself, or too large for the space.
    for (length, data) in [(0x00, 0), (0x02, 0), (0x03, 0), (0x04, 1), (0xff, 256 - 0xf0 - 3)] {
        let bytes = with(0, 0xf0, &[0x09, 0x00, length]);
        let vendor = decode!(&bytes, VendorSpecific);
        assert_eq!((vendor.length(), vendor.data().len()), (length, data));
    }
}

#[test]
fn enhanced_allocation_of_a_function() {
    #[rustfmt::skip]
    let bytes = with(0, 0x60, &[
        0x14, 0x00, 0x03, 0x00,
        // BAR 0, memory, else prefetchable memory, enabled, writable: two 32-bit fields.
        0x02, 0x00, 0x01, 0xc0, 0x00, 0x00, 0x10, 0xe0, 0xfc, 0xff, 0x0f, 0x00,
        // VF BAR 1, both fields of 64 bits.
        0xa4, 0x04, 0xff, 0x80, 0x02, 0x00, 0x00, 0x40, 0xfe, 0xff, 0xff, 0xff, 0x08, 0x00, 0x00, 0x00,
        0x01, 0x00, 0x00, 0x00,
        // Expansion ROM, only the length of 64 bits.
        0x83, 0xff, 0xff, 0x00, 0x00, 0x00, 0x20, 0xe0, 0x02, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00,
    ]);
    let allocation = decode!(&bytes, EnhancedAllocation);
    assert_eq!((allocation.num_entries(), allocation.fixed_bus_numbers()), (3, None));
    let entries: Vec<_> = allocation.entries().collect();
    assert_eq!(entries.iter().map(|entry| entry.offset).collect::<Vec<_>>(), [0x64, 0x70, 0x84]);
    assert_eq!(entries[0].flags.bar_equivalent(), BarEquivalent::Bar(0));
    assert_eq!(entries[0].flags.primary_properties(), ResourceProperties::Memory);
    assert_eq!(entries[0].flags.secondary_properties(), ResourceProperties::PrefetchableMemory);
    assert!(entries[0].flags.contains(EnhancedAllocationFlags::ENABLE | EnhancedAllocationFlags::WRITABLE));
    assert_eq!((entries[0].base, entries[0].max_offset), (Some(0xe010_0000), Some(0xf_ffff)));
    assert_eq!(entries[1].flags.bar_equivalent(), BarEquivalent::VfBar(1));
    assert_eq!(entries[1].flags.primary_properties(), ResourceProperties::VfMemory);
    assert_eq!((entries[1].base, entries[1].max_offset), (Some(0x8_4000_0000), Some(0x1_ffff_ffff)));
    assert_eq!(entries[2].flags.bar_equivalent(), BarEquivalent::ExpansionRom);
    assert_eq!(entries[2].flags.primary_properties(), ResourceProperties::Unavailable);
    assert_eq!((entries[2].base, entries[2].max_offset), (Some(0xe020_0000), Some(0x5_0000_0003)));
    let wide: Vec<_> =
        entries.iter().map(|entry| (entry.base_is_64_bit, entry.max_offset_is_64_bit)).collect();
    assert_eq!(wide, [(false, false), (true, true), (false, true)]);
}

#[test]
fn enhanced_allocation_of_a_bridge_and_of_nonsense() {
    // The entry says that one dword follows, so it has no length.
    let registers =
        [0x14, 0x00, 0x3f, 0x00, 0x05, 0x07, 0x00, 0x00, 0x61, 0x05, 0x00, 0x80, 0x00, 0x00, 0x00, 0xe0];
    let bytes = with(1, 0xf0, &registers);
    let allocation = decode!(&bytes, EnhancedAllocation);
    assert_eq!(allocation.fixed_bus_numbers(), Some(FixedBusNumbers { secondary: 5, subordinate: 7 }));
    assert_eq!(allocation.num_entries(), 63);
    let entries: Vec<_> = allocation.entries().collect();
    assert_eq!(entries.len(), 1, "the space ends");
    assert_eq!(entries[0].flags.bar_equivalent(), BarEquivalent::BehindBridge);
    assert_eq!((entries[0].base, entries[0].max_offset), (Some(0xe000_0000), None));
}
