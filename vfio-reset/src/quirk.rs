//! What is odd about certain functions when they are reset: tables of data with their sources.
//!
//! The built-in table is `quirks.toml` beside this file; to teach the program a new id, add an entry
//! there, or without a rebuild in `/etc/vfio-reset/quirks.d/*.toml`.

use crate::error::Result;
use crate::inventory::InventoryFunction;
use crate::method::MethodName;
use crate::toml_file;
use crate::vendor::Devices;
use pcicfg::ConfigSpace;
use pcicfg::header::Layout;
use serde::Deserialize;
use std::path::Path;
use std::time::Duration;

/// Where users put their own entries.
pub const USER_DIRECTORY: &str = "/etc/vfio-reset/quirks.d";

/// All quirks that are known.
#[derive(Clone, Debug, Default)]
pub struct Quirks {
    entries: Vec<Quirk>,
    sequences: Devices,
}

/// One rule: which functions, what is odd, why, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quirk {
    matches: Match,
    /// What is odd.
    pub effect: Effect,
    /// Why, in a sentence.
    pub why: String,
    /// Where that is known from.
    pub source: String,
}

/// What is odd about a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A secondary bus reset must not reach it.
    NoBusReset,
    /// It claims a function level reset that does not work; covers FLR and AF.
    NoFlr,
    /// D3hot and back resets nothing.
    NoPmReset,
    /// The kernel has a sequence of its own for it.
    DeviceSpecific {
        /// The sequence in words.
        sequence: String,
        /// The sequence is a function level reset with something around it.
        needs_flr: bool,
    },
    /// The time it needs between D3hot and D0, instead of 10 ms.
    D3hotDelay(Duration),
    /// The time it needs after a conventional reset, instead of 100 ms.
    D3coldDelay(Duration),
    /// Field reports: these methods leave it dead.
    DoesNotReturn {
        /// The methods.
        methods: Vec<MethodName>,
        /// What is known to help afterwards.
        next: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Match {
    vendor: u16,
    /// Inclusive ranges; none stands for every device.
    devices: Vec<(u16, u16)>,
    revision: Option<u8>,
    /// A prefix of the class code: how many of the 24 bits count, and their value.
    class: Option<(u32, u32)>,
    subsystem_vendor: Option<u16>,
    off_root_bus: bool,
}

impl Quirks {
    /// The table that is compiled in.
    ///
    /// # Panics
    /// Never: a test reads the table.
    #[must_use]
    pub fn built_in() -> Self {
        let quirks = Self::parse(include_str!("quirks.toml"), Path::new("quirks.toml"))
            .expect("the built-in quirk table is read by a test");
        quirks.with_sequences(Devices::built_in())
    }

    /// The same, with another table of the devices that there are vendor sequences for.
    #[must_use]
    pub fn with_sequences(mut self, sequences: Devices) -> Self {
        self.sequences = sequences;
        self
    }

    /// The devices that there are vendor sequences for.
    #[must_use]
    pub fn sequences(&self) -> &Devices {
        &self.sequences
    }

    /// The built-in table and whatever the user added below `directory`.
    ///
    /// # Errors
    /// When a file there cannot be read or is not a quirk table.
    pub fn load(directory: &Path) -> Result<Self> {
        let mut quirks = Self::built_in();
        for (path, text) in toml_file::read_directory(directory)? {
            quirks.entries.extend(Self::parse(&text, &path)?.entries);
        }
        Ok(quirks)
    }

    /// The entries of one file.
    ///
    /// # Errors
    /// [`crate::Error::Malformed`] with the place if it is not a quirk table.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let table: TableFile = toml_file::parse(text, file)?;
        if *table.schema.get_ref() != 1 {
            return Err(toml_file::malformed(
                text,
                file,
                &table.schema,
                "this version reads schema 1 only".to_string(),
            ));
        }
        let mut entries = Vec::with_capacity(table.quirk.len());
        for entry in table.quirk {
            let quirk = entry
                .get_ref()
                .to_quirk()
                .map_err(|message| toml_file::malformed(text, file, &entry, message))?;
            entries.push(quirk);
        }
        Ok(Self { entries, sequences: Devices::default() })
    }

    /// Every rule, in table order.
    pub fn entries(&self) -> impl Iterator<Item = &Quirk> {
        self.entries.iter()
    }

    /// The rules that apply to a function.
    pub fn of<'q>(&'q self, function: InventoryFunction<'_>) -> impl Iterator<Item = &'q Quirk> {
        let subject = Subject::of(function);
        self.entries.iter().filter(move |quirk| quirk.matches.applies_to(subject))
    }

    /// The first rule that applies to a function and has such an effect.
    pub fn find<'q>(
        &'q self,
        function: InventoryFunction<'_>,
        wanted: impl Fn(&Effect) -> bool,
    ) -> Option<&'q Quirk> {
        self.of(function).find(|quirk| wanted(&quirk.effect))
    }

    /// Whether a rule says this of a function with such a configuration space.
    pub(crate) fn names(&self, space: ConfigSpace<'_>, on_root_bus: bool, effect: &Effect) -> bool {
        let header = space.header();
        let subject = Subject::new((header.vendor_id(), header.device_id()), space, on_root_bus);
        self.entries.iter().any(|quirk| quirk.effect == *effect && quirk.matches.applies_to(subject))
    }

    /// The time a function needs between D3hot and D0: 10 ms (PCI Bus Power Management 1.2, 5.6.1)
    /// unless a rule says otherwise.
    #[must_use]
    pub fn d3hot_delay(&self, function: InventoryFunction<'_>) -> Duration {
        self.of(function)
            .find_map(|quirk| match quirk.effect {
                Effect::D3hotDelay(time) => Some(time),
                _ => None,
            })
            .unwrap_or(Duration::from_millis(10))
    }

    /// The time a function needs after a conventional reset: 100 ms (PCI Express Base 6.0, 6.6.1)
    /// unless a rule says otherwise.
    #[must_use]
    pub fn d3cold_delay(&self, function: InventoryFunction<'_>) -> Duration {
        self.of(function)
            .find_map(|quirk| match quirk.effect {
                Effect::D3coldDelay(time) => Some(time),
                _ => None,
            })
            .unwrap_or(Duration::from_millis(100))
    }
}

