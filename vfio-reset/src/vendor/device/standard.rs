//! What the specification says of every device: its ids, its function level reset, its decoding.

use super::Device;
use crate::method::FLR_TIME;
use crate::vendor::bus::Width;
use crate::vendor::operation::{Condition, Patience};
use crate::vendor::outcome::{Failure, StepResult};
use crate::vendor::register::Register;
use pcicfg::capability::{DeviceControl, DeviceStatus, MsiX, MsiXMessageControl, PciExpress};
use pcicfg::header::{Command, Status};
use std::time::Duration;

/// Vendor and device id.
pub(super) const ID: Register = Register::config("Vendor ID and Device ID", 0x00);
/// Command and Status.
pub(super) const COMMAND_STATUS: Register = Register::config("Command and Status", 0x04);
const COMMAND: u16 = 0x04;

/// What Command holds while a sequence works: memory is decoded, nothing is sent upstream.
pub const WORKING_COMMAND: Command = Command::MEMORY_SPACE.union(Command::INTERRUPT_DISABLE);

/// How long a function that is to be accessed may take to answer with its ids.
pub const DECODING: Patience = Patience::looks(1_001, Duration::from_millis(1));
/// How long a function that was reset may take to answer: the kernel's patience; the budget is shorter.
pub const AWAY: Patience = Patience::looks(65_536, Duration::from_millis(1));
/// How long transactions may be pending before a function level reset.
const PENDING: Patience = Patience::looks(8, Duration::from_millis(100));
/// The longest time that a function level reset takes.
pub const FUNCTION_LEVEL_RESET: Duration = PENDING.total.saturating_add(FLR_TIME).saturating_add(AWAY.total);

/// Something in configuration space that is set before a function level reset, and that the reset clears.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    name: &'static str,
    offset: u16,
    bits: u16,
}

