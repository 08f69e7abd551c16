//! Host names: which are valid, and where the registrable domain starts.

use rustc_hash::FxHashSet;

/// Where registrable domains start.
#[derive(Clone, Debug, Default)]
pub enum Boundaries {
    /// The public suffix list.
    #[default]
    PublicSuffixes,
    /// SpamAssassin's `util_rb_tld`, `util_rb_2tld` and `util_rb_3tld`.
    Listed { tlds: FxHashSet<String>, second_level: FxHashSet<String>, third_level: FxHashSet<String> },
}

impl Boundaries {
    /// Whether `label` (in lower case) is a top-level domain.
    pub fn is_tld(&self, label: &str) -> bool {
        match self {
            Boundaries::PublicSuffixes => {
                use psl::Psl;
                let known = psl::List.find(std::iter::once(label.as_bytes()));
                known.typ.is_some()
            }
            Boundaries::Listed { tlds, .. } => tlds.contains(label),
        }
    }

    /// Whether a host (in lower case) has a dot and ends in a top-level domain.
    pub fn has_tld(&self, host: &str) -> bool {
        !host.contains(char::is_whitespace)
            && host.rsplit_once('.').is_some_and(|(_, label)| self.is_tld(label))
    }

    /// The registrable domain of a valid host in lower case without a dot at its end.
    pub fn registrable<'h>(&self, host: &'h str) -> &'h str {
        match self {
            Boundaries::PublicSuffixes => psl::domain_str(host).unwrap_or(host),
            Boundaries::Listed { second_level, third_level, .. } => {
                let mut domain = host;
                // The labels from the right: the longest tail that is itself a boundary, and one more.
                let mut dots = host.match_indices('.').map(|(at, _)| at).collect::<Vec<_>>();
                dots.reverse();
                let tail = |count: usize| match dots.get(count - 1) {
                    Some(at) => host.get(at + 1..),
                    None => (dots.len() + 1 == count).then_some(host),
                };
                let is_boundary = |count: usize, tail: &str| match count {
                    4 => is_us_locality(tail),
                    3 if tail.ends_with(".us") => has_us_state(tail, 1),
                    3 => third_level.contains(tail),
                    2 => second_level.contains(tail),
                    _ => count == 1,
                };
                for count in (1..=4).rev() {
                    if tail(count).is_some_and(|text| is_boundary(count, text)) {
                        domain = tail(count + 1).unwrap_or(host);
                        break;
                    }
                }
                domain
            }
        }
    }
}

/// Whether the label at this place (from the left) is a state of the USA.
fn has_us_state(name: &str, place: usize) -> bool {
    const STATES: &str = " ak al ar az ca co ct dc de fl ga gu hi ia id il in ks ky la ma md me mi mn mo ms \
         mt nc nd ne nh nj nm nv ny oh ok or pa pr ri sc sd tn tx ut va vi vt wa wi wv wy ";
    name.split('.').nth(place).is_some_and(|label| label.len() == 2 && STATES.contains(&format!(" {label} ")))
}

/// `pvt.k12.STATE.us`, `ci.NAME.STATE.us`, `co.NAME.STATE.us` (RFC 1480).
fn is_us_locality(name: &str) -> bool {
    let is_locality = name.starts_with("pvt.k12.") || name.starts_with("ci.") || name.starts_with("co.");
    name.ends_with(".us") && is_locality && has_us_state(name, 2)
}

/// Whether a host in lower case is a name of two labels at least that DNS could hold.
pub fn is_fqdn(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let is_label = |(place, label): (usize, &[u8])| {
        // Underscores from the third level on.
        let may_have = |byte: u8| match byte {
            b'_' => place > 1,
            _ => byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-',
        };
        (1..=63).contains(&label.len())
            && label.iter().all(|&byte| may_have(byte))
            && !label.starts_with(b"-")
            && !label.ends_with(b"-")
    };
    host.len() <= 253
        && host.as_bytes().contains(&b'.')
        && host.as_bytes().rsplit(|&byte| byte == b'.').enumerate().all(is_label)
}

/// Whether a host is an IP address: four decimal numbers, or IPv6.
pub fn is_ip(host: &str) -> bool {
    if host.bytes().any(|byte| byte == b':') {
        let address = host.strip_prefix("ipv6:").unwrap_or(host);
        return address.parse::<std::net::Ipv6Addr>().is_ok();
    }
    host.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
        && host.parse::<std::net::Ipv4Addr>().is_ok()
}

