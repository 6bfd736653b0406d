//! Records a machine, for somebody else to look at: `vfio-reset capture`.
//!
//! A capture is a folder, or the same as a `.tar.gz`, and
//! [`Captured`](crate::machine::captured::Captured) opens both:
//!
//! | file | what it holds |
//! |---|---|
//! | `manifest.json` | schema, version of this tool, name and kind of the machine, time, kernel release, lockdown, what could not be read |
//! | `lspci-xxxx.txt` | every function's configuration space, as `lspci -D -nn -xxxx` writes it and `lspci -F` reads it |
//! | `functions.json` | every function's facts (driver, IOMMU group, reset methods, power state, address ranges, slot, label) and users (block devices with their mount points, interfaces, processes with VFIO devices) |
//! | `kernel.log` | the kernel's messages that mention PCI, VFIO or an IOMMU; all of them if they are few |
//!
//! # What it gives away
//! Configuration space may hold a Device Serial Number, from which a network card's MAC address can be
//! told. `functions.json` has mount points and names of volumes, interfaces and processes. From the log,
//! lines with serial numbers are left out and MAC addresses are masked; of the kernel's command line
//! only parameters that bear on devices stay. Nothing else of the host is read.

pub(crate) mod format;
pub(crate) mod log;
mod write;

use crate::error::{Error, Result};
use crate::inventory::PATIENCE;
use crate::machine::{Detail, LogMark, Machine, Reading};
use crate::pci_ids::PciIds;
use format::{Functions, Recorded};
use pcicfg::dump::{Style, write_function};
use pcicfg::{Address, ConfigSpace};
use serde::Serialize;
use std::path::{Path, PathBuf};

pub use format::Manifest;

/// What [`capture`] wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaptureSummary {
    /// The folder or archive.
    pub target: PathBuf,
    /// How many functions are in it.
    pub functions: usize,
    /// How many of them have no more than their header in it: the kernel shows more only to root.
    pub header_only: usize,
    /// How many lines of the kernel log are in it.
    pub log_lines: usize,
    /// How many lines of the kernel log were left out.
    pub log_lines_left_out: usize,
    /// What could not be read, and why.
    pub unreadable: Vec<String>,
}

/// Records `machine` in `target`: an archive if that ends in `.tar.gz` or `.tgz`, else a folder.
///
/// A function that cannot be read, or goes away meanwhile, is noted and stepped over.
///
/// # Errors
/// When there is a `target` already, it cannot be written, or the functions cannot be listed.
pub fn capture(machine: &dyn Machine, target: &Path) -> Result<CaptureSummary> {
    // Before all the reading; creating it says so again.
    write::must_not_exist(target)?;
    let mut unreadable = Vec::new();
    let mut note = |what: &str, error: Error| unreadable.push(format!("{what}: {error}"));

    let host = machine.host().unwrap_or_else(|e| {
        note("host", e);
        Default::default()
    });
    let names = PciIds::load();
    let mut dump = String::new();
    let mut functions = Functions::default();
    let mut header_only = 0;
    // For those that are being reset, all together.
    let mut patience = PATIENCE;
    for address in machine.functions()? {
        let mut recorded = Recorded::default();
        let facts = machine.facts(address);
        let has_facts = facts.is_ok();
        match facts {
            Ok(facts) => recorded.facts = facts,
            Err(Error::NoSuchFunction { .. }) => continue,
            Err(e) => note("facts", e),
        }
        let begin = machine.clock().now();
        let config = match machine.read_functions(&[address], Detail::All, patience) {
            Ok(read) => match read.into_iter().next().map(|read| read.config) {
                Some(Reading::Bytes(config)) => Ok(config),
                Some(Reading::BeingReset(_)) => {
                    patience = patience.saturating_sub(machine.clock().now().saturating_sub(begin));
                    Err(Error::BeingReset { address, budget: PATIENCE })
                }
                None => continue,
            },
            Err(error) if has_facts => Err(error),
            // The facts again, and the other half may be readable.
            Err(_) => machine.config(address),
        };
        // Who uses it is found out by opening its disks, which waits for their reset.
        if !matches!(config, Err(Error::BeingReset { .. })) {
            match machine.users(address) {
                Ok(users) => recorded.users = users,
                Err(e) => note("users", e),
            }
        }
        match config {
            Ok(config) => {
                header_only += usize::from(config.len() < ConfigSpace::CONVENTIONAL);
                write_config(&mut dump, address, &config, &names);
            }
            Err(e) => note("configuration space", e),
        }
        functions.functions.insert(address, recorded);
    }
    let lines = machine.kernel_log(LogMark::default()).unwrap_or_else(|e| {
        note("kernel log", e);
        Vec::new()
    });
    let kept = log::select(&lines);

    let manifest = Manifest::new(machine, host, unreadable.clone());
    write::write(
        target,
        &[
            (format::MANIFEST, format::to_json(&manifest)?),
            (format::DUMP, dump.into_bytes()),
            (format::FUNCTIONS, format::to_json(&functions)?),
            (format::LOG, log::to_text(&kept).into_bytes()),
        ],
        manifest.time,
    )?;
    Ok(CaptureSummary {
        target: target.to_path_buf(),
        functions: functions.functions.len(),
        header_only,
        log_lines: kept.len(),
        log_lines_left_out: lines.len() - kept.len(),
        unreadable,
    })
}

/// Writes a function as `lspci -D -nn -xxxx` does.
fn write_config(out: &mut String, address: Address, config: &[u8], names: &PciIds) {
    let description = ConfigSpace::new(config).map_or_else(
        |_| String::new(),
        |space| {
            let header = space.header();
            let (class, vendor, device) = (header.class_code(), header.vendor_id(), header.device_id());
            format!(
                "{} [{:04x}]: {} {} [{vendor:04x}:{device:04x}]",
                names.class(class).unwrap_or("Class"),
                class.to_u32() >> 8,
                names.vendor(vendor).unwrap_or("Vendor"),
                names.device(vendor, device).unwrap_or("Device"),
            )
        },
    );
    // Into a String nothing can fail.
    let _ = write_function(out, address, &description, config, Style { domain: true, ..Style::default() });
}
