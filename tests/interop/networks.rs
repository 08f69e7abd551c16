//! The recogniser that is off by default, PP-OCR by `rten`: where criba was built with it (`--features rten`) and
//! `packaging/ocr-models` was run.

use std::{
    collections::HashSet,
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use criba::{
    budget::Budget,
    media::{self, Limits},
    ocr::{Backend, Error, Options, Page, Pool},
};

use super::support::{files, skipped};

/// A pool of one worker that reads with the networks. Says so where there are none.
fn networks() -> Option<Pool> {
    if !cfg!(feature = "rten") {
        skipped("criba was built without the feature `rten`");
        return None;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder =
        env::var_os("CRIBA_OCR_MODELS").map_or_else(|| root.join("target/ocr-models"), PathBuf::from);
    if !folder.is_dir() {
        skipped(format_args!("{} is not there: run packaging/ocr-models", folder.display()));
        return None;
    }
    let program = Some(env!("CARGO_BIN_EXE_criba").into());
    Some(Pool::start(&Options { workers: 1, backend: Backend::Rten(folder), program, ..Options::default() }))
}

fn in_time() -> Instant {
    Instant::now() + Duration::from_secs(300)
}

fn page(path: &Path) -> Page {
    let bytes = fs::read(path).expect("a readable picture");
    let kind = media::sniff(&bytes).expect("a picture");
    let budget = Budget::new(Duration::from_secs(300));
    let mut extract = media::extract(kind, &bytes, &Limits::default(), &budget).expect("a whole picture");
    extract.pages.remove(0).1
}

fn clean() -> Page {
    page(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ocr/clean.png"))
}

#[test]
fn words_are_read_with_their_boxes() {
    let Some(pool) = networks() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ocr");
    let mut pictures = files(&folder);
    // Not those in other scripts, of which the networks know the East Asian ones alone.
    pictures
        .retain(|path| path.parent() == Some(&folder) && path.extension().is_some_and(|end| end == "png"));
    let (mut expected, mut found) = (0, 0);
    for path in pictures {
        let page = page(&path);
        let reading = pool.read(&page, in_time()).expect("a worker that works");
        let text = fs::read_to_string(path.with_extension("expected.txt")).expect("the expected text");
        let read: HashSet<&str> = reading.text.split_whitespace().collect();
        expected += text.split_whitespace().count();
        found += text.split_whitespace().filter(|word| read.contains(word)).count();
        assert!(reading.complete && reading.confidence > 60, "{}: {reading:?}", path.display());
        for word in &reading.words {
            let inside = word.left + word.width <= page.width && word.top + word.height <= page.height;
            assert!(inside && word.width > 0 && word.height > 0, "{word:?}");
        }
    }
    assert!(expected > 50 && found * 100 >= expected * 95, "{found} of {expected} words");
}

#[test]
fn a_page_that_is_cut_off_yields_its_first_lines() {
    let Some(pool) = networks() else { return };
    let clean = clean();
    let whole = pool.read(&clean, in_time()).expect("a worker that works");
    let long = Page { height: clean.height * 200, pixels: clean.pixels.repeat(200), ..clean.clone() };
    // Longer each time, until there is time for a line.
    let cut = (0..8).find_map(|round| {
        // Nobody begins a long page while the worker is at the one before.
        pool.read(&clean, in_time()).expect("a worker that works");
        let reading = pool.read(&long, Instant::now() + Duration::from_millis(200 << round)).ok()?;
        Some((reading.text.lines().next()?.to_owned(), reading.complete))
    });
    assert_eq!(cut, Some((whole.text.lines().next().expect("a line").to_owned(), false)));
    assert_eq!(pool.counts().crashed, 0);
}

#[test]
fn all_threads_of_a_worker_sit_behind_the_wall() {
    let Some(pool) = networks() else { return };
    pool.read(&clean(), in_time()).expect("a worker that works");
    let parent = format!("\nPPid:\t{}\n", std::process::id());
    let is_worker = |folder: &Path| {
        let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
        let command = fs::read(folder.join("cmdline")).unwrap_or_default();
        status.contains(&parent) && command.windows(7).any(|part| part == b"\0--rten")
    };
    let processes = fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path());
    let workers: Vec<PathBuf> = processes.filter(|folder| is_worker(folder)).collect();
    let walls = workers.iter().map(|worker| {
        let threads = fs::read_dir(worker.join("task")).into_iter().flatten().flatten();
        let statuses = threads.filter_map(|thread| fs::read_to_string(thread.path().join("status")).ok());
        statuses.map(|status| status.contains("\nSeccomp:\t2\n")).collect::<Vec<_>>()
    });
    // Those of other tests may be loading still.
    let walls: Vec<Vec<bool>> = walls.collect();
    assert!(
        walls.iter().any(|threads| threads.len() == 2 && threads.iter().all(|&walled| walled)),
        "{walls:?}"
    );
}

#[test]
fn networks_that_are_not_there_are_named() {
    if !cfg!(feature = "rten") {
        skipped("criba was built without the feature `rten`");
        return;
    }
    let (backend, program) =
        (Backend::Rten("/no/such/folder".into()), Some(env!("CARGO_BIN_EXE_criba").into()));
    let pool = Pool::start(&Options { workers: 1, backend, program, ..Options::default() });
    match pool.read(&clean(), in_time()) {
        Err(Error::Unavailable(why)) => {
            assert!(why.contains("/no/such/folder/") && why.contains("packaging/ocr-models"), "{why}");
        }
        other => panic!("{other:?}"),
    }
}
