//! About the MIME structure.

use std::borrow::Cow;

use super::{Function, count, number, text, truth};
use crate::{
    mime::{Damage, Part},
    rules::{Subject, language::Argument},
};

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("check_abundant_unicode_ratio", check_abundant_unicode_ratio),
    ("check_base64_length", check_base64_length),
    ("check_for_ascii_text_illegal", check_for_ascii_text_illegal),
    ("check_for_faraway_charset", check_for_faraway_charset),
    ("check_for_faraway_charset_in_headers", check_for_faraway_charset_in_headers),
    ("check_for_mime", check_for_mime),
    ("check_for_mime_html", check_for_mime_html),
    ("check_for_mime_html_only", check_for_mime_html_only),
    ("check_for_uppercase", check_for_uppercase),
    ("check_ma_non_text", check_ma_non_text),
    ("check_mime_multipart_ratio", check_mime_multipart_ratio),
    ("check_msg_parse_flags", check_msg_parse_flags),
    ("check_qp_ratio", check_qp_ratio),
];

fn encoding<'m>(subject: &Subject<'_, 'm>, part: &Part<'m>) -> String {
    lower(subject, part, "Content-Transfer-Encoding")
}

fn disposition<'m>(subject: &Subject<'_, 'm>, part: &Part<'m>) -> String {
    lower(subject, part, "Content-Disposition")
}

fn lower<'m>(subject: &Subject<'_, 'm>, part: &Part<'m>, name: &str) -> String {
    part.header(subject.message, name).unwrap_or_default().to_ascii_lowercase()
}

fn is_plain(part: &Part<'_>) -> bool {
    part.kind == "text" && part.subkind == "plain"
}

fn is_html(part: &Part<'_>) -> bool {
    part.kind == "text" && part.subkind == "html"
}

/// The lines of a leaf as they stand in the message, with their LF.
fn lines<'m>(part: &Part<'m>) -> impl Iterator<Item = &'m [u8]> {
    part.raw_body.split_inclusive(|&byte| byte == b'\n')
}

/// The bytes of a line with its LF, the CR of a CRLF message left out.
fn length(subject: &Subject<'_, '_>, line: &[u8]) -> usize {
    line.len() - usize::from(subject.message.crlf && line.ends_with(b"\r\n"))
}

/// The message says that it is HTML.
fn declares_html(subject: &Subject<'_, '_>) -> bool {
    let declared = subject.message.header("Content-Type").unwrap_or_default();
    declared.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("text/html"))
}

/// There is an HTML part.
fn check_for_mime_html(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    truth(declares_html(subject) || subject.message.parts.iter().any(is_html))
}

/// There is an HTML part and no other text.
fn check_for_mime_html_only(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let mut texts = subject.message.parts.iter().filter(|part| part.kind == "text").peekable();
    truth(declares_html(subject) || (texts.peek().is_some() && texts.all(is_html)))
}

/// One of several facts, by its name.
fn check_for_mime(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let message = subject.message;
    let mut parts = message.parts.iter();
    truth(match text(arguments, 0).unwrap_or_default() {
        "mime_attachment" => parts.any(|part| disposition(subject, part).contains("attachment")),
        "mime_base64_count" => parts.any(|part| encoding(subject, part).contains("base64")),
        "mime_qp_count" => match quoted_printable(subject) {
            // nothing is in quoted-printable that a part says is
            (_, 0) => parts.any(|part| encoding(subject, part).contains("quoted-printable")),
            (needless, _) => needless > 0,
        },
        "mime_qp_bytes" => quoted_printable(subject).1 > 0,
        "mime_qp_ratio" => quoted_printable(subject).0 > 0,
        "mime_ascii_text_illegal" => has_illegal_ascii(subject),
        "mime_body_html_count" => parts.any(is_html),
        "mime_body_text_count" => parts.any(|part| part.kind == "text" && !is_html(part)),
        "mime_faraway_charset" => parts.any(|part| {
            part.charset.is_some_and(|charset| {
                charset.contains(|char: char| char.is_ascii_alphabetic())
                    && !subject.rules.settings.expects(charset)
            })
        }),
        "mime_missing_boundary" => message.damage.contains(Damage::UNTERMINATED),
        "mime_multipart_alternative" => {
            parts.any(|part| part.kind == "multipart" && part.subkind == "alternative")
        }
        "mime_multipart_ratio" => multipart_ratio(subject) != 0.0,
        "mime_text_unicode_ratio" => unicode_ratio(subject).is_some_and(|ratio| ratio > 0.0),
        "mime_base64_encoded_text" => parts.any(|part| {
            let disposition = disposition(subject, part);
            let attached = disposition.starts_with("attachment") || disposition.starts_with("inline");
            let ascii = part.charset.is_none_or(|charset| charset.is_empty() || is_ascii(charset));
            part.kind == "text" && encoding(subject, part).contains("base64") && ascii && !attached
        }),
        "mime_bad_iso_charset" => parts.any(|part| part.charset.is_some_and(is_bad_iso)),
        "mime_qp_long_line" => message.leaves().any(|(_, part)| {
            encoding(subject, part) == "quoted-printable"
                && lines(part).any(|line| length(subject, line) > 79)
        }),
        "mimepart_limit_exceeded" => message.damage.contains(Damage::TOO_MANY_PARTS),
        _ => false,
    })
}

