//! What must a text have at the least for a pattern to match?
//!
//! Where a pattern has no strings to look for, its matches still have a least length, and bytes of some kinds: a digit, a `$`,
//! a capital letter. Both are known of a text at once for all patterns.

use regex_syntax::hir::{Hir, HirKind};

use super::{frequency::byte as frequency, plain::byte_class};

/// So many kinds of bytes are looked for, the rarest.
const KINDS: usize = 3;

/// Some of the 256 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub [u64; 4]);

impl Bytes {
    /// The bytes of a text.
    pub fn of(text: &[u8]) -> Bytes {
        text.iter().copied().collect()
    }

    fn meets(&self, other: &Bytes) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    fn frequency(&self) -> f64 {
        let is_in = |byte: &u8| self.meets(&Bytes::of(&[*byte]));
        (0..=u8::MAX).filter(is_in).map(frequency).sum()
    }
}

impl FromIterator<u8> for Bytes {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> Bytes {
        let mut all = [0; 4];
        bytes.into_iter().for_each(|byte| all[usize::from(byte >> 6)] |= 1 << (byte & 63));
        Bytes(all)
    }
}

/// What a text must have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// So many bytes.
    pub length: u32,
    /// One of each of these.
    pub kinds: Vec<Bytes>,
}

impl Needs {
    /// The needs of a pattern.
    pub fn of(hir: &Hir) -> Needs {
        let length = hir.properties().minimum_len().unwrap_or(0);
        Needs { length: u32::try_from(length).unwrap_or(u32::MAX), kinds: kinds(hir) }
    }

    /// Whether a text of that length with these bytes has all of it.
    pub fn are_met(&self, length: usize, bytes: &Bytes) -> bool {
        length >= self.length as usize && self.kinds.iter().all(|kind| kind.meets(bytes))
    }
}

fn kinds(hir: &Hir) -> Vec<Bytes> {
    let mut kinds = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Vec::new(),
        HirKind::Literal(literal) => literal.0.iter().map(|&byte| Bytes::of(&[byte])).collect(),
        HirKind::Class(class) => {
            let class = byte_class(class);
            class
                .iter()
                .map(|class| class.ranges().iter().flat_map(|range| range.start()..=range.end()).collect())
                .collect()
        }
        HirKind::Capture(capture) => kinds(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min == 0 => Vec::new(),
        HirKind::Repetition(repetition) => kinds(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().flat_map(kinds).collect(),
        HirKind::Alternation(branches) => {
            // of each branch the rarest kind
            let firsts: Option<Vec<Bytes>> =
                branches.iter().map(|branch| kinds(branch).first().copied()).collect();
            let either = |a: Bytes, b: Bytes| Bytes(std::array::from_fn(|at| a.0[at] | b.0[at]));
            firsts.into_iter().filter_map(|firsts| firsts.into_iter().reduce(either)).collect()
        }
    };
    kinds.sort_by_cached_key(|kind| (kind.frequency() * 1e9) as u64);
    kinds.dedup();
    kinds.truncate(KINDS);
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::regex::{Flags, factors::parsed};

    fn meets(pattern: &str, text: &str) -> bool {
        let needs = Needs::of(&parsed(pattern, Flags { caseless: true, ..Flags::default() }).unwrap());
        needs.are_met(text.len(), &Bytes::of(text.as_bytes()))
    }

    #[test]
    fn a_text_has_what_is_needed_or_not() {
        assert!(meets(r"\$\d{3}", "$100") && meets(r"\$\d{3}", "only 1 for $ 7"));
        assert!(!meets(r"\$\d{3}", "$ one") && !meets(r"\$\d{3}", "$10"));
        assert!(meets("(?:a|b)+c", "BC") && !meets("(?:a|b)+c", "xc"));
        assert!(meets(r"(?:\d+|x)?", "") && meets(r"(?:\d|)z", "z"));
        assert!(meets("[a-z]{5,}", "abcde") && !meets("[a-z]{5,}", "abcd"));
        assert!(!meets("(?:a|q)b|z", "a q"));
    }
}
