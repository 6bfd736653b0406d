//! Debian's own ROMs: what others built is read without a complaint, and put together again it is the same.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use romtools::build::{Builder, Part};
use romtools::{Rom, Severity, Stop, check, compare, cut, scan, source};

/// Folders of ROMs, and how their names begin.
const FOLDERS: [(&str, &[&str]); 3] = [
    ("usr/lib/ipxe/qemu", &["efi-", "pxe-"]),
    ("usr/share/seabios", &["vgabios-"]),
    ("usr/share/qemu", &["kvmvapic", "linuxboot", "multiboot", "pvh", "sgabios"]),
];

/// The ROM files of the packages. Links are to files of the same names elsewhere, or dangle.
pub(super) fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for (folder, names) in FOLDERS {
        let folder = root.join(folder);
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type()?.is_file() && names.iter().any(|begin| name.starts_with(begin)) {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Everything that can be done with a ROM that is good.
///
/// # Errors
/// What is not as it should be.
pub(super) fn examine(file: &Path) -> Result<()> {
    let bytes = fs::read(file)?;
    let rom = Rom::parse(&bytes)?;
    let defect = check::findings(&rom).into_iter().find(|finding| finding.severity() == Severity::Defect);
    ensure!(defect.is_none(), "a defect in a good ROM: {}", defect.map_or(String::new(), |d| d.to_string()));

    let cut = cut::cut(&rom, &cut::Options::default())?;
    ensure!(cut.offset == 0, "something was cut off in front, to {:x}h", cut.offset);
    let out = Rom::parse(cut.bytes)?;
    ensure!(compare::compare(&rom, &out).is_same_rom(), "what was cut out is another ROM");
    ensure!(
        source::read_rom(&bytes[..], 0, source::MAXIMUM_SIZE)? == cut.bytes,
        "it is not read up to its end"
    );
    // A ROM from before PCI that does not begin with a jump (KVM's) is not told from data.
    let jumps = matches!(bytes.get(3), Some(0xe9 | 0xeb | 0xcb));
    ensure!((rom.chains().is_empty() && !jumps) || is_found(&bytes)?, "it is not found in a larger file");

    // A ROM from before PCI is no chain that could be built again.
    if let [chain] = out.chains() {
        ensure!(chain.stop() == Stop::LastImage, "its chain does not end");
        let parts = chain.images().iter().map(|image| Part::Images(image.bytes()));
        let built = parts.fold(Builder::new(0, Vec::new()), Builder::part).build()?;
        ensure!(built == cut.bytes, "its images put together are another ROM");
    }
    Ok(())
}

/// Whether a scan finds it where it is.
fn is_found(rom: &[u8]) -> Result<bool> {
    const BEFORE: usize = 0x1234;
    let file = [&[0xff; BEFORE][..], rom, &[0xff; 700]].concat();
    let mut found = false;
    scan::scan(&file[..], file.len() as u64, &mut |event| {
        if let scan::Event::Found(one) = event {
            found |= one.offset == BEFORE as u64 && matches!(one.what, scan::What::Rom(_));
        }
        Ok(())
    })?;
    Ok(found)
}
