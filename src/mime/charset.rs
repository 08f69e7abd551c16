//! Bytes to UTF-8: declared charsets where they hold, guesses where they do not.

use std::{borrow::Cow, str};

use encoding_rs::{Encoding, ISO_2022_JP, REPLACEMENT, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::Arena;

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
    if let Some(encoding) = encoding(label, bytes)
        && let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes)
    {
        return Decoded { text: keep(text, arena), replaced: false };
    }
    Decoded { replaced: true, ..guess(bytes, arena) }
}

/// Bytes without a declared charset: UTF-8, else Windows-1252, which no byte contradicts.
pub(super) fn guess<'m>(bytes: &'m [u8], arena: &'m Arena) -> Decoded<'m> {
    match str::from_utf8(bytes) {
        Ok(text) => Decoded { text, replaced: false },
        Err(_) => {
            let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
            Decoded { text: keep(text, arena), replaced: true }
        }
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
    match encoding(label, bytes) {
        Some(encoding) => keep(encoding.decode_without_bom_handling(bytes).0, arena),
        None => guess(bytes, arena).text,
    }
}

fn keep<'m>(text: Cow<'m, str>, arena: &'m Arena) -> &'m str {
    match text {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => arena.alloc_str(&text),
    }
}

/// The decoder for a label. ISO-8859-1 means Windows-1252, as everywhere on the web.
fn encoding(label: &str, bytes: &[u8]) -> Option<&'static Encoding> {
    if is_utf_16(label) {
        return Some(utf_16_by_statistics(bytes));
    }
    let encoding = Encoding::for_label_no_replacement(label.as_bytes()).or_else(|| by_another_name(label))?;
    (encoding != REPLACEMENT).then_some(encoding)
}

/// Labels that mail programs write and the Encoding Standard does not know.
fn by_another_name(label: &str) -> Option<&'static Encoding> {
    let bare: String = label
        .bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect();
    let known = match bare.as_str() {
        "utf8" | "unicode11utf8" => return Some(UTF_8),
        "cp932" | "windows31j" | "mskanji" => "shift_jis",
        "cp936" | "windows936" => "gbk",
        "cp949" | "ksc56011987" | "uhc" => "euc-kr",
        "cp950" | "windows950" => "big5",
        "gb180302000" | "gb180302005" => "gb18030",
        "eucjis" | "eucjp" => "euc-jp",
        "sjis" => "shift_jis",
        bare => {
            let number = bare.strip_prefix("iso8859").or_else(|| bare.strip_prefix("8859"));
            if let Some(number) = number.filter(|number| number.len() <= 2) {
                return Encoding::for_label(format!("iso-8859-{number}").as_bytes());
            }
            let number = bare.strip_prefix("cp").or_else(|| bare.strip_prefix("windows"))?;
            return Encoding::for_label(format!("windows-{number}").as_bytes());
        }
    };
    Encoding::for_label(known.as_bytes())
}

/// Charsets in which 7-bit bytes can mean something else than ASCII.
fn may_look_like_ascii(label: &str) -> bool {
    is_utf_16(label) || Encoding::for_label(label.as_bytes()) == Some(ISO_2022_JP)
}

fn is_us_ascii(label: &str) -> bool {
    ["us-ascii", "ascii"].iter().any(|name| label.eq_ignore_ascii_case(name))
}

fn is_utf_16(label: &str) -> bool {
    ["utf-16", "utf16", "utf 16"]
        .iter()
        .any(|name| label.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)))
}

/// A byte order mark tells, else the places where zero bytes and blanks stand: spammers leave the mark out
/// and declare the wrong order.
fn utf_16_by_statistics(bytes: &[u8]) -> &'static Encoding {
    match bytes {
        [0xff, 0xfe, ..] => return UTF_16LE,
        [0xfe, 0xff, ..] => return UTF_16BE,
        _ => {}
    }
    let (mut little, mut big) = (0usize, 0usize);
    for pair in bytes.chunks_exact(2) {
        match pair {
            [0, 0] => {}
            [_, 0] => little += 1,
            [0, _] => big += 1,
            _ => {}
        }
    }
    if little >= big { UTF_16LE } else { UTF_16BE }
}
