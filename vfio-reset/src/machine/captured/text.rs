//! Facts in the text of `lspci -v`, between the slot line and the rows.

use crate::machine::FunctionFacts;
use pcicfg::Address;
use pcicfg::dump::Dump;
use std::collections::BTreeMap;

/// The facts that the text states, for each function of its dump; what is stated first counts.
///
/// In the text of `lspci -vxxxx` they are below the function's slot line. A log with `lspci -nnk` and
/// `lspci -xxxx` one after the other has them at another place under the same address, so every slot
/// line counts; but only functions that the dump has.
pub(super) fn facts(text: &[u8], dump: &Dump) -> BTreeMap<Address, FunctionFacts> {
    let mut known: Vec<Address> = dump.functions().map(|function| function.address()).collect();
    known.sort_unstable();
    // A log can name a function a million times: what is kept must not grow with that.
    let mut found: BTreeMap<Address, FunctionFacts> = BTreeMap::new();
    let mut current: Option<Address> = None;
    for line in text.split(|&byte| byte == b'\n') {
        // Nearly all lines are rows. No fact has so short a name, and an address goes on after its colon.
        if matches!(line, [_, _, b':', b' ', ..] | [_, _, _, b':', b' ', ..]) {
            continue;
        }
        // Mail quotes with `>`.
        let line = String::from_utf8_lossy(line);
        let line = line.trim_start_matches(['>', ' ', '\t', '\u{feff}']).trim_end();
        if line.is_empty() {
            current = None;
        } else if let Some(address) = line.split(' ').next().and_then(|word| word.parse().ok()) {
            current = known.binary_search(&address).is_ok().then_some(address);
        } else if let Some(address) = current
            && let Some(facts) = fact(line)
        {
            merge(found.entry(address).or_default(), facts);
        }
    }
    found
}

/// Takes over what is not known yet.
pub(super) fn merge(facts: &mut FunctionFacts, other: FunctionFacts) {
    facts.driver = facts.driver.take().or(other.driver);
    facts.iommu_group = facts.iommu_group.or(other.iommu_group);
    facts.slot = facts.slot.take().or(other.slot);
    facts.label = facts.label.take().or(other.label);
}

/// The fact that a line states.
fn fact(line: &str) -> Option<FunctionFacts> {
    let (key, value) = line.split_once(": ")?;
    let value = value.trim();
    let mut facts = FunctionFacts::default();
    match key {
        "Kernel driver in use" => facts.driver = Some(value.to_owned()),
        "IOMMU group" => facts.iommu_group = Some(value.parse().ok()?),
        "Physical Slot" => facts.slot = Some(value.to_owned()),
        "DeviceName" => facts.label = Some(value.to_owned()),
        _ => return None,
    }
    Some(facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LOG: &str = "03:00.0 SATA controller [0106]: ASMedia\n\tKernel driver in use: ahci\n\
        04:00.0 Other\n\tKernel driver in use: nobody\n\n\
        > 0000:03:00.0 SATA controller\n> \tPhysical Slot: 7\n> \tIOMMU group: 21\n> 00: 21 1b 12 06\n\
        \n\tDeviceName: of nobody\n\n\
        05:00.0 x\n\tDeviceName:  Onboard - Sound\n\tIOMMU group: x\n00: 21 1b\n";

    #[test]
    fn every_place_under_the_address_counts() {
        let dump = Dump::parse(LOG.as_bytes()).unwrap();
        let all = facts(LOG.as_bytes(), &dump);
        let [(first, sata), (second, sound)] = all.into_iter().collect::<Vec<_>>().try_into().unwrap();
        assert_eq!((first.bus(), second.bus()), (3, 5));
        assert_eq!(sata.driver.as_deref(), Some("ahci"));
        assert_eq!((sata.iommu_group, sata.slot.as_deref()), (Some(21), Some("7")));
        assert_eq!((sata.label, sound.iommu_group), (None, None));
        assert_eq!(sound.label.as_deref(), Some("Onboard - Sound"));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(0[0-9]:00.0 |00: ff|\tIOMMU group: [0-9]{0,12}|.|\n){0,60}") {
            if let Ok(dump) = Dump::parse(text.as_bytes()) {
                prop_assert!(facts(text.as_bytes(), &dump).len() <= dump.len());
            }
        }
    }
}
