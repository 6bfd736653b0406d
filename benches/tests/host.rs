//! The bytes that are measured are what they claim to be, or the figures would mean nothing.

use benches::{corpus, host, work};
use pcicfg::{ConfigSpace, Dump};

#[test]
fn the_host_is_the_same_each_time_and_in_address_order() {
    let functions = host::functions(600);
    assert_eq!(functions, host::functions(600));
    assert!(functions.is_sorted_by_key(|function| function.address));
    assert!(functions.windows(2).all(|pair| pair[0].address != pair[1].address));
}

#[test]
fn no_list_is_broken_and_no_capability_cut_off() {
    for function in host::functions(600) {
        let space = ConfigSpace::new(&function.config).unwrap();
        for entry in space.capabilities() {
            entry.unwrap().decode().unwrap();
        }
        for entry in space.extended_capabilities() {
            entry.unwrap().decode().unwrap();
        }
    }
}

#[test]
fn the_peers_find_as_many_capabilities_as_we() {
    for function in host::functions(600) {
        let (config, address) = (&function.config, function.address);
        assert_eq!(work::decode(config), work::walk(config), "{address}");
        // pcics reads the Resizable BAR capability at 100h, wherever it is, and gives up on what it finds.
        let resizable = usize::from(ConfigSpace::new(config).unwrap().resizable_bar().is_some());
        assert_eq!(work::pcics(config) + resizable, work::walk(config), "{address}: pcics");
        assert_eq!(work::pci_types(config), work::conventional(config), "{address}: pci_types");
    }
}

#[test]
fn the_dump_reads_as_the_functions_that_it_was_made_of() {
    let functions = host::functions(300);
    let text = host::dump(&functions);
    let dump = Dump::parse(text.as_bytes()).unwrap();
    assert_eq!(dump.warnings(), []);
    assert_eq!(dump.len(), functions.len());
    for (read, made) in dump.functions().zip(&functions) {
        assert_eq!(
            (read.address(), read.description(), read.bytes()),
            (made.address, made.description.as_str(), made.config.as_slice())
        );
    }
}

/// The peers go on for ever in a list that loops: none of the real ones does. (`pcics` finds fewer
/// capabilities there, because it gives up on some, or more, because it follows a broken list.)
#[test]
fn the_peers_come_to_an_end_on_real_devices() {
    for config in corpus::functions() {
        assert!(work::pcics(&config) > 0 || work::walk(&config) == 0);
        assert_eq!(work::pci_types(&config), work::conventional(&config));
    }
}
