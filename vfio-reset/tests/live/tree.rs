//! A made-up host: `sys`, `proc` and `dev` in a temporary folder, with the links of a real one.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use vfio_reset::machine::live::Live;

pub(crate) struct Tree {
    folder: tempfile::TempDir,
}

impl Tree {
    /// A host with a kernel, and without a function.
    pub(crate) fn new() -> Self {
        let tree = Self { folder: tempfile::tempdir().unwrap() };
        tree.file("proc/sys/kernel/osrelease", "6.12.95+deb12-amd64\n");
        for folder in ["sys/bus/pci/devices", "sys/class/block", "sys/class/net", "proc/self"] {
            fs::create_dir_all(tree.path(folder)).unwrap();
        }
        tree
    }

    pub(crate) fn live(&self) -> Live {
        Live::with_root(self.folder.path())
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Writes a file, with its folders.
    pub(crate) fn file(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Makes a link, with its folders; its target may be missing.
    pub(crate) fn link(&self, path: &str, target: impl AsRef<Path>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    /// A function at `path` below `sys/devices`, such as `pci0000:00/0000:00:01.0/0000:01:00.0`.
    pub(crate) fn function(&self, path: &str, config: &[u8]) -> Function<'_> {
        let address = path.rsplit('/').next().unwrap();
        self.file(&format!("sys/devices/{path}/config"), config);
        self.link(&format!("sys/bus/pci/devices/{address}"), format!("../../../devices/{path}"));
        Function { tree: self, path: format!("sys/devices/{path}") }
    }

    /// A device of a class at `path` below `sys/devices`, such as `.../nvme/nvme0/nvme0n1`.
    pub(crate) fn class(&self, class: &str, path: &str) {
        let name = path.rsplit('/').next().unwrap();
        fs::create_dir_all(self.path(&format!("sys/devices/{path}"))).unwrap();
        self.link(&format!("sys/class/{class}/{name}"), format!("../../devices/{path}"));
    }
}

pub(crate) struct Function<'t> {
    tree: &'t Tree,
    path: String,
}

impl Function<'_> {
    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        self.tree.file(&format!("{}/{name}", self.path), content);
        self
    }

    pub(crate) fn link(self, name: &str, target: &str) -> Self {
        self.tree.link(&format!("{}/{name}", self.path), target);
        self
    }

    pub(crate) fn driver(self, name: &str) -> Self {
        self.link("driver", &format!("../../../../bus/pci/drivers/{name}"))
    }

    pub(crate) fn group(self, number: u32) -> Self {
        self.link("iommu_group", &format!("../../../kernel/iommu_groups/{number}"))
    }
}

/// A configuration space of `size` bytes with an id and a pattern, so that every place differs.
pub(crate) fn config(id: u32, size: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..size).map(|i| (i as u8) ^ ((i >> 8) as u8)).collect();
    bytes[..4].copy_from_slice(&id.to_le_bytes());
    bytes
}
