//! The links of HTML elements.

use std::borrow::Cow;

use super::{
    elements::{Link, Tag},
    tokenizer::{Attribute, value},
};
use crate::render::uri::{self, LONGEST};

/// A link as an element gives it.
#[derive(Clone, Copy, Debug)]
pub struct FoundLink<'m> {
    /// Resolved against the base; as written where it is a mail address or the like.
    pub uri: &'m str,
    pub element: &'static str,
    /// Index into the part's anchors where it is a link of an `a` element.
    pub anchor: Option<usize>,
}

/// A link as written, white space trimmed, and whether it was cut at the longest length allowed.
pub fn trimmed(link: &str) -> (&str, bool) {
    let link = link.trim_matches(char::is_whitespace);
    if link.len() <= LONGEST {
        return (link, false);
    }
    match link.char_indices().nth(LONGEST) {
        Some((end, _)) => (link.get(..end).unwrap_or(""), true),
        None => (link, false),
    }
}

/// The `href` of a link element.
pub fn href<'h>(attributes: &[Attribute<'h>]) -> Option<Cow<'h, str>> {
    let href = misspelt(attributes, "/href").or_else(|| value(attributes, "href"))?;
    Some(if href.contains('\u{feff}') { Cow::Owned(href.replace('\u{feff}', "")) } else { href })
}

/// The value of `name/src="..."` and the like, which mail programs forgive.
fn misspelt<'h>(attributes: &[Attribute<'h>], suffix: &str) -> Option<Cow<'h, str>> {
    let is_misspelt = |attribute: &&Attribute<'_>| {
        let name = attribute.name.as_bytes();
        name.len() > suffix.len()
            && name.windows(suffix.len() + 1).any(|window| {
                window.split_first().is_some_and(|(first, rest)| {
                    (first.is_ascii_alphanumeric() || *first == b'_')
                        && rest.eq_ignore_ascii_case(suffix.as_bytes())
                })
            })
    };
    attributes.iter().rev().find(is_misspelt).map(Attribute::decoded)
}

/// The links that an element holds, beside the `href` of `a`, `area` and `link`.
pub fn link<'h>(tag: Tag, attributes: &[Attribute<'h>]) -> Option<Cow<'h, str>> {
    match tag.link() {
        Link::Background => value(attributes, "background"),
        Link::Src => misspelt(attributes, "/src").or_else(|| value(attributes, "src")),
        Link::Action => value(attributes, "action"),
        Link::Base => value(attributes, "href"),
        Link::Refresh => refresh(attributes),
        Link::Href => href(attributes),
        Link::No => None,
    }
}

/// Where `<meta http-equiv=refresh content="0; url=...">` goes.
fn refresh<'h>(attributes: &[Attribute<'h>]) -> Option<Cow<'h, str>> {
    let kind = value(attributes, "http-equiv")?;
    if !kind.to_ascii_lowercase().contains("refresh") {
        return None;
    }
    let content = value(attributes, "content")?;
    let lower = content.to_ascii_lowercase();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let start = lower.match_indices("url").filter_map(|(at, _)| {
        let before = lower.get(..at)?.chars().next_back();
        let after = lower.get(at + 3..)?.trim_start();
        (!before.is_some_and(is_word) && after.starts_with('=')).then(|| lower.len() - after.len() + 1)
    });
    let link = content.get(start.last()?..)?.trim_start();
    let link = link.split(';').next().unwrap_or("").trim_end();
    Some(Cow::Owned(link.to_owned()))
}

/// What a relative link is taken to stand under: the base without the name of a file; `None` where mail
/// programs ignore it.
pub fn base(link: &str) -> Option<String> {
    let lower = link.get(..8.min(link.len())).unwrap_or("").to_ascii_lowercase();
    if !["http:", "https:", "ftp:"].iter().any(|scheme| lower.starts_with(scheme)) {
        return None;
    }
    let mut base = without_file(link).unwrap_or(link).to_owned();
    if !base.ends_with('/') {
        base.push('/');
    }
    Some(base)
}

/// `http://host/path/` of `http://host/path/name.html`.
fn without_file(link: &str) -> Option<&str> {
    let (stem, extension) = link.rsplit_once('.')?;
    if !(2..=4).contains(&extension.chars().count()) || extension.contains('/') {
        return None;
    }
    let prefix = stem.trim_end_matches(|c| c != '/' && c != '.');
    if prefix.len() == stem.len() {
        return None;
    }
    let (_, rest) = prefix.split_once(':')?;
    let host = rest.strip_prefix("//").or_else(|| rest.strip_prefix('/')).unwrap_or(rest);
    host.split_once('/').filter(|(host, _)| !host.is_empty()).map(|_| prefix)
}

/// A link resolved against the base; `None` where nothing is left of it.
pub fn resolve<'h>(base: &str, link: &'h str) -> Option<Cow<'h, str>> {
    let has_scheme =
        |scheme: &str| link.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    if ["data:", "mailto:", "file:", "cid:", "tel:"].into_iter().any(has_scheme) {
        return Some(Cow::Borrowed(link));
    }
    let target = uri::reference::resolve(base, link);
    (!target.is_empty()).then_some(target)
}
