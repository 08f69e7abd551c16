//! What the client hears.

use std::{collections::BTreeMap, fmt::Write};

use serde::Serialize;

use super::request::Error;
use crate::{
    verdict::{Action, Symbol, Verdict},
    wire::headers::{SUBJECT_PREFIX, Summary},
};

/// An HTTP reply with a JSON body, or a text one.
pub fn http(status: u16, kind: &str, body: &[u8], keeps_alive: bool) -> Vec<u8> {
    let reason = match status {
        200 => "OK",
        208 => "Already Reported",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        411 => "Length Required",
        413 => "Content Too Large",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Internal Server Error",
    };
    let connection = if keeps_alive { "keep-alive" } else { "close" };
    let mut reply = format!(
        "HTTP/1.1 {status} {reason}\r\nServer: criba/{}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Connection: {connection}\r\n\r\n",
        env!("CARGO_PKG_VERSION"),
        body.len()
    )
    .into_bytes();
    reply.extend_from_slice(body);
    reply
}

/// The reply to one that waits for leave to send its message.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The reply to a PING of the text variant.
pub const PONG: &[u8] = b"RSPAMD/1.3 0 PONG\r\n\r\n";

/// `{"error": ..}`, as rspamd's clients expect it.
pub fn failure(status: u16, what: &str, is_text: bool) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        error: &'a str,
    }
    match is_text {
        // EX_TEMPFAIL: Exim defers.
        true => format!("RSPAMD/1.3 75 {}\r\n\r\n", what.replace(['\r', '\n'], " ")).into_bytes(),
        false => http(status, JSON, &json(&Body { error: what }), false),
    }
}

/// The reply to a request that cannot be read.
pub fn refusal(error: &Error) -> Vec<u8> {
    failure(error.status(), &error.to_string(), false)
}

/// Content type of all bodies but `pong`.
pub const JSON: &str = "application/json";

/// The JSON of `body`.
pub fn json(body: &impl Serialize) -> Vec<u8> {
    // Strings and numbers: there is nothing in it that JSON cannot hold.
    simd_json::to_vec(body).unwrap_or_default()
}

/// The body of the reply to `/checkv2`.
#[derive(Debug, Serialize)]
pub struct Check<'v> {
    is_skipped: bool,
    score: f64,
    required_score: f64,
    action: Action,
    symbols: BTreeMap<&'v str, Found<'v>>,
    messages: BTreeMap<&'static str, &'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    urls: Vec<&'v str>,
    emails: Vec<&'v str>,
    #[serde(rename = "message-id")]
    message_id: &'v str,
    profile: &'v str,
    time_real: f64,
    scan_time: f64,
    milter: Milter,
    /// The rest of criba's own verdict that rspamd has no word for.
    complete: bool,
    skipped: &'v [crate::budget::Skipped],
}

#[derive(Debug, Serialize)]
struct Found<'v> {
    name: &'v str,
    score: f64,
    metric_score: f64,
    description: &'v str,
    options: &'v [String],
}

#[derive(Debug, Serialize)]
struct Milter {
    add_headers: BTreeMap<&'static str, Added>,
    remove_headers: BTreeMap<&'static str, i32>,
}

#[derive(Debug, Serialize)]
struct Added {
    value: String,
    order: i32,
}

impl<'v> Check<'v> {
    /// What a verdict says, for a message with this subject.
    pub fn new(verdict: &'v Verdict, subject: &str) -> Check<'v> {
        let found = |symbol: &'v Symbol| Found {
            name: &symbol.name,
            score: symbol.score,
            metric_score: symbol.score,
            description: &symbol.description,
            options: &symbol.evidence,
        };
        let is_mail = |uri: &&str| uri.starts_with("mailto:");
        let uris = || verdict.uris.iter().map(|found| found.uri.as_str());
        let rewritten = verdict.action == Action::RewriteSubject;
        let message = match verdict.action {
            Action::Reject => Some(("smtp_message", "Spam message rejected")),
            Action::SoftReject | Action::Greylist => Some(("smtp_message", "Try again later")),
            _ => None,
        };
        let fields = Summary::from(verdict).fields().into_iter();
        let seconds = verdict.elapsed_ms / 1e3;
        Check {
            is_skipped: false,
            score: verdict.score,
            required_score: verdict.required,
            action: verdict.action,
            symbols: verdict.symbols.iter().map(|symbol| (&*symbol.name, found(symbol))).collect(),
            messages: message.into_iter().collect(),
            subject: rewritten.then(|| format!("{SUBJECT_PREFIX}{subject}")),
            urls: uris().filter(|uri| !is_mail(uri)).collect(),
            emails: uris().filter(is_mail).filter_map(|uri| uri.get("mailto:".len()..)).collect(),
            message_id: verdict.message_id.trim_matches(['<', '>', ' ', '\t']),
            profile: &verdict.profile,
            time_real: seconds,
            scan_time: seconds,
            milter: Milter {
                add_headers: fields.map(|(name, value)| (name, Added { value, order: 1 })).collect(),
                remove_headers: Summary::NAMES.iter().map(|name| (*name, 0)).collect(),
            },
            complete: verdict.complete,
            skipped: &verdict.skipped,
        }
    }
}

/// The reply of the text variant to a message that was judged: `Metric: default; True; 15.1 / 5.0 / 15.0`.
pub fn text(verdict: &Verdict) -> Vec<u8> {
    /// Exim reads no further than 32,600 bytes.
    const MOST: usize = 30_000;
    let is_spam = if verdict.score >= verdict.required { "True" } else { "False" };
    let mut reply = format!(
        "RSPAMD/1.3 0 EX_OK\r\nMetric: default; {is_spam}; {:.2} / {:.2} / 0.0\r\nAction: {}\r\n",
        verdict.score,
        verdict.required,
        verdict.action.name()
    );
    for symbol in &verdict.symbols {
        let line = format!("Symbol: {}({:.2})\r\n", symbol.name, symbol.score);
        if reply.len() + line.len() > MOST {
            break;
        }
        reply.push_str(&line);
    }
    let id = verdict.message_id.trim_matches(['<', '>', ' ', '\t']);
    let _ = write!(reply, "Message-ID: {}\r\n\r\n", id.replace(['\r', '\n'], " "));
    reply.into_bytes()
}
