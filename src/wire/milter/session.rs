//! What the MTA told so far: from commands to a message to judge, from its verdict to replies.

use std::{mem, net::IpAddr, str};

use super::codec::{Command, Error, Reply, Strings, action, step};
use crate::{
    verdict::{Action, Verdict},
    wire::{
        headers::{self, SUBJECT_PREFIX, Summary},
        request::{Envelope, Tls},
        smtp,
    },
};

/// Caps on what one message may make this side keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a packet: body chunks are 64 KiB, and headers may be longer.
    pub packet: usize,
    /// Bytes of a message; what is longer is judged by its beginning.
    pub message: usize,
    pub recipients: usize,
    /// Bytes of a macro or an address.
    pub string: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { packet: 2 << 20, message: 100 << 20, recipients: 10_000, string: 4096 }
    }
}

/// What a command asks of the caller.
#[derive(Debug)]
pub enum Step {
    /// Nothing to say.
    None,
    /// Say that the session goes on.
    Continue,
    /// Answer the negotiation.
    Negotiate { actions: u32, steps: u32 },
    /// A message is complete: judge it, then say what [`Session::answer`] makes of the verdict.
    Scan(Box<Mail>),
    /// The MTA has no more to say.
    Close,
}

/// A message as the MTA told it.
#[derive(Clone, Debug, Default)]
pub struct Mail {
    pub envelope: Envelope,
    /// Header and body with CRLF line ends.
    pub raw: Vec<u8>,
}

/// Filter headers that the message came with, to be deleted: names, with how often each.
type Forged = Vec<(String, u32)>;

/// One connection of an MTA; several SMTP clients and messages may pass through it in turn.
#[derive(Debug, Default)]
pub struct Session {
    limits: Limits,
    /// What the MTA lets us change.
    actions: u32,
    /// Steps that the MTA waits for no reply to.
    unanswered: u32,
    leading_space: bool,
    /// Valid for all messages of one SMTP client.
    client: Envelope,
    mail: Mail,
    forged: Forged,
    subject: Option<String>,
    /// The body did not fit.
    truncated: bool,
}

impl Session {
    /// A session whose MTA has not said anything yet.
    pub fn new(limits: Limits) -> Session {
        Session { limits, ..Session::default() }
    }

    /// Takes in one command.
    ///
    /// # Errors
    /// The MTA breaks the protocol.
    pub fn command(&mut self, command: Command<'_>) -> Result<Step, Error> {
        Ok(match command {
            Command::Negotiate { version, actions, steps } => self.negotiate(version, actions, steps)?,
            Command::Macros(strings) => {
                self.macros(strings);
                Step::None
            }
            Command::Connect { host, family, address } => {
                self.client =
                    Envelope { hostname: mem::take(&mut self.client.hostname), ..Envelope::default() };
                self.client.client_name = self.text(host);
                self.client.client_ip = ip(family, address);
                self.acknowledge(step::NO_REPLY_CONNECT)
            }
            Command::Helo(name) => {
                self.client.helo = self.text(name);
                self.acknowledge(step::NO_REPLY_HELO)
            }
            Command::Mail(mut strings) => {
                let sender = address(&self.text(strings.next().unwrap_or_default()));
                self.begin(Some(sender));
                self.acknowledge(step::NO_REPLY_MAIL)
            }
            Command::Rcpt(mut strings) => {
                if self.mail.envelope.rcpt_to.len() < self.limits.recipients {
                    let recipient = address(&self.text(strings.next().unwrap_or_default()));
                    self.mail.envelope.rcpt_to.push(recipient);
                }
                self.acknowledge(step::NO_REPLY_RCPT)
            }
            Command::Data => self.acknowledge(step::NO_REPLY_DATA),
            Command::Header { name, value } => {
                self.header(name, value);
                self.acknowledge(step::NO_REPLY_HEADER)
            }
            Command::EndOfHeaders => {
                self.append(b"\r\n");
                self.acknowledge(step::NO_REPLY_EOH)
            }
            Command::Body(bytes) => {
                self.append(bytes);
                self.acknowledge(step::NO_REPLY_BODY)
            }
            Command::EndOfMessage(bytes) => {
                self.append(bytes);
                Step::Scan(Box::new(mem::take(&mut self.mail)))
            }
            Command::Abort => {
                self.forget();
                Step::None
            }
            Command::QuitNewConnection => {
                self.client = Envelope::default();
                self.forget();
                Step::None
            }
            Command::Quit => Step::Close,
            Command::Unrecognised => Step::Continue,
        })
    }

    fn negotiate(&mut self, version: u32, actions: u32, steps: u32) -> Result<Step, Error> {
        if version < 2 {
            return Err(Error::Version(version));
        }
        const ACTIONS: u32 = action::ADD_HEADERS | action::CHANGE_HEADERS | action::QUARANTINE;
        // Each reply that the MTA does not wait for saves a round trip; a mail has some forty of them.
        const UNANSWERED: u32 = step::NO_REPLY_CONNECT
            | step::NO_REPLY_HELO
            | step::NO_REPLY_MAIL
            | step::NO_REPLY_RCPT
            | step::NO_REPLY_DATA
            | step::NO_REPLY_HEADER
            | step::NO_REPLY_EOH
            | step::NO_REPLY_BODY;
        self.actions = actions & ACTIONS;
        self.unanswered = steps & UNANSWERED;
        self.leading_space = steps & step::LEADING_SPACE != 0;
        let steps = steps & (UNANSWERED | step::LEADING_SPACE | step::NO_UNKNOWN);
        Ok(Step::Negotiate { actions: self.actions, steps })
    }

