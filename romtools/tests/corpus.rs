//! Real ROMs, against tables that other tools made of them.
//!
//! The files are not in the repository. They are looked for in `$VFIO_RESET_SHARED/corpus`, then in
//! `../../shared/corpus` beside the workspace; without them the tests are ignored.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use common::{corpus, from_hex, roms};

use romtools::compression::{self, Variant};
use romtools::{CodeType, Header, Image, Rom, Severity, Signature, Stop, check, checksum, text, vfct};
use sha2::{Digest, Sha256};

type Row = BTreeMap<String, String>;

/// The rows of a table by the file they are about, in its order.
fn table(corpus: &Path, name: &str) -> BTreeMap<String, Vec<Row>> {
    let text = String::from_utf8_lossy(&fs::read(corpus.join("expected").join(name)).unwrap()).into_owned();
    let mut lines = text.lines();
    let head: Vec<_> = lines.next().unwrap().split('\t').collect();
    let mut rows = BTreeMap::<_, Vec<Row>>::new();
    for line in lines {
        let row: Row =
            head.iter().zip(line.split('\t')).map(|(k, v)| (k.to_string(), v.to_string())).collect();
        rows.entry(row["file"].clone()).or_default().push(row);
    }
    rows
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An image in the words of `images.tsv`.
fn described(index: usize, image: &Image<'_>, start: usize, stop: Stop) -> Vec<(&'static str, String)> {
    let pcir = image.structure();
    let optional = |value: Option<String>| value.unwrap_or_default();
    let npde = image.npde();
    vec![
        ("start", format!("{start:#x}")),
        ("stop", if stop == Stop::LastImage { "last".into() } else { "eof".into() }),
        ("index", index.to_string()),
        ("offset", format!("{:#x}", image.offset())),
        ("sig", hexadecimal(&image.signature().bytes())),
        ("pds", pcir.signature.as_str().into()),
        ("pds_off", format!("{:#x}", pcir.pointer)),
        ("pds_len", format!("{:#x}", pcir.length)),
        ("rev", pcir.revision.to_string()),
        ("class", pcir.class_code.to_string()),
        ("vid:did", format!("{:04x}:{:04x}", pcir.vendor_id, pcir.device_id)),
        ("image_len", format!("{:#x}", image.length())),
        ("type", format!("{:02x}", pcir.code_type.0)),
        ("indicator", format!("{:02x}", pcir.indicator.0)),
        ("npde_rev", optional(npde.map(|n| n.revision.to_string()))),
        ("npde_len", optional(npde.map(|n| n.length.to_string()))),
        ("npde_sub", optional(npde.map(|n| (usize::from(n.sub_image_length) * 512).to_string()))),
        ("npde_last", optional(npde.and_then(|n| n.last).map(|last| if last { "128" } else { "0" }.into()))),
        ("devlist_ptr", format!("{:#x}", pcir.device_list_pointer)),
        ("bytesum", checksum::sum(image.bytes()).to_string()),
        ("truncated", if image.is_truncated() { "True".into() } else { "False".into() }),
    ]
}

#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn every_image_is_where_and_what_it_should_be() {
    let corpus = corpus();
    let mut expected = table(&corpus, "images.tsv");
    let (mut files, mut images) = (0, 0);
    for (name, bytes) in roms(&corpus) {
        let rom = Rom::parse(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let rows = expected.remove(&name).unwrap_or_default();
        let first = rom.chains().first();
        assert_eq!(first.map_or(0, |c| c.images().len()), rows.len(), "{name}: images");
        assert_eq!(first.is_none(), rom.legacy().is_some(), "{name}: ISA ROM");
        if let Some(chain) = first {
            for (index, (image, row)) in chain.images().iter().zip(&rows).enumerate() {
                for (column, got) in described(index, image, chain.offset(), chain.stop()) {
                    assert_eq!(got, row[column], "{name} image {index}: {column}");
                }
                if let Header::PcAt(header) = image.header() {
                    assert_eq!(
                        header.initialization_size.to_string(),
                        row["hdr_size_byte"],
                        "{name} image {index}"
                    );
                }
                images += 1;
            }
        }
        files += 1;
    }
    assert!(expected.is_empty(), "in the table, not in the corpus: {:?}", expected.keys());
    println!("{images} images of {files} files");
}

#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn every_efi_header_is_read_as_it_is() {
    let corpus = corpus();
    let roms = roms(&corpus);
    for (name, rows) in table(&corpus, "efi-sha256.tsv") {
        let rom = Rom::parse(&roms[&name]).unwrap();
        for row in rows {
            let image = rom.chains()[0].images()[row["image"].parse::<usize>().unwrap()];
            let Header::Efi(efi) = image.header() else { panic!("{name}: {image:?}") };
            let got = [
                ("init_size", (usize::from(efi.initialization_size) * 512).to_string()),
                ("sig", format!("{:x}", efi.signature)),
                ("subsys", format!("{:x}", efi.subsystem.0)),
                ("machine", format!("{:x}", efi.machine.0)),
                ("compr", efi.compression.0.to_string()),
                ("efi_off", format!("{:#x}", efi.image_offset)),
            ];
            for (column, got) in got {
                assert_eq!(got, row[column], "{name} image {}: {column}", row["image"]);
            }
        }
    }
}

