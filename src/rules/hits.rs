//! What hit so far: counts by rule, with a little evidence.

use std::{ops::Range, sync::Arc, time::Instant};

use super::{
    captures::{Captured, Template},
    matching::{Exceeded, Sink},
    metas::Idle,
};
use crate::render::{LateText, Origin};

/// Pieces of text kept for one rule, and the bytes of each.
const EVIDENCE: usize = 3;
const EXCERPT: usize = 80;

/// A rule as the scan needs it.
#[derive(Clone, Debug)]
pub struct Rule {
    pub name: Arc<str>,
    /// What the verdict calls its kind.
    pub label: &'static str,
    pub score: f64,
    pub description: Arc<str>,
    /// Whether it is a `__` rule: no score, no symbol.
    pub sub: bool,
    /// Matches that count: 1, or more with `tflags multiple`.
    pub most: u32,
    pub no_subject: bool,
    /// The pattern, where it names what other rules capture.
    pub template: Option<Arc<Template>>,
}

/// The hits of one message so far; late text adds to it.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    pub(super) counts: Vec<u32>,
    /// Rules with a count, in the order of their first hit.
    pub(super) rules: Vec<u32>,
    evidence: Vec<(u32, String)>,
    /// Rules whose first hit was in text that was found late.
    late: Vec<(u32, Origin, String)>,
    pub(super) captured: Captured,
}

impl Hits {
    pub(super) fn new(rules: usize) -> Hits {
        Hits { counts: vec![0; rules], ..Hits::default() }
    }

    pub(super) fn count(&self, rule: u32) -> u32 {
        self.counts.get(rule as usize).copied().unwrap_or_default()
    }

    pub(super) fn evidence(&self, rule: u32) -> Vec<String> {
        self.evidence.iter().filter(|(of, _)| *of == rule).map(|(_, text)| text.clone()).collect()
    }

    /// Where the rule hit, if that was in late text.
    pub(super) fn place(&self, rule: u32) -> Option<(Origin, &str)> {
        self.late.iter().find(|(of, ..)| *of == rule).map(|(_, origin, place)| (*origin, place.as_str()))
    }

    /// Counts hits of a rule that is no pattern.
    pub(super) fn add(&mut self, rule: u32, count: u32) {
        if let Some(sum) = self.counts.get_mut(rule as usize).filter(|_| count > 0) {
            if *sum == 0 {
                self.rules.push(rule);
            }
            *sum = sum.saturating_add(count);
        }
    }
}

/// Collects the hits of one scan.
pub struct Tally<'t> {
    pub rules: &'t [Rule],
    /// Matches of each that count: asked all the time, so they stand close together.
    most: &'t [u32],
    pub hits: &'t mut Hits,
    /// Whether the unit is the subject, which some body rules leave out.
    pub subject: bool,
    pub late: Option<&'t LateText>,
    /// Rules whose search was given up; they are not tried again on this message.
    pub exceeded: Vec<u32>,
    /// Rules that are not worth looking for in this message.
    pub idle: Idle,
    cutoff: Instant,
    /// Whether a scan was stopped there.
    pub cut: bool,
}

impl<'t> Tally<'t> {
    pub fn new(rules: &'t [Rule], most: &'t [u32], hits: &'t mut Hits, cutoff: Instant) -> Tally<'t> {
        let (exceeded, idle) = (Vec::new(), Idle::default());
        Tally { rules, most, hits, subject: false, late: None, exceeded, idle, cutoff, cut: false }
    }
}

impl Sink for Tally<'_> {
    fn wants(&self, rule: u32) -> u32 {
        match self.most.get(rule as usize) {
            Some(_) if self.subject && self.rules.get(rule as usize).is_none_or(|rule| rule.no_subject) => 0,
            Some(_) if self.idle.has(rule) || self.exceeded.contains(&rule) => 0,
            Some(most) => most.saturating_sub(self.hits.count(rule)),
            None => 0,
        }
    }

    fn wants_evidence(&self, rule: u32) -> bool {
        self.rules.get(rule as usize).is_some_and(|known| !known.sub && known.score != 0.0)
            && self.hits.evidence.iter().filter(|(of, _)| *of == rule).count() < EVIDENCE
    }

    fn hit(&mut self, rule: u32, count: u32, unit: &[u8], first: Option<Range<usize>>) {
        let count = count.min(self.wants(rule));
        if count == 0 {
            return;
        }
        if self.rules.get(rule as usize).is_some_and(|known| known.template.is_some()) {
            if !self.hits.captured.wait(rule, unit) {
                self.exceeded(rule);
            }
            return;
        }
        self.count(rule, count, unit, first);
    }

    fn captured(&mut self, name: &str, value: &[u8]) {
        self.hits.captured.keep(name, value);
    }

    fn out_of_time(&mut self) -> bool {
        self.cut |= Instant::now() >= self.cutoff;
        self.cut
    }

    fn exceeded(&mut self, rule: u32) {
        if !self.exceeded.contains(&rule) {
            self.exceeded.push(rule);
        }
    }
}

impl Tally<'_> {
    fn count(&mut self, rule: u32, count: u32, unit: &[u8], first: Option<Range<usize>>) {
        if let (Some(late), 0) = (self.late, self.hits.count(rule)) {
            self.hits.late.push((rule, late.origin, late.place.clone()));
        }
        if let Some(text) = first.filter(|_| self.wants_evidence(rule)).and_then(|range| excerpt(unit, range))
        {
            self.hits.evidence.push((rule, text));
        }
        self.hits.add(rule, count);
    }

    /// Compares the texts that rules with templates wait for with what was captured.
    pub fn settle(&mut self) {
        let mut captured = std::mem::take(&mut self.hits.captured);
        let rules = self.rules;
        let template = |rule: u32| {
            let known = rules.get(rule as usize)?;
            Some((&**known.template.as_ref()?, known.most))
        };
        captured.settle(template, |rule, count, text| match count {
            Ok(count) => {
                let count = count.min(self.wants(rule));
                if count > 0 {
                    self.count(rule, count, text, Some(0..text.len()));
                }
            }
            Err(Exceeded) => self.exceeded(rule),
        });
        self.hits.captured = captured;
    }
}

/// The matched text, cut short, as one line.
fn excerpt(unit: &[u8], range: Range<usize>) -> Option<String> {
    let matched = unit.get(range)?;
    let cut = matched.get(..EXCERPT).unwrap_or(matched);
    let text = String::from_utf8_lossy(cut);
    // a character that was cut in two is no damage of the message
    let text = if cut.len() < matched.len() { text.trim_end_matches('\u{fffd}') } else { &text };
    let text: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_are_short_and_on_one_line() {
        assert_eq!(excerpt(b"buy\nnow please", 0..7).as_deref(), Some("buy now"));
        let long = "é".repeat(60);
        assert_eq!(excerpt(long.as_bytes(), 0..120).unwrap(), "é".repeat(40));
        assert_eq!(excerpt(format!("x{long}").as_bytes(), 0..121).unwrap(), format!("x{}", "é".repeat(39)));
        assert_eq!(excerpt(b"ab", 1..1), None);
        assert_eq!(excerpt(b"ab", 1..9), None);
    }
}
