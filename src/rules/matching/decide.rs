//! PCRE2 has the last word on a pattern: it matches exactly as Perl does, within limits. The few patterns that are too
//! large for it (11 of SpamAssassin's, obfuscated words mostly) are left to `automata`.

use std::{ops::Range, sync::OnceLock};

use pcre2::bytes::{Regex as Compiled, RegexBuilder};

use super::{
    automata::{Gate, Large},
    pcre2_ffi::Code,
};
use crate::rules::regex::{Bytes, Regex, is_plain, letters};

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
    fast: OnceLock<Option<Code>>,
    /// For the few searches that need more stack than machine code gets, and for captures.
    interpreted: OnceLock<Option<Compiled>>,
    /// What it matches in plain texts, where that is single bytes; found out when it is first counted.
    letters: OnceLock<Option<Bytes>>,
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
        match build(&regex) {
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
        let (fast, interpreted, letters) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Decider { regex, fast, interpreted, letters, large: None, gate: None }
    }

    /// Whether the pattern is too large for PCRE2.
    pub fn is_large(&self) -> bool {
        self.large.is_some()
    }

    /// The pattern.
    pub fn regex(&self) -> &Regex {
        &self.regex
    }

    /// Whether there is a match.
    pub fn is_match(&self, subject: &[u8]) -> Result<bool, Exceeded> {
        match &self.large {
            Some(large) => {
                let is_open = self.gate.as_ref().is_none_or(|gate| gate.is_open(&self.regex, subject, 0));
                Ok(is_open && large.is_match(&self.regex, subject))
            }
            None => self.find_at(subject, 0).map(|found| found.is_some()),
        }
    }

    /// The first match that starts at or behind `at`; what is before it counts as context.
    pub fn find_at(&self, subject: &[u8], at: usize) -> Result<Option<Range<usize>>, Exceeded> {
        if self.gate.as_ref().is_some_and(|gate| !gate.is_open(&self.regex, subject, at)) {
            return Ok(None);
        }
        if let Some(large) = &self.large {
            return Ok(large.find_at(&self.regex, subject, at));
        }
        let fast = self.fast.get_or_init(|| Code::compile(&limited(&self.regex), self.regex.flags));
        let found = match fast.as_ref().map(|code| code.find_at(subject, at)) {
            Some(Err(JIT_STACK)) | None => self.interpret(subject, at),
            Some(found) => found,
        };
        // \K may set the start behind the end
        found.map(|found| found.map(|it| it.start.min(it.end)..it.end)).map_err(|_| Exceeded)
    }

    fn interpret(&self, subject: &[u8], at: usize) -> Result<Option<Range<usize>>, i32> {
        let Some(compiled) = self.interpreted.get_or_init(|| build(&self.regex).ok()) else {
            return Ok(None);
        };
        match compiled.find_at(subject, at) {
            Ok(found) => Ok(found.map(|found| found.start()..found.end())),
            Err(error) => Err(error.code()),
        }
    }

    /// What the named groups of the first `most` matches matched.
    pub fn captured(&self, subject: &[u8], most: u32, mut take: impl FnMut(&str, &[u8])) {
        let Some(compiled) = self.interpreted.get_or_init(|| build(&self.regex).ok()) else { return };
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
        self.count_from(0, subject, most)
    }

    /// The same, behind a match.
    pub fn count_behind(&self, found: &Range<usize>, subject: &[u8], most: u32) -> Result<u32, Exceeded> {
        self.count_from(next(found), subject, most)
    }

    fn count_from(&self, mut at: usize, subject: &[u8], most: u32) -> Result<u32, Exceeded> {
        let mut count = 0;
        while count < most && at <= subject.len() {
            let Some(found) = self.find_at(subject, at)? else { break };
            count += 1;
            at = next(&found);
        }
        Ok(count)
    }

    /// How often it matches, and first where, in a plain text in which its matches are single bytes: there can be hundreds. `None`
    /// where there is another text, or the pattern is another.
    pub fn letters(&self, subject: &[u8], most: u32) -> Option<(u32, Option<Range<usize>>)> {
        let find = || if self.regex.linear { letters(&self.regex.plain, self.regex.flags) } else { None };
        let letters = self.letters.get_or_init(find).as_ref().filter(|_| is_plain(subject))?;
        let mut found = (0..).zip(subject).filter(|(_, byte)| letters.has(**byte)).map(|(at, _)| at);
        let first = found.next().map(|at| at..at + 1);
        let more = found.take(most.saturating_sub(1) as usize).count();
        Some((u32::from(first.is_some()) + more as u32, first))
    }
}

/// Where the search for another match begins.
fn next(found: &Range<usize>) -> usize {
    if found.end > found.start { found.end } else { found.end + 1 }
}

fn build(regex: &Regex) -> Result<Compiled, pcre2::Error> {
    RegexBuilder::new()
        .caseless(regex.flags.caseless)
        .dotall(regex.flags.dot_all)
        .multi_line(regex.flags.multi_line)
        .build(&limited(regex))
}

/// The pattern with what a search may take.
fn limited(regex: &Regex) -> String {
    // two groups may have the same name in Perl
    let names = if regex.captures.len() > 1 { "(?J)" } else { "" };
    format!("(*LF)(*LIMIT_MATCH={MATCH_LIMIT})(*LIMIT_HEAP={HEAP_LIMIT}){names}{}", regex.exact)
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
    fn letters_are_counted_one_by_one() {
        let accented = decider("/(?:e|\\xc3[\\xa8-\\xaa]|\\xc4\\x93)/i");
        assert_eq!(accented.letters(b"An Eel sees", u32::MAX), Some((4, Some(3..4))));
        assert_eq!(accented.letters(b"An Eel sees", 2), Some((2, Some(3..4))));
        assert_eq!(accented.letters(b"Any", 2), Some((0, None)));
        assert_eq!(accented.letters(b"\xc3\xa9e", 2), None);
        for other in ["/ee/", "/e+/", "/e(?=s)/", "/\\be/"] {
            assert_eq!(decider(other).letters(b"eel", 2), None, "{other}");
        }
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
        assert_eq!(large.is_match(b"x w00008 x"), Ok(true));
        assert_eq!(large.is_match(b"w00008 xy"), Ok(false));
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
