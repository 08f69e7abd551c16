//! What SpamAssassin makes of a message, fact by fact (SpamAssassin 4.0.1 was asked).

use super::*;

fn with<T>(raw: &[u8], look: impl FnOnce(&Message<'_>) -> T) -> T {
    let arena = Arena::new();
    look(&Message::parse(raw, &arena, &Limits::default()))
}

/// Type and decoded body of every leaf.
fn leaves(raw: &[u8]) -> Vec<(String, String)> {
    with(raw, |message| {
        let mut leaves = Vec::new();
        for (_, part) in message.leaves() {
            let bytes = String::from_utf8_lossy(part.decoded(message)).into_owned();
            leaves.push((format!("{}/{}", part.kind, part.subkind), bytes));
        }
        leaves
    })
}

fn bodies(raw: &[u8]) -> Vec<String> {
    leaves(raw).into_iter().map(|(_, body)| body).collect()
}

fn header(raw: &[u8], name: &str) -> Option<String> {
    with(raw, |message| message.header(name).map(str::to_owned))
}

const MIXED: &str = "Content-Type: multipart/mixed; boundary=b\n\n";

#[test]
fn the_line_break_before_a_boundary_belongs_to_the_boundary() {
    let parts = |body: &str| bodies(format!("{MIXED}--b\n\n{body}--b--\n").as_bytes());
    assert_eq!(parts("aaa\n"), ["aaa"]);
    assert_eq!(parts("aaa\n\n"), ["aaa\n"]);
    assert_eq!(parts("aaa\r\n"), ["aaa\r"], "only the LF goes: this is no CRLF message");
    assert_eq!(parts(""), [""]);
}

#[test]
fn the_mbox_line_is_no_part_of_the_message() {
    let raw = b"From me@example.com Thu Nov 26 2026\nSubject: x\n\nbody\n";
    with(raw, |message| {
        assert_eq!(message.raw, b"Subject: x\n\nbody\n");
        assert_eq!(message.body_offset, 12);
    });
    assert_eq!(header(b"From : me\n\n", "from").as_deref(), Some("me"));
}

#[test]
fn an_empty_message_is_a_line_feed() {
    with(b"", |message| {
        assert_eq!((message.raw, message.body_offset), (&b"\n"[..], 1));
        assert_eq!(message.parts.len(), 1);
    });
}

#[test]
fn crlf_is_lf_in_values_and_text_and_stays_in_raw() {
    let raw = b"Subject: a\r\n b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\ntwo\r\n--b--\r\n";
    with(raw, |message| {
        assert_eq!(message.header("subject"), Some("a b"));
        let subject = message.headers("Subject").next().map(|header| header.raw);
        assert_eq!(subject, Some(&b" a\n b\n"[..]));
        assert_eq!(message.parts[1].decoded(message), b"one\ntwo");
        assert_eq!(message.parts[1].raw_body, b"one\r\ntwo");
        assert_eq!(message.raw, raw);
    });
}
