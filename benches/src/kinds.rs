//! The kinds of functions that a host has: each with the capabilities that such devices really have.

use crate::image::Image;
use crate::random::Random;

/// A function: its configuration space and what lspci would call it.
#[derive(Clone, Debug)]
pub struct Made {
    /// The configuration space.
    pub image: Image,
    /// Its class in words.
    pub class: &'static str,
}

/// What a PCI Express function is (PCI Express Capabilities, Device/Port Type).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Port {
    Endpoint = 0,
    Root = 4,
    Upstream = 5,
    Downstream = 6,
    IntegratedEndpoint = 9,
}

/// A host bridge: integrated into the root complex, with little to say.
#[must_use]
pub fn host_bridge(random: &mut Random) -> Made {
    let mut image = Image::endpoint(0x8086, random.word(), 0x06_00_00);
    image.capability(0x09, &[0x0c, 0x01, 0, 0, 0, 0, 0, 0, 0, 0]);
    Made { image, class: "Host bridge [0600]" }
}

/// A root port with a hot-plug slot.
#[must_use]
pub fn root_port(random: &mut Random) -> Made {
    let mut image = Image::bridge(0x8086, random.word());
    power_management(&mut image);
    express(&mut image, Port::Root, random);
    msi(&mut image, random);
    subsystem(&mut image, random);
    advanced_error_reporting(&mut image, random);
    access_control_services(&mut image);
    precision_time_measurement(&mut image);
    l1_pm_substates(&mut image);
    downstream_port_containment(&mut image, random);
    virtual_channel(&mut image);
    secondary_pci_express(&mut image);
    gt_16(&mut image);
    Made { image, class: "PCI bridge [0604]" }
}

/// The upstream port of a switch.
#[must_use]
pub fn upstream_port(random: &mut Random) -> Made {
    let mut image = Image::bridge(0x10b5, random.word());
    power_management(&mut image);
    msi(&mut image, random);
    express(&mut image, Port::Upstream, random);
    subsystem(&mut image, random);
    serial_number(&mut image, random);
    advanced_error_reporting(&mut image, random);
    virtual_channel(&mut image);
    latency_tolerance_reporting(&mut image, random);
    secondary_pci_express(&mut image);
    Made { image, class: "PCI bridge [0604]" }
}

/// A downstream port of a switch.
#[must_use]
pub fn downstream_port(random: &mut Random) -> Made {
    let mut image = Image::bridge(0x10b5, random.word());
    power_management(&mut image);
    msi(&mut image, random);
    express(&mut image, Port::Downstream, random);
    subsystem(&mut image, random);
    serial_number(&mut image, random);
    advanced_error_reporting(&mut image, random);
    access_control_services(&mut image);
    virtual_channel(&mut image);
    downstream_port_containment(&mut image, random);
    Made { image, class: "PCI bridge [0604]" }
}

/// An NVMe disk.
#[must_use]
pub fn nvme(random: &mut Random) -> Made {
    let mut image = Image::endpoint(0x144d, random.word(), 0x01_08_02);
    bars(&mut image, 0x10, 1, random);
    power_management(&mut image);
    msi(&mut image, random);
    express(&mut image, Port::Endpoint, random);
    msi_x(&mut image, 0x40);
    advanced_error_reporting(&mut image, random);
    serial_number(&mut image, random);
    secondary_pci_express(&mut image);
    gt_16(&mut image);
    latency_tolerance_reporting(&mut image, random);
    l1_pm_substates(&mut image);
    Made { image, class: "Non-Volatile memory controller [0108]" }
}

/// A network card that can have virtual functions.
#[must_use]
pub fn network(random: &mut Random) -> Made {
    let mut image = Image::endpoint(0x8086, random.word(), 0x02_00_00);
    bars(&mut image, 0x10, 2, random);
    power_management(&mut image);
    msi(&mut image, random);
    msi_x(&mut image, 0x80);
    express(&mut image, Port::Endpoint, random);
    vital_product_data(&mut image);
    advanced_error_reporting(&mut image, random);
    serial_number(&mut image, random);
    alternative_routing_id(&mut image);
    sr_iov(&mut image, random);
    access_control_services(&mut image);
    tph_requester(&mut image);
    if random.happens(1, 2) {
        address_translation_services(&mut image);
    }
    Made { image, class: "Ethernet controller [0200]" }
}

