//! The patterns that look at one kind of text, and a scan over one unit of it.

use std::ops::{ControlFlow, Range};

use super::{
    costs::{Costs, timed},
    decide::{Decider, Exceeded},
    fuzzy::Fuzzy,
    hyperscan_ffi::{Database, Scratch as DatabaseScratch},
};
use crate::rules::regex::{Demand, Demands, Factors, Needs, Signs, is_plain, squeeze};

/// After so many searches somebody looks at the clock. One takes some ten milliseconds at most.
const STEPS: usize = 8;

/// How a pattern is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Hyperscan decides.
    Exact,
    /// Hyperscan finds candidates by the whole pattern, PCRE2 decides.
    Prefilter,
    /// Hyperscan finds candidates by a piece of the pattern, PCRE2 decides.
    Piece,
    /// PCRE2 alone, on every unit.
    Alone,
    /// Hyperscan decides by edit distance.
    Fuzzy,
    /// Hyperscan finds strings that every match holds, PCRE2 decides.
    Literals,
    /// The same with strings that the squeezed text holds.
    Squeezed,
}

/// One pattern of a view.
#[derive(Debug)]
pub struct Pattern {
    pub rule: u32,
    pub how: How,
    /// Hit when there is no match (`!~`).
    pub negated: bool,
    pub decider: Decider,
    pub fuzzy: Option<Fuzzy>,
    pub factors: Option<Factors>,
    /// Whether the factors hold for texts in plain ASCII only.
    pub ascii: bool,
    /// Whether the factors speak of squeezed texts.
    pub squeezed: bool,
    /// What a text must have for a match.
    pub needs: Needs,
    /// What must have been found for a match: one of these, all bits of it.
    pub clauses: Vec<u64>,
    /// Whether its matches need have no string in common: it gets a database of its own.
    pub lone: bool,
}

/// What an id of the database stands for: a pattern, or one of the sets of strings of its clauses.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    pub pattern: u32,
    pub set: u32,
    /// How often it has to be found.
    pub least: u32,
}

/// A pattern that is searched for by itself.
#[derive(Debug)]
pub struct Single {
    pub pattern: u32,
    /// Its needs: most texts lack something, and nothing else of the pattern is looked at then.
    pub needs: Demand,
    /// Whether only texts that are not plain ASCII are searched for it.
    pub foreign: bool,
    /// Without one PCRE2 searches.
    pub database: Option<Database>,
}

/// All patterns that look at one kind of text.
#[derive(Debug, Default)]
pub struct View {
    pub(super) database: Option<Database>,
    /// For patterns whose strings are found in squeezed text.
    pub(super) squeezed: Option<Database>,
    /// What texts must have for the patterns in `singles`.
    pub(super) demands: Demands,
    /// Those first that are searched for in every text.
    pub(super) singles: Vec<Single>,
    /// How many those are; the others are for texts that are not plain ASCII.
    pub(super) plain: usize,
    pub(super) patterns: Vec<Pattern>,
    pub(super) negated: Vec<u32>,
    /// What the databases' ids stand for.
    pub(super) slots: Vec<Slot>,
}

/// Working memory of scans.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) database: Option<DatabaseScratch>,
    /// Pattern and end of match.
    found: Vec<(u32, usize)>,
    squeezed: Vec<u8>,
    /// For each pattern the scan in which something of it was found last, and the bits of what that was.
    bits: Vec<(u32, u64)>,
    stamp: u32,
    matched: Vec<u32>,
    /// What it all costs, where somebody wants to know.
    pub costs: Option<Box<Costs>>,
}

/// Takes what was found, and says what is still worth looking for.
pub trait Sink {
    /// How many more matches of the rule are wanted: 0, 1, or for a `multiple` rule more.
    fn wants(&self, rule: u32) -> u32;
    /// Whether the place of a match is wanted as evidence.
    fn wants_evidence(&self, rule: u32) -> bool;
    /// So many matches, in this unit, the first of them here (where it is known).
    fn hit(&mut self, rule: u32, count: u32, unit: &[u8], first: Option<Range<usize>>);
    /// What a named group of the rule matched.
    fn captured(&mut self, name: &str, value: &[u8]);
    /// A search was given up.
    fn exceeded(&mut self, rule: u32);
    /// Whether the time is up; asked now and then in the middle of a unit.
    fn out_of_time(&mut self) -> bool;
}

