//! Which patterns match where?
//!
//! Rules in SpamAssassin's .cf language (`language`) are compiled (`load`) to one Hyperscan
//! database per text view, with PCRE2 deciding what Hyperscan can only prefilter (`matching`).
//! `scan` runs them over a message: header rules by what they look up (`headers`), the others
//! unit by unit, `evals` as functions. The hits (`hits`) are put together by `metas`.

mod captures;
mod evals;
mod explain;
mod headers;
mod hits;
mod language;
mod load;
mod matching;
mod metas;
mod mime_headers;
mod reach;
mod regex;
mod report;
mod scan;
mod settings;
#[cfg(test)]
mod tests;
mod uri_details;

use std::{collections::HashMap, path::PathBuf, sync::Arc};

pub use explain::{Explanation, explain};
pub use hits::Hits;
pub use load::check;
pub use matching::{Cost, Costs};
pub use report::{Matching, Summary};
pub use scan::Scratch;

use crate::{
    mime::Message,
    relays::Trust,
    render::{self, Rendered},
    verdict::Symbol,
    wire::request::Envelope,
};

/// Where rules come from, in loading order.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file that is part of the program: its name and text.
    Embedded { name: &'static str, text: &'static str },
    /// A directory (its *.pre, then its *.cf, by name) or a single file.
    Path(PathBuf),
}

/// How a rule set is made.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where compiled databases are kept between starts; `None` compiles each time.
    pub cache: Option<PathBuf>,
    /// Whether Bayes takes part: score sets 2/3 instead of 0/1.
    pub bayes: bool,
    /// Leaves out rules that compare with what others captured (`%{NAME}`). A SpamAssassin process answers them for the
    /// first message that it sees and goes on comparing with that one's captures: to compare with it, leave them out.
    pub no_captures: bool,
}

/// What loading had to say: one entry a remark, none of them fatal.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub remarks: Vec<Remark>,
}

/// What a remark means for the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// Broken: a rule or a line is not there.
    Dropped,
    /// A rule that criba cannot run; it counts as 0.
    NotRun,
    /// A setting without effect.
    Ignored,
}

/// Something in a rule file that was dropped or ignored.
#[derive(Clone, Debug)]
pub struct Remark {
    pub file: String,
    pub line: usize,
    pub loss: Loss,
    pub what: String,
}

/// Rules, compiled: immutable and shared by all workers.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<hits::Rule>,
    /// Matches of each that count.
    most: Vec<u32>,
    body: matching::View,
    rawbody: matching::View,
    full: matching::View,
    uri: matching::View,
    ocr: matching::View,
    qr: matching::View,
    pdf: matching::View,
    headers: headers::Headers,
    mime_headers: mime_headers::MimeHeaders,
    uri_details: Vec<uri_details::UriDetail>,
    /// Functions that are run before the body is looked at, and those behind it.
    header_evals: Vec<load::Eval>,
    evals: Vec<load::Eval>,
    settings: settings::Settings,
    /// Patterns among the arguments of functions.
    patterns: HashMap<String, matching::Decider>,
    metas: metas::Metas,
    /// Which rules are worth looking for once the headers have been read.
    company: metas::Company,
    /// What text that is read later can change.
    reach: reach::Reach,
    /// Whom the rule files trust.
    trust: Trust,
    /// Names in metas that no rule has, and a meta that names each.
    undefined: Vec<(String, Arc<str>)>,
    /// Made for all databases; workers get clones.
    scratch: Option<matching::DatabaseScratch>,
}

/// What the rules see of a message.
pub struct Subject<'a, 'm> {
    message: &'a Message<'m>,
    rendered: &'a Rendered<'m>,
    /// What headers say, and the way of the message.
    values: headers::Values<'a, 'm>,
    rules: &'a RuleSet,
    /// What several functions ask for.
    facts: evals::Facts<'m>,
}

/// What the hits add up to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The scored rules that hit, with what they add (a `multiple` rule: its score times its count).
    pub symbols: Vec<Symbol>,
    /// The `__` rules that hit.
    pub subtests: Vec<Arc<str>>,
}

/// Why no rule set came out at all (a single broken rule is a `Remark` instead).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("cannot read rules from {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("no memory for the rules: {0}")]
    Memory(String),
}

impl RuleSet {
    /// Reads and compiles `sources`.
    ///
    /// # Errors
    /// A source is not there or cannot be listed.
    pub fn load(sources: &[Source], options: &Options) -> Result<(RuleSet, Report), Error> {
        load::load(sources, options)
    }

    /// How links are to be read, for [`render_with`](render::render_with).
    pub fn links(&self) -> &render::Settings {
        &self.settings.links
    }

    /// A message for [`RuleSet::scan`].
    pub fn subject<'a, 'm>(
        &'a self,
        message: &'a Message<'m>,
        rendered: &'a Rendered<'m>,
        envelope: &'a Envelope,
    ) -> Subject<'a, 'm> {
        let values = headers::Values::new(message, envelope, &self.trust, &self.settings.links.boundaries);
        Subject { message, rendered, values, rules: self, facts: evals::Facts::default() }
    }

    fn views(&self) -> impl Iterator<Item = &matching::View> {
        [&self.body, &self.rawbody, &self.full, &self.uri, &self.ocr, &self.qr, &self.pdf]
            .into_iter()
            .chain(self.headers.views())
            .chain(self.mime_headers.views())
    }
}
