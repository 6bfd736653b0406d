//! The views of AGP, VPD, HyperTransport and the other rarer capabilities, from bytes written by hand.

#[path = "common/build.rs"]
mod build;

use build::{endpoint, put, view};
use pcicfg::Truncated;
use pcicfg::capability::{
    AgpCommand, AgpStatus, Capability, CapabilityEntry, CapabilityId, ExpansionSlot, FpbCapabilities,
    FpbVector, HotPlugPending, HotSwapControlStatus, HtAddressMapType, HtCapabilityType, HtErrorHandling,
    HtFeature, HtHostCommand, HtHostFeature, HtLinkControl, HtLinkFrequencyCapability, HtLinkFrequencyError,
    HtLinkWidth, HtMsiMappingCommand, HtRetryControl, HtRetryStatus, HtSlaveCommand, HtSwitchCommand,
    HtSwitchInfo, HyperTransport, IntelCapabilitiesA, IntelCapabilitiesB, IntelCapabilitiesC,
    IntelCapabilityType, IommuBaseAddressLow, IommuCapabilityHeader, IommuRange, SataBarLocation,
    VirtioStructure, VpdAddressRegister,
};
use std::time::Duration;

/// A function with one capability at 40h.
fn with(registers: &[u8]) -> Vec<u8> {
    let mut bytes = endpoint(256, 0x40);
    put(&mut bytes, 0x40, registers);
    bytes
}

fn first(bytes: &[u8]) -> CapabilityEntry<'_> {
    view(bytes).capabilities().next().expect("at 40h").expect("sound")
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

/// One byte less than `needed` is too few, and `needed` are enough.
fn needs(registers: &[u8], needed: u16) {
    let mut bytes = with(registers);
    bytes.truncate(0x40 + usize::from(needed));
    assert!(first(&bytes).decode().is_ok());
    bytes.truncate(0x40 + usize::from(needed) - 1);
    let error = Truncated { offset: 0x40, needed, available: needed - 1 };
    assert_eq!(first(&bytes).decode().map(|_| ()), Err(error));
}

#[test]
fn every_id_has_a_view() {
    for id in 1..=0x15 {
        let mut bytes = endpoint(256, 0x40);
        bytes[0x40] = id;
        let decoded = first(&bytes).decode();
        assert!(!matches!(decoded, Ok(Capability::Other(_))), "{:?}", CapabilityId(id).name());
    }
}

#[test]
fn views_are_small() {
    for size in [
        size_of::<pcicfg::capability::Agp<'_>>(),
        size_of::<pcicfg::capability::FlatteningPortalBridge<'_>>(),
        size_of::<pcicfg::capability::SecureDevice<'_>>(),
        size_of::<pcicfg::capability::VendorSpecific<'_>>(),
        size_of::<HyperTransport<'_>>(),
    ] {
        assert!(size <= 32, "{size}");
    }
}

#[test]
fn agp() {
    // 3.0; AGP 3 mode, 4x and 8x, fast writes, sideband, calibration 3, ARQSZ 3, 32 requests; 8x, enabled, 16.
    let registers = [0x02, 0x00, 0x30, 0x00, 0x1b, 0x6e, 0x00, 0x1f, 0x02, 0x03, 0x00, 0x0f];
    let bytes = with(&registers);
    let agp = decode!(&bytes, Agp);
    assert_eq!((agp.major_revision(), agp.minor_revision()), (3, 0));
    assert_eq!(
        agp.status() & (AgpStatus::AGP_3_MODE | AgpStatus::FAST_WRITES | AgpStatus::OVER_4_GB),
        AgpStatus::AGP_3_MODE | AgpStatus::FAST_WRITES
    );
    assert_eq!(agp.status().calibration_cycle(), Some(Duration::from_millis(256)));
    assert_eq!(agp.command().calibration_cycle(), Some(Duration::from_millis(4)));
    for none in [4, 6, 7] {
        assert_eq!(AgpStatus::from_bits_retain(none << 10).calibration_cycle(), None);
    }
    assert_eq!((agp.status().optimum_request_size(), agp.status().maximum_requests()), (128, 32));
    assert!(
        agp.command()
            .contains(AgpCommand::AGP_ENABLE | AgpCommand::SIDEBAND_ADDRESSING | AgpCommand::RATE_2X)
    );
    assert_eq!(agp.command().maximum_requests(), 16);
    needs(&registers, 12);
    // The same under the id of an AGP 8x bridge.
    needs(&[0x0e], 12);
}

