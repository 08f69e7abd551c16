//! How well scores tell spam from ham: ROC area, error rates at operating points, LAM, calibration.

/// Scores of messages whose class is known, sorted, ready to be asked.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Rising.
    spam: Vec<f64>,
    /// Rising.
    ham: Vec<f64>,
}

/// A point of the ROC curve: what is lost and missed when all from `threshold` on is called spam.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub threshold: f64,
    /// The share of ham that is called spam.
    pub ham_lost: f64,
    /// The share of spam that is called ham.
    pub spam_missed: f64,
}

/// A bin of the reliability plot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// The mean of the probabilities in this bin.
    pub said: f64,
    /// The share of spam among its messages.
    pub was: f64,
    pub messages: usize,
}

impl Metrics {
    /// Of pairs of score and class (spam is true); `None` if a class is missing. Scores that are no number
    /// count as the lowest.
    pub fn new(scores: &[(f64, bool)]) -> Option<Metrics> {
        let class = |wanted: bool| {
            let mut of: Vec<f64> = scores
                .iter()
                .filter(|(_, spam)| *spam == wanted)
                .map(|&(score, _)| if score.is_nan() { f64::NEG_INFINITY } else { score })
                .collect();
            of.sort_unstable_by(f64::total_cmp);
            of
        };
        let (spam, ham) = (class(true), class(false));
        (!spam.is_empty() && !ham.is_empty()).then_some(Metrics { spam, ham })
    }

    /// How many messages there are: spam, ham.
    pub fn messages(&self) -> (usize, usize) {
        (self.spam.len(), self.ham.len())
    }

    /// 1 - AUC, in percent: how likely it is that a ham scores higher than a spam; ties count as half.
    pub fn area_above(&self) -> f64 {
        let below = |score: f64| self.spam.partition_point(|&spam| spam < score);
        let up_to = |score: f64| self.spam.partition_point(|&spam| spam <= score);
        let wrong: f64 = self.ham.iter().map(|&ham| (below(ham) + up_to(ham)) as f64 / 2.0).sum();
        100.0 * wrong / (self.spam.len() as f64 * self.ham.len() as f64)
    }

    /// Messages on the wrong side when all from `threshold` on is called spam: ham lost, spam missed.
    pub fn errors(&self, threshold: f64) -> (usize, usize) {
        let lost = self.ham.len() - self.ham.partition_point(|&ham| ham < threshold);
        (lost, self.spam.partition_point(|&spam| spam < threshold))
    }

    /// The logistic average of the two misclassification rates, in percent; no errors count as half of one.
    pub fn lam(&self, threshold: f64) -> f64 {
        let (lost, missed) = self.errors(threshold);
        let log_odds = |errors: usize, of: usize| {
            // The bounds matter where all are wrong, as zero errors do where none is.
            let rate = (errors as f64).clamp(0.5, of as f64 - 0.5) / of as f64;
            (rate / (1.0 - rate)).ln()
        };
        let mean = (log_odds(lost, self.ham.len()) + log_odds(missed, self.spam.len())) / 2.0;
        100.0 / (1.0 + (-mean).exp())
    }

    /// The least ham lost, in percent, where no more than `percent` of the spam is missed.
    pub fn ham_lost_at(&self, percent: f64) -> f64 {
        let mut missed = (self.spam.len() as f64 * percent / 100.0) as usize;
        missed = missed.min(self.spam.len() - 1);
        let threshold = self.spam.get(missed).copied().unwrap_or(f64::INFINITY);
        100.0 * self.errors(threshold).0 as f64 / self.ham.len() as f64
    }

    /// The least spam missed, in percent, where no more than `percent` of the ham is lost.
    pub fn spam_missed_at(&self, percent: f64) -> f64 {
        let lost = ((self.ham.len() as f64 * percent / 100.0) as usize).min(self.ham.len() - 1);
        // The threshold lies just above the highest ham that must not be lost.
        let Some(&highest) = self.ham.get(self.ham.len() - 1 - lost) else { return 100.0 };
        100.0 * self.spam.partition_point(|&spam| spam <= highest) as f64 / self.spam.len() as f64
    }

    /// The ROC curve, from calling nothing spam to calling everything spam: a point a different score.
    pub fn curve(&self) -> Vec<Point> {
        let mut thresholds = [self.spam.as_slice(), &self.ham].concat();
        thresholds.sort_unstable_by(|a, b| b.total_cmp(a));
        thresholds.dedup();
        let point = |threshold: f64| {
            let (lost, missed) = self.errors(threshold);
            let ham_lost = lost as f64 / self.ham.len() as f64;
            Point { threshold, ham_lost, spam_missed: missed as f64 / self.spam.len() as f64 }
        };
        let nothing = Point { threshold: f64::INFINITY, ham_lost: 0.0, spam_missed: 1.0 };
        std::iter::once(nothing).chain(thresholds.into_iter().map(point)).collect()
    }

