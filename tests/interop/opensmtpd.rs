//! A real OpenSMTPD runs `criba opensmtpd-filter`. smtpd knows its folders and users only by fixed names, so that it
//! runs in a mount namespace of its own that has them.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use super::{
    engine::{CRIBA, Engine, free, sample, wait_for},
    smtp,
    support::{block, files, root, skipped},
};

/// The user who gets the mail; as the others it exists inside of the namespace only.
const BOX: u32 = 64_103;
const USERS: &str = "opensmtpd:x:64101:64101::/var/lib/opensmtpd/empty:/usr/sbin/nologin\n\
                     opensmtpq:x:64102:64102::/var/lib/opensmtpd/empty:/usr/sbin/nologin\n";
const GROUPS: &str = "opensmtpd:x:64101:\nopensmtpq:x:64102:\nbox:x:64103:\n";

const RUN: &str = "\
mount --bind FOLDER/passwd /etc/passwd && mount --bind FOLDER/group /etc/group &&
mount -t tmpfs none /var/spool && mount -t tmpfs none /var/lib && mount -t tmpfs none /run &&
mount --bind ROOT/usr/libexec /usr/libexec || exit 75
mkdir -p /var/lib/opensmtpd/empty /var/spool/smtpd && chmod 711 /var/spool/smtpd
exec ROOT/usr/sbin/smtpd -d -f FOLDER/smtpd.conf
";

struct OpenSmtpd {
    smtpd: Child,
    home: PathBuf,
    address: SocketAddr,
}

impl OpenSmtpd {
    fn start(folder: &Path, root: &Path, engine: &Path) -> OpenSmtpd {
        let (address, home) = (free(), folder.join("home"));
        fs::create_dir(&home).expect("a folder");
        chown(&home, Some(BOX), Some(BOX)).expect("root");
        let at = folder.display().to_string();
        let put = |name: &str, text: String| fs::write(folder.join(name), text).expect("a folder of ours");
        let system = |path: &str| fs::read_to_string(path).expect("a file of the system");
        put("passwd", system("/etc/passwd") + USERS + &format!("box:x:{BOX}:{BOX}::{at}/home:/bin/sh\n"));
        put("group", system("/etc/group") + GROUPS);
        let configuration = block("opensmtpd.md", "# smtpd.conf")
            .replace("/usr/bin/criba", CRIBA)
            .replace("unix:/run/criba/smtpd.sock", &format!("unix:{}", engine.display()))
            .replace("eth0", &format!("127.0.0.1 port {} hostname mx.example.org", address.port()));
        let rest = "action \"local\" maildir\nmatch from any for domain \"example.org\" action \"local\"\n";
        put("smtpd.conf", configuration + rest);
        put("run", RUN.replace("FOLDER", &at).replace("ROOT", &root.display().to_string()));
        let log = fs::File::create(folder.join("smtpd.log")).expect("a log");
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "sh"]).arg(folder.join("run")).stdout(Stdio::null()).stderr(log);
        let mut smtpd = unshare.spawn().expect("unshare");
        wait_for("smtpd", || {
            let ended = smtpd.try_wait().expect("a child");
            assert!(ended.is_none(), "smtpd ended: {}", system(&format!("{at}/smtpd.log")));
            TcpStream::connect(address).is_ok()
        });
        OpenSmtpd { smtpd, home, address }
    }

    fn delivered(&self) -> Vec<PathBuf> {
        let new = self.home.join("Maildir/new");
        if new.is_dir() { files(&new) } else { Vec::new() }
    }
}

impl Drop for OpenSmtpd {
    fn drop(&mut self) {
        // Asked politely, it takes its other processes along.
        let _ = Command::new("kill").arg(self.smtpd.id().to_string()).status();
        let _ = self.smtpd.wait();
    }
}

fn can_mount() -> bool {
    let mount = Command::new("unshare").args(["--mount", "mount", "-t", "tmpfs", "none", "/run"]).output();
    let can = mount.is_ok_and(|output| output.status.success());
    if !can {
        skipped("this is not root, or mount namespaces are not allowed here");
    }
    can
}

#[test]
fn opensmtpd_refuses_spam_and_delivers_ham_marked() {
    let Some(root) = root("opensmtpd") else { return };
    if !can_mount() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    Command::new("chmod").arg("0755").arg(folder.path()).status().expect("chmod");
    let socket = folder.path().join("smtpd.sock");
    let listener = format!("[[listener]]\naddress = \"unix:{}\"\nsocket_mode = \"0666\"\n", socket.display());
    let engine = Engine::configured(folder.path(), &listener);
    let smtpd = OpenSmtpd::start(folder.path(), &root, &socket);

    let refused = smtp::send(smtpd.address, &smtp::read(&sample("spam/gtube")));
    assert!(refused.starts_with("550 5.7.1"), "{refused}");

    let body = "\r\n.a dot\r\n..two\r\n a | bar\r\n\r\n.\u{e9} \r\n";
    let ham = format!("From: ana@example.net\r\nSubject: the minutes\r\nX-Spam-Flag: forged\r\n{body}");
    let accepted = smtp::send(smtpd.address, &ham);
    assert!(accepted.starts_with("250"), "{accepted}");
    wait_for("the delivery", || smtpd.delivered().len() == 1);
    let mail = fs::read_to_string(smtpd.delivered().remove(0)).expect("a mail");
    assert!(mail.contains("\nX-Spam-Status: No, score=") && !mail.contains("forged"), "{mail}");
    assert!(mail.ends_with(&body.replace("\r\n", "\n")), "the body is what was sent: {mail}");

    // Several sessions at once, each with its own answers. More than five that connect in one moment are too many for
    // the queue of smtpd's socket.
    let spam = smtp::read(&sample("spam/gtube"));
    thread::scope(|scope| {
        for sender in 0..4 {
            let (mail, code) = if sender % 2 == 0 { (&ham, "250") } else { (&spam, "550") };
            let address = smtpd.address;
            scope.spawn(move || {
                for _ in 0..10 {
                    let reply = smtp::send(address, mail);
                    assert!(reply.starts_with(code), "{sender}: {reply}");
                }
            });
        }
    });

    // Without an engine the mail stays with its sender; with the next one it comes through.
    drop(engine);
    let put_off = smtp::send(smtpd.address, &ham);
    assert!(put_off.starts_with("451 4.7.1"), "{put_off}");
    let _next = Engine::configured(folder.path(), &listener);
    let accepted = smtp::send(smtpd.address, &ham);
    assert!(accepted.starts_with("250"), "{accepted}");
}
