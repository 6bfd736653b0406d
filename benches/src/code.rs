//! Bytes that look like the drivers in option ROMs do: machine code, tables, texts, zeros.
//!
//! What compression finds in them is what it finds in real ones: instructions of few kinds with registers
//! and small displacements, jumps and calls that are all different, tables whose rows differ in a byte or
//! two. Random bytes would have no matches, and a repeated pattern nothing else.

use crate::random::Random;

/// How functions begin.
const PROLOGUES: [&[u8]; 4] = [
    b"\x48\x89\x5c\x24\x08\x48\x89\x74\x24\x10\x57\x48\x83\xec\x20",
    b"\x48\x83\xec\x28",
    b"\x40\x53\x48\x83\xec\x30",
    b"\x48\x8b\xc4\x48\x89\x58\x08\x48\x89\x68\x10\x48\x89\x70\x18\x57\x41\x56\x48\x83\xec\x40",
];

/// How they end.
const EPILOGUES: [&[u8]; 4] = [
    b"\x48\x8b\x5c\x24\x30\x48\x8b\x74\x24\x38\x48\x83\xc4\x20\x5f\xc3",
    b"\x48\x83\xc4\x28\xc3",
    b"\x48\x83\xc4\x30\x5b\xc3",
    b"\x48\x8b\x5c\x24\x50\x48\x8b\x6c\x24\x58\x48\x8b\x74\x24\x60\x48\x83\xc4\x40\x41\x5e\x5f\xc3",
];

/// Instructions without operands of their own, the frequent ones first.
const FIXED: [&[u8]; 12] = [
    b"\x85\xc0",
    b"\x33\xc0",
    b"\x48\x8b\xcb",
    b"\x48\x85\xc0",
    b"\x48\x8b\xf8",
    b"\x45\x33\xc0",
    b"\x8b\xd8",
    b"\x48\x8b\x01",
    b"\x0f\xb6\xc0",
    b"\x41\x8b\xd1",
    b"\xff\xc3",
    b"\xf7\xd8",
];

/// Words of messages.
const WORDS: [&str; 12] = [
    "failed",
    "device ",
    "Error: ",
    "link ",
    "timeout",
    "%a ",
    "mode ",
    "init ",
    "Status = %r",
    "read ",
    "register ",
    "done",
];

/// So many bytes of a driver. The same number of the same `seed` gives the same bytes.
#[must_use]
pub fn machine_code(seed: u64, length: usize) -> Vec<u8> {
    let mut code = Code { random: Random::new(seed), bytes: Vec::with_capacity(length + 0x2000) };
    while code.bytes.len() < length {
        // Of a driver, about two thirds are code.
        match code.random.next() % 16 {
            0..=12 => code.function(),
            13 => code.table(),
            14 => code.texts(),
            _ => code.zeros(),
        }
    }
    code.bytes.truncate(length);
    code.bytes
}

struct Code {
    random: Random,
    bytes: Vec<u8>,
}

impl Code {
    /// A number below `below`, small ones more often.
    fn small(&mut self, below: u64) -> u64 {
        let bound = 1 + self.random.next() % below;
        self.random.next() % bound
    }

    fn function(&mut self) {
        let kind = self.small(4) as usize;
        self.bytes.extend(PROLOGUES[kind]);
        for _ in 0..20 + self.random.next() % 100 {
            self.instruction();
        }
        self.bytes.extend(EPILOGUES[kind]);
        let padded = self.bytes.len().next_multiple_of(16);
        self.bytes.resize(padded, 0xcc);
    }

    fn instruction(&mut self) {
        let register = (self.small(8) * 8) as u8;
        let (slot, field) = ((self.small(16) * 8) as u8, (self.small(32) * 4) as u8);
        match self.random.next() % 100 {
            // Loads and stores, of the stack and of what a register points at.
            0..14 => self.bytes.extend([0x48, 0x8b, 0x44 | register, 0x24, slot]),
            14..24 => self.bytes.extend([0x48, 0x89, 0x44 | register, 0x24, slot]),
            24..36 => self.bytes.extend([0x8b, 0x43 | register, field]),
            36..42 => self.bytes.extend([0x89, 0x47 | register, field]),
            // Jumps near by.
            42..54 => {
                let opcode = 0x70 | [4, 5, 5, 4, 2, 0xf, 3, 8][self.small(8) as usize];
                let distance = self.random.next() as u8 & 0x7f;
                self.bytes.extend([opcode, distance]);
            }
            // Calls: one of the callees, as far away as it is from here.
            54..62 => {
                let target = (self.small(256) * 0x2b0) as u32;
                let distance = target.wrapping_sub(self.bytes.len() as u32);
                self.bytes.push(0xe8);
                self.bytes.extend(distance.to_le_bytes());
            }
            // Addresses of data.
            62..67 => {
                let distance = (0x2_0000 + self.random.next() % 0x8000) as u32;
                self.bytes.extend([0x48, 0x8d, 0x0d | register]);
                self.bytes.extend(distance.to_le_bytes());
            }
            // Constants.
            67..73 => {
                let value = [0, 1, 0x8000_0000, 0xff, 0x10][self.small(5) as usize] + self.small(64) as u32;
                self.bytes.push(0xb8 | register >> 3);
                self.bytes.extend(value.to_le_bytes());
            }
            73..77 => {
                let value = self.random.dword() & 0x00ff_ffff;
                self.bytes.extend([0x81, 0xe0 | register >> 3]);
                self.bytes.extend(value.to_le_bytes());
            }
            _ => {
                let instruction = FIXED[self.small(12) as usize];
                self.bytes.extend(instruction);
            }
        }
    }

    /// Registers and their values: rows of which little changes.
    fn table(&mut self) {
        let mut register = self.random.dword() & 0xffff;
        for _ in 0..16 + self.random.next() % 64 {
            register += 4 * (1 + self.small(4) as u32);
            let value = if self.random.happens(1, 3) { self.random.dword() } else { self.small(256) as u32 };
            self.bytes.extend(register.to_le_bytes());
            self.bytes.extend(value.to_le_bytes());
        }
    }

    /// Messages, one behind the other.
    fn texts(&mut self) {
        for _ in 0..8 + self.random.next() % 16 {
            for _ in 0..2 + self.random.next() % 5 {
                let word = WORDS[self.random.next() as usize % WORDS.len()];
                self.bytes.extend(word.bytes());
            }
            self.bytes.push(0);
        }
    }

    fn zeros(&mut self) {
        let length = self.bytes.len() + self.small(0x600) as usize;
        self.bytes.resize(length, 0);
    }
}
