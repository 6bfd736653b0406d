//! Whole hosts: functions that hang together by the bus numbers of bridges, or nearly.

use std::collections::BTreeMap;

use super::VENDORS;
use crate::differential::random::Random;
use crate::differential::space::{Address, Function, Space};

/// The functions of host `index` in the run with this seed, in the order of their addresses.
pub(crate) fn host(seed: u64, index: u64) -> Vec<Function> {
    let mut random = Random::of(!seed, index);
    let random = &mut random;
    let mut host = Host { functions: BTreeMap::new(), next_bus: 0 };
    for _ in 0..random.within(1, 3) {
        let domain = if random.percent(80) { 0 } else { random.of_these(&[1, 2, 0xffff]) };
        host.next_bus = if random.percent(70) { 0 } else { random.below(0x80) };
        let bus = host.next_bus;
        host.next_bus += 1;
        host.bus(domain, bus, 0, random);
    }
    let mut functions: Vec<Function> = host.functions.into_values().collect();
    if random.percent(50) {
        damage(&mut functions, random);
    }
    functions
}

struct Host {
    functions: BTreeMap<Address, Function>,
    next_bus: usize,
}

impl Host {
    /// Puts functions on a bus, and below its bridges.
    fn bus(&mut self, domain: u32, bus: usize, depth: usize, random: &mut Random) {
        for _ in 0..random.below(6) {
            let devfn = if depth > 0 && random.percent(50) { 0 } else { random.byte() };
            let address = Address { domain, bus: bus as u8, devfn };
            if bus > 0xff || self.functions.contains_key(&address) {
                continue;
            }
            let mut space = Space::new();
            space.put16(0, random.of_these(&VENDORS));
            space.put16(2, 0x1000 + random.below(3) as u16);
            space.put16(0x0a, random.of_these(&[0x0200, 0x0300, 0x0600, 0x0106]));
            if random.percent(35) && self.next_bus < 0x100 {
                let secondary = self.next_bus;
                self.next_bus += 1;
                if depth < 12 {
                    self.bus(domain, secondary, depth + 1, random);
                }
                let subordinate = (self.next_bus - 1 + random.of_these(&[0, 0, 0, 1])).min(0xff);
                space.put16(0x0a, random.of_these(&[0x0604, 0x0604, 0x0604, 0x0607]));
                space.put(0x0e, &[random.of_these(&[1, 1, 1, 0x81, 2])]);
                space.put(0x18, &[bus as u8, secondary as u8, subordinate as u8]);
            }
            let size = random.of_these(&[64, 64, 64, 128]);
            self.functions.insert(address, Function { address, bytes: space.cut(size) });
        }
    }
}

/// Takes functions away and changes what bridges say.
fn damage(functions: &mut Vec<Function>, random: &mut Random) {
    for _ in 0..random.within(1, 3) {
        let count = functions.len();
        if count < 2 {
            return;
        }
        let index = random.below(count);
        let last = functions[count - 1].address.bus;
        let function = &mut functions[index];
        let own = function.address.bus;
        match random.below(8) {
            0 => _ = functions.remove(index),
            1 => function.bytes.truncate(random.of_these(&[10, 63])),
            // Nobody has set the bridge up.
            2 => function.bytes[0x18..0x1b].fill(0),
            // It leads to its own bus, to all, to none, or somewhere.
            3 => function.bytes[0x18..0x1b].copy_from_slice(&[own, own, own]),
            4 => function.bytes[0x19..0x1b].copy_from_slice(&[0, 0xff]),
            5 => function.bytes[0x19..0x1b].copy_from_slice(&[last, own]),
            6 => function.bytes[0x19..0x1b].copy_from_slice(&[random.below(8) as u8, random.below(8) as u8]),
            _ => {
                // A bridge that was none, or one without a bridge's class.
                function.bytes[0x0e] ^= 1;
            }
        }
        if functions.iter().any(|function| function.bytes.len() < 64) {
            return;
        }
    }
}