    fn acknowledge(&self, step: u32) -> Step {
        if self.unanswered & step != 0 { Step::None } else { Step::Continue }
    }

    fn begin(&mut self, sender: Option<String>) {
        // Sendmail tells the queue id before MAIL, Postfix after it.
        let queue_id = mem::take(&mut self.mail.envelope.queue_id);
        let envelope = Envelope { queue_id, mail_from: sender, ..self.client.clone() };
        self.mail = Mail { envelope, raw: Vec::new() };
        self.forged.clear();
        self.subject = None;
        self.truncated = false;
    }

    fn forget(&mut self) {
        self.mail = Mail::default();
        self.begin(None);
    }

    // Postfix and Sendmail send a macro before the command it belongs to: those of a client before MAIL,
    // those of a message (the queue id) at the latest before the end of it.
    fn macros(&mut self, mut strings: Strings<'_>) {
        while let (Some(name), Some(value)) = (strings.next(), strings.next()) {
            let value = self.text(value);
            let name = name.strip_prefix(b"{").and_then(|rest| rest.strip_suffix(b"}")).unwrap_or(name);
            match name {
                b"i" => self.mail.envelope.queue_id = value,
                b"j" => {
                    self.client.hostname.clone_from(&value);
                    self.mail.envelope.hostname = value;
                }
                b"auth_authen" if !value.is_empty() => {
                    self.client.user = Some(value.clone());
                    self.mail.envelope.user = Some(value);
                }
                b"tls_version" if !value.is_empty() => {
                    self.client.tls.get_or_insert_with(Tls::default).version = value;
                }
                b"cipher" if !value.is_empty() => {
                    self.client.tls.get_or_insert_with(Tls::default).cipher = value;
                }
                _ => {}
            }
        }
    }

    fn header(&mut self, name: &[u8], value: &[u8]) {
        if name.len() > headers::PREFIX.len()
            && name[..headers::PREFIX.len()].eq_ignore_ascii_case(headers::PREFIX.as_bytes())
        {
            let name = String::from_utf8_lossy(name).into_owned();
            match self.forged.iter_mut().find(|forged| forged.0.eq_ignore_ascii_case(&name)) {
                Some(forged) => forged.1 += 1,
                None => self.forged.push((name, 1)),
            }
        } else if name.eq_ignore_ascii_case(b"subject") && self.subject.is_none() {
            self.subject = Some(String::from_utf8_lossy(value).trim_start().to_owned());
        }
        self.append(name);
        self.append(if self.leading_space { b":" } else { b": " });
        // Folds come with a bare LF; in the message they end in CRLF.
        for (index, line) in value.split(|&byte| byte == b'\n').enumerate() {
            if index > 0 {
                self.append(b"\r\n");
            }
            self.append(line.strip_suffix(b"\r").unwrap_or(line));
        }
        self.append(b"\r\n");
    }

    fn append(&mut self, bytes: &[u8]) {
        let room = self.limits.message.saturating_sub(self.mail.raw.len());
        self.truncated |= bytes.len() > room;
        self.mail.raw.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Whether the message was longer than is kept.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Appends to `out` what the MTA shall do with the message that [`Step::Scan`] handed out.
    pub fn answer(&self, verdict: &Verdict, out: &mut Vec<u8>) {
        match verdict.action {
            Action::Reject => Reply::ReplyCode(smtp::SPAM).encode(out),
            Action::SoftReject | Action::Greylist => temporary(out),
            Action::NoAction | Action::AddHeader | Action::RewriteSubject => {
                self.change(verdict, out);
                Reply::Accept.encode(out);
            }
        }
    }

    fn change(&self, verdict: &Verdict, out: &mut Vec<u8>) {
        if self.actions & action::CHANGE_HEADERS != 0 {
            for (name, count) in &self.forged {
                // From the last, so that the others keep their numbers.
                for index in (1..=*count).rev() {
                    Reply::ChangeHeader { index, name, value: "" }.encode(out);
                }
            }
            if verdict.action == Action::RewriteSubject {
                let subject = self.subject.as_deref().unwrap_or_default();
                let (name, value) = ("Subject", &*self.spaced(&format!("{SUBJECT_PREFIX}{subject}")));
                match self.subject {
                    Some(_) => Reply::ChangeHeader { index: 1, name, value }.encode(out),
                    None if self.actions & action::ADD_HEADERS != 0 => {
                        Reply::AddHeader { name, value }.encode(out)
                    }
                    None => {}
                }
            }
        }
        if self.actions & action::ADD_HEADERS != 0 {
            for (name, value) in Summary::from(verdict).fields() {
                Reply::AddHeader { name, value: &self.spaced(&value) }.encode(out);
            }
        }
    }

    // Where values keep their blanks, those that we make need theirs.
    fn spaced(&self, value: &str) -> String {
        if self.leading_space { format!(" {value}") } else { value.to_owned() }
    }

    fn text(&self, bytes: &[u8]) -> String {
        String::from_utf8_lossy(&bytes[..bytes.len().min(self.limits.string)]).into_owned()
    }
}

/// Appends the answer to a message that could not be judged: the sender keeps it and tries again.
pub fn temporary(out: &mut Vec<u8>) {
    Reply::ReplyCode(smtp::LATER).encode(out);
}

fn ip(family: u8, address: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(address).ok()?;
    match family {
        b'4' => text.parse().ok().map(IpAddr::V4),
        // Sendmail writes the literal as in mail addresses.
        b'6' => text.strip_prefix("IPv6:").unwrap_or(text).parse().ok().map(IpAddr::V6),
        _ => None,
    }
}

/// `<a@b>` without its angle brackets.
fn address(text: &str) -> String {
    let text = text.trim();
    text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).unwrap_or(text).to_owned()
}
