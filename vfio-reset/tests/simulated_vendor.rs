//! Vendor sequences on a simulated host, from the plan to the verification.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::recording::{Access, Recording};
use common::{action, at, plan};
use std::process::Command;
use std::time::Duration;
use vfio_reset::machine::Machine;
use vfio_reset::machine::simulated::Simulated;
use vfio_reset::method::MethodName;
use vfio_reset::plan::{Decision, Override, RefusalCode, Request, StepName, Via};
use vfio_reset::report::{Outcome, Report};
use vfio_reset::reset::{Options, reset};

const POLARIS: &str = "01:00.0";
const VEGA: &str = "04:00.0";
const NAVI: &str = "07:00.0";
const SILENT: &str = "0a:00.0";
const UNSTARTED: &str = "0b:00.0";

const RADEONS: &str = include_str!("../src/machine/simulated/machines/radeons.toml");

fn radeons() -> Simulated {
    Simulated::open("radeons").unwrap()
}

/// The host with something else in its place.
fn radeons_with(from: &str, to: &str) -> Simulated {
    assert!(RADEONS.contains(from), "{from}");
    Simulated::from_toml(&RADEONS.replace(from, to), "other.toml").unwrap()
}

/// What the plan chooses by itself, carried out.
fn reset_of(machine: &dyn Machine, address: &str) -> Report {
    let action = action(machine, &Request::new(at(address)));
    assert_eq!((action.method, action.via), (MethodName::Vendor, Via::Direct));
    reset(machine, &action, Options::default(), &mut |_| {}).unwrap()
}

fn images(machine: &dyn Machine) -> Vec<Vec<u8>> {
    machine.functions().unwrap().into_iter().map(|address| machine.config(address).unwrap()).collect()
}

#[test]
fn the_plan_puts_the_sequence_before_any_bus_reset_and_says_why() {
    // The kernel offers `pm` for cards without a connector (0380, 1200), and that resets nothing.
    let hosts = ["0x030000", "0x038000", "0x120000"].map(|class| radeons_with("0x030000", class));
    let cards = [(POLARIS, "polaris"), (VEGA, "vega10"), (NAVI, "navi1x")];
    for (machine, (address, family)) in hosts.iter().flat_map(|host| cards.map(|card| (host, card))) {
        let plan = plan(machine, &Request::new(at(address)));
        let place = |method| plan.candidates.iter().position(|candidate| candidate.method == method).unwrap();
        assert!(place(MethodName::Vendor) < place(MethodName::Bus));
        assert!(place(MethodName::Vendor) < place(MethodName::Pm));
        assert!(place(MethodName::Vendor) > place(MethodName::Flr));
        let Decision::Act(action) = &plan.decision else { panic!("{:?}", plan.decision) };
        assert_eq!(action.method, MethodName::Vendor);
        let vendor = plan.vendor.as_ref().unwrap();
        assert!(vendor.availability.reason.to_string().ends_with(&format!("({family})")));
        assert_eq!(vendor.affects.len(), 1, "the audio function goes with it");
        assert!(
            plan.notes.iter().any(|note| note.contains("comes before any bus reset")),
            "{:?}",
            plan.notes
        );
    }
}

#[test]
fn d3hot_which_resets_no_radeon_is_not_what_is_done_instead_of_a_sequence() {
    let machine = radeons_with("0x030000", "0x038000");
    // The host uses the audio function, which the sequence would reset too.
    let text = RADEONS.replace("0x030000", "0x038000");
    let used = text.replace("\"vfio-pci\"\niommu_group = 7\n", "\"snd_hda_intel\"\niommu_group = 7\n");
    let busy = Simulated::from_toml(&used, "busy.toml").unwrap();
    let refused = plan(&busy, &Request::new(at(POLARIS)));
    let Decision::Refuse { method, refusals, .. } = &refused.decision else {
        panic!("{:?}", refused.decision)
    };
    assert_eq!(*method, MethodName::Vendor);
    assert!(refusals.iter().all(|refusal| refusal.code == RefusalCode::SiblingDriver), "{refusals:?}");
    // Asked for by name it is done, and said what it is.
    let asked = plan(&machine, &Request::new(at(POLARIS)).method(MethodName::Pm));
    assert!(matches!(asked.decision, Decision::Act(_)));
    assert!(asked.notes.iter().any(|note| note.starts_with("pm resets nothing here")), "{:?}", asked.notes);
}

