//! `vfio-reset lspci` against what lspci 3.14 prints.
//!
//! `tests/lspci/cases.dump` was made by hand, one odd thing in each function; the `.out` files beside it
//! are what lspci 3.14 (pciutils git 0f5b941) printed for it.

use std::path::{Path, PathBuf};
use std::process::Command;

const CASES: &str = include_str!("lspci/cases.dump");

/// Runs the command; returns what it prints, and what it warns of.
fn lspci(file: &Path, options: &[&str]) -> (Vec<u8>, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_vfio-reset"))
        .arg("lspci")
        .arg("-F")
        .arg(file)
        .args(options)
        .output()
        .expect("the command starts");
    let errors = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success(), "{file:?} {options:?}: {errors}");
    (run.stdout, errors)
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), text).expect("a file that can be written");
    file
}

/// Without the lines that `--more` adds.
fn without_more(text: &[u8]) -> Vec<u8> {
    let added = |line: &&[u8]| line.trim_ascii_start().starts_with(b"+ ") && line.starts_with(b"\t");
    text.split_inclusive(|byte| *byte == b'\n').filter(|line| !added(line)).flatten().copied().collect()
}

fn json(file: &Path, options: &[&str]) -> serde_json::Value {
    let (text, _) = lspci(file, &[&["--json"], options].concat());
    serde_json::from_slice(&text).expect("JSON")
}

fn printed(text: &str, options: &[&str]) -> String {
    String::from_utf8_lossy(&lspci(file(text).path(), options).0).into_owned()
}

#[track_caller]
fn assert_same(ours: &[u8], expected: &[u8], what: &str) {
    let (ours, expected) = (String::from_utf8_lossy(ours), String::from_utf8_lossy(expected));
    for (number, (ours, expected)) in ours.lines().zip(expected.lines()).enumerate() {
        assert_eq!(ours, expected, "{what}, line {}", number + 1);
    }
    assert_eq!(ours.lines().count(), expected.lines().count(), "{what}: lines");
    assert!(ours == expected, "{what}: the end");
}

#[test]
fn odd_cases_are_printed_as_lspci_prints_them() {
    let dump = file(CASES);
    for (options, expected) in [
        ("-n", &include_bytes!("lspci/cases.n.out")[..]),
        ("-vn", include_bytes!("lspci/cases.vn.out")),
        ("-vvvn", include_bytes!("lspci/cases.vvvn.out")),
    ] {
        assert_same(&lspci(dump.path(), &[options]).0, expected, options);
    }
}

/// The corpus is not part of the repository: its dumps belong to many owners.
#[test]
fn every_dump_of_the_corpus_is_printed_as_lspci_prints_it() {
    let shared = std::env::var_os("VFIO_RESET_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")), PathBuf::from);
    let corpus = shared.join("corpus");
    let Ok(folder) = std::fs::read_dir(corpus.join("lspci")) else {
        println!("skipped: no corpus at {}; VFIO_RESET_SHARED can name the folder", corpus.display());
        return;
    };
    let mut compared = 0;
    for entry in folder {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let Ok(expected) = std::fs::read(corpus.join("lspci-expected").join(format!("{name}.out"))) else {
            continue;
        };
        assert_same(&lspci(&path, &["-vvvn"]).0, &expected, &name);
        assert_same(&without_more(&lspci(&path, &["--more", "-vvvn"]).0), &expected, &name);
        let functions = expected.split(|byte| *byte == b'\n').filter(|line| line.is_empty()).count();
        assert_eq!(json(&path, &["-n"])["functions"].as_array().map(Vec::len), Some(functions - 1), "{name}");
        compared += 1;
    }
    println!("{compared} dumps");
    assert!(compared > 40);
}

#[test]
fn more_is_what_lspci_prints_and_lines_that_are_told_apart() {
    let dump = file(CASES);
    let more = lspci(dump.path(), &["--more", "-vvvn"]).0;
    assert_same(&without_more(&more), include_bytes!("lspci/cases.vvvn.out"), "--more");
    let text = String::from_utf8(more).unwrap();
    assert!(text.contains("\n\t+ Note: "), "{text}");
    assert_eq!(printed(CASES, &["--more", "-n"]), printed(CASES, &["--more", "-vvn"]), "-vv is understood");
}

