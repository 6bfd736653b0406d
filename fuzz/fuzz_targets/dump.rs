//! Text to dump to text to dump, and bytes to text to bytes: what comes back is the same, and the memory is bounded
//! by the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pcicfg::Address;
use pcicfg::dump::{Dump, DumpedFunction, Extent, MAX_WARNINGS, Style, write_function};

fuzz_target!(|input: &[u8]| {
    from_text(input);
    from_bytes(input);
});

fn written(dump: &Dump) -> String {
    let mut text = String::new();
    dump.write(&mut text, Style::default()).expect("a String takes everything");
    text
}

/// Everything but the line.
fn same(a: DumpedFunction<'_>, b: DumpedFunction<'_>) -> bool {
    (a.address(), a.description(), a.present(), a.bytes())
        == (b.address(), b.description(), b.present(), b.bytes())
}

/// The input is a text.
fn from_text(text: &[u8]) {
    let lines: Vec<&[u8]> = text.split(|&byte| byte == b'\n').collect();
    let inside = |line: u32, column: u32| {
        let length = lines.get((line as usize).wrapping_sub(1)).map(|line| line.len());
        assert!(length.is_some_and(|length| column as usize <= length + 1), "line {line}, column {column}");
    };
    let dump = match Dump::parse(text) {
        Ok(dump) => dump,
        Err(error) => return inside(error.line, error.column),
    };
    assert!(dump.warnings().len() <= MAX_WARNINGS);
    for warning in dump.warnings() {
        inside(warning.line, warning.column);
        assert!(!warning.to_string().is_empty());
    }
    let stored: usize = dump.functions().map(|function| function.bytes().len()).sum();
    assert!(stored <= (64 << 10) + 4096 + 13 * text.len(), "{stored} bytes of {}", text.len());

    let text = written(&dump);
    let again = Dump::parse(text.as_bytes()).expect("written text reads");
    assert_eq!(dump.len(), again.len());
    assert!(dump.functions().zip(again.functions()).all(|(a, b)| same(a, b)));
    assert_eq!(text, written(&again));
}

/// The input is functions: for each its size, in steps of 17 bytes, and the rest of it at most.
fn from_bytes(input: &[u8]) {
    let mut rest = input;
    let mut functions = Vec::new();
    while let Some((&size, bytes)) = rest.split_first() {
        let (config, after) = bytes.split_at((usize::from(size) * 17 + 1).min(bytes.len()));
        if !config.is_empty() {
            let number = functions.len() as u32;
            functions.push((Address::from_devfn(number >> 16, (number >> 8) as u8, number as u8), config));
        }
        rest = after;
    }
    let description = String::from_utf8_lossy(input.get(..20).unwrap_or(input));
    let style = Style { extent: Extent::All, domain: input.len().is_multiple_of(2) };
    let mut text = String::new();
    for (address, config) in &functions {
        write_function(&mut text, *address, &description, config, style).expect("a String takes everything");
    }
    let read = Dump::parse(text.as_bytes());
    let Ok(dump) = read else {
        assert!(functions.is_empty(), "{read:?}");
        return;
    };
    assert_eq!(dump.warnings(), []);
    assert_eq!(dump.len(), functions.len());
    for (function, (address, config)) in dump.functions().zip(&functions) {
        let config = config.get(..4096).unwrap_or(config);
        assert_eq!((function.address(), function.present()), (*address, config.len()));
        assert!(function.bytes().starts_with(config));
    }
}
