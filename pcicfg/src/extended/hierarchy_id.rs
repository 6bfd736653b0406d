//! Hierarchy ID (0028h): which tree of functions this is, told by the system (PCI Express Base 6.0,
//! 7.9.17).

use crate::config_space::{Truncated, dword, fixed};
use bitflags::bitflags;

bitflags! {
    /// Hierarchy ID Status, offset 04h. Where Valid, Writeable and Pending stand is not confirmed by a
    /// public source: they are not named here.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HierarchyIdStatus: u32 {
        const _ = !0;
    }

    /// Hierarchy ID Data, offset 08h.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct HierarchyIdData: u32 {
        const _ = !0;
    }
}

impl HierarchyIdStatus {
    /// Message Requester ID: who sent the last Hierarchy ID message.
    #[must_use]
    pub const fn message_requester_id(self) -> u16 {
        (self.bits() & 0xffff) as u16
    }
}

impl HierarchyIdData {
    /// System GUID Authority ID: who gives such ids out.
    #[must_use]
    pub const fn system_guid_authority_id(self) -> u8 {
        (self.bits() & 0xff) as u8
    }

    /// Hierarchy ID: which tree within the system.
    #[must_use]
    pub const fn hierarchy_id(self) -> u16 {
        (self.bits() >> 16) as u16
    }
}

/// The Hierarchy ID capability.
///
/// ```
/// use pcicfg::{ConfigSpace, extended::ExtendedCapability};
///
/// let mut bytes = [0; 4096];
/// let registers = [
///     0x28, 0x00, 0x01, 0x00, 0x00, 0x01, 0x00, 0x00, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00,
///     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x03, 0x02, 0x01,
/// ];
/// bytes[0x100..0x100 + registers.len()].copy_from_slice(&registers);
/// let space = ConfigSpace::new(&bytes)?;
/// let entry = space.extended_capabilities().next().unwrap()?;
/// let ExtendedCapability::HierarchyId(tree) = entry.decode()? else { panic!() };
/// assert_eq!(tree.data().hierarchy_id(), 2);
/// assert_eq!(tree.guid_5(), 0x0102_0304);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HierarchyId<'a> {
    bytes: &'a [u8; 0x20],
    offset: u16,
}

impl<'a> HierarchyId<'a> {
    /// Offset of Hierarchy ID Status from the capability's start.
    pub const STATUS: u16 = 0x04;
    /// Offset of Hierarchy ID Data from the capability's start.
    pub const DATA: u16 = 0x08;
    /// Offset of Hierarchy ID GUID 1 from the capability's start.
    pub const GUID_1: u16 = 0x0c;
    /// Offset of Hierarchy ID GUID 2 from the capability's start.
    pub const GUID_2: u16 = 0x10;
    /// Offset of Hierarchy ID GUID 3 from the capability's start.
    pub const GUID_3: u16 = 0x14;
    /// Offset of Hierarchy ID GUID 4 from the capability's start.
    pub const GUID_4: u16 = 0x18;
    /// Offset of Hierarchy ID GUID 5 from the capability's start.
    pub const GUID_5: u16 = 0x1c;

    pub(crate) fn new(bytes: &'a [u8], offset: u16) -> Result<Self, Truncated> {
        Ok(Self { bytes: fixed(bytes, offset)?, offset })
    }

    /// Where the capability begins in configuration space.
    #[must_use]
    pub const fn offset(self) -> u16 {
        self.offset
    }

    /// Hierarchy ID Status.
    #[must_use]
    pub const fn status(self) -> HierarchyIdStatus {
        HierarchyIdStatus::from_bits_retain(dword::<0x04, 0x20>(self.bytes))
    }

    /// Hierarchy ID Data.
    #[must_use]
    pub const fn data(self) -> HierarchyIdData {
        HierarchyIdData::from_bits_retain(dword::<0x08, 0x20>(self.bytes))
    }

    /// Hierarchy ID GUID 1.
    #[must_use]
    pub const fn guid_1(self) -> u32 {
        dword::<0x0c, 0x20>(self.bytes)
    }

    /// Hierarchy ID GUID 2.
    #[must_use]
    pub const fn guid_2(self) -> u32 {
        dword::<0x10, 0x20>(self.bytes)
    }

    /// Hierarchy ID GUID 3.
    #[must_use]
    pub const fn guid_3(self) -> u32 {
        dword::<0x14, 0x20>(self.bytes)
    }

    /// Hierarchy ID GUID 4.
    #[must_use]
    pub const fn guid_4(self) -> u32 {
        dword::<0x18, 0x20>(self.bytes)
    }

    /// Hierarchy ID GUID 5.
    #[must_use]
    pub const fn guid_5(self) -> u32 {
        dword::<0x1c, 0x20>(self.bytes)
    }
}
