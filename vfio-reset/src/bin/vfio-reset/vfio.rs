//! `vfio-reset vfio`: opens a device through VFIO, shows what VFIO says of it, and closes it.

use crate::CommandResult;
use crate::args::VfioArguments;
use crate::opening::{self, During};
use crate::output::{BAD, BOLD, DIM, GOOD, Output, WARNING, styled};
use crate::plan::{headline, time};
use crate::session::Session;
use crate::signals::Blocked;
use pcicfg::Address;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;
use vfio_reset::machine::KernelReset;
use vfio_reset::machine::vfio::{
    HotResetSet, Opened, RegionIndex, RegionInfo, VfioDevice, VfioEvent, VfioInterface, VfioRequest,
};
use vfio_reset::{Error, Machine};

/// More than any expansion ROM has: a ROM's address register has as many bits as that.
const MOST_ROM: u64 = 16 << 20;

pub(crate) fn run(session: &Session, output: &Output, arguments: &VfioArguments) -> CommandResult {
    let &VfioArguments { address, budget, .. } = arguments;
    let inventory = match opening::allowed(session, output, address, budget)? {
        ControlFlow::Continue(inventory) => inventory,
        ControlFlow::Break(code) => return Ok(code),
    };
    // Before the device is reset for it.
    let mut rom = arguments.rom.as_deref().map(NewFile::create).transpose()?;
    output.line(headline(session, inventory.function(address)?));
    let interface = opening::interface(&inventory, arguments.vfio);
    let machine = session.machine();
    // What would end the program waits until the device is closed.
    let undisturbed = Blocked::new();
    let begin = machine.clock().now();
    let request = VfioRequest { address, interface, also: &[], budget };
    let (opened, interface) = opening::open(machine, output, &inventory, &request, arguments.vfio)?;
    let device = match opened {
        Opened::Open(device) => device,
        Opened::StillRunning => {
            return Ok(opening::still_running(output, address, During::Opening, budget, None));
        }
    };
    let opening = machine.clock().now().saturating_sub(begin);
    let visit = look(&*device, budget).and_then(|mut look| {
        print(output, &look, interface, opening);
        if let Some(file) = &mut rom {
            let size = save_rom(&*device, address, file)?;
            output.line(format!("  {size} bytes of ROM written to {}", file.path.display()));
            look.rom = Some((file.path.clone(), size));
        }
        if let Some(hold) = arguments.hold {
            watch(machine, output, &*device, hold, &undisturbed, &mut look)?;
        }
        Ok(look)
    });
    let begin = machine.clock().now();
    let closed = device.close(budget);
    let closing = machine.clock().now().saturating_sub(begin);
    let document = |look: &Look| document(address, interface, look, opening, closing);
    if let Ok(KernelReset::StillRunning) = closed {
        let mut known = visit.as_ref().ok().map(document);
        if let Err(error) = &visit {
            output.error(error);
            known = Some(json!({ "error": error.to_string() }));
        }
        return Ok(opening::still_running(output, address, During::Closing, budget, known));
    }
    let closed = match closed {
        Ok(closed) => closed,
        Err(error) => {
            let known = visit.as_ref().ok().map(document);
            return Ok(opening::not_closed(output, address, visit.as_ref().err(), &error, known));
        }
    };
    let look = visit?;
    match closed {
        KernelReset::Failed { errno } => {
            output.warn(format!("closing {address}: {}", std::io::Error::from_raw_os_error(errno)));
        }
        _ => output.line(format!("  closed in {}", time(closing))),
    }
    output.document(&document(&look));
    Ok(look.exit_code())
}

/// A file that was made for what is to be written to it, and is removed again if nothing was.
struct NewFile {
    path: PathBuf,
    file: File,
    is_whole: bool,
}

