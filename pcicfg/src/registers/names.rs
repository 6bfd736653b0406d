//! Names of registers and fields: the ones that people read, and the ones that programs do.

use super::value::Unit;
use core::fmt;

/// Words that are not written like others.
fn unusual(word: &str) -> Option<&'static str> {
    Some(match word {
        "IO" => "I/O",
        "MHZ" => "MHz",
        "L0S" => "L0s",
        "L0P" => "L0p",
        "DMWR" => "DMWr",
        "ATOMIC" => "Atomic",
        "OP" => "Op",
        "NO" => "No",
        "RD" => "Rd",
        "WR" => "Wr",
        "AND" => "and",
        "OF" => "of",
        "ON" => "on",
        "TO" => "to",
        "BY" => "by",
        "WITH" => "with",
        "THE" => "the",
        "FOR" => "for",
        "AT" => "at",
        "OR" => "or",
        _ => return None,
    })
}

/// Whether a word is an abbreviation, or has a digit in it: then it stays in capitals.
#[rustfmt::skip]
fn is_capitals(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
        || matches!(
            word,
            "ACS" | "AGP" | "ARI" | "ASPM" | "ATS" | "BAR" | "BIST" | "CA" | "CAM" | "CAS" | "CFG" | "CLS" | "COR"
            | "CPL" | "CPMU" | "CRC" | "CTL" | "CTO" | "CXL" | "DL" | "DLL" | "DLLP" | "DOE" | "DPA" | "DPC" | "DRS"
            | "DSP" | "ECRC" | "EIEOS" | "EIOS" | "EOI" | "EPTM" | "ERR" | "FEC" | "FLR" | "FPB" | "FRS" | "GART"
            | "GPF" | "GT" | "HDM" | "HS" | "HT" | "ID" | "IDD" | "IDE" | "IDO" | "IDSEL" | "IOTLB" | "ISA" | "KM"
            | "LD" | "LDTSTOP" | "LED" | "LNR" | "LTR" | "MC" | "MEM" | "MFVC" | "MLD" | "MPS" | "MRL" | "MSI"
            | "NFM" | "NOP" | "NPEM" | "OBFF" | "OOB" | "OS" | "PASID" | "PBR" | "PCI" | "PCRC" | "PD" | "PFA"
            | "PIO" | "PM" | "PME" | "PMUX" | "PPR" | "PR" | "PRG" | "PTM" | "RCD" | "RCRB" | "RID" | "RO" | "ROM"
            | "RP" | "RRAP" | "RRS" | "SBR" | "SDS" | "SERR" | "SFI" | "SFW" | "SIG" | "SGX" | "SKP" | "SMT" | "SOS"
            | "SRIS" | "ST" | "TEE" | "TLP" | "TPH" | "TS" | "UIO" | "UR" | "USP" | "VC" | "VF" | "VGA" | "VH"
            | "VIB" | "VPD" | "WRR" | "XT"
        )
}

/// Writes `BUS_MASTER` as `Bus Master`, `PCI_PM_L1_2_ENABLE` as `PCI PM L1.2 Enable`.
fn write_readable(f: &mut impl fmt::Write, constant: &str) -> fmt::Result {
    let mut after_digit = false;
    for (index, word) in constant.split('_').enumerate() {
        let number = word.bytes().all(|byte| byte.is_ascii_digit());
        // Two numbers in a row are one with a point.
        if number && after_digit {
            f.write_char('.')?;
        } else if index > 0 {
            f.write_char(' ')?;
        }
        after_digit = word.ends_with(|last: char| last.is_ascii_digit());
        if let Some(written) = unusual(word) {
            f.write_str(written)?;
        } else if is_capitals(word) {
            f.write_str(word)?;
        } else {
            for (index, letter) in word.chars().enumerate() {
                f.write_char(if index == 0 { letter } else { letter.to_ascii_lowercase() })?;
            }
        }
    }
    Ok(())
}

/// A field's name, as the specification writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldName(pub(super) Written);

/// A name as it stands in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Written {
    /// As it is read.
    Text(&'static str),
    /// A constant of a register's type: `BUS_MASTER`.
    Constant(&'static str),
}

impl FieldName {
    /// Whether it is the same name; capitals or small letters.
    #[must_use]
    pub fn is(self, name: &str) -> bool {
        is(&self, name)
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Written::Text(text) => f.write_str(text),
            Written::Constant(constant) => write_readable(f, constant),
        }
    }
}

/// A register's name, as the specification writes it, and which one of several it is.
///
/// ```
/// # use pcicfg::{ConfigSpace, registers::registers};
/// # let bytes = [0; 64];
/// # let map = registers(ConfigSpace::new(&bytes)?);
/// let first = map.registers()[0].name();
/// assert!(first == "Vendor ID" && first.is("vendor id"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RegisterName {
    pub(super) text: &'static str,
    pub(super) index: Index,
}

/// Which one of several registers of the same name; those of a list of lists have two numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Index(pub(super) Option<u16>, pub(super) Option<u16>);

