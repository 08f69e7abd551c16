//! About the text as a whole.

use std::sync::LazyLock;

use rustc_hash::FxHashSet;

use super::{Function, number, truth};
use crate::rules::{
    Subject,
    language::Argument,
    matching::Decider,
    regex::{Flags, translate},
};

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("check_blank_line_ratio", check_blank_line_ratio),
    ("check_body_length", check_body_length),
    ("check_stock_info", check_stock_info),
    ("plaintext_body_length", plaintext_body_length),
    ("plaintext_body_sig_ratio", plaintext_body_sig_ratio),
    ("plaintext_sig_length", plaintext_sig_length),
    ("tvd_vertical_words", tvd_vertical_words),
];

/// Whether the undecoded body is no longer than so many bytes.
fn check_body_length(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let Some(most) = number(arguments, 0) else { return 0 };
    let length = subject.message.raw.len().saturating_sub(subject.message.body_offset);
    truth(length as f64 <= most)
}

/// Blank lines of each hundred in the decoded text: least, most, and the lines there must be.
fn check_blank_line_ratio(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let (Some(least), Some(most)) = (number(arguments, 0), number(arguments, 1)) else { return 0 };
    let enough = number(arguments, 2).unwrap_or(1.0).max(1.0);
    let (mut lines, mut blank) = (0u32, 0u32);
    for line in subject.rendered.rawbody.iter().flat_map(|unit| unit.split_inclusive(|&byte| byte == b'\n')) {
        lines += 1;
        blank += truth(line.trim_ascii().is_empty());
    }
    let ratio = if f64::from(lines) < enough { -1.0 } else { 100.0 * f64::from(blank) / f64::from(lines) };
    truth(ratio <= most && (least == 0.0 || ratio > least))
}

/// The largest share of blanks in a paragraph, in percent of what is not blank: least, most (excluded).
fn tvd_vertical_words(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let (Some(least), Some(most)) = (number(arguments, 0), number(arguments, 1)) else { return 0 };
    let most = if most >= 100.0 { 101.0 } else { most };
    let share = |unit: &&[u8]| {
        let blanks = memchr::memchr_iter(b' ', unit).count();
        let others = unit.len() - blanks;
        if blanks > others || others == 0 { 100 } else { 100 * blanks / others }
    };
    let largest = subject.body().iter().filter(|unit| unit.len() > 5).map(share).max();
    let largest = largest.map_or(-1.0, |share| share as f64);
    truth(largest >= least && largest < most)
}

/// So many different lines like `Target price: 5` in the first plain part.
fn check_stock_info(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let Some(least) = number(arguments, 0) else { return 0 };
    let mut parts = subject.message.parts.iter().enumerate();
    let plain = parts.find(|(_, part)| part.kind == "text" && part.subkind == "plain");
    let found = plain.and_then(|(index, _)| subject.rendered.text_of(index));
    let known = found.map_or(0, |found| stock_labels(found.text.as_bytes()));
    truth(least == 0.0 || f64::from(known) >= least)
}

/// How many different things that shares are praised with are named: a short label and a colon at the
/// beginning of a line, and something behind it.
fn stock_labels(text: &[u8]) -> u32 {
    const NAMES: &str = concat!(
        r"(?:^trad(?:e|ing)date|company(?:name)?|s\w?(?:t\w?o\w?c\w?k|y\w?m(?:\w?b\w?o\w?l)?)",
        r"|target|ticker|(?:opening|current)p(?:rice)?|projected|position|expectations|weeks?high",
        r"|marketperformance|(?:year|week|month|day|price)(?:target|estimates?)|sector",
        r"|recommendation|rating)$"
    );
    static LABEL: LazyLock<Option<Decider>> =
        LazyLock::new(|| fixed(r"^\s*\K[^:\s][^:\n]{2,29}(?=\s*:\s*\S)", true));
    static NAME: LazyLock<Option<Decider>> = LazyLock::new(|| fixed(NAMES, false));
    let (Some(label), Some(name)) = (&*LABEL, &*NAME) else { return 0 };
    let (mut known, mut at) = (FxHashSet::default(), 0);
    while let Ok(Some(found)) = label.find_at(text, at) {
        at = found.end.max(at + 1);
        let letters = text.get(found).unwrap_or_default().iter().filter(|byte| byte.is_ascii_alphabetic());
        let letters: Vec<u8> = letters.map(u8::to_ascii_lowercase).collect();
        if let Ok(Some(found)) = name.find_at(&letters, 0) {
            known.insert(letters.get(found).unwrap_or_default().to_vec());
        }
    }
    known.len() as u32
}

/// A pattern of ours.
fn fixed(pattern: &str, multi_line: bool) -> Option<Decider> {
    let flags = Flags { multi_line, ..Flags::default() };
    Decider::new(translate(pattern.as_bytes(), flags).ok()?).ok()
}

/// Bytes of the first plain part before its signature, and of the signature.
fn body_and_signature(subject: &Subject<'_, '_>) -> Option<(usize, usize)> {
    let plain = |part: &&crate::mime::Part<'_>| part.kind == "text" && part.subkind == "plain";
    let text = subject.message.parts.iter().find(plain)?.decoded(subject.message);
    let (mut start, mut lengths) = (0, (text.len(), 0));
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let end = start + line.strip_suffix(b"\n").unwrap_or(line).len();
        let is_dash = matches!(text.get(start..end), Some(b"--" | b"-- " | b"--\r" | b"-- \r"));
        if is_dash && text.len() - end > 4 {
            lengths = (start, text.len() - end);
        }
        start += line.len();
    }
    Some(lengths)
}

fn in_range(value: f64, arguments: &[Argument], most: f64) -> u32 {
    let Some(least) = number(arguments, 0) else { return 0 };
    truth(value >= least && value <= number(arguments, 1).unwrap_or(most))
}

/// Least and most bytes of the first plain part without its signature.
fn plaintext_body_length(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    body_and_signature(subject).map_or(0, |(body, _)| in_range(body as f64, arguments, f64::INFINITY))
}

/// Least and most bytes of its signature.
fn plaintext_sig_length(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    body_and_signature(subject)
        .map_or(0, |(_, signature)| in_range(signature as f64, arguments, f64::INFINITY))
}

/// Bytes before the signature for each of it; a million where there is none.
fn plaintext_body_sig_ratio(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    const NONE: f64 = 1e6;
    body_and_signature(subject).map_or(0, |(body, signature)| {
        let ratio = if signature == 0 { NONE } else { body as f64 / signature as f64 };
        // without a most there is none: SpamAssassin compares with a number that is always true
        in_range(ratio, arguments, f64::INFINITY)
    })
}

#[cfg(test)]
mod tests {
    use super::stock_labels;

    #[test]
    fn labels_of_shares_are_counted_once_each() {
        let text = b"Company Name: Acme\nS T O C K: ACM\nTarget:\n 5\nTarget: 6\nPrice now: 3\nTicker:\n";
        assert_eq!(stock_labels(text), 3);
    }
}
