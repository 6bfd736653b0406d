//! The sequences that nobody has recorded, on models of our own: what they do, and how they fail.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::recording::{Access, Recording};
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use vfio_reset::machine::Machine;
use vfio_reset::vendor::model::ModelHost;
use vfio_reset::vendor::run::{Run, Verdict, run_on};
use vfio_reset::vendor::{Devices, FAMILIES, Model};

/// A shipped model, with some changes.
fn model(name: &str) -> Value {
    common::changed(name, &json!({}))
}

fn take(model: &Value) -> (Run, Vec<Access>, ModelHost) {
    let parsed =
        Model::parse(&model.to_string(), Path::new("test.json"), &|name| Ok(common::blob(name))).unwrap();
    let host = ModelHost::new(parsed, "test".to_string());
    let recording = Recording::new(&host, None);
    let run = run_on(&recording, host.address(), &Devices::built_in(), Duration::from_secs(60)).unwrap();
    let accesses = recording.accesses();
    (run, accesses, host)
}

/// Takes it, and gives how it ended and why.
fn ends(model: &Value) -> (Verdict, String) {
    let (run, ..) = take(model);
    (run.verdict, run.text)
}

fn register<'m>(model: &'m mut Value, offset: &str) -> &'m mut Value {
    model["regs"].as_array_mut().unwrap().iter_mut().find(|register| register["off"] == offset).unwrap()
}

fn drop_trigger(model: &mut Value, note: &str) {
    let triggers = model["triggers"].as_array_mut().unwrap();
    let before = triggers.len();
    triggers.retain(|trigger| !trigger["note"].as_str().unwrap().starts_with(note));
    assert_eq!(triggers.len() + 1, before, "{note}");
}

fn bar_writes(accesses: &[Access]) -> Vec<(u64, u32)> {
    let write = |access: &Access| match *access {
        Access::Bar { write: true, offset, value, .. } => Some((offset, value)),
        _ => None,
    };
    accesses.iter().filter_map(write).collect()
}

/// The place of the first write that begins a function level reset.
fn function_level_reset(accesses: &[Access]) -> Option<usize> {
    accesses.iter().position(
        |access| matches!(access, Access::Config { write: true, offset: 0x78, value, .. } if value & 0x8000 != 0),
    )
}

#[test]
fn every_family_is_shown_on_models_of_each_way_and_leaves_them_as_they_were() {
    for family in FAMILIES {
        assert!(!family.rehearsals.is_empty(), "{}", family.name);
        for rehearsal in family.rehearsals {
            let model = model(rehearsal.model);
            let parsed = Model::shipped(rehearsal.model).unwrap();
            let entry = Devices::built_in().find(parsed.ids()).cloned().unwrap();
            assert_eq!(entry.family, Some(*family), "{}", rehearsal.model);
            let fresh = ModelHost::new(parsed, "fresh".to_string());
            let (run, _, after) = take(&model);
            // Nothing that is known of these tells a device that was reset from one that was not.
            let expected = match rehearsal.model {
                "vangogh_mode2" | "intel_ivybridge" => Verdict::Unproven,
                // What is put back after a failure is shown, too.
                "polaris10_stays_on" | "vega10_stays_on" | "vega20_refuses" | "mi100_psp_silent"
                | "navi10_psp_silent" => Verdict::Failed,
                _ => Verdict::Reset,
            };
            assert_eq!(run.verdict, expected, "{}: {}", rehearsal.model, run.text);
            assert!(run.time <= family.ceiling, "{}: {:?}", family.name, run.time);
            assert!(run.time >= family.floor(), "{}: {:?}", family.name, run.time);
            for address in fresh.functions().unwrap() {
                let header = |host: &ModelHost| host.config(address).unwrap()[..0x40].to_vec();
                assert_eq!(header(&after), header(&fresh), "{}", rehearsal.model);
            }
        }
    }
}

