//! Debian packages without root and without installing: a private apt root inside the cache folder.
//!
//! The mirror is the one the system itself uses; only the suites are ours. The private root starts from an empty
//! package status, so that a program comes with its whole closure (libc too) and runs on whatever the host has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::command;

/// A Debian release, or the unstable one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Release {
    /// Its name.
    pub(crate) name: &'static str,
    /// What is appended to the name for the suites that come from the main archive.
    suites: &'static [&'static str],
    /// Whether there is a suite in the security archive.
    security: bool,
    /// The suite that is preferred where more than one has a package.
    target: Option<&'static str>,
}

/// Debian 12: what the guest lab is built from. Backports are only taken when asked for.
pub(crate) const BOOKWORM: Release = Release {
    name: "bookworm",
    suites: &["", "-updates", "-backports"],
    security: true,
    target: Some("bookworm-backports"),
};

/// Debian 13.
pub(crate) const TRIXIE: Release =
    Release { name: "trixie", suites: &["", "-updates"], security: true, target: None };

/// Debian 13 with what was backported to it: programs that are newer than any that Debian 12 has.
pub(crate) const TRIXIE_BACKPORTS: Release = Release {
    name: "trixie",
    suites: &["", "-updates", "-backports"],
    security: false,
    target: Some("trixie-backports"),
};

/// What is to become a later Debian.
pub(crate) const SID: Release = Release { name: "sid", suites: &[""], security: false, target: None };

/// Debian's own archive, when the system's sources name none.
const ARCHIVE: &str = "http://deb.debian.org/debian";

/// Which keyring the system's own sources name when they name none.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A private apt root with up-to-date lists.
pub(crate) struct Packages {
    root: PathBuf,
    release: Release,
}

/// One place packages come from, as the system's apt sources say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mirror {
    /// Address of the archive.
    pub(crate) uri: String,
    /// Value of `Signed-By`, if it is a file.
    pub(crate) signed_by: Option<String>,
    /// Whether this is the security archive.
    pub(crate) security: bool,
}

impl Packages {
    /// Prepares a private root for a release in `folder` and brings its lists up to date.
    ///
    /// # Errors
    /// A tool is missing, no Debian mirror is configured here, or none answers.
    pub(crate) fn update(folder: &Path, release: Release) -> Result<Self> {
        for tool in ["apt-get", "apt-cache", "apt-config", "dpkg-deb"] {
            if !command::exists(tool) {
                bail!("`{tool}` is missing: packages are fetched with Debian's own tools");
            }
        }
        let root = folder.join(format!("apt-{}", release.name));
        for path in ["etc/apt/preferences.d", "var/lib/apt/lists/partial", "var/lib/dpkg", "var/cache/apt"] {
            fs::create_dir_all(root.join(path))?;
        }
        fs::write(root.join("var/lib/dpkg/status"), "")?;
        fs::write(root.join("sources.list"), sources_list(&system_mirrors()?, release))?;
        fs::write(root.join("apt.conf"), configuration(&root)?)?;
        let packages = Self { root, release };
        command::output(packages.tool("apt-get").args(["-q", "-o", "Acquire::Retries=2", "update"]))?;
        // A mirror that cannot be reached is only a warning to apt.
        if !packages.lists_exist() {
            bail!("the Debian mirror of this system's apt sources did not answer");
        }
        Ok(packages)
    }

    /// Names of the files that installing `names` into an empty system would fetch.
    pub(crate) fn closure(&self, names: &[&str]) -> Result<Vec<String>> {
        let uris = command::output(
            self.tool("apt-get")
                .args(["-qq", "-y", "--print-uris"])
                .args(self.target())
                .arg("install")
                .args(names),
        )?;
        let files = printed_files(&uris);
        if files.is_empty() {
            bail!("apt-get named no files for {}", names.join(" "));
        }
        Ok(files)
    }

