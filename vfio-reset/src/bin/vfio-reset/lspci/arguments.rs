//! lspci's options.

use super::functions::Keep;
use clap::{ArgAction, Args};
use pcicfg::lspci::{Filter, Identifiers, Options};
use std::path::PathBuf;

/// What `vfio-reset lspci` takes; `-v`, `-vv` and `-vvv` are global.
#[derive(Debug, Args)]
pub(crate) struct LspciArguments {
    /// Read the functions from this file, made by lspci -x or -xxxx, instead of the machine
    #[arg(short = 'F', value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
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
    #[arg(short = 't', conflicts_with = "json")]
    pub(crate) tree: bool,
    /// The kernel's driver of each function
    #[arg(short = 'k')]
    kernel: bool,
    /// Addresses always with their domain
    #[arg(short = 'D')]
    domain: bool,
    /// Before each address the bridges above it; twice: with their bus numbers
    #[arg(short = 'P', action = ArgAction::Count)]
    pub(crate) path: u8,
    /// Text for programs; twice for the newer form
    #[arg(short = 'm', action = ArgAction::Count, conflicts_with = "json")]
    readable: u8,
    /// Below what lspci prints of a capability, all that it leaves out, in lines that begin with +
    #[arg(long, conflicts_with_all = ["json", "tree", "readable"])]
    more: bool,
}

impl LspciArguments {
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
            _ if self.kernel || self.readable > 0 || self.hex > 0 => Keep::Conventional,
            _ => Keep::Header,
        }
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
        options.domain = self.domain || domains && self.readable == 0;
        options.path = self.path;
        options.machine = self.readable;
        options.kernel = self.kernel;
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
