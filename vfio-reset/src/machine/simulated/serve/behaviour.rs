//! What of a behaviour has no effect on a function that is served.

use crate::machine::simulated::faults::SlotPower;
use crate::machine::simulated::{Behaviour, ResetKind};

/// Says of each such key why. Everything that is a bridge's or the kernel's is the virtual machine's own.
pub(super) fn without_effect(behaviour: &Behaviour) -> Vec<String> {
    // A new key must be thought of here.
    let Behaviour {
        ready_after_ms,
        dies_on,
        reset_does_nothing,
        link_dies,
        link_speed_after,
        link_width_after,
        link_up_after_ms,
        slot_power,
        windows_corrupt_after_reset,
        vfio,
        not_ready: _,
        pending_transactions: _,
        header_7f: _,
        all_ones: _,
        d3hot_delay_ms: _,
    } = behaviour;
    let cycle = &ResetKind::PowerCycle;
    let of_the_power =
        ready_after_ms.contains_key(cycle) || dies_on.contains(cycle) || reset_does_nothing.contains(cycle);
    let bridge = "the bridge's, which the virtual machine brings";
    let keys = [
        (*link_dies, "link_dies", bridge),
        (link_speed_after.is_some(), "link_speed_after", bridge),
        (link_width_after.is_some(), "link_width_after", bridge),
        (link_up_after_ms.is_some(), "link_up_after_ms", bridge),
        (*windows_corrupt_after_reset, "windows_corrupt_after_reset", bridge),
        (*slot_power == SlotPower::Off, "slot_power", "the slot's, which the virtual machine brings"),
        (of_the_power, "power_cycle", "the slot's, which the virtual machine brings"),
        (!vfio.is_empty(), "vfio", "the kernel's, and the virtual machine has its own"),
    ];
    let told = keys.into_iter().filter(|(is_set, ..)| *is_set);
    told.map(|(_, key, whose)| format!("{key} is {whose}")).collect()
}
