//! The names of vendors, devices and classes: the system's `pci.ids`, and a small table of our own.
//!
//! Names are an ornament: a file that is missing, or broken in places, costs names and nothing else.

use flate2::read::MultiGzDecoder;
use pcicfg::header::ClassCode;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Where systems have the file: Debian and Ubuntu; Fedora, Arch, openSUSE, Alpine, Gentoo and Nix
/// (`hwdata`); pciutils' own places; BSD. The first one that can be read is taken, plain before `.gz`.
pub const PATHS: [&str; 6] = [
    "/usr/share/misc/pci.ids",
    "/usr/share/hwdata/pci.ids",
    "/usr/share/pci.ids",
    "/usr/local/share/pci.ids",
    "/usr/local/share/pciids/pci.ids",
    "/run/current-system/sw/share/hwdata/pci.ids",
];

/// The most that is read: ten times the file of today.
const LIMIT: u64 = 16 << 20;

const BUILT_IN: &str = include_str!("pci_ids.txt");

/// Names by number.
///
/// Making one costs nothing: files are read when the first name is asked for, in one pass of about a
/// millisecond; a name is a binary search.
///
/// ```
/// let ids = vfio_reset::pci_ids::PciIds::built_in();
/// assert_eq!(ids.vendor(0x1b21), Some("ASMedia Technology Inc."));
/// ```
#[derive(Debug, Default)]
pub struct PciIds {
    /// The files to look for; the first that is there counts.
    paths: Vec<PathBuf>,
    system: OnceLock<Table>,
    built_in: OnceLock<Table>,
}

impl PciIds {
    /// The names of the system's file, and for what it lacks those that are built in.
    #[must_use]
    pub fn load() -> Self {
        Self::from_paths(PATHS.map(PathBuf::from))
    }

    /// The names of the first of these files that can be read, and for what it lacks those that are
    /// built in. For each, the same with `.gz` is tried, too.
    #[must_use]
    pub fn from_paths(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        Self { paths: paths.into_iter().collect(), ..Self::default() }
    }

    /// Only the names of this file; none if it cannot be read.
    #[must_use]
    pub fn only(path: PathBuf) -> Self {
        Self { paths: vec![path], built_in: OnceLock::from(Table::default()), ..Self::default() }
    }

    /// Only the names that are built in: the same on every system.
    #[must_use]
    pub fn built_in() -> Self {
        Self::default()
    }

    /// A vendor's name.
    #[must_use]
    pub fn vendor(&self, vendor: u16) -> Option<&str> {
        self.find(|table| table.vendor(vendor))
    }

    /// A device's name, without its vendor's.
    #[must_use]
    pub fn device(&self, vendor: u16, device: u16) -> Option<&str> {
        self.find(|table| table.device(vendor, device))
    }

    /// The name of a sub-class (`VGA compatible controller`), or, where that has none, of its base class.
    #[must_use]
    pub fn class(&self, class: ClassCode) -> Option<&str> {
        self.sub_class(class.base, class.sub).or_else(|| self.base_class(class.base))
    }

    /// The name of a subsystem (vendor and device) of this device.
    #[must_use]
    pub fn subsystem(&self, vendor: u16, device: u16, subsystem: (u16, u16)) -> Option<&str> {
        self.find(|table| table.subsystem(vendor, device, subsystem))
    }

    /// The name of a base class (`Display controller`).
    #[must_use]
    pub fn base_class(&self, base: u8) -> Option<&str> {
        self.find(|table| table.base_class(base))
    }

    /// The name of a sub-class (`VGA compatible controller`), which not every one has.
    #[must_use]
    pub fn sub_class(&self, base: u8, sub: u8) -> Option<&str> {
        self.find(|table| table.sub_class(base, sub))
    }

    /// The name of a programming interface (`NVM Express`).
    #[must_use]
    pub fn interface(&self, class: ClassCode) -> Option<&str> {
        self.find(|table| table.interface(class))
    }

