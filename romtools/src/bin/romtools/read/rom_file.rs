//! The `rom` file of a function in sysfs.
//!
//! It reads nothing until `1` was written to it. From then on whoever reads it makes the function decode its ROM BAR for
//! that time, and some functions share the decoder with their other BARs. So it must not stay that way: it is switched off
//! again also after an error or a panic, and before a signal ends the process.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::device::Device;
use super::failure::Failure;
#[cfg(unix)]
use crate::input;

/// The most that is read, in bytes: the largest ROM BAR.
const LIMIT: u64 = 16 << 20;

/// The ROM of a function.
pub(super) fn read(device: &Device) -> Result<Vec<u8>, Failure> {
    let file = SysfsRom(device.path.join("rom"));
    if !file.0.exists() {
        return Err(Failure::NoRomBar);
    }
    #[cfg(unix)]
    let held = super::signals::Held::new().map_err(Failure::Switch)?;
    let read = read_enabled(&file);
    #[cfg(unix)]
    if let (Err(failure @ Failure::SwitchOff(_)), true) = (&read, held.has_come()) {
        // The signal ends the program before anybody else can tell it.
        input::complain(format_args!("{}: {failure}\n  next: {}", device.address, failure.advice()));
    }
    read.map_err(|error| match error {
        // EIO: no mapping, or no image in it.
        Failure::Read(error) if error.raw_os_error() == Some(5) => Failure::NotMapped(device.state()),
        Failure::Read(error) if error.kind() == io::ErrorKind::InvalidInput => Failure::SwitchedOff,
        error => error,
    })
}

/// A ROM that is switched on to be read.
trait Switched {
    /// Writes `1` or `0`.
    fn switch(&self, on: bool) -> io::Result<()>;
    /// Reads all of it.
    fn contents(&self) -> io::Result<Vec<u8>>;
}

struct SysfsRom(PathBuf);

impl SysfsRom {
    fn path(&self) -> &Path {
        &self.0
    }
}

impl Switched for SysfsRom {
    fn switch(&self, on: bool) -> io::Result<()> {
        // The kernel takes anything but these two bytes for "on", so the newline belongs to it. Both in one write.
        OpenOptions::new().write(true).open(self.path())?.write_all(if on { b"1\n" } else { b"0\n" })
    }

    fn contents(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.path())?.take(LIMIT).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// Switches the ROM off when it goes.
struct Guard<'a, R: Switched>(Option<&'a R>);

impl<'a, R: Switched> Guard<'a, R> {
    fn switch_on(rom: &'a R) -> io::Result<Self> {
        // It may be on even if the write failed.
        let guard = Self(Some(rom));
        rom.switch(true)?;
        Ok(guard)
    }

    fn switch_off(mut self) -> io::Result<()> {
        self.0.take().map_or(Ok(()), |rom| rom.switch(false))
    }
}

impl<R: Switched> Drop for Guard<'_, R> {
    fn drop(&mut self) {
        if let Some(rom) = self.0.take() {
            // Something else went wrong already, and is told.
            let _ = rom.switch(false);
        }
    }
}

fn read_enabled<R: Switched>(rom: &R) -> Result<Vec<u8>, Failure> {
    let guard = Guard::switch_on(rom).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => Failure::Permission,
        _ => Failure::Switch(error),
    })?;
    let bytes = rom.contents().map_err(Failure::Read)?;
    guard.switch_off().map_err(Failure::SwitchOff)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    /// A ROM as the kernel shows it: it reads only while it is on.
    #[derive(Default)]
    struct Fake {
        is_on: RefCell<bool>,
        writes: RefCell<Vec<bool>>,
        fails: Option<i32>,
        refuses_off: bool,
        panics: bool,
    }

    impl Switched for Fake {
        fn switch(&self, on: bool) -> io::Result<()> {
            self.writes.borrow_mut().push(on);
            if !on && self.refuses_off {
                return Err(io::Error::from_raw_os_error(1));
            }
            *self.is_on.borrow_mut() = on;
            Ok(())
        }

        fn contents(&self) -> io::Result<Vec<u8>> {
            assert!(!self.panics);
            match self.fails {
                Some(error) => Err(io::Error::from_raw_os_error(error)),
                None if *self.is_on.borrow() => Ok(vec![0x55, 0xaa]),
                None => Err(io::ErrorKind::InvalidInput.into()),
            }
        }
    }

    #[test]
    fn it_is_on_while_it_is_read_and_off_afterwards() {
        let rom = Fake::default();
        assert_eq!(read_enabled(&rom).unwrap(), [0x55, 0xaa]);
        assert_eq!(*rom.writes.borrow(), [true, false]);
    }

    #[test]
    fn it_is_off_after_an_error_and_after_a_panic() {
        let rom = Fake { fails: Some(5), ..Fake::default() };
        assert!(matches!(read_enabled(&rom), Err(Failure::Read(_))));
        assert!(!*rom.is_on.borrow());
        let rom = std::panic::AssertUnwindSafe(Fake { panics: true, ..Fake::default() });
        assert!(std::panic::catch_unwind(|| read_enabled(&*rom)).is_err());
        assert_eq!(*rom.writes.borrow(), [true, false]);
    }

    #[test]
    fn that_it_stays_on_is_told() {
        let rom = Fake { refuses_off: true, ..Fake::default() };
        assert!(matches!(read_enabled(&rom), Err(Failure::SwitchOff(_))));
    }

    #[test]
    fn a_function_without_rom_bar_has_no_such_file() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("sys/bus/pci/devices/0000:01:00.0");
        std::fs::create_dir_all(&path).unwrap();
        let device = Device::find(root.path(), "01:00.0".parse().unwrap()).unwrap();
        assert!(matches!(read(&device), Err(Failure::NoRomBar)));
    }
}
