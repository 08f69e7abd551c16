//! What can still change the score?
//!
//! A picture need not be read when its words cannot change what happens to the mail, nor a rule be looked for that
//! counts only together with others that did not hit.

use std::ops::RangeInclusive;

use super::{
    Hits, RuleSet,
    load::Eval,
    matching::View,
    metas::{Company, Motion, Part},
};

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

    /// When rules that are looked for behind the headers can change the score.
    pub(super) fn find_company(&self) -> Company {
        let mut parts = vec![Part::Late; self.rules.len()];
        let mut set = |rule: u32, part: Part| {
            if let Some(known) = parts.get_mut(rule as usize) {
                *known = part;
            }
        };
        let early = self.headers.rules().chain(self.mime_headers.rules());
        early
            .chain(self.header_evals.iter().map(|eval: &Eval| eval.rule))
            .for_each(|rule| set(rule, Part::Early));
        for (rule, known) in (0..).zip(&self.rules) {
            // It is compared when all captures are known.
            if known.template.is_some() {
                set(rule, Part::Late);
            }
        }
        // Others may wait for what it captures.
        let captures = self.views().flat_map(View::patterns).filter(|pattern| pattern.captures());
        captures.for_each(|pattern| set(pattern.rule, Part::Wanted));
        let part = |rule: u32| parts.get(rule as usize).copied().unwrap_or(Part::Wanted);
        let is_symbol =
            |rule: u32| self.rules.get(rule as usize).is_none_or(|rule| !rule.sub && rule.score != 0.0);
        self.metas.company(self.rules.len(), part, is_symbol)
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
