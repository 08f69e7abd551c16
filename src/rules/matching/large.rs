//! Patterns that are too large for PCRE2 (more than 64 KB compiled), decided by lazy automata of the `regex` crate's engine.
//!
//! The crate itself keeps several engines a pattern, each with its reverse, and for each of them a set of caches a thread:
//! 30 MB a thread for SpamAssassin's eleven. Here a lighter pattern says where to look at all, forward only, and the exact
//! one is not built before that; caches go from thread to thread.

use std::{
    ops::Range,
    sync::{Mutex, OnceLock, PoisonError},
};

use regex_automata::{
    Input, MatchKind,
    hybrid::{dfa, regex},
    nfa::thompson::{self, WhichCaptures},
};
use regex_syntax::hir::Hir;

use crate::rules::regex::{Regex, lighter_than, parsed};

/// Bytes of a compiled pattern. The largest of SpamAssassin's takes 14 MB.
const LARGEST: usize = 64 << 20;
/// Bytes of states that an automaton keeps before it forgets them all.
const CACHE: usize = 4 << 20;

/// A pattern that is too large for PCRE2; built when it is first asked.
#[derive(Debug, Default)]
pub struct Large {
    /// Finds at least as much at a fraction of the states, where there is such a thing.
    light: OnceLock<Option<Light>>,
    exact: OnceLock<Option<Exact>>,
}

impl Large {
    /// Whether the pattern can be built.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn check(regex: &Regex) -> Result<(), String> {
        Exact::of(regex).map(drop)
    }

    /// The first match that starts at or behind `at`; what is before it counts as context.
    pub fn find_at(&self, regex: &Regex, subject: &[u8], at: usize) -> Option<Range<usize>> {
        let input = Input::new(subject).span(at.min(subject.len())..subject.len());
        let light = self.light.get_or_init(|| Light::of(regex));
        if light.as_ref().is_some_and(|light| !light.matches(&input)) {
            return None;
        }
        self.exact.get_or_init(|| Exact::of(regex).ok()).as_ref()?.find(&input)
    }
}

/// Says whether there may be a match.
#[derive(Debug)]
struct Light {
    forward: dfa::DFA,
    caches: Caches<dfa::Cache>,
}

impl Light {
    fn of(regex: &Regex) -> Option<Light> {
        let forward = forward(&lighter_than(&regex.plain, regex.flags)?).ok()?;
        Some(Light { forward, caches: Caches::default() })
    }

    fn matches(&self, input: &Input<'_>) -> bool {
        let input = input.clone().earliest(true);
        let search = |cache: &mut dfa::Cache| self.forward.try_search_fwd(cache, &input);
        // what it cannot say is left to the exact one
        !matches!(self.caches.with(|| self.forward.create_cache(), search), Ok(None))
    }
}

/// Says where the match is.
#[derive(Debug)]
struct Exact {
    regex: regex::Regex,
    caches: Caches<regex::Cache>,
}

impl Exact {
    fn of(regex: &Regex) -> Result<Exact, String> {
        let hir = parsed(&regex.plain, regex.flags).ok_or("not a pattern of the regex crate")?;
        let backward = dfa::Config::new().match_kind(MatchKind::All);
        let backward = automaton(&hir, thompson::Config::new().reverse(true), backward)?;
        let regex = regex::Builder::new().build_from_dfas(forward(&hir)?, backward);
        Ok(Exact { regex, caches: Caches::default() })
    }

    fn find(&self, input: &Input<'_>) -> Option<Range<usize>> {
        let search = |cache: &mut regex::Cache| self.regex.try_search(cache, input);
        let found = self.caches.with(|| self.regex.create_cache(), search);
        // neither error is met: no byte stops these automata, and they never give up
        found.ok()?.map(|found| found.range())
    }
}

fn forward(hir: &Hir) -> Result<dfa::DFA, String> {
    automaton(hir, thompson::Config::new(), dfa::Config::new())
}

fn automaton(hir: &Hir, nfa: thompson::Config, dfa: dfa::Config) -> Result<dfa::DFA, String> {
    let nfa = nfa.utf8(false).which_captures(WhichCaptures::None).nfa_size_limit(Some(LARGEST));
    let nfa =
        thompson::Compiler::new().configure(nfa).build_from_hir(hir).map_err(|error| error.to_string())?;
    let dfa = dfa.cache_capacity(CACHE).skip_cache_capacity_check(true);
    dfa::Builder::new().configure(dfa).build_from_nfa(nfa).map_err(|error| error.to_string())
}

/// As many caches as searches ran at the same time.
#[derive(Debug)]
struct Caches<C>(Mutex<Vec<C>>);

impl<C> Default for Caches<C> {
    fn default() -> Caches<C> {
        Caches(Mutex::default())
    }
}

impl<C> Caches<C> {
    fn with<T>(&self, new: impl FnOnce() -> C, search: impl FnOnce(&mut C) -> T) -> T {
        let free = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // not in one expression with `new`: the lock would be held until it is done
        let known = free().pop();
        let mut cache = known.unwrap_or_else(new);
        let found = search(&mut cache);
        free().push(cache);
        found
    }
}
