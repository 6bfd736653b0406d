//! A machine that has nothing but one modelled device, in a time of its own.

use super::format::BarKind;
use super::{ConfigCells, Model};
use crate::error::{Error, Result};
use crate::machine::vfio::{Opened, VfioRequest};
use crate::machine::{
    Attribute, Clock, DeviceUser, FunctionFacts, HostFacts, KernelReset, LogLine, LogMark, Machine,
    MachineKind, ResetMethods, Resource,
};
use crate::vendor::dry_run::Target;
use pcicfg::Address;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A machine that has nothing but one modelled device.
///
/// Its time is virtual and passes only while somebody waits: an access takes none. What a sequence does
/// to the device is therefore the same in every run, to the microsecond.
pub struct ModelHost {
    name: String,
    /// The device.
    address: Address,
    facts: FunctionFacts,
    state: Mutex<State>,
}

struct State {
    now: Duration,
    model: Model,
    config: Image,
    /// The configuration space of the audio function beside it, if it has one.
    audio: Option<Image>,
}

/// Configuration space in which every bit can be written, as the models' format has it.
#[derive(Clone)]
struct Image(Vec<u8>);

impl ConfigCells for Image {
    fn dword(&self, offset: u16) -> u32 {
        let at = usize::from(offset & !3);
        match self.0.get(at..at + 4) {
            Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
            _ => 0,
        }
    }

    fn set_dword(&mut self, offset: u16, value: u32) {
        let at = usize::from(offset & !3);
        if let Some(bytes) = self.0.get_mut(at..at + 4) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
    }
}

impl ModelHost {
    /// The device of a model's file.
    ///
    /// # Errors
    /// As [`Model::open`].
    pub fn open(path: &Path) -> Result<Self> {
        Ok(Self::new(Model::open(path)?, path.display().to_string()))
    }

    /// A model's device; `name` is what the machine is called.
    #[must_use]
    pub fn new(model: Model, name: String) -> Self {
        let config = Image(model.description.config.clone());
        Self::with_image(model, name, config)
    }

    /// A model's device in the place of another one, which gives its ids and its configuration space: 256 bytes
    /// of it at least, or it has the model's own, with the other's ids.
    #[must_use]
    pub fn in_place_of(model: &Model, name: String, target: &Target<'_>) -> Self {
        let (model, image) = match target.has_capabilities() {
            true => (model.relocated(target.config), target.config),
            false => (model.clone(), model.description.config.as_slice()),
        };
        let mut image = Image(image.to_vec());
        image.set_dword(0, u32::from(target.ids.1) << 16 | u32::from(target.ids.0));
        let mut host = Self::with_image(model, name, image);
        // Nobody asks for the physical function; that there is one makes it virtual.
        host.facts.physfn = target.is_virtual.then(|| Address::from_devfn(0, 0, 0));
        host
    }

    fn with_image(model: Model, name: String, config: Image) -> Self {
        let address = Address::from_devfn(0, 1, 0);
        let facts = FunctionFacts {
            driver: model.driver().map(str::to_string),
            reset_methods: ResetMethods::NoFile,
            power_state: Some("D0".to_string()),
            resources: resources(&model, &config),
            ..FunctionFacts::default()
        };
        let audio = model.description.has_audio.then(|| audio(model.ids().0));
        let state = State { now: Duration::ZERO, model, config, audio };
        Self { name, address, facts, state: Mutex::new(state) }
    }

    /// The modelled device.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }

    /// The model as it is now.
    #[must_use]
    pub fn model(&self) -> Model {
        self.lock().model.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state holds no invariant that a panic elsewhere could have broken half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn no_such(&self, address: Address) -> Error {
        Error::NoSuchFunction { address, machine: self.name.clone() }
    }

    /// The device itself.
    fn device(&self, address: Address) -> Result<MutexGuard<'_, State>> {
        if address == self.address { Ok(self.lock()) } else { Err(self.no_such(address)) }
    }

    fn audio_address(&self) -> Address {
        Address::from_devfn(self.address.domain(), self.address.bus(), self.address.devfn() | 1)
    }

    /// Does something with a function's configuration space, which reaches to `end`.
    fn with_config<T>(
        &self,
        address: Address,
        (offset, length): (u16, usize),
        act: impl FnOnce(&mut State, bool) -> T,
    ) -> Result<T> {
        let mut state = self.lock();
        let is_device = address == self.address;
        let size = match &state.audio {
            _ if is_device => state.config.0.len(),
            Some(audio) if address == self.audio_address() => audio.0.len(),
            _ => return Err(self.no_such(address)),
        };
        if usize::from(offset).saturating_add(length) > size {
            return Err(Error::ConfigOutOfReach { address, offset, length, size });
        }
        Ok(act(&mut state, is_device))
    }
}

/// The ranges that the Base Address Registers say they decode.
fn resources(model: &Model, config: &Image) -> Vec<Resource> {
    /// `IORESOURCE_IO` and `IORESOURCE_MEM`.
    const FLAGS: [u64; 2] = [0x100, 0x200];
    let mut resources = vec![Resource::default(); 7];
    for bar in model.bars() {
        let low = config.dword(0x10 + 4 * u16::from(bar.index));
        let (mask, flags) = match bar.kind {
            BarKind::Io => (!3, FLAGS[0]),
            BarKind::Mem => (!0xf, FLAGS[1]),
        };
        let start = u64::from(low & mask);
        if start != 0 {
            resources[usize::from(bar.index)] =
                Resource { start, end: start.saturating_add(bar.size - 1), flags };
        }
    }
    resources
}

