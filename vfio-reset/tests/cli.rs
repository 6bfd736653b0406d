//! The program: exit codes, JSON, state between commands, hostile input.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::{ALL, endpoint, port};
use proptest::prelude::*;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vfio-reset"));
    command.args(arguments).stdin(Stdio::null()).env_remove("RUST_BACKTRACE");
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(stdout(output)).unwrap_or_else(|error| panic!("{error}: {}", stdout(output)))
}

fn file(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_string()
}

#[test]
fn each_exit_code_means_what_the_help_says() {
    for (expected, arguments) in [
        (0, &["--machine", "sim:zoo", "reset", "01:00.0"][..]),
        (0, &["--machine", "sim:zoo", "plan", "04:00.0"]),
        (0, &["--machine", "sim:elysium", "reset", "03:00.0", "-m", "bus", "--via", "direct"]),
        (2, &["--machine", "sim:zoo", "reset"]),
        (2, &["--machine", "sim:zoo", "reset", "01:00"]),
        (2, &["--machine", "sim:zoo", "reset", "01:00.0", "--method", "hot"]),
        (2, &["--machine", "sim:zoo", "reset", "01:00.0", "--allow", "everything"]),
        (2, &["--machine", "sim:zoo", "reset", "01:00.0", "--budget", "-1s"]),
        (2, &["--machine", "sim:zoo", "reset", "7f:00.0"]),
        (2, &["--machine", "sim:nowhere", "reset", "01:00.0"]),
        (2, &["--machine", "/no/such/file", "reset", "01:00.0"]),
        (
            2,
            &[
                "--machine",
                "sim:zoo",
                "reset",
                "01:00.0",
                "-m",
                "bus",
                "--via",
                "direct",
                "--bridge",
                "00:05.0",
            ],
        ),
        // A file that is not there is the wrong argument, whatever it is for.
        (2, &["--machine", "/no/such/file.toml", "list"]),
        (2, &["--machine", "/no/such/file", "list"]),
        (2, &["--machine", "sim:zoo", "--vendor-table", "/no/such/file", "list"]),
        (2, &["--machine", "sim:zoo", "restore", "/no/such/file"]),
        (2, &["--machine", "sim:zoo", "restore", "/"]),
        (2, &["lspci", "-F", "/no/such/file"]),
        (2, &["diff", "sim:broken", "/no/such/file"]),
        (2, &["vendor", "trace", "--model", "/no/such/file.json"]),
        (3, &["--machine", "sim:zoo", "reset", "04:00.0"]),
        (3, &["--machine", "sim:zoo", "reset", "04:00.0", "--dry-run"]),
        (4, &["--machine", "sim:zoo", "reset", "00:14.0"]),
        (3, &["--machine", "sim:um880pro", "reset", "c5:00.0"]),
        (6, &["--machine", "sim:f4-424-pro", "reset", "03:00.0", "--budget", "5s"]),
        (
            7,
            &[
                "--machine",
                "sim:elysium",
                "reset",
                "03:00.0",
                "-m",
                "bus",
                "--via",
                "direct",
                "--test-conditional-bridge-restore",
            ],
        ),
        (7, &["--machine", "sim:zoo", "reset", "01:00.0", "--via", "direct", "--test-skip-restore"]),
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), expected, "{arguments:?}\n{}\n{}", stdout(&output), stderr(&output));
        if expected == 2 {
            assert!(stdout(&output).is_empty() && stderr(&output).starts_with("error:"), "{arguments:?}");
        }
    }
    let help = run(&["--help"]);
    assert_eq!(code(&help), 0);
    for line in [
        "0  done",
        "2  usage",
        "3  refused",
        "4  no method",
        "5  permission",
        "6  the device",
        "7  it came back",
        "nothing shows that a vendor sequence reset it",
    ] {
        assert!(stdout(&help).contains(line), "{line}");
    }
}

