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

#[test]
fn an_unterminated_part_keeps_its_last_line_break() {
    assert_eq!(bodies(format!("{MIXED}--b\n\naaa\n").as_bytes()), ["aaa\n"]);
    with(format!("{MIXED}--b\n\naaa\n").as_bytes(), |message| {
        assert!(message.parts[0].damage().contains(Damage::UNTERMINATED));
        assert_eq!(message.parts[1].damage(), Damage::none());
    });
}

#[test]
fn the_very_last_line_is_body_whatever_it_looks_like() {
    let header = leaves(format!("{MIXED}--b\nX-A: 1\nContent-Type: text/html\n").as_bytes());
    assert_eq!(header, [("text/plain".into(), "Content-Type: text/html\n".into())]);
    let empty = leaves(format!("{MIXED}--b\nContent-Type: text/html\n\n").as_bytes());
    assert_eq!(empty, [("text/plain".into(), "\n".into())], "and the field that was still open is lost");
}

#[test]
fn lines_of_more_than_2048_bytes_are_broken_inside_multiparts_only() {
    let line = "x".repeat(2048);
    let message = |body: &str| bodies(format!("{MIXED}--b\n\n{body}\n--b--\n").as_bytes());
    assert_eq!(message(&format!("{line}\ny")), [format!("{line}\n\ny")]);
    assert_eq!(message(&line), [format!("{line}\n")], "the line break that goes to the boundary counts");
    let alone = format!("Subject: x\n\n{line}\ny\n");
    assert_eq!(bodies(alone.as_bytes()), [format!("{line}\ny\n")]);
    let nested =
        format!("{MIXED}--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\n{line}\ny\n--c--\n--b--\n");
    assert_eq!(bodies(nested.as_bytes()), [format!("{line}\n\n\ny")], "once for each multipart");
}

#[test]
fn preamble_and_epilogue_are_ignored_and_flagged() {
    let raw = format!("{MIXED}preamble\n--b--\n--b \t\n\none\n--bb\n--b\n\ntwo\n--b--  \nepilogue\n");
    assert_eq!(bodies(raw.as_bytes()), ["one\n--bb", "two"]);
    with(raw.as_bytes(), |message| assert!(message.damage.contains(Damage::EPILOGUE)));
    with(format!("{MIXED}--b\n\none\n--b--\n . \n").as_bytes(), |message| {
        assert!(!message.damage.contains(Damage::EPILOGUE), "dots and blanks are none");
    });
}

#[test]
fn a_multipart_without_boundary_is_text_after_an_empty_line() {
    let raw = b"Content-Type: multipart/mixed\n\none\ntwo\n";
    assert_eq!(leaves(raw), [("text/plain".into(), "\none\ntwo\n".into())]);
    with(raw, |message| assert!(message.parts[0].damage().contains(Damage::NO_BOUNDARY)));
    // An inner one is cut by the boundary around it and looks for the same one inside.
    let inner = format!("{MIXED}--b\nContent-Type: multipart/mixed\n\n\none\n--b--\n");
    with(inner.as_bytes(), |message| {
        assert_eq!(message.parts.len(), 3);
        assert_eq!(message.parts[2].decoded(message), b"one");
    });
}

#[test]
fn a_part_that_reuses_the_boundary_around_it_ends_with_its_closing_line() {
    let raw = format!(
        "{MIXED}--b\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\none\n--b\n\ntwo\n--b--\n--b\n\nthree\n--b--\n"
    );
    with(raw.as_bytes(), |message| {
        let parents: Vec<Option<usize>> = message.parts.iter().map(|part| part.parent).collect();
        assert_eq!(parents, [None, Some(0), Some(1), Some(1), Some(0)]);
    });
    assert_eq!(bodies(raw.as_bytes()), ["one", "two", "three"]);
}

