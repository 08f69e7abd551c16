//! `uri_detail` rules: several conditions on one and the same URI.

use super::matching::{Decider, Exceeded};
use crate::render::{Origin, Uri};

/// A rule with its conditions.
#[derive(Debug)]
pub struct UriDetail {
    pub rule: u32,
    pub conditions: Vec<Detail>,
}

/// One condition.
#[derive(Debug)]
pub struct Detail {
    pub key: Key,
    pub decider: Decider,
    pub negated: bool,
}

/// What of a URI is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Raw,
    Type,
    Cleaned,
    Text,
    Domain,
    Host,
}

impl Key {
    /// The key of that name.
    pub fn named(name: &str) -> Option<Key> {
        Some(match name {
            "raw" => Key::Raw,
            "type" => Key::Type,
            "cleaned" => Key::Cleaned,
            "text" => Key::Text,
            "domain" => Key::Domain,
            "host" => Key::Host,
            _ => return None,
        })
    }
}

impl UriDetail {
    /// Whether all conditions hold for `uri`.
    ///
    /// # Errors
    /// A search was given up.
    pub fn holds(&self, uri: &Uri<'_>) -> Result<bool, Exceeded> {
        for condition in &self.conditions {
            if !condition.holds(uri)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Detail {
    /// Any one value is enough, also where it must not match.
    fn holds(&self, uri: &Uri<'_>) -> Result<bool, Exceeded> {
        let one = |text: &str| {
            let found = self.decider.find_at(text.as_bytes(), 0)?;
            Ok(!text.is_empty() && found.is_some() != self.negated)
        };
        match self.key {
            Key::Raw => one(uri.raw),
            Key::Type => one(match uri.origin {
                Origin::Html => uri.element,
                _ => "parsed",
            }),
            Key::Text => one(uri.anchor),
            Key::Domain => one(uri.domain),
            Key::Host => one(uri.host),
            Key::Cleaned => {
                for variant in &uri.variants {
                    if one(variant)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }
}
