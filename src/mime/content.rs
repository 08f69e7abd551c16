//! Content-Type and Content-Disposition values: the type, and parameters with RFC 2231 and 2047 encodings.

use bumpalo::collections::{String as ArenaString, Vec as ArenaVec};
use memchr::{memchr, memchr2_iter};

use super::{Arena, charset, words};

/// A media type, lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct MediaType<'m> {
    pub kind: &'m str,
    pub subkind: &'m str,
}

/// The type of a Content-Type value; `None` where there is none. As SpamAssassin has it, text of all types
/// but HTML, calendars and vCards is plain text.
pub(super) fn media_type<'m>(value: &'m str, arena: &'m Arena) -> Option<MediaType<'m>> {
    let value = value.split(';').next().unwrap_or_default().trim_start();
    let written = match value.split_once('/') {
        Some(("", _)) | None => value,
        Some((kind, rest)) => {
            let end = rest.find(|end: char| end == '/' || end.is_ascii_whitespace()).unwrap_or(rest.len());
            value.get(..kind.len() + 1 + end).unwrap_or(value)
        }
    };
    if written.is_empty() || written == "0" {
        return None;
    }
    let text = written.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("text"))
        && !written.as_bytes().get(4).is_some_and(|next| next.is_ascii_alphanumeric() || *next == b'_');
    let special = ["text/html", "text/calendar", "text/x-vcard"];
    if text && !special.iter().any(|name| written.eq_ignore_ascii_case(name)) {
        return Some(MediaType { kind: "text", subkind: "plain" });
    }
    let clean = |byte: u8| is_type_byte(byte) && !byte.is_ascii_uppercase();
    let written = if written.bytes().all(clean) {
        written
    } else {
        let lower = written.bytes().filter(|byte| is_type_byte(*byte)).map(|byte| byte.to_ascii_lowercase());
        ArenaString::from_iter_in(lower.map(char::from), arena).into_bump_str()
    };
    let (kind, subkind) = written.split_once('/').unwrap_or((written, ""));
    Some(MediaType { kind, subkind })
}

/// Bytes that may stand in a media type: no controls, blanks, 8-bit or RFC 2045 tspecials but `/`.
fn is_type_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'(' | b')' | b',' | b':'..=b'?' | b'@' | b'['..=b']')
}

/// The parameter called `name`, up to the first blank: for values that have none, before what follows without
/// a semicolon.
pub(super) fn token<'m>(value: &'m str, name: &str, arena: &'m Arena) -> Option<&'m str> {
    let parameter = parameter(value, name, arena)?;
    parameter.trim().split(|blank: char| blank.is_ascii_whitespace()).next()
}

/// The parameter called `name`: RFC 2231 continuations and charsets undone, encoded words (which do not
/// belong here, and are common) decoded.
pub(super) fn parameter<'m>(value: &'m str, name: &str, arena: &'m Arena) -> Option<&'m str> {
    // Most values are asked for parameters that they lack.
    find_ignoring_case(value, 0, name)?;
    plain(value, name, arena).or_else(|| extended(value, name, arena)).or_else(|| loose(value, name))
}

/// The parameter called `name` where it is written without RFC 2231's encodings.
pub(super) fn plain<'m>(value: &'m str, name: &str, arena: &'m Arena) -> Option<&'m str> {
    let plain = parameters(value).find(|parameter| parameter.name.eq_ignore_ascii_case(name))?;
    Some(decode_words(plain.unquoted(arena), arena))
}

fn decode_words<'m>(text: &'m str, arena: &'m Arena) -> &'m str {
    if text.contains("=?") { words::decode(text.as_bytes(), arena) } else { text }
}

/// `name*=charset'language'%41`, `name*0=`, `name*1*=` and so on (RFC 2231).
fn extended<'m>(value: &'m str, name: &str, arena: &'m Arena) -> Option<&'m str> {
    let sections = || {
        parameters(value).filter_map(|parameter| {
            let (base, section) = parameter.name.split_once('*')?;
            let (section, encoded) = match section.strip_suffix('*') {
                Some(section) => (section, true),
                None => (section, section.is_empty()),
            };
            let number: usize = if section.is_empty() { 0 } else { section.parse().ok()? };
            base.eq_ignore_ascii_case(name).then_some((number, encoded, parameter))
        })
    };
    let count = sections().count();
    if count == 0 {
        return None;
    }
    let mut label = "";
    let mut bytes = ArenaVec::new_in(arena);
    // In order by number: senders shuffle them. More sections than parameters cannot be.
    for wanted in 0..count.min(MAX_SECTIONS) {
        let Some((_, encoded, parameter)) = sections().find(|(number, ..)| *number == wanted) else { break };
        let mut text = parameter.unquoted(arena);
        if !encoded {
            bytes.extend_from_slice_copy(text.as_bytes());
            continue;
        }
        if wanted == 0
            && let Some((charset, rest)) = text.split_once('\'')
            && let Some((_, rest)) = rest.split_once('\'')
        {
            (label, text) = (charset, rest);
        }
        percent_decode(text.as_bytes(), &mut bytes);
    }
    let bytes = bytes.into_bump_slice();
    let text = if label.is_empty() {
        charset::guess(bytes, arena).text
    } else {
        charset::forced(bytes, label, arena)
    };
    Some(decode_words(text, arena))
}

