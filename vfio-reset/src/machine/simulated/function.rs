//! The standard function: what the specification says any function does, from an image of its
//! configuration space.

use super::bars::Sizes;
use super::faults::{Behaviour, NotReady};
use super::model::{Completion, FunctionModel, ResetKind};
use super::registers::{Registers, dword, word};
use crate::vendor::Model;
use crate::vendor::model::{ConfigCells, ModelState};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Status, bit 5 of a PCI Express capability's Device Status, and where that is.
const TRANSACTIONS_PENDING: (u16, u16) = (0x0a, 0x0020);

/// A function that does what the specification says, save what its [`Behaviour`] says.
#[derive(Clone, Debug)]
pub struct StandardFunction {
    /// What it had when the machine was described; the state is kept as what differs.
    image: Vec<u8>,
    registers: Vec<u8>,
    bits: Registers,
    behaviour: Behaviour,
    timing: Timing,
    /// What was written to the memory or ports behind its bases, by base and offset.
    memory: BTreeMap<u8, BTreeMap<u64, u8>>,
    /// What is behind its bases instead, if that has a behaviour of its own.
    mmio: Option<Model>,
}

/// Configuration space as a model sees it.
struct Cells<'f>(&'f mut [u8]);

impl ConfigCells for Cells<'_> {
    fn dword(&self, offset: u16) -> u32 {
        dword(self.0, offset)
    }

    fn set_dword(&mut self, offset: u16, value: u32) {
        let at = usize::from(offset);
        if let Some(bytes) = self.0.get_mut(at..at + 4) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
    }
}

/// What changes with time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Timing {
    /// Until then it says that it isn't ready.
    ready_at: Duration,
    /// Until then its power state is changing and no access may be made.
    settled_at: Duration,
    /// It doesn't answer any more.
    dead: bool,
}

/// The state as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    timing: Timing,
    behaviour: Behaviour,
    /// Bytes that differ from the description, in runs: the offset, and the bytes in hex.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    registers: BTreeMap<u16, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    memory: BTreeMap<u8, BTreeMap<u64, u8>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mmio: Option<ModelState>,
}

impl StandardFunction {
    /// The function that an image describes. `resets` are bytes that a reset sets to something else
    /// than the specification's default.
    pub(super) fn new(
        image: Vec<u8>,
        sizes: &Sizes,
        virtual_function: bool,
        resets: &BTreeMap<u16, u8>,
        behaviour: Behaviour,
    ) -> Self {
        let bits = Registers::derive(&image, sizes, virtual_function, resets);
        let mut this = Self {
            registers: image.clone(),
            image,
            bits,
            behaviour,
            timing: Timing::default(),
            memory: BTreeMap::new(),
            mmio: None,
        };
        this.resize_bases();
        this
    }

    /// The same, with something behind its bases that behaves.
    pub(super) fn with_mmio(mut self, mmio: Option<Model>) -> Self {
        self.mmio = mmio;
        self
    }

    /// Tells what is behind the bases that configuration space was written; `before` is the whole of it.
    fn tell_model(&mut self, now: Duration, offset: u16, bytes: &[u8], before: &[u8]) {
        let Some(model) = &mut self.mmio else { return };
        let cells = &mut Cells(&mut self.registers);
        let end = usize::from(offset) + bytes.len();
        for at in (usize::from(offset) / 4 * 4..end.min(before.len())).step_by(4) {
            let mut written = before.get(at..at + 4).map_or([0; 4], |b| [b[0], b[1], b[2], b[3]]);
            let old = u32::from_le_bytes(written);
            for (i, byte) in written.iter_mut().enumerate() {
                if let Some(&new) = (at + i).checked_sub(usize::from(offset)).and_then(|i| bytes.get(i)) {
                    *byte = new;
                }
            }
            model.config_written(now, cells, at as u16, u32::from_le_bytes(written), old);
        }
    }

    /// How it behaves.
    pub(super) fn behaviour(&self) -> &Behaviour {
        &self.behaviour
    }

    /// Behaves like this from now on.
    pub(super) fn set_behaviour(&mut self, behaviour: Behaviour) {
        self.behaviour = behaviour;
    }

    /// Whether it is gone for good, or until its power was off.
    pub(super) fn dead(&self) -> bool {
        self.timing.dead || self.behaviour.all_ones
    }

    /// Which bits are where.
    pub(super) fn bits(&self) -> &Registers {
        &self.bits
    }

