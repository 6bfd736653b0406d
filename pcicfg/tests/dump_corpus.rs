//! `pcicfg::dump` with dumps of real machines, where they are at hand: in `../../shared` or where
//! `VFIO_RESET_SHARED` says. They have many owners and are no part of this project.
#![cfg(feature = "alloc")]

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;

use pcicfg::dump::{Dump, Extent, Style, WarningKind};

fn corpus(folder: &str) -> PathBuf {
    let shared = match env::var_os("VFIO_RESET_SHARED") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
    };
    let path = shared.join("corpus").join(folder);
    assert!(path.is_dir(), "there is no {} (VFIO_RESET_SHARED says where the corpus is)", path.display());
    path
}

/// The plainest reader there can be: slot lines, and rows that follow one another.
fn by_hand(text: &str) -> Vec<(&str, Vec<u8>)> {
    let mut functions: Vec<(&str, Vec<u8>)> = Vec::new();
    for line in text.lines() {
        let Some((first, rest)) = line.split_once(' ') else { continue };
        if let Some(offset) = first.strip_suffix(':') {
            let (Ok(offset), Some((_, bytes))) = (usize::from_str_radix(offset, 16), functions.last_mut())
            else {
                continue;
            };
            assert_eq!(offset, bytes.len(), "{line}");
            bytes.extend(rest.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).expect("a byte")));
        } else if first.contains('.') && !first.starts_with('\t') {
            functions.push((first, Vec::new()));
        }
    }
    functions
}

/// The dump in the text is what [`by_hand`] sees, and writes itself out the same.
fn compare(name: &str, text: &[u8]) -> BTreeMap<usize, usize> {
    let dump = Dump::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    for warning in dump.warnings() {
        // The dumps were normalised: nothing but slot lines and rows is left in them.
        let harmless = matches!(warning.kind, WarningKind::Repeated { .. } | WarningKind::Hole { .. });
        assert!(harmless, "{name}: {warning}");
    }
    let text = String::from_utf8_lossy(text);
    let expected = by_hand(&text);
    assert_eq!(dump.len(), expected.len(), "{name}");
    let mut sizes = BTreeMap::new();
    for (function, (slot, bytes)) in dump.functions().zip(&expected) {
        assert_eq!(Ok(function.address()), slot.parse(), "{name}");
        assert_eq!(&function.bytes()[..function.present()], bytes, "{name} {slot}");
        // The index has the sizes that `lspci -xxxx` would show.
        *sizes.entry(Extent::Extended.size(bytes)).or_default() += 1;
    }
    let mut written = String::new();
    dump.write(&mut written, Style::default()).expect("a String takes everything");
    let again = Dump::parse(written.as_bytes()).expect("written text reads");
    assert!(dump.functions().zip(again.functions()).all(|(a, b)| a.bytes() == b.bytes()), "{name}");
    assert_eq!(dump.len(), again.len(), "{name}");
    sizes
}

#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn real_dumps_have_the_functions_and_sizes_of_their_index() {
    let folder = corpus("lspci");
    let index = fs::read_to_string(folder.join("index.tsv")).expect("index.tsv");
    let mut files = 0;
    for line in index.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let (name, count) = (columns[0], |column: usize| columns[column].parse::<usize>().expect("a number"));
        let sizes = compare(name, &fs::read(folder.join(name)).expect(name));
        let of = |size| sizes.get(&size).copied().unwrap_or(0);
        assert_eq!(sizes.values().sum::<usize>(), count(2), "{name}");
        assert_eq!((of(4096), of(256), of(64)), (count(3), count(4), count(5)), "{name}");
        files += 1;
    }
    println!("{files} dumps compared");
    assert!(files > 0);
}

#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn the_dumps_of_the_lab_are_read() {
    let folder = corpus("lab-configs");
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path().join("all.lspci-xxxx");
        compare(&path.display().to_string(), &fs::read(&path).expect("a dump"));
    }
}
