//! ROM images with an ATOM BIOS, and VFCT tables that hold them: made here, every structure in its place, no code.

use super::Seed;

/// Where the images have things.
const STRINGS: usize = 0x80;
const HEADER: usize = 0x194;
const PCIR: usize = 0x1c0;
const DATA: usize = 0x200;
const COMMAND: usize = 0x260;
const FIRMWARE_INFO: usize = 0x320;

/// All of them.
pub(super) fn all() -> Vec<Seed> {
    let images = [
        ("atomfirmware-2.3", atom(0x1900, (2, 3), (3, 4))),
        ("atomfirmware-2.2", atom(0x15dd, (2, 2), (3, 1))),
        ("atombios-1.1", atom(0x67df, (1, 1), (2, 2))),
        ("atombios-old", atom(0x9851, (1, 1), (1, 4))),
    ];
    let mut seeds: Vec<_> = images
        .iter()
        .map(|(name, bytes)| Seed { target: "atom", name: (*name).into(), bytes: bytes.clone() })
        .collect();
    let two = table(&[(1, 0x67df, &images[2].1), (0xc5, 0x1900, &images[0].1)]);
    let one = table(&[(0xc5, 0x1900, &images[0].1)]);
    let mut other = one.clone();
    other[..4].copy_from_slice(b"SSDT");
    let tables = [
        ("two", two.clone()),
        ("twice", table(&[(3, 0x1900, &images[0].1), (3, 0x1900, &images[1].1)])),
        ("empty", table(&[])),
        ("cut", two[..two.len() - 500].to_vec()),
        ("between-others", [&other[..], &one, &other].concat()),
        ("text", text(&table(&[(5, 0x15dd, &images[1].1[..64])]))),
    ];
    seeds.extend(tables.map(|(name, bytes)| Seed { target: "vfct", name: name.into(), bytes }));
    seeds
}

pub(super) fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    bytes[at..at + what.len()].copy_from_slice(what);
}

pub(super) fn word(value: usize) -> [u8; 2] {
    u16::try_from(value).unwrap_or(u16::MAX).to_le_bytes()
}

/// Makes `bytes` sum to zero by the byte at `at`.
pub(super) fn sum(bytes: &mut [u8], at: usize) {
    let sum = bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    bytes[at] = bytes[at].wrapping_sub(sum);
}

/// An image with these revisions of the ATOM header and of the firmware information.
fn atom(device_id: usize, header: (u8, u8), info: (u8, u8)) -> Vec<u8> {
    let mut image = vec![0; 1024];
    put(&mut image, 0, &[0x55, 0xaa, 2, 0xe9]);
    put(&mut image, 0x18, &word(PCIR));
    put(&mut image, 0x1e, b"IBM");
    put(&mut image, 0x2f, &[4]);
    put(&mut image, 0x30, b" 761295520");
    put(&mut image, 0x48, &word(HEADER));
    put(&mut image, 0x50, b"01/02/23,04:05:06");
    put(&mut image, 0x6e, &word(STRINGS));
    put(&mut image, STRINGS, b"113-SEED-001\0SEED\0PCI_EXPRESS\0GDDR6\0\r\nSEED BOARD  \r\n\0");
    put(&mut image, 0xc0, b"ATOMBIOSBK-AMD VER001.002.003.004.000005\0SEED.bin \0");

    put(&mut image, HEADER, &[if header.0 == 1 { 0x24 } else { 0x2c }, 0, header.0, header.1]);
    put(&mut image, HEADER + 4, b"ATOM");
    for (at, value) in [
        (0x0c, 0xe9),
        (0x10, 0xa5),
        (0x18, 0x1002),
        (0x1a, 0x0b37),
        (0x1c, PCIR),
        (0x1e, COMMAND),
        (0x20, DATA),
    ] {
        put(&mut image, HEADER + at, &word(value));
    }
    put(&mut image, PCIR, b"PCIR\x02\x10\0\0\0\0\x18\0\0\0\0\x03\x02\0\x01\x02\0\x80\0\0");
    put(&mut image, PCIR + 6, &word(device_id));
    put(&mut image, DATA, &[74, 0, header.0, 1]);
    put(&mut image, DATA + 4 + 2 * 4, &word(FIRMWARE_INFO));
    put(&mut image, COMMAND, &[166, 0, header.0, 1]);
    put(&mut image, COMMAND + 4, &word(FIRMWARE_INFO + 0x74));
    put(&mut image, FIRMWARE_INFO, &[108, 0, info.0, info.1, 4, 3, 2, 1, 0x20, 0x4e, 0, 0, 0x20, 0x4e]);
    put(&mut image, FIRMWARE_INFO + 0x74, &[6, 0, 2, 1]);
    sum(&mut image, 0x21);
    image
}

/// A table with these images for 1002:id on these buses.
fn table(records: &[(u8, usize, &[u8])]) -> Vec<u8> {
    let mut table = b"VFCT\0\0\0\0\x01\0SEED  SEEDSEED\x01\0\0\0SEED\x01\0\0\0".to_vec();
    table.extend(romtools::vfct::Uuid::AMD.0);
    table.push(0x4c);
    table.resize(romtools::vfct::LENGTH, 0);
    for &(bus, id, image) in records {
        table.extend([bus, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x10]);
        table.extend(word(id));
        table.extend([0, 0, 0, 0, 1, 0, 0, 0]);
        table.extend(word(image.len()));
        table.extend([0, 0]);
        table.extend(image);
    }
    table.extend([0; romtools::vfct::RECORD_LENGTH]);
    let length = word(table.len());
    put(&mut table, 4, &length);
    sum(&mut table, 9);
    table
}

/// As `acpidump` prints it.
fn text(table: &[u8]) -> Vec<u8> {
    let mut text = String::from("VFCT @ 0x0000000000000000\n");
    for (line, bytes) in table.chunks(16).enumerate() {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02X} ")).collect();
        text += &format!("    {:04X}: {hex:<48} ................\n", line * 16);
    }
    text.into_bytes()
}