#[test]
fn json_has_every_function_as_a_typed_tree() {
    // A Base Address Register, D3hot, and a list that runs into the header.
    let dump = file(
        "03:00.0 x\n\
         00: 36 1b 10 00 06 04 10 00 02 02 08 01 10 00 00 00\n\
         10: 04 00 00 fe 01 00 00 00 00 00 00 00 00 00 00 00\n\
         20: 00 00 00 00 00 00 00 00 00 00 00 00 f4 1a 00 11\n\
         30: 00 00 00 00 40 00 00 00 00 00 00 00 0b 01 00 00\n\
         40: 01 20 03 00 0b 00 00 00 00 00 00 00 00 00 00 00\n\
         \n\
         03:00.1 y\n\
         00: ff ff ff ff 06 04 10 00 02 02 08 01 10 00 00 00\n",
    );
    let names = file("1b36  Red Hat, Inc.\n\t0010  QEMU NVM Express Controller\n");
    let text = json(dump.path(), &["-i", names.path().to_str().unwrap()]);
    assert_eq!(text["schema"], 1);
    let function = &text["functions"][0];
    for (key, expected) in [
        ("address", "0000:03:00.0"),
        ("vendor", "1b36"),
        ("device", "0010"),
        ("vendor_name", "Red Hat, Inc."),
        ("device_name", "QEMU NVM Express Controller"),
        ("class", "010802"),
        ("revision", "02"),
        ("subsystem_vendor", "1af4"),
        ("subsystem_device", "1100"),
        ("presence", "present"),
        ("header_type", "endpoint"),
    ] {
        assert_eq!(function[key], expected, "{key}");
    }
    assert_eq!(
        function["bars"],
        serde_json::json!([
            {"index": 0, "kind": "memory", "bits": 64, "prefetchable": false, "address": 0x1_fe00_0000_u64},
        ])
    );
    assert!(function["system"].is_null(), "a dump has no kernel");
    let command = &function["registers"][2];
    assert_eq!((&command["name"], &command["value"]), (&"Command".into(), &0x0406.into()));
    assert_eq!(command["fields"]["bus_master"], true);
    let capabilities = function["capabilities"].as_array().unwrap();
    assert_eq!(capabilities.len(), 1);
    assert_eq!(
        (&capabilities[0]["id"], &capabilities[0]["offset"], &capabilities[0]["version"]),
        (&1.into(), &0x40.into(), &().into())
    );
    let control = &capabilities[0]["registers"][3];
    assert_eq!((&control["offset"], &control["width"]), (&0x44.into(), &2.into()));
    assert_eq!(control["fields"]["power_state"], "D3hot");
    assert_eq!(function["defects"][0]["offset"], 0x41, "{}", function["defects"]);
    assert_eq!(text["functions"][1]["bytes"], 16);

    assert_eq!(json(dump.path(), &["-s", ".1"])["functions"].as_array().map(Vec::len), Some(1));
    assert_eq!(json(dump.path(), &["-d", "1b36:"])["functions"].as_array().map(Vec::len), Some(1));
    assert_eq!(json(dump.path(), &["-d", "8086:"])["functions"], serde_json::json!([]));
    assert!(json(dump.path(), &["-n"])["functions"][0]["vendor_name"].is_null());
}

