//! The characters of a text: in small letters, without disguise, and what each of them does to a word.

use super::normal;

/// What fours have for all that is blank.
pub(super) const BLANK: u64 = b' ' as u64;

/// What a character does to a word.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
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
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Folded(u32);

impl Folded {
    const CLASS: u32 = 24;

    pub(super) const fn new(class: Class, character: u32) -> Folded {
        Folded(character | (class as u32) << Folded::CLASS)
    }

    #[inline]
    pub(super) const fn character(self) -> u32 {
        self.0 & 0x1f_ffff
    }

    #[inline]
    pub(super) fn is(self, class: Class) -> bool {
        self.class() == class as u32
    }

    #[inline]
    const fn class(self) -> u32 {
        self.0 >> Folded::CLASS & 7
    }

    /// Whether words are made of it.
    #[inline]
    pub(super) const fn is_of_word(self) -> bool {
        self.class() <= Class::Mark as u32
    }

    /// As fours have it: digits are alike, and so is all that is blank.
    #[inline]
    pub(super) const fn of_gram(self) -> u64 {
        // Which class comes next can't be foretold, so no branch hangs on it.
        const ALIKE: [u32; 8] = {
            let mut alike = [0; 8];
            alike[Class::Digit as usize] = b'0' as u32;
            alike[Class::Space as usize] = BLANK as u32;
            alike
        };
        let alike = ALIKE[self.class() as usize];
        (if alike == 0 { self.character() } else { alike }) as u64
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
        table[byte as usize] = Folded::new(class, byte.to_ascii_lowercase() as u32);
        byte += 1;
    }
    table
};

/// The characters of `text`.
pub(super) fn fold(text: &str, folded: &mut Vec<Folded>) {
    folded.clear();
    folded.reserve(text.len());
    let mut rest = text;
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
    Some(Folded::new(class, folded))
}
