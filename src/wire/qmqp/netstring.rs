//! Netstrings: a decimal length, a colon, so many bytes, a comma.

use super::Error;
use crate::wire::frame::Decoded;

/// Ten digits are more than any limit here.
const DIGITS: usize = 10;

/// The head of a netstring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// Bytes of the head itself, colon included.
    pub head: usize,
    /// Bytes of the content; a comma follows it.
    pub content: usize,
}

/// Reads the head of a netstring that may hold up to `limit` bytes.
///
/// # Errors
/// It is none, or announces more.
pub fn length(bytes: &[u8], limit: usize) -> Result<Decoded<Length>, Error> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    // A leading zero would give one number two spellings.
    if digits > DIGITS || digits > 1 && bytes[0] == b'0' {
        return Err(Error::Netstring);
    }
    match bytes.get(digits) {
        None => return Ok(Decoded::More),
        Some(b':') if digits > 0 => {}
        Some(_) => return Err(Error::Netstring),
    }
    let size = bytes[..digits].iter().fold(0, |size, digit| size * 10 + usize::from(digit - b'0'));
    match size > limit {
        true => Err(Error::TooLarge { size, limit }),
        false => Ok(Decoded::Done(Length { head: digits + 1, content: size })),
    }
}

/// Takes one whole netstring off the front of `bytes`.
pub(super) fn take<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], Error> {
    let Decoded::Done(Length { head, content }) = length(bytes, bytes.len())? else {
        return Err(Error::Netstring);
    };
    let (whole, rest) = bytes.split_at_checked(head + content + 1).ok_or(Error::Netstring)?;
    let (inner, comma) = whole[head..].split_at(content);
    if comma != b"," {
        return Err(Error::Netstring);
    }
    *bytes = rest;
    Ok(inner)
}

/// Appends the netstring of what `parts` are together.
pub(super) fn push(out: &mut Vec<u8>, parts: &[&[u8]]) {
    let size: usize = parts.iter().map(|part| part.len()).sum();
    out.extend_from_slice(format!("{size}:").as_bytes());
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out.push(b',');
}
