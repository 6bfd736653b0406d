//! The vendor sequences against the recorded runs of the kernel module, and against models of our own.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::recording::{Recording, effective_writes};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;
use vfio_reset::machine::{Clock, Machine};
use vfio_reset::vendor::model::ModelHost;
use vfio_reset::vendor::run::{Run, run_on};
use vfio_reset::vendor::{Devices, Model};

/// One run, and how it should end.
struct Scenario {
    name: String,
    outcome: String,
    writes: String,
    /// The model, as JSON.
    model: Value,
}

impl Scenario {
    fn host(&self) -> ModelHost {
        let text = self.model.to_string();
        let blob = |name: &str| Ok(common::blob(name));
        let model = Model::parse(&text, Path::new(&self.name), &blob).unwrap_or_else(|e| panic!("{e}"));
        ModelHost::new(model, self.name.clone())
    }

    /// Takes the sequence, and gives what reached the device, in order.
    fn take(&self, swap: Option<usize>) -> (Run, Vec<Write>, ModelHost) {
        let host = self.host();
        let recording = Recording::new(&host, swap);
        let run = run_on(&recording, host.address(), &Devices::built_in(), Duration::from_secs(60)).unwrap();
        let writes = effective_writes(&recording.accesses(), &self.model);
        (run, writes, host)
    }
}

type Write = (String, u64, u32);

fn scenarios(file: &str) -> Vec<Scenario> {
    let text = std::fs::read_to_string(format!("tests/vendor/{file}")).unwrap();
    let list: Vec<Value> = serde_json::from_str(&text).unwrap();
    list.iter().map(scenario).collect()
}

fn scenario(entry: &Value) -> Scenario {
    let text = |key: &str| entry[key].as_str().unwrap().to_string();
    Scenario {
        name: text("scenario"),
        outcome: text("outcome"),
        writes: text("writes"),
        model: common::changed(&text("model"), &entry["changes"]),
    }
}

fn all() -> Vec<Scenario> {
    scenarios("scenarios.json").into_iter().chain(scenarios("own.json")).collect()
}

fn find(name: &str) -> Scenario {
    all().into_iter().find(|scenario| scenario.name == name).unwrap()
}

/// The writes of the recorded runs. The recorded module marks the engine of a Vega 20 as hung at byte
/// 0xc; the register is at 0x13c.
fn recorded() -> HashMap<String, Vec<Write>> {
    let mut runs: HashMap<String, Vec<Write>> = HashMap::new();
    let mut name = String::new();
    for line in std::fs::read_to_string("tests/vendor/writes.txt").unwrap().lines() {
        if let Some(run) = line.strip_prefix('[') {
            name = run.trim_end_matches(']').to_string();
            runs.insert(name.clone(), Vec::new());
            continue;
        }
        let words: Vec<&str> = line.split(' ').collect();
        let number = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap();
        let offset = match (words[0], number(words[1])) {
            ("mmio", 0xc) => 0x13c,
            (_, offset) => offset,
        };
        let write = (words[0].to_string(), offset, number(words[2]) as u32);
        runs.get_mut(&name).unwrap().push(write);
    }
    runs
}

/// What is wrong with the writes, if something is.
fn compare(scenario: &Scenario, writes: &[Write], recorded: &HashMap<String, Vec<Write>>) -> Option<String> {
    let none = Vec::new();
    let wanted = match scenario.writes.as_str() {
        "-" => return None,
        "none" => &none,
        "same" => &recorded[&scenario.name],
        other => &recorded[other],
    };
    let place = (0..wanted.len().max(writes.len())).find(|&at| wanted.get(at) != writes.get(at))?;
    Some(format!("write {place}: want {:x?}, got {:x?}", wanted.get(place), writes.get(place)))
}

#[test]
fn every_recorded_run_and_every_model_of_our_own_ends_as_it_should() {
    let recorded = recorded();
    let mut wrong = Vec::new();
    let all = all();
    for scenario in &all {
        let (run, writes, _) = scenario.take(None);
        if scenario.outcome != "-" && run.verdict.to_string() != scenario.outcome {
            let outcome = &scenario.outcome;
            wrong.push(format!("{}: want {outcome}, got {}: {}", scenario.name, run.verdict, run.text));
        }
        wrong.extend(compare(scenario, &writes, &recorded).map(|text| format!("{}: {text}", scenario.name)));
    }
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), all.len(), wrong.join("\n"));
    assert_eq!(all.iter().filter(|scenario| scenario.writes == "same").count(), recorded.len());
}

