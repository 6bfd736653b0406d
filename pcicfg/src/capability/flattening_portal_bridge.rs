//! Flattening Portal Bridge (15h): a bridge that finds what lies below by bit vectors (PCI Express Base
//! 6.0, 7.8.12).

use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;

bitflags! {
    /// FPB Capabilities, offset 04h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FpbCapabilities: u32 {
        /// Routing ids can be decoded by vector.
        const RID_DECODE_MECHANISM_SUPPORTED = 1 << 0;
        /// Memory below 4 GiB can be decoded by vector.
        const MEM_LOW_DECODE_MECHANISM_SUPPORTED = 1 << 1;
        /// Memory beyond 4 GiB can be decoded by vector.
        const MEM_HIGH_DECODE_MECHANISM_SUPPORTED = 1 << 2;
        const _ = !0;
    }

    /// FPB RID Vector Control 1, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FpbRidVectorControl1: u32 {
        /// Routing ids are decoded by vector.
        const RID_DECODE_MECHANISM_ENABLE = 1 << 0;
        const _ = !0;
    }

    /// FPB RID Vector Control 2, offset 0Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FpbRidVectorControl2: u32 {
        const _ = !0;
    }

    /// FPB MEM Low Vector Control, offset 10h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FpbMemLowVectorControl: u32 {
        /// Memory below 4 GiB is decoded by vector.
        const MEM_LOW_DECODE_MECHANISM_ENABLE = 1 << 0;
        const _ = !0;
    }

    /// FPB MEM High Vector Control 1, offset 14h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FpbMemHighVectorControl1: u32 {
        /// Memory beyond 4 GiB is decoded by vector.
        const MEM_HIGH_DECODE_MECHANISM_ENABLE = 1 << 0;
        const _ = !0;
    }

    /// FPB Vector Access Control, offset 1Ch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct FpbVectorAccessControl: u32 {
        const _ = !0;
    }
}

impl FpbCapabilities {
    /// FPB Num Sec Dev: how many device numbers the secondary side of a switch's upstream port has, 1
    /// to 32.
    #[must_use]
    pub const fn num_sec_dev(self) -> u8 {
        let code = self.bits() >> 3 & 0x1f;
        code as u8 + 1
    }

    /// FPB RID Vector Size Supported, in bits; `None` for a reserved code.
    #[must_use]
    pub const fn rid_vector_size_supported(self) -> Option<u32> {
        let code = self.bits() >> 8 & 0x7;
        vector_size(code, 2)
    }

    /// FPB MEM Low Vector Size Supported, in bits; `None` for a reserved code.
    #[must_use]
    pub const fn mem_low_vector_size_supported(self) -> Option<u32> {
        let code = self.bits() >> 16 & 0x7;
        vector_size(code, 4)
    }

    /// FPB MEM High Vector Size Supported, in bits; `None` for a reserved code.
    #[must_use]
    pub const fn mem_high_vector_size_supported(self) -> Option<u32> {
        let code = self.bits() >> 24 & 0x7;
        vector_size(code, 7)
    }
}

impl FpbRidVectorControl1 {
    /// FPB RID Vector Granularity: for how many routing ids a bit stands; `None` for a reserved code.
    #[must_use]
    pub const fn rid_vector_granularity(self) -> Option<u16> {
        let code = self.bits() >> 4 & 0xf;
        match code {
            0 => Some(8),
            3 => Some(64),
            5 => Some(256),
            _ => None,
        }
    }

    /// FPB RID Vector Start: the routing id of the first bit.
    #[must_use]
    pub const fn rid_vector_start(self) -> u16 {
        let code = self.bits() >> 19;
        (code as u16) << 3
    }
}

impl FpbRidVectorControl2 {
    /// RID Secondary Start: the first routing id of the secondary side.
    #[must_use]
    pub const fn rid_secondary_start(self) -> u16 {
        let code = self.bits() >> 3 & 0x1fff;
        (code as u16) << 3
    }
}

impl FpbMemLowVectorControl {
    /// FPB MEM Low Vector Granularity: for how many bytes a bit stands, 1 to 16 MiB; `None` for a
    /// reserved code.
    #[must_use]
    pub const fn mem_low_vector_granularity(self) -> Option<u32> {
        let code = self.bits() >> 4 & 0xf;
        if code <= 4 { Some(1 << (20 + code)) } else { None }
    }

    /// FPB MEM Low Vector Start: the address of the first bit.
    #[must_use]
    pub const fn mem_low_vector_start(self) -> u32 {
        let code = self.bits() >> 20;
        code << 20
    }
}

impl FpbMemHighVectorControl1 {
    /// FPB MEM High Vector Granularity: for how many bytes a bit stands, 256 MiB to 32 GiB; `None` for
    /// a reserved code.
    #[must_use]
    pub const fn mem_high_vector_granularity(self) -> Option<u64> {
        let code = self.bits() >> 4 & 0xf;
        if code <= 7 { Some(1 << (28 + code)) } else { None }
    }

    /// FPB MEM High Vector Start Lower: bits 31 to 28 of the address.
    #[must_use]
    pub const fn mem_high_vector_start_lower(self) -> u8 {
        (self.bits() >> 28) as u8
    }
}

impl FpbVectorAccessControl {
    /// FPB Vector Access Offset: which dword of the vector.
    #[must_use]
    pub const fn vector_access_offset(self) -> u8 {
        (self.bits() & 0xff) as u8
    }