    /// Fetches `names` with everything they depend on and unpacks it all into `folder`.
    pub(crate) fn unpack_closure(&self, names: &[&str], folder: &Path) -> Result<()> {
        let archives = self.root.join("var/cache/apt/archives");
        remove_folder(&archives)?;
        fs::create_dir_all(archives.join("partial"))?;
        command::output(
            self.tool("apt-get")
                .args(["-q", "-y", "--download-only"])
                .args(self.target())
                .arg("install")
                .args(names),
        )?;
        unpack_all(&archives, folder)?;
        remove_folder(&archives)
    }

    /// Fetches one package alone and unpacks it into `folder`.
    pub(crate) fn unpack(&self, name: &str, folder: &Path) -> Result<()> {
        let archives = self.root.join("download");
        remove_folder(&archives)?;
        fs::create_dir_all(&archives)?;
        command::output(self.tool("apt-get").args(["-q", "download", name]).current_dir(&archives))?;
        unpack_all(&archives, folder)?;
        remove_folder(&archives)
    }

    /// What `apt-cache show` says about a package: one paragraph for each version, the newest first.
    pub(crate) fn show(&self, name: &str) -> Result<String> {
        command::output(self.tool("apt-cache").args(["show", name]))
    }

    fn target(&self) -> Vec<String> {
        self.release.target.map_or_else(Vec::new, |suite| vec!["-t".to_owned(), suite.to_owned()])
    }

    fn tool(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("APT_CONFIG", self.root.join("apt.conf")).env("LC_ALL", "C");
        command
    }

    fn lists_exist(&self) -> bool {
        let lists = fs::read_dir(self.root.join("var/lib/apt/lists"));
        lists.is_ok_and(|lists| {
            let names = lists.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
            names.filter(|name| name.contains(self.release.name) && name.ends_with("Release")).count() > 0
        })
    }
}