#[test]
fn every_error_is_one_document_and_a_text() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    for (expected, arguments, words) in [
        // What cannot be understood at all.
        (2, &["--json", "show", "zebra"][..], "not a PCI address"),
        (2, &["show", "zebra", "--json"], "not a PCI address"),
        (2, &["--json", "--machine", "sim:zoo", "reset", "01:00.0", "--method", "zap"], "no reset method"),
        (2, &["--json", "--machine", "sim:zoo", "reset"], "<ADDRESS>"),
        (2, &["--json"], "subcommand"),
        // What nobody can do.
        (2, &["--json", "--machine", "sim:nowhere", "list"], "sim:nowhere"),
        (2, &["--json", "--machine", "sim:zoo", "show", "7f:00.0"], "no function"),
        (2, &["--json", "--machine", "sim:zoo", "restore", "/no/such/file"], "/no/such/file"),
        (2, &["--json", "--machine", "sim:zoo", "peek", "01:00.0", "0", "2"], "aligned"),
        (5, &["--json", "--machine", "sim:zoo", "save", "01:00.0", "-o", "/sys/kernel/x"], "/sys/kernel/x"),
        // Wishes that rule each other out.
        (
            2,
            &["--json", "--machine", "sim:zoo", "reset", "0b:00.0", "--vfio", "group", "--via", "direct"],
            "--vfio group and --via direct",
        ),
        (
            2,
            &["--json", "--machine", "sim:zoo", "plan", "0b:00.0", "-m", "hot_reset", "--bridge", "00:0c.0"],
            "--bridge 0000:00:0c.0 and --method hot_reset",
        ),
        (
            2,
            &["--json", "--machine", "sim:zoo", "reset", "01:00.0", "-m", "vendor", "--via", "vfio"],
            "--method vendor and --via vfio",
        ),
        (
            2,
            &["--json", "--machine", "sim:zoo", "reset", "01:00.0", "--trace", trace.to_str().unwrap()],
            "--trace is of a vendor sequence",
        ),
        // A dry run has nothing to trace.
        (
            2,
            &[
                "--json",
                "--machine",
                "sim:zoo",
                "reset",
                "01:00.0",
                "--dry-run",
                "--trace",
                trace.to_str().unwrap(),
            ],
            "'--dry-run' cannot be used with '--trace <FILE>'",
        ),
        (
            2,
            &["--json", "--machine", "sim:zoo", "reset", "0b:00.0", "--vfio", "group", "--bridge", "00:0c.0"],
            "--bridge 0000:00:0c.0 and --vfio group",
        ),
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), expected, "{arguments:?}\n{}", stderr(&output));
        let document = json(&output);
        assert_eq!((&document["schema"], &document["exit_code"]), (&1.into(), &expected.into()));
        assert!(document["error"].as_str().unwrap().contains(words), "{arguments:?} {document}");
        assert!(
            stderr(&output).starts_with("error: ") && stderr(&output).contains(words),
            "{}",
            stderr(&output)
        );
    }
    assert!(!trace.exists());
    // Help is none, and what comes after `--` is no option.
    let help = run(&["--json", "--help"]);
    assert_eq!(code(&help), 0);
    assert!(stdout(&help).contains("Exit codes"));
    assert!(stdout(&run(&["show", "--", "--json"])).is_empty());
}

#[test]
fn another_bridge_implies_a_direct_bus_reset() {
    let output = run(&["--machine", "sim:zoo", "plan", "0b:00.0", "--bridge", "00:0c.0", "--json"]);
    let decision = &json(&output)["decision"];
    assert_eq!((&decision["method"], &decision["via"]), (&"bus".into(), &"direct".into()), "{decision}");
}

#[test]
fn a_file_that_may_not_be_written_is_exit_5() {
    let place = "/sys/kernel/vfio-reset-test.json";
    let output = run(&["--machine", "sim:zoo", "save", "01:00.0", "-o", place]);
    assert_eq!(code(&output), 5, "{}", stderr(&output));
    assert!(stderr(&output).contains("run as root"));
}

#[test]
fn a_recording_can_be_planned_on_and_not_reset() {
    let folder = tempfile::tempdir().unwrap();
    let capture = folder.path().join("zoo");
    let capture = capture.to_str().unwrap();
    assert_eq!(code(&run(&["--machine", "sim:zoo", "capture", "-o", capture])), 0);
    assert_eq!(code(&run(&["--machine", capture, "plan", "01:00.0"])), 0);
    for via in ["kernel", "direct"] {
        let output = run(&["--machine", capture, "reset", "01:00.0", "--via", via, "--allow", "driver"]);
        assert_eq!(code(&output), 2, "{via} {}", stderr(&output));
        assert!(stderr(&output).contains("recording"), "{}", stderr(&output));
    }
}

