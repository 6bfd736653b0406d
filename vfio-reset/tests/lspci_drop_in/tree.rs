//! A system as its kernel shows it in `/sys/bus/pci`, made of files: what only a running system says of a function is in it.

use super::{endpoint, put};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The tree, removed with its value.
pub(super) struct Tree {
    folder: tempfile::TempDir,
}

/// A function's attributes.
struct Function<'t> {
    tree: &'t Tree,
    address: &'static str,
    folder: PathBuf,
}

impl Tree {
    /// The folder of all of it.
    pub(super) fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("the folder is there")
    }

    /// The folder that stands for `/sys/bus/pci`.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("bus/pci")
    }

    /// The file that says which modules could drive what, as kernels had it long ago: lspci reads it with `-p` if it was
    /// made without libkmod.
    pub(super) fn modules(&self) -> PathBuf {
        self.folder.path().join("modules.pcimap")
    }

    /// A host with a root port, and below it a disk, a function that broke, and a CXL card on a bus of its own.
    pub(super) fn new() -> Self {
        let tree = Self { folder: tempfile::tempdir().expect("a temporary folder") };
        fs::create_dir_all(tree.path().join("devices")).expect("a tree can be made");
        tree.host_bridge();
        tree.root_port();
        tree.disk();
        tree.broken();
        tree.cxl();
        tree.unreadable();
        tree.slot("4", "0000:01:00\n");
        tree.slot("bus", "0000:02\n");
        fs::write(tree.modules(), MODULES).expect("a tree can be made");
        tree
    }

    /// A function below `parent`, a path below `devices`; its ids as the kernel has them.
    fn function(&self, parent: &str, address: &'static str, ids: [&str; 6]) -> Function<'_> {
        let folder = self.folder.path().join("devices/pci0000:00").join(parent).join(address);
        fs::create_dir_all(&folder).expect("a tree can be made");
        let devices = self.path().join("devices");
        symlink(relative(&devices, &folder), devices.join(address)).expect("a tree can be made");
        let function = Function { tree: self, address, folder };
        let names = ["vendor", "device", "class", "revision", "subsystem_vendor", "subsystem_device"];
        for (name, value) in names.into_iter().zip(ids) {
            function.write(name, value);
        }
        let [vendor, device, class, _, subsystem_vendor, subsystem] = ids.map(|id| id[2..].to_uppercase());
        let (base, sub, interface) = (&class[..2], &class[2..4], &class[4..]);
        function.write(
            "modalias",
            &format!("pci:v0000{vendor}d0000{device}sv0000{subsystem_vendor}sd0000{subsystem}bc{base}sc{sub}i{interface}"),
        );
        function
    }

    fn slot(&self, name: &str, address: &str) {
        let folder = self.path().join("slots").join(name);
        fs::create_dir_all(&folder).expect("a tree can be made");
        fs::write(folder.join("address"), address).expect("a tree can be made");
    }

    /// The kernel corrected its class, which reads ffff.
    fn host_bridge(&self) {
        let mut bytes = endpoint(64);
        put(&mut bytes, 0x06, &[0, 0, 0, 0, 0xff, 0xff]);
        self.function("", "0000:00:00.0", ["0x8086", "0x1237", "0x060000", "0x02", "0x1af4", "0x1100"])
            .config(&bytes)
            .system("0", "-1")
            .resources(&[]);
    }

    fn root_port(&self) {
        let mut bytes = endpoint(256);
        put(&mut bytes, 0x0a, &[0x04, 0x06, 0x10, 0x00, 0x81]);
        put(&mut bytes, 0x18, &[0x00, 0x01, 0x02, 0x00, 0xf1, 0x01, 0x00, 0x00, 0x00, 0xfe, 0xf0, 0xfe]);
        bytes[0x3d] = 1;
        let mut resources = [""; 17];
        resources[0] = "0x00000000fe800000 0x00000000fe800fff 0x0000000000040200";
        resources[14] = "0x00000000fe000000 0x00000000fe1fffff 0x0000000000000200";
        resources[15] = "0x0000380000000000 0x00003807ffffffff 0x0000000000102201";
        self.function("", "0000:00:01.0", ["0x1b36", "0x0010", "0x060400", "0x02", "0x1af4", "0x0000"])
            .config(&bytes)
            .system("24", "0")
            .resources(&resources)
            .link("driver", "bus/pci/drivers/pcieport")
            .link("iommu_group", "kernel/iommu_groups/1")
            .link("of_node", "firmware/devicetree/base/pcie@10000000");
    }

    fn disk(&self) {
        let mut bytes = endpoint(4096);
        bytes[0x04] = 0x02;
        put(&mut bytes, 0x10, &[0x04, 0x00, 0x00, 0xfe, 0, 0, 0, 0, 0x01, 0xc0, 0, 0]);
        put(&mut bytes, 0x30, &[0x00, 0x00, 0x10, 0xfe]);
        bytes[0x34] = 0x40;
        put(&mut bytes, 0x3c, &[0x0b, 0x01]);
        put(&mut bytes, 0x40, &[0x03, 0x00, 0x00, 0x80]);
        let mut resources = [""; 13];
        resources[0] = "0x00000000fe000000 0x00000000fe003fff 0x0000000000140204";
        resources[2] = "0x000000000000c000 0x000000000000c03f 0x0000000000040101";
        // The kernel gave it an address, and the register has none.
        resources[3] = "0x00000000fe200000 0x00000000fe21ffff 0x0000000000042200";
        resources[4] = "0x00000000fe300000 0x00000000fe3000ff 0x0000000000000220";
        resources[6] = "0x00000000fe100000 0x00000000fe10ffff 0x0000000000046200";
        self.function(
            "0000:00:01.0",
            "0000:01:00.0",
            ["0x1b36", "0x0010", "0x010802", "0x03", "0x1028", "0x0777"],
        )
        .config(&bytes)
        .system("16", "0")
        .resources(&resources)
        .file("label", b"Onboard NVMe\n")
        .file("vpd", &vital_product_data())
        .link("driver", "bus/pci/drivers/vfio-pci")
        .link("iommu_group", "kernel/iommu_groups/12");
    }

    /// It fell off the bus; the kernel remembers what it was.
    fn broken(&self) {
        let mut resources = [""; 17];
        resources[0] = "0x00000000fe400000 0x00000000fe43ffff 0x000000000014220c";
        resources[5] = "0x000000000000d000 0x000000000000d0ff 0x0000000000040101";
        resources[6] = "0x00000000fe500000 0x00000000fe50ffff 0x0000000000046200";
        resources[13] = "0x000000000000d000 0x000000000000dfff 0x0000000000000101";
        resources[14] = "0x00000000fe400000 0x00000000fe5fffff 0x0000000000000200";
        self.function(
            "0000:00:01.0",
            "0000:01:00.1",
            ["0x1b36", "0x0011", "0x030000", "0xff", "0x0000", "0x0000"],
        )
        .config(&[0xff; 256])
        .system("255", "-1")
        .resources(&resources);
    }

    /// The kernel found it behind the root port, on a bus that is not the port's own.
    fn cxl(&self) {
        let mut bytes = endpoint(4096);
        put(&mut bytes, 0x08, &[0x01, 0x10, 0x02, 0x05]);
        bytes[0x34] = 0x40;
        put(&mut bytes, 0x40, &[0x10, 0x00, 0x92, 0x00]);
        self.function(
            "0000:00:01.0",
            "0000:02:00.0",
            ["0x1b36", "0x0d93", "0x050210", "0x01", "0x1af4", "0x1100"],
        )
        .config(&bytes)
        .system("0", "1")
        .resources(&[])
        .file("rcd_link_cap", b"0x0047ed05\n")
        .file("rcd_link_ctrl", b"0x01c3\n")
        .file("rcd_link_status", b"0x2484\n");
    }

    /// It has no configuration space that can be read.
    fn unreadable(&self) {
        self.function("", "0000:00:1f.0", ["0x8086", "0x7000", "0x060100", "0x00", "0x0000", "0x0000"])
            .system("0", "-1")
            .resources(&["0x0000000000000100 0x00000000000001ff 0x0000000000000101"]);
    }
}

