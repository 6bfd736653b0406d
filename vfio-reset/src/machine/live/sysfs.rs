//! Small files, links and names of sysfs.

use pcicfg::Address;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What one attribute can hold: the kernel gives its code one page.
pub(super) const PAGE: usize = 4096;

/// An attribute without its line end; `None` if there is none.
///
/// One read, no `stat`: the kernel hands an attribute over whole.
pub(super) fn read(path: &Path) -> io::Result<Option<String>> {
    match File::open(path) {
        Ok(file) => read_file(file).map(Some),
        Err(e) if is_missing(&e) => Ok(None),
        Err(e) => Err(e),
    }
}

/// The same of a file that is open.
pub(super) fn read_file(mut file: File) -> io::Result<String> {
    let mut page = [0; PAGE];
    let length = loop {
        match file.read(&mut page) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => break other?,
        }
    };
    Ok(String::from_utf8_lossy(&page[..length]).trim_end_matches('\n').to_owned())
}

/// A file of procfs that grows with the host, up to `limit` bytes; `None` if there is none.
pub(super) fn read_long(path: &Path, limit: u64) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if is_missing(&e) => return Ok(None),
        Err(e) => return Err(e),
    };
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Where a link leads, as written in it; `None` if there is none.
pub(super) fn link(path: &Path) -> io::Result<Option<PathBuf>> {
    match std::fs::read_link(path) {
        Ok(target) => Ok(Some(target)),
        Err(e) if is_missing(&e) => Ok(None),
        Err(e) => Err(e),
    }
}

/// The last name of where a link leads; `None` if there is none.
pub(super) fn link_name(path: &Path) -> io::Result<Option<String>> {
    Ok(link(path)?.and_then(|target| Some(target.file_name()?.to_string_lossy().into_owned())))
}

/// The names in a folder, sorted; none if there is no such folder.
pub(super) fn names(path: &Path) -> io::Result<Vec<String>> {
    let entries = match std::fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) if is_missing(&e) => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    Ok(names)
}

/// Whether there is such a file, folder or link.
pub(super) fn exists(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// The address in a name that the kernel wrote; the shorter forms that users type are other things here.
pub(super) fn address(name: &str) -> Option<Address> {
    let address: Address = name.parse().ok()?;
    (name.len() >= "0000:00:00.0".len() && !name.bytes().any(|b| b.is_ascii_uppercase())).then_some(address)
}

/// Whether an error says only that there is nothing.
pub(super) fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_kernels_own_form_is_an_address() {
        assert_eq!(address("0000:03:00.0"), "03:00.0".parse().ok());
        assert_eq!(address("10000:e1:00.0"), "10000:e1:00.0".parse().ok());
        for name in ["03:00.0", "pci0000:00", "0000:C5:00.0", "0000:03:00", "usb1", ""] {
            assert_eq!(address(name), None, "{name}");
        }
    }
}
