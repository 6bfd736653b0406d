//! `vfio-reset show`: what a function is, and in which state.

use crate::CommandResult;
use crate::args::ShowArguments;
use crate::output::{BAD, BOLD, DIM, GOOD, Output, WARNING, styled};
use crate::plan::headline;
use crate::session::Session;
use anstyle::Style;
use pcicfg::Address;
use serde::Serialize;
use serde_json::{Value, json};
use vfio_reset::describe::{
    CapabilityDescription, Description, HeaderDescription, LinkDescription, RegisterValue, Silence, describe,
    header_registers,
};
use vfio_reset::inventory::{InventoryFunction, PATIENCE};
use vfio_reset::json::SCHEMA;
use vfio_reset::method::{Availability, availability};
use vfio_reset::quirk::Quirk;

pub(crate) fn run(session: &Session, output: &Output, arguments: &ShowArguments) -> CommandResult {
    let address = arguments.address;
    let (mut inventory, ()) = session.settled(PATIENCE, |inventory| inventory.must_be_settled([address]))?;
    inventory.read_users(session.machine(), [address])?;
    let function = inventory.function(address)?;
    let view = View {
        session,
        output,
        function,
        description: describe(function.space(), function.is_virtual()),
        methods: availability(function, &session.quirks),
        quirks: session.quirks.of(function).collect(),
        group: group(function),
    };
    output.document(&view.document());
    if output.is_text() {
        view.print();
    }
    Ok(0)
}

/// All that is shown of a function.
struct View<'a> {
    session: &'a Session,
    output: &'a Output,
    function: InventoryFunction<'a>,
    description: Description,
    methods: Vec<Availability>,
    quirks: Vec<&'a Quirk>,
    /// Who else is in the IOMMU group.
    group: Vec<InventoryFunction<'a>>,
}

