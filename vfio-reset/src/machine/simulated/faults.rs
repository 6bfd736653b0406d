//! What can be odd or broken about a simulated function, and how its reset behaves.

use super::model::ResetKind;
use crate::machine::vfio::VfioEvent;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How a function differs from one that does what the specification says.
///
/// In a machine's description it is the table `behaviour` of a function; in tests it is given with
/// [`Simulated::with`](super::Simulated::with). The default is a healthy function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Behaviour {
    /// How many milliseconds after a reset of this kind the function answers. Without it, 50 ms, a
    /// few less than the 100 ms that everyone must wait; 0 after D3hot to D0, whose 10 ms are apart.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ready_after_ms: BTreeMap<ResetKind, u64>,
    /// How it says until then that it is not ready.
    pub not_ready: NotReady,
    /// Resets after which it never answers again; only a power cycle brings it back, and not even
    /// that if `power_cycle` is listed too.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub dies_on: BTreeSet<ResetKind>,
    /// A dead function takes the link with it: Data Link Layer Link Active goes, and the link
    /// cannot be trained. Without it the link stays up, as it does when only the firmware hangs.
    pub link_dies: bool,
    /// Resets that the function claims to do and does not: no register changes.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub reset_does_nothing: BTreeSet<ResetKind>,
    /// Transactions Pending is always set: a read was never completed.
    pub pending_transactions: bool,
    /// The speed that the link above has after a conventional reset, as in Link Status: 1 is 2.5 GT/s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_speed_after: Option<u8>,
    /// The number of lanes that the link above has after a conventional reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_width_after: Option<u8>,
    /// How many milliseconds the link above needs to train. Without it, 20 ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link_up_after_ms: Option<u64>,
    /// The header type reads 7fh while all else is as ever.
    pub header_7f: bool,
    /// All reads are all-ones from the beginning and for ever: it fell off the bus.
    pub all_ones: bool,
    /// Of a function in a slot: the slot's power is off when the machine starts.
    pub slot_power: SlotPower,
    /// Of a bridge: after a secondary bus reset its registers *read* as before, but what decodes
    /// for them has lost them. Writes to anything below are lost until each of the header's sixteen
    /// dwords has been written again, those that read as they should included. Seen on an X470
    /// board, where a function behind such a bridge never got its state back.
    pub windows_corrupt_after_reset: bool,
    /// How many milliseconds a change of its power state takes. Without it, 10 ms to and from D3hot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub d3hot_delay_ms: Option<u64>,
    /// What VFIO answers, other than it would.
    #[serde(skip_serializing_if = "VfioFaults::is_empty")]
    pub vfio: VfioFaults,
}

/// What VFIO answers of a function, other than it would: of each request the first answers, one a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VfioFaults {
    /// `VFIO_GROUP_GET_DEVICE_FD` or `VFIO_DEVICE_BIND_IOMMUFD`.
    pub open: Vec<Errno>,
    /// `VFIO_DEVICE_GET_PCI_HOT_RESET_INFO`.
    pub hot_reset_info: Vec<Errno>,
    /// `VFIO_DEVICE_RESET`.
    pub reset: Vec<Errno>,
    /// `VFIO_DEVICE_PCI_HOT_RESET`.
    pub hot_reset: Vec<Errno>,
    /// What the kernel tells of the function once it is open.
    pub events: Vec<VfioEvent>,
    /// It has no device file of its own (`/dev/vfio/devices/vfioN`), as behind no IOMMU.
    pub no_device_file: bool,
}

impl VfioFaults {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An error number by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names say it, and errno(3)")]
pub enum Errno {
    EPerm,
    EIo,
    ENxIo,
    EBadF,
    EAgain,
    ENoMem,
    EAcces,
    EBusy,
    ENoDev,
    EInval,
    ENoTty,
    ENoSpc,
}

impl Errno {
    /// The number.
    pub(super) const fn number(self) -> i32 {
        match self {
            Self::EPerm => libc::EPERM,
            Self::EIo => libc::EIO,
            Self::ENxIo => libc::ENXIO,
            Self::EBadF => libc::EBADF,
            Self::EAgain => libc::EAGAIN,
            Self::ENoMem => libc::ENOMEM,
            Self::EAcces => libc::EACCES,
            Self::EBusy => libc::EBUSY,
            Self::ENoDev => libc::ENODEV,
            Self::EInval => libc::EINVAL,
            Self::ENoTty => libc::ENOTTY,
            Self::ENoSpc => libc::ENOSPC,
        }
    }
}

/// How a function that is not ready says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotReady {
    /// It completes requests with Request Retry Status, as it should.
    #[default]
    Rrs,
    /// It does not complete them.
    AllOnes,
}

/// A slot's power.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotPower {
    /// On.
    #[default]
    On,
    /// Off.
    Off,
}

impl Behaviour {
    /// Answers only this long after a reset, of any kind.
    #[must_use]
    pub fn ready_after(time: Duration) -> Self {
        let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            ready_after_ms: ResetKind::ALL.into_iter().map(|kind| (kind, milliseconds)).collect(),
            ..Self::default()
        }
    }

    /// Never answers again after a reset of this kind.
    #[must_use]
    pub fn dies_on(kind: ResetKind) -> Self {
        Self { dies_on: [kind].into(), ..Self::default() }
    }

    /// Claims to do this kind of reset and does nothing.
    #[must_use]
    pub fn reset_does_nothing(kind: ResetKind) -> Self {
        Self { reset_does_nothing: [kind].into(), ..Self::default() }
    }

    /// Reads all-ones from the beginning and for ever.
    #[must_use]
    pub fn all_ones() -> Self {
        Self { all_ones: true, ..Self::default() }
    }

    /// When a function that is reset at `now` answers again.
    pub(super) fn ready_at(&self, now: Duration, kind: ResetKind) -> Duration {
        let default = if kind == ResetKind::D3hotToD0 { 0 } else { 50 };
        let milliseconds = self.ready_after_ms.get(&kind).copied().unwrap_or(default);
        now.saturating_add(Duration::from_millis(milliseconds))
    }

    /// The time that a change of power state takes.
    pub(super) fn d3hot_delay(&self) -> Duration {
        Duration::from_millis(self.d3hot_delay_ms.unwrap_or(10))
    }

    /// The time that the link above takes to train.
    pub(super) fn link_training(&self) -> Duration {
        Duration::from_millis(self.link_up_after_ms.unwrap_or(20))
    }
}
