//! What is saved, what goes back, and in which order.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod common;

use common::*;
use pcicfg::ConfigSpace;
use pcicfg::registers::registers;
use proptest::prelude::*;
use std::path::Path;
use vfio_reset::machine::simulated::Simulated;
use vfio_reset::state::header::BridgeHeaders;
use vfio_reset::state::registers::final_writes;
use vfio_reset::state::{RegisterWrite, SavedFunction, SavedState, WriteRule, restore_sequence};
use vfio_reset::{Error, Machine};

fn sequence(config: &[u8]) -> Vec<RegisterWrite> {
    restore_sequence(ConfigSpace::new(config).unwrap(), false, BridgeHeaders::Forced)
}

fn first(writes: &[RegisterWrite], offset: u16) -> usize {
    writes
        .iter()
        .position(|write| write.offset == offset)
        .unwrap_or_else(|| panic!("nothing at {offset:03x}"))
}

fn last(writes: &[RegisterWrite], offset: u16) -> usize {
    writes
        .iter()
        .rposition(|write| write.offset == offset)
        .unwrap_or_else(|| panic!("nothing at {offset:03x}"))
}

/// Everything that an endpoint can have and is restored.
const EVERYTHING: &str = r#"
  { power_management = {} },
  { msi = { wide = true, maskable = true, address = 0xfee00258, data = 0x42 } },
  { msi_x = { vectors = 8, table_bar = 0, enabled = true } },
  { pci_express = { flr = true, max_speed = 3, max_width = 4, link_control = 0x0042, ltr = true } },
  "aer", "acs", "ltr", "l1_pm_substates", "virtual_channel", "ptm", "ats", "pri", "pasid", "tph",
  { resizable_bar = { bar = 0, sizes = 0xff, size = 2 } },
  { sriov = { total = 4, enabled = 2, offset = 1, stride = 1, device = 0x10ca } },
"#;

fn everything() -> Vec<u8> {
    let device = endpoint("0000:01:00.0", EVERYTHING, "")
        .replace("size = 0x1000", "size = 0x400000")
        .replace("address = 2148532224", "address = 0x80400000");
    let machine = machine(&(port("") + &device));
    let mut config = machine.config(at("0000:01:00.0")).unwrap();
    // L1 PM Substates with something in it.
    let l1 = usize::from(extended(&config, 0x1e));
    config[l1 + 8] = 0x0f;
    config
}

fn extended(config: &[u8], id: u16) -> u16 {
    let space = ConfigSpace::new(config).unwrap();
    space.extended_capabilities().flatten().find(|entry| entry.id().0 == id).unwrap().offset()
}

fn capability(config: &[u8], id: u8) -> u16 {
    let space = ConfigSpace::new(config).unwrap();
    space.capabilities().flatten().find(|entry| entry.id().0 == id).unwrap().offset()
}

fn port_config(express: &str) -> Vec<u8> {
    machine(&(port(express) + &endpoint("0000:01:00.0", "", ""))).config(at("0000:00:01.0")).unwrap()
}

#[test]
fn command_goes_back_last() {
    let writes = sequence(&everything());
    assert_eq!(last(&writes, 4), writes.len() - 1);
    assert_eq!(writes.iter().filter(|write| write.offset == 4).count(), 1);
    assert_eq!(writes.last().unwrap().width, 2, "not Status with it: its bits clear when written");
}

#[test]
fn only_hot_plug_notification_comes_after_command() {
    let config = port_config(", slot = 1, hot_plug = true, slot_control = 0x1038");
    let writes = sequence(&config);
    let express = capability(&config, 0x10);
    let after: Vec<_> = writes[last(&writes, 4) + 1..].iter().map(|write| write.offset).collect();
    assert_eq!(after, [express + 0x1a, express + 0x18], "events are cleared, then reported");
    assert_eq!(writes[writes.len() - 2].rule, WriteRule::ClearRaised);
    assert_eq!(writes.last().unwrap().value, 0x1038);
    // Before, Slot Control goes back without its enables: power first, events never before they are cleared.
    assert_eq!(writes[first(&writes, express + 0x18)].value, 0x1038 & !0x1038_u32);
}

#[test]
fn the_size_of_a_resizable_bar_goes_back_before_the_bar() {
    let config = everything();
    let writes = sequence(&config);
    let control = extended(&config, 0x15) + 8;
    assert!(last(&writes, control) < first(&writes, 0x10));
    assert_eq!(writes[last(&writes, control)].compare, 0x3f00, "nothing but the size");
}

#[test]
fn bars_go_back_from_the_highest_and_before_command() {
    let writes = sequence(&everything());
    let header: Vec<_> = writes.iter().map(|write| write.offset).filter(|offset| *offset < 0x40).collect();
    assert_eq!(header, [0x3c, 0x30, 0x28, 0x24, 0x20, 0x1c, 0x18, 0x14, 0x10, 0x0c, 0x04]);
}

