//! One guest: its QEMU command line, its run, its result.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::kernel::Kernel;
use super::scenario::{Disk, Scenario};
use super::served::Served;

/// Size of a disk image.
const DISK_SIZE: u64 = 16 << 20;

/// Result code of a scenario that found it cannot be shown on this kernel or QEMU.
const SKIPPED: i32 = 77;

/// How long QEMU may take to be gone once it was killed or has closed its output.
const EXIT: Duration = Duration::from_secs(10);

/// How a guest ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The scenario's result code was 0, on serial and on the debug port.
    Passed,
    /// Anything else, with the reason.
    Failed(String),
    /// It was not tried, or the scenario said it cannot be tried here, with the reason.
    Skipped(String),
}

/// A guest to be run.
pub(crate) struct Guest<'a> {
    /// The unpacked QEMU.
    pub(crate) qemu: &'a Path,
    /// Serves the simulated functions of the scenario.
    pub(crate) served: Option<&'a Served>,
    /// What is booted.
    pub(crate) kernel: &'a Kernel,
    /// What is run.
    pub(crate) scenario: &'a Scenario,
    /// Folder for disk images, initramfs and the monitor's socket; short, because a socket's path is limited.
    pub(crate) folder: &'a Path,
    /// Where the serial output goes.
    pub(crate) log: PathBuf,
}

