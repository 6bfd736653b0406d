//! Register traces that `vfio-reset reset --trace` wrote: compared with each other, and with recorded runs.

use std::collections::HashMap;

use serde_json::Value;

use super::number;

/// The longest poll, in accesses: a window's index and its data, for a few registers.
const LONGEST_POLL: usize = 8;

/// Where Base Address Registers and the ROM's are: what they hold is another matter on each machine.
fn is_address(words: &[&str]) -> bool {
    matches!(words, ["CR" | "CW", offset, ..]
        if number(offset).is_ok_and(|at| (0x10..0x28).contains(&at) || (0x30..0x34).contains(&at)))
}

/// What an access is apart from the value that a read gave: a poll is the same question again.
fn question(access: &str) -> &str {
    match access.rsplit_once(' ') {
        Some((asked, _)) if access.starts_with(['R', 'C']) && !access.starts_with("CW") => asked,
        _ => access,
    }
}

/// The accesses of a trace without the names of registers, without delays, and of each poll the last look: how often a
/// register was looked at, and whether it was ready the first time, is a matter of time. Accesses to address registers
/// are left out.
pub(crate) fn folded(trace: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in trace.lines() {
        let access = line.split(" #").next().unwrap_or_default().trim();
        let words: Vec<&str> = access.split_whitespace().collect();
        if !matches!(words.first(), Some(&("R" | "W" | "CR" | "CW"))) || is_address(&words) {
            continue;
        }
        lines.push(access.to_owned());
        for length in 1..=LONGEST_POLL.min(lines.len() / 2) {
            let (before, last) = lines.split_at(lines.len() - length);
            let again = &before[before.len() - length..];
            // Two equal writes are two writes, whatever is read between other ones.
            let asks = last.iter().any(|access| question(access) != access);
            if asks
                && again.iter().map(|access| question(access)).eq(last.iter().map(|access| question(access)))
            {
                lines.drain(lines.len() - 2 * length..lines.len() - length);
                break;
            }
        }
    }
    lines
}

/// Space, offset and value.
type Write = (String, u64, u64);

/// The writes of one run of a file of recorded ones.
pub(crate) fn recorded(text: &str, run: &str) -> Result<Vec<Write>, String> {
    let heading = format!("[{run}]");
    let mut lines = text.lines().skip_while(|line| *line != heading);
    lines.next().ok_or_else(|| format!("no run {run} was recorded"))?;
    let write = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [space, offset, value] = words[..] else { return Err(format!("`{line}` is no write")) };
        Ok((space.to_owned(), number(offset)?, number(value)?))
    };
    lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.is_empty()).map(write).collect()
}

/// The writes of a trace, those through a window of the model resolved to what they reach. Of configuration space only
/// the reset register counts, as in the recorded ones.
pub(crate) fn effective(trace: &str, model: &Value) -> Result<Vec<Write>, String> {
    let at = |value: &Value| number(value.as_str().ok_or("the model is not as expected")?);
    let mut windows = Vec::new();
    for window in model["windows"].as_array().into_iter().flatten() {
        let space = window["space"].as_str().unwrap_or_default().to_owned();
        windows.push((at(&window["index"])?, at(&window["data"])?, space));
    }
    let mm = &model["mm_window"];
    let (low, high, data) = (at(&mm["index"])?, at(&mm["index_hi"])?, at(&mm["data"])?);
    let mut held: HashMap<u64, u64> = HashMap::new();
    let mut writes = Vec::new();
    for line in trace.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (mut space, mut offset, value) = match words[..] {
            ["W", "5", offset, _, value, ..] => ("mmio".to_owned(), number(offset)?, number(value)?),
            ["CW", "0x7c", _, value, ..] => ("cfg".to_owned(), 0x7c, number(value)?),
            _ => continue,
        };
        let get = |held: &HashMap<u64, u64>, index: &u64| held.get(index).copied().unwrap_or(0);
        // The window into the aperture can show another window's registers.
        for _ in 0..2 {
            if space != "mmio" {
                break;
            }
            if offset == data {
                let index = get(&held, &low);
                if index >> 31 == 0 {
                    offset = index;
                } else {
                    (space, offset) = ("vram".to_owned(), get(&held, &high) << 31 | index & 0x7fff_ffff);
                }
            } else if let Some((index, _, behind)) = windows.iter().find(|(_, data, _)| *data == offset) {
                (space, offset) = (behind.clone(), get(&held, index));
            }
        }
        let is_index = offset == low || offset == high || windows.iter().any(|(at, ..)| *at == offset);
        if space == "mmio" && is_index {
            held.insert(offset, value);
        } else {
            writes.push((space, offset, value));
        }
    }
    Ok(writes)
}

