//! What is saved before a reset, and in which order it goes back.
//!
//! Saved is the whole configuration space of every function that a reset hits. What goes back, and
//! in which order, is a list of [`RegisterWrite`]s made from that image: the header's part is
//! decided in [`header`], the capabilities' part in [`registers`]. The list is a value: it is
//! printed by `restore --dry-run`, written by the engine, and read again by verification.
//!
//! The order is the kernel's (`pci_restore_state`), except where ours is better on purpose:
//!
//! | what | kernel | here | why |
//! |---|---|---|---|
//! | a bridge's header | only dwords 9 to 11 are forced | all sixteen, unconditionally | bridges that read back right and forward wrong (`elysium`) |
//! | Command | with its neighbours | last of all | nothing decodes before everything is in place |
//! | MSI, Slot Control, SR-IOV, ACS | rebuilt from kernel structures | from the image | there is no kernel structure to rebuild from after a raw reset |
//! | hot-plug notification | with Slot Control | last, after the events are cleared | the reset itself raised events that must not be acted upon |

pub mod header;
pub mod registers;
mod virtual_channel;

use crate::error::{Error, Result};
use crate::machine::Machine;
use pcicfg::{Address, ConfigSpace};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;
use std::time::Duration;

pub use registers::restore_sequence;

/// One register that is written back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegisterWrite {
    /// The specification's name.
    pub register: &'static str,
    /// Offset in configuration space.
    pub offset: u16,
    /// How many bytes: 1, 2 or 4.
    pub width: u8,
    /// The value to write.
    pub value: u32,
    /// The bits that must read back as written.
    pub compare: u32,
    /// When it is written.
    pub rule: WriteRule,
    /// How long to wait after it was written.
    pub settle: Duration,
}

/// When a register is written back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WriteRule {
    /// If it reads differently.
    IfDifferent,
    /// In any case.
    Always,
    /// Whatever it reads is written, which clears bits that are cleared by writing 1.
    ClearRaised,
}

impl fmt::Display for WriteRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::IfDifferent => "if different",
            Self::Always => "always",
            Self::ClearRaised => "clear raised",
        })
    }
}

/// A function's state before a reset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedFunction {
    /// Where it is.
    pub address: Address,
    /// Whether it is a virtual function, whose ids read all-ones.
    #[serde(default)]
    pub is_virtual: bool,
    /// Its configuration space.
    #[serde(with = "rows")]
    pub config: Vec<u8>,
}

impl SavedFunction {
    /// The saved configuration space.
    #[must_use]
    pub fn space(&self) -> Option<ConfigSpace<'_>> {
        ConfigSpace::new(&self.config).ok()
    }
}

/// The state of everything that a reset hits, each bridge before what is below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedState {
    /// The version of this form: 1.
    pub schema: u32,
    /// The machine it was saved from, as the user named it.
    pub machine: String,
    /// The function that was to be reset.
    pub address: Address,
    /// The functions.
    pub functions: Vec<SavedFunction>,
}

impl SavedState {
    /// Reads the configuration space of `functions` (each with whether it is virtual), in that order.
    ///
    /// # Errors
    /// When one cannot be read, or reads all-ones: what is gone cannot be saved, and older state
    /// must not take its place.
    pub fn save(
        machine: &dyn Machine,
        address: Address,
        functions: impl IntoIterator<Item = (Address, bool)>,
    ) -> Result<Self> {
        let mut saved = Vec::new();
        for (address, is_virtual) in functions {
            let config = machine.config(address)?;
            if config.get(4..8).is_none_or(|dword| dword == [0xff; 4]) {
                return Err(Error::NothingToSave { address });
            }
            saved.push(SavedFunction { address, is_virtual, config });
        }
        Ok(Self { schema: 1, machine: machine.name(), address, functions: saved })
    }

    /// The saved function at `address`.
    #[must_use]
    pub fn function(&self, address: Address) -> Option<&SavedFunction> {
        self.functions.iter().find(|function| function.address == address)
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    /// [`Error::Malformed`] with the place if it is something else.
    pub fn from_json(text: &str, file: &Path) -> Result<Self> {
        let malformed =
            |line, column, message| Error::Malformed { file: file.to_path_buf(), line, column, message };
        let state: Self = serde_json::from_str(text).map_err(|error| {
            malformed(error.line(), error.column(), format!("not a saved state: {error}"))
        })?;
        if state.schema != 1 {
            let message = format!("saved with schema {}, and this version reads schema 1 only", state.schema);
            return Err(malformed(0, 0, message));
        }
        for function in &state.functions {
            // One byte less, and every register behind it would be another one.
            if !matches!(function.config.len(), 64 | 128 | 256 | 4096) {
                let message = format!(
                    "{} has {} bytes, not 64, 128, 256 or 4096",
                    function.address,
                    function.config.len()
                );
                return Err(malformed(0, 0, message));
            }
        }
        Ok(state)
    }

    /// The state as JSON, with one line for 16 bytes of configuration space.
    ///
    /// # Panics
    /// Never: every value here has a form in JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a saved state has a form in JSON");
        text.push('\n');
        text
    }
}

/// Configuration space as rows of 16 bytes in hexadecimal, as `lspci -x` shows it.
mod rows {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(
            bytes
                .chunks(16)
                .map(|row| row.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")),
        )
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let mut bytes = Vec::new();
        for row in Vec::<String>::deserialize(deserializer)? {
            for byte in row.split_ascii_whitespace() {
                let two_digits = byte.len() == 2 && byte.bytes().all(|digit| digit.is_ascii_hexdigit());
                let value = u8::from_str_radix(byte, 16).ok().filter(|_| two_digits);
                bytes.push(
                    value
                        .ok_or_else(|| D::Error::custom(format!("{byte:?} is not a byte in hexadecimal")))?,
                );
            }
        }
        Ok(bytes)
    }
}
