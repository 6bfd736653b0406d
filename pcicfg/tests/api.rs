//! What users of the crate build on, beyond its values: threads, errors, room to grow, examples.

use pcicfg::capability::{Capabilities, Capability, CapabilityEntry};
use pcicfg::diff::{Difference, FunctionDifference};
use pcicfg::dump::{Dump, DumpError};
use pcicfg::edit::{ApplyError, Edit, EditError, Write};
use pcicfg::extended::{Cxl, ExtendedCapabilities, ExtendedCapability, ExtendedCapabilityEntry};
use pcicfg::header::Header;
use pcicfg::live::{SnapshotError, WalkError};
use pcicfg::registers::{FindError, RegisterMap, Value};
use pcicfg::{Address, ConfigSpace, Defects, ParseAddressError, SizeError, Truncated};
use std::path::{Path, PathBuf};

#[test]
fn everything_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + Unpin>() {}
    shared::<ConfigSpace<'_>>();
    shared::<Header<'_>>();
    shared::<Capabilities<'_>>();
    shared::<CapabilityEntry<'_>>();
    // These have every view in them.
    shared::<Capability<'_>>();
    shared::<ExtendedCapability<'_>>();
    shared::<Cxl<'_>>();
    shared::<ExtendedCapabilities<'_>>();
    shared::<ExtendedCapabilityEntry<'_>>();
    shared::<Defects<'_>>();
    shared::<Address>();
    shared::<Dump>();
    shared::<Edit<'_>>();
    shared::<Write>();
    shared::<RegisterMap>();
    shared::<Value>();
    shared::<Difference>();
    shared::<FunctionDifference>();
}

#[test]
fn errors_can_be_boxed_and_sent() {
    fn error<T: std::error::Error + Send + Sync + 'static>() {}
    error::<SizeError>();
    error::<Truncated>();
    error::<ParseAddressError>();
    error::<DumpError>();
    error::<EditError>();
    error::<ApplyError<std::io::Error>>();
    error::<FindError>();
    error::<WalkError<std::io::Error>>();
    error::<SnapshotError<std::io::Error>>();
}

fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).expect("the crate's own sources") {
        let path = entry.expect("the crate's own sources").path();
        if path.is_dir() {
            sources(&path, found);
        } else {
            let text = std::fs::read_to_string(&path).expect("the crate's own sources");
            found.push((path, text));
        }
    }
}

/// What is reserved today has a meaning tomorrow, and that must not break whoever matches on it.
#[test]
fn enums_with_reserved_codes_can_grow() {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let (mut seen, mut closed) = (0, Vec::new());
    for (path, text) in &files {
        for (at, _) in text.match_indices("\npub enum ") {
            let (body, _) = text[at..].split_once("\n}").expect("an enum ends");
            if body.contains("\n    Reserved") {
                seen += 1;
                if !text[..at].ends_with("#[non_exhaustive]") {
                    closed.push(format!("{}: {:?}", path.display(), body.trim_start().lines().next()));
                }
            }
        }
    }
    assert!(seen > 25, "the sources are read");
    assert!(closed.is_empty(), "{closed:#?}");
}

/// The examples are compiled and run with the documentation's.
#[test]
fn every_public_module_begins_with_an_example() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&source, &mut files);
    let mut modules = 0;
    for (path, text) in &files {
        for name in text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')) {
            modules += 1;
            let folder = if path.ends_with("lib.rs") { source.clone() } else { path.with_extension("") };
            let file = folder.join(name).with_extension("rs");
            let module = std::fs::read_to_string(&file).expect("a module's file");
            let fences = module.lines().take_while(|line| line.starts_with("//!"));
            assert!(fences.filter(|line| *line == "//! ```").count() >= 2, "{}", file.display());
        }
    }
    assert!(modules >= 16, "the sources are read");
}

/// The rows of the tables of ids: id, name, view.
fn rows(text: &str, prefix: &str, digits: usize) -> Vec<[String; 3]> {
    let rows = text.lines().filter_map(|line| line.strip_prefix(prefix)?.strip_prefix("| "));
    let cells = rows.map(|row| row.split(" | ").map(|cell| cell.replace(['[', ']'], "")).collect::<Vec<_>>());
    cells
        .filter(|cells| cells[0].len() == digits + 1 && cells[0].ends_with('h'))
        .map(|cells| [cells[0].clone(), cells[1].clone(), cells[2].trim_end_matches(" |").to_string()])
        .collect()
}

#[test]
fn the_documentation_has_a_line_for_each_id() {
    let readme = include_str!("../README.md");
    for (module, digits, ids) in [
        (include_str!("../src/capability.rs"), 2, 0..=0x15_usize),
        (include_str!("../src/extended.rs"), 4, 0..=0x3a),
    ] {
        let rows_of_module = rows(module, "//! ", digits);
        let expected: Vec<_> = ids.map(|id| format!("{id:0digits$X}h")).collect();
        assert_eq!(rows_of_module.iter().map(|row| row[0].clone()).collect::<Vec<_>>(), expected);
        assert_eq!(rows(readme, "", digits), rows_of_module);
    }
}
