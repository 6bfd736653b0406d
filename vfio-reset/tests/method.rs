//! Why a method is available, or is not: each of the kernel's rules.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::*;
use pcicfg::header::Presence;
use std::io::Write as _;
use vfio_reset::Machine;
use vfio_reset::machine::captured::Captured;
use vfio_reset::machine::simulated::{Behaviour, Simulated};
use vfio_reset::machine::{Attribute, ResetMethods};
use vfio_reset::method::{MethodName, Reason};

const DEVICE: &str = "0000:01:00.0";
const EXPRESS: &str = "{ pci_express = { flr = true } },";

fn below(device: &str) -> Simulated {
    machine(&(port("") + device))
}

fn reason(machine: &dyn Machine, method: MethodName) -> Reason {
    availability_of(machine, DEVICE, method).reason
}

fn unknown(machine: Simulated) -> Meddled {
    Meddled::new(machine).change_facts(|_, facts| facts.reset_methods = ResetMethods::Unknown)
}

#[test]
fn flr_needs_its_bit_in_device_capabilities() {
    let yes = below(&endpoint(DEVICE, EXPRESS, ""));
    let flr = availability_of(&yes, DEVICE, MethodName::Flr);
    assert!(flr.listed && flr.available && !flr.stale);
    assert!(matches!(flr.reason, Reason::Announced(_)));

    let no = below(&endpoint(DEVICE, "{ pci_express = {} },", ""));
    assert!(matches!(reason(&no, MethodName::Flr), Reason::NotAnnounced(_)));
    let none = below(&endpoint(DEVICE, "", ""));
    assert_eq!(reason(&none, MethodName::Flr), Reason::NoCapability("PCI Express"));
    assert!(!availability_of(&none, DEVICE, MethodName::Flr).available);
}

#[test]
fn the_quirk_against_flr_covers_both_kinds() {
    let both = "{ pci_express = { flr = true } }, { advanced_features = { flr = true } },";
    let machine = below(&device(DEVICE, 0x8086, 0x1502, 0x020000, both, ""));
    for method in [MethodName::Flr, MethodName::AfFlr] {
        let found = availability_of(&machine, DEVICE, method);
        assert!(!found.available && !found.listed, "{found:?}");
        assert!(matches!(&found.reason, Reason::Quirk(why) if why.contains("82579")), "{found:?}");
    }
    // A quirk takes away what is there: without the capability, that is the reason.
    let machine = below(&device(DEVICE, 0x8086, 0x1502, 0x020000, "", ""));
    assert_eq!(reason(&machine, MethodName::Flr), Reason::NoCapability("PCI Express"));
    assert_eq!(reason(&machine, MethodName::AfFlr), Reason::NoCapability("Advanced Features"));
}

#[test]
fn advanced_features_must_announce_both_flr_and_pending_transactions() {
    for (bits, available) in [("00", false), ("01", false), ("02", false), ("03", true)] {
        let raw = format!("{{ raw = {{ id = 0x13, bytes = \"06 {bits} 00 00\" }} }},");
        let machine = below(&endpoint(DEVICE, &raw, ""));
        let found = availability_of(&machine, DEVICE, MethodName::AfFlr);
        assert_eq!(found.available, available, "{bits}");
        assert_eq!(matches!(found.reason, Reason::Announced(_)), available, "{found:?}");
        assert_eq!(matches!(found.reason, Reason::NotAnnounced(_)), !available, "{found:?}");
    }
}

#[test]
fn pm_needs_no_soft_reset_clear() {
    let clear = below(&endpoint(DEVICE, "{ power_management = {} },", ""));
    assert!(availability_of(&clear, DEVICE, MethodName::Pm).available);
    let set = below(&endpoint(DEVICE, "{ power_management = { no_soft_reset = true } },", ""));
    assert_eq!(reason(&set, MethodName::Pm), Reason::KeepsState);
    let none = below(&endpoint(DEVICE, "", ""));
    assert_eq!(reason(&none, MethodName::Pm), Reason::NoCapability("Power Management"));
}

#[test]
fn an_amd_display_has_no_pm_reset_unless_it_is_on_a_root_bus() {
    let pm = "{ power_management = {} },";
    let card = below(&device(DEVICE, 0x1002, 0x73bf, 0x030000, pm, ""));
    assert!(matches!(reason(&card, MethodName::Pm), Reason::Quirk(_)));
    let other = below(&device(DEVICE, 0x1002, 0x73bf, 0x038000, pm, ""));
    assert!(availability_of(&other, DEVICE, MethodName::Pm).available, "another class");
    let integrated = machine(&device("0000:00:02.0", 0x1002, 0x73bf, 0x030000, pm, ""));
    assert!(availability_of(&integrated, "0000:00:02.0", MethodName::Pm).available);
}

#[test]
fn bus_needs_a_bridge_above() {
    let machine = machine(&endpoint("0000:00:02.0", "", ""));
    let bus = availability_of(&machine, "0000:00:02.0", MethodName::Bus);
    assert_eq!((bus.available, bus.reason), (false, Reason::RootBus));
}

