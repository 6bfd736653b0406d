//! Recordings come from strangers.

// Helpers of tests are no tests to clippy, so its exception for them does not reach them.
#![allow(clippy::unwrap_used)]

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use vfio_reset::machine::captured::Captured;
use vfio_reset::machine::{Attribute, ResetMethods};
use vfio_reset::{Error, Machine};

const DUMP: &str = "03:00.0 SATA controller [0106]: ASMedia [1b21:0612]\n\
    \tKernel driver in use: vfio-pci\n\tIOMMU group: 21\n\
    00: 21 1b 12 06 06 00 10 00 02 01 06 01 08 00 00 00\n\
    10: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n\
    20: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n\
    30: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n\n";
const MANIFEST: &str =
    r#"{"schema": 1, "tool": "x", "machine": "live", "kind": "live", "time": 1, "new": 2}"#;
const FUNCTIONS: &str = r#"{"schema": 1, "functions": {"0000:03:00.0": {"facts": {"driver": "ahci"}}}}"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        // Past the crate's own check of names.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append(&header, *content).unwrap();
    }
    archive.into_inner().unwrap()
}

fn open(bytes: &[u8]) -> Result<Captured, Error> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    Captured::open(file.path())
}

#[test]
fn a_dump_alone_has_configuration_and_what_its_text_says() {
    for bytes in [DUMP.as_bytes().to_vec(), gzip(DUMP.as_bytes())] {
        let machine = open(&bytes).unwrap();
        let [sata] = machine.functions().unwrap().try_into().unwrap();
        let facts = machine.facts(sata).unwrap();
        assert_eq!((facts.driver.as_deref(), facts.iommu_group), (Some("vfio-pci"), Some(21)));
        assert_eq!((facts.parent, facts.reset_methods), (None, ResetMethods::Unknown));
        assert_eq!(machine.config(sata).unwrap()[..4], [0x21, 0x1b, 0x12, 0x06]);
        let mut word = [0; 2];
        machine.read_config(sata, 2, &mut word).unwrap();
        assert_eq!(word, [0x12, 0x06]);
        let error = machine.read_config(sata, 63, &mut word).unwrap_err();
        assert!(matches!(error, Error::ConfigOutOfReach { size: 64, .. }), "{error}");
        assert!(machine.manifest().is_none());
    }
}

#[test]
fn a_recording_cannot_be_changed() {
    let machine = open(DUMP.as_bytes()).unwrap();
    let sata = "03:00.0".parse().unwrap();
    for error in [
        machine.write_config(sata, 4, &[0, 0]).unwrap_err(),
        machine.set_attribute(sata, Attribute::ResetMethod, "flr").unwrap_err(),
        machine.kernel_reset(sata, Duration::ZERO).unwrap_err(),
    ] {
        assert!(matches!(error, Error::ReadOnly { .. }), "{error}");
    }
    let error = machine.kernel_reset("04:00.0".parse().unwrap(), Duration::ZERO).unwrap_err();
    assert!(matches!(error, Error::NoSuchFunction { .. }), "{error}");
}

#[test]
fn its_clock_runs_when_somebody_waits() {
    let machine = open(DUMP.as_bytes()).unwrap();
    let before = machine.clock().now();
    machine.clock().sleep(Duration::from_secs(60));
    assert_eq!(machine.clock().now() - before, Duration::from_secs(60));
}

#[test]
fn the_longer_one_of_two_counts_and_the_other_is_warned_of() {
    let long = format!("{DUMP}{}40: 01 02\n", DUMP.trim_end().to_owned() + "\n");
    let machine = open(long.as_bytes()).unwrap();
    assert_eq!(machine.config("03:00.0".parse().unwrap()).unwrap().len(), 0x42);
    assert!(machine.warnings()[0].contains("is there twice"), "{:?}", machine.warnings());
}

