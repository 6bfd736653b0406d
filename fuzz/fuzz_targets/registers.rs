//! Registers by name, from arbitrary bytes: the map, edits as writes, differences, the tree as JSON, and `--more`.
//!
//! The input is a byte with what is tried and the number of steps, the steps of eight bytes each, and configuration
//! space.
#![no_main]

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::io;

use libfuzzer_sys::fuzz_target;
use pcicfg::diff::{Difference, diff};
use pcicfg::edit::{Edit, EditError, apply};
use pcicfg::lspci::{NoNames, Options, Subject, Text, write_function};
use pcicfg::registers::{Access, Field, PlacedRegister, registers};
use pcicfg::tree::Tree;
use pcicfg::{Address, ConfigRead, ConfigSpace, ConfigWrite};

/// What a tree of 4096 bytes may take as JSON: a thousand registers with their fields.
const LONGEST: usize = 4 << 20;

fuzz_target!(|input: &[u8]| {
    let Some((&first, rest)) = input.split_first() else { return };
    let (steps, image) = rest.split_at((usize::from(first % 32) * 8).min(rest.len()));
    // One part or all: each alone is tried more often.
    let tried = |part: u8| first >> 6 == 3 || first >> 6 == part;
    if tried(0) {
        tree(image);
        more(image);
    }
    let Ok(space) = ConfigSpace::new(image) else { return };
    if tried(1) {
        map(space);
        edits(space, steps);
    }
    if tried(2) {
        differences(space, steps);
    }
});

/// What is done: set a field or a register, or change a byte for the comparison.
#[derive(Clone, Copy)]
struct Step {
    kind: u8,
    register: usize,
    field: usize,
    value: u32,
}

fn steps(bytes: &[u8]) -> impl Iterator<Item = Step> + '_ {
    bytes.as_chunks::<8>().0.iter().map(|&[kind, low, high, field, value @ ..]| Step {
        kind,
        register: usize::from(u16::from_le_bytes([low, high])),
        field: field.into(),
        value: u32::from_le_bytes(value),
    })
}

/// Registers stand in order, overlap nowhere, and have their fields inside.
fn map(space: ConfigSpace<'_>) {
    let map = registers(space);
    let mut end = 0;
    for register in map.registers() {
        assert!(matches!(register.width(), 1 | 2 | 4));
        assert!(register.offset() >= end, "{} overlaps", register.name());
        end = register.offset() + u16::from(register.width());
        assert!(usize::from(end) <= space.size() && map.claims(register.offset(), register.width()));
        assert!(map.at(register.offset()).is_some_and(|found| found.is_same_as(register)));
        let value = register.read(space).expect("it stands inside");
        let mut seen = 0;
        for field in register.fields() {
            assert!(field.mask() != 0 && field.mask() & seen == 0, "{} overlaps", field.name());
            seen |= field.mask();
            let _ = field.value(value);
        }
        assert!(seen.checked_shr(8 * u32::from(register.width())).unwrap_or(0) == 0);
    }
    let inside = |offset: u16| usize::from(offset) < space.size();
    assert!(map.structures().iter().all(|structure| inside(structure.offset())));
}

/// A function that honours what each bit is, and bears no write that a driver must not do.
struct Model {
    bytes: RefCell<Vec<u8>>,
    bits: Vec<Access>,
    writes: Cell<usize>,
    acted: Cell<bool>,
}

impl Model {
    fn new(space: ConfigSpace<'_>) -> Self {
        let mut bits = vec![Access::ReservedPreserve; 8 * space.size()];
        for register in registers(space).registers() {
            let first = 8 * usize::from(register.offset());
            for bit in 0..8 * register.width() {
                bits[first + usize::from(bit)] = register.access(bit);
            }
        }
        let bytes = RefCell::new(space.bytes()[..space.size()].to_vec());
        Self { bytes, bits, writes: Cell::new(0), acted: Cell::new(false) }
    }
}

impl ConfigRead for Model {
    type Error = Infallible;

    fn read(&self, offset: u16, bytes: &mut [u8]) -> Result<(), Infallible> {
        let at = usize::from(offset);
        bytes.copy_from_slice(&self.bytes.borrow()[at..at + bytes.len()]);
        Ok(())
    }
}

