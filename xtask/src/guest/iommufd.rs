//! A kernel with iommufd: built from Debian's kernel source package, because none of Debian's kernels has it.
//!
//! The build takes a quarter of an hour on two processors; its result is kept in the cache. It needs gcc, make, bc and
//! perl on the host. What else a kernel build asks for (flex, bison, m4, libelf) is unpacked beside it, not installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cache::unpacked;
use crate::command;
use crate::packages::{Packages, remove_folder};

/// The source package.
const SOURCE: &str = "linux-source-6.12";

/// What is switched on, over what `tinyconfig` has.
const CONFIG: &str = include_str!("../../../tests/guest/kernel-iommufd.config");

/// What the scenarios rest on: that functions can be opened by iommufd, and that the kernel's resets are counted.
const NEEDED: [&str; 3] = ["CONFIG_IOMMUFD", "CONFIG_VFIO_DEVICE_CDEV", "CONFIG_KPROBE_EVENTS"];

/// Packages with what a kernel build needs and few hosts have.
const TOOLS: [&str; 7] = ["flex", "bison", "m4", "libelf-dev", "libelf1", "zlib1g-dev", "libfl2"];

/// Makes the kernel available, in a folder that is laid out like an unpacked `linux-image-*` package.
///
/// # Errors
/// A tool is missing, the source cannot be had, or it does not build: then with where the build's output is.
pub(crate) fn kernel(cache: &Path, packages: &Packages, say: &dyn Fn(&str)) -> Result<PathBuf> {
    let version = version(&packages.show(SOURCE)?).with_context(|| format!("there is no {SOURCE}"))?;
    let name = format!("linux-image-iommufd-{version}-{:08x}", hash(CONFIG));
    unpacked(cache, &name, say, &|to| build(cache, packages, to, say))
}

/// FNV-1a: the same number with every compiler, or an update would build the kernel anew.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The newest version that `apt-cache show` names.
fn version(show: &str) -> Option<String> {
    show.lines().find_map(|line| line.strip_prefix("Version: ")).map(|version| version.trim().to_owned())
}

fn build(cache: &Path, packages: &Packages, to: &Path, say: &dyn Fn(&str)) -> Result<()> {
    for tool in ["gcc", "make", "bc", "perl", "tar", "xz"] {
        if !command::exists(tool) {
            bail!("`{tool}` is missing: it is needed to build a kernel");
        }
    }
    let work = cache.join("kernel-build");
    remove_folder(&work)?;
    let (tools, source) = (work.join("tools"), work.join("source"));
    say(&format!("fetching {SOURCE} and tools"));
    for package in TOOLS {
        packages.unpack(package, &tools)?;
    }
    packages.unpack(SOURCE, &work.join("package"))?;
    fs::create_dir_all(&source)?;
    let archive = work.join("package/usr/src").join(format!("{SOURCE}.tar.xz"));
    command::output(
        Command::new("tar").arg("-xJf").arg(&archive).args(["--strip-components=1", "-C"]).arg(&source),
    )?;
    remove_folder(&work.join("package"))?;

    say("building the kernel: this takes a quarter of an hour or more");
    let log = fs::File::create(work.join("build.log"))?;
    let make = |targets: &[&str]| -> Result<()> {
        let mut make = make(&source, &tools);
        make.args(targets).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
        if !make.status().context("cannot run make")?.success() {
            bail!("`make {}` failed: see {}", targets.join(" "), work.join("build.log").display());
        }
        Ok(())
    };
    make(&["tinyconfig"])?;
    let mut config = fs::read_to_string(source.join(".config"))?;
    config.push_str(CONFIG);
    fs::write(source.join(".config"), config)?;
    make(&["olddefconfig"])?;
    let missing = missing(&fs::read_to_string(source.join(".config"))?);
    if let Some(needed) = missing.iter().find(|option| NEEDED.contains(option)) {
        bail!("the kernel does not take {needed}: nothing that this kernel is for would be shown");
    }
    if !missing.is_empty() {
        say(&format!("this kernel has no {}", missing.join(", ")));
    }
    let jobs = std::thread::available_parallelism().map_or(1, usize::from);
    make(&[&format!("-j{jobs}"), "bzImage"])?;
    let release = fs::read_to_string(source.join("include/config/kernel.release"))?.trim().to_owned();
    fs::create_dir_all(to.join("boot"))?;
    fs::create_dir_all(to.join("lib/modules").join(&release))?;
    fs::copy(source.join("arch/x86/boot/bzImage"), to.join("boot").join(format!("vmlinuz-{release}")))?;
    fs::copy(source.join(".config"), to.join("boot").join(format!("config-{release}")))?;
    remove_folder(&work)
}

/// `make` in the kernel's source, with the unpacked tools.
fn make(source: &Path, tools: &Path) -> Command {
    let at = |path: &str| tools.join(path).display().to_string();
    let mut make = Command::new("nice");
    make.args(["-n", "19", "make"]).current_dir(source);
    let path = std::env::var("PATH").unwrap_or_default();
    make.env("PATH", format!("{}:{path}", at("usr/bin")));
    make.env("BISON_PKGDATADIR", at("usr/share/bison")).env("M4", at("usr/bin/m4"));
    make.arg(format!("HOSTCFLAGS=-I{} -I{}", at("usr/include"), at("usr/include/x86_64-linux-gnu")));
    make.arg(format!("HOSTLDFLAGS=-L{} -Wl,-rpath,{0}", at("usr/lib/x86_64-linux-gnu")));
    // Warnings of a newer compiler are the kernel's business.
    make.arg("WERROR=0");
    make.env("LD_LIBRARY_PATH", at("usr/lib/x86_64-linux-gnu"));
    make
}

/// What of [`CONFIG`] the kernel did not take: options that went or got other names.
fn missing(config: &str) -> Vec<&'static str> {
    let wanted = CONFIG.lines().filter(|line| line.starts_with("CONFIG_") && line.ends_with("=y"));
    wanted
        .filter(|wanted| !config.lines().any(|line| line == *wanted))
        .map(|line| line.trim_end_matches("=y"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_comes_first() {
        let show = "Package: linux-source-6.12\nVersion: 6.12.95-1~bpo12+1\n\nVersion: 6.12.90-1~bpo12+1\n";
        assert_eq!(version(show).as_deref(), Some("6.12.95-1~bpo12+1"));
        assert_eq!(version(""), None);
    }

    #[test]
    fn an_option_that_was_not_taken_is_named() {
        let taken: String =
            CONFIG.lines().filter(|line| *line != "CONFIG_IOMMUFD=y").flat_map(|l| [l, "\n"]).collect();
        assert_eq!(missing(&taken), ["CONFIG_IOMMUFD"]);
        assert!(missing(CONFIG).is_empty());
    }

    #[test]
    fn what_is_needed_is_asked_for() {
        for option in NEEDED {
            assert!(CONFIG.lines().any(|line| line == format!("{option}=y")), "{option}");
        }
    }

    #[test]
    fn the_name_in_the_cache_is_the_same_for_ever() {
        // The vectors of draft-eastlake-fnv.
        assert_eq!([hash(""), hash("a"), hash("foobar")], [0x811c_9dc5, 0xe40c_292c, 0xbf9c_f968]);
    }
}
