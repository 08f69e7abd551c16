//! A real Postfix in a folder of its own asks a real engine, over the milter protocol, in the SMTP session.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
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
fn engine(folder: &Path) -> Engine {
    let socket = folder.join("milter.sock");
    let engine = Engine::start(folder, &[&format!("milter:unix:{}", socket.display())], "");
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
    let first = engine(folder.path());
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
    let _second = engine(folder.path());
    let accepted = postfix.send(HAM);
    assert!(accepted.starts_with("250"), "{accepted}");
    wait_for("the delivery", || postfix.delivered().len() == 2);
}
