//! lspci's options. `docs/lspci.md` has a table of them.

use super::functions::Keep;
use clap::{ArgAction, Args};
use pcicfg::lspci::{Filter, Identifiers, Options};
use std::path::{Path, PathBuf};

/// What `vfio-reset lspci` takes; `-v`, `-vv` and `-vvv` are global.
#[derive(Debug, Args)]
pub(crate) struct LspciArguments {
    /// Read the functions from this file instead of the machine: what lspci -x or -xxxx printed, or a log or mail with
    /// that somewhere in it, also packed by gzip; `-` is standard input
    #[arg(short = 'F', value_name = "FILE", help_heading = INPUT)]
    file: Option<PathBuf>,
    /// Read the functions from this folder instead of /sys/bus/pci
    #[arg(long, value_name = "FOLDER", conflicts_with = "file", help_heading = INPUT)]
    sysfs: Option<PathBuf>,
    /// Only functions in these slots: [[[domain]:]bus:][device][.[function]]
    #[arg(short = 's', value_name = "SLOT", value_parser = check_slot)]
    slots: Vec<String>,
    /// Only functions with these ids: [vendor]:[device][:class[:interface]]
    #[arg(short = 'd', value_name = "ID", value_parser = check_id)]
    ids: Vec<String>,
    /// Numbers instead of names; twice: numbers and names
    #[arg(short = 'n', action = ArgAction::Count)]
    pub(crate) numbers: u8,
    /// The file with the names, instead of the system's pci.ids
    #[arg(short = 'i', value_name = "FILE")]
    pub(crate) names: Option<PathBuf>,
    /// The bytes of the header; three times: the first 256 bytes; four times: all
    #[arg(short = 'x', action = ArgAction::Count, conflicts_with = "json")]
    hex: u8,
    /// The functions as a tree of buses
    #[arg(short = 't', action = ArgAction::Count, conflicts_with = "json")]
    tree: u8,
    /// The kernel's driver of each function, and the modules that could drive it
    #[arg(short = 'k', action = ArgAction::Count)]
    kernel: u8,
    /// The file that says which modules could drive a function, instead of the kernel's modules.alias: one such, or a
    /// modules.pcimap
    #[arg(short = 'p', value_name = "FILE")]
    pub(crate) modules: Option<PathBuf>,
    /// Ids, addresses and interrupts as the cards have them, not as the kernel sees them
    #[arg(short = 'b', action = ArgAction::Count)]
    bus_centric: u8,
    /// Addresses always with their domain
    #[arg(short = 'D', action = ArgAction::Count)]
    domain: u8,
    /// Before each address the bridges above it; twice: with their bus numbers
    #[arg(short = 'P', action = ArgAction::Count)]
    pub(crate) path: u8,
    /// Text for programs; twice for the newer form
    #[arg(short = 'm', action = ArgAction::Count, conflicts_with = "json")]
    readable: u8,
    /// Below what lspci prints of a capability, all that it leaves out, in lines that begin with +
    #[arg(long, conflicts_with_all = ["json", "tree", "readable"])]
    more: bool,
    /// No warnings and notes on standard error
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Where functions come from: auto, linux-sysfs or dump; `help` lists what lspci has besides
    #[arg(short = 'A', value_name = "METHOD", help_heading = INPUT)]
    method: Option<String>,
    /// Set a parameter of the input: sysfs.path or dump.name; `help` lists what lspci has besides
    #[arg(short = 'O', value_name = "PARAMETER=VALUE", help_heading = INPUT)]
    parameters: Vec<String>,
    /// Say which lspci's text is printed
    #[arg(long, action = ArgAction::SetTrue)]
    version: bool,
    /// lspci's messages of its library; there are none
    #[arg(short = 'G', action = ArgAction::Count, hide = true)]
    debug: u8,
    #[arg(short = 'q', action = ArgAction::Count, hide = true)]
    query: u8,
    #[arg(short = 'Q', action = ArgAction::Count, hide = true)]
    query_all: u8,
    #[arg(short = 'M', action = ArgAction::Count, hide = true)]
    map: u8,
    #[arg(short = 'H', value_name = "MECHANISM", hide = true)]
    hardware: Option<String>,
}

