//! A real Postfix in a folder of its own asks a real engine, over the milter protocol, in the SMTP session.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use super::{
    engine::{Engine, sample, wait_for},
    smtp,
    support::{block, files, skipped},
};

const MASTER: &str = "\
127.0.0.1:PORT inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
";

/// An engine that listens for an MTA, which asks as its own user.
fn engine(folder: &Path, toml: &str) -> Engine {
    let socket = folder.join("milter.sock");
    let engine = Engine::start(folder, &[&format!("milter:unix:{}", socket.display())], toml);
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).expect("a socket of ours");
    engine
}

/// A Postfix whose every file is below one folder.
struct Postfix {
    folder: PathBuf,
    port: u16,
}

impl Postfix {
    fn start(folder: &Path) -> Postfix {
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let etc = folder.join("etc");
        for name in ["etc", "queue", "data", "mail"] {
            fs::create_dir(folder.join(name)).expect("a folder");
        }
        let root = folder.display();
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {root}/queue\ndata_directory = {root}/data\n\
             command_directory = /usr/sbin\ndaemon_directory = /usr/lib/postfix/sbin\nmaillog_file = {root}/log\n\
             maillog_file_prefixes = {root}\nmail_owner = postfix\nsetgid_group = postdrop\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmyhostname = mx.example.org\nmydestination =\n\
             virtual_mailbox_domains = example.org\nvirtual_mailbox_base = {root}/mail\n\
             virtual_mailbox_maps = static:box/\nvirtual_uid_maps = static:65534\nvirtual_gid_maps = static:65534\n\
             smtpd_relay_restrictions = reject_unauth_destination\nsmtpd_peername_lookup = no\n\
             local_header_rewrite_clients =\nmessage_drop_headers =\n\
             {}",
            block("postfix.md", "# main.cf").replace("unix:/criba/", &format!("unix:{root}/"))
        );
        fs::write(etc.join("main.cf"), main).expect("main.cf");
        fs::write(etc.join("master.cf"), MASTER.replace("PORT", &port.to_string())).expect("master.cf");
        let run = |program: &str, args: &[&str]| {
            let output = Command::new(program).args(args).output().expect("a program of the system");
            assert!(
                output.status.success(),
                "{program} {args:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        };
        run("chown", &["postfix", &folder.join("data").display().to_string()]);
        run("chown", &["nobody", &folder.join("mail").display().to_string()]);
        run("postfix", &["-c", &etc.display().to_string(), "start"]);
        let postfix = Postfix { folder: folder.to_owned(), port };
        wait_for("Postfix", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        postfix
    }

    fn send(&self, mail: &str) -> String {
        smtp::send(([127, 0, 0, 1], self.port).into(), mail)
    }

    fn delivered(&self) -> Vec<String> {
        let new = self.folder.join("mail/box/new");
        let found = if new.is_dir() { files(&new) } else { Vec::new() };
        found.iter().map(|file| fs::read_to_string(file).expect("a mail")).collect()
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let etc = self.folder.join("etc").display().to_string();
        let _ = Command::new("postfix").args(["-c", &etc, "stop"]).stderr(Stdio::null()).status();
    }
}

fn is_available() -> bool {
    let installed =
        Command::new("postconf").arg("mail_version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    let available = installed.is_ok_and(|status| status.success()) && root;
    if !available {
        skipped("Postfix is not installed, or this is not root, who alone can start one");
    }
    available
}

const HAM: &str = "From: Ana <ana@example.net>\r\nTo: box@example.org\r\nSubject: the minutes of Tuesday\r\n\
                   Message-ID: <minutes@example.net>\r\nDate: Tue, 4 Jun 2024 10:00:00 +0000\r\n\
                   X-Spam-Status: No, forged\r\nX-Spam-Forged: 1\r\n\r\nHi all,\r\n\r\n.dots at the start\r\n  and blanks \r\n";

#[test]
fn spam_is_refused_ham_is_delivered_and_nothing_passes_without_the_engine() {
    if !is_available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    // Postfix reads below it as its own user.
    Command::new("chmod").arg("0755").arg(folder.path()).status().expect("chmod");
    let first = engine(folder.path(), "");
    let postfix = Postfix::start(folder.path());

    let refused = postfix.send(&smtp::read(&sample("spam/gtube")));
    assert!(refused.starts_with("550 5.7.1"), "{refused}");

    let accepted = postfix.send(HAM);
    assert!(accepted.starts_with("250"), "{accepted}");
    wait_for("the delivery", || postfix.delivered().len() == 1);
    let mail = postfix.delivered().remove(0);
    assert!(mail.contains("\nX-Spam-Status: No, score="), "{mail}");
    assert!(!mail.contains("forged") && !mail.contains("X-Spam-Forged"), "{mail}");
    assert!(
        mail.ends_with("\n\nHi all,\n\n.dots at the start\n  and blanks \n"),
        "the body is what was sent: {mail}"
    );

    // Without an engine a mail stays with its sender; with the next one it comes through.
    drop(first); // kill -9
    let put_off = postfix.send(HAM);
    assert!(put_off.starts_with('4'), "{put_off}");
    let _second = engine(folder.path(), "");
    let accepted = postfix.send(HAM);
    assert!(accepted.starts_with("250"), "{accepted}");
    wait_for("the delivery", || postfix.delivered().len() == 2);
}

/// What a mail is, and what shall become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Delivered as it is, but for our fields.
    Ham,
    /// Delivered with a flag.
    Suspect,
    /// Refused.
    Spam,
}

const RULES: &str = "body SUSPICIOUS /somewhat suspicious words/\nscore SUSPICIOUS 9\n\
                     body FORBIDDEN /forbidden words/\nscore FORBIDDEN 30\n";

/// Mails of all kinds, each with its number in its header.
fn mixed(count: usize) -> Vec<(Kind, String)> {
    let mut samples = files(Path::new("corpora/samples/ham"));
    samples.retain(|path| fs::read_to_string(path).is_ok());
    let hams: Vec<String> = samples.iter().map(|path| smtp::read(path)).collect();
    let of = |number: usize| {
        let (kind, mail) = match number % 3 {
            0 => (Kind::Ham, hams[number / 3 % hams.len()].clone()),
            1 => (Kind::Suspect, HAM.replace("Hi all,", "These are somewhat suspicious words.")),
            _ => (Kind::Spam, HAM.replace("Hi all,", "The forbidden words.")),
        };
        (kind, format!("X-Number: {number}\r\n{mail}"))
    };
    (0..count).map(of).collect()
}

/// A delivered mail without what Postfix and we added to its header.
fn without_additions(mail: &str) -> String {
    const ADDED: [&str; 4] = ["Return-Path:", "X-Original-To:", "Delivered-To:", "Received:"];
    let (header, body) = mail.split_once("\n\n").expect("a header and a body");
    let mut kept = String::new();
    let (mut drops, mut own) = (false, false);
    for line in header.split_inclusive('\n') {
        if !line.starts_with([' ', '\t']) {
            // What came with the mail begins with its number.
            own |= line.starts_with("X-Number:");
            drops = line.starts_with("X-Spam-") || !own && ADDED.iter().any(|name| line.starts_with(name));
        }
        if !drops {
            kept.push_str(line);
        }
    }
    format!("{}\n\n{body}", kept.trim_end_matches('\n'))
}

fn number(mail: &str) -> usize {
    let line = mail.lines().find_map(|line| line.strip_prefix("X-Number: "));
    line.and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn no_mail_is_lost_or_passes_unscanned_while_the_engine_is_killed_five_times() {
    const MAILS: usize = 1000;
    const SENDERS: usize = 8;
    if !is_available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    Command::new("chmod").arg("0755").arg(folder.path()).status().expect("chmod");
    let rules = folder.path().join("rules.cf");
    fs::write(&rules, RULES).expect("a folder of ours");
    // Pictures get the time that a busy machine needs for them.
    let toml =
        format!("[rules]\ndirectories = [\"{}\"]\n[profile.external]\nbudget_ms = 120000\n", rules.display());
    let mut running = Some(engine(folder.path(), &toml));
    let postfix = Postfix::start(folder.path());
    let mails = mixed(MAILS);

    // Eight clients send; under them the engine is killed and started again.
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mut replies = vec![String::new(); MAILS];
    thread::scope(|scope| {
        let client = || {
            let mut heard = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some((_, mail)) = mails.get(number) else { return heard };
                heard.push((number, postfix.send(mail)));
                done.fetch_add(1, Ordering::Relaxed);
            }
        };
        let clients: Vec<_> = (0..SENDERS).map(|_| scope.spawn(client)).collect();
        let reached = |count: usize| {
            while done.load(Ordering::Relaxed) < count {
                thread::sleep(Duration::from_millis(2));
            }
        };
        for kill in 1..=5 {
            reached(kill * MAILS / 6);
            drop(running.take()); // kill -9
            reached(kill * MAILS / 6 + SENDERS);
            running = Some(engine(folder.path(), &toml));
        }
        for client in clients {
            for (number, reply) in client.join().expect("no panic") {
                replies[number] = reply;
            }
        }
    });
    let is_right = |number: usize, reply: &str| match mails[number].0 {
        Kind::Spam => reply.starts_with("550 5.7.1"),
        Kind::Ham | Kind::Suspect => reply.starts_with("250"),
    };
    let put_off: Vec<usize> = (0..MAILS).filter(|&number| replies[number].starts_with('4')).collect();
    assert!(!put_off.is_empty(), "the engine was away");
    for (number, reply) in replies.iter().enumerate() {
        assert!(reply.starts_with('4') || is_right(number, reply), "{number} {:?}: {reply}", mails[number].0);
    }

    // What was put off is still with its sender, who tries again.
    for number in put_off {
        let reply = postfix.send(&mails[number].1);
        assert!(is_right(number, &reply), "{number} {:?}: {reply}", mails[number].0);
    }
    let expected = mails.iter().filter(|(kind, _)| *kind != Kind::Spam).count();
    wait_for("the deliveries", || postfix.delivered().len() >= expected);
    let mut seen = vec![false; MAILS];
    for mail in postfix.delivered() {
        let number = number(&mail);
        assert!(!std::mem::replace(&mut seen[number], true), "{number} came twice");
        let (kind, sent) = &mails[number];
        assert_ne!(*kind, Kind::Spam, "{mail}");
        assert!(mail.contains("\nX-Spam-Status: "), "not scanned: {mail}");
        assert_eq!(mail.contains("\nX-Spam-Flag: YES"), *kind == Kind::Suspect, "{mail}");
        // The samples have no fields of other filters; the others have some, which go.
        let sent = sent.replace("\r\n", "\n").replace("X-Spam-Status: No, forged\nX-Spam-Forged: 1\n", "");
        assert_eq!(without_additions(&mail), sent);
    }
    assert_eq!(seen.iter().filter(|&&seen| seen).count(), expected);
    drop(running);
}
