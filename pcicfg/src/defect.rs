//! What is wrong with a function's configuration space, as a list.
//!
//! A broken list, a header that nobody knows, an id that says "not ready": each is a [`Defect`] with its
//! offset, and its `Display` is one sentence. A sound function has none. Nothing is allocated, and any
//! bytes are taken.
//!
//! ```
//! use pcicfg::{ConfigSpace, capability::ChainDefect, defect::Defect};
//!
//! let mut bytes = [0; 256];
//! bytes[0..4].copy_from_slice(&[0x36, 0x1b, 0x10, 0x00]);
//! bytes[0x06] = 0x10; // Status: Capabilities List
//! bytes[0x34] = 0x40; // Capabilities Pointer
//! bytes[0x40..0x42].copy_from_slice(&[0x05, 0x40]); // MSI, and back to itself
//!
//! let mut defects = ConfigSpace::new(&bytes)?.defects();
//! let defect = defects.next().unwrap();
//! assert_eq!(defect, Defect::Chain(ChainDefect::Looped { holder: 0x41, pointer: 0x40 }));
//! assert_eq!(defect.offset(), 0x41);
//! assert_eq!(
//!     defect.to_string(),
//!     "the capability list loops: the pointer at 0x041 leads back to 0x040"
//! );
//! assert_eq!(defects.next(), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::bar::{Bar, Bars, IndexedBar};
use crate::capability::{Capabilities, CapabilityId, ChainDefect};
use crate::config_space::{ConfigSpace, Truncated};
use crate::extended::{ExtendedCapabilities, ExtendedCapabilityId};
use crate::header::{HeaderType, Presence};
use core::fmt;
use core::iter::FusedIterator;

/// Something that a sound function's configuration space does not show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Defect {
    /// The end of what can be read is within the header. Nothing else is looked at.
    #[error("only {size} of the header's 64 bytes can be read")]
    HeaderCutOff {
        /// How many bytes can be read.
        size: u16,
    },
    /// Id and header type read all-ones. Nothing else is looked at.
    #[error(
        "the header at 0x000 reads all-ones: nothing answers; the device sleeps in D3cold, its link is down, or it is gone"
    )]
    AllOnes,
    /// An id that the kernel takes for an empty slot (`pci_bus_generic_read_dev_vendor_id`).
    #[error("the id at 0x000 reads {id:#010x}, which the kernel takes for an empty slot")]
    NoFunction {
        /// Vendor ID and Device ID, the vendor in the low half.
        id: u32,
    },
    /// Vendor 0001h: the function answered with Request Retry Status.
    #[error("the vendor at 0x000 reads 0001, Request Retry Status: the function is not ready yet")]
    NotReady,
    /// A header type that no specification defines: neither BARs nor capabilities are known.
    #[error(
        "the header type at 0x00e reads {kind:02x}, which is not known: neither BARs nor capabilities are"
    )]
    UnknownHeaderType {
        /// The type, without the multi-function bit.
        kind: u8,
    },
    /// A class that does not go with the header type.
    #[error("the class at 0x00a reads {class:04x}, which a header of type {kind} cannot have")]
    ClassMismatch {
        /// Base class and sub-class.
        class: u16,
        /// The header type.
        kind: u8,
    },
    /// A 64-bit Base Address Register in the last slot: its upper half is missing.
    #[error("BAR {index} at {:#05x} is a 64-bit one in the last slot: its upper half is missing", bar(*index))]
    Broken64BitBar {
        /// The register's number.
        index: u8,
    },
    /// A Base Address Register with memory type 3, which is reserved.
    #[error("BAR {index} at {:#05x} has the reserved memory type 3", bar(*index))]
    ReservedBarType {
        /// The register's number.
        index: u8,
    },
    /// One of the two lists ends before its end.
    #[error(transparent)]
    Chain(#[from] ChainDefect),
    /// A pointer's low two bits are not zero. They are ignored.
    #[error(
        "the pointer at {holder:#05x} is {pointer:#05x}, which is not aligned: its low two bits are ignored"
    )]
    UnalignedPointer {
        /// Where the pointer stands.
        holder: u16,
        /// The pointer as it reads.
        pointer: u16,
    },
    /// The end of the space cuts a capability off.
    #[error("the end of the space cuts {} off: {truncated}", Name(id.name(), id.0.into()))]
    CapabilityCutOff {
        /// Which.
        id: CapabilityId,
        /// Where, and what is missing.
        truncated: Truncated,
    },
    /// The end of the space cuts an extended capability off.
    #[error("the end of the space cuts {} off: {truncated}", Name(id.name(), id.0))]
    ExtendedCapabilityCutOff {
        /// Which.
        id: ExtendedCapabilityId,
        /// Where, and what is missing.
        truncated: Truncated,
    },
    /// From 100h on the first 256 bytes come again: a bridge above ignores the upper address bits.
    #[error("the bytes from 0x100 on are the first 256 again: there is no extended space")]
    Aliased,
}