#[test]
fn an_experimental_sequence_is_not_passed_over_for_a_bus_reset() {
    let machine = radeons_with("0x731f", "0x744c");
    let refused = plan(&machine, &Request::new(at(NAVI)));
    let Decision::Refuse { method, refusals, .. } = &refused.decision else {
        panic!("{:?}", refused.decision)
    };
    assert_eq!((*method, refusals.len()), (MethodName::Vendor, 1));
    assert_eq!(refusals[0].overridden_by, Some(Override::Experimental));
    let remedy = &refusals[0].remedy;
    assert!(remedy.contains("vendor show navi31") && remedy.contains("--method hot_reset"), "{remedy}");
    let mut allowed = Request::new(at(NAVI));
    allowed.allow = vec![Override::Experimental];
    let Decision::Act(action) = plan(&machine, &allowed).decision else { panic!("still refused") };
    assert_eq!(action.method, MethodName::Vendor);
    let bus = plan(&machine, &Request::new(at(NAVI)).method(MethodName::HotReset));
    let Decision::Act(action) = &bus.decision else { panic!("{:?}", bus.decision) };
    assert_eq!(action.method, MethodName::HotReset);
}

#[test]
fn a_refused_sequence_is_shown_with_the_reason_and_a_family_that_was_asked_for_is_not_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("navi31.toml");
    std::fs::write(&file, RADEONS.replace("0x731f", "0x744c")).unwrap();
    let machine = file.to_str().unwrap();
    let (code, text, _) = program(&["--machine", machine, "plan", NAVI]);
    assert_eq!(code, 0);
    let line = text.lines().find(|line| line.contains("refused: the sequence for")).unwrap();
    assert!(line.contains("is experimental"), "{line}");
    let (code, _, error) = program(&["--machine", machine, "reset", NAVI]);
    assert_eq!(code, 3, "{error}");
    assert!(error.contains("--allow experimental") && error.contains("--method hot_reset"), "{error}");
    // An NVMe controller as a Chelsio T4: something else is done, and that is said.
    let zoo = ["--machine", "sim:zoo", "reset", "01:00.0", "--dry-run", "--family"];
    let (_, text, _) = program(&[&zoo[..], &["chelsio-t4"]].concat());
    assert!(text.contains("note: there is a vendor sequence (chelsio-t4), and it is not taken"), "{text}");
    assert!(text.contains("(--allow experimental takes it)"), "{text}");
    let (_, text, _) = program(&[&zoo[..], &["flr-delay"]].concat());
    assert!(!text.contains("which was asked for"), "{text}");
    let (_, text, _) = program(&[&zoo[..], &["chelsio-t4", "--method", "flr"]].concat());
    assert!(text.contains("is not taken: another way was asked for"), "{text}");
}

#[test]
fn a_way_that_nobody_goes_is_a_usage_error() {
    let radeons = radeons();
    let inventory = vfio_reset::Inventory::read(&radeons).unwrap();
    let request = Request::new(at(NAVI)).method(MethodName::Vendor).via(Via::Kernel);
    let quirks = vfio_reset::quirk::Quirks::built_in();
    let error = vfio_reset::plan::Plan::new(&inventory, &quirks, &request).unwrap_err().to_string();
    assert!(error.contains("--method vendor and --via kernel") && error.contains("--via direct"), "{error}");
}

