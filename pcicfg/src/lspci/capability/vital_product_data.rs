//! Vital Product Data. Configuration space shows only a window to it; a running system can read it, of a dump it is not
//! readable.

use super::{Body, Text};

/// Where the data must end: addresses have 15 bits.
const END: usize = 0x8000;

const END_TAG: u8 = 0x0f;
const PRODUCT_NAME: u8 = 0x82;
const READ_ONLY: u8 = 0x90;
const READ_WRITE: u8 = 0x91;

/// How the value of an item is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Binary,
    Text,
    /// The first byte makes the checksum zero.
    Reserved,
    /// Room that software may write.
    Free,
}

/// What an item is called, by its two letters.
fn item(id: [u8; 2]) -> (&'static str, Form) {
    match &id {
        b"CP" => ("Extended capability", Form::Binary),
        b"EC" => ("Engineering changes", Form::Text),
        b"MN" => ("Manufacture ID", Form::Text),
        b"PN" => ("Part number", Form::Text),
        b"RV" => ("Reserved", Form::Reserved),
        b"RW" => ("Read-write area", Form::Free),
        b"SN" => ("Serial number", Form::Text),
        b"YA" => ("Asset tag", Form::Text),
        [b'V', _] => ("Vendor specific", Form::Text),
        [b'Y', _] => ("System specific", Form::Text),
        b"CC" => ("CCIN", Form::Text),
        b"FC" => ("Feature code", Form::Text),
        b"FN" => ("FRU", Form::Text),
        b"NA" => ("Network address", Form::Text),
        b"RM" => ("Firmware version", Form::Text),
        [b'Z', _] => ("Product specific", Form::Text),
        _ => ("Unknown", Form::Binary),
    }
}

pub(super) fn write(text: &mut Text, body: Body<'_, '_>) {
    text.str("Vital Product Data\n");
    if !body.details() {
        return;
    }
    let bytes = body.subject.system().and_then(|system| system.vital_product_data).unwrap_or_default();
    Reader { bytes, sum: 0 }.write(text);
}

/// Reads what can be read, and adds it up.
struct Reader<'a> {
    bytes: &'a [u8],
    sum: u8,
}

impl<'a> Reader<'a> {
    fn read(&mut self, at: usize, length: usize) -> Option<&'a [u8]> {
        let bytes = self.bytes.get(at..at.checked_add(length)?)?;
        self.sum = bytes.iter().fold(self.sum, |sum, byte| sum.wrapping_add(*byte));
        Some(bytes)
    }

    /// Writes all resources up to the end tag.
    fn write(mut self, text: &mut Text) {
        let mut at = 0;
        while let Some((tag, start, length)) = self.resource(&mut at) {
            match tag {
                END_TAG => {
                    text.str("\t\tEnd\n");
                    return;
                }
                PRODUCT_NAME => self.write_name(text, start, length),
                READ_ONLY => self.write_fields(text, "Read-only", start, length),
                READ_WRITE => self.write_fields(text, "Read/write", start, length),
                _ => {
                    let (kind, tag) = if tag & 0x80 != 0 { ("large", tag & 0x7f) } else { ("small", tag) };
                    text.str("\t\tUnknown ").str(kind).str(" resource type ").hex2(tag);
                    text.str(", will not decode more.\n");
                    return;
                }
            }
            at = start + length;
        }
        text.str(if at == 0 { "\t\tNot readable\n" } else { "\t\tNo end tag found\n" });
    }

    /// The tag at `at` with where its data begin and how long they are; `at` moves as far as could be read.
    fn resource(&mut self, at: &mut usize) -> Option<(u8, usize, usize)> {
        if *at >= END {
            return None;
        }
        let tag = *self.read(*at, 1)?.first()?;
        let (tag, length, head) = match tag {
            0x80.. => {
                let size = if *at > END - 3 { None } else { self.read(*at + 1, 2) };
                let &[low, high] = size? else { return None };
                (tag, usize::from(u16::from_le_bytes([low, high])), 3)
            }
            _ => (tag >> 3, usize::from(tag & 7), 1),
        };
        *at += head;
        (length <= END.saturating_sub(*at)).then_some((tag, *at, length))
    }

    fn write_name(&mut self, text: &mut Text, start: usize, length: usize) {
        text.str("\t\tProduct Name: ");
        // lspci reads in parts, and what can be read of them is printed.
        let mut at = 0;
        while at < length {
            let part = (length - at).min(256);
            let Some(bytes) = self.read(start + at, part) else { break };
            write_string(text, bytes);
            at += part;
        }
        text.end();
    }

    fn write_fields(&mut self, text: &mut Text, kind: &str, start: usize, length: usize) {
        text.str("\t\t").str(kind).str(" fields:").end();
        let mut at = 0;
        while at + 3 <= length {
            let Some(&[first, second, size]) = self.read(start + at, 3) else { return };
            at += 3;
            let size = usize::from(size);
            if size > length - at {
                return;
            }
            let (name, form) = item([first, second]);
            // What follows the first byte of a reserved item is not part of the checksum.
            let Some(value) = self.read(start + at, if form == Form::Reserved { 1 } else { size }) else {
                return;
            };
            text.str("\t\t\t[");
            write_string(text, &[first, second]);
            text.str("] ").str(name).str(": ");
            match form {
                Form::Text => write_string(text, value),
                Form::Binary => {
                    for (index, byte) in value.iter().enumerate() {
                        text.str(if index == 0 { "" } else { " " }).hex2(*byte);
                    }
                }
                Form::Reserved => {
                    text.str("checksum ").str(if self.sum == 0 { "good" } else { "bad" });
                    text.str(", ").signed(size as i64 - 1).str(" byte(s) reserved");
                }
                Form::Free => _ = text.dec(size as u64).str(" byte(s) free"),
            }
            text.end();
            at += size;
        }
    }
}

