//! What fuzzing begins with: inputs made from the project's own images, the same in every run.
//!
//! `cargo run -p benches --bin fuzz-seeds` writes them to `fuzz/seeds/`.

mod chain;
mod rom;

use crate::host;
use crate::image::Image;
use crate::kinds::{self, Made};
use crate::random::Random;
use pcicfg::Address;
use pcicfg::dump::{Extent, Style, write_function};
use pcicfg::lspci::{NoNames, Options, Subject, Text};

/// An input of a fuzz target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// The target, which is the folder's name.
    pub target: &'static str,
    /// The file's name.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
}

/// Makes a function.
type Make = fn(&mut Random) -> Made;
/// Makes a register's byte.
type Byte = fn(&mut Random) -> u8;

/// All of them.
#[must_use]
pub fn all() -> Vec<Seed> {
    let mut random = Random::new(0x7365_6564);
    let mut images: Vec<(String, Vec<u8>)> = kinds(&mut random);
    images.extend(chains(&mut random));
    let mut seeds = Vec::new();
    for (name, image) in &images {
        seeds.push(Seed { target: "config_space", name: name.clone(), bytes: image.clone() });
    }
    seeds.extend(hostile(&images, &mut random));
    seeds.extend(dumps(&images));
    seeds.extend(rom::all());
    seeds.extend(chain::all());
    seeds.extend(steps(&images));
    seeds
}

/// A function of each kind; one of them in the sizes that other readers get.
fn kinds(random: &mut Random) -> Vec<(String, Vec<u8>)> {
    const KINDS: [(&str, Make); 11] = [
        ("host-bridge", kinds::host_bridge),
        ("root-port", kinds::root_port),
        ("upstream-port", kinds::upstream_port),
        ("downstream-port", kinds::downstream_port),
        ("nvme", kinds::nvme),
        ("network", kinds::network),
        ("graphics", kinds::graphics),
        ("audio", kinds::audio),
        ("usb", kinds::usb),
        ("sata", kinds::sata),
        ("accelerator", kinds::accelerator),
    ];
    let mut images = Vec::new();
    for (name, make) in KINDS {
        images.push((name.to_owned(), shortened(make(random).image.into_bytes())));
    }
    let graphics = kinds::graphics(random).image.into_bytes();
    for size in [64, 128, 256, 0x143, 0x200, 4096] {
        images.push((format!("graphics-{size}"), graphics[..size].to_vec()));
    }
    images
}

/// Without the zeros at its end: a fuzzer changes what is there. At least 256 bytes are left.
fn shortened(mut bytes: Vec<u8>) -> Vec<u8> {
    let used = bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    bytes.truncate(used.next_multiple_of(16).clamp(256, 4096));
    bytes
}

/// Every id of both lists, with bodies of zeros, of ones and at random; as an endpoint and as a bridge.
fn chains(random: &mut Random) -> Vec<(String, Vec<u8>)> {
    let mut images = Vec::new();
    let bodies: [(&str, Byte); 3] =
        [("zeros", |_| 0x00), ("ones", |_| 0xff), ("random", |random| random.next() as u8)];
    for (body, byte) in bodies {
        for (part, ids) in [0x01..=0x07u8, 0x08..=0x0f, 0x10..=0x15].into_iter().enumerate() {
            let mut image = empty(random, part % 2 == 1);
            for id in ids {
                let filled: Vec<u8> = (2..24).map(|_| byte(random)).collect();
                image.capability(id, &filled);
            }
            images.push((format!("capabilities-{part}-{body}"), shortened(image.into_bytes())));
        }
        for (part, first) in (0x01..=0x3au16).step_by(12).enumerate() {
            let mut image = empty(random, part % 2 == 1);
            // PCI Express: its Device/Port Type decides what some of the others have.
            image.capability(0x10, &[0x02 | (part as u8 % 16) << 4, 0x01, 0, 0, 0, 0]);
            for id in first..(first + 12).min(0x3b) {
                let filled: Vec<u8> = (4..60).map(|_| byte(random)).collect();
                image.extended(id, (random.next() % 4) as u8, &filled);
            }
            images.push((format!("extended-{part}-{body}"), shortened(image.into_bytes())));
        }
    }
    // Designated vendor-specific: CXL's kinds; HyperTransport's, virtio's and Intel's in the other list.
    let mut image = empty(random, false);
    for id in 0..=10u8 {
        let mut body = vec![0x98, 0x1e, 0x80, 0x03, id, 0];
        body.resize(52, 0);
        body[6..].fill_with(|| random.next() as u8);
        image.extended(0x23, 1, &body);
    }
    images.push(("cxl".to_owned(), shortened(image.into_bytes())));
    for (name, id, vendor) in
        [("hyper-transport", 0x08, 0x1022), ("virtio", 0x09, 0x1af4), ("intel", 0x09, 0x8086u16)]
    {
        let mut image = empty(random, false);
        image.put(0, &vendor.to_le_bytes()).put(2, &[0x41, 0x10]);
        for kind in 0..7u8 {
            let kind = if id == 0x08 { [0x40 | kind, kind << 5] } else { [20, kind] };
            let mut body = kind.to_vec();
            body.resize(18, 0);
            body[2..].fill_with(|| random.next() as u8);
            image.capability(id, &body);
        }
        images.push((name.to_owned(), shortened(image.into_bytes())));
    }
    images
}

