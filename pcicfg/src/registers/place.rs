//! Placing the tables' registers in a function's space.

use super::names::Index;
use super::table::Register;
use super::{PlacedRegister, RegisterMap, Structure};

impl RegisterMap {
    /// Places the registers that always stand at the same place of a structure.
    pub(super) fn place(&mut self, structure: Structure, table: &'static [Register]) {
        for register in table {
            self.place_one(structure, register, register.at, Index::default());
        }
    }

    /// Places the registers of entry `index` of a list, which begins at `at` of the structure.
    pub(super) fn place_entry(
        &mut self,
        structure: Structure,
        table: &'static [Register],
        at: u16,
        index: u16,
    ) {
        for register in table {
            self.place_one(structure, register, at.saturating_add(register.at), Index(Some(index), None));
        }
    }

    /// The same for entry `second` of the list within entry `first`.
    pub(super) fn place_inner(
        &mut self,
        structure: Structure,
        table: &'static [Register],
        at: u16,
        (first, second): (u16, u16),
    ) {
        let index = Index(Some(first), Some(second));
        for register in table {
            self.place_one(structure, register, at.saturating_add(register.at), index);
        }
    }

    /// Places one register at `at` of a structure, if it can be read and nothing else stands there.
    pub(super) fn place_one(
        &mut self,
        structure: Structure,
        register: &'static Register,
        at: u16,
        index: Index,
    ) {
        let offset = structure.offset().saturating_add(at);
        self.claim(PlacedRegister { register, structure, offset, index });
    }

    fn claim(&mut self, placed: PlacedRegister) {
        let end = placed.offset.saturating_add(u16::from(placed.width()));
        if end <= self.size && !self.claims(placed.offset, placed.width()) {
            self.claimed.insert(placed.offset, placed.width());
            self.registers.push(placed);
        }
    }

    /// The same at the end, for what an offset of the capability's own leads to: wherever that is, no other
    /// capability loses a register to it.
    pub(super) fn place_later(
        &mut self,
        structure: Structure,
        register: &'static Register,
        at: u16,
        (first, second): (u16, Option<u16>),
    ) {
        let offset = structure.offset().saturating_add(at);
        self.late.push(PlacedRegister { register, structure, offset, index: Index(Some(first), second) });
    }

    pub(super) fn place_late(&mut self) {
        for placed in core::mem::take(&mut self.late) {
            self.claim(placed);
        }
    }

    /// Notes bytes whose meaning is a vendor's.
    pub(super) fn vendor_bytes(&mut self, structure: Structure, length: u16) {
        let start = structure.offset();
        self.vendor.push((structure, start, start.saturating_add(length)));
    }
}
