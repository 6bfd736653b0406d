//! A tree as sysfs has it, of the functions of [`host`](crate::host): folders below their bridges, links, attributes.
//!
//! It stands in ordinary files. Opening and reading those costs another time than sysfs's own, the same for all who
//! read them.

use crate::host::Function;
use pcicfg::ConfigSpace;
use pcicfg::bar::Bar;
use pcicfg::header::HeaderType;
use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Makes the tree below `root`, with `sys` and `proc` in it. What is there is replaced.
///
/// # Errors
/// A file cannot be made.
pub fn make(root: &Path, functions: &[Function]) -> io::Result<()> {
    if root.exists() {
        fs::remove_dir_all(root)?;
    }
    let sys = root.join("sys");
    for folder in ["bus/pci/devices", "bus/pci/slots", "bus/pci/drivers", "kernel/iommu_groups"] {
        fs::create_dir_all(sys.join(folder))?;
    }
    fs::create_dir_all(root.join("proc/sys/kernel"))?;
    fs::write(root.join("proc/sys/kernel/osrelease"), "6.12.0\n")?;
    // Where the bus below each bridge is, as a folder below `sys`.
    let mut buses: HashMap<(u32, u8), PathBuf> = HashMap::new();
    for (group, function) in functions.iter().enumerate() {
        let address = function.address;
        let bus = buses
            .get(&(address.domain(), address.bus()))
            .cloned()
            .unwrap_or_else(|| format!("devices/pci{:04x}:{:02x}", address.domain(), address.bus()).into());
        let folder = bus.join(address.to_string());
        if let Ok(space) = ConfigSpace::new(&function.config)
            && let Some(bridge) = space.header().bridge()
        {
            buses.insert((address.domain(), bridge.secondary_bus_number()), folder.clone());
        }
        one(&sys, &folder, group, function)?;
        symlink(Path::new("../../..").join(&folder), sys.join("bus/pci/devices").join(address.to_string()))?;
    }
    Ok(())
}

/// What the kernel shows of a function.
fn one(sys: &Path, folder: &Path, group: usize, function: &Function) -> io::Result<()> {
    let own = sys.join(folder);
    fs::create_dir_all(&own)?;
    let config = &function.config;
    fs::write(own.join("config"), config)?;
    let Ok(space) = ConfigSpace::new(config) else { return Ok(()) };
    let header = space.header();
    let class = header.class_code().to_u32();
    let id = |at: u16| space.read_u16(at).unwrap_or(0xffff);
    for (name, text) in [
        ("vendor", format!("0x{:04x}\n", header.vendor_id())),
        ("device", format!("0x{:04x}\n", header.device_id())),
        ("class", format!("0x{class:06x}\n")),
        ("revision", format!("0x{:02x}\n", header.revision_id())),
        ("subsystem_vendor", format!("0x{:04x}\n", id(0x2c))),
        ("subsystem_device", format!("0x{:04x}\n", id(0x2e))),
        ("irq", format!("{}\n", 16 + group % 200)),
        ("numa_node", "-1\n".to_owned()),
        ("power_state", "D0\n".to_owned()),
        ("enable", "1\n".to_owned()),
        ("resource", resources(space)),
        ("modalias", format!("pci:v{:08X}d{:08X}\n", header.vendor_id(), header.device_id())),
    ] {
        fs::write(own.join(name), text)?;
    }
    let bridge = header.header_type() == HeaderType::Bridge;
    let flr = space.pci_express().is_some_and(|express| express.function_level_reset_capable());
    // On a root bus there is no bridge that could reset it.
    let methods = match (flr, function.address.bus() != 0) {
        _ if bridge => "",
        (true, true) => "flr bus\n",
        (true, false) => "flr\n",
        (false, true) => "bus\n",
        (false, false) => "",
    };
    if !methods.is_empty() {
        fs::write(own.join("reset_method"), methods)?;
        fs::write(own.join("reset"), "")?;
    }
    let up: PathBuf = std::iter::repeat_n("..", folder.components().count()).collect();
    let link = |name: &str, target: String| {
        fs::create_dir_all(sys.join(&target))?;
        symlink(up.join(target), own.join(name))
    };
    link("subsystem", "bus/pci".to_owned())?;
    link("iommu_group", format!("kernel/iommu_groups/{group}"))?;
    if let Some(driver) = driver(class, bridge) {
        link("driver", format!("bus/pci/drivers/{driver}"))?;
    }
    Ok(())
}

/// The driver that such a function usually has.
fn driver(class: u32, bridge: bool) -> Option<&'static str> {
    match class >> 8 {
        _ if bridge => Some("pcieport"),
        0x0108 => Some("nvme"),
        0x0106 => Some("ahci"),
        0x0200 => Some("mlx5_core"),
        0x0300 | 0x0403 => Some("vfio-pci"),
        0x0c03 => Some("xhci_hcd"),
        _ => None,
    }
}

/// `resource`: first and last address and flags of six BARs, the ROM, six BARs of virtual functions, four windows.
fn resources(space: ConfigSpace<'_>) -> String {
    const SIZE: u64 = 0x4000;
    let mut lines = [(0u64, 0u64, 0u64); 17];
    for indexed in space.header().bars() {
        let Some(line) = lines.get_mut(usize::from(indexed.index)) else { continue };
        let (address, flags) = match indexed.bar {
            Bar::Memory32 { base, .. } => (base.into(), 0x0004_0200),
            Bar::Memory64 { base, .. } => (base, 0x0014_220c),
            Bar::Io { base } => (base.into(), 0x0004_0101),
            _ => continue,
        };
        *line = (address, address + (SIZE - 1), flags);
    }
    let mut text = String::new();
    for (start, end, flags) in lines {
        // A String takes everything.
        let _ = writeln!(text, "0x{start:016x} 0x{end:016x} 0x{flags:016x}");
    }
    text
}

/// Where lspci finds the tree of [`make`]: the value of its option `sysfs.path`.
#[must_use]
pub fn path_for_lspci(root: &Path) -> PathBuf {
    root.join("sys/bus/pci")
}