/// The digests are those of what edk2's own decompressor makes of these images.
#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn every_compressed_driver_is_decompressed_as_edk2_does_it() {
    let corpus = corpus();
    let roms = roms(&corpus);
    let mut count = 0;
    for (name, rows) in table(&corpus, "efi-sha256.tsv") {
        let rom = Rom::parse(&roms[&name]).unwrap();
        for row in rows.iter().filter(|row| row["compr"] == "1") {
            let image = rom.chains()[0].images()[row["image"].parse::<usize>().unwrap()];
            let Header::Efi(efi) = image.header() else { panic!("{name}: {image:?}") };
            let stream = &image.bytes()[usize::from(efi.image_offset)..];
            let driver = compression::decompress(stream, Variant::Uefi).unwrap();
            assert_eq!(hexadecimal(&Sha256::digest(driver)), row["sha256"], "{name}");
            // A driver's first two bytes are enough to tell the variants apart.
            let other = compression::decompress(stream, Variant::Tiano);
            assert!(other.is_err() || other.is_ok_and(|bytes| !bytes.starts_with(b"MZ")), "{name}");
            count += 1;
        }
    }
    assert!(count > 0);
}

/// Where rom-parser came to an end, its lines and ours tell the same.
#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn rom_parser_s_lines_are_found_again() {
    let corpus = corpus();
    let roms = roms(&corpus);
    for (name, rows) in table(&corpus, "rom-parser.tsv") {
        let row = &rows[0];
        if row["exit"] != "0" {
            continue;
        }
        let rom = Rom::parse(&roms[&name]).unwrap();
        // rom-parser ends with the first image that PCIR calls the last.
        let mut last = false;
        let images = rom.chains()[0].images().iter().take_while(|image| {
            let goes_on = !last;
            last = image.structure().indicator.is_last();
            goes_on && image.signature() == Signature::OptionRom
        });
        assert_eq!(images.count().to_string(), row["images"], "{name}");
        let lines = text::info(&rom).to_string();
        assert!(lines.contains("Valid ROM signature found @"), "{name}");
        assert_eq!(lines.contains("\tLast image"), row["last"] == "True", "{name}");
    }
}

/// All of these ROMs work, or did for their owners: a defect here is a rule that is too strict.
#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn check_finds_no_defect_in_good_roms() {
    let corpus = corpus();
    for (name, bytes) in roms(&corpus) {
        let rom = Rom::parse(&bytes).unwrap();
        for finding in check::findings(&rom) {
            assert!(finding.severity() < Severity::Defect, "{name}: {finding}");
        }
    }
}

/// Cut anywhere, a real ROM still gives what is there.
#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn a_cut_rom_is_parsed_as_far_as_it_goes() {
    let corpus = corpus();
    for (name, bytes) in roms(&corpus).into_iter().filter(|(_, bytes)| bytes.len() <= 1 << 16) {
        for length in (0..bytes.len()).step_by(509).chain(0..64) {
            let cut = &bytes[..length];
            let Ok(rom) = Rom::parse(cut) else { continue };
            for image in rom.images() {
                assert!(image.offset() + image.bytes().len() <= length, "{name} cut at {length}");
            }
            assert!(!text::info(&rom).to_string().is_empty());
            assert!(check::findings(&rom).iter().all(|f| f.offset() <= length), "{name} cut at {length}");
        }
    }
}

