//! The forms of a link that SpamAssassin matches rules against: as written, and with each trick that mail
//! programs see through undone.

use std::fmt::Write;

use super::{LONGEST, Settings};
use crate::mime::Arena;

/// Whether a link came as bytes (from text) or as characters (from HTML): the two are escaped differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Bytes,
    Characters,
}

/// How many links within links are followed.
const MAX_REDIRECTIONS: usize = 20;

/// All forms of `raw`, itself (less line breaks and white space around it) first, without duplicates.
pub fn variants<'m>(raw: &'m str, kind: Kind, settings: &Settings, arena: &'m Arena) -> Vec<&'m str> {
    let mut forms = Forms { found: Vec::with_capacity(2), queue: vec![raw], arena };
    let mut next = 0;
    while let Some(&link) = forms.queue.get(next).filter(|_| next <= MAX_REDIRECTIONS) {
        let link = forms.clean(link);
        forms.add(link);
        if link.len() > 1 && !is_local(link) {
            if is_mail(link) {
                forms.mail(link);
            } else {
                forms.web(link, kind, settings);
            }
        }
        next += 1;
    }
    forms.found
}

/// Links into the same page or site, which no mail has.
fn is_local(link: &str) -> bool {
    link.starts_with(['#', '?', '&']) || (link.starts_with('/') && !link.starts_with("//"))
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn is_mail(link: &str) -> bool {
    starts_with(link, "mailto:") || link.split(':').next().is_some_and(|start| start.contains('@'))
}

struct Forms<'m> {
    found: Vec<&'m str>,
    /// The link and what it redirects to.
    queue: Vec<&'m str>,
    arena: &'m Arena,
}

/// The parts of `http://user@host:port/path`; `rest` starts with the port or the path.
struct Web<'a> {
    scheme: &'a str,
    has_user: bool,
    host: &'a str,
    rest: &'a str,
}

impl<'a> Web<'a> {
    fn read(link: &'a str) -> Option<Web<'a>> {
        let scheme = ["http://", "https://"].into_iter().find(|scheme| starts_with(link, scheme))?;
        let (scheme, after) = link.split_at(scheme.len());
        let user = after
            .find(['@', '/', '?', '#'])
            .filter(|at| after.get(*at..).is_some_and(|t| t.starts_with('@')));
        let split = |from: &'a str| {
            let end = from.find(['/', '?', '#', ':']).unwrap_or(from.len());
            (end > 0).then(|| from.split_at(end))
        };
        if let Some((host, rest)) = user.and_then(|at| split(after.get(at + 1..)?)) {
            return Some(Web { scheme, has_user: true, host, rest });
        }
        split(after).map(|(host, rest)| Web { scheme, has_user: false, host, rest })
    }
}

impl<'m> Forms<'m> {
    fn add(&mut self, form: &'m str) {
        let form = match form.len() > LONGEST {
            true => form.get(..form.floor_char_boundary(LONGEST)).unwrap_or(""),
            false => form,
        };
        if !self.found.contains(&form) {
            self.found.push(form);
        }
    }

    fn push(&mut self, parts: &[&str]) {
        let form = self.join(parts);
        self.add(form);
    }

