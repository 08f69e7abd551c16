//! Which literal strings must be there for a pattern to match?
//!
//! [`factors`] gives a set of strings, in lower case, one of which (letter case apart) is part of
//! every match. Hyperscan finds strings at many times the speed of patterns and compiles them in no
//! time, so a rare enough set is the best prefilter there is: no match is lost, and PCRE2 looks at
//! the few texts that are left.

use std::collections::BTreeSet;

use regex_syntax::{
    ParserBuilder,
    hir::{Class, Hir, HirKind},
};

use super::Flags;

/// The largest set that is built, and the longest string in it.
const MOST: usize = 250;
const LONGEST: usize = 40;
/// Classes of more bytes stand for anything.
const CLASS: usize = 8;
/// Sets that are expected more often than once in so many bytes are no filter.
const RARE: f64 = 1.0 / 4000.0;

type Set = BTreeSet<Vec<u8>>;

/// Strings of which every match holds one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factors {
    /// In lower case, in order.
    pub strings: Vec<Vec<u8>>,
    /// Whether each occurrence of one of them, letter case apart, is a match.
    pub decide: bool,
}

/// The rarest set that was found; `None` where there is none that is rare enough.
pub fn factors(plain: &str, flags: Flags) -> Option<Factors> {
    let hir = ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .octal(true)
        .case_insensitive(flags.caseless)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all)
        .build()
        .parse(plain)
        .ok()?;
    let found = look(&hir);
    let whole = found.exact.clone();
    let strings = found.required()?;
    let decide = flags.caseless && hir.properties().look_set().is_empty() && whole.as_ref() == Some(&strings);
    (frequency(&strings) <= RARE).then(|| Factors { strings: strings.into_iter().collect(), decide })
}

/// What is known of a node.
struct Found {
    /// All strings that the node matches, where they are few.
    exact: Option<Set>,
    /// A set of strings of which every match holds one: the rarest that was met.
    required: Option<Set>,
}

impl Found {
    const NOTHING: Found = Found { exact: None, required: None };

    fn exactly(set: Set) -> Found {
        Found { exact: Some(set), required: None }
    }

    fn required(self) -> Option<Set> {
        rarer(self.exact, self.required)
    }
}

fn look(hir: &Hir) -> Found {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Found::exactly(Set::from([Vec::new()])),
        HirKind::Literal(literal) => {
            let text = literal.0.to_ascii_lowercase();
            let cut = text.get(..LONGEST).unwrap_or(&text).to_vec();
            match cut.len() == text.len() {
                true => Found::exactly(Set::from([cut])),
                false => Found { exact: None, required: Some(Set::from([cut])) },
            }
        }
        HirKind::Class(class) => members(class).map_or(Found::NOTHING, Found::exactly),
        HirKind::Capture(capture) => look(&capture.sub),
        HirKind::Repetition(repetition) => {
            let inner = look(&repetition.sub);
            match (repetition.min, repetition.max) {
                (1, Some(1)) => inner,
                (0, Some(1)) => {
                    let exact = inner.exact.filter(|set| set.len() < MOST);
                    let with_empty = |mut set: Set| {
                        set.insert(Vec::new());
                        set
                    };
                    Found { exact: exact.map(with_empty), required: None }
                }
                (0, _) => Found::NOTHING,
                (least, most) => {
                    let repeated = inner.exact.as_ref().filter(|_| most == Some(least) && least <= 8);
                    let repeated = repeated
                        .and_then(|set| (1..least).try_fold(set.clone(), |product, _| cross(&product, set)));
                    Found { exact: repeated, required: rarer(inner.exact, inner.required) }
                }
            }
        }
        HirKind::Concat(parts) => concat(parts),
        HirKind::Alternation(branches) => alternation(branches),
    }
}

fn members(class: &Class) -> Option<Set> {
    let Class::Bytes(class) = class else { return None };
    let mut set = Set::new();
    for range in class.ranges() {
        for byte in range.start()..=range.end() {
            set.insert(vec![byte.to_ascii_lowercase()]);
            if set.len() > CLASS {
                return None;
            }
        }
    }
    Some(set)
}

