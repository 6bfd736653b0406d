//! A vendor reset is reported as one only if something shows that it happened and the device is there
//! afterwards.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::recording::{Access, Recording, effective_writes};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use vfio_reset::vendor::model::ModelHost;
use vfio_reset::vendor::operation::Operation;
use vfio_reset::vendor::run::{Run, Verdict, run_on};
use vfio_reset::vendor::trace::Entry;
use vfio_reset::vendor::{Devices, FAMILIES, Family, Model};

type Write = (String, u64, u32);

fn model(name: &str) -> Value {
    common::changed(name, &json!({}))
}

fn take(model: &Value) -> (Run, Vec<Write>, Vec<Access>) {
    let parsed =
        Model::parse(&model.to_string(), Path::new("test.json"), &|name| Ok(common::blob(name))).unwrap();
    let host = ModelHost::new(parsed, "test".to_string());
    let recording = Recording::new(&host, None);
    let run = run_on(&recording, host.address(), &Devices::built_in(), Duration::from_secs(600)).unwrap();
    (run, effective_writes(&recording.accesses(), model), recording.accesses())
}

/// The models on which a family fails.
const FAILING: [&str; 5] =
    ["polaris10_stays_on", "vega10_stays_on", "vega20_refuses", "mi100_psp_silent", "navi10_psp_silent"];

/// The shipped models that a family is shown on.
fn rehearsals() -> impl Iterator<Item = (&'static Family, &'static str)> {
    FAMILIES.iter().flat_map(|family| family.rehearsals.iter().map(|rehearsal| (*family, rehearsal.model)))
}

fn push(model: &mut Value, list: &str, value: Value) {
    if model[list].is_null() {
        model[list] = json!([]);
    }
    model[list].as_array_mut().unwrap().push(value);
}

fn init(model: &mut Value, offset: &str, value: &str) {
    let registers = model["regs"].as_array_mut().unwrap();
    registers.retain(|register| register["space"] != "mmio" || register["off"] != offset);
    registers.push(json!({ "space": "mmio", "off": offset, "name": "", "init": value }));
}

/// The trigger that is the reset, by the beginning of its note.
fn reset_trigger(model: &str) -> &'static str {
    match model {
        "polaris10_baco" => "enter: POWER_OFF",
        "polaris10_config" => "cfgreset",
        "vega10" => "enter: THM",
        // It is off, and does not come on.
        "vega10_off" => "exit2",
        "vega20_mode1" | "mi100_mode1" | "navi10" | "navi10_smu_silent" | "vega10_smu_silent" => "mode1",
        "vega20_psp_silent" => "enter: EnterBaco",
        "vega20_baco" => "enter: EnterBaco",
        "navi2x_mode1" | "navi31_mode1" | "navi32_mode1" | "navi33_mode1" | "renoir_mode1" => "mode 1",
        "vangogh_mode2" => "mode 2",
        // The SMU's answer is all there is.
        "raven_mode2" | "renoir_mode2" | "rembrandt_mode2" | "phoenix_mode2" | "strix_mode2" => {
            "every message"
        }
        "hawaii" => "away for",
        "intel_ivybridge" => "no such trigger",
        _ => "function level reset",
    }
}

fn without_reset(name: &str) -> Value {
    let mut model = model(name);
    let note = reset_trigger(name);
    let triggers = model["triggers"].as_array_mut().unwrap();
    let before = triggers.len();
    triggers.retain(|trigger| !trigger["note"].as_str().unwrap().starts_with(note));
    assert!(triggers.len() < before || name == "intel_ivybridge", "{name} has no trigger {note}");
    model
}

#[test]
fn a_device_that_ignores_what_it_is_asked_for_is_never_reported_as_reset() {
    for (_, name) in rehearsals().filter(|(_, name)| !FAILING.contains(name)) {
        let (run, ..) = take(&without_reset(name));
        let expected = match name {
            // Nothing acknowledges these, and nothing is lost by them.
            "polaris10_config" | "hawaii" | "vangogh_mode2" | "intel_ivybridge" => Verdict::Unproven,
            // The SMU does it then.
            "vega20_mode1" => Verdict::Reset,
            _ => Verdict::Failed,
        };
        assert_eq!(run.verdict, expected, "{name}: {}", run.text);
        if expected == Verdict::Unproven {
            assert!(
                run.text.ends_with(": asked for; nothing shows whether it happened"),
                "{name}: {}",
                run.text
            );
        }
        if name == "vega20_mode1" {
            assert_eq!(run.text, "switched off and on by the SMU (BACO)");
        }
    }
}

