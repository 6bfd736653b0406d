//! What a file is: an archive of a capture, or text; each plain or in gzip.
//!
//! Nothing is unpacked to disk, so the paths in an archive lead nowhere: only the last part of each is
//! looked at. Long names and other extensions of the format are skipped unread: nobody needs them, and
//! reading them takes memory.

use super::{MAX_FILE, Parts, too_long};
use crate::error::{Error, Result};
use flate2::read::MultiGzDecoder;
use std::io::{self, Read};
use std::path::Path;

/// How much of an archive is read, unpacked: a gzip file can hold a thousand times its size.
const MAX_TOTAL: u64 = 2 * MAX_FILE;

/// How much longer than the file the unpacked data may be: this, and [`UNPACKED_FACTOR`] times what was
/// read of the file. Dumps of mostly zeros shrink to a thirtieth; what shrinks to less was made to.
const UNPACKED_FREE: u64 = 16 << 20;
const UNPACKED_FACTOR: u64 = 100;

/// How many entries an archive may have; ours has four.
const MAX_ENTRIES: usize = 1024;

/// The length of a header of a tar archive.
const HEADER: u64 = 512;

/// What a file turned out to be.
#[derive(Debug)]
pub(super) enum Opened {
    Capture(Parts),
    Text(Vec<u8>),
}

/// Reads `file`; `path` is for errors.
pub(super) fn open(path: &Path, file: impl Read) -> Result<Opened> {
    let error = |e| Error::read(path, e);
    let mut file = io::BufReader::new(file);
    let mut magic = Vec::new();
    (&mut file).take(2).read_to_end(&mut magic).map_err(error)?;
    let compressed = magic == [0x1f, 0x8b];
    let file = magic.as_slice().chain(file);
    if compressed { unpacked(path, Unpacked::new(file)) } else { unpacked(path, file) }
}

/// Gzip data that must not be more than the file can be expected to hold.
struct Unpacked<R> {
    data: MultiGzDecoder<io::BufReader<Counted<R>>>,
    length: u64,
}

impl<R: Read> Unpacked<R> {
    fn new(packed: R) -> Self {
        Self { data: MultiGzDecoder::new(io::BufReader::new(Counted { packed, length: 0 })), length: 0 }
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.data.read(buffer)?;
        self.length += count as u64;
        let packed = self.data.get_ref().get_ref().length;
        if self.length > UNPACKED_FREE + packed.saturating_mul(UNPACKED_FACTOR) {
            let message = format!("it unpacks to more than {UNPACKED_FACTOR} times its size");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(count)
    }
}

/// A reader that counts what was read.
struct Counted<R> {
    packed: R,
    length: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.packed.read(buffer)?;
        self.length += count as u64;
        Ok(count)
    }
}

fn unpacked(path: &Path, mut data: impl Read) -> Result<Opened> {
    let mut header = Vec::new();
    (&mut data).take(HEADER).read_to_end(&mut header).map_err(|e| broken(path, &e))?;
    let is_archive = header.get(257..262) == Some(b"ustar");
    let data = header.as_slice().chain(data);
    if is_archive {
        return parts(path, data).map(Opened::Capture);
    }
    let mut text = Vec::new();
    data.take(MAX_FILE + 1).read_to_end(&mut text).map_err(|e| broken(path, &e))?;
    if text.len() as u64 > MAX_FILE {
        return Err(too_long(path.to_path_buf()));
    }
    Ok(Opened::Text(text))
}

fn parts(path: &Path, data: impl Read) -> Result<Parts> {
    let malformed =
        |message: String| Error::Malformed { file: path.to_path_buf(), line: 0, column: 0, message };
    let mut parts = Parts::default();
    let mut archive = tar::Archive::new(data.take(MAX_TOTAL));
    let entries = archive.entries().map_err(|e| broken(path, &e))?.raw(true);
    for (count, entry) in entries.enumerate() {
        if count == MAX_ENTRIES {
            return Err(malformed(format!("more than {MAX_ENTRIES} files: this is no capture")));
        }
        let mut entry = entry.map_err(|e| broken(path, &e))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let full = entry.path_bytes().into_owned();
        let name = full.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let Some(slot) = parts.slot(name) else { continue };
        let shown = path.join(String::from_utf8_lossy(name).as_ref());
        if slot.is_some() {
            return Err(Error::Malformed {
                file: shown,
                line: 0,
                column: 0,
                message: "is there twice".into(),
            });
        }
        if entry.size() > MAX_FILE {
            return Err(too_long(shown));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|e| broken(path, &e))?;
        if bytes.len() as u64 != entry.size() {
            return Err(malformed("ends too early: part of it is missing".into()));
        }
        *slot = Some(bytes);
    }
    Ok(parts)
}

/// The error for data that are not what they begin as.
fn broken(path: &Path, error: &io::Error) -> Error {
    if let Some(errno) = error.raw_os_error() {
        return Error::read(path, io::Error::from_raw_os_error(errno));
    }
    let message = format!("the archive is broken or cut off: {error}");
    Error::Malformed { file: path.to_path_buf(), line: 0, column: 0, message }
}