#[test]
fn parts_of_a_digest_are_messages() {
    let raw = b"Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: inner\n\nhello\n--b--\n";
    with(raw, |message| {
        let kinds: Vec<(&str, bool)> =
            message.parts.iter().map(|part| (part.subkind, part.is_leaf)).collect();
        assert_eq!(kinds, [("digest", false), ("rfc822", false), ("plain", true)]);
        assert_eq!(message.parts[2].header(message, "subject"), Some("inner"));
    });
    assert_eq!(bodies(raw), ["hello"]);
}

#[test]
fn messages_in_messages_are_decoded_and_parsed() {
    // "Subject: in\n\nhi\n"
    let raw =
        b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogaW4KCmhpCg==\n";
    with(raw, |message| {
        assert_eq!(message.parts.len(), 2);
        assert_eq!(message.parts[1].header(message, "Subject"), Some("in"));
        assert_eq!(message.parts[1].text(message), "hi\n");
    });
    with(b"Content-Type: message/delivery-status\n\nReporting-MTA: x\n", |message| {
        assert!(message.parts[0].is_leaf, "no other message/* is opened");
    });
}

#[test]
fn the_header_section_ends_at_dashes_or_the_fourth_bad_line() {
    let body = |raw: &[u8]| with(raw, |message| message.parts[0].raw_body.to_vec());
    assert_eq!(body(b"A: 1\n--x\ny\n"), b"--x\ny\n");
    assert_eq!(body(b"A: 1\nb\nc\nd\nB: 2\n\nbody\n"), b"body\n");
    assert_eq!(body(b"A: 1\nb\nc\nd\ne\nB: 2\n\nbody\n"), b"e\nB: 2\n\nbody\n");
    assert_eq!(body(b"A: 1\n"), b"");
    with(b"A: 1\nbad\nB: 2\n", |message| {
        assert!(message.damage.contains(Damage::BAD_HEADER | Damage::NO_SEPARATOR));
        assert_eq!(message.header("b"), Some("2"));
    });
}

#[test]
fn values_are_unfolded_trimmed_and_the_last_one_wins() {
    let raw = b"Subject: one\nsubject :\t two\n\tand\n  a half \nX: y\n\n";
    assert_eq!(header(raw, "SUBJECT").as_deref(), Some("two and a half"));
    with(raw, |message| {
        let all: Vec<&[u8]> = message.headers("Subject").map(|header| header.raw).collect();
        assert_eq!(all, [&b" one\n"[..], b"\t two\n\tand\n  a half \n"]);
    });
    assert_eq!(header(b"X:\n\n", "x").as_deref(), Some(""));
    assert_eq!(header(b"X:\n\n", "y"), None);
}

#[test]
fn fields_of_parts_lack_the_blanks_after_the_colon() {
    let raw = format!("{MIXED}--b\nContent-Type: \n text/html\n\nx\n--b--\n");
    with(raw.as_bytes(), |message| {
        assert_eq!(message.parts[0].headers[0].raw, b" multipart/mixed; boundary=b\n");
        assert_eq!(message.parts[1].headers[0].raw, b"text/html\n");
    });
}

#[test]
fn header_caps_cut_and_flag() {
    let raw = format!("{}: {}\n\n", "n".repeat(300), "v".repeat(9000));
    with(raw.as_bytes(), |message| {
        let header = &message.all_headers()[0];
        assert_eq!((header.name.len(), header.raw.len()), (256, 8192));
        assert!(message.damage.contains(Damage::HEADER_CUT));
    });
    with("a: b\n".repeat(5000).as_bytes(), |message| {
        assert_eq!(message.all_headers().len(), 4096);
        assert!(message.damage.contains(Damage::HEADERS_DROPPED));
    });
}

