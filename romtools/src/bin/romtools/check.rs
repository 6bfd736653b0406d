//! `romtools check FILE`

use std::io::{self, Write};
use std::path::Path;

use romtools::{Rom, Severity, check};

use crate::{Outcome, input, json};

/// Reports every finding; a defect decides the outcome.
pub(crate) fn run(out: &mut impl Write, path: &Path, as_json: bool) -> io::Result<Outcome> {
    input::with_rom(out, path, as_json, |out, rom| {
        let findings = check::findings(rom);
        if as_json {
            json::write(out, &json::Check::new(path, &findings))?;
        } else {
            for finding in &findings {
                writeln!(out, "{finding}\n  next: {}", finding.problem().advice())?;
            }
            summary(out, rom, &findings)?;
        }
        let defect = findings.iter().any(|finding| finding.severity() == Severity::Defect);
        Ok(if defect { Outcome::Defect } else { Outcome::Fine })
    })
}

fn summary(out: &mut impl Write, rom: &Rom<'_>, findings: &[check::Finding]) -> io::Result<()> {
    let count = |severity| findings.iter().filter(|finding| finding.severity() == severity).count();
    writeln!(
        out,
        "{} image(s): {} defect(s), {} warning(s), {} note(s)",
        rom.images().count() + usize::from(rom.legacy().is_some()),
        count(Severity::Defect),
        count(Severity::Warning),
        count(Severity::Note),
    )
}
