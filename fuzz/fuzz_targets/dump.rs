//! Text to dump to text to dump: the two dumps are equal, and the memory is bounded by the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use pcicfg::dump::{Dump, DumpedFunction, MAX_WARNINGS, Style};

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

fuzz_target!(|text: &[u8]| {
    let lines = text.split(|&byte| byte == b'\n').count();
    let dump = match Dump::parse(text) {
        Ok(dump) => dump,
        Err(error) => {
            assert!((1..=lines).contains(&(error.line as usize)), "{error}");
            return;
        }
    };
    assert!(dump.warnings().len() <= MAX_WARNINGS);
    for warning in dump.warnings() {
        assert!((1..=lines).contains(&(warning.line as usize)), "{warning}");
    }
    let stored: usize = dump.functions().map(|function| function.bytes().len()).sum();
    assert!(stored <= (64 << 10) + 4096 + 13 * text.len(), "{stored} bytes of {}", text.len());

    let text = written(&dump);
    let again = Dump::parse(text.as_bytes()).expect("written text reads");
    assert_eq!(dump.len(), again.len());
    assert!(dump.functions().zip(again.functions()).all(|(a, b)| same(a, b)));
    assert_eq!(text, written(&again));
});
