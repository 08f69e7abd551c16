//! Learns the weights: logistic regression over all tokens, in passes with AdaGrad's step sizes.
//!
//! Everything is done in an order that follows from the messages themselves and from fixed seeds, and each
//! fit is one thread's work, so that the same messages give the same bytes on any number of cores.

use rayon::prelude::*;

use super::{
    Error,
    corpus::Corpus,
    hash::mix,
    model::{Calibration, Learned, length_factor},
};

/// How to learn. The defaults are what won on folds; see ARCHITECTURE.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Step size of the first update of a weight.
    pub rate: f32,
    /// Passes over the messages.
    pub passes: u32,
    /// Tokens that stand in fewer messages are left out.
    pub rarest: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options { rate: 2.0, passes: 3, rarest: 2 }
    }
}

/// Parts that the messages are dealt into, to score each by a model that has not seen it.
const FOLDS: usize = 4;

/// What came out, and how well each message is told by a model that has not seen it.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub learned: Learned,
    /// Probability and class (spam is true), in the order of the corpus.
    pub unseen: Vec<(f64, bool)>,
}

/// Messages as rows of small numbers, one for each token that is frequent enough.
struct Matrix {
    /// The fingerprint behind each number, rising.
    fingerprints: Vec<u64>,
    numbers: Vec<u32>,
    /// Where each row ends in `numbers`.
    ends: Vec<usize>,
    spam: Vec<bool>,
}

/// A weight and the sum of the squared gradients it has seen: side by side, as they are used together.
type Weight = [f32; 2];

#[derive(Clone, Debug)]
struct Fit {
    weights: Vec<Weight>,
    bias: Weight,
}

/// Learns from `corpus`.
///
/// # Errors
/// There is no spam or no ham in it.
pub(super) fn learn(corpus: &Corpus, options: &Options) -> Result<Outcome, Error> {
    let (spam, ham) = corpus.classes();
    if spam == 0 || ham == 0 {
        return Err(Error::OneSided { spam, ham });
    }
    let matrix = Matrix::new(corpus, options.rarest);
    let rows: Vec<u32> = (0..matrix.spam.len() as u32).collect();
    let folds = corpus.deal(FOLDS);
    let (fit, scores) = rayon::join(
        || Fit::new(&matrix, &rows, options),
        || {
            let unseen: Vec<Vec<(u32, f64)>> = (0..FOLDS)
                .into_par_iter()
                .map(|fold| {
                    let is_in = |row: &&u32| folds.get(**row as usize) == Some(&fold);
                    let seen: Vec<u32> = rows.iter().filter(|row| !is_in(row)).copied().collect();
                    let fit = Fit::new(&matrix, &seen, options);
                    rows.iter().filter(is_in).map(|&row| (row, fit.score(matrix.row(row)))).collect()
                })
                .collect();
            let mut scores = vec![0.0; rows.len()];
            for (row, score) in unseen.into_iter().flatten() {
                scores[row as usize] = score;
            }
            scores
        },
    );
    let calibration = calibrate(&scores, &matrix.spam);
    let unseen =
        scores.iter().map(|&score| calibration.probability(score)).zip(matrix.spam.iter().copied()).collect();
    let weights = matrix.fingerprints.iter().zip(&fit.weights).map(|(&f, w)| (f, w[0])).collect();
    let learned = Learned { spam, ham, bias: fit.bias[0], calibration, weights };
    Ok(Outcome { learned, unseen })
}

impl Matrix {
    fn new(corpus: &Corpus, rarest: u32) -> Matrix {
        let mut all: Vec<u64> = corpus.rows().flat_map(|(_, fingerprints)| fingerprints).copied().collect();
        all.par_sort_unstable();
        let fingerprints: Vec<u64> = all
            .chunk_by(|a, b| a == b)
            .filter(|same| same.len() >= rarest as usize)
            .filter_map(|same| same.first().copied())
            .collect();
        drop(all);
        let index = Index::new(&fingerprints);
        let rows: Vec<Vec<u32>> = corpus
            .par_rows()
            .map(|(_, row)| row.iter().filter_map(|&fingerprint| index.find(fingerprint)).collect())
            .collect();
        let mut ends = Vec::with_capacity(rows.len());
        let mut numbers = Vec::with_capacity(rows.iter().map(Vec::len).sum());
        for row in &rows {
            numbers.extend_from_slice(row);
            ends.push(numbers.len());
        }
        Matrix { fingerprints, numbers, ends, spam: corpus.rows().map(|(row, _)| row.spam).collect() }
    }

    fn row(&self, row: u32) -> &[u32] {
        let row = row as usize;
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(row).and_then(|&end| self.numbers.get(start..end)).unwrap_or_default()
    }
}

