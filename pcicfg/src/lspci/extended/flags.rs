//! Registers of flags, and codes with names.
//!
//! Most of what lspci prints is text that never changes with a `+` or `-` behind each name.
//! [`Flags`] keeps such text whole and finds the places of the signs when it is compiled: writing
//! it copies the text once and sets single bytes.

use crate::lspci::Text;

/// A text with `N` flags of one register: each `~` in it becomes a `+` or `-`.
pub(super) struct Flags<const N: usize> {
    text: &'static str,
    marks: [Mark; N],
}

/// Where a sign stands, and which bits it tells of.
#[derive(Clone, Copy)]
struct Mark {
    at: u16,
    mask: u32,
}

impl<const N: usize> Flags<N> {
    /// A text whose signs tell of the bits with these numbers, in the text's order.
    pub(super) const fn new(text: &'static str, bits: [u32; N]) -> Self {
        let mut masks = [0; N];
        let mut index = 0;
        while index < N {
            masks[index] = 1 << bits[index];
            index += 1;
        }
        Self::of_masks(text, masks)
    }

    /// A text whose signs say whether any bit of a mask is set.
    pub(super) const fn of_masks(text: &'static str, masks: [u32; N]) -> Self {
        let mut marks = [Mark { at: 0, mask: 0 }; N];
        let bytes = text.as_bytes();
        let (mut found, mut at) = (0, 0);
        while at < bytes.len() {
            if bytes[at] == b'~' {
                marks[found] = Mark { at: at as u16, mask: masks[found] };
                found += 1;
            }
            at += 1;
        }
        assert!(found == N, "as many signs as bits");
        Self { text, marks }
    }
}

/// What the extended capabilities write beside strings and numbers.
pub(super) trait Write {
    /// The flags' text with the signs that `register` sets.
    fn signs<const N: usize>(&mut self, flags: &Flags<N>, register: impl Into<u32>) -> &mut Self;

    /// The name of `code`, or `??7` if it has none.
    fn named(&mut self, names: &[&str], code: u32) -> &mut Self;

    /// The name of `code`, or such as `Unknown (7)` if it has none.
    fn named_or(&mut self, name: Option<&str>, otherwise: &str, code: u32) -> &mut Self;
}

impl Write for Text {
    fn signs<const N: usize>(&mut self, flags: &Flags<N>, register: impl Into<u32>) -> &mut Self {
        let register = register.into();
        let text = self.append(flags.text);
        for &Mark { at, mask } in &flags.marks {
            if let Some(sign) = text.get_mut(usize::from(at)) {
                *sign = if register & mask == 0 { b'-' } else { b'+' };
            }
        }
        self
    }

    fn named(&mut self, names: &[&str], code: u32) -> &mut Self {
        match names.get(code as usize) {
            Some(name) => self.str(name),
            None => self.str("??").dec(code.into()),
        }
    }

    fn named_or(&mut self, name: Option<&str>, otherwise: &str, code: u32) -> &mut Self {
        match name {
            Some(name) => self.str(name),
            None => self.str(otherwise).str(" (").dec(code.into()).str(")"),
        }
    }
}

/// The `width` bits of `value` from bit `at` on.
pub(super) const fn bits(value: u32, at: u32, width: u32) -> u32 {
    value >> at & ((1 << width) - 1)
}

/// Whether `value` has bit `at`.
pub(super) const fn bit(value: u32, at: u32) -> bool {
    value >> at & 1 != 0
}
