//! Which literal strings must be there for a pattern to match?
//!
//! [`literals`] gives clauses, one of which holds for every match: sets of strings, in lower case, of
//! each of which one (letter case apart) is part of the text. Hyperscan finds strings at many times
//! the speed of patterns and compiles them in no time, so clauses that are rarely true are the best
//! prefilter there is: no match is lost, and PCRE2 looks at the few texts that are left. Patterns for obfuscated words
//! allow so many bytes for a letter, and so much between letters, that only [`filter`] gives something:
//! what a match in plain ASCII holds, or in squeezed text.

use std::collections::BTreeSet;

use regex_syntax::{
    ParserBuilder,
    hir::{Class, Hir, HirKind},
};

use super::{
    Flags,
    frequency::frequency,
    plain::{byte_class, in_plain_texts},
    squeezed::{Signs, squeezed},
};

/// The largest set that is built of alternatives, that of combinations, and the longest string in one.
const MOST: usize = 800;
const COMBINED: usize = 150;
const LONGEST: usize = 40;
/// Classes of more bytes stand for anything.
const CLASS: usize = 8;
/// Clauses of one pattern, and sets of one clause.
const CLAUSES: usize = 20;
const SETS: usize = 3;
const SHORTEST: usize = 3;

/// How frequent strings may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A set that is met more often than this, a byte, costs more than it tells.
    set: f64,
    /// Clauses that hold more often than this are no filter.
    clauses: f64,
}

impl Limits {
    /// With sets of up to 0.02 a scan took a third longer, where Hyperscan can do with whole patterns.
    pub const STRICT: Limits = Limits { set: 0.002, clauses: 1.0 / 800.0 };
    /// Where all that is left is to search every text.
    pub const LOOSE: Limits = Limits { set: 0.02, clauses: 1.0 / 100.0 };
}

/// Bytes in which all sets of a clause have to be met: about a paragraph.
const TEXT: f64 = 400.0;

type Set = BTreeSet<Vec<u8>>;

/// Sets that all have to be met; the rarest is the first.
type Clause = Vec<Set>;

/// What every match holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factors {
    /// One of the clauses holds: of each of its sets a string is there. Strings are in lower case.
    pub clauses: Vec<Vec<Vec<Vec<u8>>>>,
    /// Whether each occurrence of a string, letter case apart, is a match.
    pub decide: bool,
    /// How often strings have to be there: 1, or more for a single clause of a single set.
    pub least: u32,
}

/// What is known of the strings in a pattern's matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literals {
    /// Clauses that are rare enough for a filter.
    Rare(Factors),
    /// Nothing useful, but some strings are there.
    Common,
    /// Matches need not have any string in common.
    None,
}

/// The rarest clauses that were found.
pub fn literals(plain: &str, flags: Flags) -> Literals {
    // what cannot be read may have anything in common
    parsed(plain, flags).map_or(Literals::Common, |hir| of_hir(&hir, flags, Limits::STRICT))
}

/// Which texts a filter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Texts {
    /// Those without what [`is_plain`](super::is_plain) excludes: neither takes part in a match there.
    pub ascii: bool,
    /// [Squeezed](super::squeeze) ones. Where signs that stand for letters make a difference, the strings are in one of the two
    /// squeezed texts.
    pub squeezed: bool,
}

/// What strings a match in `texts` holds, where [`literals`] gives nothing useful; they never decide.
pub fn filter(plain: &str, flags: Flags, texts: Texts, limits: Limits) -> Option<Factors> {
    let hir = parsed(plain, flags)?;
    let hir = if texts.ascii { in_plain_texts(&hir) } else { hir };
    if !texts.squeezed {
        return rare(&hir, flags, limits);
    }
    let found = [Signs::Gone, Signs::Letters].map(|signs| rare(&squeezed(&hir, signs), flags, limits));
    let found = found.into_iter().flatten().filter_map(|mut factors| {
        for set in factors.clauses.iter_mut().flatten() {
            set.iter_mut().for_each(Vec::dedup);
            set.sort();
            set.dedup();
        }
        factors.clauses.iter().flatten().flatten().all(|string| string.len() >= SHORTEST).then_some(factors)
    });
    found.min_by(|a, b| cost(&a.clauses).total_cmp(&cost(&b.clauses)))
}

