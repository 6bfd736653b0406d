//! The file that `--trace` names.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use vfio_reset::Error;

/// A trace that was opened, and goes again if there will be nothing to write.
pub(super) struct TraceFile {
    path: PathBuf,
    made: bool,
}

/// Opens a trace: a new file, a pipe or terminal that is there, or what the program was started with.
pub(super) fn open(path: &Path) -> Result<(TraceFile, File), Error> {
    if let Some(inherited) = inherited(path) {
        let file = inherited.map_err(|error| Error::write(path, error))?;
        return Ok((TraceFile { path: path.to_path_buf(), made: false }, file.into()));
    }
    let is_stream = std::fs::metadata(path).is_ok_and(|metadata| {
        let kind = metadata.file_type();
        kind.is_fifo() || kind.is_char_device()
    });
    let opened = match is_stream {
        true => OpenOptions::new().write(true).open(path),
        false => File::create_new(path),
    };
    let file = opened.map_err(|error| {
        let text = "it is there already, and a trace replaces nothing: remove it or choose another name";
        Error::write(
            path,
            match error.kind() {
                io::ErrorKind::AlreadyExists => io::Error::new(io::ErrorKind::AlreadyExists, text),
                _ => error,
            },
        )
    })?;
    Ok((TraceFile { path: path.to_path_buf(), made: !is_stream }, file))
}

/// Standard output or error by its name. Opened again, a file would be written from its start, and a socket cannot be.
fn inherited(path: &Path) -> Option<io::Result<OwnedFd>> {
    match path.to_str()? {
        "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => Some(io::stdout().as_fd().try_clone_to_owned()),
        "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => Some(io::stderr().as_fd().try_clone_to_owned()),
        _ => None,
    }
}

impl TraceFile {
    /// Nothing was served: the next try must not stumble over an empty file.
    pub(super) fn discard(self) {
        if self.made {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
