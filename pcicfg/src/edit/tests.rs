use super::*;
use crate::access::{ConfigRead, ConfigWrite};
use crate::diff::{Difference, diff};
use crate::header::Command;
use crate::registers::tests::functions;
use crate::registers::{Value, handles};
use alloc::vec;
use core::cell::RefCell;
use proptest::prelude::*;

/// A function that honours what each bit is. It panics at a write that a driver must not do.
struct Model {
    bytes: RefCell<Vec<u8>>,
    bits: Vec<[Access; 8]>,
    /// The bits that were made to act: byte and bit.
    acted: RefCell<Vec<(usize, usize)>>,
    writes: RefCell<usize>,
}

impl Model {
    fn new(bytes: &[u8]) -> Self {
        let mut bits = vec![[Access::ReservedPreserve; 8]; bytes.len()];
        for register in registers(ConfigSpace::new(bytes).unwrap()).registers() {
            for byte in 0..register.width() {
                for bit in 0..8 {
                    bits[usize::from(register.offset() + u16::from(byte))][usize::from(bit)] =
                        register.access(8 * byte + bit);
                }
            }
        }
        let bytes = RefCell::new(bytes.to_vec());
        Self { bytes, bits, acted: RefCell::default(), writes: RefCell::default() }
    }

    fn write_bit(&self, at: usize, bit: usize, written: bool) {
        let mut bytes = self.bytes.borrow_mut();
        let old = bytes[at] >> bit & 1 != 0;
        let new = match self.bits[at][bit] {
            access if access.takes_value() => written,
            access if access.is_cleared_by_1() => old && !written,
            Access::Write1ToAct => {
                if written {
                    self.acted.borrow_mut().push((at, bit));
                }
                old
            }
            Access::ReservedZero => {
                assert!(!written, "reserved bit {bit} of byte {at:#x} is written as 1");
                old
            }
            _ => {
                assert_eq!(written, old, "bit {bit} of byte {at:#x} is not kept");
                old
            }
        };
        bytes[at] = bytes[at] & !(1 << bit) | u8::from(new) << bit;
    }
}

impl ConfigRead for Model {
    type Error = core::convert::Infallible;

    fn read(&self, offset: u16, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let at = usize::from(offset);
        bytes.copy_from_slice(&self.bytes.borrow()[at..at + bytes.len()]);
        Ok(())
    }
}

impl ConfigWrite for Model {
    fn write(&self, offset: u16, bytes: &[u8]) -> Result<(), Self::Error> {
        assert!(matches!(bytes.len(), 1 | 2 | 4) && usize::from(offset).is_multiple_of(bytes.len()));
        *self.writes.borrow_mut() += 1;
        for (index, byte) in bytes.iter().enumerate() {
            for bit in 0..8 {
                self.write_bit(usize::from(offset) + index, bit, byte >> bit & 1 != 0);
            }
        }
        Ok(())
    }
}

/// All fields of a function; a register without fields is one.
fn fields(map: &RegisterMap) -> Vec<(PlacedRegister, Option<Field>)> {
    let parts = |register: &PlacedRegister| {
        let fields: Vec<_> = register.fields().map(Some).collect();
        if fields.is_empty() { vec![None] } else { fields }
    };
    map.registers()
        .iter()
        .flat_map(|register| parts(register).into_iter().map(|field| (*register, field)))
        .collect()
}

/// Sets a field, or a register without any.
fn set(
    edit: &mut Edit<'_>,
    (register, field): (PlacedRegister, Option<Field>),
    value: u64,
) -> Result<(), EditError> {
    match field {
        Some(field) => edit.set_field(register, field, value).map(|_| ()),
        None => edit.set_value(register, value as u32).map(|_| ()),
    }
}

