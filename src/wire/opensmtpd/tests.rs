use std::time::Duration;

use proptest::prelude::*;

use super::{Error, Filter, Limits, Scan};
use crate::{
    budget::Budget,
    profile::Profile,
    verdict::{Findings, Symbol},
    wire::headers::Summary,
};

/// A session of smtpd 6.8 with one message, whose second body line began with a dot.
const SESSION: &str = "\
config|smtpd-version|6.8.0p2
config|smtp-session-timeout|300
config|subsystem|smtp-in
config|ready
report|0.6|1576146008.006099|smtp-in|link-connect|7641df9771b4ed00|client.example|pass|192.0.2.1:33174|192.0.2.2:25
report|0.6|1576146008.006100|smtp-in|link-greeting|7641df9771b4ed00|mx.example.org
report|0.6|1576146008.006101|smtp-in|link-identify|7641df9771b4ed00|EHLO|client
report|0.6|1576146008.006102|smtp-in|link-tls|7641df9771b4ed00|TLSv1.3:AEAD-AES256-GCM-SHA384:256
report|0.6|1576146008.006103|smtp-in|link-auth|7641df9771b4ed00|e|va|pass
report|0.6|1576146008.006104|smtp-in|tx-begin|7641df9771b4ed00|3fcb6b5e
report|0.6|1576146008.006105|smtp-in|tx-mail|7641df9771b4ed00|3fcb6b5e|ok|a@b.example
report|0.6|1576146008.006106|smtp-in|tx-rcpt|7641df9771b4ed00|3fcb6b5e|ok|x|y@d.example
report|0.6|1576146008.006107|smtp-in|tx-rcpt|7641df9771b4ed00|3fcb6b5e|permfail|e@f.example
filter|0.6|1576146008.006108|smtp-in|data-line|7641df9771b4ed00|1ef1c203cc576e5d|Subject: a|b
filter|0.6|1576146008.006109|smtp-in|data-line|7641df9771b4ed00|1ef1c203cc576e5d|X-Spam-Flag: forged
filter|0.6|1576146008.006110|smtp-in|data-line|7641df9771b4ed00|1ef1c203cc576e5d|
filter|0.6|1576146008.006111|smtp-in|data-line|7641df9771b4ed00|1ef1c203cc576e5d|hello
filter|0.6|1576146008.006112|smtp-in|data-line|7641df9771b4ed00|1ef1c203cc576e5d|..dot
filter|0.6|1576146008.006113|smtp-in|data-line|7641df9771b4ed00|1ef1c203cc576e5d|.
";
const COMMIT: &[u8] = b"filter|0.6|1576146008.006114|smtp-in|commit|7641df9771b4ed00|aa|3fcb6b5e";
const DISCONNECT: &[u8] = b"report|0.6|1576146008.006115|smtp-in|link-disconnect|7641df9771b4ed00";

/// Feeds a session line by line, as the bytes of a stream come: what is behind the last line end has not come yet.
fn feed(filter: &mut Filter, bytes: &[u8], out: &mut Vec<u8>) -> Result<Vec<Scan>, Error> {
    let mut scans = Vec::new();
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        if let Some(line) = line.strip_suffix(b"\n") {
            scans.extend(filter.line(line, out)?);
        }
    }
    Ok(scans)
}

fn summary(score: f64) -> Summary {
    let symbol = Symbol {
        name: "A".into(),
        score,
        kind: "body",
        description: "".into(),
        evidence: vec![],
        place: String::new(),
    };
    let findings = Findings { symbols: vec![symbol], ..Findings::default() };
    Summary::from(&findings.verdict(&Profile::external(), &Budget::new(Duration::from_secs(1))))
}

/// What smtpd hears of a message with this score, and of its commit.
fn outcome(summary: Option<&Summary>) -> (String, String) {
    let mut filter = Filter::new(Limits::default());
    let scan = feed(&mut filter, SESSION.as_bytes(), &mut Vec::new()).unwrap().remove(0);
    let (mut lines, mut result) = (Vec::new(), Vec::new());
    filter.answer(&scan, summary, &mut lines);
    assert_eq!(filter.line(COMMIT, &mut result), Ok(None));
    (String::from_utf8(lines).unwrap(), String::from_utf8(result).unwrap())
}

#[test]
fn a_message_comes_with_what_its_session_told() {
    let mut out = Vec::new();
    let scans = feed(&mut Filter::new(Limits::default()), SESSION.as_bytes(), &mut out).unwrap();
    assert!(out.ends_with(b"register|filter|smtp-in|commit\nregister|ready\n"));
    let [scan] = &scans[..] else { panic!("{scans:?}") };
    assert_eq!(scan.raw, b"Subject: a|b\r\nX-Spam-Flag: forged\r\n\r\nhello\r\n.dot\r\n");
    let envelope = &scan.envelope;
    assert_eq!(envelope.client_ip, Some([192, 0, 2, 1].into()));
    assert_eq!(
        (&*envelope.client_name, &*envelope.helo, &*envelope.hostname),
        ("client.example", "client", "mx.example.org")
    );
    assert_eq!((envelope.mail_from.as_deref(), &*envelope.queue_id), (Some("a@b.example"), "3fcb6b5e"));
    assert_eq!(envelope.rcpt_to, ["x|y@d.example"]);
    assert_eq!(envelope.user.as_deref(), Some("e|va"));
    assert_eq!(envelope.tls.as_ref().unwrap().cipher, "AEAD-AES256-GCM-SHA384");
}

