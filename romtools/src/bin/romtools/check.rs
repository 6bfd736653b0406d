//! `romtools check FILE`

use std::io::{self, Write};
use std::path::Path;

use romtools::check::{self, Check};
use romtools::{Finding, Severity};

use crate::number::Ids;
use crate::{Outcome, input, json, report};

/// Reports every finding; a defect decides the outcome.
pub(crate) fn run(
    out: &mut impl Write,
    path: &Path,
    device: Option<Ids>,
    as_json: bool,
) -> io::Result<Outcome> {
    input::with_rom(out, path, as_json, |out, rom| {
        let check = Check::new(rom);
        let guests = match device {
            Some(Ids { vendor, device }) => check.guests_of_device(vendor, device),
            None => check.guests(),
        };
        let mut findings = check.into_findings();
        findings.extend(check::as_romfile(rom));
        if let Some(Ids { vendor, device }) = device {
            findings.extend(check::for_device(rom, vendor, device));
        }
        findings.sort_by_key(Finding::offset);
        if as_json {
            json::write(out, &json::Check::new(path, &findings, &guests))?;
        } else {
            let images = rom.images().count() + usize::from(rom.legacy().is_some());
            write_findings(out, images, &findings)?;
            write!(out, "{guests}")?;
        }
        let defect = findings.iter().any(|finding| finding.severity() == Severity::Defect);
        Ok(if defect { Outcome::Defect } else { Outcome::Fine })
    })
}

/// The findings of a file with so many images, each with its advice, and how many there are.
pub(crate) fn write_findings(
    out: &mut impl Write,
    images: usize,
    findings: &[check::Finding],
) -> io::Result<()> {
    report::write_findings(out, findings)?;
    let count = |severity| findings.iter().filter(|finding| finding.severity() == severity).count();
    writeln!(
        out,
        "{images} image(s): {} defect(s), {} warning(s), {} note(s)",
        count(Severity::Defect),
        count(Severity::Warning),
        count(Severity::Note),
    )
}
