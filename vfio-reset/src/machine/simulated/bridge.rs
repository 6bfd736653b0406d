//! What stands between the functions: bridges that forward by their current registers, links that
//! train, slots with power and hot-plug events.

use super::faults::Behaviour;
use super::function::StandardFunction;
use super::model::{Completion, FunctionModel, ResetKind};
use super::registers::{dword, has_link_below, word};
use pcicfg::Address;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// Registers of a PCI Express capability, from its first byte.
pub(super) mod express {
    pub(in super::super) const LINK_CAPABILITIES: u16 = 0x0c;
    pub(in super::super) const LINK_CONTROL: u16 = 0x10;
    pub(in super::super) const LINK_STATUS: u16 = 0x12;
    pub(in super::super) const SLOT_CAPABILITIES: u16 = 0x14;
    pub(in super::super) const SLOT_CONTROL: u16 = 0x18;
    pub(in super::super) const SLOT_STATUS: u16 = 0x1a;
    pub(in super::super) const ROOT_CONTROL: u16 = 0x1c;
    pub(in super::super) const LINK_CONTROL_2: u16 = 0x30;
}

/// Bits of Link Status.
pub(super) mod link_status {
    pub(in super::super) const TRAINING: u16 = 1 << 11;
    pub(in super::super) const ACTIVE: u16 = 1 << 13;
    pub(in super::super) const BANDWIDTH_MANAGEMENT: u16 = 1 << 14;
}

/// Bits of Slot Control and Slot Status.
pub(super) mod slot {
    pub(in super::super) const PRESENCE: u16 = 1 << 3;
    pub(in super::super) const COMMAND_COMPLETED: u16 = 1 << 4;
    pub(in super::super) const INTERRUPTS: u16 = 1 << 5;
    pub(in super::super) const PRESENT: u16 = 1 << 6;
    pub(in super::super) const POWER_INDICATOR: u16 = 3 << 8;
    pub(in super::super) const POWER_OFF: u16 = 1 << 10;
    pub(in super::super) const LINK_CHANGED: u16 = 1 << 8;
    pub(in super::super) const LINK_CHANGED_ENABLE: u16 = 1 << 12;
}

const SECONDARY_BUS_RESET: u16 = 1 << 6;
const LINK_DISABLE: u16 = 1 << 4;
const BRIDGE_CONTROL: u16 = 0x3e;

/// A slot's power as the hardware has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Power {
    On,
    Off,
    /// Power and power indicator were switched off: the board lets go of the card.
    Unplugged,
}

/// The link below a port.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    up: bool,
    training_until: Option<Duration>,
    /// What it trains to unless someone limits it: the code of the speed, and lanes.
    speed: u8,
    width: u8,
    power: Power,
}

/// A bridge: a function with something below.
struct Bridge {
    function: StandardFunction,
    link: Option<Link>,
    /// Header dwords that must be written before writes are forwarded; see
    /// [`Behaviour::windows_corrupt_after_reset`].
    lost: u16,
}

enum Device {
    Standard(Box<StandardFunction>),
    Bridge(Box<Bridge>),
    Model(Box<dyn FunctionModel>),
}

/// A function and where it stands.
struct Node {
    address: Address,
    parent: Option<usize>,
    children: Vec<usize>,
    /// Of a virtual function: its physical function, and which it is of them, from 0.
    virtual_of: Option<(usize, u16)>,
    device: Device,
}

/// What a hot-plug port tells the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    /// The link went down, or a change was pending when notifications were enabled.
    LinkDown,
    /// The link is active.
    LinkUp,
    /// The card is gone.
    Absent,
}

/// All functions and what connects them.
pub(super) struct Hardware {
    nodes: Vec<Node>,
    by_address: HashMap<Address, usize>,
    /// The links that train, by when they are done.
    training: BTreeSet<(Duration, usize)>,
    /// What ports have told since the kernel last looked.
    notices: Vec<(Address, Notice)>,
}

/// The bits of a bridge that do something when they change.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Controls {
    bridge: u16,
    link: u16,
    slot: u16,
}

impl Device {
    fn model(&self) -> &dyn FunctionModel {
        match self {
            Self::Standard(function) => &**function,
            Self::Bridge(bridge) => &bridge.function,
            Self::Model(model) => &**model,
        }
    }

