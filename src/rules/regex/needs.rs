//! What must a text have at the least for a pattern to match?
//!
//! Where a pattern has no strings to look for, its matches still have a least length, and bytes of some kinds: a digit, a `$`,
//! a capital letter. Both are known of a text at once for all patterns.

use regex_syntax::hir::{Hir, HirKind};

use super::{frequency::byte as frequency, plain::byte_class};

/// So many kinds of bytes are looked for, the rarest.
pub const KINDS: usize = 3;

/// Some of the 256 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub [u64; 4]);

impl Bytes {
    /// The bytes of a text, which may be long.
    pub fn of(text: &[u8]) -> Bytes {
        // A byte each, as bits of one word would have to wait for one another.
        let mut seen = [0u8; 256];
        text.iter().for_each(|&byte| seen[usize::from(byte)] = 1);
        let (words, _) = seen.as_chunks::<64>();
        let word =
            |seen: &[u8; 64]| (0..).zip(seen).fold(0, |word, (at, &seen)| word | u64::from(seen) << at);
        Bytes(std::array::from_fn(|at| words.get(at).map_or(0, word)))
    }

    fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    fn meets(&self, other: &Bytes) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    fn with(&self, other: &Bytes) -> Bytes {
        Bytes(std::array::from_fn(|at| self.0[at] | other.0[at]))
    }

    /// How many of a hundred bytes of mail are among them, divided by a hundred.
    pub fn frequency(&self) -> f64 {
        (0..=u8::MAX).filter(|byte| self.has(*byte)).map(frequency).sum()
    }
}

impl FromIterator<u8> for Bytes {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> Bytes {
        let mut all = [0; 4];
        bytes.into_iter().for_each(|byte| all[usize::from(byte >> 6)] |= 1 << (byte & 63));
        Bytes(all)
    }
}

/// What a text has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Text {
    length: usize,
    /// Bytes of its longest line.
    line: usize,
    bytes: Bytes,
}

impl Text {
    /// What `text` has.
    pub fn of(text: &[u8]) -> Text {
        let mut line = (0, 0);
        for end in memchr::memchr_iter(b'\n', text).chain([text.len()]) {
            line = (end + 1, (end - line.0).max(line.1));
        }
        Text { length: text.len(), line: line.1, bytes: Bytes::of(text) }
    }
}

/// What a text must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// So many bytes.
    pub length: u32,
    /// A line of so many.
    pub line: u32,
    /// One of each of these.
    pub kinds: [Bytes; KINDS],
}

impl Default for Needs {
    fn default() -> Needs {
        Needs { length: 0, line: 0, kinds: [Bytes([u64::MAX; 4]); KINDS] }
    }
}

impl Needs {
    /// The needs of a pattern.
    pub fn of(hir: &Hir) -> Needs {
        let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let length = number(hir.properties().minimum_len().unwrap_or(0));
        let mut needs = Needs { length, line: number(line(hir)), ..Needs::default() };
        for (kind, known) in needs.kinds.iter_mut().zip(kinds(hir)) {
            *kind = known;
        }
        needs
    }

    /// Whether a text has all of it. An empty one has no bytes, and may be all that is asked for.
    pub fn are_met(&self, text: &Text) -> bool {
        let is_long = text.length >= self.length as usize && text.line >= self.line as usize;
        is_long && (text.length == 0 || self.kinds.iter().all(|kind| kind.meets(&text.bytes)))
    }
}

/// So many bytes of one line are in every match, at least.
fn line(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => {
            literal.0.split(|&byte| byte == b'\n').map(<[u8]>::len).max().unwrap_or(0)
        }
        HirKind::Class(class) => {
            let breaks = byte_class(class).is_none_or(|class| {
                class.ranges().iter().any(|range| (range.start()..=range.end()).contains(&b'\n'))
            });
            usize::from(!breaks)
        }
        HirKind::Capture(capture) => line(&capture.sub),
        HirKind::Repetition(repetition) => {
            let times = match repetition.sub.kind() {
                HirKind::Class(_) => repetition.min as usize,
                _ => repetition.min.min(1) as usize,
            };
            line(&repetition.sub) * times
        }
        HirKind::Concat(parts) => parts.iter().map(line).max().unwrap_or(0),
        HirKind::Alternation(branches) => branches.iter().map(line).min().unwrap_or(0),
    }
}