#[test]
fn bus_is_for_a_function_that_is_alone_below_its_bridge() {
    let machine = below(&endpoint(DEVICE, "", ""));
    let bus = availability_of(&machine, DEVICE, MethodName::Bus);
    assert_eq!((bus.available, bus.reason), (true, Reason::AloneBelow(at("00:01.0"))));
}

#[test]
fn with_siblings_bus_is_stale_for_the_first_and_absent_for_the_others() {
    for unknown_list in [false, true] {
        let machine = below(
            &(endpoint(DEVICE, EXPRESS, "multi_function = true") + &endpoint("0000:01:00.1", EXPRESS, "")),
        );
        let machine = if unknown_list { unknown(machine) } else { Meddled::new(machine) };
        let first = availability_of(&machine, DEVICE, MethodName::Bus);
        assert!(first.listed && first.stale && !first.available, "{first:?}");
        assert_eq!(first.reason, Reason::Stale(Box::new(Reason::Siblings(vec![at("01:00.1")]))));
        assert!(first.reason.to_string().contains("ENOTTY"));
        let second = availability_of(&machine, "0000:01:00.1", MethodName::Bus);
        assert!(!second.listed && !second.stale && !second.available, "{second:?}");
        assert_eq!(second.reason, Reason::Siblings(vec![at("01:00.0")]));
    }
}

#[test]
fn a_function_that_was_found_anew_after_its_siblings_lists_no_stale_bus() {
    let machine = below(
        &(endpoint(DEVICE, "", "multi_function = true\nrescanned = true")
            + &endpoint("0000:01:00.1", EXPRESS, "")),
    );
    let bus = availability_of(&machine, DEVICE, MethodName::Bus);
    assert_eq!((bus.listed, bus.stale), (false, false));
}

#[test]
fn a_bridge_lists_bus_and_cannot_use_it() {
    for unknown_list in [false, true] {
        let machine = machine(
            &(bridge("0000:00:01.0", 1, 2, "root_port", "")
                + &bridge("0000:01:00.0", 2, 2, "upstream_port", "")
                + &endpoint("0000:02:00.0", "", "")),
        );
        let machine = if unknown_list { unknown(machine) } else { Meddled::new(machine) };
        let bus = availability_of(&machine, DEVICE, MethodName::Bus);
        assert!(bus.listed && bus.stale && !bus.available, "{bus:?}");
        assert_eq!(bus.reason, Reason::Stale(Box::new(Reason::IsBridge)));
    }
}

#[test]
fn a_hot_plug_slot_may_hold_virtual_functions_and_be_reset() {
    let zoo = Simulated::zoo();
    for (address, port) in
        [("0000:03:00.0", "00:06.0"), ("0000:04:00.0", "00:07.0"), ("0000:04:00.1", "00:07.0")]
    {
        let bus = availability_of(&zoo, address, MethodName::Bus);
        assert!(bus.available, "{address} {bus:?}");
        assert_eq!(bus.reason, Reason::Slot(at(port)), "{address}");
    }
    // This one's device number is not 0, so it is in no slot.
    let bus = availability_of(&zoo, "0000:03:10.0", MethodName::Bus);
    assert!(!bus.listed && matches!(bus.reason, Reason::Siblings(_)), "{bus:?}");
}

#[test]
fn the_quirk_against_bus_resets_takes_the_method_away() {
    for (vendor, id) in [(0x168c, 0x003c), (0x10de, 0x2350), (0x1b21, 0x1164), (0x17cb, 0x1103)] {
        let machine = below(&device(DEVICE, vendor, id, 0x028000, EXPRESS, ""));
        let bus = availability_of(&machine, DEVICE, MethodName::Bus);
        assert!(!bus.available && !bus.listed, "{bus:?}");
        assert!(matches!(bus.reason, Reason::Quirk(_)), "{bus:?}");
        assert!(availability_of(&machine, DEVICE, MethodName::Flr).available);
    }
}

#[test]
fn what_the_kernel_lists_decides_and_a_prediction_only_where_nobody_asked_it() {
    let machine = below(&endpoint(DEVICE, ALL, ""));
    machine.set_attribute(at(DEVICE), Attribute::ResetMethod, "pm").unwrap();
    let flr = availability_of(&machine, DEVICE, MethodName::Flr);
    assert!(!flr.available && matches!(flr.reason, Reason::NotListed(_)), "{flr:?}");
    assert!(availability_of(&machine, DEVICE, MethodName::Pm).available);

    let predicted = unknown(machine);
    for method in [MethodName::Flr, MethodName::AfFlr, MethodName::Pm, MethodName::Bus] {
        assert!(availability_of(&predicted, DEVICE, method).available, "{method}");
    }
    let none = Meddled::new(predicted.inner)
        .change_facts(|_, facts| facts.reset_methods = ResetMethods::Listed(Vec::new()));
    assert!(availability(&none, DEVICE).iter().all(|one| !one.available && !one.listed));
    let no_file =
        Meddled::new(none.inner).change_facts(|_, facts| facts.reset_methods = ResetMethods::NoFile);
    assert!(availability(&no_file, DEVICE).iter().all(|one| !one.available && !one.listed));
}

