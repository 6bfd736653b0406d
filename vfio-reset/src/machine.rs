//! The machine: PCI functions that can be listed, read, written and reset, plus a clock.
//!
//! Everything above is written once against [`Machine`]. The live one is this Linux host, the
//! captured one a host that somebody recorded, the simulated one has devices with behaviour in
//! virtual time.

pub mod captured;
pub mod live;
pub mod simulated;
pub mod vfio;

use crate::error::{Error, Result};
use pcicfg::header::ClassCode;
use pcicfg::{Address, ConfigRead, ConfigWrite};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;
use vfio::{Opened, VfioFacts, VfioRequest};

/// PCI functions and the operating system's knowledge of them.
///
/// All methods take `&self`: resets of independent devices may run on several threads.
pub trait Machine: Send + Sync {
    /// Which of the three kinds it is.
    fn kind(&self) -> MachineKind;

    /// How the user names it: `live`, `sim:zoo`, a path.
    fn name(&self) -> String;

    /// What is true of the host as a whole.
    ///
    /// # Errors
    /// When the host cannot be asked.
    fn host(&self) -> Result<HostFacts>;

    /// The functions there are, in address order.
    ///
    /// # Errors
    /// When they cannot be listed.
    fn functions(&self) -> Result<Vec<Address>>;

    /// What the operating system knows of a function.
    ///
    /// # Errors
    /// When there is no such function, or it cannot be asked.
    fn facts(&self, address: Address) -> Result<FunctionFacts>;

    /// Whatever on the host would notice if the function stopped working: mounted disks, swap.
    ///
    /// # Errors
    /// When there is no such function, or the host cannot be asked.
    fn users(&self, address: Address) -> Result<Vec<DeviceUser>>;

    /// All of the function's configuration space that can be read: 64, 128, 256 or 4096 bytes.
    ///
    /// # Errors
    /// When there is no such function, or it cannot be read.
    fn config(&self, address: Address) -> Result<Vec<u8>>;