impl Guest<'_> {
    /// Path of the complete initramfs.
    pub(crate) fn initrd(&self) -> PathBuf {
        self.folder.join("initrd")
    }

    /// Boots, follows the serial line, and returns how it ended.
    ///
    /// `progress` is told each line that the guest marks as a step (`LAB-STEP`).
    ///
    /// # Errors
    /// QEMU or a file cannot be used at all: nothing was learned about the scenario.
    pub(crate) fn run(&self, progress: &dyn Fn(&str)) -> Result<Outcome> {
        for disk in &self.scenario.disks {
            make_disk(disk, &self.disk(disk))?;
        }
        let mut log =
            fs::File::create(&self.log).with_context(|| format!("cannot write {}", self.log.display()))?;
        let mut running = Running(self.command().spawn().context("cannot start QEMU")?);
        let input = running.0.stdin.take().context("QEMU has no input")?;
        let output = running.0.stdout.take().context("QEMU has no output")?;
        let errors = running.0.stderr.take().context("QEMU has no error output")?;

        let (sender, lines) = mpsc::channel();
        let other = sender.clone();
        let readers = [
            thread::spawn(move || send_lines(output, "", &sender)),
            thread::spawn(move || send_lines(errors, FROM_QEMU, &other)),
        ];
        let end = Instant::now() + self.scenario.timeout;
        let followed = self.follow(&lines, end, &mut log, input, progress);
        let outcome = match followed? {
            Some(serial) => {
                // Its output has ended, so it is about to be gone.
                let status = running.wait(EXIT)?.context("QEMU closed its output and did not end")?;
                judge(serial.as_ref(), status.code())
            }
            None => {
                drop(running);
                Outcome::Failed(format!("no result within {} s", self.scenario.timeout.as_secs()))
            }
        };
        for reader in readers {
            let _ = reader.join();
        }
        Ok(outcome)
    }

    /// Copies lines to the log until the guest is gone: then the result seen on serial, if any; `None` on time-out.
    fn follow(
        &self,
        lines: &mpsc::Receiver<String>,
        end: Instant,
        log: &mut fs::File,
        mut input: ChildStdin,
        progress: &dyn Fn(&str),
    ) -> Result<Option<Option<SerialResult>>> {
        let mut result = None;
        let mut skip = None;
        let mut said = VecDeque::new();
        loop {
            let line = match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            log.write_all(line.as_bytes())?;
            if let Some(text) = line.strip_prefix(FROM_QEMU) {
                // The guest's terminal keeps 4 KiB of what it has not read.
                if said.len() == MOST_SAID {
                    said.pop_front();
                }
                said.push_back(text.trim_end().chars().take(100).collect::<String>());
                continue;
            }
            if let Some(step) = after(&line, "LAB-STEP ") {
                progress(step);
            }
            if let Some(reason) = after(&line, "LAB-SKIP ") {
                skip = Some(reason.to_owned());
            }
            if let Some(code) = result_code(&line) {
                result = Some(code);
            }
            let asked = after(&line, "QEMU> said");
            let said = asked.map(|_| Ok(said.drain(..).collect::<Vec<_>>().join(" / ")));
            if let Some(reply) = said.or_else(|| self.request(&line)) {
                let reply = reply.unwrap_or_else(|error| format!("error: {error:#}"));
                writeln!(log, "HOST< {reply}")?;
                // The guest waits for this line; a guest that is gone does not.
                let _ = writeln!(input, "HOST-DONE {reply}");
            }
        }
        Ok(Some(result.map(|code| SerialResult { code, skip })))
    }

    /// Does what a line of the guest asks of the host, if it is such a line; gives the answer.
    fn request(&self, line: &str) -> Option<Result<String>> {
        let served = || self.served.context("this scenario serves nothing");
        if let Some(command) = after(line, "HMP> ") {
            return Some(self.monitor(command));
        }
        if let Some(line) = after(line, "SERVE> ") {
            return Some(served().and_then(|served| served.control(line)));
        }
        let text = after(line, "SEEN> ")?;
        Some(served().and_then(|served| Ok(served.seen(text)?.to_string())))
    }

    /// Sends one command to QEMU's monitor and returns its answer.
    fn monitor(&self, command: &str) -> Result<String> {
        let mut stream =
            UnixStream::connect(self.folder.join("monitor")).context("QEMU's monitor is not there")?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        read_to_prompt(&mut stream)?;
        writeln!(stream, "{command}")?;
        let reply = read_to_prompt(&mut stream)?;
        Ok(reply.lines().skip(1).collect::<Vec<_>>().join(" / "))
    }

    fn disk(&self, disk: &Disk) -> PathBuf {
        self.folder.join(format!("{}.img", disk.id))
    }

    /// The command line. Two switches matter more than the rest: `acpi-pci-hotplug-with-bridge-support=off` gives root
    /// ports with a link that reports itself active, and `intremap=on` lets VFIO use the IOMMU without unsafe interrupts.
    ///
    /// `no_timer_check`: on a busy host emulated timer interrupts come too late for the kernel's test, and it panics
    /// ("timer doesn't work through Interrupt-remapped IO-APIC").
    fn command(&self) -> Command {
        let mut command = program(self.qemu);
        command.args(["-M", "q35,kernel-irqchip=split", "-accel", "tcg", "-cpu", "max", "-m", "256"]);
        command.args(["-nographic", "-nodefaults", "-serial", "stdio", "-no-reboot"]);
        command
            .arg("-monitor")
            .arg(format!("unix:{},server=on,wait=off", self.folder.join("monitor").display()));
        command.args(["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]);
        command.arg("-kernel").arg(&self.kernel.image).arg("-initrd").arg(self.initrd());
        let append =
            format!("console=ttyS0 quiet no_timer_check intel_iommu=on panic=-1 {}", self.scenario.append);
        command.arg("-append").arg(append.trim_end());
        // Whoever maps memory for a device of another process must be told of what the guest unmaps.
        let caching = if self.served.is_some() { ",caching-mode=on" } else { "" };
        command.arg("-device").arg(format!("intel-iommu,{}{caching}", self.scenario.iommu));
        command.args(["-global", "ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"]);
        for disk in &self.scenario.disks {
            let file = self.disk(disk);
            command.arg("-drive").arg(format!(
                "file={},format=raw,if=none,id={},snapshot=on",
                file.display(),
                disk.id
            ));
        }
        for device in &self.scenario.devices {
            command.arg("-device").arg(device);
        }
        for (device, served) in self.scenario.served.iter().zip(self.served.iter().cycle()) {
            command.arg("-device").arg(served.device(device));
        }
        command.args(&self.scenario.options);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

/// QEMU of an unpacked package, with its own libraries and its own firmware.
pub(crate) fn program(root: &Path) -> Command {
    // It comes with its own libc and is started through that libc's loader, which is in /usr since Debian 13.
    const LOADER: &str = "lib/x86_64-linux-gnu/ld-linux-x86-64.so.2";
    let loader = [root.join(LOADER), root.join("usr").join(LOADER)];
    let loader = if loader[0].exists() { &loader[0] } else { &loader[1] };
    let mut command = Command::new(loader);
    let libraries = ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"].map(|path| root.join(path));
    let libraries = libraries.map(|path| path.display().to_string()).join(":");
    command.arg("--library-path").arg(libraries).arg(root.join("usr/bin/qemu-system-x86_64"));
    for path in ["usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu"] {
        command.arg("-L").arg(root.join(path));
    }
    command
}

/// What the guest itself said.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SerialResult {
    code: i32,
    skip: Option<String>,
}

/// Puts together what came over serial and QEMU's exit code.
fn judge(serial: Option<&SerialResult>, qemu: Option<i32>) -> Outcome {
    let Some(serial) = serial else {
        return Outcome::Failed(match qemu {
            Some(code) => format!("the guest ended without a result (QEMU's exit code {code})"),
            None => "QEMU was killed by a signal".to_owned(),
        });
    };
    let expected = (serial.code << 1) | 1;
    match (serial.code, qemu) {
        (_, Some(code)) if code != expected => Outcome::Failed(format!(
            "serial says result {}, but QEMU ended with {code} instead of {expected}",
            serial.code
        )),
        (_, None) => Outcome::Failed("QEMU was killed by a signal".to_owned()),
        (0, _) => Outcome::Passed,
        (SKIPPED, _) => {
            Outcome::Skipped(serial.skip.clone().unwrap_or_else(|| "the scenario gave no reason".to_owned()))
        }
        (code, _) => Outcome::Failed(format!("result code {code}")),
    }
}

/// The code in a `LAB-RESULT rc=N` line. Firmware may have left escape codes before it.
fn result_code(line: &str) -> Option<i32> {
    after(line, "LAB-RESULT rc=")?.split_whitespace().next()?.parse().ok()
}

/// Marks what QEMU itself prints in the log: its errors, and the events that `-trace` asks for.
const FROM_QEMU: &str = "qemu: ";
/// How many of its lines are kept for the guest.
const MOST_SAID: usize = 32;

/// What follows a mark, wherever in the line it stands.
fn after<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    line.split_once(mark).map(|(_, rest)| rest.trim_end())
}

/// Sends each line with a mark of where it comes from.
fn send_lines(source: impl Read, mark: &str, sender: &mpsc::Sender<String>) {
    let mut source = BufReader::new(source);
    let mut line = Vec::new();
    while source.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        let text = format!("{mark}{}", String::from_utf8_lossy(&line).replace('\r', ""));
        line.clear();
        if sender.send(text).is_err() {
            break;
        }
    }
}

