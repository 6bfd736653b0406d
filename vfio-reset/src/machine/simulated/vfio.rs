//! A function of a simulated machine that is open through VFIO.

use super::Simulated;
use super::kernel::vfio::Outcome;
use crate::error::Result;
use crate::machine::KernelReset;
use crate::machine::vfio::{
    HotResetSet, Opened, OpenedFunction, RegionIndex, RegionInfo, VfioDevice, VfioError, VfioEvent,
    VfioOperation, VfioRequest,
};
use pcicfg::Address;
use std::time::Duration;

/// A function that is open.
struct Open<'m> {
    machine: &'m Simulated,
    address: Address,
    opened: Vec<OpenedFunction>,
    closed: bool,
}

/// Opens a function.
pub(super) fn open<'m>(machine: &'m Simulated, request: &VfioRequest<'_>) -> Result<Opened<'m>> {
    let address = request.address;
    Ok(match machine.of(address)?.vfio_open(request)? {
        Outcome::Open(opened) => Opened::Open(Box::new(Open { machine, address, opened, closed: false })),
        Outcome::StillRunning => Opened::StillRunning,
    })
}

impl Open<'_> {
    /// The region's size, and that an access stays within it and reaches the function.
    fn check(&self, region: RegionIndex, offset: u64, length: usize) -> Result<()> {
        let failed = |errno| VfioError::new(self.address, VfioOperation::RegionAccess, errno).about(region);
        let size = self.region(region)?.map_or(0, |info| info.size);
        if offset.checked_add(length as u64).is_none_or(|end| end > size) {
            return Err(failed(libc::EINVAL).into());
        }
        let mut command = [0; 2];
        self.machine.lock().read(self.address, 4, &mut command);
        let off = u16::from_le_bytes(command) & 2 == 0 || command == [0xff; 2];
        if off && matches!(region, RegionIndex::Bar(_) | RegionIndex::Rom) {
            return Err(failed(libc::EIO).into());
        }
        Ok(())
    }
}

impl VfioDevice for Open<'_> {
    fn opened(&self) -> &[OpenedFunction] {
        &self.opened
    }

    fn hot_reset_set(&self, budget: Duration) -> Result<Option<HotResetSet>> {
        self.machine.of(self.address)?.vfio_hot_reset_set(self.address, budget)
    }

    fn reset(&mut self, budget: Duration) -> Result<KernelReset> {
        Ok(self.machine.of(self.address)?.vfio_reset(self.address, budget))
    }

    fn hot_reset(&mut self, budget: Duration) -> Result<KernelReset> {
        Ok(self.machine.of(self.address)?.vfio_hot_reset(self.address, budget))
    }

    fn region(&self, region: RegionIndex) -> Result<Option<RegionInfo>> {
        let state = self.machine.of(self.address)?;
        let size = match region {
            RegionIndex::Config => state.config_size(self.address) as u64,
            RegionIndex::Vga => 0,
            RegionIndex::Bar(_) | RegionIndex::Rom => {
                let resources = state.resources(self.address);
                let found = resources.get(region.number() as usize).copied().unwrap_or_default();
                if found.start == 0 { 0 } else { found.end - found.start + 1 }
            }
        };
        let is_bar = matches!(region, RegionIndex::Bar(_));
        let writable = is_bar || region == RegionIndex::Config;
        Ok((size > 0).then_some(RegionInfo { size, readable: true, writable, mappable: false }))
    }

    fn read_region(&self, region: RegionIndex, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.check(region, offset, bytes.len())?;
        let mut state = self.machine.of(self.address)?;
        match region {
            RegionIndex::Config => state.user_read(self.address, offset as u16, bytes),
            _ => state.read_bar(self.address, region.number() as u8, offset, bytes),
        }
        Ok(())
    }

    fn write_region(&self, region: RegionIndex, offset: u64, bytes: &[u8]) -> Result<()> {
        self.check(region, offset, bytes.len())?;
        let mut state = self.machine.of(self.address)?;
        match region {
            RegionIndex::Config => state.write(self.address, offset as u16, bytes),
            _ => state.write_bar(self.address, region.number() as u8, offset, bytes),
        }
        Ok(())
    }

    fn events(&self) -> Result<Vec<VfioEvent>> {
        Ok(self.machine.of(self.address)?.vfio_events(self.address))
    }

    fn close(mut self: Box<Self>, budget: Duration) -> Result<KernelReset> {
        self.closed = true;
        Ok(self.machine.lock().vfio_close(self.address, budget))
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.closed {
            let _ = self.machine.lock().vfio_close(self.address, Duration::ZERO);
        }
    }
}