/// The host of a link in lower case, and its registrable domain, if there is a valid one.
pub fn host_of<'u>(uri: &'u str, boundaries: &Boundaries) -> Option<(&'u str, &'u str)> {
    let host = bare_host(uri)?;
    if is_ip(host) {
        return Some((host, host));
    }
    if !is_fqdn(host) || !boundaries.has_tld(host) {
        return None;
    }
    Some((host, boundaries.registrable(host.trim_matches('.'))))
}

/// What stands for the host in a link in lower case.
fn bare_host(uri: &str) -> Option<&str> {
    if ["javascript:", "cid:", "file:"].iter().any(|scheme| uri.starts_with(scheme)) {
        return None;
    }
    let host = match uri.strip_prefix("mailto:") {
        Some(rest) => {
            let address = rest.split('?').next().unwrap_or("");
            let (_, host) = address.split_once('@')?;
            (!host.contains('@')).then_some(host)?
        }
        None => {
            let scheme = uri.bytes().take_while(u8::is_ascii_lowercase).count();
            let rest = uri.get(scheme..).filter(|_| scheme > 0).and_then(|rest| rest.strip_prefix(':'));
            let rest = match rest {
                Some(rest) => rest.strip_prefix("//").or_else(|| rest.strip_prefix('/')).unwrap_or(rest),
                None => uri,
            };
            let rest = rest.split(['/', '?', '#']).next().unwrap_or("");
            let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            let digits = rest.trim_end_matches(|c: char| c.is_ascii_digit());
            digits.strip_suffix(':').unwrap_or(rest)
        }
    };
    let bytes = host.as_bytes();
    let is_hidden = bytes.windows(3).any(|escape| match escape {
        [b'%', b'2', low] => matches!(low, b'1'..=b'9' | b'a'..=b'f'),
        [b'%', b'3'..=b'6', low] => low.is_ascii_hexdigit(),
        [b'%', b'7', low] => matches!(low, b'0'..=b'9' | b'a'..=b'e'),
        _ => false,
    });
    (!is_hidden).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed() -> Boundaries {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Boundaries::Listed {
            tlds: set(&["com", "uk", "us"]),
            second_level: set(&["co.uk", "blogspot.com"]),
            third_level: set(&["demon.co.uk"]),
        }
    }

    #[test]
    fn finds_registrable_domains() {
        for (host, expected) in [
            ("www.foo.com", "foo.com"),
            ("foo.com", "foo.com"),
            ("www.foo.co.uk", "foo.co.uk"),
            ("co.uk", "co.uk"),
            ("a.b.demon.co.uk", "b.demon.co.uk"),
            ("x.me.blogspot.com", "me.blogspot.com"),
            ("fire-dept.ci.los-angeles.ca.us", "fire-dept.ci.los-angeles.ca.us"),
            ("www.city.ca.us", "www.city.ca.us"),
            ("city.ca.us", "city.ca.us"),
            ("www.foo.us", "foo.us"),
        ] {
            assert_eq!(listed().registrable(host), expected, "{host}");
        }
        let psl = Boundaries::default();
        assert_eq!(psl.registrable("www.example.co.uk"), "example.co.uk");
        assert!(psl.is_tld("com") && psl.is_tld("museum") && !psl.is_tld("notatld"));
    }

    #[test]
    fn knows_valid_hosts() {
        for host in ["a.b", "a_b.example.com", "x-y.com.", "xn--a.com"] {
            assert!(is_fqdn(host), "{host}");
        }
        for host in ["com", "a..b", "-a.com", "a-.com", "a_b.com", "a.com_x", "", ".", "\u{e9}.com"] {
            assert!(!is_fqdn(host), "{host}");
        }
    }

    #[test]
    fn takes_the_host_out_of_links() {
        let psl = Boundaries::default();
        let host = |uri| host_of(uri, &psl);
        assert_eq!(host("http://user:pw@www.example.com:80/x@y"), Some(("www.example.com", "example.com")));
        assert_eq!(host("mailto:a@mail.example.com?cc=b@c.d"), Some(("mail.example.com", "example.com")));
        assert_eq!(host("mailto:a@b@example.com"), None);
        assert_eq!(host("http://127.0.0.1:8080/"), Some(("127.0.0.1", "127.0.0.1")));
        assert_eq!(host("http://www.ex%61mple.com/"), None);
        assert_eq!(host("javascript:void(0)"), None);
        assert_eq!(host("cid:image.png@example.com"), None);
        assert_eq!(host("http://localhost/"), None);
    }
}
