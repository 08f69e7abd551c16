//! What several integration tests need: the samples with their truth, and an engine to judge them.

#![allow(dead_code)] // each test program uses a part of this

use std::{collections::BTreeSet, fs, path::PathBuf, sync::Arc, time::Duration};

use criba::{
    budget::Budget,
    config::Settings,
    engine::Engine,
    ocr::Pool,
    pipeline::{self, Mail, Scratch},
    profile::{Policy, Profile},
    verdict::Verdict,
    wire::request::Envelope,
};

/// The program under test.
pub const CRIBA: &str = env!("CARGO_BIN_EXE_criba");

/// Enough for a picture on a busy machine: what is tested with it is no deadline.
pub const PATIENT: Duration = Duration::from_secs(60);

/// One mail of `corpora/samples` and its line in the manifest.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Below `corpora/samples`, for example `spam/gtube.eml`.
    pub file: String,
    pub is_spam: bool,
    /// `pass`, or why the verdict is known to miss the class.
    pub expect: String,
    /// The text that only a picture or a document shows; lines separated by LF.
    pub truth: String,
}

impl Sample {
    pub fn path(&self) -> PathBuf {
        samples_folder().join(&self.file)
    }

    pub fn read(&self) -> Vec<u8> {
        let path = self.path();
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

pub fn samples_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpora/samples")
}

/// All samples, in the order of the manifest.
pub fn samples() -> Vec<Sample> {
    let manifest = fs::read_to_string(samples_folder().join("manifest.tsv")).expect("manifest.tsv");
    let mut lines = manifest.lines();
    assert_eq!(lines.next(), Some("file\tclass\tkind\tlanguage\texpect\ttests\ttruth"));
    let sample = |line: &str| {
        let columns: Vec<_> = line.split('\t').collect();
        let [file, class, _, _, expect, _, truth] = columns[..] else { panic!("manifest: {line}") };
        assert!(["spam", "ham"].contains(&class), "manifest: {line}");
        Sample {
            file: file.to_owned(),
            is_spam: class == "spam",
            expect: expect.to_owned(),
            truth: truth.replace(" | ", "\n"),
        }
    };
    lines.map(sample).collect()
}

/// The defaults, with a rule cache that belongs to this build.
pub fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.rules.cache = Some(cache_folder());
    settings.ocr.program = Some(CRIBA.into());
    settings
}

pub fn cache_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("rules")
}

/// The default engine.
pub fn engine() -> Engine {
    let settings = settings();
    let pool = Arc::new(Pool::start(&settings.ocr));
    let (engine, remarks) = Engine::load(&settings, pool).expect("the default engine loads");
    assert!(remarks.is_empty(), "criba's own rules load without a remark: {remarks:?}");
    engine
}

/// Judges `raw` in this process with all the time it needs.
pub fn judge(engine: &Engine, scratch: &mut Scratch, raw: &[u8]) -> Verdict {
    let profile = Profile { on_partial: Policy::Accept, ..Profile::external() };
    let envelope = Envelope::default();
    let mail = Mail { raw, envelope: &envelope, profile: &profile };
    pipeline::scan(engine, scratch, mail, Budget::new(PATIENT), &())
}

/// The words of `text` without case and punctuation.
pub fn words(text: &str) -> BTreeSet<String> {
    let trimmed = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    text.split_whitespace().map(trimmed).filter(|word| !word.is_empty()).collect()
}

/// The share of the words of `truth` that were read, in percent.
pub fn recall(truth: &str, read: &str) -> u32 {
    let (truth, read) = (words(truth), words(read));
    assert!(!truth.is_empty());
    (100 * truth.intersection(&read).count() / truth.len()) as u32
}
