//! The pool with workers that misbehave: small shell scripts in place of criba.

use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use super::{super::Word, *};

/// A pool of `workers` that run `script`.
fn pool(folder: &Path, workers: usize, script: &str) -> Pool {
    let program = folder.join("worker");
    // Written by another process: a child that a test beside this one forks meanwhile would hold the file open
    // for writing, and then nobody may execute it.
    let mut writer = Command::new("sh")
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(&program)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    writer.stdin.take().unwrap().write_all(format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success());
    Pool::start(&Options { workers, program: Some(program), ..Options::default() })
}

fn page() -> Page {
    Page { width: 4, height: 4, pixels: vec![255; 16] }
}

fn word(text: &str) -> Word {
    Word { width: 9, height: 9, confidence: 80, text: text.into(), ..Word::default() }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(300)
}

fn in_time() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// Says `R` and answers each page (40 bytes with its header) with a line and the end; up to seven pages.
const GOOD: &str = r#"printf 'R\0\0\0\0\0\0\0\0\0\0\0'
while [ $(head -c 40 | wc -c) = 40 ]; do n=$((n+1))
printf "L\0\0\0\\$n\0\0\0\20\0\0\0000\t0\t9\t9\t80\thelloE\0\0\0\\$n\0\0\0\0\0\0\0"; done"#;

/// A worker whose first page goes as `first` has it, and that is good from then on.
fn first(first: &str) -> String {
    format!("{first}\nn=1\n{GOOD}")
}

#[test]
fn a_page_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(folder.path(), 2, GOOD);
    assert_eq!(pool.counts().started, 0, "nothing starts before it is needed");
    for _ in 0..3 {
        let reading = pool.read(&page(), in_time()).unwrap();
        assert_eq!(
            reading,
            Reading { text: "hello".into(), confidence: 80, words: vec![word("hello")], complete: true }
        );
    }
    assert_eq!(pool.counts(), Counts { read: 3, started: 1, ..Counts::default() });
}

#[test]
fn a_hanging_worker_is_killed_and_replaced() {
    // One that waits for something, and one that computes without end.
    for hang in ["exec sleep 1000", "while :; do :; done"] {
        let folder = tempfile::tempdir().unwrap();
        // The first page hangs; whoever comes next finds a file that says so.
        let script = format!(
            "printf 'R\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0'; if mkdir {0}/met; then head -c 40 >/dev/null; {hang}; fi\n{GOOD}",
            folder.path().display()
        );
        let pool = pool(folder.path(), 1, &script);
        assert_eq!(pool.read(&page(), soon()), Err(Error::Deadline));
        assert_eq!(pool.read(&page(), in_time()).unwrap().text, "hello");
        assert_eq!(pool.counts(), Counts { read: 1, cut: 1, killed: 1, started: 2, ..Counts::default() });
    }
}

#[test]
fn a_worker_that_gives_up_its_page_reads_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let pool =
        pool(folder.path(), 1, &first(r"head -c 40 >/dev/null; sleep 1; printf 'C\0\0\0\1\0\0\0\0\0\0\0'"));
    assert_eq!(pool.read(&page(), soon()), Err(Error::Deadline));
    assert_eq!(pool.read(&page(), in_time()).unwrap().text, "hello");
    assert_eq!(pool.counts(), Counts { read: 1, cut: 1, started: 1, ..Counts::default() });
}

#[test]
fn words_of_a_page_that_was_cut_never_reach_the_next() {
    let folder = tempfile::tempdir().unwrap();
    // Before it has given up, and after it said that it had.
    let stale = r"L\0\0\0\1\0\0\0\20\0\0\0000\t0\t9\t9\t80\tstale";
    let end = r"C\0\0\0\1\0\0\0\0\0\0\0";
    let script = format!("head -c 40 >/dev/null; sleep 1; printf '{stale}{end}{stale}{end}'");
    let pool = pool(folder.path(), 1, &first(&script));
    assert_eq!(pool.read(&page(), soon()), Err(Error::Deadline));
    for _ in 0..2 {
        let reading = pool.read(&page(), in_time()).unwrap();
        assert_eq!((&reading.text[..], reading.complete), ("hello", true));
    }
    assert_eq!(pool.counts(), Counts { read: 2, cut: 1, started: 1, ..Counts::default() });
}

#[test]
fn a_page_that_was_sent_in_part_does_not_shift_the_next() {
    let folder = tempfile::tempdir().unwrap();
    // More than a socket holds.
    let large = Page { width: 2000, height: 2000, pixels: vec![255; 4_000_000] };
    let script = r"sleep 1; head -c 4000024 >/dev/null; printf 'C\0\0\0\1\0\0\0\0\0\0\0'";
    let pool = pool(folder.path(), 1, &first(script));
    assert_eq!(pool.read(&large, soon()), Err(Error::Deadline));
    assert_eq!(pool.read(&page(), in_time()).unwrap().text, "hello");
    assert_eq!(pool.counts(), Counts { read: 1, cut: 1, started: 1, ..Counts::default() });
}

#[test]
fn a_worker_that_dies_after_its_deadline_is_replaced() {
    for end in ["kill -SEGV $$", "printf 'you have reached the wrong program'; exec sleep 1000"] {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "printf 'R\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0'; if mkdir {0}/met; then head -c 40 >/dev/null; sleep 1; {end}; fi\n{GOOD}",
            folder.path().display()
        );
        let pool = pool(folder.path(), 1, &script);
        assert_eq!(pool.read(&page(), soon()), Err(Error::Deadline));
        assert_eq!(pool.read(&page(), in_time()).unwrap().text, "hello");
        assert_eq!(pool.counts(), Counts { read: 1, cut: 1, crashed: 1, started: 2, ..Counts::default() });
    }
}

