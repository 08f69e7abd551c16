//! What looking at a pattern tells, once and for all: it is kept with the compiled databases, since parsing 220 KB
//! of alternatives at every start takes longer than anything else then.

use super::{
    compile::{Entry, Wanted, refused},
    decide::Decider,
};
use crate::rules::regex::{
    Bytes, Factors, KINDS, Limits, Literals, Needs, Texts, counted, filter, literals, needs, starts_anywhere,
};

/// Longer patterns gain nothing in Hyperscan and take most of its compile time (97 of SpamAssassin's
/// 1,582 patterns took 106 of 148 s): strings, or a piece of them, have to do.
pub const LONGEST: usize = 1000;

/// What is known of a pattern that can be matched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Analysis {
    /// Whether it is too large for PCRE2.
    pub large: bool,
    /// Whether PCRE2 takes long to find that there is no match.
    pub slow: bool,
    /// Whether its matches need have no string in common.
    pub lone: bool,
    /// Whether the factors hold for texts in plain ASCII only.
    pub ascii: bool,
    /// Whether the factors speak of squeezed texts.
    pub squeezed: bool,
    pub factors: Option<Factors>,
    /// What a text must have, where the pattern is searched for by itself.
    pub needs: Needs,
}

impl Analysis {
    /// Looks at the pattern of an entry.
    ///
    /// # Errors
    /// Why it is none.
    pub fn of(entry: &Entry) -> Result<Analysis, String> {
        let regex = match &entry.wanted {
            Wanted::Pattern(regex) => regex,
            // nobody else finds words within a distance
            Wanted::Fuzzy(fuzzy) => return refused(fuzzy).map_or(Ok(Analysis::default()), Err),
        };
        let large = Decider::new(regex.clone())?.is_large();
        let (factors, lone) = match literals(&regex.plain, regex.flags) {
            Literals::Rare(factors) => (Some(factors), false),
            Literals::Common => (None, false),
            Literals::None => (None, true),
        };
        let needs = needs(&regex.plain, regex.flags);
        let long = regex.scan.len() > LONGEST;
        let slow = long && starts_anywhere(&regex.plain, regex.flags);
        let known = Analysis { large, slow, lone, ascii: false, squeezed: false, factors, needs };
        // what is short, decided and begins with strings is best left to Hyperscan
        if known.factors.is_some() || !(lone || regex.loosened || long) {
            return Ok(known);
        }
        let texts = |ascii, squeezed| Texts { ascii, squeezed };
        let mut attempts = vec![(texts(false, true), Limits::STRICT)];
        if long {
            attempts.push((texts(true, false), Limits::STRICT));
        }
        attempts.push((texts(true, true), Limits::STRICT));
        if long {
            let all = [(false, false), (false, true), (true, false), (true, true)];
            attempts.extend(all.map(|(ascii, squeezed)| (texts(ascii, squeezed), Limits::LOOSE)));
        }
        let found = attempts.into_iter().find_map(|(texts, limits)| {
            let factors = Some(filter(&regex.plain, regex.flags, texts, limits)?);
            Some(Analysis { ascii: texts.ascii, squeezed: texts.squeezed, factors, ..known.clone() })
        });
        let counted = || counted(&regex.plain, regex.flags).filter(|_| long);
        Ok(found.unwrap_or_else(|| Analysis { factors: counted(), ..known }))
    }
}

// A byte of flags, the needs (length, line, then kinds of four 8-byte numbers each), then the least count, clauses, their sets and the strings of those, each with its count or length before it.
// Integers are little-endian.
const OK: u8 = 1;
const LARGE: u8 = 2;
const LONE: u8 = 4;
const ASCII: u8 = 8;
const FACTORS: u8 = 16;
const DECIDE: u8 = 32;
const SQUEEZED: u8 = 64;
const SLOW: u8 = 128;

