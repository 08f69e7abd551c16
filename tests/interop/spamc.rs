//! The real `spamc` asks a real engine.

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use super::{
    engine::{Engine, spool},
    support::{files, skipped},
};

fn spamc(socket: &Path, options: &[&str], mail: &[u8]) -> Output {
    let mut spamc = Command::new("spamc");
    spamc.arg("-U").arg(socket).args(options);
    let mut child = spamc.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("spamc starts");
    child.stdin.take().expect("a pipe").write_all(mail).expect("spamc reads");
    child.wait_with_output().expect("spamc ends")
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
    let socket = folder.path().join("spamd.sock");
    let _engine =
        Engine::start(folder.path(), &[&format!("spamd:unix:{}", socket.display())], &spool(folder.path()));
    let spamc = |options: &[&str], mail: &[u8]| spamc(&socket, options, mail);
    let spam = fs::read("corpora/samples/spam/gtube.eml").expect("a sample");
    let ham = fs::read("corpora/samples/ham/personal-en.eml").expect("a sample");

    assert!(text(&spamc(&["-K"], b"")).starts_with("SPAMD/1.5 0"));

    let check = spamc(&["-c"], &spam);
    assert_eq!(check.status.code(), Some(1), "spamc -c says spam by its exit code");
    assert!(text(&check).ends_with("/5.0\n"), "{}", text(&check));
    assert_eq!(spamc(&["-c"], &ham).status.code(), Some(0));
    assert_eq!(spamc(&["-E"], &spam).status.code(), Some(1));

    assert!(text(&spamc(&["-y"], &spam)).contains("GTUBE"));
    assert!(text(&spamc(&["-R"], &spam)).contains("GTUBE"));
    assert!(text(&spamc(&["-r"], &spam)).contains("GTUBE"));
    assert!(!text(&spamc(&["-r"], &ham)).contains("pts rule name"), "no report for ham");

    // The message comes back with fields in front, and otherwise byte for byte.
    let processed = spamc(&[], &ham).stdout;
    assert!(processed.starts_with(b"X-Spam-Status: No, score="), "{}", String::from_utf8_lossy(&processed));
    assert!(processed.ends_with(&ham));
    let headers = text(&spamc(&["--headers"], &spam));
    assert!(headers.starts_with("X-Spam-Flag: YES"), "{headers}");

    // Above the client's limit nothing is asked, and the mail comes back as it went.
    let output = spamc(&["-s", "100"], &ham);
    assert_eq!(output.stdout, ham);

    // What users sort waits for the next training, each message once and in the class that was said last.
    let learned = || ["spam", "ham"].map(|class| files(&folder.path().join("spool").join(class)).len());
    assert!(text(&spamc(&["-L", "spam"], &spam)).contains("successfully"));
    assert_eq!(learned(), [1, 0]);
    assert!(text(&spamc(&["-L", "spam"], &spam)).contains("already"));
    assert!(text(&spamc(&["-L", "ham"], &spam)).contains("successfully"));
    assert_eq!(learned(), [0, 1]);
}