/// Characters that are encoded and need not be, and the bytes of all lines in quoted-printable.
fn quoted_printable(subject: &Subject<'_, '_>) -> (usize, usize) {
    let encoded = subject.message.leaves().filter(|(_, part)| encoding(subject, part) == "quoted-printable");
    let mut sum = (0, 0);
    for line in encoded.flat_map(|(_, part)| lines(part)).filter(|line| !line.starts_with(b"SPAM: ")) {
        sum.0 += needless_escapes(line);
        sum.1 += length(subject, line);
    }
    sum
}

/// Escapes of what could stand for itself, but for blanks at the end of the line.
fn needless_escapes(line: &[u8]) -> usize {
    let is_needless = |at: &usize| match line.get(at + 1..at + 3) {
        Some([b'0', b'9']) => true,
        Some([b'3', low]) => matches!(low, b'0'..=b'9' | b'A'..=b'C' | b'E' | b'F'),
        Some([b'2' | b'4'..=b'6', low]) => matches!(low, b'0'..=b'9' | b'A'..=b'F'),
        Some([b'7', low]) => matches!(low, b'0'..=b'9' | b'A'..=b'E'),
        _ => false,
    };
    let count = memchr::memchr_iter(b'=', line).filter(is_needless).count();
    let mut trailing = 0;
    let mut rest = line.trim_ascii_end();
    while let Some(shorter) = rest.strip_suffix(b"=09").or_else(|| rest.strip_suffix(b"=20")) {
        trailing += 1;
        rest = shorter;
    }
    count - trailing.min(count)
}

/// At least so many needless escapes for each byte in quoted-printable.
fn check_qp_ratio(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let Some(least) = number(arguments, 0) else { return 0 };
    let (needless, bytes) = quoted_printable(subject);
    let ratio = if bytes > 0 { needless as f64 / bytes as f64 } else { 0.0 };
    truth(ratio >= least)
}

/// Text with many bytes above ASCII in a charset that is not expected.
fn check_for_faraway_charset(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let settings = &subject.rules.settings;
    let charset = declared_charset(subject).filter(|charset| !settings.expects(charset));
    if charset.is_none() {
        return 0;
    }
    let bytes = || subject.body().iter().flat_map(|unit| unit.iter());
    let high = bytes().filter(|byte| !byte.is_ascii()).count();
    // the units are joined with LF
    let low = bytes().count() - high + subject.body().len().saturating_sub(1);
    truth(high > 3 && low <= high)
}

/// The author or the subject is encoded in a charset that is not expected.
fn check_for_faraway_charset_in_headers(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let settings = &subject.rules.settings;
    if settings.expects_all() {
        return 0;
    }
    truth(["From:raw", "Subject:raw"].iter().any(|lookup| {
        let value = subject.get(lookup);
        let value = String::from_utf8_lossy(&value);
        encoded_charsets(&value).any(|charset| !settings.expects(charset))
    }))
}

/// The charsets of encoded words.
fn encoded_charsets(mut value: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        loop {
            let (_, word) = value.split_once("=?")?;
            value = word;
            let Some((charset, rest)) = word.split_once('?').filter(|(charset, _)| !charset.is_empty())
            else {
                continue;
            };
            let text = rest.get(1..).and_then(|rest| rest.strip_prefix('?'));
            if let Some((_, behind)) = text.and_then(|text| text.split_once("?=")) {
                value = behind;
                return Some(charset);
            }
        }
    })
}

/// What the message says of itself: `charset=x`, `charset="x"`.
fn declared_charset<'m>(subject: &Subject<'_, 'm>) -> Option<&'m str> {
    let declared = subject.message.header("Content-Type")?;
    let at = declared.to_ascii_lowercase().find("charset=")?;
    let value = declared.get(at + "charset=".len()..)?;
    let charset = match value.chars().next()? {
        quote @ ('"' | '\'') => value.get(1..)?.split(quote).next()?,
        _ => value.split_ascii_whitespace().next()?,
    };
    (!charset.is_empty()).then_some(charset)
}