    fn find<'a>(&'a self, ask: impl Fn(&'a Table) -> Option<&'a str>) -> Option<&'a str> {
        let system = self.system.get_or_init(|| {
            self.paths.iter().find_map(|path| read(path)).map(Table::parse).unwrap_or_default()
        });
        ask(system).or_else(|| ask(self.built_in.get_or_init(|| Table::parse(BUILT_IN.to_owned()))))
    }
}

/// The file, plain or compressed. What is not UTF-8 is replaced.
fn read(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(LIMIT).read_to_end(&mut bytes).ok()?,
        Err(_) => {
            let mut compressed = path.as_os_str().to_owned();
            compressed.push(".gz");
            MultiGzDecoder::new(File::open(compressed).ok()?).take(LIMIT).read_to_end(&mut bytes).ok()?
        }
    };
    Some(String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
}

/// A file, and where its names are.
#[derive(Debug, Default)]
struct Table {
    text: String,
    vendors: Names,
    /// By vendor and device.
    devices: Names,
    /// By vendor, device, and the same of the subsystem.
    subsystems: Names<u64>,
    base_classes: Names,
    /// By base and sub-class.
    sub_classes: Names,
    /// By the three parts of the class code.
    interfaces: Names,
}

/// Where names stand in the text, sorted by number.
#[derive(Debug)]
struct Names<Number = u32>(Vec<(Number, Range<u32>)>);

impl<Number> Default for Names<Number> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<Number: Copy + Ord> Names<Number> {
    /// Stable, so that of two lines for one number the first counts. Real files are sorted.
    fn sort(&mut self) {
        self.0.sort_by_key(|(number, _)| *number);
    }

    fn find<'t>(&self, text: &'t str, number: Number) -> Option<&'t str> {
        let (found, range) = self.0.get(self.0.partition_point(|(other, _)| *other < number))?;
        (*found == number).then(|| text.get(range.start as usize..range.end as usize))?
    }
}

/// Whose indented lines are being read.
#[derive(Clone, Copy)]
enum Section {
    Vendor(u16),
    /// A device of a vendor.
    Device(u32),
    Class(u8),
    /// A base and a sub-class.
    SubClass(u32),
    /// A letter that means nothing here, or a line that means nothing at all.
    Unknown,
}