impl Function<'_> {
    fn write(&self, name: &str, value: &str) {
        fs::write(self.folder.join(name), format!("{value}\n")).expect("a tree can be made");
    }

    fn file(self, name: &str, bytes: &[u8]) -> Self {
        fs::write(self.folder.join(name), bytes).expect("a tree can be made");
        self
    }

    fn config(self, bytes: &[u8]) -> Self {
        self.file("config", bytes)
    }

    fn system(self, irq: &str, numa_node: &str) -> Self {
        self.write("irq", irq);
        self.write("numa_node", numa_node);
        self
    }

    /// Lines that are not given are zero; seven are there at least.
    fn resources(self, lines: &[&str]) -> Self {
        let count = lines.len().max(7);
        let zero = "0x0000000000000000 0x0000000000000000 0x0000000000000000";
        let line = |index: usize| lines.get(index).copied().filter(|line| !line.is_empty()).unwrap_or(zero);
        let text: String = (0..count).map(|index| line(index).to_owned() + "\n").collect();
        self.file("resource", text.as_bytes())
    }

    /// A link to a folder of this name, somewhere in the tree.
    fn link(self, name: &str, target: &str) -> Self {
        let target = self.tree.folder.path().join(target);
        fs::create_dir_all(&target).expect("a tree can be made");
        symlink(relative(&self.folder, &target), self.folder.join(name))
            .unwrap_or_else(|error| panic!("{}: {error}", self.address));
        self
    }
}

/// Sysfs' links are relative.
fn relative(from: &Path, to: &Path) -> PathBuf {
    let common = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(common).map(|_| "..");
    up.collect::<PathBuf>().join(to.components().skip(common).collect::<PathBuf>())
}

/// A product name, read-only fields with a good checksum, a field for software, and the end.
fn vital_product_data() -> Vec<u8> {
    let mut data = vec![0x82, 9, 0];
    data.extend_from_slice(b"Fast\\Disk");
    let mut fields = Vec::new();
    for (name, value) in
        [(b"PN", &b"P-4711"[..]), (b"SN", b"S\x01\x00"), (b"V3", b"three"), (b"XX", &[1, 0xfe])]
    {
        fields.extend_from_slice(name);
        fields.push(value.len() as u8);
        fields.extend_from_slice(value);
    }
    fields.extend_from_slice(b"RV\x03");
    data.push(0x90);
    data.extend_from_slice(&(fields.len() as u16 + 3).to_le_bytes());
    data.extend_from_slice(&fields);
    let sum = data.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    data.extend_from_slice(&[sum.wrapping_neg(), 0, 0]);
    data.extend_from_slice(&[0x91, 7, 0]);
    data.extend_from_slice(b"RW\x04abcd");
    data.push(0x78);
    data
}

const MODULES: &str = "\
# pci module         vendor     device     subvendor  subdevice  class      class_mask driver_data
vfio_pci             0xffffffff 0xffffffff 0xffffffff 0xffffffff 0x00000000 0x00000000 0x0
nvme                 0xffffffff 0xffffffff 0xffffffff 0xffffffff 0x00010802 0x00ffffff 0x0
nvme                 0x00001b36 0x00000010 0xffffffff 0xffffffff 0x00000000 0x00000000 0x0
";
