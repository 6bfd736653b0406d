//! What simulated devices do, seen through the `Machine` trait.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::time::Duration;
use vfio_reset::machine::simulated::faults::{NotReady, SlotPower};
use vfio_reset::machine::simulated::model::Completion;
use vfio_reset::machine::simulated::{Behaviour, FunctionModel, ResetKind, Simulated};
use vfio_reset::machine::{Attribute, Clock, KernelReset, LogMark, ResetMethods};
use vfio_reset::{Error, Machine};

const LONG: Duration = Duration::from_secs(600);

fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

fn read<const N: usize>(machine: &Simulated, address: &str, offset: u16) -> [u8; N] {
    let mut bytes = [0; N];
    machine.read_config(address.parse().unwrap(), offset, &mut bytes).unwrap();
    bytes
}

fn word(machine: &Simulated, address: &str, offset: u16) -> u16 {
    u16::from_le_bytes(read(machine, address, offset))
}

fn dword(machine: &Simulated, address: &str, offset: u16) -> u32 {
    u32::from_le_bytes(read(machine, address, offset))
}

fn write(machine: &Simulated, address: &str, offset: u16, bytes: &[u8]) {
    machine.write_config(address.parse().unwrap(), offset, bytes).unwrap();
}

fn config(machine: &Simulated, address: &str) -> Vec<u8> {
    machine.config(address.parse().unwrap()).unwrap()
}

fn set(machine: &Simulated, address: &str, attribute: Attribute, value: &str) -> Result<(), Error> {
    machine.set_attribute(address.parse().unwrap(), attribute, value)
}

fn kernel_reset(machine: &Simulated, address: &str) -> KernelReset {
    machine.kernel_reset(address.parse().unwrap(), LONG).unwrap()
}

fn log(machine: &Simulated) -> Vec<String> {
    machine.kernel_log(LogMark(0)).unwrap().into_iter().map(|line| line.text).collect()
}

/// Where a capability is.
fn capability(machine: &Simulated, address: &str, id: u8) -> u16 {
    let config = config(machine, address);
    let space = pcicfg::ConfigSpace::new(&config).unwrap();
    space.capabilities().map(|c| c.unwrap()).find(|c| c.id().0 == id).unwrap().offset()
}

fn extended(machine: &Simulated, address: &str, id: u16) -> u16 {
    let config = config(machine, address);
    let space = pcicfg::ConfigSpace::new(&config).unwrap();
    space.extended_capabilities().map(|c| c.unwrap()).find(|c| c.id().0 == id).unwrap().offset()
}

fn express(machine: &Simulated, address: &str) -> u16 {
    capability(machine, address, 0x10)
}

/// Initiate Function Level Reset.
fn flr(machine: &Simulated, address: &str) {
    let at = express(machine, address) + 8;
    let control = word(machine, address, at) | 0x8000;
    write(machine, address, at, &control.to_le_bytes());
}

fn hold_secondary_bus_reset(machine: &Simulated, bridge: &str) {
    let control = word(machine, bridge, 0x3e);
    write(machine, bridge, 0x3e, &(control | 0x40).to_le_bytes());
}

fn secondary_bus_reset(machine: &Simulated, bridge: &str) {
    let control = word(machine, bridge, 0x3e);
    hold_secondary_bus_reset(machine, bridge);
    machine.sleep(ms(2));
    write(machine, bridge, 0x3e, &control.to_le_bytes());
}

#[test]
fn a_base_is_sized_by_writing_ones() {
    let zoo = Simulated::zoo();
    let before = read::<8>(&zoo, "01:00.0", 0x10);
    write(&zoo, "01:00.0", 0x10, &[0xff; 4]);
    write(&zoo, "01:00.0", 0x14, &[0xff; 4]);
    assert_eq!(dword(&zoo, "01:00.0", 0x10), 0xffff_c004, "16 KiB, 64 bits");
    assert_eq!(dword(&zoo, "01:00.0", 0x14), 0xffff_ffff);
    write(&zoo, "01:00.0", 0x10, &before[..4]);
    write(&zoo, "01:00.0", 0x14, &before[4..]);
    assert_eq!(read::<8>(&zoo, "01:00.0", 0x10), before);
    write(&zoo, "01:00.0", 0x18, &[0xff; 4]);
    assert_eq!(dword(&zoo, "01:00.0", 0x18), 0, "a base that isn't there");
    write(&zoo, "02:00.0", 0x18, &[0xff; 4]);
    assert_eq!(dword(&zoo, "02:00.0", 0x18), 0xffff_ffe1, "32 ports");
    write(&zoo, "02:00.0", 0x30, &[0xff; 4]);
    assert_eq!(dword(&zoo, "02:00.0", 0x30), 0xfffc_0001, "a ROM of 256 KiB with its enable bit");
}

