//! Says in plain words what happened to a function that is not back, and what is next.

use super::Engine;
use crate::machine::Attribute;
use crate::plan::{ResetAct, Via};
use crate::report::Outcome;
use pcicfg::capability::LinkStatus;
use pcicfg::header::Presence;
use pcicfg::{Address, ConfigRead, ConfigSpace};

impl Engine<'_, '_> {
    /// What a function that does not answer looks like, from itself and from the port above it.
    pub(super) fn describe_silence(&self, id: u32) -> String {
        match Presence::of(id) {
            Presence::Absent => "its registers read all-ones".to_string(),
            Presence::RequestRetryStatus => {
                "it answers with Request Retry Status (vendor 0001): alive, but not ready".to_string()
            }
            Presence::Present => {
                format!("it answers with other ids, {:04x}:{:04x}", id & 0xffff, id >> 16)
            }
        }
    }

    /// What the port above says of link and slot, of a function that does not answer.
    pub(super) fn findings(&self, outcome: Outcome) -> Option<String> {
        match outcome {
            Outcome::Lost | Outcome::NotTouched => self.describe_port(self.action.port?),
            // While the kernel waits it holds the port, and an access to it would wait too.
            _ => None,
        }
    }

    fn describe_port(&self, port: Address) -> Option<String> {
        let config = self.machine.config(port).ok()?;
        let space = ConfigSpace::new(&config).ok()?;
        let express = space.pci_express()?;
        if express.slot_power_on() == Some(false) {
            return Some(format!(
                "the slot below {port} is switched off (Slot Control, Power Controller Control)"
            ));
        }
        let status = express.link_status()?;
        if !express.data_link_layer_link_active_reporting_capable() {
            return None;
        }
        Some(if status.contains(LinkStatus::DATA_LINK_LAYER_LINK_ACTIVE) {
            format!(
                "the link below {port} is up (LnkSta {:04x}): the device is there, and its configuration space is not",
                status.bits()
            )
        } else {
            format!(
                "the link below {port} is down (LnkSta {:04x}, Data Link Layer Link Active clear)",
                status.bits()
            )
        })
    }

    /// What to do now.
    pub(super) fn next(&self, outcome: Outcome) -> Vec<String> {
        let address = self.action.address;
        let mut next = Vec::new();
        match outcome {
            Outcome::Verified | Outcome::NotNeeded => return next,
            Outcome::KernelStillWaiting => {
                next.push(format!(
                    "the kernel goes on waiting for {address}, for up to {} s in all, and that cannot be cancelled; \
                     until then every other reset of it waits too",
                    self.action.method.method().ceiling.as_secs()
                ));
                next.push(format!(
                    "look at {address} again then (`show`): it may be late, or it may be lost"
                ));
                if self.action.via == Via::Vfio {
                    next.push(format!(
                        "if it is back, have the kernel set it up anew (echo 1 > remove, then rescan), or give it to a \
                         driver that does; next time `vfio-reset save {address}` first"
                    ));
                }
                next.extend(self.action.remedies.iter().map(|remedy| format!("if it is lost: {remedy}")));
            }
            Outcome::Lost => {
                next.extend(self.action.remedies.iter().cloned());
                next.extend(self.advice.iter().cloned());
                if next.is_empty() {
                    next.push(format!(
                        "do not repeat {} on it; try to remove {address} and rescan the bus, then suspend the host, \
                         then switch the host off and on (power cycle needed if none helps)",
                        self.action.method
                    ));
                }
                next.push(format!("do not give {address} to a virtual machine until it answers again"));
            }
            Outcome::Unproven => {
                next.push(format!(
                    "what {address} was asked for leaves no trace that could be seen: give it to its user, and if the \
                     driver there does not get it to work, it was not reset"
                ));
                next.extend(self.advice.iter().map(|advice| format!("then: {advice}")));
            }
            Outcome::Different if self.options.skip_restore => next.push(
                "the restore step was left out on request: `vfio-reset restore` brings the saved state back"
                    .to_string(),
            ),
            Outcome::Different => {
                if self.removed {
                    next.push(
                        "the kernel took what it removed for unplugged: `echo 1 > /sys/bus/pci/rescan` has it look again"
                            .to_string(),
                    );
                }
                next.push(match self.action.locked_down && self.action.act.is_by_kernel() {
                    true => format!(
                        "{address} answers, but not as before: writing the rest back needs what lockdown forbids; have \
                         the kernel set it up anew (echo 1 > remove, then rescan), or boot without lockdown"
                    ),
                    false => format!(
                        "{address} answers, but not as before: see the differences; reset it once more, or have the \
                         kernel set it up anew (echo 1 > remove, then rescan)"
                    ),
                });
            }
            Outcome::NotTouched => {
                next.push(format!("find out why {address} does not answer as planned, then plan again"));
            }
            Outcome::NoMethod if !self.advice.is_empty() => next.extend(self.advice.iter().cloned()),
            Outcome::NoMethod => next.push(match self.action.via {
                Via::Kernel => {
                    "`plan` shows the methods that work; `echo default > reset_method` has the kernel look \
                                again"
                        .to_string()
                }
                Via::Vfio | Via::Direct => {
                    format!("`plan` shows the other methods for {address}, and what speaks against each")
                }
            }),
            Outcome::Failed if !self.advice.is_empty() => next.extend(self.advice.iter().cloned()),
            Outcome::Failed => next.push(
                "look at the kernel log, then at what `show` says, before anyone uses the device".to_string(),
            ),
        }
        next
    }

    /// The current list of methods, for a message.
    pub(super) fn method_list(&self) -> Option<String> {
        self.machine.attribute(self.action.address, Attribute::ResetMethod).ok().flatten()
    }

    /// How the reset is called in a sentence.
    pub(super) fn deed(&self) -> String {
        let what = match self.action.act {
            ResetAct::SecondaryBus { bridge, .. } => format!("a secondary bus reset at {bridge}"),
            ResetAct::Vendor { family } => format!("the vendor sequence {}", family.name),
            _ => format!("{} reset", self.action.method),
        };
        match self.action.via {
            Via::Kernel => format!("{what} by the kernel"),
            Via::Vfio => format!("{} through VFIO", self.action.method),
            Via::Direct => what,
        }
    }

    /// The target's id dword as it reads now; all-ones if it cannot be read.
    pub(super) fn target_id(&self) -> u32 {
        self.function(self.action.address).read_u32(0).unwrap_or(u32::MAX)
    }
}
