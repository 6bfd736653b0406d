//! The capability lists of a function that is read register by register.
//!
//! A device that a hostile guest holds can answer each read differently. The walks here are guarded as those of
//! [`ConfigSpace`] are: no place is visited twice, so that whatever the device answers, a walk ends after 48
//! capabilities (or 960 extended ones), each read once. What they give is what was true when it was read: an
//! id and its place. To look at registers that belong together, and to use the typed views, take a
//! [`snapshot`](ConfigRead::snapshot) first: its bytes change no more.
//!
//! ```
//! use pcicfg::{ConfigRead, capability::CapabilityId};
//!
//! /// A function of a virtual machine.
//! struct Function([u8; 256]);
//!
//! impl ConfigRead for Function {
//!     type Error = std::io::Error;
//!
//!     fn read(&self, offset: u16, bytes: &mut [u8]) -> Result<(), Self::Error> {
//!         let found = self.0.get(usize::from(offset)..).and_then(|rest| rest.get(..bytes.len()));
//!         bytes.copy_from_slice(found.ok_or(std::io::ErrorKind::UnexpectedEof)?);
//!         Ok(())
//!     }
//! }
//!
//! let mut function = Function([0; 256]);
//! function.0[0x06] = 0x10; // Status: Capabilities List
//! function.0[0x34] = 0x40; // Capabilities Pointer
//! function.0[0x40..0x44].copy_from_slice(&[0x11, 0x00, 0x1f, 0x80]); // MSI-X, 32 vectors, on
//!
//! let at = function.find_capability(CapabilityId::MSI_X)?.expect("it has one");
//! assert_eq!((at, function.read_u16(at + 2)?), (0x40, 0x801f));
//!
//! let mut bytes = [0; 256];
//! let space = function.snapshot(&mut bytes)?;
//! assert_eq!(space.msi_x().map(|msi_x| msi_x.message_control().table_size()), Some(32));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::iter::FusedIterator;

use crate::access::ConfigRead;
use crate::capability::{CapabilityId, ChainDefect, Stop, Walk};
use crate::config_space::{ConfigSpace, SizeError};
use crate::extended::{ExtendedCapabilityId, walk as extended};
use crate::header::{HeaderType, Status};

/// Why a live walk ended before its list did; `E` is the [`ConfigRead`]'s own error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WalkError<E> {
    /// The list is broken.
    #[error(transparent)]
    Chain(#[from] ChainDefect),
    /// A register could not be read.
    #[error("configuration space cannot be read at {offset:#05x}")]
    Access {
        /// Where the register is.
        offset: u16,
        /// What reading gave.
        #[source]
        error: E,
    },
}

/// Why there is no snapshot; `E` is the [`ConfigRead`]'s own error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError<E> {
    /// The buffer has no size that a configuration space can have.
    #[error(transparent)]
    Size(#[from] SizeError),
    /// The space could not be read.
    #[error("configuration space cannot be read")]
    Access(#[source] E),
}

/// Where a capability is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Entry {
    /// The id.
    pub id: CapabilityId,
    /// Where the capability begins in configuration space: 40h to fch, a multiple of 4.
    pub offset: u16,
}

/// Where an extended capability is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ExtendedEntry {
    /// The id.
    pub id: ExtendedCapabilityId,
    /// The capability version, 0 to 15.
    pub version: u8,
    /// Where the capability begins in configuration space: 100h to ffch, a multiple of 4.
    pub offset: u16,
}

/// The live walk of the capability list; made by [`ConfigRead::capabilities`].
///
/// It yields each capability once and, if the list is broken or cannot be read, one [`WalkError`] as the last
/// item. A capability's header is read when the walk comes to it.
#[derive(Clone, Debug)]
pub struct Capabilities<'r, R: ?Sized> {
    access: &'r R,
    /// `None` before the first step.
    walk: Option<Walk>,
}

impl<'r, R: ConfigRead + ?Sized> Capabilities<'r, R> {
    /// The walk of the function's list.
    #[must_use]
    pub const fn new(access: &'r R) -> Self {
        Self { access, walk: None }
    }

    fn begin(access: &R) -> Result<Walk, WalkError<R::Error>> {
        let header_type = HeaderType::from_register(read_u8(access, 0x0e)?);
        let status = Status::from_bits_retain(read_u16(access, 0x06)?);
        match Walk::pointer(header_type, status) {
            Some(holder) => Ok(Walk::new(holder, read_u8(access, holder)?)),
            None => Ok(Walk::new(0, 0)),
        }
    }
}

impl<R: ConfigRead + ?Sized> Iterator for Capabilities<'_, R> {
    type Item = Result<Entry, WalkError<R::Error>>;

    fn next(&mut self) -> Option<Self::Item> {
        let access = self.access;
        let walk = match &mut self.walk {
            Some(walk) => walk,
            before => match Self::begin(access) {
                Ok(begun) => before.insert(begun),
                Err(error) => {
                    *before = Some(Walk::new(0, 0));
                    return Some(Err(error));
                }
            },
        };
        Some(match walk.step(|offset| access.read_u16(offset))? {
            Ok((id, offset)) => Ok(Entry { id, offset }),
            Err(stop) => Err(stopped(stop)),
        })
    }
}

