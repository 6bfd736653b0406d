//! Which functions are wanted: `-s` and `-d`.

use super::Subject;

/// Functions by address and ids, in lspci's syntax.
///
/// ```
/// use pcicfg::lspci::Filter;
/// let mut filter = Filter::default();
/// filter.slot("03:")?; // all of bus 3
/// filter.id("::0106")?; // that are SATA controllers
/// assert!(filter.id("::zz").is_err());
/// # Ok::<(), pcicfg::lspci::FilterError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    domain: Option<u32>,
    bus: Option<u32>,
    device: Option<u32>,
    function: Option<u32>,
    vendor_id: Option<u32>,
    device_id: Option<u32>,
    /// The class, and which of its bits count.
    class: Option<(u32, u32)>,
    interface: Option<u32>,
}

/// Why a text is no filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// More parts than there are.
    #[error("too many fields; expected {expected}")]
    Fields {
        /// What is expected.
        expected: &'static str,
    },
    /// An id without a colon.
    #[error("at least two fields must be given: [vendor]:[device][:class[:interface]]")]
    TooFew,
    /// A part that is no number, or too large.
    #[error("the {part} is no hexadecimal number up to {max:x}")]
    Number {
        /// Which part.
        part: &'static str,
        /// The largest it may be.
        max: u32,
    },
}

impl Filter {
    /// Wants only functions in these slots, `[[[domain]:]bus:][device][.[function]]`; a part that is
    /// empty or `*` is as before.
    ///
    /// # Errors
    /// [`FilterError`] if the text is something else.
    pub fn slot(&mut self, text: &str) -> Result<(), FilterError> {
        let [a, b, c] = fields(text, ':', "[[[domain]:]bus:][device][.[function]]")?;
        let (domain, bus, slot) = match (b, c) {
            (_, Some(slot)) => (a, b, slot),
            (Some(slot), None) => (None, a, slot),
            (None, None) => (None, None, text),
        };
        let [device, function] = fields(slot, '.', "[device][.[function]]")?;
        let device = if slot == "*" { None } else { device };
        number(domain, "domain", 0x7fff_ffff, &mut self.domain)?;
        number(bus, "bus", 0xff, &mut self.bus)?;
        number(device, "device", 0x1f, &mut self.device)?;
        number(function, "function", 7, &mut self.function)
    }

    /// Wants only functions with these ids, `[vendor]:[device][:class[:interface]]`; a part that is
    /// empty or `*` is as before, and an `x` in the class stands for any digit.
    ///
    /// # Errors
    /// [`FilterError`] if the text is something else.
    pub fn id(&mut self, text: &str) -> Result<(), FilterError> {
        let [vendor, device, class, interface] = fields(text, ':', "[vendor]:[device][:class[:interface]]")?;
        if device.is_none() {
            return Err(FilterError::TooFew);
        }
        number(vendor, "vendor", 0xffff, &mut self.vendor_id)?;
        number(device, "device", 0xffff, &mut self.device_id)?;
        if let Some(class) = class.filter(|class| defined(class)) {
            self.class = Some(masked(class).ok_or(FilterError::Number { part: "class", max: 0xffff })?);
        }
        number(interface, "programming interface", 0xff, &mut self.interface)
    }

    /// Whether a function is wanted.
    #[must_use]
    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        let address = subject.address();
        let is = |wanted: Option<u32>, value: u32| wanted.is_none_or(|wanted| wanted == value);
        is(self.domain, address.domain())
            && is(self.bus, address.bus().into())
            && is(self.device, address.device().into())
            && is(self.function, address.function().into())
            && is(self.vendor_id, subject.vendor_id().into())
            && is(self.device_id, subject.device_id().into())
            && self.class.is_none_or(|(class, mask)| (class ^ u32::from(subject.class())) & mask == 0)
            && is(self.interface, subject.interface().into())
    }

    /// Whether every function is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Splits a text into at most `N` parts.
fn fields<'t, const N: usize>(
    text: &'t str,
    separator: char,
    expected: &'static str,
) -> Result<[Option<&'t str>; N], FilterError> {
    let mut fields = [None; N];
    for (index, field) in text.split(separator).enumerate() {
        *fields.get_mut(index).ok_or(FilterError::Fields { expected })? = Some(field);
    }
    Ok(fields)
}