#[test]
fn plan_as_json_has_what_scripts_rely_on() {
    let output = run(&["--machine", "sim:zoo", "plan", "08:00.0", "--json"]);
    assert_eq!(code(&output), 0);
    let document = json(&output);
    assert_eq!(document["schema"], 1);
    assert_eq!(document["address"], "0000:08:00.0");
    let methods = document["methods"].as_array().unwrap();
    let names: Vec<_> = methods.iter().map(|method| method["method"].as_str().unwrap()).collect();
    assert_eq!(names, ["device_specific", "acpi", "flr", "af_flr", "pm", "bus", "cxl_bus"]);
    for method in methods {
        assert!(method["available"].is_boolean() && method["stale"].is_boolean());
        assert!(!method["reason"].as_str().unwrap().is_empty());
        assert!(method["affects"].as_array().unwrap().iter().all(Value::is_string));
    }
    let bus = &methods[5];
    assert_eq!((&bus["available"], &bus["stale"]), (&Value::Bool(false), &Value::Bool(true)));
    assert_eq!(bus["affects"], serde_json::json!(["0000:08:00.1"]));
    assert_eq!(methods[2]["available"], true);
}

#[test]
fn reset_as_json_has_what_scripts_rely_on() {
    let output = run(&["--machine", "sim:zoo", "reset", "01:00.0", "--via", "direct", "-m", "flr", "--json"]);
    let document = json(&output);
    assert_eq!((&document["schema"], &document["outcome"]), (&1.into(), &"verified".into()));
    assert_eq!(document["exit_code"], 0);
    let steps = document["steps"].as_array().unwrap();
    let names: Vec<_> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(names, ["check", "save", "quiesce", "reset", "wait_ready", "restore", "verify"]);
    for step in steps {
        let number = |name: &str| step[name].as_f64().unwrap();
        assert!(
            (number("time_ms") - number("floor_ms") - number("excess_ms")).abs() < 0.002
                || number("excess_ms") == 0.0
        );
    }
    assert_eq!(steps[3]["floor_ms"], 100.0);
    let verification = document["verification"].as_array().unwrap();
    assert!(verification.len() > 10);
    for check in verification {
        assert!(check["ok"].as_bool().unwrap() && check["what"].is_string() && check["address"].is_string());
    }
}

#[test]
fn what_was_not_done_is_json_too() {
    for (arguments, outcome, expected) in [
        (["--machine", "sim:zoo", "reset", "04:00.0", "--json"], "refused", 3),
        (["--machine", "sim:zoo", "reset", "00:14.0", "--json"], "no_method", 4),
    ] {
        let output = run(&arguments);
        assert_eq!(code(&output), expected);
        let document = json(&output);
        assert_eq!(document["schema"], 1);
        assert_eq!(document["outcome"], outcome);
        assert_eq!(document["exit_code"], expected);
        assert_eq!(document["steps"], serde_json::json!([]));
        assert_eq!(document["verification"], serde_json::json!([]));
    }
    let lost = run(&["--machine", "sim:f4-424-pro", "reset", "03:00.0", "--budget", "3s", "--json"]);
    let document = json(&lost);
    assert_eq!(code(&lost), 6);
    let next = document["next"].as_array().unwrap();
    assert!(next.iter().any(|next| next.as_str().unwrap().contains("switch the host off")), "{next:?}");
}

#[test]
fn a_refusal_names_the_reason_and_the_word_that_overrides_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("schema = 1\n{}{}", port(""), endpoint("0000:01:00.0", ALL, "driver = \"nvme\""));
    let machine = file(folder.path(), "m.toml", text);
    let output = run(&["--machine", &machine, "reset", "01:00.0"]);
    assert_eq!(code(&output), 3);
    // The reason goes where the error goes, so that neither is lost without the other.
    assert!(stderr(&output).contains("the driver nvme is bound"), "{}", stderr(&output));
    assert!(stderr(&output).contains("--allow driver"), "{}", stderr(&output));
    let output = run(&["--machine", &machine, "reset", "01:00.0", "--allow", "driver"]);
    assert_eq!(code(&output), 0, "{}", stdout(&output));
}

