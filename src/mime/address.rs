//! Address lists in header values: RFC 5322 as mail programs write it, which is to say anything.
//!
//! Entries end with a comma, a semicolon or the value. An entry is `phrase <address>`, an address, or a
//! phrase, perhaps with a comment after it. What cannot be read yields nothing.

use bumpalo::collections::Vec as ArenaVec;
use memchr::{memchr, memchr2};

use super::{Arena, headers::is_space, words};

/// One entry of an address list. Bytes are as written, encoded words and all, but for quotes, escapes and
/// comments, which are resolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Address<'m> {
    /// The phrase before the address or, where there is none, the comment after it.
    pub phrase: Option<&'m [u8]>,
    /// `local@domain`.
    pub address: Option<&'m [u8]>,
}

impl<'m> Address<'m> {
    /// SpamAssassin's `:name`: the phrase as UTF-8, encoded words decoded, white space collapsed, without the
    /// single quotes around it.
    pub fn name(&self, arena: &'m Arena) -> Option<&'m str> {
        let name = words::decode(without_line_ends(self.phrase?, arena), arena);
        let mut pieces = name.split_ascii_whitespace();
        let Some(first) = pieces.next() else { return Some(name) };
        let name = if first.len() == name.len() {
            name
        } else {
            let mut text = bumpalo::collections::String::with_capacity_in(name.len(), arena);
            text.push_str(first);
            for piece in pieces {
                text.push(' ');
                text.push_str(piece);
            }
            text.into_bump_str()
        };
        Some(name.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\'')).unwrap_or(name))
    }

    /// What follows the `@`.
    pub fn host(&self) -> Option<&'m [u8]> {
        let address = self.address?;
        memchr(b'@', address).and_then(|at| address.get(at + 1..))
    }
}

/// The entries of a raw header value.
pub fn addresses<'m>(raw: &'m [u8], arena: &'m Arena) -> &'m [Address<'m>] {
    let mut rest = without_group(without_escaped_backslashes(trim_end(raw), arena));
    let mut found = ArenaVec::new_in(arena);
    while let Some((entry, after)) = Entry::parse(rest) {
        rest = after;
        found.push(entry.resolve(arena));
    }
    // Something was left unread: addresses in angle brackets stand out anyway.
    if memchr(b'@', rest).is_some() {
        for at in memchr::memchr_iter(b'<', rest) {
            let inner = rest.get(at + 1..).unwrap_or_default();
            let end = mailbox_end(inner).filter(|end| inner.get(*end) == Some(&b'>'));
            if let Some(address) = end.and_then(|end| checked(inner.get(..end)?)) {
                found.push(Address { phrase: None, address: Some(address) });
            }
        }
    }
    found.into_bump_slice()
}

fn without_line_ends<'m>(text: &'m [u8], arena: &'m Arena) -> &'m [u8] {
    if memchr(b'\n', text).is_none() {
        return text;
    }
    let mut kept = ArenaVec::with_capacity_in(text.len(), arena);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r\n").or_else(|| line.strip_suffix(b"\n")).unwrap_or(line);
        kept.extend_from_slice_copy(line);
    }
    kept.into_bump_slice()
}

fn without_escaped_backslashes<'m>(text: &'m [u8], arena: &'m Arena) -> &'m [u8] {
    if memchr::memmem::find(text, br"\\").is_none() {
        return text;
    }
    let mut kept = ArenaVec::with_capacity_in(text.len(), arena);
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        if rest.starts_with(br"\\") {
            rest = rest.get(2..).unwrap_or_default();
        } else {
            kept.push(*byte);
            rest = after;
        }
    }
    kept.into_bump_slice()
}

/// `name: a@example.com, b@example.com;` without the name; nothing is left of an empty group.
fn without_group(text: &[u8]) -> &[u8] {
    let special = |byte: &u8| matches!(byte, b'"' | b'(' | b')' | b'<' | b'>');
    let head = text.get(..text.iter().position(special).unwrap_or(text.len())).unwrap_or_default();
    match memchr::memrchr(b':', head) {
        Some(colon) if colon > 0 => {
            let members = trim_start(text.get(colon + 1..).unwrap_or_default());
            if members.starts_with(b";") { &[] } else { members }
        }
        _ => text,
    }
}

