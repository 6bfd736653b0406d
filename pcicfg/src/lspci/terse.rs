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
    naming.vendor_and_device(text, subject.u16(0), subject.u16(2));
    let revision = subject.u8(0x08);
    if revision != 0 {
        text.str(" (rev ").hex2(revision).str(")");
    }
    if options.verbose > 0 {
        naming.interface(text, class, subject.u8(0x09));
    }
    text.end();
    if options.verbose > 0 || options.kernel {
        if let Some(label) = subject.system().and_then(|system| system.label) {
            // No line end: lspci has none, either.
            text.str("\tDeviceName: ").str(label);
        }
        if let Some(ids) = subsystem(subject) {
            text.str("\tSubsystem: ");
            naming.subsystem(text, (subject.u16(0), subject.u16(2)), ids);
            text.end();
        }
    }
}

/// Vendor and device of the subsystem, where they are for this kind of header; `None` if they mean nothing.
pub(super) fn subsystem(subject: &Subject<'_>) -> Option<(u16, u16)> {
    let at = match subject.header_type() {
        0 => 0x2c,
        1 => walk::find(subject, walk::SUBSYSTEM)? + 4,
        2 => 0x40,
        _ => return None,
    };
    let ids = (subject.u16(at), subject.u16(at + 2));
    (ids.0 != 0 && ids.0 != 0xffff).then_some(ids)
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
