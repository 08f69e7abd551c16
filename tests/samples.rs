//! Every sample mail through the whole engine: its class against the manifest, and all that was found
//! against a golden file.
//!
//! `UPDATE_GOLDENS=1 cargo test --test samples` writes the golden files again; look at the difference
//! before committing it. The class is never taken from a golden file.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
    process::Command,
    thread,
};

use common::{Sample, engine, judge, recall, samples};
use criba::{
    budget::{Budget, Why},
    engine::Engine,
    pipeline::{self, Mail, Progress},
    profile::{Policy, Profile},
    verdict::Verdict,
    wire::request::Envelope,
};
use serde::Deserialize;

mod common;

/// What a golden file holds: no score, no exact text and no time, which change with every weight,
/// every version of Tesseract and every machine.
#[derive(Debug, Deserialize)]
struct Golden {
    class: String,
    /// `spam` from .9, `ham` up to .1, `unsure` between, `none` where Bayes abstains.
    bayes: String,
    /// Percent of the words of pictures and documents that were read.
    recall: Option<u32>,
    /// Links by origin.
    uris: Vec<String>,
    symbols: Vec<String>,
    skipped: Vec<String>,
}

/// Reading differs a little between versions of Tesseract.
const RECALL_SLACK: u32 = 10;

impl Golden {
    fn of(sample: &Sample, verdict: &Verdict) -> Golden {
        let bayes = match verdict.bayes.map(|opinion| opinion.probability) {
            None => "none",
            Some(p) if p >= 0.9 => "spam",
            Some(p) if p <= 0.1 => "ham",
            Some(_) => "unsure",
        };
        let read = verdict.texts.iter().map(|text| text.text.as_str()).collect::<Vec<_>>().join("\n");
        let mut symbols: Vec<_> = verdict.symbols.iter().map(|symbol| symbol.name.to_string()).collect();
        symbols.sort();
        // Links in pictures depend on how well they were read.
        let certain = verdict.uris.iter().filter(|uri| uri.origin != "ocr");
        let mut uris: Vec<_> = certain.map(|uri| format!("{} {}", uri.origin, uri.uri)).collect();
        uris.sort();
        let skipped = verdict
            .skipped
            .iter()
            .map(|skipped| format!("{} {}: {}", skipped.stage.name(), skipped.place, skipped.why));
        Golden {
            class: if verdict.score >= verdict.required { "spam" } else { "ham" }.into(),
            bayes: bayes.into(),
            recall: (!sample.truth.is_empty()).then(|| recall(&sample.truth, &read)),
            uris,
            symbols,
            skipped: skipped.collect(),
        }
    }

    fn agrees(&self, other: &Golden) -> bool {
        let recall = match (self.recall, other.recall) {
            (Some(a), Some(b)) => a.abs_diff(b) <= RECALL_SLACK,
            (a, b) => a == b,
        };
        recall
            && (&self.class, &self.bayes, &self.uris) == (&other.class, &other.bayes, &other.uris)
            && (&self.symbols, &self.skipped) == (&other.symbols, &other.skipped)
    }

    /// One entry a line, so that a difference is easy to read.
    fn json(&self) -> String {
        let quoted = |text: &str| simd_json::to_string(text).expect("a string");
        let list = |name: &str, entries: &[String]| {
            let lines: Vec<_> = entries.iter().map(|entry| format!("\n    {}", quoted(entry))).collect();
            format!(",\n  {}: [{}]", quoted(name), lines.join(","))
        };
        let recall = self.recall.map_or("null".into(), |percent| percent.to_string());
        let (class, bayes) = (quoted(&self.class), quoted(&self.bayes));
        format!("{{\n  \"class\": {class},\n  \"bayes\": {bayes},\n  \"recall\": {recall}")
            + &list("uris", &self.uris)
            + &list("symbols", &self.symbols)
            + &list("skipped", &self.skipped)
            + "\n}\n"
    }
}

fn golden_path(sample: &Sample) -> PathBuf {
    let name = sample.file.replace('/', "-").replace(".eml", ".json");
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/samples").join(name)
}

/// Compares with the golden file, or writes it; says what is wrong.
fn compare(sample: &Sample, found: &Golden) -> Option<String> {
    let path = golden_path(sample);
    let failed = path.with_extension("json.failed");
    if std::env::var_os("UPDATE_GOLDENS").is_some() {
        let _ = fs::remove_file(&failed);
        let known = fs::read(&path).ok().and_then(|mut json| simd_json::from_slice::<Golden>(&mut json).ok());
        if known.is_none_or(|known| !known.agrees(found)) {
            fs::write(&path, found.json()).expect("golden files can be written");
        }
        return None;
    }
    let problem = match fs::read(&path) {
        Err(error) => format!("{}: {error}", path.display()),
        Ok(mut json) => match simd_json::from_slice::<Golden>(&mut json) {
            Err(error) => format!("{}: {error}", path.display()),
            Ok(known) if known.agrees(found) => {
                let _ = fs::remove_file(&failed);
                return None;
            }
            Ok(known) => format!("{} differs:\n{known:#?}\nnow:\n{found:#?}", sample.file),
        },
    };
    fs::write(&failed, found.json()).expect("golden files can be written");
    Some(format!("{problem}\nfound now: {}", failed.display()))
}

