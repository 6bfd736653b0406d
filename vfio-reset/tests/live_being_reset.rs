//! A host on which somebody is resetting a function: whoever reads its configuration space sleeps.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

#[path = "live/asleep.rs"]
mod asleep;
#[path = "live/tree.rs"]
#[allow(dead_code, reason = "other tests use the rest")]
mod tree;

use asleep::Asleep;
use pcicfg::Address;
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;
use tree::{Tree, config};
use vfio_reset::inventory::PATIENCE;
use vfio_reset::machine::{KnownAs, Reading};
use vfio_reset::plan::{Plan, Request};
use vfio_reset::quirk::Quirks;
use vfio_reset::{Error, Inventory, Machine};

const PORT: &str = "pci0000:00/0000:00:01.0";
const GPU: &str = "pci0000:00/0000:00:01.0/0000:01:00.0";
const AUDIO: &str = "pci0000:00/0000:00:01.0/0000:01:00.1";
const OTHER: &str = "pci0000:00/0000:00:02.0";

fn at(text: &str) -> Address {
    text.parse().unwrap()
}

/// A GPU with its audio function below a port, and another function.
fn host() -> Tree {
    let tree = Tree::new();
    let mut port = config(0x0010_1b36, 256);
    port[0x04..0x40].fill(0);
    port[0x08..0x0c].copy_from_slice(&[1, 0, 4, 6]);
    port[0x0e] = 1;
    port[0x18..0x1b].copy_from_slice(&[0, 1, 1]);
    let mut endpoint = config(0x1478_1002, 256);
    endpoint[0x04..0x40].fill(0);
    endpoint[0x08..0x0c].copy_from_slice(&[1, 0, 0, 3]);
    endpoint[0x0e] = 0x80;
    tree.function(PORT, &port);
    for path in [GPU, AUDIO] {
        tree.function(path, &endpoint)
            .file("vendor", "0x1002\n")
            .file("device", "0x1478\n")
            .file("class", "0x030000\n")
            .file("reset_method", "bus\n");
    }
    tree.function(OTHER, &endpoint).file("reset_method", "pm\n");
    tree
}

/// Somebody resets this function for as long as the result lives.
fn asleep(tree: &Tree, path: &str) -> Asleep {
    Asleep::at(&tree.path(&format!("sys/devices/{path}/config")))
}

fn run(tree: &Tree, arguments: &[&str]) -> Output {
    let machine = format!("live:{}", tree.path("").display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_vfio-reset"));
    if !arguments.contains(&"--machine") {
        command.args(["--machine", &machine]);
    }
    command.args(arguments).output().unwrap()
}

fn json(tree: &Tree, arguments: &[&str]) -> Value {
    let output = run(tree, &[arguments, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Runs a command that ends in 6, because this function is being reset.
fn assert_waits_for(tree: &Tree, arguments: &[&str], address: &str) {
    let output = run(tree, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(6), "{arguments:?}: {said}");
    assert!(said.contains(&format!("{address} is being reset by somebody")), "{arguments:?}: {said}");
}

#[test]
fn whether_a_function_is_readable_is_found_out_within_the_budget() {
    let tree = host();
    let (live, gpu) = (tree.live(), at("01:00.0"));
    let sleeper = asleep(&tree, GPU);
    assert!(!live.is_readable(gpu, Duration::from_millis(50)).unwrap());
    drop(sleeper);
    assert!(live.is_readable(gpu, Duration::from_secs(60)).unwrap());
    assert!(matches!(live.is_readable(at("07:00.0"), Duration::ZERO), Err(Error::NoSuchFunction { .. })));
}

#[test]
fn a_reset_that_ends_in_time_is_waited_for() {
    for command in [&["plan", "01:00.0"][..], &["show", "01:00.0"]] {
        let tree = host();
        let sleeper = asleep(&tree, GPU);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(150));
                drop(sleeper);
            });
            assert_eq!(json(&tree, command)["address"], "0000:01:00.0");
        });
    }
    // Also one that takes longer than other functions are waited for.
    let tree = host();
    let sleeper = asleep(&tree, GPU);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(PATIENCE + Duration::from_millis(500));
            drop(sleeper);
        });
        assert_eq!(json(&tree, &["plan", "01:00.0", "--budget", "40s"])["address"], "0000:01:00.0");
    });
}

