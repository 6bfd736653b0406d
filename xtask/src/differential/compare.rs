//! Functions are printed by both programs and compared one by one.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::known::{self, Difference};
use super::modes::NAMES_FILE;
use super::program::{End, Program};
use super::space::{Address, Function, dump};

/// Two programs that shall print the same.
pub(crate) struct Pair<'p> {
    pub(crate) ours: &'p Program,
    pub(crate) theirs: &'p Program,
    /// What is known to differ, by name.
    pub(crate) known: &'p [Difference],
    /// Where dumps are written; no other thread's.
    pub(crate) folder: PathBuf,
}

/// What became of some functions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Compared {
    /// How many functions lspci printed to their end.
    pub(crate) functions: usize,
    /// How many it gave up on; ours printed the same up to there.
    pub(crate) refused: usize,
    /// How many functions showed a known difference, in the order of the list.
    pub(crate) known: Vec<usize>,
    pub(crate) findings: Vec<Finding>,
}

/// A difference without a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// One, or those of a host.
    pub(crate) functions: Vec<Function>,
    pub(crate) arguments: String,
    /// The first line that differs.
    pub(crate) theirs: String,
    pub(crate) ours: String,
}

impl Finding {
    /// Whether both are most likely the same: their lines are, but for numbers.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let words = |line: &str| line.replace(|letter: char| letter.is_ascii_hexdigit(), "");
        words(&self.theirs) == words(&other.theirs) && words(&self.ours) == words(&other.ours)
    }
}

impl Compared {
    fn counted(known: &[Difference]) -> Self {
        Self { known: vec![0; known.len()], ..Self::default() }
    }

    /// Adds another's numbers.
    pub(crate) fn add(&mut self, other: Self) {
        self.functions += other.functions;
        self.refused += other.refused;
        self.known.resize(self.known.len().max(other.known.len()), 0);
        for (count, more) in self.known.iter_mut().zip(other.known) {
            *count += more;
        }
        self.findings.extend(other.findings);
    }
}

/// What lspci printed of a function.
struct Printed<'f> {
    function: &'f Function,
    text: String,
    /// It gave up within this function.
    refused: bool,
}

/// What both print of a host.
enum Host {
    Same,
    /// lspci did not come to an end.
    Refused,
    /// The first lines that differ.
    Differs(String, String),
}

/// Everything that can be printed of a function.
pub(crate) const ALL: &[&str] = &["-vvv", "-n"];