#[test]
fn encoded_words_are_joined_before_they_are_decoded() {
    let subject = |value: &str| header(format!("Subject: {value}\n\n").as_bytes(), "subject").unwrap();
    assert_eq!(subject("=?utf-8?Q?a=C3?= =?UTF-8?Q?=A9b?="), "a\u{e9}b", "a letter cut in two");
    assert_eq!(subject("=?iso-8859-1?Q?=E9_?= x =?utf-8?B?w6k=?="), "\u{e9}  x \u{e9}");
    assert_eq!(subject("=?us-ascii*EN?Q?Keith_Moore?="), "Keith Moore");
    assert_eq!(subject("=?utf-8?Q?a b?="), "a b", "blanks inside are no reason to refuse it");
    assert_eq!(subject("=?utf-8?x?ab?= =?=?"), "=?utf-8?x?ab?= =?=?");
    assert_eq!(subject("=?utf-8?Q?=FF?="), "\u{fffd}", "the declared charset is forced");
    assert_eq!(subject("=?nonsense?Q?abc?="), "abc");
    let twice = "=?ISO-2022-JP?B?GyRCJFIbKEI=?= =?ISO-2022-JP?B?GyRCJE4bKEI=?=";
    assert_eq!(subject(twice), "\u{3072}\u{306e}");
    assert_eq!(header(b"Message-Id: =?utf-8?Q?a?=\n\n", "message-id").as_deref(), Some("=?utf-8?Q?a?="));
    assert_eq!(header(b"List-Id: =?utf-8?Q?a?=\n\n", "list-id").as_deref(), Some("=?utf-8?Q?a?="));
}

#[test]
fn eight_bit_values_are_utf_8_or_windows_1252() {
    assert_eq!(header(b"X: caf\xc3\xa9\n\n", "x").as_deref(), Some("caf\u{e9}"));
    assert_eq!(header(b"X: caf\xe9\n\n", "x").as_deref(), Some("caf\u{e9}"));
    assert_eq!(header(b"X: \x80 \x81\n\n", "x").as_deref(), Some("\u{20ac} \u{fffd}"));
}

fn decoded(encoding: &str, body: &str) -> (String, Damage) {
    let raw = format!("Content-Type: text/plain\nContent-Transfer-Encoding: {encoding}\n\n{body}");
    with(raw.as_bytes(), |message| {
        let part = &message.parts[0];
        (String::from_utf8_lossy(part.decoded(message)).into_owned(), part.damage())
    })
}

#[test]
fn quoted_printable_is_undone() {
    let text = |body: &str| decoded("Quoted-Printable", body).0;
    assert_eq!(
        text("a=3Db=\nc \t\nd=20\n"),
        "a=bc\nd \n",
        "blanks at the end of a line go, escaped ones stay"
    );
    assert_eq!(text("a= \t\nb"), "ab");
    assert_eq!(text("a=0D=0Ab=0d\nc\r\nd"), "a\nb\nc\nd", "CRLF is LF");
    assert_eq!(text("a=4=\n1"), "aA", "soft breaks go first");
    assert_eq!(text("a="), "a=", "only a line feed makes a soft break");
    assert_eq!(decoded("quoted-printable", "a=zz=E\n"), ("a=zz=E\n".into(), Damage::BAD_ENCODING));
    let cut = format!("{MIXED}--b\nContent-Transfer-Encoding: quoted-printable\n\naaa=\n--b--\n");
    assert_eq!(bodies(cut.as_bytes()), ["aaa="], "whose line feed belongs to the boundary");
}

#[test]
fn base64_is_undone_tolerantly() {
    assert_eq!(decoded("BASE64", "aGVs\r\nbG8h"), ("hello!".into(), Damage::none()));
    assert_eq!(decoded("base64", "aGVsbG8=\n"), ("hello".into(), Damage::none()));
    assert_eq!(decoded("base64", "aGVsbA==\n"), ("hell".into(), Damage::none()));
    assert_eq!(decoded("base64", "aGVsbG8"), ("hello".into(), Damage::none()), "padding is not missed");
    assert_eq!(decoded("base64", "a!GVs*bG8h"), ("hello!".into(), Damage::BAD_ENCODING));
    assert_eq!(decoded("base64", "aGVsbA==bG8h"), ("hell\0\0lo!".into(), Damage::BAD_ENCODING));
    assert_eq!(decoded("base64", "YQ0KYg=="), ("a\nb".into(), Damage::none()), "CRLF in text is LF");
    assert_eq!(decoded("base64", ""), (String::new(), Damage::none()));
}

