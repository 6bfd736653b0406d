//! Resets through VFIO, on simulated machines: each way, each answer of the kernel, each sentence.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;
#[path = "vfio/sets.rs"]
mod sets;

use common::*;
use std::time::Duration;
use vfio_reset::machine::simulated::Simulated;
use vfio_reset::machine::vfio::{Opened, RegionIndex, VfioDevice, VfioInterface, VfioOperation, VfioRequest};
use vfio_reset::machine::{Attribute, Clock, DeviceUser, KernelReset};
use vfio_reset::method::MethodName;
use vfio_reset::plan::{Decision, Ownership, Plan, RefusalCode, Request, ResetAct, StepName, Via};
use vfio_reset::report::{Outcome, Report};
use vfio_reset::reset::Options;
use vfio_reset::{Error, Machine};

const FIRST: &str = "0000:01:00.0";
const SECOND: &str = "0000:01:00.1";

/// What resets nothing alone: a display and its sound, as the kernel sees them.
const NO_RESET: &str =
    "{ power_management = { no_soft_reset = true } }, { pci_express = { max_speed = 3, max_width = 4 } }";

/// Two functions in one slot; `host` is its table's lines, each `more` the lines of a function.
fn pair(host: &str, first: &str, second: &str) -> Simulated {
    let functions = port("")
        + &endpoint(FIRST, NO_RESET, &format!("multi_function = true\n{first}"))
        + &endpoint(SECOND, NO_RESET, &format!("multi_function = true\n{second}"));
    machine_of(&format!("[host]\nkernel = \"6.12.0\"\n{host}"), &functions)
}

/// Both bound to vfio-pci, in groups of their own.
fn owned(behaviour: &str) -> Simulated {
    pair(
        "",
        &format!("driver = \"vfio-pci\"\niommu_group = 20\nbehaviour = {{ {behaviour} }}"),
        "driver = \"vfio-pci\"\niommu_group = 21",
    )
}

/// One function that can reset itself.
fn single(behaviour: &str) -> Simulated {
    let more = format!("driver = \"vfio-pci\"\niommu_group = 20\nbehaviour = {{ {behaviour} }}");
    machine(&(port("") + &endpoint(FIRST, ALL, &more)))
}

fn hot() -> Request {
    request(FIRST, MethodName::HotReset, Via::Vfio)
}

fn own() -> Request {
    request(FIRST, MethodName::VfioReset, Via::Vfio)
}

fn ended(machine: &Simulated, request: &Request) -> Report {
    try_reset(machine, request, Options::default()).unwrap()
}

/// The reasons of a plan that refuses.
fn reasons(plan: &Plan) -> Vec<(RefusalCode, String, String)> {
    let Decision::Refuse { refusals, .. } = &plan.decision else { panic!("{:?}", plan.decision) };
    refusals.iter().map(|r| (r.code, r.reason.clone(), r.remedy.clone())).collect()
}

#[test]
fn two_functions_without_a_reset_of_their_own_are_reset_together() {
    let machine = owned("");
    let before = image(&machine);
    // Nobody has to ask for it: nothing else works without writes of our own.
    let action = action(&machine, &Request::new(at(FIRST)));
    assert_eq!((action.via, action.method), (Via::Vfio, MethodName::HotReset));
    let report = reset(&machine, &Request::new(at(FIRST)));
    assert_eq!(report.outcome, Outcome::Verified, "{report:#?}");
    assert_eq!(differences(&before, &image(&machine)), [""; 0]);
    assert_eq!(
        names(&report),
        [
            StepName::Check,
            StepName::Save,
            StepName::Open,
            StepName::Ask,
            StepName::Reset,
            StepName::Close,
            StepName::WaitReady,
            StepName::Restore,
            StepName::Verify
        ]
    );
    assert_eq!(text(&report, StepName::Ask), "2 functions, all ours");
}

