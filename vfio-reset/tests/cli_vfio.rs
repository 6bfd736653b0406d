//! The commands that open a device or read behind its BARs, run as a user runs them.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::{ALL, endpoint, port};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What resets nothing alone.
const NO_RESET: &str = "{ pci_express = { max_speed = 3, max_width = 4 } }";

fn run(arguments: &[&str]) -> Output {
    run_on("sim:zoo", arguments)
}

fn run_on(machine: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vfio-reset"));
    command.args(["--machine", machine]).args(arguments).stdin(Stdio::null()).output().unwrap()
}

/// Writes a description of these functions.
fn machine(folder: &Path, functions: &str) -> String {
    let path = folder.join("machine.toml");
    std::fs::write(&path, format!("schema = 1\n{functions}")).unwrap();
    path.to_str().unwrap().to_string()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn json(arguments: &[&str]) -> Value {
    let output = run(&[&["--json"], arguments].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_device_is_opened_shown_and_closed() {
    let output = run(&["vfio", "0f:00.0"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    for words in ["open through VFIO (group)", "no method for it alone", "BAR 0", "0000:0f:00.1", "closed in"]
    {
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    }
    let document = json(&["vfio", "01:00.0"]);
    assert_eq!(document["can_reset"], true);
    assert_eq!(document["hot_reset"][0]["address"], "0000:01:00.0");
    assert!(document["open_ms"].as_f64().unwrap() >= 100.0, "opening is a function level reset");
}

#[test]
fn what_cannot_be_opened_is_explained_with_its_exit_code() {
    for (code, arguments, words) in [
        (3, &["vfio", "03:00.0"][..], "driver igb is bound"),
        (2, &["vfio", "7f:00.0"], "no function"),
        (2, &["vfio", "01:00.0", "--vfio", "both"], "group and cdev"),
        (2, &["peek", "01:00.0", "0", "2"], "aligned"),
        (2, &["peek", "01:00.0", "7", "0"], "7"),
        (2, &["peek", "01:00.0", "0", "0xzz"], "expected a number"),
        (2, &["peek", "01:00.0", "0", "0", "--mapped"], "--vfio"),
        (2, &["peek", "01:00.0", "0", "0", "--vfio", "group", "--mapped"], "cannot be mapped"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(words), "{arguments:?}: {}", said(&output));
    }
    assert_eq!(json(&["vfio", "03:00.0"])["outcome"], "refused");
}

#[test]
fn registers_are_read_both_ways_and_a_reset_for_it_is_told() {
    for (arguments, told) in [
        (&["peek", "01:00.0", "0", "0x10", "2"][..], ""),
        (
            &["peek", "01:00.0", "0", "16", "2", "--vfio", "group"],
            "note: opening 0000:01:00.0 reset it, and closing it reset it again",
        ),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let lines: Vec<String> =
            String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].starts_with("0x10: ") && lines[1].starts_with("0x14: "), "{lines:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap().trim_end(), told);
    }
    assert_eq!(json(&["peek", "01:00.0", "0", "0"])["registers"][0]["offset"], 0);
    assert_eq!(json(&["peek", "01:00.0", "0", "0", "--vfio", "group"])["resets"], true);
    let output = run(&["peek", "0f:00.0", "0", "0", "--vfio", "group"]);
    assert!(said(&output).contains("whole bus"), "{}", said(&output));
}

#[test]
fn nobody_is_told_to_bind_what_the_host_needs_to_vfio() {
    for (code, arguments, words) in [
        // A bridge: its port driver would lose the link, and no VFIO driver takes it.
        (3, &["vfio", "09:00.0"][..], "a bridge, which VFIO cannot own"),
        (3, &["peek", "09:00.0", "0", "0", "--vfio", "group"], "a bridge, which VFIO cannot own"),
        (4, &["reset", "09:00.0", "--method", "vfio_reset"], "which no VFIO driver binds to"),
        (4, &["reset", "09:00.0", "--method", "hot_reset"], "which no VFIO driver binds to"),
        (0, &["plan", "09:00.0", "--via", "vfio"], "No way"),
        // The host bridge is no bridge by its header, and still not to be given away.
        (3, &["vfio", "00:00.0"], "part of the chipset"),
        (3, &["vfio", "03:00.0"], "leave it alone: the network interface enp3s0 is up"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(words), "{arguments:?}: {}", said(&output));
        for advice in ["driver_override", "unbind", "drivers_probe"] {
            assert!(!said(&output).contains(advice), "{arguments:?}: {}", said(&output));
        }
    }
    assert_eq!(json(&["peek", "09:00.0", "0", "0", "--vfio", "group"])["outcome"], "refused");
}

#[test]
fn who_uses_a_device_is_named_whether_it_has_a_reset_of_its_own_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let mount = "users = [{ kind = \"mount\", device = \"sda1\", path = \"/\" }]";
    let machine_user = "users = [{ kind = \"vfio\", pid = 4711, command = \"qemu-system-x86\" }]";
    for capabilities in [NO_RESET, ALL] {
        for (more, words, advice) in [
            (
                format!("driver = \"ahci\"\niommu_group = 20\n{mount}"),
                "leave it alone: sda1 is mounted on /",
                0,
            ),
            (
                format!("driver = \"vfio-pci\"\niommu_group = 20\n{machine_user}"),
                "process 4711 (qemu-system-x86)",
                0,
            ),
            ("driver = \"ahci\"\niommu_group = 20".to_string(), "bind it: ", 1),
        ] {
            let functions = port("") + &endpoint("0000:01:00.0", capabilities, &more);
            let host = machine(folder.path(), &functions);
            for arguments in [&["vfio", "01:00.0"][..], &["peek", "01:00.0", "0", "0", "--vfio", "group"]] {
                let output = run_on(&host, arguments);
                assert_eq!(output.status.code(), Some(3), "{more}: {}", said(&output));
                assert!(said(&output).contains(words), "{more}: {}", said(&output));
                assert_eq!(said(&output).matches("driver_override").count(), advice, "{}", said(&output));
            }
        }
    }
    // Whoever has another function of the group has the group; and what the host uses there stays.
    for (second, words) in [
        (
            format!("driver = \"vfio-pci\"\niommu_group = 20\n{machine_user}"),
            "process 4711 (qemu-system-x86)",
        ),
        (format!("driver = \"ahci\"\niommu_group = 20\n{mount}"), "leave both alone: sda1 is mounted on /"),
    ] {
        let functions = endpoint("0000:00:02.0", NO_RESET, "driver = \"vfio-pci\"\niommu_group = 20")
            + &endpoint("0000:00:03.0", ALL, &second);
        let output = run_on(&machine(folder.path(), &functions), &["vfio", "00:02.0"]);
        assert_eq!(output.status.code(), Some(3), "{second}: {}", said(&output));
        assert!(said(&output).contains(words), "{second}: {}", said(&output));
        assert!(!said(&output).contains("driver_override"), "{}", said(&output));
    }
}

#[test]
fn a_device_that_is_late_is_told_with_what_was_read_and_which_reset_it_is() {
    let folder = tempfile::tempdir().unwrap();
    // Not alone on its bus, so that the kernel has no method for it; closing resets the bus.
    let more = "multi_function = true\ndriver = \"vfio-pci\"\niommu_group = 20";
    let dies = format!("{more}\nbehaviour = {{ dies_on = [\"bus\"] }}");
    let pair =
        port("") + &endpoint("0000:01:00.0", NO_RESET, &dies) + &endpoint("0000:01:00.1", NO_RESET, more);
    let closing = machine(folder.path(), &pair);
    let peek = ["peek", "01:00.0", "0", "0x10", "--vfio", "group", "--budget", "2s"];
    let output = run_on(&closing, &peek);
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("0x10: "), "{}", said(&output));
    assert!(
        said(&output).contains("within 2.0 s") && said(&output).contains("closing it is"),
        "{}",
        said(&output)
    );
    let document: Value =
        serde_json::from_slice(&run_on(&closing, &[&["--json"], &peek[..]].concat()).stdout).unwrap();
    assert_eq!((&document["during"], &document["exit_code"]), (&"closing".into(), &6.into()));
    assert_eq!(document["registers"][0]["offset"], 0x10);
    // Neither of what could be read nor of what was late is kept quiet.
    let beyond = ["--json", "peek", "01:00.0", "3", "0", "--vfio", "group", "--budget", "2s"];
    let output = run_on(&closing, &beyond);
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(6));
    assert!(document["error"].as_str().unwrap().contains("leaves the region"), "{document}");
    let output = run_on(&closing, &["vfio", "01:00.0", "--budget", "2s"]);
    assert_eq!(output.status.code(), Some(6), "{}", said(&output));
    assert!(
        said(&output).contains("Regions") && said(&output).contains("closing it is"),
        "{}",
        said(&output)
    );

    let dies = "driver = \"vfio-pci\"\niommu_group = 20\nbehaviour = { dies_on = [\"flr\"] }";
    let opening = machine(folder.path(), &(port("") + &endpoint("0000:01:00.0", ALL, dies)));
    for arguments in [&peek[..], &["vfio", "01:00.0", "--budget", "2s"]] {
        let output = run_on(&opening, &[&["--json"], arguments].concat());
        assert_eq!(output.status.code(), Some(6), "{}", said(&output));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (&document["during"], &document["outcome"]),
            (&"opening".into(), &"kernel_still_waiting".into())
        );
    }
}

