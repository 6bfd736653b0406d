//! Output files: whole or not at all, and never over something that is already there by accident.
//!
//! A file is written beside its place under another name and renamed when it is complete. A run that
//! fails or is killed leaves what was there before.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("it exists already")]
    Exists,
    #[error("it is not a regular file")]
    NotAFile,
    #[error("it is the file that is read")]
    Input,
    #[error("its folder is not there")]
    NoFolder,
    #[error("cannot be written: {0}")]
    Write(#[from] io::Error),
}

impl Failure {
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Exists => "choose another name, or replace it with --force",
            Self::NotAFile => "choose the name of a file: a device, pipe or folder is never replaced",
            Self::Input => "choose another name: a ROM is never changed in place, so that the original stays",
            Self::NoFolder => "make the folder first",
            Self::Write(_) => "check the folder's permissions and free space",
        }
    }
}

/// Where a file shall go, and what it may replace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) path: &'a Path,
    /// Replace a file that is there.
    pub(crate) force: bool,
}

impl Target<'_> {
    /// Writes these bytes. `inputs` are files that it must not be.
    pub(crate) fn write(&self, inputs: &[&Path], bytes: &[u8]) -> Result<(), Failure> {
        self.write_with(inputs, |file| file.write_all(bytes))
    }

    /// Writes what `fill` does. `inputs` are files that it must not be.
    pub(crate) fn write_with(
        &self,
        inputs: &[&Path],
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let path = self.place(inputs)?;
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut file = create(folder).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Failure::NoFolder,
            // Its text has the name of the file beside the place, which nobody asked for.
            kind => Failure::Write(kind.into()),
        })?;
        fill(file.as_file_mut())?;
        // A file that is renamed before its data is on the disk can be empty after a crash.
        file.as_file().sync_all()?;
        let done = if self.force { file.persist(&path) } else { file.persist_noclobber(&path) };
        match done {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Err(Failure::Exists),
            Err(error) => Err(error.error.into()),
        }
    }

    /// The path to rename to, with symbolic links followed; or why there is nothing to be written at it.
    fn place(&self, inputs: &[&Path]) -> Result<PathBuf, Failure> {
        let place = match fs::canonicalize(self.path) {
            Ok(place) => place,
            // A link that leads nowhere is in the way, too; `persist_noclobber` says so.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(self.path.to_owned()),
            Err(error) => return Err(error.into()),
        };
        if inputs.iter().any(|input| fs::canonicalize(input).is_ok_and(|input| input == place)) {
            return Err(Failure::Input);
        }
        if !fs::metadata(&place)?.is_file() {
            return Err(Failure::NotAFile);
        }
        if self.force { Ok(place) } else { Err(Failure::Exists) }
    }
}

/// A temporary file in the folder, with the permissions of any new file: another user, such as the
/// one that runs the virtual machines, reads it.
fn create(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".romtools-").suffix(".partial");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_that_is_there_is_replaced_only_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = &folder.path().join("a.rom");
        Target { path, force: false }.write(&[], b"first").unwrap();
        assert!(matches!(Target { path, force: false }.write(&[], b"second"), Err(Failure::Exists)));
        assert_eq!(fs::read(path).unwrap(), b"first");
        Target { path, force: true }.write(&[], b"second").unwrap();
        assert_eq!(fs::read(path).unwrap(), b"second");
        assert_eq!(names(folder.path()), ["a.rom"], "nothing else is left");
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_without_our_own_names() {
        let folder = tempfile::tempdir().unwrap();
        let path = &folder.path().join("gone/a.rom");
        let failure = Target { path, force: false }.write(&[], b"x").unwrap_err();
        assert_eq!(
            (failure.to_string().as_str(), failure.advice()),
            ("its folder is not there", "make the folder first")
        );
        fs::write(folder.path().join("gone"), "a file").unwrap();
        let failure = Target { path, force: false }.write(&[], b"x").unwrap_err();
        assert!(!failure.to_string().contains(".partial"), "{failure}");
    }

    #[test]
    fn a_failure_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = &folder.path().join("a.rom");
        fs::write(path, "old").unwrap();
        let failed = Target { path, force: true }.write_with(&[], |file| {
            file.write_all(b"half")?;
            Err(io::Error::other("the source went away"))
        });
        assert!(matches!(failed, Err(Failure::Write(_))));
        assert_eq!(fs::read(path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a.rom"]);
    }

    #[test]
    fn the_input_is_never_the_output() {
        let folder = tempfile::tempdir().unwrap();
        let path = &folder.path().join("a.rom");
        fs::write(path, "old").unwrap();
        let other_name = folder.path().join("./a.rom");
        let target = Target { path: &other_name, force: true };
        assert!(matches!(target.write(&[path], b"new"), Err(Failure::Input)));
    }

    #[cfg(unix)]
    #[test]
    fn only_files_are_replaced_and_links_are_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link, dead) =
            (folder.path().join("file"), folder.path().join("link"), folder.path().join("dead"));
        assert!(matches!(
            Target { path: folder.path(), force: true }.write(&[], b"x"),
            Err(Failure::NotAFile)
        ));
        assert!(matches!(
            Target { path: Path::new("/dev/null"), force: true }.write(&[], b"x"),
            Err(Failure::NotAFile)
        ));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        Target { path: &link, force: true }.write(&[], b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(link.is_symlink());
        std::os::unix::fs::symlink(folder.path().join("nowhere"), &dead).unwrap();
        assert!(matches!(Target { path: &dead, force: false }.write(&[], b"x"), Err(Failure::Exists)));
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_what_is_written() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
        Target { path: &ours, force: false }.write(&[], b"x").unwrap();
        fs::write(&plain, "x").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }
}