#[test]
fn l1_substates_change_only_while_aspm_is_off() {
    let config = everything();
    let writes = sequence(&config);
    let (l1, link) = (extended(&config, 0x1e), capability(&config, 0x10) + 0x10);
    let off = first(&writes, link);
    assert_eq!(writes[off].value & 3, 0);
    assert_eq!(writes[last(&writes, link)].value, 0x42);
    let (second, disabled, enabled) =
        (first(&writes, l1 + 0x0c), first(&writes, l1 + 8), last(&writes, l1 + 8));
    assert!(off < second && second < disabled && disabled < enabled && enabled < last(&writes, link));
    assert_eq!((writes[disabled].value & 0xf, writes[enabled].value & 0xf), (0, 0xf));
}

#[test]
fn the_message_goes_back_before_it_is_enabled() {
    let config = everything();
    let writes = sequence(&config);
    let msi = capability(&config, 5);
    for register in [4, 8, 12, 16] {
        assert!(last(&writes, msi + register) < first(&writes, msi + 2), "{register}");
    }
    assert_eq!(writes[first(&writes, msi + 12)].value, 0x42);
}

#[test]
fn virtual_functions_are_enabled_when_everything_about_them_is_set() {
    let config = everything();
    let writes = sequence(&config);
    let sriov = extended(&config, 0x10);
    let enable = last(&writes, sriov + 8);
    for register in [0x10, 0x20, 0x24, 0x28, 0x2c, 0x30, 0x34, 0x38] {
        assert!(last(&writes, sriov + register) < enable, "{register:02x}");
    }
    assert_eq!(writes[first(&writes, sriov + 8)].value & 0x9, 0, "ARI alone first");
    assert!(first(&writes, sriov + 8) < first(&writes, sriov + 0x10), "which decides how many there may be");
    assert_eq!(writes[enable].settle, ms(100));
}

#[test]
fn each_capability_is_written_where_it_stands() {
    let config = everything();
    let writes = sequence(&config);
    for (what, offset) in [
        ("ACS Control", extended(&config, 0x0d) + 6),
        ("PASID Control", extended(&config, 0x1b) + 6),
        ("ATS Control", extended(&config, 0x0f) + 6),
        ("Page Request Control", extended(&config, 0x13) + 4),
        ("PTM Control", extended(&config, 0x1f) + 8),
        ("TPH Requester Control", extended(&config, 0x17) + 8),
        ("Max Latencies", extended(&config, 0x18) + 4),
        ("Uncorrectable Error Mask", extended(&config, 0x01) + 8),
        ("Port VC Control", extended(&config, 0x02) + 0x0c),
        ("Device Control", capability(&config, 0x10) + 8),
        ("MSI-X Message Control", capability(&config, 0x11) + 2),
    ] {
        let at: Vec<_> = writes.iter().filter(|write| write.register == what).map(|w| w.offset).collect();
        assert_eq!(at, [offset], "{what}");
    }
}

#[test]
fn registers_have_the_names_that_show_and_diff_give_them() {
    for config in [everything(), port_config("")] {
        let map = registers(ConfigSpace::new(&config).unwrap());
        for write in sequence(&config) {
            let register = map.at(write.offset).unwrap_or_else(|| panic!("nothing is named at {write:?}"));
            // One of several has a number.
            let name = register.name().to_string();
            if register.width() == write.width {
                assert!(name.starts_with(write.register), "{name}: {write:?}");
            }
        }
    }
}

#[test]
fn a_bridges_whole_header_is_forced_and_command_with_it() {
    let config = port_config("");
    let writes = sequence(&config);
    let forced: Vec<_> = writes
        .iter()
        .filter(|write| write.rule == WriteRule::Always)
        .map(|write| (write.offset, write.width))
        .collect();
    // All sixteen dwords, from the highest; the second by its lower half, last.
    let mut expected: Vec<_> =
        (0..16_u16).rev().filter(|dword| *dword != 1).map(|dword| (dword * 4, 4)).collect();
    expected.push((4, 2));
    assert_eq!(forced, expected);
    let conditional = restore_sequence(ConfigSpace::new(&config).unwrap(), false, BridgeHeaders::IfDifferent);
    assert!(conditional.iter().all(|write| write.rule != WriteRule::Always));
}

#[test]
fn a_virtual_function_gets_no_header_but_command() {
    let config = everything();
    let writes = restore_sequence(ConfigSpace::new(&config).unwrap(), true, BridgeHeaders::Forced);
    let header: Vec<_> = writes.iter().map(|w| w.offset).filter(|offset| *offset < 0x40).collect();
    assert_eq!(header, [4]);
}

