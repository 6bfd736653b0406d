//! What happens to links and slots, and to what is below them: resets, training, power, hot-plug
//! events.

use super::super::bridge::{Controls, LINK_DISABLE, Power, SECONDARY_BUS_RESET, express, link_status, slot};
use super::super::faults::Behaviour;
use super::super::model::{FunctionModel, ResetKind};
use super::super::registers::dword;
use super::{Hardware, Notice};
use std::time::Duration;

impl Hardware {
    /// Acts on what a write has changed in a bridge's control registers.
    pub(super) fn controls_changed(&mut self, now: Duration, index: usize, before: Controls) {
        let Some(bridge) = self.bridge_at(index) else { return };
        let after = bridge.controls();
        let (power_control, hot_plug) = (bridge.power_control(), bridge.hot_plug());
        if after == before {
            return;
        }
        if before.bridge & SECONDARY_BUS_RESET != after.bridge & SECONDARY_BUS_RESET {
            if after.bridge & SECONDARY_BUS_RESET != 0 {
                self.link_down(index);
            } else {
                self.reset_below(now, index, ResetKind::Conventional);
                self.train(now, index);
                if let Some(bridge) = self.bridge_at(index) {
                    bridge.lost =
                        if bridge.function.behaviour().windows_corrupt_after_reset { !0 } else { 0 };
                }
            }
        }
        if before.link & LINK_DISABLE != after.link & LINK_DISABLE {
            if after.link & LINK_DISABLE != 0 {
                self.link_down(index);
            } else {
                self.reset_below(now, index, ResetKind::Conventional);
                self.train(now, index);
            }
        }
        if before.slot != after.slot {
            if let Some(bridge) = self.bridge_at(index) {
                bridge.set(express::SLOT_STATUS, slot::COMMAND_COMPLETED, slot::COMMAND_COMPLETED);
            }
            if power_control {
                self.slot_power(now, index, after.slot);
            }
            if hot_plug {
                self.notifications_enabled(index, before.slot, after.slot);
            }
        }
    }

    /// The slot's power follows Slot Control. With the power off and the indicator on nothing below
    /// answers, and the port says nothing about it; with the indicator off too the card is let go.
    fn slot_power(&mut self, now: Duration, index: usize, control: u16) {
        let off = control & slot::POWER_OFF != 0;
        let dark = control & slot::POWER_INDICATOR == slot::POWER_INDICATOR;
        let Some(link) = self.bridge_at(index).and_then(|bridge| bridge.link.as_mut()) else { return };
        match link.power {
            Power::On | Power::Off if off && dark => {
                link.power = Power::Unplugged;
                self.link_down(index);
                if let Some(bridge) = self.bridge_at(index) {
                    bridge.set(express::SLOT_STATUS, slot::PRESENT, 0);
                }
                self.event(index, slot::PRESENCE, slot::PRESENCE, Notice::Absent);
            }
            Power::On if off => link.power = Power::Off,
            Power::Off if !off => {
                link.power = Power::On;
                let up = link.up;
                self.reset_below(now, index, ResetKind::PowerCycle);
                if !up {
                    self.train(now, index);
                }
            }
            _ => {}
        }
    }

    /// A change that is pending when its notification is enabled is told then.
    fn notifications_enabled(&mut self, index: usize, before: u16, after: u16) {
        let Some(bridge) = self.bridge_at(index) else { return };
        let status = bridge.word(express::SLOT_STATUS);
        let address = self.nodes[index].address;
        for (event, enable, notice) in [
            (slot::LINK_CHANGED, slot::LINK_CHANGED_ENABLE, Notice::LinkDown),
            (slot::PRESENCE, slot::PRESENCE, Notice::LinkDown),
        ] {
            let told = |control: u16| control & slot::INTERRUPTS != 0 && control & enable != 0;
            if status & event != 0 && !told(before) && told(after) {
                self.notices.push((address, notice));
                break;
            }
        }
    }

    /// Sets a bit of Slot Status and tells the kernel, if it wants to be told.
    fn event(&mut self, index: usize, event: u16, enable: u16, notice: Notice) {
        let address = self.nodes[index].address;
        let Some(bridge) = self.bridge_at(index) else { return };
        if !bridge.hot_plug() {
            return;
        }
        bridge.set(express::SLOT_STATUS, event, event);
        let control = bridge.word(express::SLOT_CONTROL);
        if control & slot::INTERRUPTS != 0 && control & enable != 0 {
            self.notices.push((address, notice));
        }
    }

    fn link_down(&mut self, index: usize) {
        let Some(bridge) = self.bridge_at(index) else { return };
        let reports = bridge.reports_active();
        let Some(link) = &mut bridge.link else { return };
        let was_up = std::mem::replace(&mut link.up, false);
        if let Some(time) = link.training_until.take() {
            self.training.remove(&(time, index));
        }
        if let Some(bridge) = self.bridge_at(index) {
            bridge.show_link();
        }
        if was_up && reports {
            self.event(index, slot::LINK_CHANGED, slot::LINK_CHANGED_ENABLE, Notice::LinkDown);
        }
    }

    /// How the link partners behave: how long training takes, to what, and whether it can be done.
    fn partners(&self, index: usize) -> Option<(Duration, Option<u8>, Option<u8>)> {
        let mut time = Duration::ZERO;
        let (mut speed, mut width) = (None, None);
        let children = &self.nodes[index].children;
        if children.is_empty() {
            return None;
        }
        for &child in children {
            let Some(function) = self.nodes[child].device.standard() else {
                time = time.max(Behaviour::default().link_training());
                continue;
            };
            let behaviour = function.behaviour();
            if function.dead() && behaviour.link_dies {
                return None;
            }
            time = time.max(behaviour.link_training());
            speed = speed.or(behaviour.link_speed_after);
            width = width.or(behaviour.link_width_after);
        }
        Some((time, speed, width))
    }

