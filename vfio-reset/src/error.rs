//! What can go wrong: what, where, and what the user can do.

use crate::machine::vfio::VfioError;
use pcicfg::Address;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The result of everything here.
pub type Result<T> = std::result::Result<T, Error>;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The machine has no such function.
    #[error("{machine} has no function {address}; `vfio-reset{} list` shows those it has", option(machine))]
    NoSuchFunction {
        /// The function.
        address: Address,
        /// The machine, as the user named it.
        machine: String,
    },
    /// A file or an attribute could not be read.
    #[error("cannot read {}: {source}{}", path.display(), advice(source))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that the user named is not there, or is a folder.
    #[error("cannot read {}: {source}", path.display())]
    NoSuchFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or an attribute could not be written.
    #[error("cannot write {}: {source}{}", path.display(), advice(source))]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The kernel is locked down, so that not even root may write configuration space.
    #[error(
        "cannot write {}: {source}: the kernel is locked down ({lockdown}), so not even root may write configuration \
         space; the kernel itself still resets: use `--via kernel`, or boot without Secure Boot and `lockdown=`",
        path.display()
    )]
    LockedDown {
        /// The file.
        path: PathBuf,
        /// How far the lockdown goes, in the kernel's word.
        lockdown: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// The kernel is locked down, so that not even root may reach what is behind a Base Address Register.
    #[error(
        "cannot reach {}: {source}: the kernel is locked down ({lockdown}), so not even root may read or write behind a \
         BAR; VFIO may, and resets the device when it is opened and again when it is closed: `peek --vfio`",
        path.display()
    )]
    BarLockedDown {
        /// The file.
        path: PathBuf,
        /// How far the lockdown goes, in the kernel's word.
        lockdown: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// An access to configuration space that goes past what can be reached.
    #[error(
        "{address}: {length} bytes at {offset:#05x} of configuration space cannot be reached, only {size} bytes can: \
         without CAP_SYS_ADMIN the kernel shows 64"
    )]
    ConfigOutOfReach {
        /// The function.
        address: Address,
        /// Where the access begins.
        offset: u16,
        /// How many bytes it has.
        length: usize,
        /// How many can be reached.
        size: usize,
    },
    /// Somebody resets the function, and the kernel lets nobody read its configuration space meanwhile; or it comes up
    /// from D3cold, for which whoever reads it waits as well.
    #[error(
        "{address} is being reset by somebody, or comes up from D3cold, and the kernel lets nobody read its configuration \
         space until that has ended: within {:.1} s it has not; nothing was touched; look again in a minute or two",
        budget.as_secs_f64()
    )]
    BeingReset {
        /// The function.
        address: Address,
        /// How long it was waited for.
        budget: Duration,
    },
    /// An access to what is behind a Base Address Register that cannot be made.
    #[error("{address}: {length} bytes at {offset:#x} of BAR {bar} cannot be reached: {reason}")]
    BarOutOfReach {
        /// The function.
        address: Address,
        /// The Base Address Register, 0 to 5; 6 is the expansion ROM.
        bar: u8,
        /// Where the access begins.
        offset: u64,
        /// How many bytes it has.
        length: usize,
        /// Why, and what the user can do.
        reason: String,
    },
    /// VFIO refused something.
    #[error(transparent)]
    Vfio(#[from] VfioError),
    /// A machine that was only recorded cannot be changed.
    #[error(
        "{machine} is a recording: it can be looked at, not {action}; `plan` says what would be done on that host"
    )]
    ReadOnly {
        /// The machine, as the user named it.
        machine: String,
        /// What was asked of it.
        action: &'static str,
    },
    /// The bridge that shall assert a reset is not above the function.
    #[error("{bridge} is not above {address}, so it cannot reset it; above it: {}", list(above))]
    NotAbove {
        /// The bridge that was asked for.
        bridge: Address,
        /// The function.
        address: Address,
        /// The bridges above the function, the nearest first.
        above: Vec<Address>,
    },
    /// A function whose state cannot be saved, because it does not answer.
    #[error(
        "{address} cannot be saved: its registers read all-ones, so nobody answers there (link down, powered off, \
         or wedged); nothing was touched"
    )]
    NothingToSave {
        /// The function.
        address: Address,
    },
    /// A simulated function that cannot be shown to a virtual machine.
    #[error("cannot serve {what}: {reason}")]
    NotServed {
        /// The function or the machine.
        what: String,
        /// Why, and what can be served.
        reason: String,
    },
    /// There is no such family of devices.
    #[error("there is no family {name:?}: there are {families}")]
    NoSuchFamily {
        /// What the user wrote.
        name: String,
        /// Those there are.
        families: String,
    },
    /// The name after `--machine` leads nowhere.
    #[error("no machine {name:?}: {reason}")]
    NoSuchMachine {
        /// What the user wrote.
        name: String,
        /// What was looked for, and which there are.
        reason: String,
    },
    /// There is no such model of a device.
    #[error("no model {name:?}: {reason}")]
    NoSuchModel {
        /// What the user wrote.
        name: String,
        /// Which there are.
        reason: String,
    },
    /// An option asks for what is not done.
    #[error("{reason}")]
    Usage {
        /// What, and what to do instead.
        reason: String,
    },
    /// A file is not what it should be.
    #[error("{}{}: {message}", file.display(), position(*line, *column))]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The line, from 1; 0 when the file as a whole is meant.
        line: usize,
        /// The column, from 1; 0 when the line as a whole is meant.
        column: usize,
        /// What is wrong there and what is expected.
        message: String,
    },
}

