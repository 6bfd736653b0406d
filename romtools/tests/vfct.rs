//! `romtools vfct`, run as a user runs it: on files, and on a host made of files.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn romtools(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_romtools")).arg("vfct").args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> &str {
    str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    str::from_utf8(&output.stderr).unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A PC-AT ROM of one block that is right in every field.
fn rom(device: u16, fill: u8) -> Vec<u8> {
    let mut rom = vec![fill; 512];
    rom[..0x40].fill(0);
    rom[..3].copy_from_slice(&[0x55, 0xaa, 1]);
    rom[0x18] = 0x1c;
    rom[0x1c..0x34].copy_from_slice(b"PCIR\x02\x10\0\0\0\0\x18\0\0\0\0\x03\x01\0\x20\x04\0\x80\0\0");
    rom[0x22..0x24].copy_from_slice(&device.to_le_bytes());
    rom[511] = 0;
    rom[511] = 0u8.wrapping_sub(romtools::checksum::sum(&rom));
    rom
}

/// A table in AMD's form, with these images for 1002:device on these buses.
fn table(records: &[(u8, u16, Vec<u8>)]) -> Vec<u8> {
    let mut table = b"VFCT\0\0\0\0\x01\0OEMID OEMTABLE\x01\0\0\0AMD \x02\0\0\0".to_vec();
    table.extend([
        0x32, 0x9b, 0xa3, 0x5d, 0xbd, 0xc6, 0xcf, 0x49, 0x95, 0xa6, 0xe8, 0xe4, 0x2e, 0xcd, 0x79, 0xa7,
    ]);
    table.push(0x4c);
    table.resize(0x4c, 0);
    for (bus, device, image) in records {
        let at = table.len();
        table.resize(at + 28, 0);
        table[at] = *bus;
        table[at + 0x0c..at + 0x0e].copy_from_slice(&[0x02, 0x10]);
        table[at + 0x0e..at + 0x10].copy_from_slice(&device.to_le_bytes());
        table[at + 0x14] = 1;
        table[at + 0x18..at + 0x1c].copy_from_slice(&(image.len() as u32).to_le_bytes());
        table.extend(image);
    }
    table.resize(table.len() + 28, 0);
    let length = table.len() as u32;
    table[4..8].copy_from_slice(&length.to_le_bytes());
    table[9] = 0u8.wrapping_sub(romtools::checksum::sum(&table));
    table
}

/// A folder with a file in it.
struct Place {
    folder: TempDir,
}