/// One entry as it is written.
#[derive(Debug, Default)]
struct Entry<'a> {
    phrase: Option<&'a [u8]>,
    /// With whether it stood in angle brackets.
    address: Option<(&'a [u8], bool)>,
    comment: Option<&'a [u8]>,
}

impl<'a> Entry<'a> {
    /// The entry that `text` starts with, and what follows its comma.
    fn parse(text: &'a [u8]) -> Option<(Entry<'a>, &'a [u8])> {
        let blanks = text;
        let text = trim_start(text);
        Entry::bracketed(text)
            .or_else(|| Entry::bare(text))
            .or_else(|| Entry::only_phrase(text))
            .or_else(|| Entry::blank(blanks, text))
    }

    /// `phrase <address>`
    fn bracketed(text: &'a [u8]) -> Option<(Entry<'a>, &'a [u8])> {
        let (phrase, rest) = text.split_at_checked(phrase_end(text))?;
        let inner = trim_start(rest.strip_prefix(b"<")?);
        let phrase = Some(phrase).filter(|phrase| !phrase.is_empty());
        let finish = |end: usize, close: usize| {
            let address = Some((inner.get(..end)?, true));
            let (comment, after) = tail(repeated(inner.get(close + 1..)?))?;
            Some((Entry { phrase, address, comment }, after))
        };
        // Up to the last bracket of the run of non-blanks that starts with the `@`, or else with the first
        // bracket; failing that up to that first one.
        let first = memchr2(b'>', b'@', inner)?;
        let run = inner.get(first..)?;
        let run_end = first + run.iter().position(|byte| is_space(*byte)).unwrap_or(run.len());
        let after_run = inner.get(run_end..)?;
        let blanks = after_run.len() - trim_start(after_run).len();
        if inner.get(run_end + blanks) == Some(&b'>')
            && let Some(done) = finish(run_end, run_end + blanks)
        {
            return Some(done);
        }
        for close in memchr::memrchr_iter(b'>', inner.get(..run_end)?).take_while(|close| *close > first) {
            if let Some(done) = finish(close, close) {
                return Some(done);
            }
        }
        if inner.get(first) != Some(&b'>') {
            return None;
        }
        let end = inner.get(..first)?.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
        finish(end, first)
    }

    /// An address without brackets.
    fn bare(text: &'a [u8]) -> Option<(Entry<'a>, &'a [u8])> {
        let (address, rest) = text.split_at_checked(mailbox_end(text)?)?;
        let (comment, after) = tail(rest)?;
        Some((Entry { phrase: None, address: Some((address, false)), comment }, after))
    }

    fn only_phrase(text: &'a [u8]) -> Option<(Entry<'a>, &'a [u8])> {
        let (phrase, rest) =
            text.split_at_checked(phrase_end(text)).filter(|(phrase, _)| !phrase.is_empty())?;
        let (comment, after) = tail(rest)?;
        Some((Entry { phrase: Some(phrase), address: None, comment }, after))
    }

    /// White space between two commas is a phrase of one blank.
    fn blank(blanks: &'a [u8], text: &'a [u8]) -> Option<(Entry<'a>, &'a [u8])> {
        let end = blanks.len().checked_sub(text.len())?;
        let blank = blanks.get(end.checked_sub(1)?..end)?;
        let (comment, after) = tail(text).filter(|_| !text.is_empty())?;
        Some((Entry { phrase: Some(blank), address: None, comment }, after))
    }

    fn resolve<'m>(self, arena: &'m Arena) -> Address<'m>
    where
        'a: 'm,
    {
        let address = self.address.and_then(|(address, bracketed)| {
            let address = if bracketed { without_comments(address, arena) } else { address };
            (mailbox_end(address) == Some(address.len())).then_some(address).and_then(valid)
        });
        let phrase = self.phrase.map(|phrase| unquote(phrase, arena));
        let (phrase, address) = match (phrase, address) {
            (Some(phrase), None) if is_address(phrase) => (None, Some(phrase)),
            (Some(phrase), address) if phrase.is_empty() || address == Some(phrase) => (None, address),
            both => both,
        };
        Address { phrase: phrase.or(self.comment), address: address.map(up_to_second_at) }
    }
}

