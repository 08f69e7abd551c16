//! From patterns to databases: what Hyperscan can decide, what it can prefilter, what it can't do.

use std::{
    collections::HashSet,
    ffi::CString,
    time::{Duration, Instant},
};

use rayon::prelude::*;

use super::{
    analysis::{Analysis, LONGEST},
    cache::{Cache, Choice, Compiled},
    decide::Decider,
    fuzzy::Fuzzy,
    hyperscan_ffi::{Database, Expression, Flags, shortest_match},
    view::{How, Pattern, Single, Slot, View},
};
use crate::rules::regex::{Demands, Factors, Regex};

/// So many pieces of one pattern are tried.
const MOST_PIECES: usize = 40;

/// Squeezing a text costs as much as searching it for a few patterns.
const WORTH_SQUEEZING: usize = 8;

/// What to look for on behalf of a rule.
#[derive(Clone, Debug)]
pub struct Entry {
    pub rule: u32,
    pub wanted: Wanted,
    pub negated: bool,
}

/// A pattern, or words within an edit distance.
#[derive(Clone, Debug)]
pub enum Wanted {
    Pattern(Regex),
    Fuzzy(Fuzzy),
}

/// A rule whose pattern is none, and why.
pub type Broken = (u32, String);

/// Compiles each set of entries to a view. Patterns that cannot be matched are left out and returned. All
/// sets are kept in one file of the cache.
pub fn compile(sets: Vec<Vec<Entry>>, cache: Option<&Cache>) -> (Vec<View>, Vec<Broken>) {
    let key = cache.map(|cache| (cache, cache.key(&sets)));
    let kept = key.as_ref().and_then(|(cache, key)| cache.load(key, &sets));
    let is_kept = kept.is_some();
    let analyses: Vec<Vec<Result<Analysis, String>>>;
    let mut compiled = Vec::new();
    match kept {
        Some(kept) => (analyses, compiled) = kept.into_iter().unzip(),
        None => analyses = sets.par_iter().map(|set| set.par_iter().map(Analysis::of).collect()).collect(),
    }
    let mut broken = Vec::new();
    let patterns: Vec<Vec<Pattern>> = sets
        .into_iter()
        .zip(&analyses)
        .map(|(set, analyses)| {
            let pairs = set.into_iter().zip(analyses);
            pairs
                .filter_map(|(entry, analysis)| match analysis {
                    Ok(analysis) => Some(pattern(entry, analysis.clone())),
                    Err(why) => {
                        broken.push((entry.rule, why.clone()));
                        None
                    }
                })
                .collect()
        })
        .collect();
    if !is_kept {
        compiled = patterns.par_iter().map(|set| build(set)).collect();
        if let Some((cache, key)) = &key {
            cache.store(key, &analyses, &compiled);
        }
    }
    let views = patterns.into_iter().zip(compiled).map(|(patterns, compiled)| assemble(patterns, compiled));
    (views.collect(), broken)
}

fn pattern(Entry { rule, wanted, negated }: Entry, analysis: Analysis) -> Pattern {
    let Analysis { large, slow, lone, ascii, squeezed, factors, needs } = analysis;
    let (decider, how, fuzzy) = match wanted {
        Wanted::Pattern(regex) => (Decider::trusted(regex, large, slow), How::Exact, None),
        Wanted::Fuzzy(fuzzy) => {
            (Decider::trusted(any_of(&fuzzy.words), false, false), How::Fuzzy, Some(fuzzy))
        }
    };
    Pattern { rule, how, negated, decider, fuzzy, factors, ascii, squeezed, needs, clauses: Vec::new(), lone }
}

/// Why Hyperscan does not take the words, if it does not.
pub fn refused(fuzzy: &Fuzzy) -> Option<String> {
    let entry = Entry { rule: 0, wanted: Wanted::Fuzzy(fuzzy.clone()), negated: false };
    let pattern = pattern(entry, Analysis::default());
    let whole = Choice { how: How::Fuzzy, start: 0, end: pattern.decider.regex().scan.len() as u32 };
    shortest_match(&expression(&pattern, whole, 0)?).err().map(|error| error.to_string())
}

