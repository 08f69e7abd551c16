//! Tokens of headers, links and parts: what they say, and whether they fit together.

use memchr::{memchr_iter, memmem};

use super::{
    hash::{WordHash, mix},
    text::{Fours, Look},
    tokens::{Field, Tokens, body, head},
};
use crate::{
    mime::{Header, Message, Name},
    render::{Glance, Link},
};

const FACT: Field = head("fact");

/// Bytes of one header value that are looked at.
const VALUE: usize = 400;
/// And of the subject.
const SUBJECT_BYTES: usize = 1000;
/// Words of one link's path that are looked at.
const PATH_WORDS: usize = 12;
const PARTS: usize = 30;

// What is looked at in a text. Characters tell of senders that were never seen before.
const ALL: Look = Look { pairs: 2, fours: Fours::All };
const SUBJECT: Look = Look { pairs: 2, fours: Fours::Some };
const PROGRAM: Look = Look { pairs: 1, fours: Fours::Some };
const WORDS: Look = Look { pairs: 1, fours: Fours::No };
const HOST: Look = Look { pairs: 0, fours: Fours::All };

/// A fact with a number.
fn fact(tokens: &mut Tokens, name: Field, value: u64) {
    tokens.add(FACT ^ (name & !1), value);
}

/// The number of bits, so that sizes are told apart by factors of two.
fn magnitude(count: usize) -> u64 {
    u64::from(usize::BITS - count.leading_zeros())
}

/// Tokens of the header section.
pub(super) fn headers(tokens: &mut Tokens, message: &Message<'_>, glance: &Glance<'_>) {
    subject(tokens, glance.subject);
    let mut seen = Seen::default();
    for header in message.all_headers() {
        let Some((name, kind)) = Kind::of(header) else { continue };
        seen.note(kind);
        let value = header.value(message.arena());
        let value = value.get(..value.floor_char_boundary(VALUE)).unwrap_or(value);
        match kind {
            Kind::Address => tokens.text(name, value, ALL),
            Kind::Recipient => {
                tokens.text(name, value, WORDS);
                fact(tokens, name, 10 + (memchr_iter(b'@', value.as_bytes()).count() as u64).min(5));
                fact(tokens, name, 20 + u64::from(value.contains('<')));
                fact(tokens, name, 22 + u64::from(value.contains('"')));
            }
            Kind::Program => {
                // A boundary is random.
                let find = |name: &str| memmem::find(value.as_bytes(), name.as_bytes());
                let end = find("boundary").or_else(|| find("BOUNDARY")).unwrap_or(value.len());
                tokens.text(name, value.get(..end).unwrap_or(value), PROGRAM);
                fact(tokens, const { head("has") }, name);
            }
            Kind::MessageId => message_id(tokens, value),
            Kind::Reply => fact(tokens, const { head("has") }, name),
            Kind::Date => {}
        }
    }
    seen.missing(tokens);
    relations(tokens, message);
}

fn subject(tokens: &mut Tokens, subject: &str) {
    let subject = subject.get(..subject.floor_char_boundary(SUBJECT_BYTES)).unwrap_or(subject);
    tokens.text(const { head("subject") }, subject, SUBJECT);
    let count = |is: fn(char) -> bool| subject.chars().filter(|&c| is(c)).count();
    fact(
        tokens,
        const { head("capitals") },
        u64::from(count(char::is_uppercase) > count(char::is_lowercase)),
    );
    fact(tokens, const { head("gap") }, u64::from(subject.contains("   ")));
    fact(tokens, const { head("exclaims") }, u64::from(subject.contains('!')));
    fact(tokens, const { head("asks") }, u64::from(subject.contains('?')));
    let answers = subject.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("re:"));
    fact(tokens, const { head("answers") }, u64::from(answers));
}

/// What a header field is looked at for. Others are not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Address,
    Recipient,
    /// Written by the program that sent the message.
    Program,
    MessageId,
    /// That it is there says enough.
    Reply,
    Date,
}