#[test]
fn a_sequence_that_finds_another_device_says_what_to_do_and_asks_for_nothing_of_the_kernel() {
    let arguments =
        ["reset", "02:00.0", "--family", "nvme-disable", "--method", "vendor", "--allow", "siblings"];
    let (code, text, error) = program(&[&["--machine", "sim:zoo"], &arguments[..]].concat());
    assert_eq!(code, 4, "{text}{error}");
    assert!(text.contains("that is no NVMe controller"), "{text}{error}");
    assert!(
        text.contains("next: the sequence is not for this device") && !text.contains("reset_method"),
        "{text}"
    );
}

#[test]
fn a_budget_that_the_reset_cannot_keep_is_refused_before_anything_is_touched() {
    let machine = radeons();
    let mut request = Request::new(at(NAVI));
    request.budget = Duration::from_millis(100);
    let refused = plan(&machine, &request);
    let Decision::Refuse { method, refusals, .. } = &refused.decision else {
        panic!("{:?}", refused.decision)
    };
    assert_eq!((*method, refusals[0].code), (MethodName::Vendor, RefusalCode::Budget));
    assert!(refusals[0].reason.contains("takes 500.0 ms at least"), "{}", refusals[0].reason);
    assert_eq!(refusals[0].overridden_by, None);
    // The other steps take some time, too.
    request.budget = Duration::from_millis(500);
    assert!(matches!(plan(&machine, &request).decision, Decision::Refuse { .. }));
    request.budget = Duration::from_millis(501);
    assert!(matches!(plan(&machine, &request).decision, Decision::Act(_)));
}

#[test]
fn what_is_left_of_the_budget_before_the_trigger_decides_and_after_it_the_sequence_has_its_time() {
    // Half a millisecond more than the least: looking for the register blocks takes 0.8 ms, and the PSP is not
    // asked any more.
    let machine = radeons();
    let before = images(&machine);
    let mut request = Request::new(at(NAVI));
    request.budget = Duration::from_micros(500_500);
    let recording = Recording::new(&machine, None);
    let report = reset(&recording, &action(&machine, &request), Options::default(), &mut |_| {}).unwrap();
    assert_eq!(report.outcome, Outcome::Failed);
    assert!(report.step(StepName::Trigger).unwrap().text.ends_with("it was not begun"), "{report:#?}");
    let command = |access: &Access| matches!(access, Access::Bar { write: true, value: 0x7_0000, .. });
    assert!(!recording.accesses().iter().any(command));
    assert_eq!(images(&machine), before, "the mark of a hung engine is gone, Command is back");
    // 600 ms: the card answers after 750.
    request.budget = Duration::from_millis(600);
    let report = reset(&machine, &action(&machine, &request), Options::default(), &mut |_| {}).unwrap();
    assert_eq!(report.outcome, Outcome::Verified, "{report:#?}");
}

#[test]
fn a_function_that_slept_sleeps_again_however_the_reset_ends() {
    let sleeping = |text: &str, group: u32| {
        let awake = format!("driver = \"vfio-pci\"\niommu_group = {group}\n");
        let at = text.find(&awake).unwrap();
        let (head, tail) = text.split_at(at);
        let begin = head.rfind("d1 = true, d2 = true").unwrap();
        let head =
            format!("{}{}", &head[..begin], head[begin..].replacen("d2 = true", "d2 = true, state = 3", 1));
        format!("{head}{}", tail.replacen("driver = \"vfio-pci\"\n", "", 1))
    };
    // The audio functions of a card that comes back, of one that fails, and of one that needs no reset.
    for (address, group, outcome) in
        [(POLARIS, 7, Outcome::Verified), (SILENT, 19, Outcome::Failed), (UNSTARTED, 21, Outcome::NotNeeded)]
    {
        let machine = Simulated::from_toml(&sleeping(RADEONS, group), "asleep.toml").unwrap();
        let before = images(&machine);
        let report = reset_of(&machine, address);
        assert_eq!(report.outcome, outcome, "{report:#?}");
        assert_eq!(images(&machine), before, "{address}");
        let restored = &report.step(StepName::Restore).unwrap().text;
        assert!(restored.ends_with("1 in D3hot again"), "{restored}");
    }
    // A bus reset by our own writes leaves it so as well; the kernel wakes what it resets.
    let machine = Simulated::from_toml(&sleeping(RADEONS, 7), "asleep.toml").unwrap();
    let before = images(&machine);
    let direct = Request::new(at(POLARIS)).method(MethodName::Bus).via(Via::Direct);
    let report = reset(&machine, &action(&machine, &direct), Options::default(), &mut |_| {}).unwrap();
    assert_eq!(report.outcome, Outcome::Verified, "{report:#?}");
    assert_eq!(images(&machine), before);
}

