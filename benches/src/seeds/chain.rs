//! ROMs of every kind, built by the library and damaged by hand, and streams to decompress.

use romtools::build::{Builder, Part, Revision};
use romtools::compression::{self, Variant};
use romtools::pcir::ClassCode;

use super::Seed;
use super::rom::{put, sum, word};
use crate::firmware;

/// All of them.
pub(super) fn all() -> Vec<Seed> {
    let pe = pe();
    let efi = |compress| Part::Efi { file: &pe, compress };
    let (isa, expansion) = (isa(), expansion());
    let both = build(&Builder::new(0x1234, vec![0x1111, 0x1112]).part(Part::Legacy(&isa)).part(efi(true)));
    let plain = build(&Builder::new(0x8086, vec![0x56a0]).part(efi(false)));
    let old =
        build(&Builder::new(0x10ec, vec![0x8168]).revision(Revision::Revision0).part(Part::Legacy(&isa)));
    let open = build(&Builder::new(0x1234, vec![1]).last(false).part(efi(true)));
    let nvidia = nvidia();
    let seeds = [
        ("both", both.clone()),
        ("copies", [&both[..], &[0xff; 512], &both, b"-----BEGIN CERTIFICATE-----\n"].concat()),
        ("cut", both[..both.len() - 100].to_vec()),
        ("plain", plain),
        ("revision-0", old),
        ("not-last", open),
        ("isa", isa),
        ("expansion", expansion),
        ("open-firmware", open_firmware()),
        ("nvidia", nvidia.clone()),
        ("container", [container(), nvidia].concat()),
    ];
    let mut all: Vec<_> =
        seeds.map(|(name, bytes)| Seed { target: "chain", name: name.into(), bytes }).into();
    all.extend(streams());
    all
}

fn build(builder: &Builder<'_>) -> Vec<u8> {
    let class = ClassCode { base: 3, sub: 0, programming_interface: 0 };
    // The parts are right: an empty seed would fail the test of the seeds.
    builder.clone().class_code(class).vendor_rom_revision(0x420).build().unwrap_or_default()
}

/// A driver that firmware loads, and bytes that can be compressed.
fn pe() -> Vec<u8> {
    let mut file = firmware::driver(0x200);
    file.extend(b"A driver says hello. A driver says goodbye. A driver says nothing.");
    file
}

/// Code that returns, without a PCI Data Structure.
fn isa() -> Vec<u8> {
    let mut image = vec![0; 512];
    put(&mut image, 0, &[0x55, 0xaa, 1, 0xcb]);
    sum(&mut image, 511);
    image
}

/// A PC-AT image with two expansion headers, PXE's structures and a device list.
fn expansion() -> Vec<u8> {
    let mut image = vec![0; 1024];
    put(&mut image, 0, &[0x55, 0xaa, 2, 0xe9, 0xfd, 0]);
    put(&mut image, 0x10, &word(0x1c0));
    put(&mut image, 0x16, &word(0x180));
    put(&mut image, 0x18, &word(0x40));
    put(&mut image, 0x1a, &word(0x80));
    put(&mut image, 0x40, b"PCIR\x86\x80\x0e\x10\x1c\0\x1c\0\x03\0\0\x02\x02\0\x20\x04\0\x80\x02\0\0\0\0\0");
    put(&mut image, 0x5c, &[0x0e, 0x10, 0x0f, 0x10, 0, 0]);
    for (at, next) in [(0x80, 0xa0), (0xa0, 0)] {
        put(&mut image, at, b"$PnP\x01\x02");
        put(&mut image, at + 6, &word(next));
        put(&mut image, at + 0x0e, &word(0x100));
        put(&mut image, at + 0x10, &word(0x110));
        put(&mut image, at + 0x12, &[2, 0, 0, 0x14]);
        put(&mut image, at + 0x1a, &word(0x140));
        sum(&mut image[at..at + 0x20], 9);
    }
    put(&mut image, 0x100, b"Manufacturer\0\0\0\0Product\0");
    put(&mut image, 0x180, b"UNDI\x16\0\0\0\x01\x02\0\x02\0\x10\0\x10\0\x20PCIR");
    sum(&mut image[0x180..0x196], 5);
    put(&mut image, 0x1c0, b"iPXE\x0c\0\x01\0\x78\x56\x34\x12");
    sum(&mut image[0x1c0..0x1cc], 5);
    sum(&mut image, 6);
    image
}

