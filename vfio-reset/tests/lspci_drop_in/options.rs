//! lspci's options, one by one: done as lspci does them, or refused with a reason and what to do instead.

use super::{endpoint, of_dump, put, rows, run, run_on};

fn dump() -> String {
    let mut disk = endpoint(256);
    put(&mut disk, 0x2c, &[0xf4, 0x1a, 0x00, 0x11]);
    let mut display = endpoint(64);
    put(&mut display, 0x08, &[0x00, 0x30, 0x03, 0x0c]);
    format!("0000:03:00.0 x\n{}\n0001:04:00.1 x\n{}\n", rows(&disk), rows(&display))
}

fn printed(options: &[&str]) -> String {
    of_dump(dump().as_bytes(), options).0
}

#[test]
fn a_file_is_named_by_f_or_as_a_parameter() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), dump()).unwrap();
    let path = file.path().to_str().unwrap();
    let expected = printed(&["-n"]);
    assert_eq!(expected.lines().count(), 2);
    let parameter = format!("-Odump.name={path}");
    for options in [
        &["-F", path, "-n"][..],
        &["-A", "dump", &parameter, "-n"],
        &["-nF", path],
        &["-n", "-A", "dump", "-F", path],
    ] {
        let output = run(options);
        assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{options:?}");
    }
}

#[test]
fn slots_and_ids_choose() {
    assert_eq!(printed(&["-n", "-s", "0:3:0.0"]).lines().count(), 1);
    assert_eq!(printed(&["-n", "-s", "1::"]), "0001:04:00.1 0c03: 1b36:0010\n");
    assert_eq!(printed(&["-n", "-d", "1b36:0010:0108"]).lines().count(), 1);
    assert_eq!(printed(&["-n", "-d", "::0c03:30"]), "0001:04:00.1 0c03: 1b36:0010\n");
    assert_eq!(printed(&["-n", "-d", "::0c03:20"]), "");
    assert_eq!(printed(&["-n", "-d", "::0cxx"]).lines().count(), 1);
}

#[test]
fn domains_are_shown_where_one_is_not_zero_though_it_is_not_printed() {
    assert_eq!(printed(&["-n", "-s", "3:"]), "0000:03:00.0 0108: 1b36:0010 (rev 02)\n");
    assert_eq!(
        printed(&["-mn", "-s", "3:"]),
        "03:00.0 \"0108\" \"1b36\" \"0010\" -r02 -p02 \"1af4\" \"1100\"\n"
    );
    assert_eq!(
        printed(&["-mnD", "-s", "3:"]),
        "0000:03:00.0 \"0108\" \"1b36\" \"0010\" -r02 -p02 \"1af4\" \"1100\"\n"
    );
}

#[test]
fn options_may_stand_together_and_come_more_than_once() {
    assert_eq!(printed(&["-vvvnn"]), printed(&["-v", "-v", "-v", "-n", "-n"]));
    assert_eq!(printed(&["-vvvvvvn"]), printed(&["-vvvn"]));
    assert_eq!(printed(&["-nkk"]), printed(&["-nk"]));
    assert_eq!(printed(&["-nDD"]), printed(&["-nD"]));
    assert_eq!(printed(&["-nbb"]), printed(&["-n"]), "of a dump, all is what the cards say");
    assert_eq!(printed(&["-tt"]), printed(&["-t"]));
    assert_eq!(printed(&["-nG"]), printed(&["-n"]));
}

#[test]
fn bytes_are_printed_as_far_as_asked() {
    let count =
        |options: &[&str]| printed(options).lines().filter(|line| line.get(2..4) == Some(": ")).count();
    assert_eq!(count(&["-xn"]), 8);
    assert_eq!(count(&["-xxn"]), 8);
    assert_eq!(count(&["-xxxn"]), 20);
    assert_eq!(count(&["-xxxxn"]), 20);
}

#[test]
fn the_version_is_that_of_the_text() {
    let output = run(&["--version"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    // Scripts take the third word.
    assert_eq!(text.split_whitespace().nth(2), Some("3.14.0"));
    assert!(text.starts_with("lspci version ") && text.contains("vfio-reset"), "{text}");
}

#[test]
fn what_is_not_done_is_refused_with_what_to_do_instead() {
    for (options, advice) in [
        (&["-q"][..], "-i"),
        (&["-qq"], "update-pciids"),
        (&["-Q"], "never uses the network"),
        (&["-M"], "-t"),
        (&["-H1"], "the kernel is asked"),
        (&["-H", "2"], "-H2"),
        (&["-A", "intel-conf1"], "-A help"),
        (&["-A", "dump"], "-F"),
        (&["-O", "nonsense=1"], "-O help"),
        (&["-O", "nonsense"], "NAME=VALUE"),
    ] {
        let output = run(options);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{options:?}");
        assert!(error.starts_with("error: ") && error.contains(advice), "{options:?}: {error}");
        assert!(output.stdout.is_empty(), "{options:?}");
    }
}

#[test]
fn help_of_the_input_is_answered() {
    for (options, word) in [(["-A", "help"], "linux-sysfs"), (["-O", "help"], "sysfs.path")] {
        let output = run(&options);
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains(word));
    }
}

#[test]
fn parameters_that_set_nothing_here_change_nothing() {
    let output = run_on(&["-F", "-", "-n", "-Ohwdb.disable=1", "-O", "net.domain=x"], dump().as_bytes());
    assert_eq!(String::from_utf8_lossy(&output.stdout), printed(&["-n"]));
}

#[test]
fn a_file_of_names_that_is_not_there_is_told() {
    let (text, warnings) = of_dump(dump().as_bytes(), &["-i", "/nowhere/pci.ids", "-s", "3:"]);
    assert_eq!(text, "0000:03:00.0 Class 0108: Device 1b36:0010 (rev 02)\n");
    assert!(warnings.contains("/nowhere/pci.ids") && warnings.contains("numbers"), "{warnings}");
}
