//! What lspci leaves out: lines of our own among lspci's (`--more`).
//!
//! Each begins with `+ ` behind its tabs, which no line of lspci's does: without these lines the text is
//! lspci's again. After a capability that lspci only names come all its registers; after one that it
//! decodes in part come those that it leaves out, as far as they are not zero; at the end comes what is
//! wrong with the function. The lines are put in afterwards, so that nothing here can change lspci's.

mod left_out;
#[cfg(test)]
mod tests;

use super::{Subject, Text};
use crate::ConfigSpace;
use crate::defect::Defects;
use crate::registers::{PlacedRegister, RegisterMap, Structure, registers};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use left_out::{LeftOut, left_out};

/// Adds our lines to what was written of a function from `start` on.
pub(super) fn add(text: &mut Text, start: usize, subject: &Subject<'_>) {
    let plain = text.as_bytes().get(start..).unwrap_or_default().to_vec();
    text.truncate(start);
    let map = ConfigSpace::new(subject.bytes()).ok().map(|space| (registers(space), space));
    let mut pending = Vec::new();
    let mut notes = Some(Defects::of(subject.bytes()));
    for (number, line) in plain.split_inclusive(|&byte| byte == b'\n').enumerate() {
        if !line.starts_with(b"\t\t")
            && let Some((map, space)) = &map
        {
            for block in pending.drain(..) {
                write_block(text, map, *space, block);
            }
        }
        // The kernel's driver, the bytes, or the empty line at the end.
        let ends = number > 0 && (!line.starts_with(b"\t") || line.starts_with(b"\tKernel "));
        if let Some(defects) = notes.take_if(|_| ends) {
            for defect in defects {
                text.str(&format!("\t+ Note: {defect}\n"));
            }
        }
        text.bytes(line);
        if let Some((map, _)) = &map {
            pending.extend(blocks(line, map));
        }
    }
}

/// A capability whose lines are being copied.
struct Block {
    structure: Structure,
    /// lspci does not even know the name.
    nameless: bool,
}

/// The capabilities that begin on a line: more than one where lspci does not end the line.
fn blocks(line: &[u8], map: &RegisterMap) -> Vec<Block> {
    const START: &[u8] = b"\tCapabilities: [";
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.windows(START.len()).position(|window| window == START) {
        rest = rest.get(at + START.len()..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let offset = rest.get(..digits).and_then(|digits| core::str::from_utf8(digits).ok());
        let Some(Ok(offset)) = offset.map(|digits| u16::from_str_radix(digits, 16)) else { continue };
        // Two digits in the first list, three in the extended one: there lspci follows pointers to anywhere.
        let structure = map.structures().iter().find(|structure| match structure {
            Structure::Header => false,
            Structure::Capability { offset: at, .. } => digits == 2 && *at == offset,
            Structure::Extended { offset: at, .. } => digits == 3 && *at == offset,
        });
        let Some(&structure) = structure else { continue };
        let name = rest.iter().position(|&byte| byte == b']').and_then(|end| rest.get(end + 2..));
        let name = name.unwrap_or_default();
        // A second visit to the same place says so and has no lines.
        if !name.starts_with(b"<chain") {
            let nameless =
                name.starts_with(b"Capability ID 0x") || name.starts_with(b"Extended Capability ID 0x");
            found.push(Block { structure, nameless });
        }
    }
    found
}

fn write_block(text: &mut Text, map: &RegisterMap, space: ConfigSpace<'_>, block: Block) {
    let Block { structure, nameless } = block;
    if let Some(name) = structure.known_name().filter(|_| nameless) {
        text.str("\t\t+ ").str(name).end();
    }
    let left_out = left_out(structure, space);
    let mut shown: Vec<&str> = Vec::new();
    for register in map.of(structure) {
        let name = register.name().text();
        // A list's registers stand together, wherever the others of its entries are.
        if shown.contains(&name) {
            continue;
        }
        shown.push(name);
        let mask = match left_out {
            LeftOut::Everything if is_head(register) => 0,
            LeftOut::Everything => !0,
            LeftOut::Parts(parts) => left_out::mask(parts, register),
        };
        if mask != 0 {
            let all = map.of(structure).filter(|other| other.name().text() == name);
            write_registers(text, space, all, mask, matches!(left_out, LeftOut::Parts(_)));
        }
    }
}

/// Whether it is the register that every capability begins with: lspci's line has it.
fn is_head(register: &PlacedRegister) -> bool {
    let inside = register.offset().saturating_sub(register.structure().offset());
    match register.structure() {
        Structure::Capability { .. } => inside < 2,
        _ => inside < 4,
    }
}

/// Writes the registers of one name: one line each, and one for neighbours of the same value.
fn write_registers<'m>(
    text: &mut Text,
    space: ConfigSpace<'_>,
    registers: impl Iterator<Item = &'m PlacedRegister>,
    mask: u32,
    only_what_is_there: bool,
) {
    /// Registers in a row that say the same.
    struct Run<'m> {
        first: &'m PlacedRegister,
        last: &'m PlacedRegister,
        value: u32,
    }
    let write = |text: &mut Text, run: &Run<'_>| {
        if run.value == 0 && only_what_is_there {
            return;
        }
        text.str(&format!("\t\t+ {}", run.first.name()));
        if let Some(last) = run.last.name().index().filter(|_| run.first.offset() != run.last.offset()) {
            match run.last.name().inner_index() {
                Some(last) => text.str(&format!(" to [{last}]")),
                None => text.str(&format!(" to [{last}]")),
            };
        }
        text.str(": ").str(&says(run.first, run.value, mask)).end();
    };
    let mut run: Option<Run<'_>> = None;
    for register in registers {
        let Some(value) = register.read(space).map(|value| value & mask) else { continue };
        match &mut run {
            Some(run) if run.value == value && register.name().follows(run.last.name()) => {
                run.last = register
            }
            _ => {
                if let Some(run) = &run {
                    write(text, run);
                }
                run = Some(Run { first: register, last: register, value });
            }
        }
    }
    if let Some(run) = &run {
        write(text, run);
    }
}

/// All fields within a mask: flags with + or -, others with what they say.
fn says(register: &PlacedRegister, value: u32, mask: u32) -> String {
    let fields = register.fields().filter(|field| field.mask() & mask == field.mask());
    let parts: Vec<String> = fields
        .map(|field| match (field.is_flag(), field.code(value)) {
            (true, 0) => format!("{}-", field.name()),
            (true, _) => format!("{}+", field.name()),
            (false, _) => format!("{} {}", field.name(), field.value(value)),
        })
        .collect();
    match parts.as_slice() {
        [] => format!("{value:#0digits$x}", digits = 2 + 2 * usize::from(register.width())),
        parts => parts.join(", "),
    }
}