    /// The link begins to train, if there is anyone to train with.
    fn train(&mut self, now: Duration, index: usize) {
        let partners = self.partners(index);
        let Some(bridge) = self.bridge_at(index) else { return };
        let controls = bridge.controls();
        let possible = controls.bridge & SECONDARY_BUS_RESET == 0 && controls.link & LINK_DISABLE == 0;
        let Some(link) = &mut bridge.link else { return };
        if !possible || link.power != Power::On {
            return;
        }
        let Some((time, speed, width)) = partners else {
            // Attempts that lead nowhere show as changes of bandwidth.
            if !self.nodes[index].children.is_empty() {
                self.bandwidth_changed(index);
            }
            return;
        };
        link.speed = speed.unwrap_or(link.speed);
        link.width = width.unwrap_or(link.width);
        self.train_until(index, now.saturating_add(time));
    }

    fn train_until(&mut self, index: usize, time: Duration) {
        let Some(bridge) = self.bridge_at(index) else { return };
        let Some(link) = &mut bridge.link else { return };
        let earlier = link.training_until.replace(time);
        bridge.show_link();
        if let Some(earlier) = earlier {
            self.training.remove(&(earlier, index));
        }
        self.training.insert((time, index));
    }

    fn bandwidth_changed(&mut self, index: usize) {
        if let Some(bridge) = self.bridge_at(index) {
            let bit = link_status::BANDWIDTH_MANAGEMENT;
            bridge.set(express::LINK_STATUS, bit, bit);
        }
    }

    /// Software has asked for the link to be trained again: an active link stays active.
    pub(super) fn retrain(&mut self, now: Duration, index: usize) {
        let up = self.bridge_at(index).and_then(|b| b.link.as_ref()).is_some_and(|link| link.up);
        if up {
            self.bandwidth_changed(index);
            self.train_until(index, now.saturating_add(Duration::from_millis(1)));
        } else {
            self.train(now, index);
        }
    }

    /// The link has trained: both ends show what to.
    pub(super) fn trained(&mut self, index: usize) {
        let Some(bridge) = self.bridge_at(index) else { return };
        let reports = bridge.reports_active();
        let target = (bridge.word(express::LINK_CONTROL_2) & 0xf) as u8;
        let has_target = bridge.word(2) & 0xf >= 2;
        let Some(link) = &mut bridge.link else { return };
        link.training_until = None;
        let was_up = std::mem::replace(&mut link.up, true);
        let speed = if has_target && target != 0 { link.speed.min(target) } else { link.speed };
        let negotiated = u16::from(speed) | u16::from(link.width) << 4;
        bridge.show_link();
        bridge.set(express::LINK_STATUS, 0x3ff, negotiated);
        for child in self.nodes[index].children.clone() {
            let Some(function) = self.nodes[child].device.standard_mut() else { continue };
            let Some(at) = function.bits().places.express else { continue };
            // Each end of a link shows what was negotiated, as far as its own register goes.
            let fastest = (dword(function.registers(), at + express::LINK_CAPABILITIES) & 0xf) as u16;
            if fastest != 0 {
                let shown = negotiated & !0xf | u16::from(speed).min(fastest);
                function.set_hardware_bits(at + express::LINK_STATUS, 0x3ff, shown);
            }
        }
        if !was_up && reports {
            self.event(index, slot::LINK_CHANGED, slot::LINK_CHANGED_ENABLE, Notice::LinkUp);
        }
    }

    /// Resets everything below a bridge.
    fn reset_below(&mut self, now: Duration, index: usize, kind: ResetKind) {
        for child in self.nodes[index].children.clone() {
            self.nodes[child].device.model_mut().reset(now, kind);
            if self.bridge_at(child).is_some() {
                // A port that is reset lets its own link go, and what is below is reset with it.
                if let Some(bridge) = self.bridge_at(child) {
                    bridge.lost = 0;
                }
                self.link_down(child);
                self.reset_below(now, child, kind);
                self.train(now, child);
            }
        }
    }

    /// Resets what is reset with a function that has reset itself: what is below a bridge, and the
    /// virtual functions of a physical one.
    pub(super) fn reset_dependents(&mut self, now: Duration, index: usize) {
        if self.bridge_at(index).is_some() {
            self.link_down(index);
            self.reset_below(now, index, ResetKind::Conventional);
            self.train(now, index);
        }
        for other in 0..self.nodes.len() {
            if self.nodes[other].virtual_of.is_some_and(|(physical, _)| physical == index) {
                self.nodes[other].device.model_mut().reset(now, ResetKind::FunctionLevel);
            }
        }
    }

    /// A function that has died of a reset may take the link with it.
    pub(super) fn link_dies_with(&mut self, now: Duration, index: usize) {
        let dies = self.nodes[index].device.standard().is_some_and(|f| f.dead() && f.behaviour().link_dies);
        if let (true, Some(parent)) = (dies, self.nodes[index].parent) {
            self.link_down(parent);
            self.train(now, parent);
        }
    }

    /// Notes which of a bridge's header dwords were written.
    pub(super) fn rewritten(&mut self, index: usize, offset: u16, length: usize) {
        if let Some(bridge) = self.bridge_at(index) {
            for at in usize::from(offset)..usize::from(offset) + length {
                if at < 0x40 {
                    bridge.lost &= !(1 << (at / 4));
                }
            }
        }
    }
}