#[test]
fn ids_cannot_be_written() {
    let zoo = Simulated::zoo();
    for address in zoo.functions().unwrap() {
        let before = zoo.config(address).unwrap();
        for at in [0x00, 0x08, 0x0e, 0x2c] {
            if at == 0x2c && before[0x0e] & 0x7f == 1 {
                continue;
            }
            zoo.write_config(address, at, &[0x5a, 0xa5]).unwrap();
        }
        assert_eq!(zoo.config(address).unwrap()[..12], before[..12], "{address}");
    }
}

#[test]
fn a_function_level_reset_takes_a_while_and_costs_what_can_be_written() {
    let zoo = Simulated::zoo();
    assert_ne!(word(&zoo, "01:00.0", 4), 0);
    assert_ne!(dword(&zoo, "01:00.0", 0x10), 4);
    let link = word(&zoo, "01:00.0", express(&zoo, "01:00.0") + 0x12);
    flr(&zoo, "01:00.0");
    assert_eq!(read(&zoo, "01:00.0", 0), [0xff; 4], "no retry to be seen below this root port");
    zoo.sleep(ms(100));
    assert_eq!(dword(&zoo, "01:00.0", 0), 0x0010_1b36);
    assert_eq!(word(&zoo, "01:00.0", 4), 0);
    assert_eq!(dword(&zoo, "01:00.0", 0x10), 4);
    let at = express(&zoo, "01:00.0");
    assert_eq!(word(&zoo, "01:00.0", at + 8), 0x2810, "Device Control's default, Initiate FLR clear");
    assert_eq!(word(&zoo, "01:00.0", at + 0x12), link);
    // Nobody else was hit.
    assert_ne!(word(&zoo, "02:00.0", 4), 0);
}

#[test]
fn a_root_port_with_software_visibility_shows_retries_to_reads_of_the_vendor_id() {
    let zoo = Simulated::zoo();
    flr(&zoo, "05:00.0");
    assert_eq!(read(&zoo, "05:00.0", 0), [0x01, 0x00, 0xff, 0xff]);
    assert_eq!(read(&zoo, "05:00.0", 4), [0xff; 4]);
    let silent = Behaviour { not_ready: NotReady::AllOnes, ..Behaviour::default() };
    let zoo = Simulated::zoo().with("05:00.0", silent);
    flr(&zoo, "05:00.0");
    assert_eq!(read(&zoo, "05:00.0", 0), [0xff; 4]);
}

#[test]
fn power_states_take_their_time() {
    let zoo = Simulated::zoo();
    let pm = capability(&zoo, "02:00.0", 0x01) + 4;
    write(&zoo, "02:00.0", 4, &[0x06, 0x00]);
    write(&zoo, "02:00.0", pm, &[3, 0]);
    assert_eq!(read(&zoo, "02:00.0", 0), [0xff; 4], "too early");
    zoo.sleep(ms(10));
    assert_eq!(dword(&zoo, "02:00.0", 0), 0x10d3_8086, "registers can be read in D3hot");
    assert_eq!(word(&zoo, "02:00.0", 4), 6);
    write(&zoo, "02:00.0", pm, &[0, 0]);
    assert_eq!(read(&zoo, "02:00.0", 0), [0xff; 4], "too early");
    zoo.sleep(ms(10));
    assert_eq!(word(&zoo, "02:00.0", 4), 0, "No_Soft_Reset is clear: it was a reset");
    assert_eq!(word(&zoo, "02:00.0", pm) & 3, 0);
    // No_Soft_Reset is set on the NVMe disk.
    let pm = capability(&zoo, "01:00.0", 0x01) + 4;
    let before = config(&zoo, "01:00.0");
    for state in [3, 0] {
        write(&zoo, "01:00.0", pm, &[state, 0]);
        zoo.sleep(ms(10));
    }
    assert_eq!(config(&zoo, "01:00.0"), before);
}

#[test]
fn a_secondary_bus_reset_holds_and_resets_what_is_below() {
    let zoo = Simulated::zoo();
    let at = express(&zoo, "00:04.0");
    hold_secondary_bus_reset(&zoo, "00:04.0");
    assert_eq!(read(&zoo, "01:00.0", 0), [0xff; 4]);
    assert_eq!(word(&zoo, "00:04.0", at + 0x12) & 0x2000, 0, "Data Link Layer Link Active is clear");
    zoo.sleep(ms(2));
    let control = word(&zoo, "00:04.0", 0x3e) & !0x40;
    write(&zoo, "00:04.0", 0x3e, &control.to_le_bytes());
    assert_eq!(word(&zoo, "00:04.0", at + 0x12) & 0x2800, 0x0800, "the link trains");
    zoo.sleep(ms(20));
    assert_eq!(word(&zoo, "00:04.0", at + 0x12) & 0x2800, 0x2000, "and is active");
    assert_eq!(word(&zoo, "00:04.0", at + 0x1a) & 0x100, 0x100, "Data Link Layer State Changed");
    zoo.sleep(ms(80));
    assert_eq!(dword(&zoo, "01:00.0", 0), 0x0010_1b36);
    assert_eq!((word(&zoo, "01:00.0", 4), dword(&zoo, "01:00.0", 0x10)), (0, 4));
    assert_eq!(zoo.facts("01:00.0".parse().unwrap()).unwrap().driver.as_deref(), Some("vfio-pci"));
}

