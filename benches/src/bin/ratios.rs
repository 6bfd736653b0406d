//! Measures ours beside the peers, round by round in turn, and prints a table in Markdown.
//!
//! `cargo run --release -p benches --bin ratios`

use benches::resets::{self, CASES};
use benches::rounds::{Contender, medians};
use benches::{corpus, host, report, work};
use pcicfg::Dump;
use std::fmt::Write;
use std::hint::black_box;
use std::time::Duration;
use vfio_reset::machine::captured::Captured;
use vfio_reset::quirk::Quirks;
use vfio_reset::{Inventory, Plan, Request};

const ROUNDS: usize = 101;
/// Shorter than what the kernel gives a process at a time, so that most slices run undisturbed.
const SLICE: Duration = Duration::from_millis(1);

fn main() {
    let host = host::functions(host::FUNCTIONS);
    let mut table = Table::default();
    let made: Vec<&[u8]> = host.iter().map(|function| function.config.as_slice()).collect();
    table.functions("256 made", &made[..256]);
    table.functions("4,096 made", &made);
    let real = corpus::functions();
    if !real.is_empty() {
        let real: Vec<&[u8]> = real.iter().map(Vec::as_slice).collect();
        table.functions(&format!("{} real", real.len()), &real);
        // Each copy has a place of its own: 16 MiB, which no processor's own cache holds.
        let copies: Vec<Vec<u8>> =
            real.iter().cycle().take(host::FUNCTIONS).map(|bytes| bytes.to_vec()).collect();
        let copies: Vec<&[u8]> = copies.iter().map(Vec::as_slice).collect();
        table.functions(&format!("4,096 (copies of {} real)", real.len()), &copies);
    }
    table.dump(&host);
    table.plan(&host);
    table.resets();
    print!("{}", table.finish());
}

/// The lines of the table, in the making.
#[derive(Default)]
struct Table {
    lines: String,
}

impl Table {
    fn line(&mut self, what: &str, ours: &str, peer: &str, ratio: &str) {
        eprintln!("{what}: {ours}, {peer}");
        // A String takes everything.
        let _ = writeln!(self.lines, "| {what} | {ours} | {peer} | {ratio} |");
    }

    /// What a function takes, on average over all of these.
    fn functions(&mut self, name: &str, functions: &[&[u8]]) {
        let all = |name, work: fn(&[u8]) -> usize| {
            Contender::new(name, move || {
                for bytes in functions {
                    black_box(work(black_box(bytes)));
                }
            })
        };
        let mut contenders = [
            all("walk", work::walk),
            all("decode", work::decode),
            all("pcics", work::pcics),
            all("conventional", work::conventional),
            all("pci_types", work::pci_types),
        ];
        let times = medians(&mut contenders, ROUNDS, SLICE);
        let each = |time: Duration| time.as_nanos() as f64 / functions.len() as f64;
        let [walk, decode, pcics, conventional, pci_types] = [0, 1, 2, 3, 4].map(|index| each(times[index]));
        let capabilities: usize = functions.iter().map(|bytes| work::walk(bytes)).sum();
        let many = capabilities as f64 / functions.len() as f64;
        let nanoseconds = |time: f64| format!("{time:.0} ns");
        let mut line = |what: &str, ours: f64, peer: &str, theirs: f64| {
            let what =
                format!("{what}: {name} functions with {many:.1} capabilities each, time per function");
            let (peer, ratio) = (format!("{peer} {theirs:.0} ns"), format!("{:.1}", theirs / ours));
            self.line(&what, &nanoseconds(ours), &peer, &ratio);
        };
        line("Walk of both lists, guarded", walk, "pcics (cannot walk alone)", pcics);
        line("Walk and every register decoded", decode, "pcics", pcics);
        line("First list of endpoints", conventional, "pci_types (unguarded)", pci_types);
    }

    fn dump(&mut self, host: &[host::Function]) {
        let text = host::dump(host);
        let mut contenders = [
            Contender::new("read", || drop(black_box(Dump::parse(black_box(text.as_bytes()))))),
            Contender::new("write", || drop(black_box(host::dump(black_box(host))))),
        ];
        let times = medians(&mut contenders, ROUNDS, SLICE);
        let rate = |time: Duration| format!("{:.2} GB/s", text.len() as f64 / time.as_nanos() as f64);
        let what = |verb: &str| {
            format!("{verb} the text of {} functions, {:.1} MB", host.len(), text.len() as f64 / 1e6)
        };
        self.line(&what("Read"), &rate(times[0]), "none in Rust", "");
        self.line(&what("Write"), &rate(times[1]), "none in Rust", "");
    }

    fn plan(&mut self, host: &[host::Function]) {
        let path = std::env::temp_dir().join(format!("vfio-reset-ratios-{}.lspci", std::process::id()));
        std::fs::write(&path, host::dump(host)).expect("the folder for temporary files can be written");
        let machine = Captured::open(&path).expect("a dump that we made");
        let inventory = Inventory::read(&machine).expect("a recorded machine");
        let quirks = Quirks::built_in();
        let mut contenders = [
            Contender::new("open", || drop(black_box(Captured::open(&path)))),
            Contender::new("inventory", || drop(black_box(Inventory::read(&machine)))),
            Contender::new("plan", || {
                for function in inventory.functions() {
                    drop(black_box(Plan::new(&inventory, &quirks, &Request::new(function.address()))));
                }
            }),
        ];
        let times = medians(&mut contenders, ROUNDS, SLICE);
        // It is one of many in that folder, and nobody minds if it stays.
        let _ = std::fs::remove_file(&path);
        let total = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
        let both = |time: Duration| {
            format!("{}, {:.2} µs each", total(time), time.as_secs_f64() * 1e6 / host.len() as f64)
        };
        let functions = format!("{} functions", host.len());
        self.line(&format!("Open the dump of {functions}"), &total(times[0]), "none", "");
        self.line(&format!("Inventory of {functions}"), &both(times[1]), "none", "");
        self.line(&format!("Plan for each of {functions}"), &both(times[2]), "none", "");
    }

    /// The engine's own time, all waiting being virtual; and the machine's time over the floor.
    fn resets(&mut self) {
        for case in &CASES {
            let machine = resets::machine().expect("a description of our own");
            let action = case.action(&machine).expect("a reset that is possible");
            let report = resets::run(&machine, &action).expect("a reset that is possible");
            let run = || drop(black_box(resets::run(&machine, black_box(&action))));
            let [time] = medians(&mut [Contender::new(case.name, run)], ROUNDS, SLICE)[..] else { continue };
            let what = format!("Reset by {}: the engine's processor time", case.name);
            let floor = resets::floor(case, &action).as_secs_f64() * 1e3;
            let excess = resets::excess(case, &action, &report).as_secs_f64() * 1e3;
            let peer = format!("virtual time {excess:.3} ms over the floor of {floor:.0} ms");
            self.line(&what, &format!("{:.0} µs", time.as_secs_f64() * 1e6), &peer, "");
        }
    }

    fn finish(self) -> String {
        format!(
            "Measured on {}, {ROUNDS} rounds in turn, medians.\n\n\
             | what | ours | peer | peer / ours |\n|---|---|---|---|\n{}",
            report::when_and_where(),
            self.lines
        )
    }
}
