//! `mimeheader` rules: one header of every MIME node.

use std::{collections::HashMap, ops::Range};

use super::{
    language::Tflags,
    matching::{Entry, Scratch, Sink, View},
};
use crate::mime::{Header, Message, Part};

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
    /// Rules with `!~`: they hit whatever the headers say, as in SpamAssassin 4.0.1.
    always: Vec<u32>,
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
    pub fn new(lookups: Vec<NodeLookup>, views: Vec<View>, always: Vec<u32>) -> MimeHeaders {
        MimeHeaders { groups: lookups.into_iter().zip(views).collect(), always }
    }

    pub fn views(&self) -> impl Iterator<Item = &View> {
        self.groups.iter().map(|(_, view)| view)
    }

    /// All rules.
    pub fn rules(&self) -> impl Iterator<Item = u32> {
        let of_views = self.views().flat_map(View::patterns).map(|pattern| pattern.rule);
        of_views.chain(self.always.iter().copied())
    }

    /// Runs all rules over all nodes, each up to the first node in which it hits.
    pub fn scan(
        &self,
        message: &Message<'_>,
        value: &mut Vec<u8>,
        scratch: &mut Scratch,
        sink: &mut impl Sink,
    ) {
        for &rule in &self.always {
            sink.hit(rule, 1, b"", None);
        }
        for (lookup, view) in self.groups.iter().filter(|(_, view)| !view.is_empty()) {
            value.clear();
            let mut sink = FirstNode { sink, earlier: Vec::new(), here: Vec::new() };
            for (index, part) in message.parts.iter().enumerate() {
                if lookup.range.is_some_and(|(first, last)| index + 1 < first || index + 1 > last) {
                    continue;
                }
                if !lookup.concat {
                    value.clear();
                }
                let start = value.len();
                write(lookup, part, message, value);
                match lookup.concat {
                    true if value[start..].ends_with(b"\n") => {}
                    true => value.push(b'\n'),
                    false => view.scan(value, scratch, &mut sink),
                }
                sink.earlier.append(&mut sink.here);
            }
            if lookup.concat {
                view.scan(value, scratch, &mut sink);
            }
        }
    }
}

/// Wants no more of a rule that hit in an earlier node: `multiple` counts in one node only.
struct FirstNode<'s, S> {
    sink: &'s mut S,
    earlier: Vec<u32>,
    here: Vec<u32>,
}

impl<S: Sink> Sink for FirstNode<'_, S> {
    fn wants(&self, rule: u32) -> u32 {
        if self.earlier.contains(&rule) { 0 } else { self.sink.wants(rule) }
    }

    fn wants_evidence(&self, rule: u32) -> bool {
        self.sink.wants_evidence(rule)
    }

    fn hit(&mut self, rule: u32, count: u32, unit: &[u8], first: Option<Range<usize>>) {
        if !self.earlier.contains(&rule) {
            self.here.push(rule);
            self.sink.hit(rule, count, unit, first);
        }
    }

    fn captured(&mut self, name: &str, value: &[u8]) {
        self.sink.captured(name, value);
    }

    fn out_of_time(&mut self) -> bool {
        self.sink.out_of_time()
    }

    fn exceeded(&mut self, rule: u32) {
        self.sink.exceeded(rule);
    }
}

fn write<'m>(lookup: &NodeLookup, part: &Part<'m>, message: &Message<'m>, value: &mut Vec<u8>) {
    let all = lookup.name == "all";
    let wanted = |header: &&Header<'m>| all || header.is(&lookup.name);
    // of several headers of one name the last counts
    let skipped = if all { 0 } else { part.headers.iter().filter(wanted).count().saturating_sub(1) };
    let mut found = false;
    for header in part.headers.iter().filter(wanted).skip(skipped) {
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
    }
    // a raw header that is not there is an empty one
    if !found && !lookup.raw {
        value.extend_from_slice(&lookup.unset);
    }
}
