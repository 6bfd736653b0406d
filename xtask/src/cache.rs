//! The cache folder: what was fetched is kept from one run to the next.
//!
//! Versions are resolved at run time and remembered for a day in `resolved.json`. Folders are unpacked packages,
//! named with their version; what a newer one replaced is removed.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::packages::remove_folder;

/// How long a resolved version is believed.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// The cache folder: `$VFIO_RESET_LAB_CACHE`, else `vfio-reset-lab` in the user's cache folder.
fn folder() -> Result<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = from("VFIO_RESET_LAB_CACHE") {
        return Ok(folder);
    }
    let user = from("XDG_CACHE_HOME").or_else(|| from("HOME").map(|home| home.join(".cache")));
    Ok(user.context("neither HOME, XDG_CACHE_HOME nor VFIO_RESET_LAB_CACHE is set")?.join("vfio-reset-lab"))
}

/// Makes the folder and locks it: one run at a time changes it. The lock is held while the file lives.
pub(crate) fn open() -> Result<(PathBuf, File)> {
    let cache = folder()?;
    fs::create_dir_all(&cache)
        .with_context(|| format!("cannot make the cache folder {}", cache.display()))?;
    let lock = lock_file(&cache, "lock")?;
    lock.lock().context("cannot lock the cache folder")?;
    Ok((cache, lock))
}

fn lock_file(cache: &Path, name: &str) -> Result<File> {
    File::create(cache.join(name)).with_context(|| format!("cannot write in {}", cache.display()))
}

/// A shared lock that says that the cache is used.
pub(crate) fn used(cache: &Path) -> Result<File> {
    let lock = lock_file(cache, "in-use")?;
    lock.lock_shared().context("cannot lock the cache folder")?;
    Ok(lock)
}

/// A folder of the cache, filled by `fill` unless it is there already.
pub(crate) fn unpacked(
    cache: &Path,
    name: &str,
    say: &dyn Fn(&str),
    fill: &dyn Fn(&Path) -> Result<()>,
) -> Result<PathBuf> {
    // QEMU's command line separates with commas and the loader's library path with colons.
    let folder = cache.join(name.replace([':', ','], "."));
    if !folder.exists() {
        say(&format!("fetching {name}"));
        let partial = folder.with_file_name("partial");
        remove_folder(&partial)?;
        fill(&partial)?;
        fs::rename(&partial, &folder).with_context(|| format!("cannot move {name} into the cache"))?;
    }
    Ok(folder)
}

/// Removes what newer versions replaced: a kernel is 100 MB and gets a point release a month. While another run uses the
/// cache, nothing is removed: a later run does it.
pub(crate) fn prune(cache: &Path, resolved: &Resolved) -> Result<()> {
    let lock = lock_file(cache, "in-use")?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(()),
        Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the cache folder"),
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(cache).context("cannot read the cache folder")? {
        entries.push(entry?.path());
    }
    for path in superseded(entries, resolved) {
        if path.is_dir() { remove_folder(&path)? } else { fs::remove_file(&path)? }
    }
    Ok(())
}

/// Those of a cache's entries that hold a QEMU, kernel, pciutils or base archive that nothing refers to any more.
fn superseded(entries: Vec<PathBuf>, resolved: &Resolved) -> Vec<PathBuf> {
    let used = |name: &str| resolved.folders().any(|folder| folder.ends_with(name));
    let old = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // Somebody is writing it.
        if name.contains(".partial-") {
            return false;
        }
        if ["qemu-", "linux-image-", "pciutils-"].iter().any(|kind| name.starts_with(kind)) {
            return !used(name);
        }
        // Before the packages of more than one release were fetched, there was one such folder.
        if name == "apt" {
            return true;
        }
        // base-RELEASE-HASH.cpio belongs to linux-image-RELEASE.
        let release = name.strip_prefix("base-").and_then(|rest| rest.rsplit_once('-'));
        release.is_some_and(|(release, _)| !used(&format!("linux-image-{release}")))
    };
    entries.into_iter().filter(old).collect()
}