impl Device<'_> {
    /// What a function shows that answers: its ids; of a virtual function, Command and Status.
    fn alive(&self) -> StepResult<Condition> {
        if self.is_virtual {
            return Ok(Condition::answers(COMMAND_STATUS));
        }
        Ok(Condition::bits(ID, u32::MAX, self.saved()?.header().id()))
    }

    /// The function must show the ids it was saved with.
    ///
    /// # Errors
    /// [`Failure::Dead`] when it does not answer, [`Failure::Unexpected`] when it is another one.
    pub fn must_answer(&mut self) -> StepResult {
        let alive = self.alive()?;
        let found = self.read_alive(alive.register)?;
        if alive.is_met_by(found) {
            return Ok(());
        }
        Err(Failure::Unexpected(format!("the device shows other ids than before: {found:08x}")).into())
    }

    /// Sets Initiate Function Level Reset in Device Control, once no transaction is pending any more
    /// or 0.7 s have passed. Whether the function announces that it can is not asked.
    ///
    /// # Errors
    /// When there is no PCI Express capability.
    pub fn initiate_function_level_reset(&mut self) -> StepResult {
        let at = self.pci_express()?;
        // Device Control and Device Status are one dword, in every capability at a multiple of 4.
        let control_status = Register::config("Device Control and Device Status", at + 8);
        let pending = u32::from(DeviceStatus::TRANSACTIONS_PENDING.bits()) << 16;
        let idle = Condition::bits(control_status, pending, 0);
        if let super::Found::No { last, .. } = self.look_for(idle, PENDING)? {
            if last == u32::MAX {
                return Err(Failure::Dead { register: control_status }.into());
            }
            self.note("transactions were still pending after 0.7 s; the function was reset anyway");
        }
        self.set_mark()?;
        let control = self.read_config(at + PciExpress::DEVICE_CONTROL, Width::Word)?;
        let initiate = u32::from(DeviceControl::INITIATE_FUNCTION_LEVEL_RESET.bits());
        self.group("set Initiate Function Level Reset in Device Control", |device| {
            device.write_config(at + PciExpress::DEVICE_CONTROL, Width::Word, control | initiate)
        })
    }

    /// Waits the time that the specification grants, then until the function answers.
    ///
    /// # Errors
    /// When it does not answer within the budget.
    pub fn wait_after_function_level_reset(&mut self) -> StepResult {
        let ready_at_once = self.saved()?.header().status().contains(Status::IMMEDIATE_READINESS);
        if !ready_at_once {
            self.pause(FLR_TIME);
        }
        self.wait_until_it_answers()?;
        self.look_at_mark()
    }

    /// Sees to it that something is set that the reset will clear: Command as it is while a sequence works.
    /// Of a virtual function Command may be hardwired; what it has of its own is MSI-X, whose Function Mask
    /// changes nothing for a function that is about to be reset.
    fn set_mark(&mut self) -> StepResult {
        if !self.is_virtual {
            let bits = self.read_config(COMMAND, Width::Word)? as u16;
            self.mark = (bits != 0).then_some(Mark { name: "Command", offset: COMMAND, bits });
            return Ok(());
        }
        let Some(at) = self.saved()?.msi_x().map(|msi_x| msi_x.offset()) else { return Ok(()) };
        let (offset, bits) = (at + MsiX::MESSAGE_CONTROL, MsiXMessageControl::FUNCTION_MASK.bits());
        let control = self.read_config(offset, Width::Word)?;
        self.write_config(offset, Width::Word, control | u32::from(bits))?;
        let kept = self.read_config(offset, Width::Word)? as u16 & bits == bits;
        self.mark = kept.then_some(Mark { name: "MSI-X Message Control", offset, bits });
        Ok(())
    }

    /// A function that answers and has kept the mark was not reset, whatever it announces.
    fn look_at_mark(&mut self) -> StepResult {
        let Some(Mark { name, offset, bits }) = self.mark.take() else { return Ok(()) };
        let found = self.read_config(offset, Width::Word)? as u16;
        if found & bits == bits {
            return Err(Failure::NotReset(format!("{name} still reads {found:04x}, as before")).into());
        }
        self.prove(format!("{name} was cleared"));
        Ok(())
    }

    /// Waits until the function shows its ids again.
    ///
    /// # Errors
    /// When it does not within the budget.
    pub fn wait_until_it_answers(&mut self) -> StepResult {
        let alive = self.alive()?;
        self.wait(alive, AWAY).map(drop)
    }

    /// Memory behind the Base Address Registers must be decoded. A reset that took configuration space
    /// with it has switched that off, and everything would read all-ones.
    ///
    /// # Errors
    /// When configuration space does not answer within a second, or cannot be accessed.
    pub fn keep_decoding(&mut self) -> StepResult {
        let answers = self.alive()?;
        self.group("see that memory is decoded; if not, the Base Address Registers go back", |device| {
            device.wait(answers, DECODING)?;
            let command = Command::from_bits_retain(device.read_config(COMMAND, Width::Word)? as u16);
            // What a virtual function decodes is its physical function's to say.
            if command.contains(Command::MEMORY_SPACE) || device.is_virtual {
                return Ok(());
            }
            device.decode_again()
        })
    }

    /// A register has read all-ones since the reset began: the device is away, or it is back and has lost
    /// its decoding, which it gets back then.
    pub(super) fn decode_if_lost(&mut self) -> StepResult {
        self.prove("its registers read all-ones for a while");
        if self.is_virtual {
            return Ok(());
        }
        let command_status = self.config_access(COMMAND, Width::Dword, None)?;
        let is_decoding = Command::from_bits_retain(command_status as u16).contains(Command::MEMORY_SPACE);
        // All-ones, too, has the bit set.
        if is_decoding || self.config_access(0, Width::Dword, None)? != self.saved()?.header().id() {
            return Ok(());
        }
        self.decode_again()
    }

    /// Writes the Base Address Registers back and switches memory decoding on.
    fn decode_again(&mut self) -> StepResult {
        let bases = {
            let saved = self.saved()?;
            (0x10..0x28).step_by(4).map(|at| (at, saved.read_u32(at).unwrap_or(0))).collect::<Vec<_>>()
        };
        self.prove("Command was cleared");
        for (at, value) in bases.into_iter().filter(|&(_, value)| value != 0) {
            self.write_config(at, Width::Dword, value)?;
        }
        self.write_config(COMMAND, Width::Word, u32::from(WORKING_COMMAND.bits()))
    }

    /// Where the PCI Express capability is.
    ///
    /// # Errors
    /// When there is none.
    pub fn pci_express(&self) -> StepResult<u16> {
        let express = self.saved()?.pci_express().map(|express| express.offset());
        let none = || Failure::Unexpected("there is no PCI Express capability".to_string());
        express.ok_or_else(|| none().into())
    }
}
