//! Several functions at once: what opening and closing them resets, what is saved of them, and what lockdown
//! leaves undone.

use super::*;
use vfio_reset::machine::vfio::OpenedFunction;

/// A function level reset, and nothing else that a hot reset needs.
const FLR: &str = "{ power_management = { no_soft_reset = true } }, \
                   { pci_express = { flr = true, max_speed = 3, max_width = 4 } }";

const FIRST_OURS: &str = "driver = \"vfio-pci\"\niommu_group = 20";
const SECOND_OURS: &str = "driver = \"vfio-pci\"\niommu_group = 21";
const BOTH: &str = "vfio = { group = true, cdev = true }";

/// Two functions in one slot, both VFIO's, each with its capabilities and what is odd about it.
fn both(host: &str, first: (&str, &str), second: (&str, &str)) -> Simulated {
    let function = |address: &str, ours: &str, (capabilities, behaviour): (&str, &str)| {
        let more = format!("multi_function = true\n{ours}\nbehaviour = {{ {behaviour} }}");
        // Idle on vfio-pci nothing masters the bus.
        endpoint(address, capabilities, &more).replace("command = 0x0506", "command = 0x0502")
    };
    let functions = port("") + &function(FIRST, FIRST_OURS, first) + &function(SECOND, SECOND_OURS, second);
    machine_of(&format!("[host]\nkernel = \"6.12.0\"\n{host}"), &functions)
}

fn by(interface: VfioInterface) -> Request {
    Request { vfio: Some(interface), ..hot() }
}

fn floor(machine: &Simulated, request: &Request, name: StepName) -> Duration {
    action(machine, request).steps.iter().find(|step| step.name == name).unwrap().floor
}

fn time(report: &Report, name: StepName) -> Duration {
    report.step(name).unwrap().time
}

fn has_note(report: &Report, words: &str) -> bool {
    report.notes.iter().any(|note| note.contains(words))
}

#[test]
fn each_function_that_is_opened_counts_in_plan_and_report() {
    let machine = both(BOTH, (FLR, ""), (FLR, ""));
    let cdev = by(VfioInterface::Cdev);
    // Each is reset when it is opened, and when it is closed: 100 ms.
    let planned = action(&machine, &cdev);
    for name in [StepName::Open, StepName::Close] {
        assert_eq!(floor(&machine, &cdev, name), ms(200), "{name}");
        let step = planned.steps.iter().find(|step| step.name == name).unwrap();
        assert!(step.text.contains("resets 0000:01:00.0 and 0000:01:00.1"), "{}", step.text);
    }
    let report = reset(&machine, &cdev);
    assert_eq!(report.outcome, Outcome::Verified, "{report:#?}");
    for name in [StepName::Open, StepName::Close] {
        assert!(time(&report, name) >= ms(200) && report.step(name).unwrap().excess() < ms(2), "{name}");
    }
    assert!(
        has_note(&report, "0000:01:00.0 and 0000:01:00.1 were reset 3 times in all"),
        "{:?}",
        report.notes
    );
    assert_eq!(text(&report, StepName::Close), "closed, and 0000:01:00.0 and 0000:01:00.1 reset by that");
    // Opened by its group, the second stays as it is.
    let group = by(VfioInterface::Group);
    assert_eq!(floor(&machine, &group, StepName::Open), ms(100));
    let report = reset(&machine, &group);
    assert!(has_note(&report, "0000:01:00.0 was reset 3 times in all"), "{:?}", report.notes);
}

