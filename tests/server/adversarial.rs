//! Mails that are made to be slow.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use simd_json::prelude::*;

use super::{Engine, reply, request};

/// In ms; far more than any of them costs an engine that was built with optimisation.
const BUDGET: u32 = 3000;

#[test]
fn mail_made_to_be_slow_gets_a_verdict_and_the_engine_lives_on() {
    let engine = Engine::start_with("", &[]);
    let directory = engine.home.path().join("adversarial");
    let maker = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora/make-adversarial");
    let made = Command::new("python3")
        .arg(maker)
        .args(["--seed", "1", "--out"])
        .arg(&directory)
        .status()
        .expect("python3 is among the packages that packaging/setup installs for tests");
    assert!(made.success());
    let mut kinds = BTreeSet::new();
    for entry in fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        let kind = path.file_stem().unwrap().to_string_lossy().into_owned();
        let mut socket = engine.connect(kinds.len());
        socket.write_all(&request(1, 1, BUDGET, "", &fs::read(&path).unwrap())).unwrap();
        let reply = reply(&mut *socket).unwrap();
        assert!(reply.status <= 2 && reply.json.get_str("action").is_some(), "{kind}: {}", reply.json);
        kinds.insert(kind);
    }
    for kind in ["one-letter", "parts", "html-nested", "gif-frames", "pdf-pages", "pdf-forms", "qr-finders"] {
        assert!(kinds.contains(kind), "{kind}");
    }
    // No thread is left at one of them.
    engine.assert_sound();
    let mut socket = engine.connect(0);
    socket.write_all(&request(1, 2, 60_000, "", b"Subject: hello\r\n\r\nhello\r\n")).unwrap();
    assert_eq!(reply(&mut *socket).unwrap().status, 0);
}
