//! Descriptions of machines are input: each mistake is one error with its place, nothing panics.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;
use std::time::Duration;
use vfio_reset::machine::Clock;
use vfio_reset::machine::simulated::{Behaviour, ResetKind, Simulated};
use vfio_reset::{Error, Machine};

const ENDPOINT: &str = "vendor = 0x8086\ndevice = 1\nclass = 0x020000\n";

/// Where the error is, and what it says.
fn error(text: &str) -> (usize, usize, String) {
    match Simulated::from_toml(text, "m.toml").map(|_| ()) {
        Err(Error::Malformed { file, line, column, message }) => {
            assert_eq!(file.to_str(), Some("m.toml"));
            (line, column, message)
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused(functions: &str, line: usize, message: &str) {
    let (at, column, said) = error(&format!("schema = 1\n{functions}"));
    assert!(said.contains(message), "{said}");
    assert_eq!(at, line, "{said}");
    assert!(column > 0);
}

#[test]
fn each_impossible_value_is_told_with_its_place() {
    let function =
        |address: &str, more: &str| format!("[[function]]\naddress = \"{address}\"\n{ENDPOINT}{more}\n");
    let bridge = |address: &str, secondary: u8, subordinate: u8| {
        format!(
            "[[function]]\naddress = \"{address}\"\nvendor = 1\ndevice = 1\nclass = 0x060400\n\
                 bridge = {{ secondary = {secondary}, subordinate = {subordinate} }}\n"
        )
    };
    assert_eq!(error("schema = 2").2, "schema 2: this version reads schema 1");
    assert_eq!(error("schema = 1\nbogus = 1").0, 2);
    refused(&function("00:20.0", ""), 3, "the device 0x20 is above 0x1f");
    refused(&(function("00:01.0", "") + &function("0000:00:01.0", "")), 9, "described twice");
    refused(&function("05:00.0", ""), 3, "no bridge leads to bus 05");
    refused(&function("00:01.0", "bars = [{ bar = 0, size = 3000 }]"), 7, "expected a power of two");
    refused(
        &function("00:01.0", "bars = [{ bar = 5, kind = \"memory64\", size = 4096 }]"),
        7,
        "there is no BAR 5",
    );
    refused(&function("00:01.0", "bars = [{ bar = 0, address = 0x1000, size = 0x2000 }]"), 7, "not aligned");
    refused(&function("00:01.0", "capabilities = [\"teleport\"]"), 7, "teleport");
    refused(&function("00:01.0", "capabilities = [{ pci_express = { speed = 9 } }]"), 7, "link speeds");
    refused(&function("00:01.0", "capabilities = [\"aer\"]"), 7, "no room for extended capability");
    refused(
        &function(
            "00:01.0",
            "config_size = 4096\ncapabilities = [{ readiness_time_reporting = { reset_ms = 17147, flr_ms = 0, d3hot_to_d0_ms = 0 } }]",
        ),
        8,
        "17146 ms at most",
    );
    refused(&function("00:01.0", "behaviour = { dies_on = [\"boredom\"] }"), 7, "boredom");
    refused(&function("00:01.0", "behaviour = { explodes = true }"), 7, "explodes");
    refused(&function("00:01.0", "physfn = \"00:02.0\""), 3, "no function with SR-IOV");
    refused("[[function]]\naddress = \"00:01.0\"\nvendor = 1\n", 3, "no `class`");
    refused(&(bridge("00:01.0", 2, 1)), 3, "the subordinate bus is the highest below");
    refused(&(bridge("00:01.0", 1, 2) + &bridge("01:00.0", 1, 1)), 9, "a bus below has a higher number");
    refused(&(bridge("00:01.0", 1, 1) + &bridge("00:02.0", 1, 1)), 9, "both lead to bus 01");
    refused(&(function("00:01.0", "config = \"00: 86 80\"")), 7, "`config` and `vendor`");
}

#[test]
fn an_image_must_be_whole_and_of_its_function() {
    let rows: String =
        (0..4).map(|row| format!("{:02x}: 86 80 01 00{}\n", row * 16, " 00".repeat(12))).collect();
    let image = |address: &str, text: &str| {
        format!("[[function]]\naddress = \"{address}\"\nconfig = \"\"\"\n{text}\"\"\"\n")
    };
    let good = format!("schema = 1\n{}", image("00:01.0", &rows));
    assert_eq!(
        Simulated::from_toml(&good, "m").unwrap().config("00:01.0".parse().unwrap()).unwrap().len(),
        64
    );
    refused(&image("00:01.0", &rows.replace("20: 86", "20: 8x")), 5, "missing from offset 0x20");
    refused(&image("00:01.0", &format!("00:02.0 x\n{rows}")), 4, "the image is of 0000:00:02.0");
    refused(&image("00:01.0", &rows[..rows.len() / 2]), 4, "expected 64, 256 or 4096");
    // Header type 1 with 5 as its primary bus.
    let bridge = rows
        .replace(
            "00: 86 80 01 00 00 00 00 00 00 00 00 00 00 00 00",
            "00: 86 80 01 00 00 00 00 00 00 00 00 00 00 00 01",
        )
        .replace("10: 86 80 01 00 00 00 00 00 00", "10: 86 80 01 00 00 00 00 00 05");
    refused(&image("00:01.0", &bridge), 3, "is a bridge that says that its bus is 05");
}

proptest! {
    #[test]
    fn any_text_is_a_machine_or_an_error(text in "\\PC*") {
        let _ = Simulated::from_toml(&text, "m.toml");
    }

    #[test]
    fn any_damage_to_a_machine_is_an_error_or_harmless(at in 0_usize..20_000, with in "\\PC{0,8}", cut in 0_usize..64) {
        let zoo = include_str!("../src/machine/simulated/machines/zoo.toml");
        let start = at.min(zoo.len());
        let end = (start + cut).min(zoo.len());
        let text = format!("{}{with}{}", &zoo[..start], &zoo[end..]);
        if let Ok(machine) = Simulated::from_toml(&text, "m.toml") {
            for address in machine.functions().unwrap() {
                machine.config(address).unwrap();
            }
        }
    }

    #[test]
    fn any_image_is_a_function(bytes in proptest::collection::vec(any::<u8>(), 256), writes in writes()) {
        let rows: String = bytes
            .chunks(16)
            .enumerate()
            .map(|(row, bytes)| {
                let bytes: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{:02x}: {}\n", row * 16, bytes.join(" "))
            })
            .collect();
        let text = format!("schema = 1\n[[function]]\naddress = \"00:01.0\"\nconfig = \"\"\"\n{rows}\"\"\"\n");
        if let Ok(machine) = Simulated::from_toml(&text, "m.toml") {
            let address = "00:01.0".parse().unwrap();
            for (offset, bytes) in writes {
                let _ = machine.write_config(address, offset % 256, &bytes);
            }
            machine.facts(address).unwrap();
            let _ = machine.kernel_reset(address, Duration::from_secs(600));
        }
    }

    /// Ids, class, header type and the capability lists are the hardware's; a reset gives the rest
    /// back the value that it has after every reset.
    #[test]
    fn no_write_changes_what_is_read_only_and_a_reset_undoes_the_rest(writes in writes()) {
        let reset = |machine: &Simulated| {
            machine.write_config("00:05.0".parse().unwrap(), 0x3e, &[0x42, 0]).unwrap();
            machine.sleep(Duration::from_millis(2));
            machine.write_config("00:05.0".parse().unwrap(), 0x3e, &[0x02, 0]).unwrap();
            machine.sleep(Duration::from_millis(200));
            machine.config("02:00.0".parse().unwrap()).unwrap()
        };
        let fresh = reset(&Simulated::zoo());
        let machine = Simulated::zoo();
        let address = "02:00.0".parse().unwrap();
        for (offset, bytes) in writes {
            machine.write_config(address, offset.min(4092), &bytes).unwrap();
        }
        machine.sleep(Duration::from_millis(200));
        let written = reset(&machine);
        let space = pcicfg::ConfigSpace::new(&fresh).unwrap();
        let at = |id| space.capabilities().map(Result::unwrap).find(|c| c.id().0 == id).map(|c| usize::from(c.offset()));
        let (pm, express) = (at(1).unwrap(), at(0x10).unwrap());
        for i in 0..fresh.len() {
            // Sticky: PME's enable, Device Control's auxiliary power, Link Control 2, errors.
            let sticky = i == pm + 5 || i == express + 9 || (express + 0x30..express + 0x32).contains(&i) || i >= 0x100;
            prop_assert!(sticky || fresh[i] == written[i], "{i:#x}: {:02x} {:02x}", fresh[i], written[i]);
        }
        prop_assert_eq!(&fresh[..4], &written[..4]);
        prop_assert_eq!(fresh[0x100..0x104].to_vec(), written[0x100..0x104].to_vec());
    }

    #[test]
    fn any_state_is_taken_or_refused(text in "\\PC*", number in any::<i64>(), key in 0_usize..3) {
        let zoo = Simulated::zoo();
        let mut state = zoo.save_state();
        let keys = ["now", "kernel", "hardware"];
        state[keys[key]] = if number % 2 == 0 { number.into() } else { text.into() };
        let _ = zoo.load_state(&state, "state.json");
    }

    #[test]
    fn a_hostile_state_is_taken_and_used_or_refused(
        spoilings in proptest::collection::vec(spoiling(), 1..8),
        function in 0_usize..43,
    ) {
        let machine = Simulated::zoo();
        let functions = machine.functions().unwrap();
        let mut state = machine.save_state();
        for spoiling in &spoilings {
            spoil(&mut state, spoiling, &functions);
        }
        if machine.load_state(&state, "state.json").is_ok() {
            let functions = machine.functions().unwrap();
            let Some(&address) = functions.get(function % functions.len().max(1)) else { return Ok(()) };
            let _ = machine.config(address);
            let _ = machine.kernel_reset(address, Duration::from_secs(600));
            machine.sleep(Duration::from_secs(1));
            let _ = machine.set_attribute(address, vfio_reset::machine::Attribute::Remove, "1");
            for address in machine.functions().unwrap() {
                let _ = machine.set_attribute(address, vfio_reset::machine::Attribute::Rescan, "1");
                let _ = machine.kernel_reset(address, Duration::from_secs(1));
            }
            machine.sleep(Duration::MAX);
            let _ = machine.kernel_reset(address, Duration::from_secs(1));
            machine.kernel_log(vfio_reset::machine::LogMark::default()).unwrap();
        }
    }

    #[test]
    fn no_sequence_of_steps_panics(steps in proptest::collection::vec((0_u8..8, 0_usize..43, writes()), 1..12)) {
        let machine = Simulated::zoo().with("01:00.0", Behaviour::dies_on(ResetKind::Conventional));
        for (step, function, writes) in steps {
            let functions = machine.functions().unwrap();
            let Some(&address) = functions.get(function % functions.len().max(1)) else { continue };
            match step {
                0 => { let _ = machine.kernel_reset(address, Duration::from_secs(1)); }
                1 => { let _ = machine.set_attribute(address, vfio_reset::machine::Attribute::Rescan, "1"); }
                2 if address.bus() != 0 => {
                    let _ = machine.set_attribute(address, vfio_reset::machine::Attribute::Remove, "1");
                }
                3 => machine.sleep(Duration::from_millis(50)),
                4 => {
                    let state = machine.save_state();
                    machine.load_state(&state, "state.json").unwrap();
                }
                _ => for (offset, bytes) in writes {
                    let _ = machine.write_config(address, offset, &bytes);
                },
            }
        }
    }
}

/// The end of time is no time to add to; and nobody waits for it.
#[test]
fn a_state_after_ten_years_is_refused() {
    let zoo = Simulated::zoo();
    let good = zoo.save_state();
    let late = serde_json::json!({ "secs": u64::MAX, "nanos": 999_999_999 });
    let task = serde_json::json!({ "time": late, "port": "0000:00:05.0", "until": late });
    let patient = serde_json::json!({
        "time": { "secs": 1, "nanos": 0 }, "port": "0000:00:05.0", "until": { "secs": 1000, "nanos": 0 }
    });
    for (pointer, value, message) in [
        ("/now", &late, "now is 18446744073709551615 s: expected ten years at most"),
        ("/kernel/devices/0000:01:00.0/locked_until", &late, "locked_until of 0000:01:00.0"),
        ("/kernel/tasks", &serde_json::json!([task]), "the time of a task"),
        ("/kernel/tasks", &serde_json::json!([patient]), "for longer than a minute"),
    ] {
        let mut state = good.clone();
        *state.pointer_mut(pointer).unwrap() = value.clone();
        let error = zoo.load_state(&state, "state.json").unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    zoo.sleep(Duration::MAX);
    zoo.kernel_reset("01:00.0".parse().unwrap(), Duration::from_secs(1)).unwrap();
}

/// A well-formed value that nobody saved.
#[derive(Clone, Debug)]
enum Spoiling {
    Now(Duration),
    Locked(usize, Duration),
    Timing(usize, Duration, Duration),
    Registers(usize, Vec<(u16, Vec<u8>)>),
    Link(usize, bool, Option<Duration>, u8, u8, &'static str),
    Task(usize, Duration, Duration),
    Saved(usize, Vec<(u16, u8, u32)>),
    Lost(usize, u16),
}

fn time() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (0_u64..200, 0_u32..1_000_000_000).prop_map(|(secs, nanos)| Duration::new(secs, nanos)),
        (0_u64..400_000_000).prop_map(Duration::from_secs),
        (any::<u64>(), 0_u32..1_000_000_000).prop_map(|(secs, nanos)| Duration::new(secs, nanos)),
        Just(Duration::MAX),
    ]
}

fn spoiling() -> impl Strategy<Value = Spoiling> {
    let function = 0_usize..43;
    let saved = proptest::collection::vec((any::<u16>(), any::<u8>(), any::<u32>()), 0..8);
    let power = prop_oneof![Just("on"), Just("off"), Just("unplugged")];
    let link =
        (function.clone(), any::<bool>(), proptest::option::of(time()), any::<u8>(), any::<u8>(), power);
    prop_oneof![
        time().prop_map(Spoiling::Now),
        (function.clone(), time()).prop_map(|(f, time)| Spoiling::Locked(f, time)),
        (function.clone(), time(), time())
            .prop_map(|(f, ready, settled)| Spoiling::Timing(f, ready, settled)),
        (function.clone(), writes()).prop_map(|(f, writes)| Spoiling::Registers(f, writes)),
        link.prop_map(|(f, up, until, speed, width, power)| Spoiling::Link(
            f, up, until, speed, width, power
        )),
        (function.clone(), time(), time()).prop_map(|(f, time, until)| Spoiling::Task(f, time, until)),
        (function.clone(), saved).prop_map(|(f, saved)| Spoiling::Saved(f, saved)),
        (function, any::<u16>()).prop_map(|(f, lost)| Spoiling::Lost(f, lost)),
    ]
}

fn spoil(state: &mut serde_json::Value, spoiling: &Spoiling, functions: &[pcicfg::Address]) {
    use serde_json::json;
    let name = |f: &usize| functions[f % functions.len()].to_string();
    match spoiling {
        Spoiling::Now(now) => state["now"] = json!(now),
        Spoiling::Locked(f, time) => state["kernel"]["devices"][name(f)]["locked_until"] = json!(time),
        Spoiling::Timing(f, ready, settled) => {
            let timing = &mut state["hardware"][name(f)]["function"]["timing"];
            timing["ready_at"] = json!(ready);
            timing["settled_at"] = json!(settled);
        }
        Spoiling::Registers(f, writes) => {
            for (offset, bytes) in writes {
                let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                let offset = (offset % 256).to_string();
                state["hardware"][name(f)]["function"]["registers"][offset] = json!(hex);
            }
        }
        Spoiling::Link(f, up, until, speed, width, power) => {
            state["hardware"][name(f)]["link"] = json!({
                "up": up, "training_until": until, "speed": speed, "width": width, "power": power
            });
        }
        Spoiling::Task(f, time, until) => {
            let task = json!({ "time": time, "port": name(f), "until": until });
            state["kernel"]["tasks"].as_array_mut().unwrap().push(task);
        }
        Spoiling::Saved(f, saved) => {
            let saved: Vec<_> = saved
                .iter()
                .map(|(offset, width, value)| {
                    json!({ "offset": offset, "width": width, "value": value, "forced": true })
                })
                .collect();
            state["kernel"]["devices"][name(f)]["saved"] = json!(saved);
        }
        Spoiling::Lost(f, lost) => state["hardware"][name(f)]["lost"] = json!(lost),
    }
}

fn writes() -> impl Strategy<Value = Vec<(u16, Vec<u8>)>> {
    let width = prop_oneof![Just(1_usize), Just(2), Just(4)];
    let bytes = width.prop_flat_map(|width| proptest::collection::vec(any::<u8>(), width));
    let offset = prop_oneof![0_u16..0x100, 0_u16..0x1000];
    proptest::collection::vec((offset, bytes), 0..40)
}
