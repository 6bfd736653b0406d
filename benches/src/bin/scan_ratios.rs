//! Measures the scan of a firmware image beside the reading alone, and what a chain takes; prints a table in Markdown.
//!
//! `cargo run --release -p benches --bin scan_ratios`

use benches::firmware;
use benches::rounds::{Contender, medians};
use romtools::build::{Builder, Part};
use romtools::scan::{self, Event};
use romtools::source::{self, ReadAt};
use romtools::{Rom, check};
use std::fs::File;
use std::hint::black_box;
use std::time::Duration;

const ROUNDS: usize = 41;
const SLICE: Duration = Duration::from_millis(1);

fn main() {
    let image = firmware::image();
    let path = std::env::temp_dir().join(format!("romtools-scan-{}.bin", std::process::id()));
    std::fs::write(&path, &image).expect("the folder for temporary files can be written");
    let file = File::open(&path).expect("a file of our own");
    let mut contenders = [
        Contender::new("file", || scan_all(&file)),
        Contender::new("memory", || scan_all(&image[..])),
        Contender::new("reading", || read(&file)),
        Contender::new("find two bytes in what was read whole", || find(&path)),
    ];
    let times = medians(&mut contenders, ROUNDS, SLICE);
    let _ = std::fs::remove_file(&path);
    let rate = |time: Duration| format!("{:.2} GB/s", image.len() as f64 / time.as_nanos() as f64);
    println!("| what | speed |\n|---|---|");
    println!("| scan of a file of 64 MiB with {} ROMs | {} |", firmware::ROMS, rate(times[0]));
    println!("| the same bytes in memory | {} |", rate(times[1]));
    println!("| peer: reading the file alone, in windows of 128 KiB | {} |", rate(times[2]));
    println!("| peer: reading it whole and looking for `55 AA` with `memchr` | {} |", rate(times[3]));

    let rom = firmware::rom();
    let parsed = Rom::parse(&rom).expect("a ROM of our own");
    let (code, driver) = (firmware::legacy(0x8000), firmware::driver(0x8000));
    let mut contenders = [
        Contender::new("parse", || drop(black_box(Rom::parse(black_box(&rom))))),
        Contender::new("check", || drop(black_box(check::findings(black_box(&parsed))))),
        Contender::new("build", || {
            let efi = Part::Efi { file: black_box(&driver), compress: false };
            let builder = Builder::new(0x1002, vec![0x164e, 0x1681]).part(Part::Legacy(black_box(&code)));
            drop(black_box((0..4).fold(builder, |builder, _| builder.part(efi)).build()));
        }),
    ];
    let times = medians(&mut contenders, ROUNDS, SLICE);
    println!("| parse a chain of five images, {} KiB | {} ns |", rom.len() >> 10, times[0].as_nanos());
    println!("| check it, checksums included | {:.1} µs |", times[1].as_secs_f64() * 1e6);
    println!("| build it | {:.1} µs |", times[2].as_secs_f64() * 1e6);
}

fn scan_all<S: ReadAt + ?Sized>(source: &S) {
    let mut roms = 0;
    scan::scan(source, firmware::LENGTH as u64, &mut |event| {
        roms += usize::from(matches!(event, Event::Found(_)));
        Ok(())
    })
    .expect("a source of our own");
    assert_eq!(roms, firmware::ROMS);
}

fn read(file: &File) {
    let mut window = vec![0; 128 << 10];
    let mut at = 0;
    while let Ok(have @ 1..) = source::fill(file, at, &mut window) {
        black_box(&window[..have]);
        at += have as u64;
    }
}

fn find(path: &std::path::Path) {
    let bytes = std::fs::read(path).expect("a file of our own");
    black_box(memchr::memmem::find_iter(&bytes, &[0x55u8, 0xaa]).count());
}
