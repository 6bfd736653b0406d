//! Running lspci and what shall print the same.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

/// How long a program may take before it counts as one that hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program with the arguments that always come first.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    command: Vec<OsString>,
    /// Always the last arguments.
    appended: Vec<OsString>,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    /// What was printed, a character for each byte: lspci prints bytes of a device as they are.
    pub(crate) text: String,
    /// The last line of what was written to standard error.
    pub(crate) error: String,
    pub(crate) end: End,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Success,
    /// With another code than 0: what was printed until then is there.
    Failure,
    /// By a signal, or it had to be killed: what was printed may be lost.
    Killed,
}

impl Program {
    /// The program that these words begin.
    pub(crate) fn new(command: Vec<OsString>) -> Self {
        Self { command, appended: Vec::new() }
    }

    /// The same with one more argument behind all others.
    pub(crate) fn with(mut self, argument: impl Into<OsString>) -> Self {
        self.appended.push(argument.into());
        self
    }

    /// Writes a script that runs it, for a program that takes a path alone.
    ///
    /// # Errors
    /// The script cannot be written.
    pub(crate) fn write_script(&self, path: &Path) -> Result<()> {
        let quoted = |word: &OsString| format!(" '{}'", word.to_string_lossy().replace('\'', "'\\''"));
        let command: String = self.command.iter().map(quoted).collect();
        let appended: String = self.appended.iter().map(quoted).collect();
        fs::write(path, format!("#!/bin/sh\nexec{command} \"$@\"{appended}\n"))
            .context("cannot write a script")?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).context("cannot write a script")
    }

    /// Runs it in `folder`.
    ///
    /// # Errors
    /// It cannot be started.
    pub(crate) fn run(&self, folder: &Path, arguments: &[impl AsRef<std::ffi::OsStr>]) -> Result<Run> {
        let (program, first) = self.command.split_first().context("a program without a name")?;
        let mut child = Command::new(program)
            .args(first)
            .args(arguments)
            .args(&self.appended)
            .current_dir(folder)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", program.to_string_lossy()))?;
        let (sender, ended) = mpsc::channel();
        let mut output = child.stdout.take().context("the program has no output")?;
        let mut errors = child.stderr.take().context("the program has no error output")?;
        let reader = thread::spawn(move || {
            let mut bytes = Vec::new();
            // What could be read is what there is.
            let _ = output.read_to_end(&mut bytes);
            let _ = sender.send(());
            bytes
        });
        let other = thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = errors.read_to_end(&mut bytes);
            bytes
        });
        let hangs = ended.recv_timeout(PATIENCE).is_err();
        if hangs {
            child.kill()?;
        }
        let status = child.wait()?;
        let text = latin1(&reader.join().unwrap_or_default());
        let errors = latin1(&other.join().unwrap_or_default());
        let error = match hangs {
            true => format!("no end within {} s", PATIENCE.as_secs()),
            false => errors.lines().last().unwrap_or_default().to_owned(),
        };
        let end = match status.code() {
            Some(0) => End::Success,
            Some(_) => End::Failure,
            None => End::Killed,
        };
        Ok(Run { text, error, end })
    }
}

/// A character for each byte.
fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| char::from(byte)).collect()
}