#[test]
fn two_writes_in_the_wrong_order_are_found() {
    let recorded = recorded();
    for name in ["polaris10_baco_ok", "vega10_ok", "vega20_mode1_ok", "navi10_ok_discovery"] {
        let scenario = find(name);
        let (run, writes, _) = scenario.take(None);
        assert_eq!(
            (run.verdict.to_string().as_str(), compare(&scenario, &writes, &recorded)),
            ("reset", None)
        );
        // The write that begins the reset arrives at the device after the one that follows it.
        let swapped = writes.len() - 2;
        let (_, broken, _) = scenario.take(Some(swapped));
        let text = compare(&scenario, &broken, &recorded);
        assert!(text.is_some_and(|text| text.starts_with("write ")), "{name}");
    }
}

#[test]
fn a_broken_order_ends_in_a_failure_that_says_what_did_not_come() {
    let scenario = find("polaris10_baco_ok");
    let (_, writes, _) = scenario.take(None);
    // EN falls before RESET_EN: the power never becomes good.
    let power_off = writes.iter().position(|(_, at, value)| (*at, *value) == (0x5394, 0x4_0051)).unwrap();
    let (run, ..) = scenario.take(Some(power_off));
    assert_ne!(run.verdict.to_string(), "reset", "{}", run.text);
}

#[test]
fn a_trace_holds_exactly_what_reached_the_device() {
    for name in
        ["polaris10_pciconfig_ok", "vega10_small_bar5", "vega20_psp_no_ack_baco_ok", "navi10_cfg_lost"]
    {
        let scenario = find(name);
        let host = scenario.host();
        let recording = Recording::new(&host, None);
        let run = run_on(&recording, host.address(), &Devices::built_in(), Duration::from_secs(60)).unwrap();
        let traced: Vec<String> = run.trace.events().map(|event| plain(&event.to_string())).collect();
        let seen = recording.accesses();
        // The engine saves before and restores after; what the sequence did lies in between, without a gap.
        let inner: Vec<String> = seen.iter().map(ToString::to_string).collect();
        let first = inner.iter().position(|access| access.starts_with("R ") || access.starts_with("W "));
        let last = inner.iter().rposition(|access| access.starts_with("R ") || access.starts_with("W "));
        let inner = &inner[first.unwrap()..=last.unwrap()];
        let first = traced.iter().position(|access| access.starts_with("R ") || access.starts_with("W "));
        let last = traced.iter().rposition(|access| access.starts_with("R ") || access.starts_with("W "));
        assert_eq!(inner, &traced[first.unwrap()..=last.unwrap()], "{name}");
        assert_eq!(run.trace.dropped(), 0);
    }
}

/// An access without the register's name.
fn plain(event: &str) -> String {
    event.split(" #").next().unwrap().to_string()
}

#[test]
fn whatever_happens_command_and_bars_end_as_they_began() {
    for scenario in &all() {
        let before = scenario.host();
        let (_, _, after) = scenario.take(None);
        for address in before.functions().unwrap() {
            let header = |host: &ModelHost| host.config(address).unwrap()[..0x40].to_vec();
            assert_eq!(header(&after), header(&before), "{}: {address}", scenario.name);
        }
    }
}

#[test]
fn the_window_into_video_memory_is_left_as_it_was() {
    let mut scenario = find("navi10_ok_discovery");
    let registers = scenario.model["regs"].as_array_mut().unwrap();
    for (offset, value) in [("0x0", "0x00001234"), ("0x18", "0x00000007")] {
        registers.retain(|register| register["space"] != "mmio" || register["off"] != offset);
        registers.push(json!({ "space": "mmio", "off": offset, "name": "window", "init": value }));
    }
    let (run, _, host) = scenario.take(None);
    assert_eq!(run.verdict.to_string(), "reset", "{}", run.text);
    for (offset, value) in [(0x0, 0x1234), (0x18, 7)] {
        let mut bytes = [0; 4];
        host.read_bar(host.address(), 5, offset, &mut bytes).unwrap();
        assert_eq!(u32::from_le_bytes(bytes), value, "{offset:#x}");
    }
}

