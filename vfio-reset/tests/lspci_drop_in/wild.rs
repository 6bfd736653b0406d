//! Dumps as people have them: in mails, logs and forums.

use super::{endpoint, of_dump, put, rows, run, run_on};
use std::io::Write;

/// Two functions as `lspci -xxxx` prints them.
fn dump() -> String {
    let mut disk = endpoint(256);
    disk[0x34] = 0x40;
    put(&mut disk, 0x40, &[0x01, 0x00, 0x03, 0x00, 0x03, 0x00, 0x00, 0x00]);
    let mut other = endpoint(64);
    other[0x02] = 0x11;
    format!("03:00.0 Non-Volatile memory controller: a disk\n{}\n04:00.0 x\n{}\n", rows(&disk), rows(&other))
}

#[track_caller]
fn read_as_the_plain_one(wild: &[u8], what: &str) -> String {
    let (expected, _) = of_dump(dump().as_bytes(), &["-vvvn"]);
    assert_eq!(expected.lines().filter(|line| line.contains("1b36:")).count(), 2);
    let (text, warnings) = of_dump(wild, &["-vvvn"]);
    assert_eq!(text, expected, "{what}");
    warnings.lines().filter(|line| !line.starts_with("note:")).collect::<Vec<_>>().join("\n")
}

/// Every line changed.
fn lines(change: impl Fn(&str) -> String) -> Vec<u8> {
    dump().lines().map(change).collect::<String>().into_bytes()
}

#[test]
fn quoting_and_indentation_are_read_without_a_word() {
    for (what, wild) in [
        ("a mail", lines(|line| format!("> {line}\n"))),
        ("a mail in a mail", lines(|line| format!("> >> {line}\n"))),
        ("another mail program", lines(|line| format!("| {line}\n"))),
        ("a forum's HTML", lines(|line| format!("&gt; {line}\n"))),
        ("a patch", lines(|line| format!("+{line}\n"))),
        ("a block", lines(|line| format!("    {line}\n"))),
        ("tabs", lines(|line| format!("\t{line}\n"))),
        ("no-break spaces", lines(|line| format!("\u{a0}\u{a0}{line}\n"))),
        ("CRLF", lines(|line| format!("{line}\r\n"))),
        ("quoted-printable", lines(|line| format!("{line}=0A=\n"))),
        ("quoted-printable with CRLF", lines(|line| format!("{line}=20\r\n"))),
        ("no line end at the end", dump().trim_end().as_bytes().to_vec()),
        ("a byte order mark", [b"\xef\xbb\xbf", dump().as_bytes()].concat()),
        ("an over-long line", lines(|line| format!("{line}\n\tx: {}\n", "y".repeat(5000)))),
        ("text around", format!("Hello,\n\nmy machine:\n\n{}\nRegards,\n00 x\n", dump()).into_bytes()),
    ] {
        assert_eq!(read_as_the_plain_one(&wild, what), "", "{what}");
    }
}

#[test]
fn a_slot_line_may_be_as_long_as_it_likes() {
    let wild = dump().replace("a disk", &"long ".repeat(2000));
    assert_eq!(read_as_the_plain_one(wild.as_bytes(), "a long slot line"), "");
}

#[test]
fn a_malformed_row_costs_only_what_is_malformed() {
    let broken = dump().replace("04:00.0 x\n00: 36 1b 11", "04:00.0 x\n00: 36 1b zz");
    let (text, warnings) = of_dump(broken.as_bytes(), &["-n"]);
    assert_eq!(text, "03:00.0 0108: 1b36:0010 (rev 02)\n04:00.0 ffff: 1b36:ffff (rev ff)\n");
    assert!(
        warnings.contains("standard input:20:11: dropped what follows the bytes of the row"),
        "{warnings}"
    );
    assert!(warnings.contains("standard input:19:1: 14 bytes are missing from offset 0x2"), "{warnings}");

    let ascii = dump().replace("\n30: 00", "  |6.......|\n30: 00");
    let warnings = read_as_the_plain_one(ascii.as_bytes(), "a dump with characters beside it");
    assert_eq!(warnings.lines().count(), 2, "{warnings}");
    assert!(
        warnings.contains("standard input:4:54: dropped what follows the bytes of the row"),
        "{warnings}"
    );

    let beyond = dump().replace("\n04:00.0", "1000: 11 22\n\n04:00.0");
    let warnings = read_as_the_plain_one(beyond.as_bytes(), "an offset beyond the end");
    assert!(warnings.contains("from offset 0x1000 on: a configuration space ends at 0xfff"), "{warnings}");
}