#[test]
fn other_transfer_encodings_are_taken_as_they_are() {
    assert_eq!(decoded("8bit", "a=3D\n"), ("a=3D\n".into(), Damage::none()));
    assert_eq!(decoded("x-uuencode", "a=3D\n"), ("a=3D\n".into(), Damage::UNKNOWN_ENCODING));
}

#[test]
fn what_needs_no_decoding_is_borrowed() {
    let raw = b"Subject: plain\n\nJust text.\n";
    with(raw, |message| {
        let inside = |bytes: &[u8]| raw.as_ptr_range().contains(&bytes.as_ptr());
        assert!(inside(message.parts[0].text(message).as_bytes()));
        assert!(inside(message.header("subject").unwrap().as_bytes()));
    });
}

fn text(content_type: &str, body: &[u8]) -> (String, Damage) {
    let mut raw = format!("Content-Type: {content_type}\n\n").into_bytes();
    raw.extend_from_slice(body);
    with(&raw, |message| (message.parts[0].text(message).to_owned(), message.parts[0].damage()))
}

#[test]
fn charsets_utf_8_first_then_the_declared_one_then_windows_1252() {
    let none = Damage::none();
    let bad = Damage::BAD_CHARSET;
    assert_eq!(text("text/plain", b"abc"), ("abc".into(), none));
    assert_eq!(text("text/plain; charset=iso-8859-1", "\u{e9}".as_bytes()), ("\u{e9}".into(), none));
    assert_eq!(
        text("text/plain; charset=ISO-8859-1", b"\x93\xe9\x94"),
        ("\u{201c}\u{e9}\u{201d}".into(), none)
    );
    assert_eq!(text("text/plain; charset=koi8-r", b"\xd7\xc1\xd3"), ("\u{432}\u{430}\u{441}".into(), none));
    assert_eq!(text("text/plain; charset=utf-8", b"caf\xe9"), ("caf\u{e9}".into(), bad));
    assert_eq!(text("text/plain", b"caf\xe9"), ("caf\u{e9}".into(), bad));
    assert_eq!(text("text/plain; charset=us-ascii", "\u{e9}".as_bytes()), ("\u{e9}".into(), bad));
    assert_eq!(text("text/plain; charset=iso-2022-jp", b"\x1b$B$R\x1b(B"), ("\u{3072}".into(), none));
    assert_eq!(text("text/plain; charset=utf-7", b"Fr+APY-sche"), ("Fr\u{f6}sche".into(), none));
    assert_eq!(text("text/plain; charset=\"gb2312_CHARSET\"", b"\xb1\xbe"), ("\u{672c}".into(), none));
    assert_eq!(text("text/plain; charset=x-unknown", b"abc"), ("abc".into(), none));
}

#[test]
fn the_byte_order_of_utf_16_is_seen_not_believed() {
    assert_eq!(text("text/plain; charset=utf-16", b"a\0 \0b\0").0, "a b");
    assert_eq!(text("text/plain; charset=utf-16be", b"a\0 \0b\0").0, "a b");
    assert_eq!(text("text/plain; charset=utf-16", b"\0a\0 \0b").0, "a b");
    let marked = text("text/plain; charset=utf-16", b"\xff\xfea\0");
    assert_eq!(marked, ("ÿþa\0".into(), Damage::BAD_CHARSET), "as SpamAssassin has it");
}