impl NewFile {
    fn create(path: &Path) -> Result<Self, Error> {
        let file = File::create_new(path).map_err(|error| Error::write(path, error))?;
        Ok(Self { path: path.to_path_buf(), file, is_whole: false })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_all());
        written.map_err(|error| Error::write(&self.path, error))?;
        self.is_whole = true;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_whole {
            // It is empty or half, and why is said elsewhere.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// What VFIO says of an open function.
struct Look {
    can_reset: bool,
    regions: Vec<(RegionIndex, RegionInfo)>,
    set: Result<HotResetSet, String>,
    events: Vec<VfioEvent>,
    /// Where its ROM was written to, and how many bytes that were.
    rom: Option<(PathBuf, usize)>,
}

impl Look {
    /// Whether the kernel wants to have it back.
    fn is_wanted_back(&self) -> bool {
        self.events.contains(&VfioEvent::ReleaseRequested)
    }

    fn exit_code(&self) -> u8 {
        if self.is_wanted_back() { 6 } else { 0 }
    }
}

fn look(device: &dyn VfioDevice, budget: Duration) -> Result<Look, Error> {
    let mut regions = Vec::new();
    for index in RegionIndex::ALL {
        regions.extend(device.region(index)?.map(|info| (index, info)));
    }
    let set = match device.hot_reset_set(budget) {
        Ok(Some(set)) => Ok(set),
        Ok(None) => Err("the kernel did not answer: somebody else resets a function of the set".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    Ok(Look { can_reset: device.can_reset(), regions, set, events: Vec::new(), rom: None })
}

fn print(output: &Output, look: &Look, interface: VfioInterface, opening: Duration) {
    let reset = match look.can_reset {
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
                    false if interface == VfioInterface::Cdev => {
                        styled(WARNING, "not ours yet: no function of its group is open")
                    }
                    false => styled(WARNING, "not ours yet: its group is not open"),
                };
                output.line(format!("  {}{group}: {whose}", member.address));
            }
        }
        Err(error) => output.line(format!("  {}", styled(DIM, error))),
    }
}

/// Tells what the kernel tells until the time is over, the kernel wants the function back, or the user has enough.
fn watch(
    machine: &dyn Machine,
    output: &Output,
    device: &dyn VfioDevice,
    hold: Duration,
    undisturbed: &Blocked,
    look: &mut Look,
) -> Result<(), Error> {
    const LOOK_EVERY: Duration = Duration::from_millis(100);
    output.line(format!("Held open for {}; what the kernel tells:", time(hold)));
    let clock = machine.clock();
    let end = clock.now().saturating_add(hold);
    loop {
        for event in device.events()? {
            output.line(format!("  {}", styled(BAD, event)));
            look.events.push(event);
        }
        if undisturbed.pending() {
            output.line("  interrupted: it is closed now");
            return Ok(());
        }
        let left = end.saturating_sub(clock.now());
        if look.is_wanted_back() || left.is_zero() {
            return Ok(());
        }
        clock.sleep(LOOK_EVERY.min(left));
    }
}

/// Writes the whole ROM region to a file.
fn save_rom(device: &dyn VfioDevice, address: Address, file: &mut NewFile) -> Result<usize, Error> {
    let size = device.region(RegionIndex::Rom)?.map_or(0, |info| info.size);
    if size == 0 {
        let reason = format!("{address} has no expansion ROM, or the kernel cannot read it");
        return Err(Error::Usage { reason });
    }
    if size > MOST_ROM {
        let reason = format!("{address} is said to have {size} bytes of ROM, and there is none so large");
        return Err(Error::Usage { reason });
    }
    let mut image = vec![0; size as usize];
    device.read_region(RegionIndex::Rom, 0, &mut image)?;
    file.write(&image)?;
    Ok(image.len())
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
        "rom": look.rom.as_ref().map(|(path, size)| json!({ "file": path.display().to_string(), "bytes": size })),
        "outcome": if look.is_wanted_back() { "release_requested" } else { "done" },
        "exit_code": look.exit_code(),
    })
}