#[test]
fn below_a_switch_nobody_answers_until_the_bus_numbers_are_back() {
    let zoo = Simulated::zoo();
    let ports = ["09:00.0", "0a:00.0", "0a:01.0"].map(|port| (port, read::<4>(&zoo, port, 0x18)));
    let switch = config(&zoo, "0a:00.0");
    secondary_bus_reset(&zoo, "00:0c.0");
    zoo.sleep(ms(200));
    assert_eq!(dword(&zoo, "09:00.0", 0), 0x8232_104c, "the upstream port is there");
    for below in ["0a:00.0", "0b:00.0", "0c:00.0"] {
        assert_eq!(read(&zoo, below, 0), [0xff; 4], "{below}");
    }
    for (port, numbers) in ports {
        write(&zoo, port, 0x18, &numbers);
    }
    assert_eq!(dword(&zoo, "0b:00.0", 0), 0x0010_1b36);
    // What the lab saw a port lose besides its header.
    let now = config(&zoo, "0a:00.0");
    let (msi, at) = (usize::from(capability(&zoo, "0a:00.0", 5)), usize::from(express(&zoo, "0a:00.0")));
    for (what, lost) in
        [("MSI address", msi + 7), ("MSI enable", msi + 2), ("DevCtl", at + 8), ("SltCtl", at + 0x18)]
    {
        assert_ne!(now[lost], switch[lost], "{what}");
    }
}

#[test]
fn errors_survive_a_reset_and_not_a_power_cycle() {
    let zoo = Simulated::zoo();
    let aer = extended(&zoo, "02:00.0", 0x01);
    write(&zoo, "02:00.0", aer + 8, &[0x30, 0x20, 0x46, 0x00]);
    secondary_bus_reset(&zoo, "00:05.0");
    zoo.sleep(ms(100));
    assert_eq!(dword(&zoo, "02:00.0", aer + 8), 0x0046_2030, "the mask is sticky");
    let slot = express(&zoo, "00:05.0") + 0x18;
    // Power off, its indicator on: with the indicator off too the card would be let go.
    write(&zoo, "00:05.0", slot, &[0xf1, 0x05]);
    zoo.sleep(ms(100));
    assert_eq!(read(&zoo, "02:00.0", 0), [0xff; 4], "the slot's power is off");
    write(&zoo, "00:05.0", slot, &[0xf1, 0x01]);
    zoo.sleep(ms(100));
    assert_eq!(dword(&zoo, "02:00.0", 0), 0x10d3_8086);
    assert_eq!(dword(&zoo, "02:00.0", aer + 8), 0);
}

#[test]
fn the_kernel_resets_and_restores_by_each_method() {
    for (address, methods) in [
        ("01:00.0", vec!["flr", "bus"]),
        ("02:00.0", vec!["pm", "bus"]),
        ("05:00.0", vec!["flr", "pm", "bus"]),
        ("0b:00.0", vec!["flr", "bus"]),
        ("10:01.0", vec!["bus"]),
    ] {
        for method in methods {
            let zoo = Simulated::zoo();
            let before = config(&zoo, address);
            set(&zoo, address, Attribute::ResetMethod, method).unwrap();
            assert_eq!(kernel_reset(&zoo, address), KernelReset::Done, "{address} {method}");
            assert_eq!(config(&zoo, address), before, "{address} {method}");
            let driver = zoo.facts(address.parse().unwrap()).unwrap().driver;
            assert_eq!(driver, Simulated::zoo().facts(address.parse().unwrap()).unwrap().driver);
        }
    }
}

#[test]
fn the_kernel_waits_for_a_late_device_and_says_so() {
    let zoo = Simulated::zoo().with("01:00.0", Behaviour::ready_after(ms(3_500)));
    let before = config(&zoo, "01:00.0");
    assert_eq!(kernel_reset(&zoo, "01:00.0"), KernelReset::Done);
    assert_eq!(
        log(&zoo),
        [
            "vfio-pci 0000:01:00.0: resetting",
            "vfio-pci 0000:01:00.0: not ready 1023ms after FLR; waiting",
            "vfio-pci 0000:01:00.0: not ready 2047ms after FLR; waiting",
            "vfio-pci 0000:01:00.0: ready 4095ms after FLR",
            "vfio-pci 0000:01:00.0: reset done",
        ]
    );
    assert_eq!(config(&zoo, "01:00.0"), before);
}

#[test]
fn a_device_that_dies_of_flr_is_reset_by_the_next_method_too() {
    let zoo = Simulated::zoo().with("01:00.0", Behaviour::dies_on(ResetKind::FunctionLevel));
    let start = zoo.now();
    assert_eq!(kernel_reset(&zoo, "01:00.0"), KernelReset::Failed { errno: libc::ENOTTY });
    let took = zoo.now() - start;
    // FLR, then by the slot, then by the bridge: three times the kernel waits its 65 s.
    assert!((Duration::from_secs(196)..Duration::from_secs(200)).contains(&took), "{took:?}");
    let log = log(&zoo);
    for tag in ["FLR", "bus reset"] {
        let line = format!("vfio-pci 0000:01:00.0: not ready 65535ms after {tag}; giving up");
        assert!(log.contains(&line), "{line}");
    }
    assert_eq!(read(&zoo, "01:00.0", 0), [0xff; 4]);
}