fn judge_all(engine: &Engine, samples: &[Sample]) -> Vec<Verdict> {
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let share = samples.len().div_ceil(workers);
    thread::scope(|scope| {
        let work = |part| {
            scope.spawn(move || {
                let mut scratch = engine.scratch();
                let judged = |sample: &Sample| judge(engine, &mut scratch, &sample.read());
                <[Sample]>::iter(part).map(judged).collect::<Vec<_>>()
            })
        };
        let threads: Vec<_> = samples.chunks(share).map(work).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no scan panics")).collect()
    })
}

#[test]
fn every_sample_is_judged_as_its_manifest_says_and_as_before() {
    let samples = samples();
    assert!(samples.len() >= 48);
    let verdicts = judge_all(&engine(), &samples);
    let (mut missed, mut differ) = (Vec::new(), Vec::new());
    for (sample, verdict) in samples.iter().zip(&verdicts) {
        let right = (verdict.score >= verdict.required) == sample.is_spam;
        if right != (sample.expect == "pass") {
            let names: Vec<_> =
                verdict.symbols.iter().map(|s| format!("{}={:.1}", s.name, s.score)).collect();
            missed.push(format!(
                "{}: score {:.1}, expect `{}`: {names:?}",
                sample.file, verdict.score, sample.expect
            ));
        }
        differ.extend(compare(sample, &Golden::of(sample, verdict)));
    }
    assert!(missed.is_empty(), "class and verdict differ from the manifest:\n{}", missed.join("\n"));
    assert!(
        differ.is_empty(),
        "{}\n{} golden files differ: look at them, then run UPDATE_GOLDENS=1 cargo test --test samples",
        differ.join("\n\n"),
        differ.len()
    );
}

#[test]
fn no_golden_file_is_left_of_a_sample_that_is_gone() {
    let known: Vec<_> = samples().iter().map(golden_path).collect();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/samples");
    for entry in fs::read_dir(folder).expect("golden files") {
        let path = entry.expect("golden file").path();
        let is_golden = path.extension().is_some_and(|extension| extension == "json");
        assert!(!is_golden || known.contains(&path), "{}: no such sample", path.display());
    }
}

#[test]
fn the_samples_are_what_their_generator_makes() {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpora/make-samples");
    let Ok(done) = Command::new(&script).arg("--check").output() else {
        return skipped(format_args!("{} cannot be run here (Python 3 is missing)", script.display()));
    };
    let said = String::from_utf8_lossy(&done.stdout) + String::from_utf8_lossy(&done.stderr);
    match done.status.code() {
        // Other versions of the picture library draw other pixels.
        Some(75) => skipped(format_args!("{said}")),
        code => assert_eq!(code, Some(0), "{said}"),
    }
}

/// Straight to stderr: what `eprintln!` prints in a test that passes is kept back, and nobody would see it.
fn skipped(why: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "SKIPPED: {why}");
}

/// Pictures that cannot change the action may be left unread: reading them does not change it.
#[test]
fn what_is_decided_by_the_text_stays_so_when_pictures_are_read() {
    let engine = engine();
    let mut scratch = engine.scratch();
    let profile = Profile { on_partial: Policy::Accept, ..Profile::external() };
    let envelope = Envelope::default();
    let mut decided = 0;
    let gtube = "XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X";
    for sample in samples().iter().filter(|sample| sample.file.contains("picture")) {
        let raw = sample.read();
        // As it is, and as one that is refused for its text alone.
        let text = String::from_utf8_lossy(&raw);
        let shouted = text.replacen("\nSubject: ", &format!("\nSubject: {gtube} "), 1).into_bytes();
        for raw in [raw, shouted] {
            let mail = Mail { raw: &raw, envelope: &envelope, profile: &profile };
            let budget = Budget::new(common::PATIENT);
            let Progress::Media(pending) = pipeline::scan_text(&engine, &mut scratch, mail, budget, &())
            else {
                panic!("{} has a picture", sample.file)
            };
            if pending.is_decided(&engine, &profile) {
                let left = pending.verdict(&profile, Why::Decided);
                let whole = judge(&engine, &mut scratch, &raw);
                assert_eq!((left.action, left.complete), (whole.action, true), "{}", sample.file);
                decided += 1;
            }
        }
    }
    assert!(decided > 0, "a GTUBE decides");
}
