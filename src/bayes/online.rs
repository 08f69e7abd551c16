//! A filter that learns message by message: what [`learn`](super::learn) does in passes over a corpus, in one step a
//! message.
//!
//! A weight is a share of naive Bayes' log-odds of the counts so far, and a correction by AdaGrad's steps wherever a
//! message was not told by a wide enough margin; what one view says counts in part for the other one. The calibration
//! moves along: it learns of each score just before its message is learned.

use rustc_hash::FxHashMap;

use super::{
    Corpus, Tokens,
    hash::{VIEWS, view_of},
    learn::log_odds,
    model::MIN_KNOWN,
};

/// The share of naive Bayes' log-odds in a weight.
const PRIOR: f32 = 0.2;
/// The first step of a weight is about as long as this.
const RATE: f32 = 0.4;
/// A message that is told with a probability so close to its class teaches nothing but its counts.
const MARGIN: f32 = 0.02;
const FIRST_GRADIENTS: f32 = 0.001;
const BIAS_RATE: f32 = 0.1 * RATE;
/// The first step of the calibration, and how many messages of each class it waits for.
const CALIBRATION_RATE: f64 = 0.1;
const CALIBRATED_FROM: f32 = 20.0;
/// A view's error is that of its own score and so much of the other view's: what the other one knows need not be learned
/// so hard.
const OTHER: f32 = 0.5;
/// Of a view with few known tokens little is known: they count as so many more that say nothing.
const SILENT: usize = 50;

/// What is known so far.
#[derive(Clone, Debug)]
pub struct Online {
    tokens: FxHashMap<u64, Token>,
    /// Spam, ham.
    messages: [f32; 2],
    views: [View; VIEWS as usize],
    slope: Slow,
    offset: Slow,
}

#[derive(Clone, Copy, Debug)]
struct Token {
    /// Messages of each class that it stands in: spam, ham.
    counts: [f32; 2],
    correction: f32,
    squares: f32,
}

#[derive(Clone, Copy, Debug)]
struct View {
    bias: f32,
    squares: f32,
}

/// A number that moves by AdaGrad's steps.
#[derive(Clone, Copy, Debug)]
struct Slow {
    value: f64,
    squares: f64,
}

impl Slow {
    fn step(&mut self, gradient: f64) {
        self.squares += gradient * gradient;
        self.value -= CALIBRATION_RATE * gradient / self.squares.sqrt();
    }
}

impl Default for Online {
    fn default() -> Online {
        Online {
            tokens: FxHashMap::default(),
            messages: [0.0; 2],
            views: [View { bias: 0.0, squares: 1.0 }; VIEWS as usize],
            slope: Slow { value: 1.0, squares: 1.0 },
            offset: Slow { value: 0.0, squares: 1.0 },
        }
    }
}

/// The score of one view, and what its weights were multiplied with.
#[derive(Clone, Copy, Debug, Default)]
struct Score {
    score: f32,
    factor: f32,
    known: usize,
}

impl Online {
    /// The probability that a message with these tokens is spam; `None` where there was nothing of one class yet, or
    /// next to nothing of the message is known.
    pub fn judge(&self, tokens: &Tokens) -> Option<f64> {
        self.opinion(tokens.fingerprints())
    }

    /// Learns a message.
    pub fn learn(&mut self, tokens: &Tokens, spam: bool) {
        self.take(tokens.fingerprints(), spam);
    }

    /// As [`Online::judge`], for a message of a corpus.
    pub fn judge_row(&self, corpus: &Corpus, index: usize) -> Option<f64> {
        self.opinion(corpus.fingerprints(index))
    }

    /// As [`Online::learn`], for a message of a corpus.
    pub fn learn_row(&mut self, corpus: &Corpus, index: usize) {
        self.take(corpus.fingerprints(index), corpus.is_spam(index));
    }

    pub(super) fn opinion(&self, fingerprints: impl Iterator<Item = u64>) -> Option<f64> {
        let scores = self.scores(fingerprints);
        let known: usize = scores.iter().map(|score| score.known).sum();
        let [spam, ham] = self.messages;
        let abstains = known < MIN_KNOWN || spam.min(ham) < 1.0;
        (!abstains).then(|| self.probability(&scores))
    }

