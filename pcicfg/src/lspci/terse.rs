//! The first line of a function, and what stands right below and at the end of it.

use super::names::Naming;
use super::{Options, Subject, System, Text, walk};

/// The address, with its domain and the bridges above it if they are wanted.
pub(super) fn write_address(text: &mut Text, subject: &Subject<'_>, options: &Options, domain: bool) {
    let address = subject.address();
    if domain {
        text.hex(4, address.domain().into()).str(":");
    }
    let bridges = if options.path > 0 { subject.bridges() } else { &[] };
    for (number, step) in bridges.iter().chain([&address]).enumerate() {
        if number > 0 {
            text.str("/");
        }
        if number == 0 || options.path > 1 {
            text.hex2(step.bus()).str(":");
        }
        text.hex2(step.device()).str(".").dec(step.function().into());
    }
}

pub(super) fn write(text: &mut Text, subject: &Subject<'_>, options: &Options, naming: Naming<'_>) {
    write_address(text, subject, options, options.domain);
    let class = subject.class();
    text.str(" ");
    naming.class(text, class);
    text.str(": ");
    naming.vendor_and_device(text, subject.vendor_id(), subject.device_id());
    let revision = subject.revision();
    if revision != 0 {
        text.str(" (rev ").hex2(revision).str(")");
    }
    if options.verbose > 0 {
        naming.interface(text, class, subject.interface());
    }
    text.end();
    if options.verbose > 0 || options.kernel {
        if let Some(label) = subject.system().and_then(|system| system.label) {
            // No line end: lspci has none, either.
            text.str("\tDeviceName: ").str(label);
        }
        if let Some(ids) = subsystem(subject) {
            text.str("\tSubsystem: ");
            naming.subsystem(text, (subject.vendor_id(), subject.device_id()), ids);
            text.end();
        }
    }
}

/// Vendor and device of the subsystem, where they are for this kind of header; `None` if they mean nothing.
pub(super) fn subsystem(subject: &Subject<'_>) -> Option<(u16, u16)> {
    let ids = match (subject.subsystem_of_system(), subject.header_type()) {
        (Some(ids), _) => ids,
        (None, 0) => ids_at(subject, 0x2c),
        (None, 1) => ids_at(subject, walk::find(subject, walk::SUBSYSTEM)? + 4),
        (None, 2) => ids_at(subject, 0x40),
        (None, _) => return None,
    };
    (ids.0 != 0 && ids.0 != 0xffff).then_some(ids)
}

fn ids_at(subject: &Subject<'_>, at: usize) -> (u16, u16) {
    (subject.u16(at), subject.u16(at + 2))
}

pub(super) fn write_kernel(text: &mut Text, subject: &Subject<'_>) {
    let Some(system) = subject.system() else { return };
    if let Some(driver) = system.driver {
        text.str("\tKernel driver in use: ").str(driver).end();
    }
    let mut separator = "\tKernel modules: ";
    for module in modules(system) {
        text.str(core::mem::replace(&mut separator, ", ")).str(module);
    }
    if separator == ", " {
        text.end();
    }
}

/// The modules, one that is there twice in a row once.
pub(super) fn modules<'s>(system: &'s System<'_>) -> impl Iterator<Item = &'s str> {
    let mut previous = None;
    system.modules.iter().copied().filter(move |module| previous.replace(*module) != Some(*module))
}
