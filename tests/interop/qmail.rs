//! The real tcpserver, with a rule that the real tcprules compiled, sets QMAILQUEUE for a stand-in of qmail-smtpd: qmail
//! itself is not in Debian.

use std::{
    fs,
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use super::{
    engine::{CRIBA, Engine, free, sample, wait_for},
    smtp,
    support::{block, root, skipped},
};

/// The script of the page, and in the place of the real qmail-queue one that keeps what it is given.
pub fn write_scripts(folder: &Path, engine: &Path) {
    let at = folder.display();
    let script =
        block("qmail.md", "#!/bin/sh").replace("/run/criba/criba.sock", &engine.display().to_string());
    let ours = script.replace("exec criba", &format!("CRIBA_BUDGET=60000 CRIBA_NEXT={at}/next exec {CRIBA}"));
    let next = format!("cat > {at}/message\ncat <&1 > {at}/envelope\n");
    for (name, script) in [("criba-queue", ours), ("next", next)] {
        fs::write(folder.join(name), format!("#!/bin/sh\n{script}")).expect("a script");
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o755)).expect("a script");
    }
}

#[test]
fn tcpserver_and_its_rules_set_what_qmail_smtpd_calls() {
    let Some(root) = root("ucspi-tcp") else { return };
    if Command::new("python3").arg("--version").stdout(Stdio::null()).status().is_err() {
        return skipped("there is no python3 to stand in for qmail-smtpd");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path().display().to_string();
    let socket = folder.path().join("criba.sock");
    let address = format!("unix:{}", socket.display());
    let engine = Engine::start(folder.path(), &[&address], "");
    write_scripts(folder.path(), &socket);

    let rules = block("qmail.md", "# tcp.smtp").replace("/var/qmail/bin", &at);
    fs::write(folder.path().join("tcp.smtp"), rules).expect("a folder of ours");
    let path = format!("{}:{}", root.join("usr/bin").display(), std::env::var("PATH").unwrap_or_default());
    let command = block("qmail.md", "# tcprules").replace("/etc", &at);
    let made = Command::new("sh").args(["-e", "-c", &command]).env("PATH", &path).status().expect("sh");
    assert!(made.success(), "{command}");
    let server = free();
    let smtpd = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/qmail_smtpd.py");
    let mut tcpserver = Command::new("tcpserver");
    tcpserver.args(["-RHl0", "-x", &format!("{at}/tcp.smtp.cdb"), "127.0.0.1", &server.port().to_string()]);
    let mut tcpserver = tcpserver.arg("python3").arg(smtpd).env("PATH", path).spawn().expect("tcpserver");
    wait_for("tcpserver", || TcpStream::connect(server).is_ok());

    let refused = smtp::send(server, &smtp::read(&sample("spam/gtube")));
    assert!(refused.starts_with("554 mail server permanently rejected"), "{refused}");
    assert!(!folder.path().join("message").exists());
    let taken = smtp::send(server, &smtp::read(&sample("ham/personal-en")));
    assert!(taken.starts_with("250"), "{taken}");
    let envelope = fs::read(folder.path().join("envelope")).expect("an envelope");
    assert_eq!(envelope, b"Fana@example.net\0Tbox@example.org\0\0");
    let message = fs::read_to_string(folder.path().join("message")).expect("a message");
    assert!(message.starts_with("X-Spam-Status: No, score="), "{message}");

    // Without an engine the mail stays with its sender.
    drop(engine);
    let put_off = smtp::send(server, &smtp::read(&sample("ham/personal-en")));
    assert!(put_off.starts_with("451 mail server temporarily rejected"), "{put_off}");
    tcpserver.kill().and_then(|()| tcpserver.wait()).expect("tcpserver ends");
}
