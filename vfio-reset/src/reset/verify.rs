//! Is everything as before? "It answers" is not "it is healthy".

use super::restore::{read_register, sequence};
use super::{Engine, StepResult};
use crate::error::Result;
use crate::machine::{Function, Machine};
use crate::plan::Via;
use crate::report::Check;
use crate::state::header::BridgeHeaders;
use crate::state::registers::final_writes;
use crate::state::{RegisterWrite, SavedFunction, SavedState};
use pcicfg::capability::{
    LinkSpeed, LinkStatus, PciExpress, PowerManagement, PowerManagementControlStatus, PowerState,
};
use pcicfg::registers::{PlacedRegister, RegisterMap, registers};
use pcicfg::{Address, ConfigRead, ConfigSpace};

const HEADER_TYPE: u16 = 0x0e;

/// What is found where the kernel has taken a function for unplugged.
const REMOVED: &str = "no, the kernel has removed it";

/// Whether a function that slept may be awake now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sleep {
    /// It must sleep again.
    Again,
    /// It may be awake: the kernel wakes what it resets, and a driver what it uses.
    OrAwake,
}

/// Compares everything in `state` with what is there now. A function that slept may be awake.
///
/// # Errors
/// When configuration space cannot be read.
pub fn verify_state(machine: &dyn Machine, state: &SavedState) -> Result<Vec<Check>> {
    verify_all(machine, state, Sleep::OrAwake)
}

fn verify_all(machine: &dyn Machine, state: &SavedState, sleep: Sleep) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    for saved in &state.functions {
        verify_function(machine, saved, (state.address, sleep), &mut checks)?;
    }
    Ok(checks)
}

impl Engine<'_, '_> {
    pub(super) fn verify(&mut self) -> StepResult<()> {
        let sleep = if self.action.via == Via::Direct { Sleep::Again } else { Sleep::OrAwake };
        if let Some(saved) = &self.saved {
            self.verification = verify_all(self.machine, saved, sleep)?;
            self.verification.extend(self.effect.take());
            self.removed = self.verification.iter().any(|check| check.found == REMOVED);
        }
        if sleep == Sleep::OrAwake {
            self.note_woken()?;
        }
        Ok(())
    }

    /// The kernel wakes what it resets, and knows that it did: nobody puts it to sleep behind its back.
    fn note_woken(&mut self) -> Result<()> {
        for planned in &self.action.functions {
            let Some((offset, before)) = self.power_state_before(planned.address) else { continue };
            let function = self.function(planned.address);
            if before == PowerState::D0 || function.read_u32(0)? == u32::MAX && !planned.is_virtual {
                continue;
            }
            let now = PowerManagementControlStatus::from_bits_retain(function.read_u16(offset)?);
            if now.power_state() == PowerState::D0 {
                self.notes.push(format!(
                    "{} was in {before:?} before, and is awake now (D0): the kernel wakes what it resets",
                    planned.address
                ));
            }
        }
        Ok(())
    }
}

fn verify_function(
    machine: &dyn Machine,
    saved: &SavedFunction,
    (target, sleep): (Address, Sleep),
    checks: &mut Vec<Check>,
) -> Result<()> {
    let Some(image) = saved.space() else { return Ok(()) };
    let function = Function::new(machine, saved.address);
    let mut checks = Checks { address: saved.address, list: checks };
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
        checks.push(what, Some(4), "yes".to_string(), silence);
        return Ok(());
    }
    let ids = |id: u32| format!("{:04x}:{:04x}", id & 0xffff, id >> 16);
    if !checks.push("Vendor ID and Device ID", Some(0), ids(image.header().id()), ids(function.read_u32(0)?))
    {
        return Ok(());
    }
    let header_type = |byte: u8| format!("{byte:02x}");
    let saved_type = image.read_u8(HEADER_TYPE).unwrap_or(0xff);
    checks.push(
        "Header Type",
        Some(HEADER_TYPE),
        header_type(saved_type),
        header_type(function.read_u8(HEADER_TYPE)?),
    );

    let map = registers(image);
    for write in final_writes(&sequence(saved, BridgeHeaders::Forced)) {
        let found = read_register(&function, &write)?;
        checks.registers(&map, &write, found);
    }
    if let Some(pm) = image.power_management() {
        let offset = pm.offset() + PowerManagement::CONTROL_STATUS;
        let now = PowerManagementControlStatus::from_bits_retain(function.read_u16(offset)?).power_state();
        let expected = match sleep {
            Sleep::OrAwake if now == PowerState::D0 => now,
            _ => pm.control_status().power_state(),
        };
        checks.push("power state", Some(offset), format!("{expected:?}"), format!("{now:?}"));
    }
    verify_link(image, &function, &mut checks)
}

/// The comparisons of one function.
struct Checks<'a> {
    address: Address,
    list: &'a mut Vec<Check>,
}

impl Checks<'_> {
    /// Returns whether the two agree.
    fn push(&mut self, what: &str, offset: Option<u16>, expected: String, found: String) -> bool {
        let (address, what, ok) = (self.address, what.to_string(), expected == found);
        self.list.push(Check { address, what, offset, expected, found, ok, fields: Vec::new() });
        ok
    }

    /// What was written and what is found, by the registers that `show` and `diff` name: a write of four
    /// bytes is often several. Bits that are not compared are left out.
    fn registers(&mut self, map: &RegisterMap, write: &RegisterWrite, found: u32) {
        let end = write.offset + u16::from(write.width);
        let inside = |register: &&PlacedRegister| register.offset() + u16::from(register.width()) <= end;
        let mut rest = write.compare;
        for register in (write.offset..end).filter_map(|offset| map.at(offset)).filter(inside) {
            let shift = 8 * u32::from(register.offset() - write.offset);
            let mask = rest >> shift & u32::MAX >> (32 - 8 * u32::from(register.width()));
            if mask == 0 {
                continue;
            }
            rest &= !(mask << shift);
            if register.offset() == HEADER_TYPE {
                // It is compared already, virtual function or not.
                continue;
            }
            let values = (write.value >> shift & mask, found >> shift & mask);
            self.register(&register.name().to_string(), (register.offset(), register.width()), values);
            if let Some(check) = self.list.last_mut() {
                check.fields = register.changes(values.0, values.1);
            }
        }
        if rest != 0 {
            let values = (write.value & rest, found & rest);
            self.register(write.register, (write.offset, write.width), values);
        }
    }

    fn register(&mut self, what: &str, (offset, width): (u16, u8), (expected, found): (u32, u32)) {
        let digits = 2 * usize::from(width);
        self.push(what, Some(offset), format!("{expected:0digits$x}"), format!("{found:0digits$x}"));
    }
}

/// The link must be at least as fast and as wide as it was: a card can come back at 2.5 GT/s.
fn verify_link(image: ConfigSpace<'_>, function: &Function<'_>, checks: &mut Checks<'_>) -> Result<()> {
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
    checks.push("link speed", Some(offset), speed(reference), speed(now));
    let width = |status: LinkStatus| format!("x{}", status.negotiated_link_width().lanes());
    let is_wider = before.negotiated_link_width().lanes() < now.negotiated_link_width().lanes();
    let reference = if is_wider { now } else { before };
    checks.push("link width", Some(offset), width(reference), width(now));
    if express.data_link_layer_link_active_reporting_capable() {
        let active = |status: LinkStatus| {
            if status.contains(LinkStatus::DATA_LINK_LAYER_LINK_ACTIVE) { "up" } else { "down" }.to_string()
        };
        checks.push("link", Some(offset), active(before), active(now));
    }
    Ok(())
}
