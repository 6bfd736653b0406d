//! A chain of five images: walked, parsed, checked, built.

use benches::firmware;
use criterion::{Criterion, criterion_group, criterion_main};
use romtools::build::{Builder, Part};
use romtools::{Chain, Rom, check};
use std::hint::black_box;

fn benches(c: &mut Criterion) {
    let rom = firmware::rom();
    let mut group = c.benchmark_group("chain-of-five");
    group.bench_function("walk", |b| b.iter(|| Chain::walk(black_box(&rom), 0)));
    group.bench_function("parse", |b| b.iter(|| drop(black_box(Rom::parse(black_box(&rom))))));
    let parsed = Rom::parse(&rom).expect("a ROM of our own");
    assert_eq!(parsed.images().count(), 5);
    group.bench_function("check", |b| b.iter(|| check::findings(black_box(&parsed))));
    let (code, driver) = (firmware::legacy(0x8000), firmware::driver(0x8000));
    group.bench_function("build", |b| {
        b.iter(|| {
            let efi = Part::Efi { file: black_box(&driver), compress: false };
            let builder = Builder::new(0x1002, vec![0x164e, 0x1681]).part(Part::Legacy(black_box(&code)));
            (0..4).fold(builder, |builder, _| builder.part(efi)).build()
        });
    });
    group.finish();
}

criterion_group!(group, benches);
criterion_main!(group);
