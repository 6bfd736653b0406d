//! What scripts rely on is written down.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

/// The ids that the `id` function of a source file returns.
fn ids(source: &str) -> Vec<String> {
    let function = source.split("fn id(").nth(1).unwrap();
    let function = function.split("\n    }\n").next().unwrap();
    function.split("=> \"").skip(1).map(|rest| rest.split('"').next().unwrap().to_string()).collect()
}

#[test]
fn every_finding_is_in_the_document() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("../docs/romtools-json.md")).unwrap();
    let mut count = 0;
    for file in
        ["check/problem", "efi/problem", "pe/defect", "expansion/problem", "atom/problem", "vfct/problem"]
    {
        let source = fs::read_to_string(root.join(format!("src/{file}.rs"))).unwrap();
        for id in ids(&source) {
            assert!(document.contains(&format!("\n| `{id}` | ")), "{file}.rs: `{id}` is not in the document");
            count += 1;
        }
    }
    assert!(count > 80, "{count}");
}
