//! Files, read whole but not without bound, and what is said when that fails.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use romtools::Rom;

use crate::{Outcome, json};

/// The most that is read of one file, in bytes: four times the largest option ROM that UEFI takes.
const LIMIT: u64 = 64 << 20;

/// Why a file gave no ROM.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}")]
    Read(#[from] io::Error),
    #[error("it is larger than {} MiB", LIMIT >> 20)]
    TooLarge,
    #[error("{0}")]
    Rom(#[from] romtools::Error),
}

impl Failure {
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Read(error) if error.kind() == io::ErrorKind::InvalidInput => {
                "a device's rom file can be read only after `1` was written to it"
            }
            Self::Read(error) if error.kind() == io::ErrorKind::PermissionDenied => "read it as root",
            Self::Read(error) if error.kind() == io::ErrorKind::NotSeekable => {
                "save what comes out of the pipe into a file first"
            }
            Self::Read(error) if error.kind() == io::ErrorKind::NotFound => "check the path",
            Self::Read(_) if self.is_folder() => {
                "give the ROM file itself; a device's is called `rom` in its sysfs folder"
            }
            Self::Read(_) => "check the path; for a device's rom file, the kernel log says more",
            Self::TooLarge => {
                "no option ROM is this large: `romtools scan --extract` takes the ROMs out of it"
            }
            Self::Rom(error) => error.advice(),
        }
    }

    /// If the path is that of a folder.
    pub(crate) fn is_folder(&self) -> bool {
        matches!(self, Self::Read(error) if error.kind() == io::ErrorKind::IsADirectory)
    }

    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Read(error) if error.kind() == io::ErrorKind::PermissionDenied => Outcome::Permission,
            _ => Outcome::FileFailed,
        }
    }
}

/// Shows the ROM in a file, or says why there is none: on the standard error, and as JSON where asked.
pub(crate) fn with_rom<W: Write>(
    out: &mut W,
    path: &Path,
    as_json: bool,
    show: impl FnOnce(&mut W, &Rom<'_>) -> io::Result<Outcome>,
) -> io::Result<Outcome> {
    let failure = match read(path) {
        Ok(bytes) => match Rom::parse(&bytes) {
            Ok(rom) => return show(out, &rom),
            Err(error) => error.into(),
        },
        Err(failure) => failure,
    };
    if as_json {
        json::write(out, &json::Failed::new(path, &failure))?;
    }
    out.flush()?;
    complain(format_args!("{}: {failure}\n  next: {}", path.display(), failure.advice()));
    Ok(failure.outcome())
}

/// A file's bytes, if they are not more than any ROM has.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT { Err(Failure::TooLarge) } else { Ok(bytes) }
}

/// A hint on the standard error: what was done may not be what was meant.
pub(crate) fn warn(message: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "warning: {message}");
}

/// One message on the standard error, which may be closed.
pub(crate) fn complain(message: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "error: {message}");
}