/// The names of US-ASCII; SpamAssassin looks for them anywhere in the charset.
fn is_ascii(charset: &str) -> bool {
    ["ascii", "iso-ir-6", "ansi_x3.4-19", "iso_646.irv:1991", "iso646-us", "us", "ibm367", "cp367"]
        .iter()
        .any(|name| charset.contains(name))
}

/// `iso-x-y` that is neither 8859 nor 2022.
fn is_bad_iso(charset: &str) -> bool {
    let Some(rest) = charset.strip_prefix("iso-") else { return false };
    let known = rest.strip_prefix("8859-").is_some_and(|number| {
        (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    rest.contains('-') && !known && rest != "2022-jp" && rest != "2022-kr"
}

/// Plain text that is ASCII by declaration and not in fact.
fn check_for_ascii_text_illegal(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    truth(has_illegal_ascii(subject))
}

fn has_illegal_ascii(subject: &Subject<'_, '_>) -> bool {
    let illegal = |byte: &u8| matches!(byte, 0 | b'\r' | 0x80..);
    subject.message.leaves().any(|(_, part)| {
        is_plain(part)
            && part.charset.is_none_or(|charset| charset == "us-ascii")
            && match subject.message.crlf {
                true => {
                    lines(part).any(|line| line.strip_suffix(b"\r\n").unwrap_or(line).iter().any(illegal))
                }
                false => part.raw_body.iter().any(illegal),
            }
    })
}

/// Character references like `&#x2014;` in plain text, for each other character: least.
fn check_abundant_unicode_ratio(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let Some(least) = number(arguments, 0) else { return 0 };
    truth(unicode_ratio(subject).unwrap_or_default() >= least)
}

fn unicode_ratio(subject: &Subject<'_, '_>) -> Option<f64> {
    let (mut normal, mut references) = (0usize, 0usize);
    for (_, part) in subject.message.leaves().filter(|(_, part)| is_plain(part)) {
        if matches!(encoding(subject, part).as_str(), "" | "7bit" | "8bit") {
            let found = memchr::memmem::find_iter(part.raw_body, b"&#x").filter(|&at| {
                part.raw_body.get(at + 3..at + 8).is_some_and(|rest| {
                    rest[..4].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')) && rest[4] == b';'
                })
            });
            let found = found.count();
            references += found;
            normal += part.raw_body.len() - found * 8;
            if subject.message.crlf {
                normal -= lines(part).filter(|line| line.ends_with(b"\r\n")).count();
            }
        }
    }
    (normal > 0).then(|| references as f64 / normal as f64)
}

/// The longest line of base64: least, most.
fn check_base64_length(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let Some(least) = number(arguments, 0) else { return 0 };
    let encoded = subject.message.leaves().filter(|(_, part)| {
        encoding(subject, part) == "base64" && !(part.kind == "application" && part.subkind == "ics")
    });
    let lengths = encoded.flat_map(|(_, part)| lines(part)).map(|line| length(subject, line));
    let longest = lengths.max().unwrap_or(0) as f64;
    truth(longest >= least && number(arguments, 1).is_none_or(|most| longest <= most))
}

/// Something in multipart/alternative that is neither text nor what ham has there.
fn check_ma_non_text(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let parts = &subject.message.parts;
    truth(parts.iter().any(|part| {
        let parent = part.parent.and_then(|parent| parts.get(parent));
        parent.is_some_and(|parent| parent.kind == "multipart" && parent.subkind == "alternative")
            && part.kind != "text"
            && !(part.kind == "multipart" && part.subkind == "related")
            && !(part.kind == "application" && part.subkind == "rtf")
    }))
}

/// Size of the plain text for each byte of HTML in an alternative: least, most (excluded).
fn check_mime_multipart_ratio(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let (Some(least), Some(most)) = (number(arguments, 0), number(arguments, 1)) else { return 0 };
    let ratio = multipart_ratio(subject);
    truth(ratio >= least && ratio < most)
}

fn multipart_ratio(subject: &Subject<'_, '_>) -> f64 {
    let mut alternative = false;
    // the last plain and the last HTML part that are no attachments
    let (mut plain, mut html) = (None, None);
    for part in &subject.message.parts {
        alternative |= part.kind == "multipart" && part.subkind == "alternative";
        if !part.is_leaf || disposition(subject, part).contains("attachment") {
            continue;
        }
        let size = if alternative { part.raw_body.len() } else { 0 };
        if is_plain(part) {
            plain = Some(size);
        } else if is_html(part) {
            html = Some(size);
        }
    }
    match (plain, html) {
        (Some(plain), Some(html)) if alternative && html > 0 => plain as f64 / html as f64,
        _ => 1.0,
    }
}

/// What is wrong with the structure.
fn check_msg_parse_flags(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    // what is wrong with the parts of a message inside of the message counts, too
    let parts = &subject.message.parts;
    let of_root = |wanted| parts.first().is_some_and(|root| root.damage().contains(wanted));
    let of_any = |wanted| parts.iter().any(|part| part.damage().contains(wanted));
    let in_multipart = |part: &&Part<'_>| {
        part.parent.and_then(|parent| parts.get(parent)).is_some_and(|parent| parent.kind == "multipart")
    };
    let of_child = |wanted| parts.iter().filter(in_multipart).any(|part| part.damage().contains(wanted));
    truth(match text(arguments, 0).unwrap_or_default() {
        "missing_head_body_separator" => of_root(Damage::NO_SEPARATOR),
        "truncated_header" => of_root(Damage::HEADER_CUT),
        "missing_mime_head_body_separator" => of_child(Damage::NO_SEPARATOR),
        "missing_mime_headers" => of_any(Damage::NO_PART_HEADERS),
        "mime_epilogue_exists" => of_any(Damage::EPILOGUE),
        _ => false,
    })
}

/// Share of capital letters in percent: least (excluded), most.
fn check_for_uppercase(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let (Some(least), Some(most)) = (number(arguments, 0), number(arguments, 1)) else { return 0 };
    let share = *subject.facts.uppercase.get_or_init(|| capitals(subject));
    truth(share > least && share <= most)
}

fn capitals(subject: &Subject<'_, '_>) -> f64 {
    let named = |charset: Option<&str>| charset.is_none_or(has_two_cases);
    if !named(declared_charset(subject)) || !subject.message.parts.iter().all(|part| named(part.charset)) {
        return 0.0;
    }
    let (mut length, mut lower, mut upper) = (0, 0, 0);
    for unit in subject.body() {
        let several = unit.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).nth(1).is_some();
        if several && !is_base64(unit) {
            let unit = without_jis(unit);
            length += unit.len();
            lower += count(&unit, |byte| byte.is_ascii_lowercase() | byte.is_ascii_digit());
            upper += count(&unit, |byte| byte.is_ascii_uppercase());
        }
    }
    // one or two acronyms in a short mail mean nothing
    if length < 200 || upper + lower == 0 {
        return 0.0;
    }
    upper as f64 / (upper + lower) as f64 * 100.0
}

/// Two lines of base64 at the beginning, as in forwarded messages.
fn is_base64(unit: &[u8]) -> bool {
    let is_code = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    let mut lines = unit.split(|&byte| byte == b' ');
    let mut line =
        || lines.next().is_some_and(|line| (60..=76).contains(&line.len()) && line.iter().all(is_code));
    line() && line() && lines.next().is_some()
}

/// From the first switch to JIS to the last one back, if there is one.
fn without_jis(unit: &[u8]) -> Cow<'_, [u8]> {
    // no escape, no switch
    memchr::memchr(0x1b, unit).map_or(Cow::Borrowed(unit), |_| without_switches(unit))
}