    /// FPB Vector Select.
    #[must_use]
    pub const fn vector_select(self) -> FpbVector {
        FpbVector::from_code((self.bits() >> 14 & 0x3) as u8)
    }
}

/// Which vector the access registers show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FpbVector {
    /// The one of routing ids.
    Rid,
    /// The one of memory below 4 GiB.
    MemLow,
    /// The one of memory beyond 4 GiB.
    MemHigh,
    /// The fourth code.
    Reserved,
}

impl FpbVector {
    const fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Rid,
            1 => Self::MemLow,
            2 => Self::MemHigh,
            _ => Self::Reserved,
        }
    }
}

const fn vector_size(code: u32, maximum: u32) -> Option<u32> {
    if code <= maximum { Some(256 << code) } else { None }
}

/// The Flattening Portal Bridge capability.
///
/// ```
/// use pcicfg::{ConfigSpace, capability::Capability};
///
/// let mut bytes = [0; 256];
/// bytes[0x06] = 0x10; // Status: Capabilities List
/// bytes[0x34] = 0x40; // Capabilities Pointer
/// let registers = [
///     0x15, 0x00, 0x00, 0x00, 0x01, 0x01, 0x00, 0x00, 0x01, 0x00, 0x08, 0x01, 0x00, 0x00, 0x00, 0x00,
///     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
///     0x00, 0x00, 0x00, 0x00,
/// ];
/// bytes[0x40..0x40 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.capabilities().next().unwrap()?;
/// let Capability::FlatteningPortalBridge(bridge) = entry.decode()? else { panic!() };
/// assert_eq!(bridge.capabilities().rid_vector_size_supported(), Some(512));
/// assert_eq!(bridge.rid_vector_control_1().rid_vector_granularity(), Some(8));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlatteningPortalBridge<'a> {
    bytes: &'a [u8; 0x24],
    offset: u16,
}

impl<'a> FlatteningPortalBridge<'a> {
    /// Offset of FPB Capabilities from the capability's start.
    pub const CAPABILITIES: u16 = 0x04;
    /// Offset of FPB RID Vector Control 1 from the capability's start.
    pub const RID_VECTOR_CONTROL_1: u16 = 0x08;
    /// Offset of FPB RID Vector Control 2 from the capability's start.
    pub const RID_VECTOR_CONTROL_2: u16 = 0x0c;
    /// Offset of FPB MEM Low Vector Control from the capability's start.
    pub const MEM_LOW_VECTOR_CONTROL: u16 = 0x10;
    /// Offset of FPB MEM High Vector Control 1 from the capability's start.
    pub const MEM_HIGH_VECTOR_CONTROL_1: u16 = 0x14;
    /// Offset of FPB MEM High Vector Control 2 from the capability's start.
    pub const MEM_HIGH_VECTOR_CONTROL_2: u16 = 0x18;
    /// Offset of FPB Vector Access Control from the capability's start.
    pub const VECTOR_ACCESS_CONTROL: u16 = 0x1c;
    /// Offset of FPB Vector Access Data from the capability's start.
    pub const VECTOR_ACCESS_DATA: u16 = 0x20;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// FPB Capabilities.
    #[must_use]
    pub const fn capabilities(self) -> FpbCapabilities {
        FpbCapabilities::from_bits_retain(dword::<0x04, 0x24>(self.bytes))
    }

    /// FPB RID Vector Control 1.
    #[must_use]
    pub const fn rid_vector_control_1(self) -> FpbRidVectorControl1 {
        FpbRidVectorControl1::from_bits_retain(dword::<0x08, 0x24>(self.bytes))
    }

    /// FPB RID Vector Control 2.
    #[must_use]
    pub const fn rid_vector_control_2(self) -> FpbRidVectorControl2 {
        FpbRidVectorControl2::from_bits_retain(dword::<0x0c, 0x24>(self.bytes))
    }

    /// FPB MEM Low Vector Control.
    #[must_use]
    pub const fn mem_low_vector_control(self) -> FpbMemLowVectorControl {
        FpbMemLowVectorControl::from_bits_retain(dword::<0x10, 0x24>(self.bytes))
    }

    /// FPB MEM High Vector Control 1.
    #[must_use]
    pub const fn mem_high_vector_control_1(self) -> FpbMemHighVectorControl1 {
        FpbMemHighVectorControl1::from_bits_retain(dword::<0x14, 0x24>(self.bytes))
    }

    /// FPB MEM High Vector Control 2: the upper half of the start address.
    #[must_use]
    pub const fn mem_high_vector_control_2(self) -> u32 {
        dword::<0x18, 0x24>(self.bytes)
    }

    /// FPB Vector Access Control.
    #[must_use]
    pub const fn vector_access_control(self) -> FpbVectorAccessControl {
        FpbVectorAccessControl::from_bits_retain(dword::<0x1c, 0x24>(self.bytes))
    }

    /// FPB Vector Access Data.
    #[must_use]
    pub const fn vector_access_data(self) -> u32 {
        dword::<0x20, 0x24>(self.bytes)
    }

    /// FPB MEM High Vector Start: the address of the first bit, of both control registers.
    #[must_use]
    pub const fn mem_high_vector_start(self) -> u64 {
        (self.mem_high_vector_control_2() as u64) << 32
            | (self.mem_high_vector_control_1().mem_high_vector_start_lower() as u64) << 28
    }
}
