//! The binary: exit codes, streams, and JSON that a script can rely on.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::NamedTempFile;

fn romtools(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_romtools")).args(arguments).output().unwrap()
}

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn path(file: &NamedTempFile) -> &str {
    file.path().to_str().unwrap()
}

fn json(output: &Output) -> Vec<Value> {
    String::from_utf8(output.stdout.clone())
        .unwrap()
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

/// A PC-AT ROM of one block that is right in every field.
fn rom() -> Vec<u8> {
    let mut rom = vec![0; 512];
    rom[..3].copy_from_slice(&[0x55, 0xaa, 1]);
    rom[0x18] = 0x1c;
    rom[0x1c..0x34].copy_from_slice(b"PCIR\x21\x1b\x12\x06\0\0\x18\0\0\0\x04\x01\x01\0\x20\x04\0\x80\0\0");
    rom[511] = 0u8.wrapping_sub(romtools::checksum::sum(&rom));
    rom
}

#[test]
fn a_good_rom_ends_in_0() {
    let file = file(&rom());
    let output = romtools(&["info", path(&file)]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("Valid ROM signature found @0h, PCIR offset 1ch\n"), "{text}");
    assert!(text.ends_with("\tLast image\n"), "{text}");

    let output = romtools(&["check", path(&file)]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        text,
        "1 image(s): 0 defect(s), 0 warning(s), 0 note(s)\n\
         UEFI guest: no, there is no EFI driver: its firmware cannot boot from the device, its system can use it\n\
         BIOS guest: yes, PC-AT image (image 1 of 1, @0h)\n"
    );
}

#[test]
fn a_defect_ends_in_7_and_says_what_next() {
    let mut bytes = rom();
    bytes[0x100] = 1;
    let file = file(&bytes);
    let output = romtools(&["check", path(&file)]);
    assert_eq!(output.status.code(), Some(7));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("defect @0h: the image sums to 01h instead of 00h\n  next: "), "{text}");
    assert_eq!(romtools(&["info", path(&file)]).status.code(), Some(0), "info only shows");

    let check = &json(&romtools(&["check", "--json", path(&file)]))[0];
    assert_eq!((&check["schema"], &check["worst"]), (&1.into(), &"defect".into()));
    assert_eq!(check["findings"][0]["id"], "checksum");
}

#[test]
fn a_rom_for_another_device_ends_in_7_if_that_was_asked() {
    let file = file(&rom());
    let check = |device: &str| romtools(&["check", "--device", device, path(&file)]);
    assert_eq!(check("1b21:0612").status.code(), Some(0));
    let output = check("1b21:0613");
    assert_eq!(output.status.code(), Some(7));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.starts_with("defect @1ch: the image is for 1b21:0612, not for 1b21:0613\n  next: "),
        "{text}"
    );
    assert_eq!(check("1b21").status.code(), Some(2));

    let document = &json(&romtools(&["check", "--json", path(&file)]))[0];
    assert_eq!(document["uefi_guest"]["answer"], "no");
    assert_eq!(
        (&document["bios_guest"]["answer"], &document["bios_guest"]["offset"]),
        (&"yes".into(), &0.into())
    );
}

#[test]
fn what_is_no_rom_ends_in_1_on_the_standard_error() {
    let script = file(b"#!/bin/sh\n");
    for command in ["info", "check"] {
        for (input, says) in [
            (path(&script), "no option ROM in these 10 bytes"),
            ("/nonexistent/rom", "No such file"),
            ("/", "directory"),
        ] {
            let output = romtools(&[command, input]);
            assert_eq!(output.status.code(), Some(1));
            assert!(output.stdout.is_empty());
            let text = String::from_utf8(output.stderr).unwrap();
            assert!(text.starts_with(&format!("error: {input}: ")) && text.contains(says), "{text}");
            assert!(text.contains("\n  next: "), "{text}");
        }
    }
}

#[test]
fn an_endless_file_is_refused() {
    let output = romtools(&["info", "/dev/zero"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("larger than 64 MiB"));
}

#[test]
fn wrong_usage_ends_in_2() {
    for arguments in
        [&[][..], &["info"], &["check"], &["check", "a", "b"], &["burn", "a"], &["info", "--yaml", "a"]]
    {
        let output = romtools(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty());
    }
}

#[test]
fn help_documents_the_exit_codes() {
    for arguments in [&["--help"][..], &["info", "--help"], &["check", "--help"]] {
        let output = romtools(arguments);
        assert_eq!(output.status.code(), Some(0));
        assert!(String::from_utf8(output.stdout).unwrap().contains("7  a defect was found"));
    }
}

#[test]
fn each_file_is_a_line_of_json_and_a_bad_one_spoils_no_other() {
    let (good, bad) = (file(&rom()), file(&[0xff; 512]));
    let output = romtools(&["--json", "info", path(&good), path(&bad), path(&good)]);
    assert_eq!(output.status.code(), Some(1));
    let documents = json(&output);
    assert_eq!(documents.len(), 3);
    assert!(documents.iter().all(|d| d["schema"] == 1 && d["file"].is_string()));
    assert!(documents[1]["error"].as_str().unwrap().contains("begins with ff ff"));
    let image = &documents[2]["chains"][0]["images"][0];
    for (member, value) in [
        ("signature", "55aa"),
        ("structure", "PCIR"),
        ("vendor_id", "1b21"),
        ("device_id", "0612"),
        ("class_code", "010400"),
        ("checksum", "good"),
    ] {
        assert_eq!(image[member], value, "{member}");
    }
    for (member, value) in [("offset", 0), ("length", 512), ("code_type", 0), ("indicator", 0x80)] {
        assert_eq!(image[member], value, "{member}");
    }
    assert_eq!(image["last"], true);
}

#[test]
fn an_isa_rom_has_no_chain() {
    let mut bytes = vec![0; 512];
    bytes[..4].copy_from_slice(&[0x55, 0xaa, 1, 0]);
    let file = file(&bytes);
    let info = &json(&romtools(&["info", "--json", path(&file)]))[0];
    assert_eq!(info["chains"].as_array().unwrap().len(), 0);
    assert_eq!((&info["legacy"]["length"], &info["legacy"]["sum"]), (&512.into(), &0.into()));
}

#[cfg(unix)]
#[test]
fn a_closed_pipe_is_not_a_failure() {
    use std::process::Stdio;
    let file = file(&rom());
    let many = vec![path(&file); 4000];
    let mut child = Command::new(env!("CARGO_BIN_EXE_romtools"))
        .arg("info")
        .args(many)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}
