//! The text of a dump of 4,096 functions, read and written.

use benches::host;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pcicfg::Dump;
use std::hint::black_box;

fn benches(c: &mut Criterion) {
    let functions = host::functions(host::FUNCTIONS);
    let text = host::dump(&functions);
    let mut group = c.benchmark_group("dump");
    group.sample_size(20).throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("read", |b| b.iter(|| Dump::parse(black_box(text.as_bytes()))));
    group.bench_function("write", |b| b.iter(|| host::dump(black_box(&functions))));
    group.finish();
}

criterion_group!(group, benches);
criterion_main!(group);
