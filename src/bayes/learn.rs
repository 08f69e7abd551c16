//! Learns the weights: logistic regression in one pass over the messages with AdaGrad's step sizes, done in
//! several orders and averaged.
//!
//! What stands in the header section and what stands in the body are learned apart, and their scores added:
//! learned together, the many tokens of the body would do all the work and the few of the header would never
//! get the weight that they deserve.
//!
//! Every pass is one thread's work in an order that follows from the messages themselves and a fixed seed, so
//! the same messages give the same bytes on any number of cores.

use rayon::prelude::*;

use super::{
    Error,
    corpus::Corpus,
    hash::{VIEWS, mix, view_of},
    model::{Calibration, Learned, length_factor},
};

/// How to learn. The defaults are what won on folds; see ARCHITECTURE.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The first step of a weight is about as long as this.
    pub rate: f32,
    /// Orders in which the messages are passed over.
    pub orders: u32,
    /// Tokens that stand in fewer messages are left out.
    pub rarest: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options { rate: 2.0, orders: 16, rarest: 2 }
    }
}

/// What came out, and how each message was told while the model had not seen it.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub learned: Learned,
    /// Probability and class (spam is true), in the order of the corpus.
    pub unseen: Vec<(f64, bool)>,
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
    let classes: Vec<bool> = corpus.rows().map(|(row, _)| row.spam).collect();
    let orders = options.orders.max(1);
    let mut learned = Learned { spam, ham, ..Learned::default() };
    let mut scores = vec![0.0; classes.len()];
    for view in 0..VIEWS {
        let matrix = Matrix::new(corpus, view, options.rarest);
        let passes: Vec<Pass> = (0..orders)
            .into_par_iter()
            .map(|order| Pass::new(&matrix, &classes, u64::from(order), options.rate))
            .collect();
        // Each message was in the later half of about every other pass.
        for (row, score) in scores.iter_mut().enumerate() {
            let late = passes.iter().filter_map(|pass| pass.unseen.get(row).copied().flatten());
            let (sum, count) = late.fold((0.0, 0), |(sum, count), score| (sum + f64::from(score), count + 1));
            *score += sum / f64::from(count.max(1));
        }
        let mean = |of: &dyn Fn(&Pass) -> f32| passes.iter().map(of).sum::<f32>() / orders as f32;
        learned.bias += mean(&|pass| pass.bias);
        learned.weights.extend(matrix.fingerprints.iter().enumerate().map(|(number, &fingerprint)| {
            (fingerprint, mean(&|pass| pass.weights.get(number).copied().unwrap_or_default()))
        }));
    }
    learned.calibration = calibrate(&scores, &classes);
    let probabilities = scores.iter().map(|&score| learned.calibration.probability(score));
    let unseen = probabilities.zip(classes.iter().copied()).collect();
    Ok(Outcome { learned, unseen })
}

/// One view of the messages as rows of small numbers, one for each token that is frequent enough.
struct Matrix {
    /// The fingerprint behind each number, rising.
    fingerprints: Vec<u64>,
    numbers: Vec<u32>,
    /// Where each row ends in `numbers`.
    ends: Vec<usize>,
}

impl Matrix {
    fn new(corpus: &Corpus, view: u64, rarest: u32) -> Matrix {
        let in_view = |fingerprint: &&u64| view_of(**fingerprint) == view;
        let mut all: Vec<u64> =
            corpus.rows().flat_map(|(_, row)| row.iter().filter(in_view)).copied().collect();
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
            .map(|(_, row)| row.iter().filter(in_view).filter_map(|&token| index.find(token)).collect())
            .collect();
        let mut ends = Vec::with_capacity(rows.len());
        let mut numbers = Vec::with_capacity(rows.iter().map(Vec::len).sum());
        for row in &rows {
            numbers.extend_from_slice(row);
            ends.push(numbers.len());
        }
        Matrix { fingerprints, numbers, ends }
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

/// What one pass over the messages learned.
struct Pass {
    weights: Vec<f32>,
    bias: f32,
    /// The score of each message just before it was learned, where that was in the later half of the pass.
    unseen: Vec<Option<f32>>,
}

/// A weight and the sum of the squared gradients it has seen: side by side, as they are used together.
type Weight = [f32; 2];

/// So small that a weight's first step is as long as `rate` says, however small its gradient: what a rare
/// token says is taken at its word.
const FIRST_GRADIENTS: f32 = 0.001;
/// The bias moves with a tenth of the rate.
const BIAS_RATE: f32 = 0.1;

impl Pass {
    fn new(matrix: &Matrix, classes: &[bool], seed: u64, rate: f32) -> Pass {
        let mut weights: Vec<Weight> = vec![[0.0, FIRST_GRADIENTS]; matrix.fingerprints.len()];
        let mut bias: Weight = [0.0, 1.0];
        let mut unseen = vec![None; classes.len()];
        let order = shuffled(classes.len(), seed);
        for (position, &number) in order.iter().enumerate() {
            let row = matrix.row(number);
            let factor = length_factor(row.len()) as f32;
            let sum: f32 = row.iter().filter_map(|&token| weights.get(token as usize)).map(|w| w[0]).sum();
            let score = sum * factor + bias[0];
            let is_spam = classes.get(number as usize).copied().unwrap_or_default();
            if position >= order.len() / 2
                && let Some(slot) = unseen.get_mut(number as usize)
            {
                *slot = Some(score);
            }
            if row.is_empty() {
                continue;
            }
            let error = 1.0 / (1.0 + (-score).exp()) - f32::from(u8::from(is_spam));
            bias[0] -= BIAS_RATE * rate * error / bias[1].sqrt();
            bias[1] += error * error;
            let gradient = error * factor;
            let square = gradient * gradient;
            for &token in row {
                if let Some(weight) = weights.get_mut(token as usize) {
                    weight[1] += square;
                    weight[0] -= rate * gradient / weight[1].sqrt();
                }
            }
        }
        Pass { weights: weights.into_iter().map(|weight| weight[0]).collect(), bias: bias[0], unseen }
    }
}

/// The numbers below `length` in an order of their own for each seed (Fisher and Yates).
fn shuffled(length: usize, seed: u64) -> Vec<u32> {
    let mut order: Vec<u32> = (0..length as u32).collect();
    for last in (1..order.len()).rev() {
        let random = u128::from(mix(seed.wrapping_add(1), last as u64));
        order.swap(last, ((random * (last as u128 + 1)) >> 64) as usize);
    }
    order
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
