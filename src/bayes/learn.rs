//! Learns the weights: logistic regression that begins where naive Bayes ends.
//!
//! Counting gives every token a first weight: the log-odds of naive Bayes, shrunk, as tokens of a message are far
//! from independent. A pass over the messages in one order then corrects the weights by AdaGrad's steps
//! (Duchi, Hazan and Singer 2011), wherever a message is not yet told by a wide enough margin. Each message is judged as if
//! it had not been counted: tokens that it alone has say nothing of it, and would seem to know everything. The outcomes of several orders are averaged.
//!
//! What stands in the header section and what stands in the body are learned apart, and their scores added:
//! learned together, the many tokens of the body would do all the work and the few of the header would never
//! get the weight that they deserve. The messages are passed over in three orders, of which
//! one begins near naive Bayes and one far from it: their mean is better than any of them.
//!
//! Every pass is one thread's work in an order that follows from the messages themselves and a fixed seed, so
//! the same messages give the same bytes on any number of cores.

use rayon::prelude::*;

use super::{
    Error,
    corpus::Corpus,
    hash::mix,
    matrix::{Counts, Matrix},
    model::{Calibration, Learned, length_factor},
};

/// How to learn. The defaults are what won on folds; see ARCHITECTURE.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The first step of a weight is about as long as this.
    pub rate: f32,
    /// Tokens that stand in fewer messages are left out.
    pub rarest: u32,
    /// For each order in which the messages are passed over the share of naive Bayes' log-odds that the weights begin
    /// with.
    pub priors: [f32; 3],
    /// A message that is told with a probability so close to its class teaches nothing.
    pub margin: f32,
}

impl Default for Options {
    fn default() -> Options {
        Options { rate: 1.2, rarest: 1, priors: [0.5, 0.3, 0.1], margin: 0.02 }
    }
}

/// What came out, and how each message was told while the model had not seen it.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    pub learned: Learned,
    /// Probability and class (spam is true), in the order of the corpus; without the few that every order
    /// had among its first.
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
    let classes: Vec<bool> = corpus.rows().iter().map(|row| row.spam).collect();
    let mut learned = Learned { spam, ham, ..Learned::default() };
    let mut scores: Vec<Option<f64>> = vec![Some(0.0); classes.len()];
    let views = Matrix::of_views(corpus, options.rarest)?;
    learned.weights.reserve(views.iter().map(Matrix::len).sum());
    for matrix in views {
        let start = Start::new(&matrix, &classes);
        let orders = options.priors.par_iter().enumerate();
        let passes: Vec<Pass> = orders
            .map(|(order, &prior)| Pass::new(&matrix, &start, &classes, order as u64, prior, options))
            .collect();
        for (row, score) in scores.iter_mut().enumerate() {
            let late = passes.iter().filter_map(|pass| pass.unseen.get(row).copied().flatten());
            let (sum, count) = late.fold((0.0, 0), |(sum, count), score| (sum + f64::from(score), count + 1));
            *score = score.filter(|_| count > 0).map(|score| score + sum / f64::from(count));
        }
        let share = 1.0 / passes.len() as f32;
        learned.bias += passes.iter().map(|pass| pass.bias).sum::<f32>() * share;
        let mut weights = vec![0.0f32; matrix.counts.len()];
        for pass in &passes {
            for (weight, more) in weights.iter_mut().zip(&pass.weights) {
                *weight += more;
            }
        }
        weights.iter_mut().for_each(|weight| *weight *= share);
        learned.weights.extend(matrix.tokens().map(|(fingerprint, number)| (fingerprint, weights[number])));
    }
    let seen_late = scores.iter().zip(&classes).filter_map(|(score, &spam)| Some(((*score)?, spam)));
    let (scores, classes): (Vec<f64>, Vec<bool>) = seen_late.unzip();
    learned.calibration = calibrate(&scores, &classes, (spam + ham) as f64);
    let probabilities = scores.iter().map(|&score| learned.calibration.probability(score));
    let unseen = probabilities.zip(classes.iter().copied()).collect();
    Ok(Outcome { learned, unseen })
}

/// Naive Bayes' weight of a token that stands in so many messages of spam and of ham, of so many that there are.
pub(super) fn log_odds(with: [f32; 2], of: [f32; 2]) -> f32 {
    let rate = |with: f32, of: f32| (with + SMOOTHING) / (of + 2.0 * SMOOTHING);
    let ([in_spam, in_ham], [spam, ham]) = (with, of);
    (rate(in_spam, spam) / rate(in_ham, ham)).ln()
}

/// What counting alone says.
struct Start {
    /// Naive Bayes' weight of each token.
    weights: Vec<f32>,
    /// What the score of each row has to be corrected by so that the row itself was not counted.
    corrections: Vec<f32>,
}

/// Naive Bayes' weights by counts.
struct Few {
    messages: [f32; 2],
    known: [[f32; FEW]; FEW],
}

/// Counts below this are few.
const FEW: usize = 8;

impl Few {
    /// Of so many messages of spam and of ham.
    fn new(messages: [f32; 2]) -> Few {
        let weight = |spam, ham| log_odds([spam as f32, ham as f32], messages);
        Few { messages, known: std::array::from_fn(|spam| std::array::from_fn(|ham| weight(spam, ham))) }
    }

    fn of(&self, counts: Counts) -> f32 {
        let known = self.known.get(counts[0] as usize).and_then(|known| known.get(counts[1] as usize));
        known.copied().unwrap_or_else(|| log_odds(counts.map(|count| count as f32), self.messages))
    }
}

