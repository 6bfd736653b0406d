//! The guest lab: the tool on a real kernel, with devices that QEMU plays.
//!
//! Parts come from Debian ([`parts`], [`crate::packages`]), are put into an initramfs ([`kernel`], [`initramfs`], [`cpio`])
//! together with a script ([`scenario`]), and booted ([`qemu`]).

mod cpio;
mod initramfs;
mod iommufd;
mod kernel;
pub(crate) mod parts;
pub(crate) mod qemu;
mod scenario;
mod served;

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use self::initramfs::Programs;
use self::kernel::Kernel;
use self::parts::{Lab, Parts, Series};
use self::qemu::{Guest, Outcome};
use self::scenario::Scenario;
use self::served::Served;
use crate::packages;
use crate::test::Counts;
use crate::{target, workspace};

/// What is run in guests, and how.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Debian kernel to boot
    #[arg(long, value_enum, default_value = "6.12")]
    kernel: Series,
    /// Run this scenario only (may be given again)
    #[arg(long = "scenario", value_name = "NAME")]
    scenarios: Vec<String>,
    /// List the scenarios and stop
    #[arg(long)]
    list: bool,
    /// Guests that run at once
    #[arg(long, default_value_t = 2, value_name = "N")]
    jobs: usize,
    /// Keep disk images and initramfs
    #[arg(long)]
    keep: bool,
    /// Test this static program instead of building vfio-reset
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Fail, instead of skipping, where guests cannot be run
    #[arg(long)]
    require: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            kernel: Series::V6_12,
            scenarios: Vec::new(),
            list: false,
            jobs: 2,
            keep: false,
            binary: None,
            require: false,
        }
    }
}

/// How one scenario ended.
struct Report {
    name: String,
    outcome: Outcome,
    time: Duration,
    log: PathBuf,
}

/// Runs scenarios and prints a table of how they ended. `None` if they were only listed.
///
/// # Errors
/// The tool does not build, a scenario's header is wrong, or a file cannot be used. A host on which guests cannot be
/// run is no error: its scenarios are counted as skipped.
pub(crate) fn run(options: &Options) -> Result<Option<Counts>> {
    let scenarios = chosen(Scenario::all(&workspace().join("tests/guest/scenarios"))?, &options.scenarios)?;
    if options.list {
        for scenario in &scenarios {
            println!("{:28}{}", scenario.name, scenario.summary);
        }
        return Ok(None);
    }
    let reports = match parts::prepare(options.kernel, &|text| eprintln!("guest: {text}"))? {
        Lab::Ready(parts) => run_all(&parts, scenarios, options)?,
        Lab::Unavailable(reason) if options.require => bail!("{reason}"),
        Lab::Unavailable(reason) => {
            println!("guest tests are SKIPPED: {reason}");
            scenarios.into_iter().map(|scenario| skipped(scenario, "see above")).collect()
        }
    };
    Ok(Some(summarise(&reports)))
}

fn skipped(scenario: Scenario, reason: &str) -> Report {
    let outcome = Outcome::Skipped(reason.to_owned());
    Report { name: scenario.name, outcome, time: Duration::ZERO, log: PathBuf::new() }
}

/// The scenarios with the wanted names, or all.
fn chosen(all: Vec<Scenario>, names: &[String]) -> Result<Vec<Scenario>> {
    if let Some(name) = names.iter().find(|name| !all.iter().any(|scenario| scenario.name == **name)) {
        bail!("there is no scenario `{name}`; `cargo xtask guest --list` lists them");
    }
    Ok(all.into_iter().filter(|scenario| names.is_empty() || names.contains(&scenario.name)).collect())
}

