//! The live machine on made-up hosts.

// Helpers of tests are no tests to clippy, so its exception for them does not reach them.
#![allow(clippy::unwrap_used)]

#[path = "live/tree.rs"]
mod tree;

use pcicfg::Address;
use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};
use tree::{Tree, config};
use vfio_reset::machine::live::Live;
use vfio_reset::machine::{
    Attribute, Detail, DeviceUser, FunctionRead, KernelReset, Lockdown, LogMark, MachineKind, Reading,
    ResetMethods, Resource,
};
use vfio_reset::method::{MethodName, availability};
use vfio_reset::quirk::Quirks;
use vfio_reset::{Error, Inventory, Machine};

const NVME: &str = "pci0000:00/0000:00:01.0/0000:01:00.0";

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn mount(device: &str, path: &str) -> DeviceUser {
    DeviceUser::Mount { device: device.into(), path: path.into() }
}

fn holder(device: &str, holder: &str) -> DeviceUser {
    DeviceUser::Holder { device: device.into(), holder: holder.into() }
}

#[test]
fn functions_are_listed_in_address_order() {
    let tree = Tree::new();
    for path in [
        "pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0",
        NVME,
        "pci0000:00/0000:00:01.0",
        "pci0000:00/0000:00:0e.0",
    ] {
        tree.function(path, &config(1, 64));
    }
    let names: Vec<_> = tree.live().functions().unwrap().iter().map(Address::to_string).collect();
    assert_eq!(names, ["0000:00:01.0", "0000:00:0e.0", "0000:01:00.0", "10000:e0:06.0"]);
    assert_eq!(tree.live().kind(), MachineKind::Live);
    assert_eq!(Live::new().name(), "live");
}

#[test]
fn facts_are_links_and_attributes() {
    let tree = Tree::new();
    tree.function("pci0000:00/0000:00:01.0", &config(1, 256));
    tree.function(NVME, &config(1, 4096))
        .driver("vfio-pci")
        .group(17)
        .file("reset_method", "flr bus\n")
        .file("power_state", "D3hot\n")
        .file("boot_vga", "1\n")
        .file("label", "M.2 slot\n")
        .file("resource", &"0x00000000fc500000 0x00000000fc507fff 0x0000000000140204\n".repeat(13))
        .link("virtfn0", "../0000:01:00.1")
        .link("virtfn1", "../0000:01:00.2");
    tree.function("pci0000:00/0000:00:01.0/0000:01:00.1", &config(1, 4096)).link("physfn", "../0000:01:00.0");
    tree.file("sys/bus/pci/slots/4-1/address", "0000:01:00\n");
    tree.file("sys/bus/pci/slots/5/address", "0000:02:00\n");

    let live = tree.live();
    let facts = live.facts(address("01:00.0")).unwrap();
    assert_eq!(facts.parent, Some(address("00:01.0")));
    assert_eq!(facts.driver.as_deref(), Some("vfio-pci"));
    assert_eq!(facts.iommu_group, Some(17));
    assert_eq!(facts.reset_methods, ResetMethods::Listed(vec!["flr".into(), "bus".into()]));
    assert_eq!(facts.power_state.as_deref(), Some("D3hot"));
    assert_eq!(facts.virtfns, [address("01:00.1"), address("01:00.2")]);
    assert!(facts.boot_vga);
    assert_eq!(facts.slot.as_deref(), Some("4-1"));
    assert_eq!(facts.label.as_deref(), Some("M.2 slot"));
    assert_eq!(facts.resources.len(), 7);
    assert_eq!(facts.resources[0], Resource { start: 0xfc50_0000, end: 0xfc50_7fff, flags: 0x0014_0204 });

    let facts = live.facts(address("01:00.1")).unwrap();
    assert_eq!(facts.physfn, Some(address("01:00.0")));
    assert_eq!(facts.reset_methods, ResetMethods::NoFile);
    assert_eq!(live.facts(address("00:01.0")).unwrap().parent, None);
}

