//! What commands that make a file have in common: their failures, and how what they made is judged.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

use romtools::{Finding, Rom, check};

use crate::output::Target;
use crate::{Outcome, input, json};

/// Says why there is no result: on the standard error, and as JSON where asked.
pub(crate) fn failed(
    out: &mut impl Write,
    path: &Path,
    as_json: bool,
    failure: &dyn Display,
    advice: &'static str,
) -> io::Result<Outcome> {
    if as_json {
        json::write(out, &json::Failed::of(path, failure, advice))?;
    }
    out.flush()?;
    input::complain(format_args!("{}: {failure}\n  next: {advice}", path.display()));
    Ok(Outcome::FileFailed)
}

/// Says why a file that was to be read was not.
pub(crate) fn unreadable(
    out: &mut impl Write,
    path: &Path,
    as_json: bool,
    failure: &input::Failure,
) -> io::Result<Outcome> {
    failed(out, path, as_json, failure, failure.advice()).map(|_| failure.outcome())
}

/// Writes the file; then `done` says so.
pub(crate) fn written<W: Write>(
    out: &mut W,
    target: &Target<'_>,
    inputs: &[&Path],
    bytes: &[u8],
    as_json: bool,
    done: impl FnOnce(&mut W) -> io::Result<()>,
) -> io::Result<Outcome> {
    match target.write(inputs, bytes) {
        Ok(()) => done(out).map(|()| Outcome::Fine),
        Err(failure) => failed(out, target.path, as_json, &failure, failure.advice()),
    }
}

/// A ROM as a virtual machine's firmware reads it: filled up with FFh where it is too small for OVMF. And how many bytes that took.
pub(crate) fn padded(rom: &[u8]) -> (Cow<'_, [u8]>, usize) {
    let padding = Rom::parse(rom).map_or(0, |rom| check::padding(&rom));
    match padding {
        0 => (Cow::Borrowed(rom), 0),
        _ => (Cow::Owned([rom, &vec![0xff; padding]].concat()), padding),
    }
}

/// The line that says so.
pub(crate) fn write_padding(out: &mut impl Write, padding: usize) -> io::Result<()> {
    match padding {
        0 => Ok(()),
        _ => writeln!(
            out,
            "put {padding:x}h bytes of padding (ff) behind it: OVMF reads no ROM of 2 KiB or less"
        ),
    }
}

/// What is odd about a ROM that was just made.
pub(crate) fn findings(bytes: &[u8]) -> Vec<Finding> {
    Rom::parse(bytes).map(|rom| check::findings(&rom)).unwrap_or_default()
}

/// The same as lines.
pub(crate) fn write_findings(out: &mut impl Write, findings: &[Finding]) -> io::Result<()> {
    for finding in findings {
        writeln!(out, "{finding}\n  next: {}", finding.problem().advice())?;
    }
    Ok(())
}
