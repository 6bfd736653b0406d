//! Which lspci is compared with.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::known::Version;
use super::program::Program;
use crate::command;

/// An lspci that can be run.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) program: Program,
    pub(crate) version: Version,
    /// What it is called in the report.
    pub(crate) name: String,
}

impl Reference {
    /// The lspci that these words run.
    ///
    /// # Errors
    /// It cannot be run, or does not say its version.
    pub(crate) fn of(words: Vec<OsString>, origin: &str) -> Result<Self> {
        let run = |argument: &[&str]| {
            let (program, first) = words.split_first().context("no program")?;
            command::output(Command::new(program).args(first).args(argument))
        };
        let text = run(&["--version"])?;
        let number = text.split_whitespace().last().unwrap_or_default();
        let version = version(number).with_context(|| format!("this is no lspci: it says {text:?}"))?;
        // Names shall come from the file that is given, not from udev's database.
        let has_database = run(&["-O", "help"]).is_ok_and(|help| help.contains("hwdb.disable"));
        let mut program = Program::new(words.clone());
        if has_database {
            program = program.with("-Ohwdb.disable=1");
        }
        Ok(Self { program, version, name: format!("lspci {number} {origin}") })
    }

    /// The lspci at a path.
    ///
    /// # Errors
    /// It cannot be run.
    pub(crate) fn at(path: &Path) -> Result<Self> {
        let path = path.canonicalize().with_context(|| format!("there is no {}", path.display()))?;
        Self::of(vec![path.clone().into()], &format!("at {}", path.display()))
    }
}

/// `3.14.0` as two numbers.
fn version(text: &str) -> Option<Version> {
    let mut numbers = text.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}