#[test]
fn the_others_are_read_and_it_is_what_the_kernel_knows() {
    let tree = host();
    let _asleep = asleep(&tree, GPU);
    let live = tree.live();
    let inventory = Inventory::read(&live).unwrap();
    assert_eq!(inventory.functions().len(), 4);
    for function in inventory.functions() {
        assert_eq!(function.is_being_reset(), function.address() == at("01:00.0"));
        assert_eq!(function.is_bridge(), function.address() == at("00:01.0"));
    }
    let gpu = inventory.function(at("01:00.0")).unwrap();
    assert_eq!((gpu.ids(), gpu.class_code().base), ((0x1002, 0x1478), 3));
    assert_eq!(gpu.parent().unwrap().address(), at("00:01.0"));
    let listed = Inventory::read_for_listing(&live).unwrap();
    assert!(listed.function(at("01:00.0")).unwrap().is_being_reset());
    // Where not even the kernel says more.
    for name in ["vendor", "device", "class"] {
        fs::remove_file(tree.path(&format!("sys/devices/{GPU}/{name}"))).unwrap();
    }
    let read =
        live.read_functions(&[at("01:00.0")], vfio_reset::machine::Detail::All, Duration::ZERO).unwrap();
    assert!(
        matches!(read[0].config, Reading::BeingReset(KnownAs { vendor_id: 0xffff, device_id: 0xffff, .. })),
        "{read:?}"
    );
}

