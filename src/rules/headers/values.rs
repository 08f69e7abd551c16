//! The value of a lookup in one message, as the subject of patterns.

use std::{
    cell::OnceCell,
    net::{IpAddr, Ipv4Addr},
};

use super::lookup::{Lookup, Piece, Pseudo, Source, Which};
use crate::{
    mime::{self, Address, Arena, Header, Message},
    relays::{Relays, Trust, Zone},
    wire::request::Envelope,
};

/// `ALL` is cut here.
const MAX_ALL: usize = 65536;

/// Answers lookups for one message.
#[derive(Debug)]
pub struct Values<'a, 'm> {
    message: &'a Message<'m>,
    envelope: &'a Envelope,
    trust: &'a Trust,
    relays: OnceCell<Relays>,
}

impl<'a, 'm> Values<'a, 'm> {
    pub fn new(message: &'a Message<'m>, envelope: &'a Envelope, trust: &'a Trust) -> Values<'a, 'm> {
        Values { message, envelope, trust, relays: OnceCell::new() }
    }

    /// The hosts that the message came through; read when first asked for.
    pub fn relays(&self) -> &Relays {
        self.relays.get_or_init(|| Relays::of(self.message, self.trust))
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
                match lookup.of_address {
                    true => self.addresses(lookup, &mut value, |address, _| address.address),
                    false => self.whole(lookup, lookup.raw, &mut value),
                };
                let mut found = false;
                for line in value.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
                    found |= part(piece, lookup.of_address, line, found, out);
                }
                found
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
                self.physical().for_each(|header| self.line(header, out));
                out.truncate(MAX_ALL);
                true
            }
            Source::Pseudo(Pseudo::AllOf(zone)) => self.all_of(*zone, raw, out),
            Source::Pseudo(Pseudo::Relays(zone)) => {
                self.relays().write(*zone, out);
                true
            }
            Source::Pseudo(Pseudo::SenderDomain) => {
                self.domain("x-senderdomain", "EnvelopeFrom:first", raw, out)
            }
            Source::Pseudo(Pseudo::AuthorDomain) => self.domain("x-authordomain", "From", raw, out),
            Source::Pseudo(Pseudo::ToCc) => {
                ["to", "cc"].iter().filter(|name| self.named(name, lookup.which, raw, out)).count() > 0
            }
            Source::Pseudo(Pseudo::MessageId) => {
                let names = ["x-message-id", "resent-message-id", "x-original-message-id", "message-id"];
                names.iter().filter(|name| self.named(name, lookup.which, raw, out)).count() > 0
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

    fn line(&self, header: &Header<'m>, out: &mut Vec<u8>) {
        if out.len() <= MAX_ALL {
            out.extend_from_slice(header.name);
            out.extend_from_slice(b": ");
            out.extend_from_slice(header.value(self.message.arena()).as_bytes());
            out.push(b'\n');
        }
    }

    /// The headers above and with the Received line that the last trusted or internal host wrote, or
    /// those from it on.
    fn all_of(&self, zone: Zone, raw: bool, out: &mut Vec<u8>) -> bool {
        let border = self.relays().lines_within(zone);
        let from_border = matches!(zone, Zone::Untrusted | Zone::External);
        let mut received = 0;
        for header in self.message.all_headers() {
            let is_received = header.is("received");
            received += usize::from(is_received);
            let belongs = match from_border {
                true => received > border,
                false => received <= border || (is_received && received == border + 1),
            };
            if belongs && raw {
                out.extend_from_slice(header.name);
                out.push(b':');
                out.extend_from_slice(header.raw);
            } else if belongs && !is_filters(header.name) {
                self.line(header, out);
            }
        }
        out.truncate(MAX_ALL);
        !out.is_empty()
    }

    /// What SpamAssassin keeps of the domains of senders: a header of the message with that name hides it.
    fn domain(&self, header: &str, addresses: &str, raw: bool, out: &mut Vec<u8>) -> bool {
        if self.named(header, Which::All, raw, out) {
            return true;
        }
        let mut found = Vec::new();
        if let Ok(lookup) = Lookup::parse(&format!("{addresses}:addr:host")) {
            self.look_up(&lookup, &mut found);
        }
        let mut seen: Vec<&[u8]> = Vec::new();
        for domain in found.split(|&byte| byte == b'\n').filter(|domain| !domain.is_empty()) {
            if !seen.contains(&domain) {
                seen.push(domain);
            }
        }
        out.extend_from_slice(&seen.join(&b' '));
        !seen.is_empty()
    }

    /// The sender of the envelope: what the front end says, else what the message says of it.
    fn envelope_from(&self, out: &mut Vec<u8>) -> bool {
        let usable = |from: &[u8]| from.is_empty() || from.iter().skip(1).any(|&byte| byte == b'@');
        if let Some(from) = &self.envelope.mail_from {
            out.extend_from_slice(from.as_bytes());
            return true;
        }
        if let Some(header) = &self.trust.envelope_sender {
            let from = self.first_address(header).filter(|from| usable(from));
            out.extend_from_slice(from.unwrap_or_default());
            return from.is_some();
        }
        let handover = self.relays().handover();
        if let Some(from) = handover.and_then(|relay| relay.envelope_from.as_deref())
            && usable(from.as_bytes())
        {
            out.extend_from_slice(from.as_bytes());
            return true;
        }
        // fetchmail takes X-Sender of mailing lists for the sender of the envelope
        let arena = self.message.arena();
        let is_fetchmails =
            |header: &Header<'m>| header.is("received") && header.value(arena).contains("(fetchmail");
        if self.first_address("x-sender").is_some_and(|from| from.contains(&b'@'))
            && self.physical().any(is_fetchmails)
        {
            return false;
        }
        for name in ["x-envelope-from", "envelope-sender", "return-path"] {
            let Some(from) = self.first_address(name) else { continue };
            // one below a Received line was there before the last hop
            let last = self.physical().rev().take_while(|header| !header.is(name)).count();
            let count = self.physical().count();
            if self.physical().take(count - last).any(|header| header.is("received")) {
                if name == "x-envelope-from" {
                    return false;
                }
                continue;
            }
            out.extend_from_slice(from);
            return true;
        }
        false
    }

    /// The first address in the first header of that name.
    fn first_address(&self, name: &str) -> Option<&'m [u8]> {
        let header = self.chosen(name, Which::First).next()?;
        mime::addresses(header.raw, self.message.arena()).iter().find_map(|address| address.address)
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
            Source::Pseudo(Pseudo::EnvelopeFrom) => {
                let mut from = Vec::new();
                self.envelope_from(&mut from);
                let from = arena.alloc_slice_copy(&from);
                let first = mime::addresses(from, arena).iter().find_map(|address| piece(address, arena));
                out.extend_from_slice(first.unwrap_or_default());
                return first.is_some();
            }
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

/// The host, its registrable domain, or the address in numbers; on a line of its own behind others.
fn part(piece: Piece, of_address: bool, value: &[u8], behind: bool, out: &mut Vec<u8>) -> bool {
    let text = String::from_utf8_lossy(value);
    let mut write = |text: &str| {
        if behind {
            out.push(b'\n');
        }
        out.extend_from_slice(text.as_bytes());
    };
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
            write(&host);
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
            write(&text);
            true
        }
    }
}

/// The host behind an `@`, else any name under a known top-level domain.
fn host(text: &str, of_address: bool) -> Option<String> {
    let is_host = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.');
    if of_address {
        let line = text.lines().next()?;
        return line.rsplit_once('@').map(|(_, host)| host.trim().to_owned());
    }
    let valid = |word: &str| {
        let word = word.trim_matches('.').to_ascii_lowercase();
        (word.contains('.') && psl::suffix(word.as_bytes()).is_some_and(|suffix| suffix.is_known()))
            .then_some(word)
    };
    let behind_at = text.rsplit_once('@').into_iter().filter_map(|(_, rest)| {
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