/// An audio function, as it is before any reset: it may master the bus.
fn audio(vendor: u16) -> Image {
    let mut image = Image(vec![0; 256]);
    image.set_dword(0x00, 0xab38_0000 | u32::from(vendor));
    image.set_dword(0x04, 0x0000_0006);
    image.set_dword(0x08, 0x0403_0000);
    image.set_dword(0x10, 0xfcca_0000);
    image
}

impl Clock for ModelHost {
    fn now(&self) -> Duration {
        self.lock().now
    }

    fn sleep(&self, time: Duration) {
        let mut state = self.lock();
        state.now = state.now.saturating_add(time);
    }
}

impl Machine for ModelHost {
    fn kind(&self) -> MachineKind {
        MachineKind::Simulated
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn host(&self) -> Result<HostFacts> {
        Ok(HostFacts::default())
    }

    fn functions(&self) -> Result<Vec<Address>> {
        let audio = self.lock().audio.is_some().then(|| self.audio_address());
        Ok(std::iter::once(self.address).chain(audio).collect())
    }

    fn facts(&self, address: Address) -> Result<FunctionFacts> {
        self.with_config(address, (0, 0), |_, is_device| match is_device {
            true => self.facts.clone(),
            false => FunctionFacts {
                driver: Some("vfio-pci".to_string()),
                reset_methods: ResetMethods::NoFile,
                power_state: Some("D0".to_string()),
                ..FunctionFacts::default()
            },
        })
    }

    fn users(&self, _: Address) -> Result<Vec<DeviceUser>> {
        Ok(Vec::new())
    }

    fn config(&self, address: Address) -> Result<Vec<u8>> {
        self.with_config(address, (0, 0), |state, is_device| {
            let now = state.now;
            state.model.settle(now, &mut state.config);
            match (&state.audio, is_device) {
                (Some(audio), false) => audio.0.clone(),
                _ => state.config.0.clone(),
            }
        })
    }

    fn read_config(&self, address: Address, offset: u16, bytes: &mut [u8]) -> Result<()> {
        self.with_config(address, (offset, bytes.len()), |state, is_device| {
            let now = state.now;
            state.model.settle(now, &mut state.config);
            let image = match (&state.audio, is_device) {
                (Some(audio), false) => audio,
                _ => &state.config,
            };
            let at = usize::from(offset);
            bytes.copy_from_slice(&image.0[at..at + bytes.len()]);
        })
    }

    fn write_config(&self, address: Address, offset: u16, bytes: &[u8]) -> Result<()> {
        self.with_config(address, (offset, bytes.len()), |state, is_device| {
            let at = usize::from(offset);
            let now = state.now;
            state.model.settle(now, &mut state.config);
            if let (Some(audio), false) = (&mut state.audio, is_device) {
                audio.0[at..at + bytes.len()].copy_from_slice(bytes);
                return;
            }
            // An access is one to four bytes, which may lie across two dwords.
            let end = at + bytes.len();
            for dword in (at / 4 * 4..end).step_by(4) {
                let before = state.config.dword(dword as u16);
                let range = at.max(dword)..end.min(dword + 4);
                let mut written = before.to_le_bytes();
                written[range.start - dword..range.end - dword]
                    .copy_from_slice(&bytes[range.start - at..range.end - at]);
                let value = u32::from_le_bytes(written);
                // No function lets its ids be written, and some want them written all the same.
                if dword != 0 {
                    state.config.set_dword(dword as u16, value);
                }
                state.model.config_written(now, &mut state.config, dword as u16, value, before);
            }
        })
    }

    fn bar_size(&self, address: Address, bar: u8) -> Result<u64> {
        let state = self.device(address)?;
        let refused = |reason: &str| {
            Err(Error::BarOutOfReach { address, bar, offset: 0, length: 0, reason: reason.to_owned() })
        };
        let bar_of = |known: &&super::ModelBar| known.index == bar;
        match state.model.bars().iter().find(bar_of) {
            Some(_) if state.model.fails("ioremap") => refused("the model says that it cannot be mapped"),
            Some(known) => Ok(known.size),
            None => refused("the model has no such BAR"),
        }
    }

    fn read_bar(&self, address: Address, bar: u8, offset: u64, bytes: &mut [u8]) -> Result<()> {
        let state = &mut *self.device(address)?;
        state.model.read_bar(state.now, &mut state.config, bar, offset, bytes);
        Ok(())
    }

    fn write_bar(&self, address: Address, bar: u8, offset: u64, bytes: &[u8]) -> Result<()> {
        let state = &mut *self.device(address)?;
        state.model.write_bar(state.now, &mut state.config, bar, offset, bytes);
        Ok(())
    }

    fn attribute(&self, _: Address, _: Attribute) -> Result<Option<String>> {
        Ok(None)
    }

    fn set_attribute(&self, address: Address, _: Attribute, _: &str) -> Result<()> {
        Err(self.no_such(address))
    }

    fn kernel_reset(&self, address: Address, _: Duration) -> Result<KernelReset> {
        Err(self.no_such(address))
    }

    fn open_vfio<'m>(&'m self, request: &VfioRequest<'_>) -> Result<Opened<'m>> {
        Err(self.no_such(request.address))
    }

    fn kernel_log_mark(&self) -> LogMark {
        LogMark::default()
    }

    fn kernel_log(&self, _: LogMark) -> Result<Vec<LogLine>> {
        Ok(Vec::new())
    }

    fn clock(&self) -> &dyn Clock {
        self
    }
}
