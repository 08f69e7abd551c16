//! Texts and patterns without what obfuscation adds.
//!
//! `v i.a-gg_r4` is squeezed to `viagra`: blanks and signs go, digits become the letters they stand for, and what stands there
//! twice is written once. The same is done to patterns (`v[_\W]?[i1!|l][_\W]?[a4@]...`), so that words are left of which strings
//! can be found. A match of the pattern is squeezed to a match of the squeezed pattern, and stands in the squeezed text: bytes
//! are mapped one by one, and runs are shortened alike.

use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind};

use super::plain::{ascii_members, byte_class};

/// What becomes of signs that stand for letters, such as `@`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signs {
    /// They go: what pulls letters apart may be such a sign, too.
    Gone,
    /// They become letters. Texts without such signs are squeezed alike.
    Letters,
}

/// What becomes of each byte; 0 of those that go.
const GONE: [u8; 256] = table(false);
const LETTERS: [u8; 256] = table(true);

const fn table(signs: bool) -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte as usize] = match byte {
            b'0' => b'o',
            b'1' | b'l' | b'L' => b'i',
            b'3' => b'e',
            b'4' => b'a',
            b'5' => b's',
            b'7' => b't',
            b'8' => b'b',
            b'@' if signs => b'a',
            b'!' | b'|' | b'?' if signs => b'i',
            b'$' if signs => b's',
            _ if byte.is_ascii_alphanumeric() => byte.to_ascii_lowercase(),
            _ => 0,
        };
        byte += 1;
    }
    table
}

impl Signs {
    fn table(self) -> &'static [u8; 256] {
        match self {
            Signs::Gone => &GONE,
            Signs::Letters => &LETTERS,
        }
    }
}

/// The squeezed text, in `out`. Returns whether it has signs that stand for letters.
pub fn squeeze(text: &[u8], signs: Signs, out: &mut Vec<u8>) -> bool {
    let table = signs.table();
    out.clear();
    out.resize(text.len(), 0);
    let (mut length, mut last, mut different) = (0, 0, 0);
    for &byte in text {
        let squeezed = table[usize::from(byte)];
        different |= GONE[usize::from(byte)] ^ LETTERS[usize::from(byte)];
        // without a branch: which bytes stay cannot be foreseen
        out[length] = squeezed;
        let stays = (squeezed != 0) & (squeezed != last);
        length += usize::from(stays);
        last = if stays { squeezed } else { last };
    }
    out.truncate(length);
    different != 0
}

/// A pattern whose matches, runs shortened, are at least the squeezed matches of `hir`.
pub fn squeezed(hir: &Hir, signs: Signs) -> Hir {
    let table = signs.table();
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Hir::empty(),
        HirKind::Literal(literal) => {
            let mut squeezed = Vec::new();
            squeeze(&literal.0, signs, &mut squeezed);
            Hir::literal(squeezed)
        }
        HirKind::Class(class) => match byte_class(class) {
            Some(class) => of_class(&class, table),
            // of characters of several bytes nothing stays
            None => Hir::alternation(vec![Hir::empty(), of_class(&ascii_members(class), table)]),
        },
        HirKind::Capture(capture) => squeezed(&capture.sub, signs),
        HirKind::Repetition(repetition) => {
            let sub = squeezed(&repetition.sub, signs);
            let once = || sub.clone();
            match (sub.kind(), repetition.min, repetition.max) {
                // the empty string or a byte, as often as one likes
                (HirKind::Empty, ..) => sub,
                (HirKind::Literal(literal), 1.., _) if literal.0.len() == 1 => sub,
                (_, 1, Some(2)) => Hir::alternation(vec![once(), Hir::concat(vec![once(), once()])]),
                _ => Hir::repetition(repetition.with(sub)),
            }
        }
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(|part| squeezed(part, signs)).collect()),
        HirKind::Alternation(branches) => {
            Hir::alternation(branches.iter().map(|branch| squeezed(branch, signs)).collect())
        }
    }
}

fn of_class(class: &ClassBytes, table: &[u8; 256]) -> Hir {
    let bytes = class.ranges().iter().flat_map(|range| range.start()..=range.end());
    let (stay, go): (Vec<u8>, Vec<u8>) =
        bytes.map(|byte| table[usize::from(byte)]).partition(|&byte| byte != 0);
    let left = stay.iter().map(|&byte| ClassBytesRange::new(byte, byte));
    let left = Hir::class(Class::Bytes(ClassBytes::new(left)));
    match (go.is_empty(), stay.is_empty()) {
        (true, _) => left,
        (false, true) => Hir::empty(),
        (false, false) => Hir::alternation(vec![Hir::empty(), left]),
    }
}

#[cfg(test)]
mod tests {
    use regex_syntax::ParserBuilder;

    use super::*;

    fn squeeze_of(text: &[u8], signs: Signs) -> Vec<u8> {
        let mut out = b"old".to_vec();
        let different = squeeze(text, signs, &mut out);
        assert_eq!(different, text.iter().any(|byte| b"@!|?$".contains(byte)));
        out
    }

    fn parsed(pattern: &str) -> Hir {
        let mut parser = ParserBuilder::new();
        parser.unicode(false).utf8(false).case_insensitive(true).build().parse(pattern).unwrap()
    }

    #[test]
    fn what_obfuscation_adds_goes() {
        assert_eq!(squeeze_of(b"V i.A-g_rr4!", Signs::Gone), b"viagra");
        assert_eq!(squeeze_of(b"C!@l15 \xe9", Signs::Gone), b"cis");
        assert_eq!(squeeze_of(b"C!@l15 \xe9", Signs::Letters), b"ciais");
        assert_eq!(squeeze_of(b" -- ", Signs::Letters), b"");
    }

    #[test]
    fn words_are_left_of_obfuscated_patterns() {
        let of = |pattern, signs| squeezed(&parsed(pattern), signs).to_string();
        assert_eq!(of(r"\bv[_\W]{0,3}g_*r+\b", Signs::Gone), of("vgr", Signs::Gone));
        assert_eq!(of("[e3]{2,4}[a@4]", Signs::Letters), of("ea", Signs::Letters));
        assert_eq!(of("[_!]+", Signs::Gone), "(?:)");
    }
}
