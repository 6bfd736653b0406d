//! `vfio-reset lspci`: what lspci prints, of any machine or dump.

mod arguments;
mod functions;
mod json;
mod known;
mod names;
mod notes;
mod pieces;
mod skim;
mod sparse;

pub(crate) use arguments::LspciArguments;

use crate::CommandResult;
use crate::args::Global;
use crate::output::Output;
use arguments::{Answer, Source};
use pcicfg::lspci::{Text, Tree, write_function};
use std::io::Write;
use vfio_reset::Error;

/// How much text is gathered before it is written.
const BUFFER: usize = 256 << 10;

pub(crate) fn run(global: &Global, output: &Output, arguments: &LspciArguments) -> CommandResult {
    // What is printed is asked for: --quiet is for warnings and notes.
    let output = &Output { quiet: arguments.quiet || output.quiet, ..*output };
    match arguments.answer() {
        Some(Answer::Text(text)) => {
            output.text(text);
            return Ok(0);
        }
        Some(Answer::Refused(reason)) => return Err(Error::Usage { reason }),
        None => {}
    }
    let filter = arguments.filter();
    let functions = match arguments.source().map_err(|reason| Error::Usage { reason })? {
        Source::File(file) => pieces::read(&file, arguments.keep(global.verbose, output.json), output)?,
        Source::Folder(folder) => {
            known::read(global, output, arguments, Some(folder.unwrap_or_else(|| "/sys/bus/pci".into())))?
        }
        Source::Machine => known::read(global, output, arguments, None)?,
    };
    let names = names::open(arguments, output);
    let options = arguments.options(global.verbose, functions.have_domains());
    if output.json {
        json::write(&functions, &filter, options.identifiers, names.as_ref());
        return Ok(0);
    }
    let mut out = Writer::new();
    let mut room = sparse::Space::new();
    let mut tree = Tree::new();
    if arguments.topology() {
        for index in 0..functions.len() {
            functions.with(index, &mut room, |subject| tree.push(subject, filter.matches(subject)));
        }
    }
    if arguments.tree() {
        tree.write(&mut out.text, global.verbose > 0, options.identifiers, names.as_ref());
        out.flush();
        return Ok(0);
    }
    let paths = tree.paths();
    // Below -v no capability is read, and a plain list shall stay one.
    let mut notes = notes::Notes::new(output, options.verbose > 0 && !arguments.more());
    for index in 0..functions.len() {
        functions.with(index, &mut room, |subject| {
            if filter.matches(subject) {
                let path = paths.of(index);
                write_function(&mut out.text, &subject.below(&path), &options, names.as_ref());
                notes.look_at(subject);
            }
        });
        if out.text.len() >= BUFFER && !out.flush() {
            return Ok(0);
        }
    }
    out.flush();
    notes.end();
    Ok(0)
}

/// Standard output behind one large buffer.
struct Writer {
    text: Text,
    stream: std::io::StdoutLock<'static>,
}

impl Writer {
    fn new() -> Self {
        let text = Text::with_capacity(BUFFER + (64 << 10));
        Self { text, stream: std::io::stdout().lock() }
    }

    /// Whether the reader is still there (`| head`).
    fn flush(&mut self) -> bool {
        let done = self.stream.write_all(self.text.as_bytes()).is_ok() && self.stream.flush().is_ok();
        self.text.clear();
        done
    }
}