#[test]
fn every_apu_is_asked_for_mode_2_with_its_own_message() {
    for (name, message) in [
        ("raven_mode2", 0x1e),
        ("renoir_mode2", 0x1e),
        ("vangogh_mode2", 0x14),
        ("rembrandt_mode2", 0x11),
        ("phoenix_mode2", 0x11),
        ("strix_mode2", 0x11),
    ] {
        let (run, accesses, _) = take(&model(name));
        assert_eq!(bar_writes(&accesses), [(0x58a68, 0), (0x58a48, 2), (0x58a08, message)], "{name}");
        assert!(run.text.starts_with("mode 2 reset by the SMU"), "{name}: {}", run.text);
        assert!(
            run.notes.iter().any(|note| note.contains("hold what the guest left there")),
            "{:?}",
            run.notes
        );
    }
    let (run, accesses, _) = take(&model("renoir_mode1"));
    assert_eq!(
        (run.text.as_str(), bar_writes(&accesses)),
        ("mode 1 reset by the PSP", vec![(0x58200, 0x7_0000)])
    );
}

#[test]
fn navi_2x_and_3x_are_asked_for_mode_1_each_in_its_mailbox() {
    for (name, writes) in [
        ("navi2x_mode1", [(0x58a68, 0), (0x58a48, 0), (0x58a08, 0x30)]),
        ("navi31_mode1", [(0x58a68, 0), (0x58a48, 0), (0x58a08, 0x2f)]),
        ("navi32_mode1", [(0x589d4, 0), (0x58a2c, 0x2), (0x589d8, 0)]),
        ("navi33_mode1", [(0x58a68, 0), (0x58a48, 0), (0x58a08, 0x2f)]),
    ] {
        let mut model = model(name);
        model["regs"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "space": "mmio", "off": "0x13c", "name": "BIOS_SCRATCH_3", "init": "0x140" }));
        let (run, accesses, _) = take(&model);
        // The engine is marked as hung before, and not after; what else the register holds stays.
        let marked = [&[(0x13c, 0x2000_0140)], &writes[..], &[(0x13c, 0x140)]].concat();
        assert!(bar_writes(&accesses).ends_with(&marked), "{name}: {:x?}", bar_writes(&accesses));
        assert_eq!(run.text, "mode 1 reset by the SMU");
    }
}

#[test]
fn the_mailbox_for_debugging_is_neither_waited_for_nor_asked_for_an_answer() {
    let (run, accesses, _) = take(&model("navi32_mode1"));
    assert_eq!(run.verdict, Verdict::Reset, "{}", run.text);
    let read = |access: &&Access| matches!(access, Access::Bar { write: false, offset: 0x589d8, .. });
    assert_eq!(accesses.iter().filter(read).count(), 0);
}

#[test]
fn a_card_s_own_table_says_where_its_mailboxes_are() {
    let mut text = model("navi31_mode1").to_string();
    for (usual, moved) in [
        ("0x58244", "0x59244"),
        ("0x5818c", "0x5918c"),
        ("0x58a08", "0x5aa08"),
        ("0x58a48", "0x5aa48"),
        ("0x58a68", "0x5aa68"),
        ("0x00004000", "0x00001ff0"),
    ] {
        assert!(text.contains(usual), "{usual}");
        text = text.replace(usual, moved);
    }
    let mut shifted: Value = serde_json::from_str(&text).unwrap();
    // 64 KiB below the end of 0x1ff0 MiB.
    shifted["vram"] = json!({ "blobs": [{ "pos": "0x1feff0000", "file": "discovery_shifted.bin" }] });
    let (run, accesses, _) = take(&shifted);
    assert_eq!(run.verdict, Verdict::Reset, "{}: {:?}", run.text, run.notes);
    assert!(
        bar_writes(&accesses)
            .windows(3)
            .any(|writes| writes == [(0x5aa68, 0), (0x5aa48, 0), (0x5aa08, 0x2f)])
    );
    let told: Vec<&String> = run.notes.iter().filter(|note| note.contains("the card's own table")).collect();
    assert_eq!(told.len(), 2, "PSP and SMU: {:?}", run.notes);
    assert!(run.notes.iter().all(|note| !note.contains("register bases")), "{:?}", run.notes);
}

