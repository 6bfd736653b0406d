//! EFI drivers, decompressed and compressed, with `mu_uefi_decompress` beside ours.

use benches::{code, corpus, decompressors};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use romtools::checksum;
use romtools::compression::{self, Variant};
use std::hint::black_box;

fn benches(c: &mut Criterion) {
    let made = code::machine_code(1, 256 << 10);
    let stream = compression::compress(&made, Variant::Uefi).expect("a quarter of a megabyte");
    let mut sets = vec![("made", vec![stream])];
    let real = corpus::compressed_drivers();
    if !real.is_empty() {
        sets.push(("real", real));
    }
    for (name, streams) in &sets {
        let bytes: usize = streams.iter().map(|stream| original(stream)).sum();
        let mut group = c.benchmark_group(format!("decompress-{name}"));
        group.sample_size(20).throughput(Throughput::Bytes(bytes as u64));
        for (name, way) in [("ours", decompressors::ours as Way), ("mu_uefi_decompress", decompressors::peer)]
        {
            group.bench_function(name, |b| {
                b.iter(|| {
                    for stream in streams {
                        drop(black_box(way(black_box(stream), Variant::Uefi)));
                    }
                });
            });
        }
        group.finish();
    }
    let mut group = c.benchmark_group("driver");
    group.sample_size(20).throughput(Throughput::Bytes(made.len() as u64));
    group.bench_function("compress", |b| b.iter(|| compression::compress(black_box(&made), Variant::Uefi)));
    group.bench_function("checksum", |b| b.iter(|| checksum::sum(black_box(&made))));
    group.finish();
}

type Way = fn(&[u8], Variant) -> Option<Vec<u8>>;

fn original(stream: &[u8]) -> usize {
    compression::Sizes::parse(stream).map_or(0, |sizes| sizes.original)
}

criterion_group!(group, benches);
criterion_main!(group);