#[test]
fn closing_a_set_resets_its_bus_once_and_only_for_want_of_another_way() {
    for interface in [VfioInterface::Group, VfioInterface::Cdev] {
        let machine = both(BOTH, (NO_RESET, ""), (NO_RESET, ""));
        let request = by(interface);
        assert_eq!(floor(&machine, &request, StepName::Close), ms(102), "{interface}");
        let report = reset(&machine, &request);
        assert_eq!(report.outcome, Outcome::Verified, "{report:#?}");
        // 2 ms, 100 ms, and a link that trains for 20.
        let close = time(&report, StepName::Close);
        assert!(close >= ms(102) && close < ms(130), "{interface}: {close:?}");
        assert_eq!(text(&report, StepName::Close), "closed, and everything reset once more by that");
        assert!(has_note(&report, "were reset 2 times in all"), "{:?}", report.notes);
    }
    // The function has a reset of its own, and what must be opened with it has none.
    let machine = both(BOTH, (FLR, ""), (NO_RESET, ""));
    let request = by(VfioInterface::Cdev);
    assert_eq!(floor(&machine, &request, StepName::Open), ms(100));
    assert_eq!(floor(&machine, &request, StepName::Close), ms(202));
    let report = reset(&machine, &request);
    let close = time(&report, StepName::Close);
    assert!(close >= ms(202) && close < ms(230), "{close:?}");
    let said = text(&report, StepName::Close);
    assert_eq!(said, "closed, and 0000:01:00.0 reset by that, then everything once more");
    assert!(
        has_note(&report, "0000:01:00.0 was reset 4 times in all, 0000:01:00.1 was reset 2 times in all"),
        "{:?}",
        report.notes
    );
    // By group the second is not opened, so nothing is left without a reset.
    let report = reset(&machine, &by(VfioInterface::Group));
    assert_eq!(text(&report, StepName::Close), "closed, and reset by that");
    assert!(time(&report, StepName::Close) < ms(110));
}

#[test]
fn the_rule_for_the_last_close_is_the_kernels() {
    use vfio_reset::machine::vfio::Closing;
    let opened = |resets: &[bool]| -> Vec<OpenedFunction> {
        resets.iter().map(|&can_reset| OpenedFunction { address: at(FIRST), can_reset }).collect()
    };
    for (resets, resettable, expected) in [
        (&[true][..], Some(true), Closing::OwnResets),
        (&[true, true], None, Closing::OwnResets),
        (&[false], Some(true), Closing::WholeSet),
        (&[true, false], Some(true), Closing::WholeSet),
        (&[false], Some(false), Closing::OwnResets),
        (&[true, false], None, Closing::Unknown),
    ] {
        assert_eq!(Closing::of(&opened(resets), resettable), expected, "{resets:?} {resettable:?}");
    }
}

#[test]
fn nothing_is_claimed_to_be_reset_where_the_kernel_cannot() {
    // The kernel knows of a function that does not survive it, and our table does not.
    for interface in [VfioInterface::Group, VfioInterface::Cdev] {
        let ours = "driver = \"vfio-pci\"\niommu_group = 21\nquirks = [\"no_bus_reset\"]";
        let machine = pair(BOTH, FIRST_OURS, ours);
        let report = ended(&machine, &by(interface));
        assert_eq!(report.outcome, Outcome::NoMethod, "{report:#?}");
        let said = text(&report, StepName::Ask);
        assert!(said.contains("ENODEV") && said.contains("another method"), "{said}");
        assert_eq!(text(&report, StepName::Close), "closed");
        assert!(time(&report, StepName::Close) < ms(20), "nothing was reset");
        assert!(!has_note(&report, "times in all"), "{:?}", report.notes);
        // What reset_method lists has nothing to do with it.
        let next = report.next.join("; ");
        assert!(next.contains("plan") && !next.contains("reset_method"), "{next}");
    }
}

