//! What can be typed.

use clap::{Args, Parser, Subcommand, ValueEnum};
use pcicfg::Address;
use std::path::PathBuf;
use std::time::Duration;
use vfio_reset::inventory::InventoryFunction;
use vfio_reset::machine::vfio::VfioInterface;
use vfio_reset::method::MethodName;
use vfio_reset::plan::{Override, Request, Via};

const EXIT_CODES: &str = "\
Exit codes:
  0  done, and for a reset: verified, or not needed
  1  something else went wrong
  2  usage: an option, an address, a file
  3  refused, because it would hurt the host or cannot end within the budget; the reason names the override, if there is one
  4  no method can work
  5  permission: root is needed, or the kernel is locked down
  6  the device does not answer: it did not come back, or was gone before anything was tried, or
     somebody else is resetting it; or the kernel wants it back (`vfio --hold`)
  7  it came back, and verification found a difference, or
     nothing shows that a vendor sequence reset it; or `diff` found a difference
`plan` ends in 0 whatever it finds, where it can look; `reset --dry-run` ends as the reset would.

Try it without any hardware:
  vfio-reset --machine sim:zoo list
  vfio-reset --machine sim:zoo reset 01:00.0
";

/// Gets PCI devices back: explains what can reset a device and what else is hit, resets it, waits,
/// restores and verifies.
#[derive(Debug, Parser)]
#[command(name = "vfio-reset", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The machine: `live` (this host), `live:DIR` (the host whose `/` is at DIR, for a container), `sim:NAME` or
    /// a `.toml` (simulated), a dump made by `lspci -xxxx`, or what `vfio-reset capture` wrote
    #[arg(
        long,
        global = true,
        value_name = "MACHINE",
        default_value = "live",
        help_heading = "Global options"
    )]
    pub(crate) machine: String,
    /// Keep a simulated machine's state in this file from one command to the next; `diff` takes it for the second
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub(crate) machine_state: Option<PathBuf>,
    /// More devices for vendor sequences, before those of /etc/vfio-reset/vendor.d; may be repeated
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub(crate) vendor_table: Vec<PathBuf>,
    /// Print JSON, for scripts
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) json: bool,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", help_heading = "Global options")]
    pub(crate) color: Color,
    /// Print more
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub(crate) verbose: u8,
    /// Print nothing but errors; the exit code tells
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Global options")]
    pub(crate) quiet: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    pub(crate) fn as_choice(self) -> anstream::ColorChoice {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List the functions: ids, driver, IOMMU group, reset methods, state
    List(ListArguments),
    /// Show what a function is and in which state: place, power, link, capabilities, quirks
    Show(ShowArguments),
    /// Show how the functions hang together, bridges with what is below them
    Tree(TreeArguments),
    /// Compare the configuration of two machines or saved states, register by register
    Diff(DiffArguments),
    /// Say what can reset a device, why, what else is hit, and what would be done
    Plan(PlanArguments),
    /// Reset a device: save, act, wait, restore, verify
    Reset(ResetArguments),
    /// Open a device through VFIO and show what VFIO says of it; opening and closing reset it
    Vfio(VfioArguments),
    /// Read registers behind a BAR, four bytes each; all-ones where no one answers
    Peek(PeekArguments),
    /// Show simulated functions to virtual machines, as PCI devices over vfio-user
    #[cfg_attr(not(feature = "serve"), command(hide = true))]
    Serve(ServeArguments),
    /// Print what lspci prints, with lspci's options
    Lspci(crate::lspci::LspciArguments),
    /// Save a device's configuration space to a file
    Save(SaveArguments),
    /// Write saved configuration space back
    Restore(RestoreArguments),
    /// Record the machine, for somebody else to look at
    Capture(CaptureArguments),
    /// List and show the sequences for devices that only their maker knows how to reset
    Vendor(VendorArguments),
}

#[derive(Debug, Args)]
pub(crate) struct VendorArguments {
    #[command(subcommand)]
    pub(crate) command: VendorCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum VendorCommand {
    /// List the families of devices that there is a sequence for, with their ids
    List,
    /// Show a sequence in words, with its registers
    Show {
        /// The family, as `list` names it
        family: String,
    },
    /// Take a sequence against a model of a device, and print every access
    Trace(TraceArguments),
}

#[derive(Debug, Args)]
pub(crate) struct TraceArguments {
    /// The model: a file in the form `vrtrace-model/1`, or the name of a shipped one
    #[arg(long, value_name = "FILE")]
    pub(crate) model: String,
    /// Take this family's sequence, whatever the device's ids say
    #[arg(long)]
    pub(crate) family: Option<String>,
    /// How long the whole may take
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = parse_time)]
    pub(crate) budget: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// Only functions whose address begins so: 03:00, 0000:03, 03:00.0
    #[arg(value_name = "ADDRESS")]
    pub(crate) filter: Vec<String>,
    /// Only functions that this driver is bound to; `none` for those without a driver
    #[arg(long)]
    pub(crate) driver: Option<String>,
    /// Only functions of this IOMMU group
    #[arg(long)]
    pub(crate) group: Option<u32>,
    /// Only functions whose class code begins so, such as 03 (displays) or 0108 (NVMe)
    #[arg(long, value_parser = parse_class)]
    pub(crate) class: Option<String>,
}

