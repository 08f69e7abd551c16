//! About the MIME structure.

use super::{Function, number, text, truth};
use crate::{
    mime::{Damage, Part},
    rules::{Subject, language::Argument},
};

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("check_abundant_unicode_ratio", check_abundant_unicode_ratio),
    ("check_base64_length", check_base64_length),
    ("check_for_ascii_text_illegal", check_for_ascii_text_illegal),
    ("check_for_mime", check_for_mime),
    ("check_for_mime_html", check_for_mime_html),
    ("check_for_mime_html_only", check_for_mime_html_only),
    ("check_for_uppercase", check_for_uppercase),
    ("check_ma_non_text", check_ma_non_text),
    ("check_mime_multipart_ratio", check_mime_multipart_ratio),
    ("check_msg_parse_flags", check_msg_parse_flags),
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
        "mime_qp_count" => parts.any(|part| encoding(subject, part).contains("quoted-printable")),
        "mime_base64_encoded_text" => parts.any(|part| {
            let disposition = disposition(subject, part);
            let attached = disposition.starts_with("attachment") || disposition.starts_with("inline");
            let ascii = part.charset.is_none_or(|charset| charset.is_empty() || is_ascii(charset));
            part.kind == "text" && encoding(subject, part).contains("base64") && ascii && !attached
        }),
        "mime_bad_iso_charset" => parts.any(|part| part.charset.is_some_and(is_bad_iso)),
        "mime_qp_long_line" => message.leaves().any(|(_, part)| {
            encoding(subject, part) == "quoted-printable" && lines(part).any(|line| line.len() > 79)
        }),
        "mimepart_limit_exceeded" => message.damage.contains(Damage::TOO_MANY_PARTS),
        _ => false,
    })
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
    let illegal = |byte: &u8| matches!(byte, 0 | b'\r' | 0x80..);
    truth(subject.message.leaves().any(|(_, part)| {
        is_plain(part)
            && part.charset.is_none_or(|charset| charset == "us-ascii")
            && match subject.message.crlf {
                true => {
                    lines(part).any(|line| line.strip_suffix(b"\r\n").unwrap_or(line).iter().any(illegal))
                }
                false => part.raw_body.iter().any(illegal),
            }
    }))
}

/// Character references like `&#x2014;` in plain text, for each other character.
fn check_abundant_unicode_ratio(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let Some(least) = number(arguments, 0) else { return 0 };
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
        }
    }
    truth(normal > 0 && references as f64 / normal as f64 >= least)
}

/// The longest line of base64: least, most.
fn check_base64_length(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let Some(least) = number(arguments, 0) else { return 0 };
    let encoded = subject.message.leaves().filter(|(_, part)| {
        encoding(subject, part) == "base64" && !(part.kind == "application" && part.subkind == "ics")
    });
    let longest = encoded.flat_map(|(_, part)| lines(part)).map(<[u8]>::len).max().unwrap_or(0) as f64;
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
    let ratio = match (plain, html) {
        (Some(plain), Some(html)) if alternative && html > 0 => plain as f64 / html as f64,
        _ => 1.0,
    };
    truth(ratio >= least && ratio < most)
}

/// What is wrong with the structure.
fn check_msg_parse_flags(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let damage = subject.message.damage;
    let wanted = match text(arguments, 0).unwrap_or_default() {
        "missing_head_body_separator" => Damage::NO_SEPARATOR,
        "truncated_header" => Damage::HEADER_CUT,
        "missing_mime_headers" => Damage::NO_PART_HEADERS,
        "mime_epilogue_exists" => Damage::EPILOGUE,
        _ => return 0,
    };
    truth(damage.contains(wanted))
}

/// Share of capital letters in percent: least (excluded), most.
fn check_for_uppercase(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let (Some(least), Some(most)) = (number(arguments, 0), number(arguments, 1)) else { return 0 };
    let (mut length, mut lower, mut upper) = (0, 0, 0);
    for unit in &subject.rendered.body {
        let unit = unit.strip_suffix(b"\n").unwrap_or(unit);
        let several = unit.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count() > 1;
        if several {
            length += unit.len() + 1;
            lower += unit.iter().filter(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()).count();
            upper += unit.iter().filter(|byte| byte.is_ascii_uppercase()).count();
        }
    }
    // one or two acronyms in a short mail mean nothing
    if length < 200 || upper + lower == 0 || !subject.message.parts.iter().all(has_two_cases) {
        return truth(least < 0.0);
    }
    let share = upper as f64 / (upper + lower) as f64 * 100.0;
    truth(share > least && share <= most)
}

/// Charsets whose encoded text looks like capitals do not have them.
fn has_two_cases(part: &Part<'_>) -> bool {
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
    part.charset.is_none_or(|charset| !WITHOUT.iter().any(|name| charset.contains(name)))
}
