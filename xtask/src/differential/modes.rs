//! The options that functions are printed with.

/// The file with names that stands beside each dump. Everything is printed with it: otherwise lspci takes the
/// system's, even with `-n` for the names of programming interfaces.
pub(crate) const NAMES_FILE: &str = "names.ids";

/// Options under which each function is printed by itself. Every batch is printed with two of them, in turn, besides
/// `-vvv -n`.
pub(crate) const MODES: &[&[&str]] = &[
    &["-vv", "-n"],
    &["-v", "-n"],
    &["-n"],
    &["-xxxx", "-n"],
    &["-vv"],
    &["-x", "-v", "-nn"],
    &["-xxx", "-vvv", "-D", "-n"],
    &["-m", "-n"],
    &["-mm", "-nn"],
    &["-vm", "-n", "-D"],
    &["-vmm"],
    &["-k", "-nn"],
    &["-D"],
];

/// Options under which a host is printed as a whole, one of them for each host.
pub(crate) const HOST_MODES: &[&[&str]] = &[
    &["-t"],
    &["-tv", "-n"],
    &["-tvnn"],
    &["-tD"],
    &["-t", "-s", "0."],
    &["-tv", "-d", "8086:"],
    &["-t", "-s", "2:"],
    &["-t", "-d", "::06xx"],
    &["-P", "-n"],
    &["-PP", "-n", "-D"],
    &["-P", "-mm", "-n"],
    &["-PPv", "-n", "-s", ":1."],
];

/// Names for some of what the generator makes, so that names and numbers stand side by side.
pub(crate) const NAMES: &str = "\
8086  Intel Corporation
\t1237  440FX - 82441FX PMC [Natoma]
\t9d10  A port
\t\t1af4 1100  A board
\t1000  Device \"with\" quotes \\ and a backslash
1af4  Red Hat, Inc.
\t1000  Virtio network device
\t1041  Virtio 1.0 network device
10de  NVIDIA Corporation
1b36  Red Hat, Inc. (QEMU)
1002  AMD
\t1000  One of AMD's
1022  A vendor without devices
C 01  Mass storage controller
\t01  IDE interface
\t\t00  ISA Compatibility mode-only controller
\t\t80  ISA Compatibility mode-only controller, supports bus mastering
\t06  SATA controller
\t\t01  AHCI 1.0
\t08  Non-Volatile memory controller
C 02  Network controller
\t00  Ethernet controller
C 03  Display controller
\t00  VGA compatible controller
\t\t00  VGA controller
C 06  Bridge
\t00  Host bridge
\t04  PCI bridge
\t\t00  Normal decode
C 0c  Serial bus controller
\t03  USB controller
\t\t30  XHCI
";
