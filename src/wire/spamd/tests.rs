//! Requests as clients send them, and the replies that they depend on.

use std::{io::Write, time::Duration};

use flate2::{Compression, write::ZlibEncoder};
use proptest::prelude::*;

use super::{
    reply,
    request::{Body, Command, Error, Head},
};
use crate::{
    budget::{Budget, Stage, Why},
    profile::Profile,
    verdict::{Findings, Symbol, Verdict},
};

const LIMIT: usize = 1 << 20;

fn head(text: &str) -> Result<Head, Error> {
    Head::parse(text.as_bytes(), LIMIT)
}

fn judged(scores: &[f64]) -> Verdict {
    let symbols = scores.iter().enumerate().map(|(index, &score)| Symbol {
        name: format!("RULE_{index}").into(),
        score,
        kind: "body",
        description: "Says so".into(),
        evidence: vec![],
        place: String::new(),
    });
    let findings = Findings { symbols: symbols.collect(), ..Findings::default() };
    findings.verdict(&Profile::external(), &Budget::new(Duration::from_secs(1)))
}

fn answer(request: &str, verdict: &Verdict, message: &str) -> String {
    let head = head(&format!("{request}\r\n\r\n")).unwrap();
    String::from_utf8(reply::verdict(&head, verdict, message.as_bytes())).unwrap()
}

#[test]
fn a_request_of_spamc_is_read() {
    let text = "SYMBOLS SPAMC/1.5\r\nUser: eva\r\nContent-length: 12\r\nX-Later: 1\r\n\r\nSubject: x\r\n";
    assert_eq!(Head::end(text.as_bytes()), text.find("Subject"));
    assert_eq!(Head::end(b"SYMBOLS SPAMC/1.5\r\nUser: eva\r\n"), None);
    let head = head(text).unwrap();
    assert_eq!((head.command, head.version, head.length), (Command::Symbols, (1, 5), Some(12)));
    assert_eq!(head.user.as_deref(), Some("eva"));
}

#[test]
fn what_is_no_request_is_refused_with_the_line() {
    for text in ["", "HELLO SPAMC/1.5\r\n\r\n", "CHECK SPAMC/x\r\n\r\n", "CHECK SPAMC/1.5 more\r\n\r\n"] {
        assert!(matches!(head(text), Err(Error::Line(_))), "{text}");
    }
    let said = head("CHECK SPAMC/1.5\r\nno colon\r\n\r\n").unwrap_err();
    assert_eq!((said.code(), said.to_string().as_str()), (76, "Bad header line: no colon"));
    assert!(head("CHECK SPAMC/1.5\r\nContent-length: -1\r\n\r\n").is_err());
    let large = head("CHECK SPAMC/1.5\r\nContent-length: 99999999\r\n\r\n").unwrap_err();
    assert_eq!(large, Error::TooLarge { size: 99_999_999, limit: LIMIT });
}

#[test]
fn a_body_of_another_length_than_announced_is_refused() {
    let head = head("CHECK SPAMC/1.5\r\nContent-length: 5\r\n\r\n").unwrap();
    let short = Body(b"four".to_vec()).into_message(&head, LIMIT);
    assert_eq!(short, Err(Error::Length { announced: 5, got: 4 }));
}

#[test]
fn a_packed_body_is_unpacked_within_the_limit() {
    let pack = |bytes: &[u8]| {
        let mut packer = ZlibEncoder::new(Vec::new(), Compression::default());
        packer.write_all(bytes).unwrap();
        Body(packer.finish().unwrap())
    };
    let head = head("CHECK SPAMC/1.5\r\nCompress: zlib\r\n\r\n").unwrap();
    assert_eq!(pack(b"Subject: x\n\n").into_message(&head, LIMIT).unwrap(), b"Subject: x\n\n");
    assert_eq!(pack(&vec![0; LIMIT + 1]).into_message(&head, LIMIT), Err(Error::Compression));
    assert_eq!(Body(b"no zlib".to_vec()).into_message(&head, LIMIT), Err(Error::Compression));
}

#[test]
fn replies_differ_by_the_version_of_the_client() {
    let spam = judged(&[15.0]);
    let new = answer("CHECK SPAMC/1.5", &spam, "");
    assert_eq!(new, "SPAMD/1.1 0 EX_OK\r\nContent-length: 0\r\nSpam: True ; 15.0 / 5.0\r\n\r\n");
    // Exim reads the verdict in the second line.
    let exim = answer("REPORT SPAMC/1.2", &spam, "");
    assert!(exim.starts_with("SPAMD/1.1 0 EX_OK\r\nSpam: True ; 15.0 / 5.0\r\n\r\n"), "{exim}");
    let old = answer("PROCESS SPAMC/1.2", &spam, "Subject: x\n\nhi\n");
    assert!(old.starts_with("SPAMD/1.1 0 EX_OK\r\nContent-length: ") && !old.contains("\r\nSpam:"), "{old}");
}

