//! The walk of both capability lists, and the walk with everything decoded, in time per function;
//! `pcics` and `pci_types` beside them on the same bytes.

use benches::{corpus, host, work};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Instant;

fn benches(c: &mut Criterion) {
    let made: Vec<Vec<u8>> =
        host::functions(host::FUNCTIONS).into_iter().map(|function| function.config).collect();
    compare(c, "made-256", &made[..256]);
    compare(c, "made-4096", &made);
    let real = corpus::functions();
    if !real.is_empty() {
        compare(c, &format!("real-{}", real.len()), &real);
        let many: Vec<Vec<u8>> = real.iter().cycle().take(host::FUNCTIONS).cloned().collect();
        compare(c, "real-4096", &many);
    }
}

fn compare(c: &mut Criterion, name: &str, functions: &[Vec<u8>]) {
    let mut group = c.benchmark_group(name);
    let mut measure = |name: &str, work: fn(&[u8]) -> usize| {
        group.bench_function(name, |b| {
            // One iteration is one function, so that the time is that of a function.
            b.iter_custom(|iterations| {
                let mut left = iterations as usize;
                let begin = Instant::now();
                while left > 0 {
                    for bytes in functions.iter().take(left) {
                        black_box(work(black_box(bytes)));
                    }
                    left = left.saturating_sub(functions.len());
                }
                begin.elapsed()
            });
        });
    };
    measure("walk", work::walk);
    measure("decode", work::decode);
    measure("pcics", work::pcics);
    measure("conventional", work::conventional);
    measure("pci_types", work::pci_types);
    group.finish();
}

criterion_group!(group, benches);
criterion_main!(group);
