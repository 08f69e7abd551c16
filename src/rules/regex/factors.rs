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

/// The largest set that is built of alternatives, that of combinations, and the longest string in one.
const MOST: usize = 800;
const COMBINED: usize = 150;
const LONGEST: usize = 40;
/// Classes of more bytes stand for anything.
const CLASS: usize = 8;
/// Sets that are expected more often than once in so many bytes are no filter.
const RARE: f64 = 1.0 / 800.0;

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
    if left.len() * right.len() > COMBINED {
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
    set.iter().map(|text| one(text)).sum()
}

/// The words of a string are taken for independent.
fn one(text: &[u8]) -> f64 {
    if text.is_empty() {
        return 1.0;
    }
    const EVERYWHERE: [&str; 7] =
        ["http://www.", "https://www.", ".com/", ".net/", ".org/", ".html\"", "mailto:"];
    if EVERYWHERE.iter().any(|common| memchr::memmem::find(common.as_bytes(), text).is_some()) {
        return 0.01;
    }
    let words = text.split(|byte| !byte.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let words: f64 = words.map(word).product();
    let others: f64 =
        text.iter().filter(|byte| !byte.is_ascii_alphanumeric()).map(|&byte| sign(byte)).product();
    words * others
}

/// A word or the piece of one. Letters are likelier where they stand in words than by themselves.
fn word(word: &[u8]) -> f64 {
    const IN_WORDS: f64 = 8.0;
    let letters: f64 = word.iter().map(|&byte| letter(byte)).product();
    let is_common = memchr::memmem::find(COMMON.as_bytes(), word).is_some();
    match word.len() {
        0..=3 if is_common => letters.max(0.005),
        4 if is_common => letters.max(0.001),
        _ if is_common => letters.max(0.0002),
        _ => (letters * IN_WORDS).min(1.0),
    }
}

fn letter(byte: u8) -> f64 {
    match byte {
        b'e' => 0.1,
        b'a' | b'i' | b'n' | b'o' | b'r' | b's' | b't' => 0.07,
        b'c' | b'd' | b'h' | b'l' | b'm' | b'u' | b'p' => 0.035,
        b'b' | b'f' | b'g' | b'v' | b'w' | b'y' | b'0' | b'1' | b'2' => 0.02,
        b'3'..=b'9' => 0.01,
        _ => 0.004,
    }
}

/// What is neither letter nor digit. Blanks come with words, so they say little.
fn sign(byte: u8) -> f64 {
    match byte {
        b' ' => 0.5,
        b'.' | b'/' | b'-' | b',' | b'\n' | b':' | b'=' | b'<' | b'>' | b'"' | b'\'' => 0.3,
        0x80.. => 0.3,
        _ => 0.05,
    }
}

/// Words that are in most mails: no pattern is rare because of them.
const COMMON: &str = "\
    about account address after again also amount another available back because been before best \
    between business call change charset check click com company complete contact content could cuenta \
    customer date days details discussion does down edu email even every find first following free \
    friend from full further getting good great group have help here home html http https images \
    information interest international internet into just know large last life like line link list local \
    long look made mailing mailto make many message million mime money month more most much name need \
    net never newsletter next nothing number office online only open order org other over page para part \
    people phone place plain please point price problem product program question read really receive \
    remove reply report right said same security send server service should since site small some \
    something special start state still subject subscribe such support sure system take team text than \
    thank that the their them then there these they thing think this those through time today type under \
    until update user using very view want week well were what when where which while will with without \
    word work world would wrote www year your";

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
        for pattern in
            [".*", "a|", "(?:viagra)?", r"\d+", "the", "http://", "[a-z]{5,}", "(?:lottery|.)", "aa?e"]
        {
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