#[test]
fn the_plan_counts_the_resets_that_opening_and_closing_are() {
    // FLR takes 100 ms, and is done three times.
    let machine = single("");
    let planned = action(&machine, &own());
    let floor = |name| planned.steps.iter().find(|step| step.name == name).unwrap().floor;
    for name in [StepName::Open, StepName::Reset, StepName::Close] {
        assert_eq!(floor(name), ms(100), "{name}");
    }
    let report = reset(&machine, &own());
    assert_eq!(report.outcome, Outcome::Verified);
    for name in [StepName::Open, StepName::Reset, StepName::Close] {
        assert!(report.step(name).unwrap().time >= ms(100), "{name}");
        assert!(report.step(name).unwrap().excess() < ms(2), "{name}");
    }
    assert!(report.notes.iter().any(|note| note.contains("reset 3 times in all")), "{:?}", report.notes);

    // Without a reset of its own, closing resets the bus once more: 2 ms, then 100.
    let planned = action(&owned(""), &hot());
    let floor = |name| planned.steps.iter().find(|step| step.name == name).unwrap().floor;
    assert_eq!((floor(StepName::Open), floor(StepName::Reset)), (ms(0), ms(102)));
    assert_eq!(floor(StepName::Close), ms(102));
    let report = reset(&owned(""), &hot());
    assert!(report.step(StepName::Close).unwrap().time >= ms(102));
    assert!(report.notes.iter().any(|note| note.contains("reset 2 times in all")), "{:?}", report.notes);
}

#[test]
fn the_plan_lists_each_function_that_would_be_hit_and_whose_it_is() {
    let machine =
        pair("", "driver = \"vfio-pci\"\niommu_group = 20", "driver = \"snd_hda_intel\"\niommu_group = 21");
    let planned = plan(&machine, &hot());
    let set = planned.hot_reset.clone().unwrap();
    let members: Vec<_> = set
        .iter()
        .map(|m| (m.function.address.to_string(), m.function.iommu_group, m.function.driver.clone()))
        .collect();
    assert_eq!(
        members,
        [
            (FIRST.to_string(), Some(20), Some("vfio-pci".to_string())),
            (SECOND.to_string(), Some(21), Some("snd_hda_intel".to_string()))
        ]
    );
    assert_eq!(set[0].ownership, Ownership::Ours);
    assert_eq!(set[1].ownership, Ownership::NotBound);
    let refused = reasons(&planned);
    assert_eq!(refused.len(), 1, "{refused:?}");
    let (code, reason, remedy) = &refused[0];
    assert_eq!(*code, RefusalCode::NotOwned);
    for part in [SECOND, "IOMMU group 21", "snd_hda_intel", "would be reset too"] {
        assert!(reason.contains(part), "{reason}");
    }
    for part in ["driver_override", "unbind", "drivers_probe", SECOND] {
        assert!(remedy.contains(part), "{remedy}");
    }
}

#[test]
fn whatever_keeps_a_function_from_being_ours_is_named() {
    let user = "users = [{ kind = \"vfio\", pid = 4711, command = \"qemu-system-x86\" }]";
    let vfio = "driver = \"vfio-pci\"\niommu_group = 20";
    let cases: [(&str, &str, RefusalCode, &str); 5] = [
        ("iommu_group = 21", "no driver", RefusalCode::NotOwned, "drivers_probe"),
        ("driver = \"vfio-pci\"", "no IOMMU group", RefusalCode::NotOwned, "IOMMU"),
        ("driver = \"pci-stub\"\niommu_group = 21", "pci-stub", RefusalCode::NotOwned, "driver_override"),
        (
            &format!("driver = \"vfio-pci\"\niommu_group = 21\n{user}"),
            "4711",
            RefusalCode::InUse,
            "virtual machine",
        ),
        (
            "driver = \"ahci\"\niommu_group = 21\nusers = [{ kind = \"mount\", device = \"sda1\", path = \"/srv\" }]",
            "ahci",
            RefusalCode::NotOwned,
            "sda1 is mounted on /srv",
        ),
    ];
    for (second, words, code, remedy) in cases {
        let refused = reasons(&plan(&pair("", vfio, second), &hot()));
        let found = refused.iter().find(|(found, ..)| *found == code).unwrap();
        assert!(found.1.contains(words), "{second}: {refused:?}");
        assert!(found.2.contains(remedy), "{second}: {refused:?}");
    }
    // The group holds another function, which no reset would reach, and the host uses it.
    let functions = port("")
        + &endpoint(FIRST, NO_RESET, "driver = \"vfio-pci\"\niommu_group = 20")
        + &endpoint("0000:00:02.0", ALL, "driver = \"ahci\"\niommu_group = 20");
    let refused = reasons(&plan(&machine(&functions), &hot()));
    assert!(refused[0].1.contains("0000:00:02.0 is in the same group"), "{refused:?}");
}

