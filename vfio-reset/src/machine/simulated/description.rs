//! Machines as text: the TOML that describes one, checked.

use super::bars::Sizes;
use super::builder::{BarText, BridgeText, CapabilityText, HeaderFacts, Image, RomText};
use super::faults::Behaviour;
use super::image;
use crate::error::{Error, Result};
use crate::machine::vfio::VfioFacts;
use crate::machine::{DeviceUser, HostFacts, Lockdown};
use crate::vendor::Model;
use pcicfg::Address;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use toml::Spanned;

/// The version of the format.
const SCHEMA: u32 = 1;

/// More functions than any machine has; a description is input like any other.
const MOST_FUNCTIONS: usize = 1 << 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    schema: Spanned<u32>,
    #[serde(default)]
    name: String,
    #[serde(default)]
    #[allow(dead_code, reason = "for who reads the file")]
    description: String,
    #[serde(default)]
    host: HostText,
    #[serde(default)]
    function: Vec<Spanned<FunctionText>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct HostText {
    kernel: Option<String>,
    lockdown: Lockdown,
    /// Buses that no bridge leads to, as `domain:bus`; bus 0 of every domain without it.
    root_buses: Vec<Spanned<String>>,
    /// vfio-pci puts devices that nobody has open into D3hot.
    idle_d3: bool,
    /// Which of VFIO's interfaces the kernel has; groups alone without it, as in Debian's kernels.
    vfio: Option<VfioFacts>,
    /// The IOMMU remaps interrupts, so that VFIO may use it; it does without it.
    interrupt_remapping: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FunctionText {
    address: Spanned<String>,
    /// The whole configuration space as `lspci -xxxx` prints it, in place of the facts below.
    config: Option<Spanned<String>>,
    /// With `config`: the sizes of BARs 0 to 5, where they are known; 0 where not.
    #[serde(default)]
    bar_sizes: Vec<Spanned<u64>>,
    vendor: Option<u16>,
    device: Option<u16>,
    class: Option<u32>,
    #[serde(default)]
    revision: u8,
    #[serde(default)]
    subsystem: [u16; 2],
    #[serde(default)]
    command: u16,
    #[serde(default)]
    multi_function: bool,
    #[serde(default)]
    interrupt_pin: u8,
    /// 256 or 4096; 4096 if there is a PCI Express capability.
    config_size: Option<Spanned<usize>>,
    #[serde(default)]
    bars: Vec<Spanned<BarText>>,
    rom: Option<Spanned<RomText>>,
    bridge: Option<Spanned<BridgeText>>,
    #[serde(default)]
    capabilities: Vec<Spanned<CapabilityText>>,
    /// What a reset sets registers to, where that isn't the specification's default.
    #[serde(default)]
    reset_values: Vec<Spanned<ResetValueText>>,

    driver: Option<String>,
    /// The driver that binds by itself when the function is found anew.
    native_driver: Option<String>,
    iommu_group: Option<u32>,
    physfn: Option<Spanned<String>>,
    #[serde(default)]
    boot_vga: bool,
    label: Option<String>,
    #[serde(default)]
    users: Vec<DeviceUser>,
    /// What `reset_method` lists, where that isn't what the kernel would find.
    reset_methods: Option<Vec<String>>,
    /// The function was removed and found again after its siblings: the kernel saw them then.
    #[serde(default)]
    rescanned: bool,
    #[serde(default)]
    quirks: BTreeSet<QuirkFlag>,
    #[serde(default)]
    behaviour: Behaviour,
    /// What is behind the BARs: a shipped model, or the path of one, from this file's folder.
    mmio_model: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResetValueText {
    offset: u16,
    width: u8,
    value: u32,
}

/// A reset that the kernel knows to be broken on a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum QuirkFlag {
    #[serde(rename = "no_bus_reset")]
    BusReset,
    #[serde(rename = "no_pm_reset")]
    PmReset,
    #[serde(rename = "no_flr")]
    Flr,
}

/// A function as a description has it.
pub(super) struct FunctionDescription {
    pub(super) address: Address,
    pub(super) parent: Option<Address>,
    pub(super) image: Vec<u8>,
    pub(super) sizes: Sizes,
    pub(super) resets: BTreeMap<u16, u8>,
    pub(super) behaviour: Behaviour,
    pub(super) driver: Option<String>,
    pub(super) native_driver: Option<String>,
    pub(super) iommu_group: Option<u32>,
    /// The physical function, and which of its virtual functions this is, from 0.
    pub(super) virtual_of: Option<(Address, u16)>,
    pub(super) boot_vga: bool,
    pub(super) label: Option<String>,
    pub(super) users: Vec<DeviceUser>,
    pub(super) reset_methods: Option<Vec<String>>,
    pub(super) rescanned: bool,
    pub(super) quirks: BTreeSet<QuirkFlag>,
    /// What is behind the BARs.
    pub(super) mmio: Option<Model>,
}

/// A machine as a description has it: parents come before what is below them.
pub(super) struct Description {
    pub(super) name: String,
    pub(super) host: HostFacts,
    pub(super) idle_d3: bool,
    pub(super) interrupt_remapping: bool,
    pub(super) functions: Vec<FunctionDescription>,
}

/// The text being read, for positions in it.
struct Source<'t> {
    text: &'t str,
    file: &'t Path,
}

