//! VFIO as every machine offers it: a function is opened, asked, reset and closed.
//!
//! Whoever has a function open through VFIO has it alone, with everything else in its IOMMU group. Two
//! interfaces lead there, and what they do to the function is the same: by group and container, and by the
//! function's own character device with iommufd (kernel 6.6 and newer, where it is built in).
//!
//! **Opening and closing reset too.** vfio-pci resets a function when it is opened first and when it is
//! closed last, by the first method in `reset_method` that works. Where one of those that were open has no
//! such method, the last close resets the whole set, if that can be ([`Closing`]). So a hot reset is one of
//! several resets, and whoever counts time must count them.
//!
//! Sources: Linux `include/uapi/linux/vfio.h`, `drivers/vfio/pci/vfio_pci_core.c`, 6.1 to 6.18.

mod error;

use super::KernelReset;
use crate::error::Result;
use pcicfg::Address;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

pub use error::{VfioError, VfioOperation};

/// The two ways to open a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VfioInterface {
    /// `/dev/vfio/GROUP` and a container, `/dev/vfio/vfio`.
    Group,
    /// `/dev/vfio/devices/vfioN`, bound to an iommufd, `/dev/iommu`.
    Cdev,
}

impl VfioInterface {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Cdev => "cdev",
        }
    }
}

impl fmt::Display for VfioInterface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for VfioInterface {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        [Self::Group, Self::Cdev]
            .into_iter()
            .find(|interface| interface.as_str() == text)
            .ok_or_else(|| format!("VFIO has no interface {text:?}: there are group and cdev"))
    }
}

/// Which interfaces a host offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VfioFacts {
    /// There is `/dev/vfio/vfio`.
    pub group: bool,
    /// There are `/dev/iommu` and VFIO's own character devices.
    pub cdev: bool,
}

impl VfioFacts {
    /// The interface to use: the newer one where there is a choice, because it knows each function and not
    /// only its group.
    #[must_use]
    pub fn preferred(self) -> Option<VfioInterface> {
        match self {
            Self { cdev: true, .. } => Some(VfioInterface::Cdev),
            Self { group: true, .. } => Some(VfioInterface::Group),
            _ => None,
        }
    }

    /// Whether the host offers it.
    #[must_use]
    pub fn offers(self, interface: VfioInterface) -> bool {
        match interface {
            VfioInterface::Group => self.group,
            VfioInterface::Cdev => self.cdev,
        }
    }
}

/// What is to be opened.
#[derive(Clone, Copy, Debug)]
pub struct VfioRequest<'r> {
    /// The function.
    pub address: Address,
    /// How.
    pub interface: VfioInterface,
    /// Functions that must be owned besides, for a hot reset that hits them. With the group interface
    /// their groups are opened; with the other, one function of each further group, which resets that too.
    pub also: &'r [Address],
    /// How long opening may take.
    pub budget: Duration,
}

/// How opening went.
pub enum Opened<'m> {
    /// It is open.
    Open(Box<dyn VfioDevice + 'm>),
    /// The budget is over and the kernel still resets the function for it. That cannot be cancelled; the
    /// kernel closes it again when it is done.
    StillRunning,
}

/// A function that was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenedFunction {
    /// Where it is.
    pub address: Address,
    /// The kernel found a method that worked when it was opened, so that was a reset, and closing it is one.
    pub can_reset: bool,
}

/// Which resets closing makes, beside the functions' own (`vfio_pci_dev_set_try_reset`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Only those.
    OwnResets,
    /// The last close resets the slot or the bus.
    WholeSet,
    /// It is not known whether it does.
    Unknown,
}

