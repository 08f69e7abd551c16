//! HTML as text: one pass over the tokens gives what a reader sees, the links and the facts that rules ask
//! for, in the way SpamAssassin renders.

mod color;
mod elements;
mod entities;
mod facts;
mod links;
mod renderer;
mod style;
mod tokenizer;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use memchr::{memchr3_iter, memmem};

pub use facts::{Anchor, HtmlFacts};
pub(super) use links::FoundLink;
pub(super) use renderer::{has_wide, render, render_within};
use tokenizer::value;

/// Makes the text what SpamAssassin gives to its HTML parser: `&nbsp;` is a blank, `<br/>` is `<br>`, and
/// curly double quotes are straight, since some mail programs put them around attribute values.
fn prepare(source: &str) -> Cow<'_, str> {
    let bytes = source.as_bytes();
    let has_nbsp = memmem::find(bytes, b"&nbsp;").is_some();
    let has_empty = memmem::find(bytes, b"/>").is_some();
    let has_quotes = !source.is_ascii() && memmem::find(bytes, b"\xe2\x80").is_some();
    if !has_nbsp && !has_empty && !has_quotes {
        return Cow::Borrowed(source);
    }
    let mut out = String::with_capacity(source.len());
    // Up to where `source` is copied, and where the last copy ended in `out`: blanks before it stay.
    let mut done = 0;
    for at in memchr3_iter(b'&', b'/', 0xe2, bytes) {
        let rest = bytes.get(at..).unwrap_or_default();
        let (len, replacement, stop) = if rest.starts_with(b"&nbsp;") {
            (6, " ", at)
        } else if rest.starts_with(b"/>") {
            match bare_tag_end(bytes.get(done..at).unwrap_or_default()) {
                Some(end) => (2, ">", done + end),
                None => continue,
            }
        } else if rest.starts_with("\u{201c}".as_bytes()) || rest.starts_with("\u{201d}".as_bytes()) {
            (3, "\"", at)
        } else {
            continue;
        };
        out.push_str(source.get(done..stop).unwrap_or(""));
        out.push_str(replacement);
        done = at + len;
    }
    out.push_str(source.get(done..).unwrap_or(""));
    Cow::Owned(out)
}

/// Where the name ends if this is `<name` and nothing but blanks after it.
fn bare_tag_end(bytes: &[u8]) -> Option<usize> {
    let end = bytes.iter().rposition(|byte| !byte.is_ascii_whitespace() && *byte != 0x0b)? + 1;
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii();
    let open = bytes.get(..end)?.iter().rposition(|byte| !is_word(byte))?;
    (bytes.get(open) == Some(&b'<') && open + 1 < end).then_some(end)
}
