//! The real `spamc`, with every option that reaches the server or decides what becomes of the answer, asks a real engine.

use std::{
    fs,
    io::{self, Read, Write},
    net::{Shutdown, TcpListener},
    os::unix::{
        net::{UnixListener, UnixStream},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use super::{
    engine::{Engine, free, sample, spool},
    support::{files, say, skipped},
};

/// A uid that no machine has an entry for.
const NOBODY_AT_ALL: u32 = 3_999_999_999;

fn is_installed() -> bool {
    let is_there = Command::new("spamc").arg("-V").stdout(Stdio::null()).status().is_ok();
    if !is_there {
        skipped("spamc is not installed");
    }
    is_there
}

fn spamc(options: &str) -> Command {
    let mut spamc = Command::new("spamc");
    // No configuration of this machine: the first file that is named counts.
    if !options.contains("-F ") {
        spamc.args(["-F", "/dev/null"]);
    }
    // What goes wrong is said to us.
    spamc.arg("-l").args(options.split_whitespace());
    spamc
}

fn fed(mut spamc: Command, mail: &[u8]) -> Output {
    spamc.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spamc.spawn().expect("spamc starts");
    // One that finds no server may end before it read everything.
    let _ = child.stdin.take().expect("a pipe").write_all(mail);
    child.wait_with_output().expect("spamc ends")
}

/// `options` as a person types them.
fn typed(options: &str, mail: &[u8]) -> (Option<i32>, String) {
    let output = fed(spamc(options), mail);
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn read(name: &str) -> String {
    fs::read_to_string(sample(name)).expect("a sample")
}

/// Stands between `spamc` and an engine, and keeps what went to it.
struct Tap {
    path: PathBuf,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    fn new(path: PathBuf, engine: PathBuf) -> Tap {
        let socket = UnixListener::bind(&path).expect("a socket");
        let tap = Tap { path, sent: Arc::default() };
        let sent = Arc::clone(&tap.sent);
        thread::spawn(move || {
            for client in socket.incoming() {
                let (Ok(mut client), Ok(mut engine)) = (client, UnixStream::connect(&engine)) else { return };
                let mut request = Vec::new();
                // `spamc` closes its side when all is said.
                let _ = client.read_to_end(&mut request);
                sent.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&request);
                let _ = engine.write_all(&request).and_then(|()| engine.shutdown(Shutdown::Write));
                let _ = io::copy(&mut engine, &mut client);
            }
        });
        tap
    }

    /// The head of the request since the last call, without what differs from machine to machine.
    fn head(&self) -> String {
        let sent = std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner));
        let text = String::from_utf8_lossy(&sent);
        let is_told = |line: &&str| {
            !line.starts_with("Content-length: ") && (!line.starts_with("User: ") || line.ends_with(" eva"))
        };
        text.lines().take_while(|line| !line.is_empty()).filter(is_told).collect::<Vec<_>>().join(", ")
    }

    fn ask(&self, options: &str, mail: &[u8]) -> (Option<i32>, String) {
        typed(&format!("-U {} {options}", self.path.display()), mail)
    }
}

/// Options, the head that is sent (empty if nothing is), the exit code, and whether the output is as it should be.
type Case = (&'static str, &'static str, i32, fn(&str) -> bool);

