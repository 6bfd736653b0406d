//! A machine that writes down what reaches its devices, and can hold one write back.

use super::*;
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;

/// What reached a device, or time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Bar { write: bool, bar: u8, offset: u64, width: usize, value: u32 },
    Config { write: bool, offset: u16, width: usize, value: u32 },
    Delay(Duration),
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = |write: bool| if write { "W" } else { "R" };
        match self {
            Self::Bar { write, bar, offset, width, value } => {
                write!(
                    f,
                    "{} {bar} {offset:#x} {width} 0x{value:0digits$x}",
                    letter(*write),
                    digits = 2 * width
                )
            }
            Self::Config { write, offset, width, value } => {
                write!(f, "C{} {offset:#x} {width} 0x{value:0digits$x}", letter(*write), digits = 2 * width)
            }
            Self::Delay(time) => write!(f, "D {}", time.as_micros()),
        }
    }
}

/// A machine that writes down what reaches its devices.
pub(crate) struct Recording<'m> {
    inner: &'m dyn Machine,
    state: Mutex<State>,
    swap: Option<usize>,
}

#[derive(Default)]
struct State {
    accesses: Vec<Access>,
    /// How many writes to registers, not to indexes, were seen.
    writes: usize,
    held: Option<(Address, u8, u64, Vec<u8>)>,
}

/// The index registers of the shipped models: what is written there is no effect yet.
const INDEXES: [u64; 5] = [0x0, 0x18, 0x38, 0x200, 0x6b0];

impl<'m> Recording<'m> {
    /// With `swap`, the write of that number (indexes not counted) arrives after the next.
    pub(crate) fn new(inner: &'m dyn Machine, swap: Option<usize>) -> Self {
        Self { inner, state: Mutex::default(), swap }
    }

    pub(crate) fn accesses(&self) -> Vec<Access> {
        self.state.lock().unwrap().accesses.clone()
    }

    fn push(&self, access: Access) {
        self.state.lock().unwrap().accesses.push(access);
    }

    fn deliver(&self, address: Address, bar: u8, offset: u64, bytes: &[u8]) -> Result<()> {
        self.push(Access::Bar { write: true, bar, offset, width: bytes.len(), value: value_of(bytes) });
        self.inner.write_bar(address, bar, offset, bytes)
    }
}

fn value_of(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |value, &byte| value << 8 | u32::from(byte))
}

impl Clock for Recording<'_> {
    fn now(&self) -> Duration {
        self.inner.clock().now()
    }

    fn sleep(&self, time: Duration) {
        self.push(Access::Delay(time));
        self.inner.clock().sleep(time);
    }
}

