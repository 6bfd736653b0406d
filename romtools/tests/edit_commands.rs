//! The commands that make files: what they write, what they refuse, and what a script reads.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::bench::{Bench, rom};
use common::driver::driver;
use romtools::{Rom, check};

fn is_good(bytes: &[u8]) -> bool {
    check::findings(&Rom::parse(bytes).unwrap()).is_empty()
}

#[test]
fn a_container_is_cut_off_and_the_dump_stays() {
    let dump = [&b"NVGI"[..], &[0; 508], &rom(), b"-----BEGIN CERTIFICATE-----"].concat();
    let bench = Bench::new();
    bench.file("dump", &dump);
    assert_eq!(
        bench.out("cut dump -o gpu.rom", 0),
        "cut off 0h..200h: NVIDIA flash container (NVGI)\n\
         cut off 400h..41bh: data in no image (certificates, settings, other firmware)\n\
         kept 200h..400h: 1 image(s), 512 bytes, in gpu.rom\n"
    );
    assert_eq!((bench.read("gpu.rom"), bench.read("dump")), (rom(), dump));
    let json = bench.json("cut dump -o gpu.rom --force --json", 0);
    assert_eq!(
        (&json["offset"], &json["length"], &json["terminated"]),
        (&512.into(), &512.into(), &true.into())
    );
    assert_eq!(json["removed"][0]["what"], "container");
    assert_eq!(bench.names(), ["dump", "gpu.rom"]);
}

#[test]
fn what_is_not_whole_leaves_no_file() {
    let bench = Bench::new();
    bench.file("half", &rom()[..300]);
    let error = bench.error("cut half -o gpu.rom", 1);
    assert!(
        error.starts_with("error: half: the image at 0h has 200h bytes, and the file only 12ch"),
        "{error}"
    );
    assert!(error.contains("\n  next: "));
    assert_eq!(bench.names(), ["half"]);
}

#[test]
fn nothing_is_overwritten_unless_told_and_never_the_input() {
    let bench = Bench::new();
    bench.file("a", &rom()).file("b", b"precious").file("d", &driver());
    for line in [
        "cut a -o b",
        "fix a -o b --vendor 1",
        "build --vendor 1 --device 2 --efi d -o b",
        "cut a -o a",
        "fix a -o ./a --vendor 1 --force",
        "build --image a -o a --force",
    ] {
        let error = bench.error(line, 1);
        assert!(error.contains("it exists already") || error.contains("the file that is read"), "{error}");
    }
    assert_eq!((bench.read("a"), bench.read("b")), (rom(), b"precious".to_vec()));
    bench.out("cut a -o b --force", 0);
    assert_eq!(bench.read("b"), rom());
}

#[test]
fn each_change_is_told_with_its_place_and_reason() {
    let bench = Bench::new();
    bench.file("a", &rom());
    assert_eq!(
        bench.out("fix a -o b --vendor 0x1002 --device 1640 --class 030000", 0),
        "20h: Vendor ID 21 1b -> 02 10 (asked for)\n\
         22h: Device ID 12 06 -> 40 16 (asked for)\n\
         29h: Class Code 00 04 01 -> 00 00 03 (asked for)\n\
         1ffh: Checksum a0 -> 8e (the image's other bytes changed)\n\
         4 change(s), in b\n"
    );
    assert!(is_good(&bench.read("b")));
    assert_eq!(bench.read("a"), rom());
    let json = bench.json("fix --json a -o c --vendor 1002", 0);
    let change = &json["changes"][0];
    assert_eq!((&change["offset"], &change["field"]), (&0x20.into(), &"Vendor ID".into()));
    assert_eq!(
        (&change["old"], &change["new"], &change["why"]),
        (&"211b".into(), &"0210".into(), &"asked for".into())
    );
    assert_eq!(bench.out("fix a -o d --checksum", 0), "nothing had to be changed; d is a copy\n");
}

#[test]
fn damage_is_still_told_after_a_fix_of_something_else() {
    let bench = Bench::new();
    let mut bytes = rom();
    bytes[0x100] = 3;
    bench.file("a", &bytes);
    let text = bench.out("fix a -o b --vendor 1002", 0);
    assert!(text.contains("defect @0h: the image sums to "), "{text}");
    let text = bench.out("fix a -o c --checksum", 0);
    assert!(text.contains("(the image summed to 03h instead of 00h)"), "{text}");
    assert!(is_good(&bench.read("c")));
}