impl RegisterName {
    /// The name without a number: all registers of a list have the same.
    #[must_use]
    pub const fn text(self) -> &'static str {
        self.text
    }

    /// Which one of several it is, counted from 0.
    #[must_use]
    pub const fn index(self) -> Option<u16> {
        self.index.0
    }

    /// Of a list in a list, which one of the inner it is.
    #[must_use]
    pub const fn inner_index(self) -> Option<u16> {
        self.index.1
    }

    /// Whether it is the next of the same list.
    pub(crate) fn follows(self, other: Self) -> bool {
        let next = match other.index {
            Index(None, _) => return false,
            Index(Some(first), None) => Index(first.checked_add(1), None),
            Index(first, Some(second)) => Index(first, second.checked_add(1)),
        };
        self.text == other.text && self.index == next
    }

    /// Whether it is the same name, with the number: `VC Resource Control [1]`; capitals or small
    /// letters.
    #[must_use]
    pub fn is(self, name: &str) -> bool {
        match self.index {
            Index(None, _) => self.text.eq_ignore_ascii_case(name),
            _ => is(&self, name),
        }
    }
}

impl PartialEq<&str> for RegisterName {
    fn eq(&self, name: &&str) -> bool {
        self.is(name)
    }
}

impl fmt::Display for RegisterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)?;
        match self.index {
            Index(None, _) => Ok(()),
            Index(Some(first), None) => write!(f, " [{first}]"),
            Index(Some(first), Some(second)) => write!(f, " [{first}][{second}]"),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for RegisterName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.index {
            Index(None, _) => serializer.serialize_str(self.text),
            _ => serializer.collect_str(self),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for FieldName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A field's key in a document: `no_soft_reset`, `l1_exit_latency_ns`.
///
/// Small letters, digits and underscores, with the unit at the end. Within a register no two fields have
/// the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldKey {
    pub(super) name: FieldName,
    pub(super) unit: Option<Unit>,
}

impl fmt::Display for FieldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        let (Written::Text(text) | Written::Constant(text)) = self.name.0;
        let mut gap = false;
        for (index, letter) in text.chars().enumerate() {
            if letter.is_ascii_alphanumeric() {
                if gap && index > 0 {
                    f.write_char('_')?;
                }
                gap = false;
                f.write_char(letter.to_ascii_lowercase())?;
            } else {
                // I/O is one word.
                gap = !text.get(index.saturating_sub(1)..).is_some_and(|rest| rest.starts_with("I/O"));
            }
        }
        match self.unit {
            Some(unit) => write!(f, "_{}", unit.suffix()),
            None => Ok(()),
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for FieldKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Whether something is displayed as `expected`, whatever the case of its letters.
pub(super) fn is(name: &impl fmt::Display, expected: &str) -> bool {
    /// What is left to be matched; `None` once something else came.
    struct Rest<'a>(Option<&'a str>);

    impl fmt::Write for Rest<'_> {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            self.0 = self.0.and_then(|rest| {
                let (start, rest) = rest.split_at_checked(part.len())?;
                start.eq_ignore_ascii_case(part).then_some(rest)
            });
            if self.0.is_some() { Ok(()) } else { Err(fmt::Error) }
        }
    }

    let mut rest = Rest(Some(expected));
    fmt::Write::write_fmt(&mut rest, format_args!("{name}")).is_ok() && rest.0 == Some("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn constants_read_like_names() {
        for (constant, name, key) in [
            ("BUS_MASTER", "Bus Master", "bus_master"),
            ("IO_SPACE", "I/O Space", "io_space"),
            ("SERR_ENABLE", "SERR Enable", "serr_enable"),
            ("PCI_PM_L1_2_ENABLE", "PCI PM L1.2 Enable", "pci_pm_l1_2_enable"),
            ("SPEED_2_5_GT", "Speed 2.5 GT", "speed_2_5_gt"),
            ("NO_SOFT_RESET", "No Soft Reset", "no_soft_reset"),
            ("", "", ""),
        ] {
            let field = FieldName(Written::Constant(constant));
            assert_eq!(field.to_string(), name);
            assert!(field.is(&name.to_lowercase()) && !field.is("Bus"));
            assert_eq!(FieldKey { name: field, unit: None }.to_string(), key);
        }
    }

    #[test]
    fn keys_have_their_unit_at_the_end() {
        let key = |text, unit| FieldKey { name: FieldName(Written::Text(text)), unit }.to_string();
        assert_eq!(key("L1 Exit Latency", Some(Unit::Nanoseconds)), "l1_exit_latency_ns");
        assert_eq!(key("TC/VC Map", None), "tc_vc_map");
        assert_eq!(key("I/O Base Address", None), "io_base_address");
        assert_eq!(key("DL_Up Time", Some(Unit::Nanoseconds)), "dl_up_time_ns");
    }

    #[test]
    fn one_of_several_registers_has_its_number() {
        let name = RegisterName { text: "IDE Address Association 1", index: Index(Some(2), Some(0)) };
        assert_eq!(name.to_string(), "IDE Address Association 1 [2][0]");
        assert!(name.is("ide address association 1 [2][0]"));
        assert!(!name.is("IDE Address Association 1") && !name.is("IDE Address Association 1 [2][0] "));
    }
}