#[test]
fn a_stale_bus_entry_fails_and_is_gone_after_default() {
    let zoo = Simulated::zoo();
    let address = "0f:00.0".parse().unwrap();
    let before = config(&zoo, "0f:00.0");
    assert_eq!(kernel_reset(&zoo, "0f:00.0"), KernelReset::Failed { errno: libc::ENOTTY });
    assert_eq!(config(&zoo, "0f:00.0"), before);
    let error = set(&zoo, "0f:00.0", Attribute::ResetMethod, "bus").unwrap_err();
    assert_eq!(error.errno(), Some(libc::EINVAL));
    assert!(log(&zoo).contains(&"vfio-pci 0000:0f:00.0: Unsupported reset method 'bus'".into()));
    assert_eq!(zoo.facts(address).unwrap().reset_methods, ResetMethods::Listed(vec!["bus".into()]));
    set(&zoo, "0f:00.0", Attribute::ResetMethod, "default\n").unwrap();
    assert_eq!(zoo.facts(address).unwrap().reset_methods, ResetMethods::Listed(Vec::new()));
    assert_eq!(kernel_reset(&zoo, "0f:00.0"), KernelReset::Failed { errno: libc::ENOTTY });
}

#[test]
fn methods_are_set_as_the_kernel_lets_them_be() {
    let zoo = Simulated::zoo();
    let list = || zoo.attribute("01:00.0".parse().unwrap(), Attribute::ResetMethod).unwrap();
    assert_eq!(list().as_deref(), Some("flr bus"));
    set(&zoo, "01:00.0", Attribute::ResetMethod, "bus flr").unwrap();
    assert_eq!(list().as_deref(), Some("bus flr"));
    for (bad, errno) in [("nonsense", libc::EINVAL), ("pm", libc::EINVAL), ("flr pm", libc::EINVAL)] {
        let error = set(&zoo, "01:00.0", Attribute::ResetMethod, bad).unwrap_err();
        assert_eq!(error.errno(), Some(errno), "{bad}");
        assert_eq!(list().as_deref(), Some("bus flr"));
    }
    set(&zoo, "01:00.0", Attribute::ResetMethod, "").unwrap();
    assert_eq!(list().as_deref(), Some(""));
    set(&zoo, "01:00.0", Attribute::ResetMethod, "default").unwrap();
    assert_eq!(list().as_deref(), Some("flr bus"));
    assert_eq!(zoo.attribute("00:14.0".parse().unwrap(), Attribute::ResetMethod).unwrap(), None);
}

#[test]
fn a_reset_that_outlasts_the_budget_goes_on_and_holds_the_device() {
    let zoo = Simulated::zoo().with("01:00.0", Behaviour::ready_after(Duration::from_secs(20)));
    let address = "01:00.0".parse().unwrap();
    set(&zoo, "01:00.0", Attribute::ResetMethod, "flr").unwrap();
    let start = zoo.now();
    assert_eq!(zoo.kernel_reset(address, Duration::from_secs(5)).unwrap(), KernelReset::StillRunning);
    assert_eq!(zoo.now() - start, Duration::from_secs(5));
    assert!(!log(&zoo).iter().any(|line| line.contains("8191ms")), "what is yet to come isn't in the log");
    assert_eq!(zoo.kernel_reset(address, Duration::from_secs(1)).unwrap(), KernelReset::StillRunning);
    // A write to an attribute waits for the lock.
    set(&zoo, "01:00.0", Attribute::ResetMethod, "flr bus").unwrap();
    assert!(zoo.now() - start > Duration::from_secs(20));
    assert!(log(&zoo).contains(&"vfio-pci 0000:01:00.0: ready 32767ms after FLR".into()), "{:?}", log(&zoo));
    assert_ne!(word(&zoo, "01:00.0", 4), 0, "restored");
}

#[test]
fn a_reset_that_does_nothing_leaves_everything() {
    let zoo = Simulated::zoo().with("01:00.0", Behaviour::reset_does_nothing(ResetKind::FunctionLevel));
    let before = config(&zoo, "01:00.0");
    flr(&zoo, "01:00.0");
    zoo.sleep(ms(100));
    assert_eq!(config(&zoo, "01:00.0"), before);
}

#[test]
fn stuck_transactions_are_waited_for_and_then_not() {
    let zoo =
        Simulated::zoo().with("01:00.0", Behaviour { pending_transactions: true, ..Behaviour::default() });
    assert_eq!(word(&zoo, "01:00.0", express(&zoo, "01:00.0") + 0x0a) & 0x20, 0x20);
    assert_eq!(kernel_reset(&zoo, "01:00.0"), KernelReset::Done);
    let line = "vfio-pci 0000:01:00.0: timed out waiting for pending transaction; performing function level reset anyway";
    assert!(log(&zoo).contains(&line.into()));
}

