//! What `plan` does with a captured machine of 4,096 functions: open it, take stock, plan for each.

use benches::host;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use vfio_reset::machine::captured::Captured;
use vfio_reset::quirk::Quirks;
use vfio_reset::{Inventory, Plan, Request};

fn benches(c: &mut Criterion) {
    let functions = host::functions(host::FUNCTIONS);
    let folder = std::env::temp_dir();
    let path = folder.join(format!("vfio-reset-bench-{}.lspci", std::process::id()));
    std::fs::write(&path, host::dump(&functions)).expect("the folder for temporary files can be written");
    let machine = Captured::open(&path).expect("a dump that we made");
    let inventory = Inventory::read(&machine).expect("a recorded machine");
    let quirks = Quirks::built_in();

    let mut group = c.benchmark_group("inventory");
    group.sample_size(20).throughput(Throughput::Elements(functions.len() as u64));
    group.bench_function("open", |b| b.iter(|| Captured::open(black_box(&path))));
    group.bench_function("read", |b| b.iter(|| Inventory::read(black_box(&machine))));
    group.bench_function("plan", |b| {
        b.iter(|| {
            for function in inventory.functions() {
                let request = Request::new(function.address());
                black_box(Plan::new(black_box(&inventory), &quirks, &request))
                    .expect("the function is there");
            }
        });
    });
    group.finish();
    // It is one of many in that folder, and nobody minds if it stays.
    let _ = std::fs::remove_file(&path);
}

criterion_group!(group, benches);
criterion_main!(group);