#[test]
fn a_rom_is_built_in_the_order_of_the_command_line() {
    let bench = Bench::new();
    bench.file("d", &driver()).file("old", &rom());
    let text = bench.out("build --vendor 1234 --efi d --device 1111,0x2222 --legacy old --efi d -o new", 0);
    assert!(text.starts_with("ids, read as hexadecimal: vendor 1234h, device 1111h 2222h\n"), "{text}");
    let bytes = bench.read("new");
    assert!(is_good(&bytes));
    let rom = Rom::parse(&bytes).unwrap();
    let types: Vec<_> = rom.images().map(|image| image.code_type().0).collect();
    assert_eq!(types, [3, 0, 3]);
    assert!(rom.images().all(|image| image.structure().is_for(0x1234, 0x2222)));
    let json = bench.json("build --json --image old --image new -o both", 0);
    assert_eq!(json["images"].as_array().unwrap().len(), 4);
    assert_eq!((&json["images"][0]["vendor_id"], &json["images"][3]["last"]), (&"1b21".into(), &true.into()));
}

#[test]
fn what_ovmf_would_not_read_is_padded_and_told() {
    let bench = Bench::new();
    bench.file("d", &driver());
    let said = "bytes of padding (ff) behind it: OVMF reads no ROM of 2 KiB or less\n";
    let text = bench.out("build --vendor 1 --device 2 --efi d -o a", 0);
    assert!(text.contains(said), "{text}");
    let built = bench.read("a");
    assert_eq!(built.len(), 0x1000);
    assert!(bench.out("check a", 0).contains("UEFI guest: yes, EFI driver for X64 (image 1 of 1, @0h)\n"));

    let rom = Rom::parse(&built).unwrap();
    let length = rom.images().map(romtools::Image::length).sum::<usize>();
    bench.file("small", &built[..length]);
    let text = bench.out("check small", 0);
    assert!(
        text.contains("warning @0h: the file has only ") && text.contains("once the file is padded"),
        "{text}"
    );
    assert_eq!(bench.json("check small --json", 0)["findings"][0]["id"], "small-file");
    assert!(bench.out("cut small -o b", 0).ends_with(said));
    assert_eq!(bench.read("b"), built);
    let json = bench.json("cut b -o c --json", 0);
    assert_eq!((&json["length"], &json["padding"]), (&length.into(), &(0x1000 - length).into()));
    assert_eq!(bench.read("c"), built);
}

#[test]
fn a_fix_of_nothing_is_a_failure() {
    let bench = Bench::new();
    bench.file("half", &rom()[..300]).file("d", &driver());
    bench.out("build --vendor 1 --device 2 --efi d -o efi", 0);
    for (line, says) in [
        ("fix half -o x --vendor 1", "the file only 12ch of them\n  next: dump the ROM again, or change"),
        ("fix half -o x --checksum --damaged", "or leave --checksum out"),
        ("fix efi -o x --checksum", "the checksum cannot be set: none of the images"),
    ] {
        let error = bench.error(line, 1);
        assert!(error.contains(says), "{error}");
        assert!(!bench.path("x").exists());
    }
    bench.out("fix half -o x --vendor 1 --damaged", 0);
    assert_eq!(bench.read("x").len(), 300);
}

#[test]
fn decimal_looking_ids_are_hexadecimal_and_a_known_mistake_is_told() {
    let bench = Bench::new();
    bench.file("d", &driver());
    bench.out("build --vendor 1002 --device 1640 --efi d -o a", 0);
    assert!(Rom::parse(&bench.read("a")).unwrap().images().all(|i| i.structure().is_for(0x1002, 0x1640)));
    let error = bench.error("build --vendor 4098 --device 1640 --efi d -o b", 0);
    assert_eq!(error, "warning: vendor 4098h was read; 4098 in decimal is AMD, 1002h\n");
    let error = bench.error("build --vendor 32902 --device 1 --efi d -o c", 2);
    assert!(error.contains("ids are read as hexadecimal"), "{error}");
}

#[test]
fn what_cannot_be_built_is_named() {
    let bench = Bench::new();
    bench.file("d", &driver()).file("text", b"no driver");
    for (line, says) in [
        ("build --vendor 1 --device 2 --efi d --efi text -o x", "error: text: part 2 is no PE file"),
        ("build --vendor 1 --device 2 --efi gone -o x", "error: gone: No such file"),
    ] {
        let error = bench.error(line, 1);
        assert!(error.starts_with(says) && error.contains("\n  next: "), "{error}");
        assert!(!bench.path("x").exists());
    }
}