#[test]
fn vital_product_data() {
    let registers = [0x03, 0x00, 0x7c, 0xff, 0x82, 0x0a, 0x00, 0x4e];
    let bytes = with(&registers);
    let vpd = decode!(&bytes, VitalProductData);
    assert!(vpd.address().contains(VpdAddressRegister::F));
    assert_eq!((vpd.address().vpd_address(), vpd.data()), (0x7f7c, 0x4e00_0a82));
    needs(&registers, 8);
}

#[test]
fn slot_identification_and_debug_port() {
    let bytes = with(&[0x04, 0x00, 0x2b, 0x11]);
    let slots = decode!(&bytes, SlotIdentification);
    assert!(slots.expansion_slot().contains(ExpansionSlot::FIRST_IN_CHASSIS));
    assert_eq!((slots.expansion_slot().expansion_slots_provided(), slots.chassis_number()), (11, 0x11));
    needs(&[0x04], 4);
    // The register at 24h, offset 1abch.
    let bytes = with(&[0x0a, 0x00, 0xbc, 0xda]);
    let port = decode!(&bytes, DebugPort);
    assert_eq!((port.location().bar_number(), port.location().debug_port_offset()), (6, 0x1abc));
    needs(&[0x0a], 4);
}

#[test]
fn compact_pci() {
    let bytes = with(&[0x06, 0x00, 0xda]);
    let status = decode!(&bytes, CompactPciHotSwap).control_status();
    assert_eq!(status.programming_interface(), 1);
    assert_eq!(
        status & !HotSwapControlStatus::from_bits_retain(0x30),
        HotSwapControlStatus::INSERTION
            | HotSwapControlStatus::EXTRACTION
            | HotSwapControlStatus::LED_ON_OFF
            | HotSwapControlStatus::ENUM_SIGNAL_MASK
    );
    needs(&[0x06], 3);
    let bytes = with(&[0x0b, 0x00, 0xcd, 0xab]);
    assert_eq!(decode!(&bytes, CompactPciResourceControl).control(), 0xabcd);
    needs(&[0x0b], 4);
}

#[test]
fn hot_plug() {
    let bytes = with(&[0x0c, 0x00, 0x07, 0x04, 0xef, 0xbe, 0xad, 0xde]);
    let hot_plug = decode!(&bytes, HotPlug);
    assert_eq!((hot_plug.dword_select(), hot_plug.dword_data()), (7, 0xdead_beef));
    assert_eq!(hot_plug.pending(), HotPlugPending::CONTROLLER_SERR_PENDING);
    needs(&[0x0c], 8);
}

