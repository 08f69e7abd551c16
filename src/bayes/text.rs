//! One pass over a text: words, pairs of words, characters three by three.

use std::mem;

use super::{
    hash::{WordHash, mix},
    normal,
    tokens::{Field, Tokens},
};

/// Words that are longer are hardly words; their characters are seen all the same.
const LONGEST: u32 = 40;
/// Letters that stand alone, at least so many in a row, are one word ("v i a g r a").
const SPLIT: u32 = 4;
/// The longest distance of two words that make a pair.
const MAX_PAIRS: usize = 4;

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

/// Class and small letter of each ASCII character.
const ASCII: [(Class, u8); 128] = {
    let mut table = [(Class::Other, 0); 128];
    let mut byte = 0u8;
    while byte < 128 {
        let class = match byte {
            b'a'..=b'z' | b'A'..=b'Z' => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'$' | b'%' | b'\'' => Class::Mark,
            b' ' | b'\t'..=b'\r' => Class::Space,
            _ => Class::Other,
        };
        table[byte as usize] = (class, byte.to_ascii_lowercase());
        byte += 1;
    }
    table
};

/// Takes a text in pieces and hands its tokens to [`Tokens`].
pub(super) struct Scanner<'a> {
    tokens: &'a mut Tokens,
    field: Field,
    pairs: usize,
    characters: bool,
    word: Word,
    /// The words before this one, the last one first.
    before: [u64; MAX_PAIRS],
    /// Letters that stood alone just now.
    split: Word,
    /// The last characters, 21 bits each, and how many of them count.
    gram: u64,
    gram_length: u32,
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

// What kind of token of its field it is; even, so that the field's view stays.
const GRAM: u64 = 0x6772;
const PAIR: u64 = 0x7060;
const CAPITALS: u64 = 0x6362;
const NUMBER: u64 = 0x6e74;
/// Three characters of 21 bits.
const GRAM_BITS: u64 = (1 << 63) - 1;

impl<'a> Scanner<'a> {
    /// `pairs` is the longest distance of words that make a pair, 0 for none.
    pub(super) fn new(tokens: &'a mut Tokens, field: Field, pairs: usize, characters: bool) -> Scanner<'a> {
        let pairs = pairs.min(MAX_PAIRS);
        Scanner {
            tokens,
            field,
            pairs,
            characters,
            word: NO_WORD,
            before: [0; MAX_PAIRS],
            split: NO_WORD,
            gram: u64::from(b' '),
            gram_length: 1,
        }
    }

    /// Goes on with `text`, UTF-8 as far as it is; bytes that are not count as characters of their own.
    pub(super) fn scan(&mut self, text: &[u8]) {
        for chunk in text.utf8_chunks() {
            for character in chunk.valid().chars() {
                match ASCII.get(character as usize) {
                    Some(&(class, folded)) => {
                        self.step(class, folded.into(), character.is_ascii_uppercase());
                    }
                    None => self.wide(character),
                }
            }
            for &byte in chunk.invalid() {
                self.step(Class::Letter, 0x10_ff00 + u32::from(byte), false);
            }
        }
    }

    fn wide(&mut self, character: char) {
        let folded = normal::fold(character);
        let class = match char::from_u32(folded) {
            // A reader does not see it.
            Some('\0') | None => return,
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
        self.step(class, folded, character.is_uppercase());
    }

    #[inline]
    fn step(&mut self, class: Class, character: u32, capital: bool) {
        match class {
            Class::Letter | Class::Digit | Class::Mark => {
                self.word.hash = self.word.hash.push(character);
                self.word.length += 1;
                self.word.last = character;
                self.word.digits += u32::from(class == Class::Digit);
                self.word.capitals += u32::from(capital);
            }
            Class::Space | Class::Other => self.end_word(),
            Class::Ideograph => {
                self.end_word();
                self.add_word(&Word { hash: WordHash::EMPTY.push(character), length: 1, ..NO_WORD });
            }
        }
        if self.characters {
            self.gram(match class {
                Class::Digit => u32::from(b'0'),
                Class::Space => u32::from(b' '),
                _ => character,
            });
        }
    }

    #[inline]
    fn gram(&mut self, character: u32) {
        if character == u32::from(b' ') && self.gram & 0x1f_ffff == u64::from(b' ') {
            return;
        }
        self.gram = (self.gram << 21 | u64::from(character)) & GRAM_BITS;
        self.gram_length += 1;
        if self.gram_length >= 3 {
            self.tokens.add(self.field ^ GRAM, self.gram);
        }
    }

    #[inline]
    fn end_word(&mut self) {
        if self.word.length == 0 {
            // Two gaps in a row end a word whose letters stand apart.
            if self.split.length > 0 {
                self.end_split();
            }
            return;
        }
        let word = mem::replace(&mut self.word, NO_WORD);
        if word.length == 1 && word.digits == 0 {
            self.split.hash = self.split.hash.push(word.last);
            self.split.length += 1;
        } else if self.split.length > 0 {
            self.end_split();
        }
        if word.length <= LONGEST {
            self.add_word(&word);
        }
    }

    fn end_split(&mut self) {
        let split = mem::replace(&mut self.split, NO_WORD);
        if split.length >= SPLIT {
            self.tokens.add(self.field, split.hash.value());
        }
    }

    fn add_word(&mut self, word: &Word) {
        // Of a long number only its length says something that comes again.
        let is_number = word.digits == word.length && word.length > 2;
        let hash = if is_number { mix(NUMBER, u64::from(word.length)) } else { word.hash.value() };
        self.tokens.add(self.field, hash);
        if word.length > 3 && word.capitals == word.length {
            self.tokens.add(self.field ^ CAPITALS, hash);
        }
        for (distance, &before) in self.before.iter().take(self.pairs).enumerate() {
            if before != 0 {
                self.tokens.add(self.field ^ (PAIR + 2 * distance as u64), mix(before, hash));
            }
        }
        self.before.rotate_right(1);
        if let Some(last) = self.before.first_mut() {
            *last = hash;
        }
    }

    /// Ends the text.
    pub(super) fn finish(mut self) {
        self.end_word();
        self.end_split();
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tokens::body, *};

    fn tokens(text: &str) -> Vec<u64> {
        let mut tokens = Tokens::default();
        tokens.text(body("body"), text.as_bytes(), 1, false);
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
}