#[test]
fn types_and_names_are_read_as_spamassassin_reads_them() {
    let part = |fields: &str| {
        with(format!("{fields}\n\n").as_bytes(), |message| {
            let part = &message.parts[0];
            (format!("{}/{}", part.kind, part.subkind), part.name.map(str::to_owned), part.text_kind())
        })
    };
    let plain = Some(TextKind::Plain);
    assert_eq!(part("X: y"), ("text/plain".into(), None, plain));
    assert_eq!(part("Content-Type: TEXT/HTML; x"), ("text/html".into(), None, Some(TextKind::Html)));
    assert_eq!(part("Content-Type: text"), ("text/plain".into(), None, plain));
    assert_eq!(part("Content-Type: text/enriched"), ("text/plain".into(), None, plain));
    assert_eq!(part("Content-Type: text/calendar").0, "text/calendar");
    assert_eq!(part("Content-Type: text/html charset=x").0, "text/html");
    assert_eq!(part("Content-Type: Image/\"GIF\" ; a").0, "image/gif");
    let named = |fields: &str| part(fields).1.unwrap_or_default();
    assert_eq!(named("Content-Type: a/b; name=\"x;y.pdf\""), "x;y.pdf");
    assert_eq!(
        named("Content-Type: a/b; name=x\nContent-Disposition: attachment; filename=y z.doc"),
        "y z.doc"
    );
    assert_eq!(named("Content-Type: a/b; name*0*=utf-8''%C3%A9; name*1=.txt"), "\u{e9}.txt");
    assert_eq!(named("Content-Type: a/b; name*1=b; name*0=a"), "ab");
    assert_eq!(named("Content-Type: a/b; name=\"=?utf-8?Q?=C3=A9?=\""), "\u{e9}");
    assert_eq!(named("Content-Type: a/b; name=\"a\\\"b\\c\""), "a\"b\\c");
    assert_eq!(named("Content-Type: a/b name = late"), "late");
    assert_eq!(part("Content-Type: a/b; name=x.SHTML").2, Some(TextKind::Html));
    assert_eq!(part("Content-Type: a/b; name*=''x.html").2, None, "SpamAssassin does not read such names");
}

#[test]
fn containers_below_the_depth_cap_stay_leaves() {
    let mut raw = String::new();
    for level in 0..30 {
        raw += &format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n");
    }
    raw += "\nhello\n";
    with(raw.as_bytes(), |message| {
        assert_eq!(message.parts.len(), 21);
        assert_eq!(message.parts[20].kind, "multipart");
        assert!(message.parts[20].is_leaf && message.parts[20].damage().contains(Damage::TOO_DEEP));
    });
}

#[test]
fn parts_beyond_the_cap_are_left_out() {
    let raw = format!("{MIXED}{}", "--b\n\nx\n".repeat(5000));
    with(raw.as_bytes(), |message| {
        assert_eq!(message.parts.len(), 1000);
        assert!(message.damage.contains(Damage::TOO_MANY_PARTS));
    });
}

#[test]
fn long_runs_of_blank_lines_are_cut_before_parts_are_read() {
    let raw = format!("{MIXED}--b\n\na\n{}b\n--b--\n", "\n".repeat(100));
    assert_eq!(bodies(raw.as_bytes()), [format!("a\n{}b", "\n".repeat(20))]);
    with(raw.as_bytes(), |message| assert_eq!(message.raw, raw.as_bytes(), "not in the raw message"));
}

#[test]
fn address_lists_are_read_tolerantly() {
    let list = |value: &str| {
        let arena = Arena::new();
        let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let entry = |entry: &Address<'_>| (text(entry.address).unwrap_or_default(), text(entry.phrase));
        let raw = arena.alloc_str(value).as_bytes();
        addresses(raw, &arena).iter().map(entry).collect::<Vec<_>>()
    };
    let is = |address: &str, phrase: &str| {
        let phrase = if phrase.is_empty() { None } else { Some(phrase.to_owned()) };
        (address.to_owned(), phrase)
    };
    assert_eq!(list(" a@b.example\n"), [is("a@b.example", "")]);
    assert_eq!(
        list("\"A, B\" <a@b.example>, c@d.example (See)"),
        [is("a@b.example", "A, B "), is("c@d.example", "See")]
    );
    assert_eq!(list("Group: a@b.example, c@d.example;"), [is("a@b.example", ""), is("c@d.example", "")]);
    assert_eq!(list("undisclosed-recipients:;"), []);
    assert_eq!(list("<>"), [is("", "")]);
    assert_eq!(list("A <not an address>"), [is("", "A ")]);
    assert_eq!(list("\"a@b.example\""), [is("a@b.example", "")], "a phrase that is an address");
    assert_eq!(list("a@b.example <a@b.example> <a@b.example>"), [is("a@b.example", "a@b.example ")]);
    assert_eq!(
        list("\"x\" y <a@b.example> z, <c@d.example>"),
        [is("a@b.example", ""), is("c@d.example", "")]
    );
    assert_eq!(list("a@b@c.example"), [is("a@b", "")]);
    assert_eq!(list("A (x) (\\(y <a@b.example>"), [is("a@b.example", "A  (\\(y ")], "an open comment stays");
}

