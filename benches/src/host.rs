//! A big host: 32 functions on each domain's root bus, and below its root ports disks, cards with many
//! functions, graphics cards and switches. The same in every run.

use crate::kinds::{self, Made};
use crate::random::Random;
use pcicfg::Address;
use pcicfg::dump::{Style, write_function};

/// A function of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Where it is.
    pub address: Address,
    /// Its 4096 bytes of configuration space.
    pub config: Vec<u8>,
    /// What lspci would call it.
    pub description: String,
}

/// How many functions the usual host has.
pub const FUNCTIONS: usize = 4096;

/// The first `count` functions of the host, in address order, a bridge before what is below it.
#[must_use]
pub fn functions(count: usize) -> Vec<Function> {
    let mut host = Host { random: Random::new(0x7066_6369), functions: Vec::with_capacity(count + 512) };
    let mut domain = 0;
    while host.functions.len() < count {
        host.domain(domain);
        domain += 1;
    }
    host.functions.truncate(count);
    host.functions
}

/// The dump that `lspci -xxxx` would make of them.
#[must_use]
pub fn dump(functions: &[Function]) -> String {
    let mut text = String::with_capacity(functions.len() * 13_700);
    let style = Style { domain: true, ..Style::default() };
    for function in functions {
        // A String takes everything.
        let _ = write_function(&mut text, function.address, &function.description, &function.config, style);
    }
    text
}

struct Host {
    random: Random,
    functions: Vec<Function>,
}

impl Host {
    /// The root bus first, then what is below its ports: that is address order.
    fn domain(&mut self, domain: u32) {
        let first = self.functions.len();
        let host_bridge = kinds::host_bridge(&mut self.random);
        self.add(domain, 0, 0, host_bridge);
        for device in 1..32u8 {
            let made = match device {
                30 => kinds::sata(&mut self.random),
                31 => kinds::accelerator(&mut self.random),
                _ => kinds::root_port(&mut self.random),
            };
            self.add(domain, 0, device << 3, made);
        }
        let mut bus = 0;
        for port in 1..30u8 {
            bus += 1;
            let secondary = bus;
            match port % 4 {
                0 => bus = self.switch(domain, secondary),
                1 => self.card(domain, secondary, &[kinds::graphics, kinds::audio]),
                2 => self.card(domain, secondary, &[kinds::network as fn(&mut Random) -> Made; 8]),
                _ => self.card(domain, secondary, &[kinds::nvme]),
            }
            let buses = &[0, secondary, bus];
            self.functions[first + usize::from(port)].config[0x18..0x1b].copy_from_slice(buses);
        }
    }

    fn card(&mut self, domain: u32, bus: u8, functions: &[fn(&mut Random) -> Made]) {
        for (devfn, make) in (0..).zip(functions) {
            let mut made = make(&mut self.random);
            if functions.len() > 1 {
                made.image.multi_function();
            }
            self.add(domain, bus, devfn, made);
        }
    }

    /// A switch with four ports; gives the last bus below it.
    fn switch(&mut self, domain: u32, bus: u8) -> u8 {
        const PORTS: u8 = 4;
        let (inner, last) = (bus + 1, bus + 1 + PORTS);
        let mut upstream = kinds::upstream_port(&mut self.random);
        upstream.image.buses(bus, inner, last);
        self.add(domain, bus, 0, upstream);
        for port in 0..PORTS {
            let mut downstream = kinds::downstream_port(&mut self.random);
            downstream.image.buses(inner, inner + 1 + port, inner + 1 + port);
            self.add(domain, inner, port << 3, downstream);
        }
        for port in 0..PORTS {
            let make = if port % 2 == 0 { kinds::nvme } else { kinds::usb };
            self.card(domain, inner + 1 + port, &[make]);
        }
        last
    }

    fn add(&mut self, domain: u32, bus: u8, devfn: u8, made: Made) {
        let bytes = made.image.into_bytes();
        let id = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let description =
            format!("{}: Device [{:04x}:{:04x}] (rev {:02x})", made.class, id(0), id(2), bytes[8]);
        self.functions.push(Function {
            address: Address::from_devfn(domain, bus, devfn),
            config: bytes,
            description,
        });
    }
}
