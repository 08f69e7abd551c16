//! Which hosts did a message come through, and which of them are to be believed?
//!
//! A Received line is read as the first of some hundred `formats` whose `shape` fits (`line`). From the
//! newest on, relays are trusted as long as their addresses are in networks that the rule files name, or,
//! where they name none, private. Semantics are those of SpamAssassin 4.0.1.

mod auth;
mod formats;
mod ip;
mod line;
mod networks;
mod shape;
#[cfg(test)]
mod tests;

pub use ip::{find as find_ip, is_private, is_v4, without_tag};
use line::Line;
pub use networks::{Networks, Trust};
pub use shape::Shape;

use std::net::IpAddr;

use crate::mime::Message;

/// What the search for formats may cost for one message, in steps of the matcher. Usual lines take some
/// hundred; only lines made for it take more than this, and count as unknown from there on.
const STEPS: u32 = 500_000;

/// A host that handed the message over, as the receiving host wrote it down. `[]()<>#|`, white space and
/// NUL in values are `!`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relay {
    pub ip: String,
    pub rdns: String,
    pub helo: String,
    /// The receiving host.
    pub by: String,
    /// The user by RFC 1413.
    pub ident: String,
    pub envelope_from: Option<String>,
    pub id: String,
    /// How the client logged in.
    pub auth: String,
    pub internal: bool,
    /// Whether it takes mail from logged-in users (`msa_networks`).
    pub msa: bool,
    /// Whether the address is in no public network.
    pub private: bool,
    /// The receiving host looked for reverse DNS and found none.
    pub no_rdns: bool,
}

/// Parts of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Zone {
    Trusted,
    Untrusted,
    Internal,
    External,
}

/// The way of a message, newest relay first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relays {
    all: Vec<(Relay, Trusted)>,
    /// Received lines that are of no known format.
    pub unparseable: usize,
    trusted_lines: usize,
    internal_lines: usize,
}

type Trusted = bool;

impl Relays {
    /// Reads the Received lines of `message`. `client` handed it to the front end that asks: where the front end
    /// has not written that down in the message yet, as in an SMTP session, it is the newest relay.
    pub fn of(message: &Message<'_>, client: Option<Relay>, trust: &Trust) -> Relays {
        let arena = message.arena();
        let received = message.headers("received").map(|header| header.value(arena).to_owned());
        let originating = trust.originating.iter().filter_map(|name| {
            let value = message.headers(name).last()?.value(arena);
            let ip = std::str::from_utf8(ip::find(value.as_bytes())?).ok()?;
            Some(format!("from X-Originating-IP: {ip}"))
        });
        Relays::read(received.chain(originating), client, trust)
    }

    /// Reads lines, the newest first.
    fn read(lines: impl IntoIterator<Item = String>, mut client: Option<Relay>, trust: &Trust) -> Relays {
        let mut relays = Relays::default();
        let mut border = Border::new(trust);
        let mut steps = STEPS;
        let mut scanners_sender = None;
        let mut behind_trusted = true;
        for text in lines {
            let sender: Option<String> = scanners_sender.take();
            let mut relay = match line::parse(&text, &mut steps) {
                Line::Relay(relay) => *relay,
                other => {
                    match other {
                        Line::Unknown => relays.unparseable += 1,
                        Line::Scanner(from) => scanners_sender = from,
                        // what stands above is about the way from the mailbox
                        Line::Fetched if behind_trusted => relays.all.clear(),
                        _ => {}
                    }
                    relays.trusted_lines += usize::from(border.trusted);
                    relays.internal_lines += usize::from(border.internal);
                    continue;
                }
            };
            if let Some(mut client) = client.take()
                && !client.is_same_host(&relay)
            {
                border.pass(&mut client);
                relays.all.push((client, border.trusted));
            }
            relay.envelope_from = sender.filter(|sender| !sender.is_empty()).or(relay.envelope_from);
            border.pass(&mut relay);
            relays.trusted_lines += usize::from(border.trusted);
            relays.internal_lines += usize::from(border.internal);
            behind_trusted = border.trusted;
            relays.all.push((relay, border.trusted));
        }
        if let Some(mut client) = client {
            border.pass(&mut client);
            relays.all.push((client, border.trusted));
        }
        relays
    }

