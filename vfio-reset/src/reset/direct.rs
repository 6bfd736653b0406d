//! Resets by our own writes to configuration space.

use super::wait::Readiness;
use super::{Engine, StepResult, Stop, id_dword};
use crate::error::Result;
use crate::machine::Function;
use crate::method::{SECONDARY_BUS_RESET_HOLD, SecondaryBusWait};
use crate::plan::{LINK_CEILING, PENDING_LOOKS, PlannedFunction, ResetAct, StepName};
use crate::report::{Check, Outcome};
use crate::state::SavedFunction;
use crate::vendor::device::WORKING_COMMAND;
use pcicfg::capability::{
    AdvancedFeatures, AdvancedFeaturesControl, AdvancedFeaturesStatus, Aspm, DeviceControl, DeviceStatus,
    LinkControl, LinkStatus, PciExpress, PowerManagement, PowerManagementControlStatus, PowerState,
    SlotControl,
};
use pcicfg::header::{BridgeControl, BridgeHeader, Command};
use pcicfg::{Address, ConfigRead, ConfigWrite};
use std::time::Duration;

const COMMAND: u16 = 4;

/// The comparison that tells whether a reset did anything.
pub(super) const TOOK_EFFECT: &str = "reset took effect";

impl Engine<'_, '_> {
    pub(super) fn direct(&mut self) -> StepResult<()> {
        let result = self.act_and_wait();
        if !self.touched.get() {
            return result;
        }
        // Whatever happened, what can be restored is restored: half-stopped functions and a port with
        // its notification off must not stay behind.
        if self.options.skip_restore {
            self.notes.push("the restore step was left out on request (test switch)".to_string());
            // The port was not reset: what we switched off there is no part of what is to be shown.
            self.restore_port()?;
            return result;
        }
        match result {
            Ok(()) => self.step(StepName::Restore, |engine| {
                let restored = engine.restore_all();
                engine.and_sleep(restored)
            }),
            Err(stop) => {
                self.hopeless = true;
                let _ = self.step(StepName::Restore, |engine| {
                    let restored = engine.restore();
                    engine.and_sleep(restored)
                });
                Err(stop)
            }
        }
    }

    /// Once everything is restored, or as much as can be, what slept before sleeps again.
    fn and_sleep(&mut self, restored: StepResult<String>) -> StepResult<String> {
        let asleep = self.sleep_again();
        let mut text = restored?;
        for (address, state) in asleep? {
            text.push_str(&format!("; {address} in {state:?} again"));
        }
        Ok(text)
    }

    /// Puts the functions that [`wake`](Self::wake) woke back into the power state they were in: the deepest
    /// first, since nothing below a port that sleeps can be reached.
    fn sleep_again(&self) -> Result<Vec<(Address, PowerState)>> {
        let mut asleep = Vec::new();
        let mut failure = Ok(());
        let action = self.action;
        for planned in action.functions.iter().rev().filter(|planned| planned.is_reset) {
            match self.sleep(planned) {
                Ok(state) => asleep.extend(state.map(|state| (planned.address, state))),
                Err(error) => failure = failure.and(Err(error)),
            }
        }
        failure.map(|()| asleep)
    }

    /// The state that the function was put into; `None` if it was awake, or does not answer.
    fn sleep(&self, planned: &PlannedFunction) -> Result<Option<PowerState>> {
        let before = self.power_state_before(planned.address);
        let Some((offset, before)) = before.filter(|(_, state)| *state != PowerState::D0) else {
            return Ok(None);
        };
        let function = self.function(planned.address);
        let answers = match planned.is_virtual {
            true => function.read_u32(COMMAND)? != u32::MAX,
            false => function.read_u32(0)? == id_dword(planned.ids),
        };
        let now = PowerManagementControlStatus::from_bits_retain(function.read_u16(offset)?);
        if !answers || now.power_state() == before {
            return Ok(None);
        }
        function.write_u16(offset, now.with_power_state(before).bits())?;
        self.machine.clock().sleep(planned.d3hot_delay);
        Ok(Some(before))
    }

    /// Where a function's power state is, and which it was in when it was saved.
    pub(super) fn power_state_before(&self, address: Address) -> Option<(u16, PowerState)> {
        self.saved_register(address, |saved| {
            let pm = saved.space()?.power_management()?;
            Some((pm.offset() + PowerManagement::CONTROL_STATUS, pm.control_status().power_state()))
        })
    }

