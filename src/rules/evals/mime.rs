//! About the MIME structure.

use super::{Function, truth};
use crate::rules::{Subject, language::Argument};

pub const FUNCTIONS: &[(&str, Function)] =
    &[("check_for_mime_html", check_for_mime_html), ("check_for_mime_html_only", check_for_mime_html_only)];

fn count(subject: &Subject<'_, '_>, subkind: &str) -> usize {
    subject.message.leaves().filter(|(_, part)| part.kind == "text" && part.subkind == subkind).count()
}

/// There is an HTML part.
fn check_for_mime_html(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    truth(count(subject, "html") > 0)
}

/// There is an HTML part and no plain text.
fn check_for_mime_html_only(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    truth(count(subject, "html") > 0 && count(subject, "plain") == 0)
}
