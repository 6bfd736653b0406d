//! The sysfs tree that is measured is the host that it is made of.

use benches::{host, sysfs};
use vfio_reset::machine::ResetMethods;
use vfio_reset::machine::live::Live;
use vfio_reset::{Inventory, Machine};

#[test]
fn the_tree_is_the_host_with_its_bridges_drivers_and_methods() {
    let folder = std::env::temp_dir().join(format!("vfio-reset-sysfs-{}", std::process::id()));
    let functions = host::functions(120);
    sysfs::make(&folder, &functions).unwrap();
    let live = Live::with_root(&folder);
    let inventory = Inventory::read(&live).unwrap();
    assert_eq!(inventory.functions().len(), functions.len());
    for (read, made) in inventory.functions().zip(&functions) {
        assert_eq!(read.address(), made.address);
        assert_eq!(live.config(made.address).unwrap(), made.config);
        assert!(read.facts().iommu_group.is_some());
        assert_eq!(read.on_root_bus(), made.address.bus() == 0, "{}", made.address);
        // The link says what the bus numbers say.
        assert_eq!(read.facts().parent, read.parent().map(|bridge| bridge.address()));
        let listed = matches!(read.facts().reset_methods, ResetMethods::Listed(_));
        assert!(!(listed && read.is_bridge()), "{}", made.address);
        assert!(listed || read.is_bridge() || read.on_root_bus(), "{}", made.address);
        assert!(!read.is_bridge() || read.facts().driver.as_deref() == Some("pcieport"));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
