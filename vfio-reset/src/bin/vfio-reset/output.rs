//! What is printed, and how: calm on a terminal, plain in a pipe, JSON for scripts.

use crate::args::Global;
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
pub(crate) const WARNING: Style = AnsiColor::Yellow.on_default();

/// A document was printed by this process.
static PRINTED: AtomicBool = AtomicBool::new(false);

/// Where a command's output goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    pub(crate) verbose: u8,
}

impl Output {
    pub(crate) fn new(global: &Global) -> Self {
        Self { json: global.json, quiet: global.quiet, verbose: global.verbose }
    }

    /// Whether text for people is wanted.
    pub(crate) fn is_text(&self) -> bool {
        !self.json && !self.quiet
    }

    /// Whether somebody watches progress.
    pub(crate) fn shows_progress(&self) -> bool {
        self.is_text() && std::io::stderr().is_terminal()
    }

    /// Prints a line of text, unless something else is wanted.
    pub(crate) fn line(&self, text: impl Display) {
        if self.is_text() {
            print_line(&mut anstream::stdout().lock(), &text);
        }
    }

    /// Prints many lines. One at a time, each would be a write of its own.
    pub(crate) fn lines(&self, lines: impl IntoIterator<Item = impl Display>) {
        if !self.is_text() {
            return;
        }
        let mut text = String::new();
        for line in lines {
            // A String takes everything.
            let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{line}\n"));
        }
        let plain = anstream::stdout().current_choice() == anstream::ColorChoice::Never;
        if plain {
            text = anstream::adapter::strip_str(&text).to_string();
        }
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    }

    /// Prints a whole text that was asked for.
    pub(crate) fn text(&self, text: &str) {
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
    }

    /// Whether a document was printed.
    pub(crate) fn has_document(&self) -> bool {
        PRINTED.load(Ordering::Relaxed)
    }

    /// Prints a document, if JSON is wanted.
    pub(crate) fn document(&self, document: &impl Serialize) {
        if self.json {
            PRINTED.store(true, Ordering::Relaxed);
            let text = serde_json::to_string_pretty(document)
                .unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"));
            print_line(&mut anstream::stdout().lock(), &text);
        }
    }

    /// Prints the document of an error, if JSON is wanted.
    pub(crate) fn failure(&self, error: impl Display, exit_code: u8) {
        self.document(&serde_json::json!({
            "schema": vfio_reset::json::SCHEMA,
            "error": error.to_string(),
            "exit_code": exit_code,
        }));
    }

    pub(crate) fn warn(&self, text: impl Display) {
        if !self.quiet {
            print_line(&mut anstream::stderr().lock(), &format!("{WARNING}warning{WARNING:#}: {text}"));
        }
    }

    /// Tells something that is no fault of the input.
    pub(crate) fn note(&self, text: impl Display) {
        if !self.quiet {
            print_line(&mut anstream::stderr().lock(), &format!("{DIM}note{DIM:#}: {text}"));
        }
    }

    pub(crate) fn error(&self, text: impl Display) {
        print_line(&mut anstream::stderr().lock(), &format!("{BAD}error{BAD:#}: {text}"));
    }

    /// A line that belongs to an error.
    pub(crate) fn detail(&self, text: impl Display) {
        print_line(&mut anstream::stderr().lock(), &text);
    }

    /// Overwrites the line on which progress is shown; an empty text clears it.
    pub(crate) fn progress(&self, text: &str) {
        if self.shows_progress() {
            let mut stream = std::io::stderr().lock();
            let _ = write!(stream, "\r\x1b[K{text}");
            let _ = stream.flush();
        }
    }
}

/// A reader that has gone away (`| head`) is not an error.
fn print_line(stream: &mut impl Write, text: &impl Display) {
    let _ = writeln!(stream, "{text}");
}

/// `text` in a style.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// How many columns there are; `None` in a pipe, where nothing has to fit.
pub(crate) fn terminal_width() -> Option<usize> {
    if !std::io::stdout().is_terminal() {
        return None;
    }
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
}