#[test]
fn a_lost_device_is_explained_in_plain_words() {
    let output =
        run(&["--machine", "sim:f4-424-pro", "reset", "03:00.0", "--via", "direct", "--method", "bus"]);
    let said = stdout(&output);
    for words in ["03:00.0", "did not come back", "switch the host off", "do not give"] {
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn the_machines_state_is_kept_between_commands() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    let with = |arguments: &[&str]| {
        let mut all = vec!["--machine", "sim:f4-424-pro", "--machine-state", state.to_str().unwrap()];
        all.extend(arguments);
        run(&all)
    };
    assert_eq!(code(&with(&["plan", "03:00.0"])), 0);
    assert_eq!(code(&with(&["reset", "03:00.0", "--budget", "2s", "--via", "direct"])), 6);
    let gone = with(&["reset", "03:00.0", "--budget", "2s"]);
    assert_eq!(code(&gone), 6);
    assert!(stderr(&gone).contains("nothing was touched"), "{}", stderr(&gone));
    let document = json(&with(&["plan", "03:00.0", "--json"]));
    assert_eq!(document["present"], false);
    // Without the file it is a new machine.
    let new = run(&["--machine", "sim:f4-424-pro", "plan", "03:00.0", "--json"]);
    assert_eq!(json(&new)["present"], true);
    // Another machine's state is refused.
    let other = run(&["--machine", "sim:zoo", "--machine-state", state.to_str().unwrap(), "plan", "01:00.0"]);
    assert_eq!(code(&other), 2);
    assert!(stderr(&other).contains("f4-424-pro"), "{}", stderr(&other));
}

#[test]
fn what_a_command_did_before_it_failed_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let ours = "driver = \"vfio-pci\"\niommu_group = 20";
    let text = format!("schema = 1\n{}{}", port(""), endpoint("0000:01:00.0", ALL, ours));
    let machine = file(folder.path(), "machine.toml", text);
    let state = folder.path().join("state");
    // Opened, which is a reset; then it turns out that there is no ROM.
    let rom = folder.path().join("rom").to_str().unwrap().to_string();
    let global = ["--machine", &machine, "--machine-state", state.to_str().unwrap()];
    let failed = run(&[&global[..], &["vfio", "01:00.0", "--rom", &rom]].concat());
    assert_eq!(code(&failed), 2, "{}", stderr(&failed));
    let kept: Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    assert!(kept.to_string().contains("reset done"), "the reset is not in the kernel log: {kept}");
}

#[test]
fn where_state_cannot_be_kept_nothing_is_done_and_there_is_one_document() {
    let gone = "/no/such/folder/state";
    let failed = run(&["--json", "--machine", "sim:zoo", "--machine-state", gone, "reset", "01:00.0"]);
    let document = json(&failed);
    assert_eq!(code(&failed), 1);
    assert!(document["error"].as_str().unwrap().contains(gone), "{document}");
    assert!(document.get("steps").is_none(), "{document}");
    // Found out too late: what was done is told, once, and the error beside it.
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let name = state.to_str().unwrap();
    let plan = ["--json", "--machine", "sim:zoo", "--machine-state", name, "plan", "01:00.0"];
    assert_eq!(code(&run(&plan)), 0);
    // A state that can be read, and not written by root either: no file may have a single byte.
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_vfio-reset")]);
    let failed = limited.args(plan).stdin(Stdio::null()).output().unwrap();
    assert_eq!(code(&failed), 1, "{}", stderr(&failed));
    let document = json(&failed);
    assert!(document["decision"].is_object(), "{document}");
    assert!(stderr(&failed).contains(name), "{}", stderr(&failed));
}

#[test]
fn saved_state_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    let saved = folder.path().join("saved.json");
    let with = |arguments: &[&str]| {
        let mut all = vec!["--machine", "sim:zoo", "--machine-state", state.to_str().unwrap()];
        all.extend(arguments);
        run(&all)
    };
    let saved = saved.to_str().unwrap();
    assert_eq!(code(&with(&["save", "01:00.0", "-o", saved])), 0);
    assert_ne!(code(&with(&["save", "01:00.0", "-o", saved])), 0, "not written over");
    assert_eq!(code(&with(&["reset", "01:00.0", "--via", "direct", "--test-skip-restore"])), 7);
    let dry = with(&["restore", saved, "--dry-run"]);
    assert_eq!(code(&dry), 0);
    assert!(stdout(&dry).contains("Command"));
    let restored = with(&["restore", saved, "--json"]);
    assert_eq!(code(&restored), 0, "{}", stdout(&restored));
    assert!(json(&restored)["written"].as_array().unwrap().len() >= 2);
    assert_eq!(json(&with(&["restore", saved, "--json"]))["written"], serde_json::json!([]));
}

