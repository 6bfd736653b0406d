//! `vfio-reset lspci` in lspci's place: its options, what people feed it, and a running system.

mod live;
mod notes;
mod options;
mod tree;
mod wild;

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Runs `vfio-reset lspci`.
fn run(arguments: &[impl AsRef<OsStr>]) -> Output {
    run_on(arguments, b"")
}

/// Runs it with something on standard input.
fn run_on(arguments: &[impl AsRef<OsStr>], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_vfio-reset"))
        .arg("lspci")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("standard input");
    let input = input.to_vec();
    // It may end without reading.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("the writer ends");
    output
}

/// What it prints and what it says beside, of a dump on standard input.
fn of_dump(dump: &[u8], options: &[&str]) -> (String, String) {
    let output = run_on(&[&["-F", "-"], options].concat(), dump);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{options:?}: {}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

/// A function's rows.
fn rows(bytes: &[u8]) -> String {
    let row = |(row, bytes): (usize, &[u8])| {
        let cells: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{:02x}: {}\n", row * 16, cells.join(" "))
    };
    bytes.chunks(16).enumerate().map(row).collect()
}

/// An endpoint's configuration space: ids, and a class.
fn endpoint(size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    bytes[..12].copy_from_slice(&[0x36, 0x1b, 0x10, 0x00, 0x06, 0x04, 0x10, 0x00, 0x02, 0x02, 0x08, 0x01]);
    bytes
}

/// Writes bytes at an offset.
fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}
