//! The names of registers and the keys of fields, which scripts rely on: none goes away, none changes.
//!
//! They are listed in `names.txt`. A new one is added with `PCICFG_NAMES=write cargo test -p pcicfg --test
//! names --features serde`; a line that this takes out is a break for users.

use pcicfg::tree::Tree;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

/// A function of all ones with PCI Express at 40h and one more capability, at 80h or 100h.
fn function(vendor: [u8; 4], header_type: u8, port: u8, capability: (u16, bool), body: &[u8]) -> Vec<u8> {
    let (id, extended) = capability;
    let mut bytes = vec![0xff; 4096];
    bytes[0..4].copy_from_slice(&vendor);
    (bytes[0x06], bytes[0x0e], bytes[0x14], bytes[0x34]) = (0x10, header_type, 0x40, 0x40);
    bytes[0x40..0x44].copy_from_slice(&[0x10, if extended { 0 } else { 0x80 }, port, 0x01]);
    bytes[0x80..0x82].copy_from_slice(&[if extended { 0 } else { id as u8 }, 0]);
    bytes[0x100..0x104].copy_from_slice(&[if extended { id as u8 } else { 0x03 }, 0, 2, 0]);
    let at = if extended { 0x104 } else { 0x82 };
    bytes[at..at + body.len()].copy_from_slice(body);
    bytes
}

/// Functions that have each register of each capability, in some of them.
fn functions() -> Vec<Vec<u8>> {
    const VENDORS: [[u8; 4]; 3] =
        [[0x36, 0x1b, 0x10, 0x00], [0xf4, 0x1a, 0x41, 0x10], [0x86, 0x80, 0x10, 0xa1]];
    let mut functions = Vec::new();
    for vendor in VENDORS {
        for header_type in 0..3 {
            for port in [0x02, 0x42, 0x62] {
                let mut add = |capability, body: &[u8]| {
                    functions.push(function(vendor, header_type, port, capability, body));
                };
                for id in 0x01..=0x15 {
                    add((id, false), &[]);
                    // With and without what a flag brings: Message Signaled Interrupts, SATA, virtio.
                    add((id, false), &[0x10, 0x00]);
                }
                for id in 0x01..=0x3a {
                    add((id, true), &[]);
                    add(
                        (id, true),
                        &[
                            0x07, 0x03, 0x02, 0x00, 0x0f, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x02, 0,
                            0, 0x10,
                        ],
                    );
                }
                // The types of HyperTransport and of virtio, both without and with a flag.
                for kind in (0..=0xff).filter(|kind| kind & 7 == 0 || *kind < 10) {
                    for id in [0x08, 0x09] {
                        add((id, false), &[0x40, kind]);
                        add((id, false), &[0x11, kind]);
                        add((id, false), &[0x33, kind]);
                    }
                }
                for (id, length) in (0..=10).flat_map(|id| [(id, 0x0f), (id, 0x05)]) {
                    add((0x23, true), &[0x98, 0x1e, 0xf2, length, id, 0]);
                    add((0x23, true), &[0x86, 0x80, 0xf2, length, id, 0]);
                }
            }
        }
    }
    functions
}

/// `Device Control/max_payload_size_bytes`; of registers of which there are several without the number.
fn names(tree: &Value, names: &mut BTreeSet<String>) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let inside =
        list(&tree["capabilities"]).into_iter().flat_map(|capability| list(&capability["registers"]));
    for register in list(&tree["registers"]).into_iter().chain(inside) {
        let name = register["name"].as_str().expect("a name");
        let parts = name.split('[').map(|part| part.split_once(']').map_or(part, |(_, rest)| rest).trim());
        let name = parts.collect::<Vec<_>>().join("");
        names.insert(name.clone());
        names.extend(
            register["fields"].as_object().expect("fields").keys().map(|key| format!("{name}/{key}")),
        );
    }
}

#[test]
fn names_stay() {
    let mut found = BTreeSet::new();
    for bytes in functions() {
        names(&serde_json::to_value(Tree::new(&bytes)).expect("a tree"), &mut found);
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/names.txt");
    if std::env::var_os("PCICFG_NAMES").is_some_and(|value| value == "write") {
        let text: String = found.iter().map(|name| format!("{name}\n")).collect();
        std::fs::write(&file, text).expect("the crate's own folder");
    }
    let text = std::fs::read_to_string(&file).expect("the list");
    let listed: BTreeSet<String> = text.lines().map(str::to_string).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(gone.is_empty(), "names that scripts may use are gone: {gone:#?}");
    let new: Vec<_> = found.difference(&listed).collect();
    assert!(new.is_empty(), "names to add to the list: {new:#?}");
}