/// The words as one expression; they are letters, digits and blanks.
fn any_of(words: &[String]) -> Regex {
    Regex {
        exact: words.join("|"),
        scan: words.join("|"),
        plain: String::new(),
        linear: false,
        loosened: false,
        cuts: Vec::new(),
        flags: crate::rules::regex::Flags { caseless: true, ..Default::default() },
        captures: Vec::new(),
    }
}

fn assemble(mut patterns: Vec<Pattern>, compiled: Compiled) -> View {
    let Compiled { choices, database, squeezed, lone } = compiled;
    for (pattern, choice) in patterns.iter_mut().zip(&choices) {
        pattern.how = choice.how;
    }
    let slots = slots(&patterns, &choices);
    for pattern in &mut patterns {
        pattern.clauses = clauses(pattern);
    }
    let mut demands = Demands::default();
    let singles = singles(&patterns, &choices, lone, &mut demands);
    let negated = (0u32..).zip(&patterns).filter(|(_, pattern)| pattern.negated).map(|(id, _)| id).collect();
    let plain = singles.partition_point(|single| !single.foreign);
    View { database, squeezed, demands, singles, plain, patterns, negated, slots }
}

/// The patterns that are searched for by themselves. Those for all texts come first, and of each kind those with a
/// database.
fn singles(
    patterns: &[Pattern],
    choices: &[Choice],
    databases: Vec<(u32, Database)>,
    demands: &mut Demands,
) -> Vec<Single> {
    let single = |(id, database): (u32, Option<Database>)| {
        let (pattern, choice) = (patterns.get(id as usize)?, choices.get(id as usize)?);
        let foreign = choice.is_fallback() || pattern.is_ascii();
        Some(Single { pattern: id, needs: demands.add(&pattern.needs), foreign, database })
    };
    let searched: HashSet<u32> = databases.iter().map(|(id, _)| *id).collect();
    let others = (0u32..)
        .zip(patterns)
        .filter(|(id, pattern)| (pattern.how == How::Alone || pattern.is_ascii()) && !searched.contains(id));
    let databases = databases.into_iter().map(|(id, database)| (id, Some(database)));
    let mut singles: Vec<Single> =
        databases.chain(others.map(|(id, _)| (id, None))).filter_map(single).collect();
    singles.sort_by_key(|single| (single.foreign, single.database.is_none()));
    singles
}

/// Chooses for each pattern what Hyperscan makes of it, and compiles.
fn build(patterns: &[Pattern]) -> Compiled {
    let mut choices: Vec<Choice> = patterns.par_iter().map(|pattern| best(pattern, How::Exact)).collect();
    let squeezed = expressions(patterns, &choices, |how| how == How::Squeezed);
    let many = choices.iter().filter(|choice| choice.how == How::Squeezed).count() >= WORTH_SQUEEZING;
    let squeezed = if many { Database::compile(&squeezed).ok() } else { None };
    if squeezed.is_none() {
        for (pattern, choice) in patterns.iter().zip(&mut choices).filter(|(_, it)| it.how == How::Squeezed) {
            *choice = best(pattern, How::Prefilter);
        }
    }
    // Some errors only show when code is generated: the pattern to blame goes a step down, and again.
    let database = loop {
        let expressions = expressions(patterns, &choices, |how| how != How::Squeezed);
        if expressions.is_empty() {
            break None;
        }
        let error = match Database::compile(&expressions) {
            Ok(database) => break Some(database),
            Err(error) => error,
        };
        // without a name: the longest, which is the likeliest to be too large
        let blamed = error
            .expression
            .and_then(|at| expressions.get(at))
            .or_else(|| expressions.iter().max_by_key(|expression| expression.text.as_bytes().len()));
        let slots = slots(patterns, &choices);
        let slot = blamed.and_then(|expression| slots.get(expression.id as usize));
        let Some(index) = slot.map(|slot| slot.pattern as usize) else { break None };
        let next = match choices[index].how {
            How::Exact | How::Literals => How::Prefilter,
            How::Prefilter => How::Piece,
            _ => How::Alone,
        };
        choices[index] = best(&patterns[index], next);
    };
    let lone = lone(patterns, &mut choices);
    Compiled { choices, database, squeezed, lone }
}