    fn model_mut(&mut self) -> &mut dyn FunctionModel {
        match self {
            Self::Standard(function) => &mut **function,
            Self::Bridge(bridge) => &mut bridge.function,
            Self::Model(model) => &mut **model,
        }
    }

    fn standard(&self) -> Option<&StandardFunction> {
        match self {
            Self::Standard(function) => Some(function),
            Self::Bridge(bridge) => Some(&bridge.function),
            Self::Model(_) => None,
        }
    }

    fn standard_mut(&mut self) -> Option<&mut StandardFunction> {
        match self {
            Self::Standard(function) => Some(function),
            Self::Bridge(bridge) => Some(&mut bridge.function),
            Self::Model(_) => None,
        }
    }
}

impl Bridge {
    fn registers(&self) -> &[u8] {
        self.function.registers()
    }

    fn express(&self) -> Option<u16> {
        self.function.bits().places.express
    }

    fn word(&self, register: u16) -> u16 {
        self.express().map_or(0, |at| word(self.registers(), at + register))
    }

    fn controls(&self) -> Controls {
        Controls {
            bridge: word(self.registers(), BRIDGE_CONTROL),
            link: self.word(express::LINK_CONTROL),
            slot: self.word(express::SLOT_CONTROL),
        }
    }

    fn set(&mut self, register: u16, mask: u16, value: u16) {
        if let Some(at) = self.express() {
            self.function.set_hardware_bits(at + register, mask, value);
        }
    }

    /// Whether Link Status can say that the link is active.
    fn reports_active(&self) -> bool {
        self.express()
            .is_some_and(|at| dword(self.registers(), at + express::LINK_CAPABILITIES) & 1 << 20 != 0)
    }

    /// Whether there is a slot that can be plugged while the machine runs.
    fn hot_plug(&self) -> bool {
        self.express().is_some_and(|at| {
            word(self.registers(), at + 2) & 0x100 != 0
                && dword(self.registers(), at + express::SLOT_CAPABILITIES) & 0x40 != 0
        })
    }

    /// Whether the slot's power can be switched.
    fn power_control(&self) -> bool {
        self.express().is_some_and(|at| {
            word(self.registers(), at + 2) & 0x100 != 0
                && dword(self.registers(), at + express::SLOT_CAPABILITIES) & 2 != 0
        })
    }

    /// Shows in Link Status what the link is.
    fn show_link(&mut self) {
        let reports = self.reports_active();
        let Some(link) = &self.link else { return };
        let active = if link.up && reports { link_status::ACTIVE } else { 0 };
        let training = if link.training_until.is_some() { link_status::TRAINING } else { 0 };
        self.set(express::LINK_STATUS, link_status::ACTIVE | link_status::TRAINING, active | training);
    }
}

impl Hardware {
    /// No functions yet.
    pub(super) fn new() -> Self {
        Self { nodes: Vec::new(), by_address: HashMap::new(), training: BTreeSet::new(), notices: Vec::new() }
    }

    /// Adds a function below the bridge at `parent`, which must have been added before. The caller
    /// has checked that addresses are unique and that the parent is there.
    pub(super) fn add(&mut self, address: Address, parent: Option<Address>, function: StandardFunction) {
        let parent = parent.and_then(|parent| self.index(parent));
        let device = if function.bits().places.bridge {
            Device::Bridge(Box::new(Bridge { function, link: None, lost: 0 }))
        } else {
            Device::Standard(Box::new(function))
        };
        let index = self.nodes.len();
        self.nodes.push(Node { address, parent, children: Vec::new(), virtual_of: None, device });
        self.by_address.insert(address, index);
        if let Some(parent) = parent {
            self.nodes[parent].children.push(index);
        }
    }

    /// Makes a function the `number`th virtual function, from 0, of another.
    pub(super) fn set_virtual(&mut self, address: Address, of: Address, number: u16) {
        if let (Some(index), Some(of)) = (self.index(address), self.index(of)) {
            self.nodes[index].virtual_of = Some((of, number));
        }
    }