/// A graphics card.
#[must_use]
pub fn graphics(random: &mut Random) -> Made {
    let mut image = Image::endpoint(0x1002, random.word(), 0x03_00_00);
    bars(&mut image, 0x10, 2, random);
    vendor_specific(&mut image, random);
    power_management(&mut image);
    express(&mut image, Port::Endpoint, random);
    msi(&mut image, random);
    image.extended(0x0b, 1, &[0x01, 0x00, 0x01, 0x01, 0, 0, 0, 0, 0, 0, 0, 0]);
    advanced_error_reporting(&mut image, random);
    resizable_bar(&mut image, random);
    secondary_pci_express(&mut image);
    access_control_services(&mut image);
    pasid(&mut image);
    latency_tolerance_reporting(&mut image, random);
    gt_16(&mut image);
    Made { image, class: "VGA compatible controller [0300]" }
}

/// The audio function of a graphics card.
#[must_use]
pub fn audio(random: &mut Random) -> Made {
    let mut image = Image::endpoint(0x1002, random.word(), 0x04_03_00);
    bars(&mut image, 0x10, 1, random);
    vendor_specific(&mut image, random);
    power_management(&mut image);
    express(&mut image, Port::Endpoint, random);
    msi(&mut image, random);
    advanced_error_reporting(&mut image, random);
    access_control_services(&mut image);
    Made { image, class: "Audio device [0403]" }
}

/// A USB controller.
#[must_use]
pub fn usb(random: &mut Random) -> Made {
    let mut image = Image::endpoint(0x1b21, random.word(), 0x0c_03_30);
    bars(&mut image, 0x10, 1, random);
    msi(&mut image, random);
    msi_x(&mut image, 8);
    power_management(&mut image);
    express(&mut image, Port::Endpoint, random);
    advanced_error_reporting(&mut image, random);
    latency_tolerance_reporting(&mut image, random);
    if random.happens(1, 2) {
        l1_pm_substates(&mut image);
    }
    Made { image, class: "USB controller [0c03]" }
}

/// A SATA controller of the root complex, which resets by Advanced Features.
#[must_use]
pub fn sata(random: &mut Random) -> Made {
    let mut image = Image::endpoint(0x8086, random.word(), 0x01_06_01);
    bars(&mut image, 0x24, 1, random);
    msi(&mut image, random);
    power_management(&mut image);
    image.capability(0x12, &[0x10, 0x00, 0x48, 0, 0, 0]);
    image.capability(0x13, &[0x06, 0x03, 0x00, 0x00]);
    Made { image, class: "SATA controller [0106]" }
}

/// An accelerator in the root complex, that shares the processor's address space.
#[must_use]
pub fn accelerator(random: &mut Random) -> Made {
    let mut image = Image::endpoint(0x8086, random.word(), 0x08_80_00);
    bars(&mut image, 0x10, 2, random);
    express(&mut image, Port::IntegratedEndpoint, random);
    msi_x(&mut image, 9);
    power_management(&mut image);
    advanced_error_reporting(&mut image, random);
    latency_tolerance_reporting(&mut image, random);
    tph_requester(&mut image);
    virtual_channel(&mut image);
    address_translation_services(&mut image);
    pasid(&mut image);
    // Page Request Interface: 512 pages at a time.
    image.extended(0x13, 1, &[0, 0, 0, 1, 0, 2, 0, 0, 0, 2, 0, 0]);
    Made { image, class: "System peripheral [0880]" }
}

/// `count` memory BARs of 64 bits from `at` on; of 32 bits at the last slot.
fn bars(image: &mut Image, at: usize, count: usize, random: &mut Random) {
    for bar in 0..count {
        let address = random.dword() & 0x7ff0_0000 | 0x8000_0000;
        let place = at + bar * 8;
        if place < 0x24 {
            image.put(place, &(u64::from(address) << 8 | 0xc).to_le_bytes());
        } else {
            image.put(place, &address.to_le_bytes());
        }
    }
    image.put(0x2c, &random.dword().to_le_bytes());
}

