//! Things are killed while there is load: no message is lost, and the verdict says what it cost.

use std::{
    fs,
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use criba::{client::Client, wire::request::Envelope};
use simd_json::{OwnedValue, prelude::*};

use super::{Engine, json, wait_for};

fn picture(name: &str) -> Vec<u8> {
    let path = format!("{}/corpora/samples/spam/{name}.eml", env!("CARGO_MANIFEST_DIR"));
    fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The OCR workers of an engine.
fn workers(engine: &Engine) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", engine.process.id())).unwrap();
    let children = |task: fs::DirEntry| fs::read_to_string(task.path().join("children")).unwrap_or_default();
    let all: String = tasks.filter_map(Result::ok).map(children).collect();
    all.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn ocr_workers_that_are_killed_under_load_cost_no_reply() {
    let engine = Engine::start("[ocr]\nworkers = 2\n");
    let mails = ["picture-pharmacy-png", "gif-strips", "picture-casino-webp"].map(picture);
    let stop = AtomicBool::new(false);
    let envelope = Envelope { profile: Some("internal".into()), ..Envelope::default() };
    let (verdicts, killed) = thread::scope(|scope| {
        let killer = scope.spawn(|| {
            let mut killed = 0;
            while !stop.load(Ordering::Relaxed) {
                // One after the other, the one that has just begun a page among them.
                if let Some(pid) = workers(&engine).get(killed % 2) {
                    let done = Command::new("kill").args(["-KILL", pid]).output().unwrap();
                    killed += usize::from(done.status.success());
                }
                thread::sleep(Duration::from_millis(30));
            }
            killed
        });
        let clients: Vec<_> = (0..3)
            .map(|number| {
                let (engine, mails, envelope) = (&engine, &mails, &envelope);
                scope.spawn(move || {
                    let mut client: Client = engine.client();
                    let scan =
                        |turn: usize| client.scan(&mails[(turn + number) % 3], envelope, 60_000).unwrap();
                    (0..8).map(scan).collect::<Vec<_>>()
                })
            })
            .collect();
        let verdicts: Vec<_> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
        stop.store(true, Ordering::Relaxed);
        (verdicts, killer.join().unwrap())
    });
    assert_eq!(verdicts.len(), 24);
    assert!(killed > 2, "{killed}");
    for reply in &verdicts {
        let verdict = json(&reply.json);
        // Complete, or it says that a worker died over a picture.
        assert!(reply.status <= 1, "{verdict}");
        let skipped = verdict.get_array("skipped").unwrap();
        let why = |one: &OwnedValue| one.get_str("why").unwrap_or_default().to_owned();
        assert_eq!(reply.status == 1, skipped.iter().any(|one| why(one) == "crashed"), "{verdict}");
        assert!(!skipped.iter().any(|one| why(one).starts_with("unreadable")), "{verdict}");
    }
    // And then pictures are read as before.
    wait_for("a worker", || {
        let after = json(&engine.client().scan(&mails[0], &envelope, 60_000).unwrap().json);
        after
            .get_array("texts")
            .unwrap()
            .iter()
            .any(|text| text.get_str("text").is_some_and(|text| text.len() > 20))
    });
    engine.assert_sound();
}

#[test]
fn large_mail_is_scanned_and_not_refused() {
    let engine = Engine::start("");
    let mut client = engine.client();
    let line = "The quick brown fox jumps over the lazy dog, and then it does so once more.\n";
    let head = "Subject: large\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n\
                --b\nContent-Type: text/html\n\n<a href=\"http://www.example.com/\">first</a>\n";
    let attached = "\n--b\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n";
    // 60 MB: a text of 10, and an attachment.
    let mail =
        [head, &line.repeat(10_000_000 / line.len()), attached, &"QUFB".repeat(12_500_000), "\n--b--\n"]
            .concat();
    let reply = client.scan(mail.as_bytes(), &Envelope::default(), 60_000).unwrap();
    let verdict = json(&reply.json);
    assert!(reply.status <= 1, "{}", reply.status);
    let uris = verdict.get_array("uris").unwrap();
    assert!(uris.iter().any(|uri| uri.get_str("uri") == Some("http://www.example.com/")));
    engine.assert_sound();
}