impl Defect {
    /// Where it is: the offset of the register or structure that is wrong.
    #[must_use]
    pub const fn offset(self) -> u16 {
        match self {
            Self::HeaderCutOff { size } => size,
            Self::AllOnes | Self::NoFunction { .. } | Self::NotReady => 0x00,
            Self::UnknownHeaderType { .. } => 0x0e,
            Self::ClassMismatch { .. } => 0x0a,
            Self::Broken64BitBar { index } | Self::ReservedBarType { index } => bar(index),
            Self::Chain(
                ChainDefect::Looped { holder, .. }
                | ChainDefect::Below { holder, .. }
                | ChainDefect::AllOnes { holder, .. }
                | ChainDefect::Unreadable { holder, .. },
            )
            | Self::UnalignedPointer { holder, .. } => holder,
            Self::CapabilityCutOff { truncated, .. } | Self::ExtendedCapabilityCutOff { truncated, .. } => {
                truncated.offset
            }
            Self::Aliased => 0x100,
        }
    }
}

/// The offset of a Base Address Register.
const fn bar(index: u8) -> u16 {
    0x10 + 4 * index as u16
}

/// A capability's name, or its id.
struct Name(Option<&'static str>, u16);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => f.write_str(name),
            None => write!(f, "capability {:02x}h", self.1),
        }
    }
}

/// What is wrong with a function, in the order of the space: header, capabilities, extended capabilities.
///
/// Made by [`ConfigSpace::defects`] or [`Defects::of`].
#[derive(Clone, Debug)]
pub struct Defects<'a> {
    bytes: &'a [u8],
    stage: Stage<'a>,
    /// Found together with what was returned last.
    pending: Option<Defect>,
}

