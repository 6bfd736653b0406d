//! The tree of a function, as JSON.

#[path = "common/build.rs"]
mod build;
#[path = "common/lists.rs"]
mod lists;

use build::{endpoint, put, view};
use lists::{lists, size};
use pcicfg::tree::Tree;
use proptest::prelude::*;
use serde_json::{Value, json};

fn tree(bytes: &[u8]) -> Value {
    let text = serde_json::to_string(&Tree::new(bytes)).expect("a tree");
    serde_json::from_str(&text).expect("JSON")
}

/// The register of this name in the capability at `offset`.
#[track_caller]
fn register(tree: &Value, offset: u16, name: &str) -> Value {
    let capabilities = tree["capabilities"].as_array().expect("a list");
    let found =
        capabilities.iter().find(|capability| capability["offset"] == offset).expect("the capability");
    let registers = found["registers"].as_array().expect("a list");
    registers.iter().find(|register| register["name"] == name).expect("the register").clone()
}

#[test]
fn fields_have_the_type_of_what_they_say() {
    let mut bytes = endpoint(4096, 0x40);
    // PCI Express 2, an endpoint: L1 acceptable latency 32 us, max payload 256 bytes; a captured limit of 25 W.
    put(&mut bytes, 0x40, &[0x10, 0x00, 0x02, 0x00, 0x41, 0x0a, 0x00, 0x00]);
    bytes[0x46] = 0x64; // Captured Slot Power Limit Value: bits 25 to 18, 0x19
    put(&mut bytes, 0x48, &[0x10, 0x20, 0x02, 0x00]); // Max Read Request Size 512; Non-Fatal Error Detected
    put(&mut bytes, 0x4c, &[0x04, 0x0d, 0x40, 0x00]); // 16 GT/s x16, L0s and L1
    put(&mut bytes, 0x52, &[0x43, 0x10]); // 8 GT/s x4
    bytes[0x6d] = 0x06; // Link Capabilities 2: bits 10 and 9
    // LTR: 3 ms snooped, no limit otherwise.
    put(&mut bytes, 0x100, &[0x18, 0x00, 0x01, 0x00, 0x03, 0x10, 0x00, 0x00]);
    let tree = tree(view(&bytes).bytes());
    let capabilities = register(&tree, 0x40, "Device Capabilities");
    assert_eq!(capabilities["width"], 4);
    assert_eq!(capabilities["fields"]["max_payload_size_supported_bytes"], 256);
    assert_eq!(capabilities["fields"]["endpoint_l1_acceptable_latency_ns"], 32_000);
    assert_eq!(capabilities["fields"]["captured_slot_power_limit_mw"], 25_000);
    let control = register(&tree, 0x40, "Device Control");
    assert_eq!((&control["offset"], &control["value"]), (&json!(0x48), &json!(0x2010)));
    assert_eq!(control["fields"]["max_read_request_size_bytes"], 512);
    assert_eq!(control["fields"]["enable_relaxed_ordering"], true);
    assert_eq!(register(&tree, 0x40, "Device Status")["fields"]["non_fatal_error_detected"], true);
    let link = register(&tree, 0x40, "Link Capabilities");
    assert_eq!(link["fields"]["max_link_speed"], "16 GT/s");
    let speeds = register(&tree, 0x40, "Link Capabilities 2");
    assert_eq!(speeds["fields"]["lower_skp_os_generation_supported"], json!(["2.5 GT/s", "5 GT/s"]));
    assert_eq!(speeds["fields"]["lower_skp_os_reception_supported"], json!([]));
    let status = register(&tree, 0x40, "Link Status");
    assert_eq!(status["fields"]["current_link_speed"], "8 GT/s");
    assert_eq!(status["fields"]["negotiated_link_width_lanes"], 4);
    let snoop = register(&tree, 0x100, "Max Snoop Latency");
    assert_eq!(snoop["fields"], json!({ "latency_ns": 3_145_728 }));
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let mut bytes = endpoint(256, 0x40);
    put(&mut bytes, 0x40, &[0x01, 0x40, 0x03, 0x00]);
    let defects = &tree(&bytes)["defects"];
    assert_eq!(defects.as_array().map(Vec::len), Some(1), "{defects}");
    assert_eq!(defects[0]["offset"], 0x41, "where the pointer to itself is");
    assert!(defects[0]["text"].as_str().is_some_and(|text| text.contains("0x040")), "{defects}");
}

#[test]
fn a_few_bytes_have_the_ids_that_are_in_them() {
    for (bytes, vendor, device) in [
        (&[][..], Value::Null, Value::Null),
        (&[0x86], Value::Null, Value::Null),
        (&[0x86, 0x80, 0x37], json!("8086"), Value::Null),
        (&[0x86, 0x80, 0x37, 0x12], json!("8086"), json!("1237")),
    ] {
        let tree = tree(bytes);
        assert_eq!((&tree["vendor"], &tree["device"]), (&vendor, &device));
        assert_eq!(tree["bytes"], bytes.len());
    }
}

fn check(bytes: &[u8]) {
    let keys = |value: &Value| -> Vec<String> {
        let mut keys: Vec<_> = value.as_object().expect("an object").keys().cloned().collect();
        keys.sort();
        keys
    };
    let tree = tree(bytes);
    assert_eq!(keys(&tree), keys(&self::tree(&[])), "the keys do not depend on the bytes");
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let capabilities = list(&tree["capabilities"]);
    let inside = capabilities.iter().flat_map(|capability| list(&capability["registers"]));
    for register in list(&tree["registers"]).into_iter().chain(inside) {
        assert_eq!(keys(&register), ["fields", "name", "offset", "value", "width"]);
        let (at, width) = (register["offset"].as_u64().expect("a number"), register["width"].as_u64());
        let (at, width) = (at as usize, width.expect("a number") as usize);
        let mut value = [0; 8];
        value[..width].copy_from_slice(&bytes[at..at + width]);
        assert_eq!(register["value"], u64::from_le_bytes(value), "{}", register["name"]);
    }
}

proptest! {
    #[test]
    fn any_bytes_have_a_tree(bytes in prop::collection::vec(any::<u8>(), 0..=70)) {
        check(&bytes);
    }

    #[test]
    fn any_space_has_a_tree(bytes in size().prop_flat_map(|size| prop::collection::vec(any::<u8>(), size))) {
        check(&bytes);
    }

    #[test]
    fn any_lists_have_a_tree(bytes in lists()) {
        check(&bytes);
    }
}