/// A value that the field has room for, more often than not.
fn fitting(field: Option<Field>, value: u64) -> u64 {
    match field {
        None => value & 0xffff_ffff,
        Some(_) if value >> 60 == 0 => value,
        Some(field) => field.code(value as u32),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn an_edit_changes_its_field_and_nothing_else(
        before in functions(), which: prop::sample::Index, value: u64,
    ) {
        let space = ConfigSpace::new(&before).unwrap();
        let mut edit = Edit::new(space);
        let all = fields(edit.map());
        // Most registers cannot be written: look for one that can.
        let start = which.index(all.len());
        let chosen = (0..all.len()).map(|index| all[(start + index) % all.len()]).find(|(register, field)| {
            let mask = field.map_or(register.all_bits(), |field| field.mask());
            (0..32).any(|bit| mask >> bit & 1 != 0 && !matches!(
                register.access(bit), Access::ReadOnly | Access::ReadOnlySticky | Access::Unknown
                    | Access::ReservedPreserve | Access::ReservedZero
            ))
        });
        let Some((register, field)) = chosen else { return Ok(()) };
        let value = fitting(field, value);
        let old = register.read(space).unwrap();
        let writes = match set(&mut edit, (register, field), value) {
            Ok(()) => edit.writes(),
            Err(error) => {
                prop_assert!(!error.to_string().is_empty());
                prop_assert_eq!(edit.writes(), [], "refused, and not done in part");
                return Ok(());
            }
        };
        prop_assert!(writes.len() <= 1);
        let model = Model::new(&before);
        apply(&writes, &model).unwrap();
        let after = model.bytes.into_inner();
        let new = register.read(ConfigSpace::new(&after).unwrap()).unwrap();
        let mask = field.map_or(register.all_bits(), |field| field.mask());
        prop_assert_eq!((old ^ new) & !mask, 0, "the rest of the register");
        prop_assert_eq!(edit.value(register), Some(new), "as announced");
        let acts = matches!(field.map(|field| field.access()), Some(Access::Write1ToAct));
        match (acts, field) {
            (true, Some(field)) => {
                prop_assert_eq!(new, old);
                let bit = field.mask().trailing_zeros() as usize;
                let place = (usize::from(register.offset()) + bit / 8, bit % 8);
                let expected = if value == 0 { vec![] } else { vec![place] };
                prop_assert_eq!(model.acted.into_inner(), expected);
            }
            (_, Some(field)) => {
                prop_assert_eq!(field.code(new), value);
                prop_assert_eq!(model.acted.into_inner(), []);
            }
            (_, None) => prop_assert_eq!(u64::from(new), value),
        }
        // What is different has the name that was asked for.
        let found = diff(space, ConfigSpace::new(&after).unwrap());
        if old == new {
            prop_assert_eq!(&found, &[]);
            return Ok(());
        }
        let [Difference::Register(difference)] = found.as_slice() else { panic!("{found:?}") };
        prop_assert_eq!(difference.register, Some(register.name()));
        prop_assert_eq!(difference.structure, Some(register.structure()));
        let names: Vec<&str> = difference.fields.iter().map(|field| field.name.as_str()).collect();
        let expected: Vec<String> = field.iter().map(|field| field.name().to_string()).collect();
        prop_assert_eq!(names, expected);
    }

    #[test]
    fn edits_together_are_the_edits_one_by_one(
        before in functions(), edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u64>()), 0..24),
    ) {
        let space = ConfigSpace::new(&before).unwrap();
        let mut edit = Edit::new(space);
        let all = fields(edit.map());
        let mut one_by_one = before.clone();
        for (which, value) in edits {
            let (register, field) = all[which.index(all.len())];
            let value = fitting(field, value);
            if set(&mut edit, (register, field), value).is_err() {
                continue;
            }
            let model = Model::new(&one_by_one);
            let mut single = Edit::new(ConfigSpace::new(&one_by_one).unwrap());
            // An event that an earlier edit cleared can be left as it was only together with that.
            if set(&mut single, (register, field), value).is_ok() {
                apply(&single.writes(), &model).unwrap();
                one_by_one = model.bytes.into_inner();
            } else {
                return Ok(());
            }
        }
        let writes = edit.writes();
        let model = Model::new(&before);
        apply(&writes, &model).unwrap();
        prop_assert_eq!(&model.bytes.into_inner(), &one_by_one);
        let changed: alloc::collections::BTreeSet<u16> = edit.changes.iter().map(|one| one.register.offset()).collect();
        prop_assert!(writes.len() <= changed.len());
        for (index, write) in writes.iter().enumerate() {
            for other in &writes[..index] {
                let apart = write.offset + u16::from(write.width) <= other.offset
                    || other.offset + u16::from(other.width) <= write.offset;
                prop_assert!(apart, "{write} and {other}");
            }
        }
        // What was written is not written again.
        let mut again = Edit::new(ConfigSpace::new(&one_by_one).unwrap());
        for change in edit.changes.iter().filter(|change| change.act == 0) {
            again.set_value(change.register, change.result()).unwrap();
        }
        prop_assert_eq!(again.writes(), []);
    }

    #[test]
    fn no_shorter_list_does(
        before in functions(), start: prop::sample::Index, order in 0u8..3,
        edits in prop::collection::vec(any::<u64>(), 1..12), shuffle: u64,
    ) {
        let space = ConfigSpace::new(&before).unwrap();
        let mut edit = Edit::new(space);
        // Registers that stand together, by whole values: side by side, backwards, or mixed.
        let all: Vec<_> = edit.map().registers().to_vec();
        let first = start.index(all.len());
        let mut chosen: Vec<_> = all.into_iter().skip(first).zip(edits).collect();
        match order {
            0 => {}
            1 => chosen.reverse(),
            _ => chosen.sort_by_key(|(register, _)| u64::from(register.offset()).wrapping_mul(shuffle | 1)),
        }
        for (register, value) in &chosen {
            let masks = register.write_masks();
            let current = register.read(space).unwrap();
            let events = current & masks.clears & (*value >> 32) as u32;
            let _ = edit.set_value(*register, current & !masks.takes & !events | *value as u32 & masks.takes);
        }
        let writes = edit.writes();
        let wanted = |writes: &[Write]| {
            let model = Model::new(&before);
            apply(writes, &model).unwrap();
            (model.bytes.into_inner(), model.acted.into_inner())
        };
        // Each is needed.
        let (image, acted) = wanted(&writes);
        for without in 0..writes.len() {
            let mut fewer = writes.clone();
            fewer.remove(without);
            prop_assert_ne!(wanted(&fewer), (image.clone(), acted.clone()));
        }
        // All ways to cut the list of registers into accesses: none has fewer.
        let singles: Vec<(u16, u16)> = edit.changes.iter()
            .filter(|change| change.result() != change.current || change.act != 0)
            .map(|change| (change.register.offset(), change.register.width().into()))
            .collect();
        prop_assume!(!edit.changes.iter().any(|change| change.register.needs_whole_dword()));
        fn cut(singles: &[(u16, u16)]) -> usize {
            (1..=singles.len().min(4)).filter(|&taken| {
                let bytes: alloc::collections::BTreeSet<u16> =
                    singles[..taken].iter().flat_map(|(at, width)| *at..at + width).collect();
                let (low, count) = (*bytes.first().unwrap(), bytes.len() as u16);
                taken == 1 || bytes.last() == Some(&(low + count - 1)) && [2, 4].contains(&count) && low % count == 0
            }).map(|taken| 1 + cut(&singles[taken..])).min().unwrap_or(0)
        }
        prop_assert_eq!(writes.len(), cut(&singles));
        // In the order in which they stand, that is the least for these bytes in any order.
        if order == 0 {
            let bytes: alloc::collections::BTreeSet<u16> =
                singles.iter().flat_map(|(at, width)| *at..at + width).collect();
            let has = |at: u16, width: u16| (at..at + width).all(|at| bytes.contains(&at));
            let of_word = |at: u16| if has(at, 2) { 1 } else { usize::from(has(at, 1)) + usize::from(has(at + 1, 1)) };
            let of_dword = |at: u16| if has(at, 4) { 1 } else { of_word(at) + of_word(at + 2) };
            let least: usize = (0..4096).step_by(4).map(of_dword).sum();
            prop_assert_eq!(writes.len(), least);
        }
    }

    #[test]
    fn any_names_and_values_are_edits_or_errors(
        bytes in prop::collection::vec(any::<u8>(), 64..=4096), names in "[a-zA-Z /0-9]{0,20}", value: u64,
    ) {
        let mut edit = Edit::new(ConfigSpace::new(&bytes).unwrap());
        for error in [
            edit.set(&names, &names, &names, value).err(),
            edit.set("header", &names, &names, value).err(),
            edit.set("header", "Command", &names, value).err(),
            edit.set_to("header", "Command", "Bus Master", &names).err(),
            edit.set_register("header", "Command", value as u32).err(),
        ].into_iter().flatten() {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn fields_are_set_to_what_they_say(before in functions(), which: prop::sample::Index, code: u64) {
        let mut edit = Edit::new(ConfigSpace::new(&before).unwrap());
        let all: Vec<_> = fields(edit.map()).into_iter().filter_map(|(register, field)| {
            field.filter(|field| field.access().takes_value() && !field.is_flag()).map(|field| (register, field))
        }).collect();
        prop_assume!(!all.is_empty());
        let (register, field) = all[which.index(all.len())];
        let bits = code as u32 & field.mask();
        let says = field.value(bits);
        // Fields of a few bits; a number of many bits is what it says.
        prop_assume!(!matches!(says, Value::Reserved(_)) && (field.largest() < 1 << 13 || field.is_plain_number()));
        let structure = register.structure().to_string();
        let (name, field_name) = (register.name().to_string(), field.name().to_string());
        let done = edit.set_to(&structure, &name, &field_name, &says.to_string());
        if matches!(says, Value::RoutingId(_) | Value::Id(_)) {
            return Ok(());
        }
        let mixed = register.access(field.mask().trailing_zeros() as u8) == Access::ReadOnly;
        prop_assert!(mixed || done.is_ok(), "{field_name} of {name} = {says}: {:?}", done.err());
        if !mixed {
            prop_assert_eq!(field.value(edit.value(register).unwrap()).to_string(), says.to_string());
        }
    }
}

/// A root port with Power Management at 40h and PCI Express at 70h.
fn port() -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    bytes[0..8].copy_from_slice(&[0x86, 0x80, 0x34, 0x12, 0x07, 0x01, 0x10, 0x20]);
    (bytes[0x0b], bytes[0x0a], bytes[0x0e], bytes[0x34]) = (6, 4, 1, 0x40);
    bytes[0x18..0x1c].copy_from_slice(&[0, 1, 4, 0]);
    bytes[0x1e..0x20].copy_from_slice(&[0x00, 0x20]);
    bytes[0x40..0x48].copy_from_slice(&[0x01, 0x70, 0x03, 0, 0x08, 0x80, 0, 0]);
    bytes[0x70..0x74].copy_from_slice(&[0x10, 0, 0x42, 0x01]);
    // Device Control and Status, Link Control and Status, Slot Control and Status, Root Status.
    bytes[0x78..0x7c].copy_from_slice(&[0x10, 0x28, 0x0f, 0]);
    bytes[0x80..0x84].copy_from_slice(&[0x40, 0, 0x41, 0xf0]);
    bytes[0x88..0x8c].copy_from_slice(&[0xc0, 0x07, 0x08, 0x01]);
    bytes
}

