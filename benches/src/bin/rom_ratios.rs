//! Measures what is done with option ROMs, ours beside the peers, round by round in turn; prints a table in Markdown.
//!
//! `cargo run --release -p benches --bin rom_ratios`

use benches::rounds::{Contender, Times, measure};
use benches::{code, corpus, decompressors, firmware, report};
use romtools::build::{Builder, Part};
use romtools::compression::{self, Sizes, Variant};
use romtools::scan::{self, Event};
use romtools::source::{self, ReadAt};
use romtools::{Rom, check, checksum};
use std::fs::File;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const ROUNDS: usize = 41;
const SLICE: Duration = Duration::from_millis(1);

/// With it and a path, the program scans that file and prints the most memory it had, in KiB.
const MEMORY: &str = "--memory-of-a-scan";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, path] = &arguments[..]
        && flag == MEMORY
    {
        return println!("{}", memory_of_a_scan(Path::new(path)));
    }
    println!("Measured on {}, {ROUNDS} rounds in turn.\n", report::when_and_where());
    println!(
        "| what | goal | median | best | on the processor | peer, on the processor | peer / ours |\n|---|---|---|---|---|---|---|"
    );
    decompression("256 KiB of made code", &[driver(256 << 10)]);
    decompression("a made driver of 2 MiB", &[driver(2 << 20)]);
    let real = corpus::compressed_drivers();
    if !real.is_empty() {
        decompression(&format!("{} real drivers", real.len()), &real);
    }
    checksums();
    chain();
    scans();
}

/// Code as drivers have it, compressed.
fn driver(length: usize) -> Vec<u8> {
    compression::compress(&code::machine_code(1, length), Variant::Uefi).expect("less than 16 MiB")
}

/// A line of the table; each time is told as `said` says it.
fn line(what: &str, goal: &str, ours: Times, peer: Option<(&str, Times)>, said: impl Fn(Duration) -> String) {
    let (peer, ratio) = match peer {
        None => (String::new(), String::new()),
        Some((name, peer)) => {
            // On a busy machine the slower one is interrupted more often: only time on the processor compares.
            let ratio = peer.processor.as_secs_f64() / ours.processor.as_secs_f64();
            (format!("{name} {}", said(peer.processor)), format!("{ratio:.1}"))
        }
    };
    let [median, best, processor] = [ours.median, ours.best, ours.processor].map(&said);
    println!("| {what} | {goal} | {median} | {best} | {processor} | {peer} | {ratio} |");
}

fn rate(bytes: usize) -> impl Fn(Duration) -> String {
    move |time| match bytes as f64 / time.as_nanos() as f64 {
        rate if rate < 1.0 => format!("{:.0} MB/s", rate * 1e3),
        rate => format!("{rate:.1} GB/s"),
    }
}

fn decompression(name: &str, streams: &[Vec<u8>]) {
    let sizes: Vec<_> = streams.iter().filter_map(|stream| Sizes::parse(stream).ok()).collect();
    let sum = |length: fn(&Sizes) -> usize| sizes.iter().map(length).sum::<usize>();
    let (original, compressed) = (sum(|sizes| sizes.original), sum(|sizes| sizes.compressed));
    let all = |name, way: fn(&[u8], Variant) -> Option<Vec<u8>>| {
        Contender::new(name, move || {
            for stream in streams {
                assert!(black_box(way(black_box(stream), Variant::Uefi)).is_some(), "a stream that is right");
            }
        })
    };
    let mut contenders = [all("ours", decompressors::ours), all("peer", decompressors::peer)];
    let [ours, peer] = measure(&mut contenders, ROUNDS, SLICE)[..] else { return };
    let percent = 100 * compressed / original;
    let what = format!("decompress {name} ({:.1} MB, {percent} % when compressed)", original as f64 / 1e6);
    line(&what, "300 MB/s, 8 times", ours, Some(("`mu_uefi_decompress`", peer)), rate(original));
}