#[test]
fn later_and_earlier_versions_order_their_fields_otherwise() {
    let later = SESSION.replace("|0.6|", "|0.7|").replace("|e|va|pass", "|pass|e|va");
    let earlier = SESSION
        .replace("|0.6|", "|0.5|")
        .replace("|ok|a@b.example", "|a@b.example|ok")
        .replace("|ok|x|y@d.example", "|x|y@d.example|ok")
        .replace("|permfail|e@f.example", "|e@f.example|permfail");
    let of = |text: &str| feed(&mut Filter::new(Limits::default()), text.as_bytes(), &mut Vec::new());
    assert_eq!(of(&later), of(SESSION));
    assert_eq!(of(&earlier), of(SESSION));
    assert_eq!(of(&SESSION.replace("|0.6|", "|0.4|")), Err(Error::Version("0.4".into())));
}

#[test]
fn ham_goes_on_marked_and_spam_is_refused_at_the_commit() {
    let (lines, result) = outcome(Some(&summary(1.0)));
    let prefix = "filter-dataline|7641df9771b4ed00|1ef1c203cc576e5d|";
    assert!(
        lines.starts_with(&format!("{prefix}X-Spam-Status: No, score=1.0 required=5.0\n{prefix}\ttests=A\n")),
        "{lines}"
    );
    assert!(!lines.contains("forged"));
    assert!(
        lines
            .ends_with(&format!("{prefix}Subject: a|b\n{prefix}\n{prefix}hello\n{prefix}..dot\n{prefix}.\n")),
        "{lines}"
    );
    assert_eq!(result, "filter-result|7641df9771b4ed00|aa|proceed\n");

    let (lines, result) = outcome(Some(&summary(20.0)));
    assert_eq!(lines, format!("{prefix}.\n"));
    assert!(result.starts_with("filter-result|7641df9771b4ed00|aa|reject|550 5.7.1 "), "{result}");
    let (_, result) = outcome(None);
    assert!(result.contains("|reject|451 4.7.1 "), "{result}");
}

#[test]
fn what_nobody_judged_is_not_taken() {
    let mut filter = Filter::new(Limits::default());
    let mut out = Vec::new();
    assert_eq!(filter.line(COMMIT, &mut out), Ok(None));
    assert!(out.starts_with(b"filter-result|7641df9771b4ed00|aa|reject|451"));
    // One decision is for one message.
    let scan = feed(&mut filter, SESSION.as_bytes(), &mut out).unwrap().remove(0);
    filter.answer(&scan, Some(&summary(0.0)), &mut out);
    for verdict in ["proceed", "reject|451"] {
        out.clear();
        assert_eq!(filter.line(COMMIT, &mut out), Ok(None));
        assert!(String::from_utf8_lossy(&out).contains(verdict));
    }
}

#[test]
fn what_is_too_much_is_refused_and_not_kept() {
    let mut filter = Filter::new(Limits { message: 30, sessions: 1, ..Limits::default() });
    let mut out = Vec::new();
    assert_eq!(feed(&mut filter, SESSION.as_bytes(), &mut out), Ok(vec![]));
    assert!(out.ends_with(b"filter-dataline|7641df9771b4ed00|1ef1c203cc576e5d|.\n"));
    assert_eq!(filter.line(COMMIT, &mut out), Ok(None));
    assert!(String::from_utf8_lossy(&out).contains("|reject|552 5.3.4"));
    // A session more than is kept is put off.
    out.clear();
    assert_eq!(feed(&mut filter, SESSION.replace("7641df97", "aaaaaaaa").as_bytes(), &mut out), Ok(vec![]));
    assert!(out.ends_with(b"filter-dataline|aaaaaaaa71b4ed00|1ef1c203cc576e5d|.\n"));
}

#[test]
fn a_session_that_left_hears_nothing() {
    let mut filter = Filter::new(Limits::default());
    let mut out = Vec::new();
    let scan = feed(&mut filter, SESSION.as_bytes(), &mut out).unwrap().remove(0);
    out.clear();
    assert_eq!(filter.line(DISCONNECT, &mut out), Ok(None));
    filter.answer(&scan, Some(&summary(0.0)), &mut out);
    assert_eq!(out, b"");
}

#[test]
fn no_part_of_a_session_is_answered_as_the_whole() {
    for end in 0..SESSION.len() {
        let mut filter = Filter::new(Limits::default());
        let scans = feed(&mut filter, &SESSION.as_bytes()[..end], &mut Vec::new()).unwrap();
        assert_eq!(scans, [], "{end}");
    }
}

#[test]
fn a_session_with_one_byte_changed_is_understood_or_an_error() {
    let mut refused = 0;
    for at in 0..SESSION.len() {
        for byte in 0..=255 {
            let mut damaged = SESSION.as_bytes().to_vec();
            damaged[at] = byte;
            let mut filter = Filter::new(Limits::default());
            let mut out = Vec::new();
            match feed(&mut filter, &damaged, &mut out) {
                Ok(scans) => scans.iter().for_each(|scan| filter.answer(scan, None, &mut out)),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 0);
}

proptest! {
    #[test]
    fn no_lines_make_it_panic(lines in proptest::collection::vec("[ -~]{0,80}", 0..20)) {
        let mut filter = Filter::new(Limits { message: 100, recipients: 2, sessions: 2, string: 5 });
        let mut out = Vec::new();
        for line in lines {
            let known = format!("filter|0.7|1|smtp-in|data-line|{line}");
            for line in [line, known] {
                if let Ok(Some(scan)) = filter.line(line.as_bytes(), &mut out) {
                    filter.answer(&scan, None, &mut out);
                }
            }
        }
    }
}
