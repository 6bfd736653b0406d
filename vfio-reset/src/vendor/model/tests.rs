use super::*;
use crate::error::{Error, Result};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

/// Configuration space that somebody else keeps.
#[derive(Default)]
struct Config(BTreeMap<u16, u32>);

impl ConfigCells for Config {
    fn dword(&self, offset: u16) -> u32 {
        self.0.get(&offset).copied().unwrap_or(0)
    }

    fn set_dword(&mut self, offset: u16, value: u32) {
        self.0.insert(offset, value);
    }
}

/// A model with a configuration space, in its own time.
struct Bench {
    model: Model,
    config: Config,
    now: Duration,
}

fn parse(rest: &str) -> Result<Model> {
    let text = format!(
        r#"{{ "schema": "vrtrace-model/1", "name": "mine", "pci": {{ "vendor": "0x1002", "device": 26591 }}, {rest} }}"#
    );
    Model::parse(&text, Path::new("mine.json"), &|name| match name {
        "blob.bin" => Ok((0..8).collect()),
        _ => Err(Error::read(name, std::io::ErrorKind::NotFound.into())),
    })
}

impl Bench {
    fn new(rest: &str) -> Self {
        let model = parse(rest).unwrap_or_else(|error| panic!("{error}"));
        Self { model, config: Config::default(), now: Duration::ZERO }
    }

