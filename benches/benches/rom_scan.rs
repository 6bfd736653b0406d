//! A scan of 64 MiB, from a file and from memory, with the reading alone beside it.

use benches::firmware;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use romtools::scan::{self, Event};
use romtools::source::{self, ReadAt};
use std::fs::File;
use std::hint::black_box;

fn benches(c: &mut Criterion) {
    let image = firmware::image();
    let path = std::env::temp_dir().join(format!("romtools-bench-{}.bin", std::process::id()));
    std::fs::write(&path, &image).expect("the folder for temporary files can be written");
    let file = File::open(&path).expect("a file of our own");
    let mut group = c.benchmark_group("scan");
    group.sample_size(20).throughput(Throughput::Bytes(image.len() as u64));
    group.bench_function("file", |b| b.iter(|| found(&file)));
    group.bench_function("memory", |b| b.iter(|| found(&image[..])));
    group.bench_function("reading-alone", |b| b.iter(|| read(&file)));
    group.finish();
    // It is one of many in that folder, and nobody minds if it stays.
    let _ = std::fs::remove_file(&path);
}

fn found<S: ReadAt + ?Sized>(source: &S) -> usize {
    let mut roms = 0;
    scan::scan(source, firmware::LENGTH as u64, &mut |event| {
        roms += usize::from(matches!(event, Event::Found(_)));
        Ok(())
    })
    .expect("a source of our own");
    // What was asked for is what is measured.
    assert_eq!(roms, firmware::ROMS);
    roms
}

fn read(file: &File) {
    let mut window = vec![0; 128 << 10];
    let mut at = 0;
    while let Ok(have @ 1..) = source::fill(file, at, &mut window) {
        black_box(&window[..have]);
        at += have as u64;
    }
}

criterion_group!(group, benches);
criterion_main!(group);