#[test]
fn functions_of_one_group_are_owned_with_it() {
    let both = "driver = \"vfio-pci\"\niommu_group = 20";
    let machine = pair("", both, both);
    let planned = action(&machine, &hot());
    let ResetAct::HotReset { also, .. } = &planned.act else { panic!() };
    assert!(also.is_empty(), "one group is opened once: {also:?}");
    assert_eq!(reset(&machine, &hot()).outcome, Outcome::Verified);
    let planned = action(&owned(""), &hot());
    let ResetAct::HotReset { also, .. } = &planned.act else { panic!() };
    assert_eq!(also, &[at(SECOND)]);
}

#[test]
fn both_interfaces_reset_and_the_newer_is_taken_where_there_is_a_choice() {
    let vfio = "driver = \"vfio-pci\"\niommu_group = 20";
    let other = "driver = \"vfio-pci\"\niommu_group = 21";
    let both = pair("vfio = { group = true, cdev = true }", vfio, other);
    let interface = |machine: &Simulated, request: &Request| match action(machine, request).act {
        ResetAct::HotReset { interface, .. } => interface,
        act => panic!("{act:?}"),
    };
    assert_eq!(interface(&both, &hot()), VfioInterface::Cdev);
    let group = Request { vfio: Some(VfioInterface::Group), ..hot() };
    assert_eq!(interface(&both, &group), VfioInterface::Group);
    assert_eq!(reset(&both, &group).outcome, Outcome::Verified);
    assert_eq!(reset(&both, &hot()).outcome, Outcome::Verified);

    let old = pair("", vfio, other);
    assert_eq!(interface(&old, &hot()), VfioInterface::Group);
    let cdev = Request { vfio: Some(VfioInterface::Cdev), ..hot() };
    let planned = plan(&old, &cdev);
    assert!(matches!(planned.decision, Decision::NoMethod));
    let reason = planned.candidates[0].impossible.clone().unwrap();
    assert!(reason.contains("no cdev interface"), "{reason}");
    let without = pair("vfio = { group = false, cdev = false }", vfio, other);
    let reason = plan(&without, &hot()).candidates[0].impossible.clone().unwrap();
    assert!(reason.contains("modprobe vfio-pci"), "{reason}");
}

#[test]
fn where_no_hot_reset_can_be_there_is_a_reason() {
    let on_root = machine(&endpoint("0000:00:05.0", NO_RESET, "driver = \"vfio-pci\"\niommu_group = 3"));
    let request = request("0000:00:05.0", MethodName::HotReset, Via::Vfio);
    let planned = plan(&on_root, &request);
    assert!(planned.hot_reset.is_none());
    assert!(planned.candidates[0].impossible.as_deref().unwrap().contains("root bus"));

    // Not the function itself, but its neighbour, does not survive it: Atheros 168c:0030.
    let functions = port("")
        + &endpoint(FIRST, NO_RESET, "multi_function = true\ndriver = \"vfio-pci\"\niommu_group = 20")
        + &device(SECOND, 0x168c, 0x0030, 0x028000, NO_RESET, "multi_function = true\ndriver = \"vfio-pci\"");
    let planned = plan(&machine(&functions), &hot());
    let reason = planned.candidates[0].impossible.clone().unwrap();
    assert!(reason.contains(SECOND) && reason.contains("not to survive"), "{reason}");

    let virtual_function = plan(&Simulated::zoo(), &super_request("0000:03:10.0"));
    let reason = virtual_function.candidates[0].impossible.clone().unwrap();
    assert!(reason.contains("virtual function") && reason.contains("flr"), "{reason}");
}

