//! About the headers of the message.

use super::{Function, number, text, truth};
use crate::rules::{Subject, language::Argument};

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("check_for_missing_to_header", check_for_missing_to_header),
    ("check_header_count_range", check_header_count_range),
    ("subject_is_all_caps", subject_is_all_caps),
];

/// No To header, and none that mailing lists put in its place.
fn check_for_missing_to_header(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    truth(["To", "Resent-To"].iter().all(|name| subject.message.headers(name).next().is_none()))
}

/// Whether a header is there so many times: name, least, most.
fn check_header_count_range(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let (Some(name), Some(least), Some(most)) =
        (text(arguments, 0), number(arguments, 1), number(arguments, 2))
    else {
        return 0;
    };
    let count = subject.message.headers(name).count() as f64;
    truth(count >= least && count <= most)
}

/// A subject of several words without a small letter, replies and the like left out.
fn subject_is_all_caps(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    let mut title = subject.rendered.subject.trim();
    while let Some((prefix, rest)) = title.split_once(':') {
        match prefix.trim().to_ascii_lowercase().as_str() {
            "re" | "fw" | "fwd" | "aw" | "rv" => title = rest.trim_start(),
            _ => break,
        }
    }
    let several = title.split_ascii_whitespace().count() > 1;
    let letters = title.bytes().filter(u8::is_ascii_alphabetic).count();
    let small = title.bytes().any(|byte| byte.is_ascii_lowercase());
    truth(several && letters >= 10 && !small && title.is_ascii())
}
