//! `vfio-reset vfio`: opens a device through VFIO, shows what VFIO says of it, and closes it.

use crate::CommandResult;
use crate::args::VfioArguments;
use crate::output::{BAD, BOLD, DIM, GOOD, Output, WARNING, styled};
use crate::plan::{headline, refusal_lines, time};
use crate::session::Session;
use pcicfg::Address;
use serde_json::{Value, json};
use std::io::Write;
use std::time::Duration;
use vfio_reset::machine::KernelReset;
use vfio_reset::machine::vfio::{
    HotResetSet, Opened, RegionIndex, RegionInfo, VfioDevice, VfioEvent, VfioInterface, VfioRequest,
};
use vfio_reset::method::MethodName;
use vfio_reset::plan::{Decision, Override, Request, Via};
use vfio_reset::{Error, Machine};

/// How long opening and closing may take, each a reset.
const BUDGET: Duration = Duration::from_secs(30);

/// More than any expansion ROM has.
const MOST_ROM: u64 = 16 << 20;

pub(crate) fn run(session: &Session, output: &Output, arguments: &VfioArguments) -> CommandResult {
    let address = arguments.address;
    let request = Request {
        vfio: arguments.vfio,
        // Its virtual functions lose nothing by a look.
        allow: vec![Override::VirtualFunctions],
        ..Request::new(address).method(MethodName::VfioReset).via(Via::Vfio)
    };
    let (inventory, plan) = session.plan(&request)?;
    session.must_be_writable("opened")?;
    if let Decision::Refuse { refusals, .. } = &plan.decision {
        output.document(&json!({
            "schema": vfio_reset::json::SCHEMA, "address": address, "outcome": "refused", "exit_code": 3,
            "refusals": refusals,
        }));
        output.error(format!("{address} cannot be opened; nothing was touched"));
        for line in refusal_lines(refusals) {
            output.detail(line);
        }
        return Ok(3);
    }
    output.line(headline(session, inventory.function(address)?));
    let facts = inventory.host().vfio.unwrap_or_default();
    let interface = arguments.vfio.or(facts.preferred()).unwrap_or(VfioInterface::Group);
    let machine = session.machine();
    let begin = machine.clock().now();
    let request = VfioRequest { address, interface, also: &[], budget: BUDGET };
    let device = match machine.open_vfio(&request)? {
        Opened::Open(device) => device,
        Opened::StillRunning => return Ok(still_running(output, address, "opened")),
    };
    let opening = machine.clock().now().saturating_sub(begin);
    let mut look = look(&*device)?;
    print(output, &look, interface, opening, device.can_reset());
    let mut released = false;
    let result = watch(machine, output, &*device, arguments, &mut look, &mut released);
    let begin = machine.clock().now();
    let closed = device.close(BUDGET)?;
    let closing = machine.clock().now().saturating_sub(begin);
    result?;
    if closed == KernelReset::StillRunning {
        return Ok(still_running(output, address, "closed"));
    }
    output.line(format!("  closed in {}", time(closing)));
    output.document(&document(address, interface, &look, opening, closing));
    Ok(if released { 6 } else { 0 })
}

/// What VFIO says of an open function.
struct Look {
    can_reset: bool,
    regions: Vec<(RegionIndex, RegionInfo)>,
    set: Result<HotResetSet, String>,
    events: Vec<VfioEvent>,
}