    /// Reads these functions, in their order; those that are not there, or no longer, are left out.
    ///
    /// For configuration space that cannot be read because somebody resets the function it waits for `patience`, for all of
    /// them together.
    ///
    /// # Errors
    /// When a function cannot be read for another reason.
    fn read_functions(
        &self,
        addresses: &[Address],
        detail: Detail,
        patience: Duration,
    ) -> Result<Vec<FunctionRead>> {
        // What costs nothing is given in any case, and only on a running kernel is there somebody else.
        let _ = (detail, patience);
        let mut read = Vec::with_capacity(addresses.len());
        for &address in addresses {
            match self.config(address).and_then(|config| Ok((config, self.facts(address)?))) {
                Ok((config, facts)) => {
                    read.push(FunctionRead { address, config: Reading::Bytes(config), facts });
                }
                Err(Error::NoSuchFunction { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    /// Whether the function's configuration space can be read within `budget`. While the kernel resets a function,
    /// whoever reads it sleeps, for minutes if it does not come back, and cannot be woken.
    ///
    /// # Errors
    /// When there is no such function, or it cannot be read at all.
    fn is_readable(&self, address: Address, budget: Duration) -> Result<bool> {
        // Only on a running kernel is there somebody else.
        let _ = (address, budget);
        Ok(true)
    }

    /// Fills `bytes` from `offset` of the function's configuration space.
    ///
    /// # Errors
    /// When there is no such function, or it cannot be read that far.
    fn read_config(&self, address: Address, offset: u16, bytes: &mut [u8]) -> Result<()>;

    /// Writes 1, 2 or 4 bytes to the function's configuration space, as one access.
    ///
    /// # Errors
    /// When there is no such function, or it may not be written (a recording, lockdown).
    fn write_config(&self, address: Address, offset: u16, bytes: &[u8]) -> Result<()>;

    /// The size in bytes of the memory or the ports behind a Base Address Register, 0 to 5, or 6, the
    /// expansion ROM: as the kernel gave it out.
    ///
    /// # Errors
    /// When there is no such function, or nothing is behind that register.
    fn bar_size(&self, address: Address, bar: u8) -> Result<u64> {
        let resources = self.facts(address)?.resources;
        let resource = resources.get(usize::from(bar)).filter(|resource| resource.end != 0);
        let size = resource.and_then(|resource| resource.end.checked_sub(resource.start)?.checked_add(1));
        let reason = "the function has no such BAR, or it has no address";
        size.ok_or_else(|| Error::BarOutOfReach {
            address,
            bar,
            offset: 0,
            length: 0,
            reason: reason.to_owned(),
        })
    }

    /// Fills `bytes` from `offset` of the memory or the ports behind Base Address Register `bar` (0 to 5; 6
    /// is the expansion ROM), in accesses of four bytes, each aligned, and of two and one for what is left.
    ///
    /// Where no one answers, the bytes are all-ones: Memory Space is off, the function is not in D0, or it
    /// is gone. That is what a processor sees, and no error.
    ///
    /// # Errors
    /// When there is no such function or range, `offset` is not aligned to the length (to 4 bytes at most),
    /// or the access may not be made (a driver has the range, lockdown, a recording).
    fn read_bar(&self, address: Address, bar: u8, offset: u64, bytes: &mut [u8]) -> Result<()>;

    /// Writes `bytes` to `offset` of the memory or the ports behind Base Address Register `bar`, as
    /// [`read_bar`](Self::read_bar) reads them; what no one takes is lost.
    ///
    /// # Errors
    /// As [`read_bar`](Self::read_bar).
    fn write_bar(&self, address: Address, bar: u8, offset: u64, bytes: &[u8]) -> Result<()>;

    /// Reads an attribute of the function; `None` if the function has no such attribute.
    ///
    /// # Errors
    /// When there is no such function, or the attribute cannot be read.
    fn attribute(&self, address: Address, attribute: Attribute) -> Result<Option<String>>;

    /// Writes an attribute of the function.
    ///
    /// # Errors
    /// When there is no such function or attribute, or the kernel refuses.
    fn set_attribute(&self, address: Address, attribute: Attribute, value: &str) -> Result<()>;

    /// Has the kernel reset the function (`echo 1 > reset`), and waits for at most `budget`.
    ///
    /// # Errors
    /// When there is no such function or no `reset`, or it cannot be opened. What the kernel answers
    /// to the reset itself is in [`KernelReset`].
    fn kernel_reset(&self, address: Address, budget: Duration) -> Result<KernelReset>;

    /// Opens a function through VFIO, which resets it if the kernel has a method for it, and waits for at most
    /// the request's budget.
    ///
    /// # Errors
    /// When there is no such function; [`Error::Vfio`] with what the kernel answers.
    fn open_vfio<'m>(&'m self, request: &VfioRequest<'_>) -> Result<Opened<'m>>;

    /// A place in the kernel log, for [`kernel_log`](Self::kernel_log).
    fn kernel_log_mark(&self) -> LogMark;

    /// The kernel's messages since `mark`; empty where there is no log to be read.
    ///
    /// # Errors
    /// When there is a log, and it cannot be read.
    fn kernel_log(&self, mark: LogMark) -> Result<Vec<LogLine>>;

    /// The machine's clock.
    fn clock(&self) -> &dyn Clock;
}

/// The kinds of machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MachineKind {
    /// This Linux host.
    Live,
    /// A recording of a host.
    Captured,
    /// Devices with behaviour, in virtual time.
    Simulated,
}

/// A clock that every wait goes through.
pub trait Clock: Send + Sync {
    /// The time since some fixed moment.
    fn now(&self) -> Duration;

    /// Waits.
    fn sleep(&self, time: Duration);
}

/// What is true of the host as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HostFacts {
    /// The kernel's release, such as `6.12.95+deb12-amd64`; `None` if nobody recorded it.
    pub kernel: Option<String>,
    /// Whether configuration space may be written from user space.
    pub lockdown: Lockdown,
    /// Which of VFIO's interfaces it offers; `None` if nobody recorded it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vfio: Option<VfioFacts>,
}

/// The kernel's lockdown state (`/sys/kernel/security/lockdown`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lockdown {
    /// Off, or the kernel has none.
    #[default]
    None,
    /// User space may not change the running kernel: configuration space cannot be written.
    Integrity,
    /// Nor read its secrets.
    Confidentiality,
}

/// How much is read of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// All there is.
    All,
    /// What tells functions apart, their reset methods and their states.
    ///
    /// A live host leaves out resources, label, virtual functions and `boot_vga`, and of configuration space
    /// the extended part, unless it decides about a method.
    Listing,
}

/// A function as [`Machine::read_functions`] reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionRead {
    /// Where it is.
    pub address: Address,
    /// Its configuration space.
    pub config: Reading,
    /// What the operating system knows of it.
    pub facts: FunctionFacts,
}

/// A function's configuration space, or why it is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// All of it that can be read, or that is wanted.
    Bytes(Vec<u8>),
    /// Somebody was resetting the function for all the time, and nobody could read it.
    BeingReset(KnownAs),
}

/// What the operating system has found at an address, long before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownAs {
    /// Vendor ID.
    pub vendor_id: u16,
    /// Device ID.
    pub device_id: u16,
    /// Base class, sub-class and programming interface.
    pub class_code: ClassCode,
}

/// What the operating system knows of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FunctionFacts {
    /// The bridge above; `None` on a root bus, or if nobody knows (then bus numbers decide).
    pub parent: Option<Address>,
    /// The driver that is bound.
    pub driver: Option<String>,
    /// The IOMMU group.
    pub iommu_group: Option<u32>,
    /// What `reset_method` lists.
    pub reset_methods: ResetMethods,
    /// The kernel's idea of the power state: `D0`, `D3hot`, `D3cold`, `unknown`.
    pub power_state: Option<String>,
    /// Of a virtual function: its physical function.
    pub physfn: Option<Address>,
    /// Of a physical function: its virtual functions.
    pub virtfns: Vec<Address>,
    /// Whether the firmware used this display to boot with.
    pub boot_vga: bool,
    /// The name of the hot-plug slot that the function sits in.
    pub slot: Option<String>,
    /// The address ranges that the kernel gave it: BARs 0 to 5, the ROM, then a bridge's windows.
    pub resources: Vec<Resource>,
    /// The kernel's name, when that differs from pci.ids or there is none: firmware label.
    pub label: Option<String>,
}

