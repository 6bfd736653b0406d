//! An unpacked Debian kernel: its image, and its modules with what they depend on.
//!
//! An unpacked package has no `modules.dep`, and `depmod` is not on every host: the dependencies are read from the
//! modules themselves (`depends=` in `.modinfo`), after the static busybox has decompressed them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// A kernel as it lies in the cache.
pub(crate) struct Kernel {
    /// The release, as `uname -r` says it in the guest.
    pub(crate) release: String,
    /// The compressed image that QEMU boots.
    pub(crate) image: PathBuf,
    /// Where each module lies, by its name with underscores.
    files: BTreeMap<String, PathBuf>,
}

/// A module ready to be put into an initramfs.
pub(crate) struct Module {
    /// Its name, with underscores.
    pub(crate) name: String,
    /// The names of the modules it needs.
    pub(crate) depends: Vec<String>,
    /// The decompressed object.
    pub(crate) content: Vec<u8>,
}

impl Kernel {
    /// Looks at an unpacked `linux-image-*` package.
    pub(crate) fn open(folder: &Path) -> Result<Self> {
        let mut image = None;
        for entry in fs::read_dir(folder.join("boot")).context("the kernel package has no boot/")? {
            let path = entry?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if let Some(release) = name.strip_prefix("vmlinuz-") {
                image = Some((release.to_owned(), path.clone()));
            }
        }
        let (release, image) = image.context("the kernel package has no vmlinuz")?;
        let mut files = BTreeMap::new();
        let modules = [folder.join("lib/modules"), folder.join("usr/lib/modules")];
        let modules = modules.iter().map(|base| base.join(&release)).find(|path| path.is_dir());
        collect(&modules.context("the kernel package has no lib/modules")?, &mut files)?;
        Ok(Self { release, image, files })
    }

    /// The named modules and everything they need, what is needed first.
    ///
    /// A wanted name that the kernel has no module for is left out: it may be built in, or be newer than the kernel.
    pub(crate) fn modules(&self, wanted: &[&str], busybox: &Path) -> Result<Vec<Module>> {
        let mut modules = Vec::new();
        for name in wanted {
            let name = name.replace('-', "_");
            if self.files.contains_key(&name) {
                self.add(&name, busybox, &mut modules, 0)?;
            }
        }
        Ok(modules)
    }

    fn add(&self, name: &str, busybox: &Path, modules: &mut Vec<Module>, depth: usize) -> Result<()> {
        if modules.iter().any(|module| module.name == name) {
            return Ok(());
        }
        if depth > 16 {
            bail!("the modules below {name} depend on each other in a circle");
        }
        let file = self.files.get(name).with_context(|| format!("the kernel has no module {name}"))?;
        let content = decompressed(file, busybox)?;
        let depends = dependencies(&content);
        for needed in &depends {
            self.add(needed, busybox, modules, depth + 1)?;
        }
        modules.push(Module { name: name.to_owned(), depends, content });
        Ok(())
    }
}

/// Finds all modules below a folder.
fn collect(folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            collect(&path, files)?;
            continue;
        }
        let file = entry.file_name().to_string_lossy().into_owned();
        if let Some((name, "" | ".xz" | ".gz")) = file.split_once(".ko") {
            files.insert(name.replace('-', "_"), path);
        }
    }
    Ok(())
}

/// A module's object, whatever it is packed with.
fn decompressed(file: &Path, busybox: &Path) -> Result<Vec<u8>> {
    let tool = match file.extension().and_then(|extension| extension.to_str()) {
        Some("xz") => "xzcat",
        Some("gz") => "zcat",
        _ => return fs::read(file).with_context(|| format!("cannot read {}", file.display())),
    };
    let output =
        Command::new(busybox).arg(tool).arg(file).output().context("cannot run the static busybox")?;
    if !output.status.success() {
        bail!("cannot decompress {}", file.display());
    }
    Ok(output.stdout)
}

/// The value of `depends=` in a module's `.modinfo`: NUL-terminated `key=value` strings.
fn dependencies(object: &[u8]) -> Vec<String> {
    const KEY: &[u8] = b"\0depends=";
    let Some(start) = object.windows(KEY.len()).position(|window| window == KEY) else {
        return Vec::new();
    };
    let value = object[start + KEY.len()..].split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(value)
        .split(',')
        .filter(|name| !name.is_empty())
        .map(|name| name.replace('-', "_"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_read_from_modinfo() {
        let object = b"\x7fELF..\0license=GPL\0depends=vfio-pci-core,vfio\0retpoline=Y\0";
        assert_eq!(dependencies(object), ["vfio_pci_core", "vfio"]);
        assert!(dependencies(b"\0depends=\0name=x\0").is_empty());
        assert!(dependencies(b"no modinfo").is_empty());
    }

    #[test]
    fn a_module_comes_after_what_it_needs() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("lib/modules/6.0/kernel");
        fs::create_dir_all(&folder).unwrap();
        fs::create_dir_all(root.path().join("boot")).unwrap();
        fs::write(root.path().join("boot/vmlinuz-6.0"), "").unwrap();
        fs::write(folder.join("a-b.ko"), "\0depends=c\0").unwrap();
        fs::write(folder.join("c.ko"), "\0depends=\0").unwrap();
        let kernel = Kernel::open(root.path()).unwrap();
        assert_eq!(kernel.release, "6.0");
        let modules = kernel.modules(&["a-b", "built-in"], Path::new("unused")).unwrap();
        let names: Vec<_> = modules.iter().map(|module| module.name.as_str()).collect();
        assert_eq!(names, ["c", "a_b"]);
    }
}
