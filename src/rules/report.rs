//! What a rule set consists of, for people.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rayon::prelude::*;

use super::{
    RuleSet,
    matching::{How, Pattern, View, cost},
};

/// How the patterns of one view are matched, and the size of its databases in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matching {
    pub exact: usize,
    pub prefilter: usize,
    pub piece: usize,
    /// Names of the rules that PCRE2 has to try on every unit.
    pub alone: Vec<String>,
    pub fuzzy: usize,
    pub literals: usize,
    pub squeezed: usize,
    pub bytes: usize,
}

/// Counts of a rule set.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Rules that run, by kind, eval rules apart: scored rules and sub-rules.
    pub kinds: BTreeMap<&'static str, (usize, usize)>,
    /// By view, in the order they are scanned.
    pub views: Vec<(&'static str, Matching)>,
    /// Names in metas that no rule has: they count 0. Beside each a meta that names it.
    pub undefined: Vec<(String, Arc<str>)>,
}

impl RuleSet {
    /// How many rules there are, and how their patterns are matched.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for rule in &self.rules {
            let (scored, sub) = summary.kinds.entry(rule.label).or_default();
            *if rule.sub { sub } else { scored } += 1;
        }
        let views = [
            ("body", &self.body),
            ("rawbody", &self.rawbody),
            ("full", &self.full),
            ("uri", &self.uri),
            ("ocr", &self.ocr),
            ("qr", &self.qr),
            ("pdf", &self.pdf),
        ];
        summary.views.push(("header", self.matching(self.headers.views())));
        summary.views.push(("mimeheader", self.matching(self.mime_headers.views())));
        summary.views.extend(views.map(|(name, view)| (name, self.matching([view]))));
        summary.undefined.clone_from(&self.undefined);
        summary
    }

    /// Name, score and description of each rule that has a score.
    pub fn scored(&self) -> impl Iterator<Item = (&str, f64, &str)> {
        let scored = self.rules.iter().filter(|rule| !rule.sub);
        scored.map(|rule| (&*rule.name, rule.score, &*rule.description))
    }

    /// The name of a rule by its number in [`Costs`](super::Costs).
    pub fn name(&self, rule: u32) -> &str {
        self.rules.get(rule as usize).map_or("", |rule| &rule.name)
    }

    /// Compiles each pattern alone: the rule, its view, the size of the database in bytes and the time it
    /// took, the largest first.
    pub fn costs(&self) -> Vec<(String, &'static str, usize, Duration)> {
        let header = self.headers.views().map(|view| ("header", view));
        let mime_header = self.mime_headers.views().map(|view| ("mimeheader", view));
        let others =
            [("body", &self.body), ("rawbody", &self.rawbody), ("full", &self.full), ("uri", &self.uri)];
        let patterns: Vec<(&'static str, &Pattern)> = header
            .chain(mime_header)
            .chain(others)
            .flat_map(|(name, view)| view.patterns().iter().map(move |pattern| (name, pattern)))
            .collect();
        let mut costs: Vec<_> = patterns
            .into_par_iter()
            .filter_map(|(view, pattern)| {
                let (bytes, spent) = cost(pattern)?;
                let rule = self.rules.get(pattern.rule as usize)?.name.to_string();
                Some((rule, view, bytes, spent))
            })
            .collect();
        costs.sort_by_key(|(_, _, bytes, _)| std::cmp::Reverse(*bytes));
        costs
    }

    fn matching<'v>(&self, views: impl IntoIterator<Item = &'v View>) -> Matching {
        let mut matching = Matching::default();
        for view in views {
            matching.bytes += view.databases().map(|database| database.size()).sum::<usize>();
            for pattern in view.patterns() {
                match pattern.how {
                    How::Exact => matching.exact += 1,
                    How::Prefilter => matching.prefilter += 1,
                    How::Piece => matching.piece += 1,
                    How::Fuzzy => matching.fuzzy += 1,
                    How::Literals => matching.literals += 1,
                    How::Squeezed => matching.squeezed += 1,
                    How::Alone => matching
                        .alone
                        .extend(self.rules.get(pattern.rule as usize).map(|rule| rule.name.to_string())),
                }
            }
        }
        matching
    }
}
