//! What a guest is made of (QEMU, kernel, busybox), from the cache folder.
//!
//! When a version was resolved more than a day ago but the network is away, what is there is used; when nothing is
//! there, the lab is [`Lab::Unavailable`], which is a reason to skip the guest tests and never one to call them passed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail};

use super::iommufd;
use crate::cache::{self, Resolved, unpacked};
use crate::packages::{self, Packages};

/// Which Debian kernel is booted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Series {
    /// Debian 12's own.
    #[value(name = "6.1")]
    V6_1,
    /// From bookworm-backports.
    #[value(name = "6.12")]
    V6_12,
    /// 6.12 with iommufd, built here from Debian's source: no part of CI.
    #[value(name = "iommufd")]
    Iommufd,
}

impl Series {
    /// As in the kernel's version number, or what is special about it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::V6_1 => "6.1",
            Self::V6_12 => "6.12",
            Self::Iommufd => "iommufd",
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

/// Makes the lab's parts available: from the cache, or freshly fetched.
///
/// # Errors
/// The cache folder cannot be used. Missing tools or packages are no error but [`Lab::Unavailable`].
pub(crate) fn prepare(series: Series, say: &dyn Fn(&str)) -> Result<Lab> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(Lab::Unavailable("guests run on x86-64 Linux hosts only".to_owned()));
    }
    // This lock is held until the cache is ready; the other while it is used.
    let (cache, _lock) = cache::open()?;
    let mut resolved = Resolved::read(&cache);
    let cached = resolved.is_fresh(series.name()).then(|| parts(&resolved, series)).flatten();
    let lab = if let Some(parts) = cached {
        Lab::Ready(parts)
    } else {
        match fetch(&cache, series, &mut resolved, say) {
            Ok(parts) => Lab::Ready(parts),
            Err(error) => match parts(&resolved, series) {
                Some(parts) => {
                    say(&format!("using the cached packages, because new ones cannot be had: {error:#}"));
                    Lab::Ready(parts)
                }
                None => Lab::Unavailable(format!("the guest's Debian packages cannot be had: {error:#}")),
            },
        }
    };
    match lab {
        Lab::Ready(parts) => Ok(Lab::Ready(Parts { _in_use: Some(Arc::new(cache::used(&cache)?)), ..parts })),
        unavailable => Ok(unavailable),
    }
}

/// Resolves versions and fetches what the cache does not hold yet.
fn fetch(cache: &Path, series: Series, resolved: &mut Resolved, say: &dyn Fn(&str)) -> Result<Parts> {
    say("resolving package versions");
    let packages = Packages::update(cache, packages::BOOKWORM)?;

    qemu(cache, &packages, resolved, say)?;

    let folder = unpacked(cache, "busybox-static", say, &|to| packages.unpack("busybox-static", to))?;
    resolved.set("busybox", &folder);

    let folder = match series {
        Series::Iommufd => iommufd::kernel(cache, &packages, say)?,
        Series::V6_1 | Series::V6_12 => {
            let show = packages.show("linux-image-amd64")?;
            let kernel = packages::kernel_package(&show, series.name()).with_context(|| {
                format!("linux-image-amd64 of this mirror has no version {}", series.name())
            })?;
            unpacked(cache, &kernel, say, &|to| packages.unpack(&kernel, to))?
        }
    };
    resolved.set(&format!("kernel-{}", series.name()), &folder);

    resolved.stamp(series.name());
    resolved.write(cache)?;
    cache::prune(cache, resolved)?;
    parts(resolved, series).context("a package that was unpacked is not there")
}

/// A QEMU that takes devices over vfio-user, 10.1 or newer: newer than the one that everything else runs on, whose
/// behaviour the other scenarios know.
///
/// # Errors
/// When no such QEMU is in the cache or can be had.
pub(crate) fn vfio_user_qemu(say: &dyn Fn(&str)) -> Result<PathBuf> {
    let (cache, _lock) = cache::open()?;
    let mut resolved = Resolved::read(&cache);
    vfio_user_qemu_in(&cache, &mut resolved, &|| {
        let packages = Packages::update(&cache, packages::TRIXIE_BACKPORTS)?;
        fetch_qemu(&cache, &packages, say)
    })
}

/// As [`vfio_user_qemu`], with what is in the cache and a way to get a newer one. Whatever is too old is never given, and
/// only what is new enough is remembered.
fn vfio_user_qemu_in(
    cache: &Path,
    resolved: &mut Resolved,
    fetch: &dyn Fn() -> Result<PathBuf>,
) -> Result<PathBuf> {
    const KEY: &str = "qemu-vfio-user";
    let cached = resolved.folder(KEY).filter(|folder| takes_vfio_user(folder));
    if let Some(folder) = cached.clone().filter(|_| resolved.is_fresh(KEY)) {
        return Ok(folder);
    }
    match (fetch(), cached) {
        (Ok(folder), _) if takes_vfio_user(&folder) => {
            resolved.set(KEY, &folder);
            resolved.stamp(KEY);
            resolved.write(cache)?;
            Ok(folder)
        }
        // A mirror that has gone back, or that cannot be reached: the one that is there is good.
        (_, Some(folder)) => Ok(folder),
        (Ok(folder), None) => {
            let name = folder.file_name().unwrap_or_default().display();
            bail!("devices are served to QEMU 10.1 or newer, and this mirror's newest is {name}")
        }
        (Err(error), None) => {
            Err(error.context("devices are served to QEMU 10.1 or newer, which cannot be had"))
        }
    }
}