#[test]
fn what_opening_has_reset_is_not_said_to_be_untouched() {
    let second = format!("multi_function = true\n{SECOND_OURS}\nquirks = [\"no_bus_reset\"]");
    let functions = port("")
        + &endpoint(FIRST, FLR, &format!("multi_function = true\n{FIRST_OURS}"))
        + &endpoint(SECOND, FLR, &second);
    let report = ended(&machine(&functions), &hot());
    // The kernel refuses the hot reset, and opening and closing were two resets.
    assert_eq!(report.outcome, Outcome::Failed, "{report:#?}");
    assert_eq!(text(&report, StepName::Close), "closed, and reset by that");
    assert!(has_note(&report, "0000:01:00.0 was reset 2 times in all"), "{:?}", report.notes);
    // It says so of the hot reset itself, and is believed for the close.
    let report = answered(&hot(), "hot_reset", "ENODEV");
    assert_eq!((report.outcome, text(&report, StepName::Close)), (Outcome::NoMethod, "closed"));
    let report = answered(&hot(), "hot_reset", "EINVAL");
    assert_eq!(text(&report, StepName::Close), "closed; the kernel may have reset the bus");
}

#[test]
fn lockdown_leaves_it_at_what_the_kernel_brings_back() {
    for request in [hot(), own()] {
        let machine = both("lockdown = \"integrity\"", (FLR, ""), (FLR, ""));
        let before = image(&machine);
        let planned = action(&machine, &request);
        assert!(planned.locked_down);
        assert!(planned.steps.iter().all(|step| step.name != StepName::Restore), "{:#?}", planned.steps);
        let verify = planned.steps.last().unwrap();
        assert!(verify.text.contains("locked down"), "{}", verify.text);
        let report = reset(&machine, &request);
        assert_eq!(report.outcome, Outcome::Verified, "{report:#?}");
        assert!(!names(&report).contains(&StepName::Restore));
        assert!(has_note(&report, "nothing was written back"), "{:?}", report.notes);
        assert_eq!(differences(&before, &image(&machine)), [""; 0]);
    }
    // Opening switches Bus Master off for good: that is said, and that lockdown forbids to switch it on again.
    let ours = format!("{FIRST_OURS}\nbehaviour = {{}}");
    let machine = pair("lockdown = \"integrity\"", &ours, SECOND_OURS);
    let report = reset(&machine, &hot());
    assert_eq!(report.outcome, Outcome::Different, "{report:#?}");
    let difference = report.differences().next().unwrap();
    assert_eq!((difference.address, difference.what.as_str()), (at(FIRST), "Command"));
    assert!(report.next.iter().any(|next| next.contains("what lockdown forbids")), "{:?}", report.next);
}

#[test]
fn a_failure_under_lockdown_is_the_failure_and_not_what_lockdown_forbids() {
    let machine =
        both("lockdown = \"integrity\"", (NO_RESET, "vfio = { hot_reset = [\"EINVAL\"] }"), (NO_RESET, ""));
    let report = ended(&machine, &hot());
    assert_eq!(report.outcome, Outcome::Failed);
    assert!(report.steps.iter().all(|step| step.ok || step.name == StepName::Reset), "{report:#?}");
}

#[test]
fn a_neighbour_that_does_not_answer_is_reset_with_the_others() {
    let dead = "all_ones = true";
    let machine = both(BOTH, (NO_RESET, ""), (NO_RESET, dead));
    let planned = action(&machine, &hot());
    let ResetAct::HotReset { set, interface, .. } = &planned.act else { panic!() };
    assert_eq!(set, &[at(FIRST), at(SECOND)]);
    // Opened by its own file it would be reset, for which the kernel waits a minute.
    assert_eq!(*interface, VfioInterface::Group);
    let step = |name| &planned.steps.iter().find(|step| step.name == name).unwrap().text;
    let silent = "0000:01:00.1 does not answer; its state cannot be saved";
    assert!(step(StepName::Save).contains(silent), "{}", step(StepName::Save));
    assert!(step(StepName::Ask).contains("2 functions"), "{}", step(StepName::Ask));
    let report = reset(&machine, &hot());
    assert_eq!(report.outcome, Outcome::Verified, "{report:#?}");
    assert!(has_note(&report, silent), "{:?}", report.notes);
    assert_eq!(text(&report, StepName::Ask), "2 functions, all ours");
}

