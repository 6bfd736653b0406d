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
use vfio_reset::vendor::dry_run::{PlannedWrite, Target, Way};
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

/// The entries of a family; of none, those that take a sequence away.
fn entries<'d>(
    devices: &'d Devices,
    family: Option<&'static Family>,
) -> impl Iterator<Item = &'d DeviceEntry> {
    devices.entries().iter().filter(move |entry| entry.family == family)
}

/// Ids as the tables write them.
fn range((first, last): (u16, u16)) -> String {
    match first == last {
        true => format!("{first:04x}"),
        false => format!("{first:04x}-{last:04x}"),
    }
}

/// An entry's ids as the tables write them.
fn ids(entry: &DeviceEntry) -> String {
    let ranges: Vec<String> = entry.devices.iter().map(|&ids| range(ids)).collect();
    format!("{:04x}:{}", entry.vendor, ranges.join(","))
}

/// Who says what an entry says, for messages.
fn author(entry: &DeviceEntry) -> String {
    entry.file.as_ref().map_or_else(|| "the built-in table".to_string(), |file| file.display().to_string())
}

fn list(output: &Output, devices: &Devices) {
    for family in FAMILIES {
        let mark = match family.experimental {
            Some(_) => format!("  {}", styled(WARNING, "experimental")),
            None => String::new(),
        };
        output.line(format!("{} {}{mark}", styled(BOLD, format!("{:<14}", family.name)), family.title));
        output.line(format!("{:15}{}", "", styled(DIM, family.deed)));
        for entry in entries(devices, Some(family)) {
            let user = match &entry.file {
                Some(file) => format!("  {}", styled(WARNING, format!("untested, from {}", file.display()))),
                None => String::new(),
            };
            output.line(format!("{:15}{}  {}{user}", "", ids(entry), entry.name));
            for (ids, other) in devices.overridden(entry) {
                let family = other.family.map_or("none", |family| family.name);
                let text = format!("but {} is {family}, says {}", range(ids), author(other));
                output.line(format!("{:17}{}", "", styled(WARNING, text)));
            }
        }
    }
    let removed: Vec<&DeviceEntry> = entries(devices, None).collect();
    if !removed.is_empty() {
        output.line(format!("{} no sequence for these", styled(BOLD, format!("{:<14}", "none"))));
    }
    for entry in &removed {
        let from = styled(WARNING, format!("from {}", author(entry)));
        output.line(format!("{:15}{}  {}  {from}", "", ids(entry), entry.name));
    }
    output.document(&json!({
        "schema": SCHEMA,
        "families": FAMILIES.iter().map(|family| summary(devices, family)).collect::<Vec<_>>(),
        "none": removed.into_iter().map(|entry| document(devices, entry)).collect::<Vec<_>>(),
    }));
}

/// An entry of a table.
fn document(devices: &Devices, entry: &DeviceEntry) -> serde_json::Value {
    let hex = |(first, last): (u16, u16)| [format!("{first:04x}"), format!("{last:04x}")];
    json!({
        "vendor": format!("{:04x}", entry.vendor),
        "devices": entry.devices.iter().map(|&ids| hex(ids)).collect::<Vec<_>>(),
        "name": entry.name,
        "source": entry.source,
        "file": entry.file,
        "overridden": devices.overridden(entry).into_iter().map(|(ids, other)| json!({
            "devices": hex(ids),
            "family": other.family.map(|family| family.name),
            "file": other.file,
        })).collect::<Vec<_>>(),
    })
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
        "devices": entries(devices, Some(family)).map(|entry| document(devices, entry)).collect::<Vec<_>>(),
    })
}

/// The sequence as it goes on its family's models.
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
    for entry in entries(devices, Some(family)) {
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
        let verdict =
            if run.verdict == Verdict::Reset { String::new() } else { format!("{}: ", run.verdict) };
        output.line("");
        output.line(format!(
            "{} {}",
            styled(BOLD, format!("If {}:", rehearsal.title)),
            styled(DIM, format!("({verdict}{}, {} ms)", run.text, run.time.as_millis()))
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
            // What follows a failure.
            (Entry::Call(what), _) => steps.push((what.clone(), Vec::new())),
            (Entry::Operation { operation, depth }, Some((_, operations))) => {
                operations.push((*depth, operation.to_string()));
            }
            _ => {}
        }
    }
    steps
}

/// What a reset would write, as the JSON of a dry run has it.
#[derive(Serialize)]
pub(crate) struct Writes<'w> {
    r#if: &'static str,
    result: Verdict,
    text: &'w str,
    /// In order: the step, and what is written.
    writes: Vec<(&'w str, &'w str)>,
    /// The accesses that these consist of, and those that reads need, as lines of a trace.
    accesses: Vec<&'w str>,
}

impl<'w> Writes<'w> {
    pub(crate) fn of(way: &'w Way) -> Self {
        let (accesses, writes): (Vec<&PlannedWrite>, Vec<&PlannedWrite>) =
            way.writes.iter().partition(|write| write.is_access);
        Self {
            r#if: way.title,
            result: way.verdict,
            text: &way.text,
            writes: writes.into_iter().map(|write| (write.step.as_str(), write.text.as_str())).collect(),
            accesses: accesses.into_iter().map(|write| write.text.as_str()).collect(),
        }
    }
}

pub(crate) fn print_writes(output: &Output, target: &Target<'_>, ways: &[Way]) {
    let model = match target.has_capabilities() {
        true => "on a model with this device's configuration space: what its registers hold is not known",
        false => "on a model: of the device itself only 64 bytes of configuration space can be read here",
    };
    for way in ways {
        output.line("");
        output.line(format!("{} ({model})", styled(BOLD, format!("Would write, if {}", way.title))));
        for PlannedWrite { step, text, is_access } in &way.writes {
            let step = styled(DIM, format!("{step:<10}"));
            match is_access {
                false => output.line(format!("  {step}  {text}")),
                true if output.verbose > 0 => output.line(format!("  {step}    {}", styled(DIM, text))),
                true => {}
            }
        }
        output
            .line(format!("  {}", styled(DIM, format!("{:<10}  {}: {}", "ends as", way.verdict, way.text))));
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
        Verdict::Unproven => 7,
    })
}