/// What was resolved when: `resolved.json`.
pub(crate) struct Resolved(Value);

impl Resolved {
    /// What the folder's `resolved.json` says; nothing if there is none.
    pub(crate) fn read(cache: &Path) -> Self {
        let text = fs::read_to_string(cache.join("resolved.json")).unwrap_or_default();
        Self(serde_json::from_str(&text).ok().filter(Value::is_object).unwrap_or_else(|| json!({})))
    }

    /// Keeps it for the next run.
    pub(crate) fn write(&self, cache: &Path) -> Result<()> {
        fs::write(cache.join("resolved.json"), format!("{:#}\n", self.0))
            .context("cannot write resolved.json")
    }

    /// Notes that `folder` is what `key` is now.
    pub(crate) fn set(&mut self, key: &str, folder: &Path) {
        self.0[key] = json!(folder);
    }

    /// Every folder that is in use, whichever kernel it is for.
    fn folders(&self) -> impl Iterator<Item = &Path> {
        self.0.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str()).map(Path::new)
    }

    /// Notes that what goes by this name was resolved now.
    pub(crate) fn stamp(&mut self, name: &str) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.0[format!("resolved-{name}")] = json!(now.as_secs());
    }

    /// Whether that was within the last day.
    pub(crate) fn is_fresh(&self, name: &str) -> bool {
        let then = self.0[format!("resolved-{name}")].as_u64().unwrap_or_default();
        let age = SystemTime::now().duration_since(UNIX_EPOCH + Duration::from_secs(then));
        age.is_ok_and(|age| age < FRESH)
    }

    /// The folder that was set for `key`, if it is still there.
    pub(crate) fn folder(&self, key: &str) -> Option<PathBuf> {
        self.0[key].as_str().map(PathBuf::from).filter(|path| path.is_dir())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolution_is_believed_for_a_day() {
        let mut resolved = Resolved(json!({}));
        assert!(!resolved.is_fresh("a"), "never resolved");
        resolved.stamp("a");
        assert!(resolved.is_fresh("a") && !resolved.is_fresh("b"));
        resolved.0["resolved-a"] = json!(1);
        assert!(!resolved.is_fresh("a"));
    }

    #[test]
    fn nothing_is_removed_while_another_run_uses_the_cache() {
        let cache = tempfile::tempdir().unwrap();
        let old = cache.path().join("qemu-1");
        fs::create_dir(&old).unwrap();
        let resolved = Resolved(json!({}));
        let (one, two) = (used(cache.path()).unwrap(), used(cache.path()).unwrap());
        prune(cache.path(), &resolved).unwrap();
        assert!(old.exists());
        drop((one, two));
        prune(cache.path(), &resolved).unwrap();
        assert!(!old.exists());
    }

    #[test]
    fn what_nothing_refers_to_is_superseded() {
        let mut resolved = Resolved(json!({}));
        resolved.set("qemu", Path::new("/c/qemu-2"));
        resolved.set("kernel-6.12", Path::new("/c/linux-image-6.12.9+deb12-amd64"));
        let names = [
            "qemu-1",
            "pciutils-3.9.0-4",
            "qemu-2",
            "apt",
            "linux-image-6.12.8+deb12-amd64",
            "linux-image-6.12.9+deb12-amd64",
        ];
        let bases = ["base-6.12.8+deb12-amd64-00ff.cpio", "base-6.12.9+deb12-amd64-00ff.cpio"];
        let others = [
            "apt-sid",
            "lock",
            "in-use",
            "resolved.json",
            "busybox-static",
            "base-6.12.8+deb12-amd64-00ff.cpio.partial-77",
            "base-6.12.8+deb12-amd64-00ff.partial-77",
        ];
        let entries =
            names.iter().chain(&bases).chain(&others).map(|name| Path::new("/c").join(name)).collect();
        let old = superseded(entries, &resolved);
        let expected =
            [names[0], names[1], names[3], names[4], bases[0]].map(|name| Path::new("/c").join(name));
        assert_eq!(old, expected);
    }
}