impl ConfigWrite for Model {
    fn write(&self, offset: u16, bytes: &[u8]) -> Result<(), Infallible> {
        assert!(matches!(bytes.len(), 1 | 2 | 4) && usize::from(offset).is_multiple_of(bytes.len()));
        self.writes.set(self.writes.get() + 1);
        for (at, written) in (usize::from(offset)..).zip(bytes) {
            let byte = &mut self.bytes.borrow_mut()[at];
            for bit in 0..8 {
                let (old, new) = (*byte >> bit & 1, written >> bit & 1);
                let result = match self.bits[8 * at + bit] {
                    access if access.takes_value() => new,
                    access if access.is_cleared_by_1() => old & !new,
                    Access::Write1ToAct => {
                        self.acted.set(self.acted.get() || new != 0);
                        old
                    }
                    Access::ReservedZero => {
                        assert_eq!(new, 0, "reserved bit {bit} of byte {at:#x} is written as 1");
                        old
                    }
                    _ => {
                        assert_eq!(new, old, "bit {bit} of byte {at:#x} is not kept");
                        old
                    }
                };
                *byte = *byte & !(1 << bit) | result << bit;
            }
        }
        Ok(())
    }
}

/// The register and the field that a step means.
fn meant(edit: &Edit<'_>, step: Step) -> Option<(PlacedRegister, Option<Field>)> {
    let all = edit.map().registers();
    let register = *all.get(step.register % all.len().max(1))?;
    let fields = register.fields().count();
    let field = if fields == 0 { None } else { register.fields().nth(step.field % fields) };
    Some((register, field))
}

/// Does a step; says what was refused.
fn take(edit: &mut Edit<'_>, step: Step) -> Result<(), EditError> {
    let Some((register, field)) = meant(edit, step) else { return Ok(()) };
    match (step.kind & 7, field) {
        // Whatever the number: many do not fit.
        (0, Some(field)) => edit.set_field(register, field, step.value.into())?,
        (1, Some(field)) => edit.set_field(register, field, u64::from(step.value) << (step.kind >> 3))?,
        // One that fits, by its names or not.
        (2, Some(field)) => {
            let names = (register.structure().name(), register.name().to_string(), field.name().to_string());
            edit.set(&names.0, &names.1, &names.2, field.code(step.value))?
        }
        (3..=5, Some(field)) => {
            let code = field.code(step.value);
            edit.set_field(register, field, code)?;
            let now = edit.value(register).expect("a register of this function");
            let acts = field.access() == Access::Write1ToAct;
            assert!(acts || field.code(now) == code, "{} of {}", field.name(), register.name());
            edit
        }
        // All of it as it was but for some bits, or anything.
        (6, _) => {
            let now = edit.value(register).expect("a register of this function");
            edit.set_value(register, now ^ 1u32.checked_shl(step.field as u32 % 32).unwrap_or(0))?
        }
        _ => edit.set_value(register, step.value)?,
    };
    Ok(())
}

/// The writes change what was asked for and nothing else, and are none where all is right already.
fn edits(space: ConfigSpace<'_>, script: &[u8]) {
    let mut edit = Edit::new(space);
    let mut taken = Vec::new();
    for step in steps(script) {
        let before = edit.writes();
        match take(&mut edit, step) {
            Ok(()) => taken.push(step),
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert_eq!(edit.writes(), before, "a refused edit does nothing");
            }
        }
    }
    // A value in words; it is looked for among all values, so only one.
    if let Some((step, (register, Some(field)))) =
        steps(script).next().and_then(|step| Some((step, meant(&edit, step)?)))
    {
        let mut named = Edit::new(space);
        let (structure, name) = (register.structure().name(), register.name().to_string());
        let said = field.value(step.value).to_string();
        let _ = named.set_to(&structure, &name, &field.name().to_string(), &said);
        let script = String::from_utf8_lossy(script);
        let _ = named.set_to(&structure, &name, &script, &said);
        let _ = named.set_to(&structure, &script, "", &script);
    }

    let model = Model::new(space);
    let writes = edit.writes();
    assert!(writes.len() <= taken.len(), "{writes:?}");
    apply(&writes, &model).unwrap_or_else(|error| match error.error {});
    assert_eq!(model.writes.get(), writes.len());
    let bytes = model.bytes.borrow();
    let after = ConfigSpace::new(&bytes).expect("of the same size");
    for register in edit.map().registers() {
        assert_eq!(register.read(after), edit.value(*register), "{}", register.name());
    }
    for difference in diff(space, after) {
        // A list may end otherwise where a register stands on the next header.
        let Difference::Register(register) = difference else { continue };
        let wrote = |offset: u16| {
            writes.iter().any(|write| (write.offset..write.offset + u16::from(write.width)).contains(&offset))
        };
        assert!((register.offset..register.offset + u16::from(register.width)).any(wrote), "{register}");
    }
    let mut again = Edit::new(after);
    let same = |(old, new): (&PlacedRegister, &PlacedRegister)| old.is_same_as(new);
    let (old, new) = (edit.map().registers(), again.map().registers());
    let same_map = old.len() == new.len() && old.iter().zip(new).all(same);
    // A step of the sixth kind means another value now.
    if same_map && !model.acted.get() && taken.iter().all(|step| step.kind & 7 != 6) {
        for step in taken {
            // An event that is cleared cannot be raised again.
            let _ = take(&mut again, step);
        }
        assert_eq!(again.writes(), [], "all is right already");
    }
}