#[test]
fn secure_device_of_an_iommu() {
    // Type 3, revision 1, IOTLB, EFR and CapExt; enabled at 1_feb8_0000h; unit 2, bus 40h, 00.1 to 1f.7;
    // message 0, GVA 48 bits, PA 48, VA 64, ATS reserved, PPR message 3; GA message 5.
    let registers = [
        0x0f, 0x00, 0x0b, 0x19, 0x01, 0x00, 0xb8, 0xfe, 0x01, 0x00, 0x00, 0x00, 0x82, 0x40, 0x01, 0xff, 0x40,
        0x30, 0x60, 0x18, 0x05, 0x00, 0x00, 0x00,
    ];
    let bytes = with(&registers);
    let iommu = decode!(&bytes, SecureDevice);
    let header = iommu.header();
    assert_eq!((header.capability_block_type(), header.capability_block_revision()), (3, 1));
    assert_eq!(
        header & (IommuCapabilityHeader::IOTLB_SUPPORT | IommuCapabilityHeader::HT_TUNNEL),
        IommuCapabilityHeader::IOTLB_SUPPORT
    );
    assert!(iommu.is_iommu() && iommu.base_address_low().contains(IommuBaseAddressLow::ENABLE));
    assert_eq!(iommu.base_address(), 0x1_feb8_0000);
    let range = iommu.range();
    assert!(range.contains(IommuRange::RANGE_VALID));
    assert_eq!((range.unit_id(), range.bus_number()), (2, 0x40));
    assert_eq!((range.first_device(), range.last_device()), (0x01, 0xff));
    let information = iommu.miscellaneous_information_0();
    assert_eq!(information.msi_message_number(), 0);
    assert_eq!(information.guest_virtual_address_size(), Some(48));
    assert_eq!((information.physical_address_size(), information.virtual_address_size()), (48, 64));
    assert_eq!(information.ppr_msi_message_number(), 3);
    assert_eq!(iommu.ga_msi_message_number(), Some(5));
    // Without the extension, the next dword is not the capability's.
    let mut registers = registers;
    registers[3] = 0x09;
    assert_eq!(decode!(&with(&registers), SecureDevice).ga_msi_message_number(), None);
    needs(&registers, 20);
}

#[test]
fn sata() {
    let registers = [0x12, 0x00, 0x12, 0x00, 0x88, 0x00, 0x10, 0x00, 0x01, 0x00, 0x00, 0x00];
    let bytes = with(&registers);
    let sata = decode!(&bytes, Sata);
    assert_eq!((sata.revision().major_revision(), sata.revision().minor_revision()), (1, 2));
    assert_eq!(sata.bar().bar_location(), SataBarLocation::Bar(4));
    assert_eq!(sata.bar().bar_offset(), 0x1_0008 * 4);
    assert_eq!(sata.index_data_pair(), None);
    let bytes = with(&[0x12, 0x00, 0x10, 0x00, 0x0f, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x2a]);
    assert_eq!(decode!(&bytes, Sata).index_data_pair(), Some((4, 0x2a)));
    let bytes = with(&[0x12, 0x00, 0x10, 0x00, 0x0a]);
    assert_eq!(decode!(&bytes, Sata).bar().bar_location(), SataBarLocation::Reserved(10));
    needs(&registers, 8);
}

#[test]
fn flattening_portal_bridge() {
    let registers = [
        0x15, 0x00, 0x00, 0x00, // header
        0x1d, 0x02, 0x04, 0x07, // RID and MEM High; 4 device numbers; 1024, 4096 and 32768 bits
        0x51, 0x00, 0x00, 0x40, // on, 256 ids a bit, from 40:00.0
        0x00, 0x80, 0x00, 0x00, // secondary from 80:00.0
        0x31, 0x00, 0x00, 0xc0, // on, 8 MiB a bit, from c000_0000h
        0x71, 0x00, 0x00, 0x80, // on, 32 GiB a bit
        0x01, 0x00, 0x00, 0x00, // from 1_8000_0000h
        0x03, 0x80, 0x00, 0x00, // dword 3 of MEM High
        0x78, 0x56, 0x34, 0x12,
    ];
    let bytes = with(&registers);
    let bridge = decode!(&bytes, FlatteningPortalBridge);
    let capabilities = bridge.capabilities();
    assert!(!capabilities.contains(FpbCapabilities::MEM_LOW_DECODE_MECHANISM_SUPPORTED));
    assert_eq!(capabilities.num_sec_dev(), 4);
    assert_eq!(capabilities.rid_vector_size_supported(), Some(1024));
    assert_eq!(capabilities.mem_low_vector_size_supported(), Some(4096));
    assert_eq!(capabilities.mem_high_vector_size_supported(), Some(32768));
    assert_eq!(bridge.rid_vector_control_1().rid_vector_granularity(), Some(256));
    assert_eq!(bridge.rid_vector_control_1().rid_vector_start(), 0x4000);
    assert_eq!(bridge.rid_vector_control_2().rid_secondary_start(), 0x8000);
    assert_eq!(bridge.mem_low_vector_control().mem_low_vector_granularity(), Some(8 << 20));
    assert_eq!(bridge.mem_low_vector_control().mem_low_vector_start(), 0xc000_0000);
    assert_eq!(bridge.mem_high_vector_control_1().mem_high_vector_granularity(), Some(32 << 30));
    assert_eq!(bridge.mem_high_vector_start(), 0x1_8000_0000);
    let access = bridge.vector_access_control();
    assert_eq!((access.vector_select(), access.vector_access_offset()), (FpbVector::MemHigh, 3));
    assert_eq!(bridge.vector_access_data(), 0x1234_5678);
    // Reserved codes.
    let bytes = with(&[0x15, 0x00, 0x00, 0x00, 0x00, 0x03, 0x05, 0x00, 0x10, 0x00, 0x00, 0x00]);
    let bridge = decode!(&bytes, FlatteningPortalBridge);
    assert_eq!(bridge.capabilities().rid_vector_size_supported(), None);
    assert_eq!(bridge.capabilities().mem_low_vector_size_supported(), None);
    assert_eq!(bridge.rid_vector_control_1().rid_vector_granularity(), None);
    needs(&registers, 36);
}

