//! `vfio-reset diff`: two machines or saved states, register by register.

use crate::CommandResult;
use crate::args::{DiffArguments, Global};
use crate::output::{BAD, BOLD, DIM, GOOD, Output, WARNING, styled};
use crate::session::Session;
use pcicfg::Address;
use pcicfg::diff::{Difference, FunctionDifference, RegisterDifference, Side, Spaces, compare};
use serde::Serialize;
use std::path::{Path, PathBuf};
use vfio_reset::inventory::PATIENCE;
use vfio_reset::json::SCHEMA;
use vfio_reset::machine::{Detail, MachineKind, Reading};
use vfio_reset::state::SavedState;
use vfio_reset::{Error, Machine};

/// What is left behind when something differs: the code of a failed verification.
const DIFFERENT: u8 = 7;

pub(crate) fn run(global: &Global, output: &Output, arguments: &DiffArguments) -> CommandResult {
    let state = state(global, arguments)?;
    // The same state on both sides would hide what it holds.
    let of_old = state.clone().filter(|_| !is_simulated(&arguments.new));
    let old = read(global, output, &arguments.old, of_old, arguments.address)?;
    let new = read(global, output, &arguments.new, state, arguments.address)?;
    let missing = |address: Address, machine: &str| {
        Err(Error::NoSuchFunction { address, machine: machine.to_string() })
    };
    // What nobody could compare must not pass for equal.
    if let Some(address) = arguments.address {
        let in_old = old.spaces.contains_key(&address);
        let in_new = new.spaces.contains_key(&address);
        match (in_old, in_new) {
            (false, _) if old.is_part || !in_new => return missing(address, &arguments.old),
            (_, false) if new.is_part => return missing(address, &arguments.new),
            _ => {}
        }
    }
    let mut compared = compare(&old.spaces, &new.spaces);
    // A saved state holds a few functions of a machine: that the others are not in it says nothing.
    compared.retain(|(_, difference)| match difference {
        FunctionDifference::OnlyIn { side: Side::Old } => !new.is_part,
        FunctionDifference::OnlyIn { side: Side::New } => !old.is_part,
        _ => true,
    });
    if let (true, Some(address)) = (compared.is_empty(), old.spaces.keys().next()) {
        return missing(*address, &arguments.new);
    }
    if arguments.ignore_status {
        compared = compared.into_iter().map(|(at, difference)| (at, difference.without_status())).collect();
    }
    let equal = compared.iter().all(|(_, difference)| difference.is_equal());
    output.document(&Document {
        schema: SCHEMA,
        old: &arguments.old,
        new: &arguments.new,
        equal,
        functions: compared
            .iter()
            .map(|(address, difference)| FunctionDocument { address: *address, difference })
            .collect(),
    });
    print(output, arguments, &compared);
    Ok(if equal { 0 } else { DIFFERENT })
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    old: &'a str,
    new: &'a str,
    equal: bool,
    functions: Vec<FunctionDocument<'a>>,
}

#[derive(Serialize)]
struct FunctionDocument<'a> {
    address: Address,
    #[serde(flatten)]
    difference: &'a FunctionDifference,
}

/// One of the two.
struct Operand {
    spaces: Spaces,
    /// Whether it is a saved state, which holds only what a reset would hit.
    is_part: bool,
}

/// The file with a simulated machine's state: the second one's, if both are simulated.
fn state(global: &Global, arguments: &DiffArguments) -> Result<Option<PathBuf>, Error> {
    let Some(file) = &global.machine_state else { return Ok(None) };
    if !is_simulated(&arguments.old) && !is_simulated(&arguments.new) {
        return Err(Error::Usage {
            reason: "--machine-state is for a simulated machine, and neither of the two is one".to_string(),
        });
    }
    // No command before has written it, and this one will not.
    if !file.exists() {
        let reason = format!("there is no {}: the first command with --machine makes it", file.display());
        return Err(Error::Usage { reason });
    }
    Ok(Some(file.clone()))
}

fn is_simulated(name: &str) -> bool {
    name.starts_with("sim:") || name.ends_with(".toml")
}

