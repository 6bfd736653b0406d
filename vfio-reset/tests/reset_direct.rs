//! Resets by our own writes to configuration space, on simulated machines.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::*;
use proptest::prelude::*;
use std::time::Duration;
use vfio_reset::machine::simulated::faults::{NotReady, SlotPower};
use vfio_reset::machine::simulated::{Behaviour, ResetKind, Simulated};
use vfio_reset::machine::{Attribute, Clock, ResetMethods};
use vfio_reset::method::MethodName;
use vfio_reset::plan::{Decision, PlannedFunction, Request, StepName, Via};
use vfio_reset::report::Outcome;
use vfio_reset::reset::Options;
use vfio_reset::state::header::BridgeHeaders;
use vfio_reset::{Error, Inventory, Machine, Plan};

const DIRECT: [MethodName; 4] = [MethodName::Flr, MethodName::AfFlr, MethodName::Pm, MethodName::Bus];
const DEVICE: &str = "0000:01:00.0";
const PORT: &str = "0000:00:01.0";
const BRIDGE_CONTROL: u16 = 0x3e;
const SECONDARY_BUS_RESET: u16 = 0x40;

/// Every way to reset any function of any shipped machine by ourselves, what can be overridden being
/// overridden. Without the functions that are known to die of it: the one that the plan says it of, and what is
/// there to show it: the Navi cards of `radeons`, and all of `broken`.
fn every_direct_way() -> Vec<(&'static str, String, MethodName)> {
    let mut ways = Vec::new();
    for name in Simulated::names().into_iter().filter(|&name| name != "broken") {
        let machine = Simulated::open(name).unwrap();
        for address in machine.functions().unwrap() {
            for method in DIRECT {
                let address = address.to_string();
                let planned = plan(&machine, &forced(&address, method, Via::Direct));
                let warned = planned.candidates.iter().any(|candidate| candidate.last_resort.is_some());
                let Decision::Act(action) = planned.decision else { continue };
                let is_navi = |planned: &PlannedFunction| planned.is_reset && planned.ids == (0x1002, 0x731f);
                if !warned && !action.functions.iter().any(is_navi) {
                    ways.push((name, address, method));
                }
            }
        }
    }
    ways
}