fn writes(edits: &[(&str, &str, &str, u64)]) -> Result<Vec<(u16, u8, u32)>, String> {
    let bytes = port();
    let mut edit = Edit::new(ConfigSpace::new(&bytes).unwrap());
    for (structure, register, field, value) in edits {
        edit.set(structure, register, field, *value).map_err(|error| error.to_string())?;
    }
    Ok(edit.writes().into_iter().map(|write| (write.offset, write.width, write.value)).collect())
}

#[test]
fn a_neighbour_that_is_cleared_by_writing_1_is_not() {
    let pm = "PCI Power Management Interface";
    // PME Status is raised in the same register.
    assert_eq!(
        writes(&[(pm, "Power Management Control/Status", "Power State", 3)]),
        Ok(vec![(0x44, 2, 0x000b)])
    );
    // One event of four, and none of the slot's.
    assert_eq!(
        writes(&[("PCI Express", "Device Status", "Fatal Error Detected", 0)]),
        Ok(vec![(0x7a, 2, 0x0004)])
    );
    assert_eq!(writes(&[("PCI Express", "Slot Control", "Power Indicator", 1)]), Ok(vec![(0x88, 2, 0x05c0)]));
}

#[test]
fn edits_of_a_register_are_one_write_and_what_is_right_is_none() {
    assert_eq!(
        writes(&[
            ("PCI Express", "Device Control", "Max Payload Size", 1),
            ("PCI Express", "Link Control", "Link Disable", 1),
            ("PCI Express", "Device Control", "Enable No Snoop", 0),
        ]),
        Ok(vec![(0x78, 2, 0x2030), (0x80, 2, 0x0050)])
    );
    assert_eq!(writes(&[("PCI Express", "Device Control", "Max Read Request Size", 2)]), Ok(vec![]));
    assert_eq!(
        writes(&[("PCI Express", "Device Status", "Emergency Power Reduction Detected", 0)]),
        Ok(vec![])
    );
    // There and back again.
    assert_eq!(
        writes(&[("header", "Command", "Bus Master", 0), ("header", "Command", "Bus Master", 1)]),
        Ok(vec![])
    );
}

