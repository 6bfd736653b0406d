//! One function as a vfio-user client sees it: regions, interrupts, resets.

use super::super::model::{Completion, FunctionModel, ResetKind};
use super::{Clock, Event, Observer, Simulated};
use crate::error::{Error, Result};
use crate::machine::vfio::RegionIndex;
use pcicfg::{Address, ConfigSpace};
use std::fs::File;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use vfio_bindings::bindings::vfio;
use vfio_user::{DmaMapFlags, DmaUnmapFlags, IrqInfo, ServerBackend, ServerRegion};

/// Where Command is, and its bits that switch a function on.
const COMMAND: u64 = 4;
const IN_USE: u8 = 0x07;

/// A function, and what it is when it has just got power.
pub(super) struct Function {
    machine: Arc<Simulated>,
    address: Address,
    clock: Clock,
    observer: Observer,
    /// Of each region, by its index.
    sizes: [u64; RegionIndex::ALL.len()],
    /// Its state without a client.
    powered: serde_json::Value,
    connected: bool,
    /// Somebody has switched it on since it got power.
    in_use: bool,
    /// The model is at work: what goes wrong now is no client's fault.
    inside: bool,
}

/// The largest access that is served: what the protocol's library promises to clients as `max_data_xfer_size`.
const LARGEST_ACCESS: usize = 1 << 20;

impl Function {
    /// Gives a function power, long ago, and looks at it.
    pub(super) fn new(
        machine: Arc<Simulated>,
        address: Address,
        clock: Clock,
        observer: Observer,
    ) -> Result<Self> {
        let (sizes, powered) = machine.with_model(address, |model| {
            model.reset(Duration::ZERO, ResetKind::PowerCycle);
            (sizes(model, clock.now()), model.save())
        })?;
        let Some(sizes) = sizes else {
            return Err(Error::NotServed {
                what: address.to_string(),
                reason:
                    "it does not answer when it has got power, and no virtual machine would find it; to have \
                         it die later, leave that out and use the control socket"
                        .to_string(),
            });
        };
        Ok(Self {
            machine,
            address,
            clock,
            observer,
            sizes,
            powered,
            connected: false,
            in_use: false,
            inside: false,
        })
    }

    pub(super) fn address(&self) -> Address {
        self.address
    }

    /// What the client is told of the regions.
    pub(super) fn regions(&self) -> Vec<ServerRegion> {
        let access = vfio::VFIO_REGION_INFO_FLAG_READ | vfio::VFIO_REGION_INFO_FLAG_WRITE;
        let region = |(index, &size): (usize, &u64)| ServerRegion {
            region_info: vfio::vfio_region_info {
                argsz: size_of::<vfio::vfio_region_info>() as u32,
                flags: if size == 0 { 0 } else { access },
                index: index as u32,
                size,
                ..Default::default()
            },
            sparse_areas: Vec::new(),
            mmap_fd: None,
        };
        self.sizes.iter().enumerate().map(region).collect()
    }

    /// What the client is told of the interrupts: as many as the capabilities say, and none is ever sent.
    pub(super) fn interrupts(&self) -> Vec<IrqInfo> {
        let registers = self.model(|model| model.registers().to_vec());
        let space = ConfigSpace::new(&registers).ok();
        let pin = registers.get(0x3d).is_some_and(|&pin| pin != 0);
        let msi = space
            .and_then(|space| space.msi()?.message_control().multiple_message_capable())
            .map_or(0, u32::from);
        let msi_x = space
            .and_then(|space| space.msi_x())
            .map_or(0, |msi_x| u32::from(msi_x.message_control().table_size()));
        let eventfd = vfio::VFIO_IRQ_INFO_EVENTFD;
        let level = eventfd | vfio::VFIO_IRQ_INFO_MASKABLE | vfio::VFIO_IRQ_INFO_AUTOMASKED;
        let edge = eventfd | vfio::VFIO_IRQ_INFO_NORESIZE;
        let counts = [(level, u32::from(pin)), (edge, msi), (edge, msi_x), (edge, 1), (edge, 1)];
        let info = |(index, (flags, count))| IrqInfo { index, flags, count };
        (0..).zip(counts).map(info).collect()
    }