/// What a register was given last.
fn last(writes: &[Write], at: u64) -> Option<u32> {
    writes.iter().rfind(|(space, offset, _)| (space.as_str(), *offset) == ("mmio", at)).map(|write| write.2)
}

#[test]
fn a_vega_10_that_is_not_switched_off_gets_its_video_memory_back() {
    let (run, writes, _) = find("vega10_baco_enter_idle_timeout").take(None);
    assert_eq!(run.verdict.to_string(), "failed");
    assert_eq!(last(&writes, 0x387c), Some(3));
}

#[test]
fn a_polaris_whose_memory_is_in_reset_keeps_it_shut_and_says_so() {
    let (run, writes, _) = find("polaris10_pll_poll_timeout").take(None);
    assert_eq!(run.verdict.to_string(), "failed");
    assert_eq!(last(&writes, 0x5490), Some(0), "BIF_FB_EN");
    assert_eq!(last(&writes, 0x1730), Some(0x140), "BIOS_SCRATCH_3 without the mark");
    assert!(run.notes.iter().any(|note| note.contains("video memory is shut")), "{:?}", run.notes);
}

#[test]
fn a_polaris_that_dies_on_the_way_out_of_its_switching_off_takes_back_what_it_had_set() {
    // BACO_CNTL does not take BCLK_OFF.
    let mut scenario = find("polaris10_baco_ok");
    let refuses = json!({ "space": "mmio", "off": "0x5394", "mask": "0x2", "match": "0x2", "note": "no BCLK_OFF", "do": [
        { "op": "and_or", "space": "mmio", "off": "0x5394", "and": "0xfffffffd", "or": "0x0", "after_us": 0 }
    ]});
    scenario.model["triggers"].as_array_mut().unwrap().push(refuses);
    let (run, writes, _) = scenario.take(None);
    assert_eq!(run.verdict.to_string(), "failed");
    assert!(run.text.contains("BACO_BCLK_OFF"), "{}", run.text);
    // EN, SCLK_SWITCH, BCLK_OFF and POWER_OFF clear, isolation off.
    assert_eq!(last(&writes, 0x5394).map(|value| value & 0x4_008f), Some(0x84));
    assert_eq!(last(&writes, 0x5490), Some(0), "BIF_FB_EN");
}

#[test]
fn a_polaris_that_refuses_before_its_clocks_are_touched_opens_its_video_memory_again() {
    // The clocks' window reads all-ones once requests are rejected: nobody answers behind it.
    let mut scenario = find("polaris10_baco_ok");
    let gone = json!({ "space": "mmio", "off": "0x5490", "mask": "0xffffffff", "match": "0x0", "note": "gone", "do": [
        { "op": "and_or", "space": "smc", "off": "0xc0500140", "and": "0x0", "or": "0xffffffff", "after_us": 0 }
    ]});
    scenario.model["triggers"].as_array_mut().unwrap().push(gone);
    let (run, writes, _) = scenario.take(None);
    assert_eq!(run.verdict.to_string(), "failed");
    let ends: Vec<&Write> = writes.iter().filter(|write| [0x5490, 0xc030_0024].contains(&write.1)).collect();
    let [.., reject, open] = ends.as_slice() else { panic!("{writes:x?}") };
    assert_eq!((reject.1, reject.2 & 1), (0xc030_0024, 0), "first the rejecting");
    assert_eq!((open.1, open.2), (0x5490, 3), "then the memory");
}

#[test]
fn a_failing_mi100_gets_the_scratch_register_back_that_it_had() {
    let mut scenario = find("mi100_psp_no_ack");
    for register in scenario.model["regs"].as_array_mut().unwrap() {
        if register["off"] == "0x58200" {
            register["init"] = json!("0x0");
        }
    }
    for scenario in [scenario, find("mi100_psp_no_ack")] {
        let (run, writes, _) = scenario.take(None);
        assert_eq!(run.verdict.to_string(), "failed");
        assert_eq!(last(&writes, 0x13c), Some(0x140));
    }
}

