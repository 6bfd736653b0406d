//! The commands that only look: `list`, `show`, `tree`, `diff`.

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};

const PROGRAM: &str = env!("CARGO_BIN_EXE_vfio-reset");

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_remove("LC_ALL").env_remove("LC_CTYPE").env("LANG", "C.UTF-8");
    command.output().expect("the program runs")
}

fn text(arguments: &[&str]) -> String {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn json(arguments: &[&str]) -> Value {
    let mut arguments = arguments.to_vec();
    arguments.push("--json");
    let output = run(&arguments);
    serde_json::from_slice(&output.stdout).expect("a JSON document")
}

/// Offsets, and the bytes that stand there.
type Changes<'a> = &'a [(usize, &'a [u8])];

/// A dump of functions given as address and the changes to a plain 64-byte endpoint header.
fn dump(name: &str, functions: &[(&str, Changes<'_>)]) -> (tempfile::TempDir, String) {
    let mut out = String::new();
    for (address, changes) in functions {
        let mut bytes = [0u8; 64];
        bytes[..12].copy_from_slice(&[0x86, 0x80, 0x34, 0x12, 0x07, 0x01, 0, 0, 0, 0, 0, 0x02]);
        for (at, new) in *changes {
            bytes[*at..*at + new.len()].copy_from_slice(new);
        }
        out.push_str(&format!("{address} a device\n"));
        for (row, bytes) in bytes.chunks(16).enumerate() {
            let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            out.push_str(&format!("{:02x}: {}\n", 16 * row, bytes.join(" ")));
        }
        out.push('\n');
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path: PathBuf = folder.path().join(name);
    std::fs::write(&path, out).expect("the dump is written");
    (folder, path.display().to_string())
}

const ALL_ONES: Changes<'static> = &[(0, &[0xff; 64])];

/// A bridge with the buses `secondary` to `subordinate` below.
fn bridge(buses: &'static [u8; 3]) -> [(usize, &'static [u8]); 2] {
    [(0x0a, &[0x04, 0x06, 0, 0, 0x01]), (0x18, buses)]
}

#[test]
fn list_has_a_line_for_each_function_and_says_what_is_stale() {
    let out = text(&["--machine", "sim:zoo", "list", "08:00"]);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 3, "{out}");
    assert!(lines[0].starts_with("ADDRESS"));
    assert!(lines[1].contains("0000:08:00.0") && lines[1].contains("bus(stale)"), "{out}");
    assert!(!out.contains('\u{1b}'), "plain in a pipe");
}

#[test]
fn list_filters() {
    let count = |filters: &[&str]| {
        let mut arguments = vec!["--machine", "sim:zoo", "list"];
        arguments.extend(filters);
        json(&arguments)["functions"].as_array().map_or(0, Vec::len)
    };
    let all = count(&[]);
    assert!(all > 20);
    assert_eq!(count(&["01:00.0"]), 1);
    assert_eq!(count(&["0000:01:00.0", "02:00"]), 2);
    assert_eq!(count(&["77"]), 0);
    assert_eq!(count(&["--class", "0300"]), count(&["--class", "0x030000"]));
    let bound = count(&["--driver", "vfio-pci"]);
    assert!(bound > 0 && bound < all);
    assert!(count(&["--driver", "none"]) > 0);
    assert_eq!(count(&["--group", "24"]), 2);
    assert_eq!(run(&["--machine", "sim:zoo", "list", "--class", "display"]).status.code(), Some(2));
}

#[test]
fn a_function_that_does_not_answer_is_called_so() {
    let (_folder, path) = dump("dump", &[("00:00.0", &[]), ("00:01.0", ALL_ONES)]);
    let out = text(&["--machine", &path, "list"]);
    assert!(out.lines().any(|line| line.contains("00:01.0") && line.contains("all-ones")), "{out}");
    let out = text(&["--machine", &path, "show", "00:01.0"]);
    assert!(out.contains("does not answer") && !out.contains("Capabilities"), "{out}");
    let out = json(&["--machine", &path, "show", "00:01.0"]);
    assert_eq!((&out["schema"], &out["present"]), (&Value::from(1), &Value::from(false)));
    assert_eq!(out["configuration"]["silence"], "all_ones");
}

#[test]
fn show_says_where_and_in_which_state_a_function_is() {
    let out = text(&["--machine", "sim:zoo", "show", "01:00.0"]);
    for expected in
        ["[1b36:0010]", "0000:00:04.0 > 0000:01:00.0", "vfio-pci", "Bus Master", "FLReset+", "NoSoftRst"]
    {
        assert!(out.contains(expected), "{expected} in\n{out}");
    }
    let more = text(&["--machine", "sim:zoo", "show", "01:00.0", "-v"]);
    assert!(more.contains("Device Control") && more.lines().count() > out.lines().count(), "{more}");
    let out = json(&["--machine", "sim:zoo", "show", "01:00.0"]);
    assert_eq!(out["driver"], "vfio-pci");
    assert_eq!(out["path"][0], "0000:00:04.0");
    assert!(out["configuration"]["capabilities"].as_array().is_some_and(|list| !list.is_empty()));
    assert_eq!(run(&["--machine", "sim:zoo", "show", "77:00.0"]).status.code(), Some(2));
}

#[test]
fn tree_draws_what_is_below_what() {
    let out = text(&["--machine", "sim:zoo", "tree", "0b:00.0"]);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 5, "the root bus, three bridges, the function:\n{out}");
    assert!(lines[4].starts_with("         └─ 0000:0b:00.0"), "{out}");
    let mut command = Command::new(PROGRAM);
    command.args(["--machine", "sim:zoo", "tree"]).env("LC_ALL", "C").env("LANG", "C.UTF-8");
    assert!(command.output().expect("the program runs").stdout.is_ascii());
    let out = json(&["--machine", "sim:zoo", "tree", "01:00.0"]);
    assert_eq!(out["roots"][0]["functions"][0]["functions"][0]["address"], "0000:01:00.0");
}

#[test]
fn tree_ends_on_bridges_in_a_ring() {
    let (first, second, third) = (bridge(&[2, 1, 2]), bridge(&[1, 2, 1]), bridge(&[0, 0, 0]));
    let (_folder, path) =
        dump("ring", &[("00:01.0", &third[..]), ("01:00.0", &second[..]), ("02:00.0", &first[..])]);
    let out = text(&["--machine", &path, "tree"]);
    assert!(out.lines().count() >= 3 && out.lines().count() < 10, "{out}");
}

#[test]
fn diff_finds_nothing_between_equals() {
    let out = run(&["diff", "sim:zoo", "sim:zoo"]);
    assert_eq!(out.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&out.stdout).contains("no difference"));
}

#[test]
fn diff_names_what_differs_and_ends_in_7() {
    let (_one, old) = dump("old", &[("00:00.0", &[]), ("00:01.0", &[]), ("00:02.0", &[])]);
    let (_two, new) = dump(
        "new",
        &[("00:00.0", &[(4, &[0x03, 0x00]), (7, &[0x20])]), ("00:01.0", ALL_ONES), ("00:03.0", &[])],
    );
    let output = run(&["diff", &old, &new]);
    assert_eq!(output.status.code(), Some(7));
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    for expected in [
        "Command at 004: 0107 -> 0003, Bus Master -, SERR Enable -",
        "Received Master Abort + (status)",
        "does not answer in",
        "0000:00:02.0  only in",
        "4 of 4 functions differ",
    ] {
        assert!(out.contains(expected), "{expected} in\n{out}");
    }
    let out = json(&["diff", &old, &new, "00:00.0", "--ignore-status"]);
    assert_eq!(out["equal"], false);
    assert_eq!(out["functions"][0]["differences"].as_array().map(Vec::len), Some(1));
    assert_eq!(out["functions"][0]["differences"][0]["fields"][0]["name"], "Bus Master");
}

#[test]
fn diff_takes_a_saved_state_for_the_functions_that_are_in_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("saved.json").display().to_string();
    text(&["--machine", "sim:zoo", "save", "01:00.0", "--output", &file]);
    assert_eq!(run(&["diff", &file, "sim:zoo"]).status.code(), Some(0));
    assert_eq!(run(&["diff", &file, "sim:zoo", "02:00.0"]).status.code(), Some(2));
    let other = folder.path().join("other.json").display().to_string();
    text(&["--machine", "sim:zoo", "save", "02:00.0", "--output", &other]);
    assert_eq!(run(&["diff", &file, &other]).status.code(), Some(2), "nothing could be compared");
    std::fs::write(&file, "{ \"schema\": 1 }").expect("the file is written");
    let output = run(&["diff", &file, "sim:zoo"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("saved.json:1:"), "one positioned error");
}

#[test]
fn diff_of_a_simulated_machine_with_itself_says_what_its_state_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let state = state.to_str().unwrap();
    let diff = ["diff", "sim:broken", "sim:broken", "--machine-state", state];
    assert_eq!(run(&diff).status.code(), Some(2), "there is no such file, and diff makes none");
    let dies = ["--machine", "sim:broken", "--machine-state", state, "reset", "02:00.0", "-m", "flr"];
    assert_eq!(run(&dies).status.code(), Some(6));
    let out = run(&diff);
    assert_eq!(out.status.code(), Some(7));
    assert!(String::from_utf8_lossy(&out.stdout).contains("0000:02:00.0"));
    let neither = [&["diff", "a.txt", "b.txt"], &diff[3..]].concat();
    let refused = run(&neither);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("neither of the two"));
}