/// apt's configuration for the private root. Of the system's own only what concerns the network is kept (proxies,
/// time-outs): its hooks and folders are the system's business.
fn configuration(root: &Path) -> Result<String> {
    let dump = command::output(Command::new("apt-config").arg("dump").env_remove("APT_CONFIG"))?;
    let network: String = dump
        .lines()
        .filter(|line| line.starts_with("Acquire::") && !line.starts_with("Acquire::IndexTargets"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let root = root.display();
    Ok(format!(
        "{network}\
        Dir \"{root}\";\n\
        Dir::State \"var/lib/apt\";\n\
        Dir::State::status \"{root}/var/lib/dpkg/status\";\n\
        Dir::Cache \"var/cache/apt\";\n\
        Dir::Etc \"etc/apt\";\n\
        Dir::Etc::SourceList \"{root}/sources.list\";\n\
        Dir::Etc::Parts \"/dev/null\";\n\
        Dir::Etc::Trusted \"/etc/apt/trusted.gpg\";\n\
        Dir::Etc::TrustedParts \"/etc/apt/trusted.gpg.d\";\n\
        Dir::Etc::Netrc \"/etc/apt/auth.conf\";\n\
        Dir::Etc::NetrcParts \"/etc/apt/auth.conf.d\";\n\
        APT::Architecture \"amd64\";\n\
        APT::Architectures {{ \"amd64\"; }};\n\
        APT::Install-Recommends \"false\";\n\
        APT::Sandbox::User \"root\";\n\
        Acquire::Languages \"none\";\n\
        Acquire::http::Timeout \"20\";\n\
        Acquire::https::Timeout \"20\";\n"
    ))
}

/// The mirrors named in the system's apt sources, whatever their format.
fn system_mirrors() -> Result<Vec<Mirror>> {
    mirrors_below(Path::new("/etc/apt"), Path::new(KEYRING).exists())
}

/// The mirrors named below such a folder as `/etc/apt`. Without any, Debian's own archive, if its keyring is there.
fn mirrors_below(etc: &Path, has_keyring: bool) -> Result<Vec<Mirror>> {
    let mut mirrors = Vec::new();
    let mut paths = vec![etc.join("sources.list")];
    if let Ok(parts) = fs::read_dir(etc.join("sources.list.d")) {
        paths.extend(parts.flatten().map(|entry| entry.path()));
    }
    paths.sort();
    for path in paths {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("list") => mirrors.extend(one_line_mirrors(&text)),
            Some("sources") => mirrors.extend(deb822_mirrors(&text)),
            _ => {}
        }
    }
    mirrors.dedup();
    if !mirrors.iter().any(|mirror| !mirror.security) {
        if !has_keyring {
            bail!(
                "this system's apt sources name no Debian mirror, and there is no {KEYRING} to trust one with"
            );
        }
        mirrors.push(Mirror { uri: ARCHIVE.to_owned(), signed_by: None, security: false });
    }
    Ok(mirrors)
}

/// The addresses behind one: `mirror+file:PATH` names a file with an address in each line, best first (those of Debian's
/// cloud images are such). What follows an address in its line is about it.
fn addresses(uri: &str) -> Vec<String> {
    let Some(path) = uri.strip_prefix("mirror+file:") else {
        return vec![uri.to_owned()];
    };
    // Both file:/path and file:///path.
    let path = format!("/{}", path.trim_start_matches('/'));
    let text = fs::read_to_string(path).unwrap_or_default();
    let address =
        |line: &str| line.split_whitespace().next().filter(|word| !word.starts_with('#')).map(str::to_owned);
    text.lines().filter_map(address).collect()
}

/// A mirror, if the address and suites are Debian's main or security archive.
fn mirror(uri: &str, suites: &str, signed_by: Option<&str>) -> Option<Mirror> {
    let archive = uri.trim_end_matches('/').rsplit('/').next()?;
    let security = archive == "debian-security" || suites.contains("-security");
    if !security && archive != "debian" {
        return None;
    }
    let signed_by = signed_by.filter(|file| file.starts_with('/')).map(str::to_owned);
    Some(Mirror { uri: uri.to_owned(), signed_by, security })
}

/// Mirrors of a `sources.list`: `deb [signed-by=FILE] URI SUITE COMPONENT...`.
fn one_line_mirrors(text: &str) -> Vec<Mirror> {
    let understood = |line: &str| -> Option<Vec<Mirror>> {
        let rest = line.trim().strip_prefix("deb ")?.trim_start();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let mut words = rest.split_whitespace();
        let signed_by = options.split_whitespace().find_map(|option| option.strip_prefix("signed-by="));
        let (uri, suite) = (words.next()?, words.next()?);
        Some(addresses(uri).iter().filter_map(|uri| mirror(uri, suite, signed_by)).collect())
    };
    text.lines().filter_map(understood).flatten().collect()
}

/// Mirrors of a `.sources` file: paragraphs of `Key: value` lines. A line that begins with a space continues the one
/// before; comments may stand between them.
fn deb822_mirrors(text: &str) -> Vec<Mirror> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    lines.split(|line| line.trim().is_empty()).flat_map(paragraph_mirrors).collect()
}

fn paragraph_mirrors(paragraph: &[&str]) -> Vec<Mirror> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in paragraph {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    let field = |key: &str| fields.iter().find(|(name, _)| name == key).map(|(_, value)| value.trim());
    let off = field("enabled").is_some_and(|value| value.eq_ignore_ascii_case("no"));
    if off || !field("types").is_some_and(|types| types.split_whitespace().any(|word| word == "deb")) {
        return Vec::new();
    }
    let suites = field("suites").unwrap_or_default();
    let uris = field("uris").unwrap_or_default().split_whitespace().flat_map(addresses);
    uris.filter_map(|uri| mirror(&uri, suites, field("signed-by"))).collect()
}