/// Builds the programs and runs the guests, `--jobs` at once.
fn run_all(parts: &Parts, scenarios: Vec<Scenario>, options: &Options) -> Result<Vec<Report>> {
    let programs = build(options.binary.as_deref())?;
    let kernel = Kernel::open(&parts.kernel)?;
    let is_served = scenarios.iter().any(|scenario| scenario.machine.is_some());
    let lab = Runner {
        vfio_user: is_served.then(|| {
            parts::vfio_user_qemu(&|text| eprintln!("guest: {text}")).map_err(|error| format!("{error:#}"))
        }),
        base: initramfs::base(parts, &kernel)?,
        library: fs::read_to_string(workspace().join("tests/guest/lib.sh"))
            .context("cannot read tests/guest/lib.sh")?,
        logs: target().join("guest"),
        folder: std::env::temp_dir().join(format!("vfio-reset-lab-{}", std::process::id())),
        progress: MultiProgress::new(),
        visible: std::io::stderr().is_terminal(),
        parts,
        kernel,
        programs,
        options,
    };
    fs::create_dir_all(&lab.logs)?;
    let (alone, together): (Vec<_>, Vec<_>) = scenarios.into_iter().partition(|scenario| scenario.alone);
    let mut reports = lab.run_at_once(&together, options.jobs);
    reports.extend(lab.run_at_once(&alone, 1));
    if options.keep {
        eprintln!("guest: images are kept in {}", lab.folder.display());
    } else {
        packages::remove_folder(&lab.folder)?;
    }
    reports.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(reports)
}

/// What all guests of a run share.
struct Runner<'a> {
    parts: &'a Parts,
    kernel: Kernel,
    programs: Programs,
    base: PathBuf,
    library: String,
    logs: PathBuf,
    folder: PathBuf,
    options: &'a Options,
    /// The QEMU that takes served devices, or why there is none.
    vfio_user: Option<Result<PathBuf, String>>,
    progress: MultiProgress,
    visible: bool,
}

impl Runner<'_> {
    /// Runs scenarios, so many at once.
    fn run_at_once(&self, scenarios: &[Scenario], jobs: usize) -> Vec<Report> {
        let next = AtomicUsize::new(0);
        let reports = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..jobs.clamp(1, scenarios.len().max(1)) {
                scope.spawn(|| {
                    while let Some(scenario) = scenarios.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let report = self.run(scenario);
                        reports.lock().unwrap_or_else(|poison| poison.into_inner()).push(report);
                    }
                });
            }
        });
        reports.into_inner().unwrap_or_else(|poison| poison.into_inner())
    }

    fn run(&self, scenario: &Scenario) -> Report {
        let log = self.logs.join(format!("{}-{}.log", scenario.name, self.options.kernel.name()));
        let bar = self.progress.add(ProgressBar::new_spinner());
        let style = ProgressStyle::with_template("{spinner} {prefix} [{elapsed}] {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_prefix(scenario.name.clone());
        bar.enable_steady_tick(Duration::from_millis(200));
        if !self.visible {
            eprintln!("guest: {} started on {}", scenario.name, self.kernel.release);
        }
        let start = Instant::now();
        let outcome =
            self.boot(scenario, &log, &bar).unwrap_or_else(|error| Outcome::Failed(format!("{error:#}")));
        let time = start.elapsed();
        bar.finish_and_clear();
        let line = format!("guest: {} {} in {:.1} s", scenario.name, word(&outcome), time.as_secs_f64());
        if self.visible {
            let _ = self.progress.println(line);
        } else {
            eprintln!("{line}");
        }
        Report { name: scenario.name.clone(), outcome, time, log }
    }

    fn boot(&self, scenario: &Scenario, log: &Path, bar: &ProgressBar) -> Result<Outcome> {
        let mut qemu = &self.parts.qemu;
        if scenario.machine.is_some() {
            match &self.vfio_user {
                _ if self.options.kernel == Series::V6_1 => {
                    return Ok(Outcome::Skipped("devices are served to kernel 6.12 or newer".to_owned()));
                }
                Some(Ok(newer)) => qemu = newer,
                Some(Err(reason)) => return Ok(Outcome::Skipped(reason.clone())),
                None => {}
            }
        }
        let folder = self.folder.join(&scenario.name);
        fs::create_dir_all(&folder)?;
        // What an earlier run left must not be taken for this one's.
        fs::write(log, "")?;
        let served = match &scenario.machine {
            Some(machine) => Some(Served::start(&self.programs.server, machine, scenario, &folder, log)?),
            None => None,
        };
        let (kernel, served, log_file) = (&self.kernel, served.as_ref(), log.to_owned());
        let guest = Guest { qemu, served, kernel, scenario, folder: &folder, log: log_file };
        initramfs::write(&guest.initrd(), &self.base, &self.programs, &self.library, scenario)?;
        let progress = |step: &str| bar.set_message(step.to_owned());
        let mut outcome = guest.run(&progress)?;
        // Nothing was learned about a scenario that was never started; once more, in case the host was too busy.
        if matches!(outcome, Outcome::Failed(_)) && marked_lines(log, "LAB-BOOT").is_empty() {
            let first = log.with_extension("first.log");
            fs::rename(log, &first)?;
            eprintln!("guest: {} did not boot ({}), once more", scenario.name, first.display());
            outcome = guest.run(&progress)?;
        }
        if !self.options.keep {
            packages::remove_folder(&folder)?;
        }
        Ok(outcome)
    }
}