/// A vendor's function with one capability at 40h.
fn of_vendor(id: [u8; 4], registers: &[u8]) -> Vec<u8> {
    let mut bytes = with(registers);
    put(&mut bytes, 0x00, &id);
    bytes
}

#[test]
fn virtio() {
    const VIRTIO_NET: [u8; 4] = [0xf4, 0x1a, 0x41, 0x10];
    let structure = |kind: u8, length: u8, extra: &[u8]| {
        let mut registers = vec![0x09, 0x00, length, kind, 0x04, 0x07, 0x00, 0x00];
        registers.extend([0x00, 0x30, 0x00, 0x00, 0x00, 0x10, 0x00, 0x00]);
        registers.extend(extra);
        of_vendor(VIRTIO_NET, &registers)
    };
    let bytes = structure(2, 0x14, &[0x04, 0x00, 0x00, 0x00]);
    let notify = decode!(&bytes, VendorSpecific).virtio().expect("a virtio device");
    assert_eq!((notify.structure(), notify.bar(), notify.id()), (VirtioStructure::Notify, 4, 7));
    assert_eq!((notify.structure_offset(), notify.structure_length()), (0x3000, 0x1000));
    assert_eq!((notify.notify_off_multiplier(), notify.pci_cfg_data()), (Some(4), None));
    // Shared memory has upper halves.
    let bytes = structure(8, 0x18, &[0x01, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00]);
    let shared = decode!(&bytes, VendorSpecific).virtio().expect("a virtio device");
    assert_eq!(shared.structure(), VirtioStructure::SharedMemory);
    assert_eq!((shared.structure_offset(), shared.structure_length()), (0x1_0000_3000, 0x2_0000_1000));
    let bytes = structure(5, 0x14, &[0x2a, 0x00, 0x00, 0x00]);
    let access = decode!(&bytes, VendorSpecific).virtio().expect("a virtio device");
    assert_eq!((access.structure(), access.pci_cfg_data()), (VirtioStructure::PciAccess, Some(0x2a)));
    for (kind, structure_kind) in [
        (1, VirtioStructure::Common),
        (3, VirtioStructure::Isr),
        (4, VirtioStructure::Device),
        (9, VirtioStructure::Vendor),
        (6, VirtioStructure::Reserved(6)),
    ] {
        let bytes = structure(kind, 0x10, &[0xff; 8]);
        let other = decode!(&bytes, VendorSpecific).virtio().expect("a virtio device");
        assert_eq!((other.structure(), other.notify_off_multiplier()), (structure_kind, None));
        assert_eq!(other.structure_offset(), 0x3000);
    }
    // Too short for its fields; its length says that there is no multiplier; not a virtio device.
    assert_eq!(decode!(&structure(1, 0x0f, &[]), VendorSpecific).virtio(), None);
    let bytes = structure(2, 0x10, &[0x04]);
    assert_eq!(decode!(&bytes, VendorSpecific).virtio().and_then(|it| it.notify_off_multiplier()), None);
    let registers = [0x09, 0x00, 0x10, 0x01];
    let bytes = of_vendor([0xf4, 0x1a, 0x00, 0x11], &registers);
    assert_eq!(decode!(&bytes, VendorSpecific).virtio(), None);
    assert_eq!(decode!(&with(&registers), VendorSpecific).virtio(), None);
}

