//! The dialects of front ends: bytes of a whole connection, as the server reads them, up to the answer to a verdict.

use std::{hint::black_box, sync::OnceLock, time::Duration};

use criba::{
    budget::Budget,
    profile::Profile,
    verdict::{Findings, Symbol, Verdict},
    wire::{frame::Decoded, headers::Summary, milter, opensmtpd, qmqp, rspamd, spamd},
};

/// The largest message of these connections.
const MESSAGE: usize = 2048;

fn verdict() -> &'static Verdict {
    static VERDICT: OnceLock<Verdict> = OnceLock::new();
    VERDICT.get_or_init(|| {
        let symbol = Symbol {
            name: "A_RULE".into(),
            score: 6.0,
            kind: "body",
            description: "Says so".into(),
            evidence: Vec::new(),
            place: String::new(),
        };
        let findings = Findings { symbols: vec![symbol], ..Findings::default() };
        findings.verdict(&Profile::external(), &Budget::new(Duration::from_secs(1)))
    })
}

/// `wire/milter`: packets, until one is wrong or not all there.
pub fn milter(data: &[u8]) {
    let limits = milter::Limits { packet: 4096, message: MESSAGE, recipients: 8, string: 64 };
    let mut session = milter::Session::new(limits.clone());
    let (mut rest, mut out) = (data, Vec::new());
    while let Ok(Decoded::Done(length)) = milter::codec::length(rest, limits.packet) {
        let Some((packet, after)) = rest[4..].split_at_checked(length) else { break };
        rest = after;
        let Ok(Ok(step)) = milter::Command::decode(packet).map(|command| session.command(command)) else {
            break;
        };
        match step {
            milter::Step::Scan(mail) => {
                assert!(mail.raw.len() <= MESSAGE && mail.envelope.rcpt_to.len() <= 8);
                out.clear();
                session.answer(verdict(), &mut out);
                assert!(!out.is_empty());
            }
            milter::Step::Close => break,
            _ => {}
        }
    }
}

/// `wire/spamd`: one request.
pub fn spamd(data: &[u8]) {
    let Some(end) = spamd::Head::end(data) else { return };
    match spamd::Head::parse(&data[..end], MESSAGE) {
        Ok(head) => {
            let mut body = data[end..].to_vec();
            body.truncate(head.length.unwrap_or(usize::MAX));
            match spamd::Body(body).into_message(&head, MESSAGE) {
                Ok(message) => {
                    assert!(
                        head.length.is_none() || head.is_compressed || head.length == Some(message.len())
                    );
                    assert!(
                        spamd::reply::verdict(&head, verdict(), &message)
                            .starts_with(b"SPAMD/1.1 0 EX_OK\r\n")
                    );
                }
                Err(error) => assert!(spamd::reply::refusal(&error).starts_with(b"SPAMD/1.0 ")),
            }
        }
        Err(error) => assert!(spamd::reply::refusal(&error).starts_with(b"SPAMD/1.0 ")),
    }
}

/// `wire/rspamd`: the head of a request, and lines of chunks.
pub fn rspamd(data: &[u8]) {
    if let Some(end) = rspamd::Head::end(data) {
        match rspamd::Head::parse(&data[..end], MESSAGE) {
            Ok(head) => {
                assert!(!matches!(head.framing, rspamd::Framing::Length(length) if length > MESSAGE));
                let subject = String::from_utf8_lossy(&data[end..]);
                let json = rspamd::reply::json(&rspamd::reply::Check::new(verdict(), &subject));
                assert!(
                    rspamd::reply::http(200, rspamd::reply::JSON, &json, head.keeps_alive)
                        .starts_with(b"HTTP/1.1 200")
                );
            }
            Err(error) => assert!(rspamd::reply::refusal(&error).starts_with(b"HTTP/1.1 4")),
        }
    }
    for line in data.split(|&byte| byte == b'\n').take(20) {
        black_box(String::from_utf8_lossy(line).trim_end().parse::<rspamd::request::Chunk>().is_ok());
    }
}

/// `wire/qmqp`: a request, and a reply of the next server.
pub fn qmqp(data: &[u8]) {
    if let Ok(Decoded::Done(length)) = qmqp::length(data, MESSAGE + 1024)
        && let Some(content) = data.get(length.head..length.head + length.content)
    {
        match qmqp::Request::decode(content, MESSAGE) {
            Ok(request) => {
                assert!(request.message.len() <= MESSAGE && !request.recipients.is_empty());
                assert_eq!(request.envelope().rcpt_to.len(), request.recipients.len());
                let encoded = request.encode(b"");
                let Ok(Decoded::Done(again)) = qmqp::length(&encoded, usize::MAX) else {
                    panic!("{encoded:?}")
                };
                assert_eq!(encoded[again.head..again.head + again.content], *content);
            }
            Err(error) => assert_ne!(qmqp::Reply::refusal(&error).outcome, qmqp::Outcome::Accepted),
        }
    }
    if let Ok(Decoded::Done(reply)) = qmqp::Reply::decode(data)
        && !reply.text.contains('\u{fffd}')
    {
        assert!(data.starts_with(&reply.encode()));
    }
}

/// `wire/opensmtpd`: lines of smtpd; a message is judged at once.
pub fn opensmtpd(data: &[u8]) {
    let limits = opensmtpd::Limits { message: MESSAGE, recipients: 8, sessions: 3, string: 64 };
    let mut filter = opensmtpd::Filter::new(limits);
    let summary = Summary::from(verdict());
    let mut out = Vec::new();
    for line in data.split_inclusive(|&byte| byte == b'\n') {
        let Some(line) = line.strip_suffix(b"\n") else { break };
        match filter.line(line, &mut out) {
            Ok(Some(scan)) => {
                assert!(scan.raw.len() <= MESSAGE && scan.envelope.rcpt_to.len() <= 8);
                filter.answer(&scan, (scan.raw.len() % 2 == 0).then_some(&summary), &mut out);
            }
            Ok(None) => {}
            Err(_) => break,
        }
    }
    assert!(out.is_empty() || out.ends_with(b"\n"));
}
