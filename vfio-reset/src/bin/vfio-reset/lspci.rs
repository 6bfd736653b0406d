//! `vfio-reset lspci`: what lspci prints, of any machine or dump.

mod arguments;
mod functions;
mod input;
mod json;
mod known;
mod names;
mod notes;
mod pieces;
mod reading;
mod sparse;
mod writer;

pub(crate) use arguments::LspciArguments;

use crate::CommandResult;
use crate::args::Global;
use crate::output::Output;
use arguments::{Answer, Source};
use pcicfg::lspci::{Topology, write_function};
use vfio_reset::Error;
use writer::Writer;

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
        json::write(&functions, &filter, options.identifiers, names.as_ref())?;
        return Ok(0);
    }
    let mut out = Writer::new();
    let mut room = sparse::Space::new();
    let mut tree = Topology::new();
    if arguments.topology() {
        for index in 0..functions.len() {
            functions.with(index, &mut room, |subject| tree.push(subject, filter.matches(subject)));
        }
    }
    if arguments.tree() {
        tree.write(out.text(), global.verbose > 0, options.identifiers, names.as_ref());
        out.end()?;
        return Ok(0);
    }
    let paths = tree.paths();
    // Below -v no capability is read, and a plain list shall stay one.
    let mut notes = notes::Notes::new(output, options.verbose > 0 && !arguments.more());
    for index in 0..functions.len() {
        functions.with(index, &mut room, |subject| {
            if filter.matches(subject) {
                let path = paths.of(index);
                write_function(out.text(), &subject.below(&path), &options, names.as_ref());
                notes.look_at(subject);
            }
        });
        if !out.go_on()? {
            return Ok(0);
        }
    }
    out.end()?;
    notes.end();
    Ok(0)
}