#[test]
fn a_link_may_come_back_slower() {
    let slow = Behaviour { link_speed_after: Some(1), link_width_after: Some(4), ..Behaviour::default() };
    let host = Simulated::open("x870e-creator").unwrap().with("77:00.0", slow);
    for address in ["00:02.1", "77:00.0"] {
        assert_eq!(word(&host, address, express(&host, address) + 0x12) & 0x3ff, 0x44);
    }
    secondary_bus_reset(&host, "00:02.1");
    host.sleep(ms(100));
    for address in ["00:02.1", "77:00.0"] {
        assert_eq!(word(&host, address, express(&host, address) + 0x12) & 0x3ff, 0x41);
    }
}

#[test]
fn a_slot_without_power_is_dark() {
    let zoo =
        Simulated::zoo().with("01:00.0", Behaviour { slot_power: SlotPower::Off, ..Behaviour::default() });
    assert!(config(&zoo, "01:00.0").iter().all(|&byte| byte == 0xff));
    let slot = express(&zoo, "00:04.0") + 0x18;
    assert_eq!(word(&zoo, "00:04.0", slot), 0x05f1);
    write(&zoo, "00:04.0", slot, &[0xf1, 0x03]);
    zoo.sleep(ms(100));
    assert_eq!((dword(&zoo, "01:00.0", 0), word(&zoo, "01:00.0", 4)), (0x0010_1b36, 0));
    // Power and indicator off: the card is gone for good.
    write(&zoo, "00:04.0", slot, &[0xf1, 0x07]);
    write(&zoo, "00:04.0", slot, &[0xf1, 0x01]);
    zoo.sleep(ms(1_000));
    assert_eq!(read(&zoo, "01:00.0", 0), [0xff; 4]);
    assert_eq!(word(&zoo, "00:04.0", slot + 2) & 0x40, 0, "Presence Detect State");
}

#[test]
fn virtual_functions_live_as_long_as_the_physical_one_enables_them() {
    let zoo = Simulated::zoo();
    assert_eq!(dword(&zoo, "03:10.0", 0), 0xffff_ffff, "ids are the physical function's to tell");
    assert_eq!(word(&zoo, "03:10.0", 0x2c), 0x1af4);
    flr(&zoo, "03:00.0");
    zoo.sleep(ms(100));
    assert_eq!(word(&zoo, "03:10.0", 0x2c), 0xffff);
    let sriov = extended(&zoo, "03:00.0", 0x10);
    write(&zoo, "03:00.0", sriov + 0x10, &[1, 0]);
    write(&zoo, "03:00.0", sriov + 8, &[9, 0]);
    assert_eq!((word(&zoo, "03:10.0", 0x2c), word(&zoo, "03:10.2", 0x2c)), (0x1af4, 0xffff));
}

#[test]
fn what_is_removed_is_found_again_without_what_user_space_had_set() {
    let zoo = Simulated::zoo();
    let address = "01:00.0".parse().unwrap();
    set(&zoo, "01:00.0", Attribute::ResetMethod, "bus").unwrap();
    set(&zoo, "01:00.0", Attribute::DriverOverride, "vfio-pci").unwrap();
    secondary_bus_reset(&zoo, "00:04.0");
    zoo.sleep(ms(100));
    set(&zoo, "01:00.0", Attribute::Remove, "1").unwrap();
    assert!(matches!(zoo.config(address), Err(Error::NoSuchFunction { .. })));
    assert_eq!(zoo.functions().unwrap().len(), 42);
    set(&zoo, "00:04.0", Attribute::Rescan, "1").unwrap();
    let facts = zoo.facts(address).unwrap();
    assert_eq!(facts.driver.as_deref(), Some("nvme"));
    assert_eq!(facts.reset_methods, ResetMethods::Listed(vec!["flr".into(), "bus".into()]));
    assert_eq!(zoo.attribute(address, Attribute::DriverOverride).unwrap().as_deref(), Some("(null)"));
    assert_eq!(
        dword(&zoo, "01:00.0", 0x10),
        dword(&Simulated::zoo(), "01:00.0", 0x10),
        "its addresses are back"
    );
}

#[test]
fn a_function_found_again_after_its_siblings_lists_no_stale_bus() {
    let zoo = Simulated::zoo();
    set(&zoo, "08:00.0", Attribute::Remove, "1").unwrap();
    set(&zoo, "08:00.1", Attribute::Rescan, "1").unwrap();
    let facts = zoo.facts("08:00.0".parse().unwrap()).unwrap();
    assert_eq!(facts.reset_methods, ResetMethods::Listed(vec!["flr".into()]));
}

