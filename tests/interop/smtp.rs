//! A mail client, just enough of RFC 5321 to bring one mail.

use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
};

use base64ct::{Base64, Encoding};

use super::engine::PATIENCE;

/// Sends a mail with CRLF line ends from ana@example.net to box@example.org; the last line of the reply that
/// decided.
pub fn send(server: SocketAddr, mail: &str) -> String {
    session(server, None, mail)
}

/// As [`send`], by a user who logs in.
pub fn send_as(user: &str, password: &str, server: SocketAddr, mail: &str) -> String {
    session(server, Some((user, password)), mail)
}

fn session(server: SocketAddr, login: Option<(&str, &str)>, mail: &str) -> String {
    let stream = TcpStream::connect(server).expect("a mail server");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let mut replies = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut say = |line: &str| {
        (&stream).write_all(line.as_bytes()).expect("the server listens");
        let mut reply = String::new();
        // All but the last line of a reply have a dash after the code.
        while reply.lines().last().is_none_or(|line| line.as_bytes().get(3) == Some(&b'-')) {
            assert!(replies.read_line(&mut reply).expect("a reply") > 0, "the server hung up after {line}");
        }
        reply.lines().last().unwrap_or_default().to_owned()
    };
    say("");
    say("EHLO client.example.net\r\n");
    if let Some((user, password)) = login {
        let plain = Base64::encode_string(format!("\0{user}\0{password}").as_bytes());
        let known = say(&format!("AUTH PLAIN {plain}\r\n"));
        assert!(known.starts_with("235"), "{known}");
    }
    let from = say("MAIL FROM:<ana@example.net>\r\n");
    if !from.starts_with("250") {
        return from;
    }
    say("RCPT TO:<box@example.org>\r\n");
    let data = say("DATA\r\n");
    if !data.starts_with("354") {
        return data;
    }
    let dotted = mail.replace("\r\n.", "\r\n..");
    say(&format!("{dotted}.\r\n"))
}

/// The mail in a file, with CRLF line ends.
pub fn read(path: &std::path::Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}
