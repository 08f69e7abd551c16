//! Lists of addresses, hosts and subjects, as the settings have them.

use std::net::IpAddr;

use rustc_hash::FxHashSet;

use super::{Function, text, truth};
use crate::{
    relays::{Relay, Zone},
    render::is_fqdn,
    rules::{Subject, language::Argument},
};

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("check_forged_in_default_welcomelist", check_forged_in_default_welcomelist),
    ("check_forged_in_default_whitelist", check_forged_in_default_welcomelist),
    ("check_forged_in_welcomelist", check_forged_in_welcomelist),
    ("check_forged_in_whitelist", check_forged_in_welcomelist),
    ("check_from_in_blacklist", check_from_in_blocklist),
    ("check_from_in_blocklist", check_from_in_blocklist),
    ("check_from_in_default_welcomelist", check_from_in_default_welcomelist),
    ("check_from_in_default_whitelist", check_from_in_default_welcomelist),
    ("check_from_in_list", check_from_in_list),
    ("check_from_in_welcomelist", check_from_in_welcomelist),
    ("check_from_in_whitelist", check_from_in_welcomelist),
    ("check_replyto_in_list", check_replyto_in_list),
    ("check_subject_in_blacklist", check_subject_in_blocklist),
    ("check_subject_in_blocklist", check_subject_in_blocklist),
    ("check_subject_in_welcomelist", check_subject_in_welcomelist),
    ("check_subject_in_whitelist", check_subject_in_welcomelist),
    ("check_to_in_all_spam", check_to_in_all_spam),
    ("check_to_in_blacklist", check_to_in_blocklist),
    ("check_to_in_blocklist", check_to_in_blocklist),
    ("check_to_in_list", check_to_in_list),
    ("check_to_in_more_spam", check_to_in_more_spam),
    ("check_to_in_welcomelist", check_to_in_welcomelist),
    ("check_to_in_whitelist", check_to_in_welcomelist),
    ("check_uri_host_in_blacklist", check_uri_host_in_blocklist),
    ("check_uri_host_in_blocklist", check_uri_host_in_blocklist),
    ("check_uri_host_in_welcomelist", check_uri_host_in_welcomelist),
    ("check_uri_host_in_whitelist", check_uri_host_in_welcomelist),
    ("check_uri_host_listed", check_uri_host_listed),
    ("check_welcomelist_bounce_relays", check_welcomelist_bounce_relays),
    ("check_whitelist_bounce_relays", check_welcomelist_bounce_relays),
    ("have_any_bounce_relays", have_any_bounce_relays),
];

impl Subject<'_, '_> {
    /// Everybody whom the message calls its sender, in lower case.
    pub(super) fn senders(&self) -> &[String] {
        self.facts.senders.get_or_init(|| {
            let mut found = self.addresses("Resent-From:first:addr");
            if found.is_empty() {
                let headers = ["From", "Envelope-Sender", "Resent-Sender", "X-Envelope-From", "EnvelopeFrom"];
                let all = headers.iter().flat_map(|header| self.addresses(&format!("{header}:addr")));
                found = all.map(|address| without_double_dots(&address)).collect();
            }
            distinct(found)
        })
    }

    /// Everybody whom it is for, in lower case.
    fn recipients(&self) -> &[String] {
        self.facts.recipients.get_or_init(|| {
            let resent = ["Resent-To", "Resent-Cc"];
            let mut found: Vec<String> =
                resent.iter().flat_map(|header| self.addresses(&format!("{header}:first:addr"))).collect();
            if found.is_empty() {
                const HEADERS: [&str; 12] = [
                    "To",
                    "Apparently-To",
                    "Delivered-To",
                    "Envelope-Recipients",
                    "Apparently-Resent-To",
                    "X-Envelope-To",
                    "Envelope-To",
                    "X-Delivered-To",
                    "X-Original-To",
                    "X-Rcpt-To",
                    "X-Real-To",
                    "Cc",
                ];
                let arena = self.message.arena();
                let received = self.message.headers("Received").take(3);
                found = received.filter_map(|header| recipient_of(header.value(arena))).collect();
                found.extend(HEADERS.iter().flat_map(|header| self.addresses(&format!("{header}:addr"))));
            }
            distinct(found)
        })
    }

    fn sender_in(&self, list: &str) -> u32 {
        truth(self.senders().iter().any(|address| self.rules.settings.lists.has_address(list, address)))
    }

