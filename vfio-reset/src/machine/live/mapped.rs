//! Memory behind a BAR, mapped: it is asked before each register whether an access would be answered.
//!
//! The kernel ends a process with `SIGBUS` that touches the mapping of a function that was unplugged, or that VFIO has
//! open while it is reset, sleeps or has Memory Space off. System calls fail where the mapping would not, so each
//! register is preceded by one or two of them. Between look and access is a window of a microsecond.

use super::sys::Mapping;
use crate::error::Result;
use pcicfg::ConfigSpace;
use pcicfg::capability::PowerManagement;
use pcicfg::header::Command;
use std::ops::Range;

/// The memory of a function, or the parts of it that may be mapped.
#[derive(Debug)]
pub(super) struct Memory {
    /// Where in the range each part begins, and the part.
    parts: Vec<(u64, Mapping)>,
    /// Power Management's control and status, if there is one.
    power_register: Option<u16>,
    /// Whether the function decodes memory whatever its Command says, as a virtual function does, which has no Memory
    /// Space bit of its own.
    always_on: bool,
}

impl Memory {
    /// Memory of the function with this configuration space, if that can be read.
    pub(super) fn new(parts: Vec<(u64, Mapping)>, space: Option<ConfigSpace<'_>>, always_on: bool) -> Self {
        let pm = space.and_then(|space| space.power_management());
        let power_register = pm.map(|pm| pm.offset() + PowerManagement::CONTROL_STATUS);
        Self { parts, power_register, always_on }
    }

    /// Fills `bytes` from `offset`, register by register; all-ones where nobody would answer. `config` reads
    /// configuration space, `otherwise` the registers that are not mapped.
    pub(super) fn read(
        &self,
        offset: u64,
        bytes: &mut [u8],
        mut config: impl FnMut(u16, &mut [u8]) -> Result<()>,
        mut otherwise: impl FnMut(u64, &mut [u8]) -> Result<()>,
    ) -> Result<()> {
        bytes.fill(0xff);
        for (at, register) in registers(offset, bytes.len()) {
            let register = &mut bytes[register];
            match self.part(at) {
                Some((start, mapping)) => {
                    if self.decodes(&mut config)? {
                        mapping.read(at - start, register);
                    }
                }
                None => otherwise(at, register)?,
            }
        }
        Ok(())
    }

    /// Writes `bytes` to `offset`, register by register; lost where nobody would take them.
    pub(super) fn write(
        &self,
        offset: u64,
        bytes: &[u8],
        mut config: impl FnMut(u16, &mut [u8]) -> Result<()>,
    ) -> Result<()> {
        for (at, register) in registers(offset, bytes.len()) {
            if let Some((start, mapping)) = self.part(at)
                && self.decodes(&mut config)?
            {
                mapping.write(at - start, &bytes[register]);
            }
        }
        Ok(())
    }

    /// The part that a register is in. Parts consist of pages, and no register lies across two.
    fn part(&self, at: u64) -> Option<&(u64, Mapping)> {
        self.parts
            .iter()
            .find(|(start, mapping)| at.checked_sub(*start).is_some_and(|at| at < mapping.size()))
    }

    /// Whether an access would reach the function: it answers, decodes memory, and is awake.
    fn decodes(&self, config: &mut impl FnMut(u16, &mut [u8]) -> Result<()>) -> Result<bool> {
        let mut bytes = [0xff; 4];
        config(4, &mut bytes)?;
        let command = u32::from_le_bytes(bytes);
        let is_on = self.always_on || command & u32::from(Command::MEMORY_SPACE.bits()) != 0;
        if command == u32::MAX || !is_on {
            return Ok(false);
        }
        let Some(register) = self.power_register else { return Ok(true) };
        let mut bytes = [0xff; 2];
        config(register, &mut bytes)?;
        // The lowest two bits are the state, and 0 is D0.
        Ok(bytes[0] & 3 == 0)
    }
}

