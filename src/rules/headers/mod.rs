//! Which headers do rules look at, and what do they say?
//!
//! Rules with the same `Lookup` share one look at the message (`values`) and one `View`.
//! What a rule makes of a header that is not there is known when it is loaded.

mod lookup;
mod parts;
mod values;

use std::{collections::HashMap, ops::Range};

use rustc_hash::FxHashMap;

pub use lookup::Lookup;
use lookup::Source;
pub use values::Values;

use super::matching::{Entry, Exceeded, Scratch, Sink, View};

/// One rule about headers, as loaded.
#[derive(Clone, Debug)]
pub struct HeaderRule {
    pub rule: u32,
    pub lookup: Lookup,
    pub test: HeaderTest,
}

/// What it wants of the header.
#[derive(Clone, Debug)]
pub enum HeaderTest {
    Exists,
    Matches { entry: Entry, unset: Vec<u8> },
}

/// All rules with the same lookup.
#[derive(Debug)]
struct Group {
    lookup: Lookup,
    view: View,
    /// Rules that hit when the header is there.
    exists: Vec<u32>,
    /// Rules that hit when it is not, and how often.
    absent: Vec<(u32, u32)>,
}

/// All header rules, by what they look up.
#[derive(Debug, Default)]
pub struct Headers {
    groups: Vec<Group>,
    /// Groups by the lower-case name of the physical header that they need.
    by_name: FxHashMap<Box<[u8]>, Vec<u32>>,
    /// Groups of pseudo headers, which are looked up in every message.
    pseudo: Vec<u32>,
}

/// Header rules before their patterns are compiled.
#[derive(Debug, Default)]
pub struct Grouped {
    lookups: Vec<Lookup>,
    rules: Vec<Vec<HeaderRule>>,
}

impl Grouped {
    /// Sorts rules by their lookup.
    pub fn new(rules: Vec<HeaderRule>) -> Grouped {
        let mut grouped = Grouped::default();
        let mut index: HashMap<Lookup, usize> = HashMap::new();
        for rule in rules {
            let at = *index.entry(rule.lookup.clone()).or_insert_with(|| {
                grouped.lookups.push(rule.lookup.clone());
                grouped.rules.push(Vec::new());
                grouped.rules.len() - 1
            });
            grouped.rules[at].push(rule);
        }
        grouped
    }

    /// The patterns, a set for each lookup.
    pub fn entries(&self) -> Vec<Vec<Entry>> {
        let entry = |rule: &HeaderRule| match &rule.test {
            HeaderTest::Matches { entry, .. } => Some(entry.clone()),
            HeaderTest::Exists => None,
        };
        self.rules.iter().map(|rules| rules.iter().filter_map(entry).collect()).collect()
    }

    /// Puts the compiled sets back; `views` stand in the order of `Grouped::entries`. `most` tells how
    /// many matches of a rule count.
    pub fn finish(self, views: Vec<View>, most: impl Fn(u32) -> u32) -> Headers {
        let mut headers = Headers::default();
        for ((lookup, rules), view) in self.lookups.into_iter().zip(self.rules).zip(views) {
            let id = headers.groups.len() as u32;
            match lookup.source() {
                Source::Physical(name) => {
                    headers.by_name.entry(name.as_bytes().into()).or_default().push(id);
                }
                Source::Pseudo(_) => headers.pseudo.push(id),
            }
            let mut exists = Vec::new();
            let mut unset = HashMap::new();
            for rule in &rules {
                match &rule.test {
                    HeaderTest::Exists => exists.push(rule.rule),
                    HeaderTest::Matches { unset: text, .. } => {
                        unset.insert(rule.rule, text.as_slice());
                    }
                }
            }
            let absent = absent(&view, &unset, &most);
            headers.groups.push(Group { lookup, view, exists, absent });
        }
        headers
    }
}

/// What the patterns make of their `if-unset` strings.
fn absent(view: &View, unset: &HashMap<u32, &[u8]>, most: impl Fn(u32) -> u32) -> Vec<(u32, u32)> {
    let hits = view.patterns().iter().map(|pattern| {
        let text = unset.get(&pattern.rule).copied().unwrap_or_default();
        let count = match (pattern.decider.count(text, most(pattern.rule)), pattern.negated) {
            (Ok(count), false) => count,
            (Ok(0), true) => 1,
            (Ok(_), true) | (Err(Exceeded), _) => 0,
        };
        (pattern.rule, count)
    });
    hits.filter(|(_, count)| *count > 0).collect()
}

/// Working memory for `Headers::scan`.
#[derive(Debug, Default)]
pub struct HeaderScratch {
    /// The groups whose header was seen in this message.
    seen: Vec<bool>,
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Headers {
    /// The views of all groups.
    pub fn views(&self) -> impl Iterator<Item = &View> {
        self.groups.iter().map(|group| &group.view)
    }

    /// All rules.
    pub fn rules(&self) -> impl Iterator<Item = u32> {
        let patterns = self.views().flat_map(View::patterns).map(|pattern| pattern.rule);
        patterns.chain(self.groups.iter().flat_map(|group| group.exists.iter().copied()))
    }

    /// Runs all header rules over one message.
    pub fn scan(
        &self,
        values: &Values<'_, '_>,
        memory: &mut HeaderScratch,
        scratch: &mut Scratch,
        sink: &mut impl Sink,
    ) {
        let HeaderScratch { seen, name, value } = memory;
        seen.clear();
        seen.resize(self.groups.len(), false);
        for header in values.physical() {
            name.clear();
            name.extend(header.name.iter().map(u8::to_ascii_lowercase));
            for &id in self.by_name.get(name.as_slice()).into_iter().flatten() {
                // all headers of one name are looked at together, at the first of them
                if let Some(seen) = seen.get_mut(id as usize).filter(|seen| !**seen) {
                    *seen = true;
                    self.group(id, values, value, scratch, sink);
                }
            }
        }
        for &id in &self.pseudo {
            if let Some(seen) = seen.get_mut(id as usize) {
                *seen = true;
            }
            self.group(id, values, value, scratch, sink);
        }
        for (id, _) in (0..).zip(seen.iter()).filter(|(_, seen)| !**seen) {
            self.absent(id, sink);
        }
    }

    fn group(
        &self,
        id: u32,
        values: &Values<'_, '_>,
        value: &mut Vec<u8>,
        scratch: &mut Scratch,
        sink: &mut impl Sink,
    ) {
        let Some(group) = self.groups.get(id as usize) else { return };
        value.clear();
        if !values.look_up(&group.lookup, value) {
            return self.absent(id, sink);
        }
        for &rule in &group.exists {
            sink.hit(rule, 1, value, None);
        }
        if !group.view.is_empty() {
            group.view.scan(value, scratch, sink);
        }
    }

    fn absent(&self, id: u32, sink: &mut impl Sink) {
        for &(rule, count) in self.groups.get(id as usize).into_iter().flat_map(|group| &group.absent) {
            sink.hit(rule, count, b"", None::<Range<usize>>);
        }
    }
}
