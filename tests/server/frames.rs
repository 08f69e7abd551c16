//! Well-formed, broken, half-written and oversized frames.

use std::collections::BTreeSet;

use simd_json::prelude::*;

use super::{Engine, Reply, replies, reply, request};

const SCAN: u8 = 1;
const PING: u8 = 2;
const STATUS: u8 = 3;
const LEARN: u8 = 5;
const MAIL: &[u8] = b"Message-Id: <1@test>\r\nSubject: hello\r\n\r\nhello\r\n";
const ABOUT: &str = r#"{"queue_id":"4tX","client_ip":"192.0.2.1","unknown":[{}]}"#;

fn error(reply: &Reply) -> &str {
    reply.json.get_str("error").unwrap()
}

#[test]
fn the_kinds_are_answered_as_the_contract_says() {
    let engine = Engine::start("");
    for number in 0..2 {
        let mut socket = engine.connect(number);
        let mut ask = |frame: Vec<u8>| {
            socket.write_all(&frame).unwrap();
            reply(&mut *socket).unwrap()
        };
        let scan = ask(request(SCAN, 7, 60_000, ABOUT, MAIL));
        assert_eq!((scan.kind, scan.status, scan.id), (0x81, 0, 7));
        assert_eq!(scan.json.get_str("action"), Some("no action"));
        assert_eq!(scan.json.get_str("queue_id"), Some("4tX"));
        assert_eq!(scan.json.get_str("message_id"), Some("<1@test>"));
        assert_eq!(scan.json.get_u64("budget_ms"), Some(60_000));
        assert_eq!(scan.json.get_str("profile"), Some("external"));
        let internal = ask(request(SCAN, 8, 0, r#"{"profile":"internal"}"#, MAIL));
        assert_eq!(internal.json.get_u64("budget_ms"), Some(200));

        let ping = ask(request(PING, 9, 0, "", b""));
        assert_eq!((ping.kind, ping.status, ping.id), (0x82, 0, 9));
        assert_eq!(ping.json.get_bool("pong"), Some(true));
        assert_eq!(ping.json.get_str("version"), Some(env!("CARGO_PKG_VERSION")));

        let status = ask(request(STATUS, 10, 0, "", b""));
        assert_eq!(status.json.get("workers").unwrap().get_u64("fast"), Some(2));
        let complete = status.json.get("replies").unwrap().get_u64("complete");
        assert_eq!(complete, Some(if number == 0 { 3 } else { 5 + 3 }));

        let learn = ask(request(LEARN, 11, 0, r#"{"class":"spam"}"#, MAIL));
        assert_eq!((learn.kind, learn.status, learn.id), (0x85, 6, 11));
        assert!(!error(&learn).is_empty());
        // An empty message is a message.
        assert_eq!(ask(request(SCAN, 12, 60_000, "", b"")).status, 0);
    }
}

#[test]
fn every_prefix_of_a_session_is_answered_as_far_as_it_goes() {
    let engine = Engine::start("");
    let frames = [
        request(PING, 1, 0, "", b""),
        request(SCAN, 2, 60_000, ABOUT, MAIL),
        request(SCAN, 3, 60_000, "", MAIL),
        request(STATUS, 4, 0, "", b""),
    ];
    let session = frames.concat();
    let ends: Vec<usize> = frames
        .iter()
        .scan(0, |end, frame| {
            *end += frame.len();
            Some(*end)
        })
        .collect();
    for length in 0..=session.len() {
        let mut socket = engine.connect(length);
        socket.write_all(&session[..length]).unwrap();
        socket.finish();
        let replies = replies(&mut *socket);
        let whole = ends.iter().filter(|&&end| end <= length).count();
        // A frame that breaks off takes what is in flight with it: that client is gone.
        match ends.contains(&length) || length == 0 {
            true => assert_eq!(replies.len(), whole, "{length} bytes"),
            false => assert!(replies.len() <= whole, "{length} bytes"),
        }
        assert!(replies.iter().all(|reply| reply.status == 0), "{length} bytes: {replies:?}");
    }
    engine.assert_sound();
}

#[test]
fn every_damaged_byte_of_a_head_gets_an_error_or_a_close() {
    let engine = Engine::start("");
    let whole = request(SCAN, 2, 60_000, ABOUT, MAIL);
    for at in 0..20 {
        for damage in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
            let mut frame = whole.clone();
            frame[at] ^= damage;
            let mut socket = engine.connect(at + damage as usize);
            socket.write_all(&frame).unwrap();
            socket.finish();
            let replies = replies(&mut *socket);
            let told = replies.iter().map(|reply| reply.status).collect::<Vec<_>>();
            let harmless = (8..16).contains(&at);
            match at {
                // The id and the budget may be anything.
                _ if harmless => assert!(told == [0] || told == [1], "byte {at}: {told:?}"),
                // Version, kind, flags: another kind is a fair question.
                4 | 6 | 7 => assert_eq!(told, [4], "byte {at}"),
                5 => assert!(matches!(told[..], [0 | 4 | 6 | 7]), "byte {at}: {told:?}"),
                // A shorter frame ends in the message, and what follows is no frame.
                0..4 => assert!(told.iter().all(|status| [0, 4, 5].contains(status)), "byte {at}: {told:?}"),
                // Metadata that is cut short, or longer than it can be.
                _ => assert!(told.iter().all(|status| [4, 5].contains(status)), "byte {at}: {told:?}"),
            }
        }
    }
    engine.assert_sound();
}

#[test]
fn what_is_no_frame_is_refused_and_the_connection_closed() {
    let engine = Engine::start("");
    let patched = |at: usize, bytes: &[u8]| {
        let mut frame = request(SCAN, 77, 60_000, ABOUT, MAIL);
        frame[at..at + bytes.len()].copy_from_slice(bytes);
        frame
    };
    let cases: [(Vec<u8>, u16, u32); 10] = [
        (vec![0; 4], 4, 0),
        (15_u32.to_be_bytes().to_vec(), 4, 0),
        (patched(4, &[0]), 4, 77),
        (patched(4, &[2]), 4, 77),
        (patched(5, &[0]), 4, 77),
        (patched(5, &[6]), 4, 77),
        (patched(16, &[255; 4]), 4, 77),
        (patched(0, &[255; 4]), 5, 77),
        (request(SCAN, 77, 0, "[]", MAIL), 4, 77),
        (request(SCAN, 77, 0, r#"{"profile":"nobody"}"#, MAIL), 4, 77),
    ];
    for (number, (frame, status, id)) in cases.into_iter().enumerate() {
        let mut socket = engine.connect(number);
        socket.write_all(&frame).unwrap();
        // Nothing more is sent, and nothing closed: the engine has to decide by itself.
        let replies = replies(&mut *socket);
        assert_eq!(replies.len(), 1, "case {number}");
        assert_eq!((replies[0].status, replies[0].id), (status, id), "case {number}");
        assert!(!error(&replies[0]).is_empty());
    }
    engine.assert_sound();
}

#[test]
fn requests_before_a_bad_frame_are_still_answered() {
    let engine = Engine::start("");
    let mut socket = engine.connect(0);
    let good: Vec<u8> = (1..=20).flat_map(|id| request(SCAN, id, 60_000, "", MAIL)).collect();
    socket.write_all(&good).unwrap();
    socket.write_all(&[0; 20]).unwrap();
    let replies = replies(&mut *socket);
    let answered: BTreeSet<(u32, u16)> = replies.iter().map(|reply| (reply.id, reply.status)).collect();
    let expected = (1..=20).map(|id| (id, 0)).chain([(0, 4)]).collect();
    assert_eq!(answered, expected);
}

#[test]
fn a_message_at_the_limit_is_scanned_and_one_over_it_refused_unread() {
    let engine = Engine::start("");
    let limit = 100 << 20;
    let peak = || engine.status().get("process").unwrap().get_u64("peak_bytes").unwrap();
    let before = peak();
    for number in 0..20 {
        let mut socket = engine.connect(number);
        // The head alone: the answer comes without the rest.
        socket.write_all(&request(SCAN, 5, 0, "", &vec![0; limit + 1])[..20]).unwrap();
        let refused = reply(&mut *socket).unwrap();
        assert_eq!((refused.status, refused.id), (5, 5));
    }
    assert!(peak() - before < limit as u64 / 2, "memory was reserved for a message that was refused");

    let mut message = MAIL.to_vec();
    message.resize(limit, b'x');
    for number in 0..2 {
        let mut socket = engine.connect(number);
        socket.write_all(&request(SCAN, 6, 600_000, "", &message)).unwrap();
        let scanned = reply(&mut *socket).unwrap();
        assert!(scanned.status <= 1, "{}", scanned.json);
        assert_eq!(scanned.json.get_str("message_id"), Some("<1@test>"));
    }
    // The Rust client sends all of it and finds the refusal behind its own broken pipe.
    message.push(b'x');
    let reply = engine.client().scan(&message, &Default::default(), 0).unwrap();
    assert_eq!(reply.status, 5, "{}", reply.json);
    engine.assert_sound();
}

#[test]
fn a_frame_that_does_not_end_is_cut_off() {
    let engine = Engine::start("[server]\nframe_timeout_ms = 100\n");
    let frame = request(SCAN, 9, 60_000, ABOUT, MAIL);
    for (number, length) in [1, 4, 19, 20, 30, frame.len() - 1].into_iter().enumerate() {
        let mut socket = engine.connect(number);
        socket.write_all(&frame[..length]).unwrap();
        let replies = replies(&mut *socket);
        assert_eq!(replies.len(), 1, "{length} bytes");
        assert_eq!(replies[0].status, 4, "{length} bytes");
        // The head tells whom to answer.
        assert_eq!(replies[0].id, if length < 20 { 0 } else { 9 }, "{length} bytes");
    }
    engine.assert_sound();
}

#[test]
fn the_clock_runs_while_a_message_is_still_coming() {
    let engine = Engine::start("");
    let mut socket = engine.connect(0);
    let frame = request(SCAN, 3, 50, "", MAIL);
    let (head, rest) = frame.split_at(30);
    socket.write_all(head).unwrap();
    let partial = reply(&mut *socket).unwrap();
    assert_eq!((partial.id, partial.status), (3, 1));
    assert_eq!(partial.json.get_str("action"), Some("soft reject"));
    // The rest is read past, and the connection goes on.
    socket.write_all(rest).unwrap();
    socket.write_all(&request(PING, 4, 0, "", b"")).unwrap();
    let next = reply(&mut *socket).unwrap();
    assert_eq!((next.id, next.kind), (4, 0x82));
    engine.assert_sound();
}
