//! The processor's time that the engine takes over a reset, by method. All waiting is virtual.
//!
//! Before it measures, it prints what each reset takes in the machine's time, and how much of that is
//! more than the method's floor.

use benches::resets::{self, CASES};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

fn benches(c: &mut Criterion) {
    let mut group = c.benchmark_group("reset");
    for case in CASES {
        let machine = resets::machine().expect("a description of our own");
        let action = case.action(&machine).expect("a reset that is possible");
        let report = resets::run(&machine, &action).expect("a reset that is possible");
        println!(
            "{}: {:?} of the machine's time, floor {:?}, excess {:?}",
            case.name,
            report.total(),
            resets::floor(&case, &action),
            resets::excess(&case, &action, &report)
        );
        group.bench_function(case.name, |b| b.iter(|| resets::run(&machine, black_box(&action))));
    }
    group.finish();
}

criterion_group!(group, benches);
criterion_main!(group);
