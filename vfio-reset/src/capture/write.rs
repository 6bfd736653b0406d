//! A capture's folder or archive. Nothing that exists is ever overwritten.

use crate::error::{Error, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// A file of the capture: its name and content.
pub(super) type Part = (&'static str, Vec<u8>);

/// An early answer to a `target` that exists.
pub(super) fn must_not_exist(target: &Path) -> Result<()> {
    match target.symlink_metadata() {
        Ok(_) => Err(exists(target)),
        Err(_) => Ok(()),
    }
}

/// Writes the parts to the folder or archive `target`; `time` is when they were made, in seconds since
/// 1970. On an error what was written is removed.
pub(super) fn write(target: &Path, parts: &[Part], time: u64) -> Result<()> {
    match archive_stem(target) {
        Some(stem) => write_archive(target, stem, parts, time),
        None => write_folder(target, parts),
    }
}

/// The name of an archive without its ending.
fn archive_stem(target: &Path) -> Option<&str> {
    let name = target.file_name()?.to_str()?;
    name.strip_suffix(".tar.gz").or_else(|| name.strip_suffix(".tgz"))
}

fn write_folder(target: &Path, parts: &[Part]) -> Result<()> {
    fs::create_dir(target).map_err(|e| refused(target, e))?;
    for (name, content) in parts {
        let path = target.join(name);
        if let Err(e) = fs::write(&path, content) {
            // The folder is new, so all in it is ours.
            let _ = fs::remove_dir_all(target);
            return Err(Error::write(path, e));
        }
    }
    Ok(())
}

fn write_archive(target: &Path, stem: &str, parts: &[Part], time: u64) -> Result<()> {
    let file = File::create_new(target).map_err(|e| refused(target, e))?;
    let written = pack(file, stem, parts, time);
    written.map_err(|e| {
        let _ = fs::remove_file(target);
        Error::write(target, e)
    })
}

/// Packs the parts into one folder, so that unpacking does not strew them about.
fn pack(file: File, stem: &str, parts: &[Part], time: u64) -> io::Result<()> {
    // A name that an archive's header cannot hold is no reason to fail.
    let folder = if stem.is_empty() || stem.len() > 80 { "capture" } else { stem };
    let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    for (name, content) in parts {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(time);
        archive.append_data(&mut header, format!("{folder}/{name}"), content.as_slice())?;
    }
    archive.into_inner()?.finish()?.flush()
}

fn refused(target: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::AlreadyExists => exists(target),
        _ => Error::write(target, error),
    }
}

fn exists(target: &Path) -> Error {
    let reason = "it exists already, and a capture overwrites nothing; choose another name";
    Error::write(target, io::Error::new(io::ErrorKind::AlreadyExists, reason))
}