/// Where a phrase ends: quoted strings and all but quotes, commas, semicolons and `<`.
fn phrase_end(text: &[u8]) -> usize {
    let mut end = 0;
    while let Some(rest) = text.get(end..).filter(|rest| !rest.is_empty()) {
        let step = match rest {
            [b'"', ..] => quoted_end(rest),
            _ => rest.iter().position(|byte| matches!(byte, b'"' | b',' | b';' | b'<')).or(Some(rest.len())),
        };
        match step {
            Some(step) if step > 0 => end += step,
            _ => break,
        }
    }
    end
}

/// The end of the quoted string that `text` starts with, past its closing quote.
fn quoted_end(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    let inner = text.get(1..)?;
    let close = inner.iter().position(|byte| {
        let close = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        close
    })?;
    Some(close + 2)
}

/// Brackets that some programs write twice: `<a@example.com> <a@example.com>`.
fn repeated(mut text: &[u8]) -> &[u8] {
    while let Some(inner) = trim_start(text).strip_prefix(b"<") {
        let inner = trim_start(inner);
        let start = if inner.starts_with(b"\"") { quoted_end(inner).unwrap_or(0) } else { 0 };
        let Some(rest) = inner.get(start..) else { break };
        let run = rest.iter().position(|byte| is_space(*byte)).unwrap_or(rest.len());
        let close = memchr::memrchr(b'>', rest.get(..run).unwrap_or_default());
        let blanks = rest.len() - trim_start(rest.get(run..).unwrap_or_default()).len();
        let Some(close) = close.or_else(|| (rest.get(blanks) == Some(&b'>')).then_some(blanks)) else {
            break;
        };
        text = rest.get(close + 1..).unwrap_or_default();
    }
    text
}

/// A comment perhaps, and the comma, semicolon or end that has to follow.
fn tail(text: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let mut rest = trim_start(text);
    let mut comment = None;
    if let Some(end) = comment_end(rest) {
        comment = rest.get(1..end - 1);
        rest = trim_start(rest.get(end..)?);
    }
    match rest {
        [] => Some((comment, rest)),
        [b',' | b';', after @ ..] => Some((comment, after)),
        _ => None,
    }
}

/// The end of the comment that `text` starts with, past its closing bracket. Comments do not nest here.
fn comment_end(text: &[u8]) -> Option<usize> {
    let inner = text.strip_prefix(b"(")?;
    let end = bracket(inner)?;
    (inner.get(end) == Some(&b')')).then_some(end + 2)
}

/// The next bracket without a backslash before it.
fn bracket(text: &[u8]) -> Option<usize> {
    let mut escaped = false;
    text.iter().position(|byte| {
        let is_bracket = matches!(byte, b'(' | b')') && !escaped;
        escaped = *byte == b'\\' && !escaped;
        is_bracket
    })
}

fn without_comments<'m>(text: &'m [u8], arena: &'m Arena) -> &'m [u8] {
    if memchr(b'(', text).is_none() {
        return text;
    }
    let mut kept = ArenaVec::with_capacity_in(text.len(), arena);
    let mut rest = text;
    // Once one has no end, those after it have none either: looking again each time would be quadratic.
    let mut closed = true;
    while let Some((byte, after)) = rest.split_first() {
        let end = if *byte == b'(' && closed { comment_end(rest) } else { None };
        if closed && end.is_none() && *byte == b'(' {
            closed = bracket(after).is_some();
        }
        rest = match end.and_then(|end| rest.get(end..)) {
            Some(after) => after,
            None => {
                kept.push(*byte);
                after
            }
        };
    }
    kept.into_bump_slice()
}

