//! The tokens of a text: words, pairs of words, characters four by four.

use std::mem;

use super::{
    hash::{WordHash, fingerprint, mix},
    normal,
    tokens::Field,
};

/// Words that are longer are hardly words; their characters are seen all the same.
const LONGEST: u32 = 40;
/// Letters that stand alone, at least so many in a row, are one word ("v i a g r a").
const SPLIT: u32 = 4;
/// The longest distance of two words that make a pair.
const MAX_PAIRS: usize = 2;

/// What is looked at in a text beside its words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// The longest distance of two words that make a pair, 0 for none.
    pub pairs: usize,
    pub characters: Characters,
}

/// Whether characters are looked at, four by four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Characters {
    No,
    /// Five of eight fours within a word, three of eight across words, the same ones in all texts: there are so many that
    /// they say everything several times over.
    Some,
    All,
}

impl Characters {
    /// How many of eight are left out: within a word, across words.
    fn left_out(self) -> Option<[u64; 2]> {
        match self {
            Characters::No => None,
            Characters::Some => Some([3, 5]),
            Characters::All => Some([0, 0]),
        }
    }
}

/// What a character does to a word.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    /// Stands inside or beside words: `$ % '`.
    Mark,
    Space,
    Other,
    /// A word of its own, in scripts that have no spaces between words.
    Ideograph,
}

/// A small letter or another character in its low bits, what it is above them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Folded(u32);

impl Folded {
    const CLASS: u32 = 24;
    const CAPITAL: u32 = 1 << 31;

    const fn new(class: Class, character: u32, capital: bool) -> Folded {
        Folded(character | (class as u32) << Folded::CLASS | if capital { Folded::CAPITAL } else { 0 })
    }

    #[inline]
    fn character(self) -> u32 {
        self.0 & 0x1f_ffff
    }

    #[inline]
    fn is(self, class: Class) -> bool {
        self.class() == class as u32
    }

    #[inline]
    fn class(self) -> u32 {
        self.0 >> Folded::CLASS & 7
    }

    /// Whether words are made of it.
    #[inline]
    fn is_of_word(self) -> bool {
        self.class() <= Class::Mark as u32
    }

    #[inline]
    fn capital(self) -> u32 {
        self.0 >> 31
    }
}

/// Each byte, where it is an ASCII character.
const ASCII: [Folded; 128] = {
    let mut table = [Folded(0); 128];
    let mut byte = 0u8;
    while byte < 128 {
        let class = match byte {
            b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'$' | b'%' | b'\'' => Class::Mark,
            b' ' | b'\t'..=b'\r' => Class::Space,
            _ => Class::Other,
        };
        table[byte as usize] =
            Folded::new(class, byte.to_ascii_lowercase() as u32, byte.is_ascii_uppercase());
        byte += 1;
    }
    table
};

/// Appends the characters of `text`, UTF-8 as far as it is; bytes that are not count as characters of their own.
pub(super) fn fold(text: &[u8], folded: &mut Vec<Folded>) {
    folded.clear();
    folded.reserve(text.len());
    if text.is_ascii() {
        folded.extend(text.iter().map(|&byte| ASCII[usize::from(byte & 0x7f)]));
        return;
    }
    for chunk in text.utf8_chunks() {
        let mut rest = chunk.valid();
        while !rest.is_empty() {
            let ascii = rest.bytes().position(|byte| !byte.is_ascii()).unwrap_or(rest.len());
            let (plain, wide) = rest.split_at(ascii);
            folded.extend(plain.bytes().map(|byte| ASCII[usize::from(byte & 0x7f)]));
            let mut characters = wide.chars();
            loop {
                rest = characters.as_str();
                match characters.next() {
                    Some(character) if !character.is_ascii() => folded.extend(of_wide(character)),
                    _ => break,
                }
            }
        }
        for &byte in chunk.invalid() {
            folded.push(Folded::new(Class::Letter, 0x10_ff00 + u32::from(byte), false));
        }
    }
}

