//! About the text as a whole.

use super::{Function, number, truth};
use crate::rules::{Subject, language::Argument};

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("check_blank_line_ratio", check_blank_line_ratio),
    ("check_body_length", check_body_length),
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
    let largest = subject.rendered.body.iter().filter(|unit| unit.len() > 5).map(share).max();
    let largest = largest.map_or(-1.0, |share| share as f64);
    truth(largest >= least && largest < most)
}
