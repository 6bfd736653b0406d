//! Output for programs: `-m`, `-mm`, `-vm`, `-vmm`.

use super::names::Naming;
use super::{Options, Subject, Text, terse};

pub(super) fn write(text: &mut Text, subject: &Subject<'_>, options: &Options, naming: Naming<'_>) {
    if options.verbose > 0 {
        write_record(text, subject, options, naming);
    } else {
        write_line(text, subject, options, naming);
    }
}

fn write_address(text: &mut Text, subject: &Subject<'_>, options: &Options) {
    terse::write_address(text, subject, options, options.domain || subject.address().domain() != 0);
}

/// One line, each part in quotes.
fn write_line(text: &mut Text, subject: &Subject<'_>, options: &Options, naming: Naming<'_>) {
    let (vendor, device) = (subject.vendor_id(), subject.device_id());
    let mut part = Text::new();
    let mut quoted = |text: &mut Text, write: &dyn Fn(&mut Text)| {
        part.clear();
        write(&mut part);
        text.str(" \"");
        for &byte in part.as_bytes() {
            if matches!(byte, b'"' | b'\\') {
                text.str("\\");
            }
            text.byte(byte);
        }
        text.str("\"");
    };
    write_address(text, subject, options);
    quoted(text, &|part| naming.class(part, subject.class()));
    quoted(text, &|part| naming.vendor(part, vendor));
    quoted(text, &|part| naming.device(part, vendor, device));
    let revision = subject.revision();
    if revision != 0 {
        text.str(" -r").hex2(revision);
    }
    text.str(" -p").hex2(subject.interface());
    match terse::subsystem(subject) {
        Some(ids) => {
            quoted(text, &|part| naming.subsystem_vendor(part, ids.0));
            quoted(text, &|part| naming.subsystem_device(part, (vendor, device), ids));
        }
        None => {
            text.str(" \"\" \"\"");
        }
    }
    text.end();
}

/// One line for each part, with its name before it.
fn write_record(text: &mut Text, subject: &Subject<'_>, options: &Options, naming: Naming<'_>) {
    let (vendor, device) = (subject.vendor_id(), subject.device_id());
    let system = subject.system().copied().unwrap_or_default();
    text.str(if options.machine >= 2 { "Slot:\t" } else { "Device:\t" });
    write_address(text, subject, options);
    text.str("\nClass:\t");
    naming.class(text, subject.class());
    text.str("\nVendor:\t");
    naming.vendor(text, vendor);
    text.str("\nDevice:\t");
    naming.device(text, vendor, device);
    text.end();
    if let Some(ids) = terse::subsystem(subject) {
        text.str("SVendor:\t");
        naming.subsystem_vendor(text, ids.0);
        text.str("\nSDevice:\t");
        naming.subsystem_device(text, (vendor, device), ids);
        text.end();
    }
    if let Some(slot) = system.physical_slot {
        text.str("PhySlot:\t").str(slot).end();
    }
    let revision = subject.revision();
    if revision != 0 {
        text.str("Rev:\t").hex2(revision).end();
    }
    text.str("ProgIf:\t").hex2(subject.interface()).end();
    if options.kernel {
        if let Some(driver) = system.driver {
            text.str("Driver:\t").str(driver).end();
        }
        for module in terse::modules(&system) {
            text.str("Module:\t").str(module).end();
        }
    }
    if let Some(node) = system.numa_node {
        text.str("NUMANode:\t").signed(node.into()).end();
    }
    if let Some(node) = system.device_tree_node {
        text.str("DTNode:\t").str(node).end();
    }
    if let Some(group) = system.iommu_group {
        text.str("IOMMUGroup:\t").str(group).end();
    }
}