fn power_management(image: &mut Image) {
    image.capability(0x01, &[0x03, 0xc8, 0x08, 0x00, 0x00, 0x00]);
}

/// 64 bits wide, with masking, enabled.
fn msi(image: &mut Image, random: &mut Random) {
    let mut body = [0; 0x16];
    body[..2].copy_from_slice(&[0x81, 0x01]);
    body[2..6].copy_from_slice(&0xfee0_0000u32.to_le_bytes());
    body[10..12].copy_from_slice(&(random.word() & 0x40ff).to_le_bytes());
    image.capability(0x05, &body);
}

fn msi_x(image: &mut Image, vectors: u16) {
    let [low, high] = (0x8000 | (vectors - 1)).to_le_bytes();
    image.capability(0x11, &[low, high, 0x00, 0x20, 0, 0, 0x00, 0x30, 0, 0]);
}

fn vendor_specific(image: &mut Image, random: &mut Random) {
    let [a, b, c, d] = random.dword().to_le_bytes();
    image.capability(0x09, &[0x08, 0x00, a, b, c, d]);
}

fn vital_product_data(image: &mut Image) {
    image.capability(0x03, &[0, 0, 0, 0, 0, 0]);
}

fn subsystem(image: &mut Image, random: &mut Random) {
    let [a, b, c, d] = random.dword().to_le_bytes();
    image.capability(0x0d, &[0, 0, a, b, c, d]);
}

/// Version 2, with all its registers.
fn express(image: &mut Image, port: Port, random: &mut Random) {
    let mut body = [0; 0x3a];
    let mut put = |at: usize, bytes: &[u8]| body[at - 2..at - 2 + bytes.len()].copy_from_slice(bytes);
    let has_slot = matches!(port, Port::Root | Port::Downstream);
    put(0x02, &(2 | (port as u16) << 4 | u16::from(has_slot) << 8).to_le_bytes());
    // 512 bytes of payload, extended tags; endpoints have Function Level Reset.
    let function_level_reset = matches!(port, Port::Endpoint | Port::IntegratedEndpoint);
    put(0x04, &(0x0000_8fe2 | u32::from(function_level_reset) << 28).to_le_bytes());
    put(0x08, &[0x3f, 0x29, 0x00, 0x00]);
    if port != Port::IntegratedEndpoint {
        // 16 GT/s, four lanes, ASPM L1, the port's number.
        put(0x0c, &(0x0047_5c44 | random.dword() & 0xff00_0000).to_le_bytes());
        put(0x10, &[0x42, 0x00, 0x44, 0x30]);
        put(0x2c, &[0x1e, 0x00, 0x80, 0x01]);
        put(0x30, &[0x04, 0x00, 0x1e, 0x00]);
    }
    if has_slot {
        put(0x14, &(0x0004_007b | u32::from(random.word() & 0x1fff) << 19).to_le_bytes());
        put(0x18, &[0xf8, 0x11, 0x40, 0x00]);
    }
    if port == Port::Root {
        put(0x1c, &[0x18, 0x00, 0x01, 0x00]);
    }
    put(0x24, &[0xff, 0x0b, 0x07, 0x00, 0x00, 0x04, 0x00, 0x00]);
    image.capability(0x10, &body);
}

fn advanced_error_reporting(image: &mut Image, random: &mut Random) {
    let mut body = [0; 0x44];
    body[0x04..0x08].copy_from_slice(&[0x00, 0x00, 0x10, 0x00]);
    body[0x08..0x0c].copy_from_slice(&[0x30, 0x20, 0x46, 0x00]);
    body[0x10..0x14].copy_from_slice(&[0x00, 0x20, 0x00, 0x00]);
    body[0x14..0x18].copy_from_slice(&[0xa0, 0x00, 0x00, 0x00]);
    body[0x18..0x1c].copy_from_slice(&random.dword().to_le_bytes());
    image.extended(0x01, 2, &body);
}

/// One channel.
fn virtual_channel(image: &mut Image) {
    let mut body = [0; 0x18];
    body[0x10..0x14].copy_from_slice(&[0xff, 0x00, 0x00, 0x80]);
    image.extended(0x02, 1, &body);
}