/// The bits that do something when they are written, or that are cleared by writing 1, of a function.
fn acting_bits(config: &[u8]) -> Vec<(&'static str, u16)> {
    let mut bits = vec![("BIST", 0x0f)];
    let space = ConfigSpace::new(config).unwrap();
    if config[0x0e] & 0x7f == 1 {
        bits.push(("Secondary Status", 0x1f));
    }
    bits.push(("Status", 0x07));
    if let Some(express) = space.pci_express() {
        bits.push(("Device Status", express.offset() + 0x0a));
    }
    bits
}

#[test]
fn what_acts_when_written_is_never_written() {
    let mut port = port_config(", slot = 1, hot_plug = true, slot_control = 0x1038");
    let mut device = everything();
    for config in [&mut port, &mut device] {
        let express = usize::from(capability(config, 0x10));
        // As if a device said that all of it was set.
        config[express + 9] |= 0x80;
        config[express + 0x10] |= 0x20;
        config[express + 0x19] |= 0x08;
        config[0x0f] = 0xc0;
        config[0x07] = 0xff;
    }
    port[0x1f] = 0xff;
    port[0x3e] |= 0x40;
    port[0x3f] |= 0x04;
    for config in [&port, &device] {
        let writes = sequence(config);
        let express = capability(config, 0x10);
        let byte = |offset: u16| {
            writes.iter().filter(|write| write.rule != WriteRule::ClearRaised).filter_map(move |write| {
                let index =
                    offset.checked_sub(write.offset).filter(|index| *index < u16::from(write.width))?;
                Some((write.value >> (8 * index)) as u8)
            })
        };
        assert!(byte(express + 9).all(|value| value & 0x80 == 0), "Initiate Function Level Reset");
        assert!(byte(express + 0x10).all(|value| value & 0x20 == 0), "Retrain Link");
        assert!(byte(express + 0x19).all(|value| value & 0x08 == 0), "Electromechanical Interlock");
        if config[0x0e] & 0x7f == 1 {
            assert!(byte(0x3e).all(|value| value & 0x40 == 0), "Secondary Bus Reset");
            assert!(byte(0x3f).all(|value| value & 0x04 == 0), "Discard Timer Status");
        }
        for (what, offset) in acting_bits(config) {
            assert!(byte(offset).all(|value| value == 0), "{what}");
        }
    }
}

#[test]
fn what_is_compared_is_what_a_register_finally_holds() {
    let config = everything();
    let writes = sequence(&config);
    let finals = final_writes(&writes);
    let link = capability(&config, 0x10) + 0x10;
    let control: Vec<_> = finals.iter().filter(|write| write.offset == link).collect();
    assert_eq!(control.len(), 1);
    assert_eq!(control[0].value, 0x42);
    assert!(finals.iter().all(|write| write.rule != WriteRule::ClearRaised));
}

#[test]
fn errors_that_the_reset_raised_are_cleared_and_not_compared() {
    let config = everything();
    let aer = extended(&config, 1);
    let writes = sequence(&config);
    for register in [aer + 4, aer + 0x10] {
        let write = &writes[first(&writes, register)];
        assert_eq!((write.rule, write.compare), (WriteRule::ClearRaised, 0));
    }
    assert!(first(&writes, aer + 4) < first(&writes, aer + 8), "before they are unmasked");
}

// --- any image ----------------------------------------------------------------------------------

