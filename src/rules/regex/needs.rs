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
        let (eights, rest) = text.as_chunks::<8>();
        let mut note = |byte: u8| seen[usize::from(byte)] = 1;
        // unrolled
        eights.iter().for_each(|eight| eight.iter().for_each(|&byte| note(byte)));
        rest.iter().for_each(|&byte| note(byte));
        // The product has the lowest bits of eight bytes side by side at its top.
        const GATHER: u64 = 0x0102_0408_1020_4080;
        let (eights, _) = seen.as_chunks::<8>();
        let gathered =
            eights.iter().map(|eight| (u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56) as u8);
        let mut bits = [0; 32];
        bits.iter_mut().zip(gathered).for_each(|(bits, gathered)| *bits = gathered);
        let (words, _) = bits.as_chunks::<8>();
        Bytes(std::array::from_fn(|at| words.get(at).map_or(0, |word| u64::from_le_bytes(*word))))
    }

    pub fn has(&self, byte: u8) -> bool {
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

/// Most texts have a line of fewer bytes than this, if they are long enough.
const LONG_LINE: u32 = 40;

/// Bytes of the longest line.
fn longest_line(text: &[u8]) -> usize {
    let mut line = (0, 0);
    for end in memchr::memchr_iter(b'\n', text).chain([text.len()]) {
        line = (end + 1, (end - line.0).max(line.1));
    }
    line.1
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

/// The needs of many patterns, to be compared with what a text has.
#[derive(Debug, Default)]
pub struct Demands {
    /// Each kind once, however many patterns need it.
    kinds: Vec<Bytes>,
    /// Whether one of them needs a long line.
    lines: bool,
}

/// What one of the patterns needs: length, line, and kinds as bits.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    length: u32,
    line: u32,
    kinds: u128,
}

/// What a text has, in the same terms.
#[derive(Clone, Copy, Debug)]
pub struct Offer {
    length: u32,
    line: u32,
    kinds: u128,
}

impl Demands {
    /// Takes the needs of one more pattern.
    pub fn add(&mut self, needs: &Needs) -> Demand {
        let mut kinds = 0;
        // every text has what is all bytes
        for kind in needs.kinds.iter().filter(|kind| kind.0 != [u64::MAX; 4]) {
            let known = self.kinds.iter().position(|known| known == kind);
            let at = known.unwrap_or_else(|| {
                self.kinds.push(*kind);
                self.kinds.len() - 1
            });
            // without a bit the kind is taken for granted
            kinds |= 1_u128.checked_shl(at as u32).unwrap_or(0);
        }
        let line = if needs.line >= LONG_LINE { needs.line } else { 0 };
        self.lines |= line > 0;
        Demand { length: needs.length, line, kinds }
    }

    /// What a text has. An empty one has no bytes, and may be all that is asked for.
    pub fn of(&self, text: &[u8]) -> Offer {
        let bytes = Bytes::of(text);
        let line = if self.lines { longest_line(text) } else { 0 };
        let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let has = |kind: &Bytes| u64::from(text.is_empty() || kind.meets(&bytes));
        let word = |kinds: &[Bytes]| (0..).zip(kinds).fold(0, |word, (at, kind)| word | has(kind) << at);
        let mut words = self.kinds.chunks(64).map(word);
        let mut next = || u128::from(words.next().unwrap_or(0));
        let kinds = next() | next() << 64;
        Offer { length: number(text.len()), line: number(line), kinds }
    }
}

impl Demand {
    /// Whether a text has all of it.
    pub fn is_met(&self, offer: &Offer) -> bool {
        (offer.length >= self.length) & (offer.line >= self.line) & (self.kinds & !offer.kinds == 0)
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

/// The bytes that are matches; `None` where a match may be anything but one byte.
pub fn only(hir: &Hir) -> Option<Bytes> {
    match hir.kind() {
        HirKind::Literal(literal) if literal.0.len() == 1 => Some(literal.0.iter().copied().collect()),
        HirKind::Class(class) => {
            Some(byte_class(class)?.ranges().iter().flat_map(|range| range.start()..=range.end()).collect())
        }
        _ => None,
    }
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
        let mut demands = Demands::default();
        let demand = demands.add(&needs);
        demand.is_met(&demands.of(text.as_bytes()))
    }

    #[test]
    fn what_is_asked_for_too_late_is_taken_for_granted() {
        let mut demands = Demands::default();
        let one = |byte: u8| {
            let mut needs = Needs::default();
            needs.kinds[0] = [byte].into_iter().collect();
            needs
        };
        let all: Vec<Demand> = (0..=u8::MAX).map(|byte| demands.add(&one(byte))).collect();
        let offer = demands.of(b"\x01");
        assert!(all[1].is_met(&offer) && !all[2].is_met(&offer) && all[200].is_met(&offer));
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
        let lines =
            |lengths: &[usize]| lengths.iter().map(|&length| "1".repeat(length) + "\n").collect::<String>();
        assert!(meets(r"^[^\r\n]{50}", &lines(&[0, 50])) && !meets(r"^[^\r\n]{50}", &lines(&[30, 9, 49])));
        assert!(meets(r"1[^b]{50}", &lines(&[20, 40])) && meets(r"(?:x{50}|y)z", "yz"));
        assert!(!meets(r"11(?:c.{50}|d{60})+", &(lines(&[40, 40]) + "cd")));
        // what most texts have is not looked for
        assert!(meets(r"^[^\r\n]{9}", &lines(&[5, 5])));
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
