//! What users of the library build on, beyond its values: examples, and room to grow.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// The library's files with their text; those of the program are not its own.
fn sources(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("bin") {
                sources(&path, found);
            }
        } else {
            let text = fs::read_to_string(&path).unwrap();
            found.push((path, text));
        }
    }
}

fn all() -> (PathBuf, Vec<(PathBuf, String)>) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&source, &mut files);
    (source, files)
}

/// The examples are compiled and run with the documentation's.
#[test]
fn every_public_module_has_an_example() {
    let (source, files) = all();
    let mut modules = 0;
    for (path, text) in &files {
        for name in text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')) {
            modules += 1;
            let folder = if path.ends_with("lib.rs") { source.clone() } else { path.with_extension("") };
            let file = folder.join(name).with_extension("rs");
            let module = fs::read_to_string(&file).unwrap();
            let lines = module.lines().take_while(|line| line.starts_with("//!"));
            let fences = lines.filter(|line| matches!(*line, "//! ```" | "//! ```no_run"));
            assert!(fences.count() >= 2, "{}", file.display());
        }
    }
    assert!(modules >= 24, "the sources are read");
}

/// What a call takes or returns gets fields in time, and that must not break whoever uses it.
#[test]
fn results_and_options_can_grow() {
    let (source, files) = all();
    let mut seen = 0;
    for module in ["cut", "fix", "edit", "compare", "scan", "efi", "check/guest", "vfct/find", "nvidia"] {
        let file = source.join(module).with_extension("rs");
        let folder = source.join(module);
        for (path, text) in files.iter().filter(|(path, _)| *path == file || path.starts_with(&folder)) {
            for (at, _) in text.match_indices("\npub struct ") {
                let (body, _) = text[at + 1..].split_once("\n}").unwrap();
                if body.contains("\n    pub ") && !body.contains("\n    fn ") {
                    // A private field keeps others from building it, too.
                    let fields = body.lines().filter(|line| line.ends_with(',') && line.starts_with("    "));
                    let is_open = fields.clone().all(|line| line.starts_with("    pub "));
                    let name = body.lines().next().unwrap();
                    let can_grow = !is_open || text[..at].ends_with("#[non_exhaustive]");
                    assert!(can_grow, "{}: {name}", path.display());
                    seen += 1;
                }
            }
        }
    }
    assert!(seen >= 20, "{seen}");
}
