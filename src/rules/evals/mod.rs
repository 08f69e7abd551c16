//! What do rules ask that no pattern can answer? `eval:function(..)`, one file a family.

mod alternatives;
mod body;
mod dates;
mod files;
mod forged;
mod freemail;
mod headers;
mod html;
mod images;
mod lists;
mod mime;
mod relays;
mod uris;

use std::cell::OnceCell;

use headers::{first_address, get};

use super::{
    Subject,
    language::{Argument, Kind},
    matching::Decider,
};

/// An eval function: how often its rule hits.
pub type Function = fn(&Subject<'_, '_>, &[Argument]) -> u32;

/// The function of that name for a rule of that kind, if criba has it.
pub fn find(name: &str, kind: Kind) -> Option<Function> {
    if name == "image_to_text_ratio" && kind == Kind::RawBody {
        return Some(images::image_to_raw_text_ratio);
    }
    if name.starts_with("check_freemail_") && kind != Kind::Header {
        // it would take the text for its first argument
        return Some(|_, _| 0);
    }
    let families = [
        alternatives::FUNCTIONS,
        body::FUNCTIONS,
        dates::FUNCTIONS,
        files::FUNCTIONS,
        forged::FUNCTIONS,
        freemail::FUNCTIONS,
        headers::FUNCTIONS,
        html::FUNCTIONS,
        images::FUNCTIONS,
        lists::FUNCTIONS,
        mime::FUNCTIONS,
        relays::FUNCTIONS,
        uris::FUNCTIONS,
    ];
    families.into_iter().flatten().find(|(known, _)| *known == name).map(|(_, function)| *function)
}

/// Whether the function asks the network, which says nothing when it is not asked.
pub fn asks_network(name: &str) -> bool {
    const FAMILIES: [&str; 12] = [
        "check_rbl",
        "check_dns",
        "check_uridnsbl",
        "check_dkim_",
        "check_arc_",
        "check_for_dkim_",
        "check_for_def_dkim_",
        "check_for_spf_",
        "check_for_def_spf_",
        "check_dmarc_",
        "check_hashbl_",
        "check_pyzor",
    ];
    FAMILIES.iter().any(|family| name.starts_with(family))
        || name.starts_with("check_razor2")
        || name == "check_spf_skipped_noenvfrom"
}

/// Which argument of the function is a regular expression.
pub fn pattern_of(name: &str) -> Option<usize> {
    match name {
        "html_text_match" | "html_text_not_match" | "check_freemail_header" => Some(1),
        "check_freemail_from" | "check_freemail_body" | "image_name_regex" => Some(0),
        _ => None,
    }
}

/// What several functions ask of one message, found out once.
#[derive(Debug, Default)]
pub struct Facts<'m> {
    senders: OnceCell<Vec<String>>,
    recipients: OnceCell<Vec<String>>,
    /// The first of those in To, Cc and Bcc, as written.
    named: OnceCell<Vec<Vec<u8>>>,
    free_mail: OnceCell<freemail::BodyAddresses<'m>>,
    images: OnceCell<images::Images<'m>>,
    disguises: OnceCell<Vec<crate::media::Disguise>>,
    alternatives: OnceCell<alternatives::Difference>,
    uppercase: OnceCell<f64>,
    shift: OnceCell<i64>,
    gated: OnceCell<bool>,
    hotmail: OnceCell<forged::Hotmail>,
}

impl<'m> Subject<'_, 'm> {
    /// The body units, without the addresses that a look for free mail took out.
    pub fn body(&self) -> &[&'m [u8]] {
        let changed = self.facts.free_mail.get().and_then(|found| found.body.as_deref());
        changed.unwrap_or(&self.rendered.body)
    }

    /// What a header rule would see; empty where the header is not there.
    fn get(&self, lookup: &str) -> Vec<u8> {
        get(self, lookup)
    }

    /// All addresses that a lookup with `:addr` gives.
    fn addresses(&self, lookup: &str) -> Vec<String> {
        let value = self.get(lookup);
        let lines = value.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        lines.map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }

    /// A pattern among the arguments of functions.
    fn pattern(&self, text: &str) -> Option<&Decider> {
        self.rules.patterns.get(text)
    }
}

/// Whether the pattern, if there is one, matches.
fn matches(pattern: &Decider, text: &[u8]) -> bool {
    pattern.find_at(text, 0).is_ok_and(|found| found.is_some())
}

/// A number among the arguments; they are often written as strings.
pub fn number(arguments: &[Argument], index: usize) -> Option<f64> {
    match arguments.get(index)? {
        Argument::Number(number) | Argument::Numeral(_, number) => Some(*number),
        Argument::Text(_) => None,
    }
}

/// A string among the arguments.
pub fn text(arguments: &[Argument], index: usize) -> Option<&str> {
    match arguments.get(index)? {
        Argument::Text(text) | Argument::Numeral(text, _) => Some(text),
        Argument::Number(_) => None,
    }
}

fn truth(value: bool) -> u32 {
    u32::from(value)
}

/// How many bytes are of a kind. Counted in bytes, many at a time.
fn count(text: &[u8], is_one: impl Fn(u8) -> bool) -> usize {
    let some = |text: &[u8]| text.iter().fold(0, |count, &byte| count + u8::from(is_one(byte)));
    text.chunks(usize::from(u8::MAX)).map(|text| usize::from(some(text))).sum()
}
