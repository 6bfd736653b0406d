//! `romtools vfct extract [TABLE]`

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use pcicfg::Address;
use romtools::Severity;
use romtools::vfct::{self, Found, Function, Location, Names, Record};

use super::source::{self, Source};
use super::{json, outcome};
use crate::number::Ids;
use crate::output::{self, Target};
use crate::{Outcome, input};

/// What shall be written where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) dir: &'a Path,
    pub(super) function: Option<Address>,
    pub(super) ids: Option<Ids>,
    pub(super) force: bool,
}

/// Why an image is in no file.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("the image is not whole")]
    Truncated,
    #[error("it is no option ROM")]
    NotARom,
    #[error(transparent)]
    Output(#[from] output::Failure),
}

impl Failure {
    fn advice(&self) -> &'static str {
        match self {
            Self::Truncated => "copy the table again, as root",
            Self::NotARom => "look for the video BIOS in the card's own ROM or in the board's firmware",
            Self::Output(failure) => failure.advice(),
        }
    }

    /// Whether the table is at fault, not the place to write to.
    fn is_defect(&self) -> bool {
        !matches!(self, Self::Output(_))
    }
}

impl Request<'_> {
    /// Writes the images, and says for each where it is or why it is nowhere.
    pub(super) fn run(self, out: &mut impl Write, source: &Source<'_>, as_json: bool) -> io::Result<Outcome> {
        let only = match self.function {
            None => None,
            Some(address) => match self.find(source, address) {
                Some(found) => Some(found),
                None => return self.not_found(out, source, address, as_json),
            },
        };
        if let (Some(address), Some(found)) = (self.function.filter(|address| address.domain() != 0), only) {
            let Record { location, vendor_id, device_id, .. } = found.record;
            input::warn(format_args!(
                "the table has no domains: this is the image for {location} ({vendor_id:04x}:{device_id:04x}), taken for \
                 {address}; compare its ids with the device's"
            ));
        }
        let mut names = Names::default();
        let (mut images, mut failed, mut broken) = (Vec::new(), false, false);
        for record in source.table.records() {
            // A record without an image needs no name.
            if record.image_length == 0 {
                continue;
            }
            let path = self.dir.join(names.name(&record));
            if only.is_some_and(|found| found.record != record) {
                continue;
            }
            let result = self.write(source, &record, &path);
            if let Err(failure) = &result {
                out.flush()?;
                input::complain(format_args!("{}: {failure}\n  next: {}", path.display(), failure.advice()));
                if failure.is_defect() { broken = true } else { failed = true }
            } else if !as_json {
                let Record { location, vendor_id, device_id, .. } = record;
                let length = record.image().len();
                writeln!(
                    out,
                    "{}: {length} bytes, for {location} ({vendor_id:04x}:{device_id:04x})",
                    path.display()
                )?;
            }
            images.push(json::ExtractImage::new(&record, &path, result.err().map(|error| error.to_string())));
        }
        let findings = vfct::findings(&source.table);
        if as_json {
            crate::json::write(out, &json::Extract::new(source, images, &findings))?;
        } else {
            if let (Some(address), Some(found)) = (self.function, only) {
                explain(out, address, &found)?;
            }
            // What is merely odd is for `info` to tell.
            for defect in findings.iter().filter(|finding| finding.severity() == Severity::Defect) {
                writeln!(out, "{defect}\n  next: {}", defect.problem().advice())?;
            }
        }
        Ok(match outcome(&findings) {
            _ if failed => Outcome::FileFailed,
            // The image that was asked for is whole, whatever the rest of the table is.
            Outcome::Defect if only.is_some() && !broken => Outcome::Fine,
            outcome => outcome,
        })
    }

    /// The record for the function: by its ids, where they are known.
    fn find<'t>(&self, source: &Source<'t>, address: Address) -> Option<Found<'t>> {
        let ids = self.ids(source, address);
        let location = Location {
            pci_bus: address.bus().into(),
            pci_device: address.device().into(),
            pci_function: address.function().into(),
        };
        source.table.find(Function::new(location, ids.map(|ids| (ids.vendor, ids.device))))
    }

    /// The function's ids. Those of this host's function count only for this host's table.
    fn ids(&self, source: &Source<'_>, address: Address) -> Option<Ids> {
        self.ids.or_else(|| source::ids(source.host?, address))
    }

    fn not_found(
        &self,
        out: &mut impl Write,
        source: &Source<'_>,
        address: Address,
        as_json: bool,
    ) -> io::Result<Outcome> {
        if as_json {
            let findings = vfct::findings(&source.table);
            crate::json::write(out, &json::Extract::new(source, Vec::new(), &findings))?;
        }
        out.flush()?;
        let (wanted, next) = match self.ids(source, address) {
            Some(Ids { vendor, device }) => (
                format!("{address} ({vendor:04x}:{device:04x})"),
                "its video BIOS is in its own ROM (`rom` of the device in sysfs), or in the board's firmware",
            ),
            None => (
                address.to_string(),
                "if the bus has another number in the table, give the function's ids with --device",
            ),
        };
        let there: Vec<_> = source
            .table
            .records()
            .map(|record| format!("{} ({:04x}:{:04x})", record.location, record.vendor_id, record.device_id))
            .collect();
        let there = if there.is_empty() { "none at all".to_owned() } else { there.join(", ") };
        input::complain(format_args!(
            "{}: no image for {wanted}; there is {there}\n  next: {next}",
            source.path.display(),
        ));
        Ok(Outcome::FileFailed)
    }

    fn write(&self, source: &Source<'_>, record: &Record<'_>, path: &Path) -> Result<(), Failure> {
        let image = record.image();
        if record.is_truncated() {
            return Err(Failure::Truncated);
        }
        if !image.starts_with(&[0x55, 0xaa]) {
            return Err(Failure::NotARom);
        }
        match (Target { path, force: self.force }).write(&[source.path], image) {
            // The same command, once more.
            Err(output::Failure::Exists) if fs::read(path).is_ok_and(|there| there == image) => Ok(()),
            result => Ok(result?),
        }
    }
}

/// What is not obvious about the choice.
fn explain(out: &mut impl Write, address: Address, found: &Found<'_>) -> io::Result<()> {
    let location = found.record.location;
    if !found.bus_matches {
        writeln!(
            out,
            "note: the table says {location}, the function is now {address}: the bus was renumbered after the \
             firmware made the table (pci=realloc or pci=assign-busses, or this is another machine's table); ids, \
             device and function number match. Linux before 2026 finds no image then: \"Unable to locate a BIOS ROM\""
        )?;
    }
    if found.ambiguous {
        writeln!(
            out,
            "warning: more than one image would do, for cards of the same kind: this is the first one, which Linux \
             takes, too; compare it with the others (`vfct extract` without --for)"
        )?;
    }
    if found.earlier {
        writeln!(
            out,
            "note: an earlier image is for a card with the same ids on another bus: Linux from 2026 on takes that \
             one for both"
        )?;
    }
    Ok(())
}