fn checksums() {
    for (name, length) in [("an image of 64 KiB", 64 << 10), ("an image of 1 MiB", 1 << 20)] {
        let image = code::machine_code(2, length);
        let wrong = checksum::sum(&image).wrapping_add(1);
        let mut contenders = [
            Contender::new("sum", || assert_ne!(black_box(checksum::sum(black_box(&image))), wrong)),
            Contender::new("byte by byte", || assert_ne!(black_box(byte_by_byte(black_box(&image))), wrong)),
        ];
        let [ours, peer] = measure(&mut contenders, ROUNDS, SLICE)[..] else { return };
        let peer = Some(("one byte after the other", peer));
        line(&format!("checksum of {name}"), "10 GB/s", ours, peer, rate(length));
    }
}

/// As rom-parser and EfiRom do it.
fn byte_by_byte(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum: u8, byte| black_box(sum.wrapping_add(*byte)))
}

fn chain() {
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
    let [parse, check, build] = measure(&mut contenders, ROUNDS, SLICE)[..] else { return };
    let said = |time: Duration| format!("{:.2} µs", time.as_secs_f64() * 1e6);
    line(&format!("parse a chain of five images, {} KiB", rom.len() >> 10), "2 µs", parse, None, said);
    line("check it, checksums included", "", check, None, said);
    line("build it", "", build, None, said);
}

fn scans() {
    let image = firmware::image();
    let path = temporary("scan");
    std::fs::write(&path, &image).expect("the folder for temporary files can be written");
    let file = File::open(&path).expect("a file of our own");
    let mut contenders = [
        Contender::new("file", || scan_all(&file)),
        Contender::new("memory", || scan_all(&image[..])),
        Contender::new("reading", || read(&file)),
        Contender::new("find two bytes in what was read whole", || find(&path)),
    ];
    let [ours, memory, reading, whole] = measure(&mut contenders, ROUNDS, SLICE)[..] else { return };
    let said = rate(image.len());
    let what = format!("scan of a file of 64 MiB with {} ROMs", firmware::ROMS);
    line(&what, "3 GB/s", ours, Some(("read whole, and `55 AA` looked for with `memchr`", whole)), &said);
    line("the same beside reading it alone", "", ours, Some(("reading in windows", reading)), &said);
    line("scan of the same bytes in memory", "", memory, None, &said);
    memory_line("64 MiB", &path);
    // Holes read as zeros, and take no place on the disk.
    let grown = File::options().write(true).open(&path).and_then(|file| file.set_len(4 << 30));
    if grown.is_ok() {
        memory_line("4 GiB", &path);
    }
    // It is one of many in that folder, and nobody minds if it stays.
    let _ = std::fs::remove_file(&path);
}

/// What the kernel says that a process of its own had, which did nothing but scan a file.
fn memory_line(size: &str, path: &Path) {
    let Ok(program) = std::env::current_exe() else { return };
    let Ok(output) = Command::new(program).arg(MEMORY).arg(path).output() else { return };
    let text = String::from_utf8_lossy(&output.stdout);
    let Ok(most) = text.trim().parse::<f64>() else { return };
    let most = format!("{:.1} MiB", most / 1024.0);
    println!("| memory of a scan of a file of {size}, the program included | 16 MiB | {most} | | | | |");
}

fn memory_of_a_scan(path: &Path) -> u64 {
    let file = File::open(path).expect("the file to scan");
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    assert_eq!(count(&file, length), firmware::ROMS);
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    most.and_then(|most| most.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or_default()
}

fn temporary(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("romtools-{name}-{}.bin", std::process::id()))
}

fn count<S: ReadAt + ?Sized>(source: &S, length: u64) -> usize {
    let mut roms = 0;
    scan::scan(source, length, &mut |event| {
        roms += usize::from(matches!(event, Event::Found(_)));
        Ok(())
    })
    .expect("a source of our own");
    roms
}

fn scan_all<S: ReadAt + ?Sized>(source: &S) {
    assert_eq!(count(source, firmware::LENGTH as u64), firmware::ROMS);
}

fn read(file: &File) {
    let mut window = vec![0; 128 << 10];
    let mut at = 0;
    while let Ok(have @ 1..) = source::fill(file, at, &mut window) {
        black_box(&window[..have]);
        at += have as u64;
    }
}

fn find(path: &Path) {
    let bytes = std::fs::read(path).expect("a file of our own");
    black_box(memchr::memmem::find_iter(&bytes, &[0x55u8, 0xaa]).count());
}
