//! Which kernel modules could drive a function: the kernel's own tables.
//!
//! `depmod` gathers what every module says of the devices that it drives in `/lib/modules/RELEASE/modules.alias`: patterns
//! for the name that sysfs has as `modalias`. Before Linux 2.6.0 it was `modules.pcimap`, a table of numbers, which lspci
//! still reads with `-p`. Both are read here.

use crate::error::{Error, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The most that is read: thirty times the file of a distribution's kernel.
const LIMIT: u64 = 64 << 20;

/// Modules, and what they can drive.
///
/// ```
/// use vfio_reset::modules::Modules;
///
/// let modules = Modules::parse("alias pci:v00001B36d00000010sv*sd*bc*sc*i* nvme\nalias usb:v* x\n");
/// let name = "pci:v00001B36d00000010sv00001AF4sd00001100bc01sc08i02";
/// assert_eq!(modules.of(name), ["nvme"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Modules {
    aliases: Vec<Alias>,
    /// The last line first: lspci prints them so.
    numbers: Vec<Numbers>,
}

/// A line of `modules.alias`.
#[derive(Clone, Debug)]
struct Alias {
    pattern: String,
    /// How much of the pattern stands for itself: most patterns are not the vendor's, and this tells without more.
    literal: usize,
    module: String,
}

impl Alias {
    fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (self.pattern.as_bytes(), name.as_bytes());
        name.get(..self.literal) == pattern.get(..self.literal) && matches(pattern, name)
    }
}

/// A line of `modules.pcimap`.
#[derive(Clone, Debug)]
struct Numbers {
    module: String,
    /// Vendor and device, then the subsystem's; above ffff any.
    ids: [u32; 4],
    class: u32,
    class_mask: u32,
}

impl Modules {
    /// Those of the kernel that runs; none if they cannot be read: a container has none.
    #[must_use]
    pub fn of_kernel() -> Self {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let path = Path::new("/lib/modules").join(release.trim()).join("modules.alias");
        Self::open(&path).unwrap_or_default()
    }

    /// Reads a file of either kind.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(LIMIT).read_to_end(&mut bytes));
        read.map_err(|error| Error::named(path, error))?;
        Ok(Self::parse(&String::from_utf8_lossy(&bytes)))
    }

    /// Reads a text of either kind; what it has of other buses is left out.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut modules = Self::default();
        for line in text.lines() {
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("alias") => {
                    if let (Some(pattern), Some(module)) = (words.next(), words.next())
                        && pattern.starts_with("pci:")
                    {
                        let literal = pattern.find(['*', '?', '[']).unwrap_or(pattern.len());
                        let (pattern, module) = (pattern.to_owned(), module.to_owned());
                        modules.aliases.push(Alias { pattern, literal, module });
                    }
                }
                Some(module) if !line.starts_with('#') => {
                    modules.numbers.extend(Numbers::parse(module, words))
                }
                _ => {}
            }
        }
        modules.numbers.reverse();
        modules
    }

    /// The modules that could drive what has this `modalias`, in the order of the table; a module once for each of its
    /// patterns.
    #[must_use]
    pub fn of(&self, modalias: &str) -> Vec<&str> {
        let by_name = self.aliases.iter().filter(|alias| alias.matches(modalias));
        let by_name = by_name.map(|alias| alias.module.as_str());
        if self.numbers.is_empty() {
            return by_name.collect();
        }
        let device = Device::parse(modalias);
        let fits = |numbers: &&Numbers| device.is_some_and(|device| numbers.fit(device));
        by_name.chain(self.numbers.iter().filter(fits).map(|numbers| numbers.module.as_str())).collect()
    }
}

impl Numbers {
    fn parse<'t>(module: &str, words: impl Iterator<Item = &'t str>) -> Option<Self> {
        let value = |word: &str| match word.strip_prefix("0x") {
            Some(digits) => u32::from_str_radix(digits, 16).ok(),
            None => word.parse().ok(),
        };
        let mut values = words.map_while(value);
        let mut next = || values.next();
        let ids = [next()?, next()?, next()?, next()?];
        Some(Self { module: module.to_owned(), ids, class: next()?, class_mask: next()? })
    }

    fn fit(&self, device: Device) -> bool {
        self.ids.iter().zip(device.ids).all(|(wanted, id)| *wanted > 0xffff || *wanted == id)
            && device.class & self.class_mask == self.class
    }
}

/// The numbers in a `modalias`.
#[derive(Clone, Copy, Debug)]
struct Device {
    ids: [u32; 4],
    class: u32,
}