fn super_request(address: &str) -> Request {
    request(address, MethodName::HotReset, Via::Vfio)
}

/// A reset of a machine whose VFIO answers so.
fn answered(request: &Request, list: &str, errno: &str) -> Report {
    let behaviour = format!("vfio = {{ {list} = [\"{errno}\"] }}");
    let machine =
        if request.method == Some(MethodName::HotReset) { owned(&behaviour) } else { single(&behaviour) };
    ended(&machine, request)
}

#[test]
fn every_answer_to_a_device_reset_is_explained() {
    for (errno, outcome, step, remedy) in [
        ("ENOTTY", Outcome::Failed, "every method was tried", "show"),
        ("EIO", Outcome::Failed, "cannot be woken", "dmesg"),
    ] {
        let report = answered(&own(), "reset", errno);
        assert_eq!(report.outcome, outcome, "{errno}");
        let said = text(&report, StepName::Reset);
        for part in ["VFIO_DEVICE_RESET", errno, step, remedy] {
            assert!(said.contains(part), "{errno}: {said}");
        }
        // What was opened is closed, and what was saved is written back.
        assert!(names(&report).ends_with(&[StepName::Close, StepName::Restore]), "{:?}", names(&report));
    }
    // After the plan somebody has emptied reset_method: nothing worked when it was opened.
    let machine = single("");
    let planned = action(&machine, &own());
    machine.set_attribute(at(FIRST), Attribute::ResetMethod, "").unwrap();
    let report = vfio_reset::reset::reset(&machine, &planned, Options::default(), &mut |_| {}).unwrap();
    // Closing it may reset the bus: that nothing was reset would be too much said.
    assert_eq!(report.outcome, Outcome::Failed, "{report:#?}");
    let said = text(&report, StepName::Reset);
    for part in ["EINVAL", "no reset of its own", "hot_reset"] {
        assert!(said.contains(part), "{said}");
    }
    // Alone on its bus, it is reset with that when it is closed, or not: nobody has asked.
    assert_eq!(text(&report, StepName::Close), "closed; the kernel may have reset the bus");
    // Somebody else was at it: asked for again, and done.
    let report = answered(&own(), "reset", "EAGAIN");
    assert_eq!(report.outcome, Outcome::Verified);
    assert!(text(&report, StepName::Reset).contains("asked 2 times"));
    // Not for ever.
    let busy = vec!["\"EAGAIN\""; 100].join(", ");
    let report = ended(&single(&format!("vfio = {{ reset = [{busy}] }}")), &own());
    assert_eq!(report.outcome, Outcome::Failed);
    let said = text(&report, StepName::Reset);
    assert!(said.contains("somebody else holds") && said.contains("asked 20 times"), "{said}");
}

#[test]
fn every_answer_to_the_question_for_the_set_is_explained() {
    for (errno, outcome, cause) in [
        ("ENODEV", Outcome::NoMethod, "neither its slot nor its bus"),
        ("EPERM", Outcome::NoMethod, "no IOMMU group"),
        ("EINVAL", Outcome::Failed, "request's size"),
        ("ENOSPC", Outcome::Failed, "grew each time"),
    ] {
        let report = answered(&hot(), "hot_reset_info", errno);
        assert_eq!(report.outcome, outcome, "{errno}");
        let said = text(&report, StepName::Ask);
        for part in ["VFIO_DEVICE_GET_PCI_HOT_RESET_INFO", errno, cause] {
            assert!(said.contains(part), "{errno}: {said}");
        }
    }
    let report = answered(&hot(), "hot_reset_info", "EAGAIN");
    assert_eq!(report.outcome, Outcome::Verified);
    assert!(text(&report, StepName::Ask).contains("asked 2 times"));
}

