//! Firmware runs what `romtools` made, and `romtools` reads what others made.
//!
//! ROMs are built, fixed and cut with the program itself and put into a machine under QEMU: OVMF must run the EFI images and
//! SeaBIOS the PC-AT images ([`cases`]). The programs in them ([`programs`]) do nothing but print a line. Each way to break a
//! ROM is shown to keep it from running, and `romtools check` must have said so. Debian's own ROMs are read, cut, found and put together again ([`mod@peers`]).

mod cases;
mod machine;
mod parts;
mod peers;
mod programs;

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use romtools::Rom;
use romtools::check::{self, Answer};

use self::cases::{CASES, Case, Workshop};
use self::machine::{Firmware, Machine};
use self::parts::Parts;
use crate::packages::remove_folder;
use crate::target;
use crate::test::Counts;

/// How many machines run at once.
const JOBS: usize = 2;

/// Which ROMs are tried.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Options {
    /// Try this one only (may be given again)
    #[arg(long = "case", value_name = "NAME")]
    cases: Vec<String>,
    /// List them and stop
    #[arg(long)]
    list: bool,
    /// Fail, instead of skipping, where the packages cannot be had
    #[arg(long)]
    require: bool,
}

/// How one ended.
struct Report {
    name: String,
    result: Result<()>,
    time: Duration,
}

/// Tries the ROMs and prints a table of how it went. `None` if they were only listed.
///
/// # Errors
/// The program does not build, or a file cannot be used. Packages that cannot be had are no error: all is skipped then.
pub(crate) fn run(options: &Options) -> Result<Option<Counts>> {
    if options.list {
        for case in CASES {
            let runs = if case.runs { "runs" } else { "does not run" };
            println!("{:28}{runs} under {:?}", case.name, case.firmware);
        }
        return Ok(None);
    }
    if let Some(name) = options.cases.iter().find(|name| !CASES.iter().any(|case| case.name == **name)) {
        bail!("there is no case `{name}`; `cargo xtask rom-boot --list` lists them");
    }
    let chosen =
        |case: &&Case| options.cases.is_empty() || options.cases.iter().any(|name| name == case.name);
    let cases: Vec<&Case> = CASES.iter().filter(chosen).collect();
    let parts = match parts::prepare(&|text| eprintln!("rom-boot: {text}"))? {
        Ok(parts) => parts,
        Err(reason) if options.require => bail!("{reason}"),
        Err(reason) => {
            println!("firmware tests are SKIPPED: {reason}");
            return Ok(Some(Counts { skipped: cases.len(), ..Counts::default() }));
        }
    };
    let mut reports = if options.cases.is_empty() { peers(&parts)? } else { Vec::new() };
    reports.extend(boot_all(&parts, &cases)?);
    Ok(Some(summarise(&reports)))
}

/// Debian's own ROMs.
fn peers(parts: &Parts) -> Result<Vec<Report>> {
    let files = peers::files(&parts.qemu)?;
    ensure!(files.len() >= 20, "the packages have only {} ROMs", files.len());
    let report = |file: &std::path::PathBuf| {
        let start = Instant::now();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Report { name, result: peers::examine(file), time: start.elapsed() }
    };
    Ok(files.iter().map(report).collect())
}

/// Boots the machines, some at once.
fn boot_all(parts: &Parts, cases: &[&Case]) -> Result<Vec<Report>> {
    let program = cases::program()?;
    let (next, reports) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..JOBS {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let start = Instant::now();
                    let result = boot(parts, &program, case);
                    let time = start.elapsed();
                    eprintln!("rom-boot: {} took {:.1} s", case.name, time.as_secs_f64());
                    let report = Report { name: case.name.to_owned(), result, time };
                    reports.lock().unwrap_or_else(|poison| poison.into_inner()).push(report);
                }
            });
        }
    });
    let mut reports = reports.into_inner().unwrap_or_else(|poison| poison.into_inner());
    reports.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(reports)
}

fn boot(parts: &Parts, program: &Path, case: &Case) -> Result<()> {
    let folder = target().join("rom-boot").join(case.name);
    remove_folder(&folder)?;
    fs::create_dir_all(&folder)?;
    let folder = folder.canonicalize()?;
    let rom = (case.make)(&Workshop { parts, romtools: program, folder: &folder })?;
    let Case { firmware, device, mark, runs, .. } = *case;
    let machine = Machine { parts, firmware, device, rom: &rom, folder: &folder };
    let says = says(&fs::read(&rom)?, firmware, device);
    ensure!(
        says == runs,
        "`romtools check` says {}",
        if says { "that it runs" } else { "that it does not run" }
    );
    match (machine.prints(mark, runs)?, runs) {
        (false, true) => bail!("it did not run"),
        (true, false) => bail!("it ran, and should not"),
        _ => Ok(()),
    }
}

/// Whether `romtools check` says that a guest's firmware starts something in a ROM that is given to it as it is.
fn says(bytes: &[u8], firmware: Firmware, device: &str) -> bool {
    let Ok(rom) = Rom::parse(bytes) else { return false };
    let (vendor, id) = if device == "e1000" { (0x8086, 0x100e) } else { (0x1234, 0x11e8) };
    let guests = check::guests_of_device(&rom, vendor, id);
    let (answer, padding) = match firmware {
        Firmware::Ovmf => (guests.uefi, guests.padding),
        Firmware::SeaBios => (guests.bios, 0),
    };
    matches!(answer, Answer::Yes(_)) && guests.offset == 0 && padding == 0
}

/// Prints the table, and counts.
fn summarise(reports: &[Report]) -> Counts {
    let mut counts = Counts::default();
    println!("{:28} {:8} {:>7}", "ROM", "result", "time");
    for Report { name, result, time } in reports {
        let (count, word, reason) = match result {
            Ok(()) => (&mut counts.passed, "passed", String::new()),
            Err(error) => (&mut counts.failed, "FAILED", format!("{error:#}")),
        };
        *count += 1;
        println!("{}", format!("{name:28} {word:8} {:6.1}s  {reason}", time.as_secs_f64()).trim_end());
    }
    counts
}