/// One error, positioned, exit 2, no panic.
fn refused(arguments: &[&str], name: &str) -> String {
    let output = run(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    assert_eq!(said.matches("error:").count(), 1, "{said}");
    assert!(!said.contains("panicked"), "{said}");
    assert!(said.contains(name), "{said}");
    said
}

#[test]
fn a_host_elsewhere_is_a_machine() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().to_str().unwrap();
    let device = folder.path().join("sys/bus/pci/devices/0000:03:00.0");
    std::fs::create_dir_all(&device).unwrap();
    let mut config = [0; 64];
    config[..12].copy_from_slice(&[0x21, 0x1b, 0x12, 0x06, 6, 0, 0x10, 0, 2, 1, 6, 1]);
    std::fs::write(device.join("config"), config).unwrap();
    let machine = format!("live:{root}");
    let output = run(&["--machine", &machine, "--json", "list"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let list = json(&output);
    assert_eq!(list["machine"], machine.as_str());
    assert_eq!(list["functions"][0]["address"], "0000:03:00.0");
    assert_eq!(list["functions"][0]["vendor"], "1b21");

    let output = run(&["--machine", &format!("live:{root}/sys"), "list"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("sys/sys/bus/pci/devices"), "{}", stderr(&output));
}

#[test]
fn an_impossible_machine_is_one_error_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let function = |more: &str| {
        format!(
            "schema = 1\n[[function]]\naddress = \"0000:00:02.0\"\nvendor = 1\ndevice = 2\nclass = 0x010802\n{more}\n"
        )
    };
    let cases = [
        ("".to_string(), ":1:"),
        ("schema = 2\n".to_string(), ":1:10"),
        ("schema = 1\n[[function]]\naddress = \"nonsense\"\n".to_string(), ":3:11"),
        (function("class = 1"), ":7:"),
        (function("revision = 256"), ":7:12"),
        (function("config_size = 100"), ":7:15"),
        (function("bars = [{ bar = 9, size = 16 }]"), ":7:9"),
        (function("bars = [{ bar = 0, size = 3 }]"), ":7:9"),
        (function("bars = [{ bar = 0, address = 0xffffffffffff, size = 4096 }]"), ":7:9"),
        (function("rom = { size = 5 }"), ":7:7"),
        (function("capabilities = [{ raw = { id = 9, bytes = \"0g\" } }]"), ":7:17"),
        (function("physfn = \"0000:00:03.0\""), ":3:11"),
        (function("bridge = { secondary = 5, subordinate = 4 }"), ":3:11"),
        (function("behaviour = { explodes = true }"), ":7:"),
        (function("behaviour = { ready_after_ms = { bus = -1 } }"), ":7:"),
        (
            "schema = 1\n[[function]]\naddress = \"0000:05:00.0\"\nvendor = 1\ndevice = 2\nclass = 3\n"
                .to_string(),
            ":3:11",
        ),
        (
            function("") + "[[function]]\naddress = \"0000:00:02.0\"\nvendor = 1\ndevice = 2\nclass = 3\n",
            ":9:11",
        ),
    ];
    for (index, (text, place)) in cases.iter().enumerate() {
        let machine = file(folder.path(), &format!("m{index}.toml"), text);
        let said = refused(&["--machine", &machine, "plan", "00:02.0"], &machine);
        assert!(said.contains(place), "{text}\n{place}: {said}");
    }
}

#[test]
fn a_hostile_dump_is_one_error_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    for (index, (bytes, place)) in [
        (b"\x7fELF\x02\x01\x01\x00\x00".to_vec(), ""),
        (vec![0xff; 4_096], ""),
        (vec![0; 4_096], ""),
        (Vec::new(), ""),
        (b"\x1f\x8b\x08\x00garbage".to_vec(), ""),
    ]
    .into_iter()
    .enumerate()
    {
        let machine = file(folder.path(), &format!("dump{index}"), bytes);
        let said = refused(&["--machine", &machine, "plan", "03:00.0"], &machine);
        assert!(said.contains(&format!("{machine}{place}")), "{said}");
    }
}

#[test]
fn a_dump_that_was_cut_off_is_read_as_far_as_it_goes_and_that_is_said_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let machine = file(folder.path(), "dump", b"03:00.0 x\n00: 34 12 zz 56\n");
    let output = run(&["--machine", &machine, "plan", "03:00.0"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).starts_with(&format!("warning: {machine}:2:11:")), "{}", stderr(&output));
    // What is not there is all-ones: no capability, and nothing can be done.
    assert!(stdout(&output).contains("nothing can reset it"), "{}", stdout(&output));
}