/// The tables of real firmware, against what a script read out of them.
#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn every_vfct_table_gives_its_images_and_no_findings() {
    let corpus = corpus();
    let expected = table(&corpus, "vfct-images.tsv");
    for (name, rows) in &expected {
        let bytes = fs::read(corpus.join("vfct").join(name)).unwrap();
        let vfct = vfct::Table::parse(&bytes).unwrap();
        let records: Vec<_> = vfct.records().collect();
        assert_eq!(records.len(), rows.len(), "{name}");
        for (record, row) in records.iter().zip(rows) {
            let vfct::Location { pci_bus, pci_device, pci_function } = record.location;
            let got = [
                ("record_off", format!("{:#x}", record.offset)),
                ("bus", format!("{pci_bus:x}")),
                ("dev", format!("{pci_device:x}")),
                ("fn", format!("{pci_function:x}")),
                ("vid", format!("{:04x}", record.vendor_id)),
                ("did", format!("{:04x}", record.device_id)),
                ("len", record.image().len().to_string()),
            ];
            for (column, got) in got {
                assert_eq!(got, row[column], "{name}: {column}");
            }
            let rom = Rom::parse(record.image()).unwrap();
            let pcir = rom.images().next().unwrap().structure();
            assert_eq!(format!("{:04x}", pcir.device_id), row["pcir_did"], "{name}");
        }
        assert_eq!(vfct::findings(&vfct), [], "{name}");
    }
    assert!(!expected.is_empty());
}

/// Cut anywhere, a table still gives its whole images, and says that it is cut.
#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn a_cut_vfct_table_is_parsed_as_far_as_it_goes() {
    let corpus = corpus();
    let whole = fs::read(corpus.join("vfct/vfct_ObiXah.aml")).unwrap();
    let records: Vec<_> = vfct::Table::parse(&whole).unwrap().records().collect();
    for length in (0..whole.len()).step_by(61) {
        let Ok(cut) = vfct::Table::parse(&whole[..length]) else {
            assert!(length < vfct::LENGTH);
            continue;
        };
        let there = records.iter().filter(|record| record.end() <= length).count();
        assert_eq!(cut.records().filter(|record| !record.is_truncated()).count(), there, "{length}");
        let worst = vfct::findings(&cut).iter().map(check::Finding::severity).max();
        assert_eq!(worst, Some(Severity::Defect), "{length}");
        assert!(!vfct::text::info(&cut).to_string().is_empty());
    }
}

/// The ATOM BIOS of each ROM that has one, against what a script read out of them.
#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn every_atom_bios_is_read_as_it_is() {
    let corpus = corpus();
    let roms = roms(&corpus);
    // The table's rows go on in further lines: the texts in them hold line ends.
    let rows = table(&corpus, "atom.tsv");
    let mut compared = 0;
    for (name, bytes) in &roms {
        let rom = Rom::parse(bytes).unwrap();
        let atom = rom.images().next().and_then(Image::atom);
        let row = rows.get(name).map(|rows| &rows[0]);
        let Some(atom) = atom else {
            // The script took what is at the pointer for a header; sizes and revisions show that it is none.
            assert!(row.is_none_or(|row| !matches!(&*row["hdr_size"], "36" | "40" | "44")), "{name}");
            continue;
        };
        let row = row.unwrap_or_else(|| panic!("{name} is not in the table"));
        let header = atom.header();
        assert_eq!(format!("{:#x}", header.offset), row["atom_off"], "{name}");
        assert_eq!(header.structure_size.to_string(), row["hdr_size"], "{name}");
        assert_eq!(
            format!("{}.{}", header.format_revision, header.content_revision),
            row["fmt.rev"],
            "{name}"
        );
        let date = atom.build_date().unwrap().to_string();
        let (month, day, year) = (&date[5..7], &date[8..10], &date[2..4]);
        let got = format!("{month}/{day}/{year}{}{}", &row["date"][8..9], &date[11..]);
        assert_eq!(got, row["date"].split('\0').next().unwrap(), "{name}");
        let strings: Vec<_> = atom.strings().map(|text| str::from_utf8(text).unwrap()).collect();
        assert_eq!(format!("{}|", strings.join("|")), row["strings"], "{name}");
        let version = str::from_utf8(atom.version().unwrap()).unwrap();
        assert!(version.len() == 22 && version.bytes().all(|b| b == b'.' || b.is_ascii_digit()), "{name}");
        // Two places for the same number: the text and the table.
        let numbers: Vec<u32> = version.split('.').take(4).map(|part| part.parse().unwrap()).collect();
        let revision = atom.firmware_info().unwrap().firmware_revision;
        let from_table: Vec<u32> = revision.to_be_bytes().into_iter().map(u32::from).collect();
        assert_eq!(numbers[..2], from_table[..2], "{name}: {version} and {revision:08x}");
        assert!(atom.data_tables().tables().all(|table| table.header.is_some()), "{name}");
        assert!(atom.command_tables().tables().all(|table| table.header.is_some()), "{name}");
        compared += 1;
    }
    assert!(compared > 0);
    println!("{compared} of {} files", roms.len());
}

