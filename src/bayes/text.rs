//! The tokens of a text: words, pairs of words, and characters four by four.

use super::{
    folded::{self, BLANK, Folded},
    hash::{Set, fingerprint},
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
    words: Vec<u64>,
    ascii: words::Ascii,
    /// The characters of an ASCII text as fours have them.
    grams: Vec<u8>,
    /// Those that are looked at, of an ASCII text: as long as the longest one so far, as clearing it would take its time.
    fours: Vec<u32>,
    /// The characters of a text that is not ASCII.
    folded: Vec<Folded>,
}

impl Finder {
    /// Adds the tokens of `text`, UTF-8 as far as it is.
    pub(super) fn find(&mut self, found: &mut Set, field: Field, text: &[u8], look: Look) {
        // An mbox, or a transport, may add an empty line.
        let text = text.trim_ascii_end();
        self.words.clear();
        let field_of_fours = field ^ GRAM;
        if text.is_ascii() {
            self.ascii.read(text);
            self.ascii.words(&mut self.words, field, look.pairs);
            found.insert_all(self.words.iter().copied());
            let fours = self.of_ascii(look.fours);
            found.insert_all(fours.iter().map(|&four| fingerprint(field_of_fours, u64::from(four))));
        } else {
            folded::fold(text, &mut self.folded);
            words::of_folded(&mut self.words, field, &self.folded, look.pairs);
            found.insert_all(self.words.iter().copied());
            let fours = of_folded(&self.folded, look.fours);
            found.insert_all(fours.map(|four| fingerprint(field_of_fours, four)));
        }
    }

    /// Fours of the ASCII text that was read, a byte each.
    fn of_ascii(&mut self, which: Fours) -> &[u32] {
        self.grams.clear();
        if which != Fours::No {
            // A text begins as after a blank.
            self.grams.push(BLANK as u8);
            // Without branches, so that many bytes are looked at together.
            let gram = |&byte: &u8| match byte {
                b'0'..=b'9' => b'0',
                b'\t'..=b'\r' => BLANK as u8,
                other => other,
            };
            self.grams.extend(self.ascii.small().iter().map(gram));
        }
        if self.fours.len() < self.grams.len() {
            self.fours.resize(self.grams.len(), 0);
        }
        let mut kept = 0;
        for four in self.grams.array_windows() {
            let four = u32::from_le_bytes(*four);
            // Whether it is can't be foretold, so no branch hangs on it.
            self.fours[kept] = four;
            kept += usize::from(which == Fours::All || is_chosen(u64::from(four)));
        }
        self.fours.get(..kept).unwrap_or_default()
    }
}

/// Fours of any text: as in ASCII where that is what they are.
fn of_folded(text: &[Folded], which: Fours) -> impl Iterator<Item = u64> {
    let text = if which == Fours::No { &[] } else { text };
    let mut last = [BLANK; 4];
    let fours = text.iter().map(move |folded| {
        last = [last[1], last[2], last[3], folded.of_gram()];
        let bits = if last.iter().all(|&character| character < 0x80) { 8 } else { 16 };
        let four = (0..4).zip(last).fold(0, |four, (place, character)| four ^ character << (bits * place));
        // Of the newest one what is beyond 16 bits would be lost.
        four ^ (last[3] >> 16) << 8
    });
    // The first ones are not yet full.
    fours.skip(2).filter(move |&four| which == Fours::All || is_chosen(four))
}

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
    use super::{super::tokens::body, *};

    const FIELD: Field = body("body");

    /// The tokens of a text that are no words, each once.
    fn fours_of(text: &str, which: Fours) -> Vec<u64> {
        let find = |fours| {
            let mut found = Set::default();
            let mut finder = Finder::default();
            // What was there before must not show.
            let before = "another text, and a long one ".repeat(10);
            finder.find(&mut Set::default(), FIELD, before.as_bytes(), Look { pairs: 0, fours: Fours::All });
            finder.find(&mut found, FIELD, text.as_bytes(), Look { pairs: 0, fours });
            found.found().to_vec()
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
