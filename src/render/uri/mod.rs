//! Links: found in text and HTML, with the forms that rules are matched against, host and domain.

pub(super) mod canonical;
pub mod domain;
pub(super) mod find;
pub(super) mod late;
mod link;
pub(super) mod reference;

pub use link::{Link, links};
use rustc_hash::{FxHashMap, FxHashSet};

use self::{
    canonical::Kind,
    domain::{Boundaries, host_of},
    find::By,
};
use super::{
    Origin, Uri,
    html::{FoundLink, HtmlFacts},
};
use crate::mime::{Arena, Message};

/// Longer links are cut.
pub const LONGEST: usize = 8192;

/// More links of a message than this are not looked at, nor more than this of all their forms, in bytes.
const MAX_LINKS: usize = 2000;
const MAX_FORMS: usize = 4 << 20;

/// What the rules say about links.
#[derive(Debug, Default)]
pub struct Settings {
    pub boundaries: Boundaries,
    /// SpamAssassin's `redirector_pattern`, in order.
    pub redirectors: Vec<Redirector>,
}

/// A pattern whose first group is where a redirector sends the reader.
#[derive(Debug)]
pub struct Redirector(pub pcre2::bytes::Regex);

impl Redirector {
    /// The link that `uri` redirects to.
    pub fn target<'u>(&self, uri: &'u str) -> Option<&'u str> {
        let groups = self.0.captures(uri.as_bytes()).ok().flatten()?;
        let group = groups.get(1)?;
        uri.get(group.start()..group.end()).filter(|target| target.contains('.'))
    }
}

/// Host and domain of what the signatures of a message say it is from: `d=` of DKIM and DomainKeys.
pub fn signers<'m>(message: &Message<'m>, settings: &Settings) -> Vec<(&'m str, &'m str)> {
    let mut found = Vec::new();
    for header in ["DomainKey-Signature", "DKIM-Signature"].into_iter().flat_map(|name| message.headers(name))
    {
        let value = header.value(message.arena());
        for (at, _) in value.match_indices('d') {
            let before = value.get(..at).and_then(|before| before.chars().next_back());
            let is_tag = !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
            let after = value.get(at + 1..).unwrap_or("").trim_start();
            let Some(name) = after.strip_prefix('=').filter(|_| is_tag) else { continue };
            let name = name.split(';').next().unwrap_or("");
            let name: String = name.chars().filter(|c| !c.is_whitespace()).collect();
            let name = message.arena().alloc_str(&name.to_ascii_lowercase());
            if let Some(pair) = host_of(name, &settings.boundaries)
                && !found.contains(&pair)
            {
                found.push(pair);
            }
        }
    }
    found
}

/// Gathers the links of a message.
pub struct Collector<'m, 's> {
    pub uris: Vec<Uri<'m>>,
    arena: &'m Arena,
    settings: &'s Settings,
    /// Bytes of all forms.
    spent: usize,
    /// What was found in text already.
    seen: FxHashSet<&'m [u8]>,
    /// Where in `uris` a link stands with all its forms.
    known: FxHashMap<(&'m str, Kind), usize>,
}

impl<'m, 's> Collector<'m, 's> {
    pub fn new(arena: &'m Arena, settings: &'s Settings) -> Collector<'m, 's> {
        Collector {
            uris: Vec::new(),
            arena,
            settings,
            spent: 0,
            seen: FxHashSet::default(),
            known: FxHashMap::default(),
        }
    }

    /// Adds the links in a unit of body text.
    pub fn text(&mut self, unit: &'m [u8], part: usize) {
        let settings = self.settings;
        find::links(unit, &settings.boundaries, |link, by| {
            let link = find::trimmed(link);
            if self.is_full() || !self.seen.insert(link) {
                return;
            }
            if let Some(found) = TextLink::read(link, by, &settings.boundaries) {
                let raw = self.arena.alloc_str(&found.uri);
                let mut uri = self.uri(raw, Kind::Bytes);
                if uri.hosts.is_empty() {
                    return;
                }
                uri.origin = Origin::Text;
                uri.part = part;
                uri.is_schemeless = found.is_schemeless;
                uri.is_unlinked = found.is_unlinked;
                self.push(uri, Kind::Bytes);
            }
        });
    }

