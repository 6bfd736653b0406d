//! The control socket: what a function is up to, changed while it is served.

use super::behaviour::without_effect;
use super::socket::{self, Socket};
use super::{Clock, Event, Observer, Simulated};
use crate::machine::simulated::Behaviour;
use pcicfg::Address;
use serde::Deserialize;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// More than any behaviour needs.
const LONGEST_LINE: usize = 1 << 16;

/// How long the next line may take; the next client waits meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes one client after the other.
pub(super) fn serve(
    socket: &Socket,
    listener: &UnixListener,
    machine: &Simulated,
    served: &[Address],
    observer: &Observer,
    clock: Clock,
    stopping: &AtomicBool,
) {
    loop {
        socket.wait();
        let accepted = listener.accept();
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        match accepted {
            Ok((stream, _)) => {
                let changed = |address| observer(address, clock.begin.elapsed(), &Event::Changed);
                // A client that does not read its answers only hurts itself.
                let _ = client(&stream, machine, served, &changed);
            }
            Err(error) if socket::may_pass(&error) => thread::sleep(socket::PAUSE),
            // Clients are turned away, where they would wait for ever.
            Err(_) => return socket.close(),
        }
    }
}

fn client(
    stream: &UnixStream,
    machine: &Simulated,
    served: &[Address],
    changed: &dyn Fn(Address),
) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream);
    let mut answer = stream;
    loop {
        let line = match next_line(stream, &mut lines) {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(()),
            // Where the next line would begin is not known, or nobody would send it.
            Err(reason) => return answer.write_all(format!("error: {reason}\n").as_bytes()),
        };
        match command(&line, machine, served) {
            Ok(Some(address)) => {
                changed(address);
                answer.write_all(b"ok\n")?;
            }
            Ok(None) => {}
            Err(reason) => answer.write_all(format!("error: {reason}\n").as_bytes())?,
        }
    }
}

/// A whole line, or nothing when the client has said all; else why it is let go.
fn next_line(stream: &UnixStream, lines: &mut BufReader<&UnixStream>) -> Result<Option<Vec<u8>>, String> {
    let silent = || format!("no whole line came for {} s", PATIENCE.as_secs());
    let end = Instant::now() + PATIENCE;
    let mut line = Vec::new();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(silent());
        }
        stream.set_read_timeout(Some(left)).map_err(|error| error.to_string())?;
        let bytes = match lines.fill_buf() {
            Ok(bytes) => bytes,
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted => continue,
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => return Err(silent()),
                _ => return Err(error.to_string()),
            },
        };
        if bytes.is_empty() {
            return match line.is_empty() {
                true => Ok(None),
                // Half a behaviour is another behaviour.
                false => {
                    Err("nothing was done: the line does not end with a newline, so it may be cut"
                        .to_string())
                }
            };
        }
        let newline = bytes.iter().position(|&byte| byte == b'\n');
        let taken = newline.map_or(bytes.len(), |at| at + 1);
        line.extend_from_slice(&bytes[..taken]);
        lines.consume(taken);
        if line.len() > LONGEST_LINE {
            return Err(format!("nothing was done: a line has at most {LONGEST_LINE} bytes"));
        }
        if newline.is_some() {
            return Ok(Some(line));
        }
    }
}

/// Does what a line says; gives the function, or nothing for an empty line.
fn command(line: &[u8], machine: &Simulated, served: &[Address]) -> Result<Option<Address>, String> {
    let line = std::str::from_utf8(line).map_err(|error| format!("a line is UTF-8: {error}"))?.trim();
    if line.is_empty() {
        return Ok(None);
    }
    let (address, text) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let address: Address = address.parse().map_err(|error| format!("{address:?}: {error}"))?;
    if !served.contains(&address) {
        return Err(format!("{address} is not served"));
    }
    let behaviour = behaviour(text)?;
    let without_effect = without_effect(&behaviour);
    if !without_effect.is_empty() {
        return Err(without_effect.join("; "));
    }
    if machine.behaviour(address).is_none() {
        return Err(format!("{address} has a model of its own, which has no such behaviour"));
    }
    machine.set_behaviour(address, behaviour).map_err(|error| error.to_string())?;
    Ok(Some(address))
}

/// `KEY = VALUE, ...`, as between the braces of a TOML table.
fn behaviour(text: &str) -> Result<Behaviour, String> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        behaviour: Behaviour,
    }
    let line: Result<Line, toml::de::Error> = toml::from_str(&format!("behaviour = {{ {text} }}"));
    line.map(|line| line.behaviour).map_err(|error| error.message().replace('\n', " "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::simulated::ResetKind;

    #[test]
    fn a_behaviour_is_written_as_in_a_description() {
        assert_eq!(behaviour(""), Ok(Behaviour::default()));
        assert_eq!(behaviour("all_ones = true"), Ok(Behaviour::all_ones()));
        assert_eq!(behaviour(r#"dies_on = ["flr"]"#), Ok(Behaviour::dies_on(ResetKind::FunctionLevel)));
        for wrong in ["all_ones", "all_zeros = true", "} other = {", "all_ones = true } \n x = {"] {
            assert!(behaviour(wrong).is_err(), "{wrong}");
        }
    }
}
