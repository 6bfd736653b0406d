//! The lab's recordings: what the rules predict from a dump alone is what the kernel listed there.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::*;
use pcicfg::Address;
use std::collections::BTreeMap;
use std::path::PathBuf;
use vfio_reset::Inventory;
use vfio_reset::machine::captured::Captured;
use vfio_reset::plan::{Plan, Request};
use vfio_reset::quirk::Quirks;

/// The folder with the lab's recordings.
fn recordings() -> PathBuf {
    let folder = shared().map(|shared| shared.join("corpus/lab-configs")).filter(|folder| folder.is_dir());
    folder.expect("the lab's recordings are not there (VFIO_RESET_SHARED names the folder that has `corpus`)")
}

struct Line {
    methods: Vec<String>,
    is_bridge: bool,
    is_virtual: bool,
}

fn zoo(text: &str) -> BTreeMap<Address, Line> {
    let line = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        let methods = words.iter().skip_while(|word| **word != "methods:").skip(1);
        let methods = methods.filter(|word| **word != "rom" && !word.starts_with("physfn="));
        let header = words[words.iter().position(|word| *word == "hdr").unwrap() + 1];
        let described = Line {
            methods: methods.map(|word| (*word).to_string()).collect(),
            is_bridge: u8::from_str_radix(header, 16).unwrap() & 0x7f == 1,
            is_virtual: line.contains("physfn="),
        };
        (at(words[1]), described)
    };
    text.lines().filter(|line| line.starts_with("ZOO")).map(line).collect()
}

#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn every_function_of_the_lab_has_the_methods_that_its_kernel_listed() {
    let recordings = recordings();
    let mut seen = 0;
    let mut stale_entries = 0;
    for folder in std::fs::read_dir(recordings).unwrap() {
        let folder = folder.unwrap().path();
        let listed = zoo(&std::fs::read_to_string(folder.join("zoo.txt")).unwrap());
        let machine = Captured::open(&folder.join("all.lspci-xxxx")).unwrap();
        let inventory = Inventory::read(&machine).unwrap();
        assert_eq!(inventory.functions().len(), listed.len(), "{}", folder.display());
        for function in inventory.functions() {
            let address = function.address();
            let line = &listed[&address];
            let plan = Plan::new(&inventory, &Quirks::built_in(), &Request::new(address)).unwrap();
            let named = |wanted: fn(&vfio_reset::method::Availability) -> bool| -> Vec<String> {
                let all = plan.methods.iter().map(|method| &method.availability);
                all.filter(|one| wanted(one)).map(|one| one.method.to_string()).collect()
            };
            let found = named(|one| one.available || one.stale);
            assert_eq!(found, line.methods, "{} {address}", folder.display());
            // `bus` cannot work on a bridge, nor where another device is on the bus; virtual functions
            // only count for those which are in no slot of their own.
            let shares = listed.iter().any(|(other, other_line)| {
                *other != address
                    && other.same_bus(address)
                    && (!other_line.is_virtual || address.device() != 0)
            });
            let is_stale = line.methods.iter().any(|name| name == "bus")
                && (line.is_bridge || shares && !line.is_virtual);
            let stale = named(|one| one.stale);
            assert_eq!(stale, if is_stale { vec!["bus"] } else { vec![] }, "{} {address}", folder.display());
            stale_entries += stale.len();
            seen += 1;
        }
    }
    assert_eq!(seen, 83);
    assert!(stale_entries >= 10, "{stale_entries}");
}

#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn exactly_the_entries_that_the_lab_found_stale_are_stale() {
    let recordings = recordings();
    let machine = Captured::open(&recordings.join("q10-k612-intel/all.lspci-xxxx")).unwrap();
    let inventory = Inventory::read(&machine).unwrap();
    let stale: Vec<String> = inventory
        .functions()
        .filter(|function| {
            vfio_reset::method::availability(*function, &Quirks::built_in()).iter().any(|one| one.stale)
        })
        .map(|function| function.address().to_string()[5..].to_string())
        .collect();
    // Three bridges, and the first functions of three devices or buses with several.
    assert_eq!(stale, ["08:00.0", "09:00.0", "0a:00.0", "0d:00.0", "0e:01.0", "0f:00.0"]);
}
