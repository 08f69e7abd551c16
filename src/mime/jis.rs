//! Charsets that switch tables inside of 7-bit text: ISO-2022-JP and ISO-2022-KR, as Perl reads them.

use encoding_rs::{EUC_JP, EUC_KR, Encoding};
use memchr::memchr;

/// ISO-2022-JP text. What follows a byte above ASCII or an unknown escape is lost.
pub fn japanese(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or(bytes.len());
    let mut rest = bytes.get(..end).unwrap_or_default();
    let mut extended = Vec::with_capacity(rest.len());
    let mut set = Set::Ascii;
    loop {
        let escape = memchr(ESCAPE, rest).unwrap_or(rest.len());
        for &byte in rest.get(..escape).unwrap_or_default() {
            set.extend(byte, &mut extended);
        }
        rest = rest.get(escape..).unwrap_or_default();
        let Some((next, length)) = Set::chosen(rest) else { break };
        set = next;
        rest = rest.get(length..).unwrap_or_default();
    }
    with_escapes(EUC_JP, &extended)
}

/// ISO-2022-KR text. What follows an unknown escape is lost.
pub fn korean(bytes: &[u8]) -> String {
    const DESIGNATOR: &[u8] = b"\x1b$)C";
    const SHIFT_OUT: u8 = 0x0e;
    const SHIFT_IN: u8 = 0x0f;
    let mut rest = bytes;
    let mut extended = Vec::with_capacity(rest.len());
    while let Some((&byte, behind)) = rest.split_first() {
        if let Some(behind) = rest.strip_prefix(DESIGNATOR) {
            rest = behind;
            continue;
        }
        rest = behind;
        match byte {
            ESCAPE => break,
            // only what is shifted in again was shifted out
            SHIFT_OUT if let Some(end) = memchr(SHIFT_IN, behind) => {
                for &byte in behind.get(..end).unwrap_or_default() {
                    Set::Double.extend(byte, &mut extended);
                }
                rest = behind.get(end + 1..).unwrap_or_default();
            }
            _ => extended.push(byte),
        }
    }
    with_escapes(EUC_KR, &extended)
}

const ESCAPE: u8 = 0x1b;

/// The table that bytes are looked up in.
#[derive(Clone, Copy)]
enum Set {
    Ascii,
    /// Two bytes a character.
    Double,
    /// Half-width katakana.
    Katakana,
    /// The supplementary two-byte table.
    Supplement(bool),
}

impl Set {
    /// What an escape sequence chooses, and its length.
    fn chosen(text: &[u8]) -> Option<(Set, usize)> {
        Some(match text {
            [ESCAPE, b'$', b'(', b'D', ..] => (Set::Supplement(true), 4),
            [ESCAPE, b'&', b'@', ESCAPE, b'$', b'B', ..] => (Set::Double, 6),
            [ESCAPE, b'$', b'@' | b'B', ..] => (Set::Double, 3),
            [ESCAPE, b'(', b'B' | b'J', ..] => (Set::Ascii, 3),
            [ESCAPE, b'(', b'I', ..] => (Set::Katakana, 3),
            _ => return None,
        })
    }

    /// Writes a byte of this table as EUC has it.
    fn extend(&mut self, byte: u8, out: &mut Vec<u8>) {
        if matches!(self, Set::Ascii) || !matches!(byte, 0x21..=0x7e) {
            return out.push(byte);
        }
        match self {
            Set::Katakana if byte <= 0x5f => out.push(0x8e),
            Set::Supplement(is_first) => {
                if *is_first {
                    out.push(0x8f);
                }
                *is_first = !*is_first;
            }
            _ => {}
        }
        out.push(byte | 0x80);
    }
}

/// Decodes; each byte that is not in the charset is written as `\xHH`.
fn with_escapes(encoding: &'static Encoding, bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut rest = bytes;
    let mut done = 0;
    loop {
        text.reserve(rest.len() * 3 + 16);
        let (result, read) = decoder.decode_to_string_without_replacement(rest, &mut text, true);
        done += read;
        rest = rest.get(read..).unwrap_or_default();
        match result {
            encoding_rs::DecoderResult::InputEmpty => return text,
            encoding_rs::DecoderResult::OutputFull => {}
            encoding_rs::DecoderResult::Malformed(length, behind) => {
                let end = done.saturating_sub(usize::from(behind));
                let start = end.saturating_sub(usize::from(length));
                for byte in bytes.get(start..end).unwrap_or_default() {
                    text.push_str(&format!("\\x{byte:02X}"));
                }
                decoder = encoding.new_decoder_without_bom_handling();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn japanese_text_ends_at_the_first_byte_above_ascii() {
        assert_eq!(japanese(b"a \x1b$B$R\x1b(B b\n"), "a \u{3072} b\n");
        assert_eq!(japanese(b"ab\xffcd\ne"), "ab");
        assert_eq!(japanese(b"\x1b(I1\x1b(B"), "\u{ff71}");
        assert_eq!(japanese(b"a\x1b%Gb"), "a");
        assert_eq!(japanese(b"\x1b$B$R\n$R"), "\u{3072}\n\u{3072}");
        assert_eq!(japanese(b"\x1b$(D0!\x1b(B"), "\u{4e02}");
    }

    #[test]
    fn korean_text_is_shifted_out_and_in() {
        assert_eq!(korean(b"\x1b$)Ca \x0e0!\x0f b"), "a \u{ac00} b");
        assert_eq!(korean(b"a \x0e0!"), "a \x0e0!");
    }

    #[test]
    fn what_is_in_no_table_is_written_in_numbers() {
        assert_eq!(japanese(b"a\x1b$B\x2f\x1b(Bb"), "a\\xAFb");
    }
}