/// Our own sources on the system's mirrors.
fn sources_list(mirrors: &[Mirror], release: Release) -> String {
    let mut text = String::new();
    for mirror in mirrors {
        let keyring = mirror.signed_by.as_deref().or_else(|| Path::new(KEYRING).exists().then_some(KEYRING));
        let option = keyring.map(|file| format!("[signed-by={file}] ")).unwrap_or_default();
        let suites: &[&str] = match mirror.security {
            true if release.security => &["-security"],
            true => &[],
            false => release.suites,
        };
        for suite in suites {
            text.push_str(&format!("deb {option}{} {}{suite} main\n", mirror.uri, release.name));
        }
    }
    text
}

/// File names in the output of `apt-get --print-uris`: `'URI' FILE SIZE HASH`.
fn printed_files(output: &str) -> Vec<String> {
    output
        .lines()
        .filter(|line| line.starts_with('\''))
        .filter_map(|line| line.split_whitespace().nth(1))
        .map(str::to_owned)
        .collect()
}

/// The version in a package's file name: `name_VERSION_arch.deb`, with apt's `%3a` for the colon of an epoch.
pub(crate) fn version_in(file: &str) -> Option<String> {
    file.split('_').nth(1).map(|version| version.replace("%3a", ":"))
}

/// The newest `linux-image-*` that the paragraphs of the meta package `linux-image-amd64` depend on, among those of a
/// series such as `6.12`.
pub(crate) fn kernel_package(show: &str, series: &str) -> Option<String> {
    let prefix = format!("linux-image-{series}.");
    show.lines()
        .filter_map(|line| line.strip_prefix("Depends:"))
        .flat_map(|depends| depends.split(','))
        .filter_map(|package| package.split_whitespace().next())
        .find(|package| package.starts_with(&prefix))
        .map(str::to_owned)
}

/// Unpacks every package of a folder into another.
fn unpack_all(archives: &Path, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(archives).with_context(|| format!("cannot read {}", archives.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            command::output(Command::new("dpkg-deb").arg("-x").arg(&path).arg(folder))?;
        }
    }
    Ok(())
}

