//! Reading a model's file: what it describes.

mod text;

use super::Model;
use super::state::Due;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::Path;
use std::time::Duration;
use text::{FileText, Problem};

/// The largest file, of JSON or of bytes, that is read.
const LARGEST_FILE: u64 = 16 << 20;

/// An address space of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Space {
    /// The register aperture, BAR 5.
    Mmio,
    /// What is behind any other Base Address Register.
    Io,
    /// The system management network, behind a window.
    Smn,
    /// The system management controller, behind a window.
    Smc,
    /// Video memory, behind the aperture's own window.
    Vram,
    /// Configuration space.
    Cfg,
}

/// A Base Address Register of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModelBar {
    /// Its number.
    pub index: u8,
    /// What is behind it.
    pub kind: BarKind,
    /// How many bytes.
    pub size: u64,
}

/// What is behind a Base Address Register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BarKind {
    /// Memory.
    Mem,
    /// Ports.
    Io,
}

/// What a file describes.
#[derive(Clone, Debug)]
pub(super) struct Description {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) ids: (u16, u16),
    pub(super) driver: Option<String>,
    pub(super) bars: Vec<ModelBar>,
    /// Configuration space, 256 or 4096 bytes.
    pub(super) config: Vec<u8>,
    pub(super) has_audio: bool,
    defaults: BTreeMap<Space, u32>,
    pub(super) windows: Vec<Pair>,
    pub(super) mm_window: Option<MmWindow>,
    initial: HashMap<(Space, u64), u32>,
    pub(super) scripted: HashMap<(Space, u64), Vec<u32>>,
    pub(super) triggers: HashMap<(Space, u64), Vec<Trigger>>,
    /// Bytes of video memory, by position.
    blobs: Vec<(u64, Vec<u8>)>,
    pub(super) needs_mem_enable: bool,
    pub(super) dead_from_start: bool,
    pub(super) fail_calls: Vec<String>,
}

/// An index and a data register.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) index: u64,
    pub(super) data: u64,
    pub(super) space: Space,
}

/// The aperture's own window.
#[derive(Clone, Copy, Debug)]
pub(super) struct MmWindow {
    pub(super) index: u64,
    pub(super) index_hi: u64,
    pub(super) data: u64,
}

/// What happens when a register is written.
#[derive(Clone, Debug)]
pub(super) struct Trigger {
    pub(super) mask: u32,
    pub(super) wanted: u32,
    pub(super) old_mask: u32,
    pub(super) old_wanted: u32,
    pub(super) actions: Vec<Action>,
}

/// Something that happens, at once or later.
#[derive(Clone, Copy, Debug)]
pub(super) struct Action {
    pub(super) what: Due,
    pub(super) after: Duration,
}

impl Description {
    /// What a cell holds that nobody has changed.
    pub(super) fn initial(&self, space: Space, offset: u64) -> u32 {
        if let Some(&value) = self.initial.get(&(space, offset)) {
            return value;
        }
        if space == Space::Vram {
            for (position, bytes) in &self.blobs {
                let dword = offset.checked_sub(*position).and_then(|at| usize::try_from(at).ok());
                let dword = dword.and_then(|at| bytes.get(at..at.checked_add(4)?));
                if let Some(&[a, b, c, d]) = dword {
                    return u32::from_le_bytes([a, b, c, d]);
                }
            }
        }
        self.defaults.get(&space).copied().unwrap_or(0)
    }
}

impl Model {
    /// Reads a model's file; the files that it names lie beside it or one folder above.
    ///
    /// # Errors
    /// When a file cannot be read, or is no model: where, and why.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = read_limited(path)?;
        let text = String::from_utf8(bytes).map_err(|_| malformed(path, 0, 0, "this is no text".into()))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, path, &|name| {
            let beside = folder.join(name);
            let above = folder.join("..").join(name);
            read_limited(if beside.exists() { &beside } else { &above })
        })
    }

    /// Reads a model's text. `file` is for messages; `blob` gives the bytes of a file that the model
    /// names, which is always a path below some folder.
    ///
    /// # Errors
    /// When it is no model: where, and why.
    pub fn parse(text: &str, file: &Path, blob: &dyn Fn(&str) -> Result<Vec<u8>>) -> Result<Self> {
        let parsed: FileText = serde_json::from_str(text)
            .map_err(|error| malformed(file, error.line(), error.column(), plain(&error)))?;
        let description = parsed.check(blob).map_err(|problem| match problem {
            Problem::File(error) => error,
            Problem::Text(message) => malformed(file, 0, 0, message),
        })?;
        Ok(Self::new(description))
    }

    /// The driver that is bound to the device.
    #[must_use]
    pub fn driver(&self) -> Option<&str> {
        self.description.driver.as_deref()
    }
}

fn malformed(file: &Path, line: usize, column: usize, message: String) -> Error {
    Error::Malformed { file: file.to_path_buf(), line, column, message }
}

/// The error without its place, which is said in front.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_string(),
        None => text,
    }
}

fn read_limited(path: &Path) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path).map_err(|error| Error::named(path, error))?;
    let mut bytes = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(|error| Error::named(path, error))?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(malformed(path, 0, 0, format!("it has more than {} MiB", LARGEST_FILE >> 20)));
    }
    Ok(bytes)
}