impl Source<'_> {
    fn error(&self, at: Range<usize>, message: impl Into<String>) -> Error {
        // A span is of bytes; a hostile one must not split a character.
        let end =
            (0..=at.start.min(self.text.len())).rev().find(|&i| self.text.is_char_boundary(i)).unwrap_or(0);
        let before = &self.text[..end];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Error::Malformed { file: self.file.to_path_buf(), line, column, message: message.into() }
    }

    fn address(&self, text: &Spanned<String>) -> Result<Address> {
        text.get_ref()
            .parse()
            .map_err(|error| self.error(text.span(), format!("{:?}: {error}", text.get_ref())))
    }
}

impl Description {
    /// Reads and checks a description. `file` is for messages.
    pub(super) fn parse(text: &str, file: &Path) -> Result<Self> {
        let source = Source { text, file };
        let parsed: FileText = toml::from_str(text).map_err(|error| {
            source.error(error.span().unwrap_or(0..0), error.message().trim_end().to_string())
        })?;
        if *parsed.schema.get_ref() != SCHEMA {
            return Err(source.error(
                parsed.schema.span(),
                format!("schema {}: this version reads schema {SCHEMA}", parsed.schema.get_ref()),
            ));
        }
        if parsed.function.len() > MOST_FUNCTIONS {
            return Err(source.error(0..0, format!("more than {MOST_FUNCTIONS} functions")));
        }
        let mut functions = Vec::with_capacity(parsed.function.len());
        let mut spans = BTreeMap::new();
        for text in parsed.function {
            let function = function(&source, text.get_ref())?;
            if spans.insert(function.address, text.get_ref().address.span()).is_some() {
                return Err(source.error(
                    text.get_ref().address.span(),
                    format!(
                        "{} is described twice: each function has one address of its own",
                        function.address
                    ),
                ));
            }
            functions.push(function);
        }
        let roots = root_buses(&source, &parsed.host.root_buses, &functions)?;
        parents(&source, &mut functions, &spans, &roots)?;
        virtual_functions(&source, &mut functions, &spans)?;
        let HostText { kernel, lockdown, idle_d3, vfio, interrupt_remapping, .. } = parsed.host;
        let vfio = vfio.unwrap_or(VfioFacts { group: true, cdev: false });
        Ok(Self {
            name: parsed.name,
            host: HostFacts { kernel, lockdown, vfio: Some(vfio) },
            idle_d3,
            interrupt_remapping: interrupt_remapping.unwrap_or(true),
            functions,
        })
    }
}

fn function(source: &Source<'_>, text: &FunctionText) -> Result<FunctionDescription> {
    let address = source.address(&text.address)?;
    let (image, sizes) = match &text.config {
        Some(config) => given(source, text, config, address)?,
        None => made(source, text, address)?,
    };
    if image.get(0x0e).is_some_and(|layout| layout & 0x7f == 1) && address.bus() != image[0x18] {
        return Err(source.error(
            text.address.span(),
            format!(
                "{address} is a bridge that says that its bus is {:02x}: the image is another function's",
                image[0x18]
            ),
        ));
    }
    let mut resets = BTreeMap::new();
    for value in &text.reset_values {
        let ResetValueText { offset, width, value: register } = *value.get_ref();
        if !matches!(width, 1 | 2 | 4) || usize::from(offset) + usize::from(width) > image.len() {
            return Err(source.error(
                value.span(),
                format!(
                    "{width} bytes at {offset:#x}: expected 1, 2 or 4 within the {} there are",
                    image.len()
                ),
            ));
        }
        resets.extend((offset..offset + u16::from(width)).zip(register.to_le_bytes()));
    }
    let physical = text.physfn.as_ref().map(|physfn| source.address(physfn)).transpose()?;
    Ok(FunctionDescription {
        address,
        parent: None,
        image,
        sizes,
        resets,
        behaviour: text.behaviour.clone(),
        driver: text.driver.clone(),
        native_driver: text.native_driver.clone(),
        iommu_group: text.iommu_group,
        virtual_of: physical.map(|physical| (physical, 0)),
        boot_vga: text.boot_vga,
        label: text.label.clone(),
        users: text.users.clone(),
        reset_methods: text.reset_methods.clone(),
        rescanned: text.rescanned,
        quirks: text.quirks.clone(),
        mmio: text.mmio_model.as_ref().map(|name| model(source, name)).transpose()?,
    })
}

