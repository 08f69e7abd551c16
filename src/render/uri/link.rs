//! Links with their host alone, without the forms that rules are matched against.

use rustc_hash::FxHashSet;

use super::{
    Settings, TextLink,
    canonical::{self, Kind},
    domain::host_of,
    find,
};
use crate::mime::Arena;

/// A link and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'m> {
    /// As found; with a scheme put before it where the text has none.
    pub raw: &'m str,
    /// Lower-case host name; empty where the link has none.
    pub host: &'m str,
    /// The registrable domain of `host` by the public suffix list; empty where there is none.
    pub domain: &'m str,
}

/// The first links of texts and of HTML, each once, `most` at most.
pub fn links<'m>(texts: &[&'m str], html: &[&'m str], most: usize, arena: &'m Arena) -> Vec<Link<'m>> {
    let settings = Settings::default();
    let mut links = Vec::new();
    let mut seen: FxHashSet<&[u8]> = FxHashSet::default();
    for text in texts {
        find::links(text.as_bytes(), &settings.boundaries, |found, by| {
            let found = find::trimmed(found);
            if links.len() >= most || !seen.insert(found) {
                return;
            }
            if let Some(link) = TextLink::read(found, by, &settings.boundaries) {
                let link = Link::of(arena.alloc_str(&link.uri), Kind::Bytes, &settings, arena);
                links.extend((!link.host.is_empty()).then_some(link));
            }
        });
    }
    seen.clear();
    for raw in html {
        if links.len() < most && seen.insert(raw.as_bytes()) {
            links.push(Link::of(raw, Kind::Characters, &settings, arena));
        }
    }
    links
}

impl<'m> Link<'m> {
    fn of(raw: &'m str, kind: Kind, settings: &Settings, arena: &'m Arena) -> Link<'m> {
        let host = |form: &'m str| {
            let lower = match form.bytes().any(|byte| byte.is_ascii_uppercase()) {
                true => arena.alloc_str(&form.to_ascii_lowercase()),
                false => form,
            };
            host_of(lower, &settings.boundaries)
        };
        // Where the host is hidden, one of the forms that mail programs see shows it.
        let shown = || canonical::variants(raw, kind, settings, arena).into_iter().find_map(host);
        let (host, domain) = host(raw).or_else(shown).unwrap_or_default();
        Link { raw, host, domain }
    }
}