/// Writes bytes so that nothing in them can be taken for something else. A zero at the end is left out.
fn write_string(text: &mut Text, bytes: &[u8]) {
    for (index, &byte) in bytes.iter().enumerate() {
        match byte {
            b'\\' => _ = text.str("\\\\"),
            0 if index + 1 == bytes.len() => {}
            0..32 | 127 => _ = text.str("\\x").hex2(byte),
            _ => _ = text.byte(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Address;
    use crate::lspci::{NoNames, Options, Subject, System, Text, write_function};
    use alloc::string::{String, ToString};
    use proptest::prelude::*;

    /// What is printed below the capability's first line.
    fn printed(data: Option<&[u8]>) -> String {
        let mut bytes = [0; 256];
        bytes[0x06] = 0x10;
        bytes[0x34] = 0x40;
        bytes[0x40] = 0x03;
        let system = System { vital_product_data: data, ..System::default() };
        let subject = Subject::new(Address::from_devfn(0, 0, 0), &bytes).with_system(&system);
        let mut text = Text::new();
        write_function(&mut text, &subject, &Options::numeric().verbose(2), &NoNames);
        let text = text.to_str().to_string();
        let (_, below) = text.split_once("Vital Product Data\n").expect("the capability is printed");
        below.trim_end_matches('\n').to_string()
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert_eq!(printed(None), "\t\tNot readable");
        assert_eq!(printed(Some(&[])), "\t\tNot readable");
        assert_eq!(printed(Some(&[0x78])), "\t\tEnd");
        // A length that ends beyond the 15 bits of an address; an item that is longer than its field.
        assert_eq!(printed(Some(&[0x82, 0xff, 0xff])), "\t\tNo end tag found");
        assert_eq!(printed(Some(b"\x90\x04\x00PN\x09x\x78")), "\t\tRead-only fields:\n\t\tEnd");
        assert_eq!(printed(Some(&[0x9f, 0, 0])), "\t\tUnknown large resource type 1f, will not decode more.");
        assert_eq!(printed(Some(&[0x20])), "\t\tUnknown small resource type 04, will not decode more.");
    }

    #[test]
    fn a_checksum_counts_everything_up_to_its_own_byte() {
        let mut data = *b"\x90\x05\x00RV\x02\x00\x55\x78";
        let sum = data[..6].iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        assert!(printed(Some(&data)).contains("[RV] Reserved: checksum bad, 1 byte(s) reserved"));
        data[6] = sum.wrapping_neg();
        assert!(printed(Some(&data)).contains("[RV] Reserved: checksum good, 1 byte(s) reserved"));
    }

    proptest! {
        #[test]
        fn any_data_are_printed_in_lines(
            tag in prop::sample::select(&[0x82u8, 0x90, 0x91, 0x78, 0x00, 0xff][..]),
            length in 0u16..300,
            rest in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            let mut data = [&[tag][..], &length.to_le_bytes(), &rest].concat();
            let text = printed(Some(&data));
            prop_assert!(text.lines().all(|line| line.starts_with("\t\t")), "{:?}", text);
            data.truncate(data.len() / 2);
            printed(Some(&data));
        }
    }
}
