//! PCRE2 has the last word on a pattern: it matches exactly as Perl does, within limits.

use std::{ops::Range, sync::OnceLock};

use pcre2::bytes::{Regex as Compiled, RegexBuilder};

use crate::rules::regex::Regex;

/// Backtracking steps for one search. A catastrophic pattern such as `(a+)+$` is stopped after some
/// ten milliseconds; the stock rules stay far below on real mail.
const MATCH_LIMIT: u32 = 1_000_000;
/// Kilobytes of heap for one search by the interpreter.
const HEAP_LIMIT: u32 = 8_000;
/// `PCRE2_ERROR_JIT_STACKLIMIT`: the compiled code ran out of its 32 KB of stack.
const JIT_STACK: i32 = -46;

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
}

impl Decider {
    /// Checks that PCRE2 takes the pattern.
    ///
    /// # Errors
    /// What PCRE2 says.
    pub fn new(regex: Regex) -> Result<Decider, String> {
        build(&regex, false).map_err(|error| error.to_string())?;
        Ok(Decider::unchecked(regex))
    }

    /// Trusts that PCRE2 takes the pattern; one that it does not take matches nothing.
    pub fn unchecked(regex: Regex) -> Decider {
        Decider { regex, fast: OnceLock::new(), interpreted: OnceLock::new() }
    }

    /// The pattern.
    pub fn regex(&self) -> &Regex {
        &self.regex
    }

    /// The first match that starts at or behind `at`; what is before it counts as context.
    pub fn find_at(&self, subject: &[u8], at: usize) -> Result<Option<Range<usize>>, Exceeded> {
        match search(&self.fast, &self.regex, true, subject, at) {
            Err(JIT_STACK) => {
                search(&self.interpreted, &self.regex, false, subject, at).map_err(|_| Exceeded)
            }
            result => result.map_err(|_| Exceeded),
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
    let text = format!("(*LF)(*LIMIT_MATCH={MATCH_LIMIT})(*LIMIT_HEAP={HEAP_LIMIT}){}", regex.exact);
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
    fn a_match_may_move_its_start() {
        assert_eq!(decider(r"/a\Kb/").find_at(b"ab", 0), Ok(Some(1..2)));
    }
}
