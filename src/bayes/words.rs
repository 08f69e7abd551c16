//! Words, and pairs of them.

use super::{
    folded::{Class, Folded},
    hash::{WordHash, fingerprint, mix},
    tokens::Field,
};

/// Words that are longer are hardly words; their characters are seen all the same.
const LONGEST: usize = 40;
/// Letters that stand alone, at least so many in a row, are one word ("v i a g r a").
const SPLIT: usize = 4;
/// The longest distance of two words that make a pair.
const MAX_PAIRS: usize = 2;

// What kind of token of its field it is; even, so that the field's view stays.
const PAIR: u64 = 0x7060;
const NUMBER: u64 = 0x6e74;

/// An ASCII text. Its room is used again for the next one.
#[derive(Clone, Debug, Default)]
pub(super) struct Ascii {
    length: usize,
    /// In small letters, and zeros behind it.
    small: Vec<u8>,
    /// A bit for each of its bytes: whether words are made of it.
    of_words: Vec<u64>,
}

/// Bytes that are read at once; so many zeros stand behind a text.
const STEP: usize = 8;
/// Bytes that share a number of bits.
const BLOCK: usize = u64::BITS as usize;

impl Ascii {
    pub(super) fn read(&mut self, text: &[u8]) {
        self.length = text.len();
        self.small.clear();
        self.small.extend_from_slice(text);
        self.small.make_ascii_lowercase();
        let (blocks, rest) = self.small.as_chunks();
        self.of_words.clear();
        self.of_words.extend(blocks.iter().map(of_words));
        let mut last = [0; BLOCK];
        last[..rest.len()].copy_from_slice(rest);
        self.of_words.push(of_words(&last));
        self.small.extend_from_slice(&[0; STEP]);
    }

    /// The text in small letters.
    pub(super) fn small(&self) -> &[u8] {
        self.small.get(..self.length).unwrap_or_default()
    }

    /// Appends its words, and pairs of them that are no further apart than `pairs`.
    pub(super) fn words(&self, found: &mut Vec<u64>, field: Field, pairs: usize) {
        let mut words = Words::new(found, field, pairs);
        // Where the last word ended, and where this one starts.
        let (mut last_end, mut start) = (0, None);
        // Words start and end in turn, where a bit is another one than that before. The last bit is 0.
        let mut before = 0;
        for (number, &bits) in self.of_words.iter().enumerate() {
            let mut edges = bits ^ (bits << 1 | before);
            before = bits >> (u64::BITS - 1);
            while edges != 0 {
                let at = number * BLOCK + edges.trailing_zeros() as usize;
                edges &= edges - 1;
                match start.take() {
                    Some(start) => {
                        self.word(&mut words, start, at);
                        last_end = at;
                    }
                    None => {
                        // Letters seldom stand alone.
                        if words.count > 0 && at > last_end + 1 {
                            words.gap();
                        }
                        start = Some(at);
                    }
                }
            }
        }
        words.gap();
    }

    #[inline]
    fn word(&self, words: &mut Words<'_>, start: usize, end: usize) {
        let length = end - start;
        let is_digit = |at: usize| self.small.get(at).is_some_and(u8::is_ascii_digit);
        if length <= LONGEST {
            let is_number = is_digit(start) && is_number(&self.small, start, length);
            words.word(word_hash(&self.small, start, length), length, is_number);
        }
        if length == 1 && !is_digit(start) {
            words.letter(u32::from(self.small[start]));
        } else {
            words.gap();
        }
    }
}

/// A bit for each byte, small letters only: whether words are made of it.
fn of_words(small: &[u8; BLOCK]) -> u64 {
    // Without branches, so that many bytes are looked at together.
    let is_of_word = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'$' | b'%' | b'\'');
    let bytes = small.map(|byte| u8::from(is_of_word(byte)));
    let (eights, _) = bytes.as_chunks();
    // This product has the lowest bits of eight bytes in its uppermost byte.
    let bits = |eight: &[u8; 8]| u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    eights.iter().rev().fold(0, |all, eight| all << 8 | bits(eight))
}