#[test]
fn a_page_that_cannot_be_read_in_time_is_not_begun() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(folder.path(), 1, GOOD);
    pool.read(&page(), in_time()).unwrap();
    let read = pool.counts().read;
    // An hour a page, not even half of which is left.
    pool.shared.lock().pace = Pace { cpu_us: 3.6e9, pixels: 16.0 };
    let half = || Instant::now() + Duration::from_secs(1800);
    assert_eq!(pool.read(&page(), half()), Err(Error::Deadline));
    assert_eq!((pool.counts().read, pool.counts().not_begun), (read, 1));
    // Of a long one the first part can be read, but not while others wait for the same worker.
    let long = Page { width: 1, height: FIRST_ROWS * 3, pixels: vec![255; FIRST_ROWS as usize * 3] };
    pool.shared.lock().pace = Pace { cpu_us: 3.6e9, pixels: f64::from(FIRST_ROWS * 3) };
    let worker = pool.acquire(&long, half()).unwrap();
    assert!(matches!(pool.acquire(&long, half()), Err(Error::Deadline)));
    worker.bury();
    // What is thought of pages does not stand for ever when none is read.
    pool.shared.lock().live = 0;
    pool.shared.lock().pace = Pace { cpu_us: 3.6e9, pixels: 16.0 };
    let tried = (0..1000).position(|_| pool.read(&page(), half()).is_ok());
    assert!(tried.is_some_and(|tried| tried > 9), "{tried:?}");
}

#[test]
fn a_page_cut_off_by_the_deadline_yields_its_first_lines() {
    let folder = tempfile::tempdir().unwrap();
    let script = r"printf 'R\0\0\0\0\0\0\0\0\0\0\0L\0\0\0\1\0\0\0\20\0\0\0000\t0\t9\t9\t80\tfirst'; head -c 40 >/dev/null; exec sleep 1000";
    let pool = pool(folder.path(), 1, script);
    let reading = pool.read(&page(), soon()).unwrap();
    assert_eq!(
        reading,
        Reading { text: "first".into(), confidence: 80, words: vec![word("first")], complete: false }
    );
}

#[test]
fn a_crash_costs_its_own_page_only() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "printf 'R\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0\\0'; if mkdir {0}/met; then head -c 40 >/dev/null; kill -SEGV $$; fi\n{GOOD}",
        folder.path().display()
    );
    let pool = pool(folder.path(), 1, &script);
    assert!(matches!(pool.read(&page(), in_time()), Err(Error::Crashed(_))));
    assert_eq!(pool.read(&page(), in_time()).unwrap().text, "hello");
    assert_eq!(pool.counts().crashed, 1);
}

#[test]
fn garbage_for_an_answer_is_a_crash() {
    for garbage in
        [r"Z\0\0\0\0\0\0\0\0\0\0\0", r"L\0\0\0\1\0\0\0\377\377\377\377", "you have reached the wrong program"]
    {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            r"printf 'R\0\0\0\0\0\0\0\0\0\0\0'; head -c 40 >/dev/null; printf '{garbage}'; exec sleep 1000"
        );
        let pool = pool(folder.path(), 1, &script);
        assert!(matches!(pool.read(&page(), in_time()), Err(Error::Crashed(_))), "{garbage}");
    }
}

#[test]
fn a_worker_that_cannot_start_is_not_tried_without_end() {
    let folder = tempfile::tempdir().unwrap();
    let script = r"printf 'F\0\0\0\0\0\0\0\7\0\0\0no pack'; head -c 40 >/dev/null";
    let pool = pool(folder.path(), 1, script);
    for _ in 0..20 {
        assert_eq!(pool.read(&page(), in_time()), Err(Error::Unavailable("no pack".into())));
    }
    assert!(pool.counts().started < 20);
    let nowhere = Options { program: Some("/no/such/program".into()), ..Options::default() };
    assert!(matches!(Pool::start(&nowhere).read(&page(), in_time()), Err(Error::Unavailable(_))));
}

#[test]
fn a_worker_that_dies_while_idle_costs_no_page() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("mkdir {0}/met && exit 1\n{GOOD}", folder.path().display());
    let pool = pool(folder.path(), 1, &script);
    pool.warm();
    // Wait until the keeper has it, and it has ended.
    while pool.counts().started == 0 || !folder.path().join("met").exists() {
        thread::sleep(Duration::from_millis(5));
    }
    while pool.shared.lock().idle.first_mut().is_some_and(Process::is_alive) {
        thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(pool.read(&page(), in_time()).unwrap().text, "hello");
}

#[test]
fn no_scan_waits_for_a_worker_past_its_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let pool =
        pool(folder.path(), 1, r"printf 'R\0\0\0\0\0\0\0\0\0\0\0'; head -c 40 >/dev/null; exec sleep 1000");
    thread::scope(|scope| {
        let busy = scope.spawn(|| pool.read(&page(), Instant::now() + Duration::from_secs(2)));
        while pool.shared.lock().live == 0 || !pool.shared.lock().idle.is_empty() {
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(pool.read(&page(), soon()), Err(Error::Deadline));
        assert_eq!(busy.join().unwrap(), Err(Error::Deadline));
    });
}

#[test]
fn old_workers_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool(folder.path(), 1, GOOD);
    for _ in 0..2 {
        pool.read(&page(), in_time()).unwrap();
    }
    pool.shared.lock().idle[0].pages = PAGES_A_WORKER - 1;
    for _ in 0..2 {
        pool.read(&page(), in_time()).unwrap();
    }
    assert_eq!(pool.counts().started, 2);
}
