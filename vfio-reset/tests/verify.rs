//! "It answers" is not "it is healthy": what verification sees.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::*;
use vfio_reset::Machine;
use vfio_reset::machine::simulated::{Behaviour, ResetKind, Simulated};
use vfio_reset::machine::{Clock, KernelReset};
use vfio_reset::method::MethodName::{Bus, Flr, Pm};
use vfio_reset::plan::{Request, StepName, Via};
use vfio_reset::report::{Outcome, Report};
use vfio_reset::reset::verify_state;
use vfio_reset::state::SavedState;

const DEVICE: &str = "0000:01:00.0";

fn found(report: &Report) -> Vec<(&str, &str, &str)> {
    report
        .differences()
        .map(|check| (check.what.as_str(), check.expected.as_str(), check.found.as_str()))
        .collect()
}

#[test]
fn a_link_that_comes_back_slower_is_a_difference_at_both_ends() {
    for via in [Via::Kernel, Via::Direct] {
        let slow = Behaviour { link_speed_after: Some(1), ..Behaviour::default() };
        let machine = simple().with(DEVICE, slow);
        let report = reset(&machine, &request(DEVICE, Bus, via));
        assert_eq!(report.outcome, Outcome::Different, "{via}: {report:#?}");
        assert_eq!(report.outcome.exit_code(), 7);
        let differences = found(&report);
        assert!(differences.contains(&("link speed", "8 GT/s", "2.5 GT/s")), "{via}: {differences:?}");
        assert_eq!(differences.len(), 2, "{via}: {differences:?}");
        assert!(!report.next.is_empty());
    }
}

#[test]
fn a_link_that_comes_back_narrower_is_a_difference() {
    let narrow = Behaviour { link_width_after: Some(1), ..Behaviour::default() };
    let machine = simple().with(DEVICE, narrow);
    let report = reset(&machine, &request(DEVICE, Bus, Via::Direct));
    assert_eq!(report.outcome, Outcome::Different);
    assert_eq!(found(&report), [("link width", "x4", "x1"), ("link width", "x4", "x1")]);
}

#[test]
fn a_neighbour_that_does_not_come_back_is_a_difference() {
    let machine = machine(
        &(port("")
            + &endpoint(DEVICE, ALL, "multi_function = true\ndriver = \"vfio-pci\"")
            + &endpoint("0000:01:00.1", ALL, "driver = \"vfio-pci\"\nbehaviour = { dies_on = [\"bus\"] }")),
    );
    let start = machine.now();
    let budget = ms(3_000);
    let report = reset(&machine, &Request { budget, ..request(DEVICE, Bus, Via::Direct) });
    assert_eq!(report.outcome, Outcome::Different, "{report:#?}");
    assert_eq!(found(&report), [("neighbour answers", "yes", "no, all-ones")]);
    assert!(machine.now() - start <= budget + ms(15));
    // The device itself is as it was.
    let own = report.verification.iter().filter(|check| check.address == at(DEVICE));
    assert!(own.clone().count() > 10 && own.clone().all(|check| check.ok));
}

#[test]
fn a_device_that_answers_with_other_ids_has_not_come_back() {
    for via in [Via::Kernel, Via::Direct] {
        let inner = simple();
        let start = inner.now();
        let machine = Meddled::new(inner).change_read(move |inner, address, offset, bytes| {
            if address == at(DEVICE) && offset == 0 && bytes.len() >= 4 && inner.now() > start + ms(50) {
                bytes[2..4].copy_from_slice(&[0x99, 0x99]);
            }
        });
        let budget = ms(2_000);
        let report = reset(&machine, &Request { budget, ..request(DEVICE, Flr, via) });
        assert_eq!(report.outcome, Outcome::Lost, "{via}: {report:#?}");
        assert!(text(&report, StepName::WaitReady).contains("other ids, 1234:9999"), "{report:#?}");
    }
}

#[test]
fn a_header_type_of_7f_is_a_difference() {
    let machine = Meddled::new(simple()).kernel_reset(|inner| {
        inner.set_behaviour(at(DEVICE), Behaviour { header_7f: true, ..Behaviour::default() }).unwrap();
        Ok(KernelReset::Done)
    });
    let report = reset(&machine, &request(DEVICE, Flr, Via::Kernel));
    assert_eq!(report.outcome, Outcome::Different);
    assert_eq!(found(&report), [("Header Type", "00", "7f")]);
}