/// Strings, each of them frequent, of which so many stand in every match of a group that is repeated so often.
pub fn counted(plain: &str, flags: Flags) -> Option<Factors> {
    const FREQUENT: Limits = Limits { set: 0.2, clauses: 0.2 };
    let hir = parsed(plain, flags)?;
    let HirKind::Repetition(repetition) = hir.kind() else { return None };
    let found = FREQUENT.look(&repetition.sub);
    let set = collapsed(FREQUENT.all(found)?)?;
    // a string that holds another would be counted twice
    let holds =
        |long: &Vec<u8>, short: &Vec<u8>| long != short && memchr::memmem::find(long, short).is_some();
    let shortest = set.iter().filter(|string| !set.iter().any(|other| holds(string, other)));
    let least = repetition.min;
    (least > 2).then(|| Factors { clauses: vec![vec![shortest.cloned().collect()]], decide: false, least })
}

fn rare(hir: &Hir, flags: Flags, limits: Limits) -> Option<Factors> {
    match of_hir(hir, flags, limits) {
        Literals::Rare(factors) => Some(Factors { decide: false, ..factors }),
        Literals::Common | Literals::None => None,
    }
}

fn of_hir(hir: &Hir, flags: Flags, limits: Limits) -> Literals {
    let found = limits.look(hir);
    let looks = !hir.properties().look_set().is_empty();
    let decide =
        flags.caseless && !looks && found.exact.as_ref().is_some_and(|set| frequency(set) <= limits.clauses);
    let clauses = match decide {
        true => found.exact.map(|set| vec![vec![set]]),
        false => limits.all(found),
    };
    let strings = |set: Set| set.into_iter().collect();
    match clauses {
        None => Literals::None,
        Some(clauses) if cost(&clauses) > limits.clauses => Literals::Common,
        Some(clauses) => Literals::Rare(Factors {
            clauses: clauses.into_iter().map(|clause| clause.into_iter().map(strings).collect()).collect(),
            decide,
            least: 1,
        }),
    }
}

/// The pattern as a tree.
pub fn parsed(plain: &str, flags: Flags) -> Option<Hir> {
    ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .octal(true)
        .case_insensitive(flags.caseless)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all)
        .build()
        .parse(plain)
        .ok()
}

/// What is known of a node.
struct Found {
    /// All strings that the node matches, where they are few.
    exact: Option<Set>,
    /// Clauses of which one holds in every match; `None` where nothing is known.
    required: Option<Vec<Clause>>,
    /// Strings of which every match begins with one and ends in one, where it is not `exact`.
    ends: Option<Set>,
}

impl Found {
    const NOTHING: Found = Found { exact: None, required: None, ends: None };

    fn exactly(set: Set) -> Found {
        Found { exact: Some(set), ..Found::NOTHING }
    }
}

impl Limits {
    /// All that is known of a node's matches as clauses.
    fn all(self, found: Found) -> Option<Vec<Clause>> {
        self.and(found.exact.and_then(|set| self.single(set)), found.required)
    }