/// A host of 512 functions, with capabilities all over, has more than 16 MiB of JSON; 8 MiB of memory do.
#[test]
#[cfg(target_os = "linux")]
fn json_of_many_functions_needs_no_more_memory_than_that_of_one() {
    let mut text = String::new();
    for function in 0..512 {
        text += &format!("{:02x}:{:02x}.{} x\n", function >> 8, function >> 3 & 0x1f, function & 7);
        let mut bytes = vec![0x5a_u8; 4096];
        (bytes[0x06], bytes[0x0e], bytes[0x34]) = (0x10, 0, 0x40);
        bytes[0x40..0x44].copy_from_slice(&[0x10, 0, 0x42, 0x01]);
        for id in 1..=0x3a_u32 {
            let at = 0xc0 + 0x40 * id as usize;
            let next = if id == 0x3a { 0 } else { at as u32 + 0x40 };
            bytes[at..at + 4].copy_from_slice(&(id | 2 << 16 | next << 20).to_le_bytes());
        }
        for (row, bytes) in bytes.chunks(16).enumerate() {
            text += &format!("{:02x}:", 16 * row);
            bytes.iter().for_each(|byte| text += &format!(" {byte:02x}"));
            text.push('\n');
        }
        text.push('\n');
    }
    let dump = file(&text);
    let run = Command::new("sh")
        .args(["-c", "ulimit -d 8192; exec \"$0\" lspci -F \"$1\" -n --json"])
        .arg(env!("CARGO_BIN_EXE_vfio-reset"))
        .arg(dump.path())
        .output()
        .expect("a shell");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(run.stdout.len() > 16 << 20, "{} bytes", run.stdout.len());
}