#[test]
fn a_kernel_that_lists_more_than_the_rules_allow_is_believed_but_for_bus() {
    let listed = "reset_methods = [\"acpi\", \"flr\", \"pm\"]";
    let machine = below(&endpoint(DEVICE, "{ power_management = { no_soft_reset = true } },", listed));
    assert_eq!(reason(&machine, MethodName::Acpi), Reason::KernelSays);
    for method in [MethodName::Acpi, MethodName::Flr, MethodName::Pm] {
        assert!(availability_of(&machine, DEVICE, method).available, "{method}");
    }
    assert!(matches!(reason(&machine, MethodName::Pm), Reason::ListedDespite(_)));
}

#[test]
fn a_device_specific_sequence_is_found_by_id_and_may_need_flr() {
    for (capabilities, available) in [(EXPRESS, true), ("{ pci_express = {} },", false)] {
        let machine = unknown(below(&device(DEVICE, 0x144d, 0xa804, 0x010802, capabilities, "")));
        let found = availability_of(&machine, DEVICE, MethodName::DeviceSpecific);
        assert_eq!(found.available, available, "{found:?}");
    }
    let other = below(&endpoint(DEVICE, EXPRESS, ""));
    assert!(matches!(reason(&other, MethodName::DeviceSpecific), Reason::NothingKnown(_)));
}

#[test]
fn cxl_bus_is_for_what_is_below_a_cxl_port() {
    let dvsec = "  { raw_extended = { id = 0x23, bytes = \"981e0001 0300 0000 0000 0000 0000 0000\" } },\n";
    for (is_port, available) in [(true, true), (false, false)] {
        let more = if is_port { dvsec } else { "" };
        let text = port("").replace("  \"aer\",\n", &format!("  \"aer\",\n{more}"));
        let machine = unknown(machine(&(text + &endpoint(DEVICE, EXPRESS, ""))));
        let found = availability_of(&machine, DEVICE, MethodName::CxlBus);
        assert_eq!(found.available, available, "{found:?}");
    }
}

#[test]
fn nothing_is_available_on_a_device_that_does_not_answer() {
    let gone = simple().with(DEVICE, Behaviour::all_ones());
    for one in availability(&gone, DEVICE) {
        assert!(!one.available, "{one:?}");
        let inner = match one.reason {
            Reason::Stale(inner) => *inner,
            other => other,
        };
        assert_eq!(inner, Reason::NotPresent(Presence::Absent));
    }
    // While it is not ready it says so where software sees Request Retry Status.
    let late = machine(&(port(", rrs_software_visibility = true") + &endpoint(DEVICE, ALL, "")));
    let control = express(&late, DEVICE) + 8;
    late.write_config(at(DEVICE), control, &0x8000_u16.to_le_bytes()).unwrap();
    let flr = availability_of(&late, DEVICE, MethodName::Flr);
    assert_eq!((flr.available, flr.reason), (false, Reason::NotPresent(Presence::RequestRetryStatus)));
}

#[test]
fn a_recording_without_the_bridge_says_so() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let rows: String = (1..4).map(|row| format!("{row}0: {}\n", ["00"; 16].join(" "))).collect();
    writeln!(file, "03:00.0 x\n00: 34 12 78 56 06 00 00 00 00 00 00 01 00 00 00 00\n{rows}").unwrap();
    let machine = Captured::open(file.path()).unwrap();
    let bus = availability_of(&machine, "03:00.0", MethodName::Bus);
    assert_eq!((bus.available, bus.reason), (false, Reason::UnknownBridge));
}

#[test]
fn the_methods_are_the_kernels_in_the_kernels_order() {
    let names: Vec<_> = availability(&simple(), DEVICE).iter().map(|one| one.method.as_str()).collect();
    assert_eq!(names, ["device_specific", "acpi", "flr", "af_flr", "pm", "bus", "cxl_bus"]);
    for name in names {
        assert_eq!(name.parse::<MethodName>().unwrap().as_str(), name);
    }
    assert!("hot".parse::<MethodName>().unwrap_err().contains("cxl_bus"));
}

#[test]
fn the_igpu_of_um880pro_has_no_method_and_each_has_its_reason() {
    let machine = Simulated::open("um880pro").unwrap();
    let all = availability(&machine, "0000:c5:00.0");
    assert!(all.iter().all(|one| !one.available && !one.stale));
    let of = |method: MethodName| &all[method as usize].reason;
    assert!(matches!(of(MethodName::Flr), Reason::NotAnnounced(_)));
    assert!(matches!(of(MethodName::Pm), Reason::Quirk(_)));
    assert!(matches!(of(MethodName::Bus), Reason::Siblings(others) if others.len() >= 4));
}
