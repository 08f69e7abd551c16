//! Parts of a value: host, registrable domain, or address in numbers.

use std::net::{IpAddr, Ipv4Addr};

use super::lookup::Piece;
use crate::{
    relays::{find_ip, without_tag},
    render::{Boundaries, is_fqdn},
};

/// The part of a mail address.
pub fn of_address(piece: Piece, address: &str, boundaries: &Boundaries) -> Option<String> {
    if matches!(piece, Piece::Ip | Piece::ReversedIp) {
        return of_text(piece, address, boundaries);
    }
    let (_, host) = address.rsplit_once('@')?;
    let host = host.split(is_blank).next().filter(|host| !host.is_empty())?;
    Some(named(piece, host, boundaries))
}

/// The part of any text: the host behind the last `@` that one follows, else the first host.
pub fn of_text(piece: Piece, text: &str, boundaries: &Boundaries) -> Option<String> {
    match piece {
        Piece::Ip | Piece::ReversedIp => {
            let ip = std::str::from_utf8(find_ip(text.as_bytes())?).ok()?;
            Some(if piece == Piece::Ip { ip.to_owned() } else { reversed(without_tag(ip).parse().ok()?) })
        }
        _ => {
            let is_valid = |host: &&str| is_fqdn(&host.to_ascii_lowercase());
            let behind = text.rmatch_indices('@').find_map(|(at, _)| host(&text[at + 1..], boundaries));
            let host = behind.filter(is_valid).or_else(|| {
                let words = text.split(is_blank);
                words.flat_map(|word| hosts(word, boundaries)).find(is_valid)
            });
            host.map(|host| named(piece, host, boundaries))
        }
    }
}

fn named(piece: Piece, host: &str, boundaries: &Boundaries) -> String {
    match piece {
        Piece::Domain => {
            let host = host.to_ascii_lowercase();
            boundaries.registrable(host.trim_matches('.')).to_owned()
        }
        _ => host.to_owned(),
    }
}

/// Everything in one word that could be a host.
fn hosts<'w>(word: &'w str, boundaries: &Boundaries) -> impl Iterator<Item = &'w str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let start = rest.find(|char: char| !matches!(char, '.' | '_' | '-'))?;
        let found = host(&rest[start..], boundaries)?;
        rest = &rest[start + found.len()..];
        Some(found)
    })
}

/// The longest text from the start that ends in a top-level domain, if it is no longer than a host can be.
fn host<'t>(text: &'t str, boundaries: &Boundaries) -> Option<&'t str> {
    const MOST: usize = 251;
    let word = text.split(is_blank).next().unwrap_or_default();
    word.rmatch_indices('.').filter(|(dot, _)| (1..=MOST).contains(dot)).find_map(|(dot, _)| {
        let rest = &word[dot + 1..];
        let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        let most = rest.bytes().take_while(|byte| is_label(byte)).count();
        let label = &rest[..most];
        let is_tld = !label.ends_with('-')
            && !rest[most..].starts_with(['.', '_'])
            && boundaries.is_tld(&label.to_ascii_lowercase());
        is_tld.then(|| &word[..dot + 1 + most])
    })
}

/// As DNS block lists want it.
fn reversed(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            Ipv4Addr::new(d, c, b, a).to_string()
        }
        IpAddr::V6(ip) => {
            let digits = ip.octets().map(|byte| format!("{byte:02x}")).concat();
            let digits: Vec<String> = digits.chars().rev().map(String::from).collect();
            digits.join(".")
        }
    }
}

fn is_blank(char: char) -> bool {
    matches!(char, ' ' | '\t'..='\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_in_words() {
        let host = |text| of_text(Piece::Host, text, &Boundaries::default());
        assert_eq!(host("<abc@Mail.example.com>").as_deref(), Some("Mail.example.com"));
        assert_eq!(host("from a.b.org by c.net").as_deref(), Some("a.b.org"));
        // what belongs to the word makes it no host
        assert_eq!(host("(rdns=a.b.org").as_deref(), None);
        assert_eq!(host("x@localhost").as_deref(), None);
    }

    #[test]
    fn addresses_have_any_host() {
        assert_eq!(
            of_address(Piece::Host, "a@localhost", &Boundaries::default()).as_deref(),
            Some("localhost")
        );
        assert_eq!(
            of_address(Piece::Domain, "a@localhost", &Boundaries::default()).as_deref(),
            Some("localhost")
        );
        assert_eq!(
            of_address(Piece::Domain, "a@news.BBC.co.uk", &Boundaries::default()).as_deref(),
            Some("bbc.co.uk")
        );
    }

    #[test]
    fn numbers_are_reversed() {
        assert_eq!(
            of_text(Piece::ReversedIp, "[192.0.2.1]", &Boundaries::default()).as_deref(),
            Some("1.2.0.192")
        );
        assert_eq!(
            of_text(Piece::Ip, "by IPv6:2001:db8::1 x", &Boundaries::default()).as_deref(),
            Some("IPv6:2001:db8::1")
        );
    }
}
