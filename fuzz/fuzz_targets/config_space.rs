//! The walks, the typed views and all that they print, from arbitrary bytes.
#![no_main]

use std::fmt::{self, Debug, Write};

use libfuzzer_sys::fuzz_target;
use pcicfg::ConfigSpace;

/// Takes text and forgets it: formatting costs no memory, whatever a view yields.
struct Sink;

impl Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        std::hint::black_box(text);
        Ok(())
    }
}

fn show(value: &impl Debug) {
    write!(Sink, "{value:?}").expect("the sink takes everything");
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(space) = ConfigSpace::new(bytes) else {
        assert!(!(64..=4096).contains(&bytes.len()));
        return;
    };
    let header = space.header();
    show(&(header.command(), header.status(), header.class_code(), header.header_type(), header.layout()));
    show(&header.bars().collect::<Vec<_>>());
    if let Some(bridge) = header.bridge() {
        show(&(bridge.prefetchable_window(), bridge.rom(), bridge.bridge_control()));
    }
    // A list cannot have more members than its bytes have dwords, and one defect.
    let mut steps = 0;
    for entry in space.capabilities() {
        steps += 1;
        assert!(steps <= 48 + 1);
        match entry {
            Ok(entry) => {
                show(&(entry.id(), entry.offset(), entry.bytes().len()));
                show(&entry.decode());
            }
            Err(defect) => show(&defect),
        }
    }
    let mut steps = 0;
    for entry in space.extended_capabilities() {
        steps += 1;
        assert!(steps <= 960 + 1);
        match entry {
            Ok(entry) => {
                show(&(entry.id(), entry.version(), entry.offset(), entry.bytes().len()));
                show(&entry.decode());
            }
            Err(defect) => show(&defect),
        }
    }
});