/// Removes a folder that may not be there.
pub(crate) fn remove_folder(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deb822_sources_are_read() {
        let text = "Types: deb\n# a comment: with a colon\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\n\
            Components: main\nSigned-By: /k.gpg\n\nTypes: deb\nURIs: http://mirror.example/debian-security\n\
            Suites: bookworm-security\n\nTypes: deb-src\nURIs: http://src.example/debian\n\n\
            Enabled: no\nTypes: deb\nURIs: http://off.example/debian\n\nTypes: deb\nURIs: https://node.example/node_20.x\n";
        let mirrors = deb822_mirrors(text);
        let uris: Vec<_> = mirrors.iter().map(|mirror| (mirror.uri.as_str(), mirror.security)).collect();
        assert_eq!(
            uris,
            [("http://mirror.example/debian", false), ("http://mirror.example/debian-security", true)]
        );
        assert_eq!(mirrors[0].signed_by.as_deref(), Some("/k.gpg"));
    }

    #[test]
    fn continued_lines_belong_to_their_field() {
        let text = "Types: deb\nURIs:\n http://a.example/debian\n# between\n\thttp://b.example/debian\nSuites: bookworm\n \
            bookworm-updates\nSigned-By:\n /k.gpg\n";
        let mirrors = deb822_mirrors(text);
        let uris: Vec<_> = mirrors.iter().map(|mirror| mirror.uri.as_str()).collect();
        assert_eq!(uris, ["http://a.example/debian", "http://b.example/debian"]);
        assert!(
            mirrors.iter().all(|mirror| mirror.signed_by.as_deref() == Some("/k.gpg") && !mirror.security)
        );
    }

    #[test]
    fn a_mirror_file_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("debian.list");
        fs::write(&list, "# ours\nhttps://a.example/debian\thint:1\n\nhttp://b.example/debian\n").unwrap();
        let expected = ["https://a.example/debian", "http://b.example/debian"];
        for slashes in ["", "//"] {
            let uri = format!("mirror+file:{slashes}{}", list.display());
            let sources = format!("Types: deb\nURIs: {uri}\nSuites: bookworm\n");
            let line = format!("deb {uri} bookworm main\n");
            for mirrors in [deb822_mirrors(&sources), one_line_mirrors(&line)] {
                let uris: Vec<_> = mirrors.iter().map(|mirror| mirror.uri.as_str()).collect();
                assert_eq!(uris, expected, "{uri}");
            }
        }
        assert!(one_line_mirrors("deb mirror+file:/no/such/file bookworm main").is_empty());
    }

    #[test]
    fn without_a_mirror_debians_own_archive_is_taken_if_its_keyring_is_there() {
        let etc = tempfile::tempdir().unwrap();
        let found = mirrors_below(etc.path(), true).unwrap();
        assert_eq!(found.iter().map(|mirror| mirror.uri.as_str()).collect::<Vec<_>>(), [ARCHIVE]);
        assert!(mirrors_below(etc.path(), false).is_err());
        fs::write(etc.path().join("sources.list"), "deb http://m.example/debian bookworm main\n").unwrap();
        let found = mirrors_below(etc.path(), true).unwrap();
        assert_eq!(
            found.iter().map(|mirror| mirror.uri.as_str()).collect::<Vec<_>>(),
            ["http://m.example/debian"]
        );
    }

    #[test]
    fn one_line_sources_are_read() {
        let text = "# deb http://no.example/debian sid main\ndeb http://a.example/debian/ trixie main contrib\n\
            deb [arch=amd64 signed-by=/k.gpg] http://b.example/debian bookworm main\ndeb-src http://c.example/debian x main\n\
            deb http://ubuntu.example/ubuntu noble main\n";
        let mirrors = one_line_mirrors(text);
        assert_eq!(mirrors.len(), 2);
        assert_eq!(mirrors[0].uri, "http://a.example/debian/");
        assert_eq!(mirrors[1].signed_by.as_deref(), Some("/k.gpg"));
    }

    #[test]
    fn our_suites_are_asked_of_the_systems_mirrors() {
        let mirrors = [
            Mirror { uri: "http://m/debian".into(), signed_by: Some("/k".into()), security: false },
            Mirror { uri: "http://m/debian-security".into(), signed_by: Some("/k".into()), security: true },
        ];
        let text = sources_list(&mirrors, BOOKWORM);
        assert!(text.contains("deb [signed-by=/k] http://m/debian bookworm-backports main\n"));
        assert!(text.contains("deb [signed-by=/k] http://m/debian-security bookworm-security main\n"));
        assert_eq!(text.lines().count(), 4);
        assert_eq!(sources_list(&mirrors, SID), "deb [signed-by=/k] http://m/debian sid main\n");
    }

    #[test]
    fn file_names_and_versions_come_from_print_uris() {
        let output =
            "Reading...\n'http://m/pool/q.deb' qemu-system-x86_1%3a10.0.2+ds-2_amd64.deb 10 MD5Sum:0\n";
        let files = printed_files(output);
        assert_eq!(files, ["qemu-system-x86_1%3a10.0.2+ds-2_amd64.deb"]);
        assert_eq!(version_in(&files[0]).as_deref(), Some("1:10.0.2+ds-2"));
    }

    #[test]
    fn the_kernel_of_a_series_is_found() {
        let show = "Package: linux-image-amd64\nVersion: 6.12.95-1~bpo12+1\n\
            Depends: linux-image-6.12.95+deb12-amd64 (= 6.12.95-1~bpo12+1)\n\n\
            Version: 6.1.192-1\nDepends: linux-image-6.1.0-56-amd64 (= 6.1.192-1)\n\n\
            Version: 6.1.176-1\nDepends: linux-image-6.1.0-50-amd64 (= 6.1.176-1)\n";
        assert_eq!(kernel_package(show, "6.12").as_deref(), Some("linux-image-6.12.95+deb12-amd64"));
        assert_eq!(kernel_package(show, "6.1").as_deref(), Some("linux-image-6.1.0-56-amd64"));
        assert_eq!(kernel_package(show, "6.18"), None);
    }
}