    fn look(self, hir: &Hir) -> Found {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Found::exactly(Set::from([Vec::new()])),
            HirKind::Literal(literal) => {
                let text = literal.0.to_ascii_lowercase();
                let cut = text.get(..LONGEST).unwrap_or(&text).to_vec();
                match cut.len() == text.len() {
                    true => Found::exactly(Set::from([cut])),
                    false => Found { required: self.single(Set::from([cut])), ..Found::NOTHING },
                }
            }
            HirKind::Class(class) => members(class).map_or(Found::NOTHING, Found::exactly),
            HirKind::Capture(capture) => self.look(&capture.sub),
            HirKind::Repetition(repetition) => {
                let inner = self.look(&repetition.sub);
                match (repetition.min, repetition.max) {
                    (1, Some(1)) => inner,
                    (0, Some(1)) => {
                        let exact = inner.exact.filter(|set| set.len() < MOST);
                        let with_empty = |mut set: Set| {
                            set.insert(Vec::new());
                            set
                        };
                        Found { exact: exact.map(with_empty), ..Found::NOTHING }
                    }
                    (0, _) => Found::NOTHING,
                    (least, most) => {
                        let set = inner.exact.as_ref().filter(|_| least <= 8);
                        let repeated = set.and_then(|set| {
                            (1..least).try_fold(set.clone(), |product, _| cross(&product, set))
                        });
                        let (exact, ends) =
                            if most == Some(least) { (repeated, None) } else { (None, repeated) };
                        Found { exact, required: self.all(inner), ends }
                    }
                }
            }
            HirKind::Concat(parts) => self.concat(parts),
            HirKind::Alternation(branches) => self.alternation(branches),
        }
    }

    /// Neighbours are joined as long as their strings are few; what cannot be joined begins anew.
    fn concat(self, parts: &[Hir]) -> Found {
        let mut run = Set::from([Vec::new()]);
        let (mut whole, mut required) = (true, None);
        for part in parts {
            let found = self.look(part);
            required = self.and(required, found.required);
            let joined = found.exact.as_ref().and_then(|exact| cross(&run, exact));
            match joined {
                Some(joined) => run = joined,
                None => {
                    // what the part begins with belongs to what was before it, what it ends with to what follows
                    let begun = found.ends.as_ref().and_then(|ends| cross(&run, ends));
                    required = self.and(required, self.single(begun.unwrap_or(run)));
                    whole = false;
                    run = found.exact.or(found.ends).unwrap_or_else(|| Set::from([Vec::new()]));
                }
            }
        }
        match whole {
            true => Found { exact: Some(run), required, ends: None },
            false => Found { required: self.and(required, self.single(run)), ..Found::NOTHING },
        }
    }

    /// Every branch has to give something.
    fn alternation(self, branches: &[Hir]) -> Found {
        let found: Vec<Found> = branches.iter().map(|branch| self.look(branch)).collect();
        let exact = found.iter().try_fold(Set::new(), |mut all, branch| {
            all.extend(branch.exact.as_ref()?.iter().cloned());
            (all.len() <= MOST).then_some(all)
        });
        let required = found.into_iter().try_fold(Vec::new(), |mut all, branch| {
            all.extend(self.all(branch)?);
            Some(all)
        });
        Found { exact, required: required.and_then(|clauses| self.fewer(clauses)), ends: None }
    }

    /// A set as the only condition, unless it tells nothing.
    fn single(self, set: Set) -> Option<Vec<Clause>> {
        let long = set.iter().all(|text| text.len() >= SHORTEST);
        (!set.is_empty() && long && frequency(&set) < self.set).then(|| vec![vec![set]])
    }

    /// Both hold. Where that makes too many clauses, the more frequent side is left out or simplified.
    fn and(self, a: Option<Vec<Clause>>, b: Option<Vec<Clause>>) -> Option<Vec<Clause>> {
        let (a, b) = match (a, b) {
            (Some(a), Some(b)) => (a, b),
            (a, b) => return a.or(b),
        };
        let (rare, mut other) = if cost(&a) <= cost(&b) { (a, b) } else { (b, a) };
        if rare.len() * other.len() > CLAUSES {
            match collapsed(other).and_then(|set| self.single(set)) {
                Some(simple) => other = simple,
                None => return Some(rare),
            }
        }
        let both = |left: &Clause, right: &Clause| {
            let mut sets: Clause = left.iter().chain(right).cloned().collect();
            sets.sort_by(|a, b| frequency(a).total_cmp(&frequency(b)));
            sets.dedup();
            sets.truncate(SETS);
            sets
        };
        Some(rare.iter().flat_map(|left| other.iter().map(move |right| both(left, right))).collect())
    }

    /// Clauses of a single set become one; if there are too many still, only the rarest sets stay.
    fn fewer(self, clauses: Vec<Clause>) -> Option<Vec<Clause>> {
        let (lone, mut several): (Vec<Clause>, Vec<Clause>) =
            clauses.into_iter().partition(|clause| clause.len() == 1);
        if !lone.is_empty() {
            several.push(vec![collapsed(lone)?]);
        }
        match several.len() <= CLAUSES {
            true => Some(several),
            false => self.single(collapsed(several)?),
        }
    }
}