/// Whether a folder `qemu-EPOCH.VERSION` holds a QEMU that has `vfio-user-pci`.
fn takes_vfio_user(folder: &Path) -> bool {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut numbers = name.trim_start_matches("qemu-").split(|c: char| !c.is_ascii_digit());
    let mut number = || numbers.next().and_then(|number| number.parse::<u32>().ok()).unwrap_or(0);
    let (_epoch, major, minor) = (number(), number(), number());
    (major, minor) >= (10, 1)
}

/// Fetches QEMU with its whole closure, unless this version is there.
pub(crate) fn qemu(
    cache: &Path,
    packages: &Packages,
    resolved: &mut Resolved,
    say: &dyn Fn(&str),
) -> Result<()> {
    let folder = fetch_qemu(cache, packages, say)?;
    resolved.set("qemu", &folder);
    Ok(())
}

/// Gives the folder, named with the version.
fn fetch_qemu(cache: &Path, packages: &Packages, say: &dyn Fn(&str)) -> Result<PathBuf> {
    let qemu = ["qemu-system-x86", "ipxe-qemu", "seabios"];
    let files = packages.closure(&qemu)?;
    let file = files.iter().find(|file| file.starts_with("qemu-system-x86_"));
    let version =
        file.and_then(|file| packages::version_in(file)).context("apt-get named no qemu-system-x86")?;
    unpacked(cache, &format!("qemu-{version}"), say, &|to| packages.unpack_closure(&qemu, to))
}

/// The parts that were resolved for this kernel, if they are still there.
fn parts(resolved: &Resolved, series: Series) -> Option<Parts> {
    let qemu = resolved.folder("qemu")?;
    Some(Parts {
        cache: qemu.parent()?.to_owned(),
        qemu,
        kernel: resolved.folder(&format!("kernel-{}", series.name()))?,
        busybox: resolved.folder("busybox")?.join("bin/busybox"),
        _in_use: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn vfio_user_came_with_qemu_10_1() {
        for (name, expected) in [
            ("qemu-1.11.1.3+ds-1~bpo13+1", true),
            ("qemu-1.10.1.0+ds-1", true),
            ("qemu-1.10.0.13+ds-0+deb13u1", false),
            ("qemu-1.7.2+dfsg-7", false),
            ("qemu", false),
        ] {
            assert_eq!(takes_vfio_user(&Path::new("/cache").join(name)), expected, "{name}");
        }
    }

    #[test]
    fn a_qemu_that_takes_no_served_devices_is_never_given() {
        let cache = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let folder = cache.path().join(name);
            fs::create_dir_all(&folder).unwrap();
            folder
        };
        let (old, new) = (folder("qemu-1.10.0.2+ds-2"), folder("qemu-1.11.1.3+ds-1"));
        let key = "qemu-vfio-user";
        let give = |folder: &PathBuf| Ok(folder.clone());
        let away = || bail!("the network is away");

        // The mirror has only an old one: not the first time, and not the second either.
        let mut resolved = Resolved::read(cache.path());
        for _ in 0..2 {
            let error = vfio_user_qemu_in(cache.path(), &mut resolved, &|| give(&old)).unwrap_err();
            assert!(error.to_string().contains("newest is qemu-1.10.0.2+ds-2"), "{error}");
            resolved = Resolved::read(cache.path());
            assert!(!resolved.is_fresh(key) && resolved.folder(key).is_none(), "it is not remembered");
        }
        // What another version of this program has remembered is looked at, too.
        resolved.set(key, &old);
        resolved.stamp(key);
        assert!(vfio_user_qemu_in(cache.path(), &mut resolved, &away).is_err());
        assert_eq!(vfio_user_qemu_in(cache.path(), &mut resolved, &|| give(&new)).unwrap(), new);
        // Now it is believed for a day, and after that as long as there is nothing better.
        let mut resolved = Resolved::read(cache.path());
        assert_eq!(vfio_user_qemu_in(cache.path(), &mut resolved, &away).unwrap(), new);
        let mut stale = Resolved::read(tempfile::tempdir().unwrap().path());
        stale.set(key, &new);
        assert_eq!(vfio_user_qemu_in(cache.path(), &mut stale, &away).unwrap(), new);
        assert_eq!(vfio_user_qemu_in(cache.path(), &mut stale, &|| give(&old)).unwrap(), new);
    }

    #[test]
    fn parts_are_those_of_one_kernel_and_only_while_their_folders_exist() {
        let cache = tempfile::tempdir().unwrap();
        let mut resolved = Resolved::read(cache.path());
        assert!(parts(&resolved, Series::V6_12).is_none(), "an empty cache has no parts");
        for key in ["qemu", "busybox", "kernel-6.12"] {
            let folder = cache.path().join(key);
            fs::create_dir(&folder).unwrap();
            resolved.set(key, &folder);
        }
        resolved.write(cache.path()).unwrap();
        let resolved = Resolved::read(cache.path());
        assert!(parts(&resolved, Series::V6_12).is_some());
        assert!(parts(&resolved, Series::V6_1).is_none(), "another kernel is another matter");
        fs::remove_dir(cache.path().join("qemu")).unwrap();
        assert!(parts(&resolved, Series::V6_12).is_none());
    }
}
