use super::*;
use alloc::format;
use alloc::string::ToString;
use alloc::vec;

const ROW: &str = "00: 86 80 40 2a 06 01 90 20 07 00 00 06 00 00 00 00";
const BYTES: [u8; 16] = [0x86, 0x80, 0x40, 0x2a, 6, 1, 0x90, 0x20, 7, 0, 0, 6, 0, 0, 0, 0];

fn parsed(text: impl AsRef<[u8]>) -> Dump {
    Dump::parse(text.as_ref()).unwrap()
}

/// The bytes that the text gives of its one function.
fn only(dump: &Dump) -> &[u8] {
    assert_eq!(dump.len(), 1, "{dump:?}");
    let function = dump.get(0).unwrap();
    let (present, rest) = function.bytes().split_at(function.present());
    assert!(rest.iter().all(|&byte| byte == 0xff));
    present
}

fn warnings(dump: &Dump) -> Vec<(u32, u32, WarningKind)> {
    dump.warnings().iter().map(|warning| (warning.line, warning.column, warning.kind)).collect()
}

/// The text gives [`BYTES`] as the function 03:00.0 and no warning.
#[track_caller]
fn plain(text: impl AsRef<[u8]>) {
    let dump = parsed(text);
    assert_eq!(only(&dump), BYTES);
    assert_eq!(warnings(&dump), []);
    assert_eq!(dump.get(0).unwrap().address().to_string(), "0000:03:00.0");
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

#[test]
fn a_slot_line_and_rows_make_a_function() {
    let dump = parsed(format!("03:00.0 Host bridge: Intel\n{ROW}\n10: 01 02\n\n"));
    let function = dump.get(0).unwrap();
    assert_eq!(function.address(), address("03:00.0"));
    assert_eq!(function.description(), "Host bridge: Intel");
    assert_eq!((function.line(), function.present()), (1, 18));
    assert_eq!(function.bytes().len(), 64);
    assert_eq!(function.bytes()[..18], [&BYTES[..], &[1, 2]].concat());
    assert_eq!(function.bytes()[18..], [0xff; 46]);
    assert_eq!(function.config_space().header().vendor_id(), 0x8086);
    assert_eq!(warnings(&dump), []);
}

#[test]
fn functions_come_in_the_order_of_the_text() {
    let dump = parsed(format!("05:00.0 a\n{ROW}\n\n00:00.0 b\n00: 11\n\n0001:00:1f.7 c\n00: 22"));
    let addresses: Vec<_> = dump.functions().map(|function| function.address().to_string()).collect();
    assert_eq!(addresses, ["0000:05:00.0", "0000:00:00.0", "0001:00:1f.7"]);
    let lines: Vec<_> = dump.functions().map(|function| function.line()).collect();
    assert_eq!(lines, [1, 4, 7]);
    assert_eq!(dump.functions().next_back().unwrap().bytes()[0], 0x22);
    assert_eq!(dump.find(address("00:00.0")).unwrap().bytes()[0], 0x11);
    assert_eq!(dump.find(address("00:00.1")), None);
    assert_eq!(warnings(&dump), []);
}

#[test]
fn domains_have_4_to_8_digits() {
    for (text, domain) in [
        ("0000", 0),
        ("0001", 1),
        ("10000", 0x10000),
        ("abcdef", 0xab_cdef),
        ("1234567", 0x123_4567),
        ("12345678", 0x1234_5678),
        ("0001ABCD", 0x1_abcd),
    ] {
        let dump = parsed(format!("{text}:03:00.0 x\n{ROW}\n"));
        assert_eq!(dump.get(0).unwrap().address().domain(), domain, "{text}");
    }
    for text in ["0:03:00.0", "000:03:00.0", "123456789:03:00.0", ":03:00.0"] {
        assert!(
            Dump::parse(format!("{text} x\n{ROW}\n").as_bytes())
                .is_ok_and(|dump| dump.warnings()[0].kind == WarningKind::AssumedAddress)
        );
    }
}

#[test]
fn what_only_looks_like_a_slot_is_none() {
    for line in ["3:00.0 x", "03:0.0 x", "03:00.g x", "03:00.0: x", "03:00.00 x", "03:00,0 x", "x 03:00.0"] {
        let dump = parsed(format!("00:02.0 y\n{ROW}\n{line}\n10: 01\n"));
        assert_eq!(only(&dump).len(), 17, "{line}");
    }
}

#[test]
fn offsets_have_2_to_8_digits_and_rows_any_number_of_bytes() {
    let cells = &ROW[4..];
    for offset in ["00", "000", "0000", "00000000"] {
        plain(format!("03:00.0 x\n{offset}: {cells}\n"));
    }
    let long = "ab ".repeat(256);
    assert_eq!(only(&parsed(format!("03:00.0 x\n00: {long}\n"))), [0xab; 256]);
    // One digit or nine are no offset.
    assert_eq!(only(&parsed(format!("03:00.0 x\n{ROW}\n0: 11\n000000000: 22\n"))), BYTES);
}

#[test]
fn rows_come_in_any_order_and_the_later_value_counts() {
    let dump =
        parsed("03:00.0 x\n10: 01 02\n00: 10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e 1f\n01: aa bb\n");
    assert_eq!(only(&dump)[..4], [0x10, 0xaa, 0xbb, 0x13]);
    assert_eq!(only(&dump).len(), 18);
    assert_eq!(warnings(&dump), []);
}

#[test]
fn holes_read_as_ff_with_a_warning() {
    let dump = parsed("03:00.0 x\n00: 86 80\n20: 01 02\n");
    assert_eq!(only(&dump).len(), 0x22);
    assert_eq!(only(&dump)[2..0x20], [0xff; 0x1e]);
    assert_eq!(warnings(&dump), [(1, 1, WarningKind::Hole { offset: 2, missing: 0x1e })]);
    // A function's holes are its own.
    let dump = parsed("03:00.0 x\n00: 86 80\n\n03:00.1 x\n02: 01\n");
    assert_eq!(warnings(&dump), [(4, 1, WarningKind::Hole { offset: 0, missing: 2 })]);
}

#[test]
fn the_size_is_that_of_the_highest_byte() {
    for (rows, present, size) in
        [("00: 86", 1, 64), ("3f: 86", 64, 64), ("40: 86", 65, 65), ("100: 01", 257, 257)]
    {
        let dump = parsed(format!("03:00.0 x\n{rows}\n"));
        let function = dump.get(0).unwrap();
        assert_eq!((function.present(), function.bytes().len()), (present, size), "{rows}");
    }
    let dump = parsed("03:00.0 x\nfff: 86\n");
    assert_eq!(only(&dump).len(), 4096);
}

#[test]
fn text_between_slot_and_rows_means_nothing() {
    plain(format!(
        "03:00.0 SATA controller\n\tSubsystem: ASMedia\n\tControl: I/O+ Mem+\n\tCapabilities: [50] MSI: Enable+\n\
         \t\tAddress: 00000000fee00000  Data: 0000\n\tBus: primary=00\n{ROW}\n\tKernel modules: ahci\n"
    ));
}

#[test]
fn a_log_around_the_dump_means_nothing() {
    plain(format!(
        "*** /proc/interrupts\n           CPU0\n  16:       1234   IO-APIC\n____\n\n*** lspci\n[ 1.0] pci 0000:00:1f.0: x\n\
         -[0000:00]-+-00.0\n\n03:00.0 x\n{ROW}\n\nde:adbeef\nThis: is 12 text\n"
    ));
}

#[test]
fn line_ends_are_lf_crlf_or_missing() {
    plain(format!("03:00.0 x\n{ROW}\n"));
    plain(format!("03:00.0 x\n{ROW}"));
    plain(format!("03:00.0 x\r\n{ROW}\r\n\r\n"));
    plain(format!("03:00.0 x\r\n{ROW}\r"));
    assert_eq!(parsed(format!("03:00.0 x\r\n{ROW}\r\n")).get(0).unwrap().description(), "x");
}

#[test]
fn lines_have_any_length() {
    let name = "n".repeat(100_000);
    let dump = parsed(format!("03:00.0 {name}\n\tx{name}\n{ROW}\n"));
    assert_eq!(dump.get(0).unwrap().description(), name);
    assert_eq!(only(&dump), BYTES);
}

#[test]
fn mail_quoting_and_indentation_are_taken_off() {
    for prefix in ["> ", ">", ">> ", "> > ", ">\t", "  ", "\t", "   > ", "\u{a0}\u{a0}"] {
        plain(format!("{prefix}03:00.0 x\n{prefix}\tControl: I/O+\n{prefix}{ROW}\n{prefix}\n{prefix}bye\n"));
    }
    // The empty line ends the function under quoting too.
    let dump = parsed(format!("> 03:00.0 x\n> {ROW}\n>\n> 20: 11\n"));
    assert_eq!(warnings(&dump), [(4, 3, WarningKind::NoSlot)]);
}

#[test]
fn upper_case_tabs_and_wide_gaps_are_taken() {
    plain(format!("03:00.0 x\n{}\n", ROW.to_uppercase()));
    plain(format!("03:00.0\tx\n{}\n", ROW.replace(' ', "\t")));
    plain(format!("03:00.0 x\n{}  \t\n", ROW.replace(' ', "  ")));
    plain(format!("03:00.0\u{a0}x\n{}\n", ROW.replace(' ', "\u{a0}")));
    plain(format!("\u{feff}03:00.0 x\n{ROW}\n"));
}

#[test]
fn any_length_of_white_space_is_taken() {
    let long = "\u{a0} >".repeat(100_000);
    let wide = "\u{a0} ".repeat(100_000);
    plain(format!("{long}03:00.0{wide}x{wide}\n{long}{ROW}{wide}\n"));
}

#[test]
fn the_machine_readable_slot_line_is_taken() {
    plain(format!("Slot:\t03:00.0\nClass:\tSATA controller\n{ROW}\n"));
    plain(format!("Device:\t03:00.0\nDevice:\tASM1062\n{ROW}\n"));
}

#[test]
fn quoted_printable_ends_are_taken_off() {
    for end in ["=0A=", "=0D=0A=", "=20", "=", " ="] {
        plain(format!("03:00.0 x\n{ROW}{end}\n"));
    }
}

#[test]
fn what_follows_the_bytes_is_dropped_with_a_warning() {
    for (tail, column) in
        [(" |...*|", 53), (" <br>", 53), (" 1", 53), (" 123", 53), ("x", 50), ("0", 50), (":", 50)]
    {
        let dump = parsed(format!("03:00.0 x\n{ROW}{tail}\n"));
        let kept = if column == 53 { 16 } else { 15 };
        assert_eq!(only(&dump), &BYTES[..kept], "{tail}");
        assert_eq!(warnings(&dump), [(2, column, WarningKind::TrailingText)], "{tail}");
    }
    let dump = parsed(format!("> 03:00.0 x\n>  {ROW} !\n"));
    assert_eq!(warnings(&dump), [(2, 56, WarningKind::TrailingText)]);
}

#[test]
fn a_row_without_a_byte_is_dropped_with_a_warning() {
    let dump = parsed(format!("03:00.0 x\n{ROW}\n10: xx 00\n10: 8680 0100\n"));
    assert_eq!(only(&dump), BYTES);
    assert_eq!(warnings(&dump), [(3, 5, WarningKind::NoByte), (4, 5, WarningKind::NoByte)]);
}

#[test]
fn what_is_beyond_4096_bytes_is_dropped_with_a_warning() {
    let dump = parsed(format!("03:00.0 x\n{ROW}\n1000: 11 22\nffffffff: 33\n"));
    assert_eq!(only(&dump), BYTES);
    assert_eq!(
        warnings(&dump),
        [
            (3, 1, WarningKind::BeyondEnd { offset: 0x1000 }),
            (4, 1, WarningKind::BeyondEnd { offset: 0xffff_ffff })
        ]
    );
    // Rows across the end, by the fast path and by the slow.
    for tail in ["", " "] {
        let dump = parsed(format!("03:00.0 x\nff8: {}{tail}\n", &ROW[4..]));
        assert_eq!(only(&dump)[0xff8..], BYTES[..8]);
        assert_eq!(warnings(&dump)[1], (2, 1, WarningKind::BeyondEnd { offset: 0x1000 }));
    }
}

#[test]
fn rows_below_an_empty_line_are_only_taken_if_they_go_on() {
    plain(format!("03:00.0 x\n\n{}\n\n08: {}\n", &ROW[..4 + 8 * 3 - 1], &ROW[4 + 8 * 3..]));
    let dump = parsed(format!("03:00.0 x\n{ROW}\n\n20: 11\n30: 22\n\n00: 33\n\n03:00.1 y\n{ROW}\n"));
    assert_eq!(dump.len(), 2);
    assert_eq!(dump.get(0).unwrap().present(), 16);
    assert_eq!(warnings(&dump), [(4, 1, WarningKind::NoSlot)]);
}

#[test]
fn rows_without_any_slot_line_are_the_function_0000_00_00_0() {
    let dump = parsed(format!("$ xxd -g1 config\n{ROW}\n10: 01\n\n{ROW}\n"));
    assert_eq!(only(&dump).len(), 17);
    assert_eq!(dump.get(0).unwrap().address(), address("00:00.0"));
    assert_eq!((dump.get(0).unwrap().description(), dump.get(0).unwrap().line()), ("", 2));
    assert_eq!(warnings(&dump), [(2, 1, WarningKind::AssumedAddress), (5, 1, WarningKind::NoSlot)]);
}

#[test]
fn rows_before_the_first_slot_line_are_dropped_with_a_warning() {
    for first in ["00: 00 ff ff ff", "40: 00 ff ff ff"] {
        let dump = parsed(format!("{first}\n03:00.0 x\n{ROW}\n"));
        assert_eq!(only(&dump), BYTES);
        assert_eq!(warnings(&dump), [(1, 1, WarningKind::NoSlot)]);
    }
}

#[test]
fn a_slot_that_is_there_twice_is_two_functions_and_a_warning() {
    let dump = parsed(format!("03:00.0 a\n{ROW}\n\n03:00.1 b\n{ROW}\n\n03:00.0 c\n00: 11\n"));
    assert_eq!(dump.len(), 3);
    let repeated = WarningKind::Repeated { address: address("03:00.0"), first: 1 };
    assert_eq!(warnings(&dump), [(7, 1, repeated)]);
}

#[test]
fn a_slot_that_no_function_can_have_is_dropped_with_its_rows_and_a_warning() {
    for slot in ["03:20.0", "03:00.8", "03:ff.f"] {
        let dump = parsed(format!("03:00.0 x\n{ROW}\n{slot} y\n10: 11\n20: 22\n\n30: 33\n"));
        assert_eq!(only(&dump), BYTES, "{slot}");
        assert_eq!(warnings(&dump), [(3, 1, WarningKind::NoSuchFunction)], "{slot}");
    }
}

#[test]
fn a_slot_line_without_rows_is_no_function() {
    let dump = parsed(format!("03:00.0 x\n04:00.0 y\n\n03:00.0 x\n{ROW}\n"));
    // 03:00.0 has its rows further down, so there is nothing to warn about.
    assert_eq!(only(&dump), BYTES);
    assert_eq!(warnings(&dump), [(2, 1, WarningKind::NoRows { address: address("04:00.0") })]);
}

#[test]
fn a_description_that_is_not_utf8_is_mended() {
    let dump = parsed([b"03:00.0 caf\xe9 \n", ROW.as_bytes()].concat());
    assert_eq!(dump.get(0).unwrap().description(), "caf\u{fffd}");
}

#[test]
fn a_description_has_no_control_characters() {
    let dump = parsed(format!("03:00.0 \u{b} a\rb\u{1b}[1m\u{85}\u{a0}\r\n{ROW}\n"));
    assert_eq!(dump.get(0).unwrap().description(), "a b [1m");
}

#[test]
fn warnings_beyond_the_limit_are_counted() {
    let rows = "00: 11 !\n".repeat(MAX_WARNINGS + 7);
    let dump = parsed(format!("03:00.0 x\n{rows}"));
    assert_eq!((dump.warnings().len(), dump.warnings_omitted()), (MAX_WARNINGS, 7));
}

#[test]
fn holes_cannot_blow_the_dump_up() {
    let one = "00:00.0 x\nff0: 00\n";
    let text = one.repeat(1_000_000 / one.len());
    let dump = parsed(&text);
    let stored: usize = dump.functions().map(|function| function.bytes().len()).sum();
    assert!(stored <= 9 * text.len() + SPARSE_FREE + END, "{stored}");
    assert!(dump.warnings_omitted() > 0);
    // A few such functions are nobody's attack.
    let dump = parsed(one.repeat(10));
    assert!(dump.functions().all(|function| function.present() == 0xff1));
}

#[test]
fn a_text_without_functions_is_one_positioned_error() {
    let error = |text: &[u8]| {
        let error = Dump::parse(text).unwrap_err();
        (error.line, error.column, error.kind)
    };
    assert_eq!(error(b""), (1, 1, DumpErrorKind::Empty));
    assert_eq!(error(b" \r\n\n"), (1, 1, DumpErrorKind::Empty));
    assert_eq!(error(b"\x1f\x8b\x08\0"), (1, 1, DumpErrorKind::Compressed { program: "gzip" }));
    assert_eq!(error(b"\xfd7zXZ\0\0\x04"), (1, 1, DumpErrorKind::Compressed { program: "xz" }));
    assert_eq!(error(b"\x28\xb5\x2f\xfd\x04"), (1, 1, DumpErrorKind::Compressed { program: "zstd" }));
    assert_eq!(error(b"\xff\xfe0\x000\0"), (1, 1, DumpErrorKind::Utf16));
    assert_eq!(error(b"ab\nc\x86\x80\x01"), (2, 4, DumpErrorKind::Binary { byte: 1 }));
    assert_eq!(error(b"\x1b[1mhello\x1b[0m\n"), (1, 1, DumpErrorKind::NoFunction));
    assert_eq!(error(b"hello\nworld\n"), (1, 1, DumpErrorKind::NoFunction));
    assert_eq!(
        error(b"\n> 03:00.0 x\n04:00.0 y\n"),
        (2, 3, DumpErrorKind::NoRows { address: address("03:00.0") })
    );
    assert_eq!(error(b"a\n 40: 11 22\n"), (2, 2, DumpErrorKind::NoSlot));
    assert_eq!(error(b"03:20.0 x\n00: 11\n"), (1, 1, DumpErrorKind::NoSuchFunction));
    // Rows of a function, but none of its bytes can be kept.
    assert_eq!(
        error(b"03:00.0 x\n1000: 11\n"),
        (1, 1, DumpErrorKind::NoRows { address: address("03:00.0") })
    );
}

#[test]
fn messages_say_where_what_and_what_now() {
    assert_eq!(
        Dump::parse(b"03:00.0 x\n").unwrap_err().to_string(),
        "line 1, column 1: the function 0000:03:00.0 has no hex rows, nor has any other: use `lspci -xxxx` as root"
    );
    assert_eq!(
        parsed(format!("03:00.0 x\n{ROW} !\n")).warnings()[0].to_string(),
        "line 2, column 53: dropped what follows the bytes of the row: it is no two-digit byte"
    );
}

#[test]
fn a_full_function_takes_the_same_by_every_path() {
    let config: Vec<u8> = (0..4096u32).map(|index| (index * 7 + (index >> 8)) as u8).collect();
    let mut text = String::new();
    crate::dump::write_function(&mut text, address("03:00.0"), "x", &config, crate::dump::Style::default())
        .unwrap();
    let mut backwards: Vec<&str> = text.lines().skip(1).filter(|line| !line.is_empty()).collect();
    backwards.reverse();
    for text in [
        text.clone(),
        text.replace('\n', "\r\n"),
        text.replace('\n', "\n> "),
        text.replace('\n', " \n"),
        text.replace('\n', "\n\n"),
        text.to_uppercase(),
        format!("03:00.0 x\n{}\n", backwards.join("\n")),
    ] {
        let dump = parsed(text);
        assert_eq!(only(&dump), config);
        assert_eq!(warnings(&dump), vec![]);
    }
}

#[test]
fn more_functions_than_a_domain_holds_are_refused() {
    let text = format!("00:00.0\n{ROW}\n").repeat(MAX_FUNCTIONS + 1);
    let error = Dump::parse(text.as_bytes()).unwrap_err();
    assert_eq!((error.line, error.column), (2 * MAX_FUNCTIONS as u32 + 1, 1));
    assert_eq!(error.kind, DumpErrorKind::TooManyFunctions);
    let (whole, _) = text.split_at(text.len() / (MAX_FUNCTIONS + 1) * MAX_FUNCTIONS);
    assert_eq!(parsed(whole).len(), MAX_FUNCTIONS);
    // A part of a longer text shows those that there is room for.
    let (part, beyond) = parse(text.as_bytes(), true);
    assert_eq!((part.len(), beyond), (MAX_FUNCTIONS, Some(error)));
}

#[test]
fn a_part_without_functions_has_all_of_its_warnings() {
    let text = format!("40: 11\n03:00.0 x\n\n04:20.0 y\n{ROW}\n04:00.0 z\n");
    let (dump, error) = parse(text.as_bytes(), true);
    assert!(dump.is_empty());
    assert_eq!(error, Dump::parse(text.as_bytes()).err());
    let kinds: Vec<WarningKind> = dump.warnings().iter().map(|warning| warning.kind).collect();
    let no_rows = |text| WarningKind::NoRows { address: address(text) };
    assert_eq!(
        kinds,
        [WarningKind::NoSlot, no_rows("03:00.0"), WarningKind::NoSuchFunction, no_rows("04:00.0")]
    );
}

#[test]
fn rows_without_a_slot_line_are_no_function_of_a_part() {
    let (dump, error) = parse(format!("x\n{ROW}\n").as_bytes(), true);
    assert!(dump.is_empty());
    assert_eq!(error, Some(DumpError { line: 2, column: 1, kind: DumpErrorKind::NoSlot }));
    let kinds: Vec<WarningKind> = dump.warnings().iter().map(|warning| warning.kind).collect();
    assert_eq!(kinds, [WarningKind::NoSlot]);
}

#[test]
fn a_dump_behind_a_prefix_is_told_once_with_its_place() {
    for prefix in ["[    1.23] ", "Nov 25 12:00:00 host kernel: ", "kern.log:17:\t"] {
        let log = format!("{prefix}00:1f.0 x\n{prefix}{ROW}\r\n{prefix}10{}\n", &ROW[2..]);
        let dump = parsed(format!("03:00.0 x\n{ROW}\n\n{log}"));
        assert_eq!(only(&dump), BYTES);
        assert_eq!(warnings(&dump), [(5, prefix.len() as u32 + 1, WarningKind::Prefixed)], "{prefix}");
        let error = Dump::parse(log.as_bytes()).unwrap_err();
        assert_eq!((error.line, error.kind), (2, DumpErrorKind::Prefixed), "{prefix}");
    }
    // What a kernel prints of other things, and what is no row.
    for line in [
        "[    1.23] 00000000: 86 80 40 2a 06 01 90 20 07 00 00 06 00 00 00 00",
        "[    1.23] 00: 86 80 40 2a 06 01 90 20 07 00 00 06 00 00 00",
        "[    1.23] 00: 86 80 40 2a 06 01 90 20 07 00 00 06 00 00 00 0g",
        "[    1.23] 12:00:00 86 80 40 2a 06 01 90 20 07 00 00 06 00 00 00 00",
        "[    1.23]00: 86 80 40 2a 06 01 90 20 07 00 00 06 00 00 00 00",
        "[    1.23] pci 0000:00:1f.0: [8086:a0c8] type 00 class 0x040300",
    ] {
        assert_eq!(warnings(&parsed(format!("03:00.0 x\n{ROW}\n\n{line}\n"))), [], "{line}");
    }
}
