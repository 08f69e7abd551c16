//! Pictures read by real worker processes, and `criba ocr` around them.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Output},
    time::{Duration, Instant},
};

use criba::{
    budget::Budget,
    media::{self, Limits},
    ocr::{Error, Options, Page, Pool},
};
use simd_json::{OwnedValue, prelude::*};

const CRIBA: &str = env!("CARGO_BIN_EXE_criba");

fn pool(languages: &[&str]) -> Pool {
    let languages = languages.iter().map(|&name| name.to_owned()).collect();
    Pool::start(&Options { workers: 1, languages, program: Some(CRIBA.into()), ..Options::default() })
}

fn in_time() -> Instant {
    Instant::now() + Duration::from_secs(300)
}

/// The pictures beside their expected texts.
fn pictures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ocr");
    let entries =
        fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    let mut found: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "png")).collect();
    found.sort();
    found
}

/// The page to read of a picture.
fn page(path: &Path) -> Page {
    let bytes = fs::read(path).expect("a readable picture");
    let kind = media::sniff(&bytes).expect("a picture");
    let budget = Budget::new(Duration::from_secs(300));
    let mut extract = media::extract(kind, &bytes, &Limits::default(), &budget).expect("a whole picture");
    assert_eq!(extract.pages.len(), 1, "{}", path.display());
    extract.pages.remove(0).1
}

#[test]
fn each_picture_is_read_word_for_word() {
    let pool = pool(&["eng"]);
    let pictures = pictures();
    assert!(pictures.len() >= 6);
    for path in pictures {
        let page = &page(&path);
        let reading = pool.read(page, in_time()).expect("a worker that works");
        let expected = fs::read_to_string(path.with_extension("expected.txt")).expect("the expected text");
        assert_eq!(reading.text.trim(), expected.trim(), "{}", path.display());
        assert!(reading.complete && reading.confidence > 60, "{}: {reading:?}", path.display());
    }
}

