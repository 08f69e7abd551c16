//! A real Dovecot hands over what a user moves into Junk and out of it, as the page says. Dovecot knows its folders only
//! by fixed names, so that it runs in a mount namespace where its root lies over that of the system.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{
    engine::{Engine, PATIENCE, free, wait_for},
    support::{block, files, root, skipped},
};

/// The owner of the mailbox; as Dovecot's own users it exists inside of the namespace only.
const BOX: u32 = 64_103;
const USERS: &str = "dovecot:x:64104:64104::/:/usr/sbin/nologin\ndovenull:x:64105:64105::/:/usr/sbin/nologin\n\
                     box:x:64103:64103::/:/bin/sh\n";
const GROUPS: &str = "dovecot:x:64104:\ndovenull:x:64105:\nbox:x:64103:\n";

const CONFIGURATION: &str = "\
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
log_path = FOLDER/dovecot.log
mail_location = maildir:FOLDER/home/mail
service imap-login {
  inet_listener imap {
    port = PORT
  }
}
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=64103 gid=64103 home=FOLDER/home
}
namespace inbox {
  inbox = yes
  mailbox Junk {
    auto = create
  }
  mailbox Trash {
    auto = create
  }
}
!include conf.d/90-criba.conf
";

const RUN: &str = "\
mount -t overlay overlay -o lowerdir=ROOT/etc:/etc,upperdir=FOLDER/etc,workdir=FOLDER/work /etc &&
mount -t overlay overlay -o lowerdir=ROOT/usr:/usr /usr && mount -t tmpfs none /run || exit 75
sievec /etc/dovecot/sieve/learn-spam.sieve && sievec /etc/dovecot/sieve/learn-ham.sieve && exec dovecot -F
";

struct Dovecot {
    process: Child,
    address: SocketAddr,
}

impl Dovecot {
    fn start(folder: &Path, root: &Path, spamd: &Path) -> Dovecot {
        let (address, at) = (free(), folder.display().to_string());
        for name in ["home", "work", "etc/dovecot/conf.d", "etc/dovecot/sieve", "etc/dovecot/sieve-pipe"] {
            fs::create_dir_all(folder.join(name)).expect("a folder");
        }
        chown(folder.join("home"), Some(BOX), Some(BOX)).expect("root");
        let put = |name: &str, text: String| fs::write(folder.join(name), text).expect("a folder of ours");
        let system = |path: &str| fs::read_to_string(path).expect("a file of the system");
        put("etc/passwd", system("/etc/passwd") + USERS);
        put("etc/group", system("/etc/group") + GROUPS);
        let configuration = CONFIGURATION.replace("FOLDER", &at).replace("PORT", &address.port().to_string());
        put("etc/dovecot/dovecot.conf", configuration);
        put("etc/dovecot/conf.d/90-criba.conf", block("dovecot.md", "# 90-criba.conf"));
        for name in ["learn-spam.sieve", "learn-ham.sieve"] {
            put(&format!("etc/dovecot/sieve/{name}"), block("dovecot.md", &format!("# {name}")));
        }
        let script =
            block("dovecot.md", "#!/bin/sh").replace("/run/criba/spamd.sock", &spamd.display().to_string());
        put("etc/dovecot/sieve-pipe/criba-learn", format!("#!/bin/sh\n{script}"));
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.join("etc/dovecot/sieve-pipe/criba-learn"), executable)
            .expect("a file of ours");
        put("run", RUN.replace("FOLDER", &at).replace("ROOT", &root.display().to_string()));
        let log = fs::File::create(folder.join("start.log")).expect("a log");
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "sh"]).arg(folder.join("run")).stdout(Stdio::null()).stderr(log);
        let mut process = unshare.spawn().expect("unshare");
        wait_for("Dovecot", || {
            let ended = process.try_wait().expect("a child");
            assert!(ended.is_none(), "Dovecot ended: {}", system(&format!("{at}/start.log")));
            TcpStream::connect(address).is_ok()
        });
        Dovecot { process, address }
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

/// An IMAP client, just enough of RFC 3501 to sort mail.
struct Imap {
    replies: BufReader<TcpStream>,
    commands: usize,
}

impl Imap {
    fn login(address: SocketAddr) -> Imap {
        let stream = TcpStream::connect(address).expect("Dovecot");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut imap = Imap { replies: BufReader::new(stream), commands: 0 };
        imap.line();
        imap.say("LOGIN box secret");
        imap
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.replies.read_line(&mut line).expect("a reply") > 0, "Dovecot hung up");
        line
    }

    fn write(&mut self, text: &str) {
        self.replies.get_ref().write_all(text.as_bytes()).expect("Dovecot reads");
    }

    fn say(&mut self, command: &str) {
        self.commands += 1;
        let tag = format!("a{} ", self.commands);
        self.write(&format!("{tag}{command}\r\n"));
        self.end(&tag, command);
    }

    fn end(&mut self, tag: &str, command: &str) {
        loop {
            let line = self.line();
            if let Some(outcome) = line.strip_prefix(tag) {
                return assert!(outcome.starts_with("OK"), "{command}: {outcome}");
            }
        }
    }

    fn append(&mut self, folder: &str, mail: &str) {
        self.commands += 1;
        let tag = format!("a{} ", self.commands);
        self.write(&format!("{tag}APPEND {folder} {{{}}}\r\n", mail.len()));
        assert!(self.line().starts_with('+'));
        self.write(&format!("{mail}\r\n"));
        self.end(&tag, "APPEND");
    }
}

#[test]
fn what_a_user_moves_into_junk_and_out_of_it_is_learned() {
    let Some(root) = root("dovecot") else { return };
    let here = root.display();
    let overlay = format!("mount -t overlay overlay -o lowerdir={here}/usr:/usr /usr");
    let can = Command::new("unshare").args(["--mount", "sh", "-c", &overlay]).stderr(Stdio::null()).status();
    if !can.is_ok_and(|status| status.success()) {
        return skipped("this is not root, or mounts of type overlay are not allowed here");
    }
    if Command::new("spamc").arg("-V").stdout(Stdio::null()).status().is_err() {
        return skipped("spamc is not installed");
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a folder of ours");
    let (spamd, spool) = (folder.path().join("spamd.sock"), folder.path().join("spool"));
    let listener =
        format!("[[listener]]\naddress = \"spamd:unix:{}\"\nsocket_mode = \"0666\"\n", spamd.display());
    let bayes = format!("[bayes]\nspool = \"{}\"\n", spool.display());
    let _engine = Engine::configured(folder.path(), &(listener + &bayes));
    let dovecot = Dovecot::start(folder.path(), &root, &spamd);
    let learned = || ["spam", "ham"].map(|class| files(&spool.join(class)).len());

    let mut imap = Imap::login(dovecot.address);
    for number in 1..=3 {
        imap.append("INBOX", &format!("Subject: mail {number}\r\n\r\nThe text of mail {number}.\r\n"));
    }
    assert_eq!(learned(), [0, 0], "what comes in is no word of the user's");
    imap.say("SELECT INBOX");
    imap.say("MOVE 1:2 Junk");
    wait_for("two mails as spam", || learned() == [2, 0]);
    imap.say("MOVE 1 Trash");
    imap.say("SELECT Junk");
    imap.say("MOVE 1 INBOX");
    wait_for("one of them as ham", || learned() == [1, 1]);
    imap.say("MOVE 1 Trash");
    imap.append("Junk", "Subject: mail 4\r\n\r\nA client that saves mail to Junk.\r\n");
    wait_for("the last one", || learned() == [2, 1]);
    assert_eq!(learned(), [2, 1], "what goes to the bin says nothing");
}