/// What is looked at next.
#[derive(Clone, Debug)]
enum Stage<'a> {
    Size,
    Id(ConfigSpace<'a>),
    HeaderType(ConfigSpace<'a>),
    Bars(ConfigSpace<'a>, Bars<'a>),
    List(ConfigSpace<'a>, Capabilities<'a>),
    Extended(ExtendedCapabilities<'a>),
    End,
}

impl<'a> Defects<'a> {
    /// What is wrong with a space of any number of bytes; those beyond 4096 are not looked at.
    #[must_use]
    pub fn of(bytes: &'a [u8]) -> Self {
        let bytes = bytes.get(..ConfigSpace::EXTENDED).unwrap_or(bytes);
        Self { bytes, stage: Stage::Size, pending: None }
    }

    /// Takes one look; `None` if it found nothing.
    fn look(&mut self) -> Option<Defect> {
        match &mut self.stage {
            Stage::Size => match ConfigSpace::new(self.bytes) {
                Ok(space) => {
                    self.stage = Stage::Id(space);
                    None
                }
                Err(error) => {
                    self.stage = Stage::End;
                    Some(Defect::HeaderCutOff { size: error.size as u16 })
                }
            },
            Stage::Id(space) => {
                let (defect, silent) = id(*space);
                self.stage = if silent { Stage::End } else { Stage::HeaderType(*space) };
                defect
            }
            Stage::HeaderType(space) => {
                let space = *space;
                self.stage = Stage::Bars(space, space.header().bars());
                header_type(space)
            }
            Stage::Bars(space, bars) => {
                let found = bars.find_map(base_address);
                if found.is_none() {
                    let list = space.capabilities();
                    self.pending = unaligned(list.next_pointer());
                    self.stage = Stage::List(*space, list);
                }
                found
            }
            Stage::List(space, list) => match list.next() {
                Some(Err(defect)) => Some(defect.into()),
                Some(Ok(entry)) => {
                    self.pending = unaligned(list.next_pointer());
                    let cut = entry.decode().err();
                    cut.map(|truncated| Defect::CapabilityCutOff { id: entry.id(), truncated })
                }
                None => {
                    let space = *space;
                    self.stage = Stage::Extended(space.extended_capabilities());
                    ExtendedCapabilities::aliases(space).then_some(Defect::Aliased)
                }
            },
            Stage::Extended(list) => match list.next() {
                Some(Err(defect)) => Some(defect.into()),
                Some(Ok(entry)) => {
                    self.pending = unaligned(list.next_pointer());
                    let cut = entry.decode().err();
                    cut.map(|truncated| Defect::ExtendedCapabilityCutOff { id: entry.id(), truncated })
                }
                None => {
                    self.stage = Stage::End;
                    None
                }
            },
            Stage::End => None,
        }
    }
}

impl Iterator for Defects<'_> {
    type Item = Defect;

    fn next(&mut self) -> Option<Defect> {
        loop {
            if let Some(pending) = self.pending.take() {
                return Some(pending);
            }
            if matches!(self.stage, Stage::End) {
                return None;
            }
            if let Some(found) = self.look() {
                return Some(found);
            }
        }
    }
}

impl FusedIterator for Defects<'_> {}

/// What the id says, and whether all else is silence.
fn id(space: ConfigSpace<'_>) -> (Option<Defect>, bool) {
    let header = space.header();
    let silent = header.header_type() == HeaderType::Unknown(0x7f);
    match header.presence() {
        Presence::Present => (None, false),
        Presence::RequestRetryStatus => (Some(Defect::NotReady), silent),
        // The ids of a virtual function read all-ones, too; its header type does not.
        Presence::Absent if header.id() == u32::MAX => (silent.then_some(Defect::AllOnes), silent),
        Presence::Absent => (Some(Defect::NoFunction { id: header.id() }), false),
    }
}

/// Whether the header type is known, and the class goes with it.
fn header_type(space: ConfigSpace<'_>) -> Option<Defect> {
    let header = space.header();
    let class = header.class_code();
    let is_bridge = class.base == 0x06;
    let (kind, goes) = match header.header_type() {
        HeaderType::Unknown(kind) => return Some(Defect::UnknownHeaderType { kind }),
        HeaderType::Endpoint => (0, !(is_bridge && class.sub == 0x04)),
        HeaderType::Bridge => (1, is_bridge),
        HeaderType::CardBus => (2, is_bridge),
    };
    let class = u16::from_be_bytes([class.base, class.sub]);
    (!goes).then_some(Defect::ClassMismatch { class, kind })
}

fn base_address(found: IndexedBar) -> Option<Defect> {
    let index = found.index;
    match found.bar {
        Bar::Broken64 => Some(Defect::Broken64BitBar { index }),
        Bar::Reserved { value } if value >> 1 & 3 == 3 => Some(Defect::ReservedBarType { index }),
        _ => None,
    }
}

/// Whether a pointer that leads somewhere has bits that count for nothing.
fn unaligned((holder, pointer): (u16, u16)) -> Option<Defect> {
    (pointer > 3 && pointer & 3 != 0).then_some(Defect::UnalignedPointer { holder, pointer })
}