#[test]
fn a_page_is_read_in_its_script() {
    let read = |pool: &Pool, name: &str| {
        let page = page(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ocr").join(name));
        pool.read(&page, in_time())
    };
    let both = pool(&["eng", "rus"]);
    match read(&both, "scripts/cyrillic.png") {
        Err(Error::Unavailable(why)) if why.contains("`rus`") => {
            // Straight to stderr: what `eprintln!` prints in a test that passes is kept back.
            let _ = writeln!(io::stderr(), "SKIPPED: {why} (tesseract-ocr-rus)");
        }
        reading => {
            let expected = include_str!("ocr/scripts/cyrillic.expected.txt");
            assert_eq!(reading.unwrap().text.trim(), expected.trim());
            let expected = include_str!("ocr/scripts/both.expected.txt");
            assert_eq!(read(&both, "scripts/both.png").unwrap().text.trim(), expected.trim());
            let expected = include_str!("ocr/clean.expected.txt");
            assert_eq!(read(&both, "clean.png").unwrap().text.trim(), expected.trim());
        }
    }
    // With Latin alone it is none.
    let latin = read(&pool(&["eng"]), "scripts/cyrillic.png").unwrap();
    assert!(latin.confidence < 70 && !latin.text.contains("лекарства"), "{latin:?}");
}

#[test]
fn a_blank_page_says_nothing() {
    let page = Page { width: 200, height: 100, pixels: vec![255; 20_000] };
    let reading = pool(&["eng"]).read(&page, in_time()).unwrap();
    assert_eq!((&reading.text[..], reading.complete), ("", true));
}

#[test]
fn a_worker_that_was_cut_at_its_deadline_reads_the_next_page() {
    let pool = pool(&["eng"]);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ocr");
    let clean = page(&folder.join("clean.png"));
    // So that it has loaded.
    pool.read(&Page { width: 200, height: 100, pixels: vec![255; 20_000] }, in_time()).unwrap();
    let long = Page { height: clean.height * 200, pixels: clean.pixels.repeat(200), ..clean.clone() };
    for _ in 0..3 {
        match pool.read(&long, Instant::now() + Duration::from_millis(150)) {
            Ok(reading) => assert!(!reading.complete),
            Err(error) => assert_eq!(error, Error::Deadline),
        }
        let reading = pool.read(&clean, in_time()).unwrap();
        assert_eq!(reading.text.trim(), include_str!("ocr/clean.expected.txt").trim());
    }
    let counts = pool.counts();
    assert_eq!((counts.started, counts.killed, counts.crashed), (1, 0, 0), "{counts:?}");
}

#[test]
fn a_language_that_is_not_installed_is_named() {
    let page = Page { width: 20, height: 20, pixels: vec![255; 400] };
    match pool(&["xxx"]).read(&page, in_time()) {
        Err(Error::Unavailable(why)) => assert!(why.contains("`xxx`"), "{why}"),
        other => panic!("{other:?}"),
    }
}

// What it does where it was built is tested in tests/interop/networks.rs.
#[cfg(not(feature = "rten"))]
#[test]
fn a_backend_that_was_not_built_is_named() {
    let backend = criba::ocr::Backend::Rten("target/ocr-models".into());
    let pool =
        Pool::start(&Options { workers: 1, backend, program: Some(CRIBA.into()), ..Options::default() });
    let page = Page { width: 20, height: 20, pixels: vec![255; 400] };
    match pool.read(&page, in_time()) {
        Err(Error::Unavailable(why)) => assert!(why.contains("--features rten"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn workers_sit_behind_the_wall_and_go_with_their_pool() {
    // A process of its own, whose only child is the worker.
    let pool = pool(&["eng"]);
    let page = Page { width: 20, height: 20, pixels: vec![255; 400] };
    pool.read(&page, in_time()).unwrap();
    let workers = || {
        let ours = format!("\nPPid:\t{}\n", std::process::id());
        let processes = fs::read_dir("/proc").expect("/proc").flatten();
        let statuses = processes.filter_map(|entry| {
            let command = fs::read(entry.path().join("cmdline")).ok()?;
            let status = fs::read_to_string(entry.path().join("status")).ok()?;
            // The pool of another test in this process has the same parent and another language.
            let ours = status.contains(&ours) && command.windows(12).any(|part| part == b"ocr-worker\0-");
            ours.then_some(status)
        });
        statuses.collect::<Vec<_>>()
    };
    let found = workers();
    assert!(!found.is_empty());
    let walled =
        |status: &String| status.contains("\nSeccomp:\t2\n") && status.contains("\nNoNewPrivs:\t1\n");
    // Those of other tests may be loading still.
    assert!(found.iter().any(walled), "{found:?}");
    drop(pool);
}

fn criba_ocr(paths: &[&Path]) -> Output {
    Command::new(CRIBA).args(["ocr", "--json"]).args(paths).output().expect("criba runs")
}

#[test]
fn the_command_prints_a_line_of_json_for_each_file() {
    let pictures = pictures();
    let output = criba_ocr(&[&pictures[0], &pictures[1]]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(text.lines().count(), 2);
    for (line, path) in text.lines().zip(&pictures) {
        let mut line = line.as_bytes().to_vec();
        let value: OwnedValue = simd_json::to_owned_value(&mut line).expect("JSON");
        assert_eq!(value.get_str("file"), path.to_str());
        assert!(value.get_str("text").is_some_and(|text| text.contains("Cheap pills")));
        assert_eq!(value.get_u64("frames"), Some(1));
        assert!(value.get_u64("confidence").is_some_and(|confidence| confidence <= 100));
        assert!(value.get("ms").and_then(|ms| ms.cast_f64()).is_some_and(|ms| ms > 0.0));
    }
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_done() {
    let picture = &pictures()[0];
    let output = criba_ocr(&[Path::new(file!()), picture]);
    assert_eq!(output.status.code(), Some(65));
    assert!(String::from_utf8_lossy(&output.stderr).contains("neither a picture nor a PDF"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("Cheap pills"));
    assert_eq!(criba_ocr(&[Path::new("/no/such/picture.png")]).status.code(), Some(66));
}