impl Place {
    fn with(file: &str, bytes: impl AsRef<[u8]>) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.add(file, bytes);
        place
    }

    fn add(&self, file: &str, bytes: impl AsRef<[u8]>) {
        let path = self.folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn path(&self, file: &str) -> String {
        self.folder.path().join(file).to_str().unwrap().to_owned()
    }

    fn files(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path().join(folder)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn extract(place: &Place, arguments: &[&str]) -> Output {
    fs::create_dir_all(place.path("out")).unwrap();
    let (dir, file) = (place.path("out"), place.path("table"));
    romtools(&[&["extract", "--dir", &dir], arguments, &[&file]].concat())
}

#[test]
fn a_record_without_an_image_takes_no_name() {
    let place = Place::with("table", table(&[(3, 0x73bf, vec![]), (3, 0x73bf, rom(0x73bf, 1))]));
    let output = extract(&place, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(place.files("out"), ["vfct-0000:03:00.0-1002-73bf.rom"]);
}

#[test]
fn a_function_in_another_domain_gets_the_image_and_a_warning() {
    let place = Place::with("table", table(&[(3, 0x73bf, rom(0x73bf, 1))]));
    let output = extract(&place, &["--for", "0001:03:00.0", "--device", "1002:73bf"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(
        stderr(&output),
        "warning: the table has no domains: this is the image for 0000:03:00.0 (1002:73bf), taken for 0001:03:00.0; \
         compare its ids with the device's\n"
    );
    let output = extract(&place, &["--for", "0000:03:00.0", "--device", "1002:73bf"]);
    assert_eq!(stderr(&output), "");
}

#[test]
fn each_image_goes_to_a_file_of_its_own() {
    // Two cards of a kind, and the first one told twice.
    let images = [rom(0x73bf, 1), rom(0x73bf, 2), rom(0x164e, 3), rom(0x73bf, 4)];
    let [a, b, c, d] = images.clone();
    let place =
        Place::with("table", table(&[(3, 0x73bf, a), (0x2f, 0x73bf, b), (0x30, 0x164e, c), (3, 0x73bf, d)]));
    let output = extract(&place, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let names = [
        "vfct-0000:03:00.0-1002-73bf.rom",
        "vfct-0000:2f:00.0-1002-73bf.rom",
        "vfct-0000:30:00.0-1002-164e.rom",
        "vfct-0000:03:00.0-1002-73bf-2.rom",
    ];
    for (name, image) in names.iter().zip(&images) {
        assert_eq!(&fs::read(place.path("out").clone() + "/" + name).unwrap(), image, "{name}");
    }
    assert_eq!(place.files("out").len(), 4);
    assert!(
        stdout(&output)
            .contains("vfct-0000:30:00.0-1002-164e.rom: 512 bytes, for 0000:30:00.0 (1002:164e)\n")
    );

    // The same again is no harm; other content is not overwritten, unless that is wanted.
    assert_eq!(extract(&place, &[]).status.code(), Some(0));
    fs::write(place.path("out/vfct-0000:30:00.0-1002-164e.rom"), "mine").unwrap();
    let output = extract(&place, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("it exists already\n  next: "), "{}", stderr(&output));
    assert_eq!(fs::read(place.path("out/vfct-0000:30:00.0-1002-164e.rom")).unwrap(), b"mine");
    assert_eq!(extract(&place, &["--force"]).status.code(), Some(0));
    assert_eq!(fs::read(place.path("out/vfct-0000:30:00.0-1002-164e.rom")).unwrap(), images[2]);
}

#[test]
fn json_names_the_files_and_the_functions() {
    let place = Place::with("table", table(&[(0xc5, 0x1900, rom(0x1900, 1))]));
    let document = json(&extract(&place, &["--json"]));
    assert_eq!(document["schema"], 1);
    let image = &document["images"][0];
    assert_eq!(image["path"], place.path("out/vfct-0000:c5:00.0-1002-1900.rom"));
    for (member, value) in [("bus", 0xc5), ("device", 0), ("function", 0), ("length", 512), ("offset", 0x4c)]
    {
        assert_eq!(image[member], value, "{member}");
    }
    assert_eq!((&image["vendor_id"], &image["device_id"]), (&"1002".into(), &"1900".into()));

    let document = json(&romtools(&["info", "--json", &place.path("table")]));
    assert_eq!(document["table"]["oem_id"], "OEMID");
    assert_eq!(document["table"]["uuid_name"], "AMD");
    assert_eq!(document["images"][0]["chains"][0]["images"][0]["device_id"], "1900");
    // An image made for a test has no ATOM BIOS, and that is all that is odd about it.
    assert_eq!(document["findings"].as_array().unwrap().len(), 1);
    assert_eq!(document["findings"][0]["id"], "vfct-not-atom");
}

#[test]
fn only_whole_images_are_written() {
    let bytes = table(&[(1, 0x67df, rom(0x67df, 1)), (2, 0x164e, rom(0x164e, 2))]);
    let place = Place::with("table", &bytes[..bytes.len() - 100]);
    let output = extract(&place, &[]);
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(place.files("out"), ["vfct-0000:01:00.0-1002-67df.rom"]);
    assert!(stderr(&output).contains("-164e.rom: the image is not whole\n  next: "), "{}", stderr(&output));
    assert!(stdout(&output).contains("defect @0h: the table has"), "{}", stdout(&output));

    // What was asked for is there: the other image's defect is not this command's failure.
    let output = extract(&place, &["--for", "01:00.0"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(extract(&place, &["--for", "02:00.0"]).status.code(), Some(7));

    let document = json(&extract(&place, &["--json"]));
    assert_eq!(document["images"][1]["path"], Value::Null);
    assert_eq!(document["images"][1]["error"], "the image is not whole");
    assert_eq!(document["findings"][0]["id"], "vfct-truncated");
}

#[test]
fn what_is_no_option_rom_is_not_written() {
    let mut image = rom(0x1900, 1);
    image[0] = 0;
    let place = Place::with("table", table(&[(5, 0x1900, image)]));
    let output = extract(&place, &[]);
    assert_eq!(output.status.code(), Some(7));
    assert!(place.files("out").is_empty());
    assert!(stderr(&output).contains("it is no option ROM"), "{}", stderr(&output));
    assert_eq!(romtools(&["info", &place.path("table")]).status.code(), Some(7));
}

#[test]
fn the_function_s_image_is_found_as_linux_finds_it() {
    let place = Place::with("table", table(&[(3, 0x73bf, rom(0x73bf, 1)), (0x6a, 0x1900, rom(0x1900, 2))]));
    let output = extract(&place, &["--for", "0000:0b:00.0", "--device", "1002:1900"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(place.files("out"), ["vfct-0000:6a:00.0-1002-1900.rom"]);
    assert!(stdout(&output).contains("the table says 0000:6a:00.0, the function is now 0000:0b:00.0"));

    let output = extract(&place, &["--for", "0b:00.0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(
        "no image for 0000:0b:00.0; there is 0000:03:00.0 (1002:73bf), 0000:6a:00.0 (1002:1900)\n  next: "
    ));
    assert!(stderr(&output).contains("--device"));
    assert_eq!(extract(&place, &["--device", "1002:1900"]).status.code(), Some(2), "ids of what?");
    assert_eq!(extract(&place, &["--for", "here"]).status.code(), Some(2));
}

#[test]
fn a_dump_of_all_tables_is_as_good() {
    let (ssdt, vfct) = (
        {
            let mut other = table(&[]);
            other[..4].copy_from_slice(b"SSDT");
            other
        },
        table(&[(5, 0x1900, rom(0x1900, 1))]),
    );
    let mut text = String::from("VFCT @ 0x00000000CAFE0000\n");
    for (line, bytes) in vfct.chunks(16).enumerate() {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02X} ")).collect();
        text += &format!("    {:04X}: {hex:<48} ................\n", line * 16);
    }
    for file in [text.into_bytes(), [ssdt.clone(), vfct.clone(), ssdt].concat()] {
        let place = Place::with("table", file);
        assert_eq!(extract(&place, &[]).status.code(), Some(0));
        assert_eq!(fs::read(place.path("out/vfct-0000:05:00.0-1002-1900.rom")).unwrap(), rom(0x1900, 1));
    }
}

/// A host whose firmware made a table, and with its GPU on another bus than in there.
fn host() -> Place {
    let place = Place::with("sys/firmware/acpi/tables/VFCT", table(&[(0x6a, 0x1900, rom(0x1900, 1))]));
    place.add("sys/bus/pci/devices/0000:0b:00.0/vendor", "0x1002\n");
    place.add("sys/bus/pci/devices/0000:0b:00.0/device", "0x1900\n");
    place
}

#[test]
fn without_a_file_it_is_this_host_s_table_and_its_functions() {
    let place = host();
    let root = place.path("");
    let output = romtools(&["info", "--root", &root]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("for 0000:6a:00.0, vendor: 1002, device: 1900"));
    let output = romtools(&["extract", "--root", &root, "--dir", &root, "--for", "0b:00.0"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(Path::new(&place.path("vfct-0000:6a:00.0-1002-1900.rom")).exists());
    // In a file from elsewhere, this host's function does not count.
    let file = place.path("sys/firmware/acpi/tables/VFCT");
    let output = romtools(&["extract", "--root", &root, "--dir", &root, "--for", "0b:00.0", &file]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn why_a_host_has_no_table_is_said() {
    let says = |place: &Place, what: &str| {
        let output = romtools(&["info", "--root", &place.path("")]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(what), "{}", stderr(&output));
        assert!(stderr(&output).contains("\n  next: "));
        let document = json(&romtools(&["info", "--json", "--root", &place.path("")]));
        assert!(document["error"].as_str().unwrap().contains(what));
    };
    let place = Place::with("sys/firmware/readme", "");
    says(&place, "it shows no ACPI tables at all");
    place.add("sys/firmware/acpi/tables/FACP", "");
    place.add("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu sse2\n");
    says(&place, "it has no AMD display controller");
    place.add("sys/bus/pci/devices/0000:00:02.0/vendor", "0x1002\n");
    place.add("sys/bus/pci/devices/0000:00:02.0/class", "0x030000\n");
    says(&place, "it was not booted by UEFI");
    fs::create_dir_all(place.path("sys/firmware/efi")).unwrap();
    says(&place, "its firmware made none");
    place.add("proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu hypervisor sse2\n");
    says(&place, "it is a virtual machine");
}

#[test]
fn the_wrong_kind_of_file_is_told_from_the_right_one() {
    let place = Place::with("rom", rom(0x1900, 1));
    place.add("vfct", table(&[]));
    let output = romtools(&["info", &place.path("rom")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("this is an option ROM itself: `romtools info`"), "{}", stderr(&output));
    let output =
        Command::new(env!("CARGO_BIN_EXE_romtools")).args(["info", &place.path("vfct")]).output().unwrap();
    assert!(
        stderr(&output).contains("this is an ACPI VFCT table: `romtools vfct info`"),
        "{}",
        stderr(&output)
    );
    let output = romtools(&["info", &place.path("nowhere")]);
    assert!(stderr(&output).contains("No such file"), "{}", stderr(&output));
}
