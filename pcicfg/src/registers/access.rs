//! What a write does to a register's bits, in the specification's terms.

use core::fmt;

/// How software may access a field (PCI Express Base 6.0, 7.4, "Configuration Register Types").
///
/// Where a bit is optional, or hardwired in functions of some kind (Latency Timer on PCI Express), it has
/// the kind of the functions that implement it: there is no register that tells. A write to a bit that is
/// hardwired has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Access {
    /// RO or HwInit: hardware or firmware has set it, and a write changes nothing.
    ReadOnly,
    /// ROS: the same, and no reset but a power cycle changes it.
    ReadOnlySticky,
    /// RW: it takes what is written.
    ReadWrite,
    /// RWS: it takes what is written, and no reset but a power cycle changes it.
    ReadWriteSticky,
    /// RWL (Compute Express Link and AMD's IOMMU): it takes what is written until the function is locked.
    ReadWriteLockable,
    /// RW1C: an event, set by hardware; writing 1 clears it, writing 0 leaves it.
    Write1ToClear,
    /// RW1CS: the same, and no reset but a power cycle changes it.
    Write1ToClearSticky,
    /// RW that reads 0: writing 1 begins something, such as a Function Level Reset; writing 0 does nothing.
    Write1ToAct,
    /// RsvdP: no meaning yet; a write has to keep what was read.
    ReservedPreserve,
    /// RsvdZ: no meaning yet; a write has to write 0.
    ReservedZero,
    /// No public source says.
    Unknown,
}

impl Access {
    /// The specification's abbreviation.
    #[must_use]
    pub const fn abbreviation(self) -> &'static str {
        match self {
            Self::ReadOnly => "RO",
            Self::ReadOnlySticky => "ROS",
            Self::ReadWrite => "RW",
            Self::ReadWriteSticky => "RWS",
            Self::ReadWriteLockable => "RWL",
            Self::Write1ToClear => "RW1C",
            Self::Write1ToClearSticky => "RW1CS",
            Self::Write1ToAct => "RW, reads 0",
            Self::ReservedPreserve => "RsvdP",
            Self::ReservedZero => "RsvdZ",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it takes the value that is written.
    #[must_use]
    pub const fn takes_value(self) -> bool {
        matches!(self, Self::ReadWrite | Self::ReadWriteSticky | Self::ReadWriteLockable)
    }

    /// Whether writing 1 clears it.
    #[must_use]
    pub const fn is_cleared_by_1(self) -> bool {
        matches!(self, Self::Write1ToClear | Self::Write1ToClearSticky)
    }

    /// Whether no reset but a power cycle changes it.
    #[must_use]
    pub const fn is_sticky(self) -> bool {
        matches!(self, Self::ReadOnlySticky | Self::ReadWriteSticky | Self::Write1ToClearSticky)
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.abbreviation())
    }
}

/// A register's bits by what a write does to them. Bits that are in no mask are read-only if they have a
/// name, and reserved if they have none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Masks {
    pub(super) takes: u32,
    pub(super) clears: u32,
    pub(super) acts: u32,
    pub(super) sticky: u32,
    pub(super) locks: u32,
    /// Reserved bits are written as 0.
    pub(super) reserved_zero: bool,
    pub(super) unknown: bool,
}

impl Masks {
    pub(super) const READ_ONLY: Self =
        Self { takes: 0, clears: 0, acts: 0, sticky: 0, locks: 0, reserved_zero: false, unknown: false };

    /// The kind of a named field; its bits are all of one kind.
    pub(super) const fn named(&self, mask: u32) -> Access {
        let sticky = self.sticky & mask != 0;
        match () {
            () if self.unknown => Access::Unknown,
            () if self.clears & mask != 0 && sticky => Access::Write1ToClearSticky,
            () if self.clears & mask != 0 => Access::Write1ToClear,
            () if self.acts & mask != 0 => Access::Write1ToAct,
            () if self.locks & mask != 0 => Access::ReadWriteLockable,
            () if self.takes & mask != 0 && sticky => Access::ReadWriteSticky,
            () if self.takes & mask != 0 => Access::ReadWrite,
            () if sticky => Access::ReadOnlySticky,
            () => Access::ReadOnly,
        }
    }

    /// The kind of bits without a name.
    pub(super) const fn unnamed(&self) -> Access {
        match (self.unknown, self.reserved_zero) {
            (true, _) => Access::Unknown,
            (_, true) => Access::ReservedZero,
            _ => Access::ReservedPreserve,
        }
    }
}