/// `None` for what a reader does not see.
fn of_wide(character: char) -> Option<Folded> {
    let folded = normal::fold(character);
    let class = match char::from_u32(folded) {
        Some('\0') | None => return None,
        Some(' ') => Class::Space,
        Some(
            '\u{2e80}'..='\u{30ff}'
            | '\u{3400}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}',
        ) => Class::Ideograph,
        Some(plain) if plain.is_alphabetic() => Class::Letter,
        Some(plain) if plain.is_numeric() => Class::Digit,
        Some(plain) if plain.is_whitespace() => Class::Space,
        Some(_) => Class::Other,
    };
    Some(Folded::new(class, folded, character.is_uppercase()))
}

// What kind of token of its field it is; even, so that the field's view stays.
const GRAM: u64 = 0x6772;
const PAIR: u64 = 0x7060;
const CAPITALS: u64 = 0x6362;
const NUMBER: u64 = 0x6e74;
const GRAM_LENGTH: usize = 4;
/// By which fours are chosen.
const CHOICE: u64 = 0x4d;

/// Appends characters four by four; digits are alike, and so is all that is blank.
pub(super) fn characters(found: &mut Vec<u64>, field: Field, folded: &[Folded], which: Characters) {
    const BLANK: u64 = b' ' as u64;
    let Some(left_out) = which.left_out() else { return };
    let field = field ^ GRAM;
    let start = found.len();
    found.resize(start + folded.len(), 0);
    let kept = &mut found[start..];
    let mut keeping = 0;
    // A text begins as after a blank.
    let (mut gram, mut length, mut last) = (BLANK, 1, BLANK);
    // Which of the last characters were blank, the newest one in the lowest bit.
    let mut blanks = 1u32;
    for &next in folded {
        let next = match next {
            digit if digit.is(Class::Digit) => u64::from(b'0'),
            space if space.is(Class::Space) => BLANK,
            other => u64::from(other.character()),
        };
        if next == BLANK && last == BLANK {
            continue;
        }
        last = next;
        // 16 bits each; what a character has beyond them is mixed in where it is the newest one.
        gram = gram << 16 ^ next ^ (next >> 16) << 56;
        blanks = blanks << 1 | u32::from(next == BLANK);
        length += 1;
        let is_across = blanks & 0b0110 != 0;
        let is_kept = (mix(gram, CHOICE) & 7) >= left_out[usize::from(is_across)];
        // Whether it is can't be foretold, so no branch hangs on it.
        kept[keeping] = fingerprint(field, gram);
        keeping += usize::from(is_kept & (length >= GRAM_LENGTH));
    }
    found.truncate(start + keeping);
}

#[derive(Clone, Copy)]
struct Word {
    hash: WordHash,
    length: u32,
    digits: u32,
    capitals: u32,
    last: u32,
}

const NO_WORD: Word = Word { hash: WordHash::EMPTY, length: 0, digits: 0, capitals: 0, last: 0 };

/// Appends the words of `folded`, and pairs of them that are no further apart than `pairs`.
pub(super) fn words(found: &mut Vec<u64>, field: Field, folded: &[Folded], pairs: usize) {
    let pairs = pairs.min(MAX_PAIRS);
    let mut words = Finder { found, field, pairs, before: [0; MAX_PAIRS], split: NO_WORD };
    let mut word = NO_WORD;
    for &next in folded {
        if next.is_of_word() {
            let character = next.character();
            word.hash = word.hash.push(character);
            word.length += 1;
            word.last = character;
            word.digits += u32::from(next.is(Class::Digit));
            word.capitals += next.capital();
            continue;
        }
        words.end(mem::replace(&mut word, NO_WORD));
        if next.is(Class::Ideograph) {
            words.add(&Word { hash: WordHash::EMPTY.push(next.character()), length: 1, ..NO_WORD });
        }
    }
    words.end(word);
    words.end_split();
}

struct Finder<'f> {
    found: &'f mut Vec<u64>,
    field: Field,
    pairs: usize,
    /// The words before this one, the last one first.
    before: [u64; MAX_PAIRS],
    /// Letters that stood alone just now.
    split: Word,
}