#[test]
fn each_card_comes_back_with_everything_as_before() {
    let machine = radeons();
    let before = images(&machine);
    for (address, deed) in [
        (POLARIS, "switched off and on (BACO)"),
        (VEGA, "switched off and on (BACO)"),
        (NAVI, "mode 1 reset by the PSP"),
    ] {
        let report = reset_of(&machine, address);
        assert_eq!(report.outcome, Outcome::Verified, "{address}: {report:#?}");
        assert_eq!(report.step(StepName::PostCheck).unwrap().text, deed);
        assert!(report.trace.is_some());
        let evidence = report.evidence.unwrap();
        assert_eq!(evidence.reset_seen, Some(true), "{}", evidence.text);
    }
    assert_eq!(images(&machine), before, "bus mastering, BARs and power states of all functions");
}

#[test]
fn a_card_whose_psp_is_silent_is_a_failure_with_what_is_next_and_its_configuration_is_restored() {
    let machine = radeons();
    let before = images(&machine);
    let report = reset_of(&machine, SILENT);
    assert_eq!(report.outcome, Outcome::Failed);
    let failed = report.steps.iter().find(|step| !step.ok).unwrap();
    assert_eq!(failed.name, StepName::Await);
    assert!(failed.text.starts_with("waited 100 ms until MP0_SMN_C2PMSG_33"), "{}", failed.text);
    assert!(report.next.iter().any(|next| next.contains("do not reset its bus")), "{:?}", report.next);
    assert_eq!(images(&machine), before);
}

#[test]
fn a_card_that_no_driver_has_started_needs_no_reset() {
    let machine = radeons();
    let before = images(&machine);
    let report = reset_of(&machine, UNSTARTED);
    assert_eq!((report.outcome, report.outcome.exit_code()), (Outcome::NotNeeded, 0));
    assert_eq!(images(&machine), before);
}

#[test]
fn a_card_that_was_reset_needs_no_second_reset() {
    let machine = radeons();
    for address in [POLARIS, VEGA, NAVI] {
        assert_eq!(reset_of(&machine, address).outcome, Outcome::Verified, "{address}");
        assert_eq!(reset_of(&machine, address).outcome, Outcome::NotNeeded, "{address}");
    }
}

#[test]
fn nothing_masters_the_bus_while_the_sequence_runs() {
    let host = radeons();
    let machine = Recording::new(&host, None);
    let report = reset_of(&machine, VEGA);
    assert_eq!(report.outcome, Outcome::Verified);
    let accesses = machine.accesses();
    let first = accesses.iter().position(|access| matches!(access, Access::Bar { .. })).unwrap();
    let last = accesses.iter().rposition(|access| matches!(access, Access::Bar { .. })).unwrap();
    let command = |access: &Access| match *access {
        Access::Config { write: true, offset: 4, value, .. } => Some(value),
        _ => None,
    };
    let before: Vec<u32> = accesses[..first].iter().filter_map(command).collect();
    assert_eq!(before, [0x0400, 0x0402], "the audio function is stopped, the card decodes memory");
    assert_eq!(accesses[first..=last].iter().filter_map(command).count(), 0);
}

