//! Bytes to UTF-8: declared charsets where they hold, guesses where they do not.

use std::{borrow::Cow, cmp::Ordering, str};

use encoding_rs::{EUC_JP, Encoding, SHIFT_JIS, UTF_16BE, UTF_16LE, WINDOWS_874, WINDOWS_1252};

use super::{
    Arena,
    double_byte::DoubleByte,
    jis,
    labels::{self, Charset},
    utf7,
};

/// Text made of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decoded<'m> {
    pub text: &'m str,
    /// Whether the declared charset could not be it.
    pub replaced: bool,
}

/// The text of a part. UTF-8 wins over what is declared where there are 8-bit bytes; then comes the
/// declared charset, strictly; then a guess.
pub(super) fn text<'m>(bytes: &'m [u8], declared: Option<&str>, arena: &'m Arena) -> Decoded<'m> {
    let label = declared.unwrap_or("us-ascii").trim();
    if let Ok(text) = str::from_utf8(bytes)
        && !(may_look_like_ascii(label) && text.is_ascii())
    {
        let ascii_declared = declared.is_some() && is_us_ascii(label) && !text.is_ascii();
        return Decoded { text, replaced: ascii_declared };
    }
    if is_us_ascii(label) {
        return Decoded { replaced: true, ..guess(bytes, arena) };
    }
    match declared_charset(bytes, label, true) {
        Some(text) => Decoded { text: keep(text, arena), replaced: false },
        None => Decoded { replaced: true, ..guess(bytes, arena) },
    }
}

/// Bytes without a declared charset: UTF-8, else Windows-1252, which no byte contradicts.
pub(super) fn guess<'m>(bytes: &'m [u8], arena: &'m Arena) -> Decoded<'m> {
    match str::from_utf8(bytes) {
        Ok(text) => Decoded { text, replaced: false },
        Err(_) => Decoded { text: keep(windows_1252(bytes), arena), replaced: true },
    }
}

/// The bytes of an encoded word, in the charset it names; bytes that are not in it become U+FFFD.
pub(super) fn forced<'m>(bytes: &'m [u8], label: &str, arena: &'m Arena) -> &'m str {
    if bytes.is_ascii() && !may_look_like_ascii(label) {
        return guess(bytes, arena).text;
    }
    if is_us_ascii(label) {
        let replaced = bytes.iter().map(|byte| if byte.is_ascii() { char::from(*byte) } else { '\u{fffd}' });
        return bumpalo::collections::String::from_iter_in(replaced, arena).into_bump_str();
    }
    match declared_charset(bytes, label, false) {
        Some(text) => keep(text, arena),
        // unknown: no other is tried
        None => keep(windows_1252(bytes), arena),
    }
}

/// Five bytes of Windows-1252 are unassigned: the Encoding Standard makes C1 controls of them, Perl U+FFFD.
fn windows_1252(bytes: &[u8]) -> Cow<'_, str> {
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    let unassigned = |byte: &u8| matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d);
    // Without a branch a byte, so that many are looked at together.
    if !bytes.iter().fold(false, |found, byte| found | unassigned(byte)) {
        return text;
    }
    let replaced = |letter: char| if matches!(letter, '\u{80}'..='\u{9f}') { '\u{fffd}' } else { letter };
    Cow::Owned(text.chars().map(replaced).collect())
}