#[test]
fn every_way_to_ask_is_answered() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("spamd.sock");
    let _engine = Engine::start(folder.path(), &[&format!("spamd:unix:{}", socket.display())], "");
    let tap = Tap::new(folder.path().join("tap.sock"), socket);

    let score = |out: &str| out.ends_with("/5.0\n");
    let names = |out: &str| out.contains("GTUBE") && out.lines().count() == 1;
    let explained = |out: &str| out.starts_with("Content analysis") && out.contains(" GTUBE ");
    let report = |out: &str| out.contains("/5.0\nContent analysis");
    let marked = |out: &str| out.starts_with("X-Spam-Flag: YES") && out.contains("\nSubject: Test spam mail");
    let of_spam: [Case; 17] = [
        ("-c", "CHECK SPAMC/1.5", 1, score),
        ("-c -E", "CHECK SPAMC/1.5", 1, score),
        ("-c -u eva", "CHECK SPAMC/1.5, User: eva", 1, score),
        ("-c -t 60 -n 60", "CHECK SPAMC/1.5", 1, score),
        ("-c --filter-retries=3 --filter-retry-sleep=1", "CHECK SPAMC/1.5", 1, score),
        ("-c --connect-retries=2 --retry-sleep=1", "CHECK SPAMC/1.5", 1, score),
        ("-y", "SYMBOLS SPAMC/1.5", 0, names),
        ("-y -E", "SYMBOLS SPAMC/1.5", 1, names),
        ("-R", "REPORT SPAMC/1.5", 0, report),
        ("-R -E", "REPORT SPAMC/1.5", 1, report),
        // spamd says `Yes` here and not `True`, and spamc takes that for no: no score, no exit code.
        ("-r", "REPORT_IFSPAM SPAMC/1.5", 0, explained),
        ("-r -E", "REPORT_IFSPAM SPAMC/1.5", 0, explained),
        ("", "PROCESS SPAMC/1.5", 0, marked),
        ("-E -x -X", "PROCESS SPAMC/1.5", 1, marked),
        ("--headers", "HEADERS SPAMC/1.5", 0, marked),
        ("--headers -E", "HEADERS SPAMC/1.5", 1, marked),
        ("-e /bin/cat", "PROCESS SPAMC/1.5", 0, marked),
    ];
    let passed =
        |out: &str| out.starts_with("X-Spam-Status: No, ") && out.ends_with(&*read("ham/personal-en"));
    let untouched = |out: &str| out == read("ham/personal-en");
    let of_ham: [Case; 13] = [
        ("-c", "CHECK SPAMC/1.5", 0, score),
        ("-y", "SYMBOLS SPAMC/1.5", 0, |out| !out.contains("GTUBE")),
        ("-R", "REPORT SPAMC/1.5", 0, report),
        ("-r", "REPORT_IFSPAM SPAMC/1.5", 0, str::is_empty),
        // With fields in front, and otherwise byte for byte.
        ("", "PROCESS SPAMC/1.5", 0, passed),
        ("-E -x", "PROCESS SPAMC/1.5", 0, passed),
        ("--headers", "HEADERS SPAMC/1.5", 0, passed),
        // Above the client's limit nothing is asked, and the mail comes back as it went.
        ("-s 100", "", 0, untouched),
        ("-s 100 --headers", "", 0, untouched),
        ("-s 100 -x -E", "", 0, untouched),
        ("-s 100 -c", "", 0, |out| out == "0/0\n"),
        ("-s 100000 -c", "CHECK SPAMC/1.5", 0, score),
        ("-K", "PING SPAMC/1.5", 0, |out| out.starts_with("SPAMD/1.5 0")),
    ];
    for (mail, cases) in [("spam/gtube", &of_spam[..]), ("ham/personal-en", &of_ham[..])] {
        for (options, head, code, is_right) in cases {
            let (exit, out) = tap.ask(options, read(mail).as_bytes());
            assert_eq!((tap.head().as_str(), exit), (*head, Some(*code)), "spamc {options} < {mail}: {out}");
            assert!(is_right(&out), "spamc {options} < {mail}: {out}");
        }
    }

    // A batch keeps its envelope, the mail in it is marked.
    let spam = read("spam/gtube").replace('\n', "\r\n");
    let batch = format!("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n{spam}.\r\nQUIT\r\n");
    let (exit, out) = tap.ask("-B -E", batch.as_bytes());
    assert_eq!((tap.head().as_str(), exit), ("PROCESS SPAMC/1.5", Some(1)));
    assert!(out.contains("\r\nDATA\r\nX-Spam-Flag: YES\r\n") && out.ends_with("\r\n.\r\nQUIT\r\n"), "{out}");

    // Options from a file.
    let file = folder.path().join("spamc.conf");
    fs::write(&file, format!("# where\n-U {}\n\n-c\n", tap.path.display())).expect("a folder of ours");
    let (exit, out) = typed(&format!("-F {}", file.display()), read("spam/gtube").as_bytes());
    assert_eq!((tap.head().as_str(), exit), ("CHECK SPAMC/1.5", Some(1)));
    assert!(score(&out), "{out}");

    // Debian's has no zlib, and says so before it connects.
    let (exit, out) = tap.ask("-z -c", read("spam/gtube").as_bytes());
    match tap.head().as_str() {
        "" => {
            assert_eq!(exit, Some(64), "{out}");
            say("spamc is built without zlib");
        }
        head => assert_eq!((head, exit), ("CHECK SPAMC/1.5, Compress: zlib", Some(1))),
    }
}

#[test]
fn what_users_sort_waits_for_the_next_training() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("spamd.sock");
    let address = format!("spamd:unix:{}", socket.display());
    let engine = Engine::start(folder.path(), &[&address], &spool(folder.path()));
    let tap = Tap::new(folder.path().join("tap.sock"), socket.clone());
    let learned = || ["spam", "ham"].map(|class| files(&folder.path().join("spool").join(class)).len());
    let spam = read("spam/gtube");
    // Each message once and in the class that was said last. Of the databases that several sites share there is
    // none, and spamc says so. Nothing is forgotten here, and spamc does not say that it is.
    for (options, head, said, code, counts) in [
        ("-L spam", "Message-class: spam, Set: local", "Message successfully un/learned\n", 0, [1, 0]),
        ("-L spam", "Message-class: spam, Set: local", "Message was already un/learned\n", 0, [1, 0]),
        ("-L ham", "Message-class: ham, Set: local", "Message successfully un/learned\n", 0, [0, 1]),
        (
            "-C report",
            "Message-class: spam, Set: local,remote",
            "Unable to report/revoke message\n",
            0,
            [1, 0],
        ),
        (
            "-C revoke",
            "Message-class: ham, Set: local, Remove: remote",
            "Unable to report/revoke message\n",
            0,
            [0, 1],
        ),
        ("-L forget", "Remove: local", "", 74, [0, 1]),
    ] {
        let (exit, out) = tap.ask(options, spam.as_bytes());
        assert_eq!(tap.head(), format!("TELL SPAMC/1.5, {head}"), "spamc {options}");
        assert_eq!((exit, out.as_str(), learned()), (Some(code), said, counts), "spamc {options}");
    }

    // Where nothing can be learned, no user hears that it was.
    drop(engine);
    fs::remove_dir_all(folder.path().join("spool")).expect("a folder of ours");
    let _engine = Engine::start(folder.path(), &[&address], "");
    assert_eq!(tap.ask("-L spam", spam.as_bytes()), (Some(74), String::new()));
}