    /// Brings the links into the state that the registers describe, once all functions are there.
    pub(super) fn power_up(&mut self) {
        for index in 0..self.nodes.len() {
            let populated = !self.nodes[index].children.is_empty();
            let off = self.nodes[index].children.iter().any(|&child| {
                self.nodes[child]
                    .device
                    .standard()
                    .is_some_and(|f| f.behaviour().slot_power == super::faults::SlotPower::Off)
            });
            let Device::Bridge(bridge) = &mut self.nodes[index].device else { continue };
            let Some(at) = bridge.express() else { continue };
            if !has_link_below(word(bridge.registers(), at + 2)) {
                continue;
            }
            let status = bridge.word(express::LINK_STATUS);
            let mut power = Power::On;
            if off && bridge.power_control() {
                bridge.set(express::SLOT_CONTROL, slot::POWER_OFF, slot::POWER_OFF);
                power = Power::Off;
            }
            bridge.link = Some(Link {
                up: populated,
                training_until: None,
                speed: (status & 0xf) as u8,
                width: (status >> 4 & 0x3f) as u8,
                power,
            });
            bridge.show_link();
        }
    }

    /// Puts another model in the place of a function that is no bridge.
    pub(super) fn replace(&mut self, address: Address, model: Box<dyn FunctionModel>) -> bool {
        let Some(index) = self.index(address) else { return false };
        let node = &mut self.nodes[index];
        let replaceable = !matches!(node.device, Device::Bridge(_));
        if replaceable {
            node.device = Device::Model(model);
        }
        replaceable
    }

    fn index(&self, address: Address) -> Option<usize> {
        self.by_address.get(&address).copied()
    }

    /// The functions that there are, whether or not they answer, in address order.
    pub(super) fn addresses(&self) -> Vec<Address> {
        let mut addresses: Vec<_> = self.nodes.iter().map(|node| node.address).collect();
        addresses.sort_unstable();
        addresses
    }

    /// The bridge above a function.
    pub(super) fn parent(&self, address: Address) -> Option<Address> {
        let parent = self.nodes[self.index(address)?].parent?;
        Some(self.nodes[parent].address)
    }

    /// What is directly below a bridge, in address order.
    pub(super) fn children(&self, address: Address) -> Vec<Address> {
        let Some(index) = self.index(address) else { return Vec::new() };
        let mut below: Vec<_> = self.nodes[index].children.iter().map(|&c| self.nodes[c].address).collect();
        below.sort_unstable();
        below
    }

    /// What a function's registers hold.
    pub(super) fn registers(&self, address: Address) -> Option<&[u8]> {
        Some(self.nodes[self.index(address)?].device.model().registers())
    }

    /// The standard function at an address, if it is one.
    pub(super) fn standard(&self, address: Address) -> Option<&StandardFunction> {
        self.nodes[self.index(address)?].device.standard()
    }

    /// Whether a function is a bridge.
    pub(super) fn is_bridge(&self, address: Address) -> bool {
        self.index(address).is_some_and(|index| matches!(self.nodes[index].device, Device::Bridge(_)))
    }

    /// Whether a port has a slot that can be plugged while the machine runs.
    pub(super) fn hot_plug(&self, address: Address) -> bool {
        self.bridge(address).is_some_and(Bridge::hot_plug)
    }

    fn bridge(&self, address: Address) -> Option<&Bridge> {
        match &self.nodes[self.index(address)?].device {
            Device::Bridge(bridge) => Some(bridge),
            _ => None,
        }
    }

    fn bridge_at(&mut self, index: usize) -> Option<&mut Bridge> {
        match &mut self.nodes[index].device {
            Device::Bridge(bridge) => Some(bridge),
            _ => None,
        }
    }

    /// Gives a function another behaviour.
    pub(super) fn set_behaviour(&mut self, address: Address, behaviour: Behaviour) -> bool {
        let Some(index) = self.index(address) else { return false };
        let off = behaviour.slot_power == super::faults::SlotPower::Off;
        let Some(function) = self.nodes[index].device.standard_mut() else { return false };
        function.set_behaviour(behaviour);
        if let (true, Some(parent)) = (off, self.nodes[index].parent)
            && let Some(bridge) = self.bridge_at(parent)
            && bridge.power_control()
        {
            bridge.set(express::SLOT_CONTROL, slot::POWER_OFF, slot::POWER_OFF);
            if let Some(link) = &mut bridge.link {
                link.power = Power::Off;
            }
        }
        true
    }

    /// Sets bits of a function's register as the hardware around it does.
    pub(super) fn set_hardware_bits(&mut self, address: Address, offset: u16, mask: u16, value: u16) {
        if let Some(index) = self.index(address) {
            self.nodes[index].device.model_mut().set_hardware_bits(offset, mask, value);
        }
    }