fn serial_number(image: &mut Image, random: &mut Random) {
    image.extended(0x03, 1, &random.next().to_le_bytes());
}

fn access_control_services(image: &mut Image) {
    image.extended(0x0d, 1, &[0x5f, 0x00, 0x1d, 0x00]);
}

fn alternative_routing_id(image: &mut Image) {
    image.extended(0x0e, 1, &[0, 0, 0, 0]);
}

fn address_translation_services(image: &mut Image) {
    image.extended(0x0f, 1, &[0x60, 0x00, 0x00, 0x80]);
}

/// 64 virtual functions are possible, none exists.
fn sr_iov(image: &mut Image, random: &mut Random) {
    let mut body = [0; 0x3c];
    let mut put = |at: usize, bytes: &[u8]| body[at - 4..at - 4 + bytes.len()].copy_from_slice(bytes);
    put(0x04, &[0x02, 0, 0, 0, 0, 0, 0, 0]);
    put(0x0c, &[64, 0, 64, 0, 0, 0, 0, 0]);
    put(0x14, &[0x80, 0x01, 0x02, 0x00]);
    put(0x1a, &random.word().to_le_bytes());
    put(0x1c, &[0x53, 0x05, 0, 0, 0x01, 0, 0, 0]);
    put(0x24, &(u64::from(random.dword() & 0x7ff0_0000) << 8 | 0xc).to_le_bytes());
    put(0x30, &(u64::from(random.dword() & 0x7ff0_0000) << 8 | 0xc).to_le_bytes());
    image.extended(0x10, 1, &body);
}

/// Two BARs; the first can have from 256 MiB up to 16 GiB.
fn resizable_bar(image: &mut Image, random: &mut Random) {
    let [size, ..] = (8 + random.word() % 6).to_le_bytes();
    image.extended(0x15, 1, &[0x00, 0xf0, 0x07, 0, 0x40, size, 0, 0, 0xe0, 0, 0, 0, 0x02, 0x01, 0, 0]);
}

/// Steering tags in a table of four entries of the capability's own.
fn tph_requester(image: &mut Image) {
    image.extended(0x17, 1, &[0x07, 0x02, 0x03, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
}

fn latency_tolerance_reporting(image: &mut Image, random: &mut Random) {
    let [value, ..] = random.word().to_le_bytes();
    image.extended(0x18, 1, &[value, 0x10, value, 0x10]);
}

/// Four lanes.
fn secondary_pci_express(image: &mut Image) {
    image.extended(0x19, 1, &[0, 0, 0, 0, 0, 0, 0, 0, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55]);
}

fn pasid(image: &mut Image) {
    image.extended(0x1b, 1, &[0x06, 0x14, 0x00, 0x00]);
}

/// With the registers that only root ports have.
fn downstream_port_containment(image: &mut Image, random: &mut Random) {
    let mut body = [0; 0x2c];
    body[..8].copy_from_slice(&[0xe0, 0x04, 0x06, 0x00, 0x00, 0x1f, 0x00, 0x00]);
    body[0x0c..0x10].copy_from_slice(&(random.dword() & 0x0007_0707).to_le_bytes());
    image.extended(0x1d, 1, &body);
}

fn l1_pm_substates(image: &mut Image) {
    image.extended(0x1e, 1, &[0x1f, 0x28, 0x29, 0x00, 0x0f, 0x28, 0x00, 0x40, 0x29, 0, 0, 0]);
}

fn precision_time_measurement(image: &mut Image) {
    image.extended(0x1f, 1, &[0x06, 0x04, 0x00, 0x00, 0x03, 0x04, 0x00, 0x00]);
}

/// What comes with 16 GT/s: Data Link Feature, the physical layer's capability, Lane Margining.
fn gt_16(image: &mut Image) {
    image.extended(0x25, 1, &[0x01, 0, 0, 0x80, 0x01, 0, 0, 0x80]);
    image.extended(0x26, 1, &[0; 0x20]);
    image.extended(0x27, 1, &[0; 0x14]);
}
