//! What a plan decides, and what it says.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::*;
use vfio_reset::machine::simulated::{Behaviour, Simulated};
use vfio_reset::machine::{Attribute, ResetMethods};
use vfio_reset::method::MethodName;
use vfio_reset::plan::{Decision, Plan, Request, ResetAct, StepName, Via};
use vfio_reset::quirk::Quirks;
use vfio_reset::{Error, Inventory, Machine};

const DEVICE: &str = "0000:01:00.0";

#[test]
fn the_kernel_is_preferred_and_its_order_kept() {
    let machine = simple();
    let chosen = |machine: &dyn Machine| {
        let planned = action(machine, &Request::new(at(DEVICE)));
        (planned.via, planned.method)
    };
    assert_eq!(chosen(&machine), (Via::Kernel, MethodName::Flr));
    machine.set_attribute(at(DEVICE), Attribute::ResetMethod, "bus pm").unwrap();
    assert_eq!(chosen(&machine), (Via::Kernel, MethodName::Pm), "the standard order, not the list's");
    let none = Meddled::new(simple()).change_facts(|_, facts| facts.reset_methods = ResetMethods::NoFile);
    assert_eq!(chosen(&none), (Via::Direct, MethodName::Bus), "what the kernel does not offer needs --allow");
}

#[test]
fn a_request_narrows_what_is_looked_at() {
    let machine = simple();
    let all = plan(&machine, &Request::new(at(DEVICE)));
    assert_eq!(all.candidates.len(), 14);
    let one = plan(&machine, &request(DEVICE, MethodName::Pm, Via::Direct));
    assert_eq!(one.candidates.len(), 1);
    let method = plan(&machine, &Request::new(at(DEVICE)).method(MethodName::Bus));
    assert_eq!(method.candidates.len(), 2);
}

#[test]
fn a_plan_touches_nothing() {
    for name in Simulated::names() {
        let machine = Meddled::new(Simulated::open(name).unwrap());
        let before = image(&machine);
        for address in machine.functions().unwrap() {
            plan(&machine, &Request::new(address));
        }
        assert!(machine.writes().is_empty() && machine.attributes().is_empty());
        assert_eq!(differences(&before, &image(&machine)), [""; 0]);
    }
}

#[test]
fn what_leaves_a_device_dead_by_field_reports_comes_last_and_is_said() {
    let machine = Simulated::open("f4-424-pro").unwrap();
    let planned = plan(&machine, &Request::new(at("03:00.0")));
    let last: Vec<_> =
        planned.candidates.iter().filter(|candidate| candidate.last_resort.is_some()).collect();
    assert_eq!(last.len(), 6, "pm and bus, each by both, and what VFIO makes of them");
    assert!(planned.notes.iter().any(|note| note.contains("leaves it dead")), "{:?}", planned.notes);
    let Decision::Act(action) = planned.decision else { panic!() };
    assert!(action.remedies[0].contains("switch the host off"));
}

#[test]
fn everything_below_the_bridge_is_affected_with_groups_and_drivers() {
    let machine = Simulated::open("um880pro").unwrap();
    let planned = plan(&machine, &Request::new(at("c5:00.0")));
    let bus = planned.methods.iter().find(|method| method.availability.method == MethodName::Bus).unwrap();
    let affected: Vec<String> = bus.affects.iter().map(|other| other.address.to_string()).collect();
    assert!(affected.contains(&"0000:c5:00.1".to_string()) && affected.contains(&"0000:c5:00.3".to_string()));
    assert!(bus.affects.iter().any(|other| other.iommu_group.is_some() && other.driver.is_some()));
    assert!(!affected.contains(&"0000:c5:00.0".to_string()), "others only");
    assert!(matches!(planned.decision, Decision::Refuse { .. }), "{:?}", planned.decision);
    let explained = planned.candidates.iter().filter(|candidate| candidate.via == Via::Kernel);
    assert!(explained.clone().count() == 7 && explained.clone().all(|one| one.impossible.is_some()));
}

#[test]
fn a_bridges_own_reset_hits_all_below_it_bridges_first() {
    let planned = action(&Simulated::zoo(), &forced("0000:09:00.0", MethodName::Flr, Via::Direct));
    let order: Vec<String> =
        planned.functions.iter().map(|function| function.address.to_string()[5..].to_string()).collect();
    assert_eq!(order, ["09:00.0", "0a:00.0", "0b:00.0", "0a:01.0", "0c:00.0"]);
    assert!(planned.functions.iter().all(|function| function.is_reset));
}