#[test]
fn every_shipped_device_comes_back_from_every_direct_method_as_it_was() {
    let ways = every_direct_way();
    assert!(ways.len() > 100, "{}", ways.len());
    let mut wrong = Vec::new();
    for (name, address, method) in ways {
        let machine = Simulated::open(name).unwrap();
        let before = image(&machine);
        let report = reset(&machine, &forced(&address, method, Via::Direct));
        if report.outcome != Outcome::Verified {
            wrong.push(format!("{name} {address} {method}: {report:#?}"));
        }
        let changed = differences(&before, &image(&machine));
        if !changed.is_empty() {
            wrong.push(format!("{name} {address} {method}: {changed:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_direct_reset_takes_at_most_a_millisecond_more_than_it_must() {
    let mut wrong = Vec::new();
    for (name, address, method) in every_direct_way() {
        let machine = Simulated::open(name).unwrap();
        let request = forced(&address, method, Via::Direct);
        let planned = action(&machine, &request);
        let floor = planned.floor();
        let report = reset(&machine, &request);
        // What is below a bridge that resets itself is waited for as long as it takes: 20 ms for the
        // link and 50 to be ready, less what the bridge took.
        let is_bridge = planned.functions.iter().any(|function| function.parent == Some(planned.address));
        let late = if is_bridge && method != MethodName::Bus { ms(70) } else { Duration::ZERO };
        let link = report.step(StepName::WaitLink).map_or(Duration::ZERO, |step| step.time);
        let excess = (report.total() - link).saturating_sub(floor);
        if excess > ms(1) + late || link > ms(21) {
            let steps: Vec<_> =
                report.steps.iter().map(|step| format!("{} {:?}", step.name, step.excess())).collect();
            wrong.push(format!("{name} {address} {method}: {excess:?}, link {link:?}: {steps:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// --- waiting ------------------------------------------------------------------------------------

#[test]
fn a_device_that_answers_late_is_waited_for_and_restored() {
    for not_ready in [NotReady::Rrs, NotReady::AllOnes] {
        for method in DIRECT {
            let machine = simple().with(DEVICE, Behaviour { not_ready, ..Behaviour::ready_after(ms(3_500)) });
            let before = image(&machine);
            let report = reset(&machine, &request(DEVICE, method, Via::Direct));
            assert_eq!(report.outcome, Outcome::Verified, "{method} {not_ready:?}: {report:#?}");
            assert_eq!(differences(&before, &image(&machine)), [""; 0], "{method}");
            assert!(report.total() < ms(3_500 + 60), "{method}: {:?}", report.total());
            assert!(report.total() > ms(3_450), "{method}: {:?}", report.total());
        }
    }
}

#[test]
fn request_retry_status_is_not_an_answer_where_software_sees_it() {
    let machine = machine(
        &(port(", rrs_software_visibility = true") + &endpoint(DEVICE, ALL, "driver = \"vfio-pci\"")),
    )
    .with(DEVICE, Behaviour::ready_after(ms(2_000)));
    let before = image(&machine);
    let mut ids = Vec::new();
    let planned = action(&machine, &request(DEVICE, MethodName::Flr, Via::Direct));
    let report = vfio_reset::reset::reset(&machine, &planned, Options::default(), &mut |event| {
        if let vfio_reset::reset::Event::Waiting { id, .. } = event {
            ids.push(id);
        }
    })
    .unwrap();
    assert_eq!(report.outcome, Outcome::Verified);
    assert_eq!(ids, [0xffff_0001], "the retry status was seen, once in the second second");
    assert_eq!(differences(&before, &image(&machine)), [""; 0]);
}

#[test]
fn a_device_that_never_returns_is_lost_within_the_budget_and_the_report_says_so() {
    for (method, kind) in [
        (MethodName::Flr, ResetKind::FunctionLevel),
        (MethodName::AfFlr, ResetKind::AdvancedFeatures),
        (MethodName::Pm, ResetKind::D3hotToD0),
        (MethodName::Bus, ResetKind::Conventional),
    ] {
        let machine = simple().with(DEVICE, Behaviour::dies_on(kind));
        let start = machine.now();
        let budget = ms(5_000);
        let report = reset(&machine, &Request { budget, ..request(DEVICE, method, Via::Direct) });
        assert_eq!(report.outcome, Outcome::Lost, "{method}: {report:#?}");
        assert_eq!(report.outcome.exit_code(), 6);
        let took = machine.now() - start;
        assert!(took >= budget && took < budget + ms(20), "{method}: {took:?}");
        let said = text(&report, StepName::WaitReady);
        assert!(said.contains("did not come back") && said.contains("all-ones"), "{said}");
        assert!(report.next.iter().any(|next| next.contains("power cycle")), "{:?}", report.next);
        assert!(report.notes.iter().any(|note| note.contains("is up")), "{:?}", report.notes);
        assert!(report.verification.is_empty());
        assert_eq!(word(&machine, PORT, BRIDGE_CONTROL) & SECONDARY_BUS_RESET, 0);
    }
}

#[test]
fn a_device_that_takes_the_link_with_it_is_lost_after_a_second() {
    let machine =
        simple().with(DEVICE, Behaviour { link_dies: true, ..Behaviour::dies_on(ResetKind::Conventional) });
    let report = reset(&machine, &request(DEVICE, MethodName::Bus, Via::Direct));
    assert_eq!(report.outcome, Outcome::Lost);
    assert!(text(&report, StepName::WaitLink).contains("did not come up"), "{report:#?}");
    assert!(report.notes.iter().any(|note| note.contains("is down")), "{:?}", report.notes);
    // What was touched at the port is put right all the same.
    assert_eq!(word(&machine, PORT, BRIDGE_CONTROL) & SECONDARY_BUS_RESET, 0);
}

#[test]
fn other_ids_than_before_are_no_return() {
    // A card that comes back as another one: a reset loads the other image's ids from the machine.
    let other = simple();
    let machine = Meddled::new(simple());
    let planned = action(&machine, &request(DEVICE, MethodName::Flr, Via::Direct));
    let mut changed = planned.clone();
    changed.functions[0].ids = (0x1234, 0x9999);
    let report = vfio_reset::reset::reset(&other, &changed, Options::default(), &mut |_| {}).unwrap();
    assert_eq!(report.outcome, Outcome::NotTouched);
    assert!(text(&report, StepName::Check).contains("1234:9999"), "{report:#?}");
    assert_eq!(differences(&image(&machine), &image(&other)), [""; 0]);
}

#[test]
fn immediate_readiness_is_believed() {
    let flr = r#"{ pci_express = { flr = true, max_speed = 3, max_width = 4 } }"#;
    let dump = |immediate: bool| {
        let machine = machine(&(port("") + &endpoint(DEVICE, flr, "driver = \"vfio-pci\"")));
        let mut config = machine.config(at(DEVICE)).unwrap();
        config[6] |= u8::from(immediate);
        let rows: Vec<String> = config
            .chunks(16)
            .enumerate()
            .map(|(row, bytes)| {
                let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{:02x}: {}", row * 16, bytes.join(" "))
            })
            .collect();
        format!(
            "\n[[function]]\naddress = \"{DEVICE}\"\ndriver = \"vfio-pci\"\nbar_sizes = [0x1000]\nconfig = '''\n{}\n'''\n",
            rows.join("\n")
        )
    };
    for (immediate, least, most) in [(false, ms(100), ms(101)), (true, ms(0), ms(1))] {
        let machine = machine(&(port("") + &dump(immediate)));
        let report = reset(&machine, &request(DEVICE, MethodName::Flr, Via::Direct));
        assert_eq!(report.outcome, Outcome::Verified);
        let total = report.total();
        assert!(least <= total && total <= most, "{immediate}: {total:?}");
    }
}

#[test]
fn readiness_time_reporting_shortens_the_wait() {
    let reporting = format!(
        "{ALL} {{ readiness_time_reporting = {{ reset_ms = 30, flr_ms = 10, d3hot_to_d0_ms = 2 }} }},"
    );
    let ready = "driver = \"vfio-pci\"\nbehaviour = { ready_after_ms = { flr = 5, bus = 20 } }";
    let machine = || machine(&(port("") + &endpoint(DEVICE, &reporting, ready)));
    for (method, least, most) in [
        (MethodName::Flr, 10, 12),
        // Training takes 20 ms, holding 2, the device 30.
        (MethodName::Bus, 52, 54),
    ] {
        let machine = machine();
        let report = reset(&machine, &request(DEVICE, method, Via::Direct));
        assert_eq!(report.outcome, Outcome::Verified);
        let total = report.total();
        assert!(ms(least) <= total && total <= ms(most), "{method}: {total:?}");
    }
}

#[test]
fn pending_transactions_are_waited_for_and_then_given_up() {
    for method in [MethodName::Flr, MethodName::AfFlr] {
        let machine = simple().with(DEVICE, Behaviour { pending_transactions: true, ..Behaviour::default() });
        let report = reset(&machine, &request(DEVICE, method, Via::Direct));
        assert_eq!(report.outcome, Outcome::Verified, "{report:#?}");
        let quiesce = report.step(StepName::Quiesce).unwrap();
        assert!(quiesce.time >= ms(700) && quiesce.time < ms(701), "{:?}", quiesce.time);
        assert!(report.notes.iter().any(|note| note.contains("transactions were still pending")));
    }
}

#[test]
fn a_sleeping_device_is_woken_first_and_sleeps_again_in_the_end() {
    for method in DIRECT {
        let asleep = ALL.replace("{ power_management = {} }", "{ power_management = { state = 3 } }");
        let machine = machine(&(port("") + &endpoint(DEVICE, &asleep, "driver = \"vfio-pci\"")));
        let before = image(&machine);
        let report = reset(&machine, &request(DEVICE, method, Via::Direct));
        assert_eq!(report.outcome, Outcome::Verified, "{method}: {report:#?}");
        let restored = &report.step(StepName::Restore).unwrap().text;
        assert!(restored.ends_with("in D3hot again"), "{method}: {restored}");
        let changed = differences(&before, &image(&machine));
        assert!(changed.is_empty(), "{method}: {changed:?}");
    }
}

// --- the port above -----------------------------------------------------------------------------

fn hot_plug_port() -> Simulated {
    machine(
        &(port(", slot = 1, hot_plug = true, slot_control = 0x1038")
            + &endpoint(DEVICE, ALL, "driver = \"vfio-pci\"\nnative_driver = \"nvme\"")),
    )
}

#[test]
fn hot_plug_notification_is_off_while_the_link_is_down() {
    let machine = Meddled::new(hot_plug_port());
    let slot_control = express(&machine, PORT) + 0x18;
    let report = reset(&machine, &request(DEVICE, MethodName::Bus, Via::Direct));
    assert_eq!(report.outcome, Outcome::Verified, "{report:#?}");
    machine.inner.sleep(ms(10_000));
    let facts = machine.facts(at(DEVICE)).unwrap();
    assert_eq!(facts.driver.as_deref(), Some("vfio-pci"), "the kernel's object is the same");
    assert_eq!(word(&machine, PORT, slot_control), 0x1038, "and notification is on again");
    let log: Vec<_> = machine.kernel_log(Default::default()).unwrap();
    assert!(log.iter().all(|line| !line.text.contains("Link Down")), "{log:#?}");
    // It goes off before the reset, and on after everything else.
    let writes = machine.writes();
    let slot: Vec<_> =
        writes.iter().enumerate().filter(|(_, write)| write.byte(PORT, slot_control).is_some()).collect();
    let reset = writes
        .iter()
        .position(|write| write.byte(PORT, BRIDGE_CONTROL).is_some_and(|byte| byte & 0x40 != 0))
        .unwrap();
    assert!(slot[0].0 < reset && slot[0].1.bytes == [0, 0], "{slot:?}");
    assert_eq!(slot.last().unwrap().0, writes.len() - 1);
}

#[test]
fn with_notification_left_on_the_kernel_would_take_the_device_for_unplugged() {
    // What the test above would see if the engine forgot: the same writes by hand.
    let machine = hot_plug_port();
    let control = word(&machine, PORT, BRIDGE_CONTROL);
    machine.write_config(at(PORT), BRIDGE_CONTROL, &(control | 0x40).to_le_bytes()).unwrap();
    machine.sleep(ms(2));
    machine.write_config(at(PORT), BRIDGE_CONTROL, &control.to_le_bytes()).unwrap();
    machine.sleep(ms(10_000));
    assert_eq!(machine.facts(at(DEVICE)).unwrap().driver.as_deref(), Some("nvme"), "bound anew");
}

#[test]
fn aspm_of_the_port_is_off_during_the_reset_and_on_afterwards() {
    let machine = Meddled::new(machine(
        &(port(", link_control = 0x0042") + &endpoint(DEVICE, ALL, "driver = \"vfio-pci\"")),
    ));
    let link_control = express(&machine, PORT) + 0x10;
    let report = reset(&machine, &request(DEVICE, MethodName::Bus, Via::Direct));
    assert_eq!(report.outcome, Outcome::Verified, "{report:#?}");
    assert_eq!(word(&machine, PORT, link_control), 0x0042);
    let writes = machine.writes();
    let first = writes.iter().position(|write| write.byte(PORT, link_control).is_some()).unwrap();
    let reset = writes.iter().position(|write| write.byte(PORT, BRIDGE_CONTROL).is_some()).unwrap();
    assert!(first < reset);
    assert_eq!(writes[first].bytes, [0x40, 0]);
}

#[test]
fn behind_a_switch_bridges_are_restored_before_what_is_below_them() {
    let machine = Meddled::new(Simulated::zoo());
    let before = image(&machine);
    let mut wanted = forced("0000:0b:00.0", MethodName::Bus, Via::Direct);
    wanted.bridge = Some(at("0000:00:0c.0"));
    let report = reset(&machine, &wanted);
    assert_eq!(report.outcome, Outcome::Verified, "{report:#?}");
    assert_eq!(differences(&before, &image(&machine)), [""; 0]);
    let writes = machine.writes();
    let done = writes.iter().rposition(|write| write.byte("0000:00:0c.0", BRIDGE_CONTROL).is_some()).unwrap();
    let first =
        |address: &str| done + writes[done..].iter().position(|write| write.address == at(address)).unwrap();
    let last = |address: &str| writes.iter().rposition(|write| write.address == at(address)).unwrap();
    assert!(last("0000:09:00.0") < first("0000:0a:00.0"));
    assert!(last("0000:0a:00.0") < first("0000:0b:00.0"));
    assert!(last("0000:0a:01.0") < first("0000:0c:00.0"));
    // Command of the endpoint comes after its BARs, and MSI before it.
    let endpoint: Vec<_> =
        writes[done..].iter().filter(|write| write.address == at("0000:0b:00.0")).collect();
    assert_eq!(endpoint.last().unwrap().offset, 4);
}

#[test]
fn a_bridge_that_only_reads_right_is_restored_only_when_it_is_written_anyway() {
    let request = forced("0000:03:00.0", MethodName::Bus, Via::Direct);
    let machine = Simulated::open("elysium").unwrap();
    assert_eq!(reset(&machine, &request).outcome, Outcome::Verified);

    let machine = Simulated::open("elysium").unwrap();
    let conditional = Options { bridge_headers: BridgeHeaders::IfDifferent, ..Options::default() };
    let report = try_reset(&machine, &request, conditional).unwrap();
    assert_eq!(report.outcome, Outcome::Different, "{report:#?}");
    assert_eq!(report.outcome.exit_code(), 7);
    assert!(report.differences().any(|check| check.what == "Base Address 0"));
    assert!(report.differences().any(|check| check.what == "Command"));
}

#[test]
fn without_the_restore_step_the_device_has_no_bars_and_the_report_says_so() {
    for method in DIRECT {
        let machine = hot_plug_port();
        let skip = Options { skip_restore: true, ..Options::default() };
        let report = try_reset(&machine, &request(DEVICE, method, Via::Direct), skip).unwrap();
        assert_eq!(report.outcome, Outcome::Different, "{method}: {report:#?}");
        assert!(report.differences().any(|check| check.what == "Base Address 0"), "{method}");
        assert!(report.differences().all(|check| check.address == at(DEVICE)), "{method}: {report:#?}");
        assert_eq!(dword(&machine, DEVICE, 0x10), 0);
        machine.sleep(ms(1_000));
        assert_eq!(machine.facts(at(DEVICE)).unwrap().driver.as_deref(), Some("vfio-pci"), "{method}");
    }
}

#[test]
fn a_device_in_a_slot_without_power_is_left_alone() {
    let off = Behaviour { slot_power: SlotPower::Off, ..Behaviour::default() };
    let machine = Meddled::new(
        machine(
            &(port(", slot = 1, hot_plug = true, power_controller = true")
                + &endpoint(DEVICE, ALL, "driver = \"vfio-pci\"")),
        )
        .with(DEVICE, off.clone()),
    );
    let planned = plan(&machine, &Request::new(at(DEVICE)));
    assert!(matches!(planned.decision, Decision::NotPresent), "{planned:#?}");
    assert_eq!(planned.exit_code(), Some(6));

    // Switched off between plan and reset: nothing is touched, and the slot is named.
    let machine = Meddled::new(machine_with_power());
    let planned = action(&machine, &request(DEVICE, MethodName::Bus, Via::Direct));
    machine.inner.set_behaviour(at(DEVICE), off).unwrap();
    let report = vfio_reset::reset::reset(&machine, &planned, Options::default(), &mut |_| {}).unwrap();
    assert_eq!(report.outcome, Outcome::NotTouched);
    assert_eq!(names(&report), [StepName::Check]);
    assert!(report.notes.iter().any(|note| note.contains("switched off")), "{:?}", report.notes);
    assert!(machine.writes().is_empty());
}

fn machine_with_power() -> Simulated {
    machine(
        &(port(", slot = 1, hot_plug = true, power_controller = true")
            + &endpoint(DEVICE, ALL, "driver = \"vfio-pci\"")),
    )
}

#[test]
fn a_physical_function_gets_its_virtual_functions_back() {
    for (pf, vf) in [("0000:03:00.0", "0000:03:10.2"), ("0000:04:00.0", "0000:04:00.2")] {
        for method in [MethodName::Flr, MethodName::Bus] {
            let machine = Meddled::new(Simulated::zoo());
            // A mounted disk cannot be overridden, and is not what this is about.
            let planned = {
                let inventory = Inventory::read(&machine).unwrap();
                let request = forced(pf, method, Via::Direct);
                Plan::new(&inventory, &vfio_reset::quirk::Quirks::built_in(), &request).unwrap()
            };
            let Decision::Act(planned) = planned.decision else { panic!("{planned:#?}") };
            let before = image(&machine);
            let report =
                vfio_reset::reset::reset(&machine, &planned, Options::default(), &mut |_| {}).unwrap();
            assert_eq!(report.outcome, Outcome::Verified, "{pf} {method}: {report:#?}");
            assert_eq!(differences(&before, &image(&machine)), [""; 0], "{pf} {method}");
            assert!(report.verification.iter().any(|check| check.address == at(vf)), "{pf} {method}");
            // Their physical function brings them back: nobody waits for them before.
            assert!(report.total() < ms(330), "{pf} {method}: {:?}", report.total());
        }
    }
}

#[test]
fn power_control_is_held_on_and_put_back_also_when_the_device_is_lost() {
    for dies in [false, true] {
        let machine = Meddled::new(simple());
        machine.inner.set_attribute(at(DEVICE), Attribute::PowerControl, "auto").unwrap();
        if dies {
            machine.inner.set_behaviour(at(DEVICE), Behaviour::dies_on(ResetKind::FunctionLevel)).unwrap();
        }
        let budget = ms(2_000);
        // It sleeps: a plan needs it to answer, which it does in D3hot.
        let report = reset(&machine, &Request { budget, ..request(DEVICE, MethodName::Flr, Via::Direct) });
        assert_eq!(report.outcome, if dies { Outcome::Lost } else { Outcome::Verified }, "{report:#?}");
        let power = machine.attribute(at(DEVICE), Attribute::PowerControl).unwrap();
        assert_eq!(power.as_deref(), Some("auto"));
        let written: Vec<_> = machine.attributes().into_iter().map(|(_, _, value)| value).collect();
        assert_eq!(written, ["on", "auto"]);
    }
}

// --- errors in the middle -----------------------------------------------------------------------

/// A switch with a hot-plug port above, so that there is much to go wrong.
fn nested() -> Simulated {
    machine(
        &(bridge("0000:00:01.0", 1, 4, "root_port", ", slot = 1, hot_plug = true, slot_control = 0x1038")
            + &bridge("0000:01:00.0", 2, 4, "upstream_port", "")
            + &bridge(
                "0000:02:00.0",
                3,
                3,
                "downstream_port",
                ", slot = 2, hot_plug = true, slot_control = 0x1038",
            )
            + &bridge("0000:02:01.0", 4, 4, "downstream_port", "")
            + &endpoint("0000:03:00.0", ALL, "driver = \"vfio-pci\"")
            + &endpoint("0000:04:00.0", ALL, "driver = \"vfio-pci\"")),
    )
}

fn nested_request() -> Request {
    Request {
        bridge: Some(at(PORT)),
        budget: ms(2_000),
        ..forced("0000:03:00.0", MethodName::Bus, Via::Direct)
    }
}

#[test]
fn the_nested_machine_comes_back_when_nothing_fails() {
    let machine = nested();
    let before = image(&machine);
    let report = reset(&machine, &nested_request());
    assert_eq!(report.outcome, Outcome::Verified, "{report:#?}");
    assert_eq!(differences(&before, &image(&machine)), [""; 0]);
}

#[test]
fn if_the_first_write_is_refused_nothing_was_touched_and_that_is_the_error() {
    for method in DIRECT {
        let machine = Meddled::new(simple()).fail_write(|_, _| true);
        let error = try_reset(&machine, &request(DEVICE, method, Via::Direct), Options::default());
        let error = error.map(|report| format!("{report:#?}")).unwrap_err();
        assert!(error.is_permission(), "{method}: {error}");
        assert_eq!(machine.writes().len(), 1, "{method}");
    }
}

/// Resets with the writes of these numbers failing; gives whether all of them were made.
///
/// Whatever fails: the bus does not stay in reset, the report does not claim success, and the port
/// reports events again unless the failing write was the port's own.
fn fails_well(numbers: &[usize]) -> bool {
    let failing = numbers.to_vec();
    let machine = Meddled::new(nested()).fail_write(move |this, _| failing.contains(&this));
    let report = try_reset(&machine, &nested_request(), Options::default()).unwrap();
    let writes = machine.writes();
    let failed: Vec<_> = numbers.iter().filter_map(|number| writes.get(*number)).collect();
    assert_eq!(word(&machine, PORT, BRIDGE_CONTROL) & SECONDARY_BUS_RESET, 0, "{numbers:?}");
    // Clearing Secondary Bus Reset is tried again, and that is no error then.
    let retried = failed.iter().all(|write| write.byte(PORT, BRIDGE_CONTROL).is_some());
    if failed.is_empty() {
        assert_eq!(report.outcome, Outcome::Verified, "{numbers:?}");
    } else if !retried {
        assert_eq!(report.outcome, Outcome::Failed, "{numbers:?}: {report:#?}");
    }
    if report.outcome != Outcome::Verified {
        assert!(report.notes.iter().any(|note| note.contains("error in the middle")), "{report:#?}");
        assert!(
            report.steps.iter().any(|step| !step.ok && step.text.contains("cannot write")),
            "{report:#?}"
        );
        assert!(!report.next.is_empty());
    }
    let slot_control = express(&machine, PORT) + 0x18;
    let own = failed.iter().any(|write| write.address == at(PORT));
    assert!(own || word(&machine, PORT, slot_control) == 0x1038, "{numbers:?}: notification stays off");
    failed.len() == numbers.len()
}

#[test]
fn whichever_write_fails_it_is_reported_and_nothing_is_left_half_done() {
    let last = (1..).find(|number| !fails_well(&[*number])).unwrap();
    assert!(last > 80, "{last} writes");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Both attempts to clear Secondary Bus Reset among them: the restore is a third one.
    #[test]
    fn two_writes_that_fail_are_reported_as_well(first in 1_usize..40, apart in 1_usize..60) {
        fails_well(&[first, first + apart]);
        fails_well(&[first, first + 1]);
    }

    /// The budget is kept whatever the device does.
    #[test]
    fn the_budget_is_kept(ready in 0_u64..20_000, budget in 200_u64..10_000, method in 0_usize..4) {
        let machine = simple().with(DEVICE, Behaviour::ready_after(ms(ready)));
        let start = machine.now();
        let request = Request { budget: ms(budget), ..request(DEVICE, DIRECT[method], Via::Direct) };
        let report = reset(&machine, &request);
        prop_assert!(matches!(report.outcome, Outcome::Verified | Outcome::Lost), "{report:#?}");
        prop_assert!(machine.now() - start <= ms(budget + 15), "{:?}", machine.now() - start);
        if ready + 150 < budget {
            prop_assert_eq!(report.outcome, Outcome::Verified);
        }
    }
}

#[test]
fn a_device_that_claims_to_reset_and_does_not_is_told_from_one_that_does() {
    // Everything reads as before, because nothing has changed: only the mark that was left in Command,
    // and that a reset clears, tells.
    for (kind, method) in [
        (ResetKind::FunctionLevel, MethodName::Flr),
        (ResetKind::D3hotToD0, MethodName::Pm),
        (ResetKind::Conventional, MethodName::Bus),
    ] {
        let machine = simple().with(DEVICE, Behaviour::reset_does_nothing(kind));
        let report = reset(&machine, &request(DEVICE, method, Via::Direct));
        assert_eq!(report.outcome, Outcome::Different, "{method}");
        let differences: Vec<_> = report.differences().map(|check| check.what.as_str()).collect();
        assert_eq!(differences, ["reset took effect"], "{method}");
    }
    let report = reset(&simple(), &request(DEVICE, MethodName::Flr, Via::Direct));
    assert!(report.verification.iter().any(|check| check.what == "reset took effect" && check.ok));
}

#[test]
fn an_asmedia_1062_is_lost_and_the_report_says_what_helps() {
    for method in [MethodName::Pm, MethodName::Bus] {
        let machine = Simulated::open("f4-424-pro").unwrap();
        let start = machine.now();
        let budget = ms(8_000);
        let report = reset(&machine, &Request { budget, ..request("0000:03:00.0", method, Via::Direct) });
        assert_eq!(report.outcome, Outcome::Lost, "{report:#?}");
        assert!(machine.now() - start <= budget + ms(15));
        assert!(report.next.iter().any(|next| next.contains("switch the host off")), "{:?}", report.next);
        assert!(report.notes.iter().any(|note| note.contains("is down")), "{:?}", report.notes);
    }
}

#[test]
fn resizable_bars_keep_their_size() {
    let capabilities = format!("{ALL} {{ resizable_bar = {{ bar = 0, sizes = 0xff, size = 6 }} }},");
    let device = endpoint(DEVICE, &capabilities, "driver = \"vfio-pci\"")
        .replace("size = 0x1000", "size = 0x4000000")
        .replace("address = 2148532224", "address = 0x84000000");
    for method in DIRECT {
        let machine = machine(&(port("") + &device));
        let before = image(&machine);
        let report = reset(&machine, &request(DEVICE, method, Via::Direct));
        assert_eq!(report.outcome, Outcome::Verified, "{method}: {report:#?}");
        assert_eq!(differences(&before, &image(&machine)), [""; 0]);
    }
}

#[test]
fn the_listed_methods_do_not_matter_to_a_direct_reset_of_a_kernel_without_them() {
    let machine = Meddled::new(simple()).change_facts(|_, facts| facts.reset_methods = ResetMethods::Unknown);
    let report = reset(&machine, &request(DEVICE, MethodName::Bus, Via::Direct));
    assert_eq!(report.outcome, Outcome::Verified);
    let gone = Inventory::read(&machine).unwrap().function(at("0000:05:00.0")).map(|_| ()).unwrap_err();
    assert!(matches!(gone, Error::NoSuchFunction { .. }));
}
