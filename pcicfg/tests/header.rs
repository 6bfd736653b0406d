//! The header's three types, from bytes written by hand.

#[path = "common/build.rs"]
mod build;

use build::{endpoint, put, view};
use pcicfg::bar::{Bar, IndexedBar, RomBar, RomValidation};
use pcicfg::header::{
    BridgeControl, CardBusBridgeControl, ClassCode, Command, DevselTiming, HeaderType, Layout, Presence,
    SecondaryStatus, Status, Window,
};

#[test]
fn an_endpoint() {
    let mut bytes = endpoint(64, 0x40);
    put(&mut bytes, 0x04, &[0x06, 0x04, 0x11, 0x00]);
    put(&mut bytes, 0x08, &[0x02, 0x02, 0x08, 0x01, 0x10, 0x40, 0x80, 0xc0]);
    put(&mut bytes, 0x2c, &[0xf4, 0x1a, 0x00, 0x11, 0x01, 0x00, 0xe0, 0xfe]);
    put(&mut bytes, 0x3c, &[0x0b, 0x01]);
    let header = view(&bytes).header();
    assert_eq!((header.vendor_id(), header.device_id()), (0x1b36, 0x0010));
    assert_eq!(header.command(), Command::MEMORY_SPACE | Command::BUS_MASTER | Command::INTERRUPT_DISABLE);
    assert_eq!(header.status(), Status::IMMEDIATE_READINESS | Status::CAPABILITIES_LIST);
    assert_eq!(header.revision_id(), 2);
    assert_eq!(header.class_code(), ClassCode { base: 1, sub: 8, interface: 2 });
    assert_eq!((header.cache_line_size(), header.latency_timer(), header.bist()), (0x10, 0x40, 0xc0));
    assert_eq!((header.header_type(), header.multi_function()), (HeaderType::Endpoint, true));
    assert_eq!((header.interrupt_line(), header.interrupt_pin()), (11, 1));
    let Layout::Endpoint(endpoint) = header.layout() else { panic!("type 0") };
    assert_eq!((endpoint.subsystem_vendor_id(), endpoint.subsystem_id()), (0x1af4, 0x1100));
    assert!(endpoint.rom().enabled());
    assert_eq!(endpoint.rom().base(), 0xfee0_0000);
}

#[test]
fn base_address_registers() {
    let mut bytes = endpoint(64, 0);
    #[rustfmt::skip]
    put(&mut bytes, 0x10, &[
        0x0c, 0x00, 0x00, 0xe0, 0x01, 0x00, 0x00, 0x00, // 64 bits, prefetchable, above 4 GiB
        0x01, 0xe0, 0x00, 0x00, // I/O at E000h
        0x00, 0x00, 0x00, 0x00,
        0x02, 0x00, 0x0a, 0x00, // below 1 MiB, which nobody defines any more
        0x04, 0x00, 0x00, 0xf0, // 64 bits in the last place
    ]);
    let bars: Vec<_> = view(&bytes).header().bars().collect();
    assert_eq!(
        bars,
        [
            IndexedBar { index: 0, bar: Bar::Memory64 { base: 0x1_e000_0000, prefetchable: true } },
            IndexedBar { index: 2, bar: Bar::Io { base: 0xe000 } },
            IndexedBar { index: 3, bar: Bar::Unset },
            IndexedBar { index: 4, bar: Bar::Reserved { value: 0x000a_0002 } },
            IndexedBar { index: 5, bar: Bar::Broken64 },
        ]
    );
    bytes[0x0e] = 0x01;
    assert_eq!(view(&bytes).header().bars().count(), 1, "a bridge has two registers, here one BAR");
    bytes[0x0e] = 0x02;
    assert_eq!(view(&bytes).header().bars().count(), 1, "a CardBus bridge has one register");
    bytes[0x0e] = 0x7f;
    assert_eq!(view(&bytes).header().bars().count(), 0);
}