impl Machine for Recording<'_> {
    fn kind(&self) -> MachineKind {
        self.inner.kind()
    }

    fn name(&self) -> String {
        self.inner.name()
    }

    fn host(&self) -> Result<HostFacts> {
        self.inner.host()
    }

    fn functions(&self) -> Result<Vec<Address>> {
        self.inner.functions()
    }

    fn facts(&self, address: Address) -> Result<FunctionFacts> {
        self.inner.facts(address)
    }

    fn users(&self, address: Address) -> Result<Vec<DeviceUser>> {
        self.inner.users(address)
    }

    fn config(&self, address: Address) -> Result<Vec<u8>> {
        self.inner.config(address)
    }

    fn read_config(&self, address: Address, offset: u16, bytes: &mut [u8]) -> Result<()> {
        self.inner.read_config(address, offset, bytes)?;
        self.push(Access::Config { write: false, offset, width: bytes.len(), value: value_of(bytes) });
        Ok(())
    }

    fn write_config(&self, address: Address, offset: u16, bytes: &[u8]) -> Result<()> {
        self.push(Access::Config { write: true, offset, width: bytes.len(), value: value_of(bytes) });
        self.inner.write_config(address, offset, bytes)
    }

    fn bar_size(&self, address: Address, bar: u8) -> Result<u64> {
        self.inner.bar_size(address, bar)
    }

    fn read_bar(&self, address: Address, bar: u8, offset: u64, bytes: &mut [u8]) -> Result<()> {
        self.inner.read_bar(address, bar, offset, bytes)?;
        self.push(Access::Bar { write: false, bar, offset, width: bytes.len(), value: value_of(bytes) });
        Ok(())
    }

    fn write_bar(&self, address: Address, bar: u8, offset: u64, bytes: &[u8]) -> Result<()> {
        let mut held = None;
        if !INDEXES.contains(&offset) {
            let mut state = self.state.lock().unwrap();
            let number = state.writes;
            state.writes += 1;
            if self.swap == Some(number) {
                state.held = Some((address, bar, offset, bytes.to_vec()));
                return Ok(());
            }
            held = state.held.take();
        }
        self.deliver(address, bar, offset, bytes)?;
        match held {
            Some((address, bar, offset, bytes)) => self.deliver(address, bar, offset, &bytes),
            None => Ok(()),
        }
    }

    fn attribute(&self, address: Address, attribute: Attribute) -> Result<Option<String>> {
        self.inner.attribute(address, attribute)
    }

    fn set_attribute(&self, address: Address, attribute: Attribute, value: &str) -> Result<()> {
        self.inner.set_attribute(address, attribute, value)
    }

    fn kernel_reset(&self, address: Address, budget: Duration) -> Result<KernelReset> {
        self.inner.kernel_reset(address, budget)
    }

    fn open_vfio<'m>(&'m self, request: &VfioRequest<'_>) -> Result<Opened<'m>> {
        self.inner.open_vfio(request)
    }

    fn kernel_log_mark(&self) -> LogMark {
        self.inner.kernel_log_mark()
    }

    fn kernel_log(&self, mark: LogMark) -> Result<Vec<LogLine>> {
        self.inner.kernel_log(mark)
    }

    fn clock(&self) -> &dyn Clock {
        self
    }
}

/// The writes in order, those through a window resolved to what they reach: how a window is driven is
/// free. Of configuration space, only the reset register counts.
pub(crate) fn effective_writes(accesses: &[Access], model: &Value) -> Vec<(String, u64, u32)> {
    let number =
        |value: &Value| u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
    let windows: Vec<(u64, u64, &str)> = model["windows"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|window| (number(&window["index"]), number(&window["data"]), window["space"].as_str().unwrap()))
        .collect();
    let mm = &model["mm_window"];
    let nowhere = u64::MAX;
    let [index, index_hi, data] =
        ["index", "index_hi", "data"].map(|key| if mm.is_null() { nowhere } else { number(&mm[key]) });
    let mut last: HashMap<u64, u32> = HashMap::new();
    let mut writes = Vec::new();
    for access in accesses {
        let (mut space, mut offset, value) = match *access {
            Access::Bar { write: true, bar: 5, offset, value, .. } => ("mmio", offset, value),
            Access::Bar { write: true, offset, value, .. } => ("io", offset, value),
            Access::Config { write: true, offset: 0x7c, value, .. } => ("cfg", 0x7c, value),
            _ => continue,
        };
        // A window into the aperture can show a window's own registers.
        for _ in 0..2 {
            let held = |register: u64| u64::from(last.get(&register).copied().unwrap_or(0));
            if space != "mmio" {
                break;
            } else if offset == data {
                let at = held(index);
                (space, offset) = match at >> 31 {
                    0 => ("mmio", at),
                    _ => ("vram", held(index_hi) << 31 | at & 0x7fff_ffff),
                };
            } else if let Some((index, _, behind)) = windows.iter().find(|(_, data, _)| *data == offset) {
                (space, offset) = (behind, held(*index));
            }
        }
        let is_index =
            [index, index_hi].contains(&offset) || windows.iter().any(|(index, ..)| *index == offset);
        if space == "mmio" && is_index {
            last.insert(offset, value);
        } else {
            writes.push((space.to_string(), offset, value));
        }
    }
    writes
}