    /// Its power state: 0 is D0, 3 is D3hot.
    pub(super) fn power_state(&self) -> u8 {
        self.bits.places.pm.map_or(0, |pm| (word(&self.registers, pm + 4) & 3) as u8)
    }

    fn in_d0(&self) -> bool {
        self.power_state() == 0
    }

    /// What stands between an access at `now` and the registers.
    fn completion(&self, now: Duration) -> Completion {
        if self.dead() || now < self.timing.settled_at {
            Completion::Unanswered
        } else if now < self.timing.ready_at {
            match self.behaviour.not_ready {
                NotReady::Rrs => Completion::RequestRetry,
                NotReady::AllOnes => Completion::Unanswered,
            }
        } else {
            Completion::Successful
        }
    }

    /// Gives the resizable bases the address bits that their size leaves.
    fn resize_bases(&mut self) {
        for (control, bar) in self.bits.places.resizable.clone() {
            let exponent = dword(&self.registers, control) >> 8 & 0x3f;
            // Sizes beyond what an address has are refused by hardware; the mask would be empty.
            let size = 1u64 << (exponent.min(42) + 20);
            if let Some(base) = self.bits.bases.iter_mut().find(|base| base.index == bar)
                && base.size != size
                && (base.wide || size <= 1 << 31)
            {
                base.size = size;
                let base = base.clone();
                self.bits.base(&base);
                // Address bits that became size bits read as zero from now on.
                for (at, mask) in base.masks() {
                    let keep = mask | !base.address_bits(at);
                    self.store(at, dword(&self.registers, at) & keep);
                }
            }
        }
    }

    fn store(&mut self, at: u16, value: u32) {
        for (i, byte) in value.to_le_bytes().into_iter().enumerate() {
            if let Some(register) = self.registers.get_mut(usize::from(at) + i) {
                *register = byte;
            }
        }
    }

    /// The byte that a write of `bytes` to `offset` has put at `at`, if it reached that far.
    fn written(offset: u16, bytes: &[u8], at: u16) -> Option<u8> {
        bytes.get(usize::from(at.checked_sub(offset)?)).copied()
    }

    /// Acts on a write to a register that does something, after its bits were stored. `state` is the
    /// power state before the write.
    fn act(&mut self, now: Duration, offset: u16, bytes: &[u8], state: u8) -> Option<ResetKind> {
        let places = &self.bits.places;
        let (pm, express, af) = (places.pm, places.express, places.af);
        let resized = places
            .resizable
            .iter()
            .any(|&(at, _)| (0..4).any(|i| Self::written(offset, bytes, at + i).is_some()));
        if resized {
            self.resize_bases();
        }
        if let Some(express) = express {
            // Initiate Function Level Reset, and the function can.
            let initiate = Self::written(offset, bytes, express + 9).is_some_and(|byte| byte & 0x80 != 0);
            if initiate && dword(&self.registers, express + 4) & 1 << 28 != 0 {
                self.reset(now, ResetKind::FunctionLevel);
                return Some(ResetKind::FunctionLevel);
            }
        }
        if let Some(af) = af {
            let initiate = Self::written(offset, bytes, af + 4).is_some_and(|byte| byte & 1 != 0);
            if initiate && word(&self.registers, af + 2) & 0x0200 != 0 {
                self.reset(now, ResetKind::AdvancedFeatures);
                return Some(ResetKind::AdvancedFeatures);
            }
        }
        let pm = pm?;
        Self::written(offset, bytes, pm + 4)?;
        self.change_power_state(now, pm, state)
    }

    fn change_power_state(&mut self, now: Duration, pm: u16, before: u8) -> Option<ResetKind> {
        let capabilities = word(&self.registers, pm + 2);
        let after = self.power_state();
        let supported = match after {
            1 => capabilities & 0x0200 != 0,
            2 => capabilities & 0x0400 != 0,
            _ => true,
        };
        // A state that isn't there, and a way up to anything but D0, are not taken.
        if !supported || (after != 0 && after < before) {
            self.set_hardware_bits(pm + 4, 3, u16::from(before));
            return None;
        }
        if before == after {
            return None;
        }
        let delay = match before.max(after) {
            3 => self.behaviour.d3hot_delay(),
            2 => Duration::from_micros(200),
            _ => Duration::ZERO,
        };
        self.timing.settled_at = now.saturating_add(delay);
        let keeps_state = word(&self.registers, pm + 4) & 8 != 0;
        if before == 3 && after == 0 && !keeps_state {
            let settled = self.timing.settled_at;
            self.reset(settled, ResetKind::D3hotToD0);
            return Some(ResetKind::D3hotToD0);
        }
        None
    }