impl<R: ConfigRead + ?Sized> FusedIterator for Capabilities<'_, R> {}

/// The live walk of the extended capability list; made by [`ConfigRead::extended_capabilities`].
///
/// It yields each capability once and, if the list is broken or cannot be read, one [`WalkError`] as the last
/// item. A capability's header is read when the walk comes to it.
#[derive(Clone, Debug)]
pub struct ExtendedCapabilities<'r, R: ?Sized> {
    access: &'r R,
    /// `None` before the first step.
    walk: Option<extended::Walk>,
}

impl<'r, R: ConfigRead + ?Sized> ExtendedCapabilities<'r, R> {
    /// The walk of the function's list.
    #[must_use]
    pub const fn new(access: &'r R) -> Self {
        Self { access, walk: None }
    }

    fn begin(access: &R) -> Result<extended::Walk, WalkError<R::Error>> {
        let header = read_u32(access, extended::START)?;
        let exists = extended::exists(header) && !Self::aliases(access, header)?;
        Ok(if exists { extended::Walk::new() } else { extended::Walk::none() })
    }

    /// Whether the extended space is the first 256 bytes over and over.
    fn aliases(access: &R, first: u32) -> Result<bool, WalkError<R::Error>> {
        let id = read_u32(access, 0)?;
        if first != id {
            return Ok(false);
        }
        for at in extended::copies().skip(1) {
            if read_u32(access, at)? != id {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl<R: ConfigRead + ?Sized> Iterator for ExtendedCapabilities<'_, R> {
    type Item = Result<ExtendedEntry, WalkError<R::Error>>;

    fn next(&mut self) -> Option<Self::Item> {
        let access = self.access;
        let walk = match &mut self.walk {
            Some(walk) => walk,
            before => match Self::begin(access) {
                Ok(begun) => before.insert(begun),
                Err(error) => {
                    *before = Some(extended::Walk::none());
                    return Some(Err(error));
                }
            },
        };
        Some(match walk.step(|offset| access.read_u32(offset))? {
            Ok(extended::Found { id, version, offset }) => Ok(ExtendedEntry { id, version, offset }),
            Err(stop) => Err(stopped(stop)),
        })
    }
}

impl<R: ConfigRead + ?Sized> FusedIterator for ExtendedCapabilities<'_, R> {}

fn stopped<E>(stop: Stop<E>) -> WalkError<E> {
    match stop {
        Stop::Defect(defect) => WalkError::Chain(defect),
        Stop::Read { pointer, error, .. } => WalkError::Access { offset: pointer, error },
    }
}

/// The first capability of an id.
pub(crate) fn find<R: ConfigRead + ?Sized>(
    access: &R,
    id: CapabilityId,
) -> Result<Option<u16>, WalkError<R::Error>> {
    for entry in Capabilities::new(access) {
        let entry = entry?;
        if entry.id == id {
            return Ok(Some(entry.offset));
        }
    }
    Ok(None)
}

/// The first extended capability of an id.
pub(crate) fn find_extended<R: ConfigRead + ?Sized>(
    access: &R,
    id: ExtendedCapabilityId,
) -> Result<Option<u16>, WalkError<R::Error>> {
    for entry in ExtendedCapabilities::new(access) {
        let entry = entry?;
        if entry.id == id {
            return Ok(Some(entry.offset));
        }
    }
    Ok(None)
}

/// All of a function's bytes that `buffer` has room for.
pub(crate) fn snapshot<'b, R: ConfigRead + ?Sized>(
    access: &R,
    buffer: &'b mut [u8],
) -> Result<ConfigSpace<'b>, SnapshotError<R::Error>> {
    // A buffer of the wrong size is told before the device is asked for anything.
    ConfigSpace::new(buffer)?;
    access.read(0, buffer).map_err(SnapshotError::Access)?;
    Ok(ConfigSpace::new(buffer)?)
}

fn read_u8<R: ConfigRead + ?Sized>(access: &R, offset: u16) -> Result<u8, WalkError<R::Error>> {
    access.read_u8(offset).map_err(|error| WalkError::Access { offset, error })
}

fn read_u16<R: ConfigRead + ?Sized>(access: &R, offset: u16) -> Result<u16, WalkError<R::Error>> {
    access.read_u16(offset).map_err(|error| WalkError::Access { offset, error })
}

fn read_u32<R: ConfigRead + ?Sized>(access: &R, offset: u16) -> Result<u32, WalkError<R::Error>> {
    access.read_u32(offset).map_err(|error| WalkError::Access { offset, error })
}
