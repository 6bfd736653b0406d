//! `read`: which source is taken, and what is said when there is none. The `rom` file itself is shown on a
//! real kernel in the guest lab (`tests/guest/scenarios/rom-read.sh`).
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::bench::{Bench, rom};
use romtools::checksum;

/// Linux' numbers.
const O_NONBLOCK: i32 = 0o4000;
const O_ACCMODE: u32 = 0o3;

/// How long anything may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// A host with a function, and whatever else is put below its root.
fn host(vendor: u16, device: u16, class: &str) -> Bench {
    let bench = Bench::new();
    bench.file("sys/bus/pci/devices/0000:01:00.0/vendor", format!("{vendor:#06x}\n").as_bytes());
    bench.file("sys/bus/pci/devices/0000:01:00.0/device", format!("{device:#06x}\n").as_bytes());
    bench.file("sys/bus/pci/devices/0000:01:00.0/class", class.as_bytes());
    bench
}

/// A megabyte of memory with a ROM in the shadow.
fn memory(rom: &[u8]) -> Vec<u8> {
    let mut memory = vec![0; 0x10_0000];
    memory[0xc_0000..0xc_0000 + rom.len()].copy_from_slice(rom);
    memory
}

/// AMD's table with one image, for 01:00.0.
fn vfct(image: &[u8]) -> Vec<u8> {
    let mut table = vec![0; 0x4c];
    table[..4].copy_from_slice(b"VFCT");
    table[8] = 1;
    table[0x0a..0x18].copy_from_slice(b"ALASKAA M I   ");
    table[0x34] = 0x4c;
    table.extend([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x10, 0x40, 0x16, 0, 0, 0, 0, 1, 0, 0, 0]);
    table.extend((image.len() as u32).to_le_bytes());
    table.extend(image);
    let length = table.len() as u32;
    table[4..8].copy_from_slice(&length.to_le_bytes());
    table[9] = 0u8.wrapping_sub(checksum::sum(&table));
    table
}

#[test]
fn the_shadow_is_read_up_to_the_end_of_its_rom() {
    let bench = host(0x1b21, 0x0612, "0x030000\n");
    bench.file("sys/bus/pci/devices/0000:01:00.0/boot_vga", b"1\n").file("dev/mem", &memory(&rom()));
    let text = bench.out("read 01:00.0 -o gpu.rom --root .", 0);
    assert_eq!(
        text,
        "0000:01:00.0: rom: the function has no ROM BAR\n\
         0000:01:00.0 (1b21:0612): read from the shadow at C0000h\n\
         \timage @0h: type 0 (x86 PC-AT), 1b21:0612, class 010400, 200h bytes, last\n\
         512 bytes, in gpu.rom\n"
    );
    assert_eq!(bench.read("gpu.rom"), rom());
    let json = bench.json("read --json 01:00.0 -o other.rom --root .", 0);
    assert_eq!((&json["source"], &json["matches"]), (&"shadow".into(), &true.into()));
    assert_eq!((&json["failed"][0]["source"], &json["length"]), (&"rom".into(), &512.into()));
}

#[test]
fn another_host_s_memory_is_read_from_a_copy() {
    let bench = host(0x1002, 0x1640, "0x030000\n");
    bench.file("copy", &memory(&rom()));
    let line = "read 01:00.0 -o gpu.rom --from shadow --memory copy --root .";
    let error = bench.error(line, 0);
    assert!(error.contains("warning: the ROM is for 1b21:0612, the device is 1002:1640\n"), "{error}");
    assert!(error.contains("firmware's copy"), "{error}");
}

#[test]
fn an_amd_display_without_rom_bar_has_its_image_in_the_table() {
    let mut image = rom();
    image[0x20..0x24].copy_from_slice(&[0x02, 0x10, 0x40, 0x16]);
    image[511] = image[511].wrapping_sub(checksum::sum(&image));
    let bench = host(0x1002, 0x1640, "0x030000\n");
    bench.file("sys/firmware/acpi/tables/VFCT", &vfct(&image));
    let text = bench.out("read 01:00.0 -o gpu.rom --root .", 0);
    assert!(text.contains("\n0000:01:00.0 (1002:1640): read from the ACPI VFCT table\n"), "{text}");
    assert_eq!(bench.read("gpu.rom"), image);
    // Another vendor's is not looked for there.
    let bench = host(0x10de, 0x1640, "0x030000\n");
    bench.file("sys/firmware/acpi/tables/VFCT", &vfct(&image));
    assert!(!bench.error("read 01:00.0 -o gpu.rom --root .", 1).contains("vfct:"));
}

#[test]
fn each_source_s_failure_is_told_with_what_to_do() {
    let bench = host(0x1002, 0x1640, "0x030000\n");
    let error = bench.error("read 01:00.0 -o gpu.rom --root .", 1);
    assert!(
        error.contains("error: 0000:01:00.0: rom: the function has no ROM BAR\n  next: normal for"),
        "{error}"
    );
    assert!(error.contains("error: 0000:01:00.0: vfct: this host has no VFCT table\n  next: "), "{error}");
    let error = bench.error("read 01:00.0 -o gpu.rom --from shadow --root .", 1);
    assert!(error.contains("shadow: the function is not the boot display"), "{error}");
    let error = bench.error("read 02:00.0 -o gpu.rom --root .", 1);
    assert!(
        error.starts_with("error: 0000:02:00.0: this host has no such function\n  next: `lspci -D`"),
        "{error}"
    );
    let json = bench.json("read --json 01:00.0 -o gpu.rom --root .", 1);
    assert_eq!((&json["source"], json["failed"].as_array().unwrap().len()), (&serde_json::Value::Null, 2));
    assert!(!bench.path("gpu.rom").exists());
}