/// Builds the static programs that go into the guest.
///
/// They have a target folder of their own: other flags in the common one would rebuild everything each time.
fn build(binary: Option<&Path>) -> Result<Programs> {
    const TRIPLE: &str = "x86_64-unknown-linux-gnu";
    let folder = target().join("guest/build");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--release", "--target", TRIPLE, "--bins"]);
    cargo.args(["--package", "tests", "--package", "romtools"]);
    cargo.args(["--package", "vfio-reset", "--features", "vfio-reset/serve"]);
    cargo.arg("--target-dir").arg(&folder).env("RUSTFLAGS", "-Ctarget-feature=+crt-static");
    eprintln!("guest: building the static programs");
    let status = cargo.current_dir(workspace()).stdin(Stdio::null()).status().context("cannot run cargo")?;
    if !status.success() {
        bail!("the static programs do not build");
    }
    let built = folder.join(TRIPLE).join("release");
    let vfio_reset = binary.map_or_else(|| built.join("vfio-reset"), Path::to_owned);
    if !vfio_reset.is_file() {
        bail!("there is no program {}", vfio_reset.display());
    }
    let server = built.join("vfio-reset");
    Ok(Programs { server, vfio_reset, romtools: built.join("romtools"), lab_tool: built.join("lab-tool") })
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed(_) => "FAILED",
        Outcome::Skipped(_) => "skipped",
    }
}

/// Prints the table, and for what failed the end of its log; counts.
fn summarise(reports: &[Report]) -> Counts {
    let mut counts = Counts::default();
    for report in reports.iter().filter(|report| matches!(report.outcome, Outcome::Failed(_))) {
        print_failure(report);
    }
    println!("{:28} {:8} {:>7}", "scenario", "result", "time");
    for report in reports {
        let (count, reason) = match &report.outcome {
            Outcome::Passed => (&mut counts.passed, ""),
            Outcome::Failed(reason) => (&mut counts.failed, reason.as_str()),
            Outcome::Skipped(reason) => (&mut counts.skipped, reason.as_str()),
        };
        *count += 1;
        let time = report.time.as_secs_f64();
        let line = format!("{:28} {:8} {time:6.1}s  {reason}", report.name, word(&report.outcome));
        println!("{}", line.trim_end());
        for measured in marked_lines(&report.log, "LAB-LATENCY") {
            println!("    {measured}");
        }
    }
    counts
}

/// What someone needs to see of a scenario that failed, without opening its log.
fn print_failure(report: &Report) {
    println!("--- {}: failed checks in {}", report.name, report.log.display());
    for line in marked_lines(&report.log, "not ok - ").iter().take(40) {
        println!("    {line}");
    }
    println!("--- {}: the end of it", report.name);
    let log = fs::read_to_string(&report.log).unwrap_or_default();
    print_end(&log, 40);
    // Of a scenario without one there is no such file.
    let errors = fs::read_to_string(served::errors(&report.log)).unwrap_or_default();
    if !errors.trim().is_empty() {
        println!("--- {}: what `vfio-reset serve` said", report.name);
        print_end(&errors, 20);
    }
}

/// Prints the last so many lines.
fn print_end(text: &str, count: usize) {
    let lines: Vec<&str> = text.lines().collect();
    for line in &lines[lines.len().saturating_sub(count)..] {
        println!("    {line}");
    }
}

/// Lines of a log with a mark, from the mark on.
fn marked_lines(log: &Path, mark: &str) -> Vec<String> {
    let log = fs::read_to_string(log).unwrap_or_default();
    log.lines().filter_map(|line| line.find(mark).map(|at| line[at..].to_owned())).collect()
}
