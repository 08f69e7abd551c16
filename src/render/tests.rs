//! Whole messages through all views.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{Origin, Rendered, Settings, render, render_until, uris_in};
use crate::mime::{Arena, Limits, Message};

fn view<T>(raw: &[u8], look: impl FnOnce(&Rendered<'_>) -> T) -> T {
    let arena = Arena::new();
    let message = Message::parse(raw, &arena, &Limits::default());
    look(&render(&message))
}

fn body(raw: &[u8]) -> Vec<String> {
    view(raw, |rendered| rendered.body.iter().map(|unit| unit.escape_ascii().to_string()).collect())
}

#[test]
fn plain_text_becomes_units_after_the_subject() {
    let raw = b"Subject: =?utf-8?q?caf=C3=A9?=\n\nHello\nworld.\n\nSee http://www.example.com/.\n";
    assert_eq!(body(raw), ["caf\\xc3\\xa9\\n", "Hello world.\\n", "See http://www.example.com/. "]);
    view(raw, |rendered| {
        assert_eq!(rendered.subject, "caf\u{e9}");
        assert_eq!(rendered.full, raw);
        assert_eq!(rendered.rawbody, [&b"Hello\nworld.\n\nSee http://www.example.com/.\n"[..]]);
        let uri = &rendered.uris[0];
        assert_eq!(
            (uri.raw, uri.host, uri.domain),
            ("http://www.example.com/", "www.example.com", "example.com")
        );
        assert_eq!((uri.origin, uri.part, rendered.uris.len()), (Origin::Text, 0, 1));
    });
}

#[test]
fn rendering_ends_when_time_is_up_and_says_so() {
    let arena = Arena::new();
    let raw = b"Subject: hi\n\nHello http://www.example.com/\n";
    let message = Message::parse(raw, &arena, &Limits::default());
    let until = |until| render_until(&message, &Settings::default(), Some(until));
    let late = until(Instant::now());
    assert!(late.is_cut && late.body.is_empty() && late.uris.is_empty());
    let whole = until(Instant::now() + Duration::from_secs(600));
    assert_eq!((whole.is_cut, whole.body.len(), whole.uris.len()), (false, 2, 1));
}

#[test]
fn parts_join_and_split() {
    let raw = b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\naaa\n--b\nContent-Type: text/html\n\nb<b>b</b>b\n\
                --b\nContent-Type: image/gif\n\nGIF\n--b\nContent-Type: text/calendar\n\nccc\n--b\n\nddd\n--b--\n";
    assert_eq!(body(raw), ["\\n", "aaa bbb\\n", "ddd"]);
    view(raw, |rendered| {
        let raw: Vec<&[u8]> = rendered.rawbody.clone();
        assert_eq!(raw, [&b"aaa"[..], b"b<b>b</b>b", b"ddd"]);
    });
}

#[test]
fn ascii_html_with_latin_1_references_stays_bytes() {
    let raw = b"Content-Type: text/html\n\ncaf&eacute; &#160;x\n";
    assert_eq!(body(raw), ["\\n", "caf\\xe9 \\xa0x "]);
    // One character beyond Latin-1 makes it Unicode.
    let raw = b"Content-Type: text/html\n\ncaf&eacute; &#160;x &euro;\n";
    assert_eq!(body(raw), ["\\n", "caf\\xc3\\xa9 x \\xe2\\x82\\xac "]);
}

#[test]
fn hidden_text_is_kept_apart_from_what_is_seen() {
    let raw = b"Subject: s\nContent-Type: text/html\n\n<p>Buy now<font color=#fffffe>weather report</font> here</p>";
    view(raw, |rendered| {
        assert_eq!(rendered.body.concat(), b"s\n\nBuy nowweather report here\n");
        assert_eq!(rendered.visible().concat(), b"s\n\nBuy now here\n");
        assert_eq!(rendered.invisible.concat(), b"weather report");
    });
    view(b"Subject: s\n\nx\n", |rendered| assert_eq!(rendered.visible(), rendered.body.as_slice()));
}

#[test]
fn a_phishing_link_shows_one_host_and_goes_to_another() {
    let raw = b"Content-Type: text/html\n\nLog in: <a href=\"http://evil.example.net/a?x\">https://www.bank.example.com/</a>\n";
    view(raw, |rendered| {
        let found: Vec<_> =
            rendered.uris.iter().map(|uri| (uri.origin, uri.element, uri.host, uri.anchor)).collect();
        assert_eq!(
            found,
            [
                (Origin::Text, "", "www.bank.example.com", ""),
                (Origin::Html, "a", "evil.example.net", "https://www.bank.example.com/"),
            ]
        );
    });
}

#[test]
fn bare_hosts_and_addresses_are_links_of_the_text() {
    let raw = b"Subject: example.org\n\nwrite to Joe@example.com or example.net/x, not to x.notatld or 1.5\n";
    view(raw, |rendered| {
        let found: Vec<_> =
            rendered.uris.iter().map(|uri| (uri.raw, uri.is_schemeless, uri.is_unlinked)).collect();
        assert_eq!(
            found,
            [
                ("http://example.org", true, true),
                ("mailto:Joe@example.com", true, false),
                ("http://example.net/x", true, true),
            ]
        );
    });
}

#[test]
fn anchors_that_go_nowhere_are_empty_links() {
    let raw = b"Content-Type: text/html\n\n<a name=x>here</a>\n";
    view(raw, |rendered| {
        let uris: Vec<_> =
            rendered.uris.iter().map(|uri| (uri.raw, uri.variants.clone(), uri.anchor)).collect();
        assert_eq!(uris, [("", vec![""], "here")]);
    });
}

#[test]
fn signatures_name_their_domains() {
    let raw = b"DKIM-Signature: v=1; a=rsa-sha256; d= Mail.Example.com;\n\ts=x; bh=d=no; b=abc\n\nx\n";
    view(raw, |rendered| assert_eq!(rendered.signers, [("mail.example.com", "example.com")]));
}

#[test]
fn late_text_has_links_too() {
    assert_eq!(uris_in("Order:\nwww. super rx .org\n"), ["http://www.superrx.org"]);
}

proptest! {
    #[test]
    fn any_message_renders(head in "[ -~\n]{0,80}", raw in proptest::collection::vec(any::<u8>(), 0..600), html: bool) {
        let kind = if html { "html" } else { "plain" };
        let mut message = format!("Subject: x\nContent-Type: text/{kind}; charset=utf-8\n\n{head}").into_bytes();
        message.extend(raw);
        view(&message, |rendered| assert!(!rendered.body.is_empty()));
    }
}
