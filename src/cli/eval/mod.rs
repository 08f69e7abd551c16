//! `criba eval`: how well a model tells spam from ham, and how well pictures are read.

mod judge;
mod pictures;
mod plots;
mod report;

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{
    count::{self, Counted, Keep},
    failure::Failure,
};
use crate::{
    bayes::{Error, Memory, Model, metrics::Metrics},
    engine,
};
use judge::Opinions;

/// Options of `criba eval`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Spam: files, directories, maildirs, mbox files; may be given several times
    #[arg(long, required_unless_present = "pictures", value_name = "PATH")]
    spam: Vec<PathBuf>,
    /// Ham, likewise
    #[arg(long, required_unless_present = "pictures", value_name = "PATH")]
    ham: Vec<PathBuf>,
    #[command(flatten)]
    way: Way,
    #[command(flatten)]
    pictures: pictures::Args,
    /// Write a line `label score file` for each message (of the first model)
    #[arg(long, value_name = "FILE")]
    scores: Option<PathBuf>,
    /// Draw the ROC curve
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Draw what probabilities said against what was
    #[arg(long, value_name = "FILE")]
    reliability: Option<PathBuf>,
    /// Write a page with figures and plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// What counts as spam [default: the share of spam among what was trained with]
    #[arg(long, value_name = "P")]
    threshold: Option<f64>,
    /// Print the figures as JSON, a line a model or a technique
    #[arg(long)]
    json: bool,
}

/// Whose opinion is measured; without any, that of the model that comes with criba.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
struct Way {
    /// The model to judge with; may be given several times, to compare
    #[arg(long, value_name = "MODEL")]
    model: Vec<PathBuf>,
    /// Train on all but one of N parts and judge that one, N times: message i of each class is in part i mod N
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..))]
    folds: Option<u16>,
    /// Train on the first messages of each class, judge the last PERCENT: past and future, where the names are in order of time
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..100))]
    holdout: Option<u8>,
    /// Judge each message before it is learned, one after another in order
    #[arg(long)]
    online: bool,
}

/// Where a model abstains it knows nothing: in the middle.
const ABSTAINED: f64 = 0.5;

/// The figures of an evaluation; rates in percent.
#[derive(Debug, Serialize)]
struct Figures {
    name: String,
    spam: usize,
    ham: usize,
    unreadable: usize,
    abstained: usize,
    one_minus_auc: f64,
    ham_lost_at_1_spam_missed: f64,
    ham_lost_at_0_1_spam_missed: f64,
    spam_missed_at_1_ham_lost: f64,
    spam_missed_at_0_1_ham_lost: f64,
    threshold: f64,
    ham_lost: usize,
    spam_missed: usize,
    lam: f64,
}

/// Runs the command.
///
/// # Errors
/// Mail or model cannot be read, a class is missing, or an output cannot be written.
pub fn run(args: Args) -> Result<(), Failure> {
    if let Some(folder) = &args.pictures.pictures {
        return pictures::run(&args.pictures, folder, args.json);
    }
    let counted = count::count(&args.spam, &args.ham, &Memory::default(), Keep::Inputs)?;
    let (how, judged) = args.way.judge(&counted)?;
    let mut models: Vec<(String, Metrics)> = Vec::new();
    let mut all = Vec::new();
    for (number, (name, opinions)) in judged.into_iter().enumerate() {
        let judged = opinions.judged.iter().filter_map(|&row| Some((row, *opinions.of_rows.get(row)?)));
        let scores: Vec<(usize, f64, bool)> = judged
            .map(|(row, opinion)| (row, opinion.unwrap_or(ABSTAINED), counted.corpus.is_spam(row)))
            .collect();
        let pairs: Vec<(f64, bool)> = scores.iter().map(|&(_, score, spam)| (score, spam)).collect();
        let Some(metrics) = Metrics::new(&pairs) else {
            return Err(Failure::data("there is no spam or no ham to judge"));
        };
        if let Some(path) = args.scores.as_ref().filter(|_| number == 0) {
            write_scores(path, &counted, &scores)?;
        }
        let rows = opinions.judged.iter().filter_map(|&row| opinions.of_rows.get(row));
        let abstained = rows.filter(|opinion| opinion.is_none()).count();
        // Four digits say which it is.
        let threshold = args.threshold.unwrap_or((opinions.share * 1e4).round() / 1e4);
        all.push(figures(name.clone(), &metrics, &counted, abstained, threshold));
        models.push((name, metrics));
    }
    write_plots(&args, &how, &models, &all)?;
    all.iter().try_for_each(|figures| print(figures, args.json))
}

