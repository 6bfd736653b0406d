//! What lspci prints otherwise than we do, by name.
//!
//! Our text is that of lspci 3.14 (as of 2025-12-28). Older versions decode less, newer ones more, and every version
//! has places where it prints what happens to stand in memory. Each entry changes exactly the line or field that it
//! names; nothing is left out of the comparison as a whole.

/// Something that some versions print otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Difference {
    /// Its name in the report.
    pub(crate) name: &'static str,
    /// Which versions print it otherwise.
    pub(crate) versions: fn(Version) -> bool,
    /// Makes of our lines of a function what those print. Theirs are there for what cannot be known, such as the
    /// content of memory; they may only be looked at for that.
    pub(crate) change: fn(&mut Vec<String>, &[String]),
}

/// Major and minor number.
pub(crate) type Version = (u32, u32);

/// Every difference there is.
pub(crate) const ALL: &[Difference] = &[
    Difference {
        name: "CXL range: the name of a reserved code is read from beyond its table",
        versions: |_| true,
        change: beyond_table,
    },
    Difference {
        name: "Enhanced Allocation: an entry that is too short is read from beyond the buffer",
        versions: |_| true,
        change: short_entry,
    },
];

/// Those of a version of lspci.
pub(crate) fn of(version: Version) -> Vec<Difference> {
    ALL.iter().filter(|difference| (difference.versions)(version)).copied().collect()
}

/// Makes of our text what the other version prints; says which differences there were.
pub(crate) fn apply(differences: &[Difference], ours: &str, theirs: &str) -> (String, Vec<bool>) {
    let lines = |text: &str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<String>>();
    let (mut ours, theirs) = (lines(ours), lines(theirs));
    let mut applied = Vec::with_capacity(differences.len());
    for difference in differences {
        let before = ours.clone();
        (difference.change)(&mut ours, &theirs);
        applied.push(before != ours);
    }
    (ours.concat(), applied)
}

/// lspci looks codes up in tables that are shorter than their fields. We print `??` and the code.
fn beyond_table(ours: &mut Vec<String>, theirs: &[String]) {
    const KEYS: [&str; 4] = ["Type=", " Class=", " interleave=", " timeout="];
    // What stands before the first key, and the values.
    let parts = |line: &str| {
        let mut rest = line;
        let mut parts = Vec::new();
        for key in KEYS {
            let (before, after) = rest.split_once(key)?;
            parts.push(before.to_owned());
            rest = after;
        }
        parts.push(rest.to_owned());
        Some(parts)
    };
    for (ours, theirs) in ours.iter_mut().zip(theirs) {
        if let (Some(mut own), Some(other)) = (parts(ours), parts(theirs)) {
            for (own, other) in own.iter_mut().zip(other) {
                if own.starts_with("??") {
                    *own = other;
                }
            }
            *ours = own.iter().zip(KEYS).map(|(part, key)| format!("{part}{key}")).collect::<String>()
                + own.last().map_or("", String::as_str);
        }
    }
}

/// The entry's size is what lspci fetches, its other bits say what it prints.
fn short_entry(ours: &mut Vec<String>, theirs: &[String]) {
    let mut short = false;
    for (ours, theirs) in ours.iter_mut().zip(theirs) {
        if let Some((entry, size)) = ours.split_once(" EntrySize=") {
            short = entry.starts_with("\t\tEntry ") && size.trim_end().parse().is_ok_and(|size: u32| size < 4);
        }
        for field in ["\t\t\t Base: ", "\t\t\t MaxOffset: "] {
            if short && ours.starts_with(field) && theirs.starts_with(field) {
                ours.clone_from(theirs);
            }
        }
    }
}
