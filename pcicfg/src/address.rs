//! Where a function is: domain, bus, device, function.
//!
//! ```
//! use pcicfg::Address;
//! let address: Address = "3:0.0".parse()?;
//! assert_eq!(address.to_string(), "0000:03:00.0");
//! assert_eq!("10000:e1:00.0".parse::<Address>()?.domain(), 0x10000);
//! # Ok::<(), pcicfg::ParseAddressError>(())
//! ```

use core::fmt;
use core::str::FromStr;

/// The address of a PCI function: `domain:bus:device.function`.
///
/// Ordered as the kernel lists functions. Read from every form that users type, see
/// [`FromStr`](#impl-FromStr-for-Address); written as `0000:03:00.0`, a domain above `ffff` with as
/// many digits as it needs (VMD and Hyper-V use 32-bit domains).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    domain: u32,
    bus: u8,
    devfn: u8,
}

impl Address {
    /// The address made of its parts; `None` if `device` is over 31 or `function` over 7.
    #[must_use]
    pub const fn new(domain: u32, bus: u8, device: u8, function: u8) -> Option<Self> {
        if device > 31 || function > 7 {
            return None;
        }
        Some(Self { domain, bus, devfn: device << 3 | function })
    }

    /// The address made of a bus and the device-and-function byte that routing ids carry.
    #[must_use]
    pub const fn from_devfn(domain: u32, bus: u8, devfn: u8) -> Self {
        Self { domain, bus, devfn }
    }

    /// The PCI domain (segment group).
    #[must_use]
    pub const fn domain(self) -> u32 {
        self.domain
    }

    /// The bus number within the domain.
    #[must_use]
    pub const fn bus(self) -> u8 {
        self.bus
    }

    /// The device number, 0 to 31.
    #[must_use]
    pub const fn device(self) -> u8 {
        self.devfn >> 3
    }

    /// The function number, 0 to 7.
    #[must_use]
    pub const fn function(self) -> u8 {
        self.devfn & 7
    }

    /// Device and function in one byte, as in a routing id: the device in bits 7 to 3.
    #[must_use]
    pub const fn devfn(self) -> u8 {
        self.devfn
    }

    /// Whether both are functions of one device (the same domain, bus and device number).
    #[must_use]
    pub const fn same_device(self, other: Self) -> bool {
        self.same_bus(other) && self.devfn >> 3 == other.devfn >> 3
    }

    /// Whether both are on one bus.
    #[must_use]
    pub const fn same_bus(self, other: Self) -> bool {
        self.domain == other.domain && self.bus == other.bus
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{:02x}:{:02x}.{:x}", self.domain, self.bus, self.device(), self.function())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseAddressError {
    /// The text has not the shape `[domain:]bus:device.function`.
    #[error(
        "not a PCI address: expected [domain:]bus:device.function in hex, such as 03:00.0 or 0000:03:00.0"
    )]
    Shape,
    /// A part is not a hexadecimal number, or has too many digits.
    #[error("not a PCI address: the {part} is not a hexadecimal number of at most {digits} digits")]
    Number {
        /// Which part.
        part: &'static str,
        /// How many digits it may have.
        digits: u8,
    },
    /// A part is a number that no function can have.
    #[error("not a PCI address: the {part} {value:#x} is above {max:#x}")]
    Range {
        /// Which part.
        part: &'static str,
        /// What the text says.
        value: u32,
        /// The highest that exists.
        max: u32,
    },
}

fn hex(text: &str, part: &'static str, digits: u8) -> Result<u32, ParseAddressError> {
    let error = ParseAddressError::Number { part, digits };
    // from_str_radix takes a sign, an address has none.
    if text.is_empty() || text.len() > usize::from(digits) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(error);
    }
    u32::from_str_radix(text, 16).map_err(|_| error)
}

/// Takes `bus:device.function` with any domain of 1 to 8 digits before it, leading zeros or not,
/// upper or lower case.
impl FromStr for Address {
    type Err = ParseAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (rest, function) = text.rsplit_once('.').ok_or(ParseAddressError::Shape)?;
        let (rest, device) = rest.rsplit_once(':').ok_or(ParseAddressError::Shape)?;
        let (domain, bus) = match rest.rsplit_once(':') {
            Some((domain, bus)) => (hex(domain, "domain", 8)?, bus),
            None => (0, rest),
        };
        let bus = hex(bus, "bus", 2)?;
        let device = hex(device, "device", 2)?;
        let function = hex(function, "function", 1)?;
        if device > 31 {
            return Err(ParseAddressError::Range { part: "device", value: device, max: 31 });
        }
        if function > 7 {
            return Err(ParseAddressError::Range { part: "function", value: function, max: 7 });
        }
        Ok(Self { domain, bus: bus as u8, devfn: (device << 3 | function) as u8 })
    }
}

#[cfg(feature = "serde")]
mod text {
    use super::Address;
    use alloc::borrow::Cow;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    impl Serialize for Address {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }

    impl<'de> Deserialize<'de> for Address {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
        }
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    #[test]
    fn every_form_that_users_type_is_read() {
        for (text, parts) in [
            ("03:00.0", (0, 3, 0, 0)),
            ("3:0.1", (0, 3, 0, 1)),
            ("0000:03:1f.7", (0, 3, 31, 7)),
            ("C5:00.3", (0, 0xc5, 0, 3)),
            ("0:c5:00.3", (0, 0xc5, 0, 3)),
            ("10000:e1:00.0", (0x10000, 0xe1, 0, 0)),
            ("ffffffff:ff:1f.7", (0xffff_ffff, 0xff, 31, 7)),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(
                (address.domain(), address.bus(), address.device(), address.function()),
                parts,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_part_that_is_wrong() {
        for text in [
            "",
            "03",
            "03:00",
            ":00.0",
            "03:.0",
            "03:00.",
            "+3:00.0",
            "03:00.-1",
            "123:00.0",
            "x:03:00.0",
            "1:2:3:4.0",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
        assert_eq!(
            "03:20.0".parse::<Address>(),
            Err(ParseAddressError::Range { part: "device", value: 32, max: 31 })
        );
        assert_eq!(
            "03:00.8".parse::<Address>(),
            Err(ParseAddressError::Range { part: "function", value: 8, max: 7 })
        );
        assert_eq!(
            "3:00.g".parse::<Address>(),
            Err(ParseAddressError::Number { part: "function", digits: 1 })
        );
    }

    proptest! {
        #[test]
        fn text_round_trips(domain: u32, bus: u8, devfn: u8) {
            let address = Address::from_devfn(domain, bus, devfn);
            prop_assert_eq!(address.to_string().parse(), Ok(address));
        }

        #[test]
        fn any_text_is_an_address_or_an_error(text in ".{0,24}") {
            let _ = text.parse::<Address>();
        }
    }
}