impl Pair<'_> {
    /// Compares all that can be printed of the functions, and with these other options what is printed of those that
    /// lspci can print.
    ///
    /// # Errors
    /// A program cannot be run, or a dump not be written.
    pub(crate) fn compare(&self, functions: &[Function], others: &[&[&str]]) -> Result<Compared> {
        let mut compared = Compared::counted(self.known);
        let printed = self.theirs_of(functions, ALL)?;
        let ours = self.ours_of(functions, ALL)?;
        for (printed, ours) in printed.iter().zip(&ours) {
            self.judge(printed, ours, ALL, &mut compared);
        }
        let good: Vec<Function> = printed
            .iter()
            .filter(|printed| !printed.refused)
            .map(|printed| printed.function.clone())
            .collect();
        for options in others {
            let mut more = Compared::counted(self.known);
            let printed = self.theirs_of(&good, options)?;
            let ours = self.ours_of(&good, options)?;
            for (printed, ours) in printed.iter().zip(&ours) {
                self.judge(printed, ours, options, &mut more);
            }
            compared.findings.extend(more.findings);
        }
        Ok(compared)
    }

    /// Whether what both print of one function differs in a way that has no name: then the first such line.
    ///
    /// # Errors
    /// A program cannot be run, or a dump not be written.
    pub(crate) fn differs(&self, function: &Function, options: &[&str]) -> Result<Option<(String, String)>> {
        let mut compared = Compared::counted(self.known);
        let functions = std::slice::from_ref(function);
        let (printed, ours) = (self.theirs_of(functions, options)?, self.ours_of(functions, options)?);
        for (printed, ours) in printed.iter().zip(&ours) {
            self.judge(printed, ours, options, &mut compared);
        }
        Ok(compared.findings.pop().map(|finding| (finding.theirs, finding.ours)))
    }

    /// Compares what is printed of a whole host; makes it smaller if there is a difference.
    ///
    /// # Errors
    /// A program cannot be run, or a dump not be written.
    pub(crate) fn compare_host(&self, functions: Vec<Function>, options: &[&str]) -> Result<Compared> {
        let mut compared = Compared::counted(self.known);
        // Of a dump without functions lspci says nothing, and ours what is wrong with it.
        if functions.is_empty() {
            return Ok(compared);
        }
        match self.host_differs(&functions, options)? {
            Host::Same => compared.functions = 1,
            Host::Refused => compared.refused = 1,
            Host::Differs(theirs, ours) => {
                let mut best = (functions, theirs, ours);
                let mut index = 0;
                while index < best.0.len() && best.0.len() > 1 {
                    let mut fewer = best.0.clone();
                    fewer.remove(index);
                    match self.host_differs(&fewer, options)? {
                        Host::Differs(theirs, ours) => best = (fewer, theirs, ours),
                        _ => index += 1,
                    }
                }
                let (functions, theirs, ours) = best;
                let arguments = options.join(" ");
                compared.functions = 1;
                compared.findings.push(Finding { functions, arguments, theirs, ours });
            }
        }
        Ok(compared)
    }

    fn host_differs(&self, functions: &[Function], options: &[&str]) -> Result<Host> {
        let theirs = self.run(self.theirs, functions, options)?;
        if theirs.end != End::Success {
            return Ok(Host::Refused);
        }
        let ours = self.run(self.ours, functions, options)?;
        if (&ours.text, ours.end) == (&theirs.text, End::Success) {
            return Ok(Host::Same);
        }
        let mut text = ours.text;
        if ours.end != End::Success {
            text.push_str(&format!("the program failed: {}\n", ours.error));
        }
        let (theirs, ours) = first_difference(&theirs.text, &text);
        Ok(Host::Differs(theirs, ours))
    }

    fn judge(&self, printed: &Printed<'_>, ours: &str, options: &[&str], compared: &mut Compared) {
        let (theirs, function) = (&printed.text, printed.function);
        // What was printed before lspci gave up must be right, too.
        let cut = |text: &str| match printed.refused {
            true => text.get(..theirs.len()).unwrap_or(text).to_owned(),
            false => text.to_owned(),
        };
        if printed.refused {
            compared.refused += 1;
        } else {
            compared.functions += 1;
        }
        let mut text = cut(ours);
        if text != *theirs {
            let (changed, applied) = known::apply(self.known, ours, theirs, function);
            text = cut(&changed);
            for (count, applied) in compared.known.iter_mut().zip(applied) {
                *count += usize::from(applied && text == *theirs);
            }
        }
        if text != *theirs {
            let (theirs, ours) = first_difference(theirs, &text);
            let arguments = options.join(" ");
            compared.findings.push(Finding { functions: vec![function.clone()], arguments, theirs, ours });
        }
    }

    /// What ours prints of each function.
    fn ours_of(&self, functions: &[Function], options: &[&str]) -> Result<Vec<String>> {
        let run = self.run(self.ours, functions, options)?;
        let mut texts: Vec<String> = split(&run.text, functions).into_iter().map(str::to_owned).collect();
        if run.end != End::Success {
            // Whatever is missing is a difference; this says why.
            texts.resize(functions.len(), String::new());
            if let Some(last) = texts.last_mut() {
                last.push_str(&format!("the program failed: {}\n", run.error));
            }
        }
        texts.resize(functions.len(), String::new());
        Ok(texts)
    }

    /// What lspci prints of each function. Where it gives up, it is run again for those after.
    fn theirs_of<'f>(&self, functions: &'f [Function], options: &[&str]) -> Result<Vec<Printed<'f>>> {
        let mut printed = Vec::with_capacity(functions.len());
        let mut rest = functions;
        while !rest.is_empty() {
            let run = self.run(self.theirs, rest, options)?;
            let texts = split(&run.text, rest);
            let complete = match run.end {
                End::Success => rest.len(),
                // The last one it began is the one it gave up on.
                End::Failure if !texts.is_empty() => texts.len() - 1,
                // What it printed is lost: by halves.
                _ if rest.len() > 1 => {
                    let (first, second) = rest.split_at(rest.len() / 2);
                    printed.extend(self.theirs_of(first, options)?);
                    printed.extend(self.theirs_of(second, options)?);
                    return Ok(printed);
                }
                _ => 0,
            };
            for (index, function) in rest.iter().enumerate().take(complete + 1) {
                let text = texts.get(index).copied().unwrap_or_default().to_owned();
                printed.push(Printed { function, text, refused: index == complete });
            }
            rest = rest.get(complete + 1..).unwrap_or_default();
        }
        Ok(printed)
    }

    fn run(
        &self,
        program: &Program,
        functions: &[Function],
        options: &[&str],
    ) -> Result<super::program::Run> {
        let file = self.folder.join("functions.dump");
        fs::write(&file, dump(functions)).with_context(|| format!("cannot write {}", file.display()))?;
        let arguments = [&["-F", "functions.dump", "-i", NAMES_FILE], options].concat();
        program.run(&self.folder, &arguments)
    }
}

