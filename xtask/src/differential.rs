//! `cargo xtask lspci-differential`: our text against lspci's, on random functions.
//!
//! Random configuration spaces ([`generate`]) are written as a dump, printed by lspci and by `vfio-reset lspci`, and
//! compared function by function ([`compare`]). Where lspci gives up with an internal error, as it does on some
//! capabilities, ours must have printed the same up to there. What another version of lspci prints otherwise than
//! 3.14 has a name ([`known`]); a difference without one fails with the smallest function that shows it ([`shrink`]).

mod compare;
mod generate;
mod known;
mod modes;
mod program;
mod random;
mod reference;
mod shrink;
mod space;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};

use self::compare::{Compared, Finding, Pair};
use self::known::Difference;
use self::program::Program;
use self::reference::{Reference, References};
use self::space::{Address, Function};
use crate::test::{self, Counts};
use crate::{target, workspace};

/// How many functions there are without an option.
const FUNCTIONS: usize = 20_000;
/// How many of them, and where they begin, in `cargo xtask test`: half a minute for each lspci.
const TESTED: (usize, u64) = (2_000, 1);
/// How many functions are in a dump.
const BATCH: usize = 64;
/// How many differences are made small and shown.
const SHOWN: usize = 10;

/// What is compared, and with what.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// How many random functions
    #[arg(long, default_value_t = FUNCTIONS, value_name = "N")]
    functions: usize,
    /// How many random hosts, for trees and paths; without it, one for every 20 functions
    #[arg(long, value_name = "N")]
    hosts: Option<usize>,
    /// Where the random numbers begin; the same seed makes the same functions. Without it, one that was never used
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Compare with this lspci instead of one from Debian
    #[arg(long, value_name = "PATH")]
    lspci: Option<PathBuf>,
    /// Compare this `vfio-reset` instead of one built from the sources, without optimisation
    #[arg(long, value_name = "PATH")]
    ours: Option<PathBuf>,
    /// Leave out what is printed of a running system
    #[arg(long)]
    no_system: bool,
}

impl Default for Options {
    /// What `cargo xtask test` runs: the same functions every time.
    fn default() -> Self {
        let (functions, seed) = TESTED;
        Self { functions, hosts: None, seed: Some(seed), lspci: None, ours: None, no_system: false }
    }
}

/// Compares, prints what was found, and counts each kind of comparison as one test.
///
/// # Errors
/// `vfio-reset` does not build, or a program or file cannot be used.
pub(crate) fn run(options: &Options) -> Result<Counts> {
    let references = match &options.lspci {
        Some(path) => References { found: vec![Reference::at(path)?], missing: Vec::new() },
        None => References::all(),
    };
    for reason in &references.missing {
        println!("lspci-differential: {reason}");
    }
    if references.found.is_empty() {
        println!("lspci-differential is SKIPPED: there is no lspci to compare with");
        return Ok(Counts { skipped: 1, ..Counts::default() });
    }
    let ours = match &options.ours {
        Some(path) => path.canonicalize().with_context(|| format!("there is no {}", path.display()))?,
        None => build()?,
    };
    let ours = Program::new(vec![ours.into(), "lspci".into()]);
    let seed = options.seed.unwrap_or_else(new_seed);
    let mut counts = Counts::default();
    for reference in &references.found {
        let known = known::of(reference.version);
        println!(
            "lspci-differential: {} random functions, seed {seed}, beside {}",
            options.functions, reference.name
        );
        let run = Differential { ours: &ours, reference, known: &known, seed };
        let functions = run.functions(options.functions)?;
        counts += run.report("functions", functions)?;
        if !options.no_system {
            counts += running_system(reference)?;
        }
        if reference.version < known::TREES {
            println!("  hosts are not compared: before 3.10 trees were made otherwise");
            continue;
        }
        let hosts = run.hosts(options.hosts.unwrap_or(options.functions / 20))?;
        counts += run.report("hosts", hosts)?;
    }
    Ok(counts)
}

/// A seed from the clock, short enough to be typed again.
fn new_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_millis() as u64 % 1_000_000_000
}

/// Builds the program that is tested.
fn build() -> Result<PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", "vfio-reset", "--bin", "vfio-reset"]);
    let status = cargo.current_dir(workspace()).stdin(Stdio::null()).status().context("cannot run cargo")?;
    if !status.success() {
        bail!("vfio-reset does not build");
    }
    Ok(target().join("debug/vfio-reset"))
}

