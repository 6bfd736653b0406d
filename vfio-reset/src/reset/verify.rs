//! Is everything as before? "It answers" is not "it is healthy".

use super::restore::{read_register, sequence};
use super::{Engine, StepResult};
use crate::error::Result;
use crate::machine::{Function, Machine};
use crate::report::Check;
use crate::state::header::BridgeHeaders;
use crate::state::registers::final_writes;
use crate::state::{SavedFunction, SavedState};
use pcicfg::capability::{
    LinkSpeed, LinkStatus, PciExpress, PowerManagement, PowerManagementControlStatus, PowerState,
};
use pcicfg::{Address, ConfigRead, ConfigSpace};

/// What is found where the kernel has taken a function for unplugged.
const REMOVED: &str = "no, the kernel has removed it";

/// Compares everything in `state` with what is there now.
///
/// # Errors
/// When configuration space cannot be read.
pub fn verify_state(machine: &dyn Machine, state: &SavedState) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    for saved in &state.functions {
        verify_function(machine, saved, state.address, &mut checks)?;
    }
    Ok(checks)
}

impl Engine<'_, '_> {
    pub(super) fn verify(&mut self) -> StepResult<()> {
        if let Some(saved) = &self.saved {
            self.verification = verify_state(self.machine, saved)?;
            self.verification.extend(self.effect.take());
            self.removed = self.verification.iter().any(|check| check.found == REMOVED);
        }
        Ok(())
    }
}

fn verify_function(
    machine: &dyn Machine,
    saved: &SavedFunction,
    target: Address,
    checks: &mut Vec<Check>,
) -> Result<()> {
    let Some(image) = saved.space() else { return Ok(()) };
    let function = Function::new(machine, saved.address);
    let mut check = |what: &str, offset: Option<u16>, expected: String, found: String| {
        let ok = expected == found;
        checks.push(Check { address: saved.address, what: what.to_string(), offset, expected, found, ok });
        ok
    };
    // For the neighbours, and a virtual function that shows no ids, this is whether they are alive.
    let silence = match function.read_u32(4) {
        Ok(0xffff_ffff) => Some("no, all-ones".to_string()),
        Ok(_) => None,
        // The kernel has removed it: what it took for an unplugged device.
        Err(error) if error.is_gone() => Some(REMOVED.to_string()),
        Err(error) => return Err(error),
    };
    if let Some(silence) = silence {
        let what = if saved.address == target { "answers" } else { "neighbour answers" };
        check(what, Some(4), "yes".to_string(), silence);
        return Ok(());
    }
    let ids = |id: u32| format!("{:04x}:{:04x}", id & 0xffff, id >> 16);
    if !check("Vendor ID and Device ID", Some(0), ids(image.header().id()), ids(function.read_u32(0)?)) {
        return Ok(());
    }
    let header_type = |byte: u8| format!("{byte:02x}");
    let saved_type = image.read_u8(0x0e).unwrap_or(0xff);
    check("Header Type", Some(0x0e), header_type(saved_type), header_type(function.read_u8(0x0e)?));

    for write in final_writes(&sequence(saved, BridgeHeaders::Forced)) {
        let found = read_register(&function, &write)? & write.compare;
        let digits = 2 * usize::from(write.width);
        let expected = format!("{:0digits$x}", write.value & write.compare);
        check(write.register, Some(write.offset), expected, format!("{found:0digits$x}"));
    }
    if let Some(pm) = image.power_management() {
        let offset = pm.offset() + PowerManagement::CONTROL_STATUS;
        let now = PowerManagementControlStatus::from_bits_retain(function.read_u16(offset)?);
        check(
            "power state",
            Some(offset),
            format!("{:?}", PowerState::D0),
            format!("{:?}", now.power_state()),
        );
    }
    verify_link(image, &function, &mut check)?;
    Ok(())
}

/// The link must be at least as fast and as wide as it was: a card can come back at 2.5 GT/s.
fn verify_link(
    image: ConfigSpace<'_>,
    function: &Function<'_>,
    check: &mut impl FnMut(&str, Option<u16>, String, String) -> bool,
) -> Result<()> {
    let Some(express) = image.pci_express() else { return Ok(()) };
    let Some(before) = express.link_status() else { return Ok(()) };
    let offset = express.offset() + PciExpress::LINK_STATUS;
    let now = LinkStatus::from_bits_retain(function.read_u16(offset)?);
    let speed = |status: LinkStatus| match status.current_link_speed() {
        Some(speed) => speed.to_string(),
        None => "none".to_string(),
    };
    // Faster or wider than before is no loss: a card that idled slowly may come back at full speed.
    let is_faster =
        before.current_link_speed().map(LinkSpeed::code) < now.current_link_speed().map(LinkSpeed::code);
    let reference = if is_faster { now } else { before };
    check("link speed", Some(offset), speed(reference), speed(now));
    let width = |status: LinkStatus| format!("x{}", status.negotiated_link_width().lanes());
    let is_wider = before.negotiated_link_width().lanes() < now.negotiated_link_width().lanes();
    let reference = if is_wider { now } else { before };
    check("link width", Some(offset), width(reference), width(now));
    if express.data_link_layer_link_active_reporting_capable() {
        let active = |status: LinkStatus| {
            if status.contains(LinkStatus::DATA_LINK_LAYER_LINK_ACTIVE) { "up" } else { "down" }.to_string()
        };
        check("link", Some(offset), active(before), active(now));
    }
    Ok(())
}
