//! A host that somebody recorded: an `lspci -xxxx` dump, or what [`capture`](crate::capture) writes.
//!
//! Recordings come from strangers: sizes are bounded, nothing is unpacked to disk, and what is wrong is
//! said with its place.

mod archive;
mod clock;
mod text;

use super::vfio::{self, VfioRequest};
use super::{
    Attribute, Clock, Detail, DeviceUser, FunctionFacts, FunctionRead, HostFacts, KernelReset, LogLine,
    LogMark, Machine, MachineKind, Reading, ResetMethods,
};
use crate::capture::format::{self, Functions, Manifest, Recorded};
use crate::capture::log;
use crate::error::{Error, Result};
use archive::Opened;
use clock::Frozen;
use pcicfg::Address;
use pcicfg::dump::Dump;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The longest file of a recording that is read: twice the text of 4,096 functions.
const MAX_FILE: u64 = 128 << 20;

/// A recording of a host. It can be read, and not changed.
///
/// ```no_run
/// use vfio_reset::Machine;
/// use vfio_reset::machine::captured::Captured;
///
/// let host = Captured::open("lspci-xxxx.txt".as_ref())?;
/// println!("{} functions", host.functions()?.len());
/// # Ok::<(), vfio_reset::Error>(())
/// ```
#[derive(Debug)]
pub struct Captured {
    name: String,
    manifest: Option<Manifest>,
    functions: BTreeMap<Address, Function>,
    /// Where the configuration spaces are.
    dump: Dump,
    log: Vec<LogLine>,
    warnings: Vec<String>,
    clock: Frozen,
}

#[derive(Debug, Default)]
struct Function {
    recorded: Recorded,
    /// Which function of the dump has its configuration space.
    config: Option<usize>,
}

/// The files of a recording, as bytes. Only a capture has a manifest.
#[derive(Debug, Default)]
struct Parts {
    manifest: Option<Vec<u8>>,
    dump: Option<Vec<u8>>,
    functions: Option<Vec<u8>>,
    log: Option<Vec<u8>>,
}

impl Parts {
    /// The place for the file `name`, if a capture has such a one.
    fn slot(&mut self, name: &[u8]) -> Option<&mut Option<Vec<u8>>> {
        [
            (format::MANIFEST, &mut self.manifest),
            (format::DUMP, &mut self.dump),
            (format::FUNCTIONS, &mut self.functions),
            (format::LOG, &mut self.log),
        ]
        .into_iter()
        .find_map(|(own, slot)| (own.as_bytes() == name).then_some(slot))
    }
}

impl Captured {
    /// Opens a recording: the folder or archive that `vfio-reset capture` wrote, or the text of
    /// `lspci -xxxx` alone, plain or in gzip.
    ///
    /// # Errors
    /// When it cannot be read, or is none of these; with the file, line and column of what is wrong.
    pub fn open(path: &Path) -> Result<Self> {
        let error = |e| Error::named(path, e);
        if path.metadata().map_err(error)?.is_dir() {
            return Self::from_parts(path, &read_folder(path)?);
        }
        match archive::open(path, File::open(path).map_err(error)?)? {
            Opened::Capture(parts) => Self::from_parts(path, &parts),
            Opened::Text(text) => {
                let mut machine = Self::empty(path);
                machine.add_dump(path, &text, true)?;
                Ok(machine)
            }
        }
    }

