//! The text being written, with the few ways in which lspci writes things.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// A text that grows, without [`core::fmt`]: lspci's text is a thousand small pieces for each
/// function, and the machinery of `write!` would take most of the time.
///
/// Every method returns the text, so that a line reads from left to right:
/// ```
/// use pcicfg::lspci::Text;
/// let mut text = Text::new();
/// text.str("Count=").dec(4).str(" at ").hex4(0x1f0).flag(" 64bit", true);
/// assert_eq!(text.to_str(), "Count=4 at 01f0 64bit+");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    bytes: Vec<u8>,
}

impl Text {
    /// An empty text.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new() }
    }

    /// An empty text with room for this many bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity) }
    }

    /// What was written, as a string; bytes that are no UTF-8 are replaced. There are none unless a
    /// device made one up (an interrupt pin above 3fh).
    #[must_use]
    pub fn to_str(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.bytes)
    }

    /// What was written.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes were written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Forgets what was written and keeps the room.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Forgets what was written after the first `length` bytes.
    pub(super) fn truncate(&mut self, length: usize) {
        self.bytes.truncate(length);
    }

    /// Appends a string.
    #[inline]
    pub fn str(&mut self, text: &str) -> &mut Self {
        self.bytes.extend_from_slice(text.as_bytes());
        self
    }

    /// Appends a string and gives its bytes, for characters in it that become others.
    #[inline]
    pub(super) fn append(&mut self, text: &str) -> &mut [u8] {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.get_mut(start..).unwrap_or_default()
    }

    /// Appends a byte, whatever it is: lspci prints some of a device's bytes as they are.
    #[inline]
    pub fn byte(&mut self, byte: u8) -> &mut Self {
        self.bytes.push(byte);
        self
    }

    /// Appends bytes, whatever they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// Ends the line.
    #[inline]
    pub fn end(&mut self) -> &mut Self {
        self.bytes.push(b'\n');
        self
    }

    /// `name+` or `name-`.
    #[inline]
    pub fn flag(&mut self, name: &str, on: bool) -> &mut Self {
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(if on { b'+' } else { b'-' });
        self
    }

    /// ` name+` or ` name-` for each of a register's bits, by bit number.
    /// ```
    /// # let mut text = pcicfg::lspci::Text::new();
    /// text.str("Ctl:").flags(0b10, &[("Enable", 1), ("Mask", 0)]);
    /// assert_eq!(text.to_str(), "Ctl: Enable+ Mask-");
    /// ```
    #[inline]
    pub fn flags(&mut self, register: u32, bits: &[(&str, u8)]) -> &mut Self {
        for &(name, bit) in bits {
            self.bytes.push(b' ');
            self.flag(name, register >> bit & 1 != 0);
        }
        self
    }

    /// The last `N` hexadecimal digits.
    #[inline]
    fn digits<const N: usize>(&mut self, value: u64) -> &mut Self {
        let mut digits = [0; N];
        let mut shift = 4 * N as u32;
        for digit in &mut digits {
            shift -= 4;
            *digit = DIGITS[(value >> shift & 0xf) as usize];
        }
        self.bytes.extend_from_slice(&digits);
        self
    }

    /// Two hexadecimal digits.
    #[inline]
    pub fn hex2(&mut self, value: u8) -> &mut Self {
        self.digits::<2>(value.into())
    }

    /// Four hexadecimal digits.
    #[inline]
    pub fn hex4(&mut self, value: u16) -> &mut Self {
        self.digits::<4>(value.into())
    }

    /// Eight hexadecimal digits.
    #[inline]
    pub fn hex8(&mut self, value: u32) -> &mut Self {
        self.digits::<8>(value.into())
    }

    /// Sixteen hexadecimal digits.
    #[inline]
    pub fn hex16(&mut self, value: u64) -> &mut Self {
        self.digits::<16>(value)
    }

    /// As many hexadecimal digits as the number has, and zeros before them up to `width` (at most 16).
    /// ```
    /// # let mut text = pcicfg::lspci::Text::new();
    /// text.hex(0, 0xfe0).str(" ").hex(8, 0xfe0).str(" ").hex(8, 0x38_0000_0000);
    /// assert_eq!(text.to_str(), "fe0 00000fe0 3800000000");
    /// ```
    pub fn hex(&mut self, width: u8, value: u64) -> &mut Self {
        let significant = (u64::BITS - value.leading_zeros()).div_ceil(4).max(1);
        let mut shift = 4 * significant.max(u32::from(width).min(16));
        while shift > 0 {
            shift -= 4;
            self.bytes.push(DIGITS[(value >> shift & 0xf) as usize]);
        }
        self
    }

    /// A decimal number.
    #[inline]
    pub fn dec(&mut self, value: u64) -> &mut Self {
        if value < 10 {
            self.bytes.push(b'0' + value as u8);
            return self;
        }
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut rest = value;
        while rest > 0 {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.bytes.extend_from_slice(&digits[at..]);
        self
    }

    /// A decimal number, with zeros before it up to `width`.
    pub fn dec_padded(&mut self, width: u8, value: u64) -> &mut Self {
        let mut digits = value.checked_ilog10().unwrap_or(0) + 1;
        while digits < u32::from(width) {
            self.bytes.push(b'0');
            digits += 1;
        }
        self.dec(value)
    }

    /// A decimal number with a sign if it is negative.
    pub fn signed(&mut self, value: i64) -> &mut Self {
        if value < 0 {
            self.bytes.push(b'-');
        }
        self.dec(value.unsigned_abs())
    }

    /// A number of thousandths as C's `%g` writes it: no zeros at the end, no point without digits.
    /// ```
    /// # let mut text = pcicfg::lspci::Text::new();
    /// text.thousandths(75_000).str(" ").thousandths(5_500).str(" ").thousandths(26);
    /// assert_eq!(text.to_str(), "75 5.5 0.026");
    /// ```
    pub fn thousandths(&mut self, value: u64) -> &mut Self {
        self.dec(value / 1000);
        let mut rest = value % 1000;
        if rest > 0 {
            self.bytes.push(b'.');
            let mut unit = 100;
            while rest > 0 {
                self.bytes.push(b'0' + (rest / unit) as u8);
                rest %= unit;
                unit /= 10;
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_written_as_fmt_writes_them(value: u64, width in 0u8..=16) {
            let mut text = Text::new();
            text.dec(value).str(" ").hex(width, value).str(" ").hex16(value).str(" ").hex8(value as u32);
            text.str(" ").hex4(value as u16).str(" ").hex2(value as u8).str(" ").signed(value as i64);
            text.str(" ").dec_padded(width, value & 0xffff);
            prop_assert_eq!(text.to_str(), format!(
                "{value} {value:0width$x} {value:016x} {:08x} {:04x} {:02x} {} {:0width$}",
                value as u32, value as u16, value as u8, value as i64, value & 0xffff, width = usize::from(width)
            ));
        }

        #[test]
        fn thousandths_have_no_zeros_at_the_end(value in 0u64..10_000_000) {
            let mut text = Text::new();
            text.thousandths(value);
            let expected = format!("{}.{:03}", value / 1000, value % 1000);
            prop_assert_eq!(text.to_str(), expected.trim_end_matches('0').trim_end_matches('.'));
        }
    }

    #[test]
    fn a_text_takes_any_byte() {
        let mut text = Text::with_capacity(8);
        text.byte(0xff).byte(b'x').str("ä").end();
        assert_eq!(text.as_bytes(), b"\xffx\xc3\xa4\n");
        assert_eq!(text.to_str(), "\u{fffd}xä\n");
        assert_eq!(text.len(), 5);
        text.clear();
        assert!(text.is_empty());
    }
}