    fn join(&self, parts: &[&str]) -> &'m str {
        match parts {
            [one] => self.arena.alloc_str(one),
            _ => self.arena.alloc_str(&parts.concat()),
        }
    }

    /// Without line breaks, and without white space around it.
    fn clean(&self, link: &'m str) -> &'m str {
        let trimmed = link.trim();
        match trimmed.contains(['\n', '\r']) {
            true => self.arena.alloc_str(trimmed.replace('\n', "").trim().replace('\r', "").as_str()),
            false => trimmed,
        }
    }

    /// An address without parameters and what mail programs cut off.
    fn mail(&mut self, link: &'m str) {
        if let Some(at) = link.find('@').filter(|at| *at > 0) {
            let host = link.get(at + 1..).unwrap_or("");
            for stops in [&['?'][..], &['?', '&'][..]] {
                let end = host.find(stops).filter(|end| *end > 0);
                // The second time the parameters have to start with `&`.
                let is_wanted =
                    |end: &usize| stops.len() == 1 || host.get(*end..).is_some_and(|t| t.starts_with('&'));
                if let Some(end) = end.filter(is_wanted) {
                    self.add(link.get(..at + 1 + end).unwrap_or(""));
                }
            }
        }
        if link.contains("%20") {
            let mut address = link.strip_prefix("mailto:").unwrap_or(link);
            while let Some(rest) = address.strip_prefix("%20") {
                address = rest;
            }
            if let Some((user, host)) = address.split_once('@') {
                let host = host.split(['?', '&', '%']).next().unwrap_or("");
                if !user.is_empty() && !host.is_empty() {
                    self.push(&["mailto:", user, "@", host]);
                }
            }
        }
        // mailto:"Foo"%20<foo@example.com>
        let head = link.find(['?', '&']).and_then(|end| link.get(..end)).unwrap_or(link);
        let bracketed = head.rmatch_indices('<').find_map(|(open, _)| {
            let (user, rest) = link.get(open + 1..)?.split_once(['@', '>'])?;
            let at = open + 1 + user.len();
            let (host, _) = rest.split_once('>')?;
            let is_address = !user.is_empty() && !host.is_empty() && link.as_bytes().get(at) == Some(&b'@');
            is_address.then_some((user, host))
        });
        if let Some((user, host)) = bracketed {
            self.push(&["mailto:", user, "@", host]);
        }
    }

    fn web(&mut self, link: &'m str, kind: Kind, settings: &Settings) {
        let plain = match normal(link, kind) {
            Some(plain) => {
                let plain: &'m str = self.arena.alloc_str(&plain);
                self.add(plain);
                plain
            }
            None => link,
        };
        let Some(Web { scheme, has_user, host, rest }) = Web::read(plain) else { return };
        let is_80 = self.port(scheme, host, rest);
        let name = host.to_ascii_lowercase();
        let mut host = host;
        // Perl takes a host of characters for another one than that of its bytes.
        if kind == Kind::Characters && !host.is_ascii() {
            host = self.arena.alloc_str(&name);
            self.push(&[scheme, host, rest]);
        }
        if host.bytes().any(|byte| byte <= b' ') {
            host = self.arena.alloc_str(&host.replace(|c| c <= ' ', ""));
            self.push(&[scheme, host, rest]);
        }
        self.redirect(scheme, host, rest, settings);
        // A second user name.
        if let Some((_, after)) = host.split_once('@').filter(|(user, _)| !user.is_empty()) {
            host = after;
            self.push(&[scheme, host, rest]);
        }
        let bare = host.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if bare.len() < host.len() {
            host = bare;
            self.push(&[scheme, host, rest]);
        }
        if let Some(address) = ip_address(host) {
            self.push(&[scheme, &address, rest]);
        } else if scheme == "http://" && !has_user && name != "localhost" && is_80 {
            let word = name.strip_prefix("www.").unwrap_or(&name);
            let word = if word.is_empty() || word.contains('.') { name.as_str() } else { word };
            if !word.is_empty() && !word.contains('.') && !settings.boundaries.has_tld(&name) {
                self.push(&[scheme, "www.", word, ".com", rest]);
            }
        }
    }

    /// Adds a form without the port where that is the default; says whether the port is 80.
    fn port(&mut self, scheme: &str, host: &str, rest: &str) -> bool {
        let is_http = scheme == "http://";
        let after = rest.strip_prefix(':').unwrap_or("");
        let end = after.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(after.len());
        let (digits, path) = after.split_at(end);
        let is_word = path.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if digits == (if is_http { "80" } else { "443" }) && !is_word {
            self.push(&[scheme, host, path]);
        }
        if digits.is_empty() { is_http } else { digits == "80" }
    }

    /// Queues where a redirector sends the reader: by its pattern, else any link within the link.
    fn redirect(&mut self, scheme: &str, host: &str, rest: &str, settings: &Settings) {
        if !settings.redirectors.is_empty() {
            let whole = [scheme, host, rest].concat();
            if let Some(target) = settings.redirectors.iter().find_map(|pattern| pattern.target(&whole)) {
                let target = self.arena.alloc_str(target);
                self.queue.push(target);
                return;
            }
        }
        let inner = memchr::memchr_iter(b':', rest.as_bytes()).find_map(|colon| {
            let named = |name: &str| {
                let start = colon.checked_sub(name.len())?;
                rest.get(start..colon).filter(|found| found.eq_ignore_ascii_case(name)).map(|_| start)
            };
            let target = rest.get(named("https").or_else(|| named("http"))?..)?;
            let scheme = target.find(':')? + 1;
            let end = target.find(['&', '#']).unwrap_or(target.len());
            target.get(..end).filter(|_| end > scheme)
        });
        if let Some(target) = inner.filter(|target| target.contains('.')) {
            let target = self.arena.alloc_str(target);
            self.queue.push(target);
        }
    }
}

