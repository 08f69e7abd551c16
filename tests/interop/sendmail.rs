//! A real Sendmail in a folder of its own asks a real engine, over the milter protocol.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    engine::{Engine, free, sample},
    smtp,
    support::{Server, block, can_mount, files, libraries, root},
};

const CONFIGURATION: &str = "\
divert(0)dnl
OSTYPE(`linux')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`nocanonify')dnl
DAEMON_OPTIONS(`Addr=127.0.0.1, Port=PORT, Name=MTA')dnl
define(`confPID_FILE', `FOLDER/pid')dnl
define(`QUEUE_DIR', `FOLDER/queue')dnl
define(`STATUS_FILE', `FOLDER/status')dnl
define(`HELP_FILE', `')dnl
define(`confDONT_BLAME_SENDMAIL', `TrustStickyBit')dnl
define(`confDELIVERY_MODE', `queueonly')dnl
";

struct Sendmail {
    _server: Server,
    /// What was taken stays there: `df` files are bodies, `qf` files have the header fields.
    queue: PathBuf,
    address: SocketAddr,
}

impl Sendmail {
    fn start(folder: &Path, root: &Path, engine: &Path) -> Sendmail {
        let (address, queue, at) = (free(), folder.join("queue"), folder.display().to_string());
        fs::create_dir(&queue).expect("a folder");
        let put = |name: &str, bytes: &[u8], mode| {
            fs::write(folder.join(name), bytes).expect("a folder of ours");
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).expect("a file of ours");
        };
        // A copy that is not setgid, or it would not look for its libraries where they are.
        put("sendmail", &fs::read(root.join("usr/libexec/sendmail/sendmail")).expect("Sendmail"), 0o755);
        let ours = CONFIGURATION.replace("PORT", &address.port().to_string()).replace("FOLDER", &at);
        let page = block("sendmail.md", "dnl sendmail.mc")
            .replace("/run/criba/milter.sock", &engine.display().to_string());
        put(
            "sendmail.mc",
            format!("{ours}{page}MAILER(`local')dnl\nMAILER(`smtp')dnl\nLOCAL_CONFIG\nCwexample.org\n")
                .as_bytes(),
            0o644,
        );
        let macros = root.join("usr/share/sendmail/cf");
        let mut m4 = Command::new(root.join("usr/bin/m4"));
        m4.arg(format!("-D_CF_DIR_={}/", macros.display())).arg(macros.join("m4/cf.m4"));
        let compiled = m4.arg(folder.join("sendmail.mc")).output().expect("m4");
        put("sendmail.cf", &compiled.stdout, 0o644);
        // A host without a domain in its name makes Sendmail wait for one.
        let run = format!(
            "hostname mx.example.org && export LD_LIBRARY_PATH={}\nexec FOLDER/sendmail -C FOLDER/sendmail.cf -bD\n",
            libraries(root).display()
        );
        Sendmail { _server: Server::start(folder, root, &[], &run, address), queue, address }
    }
}

#[test]
fn sendmail_refuses_spam_and_delivers_ham_marked() {
    let Some(root) = root("sendmail") else { return };
    if !can_mount("true") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("milter.sock");
    let listener =
        block("sendmail.md", "# criba.toml").replace("/run/criba/milter.sock", &socket.display().to_string());
    let engine = Engine::configured(folder.path(), &listener);
    let sendmail = Sendmail::start(folder.path(), &root, &socket);

    let refused = smtp::send(sendmail.address, &smtp::read(&sample("spam/gtube")));
    assert!(refused.starts_with("550 5.7.1"), "{refused}");

    let body = "\r\nA mail.\r\n.dots\r\n  and blanks \r\n";
    let ham = format!("From: ana@example.net\r\nSubject:  the\r\n minutes\r\nX-Spam-Flag: forged\r\n{body}");
    let accepted = smtp::send(sendmail.address, &ham);
    assert!(accepted.starts_with("250"), "{accepted}");
    let queued = |kind: &str| {
        let mut found = files(&sendmail.queue);
        found.retain(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(kind)));
        assert_eq!(found.len(), 1, "spam is not queued: {found:?}");
        String::from_utf8_lossy(&fs::read(&found[0]).expect("a file of the queue")).into_owned()
    };
    let header = queued("qf").replace("\nH??", "\n");
    assert!(header.contains("\nX-Spam-Status: No, score=") && !header.contains("forged"), "{header}");
    assert!(header.contains("\nSubject:  the\n minutes\n"), "blanks and folds stay as they were: {header}");
    assert_eq!(queued("df"), body.trim_start().replace("\r\n", "\n"), "the body is what was sent");

    // Without an engine the mail stays with its sender.
    drop(engine);
    let put_off = smtp::send(sendmail.address, &ham);
    assert!(put_off.starts_with('4'), "{put_off}");
}