/// An access in registers of at most four bytes: where each is, and which of the bytes.
pub(super) fn registers(offset: u64, length: usize) -> impl Iterator<Item = (u64, Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let width = match length - done {
            0 => return None,
            1 => 1,
            2 | 3 => 2,
            _ => 4,
        };
        let register = (offset + done as u64, done..done + width);
        done += width;
        Some(register)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::fs::File;
    use std::os::fd::AsFd;

    /// Configuration space with Power Management at 40h, in D0, that decodes memory.
    fn space() -> [u8; 256] {
        let mut space = [0; 256];
        space[..8].copy_from_slice(&[0x36, 0x1b, 0x10, 0x00, 0x02, 0x00, 0x10, 0x00]);
        space[0x34] = 0x40;
        space[0x40] = 0x01;
        space
    }

    /// Two pages, of which the second is mapped, as behind a table of MSI-X.
    fn memory(folder: &tempfile::TempDir) -> Memory {
        let path = folder.path().join("resource0");
        std::fs::write(&path, [0x11; 8192]).unwrap();
        let file = File::options().read(true).write(true).open(&path).unwrap();
        let page = Mapping::new(file.as_fd(), 4096, 0, 4096).unwrap();
        Memory::new(vec![(4096, page)], ConfigSpace::new(&space()).ok(), false)
    }

    fn read(space: &[u8], offset: u16, bytes: &mut [u8]) -> Result<()> {
        bytes.copy_from_slice(&space[usize::from(offset)..][..bytes.len()]);
        Ok(())
    }

    #[test]
    fn an_access_is_split_into_registers() {
        let registers = |offset, length| registers(offset, length).collect::<Vec<_>>();
        assert_eq!(registers(8, 4), [(8, 0..4)]);
        assert_eq!(registers(8, 11), [(8, 0..4), (12, 4..8), (16, 8..10), (18, 10..11)]);
        assert_eq!(registers(3, 1), [(3, 0..1)]);
        assert!(registers(0, 0).is_empty());
    }

    #[test]
    fn memory_that_is_switched_off_after_it_was_mapped_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let memory = memory(&folder);
        let nowhere = |_: u64, _: &mut [u8]| panic!("it is mapped");
        let mut bytes = [0; 16];
        memory.read(4096, &mut bytes, |at, to| read(&space(), at, to), nowhere).unwrap();
        assert_eq!(bytes, [0x11; 16]);
        let (mut off, mut asleep) = (space(), space());
        off[4] = 0;
        asleep[0x44] = 3;
        for space in [off, asleep, [0xff; 256]] {
            memory.read(4096, &mut bytes, |at, to| read(&space, at, to), nowhere).unwrap();
            assert_eq!(bytes, [0xff; 16]);
            memory.write(4096, &[0; 4], |at, to| read(&space, at, to)).unwrap();
            memory.read(4096, &mut bytes, |at, to| read(&self::space(), at, to), nowhere).unwrap();
            assert_eq!(bytes, [0x11; 16], "the write was lost");
        }
    }

    #[test]
    fn it_is_asked_before_each_register() {
        let folder = tempfile::tempdir().unwrap();
        let memory = memory(&folder);
        // Memory Space goes off, once two registers were read: each takes a look at Command and one at power.
        let looks = Cell::new(0);
        let config = |offset: u16, bytes: &mut [u8]| {
            looks.set(looks.get() + 1);
            let mut space = space();
            space[4] = if looks.get() > 4 { 0 } else { 2 };
            read(&space, offset, bytes)
        };
        let mut bytes = [0; 16];
        memory.read(4096, &mut bytes, config, |_, _| panic!("it is mapped")).unwrap();
        assert_eq!(bytes[..8], [0x11; 8]);
        assert_eq!(bytes[8..], [0xff; 8]);
        looks.set(2);
        memory.write(4096, &[0x22; 12], config).unwrap();
        let written = std::fs::read(folder.path().join("resource0")).unwrap();
        assert_eq!(written[4096..4108], [[0x22; 4], [0x11; 4], [0x11; 4]].concat());
    }

    #[test]
    fn what_may_not_be_mapped_is_read_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let memory = memory(&folder);
        let mut bytes = [0; 8];
        let otherwise = |at: u64, bytes: &mut [u8]| {
            assert_eq!((at, bytes.len()), (4092, 4));
            bytes.fill(0x77);
            Ok(())
        };
        memory.read(4092, &mut bytes, |at, to| read(&space(), at, to), otherwise).unwrap();
        assert_eq!(bytes, [0x77, 0x77, 0x77, 0x77, 0x11, 0x11, 0x11, 0x11]);
    }

    #[test]
    fn a_virtual_function_needs_no_bit_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let memory = Memory { always_on: true, ..memory(&folder) };
        let mut off = space();
        off[4] = 0;
        let mut bytes = [0; 4];
        memory.read(4096, &mut bytes, |at, to| read(&off, at, to), |_, _| Ok(())).unwrap();
        assert_eq!(bytes, [0x11; 4]);
    }
}
