//! Named captures: what `(?<NAME>..)` of one rule matched stands for `%{NAME}` in the patterns of others.
//!
//! A pattern with `%{NAME}` in it is compiled with anything in its place. A text that matches so is a
//! candidate: it is kept until all rules have run, and compared with what was captured.

use rustc_hash::FxHashMap;

use super::{
    language::{Literal, Test},
    matching::{Decider, Exceeded},
    regex::{Flags, Regex, translate},
};

/// Values kept of one name, and the bytes of each: what is longer is no part of an address or a link.
const MOST_VALUES: usize = 100;
const LONGEST_VALUE: usize = 4096;
/// Bytes of texts kept as candidates.
const MOST_BYTES: usize = 1 << 20;

/// A pattern that names what others capture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    source: Vec<u8>,
    flags: Flags,
    pub names: Vec<String>,
    negated: bool,
}

/// What was captured in one message, by name, and the texts that wait for it.
#[derive(Clone, Debug, Default)]
pub struct Captured {
    values: FxHashMap<String, Vec<Vec<u8>>>,
    candidates: Vec<(u32, Vec<u8>)>,
    bytes: usize,
}

impl Template {
    /// The pattern of a rule as a template; `None` where it names nothing.
    pub fn of(test: &Test) -> Option<Template> {
        let (Literal { source, flags }, negated) = match test {
            Test::Pattern(literal) => (literal, false),
            Test::Header { comparison, .. } => (&comparison.literal, comparison.negated),
            _ => return None,
        };
        let mut names: Vec<String> = Vec::new();
        for (_, name) in references(source) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        (!names.is_empty()).then(|| Template { source: source.clone(), flags: *flags, names, negated })
    }

    /// What every text matches that the pattern, whatever was captured, could say something of. Of a negated one
    /// that is any text.
    ///
    /// # Errors
    /// The pattern is none.
    pub fn loose(&self) -> Result<Regex, String> {
        let source = match self.negated {
            true => Vec::new(),
            false => self.replaced(|_| Some(b"(?s:.*)".to_vec())).unwrap_or_default(),
        };
        translate(&source, self.flags).map_err(|error| error.to_string())
    }

    fn replaced(&self, value: impl Fn(&str) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        let mut out = Vec::with_capacity(self.source.len() + 64);
        let mut from = 0;
        for (at, name) in references(&self.source) {
            out.extend_from_slice(&self.source[from..at]);
            out.extend(value(name)?);
            from = at + name.len() + "%{}".len();
        }
        out.extend_from_slice(&self.source[from..]);
        Some(out)
    }

    /// The pattern with the captured values in it; `None` if one is missing: then the rule does not run.
    fn filled(&self, captured: &Captured) -> Option<Decider> {
        let source = self.replaced(|name| {
            let values: Vec<Vec<u8>> = captured.values.get(name)?.iter().map(|value| quoted(value)).collect();
            Some([b"(?:", values.join(&b'|').as_slice(), b")"].concat())
        })?;
        Decider::new(translate(&source, self.flags).ok()?).ok()
    }

    /// How often it matches in `text`, `most` at the most.
    fn count(&self, decider: &Decider, text: &[u8], most: u32) -> Result<u32, Exceeded> {
        match self.negated {
            true => Ok(u32::from(decider.find_at(text, 0)?.is_none())),
            false => decider.count(text, most),
        }
    }
}

impl Captured {
    /// Keeps a value; the same one is kept once.
    pub fn keep(&mut self, name: &str, value: &[u8]) {
        if value.is_empty() || value.len() > LONGEST_VALUE {
            return;
        }
        let values = self.values.entry(name.to_owned()).or_default();
        if values.len() < MOST_VALUES && !values.iter().any(|known| known == value) {
            values.push(value.to_vec());
        }
    }

    /// Keeps a text to be looked at by `rule` later; false where there is no more room.
    pub fn wait(&mut self, rule: u32, text: &[u8]) -> bool {
        self.bytes += text.len();
        let fits = self.bytes <= MOST_BYTES;
        if fits {
            self.candidates.push((rule, text.to_vec()));
        }
        fits
    }