#[test]
fn a_rom_is_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    let whole = place("rom");
    let output = run(&["--json", "vfio", "0f:00.0", "--rom", &whole]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["rom"]["bytes"], std::fs::metadata(&whole).unwrap().len());

    // A device without one: an error, and no empty file.
    let none = place("none");
    let output = run(&["vfio", "01:00.0", "--rom", &none]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("has no expansion ROM"), "{}", said(&output));
    assert!(!Path::new(&none).exists());

    // A file that exists is found out before the device is reset for it.
    let state = place("state");
    let output = run(&["--machine-state", &state, "vfio", "0f:00.0", "--rom", &whole]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(!said(&output).contains("open through VFIO"), "{}", said(&output));
    // One that is refused leaves none either.
    let output = run(&["vfio", "03:00.0", "--rom", &none]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    assert!(!Path::new(&none).exists());
}

#[test]
fn a_device_without_a_file_of_its_own_is_opened_by_its_group_unless_the_user_says_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let ours = "driver = \"vfio-pci\"\niommu_group = 20\nbehaviour = { vfio = { no_device_file = true } }";
    let host = "[host]\nvfio = { group = true, cdev = true }\n";
    let device = port("") + &endpoint("0000:01:00.0", ALL, ours);
    let without_groups = host.replace("group = true", "group = false");
    let output = run_on(&machine(folder.path(), &(without_groups + &device)), &["--json", "vfio", "01:00.0"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    // What has failed is told, and not what nobody could have opened.
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["error"].as_str().unwrap().contains("has no VFIO device file"), "{document}");
    assert!(!said(&output).contains("/dev/vfio/vfio"), "{}", said(&output));
    let machine = machine(folder.path(), &(host.to_string() + &device));
    let output = run_on(&machine, &["vfio", "01:00.0"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("open through VFIO (group)"), "{}", said(&output));
    assert!(said(&output).contains("its group was opened instead"), "{}", said(&output));
    let output = run_on(&machine, &["vfio", "01:00.0", "--vfio", "cdev"]);
    assert_ne!(output.status.code(), Some(0));
    assert!(said(&output).contains("--vfio group"), "{}", said(&output));
    assert!(!said(&output).contains("instead"), "{}", said(&output));
}

#[test]
fn a_device_that_does_not_answer_is_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let gone = "driver = \"vfio-pci\"\niommu_group = 20\nbehaviour = { all_ones = true }";
    let host = machine(folder.path(), &(port("") + &endpoint("0000:01:00.0", ALL, gone)));
    let reset = run_on(&host, &["reset", "01:00.0"]);
    let why = String::from_utf8_lossy(&reset.stderr).lines().nth(1).unwrap().to_owned();
    for arguments in [&["vfio", "01:00.0"][..], &["peek", "01:00.0", "0", "0", "--vfio", "group"]] {
        let output = run_on(&host, arguments);
        assert_eq!(output.status.code(), reset.status.code(), "{}", said(&output));
        assert_eq!(output.status.code(), Some(6), "{}", said(&output));
        // The same words as of a reset.
        assert!(said(&output).contains("nothing was touched") && said(&output).contains(&why), "{why}");
        let output = run_on(&host, &[&["--json"], arguments].concat());
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&document["outcome"], &document["exit_code"]), (&"not_present".into(), &6.into()));
    }
}

#[test]
fn what_is_not_ours_yet_is_told_as_the_interface_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let ours = |group| format!("multi_function = true\ndriver = \"vfio-pci\"\niommu_group = {group}");
    let pair =
        port("") + &endpoint("0000:01:00.0", ALL, &ours(20)) + &endpoint("0000:01:00.1", ALL, &ours(21));
    let host =
        machine(folder.path(), &("[host]\nvfio = { group = true, cdev = true }\n".to_string() + &pair));
    for (interface, words) in
        [("group", "not ours yet: its group is not open"), ("cdev", "not ours yet: no function of its group")]
    {
        let output = run_on(&host, &["vfio", "01:00.0", "--vfio", interface]);
        assert!(said(&output).contains(words), "{}", said(&output));
    }
}