impl Scratch {
    /// Scratch that serves all of `views`.
    pub fn new(database: Option<DatabaseScratch>) -> Scratch {
        Scratch { database, ..Scratch::default() }
    }
}

impl View {
    /// The compiled databases.
    pub fn databases(&self) -> impl Iterator<Item = &Database> {
        let single = self.singles.iter().filter_map(|single| single.database.as_ref());
        self.database.iter().chain(&self.squeezed).chain(single)
    }

    /// The patterns.
    pub fn patterns(&self) -> &[Pattern] {
        &self.patterns
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    fn is_fuzzy(&self, pattern: u32) -> bool {
        self.patterns.get(pattern as usize).is_some_and(|pattern| pattern.fuzzy.is_some())
    }

    /// Looks for all patterns in one unit.
    pub fn scan(&self, unit: &[u8], scratch: &mut Scratch, sink: &mut impl Sink) {
        scratch.found.clear();
        scratch.matched.clear();
        self.together(unit, scratch);
        let candidates = scratch.found.len();
        let is_foreign = self.plain < self.singles.len() && !is_plain(unit);
        let _ = self.one_by_one(unit, is_foreign, scratch, sink).is_continue()
            && self.decide(unit, candidates, is_foreign, scratch, sink).is_continue();
    }

    /// Finds candidates in the databases that patterns share.
    fn together(&self, unit: &[u8], scratch: &mut Scratch) {
        let Scratch { database: Some(memory), found, squeezed, bits, stamp, costs, .. } = scratch else {
            return;
        };
        let stamp = next(stamp, bits, self.patterns.len());
        let mut hit = |id: u32, end: usize| {
            let Some(slot) = self.slots.get(id as usize) else { return };
            let Some((seen, bits)) = bits.get_mut(slot.pattern as usize) else { return };
            if *seen != stamp {
                (*seen, *bits) = (stamp, 0);
                found.push((slot.pattern, end));
            } else if self.is_fuzzy(slot.pattern) {
                // of words within a distance each end counts
                found.push((slot.pattern, end));
            }
            match slot.least {
                1 => *bits |= 1 << slot.set,
                _ => *bits += 1,
            }
        };
        // A scan fails only when the scratch is foreign, and then finds nothing.
        if let Some(database) = &self.database {
            let scanned = timed(costs, Costs::shared, || database.scan(unit, memory, &mut hit));
            debug_assert!(scanned.is_ok(), "{scanned:?}");
        }
        let Some(database) = &self.squeezed else { return };
        for signs in [Signs::Gone, Signs::Letters] {
            let mut both = false;
            let scanned = timed(costs, Costs::shared, || {
                both = squeeze(unit, signs, squeezed);
                database.scan(squeezed, memory, &mut hit)
            });
            debug_assert!(scanned.is_ok(), "{scanned:?}");
            if !both {
                break;
            }
        }
    }

    /// Finds the patterns that have no strings to begin with, or none in a text like this.
    fn one_by_one(
        &self,
        unit: &[u8],
        is_foreign: bool,
        scratch: &mut Scratch,
        sink: &mut impl Sink,
    ) -> ControlFlow<()> {
        let Scratch { database: memory, found, costs, .. } = scratch;
        let asked =
            if is_foreign { &self.singles[..] } else { self.singles.get(..self.plain).unwrap_or_default() };
        if asked.is_empty() {
            return ControlFlow::Continue(());
        }
        let text = self.demands.of(unit);
        for (at, single) in asked.iter().filter(|single| single.needs.is_met(&text)).enumerate() {
            if at % STEPS == STEPS - 1 && sink.out_of_time() {
                return ControlFlow::Break(());
            }
            let (Some(database), Some(memory)) = (&single.database, memory.as_mut()) else {
                found.push((single.pattern, 0));
                continue;
            };
            let Some(pattern) = self.patterns.get(single.pattern as usize) else { continue };
            if pattern.negated || sink.wants(pattern.rule) > 0 {
                let book = |costs: &mut Costs, spent| costs.of(pattern.rule, spent);
                let hit = |_, end| found.push((single.pattern, end));
                let scanned = timed(costs, book, || database.scan(unit, memory, hit));
                debug_assert!(scanned.is_ok(), "{scanned:?}");
            }
        }
        ControlFlow::Continue(())
    }

    /// Decides what was found; the first `candidates` by databases that patterns share.
    fn decide(
        &self,
        unit: &[u8],
        candidates: usize,
        is_foreign: bool,
        scratch: &mut Scratch,
        sink: &mut impl Sink,
    ) -> ControlFlow<()> {
        let Scratch { found, bits, matched, costs, .. } = scratch;
        for (at, &(id, end)) in found.iter().enumerate() {
            if at % STEPS == STEPS - 1 && sink.out_of_time() {
                return ControlFlow::Break(());
            }
            let Some(pattern) = self.patterns.get(id as usize) else { continue };
            let bits = bits.get(id as usize).map_or(0, |(_, bits)| *bits);
            if at < candidates && (!pattern.may_match(bits) || (is_foreign && pattern.is_ascii())) {
                continue;
            }
            let book = |costs: &mut Costs, spent| costs.of(pattern.rule, spent);
            if !pattern.negated {
                timed(costs, book, || pattern.positive(unit, end, sink));
            } else if pattern.how == How::Exact
                || timed(costs, book, || !matches!(pattern.decider.is_match(unit), Ok(false)))
            {
                matched.push(id);
            }
        }
        for &id in &self.negated {
            if let Some(pattern) = self.patterns.get(id as usize).filter(|_| !matched.contains(&id)) {
                sink.hit(pattern.rule, 1, unit, None);
            }
        }
        ControlFlow::Continue(())
    }
}

/// A stamp that no pattern has yet.
fn next(stamp: &mut u32, bits: &mut Vec<(u32, u64)>, patterns: usize) -> u32 {
    if bits.len() < patterns {
        bits.resize(patterns, (0, 0));
    }
    *stamp = stamp.wrapping_add(1);
    if *stamp == 0 {
        bits.fill((0, 0));
        *stamp = 1;
    }
    *stamp
}

impl Pattern {
    /// Whether the strings of its filter are those of matches in ASCII only.
    pub fn is_ascii(&self) -> bool {
        self.ascii && matches!(self.how, How::Literals | How::Squeezed)
    }

