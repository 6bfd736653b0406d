//! Which devices belong to which family: a table of data with its sources.
//!
//! The built-in table is `devices.toml` beside this file. Users teach the program a new id, or that an
//! id is to be treated as a family, in `/etc/vfio-reset/vendor.d/*.toml`, in the same form.

use super::family::Family;
use crate::error::Result;
use crate::quirk::{device_ranges, hex};
use crate::toml_file;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Where users put their own entries.
pub const USER_DIRECTORY: &str = "/etc/vfio-reset/vendor.d";

/// The devices that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// The user's first, the last file before the others: the first match counts.
    entries: Vec<DeviceEntry>,
}

/// Devices that are treated as one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceEntry {
    /// The family; `None` says that there is to be no sequence for them.
    pub family: Option<&'static Family>,
    /// What they are called.
    pub name: String,
    /// Their vendor.
    pub vendor: u16,
    /// Their device ids, as inclusive ranges.
    pub devices: Vec<(u16, u16)>,
    /// Where that is known from.
    pub source: String,
    /// The user's file that says so; `None` for the built-in table.
    pub file: Option<PathBuf>,
}

impl DeviceEntry {
    /// Whether it is about a device.
    #[must_use]
    pub fn matches(&self, (vendor, device): (u16, u16)) -> bool {
        self.vendor == vendor && self.devices.iter().any(|&(first, last)| (first..=last).contains(&device))
    }

    /// What the user is to know about an entry of his own.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        let (file, family) = (self.file.as_ref()?, self.family?);
        Some(format!(
            "it is treated as {} because {} says so: nobody has tested that, and a wrong sequence can hang the device or \
             the host",
            family.name,
            file.display()
        ))
    }
}

impl Devices {
    /// The table that is compiled in.
    ///
    /// # Panics
    /// Never: a test reads the table.
    #[must_use]
    pub fn built_in() -> Self {
        let entries = Self::parse_as(include_str!("devices.toml"), Path::new("devices.toml"), None);
        Self { entries: entries.expect("the built-in table is read by a test") }
    }

    /// The built-in table, and before it whatever the user added below `directory`.
    ///
    /// # Errors
    /// When a file there cannot be read or is no such table.
    pub fn load(directory: &Path) -> Result<Self> {
        let mut devices = Self::built_in();
        for (path, text) in toml_file::read_directory(directory)? {
            devices.add(&text, &path)?;
        }
        Ok(devices)
    }

    /// Puts a user's table before what is known.
    ///
    /// # Errors
    /// [`crate::Error::Malformed`] with the place if it is no such table.
    pub fn add(&mut self, text: &str, file: &Path) -> Result<()> {
        let entries = Self::parse_as(text, file, Some(file))?;
        self.entries.splice(0..0, entries);
        Ok(())
    }

    /// Treats a device as a family, whatever the tables say; `file` stands for who says so.
    pub fn treat(&mut self, (vendor, device): (u16, u16), family: &'static Family, file: &Path) {
        self.entries.insert(
            0,
            DeviceEntry {
                family: Some(family),
                name: format!("{vendor:04x}:{device:04x}"),
                vendor,
                devices: vec![(device, device)],
                source: file.display().to_string(),
                file: Some(file.to_path_buf()),
            },
        );
    }

    /// The entry that counts for a device.
    #[must_use]
    pub fn find(&self, ids: (u16, u16)) -> Option<&DeviceEntry> {
        self.entries.iter().find(|entry| entry.matches(ids))
    }

    /// The ids of one of the [`entries`](Self::entries) that an entry before it decides about, with that entry.
    #[must_use]
    pub fn overridden(&self, entry: &DeviceEntry) -> Vec<((u16, u16), &DeviceEntry)> {
        let before = self.entries.iter().take_while(|other| !std::ptr::eq(*other, entry));
        let common = |other: &DeviceEntry| -> Vec<(u16, u16)> {
            let pairs =
                entry.devices.iter().flat_map(|own| other.devices.iter().map(move |theirs| (own, theirs)));
            pairs
                .map(|(own, theirs)| (own.0.max(theirs.0), own.1.min(theirs.1)))
                .filter(|(first, last)| first <= last)
                .collect()
        };
        before
            .filter(|other| other.vendor == entry.vendor)
            .flat_map(|other| common(other).into_iter().map(move |ids| (ids, other)))
            .collect()
    }

    /// All entries, in the order in which they count.
    #[must_use]
    pub fn entries(&self) -> &[DeviceEntry] {
        &self.entries
    }