/// A saved state by its first byte, a machine otherwise.
fn read(
    global: &Global,
    output: &Output,
    name: &str,
    state: Option<PathBuf>,
    only: Option<Address>,
) -> Result<Operand, Error> {
    let wanted = |address: &Address| only.is_none_or(|only| only == *address);
    let path = Path::new(name);
    if path.is_file()
        && let Ok(text) = std::fs::read_to_string(path)
        && text.trim_start().starts_with('{')
    {
        let state = SavedState::from_json(&text, path)?;
        let functions = state.functions.into_iter().map(|function| (function.address, function.config));
        let spaces = functions.filter(|(address, _)| wanted(address)).collect();
        return Ok(Operand { spaces, is_part: true });
    }
    let session = Session::open(
        &Global {
            machine: name.to_string(),
            machine_state: state.filter(|_| is_simulated(name)),
            vendor_table: Vec::new(),
            ..*global
        },
        output,
    )?;
    let machine: &dyn Machine = session.machine();
    let mut spaces = Spaces::new();
    let addresses: Vec<Address> = machine.functions()?.into_iter().filter(wanted).collect();
    if machine.kind() == MachineKind::Captured {
        // What could not be recorded must not pass for what was not there.
        addresses.iter().try_for_each(|&address| machine.config(address).map(drop))?;
    }
    for read in machine.read_functions(&addresses, Detail::All, PATIENCE)? {
        match read.config {
            Reading::Bytes(config) => spaces.insert(read.address, config),
            Reading::BeingReset(_) => {
                return Err(Error::BeingReset { address: read.address, budget: PATIENCE });
            }
        };
    }
    Ok(Operand { spaces, is_part: false })
}

fn print(output: &Output, arguments: &DiffArguments, compared: &[(Address, FunctionDifference)]) {
    let name = |side: Side| match side {
        Side::Old => &arguments.old,
        Side::New => &arguments.new,
    };
    let mut equal = 0;
    let mut cut = 0;
    for (address, difference) in compared {
        cut += usize::from(matches!(difference, FunctionDifference::Compared { cut: true, .. }));
        if difference.is_equal() {
            equal += 1;
            continue;
        }
        let address = styled(BOLD, address);
        match difference {
            FunctionDifference::OnlyIn { side } => {
                output.line(format!("{address}  {} {}", styled(WARNING, "only in"), name(*side)));
            }
            FunctionDifference::Silent { side } => {
                output.line(format!(
                    "{address}  {} {}: its registers read all-ones there",
                    styled(BAD, "does not answer in"),
                    name(*side)
                ));
            }
            FunctionDifference::Unreadable { old, new } => {
                output.line(format!(
                    "{address}  {}: {old} bytes in {}, {new} in {}; a configuration space has 64 to 4096",
                    styled(BAD, "cannot be compared"),
                    name(Side::Old),
                    name(Side::New)
                ));
            }
            FunctionDifference::Compared { differences, .. } => {
                output.line(address);
                let mut structure = None;
                for difference in differences {
                    difference_line(output, difference, &mut structure);
                }
            }
        }
    }
    let different = compared.len() - equal;
    output.line(match (different, compared.len()) {
        (0, 1) => styled(GOOD, "no difference"),
        (0, all) => styled(GOOD, format!("no difference in {all} functions")),
        (_, 1) => styled(DIM, "the function differs"),
        (different, all) => styled(DIM, format!("{different} of {all} functions differ")),
    });
    if cut > 0 {
        output.warn(format!(
            "of {cut} {} one side has fewer bytes than the other: only what both have was compared",
            if cut == 1 { "function" } else { "functions" }
        ));
    }
}

/// One difference; the structure that it is in stands above the first of its registers.
fn difference_line(
    output: &Output,
    difference: &Difference,
    shown: &mut Option<pcicfg::registers::Structure>,
) {
    let Difference::Register(register) = difference else {
        output.line(format!("  {}", styled(WARNING, difference)));
        return;
    };
    if register.structure != *shown {
        *shown = register.structure;
        let heading = shown.map_or_else(|| "not named by any specification".to_string(), |it| it.to_string());
        output.line(format!("  {}", styled(DIM, heading)));
    }
    output.line(format!("    {}", register_line(register)));
}

fn register_line(register: &RegisterDifference) -> String {
    let text = register.to_string();
    match register.status {
        true => format!("{} {}", styled(DIM, text), styled(DIM, "(status)")),
        false => text,
    }
}