fn group(function: InventoryFunction<'_>) -> Vec<InventoryFunction<'_>> {
    let Some(group) = function.facts().iommu_group else { return Vec::new() };
    let inventory = function.inventory();
    let members = inventory.functions().filter(|other| other.facts().iommu_group == Some(group));
    members.filter(|other| other.address() != function.address()).collect()
}

/// From the root to the function; what a recording claims beyond that many levels is not shown.
fn path(function: InventoryFunction<'_>) -> Vec<InventoryFunction<'_>> {
    let mut path: Vec<_> = function.ancestors().take(48).collect();
    path.reverse();
    path
}

#[derive(Serialize)]
struct MethodDocument {
    method: vfio_reset::method::MethodName,
    available: bool,
    stale: bool,
    reason: String,
}

impl View<'_> {
    fn document(&self) -> Value {
        let function = self.function;
        let facts = function.facts();
        let (vendor, device) = function.ids();
        let names = self.session.names();
        let addresses = |functions: &[InventoryFunction<'_>]| -> Vec<Address> {
            functions.iter().map(|function| function.address()).collect()
        };
        let methods: Vec<MethodDocument> = self
            .methods
            .iter()
            .map(|availability| MethodDocument {
                method: availability.method,
                available: availability.available,
                stale: availability.stale,
                reason: availability.reason.to_string(),
            })
            .collect();
        let quirks: Vec<Value> = self
            .quirks
            .iter()
            .map(|quirk| json!({ "effect": effect(quirk), "why": quirk.why, "source": quirk.source }))
            .collect();
        json!({
            "schema": SCHEMA,
            "address": function.address(),
            "vendor": format!("{vendor:04x}"),
            "device": format!("{device:04x}"),
            "vendor_name": names.vendor(vendor),
            "device_name": names.device(vendor, device),
            "class_name": names.class(function.space().header().class_code()),
            "present": self.description.silence.is_none(),
            "path": addresses(&path(function)),
            "iommu_group": facts.iommu_group,
            "iommu_group_members": addresses(&self.group),
            "physical_function": facts.physfn,
            "virtual_functions": facts.virtfns,
            "driver": facts.driver,
            "users": function.users().iter().map(ToString::to_string).collect::<Vec<_>>(),
            "power_state": facts.power_state,
            "slot": facts.slot,
            "boot_vga": facts.boot_vga,
            "reset_methods": methods,
            "quirks": quirks,
            "configuration_bytes": function.space().size(),
            "configuration": self.description,
            "header_registers":
                if self.description.silence.is_none() { header_registers(function.space()) } else { Vec::new() },
        })
    }

    fn print(&self) {
        // Class and names made of all-ones say nothing.
        self.output.line(match self.description.silence {
            Some(Silence::AllOnes) => styled(BOLD, self.function.address()),
            _ => headline(self.session, self.function),
        });
        self.print_identity();
        if let Some(silence) = self.description.silence {
            self.output.line("");
            self.output.line(styled(BAD, silence.meaning()));
            self.print_place();
            self.print_port();
            self.print_quirks();
            return;
        }
        self.print_place();
        if let Some(header) = &self.description.header {
            self.print_state(header);
        }
        self.print_methods();
        self.print_quirks();
        self.print_capabilities();
    }

    fn heading(&self, text: &str) {
        self.output.line("");
        self.output.line(styled(BOLD, text));
    }

    /// A line of a name and what is to be said.
    fn item(&self, name: &str, text: impl std::fmt::Display) {
        self.output.line(format!("  {name:<11} {text}"));
    }

    fn print_identity(&self) {
        let Some(header) = &self.description.header else { return };
        let mut parts =
            vec![format!("class {:06x}", header.class), format!("revision {:02x}", header.revision)];
        if let Some((vendor, device)) = header.subsystem.filter(|ids| *ids != (0, 0)) {
            let name =
                self.session.names().vendor(vendor).map_or_else(String::new, |name| format!(" ({name})"));
            parts.push(format!("subsystem {vendor:04x}:{device:04x}{name}"));
        }
        parts.push(format!("{} header", header.kind));
        if header.multi_function {
            parts.push("multi-function".to_string());
        }
        self.output.line(format!("  {}", styled(DIM, parts.join(", "))));
    }

    fn print_place(&self) {
        let (function, facts) = (self.function, self.function.facts());
        self.heading("Place");
        let path = path(function);
        if path.is_empty() {
            self.item("path", "on a root bus");
        } else {
            let steps: Vec<String> = path.iter().map(|bridge| bridge.address().to_string()).collect();
            self.item("path", format!("{} > {}", steps.join(" > "), function.address()));
        }
        if let Some(physical) = facts.physfn {
            self.item("part of", format!("{physical}, as a virtual function"));
        }
        if !facts.virtfns.is_empty() {
            self.item("virtual", addresses(&facts.virtfns));
        }
        if let Some((primary, secondary, subordinate)) =
            self.description.header.as_ref().and_then(|header| header.buses)
        {
            let range = if subordinate > secondary { format!("-{subordinate:02x}") } else { String::new() };
            let below = match function.below().len() {
                0 => "nothing below".to_string(),
                1 => "1 function below".to_string(),
                count => format!("{count} functions below"),
            };
            self.item("bridge", format!("from bus {primary:02x} to {secondary:02x}{range}, {below}"));
        }
        match facts.iommu_group {
            Some(group) if self.group.is_empty() => self.item("IOMMU group", format!("{group}, alone")),
            Some(group) => self.item("IOMMU group", format!("{group}, with")),
            None => self.item("IOMMU group", "none, or not recorded"),
        }
        for other in &self.group {
            let driver =
                other.facts().driver.as_deref().map_or_else(String::new, |driver| format!(" ({driver})"));
            self.output.line(format!("{:14}{}{driver}", "", other.address()));
        }
        self.item("driver", facts.driver.as_deref().unwrap_or("none, or not recorded"));
        if let Some(slot) = &facts.slot {
            self.item("slot", slot);
        }
        if facts.boot_vga {
            self.item("display", "the firmware used it to boot with");
        }
        for user in function.users() {
            self.item("in use", styled(WARNING, user));
        }
    }

    fn print_state(&self, header: &HeaderDescription) {
        self.heading("State");
        let kernel = self.function.facts().power_state.as_deref().filter(|state| *state != "unknown");
        let asleep = header.power_state.as_deref().is_some_and(|state| state != "D0")
            || kernel.is_some_and(|state| state != "D0");
        let power = match (&header.power_state, kernel) {
            (Some(own), Some(kernel)) if own == kernel => own.clone(),
            (Some(own), Some(kernel)) => format!("{own} by its own register, {kernel} by the kernel's word"),
            (Some(own), None) => own.clone(),
            (None, Some(kernel)) => format!("{kernel} by the kernel's word"),
            (None, None) => "D0: it has no power management".to_string(),
        };
        self.item("power", if asleep { styled(WARNING, power) } else { power });
        let bits = match header.command_bits.is_empty() {
            true => "nothing is enabled".to_string(),
            false => header.command_bits.join(", "),
        };
        self.item("command", format!("{:04x}: {bits}", header.command));
        if !header.errors.is_empty() {
            self.item("status", styled(WARNING, format!("errors raised: {}", header.errors.join(", "))));
        }
        if header.immediate_readiness {
            self.item("readiness", "ready at once after any reset");
        }
        if header.secondary_bus_reset {
            self.item("reset", styled(BAD, "Secondary Bus Reset is set: everything below is held in reset"));
        }
        for bar in &header.bars {
            let name =
                if bar.register == "rom" { "ROM".to_string() } else { format!("BAR {}", bar.register) };
            let size = self.bar_size(&bar.register).map_or_else(String::new, |size| format!(", {size}"));
            self.item(&name, format!("{}{size}", bar.text));
        }
        if header.bars.is_empty() && header.kind == "endpoint" && !self.function.is_virtual() {
            self.item("BARs", "none has an address");
        }
        for window in &header.windows {
            self.item("forwards", window);
        }
        if let Some(link) = &self.description.link {
            let name = if self.function.is_bridge() { "link" } else { "own link" };
            self.print_link(name, link);
        }
        self.print_port();
    }

    /// The kernel knows how much a register decodes; the register itself does not tell.
    fn bar_size(&self, register: &str) -> Option<String> {
        let index = if register == "rom" { 6 } else { register.parse().ok()? };
        let range: &vfio_reset::machine::Resource = self.function.facts().resources.get(index)?;
        let size = range.end.checked_sub(range.start)?.checked_add(1)?;
        (range.end != 0).then(|| vfio_reset::describe::bytes(size))
    }

    /// The port above, whose link and slot decide whether anything answers.
    fn print_port(&self) {
        let Some(port) = self.function.parent() else { return };
        let described = describe(port.space(), false);
        if described.silence.is_some() {
            self.item("port above", styled(BAD, format!("{} does not answer either", port.address())));
            return;
        }
        let Some(link) = &described.link else { return };
        self.print_link("port above", link);
        match port.space().pci_express().and_then(|express| express.slot_power_on()) {
            Some(false) => {
                self.item("slot power", styled(BAD, "off: whatever is in the slot reads all-ones"))
            }
            Some(true) => self.item("slot power", "on"),
            None => {}
        }
    }

    fn print_link(&self, name: &str, link: &LinkDescription) {
        let speed = |speed: &Option<String>| speed.clone().unwrap_or_else(|| "no speed".to_string());
        let state = match link.active {
            Some(true) => "up, ",
            Some(false) => "down, ",
            None => "",
        };
        let mut text = format!(
            "{state}{} x{}, at most {} x{}, ASPM {}",
            speed(&link.speed),
            link.width,
            speed(&link.max_speed),
            link.max_width,
            link.aspm
        );
        if link.disabled {
            text.push_str(", held down by Link Disable");
        }
        if link.training {
            text.push_str(", in training");
        }
        let style = if link.active == Some(false) || link.disabled { WARNING } else { Style::new() };
        self.item(name, if style == Style::new() { text } else { styled(style, text) });
    }

    fn print_methods(&self) {
        self.heading("Reset methods");
        let offered: Vec<&Availability> =
            self.methods.iter().filter(|method| method.available || method.stale).collect();
        let all = self.output.verbose > 0;
        if offered.is_empty() {
            let more = if all { "" } else { "; with -v each is listed with the reason" };
            self.output.line(format!("  {}{more}", styled(WARNING, "none")));
        }
        for method in self.methods.iter().filter(|method| all || method.available || method.stale) {
            let style = match (method.available, method.stale) {
                (true, _) => GOOD,
                (_, true) => WARNING,
                _ => DIM,
            };
            let name = styled(style, format_args!("{:<15}", method.method.as_str()));
            self.output.line(format!("  {name} {}", method.reason));
        }
        let machine = match self.function.inventory().machine() {
            "live" => String::new(),
            machine => format!("--machine {machine} "),
        };
        let plan = format!(
            "  what each would hit, and what would be done: vfio-reset {machine}plan {}",
            self.function.address()
        );
        self.output.line(styled(DIM, plan));
    }

    fn print_quirks(&self) {
        if self.quirks.is_empty() {
            return;
        }
        self.heading("Known to be odd");
        for quirk in &self.quirks {
            self.output.line(format!("  {}: {}", styled(WARNING, effect(quirk)), quirk.why));
            self.output.line(format!("    {}", styled(DIM, format!("source: {}", quirk.source))));
        }
    }

    fn print_capabilities(&self) {
        self.heading("Capabilities");
        let verbose = self.output.verbose > 0;
        if verbose {
            self.output.line(format!("  {}  header", styled(BOLD, "000")));
            self.print_registers(&header_registers(self.function.space()));
        }
        if self.description.capabilities.is_empty() {
            self.output.line("  none");
        }
        for capability in &self.description.capabilities {
            self.print_capability(capability);
            if verbose {
                self.print_registers(&capability.registers);
            }
        }
        for defect in &self.description.defects {
            self.output.line(format!("  {} {defect}", styled(BAD, "defect:")));
        }
        let size = self.function.space().size();
        if size <= 64 {
            let text =
                format!("only {size} bytes can be read: without root the kernel shows no capabilities");
            self.output.line(format!("  {}", styled(WARNING, text)));
        } else if size < 4096 && self.function.space().pci_express().is_some() {
            let text = format!("only {size} bytes can be read, so the extended capabilities are not known");
            self.output.line(format!("  {}", styled(DIM, text)));
        }
    }

    fn print_capability(&self, capability: &CapabilityDescription) {
        let offset = styled(DIM, format_args!("{:03x}", capability.offset));
        self.output.line(format!("  {offset}  {}", capability.name));
        for finding in &capability.findings {
            let text = match finding.notable {
                true => styled(WARNING, &finding.text),
                false => finding.text.clone(),
            };
            self.output.line(format!("       {text}"));
        }
    }

    fn print_registers(&self, registers: &[RegisterValue]) {
        for register in registers {
            let digits = 2 * usize::from(register.width);
            let bits = match register.bits.is_empty() {
                true => String::new(),
                false => format!(": {}", register.bits.join(", ")),
            };
            self.output.line(styled(
                DIM,
                format!(
                    "       {:03x}  {:>8}  {}{bits}",
                    register.offset,
                    format!("{:0digits$x}", register.value),
                    register.register
                ),
            ));
        }
    }
}

fn addresses(addresses: &[Address]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = addresses.iter().take(SHOWN).map(Address::to_string).collect();
    match addresses.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A quirk's effect in words.
fn effect(quirk: &Quirk) -> String {
    use vfio_reset::quirk::Effect;
    match &quirk.effect {
        Effect::NoBusReset => "no bus reset".to_string(),
        Effect::NoFlr => "no function level reset".to_string(),
        Effect::NoPmReset => "no reset through D3hot".to_string(),
        Effect::DeviceSpecific { sequence, .. } => format!("reset by a sequence of its own ({sequence})"),
        Effect::D3hotDelay(time) => format!("needs {} from D3hot to D0", crate::plan::time(*time)),
        Effect::D3coldDelay(time) => format!("needs {} after a reset", crate::plan::time(*time)),
        Effect::DoesNotReturn { methods, .. } => {
            let names: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
            format!("does not come back after {}", names.join(", "))
        }
    }
}
