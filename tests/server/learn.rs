//! LEARN: feedback goes into the spool, and nowhere where there is none.

use std::{fs, path::Path};

use super::{Engine, reply, request, wait_for};
use simd_json::prelude::*;

const LEARN: u8 = 5;
const MAIL: &[u8] = b"Subject: cheap pills\r\n\r\nbuy now\r\n";

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .map(|entries| entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect())
        .unwrap_or_default();
    names.sort();
    names
}

#[test]
fn feedback_is_on_the_disk_when_the_reply_comes() {
    let home = tempfile::tempdir().unwrap();
    let spool = home.path().join("spool");
    let engine = Engine::start(&format!("[bayes]\nspool = {:?}\n", spool.display().to_string()));
    for number in 0..2 {
        let mut socket = engine.connect(number);
        let mut ask = |id, metadata: &str, mail: &[u8]| {
            socket.write_all(&request(LEARN, id, 0, metadata, mail)).unwrap();
            reply(&mut *socket).unwrap()
        };
        let learned = ask(1, r#"{"class":"spam"}"#, MAIL);
        assert_eq!((learned.kind, learned.status, learned.id), (0x85, 0, 1));
        assert_eq!(learned.json.get_bool("learned"), Some(number == 0));
        assert_eq!(learned.json.get_str("class"), Some("spam"));
        let spooled = names(&spool.join("spam"));
        assert_eq!(spooled.len(), 1);
        assert_eq!(fs::read(spool.join("spam").join(&spooled[0])).unwrap(), MAIL);

        // The connection outlives what it is refused.
        for (metadata, mail) in [("", MAIL), (r#"{"class":"eggs"}"#, MAIL), ("{", MAIL)] {
            assert_eq!(ask(2, metadata, mail).status, 4, "{metadata}");
        }
        assert_eq!(ask(3, r#"{"class":"ham"}"#, b"").status, 3);
    }
    let reply = engine.client().learn(MAIL, "ham").unwrap();
    assert_eq!(reply.status, 0);
    assert!(names(&spool.join("spam")).is_empty(), "the last word counts");
    assert_eq!(names(&spool.join("ham")).len(), 1);
    engine.assert_sound();
}

#[test]
fn a_full_spool_says_so_and_a_client_that_leaves_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let spool = home.path().join("spool");
    let configuration =
        format!("[bayes]\nspool_bytes = 1048576\nspool = {:?}\n", spool.display().to_string());
    let engine = Engine::start(&configuration);
    let mail = [MAIL, &vec![b'x'; 1 << 20]].concat();
    let reply = engine.client().learn(&mail, "spam").unwrap();
    assert_eq!(reply.status, 3);
    assert!(reply.json.contains("full"), "{}", reply.json);

    let frame = request(LEARN, 1, 0, r#"{"class":"spam"}"#, MAIL);
    for length in (1..frame.len()).step_by(3) {
        let mut socket = engine.connect(length);
        socket.write_all(&frame[..length]).unwrap();
        socket.finish();
    }
    engine.assert_sound();
    wait_for("the spool to be empty", || {
        ["spam", "ham", "tmp"].iter().all(|folder| names(&spool.join(folder)).is_empty())
    });
}