impl Device {
    /// `pci:v00008086d00001237sv00001AF4sd00001100bc06sc00i00`.
    fn parse(modalias: &str) -> Option<Self> {
        let mut rest = modalias.strip_prefix("pci:")?;
        let mut field = |name: &str, digits: usize| {
            let value = rest.strip_prefix(name)?;
            let (number, after) = value.split_at_checked(digits)?;
            rest = after;
            u32::from_str_radix(number, 16).ok()
        };
        let ids = [field("v", 8)?, field("d", 8)?, field("sv", 8)?, field("sd", 8)?];
        let class = field("bc", 2)? << 16 | field("sc", 2)? << 8 | field("i", 2)?;
        Some(Self { ids, class })
    }
}

/// Whether a pattern of the shell's kind matches all of a name: `*` is any text, `?` any character, `[...]` one of some.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    // Where to go on if what follows the last star does not match here.
    let (mut at, mut seen, mut star) = (0, 0, None);
    while seen < name.len() || at < pattern.len() {
        if pattern.get(at) == Some(&b'*') {
            star = Some((at, seen));
            at += 1;
            continue;
        }
        let step = name.get(seen).and_then(|byte| one(pattern.get(at..)?, *byte));
        match (step, star) {
            (Some(length), _) => (at, seen) = (at + length, seen + 1),
            (None, Some((place, taken))) if taken < name.len() => {
                star = Some((place, taken + 1));
                (at, seen) = (place + 1, taken + 1);
            }
            _ => return false,
        }
    }
    true
}

/// The length of the pattern's first part if it matches this character.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'[', rest @ ..] => {
            let end = rest.iter().skip(1).position(|byte| *byte == b']')? + 1;
            let inner = rest.get(..end)?;
            let (inner, negated) = match inner {
                [b'!' | b'^', inner @ ..] => (inner, true),
                _ => (inner, false),
            };
            (in_set(inner, byte) != negated).then_some(end + 2)
        }
        [first, ..] if *first == byte => Some(1),
        _ => None,
    }
}

fn in_set(mut set: &[u8], byte: u8) -> bool {
    loop {
        set = match set {
            [first, b'-', last, rest @ ..] => {
                if (*first..=*last).contains(&byte) {
                    return true;
                }
                rest
            }
            [first, rest @ ..] => {
                if *first == byte {
                    return true;
                }
                rest
            }
            [] => return false,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAME: &str = "pci:v00008086d00001237sv00001AF4sd00001100bc06sc00i00";

    #[test]
    fn patterns_are_those_of_the_shell() {
        for (pattern, expected) in [
            ("pci:v00008086d00001237sv*sd*bc*sc*i*", true),
            ("pci:v00008086d*sv*sd*bc06sc00i*", true),
            ("pci:v*d*sv*sd*bc06sc04i*", false),
            ("pci:v0000808[67]d0000123[0-9]sv*", true),
            ("pci:v0000808[!6]d*", false),
            ("pci:v0000????d*00", true),
            ("pci:v00008086", false),
            ("pci:*i00*", true),
            ("*", true),
            ("", false),
            ("pci:v[", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), NAME.as_bytes()), expected, "{pattern}");
        }
    }

    #[test]
    fn modules_come_in_the_order_of_their_table() {
        let modules = Modules::parse(
            "# Aliases extracted from modules themselves.\nalias pci:v00008086d*sv*sd*bc06sc*i* second\n\
             alias pci:v*d*sv*sd*bc06sc00i* first\nalias acpi*:X:* no\nalias pci:broken\n",
        );
        assert_eq!(modules.of(NAME), ["second", "first"]);
        assert_eq!(modules.of("pci:v00001022d0"), [""; 0]);
        assert_eq!(modules.of(""), [""; 0]);
    }

    #[test]
    fn the_old_table_is_read_and_its_last_line_comes_first() {
        let modules = Modules::parse(
            "# pci module vendor device subvendor subdevice class class_mask driver_data\n\
             any 0xffffffff 0xffffffff 0xffffffff 0xffffffff 0x00060000 0xffff00 0x0\n\
             exact 0x00008086 0x00001237 0x00001af4 0x00001100 0x0 0x0 0x0\n\
             other 0x00008086 0x00001238 0xffffffff 0xffffffff 0x0 0x0 0x0\nbroken 1 2\n",
        );
        assert_eq!(modules.of(NAME), ["exact", "any"]);
    }

    proptest! {
        #[test]
        fn any_text_and_any_name_are_taken(text in "(alias |x |pci:|[*?\\[\\]!0-9a-z \n-]){0,60}", name in ".{0,40}") {
            let modules = Modules::parse(&text);
            let _ = modules.of(&name);
        }

        #[test]
        fn a_name_matches_itself_and_any_star_in_it(name in "[a-z0-9:]{0,20}", at in 0usize..20, length in 0usize..5) {
            prop_assert!(matches(name.as_bytes(), name.as_bytes()));
            let at = at.min(name.len());
            let end = (at + length).min(name.len());
            let pattern = format!("{}*{}", &name[..at], &name[end..]);
            prop_assert!(matches(pattern.as_bytes(), name.as_bytes()));
        }
    }
}
