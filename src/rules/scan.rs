//! Runs the rules over one message.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::{
    Costs, Hits, Outcome, RuleSet, Subject,
    headers::HeaderScratch,
    hits::Tally,
    load::Eval,
    matching::{self, Sink, View},
};
use crate::{
    budget::{Budget, Stage, Why},
    render::{self, LateText, Origin},
    verdict::Symbol,
};

/// Larger units are cut: a pattern that has found nothing in 32 MB will find nothing.
const MAX_UNIT: usize = 32 << 20;

/// After so many bytes of texts somebody looks at the clock, a text counting for some more.
const BYTES: usize = 4096;
const OF_A_TEXT: usize = 512;

/// After so many evals somebody looks at the clock. They take a few microseconds, and milliseconds of a mail that is made
/// for it.
const STEPS: usize = 4;

/// What one worker needs to scan with a [`RuleSet`]; lent to one message at a time.
#[derive(Debug, Default)]
pub struct Scratch {
    matching: matching::Scratch,
    headers: HeaderScratch,
    value: Vec<u8>,
    /// Whether rules are looked for that change no score.
    all: bool,
}

impl Scratch {
    /// From now on every rule is looked for, those too that change no score of the message at hand.
    pub fn look_for_all(&mut self) {
        self.all = true;
    }

    /// From now on what matching costs is measured.
    pub fn measure(&mut self) {
        self.matching.costs = Some(Box::default());
    }

    /// What it cost since then.
    pub fn costs(&self) -> Option<&Costs> {
        self.matching.costs.as_deref()
    }
}

impl RuleSet {
    /// Scratch space for one worker.
    pub fn scratch(&self) -> Scratch {
        // Without memory for scratch no scan is possible: the worker's creator finds out by the panic.
        let database = self.scratch.as_ref().map(|scratch| scratch.try_clone().expect("memory for scratch"));
        Scratch { matching: matching::Scratch::new(database), ..Scratch::default() }
    }

    /// Runs every rule over the message's views; stops where the budget ends, and says so there.
    pub fn scan(&self, subject: &Subject<'_, '_>, scratch: &mut Scratch, budget: &mut Budget) -> Hits {
        let mut hits = Hits::new(self.rules.len());
        let mut tally = Tally::new(&self.rules, &self.most, &mut hits, budget.cutoff());
        let rendered = subject.rendered;
        let Scratch { matching, headers, value, all } = scratch;

        // What do the headers say?
        self.headers.scan(&subject.values, headers, matching, &mut tally);
        self.mime_headers.scan(subject.message, value, matching, &mut tally);
        if tally.cut {
            budget.skip(Stage::Rules, "headers", Why::Deadline);
        }
        evals(&self.header_evals, subject, &mut tally, budget);
        // What is still worth looking for?
        if !*all {
            tally.idle = self.company.idle(&tally.hits.counts);
        }
        // What would the reader read? The subject is the first unit.
        tally.subject = true;
        let body = subject.body();
        units(&self.body, body.iter().take(1).copied(), "subject", matching, &mut tally, budget);
        tally.subject = false;
        units(&self.body, body.iter().skip(1).copied(), "body", matching, &mut tally, budget);
        // Where does it lead?
        let uris = rendered.uris.iter().flat_map(|uri| &uri.variants).map(|variant| variant.as_bytes());
        self.uris(uris, matching, &mut tally, budget);
        self.uri_details(subject, &mut tally);
        // What does the source look like?
        units(&self.rawbody, rendered.rawbody.iter().copied(), "rawbody", matching, &mut tally, budget);
        units(&self.full, [rendered.full], "full", matching, &mut tally, budget);
        // What is no matter of patterns?
        evals(&self.evals, subject, &mut tally, budget);
        // What names what others captured?
        tally.settle();
        self.name_exceeded(&tally, budget);
        hits
    }

    /// Runs body, uri, ocr and qr rules over text that was read later; over what a document does, pdf rules alone.
    pub fn scan_late(&self, late: &LateText, hits: &mut Hits, scratch: &mut Scratch, budget: &mut Budget) {
        if hits.counts.len() != self.rules.len() {
            *hits = Hits::new(self.rules.len());
        }
        let mut tally = Tally::new(&self.rules, &self.most, hits, budget.cutoff());
        tally.late = Some(late);
        if !scratch.all {
            tally.idle = self.company.idle(&tally.hits.counts);
        }
        let matching = &mut scratch.matching;
        let paragraphs = paragraphs(&late.text);
        let text = paragraphs.iter().map(|paragraph| paragraph.as_bytes());
        let own = match late.origin {
            Origin::Qr => &self.qr,
            Origin::Action => &self.pdf,
            Origin::Text | Origin::Html | Origin::Ocr | Origin::Pdf => &self.ocr,
        };
        units(own, text.clone(), &late.place, matching, &mut tally, budget);
        if late.origin != Origin::Action {
            units(&self.body, text, &late.place, matching, &mut tally, budget);
            let uris = render::uris_in(&late.text);
            self.uris(uris.iter().map(|uri| uri.as_bytes()), matching, &mut tally, budget);
        }
        tally.settle();
        self.name_exceeded(&tally, budget);
    }