fn images() -> impl Strategy<Value = Vec<u8>> {
    let size = prop_oneof![Just(64_usize), Just(128), Just(256), Just(4096)];
    size.prop_flat_map(|size| (proptest::collection::vec(any::<u8>(), size), any::<[u8; 6]>(), 0_u8..4))
        .prop_map(|(mut image, seed, layout)| {
            // Half of them with lists that lead somewhere, so that more than headers is reached.
            if seed[0] & 1 == 0 {
                image[0x06] |= 0x10;
                image[0x0e] = layout;
                image[0x34] = 0x40;
                let ids = [0x01, 0x05, 0x07, 0x10, 0x11, 0x13];
                let mut place = 0x40;
                while place + 0x40 <= image.len().min(256) {
                    image[place] = ids[usize::from(image[place]) % ids.len()];
                    image[place + 1] = (place + 0x40) as u8;
                    place += 0x40;
                }
                let ids =
                    [0x01, 0x02, 0x0d, 0x0f, 0x10, 0x13, 0x15, 0x17, 0x18, 0x1b, 0x1d, 0x1e, 0x1f, 0x24];
                let mut place = 0x100;
                while place + 0x80 <= image.len() {
                    let id = ids[usize::from(image[place]) % ids.len()];
                    let next = (place as u16 + 0x80) << 4 | 1;
                    image[place..place + 2].copy_from_slice(&u16::to_le_bytes(id));
                    image[place + 2..place + 4].copy_from_slice(&next.to_le_bytes());
                    place += 0x80;
                }
            }
            image
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_image_gives_writes_within_itself(image in images(), is_virtual: bool, forced: bool) {
        let bridges = if forced { BridgeHeaders::Forced } else { BridgeHeaders::IfDifferent };
        let writes = restore_sequence(ConfigSpace::new(&image).unwrap(), is_virtual, bridges);
        for write in &writes {
            prop_assert!(matches!(write.width, 1 | 2 | 4), "{write:?}");
            prop_assert_eq!(write.offset % u16::from(write.width), 0, "{:?}", write);
            prop_assert!(usize::from(write.offset) + usize::from(write.width) <= image.len(), "{write:?}");
            let most = u32::MAX >> (32 - 8 * u32::from(write.width));
            prop_assert!(write.value <= most && write.compare <= most, "{write:?}");
        }
        // What is compared is there once, and is what the image says.
        for write in final_writes(&writes) {
            let at = usize::from(write.offset);
            let mut bytes = [0; 4];
            bytes[..usize::from(write.width)].copy_from_slice(&image[at..at + usize::from(write.width)]);
            prop_assert_eq!(write.value & write.compare, u32::from_le_bytes(bytes) & write.compare, "{:?}", write);
        }
        // Status is not written, neither alone nor with Command.
        prop_assert!(writes.iter().all(|write| write.offset != 6));
        prop_assert!(writes.iter().all(|write| write.offset != 4 || write.width == 2));
    }

    #[test]
    fn saved_state_survives_json(image in images(), is_virtual: bool, function in 0_u8..8) {
        let address = format!("0001:a0:1f.{function}").parse().unwrap();
        let saved = SavedFunction { address, is_virtual, config: image };
        let state = SavedState { schema: 1, machine: "live \"x\"\n".into(), address, functions: vec![saved] };
        prop_assert_eq!(SavedState::from_json(&state.to_json(), Path::new("x")).unwrap(), state);
    }

    #[test]
    fn hostile_json_is_an_error_with_its_place_or_a_state(cut in 0_usize..2_000, byte: u8, at in 0_usize..2_000) {
        let good = SavedState::save(&simple(), self::at("01:00.0"), [(self::at("01:00.0"), false)]).unwrap().to_json();
        let mut bytes = good.into_bytes();
        let place = at % bytes.len();
        bytes[place] = byte;
        bytes.truncate(bytes.len() - cut % bytes.len());
        let text = String::from_utf8_lossy(&bytes);
        if let Err(error) = SavedState::from_json(&text, Path::new("state.json")) {
            prop_assert!(error.to_string().starts_with("state.json"), "{error}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_saved_state_is_said_with_its_place() {
    let good = SavedState::save(&simple(), at("01:00.0"), [(at("01:00.0"), false)]).unwrap().to_json();
    for (text, place) in [
        ("".to_string(), "state.json:1:"),
        ("\u{0}\u{1}".to_string(), "state.json:1:"),
        ("{\"schema\": 1}".to_string(), "state.json:1:13"),
        (good.replace("\"schema\": 1", "\"schema\": 7"), "state.json: saved with schema 7"),
        (good.replacen("34 12", "34 1g", 1), "state.json:"),
        (good.replacen("34 12", "34 +1", 1), "not a byte in hexadecimal"),
        (good.replacen("34 12", "34", 1), "state.json: 0000:01:00.0 has 4095 bytes"),
        (good.replace("0000:01:00.0", "0000:01:00.9"), "state.json:"),
    ] {
        let error = SavedState::from_json(&text, Path::new("state.json")).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Malformed { .. }));
        assert!(error.to_string().contains(place), "{place}: {error}");
    }
}

#[test]
fn what_does_not_answer_is_not_saved() {
    let machine = simple().with("01:00.0", vfio_reset::machine::simulated::Behaviour::all_ones());
    let error = SavedState::save(&machine, at("01:00.0"), [(at("01:00.0"), false)]).unwrap_err();
    assert!(matches!(error, Error::NothingToSave { .. }));
}

#[test]
fn restoring_every_shipped_function_to_what_it_is_writes_only_what_is_forced() {
    for name in Simulated::names() {
        let machine = Simulated::open(name).unwrap();
        for address in machine.functions().unwrap() {
            let is_virtual = machine.facts(address).unwrap().physfn.is_some();
            let state = SavedState::save(&machine, address, [(address, is_virtual)]).unwrap();
            let before = image(&machine);
            let summary =
                vfio_reset::reset::restore_state(&machine, &state, BridgeHeaders::IfDifferent).unwrap();
            assert_eq!(summary.functions, 1);
            // L1 substates and Slot Control pass through another value on the way.
            let after = image(&machine);
            assert_eq!(differences(&before, &after), [""; 0], "{name} {address}");
        }
    }
}
