//! The tokens of a text: words, pairs of words, and characters four by four.

use super::{
    folded::{self, BLANK, Folded, GRAM_OF},
    hash::{mix, view_of},
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
    /// Three of eight fours within a word, a quarter of those across words, the same ones in all texts: there are so many
    /// that they say everything several times over.
    Some,
    All,
}

impl Fours {
    /// How many of eight are left out: within a word, across words.
    fn left_out(self) -> Option<[u64; 2]> {
        match self {
            Fours::No => None,
            Fours::Some => Some([5, 6]),
            Fours::All => Some([0, 0]),
        }
    }
}

/// Finds the tokens of texts. Its room is used again for each text.
#[derive(Clone, Debug, Default)]
pub(super) struct Finder {
    words: Vec<u64>,
    /// As long as the longest text so far, as clearing it would take its time.
    fours: Vec<u64>,
    /// The characters of a text that is not ASCII.
    folded: Vec<Folded>,
    ascii: words::Scratch,
}

impl Finder {
    /// The tokens of `text`, UTF-8 as far as it is: those of words, and fours.
    pub(super) fn find(&mut self, field: Field, text: &[u8], look: Look) -> [&[u64]; 2] {
        self.words.clear();
        let kept = if text.is_ascii() {
            words::of_ascii(&mut self.words, &mut self.ascii, field, text, look.pairs);
            let characters = text.iter().map(|&byte| u64::from(GRAM_OF[usize::from(byte & 0x7f)]));
            fours(&mut self.fours, field, characters, look.fours)
        } else {
            folded::fold(text, &mut self.folded);
            words::of_folded(&mut self.words, field, &self.folded, look.pairs);
            fours(&mut self.fours, field, self.folded.iter().map(|folded| folded.of_gram()), look.fours)
        };
        [&self.words, self.fours.get(..kept).unwrap_or_default()]
    }
}

// What kind of token of its field it is; even, so that the field's view stays.
const GRAM: u64 = 0x6772;
const GRAM_LENGTH: usize = 4;
/// By which fours are hashed and chosen.
const CHOICE: u64 = 0x4d;

/// Puts characters four by four at the start of `kept`: how many there are.
#[inline(always)]
fn fours(
    kept: &mut Vec<u64>,
    field: Field,
    characters: impl ExactSizeIterator<Item = u64>,
    which: Fours,
) -> usize {
    let Some(left_out) = which.left_out() else { return 0 };
    let field = field ^ GRAM;
    if kept.len() < characters.len() {
        kept.resize(characters.len(), 0);
    }
    let mut keeping = 0;
    // A text begins as after a blank.
    let (mut gram, mut length, mut last) = (BLANK, 1, BLANK);
    // Which of the last characters were blank, the newest one in the lowest bit.
    let mut blanks = 1u32;
    for next in characters {
        if next == BLANK && last == BLANK {
            continue;
        }
        last = next;
        // 16 bits each; what a character has beyond them is mixed in where it is the newest one.
        gram = gram << 16 ^ next ^ (next >> 16) << 56;
        blanks = blanks << 1 | u32::from(next == BLANK);
        length += 1;
        let is_across = blanks & 0b0110 != 0;
        let hash = mix(gram, CHOICE);
        let is_kept = (hash & 7) >= left_out[usize::from(is_across)];
        // Whether it is can't be foretold, so no branch hangs on it.
        kept[keeping] = ((hash ^ field) & !1) | view_of(field);
        keeping += usize::from(is_kept & (length >= GRAM_LENGTH));
    }
    keeping
}

#[cfg(test)]
mod tests {
    use super::{super::tokens::body, *};

    /// Each once.
    fn grams_of(text: &str, which: Fours) -> Vec<u64> {
        let mut finder = Finder::default();
        // What was there before must not show.
        finder.find(
            body("body"),
            "another text, and a long one ".repeat(10).as_bytes(),
            Look { pairs: 0, fours: Fours::All },
        );
        let [_, fours] = finder.find(body("body"), text.as_bytes(), Look { pairs: 0, fours: which });
        let mut seen = std::collections::HashSet::new();
        fours.iter().copied().filter(|gram| seen.insert(*gram)).collect()
    }

    fn grams(text: &str) -> Vec<u64> {
        grams_of(text, Fours::All)
    }

    #[test]
    fn some_characters_are_the_same_ones_in_all_texts() {
        let text =
            "The quick brown fox jumps over the lazy dog, and a little later the dog jumps over the fox.";
        let (all, some) = (grams(text), grams_of(text, Fours::Some));
        assert!(
            some.len() * 4 > all.len() && some.len() * 4 < 3 * all.len(),
            "{} of {}",
            some.len(),
            all.len()
        );
        let start = grams_of(&text[..40], Fours::Some);
        let of_start: Vec<u64> = grams(&text[..40]).into_iter().filter(|gram| some.contains(gram)).collect();
        assert_eq!(start, of_start);
        assert!(grams_of(text, Fours::No).is_empty());
    }

    #[test]
    fn characters_are_seen_four_by_four() {
        // " 123" and so on: blanks are one, digits are alike.
        assert_eq!(grams("abc").len(), 1);
        assert_eq!(grams("abcd").len(), 2);
        assert_eq!(grams("Abcd   ÉF"), grams("abcd\tef"));
        assert_eq!(grams("in 2002"), grams("in 1997"));
        assert_ne!(grams("abcd"), grams("abce"));
        // They differ in the bits above 16 alone.
        assert_ne!(grams("abc\u{1f600}"), grams("abc\u{f600}"));
    }
}