#[test]
fn lists_show_it_beside_the_others() {
    let tree = host();
    let _asleep = asleep(&tree, GPU);
    let list = json(&tree, &["list"]);
    let rows = list["functions"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    for row in rows {
        let is_it = row["address"] == "0000:01:00.0";
        assert_eq!(row["state"] == "being reset", is_it, "{row}");
        if is_it {
            assert_eq!((&row["vendor"], &row["class"]), (&"1002".into(), &"030000".into()));
            assert_eq!(row["reset_methods"], Value::Array(Vec::new()));
        }
    }
    // It is found by what the kernel knows.
    assert_eq!(json(&tree, &["list", "--class", "03", "01:00.0"])["functions"].as_array().unwrap().len(), 1);
    let text = run(&tree, &["tree"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    let line = text.lines().find(|line| line.contains("0000:01:00.0")).unwrap();
    assert!(line.contains("being reset") && text.contains("0000:01:00.1"), "{text}");
}

#[test]
fn a_virtual_function_waits_for_its_physical_one() {
    let tree = host();
    let mut silent = config(u32::MAX, 256);
    silent[4..8].fill(0);
    tree.function("pci0000:00/0000:00:03.1", &silent).link("physfn", "../0000:00:02.0");
    for (name, value) in [("vendor", "0x1002\n"), ("device", "0x1478\n")] {
        tree.file(&format!("sys/devices/{OTHER}/{name}"), value);
    }
    let _asleep = asleep(&tree, OTHER);
    let list = json(&tree, &["list", "00:03.1"]);
    assert_eq!(list["functions"][0]["vendor"], "1002", "its vendor is the physical function's: {list}");
    assert_waits_for(&tree, &["show", "00:03.1"], "0000:00:02.0");
}

#[test]
fn what_a_bridge_can_do_is_not_known_while_it_is_being_reset() {
    let tree = host();
    tree.file(&format!("sys/devices/{PORT}/class"), "0x060400\n");
    let methods = |tree: &Tree| json(tree, &["list", "01:00"])["functions"][0]["reset_methods"].clone();
    let known = methods(&tree);
    assert!(!known.as_array().unwrap().is_empty());
    let _asleep = asleep(&tree, PORT);
    assert_eq!(methods(&tree), Value::Array(Vec::new()));
    let inventory = Inventory::read(&tree.live()).unwrap();
    assert!(inventory.function(at("00:01.0")).unwrap().is_bridge());
    let plan = Plan::new(&inventory, &Quirks::built_in(), &Request::new(at("01:00.0")));
    assert!(
        matches!(plan, Err(Error::BeingReset { address, .. }) if address == at("00:01.0")),
        "a library's plan is no other"
    );
}

#[test]
fn commands_for_it_end_in_time_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let (file, before) = (folder.path().join("saved"), folder.path().join("before"));
    let (file, before) = (file.to_str().unwrap(), before.to_str().unwrap());
    assert_eq!(run(&host(), &["save", "01:00.0", "--output", before]).status.code(), Some(0));
    for command in [
        &["reset", "01:00.0", "--budget", "200ms"][..],
        &["plan", "01:00.0", "--budget", "200ms"],
        &["plan", "01:00.0", "--budget", "200ms", "--family", "navi1x"],
        &["peek", "01:00.0", "0", "0"],
        &["vfio", "01:00.0", "--budget", "200ms"],
        &["peek", "01:00.0", "0", "0", "--vfio", "group", "--budget", "200ms"],
        &["show", "01:00.0"],
        &["save", "01:00.0", "--output", file],
        &["diff", "MACHINE", "MACHINE", "01:00.0"],
        &["restore", before],
    ] {
        // One for each: the kernel lets nobody be kept for longer than 45 s.
        let tree = host();
        let _asleep = asleep(&tree, GPU);
        let machine = format!("live:{}", tree.path("").display());
        let command: Vec<&str> =
            command.iter().map(|&word| if word == "MACHINE" { &*machine } else { word }).collect();
        assert_waits_for(&tree, &command, "0000:01:00.0");
    }
    assert!(!Path::new(file).exists());
}

#[test]
fn others_wait_for_it_only_where_it_decides_about_them() {
    let tree = host();
    let file = tree.path("saved");
    {
        let _asleep = asleep(&tree, GPU);
        let plan = json(&tree, &["plan", "00:02.0", "--budget", "20s"]);
        assert_eq!(plan["address"], "0000:00:02.0");
        // Its audio function can be reset by the port alone, which would reset both.
        assert_waits_for(&tree, &["plan", "01:00.1", "--budget", "200ms"], "0000:01:00.0");
        assert_waits_for(
            &tree,
            &["save", "01:00.1", "--bus", "--output", file.to_str().unwrap()],
            "0000:01:00.0",
        );
    }
    let tree = host();
    let _asleep = asleep(&tree, PORT);
    assert_waits_for(&tree, &["plan", "01:00.1", "--budget", "200ms"], "0000:00:01.0");
    assert_waits_for(&tree, &["show", "01:00.1"], "0000:00:01.0");
}

#[test]
fn a_recording_is_made_without_it() {
    let tree = host();
    let _asleep = asleep(&tree, GPU);
    let target = tree.path("recording");
    let output = run(&tree, &["capture", "--output", target.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let manifest: Value = serde_json::from_slice(&fs::read(target.join("manifest.json")).unwrap()).unwrap();
    let unreadable = manifest["unreadable"].to_string();
    assert!(unreadable.contains("0000:01:00.0 is being reset by somebody"), "{unreadable}");
    assert_eq!(manifest["unreadable"].as_array().unwrap().len(), 1, "{unreadable}");
    let target = target.display().to_string();
    let recorded = run(&tree, &["--machine", &target, "list"]);
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let (shown, said) = (text(&recorded.stdout), text(&recorded.stderr));
    assert!(["00:01.0", "01:00.1", "00:02.0"].iter().all(|other| shown.contains(other)), "{shown}");
    assert!(!shown.contains("01:00.0") && said.contains("0000:01:00.0"), "{shown}{said}");
    // What nobody could read is no difference, and no equality.
    let compared = run(&tree, &["--machine", &target, "diff", &target, &target]);
    assert_eq!(compared.status.code(), Some(2), "{}", text(&compared.stderr));
}
