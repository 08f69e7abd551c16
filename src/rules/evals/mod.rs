//! What do rules ask that no pattern can answer? `eval:function(..)`, one file a family.

mod body;
mod dates;
mod forged;
mod headers;
mod html;
mod mime;
mod relays;

use super::{Subject, language::Argument};

/// An eval function: how often its rule hits.
pub type Function = fn(&Subject<'_, '_>, &[Argument]) -> u32;

/// The function of that name, if criba has it.
pub fn find(name: &str) -> Option<Function> {
    let families = [
        body::FUNCTIONS,
        dates::FUNCTIONS,
        forged::FUNCTIONS,
        headers::FUNCTIONS,
        html::FUNCTIONS,
        mime::FUNCTIONS,
        relays::FUNCTIONS,
    ];
    families.into_iter().flatten().find(|(known, _)| *known == name).map(|(_, function)| *function)
}

/// A number among the arguments; they are often written as strings.
pub fn number(arguments: &[Argument], index: usize) -> Option<f64> {
    match arguments.get(index)? {
        Argument::Number(number) => Some(*number),
        Argument::Text(text) => text.trim().parse().ok(),
    }
}

/// A string among the arguments.
fn text(arguments: &[Argument], index: usize) -> Option<&str> {
    match arguments.get(index)? {
        Argument::Text(text) => Some(text),
        Argument::Number(_) => None,
    }
}

use headers::{first_address, get};

fn truth(value: bool) -> u32 {
    u32::from(value)
}
