use proptest::prelude::*;

use super::{Error, Length, Outcome, Reply, Request, length};
use crate::wire::frame::Decoded;

const LIMIT: usize = 1000;

fn request() -> Request<'static> {
    Request {
        message: b"Subject: x\n\nhi\n",
        sender: b"a@b.example",
        recipients: vec![b"c@d.example", b"e@f"],
    }
}

/// What a server finds in the bytes of a client.
fn read(bytes: &[u8]) -> Result<Decoded<Request<'_>>, Error> {
    let Decoded::Done(Length { head, content }) = length(bytes, LIMIT + Request::ENVELOPE)? else {
        return Ok(Decoded::More);
    };
    match bytes.get(head + content) {
        None => Ok(Decoded::More),
        Some(b',') => Request::decode(&bytes[head..head + content], LIMIT).map(Decoded::Done),
        Some(_) => Err(Error::Netstring),
    }
}

#[test]
fn a_request_is_laid_out_as_the_protocol_says() {
    let bytes = request().encode(b"X: y\n");
    assert_eq!(
        String::from_utf8_lossy(&bytes),
        "60:20:X: y\nSubject: x\n\nhi\n,11:a@b.example,11:c@d.example,3:e@f,,"
    );
    let Ok(Decoded::Done(read)) = read(&bytes) else { panic!("{bytes:?}") };
    assert_eq!(read.envelope().mail_from.as_deref(), Some("a@b.example"));
    assert_eq!(read.envelope().rcpt_to, ["c@d.example", "e@f"]);
}

#[test]
fn what_is_no_request_is_put_off_and_what_is_too_much_refused() {
    for (content, error) in [
        ("", Error::Missing("a message")),
        ("1:a,", Error::Missing("a sender")),
        ("1:a,1:b,", Error::Missing("a recipient")),
        ("1:a,1:b,1:c", Error::Netstring),
        ("1:a,1:b,01:c,", Error::Netstring),
        ("1:a,1:b,9:c,", Error::TooLarge { size: 9, limit: 4 }),
        ("1:a,1:b,:c,", Error::Netstring),
        ("1:a,1:b,1:c;", Error::Netstring),
    ] {
        assert_eq!(Request::decode(content.as_bytes(), LIMIT), Err(error), "{content}");
    }
    let many = "0:,".repeat(Request::RECIPIENTS + 3);
    let error = Request::decode(many.as_bytes(), LIMIT).unwrap_err();
    assert_eq!(Reply::refusal(&error).outcome, Outcome::Refused);
    let large = Request { message: &[b'x'; LIMIT + 1], ..request() }.encode(b"");
    assert_eq!(Reply::refusal(&read(&large).unwrap_err()).outcome, Outcome::Refused);
    assert_eq!(length(b"99999999999:", usize::MAX), Err(Error::Netstring));
    assert!(matches!(length(b"9999999999:", LIMIT), Err(Error::TooLarge { .. })));
}

#[test]
fn replies_survive_the_round_trip_and_halves_are_none() {
    let refused = Reply::spam();
    for reply in [Reply::later("no room"), refused, Reply { outcome: Outcome::Accepted, text: String::new() }]
    {
        let bytes = reply.encode();
        for end in 0..bytes.len() {
            assert_eq!(Reply::decode(&bytes[..end]), Ok(Decoded::More), "{end}");
        }
        assert_eq!(Reply::decode(&bytes), Ok(Decoded::Done(reply)));
    }
    assert_eq!(Reply::decode(b"2:Xy,"), Err(Error::Outcome));
    assert_eq!(Reply::decode(b"0:,"), Err(Error::Outcome));
    assert!(Reply::decode(b"4097:").is_err());
}

#[test]
fn each_prefix_of_a_request_asks_for_more() {
    let bytes = request().encode(b"");
    for end in 0..bytes.len() {
        assert_eq!(read(&bytes[..end]), Ok(Decoded::More), "{end}");
    }
}

#[test]
fn a_request_with_one_byte_changed_is_read_or_refused() {
    let bytes = request().encode(b"");
    for at in 0..bytes.len() {
        for byte in 0..=255 {
            let mut damaged = bytes.clone();
            damaged[at] = byte;
            if let Ok(Decoded::Done(request)) = read(&damaged) {
                assert!(!request.recipients.is_empty());
            }
        }
    }
}

proptest! {
    #[test]
    fn requests_survive_the_round_trip(message: Vec<u8>, sender: Vec<u8>, to in proptest::collection::vec(any::<Vec<u8>>(), 1..5)) {
        let request = Request { message: &message, sender: &sender, recipients: to.iter().map(Vec::as_slice).collect() };
        let bytes = request.encode(b"");
        prop_assert_eq!(read(&bytes), Ok(Decoded::Done(request.clone())));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        let _ = read(&bytes);
        let _ = Request::decode(&bytes, LIMIT);
        let _ = Reply::decode(&bytes);
    }
}