impl ListArguments {
    /// Whether a function is wanted.
    pub(crate) fn matches(&self, function: InventoryFunction<'_>) -> bool {
        let address = function.address().to_string();
        let short = address.split_once(':').map_or("", |(_, rest)| rest);
        // Without a domain the default one is meant, as everywhere.
        let begins = |prefix: &String| {
            let prefix = prefix.to_ascii_lowercase();
            address.starts_with(&prefix) || function.address().domain() == 0 && short.starts_with(&prefix)
        };
        let facts = function.facts();
        let class = format!("{:06x}", function.class_code().to_u32());
        (self.filter.is_empty() || self.filter.iter().any(begins))
            && self.driver.as_deref().is_none_or(|driver| facts.driver.as_deref().unwrap_or("none") == driver)
            && self.group.is_none_or(|group| facts.iommu_group == Some(group))
            && self.class.as_deref().is_none_or(|prefix| class.starts_with(prefix))
    }
}

#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// The function, such as 03:00.0 or 0000:03:00.0
    pub(crate) address: Address,
}

#[derive(Debug, Args)]
pub(crate) struct TreeArguments {
    /// Only this function, with the bridges above it and all below it
    pub(crate) address: Option<Address>,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// The first: a machine as for --machine, or a file that `save` wrote
    #[arg(value_name = "A")]
    pub(crate) old: String,
    /// The second
    #[arg(value_name = "B")]
    pub(crate) new: String,
    /// Only this function
    pub(crate) address: Option<Address>,
    /// Leave out what hardware changes on its own: error and event bits, what is pending, logs
    #[arg(long)]
    pub(crate) ignore_status: bool,
}

/// What a reset is planned from.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// The device, such as 03:00.0 or 0000:03:00.0
    pub(crate) address: Address,
    /// Use this method: device_specific, acpi, flr, af_flr, pm, bus, cxl_bus; by VFIO: vfio_reset, hot_reset;
    /// by registers: vendor
    #[arg(short, long)]
    pub(crate) method: Option<MethodName>,
    /// Who does it: the kernel through `reset_method` and `reset`, the kernel asked through VFIO, or we, by
    /// writing configuration space
    #[arg(long, value_enum)]
    pub(crate) via: Option<ViaArgument>,
    /// For VFIO: the interface, `group` or `cdev` (iommufd), if not the newest that the host has; implies
    /// `--via vfio`
    #[arg(long, value_name = "INTERFACE")]
    pub(crate) vfio: Option<VfioInterface>,
    /// For a direct bus reset: the bridge that asserts it, if not the one right above; implies `--method bus --via
    /// direct`
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) bridge: Option<Address>,
    /// Treat the device as one of this family of vendor sequences, whatever its ids say. Nobody has tested
    /// that, and a wrong sequence can hang the device or the host
    #[arg(long)]
    pub(crate) family: Option<String>,
    /// Override a refusal: driver, in-use, siblings, virtual-functions, quirk, boot-display, not-listed,
    /// bridge, experimental
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) allow: Vec<Override>,
    /// How long the whole reset may take, such as 10s or 500ms
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_time)]
    pub(crate) budget: Duration,
}