#[test]
fn hostile_state_files_are_one_error_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    for (index, text) in ["", "{", "[]", "{\"schema\": 1}", "\u{0}", "null"].iter().enumerate() {
        let name = file(folder.path(), &format!("state{index}.json"), text);
        refused(&["--machine", "sim:zoo", "--machine-state", &name, "plan", "01:00.0"], &name);
        refused(&["--machine", "sim:zoo", "restore", &name], &name);
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for arguments in [
        &["--machine", "sim:um880pro", "plan", "c5:00.0", "-v"][..],
        &["--machine", "sim:zoo", "reset", "01:00.0", "--json"],
        &["--help"],
    ] {
        let mut child = command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.stderr.is_empty(), "{arguments:?}: {}", stderr(&output));
        assert_ne!(output.status.code(), Some(101), "{arguments:?}");
    }
}

#[test]
fn nothing_but_errors_is_printed_when_quiet() {
    let output = run(&["--machine", "sim:zoo", "reset", "01:00.0", "-q"]);
    assert_eq!((code(&output), stdout(&output), stderr(&output)), (0, "", ""));
    let output = run(&["--machine", "sim:zoo", "plan", "01:00.0", "--color", "never"]);
    assert!(!stdout(&output).contains('\u{1b}'));
    let output = run(&["--machine", "sim:zoo", "plan", "01:00.0", "--color", "always"]);
    assert!(stdout(&output).contains('\u{1b}'));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A description with one byte changed is a machine or an error with its place.
    #[test]
    fn a_damaged_description_never_panics(place in 0_usize..3_000, byte: u8, name in "[a-z0-9-]{0,3}") {
        let good = format!("schema = 1\n{}{}", port(""), endpoint("0000:01:00.0", ALL, &format!("driver = \"{name}\"")));
        let mut bytes = good.into_bytes();
        let place = place % bytes.len();
        bytes[place] = byte;
        let text = String::from_utf8_lossy(&bytes);
        match vfio_reset::machine::simulated::Simulated::from_toml(&text, "m.toml") {
            Ok(machine) => {
                for address in vfio_reset::Machine::functions(&machine).unwrap() {
                    common::plan(&machine, &vfio_reset::Request::new(address));
                }
            }
            Err(error) => prop_assert!(error.to_string().starts_with("m.toml:"), "{error}"),
        }
    }
}

#[test]
fn saved_state_is_not_restored_where_it_would_hurt() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_string();
    // The disk below holds the root file system.
    assert_eq!(code(&run(&["--machine", "sim:zoo", "save", "04:00.0", "-o", &file("root.json")])), 0);
    let output = run(&["--machine", "sim:zoo", "restore", &file("root.json")]);
    assert_eq!(code(&output), 3);
    assert!(stderr(&output).contains("is mounted on"), "{}", stderr(&output));
    // The state is of another machine, or a BAR is somewhere else now.
    assert_eq!(code(&run(&["--machine", "sim:zoo", "save", "01:00.0", "-o", &file("disk.json")])), 0);
    let saved = std::fs::read_to_string(file("disk.json")).unwrap();
    assert_eq!(code(&run(&["--machine", "sim:zoo", "restore", &file("disk.json")])), 0);
    for (name, changed) in [
        ("other.json", saved.replace("sim:zoo", "live")),
        ("moved.json", saved.replacen("04 00 10 e2", "04 00 20 e2", 1)),
    ] {
        assert_ne!(changed, saved, "{name}");
        std::fs::write(file(name), changed).unwrap();
        let output = run(&["--machine", "sim:zoo", "restore", &file(name)]);
        assert_eq!(code(&output), 3, "{name}");
        assert!(stderr(&output).contains("--allow other-machine"), "{name}: {}", stderr(&output));
    }
}