    /// What was recorded, when and with what; `None` of a dump alone.
    #[must_use]
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// What could not be used and was left out, with its place.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    fn empty(path: &Path) -> Self {
        Self {
            name: path.display().to_string(),
            manifest: None,
            functions: BTreeMap::new(),
            dump: Dump::default(),
            log: Vec::new(),
            warnings: Vec::new(),
            clock: Frozen::default(),
        }
    }

    fn from_parts(path: &Path, parts: &Parts) -> Result<Self> {
        let missing = |name: &str| {
            let message = format!("no {name} in it: this is not what `vfio-reset capture` writes");
            Error::Malformed { file: path.to_path_buf(), line: 0, column: 0, message }
        };
        let mut machine = Self::empty(path);
        let bytes = parts.manifest.as_ref().ok_or_else(|| missing(format::MANIFEST))?;
        let manifest: Manifest = from_json(&path.join(format::MANIFEST), bytes)?;
        must_be_known(&path.join(format::MANIFEST), manifest.schema)?;
        machine.manifest = Some(manifest);

        let bytes = parts.functions.as_ref().ok_or_else(|| missing(format::FUNCTIONS))?;
        let functions: Functions = from_json(&path.join(format::FUNCTIONS), bytes)?;
        must_be_known(&path.join(format::FUNCTIONS), functions.schema)?;
        let with_facts = |(address, recorded)| (address, Function { recorded, config: None });
        machine.functions = functions.functions.into_iter().map(with_facts).collect();

        // A machine without functions has an empty dump, and that is no error here.
        let dump = parts.dump.as_ref().ok_or_else(|| missing(format::DUMP))?;
        if !dump.trim_ascii().is_empty() {
            machine.add_dump(&path.join(format::DUMP), dump, false)?;
        }
        for (address, _) in machine.functions.iter().filter(|(_, function)| function.config.is_none()) {
            machine.warnings.push(format!("{}: {}; it is left out", path.display(), unreadable(*address)));
        }
        if let Some(bytes) = &parts.log {
            machine.log = log::parse(&String::from_utf8_lossy(bytes));
        }
        Ok(machine)
    }

    /// Adds what the text of lspci has: configuration spaces and, where nobody else told the facts, those
    /// that `lspci -v` prints.
    fn add_dump(&mut self, file: &Path, bytes: &[u8], with_facts: bool) -> Result<()> {
        let dump = Dump::parse(bytes).map_err(|e| Error::Malformed {
            file: file.to_path_buf(),
            line: e.line as usize,
            column: e.column as usize,
            message: e.kind.to_string(),
        })?;
        for warning in dump.warnings() {
            self.warnings.push(format!(
                "{}:{}:{}: {}",
                file.display(),
                warning.line,
                warning.column,
                warning.kind
            ));
        }
        for (index, found) in dump.functions().enumerate() {
            let function = self.functions.entry(found.address()).or_default();
            // Bug reports have some functions twice: the longer one says more.
            let known = function.config.and_then(|index| dump.get(index));
            if known.is_none_or(|known| known.bytes().len() < found.bytes().len()) {
                function.config = Some(index);
            }
        }
        if with_facts {
            for (address, facts) in text::facts(bytes, &dump) {
                let function = self.functions.entry(address).or_default();
                text::merge(&mut function.recorded.facts, facts);
            }
        }
        self.dump = dump;
        Ok(())
    }

    fn function(&self, address: Address) -> Result<&Function> {
        let machine = || Error::NoSuchFunction { address, machine: self.name() };
        self.functions.get(&address).ok_or_else(machine)
    }

    fn recorded_config(&self, address: Address) -> Result<&[u8]> {
        let found = self.function(address)?.config.and_then(|index| self.dump.get(index));
        found.map(|found| found.bytes()).ok_or_else(|| Error::Malformed {
            file: PathBuf::from(&self.name),
            line: 0,
            column: 0,
            message: unreadable(address),
        })
    }

    fn read_only<T>(&self, address: Address, action: &'static str) -> Result<T> {
        self.function(address)?;
        Err(Error::ReadOnly { machine: self.name(), action })
    }
}

fn read_folder(path: &Path) -> Result<Parts> {
    let mut parts = Parts::default();
    for name in [format::MANIFEST, format::DUMP, format::FUNCTIONS, format::LOG] {
        let file = path.join(name);
        // A stranger's folder may hold a pipe or a device by that name, and opening it would wait.
        if file.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) {
            let message = "is not a plain file".into();
            return Err(Error::Malformed { file, line: 0, column: 0, message });
        }
        let mut bytes = Vec::new();
        let read = File::open(&file).and_then(|open| open.take(MAX_FILE + 1).read_to_end(&mut bytes));
        match read {
            Ok(_) if bytes.len() as u64 > MAX_FILE => return Err(too_long(file)),
            Ok(_) => {
                if let Some(slot) = parts.slot(name.as_bytes()) {
                    *slot = Some(bytes);
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(Error::read(file, e)),
        }
    }
    Ok(parts)
}

fn too_long(file: PathBuf) -> Error {
    let message = format!("longer than {} MiB: no recording is", MAX_FILE >> 20);
    Error::Malformed { file, line: 0, column: 0, message }
}

fn from_json<T: DeserializeOwned>(file: &Path, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|e| {
        let (line, column) = (e.line(), e.column());
        let message = e.to_string();
        // The position is ours to print.
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(text, _)| text).to_owned();
        Error::Malformed { file: file.to_path_buf(), line, column, message }
    })
}