#[test]
fn an_archive_is_read_wherever_its_paths_lead() {
    let files: [(&str, &[u8]); 5] = [
        ("../../etc/passwd", b"root"),
        ("/tmp/x/manifest.json", MANIFEST.as_bytes()),
        ("../lspci-xxxx.txt", DUMP.as_bytes()),
        ("functions.json", FUNCTIONS.as_bytes()),
        ("c/kernel.log", b"[    1.000000] \xff\n"),
    ];
    for bytes in [archive(&files), gzip(&archive(&files))] {
        let machine = open(&bytes).unwrap();
        let facts = machine.facts("03:00.0".parse().unwrap()).unwrap();
        assert_eq!(facts.driver.as_deref(), Some("ahci"), "functions.json knows better than the text");
        assert_eq!(machine.kernel_log(Default::default()).unwrap()[0].text, "\u{fffd}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let capture = |manifest: &str, functions: &str, dump: &str| {
        let files: [(&str, &[u8]); 3] = [
            ("c/manifest.json", manifest.as_bytes()),
            ("c/functions.json", functions.as_bytes()),
            ("c/lspci-xxxx.txt", dump.as_bytes()),
        ];
        gzip(&archive(&files))
    };
    let whole = capture(MANIFEST, FUNCTIONS, DUMP);
    for (bytes, expected) in [
        (capture("{\n \"schema\": x}", FUNCTIONS, DUMP), "/manifest.json:2:12: expected value"),
        (capture(&MANIFEST.replace("1,", "2,"), FUNCTIONS, DUMP), "schema 2 is not known"),
        (capture(MANIFEST, &FUNCTIONS.replace("0000:03", "zz:03"), DUMP), "/functions.json:1:"),
        (capture(MANIFEST, &FUNCTIONS.replace("driver", "drivel"), DUMP), "unknown field `drivel`"),
        (capture(MANIFEST, FUNCTIONS, "hello"), "/lspci-xxxx.txt:1:1: no function found"),
        (whole[..whole.len() / 2].to_vec(), "broken or cut off"),
        (gzip(&archive(&[("x", b"")])), "no manifest.json in it"),
        (
            archive(&[("manifest.json", MANIFEST.as_bytes()), ("x/manifest.json", b"")]),
            "/manifest.json: is there twice",
        ),
        (b"\x1f\x8bgarbage".to_vec(), "broken or cut off"),
        (b"\x7fELF\x02\x01\x01\0".to_vec(), "this is no text"),
        (Vec::new(), "the dump is empty"),
    ] {
        let error = open(&bytes).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }), "{error}");
        assert!(error.to_string().contains(expected), "{error}\nexpected {expected}");
    }
    let error = Captured::open(Path::new("/nowhere/at/all")).unwrap_err();
    assert!(matches!(error, Error::NoSuchFile { .. }), "{error}");
    let empty = tempfile::tempdir().unwrap();
    assert!(Captured::open(empty.path()).unwrap_err().to_string().contains("no manifest.json"));
    std::os::unix::fs::symlink("/dev/zero", empty.path().join("manifest.json")).unwrap();
    assert!(Captured::open(empty.path()).unwrap_err().to_string().contains("not a plain file"));
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    // A header that claims 200 MiB of zeros for a file that is ours.
    let mut header = tar::Header::new_ustar();
    header.set_path("c/kernel.log").unwrap();
    header.set_size(200 << 20);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(vec![0; 1 << 20]);
    let error = open(&gzip(&bytes)).unwrap_err().to_string();
    assert!(error.contains("/kernel.log: longer than 128 MiB"), "{error}");

    // More files than any capture has.
    let many = vec![("x", &b""[..]); 1100];
    let error = open(&gzip(&archive(&many))).unwrap_err().to_string();
    assert!(error.contains("more than 1024 files"), "{error}");
}

/// A few megabytes of gzip must not become gigabytes: neither by many tiny functions nor by zeros.
#[test]
fn a_small_file_takes_little_memory() {
    let text = "0000:00:00.0\n00: 00\n".repeat(65_537);
    let error = open(&gzip(text.as_bytes())).unwrap_err();
    let Error::Malformed { line, column, ref message, .. } = error else { panic!("{error}") };
    assert_eq!((line, column), (2 * 65_536 + 1, 1));
    assert!(message.contains("more than 65536 functions"), "{message}");

    let kept = open(&gzip(&text.as_bytes()[..20 * 65_536])).unwrap();
    assert_eq!(kept.functions().unwrap().len(), 1);

    let error = open(&gzip(&vec![b'\n'; 64 << 20])).unwrap_err().to_string();
    assert!(error.contains("unpacks to more than 100 times its size"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_are_a_machine_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = open(&bytes);
        let _ = open(&gzip(&bytes));
    }

    #[test]
    fn any_damage_to_an_archive_is_an_error_or_harmless(
        at in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        packed: bool,
    ) {
        let files: [(&str, &[u8]); 3] = [
            ("manifest.json", MANIFEST.as_bytes()),
            ("functions.json", FUNCTIONS.as_bytes()),
            ("lspci-xxxx.txt", DUMP.as_bytes()),
        ];
        let mut bytes = archive(&files);
        if packed {
            bytes = gzip(&bytes);
        }
        for (index, byte) in at {
            let place = index.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(machine) = open(&bytes) {
            for address in machine.functions().unwrap() {
                machine.facts(address).unwrap();
                let _ = machine.config(address);
            }
        }
    }

    #[test]
    fn any_json_is_a_machine_or_an_error(
        manifest in "[{}\\[\\]:,\"0-9a-z]{0,60}",
        functions in prop_oneof![
            "[{}\\[\\]:,\"0-9a-z]{0,80}",
            "\\{\"schema\": ?1, ?\"functions\": ?\\{\"[0-9a-f:.]{1,13}\": ?\\{\"(facts|users)\": ?[{}\\[\\]\"a-z:]{0,30}\\}\\}\\}",
        ],
        whole: bool,
    ) {
        let files: [(&str, &[u8]); 3] = [
            ("manifest.json", if whole { MANIFEST.as_bytes() } else { manifest.as_bytes() }),
            ("functions.json", functions.as_bytes()),
            ("lspci-xxxx.txt", b""),
        ];
        let _ = open(&archive(&files));
    }
}