#[test]
fn a_header_that_nobody_knows_is_ignored_when_it_is_looked_for() {
    let zoo = Simulated::zoo().with("01:00.0", Behaviour { header_7f: true, ..Behaviour::default() });
    set(&zoo, "01:00.0", Attribute::Remove, "1").unwrap();
    set(&zoo, "00:04.0", Attribute::Rescan, "1").unwrap();
    assert!(zoo.facts("01:00.0".parse().unwrap()).is_err());
    assert!(log(&zoo).contains(&"pci 0000:01:00.0: unknown header type 7f, ignoring device".into()));
}

#[test]
fn an_idle_device_sleeps_if_the_host_lets_it() {
    let text = "schema = 1\nhost = { idle_d3 = true }\n\
        [[function]]\naddress = \"00:01.0\"\nvendor = 0x8086\ndevice = 1\nclass = 0x020000\ncommand = 6\n\
        driver = \"vfio-pci\"\ncapabilities = [{ power_management = {} }]\n\
        bars = [{ bar = 0, address = 0xe0000000, size = 4096 }]\n";
    let host = Simulated::from_toml(text, "test").unwrap();
    let state = |host: &Simulated| {
        host.attribute("00:01.0".parse().unwrap(), Attribute::PowerState).unwrap().unwrap()
    };
    assert_eq!((state(&host).as_str(), word(&host, "00:01.0", 0x44) & 3), ("D3hot", 3));
    set(&host, "00:01.0", Attribute::PowerControl, "on").unwrap();
    assert_eq!((state(&host).as_str(), word(&host, "00:01.0", 0x44) & 3), ("D0", 0));
    assert_eq!((word(&host, "00:01.0", 4), dword(&host, "00:01.0", 0x10)), (6, 0xe000_0000), "restored");
    set(&host, "00:01.0", Attribute::PowerControl, "auto").unwrap();
    assert_eq!(state(&host), "D3hot");
    assert_eq!(kernel_reset(&host, "00:01.0"), KernelReset::Done);
    assert_eq!(state(&host), "D3hot");
}

#[test]
fn under_lockdown_configuration_space_cannot_be_written() {
    let text = "schema = 1\nhost = { lockdown = \"integrity\" }\n\
        [[function]]\naddress = \"00:01.0\"\nvendor = 0x8086\ndevice = 1\nclass = 0x020000\n";
    let host = Simulated::from_toml(text, "test").unwrap();
    let error = host.write_config("00:01.0".parse().unwrap(), 4, &[0, 0]).unwrap_err();
    assert!(error.is_permission(), "{error}");
}

#[test]
fn a_resizable_base_decodes_as_much_as_it_says() {
    let host = Simulated::open("x870e-creator").unwrap();
    let control = extended(&host, "02:00.0", 0x15) + 8;
    write(&host, "02:00.0", control + 1, &[8]);
    write(&host, "02:00.0", 0x14, &[0xff; 4]);
    write(&host, "02:00.0", 0x18, &[0xff; 4]);
    assert_eq!(dword(&host, "02:00.0", 0x14), 0xf000_000c, "256 MiB");
    flr(&host, "02:00.0");
    host.sleep(ms(100));
    assert_eq!(read(&host, "02:00.0", control + 1), [14], "back at its default");
}

#[test]
fn advanced_features_reset_a_conventional_function() {
    let text = "schema = 1\n[[function]]\naddress = \"00:01.0\"\nvendor = 0x8086\ndevice = 1\nclass = 0x020000\n\
        command = 6\ncapabilities = [{ advanced_features = { flr = true } }]\n";
    let host = Simulated::from_toml(text, "test").unwrap();
    assert_eq!(
        host.facts("00:01.0".parse().unwrap()).unwrap().reset_methods,
        ResetMethods::Listed(vec!["af_flr".into()])
    );
    write(&host, "00:01.0", 0x44, &[1]);
    assert_eq!(word(&host, "00:01.0", 4), 0xffff);
    host.sleep(ms(100));
    assert_eq!((word(&host, "00:01.0", 4), read(&host, "00:01.0", 0x44)), (0, [0]));
}

#[test]
fn the_same_steps_give_the_same_machine_at_the_same_time_also_from_a_saved_state() {
    let steps = |machine: &Simulated, stop: bool| {
        flr(machine, "05:00.0");
        machine.sleep(ms(30));
        secondary_bus_reset(machine, "00:0c.0");
        machine.sleep(ms(7));
        let machine = if stop {
            let text = serde_json::to_string(&machine.save_state()).unwrap();
            let again = Simulated::zoo();
            again.load_state(&serde_json::from_str(&text).unwrap(), "state.json").unwrap();
            again
        } else {
            let same = Simulated::zoo();
            same.load_state(&machine.save_state(), "state.json").unwrap();
            same
        };
        set(&machine, "02:00.0", Attribute::ResetMethod, "bus").unwrap();
        kernel_reset(&machine, "02:00.0");
        machine
    };
    let (one, two) = (steps(&Simulated::zoo(), false), steps(&Simulated::zoo(), true));
    assert_eq!(one.now(), two.now());
    assert_eq!(one.save_state(), two.save_state());
    let error = Simulated::open("elysium").unwrap().load_state(&one.save_state(), "state.json").unwrap_err();
    assert!(error.to_string().contains("sim:zoo"), "{error}");
    assert!(Simulated::zoo().load_state(&serde_json::json!([1, 2]), "state.json").is_err());
}