fn must_be_known(file: &Path, schema: u32) -> Result<()> {
    if schema == format::SCHEMA {
        return Ok(());
    }
    let message = format!(
        "schema {schema} is not known, only {}: it was written by another version of vfio-reset",
        format::SCHEMA
    );
    Err(Error::Malformed { file: file.to_path_buf(), line: 0, column: 0, message })
}

fn unreadable(address: Address) -> String {
    format!("the configuration space of {address} could not be read when this was recorded")
}

impl Machine for Captured {
    fn kind(&self) -> MachineKind {
        MachineKind::Captured
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn host(&self) -> Result<HostFacts> {
        Ok(self.manifest.as_ref().map(|manifest| manifest.host.clone()).unwrap_or_default())
    }

    fn functions(&self) -> Result<Vec<Address>> {
        Ok(self.functions.keys().copied().collect())
    }

    /// Without those whose configuration space could not be read when this was recorded: there is a warning for each.
    fn read_functions(&self, addresses: &[Address], _: Detail, _: Duration) -> Result<Vec<FunctionRead>> {
        let recorded = addresses.iter().filter_map(|&address| {
            let facts = self.function(address).ok()?.recorded.facts.clone();
            let config = Reading::Bytes(self.recorded_config(address).ok()?.to_vec());
            Some(FunctionRead { address, config, facts })
        });
        Ok(recorded.collect())
    }

    fn facts(&self, address: Address) -> Result<FunctionFacts> {
        Ok(self.function(address)?.recorded.facts.clone())
    }

    fn users(&self, address: Address) -> Result<Vec<DeviceUser>> {
        Ok(self.function(address)?.recorded.users.clone())
    }

    fn config(&self, address: Address) -> Result<Vec<u8>> {
        Ok(self.recorded_config(address)?.to_vec())
    }

    fn read_config(&self, address: Address, offset: u16, bytes: &mut [u8]) -> Result<()> {
        let config = self.recorded_config(address)?;
        let start = usize::from(offset);
        match config.get(start..start + bytes.len()) {
            Some(recorded) => {
                bytes.copy_from_slice(recorded);
                Ok(())
            }
            None => Err(Error::ConfigOutOfReach { address, offset, length: bytes.len(), size: config.len() }),
        }
    }

    fn write_config(&self, address: Address, _offset: u16, _bytes: &[u8]) -> Result<()> {
        self.read_only(address, "written")
    }

    fn read_bar(&self, address: Address, bar: u8, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.function(address)?;
        let reason = "a recording has configuration space, not what is behind the BARs".to_owned();
        Err(Error::BarOutOfReach { address, bar, offset, length: bytes.len(), reason })
    }

    fn write_bar(&self, address: Address, _bar: u8, _offset: u64, _bytes: &[u8]) -> Result<()> {
        self.read_only(address, "written")
    }

    fn attribute(&self, address: Address, attribute: Attribute) -> Result<Option<String>> {
        let facts = &self.function(address)?.recorded.facts;
        Ok(match (attribute, &facts.reset_methods) {
            (Attribute::ResetMethod, ResetMethods::Listed(methods)) => Some(methods.join(" ")),
            (Attribute::PowerState, _) => facts.power_state.clone(),
            // The others were not recorded: they are wishes of a user, no facts of the function.
            _ => None,
        })
    }

    fn set_attribute(&self, address: Address, _attribute: Attribute, _value: &str) -> Result<()> {
        self.read_only(address, "changed")
    }

    fn kernel_reset(&self, address: Address, _budget: Duration) -> Result<KernelReset> {
        self.read_only(address, "reset")
    }

    fn open_vfio<'m>(&'m self, request: &VfioRequest<'_>) -> Result<vfio::Opened<'m>> {
        self.read_only(request.address, "opened")
    }

    fn kernel_log_mark(&self) -> LogMark {
        LogMark(self.log.len() as u64)
    }

    fn kernel_log(&self, mark: LogMark) -> Result<Vec<LogLine>> {
        let skip = usize::try_from(mark.0).unwrap_or(usize::MAX);
        Ok(self.log.iter().skip(skip).cloned().collect())
    }

    fn clock(&self) -> &dyn Clock {
        &self.clock
    }
}
