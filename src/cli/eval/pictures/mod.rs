//! `criba eval --pictures`: how much is read of pictures whose text is known, who is caught, and what it costs.

mod judge;
mod table;
mod tesseract;
mod truth;

use std::{path::PathBuf, time::Duration};

use indicatif::ProgressBar;

use crate::{
    cli::{failure::Failure, settings::load_engine},
    config::Settings,
};
use judge::Judge;
use table::Table;

/// Options that go with pictures.
#[derive(Debug, clap::Args)]
#[group(id = "reading")]
pub struct Args {
    /// Measure reading and not a model: pictures, animations and documents with their `truth.jsonl`, as
    /// corpora/make-pictures makes them
    #[arg(long, value_name = "DIR", conflicts_with_all = ["spam", "ham", "model", "folds", "holdout", "online"])]
    pub pictures: Option<PathBuf>,
    /// Read the pictures with the `tesseract` program as well (page segmentation 3)
    #[arg(long, requires = "pictures")]
    compare_tesseract: bool,
    /// Time for one picture
    #[arg(long, value_name = "MS", default_value_t = 10_000, requires = "pictures")]
    budget: u32,
    /// Configuration file, for what reads them; without it the defaults
    #[arg(long, value_name = "FILE", requires = "pictures")]
    config: Option<PathBuf>,
    /// Write a line of JSON for each file: words read, symbols, milliseconds
    #[arg(long, value_name = "FILE", requires = "pictures")]
    details: Option<PathBuf>,
}

/// Measures, a picture after the other: times of pictures read at once would be those of a busy machine.
///
/// # Errors
/// The folder has no truth, a file is missing, or there is no engine.
pub fn run(args: &Args, folder: &std::path::Path, json: bool) -> Result<(), Failure> {
    let truths = truth::read(folder)?;
    let mut settings = match &args.config {
        Some(path) => Settings::load(path).map_err(Failure::config)?,
        None => Settings::default(),
    };
    // What a model of words thinks is another matter.
    settings.bayes.enabled = false;
    let engine = load_engine(&settings)?;
    let mut judge = Judge::new(&engine, Duration::from_millis(args.budget.into()));
    let mut table = Table::default();
    let mut details = String::new();
    let progress = ProgressBar::new(truths.len() as u64);
    for truth in &truths {
        let path = folder.join(&truth.file);
        let bytes = std::fs::read(&path)
            .map_err(|error| Failure::no_input(format!("{}: {error}", path.display())))?;
        let outcome = judge.judge(truth, &bytes)?;
        let theirs = match args.compare_tesseract && tesseract::reads(&bytes) {
            true => Some(tesseract::read(&path, truth)?),
            false => None,
        };
        if args.details.is_some() {
            details.push_str(&outcome.line(truth)?);
        }
        table.add(truth, &outcome, theirs);
        progress.inc(1);
    }
    progress.finish_and_clear();
    if let Some(path) = &args.details {
        std::fs::write(path, details).map_err(|error| super::cannot_create(path, error))?;
    }
    if json { table.json() } else { table.people() }
}