#[test]
fn restoring_what_is_as_saved_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.json").to_str().unwrap().to_string();
    assert_eq!(code(&run(&["--machine", "sim:zoo", "save", "01:00.0", "-o", &file])), 0);
    let output = run(&["--machine", "sim:zoo", "--json", "restore", &file]);
    assert_eq!(json(&output)["written"], serde_json::json!([]));
}

#[test]
fn a_vendor_sequence_is_listed_and_shown_as_it_is_executed() {
    let list = run(&["vendor", "list"]);
    assert_eq!(code(&list), 0);
    for line in ["polaris        AMD Polaris 10, 11 and 12", "1002:66a0-66a4,66a7,66af  Vega 20"] {
        assert!(stdout(&list).contains(line), "{}", stdout(&list));
    }
    let families = json(&run(&["--json", "vendor", "list"]));
    assert!(families["families"].as_array().unwrap().iter().any(|family| family["family"] == "navi1x"));
    let show = run(&["vendor", "show", "polaris"]);
    for line in [
        "If the board can switch the chip off: (switched off and on (BACO), 34 ms)",
        "    switch the card off\n",
        "BIOS_SCRATCH_3.ASIC_GUI_ENGINE_HUNG (0x1730 bits 0x20000000) = 0x1, the other bits stay",
        "If it cannot: (reset by the register in configuration space, 0 ms)",
        "reset register (config 0x7c) = 0x39d5e86b",
    ] {
        assert!(stdout(&show).contains(line), "{line}: {}", stdout(&show));
    }
    let all = run(&["vendor", "show", "polaris", "-v"]);
    assert!(stdout(&all).contains("BACO_CNTL.BACO_POWER_OFF (0x5394 bits 0x8) = 0x1"), "{}", stdout(&all));
    let none = run(&["vendor", "show", "voodoo"]);
    assert_eq!(code(&none), 2);
    assert!(stderr(&none).contains("there is no family \"voodoo\": there are polaris"));
}

#[test]
fn a_trace_ends_with_what_came_of_it() {
    let trace = run(&["vendor", "trace", "--model", "navi10"]);
    assert_eq!(code(&trace), 0);
    assert_eq!(stdout(&trace).lines().last(), Some("RESULT reset: mode 1 reset by the PSP"));
    let forced = run(&["vendor", "trace", "--model", "vega10", "--family", "polaris"]);
    assert_eq!(code(&forced), 0);
    assert!(stdout(&forced).contains("nobody has tested that"), "{}", stdout(&forced));
    assert!(stdout(&forced).lines().last().unwrap().starts_with("RESULT not-needed: "));
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string("src/vendor/models/vega10.json").unwrap();
    let bound = file(folder.path(), "bound.json", text.replace("vfio-pci", "amdgpu"));
    let refused = run(&["--json", "vendor", "trace", "--model", &bound]);
    assert_eq!((code(&refused), json(&refused)["result"].as_str()), (3, Some("refused")));
    let dead = file(
        folder.path(),
        "dead.json",
        text.replace("\"dead_from_start\": false", "\"dead_from_start\": true"),
    );
    let failed = run(&["vendor", "trace", "--model", &dead]);
    assert_eq!(code(&failed), 1);
    let wanted = "RESULT failed: MP0_SMN_C2PMSG_81 (0x58244) reads all-ones: nobody answers there";
    assert_eq!(stdout(&failed).lines().last(), Some(wanted));
    let broken = file(folder.path(), "broken.json", "{\n \"schema\": 5 }");
    let output = run(&["vendor", "trace", "--model", &broken]);
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("broken.json:2:12: invalid type: integer `5`, expected a string"),
        "{}",
        stderr(&output)
    );
}

#[cfg(not(feature = "serve"))]
#[test]
fn a_program_that_cannot_serve_says_how_to_build_one_that_can() {
    let output = run(&["--machine", "sim:broken", "serve", "01:00.0", "--socket", "/nowhere"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("--features serve"), "{}", stderr(&output));
}
