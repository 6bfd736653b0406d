//! What a guest is made of (QEMU, kernel, busybox), kept in a folder from one run to the next.
//!
//! Versions are resolved at run time and remembered for a day in `resolved.json`. When the day is over but the
//! network is away, what is there is used; when nothing is there, the lab is [`Lab::Unavailable`], which is a reason
//! to skip the guest tests and never one to call them passed.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use super::packages::{self, Packages, remove_folder};
use crate::command;

/// How long a resolved version is believed.
const FRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// Which Debian kernel is booted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Series {
    /// Debian 12's own.
    #[value(name = "6.1")]
    V6_1,
    /// From bookworm-backports.
    #[value(name = "6.12")]
    V6_12,
}

impl Series {
    /// As in the kernel's version number.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::V6_1 => "6.1",
            Self::V6_12 => "6.12",
        }
    }
}

/// Whether guests can be run here.
pub(crate) enum Lab {
    /// They can, with these parts.
    Ready(Parts),
    /// They cannot, and why.
    Unavailable(String),
}

/// Folders with unpacked packages.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    /// The cache folder itself.
    pub(crate) cache: PathBuf,
    /// QEMU with its whole closure.
    pub(crate) qemu: PathBuf,
    /// The kernel package: `boot/` and `lib/modules/`.
    pub(crate) kernel: PathBuf,
    /// The static busybox program.
    pub(crate) busybox: PathBuf,
    /// Keeps other runs from removing any of it while this or a copy lives.
    _in_use: Option<Arc<File>>,
}

/// The cache folder: `$VFIO_RESET_LAB_CACHE`, else `vfio-reset-lab` in the user's cache folder.
fn cache_folder() -> Result<PathBuf> {
    let from = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(folder) = from("VFIO_RESET_LAB_CACHE") {
        return Ok(folder);
    }
    let user = from("XDG_CACHE_HOME").or_else(|| from("HOME").map(|home| home.join(".cache")));
    Ok(user.context("neither HOME, XDG_CACHE_HOME nor VFIO_RESET_LAB_CACHE is set")?.join("vfio-reset-lab"))
}

/// Makes the lab's parts available: from the cache, or freshly fetched.
///
/// # Errors
/// The cache folder cannot be used. Missing tools or packages are no error but [`Lab::Unavailable`].
pub(crate) fn prepare(series: Series, say: &dyn Fn(&str)) -> Result<Lab> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Lab::Unavailable("guests run on x86-64 Linux hosts only".to_owned()));
    }
    let cache = cache_folder()?;
    fs::create_dir_all(&cache)
        .with_context(|| format!("cannot make the cache folder {}", cache.display()))?;
    // One run at a time changes the cache. This lock is held until it is ready; the other while it is used.
    let lock = lock_file(&cache, "lock")?;
    lock.lock().context("cannot lock the cache folder")?;

    let mut resolved = Resolved::read(&cache);
    let lab = if resolved.is_fresh(series) {
        Lab::Ready(resolved.parts(series).context("the cache is incomplete")?)
    } else {
        match fetch(&cache, series, &mut resolved, say) {
            Ok(parts) => Lab::Ready(parts),
            Err(error) => match resolved.parts(series) {
                Some(parts) => {
                    say(&format!("using the cached packages, because new ones cannot be had: {error:#}"));
                    Lab::Ready(parts)
                }
                None => Lab::Unavailable(format!("the guest's Debian packages cannot be had: {error:#}")),
            },
        }
    };
    match lab {
        Lab::Ready(parts) => Ok(Lab::Ready(Parts { _in_use: Some(Arc::new(used(&cache)?)), ..parts })),
        unavailable => Ok(unavailable),
    }
}

fn lock_file(cache: &Path, name: &str) -> Result<File> {
    File::create(cache.join(name)).with_context(|| format!("cannot write in {}", cache.display()))
}

/// A shared lock that says that the cache is used.
fn used(cache: &Path) -> Result<File> {
    let lock = lock_file(cache, "in-use")?;
    lock.lock_shared().context("cannot lock the cache folder")?;
    Ok(lock)
}

/// Resolves versions and fetches what the cache does not hold yet.
fn fetch(cache: &Path, series: Series, resolved: &mut Resolved, say: &dyn Fn(&str)) -> Result<Parts> {
    for tool in ["apt-get", "apt-cache", "apt-config", "dpkg-deb"] {
        if !command::exists(tool) {
            bail!("`{tool}` is missing: the lab fetches its packages with Debian's own tools");
        }
    }
    say("resolving package versions");
    let packages = Packages::update(cache)?;

    let qemu = ["qemu-system-x86", "ipxe-qemu", "seabios"];
    let files = packages.closure(&qemu)?;
    let file = files.iter().find(|file| file.starts_with("qemu-system-x86_"));
    let version =
        file.and_then(|file| packages::version_in(file)).context("apt-get named no qemu-system-x86")?;
    let folder = unpacked(cache, &format!("qemu-{version}"), say, &|to| packages.unpack_closure(&qemu, to))?;
    resolved.set("qemu", &folder);

    let folder = unpacked(cache, "busybox-static", say, &|to| packages.unpack("busybox-static", to))?;
    resolved.set("busybox", &folder);

    let show = packages.show("linux-image-amd64")?;
    let kernel = packages::kernel_package(&show, series.name())
        .with_context(|| format!("linux-image-amd64 of this mirror has no version {}", series.name()))?;
    let folder = unpacked(cache, &kernel, say, &|to| packages.unpack(&kernel, to))?;
    resolved.set(&format!("kernel-{}", series.name()), &folder);

    resolved.stamp(series);
    resolved.write(cache)?;
    prune(cache, resolved)?;
    resolved.parts(series).context("a package that was unpacked is not there")
}