impl Kind {
    /// What a field is looked at for, with the field of its tokens.
    fn of(header: &Header<'_>) -> Option<(Field, Kind)> {
        const KNOWN: [(&str, Kind); 19] = [
            ("From", Kind::Address),
            ("Reply-To", Kind::Address),
            ("To", Kind::Recipient),
            ("Cc", Kind::Recipient),
            ("X-Mailer", Kind::Program),
            ("User-Agent", Kind::Program),
            ("Content-Type", Kind::Program),
            ("MIME-Version", Kind::Program),
            ("Content-Transfer-Encoding", Kind::Program),
            ("X-Priority", Kind::Program),
            ("X-MSMail-Priority", Kind::Program),
            ("Importance", Kind::Program),
            ("Priority", Kind::Program),
            ("Organization", Kind::Program),
            ("X-MimeOLE", Kind::Program),
            ("Message-Id", Kind::MessageId),
            ("In-Reply-To", Kind::Reply),
            ("References", Kind::Reply),
            ("Date", Kind::Date),
        ];
        const NAMES: [(Name<'static>, Field); KNOWN.len()] = {
            let mut names = [(Name::of(""), 0); KNOWN.len()];
            let mut at = 0;
            while at < KNOWN.len() {
                names[at] = (Name::of(KNOWN[at].0), head(KNOWN[at].0));
                at += 1;
            }
            names
        };
        let at = NAMES.iter().position(|(name, _)| header.is_named(name))?;
        Some((NAMES[at].1, KNOWN[at].1))
    }
}

/// Which fields that every message should have it has.
#[derive(Default)]
struct Seen {
    to: bool,
    message_id: bool,
    date: bool,
}

impl Seen {
    fn note(&mut self, kind: Kind) {
        match kind {
            Kind::Recipient => self.to = true,
            Kind::MessageId => self.message_id = true,
            Kind::Date => self.date = true,
            _ => {}
        }
    }

    fn missing(&self, tokens: &mut Tokens) {
        for (name, is_there) in [
            (const { head("to") }, self.to),
            (const { head("message-id") }, self.message_id),
            (const { head("date") }, self.date),
        ] {
            if !is_there {
                fact(tokens, const { head("missing") }, name);
            }
        }
    }
}

/// The shape of a Message-ID tells the program that made it, its host the sender.
fn message_id(tokens: &mut Tokens, value: &str) {
    let (local, host) = value.split_once('@').unwrap_or((value, ""));
    let mut shape = WordHash::EMPTY;
    let mut last = 0;
    for byte in local.bytes() {
        let class = match byte {
            b'0'..=b'9' => b'9',
            b'A'..=b'Z' => b'A',
            b'a'..=b'z' => b'a',
            other => other,
        };
        if class != last {
            shape = shape.push(u32::from(class));
            last = class;
        }
    }
    fact(tokens, const { head("message-id") }, shape.value());
    tokens.text(const { head("message-id") }, host, HOST);
}

/// Whether sender, answer address, recipient and Message-ID are of one domain, and what the sender's name
/// looks like.
fn relations(tokens: &mut Tokens, message: &Message<'_>) {
    let from = message.header("From").unwrap_or_default();
    let sender = domain_of(from);
    for name in ["Reply-To", "To", "Cc", "Message-Id"] {
        let relation = match message.header(name) {
            None => 0,
            Some(value) => match domain_of(value) {
                None => 1,
                domain if domain == sender => 2,
                Some(_) => 3,
            },
        };
        fact(tokens, const { head("relation") } ^ WordHash::of(name.as_bytes()), relation);
    }
    let (name, address) = from.rsplit_once('<').unwrap_or(("", from));
    let style = match name.trim() {
        "" if from.contains('<') => 1,
        "" => 0,
        quoted if quoted.starts_with('"') => 2,
        _ => 3,
    };
    fact(tokens, const { head("name") }, style);
    let local = address.split('@').next().unwrap_or_default();
    fact(tokens, const { head("digits") }, (local.bytes().filter(u8::is_ascii_digit).count() as u64).min(4));
}

/// The registrable domain of the last address in `value`.
fn domain_of(value: &str) -> Option<&str> {
    let host = value.rsplit_once('@')?.1;
    let end =
        host.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))).unwrap_or(host.len());
    registrable(host.get(..end)?.trim_matches('.'))
}

