//! A real Exim asks a real engine in its DATA ACL, as spamd and as rspamd.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

use super::{
    engine::{Engine, free, sample},
    support::{block, files, root, skipped},
};

const CONFIGURATION: &str = "\
primary_hostname = mx.test
spool_directory = FOLDER/spool
log_file_path = FOLDER/log/%s
keep_environment =
queue_only = true
host_lookup =
acl_smtp_rcpt = accept
acl_smtp_data = acl_data
SPAMD
begin acl
acl_data:
RULES
  accept
";

struct Exim {
    program: PathBuf,
    libraries: String,
    folder: PathBuf,
}

impl Exim {
    fn new(root: &Path, folder: &Path, spamd: &str) -> Exim {
        let text = CONFIGURATION.replace("FOLDER", &folder.display().to_string()).replace("SPAMD", spamd);
        let text = text.replace("RULES", &block("exim.md", "# acl_smtp_data"));
        fs::write(folder.join("exim.conf"), text).expect("a folder of ours");
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("a folder of ours");
        for name in ["spool", "log"] {
            let path = folder.join(name);
            fs::create_dir(&path).expect("a folder of ours");
            let owned = Command::new("chown").arg("Debian-exim").arg(&path).status();
            assert!(owned.is_ok_and(|status| status.success()), "chown {}", path.display());
        }
        let machine = format!("{}-linux-gnu", std::env::consts::ARCH);
        let libraries = format!("{0}/usr/lib/{machine}:{0}/usr/lib", root.display());
        Exim { program: root.join("usr/sbin/exim4"), libraries, folder: folder.to_owned() }
    }

    /// The SMTP session that brings a mail.
    fn session(&self, mail: &Path) -> String {
        let mail = fs::read_to_string(mail).expect("a sample");
        let mut session =
            String::from("EHLO client.test\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@mx.test>\r\nDATA\r\n");
        for line in mail.lines() {
            let dot = if line.starts_with('.') { "." } else { "" };
            session.push_str(&format!("{dot}{line}\r\n"));
        }
        session.push_str(".\r\nQUIT\r\n");
        let mut exim = Command::new(&self.program);
        exim.arg("-C").arg(self.folder.join("exim.conf")).args(["-bs", "-oMa", "192.0.2.9"]);
        exim.env("LD_LIBRARY_PATH", &self.libraries).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = exim.spawn().expect("exim starts");
        child.stdin.take().expect("a pipe").write_all(session.as_bytes()).expect("exim reads");
        let output = child.wait_with_output().expect("exim ends");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The headers of the mails in the queue.
    fn queue(&self) -> String {
        let is_header = |path: &PathBuf| path.to_string_lossy().ends_with("-H");
        let all = files(&self.folder.join("spool/input")).into_iter().filter(is_header);
        all.map(|path| fs::read_to_string(path).expect("a spool file")).collect()
    }
}

/// A place for an Exim, and its root; `None`, and said so, where it cannot run.
fn place() -> Option<(PathBuf, TempDir)> {
    let root = root("exim")?;
    if Command::new("id").arg("Debian-exim").stdout(Stdio::null()).status().is_ok_and(|id| !id.success()) {
        skipped("there is no user Debian-exim, which Exim runs as");
        return None;
    }
    Some((root, tempfile::tempdir().expect("a folder")))
}

/// An Exim with a line of the page asks an engine with the page's listener.
fn judged(spamd: &str, listener: &str, port: u16) {
    let Some((root, folder)) = place() else { return };
    let new = free().port();
    let engine =
        Engine::configured(folder.path(), &listener.replace(&format!(":{port}\""), &format!(":{new}\"")));
    let spamd = spamd.replace(&format!(" {port}"), &format!(" {new}"));
    let exim = Exim::new(&root, folder.path(), &spamd);

    let refused = exim.session(&sample("spam/gtube"));
    assert!(refused.contains("\r\n550-") && refused.contains("GTUBE"), "{refused}");
    let taken = exim.session(&sample("ham/personal-en"));
    assert!(taken.contains("\r\n250 OK id="), "{taken}");
    let queue = exim.queue();
    // Ten times the score, and what to do.
    assert!(queue.contains("X-Exim: ") && queue.contains("|no action"), "{queue}");

    // Without an engine Exim defers, and the sender keeps the mail.
    drop(engine);
    let deferred = exim.session(&sample("ham/personal-es"));
    assert!(!deferred.contains("\r\n550"), "{deferred}");
    assert!(exim.queue().matches("X-Exim").count() < 3);
}

#[test]
fn exim_asks_as_of_spamd() {
    let listener = block("exim.md", "# criba.toml").replace("rspamd:127.0.0.1:11333", "spamd:127.0.0.1:783");
    judged(&block("exim.md", "# main, spamd"), &listener, 783);
}

#[test]
fn exim_asks_as_of_rspamd() {
    judged(&block("exim.md", "# main"), &block("exim.md", "# criba.toml"), 11333);
}

#[test]
fn exim_asks_the_second_engine_while_the_first_is_away() {
    let Some((root, folder)) = place() else { return };
    let (away, there) = (free(), free());
    let _engine = Engine::start(folder.path(), &[&format!("rspamd:{there}")], "");
    let spamd = block("exim.md", "# main, two engines")
        .replace("192.0.2.1 11333", &format!("127.0.0.1 {}", away.port()))
        .replace("192.0.2.2 11333", &format!("127.0.0.1 {}", there.port()));
    let exim = Exim::new(&root, folder.path(), &spamd);
    let refused = exim.session(&sample("spam/gtube"));
    assert!(refused.contains("\r\n550-") && refused.contains("GTUBE"), "{refused}");
}