    fn act_and_wait(&mut self) -> StepResult<()> {
        self.step(StepName::Quiesce, |engine| engine.quiesce())?;
        if let ResetAct::Vendor { family } = self.action.act {
            self.run_sequence(family)?;
            return self.step(StepName::WaitReady, |engine| engine.wait_all());
        }
        self.step(StepName::Reset, |engine| engine.act())?;
        if let ResetAct::SecondaryBus { bridge, wait: SecondaryBusWait { link_active: true, .. } } =
            self.action.act
        {
            self.step(StepName::WaitLink, |engine| engine.wait_link(bridge))?;
        }
        self.step(StepName::WaitReady, |engine| engine.wait_all())?;
        self.see_effect()?;
        Ok(())
    }

    /// Whether the Interrupt Disable that [`quiesce`](Self::quiesce) wrote to the target can be seen: a
    /// function without an interrupt pin may read 0.
    fn is_marked(&self) -> Result<bool> {
        let command = Command::from_bits_retain(self.function(self.action.address).read_u16(COMMAND)?);
        Ok(command == Command::INTERRUPT_DISABLE)
    }

    /// A reset clears Command. A function that answers and has kept it was not reset, whatever it
    /// announces: some ignore D3hot, some claim a function level reset and do nothing.
    fn see_effect(&mut self) -> Result<()> {
        // What is below a bridge that is not restored yet cannot be asked.
        let id = self.function(self.action.address).read_u32(0)?;
        let answers = self.target().is_some_and(|target| id == id_dword(target.ids));
        if self.marked && answers {
            let kept = self.is_marked()?;
            self.effect = Some(Check {
                address: self.action.address,
                what: TOOK_EFFECT.to_string(),
                offset: Some(COMMAND),
                expected: "Command cleared".to_string(),
                found: if kept { "Command kept: nothing was reset" } else { "Command cleared" }.to_string(),
                ok: !kept,
                fields: Vec::new(),
            });
        }
        Ok(())
    }

    /// Stops what will be reset: no bus mastering, no decoding, no interrupt; the deepest first.
    fn quiesce(&mut self) -> StepResult<String> {
        let action = self.action;
        if let ResetAct::SecondaryBus { bridge, .. } = action.act {
            self.quiet_port(bridge)?;
        }
        for planned in action.functions.iter().rev().filter(|planned| planned.is_reset) {
            self.wake(planned.address, planned.d3hot_delay)?;
            let command = match action.act {
                // A sequence works on the memory behind its target's Base Address Registers.
                ResetAct::Vendor { .. } if planned.address == action.address => WORKING_COMMAND,
                _ => Command::INTERRUPT_DISABLE,
            };
            self.function(planned.address).write_u16(COMMAND, command.bits())?;
            self.touched.set(true);
        }
        self.marked = self.is_marked()?;
        match action.act {
            ResetAct::FunctionLevelReset { .. } | ResetAct::AdvancedFeatures { .. } => self.wait_pending(),
            _ => Ok("stopped".to_string()),
        }
    }

    /// A function asleep is woken: a reset from D3hot is not what was asked for. It sleeps again in the end
    /// ([`sleep_again`](Self::sleep_again)).
    fn wake(&self, address: Address, delay: Duration) -> Result<()> {
        let Some((offset, _)) = self.power_state_before(address) else { return Ok(()) };
        let function = self.function(address);
        let state = PowerManagementControlStatus::from_bits_retain(function.read_u16(offset)?);
        if state.power_state() != PowerState::D0 {
            function.write_u16(offset, state.with_power_state(PowerState::D0).bits())?;
            self.touched.set(true);
            self.machine.clock().sleep(delay);
        }
        Ok(())
    }

    /// The port's notifications off, or the kernel takes the link going down for an unplugged card;
    /// ASPM off, because both ends must agree on it, and one end forgets.
    fn quiet_port(&self, bridge: Address) -> Result<()> {
        let Some((at, slot, link)) = self.saved_register(bridge, |saved| {
            let express = saved.space()?.pci_express()?;
            Some((express.offset(), express.slot_control(), express.link_control()))
        }) else {
            return Ok(());
        };
        let port = self.function(bridge);
        if let Some(control) = slot {
            let quiet = control.difference(
                SlotControl::NOTIFICATION_ENABLES | SlotControl::ELECTROMECHANICAL_INTERLOCK_CONTROL,
            );
            if quiet != control {
                port.write_u16(at + PciExpress::SLOT_CONTROL, quiet.bits())?;
                self.touched.set(true);
            }
        }
        if let Some(control) = link.filter(|control| control.aspm_control() != Aspm::empty()) {
            let off = control.with_aspm_control(Aspm::empty()).difference(LinkControl::RETRAIN_LINK);
            port.write_u16(at + PciExpress::LINK_CONTROL, off.bits())?;
            self.touched.set(true);
        }
        Ok(())
    }

