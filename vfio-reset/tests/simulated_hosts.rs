//! The shipped hosts behave as their owners reported.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::time::Duration;
use vfio_reset::Machine;
use vfio_reset::machine::simulated::Simulated;
use vfio_reset::machine::{Clock, KernelReset, LogMark, ResetMethods};

const LONG: Duration = Duration::from_secs(600);

fn read<const N: usize>(machine: &Simulated, address: &str, offset: u16) -> [u8; N] {
    let mut bytes = [0; N];
    machine.read_config(address.parse().unwrap(), offset, &mut bytes).unwrap();
    bytes
}

fn listed(machine: &Simulated, address: &str) -> ResetMethods {
    machine.facts(address.parse().unwrap()).unwrap().reset_methods
}

fn methods(names: &[&str]) -> ResetMethods {
    ResetMethods::Listed(names.iter().map(|name| (*name).to_string()).collect())
}

#[test]
fn every_shipped_machine_can_be_opened_by_both_names() {
    for name in Simulated::names() {
        assert_eq!(Simulated::open(name).unwrap().name(), format!("sim:{name}"));
        let machine = Simulated::open(&format!("sim:{name}")).unwrap();
        for address in machine.functions().unwrap() {
            let config = machine.config(address).unwrap();
            let id: [u8; 2] = config[..2].try_into().unwrap();
            let is_virtual = machine.facts(address).unwrap().physfn.is_some();
            assert_eq!(id == [0xff, 0xff], is_virtual, "{name} {address}");
        }
    }
    let error = Simulated::open("sim:nowhere").map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("um880pro"), "{error}");
}

#[test]
fn the_asm1062_never_comes_back_and_the_kernel_log_is_the_owners() {
    let host = Simulated::open("f4-424-pro").unwrap();
    let sata = "03:00.0".parse().unwrap();
    assert_eq!(listed(&host, "03:00.0"), methods(&["pm", "bus"]));
    host.set_attribute(sata, vfio_reset::machine::Attribute::ResetMethod, "bus").unwrap();
    let start = host.now();
    assert_eq!(host.kernel_reset(sata, LONG).unwrap(), KernelReset::Failed { errno: libc::ENOTTY });
    assert!(host.now() - start > Duration::from_secs(65));
    assert_eq!(read::<4>(&host, "03:00.0", 0), [0xff; 4]);
    let log: Vec<_> = host.kernel_log(LogMark(0)).unwrap().into_iter().map(|line| line.text).collect();
    for line in [
        "pcieport 0000:00:1c.6: broken device, retraining non-functional downstream link at 2.5GT/s",
        "pcieport 0000:00:1c.6: retraining failed",
        "vfio-pci 0000:03:00.0: not ready 1023ms after bus reset; waiting",
        "vfio-pci 0000:03:00.0: not ready 32767ms after bus reset; waiting",
        "vfio-pci 0000:03:00.0: not ready 65535ms after bus reset; giving up",
    ] {
        assert!(log.iter().any(|other| other == line), "{line}\n{log:#?}");
    }
    assert_eq!(log.iter().filter(|line| line.ends_with("retraining failed")).count(), 2);
}

#[test]
fn the_igpu_has_no_method_and_its_audio_has() {
    let host = Simulated::open("um880pro").unwrap();
    assert_eq!(listed(&host, "c5:00.0"), ResetMethods::NoFile);
    assert!(host.kernel_reset("c5:00.0".parse().unwrap(), LONG).is_err());
    // As the owner listed them: [RESET] or not.
    let with = [
        "00:01.2", "00:02.1", "00:02.2", "00:02.3", "00:03.1", "00:04.1", "00:08.1", "00:08.2", "00:08.3",
        "01:00.0", "02:00.0", "03:00.0", "04:00.0", "c5:00.1", "c5:00.3", "c5:00.4", "c6:00.0", "c6:00.1",
        "c7:00.0", "c7:00.3", "c7:00.4", "c7:00.5", "c7:00.6",
    ];
    for address in host.functions().unwrap() {
        let short = address.to_string()[5..].to_string();
        let has = host.facts(address).unwrap().reset_methods != ResetMethods::NoFile;
        assert_eq!(has, with.contains(&short.as_str()), "{address}");
    }
}

#[test]
fn on_elysium_the_bridge_forgets_until_all_of_its_header_is_written_again() {
    let bridge = "00:01.3".parse().unwrap();
    let usb = "03:00.0".parse().unwrap();
    for forced in [false, true] {
        let host = Simulated::open("elysium").unwrap();
        assert_eq!(listed(&host, "03:00.0"), methods(&["bus"]));
        let before = host.config(bridge).unwrap();
        let usb_before = host.config(usb).unwrap();
        host.write_config(bridge, 0x3e, &[before[0x3e] | 0x40, before[0x3f]]).unwrap();
        host.sleep(Duration::from_millis(2));
        host.write_config(bridge, 0x3e, &before[0x3e..0x40]).unwrap();
        host.sleep(Duration::from_millis(100));
        assert_eq!(host.config(bridge).unwrap()[..0x40], before[..0x40], "the bridge reads as before");
        assert_eq!(read::<4>(&host, "03:00.0", 0), usb_before[..4], "and forwards reads");
        if forced {
            for dword in (0..16).rev() {
                let at = dword * 4;
                host.write_config(bridge, at as u16, &before[at..at + 4]).unwrap();
            }
        }
        host.write_config(usb, 0x10, &usb_before[0x10..0x14]).unwrap();
        let came_back = read::<4>(&host, "03:00.0", 0x10) == usb_before[0x10..0x14];
        assert_eq!(came_back, forced);
    }
}

#[test]
fn on_x870e_a_bus_reset_by_hand_costs_the_kernels_object_unless_notifications_are_masked() {
    let (port, router) = ("00:02.2".parse().unwrap(), "78:00.0".parse().unwrap());
    for masked in [false, true] {
        let host = Simulated::open("x870e-creator").unwrap();
        let express = 0x48;
        assert_eq!(read::<1>(&host, "00:02.2", express), [0x10]);
        if masked {
            host.write_config(port, express + 0x18, &[0, 0]).unwrap();
        }
        let [low, high] = read::<2>(&host, "00:02.2", 0x3e);
        host.write_config(port, 0x3e, &[low | 0x40, high]).unwrap();
        host.sleep(Duration::from_millis(2));
        host.write_config(port, 0x3e, &[low, high]).unwrap();
        host.sleep(Duration::from_secs(1));
        if masked {
            // What happened meanwhile must be forgotten before notifications are on again.
            host.write_config(port, express + 0x1a, &[0x1f, 0x01]).unwrap();
            host.write_config(port, express + 0x18, &[0x38, 0x10]).unwrap();
        }
        host.sleep(Duration::from_secs(1));
        let driver = host.facts(router).unwrap().driver.unwrap();
        assert_eq!(driver == "vfio-pci", masked, "{driver}: {:#?}", host.kernel_log(LogMark(0)));
    }
}
