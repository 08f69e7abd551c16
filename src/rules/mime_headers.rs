//! `mimeheader` rules: one header of every MIME node.

use std::collections::HashMap;

use super::{
    language::Tflags,
    matching::{Entry, Scratch, Sink, View},
};
use crate::mime::{Message, Part};

/// Nodes looked at by rules with `multiple` that name no number.
pub const MOST: u32 = 1000;

/// What is looked up, and in which nodes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NodeLookup {
    /// Lower case; `all` for all headers of the node.
    name: String,
    raw: bool,
    concat: bool,
    /// From 1, both ends included.
    range: Option<(usize, usize)>,
    /// What stands for a header that is not there.
    unset: Vec<u8>,
}

impl NodeLookup {
    /// Reads `Header` or `Header:raw`.
    ///
    /// # Errors
    /// Another modifier.
    pub fn parse(text: &str, unset: Option<Vec<u8>>, tflags: &Tflags) -> Result<NodeLookup, String> {
        let (name, raw) = match text.split_once(':') {
            Some((name, "raw")) => (name, true),
            Some((_, other)) => return Err(format!("`:{other}` is nothing that MIME headers have")),
            None => (text, false),
        };
        let (name, unset) = (name.to_ascii_lowercase(), unset.unwrap_or_default());
        Ok(NodeLookup { name, raw, concat: tflags.concat, range: tflags.range, unset })
    }
}

/// All mimeheader rules, by what they look up.
#[derive(Debug, Default)]
pub struct MimeHeaders {
    groups: Vec<(NodeLookup, View)>,
}

/// Sorts entries by their lookup, a set each.
pub fn grouped(rules: Vec<(NodeLookup, Entry)>) -> (Vec<NodeLookup>, Vec<Vec<Entry>>) {
    let (mut lookups, mut sets, mut index) = (Vec::new(), Vec::new(), HashMap::new());
    for (lookup, entry) in rules {
        let at = *index.entry(lookup.clone()).or_insert_with(|| {
            lookups.push(lookup);
            sets.push(Vec::new());
            sets.len() - 1
        });
        sets[at].push(entry);
    }
    (lookups, sets)
}

impl MimeHeaders {
    pub fn new(lookups: Vec<NodeLookup>, views: Vec<View>) -> MimeHeaders {
        MimeHeaders { groups: lookups.into_iter().zip(views).collect() }
    }

    pub fn views(&self) -> impl Iterator<Item = &View> {
        self.groups.iter().map(|(_, view)| view)
    }

    /// Runs all rules over all nodes.
    pub fn scan(
        &self,
        message: &Message<'_>,
        value: &mut Vec<u8>,
        scratch: &mut Scratch,
        sink: &mut impl Sink,
    ) {
        for (lookup, view) in self.groups.iter().filter(|(_, view)| !view.is_empty()) {
            value.clear();
            for (index, part) in message.parts.iter().enumerate() {
                if lookup.range.is_some_and(|(first, last)| index + 1 < first || index + 1 > last) {
                    continue;
                }
                if !lookup.concat {
                    value.clear();
                }
                write(lookup, part, message, value);
                if !lookup.concat {
                    view.scan(value, scratch, sink);
                }
            }
            if lookup.concat {
                view.scan(value, scratch, sink);
            }
        }
    }
}

fn write<'m>(lookup: &NodeLookup, part: &Part<'m>, message: &Message<'m>, value: &mut Vec<u8>) {
    let all = lookup.name == "all";
    let mut found = false;
    for header in part.headers.iter().rev().filter(|header| all || header.is(&lookup.name)) {
        found = true;
        if all {
            value.extend_from_slice(header.name);
            value.extend_from_slice(b": ");
        }
        match lookup.raw {
            true => value.extend_from_slice(header.raw),
            false => {
                value.extend_from_slice(header.value(message.arena()).as_bytes());
                value.push(b'\n');
            }
        }
        // of several headers of one name the last counts
        if !all {
            break;
        }
    }
    if !found {
        value.extend_from_slice(&lookup.unset);
    }
}
