//! Content transfer encodings: quoted-printable and base64 (RFC 2045), tolerant of what arrives.

use bumpalo::collections::Vec as ArenaVec;
use memchr::{memchr, memchr2, memmem};

use super::{
    Arena,
    headers::is_space,
    time::{STRETCH, Time},
};

/// Bytes after a transfer encoding was undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decoded<'m> {
    pub bytes: &'m [u8],
    /// Whether there were bytes that the encoding does not allow.
    pub damaged: bool,
}

/// CRLF becomes LF; a CR elsewhere stays. Borrows where there is none.
pub(super) fn to_lf<'m>(bytes: &'m [u8], arena: &'m Arena) -> &'m [u8] {
    let Some(first) = memmem::find(bytes, b"\r\n") else { return bytes };
    let mut lines = ArenaVec::with_capacity_in(bytes.len(), arena);
    let (before, mut rest) = bytes.split_at(first);
    lines.extend_from_slice_copy(before);
    while !rest.is_empty() {
        // `rest` starts with a CR.
        let next = memchr(b'\r', rest.get(1..).unwrap_or_default()).map_or(rest.len(), |next| next + 1);
        let (line, after) = rest.split_at(next);
        let line = if line.starts_with(b"\r\n") { line.get(1..).unwrap_or_default() } else { line };
        lines.extend_from_slice_copy(line);
        rest = after;
    }
    lines.into_bump_slice()
}

/// Undoes quoted-printable. Blanks at a line's end go, soft line breaks too, and CRLF becomes LF. What is
/// no escape stays as it is. Ends when the time is up.
pub(super) fn decode_quoted_printable<'m>(raw: &'m [u8], arena: &'m Arena, time: &Time) -> Decoded<'m> {
    if memchr2(b'=', b'\n', raw).is_none() {
        return Decoded { bytes: raw, damaged: false };
    }
    let mut out = ArenaVec::with_capacity_in(raw.len(), arena);
    let mut damaged = false;
    // Blanks at a line's end are taken off the output, down to here: those that were escaped stay.
    let mut floor = 0;
    let mut position = 0;
    let mut looked = 0;
    while let Some(rest) = raw.get(position..).filter(|rest| !rest.is_empty()) {
        if position >= looked {
            if time.is_up() {
                break;
            }
            looked = position + STRETCH;
        }
        // One escape follows the other in text beyond ASCII: then there is nothing to search for.
        let is_special = matches!(rest.first(), Some(b'=' | b'\n'));
        let Some(found) = (if is_special { Some(0) } else { memchr2(b'=', b'\n', rest) }) else {
            out.extend_from_slice_copy(rest);
            break;
        };
        let (plain, special) = rest.split_at(found);
        out.extend_from_slice_copy(plain);
        position += found + 1;
        if special.first() == Some(&b'\n') {
            let crlf = out.len() > floor && out.last() == Some(&b'\r');
            if crlf {
                out.pop();
            }
            while out.len() > floor && matches!(out.last(), Some(b' ' | b'\t')) {
                out.pop();
            }
            if crlf {
                out.push(b'\n')
            } else {
                push_lf(&mut out)
            }
            floor = out.len();
            continue;
        }
        let after = skip_soft_breaks(raw, position);
        if let Some((byte, next)) = escape(raw, after) {
            position = next;
            if byte == b'\n' { push_lf(&mut out) } else { out.push(byte) }
        } else if let Some(next) = soft_break(raw, position) {
            position = next;
        } else {
            out.push(b'=');
            damaged = true;
        }
        floor = out.len();
    }
    Decoded { bytes: out.into_bump_slice(), damaged }
}

/// An LF takes the CR before it along.
fn push_lf(out: &mut ArenaVec<'_, u8>) {
    match out.last_mut() {
        Some(last) if *last == b'\r' => *last = b'\n',
        _ => out.push(b'\n'),
    }
}