#[test]
fn intel() {
    const HOST_BRIDGE: [u8; 4] = [0x86, 0x80, 0x18, 0x19];
    let mut registers = [
        0x09, 0x00, 0x10, 0x01, // 16 bytes, version 1, words
        0x24, 0x01, 0x88, 0x02, // OC, CRID 2, CDID 1, DDR 2 GiB, VT-d off, ECC off
        0x20, 0x00, 0xd0, 0x16, // DMFC 2, Gen 3 off, 100 MHz code 6, cache 3, SMT
        0x83, 0x02, 0x8b, 0x02, // gear 3, BCLK 1, SGX off, LPDDR4 code 5 and on, DDR4 code 5
    ];
    let bytes = of_vendor(HOST_BRIDGE, &registers);
    let intel = decode!(&bytes, VendorSpecific).intel().expect("Intel's");
    assert_eq!((intel.version(), intel.length()), (1, 16));
    assert_eq!(intel.capability_type(), IntelCapabilityType::Capabilities);
    let a = intel.capabilities_a().expect("CAPID0_A");
    assert_eq!((a.compatibility_revision_id(), a.compatibility_device_id()), (2, 1));
    assert_eq!(a.ddr_maximum_size(), 8192);
    assert!(a.contains(IntelCapabilitiesA::VTD_DISABLE | IntelCapabilitiesA::ECC_DISABLE));
    assert!(!a.contains(IntelCapabilitiesA::INTERNAL_GRAPHICS_DISABLE));
    let b = intel.capabilities_b().expect("CAPID0_B");
    assert!(b.contains(IntelCapabilitiesB::SMT_CAPABLE | IntelCapabilitiesB::PEG_GEN_3_DISABLE));
    assert_eq!(b.ddr3_maximum_frequency_code(), 2);
    assert_eq!(b.ddr3_maximum_frequency_with_100_mhz_reference_code(), 6);
    assert_eq!(b.cache_size_capability(), 3);
    let c = intel.capabilities_c().expect("CAPID0_C");
    assert!(c.contains(IntelCapabilitiesC::SGX_DISABLE | IntelCapabilitiesC::LPDDR4_ENABLE));
    assert_eq!((c.gear_1_maximum_frequency_code(), c.bclk_overclocking_code()), (3, 1));
    assert_eq!((c.lpddr4_maximum_frequency_code(), c.ddr4_maximum_frequency_code()), (5, 5));
    // As long as it says, and of a version that is known.
    registers[2] = 0x0c;
    let bytes = of_vendor(HOST_BRIDGE, &registers);
    let intel = decode!(&bytes, VendorSpecific).intel().expect("Intel's");
    assert!(intel.capabilities_b().is_some() && intel.capabilities_c().is_none());
    registers[3] = 0x12;
    let bytes = of_vendor(HOST_BRIDGE, &registers);
    let intel = decode!(&bytes, VendorSpecific).intel().expect("Intel's");
    assert_eq!(intel.capability_type(), IntelCapabilityType::FeatureDetection);
    assert_eq!(intel.capabilities_a(), None);
    assert_eq!(decode!(&with(&registers), VendorSpecific).intel(), None);
}