/// What a database of the patterns gets that are matched in a certain way.
fn expressions(patterns: &[Pattern], choices: &[Choice], wanted: fn(How) -> bool) -> Vec<Expression> {
    let slots = slots(patterns, choices);
    let wanted = |slot: &Slot| choices.get(slot.pattern as usize).is_some_and(|choice| wanted(choice.how));
    let slots = (0..).zip(&slots).filter(|(_, slot)| wanted(slot));
    slots.flat_map(|(id, slot)| slot.expressions(patterns, choices, id)).collect()
}

/// What Hyperscan makes of one pattern alone: the size of its database, and the time to compile it.
pub fn cost(pattern: &Pattern) -> Option<(usize, Duration)> {
    let (patterns, choices) = (std::slice::from_ref(pattern), [best(pattern, How::Exact)]);
    let slots = slots(patterns, &choices);
    let own = || expression(pattern, choices[0], 0).into_iter().collect();
    let expressions: Vec<Expression> = match is_lone(pattern, choices[0]) {
        true => own(),
        false => slots.iter().flat_map(|slot| slot.expressions(patterns, &choices, 0)).collect(),
    };
    let started = Instant::now();
    let database = Database::compile(&expressions).ok()?;
    Some((database.size(), started.elapsed()))
}

/// A database of its own for each pattern that has no strings to begin with. In one database with
/// others such patterns cost a multiple: 11 of them took 75 us a mail together and 36 us one by one.
fn lone(patterns: &[Pattern], choices: &mut [Choice]) -> Vec<(u32, Database)> {
    let mut lone = Vec::new();
    for (index, (pattern, choice)) in patterns.iter().zip(choices).enumerate() {
        if !is_lone(pattern, *choice) && !choice.is_fallback() {
            continue;
        }
        let compiled = expression(pattern, *choice, index).and_then(|one| Database::compile(&[one]).ok());
        match compiled {
            Some(database) => lone.push((index as u32, database)),
            None if choice.how == How::Squeezed => choice.end = choice.start,
            None => choice.how = How::Alone,
        }
    }
    lone
}

fn is_lone(pattern: &Pattern, choice: Choice) -> bool {
    pattern.lone && matches!(choice.how, How::Exact | How::Prefilter | How::Piece)
}

/// The best that Hyperscan accepts, beginning with `from`.
fn best(pattern: &Pattern, from: How) -> Choice {
    let regex = pattern.decider.regex();
    let whole = |how| Choice { how, start: 0, end: regex.scan.len() as u32 };
    let accepted = |choice: Choice| {
        let length = expression(pattern, choice, 0).and_then(|expression| shortest_match(&expression).ok());
        // what matches nothing at all matches everywhere: that is no filter
        length.filter(|&length| length > 0)
    };
    if pattern.how == How::Fuzzy {
        return whole(How::Fuzzy);
    }
    if let Some(Factors { decide, .. }) = pattern.factors.as_ref().filter(|_| sets(pattern).len() <= 64)
        && from == How::Exact
    {
        if pattern.squeezed {
            // where the strings say nothing, the whole pattern may; a piece hardly ever does
            let whole_too = pattern.ascii && best(pattern, How::Prefilter).how == How::Prefilter;
            return Choice {
                end: if whole_too { regex.scan.len() as u32 } else { 0 },
                ..whole(How::Squeezed)
            };
        }
        let decides = *decide && !regex.loosened && regex.plain == regex.scan;
        return whole(if decides { How::Exact } else { How::Literals });
    }
    if regex.scan.len() <= LONGEST {
        let exact = from == How::Exact && !regex.loosened;
        if exact && accepted(whole(How::Exact)).is_some() {
            return whole(How::Exact);
        }
        if from != How::Piece && from != How::Alone && accepted(whole(How::Prefilter)).is_some() {
            return whole(How::Prefilter);
        }
    }
    if from == How::Alone {
        return whole(How::Alone);
    }
    // the piece whose shortest match is the longest
    let pieces = pieces(regex).filter_map(|choice| accepted(choice).map(|length| (length, choice)));
    pieces
        .max_by_key(|(length, choice)| (*length, std::cmp::Reverse(choice.end - choice.start)))
        .map_or(whole(How::Alone), |(_, choice)| choice)
}