/// The model of that name, or at that path below the description's folder.
fn model(source: &Source<'_>, name: &Spanned<String>) -> Result<Model> {
    let path = Path::new(name.get_ref());
    let read = match path.extension().is_some_and(|extension| extension == "json") {
        true => Model::open(&source.file.parent().unwrap_or(Path::new("")).join(path)),
        false => Model::shipped(name.get_ref()),
    };
    read.map_err(|error| source.error(name.span(), error.to_string()))
}

/// An image as it stands in the description.
fn given(
    source: &Source<'_>,
    text: &FunctionText,
    config: &Spanned<String>,
    address: Address,
) -> Result<(Vec<u8>, Sizes)> {
    let facts = [
        ("vendor", text.vendor.is_some()),
        ("device", text.device.is_some()),
        ("class", text.class.is_some()),
        ("capabilities", !text.capabilities.is_empty()),
        ("bars", !text.bars.is_empty()),
        ("bridge", text.bridge.is_some()),
        ("rom", text.rom.is_some()),
    ];
    if let Some((name, _)) = facts.iter().find(|(_, given)| *given) {
        return Err(source.error(
            config.span(),
            format!("`config` and `{name}`: the image says that already, give one of them"),
        ));
    }
    let (image, named) = image::parse(config.get_ref()).map_err(|(line, message)| {
        // The text begins after its quotes and, if there is one, the line break after them.
        let written = source.text.get(config.span()).unwrap_or_default();
        let quotes = written.len() - written.trim_start_matches(['"', '\'']).len();
        let first = usize::from(written[quotes..].starts_with(['\n', '\r']));
        let before: usize =
            written.split_inclusive('\n').take((line + first).saturating_sub(1)).map(str::len).sum();
        source.error(config.span().start + before..config.span().end, message)
    })?;
    if !matches!(image.len(), 64 | 256 | 4096) {
        return Err(source
            .error(config.span(), format!("an image of {} bytes: expected 64, 256 or 4096", image.len())));
    }
    if let Some(named) = named.filter(|&named| named != address) {
        return Err(
            source.error(config.span(), format!("the image is of {named}, the function is {address}"))
        );
    }
    if text.bar_sizes.len() > 6 {
        return Err(source.error(config.span(), "more than six BAR sizes"));
    }
    let mut sizes = Sizes::default();
    for (slot, size) in text.bar_sizes.iter().enumerate().filter(|(_, size)| *size.get_ref() != 0) {
        let at = 0x10 + slot as u16 * 4;
        let io = super::registers::dword(&image, at) & 1 == 1;
        let most = if io { 256 } else { 1 << 62 };
        if !size.get_ref().is_power_of_two() || !(4..=most).contains(size.get_ref()) {
            return Err(source.error(
                size.span(),
                format!("a BAR of {:#x} bytes: expected a power of two", size.get_ref()),
            ));
        }
        sizes.bars[slot] = Some(*size.get_ref());
    }
    Ok((image, sizes))
}

/// An image made from facts.
fn made(source: &Source<'_>, text: &FunctionText, address: Address) -> Result<(Vec<u8>, Sizes)> {
    let missing = |name: &str| {
        source
            .error(text.address.span(), format!("{address} has no `{name}`, and no `config` to take it from"))
    };
    let express = text.capabilities.iter().any(|c| matches!(c.get_ref(), CapabilityText::PciExpress(_)));
    let size = match &text.config_size {
        None if express => 4096,
        None => 256,
        Some(size) if matches!(*size.get_ref(), 256 | 4096) => *size.get_ref(),
        Some(size) => {
            return Err(source.error(
                size.span(),
                format!("a configuration space of {} bytes: expected 256 or 4096", size.get_ref()),
            ));
        }
    };
    let class = text.class.ok_or_else(|| missing("class"))?;
    if class > 0xff_ffff {
        return Err(source
            .error(text.address.span(), format!("class {class:#x}: expected 24 bits, such as 0x010802")));
    }
    let mut image = Image::new(
        size,
        &HeaderFacts {
            vendor: text.vendor.ok_or_else(|| missing("vendor"))?,
            device: text.device.ok_or_else(|| missing("device"))?,
            class,
            revision: text.revision,
            command: text.command,
            multi_function: text.multi_function,
            subsystem: text.subsystem,
            interrupt_pin: text.interrupt_pin,
            bus: address.bus(),
            bridge: text.bridge.as_ref().map(Spanned::get_ref),
        },
    );
    let count = if text.bridge.is_some() { 2 } else { 6 };
    for bar in &text.bars {
        image.bar(bar.get_ref(), count).map_err(|message| source.error(bar.span(), message))?;
    }
    if let Some(rom) = &text.rom {
        image
            .rom(rom.get_ref(), text.bridge.is_some())
            .map_err(|message| source.error(rom.span(), message))?;
    }
    for capability in &text.capabilities {
        image.capability(capability.get_ref()).map_err(|message| source.error(capability.span(), message))?;
    }
    Ok(image.finish())
}

