//! Base Address Registers: how many bytes each decodes, which of its bits can be written.

use super::registers::dword;
use serde::{Deserialize, Serialize};

/// What is known of the sizes of a function's address ranges, in bytes; `None` is guessed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sizes {
    /// Base Address Registers 0 to 5.
    pub(super) bars: [Option<u64>; 6],
    /// The expansion ROM.
    pub(super) rom: Option<u64>,
    /// Each virtual function's, in SR-IOV.
    pub(super) virtual_functions: [Option<u64>; 6],
}

/// One implemented Base Address Register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Base {
    /// 0 to 5; 6 is the expansion ROM, 7 to 12 those of SR-IOV.
    pub(super) index: u8,
    /// Where the register is.
    pub(super) at: u16,
    /// The bytes it decodes: a power of two.
    pub(super) size: u64,
    /// Ports, not memory.
    pub(super) io: bool,
    /// It takes the next register too.
    pub(super) wide: bool,
}

impl Base {
    /// The expansion ROM's index.
    pub(super) const ROM: u8 = 6;

    /// The registers of a header, and its expansion ROM's at `rom`.
    pub(super) fn all(image: &[u8], sizes: &Sizes, at: u16, count: u8, rom: u16) -> Vec<Self> {
        let mut bases = Self::array(image, &sizes.bars, at, count, 0);
        let value = dword(image, rom) & 0xffff_f800;
        if let Some(size) = sizes.rom.or((value != 0).then(|| guess(u64::from(value), false).max(2048))) {
            bases.push(Self { index: Self::ROM, at: rom, size: size.max(2048), io: false, wide: false });
        }
        bases
    }

    /// The registers of the SR-IOV capability.
    pub(super) fn virtual_functions(image: &[u8], sizes: &Sizes, at: u16) -> Vec<Self> {
        Self::array(image, &sizes.virtual_functions, at, 6, 7)
    }

    fn array(image: &[u8], sizes: &[Option<u64>; 6], at: u16, count: u8, first: u8) -> Vec<Self> {
        let mut bases = Vec::new();
        let mut slot = 0;
        while slot < count {
            let register = at + u16::from(slot) * 4;
            let value = dword(image, register);
            let io = value & 1 == 1;
            // A 64-bit register in the last slot has no upper half.
            let wide = !io && value & 6 == 4 && slot + 1 < count;
            let address = match (io, wide) {
                (true, _) => u64::from(value & !3),
                (false, true) => u64::from(value & !0xf) | u64::from(dword(image, register + 4)) << 32,
                (false, false) => u64::from(value & !0xf),
            };
            let known = sizes.get(usize::from(slot)).copied().flatten();
            if let Some(size) = known.or((value != 0).then(|| guess(address, io))) {
                let size = size.max(if io { 4 } else { 16 });
                bases.push(Self { index: first + slot, at: register, size, io, wide });
            }
            slot += if wide { 2 } else { 1 };
        }
        bases
    }

    /// The registers with the bits of each that can be written.
    pub(super) fn masks(&self) -> Vec<(u16, u32)> {
        let mask = !(self.size - 1);
        if self.index == Self::ROM {
            return vec![(self.at, mask as u32 & 0xffff_f800 | 1)];
        }
        let mut masks = vec![(self.at, mask as u32 & self.address_bits(self.at))];
        if self.wide {
            masks.push((self.at + 4, (mask >> 32) as u32));
        }
        masks
    }

    /// The bits that are an address and no type.
    pub(super) fn address_bits(&self, at: u16) -> u32 {
        match (self.index, self.io) {
            (Self::ROM, _) => !0,
            _ if at != self.at => !0,
            (_, true) => !3,
            (_, false) => !0xf,
        }
    }

    /// Where the registers say that the range begins.
    pub(super) fn address(&self, registers: &[u8]) -> u64 {
        let low = dword(registers, self.at);
        if self.index == Self::ROM {
            return u64::from(low & 0xffff_f800);
        }
        let high = if self.wide { u64::from(dword(registers, self.at + 4)) << 32 } else { 0 };
        high | u64::from(low & self.address_bits(self.at))
    }
}

/// The size of a range whose address alone is known: it is aligned to its size, so the lowest bit of
/// the address is the largest that the size can be.
fn guess(address: u64, io: bool) -> u64 {
    let largest = if io { 256 } else { 16 << 20 };
    if address == 0 { if io { 32 } else { 4096 } } else { (1u64 << address.trailing_zeros()).min(largest) }
}