fn kinds(hir: &Hir) -> Vec<Bytes> {
    let mut kinds = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Vec::new(),
        HirKind::Literal(literal) => literal.0.iter().map(|&byte| [byte].into_iter().collect()).collect(),
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
            let either = |a: Bytes, b: Bytes| a.with(&b);
            firsts.into_iter().filter_map(|firsts| firsts.into_iter().reduce(either)).collect()
        }
    };
    kinds.sort_by_cached_key(|kind| (kind.frequency() * 1e9) as u64);
    kinds.dedup();
    kinds.truncate(KINDS);
    kinds
}

/// The bytes that a match may begin with; all of them where it may be empty.
pub fn first(hir: &Hir) -> Bytes {
    let mut first = Bytes::default();
    if add_first(hir, &mut first) {
        return Bytes([u64::MAX; 4]);
    }
    first
}

/// Adds the bytes that `hir` may begin with. Returns whether it may be empty.
fn add_first(hir: &Hir, first: &mut Bytes) -> bool {
    let mut add = |bytes: Bytes| *first = first.with(&bytes);
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => {
            add(literal.0.iter().copied().take(1).collect());
            false
        }
        HirKind::Class(class) => {
            match byte_class(class) {
                Some(class) => {
                    add(class.ranges().iter().flat_map(|range| range.start()..=range.end()).collect())
                }
                None => add(Bytes([u64::MAX; 4])),
            }
            false
        }
        HirKind::Capture(capture) => add_first(&capture.sub, first),
        HirKind::Repetition(repetition) => add_first(&repetition.sub, first) || repetition.min == 0,
        HirKind::Concat(parts) => parts.iter().all(|part| add_first(part, first)),
        HirKind::Alternation(branches) => {
            // each branch adds its own, so that none may be passed over
            branches.iter().filter(|branch| add_first(branch, first)).count() > 0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::regex::{Flags, factors::parsed};

    fn meets(pattern: &str, text: &str) -> bool {
        let needs = Needs::of(&parsed(pattern, Flags { caseless: true, ..Flags::default() }).unwrap());
        needs.are_met(&Text::of(text.as_bytes()))
    }

    #[test]
    fn a_text_has_what_is_needed_or_not() {
        assert!(meets(r"\$\d{3}", "$100") && meets(r"\$\d{3}", "only 1 for $ 7"));
        assert!(!meets(r"\$\d{3}", "$ one") && !meets(r"\$\d{3}", "$10"));
        assert!(meets("(?:a|b)+c", "BC") && !meets("(?:a|b)+c", "xc"));
        assert!(meets(r"(?:\d+|x)?", "") && meets(r"(?:\d|)z", "z"));
        assert!(meets("[a-z]{5,}", "abcde") && !meets("[a-z]{5,}", "abcd"));
        assert!(!meets("(?:a|q)b|z", "a q"));
        assert!(meets("^(?:a*|b)$", "") && !meets("^ab?$", ""));
    }

    #[test]
    fn a_long_line_is_needed_or_not() {
        assert!(meets(r"^[^\r\n]{9}", "\n123456789") && !meets(r"^[^\r\n]{9}", "12345\n6789\n12345678"));
        assert!(meets(r"a[^b]{9}", "a12345\n6789") && meets(r"(?:x{9}|y)z", "yz"));
        assert!(!meets(r"ab(?:c.{5}|d{8})+", "abd\nc234\n5"));
    }

    #[test]
    fn the_first_bytes_are_known() {
        let first = |pattern: &str| first(&parsed(pattern, Flags::default()).unwrap());
        assert_eq!(first("(?:x?[a-c]|de|(?:f{0,3}g)+)h"), Bytes::of(b"xabcdfg"));
        assert_eq!(first(r"\b^(?:z*|y)q$"), Bytes::of(b"zyq"));
        assert_eq!(first("a*"), Bytes([u64::MAX; 4]));
        assert!(first("[e ]").frequency() > first("[qx]").frequency());
    }
}
