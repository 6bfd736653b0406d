//! The table, in the making.

use benches::process::Cost;
use std::fmt::Write;
use std::process::Command;
use std::time::Duration;

/// Lines of Markdown.
#[derive(Default)]
pub(crate) struct Table {
    lines: String,
    notes: Vec<String>,
}

impl Table {
    /// A line; it is shown at once, too.
    pub(crate) fn line(&mut self, what: &str, ours: &str, peer: &str, ratio: &str, goal: &str) {
        eprintln!("{what}: {ours} | {peer} | {ratio} | {goal}");
        // A String takes everything.
        let _ = writeln!(self.lines, "| {what} | {ours} | {peer} | {ratio} | {goal} |");
    }

    /// The lines for two programs that do the same: time and memory.
    pub(crate) fn costs(&mut self, what: &str, (ours, peer): (Cost, Cost), name: &str, goals: (&str, &str)) {
        let ratio = |ours: Duration, peer: Duration| peer.as_secs_f64() / ours.as_secs_f64().max(1e-9);
        let times = |cost: Cost| format!("{} ({})", milliseconds(cost.processor), milliseconds(cost.wall));
        self.line(
            &format!("{what}: processor time (wall time)"),
            &times(ours),
            &format!("{name}: {}", times(peer)),
            &format!(
                "{:.1} ({:.1}) times faster",
                ratio(ours.processor, peer.processor),
                ratio(ours.wall, peer.wall)
            ),
            goals.0,
        );
        let megabytes = |cost: Cost| format!("{:.1} MB", cost.memory as f64 / 1e6);
        self.line(
            &format!("{what}: peak memory"),
            &megabytes(ours),
            &format!("{name}: {}", megabytes(peer)),
            &format!("{:.0} %", 100.0 * ours.memory as f64 / peer.memory.max(1) as f64),
            goals.1,
        );
    }

    /// A sentence below the table.
    pub(crate) fn note(&mut self, text: String) {
        eprintln!("{text}");
        self.notes.push(text);
    }

    pub(crate) fn finish(self, rounds: usize) -> String {
        let mut text = format!(
            "Measured on {} ({}). Programs: the best of {rounds} runs, in turn, output thrown away. Library: processor \
             time of one thread, the best of many rounds in turn.\n\n\
             | what | ours | peer | ratio | goal |\n|---|---|---|---|---|\n{}",
            today(),
            processor(),
            self.lines
        );
        for note in self.notes {
            // A String takes everything.
            let _ = write!(text, "\n- {note}");
        }
        text.push('\n');
        text
    }
}

pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// The date, from `date`; no time zone is worth a dependency.
fn today() -> String {
    let output = Command::new("date").arg("+%Y-%m-%d").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.ok().filter(|text| !text.is_empty()).unwrap_or_else(|| "an unknown day".to_owned())
}

/// The processor's model, how many of them there are, and how busy they are.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut models = text.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = models.next().map_or("an unknown processor", |(_, model)| model.trim());
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split_whitespace().next().unwrap_or("unknown");
    format!("{model}, {count} processors, load {load}")
}