    /// The relays of a zone, newest first.
    pub fn zone(&self, zone: Zone) -> impl DoubleEndedIterator<Item = &Relay> {
        let belongs = move |relay: &Relay, trusted: bool| match zone {
            Zone::Trusted => trusted,
            Zone::Untrusted => !trusted,
            Zone::Internal => relay.internal,
            Zone::External => !relay.internal,
        };
        self.all.iter().filter(move |(relay, trusted)| belongs(relay, *trusted)).map(|(relay, _)| relay)
    }

    /// The relay that handed the message to the first host that is trusted; where all are, the oldest.
    pub fn handover(&self) -> Option<&Relay> {
        self.zone(Zone::Untrusted).next().or_else(|| self.zone(Zone::Trusted).next_back())
    }

    /// How many Received lines from the top are of a zone that is trusted or internal.
    pub fn lines_within(&self, zone: Zone) -> usize {
        match zone {
            Zone::Trusted | Zone::Untrusted => self.trusted_lines,
            Zone::Internal | Zone::External => self.internal_lines,
        }
    }

    /// Writes the relays of a zone in the notation of `X-Spam-Relays-...`.
    pub fn write(&self, zone: Zone, out: &mut Vec<u8>) {
        for relay in self.zone(zone) {
            if !out.is_empty() {
                out.push(b' ');
            }
            relay.write(out);
        }
    }
}

impl Relay {
    /// The client of an SMTP session, by its address, name in the DNS, HELO and whether it logged in.
    pub fn client(ip: IpAddr, name: &str, helo: &str, logged_in: bool) -> Relay {
        let ip = ip.to_canonical().to_string();
        let clean = |text: &str| text.replace(|c: char| c.is_whitespace() || "[]()<>#|\0".contains(c), "!");
        Relay {
            private: is_private(&ip),
            no_rdns: name.is_empty(),
            rdns: clean(name),
            helo: clean(helo),
            auth: if logged_in { "login".into() } else { String::new() },
            ip,
            ..Relay::default()
        }
    }

    fn is_same_host(&self, other: &Relay) -> bool {
        let address = |relay: &Relay| relay.ip.parse::<IpAddr>().map(|ip| ip.to_canonical());
        matches!((address(self), address(other)), (Ok(ours), Ok(theirs)) if ours == theirs)
    }

    fn write(&self, out: &mut Vec<u8>) {
        let truth = |truth: bool| if truth { "1" } else { "0" };
        let from = self.envelope_from.as_deref().unwrap_or_default();
        for (key, value) in [
            ("[ ip=", self.ip.as_str()),
            (" rdns=", &self.rdns),
            (" helo=", &self.helo),
            (" by=", &self.by),
            (" ident=", &self.ident),
            // Perl takes the sender `0` for none
            (" envfrom=", if from == "0" { "" } else { from }),
            (" intl=", truth(self.internal)),
            (" id=", &self.id),
            (" auth=", &self.auth),
            (" msa=", truth(self.msa)),
            (" ]", ""),
        ] {
            out.extend_from_slice(key.as_bytes());
            out.extend_from_slice(value.as_bytes());
        }
    }
}

/// Where trust ends, seen from the newest relay.
struct Border<'t> {
    trust: &'t Trust,
    trusted: bool,
    internal: bool,
    /// A host that takes mail from users only: all before it is trusted.
    msa: bool,
}

impl Border<'_> {
    fn new(trust: &Trust) -> Border<'_> {
        Border { trust, trusted: true, internal: true, msa: false }
    }

    fn pass(&mut self, relay: &mut Relay) {
        if self.trusted && !self.msa {
            self.decide(relay);
        }
        relay.internal = self.internal;
    }

    fn decide(&mut self, relay: &mut Relay) {
        let logged_in = !relay.auth.is_empty();
        let Trust { trusted, internal, msa, .. } = self.trust;
        // whichever is configured stands in for the other
        let Some((trusted, internal)) =
            trusted.as_ref().or(internal.as_ref()).zip(internal.as_ref().or(trusted.as_ref()))
        else {
            self.trusted = relay.private || logged_in;
            self.internal = self.trusted;
            return;
        };
        if !logged_in && !trusted.contains(&relay.ip) {
            (self.trusted, self.internal) = (false, false);
            return;
        }
        self.internal &= logged_in || internal.contains(&relay.ip);
        if msa.contains(&relay.ip) {
            (self.msa, relay.msa) = (true, true);
        }
    }
}
