//! The tokens of a text: words, pairs of words, and characters four by four.

use super::{
    folded::{self, BLANK, Folded},
    hash::fingerprint,
    tokens::Field,
    words,
};

/// What is looked at in a text beside its words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// The longest distance of two words that make a pair (an orthogonal sparse bigram), 0 for none.
    pub pairs: usize,
    pub fours: Fours,
}

/// Which characters are looked at, four by four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fours {
    No,
    /// A quarter of them, the same ones in all texts: there are so many that they say everything several times over.
    Some,
    All,
}

/// Finds the tokens of texts. Its room is used again for each text.
#[derive(Clone, Debug, Default)]
pub(super) struct Finder {
    ascii: words::Ascii,
    /// The characters of an ASCII text as fours have them.
    grams: Vec<u8>,
    /// Those that are looked at, of an ASCII text: as long as the longest one so far, as clearing it would take its time.
    fours: Vec<u32>,
    /// The characters of a text that is not ASCII.
    folded: Vec<Folded>,
}

impl Finder {
    /// Appends the tokens of `text`.
    pub(super) fn find(&mut self, found: &mut Vec<u64>, field: Field, text: &str, look: Look) {
        // An mbox, or a transport, may add an empty line.
        let text = text.trim_ascii_end();
        let four = |four: u64| fingerprint(field ^ GRAM, four);
        if text.is_ascii() {
            self.ascii.read(text.as_bytes());
            self.ascii.words(found, field, look.pairs);
            self.of_ascii(look.fours, found, four);
        } else {
            folded::fold(text, &mut self.folded);
            words::of_folded(found, field, &self.folded, look.pairs);
            found.extend(of_folded(&self.folded, look.fours).map(four));
        }
    }

    /// Fours of the ASCII text that was read, a byte each.
    fn of_ascii(&mut self, which: Fours, found: &mut Vec<u64>, token: impl Fn(u64) -> u64) {
        if which == Fours::No {
            return;
        }
        self.grams.clear();
        // A text begins as after a blank.
        self.grams.push(BLANK as u8);
        // Without branches, so that many bytes are looked at together.
        let gram = |&byte: &u8| match byte {
            b'0'..=b'9' => b'0',
            b'\t'..=b'\r' => BLANK as u8,
            other => other,
        };
        self.grams.extend(self.ascii.small().iter().map(gram));
        let fours = self.grams.array_windows().map(|four| u32::from_le_bytes(*four));
        if which == Fours::All {
            found.extend(fours.map(|four| token(four.into())));
            return;
        }
        if self.fours.len() < self.grams.len() {
            self.fours.resize(self.grams.len(), 0);
        }
        let mut kept = 0;
        for four in fours {
            // Whether it is can't be foretold, so no branch hangs on it.
            self.fours[kept] = four;
            kept += usize::from(is_chosen(four.into()));
        }
        found.extend(self.fours.iter().take(kept).map(|&four| token(four.into())));
    }
}

/// Fours of any text: as in ASCII where that is what they are.
fn of_folded(text: &[Folded], which: Fours) -> impl Iterator<Item = u64> {
    let text = if which == Fours::No { &[] } else { text };
    let mut last = [BLANK; FOUR];
    let mut ascii = u32::from_le_bytes([BLANK as u8; FOUR]);
    let fours = text.iter().map(move |folded| {
        let gram = folded.of_gram();
        last = [last[1], last[2], last[3], gram];
        ascii = ascii >> 8 | (gram as u32) << 24;
        if last.iter().fold(0, |all, gram| all | gram) < 0x80 { u64::from(ascii) } else { wide(last) }
    });
    // The first ones are not yet full.
    fours.skip(2).filter(move |&four| which == Fours::All || is_chosen(four))
}

fn wide(grams: [u64; FOUR]) -> u64 {
    let four = (0..).zip(grams).fold(0, |four, (place, gram)| four ^ gram << (16 * place));
    // Of the newest one what is beyond 16 bits would be lost.
    four ^ (grams[3] >> 16) << 8
}

const FOUR: usize = 4;
// What kind of token of its field it is; even, so that the field's view stays.
const GRAM: u64 = 0x6772;

/// Whether it is one of those that are looked at in all texts.
#[inline]
fn is_chosen(four: u64) -> bool {
    let four = four as u32 ^ (four >> 32) as u32;
    four.wrapping_mul(0x9e37_79b1) >> 30 == 0
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{super::tokens::body, *};

    const FIELD: Field = body("body");

    /// The tokens of a text that are no words, each once.
    fn fours_of(text: &str, which: Fours) -> Vec<u64> {
        let find = |fours| {
            let mut found = Vec::new();
            let mut finder = Finder::default();
            // What was there before must not show.
            let before = "another text, and a long one ".repeat(10);
            finder.find(&mut Vec::new(), FIELD, &before, Look { pairs: 0, fours: Fours::All });
            finder.find(&mut found, FIELD, text, Look { pairs: 0, fours });
            let mut seen = HashSet::new();
            found.retain(|&token| seen.insert(token));
            found
        };
        let words = find(Fours::No);
        find(which).into_iter().filter(|token| !words.contains(token)).collect()
    }

    fn fours(text: &str) -> Vec<u64> {
        fours_of(text, Fours::All)
    }

    #[test]
    fn some_characters_are_the_same_ones_in_all_texts() {
        let text =
            "The quick brown fox jumps over the lazy dog, and a little later the dog jumps over the fox.";
        let (all, some) = (fours(text), fours_of(text, Fours::Some));
        assert!(some.len() * 8 > all.len() && some.len() * 2 < all.len(), "{} of {}", some.len(), all.len());
        let start = fours_of(&text[..40], Fours::Some);
        let of_start: Vec<u64> = fours(&text[..40]).into_iter().filter(|four| some.contains(four)).collect();
        assert_eq!(start, of_start);
        // It does not matter what else is there: here a letter that is not ASCII.
        let wide = format!("{text} \u{e6}");
        assert_eq!(fours_of(&wide, Fours::Some)[..some.len()], some);
        assert!(fours_of(text, Fours::No).is_empty());
    }

    #[test]
    fn characters_are_seen_four_by_four() {
        // " 123" and so on: what is blank is alike, and digits are.
        assert_eq!(fours("abc").len(), 1);
        assert_eq!(fours("abcd").len(), 2);
        assert_eq!(fours("Abcd \u{c9}F"), fours("abcd\tef"));
        assert_eq!(fours("in 2002"), fours("in 1997"));
        assert_ne!(fours("abcd"), fours("abce"));
        // What is blank at the end says nothing.
        assert_eq!(fours("abcd\n"), fours("abcd\n\n "));
        // They differ in the bits above 16 alone.
        assert_ne!(fours("abc\u{1f600}"), fours("abc\u{f600}"));
    }
}
