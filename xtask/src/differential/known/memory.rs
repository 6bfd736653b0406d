//! Where lspci prints what happens to stand in memory.

use super::Difference;
use super::edit::Printed;

pub(super) const ALL: &[Difference] = &[
    Difference::all("CXL range: the name of a reserved code is read from beyond its table", beyond_table),
    Difference::all(
        "Enhanced Allocation: an entry that is too short is read from beyond the buffer",
        short_entry,
    ),
];

/// The fields of a CXL range, and of those that lspci looks up in a table: the codes that are beyond it, which are all
/// reserved.
const FIELDS: [(&str, std::ops::Range<u32>); 4] =
    [("Type=", 3..8), (" Class=", 3..8), (" interleave=", 8..32), (" timeout=", 0..0)];

/// lspci looks codes up in tables that are shorter than their fields. We print `??` and the code. Where no text stands
/// behind a table, lspci ends by a signal, and what it had written before may end anywhere in the line.
fn beyond_table(printed: &mut Printed<'_>) {
    const KEYS: [&str; 4] = [FIELDS[0].0, FIELDS[1].0, FIELDS[2].0, FIELDS[3].0];
    // What stands before the first key, and the values.
    let parts = |line: &str| {
        let mut rest = line;
        let mut parts = Vec::new();
        for key in KEYS {
            match rest.split_once(key) {
                Some((before, after)) => {
                    parts.push(before.to_owned());
                    rest = after;
                }
                None if parts.is_empty() || line.ends_with('\n') => return None,
                None => {
                    // Cut off, within the next key perhaps.
                    let begun = (0..key.len()).rev().find(|length| rest.ends_with(&key[..*length]));
                    rest = &rest[..rest.len() - begun.unwrap_or(0)];
                    break;
                }
            }
        }
        parts.push(rest.to_owned());
        Some(parts)
    };
    for (ours, theirs) in printed.ours.iter_mut().zip(&printed.theirs) {
        if let (Some(mut own), Some(other)) = (parts(ours), parts(theirs)) {
            // The first part stands before the first field.
            for ((own, other), (_, reserved)) in own.iter_mut().zip(other).skip(1).zip(&FIELDS) {
                let code = own.strip_prefix("??").and_then(|code| code.parse().ok());
                if code.is_some_and(|code| reserved.contains(&code)) {
                    *own = other;
                }
            }
            *ours = own.iter().zip(KEYS).map(|(part, key)| format!("{part}{key}")).collect::<String>()
                + own.last().map_or("", String::as_str);
        }
    }
}

/// The entry's size is what lspci fetches, its other bits say what it prints.
fn short_entry(printed: &mut Printed<'_>) {
    let mut short = false;
    for (ours, theirs) in printed.ours.iter_mut().zip(&printed.theirs) {
        if let Some((entry, size)) = ours.split_once(" EntrySize=") {
            short =
                entry.starts_with("\t\tEntry ") && size.trim_end().parse().is_ok_and(|size: u32| size < 4);
        }
        for field in ["\t\t\t Base: ", "\t\t\t MaxOffset: "] {
            if short && ours.starts_with(field) && theirs.starts_with(field) {
                ours.clone_from(theirs);
            }
        }
    }
}
