//! A device as a file describes it: registers, windows, and what happens when one is written.
//!
//! The format is `vrtrace-model/1`, that of the recorded traces ([docs/vendor-models.md]); its rules are
//! all here. A [`Model`] is a plain object. It is handed the time with every access and never
//! sleeps, so it serves in process, in virtual time, and behind any protocol that shows it to a real
//! kernel. Configuration space belongs to whoever uses the model ([`ConfigCells`]): to a
//! [`ModelHost`], or to a function of a simulated machine.
//!
//! [docs/vendor-models.md]: https://github.com/vfio-reset/vfio-reset/blob/main/docs/vendor-models.md

mod format;
mod host;
mod shipped;
mod state;

pub use format::{BarKind, ModelBar};
pub use host::ModelHost;
pub use state::ModelState;

use format::{Action, Description, Space, Trigger};
use pcicfg::ConfigSpace;
use state::Due;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// The dwords of configuration space that a model sees and changes.
pub trait ConfigCells {
    /// The dword at an offset, a multiple of 4; 0 where there is none.
    fn dword(&self, offset: u16) -> u32;

    /// Changes the dword at an offset, as the device itself does.
    fn set_dword(&mut self, offset: u16, value: u32);
}

/// The Base Address Register behind which the register aperture is; all others are ports or the like,
/// one space together.
const APERTURE: u8 = 5;

const COMMAND: u16 = 4;
const MEMORY_SPACE: u32 = 1 << 1;

/// A device whose registers behave as a file says.
#[derive(Clone, Debug)]
pub struct Model {
    description: Arc<Description>,
    state: ModelState,
}

impl Model {
    fn new(description: Description) -> Self {
        let state = ModelState::default();
        Self { description: Arc::new(description), state }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.description.name
    }