#[test]
fn domains_may_have_up_to_eight_digits() {
    for domain in ["10000", "100000", "1000000", "10000000"] {
        let wild = dump().replace("04:00.0 x", &format!("{domain}:04:00.0 x"));
        let (text, warnings) = of_dump(wild.as_bytes(), &["-n"]);
        let expected = format!("{domain}:04:00.0 0108: 1b36:0011 (rev 02)");
        assert_eq!((text.lines().nth(1), warnings.as_str()), (Some(expected.as_str()), ""));
    }
    let wild = dump().replace("04:00.0 x", "00000000:04:00.0 x");
    assert_eq!(read_as_the_plain_one(wild.as_bytes(), "eight zeros"), "");
}

#[test]
fn a_slot_that_is_there_twice_is_printed_twice_and_told() {
    let twice = dump() + &dump();
    let (text, warnings) = of_dump(twice.as_bytes(), &["-n"]);
    assert_eq!(text.lines().count(), 4);
    assert!(
        warnings.contains(":25:1: the function 0000:03:00.0 is there twice: line 1 has it first"),
        "{warnings}"
    );
    // Also when both are not read at once.
    let far = format!("{}{}\n{}", dump(), "text\n".repeat(200_000), dump());
    let (text, warnings) = of_dump(far.as_bytes(), &["-n"]);
    assert_eq!(text.lines().count(), 4);
    assert!(warnings.contains("0000:03:00.0"), "{warnings}");
}

#[test]
fn rows_without_a_function_are_told_and_dropped() {
    let wild = format!("00:01.0 y\n\n80: 11 22\n{}", dump());
    let warnings = read_as_the_plain_one(wild.as_bytes(), "rows that belong nowhere");
    assert!(warnings.contains("standard input:3:1: dropped rows that belong to no function"), "{warnings}");
    let wild = dump().replace("04:00.0 x", "04:20.0 x");
    let (text, warnings) = of_dump(wild.as_bytes(), &["-n"]);
    assert_eq!(text.lines().count(), 1);
    assert!(
        warnings.contains(":19:1: dropped the function: devices end at 1f and functions at 7"),
        "{warnings}"
    );
}

