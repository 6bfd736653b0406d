//! The zoo is the lab: what its kernel listed is what the simulated one lists.
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::PathBuf;
use vfio_reset::Machine;
use vfio_reset::machine::ResetMethods;
use vfio_reset::machine::simulated::Simulated;

/// The folder with the lab's recordings, where it is at hand.
fn shared() -> PathBuf {
    std::env::var_os("VFIO_RESET_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from)
}

#[test]
fn the_zoo_has_what_the_lab_has() {
    assert_eq!(Simulated::zoo().functions().unwrap().len(), 43);
}

#[test]
#[ignore = "compares with ../shared; `cargo xtask test` runs it where that is"]
fn the_zoo_lists_what_the_kernel_in_the_lab_listed() {
    let zoo = Simulated::zoo();
    let shared = shared();
    let list = std::fs::read_to_string(shared.join("corpus/lab-configs/q10-k612-intel/zoo.txt")).unwrap();
    let mut seen = 0;
    for line in list.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        let address = words[1].parse().unwrap();
        let facts = zoo.facts(address).unwrap();
        let methods: Vec<_> = words
            .iter()
            .skip_while(|word| **word != "methods:")
            .skip(1)
            .filter(|word| **word != "rom" && !word.starts_with("physfn="))
            .map(|word| (*word).to_string())
            .collect();
        let expected = if methods.is_empty() { ResetMethods::NoFile } else { ResetMethods::Listed(methods) };
        assert_eq!(facts.reset_methods, expected, "{address}");
        let after = |name: &str| words[words.iter().position(|word| *word == name).unwrap() + 1];
        assert_eq!(facts.iommu_group.unwrap().to_string(), after("grp"), "{address}");
        let config = zoo.config(address).unwrap();
        assert_eq!(config.len().to_string(), after("cfg"), "{address}");
        assert_eq!(format!("{:02x}", config[0x0e]), after("hdr"), "{address}");
        assert_eq!(
            format!("0x{:02x}{:02x}{:02x}", config[11], config[10], config[9]),
            after("class"),
            "{address}"
        );
        seen += 1;
    }
    assert_eq!(seen, 43);
}
