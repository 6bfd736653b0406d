//! What scripts rely on is written down.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// The patterns and ids of the `id` function of a source file: `Checksum { .. }`, `checksum`.
fn ids(source: &str) -> Vec<(&str, &str)> {
    let function = source.split("fn id(").nth(1).unwrap();
    let function = function.split("\n    }\n").next().unwrap();
    let arms = function.split("Self::").skip(1).filter_map(|arm| arm.split_once("=> \""));
    arms.map(|(pattern, rest)| (pattern.trim(), rest.split('"').next().unwrap())).collect()
}

/// What the doc comments of an enum say of its variants.
fn comments<'s>(source: &'s str, name: &str) -> HashMap<&'s str, String> {
    let body = source.split(&format!("pub enum {name} {{\n")).nth(1).unwrap();
    let body = body.split("\n}\n").next().unwrap();
    let mut comments = HashMap::new();
    let mut comment = String::new();
    for line in body.lines() {
        // Four spaces deep are the variants; their fields and attributes are deeper.
        let Some(line) = line.strip_prefix("    ").filter(|line| !line.starts_with(' ')) else { continue };
        if let Some(text) = line.strip_prefix("/// ") {
            comment = if comment.is_empty() { text.into() } else { format!("{comment} {text}") };
        } else if line.starts_with(char::is_uppercase) {
            let variant = line.split(|c: char| !c.is_alphanumeric()).next().unwrap();
            comments.insert(variant, std::mem::take(&mut comment));
        }
    }
    comments
}

#[test]
fn every_finding_is_in_the_document_with_the_words_of_its_source() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = fs::read_to_string(root.join("../docs/romtools-json.md")).unwrap();
    let row = |id: &str| {
        let rest = document.split(&format!("\n| `{id}` | ")).nth(1);
        rest.and_then(|rest| rest.split(" |\n").next()).map(str::to_owned)
    };
    let mut count = 0;
    for (file, name) in [
        ("check/problem", "Problem"),
        ("efi/problem", "Problem"),
        ("pe/defect", "Defect"),
        ("expansion/problem", "Problem"),
        ("atom/problem", "Problem"),
        ("vfct/problem", "Problem"),
    ] {
        let source = fs::read_to_string(root.join(format!("src/{file}.rs"))).unwrap();
        let comments = comments(&source, name);
        for (pattern, id) in ids(&source) {
            let row = row(id).unwrap_or_else(|| panic!("{file}.rs: `{id}` is not in the document"));
            let variant = pattern.trim_end_matches(" { .. }");
            // One variant with several ids has a row for each, and one comment for all.
            if variant != "Unreadable" && !pattern.contains("error:") {
                assert_eq!(Some(&row), comments.get(variant), "{file}.rs: `{id}`");
            }
            count += 1;
        }
    }
    assert!(count > 80, "{count}");
}
