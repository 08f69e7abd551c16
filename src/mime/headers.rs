//! Header sections: where they end, and their fields, whose values are decoded when somebody asks.

use std::cell::OnceCell;

use bumpalo::collections::Vec as ArenaVec;
use memchr::memchr;

use super::{Arena, Damage, Limits, words};

/// Lines that are no field are passed over in a message's header section up to this many times.
const BAD_LINES: usize = 3;

/// One physical header field.
#[derive(Clone, Debug)]
pub struct Header<'m> {
    /// As written, without blanks before the colon.
    pub name: &'m [u8],
    /// All after the colon: leading blanks, folds and the last LF included; CRLF is LF here if the message
    /// is a CRLF message. Fields of parts inside a multipart lack the blanks after the colon.
    pub raw: &'m [u8],
    key: u32,
    value: OnceCell<&'m str>,
}

impl<'m> Header<'m> {
    pub(super) fn new(name: &'m [u8], raw: &'m [u8]) -> Header<'m> {
        Header { name, raw, key: key(name), value: OnceCell::new() }
    }

    /// Whether this is the field called `name`, in whatever case.
    pub fn is(&self, name: &str) -> bool {
        self.is_named(&Name::of(name))
    }

    /// The same, for a name that many fields are compared with.
    pub fn is_named(&self, name: &Name<'_>) -> bool {
        self.key == name.key && self.name.eq_ignore_ascii_case(name.text)
    }

    /// SpamAssassin's plain value without the LF at its end: unfolded, trimmed, as UTF-8, with encoded
    /// words (RFC 2047) decoded unless the field is one that must not have them. Cached.
    pub fn value(&self, arena: &'m Arena) -> &'m str {
        self.value.get_or_init(|| {
            let line = unfold(self.raw, arena);
            if has_no_words(self.name) { words::to_utf8(line, arena) } else { words::decode(line, arena) }
        })
    }
}

/// The name of a field, to be compared with those of fields.
#[derive(Clone, Copy, Debug)]
pub struct Name<'n> {
    text: &'n [u8],
    key: u32,
}

impl<'n> Name<'n> {
    pub const fn of(name: &'n str) -> Name<'n> {
        Name { text: name.as_bytes(), key: key(name.as_bytes()) }
    }
}

/// The fields of `headers` called `name`, top to bottom.
pub(super) fn named<'a, 'm>(headers: &'a [Header<'m>], name: &str) -> impl Iterator<Item = &'a Header<'m>> {
    let name = Name::of(name);
    headers.iter().filter(move |header| header.is_named(&name))
}

/// The value of the last field called `name`.
pub(super) fn last_value<'m>(headers: &[Header<'m>], name: &str, arena: &'m Arena) -> Option<&'m str> {
    let name = Name::of(name);
    headers.iter().rev().find(|header| header.is_named(&name)).map(|header| header.value(arena))
}

/// Tells most names apart by four bytes, so that a lookup seldom compares names.
const fn key(name: &[u8]) -> u32 {
    const fn at(name: &[u8], index: usize) -> u8 {
        if index < name.len() { name[index].to_ascii_lowercase() } else { 0 }
    }
    let length = name.len();
    u32::from_le_bytes([length as u8, at(name, 2), at(name, length / 2), at(name, length.wrapping_sub(1))])
}

/// Fields in which `=?...?=` is no encoded word.
fn has_no_words(name: &[u8]) -> bool {
    const NAMES: [&str; 8] = [
        "Received",
        "Message-ID",
        "Date",
        "Resent-Message-ID",
        "Resent-Date",
        "MIME-Version",
        "References",
        "In-Reply-To",
    ];
    NAMES.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
        || name.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(b"List-"))
}

/// LF and the blanks after it become one space; both ends are trimmed.
fn unfold<'m>(raw: &'m [u8], arena: &'m Arena) -> &'m [u8] {
    let raw = trim(raw);
    let Some(mut fold) = memchr(b'\n', raw) else { return raw };
    let mut line = ArenaVec::with_capacity_in(raw.len(), arena);
    let mut rest = raw;
    loop {
        let (before, after) = rest.split_at(fold);
        line.extend_from_slice_copy(before);
        let after = after.get(1..).unwrap_or_default();
        let blanks = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if blanks > 0 {
            line.push(b' ');
        } else if line.last() == Some(&b'\r') {
            line.pop();
        }
        rest = after.get(blanks..).unwrap_or_default();
        let Some(next) = memchr(b'\n', rest) else { break };
        fold = next;
    }
    line.extend_from_slice_copy(rest);
    trim(line.into_bump_slice())
}

/// Without white space, vertical tab included, at both ends.
pub(super) fn trim(bytes: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !is_space(*byte);
    let Some(start) = bytes.iter().position(is_text) else { return &[] };
    let end = bytes.iter().rposition(is_text).map_or(0, |last| last + 1);
    bytes.get(start..end).unwrap_or_default()
}

