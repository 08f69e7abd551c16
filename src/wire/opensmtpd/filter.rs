//! What was told of each session: from lines to a message to judge, from its verdict to lines.

use std::{collections::HashMap, mem};

use super::{
    REGISTER,
    line::{Error, Event, Line, Phase, ip},
};
use crate::{
    verdict::Action,
    wire::{
        headers::{Marked, Summary},
        request::{Envelope, Tls},
        smtp,
    },
};

/// Caps on what smtpd may make this side keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a message; what is longer is refused.
    pub message: usize,
    pub recipients: usize,
    pub sessions: usize,
    /// Bytes of a name or an address.
    pub string: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { message: 100 << 20, recipients: 10_000, sessions: 100_000, string: 4096 }
    }
}

/// A message to judge; [`Filter::answer`] wants to know the outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    session: Vec<u8>,
    token: Vec<u8>,
    pub envelope: Envelope,
    /// Header and body with CRLF line ends.
    pub raw: Vec<u8>,
}

/// One process of a filter, with the sessions of its smtpd.
#[derive(Debug, Default)]
pub struct Filter {
    limits: Limits,
    sessions: HashMap<Vec<u8>, Session>,
}

#[derive(Debug, Default)]
struct Session {
    /// Valid for all messages of the session.
    client: Envelope,
    mail: Envelope,
    raw: Vec<u8>,
    /// The message did not fit.
    is_too_large: bool,
    /// What smtpd is told when it asks whether to take the message; nothing while that is not known.
    decision: Option<Decision>,
}

#[derive(Clone, Copy, Debug)]
enum Decision {
    Proceed,
    Reject(&'static str),
}

impl Filter {
    /// A filter that was told nothing yet.
    pub fn new(limits: Limits) -> Filter {
        Filter { limits, ..Filter::default() }
    }

    /// Takes in one line without its end, appends to `out` what can be said at once, and hands out a message when one
    /// is complete.
    ///
    /// # Errors
    /// The line is not as the protocol has it.
    pub fn line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<Option<Scan>, Error> {
        match Line::parse(line)? {
            Line::Config => {}
            Line::Ready => out.extend_from_slice(REGISTER),
            Line::Report { session, event: Event::Disconnect } => {
                self.sessions.remove(session);
            }
            Line::Report { session, event } => {
                if let Some(session) = session_of(&mut self.sessions, &self.limits, session) {
                    session.report(event, &self.limits);
                }
            }
            Line::Filter { session, token, phase } => return Ok(self.decide(session, token, phase, out)),
        }
        Ok(None)
    }

    fn decide(&mut self, id: &[u8], token: &[u8], phase: Phase<'_>, out: &mut Vec<u8>) -> Option<Scan> {
        let session = session_of(&mut self.sessions, &self.limits, id);
        match (phase, session) {
            (Phase::DataLine(b"."), Some(session)) if !session.is_too_large => {
                let (envelope, raw) = (session.mail.clone(), mem::take(&mut session.raw));
                return Some(Scan { session: id.to_owned(), token: token.to_owned(), envelope, raw });
            }
            (Phase::DataLine(b"."), session) => {
                if let Some(session) = session {
                    session.decision = Some(Decision::Reject(smtp::TOO_LARGE));
                }
                say(out, &[b"filter-dataline", id, token, b"."]);
            }
            (Phase::DataLine(line), Some(session)) => session.append(line, self.limits.message),
            // With more sessions than are kept, nothing is known of this one.
            (Phase::DataLine(_), None) => {}
            (Phase::Commit, session) => match session.and_then(|session| session.decision.take()) {
                Some(Decision::Proceed) => say(out, &[b"filter-result", id, token, b"proceed"]),
                Some(Decision::Reject(reply)) => reject(out, id, token, reply),
                // What nobody judged is not taken.
                None => reject(out, id, token, smtp::LATER),
            },
            (Phase::Other, _) => say(out, &[b"filter-result", id, token, b"proceed"]),
        }
        None
    }

