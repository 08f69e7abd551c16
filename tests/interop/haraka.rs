//! A real Haraka asks a real engine, with the plugins for rspamd and for SpamAssassin.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::{
    engine::{Engine, free, sample, wait_for},
    smtp,
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
    fn start(root: &Path, folder: &Path, port: SocketAddr, plugin: &str, ini: &str) -> Haraka {
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder of ours");
            fs::write(path, text).expect("a folder of ours");
        };
        write("config/plugins", &format!("{plugin}\ntake_all\nqueue_file\n"));
        write(&format!("config/{plugin}.ini"), ini);
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

/// With the configuration of the page, where criba listens at `port`.
fn judged(dialect: &str, plugin: &str, port: u16) -> Option<String> {
    let root = root("haraka")?;
    let folder = tempfile::tempdir().expect("a folder");
    let address = free();
    let _engine = Engine::start(folder.path(), &[&format!("{dialect}:{address}")], "");
    let (ip, new) = (address.ip(), address.port());
    let ini = block("haraka.md", &format!("; {plugin}.ini"))
        .replace(&format!("port = {port}"), &format!("port = {new}"))
        .replace(&format!(":{port}"), &format!(":{new}"));
    assert!(ini.contains(&ip.to_string()) && ini.contains(&new.to_string()), "{ini}");
    let server = free();
    let _haraka = Haraka::start(&root, folder.path(), server, plugin, &ini);
    let refused = smtp::send(server, &smtp::read(&sample("spam/gtube")));
    assert!(refused.starts_with("550 "), "{refused}");
    let taken = smtp::send(server, &smtp::read(&sample("ham/personal-en")));
    assert!(taken.starts_with("250 "), "{taken}");
    Some(fs::read_to_string(folder.path().join("queued.eml")).expect("what was queued"))
}

#[test]
fn haraka_asks_as_of_rspamd() {
    if let Some(mail) = judged("rspamd", "rspamd", 11333) {
        assert!(
            mail.contains("\nX-Rspamd-Score: ") && mail.contains("\nX-Spam-Status: No, score="),
            "{mail}"
        );
    }
}

#[test]
fn haraka_asks_as_of_spamd() {
    if let Some(mail) = judged("spamd", "spamassassin", 783) {
        assert!(mail.contains("\nX-Spam-Status: No, score="), "{mail}");
    }
}
