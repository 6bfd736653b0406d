//! Changing lines.

/// What both programs printed of a function, and its bytes.
pub(super) struct Printed<'p> {
    /// Our lines, each with its end: these are changed.
    pub(super) ours: Vec<String>,
    /// Theirs, to be looked at only for what cannot be known, such as the content of memory.
    pub(super) theirs: Vec<String>,
    pub(super) bytes: &'p [u8],
}

impl Printed<'_> {
    /// The little-endian word at `at`; all ones where nothing can be read.
    pub(super) fn word(&self, at: usize) -> u16 {
        let byte = |at: usize| self.bytes.get(at).copied().unwrap_or(0xff);
        u16::from_le_bytes([byte(at), byte(at + 1)])
    }

    /// Our lines that begin so.
    pub(super) fn beginning<'l>(&'l mut self, begin: &'l str) -> impl Iterator<Item = &'l mut String> {
        self.ours.iter_mut().filter(move |line| line.starts_with(begin))
    }

    /// Takes `name` with the sign behind it out of the lines that begin so.
    pub(super) fn drop_flag(&mut self, begin: &str, name: &str) {
        for line in self.beginning(begin) {
            if let Some(at) = line.find(name) {
                let end = at + name.len();
                if line.get(end..=end).is_some_and(|sign| matches!(sign, "+" | "-")) {
                    line.replace_range(at..=end, "");
                }
            }
        }
    }

    /// Puts `new` in the place of `old` in the lines that begin so.
    pub(super) fn replace(&mut self, begin: &str, old: &str, new: &str) {
        for line in self.beginning(begin) {
            *line = line.replacen(old, new, 1);
        }
    }

    /// Puts what `make` makes of a number in the place of `before` and the number, in the lines that contain `mark`.
    pub(super) fn number(&mut self, mark: &str, before: &str, make: impl Fn(u32) -> String) {
        for line in self.ours.iter_mut().filter(|line| line.contains(mark)) {
            let Some(at) = line.find(before) else { continue };
            let digits = line[at + before.len()..].bytes().take_while(u8::is_ascii_digit).count();
            let end = at + before.len() + digits;
            if let Ok(number) = line[at + before.len()..end].parse() {
                line.replace_range(at..end, &make(number));
            }
        }
    }

    /// The places of the first lines of capabilities whose name, that is what follows their position, begins so.
    pub(super) fn capabilities(&self, name: &str) -> Vec<usize> {
        let is = |line: &String| named(line).is_some_and(|(_, rest)| rest.starts_with(name));
        self.ours.iter().enumerate().filter(|(_, line)| is(line)).map(|(place, _)| place).collect()
    }

    /// The offset in the first line of a capability.
    pub(super) fn offset(&self, place: usize) -> usize {
        let digits = self.ours.get(place).and_then(|line| named(line)).map(|(offset, _)| offset);
        digits.and_then(|digits| usize::from_str_radix(&digits, 16).ok()).unwrap_or_default()
    }

    /// The places of the lines that belong to the capability whose first line is at `place`.
    pub(super) fn body(&self, place: usize) -> std::ops::Range<usize> {
        place + 1..place + 1 + body(&self.ours[place + 1..])
    }

    /// Leaves of a capability its first line, with another name.
    pub(super) fn name_only(&mut self, name: &str, other: &str) {
        for place in self.capabilities(name).into_iter().rev() {
            let body = self.body(place);
            self.ours.drain(body);
            self.replace_name(place, name, other);
        }
    }

    /// Puts another in the place of a name in the first line of a capability.
    pub(super) fn replace_name(&mut self, place: usize, name: &str, other: &str) {
        if let Some(line) = self.ours.get_mut(place)
            && let Some(at) = line.find(name)
        {
            line.replace_range(at..at + name.len(), other);
        }
    }

    /// Takes over their lines of the capabilities whose first line is the same and whose name begins so.
    pub(super) fn take_body(&mut self, name: &str) {
        for place in self.capabilities(name).into_iter().rev() {
            let first = self.ours[place].clone();
            let how_manieth = self.ours[..place].iter().filter(|line| **line == first).count();
            let theirs = self.theirs.iter().enumerate().filter(|(_, line)| **line == first).nth(how_manieth);
            let Some((begin, _)) = theirs else { continue };
            let rest = &self.theirs[begin + 1..];
            let lines = rest[..body(rest)].to_vec();
            let own = self.body(place);
            self.ours.splice(own, lines);
        }
    }
}

/// Position and name in the first line of a capability: `\tCapabilities: [100 v1] Name`. One before may have been left
/// without a name and a line end.
fn named(line: &str) -> Option<(String, &str)> {
    let (_, last) =
        line.rsplit_once("\tCapabilities: [").filter(|_| line.starts_with("\tCapabilities: ["))?;
    let (position, rest) = last.split_once("] ")?;
    Some((position.split(' ').next().unwrap_or_default().to_owned(), rest))
}

/// How many lines belong to the capability before them.
fn body(lines: &[String]) -> usize {
    lines.iter().take_while(|line| line.starts_with("\t\t")).count()
}
