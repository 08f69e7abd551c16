//! The text of all leaves together, as a reader sees it, does not see it, or both.

use std::{borrow::Cow, ops::Range};

use super::{
    body::{self, Body},
    html,
};
use crate::mime::{Arena, Message, Part};

/// The text of one leaf.
#[derive(Debug)]
pub struct Leaf<'m> {
    /// Index into the parts of the message.
    pub part: usize,
    pub text: LeafText<'m>,
    /// Whether Perl holds it as Unicode.
    pub is_wide: bool,
}

#[derive(Debug)]
pub enum LeafText<'m> {
    /// No text that is rendered.
    None,
    Plain(&'m str),
    /// Rendered HTML, and what of it is not to be seen.
    Html {
        text: String,
        invisible: Vec<Range<usize>>,
    },
}

impl Leaf<'_> {
    /// Whether there is text that a reader doesn't see.
    pub fn hides(&self) -> bool {
        matches!(&self.text, LeafText::Html { invisible, .. } if !invisible.is_empty())
    }
}

impl LeafText<'_> {
    pub fn all(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            LeafText::None => "",
            LeafText::Plain(text) => text,
            LeafText::Html { text, .. } => text,
        })
    }

    /// What a reader sees.
    pub fn visible(&self) -> Cow<'_, str> {
        let LeafText::Html { text, invisible } = self else { return self.all() };
        if invisible.is_empty() {
            return self.all();
        }
        let mut out = String::with_capacity(text.len());
        let mut done = 0;
        for range in invisible {
            out.push_str(text.get(done..range.start).unwrap_or(""));
            done = range.end;
        }
        out.push_str(text.get(done..).unwrap_or(""));
        Cow::Owned(out)
    }

    /// What a reader doesn't see.
    pub fn invisible(&self) -> Cow<'_, str> {
        let LeafText::Html { text, invisible } = self else { return Cow::Borrowed("") };
        Cow::Owned(invisible.iter().filter_map(|range| text.get(range.clone())).collect())
    }
}

/// The units of what `look` sees of the leaves, each with the part that it starts in.
pub fn units<'m>(
    subject: Option<&str>,
    leaves: &[Leaf<'m>],
    look: impl for<'l> Fn(&'l LeafText<'m>) -> Cow<'l, str>,
    arena: &'m Arena,
) -> Vec<(&'m [u8], usize)> {
    let texts: Vec<Cow<'_, str>> = leaves.iter().map(|leaf| look(&leaf.text)).collect();
    // A character beyond Latin-1 makes all of the text Unicode.
    let is_wide = leaves
        .iter()
        .zip(&texts)
        .any(|(leaf, text)| (leaf.is_wide && !text.is_empty()) || html::has_wide(text));
    let capacity = texts.iter().map(|text| text.len() + 2).sum();
    let mut body = Body::new(subject, is_wide, capacity, arena);
    for (leaf, text) in leaves.iter().zip(&texts) {
        body.leaf();
        if !matches!(leaf.text, LeafText::None) {
            body.text(leaf.part, text.get(..body::scanned(text)).unwrap_or(text));
        }
    }
    body.units()
}

/// Whether SpamAssassin's Perl holds the text of a part as Unicode rather than bytes: where it decoded a
/// charset. What is plain ASCII in a charset that contains it is left alone.
pub fn is_wide<'m>(part: &Part<'m>, message: &Message<'m>) -> bool {
    if !part.decoded(message).is_ascii() {
        return true;
    }
    let Some(charset) = part.charset else { return false };
    let charset = charset.trim();
    let named = |name: &str| charset.strip_prefix(name);
    let is_number = |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit());
    let contains_ascii =
        matches!(
            charset,
            "us-ascii"
                | "ascii"
                | "ansi_x3.4-1968"
                | "ansi_x3.4-1986"
                | "iso646-us"
                | "utf-8"
                | "utf8"
                | "big5"
                | "gbk"
        ) || named("iso-8859").or_else(|| named("iso8859")).or_else(|| named("iso 8859")).is_some_and(
            |rest| {
                rest.is_empty()
                    || rest.strip_prefix('-').is_some_and(|n| (1..=2).contains(&n.len()) && is_number(n))
            },
        ) || named("windows-").is_some_and(|n| n.len() == 4 && is_number(n))
            || named("koi8-").or_else(|| named("euc-")).is_some_and(|land| {
                (1..=2).contains(&land.len()) && land.bytes().all(|byte| byte.is_ascii_alphabetic())
            })
            || named("gb18030").or_else(|| named("gb-18030")).is_some();
    !contains_ascii && encoding_rs::Encoding::for_label(charset.as_bytes()).is_some()
}