    /// Four looks within 0.7 s, as the kernel; a function that still waits then is reset anyway.
    fn wait_pending(&mut self) -> StepResult<String> {
        for pause in PENDING_LOOKS {
            self.machine.clock().sleep(pause);
            if !self.transactions_pending()? {
                return Ok("stopped, no transaction is pending".to_string());
            }
        }
        let note = "transactions were still pending after 0.7 s; the function was reset anyway".to_string();
        self.notes.push(note.clone());
        Ok(note)
    }

    fn transactions_pending(&self) -> Result<bool> {
        let address = self.action.address;
        let function = self.function(address);
        match self.action.act {
            ResetAct::AdvancedFeatures { .. } => {
                let Some(at) =
                    self.saved_register(address, |saved| Some(saved.space()?.advanced_features()?.offset()))
                else {
                    return Ok(false);
                };
                let status = AdvancedFeaturesStatus::from_bits_retain(
                    function.read_u8(at + AdvancedFeatures::STATUS)?,
                );
                Ok(status.contains(AdvancedFeaturesStatus::TRANSACTIONS_PENDING))
            }
            _ => {
                let Some(at) =
                    self.saved_register(address, |saved| Some(saved.space()?.pci_express()?.offset()))
                else {
                    return Ok(false);
                };
                let status =
                    DeviceStatus::from_bits_retain(function.read_u16(at + PciExpress::DEVICE_STATUS)?);
                Ok(status.contains(DeviceStatus::TRANSACTIONS_PENDING))
            }
        }
    }

    fn act(&mut self) -> StepResult<String> {
        let address = self.action.address;
        match self.action.act {
            // The other branches of `run` and `act_and_wait`.
            ResetAct::Kernel
            | ResetAct::VfioReset { .. }
            | ResetAct::HotReset { .. }
            | ResetAct::Vendor { .. } => Ok(String::new()),
            ResetAct::FunctionLevelReset { settle } => {
                let at = self.saved_register(address, |saved| Some(saved.space()?.pci_express()?.offset()));
                let Some(at) = at else { return Err(self.vanished("PCI Express")) };
                let function = self.function(address);
                let control =
                    DeviceControl::from_bits_retain(function.read_u16(at + PciExpress::DEVICE_CONTROL)?);
                let reset = control | DeviceControl::INITIATE_FUNCTION_LEVEL_RESET;
                function.write_u16(at + PciExpress::DEVICE_CONTROL, reset.bits())?;
                self.machine.clock().sleep(settle);
                Ok("function level reset done".to_string())
            }
            ResetAct::AdvancedFeatures { settle } => {
                let at =
                    self.saved_register(address, |saved| Some(saved.space()?.advanced_features()?.offset()));
                let Some(at) = at else { return Err(self.vanished("Advanced Features")) };
                let initiate = AdvancedFeaturesControl::INITIATE_FUNCTION_LEVEL_RESET.bits();
                self.function(address).write_u8(at + AdvancedFeatures::CONTROL, initiate)?;
                self.machine.clock().sleep(settle);
                Ok("function level reset done".to_string())
            }
            ResetAct::PowerManagement { delay } => {
                let at =
                    self.saved_register(address, |saved| Some(saved.space()?.power_management()?.offset()));
                let Some(at) = at else { return Err(self.vanished("Power Management")) };
                let function = self.function(address);
                for state in [PowerState::D3hot, PowerState::D0] {
                    let offset = at + PowerManagement::CONTROL_STATUS;
                    let now = PowerManagementControlStatus::from_bits_retain(function.read_u16(offset)?);
                    function.write_u16(offset, now.with_power_state(state).bits())?;
                    self.machine.clock().sleep(delay);
                }
                Ok("in D3hot and back in D0".to_string())
            }
            ResetAct::SecondaryBus { bridge, .. } => {
                secondary_bus_reset(&self.function(bridge), || {
                    self.machine.clock().sleep(SECONDARY_BUS_RESET_HOLD)
                })?;
                Ok(format!("held for {} ms", SECONDARY_BUS_RESET_HOLD.as_millis()))
            }
        }
    }

    fn vanished(&self, capability: &str) -> Stop {
        Stop::Outcome(
            Outcome::Failed,
            format!(
                "the {capability} capability that was planned with is not there any more; nothing was reset"
            ),
        )
    }