#[test]
fn an_acknowledgement_of_an_earlier_reset_is_none() {
    for name in ["vega20_mode1", "mi100_mode1", "navi10", "renoir_mode1"] {
        let mut ignores = without_reset(name);
        init(&mut ignores, "0x58184", "0x80000000");
        let (run, ..) = take(&ignores);
        match name {
            "vega20_mode1" => assert_eq!(run.text, "switched off and on by the SMU (BACO)"),
            _ => {
                assert_eq!(run.verdict, Verdict::Failed, "{name}: {}", run.text);
                assert!(run.text.starts_with("nothing was reset: the PSP's acknowledgement"), "{}", run.text);
            }
        }
        // A mailbox that is ready again reads as it did before: the command may have been dropped.
        let mut drops = without_reset(name);
        init(&mut drops, "0x58184", "0x80000000");
        let dropped = json!({ "space": "mmio", "off": "0x58200", "mask": "0xffffffff", "match": "0x70000", "note": "dropped", "do": [
            { "op": "and_or", "space": "mmio", "off": "0x58200", "and": "0x0", "or": "0x80000000", "after_us": 10 }
        ]});
        push(&mut drops, "triggers", dropped);
        let (run, ..) = take(&drops);
        assert!(
            run.verdict != Verdict::Reset || run.text == "switched off and on by the SMU (BACO)",
            "{name}: {}",
            run.text
        );
        // A second reset that does happen finds the first one's acknowledgement, too.
        let mut again = model(name);
        init(&mut again, "0x58184", "0x80000000");
        assert_eq!(take(&again).0.verdict, Verdict::Reset, "{name}");
    }
}

#[test]
fn a_psp_that_refuses_the_command_is_not_taken_for_one_that_has_done_it() {
    let mut refuses = without_reset("mi100_mode1");
    init(&mut refuses, "0x58184", "0x80000000");
    let refusal = json!({ "space": "mmio", "off": "0x58200", "mask": "0xffffffff", "match": "0x70000", "note": "refused", "do": [
        { "op": "and_or", "space": "mmio", "off": "0x58200", "and": "0x0", "or": "0x80000007", "after_us": 10 }
    ]});
    push(&mut refuses, "triggers", refusal);
    let (run, ..) = take(&refuses);
    assert_eq!(run.verdict, Verdict::Failed, "{}", run.text);
}

#[test]
fn a_navi_whose_psp_is_dead_is_not_reset_by_the_acknowledgement_of_before() {
    for (ready, acknowledged) in [("0x0", "0x80000000"), ("0x0", "0x0"), ("0x80000000", "0x80000000")] {
        let mut dead = without_reset("navi10");
        init(&mut dead, "0x58200", ready);
        init(&mut dead, "0x58184", acknowledged);
        assert_eq!(take(&dead).0.verdict, Verdict::Failed, "{ready} {acknowledged}");
    }
}

#[test]
fn a_mode_2_whose_answer_comes_is_proven_and_one_that_is_refused_has_failed() {
    for (answer, verdict) in [("0x1", Verdict::Reset), ("0xff", Verdict::Failed)] {
        let mut answers = model("vangogh_mode2");
        let late = json!({ "space": "mmio", "off": "0x58a08", "mask": "0x0", "match": "0x0", "note": "answer", "do": [
            { "op": "and_or", "space": "mmio", "off": "0x58a68", "and": "0x0", "or": answer, "after_us": 3000 }
        ]});
        push(&mut answers, "triggers", late);
        let (run, ..) = take(&answers);
        assert_eq!(run.verdict, verdict, "{answer}: {}", run.text);
    }
}