impl Closing {
    /// What closing `opened` makes. The kernel resets the whole set when nobody has one of it open any more and
    /// one was closed without a reset of its own; but only if slot or bus can be reset and every function of
    /// the set is bound to a VFIO driver: `resettable`, if that is known.
    #[must_use]
    pub fn of(opened: &[OpenedFunction], resettable: Option<bool>) -> Self {
        match resettable {
            _ if opened.iter().all(|function| function.can_reset) => Self::OwnResets,
            Some(true) => Self::WholeSet,
            Some(false) => Self::OwnResets,
            None => Self::Unknown,
        }
    }
}

/// A function that is open through VFIO.
///
/// Close it with [`close`](Self::close): merely dropped, it is closed too, and nobody learns how long that
/// takes.
pub trait VfioDevice: Send {
    /// What was opened: the function, and with the cdev interface one of each further group after it.
    fn opened(&self) -> &[OpenedFunction];

    /// Whether opening it was a reset, and `VFIO_DEVICE_RESET` is one: the kernel found a method that worked
    /// when it was opened.
    fn can_reset(&self) -> bool {
        self.opened().first().is_some_and(|function| function.can_reset)
    }

    /// The functions that a hot reset would hit now (`VFIO_DEVICE_GET_PCI_HOT_RESET_INFO`); `None` if the kernel
    /// has not answered within `budget`: it does not while somebody opens or closes another function of the set,
    /// which resets that.
    ///
    /// # Errors
    /// [`Error::Vfio`](crate::Error::Vfio) with what the kernel answered.
    fn hot_reset_set(&self, budget: Duration) -> Result<Option<HotResetSet>>;

    /// `VFIO_DEVICE_RESET`, and waits for at most `budget`.
    ///
    /// # Errors
    /// When it could not be asked for at all; what the kernel answers is in [`KernelReset`].
    fn reset(&mut self, budget: Duration) -> Result<KernelReset>;

    /// `VFIO_DEVICE_PCI_HOT_RESET` with everything that is owned, and waits for at most `budget`.
    ///
    /// # Errors
    /// When it could not be asked for at all; what the kernel answers is in [`KernelReset`].
    fn hot_reset(&mut self, budget: Duration) -> Result<KernelReset>;

    /// What is known of a region (`VFIO_DEVICE_GET_REGION_INFO`); `None` if the function has no such region.
    ///
    /// # Errors
    /// [`Error::Vfio`](crate::Error::Vfio) with what the kernel answered.
    fn region(&self, region: RegionIndex) -> Result<Option<RegionInfo>>;

    /// Fills `bytes` from `offset` of a region, by system calls: a function that is gone is an error and no
    /// signal.
    ///
    /// # Errors
    /// When the region is not there or not that long, or the kernel refuses, as it does while Memory Space is
    /// off or the function sleeps.
    fn read_region(&self, region: RegionIndex, offset: u64, bytes: &mut [u8]) -> Result<()>;

    /// Writes `bytes` to `offset` of a region, by system calls.
    ///
    /// # Errors
    /// As [`read_region`](Self::read_region).
    fn write_region(&self, region: RegionIndex, offset: u64, bytes: &[u8]) -> Result<()>;

    /// Maps a region into memory; `None` where nothing of it can be mapped, as of no simulated one.
    ///
    /// # Errors
    /// [`Error::Vfio`](crate::Error::Vfio) with what the kernel answered.
    fn map_region(&self, region: RegionIndex) -> Result<Option<Box<dyn MappedRegion + '_>>> {
        let _ = region;
        Ok(None)
    }

    /// What the kernel has told of the open function since this was last asked.
    ///
    /// # Errors
    /// When it cannot be asked.
    fn events(&self) -> Result<Vec<VfioEvent>>;

    /// Closes it, and waits for at most `budget` for the reset that goes with it.
    ///
    /// # Errors
    /// When it could not be closed in a way that can be waited for.
    fn close(self: Box<Self>, budget: Duration) -> Result<KernelReset>;
}