#[test]
fn hyper_transport_slave() {
    #[rustfmt::skip]
    let registers = [
        0x08, 0x00, 0x61, 0x04, // base unit 1, 3 units, link 0 leads to the host
        0x20, 0x10, 0x11, 0x80, // up, isochronous; 16 bits at most, 16 in, 8 out; doublewords out
        0xd0, 0x01, 0x77, 0x77, // failed, end of chain, off, a CRC error; not connected
        0x60, 0x25, 0x75, 0x80, // 3.0; 800 MHz, overflow; 200, 400, 500, 600, 800 MHz and the vendor's
        0x12, 0x86, 0x01, 0x00, // LDTSTOP#, 64 bits; 1000 MHz, CTL timeout
        0x34, 0x12, 0x01, 0x03, // scratchpad; protocol flood, chain fail, response error
        0x0a, 0x0b, 0x0c, 0x00,
    ];
    let bytes = with(&registers);
    let link = decode!(&bytes, HyperTransport);
    assert_eq!((link.capability_type(), link.command()), (HtCapabilityType::SlavePrimary, 0x0461));
    assert_eq!(link.host_secondary(), None);
    let slave = link.slave_primary().expect("a slave");
    assert_eq!((slave.command().base_unit_id(), slave.command().unit_count()), (1, 3));
    assert!(slave.command().contains(HtSlaveCommand::MASTER_HOST));
    assert_eq!(
        slave.link_control_0(),
        HtLinkControl::INITIALIZATION_COMPLETE | HtLinkControl::ISOCHRONOUS_FLOW_CONTROL_ENABLE
    );
    let width = slave.link_configuration_0();
    assert_eq!(
        (width.max_link_width_in(), width.max_link_width_out()),
        (HtLinkWidth::Bits16, HtLinkWidth::Bits16)
    );
    assert_eq!((width.link_width_in(), width.link_width_out()), (HtLinkWidth::Bits8, HtLinkWidth::Bits8));
    assert!(slave.link_control_1().contains(HtLinkControl::LINK_FAILURE | HtLinkControl::END_OF_CHAIN));
    assert_eq!(slave.link_control_1().crc_error(), 1);
    assert_eq!(slave.link_configuration_1().link_width_out(), HtLinkWidth::NotConnected);
    assert_eq!((slave.revision().major_revision(), slave.revision().minor_revision()), (3, 0));
    assert_eq!(slave.link_frequency_error_0().link_frequency(), Some(800));
    assert!(slave.link_frequency_error_0().contains(HtLinkFrequencyError::OVERFLOW_ERROR));
    assert!(
        slave
            .link_frequency_capability_0()
            .contains(HtLinkFrequencyCapability::MHZ_800 | HtLinkFrequencyCapability::VENDOR_SPECIFIC)
    );
    assert_eq!(slave.feature(), HtFeature::LDTSTOP_SUPPORTED | HtFeature::ADDRESSING_64_BIT);
    assert_eq!(slave.link_frequency_error_1().link_frequency(), Some(1000));
    assert_eq!(slave.link_frequency_capability_1(), HtLinkFrequencyCapability::MHZ_200);
    assert_eq!(slave.enumeration_scratchpad(), 0x1234);
    assert_eq!(
        slave.error_handling(),
        HtErrorHandling::PROTOCOL_ERROR_FLOOD_ENABLE
            | HtErrorHandling::CHAIN_FAIL
            | HtErrorHandling::RESPONSE_ERROR
    );
    assert_eq!((slave.memory_base_upper(), slave.memory_limit_upper(), slave.bus_number()), (10, 11, 12));
    needs(&registers, 28);
}

