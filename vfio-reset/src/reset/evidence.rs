//! Whether a reset was seen to reset anything: "the kernel says it is done" is no evidence.
//!
//! Before our own resets the function is stopped, and the Command that stops it is a mark that every reset
//! clears. By the kernel, VFIO included, there is no such mark: it saves before and writes back after
//! whatever can be written, so a function that ignores its reset looks the same. What it leaves alone is no
//! mark either: Message Address and Data of an interrupt that is off may keep what they hold across a reset.
//!
//! One thing it does not write are the error bits of Device Status: a reset clears those that were set. They
//! are looked at, and are evidence for a reset and never against one, because what happens meanwhile can
//! set them again. Where the function reports errors, nothing is concluded: the kernel clears the bits, too, when
//! it handles what was reported (Linux `drivers/pci/pcie/aer.c`, `pcie_clear_device_status`).

use super::Engine;
use crate::plan::ResetAct;
use crate::report::Evidence;
use pcicfg::capability::{DeviceControl, DeviceStatus, PciExpress};
use pcicfg::{ConfigRead, ConfigSpace};

/// The errors of Device Status, which stay until somebody writes 1 to them or a reset comes.
const ERRORS: DeviceStatus = DeviceStatus::CORRECTABLE_ERROR_DETECTED
    .union(DeviceStatus::NON_FATAL_ERROR_DETECTED)
    .union(DeviceStatus::FATAL_ERROR_DETECTED)
    .union(DeviceStatus::UNSUPPORTED_REQUEST_DETECTED);

/// What has the function report errors.
const REPORTS: DeviceControl = DeviceControl::CORRECTABLE_ERROR_REPORTING_ENABLE
    .union(DeviceControl::NON_FATAL_ERROR_REPORTING_ENABLE)
    .union(DeviceControl::FATAL_ERROR_REPORTING_ENABLE)
    .union(DeviceControl::UNSUPPORTED_REQUEST_REPORTING_ENABLE);

impl Engine<'_, '_> {
    /// After a reset by the kernel, and before anything is written back by us.
    pub(super) fn look_for_evidence(&mut self) {
        let target = self.saved.as_ref().and_then(|saved| saved.function(self.action.address));
        let before = target.and_then(|saved| saved.space()).and_then(device_status);
        let Some((offset, before, reported)) = before else { return };
        if reported {
            return;
        }
        let errors = before & ERRORS;
        // All-ones is nobody answering.
        let Ok(now) = self.function(self.action.address).read_u16(offset) else { return };
        let now = DeviceStatus::from_bits_retain(now);
        if now.bits() != u16::MAX && !(errors - now).is_empty() {
            self.status_cleared = true;
        }
    }

    /// What the report says of it.
    pub(super) fn evidence(&self) -> Evidence {
        let mark = self.verification.iter().find(|check| check.what == super::direct::TOOK_EFFECT);
        if let ResetAct::Vendor { .. } = self.action.act {
            return match &self.proof {
                Some(proof) => Evidence { reset_seen: Some(true), text: proof.clone() },
                None => Evidence {
                    reset_seen: None,
                    text:
                        "the sequence went through, and nothing that the device shows tells a reset from none"
                            .to_owned(),
                },
            };
        }
        let (reset_seen, text) = match (mark, &self.action.act) {
            (Some(check), _) => (
                Some(check.ok),
                if check.ok { "Command, written before, was cleared" } else { "Command was kept" },
            ),
            (None, act) if act.is_by_kernel() && self.status_cleared => (
                Some(true),
                "an error that Device Status showed was cleared: a reset does that, and the kernel's restore does not",
            ),
            (None, act) if act.is_by_kernel() => (
                None,
                "the kernel says what it did; whether the device was reset cannot be seen, because the kernel writes \
                 back what a reset clears; `--via direct` leaves a mark that a reset must clear",
            ),
            (None, _) => (None, "the function shows no mark that could be cleared"),
        };
        Evidence { reset_seen, text: text.to_owned() }
    }
}

/// Where Device Status is, what it says, and whether the function reports errors.
fn device_status(space: ConfigSpace<'_>) -> Option<(u16, DeviceStatus, bool)> {
    let express = space.pci_express()?;
    let reported = express.device_control().intersects(REPORTS);
    Some((express.offset() + PciExpress::DEVICE_STATUS, express.device_status(), reported))
}
