//! About the rendered body as a whole.

use super::{Function, number, truth};
use crate::rules::{Subject, language::Argument};

pub const FUNCTIONS: &[(&str, Function)] = &[("check_body_length", check_body_length)];

/// Whether the text, the subject left out, is shorter than so many bytes (and there is any).
fn check_body_length(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let Some(most) = number(arguments, 0) else { return 0 };
    let length: usize = subject.rendered.body.iter().skip(1).map(|unit| unit.len()).sum();
    truth((length as f64) < most)
}