fn read_to_prompt(stream: &mut UnixStream) -> Result<String> {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"(qemu) ") {
        if stream.read(&mut byte)? == 0 {
            bail!("QEMU closed its monitor");
        }
        text.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&text[..text.len() - 7]).replace('\r', ""))
}

fn make_disk(disk: &Disk, path: &Path) -> Result<()> {
    let make = || {
        let mut file = fs::File::create(path)?;
        file.set_len(DISK_SIZE)?;
        file.write_all(disk.text.as_bytes())
    };
    make().with_context(|| format!("cannot write {}", path.display()))
}

/// QEMU while it runs: however a run ends, it is killed and waited for.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// How it ended, if it does so in time.
    pub(crate) fn wait(&mut self, time: Duration) -> Result<Option<ExitStatus>> {
        let end = Instant::now() + time;
        loop {
            if let Some(status) = self.0.try_wait().context("cannot wait for QEMU")? {
                return Ok(Some(status));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Neither fails on a process that is gone and was waited for.
        let _ = self.0.kill();
        let _ = self.wait(EXIT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_found_behind_escape_codes() {
        assert_eq!(result_code("\u{1b}[2J\u{1b}[01;00HLAB-RESULT rc=7 up 4.1 s\r\n"), Some(7));
        assert_eq!(result_code("LAB-RESULT rc=x"), None);
        assert_eq!(result_code("nothing"), None);
    }

    #[test]
    fn what_still_runs_is_killed_and_waited_for() {
        let child = Command::new("sleep").arg("60").spawn().unwrap();
        let process = PathBuf::from(format!("/proc/{}", child.id()));
        let mut running = Running(child);
        assert_eq!(running.wait(Duration::ZERO).unwrap(), None);
        drop(running);
        assert!(!process.exists());
        let mut ended = Running(Command::new("true").spawn().unwrap());
        assert!(ended.wait(EXIT).unwrap().is_some_and(|status| status.success()));
    }

    #[test]
    fn only_agreement_of_both_channels_is_a_pass() {
        let serial = |code| SerialResult { code, skip: Some("no igb".into()) };
        assert_eq!(judge(Some(&serial(0)), Some(1)), Outcome::Passed);
        assert_eq!(judge(Some(&serial(77)), Some(155)), Outcome::Skipped("no igb".into()));
        for (result, code) in
            [(Some(serial(0)), Some(0)), (Some(serial(3)), Some(7)), (None, Some(1)), (None, None)]
        {
            assert!(matches!(judge(result.as_ref(), code), Outcome::Failed(_)), "{code:?}");
        }
    }
}
