//! VFIO and BARs of the live machine, on made-up hosts: what is found, what is refused, and what is said.

#![allow(clippy::unwrap_used)]
#![allow(dead_code, reason = "the made-up host has more than is used here")]

#[path = "live/tree.rs"]
mod tree;

use pcicfg::Address;
use std::fs;
use std::time::Duration;
use tree::{Tree, config};
use vfio_reset::machine::vfio::{VfioError, VfioFacts, VfioInterface, VfioOperation, VfioRequest};
use vfio_reset::{Error, Machine};

const NVME: &str = "pci0000:00/0000:00:01.0/0000:01:00.0";

fn nvme() -> Address {
    "01:00.0".parse().unwrap()
}

fn refused(tree: &Tree, interface: VfioInterface) -> VfioError {
    let request = VfioRequest { address: nvme(), interface, also: &[], budget: Duration::from_secs(5) };
    match tree.live().open_vfio(&request) {
        Err(Error::Vfio(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a made-up host has no VFIO"),
    }
}

#[test]
fn the_host_is_asked_which_interfaces_there_are() {
    let tree = Tree::new();
    let facts = |tree: &Tree| tree.live().host().unwrap().vfio.unwrap();
    assert_eq!(facts(&tree), VfioFacts { group: false, cdev: false });
    tree.file("dev/vfio/vfio", "");
    assert_eq!(facts(&tree).preferred(), Some(VfioInterface::Group));
    tree.file("dev/iommu", "");
    assert_eq!(facts(&tree).preferred(), Some(VfioInterface::Group), "no function is bound yet");
    tree.file("dev/vfio/devices/vfio0", "");
    assert_eq!(facts(&tree).preferred(), Some(VfioInterface::Cdev));
}

#[test]
fn each_step_of_opening_by_group_is_told_apart() {
    let tree = Tree::new();
    tree.function(NVME, &config(1, 4096)).driver("vfio-pci").group(17);
    let error = refused(&tree, VfioInterface::Group);
    assert_eq!((error.operation, error.errno), (VfioOperation::OpenContainer, libc::ENOENT));
    assert!(error.to_string().contains("modprobe vfio-pci"), "{error}");
    // A file that is not VFIO's.
    tree.file("dev/vfio/vfio", "");
    let error = refused(&tree, VfioInterface::Group);
    assert_eq!((error.operation, error.errno), (VfioOperation::OpenContainer, libc::ENOTTY));
    // Nobody waits for the other end of a FIFO.
    fs::remove_file(tree.path("dev/vfio/vfio")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(tree.path("dev/vfio/vfio")).status().unwrap();
    assert!(made.success());
    assert_eq!(refused(&tree, VfioInterface::Group).operation, VfioOperation::OpenContainer);
}

#[test]
fn each_step_of_opening_by_iommufd_is_told_apart() {
    let tree = Tree::new();
    tree.function(NVME, &config(1, 4096)).driver("vfio-pci").group(17);
    let error = refused(&tree, VfioInterface::Cdev);
    assert_eq!((error.operation, error.errno), (VfioOperation::OpenIommufd, libc::ENOENT));
    tree.file("dev/iommu", "");
    let error = refused(&tree, VfioInterface::Cdev);
    assert_eq!((error.operation, error.errno), (VfioOperation::OpenCdev, libc::ENOENT));
    assert!(error.to_string().contains("--vfio group"), "{error}");
    tree.file("sys/devices/pci0000:00/0000:00:01.0/0000:01:00.0/vfio-dev/vfio3/dev", "511:3\n");
    let error = refused(&tree, VfioInterface::Cdev);
    assert_eq!((error.operation, error.errno), (VfioOperation::OpenCdev, libc::ENOENT));
    assert!(error.to_string().contains("dev/vfio/devices/vfio3"), "{error}");
    tree.file("dev/vfio/devices/vfio3", "");
    let error = refused(&tree, VfioInterface::Cdev);
    assert_eq!((error.operation, error.errno), (VfioOperation::BindIommufd, libc::ENOTTY));
}

#[test]
fn a_function_that_is_not_there_is_that_and_nothing_else() {
    let tree = Tree::new();
    let request =
        VfioRequest { address: nvme(), interface: VfioInterface::Group, also: &[], budget: Duration::ZERO };
    assert!(matches!(tree.live().open_vfio(&request), Err(Error::NoSuchFunction { .. })));
    assert!(matches!(tree.live().read_bar(nvme(), 0, 0, &mut [0; 4]), Err(Error::NoSuchFunction { .. })));
}

/// A function with 8 KiB behind BAR 0 and 16 bytes, in the middle of a page, behind BAR 2.
fn with_bars(tree: &Tree, command: u16) {
    let mut space = config(0x0010_1b36, 256);
    space[4..6].copy_from_slice(&command.to_le_bytes());
    // No list of capabilities, and a header of the common type.
    space[6..8].fill(0);
    space[0x0e] = 0;
    let lines = [
        "0x00000000fe600000 0x00000000fe601fff 0x0000000000040200",
        "0x0000000000000000 0x0000000000000000 0x0000000000000000",
        "0x00000000fe603040 0x00000000fe60304f 0x0000000000040200",
        "0x000000000000e000 0x000000000000e00f 0x0000000000040101",
    ];
    tree.function(NVME, &space).file("resource", &(lines.join("\n") + "\n"));
    let memory: Vec<u8> = (0..8192_u32).map(|i| (i / 4) as u8).collect();
    tree.file(&format!("sys/devices/{NVME}/resource0"), memory);
    tree.file(&format!("sys/devices/{NVME}/resource2"), [0x5a; 4096]);
    tree.file(&format!("sys/devices/{NVME}/resource3"), [0x33; 16]);
}

#[test]
fn memory_behind_a_bar_is_read_and_written_where_the_function_decodes_it() {
    let tree = Tree::new();
    with_bars(&tree, 0x0006);
    let live = tree.live();
    let mut bytes = [0; 11];
    live.read_bar(nvme(), 0, 0x20, &mut bytes).unwrap();
    assert_eq!(bytes, [8, 8, 8, 8, 9, 9, 9, 9, 10, 10, 10]);
    live.write_bar(nvme(), 0, 0x1ffc, &[1, 2, 3, 4]).unwrap();
    assert_eq!(fs::read(tree.path(&format!("sys/devices/{NVME}/resource0"))).unwrap()[8188..], [1, 2, 3, 4]);
    // The small BAR begins within its page.
    live.write_bar(nvme(), 2, 4, &[7; 2]).unwrap();
    let page = fs::read(tree.path(&format!("sys/devices/{NVME}/resource2"))).unwrap();
    assert_eq!(page[0x43..0x47], [0x5a, 7, 7, 0x5a]);
    // Ports are read and written, never mapped.
    live.write_bar(nvme(), 3, 8, &[9]).unwrap();
    let mut byte = [0];
    live.read_bar(nvme(), 3, 8, &mut byte).unwrap();
    assert_eq!(byte, [9]);
    for (bar, offset, words) in
        [(0, 0x1ffd, "aligned"), (0, 0x2000, "0x2000 bytes"), (2, 16, "0x10 bytes"), (1, 0, "no such BAR")]
    {
        let error = live.read_bar(nvme(), bar, offset, &mut [0; 4]).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains(&format!("BAR {bar}")), "{error}");
    }
}

#[test]
fn memory_that_is_not_decoded_is_not_touched() {
    // Memory Space off, and nobody there at all: a mapped access could end the process then.
    for command in [0x0504, 0xffff] {
        let tree = Tree::new();
        with_bars(&tree, command);
        if command == 0xffff {
            tree.file(&format!("sys/devices/{NVME}/config"), [0xff; 256]);
        }
        let live = tree.live();
        let mut bytes = [0; 4];
        live.read_bar(nvme(), 0, 0x20, &mut bytes).unwrap();
        assert_eq!(bytes, [0xff; 4], "{command:04x}");
        live.write_bar(nvme(), 0, 0x20, &[0; 4]).unwrap();
        let memory = fs::read(tree.path(&format!("sys/devices/{NVME}/resource0"))).unwrap();
        assert_eq!(memory[0x20..0x24], [8; 4]);
    }
}

#[test]
fn memory_of_a_function_that_sleeps_is_not_touched() {
    let tree = Tree::new();
    with_bars(&tree, 0x0006);
    let mut space = fs::read(tree.path(&format!("sys/devices/{NVME}/config"))).unwrap();
    space[6..8].copy_from_slice(&0x0010_u16.to_le_bytes());
    space[0x34] = 0x40;
    space[0x40..0x48].copy_from_slice(&[1, 0, 3, 0, 3, 0, 0, 0]);
    tree.file(&format!("sys/devices/{NVME}/config"), &space);
    let live = tree.live();
    let mut bytes = [0; 4];
    live.read_bar(nvme(), 0, 0x20, &mut bytes).unwrap();
    assert_eq!(bytes, [0xff; 4]);
    space[0x44] = 0;
    tree.file(&format!("sys/devices/{NVME}/config"), &space);
    live.read_bar(nvme(), 0, 0x20, &mut bytes).unwrap();
    assert_eq!(bytes, [8; 4], "awake again");
}
