//! The UUID of a VFCT table.

use std::fmt;

/// A UUID as it stands in the table: the first three groups little endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Uuid(pub [u8; 16]);

impl Uuid {
    /// Tables made by AMD's firmware code: the records end with one of zeros.
    pub const AMD: Self = Self([
        0x32, 0x9b, 0xa3, 0x5d, 0xbd, 0xc6, 0xcf, 0x49, 0x95, 0xa6, 0xe8, 0xe4, 0x2e, 0xcd, 0x79, 0xa7,
    ]);
    /// Tables made by coreboot: the records end with the table.
    pub const COREBOOT: Self = Self([0; 16]);

    /// Whose tables have it; `None` for an unknown one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        match self {
            Self::AMD => Some("AMD"),
            Self::COREBOOT => Some("coreboot"),
            _ => None,
        }
    }
}

/// `5da39b32-c6bd-49cf-95a6-e8e42ecd79a7`
impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g, h, i, rest @ ..] = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-",
            u32::from_le_bytes([a, b, c, d]),
            u16::from_le_bytes([e, g]),
            u16::from_le_bytes([h, i])
        )?;
        for (at, byte) in rest.iter().enumerate() {
            write!(f, "{}{byte:02x}", if at == 2 { "-" } else { "" })?;
        }
        Ok(())
    }
}
