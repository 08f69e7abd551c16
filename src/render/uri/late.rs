//! Links in text that was read from pictures and pages. Reading puts blanks where there are none, and senders
//! put them there to be copied by hand.

use super::{
    Settings, TextLink,
    domain::{Boundaries, is_fqdn},
    find::{self, By},
};

/// Top-level domains that a split host name may end in. In running text `. in` is more often a word than a
/// country.
const SPLIT_TLDS: [&str; 9] = ["com", "net", "org", "info", "biz", "ru", "cn", "xyz", "top"];

/// More words than this do not make up one host name.
const MAX_PIECES: usize = 5;

/// The links in `text`, with a scheme, in order and without duplicates.
pub fn links(text: &str) -> Vec<String> {
    let settings = Settings::default();
    let mut out = Vec::new();
    let mut add = |link: String| {
        if !out.contains(&link) {
            out.push(link);
        }
    };
    for line in text.lines() {
        let split = split_hosts(line, &settings.boundaries);
        find::links(line.as_bytes(), &settings.boundaries, |link, by| {
            // The last piece of a split name may look like a name of its own.
            let is_piece = matches!(by, By::Host(host) if split.iter().any(|name| {
                name.as_bytes().get(name.len().saturating_sub(host.len())..).is_some_and(|end| end.eq_ignore_ascii_case(host))
            }));
            if !is_piece
                && let Some(found) = TextLink::read(find::trimmed(link), by, &settings.boundaries)
                && has_host(&found.uri, &settings.boundaries)
            {
                add(found.uri);
            }
        });
        for host in split {
            add(format!("http://{host}"));
        }
    }
    out
}

fn has_host(uri: &str, boundaries: &Boundaries) -> bool {
    super::domain::host_of(&uri.to_ascii_lowercase(), boundaries).is_some()
}

/// Host names with blanks in them: what starts with `www` and ends in a common top-level domain, as in
/// `www. super rx .org`, and one word with a common domain after a blank, as in `superrx .com`.
fn split_hosts(line: &str, boundaries: &Boundaries) -> Vec<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut hosts = Vec::new();
    let mut index = 0;
    while let Some(word) = words.get(index) {
        let lower = word.to_ascii_lowercase();
        let bare = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")).unwrap_or(&lower);
        let (start, max) =
            if bare == "www" || bare.starts_with("www.") { (bare, MAX_PIECES) } else { (bare, 2) };
        match joined(
            start,
            words.get(index + 1..index + max).unwrap_or(words.get(index + 1..).unwrap_or_default()),
        ) {
            Some((host, count)) if is_fqdn(&host) && boundaries.has_tld(&host) => {
                hosts.push(host);
                index += 1 + count;
            }
            _ => index += 1,
        }
    }
    hosts
}

/// Words joined up to the one that ends the host name, and how many were added to the first.
fn joined(start: &str, next: &[&str]) -> Option<(String, usize)> {
    let is_part =
        |word: &str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'));
    let is_www = start == "www" || start == "www.";
    // A name that is whole is found without this.
    if !is_part(start) || ends_host(start) {
        return None;
    }
    let mut host = start.to_owned();
    for (index, word) in next.iter().take(MAX_PIECES).enumerate() {
        let word = word.trim_end_matches([',', ';', ':', '!', '?', ')']).to_ascii_lowercase();
        let word = word.strip_suffix('.').unwrap_or(&word);
        if !is_part(word) {
            return None;
        }
        if index == 0 && host == "www" && !word.starts_with('.') {
            host.push('.');
        }
        // Without `www`, the blank has to stand before the dot of the domain.
        let is_domain = index == 0 && word.starts_with('.');
        if !is_domain && !is_www && !start.starts_with("www.") {
            return None;
        }
        host.push_str(word);
        if ends_host(word) {
            return Some((host, index + 1));
        }
    }
    None
}

/// Whether a word ends in a dot and a top-level domain of those that are common.
fn ends_host(word: &str) -> bool {
    word.rsplit_once('.').is_some_and(|(_, label)| SPLIT_TLDS.contains(&label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_links_that_are_written_out() {
        for (text, expected) in [
            ("Order at www.example.com now", &["http://www.example.com"][..]),
            ("example.com/path", &["http://example.com/path"]),
            ("https://example.com/a?b=c.", &["https://example.com/a?b=c"]),
            ("mail me: info@example.org", &["mailto:info@example.org"]),
            ("visit www. super rx .org today", &["http://www.superrx.org"]),
            ("visit www . superrx.com!", &["http://www.superrx.com"]),
            ("type superrx .com in your browser", &["http://superrx.com"]),
            ("www.super rx.com", &["http://www.superrx.com"]),
        ] {
            assert_eq!(links(text), expected, "{text}");
        }
    }

    #[test]
    fn sentences_are_no_links() {
        for text in [
            "The end. In the beginning",
            "We net. org charts",
            "see www for more information on the web",
            "Prices from 3.50 to 9.99. Com on.",
            "J. R. R. Tolkien",
        ] {
            assert_eq!(links(text), Vec::<String>::new(), "{text}");
        }
    }
}
