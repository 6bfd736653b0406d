//! What the documents show is what the program prints: each `$ vfio-reset --machine …` of a simulated machine is run, and the
//! lines below it must come in this order, with `…` for what was left out.
//!
//! Lines with a device's name (those with `[vendor:device]`) are not compared: names come from the system's `pci.ids`. Commands
//! that need the host, a pipe or a cargo feature are left to their own tests.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// What a document shows of one command.
struct Shown {
    command: String,
    lines: Vec<String>,
}

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap()
}

/// The text of the blocks that begin with these words.
fn blocks<'a>(text: &'a str, fence: &str) -> impl Iterator<Item = &'a str> {
    text.split(fence).skip(1).filter_map(|rest| rest.split("\n```").next())
}

/// The commands that can be run here, with what is shown of them.
fn shown(text: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    for block in blocks(text, "```console\n") {
        for line in block.lines() {
            match line.strip_prefix("$ ") {
                Some(command) => all.push(Shown { command: command.to_string(), lines: Vec::new() }),
                None => {
                    if let Some(shown) = all.last_mut() {
                        shown.lines.push(line.to_string());
                    }
                }
            }
        }
    }
    all.retain(|shown| {
        let command = &shown.command;
        command.starts_with("vfio-reset --machine ") && !command.contains('|') && !command.contains(" serve ")
    });
    all
}

/// The machines that the documents make: the one of docs/machines.md, and the two that its text changes it to.
fn machines(folder: &Path) {
    let text = document("docs/machines.md");
    let mine = blocks(&text, "```toml\n").next().unwrap();
    let other = |from: &str, to: &str| {
        assert!(mine.contains(from), "docs/machines.md has no {from:?}");
        mine.replace(from, to)
    };
    fs::write(folder.join("mine.toml"), mine).unwrap();
    fs::write(folder.join("slow.toml"), other("ready_after_ms = { bus = 3000 }", "link_speed_after = 1"))
        .unwrap();
    fs::write(folder.join("bad.toml"), other("size = 0x10000", "size = 0x10001")).unwrap();
}

/// Runs what is behind `vfio-reset`; all that it prints, and its exit code where that is asked for.
fn run(folder: &Path, command: &str) -> String {
    let (command, asks) = match command.strip_suffix("; echo $?") {
        Some(command) => (command, true),
        None => (command, false),
    };
    let arguments = command.split_whitespace().skip(1);
    let output =
        Command::new(env!("CARGO_BIN_EXE_vfio-reset")).args(arguments).current_dir(folder).output().unwrap();
    let code = if asks { format!("{}\n", output.status.code().unwrap()) } else { String::new() };
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    stdout + &stderr + &code
}

/// Whether a line says the same with every `pci.ids`, and is no sign of an omission.
fn is_compared(line: &str) -> bool {
    let is_id = |id: &str| {
        id.len() >= 9 && id.as_bytes()[4] == b':' && id.as_bytes()[..4].iter().all(u8::is_ascii_hexdigit)
    };
    let has_name = line.split('[').skip(1).any(|rest| rest.split(']').next().is_some_and(is_id));
    !line.trim().is_empty() && line.trim() != "…" && !has_name
}

/// The first line that is shown and not printed behind the one before it.
fn untrue<'a>(lines: &'a [String], printed: &str) -> Option<&'a str> {
    let mut rest = printed.lines().map(str::trim_end);
    lines
        .iter()
        .map(|line| line.trim_end())
        .filter(|line| is_compared(line))
        .find(|line| !rest.any(|other| other == *line))
}

fn check(name: &str, least: usize) {
    let folder = tempfile::tempdir().unwrap();
    machines(folder.path());
    let all = shown(&document(name));
    assert!(all.len() >= least, "{name}: only {} commands were found", all.len());
    for Shown { command, lines } in all {
        let printed = run(folder.path(), &command);
        let untrue = untrue(&lines, &printed);
        assert_eq!(untrue, None, "{name} shows of `{command}` what is not printed (there):\n{printed}");
    }
}

#[test]
fn the_readme_shows_what_is_printed() {
    check("README.md", 6);
}

#[test]
fn the_readmes_first_command_prints_what_is_shown() {
    let text = document("README.md");
    let command = blocks(&text, "```sh\n").next().unwrap().lines().next().unwrap();
    let (_, arguments) = command.split_once(" -- ").unwrap();
    let lines: Vec<_> = blocks(&text, "```text\n").next().unwrap().lines().map(str::to_string).collect();
    let printed = run(Path::new("."), &format!("vfio-reset {arguments}"));
    assert!(lines.len() > 10);
    assert_eq!(untrue(&lines, &printed), None, "{printed}");
}

#[test]
fn the_document_of_machines_shows_what_is_printed() {
    check("docs/machines.md", 4);
}

#[test]
fn the_document_of_vendor_sequences_shows_what_is_printed() {
    check("docs/vendor.md", 2);
}

/// The words at the beginning of the rows of a table whose head begins so.
fn table<'a>(text: &'a str, head: &str) -> Vec<&'a str> {
    let rows = text.split(head).nth(1).unwrap().lines().skip(2);
    let row = |line: &'a str| line.strip_prefix("| ");
    rows.map_while(row).map(|row| row.trim_start_matches('`')).collect()
}

#[test]
fn every_command_and_exit_code_of_the_help_is_in_the_readme() {
    let readme = document("README.md");
    let help = run(Path::new("."), "vfio-reset --help");
    let section = |from: &str, to: &str| help.split(from).nth(1).unwrap().split(to).next().unwrap();
    let rows = table(&readme, "| command |");
    let is_there = |name: &str| rows.iter().any(|row| row.split(['`', ' ']).next() == Some(name));
    let commands: Vec<&str> =
        section("Commands:\n", "\n\n").lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(commands.len() >= 13, "{commands:?}");
    for name in commands.iter().filter(|name| **name != "help") {
        assert!(is_there(name), "README.md's table of commands has no {name}");
    }
    // And the other way: nothing is there that cannot be typed. `serve` is a feature of the build.
    for row in &rows {
        let name = row.split(['`', ' ']).next().unwrap();
        assert!(name == "serve" || commands.contains(&name), "{row}");
    }
    let codes = table(&readme, "| exit code |");
    for line in section("Exit codes:\n", "`plan`").lines().filter(|line| line.starts_with("  ")) {
        let code = line.trim().split(' ').next().unwrap();
        let is_listed = codes.iter().any(|row| row.starts_with(&format!("{code} |")));
        assert!(code.parse::<u8>().is_err() || is_listed, "README.md has no exit code {code}");
    }
    assert!(codes.iter().any(|row| row.starts_with("6 |") && row.contains("vfio --hold")));
}

#[test]
fn every_command_has_its_json_described() {
    let text = document("docs/json.md");
    for name in
        ["list", "tree", "show", "lspci", "diff", "plan", "reset", "vfio", "peek", "serve", "vendor", "save"]
    {
        let heading = |line: &str| line.starts_with("## ") && line.contains(&format!("`{name}`"));
        assert!(text.lines().any(heading), "docs/json.md has no section for {name}");
    }
}
