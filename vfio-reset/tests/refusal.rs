//! What is refused because it would hurt the host, and what the user may override.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::*;
use std::str::FromStr;
use vfio_reset::Machine;
use vfio_reset::machine::simulated::Simulated;
use vfio_reset::machine::{Attribute, DeviceUser, HostFacts, Lockdown};
use vfio_reset::method::MethodName::{self, Bus, Flr, Pm};
use vfio_reset::plan::{Decision, Override, RefusalCode, Request, Via};

const DEVICE: &str = "0000:01:00.0";

fn below(device: &str) -> Simulated {
    machine(&(port("") + device))
}

fn allow(request: &Request, words: &[Override]) -> Request {
    Request { allow: words.to_vec(), ..request.clone() }
}

/// Refused for `code` alone, and done with the word if there is one; no other word helps.
fn refused_for(machine: &dyn Machine, request: &Request, code: RefusalCode, word: Option<Override>) {
    assert_eq!(refused(machine, request), [(code, word)], "{request:?}");
    let others: Vec<_> = Override::ALL.into_iter().filter(|other| Some(*other) != word).collect();
    assert_eq!(refused(machine, &allow(request, &others)), [(code, word)], "{request:?}");
    let planned = plan(machine, request);
    assert_eq!(planned.exit_code(), Some(3));
    let Decision::Refuse { refusals, .. } = planned.decision else { panic!() };
    assert!(!refusals[0].reason.is_empty() && !refusals[0].remedy.is_empty());
    if let Some(word) = word {
        assert_eq!(refused(machine, &allow(request, &[word])), [], "{request:?}");
    }
}

#[test]
fn a_bound_driver() {
    for via in [Via::Kernel, Via::Direct] {
        for method in [Flr, Pm, Bus] {
            let machine = below(&endpoint(DEVICE, ALL, "driver = \"nvme\""));
            refused_for(&machine, &request(DEVICE, method, via), RefusalCode::Driver, Some(Override::Driver));
        }
    }
    for vfio in ["vfio-pci", "mlx5_vfio_pci", "nvgrace-gpu-vfio-pci", "pci-stub"] {
        let machine = below(&endpoint(DEVICE, ALL, &format!("driver = \"{vfio}\"")));
        assert_eq!(refused(&machine, &request(DEVICE, Bus, Via::Direct)), [], "{vfio}");
    }
}

#[test]
fn a_mounted_disk_swap_and_what_holds_a_disk_cannot_be_overridden() {
    let users = [
        DeviceUser::Mount { device: "nvme0n1p1".into(), path: "/".into() },
        DeviceUser::Swap { device: "nvme0n1p2".into() },
        DeviceUser::Holder { device: "nvme0n1p3".into(), holder: "dm-0".into() },
    ];
    for user in users {
        for via in [Via::Kernel, Via::Direct] {
            for method in [Flr, Pm, Bus] {
                let machine = Meddled::new(simple()).user(DEVICE, user.clone());
                refused_for(&machine, &request(DEVICE, method, via), RefusalCode::InUse, None);
            }
        }
    }
}

#[test]
fn a_mounted_disk_on_a_neighbour_cannot_be_overridden_either() {
    let machine = below(
        &(endpoint(DEVICE, ALL, "driver = \"vfio-pci\"\nmulti_function = true")
            + &endpoint(
                "0000:01:00.1",
                ALL,
                "driver = \"nvme\"\nusers = [{ kind = \"mount\", device = \"nvme0n1\", path = \"/\" }]",
            )),
    );
    let wanted = request(DEVICE, Bus, Via::Direct);
    let codes = refused(&machine, &wanted);
    assert!(codes.contains(&(RefusalCode::InUse, None)), "{codes:?}");
    assert_eq!(refused(&machine, &allow(&wanted, &Override::ALL)), [(RefusalCode::InUse, None)]);
    assert_eq!(refused(&machine, &request(DEVICE, Flr, Via::Direct)), [], "flr does not reach it");
}

#[test]
fn a_running_virtual_machine() {
    let machine = Meddled::new(simple()).user(DEVICE, DeviceUser::Vfio { pid: 42, command: "qemu".into() });
    for method in [Flr, Bus] {
        refused_for(
            &machine,
            &request(DEVICE, method, Via::Direct),
            RefusalCode::InUse,
            Some(Override::InUse),
        );
    }
}

#[test]
fn siblings_with_drivers_for_a_bus_reset_only() {
    let machine = below(
        &(endpoint(DEVICE, ALL, "driver = \"vfio-pci\"\nmulti_function = true")
            + &endpoint("0000:01:00.1", ALL, "driver = \"snd_hda_intel\"\niommu_group = 7")),
    );
    let wanted = request(DEVICE, Bus, Via::Direct);
    refused_for(&machine, &wanted, RefusalCode::SiblingDriver, Some(Override::Siblings));
    let Decision::Refuse { refusals, .. } = plan(&machine, &wanted).decision else { panic!() };
    assert!(refusals[0].reason.contains("snd_hda_intel") && refusals[0].reason.contains("IOMMU group 7"));
    assert_eq!(refused(&machine, &request(DEVICE, Flr, Via::Direct)), []);
}