/// Bytes of the text from there on. Zeros have to follow it.
#[inline]
fn eight(text: &[u8], at: usize) -> u64 {
    let bytes = text.get(at..).and_then(|rest| rest.first_chunk::<STEP>());
    bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Has the bits of so many bytes, of eight at most.
#[inline]
fn bits_of(bytes: usize) -> u64 {
    u64::MAX >> (u64::BITS as usize - STEP * bytes.clamp(1, STEP))
}

/// The hash of the word of so many bytes that begins there.
#[inline]
fn word_hash(text: &[u8], start: usize, length: usize) -> u64 {
    let (mut hash, mut at, mut left) = (0, start, length);
    while left > STEP {
        hash = mix(hash, eight(text, at));
        at += STEP;
        left -= STEP;
    }
    // Of the last ones those that belong to the word.
    mix(hash, eight(text, at) & bits_of(left))
}

/// Whether all of the word of so many bytes that begins there are digits.
fn is_number(text: &[u8], start: usize, length: usize) -> bool {
    let all = |number: u64| number * 0x0101_0101_0101_0101;
    // What a digit is without its upper bits is at most 9; where it is more, the upper bit of the byte is set after this.
    let digits = (eight(text, start) ^ all(0x30)) & bits_of(length);
    let others = (digits.wrapping_add(all(0x76)) | digits) & all(0x80);
    others == 0 && (length <= STEP || is_number(text, start + STEP, length - STEP))
}

/// The same of any text. Of ideographs, which are words of their own, neighbours are always a pair.
pub(super) fn of_folded(found: &mut Vec<u64>, field: Field, folded: &[Folded], pairs: usize) {
    let mut words = Words::new(found, field, pairs);
    let mut rest = folded;
    while let Some((&first, others)) = rest.split_first() {
        if !first.is_of_word() {
            if first.is(Class::Ideograph) {
                words.gap();
                words.add(WordHash::EMPTY.push(first.character()).value(), pairs.max(1));
            }
            rest = others;
            // Two gaps in a row end a word whose letters stand apart.
            if !rest.first().is_some_and(|next| next.is_of_word()) {
                words.gap();
            }
            continue;
        }
        let length = rest.iter().position(|next| !next.is_of_word()).unwrap_or(rest.len());
        let (word, others) = rest.split_at(length);
        if length <= LONGEST {
            words.word(hash_of(word), length, word.iter().all(|next| next.is(Class::Digit)));
        }
        if length == 1 && !first.is(Class::Digit) {
            words.letter(first.character());
        } else {
            words.gap();
        }
        rest = others;
    }
    words.gap();
}

/// The hash of a word: that of [`word_hash`] if it is ASCII, however it was written.
fn hash_of(word: &[Folded]) -> u64 {
    let mut bytes = [0; LONGEST + STEP];
    for (byte, folded) in bytes.iter_mut().zip(word) {
        match u8::try_from(folded.character()) {
            Ok(ascii) if ascii.is_ascii() => *byte = ascii,
            _ => return word.iter().fold(WordHash::EMPTY, |hash, next| hash.push(next.character())).value(),
        }
    }
    word_hash(&bytes, 0, word.len())
}

/// Letters that stood alone are kept up to so many.
const LETTERS: usize = LONGEST;

struct Words<'f> {
    found: &'f mut Vec<u64>,
    field: Field,
    pairs: usize,
    /// The words before this one, the last one first.
    before: [u64; MAX_PAIRS],
    /// Letters that stood alone just now.
    letters: [Folded; LETTERS],
    count: usize,
}

