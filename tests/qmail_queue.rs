//! `criba qmail-queue` between a qmail and its qmail-queue(8), with a real engine. The program that takes the
//! mail on is a script that keeps what it was given.

use std::{
    fs,
    io::{self, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const CRIBA: &str = env!("CARGO_BIN_EXE_criba");
const PATIENCE: Duration = Duration::from_secs(60);
const ENVELOPE: &[u8] = b"Fana@example.net\0Tbox@example.org\0Tpost@example.org\0\0";
const HAM: &[u8] = b"Subject: hello\n\nJust a mail.\n";

struct Engine(Child);

impl Engine {
    fn start(folder: &Path) -> Engine {
        let rules = folder.join("rules.cf");
        fs::write(&rules, "body FORBIDDEN /forbidden words/\nscore FORBIDDEN 20\n").expect("a rule file");
        let socket = folder.join("criba.sock");
        let mut criba = Command::new(CRIBA);
        criba.args(["serve", "--no-default-rules", "--rules"]).arg(&rules);
        criba.arg("--listen").arg(format!("unix:{}", socket.display())).env("XDG_CACHE_HOME", folder);
        let child = criba.stderr(Stdio::null()).spawn().expect("criba starts");
        let until = Instant::now() + PATIENCE;
        while UnixStream::connect(&socket).is_err() {
            assert!(Instant::now() < until, "the engine does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Engine(child)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// Hands a mail over as qmail-smtpd does; the exit code.
fn queue(folder: &Path, next: &Path, message: &[u8], envelope: &[u8]) -> Option<i32> {
    let (from_us, mut to_descriptor_1) = io::pipe().expect("a pipe");
    let mut child = Command::new(CRIBA)
        .arg("qmail-queue")
        .env("CRIBA_SERVER", format!("unix:{}", folder.join("criba.sock").display()))
        .env("CRIBA_NEXT", next)
        .env("CRIBA_BUDGET", "60000")
        .stdin(Stdio::piped())
        .stdout(from_us)
        .stderr(Stdio::null())
        .spawn()
        .expect("criba starts");
    child.stdin.take().expect("a pipe").write_all(message).expect("it reads");
    to_descriptor_1.write_all(envelope).expect("it reads");
    drop(to_descriptor_1);
    child.wait().expect("it ends").code()
}

/// A program in the place of qmail-queue: keeps message and envelope, then exits with `code`.
fn next(folder: &Path, code: i32) -> PathBuf {
    let path = folder.join(format!("next-{code}"));
    let at = folder.display();
    fs::write(&path, format!("#!/bin/sh\ncat > {at}/message\ncat <&1 > {at}/envelope\nexit {code}\n"))
        .expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a script");
    path
}

#[test]
fn the_answer_of_the_next_program_is_ours() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let _engine = Engine::start(folder);
    for code in [0, 53] {
        assert_eq!(queue(folder, &next(folder, code), HAM, ENVELOPE), Some(code));
        let message = fs::read(folder.join("message")).expect("the mail was handed on");
        assert!(message.starts_with(b"X-Spam-Status: No, score="));
        assert!(message.ends_with(HAM), "the mail itself is as it was");
        assert_eq!(fs::read(folder.join("envelope")).expect("an envelope"), ENVELOPE);
        fs::remove_file(folder.join("message")).expect("a file");
    }
    // A program that cannot be run: qmail puts the mail off.
    assert_eq!(queue(folder, Path::new("/no/such/qmail-queue"), HAM, ENVELOPE), Some(81));
}

#[test]
fn spam_is_refused_and_not_handed_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let _engine = Engine::start(folder);
    let spam = b"Subject: x\n\nThe forbidden words.\n";
    assert_eq!(queue(folder, &next(folder, 0), spam, ENVELOPE), Some(31));
    assert!(!folder.join("message").exists());
    // Half an envelope: the client died, and its mail is not to be queued.
    assert_eq!(queue(folder, &next(folder, 0), HAM, b"Fana@example.net\0Tbox"), Some(91));
    assert!(!folder.join("message").exists());
}

#[test]
fn without_an_engine_the_mail_stays_with_its_sender() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(queue(folder.path(), &next(folder.path(), 0), HAM, ENVELOPE), Some(71));
    assert!(!folder.path().join("message").exists());
}