#[test]
fn memory_that_is_no_rom_is_explained() {
    let bench = host(0x1b21, 0x0612, "0x030000\n");
    bench.file("sys/bus/pci/devices/0000:01:00.0/boot_vga", b"1\n");
    for filling in [0xff, 0x00, 0x7f] {
        bench.file("dev/mem", &memory(&[filling; 0x100]));
        let error = bench.error("read 01:00.0 -o gpu.rom --root .", 1);
        assert!(error.contains(&format!("it begins with {filling:02x} {filling:02x}")), "{error}");
        assert!(error.contains("a UEFI boot leaves the shadow unused"), "{error}");
    }
}

#[test]
fn what_is_not_whole_is_not_written_unless_told() {
    let bench = host(0x1b21, 0x0612, "0x030000\n");
    bench.file("sys/bus/pci/devices/0000:01:00.0/boot_vga", b"1\n");
    let cut = &memory(&rom())[..0xc_0100];
    bench.file("dev/mem", cut);
    let error = bench.error("read 01:00.0 -o gpu.rom --root .", 7);
    assert!(error.contains("the image has 200h bytes, and the file only 100h of them"), "{error}");
    assert!(error.contains("error: gpu.rom: what was read is not whole, and was not written"), "{error}");
    assert!(!bench.path("gpu.rom").exists());
    bench.out("read 01:00.0 -o gpu.rom --damaged --root .", 7);
    assert_eq!(bench.read("gpu.rom").len(), 0x100);
}

#[test]
fn a_damaged_checksum_is_written_and_told() {
    let mut bytes = rom();
    bytes[0x100] = 3;
    let bench = host(0x1b21, 0x0612, "0x030000\n");
    bench.file("copy", &memory(&bytes));
    let line = "read 01:00.0 -o gpu.rom --from shadow --memory copy --root .";
    assert!(bench.out(line, 7).contains("defect @0h: the image sums to 03h"));
    assert_eq!(bench.read("gpu.rom"), bytes);
    assert!(bench.error(line, 1).contains("it exists already"));
}

#[test]
fn usage_errors_end_in_2() {
    let bench = Bench::new();
    for line in ["read", "read 01:00.0", "read nonsense -o x", "read 01:00.0 -o x --from flash"] {
        assert!(!bench.error(line, 2).is_empty(), "{line}");
    }
}

/// Starts to read a ROM that goes on for ever; gives both ends of what the program has opened.
fn endless(bench: &Bench, before: &str) -> (Child, File, File) {
    let path = bench.path("sys/bus/pci/devices/0000:01:00.0/rom");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let writer = File::options().read(true).write(true).open(&path).unwrap();
    let reader = File::options().read(true).custom_flags(O_NONBLOCK).open(&path).unwrap();
    let child = Command::new("sh")
        .args(["-c", &format!("{before} exec \"$0\" read 01:00.0 -o x.rom --root .")])
        .arg(env!("CARGO_BIN_EXE_romtools"))
        .current_dir(bench.path(""))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It reads what it wrote itself, and waits for more.
    let folder = format!("/proc/{}", child.id());
    let is_open_for_reading = |number: &str| {
        let is_it = fs::read_link(format!("{folder}/fd/{number}")).is_ok_and(|file| file == path);
        let about = fs::read_to_string(format!("{folder}/fdinfo/{number}")).unwrap_or_default();
        let flags = about.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
        is_it && flags.is_some_and(|flags| flags & O_ACCMODE == 0)
    };
    let end = Instant::now() + PATIENCE;
    while !(3..32).any(|number| is_open_for_reading(&number.to_string())) {
        assert!(Instant::now() < end, "it did not begin");
        thread::sleep(Duration::from_millis(5));
    }
    (child, reader, writer)
}

#[test]
fn a_signal_waits_until_the_rom_is_off_again() {
    for (before, signal, ends) in [("", "TERM", true), ("trap '' HUP;", "HUP", false)] {
        let bench = host(0x1002, 0x1640, "0x030000\n");
        let (mut child, mut reader, writer) = endless(&bench, before);
        let status = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        assert!(status.success());
        thread::sleep(Duration::from_millis(200));
        assert!(child.try_wait().unwrap().is_none(), "{signal} ended it while the ROM was on");
        // The end of the ROM.
        drop(writer);
        let end = Instant::now() + PATIENCE;
        let status = loop {
            assert!(Instant::now() < end, "{before} {signal}: it does not end");
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        let mut switched = String::new();
        reader.read_to_string(&mut switched).unwrap();
        assert_eq!(switched, "0\n", "{before} {signal}");
        assert_eq!(status.signal().is_some(), ends, "{before} {signal}: {status}");
    }
}