/// A phrase without quotes, escapes and comments.
fn unquote<'m>(phrase: &'m [u8], arena: &'m Arena) -> &'m [u8] {
    if !phrase.iter().any(|byte| matches!(byte, b'"' | b'(')) {
        return phrase;
    }
    let mut text = ArenaVec::with_capacity_in(phrase.len(), arena);
    let mut rest = phrase;
    while !rest.is_empty() {
        let end = match rest {
            [b'"', ..] => quoted_end(rest).unwrap_or(rest.len()),
            _ => memchr(b'"', rest).unwrap_or(rest.len()),
        };
        let (piece, after) = rest.split_at(end);
        rest = after;
        match piece.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")) {
            Some(inner) => text.extend(inner.iter().filter(|byte| **byte != b'\\').copied()),
            None => text.extend_from_slice_copy(without_comments(piece, arena)),
        }
    }
    text.into_bump_slice()
}

/// The end of the `local@domain` that `text` starts with.
fn mailbox_end(text: &[u8]) -> Option<usize> {
    let special = |byte: u8| {
        is_space(byte) || matches!(byte, b'<' | b'>' | b'(' | b')' | b'[' | b']' | b',' | b':' | b';')
    };
    let at = match text {
        [b'"', ..] => quoted_end(text).filter(|end| text.get(*end) == Some(&b'@')),
        _ => None,
    };
    let at = at.or_else(|| {
        let end = text.iter().position(|byte| *byte == b'@' || special(*byte))?;
        (end > 0 && text.get(end) == Some(&b'@')).then_some(end)
    })?;
    let domain = text.get(at + 1..)?;
    let length = match domain.strip_prefix(b"[") {
        Some(literal) => {
            let end = literal.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b':' | b'.'))?;
            (end > 0 && literal.get(end) == Some(&b']')).then_some(end + 2)?
        }
        None => domain.iter().position(|byte| special(*byte) || *byte == b'"').unwrap_or(domain.len()),
    };
    (length > 0).then_some(at + 1 + length)
}

fn checked(address: &[u8]) -> Option<&[u8]> {
    valid(address).map(up_to_second_at)
}

/// Refuses an empty quoted local part and a lone quote.
fn valid(address: &[u8]) -> Option<&[u8]> {
    let lone_quote = memchr::memchr_iter(b'"', address).count() == 1;
    (!address.starts_with(b"\"\"@") && !lone_quote).then_some(address)
}

fn up_to_second_at(address: &[u8]) -> &[u8] {
    let second = memchr::memchr_iter(b'@', address).nth(1);
    second.and_then(|second| address.get(..second)).unwrap_or(address)
}

/// Whether a phrase is an address, its domain one that can be.
fn is_address(phrase: &[u8]) -> bool {
    mailbox_end(phrase) == Some(phrase.len())
        && valid(phrase).is_some()
        && memchr(b'@', phrase).and_then(|at| phrase.get(at + 1..)).is_some_and(|rest| {
            is_domain(rest.get(..memchr(b'@', rest).unwrap_or(rest.len())).unwrap_or_default())
        })
}

/// Whether it is a host name of two labels or more, in ASCII; the last two have no underscore.
fn is_domain(host: &[u8]) -> bool {
    let end = host.iter().rposition(|byte| *byte != b'.').map_or(0, |last| last + 1);
    let host = host.get(..end).unwrap_or_default();
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let label = |(number, label): (usize, &[u8])| {
        label.len() <= 63
            && label.first().is_some_and(is_word)
            && label.last().is_some_and(is_word)
            && label.iter().all(|byte| is_word(byte) || *byte == b'-')
            && (number > 1 || !label.contains(&b'_'))
    };
    host.len() <= 253
        && memchr(b'.', host).is_some()
        && host.rsplit(|byte| *byte == b'.').enumerate().all(label)
}

fn trim_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    text.get(..end).unwrap_or_default()
}

fn trim_start(text: &[u8]) -> &[u8] {
    let start = text.iter().position(|byte| !is_space(*byte)).unwrap_or(text.len());
    text.get(start..).unwrap_or_default()
}