#[test]
fn a_packed_log_is_read_with_the_lines_of_what_is_in_it() {
    let log = format!(
        "nvidia-bug-report\n{}\n{}",
        "x\n".repeat(300_000),
        dump().replace("00: 36 1b 11", "00: 36 1b zz")
    );
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(log.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &packed).unwrap();
    let of_file = run(&["-n", "-F", file.path().to_str().unwrap()]);
    let (of_pipe, warnings) = of_dump(&packed, &["-n"]);
    assert_eq!(String::from_utf8_lossy(&of_file.stdout), of_pipe);
    assert_eq!(of_pipe.lines().count(), 2);
    assert!(warnings.contains("standard input:300022:11: dropped what follows"), "{warnings}");
    assert!(String::from_utf8_lossy(&of_file.stderr).contains(":300022:11: dropped what follows"));

    // Cut off in transfer: what came before is there.
    let whole = dump().repeat(2000);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(whole.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let (text, warnings) = of_dump(&packed[..packed.len() - 20], &["-n"]);
    assert!(text.lines().count() > 3000, "{}", text.lines().count());
    assert!(warnings.contains("dropped the rest, which cannot be unpacked"), "{warnings}");
}

#[test]
fn a_pipe_is_read_once_and_lines_are_told_all_the_same() {
    let broken = format!("{}{}", "x\n".repeat(200_000), dump().replace("00: 36 1b 11", "00: 36 1b zz"));
    let (_, warnings) = of_dump(broken.as_bytes(), &["-n"]);
    assert!(warnings.contains("standard input:200020:11: dropped"), "{warnings}");
}

#[test]
fn a_short_row_above_the_header_hides_no_function() {
    // Short row, empty line and slot line have the length of one row.
    let log = format!(
        "{}40: 86 80 00 00\n\n04:00.0 Class 0300 zzzzzzzzz zz zz zz\n{}\n",
        dump().split_inclusive('\n').take(5).collect::<String>(),
        dump().split_inclusive('\n').skip_while(|line| !line.starts_with("04:")).skip(1).collect::<String>(),
    );
    let (text, _) = of_dump(log.as_bytes(), &["-n"]);
    assert_eq!(text, "03:00.0 0108: 1b36:0010 (rev 02)\n04:00.0 0108: 1b36:0011 (rev 02)\n");
}

#[test]
fn what_is_dropped_is_told_whatever_is_printed() {
    for (what, wild) in [
        ("a hole", dump().replace("\n50: ", "\n5000: ")),
        ("a byte that is none", dump().replace("\n50: 00", "\n50: zz")),
        ("rows that do not go on", dump().replace("\n50: 00", "\n\n60: 00")),
        ("one row in two", dump().replace("\n60: ", "\n\n60: ").replace("\n70: ", "\n\n60: ")),
    ] {
        let told = |options: &[&str]| {
            let (_, warnings) = of_dump(wild.as_bytes(), options);
            warnings.lines().filter(|line| !line.starts_with("note:")).map(str::to_owned).collect::<Vec<_>>()
        };
        let plain = told(&["-n"]);
        assert!(!plain.is_empty(), "{what}");
        for options in [&["-nx"], &["-nxxxx"], &["-nv"], &["-nt"]] {
            assert_eq!(plain, told(options), "{what} {options:?}");
        }
    }
}

#[test]
fn a_dump_behind_a_prefix_is_told_with_its_line() {
    let log: String = dump().lines().map(|line| format!("Nov 25 host kernel: {line}\n")).collect();
    let (text, warnings) = of_dump(format!("{}\n{}{log}", dump(), "x\n".repeat(200_000)).as_bytes(), &["-n"]);
    assert_eq!(text.lines().count(), 2);
    let lines: Vec<&str> = warnings.lines().collect();
    assert_eq!(lines.len(), 1, "{warnings}");
    assert!(
        lines[0].contains("standard input:200027:21: dropped what looks like a dump behind a prefix"),
        "{warnings}"
    );

    let output = run_on(&["-F", "-"], log.as_bytes());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(error.contains("2:21: this looks like a dump behind a prefix"), "{error}");
    assert!(error.contains("sed"), "{error}");
}

#[test]
fn a_disk_that_is_full_is_an_error_and_a_reader_that_has_gone_is_none() {
    let program = |options: &[&str], stdout: std::process::Stdio| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(dump().repeat(2000).as_bytes()).unwrap();
        std::process::Command::new(env!("CARGO_BIN_EXE_vfio-reset"))
            .args(["lspci", "--quiet", "-F", file.path().to_str().unwrap()])
            .args(options)
            .stdout(stdout)
            .output()
            .unwrap()
    };
    for options in [&["-n"], &["-t"], &["-xxxx"], &["--json"]] {
        let full = std::fs::File::create("/dev/full").unwrap();
        let output = program(options, full.into());
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{options:?}: {error}");
        assert!(error.contains("cannot write standard output: No space left"), "{options:?}: {error}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = program(options, writer.into());
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{options:?}");
    }
}

#[test]
fn what_has_no_function_is_an_error_with_advice() {
    for (input, advice) in [
        (&b""[..], "the dump is empty: make one with `lspci -xxxx` as root"),
        (b"hello\n", "no function found: expected lines such as"),
        (
            b"00:00.0 Host bridge\n00:01.0 VGA\n",
            "has no hex rows, nor has any other: use `lspci -xxxx` as root",
        ),
        (b"\x86\x80\x00\x01\x00", "this is no text"),
    ] {
        let output = run_on(&["-F", "-"], input);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(advice) && error.contains("standard input"), "{error}");
        assert!(output.stdout.is_empty());
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 32, ..Default::default() })]

    #[test]
    fn whatever_happens_to_a_dump_it_is_read_or_refused(
        changes in proptest::collection::vec((0usize..2000, proptest::prelude::any::<u8>()), 0..40),
    ) {
        let mut wild = dump().into_bytes();
        for (at, byte) in changes {
            let length = wild.len();
            wild[at % length] = byte;
        }
        let code = run_on(&["-F", "-", "-vvv"], &wild).status.code();
        proptest::prop_assert!(matches!(code, Some(0 | 2)), "{code:?}");
    }
}