/// Files that a function cannot have are not looked for: the space must really say so.
#[test]
fn what_is_read_together_is_what_is_read_apart() {
    let tree = Tree::new();
    let mut sr_iov = config(0x1572_8086, 4096);
    sr_iov[0x100..0x104].copy_from_slice(&[0x10, 0, 1, 0]);
    let mut display = config(0x0010_1b36, 4096);
    display[0x08..0x0c].copy_from_slice(&[1, 0, 0, 3]);
    let mut before_class_codes = config(0x0010_1b36, 256);
    before_class_codes[0x0b] = 0;
    for (number, bytes) in
        [sr_iov, display, before_class_codes, config(0x0010_1b36, 64), config(u32::MAX, 4096)]
            .iter()
            .enumerate()
    {
        tree.function(&format!("pci0000:00/0000:00:0{number}.0"), bytes)
            .driver("x")
            .file("reset_method", "flr\n")
            .file("label", "L\n");
    }
    let add = |number: u8, name: &str, target: &str| {
        tree.link(&format!("sys/devices/pci0000:00/0000:00:0{number}.0/{name}"), target);
    };
    // As the first one; a function of which too little can be read; a silent one.
    for number in [0, 2, 3, 4] {
        add(number, "virtfn0", "../0000:00:1f.1");
    }
    add(4, "physfn", "../0000:00:00.0");
    for number in [1, 2, 4] {
        tree.file(&format!("sys/devices/pci0000:00/0000:00:0{number}.0/boot_vga"), "1\n");
    }
    let live = tree.live();
    let addresses = live.functions().unwrap();
    assert_eq!(addresses.len(), 5);
    for at in addresses {
        let (config, facts) = (Reading::Bytes(live.config(at).unwrap()), live.facts(at).unwrap());
        assert!(facts.boot_vga || !facts.virtfns.is_empty() || at == address("00:03.0"), "{at}");
        let apart = [FunctionRead { address: at, config, facts }];
        assert_eq!(live.read_functions(&[at], Detail::All, Duration::from_secs(60)).unwrap(), apart, "{at}");
    }
}

/// A host with a CXL port, a card below it, a card with virtual functions, and a bridge whose list has no end.
fn listed_host() -> Tree {
    let tree = Tree::new();
    let mut port = config(0x0010_1b36, 4096);
    port[0x06..0x100].fill(0);
    port[0x06] = 0x10;
    port[0x08..0x0c].copy_from_slice(&[1, 0, 4, 6]);
    port[0x0e] = 1;
    port[0x18..0x1b].copy_from_slice(&[0, 1, 1]);
    port[0x34] = 0x40;
    // PCI Express, a root port with a slot.
    port[0x40..0x44].copy_from_slice(&[0x10, 0, 0x42, 1]);
    port[0x100..].fill(0);
    let mut looping = port.clone();
    looping[0x18..0x1b].copy_from_slice(&[0, 2, 2]);
    looping[0x100..0x104].copy_from_slice(&[0x0b, 0, 1, 0x10]);
    // Serial number, then CXL's Port Extensions.
    port[0x100..0x104].copy_from_slice(&[3, 0, 1, 0x11]);
    port[0x110..0x114].copy_from_slice(&[0x23, 0, 1, 0]);
    port[0x114..0x11c].copy_from_slice(&[0x98, 0x1e, 0x80, 2, 3, 0, 0, 0]);
    let mut card = port.clone();
    card[0x08..0x0c].copy_from_slice(&[1, 0, 2, 2]);
    card[0x0e] = 0;
    card[0x10..0x34].fill(0);
    // Function Level Reset, and virtual functions with the device id 1234.
    card[0x40..0x48].copy_from_slice(&[0x10, 0, 2, 0, 0, 0, 0, 0x10]);
    card[0x100..0x104].copy_from_slice(&[0x10, 0, 1, 0]);
    card[0x104..0x140].fill(0);
    card[0x11a..0x11c].copy_from_slice(&[0x34, 0x12]);
    let mut virtual_function = card.clone();
    virtual_function[..4].fill(0xff);
    tree.function("pci0000:00/0000:00:01.0", &port).driver("pcieport");
    tree.function("pci0000:00/0000:00:02.0", &looping).driver("pcieport");
    tree.function(NVME, &card)
        .group(1)
        .file("reset_method", "flr cxl_bus bus\n")
        .file("power_state", "D3cold\n");
    tree.function("pci0000:00/0000:00:02.0/0000:02:00.0", &card)
        .file("reset_method", "cxl_bus bus\n")
        .link("virtfn0", "../0000:02:00.1");
    tree.function("pci0000:00/0000:00:02.0/0000:02:00.1", &virtual_function)
        .file("reset_method", "flr\n")
        .link("physfn", "../0000:02:00.0");
    tree
}

