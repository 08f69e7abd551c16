//! What the client hears.

use std::fmt::Write;

use super::request::{Command, Error, Head};
use crate::{
    verdict::{Action, Symbol, Verdict},
    wire::headers::{self, Marked, Summary},
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
///
/// One line and no empty one behind it, as in spamd: `spamc` does not look at the code, it misses the end of the head.
/// With that it would tell a user whose message was not learned that it was learned already.
pub fn failure(code: u8, what: &str) -> Vec<u8> {
    format!("SPAMD/1.0 {code} {}\r\n", what.replace(['\r', '\n'], " ")).into_bytes()
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
        // Who reads by length takes a line end for a part of the last name.
        Command::Symbols if head.knows_length() => names(verdict).into_bytes(),
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
        let _ = writeln!(text, "{:4.1} {:22} {}", symbol.score, symbol.name, meaning(symbol));
    }
    for line in left_out(verdict) {
        let _ = writeln!(text, " {line}");
    }
    text
}

fn meaning(symbol: &Symbol) -> String {
    let place = if symbol.place.is_empty() { String::new() } else { format!(" ({})", symbol.place) };
    format!("{}{place}", symbol.description)
}

fn left_out(verdict: &Verdict) -> impl Iterator<Item = String> {
    verdict.skipped.iter().filter(|skipped| skipped.why.is_incomplete()).map(|skipped| {
        let place = if skipped.place.is_empty() { "all" } else { &skipped.place };
        format!("not looked at: {} of {place} ({})", skipped.stage.name(), skipped.why)
    })
}

/// The report as a header field, a line a rule behind a star, as SpamAssassin has it (`report_safe 0`): no line of it is
/// empty, which some servers take for the end of the header.
fn report_field(verdict: &Verdict) -> String {
    let symbols = verdict.symbols.iter();
    let symbols = symbols.map(|symbol| format!("{:4.1} {} {}", symbol.score, symbol.name, meaning(symbol)));
    symbols.chain(left_out(verdict)).map(|line| format!("\n\t* {}", line.trim_end())).collect()
}

/// The message with our fields on top of its header and other filters' fields gone.
fn with_fields(message: &[u8], verdict: &Verdict, whole: bool) -> Vec<u8> {
    let report = is_spam(verdict).then(|| ("X-Spam-Report", report_field(verdict)));
    let Marked { mut header, body } = Marked::new(message, &Summary::from(verdict), report.as_slice());
    match whole {
        true => header.extend_from_slice(body),
        false => header.extend_from_slice(headers::line_end(header.ends_with(b"\r\n"))),
    }
    header
}
