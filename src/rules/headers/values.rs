//! The value of a lookup in one message, as the subject of patterns.

use std::net::{IpAddr, Ipv4Addr};

use super::lookup::{Lookup, Piece, Pseudo, Source, Which};
use crate::{
    mime::{self, Address, Arena, Header, Message},
    wire::request::Envelope,
};

/// `ALL` is cut here.
const MAX_ALL: usize = 65536;

/// Answers lookups for one message.
#[derive(Clone, Copy)]
pub struct Values<'a, 'm> {
    message: &'a Message<'m>,
    envelope: &'a Envelope,
}

impl<'a, 'm> Values<'a, 'm> {
    pub fn new(message: &'a Message<'m>, envelope: &'a Envelope) -> Values<'a, 'm> {
        Values { message, envelope }
    }

    /// The headers that rules may see: what earlier spam filters put in is gone.
    pub fn physical(&self) -> impl DoubleEndedIterator<Item = &'m Header<'m>> {
        self.message.all_headers().iter().filter(|header| !is_filters(header.name))
    }

    /// Writes the value to `out`, which is empty; false where the header is not there.
    pub fn look_up(&self, lookup: &Lookup, out: &mut Vec<u8>) -> bool {
        match lookup.piece {
            Piece::Whole => self.whole(lookup, lookup.raw, out),
            Piece::Address => self.addresses(lookup, out, |address, _| address.address),
            Piece::Name if lookup.raw => self.addresses(lookup, out, |address, _| address.phrase),
            Piece::Name => {
                self.addresses(lookup, out, |address, arena| address.name(arena).map(str::as_bytes))
            }
            piece => {
                let mut value = Vec::new();
                let found = match lookup.of_address {
                    true => self.addresses(lookup, &mut value, |address, _| address.address),
                    false => self.whole(lookup, lookup.raw, &mut value),
                };
                found && part(piece, lookup.of_address, &value, out)
            }
        }
    }

    /// The values of all headers that are meant, each with its LF.
    fn whole(&self, lookup: &Lookup, raw: bool, out: &mut Vec<u8>) -> bool {
        match lookup.source() {
            Source::Physical(name) => self.named(name, lookup.which, raw, out),
            Source::Pseudo(Pseudo::All) if raw => {
                out.extend(self.message.raw_headers().iter().take(MAX_ALL));
                true
            }
            Source::Pseudo(Pseudo::All) => {
                for header in self.physical() {
                    out.extend_from_slice(header.name);
                    out.extend_from_slice(b": ");
                    out.extend_from_slice(header.value(self.message.arena()).as_bytes());
                    out.push(b'\n');
                    if out.len() > MAX_ALL {
                        out.truncate(MAX_ALL);
                        break;
                    }
                }
                true
            }
            Source::Pseudo(Pseudo::ToCc) => {
                let to = self.named("to", lookup.which, raw, out);
                self.named("cc", lookup.which, raw, out) || to
            }
            Source::Pseudo(Pseudo::MessageId) => {
                let mut found = false;
                for name in ["x-message-id", "resent-message-id", "x-original-message-id", "message-id"] {
                    let before = out.len();
                    self.named(name, lookup.which, raw, out);
                    match out.get(before..).is_some_and(|value| !value.trim_ascii().is_empty()) {
                        true => found = true,
                        false => out.truncate(before),
                    }
                }
                found
            }
            Source::Pseudo(Pseudo::EnvelopeFrom) => self.envelope_from(out),
            Source::Pseudo(Pseudo::Unknown) => false,
        }
    }

    /// The headers of that name that are meant.
    fn chosen(&self, name: &str, which: Which) -> impl Iterator<Item = &'m Header<'m>> {
        let mut matching = self.physical().filter(move |header| header.is(name));
        let (all, one) = match which {
            Which::All => (Some(matching), None),
            Which::First => (None, matching.next()),
            Which::Last => (None, matching.next_back()),
        };
        all.into_iter().flatten().chain(one)
    }

    fn named(&self, name: &str, which: Which, raw: bool, out: &mut Vec<u8>) -> bool {
        let mut found = false;
        for header in self.chosen(name, which) {
            found = true;
            match raw {
                true => {
                    if !out.is_empty() && out.last() != Some(&b'\n') {
                        out.push(b'\n');
                    }
                    out.extend_from_slice(header.raw);
                }
                false => {
                    out.extend_from_slice(header.value(self.message.arena()).as_bytes());
                    out.push(b'\n');
                }
            }
        }
        found
    }