impl Table {
    /// Reads the lines `vvvv  name`, a tab and `dddd  name`, two tabs and `svid sdid  name`; `C cc  name`, a
    /// tab and `ss  name`, two tabs and `pp  name`. All other lines are skipped, with the indented ones
    /// below them.
    fn parse(text: String) -> Self {
        let mut table = Self::default();
        let mut section = Section::Unknown;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let end = at + line.len();
            let name = |skip: usize| {
                // Lines are within LIMIT, so offsets fit.
                let rest = line.get(skip..)?;
                let name = rest.trim();
                let start = at + skip + (rest.len() - rest.trim_start().len());
                (rest.starts_with(' ') && !name.is_empty()).then(|| start as u32..(start + name.len()) as u32)
            };
            match (line.as_bytes(), section) {
                ([b'\n' | b'\r' | b'#', ..], _) => {}
                ([b'\t', b'\t', rest @ ..], Section::Device(device)) => {
                    let vendor = number::<4>(rest).filter(|_| rest.get(4) == Some(&b' '));
                    let subsystem = number::<4>(rest.get(5..).unwrap_or_default());
                    if let (Some(vendor), Some(subsystem), Some(name)) = (vendor, subsystem, name(11)) {
                        let ids = u64::from(device) << 32 | u64::from(vendor << 16 | subsystem);
                        table.subsystems.0.push((ids, name));
                    }
                }
                ([b'\t', b'\t', rest @ ..], Section::SubClass(class)) => {
                    if let (Some(interface), Some(name)) = (number::<2>(rest), name(4)) {
                        table.interfaces.0.push((class << 8 | interface, name));
                    }
                }
                ([b'\t', b'\t', ..], _) => {}
                ([b'\t', rest @ ..], Section::Vendor(_) | Section::Device(_)) => {
                    let vendor = match section {
                        Section::Vendor(vendor) => u32::from(vendor),
                        Section::Device(device) => device >> 16,
                        _ => 0,
                    };
                    section = Section::Vendor(vendor as u16);
                    if let (Some(device), Some(name)) = (number::<4>(rest), name(5)) {
                        section = Section::Device(vendor << 16 | device);
                        table.devices.0.push((vendor << 16 | device, name));
                    }
                }
                ([b'\t', rest @ ..], Section::Class(_) | Section::SubClass(_)) => {
                    let base = match section {
                        Section::Class(base) => u32::from(base),
                        Section::SubClass(class) => class >> 8,
                        _ => 0,
                    };
                    section = Section::Class(base as u8);
                    if let (Some(sub), Some(name)) = (number::<2>(rest), name(3)) {
                        section = Section::SubClass(base << 8 | sub);
                        table.sub_classes.0.push((base << 8 | sub, name));
                    }
                }
                ([b'\t', ..], Section::Unknown) => {}
                ([b'C', b' ', rest @ ..], _) => {
                    section = Section::Unknown;
                    if let (Some(base), Some(name)) = (number::<2>(rest), name(4)) {
                        section = Section::Class(base as u8);
                        table.base_classes.0.push((base, name));
                    }
                }
                (line, _) => {
                    section = Section::Unknown;
                    if let (Some(vendor), Some(name)) = (number::<4>(line), name(4)) {
                        section = Section::Vendor(vendor as u16);
                        table.vendors.0.push((vendor, name));
                    }
                }
            }
            at = end;
        }
        table.vendors.sort();
        table.devices.sort();
        table.subsystems.sort();
        table.base_classes.sort();
        table.sub_classes.sort();
        table.interfaces.sort();
        table.text = text;
        table
    }

    fn vendor(&self, vendor: u16) -> Option<&str> {
        self.vendors.find(&self.text, vendor.into())
    }

    fn device(&self, vendor: u16, device: u16) -> Option<&str> {
        self.devices.find(&self.text, u32::from(vendor) << 16 | u32::from(device))
    }

    fn subsystem(&self, vendor: u16, device: u16, subsystem: (u16, u16)) -> Option<&str> {
        let pair = |vendor: u16, device: u16| u64::from(vendor) << 16 | u64::from(device);
        self.subsystems.find(&self.text, pair(vendor, device) << 32 | pair(subsystem.0, subsystem.1))
    }

    fn base_class(&self, base: u8) -> Option<&str> {
        self.base_classes.find(&self.text, base.into())
    }

    fn sub_class(&self, base: u8, sub: u8) -> Option<&str> {
        self.sub_classes.find(&self.text, u32::from(base) << 8 | u32::from(sub))
    }

    fn interface(&self, class: ClassCode) -> Option<&str> {
        self.interfaces.find(&self.text, class.to_u32())
    }
}