/// A folder of the cache, filled by `fill` unless it is there already.
fn unpacked(
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
fn prune(cache: &Path, resolved: &Resolved) -> Result<()> {
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

/// Those of a cache's entries that hold a QEMU, kernel or base archive that nothing refers to any more.
fn superseded(entries: Vec<PathBuf>, resolved: &Resolved) -> Vec<PathBuf> {
    let used = |name: &str| resolved.folders().any(|folder| folder.ends_with(name));
    let old = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // Somebody is writing it.
        if name.contains(".partial-") {
            return false;
        }
        if name.starts_with("qemu-") || name.starts_with("linux-image-") {
            return !used(name);
        }
        // base-RELEASE-HASH.cpio belongs to linux-image-RELEASE.
        let release = name.strip_prefix("base-").and_then(|rest| rest.rsplit_once('-'));
        release.is_some_and(|(release, _)| !used(&format!("linux-image-{release}")))
    };
    entries.into_iter().filter(old).collect()
}

/// What was resolved when: `resolved.json`.
struct Resolved(Value);

impl Resolved {
    fn read(cache: &Path) -> Self {
        let text = fs::read_to_string(cache.join("resolved.json")).unwrap_or_default();
        Self(serde_json::from_str(&text).ok().filter(Value::is_object).unwrap_or_else(|| json!({})))
    }

    fn write(&self, cache: &Path) -> Result<()> {
        fs::write(cache.join("resolved.json"), format!("{:#}\n", self.0))
            .context("cannot write resolved.json")
    }

    fn set(&mut self, key: &str, folder: &Path) {
        self.0[key] = json!(folder);
    }

    /// Every folder that is in use, whichever kernel it is for.
    fn folders(&self) -> impl Iterator<Item = &Path> {
        self.0.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str()).map(Path::new)
    }

    fn stamp(&mut self, series: Series) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.0[format!("resolved-{}", series.name())] = json!(now.as_secs());
    }

    /// Whether the versions for this kernel were resolved within the last day and are still there.
    fn is_fresh(&self, series: Series) -> bool {
        let then = self.0[format!("resolved-{}", series.name())].as_u64().unwrap_or_default();
        let age = SystemTime::now().duration_since(UNIX_EPOCH + Duration::from_secs(then));
        age.is_ok_and(|age| age < FRESH) && self.parts(series).is_some()
    }

    fn parts(&self, series: Series) -> Option<Parts> {
        let folder = |key: &str| self.0[key].as_str().map(PathBuf::from).filter(|path| path.is_dir());
        let qemu = folder("qemu")?;
        Some(Parts {
            cache: qemu.parent()?.to_owned(),
            qemu,
            kernel: folder(&format!("kernel-{}", series.name()))?,
            busybox: folder("busybox")?.join("bin/busybox"),
            _in_use: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolution_is_believed_for_a_day_and_only_while_its_folders_exist() {
        let cache = tempfile::tempdir().unwrap();
        let mut resolved = Resolved::read(cache.path());
        assert!(resolved.parts(Series::V6_12).is_none(), "an empty cache has no parts");
        for key in ["qemu", "busybox", "kernel-6.12"] {
            let folder = cache.path().join(key);
            fs::create_dir(&folder).unwrap();
            resolved.set(key, &folder);
        }
        assert!(!resolved.is_fresh(Series::V6_12), "never resolved");
        resolved.stamp(Series::V6_12);
        resolved.write(cache.path()).unwrap();
        let mut resolved = Resolved::read(cache.path());
        assert!(resolved.is_fresh(Series::V6_12));
        assert!(!resolved.is_fresh(Series::V6_1), "another kernel is another matter");
        resolved.0["resolved-6.12"] = json!(1);
        assert!(
            !resolved.is_fresh(Series::V6_12) && resolved.parts(Series::V6_12).is_some(),
            "old but usable"
        );
        fs::remove_dir(cache.path().join("qemu")).unwrap();
        assert!(resolved.parts(Series::V6_12).is_none());
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
        let names = ["qemu-1", "qemu-2", "linux-image-6.12.8+deb12-amd64", "linux-image-6.12.9+deb12-amd64"];
        let bases = ["base-6.12.8+deb12-amd64-00ff.cpio", "base-6.12.9+deb12-amd64-00ff.cpio"];
        let others = [
            "apt",
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
        let expected = [names[0], names[2], bases[0]].map(|name| Path::new("/c").join(name));
        assert_eq!(old, expected);
    }
}