/// The link with back slashes turned, a scheme put before it and escapes undone; `None` where nothing changed.
fn normal(link: &str, kind: Kind) -> Option<String> {
    let after_host = |text: &str| {
        let scheme = ["http://", "https://"].into_iter().find(|scheme| starts_with(text, scheme))?;
        let rest = text.get(scheme.len()..)?;
        let at = rest.find(['/', '?', '#']).filter(|at| *at > 0)?;
        rest.get(at..).is_some_and(|mark| !mark.starts_with('/')).then_some(scheme.len() + at)
    };
    let is_plain = (starts_with(link, "http://") || starts_with(link, "https://"))
        && !link.contains(['\\', '%'])
        && !link.contains("&#")
        && after_host(link).is_none();
    if is_plain {
        return None;
    }
    let mut text = link.replace('\\', "/");
    if let Some(scheme) = ["http:", "https:"].into_iter().find(|scheme| starts_with(&text, scheme)) {
        let rest = text.get(scheme.len()..).unwrap_or("");
        let rest = rest.strip_prefix("//").or_else(|| rest.strip_prefix('/')).unwrap_or(rest);
        text = [text.get(..scheme.len()).unwrap_or(""), "//", rest].concat();
    }
    if text.as_bytes().windows(3).any(is_escape) {
        text = unescaped(&text, kind);
    }
    let scheme =
        text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')).count();
    if scheme == 0 || text.as_bytes().get(scheme) != Some(&b':') {
        text.insert_str(0, if text.starts_with("ftp.") { "ftp://" } else { "http://" });
    }
    if let Some(at) = after_host(&text) {
        text.insert(at, '/');
    }
    if text.contains("&#") {
        text = without_references(&text);
    }
    (text != link).then_some(text)
}

fn is_escape(bytes: &[u8]) -> bool {
    matches!(bytes, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

fn hex(digit: u8) -> u8 {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).unwrap_or(0)
}

/// Percent escapes of printable ASCII undone, all that should be escaped escaped.
pub(super) fn unescaped(text: &str, kind: Kind) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(escape) = rest.as_bytes().get(..3).filter(|bytes| is_escape(bytes)) {
            let [_, high, low] = *escape else { break };
            // What stays: controls, blanks, DEL and all that is not ASCII.
            match (high, low) {
                (b'2', b'0') | (b'7', b'f' | b'F') => out.push_str(rest.get(..3).unwrap_or("")),
                (b'2'..=b'7', _) => out.push(char::from(hex(high) * 16 + hex(low))),
                _ => out.push_str(rest.get(..3).unwrap_or("")),
            }
            rest = rest.get(3..).unwrap_or("");
            continue;
        }
        let len = c.len_utf8();
        let mut escape = |byte: u8| _ = write!(out, "%{byte:02x}");
        match u32::from(c) {
            0..=0x20 | 0x7f | 0x22 | 0x25 | 0x3c | 0x3e => escape(c as u8),
            0x80.. if kind == Kind::Bytes => rest.bytes().take(len).for_each(escape),
            0x80..=0xff => escape(c as u8),
            _ => out.push(c),
        }
        rest = rest.get(len..).unwrap_or("");
    }
    out
}

