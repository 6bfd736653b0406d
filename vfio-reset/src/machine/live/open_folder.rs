//! The functions' folders in sysfs, each opened once: its files are then found without the way to it.
//!
//! Listing a host with thousands of functions opens some ten files of each. The kernel would walk through `/sys`, a link and
//! the folders of all bridges above for every one of them.

use super::sysfs;
use pcicfg::Address;
use rustix::fs::{AtFlags, Mode, OFlags, openat, readlinkat, statat};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// What went wrong, with the file.
pub(super) type Failed = (PathBuf, io::Error);

/// The folder with a link to each function's folder.
#[derive(Debug)]
pub(super) struct Devices {
    path: PathBuf,
    folder: OwnedFd,
}

impl Devices {
    /// Opens it, only for what is in it.
    pub(super) fn open(path: PathBuf) -> Result<Self, Failed> {
        match rustix::fs::open(&path, FOLDER, Mode::empty()) {
            Ok(folder) => Ok(Self { path, folder }),
            Err(error) => Err((path, error.into())),
        }
    }

    /// Opens a function's folder.
    pub(super) fn folder(&self, address: Address) -> Result<Folder<'_>, Failed> {
        let name = address.to_string();
        match openat(&self.folder, &name, FOLDER, Mode::empty()) {
            Ok(folder) => Ok(Folder { devices: self, name, folder }),
            Err(error) => Err((self.path.join(name), error.into())),
        }
    }
}

impl AsFd for Devices {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }
}

const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// A function's open folder.
#[derive(Debug)]
pub(super) struct Folder<'d> {
    devices: &'d Devices,
    name: String,
    folder: OwnedFd,
}

impl Folder<'_> {
    /// Its path, as it was opened.
    pub(super) fn path(&self) -> PathBuf {
        self.devices.path.join(&self.name)
    }

    /// Where the link to it leads.
    pub(super) fn target(&self) -> io::Result<PathBuf> {
        let target = readlinkat(&self.devices.folder, &self.name, Vec::new())?;
        Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
    }

    /// A file in it, to be read.
    pub(super) fn file(&self, name: &str) -> Result<File, Failed> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        openat(&self.folder, name, flags, Mode::empty())
            .map(File::from)
            .map_err(|error| self.failed(name, error.into()))
    }

    /// An attribute without its line end; `None` if there is none.
    pub(super) fn attribute(&self, name: &str) -> Result<Option<String>, Failed> {
        match self.file(name) {
            Ok(file) => sysfs::read_file(file).map(Some).map_err(|error| self.failed(name, error)),
            Err((_, error)) if sysfs::is_missing(&error) => Ok(None),
            Err(failed) => Err(failed),
        }
    }

    /// The last name of where a link leads; `None` if there is none.
    pub(super) fn link_name(&self, name: &str) -> Result<Option<String>, Failed> {
        match readlinkat(&self.folder, name, Vec::new()) {
            Ok(target) => {
                let target = target.to_string_lossy();
                Ok(Path::new(&*target).file_name().map(|name| name.to_string_lossy().into_owned()))
            }
            Err(error) => {
                let error = io::Error::from(error);
                if sysfs::is_missing(&error) { Ok(None) } else { Err(self.failed(name, error)) }
            }
        }
    }

    /// Whether there is such a file, folder or link.
    pub(super) fn has(&self, name: &str) -> bool {
        statat(&self.folder, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    fn failed(&self, name: &str, error: io::Error) -> Failed {
        (self.path().join(name), error)
    }
}