#[test]
fn equal_files_end_in_0_and_different_ones_in_7() {
    let bench = Bench::new();
    let mut other = rom();
    (other[0x22], other[0x100]) = (0x11, 7);
    bench.file("a", &rom()).file("b", &other).file("c", &[rom(), vec![0xff; 512]].concat());
    let same = bench.out("compare a a", 0);
    assert_eq!(same, "image 0 @0h, type 0 (x86 PC-AT): the same\nthe files are the same\n");
    assert_eq!(
        bench.out("compare a b", 7),
        "image 0 @0h, type 0 (x86 PC-AT): different\n\
         \tDevice ID: 0612 -> 0611\n\
         \tChecksum: good -> wrong (sum 06h)\n\
         \tbytes 100h..101h: 1h of 1h differ\n\
         the ROMs are different\n"
    );
    let padded = bench.out("compare a c", 7);
    assert!(padded.ends_with(
        "around the images: nothing -> padding (ff) @200h, length 200h\n\
         the images are the same, what is around them is not\n"
    ));
    let json = bench.json("compare --json a b", 7);
    assert_eq!((&json["same"], &json["images"][0]["ranges"][0]["first"]), (&false.into(), &0x100.into()));
    assert!(bench.error("compare a gone", 1).contains("gone"));
}

#[test]
fn usage_errors_end_in_2() {
    let bench = Bench::new();
    bench.file("a", &rom());
    for line in [
        "fix a -o b",
        "fix a --vendor 1",
        "fix a -o b --vendor zz",
        "fix a -o b --class 0300",
        "cut a",
        "compare a",
        "build --vendor 1 --device 2 --efi a",
        "build --vendor 1 --device 2 --pcir-revision 2 --efi a -o b",
    ] {
        assert!(!bench.error(line, 2).is_empty(), "{line}");
    }
    for (line, says) in [
        ("build -o b", "error: there is nothing to build from"),
        ("build --efi a -o b", "error: --vendor and --device are needed"),
        ("build --device 1 --legacy a -o b", "error: --vendor and --device are needed"),
        ("build --vendor 1 --device 2,3 --pcir-revision 0 --efi a -o b", "error: 2 device ids need a list"),
        ("build --vendor 1 --device 2,0 --efi a -o b", "error: device 0000 ends a device list"),
        ("fix a -o b --device 10,20,0", "error: device 0000 ends a device list"),
        (
            "build --vendor 1 --class 030000 --image a -o b",
            "error: --vendor and --class cannot be used with --image",
        ),
        (
            "build --pcir-revision 3 --image a -o b",
            "error: --pcir-revision cannot be used with --image alone",
        ),
    ] {
        let error = bench.error(line, 2);
        assert!(error.starts_with(says) && error.contains("\n\nUsage: romtools "), "{error}");
    }
    assert!(!bench.path("b").exists());
}

#[test]
fn what_is_written_into_an_isa_rom_is_told() {
    let bench = Bench::new();
    let mut isa = vec![0x90; 0x200];
    isa[..0x1c].fill(0);
    isa[..6].copy_from_slice(&[0x55, 0xaa, 1, 0xe9, 0x20, 0]);
    bench.file("isa", &isa).file("pci", &rom());
    let said = "isa: a ROM from before PCI; its bytes at 18h and 19h, which were 0, lead to the new PCI Data Structure now";
    let text = bench.out("build --vendor 1 --device 2 --legacy pci --legacy isa -o a", 0);
    assert_eq!(text.matches(said).count(), 1, "{text}");
    let json = bench.json("build --vendor 1 --device 2 --legacy isa -o b --json", 0);
    assert_eq!(json["notes"], serde_json::json!([said]));
}

#[test]
fn a_folder_is_no_file_and_each_command_says_what_to_give() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("d")).unwrap();
    for (line, says) in [
        ("info d", "next: give the ROM file itself"),
        ("scan d", "next: give one file of it at a time"),
        ("vfct info d", "next: give the file with the table"),
    ] {
        let error = bench.error(line, 1);
        assert!(error.contains(says), "{error}");
    }
}
