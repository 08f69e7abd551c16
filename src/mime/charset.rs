//! Bytes to UTF-8: declared charsets where they hold, guesses where they do not.

use std::{borrow::Cow, cmp::Ordering, str};

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, KOI8_R, KOI8_U, SHIFT_JIS, UTF_8, UTF_16BE,
    UTF_16LE, WINDOWS_1252,
};

use memchr::memmem;

use super::{Arena, utf7};

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
    let joined = match by_label(label) {
        // Joined words meet in the middle with an empty stretch of ASCII, which the decoder takes for an attack.
        Some(encoding) if encoding == ISO_2022_JP => without_empty_ascii(bytes, arena),
        _ => bytes,
    };
    match declared_charset(joined, label, false) {
        Some(text) => keep(text, arena),
        None => guess(bytes, arena).text,
    }
}

/// Five bytes of Windows-1252 are unassigned: the Encoding Standard makes C1 controls of them, Perl U+FFFD.
fn windows_1252(bytes: &[u8]) -> Cow<'_, str> {
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    let unassigned = |byte: &u8| matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d);
    if !bytes.iter().any(unassigned) {
        return text;
    }
    let replaced = |letter: char| if matches!(letter, '\u{80}'..='\u{9f}') { '\u{fffd}' } else { letter };
    Cow::Owned(text.chars().map(replaced).collect())
}

fn without_empty_ascii<'m>(bytes: &'m [u8], arena: &'m Arena) -> &'m [u8] {
    const EMPTY: &[u8] = b"\x1b(B\x1b$B";
    if memmem::find(bytes, EMPTY).is_none() {
        return bytes;
    }
    let mut joined = bumpalo::collections::Vec::with_capacity_in(bytes.len(), arena);
    let mut start = 0;
    for at in memmem::find_iter(bytes, EMPTY) {
        joined.extend_from_slice_copy(bytes.get(start..at).unwrap_or_default());
        start = at + EMPTY.len();
    }
    joined.extend_from_slice_copy(bytes.get(start..).unwrap_or_default());
    joined.into_bump_slice()
}

/// The Encoding Standard reads a few signs of the Japanese charsets as Microsoft did. Perl reads them so
/// only if the charset is called Microsoft's.
fn as_jis<'m>(text: Cow<'m, str>, encoding: &'static Encoding, label: &str) -> Cow<'m, str> {
    let japanese = [ISO_2022_JP, EUC_JP, SHIFT_JIS].contains(&encoding);
    let microsoft = ["cp932", "windows-31j"].iter().any(|name| label.eq_ignore_ascii_case(name));
    if !japanese || microsoft {
        return text;
    }
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
        let (encoding, text) = utf_16(bytes, label)?;
        return decoder(text, encoding, strict);
    }
    let encoding = by_label(label)?;
    if encoding == WINDOWS_1252 {
        return Some(windows_1252(bytes));
    }
    Some(as_jis(decoder(bytes, encoding, strict)?, encoding, label))
}

fn by_label(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label_no_replacement(label.as_bytes()).or_else(|| by_another_name(label))
}

fn decoder<'m>(bytes: &'m [u8], encoding: &'static Encoding, strict: bool) -> Option<Cow<'m, str>> {
    match strict {
        true => encoding.decode_without_bom_handling_and_without_replacement(bytes),
        false => Some(encoding.decode_without_bom_handling(bytes).0),
    }
}

/// Labels that mail programs write and the Encoding Standard does not know; as loosely as Perl has them.
fn by_another_name(label: &str) -> Option<&'static Encoding> {
    let letters = label.bytes().filter(u8::is_ascii_alphanumeric);
    let bare: String = letters.map(|byte| char::from(byte.to_ascii_lowercase())).collect();
    let known: &[(&str, &'static Encoding)] = &[
        ("utf8", UTF_8),
        ("gb2312", GBK),
        ("gbk", GBK),
        ("cp936", GBK),
        ("gb18030", GB18030),
        ("big5", BIG5),
        ("cp950", BIG5),
        ("shiftjis", SHIFT_JIS),
        ("sjis", SHIFT_JIS),
        ("cp932", SHIFT_JIS),
        ("windows31j", SHIFT_JIS),
        ("eucjp", EUC_JP),
        ("ujis", EUC_JP),
        ("iso2022jp", ISO_2022_JP),
        ("euckr", EUC_KR),
        ("ksc5601", EUC_KR),
        ("ksx1001", EUC_KR),
        ("cp949", EUC_KR),
        ("koi8u", KOI8_U),
        ("koi8", KOI8_R),
    ];
    if let Some((_, encoding)) = known.iter().find(|(name, _)| bare.contains(name)) {
        return Some(encoding);
    }
    let number = |prefix: &str| bare.split_once(prefix).map(|(_, number)| number);
    if let Some(number) = number("8859").filter(|number| number.len() <= 2) {
        return Encoding::for_label(format!("iso-8859-{number}").as_bytes());
    }
    let number = number("cp").or_else(|| number("windows")).or_else(|| number("win"))?;
    Encoding::for_label(format!("windows-{number}").as_bytes())
}

/// Charsets in which 7-bit bytes can mean something else than ASCII.
fn may_look_like_ascii(label: &str) -> bool {
    let name = label.as_bytes();
    // Most labels start otherwise: no need to look them up.
    matches!(name.first(), Some(b'u' | b'U')) && (is_utf_16(label) || is_utf_7(label))
        || matches!(name.first(), Some(b'i' | b'I' | b'c' | b'C')) && by_label(label) == Some(ISO_2022_JP)
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

/// The byte order, and the text after its mark. Spammers leave the mark out and declare the wrong order, so
/// where there is none blanks and the weight of the even and odd bytes tell, whatever the label says.
fn utf_16<'m>(bytes: &'m [u8], label: &str) -> Option<(&'static Encoding, &'m [u8])> {
    match bytes {
        [0xff, 0xfe, text @ ..] => return Some((UTF_16LE, text)),
        [0xfe, 0xff, text @ ..] => return Some((UTF_16BE, text)),
        _ => {}
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
        Ordering::Greater => Some((UTF_16LE, bytes)),
        Ordering::Less => Some((UTF_16BE, bytes)),
        Ordering::Equal if label.len() > 6 => Some((by_label(label)?, bytes)),
        Ordering::Equal => None,
    }
}

fn weight(byte: u8) -> usize {
    usize::from(byte >> 4) + usize::from(byte & 15)
}
