//! Words within an edit distance, as whole words: what OCR makes of letters.

use std::ops::Range;

/// Words, any of which may differ by so many characters.
#[derive(Clone, Debug)]
pub struct Fuzzy {
    pub words: Vec<String>,
    pub distance: u32,
}

impl Fuzzy {
    /// The text of whole words that ends at `end` and is within the distance of one of the words.
    /// Hyperscan reports ends only, and knows no word boundaries together with a distance.
    pub fn ending_at(&self, unit: &[u8], end: usize) -> Option<Range<usize>> {
        let in_word = |at: usize| unit.get(at).is_some_and(u8::is_ascii_alphanumeric);
        if in_word(end) || end == 0 || !in_word(end - 1) {
            return None;
        }
        let slack = self.distance as usize;
        self.words.iter().find_map(|word| {
            let first = end.saturating_sub(word.len() + slack);
            let last = end.saturating_sub(word.len().saturating_sub(slack));
            (first..=last)
                .filter(|&start| in_word(start) && (start == 0 || !in_word(start - 1)))
                .find(|&start| {
                    unit.get(start..end).is_some_and(|text| differs(text, word.as_bytes()) <= slack)
                })
                .map(|start| start..end)
        })
    }
}

/// Insertions, deletions and replacements that make `a` of `b`, letter case apart.
fn differs(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(!x.eq_ignore_ascii_case(y));
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        assert_eq!(differs(b"V1AGRA", b"viagra"), 1);
        assert_eq!(differs(b"vi agra", b"viagra"), 1);
        assert_eq!(differs(b"", b"abc"), 3);
        assert_eq!(differs(b"kitten", b"sitting"), 3);
    }

    #[test]
    fn only_whole_words_count() {
        let fuzzy = Fuzzy { words: vec!["viagra".into(), "cialis".into()], distance: 1 };
        assert_eq!(fuzzy.ending_at(b"buy Vlagra now", 10), Some(4..10));
        assert_eq!(fuzzy.ending_at(b"buy Vlagra now", 9), None);
        assert_eq!(fuzzy.ending_at(b"buy cialls", 10), Some(4..10));
        assert_eq!(fuzzy.ending_at(b"specialist", 10), None);
        assert_eq!(fuzzy.ending_at(b"", 0), None);
    }
}
