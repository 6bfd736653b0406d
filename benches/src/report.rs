//! What stands above a table: when and where it was measured.

use std::process::Command;

/// `2026-11-25 (Intel(R) Xeon(R) CPU, 2 processors)`
#[must_use]
pub fn when_and_where() -> String {
    format!("{} ({})", today(), processor())
}

/// The date, from `date`; no time zone is worth a dependency.
fn today() -> String {
    let output = Command::new("date").arg("+%Y-%m-%d").output();
    output.map_or_else(
        |_| "an unknown day".to_string(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_string(),
    )
}

/// The processor's model, and how many of them there are.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let mut models = text.lines().filter_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = models.next().map_or("an unknown processor", |(_, model)| model.trim());
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{model}, {count} processors")
}