#[test]
fn a_listing_says_what_the_whole_inventory_says() {
    let tree = listed_host();
    let (whole, listing) =
        (Inventory::read(&tree.live()).unwrap(), Inventory::read_for_listing(&tree.live()).unwrap());
    let quirks = Quirks::built_in();
    let said = |inventory: &Inventory| -> Vec<_> {
        inventory
            .functions()
            .map(|function| {
                let methods: Vec<_> = availability(function, &quirks)
                    .iter()
                    .map(|method| (method.method, method.available, method.stale))
                    .collect();
                let facts = function.facts();
                let parent = function.parent().map(|parent| parent.address());
                let state = (function.presence(), facts.power_state.clone(), facts.driver.clone());
                (function.address(), function.ids(), methods, parent, state, facts.iommu_group)
            })
            .collect()
    };
    let said = (said(&whole), said(&listing));
    assert_eq!(said.0, said.1);
    // What the extended capabilities decide is really there.
    let of = |at: &str| said.0.iter().find(|function| function.0 == address(at)).unwrap();
    assert_eq!(of("02:00.1").1, (0x1b36, 0x1234));
    let cxl_bus = |at: &str| of(at).2.iter().any(|method| method.0 == MethodName::CxlBus && method.1);
    assert!(cxl_bus("01:00.0") && !cxl_bus("02:00.0"));
    // And nothing is read that nobody needs.
    let size = |at: &str| listing.function(address(at)).unwrap().space().size();
    assert_eq!((size("00:01.0"), size("01:00.0"), size("02:00.0")), (4096, 256, 4096));
}

#[test]
fn a_big_host_is_read_by_threads_as_by_one() {
    let tree = Tree::new();
    for number in 0..600u32 {
        let at = Address::from_devfn(0, (number >> 8) as u8, number as u8);
        tree.function(&format!("pci0000:00/{at}"), &config(number << 16 | 0x1b36, 64)).group(number);
    }
    let live = tree.live();
    let inventory = Inventory::read(&live).unwrap();
    assert_eq!(inventory.functions().len(), 600);
    for (number, function) in (0..).zip(inventory.functions()) {
        assert_eq!(u32::from(function.address().bus()) << 8 | u32::from(function.address().devfn()), number);
        assert_eq!(function.ids(), (0x1b36, number as u16));
        assert_eq!(function.facts().iommu_group, Some(number));
    }
}

#[test]
fn a_kernel_before_5_15_does_not_say_its_methods() {
    let tree = Tree::new();
    tree.function(NVME, &config(1, 64)).file("reset", "");
    assert_eq!(tree.live().facts(address("01:00.0")).unwrap().reset_methods, ResetMethods::Unknown);
}

#[test]
fn all_methods_switched_off_is_an_empty_list() {
    let tree = Tree::new();
    tree.function(NVME, &config(1, 64)).file("reset", "").file("reset_method", "\n");
    assert_eq!(
        tree.live().facts(address("01:00.0")).unwrap().reset_methods,
        ResetMethods::Listed(Vec::new())
    );
}

#[test]
fn configuration_space_is_read_and_written_in_place() {
    let tree = Tree::new();
    let bytes = config(0x0010_1b36, 4096);
    tree.function(NVME, &bytes);
    let (live, nvme) = (tree.live(), address("01:00.0"));
    assert_eq!(live.config(nvme).unwrap(), bytes);
    let mut word = [0; 2];
    live.read_config(nvme, 0x100, &mut word).unwrap();
    assert_eq!(word, bytes[0x100..0x102]);

    live.write_config(nvme, 0x04, &[6, 4]).unwrap();
    live.write_config(nvme, 0xffc, &[1, 2, 3, 4]).unwrap();
    let after = live.config(nvme).unwrap();
    assert_eq!((&after[4..6], &after[0xffc..]), (&[6, 4][..], &[1, 2, 3, 4][..]));
    assert_eq!(after[6..0xffc], bytes[6..0xffc]);

    for (offset, bytes) in [(2, &[0; 4][..]), (1, &[0; 2]), (0, &[0; 3]), (0, &[])] {
        let error = live.write_config(nvme, offset, bytes).unwrap_err();
        assert!(error.to_string().contains("not one access"), "{error}");
    }
}

