//! The guest's file system: a base for each kernel, kept in the cache, and an overlay for each scenario.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::cpio::Archive;
use super::kernel::{Kernel, Module};
use super::parts::Parts;
use super::scenario::Scenario;

/// Modules that a scenario may name in its header. pciehp, AER and DPC are built into Debian's kernels.
const MODULES: &[&str] = &[
    "vfio-pci",
    "vfio-iommu-type1",
    "nvme",
    "e1000e",
    "igb",
    "igbvf",
    "virtio-pci",
    "virtio-net",
    "virtio-blk",
    "virtio-rng",
    "virtio-iommu",
    "xhci-pci",
    "shpchp",
    "pci-stub",
    "8139too",
    "e1000",
    "snd-hda-intel",
    "vfat",
    "nls-cp437",
    "nls-ascii",
    "nls-iso8859-1",
    "ext4",
    "crc32c-generic",
    "dm-mod",
    "loop",
    "aer-inject",
    "9p",
    "9pnet-virtio",
];

/// The first program of the guest.
const INIT: &str = include_str!("../../../tests/guest/init.sh");

/// The base archive for a kernel: busybox, the modules, `/init`. Made once and then taken from the cache.
pub(crate) fn base(parts: &Parts, kernel: &Kernel) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    // The version of what is below, raised with each change to it.
    (MODULES, INIT, 2).hash(&mut hasher);
    let name = format!("base-{}-{:016x}.cpio", kernel.release, hasher.finish());
    let path = parts.cache.join(name);
    if path.exists() {
        return Ok(path);
    }
    let mut archive = Archive::new();
    let modules = format!("lib/modules/{}", kernel.release);
    for folder in
        ["bin", "dev", "lab", "lab/bin", "lib", "lib/modules", "mnt", "proc", "run", "sys", "tmp", &modules]
    {
        archive.folder(folder);
    }
    archive.program("bin/busybox", &fs::read(&parts.busybox).context("cannot read the static busybox")?);
    archive.link("bin/sh", "busybox");
    archive.link("sbin", "bin");
    archive.program("init", INIT.as_bytes());
    let loaded = kernel.modules(MODULES, &parts.busybox)?;
    for module in &loaded {
        archive.file(&format!("{modules}/{}.ko", module.name), &module.content);
    }
    let dependencies = modules_dep(&loaded);
    archive.file(&format!("{modules}/modules.dep"), dependencies.as_bytes());
    let partial = path.with_extension(format!("partial-{}", std::process::id()));
    fs::write(&partial, archive.finish()).with_context(|| format!("cannot write {}", partial.display()))?;
    fs::rename(&partial, &path)?;
    Ok(path)
}

/// The text of `modules.dep`, which `modprobe` reads: all that a module needs, also indirectly, in the reverse of the
/// order in which it is loaded.
fn modules_dep(modules: &[Module]) -> String {
    let mut needs: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    let mut text = String::new();
    for (index, module) in modules.iter().enumerate() {
        let mut all: BTreeSet<usize> = BTreeSet::new();
        for needed in &module.depends {
            all.extend(needs.get(needed.as_str()).into_iter().flatten());
        }
        text.push_str(&format!("{}.ko:", module.name));
        for needed in all.iter().rev() {
            text.push_str(&format!(" {}.ko", modules[*needed].name));
        }
        text.push('\n');
        all.insert(index);
        needs.insert(&module.name, all);
    }
    text
}

/// Programs that go into every overlay.
pub(crate) struct Programs {
    /// The tool under test.
    pub(crate) vfio_reset: PathBuf,
    /// The same as it was built here, for the host: it serves simulated functions.
    pub(crate) server: PathBuf,
    /// The other tool under test.
    pub(crate) romtools: PathBuf,
    /// The lab's own measuring tool (`tests/src/bin/lab-tool.rs`).
    pub(crate) lab_tool: PathBuf,
}

/// Writes a complete initramfs: the base, and the overlay with programs, helper functions and script.
pub(crate) fn write(
    to: &Path,
    base: &Path,
    programs: &Programs,
    library: &str,
    scenario: &Scenario,
) -> Result<()> {
    let mut overlay = Archive::new();
    let Programs { vfio_reset, romtools, lab_tool, .. } = programs;
    for (name, path) in [("vfio-reset", vfio_reset), ("romtools", romtools), ("lab-tool", lab_tool)] {
        let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        overlay.program(&format!("lab/bin/{name}"), &content);
    }
    overlay.file("lab/lib.sh", library.as_bytes());
    overlay.file("lab/scenario.sh", scenario.script.as_bytes());
    overlay.file("lab/name", format!("{}\n", scenario.name).as_bytes());
    if !scenario.files.is_empty() {
        overlay.folder("lab/files");
    }
    for file in &scenario.files {
        let path = crate::workspace().join(file);
        let content = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("unnamed");
        overlay.file(&format!("lab/files/{name}"), &content);
    }
    let mut modules = vec!["vfio-pci".to_owned(), "vfio-iommu-type1".to_owned()];
    modules.extend(scenario.modules.iter().cloned());
    overlay.file("lab/modules", format!("{}\n", modules.join("\n")).as_bytes());
    let mut bytes = fs::read(base).with_context(|| format!("cannot read {}", base.display()))?;
    bytes.extend_from_slice(&overlay.finish());
    fs::write(to, bytes).with_context(|| format!("cannot write {}", to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_dep_lists_indirect_needs_with_the_deepest_last() {
        let module = |name: &str, depends: &[&str]| Module {
            name: name.into(),
            depends: depends.iter().map(|name| (*name).into()).collect(),
            content: Vec::new(),
        };
        let modules = [module("vfio", &[]), module("core", &["vfio"]), module("pci", &["core"])];
        assert_eq!(modules_dep(&modules), "vfio.ko:\ncore.ko: vfio.ko\npci.ko: core.ko vfio.ko\n");
    }
}
