//! Debian's own ROMs: what others built is read without a complaint, and put together again it is the same.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use romtools::build::{Builder, Part};
use romtools::expansion::pxe::{IpxeHeader, UndiRomId};
use romtools::open_firmware::Fcode;
use romtools::{Rom, Severity, Stop, check, compare, cut, scan, source};

/// Where iPXE's ROMs are.
const IPXE: &str = "usr/lib/ipxe/qemu";

/// Folders of ROMs, and how their names begin.
const FOLDERS: [(&str, &[&str]); 3] = [
    (IPXE, &["efi-", "pxe-"]),
    ("usr/share/seabios", &["vgabios-"]),
    ("usr/share/qemu", &["QEMU,", "kvmvapic", "linuxboot", "multiboot", "pvh", "sgabios"]),
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
    if file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("QEMU,")) {
        return program(&bytes);
    }
    let rom = Rom::parse(&bytes)?;
    if file.parent().is_some_and(|folder| folder.ends_with(IPXE)) {
        network(&rom)?;
    }
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

/// An FCode program for a Sun workstation, which stands in its file without a ROM around it.
fn program(bytes: &[u8]) -> Result<()> {
    let fcode = Fcode::parse(bytes, 0).context("no FCode program")?;
    ensure!(fcode.start_name() == Some("start1"), "it begins with {:02x}h", fcode.start);
    ensure!(fcode.length as usize == bytes.len(), "it claims {:x}h bytes", fcode.length);
    ensure!(fcode.sum == Some(fcode.checksum), "it sums to {:x?}", fcode.sum);
    Ok(())
}

/// What iPXE puts into a PC-AT image, by its documentation and the PXE specification.
fn network(rom: &Rom<'_>) -> Result<()> {
    let image = rom.images().next().context("no image")?;
    let headers: Vec<_> = image.pnp_headers().collect();
    let [pnp] = headers[..] else { bail!("{} $PnP headers instead of one", headers.len()) };
    ensure!(
        pnp.manufacturer_name() == Some(b"http://ipxe.org"),
        "the maker is {:?}",
        pnp.manufacturer_name()
    );
    ensure!(pnp.product_name().is_some_and(|name| name.starts_with(b"iPXE")), "the name is not iPXE");
    ensure!(pnp.device_type.base == 2 && pnp.bootstrap_entry_vector != 0, "it boots from no network");
    ensure!(pnp.sum() == Some(0), "the $PnP header sums to {:x?}", pnp.sum());
    let undi = UndiRomId::parse(image.bytes()).context("no UNDI ROM ID structure")?;
    ensure!((undi.undi_revision, undi.bus_type) == ([2, 1, 0], *b"PCIR"), "UNDI is {undi:?}");
    ensure!(undi.sum == Some(0), "the UNDI ROM ID structure sums to {:x?}", undi.sum);
    let ipxe = IpxeHeader::parse(image.bytes()).context("no iPXE header")?;
    ensure!(ipxe.sum == Some(0), "the iPXE header sums to {:x?}", ipxe.sum);
    let run_time = image.structure().revision_3.map(|fields| fields.maximum_run_time_image_length);
    ensure!(run_time == Some(ipxe.shrunk_length.into()), "two run-time lengths: {run_time:x?} and {ipxe:x?}");
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