fn empty(random: &mut Random, bridge: bool) -> Image {
    if bridge {
        Image::bridge(0x1b36, random.word())
    } else {
        Image::endpoint(0x1b36, random.word(), 0x02_00_00)
    }
}

/// A script for a function that answers as it likes, and what it would say if it were honest.
fn hostile(images: &[(String, Vec<u8>)], random: &mut Random) -> Vec<Seed> {
    // What a byte of the script means is said in `fuzz/fuzz_targets/hostile_access.rs`.
    let scripts: [(&str, Vec<u8>); 7] = [
        ("honest", vec![]),
        ("fails", vec![0, 0, 0, 0, 0x80]),
        ("gone", [vec![0; 5], vec![0x90; 200]].concat()),
        ("zeros", [vec![0; 4], vec![0xa0; 200]].concat()),
        ("shrinks", vec![0, 0, 0, 0, 0xb0, 0x05]),
        ("answers", (0..250).map(|at| if at % 3 == 0 { 0xb8 } else { (at * 4) as u8 }).collect()),
        ("changes", (0..250).map(|_| 0xe0 | random.next() as u8).collect()),
    ];
    let mut seeds = Vec::new();
    for (index, (name, image)) in images.iter().enumerate().step_by(5) {
        let (kind, script) = &scripts[index / 5 % scripts.len()];
        let mut bytes = vec![script.len() as u8];
        bytes.extend_from_slice(script);
        bytes.extend_from_slice(image);
        seeds.push(Seed { target: "hostile_access", name: format!("{kind}-{name}"), bytes });
    }
    seeds
}

/// Edits and changed bytes, and the space that they are of.
fn steps(images: &[(String, Vec<u8>)]) -> Vec<Seed> {
    // A stream of its own: the other seeds stay what they are.
    let mut random = Random::new(0x7374_6570);
    let mut seeds = Vec::new();
    for (index, (name, image)) in images.iter().enumerate().step_by(2) {
        let count = (index % 24) as u8;
        // The highest bits: everything is tried.
        let mut bytes = vec![0xc0 | count];
        for _ in 0..count {
            bytes.extend_from_slice(&random.next().to_le_bytes());
        }
        bytes.extend_from_slice(image);
        seeds.push(Seed { target: "registers", name: name.clone(), bytes });
    }
    seeds
}

/// Texts as lspci writes them, and as they come by mail.
fn dumps(images: &[(String, Vec<u8>)]) -> Vec<Seed> {
    let address = |index: usize| Address::from_devfn(index as u32 & 1, index as u8, (index * 3) as u8);
    let mut seeds = Vec::new();
    let mut push = |name: &str, text: &[u8]| {
        seeds.push(Seed { target: "dump", name: name.to_owned(), bytes: text.to_vec() });
        // Pieces of 300 bytes, at most of 1 KiB, that come as they are wanted or 50 bytes at a time.
        for (way, start) in [("wanted", [75, 64, 0, 0, 0, 0]), ("steps", [75, 64, 1, 49, 0, 0])] {
            let bytes = [&start[..], text].concat();
            seeds.push(Seed { target: "pieces", name: format!("{name}-{way}"), bytes });
        }
    };
    for (name, extent) in [
        ("x", Extent::Header),
        ("xxx", Extent::Conventional),
        ("xxxx", Extent::Extended),
        ("all", Extent::All),
    ] {
        let mut text = String::new();
        for (index, (name, image)) in images.iter().enumerate().step_by(9).take(4) {
            let style = Style { extent, domain: index % 2 == 1 };
            // A String takes everything.
            let _ = write_function(&mut text, address(index), name, image, style);
        }
        push(name, text.as_bytes());
    }
    let mut text = Text::new();
    for (index, function) in host::functions(40).iter().enumerate().skip(30).step_by(3) {
        let subject = Subject::new(function.address, &function.config[..256]);
        pcicfg::lspci::write_function(
            &mut text,
            &subject,
            &Options::numeric().verbose(index as u8 % 4).hex(3),
            &NoNames,
        );
    }
    let text = text.to_str().into_owned();
    push("verbose", text.as_bytes());
    push("crlf", text.replace('\n', "\r\n").as_bytes());
    push("mail", text.lines().map(|line| format!("> > {line}\n")).collect::<String>().as_bytes());
    push("indented", text.lines().map(|line| format!("    {line} \n")).collect::<String>().as_bytes());
    push("cut", text.trim_end_matches('\n').as_bytes());
    seeds
}
