//! PCRE2 has the last word on a pattern: it matches exactly as Perl does, within limits. The few patterns that are too
//! large for it (11 of SpamAssassin's, obfuscated words mostly) are left to `automata`.

use std::{ops::Range, sync::OnceLock};

use pcre2::bytes::{Regex as Compiled, RegexBuilder};

use super::automata::{Gate, Large};
use crate::rules::regex::Regex;

/// Backtracking steps for one search. A catastrophic pattern such as `(a+)+$` is stopped after some
/// ten milliseconds; the stock rules stay far below on real mail.
const MATCH_LIMIT: u32 = 1_000_000;
/// Kilobytes of heap for one search by the interpreter.
const HEAP_LIMIT: u32 = 8_000;
/// `PCRE2_ERROR_JIT_STACKLIMIT`: the compiled code ran out of its 32 KB of stack.
const JIT_STACK: i32 = -46;

/// `PCRE2_ERROR_PATTERN_TOO_LARGE`: more than 64 KB compiled.
const TOO_LARGE: i32 = 120;
/// A search was given up at its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded;

/// A pattern that decides; compiled when it is first asked.
#[derive(Debug)]
pub struct Decider {
    regex: Regex,
    fast: OnceLock<Option<Compiled>>,
    /// For the few searches that need more stack than compiled code gets.
    interpreted: OnceLock<Option<Compiled>>,
    /// In place of both for a pattern that is too large for PCRE2.
    large: Option<Large>,
    /// Asked before all of them, where their answer takes long.
    gate: Option<Gate>,
}