/// Runs of pieces that are not too long, from different starts.
fn pieces(regex: &Regex) -> impl Iterator<Item = Choice> {
    let cuts = &regex.cuts;
    let step = (cuts.len() / MOST_PIECES).max(1);
    let mut seen = HashSet::new();
    (0..cuts.len()).step_by(step).filter_map(move |first| {
        let start = *cuts.get(first)?;
        let fitting = cuts[first..].iter().take_while(|&&cut| cut - start <= LONGEST);
        let end = *fitting.last()?;
        let whole = start == 0 && end == regex.scan.len();
        (end > start && !whole && seen.insert((start, end))).then_some(Choice {
            how: How::Piece,
            start: start as u32,
            end: end as u32,
        })
    })
}

/// What Hyperscan's ids stand for: a pattern as such, or one set of strings of its clauses.
fn slots(patterns: &[Pattern], choices: &[Choice]) -> Vec<Slot> {
    let mut slots = Vec::new();
    for ((pattern, known), choice) in (0..).zip(patterns).zip(choices) {
        let count = match choice.how {
            How::Alone => 0,
            _ if is_lone(known, *choice) => 0,
            How::Literals | How::Squeezed => sets(known).len() as u32,
            _ => 1,
        };
        let counted = known.factors.as_ref().filter(|_| choice.how == How::Literals);
        let least = counted.map_or(1, |factors| factors.least);
        slots.extend((0..count).map(|set| Slot { pattern, set, least }));
    }
    slots
}

/// The different sets of a pattern's clauses.
fn sets(pattern: &Pattern) -> Vec<&Vec<Vec<u8>>> {
    let mut sets: Vec<&Vec<Vec<u8>>> = Vec::new();
    for set in pattern.factors.iter().flat_map(|factors| factors.clauses.iter().flatten()) {
        if !sets.contains(&set) {
            sets.push(set);
        }
    }
    sets
}

/// The clauses of a pattern as bits, one for each of its sets.
fn clauses(pattern: &Pattern) -> Vec<u64> {
    let sets = sets(pattern);
    let bit = |set: &Vec<Vec<u8>>| sets.iter().position(|known| *known == set).map_or(0, |at| 1 << at);
    let clause = |clause: &Vec<Vec<Vec<u8>>>| clause.iter().map(bit).fold(0, |all, bit: u64| all | bit);
    match &pattern.factors {
        Some(factors) if matches!(pattern.how, How::Literals | How::Squeezed) => {
            factors.clauses.iter().map(clause).collect()
        }
        _ => vec![1],
    }
}

impl Slot {
    /// What Hyperscan gets: the pattern, a piece of it, or each string of the set.
    fn expressions(&self, patterns: &[Pattern], choices: &[Choice], id: usize) -> Vec<Expression> {
        let at = self.pattern as usize;
        let (Some(pattern), Some(&choice)) = (patterns.get(at), choices.get(at)) else { return Vec::new() };
        if !matches!(choice.how, How::Literals | How::Squeezed) {
            return expression(pattern, choice, id).into_iter().collect();
        }
        let flags = Flags { caseless: true, single_match: self.least == 1, ..Flags::default() };
        let literal = |text: &Vec<u8>| {
            let text = text.iter().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
            Some(Expression { text: CString::new(text).ok()?, flags, id: id as u32, edit_distance: 0 })
        };
        sets(pattern)
            .get(self.set as usize)
            .into_iter()
            .flat_map(|set| set.iter().filter_map(literal))
            .collect()
    }
}

fn expression(pattern: &Pattern, choice: Choice, id: usize) -> Option<Expression> {
    let regex = pattern.decider.regex();
    let text = regex.scan.get(choice.start as usize..choice.end as usize)?;
    let flags = Flags {
        caseless: regex.flags.caseless,
        dot_all: regex.flags.dot_all,
        multi_line: regex.flags.multi_line,
        // the first end of a fuzzy match may be in the middle of a word
        single_match: pattern.fuzzy.is_none(),
        prefilter: matches!(choice.how, How::Prefilter | How::Piece | How::Squeezed),
    };
    let edit_distance = pattern.fuzzy.as_ref().map_or(0, |fuzzy| fuzzy.distance);
    Some(Expression { text: CString::new(text).ok()?, flags, id: id as u32, edit_distance })
}