    /// Appends to `out` the lines of a message that was judged; without a verdict its sender keeps it.
    pub fn answer(&mut self, scan: &Scan, summary: Option<&Summary>, out: &mut Vec<u8>) {
        let (decision, marked) = match summary {
            None => (Decision::Reject(smtp::LATER), None),
            Some(summary) => match summary.action {
                Action::Reject => (Decision::Reject(smtp::SPAM), None),
                Action::SoftReject | Action::Greylist => (Decision::Reject(smtp::LATER), None),
                Action::NoAction | Action::AddHeader | Action::RewriteSubject => {
                    (Decision::Proceed, Some(Marked::new(&scan.raw, summary, &[])))
                }
            },
        };
        // A session that is gone hears nothing more.
        let Some(session) = self.sessions.get_mut(&scan.session) else { return };
        session.decision = Some(decision);
        let prefix = [b"filter-dataline|", &*scan.session, b"|", &scan.token, b"|"].concat();
        if let Some(Marked { header, body }) = &marked {
            lines(&prefix, header, out);
            lines(&prefix, body, out);
        }
        out.extend_from_slice(&prefix);
        out.extend_from_slice(b".\n");
    }
}

fn session_of<'s>(
    sessions: &'s mut HashMap<Vec<u8>, Session>,
    limits: &Limits,
    id: &[u8],
) -> Option<&'s mut Session> {
    if !sessions.contains_key(id) {
        if sessions.len() >= limits.sessions || id.len() > limits.string {
            return None;
        }
        sessions.insert(id.to_owned(), Session::default());
    }
    sessions.get_mut(id)
}

impl Session {
    fn report(&mut self, event: Event<'_>, limits: &Limits) {
        let text =
            |bytes: &[u8]| String::from_utf8_lossy(&bytes[..bytes.len().min(limits.string)]).into_owned();
        match event {
            Event::Connect { name, source } => {
                self.client.client_ip = ip(source);
                self.client.client_name = text(name);
            }
            Event::Greeting(name) => self.client.hostname = text(name),
            Event::Identify(name) => self.client.helo = text(name),
            Event::Tls(session) => {
                let session = text(session);
                let mut parts = session.split(':').map(str::to_owned);
                let mut part = || parts.next().unwrap_or_default();
                self.client.tls = Some(Tls { version: part(), cipher: part() });
            }
            Event::Authenticated(user) => self.client.user = Some(text(user)),
            Event::Begin(id) => self.begin(text(id)),
            Event::Mail(address) => self.mail.mail_from = Some(text(address)),
            Event::Rcpt(address) if self.mail.rcpt_to.len() < limits.recipients => {
                self.mail.rcpt_to.push(text(address));
            }
            Event::Reset => self.begin(String::new()),
            Event::Rcpt(_) | Event::Disconnect | Event::Other => {}
        }
    }

    fn begin(&mut self, queue_id: String) {
        let client = mem::take(&mut self.client);
        let mail = Envelope { queue_id, ..client.clone() };
        *self = Session { client, mail, ..Session::default() };
    }

    /// Keeps a line of the message, without the dot that SMTP puts before one (RFC 5321, 4.5.2).
    fn append(&mut self, line: &[u8], limit: usize) {
        let line = line.strip_prefix(b".").unwrap_or(line);
        self.is_too_large |= self.raw.len() + line.len() + 2 > limit;
        if self.is_too_large {
            self.raw = Vec::new();
            return;
        }
        self.raw.extend_from_slice(line);
        self.raw.extend_from_slice(b"\r\n");
    }
}

/// Appends each line of `text` with `prefix` in front, and a dot before a dot.
fn lines(prefix: &[u8], text: &[u8], out: &mut Vec<u8>) {
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        out.extend_from_slice(prefix);
        if line.starts_with(b".") {
            out.push(b'.');
        }
        out.extend_from_slice(line);
        out.push(b'\n');
    }
}

fn reject(out: &mut Vec<u8>, session: &[u8], token: &[u8], reply: &str) {
    say(out, &[b"filter-result", session, token, b"reject", reply.as_bytes()]);
}

fn say(out: &mut Vec<u8>, fields: &[&[u8]]) {
    out.extend_from_slice(&fields.join(&b'|'));
    out.push(b'\n');
}
