//! Rules as written: not compiled, not checked against each other.

use std::{collections::HashMap, fmt, sync::Arc};

use crate::{
    relays::Trust,
    rules::{regex::Flags, settings::Settings},
};

/// A line of a rule file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub file: Arc<str>,
    pub line: usize,
}

/// What a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Header,
    Body,
    RawBody,
    Full,
    Uri,
    UriDetail,
    MimeHeader,
    Meta,
    Ocr,
    Qr,
    Pdf,
}

impl Kind {
    /// The directive, and the name in the verdict.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Header => "header",
            Kind::Body => "body",
            Kind::RawBody => "rawbody",
            Kind::Full => "full",
            Kind::Uri => "uri",
            Kind::UriDetail => "uri_detail",
            Kind::MimeHeader => "mimeheader",
            Kind::Meta => "meta",
            Kind::Ocr => "ocr",
            Kind::Qr => "qr",
            Kind::Pdf => "pdf",
        }
    }
}

/// A regular expression without its delimiters, in Perl's dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    pub source: Vec<u8>,
    pub flags: Flags,
}

/// A pattern and whether it has to match (`=~`) or must not (`!~`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    pub literal: Literal,
    pub negated: bool,
}

/// An argument of an eval function.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    Text(String),
    /// A quoted number: some functions take it for a text, others for a number.
    Numeral(String, f64),
    Number(f64),
}

impl Argument {
    /// What stands in quotes.
    pub fn quoted(text: &str) -> Argument {
        match text.trim().parse() {
            Ok(number) => Argument::Numeral(text.to_owned(), number),
            Err(_) => Argument::Text(text.to_owned()),
        }
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Argument::Text(text) | Argument::Numeral(text, _) => write!(f, "'{text}'"),
            Argument::Number(number) => write!(f, "{number}"),
        }
    }
}

/// One condition of a `uri_detail` rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `raw`, `type`, `cleaned`, `text`, `domain` or `host`.
    pub key: String,
    pub comparison: Comparison,
}

/// What has to be true.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// A body, rawbody, full, uri, ocr or qr rule.
    Pattern(Literal),
    /// `ocr NAME fuzzy:WORD/2`: the words, any of which may differ by so many characters.
    Fuzzy {
        words: Vec<String>,
        distance: u32,
    },
    /// `header NAME exists:Header` (with modifiers).
    Exists(String),
    /// A header or mimeheader rule: what to look up, what to compare it with, what to use if there is none.
    Header {
        lookup: String,
        comparison: Comparison,
        unset: Option<Vec<u8>>,
    },
    UriDetail(Vec<Condition>),
    Eval {
        function: String,
        arguments: Vec<Argument>,
    },
    Meta(String),
}

/// A rule, with the line that defined it last.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    pub name: Arc<str>,
    pub kind: Kind,
    pub test: Test,
    pub place: Place,
}

/// The words of `tflags`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tflags {
    pub multiple: bool,
    pub max_hits: Option<u32>,
    pub no_subject: bool,
    pub nice: bool,
    pub net: bool,
    pub learn: bool,
    pub concat: bool,
    /// MIME nodes to look at, from 1.
    pub range: Option<(usize, usize)>,
}

impl fmt::Display for Tflags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            ("multiple", self.multiple),
            ("nosubject", self.no_subject),
            ("nice", self.nice),
            ("net", self.net),
            ("learn", self.learn),
            ("concat", self.concat),
        ];
        let mut words: Vec<String> =
            words.iter().filter(|(_, on)| *on).map(|(word, _)| (*word).to_owned()).collect();
        words.extend(self.max_hits.map(|most| format!("maxhits={most}")));
        words.extend(self.range.map(|(first, last)| format!("range={first}-{last}")));
        f.write_str(&words.join(" "))
    }
}

/// What is said of a rule by its name, whichever definition of it counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes {
    /// By score set: plain, net, Bayes, both.
    pub scores: Option<[f64; 4]>,
    pub description: Option<Arc<str>>,
    pub tflags: Tflags,
    pub priority: i32,
    /// Whether `replace_rules` names it.
    pub replaced: bool,
}

/// All that the files said.
#[derive(Debug, Default)]
pub struct Definitions {
    pub rules: Vec<Definition>,
    index: HashMap<Arc<str>, usize>,
    pub attributes: HashMap<Arc<str>, Attributes>,
    pub trust: Trust,
    /// What they said beside rules.
    pub settings: Settings,
}

impl Definitions {
    /// Adds a rule, or puts it in the place of the one that had its name.
    pub fn define(&mut self, definition: Definition) {
        match self.index.get(&definition.name) {
            Some(&at) => self.rules[at] = definition,
            None => {
                self.index.insert(definition.name.clone(), self.rules.len());
                self.rules.push(definition);
            }
        }
    }

    /// Whether there is a rule of that name.
    pub fn has(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }

    /// What is said of the rule of that name, to add to it.
    pub fn attributes_mut(&mut self, name: &str) -> &mut Attributes {
        if !self.attributes.contains_key(name) {
            self.attributes.insert(name.into(), Attributes::default());
        }
        self.attributes.get_mut(name).expect("was just inserted")
    }

    /// The score of a rule in one of the four sets: as written, or 1 (0.01 for `T_` rules), negative
    /// where tflags say `nice`.
    pub fn score(&self, name: &str, set: usize) -> f64 {
        let attributes = self.attributes.get(name);
        if let Some(scores) = attributes.and_then(|attributes| attributes.scores) {
            return scores.get(set).copied().unwrap_or_default();
        }
        let score = if name.starts_with("T_") { 0.01 } else { 1.0 };
        match attributes.is_some_and(|attributes| attributes.tflags.nice) {
            true => -score,
            false => score,
        }
    }
}