#[test]
fn a_function_that_came_after_the_plan_stops_the_hot_reset() {
    let machine = both("", (NO_RESET, ""), (NO_RESET, ""));
    let mut action = action(&machine, &hot());
    let ResetAct::HotReset { set, .. } = &mut action.act else { panic!() };
    set.retain(|address| *address == at(FIRST));
    let report = vfio_reset::reset::reset(&machine, &action, Options::default(), &mut |_| {}).unwrap();
    assert_eq!(report.outcome, Outcome::Failed);
    let said = text(&report, StepName::Ask);
    assert!(said.contains("would hit 0000:01:00.1 too") && said.contains("plan again"), "{said}");
}

#[test]
fn who_is_in_the_way_is_named_and_what_to_do_is_for_a_plan() {
    let machine = both("", (NO_RESET, ""), (NO_RESET, ""));
    let mut action = action(&machine, &hot());
    let ResetAct::HotReset { also, .. } = &mut action.act else { panic!() };
    also.clear();
    for (driver, named) in [
        (Some("vfio-pci"), "driver vfio-pci)"),
        (Some("snd_hda_intel"), "driver snd_hda_intel)"),
        (None, "no driver)"),
    ] {
        // It was bound otherwise after everything was checked.
        let machine =
            Meddled::new(both("", (NO_RESET, ""), (NO_RESET, ""))).change_facts(move |address, facts| {
                if address == at(SECOND) {
                    facts.driver = driver.map(str::to_owned);
                }
            });
        let mut action = action.clone();
        let planned = action.functions.iter_mut().find(|planned| planned.address == at(SECOND)).unwrap();
        planned.driver = driver.map(str::to_owned);
        let report = vfio_reset::reset::reset(&machine, &action, Options::default(), &mut |_| {}).unwrap();
        assert_eq!(report.outcome, Outcome::Failed);
        let said = text(&report, StepName::Ask);
        assert!(said.contains(&format!("0000:01:00.1 (IOMMU group 21, {named}")), "{said}");
        // Nobody has looked here who uses it now.
        assert!(said.contains("`plan` says") && !said.contains("echo"), "{said}");
        let expected = if driver == Some("vfio-pci") { "; the kernel may have reset the bus" } else { "" };
        assert_eq!(text(&report, StepName::Close), format!("closed{expected}"));
    }
}

#[test]
fn what_was_opened_before_something_failed_is_closed_restored_and_told() {
    let functions = port("")
        + &endpoint(FIRST, FLR, &format!("multi_function = true\n{FIRST_OURS}"))
        + &endpoint(
            SECOND,
            FLR,
            &format!(
                "multi_function = true\n{SECOND_OURS}\nbehaviour = {{ vfio = {{ open = [\"EBUSY\"] }} }}"
            ),
        );
    let machine = machine_of(&format!("[host]\nkernel = \"6.12.0\"\n{BOTH}"), &functions);
    let before = image(&machine);
    let report = ended(&machine, &by(VfioInterface::Cdev));
    assert_eq!(report.outcome, Outcome::Failed, "{report:#?}");
    let said = text(&report, StepName::Open);
    assert!(said.contains(SECOND) && said.contains("EBUSY"), "{said}");
    assert!(has_note(&report, "was reset by that, and by being closed again"), "{:?}", report.notes);
    // Bus Master among it, which opening has switched off.
    assert_eq!(names(&report).last(), Some(&StepName::Restore));
    assert_eq!(word(&machine, FIRST, 4), 0x0506);
    assert_eq!(differences(&before, &image(&machine)), [""; 0]);
    // The same of the first one: nothing was touched, and it is an error.
    let machine = both(BOTH, (FLR, "vfio = { open = [\"EBUSY\"] }"), (FLR, ""));
    let begin = machine.now();
    assert!(matches!(error(&machine, &by(VfioInterface::Cdev)), Error::Vfio(error) if !error.touched));
    assert!(machine.now() - begin < ms(5), "nothing was reset");
    // Somebody else was at it: closed, asked for again, and done.
    let machine = both(BOTH, (FLR, ""), (FLR, "vfio = { open = [\"EAGAIN\"] }"));
    let report = ended(&machine, &by(VfioInterface::Cdev));
    assert_eq!(report.outcome, Outcome::Verified, "{report:#?}");
    assert!(text(&report, StepName::Open).contains("asked 2 times"));
}