/// Numeric character references of printable ASCII and of full stops undone.
fn without_references(text: &str) -> String {
    let decimal = references(text, |number| {
        let number = number.trim_start_matches('0');
        number.parse::<u8>().ok().filter(|_| number.bytes().all(|byte| byte.is_ascii_digit()))
    });
    let hexadecimal = references(&decimal, |number| {
        let number = number.strip_prefix('x')?.trim_start_matches('0');
        u8::from_str_radix(number, 16).ok().filter(|_| number.len() == 2)
    });
    references(&hexadecimal, |number| {
        let stops = ["x2e", "12290", "x3002", "65294", "xff0e", "65377", "xff61"];
        stops.iter().any(|stop| number.eq_ignore_ascii_case(stop)).then_some(b'.')
    })
}

/// Replaces each `&#...;` that `read` knows by its character.
fn references(text: &str, read: impl Fn(&str) -> Option<u8>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("&#") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let number = from.get(2..).unwrap_or("");
        let end = number.bytes().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(number.len());
        let decoded = number
            .get(..end)
            .filter(|_| number.as_bytes().get(end) == Some(&b';'))
            .and_then(&read)
            .filter(|byte| (33..=126).contains(byte));
        match decoded {
            Some(byte) => {
                out.push(char::from(byte));
                rest = number.get(end + 1..).unwrap_or("");
            }
            None => {
                out.push_str("&#");
                rest = number;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The dotted quad of a host that is an IP address in octal, hexadecimal, or as one number.
fn ip_address(host: &str) -> Option<String> {
    let is_hex = |part: &str| {
        starts_with(part, "0x") && part.len() > 2 && part.bytes().skip(2).all(|byte| byte.is_ascii_hexdigit())
    };
    let is_decimal = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts: Vec<&str> = host.split('.').take(5).collect();
    match parts.as_slice() {
        [one] if is_hex(one) => {
            let digits = one.get(2..)?;
            let last = digits.get(digits.len().saturating_sub(8)..)?;
            Some(dotted(u64::from_str_radix(last, 16).ok()?))
        }
        [one] if is_decimal(one) => Some(dotted(one.parse().unwrap_or(u64::MAX))),
        [_, _, _, _] if parts.iter().all(|part| is_hex(part) || is_decimal(part)) => {
            Some(parts.iter().map(|part| octet(part)).collect::<Vec<_>>().join("."))
        }
        _ => None,
    }
}

/// One part of a quad, in decimal. Zeros are dropped from the left, all of them: `0` becomes nothing.
fn octet(part: &str) -> String {
    if starts_with(part, "0x") {
        let digits = part.get(2..).unwrap_or("").trim_start_matches('0');
        let value = if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 16).ok() };
        let number = value.map_or_else(|| "-1".to_owned(), |value| value.to_string());
        return octal(&number).trim_start_matches('0').to_owned();
    }
    octal(part).trim_start_matches('0').to_owned()
}

/// An octal number with a zero before it, up to 0377, in decimal.
fn octal(part: &str) -> String {
    let digits = part.trim_start_matches('0');
    let is_octal = digits.len() < part.len()
        && digits.bytes().all(|byte| matches!(byte, b'0'..=b'7'))
        && match digits.as_bytes() {
            [b'1'..=b'3', rest @ ..] => rest.len() <= 2,
            [b'4'..=b'7', rest @ ..] => rest.len() <= 1,
            _ => false,
        };
    match u32::from_str_radix(digits, 8) {
        Ok(value) if is_octal => value.to_string(),
        _ => part.to_owned(),
    }
}

/// The first four bytes of a number written with at least eight hexadecimal digits.
fn dotted(number: u64) -> String {
    let digits = format!("{number:08x}");
    let pairs = digits.as_bytes().chunks(2).take(4).map(|pair| match *pair {
        [high, low] => hex(high) * 16 + hex(low),
        _ => 0,
    });
    pairs.map(|byte| byte.to_string()).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(raw: &str) -> Vec<String> {
        let arena = Arena::new();
        let raw = arena.alloc_str(raw);
        variants(raw, Kind::Characters, &Settings::default(), &arena)
            .iter()
            .map(|form| (*form).to_owned())
            .collect()
    }

    #[test]
    fn undoes_the_tricks_of_web_links() {
        for (raw, others) in [
            ("http://www.example.com/", &[][..]),
            ("http:\\\\www.example.com\\x", &["http://www.example.com/x"][..]),
            ("http:www.example.com", &["http://www.example.com"]),
            ("http:/www.example.com", &["http://www.example.com"]),
            ("www.example.com", &["http://www.example.com"]),
            ("ftp.example.com/x", &["ftp://ftp.example.com/x"]),
            // The `#` of a reference in the host starts a fragment before the reference is read.
            (
                "http://x&#119;y.com/",
                &["http://x&/#119;y.com/", "http://x/#119;y.com/", "http://www.x&.com/#119;y.com/"],
            ),
            ("http://www.example.com/a&#0119;b&#x2e;", &["http://www.example.com/awb."]),
            ("http://example.com?x=1", &["http://example.com/?x=1"]),
            ("http://example.com/%20%41 b", &["http://example.com/%20A%20b"]),
            ("http://example.com/a&#12290;b&#XFF0E;", &["http://example.com/a.b."]),
            ("http://example.com:80/x", &["http://example.com/x"]),
            ("https://example.com:443", &["https://example.com"]),
            ("http://example.com:8080/x", &[]),
            ("http://me@you@example.com/", &["http://example.com/"]),
            ("http://example.com!!!", &["http://example.com"]),
            ("http://0x7f000001/", &["http://127.0.0.1/"]),
            ("http://3628126748/", &["http://216.64.210.28/"]),
            ("http://0330.0x40.210.28/", &["http://216.64.210.28/"]),
            ("http://foobar/x", &["http://www.foobar.com/x"]),
            ("http://localhost/", &[]),
            ("http://a.example.com/?u=http://b.example.com/&x", &["http://b.example.com/"]),
            ("http://a.example.com/r/http:/b.example.com", &["http:/b.example.com", "http://b.example.com"]),
            ("http://a.example.com/\r\nx ", &["http://a.example.com/x"]),
        ] {
            let found = forms(raw);
            let expected: Vec<&str> = if raw.contains('\r') { vec![] } else { vec![raw] };
            let expected: Vec<&str> = expected.into_iter().chain(others.iter().copied()).collect();
            assert_eq!(found, expected, "{raw}");
        }
    }

    #[test]
    fn cuts_mail_addresses() {
        for (raw, others) in [
            ("mailto:a@example.com", &[][..]),
            ("mailto:a@example.com?subject=x&y", &["mailto:a@example.com"][..]),
            ("mailto:a@example.com&x.com", &["mailto:a@example.com"]),
            ("mailto:%20a@example.com%20", &["mailto:a@example.com"]),
            ("mailto:\"Foo%20Bar\"%20<foo@example.com>", &["mailto:foo@example.com"]),
        ] {
            let found = forms(raw);
            assert_eq!(found.first().map(String::as_str), Some(raw));
            for other in others {
                assert!(found.iter().any(|form| form == other), "{raw}: {found:?}");
            }
        }
    }

    #[test]
    fn links_within_the_page_stay_as_they_are() {
        for raw in ["#top", "?x=1", "&x", "/index.html", "x"] {
            assert_eq!(forms(raw), [raw]);
        }
    }

    #[test]
    fn escapes_by_kind() {
        assert_eq!(unescaped("%41\u{e9}\u{20ac}%zz", Kind::Characters), "A%e9\u{20ac}%25zz");
        assert_eq!(unescaped("%41\u{e9}%0a%C3", Kind::Bytes), "A%c3%a9%0a%C3");
    }

    #[test]
    fn redirections_have_an_end() {
        let raw = "http://a.b/".repeat(500);
        assert!(forms(&raw).len() <= 2 * (MAX_REDIRECTIONS + 1));
    }
}
