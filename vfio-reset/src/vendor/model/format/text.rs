//! The text of a model's file: JSON from anywhere, checked.

use super::super::state::Due;
use super::{Action, BarKind, Description, MmWindow, ModelBar, Pair, Space, Trigger};
use crate::error::{Error, Result};
use serde::Deserialize;
use serde::de::{self, Deserializer};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Component, Path};
use std::time::Duration;

const SCHEMA: &str = "vrtrace-model/1";

/// The most registers, triggers, and values or actions of one of them.
const MOST: usize = 1 << 16;
/// An action is due within an hour.
const LATEST: Duration = Duration::from_secs(3600);

/// What is wrong with a model.
pub(super) enum Problem {
    /// A file that it names.
    File(Error),
    /// Something in it.
    Text(String),
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self::Text(message)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileText {
    schema: String,
    name: String,
    #[serde(default)]
    #[allow(dead_code, reason = "for who reads the file")]
    asic: String,
    #[serde(default)]
    description: String,
    pci: PciText,
    #[serde(default)]
    default: BTreeMap<Space, Dword>,
    #[serde(default)]
    windows: Vec<WindowText>,
    mm_window: Option<MmWindowText>,
    #[serde(default)]
    regs: Vec<RegisterText>,
    #[serde(default)]
    triggers: Vec<TriggerText>,
    #[allow(dead_code, reason = "no sequence needs a VBIOS")]
    #[serde(default)]
    rom: Option<FileReference>,
    #[allow(dead_code, reason = "no sequence needs a VBIOS")]
    #[serde(default)]
    platform_rom: Option<FileReference>,
    #[serde(default)]
    vram: VramText,
    #[serde(default)]
    needs_mem_enable: bool,
    #[serde(default)]
    fail_calls: Vec<String>,
    #[serde(default)]
    dead_from_start: bool,
    #[serde(default)]
    #[allow(dead_code, reason = "for who reads the file")]
    regnames: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PciText {
    vendor: Word,
    device: Word,
    driver: Option<String>,
    #[serde(default)]
    audio_fn1: bool,
    #[serde(default)]
    bars: BTreeMap<String, BarText>,
    #[serde(default)]
    config: BTreeMap<String, Dword>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BarText {
    r#type: BarKind,
    size: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WindowText {
    #[serde(default)]
    #[allow(dead_code, reason = "for who reads the file")]
    name: String,
    index: Number,
    data: Number,
    space: Space,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MmWindowText {
    index: Number,
    index_hi: Number,
    data: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegisterText {
    space: Space,
    off: Number,
    #[serde(default)]
    #[allow(dead_code, reason = "for who reads the file")]
    name: String,
    init: Dword,
    #[serde(default)]
    seq: Vec<Dword>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TriggerText {
    space: Space,
    off: Number,
    mask: Dword,
    r#match: Dword,
    #[serde(default)]
    old_mask: Dword,
    #[serde(default)]
    old_match: Dword,
    r#do: Vec<ActionText>,
    #[serde(default)]
    #[allow(dead_code, reason = "for who reads the file")]
    note: String,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
enum ActionText {
    AndOr {
        space: Space,
        off: Number,
        and: Dword,
        or: Dword,
        #[serde(default)]
        after_us: Number,
    },
    Dead {
        for_us: Number,
        #[serde(default)]
        after_us: Number,
    },
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct VramText {
    #[serde(default)]
    blobs: Vec<BlobText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlobText {
    pos: Number,
    file: String,
    size: Option<Number>,
    #[allow(dead_code, reason = "for who checks the files")]
    sha256: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileReference {
    #[allow(dead_code, reason = "no sequence needs a VBIOS")]
    file: String,
    #[allow(dead_code, reason = "no sequence needs a VBIOS")]
    size: Option<Number>,
    #[allow(dead_code, reason = "no sequence needs a VBIOS")]
    sha256: Option<String>,
}

impl FileText {
    pub(super) fn check(
        self,
        blob: &dyn Fn(&str) -> Result<Vec<u8>>,
    ) -> std::result::Result<Description, Problem> {
        if self.schema != SCHEMA {
            return Err(format!("schema {:?}: this version reads {SCHEMA:?}", self.schema).into());
        }
        for (what, count) in [("registers", self.regs.len()), ("triggers", self.triggers.len())] {
            if count > MOST {
                return Err(format!("{count} {what}: more than {MOST} is no device").into());
            }
        }
        let (mut initial, mut scripted) = (HashMap::new(), HashMap::new());
        for register in self.regs {
            let place = (register.space, register.off.0);
            if register.space == Space::Cfg {
                return Err("a register in space \"cfg\": configuration space is pci.config"
                    .to_string()
                    .into());
            }
            initial.insert(place, register.init.0);
            if !register.seq.is_empty() {
                scripted.insert(place, register.seq.into_iter().map(|value| value.0).collect());
            }
        }
        let mut triggers: HashMap<_, Vec<Trigger>> = HashMap::new();
        for trigger in self.triggers {
            let place = (trigger.space, trigger.off.0);
            triggers.entry(place).or_default().push(trigger.check()?);
        }
        let mut blobs = Vec::with_capacity(self.vram.blobs.len().min(MOST));
        for text in self.vram.blobs {
            let bytes = blob(relative(&text.file)?).map_err(Problem::File)?;
            if text.size.is_some_and(|size| size.0 != bytes.len() as u64) {
                return Err(format!("{} has {} bytes, not what is said of it", text.file, bytes.len()).into());
            }
            blobs.push((text.pos.0, bytes));
        }
        let bars = self.pci.bars()?;
        let config = self.pci.config()?;
        Ok(Description {
            name: self.name,
            text: self.description,
            ids: (self.pci.vendor.0, self.pci.device.0),
            driver: self.pci.driver,
            bars,
            config,
            has_audio: self.pci.audio_fn1,
            defaults: self.default.into_iter().map(|(space, value)| (space, value.0)).collect(),
            windows: self
                .windows
                .into_iter()
                .map(|window| Pair { index: window.index.0, data: window.data.0, space: window.space })
                .collect(),
            mm_window: self.mm_window.map(|window| MmWindow {
                index: window.index.0,
                index_hi: window.index_hi.0,
                data: window.data.0,
            }),
            initial,
            scripted,
            triggers,
            blobs,
            needs_mem_enable: self.needs_mem_enable,
            dead_from_start: self.dead_from_start,
            fail_calls: self.fail_calls,
        })
    }
}

impl PciText {
    fn bars(&self) -> std::result::Result<Vec<ModelBar>, String> {
        let bar = |(name, bar): (&String, &BarText)| match name.parse() {
            Ok(index @ 0..=5u8) if (1..=1 << 40).contains(&bar.size.0) => {
                Ok(ModelBar { index, kind: bar.r#type, size: bar.size.0 })
            }
            _ => Err(format!("BAR {name:?} with {} bytes: expected 0 to 5, and up to 1 TiB", bar.size.0)),
        };
        self.bars.iter().map(bar).collect()
    }

    fn config(&self) -> std::result::Result<Vec<u8>, String> {
        let mut bytes = vec![0; 256];
        for (name, value) in &self.config {
            let offset = number(name).filter(|offset| offset.is_multiple_of(4) && *offset < 4096);
            let offset = offset.and_then(|offset| usize::try_from(offset).ok());
            let offset = offset.ok_or_else(|| {
                format!("pci.config {name:?}: expected the offset of a dword below 0x1000, such as \"0x10\"")
            })?;
            if offset >= bytes.len() {
                bytes.resize(4096, 0);
            }
            bytes[offset..offset + 4].copy_from_slice(&value.0.to_le_bytes());
        }
        Ok(bytes)
    }
}

impl TriggerText {
    fn check(self) -> std::result::Result<Trigger, String> {
        if self.r#do.len() > MOST {
            return Err(format!("a trigger with {} actions", self.r#do.len()));
        }
        if self.space == Space::Cfg && (!self.off.0.is_multiple_of(4) || self.off.0 >= 4096) {
            return Err(format!("a trigger at cfg {:#x}: expected a dword below 0x1000", self.off.0));
        }
        let action = |text: ActionText| -> std::result::Result<Action, String> {
            let time = |time: Number| {
                let time = Duration::from_micros(time.0);
                if time > LATEST { Err(format!("{} s is too late", time.as_secs())) } else { Ok(time) }
            };
            match text {
                ActionText::AndOr { space, off, and, or, after_us } => {
                    if space == Space::Cfg && (!off.0.is_multiple_of(4) || off.0 >= 4096) {
                        return Err(format!("an action at cfg {:#x}: expected a dword below 0x1000", off.0));
                    }
                    let what = Due::Change { space, offset: off.0, and: and.0, or: or.0 };
                    Ok(Action { what, after: time(after_us)? })
                }
                ActionText::Dead { for_us, after_us } => {
                    Ok(Action { what: Due::Dead { time: time(for_us)? }, after: time(after_us)? })
                }
            }
        };
        Ok(Trigger {
            mask: self.mask.0,
            wanted: self.r#match.0,
            old_mask: self.old_mask.0,
            old_wanted: self.old_match.0,
            actions: self.r#do.into_iter().map(action).collect::<std::result::Result<_, _>>()?,
        })
    }
}

/// A file's name, if it leads nowhere but down.
fn relative(name: &str) -> std::result::Result<&str, String> {
    let is_down = |component| matches!(component, Component::Normal(_));
    match !name.is_empty() && Path::new(name).components().all(is_down) {
        true => Ok(name),
        false => {
            Err(format!("the file {name:?}: expected a path that leads down, such as \"blobs/vram.bin\""))
        }
    }
}

/// A number of 64 bits, or its digits in a text: `16`, `"0x10"`, `"16"`.
#[derive(Clone, Copy, Debug, Default)]
struct Number(u64);

/// A number of 32 bits.
#[derive(Clone, Copy, Debug, Default)]
struct Dword(u32);

/// A number of 16 bits.
#[derive(Clone, Copy, Debug, Default)]
struct Word(u16);

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        // from_str_radix takes a sign.
        Some(digits) if digits.starts_with(['+', '-']) => None,
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None if text.starts_with(['+', '-']) => None,
        None => text.parse().ok(),
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or its digits in a text such as \"0x58a68\"")
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> std::result::Result<Number, E> {
                Ok(Number(value))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<Number, E> {
                number(text).map(Number).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl<'de> Deserialize<'de> for Dword {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let Number(value) = Number::deserialize(deserializer)?;
        let wide = || de::Error::custom(format!("{value:#x} has more than 32 bits"));
        u32::try_from(value).map(Self).map_err(|_| wide())
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let Number(value) = Number::deserialize(deserializer)?;
        let wide = || de::Error::custom(format!("{value:#x} has more than 16 bits"));
        u16::try_from(value).map(Self).map_err(|_| wide())
    }
}