#[test]
fn ham_just_below_the_threshold_does_not_look_like_spam() {
    let reply = answer("CHECK SPAMC/1.5", &judged(&[4.96]), "");
    assert!(reply.contains("Spam: False ; 4.9 / 5.0"), "{reply}");
}

#[test]
fn each_command_has_its_body() {
    let (spam, ham) = (judged(&[4.0, 2.0]), judged(&[1.0]));
    assert!(answer("SYMBOLS SPAMC/1.5", &spam, "").ends_with("\r\n\r\nRULE_0,RULE_1"));
    assert!(answer("SYMBOLS SPAMC/1.2", &spam, "").ends_with("\r\n\r\nRULE_0,RULE_1\r\n"));
    assert!(answer("REPORT SPAMC/1.5", &ham, "").contains("1.0 RULE_0"));
    assert!(answer("REPORT_IFSPAM SPAMC/1.5", &ham, "").ends_with("Spam: No ; 1.0 / 5.0\r\n\r\n"));
    assert!(
        answer("REPORT_IFSPAM SPAMC/1.5", &spam, "")
            .contains("Spam: Yes ; 6.0 / 5.0\r\n\r\nContent analysis")
    );
}

#[test]
fn forged_fields_go_and_the_rest_stays_byte_for_byte() {
    let message =
        "Received: a\r\n\tb\r\nX-Spam-Flag: NO\r\n folded\r\nSubject: x\r\n\r\nX-Spam-Flag: in the body\r\n";
    let reply = answer("PROCESS SPAMC/1.5", &judged(&[6.0]), message);
    let (_, body) = reply.split_once("\r\n\r\n").unwrap();
    assert!(body.starts_with("X-Spam-Flag: YES\r\nX-Spam-Status: Yes, score=6.0"), "{body}");
    assert!(body.ends_with("Received: a\r\n\tb\r\nSubject: x\r\n\r\nX-Spam-Flag: in the body\r\n"), "{body}");
    assert!(!body.contains("folded") && body.contains("X-Spam-Report:"));
    let announced: usize =
        reply.split("Content-length: ").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    assert_eq!(announced, body.len());
    let only = answer("HEADERS SPAMC/1.5", &judged(&[6.0]), message);
    assert!(only.ends_with("Subject: x\r\n\r\n"), "{only}");
}

#[test]
fn the_report_in_the_header_has_a_line_for_each_rule_and_no_empty_one() {
    let reply = answer("HEADERS SPAMC/1.5", &judged(&[4.0, 112.5]), "Subject: x\r\n\r\n");
    let (_, header) = reply.split_once("\r\n\r\n").unwrap();
    assert!(
        header.contains(
            "\r\nX-Spam-Report: \r\n\t*  4.0 RULE_0 Says so\r\n\t* 112.5 RULE_1 Says so\r\nSubject"
        ),
        "{header}"
    );
    let (fields, _) = header.split_once("\r\n\r\n").unwrap();
    assert!(fields.lines().all(|line| !line.trim().is_empty()), "{header}");
}

#[test]
fn a_mail_that_could_not_be_checked_is_put_off() {
    let mut budget = Budget::new(Duration::from_secs(1));
    budget.skip(Stage::Ocr, "part 1", Why::Deadline);
    let verdict = Findings::default().verdict(&Profile::external(), &budget);
    assert!(answer("CHECK SPAMC/1.5", &verdict, "").starts_with("SPAMD/1.0 75 "));
}

#[test]
fn a_failure_is_no_head_that_ends() {
    assert_eq!(reply::failure(77, "not\r\nhere"), b"SPAMD/1.0 77 not  here\r\n");
}

proptest! {
    #[test]
    fn arbitrary_requests_do_no_harm(bytes: Vec<u8>, message: Vec<u8>) {
        let _ = (Head::end(&bytes), Head::parse(&bytes, LIMIT));
        let head = head("PROCESS SPAMC/1.5\r\nCompress: zlib\r\n\r\n").unwrap();
        let _ = Body(bytes).into_message(&head, LIMIT);
        let _ = reply::verdict(&head, &judged(&[9.0]), &message);
    }
}