    fn recipient_in(&self, list: &str) -> u32 {
        let lists = &self.rules.settings.lists;
        // most have no list: don't gather the addresses
        if lists.addresses(list).is_none_or(|globs| globs.is_empty()) {
            return 0;
        }
        truth(self.recipients().iter().any(|address| lists.has_address(list, address)))
    }

    fn host_in(&self, list: &str) -> u32 {
        let mut seen = FxHashSet::default();
        let is_mail = |uri: &str| uri.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("mailto:"));
        let uris = self.rendered.uris.iter().filter(|uri| !is_mail(uri.raw));
        let mut hosts = uris.flat_map(|uri| &uri.hosts).filter(|(host, _)| seen.insert(*host));
        truth(hosts.any(|(host, _)| self.rules.settings.lists.has_host(list, host)))
    }

    fn subject_in(&self, list: &str) -> u32 {
        let subject = self.get("Subject").to_ascii_lowercase();
        let subject = subject.strip_suffix(b"\n").unwrap_or(&subject);
        let has = || self.rules.settings.lists.has_subject(list, &String::from_utf8_lossy(subject));
        truth(!subject.is_empty() && has())
    }
}

fn without_double_dots(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    for char in address.chars() {
        if char != '.' || !out.ends_with('.') {
            out.push(char);
        }
    }
    out
}

fn distinct(found: Vec<String>) -> Vec<String> {
    let mut seen = FxHashSet::default();
    let lower = found.into_iter().map(|address| address.to_ascii_lowercase());
    lower.filter(|address| seen.insert(address.clone())).collect()
}

/// The address in ` for <address>;` of a Received header.
fn recipient_of(received: &str) -> Option<String> {
    received.match_indices(" for ").find_map(|(at, sign)| {
        let rest = received.get(at + sign.len()..)?;
        let run = rest.split(char::is_whitespace).next()?;
        let run = run.strip_prefix('<').unwrap_or(run);
        run.rmatch_indices('@').find_map(|(at, _)| {
            let (user, host) = (run.get(..at)?, run.get(at + 1..)?);
            let end = host.match_indices(';').map(|(end, _)| end).find(|&end| end > 0)?;
            let host = host.get(..end)?;
            let host = host.strip_suffix('>').filter(|host| !host.is_empty()).unwrap_or(host);
            let is_address = !user.is_empty() && is_fqdn(&host.to_ascii_lowercase());
            is_address.then(|| format!("{user}@{host}"))
        })
    })
}

fn check_from_in_blocklist(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    subject.sender_in("blocklist_from")
}

fn check_from_in_welcomelist(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    truth(standing(subject, false) == Standing::Listed)
}

fn check_from_in_default_welcomelist(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    truth(standing(subject, true) == Standing::Listed)
}

/// A sender is in the list and the mail comes from elsewhere; the default list doesn't know it at all.
fn check_forged_in_welcomelist(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let is_forged = standing(subject, false) == Standing::Forged;
    truth(is_forged && standing(subject, true) == Standing::Unknown)
}

/// The same the other way round.
fn check_forged_in_default_welcomelist(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let is_forged = standing(subject, true) == Standing::Forged;
    truth(is_forged && standing(subject, false) == Standing::Unknown)
}

/// What a list of senders and their relays says of the message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Unknown,
    Listed,
    /// A sender is in it, and the relay is not the sender's.
    Forged,
}

fn standing(subject: &Subject<'_, '_>, default: bool) -> Standing {
    let lists = &subject.rules.settings.lists;
    let list = if default { "def_welcomelist_from_rcvd" } else { "welcomelist_from_rcvd" };
    if !default && subject.sender_in("welcomelist_from") > 0 {
        return Standing::Listed;
    }
    let entries = lists.relayed(list);
    let relays = if entries.is_empty() { Vec::new() } else { relays(subject) };
    if relays.is_empty() {
        return Standing::Unknown;
    }
    let mut standing = Standing::Unknown;
    for address in subject.senders() {
        let about = || entries.iter().filter(|entry| entry.covers(address));
        if about().any(|entry| relays.iter().any(|(ip, name)| entry.has_relay(*ip, name))) {
            return Standing::Listed;
        }
        if about().next().is_some() && !lists.has_address("welcomelist_allows_relays", address) {
            standing = Standing::Forged;
        }
    }
    standing
}

/// Address and lower-case name of the last relay before ours; of all of ours where there is none.
fn relays(subject: &Subject<'_, '_>) -> Vec<(Option<IpAddr>, String)> {
    let facts = |relay: &Relay| (relay.ip.parse().ok(), relay.rdns.to_ascii_lowercase());
    let relays = subject.values.relays();
    match relays.zone(Zone::Untrusted).next() {
        Some(relay) => vec![facts(relay)],
        None => relays.zone(Zone::Trusted).map(facts).collect(),
    }
}

