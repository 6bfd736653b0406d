//! `vfio-reset vendor`: the sequences that only a device's maker knows.

use crate::CommandResult;
use crate::args::{Global, TraceArguments, VendorCommand};
use crate::output::{BOLD, DIM, Output, WARNING, styled};
use crate::session::vendor_devices;
use serde::Serialize;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use vfio_reset::Error;
use vfio_reset::json::SCHEMA;
use vfio_reset::vendor::devices::DeviceEntry;
use vfio_reset::vendor::family::{Rank, Reach, Rehearsal};
use vfio_reset::vendor::model::ModelHost;
use vfio_reset::vendor::run::{Run, Verdict, run as run_model};
use vfio_reset::vendor::trace::Entry;
use vfio_reset::vendor::{Devices, FAMILIES, Family, Model};

pub(crate) fn run(global: &Global, output: &Output, command: &VendorCommand) -> CommandResult {
    let mut devices = vendor_devices(global)?;
    match command {
        VendorCommand::List => {
            list(output, &devices);
            Ok(0)
        }
        VendorCommand::Show { family } => show(output, &devices, find(family)?),
        VendorCommand::Trace(arguments) => trace(output, &mut devices, arguments),
    }
}

/// The family of that name.
pub(crate) fn find(name: &str) -> Result<&'static Family, Error> {
    Family::find(name).ok_or_else(|| {
        let names: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
        Error::NoSuchFamily { name: name.to_string(), families: names.join(", ") }
    })
}

fn entries<'d>(devices: &'d Devices, family: &'static Family) -> impl Iterator<Item = &'d DeviceEntry> {
    devices.entries().iter().filter(move |entry| entry.family == Some(family))
}

/// An entry's ids as the tables write them.
fn ids(entry: &DeviceEntry) -> String {
    let range = |&(first, last): &(u16, u16)| match first == last {
        true => format!("{first:04x}"),
        false => format!("{first:04x}-{last:04x}"),
    };
    format!("{:04x}:{}", entry.vendor, entry.devices.iter().map(range).collect::<Vec<_>>().join(","))
}

fn list(output: &Output, devices: &Devices) {
    for family in FAMILIES {
        let mark = match family.experimental {
            Some(_) => format!("  {}", styled(WARNING, "experimental")),
            None => String::new(),
        };
        output.line(format!("{} {}{mark}", styled(BOLD, format!("{:<14}", family.name)), family.title));
        output.line(format!("{:15}{}", "", styled(DIM, family.deed)));
        for entry in entries(devices, family) {
            let user = match &entry.file {
                Some(file) => format!("  {}", styled(WARNING, format!("untested, from {}", file.display()))),
                None => String::new(),
            };
            output.line(format!("{:15}{}  {}{user}", "", ids(entry), entry.name));
        }
    }
    output.document(&json!({
        "schema": SCHEMA,
        "families": FAMILIES.iter().map(|family| summary(devices, family)).collect::<Vec<_>>(),
    }));
}

fn summary(devices: &Devices, family: &'static Family) -> serde_json::Value {
    json!({
        "family": family.name,
        "title": family.title,
        "deed": family.deed,
        "source": family.source,
        "experimental": family.experimental,
        "resets": match family.reach {
            Reach::Function => "function",
            Reach::Device => "device",
        },
        "comes_before": match family.rank {
            Rank::BeforeFlr => "flr",
            Rank::BeforeBus => "bus",
        },
        "bars": family.bars,
        "floor_ms": family.floor().as_millis() as u64,
        "ceiling_ms": family.ceiling.as_millis() as u64,
        "devices": entries(devices, family).map(|entry| json!({
            "vendor": format!("{:04x}", entry.vendor),
            "devices": entry.devices.iter().map(|(first, last)| [format!("{first:04x}"), format!("{last:04x}")])
                .collect::<Vec<_>>(),
            "name": entry.name,
            "source": entry.source,
            "file": entry.file,
        })).collect::<Vec<_>>(),
    })
}

