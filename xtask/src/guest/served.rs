//! Simulated functions that are served to a guest by `vfio-reset serve`, while the guest runs.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::qemu::Running;
use super::scenario::{Scenario, ServedDevice};

/// How long the server may take to begin, and to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a line of the trace may be on its way to the file: the server writes it while the guest goes on.
const ON_ITS_WAY: Duration = Duration::from_millis(200);

/// The server of a scenario; it ends with this.
pub(crate) struct Served {
    _server: Running,
    sockets: PathBuf,
    trace: PathBuf,
}

impl Served {
    /// Serves what a scenario wants, from sockets below `folder`, and waits until it can be connected to.
    pub(crate) fn start(
        program: &Path,
        machine: &str,
        scenario: &Scenario,
        folder: &Path,
        log: &Path,
    ) -> Result<Self> {
        let (sockets, trace) = (folder.join("served"), log.with_extension("served"));
        let mut command = Command::new(program);
        // One of the shipped machines, or a description of this project's.
        let machine = match machine.ends_with(".toml") {
            true => crate::workspace().join(machine).into_os_string(),
            false => machine.into(),
        };
        command.arg("--machine").arg(machine).arg("serve");
        command.args(scenario.served.iter().map(|device| &device.address));
        command.arg("--socket").arg(&sockets).arg("--trace").arg(&trace);
        // That of an earlier run; it may not be there.
        let _ = fs::remove_file(&trace);
        let errors = errors(log);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&errors)?);
        let mut server = Running(command.spawn().context("cannot start `vfio-reset serve`")?);
        let served = |server| Self { _server: server, sockets: sockets.clone(), trace: trace.clone() };
        let end = Instant::now() + PATIENCE;
        // The last socket that it makes.
        while !sockets.join("control.sock").exists() {
            if let Some(status) = server.0.try_wait()? {
                bail!("`vfio-reset serve` ended with {status}: {}", fs::read_to_string(&errors)?.trim());
            }
            if Instant::now() > end {
                bail!("`vfio-reset serve` did not begin");
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(served(server))
    }

    /// The value of QEMU's `-device`. Only its JSON form can name a socket.
    pub(crate) fn device(&self, device: &ServedDevice) -> String {
        let socket = self.sockets.join(format!("0000:{}.sock", device.address));
        let mut value = json!({ "driver": "vfio-user-pci", "socket": { "type": "unix", "path": socket } });
        for (key, text) in &device.options {
            value[key] = match text.as_str() {
                "on" => true.into(),
                "off" => false.into(),
                text => text.into(),
            };
        }
        value.to_string()
    }

    /// Changes how a function behaves: a line for the control socket; gives the answer.
    pub(crate) fn control(&self, line: &str) -> Result<String> {
        let mut stream = UnixStream::connect(self.sockets.join("control.sock"))
            .context("`vfio-reset serve` is not there any more")?;
        stream.set_read_timeout(Some(PATIENCE))?;
        writeln!(stream, "{line}")?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        Ok(answer.trim().to_owned())
    }

    /// How many lines of the server's trace contain a text.
    pub(crate) fn seen(&self, text: &str) -> Result<usize> {
        thread::sleep(ON_ITS_WAY);
        let trace = fs::read_to_string(&self.trace).context("cannot read the server's trace")?;
        Ok(trace.lines().filter(|line| line.contains(text)).count())
    }
}

/// Where the server's warnings and errors go, beside a scenario's log.
pub(crate) fn errors(log: &Path) -> PathBuf {
    log.with_extension("served.err")
}
