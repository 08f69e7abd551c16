//! The real `spamc` asks a real engine.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use super::support::skipped;

const CRIBA: &str = env!("CARGO_BIN_EXE_criba");
const PATIENCE: Duration = Duration::from_secs(60);

struct Engine {
    child: Child,
    socket: PathBuf,
}

impl Engine {
    fn start(folder: &Path) -> Engine {
        let socket = folder.join("spamd.sock");
        let listen = format!("spamd:unix:{}", socket.display());
        let mut criba = Command::new(CRIBA);
        criba.args(["serve", "--listen", &listen]).env("XDG_CACHE_HOME", folder.join("cache"));
        let child = criba.stderr(Stdio::null()).spawn().expect("criba starts");
        let until = Instant::now() + PATIENCE;
        while !socket.exists() {
            assert!(Instant::now() < until, "the engine does not listen");
            thread::sleep(Duration::from_millis(50));
        }
        Engine { child, socket }
    }

    fn spamc(&self, options: &[&str], mail: &[u8]) -> Output {
        let mut spamc = Command::new("spamc");
        spamc.arg("-U").arg(&self.socket).args(options);
        let mut child = spamc.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("spamc starts");
        child.stdin.take().expect("a pipe").write_all(mail).expect("spamc reads");
        child.wait_with_output().expect("spamc ends")
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_way_to_ask_is_answered() {
    if Command::new("spamc").arg("-V").stdout(Stdio::null()).status().is_err() {
        skipped("spamc is not installed");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::start(folder.path());
    let spam = fs::read("corpora/samples/spam/gtube.eml").expect("a sample");
    let ham = fs::read("corpora/samples/ham/personal-en.eml").expect("a sample");

    assert!(text(&engine.spamc(&["-K"], b"")).starts_with("SPAMD/1.5 0"));

    let check = engine.spamc(&["-c"], &spam);
    assert_eq!(check.status.code(), Some(1), "spamc -c says spam by its exit code");
    assert!(text(&check).ends_with("/5.0\n"), "{}", text(&check));
    assert_eq!(engine.spamc(&["-c"], &ham).status.code(), Some(0));
    assert_eq!(engine.spamc(&["-E"], &spam).status.code(), Some(1));

    assert!(text(&engine.spamc(&["-y"], &spam)).contains("GTUBE"));
    assert!(text(&engine.spamc(&["-R"], &spam)).contains("GTUBE"));
    assert!(text(&engine.spamc(&["-r"], &spam)).contains("GTUBE"));
    assert!(!text(&engine.spamc(&["-r"], &ham)).contains("pts rule name"), "no report for ham");

    // The message comes back with fields in front, and otherwise byte for byte.
    let processed = engine.spamc(&[], &ham).stdout;
    assert!(processed.starts_with(b"X-Spam-Status: No, score="), "{}", String::from_utf8_lossy(&processed));
    assert!(processed.ends_with(&ham));
    let headers = text(&engine.spamc(&["--headers"], &spam));
    assert!(headers.starts_with("X-Spam-Flag: YES"), "{headers}");

    // Above the client's limit nothing is asked, and the mail comes back as it went.
    let output = engine.spamc(&["-s", "100"], &ham);
    assert_eq!(output.stdout, ham);
}