#[test]
fn registers_side_by_side_that_are_edited_one_after_the_other_share_a_write() {
    let bytes = port();
    let mut edit = Edit::new(ConfigSpace::new(&bytes).unwrap());
    for (register, value) in [
        ("Primary Bus Number", 2),
        ("Secondary Bus Number", 3),
        ("Subordinate Bus Number", 9),
        ("Secondary Latency Timer", 1),
    ] {
        edit.set_register("header", register, value).unwrap();
    }
    assert_eq!(edit.writes(), [Write { offset: 0x18, width: 4, value: 0x0109_0302 }]);
    // Three of them are a word and a byte: the fourth is left alone.
    let mut edit = Edit::new(ConfigSpace::new(&bytes).unwrap());
    for (register, value) in
        [("Primary Bus Number", 2), ("Secondary Bus Number", 3), ("Subordinate Bus Number", 9)]
    {
        edit.set_register("header", register, value).unwrap();
    }
    let pair = [Write { offset: 0x18, width: 2, value: 0x0302 }, Write { offset: 0x1a, width: 1, value: 9 }];
    assert_eq!(edit.writes(), pair);
    // In any order, four bytes are a dword.
    let mut edit = Edit::new(ConfigSpace::new(&bytes).unwrap());
    for (register, value) in [
        ("Secondary Bus Number", 3),
        ("Subordinate Bus Number", 9),
        ("Primary Bus Number", 2),
        ("Secondary Latency Timer", 1),
    ] {
        edit.set_register("header", register, value).unwrap();
    }
    assert_eq!(edit.writes(), [Write { offset: 0x18, width: 4, value: 0x0109_0302 }]);
    // An event beside them is not cleared.
    let mut edit = Edit::new(ConfigSpace::new(&bytes).unwrap());
    edit.set("PCI Express", "Device Control", "Max Payload Size", 1).unwrap();
    edit.set("PCI Express", "Device Status", "Correctable Error Detected", 0).unwrap();
    assert_eq!(edit.writes(), [Write { offset: 0x78, width: 4, value: 0x0001_2830 }]);
}

