//! About the HTML parts: true where any of them is what the rule asks for.

use std::borrow::Cow;

use super::{Function, number, text, truth};
use crate::{
    render::HtmlFacts,
    rules::{Subject, language::Argument},
};

pub const FUNCTIONS: &[(&str, Function)] = &[
    ("check_iframe_src", check_iframe_src),
    ("html_charset_faraway", html_charset_faraway),
    ("html_eval", html_eval),
    ("html_image_only", html_image_only),
    ("html_image_ratio", html_image_ratio),
    ("html_range", html_range),
    ("html_tag_balance", html_tag_balance),
    ("html_tag_exists", html_tag_exists),
    ("html_test", html_test),
    ("html_text_match", html_text_match),
    ("html_text_not_match", html_text_not_match),
    ("html_title_subject_ratio", html_title_subject_ratio),
];

fn any(subject: &Subject<'_, '_>, test: impl FnMut(&HtmlFacts<'_>) -> bool) -> u32 {
    truth(subject.rendered.html.iter().any(test))
}

/// A frame loads something.
fn check_iframe_src(subject: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    truth(subject.rendered.uris.iter().any(|uri| uri.element == "iframe"))
}

/// Would compare the charsets that the HTML itself declares with those expected. SpamAssassin 4.0.1 does not
/// hand them on to it.
fn html_charset_faraway(_: &Subject<'_, '_>, _: &[Argument]) -> u32 {
    0
}

/// The element occurs.
fn html_tag_exists(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let Some(element) = text(arguments, 0) else { return 0 };
    any(subject, |html| html.inside(element).is_some())
}

/// How many of the element are still open at the end: element, comparison (`!= 0`).
fn html_tag_balance(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let (Some(element), Some(comparison)) = (text(arguments, 0), text(arguments, 1).and_then(comparison))
    else {
        return 0;
    };
    any(subject, |html| html.inside(element).is_some_and(|open| comparison(f64::from(open))))
}

/// A picture and little else: more than so many characters of source, at most so many.
fn html_image_only(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let (Some(least), Some(most)) = (number(arguments, 0), number(arguments, 1)) else { return 0 };
    any(subject, |html| html.inside("img").is_some() && inside(html.length as f64, least, most))
}

/// Characters of text for each pixel of pictures.
fn html_image_ratio(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let (Some(least), Some(most)) = (number(arguments, 0), number(arguments, 1)) else { return 0 };
    any(subject, |html| html.image_area > 0.0 && inside(html.non_space as f64 / html.image_area, least, most))
}

/// A fact that is simply so.
fn html_test(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let Some(name) = text(arguments, 0) else { return 0 };
    any(subject, |html| match name {
        "html" => true,
        "embeds" => html.embeds,
        "font_face_bad" => html.font_face_bad,
        "font_invalid_color" => html.font_invalid_color,
        "font_low_contrast" => html.font_low_contrast,
        "form_action_mailto" => html.form_action_mailto,
        "uri_truncated" => html.uri_truncated,
        _ => fact(html, name).is_some_and(|value| value != 0.0),
    })
}

/// A number compared: name, comparison (`< 384`).
fn html_eval(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let (Some(name), Some(comparison)) = (text(arguments, 0), text(arguments, 1).and_then(comparison)) else {
        return 0;
    };
    any(subject, |html| fact(html, name).is_some_and(&comparison))
}

/// A number in a range, its lower end excluded: name, least, most (or `inf`).
fn html_range(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let (Some(name), Some(least)) = (text(arguments, 0), number(arguments, 1)) else { return 0 };
    let most = number(arguments, 2).unwrap_or(f64::INFINITY);
    any(subject, |html| fact(html, name).is_some_and(|value| inside(value, least, most)))
}

fn inside(value: f64, least: f64, most: f64) -> bool {
    value > least && value <= most
}

fn fact(html: &HtmlFacts<'_>, name: &str) -> Option<f64> {
    match name {
        "length" => Some(html.length as f64),
        "image_area" => Some(html.image_area),
        "max_size" => Some(html.max_size as f64),
        "min_size" => Some(html.min_size as f64),
        "bad_tag_ratio" => html.bad_tag_ratio(),
        "non_element_ratio" => html.non_element_ratio(),
        "closed_extra_ratio" => html.closed_extra_ratio(),
        "obfuscation_ratio" => html.obfuscation_ratio(),
        "ratio" => html.markup_ratio(),
        _ => None,
    }
}

/// `!= 0`, `< 384`
fn comparison(text: &str) -> Option<impl Fn(f64) -> bool> {
    let text = text.trim();
    let (sign, number) = text.split_at(text.find(|char| !matches!(char, '<' | '>' | '=' | '!'))?);
    let number: f64 = number.trim().parse().ok()?;
    let test: fn(f64, f64) -> bool = match sign {
        "<" => |a, b| a < b,
        "<=" => |a, b| a <= b,
        ">" => |a, b| a > b,
        ">=" => |a, b| a >= b,
        "==" => |a, b| a == b,
        "!=" => |a, b| a != b,
        _ => return None,
    };
    Some(move |value| test(value, number))
}

/// A pattern in one kind of text: anchor, title, comment or script.
fn html_text_match(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    texts(subject, arguments, true)
}

/// The pattern does not match one of them.
fn html_text_not_match(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    texts(subject, arguments, false)
}

fn texts(subject: &Subject<'_, '_>, arguments: &[Argument], wanted: bool) -> u32 {
    let (Some(kind), Some(pattern)) = (text(arguments, 0), text(arguments, 1)) else { return 0 };
    if subject.rendered.html.is_empty() {
        return 0;
    }
    let Some(decider) = subject.pattern(pattern) else { return 0 };
    let matches =
        |text: &str| decider.find_at(&as_latin_1(text), 0).is_ok_and(|found| found.is_some() == wanted);
    any(subject, |html| match kind {
        "anchor" => html.anchors.iter().any(|anchor| matches(anchor.text)),
        "title" => html.titles.iter().any(|title| matches(title)),
        "comment" => html.comments.iter().any(|comment| matches(comment)),
        "script" => html.scripts.iter().any(|script| matches(script)),
        _ => false,
    })
}

/// These texts are characters to SpamAssassin: a byte each, and one that no pattern names for what is beyond
/// Latin-1.
fn as_latin_1(text: &str) -> Cow<'_, [u8]> {
    match text.is_ascii() {
        true => Cow::Borrowed(text.as_bytes()),
        false => text.chars().map(|char| u8::try_from(u32::from(char)).unwrap_or(0x80)).collect(),
    }
}

/// A title so many times as long as the subject.
fn html_title_subject_ratio(subject: &Subject<'_, '_>, arguments: &[Argument]) -> u32 {
    let Some(least) = number(arguments, 0) else { return 0 };
    // with its LF; in bytes, while the title is counted in characters
    let length = subject.rendered.subject.len() + 1;
    if subject.message.header("Subject").is_none() {
        return 0;
    }
    any(subject, |html| {
        let longest = html.titles.iter().map(|title| title.chars().count()).max().unwrap_or(0);
        longest as f64 / length as f64 > least
    })
}