    fn read(&mut self, bar: u8, offset: u64) -> u32 {
        let mut bytes = [0; 4];
        self.model.read_bar(self.now, &mut self.config, bar, offset, &mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn write(&mut self, bar: u8, offset: u64, value: u32) {
        self.model.write_bar(self.now, &mut self.config, bar, offset, &value.to_le_bytes());
    }

    fn write_config(&mut self, offset: u16, value: u32) {
        let before = self.config.dword(offset);
        self.config.set_dword(offset, value);
        self.model.config_written(self.now, &mut self.config, offset, value, before);
    }

    fn wait(&mut self, microseconds: u64) {
        self.now += Duration::from_micros(microseconds);
    }
}

const WINDOWS: &str = r#"
    "default": { "smn": "0xaaaaaaaa" },
    "windows": [{ "name": "PCIE2", "index": "0x38", "data": "0x3c", "space": "smn" }],
    "mm_window": { "index": "0x0", "index_hi": "0x18", "data": "0x4" },
    "regs": [
      { "space": "mmio", "off": "0x100", "init": "0x11" },
      { "space": "smn", "off": "0x3b10024", "init": "0x22" }
    ],
    "vram": { "blobs": [{ "pos": "0x180000000", "file": "blob.bin", "size": 8 }] }"#;

#[test]
fn a_cell_holds_what_was_written_else_what_is_described_else_its_space_s_default() {
    let mut bench = Bench::new(WINDOWS);
    assert_eq!((bench.read(5, 0x100), bench.read(5, 0x104)), (0x11, 0));
    bench.write(5, 0x100, 7);
    assert_eq!(bench.read(5, 0x100), 7);
    // What is behind the other Base Address Registers is one space of its own.
    bench.write(0, 0x100, 9);
    assert_eq!((bench.read(2, 0x100), bench.read(5, 0x100)), (9, 7));
}

#[test]
fn a_window_shows_what_its_index_names() {
    let mut bench = Bench::new(WINDOWS);
    bench.write(5, 0x38, 0x3b1_0024);
    assert_eq!((bench.read(5, 0x38), bench.read(5, 0x3c)), (0x3b1_0024, 0x22));
    bench.write(5, 0x38, 0x10);
    assert_eq!(bench.read(5, 0x3c), 0xaaaa_aaaa);
    bench.write(5, 0x3c, 5);
    assert_eq!(bench.read(5, 0x3c), 5);
}

#[test]
fn the_aperture_s_own_window_shows_the_aperture_and_with_bit_31_video_memory() {
    let mut bench = Bench::new(WINDOWS);
    bench.write(5, 0x0, 0x100);
    assert_eq!(bench.read(5, 0x4), 0x11);
    bench.write(5, 0x18, 3);
    bench.write(5, 0x0, 0x8000_0004);
    assert_eq!(bench.read(5, 0x4), 0x0706_0504);
    bench.write(5, 0x0, 0x8000_0008);
    assert_eq!(bench.read(5, 0x4), 0, "past the blob");
}

#[test]
fn an_access_of_less_or_more_than_a_dword_reaches_its_bytes() {
    let mut bench = Bench::new(WINDOWS);
    bench.write(5, 0x100, 0x4433_2211);
    let mut bytes = [0; 3];
    bench.model.read_bar(bench.now, &mut bench.config, 5, 0x102, &mut bytes);
    assert_eq!(bytes, [0x33, 0x44, 0x00]);
    bench.model.write_bar(bench.now, &mut bench.config, 5, 0x101, &[0xee]);
    assert_eq!(bench.read(5, 0x100), 0x4433_ee11);
}

#[test]
fn scripted_values_come_in_turn_and_the_last_one_stays() {
    let mut bench = Bench::new(
        r#""regs": [{ "space": "mmio", "off": "0x10", "init": "0", "seq": ["0x1", "0xffffffff", "0x3"] }]"#,
    );
    assert_eq!([(); 4].map(|()| bench.read(5, 0x10)), [1, u32::MAX, 3, 3]);
}

const TRIGGERS: &str = r#"
    "regs": [{ "space": "mmio", "off": "0x20", "init": "0xf0" }],
    "triggers": [
      { "space": "mmio", "off": "0x10", "mask": "0x1", "match": "0x1", "old_mask": "0x1", "old_match": "0x0", "do": [
        { "op": "and_or", "space": "mmio", "off": "0x20", "and": "0x0f", "or": "0x1", "after_us": 100 },
        { "op": "and_or", "space": "mmio", "off": "0x10", "and": "0xffff0001", "or": "0x8", "after_us": 0 },
        { "op": "and_or", "space": "mmio", "off": "0x20", "and": "0xffffffff", "or": "0x2", "after_us": 100 },
        { "op": "and_or", "space": "cfg", "off": "0x04", "and": "0x0", "or": "0x5", "after_us": 50 }
      ]},
      { "space": "cfg", "off": "0x7c", "mask": "0xffffffff", "match": "0x39d5e86b", "do": [
        { "op": "dead", "for_us": 250 }
      ]}
    ]"#;

#[test]
fn a_trigger_fires_on_the_edge_that_it_names() {
    let mut bench = Bench::new(TRIGGERS);
    bench.write(5, 0x10, 2);
    assert_eq!(bench.read(5, 0x10), 2, "no match");
    bench.write(5, 0x10, 0x1_0001);
    assert_eq!(bench.read(5, 0x10), 0x1_0009, "at once");
    bench.write(5, 0x10, 3);
    assert_eq!(bench.read(5, 0x10), 3, "the bit was set: no edge");
}

#[test]
fn a_delayed_action_happens_before_the_first_access_at_its_time_and_not_before() {
    let mut bench = Bench::new(TRIGGERS);
    bench.write(5, 0x10, 1);
    bench.wait(99);
    assert_eq!(bench.read(5, 0x20), 0xf0);
    assert_eq!(bench.config.dword(4), 5);
    bench.wait(1);
    assert_eq!(bench.read(5, 0x20), 3, "both, in the order in which they were scheduled");
}

#[test]
fn a_dead_device_reads_all_ones_and_takes_no_writes_for_its_time() {
    let mut bench = Bench::new(TRIGGERS);
    bench.write_config(0x7c, 0x39d5_e86b);
    bench.wait(249);
    bench.write(5, 0x20, 0);
    assert_eq!(bench.read(5, 0x20), u32::MAX);
    bench.wait(1);
    assert_eq!(bench.read(5, 0x20), 0xf0);
}

#[test]
fn memory_that_is_not_enabled_is_silent_where_the_model_says_so() {
    let mut bench = Bench::new(r#""needs_mem_enable": true"#);
    assert_eq!(bench.read(5, 0), u32::MAX);
    bench.write_config(4, 2);
    assert_eq!(bench.read(5, 0), 0);
    let mut bench = Bench::new(r#""dead_from_start": true"#);
    bench.wait(1_000_000);
    assert_eq!(bench.read(5, 0), u32::MAX);
}

#[test]
fn a_state_that_is_taken_over_goes_on_where_the_other_was() {
    let mut one = Bench::new(TRIGGERS);
    one.write(5, 0x10, 1);
    one.wait(40);
    let text = serde_json::to_string(one.model.state()).unwrap();
    let mut two = Bench::new(TRIGGERS);
    two.model.set_state(serde_json::from_str(&text).unwrap());
    two.now = one.now;
    two.wait(60);
    assert_eq!((two.read(5, 0x20), two.read(5, 0x10)), (3, 9));
    two.model.power_cycle();
    assert_eq!((two.read(5, 0x20), two.read(5, 0x10)), (0xf0, 0));
}

#[test]
fn every_shipped_model_can_be_read() {
    for name in Model::names() {
        let model = Model::shipped(name).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(model.name(), name);
        assert!(!model.text().is_empty(), "{name}");
    }
    assert!(Model::shipped("voodoo").unwrap_err().to_string().contains("shipped are polaris10_baco"));
}

#[test]
fn what_is_wrong_in_a_model_is_said() {
    for (rest, wanted) in [
        (r#""regs": [{ "space": "moon", "off": 0, "init": 0 }]"#, "mine.json:1:"),
        (r#""regs": [{ "space": "mmio", "off": "0xzz", "init": 0 }]"#, "expected a number, or its digits"),
        (r#""regs": [{ "space": "mmio", "off": "-1", "init": 0 }]"#, "expected a number, or its digits"),
        (r#""regs": [{ "space": "mmio", "off": 0, "init": "0x100000000" }]"#, "has more than 32 bits"),
        (r#""regs": [{ "space": "cfg", "off": 0, "init": 0 }]"#, "configuration space is pci.config"),
        (r#""rags": []"#, "unknown field `rags`"),
        (
            r#""vram": { "blobs": [{ "pos": 0, "file": "../../etc/shadow" }] }"#,
            "expected a path that leads down",
        ),
        (r#""vram": { "blobs": [{ "pos": 0, "file": "/etc/shadow" }] }"#, "expected a path that leads down"),
        (r#""vram": { "blobs": [{ "pos": 0, "file": "gone.bin" }] }"#, "cannot read gone.bin"),
        (r#""vram": { "blobs": [{ "pos": 0, "file": "blob.bin", "size": 9 }] }"#, "has 8 bytes"),
        (
            r#""triggers": [{ "space": "cfg", "off": 2, "mask": 0, "match": 0, "do": [] }]"#,
            "expected a dword below 0x1000",
        ),
        (
            r#""triggers": [{ "space": "mmio", "off": 2, "mask": 0, "match": 0, "do": [{ "op": "dead", "for_us": 9000000000 }] }]"#,
            "is too late",
        ),
    ] {
        let error = parse(rest).map(drop).unwrap_err().to_string();
        assert!(error.contains(wanted), "{rest}: {error}");
    }
    for (from, to, wanted) in [
        ("vrtrace-model/1", "vrtrace-model/2", "this version reads \"vrtrace-model/1\""),
        ("26591", "65536", "has more than 16 bits"),
    ] {
        let text =
            r#"{ "schema": "vrtrace-model/1", "name": "m", "pci": { "vendor": "0x1002", "device": 26591 } }"#;
        let error = Model::parse(&text.replace(from, to), Path::new("m.json"), &|_| Ok(Vec::new()));
        let error = error.map(drop).unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}") {
        let _ = Model::parse(&text, Path::new("any.json"), &|_| Ok(Vec::new()));
    }

    #[test]
    fn no_access_makes_a_model_panic(
        accesses in prop::collection::vec((any::<bool>(), 0..8u8, any::<u64>(), any::<[u8; 8]>(), 0..9usize, 0..300u64), 0..40)
    ) {
        let mut bench = Bench::new(&format!("{WINDOWS},{}", TRIGGERS.replace(r#""regs": [{ "space": "mmio", "off": "0x20", "init": "0xf0" }],"#, "")));
        for (write, bar, offset, mut bytes, length, time) in accesses {
            // Some accesses are to the registers that do something.
            let offset = if offset % 2 == 0 { offset } else { offset % 0x140 };
            bench.wait(time);
            if write {
                bench.model.write_bar(bench.now, &mut bench.config, bar, offset, &bytes[..length]);
            } else {
                bench.model.read_bar(bench.now, &mut bench.config, bar, offset, &mut bytes[..length]);
            }
        }
    }
}

#[test]
fn what_a_reset_is_asked_for_with_moves_with_the_capability_and_a_vendor_s_register_does_not() {
    /// PCI Express at an offset, and no other capability.
    fn with_express(config: &[u8], at: u8) -> Vec<u8> {
        let mut config = config.to_vec();
        config[6] |= 0x10;
        config[0x34] = at;
        config[usize::from(at)..usize::from(at) + 4].copy_from_slice(&[0x10, 0, 2, 0]);
        config
    }
    let model = |name, change: &dyn Fn(&[u8]) -> Vec<u8>| {
        let model = Model::shipped(name).unwrap();
        let mut description = Description::clone(&model.description);
        description.config = change(&description.config);
        Model { description: Arc::new(description), state: model.state }
    };
    let moved = |model: &Model| model.relocated(&with_express(&model.description.config, 0xa0));
    let has = |model: &Model, offset| model.description.triggers.contains_key(&(Space::Cfg, offset));
    let delay = model("flr_delay", &<[u8]>::to_vec);
    let express = ConfigSpace::new(&delay.description.config).unwrap().pci_express().unwrap().offset();
    let device_control = u64::from(express) + 8;
    assert!(has(&delay, device_control) && !has(&delay, 0xa8));
    assert!(has(&moved(&delay), 0xa8) && !has(&moved(&delay), device_control));
    // AMD's reset register stands within the capability.
    let polaris = moved(&model("polaris10_config", &|config| with_express(config, 0x58)));
    assert!(has(&polaris, 0x7c) && !has(&polaris, 0xa0 + 0x24));
}