impl Error {
    /// A file could not be read.
    pub fn read(path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::Read { path: path.as_ref().to_path_buf(), source }
    }

    /// A file that the user named could not be read: if it is not there, that is a wrong argument.
    pub fn named(path: impl AsRef<Path>, source: io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        match source.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => {
                Self::NoSuchFile { path, source }
            }
            _ => Self::Read { path, source },
        }
    }

    /// A file could not be written.
    pub fn write(path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::Write { path: path.as_ref().to_path_buf(), source }
    }

    /// The operating system's error number, when it was the one to refuse.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Read { source, .. }
            | Self::NoSuchFile { source, .. }
            | Self::Write { source, .. }
            | Self::LockedDown { source, .. }
            | Self::BarLockedDown { source, .. } => source.raw_os_error(),
            Self::Vfio(error) => Some(error.errno).filter(|errno| *errno != 0),
            _ => None,
        }
    }

    /// Whether the function is not there, or not any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        match self {
            Self::NoSuchFunction { .. } => true,
            Self::Read { source, .. } | Self::Write { source, .. } => {
                source.kind() == io::ErrorKind::NotFound || source.raw_os_error() == Some(libc::ENODEV)
            }
            _ => false,
        }
    }

    /// Whether more rights would have helped.
    #[must_use]
    pub fn is_permission(&self) -> bool {
        match self {
            Self::Read { source, .. } | Self::Write { source, .. } => {
                source.kind() == io::ErrorKind::PermissionDenied
            }
            Self::ConfigOutOfReach { .. } | Self::LockedDown { .. } | Self::BarLockedDown { .. } => true,
            Self::Vfio(error) => error.is_permission(),
            _ => false,
        }
    }
}

/// The option that names a machine, where it needs one.
fn option(machine: &str) -> String {
    if machine == "live" { String::new() } else { format!(" --machine {machine}") }
}

fn list(addresses: &[Address]) -> String {
    if addresses.is_empty() {
        return "nothing, it is on a root bus".to_string();
    }
    addresses.iter().map(Address::to_string).collect::<Vec<_>>().join(", ")
}

fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied => " (run as root; under kernel lockdown not even root may do this)",
        _ => "",
    }
}

fn position(line: usize, column: usize) -> String {
    match (line, column) {
        (0, _) => String::new(),
        (line, 0) => format!(":{line}"),
        (line, column) => format!(":{line}:{column}"),
    }
}
