//! What a rule set consists of, for people.

use std::collections::BTreeMap;

use super::{
    RuleSet,
    matching::{How, View},
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
    pub bytes: usize,
}

/// Counts of a rule set.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Rules that run, by kind, eval rules apart: scored rules and sub-rules.
    pub kinds: BTreeMap<&'static str, (usize, usize)>,
    /// By view, in the order they are scanned.
    pub views: Vec<(&'static str, Matching)>,
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
        ];
        summary.views.push(("header", self.matching(self.headers.views())));
        summary.views.push(("mimeheader", self.matching(self.mime_headers.views())));
        summary.views.extend(views.map(|(name, view)| (name, self.matching([view]))));
        summary
    }

    fn matching<'v>(&self, views: impl IntoIterator<Item = &'v View>) -> Matching {
        let mut matching = Matching::default();
        for view in views {
            matching.bytes += view.database().map_or(0, |database| database.size());
            for pattern in view.patterns() {
                match pattern.how {
                    How::Exact => matching.exact += 1,
                    How::Prefilter => matching.prefilter += 1,
                    How::Piece => matching.piece += 1,
                    How::Fuzzy => matching.fuzzy += 1,
                    How::Alone => matching
                        .alone
                        .extend(self.rules.get(pattern.rule as usize).map(|rule| rule.name.to_string())),
                }
            }
        }
        matching
    }
}