impl PlanArguments {
    pub(crate) fn request(&self) -> Request {
        Request {
            address: self.address,
            method: self.method.or(self.bridge.map(|_| MethodName::Bus)),
            via: self
                .via
                .map(ViaArgument::to_via)
                .or(self.vfio.map(|_| Via::Vfio))
                .or(self.bridge.map(|_| Via::Direct)),
            bridge: self.bridge,
            vfio: self.vfio,
            allow: self.allow.clone(),
            budget: self.budget,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ViaArgument {
    Kernel,
    Vfio,
    Direct,
}

impl ViaArgument {
    fn to_via(self) -> Via {
        match self {
            Self::Kernel => Via::Kernel,
            Self::Vfio => Via::Vfio,
            Self::Direct => Via::Direct,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ResetArguments {
    #[command(flatten)]
    pub(crate) plan: PlanArguments,
    /// Print the plan and do nothing; of a vendor sequence also what it would write, on models of the device
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write every access of a vendor sequence to this file
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub(crate) trace: Option<PathBuf>,
    /// Leave the restore step out, to show what it is for: the device stays unusable (tests only)
    #[arg(long, hide = true)]
    pub(crate) test_skip_restore: bool,
    /// Restore of bridges' headers only what reads differently, as the kernel mostly does (tests only)
    #[arg(long, hide = true)]
    pub(crate) test_conditional_bridge_restore: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VfioArguments {
    /// The device, bound to a VFIO driver
    pub(crate) address: Address,
    /// The interface, `group` or `cdev` (iommufd), if not the newest that the host has
    #[arg(long, value_name = "INTERFACE")]
    pub(crate) vfio: Option<VfioInterface>,
    /// Save its expansion ROM to a file; an existing file is not overwritten
    #[arg(long, value_name = "FILE")]
    pub(crate) rom: Option<PathBuf>,
    /// Keep it open for so long, and tell what the kernel tells of it: errors, a request to release it
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) hold: Option<Duration>,
    /// How long opening it may take, and closing it again, such as 10s or 500ms: both reset it
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_time)]
    pub(crate) budget: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct PeekArguments {
    /// The device
    pub(crate) address: Address,
    /// The Base Address Register, 0 to 5; 6 is the expansion ROM
    #[arg(value_parser = clap::value_parser!(u8).range(0..=6))]
    pub(crate) bar: u8,
    /// Where to begin, such as 0x14; a multiple of 4
    #[arg(value_parser = parse_number)]
    pub(crate) offset: u64,
    /// How many registers
    #[arg(default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(crate) count: u16,
    /// Read them through VFIO, by this interface (`group` or `cdev`): opening and closing reset the device
    #[arg(long, value_name = "INTERFACE")]
    pub(crate) vfio: Option<VfioInterface>,
    /// With --vfio: through a mapping, not by system calls
    #[arg(long, requires = "vfio")]
    pub(crate) mapped: bool,
    /// With --vfio: how long opening it may take, and closing it again, such as 10s or 500ms
    #[arg(long, value_name = "TIME", default_value = "30s", requires = "vfio", value_parser = parse_time)]
    pub(crate) budget: Duration,
}

#[derive(Debug, Args)]
#[cfg_attr(not(feature = "serve"), allow(dead_code, reason = "known, so that it can be said how to get it"))]
pub(crate) struct ServeArguments {
    /// The functions of the machine (`--machine sim:NAME` or a `.toml`); all but bridges if none is given
    pub(crate) addresses: Vec<Address>,
    /// The folder for the sockets; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    pub(crate) socket: PathBuf,
    /// Write every access, reset and connection to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SaveArguments {
    /// The device
    pub(crate) address: Address,
    /// Where to; an existing file is not overwritten
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Save everything below the bridge above as well, and the bridge: what a bus reset hits
    #[arg(long)]
    pub(crate) bus: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArguments {
    /// A file that `save` wrote
    pub(crate) file: PathBuf,
    /// Print what would be written and write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Override a refusal: driver, in-use, virtual-functions, boot-display, other-machine
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    pub(crate) allow: Vec<Override>,
}

#[derive(Debug, Args)]
pub(crate) struct CaptureArguments {
    /// Where to: a folder, or a file that ends in .tar.gz; what exists is not overwritten
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: PathBuf,
}

/// Reads a class code or the beginning of one.
fn parse_class(text: &str) -> Result<String, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    match digits.len() {
        1..=6 if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(digits.to_ascii_lowercase()),
        _ => Err("expected up to six hexadecimal digits, such as 03, 0300 or 010802".to_string()),
    }
}

/// Reads a number, hexadecimal with `0x` before it.
fn parse_number(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| "expected a number, such as 20 or 0x14".to_string())
}

/// Reads `10s`, `500ms`, `1.5s`, `2m`; a bare number is seconds.
fn parse_time(text: &str) -> Result<Duration, String> {
    const UNITS: [(&str, f64); 3] = [("ms", 1e-3), ("s", 1.0), ("m", 60.0)];
    let (number, factor) = UNITS
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)))
        .unwrap_or((text, 1.0));
    let seconds = number.trim().parse::<f64>().ok().map(|number| number * factor);
    match seconds {
        Some(seconds) if seconds > 0.0 && seconds <= 3600.0 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("expected a time up to an hour, such as 10s, 500ms or 2m".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        use clap::CommandFactory;
        Arguments::command().debug_assert();
    }

    #[test]
    fn times_are_read_with_their_unit() {
        assert_eq!(parse_time("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(parse_time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_time("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(parse_time("2m"), Ok(Duration::from_secs(120)));
        for wrong in ["", "s", "-1s", "0s", "2h", "nan", "inf", "1e9s"] {
            assert!(parse_time(wrong).is_err(), "{wrong}");
        }
    }
}