/// The hexadecimal number of `N` digits that a line begins with.
fn number<const N: usize>(line: &[u8]) -> Option<u32> {
    let mut value = 0;
    for &digit in line.first_chunk::<N>()? {
        value = value << 4 | char::from(digit).to_digit(16)?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;
    use std::io::Write;
    use std::time::Instant;

    const FILE: &str = "# comment\n\
        1b21  ASMedia\n\t0612  SATA\n\t\t1849 0612  a board\n\
        zzzz  malformed\n\t0001  lost\n\
        1b22  Next\r\n\t0001  One\r\n\t1  short\n\t0002\n\t0003x  glued\n\
        1b21  again\n\t0612  again\n\t0613  more\n\
        X 01  unknown letter\n\t02  skipped\n\
        C 03  Display\n\t00  VGA\n\t\t00  interface\nC 0x  malformed\n\t01  lost\n\
        1b23  no line end";

    fn table() -> Table {
        Table::parse(FILE.into())
    }

    fn class(base: u8, sub: u8) -> ClassCode {
        ClassCode { base, sub, interface: 0 }
    }

    #[test]
    fn names_are_found_and_malformed_lines_stepped_over() {
        let table = table();
        assert_eq!(table.vendor(0x1b21), Some("ASMedia"), "the first line counts");
        assert_eq!(table.vendor(0x1b22), Some("Next"));
        assert_eq!(table.vendor(0x1b23), Some("no line end"));
        assert_eq!(table.vendor(0), None);
        assert_eq!(table.device(0x1b21, 0x0612), Some("SATA"));
        assert_eq!(table.device(0x1b21, 0x0613), Some("more"));
        assert_eq!(table.device(0x1b22, 1), Some("One"));
        assert_eq!(table.device(0x1b22, 2), None);
        assert_eq!(table.device(0x1b22, 3), None);
        assert_eq!(table.devices.0.len(), 4, "lines of unknown sections are nobody's devices");
        assert_eq!(table.sub_class(3, 0), Some("VGA"));
        assert_eq!(table.sub_classes.0.len(), 1);
        assert_eq!(table.subsystem(0x1b21, 0x0612, (0x1849, 0x0612)), Some("a board"));
        assert_eq!(table.subsystem(0x1b21, 0x0613, (0x1849, 0x0612)), None);
        assert_eq!(table.interface(class(3, 0)), Some("interface"));
    }

    #[test]
    fn the_built_in_table_has_no_malformed_line() {
        let ids = PciIds::built_in();
        assert_eq!(ids.device(0x1b21, 0x0612), Some("ASM1061/ASM1062 Serial ATA Controller"));
        assert_eq!(ids.device(0x1002, 0x1900), Some("Phoenix integrated graphics"));
        assert_eq!(ids.class(class(3, 0)), Some("VGA compatible controller"));
        assert_eq!(ids.class(class(3, 0x77)), Some("Display controller"), "the base class speaks for it");
        assert_eq!(ids.class(class(0x77, 0)), None);
        let table = Table::parse(BUILT_IN.into());
        let lines = BUILT_IN.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        let names = [&table.vendors, &table.devices, &table.base_classes, &table.sub_classes];
        assert_eq!(names.map(|names| names.0.len()).iter().sum::<usize>(), lines);
        for names in names {
            assert!(names.0.is_sorted_by(|a, b| a.0 < b.0), "a number twice");
        }
    }

    #[test]
    fn the_systems_file_is_asked_first_plain_or_compressed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pci.ids");
        let ids = || PciIds::from_paths([folder.path().join("none"), path.clone()]);
        assert_eq!(ids().vendor(0x1b21), Some("ASMedia Technology Inc."));
        let mut gz = GzEncoder::new(Vec::new(), Compression::default());
        gz.write_all(b"1b21  Packed \xff\n").unwrap();
        std::fs::write(folder.path().join("pci.ids.gz"), gz.finish().unwrap()).unwrap();
        assert_eq!(ids().vendor(0x1b21), Some("Packed \u{fffd}"));
        std::fs::write(&path, "1b21  Plain\n").unwrap();
        assert_eq!(ids().vendor(0x1b21), Some("Plain"));
        assert_eq!(ids().vendor(0x8086), Some("Intel Corporation"), "what it lacks is built in");
    }

    /// A file of the size of the real one; the figure is printed, the bound is loose.
    #[test]
    fn a_file_of_full_size_is_read_in_a_moment() {
        let mut text = String::new();
        for vendor in 0..2442u32 {
            text += &format!("{:04x}  Vendor number {vendor} Incorporated\n", vendor * 20);
            for device in 0..8 {
                text += &format!(
                    "\t{device:04x}  Some device of a usual name\n\t\t1849 {device:04x}  Some board\n"
                );
            }
        }
        let start = Instant::now();
        let table = Table::parse(text);
        let time = start.elapsed();
        println!("{} bytes in {time:?}", table.text.len());
        assert_eq!(table.device(20, 3), Some("Some device of a usual name"));
        assert!(time.as_millis() < 500, "{time:?}");
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(([\tC]? ?[0-9a-f]{2,5} {0,3}[a-zä\u{a0}]{0,4}|.{0,9})[\r\n]{0,2}){0,30}") {
            let table = Table::parse(text);
            for (number, range) in table.devices.0.iter().chain(&table.vendors.0) {
                let name = &table.text[range.start as usize..range.end as usize];
                prop_assert!(!name.is_empty() && !name.contains('\n'), "{number:x}");
            }
        }
    }
}
