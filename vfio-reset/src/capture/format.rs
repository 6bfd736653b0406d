//! The files of a capture, schema 1.

use crate::error::{Error, Result};
use crate::machine::{DeviceUser, FunctionFacts, HostFacts, Machine, MachineKind};
use pcicfg::Address;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

/// The schema that is written, and the only one that is read.
pub(crate) const SCHEMA: u32 = 1;

pub(crate) const MANIFEST: &str = "manifest.json";
pub(crate) const DUMP: &str = "lspci-xxxx.txt";
pub(crate) const FUNCTIONS: &str = "functions.json";
pub(crate) const LOG: &str = "kernel.log";

/// `manifest.json`: what was recorded, when and with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The schema of all files, 1.
    pub schema: u32,
    /// The tool and its version.
    pub tool: String,
    /// The machine, as the user named it.
    pub machine: String,
    /// The machine's kind.
    pub kind: MachineKind,
    /// When, in seconds since 1970 (UTC).
    pub time: u64,
    /// What is true of the host as a whole.
    #[serde(default)]
    pub host: HostFacts,
    /// What could not be read, and why.
    #[serde(default)]
    pub unreadable: Vec<String>,
}

impl Manifest {
    pub(crate) fn new(machine: &dyn Machine, host: HostFacts, unreadable: Vec<String>) -> Self {
        Self {
            schema: SCHEMA,
            tool: concat!("vfio-reset ", env!("CARGO_PKG_VERSION")).into(),
            machine: machine.name(),
            kind: machine.kind(),
            time: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()),
            host,
            unreadable,
        }
    }
}

/// `functions.json`: what the operating system knows of each function.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Functions {
    pub(crate) schema: u32,
    pub(crate) functions: BTreeMap<Address, Recorded>,
}

impl Default for Functions {
    fn default() -> Self {
        Self { schema: SCHEMA, functions: BTreeMap::new() }
    }
}

/// One function of `functions.json`.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Recorded {
    pub(crate) facts: FunctionFacts,
    pub(crate) users: Vec<DeviceUser>,
}

/// The value as JSON with line breaks, for people to read and compare.
pub(crate) fn to_json(value: &impl Serialize) -> Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(value)
        .map_err(|e| Error::write("the capture", io::Error::new(io::ErrorKind::InvalidData, e)))?;
    bytes.push(b'\n');
    Ok(bytes)
}
