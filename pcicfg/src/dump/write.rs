//! The writer.

use core::fmt;

use crate::address::Address;

/// How many bytes of each function are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Extent {
    /// `lspci -x`: the header, 64 bytes, or 128 of a CardBus bridge.
    Header,
    /// `lspci -xxx`: 256 bytes if they are all there, else the header.
    Conventional,
    /// `lspci -xxxx`: 4096 bytes if they are all there, else as `-xxx`.
    Extended,
    /// All bytes that are there: the same as `lspci -xxxx` for 64, 256 and 4096 bytes, and nothing
    /// lost of odd sizes.
    #[default]
    All,
}

impl Extent {
    /// How many bytes of `config` this is.
    #[must_use]
    pub fn size(self, config: &[u8]) -> usize {
        let size = config.len();
        // Header Type 2 is CardBus, whose header has 128 bytes.
        let header = match config.get(0x0e) {
            Some(kind) if kind & 0x7f == 2 && size >= 128 => 128,
            _ => size.min(64),
        };
        match self {
            Self::All => size.min(4096),
            Self::Extended if size >= 4096 => 4096,
            Self::Extended | Self::Conventional if size >= 256 => 256,
            _ => header,
        }
    }
}

/// How functions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Style {
    /// How many bytes of each function.
    pub extent: Extent,
    /// Whether the domain is written even if it is 0 (`lspci -D`).
    pub domain: bool,
}

/// Writes a function as `lspci -x` does: slot line, rows, an empty line.
///
/// The domain is written if `style` asks for it or it is not 0. Line breaks and other control
/// characters in `description` become spaces, white space around it is left out.
///
/// ```
/// use pcicfg::dump::{Style, write_function};
///
/// let mut text = String::new();
/// write_function(&mut text, "3:0.0".parse()?, "Ethernet", &[0x86, 0x80], Style::default())?;
/// assert_eq!(text, "03:00.0 Ethernet\n00: 86 80\n\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// What `out` returns.
pub fn write_function(
    out: &mut impl fmt::Write,
    address: Address,
    description: &str,
    config: &[u8],
    style: Style,
) -> fmt::Result {
    if style.domain || address.domain() != 0 {
        write!(out, "{address} ")?;
    } else {
        write!(out, "{:02x}:{:02x}.{:x} ", address.bus(), address.device(), address.function())?;
    }
    write_clean(out, description)?;
    out.write_char('\n')?;
    write_rows(out, config.get(..style.extent.size(config)).unwrap_or(config))?;
    out.write_char('\n')
}

/// Writes a description as one piece of a line: control characters, line breaks among them, as spaces;
/// nothing of them or of white space at either end.
pub(super) fn write_clean(out: &mut impl fmt::Write, description: &str) -> fmt::Result {
    let text = description.trim_matches(|c: char| c.is_control() || c.is_whitespace());
    for (index, piece) in text.split(char::is_control).enumerate() {
        if index > 0 {
            out.write_char(' ')?;
        }
        out.write_str(piece)?;
    }
    Ok(())
}

/// Writes rows of sixteen bytes as `lspci -x` does, the first with offset 0. What is beyond 4096
/// bytes is left out: no reader takes it.
///
/// # Errors
/// What `out` returns.
pub fn write_rows(out: &mut impl fmt::Write, bytes: &[u8]) -> fmt::Result {
    for (row, offset) in bytes.chunks(16).zip((0..4096u16).step_by(16)) {
        // An offset of three digits, a colon, sixteen bytes, a line end.
        let mut text = [b' '; 3 + 1 + 16 * 3 + 1];
        let [high, middle, low, colon, cells @ ..] = &mut text;
        (*high, *middle, *low, *colon) = (digit(offset >> 8), digit(offset >> 4), digit(offset), b':');
        for (cell, &byte) in cells.chunks_exact_mut(3).zip(row) {
            cell[1] = digit(u16::from(byte) >> 4);
            cell[2] = digit(u16::from(byte));
        }
        let end = row.len() * 3;
        cells[end] = b'\n';
        let begin = usize::from(offset < 0x100);
        // All of it is ASCII.
        out.write_str(core::str::from_utf8(&text[begin..4 + end + 1]).unwrap_or_default())?;
    }
    Ok(())
}

/// The digit of the lowest four bits.
fn digit(value: u16) -> u8 {
    b"0123456789abcdef"[usize::from(value & 0xf)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn written(config: &[u8], extent: Extent) -> String {
        let mut text = String::new();
        let address = Address::new(0, 3, 0, 0).unwrap();
        write_function(&mut text, address, "x", config, Style { extent, domain: false }).unwrap();
        text
    }

    fn rows(config: &[u8], extent: Extent) -> usize {
        written(config, extent).lines().count() - 2
    }

    #[test]
    fn the_text_is_that_of_lspci() {
        let config: [u8; 64] = core::array::from_fn(|index| index as u8);
        assert_eq!(
            written(&config, Extent::Header),
            "03:00.0 x\n\
             00: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n\
             10: 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f\n\
             20: 20 21 22 23 24 25 26 27 28 29 2a 2b 2c 2d 2e 2f\n\
             30: 30 31 32 33 34 35 36 37 38 39 3a 3b 3c 3d 3e 3f\n\n"
        );
        let text = written(&[0xff; 4096], Extent::Extended);
        assert!(text.contains("\nf0: ff ff"));
        assert!(text.contains("\n100: ff ff"));
        assert!(text.ends_with("ff0: ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff\n\n"));
    }

    #[test]
    fn each_extent_falls_back_to_the_next_smaller_as_in_lspci() {
        for (size, header, conventional, extended, all) in [
            (64, 4, 4, 4, 4),
            (128, 4, 4, 4, 8),
            (256, 4, 16, 16, 16),
            (300, 4, 16, 16, 19),
            (4096, 4, 16, 256, 256),
            (16, 1, 1, 1, 1),
            (0, 0, 0, 0, 0),
            (5000, 4, 16, 256, 256),
        ] {
            let config = &[0; 5000][..size];
            assert_eq!(rows(config, Extent::Header), header, "{size}");
            assert_eq!(rows(config, Extent::Conventional), conventional, "{size}");
            assert_eq!(rows(config, Extent::Extended), extended, "{size}");
            assert_eq!(rows(config, Extent::All), all, "{size}");
        }
        let mut cardbus = [0; 128];
        cardbus[0x0e] = 0x82;
        assert_eq!(rows(&cardbus, Extent::Header), 8);
    }

    #[test]
    fn the_domain_is_written_if_asked_for_or_not_0() {
        let written = |domain, asked| {
            let mut text = String::new();
            let style = Style { domain: asked, ..Style::default() };
            write_function(&mut text, Address::from_devfn(domain, 0xe1, 0xff), "x", &[], style).unwrap();
            text
        };
        assert_eq!(written(0, false), "e1:1f.7 x\n\n");
        assert_eq!(written(0, true), "0000:e1:1f.7 x\n\n");
        assert_eq!(written(0x10000, false), "10000:e1:1f.7 x\n\n");
    }

    #[test]
    fn a_description_cannot_begin_a_line() {
        let mut text = String::new();
        let address = Address::new(0, 0, 0, 0).unwrap();
        write_function(&mut text, address, " a\r\n00: 11\nb ", &[], Style::default()).unwrap();
        assert_eq!(text, "00:00.0 a  00: 11 b\n\n");
    }
}