#[test]
fn every_answer_to_a_hot_reset_is_explained() {
    for (errno, outcome, cause) in [
        ("EINVAL", Outcome::Failed, "not bound to a VFIO driver, or is not owned"),
        ("EBADF", Outcome::Failed, "file of a group"),
        ("ENODEV", Outcome::NoMethod, "can be reset any more"),
        ("ENOTTY", Outcome::Failed, "did not come back"),
    ] {
        let report = answered(&hot(), "hot_reset", errno);
        assert_eq!(report.outcome, outcome, "{errno}");
        let said = text(&report, StepName::Reset);
        for part in ["VFIO_DEVICE_PCI_HOT_RESET", errno, cause] {
            assert!(said.contains(part), "{errno}: {said}");
        }
    }
    for errno in ["EAGAIN", "EBUSY"] {
        let report = answered(&hot(), "hot_reset", errno);
        assert_eq!(report.outcome, Outcome::Verified, "{errno}");
        assert!(text(&report, StepName::Reset).contains("asked 2 times"));
    }
}

/// The error of a reset that could not begin.
fn error(machine: &Simulated, request: &Request) -> Error {
    // The plan is forced: it was made before what now stands in the way was there.
    match try_reset(machine, request, Options::default()) {
        Err(error) => error,
        Ok(report) => panic!("{report:#?}"),
    }
}

#[test]
fn what_keeps_it_from_being_opened_is_explained_and_nothing_was_touched() {
    let vfio = "driver = \"vfio-pci\"\niommu_group = 20";
    let other = "driver = \"vfio-pci\"\niommu_group = 21";
    // With iommufd the number is also that of a group that somebody else has: that comes first.
    for (interface, operation, setting, permission) in [
        ("group", VfioOperation::SetIommu, "vfio_iommu_type1 allow_unsafe_interrupts=1", true),
        ("cdev", VfioOperation::BindIommufd, "iommufd.allow_unsafe_interrupts=1", false),
    ] {
        let host = "vfio = { group = true, cdev = true }\ninterrupt_remapping = false";
        let machine = pair(host, vfio, other);
        let before = image(&machine);
        let request = Request { vfio: Some(interface.parse().unwrap()), ..hot() };
        let error = error(&machine, &request);
        let Error::Vfio(found) = &error else { panic!("{error}") };
        assert_eq!((found.operation, found.errno), (operation, libc::EPERM));
        assert_eq!((error.is_permission(), found.is_in_use()), (permission, !permission));
        let text = error.to_string();
        assert!(text.contains("interrupt") && text.contains(setting), "{text}");
        assert_eq!(differences(&before, &image(&machine)), [""; 0]);
    }
    for (errno, words) in
        [("EIO", "power/control"), ("ENODEV", "not bound to a VFIO driver"), ("EACCES", "VF token")]
    {
        let error = error(&single(&format!("vfio = {{ open = [\"{errno}\"] }}")), &own());
        let text = error.to_string();
        assert!(text.contains("VFIO_GROUP_GET_DEVICE_FD") && text.contains(words), "{text}");
    }
    let report = ended(&single("vfio = { open = [\"EAGAIN\"] }"), &own());
    assert!(text(&report, StepName::Open).contains("asked 2 times"));
}

fn open<'m>(machine: &'m Simulated, address: &str, interface: VfioInterface) -> Box<dyn VfioDevice + 'm> {
    let request = VfioRequest { address: at(address), interface, also: &[], budget: Duration::from_secs(10) };
    match machine.open_vfio(&request).unwrap() {
        Opened::Open(device) => device,
        Opened::StillRunning => panic!("it takes longer than 10 s"),
    }
}