    /// What a reset makes of the registers.
    fn set_defaults(&mut self, kind: ResetKind) {
        for i in 0..self.registers.len() {
            let changeable = self.bits.write[i] | self.bits.clear[i];
            let mut reset = match kind {
                ResetKind::PowerCycle => changeable,
                _ => changeable & !self.bits.sticky[i],
            };
            if kind == ResetKind::FunctionLevel {
                if self.bits.places.spared_by_flr.iter().any(|range| range.contains(&i)) {
                    reset = 0;
                }
                // The payload size is agreed with the link partner.
                if self.bits.places.express.is_some_and(|express| i == usize::from(express) + 8) {
                    reset &= !0xe0;
                }
            }
            self.registers[i] = self.registers[i] & !reset | self.bits.default[i] & reset;
        }
        if let Some(pm) = self.bits.places.pm {
            self.set_hardware_bits(pm + 4, 3, 0);
        }
        self.memory.clear();
        self.resize_bases();
    }

    /// The base that decodes an access now.
    fn decodes(&self, now: Duration, bar: u8, offset: u64, length: usize) -> bool {
        let command = word(&self.registers, 4);
        self.completion(now) == Completion::Successful
            && self.in_d0()
            && self.bits.bases.iter().any(|base| {
                let enable = if base.io { 1 } else { 2 };
                let rom = base.at != 0 && base.index == super::bars::Base::ROM;
                base.index == bar
                    && command & enable != 0
                    && (!rom || dword(&self.registers, base.at) & 1 != 0)
                    && offset.checked_add(length as u64).is_some_and(|end| end <= base.size)
            })
    }
}

impl FunctionModel for StandardFunction {
    fn config_size(&self) -> usize {
        self.registers.len()
    }

    fn read_config(&mut self, now: Duration, offset: u16, bytes: &mut [u8]) -> Completion {
        let completion = self.completion(now);
        if let Some(model) = &mut self.mmio {
            model.settle(now, &mut Cells(&mut self.registers));
        }
        if completion == Completion::Successful {
            for (i, byte) in bytes.iter_mut().enumerate() {
                let at = usize::from(offset) + i;
                *byte = self.registers.get(at).copied().unwrap_or(0);
                if at == 0x0e && self.behaviour.header_7f {
                    *byte |= 0x7f;
                }
                if self.behaviour.pending_transactions {
                    let express = self.bits.places.express.map(|at| usize::from(at + TRANSACTIONS_PENDING.0));
                    let af = self.bits.places.af.map(|at| usize::from(at) + 5);
                    *byte |= if express == Some(at) { TRANSACTIONS_PENDING.1 as u8 } else { 0 };
                    *byte |= if af == Some(at) { 1 } else { 0 };
                }
            }
        }
        completion
    }

    fn write_config(&mut self, now: Duration, offset: u16, bytes: &[u8]) -> Option<ResetKind> {
        if self.completion(now) != Completion::Successful {
            return None;
        }
        let state = self.power_state();
        if let Some(model) = &mut self.mmio {
            model.settle(now, &mut Cells(&mut self.registers));
        }
        let before = self.mmio.as_ref().map(|_| self.registers.clone());
        for (i, &value) in bytes.iter().enumerate() {
            let at = usize::from(offset) + i;
            let Some(register) = self.registers.get_mut(at) else { break };
            let (write, clear) = (self.bits.write[at], self.bits.clear[at]);
            *register = (*register & !write | value & write) & !(value & clear);
        }
        let reset = self.act(now, offset, bytes, state);
        if let Some(before) = before {
            self.tell_model(now, offset, bytes, &before);
        }
        reset
    }

    fn read_bar(&mut self, now: Duration, bar: u8, offset: u64, bytes: &mut [u8]) -> Completion {
        if !self.decodes(now, bar, offset, bytes.len()) {
            return Completion::Unanswered;
        }
        if let Some(model) = self.mmio.as_mut().filter(|_| bar != super::bars::Base::ROM) {
            model.read_bar(now, &mut Cells(&mut self.registers), bar, offset, bytes);
            return Completion::Successful;
        }
        let memory = self.memory.get(&bar);
        for (at, byte) in (offset..).zip(bytes.iter_mut()) {
            *byte = memory.and_then(|memory| memory.get(&at)).copied().unwrap_or(0);
        }
        Completion::Successful
    }

