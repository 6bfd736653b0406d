//! The library's parts apart: reading the text, walking, decoding, printing; with `pcics` on the same bytes.

use crate::Result;
use crate::table::{Table, milliseconds};
use benches::rounds::{Contender, measure as rounds};
use benches::work;
use pcicfg::dump::{Dump, DumpedFunction};
use pcicfg::lspci::{NoNames, Options, Subject, Text, write_function};
use std::hint::black_box;
use std::time::Duration;

const ROUNDS: usize = 101;
/// How many functions of 4 KiB the processor's own caches hold in any case.
const CACHED: usize = 96;
/// Shorter than what the kernel gives a process at a time, so that most slices run undisturbed.
const SLICE: Duration = Duration::from_millis(1);

pub(crate) fn measure(table: &mut Table, text: &[u8], name: &str) -> Result<()> {
    let dump = Dump::parse(text)?;
    let functions: Vec<DumpedFunction<'_>> =
        dump.functions().filter(|function| function.present() == 4096).collect();
    let count = functions.len();
    if count == 0 {
        return Err(format!("{name}: no function has 4096 bytes").into());
    }
    reading(table, text, name);
    // All of them are more than the processor's own caches hold, some hundred kilobytes are not.
    decoding(table, &functions, name);
    decoding(table, functions.get(..CACHED).unwrap_or(&functions), &format!("{name}, in cache"));
    printing(table, &functions, name);
    Ok(())
}

fn decoding(table: &mut Table, functions: &[DumpedFunction<'_>], name: &str) {
    let count = functions.len();
    let all = |what, work: fn(&[u8]) -> usize| {
        Contender::new(what, move || {
            for function in functions {
                black_box(work(black_box(function.bytes())));
            }
        })
    };
    let mut contenders = [all("walk", work::walk), all("decode", work::decode), all("pcics", work::pcics)];
    let times = processor_times(&mut contenders, ROUNDS);
    let each = |time: Duration| time.as_nanos() as f64 / count as f64;
    let capabilities: usize = functions.iter().map(|function| work::walk(function.bytes())).sum();
    let many = capabilities as f64 / count as f64;
    let [walk, decode, pcics] = [0, 1, 2].map(|index| each(times[index]));
    let peer = format!("pcics: {pcics:.0} ns");
    let mut line = |what: &str, ours: f64, peer: &str, goal: &str| {
        let ratio = if peer.is_empty() { String::new() } else { format!("{:.1} times faster", pcics / ours) };
        let what =
            format!("{what}, a function of 4 KiB with {many:.1} capabilities, {count} functions, {name}");
        table.line(&what, &format!("{ours:.0} ns"), peer, &ratio, goal);
    };
    line("Walk, guarded", walk, "", "at most 60 ns");
    line("Walk and everything decoded", decode, &peer, "at most 150 ns, 2 times");
}

fn printing(table: &mut Table, functions: &[DumpedFunction<'_>], name: &str) {
    let print = |what, options: Options| {
        let mut text = Text::new();
        Contender::new(what, move || {
            for function in functions {
                text.clear();
                let subject = Subject::new(function.address(), function.bytes());
                write_function(&mut text, &subject, &options, &NoNames);
                black_box(text.as_bytes());
            }
        })
    };
    let mut contenders = [print("-vvv -n", Options::numeric().verbose(3)), print("-n", Options::numeric())];
    let times = processor_times(&mut contenders, ROUNDS);
    for (contender, time) in contenders.iter().zip(times) {
        let each = time.as_nanos() as f64 / functions.len() as f64;
        let what = format!("Printing `{}`, {} functions, {name}", contender.name, functions.len());
        table.line(&what, &format!("{} ({each:.0} ns each)", milliseconds(time)), "", "", "");
    }
}

/// Text to bytes, and to the parts of it that a short listing needs.
fn reading(table: &mut Table, text: &[u8], name: &str) {
    let mut contenders = [Contender::new("read", || drop(black_box(Dump::parse(black_box(text)))))];
    let [time] = processor_times(&mut contenders, ROUNDS / 5)[..] else { return };
    let rate = text.len() as f64 / time.as_nanos() as f64;
    let what = format!("Reading the text, {:.1} MB, {name}", text.len() as f64 / 1e6);
    table.line(&what, &format!("{} ({rate:.2} GB/s)", milliseconds(time)), "", "", "at least 1 GB/s");
}

/// The best round of each.
fn processor_times(contenders: &mut [Contender<'_>], count: usize) -> Vec<Duration> {
    rounds(contenders, count, SLICE).into_iter().map(|times| times.processor).collect()
}
