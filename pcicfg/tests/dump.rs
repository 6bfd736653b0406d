//! `pcicfg::dump` with random texts and random functions.
#![cfg(feature = "alloc")]

use pcicfg::Address;
use pcicfg::dump::{Dump, DumpedFunction, Extent, MAX_WARNINGS, Style, write_function};
use proptest::prelude::*;

#[path = "common/pieces.rs"]
mod pieces;

/// What every answer must hold, whatever the text.
fn check(text: &[u8]) {
    let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
    let inside = |line: u32, column: u32| {
        let length = lines.get(line as usize - 1).map(|line| line.len());
        assert!(length.is_some_and(|length| column as usize <= length + 1), "line {line}, column {column}");
    };
    let dump = match Dump::parse(text) {
        Ok(dump) => dump,
        Err(error) => return inside(error.line, error.column),
    };
    assert!(!dump.is_empty());
    assert!(dump.warnings().len() <= MAX_WARNINGS);
    assert!(dump.warnings().is_sorted_by_key(|warning| (warning.line, warning.column)));
    for warning in dump.warnings() {
        inside(warning.line, warning.column);
    }
    let mut stored = 0;
    for function in &dump {
        inside(function.line(), 1);
        let (present, size) = (function.present(), function.bytes().len());
        assert!((1..=4096).contains(&present) && size == present.max(64));
        stored += size;
    }
    assert!(stored <= (64 << 10) + 4096 + 13 * text.len(), "{stored} bytes of {}", text.len());
    // Written out, it reads the same, and without any warning but for repeated slots.
    let again = Dump::parse(written(&dump, Style::default()).as_bytes()).expect("written text reads");
    assert_eq!(contents(&dump), contents(&again));
    assert_eq!(written(&dump, Style::default()), written(&again, Style::default()));
}

fn written(dump: &Dump, style: Style) -> String {
    let mut text = String::new();
    dump.write(&mut text, style).expect("a String takes everything");
    text
}

fn contents(dump: &Dump) -> Vec<(Address, &str, usize, &[u8])> {
    let parts = |function: DumpedFunction<'_>| (function.address(), function.present());
    dump.functions()
        .map(|function| (parts(function).0, function.description(), parts(function).1, function.bytes()))
        .collect()
}

/// A line as dumps have them, more or less.
fn line() -> impl Strategy<Value = String> {
    let prefix = prop_oneof![8 => Just(""), 1 => Just("> "), 1 => Just("\t"), 1 => Just(">>  ")];
    let body = prop_oneof![
        2 => "(([0-9a-f]{4,8}:)?0[0-9]:[01][0-9a-f]\\.[0-7]|[0-9a-f]{2}:[0-9a-f]{2}\\.[0-9a-f]) ?[ -~é]{0,12}",
        6 => "[0-9a-f]{1}0:( [0-9a-f]{2}){16}",
        2 => "[0-9a-f]{1,8}:( {1,2}[0-9a-fA-F]{1,3}){0,20}",
        1 => "[0-9a-f]{2,3}0: [0-9a-f]{2}",
        1 => "",
        1 => "[ -~]{0,60}",
    ];
    let end = prop_oneof![12 => Just("\n"), 1 => Just("\r\n"), 1 => Just(" \n"), 1 => Just("=0A=\n"), 1 => Just("")];
    (prefix, body, end).prop_map(|(prefix, body, end)| format!("{prefix}{body}{end}"))
}

/// What some lines of a well-formed dump become, so that pieces end in all kinds of places.
fn function() -> impl Strategy<Value = String> {
    let rows = prop_oneof![4 => 0usize..20, 1 => 250usize..=256];
    (rows, "[0-9a-f]", "[0-7]").prop_map(|(rows, digit, function)| {
        let row = |row: usize| format!("{:02x}: {}\n", row * 16, [digit.repeat(2).as_str(); 16].join(" "));
        format!("0{digit}:00.{function} x\n{}\n", (0..rows).map(row).collect::<String>())
    })
}

proptest! {
    #[test]
    fn a_text_in_pieces_shows_what_it_shows_as_a_whole(
        lines in prop::collection::vec(prop_oneof![2 => line(), 1 => function()], 0..40),
        piece in prop_oneof![1usize..100, 100usize..5000],
        longest in 0usize..20_000,
        steps in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        pieces::check(lines.concat().as_bytes(), piece, longest, &steps);
    }

    #[test]
    fn any_bytes_are_a_dump_or_an_error(text: Vec<u8>) {
        check(&text);
    }

    #[test]
    fn any_text_of_the_letters_of_dumps_is_a_dump_or_an_error(text in "[0-9a-f:. >\n\r\t=]{0,300}") {
        check(text.as_bytes());
    }

    #[test]
    fn almost_dumps_are_dumps_or_errors(lines in prop::collection::vec(line(), 0..60)) {
        check(lines.concat().as_bytes());
    }

    #[test]
    fn dumps_with_some_bytes_changed_are_dumps_or_errors(
        config in prop::collection::vec(any::<u8>(), 1..600),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut text = String::new();
        for function in 0..3 {
            let address = Address::from_devfn(0, 3, function);
            write_function(&mut text, address, "Class: name", &config, Style::default())?;
        }
        let mut text = text.into_bytes();
        for (at, byte) in changes {
            let at = at.index(text.len());
            text[at] = byte;
        }
        text.truncate(cut.index(text.len() * 4));
        check(&text);
    }

    #[test]
    fn random_functions_round_trip(
        functions in prop::collection::vec(
            (any::<u32>(), any::<u8>(), any::<u8>(), "[!-~]([ -~éß]{0,30}[!-~])?", prop_oneof![
                prop::collection::vec(any::<u8>(), 1..=300),
                (0usize..3, any::<u8>()).prop_map(|(size, seed)| {
                    (0..[64, 256, 4096][size]).map(|at: u32| (at as u8).wrapping_mul(seed)).collect()
                }),
            ]),
            1..6,
        ),
        domain: bool,
    ) {
        let mut text = String::new();
        let style = Style { extent: Extent::All, domain };
        for (domain, bus, devfn, description, config) in &functions {
            write_function(&mut text, Address::from_devfn(*domain, *bus, *devfn), description, config, style)?;
        }
        let dump = Dump::parse(text.as_bytes())?;
        prop_assert_eq!(dump.len(), functions.len());
        for (function, (domain, bus, devfn, description, config)) in dump.functions().zip(&functions) {
            prop_assert_eq!(function.address(), Address::from_devfn(*domain, *bus, *devfn));
            prop_assert_eq!(function.description(), description);
            prop_assert_eq!(&function.bytes()[..function.present()], &config[..]);
        }
        check(text.as_bytes());
    }
}

#[test]
fn the_extent_and_the_domain_are_those_of_lspci() {
    let mut text = String::new();
    for domain in [0, 1] {
        let address = Address::from_devfn(domain, 0, 0);
        write_function(&mut text, address, "x", &[0x11; 4096], Style::default()).expect("written");
    }
    let dump = Dump::parse(text.as_bytes()).expect("read");
    // One function of another domain shows the domains of all.
    let header = written(&dump, Style { extent: Extent::Header, domain: false });
    assert!(header.starts_with("0000:00:00.0 x\n00: 11"), "{header}");
    assert_eq!(header.lines().count(), 2 * (1 + 4 + 1));
    let conventional = written(&dump, Style { extent: Extent::Conventional, domain: false });
    assert_eq!(conventional.lines().count(), 2 * (1 + 16 + 1));
}