#[test]
fn a_bus_reset_saves_the_bridge_that_asserts_it_and_does_not_reset_it() {
    let planned = action(&simple(), &request(DEVICE, MethodName::Bus, Via::Direct));
    let functions: Vec<_> =
        planned.functions.iter().map(|function| (function.address, function.is_reset)).collect();
    assert_eq!(functions, [(at("00:01.0"), false), (at("01:00.0"), true)]);
    let steps: Vec<_> = planned.steps.iter().map(|step| step.name).collect();
    use StepName::*;
    assert_eq!(steps, [Check, Save, Quiesce, Reset, WaitLink, WaitReady, Restore, Verify]);
    assert_eq!(planned.floor(), ms(102));
}

#[test]
fn what_does_not_answer_already_is_left_out() {
    let machine = machine(
        &(port("")
            + &endpoint(DEVICE, ALL, "driver = \"vfio-pci\"\nmulti_function = true")
            + &endpoint("0000:01:00.1", ALL, "behaviour = { all_ones = true }")),
    );
    let planned = action(&machine, &forced(DEVICE, MethodName::Bus, Via::Direct));
    assert!(planned.functions.iter().all(|function| function.address != at("01:00.1")));
    let report = reset(&machine, &forced(DEVICE, MethodName::Bus, Via::Direct));
    assert_eq!(report.outcome, vfio_reset::report::Outcome::Verified, "{report:#?}");
}

#[test]
fn another_bridge_must_be_above() {
    let zoo = Simulated::zoo();
    let inventory = Inventory::read(&zoo).unwrap();
    let mut wanted = forced("0000:0b:00.0", MethodName::Bus, Via::Direct);
    wanted.bridge = Some(at("00:04.0"));
    let error = Plan::new(&inventory, &Quirks::built_in(), &wanted).map(|_| ()).unwrap_err();
    assert!(matches!(&error, Error::NotAbove { .. }));
    assert!(error.to_string().contains("0000:0a:00.0, 0000:09:00.0, 0000:00:0c.0"), "{error}");
    wanted.bridge = Some(at("00:0c.0"));
    let planned = action(&zoo, &wanted);
    assert!(matches!(planned.act, ResetAct::SecondaryBus { bridge, .. } if bridge == at("00:0c.0")));
}

#[test]
fn a_device_that_does_not_answer_is_said_to_be_gone_and_nothing_else() {
    let machine = simple().with(DEVICE, Behaviour::all_ones());
    let planned = plan(&machine, &Request::new(at(DEVICE)));
    assert!(matches!(planned.decision, Decision::NotPresent));
    assert!(planned.candidates.iter().all(|candidate| !candidate.is_usable()), "{:#?}", planned.candidates);
}

#[test]
fn a_function_without_any_way_has_no_method_and_every_reason() {
    let machine = machine(&endpoint("0000:00:02.0", "", ""));
    let planned = plan(&machine, &Request::new(at("00:02.0")));
    assert!(matches!(planned.decision, Decision::NoMethod));
    assert_eq!(planned.exit_code(), Some(4));
    assert!(planned.candidates.iter().all(|candidate| candidate.impossible.is_some()));
}

#[test]
fn plans_are_values_that_can_be_compared() {
    let request = request(DEVICE, MethodName::Flr, Via::Direct);
    assert_eq!(action(&simple(), &request), action(&simple(), &request));
}

#[test]
fn users_own_quirks_count_like_the_built_in_ones() {
    let machine = simple();
    let text = "schema = 1\n[[quirk]]\neffect = \"no_flr\"\nvendor = \"1234\"\ndevices = [\"5678\"]\nwhy = \"mine hangs\"\nsource = \"me\"\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("my.toml"), text).unwrap();
    let quirks = Quirks::load(folder.path()).unwrap();
    let inventory = Inventory::read(&machine).unwrap();
    let planned = Plan::new(&inventory, &quirks, &request(DEVICE, MethodName::Flr, Via::Direct)).unwrap();
    let Decision::Refuse { refusals, .. } = planned.decision else { panic!() };
    assert!(refusals[0].reason.contains("mine hangs"));
}
