//! Where bytes differ.

use std::ops;

/// Equal bytes between two different ones that do not end a range: code that was moved or patched
/// would fall into hundreds otherwise.
const GAP: usize = 16;

/// Bytes that differ. At the end, one of the files may have none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Range {
    /// Where they begin in the first image.
    pub first: usize,
    /// Where they begin in the second image.
    pub second: usize,
    /// From the first different byte to the last; 0 where only one image has bytes.
    pub length: usize,
    /// How many of these differ.
    pub differing: usize,
    /// Bytes that only the first image has, at its end.
    pub first_more: usize,
    /// Bytes that only the second image has, at its end.
    pub second_more: usize,
}

impl Range {
    pub(super) fn moved(self, first: usize, second: usize) -> Self {
        Self { first: self.first + first, second: self.second + second, ..self }
    }
}

/// The ranges in which two images differ, without the bytes at `places`, which are sorted.
pub(super) fn between(first: &[u8], second: &[u8], places: &[ops::Range<usize>]) -> Vec<Range> {
    let mut ranges: Vec<Range> = Vec::new();
    let common = first.len().min(second.len());
    let mut begin = 0;
    for place in places.iter().cloned().chain(Some(common..common)) {
        let end = place.start.min(common);
        if begin < end {
            stretch(&mut ranges, begin, &first[begin..end], &second[begin..end]);
        }
        begin = begin.max(place.end);
    }
    let (first_more, second_more) = (first.len() - common, second.len() - common);
    if first_more + second_more != 0 {
        ranges.push(Range {
            first: common,
            second: common,
            length: 0,
            differing: 0,
            first_more,
            second_more,
        });
    }
    ranges
}

fn stretch(ranges: &mut Vec<Range>, begin: usize, first: &[u8], second: &[u8]) {
    let known = ranges.len();
    for (at, _) in first.iter().zip(second).enumerate().filter(|(_, (a, b))| a != b) {
        let at = begin + at;
        match ranges.get_mut(known..).and_then(<[Range]>::last_mut) {
            Some(range) if at - (range.first + range.length) < GAP => {
                range.length = at + 1 - range.first;
                range.differing += 1;
            }
            _ => ranges.push(Range {
                first: at,
                second: at,
                length: 1,
                differing: 1,
                first_more: 0,
                second_more: 0,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(ranges: &[Range]) -> Vec<(usize, usize, usize)> {
        ranges.iter().map(|range| (range.first, range.length, range.differing)).collect()
    }

    #[test]
    fn near_differences_are_one_range() {
        let first = [0; 100];
        let mut second = first;
        (second[3], second[18], second[40]) = (1, 1, 1);
        assert_eq!(spans(&between(&first, &second, &[])), [(3, 16, 2), (40, 1, 1)]);
        assert_eq!(spans(&between(&first, &second, &[0..4, 30..50])), [(18, 1, 1)]);
        assert_eq!(between(&first, &first, &[]), []);
    }

    #[test]
    fn what_only_one_has_is_at_the_end() {
        let ranges = between(&[0; 10], &[0; 7], std::slice::from_ref(&(2..20)));
        assert_eq!(
            (ranges.len(), ranges[0].first, ranges[0].first_more, ranges[0].second_more),
            (1, 7, 3, 0)
        );
    }
}