/// The part of a text that belongs to each function: from its address at the start of a line to the next one's. There
/// are fewer parts than functions if the text ends before.
pub(crate) fn split<'t>(text: &'t str, functions: &[Function]) -> Vec<&'t str> {
    let mut parts = Vec::with_capacity(functions.len());
    let mut waiting = functions.iter().map(|function| Heading::of(function.address)).peekable();
    let (mut begin, mut at) = (None, 0);
    for line in text.split_inclusive('\n') {
        if waiting.next_if(|heading| heading.begins(line)).is_some()
            && let Some(begin) = begin.replace(at)
        {
            parts.extend(text.get(begin..at));
        }
        at += line.len();
    }
    parts.extend(begin.and_then(|begin| text.get(begin..)));
    parts
}

/// How the text of a function begins.
struct Heading {
    short: String,
    long: String,
}

impl Heading {
    fn of(address: Address) -> Self {
        Self { short: address.short(), long: address.to_string() }
    }

    fn begins(&self, line: &str) -> bool {
        let line = ["Slot:\t", "Device:\t"].iter().find_map(|tag| line.strip_prefix(tag)).unwrap_or(line);
        let rest = line.strip_prefix(&self.long).or_else(|| line.strip_prefix(&self.short));
        rest.is_some_and(|rest| rest.starts_with([' ', '\n']))
    }
}

/// The first lines of two texts that differ.
pub(crate) fn first_difference(theirs: &str, ours: &str) -> (String, String) {
    let (mut theirs, mut ours) = (theirs.split_inclusive('\n'), ours.split_inclusive('\n'));
    loop {
        match (theirs.next(), ours.next()) {
            (Some(theirs), Some(ours)) if theirs == ours => {}
            (theirs, ours) => {
                let shown =
                    |line: Option<&str>| line.map_or("(the end)".to_owned(), |line| format!("{line:?}"));
                return (shown(theirs), shown(ours));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_split_at_the_addresses() {
        let functions: Vec<Function> =
            [0, 1, 2].map(|number| Function { address: Address::of(number), bytes: vec![0] }).into();
        let text = "00:00.0 a\n\t00:00.1 x\n00:00.1 b\n00: 00\n00:00.3 c\n";
        assert_eq!(split(text, &functions), ["00:00.0 a\n\t00:00.1 x\n", "00:00.1 b\n00: 00\n00:00.3 c\n"]);
        let text = "Slot:\t00:00.0\nDevice:\tx\n\nSlot:\t0000:00:00.1\n";
        assert_eq!(split(text, &functions).len(), 2);
        assert!(split("", &functions).is_empty());
    }

    #[test]
    fn the_first_difference_is_shown() {
        let difference = first_difference("a\nb\n", "a\nc\n");
        assert_eq!(difference, ("\"b\\n\"".to_owned(), "\"c\\n\"".to_owned()));
        assert_eq!(first_difference("a\n", "a\nb\n").0, "(the end)");
    }
}
