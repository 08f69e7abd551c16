//! A recorded session, its damage, and what comes of the verdicts.

use std::time::Duration;

use proptest::prelude::*;

use super::{
    codec::{self, Command, Error, Reply, action, step},
    session::{Limits, Mail, Session, Step},
};
use crate::{
    budget::Budget,
    profile::Profile,
    verdict::{Action, Findings, Verdict},
    wire::frame::Decoded,
};

fn packet(command: u8, data: &[u8]) -> Vec<u8> {
    let mut packet = vec![command];
    packet.extend_from_slice(data);
    packet
}

fn negotiate(actions: u32, steps: u32) -> Vec<u8> {
    packet(b'O', &[6, actions, steps].map(u32::to_be_bytes).concat())
}

/// What Postfix sends for one mail.
fn session() -> Vec<Vec<u8>> {
    vec![
        negotiate(0x1ff, 0x1f_ffff),
        packet(b'D', b"Cj\0mx.example.org\0{daemon_name}\0mx\0v\0Postfix\0"),
        packet(b'C', b"client.example.net\x004\x04\xd2192.0.2.7\0"),
        packet(b'H', b"helo.example.net\0"),
        packet(b'D', b"M{auth_authen}\0eva\0{tls_version}\0TLSv1.3\0{cipher}\0X\0"),
        packet(b'M', b"<a@example.net>\0SIZE=99\0"),
        packet(b'R', b"<b@example.org>\0"),
        packet(b'R', b"<c@example.org>\0ORCPT=x\0"),
        packet(b'D', b"Ti\x004tXyZ\0"),
        packet(b'T', b""),
        packet(b'L', b"Subject\0 one\n\ttwo\0"),
        packet(b'L', b"x-spam-status\0 No\0"),
        packet(b'L', b"X-Spam-Status\0 No, really\0"),
        packet(b'N', b""),
        packet(b'B', b"Hello\r\n"),
        packet(b'E', b"Bye\r\n"),
    ]
}

fn feed(session: &mut Session, packets: &[Vec<u8>]) -> Result<Vec<Mail>, Error> {
    let mut mails = Vec::new();
    for packet in packets {
        if let Step::Scan(mail) = session.command(Command::decode(packet)?)? {
            mails.push(*mail);
        }
    }
    Ok(mails)
}

fn verdict(action: Action) -> Verdict {
    let budget = Budget::new(Duration::from_secs(1));
    Verdict { action, ..Findings::default().verdict(&Profile::external(), &budget) }
}

/// The replies in `out`, each as its command byte and its data.
fn replies(mut out: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut replies = Vec::new();
    while let Ok(Decoded::Done(length)) = codec::length(out, 1 << 20) {
        let packet = &out[4..4 + length];
        replies.push((packet[0], packet[1..].to_vec()));
        out = &out[4 + length..];
    }
    assert!(out.is_empty());
    replies
}

#[test]
fn a_mail_of_postfix_arrives_with_its_envelope() {
    let mut milter = Session::new(Limits::default());
    let mails = feed(&mut milter, &session()).unwrap();
    let [mail] = mails.as_slice() else { panic!("{} mails", mails.len()) };
    let envelope = &mail.envelope;
    assert_eq!(envelope.queue_id, "4tXyZ");
    assert_eq!(envelope.client_ip, Some([192, 0, 2, 7].into()));
    assert_eq!((&*envelope.client_name, &*envelope.helo), ("client.example.net", "helo.example.net"));
    assert_eq!(envelope.mail_from.as_deref(), Some("a@example.net"));
    assert_eq!(envelope.rcpt_to, ["b@example.org", "c@example.org"]);
    assert_eq!(envelope.user.as_deref(), Some("eva"));
    assert_eq!(envelope.hostname, "mx.example.org");
    let raw =
        "Subject: one\r\n\ttwo\r\nx-spam-status: No\r\nX-Spam-Status: No, really\r\n\r\nHello\r\nBye\r\n";
    assert_eq!(String::from_utf8_lossy(&mail.raw), raw);
}

#[test]
fn nothing_of_one_mail_is_left_in_the_next() {
    let mut milter = Session::new(Limits::default());
    let mut packets = session();
    packets.extend([
        packet(b'M', b"<>\0"),
        packet(b'R', b"<d@example.org>\0"),
        packet(b'N', b""),
        packet(b'E', b""),
    ]);
    let mails = feed(&mut milter, &packets).unwrap();
    let second = &mails[1];
    assert_eq!(second.envelope.mail_from.as_deref(), Some(""));
    assert_eq!(second.envelope.rcpt_to, ["d@example.org"]);
    assert_eq!((&*second.envelope.queue_id, &*second.envelope.helo), ("", "helo.example.net"));
    assert_eq!(second.raw, b"\r\n");
    let mut out = Vec::new();
    milter.answer(&verdict(Action::NoAction), &mut out);
    assert!(
        replies(&out).iter().all(|(command, _)| *command != b'm'),
        "no header of the first mail is changed"
    );
}