#[test]
fn one_host_stands_in_for_another() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let port = free().port();
    let mut addresses = vec![format!("spamd:127.0.0.1:{port}")];
    let has_six = TcpListener::bind(("::1", port)).is_ok();
    addresses.extend(has_six.then(|| format!("spamd:[::1]:{port}")));
    let addresses: Vec<_> = addresses.iter().map(String::as_str).collect();
    let _engine = Engine::start(folder.path(), &addresses, "");
    let spam = read("spam/gtube");
    // Nobody answers at 127.0.0.2. Who gives up the fallback gives up the other hosts, too.
    for (options, code) in [
        ("-c", 1),
        ("-c -4", 1),
        ("-c -d 127.0.0.1", 1),
        ("-c -H -d 127.0.0.1,127.0.0.1", 1),
        ("-c -d 127.0.0.2,127.0.0.1 --connect-retries=2", 1),
        ("-E -x --connect-retries=1 -d 127.0.0.2,127.0.0.1", 69),
    ] {
        assert_eq!(typed(&format!("-p {port} {options}"), spam.as_bytes()).0, Some(code), "spamc {options}");
    }
    // A mailbox may have a uid that no passwd knows. spamc needs a name then.
    if rustix::process::geteuid().is_root() {
        for (options, code) in [("-x -E", 71), ("-x -E -u mailbox", 1)] {
            let mut spamc = spamc(&format!("-p {port} {options}"));
            spamc.uid(NOBODY_AT_ALL);
            let output = fed(spamc, spam.as_bytes());
            let why = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "spamc {options}: {why}");
            assert_eq!(why.contains("getpwuid"), code == 71, "{why}");
        }
    }
    if has_six {
        assert_eq!(typed(&format!("-p {port} -c -6 -d ::1"), spam.as_bytes()).0, Some(1));
    }
}

#[test]
fn without_an_answer_the_mail_passes_or_stays_as_was_asked() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("spamd.sock");
    let address = format!("spamd:unix:{}", socket.display());
    let _engine = Engine::start(folder.path(), &[&address], "server.max_message_bytes = 2000\n");
    let ham = read("ham/personal-en") + &"A line of a long mail.\n".repeat(100);
    // Takes all, and says nothing.
    let silent = folder.path().join("silent.sock");
    let listener = UnixListener::bind(&silent).expect("a socket");
    let heard = Arc::new(Mutex::new(0));
    let hears = Arc::clone(&heard);
    thread::spawn(move || {
        let mut open = Vec::new();
        for client in listener.incoming() {
            *hears.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            open.push(client);
        }
    });
    // Refused by an engine as too large; no engine; an engine that hangs.
    let no_one = folder.path().join("nobody.sock");
    for (path, more, code) in [(&socket, "", 74), (&no_one, "", 70), (&silent, "-t 1", 74)] {
        let ask = |options: &str| ask_at(path, &format!("{more} {options}"), &ham);
        assert_eq!(ask(""), (Some(0), ham.clone()), "{}", path.display());
        assert_eq!(ask("-E"), (Some(0), ham.clone()), "{}", path.display());
        assert_eq!(ask("-c"), (Some(0), "0/0\n".into()), "{}", path.display());
        assert_eq!(ask("-x").0, Some(code), "{}", path.display());
        assert_eq!(ask("-L spam").0, Some(code), "{}", path.display());
    }
    let before = *heard.lock().unwrap_or_else(PoisonError::into_inner);
    let retried = ask_at(&silent, "-c -t 1 --filter-retries=2 --filter-retry-sleep=1", &ham);
    assert_eq!(retried, (Some(0), "0/0\n".into()));
    assert_eq!(*heard.lock().unwrap_or_else(PoisonError::into_inner) - before, 2);
}

fn ask_at(socket: &Path, options: &str, mail: &str) -> (Option<i32>, String) {
    typed(&format!("-U {} {options}", socket.display()), mail.as_bytes())
}