/// A region that is mapped.
///
/// The kernel ends a process with `SIGBUS` that touches a mapping while the function is unplugged, is being reset,
/// sleeps or has Memory Space off. So before each register it is looked whether the function answers, is awake and
/// decodes memory, which costs two system calls: a mapping is for what must be one access of its width, not for speed.
/// What happens in the microsecond between the look and the access cannot be ruled out: whoever can take
/// [`VfioDevice::read_region`] takes that, which fails instead.
///
/// Parts of the region that the kernel does not let be mapped are read by system calls.
pub trait MappedRegion {
    /// Fills `bytes` from `offset`, register by register; all-ones where nobody would answer.
    ///
    /// # Errors
    /// When the region is not that long, or the access is not aligned to its width.
    fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<()>;
}

/// The functions that a hot reset hits, as the kernel says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HotResetSet {
    /// Each, in the kernel's order.
    pub functions: Vec<SetMember>,
}

impl HotResetSet {
    /// Those that are not ours.
    pub fn strangers(&self) -> impl Iterator<Item = &SetMember> {
        self.functions.iter().filter(|member| !member.owned)
    }
}

/// A function that a hot reset hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetMember {
    /// Where it is.
    pub address: Address,
    /// Its IOMMU group; only the group interface tells.
    pub group: Option<u32>,
    /// Whether it is ours: its group is open, or it is bound to our iommufd or in the group of one that is.
    pub owned: bool,
}

/// The regions of a PCI function, by their index (`VFIO_PCI_BAR0_REGION_INDEX` and on).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionIndex {
    /// Base Address Register 0 to 5.
    Bar(u8),
    /// The expansion ROM.
    Rom,
    /// Configuration space, as VFIO shows it.
    Config,
    /// The legacy VGA ranges.
    Vga,
}

impl RegionIndex {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Bar(0),
        Self::Bar(1),
        Self::Bar(2),
        Self::Bar(3),
        Self::Bar(4),
        Self::Bar(5),
        Self::Rom,
        Self::Config,
        Self::Vga,
    ];

    /// The region behind a Base Address Register, where 6 is the expansion ROM.
    #[must_use]
    pub fn behind(bar: u8) -> Option<Self> {
        match bar {
            0..=5 => Some(Self::Bar(bar)),
            6 => Some(Self::Rom),
            _ => None,
        }
    }

    /// VFIO's number.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Bar(bar) => u32::from(bar),
            Self::Rom => 6,
            Self::Config => 7,
            Self::Vga => 8,
        }
    }
}

impl fmt::Display for RegionIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bar(bar) => write!(f, "BAR {bar}"),
            Self::Rom => f.write_str("ROM"),
            Self::Config => f.write_str("config"),
            Self::Vga => f.write_str("VGA"),
        }
    }
}

/// What is known of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegionInfo {
    /// How many bytes it has.
    pub size: u64,
    /// It can be read.
    pub readable: bool,
    /// It can be written.
    pub writable: bool,
    /// All of it or parts can be mapped.
    pub mappable: bool,
}

/// What the kernel tells of a function that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VfioEvent {
    /// An uncorrectable error was reported for it, and the kernel leaves it to whoever has it open
    /// (`VFIO_PCI_ERR_IRQ_INDEX`).
    Error,
    /// The kernel waits for it to be closed: it is being unplugged or unbound (`VFIO_PCI_REQ_IRQ_INDEX`).
    ReleaseRequested,
}

impl fmt::Display for VfioEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "an uncorrectable error was reported for it while it was open (AER)",
            Self::ReleaseRequested => {
                "the kernel asked to have it released while it was open: it is being unplugged or unbound"
            }
        })
    }
}

/// Whether a driver is one through which VFIO opens a function: vfio-pci, or a variant of it for one device
/// (mlx5_vfio_pci, nvgrace_gpu_vfio_pci, ...).
#[must_use]
pub fn is_vfio_driver(driver: &str) -> bool {
    driver == "vfio-pci" || driver.ends_with("-vfio-pci") || driver.ends_with("_vfio_pci")
}