    /// How often its strings have to be found.
    pub fn least(&self) -> u32 {
        let counted = self.factors.as_ref().filter(|_| self.how == How::Literals);
        counted.map_or(1, |factors| factors.least)
    }

    /// Whether what was found of it is what every match has.
    fn may_match(&self, bits: u64) -> bool {
        match self.least() {
            1 => self.clauses.iter().any(|clause| bits & clause == *clause),
            least => bits >= u64::from(least),
        }
    }

    fn positive(&self, unit: &[u8], end: usize, sink: &mut impl Sink) {
        let wanted = sink.wants(self.rule);
        if wanted == 0 {
            return;
        }
        if let Some(fuzzy) = &self.fuzzy {
            if let Some(range) = fuzzy.ending_at(unit, end) {
                sink.hit(self.rule, 1, unit, Some(range));
            }
            return;
        }
        let decided = self.how == How::Exact && !self.captures();
        // nobody asks where it is
        let is_enough = wanted == 1 && !self.captures() && !sink.wants_evidence(self.rule);
        if decided && is_enough {
            return sink.hit(self.rule, 1, unit, None);
        }
        let found = match is_enough {
            true => self.decider.is_match(unit).map(|is_match| (u32::from(is_match), None)),
            false => self.find(unit, wanted),
        };
        match found {
            Ok((0, _)) if decided => sink.hit(self.rule, 1, unit, None),
            Ok((0, _)) => {}
            Ok((count, first)) => {
                if self.captures() {
                    self.decider.captured(unit, wanted, |name, value| sink.captured(name, value));
                }
                sink.hit(self.rule, count, unit, first);
            }
            // what Hyperscan decided stands, only its place is not known
            Err(Exceeded) if decided => sink.hit(self.rule, 1, unit, None),
            Err(Exceeded) => sink.exceeded(self.rule),
        }
    }

    /// Whether it keeps what named groups of it match.
    pub fn captures(&self) -> bool {
        !self.decider.regex().captures.is_empty()
    }

    fn find(&self, unit: &[u8], wanted: u32) -> Result<(u32, Option<Range<usize>>), Exceeded> {
        if wanted > 1
            && let Some((count, first)) = self.decider.letters(unit, wanted)
        {
            return Ok((count, first));
        }
        let Some(first) = self.decider.find_at(unit, 0)? else { return Ok((0, None)) };
        let more = if wanted > 1 { self.decider.count_behind(&first, unit, wanted - 1)? } else { 0 };
        Ok((1 + more, Some(first)))
    }
}