/// Writes what looking at a pattern told, or why it is none.
pub fn encode(analysis: &Result<Analysis, String>, out: &mut Vec<u8>) {
    let analysis = match analysis {
        Ok(analysis) => analysis,
        Err(why) => {
            out.push(0);
            return put(why.as_bytes(), out);
        }
    };
    let decide = analysis.factors.as_ref().is_some_and(|factors| factors.decide);
    let flags = [
        (LARGE, analysis.large),
        (SLOW, analysis.slow),
        (LONE, analysis.lone),
        (ASCII, analysis.ascii),
        (SQUEEZED, analysis.squeezed),
        (FACTORS, analysis.factors.is_some()),
        (DECIDE, decide),
    ];
    out.push(flags.iter().filter(|(_, on)| *on).fold(OK, |all, (flag, _)| all | flag));
    out.extend(analysis.needs.length.to_le_bytes());
    out.extend(analysis.needs.line.to_le_bytes());
    analysis.needs.kinds.iter().flat_map(|kind| kind.0).for_each(|part| out.extend(part.to_le_bytes()));
    let Some(factors) = &analysis.factors else { return };
    out.extend(factors.least.to_le_bytes());
    count(factors.clauses.len(), out);
    for clause in &factors.clauses {
        count(clause.len(), out);
        for set in clause {
            count(set.len(), out);
            set.iter().for_each(|string| put(string, out));
        }
    }
}

/// Reads that back; `None` where the bytes are no such thing.
pub fn decode(bytes: &mut &[u8]) -> Option<Result<Analysis, String>> {
    let (&flags, rest) = bytes.split_first()?;
    *bytes = rest;
    if flags == 0 {
        return Some(Err(String::from_utf8(get(bytes)?).ok()?));
    }
    let (length, line) = (number(bytes)? as u32, number(bytes)? as u32);
    let mut kinds = [Bytes::default(); KINDS];
    for part in kinds.iter_mut().flat_map(|kind| &mut kind.0) {
        let (eight, rest) = bytes.split_first_chunk()?;
        (*part, *bytes) = (u64::from_le_bytes(*eight), rest);
    }
    let factors = if flags & FACTORS == 0 {
        None
    } else {
        let least = number(bytes)? as u32;
        let clauses = list(bytes, |bytes| list(bytes, |bytes| list(bytes, get)))?;
        Some(Factors { clauses, decide: flags & DECIDE != 0, least })
    };
    let is = |flag| flags & flag != 0;
    Some(Ok(Analysis {
        large: is(LARGE),
        slow: is(SLOW),
        lone: is(LONE),
        ascii: is(ASCII),
        squeezed: is(SQUEEZED),
        factors,
        needs: Needs { length, line, kinds },
    }))
}

fn count(count: usize, out: &mut Vec<u8>) {
    out.extend((count as u32).to_le_bytes());
}

fn put(bytes: &[u8], out: &mut Vec<u8>) {
    count(bytes.len(), out);
    out.extend_from_slice(bytes);
}

fn number(bytes: &mut &[u8]) -> Option<usize> {
    let (number, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(u32::from_le_bytes(*number) as usize)
}

fn get(bytes: &mut &[u8]) -> Option<Vec<u8>> {
    let length = number(bytes)?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(text.to_vec())
}

fn list<T>(bytes: &mut &[u8], mut one: impl FnMut(&mut &[u8]) -> Option<T>) -> Option<Vec<T>> {
    (0..number(bytes)?).map(|_| one(bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_comes_back() {
        let clauses = vec![vec![vec![b"a".to_vec(), b"bc\xff".to_vec()], vec![]], vec![]];
        let all = [
            Err("why".to_owned()),
            Ok(Analysis::default()),
            Ok(Analysis {
                large: true,
                slow: true,
                lone: true,
                needs: Needs { length: 7, line: 5, kinds: [Bytes([1, 2, 3, u64::MAX]); KINDS] },
                ..Analysis::default()
            }),
            Ok(Analysis {
                ascii: true,
                squeezed: true,
                factors: Some(Factors { clauses, decide: true, least: 3 }),
                ..Analysis::default()
            }),
        ];
        let mut bytes = Vec::new();
        all.iter().for_each(|analysis| encode(analysis, &mut bytes));
        let mut rest = bytes.as_slice();
        for analysis in &all {
            assert_eq!(decode(&mut rest).as_ref(), Some(analysis));
        }
        assert!(rest.is_empty());
        for length in 0..bytes.len() {
            let mut cut = &bytes[..length];
            while decode(&mut cut).is_some() {}
        }
    }
}