#[test]
fn the_audio_function_is_found_by_where_it_is_and_is_left_as_it_was() {
    // The Polaris as device 4 of its bus.
    let moved = RADEONS.replace("\"0000:01:00.", "\"0000:01:04.");
    assert_eq!(moved.matches("0000:01:04.").count(), 2, "the card and its audio function");
    let machine = Simulated::from_toml(&moved, "moved.toml").unwrap();
    let (card, audio) = (at("01:04.0"), at("01:04.1"));
    let before = images(&machine);
    let plan = plan(&machine, &Request::new(card));
    let Decision::Act(action) = plan.decision else { panic!("{:?}", plan.decision) };
    let hit: Vec<_> = action.functions.iter().filter(|planned| planned.is_reset).map(|p| p.address).collect();
    assert_eq!(hit, [card, audio]);
    let recording = Recording::new(&machine, None);
    let report = reset(&recording, &action, Options::default(), &mut |_| {}).unwrap();
    assert_eq!(report.outcome, Outcome::Verified, "{report:#?}");
    assert_eq!(images(&machine), before);
    let off =
        |access: &Access| matches!(access, Access::Config { write: true, offset: 4, value: 0x0400, .. });
    assert!(recording.accesses().iter().any(off), "the audio function was stopped meanwhile");
}

#[test]
fn a_bus_reset_that_is_asked_for_says_that_there_is_something_better() {
    let machine = radeons();
    let mut request = Request::new(at(POLARIS)).method(MethodName::Bus);
    request.via = Some(Via::Direct);
    let plan = plan(&machine, &request);
    assert!(plan.notes.iter().any(|note| note.contains("--method vendor")), "{:?}", plan.notes);
}

#[test]
fn an_experimental_sequence_is_for_those_who_ask_for_it() {
    let machine = Simulated::open("um880pro").unwrap();
    let mut request = Request::new(at("c5:00.0")).method(MethodName::Vendor);
    let refused = plan(&machine, &request);
    let Decision::Refuse { refusals, .. } = &refused.decision else { panic!("{:?}", refused.decision) };
    let experimental = refusals.iter().find(|refusal| refusal.code == RefusalCode::Experimental).unwrap();
    assert_eq!(experimental.overridden_by, Some(Override::Experimental));
    assert!(experimental.reason.contains("spares the PSP"), "{}", experimental.reason);
    // The host's USB controllers are functions of the same device. Mode 2 does not reach them.
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    request.allow = vec![Override::Experimental];
    let Decision::Act(action) = plan(&machine, &request).decision else { panic!("still refused") };
    assert_eq!(action.functions.iter().filter(|planned| planned.is_reset).count(), 1);
}

#[test]
fn a_state_file_keeps_what_is_behind_the_bars() {
    let machine = radeons();
    let mut scratch = [0; 4];
    machine.write_bar(at(POLARIS), 5, 0x1730, &[1, 2, 3, 4]).unwrap();
    let other = radeons();
    other.load_state(&machine.save_state(), "state.json").unwrap();
    other.read_bar(at(POLARIS), 5, 0x1730, &mut scratch).unwrap();
    assert_eq!(scratch, [1, 2, 3, 4]);
}