fn look(device: &dyn VfioDevice) -> Result<Look, Error> {
    let mut regions = Vec::new();
    for index in RegionIndex::ALL {
        regions.extend(device.region(index)?.map(|info| (index, info)));
    }
    let set = match device.hot_reset_set(BUDGET) {
        Ok(Some(set)) => Ok(set),
        Ok(None) => Err("the kernel did not answer: somebody else resets a function of the set".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    Ok(Look { can_reset: device.can_reset(), regions, set, events: Vec::new() })
}

fn print(output: &Output, look: &Look, interface: VfioInterface, opening: Duration, can_reset: bool) {
    let reset = match can_reset {
        true => "and reset by that",
        false => "and not reset by that: the kernel has no method for it alone",
    };
    output.line(format!("  open through VFIO ({interface}) in {}, {reset}", time(opening)));
    output.line(styled(BOLD, "Regions"));
    for (index, info) in &look.regions {
        let may = |yes: bool, letter: &'static str| if yes { letter } else { "-" };
        output.line(format!(
            "  {:<8}{:>#12x} bytes  {}{}{}",
            index.to_string(),
            info.size,
            may(info.readable, "r"),
            may(info.writable, "w"),
            may(info.mappable, "m")
        ));
    }
    output.line(styled(BOLD, "A hot reset would hit"));
    match &look.set {
        Ok(set) => {
            for member in &set.functions {
                let group = member.group.map_or_else(String::new, |group| format!(" (IOMMU group {group})"));
                let whose = match member.owned {
                    true => styled(GOOD, "ours"),
                    false => styled(WARNING, "not ours yet: its group is not open"),
                };
                output.line(format!("  {}{group}: {whose}", member.address));
            }
        }
        Err(error) => output.line(format!("  {}", styled(DIM, error))),
    }
}

/// Saves the ROM if that is wanted, then tells what the kernel tells until the time is over or the kernel wants
/// the function back.
fn watch(
    machine: &dyn Machine,
    output: &Output,
    device: &dyn VfioDevice,
    arguments: &VfioArguments,
    look: &mut Look,
    released: &mut bool,
) -> Result<(), Error> {
    const LOOK_EVERY: Duration = Duration::from_millis(100);
    if let Some(path) = &arguments.rom {
        let image = rom(device)?;
        let mut file = std::fs::File::create_new(path).map_err(|error| Error::write(path, error))?;
        file.write_all(&image).map_err(|error| Error::write(path, error))?;
        output.line(format!("  {} bytes of ROM written to {}", image.len(), path.display()));
    }
    let Some(hold) = arguments.hold else { return Ok(()) };
    output.line(format!("Held open for {}; what the kernel tells:", time(hold)));
    let clock = machine.clock();
    let end = clock.now().saturating_add(hold);
    loop {
        for event in device.events()? {
            output.line(format!("  {}", styled(BAD, event)));
            look.events.push(event);
            *released |= event == VfioEvent::ReleaseRequested;
        }
        let left = end.saturating_sub(clock.now());
        if *released || left.is_zero() {
            return Ok(());
        }
        clock.sleep(LOOK_EVERY.min(left));
    }
}

/// The whole ROM region.
fn rom(device: &dyn VfioDevice) -> Result<Vec<u8>, Error> {
    let size = device.region(RegionIndex::Rom)?.map_or(0, |info| info.size.min(MOST_ROM));
    let mut image = vec![0; size as usize];
    device.read_region(RegionIndex::Rom, 0, &mut image)?;
    Ok(image)
}

fn still_running(output: &Output, address: Address, what: &str) -> u8 {
    output.document(&json!({
        "schema": vfio_reset::json::SCHEMA, "address": address, "outcome": "kernel_still_waiting", "exit_code": 6,
    }));
    output.error(format!(
        "{address} did not come back from the reset that being {what} is, and the kernel is still waiting for it"
    ));
    6
}

fn document(
    address: Address,
    interface: VfioInterface,
    look: &Look,
    opening: Duration,
    closing: Duration,
) -> Value {
    let milliseconds = |time: Duration| (time.as_secs_f64() * 1e6).round() / 1e3;
    let regions = look.regions.iter().map(|(index, info)| {
        json!({
            "region": index.to_string(), "size": info.size, "readable": info.readable,
            "writable": info.writable, "mappable": info.mappable,
        })
    });
    let set = look.set.as_ref().ok().map(|set| {
        let member = |member: &vfio_reset::machine::vfio::SetMember| {
            json!({ "address": member.address, "iommu_group": member.group, "owned": member.owned })
        };
        set.functions.iter().map(member).collect::<Vec<_>>()
    });
    json!({
        "schema": vfio_reset::json::SCHEMA,
        "address": address,
        "interface": interface,
        "can_reset": look.can_reset,
        "open_ms": milliseconds(opening),
        "close_ms": milliseconds(closing),
        "regions": regions.collect::<Vec<_>>(),
        "hot_reset": set,
        "hot_reset_error": look.set.as_ref().err(),
        "events": look.events,
    })
}