const INPUT: &str = "Where the functions come from";

/// Where the functions come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// What `--machine` names.
    Machine,
    /// This host, by its folder of functions.
    Folder(Option<PathBuf>),
    File(PathBuf),
}

/// What an option asks for instead of functions.
pub(super) enum Answer {
    /// This text, and nothing else.
    Text(&'static str),
    /// It is not done, for this reason.
    Refused(String),
}

const METHODS: &str = "\
Where functions can come from (-A):

auto         this machine (what --machine names)
linux-sysfs  this machine, by the folder /sys/bus/pci (see -O sysfs.path)
dump         a file (-O dump.name, or simply -F)

lspci's others (linux-proc, intel-conf1, intel-conf2, mmio-conf1, mmio-conf1-ext, ecam) are not here: they go past the
kernel, or through an older window to the same data.
";

const PARAMETERS: &str = "\
Parameters of the input (-O NAME=VALUE):

sysfs.path  the folder with the functions (/sys/bus/pci); --sysfs sets it as well
dump.name   the file to read; -F sets it as well

lspci's others (hwdb.disable, net.*, proc.path, devmem.path, ecam.*, mmio-conf1*.addrs) are taken and change nothing:
what they set is not used here.
";

/// Those of lspci's parameters that have nothing to set here.
const UNUSED: &[&str] = &[
    "hwdb.disable",
    "net.cache_name",
    "net.domain",
    "proc.path",
    "devmem.path",
    "ecam.acpimcfg",
    "ecam.addrs",
    "ecam.bcm",
    "ecam.efisystab",
    "ecam.x86bios",
    "mmio-conf1.addrs",
    "mmio-conf1-ext.addrs",
];

const ANSWER_VERSION: &str =
    concat!("lspci version 3.14.0 (its text, by vfio-reset ", env!("CARGO_PKG_VERSION"), ")\n");

impl LspciArguments {
    /// An answer that needs no functions, if there is one.
    pub(super) fn answer(&self) -> Option<Answer> {
        if self.version {
            return Some(Answer::Text(ANSWER_VERSION));
        }
        if self.method.as_deref() == Some("help") {
            return Some(Answer::Text(METHODS));
        }
        if self.parameters.iter().any(|parameter| parameter == "help") {
            return Some(Answer::Text(PARAMETERS));
        }
        let refused = |reason: &str| Some(Answer::Refused(reason.to_owned()));
        if self.query > 0 || self.query_all > 0 {
            return refused(
                "-q, -qq and -Q ask a server on the Internet for names; vfio-reset never uses the network. Update the \
                 system's pci.ids (update-pciids, or the package pci.ids or hwdata), or name a newer file with -i; \
                 for no warnings say --quiet",
            );
        }
        if self.map > 0 {
            return refused(
                "-M scans every bus past the kernel, which can upset devices and is not done. What the kernel found is \
                 shown with -t; for functions that it lost, `echo 1 > /sys/bus/pci/rescan`",
            );
        }
        if let Some(mechanism) = &self.hardware {
            return Some(Answer::Refused(format!(
                "-H{mechanism} reads configuration space through I/O ports while the kernel uses them, which is not \
                 done. Without it the kernel is asked, which knows more"
            )));
        }
        self.source().err().map(Answer::Refused)
    }

