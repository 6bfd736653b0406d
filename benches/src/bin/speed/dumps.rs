//! `vfio-reset lspci` beside lspci on a big dump, as whole programs.

use crate::table::Table;
use crate::{Programs, Result, command};
use benches::process::best;
use std::path::Path;
use std::process::Command;

/// The options, and how many times faster ours shall be.
const CALLS: [(&[&str], &str); 2] = [(&["-vvv", "-n"], "at least 15 times"), (&["-n"], "at least 20 times")];

pub(crate) fn measure(table: &mut Table, programs: &Programs, dump: &Path, name: &str) -> Result<()> {
    let file = dump.to_str().ok_or("the dump's path is no UTF-8")?;
    for (options, goal) in CALLS {
        let ours = [&["lspci", "-F", file], options].concat();
        let theirs = [&["-F", file], options].concat();
        let mut commands = vec![command(&programs.ours, &ours)];
        commands.extend(programs.peers.iter().map(|peer| command(&peer.path, &theirs)));
        let costs = best(&commands, programs.rounds)?;
        let text = Command::new(&programs.ours).args(&ours).output()?.stdout;
        for (peer, cost) in programs.peers.iter().zip(costs.iter().skip(1)) {
            let what = format!("`lspci {}`, {name}", options.join(" "));
            table.costs(&what, (costs[0], *cost), &peer.name, (goal, "at most 100 %"));
            let other = Command::new(&peer.path).args(&theirs).output()?.stdout;
            let same = differing(&text, &other);
            table.note(match same {
                0 => format!("{what}: the text is that of {}, byte for byte.", peer.name),
                lines => format!("{what}: {lines} lines are not those of {}.", peer.name),
            });
        }
    }
    Ok(())
}

/// In how many lines two texts differ, line by line.
fn differing(ours: &[u8], theirs: &[u8]) -> usize {
    let lines = |text: &[u8]| text.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (ours, theirs) = (lines(ours), lines(theirs));
    let common = ours.len().min(theirs.len());
    let differ = ours.iter().zip(&theirs).filter(|(ours, theirs)| ours != theirs).count();
    differ + ours.len().max(theirs.len()) - common
}