    /// The sender of the envelope: what the front end says, else what the message says of it.
    fn envelope_from(&self, out: &mut Vec<u8>) -> bool {
        if let Some(from) = &self.envelope.mail_from {
            out.extend_from_slice(from.as_bytes());
            return true;
        }
        for name in ["x-envelope-from", "envelope-sender", "return-path"] {
            let mut received = false;
            for header in self.physical() {
                received |= header.is("received");
                if header.is(name) {
                    // one below a Received line was there before the last hop
                    if received {
                        break;
                    }
                    let found = mime::addresses(header.raw, self.message.arena());
                    out.extend_from_slice(found.first().and_then(|first| first.address).unwrap_or_default());
                    return true;
                }
            }
        }
        false
    }

    /// One result an address of each header that is meant, joined with LF.
    fn addresses(
        &self,
        lookup: &Lookup,
        out: &mut Vec<u8>,
        piece: impl Fn(&Address<'m>, &'m Arena) -> Option<&'m [u8]>,
    ) -> bool {
        let arena = self.message.arena();
        let names: &[&str] = match lookup.source() {
            Source::Pseudo(Pseudo::EnvelopeFrom) => return self.envelope_from(out),
            Source::Pseudo(Pseudo::ToCc) => &["to", "cc"],
            Source::Physical(name) => &[name.as_str()],
            Source::Pseudo(_) => return false,
        };
        let mut found = false;
        for name in names {
            for header in self.chosen(name, lookup.which) {
                for value in
                    mime::addresses(header.raw, arena).iter().filter_map(|address| piece(address, arena))
                {
                    if found {
                        out.push(b'\n');
                    }
                    out.extend_from_slice(value);
                    found = true;
                }
            }
        }
        found
    }
}

/// Headers of spam filters before us: senders could forge them to their liking.
fn is_filters(name: &[u8]) -> bool {
    name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"X-Spam-"))
}

/// The host, its registrable domain, or the address in numbers.
fn part(piece: Piece, of_address: bool, value: &[u8], out: &mut Vec<u8>) -> bool {
    let text = String::from_utf8_lossy(value);
    match piece {
        Piece::Host | Piece::Domain => {
            let Some(host) = host(&text, of_address) else { return false };
            let host = match piece {
                Piece::Domain => match psl::domain_str(&host) {
                    Some(domain) => domain.to_owned(),
                    None => return false,
                },
                _ => host,
            };
            out.extend_from_slice(host.as_bytes());
            true
        }
        _ => {
            let Some(ip) = ip(&text) else { return false };
            let text = match (piece, ip) {
                (Piece::ReversedIp, IpAddr::V4(ip)) => {
                    let [a, b, c, d] = ip.octets();
                    Ipv4Addr::new(d, c, b, a).to_string()
                }
                (Piece::ReversedIp, IpAddr::V6(ip)) => {
                    let digits = ip.octets().map(|byte| format!("{byte:02x}")).concat();
                    let digits: Vec<String> = digits.chars().rev().map(String::from).collect();
                    digits.join(".")
                }
                (_, ip) => ip.to_string(),
            };
            out.extend_from_slice(text.as_bytes());
            true
        }
    }
}

/// The host behind an `@`, else any name under a known top-level domain.
fn host(text: &str, of_address: bool) -> Option<String> {
    let is_host = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.');
    if of_address {
        let line = text.lines().next()?;
        return line.rsplit_once('@').map(|(_, host)| host.trim().to_ascii_lowercase());
    }
    let valid = |word: &str| {
        let word = word.trim_matches('.').to_ascii_lowercase();
        (word.contains('.') && psl::suffix(word.as_bytes()).is_some_and(|suffix| suffix.is_known()))
            .then_some(word)
    };
    let behind_at = text.split('@').skip(1).filter_map(|rest| {
        let end = rest.find(|char| !is_host(char)).unwrap_or(rest.len());
        rest.get(..end)
    });
    let words = text.split(|char| !is_host(char));
    behind_at.chain(words).find_map(valid)
}

fn ip(text: &str) -> Option<IpAddr> {
    text.split(|char: char| !(char.is_ascii_hexdigit() || matches!(char, '.' | ':')))
        .map(|word| word.trim_matches(['.', ':']))
        .find_map(|word| word.parse().ok())
}