fn registrable(host: &str) -> Option<&str> {
    psl::domain_str(host)
}

/// Tokens of the links: where they go, and whether that is where the sender is.
pub(super) fn links(tokens: &mut Tokens, message: &Message<'_>, glance: &Glance<'_>) {
    let sender = message.header("From").and_then(domain_of).unwrap_or_default();
    let (mut own, mut foreign, mut numeric) = (false, false, false);
    for uri in &glance.links {
        link(tokens, uri);
        let is_own = !uri.domain.is_empty() && uri.domain.eq_ignore_ascii_case(sender);
        own |= is_own;
        foreign |= !is_own && !uri.host.is_empty();
        numeric |= !uri.host.is_empty() && uri.host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    }
    fact(tokens, const { head("links-own") }, u64::from(own) * 2 + u64::from(foreign));
    fact(tokens, const { head("links-numeric") }, u64::from(numeric));
    fact(tokens, const { head("links") }, magnitude(glance.links.len()));
}

fn link(tokens: &mut Tokens, uri: &Link<'_>) {
    let (scheme, rest) = uri.raw.split_once(':').unwrap_or(("", uri.raw));
    if scheme.len() <= 10 {
        tokens.add(const { body("scheme") }, WordHash::of(scheme.as_bytes()));
    }
    if !uri.host.is_empty() {
        tokens.add(const { body("host") }, WordHash::of(uri.host.as_bytes()));
        tokens.add(const { body("domain") }, WordHash::of(uri.domain.as_bytes()));
        for label in uri.host.split('.') {
            tokens.add(const { body("label") }, WordHash::of(label.as_bytes()));
        }
    }
    let rest = rest.trim_start_matches('/');
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let path = path.get(..path.floor_char_boundary(VALUE)).unwrap_or(path);
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| (2..30).contains(&word.len()));
    for word in words.take(PATH_WORDS) {
        tokens.add(const { body("path") }, WordHash::of(word.as_bytes()));
    }
    for sign in path.bytes().filter(|byte| b"?&=@%~".contains(byte)) {
        tokens.add(const { body("sign") }, u64::from(sign));
    }
}

/// Tokens of the parts: types, encodings, names.
pub(super) fn parts(tokens: &mut Tokens, message: &Message<'_>) {
    for part in message.parts.iter().take(PARTS) {
        let kind = mix(WordHash::of(part.kind.as_bytes()), WordHash::of(part.subkind.as_bytes()));
        tokens.add(const { body("part") }, kind);
        if !part.is_leaf {
            continue;
        }
        tokens.add(const { body("attached") }, mix(kind, u64::from(part.is_attachment)));
        tokens.add(const { body("charset") }, WordHash::of(part.charset.unwrap_or_default().as_bytes()));
        let encoding = part.header(message, "Content-Transfer-Encoding").unwrap_or_default();
        tokens.add(const { body("encoding") }, WordHash::of(encoding.as_bytes()));
        if let Some(name) = part.name {
            let name = name.get(..name.floor_char_boundary(VALUE)).unwrap_or(name);
            let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
            tokens.add(const { body("ending") }, WordHash::of(ending.as_bytes()));
            tokens.text(const { body("file") }, name, WORDS);
        }
    }
    fact(tokens, const { head("parts") }, (message.parts.len() as u64).min(8));
}
