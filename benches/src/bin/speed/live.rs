//! `vfio-reset list` beside `lspci -vv` over the sysfs tree of a big host.

use crate::table::Table;
use crate::{Programs, Result, command};
use benches::host::Function;
use benches::process::best;
use benches::sysfs;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) fn measure(
    table: &mut Table,
    programs: &Programs,
    root: &Path,
    functions: &[Function],
) -> Result<()> {
    let (made, mark) = (root.join("made"), format!("{} functions\n", functions.len()));
    // It takes longer to make than all that is measured with it.
    if fs::read_to_string(&made).ok().as_ref() != Some(&mark) {
        sysfs::make(root, functions)?;
        fs::write(&made, &mark)?;
    }
    let machine = format!("live:{}", root.display());
    let path = format!("sysfs.path={}", sysfs::path_for_lspci(root).display());
    let mut commands = vec![command(&programs.ours, &["--machine", &machine, "list"])];
    for peer in &programs.peers {
        commands.push(command(&peer.path, &["-A", "linux-sysfs", "-O", &path, "-vv"]));
    }
    let costs = best(&commands, programs.rounds)?;
    let what = format!("`list`, sysfs with {} functions", functions.len());
    for (peer, cost) in programs.peers.iter().zip(costs.iter().skip(1)) {
        table.costs(&what, (costs[0], *cost), &format!("{} -vv", peer.name), ("at least 5 times", ""));
    }
    let calls: Vec<Option<u64>> = commands.iter().map(|command| system_calls(command)).collect();
    let each = |calls: u64| format!("{:.1}", calls as f64 / functions.len() as f64);
    for (peer, theirs) in programs.peers.iter().zip(calls.iter().skip(1)) {
        if let (Some(ours), Some(theirs)) = (calls[0], *theirs) {
            let ratio = format!("{:.1} times fewer", theirs as f64 / ours.max(1) as f64);
            let peer = format!("{} -vv: {}", peer.name, each(theirs));
            table.line(&format!("{what}: system calls a function"), &each(ours), &peer, &ratio, "");
        }
    }
    if calls.contains(&None) {
        table.note("System calls are counted by strace, which is not there or may not trace.".to_owned());
    } else {
        table.note("System calls are counted by `strace -f -c`, over the whole program.".to_owned());
    }
    Ok(())
}

/// How many system calls a program makes; `None` where strace does not work.
fn system_calls(command: &[OsString]) -> Option<u64> {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-c", "--"]).args(command).stdin(Stdio::null()).stdout(Stdio::null());
    let output = strace.output().ok()?;
    total(&String::from_utf8_lossy(&output.stderr))
}

/// The calls in strace's last line: `100.00    0.241077           2     98441       412 total`.
fn total(table: &str) -> Option<u64> {
    let line = table.lines().rev().find(|line| line.ends_with(" total"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn straces_total_is_read() {
        let table = "% time     seconds  usecs/call     calls    errors syscall\n\
                     ------ ----------- ----------- --------- --------- ------------------\n\
                     100.00    0.000012           3         4           read\n\
                     ------ ----------- ----------- --------- --------- ------------------\n\
                     100.00    0.241077           2     98441       412 total\n";
        assert_eq!(super::total(table), Some(98441));
        assert_eq!(super::total("strace: ptrace: Operation not permitted\n"), None);
    }
}