/// The heads of two ROMs that their owners posted, decoded to what they reported.
#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn what_owners_posted_is_what_they_reported() {
    let evidence = corpus().join("../evidence");
    let phoenix =
        from_hex(&fs::read_to_string(evidence.join("um880pro/phoenix-vbios-head.xxd.txt")).unwrap());
    let rom = Rom::parse(&phoenix).unwrap();
    let image = rom.images().next().unwrap();
    assert_eq!((image.length(), image.structure().pointer, image.is_last()), (0x4200, 0x1c0, true));
    assert!(image.structure().is_for(0x1002, 0x1900));
    let atom = image.atom().unwrap();
    assert_eq!(atom.part_number(), Some(&b"113-PHXGENERIC-001"[..]));
    assert_eq!(atom.version(), Some(&b"022.012.000.027.000001"[..]));
    assert_eq!(atom.header().offset, 0x194);

    let dump = fs::read_to_string(evidence.join("f4-424-pro/asm1061-rom-first-512.hexdump.txt")).unwrap();
    let asm1061 = from_hex(&dump);
    assert_eq!(asm1061.len(), 512);
    let rom = Rom::parse(&asm1061).unwrap();
    let image = rom.images().next().unwrap();
    let pcir = image.structure();
    assert_eq!(pcir.vendor_rom_revision, 0x0420, "ROM 4.20");
    assert_eq!((rom.images().count(), pcir.code_type, image.is_last()), (1, CodeType::X86_PC_AT, true));
    assert_eq!(pcir.device_list().collect::<Vec<_>>(), [0x611, 0x612, 0x601, 0x602, 0x614, 0x615]);
    let posted = fs::read_to_string(evidence.join("f4-424-pro/asm1061.rom-parser.txt")).unwrap();
    let lines = text::info(&rom).to_string();
    for line in posted.lines() {
        assert!(lines.contains(line), "{line} in {lines}");
    }
}

/// NVIDIA's ROMs say the same in their own words: the container about the ROM, the table about the text.
#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn nvidia_s_containers_and_tables_agree_with_the_rom() {
    let (mut containers, mut versions) = (0, 0);
    for (name, bytes) in roms(&corpus()) {
        let rom = Rom::parse(&bytes).unwrap();
        for data in rom.data() {
            let Some(ifr) = data.ifr() else { continue };
            let says = data.offset + ifr.image_offset(data.bytes).unwrap();
            assert!(rom.chains().iter().any(|chain| chain.offset() == says), "{name}: {says:x}");
            containers += 1;
        }
        for bit in rom.images().filter_map(Image::bit) {
            let (table, text) = (bit.version().unwrap(), bit.version_text().unwrap());
            // Two of them were edited by their owners.
            let edited = name.contains("turbo") || name.contains("bfalk8");
            assert_eq!(table != text, edited, "{name}: {table} and {text}");
            let date = bit.build_date().unwrap();
            assert_eq!((date[2], date[5]), (b'/', b'/'), "{name}");
            versions += 1;
        }
    }
    assert!(containers >= 4 && versions >= 12, "{containers} {versions}");
}

/// A ROM has an EFI driver for a guest if and only if the table of EFI images has a driver of its first chain.
#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn what_a_uefi_guest_can_start_is_known() {
    let corpus = corpus();
    let efi = table(&corpus, "efi-sha256.tsv");
    for (name, bytes) in roms(&corpus) {
        let guests = check::guests(&Rom::parse(&bytes).unwrap());
        let driver = efi.get(&name).is_some_and(|rows| rows.iter().any(|row| row["machine"] == "8664"));
        assert_eq!(matches!(guests.uefi, check::Answer::Yes(_)), driver, "{name}: {guests}");
    }
}
