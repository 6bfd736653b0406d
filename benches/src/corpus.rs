//! Dumps of real devices, where they are at hand: they are not part of the project.

use pcicfg::Dump;
use romtools::header::{Compression, Header};
use romtools::{Rom, compression};
use std::path::{Path, PathBuf};

/// The folder `shared`, if it is there: `VFIO_RESET_SHARED`, or beside the workspace.
#[must_use]
pub fn shared() -> Option<PathBuf> {
    let beside = |up: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(up).join("shared");
    let named = std::env::var_os("VFIO_RESET_SHARED").map(PathBuf::from);
    named.into_iter().chain([beside("../.."), beside("../../..")]).find(|path| path.is_dir())
}

/// The configuration spaces of 4096 bytes in `shared/corpus/lspci`, each once, in the order of the files.
#[must_use]
pub fn functions() -> Vec<Vec<u8>> {
    let Some(folder) = shared().map(|shared| shared.join("corpus/lspci")) else { return Vec::new() };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let mut found: Vec<Vec<u8>> = Vec::new();
    for file in files {
        let Ok(text) = std::fs::read(file) else { continue };
        let Ok(dump) = Dump::parse(&text) else { continue };
        for function in &dump {
            let bytes = function.bytes();
            if function.present() == 4096 && !found.iter().any(|known| known == bytes) {
                found.push(bytes.to_vec());
            }
        }
    }
    found
}

/// The compressed EFI drivers in the ROMs of `shared/corpus/rom`, each once: streams with their header, and nothing
/// behind them.
#[must_use]
pub fn compressed_drivers() -> Vec<Vec<u8>> {
    let Some(folder) = shared().map(|shared| shared.join("corpus/rom")) else { return Vec::new() };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let mut found: Vec<Vec<u8>> = Vec::new();
    for file in files {
        let Ok(bytes) = std::fs::read(file) else { continue };
        let Ok(rom) = Rom::parse(&bytes) else { continue };
        for image in rom.images() {
            let Header::Efi(header) = image.header() else { continue };
            let stream = image.bytes().get(usize::from(header.image_offset)..).unwrap_or_default();
            let Ok(sizes) = compression::Sizes::parse(stream) else { continue };
            let Some(stream) = stream.get(..compression::HEADER + sizes.compressed) else { continue };
            if header.compression == Compression::UEFI && !found.iter().any(|known| known == stream) {
                found.push(stream.to_vec());
            }
        }
    }
    found
}