/// The byte of the two hex digits at `position`, and what follows them. Soft breaks between do not count.
fn escape(raw: &[u8], position: usize) -> Option<(u8, usize)> {
    let high = hex(*raw.get(position)?)?;
    let second = skip_soft_breaks(raw, position + 1);
    let low = hex(*raw.get(second)?)?;
    Some((high << 4 | low, second + 1))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// Where the text goes on if blanks and a line end follow the `=` before `position`.
fn soft_break(raw: &[u8], position: usize) -> Option<usize> {
    let rest = raw.get(position..)?;
    let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    match rest.get(blanks..)? {
        [b'\n', ..] => Some(position + blanks + 1),
        [b'\r', b'\n', ..] => Some(position + blanks + 2),
        _ => None,
    }
}

fn skip_soft_breaks(raw: &[u8], mut position: usize) -> usize {
    while raw.get(position) == Some(&b'=')
        && let Some(next) = soft_break(raw, position + 1)
    {
        position = next;
    }
    position
}

/// Undoes base64. White space does not count. Other bytes outside the alphabet are passed over, `=` inside
/// the data stands for no bits if all else is right and for six set bits if not, and what remains of an
/// incomplete last group is kept: SpamAssassin does it this way. Ends when the time is up.
pub(super) fn decode_base64<'m>(raw: &'m [u8], arena: &'m Arena, time: &Time) -> Decoded<'m> {
    let mut out = ArenaVec::with_capacity_in(raw.len() / 4 * 3 + 3, arena);
    let mut rest = raw;
    let mut group = Group::default();
    let mut looked = raw.len();
    loop {
        if rest.len() <= looked {
            if time.is_up() {
                break;
            }
            looked = rest.len().saturating_sub(STRETCH);
        }
        if group.is_empty() {
            let (stretch, after) = rest.split_at(rest.len().min(STRETCH));
            let left = decode_run(stretch, &mut out).len();
            rest = rest.get(stretch.len() - left..).unwrap_or(after);
        }
        let Some((byte, after)) = rest.split_first() else { break };
        rest = after;
        match SEXTETS.get(usize::from(*byte)) {
            Some(sextet) if *sextet < 64 => group.push(*sextet, &mut out),
            _ if is_space(*byte) => {}
            _ if *byte == b'=' && group.is_finished_by(after) => break,
            _ => return decode_damaged(raw, arena, time),
        }
    }
    let damaged = group.finish(&mut out);
    Decoded { bytes: out.into_bump_slice(), damaged }
}

/// Six-bit values by character; 64 for `=`, 255 for what is not in the alphabet.
static SEXTETS: [u8; 256] = sextets();

const fn sextets() -> [u8; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [255; 256];
    let mut value = 0;
    while value < alphabet.len() {
        table[alphabet[value] as usize] = value as u8;
        value += 1;
    }
    table[b'=' as usize] = 64;
    table
}

/// The same values, shifted to their place in a group of four; the top byte marks what is not in the alphabet.
static SHIFTED: [[u32; 256]; 4] = [shifted(18), shifted(12), shifted(6), shifted(0)];

const fn shifted(bits: u32) -> [u32; 256] {
    let mut table = [u32::MAX; 256];
    let mut byte = 0;
    while byte < 256 {
        if SEXTETS[byte] < 64 {
            table[byte] = (SEXTETS[byte] as u32) << bits;
        }
        byte += 1;
    }
    table
}

/// Decodes whole groups while all is well; returns what is left.
fn decode_run<'a>(raw: &'a [u8], out: &mut ArenaVec<'_, u8>) -> &'a [u8] {
    let [first, second, third, fourth] = &SHIFTED;
    let mut rest = raw;
    while let Some((&[a, b, c, d, e, f, g, h], after)) = rest.split_first_chunk::<8>() {
        let left =
            first[usize::from(a)] | second[usize::from(b)] | third[usize::from(c)] | fourth[usize::from(d)];
        let right =
            first[usize::from(e)] | second[usize::from(f)] | third[usize::from(g)] | fourth[usize::from(h)];
        if (left | right) >> 24 != 0 {
            break;
        }
        let [_, _, bytes @ ..] = (u64::from(left) << 24 | u64::from(right)).to_be_bytes();
        out.extend_from_slice_copy(&bytes);
        rest = after;
    }
    rest
}

/// Up to three six-bit values that wait for the fourth.
#[derive(Default)]
struct Group {
    bits: u32,
    held: u8,
}

impl Group {
    fn is_empty(&self) -> bool {
        self.held == 0
    }

    fn push(&mut self, sextet: u8, out: &mut ArenaVec<'_, u8>) {
        self.bits = self.bits << 6 | u32::from(sextet);
        self.held += 1;
        if self.held == 4 {
            let [_, bytes @ ..] = self.bits.to_be_bytes();
            out.extend_from_slice_copy(&bytes);
            *self = Group::default();
        }
    }

    /// Whether a `=` here and `rest` are the padding that completes this group, and nothing else.
    fn is_finished_by(&self, rest: &[u8]) -> bool {
        let more = rest.iter().filter(|byte| !is_space(**byte));
        self.held >= 2
            && more.clone().all(|byte| *byte == b'=')
            && more.count() + 1 == 4 - usize::from(self.held)
    }

    /// Writes what whole bytes an incomplete group has; tells whether it lacked some of its two characters.
    fn finish(self, out: &mut ArenaVec<'_, u8>) -> bool {
        let [_, high, middle, _] = (self.bits << (6 * (4 - u32::from(self.held).min(4)))).to_be_bytes();
        match self.held {
            2 => out.push(high),
            3 => out.extend_from_slice_copy(&[high, middle]),
            _ => {}
        }
        self.held == 1
    }
}

#[cold]
fn decode_damaged<'m>(raw: &'m [u8], arena: &'m Arena, time: &Time) -> Decoded<'m> {
    let sextet = |byte: &u8| SEXTETS.get(usize::from(*byte)).copied().unwrap_or(255);
    let text = raw.iter().filter(|byte| !is_space(**byte));
    let (mut valid, mut foreign) = (0usize, false);
    let mut last = 0;
    for value in text.clone().map(sextet) {
        if value == 255 {
            foreign = true;
            continue;
        }
        valid += 1;
        if value != 64 {
            last = valid;
        }
    }
    let hole = if !foreign && valid.is_multiple_of(4) { 0 } else { 63 };
    let mut out = ArenaVec::with_capacity_in(raw.len() / 4 * 3 + 3, arena);
    let mut group = Group::default();
    for (index, value) in text.map(sextet).filter(|value| *value != 255).take(last).enumerate() {
        if index % STRETCH == 0 && time.is_up() {
            break;
        }
        group.push(if value == 64 { hole } else { value }, &mut out);
    }
    group.finish(&mut out);
    Decoded { bytes: out.into_bump_slice(), damaged: true }
}