    fn parse_as(text: &str, file: &Path, user: Option<&Path>) -> Result<Vec<DeviceEntry>> {
        let table: TableFile = toml_file::parse(text, file)?;
        if *table.schema.get_ref() != 1 {
            let message = "this version reads schema 1 only".to_string();
            return Err(toml_file::malformed(text, file, &table.schema, message));
        }
        let entry = |entry: toml::Spanned<TableEntry>| {
            entry
                .get_ref()
                .to_entry(user)
                .map_err(|message| toml_file::malformed(text, file, &entry, message))
        };
        table.device.into_iter().map(entry).collect()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    schema: toml::Spanned<u32>,
    #[serde(default)]
    device: Vec<toml::Spanned<TableEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableEntry {
    family: String,
    vendor: String,
    devices: Vec<String>,
    name: String,
    source: String,
}

/// In place of a family: no sequence.
const NONE: &str = "none";

impl TableEntry {
    fn to_entry(&self, user: Option<&Path>) -> std::result::Result<DeviceEntry, String> {
        let family = Family::find(&self.family);
        if family.is_none() && self.family != NONE {
            let names: Vec<&str> = super::FAMILIES.iter().map(|family| family.name).collect();
            return Err(format!(
                "there is no family {:?}: there are {}, and {NONE} for no sequence",
                self.family,
                names.join(", ")
            ));
        }
        if self.devices.is_empty() {
            return Err("`devices` is empty: name the ids, such as [\"731f\"] or [\"4000-4fff\"]".to_string());
        }
        Ok(DeviceEntry {
            family,
            name: self.name.clone(),
            vendor: hex(&self.vendor, "vendor")?,
            devices: device_ranges(&self.devices)?,
            source: self.source.clone(),
            file: user.map(Path::to_path_buf),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_is_whole() {
        let devices = Devices::built_in();
        for (device, family) in
            [(0x67df, "polaris"), (0x687f, "vega10"), (0x66af, "vega20"), (0x731f, "navi1x")]
        {
            let entry = devices.find((0x1002, device)).unwrap();
            assert_eq!(entry.family.unwrap().name, family);
            assert_eq!(entry.warning(), None);
        }
        assert_eq!(devices.find((0x10de, 0x67df)), None);
        for family in super::super::FAMILIES {
            let known = devices.entries().iter().any(|entry| entry.family == Some(family));
            assert!(known, "{}: no device belongs to it", family.name);
        }
    }

    #[test]
    fn no_device_belongs_to_two_families() {
        let devices = Devices::built_in();
        let mut all: Vec<(u16, u16, u16)> = Vec::new();
        for entry in devices.entries() {
            for &(first, last) in &entry.devices {
                let overlaps =
                    |&(vendor, a, b): &(u16, u16, u16)| vendor == entry.vendor && first <= b && a <= last;
                assert!(!all.iter().any(overlaps), "{}: {first:04x}-{last:04x}", entry.name);
                all.push((entry.vendor, first, last));
            }
        }
    }

    #[test]
    fn a_user_s_entry_counts_before_the_built_in_one_and_says_that_it_is_untested() {
        let mut devices = Devices::built_in();
        let text = "schema = 1\n[[device]]\nfamily = \"vega20\"\nvendor = \"1002\"\ndevices = [\"731f\"]\n\
                    name = \"mine\"\nsource = \"a hunch\"";
        devices.add(text, Path::new("/etc/vfio-reset/vendor.d/mine.toml")).unwrap();
        let entry = devices.find((0x1002, 0x731f)).unwrap();
        assert_eq!(entry.family.unwrap().name, "vega20");
        assert!(entry.warning().unwrap().contains("vendor.d/mine.toml says so: nobody has tested that"));
        let off = text.replace("vega20", "none");
        devices.add(&off, Path::new("off.toml")).unwrap();
        assert_eq!(devices.find((0x1002, 0x731f)).unwrap().family, None);
    }

    #[test]
    fn what_an_entry_takes_from_another_is_known() {
        let mut devices = Devices::built_in();
        let text = "schema = 1\n[[device]]\nfamily = \"none\"\nvendor = \"1002\"\ndevices = [\"7310-731a\", \"731f\"]\n\
                    name = \"mine\"\nsource = \"a hunch\"";
        devices.add(text, Path::new("mine.toml")).unwrap();
        let navi =
            devices.entries().iter().find(|entry| entry.file.is_none() && entry.matches((0x1002, 0x731f)));
        let taken = devices.overridden(navi.unwrap());
        assert!(taken.iter().any(|(ids, by)| *ids == (0x731f, 0x731f) && by.family.is_none()), "{taken:?}");
        assert!(taken.iter().all(|((first, last), _)| *first >= 0x7310 && *last <= 0x731f && first <= last));
        assert_eq!(devices.overridden(&devices.entries()[0]), [], "nothing comes before the user's own");
        let vega = devices.entries().iter().find(|entry| entry.matches((0x1002, 0x687f)));
        assert_eq!(devices.overridden(vega.unwrap()), []);
    }

    #[test]
    fn what_is_wrong_in_a_table_is_shown_with_its_place() {
        let entry = "schema = 1\n\n[[device]]\nfamily = \"vega10\"\nvendor = \"1002\"\ndevices = [\"687f\"]\nname = \
                     \"x\"\nsource = \"y\"";
        for (text, wanted) in [
            (entry.replace("schema = 1", "schema = 2"), "my.toml:1:10: "),
            (entry.replace("vega10", "voodoo"), "my.toml:3"),
            (entry.replace("vega10", "voodoo"), "there is no family \"voodoo\": there are polaris"),
            (entry.replace("[\"687f\"]", "[]"), "`devices` is empty"),
            (entry.replace("687f", "687g"), "is not a hexadecimal number"),
            (entry.replace("name", "nome"), "my.toml:7:1: "),
        ] {
            let error = Devices::default().add(&text, Path::new("my.toml")).unwrap_err().to_string();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