#[test]
fn whoever_has_it_by_iommufd_is_a_virtual_machine_and_no_setting() {
    let user = "users = [{ kind = \"vfio\", pid = 4711, command = \"qemu-system-x86\" }]";
    let open_second = |host: &str, first: &str, second: &str| {
        let machine = pair(host, first, second);
        let request = VfioRequest {
            address: at(SECOND),
            interface: VfioInterface::Cdev,
            also: &[],
            budget: ms(10_000),
        };
        match machine.open_vfio(&request) {
            Err(Error::Vfio(error)) => error,
            _ => panic!("it is open"),
        }
    };
    let cdev = "vfio = { group = false, cdev = true }";
    let group = "driver = \"vfio-pci\"\niommu_group = 20";
    let used = format!("{group}\n{user}");
    for (errno, error) in [
        // Another function of the group, by another iommufd.
        (libc::EPERM, open_second(cdev, &used, group)),
        // The function itself.
        (libc::EINVAL, open_second(cdev, group, &used)),
        // The group's file.
        (libc::EBUSY, open_second(BOTH, &used, group)),
        // A driver of the host's, in the same group.
        (libc::EPERM, open_second(cdev, "driver = \"ahci\"\niommu_group = 20", group)),
    ] {
        assert_eq!((error.operation, error.errno), (VfioOperation::BindIommufd, errno));
        assert!(error.is_in_use() && !error.is_permission(), "{error}");
        assert!(error.remedy().starts_with("stop the virtual machine"), "{error}");
    }
    // A plan sees it, in whichever function of the group it is.
    let machine = pair(cdev, &used, group);
    let planned = plan(&machine, &request(SECOND, MethodName::HotReset, Via::Vfio));
    let (code, reason, _) = reasons(&planned).remove(0);
    assert_eq!(code, RefusalCode::InUse);
    assert!(reason.contains("4711"), "{reason}");
}

#[test]
fn the_users_of_everything_in_the_groups_are_asked() {
    // On another bus, in the group of the one that is reset.
    let functions = port("")
        + &endpoint(FIRST, NO_RESET, FIRST_OURS)
        + &endpoint("0000:00:02.0", ALL, "driver = \"vfio-pci\"\niommu_group = 20");
    let machine = Meddled::new(machine(&functions))
        .user("0000:00:02.0", DeviceUser::Vfio { pid: 7, command: "qemu-system-x86".to_string() });
    let refused = reasons(&plan(&machine, &hot()));
    assert_eq!(refused[0].0, RefusalCode::InUse, "{refused:?}");
}

#[test]
fn a_function_without_a_file_of_its_own_is_opened_by_its_group() {
    let machine = || both(BOTH, (FLR, "vfio = { no_device_file = true }"), (FLR, ""));
    let report = reset(&machine(), &hot());
    assert_eq!(report.outcome, Outcome::Verified, "{report:#?}");
    assert!(has_note(&report, "its group was opened instead"), "{:?}", report.notes);
    // Not where the user has said which.
    let error = error(&machine(), &by(VfioInterface::Cdev));
    assert!(error.to_string().contains("--vfio group"), "{error}");
}

#[test]
fn what_is_not_written_back_while_the_kernel_waits_is_told() {
    let machine = owned("dies_on = [\"bus\"]");
    let report = ended(&machine, &Request { budget: ms(5_000), ..hot() });
    assert_eq!(report.outcome, Outcome::KernelStillWaiting);
    assert!(has_note(&report, "nothing is written back"), "{:?}", report.notes);
    assert!(has_note(&report, "0000:01:00.0 and 0000:01:00.1"), "{:?}", report.notes);
    assert!(
        report.next.iter().any(|next| next.contains("vfio-reset save 0000:01:00.0")),
        "{:?}",
        report.next
    );
}