    /// What ports have told the kernel since it last asked.
    pub(super) fn take_notices(&mut self) -> Vec<(Address, Notice)> {
        std::mem::take(&mut self.notices)
    }

    /// The next time at which a link is trained.
    pub(super) fn next_event(&self) -> Option<Duration> {
        self.training.first().map(|&(time, _)| time)
    }

    /// Lets everything happen that happens until `now`.
    pub(super) fn advance(&mut self, now: Duration) {
        while let Some(&(time, index)) = self.training.first() {
            if time > now {
                break;
            }
            self.training.pop_first();
            self.trained(index);
        }
    }

    /// Whether requests to a function get as far as the function.
    fn reaches(&self, now: Duration, index: usize) -> bool {
        let node = &self.nodes[index];
        if let Some((physical, number)) = node.virtual_of {
            let device = &self.nodes[physical].device;
            let enabled = device.standard().and_then(|f| f.bits().places.sriov.map(|at| (f.registers(), at)));
            let Some((registers, at)) = enabled else { return false };
            if word(registers, at + 8) & 1 == 0 || number >= word(registers, at + 0x10) {
                return false;
            }
            if !device.model().answers(now) {
                return false;
            }
        }
        let bus = node.address.bus();
        let mut below = index;
        while let Some(parent) = self.nodes[below].parent {
            let Device::Bridge(bridge) = &self.nodes[parent].device else { return false };
            let registers = bridge.registers();
            let [_, secondary, subordinate, _] = dword(registers, 0x18).to_le_bytes();
            let directly = below == index;
            let in_range = if directly { secondary == bus } else { secondary < bus && bus <= subordinate };
            let link = bridge.link.as_ref().is_none_or(|link| link.up && link.power == Power::On);
            if !in_range
                || !link
                || !bridge.function.answers(now)
                || bridge.function.power_state() != 0
                || word(registers, BRIDGE_CONTROL) & SECONDARY_BUS_RESET != 0
            {
                return false;
            }
            below = parent;
        }
        true
    }

    /// Whether a bridge above loses what is written; see [`Behaviour::windows_corrupt_after_reset`].
    fn writes_are_lost(&self, index: usize) -> bool {
        let mut below = index;
        while let Some(parent) = self.nodes[below].parent {
            if matches!(&self.nodes[parent].device, Device::Bridge(bridge) if bridge.lost != 0) {
                return true;
            }
            below = parent;
        }
        false
    }

    /// Whether the root port above shows Request Retry Status to software.
    fn retry_is_visible(&self, index: usize) -> bool {
        let mut top = index;
        while let Some(parent) = self.nodes[top].parent {
            top = parent;
        }
        match &self.nodes[top].device {
            Device::Bridge(bridge) => {
                bridge.word(2) >> 4 & 0xf == 4 && bridge.word(express::ROOT_CONTROL) & 0x10 != 0
            }
            _ => false,
        }
    }

    /// Reads configuration space as a processor does: what no one answers reads all-ones.
    pub(super) fn read_config(&mut self, now: Duration, address: Address, offset: u16, bytes: &mut [u8]) {
        let completion = match self.index(address) {
            Some(index) if self.reaches(now, index) => {
                match self.nodes[index].device.model_mut().read_config(now, offset, bytes) {
                    Completion::RequestRetry if self.retry_is_visible(index) => Completion::RequestRetry,
                    Completion::Successful => Completion::Successful,
                    _ => Completion::Unanswered,
                }
            }
            _ => Completion::Unanswered,
        };
        match completion {
            Completion::Successful => {
                // A virtual function's ids are for software to make up from the physical function's.
                let is_virtual = self.index(address).is_some_and(|i| self.nodes[i].virtual_of.is_some());
                if is_virtual && offset < 4 {
                    bytes.iter_mut().take(4 - usize::from(offset)).for_each(|byte| *byte = 0xff);
                }
            }
            Completion::RequestRetry => {
                bytes.fill(0xff);
                // Only a read of the Vendor ID is told.
                if offset == 0 && bytes.len() >= 2 {
                    bytes[..2].copy_from_slice(&[0x01, 0x00]);
                }
            }
            Completion::Unanswered => bytes.fill(0xff),
        }
    }

