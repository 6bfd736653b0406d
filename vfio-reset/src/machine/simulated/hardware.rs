//! All functions and what connects them: which requests get through to which function.

mod links;

use super::bars::{Base, Sizes};
use super::bridge::{BRIDGE_CONTROL, Bridge, Link, Power, SECONDARY_BUS_RESET, express, slot};
use super::faults::{Behaviour, SlotPower};
use super::function::StandardFunction;
use super::model::{Completion, FunctionModel};
use super::registers::{Places, Registers, dword, has_link_below, word};
use pcicfg::{Address, ConfigSpace};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

enum Device {
    Standard(Box<StandardFunction>),
    Bridge(Box<Bridge>),
    /// Somebody's own model, with where its registers are.
    Model(Box<dyn FunctionModel>, Box<Places>),
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

impl Device {
    fn model(&self) -> &dyn FunctionModel {
        match self {
            Self::Standard(function) => &**function,
            Self::Bridge(bridge) => &bridge.function,
            Self::Model(model, _) => &**model,
        }
    }

    fn model_mut(&mut self) -> &mut dyn FunctionModel {
        match self {
            Self::Standard(function) => &mut **function,
            Self::Bridge(bridge) => &mut bridge.function,
            Self::Model(model, _) => &mut **model,
        }
    }

    fn places(&self) -> &Places {
        match self {
            Self::Standard(function) => &function.bits().places,
            Self::Bridge(bridge) => &bridge.function.bits().places,
            Self::Model(_, places) => places,
        }
    }

    fn standard(&self) -> Option<&StandardFunction> {
        match self {
            Self::Standard(function) => Some(function),
            Self::Bridge(bridge) => Some(&bridge.function),
            Self::Model(..) => None,
        }
    }

    fn standard_mut(&mut self) -> Option<&mut StandardFunction> {
        match self {
            Self::Standard(function) => Some(function),
            Self::Bridge(bridge) => Some(&mut bridge.function),
            Self::Model(..) => None,
        }
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
                    .is_some_and(|f| f.behaviour().slot_power == SlotPower::Off)
            });
            let Device::Bridge(bridge) = &mut self.nodes[index].device else { continue };
            let Some(at) = bridge.express() else { continue };
            if !has_link_below(word(bridge.registers(), at + 2)) {
                continue;
            }
            let status = bridge.word(express::LINK_STATUS);
            let mut power = Power::On;
            if off && bridge.power_control() {
                bridge.set(
                    express::SLOT_CONTROL,
                    slot::POWER_OFF | slot::POWER_INDICATOR,
                    slot::POWER_OFF | slot::POWER_INDICATOR_ON,
                );
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
            let places =
                Registers::derive(model.registers(), &Sizes::default(), false, &BTreeMap::new()).places;
            node.device = Device::Model(model, Box::new(places));
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

    /// The function itself, past the bridges above it.
    #[cfg(feature = "serve")]
    pub(super) fn model_mut(&mut self, address: Address) -> Option<&mut dyn FunctionModel> {
        let index = self.index(address)?;
        Some(self.nodes[index].device.model_mut())
    }

    /// Where a function's registers are.
    pub(super) fn places(&self, address: Address) -> Option<&Places> {
        Some(self.nodes[self.index(address)?].device.places())
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
        let off = behaviour.slot_power == SlotPower::Off;
        let Some(function) = self.nodes[index].device.standard_mut() else { return false };
        function.set_behaviour(behaviour);
        if let (true, Some(parent)) = (off, self.nodes[index].parent)
            && let Some(bridge) = self.bridge_at(parent)
            && bridge.power_control()
        {
            bridge.set(
                express::SLOT_CONTROL,
                slot::POWER_OFF | slot::POWER_INDICATOR,
                slot::POWER_OFF | slot::POWER_INDICATOR_ON,
            );
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
            let Some(at) = device.places().sriov else { return false };
            let registers = device.model().registers();
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

    /// The function whose memory or ports an access reaches: every bridge above forwards it, and the
    /// function decodes it. (Those of virtual functions have their place in SR-IOV, and nobody asks.)
    fn decoder(&self, now: Duration, address: Address, bar: u8, offset: u64, length: usize) -> Option<usize> {
        let index = self.index(address).filter(|&index| self.reaches(now, index))?;
        let device = &self.nodes[index].device;
        let registers = device.model().registers();
        let at = match (bar, device) {
            (0..=5, Device::Bridge(_)) if bar > 1 => return None,
            (0..=5, _) => 0x10 + u16::from(bar) * 4,
            (Base::ROM, Device::Bridge(_)) => 0x38,
            (Base::ROM, _) => 0x30,
            _ => return None,
        };
        let low = dword(registers, at);
        let io = bar != Base::ROM && low & 1 != 0;
        let high = if bar < 5 && low & 7 == 4 { u64::from(dword(registers, at + 4)) << 32 } else { 0 };
        let mask = if bar == Base::ROM {
            0xffff_f800
        } else if io {
            !3
        } else {
            !0xf
        };
        let first = (high | u64::from(low & mask)).checked_add(offset)?;
        let last = first.checked_add((length as u64).checked_sub(1)?)?;
        let enable = if io { 1 } else { 2 };
        let asleep = device.places().pm.is_some_and(|pm| word(registers, pm + 4) & 3 != 0);
        if asleep || word(registers, 4) & enable == 0 {
            return None;
        }
        let mut below = index;
        while let Some(parent) = self.nodes[below].parent {
            let registers = self.nodes[parent].device.model().registers();
            let header = ConfigSpace::new(registers).ok()?.header();
            let bridge = header.bridge()?;
            let memory = [bridge.memory_window(), bridge.prefetchable_window()];
            let windows = if io { [bridge.io_window(), None] } else { memory };
            let forwards = windows.iter().flatten().any(|w| w.base <= first && last <= w.limit);
            if word(registers, 4) & enable == 0 || !forwards {
                return None;
            }
            below = parent;
        }
        Some(index)
    }

    /// Reads memory or ports as a processor does: what no one answers reads all-ones.
    pub(super) fn read_bar(
        &mut self,
        now: Duration,
        address: Address,
        bar: u8,
        offset: u64,
        bytes: &mut [u8],
    ) {
        let completion = self
            .decoder(now, address, bar, offset, bytes.len())
            .map(|index| self.nodes[index].device.model_mut().read_bar(now, bar, offset, bytes));
        if completion != Some(Completion::Successful) {
            bytes.fill(0xff);
        }
    }

    /// Writes memory or ports as a processor does: what no one takes is lost.
    pub(super) fn write_bar(&mut self, now: Duration, address: Address, bar: u8, offset: u64, bytes: &[u8]) {
        let index = self.decoder(now, address, bar, offset, bytes.len());
        if let Some(index) = index.filter(|&index| !self.writes_are_lost(index)) {
            self.nodes[index].device.model_mut().write_bar(now, bar, offset, bytes);
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