/// The sequence as it goes on models of devices that do what they should.
fn show(output: &Output, devices: &Devices, family: &'static Family) -> CommandResult {
    output.line(format!("{}  {}", styled(BOLD, family.name), family.title));
    output.line(format!("  how        {}", family.deed));
    output.line(format!("  source     {}", family.source));
    output.line(format!(
        "  resets     {}",
        match family.reach {
            Reach::Function => "the function",
            Reach::Device => "all functions of the device",
        }
    ));
    output.line(format!("  comes      {}", family.rank.why()));
    if let Some(why) = family.experimental {
        output.line(format!("  {} {why}", styled(WARNING, "experimental:")));
    }
    for entry in entries(devices, family) {
        output.line(format!(
            "  devices    {}  {}",
            ids(entry),
            styled(DIM, format!("{} ({})", entry.name, entry.source))
        ));
        if let Some(warning) = entry.warning() {
            output.line(format!("  {} {warning}", styled(WARNING, "warning:")));
        }
    }
    let mut paths = Vec::new();
    for rehearsal in family.rehearsals {
        let run = rehearse(family, rehearsal)?;
        output.line("");
        output.line(format!(
            "{} {}",
            styled(BOLD, format!("If {}:", rehearsal.title)),
            styled(DIM, format!("({}, {} ms)", run.text, run.time.as_millis()))
        ));
        let steps = steps(&run);
        for (step, operations) in &steps {
            output.line(format!("  {step}"));
            for (depth, operation) in operations {
                if *depth == 0 || output.verbose > 0 {
                    output.line(format!("    {:indent$}{operation}", "", indent = 2 * usize::from(*depth)));
                }
            }
        }
        paths.push(json!({
            "if": rehearsal.title,
            "result": run.verdict,
            "text": run.text,
            "time_ms": run.time.as_millis() as u64,
            "steps": steps.iter().map(|(step, operations)| json!({
                "step": step,
                "operations": operations.iter().map(|(depth, text)| json!({ "depth": depth, "text": text }))
                    .collect::<Vec<_>>(),
            })).collect::<Vec<_>>(),
        }));
    }
    let mut document = summary(devices, family);
    document["schema"] = SCHEMA.into();
    document["paths"] = paths.into();
    output.document(&document);
    Ok(0)
}

fn rehearse(family: &'static Family, rehearsal: &Rehearsal) -> Result<Run, Error> {
    let model = Model::shipped(rehearsal.model)?;
    let mut devices = Devices::default();
    devices.treat(model.ids(), family, Path::new(rehearsal.model));
    run_model(&ModelHost::new(model, rehearsal.model.to_string()), &devices, Duration::from_secs(60))
}

/// A step's name, with what is done in it: how deep, and in words.
type StepWords = (String, Vec<(u8, String)>);

/// The operations of a run, by step.
fn steps(run: &Run) -> Vec<StepWords> {
    let mut steps: Vec<StepWords> = Vec::new();
    for entry in run.trace.entries() {
        match (entry, steps.last_mut()) {
            (Entry::Step(step), _) => steps.push((step.to_string(), Vec::new())),
            (Entry::Operation { operation, depth }, Some((_, operations))) => {
                operations.push((*depth, operation.to_string()));
            }
            _ => {}
        }
    }
    steps
}

/// What a sequence writes to a device that goes one way.
#[derive(Serialize)]
pub(crate) struct Writes {
    /// Which way.
    r#if: &'static str,
    /// In order: the step, and what is written.
    writes: Vec<(String, String)>,
}

/// Every write that a family's sequence makes, each way it can go. What a field's other bits hold, and
/// which way a device goes, only its registers tell.
pub(crate) fn writes(family: &'static Family) -> Result<Vec<Writes>, Error> {
    let writes = |rehearsal: &Rehearsal| {
        let run = rehearse(family, rehearsal)?;
        let mut step = String::new();
        let mut writes = Vec::new();
        for entry in run.trace.entries() {
            match entry {
                Entry::Step(next) => step = next.to_string(),
                Entry::Operation { operation, .. } if operation.is_write() => {
                    writes.push((step.clone(), operation.to_string()));
                }
                _ => {}
            }
        }
        Ok(Writes { r#if: rehearsal.title, writes })
    };
    family.rehearsals.iter().map(writes).collect()
}

pub(crate) fn print_writes(output: &Output, ways: &[Writes]) {
    for way in ways {
        output.line("");
        output.line(format!(
            "{} (on a model: what a register holds before is not known)",
            styled(BOLD, format!("Would write, if {}", way.r#if))
        ));
        for (step, text) in &way.writes {
            output.line(format!("  {}  {text}", styled(DIM, format!("{step:<10}"))));
        }
    }
}

fn trace(output: &Output, devices: &mut Devices, arguments: &TraceArguments) -> CommandResult {
    let path = Path::new(&arguments.model);
    let is_file = path.extension().is_some_and(|extension| extension == "json") || path.exists();
    let host = match is_file {
        true => ModelHost::open(path)?,
        false => ModelHost::new(Model::shipped(&arguments.model)?, arguments.model.clone()),
    };
    if let Some(name) = &arguments.family {
        devices.treat(host.model().ids(), find(name)?, &PathBuf::from("--family"));
    }
    let run = run_model(&host, devices, arguments.budget)?;
    output.line(format!("# {}", host.headline()));
    match run.family {
        Some(family) => output.line(format!("# family {}: {}", family.name, family.title)),
        None => output.line("# no family"),
    }
    output.line(&run);
    output.document(&json!({
        "schema": SCHEMA,
        "model": arguments.model,
        "family": run.family.map(|family| family.name),
        "result": run.verdict,
        "text": run.text,
        "time_ms": run.time.as_secs_f64() * 1e3,
        "notes": run.notes,
        "next": run.next,
        "events": run.trace.to_string().lines().collect::<Vec<_>>(),
    }));
    Ok(match run.verdict {
        Verdict::Reset | Verdict::NotNeeded => 0,
        Verdict::Refused => 3,
        Verdict::Failed => 1,
    })
}