/// A token is thought to have been in so many messages more of each class.
const SMOOTHING: f32 = 0.1;

impl Start {
    fn new(matrix: &Matrix, classes: &[bool]) -> Start {
        let spam = classes.iter().filter(|&&spam| spam).count() as f32;
        let ham = classes.len() as f32 - spam;
        // Most tokens are rare: their logarithms are the same few.
        let weight = Few::new([spam, ham]);
        let weights: Vec<f32> = matrix.counts.par_iter().map(|&counts| weight.of(counts)).collect();
        // Without one message of ham, and of spam.
        let changes = [[0, 1], [1, 0]].map(|without: Counts| -> Vec<f32> {
            let [of_spam, of_ham] = without.map(|count| count as f32);
            let changed = Few::new([spam - of_spam, ham - of_ham]);
            let change = |(&[in_spam, in_ham], weight): (&Counts, &f32)| {
                let [of_spam, of_ham] = without;
                changed.of([in_spam.saturating_sub(of_spam), in_ham.saturating_sub(of_ham)]) - weight
            };
            matrix.common().par_iter().zip(&weights).map(change).collect()
        });
        let correction = |(row, &is_spam): (usize, &bool)| {
            let common = matrix.row(row).common();
            sum(&changes[usize::from(is_spam)], common) * length_factor(common.len()) as f32
        };
        let corrections = classes.par_iter().enumerate().map(|(row, spam)| correction((row, spam))).collect();
        Start { weights, corrections }
    }
}

/// What one pass over the messages learned.
struct Pass {
    weights: Vec<f32>,
    bias: f32,
    /// The score of each message just before it was learned, where that was in the later half of the pass.
    unseen: Vec<Option<f32>>,
}

/// So small that a weight's first step is as long as `rate` says, however small its gradient: what a rare
/// token says is taken at its word.
const FIRST_GRADIENTS: f32 = 0.001;
/// The bias moves with a tenth of the rate.
const BIAS_RATE: f32 = 0.1;

impl Pass {
    fn new(
        matrix: &Matrix,
        start: &Start,
        classes: &[bool],
        seed: u64,
        prior: f32,
        options: &Options,
    ) -> Pass {
        let mut learner = Learner {
            matrix,
            start,
            classes,
            options,
            prior,
            weights: start.weights.iter().map(|weight| prior * weight).collect(),
            squares: vec![FIRST_GRADIENTS; start.weights.len()],
            bias: 0.0,
            bias_squares: 1.0,
        };
        let mut unseen = vec![None; classes.len()];
        let order = shuffled(classes.len(), seed);
        let mut taught = Vec::new();
        for (position, number) in order.iter().map(|&number| number as usize).enumerate() {
            let (score, learned) = learner.look_at(number);
            if learned {
                taught.push(number);
            }
            if position >= order.len() / 2
                && let Some(slot) = unseen.get_mut(number)
            {
                *slot = Some(score);
            }
        }
        // What was not told well enough is few, and looked at once more.
        for number in taught {
            learner.look_at(number);
        }
        Pass { weights: learner.weights, bias: learner.bias, unseen }
    }
}

/// The weights while they change.
struct Learner<'a> {
    matrix: &'a Matrix,
    start: &'a Start,
    classes: &'a [bool],
    options: &'a Options,
    prior: f32,
    weights: Vec<f32>,
    /// The sum of the squared gradients that each weight has seen. Apart from the weights, as most rows are
    /// only judged.
    squares: Vec<f32>,
    bias: f32,
    bias_squares: f32,
}

impl Learner<'_> {
    /// Judges a message, and learns of it if it was not told by a wide enough margin: the score before that, and
    /// whether anything was learned.
    fn look_at(&mut self, number: usize) -> (f32, bool) {
        let rate = self.options.rate;
        let row = self.matrix.row(number);
        let common = row.common();
        let factor = length_factor(common.len()) as f32;
        let correction = self.start.corrections.get(number).copied().unwrap_or_default();
        let class = f32::from(u8::from(self.classes.get(number).copied().unwrap_or_default()));
        let score = sum(&self.weights, common) * factor + self.bias + self.prior * correction;
        let error = 1.0 / (1.0 + (-score).exp()) - class;
        if row.all.is_empty() || error.abs() < self.options.margin {
            return (score, false);
        }
        self.bias -= BIAS_RATE * rate * error / self.bias_squares.sqrt();
        self.bias_squares += error * error;
        let gradient = error * factor;
        let (step, growth) = (rate * gradient, gradient * gradient);
        for token in row.all.iter().map(|&token| token as usize) {
            if let (Some(weight), Some(squares)) = (self.weights.get_mut(token), self.squares.get_mut(token))
            {
                *squares += growth;
                *weight -= step / squares.sqrt();
            }
        }
        (score, true)
    }
}

/// The sum of the weights of a row, in lanes: one addition need not wait for the one before.
fn sum(weights: &[f32], row: &[u32]) -> f32 {
    const LANES: usize = 8;
    let weight = |&token: &u32| weights.get(token as usize).copied().unwrap_or_default();
    let mut lanes = [0.0f32; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for (lane, token) in lanes.iter_mut().zip(chunk) {
            *lane += weight(token);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(weight).sum::<f32>()
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
fn calibrate(scores: &[f64], spam: &[bool], messages: f64) -> Calibration {
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
    let doubt = 0.5 / (messages + 1.0);
    // A slope at or below zero would turn the ranks around: then the scores say nothing.
    Calibration { slope: slope.max(1e-3) as f32, offset: offset as f32, doubt: doubt as f32 }
}