#[test]
fn a_firmware_that_does_not_know_the_message_is_not_sent_it() {
    let mut old = model("navi2x_mode1");
    for trigger in old["triggers"].as_array_mut().unwrap() {
        if trigger["note"] == "GetSmuVersion" {
            trigger["do"][0]["or"] = json!("0x003a19ff");
        }
    }
    let (run, accesses, _) = take(&old);
    assert_eq!(run.verdict, Verdict::Refused);
    assert_eq!(run.text, "the SMU's firmware is 58.25.255, and Mode1Reset (0x30) is known from 58.26.0 on");
    assert!(!bar_writes(&accesses).contains(&(0x58a08, 0x30)));
}

/// A Navi whose SMU is halted, as a Linux guest leaves it, and whose PSP does mode 1.
fn halted(name: &str) -> Value {
    let mut model = model(name);
    register(&mut model, "0x58a68")["init"] = json!("0x0");
    with_psp(&mut model);
    model["triggers"].as_array_mut().unwrap().retain(|trigger| trigger["off"] != "0x58a08");
    model
}

/// Has the PSP do what the SMU does for its mode 1.
fn with_psp(model: &mut Value) {
    let registers = model["regs"].as_array_mut().unwrap();
    for (offset, value) in [("0x58200", "0x80000000"), ("0x58184", "0x0"), ("0x13c", "0x140")] {
        registers.push(json!({ "space": "mmio", "off": offset, "name": "", "init": value }));
    }
    let triggers = model["triggers"].as_array_mut().unwrap();
    let is_mode_1 = |trigger: &&Value| trigger["note"].as_str().unwrap().starts_with("mode 1");
    let mut psp = triggers.iter().find(is_mode_1).unwrap().clone();
    (psp["off"], psp["match"], psp["note"]) = (json!("0x58200"), json!("0x00070000"), json!("PSP"));
    let acknowledged = json!({ "op": "and_or", "space": "mmio", "off": "0x58184", "and": "0x0", "or": "0x80000000", "after_us": 500_020 });
    psp["do"].as_array_mut().unwrap().push(acknowledged);
    triggers.push(psp);
}

#[test]
fn a_navi_2x_whose_smu_is_halted_or_too_old_is_reset_by_its_psp() {
    let mut old = model("navi2x_mode1");
    with_psp(&mut old);
    for trigger in old["triggers"].as_array_mut().unwrap() {
        if trigger["note"] == "GetSmuVersion" {
            trigger["do"][0]["or"] = json!("0x003a19ff");
        }
    }
    for (model, why) in [(halted("navi2x_mode1"), "did not answer"), (old, "58.25.255")] {
        let (run, accesses, _) = take(&model);
        assert_eq!((run.verdict, run.text.as_str()), (Verdict::Reset, "mode 1 reset by the PSP"));
        assert!(run.notes.iter().any(|note| note.contains(why)), "{:?}", run.notes);
        assert!(bar_writes(&accesses).ends_with(&[
            (0x13c, 0x2000_0140),
            (0x58200, 0x7_0000),
            (0x13c, 0x140)
        ]));
        assert!(!bar_writes(&accesses).contains(&(0x58a08, 0x30)));
    }
    let mut not_ready = halted("navi2x_mode1");
    register(&mut not_ready, "0x58200")["init"] = json!("0x0");
    let (run, accesses, _) = take(&not_ready);
    assert_eq!(run.verdict, Verdict::Failed, "{}", run.text);
    assert!(!bar_writes(&accesses).contains(&(0x58200, 0x7_0000)));
    // Later PSPs have no such command.
    let (run, accesses, _) = take(&halted("navi31_mode1"));
    assert_eq!(run.verdict, Verdict::Failed, "{}", run.text);
    assert!(!bar_writes(&accesses).contains(&(0x58200, 0x7_0000)));
}

#[test]
fn an_smu_may_take_as_long_as_amdgpu_gives_it() {
    for (after, verdict) in [(1_900_000, Verdict::Reset), (2_100_000, Verdict::Failed)] {
        let mut slow = model("navi33_mode1");
        slow["triggers"][0]["do"][0]["after_us"] = json!(after);
        let (run, accesses, _) = take(&slow);
        assert_eq!(run.verdict, verdict, "{after}: {}", run.text);
        // The engine is not left marked as hung, however it ends.
        let marks = bar_writes(&accesses).into_iter().filter(|write| write.0 == 0x13c);
        assert_eq!(marks.collect::<Vec<_>>(), [(0x13c, 0x2000_0000), (0x13c, 0)]);
    }
}