/// What differs first, with its place; at most so many lines.
pub(crate) fn first_differences<T: PartialEq + std::fmt::Debug>(old: &[T], new: &[T]) -> Vec<String> {
    let places = (0..old.len().max(new.len())).filter(|&at| old.get(at) != new.get(at));
    places.take(10).map(|at| format!("{at}: {:x?} -> {:x?}", old.get(at), new.get(at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn of_a_poll_the_last_look_counts_and_addresses_not_at_all() {
        let few = "# --- wait\nR 5 0x4 4 0x0 # STATUS\nD 100\nR 5 0x4 4 0x1 # STATUS\nCW 0x10 4 0xe0000000\nCW 0x4 2 0x7\n";
        let many = "R 5 0x4 4 0x0\nR 5 0x4 4 0x0\nR 5 0x4 4 0x0\nR 5 0x4 4 0x1\nCW 0x10 4 0xd0000000\nCW 0x4 2 0x7\n";
        let at_once = "R 5 0x4 4 0x1 # STATUS\nCW 0x4 2 0x7\n";
        assert_eq!(folded(at_once), ["R 5 0x4 4 0x1", "CW 0x4 2 0x7"]);
        assert_eq!(folded(few), folded(at_once));
        assert_eq!(folded(many), folded(at_once));
        let window = "W 5 0x38 4 0x9\nR 5 0x3c 4 0x0\n".repeat(5) + "W 5 0x38 4 0x9\nR 5 0x3c 4 0x1\n";
        assert_eq!(folded(&window), ["W 5 0x38 4 0x9", "R 5 0x3c 4 0x1"]);
        let table = "W 5 0x0 4 0x0\nR 5 0x4 4 0x0\nW 5 0x0 4 0x4\nR 5 0x4 4 0x0\n";
        assert_eq!(folded(table).len(), 4, "another question each time");
        assert_eq!(folded("W 5 0x8 4 0x1\nW 5 0x8 4 0x1\n").len(), 2);
        assert_ne!(folded("R 5 0x4 4 0x1\n"), folded("R 5 0x4 4 0x2\n"), "the answer counts");
    }

    #[test]
    fn a_write_through_a_window_is_one_to_what_is_behind() {
        let model = json!({
            "windows": [{ "index": "0x38", "data": "0x3c", "space": "smn" }],
            "mm_window": { "index": "0x0", "index_hi": "0x18", "data": "0x4" },
        });
        let trace = "W 5 0x38 4 0x00016080 # X\nW 5 0x3c 4 0x1\nR 5 0x3c 4 0x1\nW 5 0x0 4 0x80000010\nW 5 0x18 4 0x1\n\
            W 5 0x4 4 0x2\nW 5 0x0 4 0x3c\nW 5 0x4 4 0x3\nCW 0x4 2 0x7\nCW 0x7c 4 0x39d5e86b\n";
        let text = "[other]\nmmio 0x1 0x1\n[mine]\nsmn 0x16080 0x1\nvram 0x80000010 0x2\nsmn 0x16080 0x3\ncfg 0x7c 0x39d5e86b\n\n";
        let (wanted, found) = (recorded(text, "mine").unwrap(), effective(trace, &model).unwrap());
        assert_eq!(first_differences(&wanted, &found), Vec::<String>::new());
        assert!(recorded(text, "none").is_err());
        assert_eq!(first_differences(&wanted[..3], &found).len(), 1);
    }
}