    /// Writes configuration space as a processor does: what no one takes is lost.
    pub(super) fn write_config(&mut self, now: Duration, address: Address, offset: u16, bytes: &[u8]) {
        let Some(index) = self.index(address) else { return };
        if !self.reaches(now, index) || self.writes_are_lost(index) {
            return;
        }
        let before = match &self.nodes[index].device {
            Device::Bridge(bridge) => Some(bridge.controls()),
            _ => None,
        };
        let reset = self.nodes[index].device.model_mut().write_config(now, offset, bytes);
        if reset.is_some() {
            self.reset_dependents(now, index);
            self.link_dies_with(now, index);
        }
        if let Some(before) = before {
            self.rewritten(index, offset, bytes.len());
            self.controls_changed(now, index, before);
            let retrain = self.bridge_at(index).and_then(|bridge| bridge.express()).is_some_and(|at| {
                let register = at + express::LINK_CONTROL;
                register
                    .checked_sub(offset)
                    .and_then(|i| bytes.get(usize::from(i)))
                    .is_some_and(|byte| byte & 0x20 != 0)
            });
            if retrain {
                self.retrain(now, index);
            }
        }
    }

    /// Notes which of a bridge's header dwords were written.
    fn rewritten(&mut self, index: usize, offset: u16, length: usize) {
        if let Some(bridge) = self.bridge_at(index) {
            for at in usize::from(offset)..usize::from(offset) + length {
                if at < 0x40 {
                    bridge.lost &= !(1 << (at / 4));
                }
            }
        }
    }

    /// Acts on what a write has changed in a bridge's control registers.
    fn controls_changed(&mut self, now: Duration, index: usize, before: Controls) {
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
    fn retrain(&mut self, now: Duration, index: usize) {
        let up = self.bridge_at(index).and_then(|b| b.link.as_ref()).is_some_and(|link| link.up);
        if up {
            self.bandwidth_changed(index);
            self.train_until(index, now.saturating_add(Duration::from_millis(1)));
        } else {
            self.train(now, index);
        }
    }

    /// The link has trained: both ends show what to.
    fn trained(&mut self, index: usize) {
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
    fn reset_dependents(&mut self, now: Duration, index: usize) {
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
    fn link_dies_with(&mut self, now: Duration, index: usize) {
        let dies = self.nodes[index].device.standard().is_some_and(|f| f.dead() && f.behaviour().link_dies);
        if let (true, Some(parent)) = (dies, self.nodes[index].parent) {
            self.link_down(parent);
            self.train(now, parent);
        }
    }

    /// The state of all functions and links.
    pub(super) fn save(&self) -> serde_json::Value {
        self.nodes
            .iter()
            .map(|node| {
                let mut entry = serde_json::Map::new();
                entry.insert("function".into(), node.device.model().save());
                if let Device::Bridge(bridge) = &node.device {
                    entry.insert("lost".into(), bridge.lost.into());
                    entry.insert("link".into(), serde_json::to_value(&bridge.link).unwrap_or_default());
                }
                (node.address.to_string(), entry.into())
            })
            .collect::<serde_json::Map<String, serde_json::Value>>()
            .into()
    }

    /// Takes over a state that [`save`](Self::save) gave.
    pub(super) fn load(&mut self, state: &serde_json::Value) -> Result<(), String> {
        self.training.clear();
        self.notices.clear();
        for index in 0..self.nodes.len() {
            let address = self.nodes[index].address.to_string();
            let entry = state.get(&address).ok_or_else(|| format!("the function {address} is missing"))?;
            let function = entry.get("function").ok_or_else(|| format!("{address} has no registers"))?;
            let wrong = |error: String| format!("{address}: {error}");
            self.nodes[index].device.model_mut().load(function).map_err(wrong)?;
            let Device::Bridge(bridge) = &mut self.nodes[index].device else { continue };
            bridge.lost = entry.get("lost").and_then(serde_json::Value::as_u64).unwrap_or(0) as u16;
            if let Some(link) = entry.get("link") {
                bridge.link =
                    Deserialize::deserialize(link).map_err(|e: serde_json::Error| wrong(e.to_string()))?;
            }
            if let Some(time) = bridge.link.as_ref().and_then(|link| link.training_until) {
                self.training.insert((time, index));
            }
        }
        Ok(())
    }
}