#[test]
fn an_smu_that_refuses_or_is_silent_is_a_failure() {
    let mut refuses = model("phoenix_mode2");
    refuses["triggers"][0]["do"][0]["or"] = json!("0xff");
    assert_eq!(
        ends(&refuses),
        (
            Verdict::Failed,
            "the SMU answered message GfxDeviceDriverReset (0x11) with 0xff, failed".to_string()
        )
    );
    for name in ["raven_mode2", "vangogh_mode2", "navi33_mode1"] {
        let mut silent = model(name);
        register(&mut silent, "0x58a68")["init"] = json!("0x0");
        silent["triggers"] = json!([]);
        let (verdict, text) = ends(&silent);
        assert_eq!(verdict, Verdict::Failed, "{name}");
        assert!(text.contains("did not answer message") && text.contains("within 2 s"), "{name}: {text}");
    }
    let mut dead = model("strix_mode2");
    dead["dead_from_start"] = json!(true);
    let (verdict, text) = ends(&dead);
    assert_eq!((verdict, text.ends_with("reads all-ones: nobody answers there")), (Verdict::Failed, true));
}

#[test]
fn a_card_that_does_not_come_back_from_mode_1_is_a_failure() {
    let mut away = model("navi31_mode1");
    drop_trigger(&mut away, "mode 1");
    let gone = json!({ "space": "mmio", "off": "0x58a08", "mask": "0xffffffff", "match": "0x2f", "note": "gone", "do": [
        { "op": "dead", "for_us": 60_000_000, "after_us": 100 }
    ]});
    away["triggers"].as_array_mut().unwrap().push(gone);
    assert_eq!(ends(&away).0, Verdict::Failed);
    let mut started = model("navi2x_mode1");
    register(&mut started, "0x58244")["init"] = json!("0x0");
    assert_eq!(ends(&started).0, Verdict::NotNeeded);
}

#[test]
fn a_hawaii_s_smc_is_stopped_after_the_reset() {
    let (run, accesses, _) = take(&model("hawaii"));
    assert_eq!(run.verdict, Verdict::Reset);
    let key = |access: &Access| {
        matches!(access, Access::Config { write: true, offset: 0x7c, value: 0x39d5_e86b, .. })
    };
    let reset = accesses.iter().position(key).unwrap();
    // The fuse and the bit were equal, so the bit is flipped before.
    assert!(bar_writes(&accesses[..reset]).ends_with(&[(0x200, 0xc000_0010), (0x204, 0x6)]));
    let after: Vec<(u64, u32)> =
        bar_writes(&accesses[reset..]).into_iter().filter(|(offset, _)| *offset == 0x204).collect();
    assert_eq!(after, [(0x204, 0x3000_0001), (0x204, 0x0100_0003)]);
    let mut stopped = model("hawaii");
    register(&mut stopped, "0x80000004")["init"] = json!("0x01000003");
    assert_eq!(ends(&stopped).0, Verdict::NotNeeded);
}