fn program(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_vfio-reset"))
        .args(arguments)
        .env_remove("RUST_BACKTRACE")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_dry_run_prints_every_register_write_and_makes_none() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    let common = ["--machine", "sim:radeons", "--machine-state", state.to_str().unwrap()];
    let (code, text, _) =
        program(&[&common[..], &["reset", NAVI, "--method", "vendor", "--dry-run"]].concat());
    assert_eq!(code, 0);
    for line in [
        "Would write, if PSP and SMU answer",
        "MP0_SMN_C2PMSG_64 (0x58200) = 0x70000",
        "BIOS_SCRATCH_3.ASIC_GUI_ENGINE_HUNG (0x13c bits 0x20000000) = 0x1, the other bits stay",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let (_, text, _) =
        program(&[&common[..], &["--json", "reset", NAVI, "--method", "vendor", "--dry-run"]].concat());
    let plan: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(plan["decision"]["method"], "vendor");
    assert!(plan["writes"][0]["writes"].as_array().unwrap().len() > 8, "{text}");
    // The machine is as it was: the real reset finds something to do.
    let file = folder.path().join("navi.trace");
    let (code, text, error) =
        program(&[&common[..], &["reset", NAVI, "--trace", file.to_str().unwrap()]].concat());
    assert_eq!(code, 0, "{text}{error}");
    assert!(text.contains("reset, restored and verified"), "{text}");
    let trace = std::fs::read_to_string(file).unwrap();
    assert!(trace.contains("W 5 0x58200 4 0x00070000 # MP0_SMN_C2PMSG_64"), "{trace}");
    // A trace that cannot be kept: before anything is touched, or with the report in any case.
    let nowhere = folder.path().join("no/such/folder");
    let traced = ["reset", VEGA, "--trace"];
    let (code, text, error) = program(&[&common[..], &traced, &[nowhere.to_str().unwrap()]].concat());
    assert_eq!((code, text.as_str()), (1, ""), "{error}");
    let (code, text, error) = program(&[&common[..], &traced, &["/dev/full"]].concat());
    assert_eq!(code, 0, "{error}");
    assert!(
        text.contains("reset, restored and verified") && text.contains("note: the trace is lost"),
        "{text}"
    );
    let (code, text, _) = program(&[&common[..], &["reset", SILENT]].concat());
    assert_eq!(code, 1, "{text}");
    let (code, text, _) = program(&[&common[..], &["reset", UNSTARTED]].concat());
    assert_eq!(code, 0);
    assert!(text.contains("needs no reset, and nothing was reset"), "{text}");
}

/// The accesses to configuration space of a trace's lines.
fn config_writes<'t>(lines: impl Iterator<Item = &'t str>) -> Vec<String> {
    lines.filter(|line| line.starts_with("CW ")).map(str::to_string).collect()
}

#[test]
fn a_dry_run_names_the_writes_that_are_made_then_at_the_offsets_of_the_device() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace");
    for family in ["flr-delay", "intel-82599-vf", "chelsio-t4"] {
        let reset = ["reset", "01:00.0", "--method", "vendor", "--family", family, "--allow", "experimental"];
        let zoo = |more: &[&str]| program(&[&["--machine", "sim:zoo", "--json"], &reset[..], more].concat());
        let (code, text, error) = zoo(&["--dry-run"]);
        assert_eq!(code, 0, "{error}");
        let plan: serde_json::Value = serde_json::from_str(&text).unwrap();
        let accesses = plan["writes"][0]["accesses"].as_array().unwrap().iter();
        let planned = config_writes(accesses.map(|access| access.as_str().unwrap()));
        let (code, _, error) = zoo(&["--trace", file.to_str().unwrap()]);
        assert_eq!(code, 0, "{family}: {error}");
        let trace = std::fs::read_to_string(&file).unwrap();
        let made = config_writes(trace.lines());
        assert!(!made.is_empty(), "{family}: {trace}");
        assert_eq!(planned, made, "{family}");
    }
}

#[test]
fn a_dry_run_of_a_card_names_the_writes_to_its_registers_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace");
    // Index registers are written anew with every look at what is behind them.
    let writes = |lines: Vec<&str>| -> Vec<String> {
        let is_write = |line: &&str| line.starts_with("W ") && !line.contains("INDEX");
        lines.into_iter().filter(is_write).map(str::to_string).collect()
    };
    for card in [POLARIS, VEGA] {
        let radeons =
            |more: &[&str]| program(&[&["--machine", "sim:radeons", "--json", "reset", card], more].concat());
        let (_, text, _) = radeons(&["--dry-run"]);
        let plan: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(plan["writes"][0]["result"], "reset");
        let accesses = plan["writes"][0]["accesses"].as_array().unwrap().iter();
        let planned = writes(accesses.map(|access| access.as_str().unwrap()).collect());
        let (code, _, error) = radeons(&["--trace", file.to_str().unwrap()]);
        assert_eq!(code, 0, "{error}");
        let trace = std::fs::read_to_string(&file).unwrap();
        assert!(planned.len() > 30, "{planned:?}");
        assert_eq!(planned, writes(trace.lines().collect()), "{card}");
    }
}

