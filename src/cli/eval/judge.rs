//! Ways to have every message judged by a model that has not seen it.

use rayon::prelude::*;

use crate::{
    bayes::{Corpus, Error, Model, Online, Options},
    cli::count,
};

/// The probability of each row of a corpus; `None` where the model abstains, or the row was trained with.
pub(super) struct Opinions {
    pub of_rows: Vec<Option<f64>>,
    /// Rows that were judged: all, but for a holdout.
    pub judged: Vec<usize>,
    /// The share of spam among what was trained with. Where a probability is just that, the message says nothing for
    /// either class: lost ham and missed spam weigh the same there, however many there are of each.
    pub share: f64,
}

fn share((spam, ham): (u64, u64)) -> f64 {
    spam as f64 / (spam + ham).max(1) as f64
}

/// By a model that is there.
pub(super) fn by_model(corpus: &Corpus, model: &Model) -> Opinions {
    let rows = 0..corpus.len();
    let of_rows = rows.clone().into_par_iter().map(|row| model.judge_row(corpus, row)).collect();
    Opinions { of_rows, judged: rows.collect(), share: share(model.messages()) }
}

/// Messages by their rows, and their probabilities.
type Judged = Vec<(usize, Option<f64>)>;

fn opinions(corpus: &Corpus, judged: Judged, share: f64) -> Opinions {
    let mut of_rows = vec![None; corpus.len()];
    let mut rows = Vec::with_capacity(judged.len());
    for (row, opinion) in judged {
        if let Some(slot) = of_rows.get_mut(row) {
            *slot = opinion;
            rows.push(row);
        }
    }
    rows.sort_unstable();
    Opinions { of_rows, judged: rows, share }
}

/// Judges every message by a model that was trained without its part.
pub(super) fn by_folds(corpus: &Corpus, folds: usize) -> Result<Opinions, Error> {
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
    Ok(opinions(corpus, judged?.into_iter().flatten().collect(), share(corpus.classes())))
}

/// Trains with the first messages of each class and judges the last `percent` of them.
pub(super) fn by_holdout(corpus: &Corpus, percent: f64) -> Result<Opinions, Error> {
    let order = chronological(corpus);
    let held = (order.len() as f64 * percent / 100.0).round() as usize;
    let (past, future) = order.split_at(order.len().saturating_sub(held));
    let mut is_past = vec![false; corpus.len()];
    past.iter().for_each(|&row| is_past[row] = true);
    let (model, _) = corpus.select(|row| is_past[row]).build(&Options::default())?;
    let judged = future.iter().map(|&row| (row, model.judge_row(corpus, row))).collect();
    Ok(opinions(corpus, judged, share(model.messages())))
}

/// Judges each message by what was learned of those before it, as TREC's spam track does. The messages of each class
/// come in the order of their inputs, the classes evenly mixed.
pub(super) fn online(corpus: &Corpus) -> Opinions {
    let order = chronological(corpus);
    let bar = count::progress(order.len() as u64, "messages");
    let mut filter = Online::default();
    let judged = order.iter().map(|&row| {
        let opinion = filter.judge_row(corpus, row);
        filter.learn_row(corpus, row);
        bar.inc(1);
        (row, opinion)
    });
    let judged = judged.collect();
    bar.finish_and_clear();
    opinions(corpus, judged, share(corpus.classes()))
}

/// The rows with both classes evenly mixed, each in its order.
fn chronological(corpus: &Corpus) -> Vec<usize> {
    let (spam, ham) = corpus.classes();
    let mut before = [0u64; 2];
    let mut order: Vec<(u128, usize)> = (0..corpus.len())
        .map(|row| {
            let class = usize::from(corpus.is_spam(row));
            before[class] += 1;
            // Where it stands in its class, as a share of the other's length: a fraction without division.
            let others = if class == 1 { ham } else { spam };
            (u128::from(before[class]) * u128::from(others.max(1)), row)
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, row)| row).collect()
}
