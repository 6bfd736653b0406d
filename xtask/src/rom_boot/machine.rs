//! A machine with a ROM in it, until its firmware has run the ROM, or was about to boot without.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::parts::Parts;
use crate::guest::qemu::{self, Running};

/// How long a boot may take on a busy host; alone it takes seconds.
const TIMEOUT: Duration = Duration::from_secs(180);

/// Which firmware runs the ROM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Firmware {
    /// UEFI: runs EFI images.
    Ovmf,
    /// A BIOS: runs PC-AT images.
    SeaBios,
}

impl Firmware {
    /// What it prints when all ROMs had their turn.
    fn end(self) -> &'static str {
        match self {
            Self::Ovmf => "BdsDxe: ",
            Self::SeaBios => "Booting from ",
        }
    }
}

/// A machine to be booted.
pub(super) struct Machine<'a> {
    pub(super) parts: &'a Parts,
    pub(super) firmware: Firmware,
    /// QEMU's device that gets the ROM.
    pub(super) device: &'static str,
    pub(super) rom: &'a Path,
    /// Folder for its files.
    pub(super) folder: &'a Path,
}

impl Machine<'_> {
    /// Boots until `mark` is printed, or, if it should not be, until all ROMs had their turn. Whether it was printed.
    ///
    /// # Errors
    /// QEMU does not run, or the firmware did not get so far in time.
    pub(super) fn prints(&self, mark: &str, expected: bool) -> Result<bool> {
        let logs = [self.log("debug"), self.log("serial")];
        for log in &logs {
            fs::write(log, "").with_context(|| format!("cannot write {}", log.display()))?;
        }
        let mut running = Running(self.command()?.spawn().context("cannot start QEMU")?);
        let end = Instant::now() + TIMEOUT;
        loop {
            // Ended first: what it printed before is complete then.
            let ended = running.wait(Duration::ZERO)?;
            let text = logs.iter().map(|log| read(log)).collect::<Result<String>>()?;
            if text.contains(mark) {
                return Ok(true);
            }
            if !expected && text.contains(self.firmware.end()) {
                return Ok(false);
            }
            if let Some(status) = ended {
                bail!("QEMU ended ({status}): {}", read(&self.log("qemu"))?.trim());
            }
            if Instant::now() >= end {
                bail!(
                    "nothing within {} s; what was printed is in {}",
                    TIMEOUT.as_secs(),
                    self.folder.display()
                );
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }

    fn command(&self) -> Result<Command> {
        let mut command = qemu::program(&self.parts.qemu);
        command.args(["-accel", "tcg", "-m", "256", "-nodefaults", "-display", "none", "-no-reboot"]);
        // SeaBIOS shows its text console on the serial line if there is no other display.
        command.args(["-M", "q35,graphics=off"]);
        command.arg("-debugcon").arg(format!("file:{}", self.log("debug").display()));
        command.args(["-global", "isa-debugcon.iobase=0x402"]);
        command.arg("-serial").arg(format!("file:{}", self.log("serial").display()));
        if self.firmware == Firmware::Ovmf {
            for (unit, file) in self.parts.ovmf().iter().enumerate() {
                // Writes go to a temporary file.
                command
                    .arg("-drive")
                    .arg(format!("if=pflash,format=raw,unit={unit},snapshot=on,file={}", file.display()));
            }
        }
        command.arg("-device").arg(format!("{},romfile={}", self.device, self.rom.display()));
        let errors = fs::File::create(self.log("qemu")).context("cannot write QEMU's log")?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        Ok(command)
    }
}

fn read(log: &Path) -> Result<String> {
    let bytes = fs::read(log).with_context(|| format!("cannot read {}", log.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