impl Decider {
    /// Checks that PCRE2 takes the pattern, or `Large` if it is too large for that.
    ///
    /// # Errors
    /// What they say.
    pub fn new(regex: Regex) -> Result<Decider, String> {
        match build(&regex, false) {
            Ok(_) => Ok(Decider::unchecked(regex)),
            Err(error) if error.code() == TOO_LARGE && regex.linear => {
                Large::check(&regex)?;
                Ok(Decider { large: Some(Large::default()), ..Decider::unchecked(regex) })
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Trusts that the pattern was checked before, and was `large` then or was not. One that is `slow` gets a gate.
    pub fn trusted(regex: Regex, large: bool, slow: bool) -> Decider {
        let (large, gate) = (large.then(Large::default), (large || slow).then(Gate::default));
        Decider { large, gate, ..Decider::unchecked(regex) }
    }

    /// One that nobody takes matches nothing.
    fn unchecked(regex: Regex) -> Decider {
        Decider { regex, fast: OnceLock::new(), interpreted: OnceLock::new(), large: None, gate: None }
    }

    /// Whether the pattern is too large for PCRE2.
    pub fn is_large(&self) -> bool {
        self.large.is_some()
    }

    /// The pattern.
    pub fn regex(&self) -> &Regex {
        &self.regex
    }

    /// The first match that starts at or behind `at`; what is before it counts as context.
    pub fn find_at(&self, subject: &[u8], at: usize) -> Result<Option<Range<usize>>, Exceeded> {
        if self.gate.as_ref().is_some_and(|gate| !gate.is_open(&self.regex, subject, at)) {
            return Ok(None);
        }
        if let Some(large) = &self.large {
            return Ok(large.find_at(&self.regex, subject, at));
        }
        match search(&self.fast, &self.regex, true, subject, at) {
            Err(JIT_STACK) => {
                search(&self.interpreted, &self.regex, false, subject, at).map_err(|_| Exceeded)
            }
            result => result.map_err(|_| Exceeded),
        }
    }

    /// What the named groups of the first `most` matches matched.
    pub fn captured(&self, subject: &[u8], most: u32, mut take: impl FnMut(&str, &[u8])) {
        let Some(compiled) = self.interpreted.get_or_init(|| build(&self.regex, false).ok()) else { return };
        let mut groups = compiled.capture_locations();
        let (mut count, mut at) = (0, 0);
        while count < most && at <= subject.len() {
            let Ok(Some(found)) = compiled.captures_read_at(&mut groups, subject, at) else { return };
            for (index, name) in compiled.capture_names().iter().enumerate() {
                if let (Some(name), Some((start, end))) = (name, groups.get(index)) {
                    take(name, subject.get(start..end).unwrap_or_default());
                }
            }
            count += 1;
            at = if found.end() > found.start() { found.end() } else { found.end() + 1 };
        }
    }

    /// Matches that do not overlap, from left to right, `most` at the most. An empty one moves on by a byte.
    pub fn count(&self, subject: &[u8], most: u32) -> Result<u32, Exceeded> {
        let (mut count, mut at) = (0, 0);
        while count < most && at <= subject.len() {
            let Some(found) = self.find_at(subject, at)? else { break };
            count += 1;
            at = if found.end > found.start { found.end } else { found.end + 1 };
        }
        Ok(count)
    }
}

fn search(
    compiled: &OnceLock<Option<Compiled>>,
    regex: &Regex,
    fast: bool,
    subject: &[u8],
    at: usize,
) -> Result<Option<Range<usize>>, i32> {
    let Some(compiled) = compiled.get_or_init(|| build(regex, fast).ok()) else { return Ok(None) };
    match compiled.find_at(subject, at) {
        // \K may set the start behind the end
        Ok(found) => Ok(found.map(|found| found.start().min(found.end())..found.end())),
        Err(error) => Err(error.code()),
    }
}

fn build(regex: &Regex, fast: bool) -> Result<Compiled, pcre2::Error> {
    // two groups may have the same name in Perl
    let names = if regex.captures.len() > 1 { "(?J)" } else { "" };
    let text = format!("(*LF)(*LIMIT_MATCH={MATCH_LIMIT})(*LIMIT_HEAP={HEAP_LIMIT}){names}{}", regex.exact);
    RegexBuilder::new()
        .caseless(regex.flags.caseless)
        .dotall(regex.flags.dot_all)
        .multi_line(regex.flags.multi_line)
        .jit_if_available(fast)
        .build(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::regex::{Delimited, translate};

    fn decider(text: &str) -> Decider {
        let parsed = Delimited::parse(text.as_bytes()).unwrap();
        Decider::new(translate(parsed.source, parsed.flags).unwrap()).unwrap()
    }

    #[test]
    fn matches_are_counted_as_perl_does() {
        assert_eq!(decider("/a/i").count(b"aAba", u32::MAX), Ok(3));
        assert_eq!(decider("/aa/").count(b"aaaaa", u32::MAX), Ok(2));
        assert_eq!(decider("/x*/").count(b"ab", u32::MAX), Ok(3));
        assert_eq!(decider("/^a/").count(b"aaa", u32::MAX), Ok(1));
        assert_eq!(decider("/(?<=a)a/").count(b"aaa", u32::MAX), Ok(2));
        assert_eq!(decider("/a/").count(b"aaaa", 2), Ok(2));
        // the first alternative counts, not the longest
        assert_eq!(decider("/(?:ab|a|b\\xc3[\\xa8-\\xaa]|bc)/i").count(b"AbcaBb\xc3\xa9a", u32::MAX), Ok(4));
    }

    #[test]
    fn a_catastrophic_pattern_is_given_up() {
        let subject = [b"a".repeat(5000), b"b".to_vec()].concat();
        assert_eq!(decider("/^(a+)+$/").find_at(&subject, 0), Err(Exceeded));
    }

    #[test]
    fn deep_recursion_falls_back_to_the_interpreter() {
        let subject = b"ab".repeat(20_000);
        assert_eq!(decider("/^(?:a|ab|b)*$/").find_at(&subject, 0), Ok(Some(0..40_000)));
    }

    #[test]
    fn a_pattern_too_large_for_pcre2_is_matched() {
        let words: Vec<String> = (0..12_000).map(|n| format!("w{n:05}[\\s]x")).collect();
        let large = decider(&format!("/\\b(?:{})$/im", words.join("|")));
        assert!(large.large.is_some());
        assert_eq!(large.count(b"W00007 x\nxw00008 x\nw11999\tX\n", u32::MAX), Ok(2));
        assert_eq!(large.find_at(b"w00007 x\nw00008 x", 1), Ok(Some(9..17)));
        // `$` before a last line feed and looking around are no matter of that engine
        let words = words.join("|");
        for text in [format!("/(?:{words})$/"), format!("/(?=x)(?:{words})/")] {
            let parsed = Delimited::parse(text.as_bytes()).unwrap();
            assert!(Decider::new(translate(parsed.source, parsed.flags).unwrap()).is_err());
        }
    }

    #[test]
    fn a_match_may_move_its_start() {
        assert_eq!(decider(r"/a\Kb/").find_at(b"ab", 0), Ok(Some(1..2)));
    }
}