/// Neighbours are joined as long as their strings are few; what cannot be joined begins anew.
fn concat(parts: &[Hir]) -> Found {
    let mut run = Set::from([Vec::new()]);
    let (mut whole, mut required) = (true, None);
    for part in parts {
        let found = look(part);
        required = rarer(required, found.required);
        let joined = found.exact.as_ref().and_then(|exact| cross(&run, exact));
        match joined {
            Some(joined) => run = joined,
            None => {
                required = rarer(required, Some(std::mem::take(&mut run)));
                whole = false;
                run = found.exact.unwrap_or_else(|| Set::from([Vec::new()]));
            }
        }
    }
    match whole {
        true => Found { exact: Some(run), required },
        false => Found { exact: None, required: rarer(required, Some(run)) },
    }
}

/// Every branch has to give something.
fn alternation(branches: &[Hir]) -> Found {
    let found: Vec<Found> = branches.iter().map(look).collect();
    let mut exact = Some(Set::new());
    for branch in &found {
        exact = match (exact, &branch.exact) {
            (Some(mut all), Some(set)) => {
                all.extend(set.iter().cloned());
                (all.len() <= MOST).then_some(all)
            }
            _ => None,
        };
    }
    let mut required = Some(Set::new());
    for branch in found {
        required = match (required, branch.required()) {
            (Some(mut all), Some(set)) => {
                all.extend(set);
                (all.len() <= MOST).then_some(all)
            }
            _ => None,
        };
    }
    Found { exact, required }
}

fn cross(left: &Set, right: &Set) -> Option<Set> {
    if left.len() * right.len() > MOST {
        return None;
    }
    let pairs = left.iter().flat_map(|a| right.iter().map(move |b| [a.as_slice(), b].concat()));
    let product: Set = pairs.collect();
    product.iter().all(|text| text.len() <= LONGEST).then_some(product)
}

/// The better filter of two.
fn rarer(a: Option<Set>, b: Option<Set>) -> Option<Set> {
    match (a, b) {
        (Some(a), Some(b)) if frequency(&b) < frequency(&a) => Some(b),
        (Some(a), _) => Some(a),
        (None, b) => b,
    }
}

/// Roughly how often strings of the set begin at a byte of mail. A set with an empty string is everywhere.
fn frequency(set: &Set) -> f64 {
    set.iter().map(|text| text.iter().map(|&byte| share(byte)).product::<f64>()).sum()
}

/// Letters are likelier than chance where they stand in words, hence larger shares than single
/// letters have.
fn share(byte: u8) -> f64 {
    match byte {
        b' ' | b'e' => 0.25,
        b'a' | b'i' | b'n' | b'o' | b'r' | b's' | b't' => 0.2,
        b'c' | b'd' | b'h' | b'l' | b'm' | b'u' | b'p' => 0.14,
        b'b' | b'f' | b'g' | b'v' | b'w' | b'y' | b'.' | b'/' | b'\n' | b'0' | b'1' | b'2' => 0.1,
        b'-' | b'3'..=b'9' | b',' | b':' | b'=' | b'<' | b'>' | b'"' => 0.08,
        _ => 0.03,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: &str) -> Option<Vec<String>> {
        let flags = Flags { caseless: true, ..Flags::default() };
        let found = factors(pattern, flags)?.strings;
        Some(found.into_iter().map(|text| String::from_utf8(text).unwrap()).collect())
    }

    fn some(texts: &[&str]) -> Option<Vec<String>> {
        Some(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn what_must_be_there() {
        assert_eq!(of(r"\bViagra\b"), some(&["viagra"]));
        assert_eq!(of("(?:viagra|cialis)"), some(&["cialis", "viagra"]));
        assert_eq!(
            of("cheap (?:med|pill)s? now"),
            some(&["cheap med now", "cheap meds now", "cheap pill now", "cheap pills now"])
        );
        assert_eq!(of(".*unsubscribe.*"), some(&["unsubscribe"]));
        assert_eq!(of("(?:lottery)+[^x]*winning"), some(&["winning"]));
        assert_eq!(of("colou?r of money"), some(&["color of money", "colour of money"]));
        assert_eq!(of("[vw]iagra"), some(&["viagra", "wiagra"]));
    }

    #[test]
    fn what_is_no_filter() {
        for pattern in [".*", "a|", "(?:viagra)?", r"\d+", "the", "[a-z]{5,}", "(?:lottery|.)", "a{3}"] {
            assert_eq!(of(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn what_cannot_be_parsed_gives_none() {
        for pattern in ["(", "(?=x)", r"\1", "[z-a]"] {
            assert_eq!(of(pattern), None, "{pattern}");
        }
    }
}
