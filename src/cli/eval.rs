//! `criba eval`: how well a model tells spam from ham.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use plotters::prelude::*;
use rayon::prelude::*;
use serde::Serialize;

use super::{
    count::{self, Counted},
    failure::Failure,
};
use crate::{
    bayes::{Corpus, Error, Model, Options, metrics::Metrics},
    engine,
};

/// Options of `criba eval`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Spam: files, directories, maildirs, mbox files; may be given several times
    #[arg(long, required = true, value_name = "PATH")]
    spam: Vec<PathBuf>,
    /// Ham, likewise
    #[arg(long, required = true, value_name = "PATH")]
    ham: Vec<PathBuf>,
    /// The model to judge with; without it, and without --folds, the one that comes with criba
    #[arg(long, value_name = "MODEL", conflicts_with = "folds")]
    model: Option<PathBuf>,
    /// Train on all but one of N parts and judge that one, N times: message i of each class is in part i mod N
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..))]
    folds: Option<u16>,
    /// Write a line `label score file` for each message
    #[arg(long, value_name = "FILE")]
    scores: Option<PathBuf>,
    /// Draw the ROC curve
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// What counts as spam
    #[arg(long, value_name = "P", default_value_t = 0.5)]
    threshold: f64,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

/// Where a model abstains it knows nothing: in the middle.
const ABSTAINED: f64 = 0.5;

/// The figures of an evaluation; rates in percent.
#[derive(Debug, Serialize)]
struct Figures {
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
    let counted = count::count(&args.spam, &args.ham)?;
    let opinions = match args.folds {
        Some(folds) => judge_folds(&counted.corpus, usize::from(folds))?,
        None => {
            let model = open(args.model.as_deref())?;
            let rows = 0..counted.corpus.len();
            rows.into_par_iter().map(|row| model.judge_row(&counted.corpus, row)).collect()
        }
    };
    let scores: Vec<(f64, bool)> = opinions
        .iter()
        .enumerate()
        .map(|(row, opinion)| (opinion.unwrap_or(ABSTAINED), counted.corpus.is_spam(row)))
        .collect();
    let Some(metrics) = Metrics::new(&scores) else {
        return Err(Failure::data("there is no spam or no ham to judge"));
    };
    if let Some(path) = &args.scores {
        write_scores(path, &counted, &scores)?;
    }
    if let Some(path) = &args.svg {
        draw(path, &metrics).map_err(|error| cannot_create(path, error))?;
    }
    let abstained = opinions.iter().filter(|opinion| opinion.is_none()).count();
    print(&figures(&metrics, &counted, abstained, args.threshold), args.json)
}

/// Messages by their rows, and their probabilities.
type Judged = Vec<(usize, Option<f64>)>;

/// Judges every message by a model that was trained without its part.
fn judge_folds(corpus: &Corpus, folds: usize) -> Result<Vec<Option<f64>>, Failure> {
    let fold_of = corpus.deal(folds);
    let bar = count::progress(folds as u64, "folds");
    let judged: Result<Vec<Judged>, Error> = (0..folds)
        .into_par_iter()
        .map(|fold| {
            let is_in = |row: usize| fold_of.get(row) == Some(&fold);
            let mut seen = corpus.select(|row| !is_in(row));
            let (model, _) = seen.build(&Options::default())?;
            bar.inc(1);
            let rows = (0..corpus.len()).filter(|&row| is_in(row));
            Ok(rows.map(|row| (row, model.judge_row(corpus, row))).collect())
        })
        .collect();
    bar.finish_and_clear();
    let mut opinions = vec![None; corpus.len()];
    for (row, opinion) in judged.map_err(Failure::data)?.into_iter().flatten() {
        if let Some(slot) = opinions.get_mut(row) {
            *slot = opinion;
        }
    }
    Ok(opinions)
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

fn figures(metrics: &Metrics, counted: &Counted, abstained: usize, threshold: f64) -> Figures {
    let (spam, ham) = metrics.messages();
    let (ham_lost, spam_missed) = metrics.errors(threshold);
    Figures {
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
    println!("{spam} spam and {ham} ham; {unreadable} unreadable, {abstained} without an opinion");
    println!("1-AUC                          {:8.4} %", figures.one_minus_auc);
    println!("ham lost at   1% spam missed   {:8.3} %", figures.ham_lost_at_1_spam_missed);
    println!("ham lost at 0.1% spam missed   {:8.3} %", figures.ham_lost_at_0_1_spam_missed);
    println!("spam missed at   1% ham lost   {:8.3} %", figures.spam_missed_at_1_ham_lost);
    println!("spam missed at 0.1% ham lost   {:8.3} %", figures.spam_missed_at_0_1_ham_lost);
    println!("at {threshold}: {ham_lost} ham lost, {spam_missed} spam missed, LAM {lam:.3} %");
    Ok(())
}

fn write_scores(path: &Path, counted: &Counted, scores: &[(f64, bool)]) -> Result<(), Failure> {
    let mut text = String::new();
    for ((score, is_spam), input) in scores.iter().zip(&counted.inputs) {
        let label = if *is_spam { "spam" } else { "ham" };
        // `{}` of a float is the shortest text that reads back to the same number.
        writeln!(text, "{label} {score} {}", input.name()).map_err(Failure::software)?;
    }
    fs::write(path, text).map_err(|error| cannot_create(path, error))
}

fn cannot_create(path: &Path, error: impl std::fmt::Display) -> Failure {
    Failure::cannot_create(format!("{}: {error}", path.display()))
}

/// The ROC curve on logarithmic axes, as most of it lies below one percent.
fn draw(path: &Path, metrics: &Metrics) -> Result<(), Box<dyn std::error::Error>> {
    let (spam, ham) = metrics.messages();
    // Zero has no place on a logarithmic axis: half of one message stands for none.
    let least = [50.0 / ham as f64, 50.0 / spam as f64];
    let points = metrics
        .curve()
        .into_iter()
        .map(|point| ((100.0 * point.ham_lost).max(least[0]), (100.0 * point.spam_missed).max(least[1])));
    let area = SVGBackend::new(path, (640, 480)).into_drawing_area();
    area.fill(&WHITE)?;
    let title = format!("1-AUC {:.4} %", metrics.area_above());
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 18))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d((least[0]..100.0).log_scale(), (least[1]..100.0).log_scale())?;
    chart.configure_mesh().x_desc("ham lost, %").y_desc("spam missed, %").draw()?;
    chart.draw_series(LineSeries::new(points, BLUE.stroke_width(2)))?;
    area.present()?;
    Ok(())
}
