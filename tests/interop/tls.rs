//! Certificates that openssl makes as the page says, between an engine and its clients.

use std::{
    fs,
    process::{Command, Stdio},
};

use super::{
    engine::{CRIBA, Engine, free, sample},
    support::{block, skipped},
};

#[test]
fn certificates_of_the_page_open_the_engine() {
    if Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_err() {
        skipped("openssl is not installed");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let script = block("machines.md", "# certificates").replace("engine.example.org", "localhost");
    let made =
        Command::new("sh").args(["-e", "-c", &script]).current_dir(folder.path()).output().expect("sh");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));

    let (address, path) = (free(), folder.path().display().to_string());
    let listener = block("machines.md", "# criba.toml")
        .replace("0.0.0.0:11330", &address.to_string())
        .replace("/etc/criba/tls", &format!("{path}/localhost"));
    let _engine = Engine::configured(folder.path(), &listener);
    let scan = |folder: &str| {
        let server = format!("tls://localhost:{}{path}/{folder}", address.port());
        let mail = sample("spam/gtube");
        Command::new(CRIBA).args(["scan", "--json", "--server", &server]).arg(mail).output().expect("criba")
    };
    let output = scan("mx1.example.org");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("GTUBE"));

    // Another authority's node is nobody here.
    fs::create_dir(folder.path().join("other")).expect("a folder");
    let elsewhere = folder.path().join("other");
    let made = Command::new("sh").args(["-e", "-c", &script]).current_dir(&elsewhere).output().expect("sh");
    assert!(made.status.success());
    fs::copy(folder.path().join("ca.pem"), elsewhere.join("mx1.example.org/ca.pem")).expect("a certificate");
    assert_eq!(scan("other/mx1.example.org").status.code(), Some(69));
}