#[test]
fn a_bridge() {
    let mut bytes = endpoint(64, 0x40);
    bytes[0x0e] = 0x01;
    put(&mut bytes, 0x18, &[0x00, 0x02, 0x05, 0x20]);
    put(&mut bytes, 0x1c, &[0xe1, 0xf1, 0x00, 0x24]); // 32-bit I/O
    put(&mut bytes, 0x20, &[0x00, 0xe0, 0xf0, 0xe1, 0x01, 0xf0, 0xf1, 0xf0]);
    put(&mut bytes, 0x28, &[0x04, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x01, 0x00, 0x01, 0x00]);
    put(&mut bytes, 0x3e, &[0x43, 0x00]);
    let header = view(&bytes).header();
    let bridge = header.bridge().expect("type 1");
    assert_eq!(
        [bridge.primary_bus_number(), bridge.secondary_bus_number(), bridge.subordinate_bus_number()],
        [0, 2, 5]
    );
    assert_eq!(bridge.secondary_latency_timer(), 0x20);
    let status = bridge.secondary_status();
    assert_eq!(status, SecondaryStatus::RECEIVED_MASTER_ABORT | SecondaryStatus::from_bits_retain(2 << 9));
    assert_eq!(status.devsel_timing(), DevselTiming::Slow);
    assert_eq!(bridge.io_window(), Some(Window { base: 0x1_e000, limit: 0x1_ffff }));
    assert_eq!(bridge.memory_window(), Some(Window { base: 0xe000_0000, limit: 0xe1ff_ffff }));
    assert_eq!(bridge.prefetchable_window(), Some(Window { base: 0x4_f000_0000, limit: 0x5_f0ff_ffff }));
    assert_eq!(
        bridge.bridge_control(),
        BridgeControl::PARITY_ERROR_RESPONSE
            | BridgeControl::SERR_ENABLE
            | BridgeControl::SECONDARY_BUS_RESET
    );
    put(&mut bytes, 0x20, &[0xf0, 0xff, 0x00, 0x00]);
    assert_eq!(view(&bytes).header().bridge().and_then(|bridge| bridge.memory_window()), None, "closed");
}

#[test]
fn a_cardbus_bridge() {
    let mut bytes = endpoint(128, 0);
    bytes[0x0e] = 0x02;
    put(&mut bytes, 0x16, &[0x00, 0x80]);
    put(&mut bytes, 0x18, &[0x01, 0x02, 0x05, 0x20]);
    put(&mut bytes, 0x1c, &[0x00, 0x00, 0x00, 0xf0, 0x00, 0xf0, 0xff, 0xf1]); // memory 0
    put(&mut bytes, 0x24, &[0x00, 0x00, 0x00, 0xf4, 0x00, 0x00, 0x00, 0xf3]); // memory 1, closed
    put(&mut bytes, 0x2c, &[0x00, 0x10, 0x00, 0x00, 0xfc, 0x10, 0x00, 0x00]); // I/O 0, 16 bits
    put(&mut bytes, 0x34, &[0x01, 0x14, 0x01, 0x00, 0xfd, 0x14, 0x01, 0x00]); // I/O 1, 32 bits
    put(&mut bytes, 0x3e, &[0x40, 0x05]);
    let Layout::CardBus(bridge) = view(&bytes).header().layout() else { panic!("type 2") };
    assert_eq!(
        [bridge.primary_bus_number(), bridge.cardbus_bus_number(), bridge.subordinate_bus_number()],
        [1, 2, 5]
    );
    assert_eq!(
        bridge.bridge_control(),
        CardBusBridgeControl::CARDBUS_RESET
            | CardBusBridgeControl::MEMORY_0_PREFETCH_ENABLE
            | CardBusBridgeControl::WRITE_POSTING_ENABLE
    );
    assert_eq!(bridge.latency_timer(), 0x20);
    assert_eq!(bridge.secondary_status(), SecondaryStatus::DETECTED_PARITY_ERROR);
    let memory = Window { base: 0xf000_0000, limit: 0xf1ff_ffff };
    assert_eq!(bridge.memory_windows(), [Some(memory), None]);
    let ports = [Window { base: 0x1000, limit: 0x10ff }, Window { base: 0x1_1400, limit: 0x1_14ff }];
    assert_eq!(bridge.io_windows(), ports.map(Some));
}

#[test]
fn a_rom_tells_what_it_found_in_it() {
    let rom = RomBar(0xfe00_0057);
    assert!(rom.enabled());
    assert_eq!(
        (rom.base(), rom.validation_status(), rom.validation_details()),
        (0xfe00_0000, RomValidation::Trusted, 5)
    );
    assert_eq!(RomBar(0xc).validation_status(), RomValidation::ValidWithWarning);
}

#[test]
fn who_answers() {
    for absent in [0x0000_0000, 0xffff_ffff, 0x0000_ffff, 0xffff_0000] {
        assert_eq!(Presence::of(absent), Presence::Absent, "{absent:#010x}");
    }
    assert_eq!(Presence::of(0xffff_0001), Presence::RequestRetryStatus);
    assert_eq!(Presence::of(0x0010_1b36), Presence::Present);
    let bytes = vec![0xff; 64];
    let header = view(&bytes).header();
    assert_eq!((header.presence(), header.header_type()), (Presence::Absent, HeaderType::Unknown(0x7f)));
    assert_eq!(header.layout(), Layout::Unknown(0x7f));
}
