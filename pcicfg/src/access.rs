//! Live access: a configuration space that is read and written register by register.

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