/// White space as Perl's `\s` knows it.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ')
}

/// Where a header section ends and the body starts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// End of the fields.
    pub fields: usize,
    /// Start of the body.
    pub body: usize,
    pub damage: Damage,
}

/// Finds the end of a message's header section: an empty line, a line that starts with `--`, or the
/// fourth line that is neither a field nor a continuation.
pub(super) fn message_section(raw: &[u8], crlf: bool) -> Section {
    let mut damage = Damage::none();
    let mut bad_lines = 0;
    let mut position = 0;
    while let Some(line) = line_at(raw, position) {
        match line {
            [b' ' | b'\t', ..] => {}
            [b'\n'] => return Section { fields: position, body: position + 1, damage },
            [b'\r', b'\n'] if crlf => return Section { fields: position, body: position + 2, damage },
            [b'-', b'-', ..] => break,
            line if starts_field(line) => {}
            _ => {
                damage |= Damage::BAD_HEADER;
                bad_lines += 1;
                if bad_lines > BAD_LINES {
                    break;
                }
            }
        }
        position += line.len();
    }
    Section { fields: position, body: position, damage: damage | Damage::NO_SEPARATOR }
}

/// Finds the end of a part's header section inside a multipart. A field that is still open when the part
/// ends is lost; in a part that no boundary ends, the last line is body whatever it looks like.
pub(super) fn part_section(chunk: &[u8], terminated: bool) -> Section {
    let mut open = None;
    let mut position = 0;
    while let Some(line) = line_at(chunk, position) {
        let next = position + line.len();
        if !terminated && next == chunk.len() {
            let fields = open.unwrap_or(position);
            return Section { fields, body: position, damage: Damage::none() };
        }
        match line {
            [b' ' | b'\t', ..] if open.is_some() => {}
            line if starts_field(line) => open = Some(position),
            [b'\n'] | [b'\r', b'\n'] => {
                return Section { fields: position, body: next, damage: Damage::none() };
            }
            _ => return Section { fields: position, body: position, damage: Damage::NO_SEPARATOR },
        }
        position = next;
    }
    // nothing to separate from
    Section { fields: open.unwrap_or(position), body: position, damage: Damage::none() }
}

/// The line at `position` with its LF; `None` at the end.
pub(super) fn line_at(bytes: &[u8], position: usize) -> Option<&[u8]> {
    let rest = bytes.get(position..).filter(|rest| !rest.is_empty())?;
    rest.get(..memchr(b'\n', rest).map_or(rest.len(), |lf| lf + 1))
}

/// Whether the line starts with a field name, blanks perhaps, and a colon.
pub(super) fn starts_field(line: &[u8]) -> bool {
    let end = line.iter().position(|byte| !matches!(byte, 0x21..=0x39 | 0x3b..=0x7e));
    let Some((name, rest)) = end.and_then(|end| line.split_at_checked(end)) else { return false };
    !name.is_empty() && rest.iter().find(|byte| !matches!(byte, b' ' | b'\t')) == Some(&b':')
}

/// The fields of a section whose line ends are LF. Lines without a colon are dropped.
/// `trimmed` leaves out the white space after the colon.
pub(super) fn fields<'m>(
    section: &'m [u8],
    trimmed: bool,
    limits: &Limits,
    arena: &'m Arena,
    damage: &mut Damage,
) -> &'m [Header<'m>] {
    let mut headers = ArenaVec::new_in(arena);
    let mut start = 0;
    while start < section.len() {
        let mut end = start;
        while let Some(line) = line_at(section, end) {
            end += line.len();
            if !matches!(section.get(end), Some(b' ' | b'\t')) {
                break;
            }
        }
        let field = section.get(start..end).unwrap_or_default();
        start = end;
        let Some((name, mut raw)) =
            memchr(b':', field).and_then(|colon| Some((field.get(..colon)?, field.get(colon + 1..)?)))
        else {
            continue;
        };
        if headers.len() == limits.header_fields {
            *damage |= Damage::HEADERS_DROPPED;
            break;
        }
        let name = match name.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')) {
            Some(last) => name.get(..=last).unwrap_or(name),
            None => &[],
        };
        if trimmed {
            let blanks = raw.iter().take_while(|byte| is_space(**byte)).count();
            raw = raw.get(blanks..).unwrap_or_default();
        }
        let name = cut(name, limits.header_name, damage);
        headers.push(Header::new(name, cut(raw, limits.header_value, damage)));
    }
    headers.into_bump_slice()
}

fn cut<'m>(bytes: &'m [u8], cap: usize, damage: &mut Damage) -> &'m [u8] {
    match bytes.get(..cap) {
        Some(start) if bytes.len() > cap => {
            *damage |= Damage::HEADER_CUT;
            start
        }
        _ => bytes,
    }
}
