//! What the firmware tests need from Debian: QEMU with SeaBIOS and iPXE's ROMs, and OVMF.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::cache::{self, Resolved, unpacked};
use crate::guest::parts::qemu;
use crate::packages::{self, Packages};

/// Under which name the time of resolution is kept.
const STAMP: &str = "rom-boot";

/// Folders with unpacked packages.
#[derive(Debug)]
pub(super) struct Parts {
    /// QEMU with its whole closure, SeaBIOS and `ipxe-qemu` among it.
    pub(super) qemu: PathBuf,
    /// The package `ovmf`.
    ovmf: PathBuf,
    /// Keeps other runs from removing any of it.
    _in_use: File,
}

impl Parts {
    /// OVMF's code and an empty store of variables.
    pub(super) fn ovmf(&self) -> [PathBuf; 2] {
        ["OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"].map(|name| self.ovmf.join("usr/share/OVMF").join(name))
    }
}

/// The parts, or why they cannot be had.
///
/// # Errors
/// The cache folder cannot be used.
pub(super) fn prepare(say: &dyn Fn(&str)) -> Result<Result<Parts, String>> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Err("QEMU of Debian for x86-64 Linux is needed".to_owned()));
    }
    let (cache, _lock) = cache::open()?;
    let mut resolved = Resolved::read(&cache);
    if !(resolved.is_fresh(STAMP) && is_there(&resolved))
        && let Err(error) = fetch(&cache, &mut resolved, say)
    {
        if !is_there(&resolved) {
            return Ok(Err(format!("Debian's packages cannot be had: {error:#}")));
        }
        say(&format!("using the cached packages, because new ones cannot be had: {error:#}"));
    }
    let folder = |key| resolved.folder(key).context("a package that was unpacked is not there");
    Ok(Ok(Parts { qemu: folder("qemu")?, ovmf: folder("ovmf")?, _in_use: cache::used(&cache)? }))
}

fn is_there(resolved: &Resolved) -> bool {
    resolved.folder("qemu").is_some() && resolved.folder("ovmf").is_some()
}

fn fetch(cache: &Path, resolved: &mut Resolved, say: &dyn Fn(&str)) -> Result<()> {
    say("resolving package versions");
    let packages = Packages::update(cache, packages::BOOKWORM)?;
    qemu(cache, &packages, resolved, say)?;
    let folder = unpacked(cache, "ovmf", say, &|to| packages.unpack("ovmf", to))?;
    resolved.set("ovmf", &folder);
    resolved.stamp(STAMP);
    resolved.write(cache)
}
