//! The commands that open a device or read behind its BARs, run as a user runs them.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use serde_json::Value;
use std::process::{Command, Output, Stdio};

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vfio-reset"));
    command.args(["--machine", "sim:zoo"]).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn json(arguments: &[&str]) -> Value {
    let output = run(&[&["--json"], arguments].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_device_is_opened_shown_and_closed() {
    let output = run(&["vfio", "0f:00.0"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    for words in ["open through VFIO (group)", "no method for it alone", "BAR 0", "0000:0f:00.1", "closed in"]
    {
        assert!(said(&output).contains(words), "{words}: {}", said(&output));
    }
    let document = json(&["vfio", "01:00.0"]);
    assert_eq!(document["can_reset"], true);
    assert_eq!(document["hot_reset"][0]["address"], "0000:01:00.0");
    assert!(document["open_ms"].as_f64().unwrap() >= 100.0, "opening is a function level reset");
}

#[test]
fn what_cannot_be_opened_is_explained_with_its_exit_code() {
    for (code, arguments, words) in [
        (3, &["vfio", "03:00.0"][..], "driver igb is bound"),
        (2, &["vfio", "7f:00.0"], "no function"),
        (2, &["vfio", "01:00.0", "--vfio", "both"], "group and cdev"),
        (2, &["peek", "01:00.0", "0", "2"], "aligned"),
        (2, &["peek", "01:00.0", "7", "0"], "7"),
        (2, &["peek", "01:00.0", "0", "0xzz"], "expected a number"),
        (2, &["peek", "01:00.0", "0", "0", "--mapped"], "--vfio"),
        (2, &["peek", "01:00.0", "0", "0", "--vfio", "group", "--mapped"], "cannot be mapped"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains(words), "{arguments:?}: {}", said(&output));
    }
    assert_eq!(json(&["vfio", "03:00.0"])["outcome"], "refused");
}

#[test]
fn registers_are_read_both_ways() {
    for arguments in
        [&["peek", "01:00.0", "0", "0x10", "2"][..], &["peek", "01:00.0", "0", "16", "2", "--vfio", "group"]]
    {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let lines: Vec<String> = said(&output).lines().map(str::to_owned).collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].starts_with("0x10: ") && lines[1].starts_with("0x14: "), "{lines:?}");
    }
    assert_eq!(json(&["peek", "01:00.0", "0", "0"])["registers"][0]["offset"], 0);
}