    fn scores(&self, fingerprints: impl Iterator<Item = u64>) -> [Score; VIEWS as usize] {
        let mut scores = [Score::default(); VIEWS as usize];
        for fingerprint in fingerprints {
            if let Some(token) = self.tokens.get(&fingerprint) {
                let score = &mut scores[view_of(fingerprint) as usize];
                score.score += PRIOR * log_odds(token.counts, self.messages) + token.correction;
                score.known += 1;
            }
        }
        for (score, view) in scores.iter_mut().zip(&self.views) {
            score.factor = 1.0 / ((score.known + SILENT) as f32).sqrt();
            score.score = score.score * score.factor + view.bias;
        }
        scores
    }

    /// Never nearer to 0 or 1 than so many messages can support.
    fn probability(&self, scores: &[Score]) -> f64 {
        let score: f64 = scores.iter().map(|score| f64::from(score.score)).sum();
        let odds = (self.slope.value * score + self.offset.value).clamp(-36.0, 36.0);
        let doubt = 0.5 / (f64::from(self.messages[0] + self.messages[1]) + 1.0);
        doubt + (1.0 - 2.0 * doubt) / (1.0 + (-odds).exp())
    }

    pub(super) fn take(&mut self, fingerprints: impl Iterator<Item = u64> + Clone, spam: bool) {
        let scores = self.scores(fingerprints.clone());
        let class = usize::from(!spam);
        if self.messages.iter().all(|&messages| messages >= CALIBRATED_FROM) {
            let score: f64 = scores.iter().map(|score| f64::from(score.score)).sum();
            let error = self.probability(&scores) - f64::from(u8::from(spam));
            self.slope.step(error * score);
            // At or below zero it would turn the ranks around.
            self.slope.value = self.slope.value.max(0.2);
            self.offset.step(error);
        }
        let mut gradients = [0.0; VIEWS as usize];
        let both: f32 = scores.iter().map(|score| score.score).sum();
        for ((gradient, score), view) in gradients.iter_mut().zip(&scores).zip(&mut self.views) {
            let joint = score.score + OTHER * (both - score.score);
            let error = 1.0 / (1.0 + (-joint).exp()) - f32::from(u8::from(spam));
            if error.abs() >= MARGIN {
                view.bias -= BIAS_RATE * error / view.squares.sqrt();
                view.squares += error * error;
                *gradient = error * score.factor;
            }
        }
        self.messages[class] += 1.0;
        for fingerprint in fingerprints {
            let new = Token { counts: [0.0; 2], correction: 0.0, squares: FIRST_GRADIENTS };
            let token = self.tokens.entry(fingerprint).or_insert(new);
            token.counts[class] += 1.0;
            let gradient = gradients[view_of(fingerprint) as usize];
            if gradient != 0.0 {
                token.squares += gradient * gradient;
                token.correction -= RATE * gradient / token.squares.sqrt();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::hash::mix, *};

    fn message(class: u64, number: u64) -> impl Iterator<Item = u64> + Clone {
        let words = move |field: u64, count: u64| {
            (0..count).map(move |n| mix(field, mix(class.wrapping_mul(77) ^ number, n) % 300))
        };
        words(class, 20).chain(words(9, 40))
    }

    #[test]
    fn it_tells_classes_after_a_few_messages_and_never_is_certain() {
        let mut online = Online::default();
        assert_eq!(online.opinion(message(1, 0)), None, "it knows nothing");
        for number in 0..100 {
            online.take(message(1, number), true);
            assert_eq!(online.opinion(message(1, number)).is_some(), number > 0, "no ham before the first");
            online.take(message(2, number), false);
        }
        for number in 1000..1050 {
            let (spam, ham) = (online.opinion(message(1, number)), online.opinion(message(2, number)));
            assert!(spam.is_some_and(|spam| 0.8 < spam && spam < 1.0), "{spam:?}");
            assert!(ham.is_some_and(|ham| 0.0 < ham && ham < 0.2), "{ham:?}");
        }
    }

    #[test]
    fn the_same_message_many_times_makes_no_number_that_is_none() {
        let mut online = Online::default();
        online.take(message(2, 0), false);
        (0..10_000).for_each(|_| online.take(message(1, 0), true));
        let probability = online.opinion(message(1, 0)).unwrap();
        assert!((0.5..1.0).contains(&probability), "{probability}");
        online.take([].into_iter(), true);
        assert_eq!(online.opinion([].into_iter()), None);
    }

    #[test]
    fn it_changes_its_mind() {
        let mut online = Online::default();
        for number in 0..200 {
            online.take(message(1, number), true);
            online.take(message(2, number), false);
        }
        // What was ham is spam from now on.
        for number in 200..600 {
            online.take(message(2, number), true);
            online.take(message(3, number), false);
        }
        let now = online.opinion(message(2, 1000)).unwrap();
        assert!(now > 0.5, "{now}");
    }
}
