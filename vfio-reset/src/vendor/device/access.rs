//! How a register is reached: directly, through a window, through configuration space.

use super::Device;
use crate::vendor::bus::Width;
use crate::vendor::outcome::{Failure, StepResult};
use crate::vendor::register::{MM_DATA, MM_INDEX, MM_INDEX_HI, MM_INDEX_VRAM, Place, Register, Window};
use crate::vendor::trace::{Direction, Event};

/// The register aperture of AMD GPUs since Sea Islands.
const MMIO_BAR: u8 = 5;

impl Device<'_> {
    pub(super) fn fetch(&mut self, register: Register) -> StepResult<u32> {
        match register.place {
            Place::Bar { bar, offset } => self.direct(register, bar, offset, None, None),
            Place::Mmio { offset } if self.is_in_aperture(offset) => {
                self.direct(register, MMIO_BAR, offset, None, None)
            }
            Place::Mmio { offset } => {
                self.point_at(register, offset)?;
                self.direct(MM_DATA, MMIO_BAR, offset_of(MM_DATA), None, Some(register))
            }
            Place::Indexed { window, address } => {
                self.select(window, address)?;
                self.access(window.data, None, Some(register))
            }
            Place::Vram { address } => {
                self.point_at_vram(address)?;
                self.direct(MM_DATA, MMIO_BAR, offset_of(MM_DATA), None, Some(register))
            }
            Place::Config { offset } => self.config_access(offset, Width::Dword, None),
        }
    }

    pub(super) fn store(&mut self, register: Register, value: u32) -> StepResult {
        match register.place {
            Place::Mmio { offset } if !self.is_in_aperture(offset) => self.point_at(register, offset)?,
            Place::Indexed { window, address } => self.select(window, address)?,
            Place::Vram { address } => self.point_at_vram(address)?,
            _ => {}
        }
        self.store_after_fetch(register, value)
    }

    /// Writes a register that was read just before: its window still shows it.
    pub(super) fn store_after_fetch(&mut self, register: Register, value: u32) -> StepResult {
        match register.place {
            Place::Bar { bar, offset } => {
                self.direct(register, bar, offset, Some(value), None)?;
            }
            Place::Mmio { offset } if self.is_in_aperture(offset) => {
                self.direct(register, MMIO_BAR, offset, Some(value), None)?;
            }
            Place::Mmio { .. } | Place::Vram { .. } => {
                self.direct(MM_DATA, MMIO_BAR, offset_of(MM_DATA), Some(value), Some(register))?;
            }
            Place::Indexed { window, .. } => {
                self.access(window.data, Some(value), Some(register))?;
                if window.read_back {
                    self.access(window.data, None, Some(register))?;
                }
            }
            Place::Config { offset } => {
                self.config_access(offset, Width::Dword, Some(value))?;
            }
        }
        Ok(())
    }

    /// Reads video memory, dword by dword, and leaves the window's index as it was.
    ///
    /// # Errors
    /// When it cannot be accessed.
    pub fn read_vram(&mut self, address: u64, dwords: usize) -> StepResult<Vec<u32>> {
        let before = [self.fetch(MM_INDEX)?, self.fetch(MM_INDEX_HI)?];
        let mut words = Vec::with_capacity(dwords);
        for number in 0..dwords {
            let address = address + 4 * number as u64;
            // The upper half stays the same for 2 GiB.
            if number == 0 || address & 0x7fff_ffff == 0 {
                self.point_at_vram(address)?;
            } else {
                self.store(MM_INDEX, vram_index(address))?;
            }
            let register = Register { name: "vram", place: Place::Vram { address } };
            words.push(self.direct(MM_DATA, MMIO_BAR, offset_of(MM_DATA), None, Some(register))?);
        }
        self.store(MM_INDEX, before[0])?;
        self.store(MM_INDEX_HI, before[1])?;
        Ok(words)
    }

    fn is_in_aperture(&self, offset: u32) -> bool {
        self.bars[usize::from(MMIO_BAR)].is_some_and(|size| u64::from(offset) + 4 <= size)
    }

    /// Lets the aperture's own window show a register of the aperture.
    fn point_at(&mut self, register: Register, offset: u32) -> StepResult {
        if self.bars[usize::from(MMIO_BAR)].is_none() {
            return Err(not_open(MMIO_BAR).into());
        }
        if offset & MM_INDEX_VRAM != 0 {
            let text = format!("{register} is out of reach of MM_INDEX");
            return Err(Failure::Unexpected(text).into());
        }
        if self.mm_index.is_none() {
            let before = self.fetch(MM_INDEX)?;
            self.mm_index = (before != u32::MAX).then_some(before);
        }
        self.store(MM_INDEX, offset)
    }

    /// Gives the aperture's own window the index that it had before the sequence, if it was used and the
    /// device answers.
    pub(crate) fn put_index_back(&mut self) {
        let Some(before) = self.mm_index.take() else { return };
        // A device that cannot be accessed any more is what the reset's own outcome is about.
        if matches!(self.fetch(MM_INDEX), Ok(now) if now != u32::MAX && now != before) {
            let _ = self.store(MM_INDEX, before);
        }
    }

    fn point_at_vram(&mut self, address: u64) -> StepResult {
        let high = u32::try_from(address >> 31)
            .map_err(|_| Failure::Unexpected(format!("video memory has no address {address:#x}")))?;
        self.store(MM_INDEX, vram_index(address))?;
        self.store(MM_INDEX_HI, high)
    }

    fn select(&mut self, window: &Window, address: u32) -> StepResult {
        self.access(window.index, Some(address), None)?;
        if window.read_back {
            self.access(window.index, None, None)?;
        }
        Ok(())
    }

    /// Accesses one of a window's own registers, which are always reached directly.
    fn access(
        &mut self,
        register: Register,
        value: Option<u32>,
        target: Option<Register>,
    ) -> StepResult<u32> {
        match register.place {
            Place::Bar { bar, offset } => self.direct(register, bar, offset, value, target),
            Place::Mmio { offset } => self.direct(register, MMIO_BAR, offset, value, target),
            _ => Err(Failure::Unexpected(format!("{register} is behind two windows")).into()),
        }
    }

    fn direct(
        &mut self,
        register: Register,
        bar: u8,
        offset: u32,
        value: Option<u32>,
        target: Option<Register>,
    ) -> StepResult<u32> {
        if self.bars.get(usize::from(bar)).copied().flatten().is_none() {
            return Err(not_open(bar).into());
        }
        let (offset, width) = (u64::from(offset), Width::Dword);
        let (direction, value) = match value {
            None => (Direction::Read, self.bus.read_bar(bar, offset, width)?),
            Some(value) => {
                self.bus.write_bar(bar, offset, width, value)?;
                (Direction::Write, value)
            }
        };
        let register = Some(register.name);
        self.trace.event(Event::Bar { direction, bar, offset, width, value, register, target });
        Ok(value)
    }

    pub(super) fn config_access(&mut self, offset: u16, width: Width, value: Option<u32>) -> StepResult<u32> {
        let (direction, value) = match value {
            None => (Direction::Read, self.bus.read_config(offset, width)?),
            Some(value) => {
                self.bus.write_config(offset, width, value)?;
                (Direction::Write, value)
            }
        };
        self.trace.event(Event::Config { direction, offset, width, value });
        Ok(value)
    }
}

/// The index that shows a dword of video memory, without the address's upper half.
fn vram_index(address: u64) -> u32 {
    (address & 0x7fff_ffff) as u32 | MM_INDEX_VRAM
}

const fn offset_of(register: Register) -> u32 {
    match register.place {
        Place::Mmio { offset } => offset,
        _ => 0,
    }
}

fn not_open(bar: u8) -> Failure {
    Failure::Unexpected(format!("the sequence uses BAR {bar} without having opened it"))
}
