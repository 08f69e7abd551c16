//! Lazy automata, which read every byte once where PCRE2 would try a long pattern at every byte.
//!
//! The `regex` crate keeps several of them a pattern, each with its reverse, and for each of them a set of caches a thread: 30 MB
//! a thread for eleven patterns. Here a lighter pattern says whether to look at all, forward only, the exact one is not built
//! before that, and caches go from thread to thread.

use std::{
    ops::Range,
    sync::{Mutex, OnceLock, PoisonError},
};

use regex_automata::{
    Anchored, Input, MatchKind,
    hybrid::{dfa, regex},
    nfa::thompson::{self, WhichCaptures},
};
use regex_syntax::hir::{Hir, Look};

use crate::rules::regex::{Regex, lighter_than, parsed};

/// Bytes of a compiled pattern. The largest of SpamAssassin's takes 14 MB.
const LARGEST: usize = 64 << 20;
/// Bytes of states that an automaton keeps before it forgets them all.
const CACHE: usize = 8 << 20;

/// Says whether there may be a match; built when it is first asked.
#[derive(Debug, Default)]
pub struct Gate(OnceLock<Option<Light>>);

impl Gate {
    /// Whether there may be a match that starts at or behind `at`.
    pub fn is_open(&self, regex: &Regex, subject: &[u8], at: usize) -> bool {
        let light = self.0.get_or_init(|| Light::of(regex));
        light.as_ref().is_none_or(|light| light.may_match(&behind(subject, at)))
    }
}

/// A pattern that is too large for PCRE2 (more than 64 KB compiled); built when it is first asked. To say where a match begins
/// takes as much memory again as to say whether there is one, and most rules need not know.
#[derive(Debug, Default)]
pub struct Large {
    any: OnceLock<Option<Any>>,
    exact: OnceLock<Option<Exact>>,
}

impl Large {
    /// Whether the pattern can be built.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn check(regex: &Regex) -> Result<(), String> {
        Exact::of(regex, forward(&hir(regex)?)?).map(drop)
    }

    fn any(&self, regex: &Regex) -> Option<&Any> {
        self.any.get_or_init(|| Any::of(regex).ok()).as_ref()
    }

    /// Whether there is a match.
    pub fn is_match(&self, regex: &Regex, subject: &[u8]) -> bool {
        self.any(regex).is_some_and(|any| any.is_match(&Input::new(subject)))
    }

    /// The first match that starts at or behind `at`; what is before it counts as context.
    pub fn find_at(&self, regex: &Regex, subject: &[u8], at: usize) -> Option<Range<usize>> {
        let exact = || Exact::of(regex, self.any(regex)?.forward.clone()).ok();
        self.exact.get_or_init(exact).as_ref()?.find(&behind(subject, at))
    }
}

fn behind(subject: &[u8], at: usize) -> Input<'_> {
    Input::new(subject).span(at.min(subject.len())..subject.len())
}

/// Finds at least as much as its pattern, with a fraction of the states.
#[derive(Debug)]
struct Light {
    forward: dfa::DFA,
    caches: Caches<dfa::Cache>,
    /// Whether every match begins a line: most lines are done with their first bytes then.
    begins_line: bool,
}

impl Light {
    fn of(regex: &Regex) -> Option<Light> {
        let hir = lighter_than(&regex.plain, regex.flags)?;
        let begins_line = hir.properties().look_set_prefix().contains(Look::StartLF);
        Some(Light { forward: forward(&hir).ok()?, caches: Caches::default(), begins_line })
    }

    fn may_match(&self, input: &Input<'_>) -> bool {
        let input = input.clone().earliest(true);
        let search = |cache: &mut dfa::Cache| {
            // what it cannot say is left to others
            let mut found =
                |input: &Input<'_>| !matches!(self.forward.try_search_fwd(cache, input), Ok(None));
            if !self.begins_line {
                return found(&input);
            }
            let mut line = input.clone().anchored(Anchored::Yes);
            lines(input.haystack(), input.start()).any(|start| {
                line.set_start(start);
                found(&line)
            })
        };
        self.caches.with(|| self.forward.create_cache(), search)
    }
}

/// Where lines begin, at `at` or behind it.
fn lines(text: &[u8], at: usize) -> impl Iterator<Item = usize> {
    let first = (at == 0 || text.get(at - 1) == Some(&b'\n')).then_some(at);
    let rest = text.get(at..).unwrap_or_default();
    first.into_iter().chain(memchr::memchr_iter(b'\n', rest).map(move |end| at + end + 1))
}

/// Says whether there is a match.
#[derive(Debug)]
struct Any {
    forward: dfa::DFA,
    caches: Caches<dfa::Cache>,
}

impl Any {
    fn of(regex: &Regex) -> Result<Any, String> {
        Ok(Any { forward: forward(&hir(regex)?)?, caches: Caches::default() })
    }

    fn is_match(&self, input: &Input<'_>) -> bool {
        let input = input.clone().earliest(true);
        let search = |cache: &mut dfa::Cache| self.forward.try_search_fwd(cache, &input);
        // no error is met, as below
        self.caches.with(|| self.forward.create_cache(), search).is_ok_and(|found| found.is_some())
    }
}

/// Says where the match is.
#[derive(Debug)]
struct Exact {
    regex: regex::Regex,
    caches: Caches<regex::Cache>,
}

impl Exact {
    fn of(regex: &Regex, forward: dfa::DFA) -> Result<Exact, String> {
        let backward = dfa::Config::new().match_kind(MatchKind::All);
        let backward = automaton(&hir(regex)?, thompson::Config::new().reverse(true), backward)?;
        let regex = regex::Builder::new().build_from_dfas(forward, backward);
        Ok(Exact { regex, caches: Caches::default() })
    }

    fn find(&self, input: &Input<'_>) -> Option<Range<usize>> {
        let search = |cache: &mut regex::Cache| self.regex.try_search(cache, input);
        let found = self.caches.with(|| self.regex.create_cache(), search);
        // neither error is met: no byte stops these automata, and they never give up
        found.ok()?.map(|found| found.range())
    }
}

fn hir(regex: &Regex) -> Result<Hir, String> {
    parsed(&regex.plain, regex.flags).ok_or_else(|| "not a pattern of the regex crate".to_owned())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::regex::{Delimited, translate};

    fn is_open(pattern: &str, subject: &[u8], at: usize) -> bool {
        let parsed = Delimited::parse(pattern.as_bytes()).unwrap();
        let regex = translate(parsed.source, parsed.flags).unwrap();
        Gate::default().is_open(&regex, subject, at)
    }

    #[test]
    fn the_gate_is_open_where_there_may_be_a_match() {
        assert!(is_open("/(?:ab+c){3}/", b"xabbcabcabc", 0));
        assert!(!is_open("/(?:ab+c){3}/", b"abbc abc ab", 0));
        assert!(!is_open("/(?:ab+c){3}/", b"abcabcabcx", 4));
    }

    #[test]
    fn what_begins_a_line_is_sought_at_every_line() {
        let pattern = r"/^\s?(?:ab{1,9}c){1,3}$/im";
        for (subject, open) in [
            (&b"ABC"[..], true),
            (b"x\nabc\ny", true),
            (b"x\n\n abbcabc", true),
            (b"xabc\nxabc", false),
            (b"", false),
        ] {
            assert_eq!(is_open(pattern, subject, 0), open, "{}", subject.escape_ascii());
        }
        assert!(is_open(pattern, b"abc\nabc", 1));
        assert!(!is_open(pattern, b"abc\nxbc", 1));
        assert!(!is_open(pattern, b"abc", 9));
    }
}
