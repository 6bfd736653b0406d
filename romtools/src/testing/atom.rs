//! An ATOM BIOS made by hand: every structure in its place, no code.

use crate::checksum;

/// Where the built images have things.
pub(crate) const PART_NUMBER: usize = 0x80;
pub(crate) const HEADER: usize = 0x194;
pub(crate) const PCIR: usize = 0x1c0;
pub(crate) const DATA: usize = 0x200;
pub(crate) const COMMAND: usize = 0x260;
pub(crate) const FIRMWARE_INFO: usize = 0x320;

/// What a BIOS shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AtomSpec {
    pub(crate) device_id: u16,
    /// Format and content revision of the header.
    pub(crate) revision: (u8, u8),
    /// Part number, ASIC, bus, memory.
    pub(crate) strings: Vec<&'static str>,
    pub(crate) product_name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) date: &'static str,
    pub(crate) last: bool,
}

impl AtomSpec {
    /// With the texts of a Phoenix APU.
    pub(crate) fn phoenix() -> Self {
        Self {
            device_id: 0x1900,
            revision: (2, 3),
            strings: vec!["113-PHXGENERIC-001", "PHOENIX", "PCI_EXPRESS", "DDR5"],
            product_name: "AMD AMD_PHOENIX_GENERIC      ",
            version: "022.012.000.027.000001",
            date: "09/15/23,12:20:39",
            last: true,
        }
    }

    /// With the texts of a Polaris card.
    pub(crate) fn polaris() -> Self {
        Self {
            device_id: 0x67df,
            revision: (1, 1),
            strings: vec!["113-D00035-L01", "POLARIS20", "PCI_EXPRESS", "GDDR5"],
            product_name: "D00035 Polaris20",
            version: "015.050.002.001.000000",
            date: "01/14/19 00:38\0\x009",
            last: false,
        }
    }

    /// The image, of two blocks, with a sum of zero.
    pub(crate) fn build(&self) -> Vec<u8> {
        let mut image = vec![0; 1024];
        let is_2 = self.revision.0 == 2;
        let mut put = |at: usize, bytes: &[u8]| image[at..at + bytes.len()].copy_from_slice(bytes);
        let word = |word: usize| (word as u16).to_le_bytes();
        put(0, &[0x55, 0xaa, 2, 0xe9]);
        put(0x18, &word(PCIR));
        put(0x1e, b"IBM");
        put(0x2f, &[self.strings.len() as u8]);
        put(0x30, b" 761295520");
        put(0x48, &word(HEADER));
        put(0x50, self.date.as_bytes());
        put(0x6e, &word(PART_NUMBER));
        let texts = format!(
            "{}\0\r\n{}\r\n\0ATOMBIOSBK-AMD VER{}\0EXAMPLE.bin \0",
            self.strings.join("\0"),
            self.product_name,
            self.version
        );
        put(PART_NUMBER, texts.as_bytes());
        let config = PART_NUMBER + texts.len() - "EXAMPLE.bin \0".len();
        let message = PART_NUMBER + self.strings.join("\0").len() + 1;

        let size = if is_2 { 0x2c } else { 0x24 };
        put(HEADER, &[size, 0, self.revision.0, self.revision.1]);
        put(HEADER + 4, b"ATOM");
        for (at, value) in [
            (0x0c, config),
            (0x10, message),
            (0x18, 0x1002),
            (0x1a, 0x0b37),
            (0x1c, PCIR),
            (0x1e, COMMAND),
            (0x20, DATA),
        ] {
            put(HEADER + at, &word(value));
        }
        put(PCIR, b"PCIR\x02\x10\0\0\0\0\x18\0\0\0\0\x03\x02\0\x0c\x16\0\0\0\0");
        put(PCIR + 6, &self.device_id.to_le_bytes());
        put(PCIR + 0x15, &[if self.last { 0x80 } else { 0 }]);

        // 35 data tables and 81 command tables, of each kind the two that are easy to tell.
        put(DATA, &[74, 0, self.revision.0, 1]);
        put(DATA + 4 + 2 * 4, &word(FIRMWARE_INFO));
        put(DATA + 4 + 2 * 28, &word(FIRMWARE_INFO + 0x6c));
        put(FIRMWARE_INFO + 0x6c, &[8, 0, 1, 2]);
        put(COMMAND, &[166, 0, self.revision.0, 1]);
        put(COMMAND + 4, &word(FIRMWARE_INFO + 0x74));
        put(COMMAND + 4 + 2 * 80, &word(FIRMWARE_INFO + 0x7a));
        put(FIRMWARE_INFO + 0x74, &[6, 0, 2, 1, 0, 0, 6, 0, 3, 2]);

        put(FIRMWARE_INFO, &[108, 0, if is_2 { 3 } else { 2 }, if is_2 { 4 } else { 2 }]);
        put(FIRMWARE_INFO + 0x04, if is_2 { &[27, 0, 12, 22] } else { &[1, 2, 50, 15] });
        put(FIRMWARE_INFO + 0x08, &20_000u32.to_le_bytes());
        put(FIRMWARE_INFO + 0x0c, &30_050u32.to_le_bytes());
        if is_2 {
            put(FIRMWARE_INFO + 0x10, &[1, 0, 0, 0]);
            put(FIRMWARE_INFO + 0x18, &[0x4c]);
            put(FIRMWARE_INFO + 0x1c, &word(900));
        } else {
            put(FIRMWARE_INFO + 0x2e, &word(900));
            put(FIRMWARE_INFO + 0x5c, &word(1550));
        }
        put(0x21, &[0]);
        image[0x21] = checksum::sum(&image).wrapping_neg();
        image
    }
}
