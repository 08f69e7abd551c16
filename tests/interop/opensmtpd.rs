//! A real OpenSMTPD runs `criba opensmtpd-filter`. smtpd knows its folders and users only by fixed names, so that it
//! runs in a mount namespace of its own that has them.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use super::{
    engine::{CRIBA, Engine, free, sample, wait_for},
    smtp,
    support::{Server, block, can_mount, files, root},
};

/// The user who gets the mail; as the others it exists inside of the namespace only.
const BOX: u32 = 64_103;

const RUN: &str = "\
mount -t tmpfs none /var/spool && mount -t tmpfs none /var/lib && mount -t tmpfs none /run &&
mount --bind ROOT/usr/libexec /usr/libexec && USERS || exit 75
mkdir -p /var/lib/opensmtpd/empty /var/spool/smtpd && chmod 711 /var/spool/smtpd
exec ROOT/usr/sbin/smtpd -d -f FOLDER/smtpd.conf
";

struct OpenSmtpd {
    home: PathBuf,
    address: SocketAddr,
    _server: Server,
}

impl OpenSmtpd {
    fn start(folder: &Path, root: &Path, engine: &Path) -> OpenSmtpd {
        let (address, home) = (free(), folder.join("home"));
        fs::create_dir(&home).expect("a folder");
        chown(&home, Some(BOX), Some(BOX)).expect("root");
        let configuration = block("opensmtpd.md", "# smtpd.conf")
            .replace("/usr/bin/criba", CRIBA)
            .replace("/run/criba/smtpd.sock", &engine.display().to_string())
            .replace("eth0", &format!("127.0.0.1 port {} hostname mx.example.org", address.port()));
        let rest = "action \"local\" maildir\nmatch from any for domain \"example.org\" action \"local\"\n";
        fs::write(folder.join("smtpd.conf"), configuration + rest).expect("a folder of ours");
        let [empty, home_of_box] =
            ["/var/lib/opensmtpd/empty", &home.display().to_string()].map(str::to_owned);
        let users = [
            format!("opensmtpd:64101:{empty}"),
            format!("opensmtpq:64102:{empty}"),
            format!("box:{BOX}:{home_of_box}"),
        ];
        let server = Server::start(folder, root, &users, RUN, address);
        OpenSmtpd { home, address, _server: server }
    }

    fn delivered(&self) -> Vec<PathBuf> {
        let new = self.home.join("Maildir/new");
        if new.is_dir() { files(&new) } else { Vec::new() }
    }
}

#[test]
fn opensmtpd_refuses_spam_and_delivers_ham_marked() {
    let Some(root) = root("opensmtpd") else { return };
    if !can_mount("mount -t tmpfs none /run") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    Command::new("chmod").arg("0755").arg(folder.path()).status().expect("chmod");
    let socket = folder.path().join("smtpd.sock");
    // smtpd's own user is not on this machine.
    let listener = block("opensmtpd.md", "# criba.toml")
        .replace("/run/criba/smtpd.sock", &socket.display().to_string())
        .replace("\"opensmtpd\"", "\"64101\"");
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