#[test]
fn what_is_below_a_bridge_counts_when_the_bridge_is_reset() {
    let machine = machine(
        &(bridge("0000:00:01.0", 1, 2, "root_port", "")
            + &bridge("0000:01:00.0", 2, 2, "upstream_port", "").replace("no_soft_reset = true", "")
            + &endpoint("0000:02:00.0", ALL, "driver = \"nvme\"")),
    );
    let wanted = request(DEVICE, Pm, Via::Kernel);
    let both = [
        (RefusalCode::Bridge, Some(Override::Bridge)),
        (RefusalCode::SiblingDriver, Some(Override::Siblings)),
    ];
    assert_eq!(refused(&machine, &wanted), both);
    assert_eq!(refused(&machine, &allow(&wanted, &[Override::Bridge])), both[1..]);
    assert_eq!(refused(&machine, &allow(&wanted, &[Override::Bridge, Override::Siblings])), []);
}

#[test]
fn a_bridge_is_reset_by_the_kernel_only_if_nothing_is_below_it() {
    let zoo = Simulated::zoo();
    let wanted = request("0000:0a:00.0", Flr, Via::Kernel);
    assert_eq!(refused(&zoo, &wanted), [(RefusalCode::Bridge, Some(Override::Bridge))]);
    // A direct bus reset saves and restores what is below.
    assert_eq!(refused(&zoo, &request("0000:0a:00.0", Bus, Via::Direct)), []);
}

#[test]
fn a_virtual_function_by_bus_reset_cannot_be_overridden() {
    let zoo = Simulated::zoo();
    for address in ["0000:04:00.1", "0000:03:10.0"] {
        let wanted = forced(address, Bus, Via::Direct);
        let codes = refused(&zoo, &wanted);
        assert!(codes.contains(&(RefusalCode::VirtualFunction, None)), "{address} {codes:?}");
        assert_eq!(refused(&zoo, &forced(address, Flr, Via::Kernel)), [], "{address}");
    }
    // Also by the kernel, where it lists the method.
    let codes = refused(&zoo, &forced("0000:04:00.1", Bus, Via::Kernel));
    assert!(codes.contains(&(RefusalCode::VirtualFunction, None)), "{codes:?}");
}

#[test]
fn a_physical_function_with_virtual_functions() {
    let zoo = Meddled::new(Simulated::zoo()).change_facts(|_, facts| {
        facts.driver = facts.driver.take().map(|_| "vfio-pci".to_string());
    });
    let codes = refused(&zoo, &request("0000:03:00.0", Flr, Via::Direct));
    let expected = (RefusalCode::VirtualFunctionsEnabled, Some(Override::VirtualFunctions));
    assert!(codes.contains(&expected), "{codes:?}");
    let words = [Override::VirtualFunctions, Override::Driver];
    assert_eq!(refused(&zoo, &allow(&request("0000:03:00.0", Flr, Via::Direct), &words)), []);
}

#[test]
fn a_quirk_of_the_device_against_a_bus_reset() {
    for (vendor, id) in [(0x168c, 0x003c), (0x1b21, 0x1164), (0x10de, 0x2340)] {
        let machine = below(&device(DEVICE, vendor, id, 0x028000, ALL, "driver = \"vfio-pci\""));
        let wanted = request(DEVICE, Bus, Via::Direct);
        refused_for(&machine, &wanted, RefusalCode::Quirk, Some(Override::Quirk));
        // The kernel does not offer it at all, so there is nothing to override.
        let by_kernel = plan(&machine, &forced(DEVICE, Bus, Via::Kernel));
        assert!(matches!(by_kernel.decision, Decision::NoMethod), "{:?}", by_kernel.decision);
        // Asked for the method alone, the refusal is what is told.
        refused_for(
            &machine,
            &Request::new(at(DEVICE)).method(Bus),
            RefusalCode::Quirk,
            Some(Override::Quirk),
        );
    }
}

#[test]
fn a_quirk_of_a_neighbour_or_of_the_bridge_against_a_bus_reset() {
    let neighbour = below(
        &(endpoint(DEVICE, ALL, "driver = \"vfio-pci\"\nmulti_function = true")
            + &device("0000:01:00.1", 0x168c, 0x003c, 0x028000, "", "")),
    );
    refused_for(&neighbour, &request(DEVICE, Bus, Via::Direct), RefusalCode::Quirk, Some(Override::Quirk));
    let bridge = port("").replace("0x8086", "0x10de").replace("0x54ba", "0x22ce");
    let bridge = machine(&(bridge + &endpoint(DEVICE, ALL, "driver = \"vfio-pci\"")));
    refused_for(&bridge, &request(DEVICE, Bus, Via::Direct), RefusalCode::Quirk, Some(Override::Quirk));
}

