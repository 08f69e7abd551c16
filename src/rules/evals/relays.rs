//! About the hosts that the message came through.

use super::{Function, first_address, truth};
use crate::{
    relays::{Relay, Zone, is_private, is_v4},
    rules::{Subject, language::Argument},
};

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("check_all_trusted", check_all_trusted),
    ("check_for_forged_received_ip_helo", check_for_forged_received_ip_helo),
    ("check_for_forged_received_trail", check_for_forged_received_trail),
    ("check_for_no_rdns_dotcom_helo", check_for_no_rdns_dotcom_helo),
    ("check_for_numeric_helo", check_for_numeric_helo),
    ("check_for_sender_no_reverse", check_for_sender_no_reverse),
    ("check_mailfrom_matches_rcvd", check_mailfrom_matches_rcvd),
    ("check_no_relays", check_no_relays),
    ("check_relays_unparseable", check_relays_unparseable),
    ("helo_ip_mismatch", helo_ip_mismatch),
];

fn untrusted<'c>(subject: &'c Subject<'_, '_>) -> impl Iterator<Item = &'c Relay> {
    subject.values.relays().zone(Zone::Untrusted)
}

fn check_all_trusted(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let relays = subject.values.relays();
    truth(
        relays.unparseable == 0
            && untrusted(subject).next().is_none()
            && relays.zone(Zone::Trusted).next().is_some(),
    )
}

fn check_no_relays(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let relays = subject.values.relays();
    truth(
        relays.unparseable == 0
            && untrusted(subject).next().is_none()
            && relays.zone(Zone::Trusted).next().is_none(),
    )
}

fn check_relays_unparseable(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    truth(subject.values.relays().unparseable > 0)
}

/// The first HELO that is an address is a public one.
fn check_for_numeric_helo(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let first = untrusted(subject).find(|relay| is_v4(&relay.helo));
    truth(first.is_some_and(|relay| !is_private(&relay.helo)))
}

/// The oldest relay has a name of several labels and a public address.
fn check_for_sender_no_reverse(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let oldest = untrusted(subject).last();
    truth(oldest.is_some_and(|relay| relay.rdns.contains('.') && !relay.private))
}

/// HELO is the address of another network of 256.
fn helo_ip_mismatch(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let is_public = |ip: &str| is_v4(ip) && !is_private(ip);
    truth(untrusted(subject).any(|relay| {
        let network = relay.helo.rsplit_once('.').map(|(network, _)| network);
        is_public(&relay.helo)
            && is_public(&relay.ip)
            && network != relay.ip.rsplit_once('.').map(|(network, _)| network)
    }))
}

/// The name of a large provider as HELO and no reverse DNS. The oldest relay with a public address decides.
fn check_for_no_rdns_dotcom_helo(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    const PROVIDERS: [&str; 11] = [
        "lycos.com",
        "lycos.co.uk",
        "hotmail.com",
        "localhost.com",
        "excite.com",
        "caramail.com",
        "cs.com",
        "aol.com",
        "msn.com",
        "yahoo.com",
        "drizzle.com",
    ];
    let oldest = untrusted(subject).filter(|relay| !relay.private).last();
    truth(oldest.is_some_and(|relay| {
        let helo = relay.helo.to_ascii_lowercase();
        let is_providers = |name: &str| {
            helo.strip_suffix(name).is_some_and(|front| front.is_empty() || front.ends_with('.'))
        };
        relay.no_rdns && PROVIDERS.iter().any(|name| is_providers(name))
    }))
}

/// More than one relay was received by a host of another domain than the one that handed it on.
fn check_for_forged_received_trail(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let mut mismatches = 0;
    let mut from: Option<String> = None;
    for (index, relay) in untrusted(subject).enumerate() {
        let by = domain(&relay.by);
        let named = is_host(&by);
        if let Some(from) = from.filter(|from| named && index > 0 && is_host(from)) {
            let is_msn = by == "msn.com" && from == "hotmail.com";
            mismatches += usize::from(by != from && !is_msn);
        }
        let rdns = domain(&relay.rdns);
        let is_local =
            named && relay.ip == "127.0.0.1" && matches!(&*rdns, "localhost" | "localhost.localdomain");
        from = (!is_local).then_some(rdns);
    }
    truth(mismatches > 1)
}

/// HELO is the public address of quite another network.
fn check_for_forged_received_ip_helo(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let network = |ip: &str| ip.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    truth(untrusted(subject).any(|relay| {
        is_host(&domain(&relay.by))
            && is_v4(&relay.helo)
            && is_v4(&relay.ip)
            && !is_private(&relay.helo)
            && network(&relay.helo) != network(&relay.ip)
    }))
}

/// The sender's domain is that of the relay at the border of trust; where all are trusted, of any.
fn check_mailfrom_matches_rcvd(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let from = String::from_utf8_lossy(&first_address(subject, "EnvelopeFrom")).to_ascii_lowercase();
    let Some((_, host)) = from.rsplit_once('@').filter(|(_, host)| host.contains('.')) else { return 0 };
    let boundaries = &subject.rules.settings.links.boundaries;
    let same = |relay: &Relay| {
        let rdns = relay.rdns.to_ascii_lowercase();
        !rdns.is_empty() && boundaries.registrable(&rdns) == boundaries.registrable(host)
    };
    let relays = subject.values.relays();
    truth(match relays.zone(Zone::Untrusted).next() {
        Some(relay) => same(relay),
        None => relays.zone(Zone::Trusted).any(same),
    })
}

/// The last two labels, or three below a short top-level domain. SpamAssassin's own guess, in lower case.
fn domain(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    if !host.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        return host;
    }
    let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
    let last = labels.last().copied().unwrap_or_default();
    let long = last.len() >= 3 || ["ie", "fr", "de"].iter().any(|known| last.contains(known));
    let keep = match labels.len() {
        2.. if long => 2,
        3.. => 3,
        _ => return host,
    };
    labels[labels.len() - keep..].join(".")
}

/// Whether it looks like a name of several labels.
fn is_host(name: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let bytes = name.as_bytes();
    let Some(dot) = bytes.iter().rposition(|&byte| byte == b'.') else { return false };
    let (front, last) = (&bytes[..dot], &bytes[dot + 1..]);
    let inner = |&byte: &u8| is_word(byte) || matches!(byte, b'.' | b'-');
    // a letter, something between, and the last label
    front.len() >= 2
        && is_word(front[0])
        && front.iter().all(inner)
        && !last.is_empty()
        && last.iter().all(|&byte| is_word(byte))
}
