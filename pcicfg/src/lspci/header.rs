//! What `-v` prints of the header, up to the capabilities.

use super::names::Naming;
use super::{Options, Subject, Text, bars, bridge, capability, cardbus};

const BUS_MASTER: u16 = 1 << 2;

/// A kind of header that lspci knows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Endpoint,
    Bridge,
    CardBus,
    Unknown,
}

pub(super) fn write(text: &mut Text, subject: &Subject<'_>, options: &Options, naming: Naming<'_>) {
    let verbose = options.verbose;
    let layout = layout(text, subject);
    let system = subject.system().copied().unwrap_or_default();
    if let Some(slot) = system.physical_slot {
        text.str("\tPhysical Slot: ").str(slot).end();
    }
    if let Some(node) = system.device_tree_node {
        text.str("\tDevice tree node: ").str(node).end();
    }
    let irq = system.irq.unwrap_or_else(|| subject.u8(0x3c).into());
    if verbose > 1 {
        if layout != Layout::Unknown {
            write_registers(text, subject, layout);
        }
        let pin = if layout == Layout::Unknown { 0 } else { subject.u8(0x3d) };
        if pin != 0 || irq != 0 {
            text.str("\tInterrupt: pin ").byte(if pin == 0 { b'?' } else { (b'A' - 1).wrapping_add(pin) });
            text.str(" routed to IRQ ").dec(irq.into()).end();
        }
        if let Some(node) = system.numa_node {
            text.str("\tNUMA node: ").signed(node.into()).end();
        }
        if let Some(group) = system.iommu_group {
            text.str("\tIOMMU group: ").str(group).end();
        }
    } else if layout != Layout::Unknown {
        write_short_flags(text, subject);
        if irq != 0 {
            text.str(", IRQ ").dec(irq.into());
        }
        if let Some(node) = system.numa_node {
            text.str(", NUMA node ").signed(node.into());
        }
        if let Some(group) = system.iommu_group {
            text.str(", IOMMU group ").str(group);
        }
        text.end();
    }
    let self_test = subject.u8(0x0f);
    if layout != Layout::Unknown && self_test & 0x80 != 0 {
        match self_test & 0x40 {
            0 => text.str("\tBIST result: ").hex2(self_test & 0x0f).end(),
            _ => text.str("\tBIST is running\n"),
        };
    }
    match layout {
        Layout::Endpoint => {
            bars::write(text, subject, 6, verbose);
            bars::write_rom(text, subject, Some(0x30));
            capability::write_list(text, subject, 0x34, verbose, naming);
        }
        Layout::Bridge => bridge::write(text, subject, verbose, naming),
        Layout::CardBus => cardbus::write(text, subject, verbose, naming),
        Layout::Unknown if options.bus_centric => {}
        Layout::Unknown => {
            bars::write(text, subject, 6, verbose);
            bridge::write_windows_of_system(text, subject, verbose);
            bars::write_rom(text, subject, None);
        }
    }
}

/// The layout, with a complaint if the class does not go with it.
fn layout(text: &mut Text, subject: &Subject<'_>) -> Layout {
    if !subject.has_header() {
        return Layout::Unknown;
    }
    let (kind, class) = (subject.header_type(), subject.class());
    let (layout, valid) = match kind {
        0 => (Layout::Endpoint, class != 0x0604),
        1 => (Layout::Bridge, class >> 8 == 0x06),
        2 => (Layout::CardBus, class >> 8 == 0x06),
        _ => {
            text.str("\t!!! Unknown header type ").hex2(kind).end();
            return Layout::Unknown;
        }
    };
    if !valid {
        text.str("\t!!! Invalid class ").hex4(class).str(" for header type ").hex2(kind).end();
    }
    layout
}

/// How fast the function claims a transaction, from Status or Secondary Status.
pub(super) fn device_select(status: u16) -> &'static str {
    ["fast", "medium", "slow", "??"][usize::from(status >> 9 & 3)]
}

fn write_registers(text: &mut Text, subject: &Subject<'_>, layout: Layout) {
    let (command, status) = (subject.command(), subject.status());
    text.str("\tControl:")
        .flags(
            command.into(),
            &[
                ("I/O", 0),
                ("Mem", 1),
                ("BusMaster", 2),
                ("SpecCycle", 3),
                ("MemWINV", 4),
                ("VGASnoop", 5),
                ("ParErr", 6),
                ("Stepping", 7),
                ("SERR", 8),
                ("FastB2B", 9),
                ("DisINTx", 10),
            ],
        )
        .str("\n\tStatus:")
        .flags(status.into(), &[("Cap", 4), ("66MHz", 5), ("UDF", 6), ("FastB2B", 7), ("ParErr", 8)])
        .str(" DEVSEL=")
        .str(device_select(status))
        .flags(
            status.into(),
            &[(">TAbort", 11), ("<TAbort", 12), ("<MAbort", 13), (">SERR", 14), ("<PERR", 15), ("INTx", 3)],
        )
        .end();
    if command & BUS_MASTER != 0 {
        write_latency(text, subject, layout);
    }
}

fn write_latency(text: &mut Text, subject: &Subject<'_>, layout: Layout) {
    text.str("\tLatency: ").dec(subject.u8(0x0d).into());
    // In units of 250 ns.
    let (grant, latency) =
        if layout == Layout::Endpoint { (subject.u8(0x3e), subject.u8(0x3f)) } else { (0, 0) };
    if grant != 0 || latency != 0 {
        text.str(" (");
        if grant != 0 {
            text.dec(u64::from(grant) * 250).str("ns min");
        }
        if grant != 0 && latency != 0 {
            text.str(", ");
        }
        if latency != 0 {
            text.dec(u64::from(latency) * 250).str("ns max");
        }
        text.str(")");
    }
    let cache_line = subject.u8(0x0c);
    if cache_line != 0 {
        text.str(", Cache Line Size: ").dec(u64::from(cache_line) * 4).str(" bytes");
    }
    text.end();
}

/// What a single `-v` prints of Command and Status.
fn write_short_flags(text: &mut Text, subject: &Subject<'_>) {
    let (command, status) = (subject.command(), subject.status());
    text.str("\tFlags: ");
    for (register, bit, name) in [
        (command, 2, "bus master, "),
        (command, 5, "VGA palette snoop, "),
        (command, 7, "stepping, "),
        (command, 9, "fast Back2Back, "),
        (status, 5, "66MHz, "),
        (status, 6, "user-definable features, "),
    ] {
        if register >> bit & 1 != 0 {
            text.str(name);
        }
    }
    text.str(device_select(status)).str(" devsel");
    if command & BUS_MASTER != 0 {
        text.str(", latency ").dec(subject.u8(0x0d).into());
    }
}