fn members(class: &Class) -> Option<Set> {
    let class = byte_class(class)?;
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

fn cross(left: &Set, right: &Set) -> Option<Set> {
    if left.len() * right.len() > COMBINED {
        return None;
    }
    let pairs = left.iter().flat_map(|a| right.iter().map(move |b| [a.as_slice(), b].concat()));
    let product: Set = pairs.collect();
    product.iter().all(|text| text.len() <= LONGEST).then_some(product)
}

/// One set for all clauses: a string of the rarest set of one of them is there.
fn collapsed(clauses: Vec<Clause>) -> Option<Set> {
    let all: Set = clauses.into_iter().filter_map(|clause| clause.into_iter().next()).flatten().collect();
    (all.len() <= MOST).then_some(all)
}

/// Roughly how often a clause begins to hold at a byte of mail.
fn cost<S>(clauses: &[Vec<S>]) -> f64
where
    for<'s> &'s S: IntoIterator<Item = &'s Vec<u8>>,
{
    let one = |clause: &Vec<S>| {
        let mut frequencies = clause.iter().map(frequency);
        let first = frequencies.next().unwrap_or(1.0);
        first * frequencies.map(|other| (other * TEXT).min(1.0)).product::<f64>()
    };
    clauses.iter().map(one).sum()
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::{super::squeeze, *};

    fn factors(pattern: &str, flags: Flags) -> Option<Factors> {
        match literals(pattern, flags) {
            Literals::Rare(factors) => Some(factors),
            Literals::Common | Literals::None => None,
        }
    }

    /// The clauses: sets joined by `&`, their strings by `|`.
    fn of(pattern: &str) -> Option<Vec<String>> {
        let flags = Flags { caseless: true, ..Flags::default() };
        let set = |set: Vec<Vec<u8>>| {
            set.into_iter().map(|text| String::from_utf8(text).unwrap()).collect::<Vec<_>>().join("|")
        };
        let clause = |sets: Vec<Vec<Vec<u8>>>| sets.into_iter().map(set).collect::<Vec<_>>().join(" & ");
        Some(factors(pattern, flags)?.clauses.into_iter().map(clause).collect())
    }

    fn some(texts: &[&str]) -> Option<Vec<String>> {
        Some(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    #[test]
    fn what_must_be_there() {
        assert_eq!(of(r"\bViagra\b"), some(&["viagra"]));
        assert_eq!(of("(?:viagra|cialis)"), some(&["cialis|viagra"]));
        assert_eq!(
            of("cheap (?:med|pill)s? now"),
            some(&["cheap med now|cheap meds now|cheap pill now|cheap pills now"])
        );
        assert_eq!(of(".*unsubscribe.*"), some(&["unsubscribe"]));
        assert_eq!(of("(?:lottery)+[^x]*winning"), some(&["winning & lottery"]));
        assert_eq!(of("ad+res+es"), some(&["dres"]));
        assert_eq!(of("colou?r of money"), some(&["color of money|colour of money"]));
        assert_eq!(of("[vw]iagra"), some(&["viagra|wiagra"]));
        assert_eq!(
            of(r"\b(?:verify.{0,40}mailbox|xanax|suspend.{0,40}mailbox|valium)\b"),
            some(&["mailbox & verify", "mailbox & suspend", "valium|xanax"])
        );
    }

    #[test]
    fn obfuscated_words_have_literals_in_ascii_only() {
        let letters =
            [r"[aA@4\xc0-\xc6]|\xc3[\x80-\x85]", r"[mM]|\xd0[\x9c\xbc]", r"[zZ2\xb6]|\xc5[\xb9-\xbe]"];
        let pattern = [0, 1, 0, 2].map(|at| format!("(?:{})", letters[at])).concat();
        let flags = Flags { caseless: true, ..Flags::default() };
        assert!(!matches!(literals(&pattern, flags), Literals::Rare(_)));
        let ascii =
            |pattern: &str| filter(pattern, flags, Texts { ascii: true, squeezed: false }, Limits::STRICT);
        let factors = ascii(&pattern).unwrap();
        let [clause] = &factors.clauses[..] else { panic!("{factors:?}") };
        assert!(clause.iter().flatten().all(|text| text.is_ascii()), "{clause:?}");
        assert!(clause[0].contains(&b"@m4z".to_vec()), "{clause:?}");
        assert!(!factors.decide);
        // what needs a byte above ASCII never matches there: it waits for a string of none
        assert_eq!(ascii(r"abc\xc3").unwrap().clauses, [[Vec::<Vec<u8>>::new()]]);
        assert_eq!(ascii(r"(?:\xc3|viagra)(?:\xc3\xa1)*").unwrap().clauses, [[[b"viagra".to_vec()]]]);
    }

    #[test]
    fn obfuscated_words_have_literals_when_they_are_squeezed() {
        let flags = Flags { caseless: true, ..Flags::default() };
        let of = |pattern, ascii| {
            let texts = Texts { ascii, squeezed: true };
            filter(pattern, flags, texts, Limits::STRICT).map(|factors| factors.clauses)
        };
        let gapped = r"\b_{0,3}z[_\W]?a{1,2}[_\W]?n[_\W]?[a4\xe0]f[_\W]?l[_\W]?[e3]x";
        assert_eq!(of(gapped, false).unwrap(), [[[b"zanafiex".to_vec(), b"zanfiex".to_vec()]]]);
        let shapes = r"(?:[wv]|\xc5[\xb4\xb5])[a@][il|!1]{1,2}[il|!1][e3]t";
        assert_eq!(of(shapes, false).unwrap(), [[[b"aiet".to_vec(), b"vaiet".to_vec(), b"waiet".to_vec()]]]);
        assert_eq!(of(shapes, true).unwrap(), [[[b"vaiet".to_vec(), b"waiet".to_vec()]]]);
        // three of the same are one
        assert_eq!(of("x+x+xx", true), None);
    }

    proptest! {
        /// No match is lost: that is what makes it a prefilter.
        #[test]
        fn what_matches_holds_the_squeezed_strings(
            parts in vec(select(PARTS), 1..12),
            (before, after) in ("[a-z!@ 0-9]{0,4}", "[a-z!@ 0-9]{0,4}"),
            (ascii, loose) in (any::<bool>(), any::<bool>()),
        ) {
            let (pattern, text): (Vec<&str>, Vec<&str>) = parts.into_iter().unzip();
            let text = format!("{before}{}{after}", text.concat());
            let flags = Flags { caseless: true, ..Flags::default() };
            let limits = if loose { Limits::LOOSE } else { Limits::STRICT };
            let found = filter(&pattern.concat(), flags, Texts { ascii, squeezed: true }, limits);
            let Some(factors) = found else { return Ok(()) };
            let squeezed = [Signs::Gone, Signs::Letters].map(|signs| {
                let mut out = Vec::new();
                squeeze(text.as_bytes(), signs, &mut out);
                out
            });
            let stands = |string: &Vec<u8>| squeezed.iter().any(|text| memchr::memmem::find(text, string).is_some());
            let holds = factors.clauses.iter().any(|clause| clause.iter().all(|set| set.iter().any(stands)));
            prop_assert!(holds, "{} matches {text}, but {factors:?}", pattern.concat());
        }
    }

    /// Patterns, and what each may match.
    const PARTS: &[(&str, &str)] = &[
        ("v", "V"),
        ("[i1!|l]", "!"),
        ("[i1!|l]", "L"),
        ("[a4@]", "@"),
        ("[a4@]", "4"),
        ("g{1,2}", "gG"),
        (r"[_\W]{0,3}", " -!"),
        (r"[_\W]{0,3}", ""),
        ("r+", "rrr"),
        ("(?:m|rn)", "rn"),
        ("x?", "x"),
        ("x?", ""),
        ("[^b]", "q"),
        ("z{2}", "zz"),
        ("[sz$]{1,2}", "s$"),
        ("(?:k|&#107;)*", "kk"),
        (r"\bpill\b", "pill"),
    ];

    #[test]
    fn a_repeated_group_has_its_strings_as_often() {
        let flags = Flags { caseless: true, ..Flags::default() };
        let found = counted(r"(?:(?:your\s)?(?:name|full name|age)\W*){3}", flags).unwrap();
        assert_eq!((found.clauses, found.least), (vec![vec![vec![b"age".to_vec(), b"name".to_vec()]]], 3));
        assert_eq!(counted("(?:age:){2}", flags), None);
        assert_eq!(counted("x(?:age:){3}", flags), None);
    }

    #[test]
    fn strings_that_decide() {
        let decide = |pattern: &str, caseless| {
            factors(pattern, Flags { caseless, ..Flags::default() }).unwrap().decide
        };
        assert!(decide("viagra|cialis", true));
        assert!(!decide(r"\bviagra", true) && !decide("viagra", false) && !decide("viagra.*", true));
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
        for pattern in ["(", "(?=x)", "[z-a]"] {
            assert_eq!(literals(pattern, Flags::default()), Literals::Common, "{pattern}");
        }
    }
}
