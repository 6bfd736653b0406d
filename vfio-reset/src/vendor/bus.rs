//! The way to a device: its memory behind Base Address Registers, its configuration space, a clock.

use crate::error::Result;
use crate::machine::{Clock, Machine};
use pcicfg::Address;

/// How many bytes an access has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// One byte.
    Byte,
    /// Two bytes.
    Word,
    /// Four bytes.
    Dword,
}

impl Width {
    /// The number of bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Word => 2,
            Self::Dword => 4,
        }
    }

    /// What an access of this width reads where no one answers.
    #[must_use]
    pub const fn all_ones(self) -> u32 {
        u32::MAX >> (32 - 8 * self.bytes() as u32)
    }
}

/// The way to one function's registers.
///
/// There is one implementation, [`MachineBus`], as long as every kind of machine is behind
/// [`Machine`]; tests put others in its place.
pub trait RegisterBus {
    /// Makes what is behind a Base Address Register accessible, and gives its size in bytes.
    ///
    /// # Errors
    /// When there is no such register, or the machine gives no access to what is behind it.
    fn open_bar(&mut self, bar: u8) -> Result<u64>;

    /// Reads from behind a Base Address Register, as one access.
    ///
    /// # Errors
    /// When it cannot be accessed there. A device that does not answer is no error: it reads all-ones.
    fn read_bar(&mut self, bar: u8, offset: u64, width: Width) -> Result<u32>;

    /// Writes behind a Base Address Register, as one access.
    ///
    /// # Errors
    /// When it cannot be accessed there.
    fn write_bar(&mut self, bar: u8, offset: u64, width: Width, value: u32) -> Result<()>;

    /// Reads configuration space, as one access.
    ///
    /// # Errors
    /// When it cannot be read there.
    fn read_config(&mut self, offset: u16, width: Width) -> Result<u32>;

    /// Writes configuration space, as one access.
    ///
    /// # Errors
    /// When it cannot be written there.
    fn write_config(&mut self, offset: u16, width: Width, value: u32) -> Result<()>;

    /// The clock that every wait goes through.
    fn clock(&self) -> &dyn Clock;
}

/// The way to a function of a machine.
pub struct MachineBus<'m> {
    machine: &'m dyn Machine,
    address: Address,
}

impl<'m> MachineBus<'m> {
    /// The way to the function at `address`.
    #[must_use]
    pub fn new(machine: &'m dyn Machine, address: Address) -> Self {
        Self { machine, address }
    }
}

impl RegisterBus for MachineBus<'_> {
    fn open_bar(&mut self, bar: u8) -> Result<u64> {
        self.machine.bar_size(self.address, bar)
    }

    fn read_bar(&mut self, bar: u8, offset: u64, width: Width) -> Result<u32> {
        let mut bytes = [0; 4];
        self.machine.read_bar(self.address, bar, offset, &mut bytes[..width.bytes()])?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn write_bar(&mut self, bar: u8, offset: u64, width: Width, value: u32) -> Result<()> {
        self.machine.write_bar(self.address, bar, offset, &value.to_le_bytes()[..width.bytes()])
    }

    fn read_config(&mut self, offset: u16, width: Width) -> Result<u32> {
        let mut bytes = [0; 4];
        self.machine.read_config(self.address, offset, &mut bytes[..width.bytes()])?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn write_config(&mut self, offset: u16, width: Width, value: u32) -> Result<()> {
        self.machine.write_config(self.address, offset, &value.to_le_bytes()[..width.bytes()])
    }

    fn clock(&self) -> &dyn Clock {
        self.machine.clock()
    }
}