/// The buses that no bridge leads to.
fn root_buses(
    source: &Source<'_>,
    texts: &[Spanned<String>],
    functions: &[FunctionDescription],
) -> Result<BTreeSet<(u32, u8)>> {
    if texts.is_empty() {
        return Ok(functions.iter().map(|function| (function.address.domain(), 0)).collect());
    }
    texts
        .iter()
        .map(|text| {
            // A bus is the address of its first function without the rest.
            let address: Option<Address> = format!("{}:00.0", text.get_ref()).parse().ok();
            address.map(|address| (address.domain(), address.bus())).ok_or_else(|| {
                source.error(
                    text.span(),
                    format!("{:?}: expected domain and bus, such as 0000:00", text.get_ref()),
                )
            })
        })
        .collect()
}

/// Finds the bridge above each function by bus numbers, and orders them parents first.
fn parents(
    source: &Source<'_>,
    functions: &mut Vec<FunctionDescription>,
    spans: &BTreeMap<Address, Range<usize>>,
    roots: &BTreeSet<(u32, u8)>,
) -> Result<()> {
    let span = |address: &Address| spans.get(address).cloned().unwrap_or(0..0);
    let mut leads_to: BTreeMap<(u32, u8), Address> = BTreeMap::new();
    for function in &*functions {
        let (address, image) = (function.address, &function.image);
        if image[0x0e] & 0x7f != 1 || image[0x19] == 0 {
            continue;
        }
        let (secondary, subordinate) = (image[0x19], image[0x1a]);
        if subordinate < secondary {
            return Err(source.error(
                span(&address),
                format!("{address} leads to buses {secondary:02x} to {subordinate:02x}: the subordinate bus is the highest below"),
            ));
        }
        if secondary <= address.bus() || roots.contains(&(address.domain(), secondary)) {
            return Err(source.error(
                span(&address),
                format!("{address} leads to bus {secondary:02x}: a bus below has a higher number than the one above"),
            ));
        }
        if let Some(other) = leads_to.insert((address.domain(), secondary), address) {
            return Err(source
                .error(span(&address), format!("{address} and {other} both lead to bus {secondary:02x}")));
        }
    }
    for function in &mut *functions {
        let address = function.address;
        let bus = (address.domain(), address.bus());
        function.parent = leads_to.get(&bus).copied();
        if function.parent.is_none() && !roots.contains(&bus) {
            return Err(source.error(
                span(&address),
                format!(
                    "{address}: no bridge leads to bus {:02x}; give one, or list it in host.root_buses",
                    bus.1
                ),
            ));
        }
    }
    // What is above has a lower bus number, so this order has parents first.
    functions.sort_by_key(|function| function.address);
    Ok(())
}

/// Numbers virtual functions by SR-IOV's offset and stride.
fn virtual_functions(
    source: &Source<'_>,
    functions: &mut [FunctionDescription],
    spans: &BTreeMap<Address, Range<usize>>,
) -> Result<()> {
    let physical: BTreeMap<Address, Option<(u16, u16)>> = functions
        .iter()
        .map(|function| {
            let layout = super::sriov_layout(&function.image);
            (function.address, layout)
        })
        .collect();
    for function in functions {
        let Some((of, number)) = &mut function.virtual_of else { continue };
        let address = function.address;
        let at = spans.get(&address).cloned().unwrap_or(0..0);
        let Some(&Some((offset, stride))) = physical.get(of) else {
            return Err(source.error(at, format!("{address}: {of} is no function with SR-IOV")));
        };
        let routing = |a: Address| i32::from(a.bus()) << 8 | i32::from(a.devfn());
        let distance = routing(address) - routing(*of) - i32::from(offset);
        let stride = i32::from(stride.max(1));
        if distance < 0 || distance % stride != 0 || of.domain() != address.domain() {
            return Err(source.error(
                at,
                format!("{address} is no virtual function of {of}: its first is {offset} functions on, then every {stride}"),
            ));
        }
        *number = (distance / stride) as u16;
    }
    Ok(())
}