/// What `reset_method` lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResetMethods {
    /// Nobody asked a kernel: the machine is a dump, or the kernel is older than 5.15.
    #[default]
    Unknown,
    /// The function has no `reset_method`: the kernel found no method.
    NoFile,
    /// The names, in the order in which the kernel would try them; empty if the user disabled all.
    Listed(Vec<String>),
}

/// An address range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// The first address; 0 with `end` 0 when unused.
    pub start: u64,
    /// The last address.
    pub end: u64,
    /// The kernel's `IORESOURCE_*` flags.
    pub flags: u64,
}

/// Something on the host that depends on a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DeviceUser {
    /// A mounted file system, or one on something stacked on the disk (LVM, RAID, LUKS).
    Mount {
        /// The block device, such as `nvme0n1p2`.
        device: String,
        /// Where it is mounted.
        path: String,
    },
    /// Swap space.
    Swap {
        /// The block device.
        device: String,
    },
    /// A block device that another one (LVM, RAID, LUKS) holds.
    Holder {
        /// The block device.
        device: String,
        /// Who holds it.
        holder: String,
    },
    /// A network interface that is up.
    Network {
        /// The interface's name.
        interface: String,
    },
    /// A process that has the function's VFIO group or device open: a running virtual machine.
    Vfio {
        /// The process id.
        pid: u32,
        /// The process's name.
        command: String,
    },
}

impl fmt::Display for DeviceUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mount { device, path } => write!(f, "{device} is mounted on {path}"),
            Self::Swap { device } => write!(f, "{device} is in use as swap space"),
            Self::Holder { device, holder } => write!(f, "{device} is part of {holder}"),
            Self::Network { interface } => write!(f, "the network interface {interface} is up"),
            Self::Vfio { pid, command } => write!(f, "process {pid} ({command}) has it open through VFIO"),
        }
    }
}

/// The attributes that are read or written, by their names in sysfs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribute {
    /// The list of reset methods.
    ResetMethod,
    /// `on`: never runtime-suspend; `auto`.
    PowerControl,
    /// The kernel's idea of the power state; read-only.
    PowerState,
    /// `1` if the function may be put into D3cold.
    D3coldAllowed,
    /// The only driver that may bind.
    DriverOverride,
    /// Write `1`: the kernel forgets the function and everything below it.
    Remove,
    /// Write `1`: the kernel looks for functions on the function's bus.
    Rescan,
}

impl Attribute {
    /// The path below the function's folder in sysfs.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::ResetMethod => "reset_method",
            Self::PowerControl => "power/control",
            Self::PowerState => "power_state",
            Self::D3coldAllowed => "d3cold_allowed",
            Self::DriverOverride => "driver_override",
            Self::Remove => "remove",
            Self::Rescan => "rescan",
        }
    }
}

/// How a reset by the kernel went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelReset {
    /// The kernel says it is done.
    Done,
    /// The kernel failed with this error number; `ENOTTY` alone does not say why, it has three meanings.
    Failed {
        /// The number.
        errno: i32,
    },
    /// The budget is over and the kernel still waits for the device. That cannot be cancelled: the
    /// kernel holds the device until it gives up.
    StillRunning,
}

/// A place in the kernel log; the default is the beginning of all that there still is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogMark(pub u64);

/// A message of the kernel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When, since boot.
    pub time: Duration,
    /// The text, without time and level.
    pub text: String,
}

/// That an access behind a Base Address Register is one that a register understands: aligned, so that no
/// machine splits it where another would not.
fn check_bar_access(address: Address, bar: u8, offset: u64, length: usize) -> Result<()> {
    let alignment = match length {
        1 => 1,
        2 | 3 => 2,
        _ => 4,
    };
    let fits = length > 0 && offset.checked_add(length as u64).is_some();
    if fits && bar <= 6 && offset.is_multiple_of(alignment) {
        return Ok(());
    }
    let reason =
        "an access is of bytes that are there, aligned to its width, behind BAR 0 to 5 or 6, the ROM";
    Err(Error::BarOutOfReach { address, bar, offset, length, reason: reason.to_owned() })
}

/// One function of a machine, for register access.
#[derive(Clone, Copy)]
pub struct Function<'m> {
    machine: &'m dyn Machine,
    address: Address,
}

impl<'m> Function<'m> {
    /// The function at `address`; it need not exist, then every access fails.
    #[must_use]
    pub fn new(machine: &'m dyn Machine, address: Address) -> Self {
        Self { machine, address }
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> Address {
        self.address
    }
}

impl ConfigRead for Function<'_> {
    type Error = crate::Error;

    fn read(&self, offset: u16, bytes: &mut [u8]) -> Result<()> {
        self.machine.read_config(self.address, offset, bytes)
    }
}

impl ConfigWrite for Function<'_> {
    fn write(&self, offset: u16, bytes: &[u8]) -> Result<()> {
        self.machine.write_config(self.address, offset, bytes)
    }
}