/// A function that is nothing but ids, Power Management and a counter of its resets in its revision.
struct Counter {
    registers: Vec<u8>,
}

impl FunctionModel for Counter {
    fn config_size(&self) -> usize {
        self.registers.len()
    }

    fn read_config(&mut self, _: Duration, offset: u16, bytes: &mut [u8]) -> Completion {
        for (at, byte) in (usize::from(offset)..).zip(bytes) {
            *byte = self.registers.get(at).copied().unwrap_or(0);
        }
        Completion::Successful
    }

    fn write_config(&mut self, now: Duration, offset: u16, bytes: &[u8]) -> Option<ResetKind> {
        let before = self.registers[0x44] & 3;
        if offset == 0x44 {
            self.registers[0x44] = bytes[0] & 3;
        }
        (before == 3 && self.registers[0x44] == 0).then(|| {
            self.reset(now, ResetKind::D3hotToD0);
            ResetKind::D3hotToD0
        })
    }

    fn read_bar(&mut self, _: Duration, bar: u8, offset: u64, bytes: &mut [u8]) -> Completion {
        bytes.fill(bar + offset as u8);
        Completion::Successful
    }

    fn write_bar(&mut self, _: Duration, _: u8, _: u64, _: &[u8]) {}

    fn reset(&mut self, _: Duration, _: ResetKind) {
        self.registers[8] += 1;
    }

    fn registers(&self) -> &[u8] {
        &self.registers
    }

    fn set_hardware_bits(&mut self, _: u16, _: u16, _: u16) {}

    fn answers(&self, _: Duration) -> bool {
        true
    }

    fn save(&self) -> serde_json::Value {
        self.registers.clone().into()
    }

    fn load(&mut self, state: &serde_json::Value) -> Result<(), String> {
        self.registers = serde_json::from_value(state.clone()).map_err(|error| error.to_string())?;
        Ok(())
    }
}

#[test]
fn a_model_of_ones_own_is_listed_reset_and_kept() {
    let zoo = || {
        let zoo = Simulated::zoo();
        let mut registers = vec![0; 256];
        registers[..8].copy_from_slice(&[0xad, 0xde, 0xef, 0xbe, 0, 0, 0x10, 0]);
        registers[0x34] = 0x40;
        registers[0x40] = 1;
        zoo.set_model("01:00.0".parse().unwrap(), Box::new(Counter { registers })).unwrap();
        zoo
    };
    let machine = zoo();
    let facts = machine.facts("01:00.0".parse().unwrap()).unwrap();
    assert_eq!(facts.reset_methods, ResetMethods::Listed(vec!["pm".into(), "bus".into()]));
    assert_eq!(kernel_reset(&machine, "01:00.0"), KernelReset::Done);
    secondary_bus_reset(&machine, "00:04.0");
    machine.sleep(ms(100));
    assert_eq!(read(&machine, "01:00.0", 8), [2]);
    let again = zoo();
    again.load_state(&machine.save_state(), "state.json").unwrap();
    assert_eq!(read(&again, "01:00.0", 8), [2]);
    assert!(
        machine.set_model("00:04.0".parse().unwrap(), Box::new(Counter { registers: Vec::new() })).is_err()
    );
}