    /// The hits of the candidates, which are gone then: rule, count and text of each, or a search given up. `of`
    /// gives a rule's template and how many hits count.
    pub fn settle<'t>(
        &mut self,
        of: impl Fn(u32) -> Option<(&'t Template, u32)>,
        mut hit: impl FnMut(u32, Result<u32, Exceeded>, &[u8]),
    ) {
        self.bytes = 0;
        let candidates = std::mem::take(&mut self.candidates);
        let mut deciders: FxHashMap<u32, Option<Decider>> = FxHashMap::default();
        for (rule, text) in candidates {
            let Some((template, most)) = of(rule) else { continue };
            let decider = deciders.entry(rule).or_insert_with(|| template.filled(self));
            if let Some(decider) = decider {
                hit(rule, template.count(decider, &text, most), &text);
            }
        }
    }
}

/// Where `%{NAME}` stands, and its name.
fn references(source: &[u8]) -> impl Iterator<Item = (usize, &str)> {
    memchr::memmem::find_iter(source, b"%{").filter_map(|at| {
        let inner = &source[at + 2..];
        let name = std::str::from_utf8(&inner[..memchr::memchr(b'}', inner)?]).ok()?;
        let escaped = at > 0 && source[at - 1] == b'\\';
        (is_name(name) && !escaped).then_some((at, name))
    })
}

/// Capital letters, digits and single underscores, a letter first.
pub fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.split('_').all(|word| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        })
}

fn quoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() * 2);
    for &byte in text {
        if !byte.is_ascii_alphanumeric() && byte != b'_' {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::language::Comparison;

    fn template(source: &str, negated: bool) -> Option<Template> {
        let literal = Literal { source: source.as_bytes().to_vec(), flags: Flags::default() };
        let comparison = Comparison { literal, negated };
        Template::of(&Test::Header { lookup: "X".into(), comparison, unset: None })
    }

    #[test]
    fn only_names_of_captures_make_a_template() {
        let names = |source: &str| template(source, false).map_or(Vec::new(), |template| template.names);
        assert_eq!(names("x%{A}y%{B_C2}%{A}"), ["A", "B_C2"]);
        assert_eq!(names(r"x%{a}y%{}%{1}\%{A}%{A__B}%{A"), Vec::<String>::new());
    }

    #[test]
    fn values_are_quoted_alternatives() {
        let template = template("#%{TO}$", false).unwrap();
        let mut captured = Captured::default();
        let hits = |captured: &mut Captured| {
            let mut hits = Vec::new();
            for text in ["x#a.b@c", "x#aXb@c", "x#+"] {
                assert!(captured.wait(0, text.as_bytes()));
            }
            captured.settle(|_| Some((&template, 1)), |_, count, text| hits.push((count, text.to_vec())));
            hits.into_iter().filter(|(count, _)| *count == Ok(1)).map(|(_, text)| text).collect::<Vec<_>>()
        };
        assert!(hits(&mut captured).is_empty(), "without a value the rule is not run");
        captured.keep("TO", b"a.b@c");
        captured.keep("TO", b"");
        captured.keep("TO", b"+");
        assert_eq!(hits(&mut captured), [b"x#a.b@c".to_vec(), b"x#+".to_vec()]);
    }

    #[test]
    fn a_negated_template_wants_every_text() {
        let template = template("#%{TO}", true).unwrap();
        assert_eq!(template.loose().unwrap().exact, "");
        let mut captured = Captured::default();
        captured.keep("TO", b"a");
        assert!(captured.wait(0, b"#a") && captured.wait(0, b"#b"));
        let mut counts = Vec::new();
        captured.settle(|_| Some((&template, 1)), |_, count, _| counts.push(count.unwrap()));
        assert_eq!(counts, [0, 1]);
    }

    #[test]
    fn candidates_have_a_limit() {
        let mut captured = Captured::default();
        assert!(captured.wait(0, &vec![0; MOST_BYTES]) && !captured.wait(0, b"x"));
    }
}