    /// Adds the links of an HTML part.
    pub fn html(&mut self, links: &[FoundLink<'m>], facts: &HtmlFacts<'m>) {
        let mut seen = FxHashSet::default();
        for link in links {
            let anchor =
                link.anchor.and_then(|index| facts.anchors.get(index)).map_or("", |anchor| anchor.text);
            if !self.is_full() && seen.insert((link.uri, link.element, anchor)) {
                self.html_link(link.uri, link.element, anchor, facts.part);
            }
        }
        // SpamAssassin keeps anchor texts by what is written, and takes that for a link of its own.
        let resolved: FxHashSet<&str> = links.iter().map(|link| link.uri).collect();
        for anchor in &facts.anchors {
            if !self.is_full()
                && !resolved.contains(anchor.href)
                && seen.insert((anchor.href, "", anchor.text))
            {
                self.html_link(anchor.href, "", anchor.text, facts.part);
            }
        }
    }

    fn html_link(&mut self, raw: &'m str, element: &'static str, anchor: &'m str, part: usize) {
        let mut uri = self.uri(raw, Kind::Characters);
        uri.origin = Origin::Html;
        uri.element = element;
        uri.anchor = anchor;
        uri.part = part;
        self.push(uri, Kind::Characters);
    }

    fn push(&mut self, uri: Uri<'m>, kind: Kind) {
        self.known.entry((uri.raw, kind)).or_insert(self.uris.len());
        self.uris.push(uri);
    }

    fn is_full(&self) -> bool {
        self.uris.len() >= MAX_LINKS || self.spent >= MAX_FORMS
    }

    /// A link with its forms and hosts; where it was found is left open.
    fn uri(&mut self, raw: &'m str, kind: Kind) -> Uri<'m> {
        if let Some(known) = self.known.get(&(raw, kind)).and_then(|&index| self.uris.get(index)) {
            return Uri { is_schemeless: false, is_unlinked: false, ..known.clone() };
        }
        let variants = canonical::variants(raw, kind, self.settings, self.arena);
        self.spent += variants.iter().map(|form| form.len()).sum::<usize>();
        let mut hosts: Vec<(&'m str, &'m str)> = Vec::with_capacity(1);
        for form in &variants {
            let lower = match form.bytes().any(|byte| byte.is_ascii_uppercase()) {
                true => self.arena.alloc_str(&form.to_ascii_lowercase()),
                false => *form,
            };
            if let Some(pair) = host_of(lower, &self.settings.boundaries)
                && !hosts.contains(&pair)
            {
                hosts.push(pair);
            }
        }
        let (host, domain) = hosts.first().copied().unwrap_or_default();
        Uri {
            raw,
            variants,
            host,
            domain,
            hosts,
            anchor: "",
            element: "",
            origin: Origin::Html,
            part: 0,
            is_schemeless: false,
            is_unlinked: false,
        }
    }
}

/// A link found in text, with the scheme that mail programs would give it.
struct TextLink {
    uri: String,
    is_schemeless: bool,
    is_unlinked: bool,
}

impl TextLink {
    fn read(link: &[u8], by: By<'_>, boundaries: &Boundaries) -> Option<TextLink> {
        if by == By::Mail && !link.contains(&b'@') {
            return None;
        }
        if let By::Host(host) = by {
            let host = std::str::from_utf8(host).ok()?;
            if !domain::is_fqdn(&host.to_ascii_lowercase()) {
                return None;
            }
        }
        let text = String::from_utf8_lossy(link);
        let starts = |prefix: &str| text.get(..prefix.len()).is_some_and(|t| t.eq_ignore_ascii_case(prefix));
        let word = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let is_scheme_only = word > 0 && matches!(text.get(word..), Some(":" | ":/" | "://"));
        if starts("cid:") || starts("mid:") || is_scheme_only {
            return None;
        }
        let mut found = TextLink { uri: text.clone().into_owned(), is_schemeless: false, is_unlinked: false };
        if !["http:", "https:", "ftp:", "mailto:"].into_iter().any(starts) {
            found.is_schemeless = true;
            found.complete()?;
        }
        let is_mail = found.uri.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("mailto:"));
        if is_mail && !found.has_valid_address(boundaries) {
            return None;
        }
        Some(found)
    }

    /// Puts the scheme before it that it lacks.
    fn complete(&mut self) -> Option<()> {
        let uri = self.uri.as_str();
        let lower = uri.get(..4).map(str::to_ascii_lowercase).unwrap_or_default();
        let digits = uri.bytes().skip(3).take(2).take_while(u8::is_ascii_digit).count();
        let is_www = lower.starts_with("www") && uri.as_bytes().get(3 + digits) == Some(&b'.');
        let slash = uri.find('/');
        let has_late_sign = slash.is_some_and(|at| uri.get(at + 2..).is_some_and(|rest| rest.contains('@')));
        self.uri = if lower == "ftp." {
            format!("ftp://{uri}")
        } else if is_www || has_late_sign {
            format!("http://{uri}")
        } else if let Some(at) = uri.find('@') {
            let host = uri.get(at + 1..)?;
            let dot = host.char_indices().skip(1).find(|(_, c)| *c == '.');
            if dot.is_none() || uri.contains("&nbsp;") {
                return None;
            }
            format!("mailto:{}", without_label(uri))
        } else {
            uri.find('.')?;
            self.is_unlinked = true;
            format!("http://{uri}")
        };
        Some(())
    }

    fn has_valid_address(&mut self, boundaries: &Boundaries) -> bool {
        if self.uri.contains('%') {
            let escapes = self.uri.as_bytes().windows(3);
            if escapes.into_iter().any(|escape| {
                matches!(escape, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
            }) {
                self.uri = canonical::unescaped(&self.uri, Kind::Bytes);
            }
        }
        let Some((_, host)) = self.uri.split_once('@') else { return false };
        let mut host = host.split(['?', '&', '>']).next().unwrap_or("");
        while let Some(rest) = host.strip_suffix("%20") {
            host = rest;
        }
        boundaries.has_tld(&host.to_ascii_lowercase())
    }
}

/// An address without what the text says of it: `skype:`, `mail:`, `e-mail:`.
fn without_label(address: &str) -> &str {
    let lower = address.to_ascii_lowercase();
    ["skype", "e-mail", "email", "-mail", "mail", ""]
        .into_iter()
        .filter(|label| lower.starts_with(label))
        .find_map(|label| address.get(label.len()..).filter(|rest| rest.starts_with(':')))
        .map_or(address, |rest| rest.trim_start_matches(':'))
}
