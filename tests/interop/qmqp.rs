//! QMQP with Postfix's qmqp-source as the client and qmqp-sink as the server that queues.

use std::{
    fs,
    io::{self, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use super::{
    engine::{CRIBA, Engine, PATIENCE, free, sample, wait_for},
    support::{block, skipped},
};

/// The listener of the page, between an address of ours and the next server.
fn engine(folder: &Path, at: SocketAddr, next: SocketAddr) -> Engine {
    let listener = block("qmail.md", "# criba.toml")
        .replace("0.0.0.0:628", &at.to_string())
        .replace("192.0.2.7:628", &next.to_string())
        .replace("192.0.2.0/24", "127.0.0.0/8");
    Engine::configured(folder, &listener)
}

fn has(program: &str) -> bool {
    let there = Path::new("/usr/sbin").join(program).exists();
    if !there {
        skipped(format_args!("{program} is not here: it comes with Postfix"));
    }
    there
}

/// The exit code of qmqp-source, and what it says of failures.
fn source(server: SocketAddr, options: &[&str]) -> (bool, String) {
    let mut source = Command::new("/usr/sbin/qmqp-source");
    source.args(options).args(["-f", "ana@example.net", "-t", "box@example.org"]);
    let output = source.arg(server.to_string()).output().expect("qmqp-source");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A server that counts what it is given; killed with the test.
struct Sink(Child);

impl Sink {
    fn start(at: SocketAddr, counter: &Path) -> Sink {
        let output = fs::File::create(counter).expect("a folder of ours");
        let mut sink = Command::new("/usr/sbin/qmqp-sink");
        let child = sink.arg("-c").arg(at.to_string()).arg("10").stdout(output).spawn().expect("qmqp-sink");
        wait_for("qmqp-sink", || TcpStream::connect(at).is_ok());
        Sink(child)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// The last number that a counter shows; each overwrites the one before.
fn count(counter: &Path) -> usize {
    let text = fs::read_to_string(counter).expect("a counter");
    text.split('\r')
        .rfind(|number| !number.is_empty())
        .and_then(|number| number.trim().parse().ok())
        .unwrap_or(0)
}

#[test]
fn postfixs_client_is_answered_after_postfixs_server() {
    if !(has("qmqp-source") && has("qmqp-sink")) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, next) = (free(), free());
    let _engine = engine(folder.path(), ours, next);

    // Nobody is there to take the mail: it stays with its sender.
    let (sent, why) = source(ours, &["-m", "1"]);
    assert!(!sent && why.contains("recoverable"), "{why}");

    let counter = folder.path().join("counter");
    let sink = Sink::start(next, &counter);
    let (sent, why) = source(ours, &["-m", "200", "-s", "10", "-l", "20000"]);
    assert!(sent, "{why}");
    wait_for("the last mail", || count(&counter) == 200);

    drop(sink);
    let (sent, why) = source(ours, &["-m", "1"]);
    assert!(!sent && why.contains("recoverable"), "{why}");
}

fn netstring(bytes: &[u8]) -> Vec<u8> {
    [format!("{}:", bytes.len()).as_bytes(), bytes, b","].concat()
}

fn request(message: &[u8]) -> Vec<u8> {
    netstring(&[netstring(message), netstring(b"ana@example.net"), netstring(b"box@example.org")].concat())
}

fn answer(server: SocketAddr, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(server).expect("the engine");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(request).expect("the engine reads");
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).expect("a reply");
    reply
}

#[test]
fn the_ok_of_the_next_server_is_the_only_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let next = TcpListener::bind("127.0.0.1:0").expect("a port");
    let ours = free();
    let _engine = engine(folder.path(), ours, next.local_addr().expect("an address"));
    let mail = b"Subject: x\nX-Spam-Flag: forged\n\nA mail.\n";

    for reply in [&b"2:K1,"[..], b"2:Z2,", b"2:D3,"] {
        let mut client = TcpStream::connect(ours).expect("the engine");
        client.write_all(&request(mail)).expect("the engine reads");
        let (mut handed, _) = next.accept().expect("the mail goes on");
        handed.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut got = Vec::new();
        while !got.ends_with(b",15:box@example.org,,") {
            let mut some = [0; 4096];
            let size = handed.read(&mut some).expect("the mail");
            assert!(size > 0, "{}", String::from_utf8_lossy(&got));
            got.extend_from_slice(&some[..size]);
        }
        let text = String::from_utf8_lossy(&got);
        assert!(text.contains("X-Spam-Status: No, score=") && !text.contains("forged"), "{text}");
        assert!(text.contains("\nSubject: x\n\nA mail.\n,15:ana@example.net,"), "{text}");
        client.set_nonblocking(true).expect("a socket");
        let early = client.peek(&mut [0; 1]).map_err(|error| error.kind());
        assert_eq!(early, Err(io::ErrorKind::WouldBlock), "an answer before the next server's");
        client.set_nonblocking(false).expect("a socket");
        handed.write_all(reply).expect("the engine reads");
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).expect("an answer");
        assert_eq!(answer, reply);
    }

    // A next server that breaks off said nothing, and so nothing was accepted.
    let breaking = thread::spawn(move || {
        drop(next.accept());
        next
    });
    assert!(answer(ours, &request(mail)).windows(2).any(|pair| pair == b":Z"));
    let next = breaking.join().expect("no panic");

    // Spam does not go on, and neither does half a request, which gets no answer at all.
    let spam = fs::read(sample("spam/gtube")).expect("a sample");
    assert!(answer(ours, &request(&spam)).windows(2).any(|pair| pair == b":D"));
    let whole = request(mail);
    let mut half = TcpStream::connect(ours).expect("the engine");
    half.write_all(&whole[..whole.len() - 1]).expect("the engine reads");
    half.shutdown(std::net::Shutdown::Write).expect("a socket");
    let mut reply = Vec::new();
    half.read_to_end(&mut reply).expect("an end");
    assert_eq!(reply, b"");
    next.set_nonblocking(true).expect("a socket");
    assert!(next.accept().is_err(), "nothing went on");
}

#[test]
fn qmail_queue_hands_on_to_postfixs_server() {
    if !has("qmqp-sink") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let next = free();
    let socket = folder.path().join("criba.sock");
    let _engine = Engine::start(folder.path(), &[&format!("unix:{}", socket.display())], "");
    let queue = |mail: &[u8]| {
        let (envelope, mut to_envelope) = io::pipe().expect("a pipe");
        let mut child = Command::new(CRIBA)
            .arg("qmail-queue")
            .env("CRIBA_SERVER", format!("unix:{}", socket.display()))
            .env("CRIBA_NEXT", format!("qmqp:{next}"))
            .env("CRIBA_BUDGET", "60000")
            .stdin(Stdio::piped())
            .stdout(envelope)
            .stderr(Stdio::null())
            .spawn()
            .expect("criba starts");
        child.stdin.take().expect("a pipe").write_all(mail).expect("it reads");
        to_envelope.write_all(b"Fana@example.net\0Tbox@example.org\0\0").expect("it reads");
        drop(to_envelope);
        child.wait().expect("it ends").code()
    };
    let ham = b"Subject: hello\n\nJust a mail.\n";
    assert_eq!(queue(ham), Some(71), "nobody takes it");
    let counter = folder.path().join("counter");
    let _sink = Sink::start(next, &counter);
    assert_eq!(queue(ham), Some(0));
    wait_for("the mail", || count(&counter) == 1);
    assert_eq!(queue(&fs::read(sample("spam/gtube")).expect("a sample")), Some(31));
    assert_eq!(count(&counter), 1);
}