/// What the rules look at.
#[derive(Clone, Copy)]
struct Subject {
    vendor: u16,
    device: u16,
    revision: u8,
    class: u32,
    subsystem_vendor: Option<u16>,
    on_root_bus: bool,
}

impl Subject {
    fn of(function: InventoryFunction<'_>) -> Self {
        Self::new(function.ids(), function.space(), function.on_root_bus())
    }

    fn new((vendor, device): (u16, u16), space: ConfigSpace<'_>, on_root_bus: bool) -> Self {
        let header = space.header();
        Self {
            vendor,
            device,
            revision: header.revision_id(),
            class: header.class_code().to_u32(),
            subsystem_vendor: match header.layout() {
                Layout::Endpoint(endpoint) => Some(endpoint.subsystem_vendor_id()),
                _ => None,
            },
            on_root_bus,
        }
    }
}

impl Match {
    fn applies_to(&self, subject: Subject) -> bool {
        let device = |&(first, last): &(u16, u16)| (first..=last).contains(&subject.device);
        self.vendor == subject.vendor
            && (self.devices.is_empty() || self.devices.iter().any(device))
            && self.revision.is_none_or(|revision| revision == subject.revision)
            && self.class.is_none_or(|(mask, value)| subject.class & mask == value)
            && self.subsystem_vendor.is_none_or(|vendor| subject.subsystem_vendor == Some(vendor))
            && !(self.off_root_bus && subject.on_root_bus)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    schema: toml::Spanned<u32>,
    #[serde(default)]
    quirk: Vec<toml::Spanned<TableEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableEntry {
    effect: EffectName,
    vendor: String,
    #[serde(default)]
    devices: Vec<String>,
    revision: Option<String>,
    class: Option<String>,
    subsystem_vendor: Option<String>,
    #[serde(default)]
    off_root_bus: bool,
    sequence: Option<String>,
    #[serde(default)]
    needs_flr: bool,
    milliseconds: Option<u64>,
    methods: Option<Vec<MethodName>>,
    next: Option<String>,
    why: String,
    source: String,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EffectName {
    NoBusReset,
    NoFlr,
    NoPmReset,
    DeviceSpecific,
    D3hotDelay,
    D3coldDelay,
    DoesNotReturn,
}

impl TableEntry {
    fn to_quirk(&self) -> std::result::Result<Quirk, String> {
        let matches = Match {
            vendor: hex(&self.vendor, "vendor")?,
            devices: device_ranges(&self.devices)?,
            revision: self.revision.as_deref().map(|text| hex(text, "revision")).transpose()?,
            class: self.class.as_deref().map(class_prefix).transpose()?,
            subsystem_vendor: self
                .subsystem_vendor
                .as_deref()
                .map(|text| hex(text, "subsystem_vendor"))
                .transpose()?,
            off_root_bus: self.off_root_bus,
        };
        Ok(Quirk { matches, effect: self.effect()?, why: self.why.clone(), source: self.source.clone() })
    }

    fn effect(&self) -> std::result::Result<Effect, String> {
        let missing = |field: &str| format!("this effect needs `{field}`");
        let time = || {
            let milliseconds = self.milliseconds.ok_or_else(|| missing("milliseconds"))?;
            if milliseconds > 60_000 {
                return Err(format!("{milliseconds} ms is over the highest delay of 60000 ms"));
            }
            Ok(Duration::from_millis(milliseconds))
        };
        Ok(match self.effect {
            EffectName::NoBusReset => Effect::NoBusReset,
            EffectName::NoFlr => Effect::NoFlr,
            EffectName::NoPmReset => Effect::NoPmReset,
            EffectName::DeviceSpecific => Effect::DeviceSpecific {
                sequence: self.sequence.clone().ok_or_else(|| missing("sequence"))?,
                needs_flr: self.needs_flr,
            },
            EffectName::D3hotDelay => Effect::D3hotDelay(time()?),
            EffectName::D3coldDelay => Effect::D3coldDelay(time()?),
            EffectName::DoesNotReturn => Effect::DoesNotReturn {
                methods: self.methods.clone().ok_or_else(|| missing("methods"))?,
                next: self.next.clone().ok_or_else(|| missing("next"))?,
            },
        })
    }
}

/// Device ids and ranges of them, such as `731f` or `4000-4fff`.
pub(crate) fn device_ranges(texts: &[String]) -> std::result::Result<Vec<(u16, u16)>, String> {
    let mut ranges = Vec::with_capacity(texts.len());
    for text in texts {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let range = (hex(first, "devices")?, hex(last, "devices")?);
        if range.0 > range.1 {
            return Err(format!("the device range {text:?} ends before it begins"));
        }
        ranges.push(range);
    }
    Ok(ranges)
}

pub(crate) fn hex<T: TryFrom<u32>>(text: &str, field: &str) -> std::result::Result<T, String> {
    let error =
        || format!("{field}: {text:?} is not a hexadecimal number of at most {} digits", 2 * size_of::<T>());
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(error());
    }
    u32::from_str_radix(text, 16).ok().and_then(|value| T::try_from(value).ok()).ok_or_else(error)
}

fn class_prefix(text: &str) -> std::result::Result<(u32, u32), String> {
    let value: u32 = hex(text, "class")?;
    if text.len() > 6 {
        return Err(format!("class: {text:?} has more than six digits"));
    }
    let missing = 4 * (6 - text.len() as u32);
    Ok((0xff_ffff & !((1 << missing) - 1), value << missing))
}

impl From<&Quirk> for String {
    fn from(quirk: &Quirk) -> Self {
        format!("{} ({})", quirk.why, quirk.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Quirks> {
        Quirks::parse(text, Path::new("my.toml"))
    }

    fn matches(quirk: &Quirk, vendor: u16, device: u16) -> bool {
        quirk.matches.applies_to(Subject {
            vendor,
            device,
            revision: 0,
            class: 0x03_00_00,
            subsystem_vendor: None,
            on_root_bus: false,
        })
    }

    #[test]
    fn the_built_in_table_is_whole() {
        let quirks = Quirks::built_in();
        assert!(quirks.entries().count() >= 20);
        for (vendor, device, effect) in [
            (0x168c, 0x003c, Effect::NoBusReset),
            (0x10de, 0x2350, Effect::NoBusReset),
            (0x14c3, 0x0616, Effect::NoFlr),
            (0x1002, 0x1900, Effect::NoPmReset),
        ] {
            assert!(
                quirks.entries().any(|quirk| quirk.effect == effect && matches(quirk, vendor, device)),
                "{vendor:04x}:{device:04x}"
            );
        }
        assert!(!quirks.entries().any(|quirk| matches(quirk, 0x10de, 0x2380)));
    }

    #[test]
    fn a_class_is_compared_by_its_first_digits() {
        assert_eq!(class_prefix("03"), Ok((0xff_0000, 0x03_0000)));
        assert_eq!(class_prefix("0300"), Ok((0xff_ff00, 0x03_0000)));
        assert_eq!(class_prefix("010802"), Ok((0xff_ffff, 0x01_0802)));
        assert!(class_prefix("0108020").is_err());
    }

    #[test]
    fn what_is_wrong_in_a_table_is_shown_with_its_place() {
        for (text, place) in [
            ("schema = 2", "my.toml:1:10: "),
            ("schema = 1\n[[quirk]]\neffect = \"explodes\"", "my.toml:3:10: "),
            (
                "schema = 1\n\n[[quirk]]\neffect = \"no_flr\"\nvendor = \"12345\"\nwhy = \"\"\nsource = \"\"",
                "my.toml:3",
            ),
            (
                "schema = 1\n[[quirk]]\neffect = \"no_flr\"\nvendor = \"1234\"\ndevices = [\"5-4\"]\nwhy = \"\"\nsource = \"\"",
                "ends before it begins",
            ),
            (
                "schema = 1\n[[quirk]]\neffect = \"d3hot_delay\"\nvendor = \"1234\"\nwhy = \"\"\nsource = \"\"",
                "needs `milliseconds`",
            ),
            ("schema", "my.toml:1"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(place), "{text:?}: {error}");
        }
    }
}