/// A file name in more pieces than this is no file name.
const MAX_SECTIONS: usize = 100;

fn percent_decode(mut text: &[u8], bytes: &mut ArenaVec<'_, u8>) {
    while let Some((&byte, rest)) = text.split_first() {
        let digit = |at: usize| rest.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high << 4 | low) as u8);
                text = rest.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(byte);
                text = rest;
            }
        }
    }
}

/// One `name=value`.
#[derive(Clone, Copy)]
struct Parameter<'m> {
    name: &'m str,
    /// As written, quotes included.
    value: &'m str,
}

impl<'m> Parameter<'m> {
    fn unquoted(&self, arena: &'m Arena) -> &'m str {
        let Some(inner) = self.value.strip_prefix('"') else { return self.value };
        let inner = inner.strip_suffix('"').unwrap_or(inner);
        if !inner.contains('\\') {
            return inner;
        }
        let mut text = ArenaString::with_capacity_in(inner.len(), arena);
        let mut escaped = false;
        for character in inner.chars() {
            // A backslash before anything but a quote or itself is part of a Windows path.
            escaped = match character {
                '\\' if !escaped => true,
                '"' | '\\' => {
                    text.push(character);
                    false
                }
                _ => {
                    if escaped {
                        text.push('\\');
                    }
                    text.push(character);
                    false
                }
            };
        }
        text.into_bump_str()
    }
}

/// The parameters after the first semicolon; semicolons in quotes do not count.
fn parameters(value: &str) -> impl Iterator<Item = Parameter<'_>> {
    let mut rest = value.split_once(';').map_or("", |(_, rest)| rest);
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let end = segment_end(rest);
            let segment = rest.get(..end).unwrap_or_default();
            rest = rest.get(end + 1..).unwrap_or_default();
            if let Some((name, value)) = segment.split_once('=') {
                let value = value.trim();
                let end = match value.strip_prefix('"') {
                    Some(inner) => quote_end(inner).map_or(value.len(), |end| end + 2),
                    None => value.len(),
                };
                return Some(Parameter { name: name.trim(), value: value.get(..end).unwrap_or(value) });
            }
        }
        None
    })
}

/// Where the next semicolon outside quotes stands. A quote counts at the start of a value only, and only if
/// it is closed somewhere.
fn segment_end(text: &str) -> usize {
    let semicolon = memchr(b';', text.as_bytes()).unwrap_or(text.len());
    let Some(equals) = text.get(..semicolon).and_then(|name| memchr(b'=', name.as_bytes())) else {
        return semicolon;
    };
    let value = text.get(equals + 1..).unwrap_or_default();
    let start = equals + 1 + (value.len() - value.trim_start().len());
    let Some(inner) = text.get(start..).and_then(|value| value.strip_prefix('"')) else { return semicolon };
    let Some(close) = quote_end(inner) else { return semicolon };
    let after = start + 1 + close + 1;
    text.get(after..).and_then(|rest| rest.find(';')).map_or(text.len(), |next| after + next)
}

/// The closing quote.
fn quote_end(inner: &str) -> Option<usize> {
    let mut escaped = false;
    inner.bytes().position(|byte| {
        let end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        end
    })
}

/// `name = value` anywhere, for senders who forget the semicolons.
fn loose<'m>(value: &'m str, name: &str) -> Option<&'m str> {
    let mut from = 0;
    while let Some(found) = find_ignoring_case(value, from, name) {
        from = found + name.len();
        let bounded = value.get(..found)?.bytes().next_back().is_none_or(|byte| !is_word_byte(byte));
        let Some(after) = value.get(from..)?.trim_start().strip_prefix('=') else { continue };
        if !bounded {
            continue;
        }
        let after = after.trim_start();
        return Some(match after.strip_prefix('"') {
            Some(inner) => inner.split('"').next().unwrap_or_default(),
            None => {
                after.split(|end: char| end.is_ascii_whitespace() || end == ';').next().unwrap_or_default()
            }
        });
    }
    None
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn find_ignoring_case(text: &str, from: usize, name: &str) -> Option<usize> {
    let (bytes, first) = (text.as_bytes().get(from..)?, *name.as_bytes().first()?);
    let is_name = |at: &usize| {
        let there = bytes.get(*at..*at + name.len());
        there.is_some_and(|there| there.eq_ignore_ascii_case(name.as_bytes()))
    };
    memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), bytes)
        .find(is_name)
        .map(|at| from + at)
}