    /// What it shows, in a sentence.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.description.text
    }

    /// Vendor and device id.
    #[must_use]
    pub fn ids(&self) -> (u16, u16) {
        self.description.ids
    }

    /// Its Base Address Registers.
    #[must_use]
    pub fn bars(&self) -> &[ModelBar] {
        &self.description.bars
    }

    /// The same device, whose capabilities are where another device has them: what happens when a reset is asked
    /// for in PCI Express, or MSI-X is switched, happens at that device's offset. Other registers stay: a vendor's
    /// own may stand within a capability, as the reset register of AMD's older cards does.
    fn relocated(&self, image: &[u8]) -> Self {
        let (Ok(own), Ok(other)) = (ConfigSpace::new(&self.description.config), ConfigSpace::new(image))
        else {
            return self.clone();
        };
        /// Device Control and Device Status, and Message Control: from the capability's start.
        const EXPRESS: Range<u64> = 0x08..0x0c;
        const MSI_X: Range<u64> = 0x02..0x04;
        let offsets = |space: ConfigSpace<'_>| {
            let express = space.pci_express().map(|express| u64::from(express.offset()));
            (express, space.msi_x().map(|msi_x| u64::from(msi_x.offset())))
        };
        let (own, other) = (offsets(own), offsets(other));
        let moves = [(own.0, other.0, EXPRESS), (own.1, other.1, MSI_X)];
        let moved = |space: Space, offset: u64| {
            let to = moves.iter().find_map(|(from, to, registers)| {
                let within = offset.checked_sub((*from)?).filter(|within| registers.contains(within))?;
                Some((*to)? + within)
            });
            if space == Space::Cfg { to.unwrap_or(offset) } else { offset }
        };
        let mut description = Description::clone(&self.description);
        let triggers = std::mem::take(&mut description.triggers);
        for ((space, offset), mut list) in triggers {
            for action in list.iter_mut().flat_map(|trigger| trigger.actions.iter_mut()) {
                if let Due::Change { space, offset, .. } = &mut action.what {
                    *offset = moved(*space, *offset);
                }
            }
            description.triggers.entry((space, moved(space, offset))).or_default().extend(list);
        }
        Self { description: Arc::new(description), state: self.state.clone() }
    }

    /// Reads from behind a Base Address Register.
    pub fn read_bar(
        &mut self,
        now: Duration,
        config: &mut dyn ConfigCells,
        bar: u8,
        offset: u64,
        bytes: &mut [u8],
    ) {
        self.settle(now, config);
        let mut done = 0;
        while done < bytes.len() {
            let at = offset.saturating_add(done as u64);
            let (within, length) = part(at, bytes.len() - done);
            let value = self.read_dword(now, config, bar, at - within as u64).to_le_bytes();
            bytes[done..done + length].copy_from_slice(&value[within..within + length]);
            done += length;
        }
    }

    /// Writes behind a Base Address Register.
    pub fn write_bar(
        &mut self,
        now: Duration,
        config: &mut dyn ConfigCells,
        bar: u8,
        offset: u64,
        bytes: &[u8],
    ) {
        self.settle(now, config);
        let mut done = 0;
        while done < bytes.len() {
            let at = offset.saturating_add(done as u64);
            let (within, length) = part(at, bytes.len() - done);
            let (space, cell) = self.target(bar, at - within as u64);
            if !self.is_silent(now, config) {
                let before = self.cell(space, cell);
                let mut value = before.to_le_bytes();
                value[within..within + length].copy_from_slice(&bytes[done..done + length]);
                let value = u32::from_le_bytes(value);
                self.state.cells.set(space, cell, value);
                self.fire(now, config, (space, cell), value, before);
            }
            done += length;
        }
    }

    /// `value` was written to a dword of configuration space that held `before`. A bit that the device does
    /// not keep counts as it was written.
    pub fn config_written(
        &mut self,
        now: Duration,
        config: &mut dyn ConfigCells,
        offset: u16,
        value: u32,
        before: u32,
    ) {
        self.fire(now, config, (Space::Cfg, u64::from(offset)), value, before);
    }

    /// Lets happen what is due.
    pub fn settle(&mut self, now: Duration, config: &mut dyn ConfigCells) {
        while let Some((due, action)) = self.state.next_due(now) {
            self.act(due, config, &action);
        }
    }

    /// Back to how it was described: its power was off.
    pub fn power_cycle(&mut self) {
        self.state = ModelState::default();
    }

    /// What it holds besides the description.
    #[must_use]
    pub fn state(&self) -> &ModelState {
        &self.state
    }

    /// Takes over what [`state`](Self::state) of a model of the same description gave.
    pub fn set_state(&mut self, state: ModelState) {
        self.state = state;
    }

    /// Whether a call of the kernel's is to fail.
    fn fails(&self, call: &str) -> bool {
        self.description.fail_calls.iter().any(|failing| failing == call)
    }

    /// Reads a dword; a read of a register with scripted values takes the next one.
    fn read_dword(&mut self, now: Duration, config: &dyn ConfigCells, bar: u8, offset: u64) -> u32 {
        let target = self.target(bar, offset);
        if self.is_silent(now, config) {
            return u32::MAX;
        }
        match self.description.scripted.get(&target) {
            Some(values) => self.state.next_scripted(target, values),
            None => self.cell(target.0, target.1),
        }
    }

    /// What an access goes to.
    fn target(&self, bar: u8, offset: u64) -> (Space, u64) {
        if bar != APERTURE {
            return (Space::Io, offset);
        }
        let last = |register: u64| self.cell(Space::Mmio, register);
        if let Some(window) = &self.description.mm_window
            && offset == window.data
        {
            let index = last(window.index);
            return match index >> 31 {
                0 => (Space::Mmio, u64::from(index)),
                _ => (Space::Vram, u64::from(last(window.index_hi)) << 31 | u64::from(index & 0x7fff_ffff)),
            };
        }
        match self.description.windows.iter().find(|window| window.data == offset) {
            Some(window) => (window.space, u64::from(last(window.index))),
            None => (Space::Mmio, offset),
        }
    }

    /// What a cell holds.
    fn cell(&self, space: Space, offset: u64) -> u32 {
        let described = || self.description.initial(space, offset);
        self.state.cells.get(space, offset).unwrap_or_else(described)
    }

    /// Whether reads are all-ones and writes are lost.
    fn is_silent(&self, now: Duration, config: &dyn ConfigCells) -> bool {
        self.description.dead_from_start
            || now < self.state.dead_until
            || self.description.needs_mem_enable && config.dword(COMMAND) & MEMORY_SPACE == 0
    }

    fn fire(
        &mut self,
        now: Duration,
        config: &mut dyn ConfigCells,
        place: (Space, u64),
        value: u32,
        before: u32,
    ) {
        let description = Arc::clone(&self.description);
        let Some(triggers) = description.triggers.get(&place) else { return };
        for trigger in triggers.iter().filter(|trigger| trigger.fires(value, before)) {
            for action in &trigger.actions {
                match action.after {
                    Duration::ZERO => self.act(now, config, action),
                    after => self.state.schedule(now.saturating_add(after), action),
                }
            }
        }
    }

    fn act(&mut self, now: Duration, config: &mut dyn ConfigCells, action: &Action) {
        match action.what {
            Due::Dead { time } => {
                self.state.dead_until = self.state.dead_until.max(now.saturating_add(time));
            }
            Due::Change { space: Space::Cfg, offset, and, or } => {
                let offset = offset as u16;
                config.set_dword(offset, config.dword(offset) & and | or);
            }
            Due::Change { space, offset, and, or } => {
                let value = self.cell(space, offset) & and | or;
                self.state.cells.set(space, offset, value);
            }
        }
    }
}

impl Trigger {
    fn fires(&self, value: u32, before: u32) -> bool {
        value & self.mask == self.wanted && before & self.old_mask == self.old_wanted
    }
}

/// Where in its dword an access begins, and how many of the `rest` bytes are in that dword.
fn part(offset: u64, rest: usize) -> (usize, usize) {
    let within = (offset % 4) as usize;
    (within, rest.min(4 - within))
}

#[cfg(test)]
mod tests;
