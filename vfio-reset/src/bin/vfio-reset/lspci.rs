//! `vfio-reset lspci`: what lspci prints, of any machine or dump.

mod arguments;
mod functions;
mod json;
mod names;
mod pieces;
mod skim;
mod sparse;

pub(crate) use arguments::LspciArguments;

use crate::CommandResult;
use crate::args::Global;
use crate::output::Output;
use functions::Functions;
use pcicfg::lspci::{Text, Tree, write_function};
use std::io::Write;

/// How much text is gathered before it is written.
const BUFFER: usize = 256 << 10;

pub(crate) fn run(global: &Global, output: &Output, arguments: &LspciArguments) -> CommandResult {
    let filter = arguments.filter();
    let functions = match &arguments.file {
        Some(file) => pieces::read(file, arguments.keep(global.verbose, output.json), output)?,
        None => Functions::of_machine(global, output, arguments)?,
    };
    let names = names::open(arguments);
    let options = arguments.options(global.verbose, functions.have_domains());
    if output.json {
        json::write(&functions, &filter, options.identifiers, names.as_ref(), output);
        return Ok(0);
    }
    let mut out = Writer::new(output);
    let mut room = sparse::Space::new();
    let mut tree = Tree::new();
    if arguments.tree || arguments.path > 0 {
        for index in 0..functions.len() {
            functions.with(index, &mut room, |subject| tree.push(subject, filter.matches(subject)));
        }
    }
    if arguments.tree {
        tree.write(&mut out.text, global.verbose > 0, options.identifiers, names.as_ref());
        out.flush();
        return Ok(0);
    }
    let paths = tree.paths();
    for index in 0..functions.len() {
        functions.with(index, &mut room, |subject| {
            if filter.matches(subject) {
                let path = paths.of(index);
                write_function(&mut out.text, &subject.below(&path), &options, names.as_ref());
            }
        });
        if out.text.len() >= BUFFER && !out.flush() {
            return Ok(0);
        }
    }
    out.flush();
    Ok(0)
}

/// Standard output behind one large buffer.
struct Writer {
    text: Text,
    stream: std::io::StdoutLock<'static>,
    quiet: bool,
}

impl Writer {
    fn new(output: &Output) -> Self {
        let text = Text::with_capacity(BUFFER + (64 << 10));
        Self { text, stream: std::io::stdout().lock(), quiet: output.quiet }
    }

    /// Whether the reader is still there (`| head`).
    fn flush(&mut self) -> bool {
        let done =
            self.quiet || self.stream.write_all(self.text.as_bytes()).is_ok() && self.stream.flush().is_ok();
        self.text.clear();
        done
    }
}