    /// Waits until the port reports its link as up.
    fn wait_link(&mut self, bridge: Address) -> StepResult<String> {
        const LOOK_EVERY: Duration = Duration::from_micros(500);
        let Some(at) = self.saved_register(bridge, |saved| Some(saved.space()?.pci_express()?.offset()))
        else {
            return Ok("no link to wait for".to_string());
        };
        let clock = self.machine.clock();
        let begin = clock.now();
        loop {
            let status =
                LinkStatus::from_bits_retain(self.function(bridge).read_u16(at + PciExpress::LINK_STATUS)?);
            if status.contains(LinkStatus::DATA_LINK_LAYER_LINK_ACTIVE) {
                return Ok("the link is up".to_string());
            }
            let waited = clock.now().saturating_sub(begin);
            if waited >= LINK_CEILING || self.deadline.is_over() {
                return Err(Stop::Outcome(
                    Outcome::Lost,
                    format!(
                        "the link below {bridge} did not come up within {:.1} s (LnkSta {:04x}), so nothing below it can answer",
                        waited.as_secs_f64(),
                        status.bits()
                    ),
                ));
            }
            clock.sleep(LOOK_EVERY);
        }
    }

    /// Waits for what can be reached: the functions right below the bridge, or the function itself.
    /// Virtual functions are there again only when their physical function is restored.
    fn wait_all(&mut self) -> StepResult<String> {
        let action = self.action;
        let reachable = |planned: &&PlannedFunction| match action.act {
            ResetAct::SecondaryBus { bridge, .. } => {
                planned.is_reset && planned.parent == Some(bridge) && !planned.is_virtual
            }
            ResetAct::Vendor { .. } => {
                planned.is_reset && !planned.is_virtual || planned.address == action.address
            }
            _ => planned.address == action.address,
        };
        if let ResetAct::SecondaryBus { wait, .. } = action.act {
            self.machine.clock().sleep(wait.settle);
        }
        let begin = self.machine.clock().now();
        let mut reachable: Vec<&PlannedFunction> = action.functions.iter().filter(reachable).collect();
        reachable.sort_by_key(|planned| !self.is_target_or_above(planned));
        let mut silent = Vec::new();
        for planned in &reachable {
            let Readiness::Late { id } = self.wait_ready(planned)? else { continue };
            if planned.address != action.address {
                self.unanswered.push(planned.address);
                silent.push(planned.address.to_string());
                continue;
            }
            let waited = self.machine.clock().now().saturating_sub(begin);
            return Err(Stop::Outcome(
                Outcome::Lost,
                format!(
                    "{} did not come back after {} (waited {:.1} s): {}",
                    planned.address,
                    self.deed(),
                    waited.as_secs_f64(),
                    self.describe_silence(id)
                ),
            ));
        }
        Ok(match (reachable.len() - silent.len(), silent.is_empty()) {
            (1, true) => "it answers with its ids".to_string(),
            (many, true) => format!("all {many} answer with their ids"),
            (many, false) => format!("{many} answer with their ids, and {} does not", silent.join(", ")),
        })
    }

    /// Restores, and takes a target that could not be reached even then for lost.
    pub(super) fn restore_all(&mut self) -> StepResult<String> {
        let text = self.restore()?;
        let target = self.action.address;
        if self.unanswered.contains(&target) {
            return Err(Stop::Outcome(
                Outcome::Lost,
                format!(
                    "{target} did not come back after {}, although the bridges above are restored: {}",
                    self.deed(),
                    self.describe_silence(self.target_id())
                ),
            ));
        }
        Ok(text)
    }

    fn saved_register<T>(
        &self,
        address: Address,
        find: impl FnOnce(&SavedFunction) -> Option<T>,
    ) -> Option<T> {
        find(self.saved.as_ref()?.function(address)?)
    }
}

/// Sets Secondary Bus Reset, holds it, and clears it, in any case.
fn secondary_bus_reset(bridge: &Function<'_>, hold: impl FnOnce()) -> Result<()> {
    let offset = BridgeHeader::BRIDGE_CONTROL;
    let control =
        BridgeControl::from_bits_retain(bridge.read_u16(offset)?) - BridgeControl::SECONDARY_BUS_RESET;
    bridge.write_u16(offset, (control | BridgeControl::SECONDARY_BUS_RESET).bits())?;
    hold();
    // A bus that stays in reset is lost for good: one failed write is tried again.
    bridge.write_u16(offset, control.bits()).or_else(|_| bridge.write_u16(offset, control.bits()))
}
