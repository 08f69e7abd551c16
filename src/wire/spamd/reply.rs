//! What the client hears.

use std::fmt::Write;

use super::request::{Command, Error, Head};
use crate::{
    verdict::{Action, Verdict},
    wire::headers::{self, Field, Summary},
};

/// The reply to a PING.
pub const PONG: &[u8] = b"SPAMD/1.5 0 PONG\r\n";

/// The reply to a TELL that was heard: `DidSet` and `DidRemove` name the database, which is the local one.
pub fn told(set: bool, removed: bool) -> Vec<u8> {
    let set = if set { "DidSet: local\r\n" } else { "" };
    let removed = if removed { "DidRemove: local\r\n" } else { "" };
    format!("SPAMD/1.1 0 EX_OK\r\n{set}{removed}Content-length: 2\r\n\r\n\r\n").into_bytes()
}

/// The reply to a request that got no verdict: `spamc` passes the mail on or puts it off, as it was told to.
pub fn failure(code: u8, what: &str) -> Vec<u8> {
    format!("SPAMD/1.0 {code} {}\r\n\r\n", what.replace(['\r', '\n'], " ")).into_bytes()
}

/// The reply to a request that cannot be read.
pub fn refusal(error: &Error) -> Vec<u8> {
    failure(error.code(), &error.to_string())
}

/// The reply to a message that was judged.
pub fn verdict(head: &Head, verdict: &Verdict, message: &[u8]) -> Vec<u8> {
    if matches!(verdict.action, Action::SoftReject | Action::Greylist) {
        // EX_TEMPFAIL: the protocol has no other word for it.
        return failure(75, "the message could not be checked in time, try again later");
    }
    let body = match head.command {
        Command::Symbols => format!("{}\r\n", names(verdict)).into_bytes(),
        Command::Report => report(verdict).into_bytes(),
        Command::ReportIfSpam if is_spam(verdict) => report(verdict).into_bytes(),
        Command::Process => with_fields(message, verdict, true),
        Command::Headers => with_fields(message, verdict, false),
        _ => Vec::new(),
    };
    let mut reply = String::from("SPAMD/1.1 0 EX_OK\r\n");
    // Below 1.3 a reply has one of the two: Exim (SPAMC/1.2) takes the verdict to stand in the second line.
    let has_message = matches!(head.command, Command::Process | Command::Headers);
    if head.knows_length() || has_message {
        let _ = write!(reply, "Content-length: {}\r\n", body.len());
    }
    if head.knows_length() || !has_message {
        let _ = write!(reply, "{}\r\n", spam_line(head.command, verdict));
    }
    reply.push_str("\r\n");
    let mut reply = reply.into_bytes();
    reply.extend_from_slice(&body);
    reply
}

fn is_spam(verdict: &Verdict) -> bool {
    verdict.score >= verdict.required
}

/// `Spam: True ; 15.0 / 5.0`. One decimal each: Haraka's pattern wants it so.
fn spam_line(command: Command, verdict: &Verdict) -> String {
    let spam = is_spam(verdict);
    let answer = match (command, spam) {
        (Command::ReportIfSpam, true) => "Yes",
        (Command::ReportIfSpam, false) => "No",
        (_, true) => "True",
        (_, false) => "False",
    };
    format!("Spam: {answer} ; {:.1} / {:.1}", shown(verdict), verdict.required)
}

// Ham that rounds up to the threshold would look like spam.
fn shown(verdict: &Verdict) -> f64 {
    let rounded = (verdict.score * 10.0).round() / 10.0;
    if !is_spam(verdict) && rounded >= verdict.required { rounded - 0.1 } else { rounded }
}

fn names(verdict: &Verdict) -> String {
    verdict.symbols.iter().map(|symbol| &*symbol.name).collect::<Vec<_>>().join(",")
}

/// A report for people: what was found, what it counts, what it means, what was left out.
pub fn report(verdict: &Verdict) -> String {
    let mut text = format!(
        "Content analysis by criba: {:.1} points, {:.1} required\n\n pts rule name              description\n\
         ---- ---------------------- --------------------------------------------------\n",
        shown(verdict),
        verdict.required
    );
    for symbol in &verdict.symbols {
        let name = &symbol.name;
        let _ = write!(text, "{:4.1} {name:22} {}", symbol.score, symbol.description);
        if !symbol.place.is_empty() {
            let _ = write!(text, " ({})", symbol.place);
        }
        text.push('\n');
    }
    for skipped in verdict.skipped.iter().filter(|skipped| skipped.why.is_incomplete()) {
        let place = if skipped.place.is_empty() { "all" } else { &skipped.place };
        let _ = writeln!(text, " not looked at: {} of {place} ({})", skipped.stage.name(), skipped.why);
    }
    text
}

/// The message with our fields on top of its header and other filters' fields gone.
fn with_fields(message: &[u8], verdict: &Verdict, whole: bool) -> Vec<u8> {
    let crlf = memchr::memchr(b'\n', message).is_some_and(|at| message[..at].ends_with(b"\r"));
    let mut out = Vec::with_capacity(message.len() + 1024);
    let mut rest = message;
    // An mbox line stays in front.
    if rest.starts_with(b"From ") {
        let (line, after) = split_line(rest);
        out.extend_from_slice(line);
        rest = after;
    }
    for field in Summary::from(verdict).fields() {
        push_field(&mut out, &field, crlf);
    }
    if is_spam(verdict) {
        push_field(
            &mut out,
            &("X-Spam-Report", format!("\n\t{}", report(verdict).trim_end().replace('\n', "\n\t"))),
            crlf,
        );
    }
    let mut dropping = false;
    while !rest.is_empty() {
        let (line, after) = split_line(rest);
        if line.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
            break;
        }
        let continues = matches!(line.first(), Some(b' ' | b'\t'));
        if !continues {
            let prefix = headers::PREFIX.as_bytes();
            dropping = line.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        }
        if !dropping {
            out.extend_from_slice(line);
        }
        rest = after;
    }
    match whole {
        true => out.extend_from_slice(rest),
        false => out.extend_from_slice(if crlf { b"\r\n" } else { b"\n" }),
    }
    out
}

fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1))
}

fn push_field(out: &mut Vec<u8>, (name, value): &Field, crlf: bool) {
    let end = if crlf { "\r\n" } else { "\n" };
    let value = if crlf { value.replace('\n', "\r\n") } else { value.clone() };
    out.extend_from_slice(format!("{name}: {value}{end}").as_bytes());
}