#[test]
fn a_latency_tolerance_is_written_as_a_dword() {
    let mut bytes = port();
    bytes[0x100..0x108].copy_from_slice(&[0x18, 0, 1, 0, 0x03, 0x10, 0x04, 0x10]);
    let mut edit = Edit::new(ConfigSpace::new(&bytes).unwrap());
    edit.set("LTR", "Max Snoop Latency", "Latency", 0x1001).unwrap();
    assert_eq!(edit.writes(), [Write { offset: 0x104, width: 4, value: 0x1004_1001 }]);
    edit.set("LTR", "Max No-Snoop Latency", "Latency", 0x1002).unwrap();
    assert_eq!(edit.writes(), [Write { offset: 0x104, width: 4, value: 0x1002_1001 }]);
}

#[test]
fn what_acts_is_written_1_once_and_never_by_accident() {
    let mut bytes = port();
    // An endpoint with Function Level Reset.
    (bytes[0x0e], bytes[0x72], bytes[0x77]) = (0, 0x02, 0x10);
    let space = ConfigSpace::new(&bytes).unwrap();
    let mut edit = Edit::new(space);
    edit.set("PCI Express", "Device Control", "Initiate Function Level Reset", 1).unwrap();
    assert_eq!(edit.writes(), [Write { offset: 0x78, width: 2, value: 0xa810 }]);
    edit.set("PCI Express", "Device Control", "Initiate Function Level Reset", 0).unwrap();
    assert_eq!(edit.writes(), []);
    // The port has no such bit: it is reserved.
    let bytes = port();
    let mut edit = Edit::new(ConfigSpace::new(&bytes).unwrap());
    assert!(edit.set("PCI Express", "Device Control", "Initiate Function Level Reset", 1).is_err());
    assert_eq!(
        edit.set_register("PCI Express", "Device Control", 0xa810).err().unwrap().to_string(),
        "0xa810 would change the bits 0x8000 of Device Control at 0x078, which cannot be written: it is reserved (RsvdP)"
    );
}

