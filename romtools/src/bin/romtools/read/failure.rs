//! Why a source gave no ROM, and what to do then.

use std::io;

use super::device::State;

/// Why there is no ROM.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{}", if *has_pci { "this host has no such function" } else { "this host shows no PCI devices" })]
    NoDevice { has_pci: bool },
    #[error("the function has no ROM BAR")]
    NoRomBar,
    #[error("only root can read it")]
    Permission,
    #[error("the ROM cannot be switched on: {0}")]
    Switch(io::Error),
    #[error("the ROM was switched off while it was read")]
    SwitchedOff,
    #[error("the kernel could not map the ROM, or found no image in it{}", state(*.0))]
    NotMapped(State),
    #[error("{0}")]
    Read(io::Error),
    #[error("the ROM cannot be switched off again: {0}")]
    SwitchOff(io::Error),
    #[error("{error}")]
    NotARom { error: romtools::Error, is_shadow: bool },
    #[error("the function is not the boot display, and only that one's ROM is in the shadow")]
    NotBootDisplay,
    #[error("this kernel has no /dev/mem")]
    NoMemory,
    #[error("the kernel is locked down and does not let physical memory be read")]
    Lockdown,
    #[error("this host has no VFCT table")]
    NoTable,
    #[error("the VFCT table cannot be used: {0}")]
    Table(romtools::Error),
    #[error("the VFCT table has no image for the function")]
    NotInTable,
}

fn state(state: State) -> &'static str {
    match state {
        State::Silent => ": the device does not answer (its configuration space reads ff)",
        State::Asleep => ": the device is in D3",
        State::NotDecoding => ": the device's memory decoding is off",
        State::BootDisplay | State::Unknown => "",
    }
}

impl Failure {
    /// If more rights, or a kernel that is not locked down, could give it.
    pub(super) fn is_permission(&self) -> bool {
        matches!(self, Self::Permission | Self::Lockdown)
    }

    pub(super) fn advice(&self) -> &'static str {
        match self {
            Self::NoDevice { has_pci: true, .. } => "`lspci -D` lists the functions of this host",
            Self::NoDevice { has_pci: false, .. } => "run it on the host itself, with /sys mounted",
            Self::NoRomBar => {
                "normal for an APU's graphics and for virtual functions: an AMD video BIOS is in the VFCT table \
                 (`romtools vfct extract`), others are in the board's firmware (`romtools scan`) or nowhere"
            }
            Self::Permission => "run it again as root",
            Self::Switch(_) => {
                "look at the end of `dmesg`; if the kernel is locked down, bind the function to vfio-pci and read its ROM \
                 with `vfio-reset vfio ADDRESS --rom FILE`"
            }
            Self::SwitchedOff => "another program reads this ROM: try again when it is done",
            Self::SwitchOff(_) => {
                "the ROM was read and stays mapped: write 0 to the function's `rom` file, as root"
            }
            Self::NotMapped(State::Silent) => {
                "its link is down or the device is lost: `vfio-reset plan` says what can bring it back"
            }
            Self::NotMapped(State::Asleep) => {
                "wake it: write `on` to `power/control` in its sysfs folder, unbind it from vfio-pci, and try again; or, \
                 bound to vfio-pci, read it with `vfio-reset vfio ADDRESS --rom FILE`"
            }
            Self::NotMapped(State::NotDecoding) => {
                "write 1 to `enable` in its sysfs folder, try again, and write 0 there afterwards"
            }
            Self::NotMapped(State::BootDisplay) => {
                "the firmware may have switched the boot display's ROM off: boot with another display, or remove \
                 the function and rescan (`echo 1 > remove`, `echo 1 > /sys/bus/pci/rescan`), and try again"
            }
            Self::NotMapped(State::Unknown) => {
                "`dmesg | grep 'PCI ROM'` says what the kernel saw: `got 0xffff` is a ROM that is not decoded \
                 (unbind the driver, remove and rescan), `got 0x0000` is no ROM chip, anything else is other data; \
                 then use a ROM file from elsewhere"
            }
            Self::Read(_) => "look at the end of `dmesg`",
            Self::NotARom { is_shadow: true, .. } => {
                "a UEFI boot leaves the shadow unused, and the memory has other contents: read the ROM itself or \
                 the VFCT table"
            }
            Self::NotARom { error, .. } => error.advice(),
            Self::NotBootDisplay => "read the device's own ROM, without --from shadow",
            Self::NoMemory => "it was built without CONFIG_DEVMEM: read the device's own ROM",
            Self::Lockdown => {
                "lockdown comes with Secure Boot: read the device's own ROM, bind the function to vfio-pci and read it with \
                 `vfio-reset vfio ADDRESS --rom FILE`, or boot once with Secure Boot off"
            }
            Self::NoTable => "`romtools vfct info` says why",
            Self::Table(error) => error.advice(),
            Self::NotInTable => {
                "`romtools vfct info` lists what is in it; a card has its video BIOS in its own ROM"
            }
        }
    }
}
