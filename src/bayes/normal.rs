//! One spelling for letters that look the same to a reader.

use std::sync::LazyLock;

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Two-byte characters (Latin with accents, Greek, Cyrillic, Hebrew, Arabic) are looked up, not worked out.
const TABLE: usize = 0x800;
static FOLDED: LazyLock<Vec<u32>> =
    LazyLock::new(|| (0..TABLE as u32).map(|c| char::from_u32(c).map_or(0, work_out)).collect());

/// The character in lower case, without accents, and a Latin letter where it looks like one. 0 for what a
/// reader does not see: joiners, marks, blanks without width.
#[inline]
pub(super) fn fold(character: char) -> u32 {
    match FOLDED.get(character as usize) {
        Some(&folded) => folded,
        None => work_out(character),
    }
}

fn work_out(character: char) -> u32 {
    if is_invisible(character) || is_combining_mark(character) {
        return 0;
    }
    // Full-width, mathematical and circled letters decompose to plain ones, accents come off as marks.
    let mut base = None;
    decompose_compatible(character, |part| {
        if base.is_none() && !is_combining_mark(part) {
            base = Some(part);
        }
    });
    let base = base.unwrap_or(character);
    let lower = base.to_lowercase().next().unwrap_or(base);
    look_alike(lower) as u32
}

fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{e0000}'..='\u{e01ef}')
}

/// Small letters of other scripts that look like Latin ones, and signs that stand for letters. Mail that is
/// written in such a script keeps its words apart all the same: the mapping is the same everywhere.
fn look_alike(character: char) -> char {
    match character {
        'а' | 'α' | 'ɑ' => 'a',
        'в' | 'ʙ' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' => 'd',
        'е' | 'ε' | 'є' => 'e',
        'ғ' => 'f',
        'ɡ' => 'g',
        'һ' | 'н' => 'h',
        'і' | 'ι' | 'ı' | 'ӏ' => 'i',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' => 'm',
        'η' | 'ո' => 'n',
        'о' | 'ο' | 'σ' | 'ø' | 'օ' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'т' | 'τ' => 't',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' => 'v',
        'ѡ' | 'ω' | 'ԝ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        'ß' => 's',
        'ł' => 'l',
        'đ' => 'd',
        '‘' | '’' | '‛' | '´' => '\'',
        '“' | '”' | '„' => '"',
        '–' | '—' | '‐' | '‑' | '−' => '-',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        text.chars().map(fold).filter(|&c| c != 0).filter_map(char::from_u32).collect()
    }

    #[test]
    fn disguises_come_off() {
        for disguise in
            ["VIAGRA", "Víägrâ", "ｖｉａｇｒａ", "𝓿𝓲𝓪𝓰𝓻𝓪", "viаgrа", "v\u{200b}ia\u{ad}gra", "via\u{301}gra"]
        {
            assert_eq!(folded(disguise), "viagra", "{disguise}");
        }
    }

    #[test]
    fn other_scripts_keep_their_words_apart() {
        assert_ne!(folded("спасибо"), folded("пожалуйста"));
        assert_eq!(folded("日本語"), "日本語");
    }
}