#[test]
fn a_refusal_says_what_and_where() {
    for (edit, expected) in [
        (
            ("PCI Express", "Link Status", "Current Link Speed", 3),
            "Current Link Speed of Link Status at 0x082 cannot be written: it is RO",
        ),
        (
            ("PCI Express", "Device Control", "Max Payload Size", 8),
            "0x8 does not fit into Max Payload Size of Device Control at 0x078, which takes 0 to 7",
        ),
        (
            ("header", "Memory Base", "Memory Base Address", 0xfe08_0000),
            "0xfe080000 does not fit into Memory Base Address of Memory Base at 0x020, which takes multiples of 0x100000 up to 0xfff00000",
        ),
        (
            ("PCI Express", "Device Status", "Emergency Power Reduction Detected", 1),
            "Emergency Power Reduction Detected of Device Status at 0x07a cannot be raised: hardware alone does that; set it to 0 to clear it",
        ),
        (
            ("PCI Express", "Device Control", "Speed", 1),
            "Device Control of PCI Express at 070 has no field \"Speed\"; it has Correctable Error Reporting Enable, Non Fatal Error Reporting Enable, Fatal Error Reporting Enable, Unsupported Request Reporting Enable, Enable Relaxed Ordering, Extended Tag Field Enable, Phantom Functions Enable, Aux Power PM Enable, Enable No Snoop, Max Payload Size, Max Read Request Size",
        ),
        (
            ("header", "Primary Bus Number", "Bus", 1),
            "Primary Bus Number of header has no field \"Bus\"; it has none: it is one number",
        ),
    ] {
        assert_eq!(writes(&[edit]), Err(expected.to_string()));
    }
    let bytes = port();
    let mut edit = Edit::new(ConfigSpace::new(&bytes).unwrap());
    assert_eq!(
        edit.set_to("PCI Express", "Link Control 2", "Target Link Speed", "9 GT/s")
            .err()
            .unwrap()
            .to_string(),
        "\"9 GT/s\" is no value of Target Link Speed of Link Control 2 at 0x0a0, which has 2.5 GT/s, 5 GT/s, 8 GT/s, 16 GT/s, 32 GT/s, 64 GT/s, 128 GT/s"
    );
    let other = registers(ConfigSpace::new(&bytes[..64]).unwrap());
    let foreign = *other.find("header", "Command").unwrap();
    assert!(edit.set_value(foreign, 7).is_ok(), "the same register of the same kind of function");
    let mut endpoint = bytes.clone();
    endpoint[0x0e] = 0;
    let other = registers(ConfigSpace::new(&endpoint).unwrap());
    let foreign = *other.find("header", "Base Address 2").unwrap();
    assert_eq!(
        edit.set_value(foreign, 0).err().unwrap().to_string(),
        "Base Address 2 at 0x018 is no register of this function"
    );
}

#[test]
fn fields_are_set_by_what_they_say_and_registers_by_type() {
    let bytes = port();
    let mut edit = Edit::new(ConfigSpace::new(&bytes).unwrap());
    edit.set_to("PCI Express", "Device Control", "Max Read Request Size", "4 KiB").unwrap();
    edit.set_to("PCI Express", "Link Control 2", "Target Link Speed", "8 gt/s").unwrap();
    edit.update(handles::COMMAND, |command| command | Command::INTERRUPT_DISABLE).unwrap();
    assert_eq!(
        edit.writes(),
        [
            Write { offset: 0x78, width: 2, value: 0x5810 },
            Write { offset: 0xa0, width: 2, value: 0x0003 },
            Write { offset: 0x04, width: 2, value: 0x0507 },
        ]
    );
    let pm = handles::POWER_MANAGEMENT_CONTROL_STATUS;
    let mut edit = Edit::new(ConfigSpace::new(&bytes).unwrap());
    edit.update(pm, |control| control.with_power_state(crate::capability::PowerState::D3hot)).unwrap();
    // That also writes 0 to PME Status, which by the register's value clears it: so it is cleared.
    assert_eq!(edit.writes(), [Write { offset: 0x44, width: 2, value: 0x800b }]);
}

#[test]
fn a_write_that_fails_says_which() {
    struct ReadOnly;
    impl ConfigRead for ReadOnly {
        type Error = &'static str;
        fn read(&self, _: u16, _: &mut [u8]) -> Result<(), Self::Error> {
            Err("no")
        }
    }
    impl ConfigWrite for ReadOnly {
        fn write(&self, _: u16, _: &[u8]) -> Result<(), Self::Error> {
            Err("permission denied")
        }
    }
    let write = Write { offset: 0x78, width: 2, value: 0x2810 };
    let error = apply(&[write], &ReadOnly).unwrap_err();
    assert_eq!(error.index, 0);
    assert_eq!(error.to_string(), "cannot write 2810 to the 2 bytes at 0x078: permission denied");
}
