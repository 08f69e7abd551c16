//! Which patterns match where?
//!
//! Rules in SpamAssassin's .cf language, compiled to one Hyperscan database per text view, with
//! PCRE2 deciding what Hyperscan can only prefilter.

use std::{path::PathBuf, sync::Arc};

use crate::{
    budget::Budget,
    mime::Message,
    render::{LateText, Rendered},
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
}

/// What loading had to say: one entry a remark, none of them fatal.
#[derive(Clone, Debug, Default)]
pub struct Report {
    pub remarks: Vec<Remark>,
}

/// Something in a rule file that was dropped or ignored.
#[derive(Clone, Debug)]
pub struct Remark {
    pub file: String,
    pub line: usize,
    pub what: String,
}

/// Rules, compiled: immutable and shared by all workers.
#[derive(Debug)]
pub struct RuleSet {}

/// What one worker needs to scan with a [`RuleSet`]; lent to one message at a time.
#[derive(Debug)]
pub struct Scratch {}

/// What the rules see of a message.
#[derive(Clone, Copy)]
pub struct Subject<'a, 'm> {
    pub message: &'a Message<'m>,
    pub rendered: &'a Rendered<'m>,
    pub envelope: &'a Envelope,
}

/// The hits of one message so far; late text adds to it.
#[derive(Clone, Debug, Default)]
pub struct Hits {}

/// What the hits add up to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The scored rules that hit, with what they add (a `multiple` rule: its score times its count).
    pub symbols: Vec<Symbol>,
    /// The `__` rules that hit.
    pub subtests: Vec<Arc<str>>,
}

/// Why no rule set came out at all (a single broken rule is a [`Remark`] instead).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("cannot read rules from {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
}

impl RuleSet {
    /// Reads and compiles `sources`.
    pub fn load(_sources: &[Source], _options: &Options) -> Result<(RuleSet, Report), Error> {
        Ok((RuleSet {}, Report::default()))
    }

    /// Scratch space for one worker.
    pub fn scratch(&self) -> Scratch {
        Scratch {}
    }

    /// Runs every rule over the message's views; stops where the budget ends, and says so there.
    pub fn scan(&self, _subject: Subject<'_, '_>, _scratch: &mut Scratch, _budget: &mut Budget) -> Hits {
        Hits {}
    }

    /// Runs body, uri, ocr and qr rules over text that was read later.
    pub fn scan_late(
        &self,
        _late: &LateText,
        _hits: &mut Hits,
        _scratch: &mut Scratch,
        _budget: &mut Budget,
    ) {
    }

    /// Evaluates the metas over `hits`; `probability` is what Bayes says, if it does.
    pub fn evaluate(&self, _hits: &Hits, _probability: Option<f64>) -> Outcome {
        Outcome::default()
    }
}