    fn write_bar(&mut self, now: Duration, bar: u8, offset: u64, bytes: &[u8]) {
        if bar == super::bars::Base::ROM || !self.decodes(now, bar, offset, bytes.len()) {
            return;
        }
        if let Some(model) = &mut self.mmio {
            model.write_bar(now, &mut Cells(&mut self.registers), bar, offset, bytes);
        } else {
            self.memory.entry(bar).or_default().extend((offset..).zip(bytes.iter().copied()));
        }
    }

    fn reset(&mut self, now: Duration, kind: ResetKind) {
        if kind == ResetKind::PowerCycle && !self.behaviour.dies_on.contains(&kind) {
            self.timing.dead = false;
        }
        if self.behaviour.reset_does_nothing.contains(&kind) {
            // What it claims to do takes its time all the same.
            self.timing.settled_at = self.timing.settled_at.max(now);
            return;
        }
        if self.behaviour.dies_on.contains(&kind) {
            self.timing.dead = true;
        }
        self.set_defaults(kind);
        // What a model holds goes with the power alone: that is why such devices need a sequence.
        if let Some(model) = self.mmio.as_mut().filter(|_| kind == ResetKind::PowerCycle) {
            model.power_cycle();
        }
        self.timing.settled_at = now;
        self.timing.ready_at = match kind {
            ResetKind::PowerCycle => self.behaviour.ready_at(now, kind),
            _ if self.bits.places.immediate_readiness => now,
            _ => self.behaviour.ready_at(now, kind),
        };
    }

    fn registers(&self) -> &[u8] {
        &self.registers
    }

    fn set_hardware_bits(&mut self, offset: u16, mask: u16, value: u16) {
        let at = usize::from(offset);
        if at + 2 <= self.registers.len() {
            let word = word(&self.registers, offset) & !mask | value & mask;
            self.registers[at..at + 2].copy_from_slice(&word.to_le_bytes());
        }
    }

    fn answers(&self, now: Duration) -> bool {
        self.completion(now) == Completion::Successful
    }

    fn save(&self) -> serde_json::Value {
        let mut registers: BTreeMap<u16, String> = BTreeMap::new();
        let mut run = None;
        for (at, (byte, image)) in self.registers.iter().zip(&self.image).enumerate() {
            if byte == image {
                run = None;
            } else {
                let start = *run.get_or_insert(at as u16);
                registers.entry(start).or_default().push_str(&format!("{byte:02x}"));
            }
        }
        let saved = Saved {
            timing: self.timing,
            behaviour: self.behaviour.clone(),
            registers,
            memory: self.memory.clone(),
            mmio: self.mmio.as_ref().map(|model| model.state().clone()),
        };
        serde_json::to_value(saved).unwrap_or_default()
    }

    fn load(&mut self, state: &serde_json::Value) -> Result<(), String> {
        let saved = Saved::deserialize(state).map_err(|error| error.to_string())?;
        let mut registers = self.image.clone();
        for (&start, run) in &saved.registers {
            let digits = run.as_bytes().chunks(2);
            for (at, digits) in (usize::from(start)..).zip(digits) {
                let value = std::str::from_utf8(digits).ok().and_then(|d| u8::from_str_radix(d, 16).ok());
                let (Some(register), Some(value)) = (registers.get_mut(at), value) else {
                    return Err(format!("registers at {start:#05x}: {run:?} is not bytes of this function"));
                };
                // A state file is input: bits that nobody can write are the description's.
                let pm = self.bits.places.pm.is_some_and(|pm| at == usize::from(pm) + 4);
                let link = self
                    .bits
                    .places
                    .express
                    .is_some_and(|e| (usize::from(e) + 0x0a..usize::from(e) + 0x1c).contains(&at));
                let mask = self.bits.write[at] | self.bits.clear[at] | if pm || link { 0xff } else { 0 };
                *register = *register & !mask | value & mask;
            }
        }
        self.registers = registers;
        self.timing = saved.timing;
        self.behaviour = saved.behaviour;
        self.memory = saved.memory;
        if let Some(model) = &mut self.mmio {
            model.set_state(saved.mmio.unwrap_or_default());
        }
        self.resize_bases();
        Ok(())
    }
}