#[test]
fn hyper_transport_host() {
    #[rustfmt::skip]
    let registers = [
        0x08, 0x00, 0x82, 0x21, // double-ended, chain side, host hide
        0x20, 0x00, 0x11, 0x11, 0x22, 0x0f, 0xff, 0x03,
        0x02, 0x01, 0x00, 0x00, 0x78, 0x56, 0x00, 0x00, 0x01, 0x02, 0x00, 0x00,
    ];
    let bytes = with(&registers);
    let host = decode!(&bytes, HyperTransport).host_secondary().expect("a host");
    assert_eq!(
        host.command() & HtHostCommand::from_bits_retain(0x1fff),
        HtHostCommand::DOUBLE_ENDED | HtHostCommand::CHAIN_SIDE | HtHostCommand::HOST_HIDE
    );
    assert_eq!((host.revision().major_revision(), host.revision().minor_revision()), (1, 2));
    assert_eq!(host.link_frequency_error().link_frequency(), None, "the vendor's");
    assert_eq!(host.feature(), HtHostFeature::LDTSTOP_SUPPORTED | HtHostFeature::EXTENDED_REGISTER_SET);
    assert_eq!(host.enumeration_scratchpad(), 0x5678);
    assert_eq!((host.memory_base_upper(), host.memory_limit_upper()), (1, 2));
    needs(&registers, 24);
}

