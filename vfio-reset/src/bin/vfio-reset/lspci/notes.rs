//! What is wrong with the functions that are printed, on standard error.
//!
//! The text is lspci's, also where a list runs in circles. What that means is said beside it, so that the text
//! stays what it is: one line a defect, with its offset.

use crate::output::Output;
use pcicfg::capability::ChainDefect;
use pcicfg::lspci::Subject;
use pcicfg::{Address, Defect, Defects};
use std::collections::BTreeMap;

/// How many notes are printed; the others are counted. A host has seldom more, a bus that is gone has one a function.
const PRINTED: usize = 20;

pub(super) struct Notes<'o> {
    output: &'o Output,
    /// The text of each note with how often it came and the first function that had it.
    seen: BTreeMap<String, (usize, Address)>,
    order: Vec<String>,
    wanted: bool,
    omitted: usize,
    /// How many functions have capabilities that nobody but root can read, and the first of them.
    hidden: Option<(usize, Address)>,
}

impl<'o> Notes<'o> {
    /// Gathers notes if they are wanted.
    pub(super) fn new(output: &'o Output, wanted: bool) -> Self {
        let wanted = wanted && !output.quiet;
        Self { output, seen: BTreeMap::new(), order: Vec::new(), wanted, omitted: 0, hidden: None }
    }

    /// Notes what is wrong with a function.
    pub(super) fn look_at(&mut self, subject: &Subject<'_>) {
        if !self.wanted {
            return;
        }
        for defect in Defects::of(subject.bytes()) {
            // What everybody gets who is not root: one word for all functions.
            if let Defect::Chain(ChainDefect::Unreadable { size: 64 | 128, .. }) = defect {
                self.hidden.get_or_insert((0, subject.address())).0 += 1;
                continue;
            }
            let text = defect.to_string();
            if let Some((count, _)) = self.seen.get_mut(&text) {
                *count += 1;
            } else if self.order.len() < PRINTED {
                self.seen.insert(text.clone(), (1, subject.address()));
                self.order.push(text);
            } else {
                self.omitted += 1;
            }
        }
    }

    /// Prints them, what several functions share once.
    pub(super) fn end(self) {
        for text in &self.order {
            let Some((count, address)) = self.seen.get(text) else { continue };
            match count - 1 {
                0 => self.output.note(format!("{address}: {text}")),
                others => self.output.note(format!("{address} and {others} more: {text}")),
            }
        }
        if let Some((count, first)) = self.hidden {
            let which = if count > 1 { format!("{first} and {} more", count - 1) } else { first.to_string() };
            self.output.note(format!(
                "{which}: the capabilities from 0x040 on are not there, only the header: they need root, in a dump \
                 -xxx or -xxxx as well"
            ));
        }
        if self.omitted > 0 {
            self.output.note(format!("{} more of such; --quiet prints none", self.omitted));
        }
    }
}
