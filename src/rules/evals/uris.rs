//! About links, and what their texts pretend.

use std::sync::LazyLock;

use super::{Function, number, truth};
use crate::{
    render::{HtmlFacts, is_fqdn, is_ip},
    rules::{
        Subject,
        language::Argument,
        matching::Decider,
        regex::{Flags, translate},
    },
};

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("check_for_http_redirector", check_for_http_redirector),
    ("check_https_http_mismatch", check_https_http_mismatch),
    ("check_https_ip_mismatch", check_https_ip_mismatch),
    ("check_uri_truncated", check_uri_truncated),
];

/// Anchors are compared with each other's links: more of them than this are none that a person reads.
const MAX_ANCHORS: usize = 2000;

/// A link holds another one, of another domain.
fn check_for_http_redirector(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let boundaries = &subject.rules.settings.links.boundaries;
    let domain = |host: &str| {
        let host = host.rsplit('@').next().unwrap_or(host).to_ascii_lowercase();
        let is_name = !is_ip(&host) && is_fqdn(&host) && boundaries.has_tld(&host);
        if is_name { boundaries.registrable(host.trim_matches('.')).to_owned() } else { host }
    };
    let variants = subject.rendered.uris.iter().flat_map(|uri| &uri.variants);
    truth(variants.into_iter().any(|uri| {
        let mut rest = *uri;
        while let Some((host, inner)) = embedded(rest) {
            let (target, _) = host_of(inner).unwrap_or_default();
            if domain(host) != domain(target) {
                return true;
            }
            rest = inner;
        }
        false
    }))
}

/// The host of a link, and the first link inside of it that has one.
fn embedded(uri: &str) -> Option<(&str, &str)> {
    let (host, behind) = host_of(uri)?;
    let inner = |(at, _): (usize, _)| behind.get(at..).filter(|inner| host_of(inner).is_some());
    let lower = behind.to_ascii_lowercase();
    // something stands between the host and the link
    let found = lower.match_indices("http").filter(|(at, _)| *at > 0).find_map(inner)?;
    Some((host, found))
}

/// What stands between `http://` and the next `/`, `:` or `?`, and what stands behind it.
fn host_of(uri: &str) -> Option<(&str, &str)> {
    let start = uri.get(..4).filter(|start| start.eq_ignore_ascii_case("http"))?.len();
    let rest = uri.get(start..)?;
    let rest = rest.strip_prefix(['s', 'S']).unwrap_or(rest).strip_prefix(':')?;
    let rest = rest.strip_prefix("//").or_else(|| rest.strip_prefix('/')).unwrap_or(rest);
    let end = rest.find(['/', ':', '?']).unwrap_or(rest.len());
    (end > 0).then(|| rest.split_at(end))
}

/// The text of an anchor names a secure site, and the anchor leads to another one: least and most anchors.
fn check_https_http_mismatch(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let least = number(arguments, 0).filter(|least| *least != 0.0).unwrap_or(1.0);
    let most = number(arguments, 1).unwrap_or(f64::INFINITY);
    let boundaries = &subject.rules.settings.links.boundaries;
    let registrable = |host: &str| {
        let host = host.to_ascii_lowercase();
        let domain = boundaries.registrable(host.trim_matches('.'));
        boundaries.has_tld(domain).then(|| domain.to_owned())
    };
    let is_other = |html: &HtmlFacts<'_>| {
        let (mut hit, mut anchors) = (false, 0u32);
        for (href, texts) in by_link(html) {
            let Some(host) = behind("http", href).or_else(|| behind("https", href)) else { continue };
            let host = host.split(['/', ':', '?', '#']).next().unwrap_or_default();
            let host = Some(host).filter(|host| !host.is_empty() && !is_ip(host)).and_then(registrable);
            let Some(host) = host else { continue };
            anchors += 1;
            hit |= texts.iter().any(|text| {
                let shown = shown_host(text).and_then(|shown| match is_ip(shown) {
                    true => Some(shown.to_owned()),
                    false => registrable(shown),
                });
                shown.is_some_and(|shown| shown != host)
            });
        }
        hit && f64::from(anchors) >= least && f64::from(anchors) < most
    };
    truth(subject.rendered.html.iter().any(is_other))
}

/// Behind `scheme://`.
fn behind<'u>(scheme: &str, uri: &'u str) -> Option<&'u str> {
    let start = uri.get(..scheme.len()).filter(|start| start.eq_ignore_ascii_case(scheme))?;
    uri.get(start.len()..)?.strip_prefix("://")
}

/// The host of the first `https://` in a text.
fn shown_host(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    lower.match_indices("https://").find_map(|(at, sign)| {
        let rest = text.get(at + sign.len()..)?;
        let end = rest.find(|char: char| char.is_whitespace() || matches!(char, '/' | ':' | '?' | '#'));
        rest.get(..end.unwrap_or(rest.len())).filter(|host| !host.is_empty())
    })
}

/// The texts of the anchors of each link.
fn by_link<'h>(html: &'h HtmlFacts<'_>) -> Vec<(&'h str, Vec<&'h str>)> {
    let mut anchors: Vec<_> = html.anchors.iter().take(MAX_ANCHORS).collect();
    anchors.sort_by_key(|anchor| anchor.href);
    let same = anchors.chunk_by(|a, b| a.href == b.href);
    let texts = |chunk: &[&_]| chunk.iter().map(|anchor: &&crate::render::Anchor<'h>| anchor.text).collect();
    same.filter_map(|chunk| Some((chunk.first()?.href, texts(chunk)))).collect()
}

/// The text of an anchor names a secure site, and the anchor leads to an address in numbers.
fn check_https_ip_mismatch(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    static LINK: LazyLock<Option<Decider>> = LazyLock::new(|| numbers("https?"));
    static TEXT: LazyLock<Option<Decider>> = LazyLock::new(|| numbers("https"));
    let (Some(link), Some(shown)) = (&*LINK, &*TEXT) else { return 0 };
    let mut anchors = subject.rendered.html.iter().flat_map(|html| &html.anchors);
    truth(anchors.any(|anchor| {
        super::matches(link, anchor.href.as_bytes())
            && !super::matches(shown, anchor.text.as_bytes())
            && anchor.text.to_ascii_lowercase().contains("https:")
    }))
}

/// A link to four decimal numbers, or the beginning of one.
fn numbers(scheme: &str) -> Option<Decider> {
    let text = format!(r"^{scheme}:/*(?:[^@/]+@)?\d+\.\d+\.\d+\.\d+");
    let flags = Flags { caseless: true, ..Flags::default() };
    Decider::new(translate(text.as_bytes(), flags).ok()?).ok()
}

/// A link was too long to be looked at in full.
fn check_uri_truncated(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    truth(subject.rendered.html.iter().any(|html| html.uri_truncated))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_inside_of_links_are_found() {
        let found = embedded("http://a.example/go?to=https://b.example/x");
        assert_eq!(found, Some(("a.example", "https://b.example/x")));
        assert_eq!(embedded("http://a.example/http"), None);
        assert_eq!(embedded("mailto:a@b.example"), None);
    }

    #[test]
    fn the_host_that_a_text_shows_is_behind_https() {
        assert_eq!(shown_host("see HTTPS://Bank.example/login now"), Some("Bank.example"));
        assert_eq!(shown_host("see http://bank.example"), None);
    }
}