#[test]
fn a_window_into_the_aperture_s_own_end_is_left_as_it_was() {
    for name in ["vega10_small_bar5", "navi10_small_bar5"] {
        let mut scenario = find(name);
        let registers = scenario.model["regs"].as_array_mut().unwrap();
        registers.retain(|register| register["space"] != "mmio" || register["off"] != "0x0");
        registers.push(json!({ "space": "mmio", "off": "0x0", "name": "MM_INDEX", "init": "0x00001234" }));
        let (run, _, host) = scenario.take(None);
        assert_eq!(run.verdict.to_string(), "reset", "{}", run.text);
        let mut bytes = [0; 4];
        host.read_bar(host.address(), 5, 0, &mut bytes).unwrap();
        assert_eq!(u32::from_le_bytes(bytes), 0x1234, "{name}");
    }
}

#[test]
fn a_feature_mask_of_all_ones_is_nobody_answering() {
    let mut scenario = find("vega10_ok");
    for trigger in scenario.model["triggers"].as_array_mut().unwrap() {
        if trigger["match"] == "0x00000006" {
            trigger["do"][0]["or"] = json!("0xffffffff");
        }
    }
    let (run, writes, _) = scenario.take(None);
    assert_eq!(run.verdict.to_string(), "failed", "{}", run.text);
    assert!(writes.iter().all(|write| (write.1, write.2) != (0x58a08, 5)), "no feature is switched off");
}

/// A table in video memory with the right sums, whatever it says.
#[test]
fn a_table_that_a_guest_has_made_does_not_lead_the_reset_astray() {
    for (file, why) in [
        ("discovery_zero_bases.bin", "has no base for segment 0 of the SMU (MP1)"),
        ("discovery_short_nbif.bin", "has no base for segment 2 of the interface to PCI Express (NBIF)"),
        ("discovery_nbif_elsewhere.bin", "puts the size of video memory at 0x778c"),
    ] {
        let mut scenario = find("navi10_ok_discovery");
        scenario.model["vram"]["blobs"][0]["file"] = json!(file);
        let (run, writes, _) = scenario.take(None);
        assert_eq!(
            (run.verdict.to_string().as_str(), compare(&scenario, &writes, &recorded())),
            ("reset", None)
        );
        assert!(run.notes.iter().any(|note| note.contains(why)), "{file}: {:?}", run.notes);
    }
}

#[test]
fn an_mi100_is_never_sent_the_messages_of_a_vega_20() {
    let (run, writes, _) = find("mi100_psp_no_ack").take(None);
    assert_eq!(run.verdict.to_string(), "failed");
    assert!(writes.iter().all(|(_, offset, _)| *offset != 0x58a08), "{writes:x?}");
}

#[test]
fn a_card_whose_sign_of_life_is_late_is_waited_for() {
    let mut scenario = find("vega10_ok");
    let late =
        std::iter::repeat_n("0x0", 1500).chain(std::iter::repeat_n("0xffffffff", 500)).chain(["0xd63"]);
    for register in scenario.model["regs"].as_array_mut().unwrap() {
        if register["off"] == "0x58244" {
            register["seq"] = late.clone().collect::<Vec<_>>().into();
        }
    }
    let (run, writes, _) = scenario.take(None);
    assert_eq!((run.verdict.to_string().as_str(), compare(&scenario, &writes, &recorded())), ("reset", None));
}

#[test]
fn the_time_budget_ends_a_wait() {
    let scenario = find("navi10_bootloader_timeout");
    let host = scenario.host();
    let run = run_on(&host, host.address(), &Devices::built_in(), Duration::from_secs(4)).unwrap();
    assert_eq!(run.verdict.to_string(), "failed");
    assert!(run.text.starts_with("the time budget was over before MP0_SMN_C2PMSG_35"), "{}", run.text);
    assert!(run.time < Duration::from_millis(4_500), "{:?}", run.time);
    assert_eq!(Clock::now(&host), run.time, "nothing slept elsewhere");
}

#[test]
fn a_device_that_belongs_to_no_family_is_refused() {
    let mut scenario = find("navi10_ok_legacy");
    scenario.model["pci"]["device"] = json!("0x73bf");
    scenario.model["pci"]["config"]["0x00"] = json!("0xbeef1002");
    let (run, writes, _) = scenario.take(None);
    assert_eq!(run.verdict.to_string(), "refused");
    assert_eq!(run.text, "no vendor sequence is known for 1002:beef");
    assert_eq!(writes, []);
}
