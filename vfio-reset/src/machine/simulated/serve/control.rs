//! The control socket: what a function is up to, changed while it is served.

use super::{Clock, Event, Observer, Simulated};
use crate::machine::simulated::Behaviour;
use pcicfg::Address;
use serde::Deserialize;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// More than any behaviour needs.
const LONGEST_LINE: u64 = 1 << 16;

/// How long the next line may take; the next client waits meanwhile.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes one client after the other.
pub(super) fn serve(
    listener: &UnixListener,
    machine: &Simulated,
    served: &[Address],
    observer: &Observer,
    clock: Clock,
    stopping: &AtomicBool,
) {
    while let Ok((stream, _)) = listener.accept() {
        if stopping.load(Ordering::SeqCst) {
            return;
        }
        let changed = |address| observer(address, clock.begin.elapsed(), &Event::Changed);
        // A client that does not read its answers only hurts itself.
        let _ = client(&stream, machine, served, &changed);
    }
}

fn client(
    stream: &UnixStream,
    machine: &Simulated,
    served: &[Address],
    changed: &dyn Fn(Address),
) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if lines.by_ref().take(LONGEST_LINE).read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut answer = stream;
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

/// Does what a line says; gives the function, or nothing for an empty line.
fn command(line: &str, machine: &Simulated, served: &[Address]) -> Result<Option<Address>, String> {
    let line = line.trim();
    if line.is_empty() {
        return Ok(None);
    }
    let (address, text) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let address: Address = address.parse().map_err(|error| format!("{address:?}: {error}"))?;
    if !served.contains(&address) {
        return Err(format!("{address} is not served"));
    }
    machine.set_behaviour(address, behaviour(text)?).map_err(|error| error.to_string())?;
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