    /// The client is gone: power off. One that never asked for anything has changed nothing.
    pub(super) fn disconnected(&mut self, reason: Option<&str>) {
        let was_connected = std::mem::take(&mut self.connected);
        if was_connected {
            // The state is the model's own, so it is taken.
            self.model(|model| model.load(&self.powered).unwrap_or_default());
            self.in_use = false;
        }
        if was_connected || reason.is_some() {
            self.tell(&Event::Disconnected(reason));
        }
    }

    /// Whether a panic was the model's.
    pub(super) fn take_inside(&mut self) -> bool {
        std::mem::take(&mut self.inside)
    }

    fn inside<R>(&mut self, act: impl FnOnce(&mut Self) -> R) -> R {
        self.inside = true;
        let result = act(self);
        self.inside = false;
        result
    }

    fn model<R: Default>(&self, act: impl FnOnce(&mut dyn FunctionModel) -> R) -> R {
        // Whoever made this has found the function, and functions do not go.
        self.machine.with_model(self.address, act).unwrap_or_default()
    }

    pub(super) fn tell(&self, event: &Event<'_>) {
        (self.observer)(self.address, self.clock.begin.elapsed(), event);
    }

    /// The region, and that an access stays within it.
    fn region(&mut self, region: u32, offset: u64, length: usize) -> (RegionIndex, bool) {
        if !std::mem::replace(&mut self.connected, true) {
            self.tell(&Event::Connected);
        }
        let index = region as usize;
        let size = self.sizes.get(index).copied().unwrap_or(0);
        let within = offset.checked_add(length as u64).is_some_and(|end| end <= size);
        (RegionIndex::ALL.get(index).copied().unwrap_or(RegionIndex::Vga), within)
    }

    fn read(&mut self, region: u32, offset: u64, data: &mut [u8]) {
        let (region, within) = self.region(region, offset, data.len());
        let now = self.clock.now();
        data.fill(0xff);
        if within {
            self.model(|model| {
                for (at, part) in dwords(offset, data.len()) {
                    read(model, now, region, at, &mut data[part]);
                }
            });
        }
        self.tell(&Event::Read { region, offset, bytes: data });
    }

    fn write(&mut self, region: u32, offset: u64, data: &[u8]) {
        let (region, within) = self.region(region, offset, data.len());
        let now = self.clock.now();
        self.tell(&Event::Write { region, offset, bytes: data });
        if !within {
            return;
        }
        for (at, part) in dwords(offset, data.len()) {
            let bytes = &data[part];
            let reset = self.model(|model| match region {
                RegionIndex::Bar(bar) => {
                    model.write_bar(now, bar, at, bytes);
                    None
                }
                RegionIndex::Config => model.write_config(now, at as u16, bytes),
                RegionIndex::Rom | RegionIndex::Vga => None,
            });
            if let Some(kind) = reset {
                self.tell(&Event::Reset(kind));
            }
        }
        if region == RegionIndex::Config {
            let command = COMMAND.checked_sub(offset).and_then(|at| data.get(at as usize));
            self.in_use |= command.is_some_and(|command| command & IN_USE != 0);
        }
    }

    fn bus_reset(&mut self) {
        self.region(0, 0, 0);
        if !self.in_use {
            self.tell(&Event::PowerOn);
            return;
        }
        let now = self.clock.now();
        self.model(|model| model.reset(now, ResetKind::Conventional));
        self.tell(&Event::Reset(ResetKind::Conventional));
    }
}

impl ServerBackend for Function {
    fn region_read(&mut self, region: u32, offset: u64, data: &mut [u8]) -> io::Result<()> {
        check_length(data)?;
        self.inside(|this| this.read(region, offset, data));
        Ok(())
    }