#[test]
fn a_dry_run_shows_the_other_ways_and_what_is_put_back_after_a_failure() {
    for (card, way, lines) in [
        (
            VEGA,
            "the SMU is silent, and the PSP is ready",
            ["trigger     MP0_SMN_C2PMSG_64 (0x58200) = 0x70000", "ends as     reset: mode 1"],
        ),
        (
            VEGA,
            "the card is switched off already",
            ["await       BACO_CNTL.BACO_POWER_OFF", "ends as     reset: switched off"],
        ),
        (
            VEGA,
            "the card does not let itself be switched off",
            ["undo        BIF_FB_EN (0x387c) = 0x3", "ends as     failed: "],
        ),
        (
            NAVI,
            "the SMU runs and does not answer",
            [
                "prepare     MP1_PUB_CTRL (smn 0x3b10b14) = 0x1",
                "prepare     MP1_PUB_CTRL (smn 0x3b10b14) = 0x0",
            ],
        ),
        (
            NAVI,
            "the PSP does not acknowledge",
            [
                "undo        BIOS_SCRATCH_3.ASIC_GUI_ENGINE_HUNG (0x13c bits 0x20000000) = 0x0",
                "ends as     failed: ",
            ],
        ),
        (
            POLARIS,
            "it can, and the chip does not let itself",
            ["undo        BACO_CNTL.BACO_RESET_EN", "ends as     failed: "],
        ),
    ] {
        let (_, text, _) = program(&["--machine", "sim:radeons", "reset", card, "--dry-run"]);
        let (_, rest) = text.split_once(&format!("Would write, if {way}")).unwrap();
        let writes = rest.split("\n\n").next().unwrap();
        for line in lines {
            assert!(writes.contains(&format!("\n  {line}")), "{card}, {way}, {line}: {writes}");
        }
    }
}

#[test]
fn a_dry_run_begins_with_the_first_write_ends_with_the_last_and_knows_the_index_registers() {
    let vendor = ["--machine", "sim:radeons", "reset", NAVI, "--dry-run"];
    let (_, text, _) = program(&vendor);
    let (_, writes) = text.split_once("Would write, if").unwrap();
    let lines: Vec<&str> = writes.lines().skip(1).collect();
    assert_eq!(lines[0], "  quiesce     0000:07:00.1: Command (config 0x4) = 0x400");
    assert_eq!(lines[1], "  quiesce     0000:07:00.0: Command (config 0x4) = 0x402");
    assert!(lines.iter().any(|line| line.starts_with("  restore     0000:07:00.0:")), "{text}");
    assert!(!text.contains("MM_INDEX"), "{text}");
    let (_, text, _) = program(&[&vendor[..], &["-v"]].concat());
    assert!(text.contains("# MM_INDEX\n") && text.contains("# PCIE_INDEX2\n"), "{text}");
}

#[test]
fn a_model_that_is_not_there_is_shown_with_its_place() {
    let text = "schema = 1\n[[function]]\naddress = \"0000:00:00.0\"\nvendor = 1\ndevice = 2\nclass = 0\n\
                mmio_model = \"voodoo\"";
    let error = Simulated::from_toml(text, "mine.toml").map(drop).unwrap_err().to_string();
    assert!(error.starts_with("mine.toml:7:14: ") && error.contains("no model \"voodoo\""), "{error}");
    let error =
        Simulated::from_toml(&text.replace("voodoo", "gone.json"), "mine.toml").map(drop).unwrap_err();
    assert!(error.to_string().contains("cannot read gone.json"), "{error}");
}

