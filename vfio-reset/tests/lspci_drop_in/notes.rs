//! What is wrong with a function is printed as lspci prints it, and told beside it with its offset.

use super::{endpoint, of_dump, put, rows};

fn function(bytes: &[u8]) -> String {
    format!("01:00.0 x\n{}\n", rows(bytes))
}

/// Both of a function's texts with `-vv`.
fn printed(bytes: &[u8]) -> (String, String) {
    of_dump(function(bytes).as_bytes(), &["-vvn"])
}

#[test]
fn each_defect_is_printed_as_lspci_prints_it_and_told_with_its_offset() {
    let mut looped = endpoint(256);
    looped[0x34] = 0x40;
    put(&mut looped, 0x40, &[0x01, 0x50, 0x03, 0x00]);
    put(&mut looped, 0x50, &[0x05, 0x40, 0x00, 0x00]);
    let mut broken = endpoint(256);
    broken[0x34] = 0x40;
    put(&mut broken, 0x40, &[0xff; 4]);
    let mut cut = endpoint(256);
    cut[0x34] = 0xf8;
    put(&mut cut, 0xf8, &[0x10, 0x00, 0x02, 0x00]);
    let mut extended = endpoint(4096);
    extended[0x34] = 0x40;
    put(&mut extended, 0x40, &[0x10, 0x00, 0x02, 0x00]);
    put(&mut extended, 0x100, &[0x03, 0x00, 0x01, 0x14]);
    put(&mut extended, 0x140, &[0x03, 0x00, 0x01, 0x10]);
    let mut not_ready = endpoint(64);
    put(&mut not_ready, 0, &[0x01, 0x00, 0xff, 0xff]);
    let mut unknown = endpoint(64);
    unknown[0x0e] = 0x05;
    for (bytes, line, note) in [
        (
            &looped,
            "\tCapabilities: [40] <chain looped>\n",
            "the capability list loops: the pointer at 0x051 leads back to 0x040",
        ),
        (&broken, "\tCapabilities: [40] <chain broken>\n", "the header at 0x040 reads all-ones"),
        (
            &cut,
            "\tCapabilities: [f8] Express (v2) Endpoint, IntMsgNum 0\n",
            "the end of the space cuts PCI Express off: ",
        ),
        (&extended, "\tCapabilities: [100 v1] <chain looped>\n", "the pointer at 0x142 leads back to 0x100"),
        (
            &not_ready,
            "01:00.0 0108: 0001:ffff (rev 02)",
            "the vendor at 0x000 reads 0001, Request Retry Status",
        ),
        (&unknown, "\t!!! Unknown header type 05\n", "the header type at 0x00e reads 05"),
        (&vec![0xff; 256], "\t!!! Unknown header type 7f\n", "the header at 0x000 reads all-ones"),
    ] {
        let (text, notes) = printed(bytes);
        assert!(text.contains(line), "{line}: {text}");
        assert_eq!(notes.lines().count(), 1, "one note: {notes}");
        assert!(notes.starts_with("note: 0000:01:00.0: ") && notes.contains(note), "{note}: {notes}");
    }
}

#[test]
fn a_sound_function_has_no_note() {
    let mut sound = endpoint(256);
    sound[0x34] = 0x40;
    put(&mut sound, 0x40, &[0x01, 0x00, 0x03, 0x00]);
    assert_eq!(printed(&sound).1, "");
}

#[test]
fn what_every_user_meets_who_is_not_root_is_said_once() {
    let mut bytes = endpoint(64);
    bytes[0x34] = 0x40;
    let dump: String = (0..8).map(|device| format!("00:{device:02x}.0 x\n{}\n", rows(&bytes))).collect();
    let (text, notes) = of_dump(dump.as_bytes(), &["-vn"]);
    assert_eq!(text.matches("\tCapabilities: <access denied>\n").count(), 8);
    assert_eq!(notes.lines().count(), 1, "{notes}");
    assert!(
        notes.starts_with("note: 0000:00:00.0 and 7 more: the capabilities from 0x040 on are not there"),
        "{notes}"
    );
}

#[test]
fn the_same_defect_is_told_once_and_too_many_are_counted() {
    let gone: String =
        (0..32).map(|device| format!("00:{device:02x}.0 x\n{}\n", rows(&[0xff; 64]))).collect();
    let (_, notes) = of_dump(gone.as_bytes(), &["-vn"]);
    assert_eq!(notes.lines().count(), 1, "{notes}");
    assert!(
        notes.starts_with("note: 0000:00:00.0 and 31 more: the header at 0x000 reads all-ones"),
        "{notes}"
    );

    let mut different = String::new();
    for device in 0..32u8 {
        let mut bytes = endpoint(256);
        bytes[0x34] = 0x40 + 4 * device;
        put(&mut bytes, 0x40 + 4 * usize::from(device), &[0xff; 4]);
        different += &format!("00:{device:02x}.0 x\n{}\n", rows(&bytes));
    }
    let (_, notes) = of_dump(different.as_bytes(), &["-vn"]);
    assert_eq!(notes.lines().count(), 21, "{notes}");
    assert!(notes.ends_with("note: 12 more of such; --quiet prints none\n"), "{notes}");
}

#[test]
fn a_plain_list_and_quiet_have_no_notes_and_the_text_stays() {
    let gone = function(&[0xff; 64]);
    assert_eq!(of_dump(gone.as_bytes(), &["-n"]).1, "");
    let (text, notes) = of_dump(gone.as_bytes(), &["-vn", "--quiet"]);
    assert_eq!(notes, "");
    assert_eq!(text, of_dump(gone.as_bytes(), &["-vn"]).0);
    assert!(!text.is_empty());
    // --more has them in the text.
    assert_eq!(of_dump(gone.as_bytes(), &["-vvn", "--more"]).1, "");
    // Warnings are no notes, but as quiet.
    assert_eq!(of_dump(b"00:00.0 x\n00: 86 80 zz\n", &["-n", "--quiet"]).1, "");
}

#[test]
fn sizes_that_no_device_has_are_printed_as_far_as_they_go() {
    for size in [1, 16, 63, 64, 65, 128, 129, 255, 256, 257, 4095, 4096] {
        let whole = endpoint(4096);
        let (text, _) = printed(&whole[..size]);
        assert!(text.starts_with("01:00.0 "), "{size}: {text}");
        assert!(text.ends_with("\n\n"), "{size}: {text:?}");
    }
}
