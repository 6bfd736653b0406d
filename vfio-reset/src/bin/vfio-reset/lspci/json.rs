//! `vfio-reset lspci --json`: every function as a typed tree.
//!
//! The functions are written one by one, each on a line of its own: a host with thousands of them needs no
//! more memory than one with a few.

use super::functions::Functions;
use super::sparse::Space;
use super::writer::Writer;
use pcicfg::header::ClassCode;
use pcicfg::lspci::{Filter, Identifiers, Names, Resource, Subject, System};
use pcicfg::tree::Tree;
use pcicfg::{Address, ConfigSpace};
use serde::Serialize;
use vfio_reset::Error;
use vfio_reset::json::SCHEMA;

/// A function, with what the system knows of it.
#[derive(Serialize)]
struct Document<'a> {
    address: Address,
    #[serde(flatten)]
    tree: Tree<'a>,
    class_name: Option<&'a str>,
    vendor_name: Option<&'a str>,
    device_name: Option<&'a str>,
    /// Not known of a dump.
    system: Option<SystemDocument<'a>>,
}

#[derive(Serialize)]
struct SystemDocument<'a> {
    driver: Option<&'a str>,
    modules: &'a [&'a str],
    iommu_group: Option<u32>,
    numa_node: Option<i32>,
    irq: Option<u32>,
    slot: Option<&'a str>,
    label: Option<&'a str>,
    resources: Vec<ResourceDocument>,
}

/// A range that the kernel gave the function.
#[derive(Serialize)]
struct ResourceDocument {
    index: usize,
    start: u64,
    end: u64,
    size: Option<u64>,
    flags: u64,
}

/// Writes all functions that are wanted.
///
/// # Errors
/// They cannot be written.
pub(super) fn write(
    functions: &Functions,
    filter: &Filter,
    identifiers: Identifiers,
    names: &dyn Names,
) -> Result<(), Error> {
    let mut out = Writer::new();
    out.text().str("{\"schema\":").dec(SCHEMA.into()).str(",\"functions\":[");
    let (mut room, mut separator) = (Space::new(), "\n");
    let mut function = Vec::new();
    for index in 0..functions.len() {
        functions.with(index, &mut room, |subject| {
            if filter.matches(subject) {
                let names = (identifiers != Identifiers::Numbers).then_some(names);
                function.clear();
                // Nothing in it can fail, and memory does not.
                let _ = serde_json::to_writer(&mut function, &document(subject, names));
                let text = std::str::from_utf8(&function).unwrap_or_default();
                out.text().str(std::mem::replace(&mut separator, ",\n")).str(text);
            }
        });
        if !out.go_on()? {
            return Ok(());
        }
    }
    out.text().str("\n]}\n");
    out.end().map(drop)
}

fn document<'a>(subject: &Subject<'a>, names: Option<&'a dyn Names>) -> Document<'a> {
    let bytes = subject.bytes();
    let header = ConfigSpace::new(bytes).ok().map(ConfigSpace::header);
    let (vendor, device) = header.map_or((0xffff, 0xffff), |header| (header.vendor_id(), header.device_id()));
    let class = header.map(|header| header.class_code());
    Document {
        address: subject.address(),
        tree: Tree::new(bytes),
        class_name: names.zip(class).and_then(|(names, ClassCode { base, sub, .. })| {
            names.sub_class(base, sub).or_else(|| names.base_class(base))
        }),
        vendor_name: names.and_then(|names| names.vendor(vendor)),
        device_name: names.and_then(|names| names.device(vendor, device)),
        system: subject.system().map(system),
    }
}

fn system<'a>(system: &'a System<'a>) -> SystemDocument<'a> {
    let used = system.resources.iter().enumerate().filter(|(_, range)| range.end != 0);
    SystemDocument {
        driver: system.driver,
        modules: system.modules,
        iommu_group: system.iommu_group.and_then(|group| group.parse().ok()),
        numa_node: system.numa_node,
        irq: system.irq,
        slot: system.physical_slot,
        label: system.label.map(str::trim_end),
        resources: used.map(|(index, range)| resource(index, *range)).collect(),
    }
}

fn resource(index: usize, range: Resource) -> ResourceDocument {
    let Resource { start, end, flags } = range;
    let size = end.checked_sub(start).and_then(|last| last.checked_add(1));
    ResourceDocument { index, start, end, size, flags }
}
