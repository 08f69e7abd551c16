use std::time::Duration;

use proptest::prelude::*;
use simd_json::prelude::*;

use super::{
    reply,
    request::{Chunk, Error, Framing, Head, Target},
};
use crate::{
    budget::{Budget, Stage, Why},
    profile::Profile,
    verdict::{Findings, FoundUri, Symbol, Verdict},
};

const LIMIT: usize = 1000;

fn parse(head: &str) -> Result<Head, Error> {
    Head::parse(head.as_bytes(), LIMIT)
}

fn verdict(score: f64) -> Verdict {
    let symbol = Symbol {
        name: "SPAMMY".into(),
        score,
        kind: "body",
        description: "Spammy words".into(),
        evidence: vec!["buy now".into()],
        place: String::new(),
    };
    let uri = |uri: &str| FoundUri { uri: uri.into(), origin: "text" };
    let findings = Findings {
        symbols: vec![symbol],
        uris: vec![uri("http://a.example/"), uri("mailto:b@c.example")],
        message_id: "<1@test>".into(),
        ..Findings::default()
    };
    let mut budget = Budget::new(Duration::from_secs(1));
    budget.skip(Stage::Ocr, "part 2", Why::Disabled);
    findings.verdict(&Profile::external(), &budget)
}

#[test]
fn a_check_brings_the_envelope() {
    let head = parse(
        "POST /checkv2?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nIP: 192.0.2.1\r\nFrom: <a@b>\r\nRcpt: c@d\r\n\
         rcpt: e@f\r\nHelo: h\r\nHostname: unknown\r\nUser: joe\r\nQueue-Id: 4tX\r\nMTA-Name: mx\r\nSPF: pass\r\n\
         TLS-Version: TLSv1.3\r\nSettings-ID: internal\r\nPassword: q1\r\nExpect: 100-continue\r\n\r\n",
    )
    .unwrap();
    assert_eq!((head.target, head.framing), (Target::Check, Framing::Length(12)));
    assert!(head.keeps_alive && head.waits && !head.is_text);
    assert_eq!((head.settings.as_deref(), head.password.as_deref()), (Some("internal"), Some("q1")));
    let envelope = head.envelope;
    assert_eq!(envelope.client_ip, Some("192.0.2.1".parse().unwrap()));
    assert_eq!(
        (envelope.mail_from.as_deref(), &envelope.rcpt_to[..]),
        (Some("a@b"), &["c@d".into(), "e@f".into()][..])
    );
    assert_eq!((&*envelope.helo, &*envelope.client_name, &*envelope.hostname), ("h", "", "mx"));
    assert_eq!((envelope.user.as_deref(), &*envelope.queue_id), (Some("joe"), "4tX"));
    assert_eq!(envelope.tls.unwrap().version, "TLSv1.3");
}

#[test]
fn the_text_variant_is_known_by_its_version() {
    let head = parse(
        "CHECK RSPAMC/1.3\r\nContent-length: 5\r\nFrom: a@b\r\nRecipient-Number: 1\r\nRcpt: c@d\r\n\r\n",
    )
    .unwrap();
    assert_eq!((head.target, head.framing), (Target::Check, Framing::Length(5)));
    assert!(head.is_text && !head.keeps_alive);
    assert_eq!(head.envelope.rcpt_to, ["c@d"]);
    assert_eq!(parse("PING RSPAMC/1.3\r\n\r\n").unwrap().target, Target::Ping);
    assert!(matches!(parse("DANCE RSPAMC/1.3\r\n\r\n"), Err(Error::NotFound(_))));
}

#[test]
fn what_cannot_be_answered_is_refused_with_its_status() {
    for (head, status) in [
        ("POST /checkv2 HTTP/1.1\r\n\r\n", 411),
        ("POST /checkv2 HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413),
        ("POST /checkv2 HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        ("POST /checkv2 HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        ("POST /checkv2 HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        ("GET /nowhere HTTP/1.1\r\n\r\n", 404),
        ("nonsense\r\n\r\n", 400),
        ("\r\n\r\n", 400),
    ] {
        assert_eq!(parse(head).unwrap_err().status(), status, "{head}");
    }
    let many = format!("GET /ping HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(300));
    assert_eq!(parse(&many).unwrap_err().status(), 431);
    assert!(reply::refusal(&Error::NoLength).starts_with(b"HTTP/1.1 411 Length Required\r\n"));
}

#[test]
fn chunks_have_hexadecimal_sizes() {
    assert_eq!("1aF; x=y".parse::<Chunk>().unwrap().size, 0x1af);
    assert_eq!("0".parse::<Chunk>().unwrap().size, 0);
    for wrong in ["", "-1", "+1", "g", "ffffffffffffffffff"] {
        assert!(wrong.parse::<Chunk>().is_err(), "{wrong}");
    }
}

#[test]
fn the_json_is_what_rspamds_clients_read() {
    let verdict = verdict(7.5);
    let mut json = reply::json(&reply::Check::new(&verdict, "hello"));
    let body = simd_json::to_owned_value(&mut json).unwrap();
    assert_eq!(body.get_str("action"), Some("add header"));
    assert_eq!((body.get_f64("score"), body.get_f64("required_score")), (Some(7.5), Some(5.0)));
    let found = body.get("symbols").unwrap().get("SPAMMY").unwrap();
    assert_eq!((found.get_str("name"), found.get_f64("score")), (Some("SPAMMY"), Some(7.5)));
    assert_eq!(body.get_str("message-id"), Some("1@test"));
    assert_eq!(body.get_array("urls").unwrap()[0].as_str(), Some("http://a.example/"));
    assert_eq!(body.get_array("emails").unwrap()[0].as_str(), Some("b@c.example"));
    let added = body.get("milter").unwrap().get("add_headers").unwrap();
    assert_eq!(added.get("X-Spam-Flag").unwrap().get_str("value"), Some("YES"));
    assert!(body.get("milter").unwrap().get("remove_headers").unwrap().get("X-Spam-Report").is_some());
}

#[test]
fn the_text_has_the_lines_that_exim_reads_and_stays_short() {
    let text = String::from_utf8(reply::text(&verdict(15.1))).unwrap();
    assert!(text.starts_with(
        "RSPAMD/1.3 0 EX_OK\r\nMetric: default; True; 15.10 / 5.00 / 0.0\r\nAction: reject\r\n"
    ));
    assert!(text.contains("Symbol: SPAMMY(15.10)\r\n") && text.contains("Message-ID: 1@test\r\n"));
    let mut many = verdict(1.0);
    many.symbols = vec![many.symbols[0].clone(); 5000];
    assert!(reply::text(&many).len() < 32_000);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Head::parse(&bytes, LIMIT);
        let _ = Head::end(&bytes);
        let _ = String::from_utf8_lossy(&bytes).parse::<Chunk>();
    }

    #[test]
    fn damaged_requests_are_read_or_refused(at in 0_usize..150, byte in any::<u8>()) {
        let mut head = b"POST /checkv2 HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\nIP: 192.0.2.1\r\nFrom: <a@b>\r\nRcpt: c@d\r\n\r\n".to_vec();
        if let Some(changed) = head.get_mut(at) {
            *changed = byte;
        }
        let _ = Head::parse(&head, LIMIT);
        let _ = Head::parse(&head[..at.min(head.len())], LIMIT);
    }
}