#[test]
fn a_device_is_treated_as_a_family_when_the_user_says_so_and_is_warned() {
    let common = ["--machine", "sim:radeons"];
    let with = |arguments: &[&str]| program(&[&common[..], arguments].concat());
    let warning = "it is treated as vega20 because --family says so: nobody has tested that";
    let (code, text, _) = with(&["plan", NAVI, "--family", "vega20"]);
    assert_eq!(code, 0);
    assert!(text.contains(warning), "{text}");
    let (code, text, _) = with(&["reset", NAVI, "--method", "vendor", "--family", "vega20", "--dry-run"]);
    assert_eq!(code, 0);
    assert!(text.contains(warning) && text.contains("MP0_SMN_C2PMSG_64 (0x58200) = 0x70000"), "{text}");
    // A Navi 10 as a Polaris: the SMC is not where it would be, and nothing is taken for a reset.
    let (code, text, _) = with(&["reset", NAVI, "--method", "vendor", "--family", "polaris"]);
    assert!(!text.contains("reset, restored and verified"), "{code}: {text}");
    assert!(text.contains("because --family says so"), "{text}");
    // What the table says anyway is no news.
    let (_, text, _) = with(&["plan", NAVI, "--family", "navi1x"]);
    assert!(!text.contains("nobody has tested"), "{text}");
    let (code, _, error) = with(&["plan", NAVI, "--family", "voodoo"]);
    assert_eq!(code, 2);
    assert!(error.contains("voodoo") && error.contains("polaris, vega10"), "{error}");
}

#[test]
fn a_file_of_the_user_s_teaches_ids_and_takes_them_away() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    let path = file.to_str().unwrap();
    let entry = |family: &str, device: &str| {
        format!(
            "schema = 1\n\n[[device]]\nfamily = \"{family}\"\nvendor = \"1002\"\ndevices = [\"{device}\"]\nname = \
             \"my card\"\nsource = \"a hunch\"\n"
        )
    };
    let with = |arguments: &[&str]| {
        program(&[&["--machine", "sim:radeons", "--vendor-table", path], arguments].concat())
    };
    std::fs::write(&file, entry("navi1x", "7361")).unwrap();
    let (code, text, _) = with(&["vendor", "list"]);
    assert_eq!(code, 0);
    let line = text.lines().find(|line| line.contains("7361")).unwrap();
    assert!(line.contains("my card") && line.contains(&format!("untested, from {path}")), "{line}");
    std::fs::write(&file, entry("none", "731f")).unwrap();
    let (_, text, _) = with(&["vendor", "list"]);
    assert!(text.contains(&format!("but 731f is none, says {path}")), "{text}");
    let (_, removed) = text.split_once("no sequence for these").unwrap();
    assert!(removed.contains("1002:731f  my card"), "{text}");
    let (code, _, error) = with(&["reset", NAVI, "--method", "vendor"]);
    assert_eq!(code, 4, "{error}");
    assert!(error.contains("no vendor sequence is known for this device"), "{error}");
    std::fs::write(&file, entry("voodoo", "731f")).unwrap();
    let (code, _, error) = with(&["plan", NAVI]);
    assert_eq!(code, 2);
    assert!(error.contains("mine.toml:3:1: there is no family \"voodoo\""), "{error}");
}

#[test]
fn a_failing_card_is_told_to_a_newcomer_with_what_is_next() {
    let (code, text, error) = program(&["--machine", "sim:radeons", "reset", SILENT]);
    assert_eq!(code, 1, "{text}{error}");
    for wanted in [
        "FAIL await",
        "waited 100 ms until MP0_SMN_C2PMSG_33",
        "ok   restore",
        "note: the PSP did not acknowledge the reset: it may not have happened at all",
        "next: do not reset its bus",
        "power cycle",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let (_, text, _) = program(&["--machine", "sim:radeons", "--json", "reset", SILENT]);
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["outcome"], "failed", "{text}");
}

#[test]
fn every_family_is_shown_in_words() {
    for family in vfio_reset::vendor::FAMILIES {
        let (code, text, error) = program(&["vendor", "show", family.name]);
        assert_eq!(code, 0, "{}: {error}", family.name);
        assert!(text.starts_with(family.name) && text.contains(family.source), "{text}");
        assert_eq!(text.contains("experimental:"), family.experimental.is_some(), "{text}");
        assert!(text.contains("  await"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() < 220), "{text}");
    }
}