/// An image with an FCode program.
fn open_firmware() -> Vec<u8> {
    let mut image = vec![0; 512];
    put(&mut image, 0, &[0x55, 0xaa, 0x34, 0]);
    put(&mut image, 0x18, &word(0x1c));
    put(&mut image, 0x1c, b"PCIR\x4b\x10\x40\x10\0\0\x18\0\0\0\0\x01\x01\0\0\0\x01\x80\0\0");
    put(&mut image, 0x34, &[0xf1, 8, 0, 0x12, 0, 0, 0, 0x10, 0x12, 0, 0]);
    image
}

/// What NVIDIA's flash chips hold: a PC-AT image that says it is the last, and private ones.
fn nvidia() -> Vec<u8> {
    let mut rom = Vec::new();
    for (code_type, signature, structure, last) in [
        (0, [0x55, 0xaa], b"PCIR", false),
        (0xe0, [0x56, 0x4e], b"NPDS", false),
        (0x70, [0x56, 0x4e], b"NPDS", true),
    ] {
        let mut image = vec![0x90; 512];
        put(&mut image, 0, &[0; 0x80]);
        put(&mut image, 0, &signature);
        put(&mut image, 2, &[1]);
        put(&mut image, 0x18, &word(0x20));
        put(&mut image, 0x20, structure);
        put(&mut image, 0x24, b"\xde\x10\x89\x21\0\0\x18\0\0\0\0\x03\x01\0\x01\0");
        put(&mut image, 0x34, &[code_type, 0x80]);
        put(&mut image, 0x40, b"NPDE\x00\x01\x10\x00\x01\x00");
        put(&mut image, 0x4a, &[if last { 0x80 } else { 0 }, 1]);
        sum(&mut image, 511);
        rom.extend(image);
    }
    rom
}

/// The container in front of them: IFR version 1.
fn container() -> Vec<u8> {
    let mut container = vec![0xee; 512];
    put(&mut container, 0, b"NVGI\xf4\x01\x10\x80\x80\0\0\0");
    put(&mut container, 0x14, &512u32.to_le_bytes());
    container
}

/// Streams of either variant: literals, matches near and far, more than one block.
fn streams() -> Vec<Seed> {
    let text: Vec<u8> = (0..40u8).flat_map(|n| [b'a' + n % 7, b' ', n, n ^ 0x55, b'\n']).collect();
    let far = [&text[..], &vec![0; 9000], &text, &[7; 300]].concat();
    let mut seeds = Vec::new();
    for (variant, suffix) in [(Variant::Uefi, "uefi"), (Variant::Tiano, "tiano")] {
        for (name, bytes) in
            [("empty", &[][..]), ("one", b"x"), ("text", &text), ("far", &far), ("zeros", &[0; 70_000])]
        {
            let stream = compression::compress(bytes, variant).unwrap_or_default();
            seeds.push(Seed { target: "decompress", name: format!("{name}-{suffix}"), bytes: stream });
        }
    }
    seeds.push(Seed { target: "decompress", name: "bomb".into(), bytes: bomb() });
    seeds.push(Seed { target: "decompress", name: "blocks".into(), bytes: blocks() });
    seeds
}

/// The most work for a byte: a block for each, with a code of 256 symbols.
fn blocks() -> Vec<u8> {
    const BLOCKS: u32 = 2048;
    // One symbol; a length code of the symbol 10 alone, so that 256 characters have 8 bits each; one position; character 41h.
    let block: u64 = 1 << 35 | 10 << 25 | 256 << 16 | 0x41;
    let bits: Vec<u8> = (0..BLOCKS).flat_map(|_| (0..51).rev().map(|bit| (block >> bit & 1) as u8)).collect();
    let bits: Vec<u8> = bits.chunks(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect();
    [&(bits.len() as u32).to_le_bytes(), &BLOCKS.to_le_bytes(), &bits[..]].concat()
}

/// The most that can be made of a few bytes: a literal, then 65,535 matches of 256 bytes that take no bits.
fn bomb() -> Vec<u8> {
    let block = |symbols: u128, character: u128| symbols << 36 | character << 8;
    let bits = block(1, 0) << 52 | block(0, 509);
    let stream = (bits << 24).to_be_bytes();
    [&13u32.to_le_bytes(), &(1u32 + 256 * 65_535).to_le_bytes(), &stream[..13]].concat()
}