/// As SpamAssassin 4.0.1 has it: it unfolds first and decodes then.
#[test]
fn a_line_feed_in_an_encoded_word_stays() {
    for (raw, value) in [
        ("=?utf-8?Q?a=0Ab?= c", "a\nb c"),
        ("=?utf-8?Q?=C3?= =?utf-8?B?qQo=?=", "\u{e9}\n"),
        ("=?utf-8?Q?=0Aab=0A?=", "\nab\n"),
    ] {
        let mail = format!("Subject: {raw}\n\n");
        let arena = Arena::new();
        let message = Message::parse(mail.as_bytes(), &arena, &Limits::default());
        assert_eq!(message.header("Subject"), Some(value), "{raw}");
    }
}

#[test]
fn names_are_decoded_and_lose_their_single_quotes() {
    let arena = Arena::new();
    let name = |raw: &'static str| addresses(raw.as_bytes(), &arena)[0].name(&arena);
    assert_eq!(name("\"'Ana  Mar\u{ed}a'\" <a@b.example>"), Some("Ana Mar\u{ed}a"));
    assert_eq!(name("=?utf-8?Q?Jos=C3=A9?= <a@b.example>"), Some("Jos\u{e9}"));
    assert_eq!(name("a@b.example"), None);
    let host = addresses(b"a@b.example", &arena)[0].host();
    assert_eq!(host, Some(&b"b.example"[..]));
}

mod any_input {
    use proptest::prelude::*;

    use super::*;

    /// Looks at everything that can be looked at.
    fn look(raw: &[u8]) {
        let arena = Arena::new();
        let message = Message::parse(raw, &arena, &Limits::default());
        assert!(!message.parts.is_empty() && message.body_offset <= message.raw.len());
        for (index, part) in message.parts.iter().enumerate() {
            assert!(part.parent.is_none_or(|parent| parent < index && !message.parts[parent].is_leaf));
            assert!(part.decoded(&message).len() <= part.raw_body.len() + part.raw_body.len() / 2048 + 1);
            let _ = (part.text(&message), part.damage(), part.text_kind());
            for header in part.headers {
                // Unless an encoded word says so.
                let has_words = header.raw.windows(2).any(|start| start == b"=?");
                assert!(has_words || !header.value(&arena).contains('\n'));
                for address in addresses(header.raw, &arena) {
                    let _ = (address.name(&arena), address.host());
                }
            }
        }
    }