#[test]
fn json_and_other_forms_exclude_each_other() {
    for options in [&["--json", "-t"][..], &["--json", "-x"], &["--json", "-mm"], &["--json", "--more"]] {
        let run = Command::new(env!("CARGO_BIN_EXE_vfio-reset")).arg("lspci").args(options).output().unwrap();
        assert_eq!(run.status.code(), Some(2), "{options:?}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 24, ..Default::default() })]

    #[test]
    fn any_bytes_are_json_and_more_text(
        seed in proptest::collection::vec(proptest::prelude::any::<u8>(), 1..300),
        pointers in proptest::collection::vec(0x40u8..=0xfc, 4),
    ) {
        // Repeated with changes they are whole spaces; the pointers lead into them.
        let mut text = String::new();
        for function in 0..8usize {
            text += &format!("00:00.{function} x\n");
            for row in 0..[4, 16, 256][function % 3] {
                text += &format!("{:02x}:", row * 16);
                for byte in row * 16..row * 16 + 16 {
                    let value = match byte {
                        0x06 => 0x10,
                        0x0e => (function % 3) as u8,
                        0x34 => pointers[function % 4],
                        _ => seed[byte % seed.len()].wrapping_mul(2 * function as u8 + 1),
                    };
                    text += &format!(" {value:02x}");
                }
                text.push('\n');
            }
            text.push('\n');
        }
        let dump = file(&text);
        let document = json(dump.path(), &["-n"]);
        proptest::prop_assert_eq!(document["functions"].as_array().map(Vec::len), Some(8));
        let plain = lspci(dump.path(), &["-vvvn"]).0;
        let more = lspci(dump.path(), &["-vvvn", "--more"]).0;
        let kept = without_more(&more);
        proptest::prop_assert_eq!(String::from_utf8_lossy(&kept), String::from_utf8_lossy(&plain));
    }
}

#[test]
fn a_dump_in_pieces_is_the_dump_as_a_whole() {
    // Each domain has the cases again, and the last comes first: some megabytes.
    let mut text = String::new();
    let mut expected = Vec::new();
    let one = printed(CASES, &["-vvvn"]);
    for domain in (1..=200).rev() {
        for line in CASES.lines() {
            let slot = line.get(2..3) == Some(":") && line.get(5..6) == Some(".");
            text += &if slot { format!("{domain:04x}:{line}\n") } else { format!("{line}\n") };
        }
    }
    for domain in 1..=200 {
        for line in one.lines() {
            let slot = line.get(2..3) == Some(":");
            expected.push(if slot { format!("{domain:04x}:{line}") } else { line.to_string() });
        }
    }
    assert!(text.len() > 4 * (256 << 10));
    let dump = file(&text);
    let (ours, errors) = lspci(dump.path(), &["-vvvn"]);
    assert_same(&ours, (expected.join("\n") + "\n").as_bytes(), "pieces");
    // What is wrong with the functions is noted, and with the dump nothing is.
    assert!(errors.lines().all(|line| line.starts_with("note: ")), "{errors}");
    // And as -n skims it.
    let short: Vec<&String> = expected.iter().filter(|line| line.starts_with("0")).collect();
    let ours = String::from_utf8(lspci(dump.path(), &["-n"]).0).unwrap();
    assert_eq!(ours.lines().count(), short.len());
    for (ours, expected) in ours.lines().zip(short) {
        assert!(expected.starts_with(ours), "{ours}: {expected}");
    }
}

#[test]
fn what_is_wrong_in_a_large_dump_is_told_with_its_line() {
    let mut text = CASES.repeat(100);
    let lines = text.lines().count();
    text += "09:00.0 the last\n00: 86 80 zz\n\n0a:00.0 nothing\n";
    for options in ["-n", "-vn"] {
        let (ours, errors) = lspci(file(&text).path(), &[options]);
        assert!(String::from_utf8_lossy(&ours).contains("\n09:00.0 ffff: 8086:ffff"));
        // Every slot is there a hundred times, but each piece has some of them only once or twice.
        let at = format!(":{}:", lines + 2);
        assert!(errors.contains("more of such") || errors.contains(&at), "{errors}");
    }
}

#[test]
fn wild_text_is_read_where_lspci_gives_up() {
    let quoted: String = CASES.lines().map(|line| format!("> {line}\r\n")).collect();
    assert_eq!(printed(&quoted, &["-vvvn"]), printed(CASES, &["-vvvn"]));
    assert_eq!(printed(CASES.trim_end(), &["-n"]), printed(CASES, &["-n"]), "no newline at the end");
    let slot = "10000000:e1:00.0 x\n00: 86 80 37 12 00 00 00 00 02 00 00 06 00 00 00 00\n";
    assert_eq!(printed(slot, &["-n"]), "10000000:e1:00.0 0600: 8086:1237 (rev 02)\n");
}

#[test]
fn functions_are_chosen_by_slot_and_id() {
    let count = |options: &[&str]| printed(CASES, options).lines().count();
    assert_eq!(count(&["-n"]), 20);
    assert_eq!(count(&["-n", "-s", "01."]), 8);
    assert_eq!(count(&["-n", "-s", "1:"]), 0);
    assert_eq!(count(&["-n", "-s", "01.", "-s", ".3"]), 1, "options add up");
    assert_eq!(count(&["-n", "-d", "8086:"]), 1);
    assert_eq!(count(&["-n", "-d", "::06xx"]), 3);
    let wrong = Command::new(env!("CARGO_BIN_EXE_vfio-reset")).args(["lspci", "-s", "zz"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn bytes_and_trees_and_records_are_printed() {
    let hex = printed(CASES, &["-x", "-n", "-s", "00:01.0"]);
    assert_eq!(hex.lines().count(), 6);
    assert!(hex.contains("\n30: 00 00 00 00 40 00"), "{hex}");
    assert_eq!(printed(CASES, &["-xxx", "-n", "-s", "00:01.0"]).lines().count(), 18);
    assert_eq!(
        printed(CASES, &["-t", "-s", "3."]),
        "-[0000:00]-+-03.0-[01-03]--\n           +-03.1--\n           \\-03.2\n"
    );
    let record = printed(CASES, &["-vmm", "-n", "-s", "03.0"]);
    assert!(record.starts_with("Slot:\t00:03.0\nClass:\t0604\nVendor:\t10de\n"), "{record}");
    assert!(record.contains("SVendor:\t1028\nSDevice:\t0777\n"), "{record}");
    assert_eq!(
        printed(CASES, &["-mm", "-n", "-D", "-s", "06.0"]),
        "0000:00:06.0 \"0300\" \"1af4\" \"1041\" -r01 -p00 \"\" \"\"\n"
    );
}

/// A function's rows.
fn rows(bytes: &[u8]) -> String {
    let row = |(row, bytes): (usize, &[u8])| {
        let cells: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{:02x}: {}\n", row * 16, cells.join(" "))
    };
    bytes.chunks(16).enumerate().map(row).collect()
}

/// A bridge from bus 0 to the buses from `secondary` to `subordinate`.
fn bridge(secondary: u8, subordinate: u8) -> Vec<u8> {
    let mut bytes = vec![0; 0x104];
    bytes[0x0a..0x0c].copy_from_slice(&[0x04, 0x06]);
    (bytes[0x0e], bytes[0x19], bytes[0x1a]) = (1, secondary, subordinate);
    bytes
}

#[test]
fn the_bridges_above_stand_before_a_function() {
    let text = format!(
        "00:01.0 x\n{}\n01:02.0 x\n{}\n02:03.1 x\n{}\n",
        rows(&bridge(1, 2)),
        rows(&bridge(2, 2)),
        rows(&[0; 64])
    );
    let last = |options: &[&str]| printed(&text, options).lines().last().unwrap_or_default().to_string();
    assert_eq!(last(&["-n", "-P"]), "00:01.0/02.0/03.1 0000: 0000:0000");
    assert_eq!(last(&["-n", "-PP"]), "00:01.0/01:02.0/02:03.1 0000: 0000:0000");
    assert_eq!(last(&["-nDP"]), "0000:00:01.0/02.0/03.1 0000: 0000:0000");
    assert_eq!(last(&["-n", "-P", "-mm"]), "00:01.0/02.0/03.1 \"0000\" \"0000\" \"0000\" -p00 \"\" \"\"");
}

#[test]
fn a_subsystem_that_reaches_beyond_256_bytes_is_printed_whatever_the_options() {
    let mut bytes = bridge(0, 0);
    (bytes[0x06], bytes[0x34], bytes[0xfc]) = (0x10, 0xfc, 0x0d);
    bytes[0x100..0x104].copy_from_slice(&[0x28, 0x10, 0x77, 0x07]);
    let text = format!("00:01.0 x\n{}", rows(&bytes));
    assert!(printed(&text, &["-mm", "-n"]).ends_with("\"1028\" \"0777\"\n"));
    assert!(printed(&text, &["-k", "-n"]).contains("\tSubsystem: 1028:0777\n"));
}

#[test]
fn names_come_from_the_file_that_is_named() {
    let names = file(
        "10de  NV\n\t1234  Card\n\t\t1028 0777  Board\n1028  Dell\nC 03  Display\n\t00  VGA\n\t\t00  VGA controller\n\
         C 06  Bridge\n",
    );
    let names = names.path().to_str().unwrap();
    let first = |options: &[&str]| {
        let all = [&["-i", names], options].concat();
        printed(CASES, &all).lines().next().unwrap_or_default().to_string()
    };
    assert_eq!(first(&["-s", "01.0"]), "00:01.0 VGA: NV Card (rev 01)");
    assert_eq!(first(&["-s", "01.0", "-nn"]), "00:01.0 VGA [0300]: NV Card [10de:1234] (rev 01)");
    assert_eq!(first(&["-s", "01.0", "-v"]), "00:01.0 VGA: NV Card (rev 01) (prog-if 00 [VGA controller])");
    assert_eq!(
        first(&["-s", "03.0"]),
        "00:03.0 Bridge [0604]: NV Card (rev 01)",
        "only the base class has a name"
    );
    assert_eq!(first(&["-s", "06.1"]), "00:06.1 VGA: Device 8086:1234 (rev 01)");
    assert_eq!(first(&["-s", "06.0", "-nn"]), "00:06.0 VGA [0300]: Device [1af4:1041] (rev 01)");
    let board = printed(CASES, &["-i", names, "-k", "-s", "03.0"]);
    assert!(board.ends_with("\tSubsystem: Dell Board\n"), "{board}");
}

#[test]
fn a_simulated_machine_is_printed_with_what_its_kernel_knows() {
    let run = Command::new(env!("CARGO_BIN_EXE_vfio-reset"))
        .args(["--machine", "sim:zoo", "lspci", "-vvvn"])
        .output()
        .unwrap();
    assert!(run.status.success());
    let text = String::from_utf8(run.stdout).unwrap();
    assert!(text.contains("Kernel driver in use: "), "{text}");
    assert!(text.contains("Express (v2)"), "{text}");
    let run = Command::new(env!("CARGO_BIN_EXE_vfio-reset"))
        .args(["--machine", "sim:zoo", "lspci", "--json"])
        .output()
        .unwrap();
    let document: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let functions = document["functions"].as_array().unwrap();
    assert!(functions.iter().any(|function| function["system"]["driver"] == "pcieport"));
    assert!(functions.iter().all(|function| function["system"]["iommu_group"].is_u64()));
}
