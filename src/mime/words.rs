//! Encoded words (RFC 2047) and 8-bit text in header values.

use bumpalo::collections::{String as ArenaString, Vec as ArenaVec};
use memchr::memmem;

use super::{
    Arena, charset,
    headers::is_space,
    time::Time,
    transfer::{decode_base64, decode_quoted_printable},
};

/// The line as UTF-8: kept where it is UTF-8 already, else read in a guessed charset.
pub(super) fn to_utf8<'m>(line: &'m [u8], arena: &'m Arena) -> &'m str {
    charset::guess(line, arena).text
}

/// As [`to_utf8`], with encoded words decoded. White space between two of them goes, and the bytes of
/// neighbours in the same charset are joined before they are decoded, because some senders cut
/// characters in two. A language after the charset (RFC 2231) is ignored.
pub(super) fn decode<'m>(line: &'m [u8], arena: &'m Arena) -> &'m str {
    let line = to_utf8(line, arena);
    if memmem::find(line.as_bytes(), b"=?").is_none() {
        return line;
    }
    let mut text = ArenaString::with_capacity_in(line.len(), arena);
    let mut pending: Option<(&str, ArenaVec<'m, u8>)> = None;
    let mut rest = line;
    while !rest.is_empty() {
        let Some((word, after)) = Word::parse(rest) else {
            flush(&mut pending, &mut text, arena);
            // No word starts here: go on to the next place where one may.
            let step = rest.get(1..).and_then(|tail| tail.find('=')).map_or(rest.len(), |next| next + 1);
            let step = if rest.starts_with('=') { step } else { rest.find('=').unwrap_or(rest.len()) };
            let (plain, next) = rest.split_at(step);
            text.push_str(plain);
            rest = next;
            continue;
        };
        match &mut pending {
            Some((charset, bytes)) if charset.eq_ignore_ascii_case(word.charset) => word.decode(bytes, arena),
            _ => {
                flush(&mut pending, &mut text, arena);
                let mut bytes = ArenaVec::with_capacity_in(word.data.len(), arena);
                word.decode(&mut bytes, arena);
                pending = Some((word.charset, bytes));
            }
        }
        let next = after.trim_start_matches(|space: char| u8::try_from(space).is_ok_and(is_space));
        rest = if Word::parse(next).is_some() { next } else { after };
    }
    flush(&mut pending, &mut text, arena);
    text.into_bump_str()
}

fn flush<'m>(pending: &mut Option<(&str, ArenaVec<'m, u8>)>, text: &mut ArenaString<'m>, arena: &'m Arena) {
    if let Some((label, bytes)) = pending.take() {
        let label = label.split('*').next().unwrap_or_default();
        text.push_str(charset::forced(bytes.into_bump_slice(), label, arena));
    }
}

/// `=?charset*language?B?data?=`
struct Word<'a> {
    charset: &'a str,
    base64: bool,
    data: &'a str,
}

impl<'a> Word<'a> {
    /// The word that `text` starts with, and what follows it.
    fn parse(text: &'a str) -> Option<(Word<'a>, &'a str)> {
        let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
        let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'*' | b'_' | b'-');
        if charset.is_empty() || !charset.bytes().all(named) {
            return None;
        }
        let base64 = match rest.as_bytes() {
            [b'b' | b'B', b'?', ..] => true,
            [b'q' | b'Q', b'?', ..] => false,
            _ => return None,
        };
        let (data, rest) = rest.get(2..)?.split_once('?')?;
        Some((Word { charset, base64, data }, rest.strip_prefix('=')?))
    }

    fn decode(&self, bytes: &mut ArenaVec<'_, u8>, arena: &Arena) {
        let data = self.data.as_bytes();
        if self.base64 {
            bytes.extend_from_slice_copy(decode_base64(data, arena, &Time::default()).bytes);
        } else if memchr::memchr(b'_', data).is_some() {
            let spaced = arena.alloc_slice_fill_iter(data.iter().map(|byte| match byte {
                b'_' => 0x20,
                byte => *byte,
            }));
            bytes.extend_from_slice_copy(decode_quoted_printable(spaced, arena, &Time::default()).bytes);
        } else {
            bytes.extend_from_slice_copy(decode_quoted_printable(data, arena, &Time::default()).bytes);
        }
    }
}