#[test]
fn hyper_transport_blocks() {
    // MSI Mapping, fixed, and with an address of its own.
    let bytes = with(&[0x08, 0x00, 0x03, 0xa8]);
    let mapping = decode!(&bytes, HyperTransport).msi_mapping().expect("MSI Mapping");
    assert!(mapping.has_fixed_window());
    assert_eq!(mapping.address(), 0xfee0_0000);
    needs(&[0x08, 0x00, 0x03, 0xa8], 4);
    let registers = [0x08, 0x00, 0x01, 0xa8, 0x00, 0x00, 0xf0, 0xd0, 0x01, 0x00, 0x00, 0x00];
    let bytes = with(&registers);
    let mapping = decode!(&bytes, HyperTransport).msi_mapping().expect("MSI Mapping");
    assert!(mapping.command().contains(HtMsiMappingCommand::ENABLE));
    assert!(!mapping.has_fixed_window());
    assert_eq!(mapping.address(), 0x1_d0f0_0000);
    needs(&registers, 12);

    let registers = [
        0x08, 0x00, 0x80, 0x41, 0x0f, 0x00, 0x00, 0x00, 0xa3, 0x52, 0x04, 0x00, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0,
        0, 0,
    ];
    let bytes = with(&registers);
    let switch = decode!(&bytes, HyperTransport).switch().expect("a switch");
    assert!(switch.command().contains(HtSwitchCommand::VIB_ERROR | HtSwitchCommand::VIB_FLOOD));
    assert_eq!((switch.partition_mask(), switch.switch_info().default_port()), (15, 3));
    assert!(switch.switch_info().contains(HtSwitchInfo::ENABLE_DECODE | HtSwitchInfo::HOT_PLUG));
    assert_eq!(switch.switch_info().performance_counter_index(), 2);
    assert_eq!(switch.switch_info().base_limit_range_index(), 5);
    assert_eq!(switch.performance_counter_data(), 1);
    assert_eq!((switch.base_limit_range_data(), switch.secondary_base_data()), (2, 3));
    needs(&registers, 24);

    let bytes = with(&[0x08, 0x00, 0x10, 0x80, 0x78, 0x56, 0x34, 0x12]);
    let interrupts = decode!(&bytes, HyperTransport).interrupt_discovery().expect("the window");
    assert_eq!((interrupts.index(), interrupts.data()), (0x10, 0x1234_5678));
    needs(&[0x08, 0x00, 0x10, 0x80], 8);

    let bytes = with(&[0x08, 0x00, 0x25, 0x88]);
    let revision = decode!(&bytes, HyperTransport).revision_id().expect("a revision").revision();
    assert_eq!((revision.major_revision(), revision.minor_revision()), (1, 5));
    needs(&[0x08, 0x00, 0x25, 0x88], 4);

    let bytes = with(&[0x08, 0x00, 0x00, 0x90, 6, 0, 0, 0, 2, 0, 0, 0]);
    let clumping = decode!(&bytes, HyperTransport).unit_id_clumping().expect("clumping");
    assert_eq!((clumping.clumping_support(), clumping.clumping_enable()), (6, 2));
    needs(&[0x08, 0x00, 0x00, 0x90], 12);

    // Type 1, 40:03.2, register 84h.
    let bytes = with(&[0x08, 0x00, 0x00, 0x98, 0x84, 0xa0, 0x01, 0x14, 9, 0, 0, 0]);
    let access = decode!(&bytes, HyperTransport).extended_configuration().expect("the window");
    let address = access.configuration_address();
    assert_eq!((address.bus_number(), address.device(), address.function()), (0x40, 3, 2));
    assert_eq!((address.register(), access.configuration_data()), (0x84, 9));
    needs(&[0x08, 0x00, 0x00, 0x98], 12);

    let bytes = with(&[0x08, 0x00, 0x32, 0xa2, 5, 0, 0, 0, 6, 0, 0, 0, 7]);
    let mapping = decode!(&bytes, HyperTransport).address_mapping().expect("windows");
    assert_eq!((mapping.command().number_of_dma_mappings(), mapping.command().io_size()), (2, 3));
    assert_eq!((mapping.command().map_type(), mapping.first_register()), (HtAddressMapType::Bits64, Some(5)));
    needs(&[0x08, 0x00, 0x32, 0xa2], 4);

    let bytes = with(&[0x08, 0x00, 0x53, 0xb0, 1, 0, 0, 0, 2, 0, 0, 0]);
    let route = decode!(&bytes, HyperTransport).direct_route().expect("ranges");
    assert_eq!((route.command().number_of_direct_route_spaces(), route.command().index()), (3, 5));
    assert_eq!((route.enable_vector(), route.data()), (1, 2));
    needs(&[0x08, 0x00, 0x53, 0xb0], 12);

    let bytes = with(&[0x08, 0x00, 0x00, 0xb8, 1, 2, 3, 0, 4, 5, 6, 0, 7, 8, 0, 0]);
    let set = decode!(&bytes, HyperTransport).vc_set().expect("channels");
    assert_eq!((set.vcsets_supported(), set.link_1_vcsets_enabled(), set.link_0_vcsets_enabled()), (1, 2, 3));
    assert_eq!((set.stream_bucket_depth(), set.stream_interval(), set.streaming_vcs_supported()), (4, 5, 6));
    assert_eq!((set.non_fc_bucket_depth(), set.non_fc_bucket_interval()), (7, 8));
    needs(&[0x08, 0x00, 0x00, 0xb8], 16);

    let bytes = with(&[0x08, 0x00, 0x00, 0xc0, 0xc1, 0x02, 0x20, 0x05, 0x34, 0x12, 0x78, 0x56]);
    let retry = decode!(&bytes, HyperTransport).retry_mode().expect("retry");
    assert!(retry.control_0().contains(HtRetryControl::LINK_RETRY_ENABLE));
    assert_eq!((retry.control_0().allowed_attempts(), retry.status_0()), (3, HtRetryStatus::COUNT_ROLLOVER));
    assert_eq!(retry.control_1(), HtRetryControl::RETRY_FATAL_ENABLE);
    assert_eq!(retry.status_1(), HtRetryStatus::RETRY_SENT | HtRetryStatus::STOMP_RECEIVED);
    assert_eq!((retry.retry_count_0(), retry.retry_count_1()), (0x1234, 0x5678));
    needs(&[0x08, 0x00, 0x00, 0xc0], 12);

    for (command, capability_type) in [
        (0xc8, HtCapabilityType::X86),
        (0xd0, HtCapabilityType::Gen3),
        (0xd8, HtCapabilityType::FunctionExtension),
        (0xe0, HtCapabilityType::PowerManagement),
        (0x78, HtCapabilityType::Reserved(0x0f)),
    ] {
        let bytes = with(&[0x08, 0x00, 0x00, command]);
        assert_eq!(decode!(&bytes, HyperTransport).capability_type(), capability_type);
    }
}
