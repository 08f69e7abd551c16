//! The value of a lookup in one message, as the subject of patterns.

use std::cell::{OnceCell, RefCell};

use rustc_hash::FxHashMap;

use super::{
    lookup::{Lookup, Piece, Pseudo, Source, Which},
    parts,
};
use crate::{
    mime::{self, Address, Header, Message, Name},
    relays::{Relay, Relays, Trust, Zone},
    render::Boundaries,
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
    boundaries: &'a Boundaries,
    relays: OnceCell<Relays>,
    physical: Vec<&'m Header<'m>>,
    /// The addresses of what was read already, by where it stands: several rules ask for each.
    read: RefCell<FxHashMap<(*const u8, usize), &'m [Address<'m>]>>,
}

impl<'a, 'm> Values<'a, 'm> {
    pub fn new(
        message: &'a Message<'m>,
        envelope: &'a Envelope,
        trust: &'a Trust,
        boundaries: &'a Boundaries,
    ) -> Values<'a, 'm> {
        let physical = message.all_headers().iter().filter(|header| !is_filters(header.name)).collect();
        let (relays, read) = (OnceCell::new(), RefCell::default());
        Values { message, envelope, trust, boundaries, relays, physical, read }
    }

    /// The hosts that the message came through; read when first asked for.
    pub fn relays(&self) -> &Relays {
        self.relays.get_or_init(|| {
            let Envelope { client_ip, client_name, helo, user, .. } = self.envelope;
            let client = client_ip.map(|ip| Relay::client(ip, client_name, helo, user.is_some()));
            Relays::of(self.message, client, self.trust)
        })
    }

    /// The headers that rules may see: what earlier spam filters put in is gone.
    pub fn physical(&self) -> impl DoubleEndedIterator<Item = &'m Header<'m>> {
        self.physical.iter().copied()
    }

    /// Writes the value to `out`, which is empty; false where the header is not there.
    pub fn look_up(&self, lookup: &Lookup, out: &mut Vec<u8>) -> bool {
        let arena = self.message.arena();
        match lookup.piece {
            Piece::Whole => return self.whole(lookup, lookup.raw, out),
            Piece::Address => self.addresses(lookup, |address| join(address.address, out)),
            Piece::Name if lookup.raw => self.addresses(lookup, |address| join(address.phrase, out)),
            Piece::Name => {
                self.addresses(lookup, |address| join(address.name(arena).map(str::as_bytes), out));
            }
            piece if lookup.of_address => self.addresses(lookup, |address| {
                let address = address.address.map(String::from_utf8_lossy);
                join(address.and_then(|address| parts::of_address(piece, &address, self.boundaries)), out);
            }),
            piece => self.results(lookup, lookup.raw, |result| {
                join(parts::of_text(piece, &String::from_utf8_lossy(result), self.boundaries), out);
            }),
        }
        !out.is_empty()
    }

    /// Calls `each` with every value that is meant, for a closer look.
    fn results(&self, lookup: &Lookup, raw: bool, mut each: impl FnMut(&'m [u8])) {
        let arena = self.message.arena();
        let value = |header: &'m Header<'m>| if raw { header.raw } else { header.value(arena).as_bytes() };
        match lookup.source() {
            Source::Physical(name) => self.chosen(&[name], lookup.which, |header| each(value(header))),
            Source::Pseudo(pseudo) => match pseudo.names() {
                [] => {
                    let mut all = Vec::new();
                    self.whole(lookup, raw, &mut all);
                    arena.alloc_slice_copy(&all).split(|&byte| byte == b'\n').for_each(&mut each);
                }
                names => self.chosen(names, lookup.which, |header| each(value(header))),
            },
        }
    }

    /// Calls `each` with every address of the values that are meant.
    fn addresses(&self, lookup: &Lookup, mut each: impl FnMut(&Address<'m>)) {
        // what is put together of several headers is looked at decoded
        let raw = lookup.raw || matches!(lookup.source(), Source::Physical(_));
        self.results(lookup, raw, |result| self.read(result).iter().for_each(&mut each));
    }

    /// The addresses of one value.
    fn read(&self, value: &'m [u8]) -> &'m [Address<'m>] {
        let key = (value.as_ptr(), value.len());
        self.read.borrow_mut().entry(key).or_insert_with(|| mime::addresses(value, self.message.arena()))
    }

    /// The values of all headers that are meant, each with its LF.
    fn whole(&self, lookup: &Lookup, raw: bool, out: &mut Vec<u8>) -> bool {
        match lookup.source() {
            Source::Physical(name) => self.named(&[name], lookup.which, raw, out),
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
            Source::Pseudo(pseudo @ (Pseudo::ToCc | Pseudo::MessageId)) => {
                self.named(pseudo.names(), lookup.which, raw, out)
            }
            Source::Pseudo(Pseudo::EnvelopeFrom) => self.envelope_from(out),
            Source::Pseudo(Pseudo::Unknown) => false,
        }
    }

    /// Calls `each` with the headers of those names that are meant.
    fn chosen(&self, names: &[impl AsRef<str>], which: Which, mut each: impl FnMut(&'m Header<'m>)) {
        let mut names = names.iter().map(|name| Name::of(name.as_ref()));
        let of = |name: Name<'_>| self.physical().find(|header| header.is_named(&name));
        let last_of = |name: Name<'_>| self.physical().rfind(|header| header.is_named(&name));
        match which {
            Which::All => names.for_each(|name| {
                self.physical().filter(|header| header.is_named(&name)).for_each(&mut each);
            }),
            Which::First => names.find_map(of).into_iter().for_each(each),
            Which::Last => names.rev().find_map(last_of).into_iter().for_each(each),
        }
    }

    fn named(&self, names: &[impl AsRef<str>], which: Which, raw: bool, out: &mut Vec<u8>) -> bool {
        let mut found = false;
        self.chosen(names, which, |header| {
            found = true;
            if !raw {
                out.extend_from_slice(header.value(self.message.arena()).as_bytes());
                out.push(b'\n');
                return;
            }
            if !out.is_empty() && out.last() != Some(&b'\n') {
                out.push(b'\n');
            }
            match names.len() {
                1 => out.extend_from_slice(header.raw),
                // what is put together of several headers loses its folds
                _ => unfold(header.raw, out),
            }
        });
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
        if self.named(&[header], Which::All, raw, out) {
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
            let count = self.physical.len();
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
        let name = Name::of(name);
        let header = self.physical().find(|header| header.is_named(&name))?;
        self.read(header.raw).iter().find_map(|address| address.address)
    }
}

/// One result a line.
fn join(result: Option<impl AsRef<[u8]>>, out: &mut Vec<u8>) {
    if let Some(result) = result {
        if !out.is_empty() {
            out.push(b'\n');
        }
        out.extend_from_slice(result.as_ref());
    }
}

/// Line ends with the white space behind them become one space.
fn unfold(raw: &[u8], out: &mut Vec<u8>) {
    let (body, end) = raw.split_at(raw.len() - usize::from(raw.ends_with(b"\n")));
    for (index, line) in body.split(|&byte| byte == b'\n').enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        let line = if index > 0 { line.trim_ascii_start() } else { line };
        out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
    }
    out.extend_from_slice(end);
}

/// Headers of spam filters before us: senders could forge them to their liking.
fn is_filters(name: &[u8]) -> bool {
    name.get(..7).is_some_and(|start| start.eq_ignore_ascii_case(b"X-Spam-"))
}