fn without_switches(unit: &[u8]) -> Cow<'_, [u8]> {
    let start = memchr::memmem::find(unit, b"\x1b$B");
    let end = memchr::memmem::rfind(unit, b"\x1b(B");
    match (start, end) {
        (Some(start), Some(end)) if start + 3 <= end => {
            Cow::Owned([unit.get(..start), unit.get(end + 3..)].map(Option::unwrap_or_default).concat())
        }
        _ => Cow::Borrowed(unit),
    }
}

/// Whether a charset has small letters: encoded text of those without looks like capitals.
pub(super) fn has_two_cases(charset: &str) -> bool {
    const WITHOUT: [&str; 12] = [
        "koi",
        "jp",
        "jis",
        "euc",
        "gb",
        "big5",
        "isoir",
        "cp1251",
        "windows-1251",
        "georgianps",
        "pt154",
        "tis",
    ];
    let charset = charset.to_ascii_lowercase();
    let is_name = charset.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    !(is_name && WITHOUT.iter().any(|name| charset.contains(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needless_escapes_are_counted_but_for_blanks_at_the_end() {
        assert_eq!(needless_escapes(b"=41=3D=20a=C3=A9\n"), 2);
        assert_eq!(needless_escapes(b"a=20=20\r\n"), 0);
        assert_eq!(needless_escapes(b"=41=09 \n"), 1);
    }

    #[test]
    fn encoded_words_name_their_charsets() {
        let found: Vec<_> = encoded_charsets("=?koi8-r?B?xA==?= x =?utf-8?Q?a?= =?bad").collect();
        assert_eq!(found, ["koi8-r", "utf-8"]);
    }

    #[test]
    fn charsets_without_capitals_are_known_by_a_part_of_their_name() {
        assert!(has_two_cases("utf-8") && has_two_cases("windows-1252"));
        assert!(!has_two_cases("iso-2022-jp") && !has_two_cases("GB2312") && !has_two_cases("koi8-r"));
    }
}
