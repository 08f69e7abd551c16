//! How much the halves of multipart/alternative differ, by their words.

use std::collections::HashMap;

use super::{Function, number, text, truth};
use crate::{
    mime::Part,
    render::PartText,
    rules::{Subject, language::Argument},
};

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("multipart_alternative_difference", multipart_alternative_difference),
    ("multipart_alternative_difference_count", multipart_alternative_difference_count),
];

/// What the alternatives of a message have in common.
#[derive(Debug, Default)]
pub struct Difference {
    /// Words of the HTML that the plain text lacks, in percent: the largest of all alternatives.
    lacking: f64,
    /// Different words of the last alternative.
    html: usize,
    plain: usize,
}

/// Different words and how often each occurs.
type Words<'t> = HashMap<&'t str, u32>;

impl Subject<'_, '_> {
    fn difference(&self) -> &Difference {
        self.facts.alternatives.get_or_init(|| self.compare_alternatives())
    }

    fn compare_alternatives(&self) -> Difference {
        let parts = &self.message.parts;
        let mut difference = Difference::default();
        if self.is_invitation() {
            return difference;
        }
        let alternatives = parts.iter().enumerate().filter(|(_, part)| is(part, "multipart", "alternative"));
        for (root, _) in alternatives {
            let (mut html, mut plain) = (Words::new(), Words::new());
            for (index, part) in parts.iter().enumerate().filter(|(_, part)| part.kind == "text") {
                if !self.is_below(index, root) || !part.is_leaf {
                    continue;
                }
                let Some(found) = self.rendered.text_of(index) else { continue };
                let words = if found.is_html { &mut html } else { &mut plain };
                add_words(words, found);
                let facts = self.rendered.html.iter().find(|facts| facts.part == index);
                // a picture is something
                if found.is_html
                    && html.is_empty()
                    && facts.is_some_and(|facts| facts.inside("img").is_some())
                {
                    html.insert("\n", 1);
                }
            }
            if html.is_empty() {
                continue;
            }
            (difference.html, difference.plain) = (html.len(), plain.len());
            let lacking =
                html.iter().filter(|(word, count)| plain.get(*word).is_none_or(|other| other < count));
            let lacking = lacking.count() as f64 / html.len() as f64 * 100.0;
            difference.lacking = difference.lacking.max(lacking);
        }
        difference
    }

    /// HTML and a calendar, and nothing else.
    fn is_invitation(&self) -> bool {
        matches!(self.message.parts.as_slice(), [root, html, calendar]
            if is(root, "multipart", "alternative") && is(html, "text", "html") && is(calendar, "text", "calendar"))
    }

    fn is_below(&self, part: usize, root: usize) -> bool {
        let parents = std::iter::successors(Some(part), |&part| self.message.parts.get(part)?.parent);
        parents.skip(1).any(|part| part == root)
    }
}

fn is(part: &Part<'_>, kind: &str, subkind: &str) -> bool {
    part.kind == kind && part.subkind == subkind
}

/// Counts the words that hold a letter, a digit or `_`.
fn add_words<'t>(words: &mut Words<'t>, found: PartText<'t>) {
    let PartText { text, is_wide, .. } = found;
    let is_blank = |char: char| match is_wide {
        true => char.is_whitespace(),
        false => char.is_ascii_whitespace() || char == '\x0b',
    };
    let is_letter = |char: char| match is_wide {
        true => char.is_alphanumeric() || char == '_',
        false => char.is_ascii_alphanumeric() || char == '_',
    };
    for word in text.split(is_blank).filter(|word| word.contains(is_letter)) {
        *words.entry(word).or_default() += 1;
    }
}

/// Percent of the words of the HTML that the plain text lacks: least (excluded, unless 0), most or `undef`.
fn multipart_alternative_difference(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let Some(least) = number(arguments, 0) else { return 0 };
    let most = match text(arguments, 1) {
        Some("undef") => f64::INFINITY,
        _ => number(arguments, 1).unwrap_or_default(),
    };
    let lacking = subject.difference().lacking;
    truth((least == 0.0 || lacking > least) && lacking <= most)
}

/// Words of the plain text for each of the HTML: least (excluded), and more words of HTML than so many.
fn multipart_alternative_difference_count(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let (Some(least), Some(enough)) = (number(arguments, 0), number(arguments, 1)) else { return 0 };
    let Difference { html, plain, .. } = subject.difference();
    truth(*html as f64 > enough && *plain as f64 / *html as f64 > least)
}
