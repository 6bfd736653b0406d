//! What a text read in pieces must show: what it shows as a whole. For the property tests and the fuzz target.

use pcicfg::dump::{Dump, DumpErrorKind, MAX_WARNINGS, Piece, Pieces, Warning, WarningKind};

/// What is seen of one function: its address, description, and bytes.
type Seen = (pcicfg::Address, String, Vec<u8>);

/// A text, read in pieces.
#[derive(Default)]
struct Joined {
    functions: Vec<Seen>,
    warnings: Vec<Warning>,
    text: Vec<u8>,
    pieces: usize,
    lines_cut: usize,
    /// Some piece did not keep all of its functions or warnings.
    too_many: bool,
}

/// Reads `text` in pieces and as a whole, and compares; it comes in `steps`, which are used in turn, or as much as is
/// wanted if there is none.
pub(crate) fn check(text: &[u8], piece: usize, longest: usize, steps: &[u8]) {
    let all = joined(text, Pieces::new().with_lengths(piece, longest), steps, usize::MAX);
    let headers = joined(text, Pieces::of_headers().with_lengths(piece, longest), steps, 64);
    assert_eq!((all.pieces, all.lines_cut), (headers.pieces, headers.lines_cut));
    assert_eq!(all.warnings, headers.warnings, "the same is told of headers");
    let cut = |functions: &[Seen]| -> Vec<Seen> {
        let head = |bytes: &[u8]| bytes.get(..64).unwrap_or(bytes).to_vec();
        functions.iter().map(|(address, name, bytes)| (*address, name.clone(), head(bytes))).collect()
    };
    assert_eq!(cut(&all.functions), headers.functions, "the same headers");
    assert!(all.lines_cut == 0 || text.len() >= longest);

    // As a whole: no function has so much text that it is cut in its rows.
    let joined = joined(text, Pieces::new().with_lengths(piece, usize::MAX), steps, usize::MAX);
    let (functions, warnings) = match Dump::parse(text) {
        Ok(dump) => (seen(&dump, usize::MAX), dump.warnings().to_vec()),
        Err(error) => {
            let beyond = error.kind == DumpErrorKind::TooManyFunctions;
            assert!(beyond || joined.functions.is_empty(), "{error}: {:?}", joined.functions);
            return;
        }
    };
    // Which holes are too many depends on how much text stands before them.
    let depends = |warning: &Warning| match warning.kind {
        WarningKind::TooSparse { .. } => true,
        // Rows without a slot line are a function of a text that is one piece.
        WarningKind::AssumedAddress => joined.pieces > 1,
        _ => false,
    };
    if joined.too_many
        || warnings.len() == MAX_WARNINGS
        || warnings.iter().chain(&joined.warnings).any(depends)
    {
        return;
    }
    assert_eq!(functions, joined.functions);
    // These are told of a piece.
    let whole = |warnings: Vec<Warning>| -> Vec<Warning> {
        let of_a_piece = |warning: &Warning| {
            matches!(
                warning.kind,
                WarningKind::Repeated { .. } | WarningKind::NoRows { .. } | WarningKind::Prefixed
            )
        };
        warnings.into_iter().filter(|warning| !of_a_piece(warning)).collect()
    };
    assert_eq!(whole(warnings), whole(joined.warnings));
}

fn seen(dump: &Dump, most: usize) -> Vec<Seen> {
    dump.functions()
        .map(|function| {
            let present = function.present().min(most);
            let bytes = function.bytes().get(..present).expect("present bytes are stored");
            (function.address(), function.description().to_owned(), bytes.to_vec())
        })
        .collect()
}

fn joined(text: &[u8], mut pieces: Pieces, steps: &[u8], most: usize) -> Joined {
    let mut joined = Joined::default();
    let mut steps = steps.iter().cycle();
    let mut rest = text;
    loop {
        let step = steps.next().map_or(pieces.wanted(), |&step| usize::from(step) + 1);
        let (read, after) = rest.split_at(step.min(rest.len()));
        pieces.text().extend_from_slice(read);
        rest = after;
        let end = rest.is_empty();
        let mut lines = joined.text.iter().filter(|&&byte| byte == b'\n').count() as u32;
        while let Some(piece) = pieces.cut(end) {
            joined.add(&piece, &mut lines, most);
        }
        if end {
            break;
        }
    }
    assert!(pieces.cut(true).is_none(), "it has ended");
    assert!(joined.text == text, "no text is lost");
    joined
}

impl Joined {
    fn add(&mut self, piece: &Piece<'_>, lines: &mut u32, most: usize) {
        assert_eq!(piece.offset, self.text.len() as u64);
        assert!(!piece.text.is_empty() || self.text.is_empty());
        self.text.extend_from_slice(piece.text);
        self.functions.extend(seen(&piece.dump, most));
        for warning in piece.dump.warnings() {
            self.warnings.push(Warning { line: warning.line + *lines, ..*warning });
        }
        *lines += piece.text.iter().filter(|&&byte| byte == b'\n').count() as u32;
        self.pieces += 1;
        self.lines_cut += usize::from(piece.cuts_line);
        let beyond = |error: pcicfg::dump::DumpError| error.kind == DumpErrorKind::TooManyFunctions;
        self.too_many |= piece.error.is_some_and(beyond) || piece.dump.warnings().len() == MAX_WARNINGS;
    }
}