#[test]
fn a_refused_reset_is_not_followed_by_writes_while_closing_goes_on_in_the_kernel() {
    // The kernel refuses, and the bus reset that closing is kills the device.
    let machine =
        both("", (NO_RESET, "vfio = { hot_reset = [\"EINVAL\"] }, dies_on = [\"bus\"]"), (NO_RESET, ""));
    let begin = machine.now();
    let report = ended(&machine, &Request { budget: ms(5_000), ..hot() });
    assert_eq!(report.outcome, Outcome::KernelStillWaiting, "{report:#?}");
    assert!(machine.now() - begin <= ms(5_100), "{:?}", machine.now() - begin);
    assert!(has_note(&report, "nothing is written back"), "{:?}", report.notes);
    let said = report.steps.iter().map(|step| step.text.as_str()).collect::<Vec<_>>().join("\n");
    assert!(said.contains("EINVAL") && said.contains("still waiting"), "{said}");
}

#[test]
fn a_device_with_a_bridges_class_behind_a_port_may_be_bound() {
    // As an NVSwitch or a non-transparent bridge has it, with an endpoint's header.
    for class in ["0x068000", "0x060000"] {
        let function = endpoint(FIRST, NO_RESET, "iommu_group = 20");
        let (before, rest) = function.split_once("class = ").unwrap();
        let (_, after) = rest.split_once('\n').unwrap();
        let machine = machine(&(port("") + before + &format!("class = {class}\n") + after));
        let Decision::Refuse { refusals, .. } = plan(&machine, &hot()).decision else { panic!() };
        let remedy = &refusals[0].remedy;
        assert_eq!(remedy.starts_with("bind it"), class == "0x068000", "{class}: {remedy}");
    }
}

#[test]
fn a_device_is_not_reset_over_and_over_because_its_neighbour_is_busy() {
    let busy = ["\"EAGAIN\""; 5].join(", ");
    let machine = both(BOTH, (FLR, ""), (FLR, &format!("vfio = {{ open = [{busy}] }}")));
    let report = reset(&machine, &by(VfioInterface::Cdev));
    assert_eq!(report.outcome, Outcome::Failed, "{report:#?}");
    let log = machine.kernel_log(Default::default()).unwrap();
    let is_reset = |text: &str| text.contains("0000:01:00.0") && text.contains("resetting");
    // Opened twice.
    assert_eq!(log.iter().filter(|line| is_reset(&line.text)).count(), 2, "{log:#?}");
    assert!(text(&report, StepName::Open).contains("EAGAIN"));
}

#[test]
fn the_question_for_the_set_waits_no_longer_than_the_budget() {
    // Its neighbour is being reset by somebody else, for a minute.
    let machine = both("", (NO_RESET, ""), (FLR, "dies_on = [\"flr\"]"));
    let device = open(&machine, FIRST, VfioInterface::Group);
    let request =
        VfioRequest { address: at(SECOND), interface: VfioInterface::Group, also: &[], budget: ms(1_000) };
    assert!(matches!(machine.open_vfio(&request).unwrap(), Opened::StillRunning));
    let begin = machine.now();
    assert!(device.hot_reset_set(ms(500)).unwrap().is_none());
    assert!(machine.now() - begin <= ms(500));
    assert!(device.hot_reset_set(Duration::from_secs(100)).unwrap().is_some());
}

#[test]
fn a_set_that_somebody_is_always_at_is_given_up() {
    let busy = vec!["\"EBUSY\""; 100].join(", ");
    let report = ended(&owned(&format!("vfio = {{ hot_reset = [{busy}] }}")), &hot());
    assert_eq!(report.outcome, Outcome::Failed);
    let said = text(&report, StepName::Reset);
    assert!(said.contains("memory of a function of the set") && said.contains("asked 20 times"), "{said}");
}