fn defined(field: &str) -> bool {
    !field.is_empty() && field != "*"
}

/// Reads a hexadecimal number with or without `0x`; a part that is not given leaves `value` alone.
fn number(
    field: Option<&str>,
    part: &'static str,
    max: u32,
    value: &mut Option<u32>,
) -> Result<(), FilterError> {
    let Some(field) = field.filter(|field| defined(field)) else { return Ok(()) };
    let digits = field.strip_prefix("0x").or_else(|| field.strip_prefix("0X")).unwrap_or(field);
    let mut read = 0u32;
    for digit in digits.chars() {
        let digit = digit.to_digit(16);
        let next = digit.and_then(|digit| Some(read.checked_mul(16)? | digit));
        read = next.filter(|next| *next <= max).ok_or(FilterError::Number { part, max })?;
    }
    *value = Some(read);
    Ok(())
}

/// A number of four digits at most, with `x` for those that do not count, and the bits that count.
fn masked(field: &str) -> Option<(u32, u32)> {
    let (mut value, mut mask) = (0u32, u32::MAX);
    for digit in field.chars() {
        let wildcard = matches!(digit, 'x' | 'X');
        let digit = if wildcard { 0 } else { digit.to_digit(16)? };
        value = value.checked_mul(16)? | digit;
        mask = mask << 4 | if wildcard { 0 } else { 0xf };
    }
    (value <= 0xffff && field.len() <= 8).then_some((value, mask))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Address;

    #[test]
    fn slots_are_read_as_lspci_reads_them() {
        let matching = |filter: &str| -> alloc::vec::Vec<&str> {
            let mut slots = Filter::default();
            slots.slot(filter).unwrap();
            ["0000:00:00.0", "0000:03:00.0", "0000:03:00.1", "0000:03:1f.1", "0001:03:00.0"]
                .into_iter()
                .filter(|address| {
                    let address: Address = address.parse().unwrap();
                    slots.matches(&Subject::new(address, &[]))
                })
                .collect()
        };
        assert_eq!(matching("").len(), 5);
        assert_eq!(matching("1:03:00.0"), ["0001:03:00.0"]);
        assert_eq!(matching("1::"), ["0001:03:00.0"]);
        assert_eq!(matching("0:3:"), ["0000:03:00.0", "0000:03:00.1", "0000:03:1f.1"]);
        assert_eq!(matching("3:*"), ["0000:03:00.0", "0000:03:00.1", "0000:03:1f.1", "0001:03:00.0"]);
        assert_eq!(matching(".1"), ["0000:03:00.1", "0000:03:1f.1"]);
        assert_eq!(matching("0x1f"), ["0000:03:1f.1"]);
        assert_eq!(matching("03:00.*"), ["0000:03:00.0", "0000:03:00.1", "0001:03:00.0"]);
    }

    #[test]
    fn ids_are_read_as_lspci_reads_them() {
        let bytes = [0x21, 0x1b, 0x12, 0x06, 6, 0, 0x10, 0, 2, 1, 6, 1];
        let subject = Subject::new(Address::from_devfn(0, 3, 0), &bytes);
        for (filter, expected) in [
            (":", true),
            ("1b21:", true),
            ("1b21:0612", true),
            ("1b21:0613", false),
            (":612", true),
            ("*:*:0106", true),
            ("::01xx", true),
            ("::x1xx", true),
            ("::02xx", false),
            ("::0106:01", true),
            ("::0106:02", false),
        ] {
            let mut ids = Filter::default();
            ids.id(filter).unwrap();
            assert_eq!(ids.matches(&subject), expected, "{filter}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for text in ["1:2:3:4", "100:", "20", "0.8", "0.0.0", "g", "80000000::", "+1:"] {
            assert!(Filter::default().slot(text).is_err(), "{text}");
        }
        for text in ["8086", "10000:", ":10000", "::10000", "::0106:100", "1:2:3:4:5", "x:", "::é"] {
            assert!(Filter::default().id(text).is_err(), "{text}");
        }
        assert!(Filter::default().is_empty());
    }
}