/// The Encoding Standard reads a few signs of the Japanese charsets as Microsoft did; Perl only if the
/// charset is called Microsoft's.
fn as_jis(text: Cow<'_, str>) -> Cow<'_, str> {
    let standard = |sign: char| match sign {
        '\u{ff5e}' => '\u{301c}',
        '\u{2225}' => '\u{2016}',
        '\u{ff0d}' => '\u{2212}',
        '\u{ffe0}' => '\u{a2}',
        '\u{ffe1}' => '\u{a3}',
        '\u{ffe2}' => '\u{ac}',
        sign => sign,
    };
    Cow::Owned(text.chars().map(standard).collect())
}

fn keep<'m>(text: Cow<'m, str>, arena: &'m Arena) -> &'m str {
    match text {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => arena.alloc_str(&text),
    }
}

/// Decodes in the declared charset; `None` where there is no such charset or, if `strict`, the bytes are
/// not in it. ISO-8859-1 means Windows-1252, as everywhere on the web.
fn declared_charset<'m>(bytes: &'m [u8], label: &str, strict: bool) -> Option<Cow<'m, str>> {
    if is_utf_7(label) {
        return utf7::decode(bytes).map(Cow::Owned);
    }
    if is_utf_16(label) {
        return decoder(bytes, utf_16(bytes)?, strict);
    }
    let text = match labels::charset(label)? {
        Charset::Encoding(encoding) if encoding == WINDOWS_1252 => windows_1252(bytes),
        Charset::Encoding(encoding) => {
            let text = decoder(bytes, encoding, strict)?;
            let is_windows = encoding.name().starts_with("windows-") || encoding == WINDOWS_874;
            match text.contains(is_control).then_some(strict) {
                // bytes without a meaning, which the Encoding Standard makes controls of
                Some(true) if is_windows => return None,
                Some(false) if is_windows => Cow::Owned(text.replace(is_control, "\u{fffd}")),
                _ => text,
            }
        }
        Charset::Iso(encoding) => with_controls(bytes, decoder(bytes, encoding, strict)?),
        Charset::DoubleByte(DoubleByte::ShiftJis) => as_jis(DoubleByte::ShiftJis.decode(bytes, strict)?),
        Charset::DoubleByte(charset) => charset.decode(bytes, strict)?,
        Charset::EucJp => as_jis(decoder(bytes, EUC_JP, strict)?),
        Charset::WindowsJapanese => decoder(bytes, SHIFT_JIS, strict)?,
        Charset::Jis => as_jis(Cow::Owned(jis::japanese(bytes))),
        Charset::Korean => Cow::Owned(jis::korean(bytes)),
        Charset::CodePage(page) => Cow::Owned(page.decode(bytes, strict)?),
    };
    Some(text)
}

fn is_control(sign: char) -> bool {
    matches!(sign, '\u{80}'..='\u{9f}')
}

/// Text of a single-byte charset, with controls for the bytes that are controls in ISO-8859.
fn with_controls<'m>(bytes: &[u8], text: Cow<'m, str>) -> Cow<'m, str> {
    if !bytes.iter().any(|byte| matches!(byte, 0x80..=0x9f)) {
        return text;
    }
    let letters = bytes.iter().zip(text.chars());
    let control = |byte: u8| matches!(byte, 0x80..=0x9f).then_some(char::from(byte));
    Cow::Owned(letters.map(|(&byte, letter)| control(byte).unwrap_or(letter)).collect())
}

fn decoder<'m>(bytes: &'m [u8], encoding: &'static Encoding, strict: bool) -> Option<Cow<'m, str>> {
    match strict {
        true => encoding.decode_without_bom_handling_and_without_replacement(bytes),
        false => Some(encoding.decode_without_bom_handling(bytes).0),
    }
}

/// Charsets in which 7-bit bytes can mean something else than ASCII.
fn may_look_like_ascii(label: &str) -> bool {
    let name = label.as_bytes();
    // Most labels start otherwise: no need to look them up.
    matches!(name.first(), Some(b'u' | b'U')) && (is_utf_16(label) || is_utf_7(label))
        || matches!(name.first(), Some(b'i' | b'I' | b'7' | b'j' | b'J'))
            && matches!(labels::charset(label), Some(Charset::Jis | Charset::Korean))
}

fn is_us_ascii(label: &str) -> bool {
    ["us-ascii", "ascii"].iter().any(|name| label.eq_ignore_ascii_case(name))
}

fn is_utf_16(label: &str) -> bool {
    starts_with_one_of(label, &["utf-16", "utf16", "utf 16"])
}

fn is_utf_7(label: &str) -> bool {
    ["utf-7", "utf7", "unicode-1-1-utf-7"].iter().any(|name| label.eq_ignore_ascii_case(name))
}

fn starts_with_one_of(label: &str, names: &[&str]) -> bool {
    names.iter().any(|name| label.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
}

/// The byte order. Spammers leave its mark out and declare the wrong one, so blanks and the weight of the
/// even and odd bytes tell, whatever the label says. Text with a mark is not decoded at all.
fn utf_16(bytes: &[u8]) -> Option<&'static Encoding> {
    if matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return None;
    }
    let (mut little, mut big) = (0usize, 0usize);
    let (mut even, mut odd) = (0usize, 0usize);
    for pair in bytes.as_chunks::<2>().0 {
        let &[first, second] = pair;
        little += usize::from(*pair == [0x20, 0]);
        big += usize::from(*pair == [0, 0x20]);
        even += weight(first);
        odd += weight(second);
    }
    little += usize::from(even > 4 * odd);
    big += usize::from(4 * odd > even);
    match little.cmp(&big) {
        Ordering::Greater => Some(UTF_16LE),
        Ordering::Less => Some(UTF_16BE),
        Ordering::Equal => None,
    }
}

fn weight(byte: u8) -> usize {
    usize::from(byte >> 4) + usize::from(byte & 15)
}
