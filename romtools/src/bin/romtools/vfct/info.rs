//! `romtools vfct info [TABLE]`

use std::io::{self, Write};

use romtools::vfct;

use super::source::Source;
use super::{json, outcome};
use crate::{Outcome, check};

/// Shows the table and what is odd about it.
pub(super) fn run(
    out: &mut impl Write,
    source: &Source<'_>,
    tables: bool,
    as_json: bool,
) -> io::Result<Outcome> {
    let findings = vfct::findings(&source.table);
    if as_json {
        crate::json::write(out, &json::Info::new(source, &findings))?;
    } else {
        if tables {
            write!(out, "{}", vfct::text::info_with_tables(&source.table))?;
        } else {
            write!(out, "{}", vfct::text::info(&source.table))?;
        }
        if source.others > 0 {
            writeln!(out, "{} more VFCT table(s) in this file, which Linux does not look at", source.others)?;
        }
        let images = source.table.records().filter(|record| record.image_length != 0).count();
        check::write_findings(out, images, &findings)?;
    }
    Ok(outcome(&findings))
}