#[test]
fn a_device_that_stays_asleep_is_a_difference() {
    let machine = Meddled::new(simple()).kernel_reset(|inner| {
        let config = inner.config(at(DEVICE)).unwrap();
        let pm = pcicfg::ConfigSpace::new(&config).unwrap().power_management().unwrap().offset();
        inner.write_config(at(DEVICE), pm + 4, &3_u16.to_le_bytes()).unwrap();
        inner.sleep(ms(20));
        Ok(KernelReset::Done)
    });
    let report = reset(&machine, &request(DEVICE, Pm, Via::Kernel));
    assert_eq!(report.outcome, Outcome::Different, "{report:#?}");
    assert_eq!(found(&report), [("power state", "D0", "D3hot")]);
}

#[test]
fn each_register_that_is_restored_is_compared_by_name_and_place() {
    let machine = Meddled::new(simple()).kernel_reset(|inner| {
        for (offset, bytes) in [(0x10, &[0_u8, 0, 0x55, 0][..]), (0x04, &[0, 0]), (0x3c, &[0x0b])] {
            inner.write_config(at(DEVICE), offset, bytes).unwrap();
        }
        Ok(KernelReset::Done)
    });
    let report = reset(&machine, &request(DEVICE, Flr, Via::Kernel));
    let names: Vec<_> = report.differences().map(|check| (check.what.as_str(), check.offset)).collect();
    assert_eq!(
        names,
        [("Interrupt Line", Some(0x3c)), ("Base Address 0", Some(0x10)), ("Command", Some(0x04))]
    );
    let command = report.differences().find(|check| check.what == "Command").unwrap();
    assert_eq!((command.expected.as_str(), command.found.as_str()), ("0506", "0000"));
    assert_eq!(command.changes(), ", Memory Space -, Bus Master -, SERR Enable -, Interrupt Disable -");
}

#[test]
fn a_link_that_is_down_below_a_port_is_a_difference() {
    let machine = simple();
    let port = at("00:01.0");
    let state = SavedState::save(&machine, port, [(port, false)]).unwrap();
    let control = word(&machine, "0000:00:01.0", 0x3e);
    machine.write_config(port, 0x3e, &(control | 0x40).to_le_bytes()).unwrap();
    let checks = verify_state(&machine, &state).unwrap();
    let wrong: Vec<_> = checks.iter().filter(|check| !check.ok).map(|check| check.what.as_str()).collect();
    // Secondary Bus Reset itself is no part of what is restored; what it does to the link is seen.
    assert_eq!(wrong, ["link"], "{checks:#?}");
}

#[test]
fn a_device_that_is_gone_fails_one_comparison_and_not_all() {
    let machine = simple();
    let state = SavedState::save(&machine, at(DEVICE), [(at(DEVICE), false)]).unwrap();
    machine.set_behaviour(at(DEVICE), Behaviour::all_ones()).unwrap();
    let checks = verify_state(&machine, &state).unwrap();
    assert_eq!(checks.len(), 1);
    assert_eq!((checks[0].what.as_str(), checks[0].ok), ("answers", false));
}

#[test]
fn every_shipped_function_verifies_against_itself() {
    for name in Simulated::names() {
        let machine = Simulated::open(name).unwrap();
        for address in machine.functions().unwrap() {
            let is_virtual = machine.facts(address).unwrap().physfn.is_some();
            let state = SavedState::save(&machine, address, [(address, is_virtual)]).unwrap();
            let checks = verify_state(&machine, &state).unwrap();
            let wrong: Vec<_> = checks.iter().filter(|check| !check.ok).collect();
            assert!(wrong.is_empty() && checks.len() >= 3, "{name} {address}: {wrong:#?}");
        }
    }
}

#[test]
fn death_by_a_method_is_death_by_that_method_only() {
    let machine = simple().with(DEVICE, Behaviour::dies_on(ResetKind::Conventional));
    assert_eq!(reset(&machine, &request(DEVICE, Flr, Via::Direct)).outcome, Outcome::Verified);
}