#[test]
fn an_nvme_controller_is_disabled_before_it_is_reset_or_not_reset_at_all() {
    let (_, accesses, _) = take(&model("nvme"));
    let reset = function_level_reset(&accesses).unwrap();
    assert_eq!(bar_writes(&accesses[..reset]), [(0x14, 0x0046_0000)]);
    let last = accesses[..reset].iter().rev().find(|access| matches!(access, Access::Bar { .. })).unwrap();
    assert_eq!(last.to_string(), "R 0 0x1c 4 0x00000000", "CSTS.RDY was seen to be clear");

    let mut stuck = model("nvme");
    drop_trigger(&mut stuck, "disabled");
    let (run, accesses, _) = take(&stuck);
    assert_eq!(run.verdict, Verdict::Failed);
    assert!(run.text.starts_with("waited 5.5 s until CSTS.RDY"), "CAP.TO is 10: {}", run.text);
    assert_eq!(function_level_reset(&accesses), None);

    let mut disabled = model("nvme");
    register(&mut disabled, "0x14")["init"] = json!("0x00460000");
    let (run, accesses, _) = take(&disabled);
    assert_eq!((run.verdict, bar_writes(&accesses)), (Verdict::Reset, vec![]));

    let mut other = model("nvme");
    other["pci"]["config"]["0x08"] = json!("0x01060100");
    assert_eq!(
        ends(&other),
        (Verdict::Refused, "its class is 010601, and that is no NVMe controller".to_string())
    );
    let mut cannot = model("nvme");
    cannot["pci"]["config"]["0x74"] = json!("0x00008fc2");
    assert_eq!(ends(&cannot).0, Verdict::Refused);
}

#[test]
fn what_needs_more_time_after_a_function_level_reset_gets_it() {
    let (plain, ..) = take(&model("intel_82599_vf"));
    let (late, ..) = take(&model("flr_delay"));
    assert_eq!(late.time - plain.time, Duration::from_millis(250));
    assert_eq!(plain.time, Duration::from_millis(100));
}

#[test]
fn transactions_that_stay_pending_are_waited_for_and_noted() {
    let mut pending = model("flr_delay");
    pending["pci"]["config"]["0x78"] = json!("0x00202810");
    let (run, ..) = take(&pending);
    assert!(run.notes.iter().any(|note| note.contains("still pending after 0.7 s")), "{:?}", run.notes);
    assert_eq!(run.time, Duration::from_millis(1050));
}

#[test]
fn a_chelsio_t4_may_finish_what_is_on_its_way() {
    let (_, accesses, host) = take(&model("chelsio_t4"));
    let reset = function_level_reset(&accesses).unwrap();
    let written = |offset| {
        accesses[..reset].iter().rev().find_map(|access| match *access {
            Access::Config { write: true, offset: at, value, .. } if at == offset => Some(value),
            _ => None,
        })
    };
    assert_eq!(written(0x04), Some(0x0406), "bus mastering on");
    assert_eq!(written(0xb2), Some(0xc007), "MSI-X on, all masked");
    let config = host.config(host.address()).unwrap();
    assert_eq!(config[0xb2..0xb4], [0x07, 0x00], "and off again afterwards");
}

#[test]
fn a_hinic_virtual_function_s_firmware_has_the_last_word() {
    let (run, accesses, _) = take(&model("hinic_vf"));
    assert_eq!(bar_writes(&accesses), [(0xe80, 0x0100_0400)], "bit 18, big-endian");
    assert!(run.time >= Duration::from_millis(200), "{:?}", run.time);
    let mut cannot = model("hinic_vf");
    register(&mut cannot, "0x1000")["init"] = json!("0x40000000");
    let (run, accesses, _) = take(&cannot);
    assert_eq!((run.verdict, function_level_reset(&accesses)), (Verdict::Refused, None));
    let mut silent = model("hinic_vf");
    silent["triggers"][0]["do"].as_array_mut().unwrap().retain(|action| action["off"] != "0xe80");
    let (run, ..) = take(&silent);
    assert_eq!(run.verdict, Verdict::Failed);
    assert!(run.text.starts_with("waited 15 s until HINIC_VF_OP"), "{}", run.text);
}

#[test]
fn a_panel_that_does_not_go_off_keeps_ivy_bridge_from_being_reset() {
    let (_, accesses, _) = take(&model("intel_ivybridge"));
    let writes = bar_writes(&accesses);
    assert_eq!(writes, [(0x4_5010, 2), (0xc_2004, 5), (0xc_7204, 0xabcd_0006), (0xd_0100, 2)]);
    let mut stuck = model("intel_ivybridge");
    drop_trigger(&mut stuck, "the panel");
    let (run, accesses, _) = take(&stuck);
    assert_eq!(run.verdict, Verdict::Failed);
    assert!(!bar_writes(&accesses).contains(&(0xd_0100, 2)));
}
