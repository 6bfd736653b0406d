//! What is captured of a host opens as the same host.

// Helpers of tests are no tests to clippy, so its exception for them does not reach them.
#![allow(clippy::unwrap_used)]

#[allow(dead_code)]
#[path = "live/tree.rs"]
mod tree;

use std::fs;
use std::path::Path;
use std::time::Duration;
use tree::{Tree, config};
use vfio_reset::capture::{CaptureSummary, capture};
use vfio_reset::machine::captured::Captured;
use vfio_reset::machine::{Attribute, LogMark, MachineKind};
use vfio_reset::{Error, Inventory, Machine};

/// A host with a bridge, a disk that is mounted, a function whose facts are few, and one in a domain of
/// its own.
fn host() -> Tree {
    let tree = Tree::new();
    tree.function("pci0000:00/0000:00:01.0", &config(0x000c_1b36, 4096)).driver("pcieport").group(1);
    let nvme = "pci0000:00/0000:00:01.0/0000:01:00.0";
    tree.function(nvme, &config(0x0010_1b36, 4096))
        .driver("nvme")
        .group(17)
        .file("reset_method", "flr bus\n")
        .file("power_state", "D0\n")
        .file("resource", &"0x00000000fc500000 0x00000000fc507fff 0x0000000000140204\n".repeat(7))
        .link("virtfn0", "../0000:01:00.1");
    tree.class("block", &format!("{nvme}/nvme/nvme0/nvme0n1"));
    tree.file("proc/mounts", "/dev/nvme0n1 /data ext4 rw 0 0\n");
    tree.function("pci0000:00/0000:00:1f.0", &config(0x2918_8086, 256));
    tree.function("pci10000:e0/10000:e0:06.0", &config(0x1234_8086, 64));
    tree.file("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
    tree.file(
        "dev/kmsg",
        "6,1,1500000,-;pci 0000:01:00.0: enabling\n6,2,2000000,-;usb 1-1: SerialNumber: 12\n",
    );
    tree
}

fn assert_same(a: &dyn Machine, b: &dyn Machine) {
    assert_eq!(a.functions().unwrap(), b.functions().unwrap());
    assert_eq!(a.host().unwrap(), b.host().unwrap());
    for address in a.functions().unwrap() {
        assert_eq!(a.facts(address).unwrap(), b.facts(address).unwrap(), "{address}");
        assert_eq!(a.users(address).unwrap(), b.users(address).unwrap(), "{address}");
        assert_eq!(a.config(address).unwrap(), b.config(address).unwrap(), "{address}");
        for attribute in [Attribute::ResetMethod, Attribute::PowerState] {
            assert_eq!(a.attribute(address, attribute).unwrap(), b.attribute(address, attribute).unwrap());
        }
    }
}

fn check(target: &Path) -> CaptureSummary {
    let tree = host();
    let live = tree.live();
    let summary = capture(&live, target).unwrap();
    let captured = Captured::open(target).unwrap();
    assert_same(&live, &captured);
    assert_eq!(captured.kind(), MachineKind::Captured);
    assert_eq!(captured.warnings(), [""; 0]);
    assert_eq!(captured.manifest().unwrap().machine, live.name());
    let log = captured.kernel_log(LogMark::default()).unwrap();
    assert_eq!(log.len(), 1);
    assert_eq!(
        (log[0].time, log[0].text.as_str()),
        (Duration::from_millis(1500), "pci 0000:01:00.0: enabling")
    );
    assert_eq!(captured.kernel_log(captured.kernel_log_mark()).unwrap(), []);
    summary
}

#[test]
fn a_folder_and_an_archive_open_as_the_host_that_was_captured() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["capture", "capture.tar.gz", "capture.tgz"] {
        let summary = check(&folder.path().join(name));
        assert_eq!(
            (summary.functions, summary.header_only, summary.log_lines, summary.log_lines_left_out),
            (4, 1, 1, 1)
        );
        assert_eq!(summary.unreadable, [""; 0]);
    }
}

#[test]
fn a_capture_of_a_capture_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a"), folder.path().join("b.tar.gz"));
    capture(&host().live(), &first).unwrap();
    capture(&Captured::open(&first).unwrap(), &second).unwrap();
    assert_same(&Captured::open(&first).unwrap(), &Captured::open(&second).unwrap());
}

#[test]
fn the_dump_alone_is_a_machine_too() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("capture");
    let tree = host();
    capture(&tree.live(), &target).unwrap();
    let captured = Captured::open(&target.join("lspci-xxxx.txt")).unwrap();
    for address in tree.live().functions().unwrap() {
        assert_eq!(captured.config(address).unwrap(), tree.live().config(address).unwrap());
    }
    let text = fs::read_to_string(target.join("lspci-xxxx.txt")).unwrap();
    assert!(text.contains("\n0000:01:00.0 "), "with domains");
    assert!(text.contains("[1b36:0010]\n00: 36 1b 10 00 "), "as lspci -nn");
}

#[test]
fn what_exists_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["capture", "capture.tar.gz"] {
        let target = folder.path().join(name);
        fs::write(&target, "precious").unwrap();
        let error = capture(&host().live(), &target).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("overwrites nothing"), "{error}");
        assert_eq!(fs::read(&target).unwrap(), b"precious");
    }
    let error = capture(&host().live(), &folder.path().join("no/such/folder")).unwrap_err();
    assert!(matches!(error, Error::Write { .. }), "{error}");
}

#[test]
fn what_cannot_be_read_is_noted_and_stepped_over() {
    let tree = host();
    // A file is no folder: reading it fails, whoever reads.
    let path = tree.path("sys/bus/pci/devices/0000:00:1f.0/config");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("capture");
    let summary = capture(&tree.live(), &target).unwrap();
    assert_eq!(summary.functions, 4);
    let [note] = summary.unreadable.try_into().unwrap();
    assert!(note.contains("configuration space") && note.contains("0000:00:1f.0/config"), "{note}");

    let captured = Captured::open(&target).unwrap();
    assert_eq!(captured.functions().unwrap().len(), 4);
    let error = captured.config("00:1f.0".parse().unwrap()).unwrap_err().to_string();
    assert!(error.contains("could not be read when this was recorded"), "{error}");
    // The others can be looked at.
    assert_eq!(Inventory::read(&captured).unwrap().functions().len(), 3);
    let [warning] = captured.warnings() else { panic!("{:?}", captured.warnings()) };
    assert!(warning.contains("0000:00:1f.0") && warning.ends_with("it is left out"), "{warning}");
    assert_eq!(captured.manifest().unwrap().unreadable, [note]);
}

#[test]
fn a_host_without_functions_is_a_capture_too() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("capture.tar.gz");
    capture(&Tree::new().live(), &target).unwrap();
    assert_eq!(Captured::open(&target).unwrap().functions().unwrap(), []);
}
