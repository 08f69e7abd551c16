//! How far can text that is read later still move the score?
//!
//! A picture need not be read when its words cannot change what happens to the mail.

use std::ops::RangeInclusive;

use super::{Hits, RuleSet, matching::View, metas::Motion};

/// The rules that late text can reach, worked out once for a rule set.
#[derive(Debug, Default)]
pub struct Reach {
    /// Patterns with a score that look at late text.
    patterns: Vec<u32>,
    /// Metas with a score whose truth can change.
    metas: Vec<(u32, Motion)>,
}

impl RuleSet {
    pub(super) fn find_reach(&self) -> Reach {
        let mut late = vec![false; self.rules.len()];
        for view in [&self.body, &self.uri, &self.ocr, &self.qr, &self.pdf] {
            mark(view, &mut late);
        }
        let scored =
            |rule: &u32| self.rules.get(*rule as usize).is_some_and(|rule| !rule.sub && rule.score != 0.0);
        let metas = self.metas.motions(|rule| late.get(rule as usize).copied().unwrap_or(true));
        Reach {
            patterns: (0..)
                .zip(&late)
                .filter(|(_, late)| **late)
                .map(|(rule, _)| rule)
                .filter(scored)
                .collect(),
            metas: metas.into_iter().filter(|(rule, _)| scored(rule)).collect(),
        }
    }

    /// The lowest and the highest score that a message can come to, which has `hits` and the score `score` now,
    /// once all of its pictures and documents are read.
    pub fn outlook(&self, hits: &Hits, probability: Option<f64>, score: f64) -> RangeInclusive<f64> {
        let (mut low, mut high) = (score, score);
        let mut add = |change: f64| if change < 0.0 { low += change } else { high += change };
        for &rule in &self.reach.patterns {
            let Some(known) = self.rules.get(rule as usize) else { continue };
            let more = known.most.saturating_sub(hits.count(rule));
            add(known.score * f64::from(more));
        }
        let now = self.metas.evaluate(&hits.rules, &hits.counts, probability);
        for &(rule, motion) in &self.reach.metas {
            let Some(known) = self.rules.get(rule as usize) else { continue };
            match now.hits.iter().any(|(hit, _)| *hit == rule) {
                true if motion.falls => add(-known.score),
                false if motion.rises => add(known.score),
                _ => {}
            }
        }
        low..=high
    }
}

fn mark(view: &View, late: &mut [bool]) {
    for pattern in view.patterns() {
        if let Some(late) = late.get_mut(pattern.rule as usize) {
            *late = true;
        }
    }
}