/// Compared with what other bytes make of it: every byte that differs is in one difference, and turning them around
/// changes nothing.
fn differences(space: ConfigSpace<'_>, script: &[u8]) {
    let mut other = space.bytes().to_vec();
    for step in steps(script) {
        if step.kind & 8 != 0
            && let Some(byte) = other.get_mut(step.register % space.size())
        {
            *byte = step.value as u8;
        }
        if step.kind == 0xff {
            other.truncate(step.register.max(64));
        }
    }
    let Ok(other) = ConfigSpace::new(&other) else { return };
    let found = diff(space, other);
    let size = space.size().min(other.size());
    let mut named = vec![false; size + 4];
    for difference in &found {
        assert!(!difference.to_string().is_empty());
        if let Difference::Register(register) = difference {
            assert_ne!(register.old, register.new, "{register}");
            let start = usize::from(register.offset);
            for named in &mut named[start..start + usize::from(register.width)] {
                assert!(!*named, "{register} is told twice");
                *named = true;
            }
        }
    }
    let bytes = space.bytes().iter().zip(other.bytes()).take(size).zip(&named);
    assert!(bytes.enumerate().all(|(at, ((old, new), named))| old == new || *named || {
        panic!("byte {at:#x} differs, and nothing says so")
    }));
    let around = diff(other, space);
    assert!(found.iter().map(Difference::offset).eq(around.iter().map(Difference::offset)));
}

/// Any bytes have a tree, of bounded size, and it is JSON.
fn tree(bytes: &[u8]) {
    struct Counted(usize);
    impl io::Write for Counted {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counted = Counted(0);
    serde_json::to_writer(&mut counted, &Tree::new(bytes)).expect("a tree is JSON");
    assert!(counted.0 < LONGEST, "{} bytes", counted.0);
    if bytes.len() <= 256 {
        let text = serde_json::to_string(&Tree::new(bytes)).expect("a tree is JSON");
        let read: serde_json::Value = serde_json::from_str(&text).expect("and reads as such");
        assert_eq!(read["bytes"], bytes.len());
    }
}

/// Without the lines that `--more` adds, the text is lspci's.
fn more(bytes: &[u8]) {
    let subject = Subject::new(Address::from_devfn(0, 3, 0), bytes);
    let (mut plain, mut more) = (Text::new(), Text::new());
    let verbose = 2 + bytes.last().copied().unwrap_or_default() % 2;
    let options = Options::numeric().verbose(verbose);
    write_function(&mut plain, &subject, &options, &NoNames);
    write_function(&mut more, &subject, &options.more(true), &NoNames);
    let ours = |line: &[u8]| line.trim_ascii_start().starts_with(b"+ ");
    let kept: Vec<u8> = more
        .as_bytes()
        .split_inclusive(|&byte| byte == b'\n')
        .filter(|line| !ours(line))
        .flatten()
        .copied()
        .collect();
    assert_eq!(String::from_utf8_lossy(&kept), plain.to_str());
}