#[test]
fn an_aborted_mail_leaves_no_trace() {
    let mut milter = Session::new(Limits::default());
    let mut packets = session();
    packets.truncate(14);
    packets.push(packet(b'A', b""));
    packets.extend(session().split_off(5));
    let mails = feed(&mut milter, &packets).unwrap();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].envelope.rcpt_to.len(), 2);
}

#[test]
fn the_verdict_becomes_what_the_mta_does() {
    let mut milter = Session::new(Limits::default());
    feed(&mut milter, &session()).unwrap();
    let answer = |action| {
        let mut out = Vec::new();
        milter.answer(&verdict(action), &mut out);
        replies(&out)
    };
    assert_eq!(answer(Action::Reject), [(b'y', b"550 5.7.1 This message was refused as spam\0".to_vec())]);
    assert_eq!(answer(Action::SoftReject)[0].0, b'y');
    let tagged = answer(Action::AddHeader);
    // Forged headers go, the last first; ours come; then the mail may pass.
    assert_eq!(tagged[0], (b'm', b"\0\0\0\x02x-spam-status\0\0".to_vec()));
    assert_eq!(tagged[1], (b'm', b"\0\0\0\x01x-spam-status\0\0".to_vec()));
    assert_eq!(tagged[2], (b'h', b"X-Spam-Flag\0 YES\0".to_vec()));
    assert_eq!(tagged.last().map(|reply| reply.0), Some(b'a'));
    let rewritten = answer(Action::RewriteSubject);
    assert!(
        rewritten.contains(&(b'm', b"\0\0\0\x01Subject\0 [SPAM] one\n\ttwo\0".to_vec())),
        "{rewritten:?}"
    );
}

#[test]
fn only_what_the_mta_allows_is_asked_for() {
    let mut milter = Session::new(Limits::default());
    let offered = negotiate(action::ADD_HEADERS, step::NO_REPLY_BODY | 0x7f);
    let Ok(Step::Negotiate { actions, steps }) = milter.command(Command::decode(&offered).unwrap()) else {
        panic!("no negotiation")
    };
    assert_eq!((actions, steps), (action::ADD_HEADERS, step::NO_REPLY_BODY));
    // Replies to all but body chunks are expected now.
    let helo = packet(b'H', b"x\0");
    assert!(matches!(milter.command(Command::decode(&helo).unwrap()), Ok(Step::Continue)));
    let body = packet(b'B', b"x");
    assert!(matches!(milter.command(Command::decode(&body).unwrap()), Ok(Step::None)));
    let mut out = Vec::new();
    milter.answer(&verdict(Action::RewriteSubject), &mut out);
    assert!(replies(&out).iter().all(|(command, _)| b"ha".contains(command)));
    assert_eq!(
        milter.command(Command::Negotiate { version: 1, actions: 0, steps: 0 }).unwrap_err(),
        Error::Version(1)
    );
}

#[test]
fn a_message_over_the_limit_is_judged_by_its_beginning() {
    let mut milter = Session::new(Limits { message: 40, ..Limits::default() });
    let mails = feed(&mut milter, &session()).unwrap();
    assert_eq!(mails[0].raw.len(), 40);
    assert!(milter.is_truncated());
}

#[test]
fn lengths_are_checked_before_there_is_memory_for_them() {
    assert_eq!(codec::length(&[0, 0, 1], 100), Ok(Decoded::More));
    assert_eq!(codec::length(&[0, 0, 0, 0], 100), Err(Error::Empty));
    assert_eq!(codec::length(&[0xff; 4], 100), Err(Error::TooLong(0xffff_ffff)));
    assert_eq!(codec::length(&[0, 0, 0, 100, 1], 100), Ok(Decoded::Done(100)));
}

#[test]
fn text_cannot_break_out_of_its_packet() {
    let mut out = Vec::new();
    Reply::AddHeader { name: "X", value: "a\0b" }.encode(&mut out);
    Reply::ReplyCode("550 100% sure").encode(&mut out);
    assert_eq!(replies(&out), [(b'h', b"X\0ab\0".to_vec()), (b'y', b"550 100%% sure\0".to_vec())]);
}

#[test]
fn every_prefix_and_every_changed_byte_of_a_session_does_no_harm() {
    for (number, whole) in session().iter().enumerate() {
        for end in 0..whole.len() {
            let mut packets = session();
            packets[number].truncate(end);
            let _ = feed(&mut Session::new(Limits::default()), &packets);
        }
        for at in 0..whole.len() {
            for byte in [0, 1, b'E', 0x7f, 0xff] {
                let mut packets = session();
                packets[number][at] = byte;
                let _ = feed(&mut Session::new(Limits::default()), &packets);
            }
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_packets_do_no_harm(packets: Vec<Vec<u8>>) {
        let _ = feed(&mut Session::new(Limits::default()), &packets);
    }
}