impl Finder<'_> {
    #[inline]
    fn end(&mut self, word: Word) {
        if word.length == 0 {
            // Two gaps in a row end a word whose letters stand apart.
            if self.split.length > 0 {
                self.end_split();
            }
            return;
        }
        if word.length == 1 && word.digits == 0 {
            self.split.hash = self.split.hash.push(word.last);
            self.split.length += 1;
        } else if self.split.length > 0 {
            self.end_split();
        }
        if word.length <= LONGEST {
            self.add(&word);
        }
    }

    fn end_split(&mut self) {
        let split = mem::replace(&mut self.split, NO_WORD);
        if split.length >= SPLIT {
            self.found.push(fingerprint(self.field, split.hash.value()));
        }
    }

    #[inline]
    fn add(&mut self, word: &Word) {
        // Of a long number only its length says something that comes again.
        let is_number = word.digits == word.length && word.length > 2;
        let hash = if is_number { mix(NUMBER, u64::from(word.length)) } else { word.hash.value() };
        self.found.push(fingerprint(self.field, hash));
        if word.length > 3 && word.capitals == word.length {
            self.found.push(fingerprint(self.field ^ CAPITALS, hash));
        }
        for distance in 0..self.pairs {
            let before = self.before[distance];
            if before != 0 {
                self.found.push(fingerprint(self.field ^ (PAIR + 2 * distance as u64), mix(before, hash)));
            }
        }
        self.before = [hash, self.before[0]];
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            hash::Set,
            tokens::{Tokens, body},
        },
        *,
    };

    fn tokens(text: &str) -> Vec<u64> {
        let mut tokens = Tokens::default();
        tokens.text(body("body"), text.as_bytes(), Look { pairs: 1, characters: Characters::No });
        tokens.fingerprints().to_vec()
    }

    #[test]
    fn scripts_without_spaces_share_characters_and_pairs_of_them() {
        let (a, b) = (tokens("免费发票代开"), tokens("代开免费发票，优惠"));
        let shared = a.iter().filter(|token| b.contains(token)).count();
        // Six characters, and the pairs within 免费发票 and 代开.
        assert_eq!(shared, 6 + 3 + 1);
    }

    #[test]
    fn words_with_spaces_are_one_token_each() {
        // Two words and their pair.
        assert_eq!(tokens("привет мир").len(), 3);
        assert_eq!(tokens("안녕 세계").len(), 3);
    }

    #[test]
    fn letters_that_stand_apart_are_a_word() {
        let word = tokens("viagra");
        assert!(tokens("buy v i a g r a now").contains(&word[0]));
        assert!(tokens("V-I-A-G-R-A").contains(&word[0]));
        assert!(!tokens("a b c").contains(&tokens("abc")[0]), "three are no word");
    }

    fn grams_of(text: &str, which: Characters) -> Vec<u64> {
        let (mut set, mut folded, mut found) = (Set::default(), Vec::new(), Vec::new());
        fold(text.as_bytes(), &mut folded);
        characters(&mut found, body("body"), &folded, which);
        set.insert_all(&found);
        set.found().to_vec()
    }

    fn grams(text: &str) -> Vec<u64> {
        grams_of(text, Characters::All)
    }

    #[test]
    fn some_characters_are_the_same_ones_in_all_texts() {
        let text =
            "The quick brown fox jumps over the lazy dog, and a little later the dog jumps over the fox.";
        let (all, some) = (grams(text), grams_of(text, Characters::Some));
        assert!(
            some.len() * 4 > all.len() && some.len() * 4 < 3 * all.len(),
            "{} of {}",
            some.len(),
            all.len()
        );
        let start = grams_of(&text[..40], Characters::Some);
        let of_start: Vec<u64> = grams(&text[..40]).into_iter().filter(|gram| some.contains(gram)).collect();
        assert_eq!(start, of_start);
        assert!(grams_of(text, Characters::No).is_empty());
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