#[test]
fn an_access_past_what_the_kernel_shows_says_how_far_it_goes() {
    let tree = Tree::new();
    tree.function(NVME, &config(1, 64));
    let mut dword = [0; 4];
    match tree.live().read_config(address("01:00.0"), 62, &mut dword).unwrap_err() {
        Error::ConfigOutOfReach { offset: 62, length: 4, size: 64, .. } => {}
        other => panic!("{other}"),
    }
}

#[test]
fn a_refused_write_under_lockdown_says_that_it_is_lockdown() {
    let tree = Tree::new();
    // A file that the kernel lets nobody write, root included.
    tree.link("sys/bus/pci/devices/0000:01:00.0/config", "/proc/sys/kernel/ostype");
    let write = || tree.live().write_config(address("01:00.0"), 4, &[0, 0]).unwrap_err();
    let error = write();
    assert!(matches!(error, Error::Write { .. }) && error.is_permission(), "{error}");
    tree.file("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
    let error = write();
    assert!(matches!(error, Error::LockedDown { lockdown: "integrity", .. }), "{error}");
    assert!(error.is_permission() && error.errno().is_some(), "{error}");
    let text = error.to_string();
    assert!(text.contains("0000:01:00.0/config") && text.contains("--via kernel"), "{text}");
}

#[test]
fn a_function_that_is_not_there_is_called_that() {
    let tree = Tree::new();
    let (live, nobody) = (tree.live(), address("02:00.0"));
    let mut byte = [0];
    let errors = [
        live.facts(nobody).unwrap_err(),
        live.users(nobody).unwrap_err(),
        live.config(nobody).unwrap_err(),
        live.read_config(nobody, 0, &mut byte).unwrap_err(),
        live.write_config(nobody, 0, &[0]).unwrap_err(),
        live.attribute(nobody, Attribute::ResetMethod).unwrap_err(),
        live.set_attribute(nobody, Attribute::ResetMethod, "flr").unwrap_err(),
        live.kernel_reset(nobody, Duration::ZERO).unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::NoSuchFunction { .. }), "{error}");
    }
}

#[test]
fn attributes_are_absent_or_text_and_are_written_as_a_line() {
    let tree = Tree::new();
    tree.function(NVME, &config(1, 64)).file("reset_method", "flr pm\n").file("power/control", "auto\n");
    let (live, nvme) = (tree.live(), address("01:00.0"));
    assert_eq!(live.attribute(nvme, Attribute::ResetMethod).unwrap().as_deref(), Some("flr pm"));
    assert_eq!(live.attribute(nvme, Attribute::PowerControl).unwrap().as_deref(), Some("auto"));
    assert_eq!(live.attribute(nvme, Attribute::D3coldAllowed).unwrap(), None);
    live.set_attribute(nvme, Attribute::ResetMethod, "").unwrap();
    let path = tree.path("sys/bus/pci/devices/0000:01:00.0/reset_method");
    assert_eq!(fs::read(&path).unwrap()[0], b'\n', "an empty list reaches the kernel");
    let error = live.set_attribute(nvme, Attribute::D3coldAllowed, "0").unwrap_err();
    assert!(error.to_string().contains("0000:01:00.0/d3cold_allowed"), "{error}");
    assert_eq!(error.errno(), Some(libc::ENOENT));
}

#[test]
fn the_host_is_asked_for_kernel_and_lockdown() {
    let tree = Tree::new();
    let host = tree.live().host().unwrap();
    assert_eq!((host.kernel.as_deref(), host.lockdown), (Some("6.12.95+deb12-amd64"), Lockdown::None));
    tree.file("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
    assert_eq!(tree.live().host().unwrap().lockdown, Lockdown::Integrity);
}

#[test]
fn a_reset_is_a_one_written_to_reset() {
    let tree = Tree::new();
    tree.function(NVME, &config(1, 64)).file("reset", "");
    let (live, nvme) = (tree.live(), address("01:00.0"));
    assert_eq!(live.kernel_reset(nvme, Duration::from_secs(10)).unwrap(), KernelReset::Done);
    assert_eq!(fs::read(tree.path("sys/bus/pci/devices/0000:01:00.0/reset")).unwrap(), b"1");
}

#[test]
fn a_reset_that_takes_longer_than_the_budget_is_still_running() {
    let tree = Tree::new();
    // A pipe that is full: the write waits, as it does in a kernel that waits for a device.
    let (reader, mut writer) = std::io::pipe().unwrap();
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&writer));
    let chunk = vec![0; 65536];
    writer.write_all(&chunk).unwrap();
    tree.function(NVME, &config(1, 64)).link("reset", &path);
    let (live, nvme) = (tree.live(), address("01:00.0"));
    let start = Instant::now();
    let budget = Duration::from_millis(50);
    assert_eq!(live.kernel_reset(nvme, budget).unwrap(), KernelReset::StillRunning);
    assert!(start.elapsed() >= budget);
    drop(reader);
}

