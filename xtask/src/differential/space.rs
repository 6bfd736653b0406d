//! A function's address and bytes, and the text that lspci reads them from.

use std::fmt::{self, Write};

/// Where a function is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    /// Up to 16 bits.
    pub(crate) domain: u32,
    pub(crate) bus: u8,
    /// Device in the upper five bits, function in the lower three.
    pub(crate) devfn: u8,
}

impl Address {
    /// The address with this number of 24 bits: domain, bus, device, function.
    pub(crate) fn of(number: u32) -> Self {
        Self { domain: number >> 16, bus: (number >> 8) as u8, devfn: number as u8 }
    }

    /// As it stands at the start of a line, without its domain.
    pub(crate) fn short(self) -> String {
        format!("{:02x}:{:02x}.{}", self.bus, self.devfn >> 3, self.devfn & 7)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04x}:{}", self.domain, self.short())
    }
}

/// A function with the bytes of its configuration space that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) address: Address,
    pub(crate) bytes: Vec<u8>,
}

/// The functions as `lspci -xxxx` writes them and `lspci -F` reads them; with domains if any is not 0.
pub(crate) fn dump<'f>(functions: impl IntoIterator<Item = &'f Function> + Clone) -> String {
    let domains = functions.clone().into_iter().any(|function| function.address.domain != 0);
    let mut text = String::new();
    for function in functions {
        if domains {
            let _ = write!(text, "{:04x}:", function.address.domain);
        }
        text.push_str(&function.address.short());
        text.push_str(" x\n");
        for (row, bytes) in function.bytes.chunks(16).enumerate() {
            let _ = write!(text, "{:02x}:", row * 16);
            for byte in bytes {
                let _ = write!(text, " {byte:02x}");
            }
            text.push('\n');
        }
        text.push('\n');
    }
    text
}

/// A configuration space being made: 4096 bytes, of which the first are kept.
#[derive(Debug, Clone)]
pub(crate) struct Space(Box<[u8; 4096]>);

impl Space {
    /// All zero.
    pub(crate) fn new() -> Self {
        Self(Box::new([0; 4096]))
    }

    /// The byte at `at`.
    pub(crate) fn get(&self, at: usize) -> u8 {
        self.0.get(at).copied().unwrap_or_default()
    }

    /// Writes as many bytes as fit.
    pub(crate) fn put(&mut self, at: usize, bytes: &[u8]) {
        for (place, byte) in self.0.iter_mut().skip(at).zip(bytes) {
            *place = *byte;
        }
    }

    /// Writes a word.
    pub(crate) fn put16(&mut self, at: usize, word: u16) {
        self.put(at, &word.to_le_bytes());
    }

    /// Writes a dword.
    pub(crate) fn put32(&mut self, at: usize, dword: u32) {
        self.put(at, &dword.to_le_bytes());
    }

    /// Changes the bits of a byte that `mask` has to those of `bits`.
    pub(crate) fn set(&mut self, at: usize, mask: u8, bits: u8) {
        self.put(at, &[self.get(at) & !mask | bits & mask]);
    }

    /// The first `size` bytes.
    pub(crate) fn cut(&self, size: usize) -> Vec<u8> {
        self.0[..size.min(4096)].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_has_a_slot_line_rows_and_an_empty_line() {
        let one = Function { address: Address::of(0x0119), bytes: (0..18).collect() };
        assert_eq!(
            dump([&one]),
            "01:03.1 x\n00: 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\n10: 10 11\n\n"
        );
        let two = Function { address: Address::of(0x2_0000), bytes: vec![0xff] };
        assert!(dump([&one, &two]).contains("\n0002:00:00.0 x\n00: ff\n\n"));
        assert!(dump([&one, &two]).starts_with("0000:01:03.1 x\n"));
    }
}