#[test]
fn a_quirk_against_function_level_reset() {
    let machine = below(&device(DEVICE, 0x14c3, 0x0616, 0x028000, ALL, "driver = \"vfio-pci\""));
    for method in [Flr, MethodName::AfFlr] {
        refused_for(
            &machine,
            &request(DEVICE, method, Via::Direct),
            RefusalCode::Quirk,
            Some(Override::Quirk),
        );
    }
    // What a quirk forbids and the function could not do anyway is not offered for overriding.
    let flr = "{ pci_express = { flr = true } },";
    let machine = below(&device(DEVICE, 0x14c3, 0x0616, 0x028000, flr, "driver = \"vfio-pci\""));
    let planned = plan(&machine, &forced(DEVICE, MethodName::AfFlr, Via::Direct));
    assert!(matches!(planned.decision, Decision::NoMethod), "{:?}", planned.decision);
}

#[test]
fn the_display_that_the_firmware_booted_with() {
    let machine = below(&device(DEVICE, 0x1234, 0x5678, 0x030000, ALL, "boot_vga = true"));
    for via in [Via::Kernel, Via::Direct] {
        refused_for(
            &machine,
            &request(DEVICE, Flr, via),
            RefusalCode::BootDisplay,
            Some(Override::BootDisplay),
        );
    }
    // Whoever binds it to vfio-pci has said that the host does not need it.
    let machine =
        below(&device(DEVICE, 0x1234, 0x5678, 0x030000, ALL, "boot_vga = true\ndriver = \"vfio-pci\""));
    assert_eq!(refused(&machine, &request(DEVICE, Flr, Via::Direct)), []);
}

#[test]
fn lockdown_forbids_our_writes_and_not_the_kernels() {
    for lockdown in ["integrity", "confidentiality"] {
        let machine = machine_of(
            &format!("[host]\nlockdown = \"{lockdown}\""),
            &(port("") + &endpoint(DEVICE, ALL, "driver = \"vfio-pci\"")),
        );
        for method in [Flr, Pm, Bus] {
            refused_for(&machine, &request(DEVICE, method, Via::Direct), RefusalCode::Lockdown, None);
            assert_eq!(refused(&machine, &request(DEVICE, method, Via::Kernel)), []);
        }
    }
    let mut machine = Meddled::new(simple());
    machine.host = Some(HostFacts { lockdown: Lockdown::Integrity, ..HostFacts::default() });
    refused_for(&machine, &request(DEVICE, Flr, Via::Direct), RefusalCode::Lockdown, None);
}

#[test]
fn a_method_that_the_kernel_does_not_list() {
    let machine = simple();
    machine.set_attribute(at(DEVICE), Attribute::ResetMethod, "bus").unwrap();
    for method in [Flr, MethodName::AfFlr, Pm] {
        refused_for(
            &machine,
            &request(DEVICE, method, Via::Direct),
            RefusalCode::NotListed,
            Some(Override::NotListed),
        );
    }
}

#[test]
fn several_reasons_need_several_words() {
    let machine = Meddled::new(below(
        &(device(DEVICE, 0x168c, 0x003c, 0x028000, ALL, "driver = \"ath10k_pci\"\nmulti_function = true")
            + &endpoint("0000:01:00.1", ALL, "driver = \"x\"")),
    ))
    .user(DEVICE, DeviceUser::Network { interface: "wlan0".into() });
    let wanted = request(DEVICE, Bus, Via::Direct);
    assert_eq!(refused(&machine, &wanted).len(), 4);
    let words = [Override::Driver, Override::Siblings];
    let left = refused(&machine, &allow(&wanted, &words));
    assert_eq!(left, [(RefusalCode::Quirk, Some(Override::Quirk))]);
    assert_eq!(refused(&machine, &forced(DEVICE, Bus, Via::Direct)), []);
}

#[test]
fn the_words_are_read_as_they_are_written() {
    for word in Override::ALL {
        assert_eq!(Override::from_str(word.as_str()), Ok(word));
    }
    assert!(Override::from_str("everything").unwrap_err().contains("boot-display"));
}

#[test]
fn a_refused_reset_touches_nothing() {
    let machine = Meddled::new(Simulated::zoo());
    for address in machine.functions().unwrap() {
        if let Decision::Act(_) = plan(&machine, &Request::new(address)).decision {
            continue;
        }
    }
    assert!(machine.writes().is_empty() && machine.attributes().is_empty());
}
