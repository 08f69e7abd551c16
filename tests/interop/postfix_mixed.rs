//! Many mails of all kinds through a real Postfix, while the engine is killed and started again.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use super::{
    engine::wait_for,
    postfix::{HAM, Postfix, engine, is_available},
    smtp,
    support::files,
};

/// What a mail is, and what shall become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Delivered as it is, but for our fields.
    Ham,
    /// Delivered with a flag.
    Suspect,
    /// Refused.
    Spam,
}

const RULES: &str = "body SUSPICIOUS /somewhat suspicious words/\nscore SUSPICIOUS 9\n\
                     body FORBIDDEN /forbidden words/\nscore FORBIDDEN 30\n";

/// Mails of all kinds, each with its number in its header.
fn mixed(count: usize) -> Vec<(Kind, String)> {
    let mut samples = files(Path::new("corpora/samples/ham"));
    samples.retain(|path| fs::read_to_string(path).is_ok());
    let hams: Vec<String> = samples.iter().map(|path| smtp::read(path)).collect();
    let of = |number: usize| {
        let (kind, mail) = match number % 3 {
            0 => (Kind::Ham, hams[number / 3 % hams.len()].clone()),
            1 => (Kind::Suspect, HAM.replace("Hi all,", "These are somewhat suspicious words.")),
            _ => (Kind::Spam, HAM.replace("Hi all,", "The forbidden words.")),
        };
        (kind, format!("X-Number: {number}\r\n{mail}"))
    };
    (0..count).map(of).collect()
}

/// A delivered mail without what Postfix and we added to its header.
fn without_additions(mail: &str) -> String {
    const ADDED: [&str; 4] = ["Return-Path:", "X-Original-To:", "Delivered-To:", "Received:"];
    let (header, body) = mail.split_once("\n\n").expect("a header and a body");
    let mut kept = String::new();
    let (mut drops, mut own) = (false, false);
    for line in header.split_inclusive('\n') {
        if !line.starts_with([' ', '\t']) {
            // What came with the mail begins with its number.
            own |= line.starts_with("X-Number:");
            drops = line.starts_with("X-Spam-") || !own && ADDED.iter().any(|name| line.starts_with(name));
        }
        if !drops {
            kept.push_str(line);
        }
    }
    format!("{}\n\n{body}", kept.trim_end_matches('\n'))
}

fn number(mail: &str) -> usize {
    let line = mail.lines().find_map(|line| line.strip_prefix("X-Number: "));
    line.and_then(|number| number.parse().ok()).expect("a number")
}

#[test]
fn no_mail_is_lost_or_passes_unscanned_while_the_engine_is_killed_five_times() {
    const MAILS: usize = 1000;
    const SENDERS: usize = 8;
    if !is_available() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let rules = folder.path().join("rules.cf");
    fs::write(&rules, RULES).expect("a folder of ours");
    // Pictures get the time that a busy machine needs for them.
    let toml =
        format!("[rules]\ndirectories = [\"{}\"]\n[profile.external]\nbudget_ms = 120000\n", rules.display());
    let postfix = Postfix::start(folder.path(), "");
    let mut running = Some(engine(folder.path(), &toml));
    let mails = mixed(MAILS);

    // Eight clients send; under them the engine is killed and started again.
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mut replies = vec![String::new(); MAILS];
    thread::scope(|scope| {
        let client = || {
            let mut heard = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some((_, mail)) = mails.get(number) else { return heard };
                heard.push((number, postfix.send(mail)));
                done.fetch_add(1, Ordering::Relaxed);
            }
        };
        let clients: Vec<_> = (0..SENDERS).map(|_| scope.spawn(client)).collect();
        let reached = |count: usize| {
            while done.load(Ordering::Relaxed) < count {
                thread::sleep(Duration::from_millis(2));
            }
        };
        for kill in 1..=5 {
            reached(kill * MAILS / 6);
            drop(running.take()); // kill -9
            reached(kill * MAILS / 6 + SENDERS);
            running = Some(engine(folder.path(), &toml));
        }
        for client in clients {
            for (number, reply) in client.join().expect("no panic") {
                replies[number] = reply;
            }
        }
    });
    let is_right = |number: usize, reply: &str| match mails[number].0 {
        Kind::Spam => reply.starts_with("550 5.7.1"),
        Kind::Ham | Kind::Suspect => reply.starts_with("250"),
    };
    let put_off: Vec<usize> = (0..MAILS).filter(|&number| replies[number].starts_with('4')).collect();
    assert!(!put_off.is_empty(), "the engine was away");
    for (number, reply) in replies.iter().enumerate() {
        assert!(reply.starts_with('4') || is_right(number, reply), "{number} {:?}: {reply}", mails[number].0);
    }

    // What was put off is still with its sender, who tries again.
    for number in put_off {
        let reply = postfix.send(&mails[number].1);
        assert!(is_right(number, &reply), "{number} {:?}: {reply}", mails[number].0);
    }
    let expected = mails.iter().filter(|(kind, _)| *kind != Kind::Spam).count();
    wait_for("the deliveries", || postfix.delivered().len() >= expected);
    let mut seen = vec![false; MAILS];
    for mail in postfix.delivered() {
        let number = number(&mail);
        assert!(!std::mem::replace(&mut seen[number], true), "{number} came twice");
        let (kind, sent) = &mails[number];
        assert_ne!(*kind, Kind::Spam, "{mail}");
        assert!(mail.contains("\nX-Spam-Status: "), "not scanned: {mail}");
        assert_eq!(mail.contains("\nX-Spam-Flag: YES"), *kind == Kind::Suspect, "{mail}");
        // The samples have no fields of other filters; the others have some, which go.
        let sent = sent.replace("\r\n", "\n").replace("X-Spam-Status: No, forged\nX-Spam-Forged: 1\n", "");
        assert_eq!(without_additions(&mail), sent);
    }
    assert_eq!(seen.iter().filter(|&&seen| seen).count(), expected);
    drop(running);
}
