//! A real Postfix in a folder of its own asks a real engine, over the milter protocol, in the SMTP session.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{
    dovecot,
    engine::{Engine, free, sample, wait_for},
    smtp,
    support::{block, can_mount, files, root, skipped},
};

const MASTER: &str = "\
127.0.0.1:PORT inet n - y - - smtpd
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

/// An engine with the listeners of the page, which are below the queue of the Postfix in `folder`.
pub fn engine(folder: &Path, toml: &str) -> Engine {
    let listeners = block("postfix.md", "# criba.toml") + &block("postfix.md", "# criba.toml, submission");
    let queue = folder.join("queue").display().to_string();
    Engine::configured(folder, &format!("{toml}{}", listeners.replace("/var/spool/postfix", &queue)))
}

/// A Postfix whose every file is below one folder.
pub struct Postfix {
    folder: PathBuf,
    /// Where mail comes in from everywhere.
    pub everywhere: SocketAddr,
    /// Where users hand in theirs.
    pub submission: SocketAddr,
}

impl Postfix {
    /// With more lines for `main.cf`.
    pub fn start(folder: &Path, more: &str) -> Postfix {
        // Postfix reads below it as its own user.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("a folder of ours");
        let (everywhere, submission) = (free(), free());
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
             local_header_rewrite_clients =\nmessage_drop_headers =\n{more}{}",
            block("postfix.md", "# main.cf")
        );
        fs::write(etc.join("main.cf"), main).expect("main.cf");
        let service = block("postfix.md", "# master.cf");
        assert!(service.starts_with("submission inet"), "{service}");
        let service = service.replacen("submission", &submission.to_string(), 1);
        let master = MASTER.replace("PORT", &everywhere.port().to_string()) + &service;
        fs::write(etc.join("master.cf"), master).expect("master.cf");
        let postfix = format!("postfix -c {}", etc.display());
        run(&format!("chown postfix {root}/data; chown nobody {root}/mail; {postfix} start"));
        // As the page says, but for the names: and the engine is another's to start.
        let commands = block("postfix.md", "# start")
            .replace("systemctl restart criba\n", "")
            .replace("-o criba", "-o root")
            .replace("/var/spool/postfix", &format!("{root}/queue"))
            .replace("postfix reload", &format!("{postfix} reload"));
        run(&commands);
        wait_for("Postfix", || [everywhere, submission].iter().all(|at| TcpStream::connect(at).is_ok()));
        Postfix { folder: folder.to_owned(), everywhere, submission }
    }

    pub fn send(&self, mail: &str) -> String {
        smtp::send(self.everywhere, mail)
    }

    pub fn delivered(&self) -> Vec<String> {
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

fn run(script: &str) {
    let output = Command::new("sh").args(["-e", "-c", script]).output().expect("sh");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
}

pub fn is_available() -> bool {
    let installed =
        Command::new("postconf").arg("mail_version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    let available = installed.is_ok_and(|status| status.success()) && root;
    if !available {
        skipped("Postfix is not installed, or this is not root, who alone can start one");
    }
    available
}

pub const HAM: &str = "From: Ana <ana@example.net>\r\nTo: box@example.org\r\nSubject: the minutes of Tuesday\r\n\
                   Message-ID: <minutes@example.net>\r\nDate: Tue, 4 Jun 2024 10:00:00 +0000\r\n\
                   X-Spam-Status: No, forged\r\nX-Spam-Forged: 1\r\n\r\nHi all,\r\n\r\n.dots at the start\r\n  and blanks \r\n";

#[test]
fn spam_is_refused_ham_is_delivered_and_nothing_passes_without_the_engine() {
    if !is_available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let postfix = Postfix::start(folder.path(), "");
    let first = engine(folder.path(), "");

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

/// What tells the profiles apart: users get back what strangers are refused.
const TELLING: &str = "[profile.internal.actions]\nreject = false\n";

#[test]
fn mail_that_comes_to_the_submission_service_is_internal() {
    if !is_available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let postfix = Postfix::start(folder.path(), "");
    let engine = engine(folder.path(), TELLING);
    let spam = smtp::read(&sample("spam/gtube"));
    let refused = postfix.send(&spam);
    assert!(refused.starts_with("550 5.7.1"), "{refused}");
    let accepted = smtp::send(postfix.submission, &spam);
    assert!(accepted.starts_with("250"), "{accepted}");
    wait_for("the delivery", || postfix.delivered().len() == 1);
    let mail = postfix.delivered().remove(0);
    assert!(mail.contains("\nX-Spam-Flag: YES"), "{mail}");

    // Users are not put off while there is no engine.
    drop(engine);
    assert!(postfix.send(HAM).starts_with('4'));
    let accepted = smtp::send(postfix.submission, HAM);
    assert!(accepted.starts_with("250"), "{accepted}");
    wait_for("the delivery", || postfix.delivered().len() == 2);
}

/// Dovecot as the one who knows passwords, and nothing more.
const PASSWORDS: &str = "\
protocols =
log_path = FOLDER/dovecot.log
disable_plaintext_auth = no
ssl = no
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=64103 gid=64103 home=FOLDER/home
}
service auth {
  unix_listener QUEUE/private/auth {
    mode = 0666
  }
  inet_listener {
    address = 127.0.0.1
    port = PORT
  }
}
";

#[test]
fn users_who_logged_in_are_internal_at_any_service() {
    if !is_available() {
        return;
    }
    let Some(root) = root("dovecot") else { return };
    if !can_mount(&dovecot::mounts(&root)) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let sasl = "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\nsmtpd_sasl_path = private/auth\n";
    let postfix = Postfix::start(folder.path(), sasl);
    let queue = folder.path().join("queue").display().to_string();
    let _dovecot =
        dovecot::start(&folder.path().join("dovecot"), &root, &PASSWORDS.replace("QUEUE", &queue), free());
    let _engine = engine(folder.path(), TELLING);
    let spam = smtp::read(&sample("spam/gtube"));
    let refused = postfix.send(&spam);
    assert!(refused.starts_with("550 5.7.1"), "{refused}");
    let accepted = smtp::send_as("box", "secret", postfix.everywhere, &spam);
    assert!(accepted.starts_with("250"), "{accepted}");
}

#[test]
fn the_mail_of_the_page_is_refused() {
    if !is_available() {
        return;
    }
    let Some(root) = root("swaks") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let postfix = Postfix::start(folder.path(), "");
    let _engine = engine(folder.path(), "");
    let command = block("postfix.md", "# swaks")
        .replace("swaks --to", &format!("{} --to", root.join("usr/bin/swaks").display()))
        .replace("you@your.domain", "box@example.org")
        .replace("localhost", &postfix.everywhere.to_string());
    let output = Command::new("sh").args(["-c", &command]).output().expect("sh");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("<** 550 5.7.1"), "{said}");
}
