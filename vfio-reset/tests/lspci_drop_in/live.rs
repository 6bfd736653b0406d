//! A running system: what only its kernel knows, printed as lspci prints it.
//!
//! `tests/lspci/live.*.out` are what lspci 3.14 (pciutils git 0f5b941, without libkmod) printed for the tree of
//! [`Tree::new`], which `VFIO_RESET_RECORD` has left in a folder. Where an lspci is installed (or `VFIO_RESET_LSPCI` names
//! one), it is asked, too.

use super::run;
use super::tree::Tree;
use std::path::PathBuf;
use std::process::Command;

/// The options, and what lspci 3.14 printed.
const PRINTED: &[(&[&str], &str)] = &[
    (&["-n"], include_str!("../lspci/live.n.out")),
    (&["-nk"], include_str!("../lspci/live.nk.out")),
    (&["-nv"], include_str!("../lspci/live.nv.out")),
    (&["-nvvv"], include_str!("../lspci/live.nvvv.out")),
    (&["-nvvvb"], include_str!("../lspci/live.nvvvb.out")),
    (&["-nvmmk"], include_str!("../lspci/live.nvmmk.out")),
    (&["-nmm"], include_str!("../lspci/live.nmm.out")),
    (&["-tvn"], include_str!("../lspci/live.tvn.out")),
    (&["-nPP"], include_str!("../lspci/live.nPP.out")),
    (&["-nvvx", "-s", "1:"], include_str!("../lspci/live.nvvx-s1.out")),
    (&["-nv", "-d", "::0601"], include_str!("../lspci/live.nv-d0601.out")),
];

#[test]
fn a_running_system_is_printed_as_lspci_prints_it() {
    let tree = Tree::new();
    if let Some(record) = std::env::var_os("VFIO_RESET_RECORD") {
        return copy(&tree, record.into());
    }
    for (options, expected) in PRINTED {
        let output = run(&ours(&tree, options));
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        // The node of the device tree is printed with its path.
        let text =
            String::from_utf8_lossy(&output.stdout).replace(&tree.root().display().to_string(), "/ROOT");
        assert_eq!(text, *expected, "{options:?} {errors}");
    }
}

fn ours(tree: &Tree, options: &[&str]) -> Vec<String> {
    let (path, modules) = (tree.path().display().to_string(), tree.modules().display().to_string());
    let mut given = vec!["--sysfs", &path];
    // With -b, modules are chosen by what the kernel says all the same, as lspci with libkmod does; without, it does not.
    if !options.contains(&"-nvvvb") {
        given.extend(["-p", &modules]);
    }
    let given: Vec<String> = given.into_iter().map(str::to_owned).collect();
    given.into_iter().chain(options.iter().map(|option| (*option).to_owned())).collect()
}

/// Leaves the tree where a person can let lspci print it.
fn copy(tree: &Tree, to: PathBuf) {
    let status = Command::new("cp").arg("-a").arg(tree.root()).arg(&to).status().expect("cp runs");
    assert!(status.success());
}

/// What all versions since 3.9 print alike. Without libkmod's files, modules are another matter.
const ALIKE: &[&[&str]] =
    &[&["-n"], &["-nmm"], &["-nPP", "-D"], &["-nvmm"], &["-nx"], &["-n", "-d", "1b36:"], &["-nb"]];

#[test]
fn an_installed_lspci_prints_the_same() {
    let named = std::env::var_os("VFIO_RESET_LSPCI");
    let lspci = named.clone().unwrap_or_else(|| "lspci".into());
    let tree = Tree::new();
    let path = format!("-Osysfs.path={}", tree.path().display());
    let ask = |options: &[&str]| {
        Command::new(&lspci).args(["-A", "linux-sysfs", &path]).args(options).env("LC_ALL", "C").output()
    };
    if let Err(error) = ask(&["-n"]) {
        assert!(named.is_none(), "{named:?}: {error}");
        println!("skipped: there is no lspci to compare with ({error}); install pciutils");
        return;
    }
    for options in ALIKE {
        let theirs = ask(options).unwrap();
        let output = run(&ours(&tree, options));
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&theirs.stdout),
            "{options:?} {}",
            String::from_utf8_lossy(&theirs.stderr)
        );
    }
}

#[test]
fn the_folder_is_named_as_lspci_names_it() {
    let tree = Tree::new();
    let parameter = format!("sysfs.path={}", tree.path().display());
    let expected = run(&ours(&tree, &["-n"])).stdout;
    assert!(!expected.is_empty());
    for options in [&["-O", &parameter, "-n"][..], &["-A", "linux-sysfs", "-O", &parameter, "-n"]] {
        assert_eq!(run(options).stdout, expected, "{options:?}");
    }
}

#[test]
fn a_function_without_configuration_space_is_told_and_printed() {
    let tree = Tree::new();
    let output = run(&ours(&tree, &["-nv", "-s", "1f.0"]));
    let warnings = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(warnings.contains("0000:00:1f.0/config"), "{warnings}");
    assert!(output.stdout.starts_with(b"00:1f.0 0601: 8086:7000\n"));
}

#[test]
fn nothing_is_read_of_functions_that_are_not_printed() {
    let tree = Tree::new();
    // It would be told that this one has no configuration space.
    let output = run(&ours(&tree, &["-nv", "-s", "1:"]));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("1f.0"));
}

#[test]
fn json_has_what_the_kernel_knows() {
    let tree = Tree::new();
    let output = run(&ours(&tree, &["--json", "-s", "1:0.0"]));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let system = &document["functions"][0]["system"];
    assert_eq!(system["driver"], "vfio-pci");
    assert_eq!(system["label"], "Onboard NVMe");
    assert_eq!(system["slot"], "4");
    assert_eq!(
        (&system["irq"], &system["numa_node"], &system["iommu_group"]),
        (&16.into(), &0.into(), &12.into())
    );
    assert_eq!(system["modules"], serde_json::json!(["nvme", "vfio_pci"]));
    assert_eq!(system["resources"][0]["size"], 16384);
}

#[test]
fn modules_come_from_a_kernels_table_of_patterns() {
    let tree = Tree::new();
    let aliases = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(
        aliases.path(),
        "alias pci:v*d*sv*sd*bc01sc08i02* nvme\nalias pci:v*d*sv*sd*bc* vfio_pci\nalias pci:v00008086d* no\n",
    )
    .unwrap();
    let path = tree.path().display().to_string();
    let output = run(&["--sysfs", &path, "-p", aliases.path().to_str().unwrap(), "-nk", "-s", "1:0.0"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.ends_with("\tKernel driver in use: vfio-pci\n\tKernel modules: nvme, vfio_pci\n"), "{text}");
}