#[test]
fn a_disk_is_used_through_partitions_and_whatever_is_stacked_on_them() {
    let tree = Tree::new();
    tree.function(NVME, &config(1, 64)).driver("nvme");
    let disk = format!("{NVME}/nvme/nvme0/nvme0n1");
    tree.class("block", &disk);
    for (number, part) in [("259:1", "nvme0n1p1"), ("259:2", "nvme0n1p2"), ("259:3", "nvme0n1p3")] {
        tree.class("block", &format!("{disk}/{part}"));
        tree.file(&format!("sys/devices/{disk}/{part}/partition"), "1\n");
        tree.file(&format!("sys/devices/{disk}/{part}/dev"), format!("{number}\n"));
    }
    tree.class("block", "virtual/block/dm-0");
    tree.file("sys/devices/virtual/block/dm-0/dm/name", "vg-root\n");
    tree.file("sys/devices/virtual/block/dm-0/dev", "254:0\n");
    tree.link(&format!("sys/devices/{disk}/nvme0n1p2/holders/dm-0"), "../../dm-0");
    // Another one's holder that leads back: never a loop.
    tree.link("sys/devices/virtual/block/dm-0/holders/dm-0", "../../dm-0");
    tree.file(
        "proc/self/mountinfo",
        "22 1 259:1 / /boot/efi rw - vfat /dev/other rw\n\
         23 1 0:44 / / rw - btrfs /dev/mapper/vg-root rw\n\
         24 1 254:0 / /again rw - btrfs /dev/mapper/vg-root rw\n\
         25 1 8:1 / /mnt rw - ext4 /dev/sda1 rw\n",
    );
    tree.file(
        "proc/swaps",
        "Filename\tType\tSize\tUsed\tPriority\n/dev/nvme0n1p3 partition 1 0 -2\n/dev/sda2 partition 1 0 -3\n",
    );
    assert_eq!(
        tree.live().users(address("01:00.0")).unwrap(),
        [
            mount("dm-0", "/"),
            mount("dm-0", "/again"),
            holder("dm-0", "vg-root (dm-0)"),
            mount("nvme0n1p1", "/boot/efi"),
            holder("nvme0n1p2", "vg-root (dm-0)"),
            DeviceUser::Swap { device: "nvme0n1p3".into() },
        ]
    );
}

#[test]
fn a_multipath_namespace_and_a_btrfs_are_found() {
    let tree = Tree::new();
    tree.function(NVME, &config(1, 64)).driver("nvme");
    tree.class("block", &format!("{NVME}/nvme/nvme0/nvme0c0n1"));
    tree.class("block", "virtual/nvme-subsystem/nvme-subsys0/nvme0n1");
    tree.class("block", "virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p1");
    tree.file("sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p1/partition", "1\n");
    tree.file("proc/mounts", "/dev/nvme0n1p1 /data ext4 rw 0 0\n");
    tree.link("sys/fs/btrfs/1234-abcd/devices/nvme0n1p1", "../../../../devices/x");
    assert_eq!(
        tree.live().users(address("01:00.0")).unwrap(),
        [mount("nvme0n1p1", "/data"), holder("nvme0n1p1", "the btrfs 1234-abcd")]
    );
}

#[test]
fn a_disk_is_not_the_bridges_own() {
    let tree = Tree::new();
    tree.function("pci0000:00/0000:00:01.0", &config(1, 64)).driver("pcieport");
    tree.function(NVME, &config(1, 64)).driver("nvme");
    tree.class("block", &format!("{NVME}/nvme/nvme0/nvme0n1"));
    tree.file("proc/mounts", "/dev/nvme0n1 /data ext4 rw 0 0\n");
    assert_eq!(tree.live().users(address("00:01.0")).unwrap(), []);
    assert_eq!(tree.live().users(address("01:00.0")).unwrap(), [mount("nvme0n1", "/data")]);
}