    /// Pieces that mean something to the parser, which random bytes seldom hit.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "--b\n",
            "--b--\n",
            "--b--\r\n",
            "--c\n",
            "\n",
            "\r\n",
            " \n",
            "x\n",
            "=\n",
            "=3D",
            "\t",
            "From x\n",
            "Content-Type: multipart/mixed; boundary=b\n",
            "Content-Type: multipart/digest; boundary=\"c\"\n",
            "Content-Type: message/rfc822\n",
            "Content-Type: text/html; charset=utf-16; name=\"a.html\"\n",
            "Content-Type: a/b; name*0*=utf-8''%41; name*1=\n",
            "Content-Transfer-Encoding: base64\n",
            "Content-Transfer-Encoding: quoted-printable\n",
            "Subject: =?utf-8?Q?=C3?= =?utf-8?B?qQ==?=\n",
            "To: \"a\" <b@c.example> (d), e:f;\n",
            "QUJD",
            "=?",
            "?=",
            "\"",
            "<",
            "(",
            "\\",
            ";",
            ",",
            "@",
            "\u{e9}",
        ]);
        prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn arbitrary_bytes(raw in prop::collection::vec(any::<u8>(), 0..600)) {
            look(&raw);
        }

        #[test]
        fn meaningful_pieces(raw in pieces()) {
            look(raw.as_bytes());
        }

        #[test]
        fn damaged_mail(raw in pieces(), cut in 0..200usize, byte in any::<u8>()) {
            let mut raw = raw.into_bytes();
            if let Some(at) = raw.get_mut(cut) {
                *at = byte;
            }
            look(&raw);
        }

        /// Unless a transfer encoding hides it, every part lies in the message.
        #[test]
        fn parts_lie_within_the_message(raw in pieces()) {
            let raw = raw.replace("base64", "7bit").replace("quoted-printable", "8bit");
            prop_assume!(!raw.contains(&"\n".repeat(10)));
            let arena = Arena::new();
            let message = Message::parse(raw.as_bytes(), &arena, &Limits::default());
            let whole = message.raw.as_ptr_range();
            for part in message.parts.iter().filter(|part| !part.raw_body.is_empty()) {
                let body = part.raw_body.as_ptr_range();
                let headless = part.damage().contains(Damage::NO_BOUNDARY) && part.is_leaf;
                prop_assert!(headless || whole.start <= body.start && body.end <= whole.end);
            }
        }

        #[test]
        fn base64_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..200), line in 1..80usize) {
            let arena = Arena::new();
            let encoded = encode(&bytes);
            let lines: Vec<u8> = encoded.chunks(line).flat_map(|line| [line, b"\r\n"].concat()).collect();
            let decoded = transfer::decode_base64(&lines, &arena, &Time::default());
            prop_assert_eq!(decoded.bytes, &bytes[..]);
            prop_assert!(!decoded.damaged);
        }
    }

    fn encode(bytes: &[u8]) -> Vec<u8> {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let group = |chunk: &[u8]| {
            let bits =
                chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
            let letter = |index: usize| match index <= chunk.len() {
                true => alphabet[(bits >> (18 - 6 * index) & 63) as usize],
                false => b'=',
            };
            [0, 1, 2, 3].map(letter)
        };
        bytes.chunks(3).flat_map(group).collect()
    }
}

#[test]
fn the_beginning_of_a_part_is_that_of_its_decoded_body() {
    let padded = format!("{}UE5H\nUE5HUE5HUE5HUE5H\n", "\n".repeat(3000));
    for (encoding, body) in [
        ("base64", "iVBORw0KGgpxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcXFxcQ=="),
        ("BASE64", &padded[..]),
        ("quoted-printable", "a=\n=\n=41=42=\n=43 =C3=A9 and so on"),
        ("8bit", "a line\nand another one that is longer"),
    ] {
        for end in ["\n", "\r\n"] {
            let text = format!("Content-Type: image/png\nContent-Transfer-Encoding: {encoding}\n\n{body}\n")
                .replace('\n', end);
            let arena = Arena::new();
            let message = Message::parse(text.as_bytes(), &arena, &Limits::default());
            let part = &message.parts[0];
            let beginnings = [0, 1, 8, 20, 5000].map(|length| (length, part.beginning(&message, length)));
            let whole = part.decoded(&message);
            for (length, beginning) in beginnings {
                assert!(beginning.len() >= length.min(whole.len()), "{encoding}: {length}");
                // Of a code that is cut the last bytes are what they are.
                let sure = length.min(whole.len());
                assert_eq!(beginning[..sure], whole[..sure], "{encoding}: {length}");
            }
        }
    }
}
