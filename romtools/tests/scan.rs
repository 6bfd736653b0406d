//! `scan`: what is found in a file, and what is written of it.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::bench::{Bench, rom};
use common::{corpus, roms};
use serde_json::Value;

/// A firmware image with two ROMs in it, the second with a changed byte.
fn firmware() -> Vec<u8> {
    let mut other = rom();
    other[0x100] = 3;
    [vec![0xff; 0x1004], rom(), vec![0; 0x2000], other, vec![0xff; 0x800]].concat()
}

#[test]
fn roms_are_listed_with_their_verdict() {
    let bench = Bench::new();
    bench.file("bios.bin", &firmware());
    assert_eq!(
        bench.out("scan bios.bin", 0),
        "@1004h, 200h bytes: option ROM, 1 image(s), good\n\
         \ttype 0 (x86 PC-AT), 1b21:0612, class 010400, 200h bytes\n\
         @3204h, 200h bytes: option ROM, 1 image(s), worst finding: defect\n\
         \ttype 0 (x86 PC-AT), 1b21:0612, class 010400, 200h bytes\n\
         \tdefect @3204h: the image sums to 03h instead of 00h\n\
         \t  next: a BIOS refuses this image: dump it again, or if it was edited, correct its checksum byte; the shadow at \
         C0000h may differ because the ROM's own code changes it\n\
         2 found in 0.0 MiB\n"
    );
    let lines = bench.out("scan --json bios.bin", 0);
    let found: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&found[0]["kind"], &found[0]["offset"]), (&"rom".into(), &0x1004.into()));
    assert_eq!((&found[0]["worst"], &found[1]["worst"]), (&Value::Null, &"defect".into()));
    assert_eq!(found[0]["images"][0]["vendor_id"], "1b21");
    assert_eq!(found[1]["findings"][0]["offset"], 0x3204);
}

#[test]
fn what_is_found_is_extracted_byte_for_byte_and_nothing_is_overwritten() {
    let bench = Bench::new();
    bench.file("bios.bin", &firmware());
    let text = bench.out("scan bios.bin --extract --dir out/roms", 0);
    assert!(text.contains("\n\tin out/roms/rom-00001004-1b21-0612.rom\n"), "{text}");
    assert_eq!(bench.read("out/roms/rom-00001004-1b21-0612.rom"), rom());
    assert_eq!(bench.read("out/roms/rom-00003204-1b21-0612.rom").len(), 512);
    bench.file("out/roms/rom-00001004-1b21-0612.rom", b"mine");
    let error = bench.error("scan bios.bin --extract --dir out/roms", 1);
    assert!(error.contains("rom-00001004-1b21-0612.rom: it exists already"), "{error}");
    assert_eq!(bench.read("out/roms/rom-00001004-1b21-0612.rom"), b"mine");
    bench.out("scan bios.bin --extract --dir out/roms --force", 0);
    assert_eq!(bench.read("out/roms/rom-00001004-1b21-0612.rom"), rom());
}

#[test]
fn nothing_found_ends_in_1_and_says_what_next() {
    let bench = Bench::new();
    bench.file("text", b"no firmware").file("empty", b"");
    for file in ["text", "empty", "gone", "."] {
        let error = bench.error(&format!("scan {file}"), 1);
        assert!(error.starts_with(&format!("error: {file}: ")) && error.contains("\n  next: "), "{error}");
    }
    for line in ["scan", "scan text --extract", "scan text --dir x", "scan text more"] {
        assert!(!bench.error(line, 2).is_empty());
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_is_refused_with_what_to_do() {
    use std::process::{Command, Stdio};
    let mut child = Command::new(env!("CARGO_BIN_EXE_romtools"))
        .args(["scan", "/dev/stdin"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdin.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("into a file first"));
}

/// All ROMs of the corpus in one image, at odd places: each is found, whole.
#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn every_real_rom_is_found_in_one_image() {
    use romtools::scan::{Event, What, scan};
    use romtools::{Rom, source};
    let mut image = Vec::new();
    let mut planted = Vec::new();
    for (name, bytes) in roms(&corpus()) {
        let rom = Rom::parse(&bytes).unwrap();
        // A ROM from before PCI without a checksum, or without a jump, is not told from data.
        let Some(chain) = rom.chains().first() else { continue };
        image.resize(image.len().next_multiple_of(4) + 4, 0xff);
        let begin = image.len() + chain.offset();
        image.extend(bytes.as_slice());
        planted.push((name, begin as u64, chain.end() - chain.offset()));
    }
    let mut found = std::collections::BTreeMap::new();
    scan(&image[..], image.len() as u64, &mut |event| {
        if let Event::Found(one) = event
            && matches!(one.what, What::Rom(_))
        {
            found.insert(one.offset, one.length);
        }
        Ok(())
    })
    .unwrap();
    for (name, begin, length) in planted {
        // What begins with another word than 55 AA is found by its data structure.
        assert_eq!(found.get(&begin).copied(), Some(length as u64), "{name}");
        let read = source::read_rom(&image[..], begin, source::MAXIMUM_SIZE).unwrap();
        assert_eq!(read.len(), length, "{name}");
    }
}

/// A gigabyte is scanned in 16 MiB: neither read whole nor mapped. At its end stand more images than are read of a ROM,
/// each with a driver that claims 16 MiB.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_file() {
    use std::io::{Seek, SeekFrom, Write};
    let bench = Bench::new();
    let mut file = std::fs::File::create(bench.path("disk.img")).unwrap();
    file.set_len(1 << 30).unwrap();
    file.seek(SeekFrom::Start((1 << 30) - 4096)).unwrap();
    file.write_all(&rom()).unwrap();
    file.seek(SeekFrom::Start(1 << 30)).unwrap();
    let mut bomb = rom();
    bomb[2..0x0e].copy_from_slice(&[1, 0, 0xf1, 0x0e, 0, 0, 0x0b, 0, 0x64, 0x86, 1, 0]);
    bomb[0x16..0x18].copy_from_slice(&[0x80, 0]);
    let pcir = usize::from(bomb[0x18]);
    bomb[pcir + 0x14..pcir + 0x16].copy_from_slice(&[3, 2]);
    bomb[0x80..0x88].copy_from_slice(&[13, 0, 0, 0, 0, 0, 0, 1]);
    file.write_all(&bomb.repeat(12 << 11)).unwrap();
    // All that the process writes to, but for its stack; its program and libraries are files.
    for arguments in ["", "--json"] {
        let script =
            format!("ulimit -d 16384 && exec {} scan disk.img {arguments}", env!("CARGO_BIN_EXE_romtools"));
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .current_dir(bench.path("."))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("1b21"), "{error}{}", &text[..text.len().min(1000)]);
        assert!(output.status.success(), "{error}");
    }
}
