//! `romtools info FILE...`

use std::io::{self, Write};
use std::path::PathBuf;

use romtools::text;

use crate::{Outcome, input, json};

/// Shows every file that can be shown: one that cannot does not keep the others from it.
pub(crate) fn run(
    out: &mut impl Write,
    files: &[PathBuf],
    tables: bool,
    as_json: bool,
) -> io::Result<Outcome> {
    let mut outcome = Outcome::Fine;
    for path in files {
        if files.len() > 1 && !as_json {
            writeln!(out, "{}:", path.display())?;
        }
        let one = input::with_rom(out, path, as_json, |out, rom| {
            if as_json {
                json::write(out, &json::Info::new(path, rom))?;
            } else {
                if tables {
                    write!(out, "{}", text::info_with_tables(rom))?;
                } else {
                    write!(out, "{}", text::info(rom))?;
                }
            }
            Ok(Outcome::Fine)
        })?;
        if one != Outcome::Fine {
            outcome = one;
        }
    }
    Ok(outcome)
}