    fn region_write(&mut self, region: u32, offset: u64, data: &[u8]) -> io::Result<()> {
        check_length(data)?;
        self.inside(|this| this.write(region, offset, data));
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        self.inside(Self::bus_reset);
        Ok(())
    }

    fn dma_map(&mut self, _: DmaMapFlags, _: u64, _: u64, _: u64, _: Option<File>) -> io::Result<()> {
        Ok(())
    }

    fn dma_unmap(&mut self, _: DmaUnmapFlags, _: u64, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn set_irqs(&mut self, _: u32, _: u32, _: u32, _: u32, _: Vec<File>) -> io::Result<()> {
        Ok(())
    }
}

/// One access of gigabytes would keep the whole machine from everybody else.
fn check_length(data: &[u8]) -> io::Result<()> {
    if data.len() > LARGEST_ACCESS { Err(io::ErrorKind::InvalidInput.into()) } else { Ok(()) }
}

/// Reads as a processor does: what no one answers reads all-ones. Request Retry Status is shown as a root port
/// shows it that makes it visible to software.
fn read(model: &mut dyn FunctionModel, now: Duration, region: RegionIndex, at: u64, bytes: &mut [u8]) {
    let completion = match region {
        RegionIndex::Bar(bar) => model.read_bar(now, bar, at, bytes),
        RegionIndex::Config => model.read_config(now, at as u16, bytes),
        RegionIndex::Rom | RegionIndex::Vga => Completion::Unanswered,
    };
    if completion == Completion::Successful {
        return;
    }
    bytes.fill(0xff);
    if completion == Completion::RequestRetry && region == RegionIndex::Config && at == 0 && bytes.len() >= 2
    {
        bytes[..2].copy_from_slice(&[0x01, 0x00]);
    }
}

/// How many bytes each region has; BARs are asked as firmware asks them: of the ones that are written, those stay
/// that are address. `None` if no one answers.
fn sizes(model: &mut dyn FunctionModel, now: Duration) -> Option<[u64; RegionIndex::ALL.len()]> {
    let mut sizes = [0; RegionIndex::ALL.len()];
    let get = |model: &mut dyn FunctionModel, at| {
        let mut bytes = [0; 4];
        let answered = model.read_config(now, at, &mut bytes) == Completion::Successful;
        answered.then(|| u32::from_le_bytes(bytes))
    };
    get(model, 0)?;
    let probe = |model: &mut dyn FunctionModel, at| {
        let before = get(model, at)?;
        model.write_config(now, at, &[0xff; 4]);
        let ones = get(model, at)?;
        model.write_config(now, at, &before.to_le_bytes());
        Some(ones)
    };
    let mut bar = 0;
    while bar < 6 {
        let at = 0x10 + 4 * bar as u16;
        let low = probe(model, at)?;
        let (is_port, is_wide) = (low & 1 != 0, low & 7 == 4 && bar < 5);
        let address = low & if is_port { !3 } else { !0xf };
        let size = match is_wide {
            true => (u64::from(probe(model, at + 4)?) << 32 | u64::from(address)).wrapping_neg(),
            // The upper half of a register for ports may be zero.
            false => u64::from((if is_port { address | 0xffff_0000 } else { address }).wrapping_neg()),
        };
        sizes[bar] = if low == 0 { 0 } else { size };
        bar += if is_wide { 2 } else { 1 };
    }
    sizes[RegionIndex::Config.number() as usize] = model.config_size() as u64;
    Some(sizes)
}

/// An access in parts that do not cross a dword: where each is, and which of the bytes.
fn dwords(offset: u64, length: usize) -> impl Iterator<Item = (u64, Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let width = (4 - (at % 4) as usize).min(length - done);
        let part = (at, done..done + width);
        done += width;
        (width > 0).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_is_split_at_dwords() {
        let dwords = |offset, length| dwords(offset, length).collect::<Vec<_>>();
        assert_eq!(dwords(8, 4), [(8, 0..4)]);
        assert_eq!(dwords(6, 8), [(6, 0..2), (8, 2..6), (12, 6..8)]);
        assert!(dwords(3, 0).is_empty());
    }
}