/// Finds the number of a fingerprint: where it stands among the sorted ones, by a table over its upper bits.
struct Index<'a> {
    fingerprints: &'a [u64],
    starts: Vec<u32>,
    shift: u32,
}

impl<'a> Index<'a> {
    fn new(fingerprints: &'a [u64]) -> Index<'a> {
        let bits = (usize::BITS - fingerprints.len().leading_zeros()).clamp(1, 28);
        let shift = u64::BITS - bits;
        let mut starts = vec![0u32; (1 << bits) + 1];
        for &fingerprint in fingerprints {
            starts[(fingerprint >> shift) as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Index { fingerprints, starts, shift }
    }

    fn find(&self, fingerprint: u64) -> Option<u32> {
        let bucket = (fingerprint >> self.shift) as usize;
        let (start, end) = (*self.starts.get(bucket)?, *self.starts.get(bucket + 1)?);
        let same = self.fingerprints.get(start as usize..end as usize)?;
        same.iter().position(|&found| found == fingerprint).map(|at| start + at as u32)
    }
}

impl Fit {
    fn new(matrix: &Matrix, rows: &[u32], options: &Options) -> Fit {
        // The small start keeps a weight's first step from being as long as all later ones together.
        let mut fit = Fit { weights: vec![[0.0, 0.01]; matrix.fingerprints.len()], bias: [0.0, 1.0] };
        let mut order = rows.to_vec();
        for pass in 0..options.passes {
            shuffle(&mut order, u64::from(pass));
            for &row in &order {
                let is_spam = matrix.spam.get(row as usize).copied().unwrap_or_default();
                fit.update(matrix.row(row), is_spam, options.rate);
            }
        }
        fit
    }

    fn score(&self, row: &[u32]) -> f64 {
        let sum: f32 = row.iter().filter_map(|&n| self.weights.get(n as usize)).map(|w| w[0]).sum();
        f64::from(sum) * length_factor(row.len()) + f64::from(self.bias[0])
    }

    fn update(&mut self, row: &[u32], is_spam: bool, rate: f32) {
        if row.is_empty() {
            return;
        }
        let probability = 1.0 / (1.0 + (-self.score(row)).exp());
        let error = (probability - f64::from(u8::from(is_spam))) as f32;
        self.bias[0] -= 0.1 * rate * error / self.bias[1].sqrt();
        self.bias[1] += error * error;
        let gradient = error * length_factor(row.len()) as f32;
        let square = gradient * gradient;
        for &number in row {
            if let Some(weight) = self.weights.get_mut(number as usize) {
                weight[1] += square;
                weight[0] -= rate * gradient / weight[1].sqrt();
            }
        }
    }
}

/// Fisher and Yates, with a fixed generator.
fn shuffle(order: &mut [u32], seed: u64) {
    for last in (1..order.len()).rev() {
        let random = mix(seed.wrapping_add(1), last as u64);
        order.swap(last, ((u128::from(random) * (last as u128 + 1)) >> 64) as usize);
    }
}

/// Platt's scaling: the slope and offset under which the scores of unseen messages are likeliest.
fn calibrate(scores: &[f64], spam: &[bool]) -> Calibration {
    let count = |class: bool| spam.iter().filter(|&&is_spam| is_spam == class).count() as f64;
    let (spams, hams) = (count(true), count(false));
    // Platt's targets: as sure as so many examples allow.
    let targets = [1.0 / (hams + 2.0), (spams + 1.0) / (spams + 2.0)];
    let (mut slope, mut offset) = (1.0f64, 0.0f64);
    for _ in 0..50 {
        // A little ridge keeps the step finite where all scores are equal.
        let (mut gs, mut go, mut hss, mut hso, mut hoo) =
            (1e-3 * (slope - 1.0), 1e-3 * offset, 1e-3, 0.0, 1e-3);
        for (&score, &is_spam) in scores.iter().zip(spam) {
            let p = 1.0 / (1.0 + (-(slope * score + offset)).exp());
            let error = p - targets[usize::from(is_spam)];
            let weight = (p * (1.0 - p)).max(1e-9);
            gs += error * score;
            go += error;
            hss += weight * score * score;
            hso += weight * score;
            hoo += weight;
        }
        let determinant = hss * hoo - hso * hso;
        let (ds, d_o) = ((gs * hoo - go * hso) / determinant, (go * hss - gs * hso) / determinant);
        // Far from the answer a full step may overshoot.
        slope -= ds.clamp(-1.0, 1.0);
        offset -= d_o.clamp(-1.0, 1.0);
        if ds.abs() + d_o.abs() < 1e-9 {
            break;
        }
    }
    let doubt = 0.5 / (spams + hams + 1.0);
    // A slope at or below zero would turn the ranks around: then the scores say nothing.
    Calibration { slope: slope.max(1e-3) as f32, offset: offset as f32, doubt: doubt as f32 }
}
