//! Live access: a configuration space that is read and written register by register.
//!
//! ```
//! use pcicfg::{ConfigRead, ConfigWrite};
//! use std::cell::RefCell;
//!
//! /// Registers in memory, all of which can be written.
//! struct Memory(RefCell<[u8; 256]>);
//!
//! impl ConfigRead for Memory {
//!     type Error = &'static str;
//!
//!     fn read(&self, offset: u16, bytes: &mut [u8]) -> Result<(), Self::Error> {
//!         let at = usize::from(offset);
//!         bytes.copy_from_slice(self.0.borrow().get(at..at + bytes.len()).ok_or("beyond the end")?);
//!         Ok(())
//!     }
//! }
//!
//! impl ConfigWrite for Memory {
//!     fn write(&self, offset: u16, bytes: &[u8]) -> Result<(), Self::Error> {
//!         let at = usize::from(offset);
//!         self.0.borrow_mut().get_mut(at..at + bytes.len()).ok_or("beyond the end")?.copy_from_slice(bytes);
//!         Ok(())
//!     }
//! }
//!
//! let function = Memory(RefCell::new([0; 256]));
//! function.write_u16(0x04, 0x0006)?; // Command: memory space and bus master
//! assert_eq!(function.read_u32(0x04)?, 0x0000_0006);
//! assert_eq!(function.read_u8(0x100), Err("beyond the end"));
//! # Ok::<(), &str>(())
//! ```

use crate::capability::CapabilityId;
use crate::config_space::ConfigSpace;
use crate::extended::ExtendedCapabilityId;
use crate::live::{self, Capabilities, ExtendedCapabilities, SnapshotError, WalkError};

/// Reads registers of one function's configuration space.
///
/// An access that no function answers reads all-ones and is no error: that is what the hardware
/// does. An error is the access itself failing (permission, the function gone from the kernel).
pub trait ConfigRead {
    /// How an access fails.
    type Error;

    /// Fills `bytes` from `offset` on.
    ///
    /// # Errors
    /// When the access fails, or goes past the end of the space.
    fn read(&self, offset: u16, bytes: &mut [u8]) -> Result<(), Self::Error>;

    /// The byte at `offset`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn read_u8(&self, offset: u16) -> Result<u8, Self::Error> {
        let mut bytes = [0; 1];
        self.read(offset, &mut bytes)?;
        Ok(bytes[0])
    }

    /// The little-endian word at `offset`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn read_u16(&self, offset: u16) -> Result<u16, Self::Error> {
        let mut bytes = [0; 2];
        self.read(offset, &mut bytes)?;
        Ok(u16::from_le_bytes(bytes))
    }

    /// The little-endian dword at `offset`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn read_u32(&self, offset: u16) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.read(offset, &mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// The live walk of the capability list.
    fn capabilities(&self) -> Capabilities<'_, Self>
    where
        Self: Sized,
    {
        Capabilities::new(self)
    }

    /// The live walk of the extended capability list. It begins with an access at 100h, which fails for a function
    /// with a space of 256 bytes.
    fn extended_capabilities(&self) -> ExtendedCapabilities<'_, Self>
    where
        Self: Sized,
    {
        ExtendedCapabilities::new(self)
    }

    /// Where the first capability of an id begins; `None` if the list ends without one.
    ///
    /// # Errors
    /// [`WalkError`] if an access fails, or the list is broken, before one is found.
    fn find_capability(&self, id: CapabilityId) -> Result<Option<u16>, WalkError<Self::Error>> {
        live::find(self, id)
    }

    /// Where the first extended capability of an id begins; `None` if the list ends without one.
    ///
    /// # Errors
    /// [`WalkError`] if an access fails, or the list is broken, before one is found. The access at 100h fails for a
    /// function with a space of 256 bytes.
    fn find_extended_capability(
        &self,
        id: ExtendedCapabilityId,
    ) -> Result<Option<u16>, WalkError<Self::Error>> {
        live::find_extended(self, id)
    }

    /// Fills `buffer`, of 64 to 4096 bytes, from offset 0 on, and gives the view of it: with bytes that change no
    /// more, what one register says still holds when another is looked at.
    ///
    /// # Errors
    /// [`SnapshotError`] if `buffer` has another size, or the access fails.
    fn snapshot<'b>(&self, buffer: &'b mut [u8]) -> Result<ConfigSpace<'b>, SnapshotError<Self::Error>> {
        live::snapshot(self, buffer)
    }
}

/// Writes registers of one function's configuration space.
pub trait ConfigWrite: ConfigRead {
    /// Writes `bytes` from `offset` on, as one access of that width (1, 2 or 4 bytes).
    ///
    /// # Errors
    /// When the access fails, or goes past the end of the space.
    fn write(&self, offset: u16, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Writes the byte at `offset`.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn write_u8(&self, offset: u16, value: u8) -> Result<(), Self::Error> {
        self.write(offset, &[value])
    }

    /// Writes the little-endian word at `offset`.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn write_u16(&self, offset: u16, value: u16) -> Result<(), Self::Error> {
        self.write(offset, &value.to_le_bytes())
    }

    /// Writes the little-endian dword at `offset`.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn write_u32(&self, offset: u16, value: u32) -> Result<(), Self::Error> {
        self.write(offset, &value.to_le_bytes())
    }
}
