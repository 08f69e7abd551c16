//! Recorded sessions of front ends, broken off after each byte and damaged at each byte: nothing panics, no
//! connection is stuck, and half a request gets no verdict.

use std::net::TcpListener;

use super::*;

/// A dialect with what a client says in one connection, and what it hears of a verdict.
struct Session {
    dialect: &'static str,
    bytes: Vec<u8>,
    verdict: &'static [u8],
}

fn sessions() -> Vec<Session> {
    let mail = "Subject: x\r\n\r\nhello\r\n";
    let packet = |command: u8, data: &[u8]| {
        let length = u32::try_from(data.len() + 1).unwrap().to_be_bytes();
        [&length[..], &[command], data].concat()
    };
    let milter = [
        packet(b'O', &[6_u32, 0x1ff, 0x1f_ffff].map(u32::to_be_bytes).concat()),
        packet(b'D', b"Cj\0mx.example.org\0"),
        packet(b'C', b"client.example.net\x004\x04\xd2192.0.2.7\0"),
        packet(b'H', b"helo.example.net\0"),
        packet(b'M', b"<a@example.net>\0SIZE=99\0"),
        packet(b'R', b"<b@example.org>\0"),
        packet(b'T', b""),
        packet(b'L', b"Subject\0 x\0"),
        packet(b'N', b""),
        packet(b'B', b"hello\r\n"),
        packet(b'E', b""),
    ];
    let netstring = |text: &str| format!("{}:{text},", text.len());
    let qmqp = netstring(&[mail, "a@example.net", "b@example.org"].map(netstring).concat());
    let spamd = format!("PROCESS SPAMC/1.5\r\nUser: eva\r\nContent-length: {}\r\n\r\n{mail}", mail.len());
    let rspamd = format!(
        "POST /checkv2 HTTP/1.1\r\nHost: a\r\nFrom: a@example.net\r\nIP: 192.0.2.7\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{mail}",
        mail.len()
    );
    let chunked = "POST /checkv2 HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
                   b\r\nSubject: x\n\r\n7\r\n\nhello\n\r\n0\r\n\r\n";
    let text =
        format!("CHECK RSPAMC/1.3\r\nContent-length: {}\r\nFrom: a@example.net\r\n\r\n{mail}", mail.len());
    vec![
        // Accept, as the last packet.
        Session { dialect: "milter", bytes: milter.concat(), verdict: b"\0\0\0\x01a" },
        // There is no next server here: the message was judged, and is put off.
        Session { dialect: "qmqp", bytes: qmqp.into_bytes(), verdict: b":Z" },
        Session { dialect: "spamd", bytes: spamd.into_bytes(), verdict: b"0 EX_OK\r\n" },
        Session { dialect: "rspamd", bytes: rspamd.into_bytes(), verdict: b"HTTP/1.1 200 OK\r\n" },
        Session { dialect: "rspamd", bytes: chunked.into(), verdict: b"HTTP/1.1 200 OK\r\n" },
        Session { dialect: "rspamd", bytes: text.into_bytes(), verdict: b"RSPAMD/1.3 0 EX_OK" },
    ]
}

/// An engine with a socket for each dialect.
fn engine() -> Engine {
    let home = tempfile::tempdir().unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut configuration = format!("server.listen = [\"unix:{}\"]\n", socket(home.path()).display());
    for dialect in ["milter", "spamd", "rspamd", "qmqp"] {
        let path = home.path().join(dialect);
        configuration += &format!("[[listener]]\naddress = \"{dialect}:unix:{}\"\n", path.display());
    }
    // The last listener is that of QMQP.
    configuration += &format!("next = [\"{nobody}\"]\n");
    fs::write(home.path().join("criba.toml"), configuration).unwrap();
    let log = fs::File::create(home.path().join("log")).unwrap();
    let process = serve(home.path()).env("RUST_LOG", "off").stderr(log).spawn().unwrap();
    let engine = Engine { process, home, tcp: String::new() };
    wait_for("the last socket", || engine.home.path().join("qmqp").exists());
    engine
}

impl Engine {
    /// Whether it is well, and no task of it was cut short.
    fn assert_whole(&self) {
        self.assert_sound();
        let log = fs::read_to_string(self.home.path().join("log")).unwrap();
        assert!(!log.contains("panicked"), "{log}");
    }

    /// What a client hears that says this and no more.
    fn hears(&self, dialect: &str, bytes: &[u8]) -> Vec<u8> {
        let mut stream = UnixStream::connect(self.home.path().join(dialect)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // The engine may hang up in the middle of what makes no sense.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        let mut heard = Vec::new();
        if let Err(error) = stream.read_to_end(&mut heard) {
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{dialect} is stuck: {bytes:?}");
        }
        heard
    }
}

fn holds(heard: &[u8], verdict: &[u8]) -> bool {
    heard.windows(verdict.len()).any(|window| window == verdict)
}

#[test]
fn half_a_request_gets_no_verdict_in_any_dialect() {
    let engine = engine();
    for Session { dialect, bytes, verdict } in sessions() {
        assert!(holds(&engine.hears(dialect, &bytes), verdict), "{dialect}");
        for end in 0..bytes.len() {
            let heard = engine.hears(dialect, &bytes[..end]);
            assert!(!holds(&heard, verdict), "{dialect}, {end} bytes: {}", String::from_utf8_lossy(&heard));
        }
    }
    engine.assert_whole();
}

#[test]
fn a_damaged_session_sticks_in_no_dialect() {
    let engine = engine();
    let asked = &engine;
    thread::scope(|scope| {
        for Session { dialect, bytes, .. } in sessions() {
            scope.spawn(move || {
                for (at, byte) in (0..bytes.len()).flat_map(|at| (0..=255).map(move |byte| (at, byte))) {
                    let mut damaged = bytes.clone();
                    damaged[at] = byte;
                    asked.hears(dialect, &damaged);
                }
            });
        }
    });
    engine.assert_whole();
}