#[test]
fn the_kernel_itself_refuses_a_set_that_is_not_whole() {
    // Asked without a plan: the second group was not opened.
    let machine = owned("");
    let mut device = open(&machine, FIRST, VfioInterface::Group);
    let set = device.hot_reset_set(ms(1_000)).unwrap().unwrap();
    let strangers: Vec<_> = set.strangers().map(|member| (member.address, member.group)).collect();
    assert_eq!(strangers, [(at(SECOND), Some(21))]);
    assert_eq!(device.hot_reset(ms(60_000)).unwrap(), KernelReset::Failed { errno: libc::EINVAL });
    assert_eq!(device.close(ms(60_000)).unwrap(), KernelReset::Done);
}

#[test]
fn a_group_is_opened_once_and_again_when_it_was_closed() {
    let machine = owned("");
    let device = open(&machine, FIRST, VfioInterface::Group);
    let request =
        VfioRequest { address: at(FIRST), interface: VfioInterface::Group, also: &[], budget: ms(10_000) };
    let Err(Error::Vfio(error)) = machine.open_vfio(&request) else { panic!("it is open twice") };
    assert_eq!((error.operation, error.errno), (VfioOperation::OpenGroup, libc::EBUSY));
    drop(device);
    drop(open(&machine, FIRST, VfioInterface::Group));
}

#[test]
fn a_group_with_a_driver_of_the_hosts_is_not_viable() {
    let functions = port("")
        + &endpoint(FIRST, NO_RESET, "driver = \"vfio-pci\"\niommu_group = 20")
        + &endpoint("0000:00:02.0", ALL, "driver = \"ahci\"\niommu_group = 20");
    let machine = machine(&functions);
    let request =
        VfioRequest { address: at(FIRST), interface: VfioInterface::Group, also: &[], budget: ms(10_000) };
    let Err(Error::Vfio(error)) = machine.open_vfio(&request) else { panic!("it is open") };
    assert_eq!(error.operation, VfioOperation::GroupViable);
    assert!(error.is_in_use() && error.to_string().contains("not viable"), "{error}");
}

#[test]
fn a_function_that_never_comes_back_is_given_up_within_the_budget() {
    // Opening alone takes the kernel 65 s then.
    let machine = single("dies_on = [\"flr\"]");
    let begin = machine.now();
    let report = ended(&machine, &Request { budget: ms(5_000), ..own() });
    assert_eq!(report.outcome, Outcome::KernelStillWaiting);
    assert!((machine.now() - begin) < ms(5_100), "{:?}", machine.now() - begin);
    assert_eq!(names(&report).last(), Some(&StepName::Open));
    assert!(report.next.iter().any(|next| next.contains("cannot be cancelled")), "{:?}", report.next);

    // It dies of the hot reset.
    let machine = owned("dies_on = [\"bus\"]");
    let report = ended(&machine, &Request { budget: ms(5_000), ..hot() });
    assert_eq!(report.outcome, Outcome::KernelStillWaiting, "{report:#?}");
    // With all the time in the world the kernel says ENOTTY, and we what that means.
    let machine = owned("dies_on = [\"bus\"]");
    let report = ended(&machine, &Request { budget: Duration::from_secs(600), ..hot() });
    assert_eq!(report.outcome, Outcome::Lost);
    let said = text(&report, StepName::Reset);
    assert!(said.contains("ENOTTY") && said.contains("all-ones"), "{said}");
    assert!(report.next.iter().any(|next| next.contains("virtual machine")));
}

#[test]
fn a_bridge_that_forgets_its_windows_is_healed_after_a_hot_reset() {
    let broken = "behaviour = { windows_corrupt_after_reset = true }";
    let port = port("").replace("driver = \"pcieport\"", &format!("driver = \"pcieport\"\n{broken}"));
    let both = "multi_function = true\ndriver = \"vfio-pci\"\niommu_group = 20";
    let machine = machine(&(port + &endpoint(FIRST, NO_RESET, both) + &endpoint(SECOND, NO_RESET, both)));
    let before = image(&machine);
    assert_eq!(reset(&machine, &hot()).outcome, Outcome::Verified);
    assert_eq!(differences(&before, &image(&machine)), [""; 0]);
}