impl Way {
    /// What was done, in words; and the opinions of each model under its name.
    fn judge(&self, counted: &Counted) -> Result<(String, Vec<(String, Opinions)>), Failure> {
        let corpus = &counted.corpus;
        let (how, name, opinions) = if let Some(folds) = self.folds {
            let how = format!("{folds} folds: each part judged by a model of the others");
            (how, format!("{folds} folds"), judge::by_folds(corpus, folds.into()))
        } else if let Some(percent) = self.holdout {
            let how = format!("trained with what came first, judged the last {percent} percent");
            (how, format!("holdout {percent}%"), judge::by_holdout(corpus, percent.into()))
        } else if self.online {
            let how = "online: each message judged by what was learned of those before it".to_owned();
            (how, "online".to_owned(), Ok(judge::online(corpus)))
        } else {
            let mut judged = Vec::new();
            for path in self.model.iter().map(|path| Some(path.as_path())).chain(
                // The one that comes with criba, where none is named.
                self.model.is_empty().then_some(None),
            ) {
                let name = path.map_or_else(|| "default".to_owned(), |path| path.display().to_string());
                judged.push((name, judge::by_model(corpus, &open(path)?)));
            }
            return Ok(("models that were there".to_owned(), judged));
        };
        Ok((how, vec![(name, opinions.map_err(Failure::data)?)]))
    }
}

fn write_plots(
    args: &Args,
    how: &str,
    models: &[(String, Metrics)],
    figures: &[Figures],
) -> Result<(), Failure> {
    let save = |path: &Path, text: &str| fs::write(path, text).map_err(|error| cannot_create(path, error));
    if let Some(path) = &args.svg {
        save(path, &plots::roc(models).map_err(Failure::software)?)?;
    }
    if let Some(path) = &args.reliability {
        save(path, &plots::reliability(models).map_err(Failure::software)?)?;
    }
    if let Some(path) = &args.html {
        let roc = plots::roc(models).map_err(Failure::software)?;
        let reliability = plots::reliability(models).map_err(Failure::software)?;
        save(path, &report::page(figures, how, &roc, &reliability))?;
    }
    Ok(())
}

fn open(path: Option<&Path>) -> Result<Model, Failure> {
    match path {
        Some(path) => Model::open(path).map_err(|error| match error {
            Error::Io(_) => Failure::no_input(format!("{}: {error}", path.display())),
            _ => Failure::data(format!("{}: {error}", path.display())),
        }),
        None => engine::default_model().map_err(Failure::data),
    }
}

fn figures(name: String, metrics: &Metrics, counted: &Counted, abstained: usize, threshold: f64) -> Figures {
    let (spam, ham) = metrics.messages();
    let (ham_lost, spam_missed) = metrics.errors(threshold);
    Figures {
        name,
        spam,
        ham,
        unreadable: counted.unreadable,
        abstained,
        one_minus_auc: metrics.area_above(),
        ham_lost_at_1_spam_missed: metrics.ham_lost_at(1.0),
        ham_lost_at_0_1_spam_missed: metrics.ham_lost_at(0.1),
        spam_missed_at_1_ham_lost: metrics.spam_missed_at(1.0),
        spam_missed_at_0_1_ham_lost: metrics.spam_missed_at(0.1),
        threshold,
        ham_lost,
        spam_missed,
        lam: metrics.lam(threshold),
    }
}

fn print(figures: &Figures, json: bool) -> Result<(), Failure> {
    if json {
        let line = simd_json::to_string(figures).map_err(Failure::software)?;
        println!("{line}");
        return Ok(());
    }
    let Figures { spam, ham, unreadable, abstained, threshold, ham_lost, spam_missed, lam, .. } = figures;
    println!("{}:", figures.name);
    println!("{spam} spam and {ham} ham; {unreadable} unreadable, {abstained} without an opinion");
    println!("1-AUC                          {:8.4} %", figures.one_minus_auc);
    println!("ham lost at   1% spam missed   {:8.3} %", figures.ham_lost_at_1_spam_missed);
    println!("ham lost at 0.1% spam missed   {:8.3} %", figures.ham_lost_at_0_1_spam_missed);
    println!("spam missed at   1% ham lost   {:8.3} %", figures.spam_missed_at_1_ham_lost);
    println!("spam missed at 0.1% ham lost   {:8.3} %", figures.spam_missed_at_0_1_ham_lost);
    println!("at {threshold}: {ham_lost} ham lost, {spam_missed} spam missed, LAM {lam:.3} %");
    Ok(())
}

fn write_scores(path: &Path, counted: &Counted, scores: &[(usize, f64, bool)]) -> Result<(), Failure> {
    let mut text = String::new();
    for &(row, score, is_spam) in scores {
        let Some(input) = counted.inputs.get(row) else { continue };
        let label = if is_spam { "spam" } else { "ham" };
        // `{}` of a float is the shortest text that reads back to the same number.
        writeln!(text, "{label} {score} {}", input.name()).map_err(Failure::software)?;
    }
    fs::write(path, text).map_err(|error| cannot_create(path, error))
}

fn cannot_create(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::cannot_create(format!("{}: {error}", path.display()))
}