/// A sender is in the list that the argument names.
fn check_from_in_list(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    text(arguments, 0).map_or(0, |list| subject.sender_in(list))
}

/// A recipient is in the list that the argument names.
fn check_to_in_list(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    text(arguments, 0).map_or(0, |list| subject.recipient_in(list))
}

/// Where replies go to is in the list that the argument names.
fn check_replyto_in_list(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let Some(list) = text(arguments, 0) else { return 0 };
    let address = subject.get("Reply-To:addr").to_ascii_lowercase();
    let address = String::from_utf8_lossy(&address);
    truth(!address.is_empty() && subject.rules.settings.lists.has_address(list, &address))
}

fn check_to_in_blocklist(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    subject.recipient_in("blocklist_to")
}

fn check_to_in_welcomelist(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    subject.recipient_in("welcomelist_to")
}

fn check_to_in_more_spam(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    subject.recipient_in("more_spam_to")
}

fn check_to_in_all_spam(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    subject.recipient_in("all_spam_to")
}

/// A link leads to a host in the list that the argument names.
fn check_uri_host_listed(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    text(arguments, 0).map_or(0, |list| subject.host_in(list))
}

fn check_uri_host_in_blocklist(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    subject.host_in("BLOCK")
}

fn check_uri_host_in_welcomelist(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    subject.host_in("WELCOME")
}

fn check_subject_in_blocklist(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    subject.subject_in("blocklist_subject")
}

fn check_subject_in_welcomelist(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    subject.subject_in("welcomelist_subject")
}

const BOUNCE_RELAYS: &str = "welcomelist_bounce_relays";

/// The settings name relays of our own, through which mail that bounces to us must have gone.
fn have_any_bounce_relays(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let relays = subject.rules.settings.lists.addresses(BOUNCE_RELAYS);
    truth(relays.is_some_and(|relays| !relays.is_empty()))
}

/// A Received header quoted in the body names a relay of our own.
fn check_welcomelist_bounce_relays(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    if have_any_bounce_relays(subject, arguments) == 0 {
        return 0;
    }
    let is_ours = |word: &[u8]| {
        let word = String::from_utf8_lossy(word).to_ascii_lowercase();
        subject.rules.settings.lists.has_address(BOUNCE_RELAYS, &word)
    };
    let in_text =
        subject.body().iter().any(|unit| is_received(unit) && names(unit, |byte| *byte == b' ').any(is_ours));
    if in_text {
        return 1;
    }
    let body = subject.message.raw.get(subject.message.body_offset..).unwrap_or_default();
    // folded headers of the source
    let mut header: Vec<u8> = Vec::new();
    let mut found = false;
    for line in body.split(|&byte| byte == b'\n') {
        found |= is_received(line);
        if !found {
            continue;
        }
        if !line.first().is_some_and(u8::is_ascii_whitespace) {
            header.clear();
        }
        // no relay is named that far into a header
        if header.len() < 1 << 16 {
            header.extend_from_slice(line);
        }
        if is_received(&header) && names(&header, u8::is_ascii_whitespace).any(is_ours) {
            return 1;
        }
    }
    0
}

/// `Received:`, quoted or not.
fn is_received(line: &[u8]) -> bool {
    let start = line.iter().position(|byte| !matches!(byte, b'>' | b' ')).unwrap_or(line.len());
    line.get(start..start + 9).is_some_and(|name| name.eq_ignore_ascii_case(b"Received:"))
}

/// Words between blanks with a dot inside of them.
fn names(line: &[u8], is_blank: impl Fn(&u8) -> bool) -> impl Iterator<Item = &[u8]> {
    let words = line.split(is_blank);
    words.filter(|word| word.iter().skip(1).rev().skip(1).any(|&byte| byte == b'.'))
}

#[cfg(test)]
mod tests {
    use super::recipient_of;

    #[test]
    fn received_headers_name_a_recipient() {
        let found = |text| recipient_of(text);
        assert_eq!(found("by a for <x@y.example>; Mon").as_deref(), Some("x@y.example"));
        assert_eq!(found("by a for x@y.example; Mon").as_deref(), Some("x@y.example"));
        assert_eq!(found("by a for <x@localhost>; Mon"), None);
        assert_eq!(found("by a for <x@y.example> Mon"), None);
    }
}
