//! The real `rspamc` asks a real engine.

use std::process::{Command, Output, Stdio};

use simd_json::{OwnedValue, prelude::*};

use super::{
    engine::{CRIBA, Engine, free, sample, spool},
    support::{files, skipped},
};

/// Argon2 hash of `q1`.
const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$/GsnjXBxwjJYMnPBZ8o2vw$f9x27EsL5f5LrIh2fCALdUhmgnrLxm3hVNHf26vgink";

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn rspamc_gets_verdicts_figures_and_headers() {
    if Command::new("rspamc").arg("--help").stdout(Stdio::null()).status().is_err() {
        return skipped("rspamc is not installed (Debian: rspamd)");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let address = free().to_string();
    let listen = format!("rspamd:{address}");
    let _engine = Engine::start(
        folder.path(),
        &[&listen],
        &format!("[server]\ncontroller_password = \"{HASH}\"\n{}", spool(folder.path())),
    );
    let rspamc = |options: &[&str]| {
        Command::new("rspamc").args(["-h", &address]).args(options).output().expect("rspamc")
    };
    let (spam, ham) = (sample("spam/gtube"), sample("ham/personal-en"));
    let (spam, ham) = (spam.to_str().expect("UTF-8"), ham.to_str().expect("UTF-8"));

    let symbols = text(&rspamc(&["symbols", spam]));
    assert!(symbols.contains("Action: reject") && symbols.contains("Symbol: GTUBE (1000.00)"), "{symbols}");
    let both = text(&rspamc(&["-n", "2", "symbols", spam, ham]));
    assert!(both.contains("Action: reject") && both.contains("Action: no action"), "{both}");
    let mut json = rspamc(&["--json", ham]).stdout;
    let json: OwnedValue = simd_json::from_slice(&mut json).expect("JSON");
    assert_eq!((json.get_str("action"), json.get_bool("is_skipped")), (Some("no action"), Some(false)));
    // With --mime the message comes back with our fields in it.
    let mime = text(&rspamc(&["--mime", spam]));
    assert!(mime.contains("GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL"), "{mime}");

    // The envelope goes along.
    let envelope =
        ["-i", "192.0.2.9", "-F", "a@b.example", "-r", "c@d.example", "--user", "joe", "--json", ham];
    let mut json = rspamc(&envelope).stdout;
    let json: OwnedValue = simd_json::from_slice(&mut json).expect("JSON");
    assert_eq!(json.get_str("profile"), Some("internal"), "a user who logged in");

    // The controller's functions need the password.
    let stat = text(&rspamc(&["-P", "q1", "stat"]));
    assert!(
        stat.contains("Messages scanned: 6") && stat.contains("Messages with action reject: 3"),
        "{stat}"
    );
    let learned = text(&rspamc(&["-P", "q1", "learn_spam", spam]));
    assert!(learned.contains("success = true"), "{learned}");
    assert_eq!(files(&folder.path().join("spool/spam")).len(), 1);
    let refused = rspamc(&["-P", "wrong", "stat"]);
    assert!(text(&refused).contains("403"), "{}", text(&refused));
}

#[test]
fn a_hash_is_made_for_a_password() {
    let mut child = Command::new(CRIBA)
        .arg("hash-password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("criba starts");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), b"secret\n").expect("criba reads");
    let output = child.wait_with_output().expect("criba ends");
    assert!(output.status.success() && text(&output).starts_with("$argon2id$"), "{output:?}");
}