impl<'f> Words<'f> {
    fn new(found: &'f mut Vec<u64>, field: Field, pairs: usize) -> Words<'f> {
        let letters = [Folded::default(); LETTERS];
        Words { found, field, pairs, before: [0; MAX_PAIRS], letters, count: 0 }
    }

    #[inline]
    fn word(&mut self, hash: u64, length: usize, is_number: bool) {
        // Of a long number only its length says something that comes again.
        let hash = if is_number && length > 2 { mix(NUMBER, length as u64) } else { hash };
        self.add(hash, self.pairs);
    }

    #[inline]
    fn add(&mut self, hash: u64, pairs: usize) {
        self.found.push(fingerprint(self.field, hash));
        for (distance, &before) in self.before.iter().take(pairs).enumerate() {
            if before != 0 {
                self.found.push(fingerprint(self.field ^ (PAIR + 2 * distance as u64), mix(before, hash)));
            }
        }
        self.before = [hash, self.before[0]];
    }

    /// A letter stands alone.
    #[inline]
    fn letter(&mut self, character: u32) {
        if let Some(letter) = self.letters.get_mut(self.count) {
            *letter = Folded::new(Class::Letter, character);
            self.count += 1;
        }
    }

    /// What stood alone is a word of its own if it was enough.
    #[inline]
    fn gap(&mut self) {
        if self.count >= SPLIT {
            let hash = hash_of(&self.letters[..self.count]);
            self.found.push(fingerprint(self.field, hash));
        }
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tokens::body, *};
    use crate::bayes::folded::fold;

    const FIELD: Field = body("body");

    fn folded(text: &str, pairs: usize) -> Vec<u64> {
        let (mut found, mut folded) = (Vec::new(), Vec::new());
        fold(text, &mut folded);
        of_folded(&mut found, FIELD, &folded, pairs);
        found
    }

    /// The words of an ASCII text, found in both ways.
    fn ascii(text: &str, pairs: usize) -> Vec<u64> {
        let (mut found, mut ascii) = (Vec::new(), Ascii::default());
        // What was there before must not show.
        ascii.read("another text, and a longer one ".repeat(20).as_bytes());
        ascii.read(text.as_bytes());
        ascii.words(&mut found, FIELD, pairs);
        assert_eq!(found, folded(text, pairs), "{text:?}");
        found
    }

    #[test]
    fn both_ways_find_the_same_words() {
        let long = format!("{} x{} {}", "y".repeat(40), "z".repeat(40), "1".repeat(64));
        let wide = format!("{}{}", " ".repeat(63), "word ".repeat(30));
        let texts =
            ["", " ", "a", "a b", "Free OFFER: $100 (100%) don't 2002", "v i a g r a", "v-i-a-g-r-a.", &long];
        for text in
            texts.into_iter().chain([&wide[..], "x, y, z, w", "12 123 1a2 a", &wide[..64], &wide[..128]])
        {
            for pairs in 0..=2 {
                ascii(text, pairs);
            }
        }
    }

    #[test]
    fn numbers_of_any_length_are_told_from_words() {
        for length in 1..=LONGEST {
            let number = "7".repeat(length);
            for at in 0..length {
                for other in ["a", "z", "$", "'"] {
                    let mut word = number.clone();
                    word.replace_range(at..=at, other);
                    assert_ne!(ascii(&word, 0), ascii(&number, 0), "{word}");
                }
            }
            for digit in "0123456789".chars() {
                let same = length > 2 || digit == '7';
                assert_eq!(ascii(&digit.to_string().repeat(length), 0) == ascii(&number, 0), same);
            }
        }
    }

    #[test]
    fn a_disguised_word_is_the_word() {
        for (disguised, plain) in
            [("vіаgrа", "viagra"), ("ＵＮＳＵＢＳＣＲＩＢＥ", "unsubscribe"), ("Müller", "muller")]
        {
            assert_eq!(folded(disguised, 0), ascii(plain, 0), "{disguised}");
        }
        assert_ne!(ascii("unsubscribe", 0), ascii("unsubscribes", 0));
        assert_ne!(ascii("unsubscribed", 0), ascii("unsubscribes", 0));
        assert_ne!(ascii("12345678", 0), ascii("1234567x", 0));
    }

    #[test]
    fn words_and_pairs_up_to_a_distance() {
        assert_eq!([0, 1, 2].map(|pairs| ascii("one two three", pairs).len()), [3, 5, 6]);
        assert_eq!(folded("привет мир", 1).len(), 3);
        assert_eq!(folded("안녕 세계", 1).len(), 3);
    }

    #[test]
    fn scripts_without_spaces_share_characters_and_pairs_of_them() {
        let (a, b) = (folded("免费发票代开", 0), folded("代开免费发票，优惠", 0));
        let shared = a.iter().filter(|token| b.contains(token)).count();
        // Six characters, and the pairs within 免费发票 and 代开.
        assert_eq!(shared, 6 + 3 + 1);
    }

    #[test]
    fn letters_that_stand_apart_are_a_word() {
        let word = ascii("viagra", 0)[0];
        assert!(ascii("buy v i a g r a now", 0).contains(&word));
        assert!(ascii("V-I-A-G-R-A", 0).contains(&word));
        assert!(!ascii("a b c", 0).contains(&ascii("abc", 0)[0]), "three are no word");
        assert!(!ascii("v, i, a, g, r, a", 0).contains(&word), "a list");
    }

    #[test]
    fn of_a_long_number_its_length_counts() {
        assert_eq!(ascii("12345", 0), ascii("99999", 0));
        assert_ne!(ascii("12345", 0), ascii("123456", 0));
        assert_ne!(ascii("12", 0), ascii("13", 0));
    }
}
