//! A real Dovecot hands over what a user moves into Junk and out of it, as the page says. Dovecot knows its folders only
//! by fixed names, so that it runs in a mount namespace where its root lies over that of the system.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
    os::unix::fs::{PermissionsExt, chown},
    path::Path,
    process::{Command, Stdio},
};

use super::{
    engine::{Engine, PATIENCE, free, wait_for},
    support::{Server, block, can_mount, files, root, skipped},
};

/// The owner of the mailbox; as Dovecot's own users it exists inside of the namespace only.
const BOX: u32 = 64_103;

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
mount -t overlay overlay -o lowerdir=ROOT/usr:/usr /usr && mount -t tmpfs none /run && USERS || exit 75
exec dovecot -F
";

/// What has to be allowed for [`start`].
pub fn mounts(root: &Path) -> String {
    format!("mount -t overlay overlay -o lowerdir={}/usr:/usr /usr", root.display())
}

/// A Dovecot with a configuration in which FOLDER and PORT are to be filled in.
pub fn start(folder: &Path, root: &Path, configuration: &str, address: SocketAddr) -> Server {
    let at = folder.display().to_string();
    for name in ["home", "work", "etc/dovecot"] {
        fs::create_dir_all(folder.join(name)).expect("a folder");
    }
    chown(folder.join("home"), Some(BOX), Some(BOX)).expect("root");
    let configuration = configuration.replace("FOLDER", &at).replace("PORT", &address.port().to_string());
    fs::write(folder.join("etc/dovecot/dovecot.conf"), configuration).expect("a folder of ours");
    let users = ["dovecot:64104:/", "dovenull:64105:/", &format!("box:{BOX}:/")].map(str::to_owned);
    Server::start(folder, root, &users, RUN, address)
}

/// The files of the page.
fn write_page(folder: &Path, spamd: &Path) {
    let put = |name: &str, text: String| {
        let path = folder.join("etc/dovecot").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder of ours");
        fs::write(&path, text).expect("a folder of ours");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a file of ours");
    };
    put("conf.d/90-criba.conf", block("dovecot.md", "# 90-criba.conf"));
    put("sieve/learn-spam.sieve", block("dovecot.md", "# learn-spam.sieve"));
    put("sieve/learn-ham.sieve", block("dovecot.md", "# learn-ham.sieve"));
    let script =
        block("dovecot.md", "#!/bin/sh").replace("/run/criba/spamd.sock", &spamd.display().to_string());
    put("sieve-pipe/criba-learn", format!("#!/bin/sh\n{script}"));
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
    if !can_mount(&mounts(&root)) {
        return;
    }
    if Command::new("spamc").arg("-V").stdout(Stdio::null()).status().is_err() {
        return skipped("spamc is not installed");
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a folder of ours");
    let (spamd, spool) = (folder.path().join("spamd.sock"), folder.path().join("spool"));
    let toml = [
        block("dovecot.md", "# criba.toml"),
        "[bayes]\n".into(),
        block("dovecot.md", "# criba.toml, below [bayes]"),
    ]
    .concat()
    .replace("/run/criba/spamd.sock", &spamd.display().to_string())
    .replace("/var/lib/criba", &folder.path().display().to_string());
    let _engine = Engine::configured(folder.path(), &toml);
    write_page(folder.path(), &spamd);
    let address = free();
    let dovecot = start(folder.path(), &root, CONFIGURATION, address);
    dovecot.run(&block("dovecot.md", "# compile"));
    let learned = || ["spam", "ham"].map(|class| files(&spool.join(class)).len());

    let mut imap = Imap::login(address);
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