#[test]
fn the_reset_register_is_proven_by_an_smc_that_runs_no_more() {
    for name in ["polaris10_config", "hawaii"] {
        let mut quick = without_reset(name);
        let stops = json!({ "space": "cfg", "off": "0x7c", "mask": "0xffffffff", "match": "0x39d5e86b", "note": "reset", "do": [
            { "op": "and_or", "space": "smc", "off": "0x80000370", "and": "0x0", "or": "0x1000", "after_us": 0 }
        ]});
        push(&mut quick, "triggers", stops);
        let (run, ..) = take(&quick);
        assert_eq!(run.verdict, Verdict::Reset, "{name}: {}", run.text);
    }
}

#[test]
fn a_virtual_function_is_marked_where_its_own_registers_are() {
    let take = |msi_x: &str, behaviour: &str| {
        let functions = [
            common::port(""),
            common::device(
                "0000:01:00.0",
                0x8086,
                0x10fb,
                0x02_00_00,
                "{ pci_express = { flr = true } }, \"ari\", { sriov = { total = 8, enabled = 1, offset = 0x80, stride = 2, device = 0x10ed } }",
                "",
            ),
            format!(
                "[[function]]\naddress = \"0000:01:10.0\"\nvendor = 0x8086\ndevice = 0x10ed\nclass = 0x020000\n\
                 capabilities = [{msi_x} {{ pci_express = {{ flr = true }} }}]\nphysfn = \"0000:01:00.0\"\n{behaviour}\n"
            ),
        ];
        let machine = common::machine(&functions.concat());
        run_on(&machine, common::at("01:10.0"), &Devices::built_in(), Duration::from_secs(60)).unwrap()
    };
    let msi_x = "{ msi_x = { vectors = 3 } },";
    let ignores = "behaviour = { reset_does_nothing = [\"flr\"] }";
    let run = take(msi_x, "");
    assert_eq!(run.verdict, Verdict::Reset, "{} {:?}", run.text, run.notes);
    let run = take(msi_x, ignores);
    assert_eq!(run.verdict, Verdict::Failed, "{}", run.text);
    assert!(run.text.starts_with("nothing was reset: MSI-X Message Control still reads"), "{}", run.text);
    // Without MSI-X there is nothing that it would lose for certain.
    for behaviour in ["", ignores] {
        assert_eq!(take("", behaviour).verdict, Verdict::Unproven);
    }
}

#[test]
fn a_card_that_dies_of_any_of_the_writes_is_never_reported_as_reset() {
    for (family, name) in rehearsals() {
        if family.bars.is_empty() {
            continue;
        }
        let mut writes = take(&model(name)).1;
        writes.sort();
        writes.dedup();
        for (space, offset, value) in writes {
            let mut dies = model(name);
            let death = json!({
                "space": space, "off": format!("{offset:#x}"), "mask": "0xffffffff", "match": format!("{value:#x}"),
                "note": "dies", "do": [{ "op": "dead", "for_us": 3_000_000_000u64, "after_us": 0 }]
            });
            push(&mut dies, "triggers", death);
            let (run, ..) = take(&dies);
            assert_eq!(
                run.verdict,
                Verdict::Failed,
                "{name}, {space} {offset:#x} = {value:#x}: {}",
                run.text
            );
        }
    }
}

#[test]
fn a_card_whose_memory_size_does_not_come_back_is_not_reset() {
    // Vega 10 with the first write to BACO_CNTL, the others with mode 1.
    for (name, offset, mask, value) in [
        ("vega10", "0x38ac", "0x0", "0x0"),
        ("vega20_mode1", "0x58200", "0xffffffff", "0x70000"),
        ("mi100_mode1", "0x58200", "0xffffffff", "0x70000"),
    ] {
        let mut away = model(name);
        let gone = json!({ "space": "mmio", "off": offset, "mask": mask, "match": value, "note": "gone", "do": [
            { "op": "and_or", "space": "mmio", "off": "0x378c", "and": "0x0", "or": "0xffffffff", "after_us": 0 }
        ]});
        push(&mut away, "triggers", gone);
        let (run, ..) = take(&away);
        assert_eq!(run.verdict, Verdict::Failed, "{name}: {}", run.text);
        assert!(run.text.contains("RCC_CONFIG_MEMSIZE"), "{name}: {}", run.text);
    }
}