    /// What probabilities said and what was, in `bins` bins of equal width; empty ones are left out.
    pub fn reliability(&self, bins: usize) -> Vec<Bin> {
        let mut sums = vec![(0.0, 0usize, 0usize); bins];
        let mut add = |scores: &[f64], spam: usize| {
            for &score in scores {
                let at = ((score * bins as f64) as usize).min(bins.saturating_sub(1));
                if let Some(sum) = sums.get_mut(at) {
                    *sum = (sum.0 + score, sum.1 + spam, sum.2 + 1);
                }
            }
        };
        add(&self.spam, 1);
        add(&self.ham, 0);
        let full = sums.into_iter().filter(|sum| sum.2 > 0);
        full.map(|(said, spam, messages)| Bin {
            said: said / messages as f64,
            was: spam as f64 / messages as f64,
            messages,
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four spam, five ham, one tie, by hand.
    fn metrics() -> Metrics {
        let scores = [
            (0.9, true),
            (0.8, true),
            (0.6, true),
            (0.3, true),
            (0.7, false),
            (0.6, false),
            (0.2, false),
            (0.1, false),
            (0.0, false),
        ];
        Metrics::new(&scores).unwrap()
    }

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-9, "{a} is not {b}");
    }

    #[test]
    fn the_area_counts_pairs_in_the_wrong_order() {
        // 0.7 is above 0.6 and 0.3: 2. 0.6 ties with 0.6 and is above 0.3: 1.5. 3.5 of 20 pairs.
        close(metrics().area_above(), 17.5);
    }

    #[test]
    fn errors_at_a_threshold() {
        assert_eq!(metrics().errors(0.5), (2, 1));
        assert_eq!(metrics().errors(0.6), (2, 1));
        assert_eq!(metrics().errors(0.65), (1, 2));
    }

    #[test]
    fn lam_is_the_mean_of_the_log_odds() {
        // Rates 2/5 and 1/4: the odds are 2/3 and 1/3, their geometric mean sqrt(2)/3.
        let odds = 2f64.sqrt() / 3.0;
        close(metrics().lam(0.5), 100.0 * odds / (1.0 + odds));
        // No error at all counts as half of one in each class.
        let clean = Metrics::new(&[(1.0, true), (0.0, false)]).unwrap();
        close(clean.lam(0.5), 50.0);
    }

    #[test]
    fn operating_points() {
        // No spam missed: the threshold is 0.3, and 0.7 and 0.6 are lost.
        close(metrics().ham_lost_at(1.0), 40.0);
        // One of four missed: the threshold is 0.6, still both.
        close(metrics().ham_lost_at(25.0), 40.0);
        // Two of four: the threshold is 0.8.
        close(metrics().ham_lost_at(50.0), 0.0);
        // No ham lost: all up to 0.7 is missed. One lost: up to 0.6, the tie too.
        close(metrics().spam_missed_at(0.1), 50.0);
        close(metrics().spam_missed_at(20.0), 50.0);
        close(metrics().spam_missed_at(40.0), 0.0);
    }

    #[test]
    fn the_curve_runs_from_nothing_to_everything() {
        let curve = metrics().curve();
        assert_eq!(curve.len(), 9, "eight different scores and the start");
        let (first, last) = (curve.first().unwrap(), curve.last().unwrap());
        assert_eq!((first.ham_lost, first.spam_missed), (0.0, 1.0));
        assert_eq!((last.ham_lost, last.spam_missed), (1.0, 0.0));
        // The area under the steps is what counting pairs gives (ties: the slope between two points).
        let area: f64 = curve
            .windows(2)
            .map(|w| (w[1].ham_lost - w[0].ham_lost) * (w[0].spam_missed + w[1].spam_missed) / 2.0)
            .sum();
        close(100.0 * area, metrics().area_above());
    }

    #[test]
    fn bins_compare_what_was_said_with_what_was() {
        let bins = metrics().reliability(2);
        assert_eq!(bins.len(), 2);
        close(bins[1].said, (0.9 + 0.8 + 0.6 + 0.7 + 0.6) / 5.0);
        close(bins[1].was, 0.6);
        assert_eq!(bins[0].messages, 4);
    }

    #[test]
    fn one_class_alone_has_no_metrics_and_nan_is_lowest() {
        assert!(Metrics::new(&[(0.5, true)]).is_none());
        let metrics = Metrics::new(&[(f64::NAN, true), (0.5, false)]).unwrap();
        close(metrics.area_above(), 100.0);
    }
}
