//! Which lspci is compared with: the newest from Debian whose differences are known, and Debian 12's.
//!
//! Each comes with its whole closure, its own libc included, and is started through that libc's loader.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::known::{self, Version};
use super::program::Program;
use super::space::{Address, Function, Space, dump};
use crate::cache::{self, Resolved, unpacked};
use crate::command;
use crate::packages::{self, BOOKWORM, Packages, Release, SID, TRIXIE};

/// An lspci that can be run.
#[derive(Debug)]
pub(crate) struct Reference {
    pub(crate) program: Program,
    pub(crate) version: Version,
    /// What it is called in the report.
    pub(crate) name: String,
    /// Keeps other runs from removing it from the cache while this lives.
    _in_use: Option<File>,
}

/// What can be compared with, and a line about each that cannot.
#[derive(Debug, Default)]
pub(crate) struct References {
    pub(crate) found: Vec<Reference>,
    pub(crate) missing: Vec<String>,
}

impl References {
    /// One of the newest that can be had, Debian 12's, and the system's own where neither can be.
    pub(crate) fn all() -> Self {
        let mut all = Self::default();
        for release in [SID, TRIXIE] {
            if all.add(Reference::from_debian(release)) {
                break;
            }
        }
        all.add(Reference::from_debian(BOOKWORM));
        if all.found.is_empty() && command::exists("lspci") {
            all.add(Reference::of(vec!["lspci".into()], "of this system"));
        }
        all
    }

    fn add(&mut self, reference: Result<Reference>) -> bool {
        match reference {
            Ok(reference) if reference.version <= known::LAST => self.found.push(reference),
            Ok(reference) => {
                let what = "is newer than the list of differences";
                self.missing.push(format!("{} {what} (xtask/src/differential/known.rs)", reference.name));
                return false;
            }
            Err(error) => {
                self.missing.push(format!("{error:#}"));
                return false;
            }
        }
        true
    }
}

impl Reference {
    /// The lspci that these words run.
    ///
    /// # Errors
    /// It cannot be run, or does not say its version.
    pub(crate) fn of(words: Vec<OsString>, origin: &str) -> Result<Self> {
        let run = |argument: &[&str]| {
            let (program, first) = words.split_first().context("no program")?;
            command::output(Command::new(program).args(first).args(argument))
        };
        let text = run(&["--version"])?;
        let number = text.split_whitespace().last().unwrap_or_default();
        let mut version = version(number).with_context(|| format!("this is no lspci: it says {text:?}"))?;
        if (version.0, version.1) == (known::OURS.0, known::OURS.1) && is_ours(&run)? {
            version = known::OURS;
        }
        // Names shall come from the file that is given, not from udev's database.
        let has_database = run(&["-O", "help"]).is_ok_and(|help| help.contains("hwdb.disable"));
        let mut program = Program::new(words.clone());
        if has_database {
            program = program.with("-Ohwdb.disable=1");
        }
        Ok(Self { program, version, name: format!("lspci {number} {origin}"), _in_use: None })
    }

    /// The lspci of a Debian release: from the cache, or freshly fetched.
    ///
    /// # Errors
    /// It cannot be fetched, and is not in the cache.
    pub(crate) fn from_debian(release: Release) -> Result<Self> {
        if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
            bail!("lspci is fetched for x86-64 Linux only");
        }
        let (cache, _lock) = cache::open()?;
        let mut resolved = Resolved::read(&cache);
        let key = format!("pciutils-{}", release.name);
        let cached = resolved.folder(&key);
        let folder = match cached {
            Some(folder) if resolved.is_fresh(&key) => folder,
            cached => match fetch(&cache, release, &key, &mut resolved) {
                Ok(folder) => folder,
                Err(error) => {
                    let what = || format!("pciutils of Debian's {} cannot be had: {error:#}", release.name);
                    let folder = cached.with_context(what)?;
                    eprintln!("lspci-differential: {}; using the cached one", what());
                    folder
                }
            },
        };
        let libraries = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"].map(|path| folder.join(path));
        // Since Debian 13 everything is below usr.
        let loader =
            libraries.iter().map(|path| path.join("ld-linux-x86-64.so.2")).find(|path| path.exists());
        let loader = loader.with_context(|| format!("there is no loader in {}", folder.display()))?;
        let path = libraries.map(|path| path.display().to_string()).join(":");
        let words: [OsString; 4] =
            [loader.into(), "--library-path".into(), path.into(), folder.join("usr/bin/lspci").into()];
        let reference = Self::of(words.into(), &format!("of Debian's {}", release.name))?;
        Ok(Self { _in_use: Some(cache::used(&cache)?), ..reference })
    }

    /// The lspci at a path.
    ///
    /// # Errors
    /// It cannot be run.
    pub(crate) fn at(path: &Path) -> Result<Self> {
        let path = path.canonicalize().with_context(|| format!("there is no {}", path.display()))?;
        Self::of(vec![path.clone().into()], &format!("at {}", path.display()))
    }
}

/// Resolves the version and fetches what the cache does not hold yet.
fn fetch(cache: &Path, release: Release, key: &str, resolved: &mut Resolved) -> Result<std::path::PathBuf> {
    let say = |text: &str| eprintln!("lspci-differential: {text}");
    say(&format!("looking for pciutils in Debian's {}", release.name));
    let packages = Packages::update(cache, release)?;
    let files = packages.closure(&["pciutils"])?;
    let file = files.iter().find(|file| file.starts_with("pciutils_"));
    let version = file.and_then(|file| packages::version_in(file)).context("apt-get named no pciutils")?;
    let folder = unpacked(cache, &format!("pciutils-{version}"), &say, &|to| {
        packages.unpack_closure(&["pciutils"], to)
    })?;
    resolved.set(key, &folder);
    resolved.stamp(key);
    resolved.write(cache)?;
    cache::prune(cache, resolved)?;
    Ok(folder)
}

/// `3.14.0` as a version.
fn version(text: &str) -> Option<Version> {
    let mut numbers = text.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??, 0))
}

/// Whether this 3.14 has what was added to it later: it decodes Flit Logging.
fn is_ours(run: &dyn Fn(&[&str]) -> Result<String>) -> Result<bool> {
    let mut space = Space::new();
    space.put(0x06, &[0x10]);
    space.put(0x34, &[0x40]);
    space.put(0x40, &[0x10, 0x00, 0x02, 0x00]);
    space.put(0x100, &[0x32, 0x00, 0x01, 0x00]);
    let function = Function { address: Address::of(0), bytes: space.cut(4096) };
    let file = tempfile::NamedTempFile::new().context("cannot make a temporary file")?;
    std::fs::write(file.path(), dump([&function])).context("cannot write a temporary file")?;
    let path = file.path().to_str().context("a temporary folder with an odd name")?;
    Ok(run(&["-vn", "-F", path])?.contains("Flit Logging"))
}