#[test]
fn interfaces_that_are_up_are_users() {
    let tree = Tree::new();
    tree.function("pci0000:00/0000:00:05.0", &config(1, 64)).driver("virtio-pci");
    for (name, state) in [("eth0", "up"), ("eth1", "down")] {
        tree.class("net", &format!("pci0000:00/0000:00:05.0/virtio0/net/{name}"));
        tree.file(&format!("sys/class/net/{name}/operstate"), format!("{state}\n"));
        tree.file(&format!("sys/class/net/{name}/flags"), "0x1003\n");
    }
    assert_eq!(
        tree.live().users(address("00:05.0")).unwrap(),
        [DeviceUser::Network { interface: "eth0".into() }]
    );
}

#[test]
fn processes_that_have_the_group_open_are_users() {
    let tree = Tree::new();
    tree.function(NVME, &config(1, 64)).driver("vfio-pci").group(17).file("vfio-dev/vfio3/dev", "510:3\n");
    tree.file("dev/vfio/17", "");
    tree.file("dev/vfio/devices/vfio3", "");
    for (pid, target) in [
        ("9", "/dev/vfio/1"),
        ("42", "/dev/vfio/17"),
        ("7", "/jail/dev/vfio/devices/vfio3"),
        ("8", "/dev/vfio/117"),
    ] {
        tree.link(&format!("proc/{pid}/fd/0"), "/dev/null");
        tree.link(&format!("proc/{pid}/fd/12"), target);
        tree.file(&format!("proc/{pid}/comm"), "qemu-system-x86\n");
    }
    let vfio = |pid| DeviceUser::Vfio { pid, command: "qemu-system-x86".into() };
    assert_eq!(tree.live().users(address("01:00.0")).unwrap(), [vfio(7), vfio(42)]);
}

#[test]
fn the_log_since_a_mark_is_what_came_after_it() {
    let tree = Tree::new();
    tree.file("dev/kmsg", "6,1,1000,-;boot\n");
    let live = tree.live();
    let mark = live.kernel_log_mark();
    assert_eq!(live.kernel_log(mark).unwrap(), []);
    let append = |text: &str| {
        let mut file = fs::File::options().append(true).open(tree.path("dev/kmsg")).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    append("4,2,2000,-;pci 0000:01:00.0: one\n SUBSYSTEM=pci\n");
    let second = live.kernel_log_mark();
    append("4,3,3000,-;two\n");
    let texts =
        |mark| live.kernel_log(mark).unwrap().into_iter().map(|line| line.text).collect::<Vec<String>>();
    assert_eq!(texts(second), ["two"]);
    assert_eq!(texts(mark), ["pci 0000:01:00.0: one", "two"], "a mark can be used again");
    assert_eq!(texts(LogMark::default()), ["boot", "pci 0000:01:00.0: one", "two"]);
}

#[test]
fn no_log_is_an_empty_log() {
    let live = Tree::new().live();
    assert_eq!(live.kernel_log(live.kernel_log_mark()).unwrap(), []);
    assert_eq!(live.kernel_log(LogMark::default()).unwrap(), []);
}

/// Reads only, on whatever this test runs on.
#[test]
fn the_machine_under_the_test_can_be_read() {
    let live = Live::new();
    let Ok(addresses) = live.functions() else { return };
    for address in addresses {
        live.facts(address).unwrap();
        live.users(address).unwrap();
        assert!(live.config(address).unwrap().len() >= 64);
    }
    live.host().unwrap();
    let _ = live.kernel_log(LogMark::default());
}

/// What an inventory asks of a big machine; the figure is printed (4,096 functions took 0.23 s), the bound
/// is loose.
#[test]
fn hundreds_of_functions_are_read_in_a_moment() {
    let tree = Tree::new();
    let bytes = config(1, 4096);
    for bus in 0..16 {
        for devfn in 0..16 {
            let address = Address::from_devfn(0, bus, devfn);
            tree.function(&format!("pci0000:00/{address}"), &bytes)
                .file("resource", &"0x0000000000000000 0x0000000000000000 0x0000000000000000\n".repeat(13))
                .file("power_state", "D0\n");
        }
    }
    let live = tree.live();
    let start = Instant::now();
    let addresses = live.functions().unwrap();
    for &address in &addresses {
        live.facts(address).unwrap();
        live.config(address).unwrap();
    }
    let time = start.elapsed();
    println!("{} functions in {time:?}", addresses.len());
    assert_eq!(addresses.len(), 256);
    assert!(time < Duration::from_secs(10), "{time:?}");
}
