//! What does a rule's regular expression mean to the two engines?
//!
//! Rules are written for Perl (under `/aa`, on bytes). `Delimited` takes the delimiters and flags
//! off, `Regex` holds the two translations: one that PCRE2 decides exactly as Perl would, and one
//! for Hyperscan that finds at least as much.

mod delimiters;
mod factors;
mod frequency;
mod lighter;
mod needs;
mod plain;
mod squeezed;
mod translate;

pub use delimiters::Delimited;
pub use factors::{Factors, Limits, Literals, Texts, counted, filter, literals, parsed};
pub use needs::{Bytes, Demand, Demands, KINDS, Needs};
pub use plain::is_plain;
use regex_syntax::hir::Hir;
pub use squeezed::{Signs, squeeze};
pub use translate::translate;

/// What a text must have for a pattern in the dialect of the `regex` crate to match.
pub fn needs(plain: &str, flags: Flags) -> Needs {
    factors::parsed(plain, flags).map(|hir| Needs::of(&hir)).unwrap_or_default()
}

/// Whether matches of a pattern in the dialect of the `regex` crate may begin at a third of all bytes and more.
pub fn starts_anywhere(plain: &str, flags: Flags) -> bool {
    factors::parsed(plain, flags).is_none_or(|hir| needs::first(&hir).frequency() > 0.3)
}

/// The bytes that a pattern in the dialect of the `regex` crate matches one by one in plain texts, if it matches nothing else
/// there.
pub fn letters(plain: &str, flags: Flags) -> Option<Bytes> {
    needs::only(&plain::in_plain_texts(&factors::parsed(plain, flags)?))
}

/// What finds at least as much as a pattern in the dialect of the `regex` crate, and takes fewer states; `None` where nothing
/// does.
pub fn lighter_than(plain: &str, flags: Flags) -> Option<Hir> {
    lighter::lighter(&factors::parsed(plain, flags)?)
}

/// The flags that change what a pattern means; the others (`g`, `o`, ...) have no effect in rules.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    pub caseless: bool,
    pub dot_all: bool,
    pub multi_line: bool,
    pub extended: bool,
}

/// A pattern in the dialects of the two engines. Both texts are ASCII without NUL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regex {
    /// For PCRE2: decides.
    pub exact: String,
    /// For Hyperscan: matches wherever `exact` does, and maybe elsewhere.
    pub scan: String,
    /// `scan` without what looks around or back, in the dialect of the `regex` crate: for finding the literals that every
    /// match holds, and for patterns that are too large for PCRE2.
    pub plain: String,
    /// Whether `plain` matches just where `exact` does.
    pub linear: bool,
    /// Whether `scan` may match where `exact` does not.
    pub loosened: bool,
    /// Where `scan` may be cut: each piece between two cuts is part of every match. Empty where the
    /// pattern is an alternation.
    pub cuts: Vec<usize>,
    pub flags: Flags,
    /// Names of groups whose text later rules may use: `(?<NAME>..)` with a capital first letter.
    pub captures: Vec<String>,
}

/// Why a pattern is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    #[error("no delimiters around the regular expression")]
    NoDelimiters,
    #[error("unescaped delimiter inside of the regular expression")]
    Delimiter,
    #[error("unknown flags `{0}` behind the regular expression")]
    Flags(String),
    #[error("code in a regular expression")]
    Code,
    #[error("unfinished {0} in the regular expression")]
    Unfinished(&'static str),
    #[error("a regular expression of more than {0} bytes")]
    TooLong(usize),
    #[error("a character above \\xff, which no byte can match")]
    Wide,
    #[error("groups nested more than {0} deep")]
    TooDeep(usize),
}
