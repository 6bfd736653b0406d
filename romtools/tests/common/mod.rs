//! What several tests need: the binary in a folder of its own, and where the ROMs of real machines are.
#![allow(dead_code, reason = "no test needs all of it")]

pub(crate) mod bench;
pub(crate) mod driver;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The corpus.
pub(crate) fn corpus() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("VFIO_RESET_SHARED").map_or_else(beside, PathBuf::from);
    let corpus = shared.join("corpus");
    let is_there = corpus.join("expected/images.tsv").exists();
    assert!(is_there, "no corpus in {} (set VFIO_RESET_SHARED to its parent)", corpus.display());
    corpus
}

/// The ROM files, by name.
pub(crate) fn roms(corpus: &Path) -> BTreeMap<String, Vec<u8>> {
    let roms: BTreeMap<_, _> = fs::read_dir(corpus.join("rom"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name() != "index.tsv")
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    assert!(!roms.is_empty());
    roms
}

/// The bytes of a dump as `xxd` or `hexdump -C` printed it.
pub(crate) fn from_hex(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in text.lines().filter(|line| line.len() > 10) {
        let digits: Vec<_> = line[10..].split(['|']).next().unwrap().split("  ").collect();
        let digits: String = match line.as_bytes()[8] {
            b':' => digits[0].into(),
            _ => digits.concat(),
        };
        let digits: Vec<_> = digits.chars().filter(char::is_ascii_hexdigit).collect();
        bytes.extend(
            digits.chunks(2).map(|two| u8::from_str_radix(&two.iter().collect::<String>(), 16).unwrap()),
        );
    }
    bytes
}