    /// Where the functions come from.
    ///
    /// # Errors
    /// A sentence if the options ask for what there is not.
    pub(super) fn source(&self) -> Result<Source, String> {
        let (mut folder, mut file) = (self.sysfs.clone(), None);
        for parameter in &self.parameters {
            match parameter.split_once('=') {
                Some(("sysfs.path", value)) => folder = Some(value.into()),
                Some(("dump.name", value)) => file = Some(PathBuf::from(value)),
                Some((name, _)) if UNUSED.contains(&name) => {}
                Some((name, _)) => {
                    return Err(format!("-O: there is no parameter {name}; `-O help` lists them"));
                }
                None => {
                    return Err(format!(
                        "-O {parameter}: a parameter is set as NAME=VALUE; `-O help` lists them"
                    ));
                }
            }
        }
        if let Some(file) = &self.file {
            return Ok(Source::File(file.clone()));
        }
        match self.method.as_deref() {
            None | Some("auto") => Ok(folder.map_or(Source::Machine, |folder| Source::Folder(Some(folder)))),
            Some("linux-sysfs") => Ok(Source::Folder(folder)),
            Some("dump") => {
                let file = file.filter(|file| file != Path::new(""));
                file.map(Source::File)
                    .ok_or_else(|| "-A dump: name the file with -F, or -O dump.name=FILE".to_owned())
            }
            Some(method) => Err(format!(
                "-A {method} is not there: functions come from the kernel (auto, linux-sysfs) or from a file (dump); \
                 `-A help` says more"
            )),
        }
    }

    /// Which functions are wanted.
    pub(crate) fn filter(&self) -> Filter {
        let mut filter = Filter::default();
        // Checked when they were read.
        for slot in &self.slots {
            let _ = filter.slot(slot);
        }
        for id in &self.ids {
            let _ = filter.id(id);
        }
        filter
    }

    /// How much of each function is needed to print it.
    pub(super) fn keep(&self, verbose: u8, json: bool) -> Keep {
        if json || self.more {
            return Keep::All;
        }
        match (verbose, self.hex) {
            (1.., _) | (_, 4..) => Keep::All,
            // The subsystem of a bridge is in a capability.
            (_, 2..) => Keep::Conventional,
            _ if self.kernel > 0 || self.readable > 0 || self.hex > 0 => Keep::Conventional,
            _ => Keep::Header,
        }
    }

    /// Whether what lspci leaves out is printed, and defects with it.
    pub(super) fn more(&self) -> bool {
        self.more
    }

    /// Whether a tree is printed.
    pub(super) fn tree(&self) -> bool {
        self.tree > 0
    }

    /// Whether it is needed which bridges are above which functions.
    pub(super) fn topology(&self) -> bool {
        self.tree > 0 || self.path > 0
    }

    /// Whether the kernel's word is left out where the cards have their own.
    pub(super) fn bus_centric(&self) -> bool {
        self.bus_centric > 0
    }

    /// Whether drivers and modules are printed.
    pub(super) fn drivers(&self, verbose: u8) -> bool {
        self.kernel > 0 || verbose > 0 && self.readable == 0
    }

    /// What is printed of each; `domains` if some function is not in domain 0.
    pub(crate) fn options(&self, verbose: u8, domains: bool) -> Options {
        let mut options = Options::default().verbose(verbose).hex(self.hex).more(self.more);
        if self.more {
            // Below that lspci only names capabilities.
            options = options.verbose(verbose.max(2));
        }
        options.identifiers = match self.numbers {
            0 => Identifiers::Names,
            1 => Identifiers::Numbers,
            _ => Identifiers::Both,
        };
        options.domain = self.domain > 0 || domains && self.readable == 0;
        options.path = self.path;
        options.machine = self.readable;
        options.kernel = self.kernel > 0;
        options.bus_centric = self.bus_centric();
        options
    }
}

fn check_slot(text: &str) -> Result<String, String> {
    Filter::default().slot(text).map_err(|error| error.to_string())?;
    Ok(text.to_string())
}

fn check_id(text: &str) -> Result<String, String> {
    Filter::default().id(text).map_err(|error| error.to_string())?;
    Ok(text.to_string())
}