#[test]
fn a_vega_20_whose_boot_loader_does_not_come_back_is_not_reset() {
    for name in ["vega20_mode1", "mi100_mode1"] {
        let mut stuck = model(name);
        for trigger in stuck["triggers"].as_array_mut().unwrap() {
            trigger["do"].as_array_mut().unwrap().retain(|action| action["after_us"] != 1_250_000);
        }
        let (run, ..) = take(&stuck);
        assert_eq!(run.verdict, Verdict::Failed, "{name}: {}", run.text);
        assert!(run.text.contains("MP0_SMN_C2PMSG_35"), "{name}: {}", run.text);
    }
}

#[test]
fn configuration_space_that_is_lost_on_the_way_is_given_back_and_the_reset_goes_on() {
    let lost = |offset: &str| {
        let zero = if offset == "0x4" { "0x00100000" } else { "0x0" };
        json!({ "op": "and_or", "space": "cfg", "off": offset, "and": "0x0", "or": zero, "after_us": 0 })
    };
    let lost: Vec<Value> = ["0x4", "0x10", "0x18", "0x20", "0x24"].into_iter().map(lost).collect();
    // Every write of the registers that switch power, and the messages that have it done.
    for (name, registers) in [
        ("polaris10_baco", &[0x5394][..]),
        ("polaris10_config", &[0x7c]),
        ("vega10", &[0x38ac, 0x5_99f0]),
        ("vega20_mode1", &[0x5_8200]),
        ("vega20_baco", &[0x5_8a08]),
        ("navi10", &[0x5_8200]),
        ("navi32_mode1", &[0x5_8a2c]),
    ] {
        let (_, expected, _) = take(&model(name));
        for (space, offset, value) in expected.iter().filter(|(_, offset, _)| registers.contains(offset)) {
            // Before power is switched nothing is lost; there a lost decoding is another failure.
            if name == "polaris10_baco" && value & 0x8 == 0 && value & 0x10 == 0 && value & 0x40 == 0 {
                continue;
            }
            if name == "vega10" && !(*value & 0x8 != 0 || *offset == 0x5_99f0) {
                continue;
            }
            let mut loses = model(name);
            loses["needs_mem_enable"] = json!(true);
            let trigger = json!({
                "space": space, "off": format!("{offset:#x}"), "mask": "0xffffffff", "match": format!("{value:#x}"),
                "note": "loses its configuration", "do": lost
            });
            push(&mut loses, "triggers", trigger);
            let (run, writes, _) = take(&loses);
            assert_eq!(run.verdict, Verdict::Reset, "{name}, {space} {offset:#x} = {value:#x}: {}", run.text);
            assert_eq!(writes, expected, "{name}, {space} {offset:#x} = {value:#x}");
        }
    }
}

#[test]
fn no_sequence_waits_longer_than_its_family_says() {
    for (family, name) in rehearsals() {
        let mut models = vec![model(name)];
        if !FAILING.contains(&name) {
            models.push(without_reset(name));
        }
        for model in models {
            let (run, ..) = take(&model);
            let mut longest = Duration::ZERO;
            for entry in run.trace.entries() {
                longest += match entry {
                    Entry::Operation { operation: Operation::Wait { patience, .. }, .. } => patience.total,
                    Entry::Operation { operation: Operation::Pause(time), .. } => *time,
                    // What is put back after a failure has its own time.
                    Entry::Call(what) if what == "undo" => break,
                    _ => Duration::ZERO,
                };
            }
            assert!(longest <= family.ceiling, "{name}: {longest:?}, and says {:?}", family.ceiling);
        }
    }
}

#[test]
fn an_unproven_reset_is_told_as_such_and_is_no_success() {
    let directory = std::env::temp_dir().join(format!("vfio-reset-unproven-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = directory.join("vangogh.json");
    std::fs::write(&file, model("vangogh_mode2").to_string()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_vfio-reset"))
        .args(["vendor", "trace", "--model"])
        .arg(&file)
        .output()
        .unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert!(
        text.ends_with(
            "RESULT unproven: mode 2 reset by the SMU: asked for; nothing shows whether it happened\n"
        ),
        "{text}"
    );
    assert!(text.contains("# next: "), "{text}");
}
