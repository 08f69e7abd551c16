//! A real Haraka asks a real engine, with the plugins for rspamd and for SpamAssassin.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{
    engine::{Engine, free, sample, wait_for},
    qmail, smtp,
    support::{block, root},
};

const TAKE_ALL: &str = "exports.hook_rcpt = (next) => next(OK)\n";
const QUEUE: &str = "\
const fs = require('fs')
exports.hook_queue = (next, connection) => {
  const file = fs.createWriteStream('FILE')
  file.on('finish', () => next(OK))
  connection.transaction.message_stream.pipe(file, { line_endings: '\\n' })
}
";

struct Haraka(Child);

impl Haraka {
    /// With these plugins, and with files of its configuration.
    fn start(
        root: &Path,
        folder: &Path,
        port: SocketAddr,
        plugins: &[&str],
        files: &[(&str, &str)],
    ) -> Haraka {
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder of ours");
            fs::write(path, text).expect("a folder of ours");
        };
        write("config/plugins", &format!("take_all\n{}\n", plugins.join("\n")));
        files.iter().for_each(|(name, text)| write(&format!("config/{name}"), text));
        write("config/smtp.ini", &format!("listen={port}\nnodes=0\n"));
        // Haraka does not go without these.
        let defaults = root.join("node_modules/Haraka/config/connection.ini");
        write("config/connection.ini", &fs::read_to_string(defaults).expect("Haraka's own configuration"));
        write("config/me", "mx.example.org\n");
        write("plugins/take_all.js", TAKE_ALL);
        write(
            "plugins/queue_file.js",
            &QUEUE.replace("FILE", &folder.join("queued.eml").display().to_string()),
        );
        let mut node = Command::new("node");
        node.arg(root.join("node_modules/Haraka/bin/haraka")).arg("-c").arg(folder);
        // Plugins are looked for beside the configuration, too.
        let _ = std::os::unix::fs::symlink(root.join("node_modules"), folder.join("node_modules"));
        let log = fs::File::create(folder.join("log")).expect("a folder of ours");
        let child = node.stdout(log).stderr(Stdio::null()).spawn().expect("node starts");
        wait_for("Haraka", || TcpStream::connect(port).is_ok());
        Haraka(child)
    }
}

impl Drop for Haraka {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

/// With a plugin's configuration and the listener as the page has them, which is at `port` there.
fn judged(plugin: &str, ini: &str, listener: &str, port: u16) -> Option<String> {
    let root = root("haraka")?;
    let folder = tempfile::tempdir().expect("a folder");
    let new = free().port();
    let _engine =
        Engine::configured(folder.path(), &listener.replace(&format!(":{port}\""), &format!(":{new}\"")));
    let ini = ini
        .replace(&format!("port = {port}"), &format!("port = {new}"))
        .replace(&format!(":{port}"), &format!(":{new}"));
    assert!(ini.contains("127.0.0.1") && ini.contains(&new.to_string()), "{ini}");
    let server = free();
    let files = [(&*format!("{plugin}.ini"), &*ini)];
    let _haraka = Haraka::start(&root, folder.path(), server, &[plugin, "queue_file"], &files);
    let refused = smtp::send(server, &smtp::read(&sample("spam/gtube")));
    assert!(refused.starts_with("550 "), "{refused}");
    let taken = smtp::send(server, &smtp::read(&sample("ham/personal-en")));
    assert!(taken.starts_with("250 "), "{taken}");
    Some(fs::read_to_string(folder.path().join("queued.eml")).expect("what was queued"))
}

#[test]
fn haraka_asks_as_of_rspamd() {
    let (ini, listener) = (block("haraka.md", "; rspamd.ini"), block("haraka.md", "# criba.toml"));
    if let Some(mail) = judged("rspamd", &ini, &listener, 11333) {
        assert!(
            mail.contains("\nX-Rspamd-Score: ") && mail.contains("\nX-Spam-Status: No, score="),
            "{mail}"
        );
    }
}

#[test]
fn haraka_asks_as_of_spamd() {
    let ini = block("haraka.md", "; spamassassin.ini");
    let listener =
        block("haraka.md", "# criba.toml").replace("rspamd:127.0.0.1:11333", "spamd:127.0.0.1:783");
    if let Some(mail) = judged("spamassassin", &ini, &listener, 783) {
        assert!(mail.contains("\nX-Spam-Status: No, score="), "{mail}");
    }
}

#[test]
fn harakas_qmail_queue_is_ours() {
    let Some(root) = root("haraka") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().display();
    let socket = folder.path().join("criba.sock");
    let _engine = Engine::start(folder.path(), &[&format!("unix:{}", socket.display())], "");
    qmail::write_scripts(folder.path(), &socket);
    let server = free();
    let files = [("qmail-queue.path", &*format!("{at}/criba-queue\n"))];
    let _haraka = Haraka::start(&root, folder.path(), server, &["queue/qmail-queue"], &files);

    // The plugin has no word for a mail that is refused for good.
    let refused = smtp::send(server, &smtp::read(&sample("spam/gtube")));
    assert!(refused.starts_with('4'), "{refused}");
    assert!(!folder.path().join("message").exists());
    let taken = smtp::send(server, &smtp::read(&sample("ham/personal-en")));
    assert!(taken.starts_with("250 "), "{taken}");
    let envelope = fs::read(folder.path().join("envelope")).expect("an envelope");
    assert_eq!(envelope, b"Fana@example.net\0Tbox@example.org\0\0");
    let message = fs::read_to_string(folder.path().join("message")).expect("a message");
    assert!(message.starts_with("X-Spam-Status: No, score="), "{message}");
}