#[test]
fn a_machine_with_4096_functions_is_quick() {
    let mut text = String::from("schema = 1\n");
    for bus in 1..=16 {
        text.push_str(&format!(
            "[[function]]\naddress = \"00:{bus:02x}.0\"\nvendor = 1\ndevice = 1\nclass = 0x060400\n\
             bridge = {{ secondary = {bus}, subordinate = {bus} }}\n\
             capabilities = [{{ pci_express = {{ port = \"root_port\" }} }}]\n"
        ));
        for devfn in 0..255 {
            text.push_str(&format!(
                "[[function]]\naddress = \"{bus:02x}:{:02x}.{}\"\nvendor = 1\ndevice = 2\nclass = 0x020000\n\
                 capabilities = [{{ pci_express = {{ flr = true }} }}]\n",
                devfn >> 3,
                devfn & 7
            ));
        }
    }
    let start = std::time::Instant::now();
    let machine = Simulated::from_toml(&text, "big").unwrap();
    let functions = machine.functions().unwrap();
    assert_eq!(functions.len(), 4096);
    for address in functions {
        machine.config(address).unwrap();
        machine.facts(address).unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    eprintln!("{:?}", start.elapsed());
}

const WITH_MEMORY: &str = r#"
    schema = 1
    [[function]]
    address = "00:01.0"
    vendor = 0x8086
    device = 0x1901
    class = 0x060400
    command = 0x0007
    bridge = { secondary = 1, subordinate = 1, memory = [0xe0000000, 0xe00fffff] }
    capabilities = [{ pci_express = { port = "root_port", max_speed = 3, link_active_reporting = true } }]
    [[function]]
    address = "01:00.0"
    vendor = 0x144d
    device = 0xa808
    class = 0x010802
    command = 0x0006
    bars = [{ bar = 0, kind = "memory64", address = 0xe0000000, size = 0x4000 }]
    capabilities = [{ power_management = { no_soft_reset = true } }, { pci_express = { flr = true } }, { msi_x = { vectors = 200 } }]
"#;

fn memory(machine: &Simulated) -> [u8; 6] {
    let mut bytes = [0; 6];
    machine.read_bar("01:00.0".parse().unwrap(), 0, 0x100, &mut bytes).unwrap();
    bytes
}

#[test]
fn memory_is_decoded_only_where_requests_get_through() {
    const KEPT: [u8; 6] = [1, 2, 3, 4, 5, 6];
    let address = "01:00.0".parse().unwrap();
    let machine = Simulated::from_toml(WITH_MEMORY, "").unwrap();
    let before = machine.now();
    machine.write_bar(address, 0, 0x100, &KEPT).unwrap();
    assert_eq!(machine.now() - before, Duration::from_micros(2));
    assert_eq!(memory(&machine), KEPT);
    let space = config(&machine, "01:00.0");
    let pm = usize::from(space[0x34]);
    let pm_control = pm as u16 + 4;

    // Each of these stands in the way, and with it gone the memory is as it was.
    for (function, offset, off, on) in [
        ("01:00.0", 0x04, [0x04, 0], [0x06, 0]),
        ("01:00.0", pm_control, [0x0b, 0], [0x08, 0]),
        ("01:00.0", 0x12, [0x10, 0xe0], [0x00, 0xe0]),
        ("00:01.0", 0x04, [0x05, 0], [0x07, 0]),
        ("00:01.0", 0x22, [0, 0], [0, 0xe0]),
        ("00:01.0", 0x18, [0, 2], [0, 1]),
    ] {
        write(&machine, function, offset, &off);
        machine.sleep(ms(20));
        assert_eq!(memory(&machine), [0xff; 6], "{function} {offset:#x}");
        write(&machine, function, offset, &on);
        machine.sleep(ms(20));
        assert_eq!(memory(&machine), KEPT, "{function} {offset:#x}");
    }
    let mut beyond = [0; 4];
    machine.read_bar(address, 0, 0x4000, &mut beyond).unwrap();
    assert_eq!(beyond, [0xff; 4]);
    machine.read_bar(address, 2, 0, &mut beyond).unwrap();
    assert_eq!(beyond, [0xff; 4]);

    machine.kernel_reset(address, LONG).unwrap();
    assert_eq!(memory(&machine), [0; 6], "a reset has cost it its content");
}

#[test]
fn a_model_gets_the_accesses_to_its_memory() {
    let machine = Simulated::from_toml(WITH_MEMORY, "").unwrap();
    let registers = config(&machine, "01:00.0");
    machine.set_model("01:00.0".parse().unwrap(), Box::new(Counter { registers })).unwrap();
    let mut bytes = [0; 6];
    machine.read_bar("01:00.0".parse().unwrap(), 0, 0x10, &mut bytes).unwrap();
    assert_eq!(bytes, [0x10, 0x10, 0x10, 0x10, 0x14, 0x14]);
}

#[test]
fn a_long_read_is_one_access_a_dword() {
    let machine = Simulated::zoo();
    let before = machine.now();
    let size = config(&machine, "01:00.0").len();
    // The first takes a microsecond, each further one a hundredth of that.
    assert_eq!(machine.now() - before, Duration::from_nanos(1_000 + 10 * (size as u64 / 4 - 1)));
}

#[test]
fn the_pending_bits_are_behind_the_vectors() {
    let space = config(&Simulated::from_toml(WITH_MEMORY, "").unwrap(), "01:00.0");
    let space = pcicfg::ConfigSpace::new(&space).unwrap();
    let msi_x = space.capabilities().map(Result::unwrap).find(|c| c.id().0 == 0x11).unwrap();
    let at = usize::from(msi_x.offset()) + 8;
    assert_eq!(space.bytes()[at..at + 4], 3200_u32.to_le_bytes());
}

#[test]
fn an_access_behind_a_bar_is_one_that_a_register_understands() {
    let machine = Simulated::zoo();
    let address = "01:00.0".parse().unwrap();
    for (bar, offset, length) in [(0, 2, 4), (0, 1, 2), (0, 6, 5), (0, 0, 0), (7, 0, 4), (0, u64::MAX - 3, 8)]
    {
        let mut bytes = vec![0; length];
        let error = machine.read_bar(address, bar, offset, &mut bytes).unwrap_err().to_string();
        assert!(error.contains("aligned"), "{bar} {offset:#x} {length}: {error}");
        assert!(machine.write_bar(address, bar, offset, &bytes).is_err());
    }
    machine.read_bar(address, 0, 2, &mut [0; 2]).unwrap();
}