#[test]
fn what_the_kernel_told_while_it_was_open_is_in_the_report() {
    let report = reset(&single("vfio = { events = [\"error\", \"release_requested\"] }"), &own());
    for words in ["AER", "unplugged"] {
        assert!(report.notes.iter().any(|note| note.contains(words)), "{:?}", report.notes);
    }
}

#[test]
fn a_driver_that_was_bound_after_the_plan_stops_the_reset() {
    let machine = owned("");
    let action = action(&machine, &hot());
    let meddled = Meddled::new(machine).change_facts(|address, facts| {
        if address == at(SECOND) {
            facts.driver = Some("snd_hda_intel".to_string());
        }
    });
    let report = vfio_reset::reset::reset(&meddled, &action, Options::default(), &mut |_| {}).unwrap();
    assert_eq!(report.outcome, Outcome::NotTouched);
    assert!(text(&report, StepName::Check).contains("snd_hda_intel"));
}

#[test]
fn a_function_in_a_running_machine_is_refused() {
    let machine = Meddled::new(single(""))
        .user(FIRST, DeviceUser::Vfio { pid: 7, command: "qemu-system-x86".to_string() });
    let refused = reasons(&plan(&machine, &own()));
    assert_eq!(refused[0].0, RefusalCode::InUse);
    assert!(refused[0].1.contains("process 7 (qemu-system-x86)"), "{refused:?}");
}

#[test]
fn regions_are_read_and_written_while_they_answer() {
    let machine = single("");
    let device = open(&machine, FIRST, VfioInterface::Group);
    let bar = device.region(RegionIndex::Bar(0)).unwrap().unwrap();
    assert_eq!((bar.size, bar.readable, bar.writable), (0x1000, true, true));
    assert!(device.region(RegionIndex::Bar(3)).unwrap().is_none());
    device.write_region(RegionIndex::Bar(0), 0x10, &[1, 2, 3, 4]).unwrap();
    let mut bytes = [0; 4];
    device.read_region(RegionIndex::Bar(0), 0x10, &mut bytes).unwrap();
    assert_eq!(bytes, [1, 2, 3, 4]);
    device.read_region(RegionIndex::Config, 0, &mut bytes).unwrap();
    assert_eq!(bytes, [0x34, 0x12, 0x78, 0x56]);
    for (region, offset) in
        [(RegionIndex::Bar(0), 0xffe), (RegionIndex::Bar(3), 0), (RegionIndex::Bar(0), u64::MAX)]
    {
        let Err(Error::Vfio(error)) = device.read_region(region, offset, &mut bytes) else {
            panic!("{offset}")
        };
        assert_eq!(error.errno, libc::EINVAL);
    }
    // Memory Space off: an error, not a wrong answer.
    machine.write_config(at(FIRST), 4, &[0, 0]).unwrap();
    let Err(Error::Vfio(error)) = device.read_region(RegionIndex::Bar(0), 0, &mut bytes) else { panic!() };
    assert!(error.to_string().contains("Memory Space"), "{error}");
}

#[test]
fn the_document_says_whose_each_function_is() {
    let machine = pair("", "driver = \"vfio-pci\"\niommu_group = 20", "iommu_group = 21");
    let planned = plan(&machine, &hot());
    let document = serde_json::to_value(vfio_reset::json::plan(&planned)).unwrap();
    let set = document["hot_reset"].as_array().unwrap();
    assert_eq!(set[0]["address"], FIRST);
    assert_eq!((&set[0]["owned"], &set[1]["owned"]), (&true.into(), &false.into()));
    assert_eq!(set[1]["ownership"]["state"], "not_bound");
    assert_eq!(set[1]["iommu_group"], 21);
    assert_eq!(document["decision"]["refusals"][0]["code"], "not_owned");
}