    fn uris<'u>(
        &self,
        uris: impl IntoIterator<Item = &'u [u8]>,
        scratch: &mut matching::Scratch,
        tally: &mut Tally<'_>,
        budget: &mut Budget,
    ) {
        let mut seen = FxHashSet::default();
        units(&self.uri, uris.into_iter().filter(|uri| seen.insert(*uri)), "uri", scratch, tally, budget);
    }

    fn uri_details(&self, subject: &Subject<'_, '_>, tally: &mut Tally<'_>) {
        for detail in &self.uri_details {
            for uri in &subject.rendered.uris {
                if tally.wants(detail.rule) == 0 {
                    break;
                }
                match detail.holds(uri) {
                    Ok(true) => tally.hit(detail.rule, 1, uri.raw.as_bytes(), Some(0..uri.raw.len())),
                    Ok(false) => {}
                    Err(matching::Exceeded) => tally.exceeded(detail.rule),
                }
            }
        }
    }

    fn name_exceeded(&self, tally: &Tally<'_>, budget: &mut Budget) {
        for &rule in &tally.exceeded {
            if let Some(rule) = self.rules.get(rule as usize) {
                budget.skip(Stage::Rules, format!("rule {}", rule.name), Why::Limit("match steps"));
            }
        }
    }

    /// Evaluates the metas over `hits`; `probability` is what Bayes says, if it does.
    pub fn evaluate(&self, hits: &Hits, probability: Option<f64>) -> Outcome {
        let metas = self.metas.evaluate(&hits.rules, &hits.counts, probability);
        let mut all: Vec<u32> =
            hits.rules.iter().copied().chain(metas.hits.iter().map(|(rule, _)| *rule)).collect();
        all.sort_unstable();
        let mut outcome = Outcome::default();
        for rule in all {
            match self.rules.get(rule as usize) {
                Some(known) if known.sub => outcome.subtests.push(Arc::clone(&known.name)),
                Some(_) => outcome.symbols.extend(self.symbol(rule, hits)),
                None => {}
            }
        }
        outcome
    }

    fn symbol(&self, rule: u32, hits: &Hits) -> Option<Symbol> {
        let known = self.rules.get(rule as usize)?;
        let place = hits.place(rule);
        Some(Symbol {
            name: Arc::clone(&known.name),
            // a meta counts once
            score: known.score * f64::from(hits.count(rule).max(1)),
            kind: place.map_or(known.label, |(origin, _)| origin.name()),
            description: Arc::clone(&known.description),
            evidence: hits.evidence(rule),
            place: place.map(|(_, place)| place.to_owned()).unwrap_or_default(),
        })
    }
}

/// Asks evals until time is up.
fn evals(evals: &[Eval], subject: &Subject<'_, '_>, tally: &mut Tally<'_>, budget: &mut Budget) {
    for (at, eval) in evals.iter().enumerate() {
        if at % STEPS == 0 && tally.out_of_time() {
            return budget.skip(Stage::Rules, "evals", Why::Deadline);
        }
        if tally.wants(eval.rule) > 0 {
            tally.hit(eval.rule, (eval.function)(subject, &eval.arguments), b"", None);
        }
    }
}

/// Runs a view's patterns over units until time is up.
fn units<'u>(
    view: &View,
    units: impl IntoIterator<Item = &'u [u8]>,
    what: &str,
    scratch: &mut matching::Scratch,
    tally: &mut Tally<'_>,
    budget: &mut Budget,
) {
    if view.is_empty() {
        return;
    }
    let mut bytes = BYTES;
    for unit in units {
        if tally.cut || (bytes >= BYTES && budget.expired()) {
            return budget.skip(Stage::Rules, what, Why::Deadline);
        }
        bytes = if bytes >= BYTES { 0 } else { bytes } + unit.len() + OF_A_TEXT;
        let cut = unit.get(..MAX_UNIT);
        if cut.is_some_and(|cut| cut.len() < unit.len()) {
            budget.skip(Stage::Rules, what, Why::Limit("bytes of one text"));
        }
        view.scan(cut.unwrap_or(unit), scratch, tally);
    }
    if tally.cut {
        budget.skip(Stage::Rules, what, Why::Deadline);
    }
}

/// Text as body units: a paragraph each, its white space single blanks.
fn paragraphs(text: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in text.lines() {
        let mut words = line.split_whitespace().peekable();
        if words.peek().is_none() {
            paragraphs.push(String::new());
        }
        if let Some(paragraph) = paragraphs.last_mut() {
            for word in words {
                if !paragraph.is_empty() {
                    paragraph.push(' ');
                }
                paragraph.push_str(word);
            }
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

#[cfg(test)]
mod tests {
    use super::paragraphs;

    #[test]
    fn late_text_becomes_paragraphs() {
        assert_eq!(paragraphs("  Cheap\n meds \n\n\n buy\u{a0}now\n"), ["Cheap meds", "buy now"]);
        assert_eq!(paragraphs("\n \n"), Vec::<String>::new());
    }
}