/// Lets the tests of vfio-reset that print a system made of files ask this lspci.
fn running_system(reference: &Reference) -> Result<Counts> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let script = folder.path().join("lspci");
    reference.program.write_script(&script)?;
    let arguments =
        ["test", "--quiet", "--package", "vfio-reset", "--test", "lspci_drop_in", "an_installed_lspci"];
    let mut cargo = test::cargo(&arguments);
    let output = cargo.env("VFIO_RESET_LSPCI", &script).output().context("cannot run cargo")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let counts =
        text.lines().find_map(test::test_result).unwrap_or(Counts { failed: 1, ..Counts::default() });
    if counts.failed > 0 || counts.passed == 0 {
        println!("{text}{}", String::from_utf8_lossy(&output.stderr));
    }
    println!("  a running system: {counts}");
    Ok(counts)
}

/// One lspci, and what it is compared with.
struct Differential<'r> {
    ours: &'r Program,
    reference: &'r Reference,
    known: &'r [Difference],
    seed: u64,
}

impl Differential<'_> {
    fn pair(&self, folder: &Path) -> Result<Pair<'_>> {
        fs::write(folder.join(modes::NAMES_FILE), modes::NAMES).context("cannot write the file of names")?;
        let folder = folder.to_owned();
        Ok(Pair { ours: self.ours, theirs: &self.reference.program, known: self.known, folder })
    }

    /// Compares so many functions.
    fn functions(&self, count: usize) -> Result<Compared> {
        self.at_once(count.div_ceil(BATCH), |pair, batch| {
            let first = batch * BATCH;
            let functions = self.batch(first, BATCH.min(count - first));
            let others = [0, 1].map(|turn| modes::MODES[(2 * batch + turn) % modes::MODES.len()]);
            pair.compare(&functions, &others)
        })
    }

    /// Compares trees and paths of so many hosts.
    fn hosts(&self, count: usize) -> Result<Compared> {
        self.at_once(count, |pair, index| {
            let host = generate::host(self.seed, index as u64);
            pair.compare_host(host, modes::HOST_MODES[index % modes::HOST_MODES.len()])
        })
    }

    /// Does so many parts of the work, as many at once as there are processors.
    fn at_once(
        &self,
        parts: usize,
        part: impl Fn(&Pair<'_>, usize) -> Result<Compared> + Sync,
    ) -> Result<Compared> {
        let next = AtomicUsize::new(0);
        let total = Mutex::new(Compared::default());
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| -> Result<()> {
            let work = || -> Result<()> {
                let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
                let pair = self.pair(folder.path())?;
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= parts {
                        return Ok(());
                    }
                    let compared = part(&pair, index)?;
                    total.lock().unwrap_or_else(|poison| poison.into_inner()).add(compared);
                }
            };
            let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                worker.join().map_err(|_| anyhow::anyhow!("a thread failed"))??;
            }
            Ok(())
        })?;
        Ok(total.into_inner().unwrap_or_else(|poison| poison.into_inner()))
    }

    /// Functions of the run, all in one domain: it is printed or not for all of them.
    fn batch(&self, first: usize, count: usize) -> Vec<Function> {
        let domain = [0, 0, 0, 1, 0, 0, 0, 0xffff][first / BATCH % 8];
        let place = |index: usize| Address::of(domain << 16 | (index as u32 * 37) & 0xffff);
        let function = |index: usize| Function {
            address: place(index),
            bytes: generate::function(self.seed, (first + index) as u64),
        };
        (0..count).map(function).collect()
    }

    /// Prints the numbers, and the differences without a name made small; counts them as one test.
    fn report(&self, what: &str, compared: Compared) -> Result<Counts> {
        println!(
            "  {} {what} compared, {} refused by lspci, {} unexplained differences",
            compared.functions,
            compared.refused,
            compared.findings.len()
        );
        for (difference, count) in self.known.iter().zip(&compared.known) {
            if *count > 0 {
                println!("  {count:7}  {}", difference.name);
            }
        }
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let pair = self.pair(folder.path())?;
        let results = target().join("lspci-differential");
        let mut shown: Vec<&Finding> = Vec::new();
        for finding in &compared.findings {
            if shown.len() == SHOWN {
                break;
            }
            if shown.iter().any(|other| other.is_like(finding)) {
                continue;
            }
            shown.push(finding);
            let small = shrink::smallest(&pair, finding.clone())?;
            fs::create_dir_all(&results).context("cannot make the folder of results")?;
            let file = results.join(format!("{what}-{}.dump", shown.len()));
            fs::write(&file, space::dump(&small.functions)).context("cannot write a result")?;
            println!("  {} -F {}", small.arguments, file.display());
            println!("    theirs {}", small.theirs);
            println!("    ours   {}", small.ours);
        }
        let failed = usize::from(!compared.findings.is_empty());
        Ok(Counts { passed: 1 - failed, failed, skipped: 0 })
    }
}
