//! The views of a corpus as sparse matrices: rows of small numbers in place of fingerprints.

use std::{io, ops::Range};

use rayon::prelude::*;

use super::{
    corpus::Corpus,
    hash::{VIEWS, view_of},
    store::{Memory, Place, Store},
};

/// How many messages of each class have a token: spam, ham.
pub(super) type Counts = [u32; 2];

/// Messages as rows of numbers, one for each token of a view that is frequent enough.
#[derive(Default)]
pub(super) struct Matrix {
    /// Number to fingerprint. Frequent tokens have low numbers: what is used often lies close together.
    pub fingerprints: Vec<u64>,
    /// Number to messages.
    pub counts: Vec<Counts>,
    /// Tokens that stand in a message more than they must: they have the lowest numbers.
    common: u32,
    numbers: Store<u32>,
    rows: Vec<Numbers>,
}

/// The tokens of a message, by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tokens<'m> {
    /// Those first that it would have, had it not been counted: what stands in one message more than a token must.
    pub all: &'m [u32],
    /// How many of them those are.
    pub common: usize,
}

impl<'m> Tokens<'m> {
    pub(super) fn common(self) -> &'m [u32] {
        self.all.get(..self.common).unwrap_or_default()
    }
}

/// Where the numbers of a message lie, and how many of them are of [`Tokens::common`].
#[derive(Clone, Copy)]
struct Numbers {
    place: Place,
    common: u32,
}

/// Messages that one task numbers.
const CHUNK: usize = 128;

impl Matrix {
    /// One matrix for each view, of the tokens that stand in at least `rarest` messages.
    ///
    /// # Errors
    /// A corpus that has a bound on its memory cannot be written to files.
    pub(super) fn of_views(corpus: &Corpus, rarest: u32) -> io::Result<[Matrix; VIEWS as usize]> {
        let rarest = rarest.max(1);
        let mut views: [Matrix; VIEWS as usize] = Default::default();
        for (fingerprint, counts) in by_frequency(frequent(corpus, rarest), rarest) {
            let view = &mut views[view_of(fingerprint) as usize];
            view.common += u32::from(total(counts) > u64::from(rarest));
            view.fingerprints.push(fingerprint);
            view.counts.push(counts);
        }
        let index = |is_common: bool| {
            let tokens = views.iter().flat_map(|view| {
                let numbered = view.fingerprints.iter().copied().zip(0..);
                numbered.filter(move |&(_, number)| (number < view.common) == is_common)
            });
            Index::new(&tokens.collect::<Vec<_>>())
        };
        // Nearly all that stands in a message is common: its table is the smaller one and the one that is asked first.
        let index = [index(true), index(false)];
        // What is numbered at once lies in memory until it is appended.
        let batch = (corpus.memory().bytes / BYTES_OF_ROW).clamp(CHUNK, 1 << 20);
        for first in (0..corpus.len()).step_by(batch) {
            let rows = first..(first + batch).min(corpus.len());
            for numbered in numbered(corpus, rows, &index) {
                for (view, (numbers, rows)) in views.iter_mut().zip(numbered) {
                    let shift = view.numbers.append(numbers);
                    view.rows
                        .extend(rows.into_iter().map(|row| Numbers { place: row.place.moved(shift), ..row }));
                    view.numbers.relieve(corpus.memory())?;
                }
            }
        }
        Ok(views)
    }

    /// The counts of the tokens that a message may have in [`Tokens::common`].
    pub(super) fn common(&self) -> &[Counts] {
        self.counts.get(..self.common as usize).unwrap_or_default()
    }

    pub(super) fn row(&self, row: usize) -> Tokens<'_> {
        let tokens = |row: &Numbers| Tokens { all: self.numbers.get(row.place), common: row.common as usize };
        self.rows.get(row).map(tokens).unwrap_or_default()
    }
}

fn total([spam, ham]: Counts) -> u64 {
    u64::from(spam) + u64::from(ham)
}

/// What a row of numbers may take, with room to spare: a message has few thousand tokens.
const BYTES_OF_ROW: usize = 64 << 10;

type Numbered = [(Store<u32>, Vec<Numbers>); VIEWS as usize];

fn numbered(corpus: &Corpus, rows: Range<usize>, [common, rare]: &[Index; 2]) -> Vec<Numbered> {
    let starts: Vec<usize> = rows.clone().step_by(CHUNK).collect();
    let chunk = |start: usize| {
        let mut chunk: Numbered = Default::default();
        let mut found: [[Vec<u32>; 2]; VIEWS as usize] = Default::default();
        for row in start..(start + CHUNK).min(rows.end) {
            found.iter_mut().flatten().for_each(Vec::clear);
            for &fingerprint in corpus.fingerprints(row) {
                let found = &mut found[view_of(fingerprint) as usize];
                if let Some(number) = common.find(fingerprint) {
                    found[0].push(number);
                } else if let Some(number) = rare.find(fingerprint) {
                    found[1].push(number);
                }
            }
            for ((numbers, rows), [found, rare]) in chunk.iter_mut().zip(&mut found) {
                let common = found.len() as u32;
                found.append(rare);
                rows.push(Numbers { place: numbers.push(found), common });
            }
        }
        chunk
    };
    starts.into_par_iter().map(chunk).collect()
}

/// Tokens by how often they come, by orders of magnitude, the most frequent first: what is used often lies close
/// together. Those that stand in no more than `rarest` messages come last.
fn by_frequency(found: Vec<(u64, Counts)>, rarest: u32) -> impl Iterator<Item = (u64, Counts)> {
    let class = |counts: Counts| match total(counts) {
        few if few <= u64::from(rarest) => 0,
        more => more.ilog2() as usize + 1,
    };
    let mut classes: [Vec<(u64, Counts)>; 36] = [const { Vec::new() }; 36];
    for (fingerprint, counts) in found {
        classes[class(counts)].push((fingerprint, counts));
    }
    classes.into_iter().rev().flatten()
}

/// Tokens that one part should have: their table stays in the nearer caches.
const PART: usize = 1 << 14;
/// Slots of a part's table to begin with: most tokens come again.
const SLOTS: usize = 1 << 12;

/// The tokens that stand in at least `rarest` messages, in no order that means anything.
fn frequent(corpus: &Corpus, rarest: u32) -> Vec<(u64, Counts)> {
    let bits = (corpus.tokens() / PART).checked_ilog2().map_or(0, |bits| (bits + 1).min(16));
    let split = Split { bits };
    let rows = corpus.stored();
    let rows_of = |spam: bool| rows.iter().copied().filter(move |row| row.spam == spam);
    let (spam, ham) = rayon::join(
        || split.sizes(rows_of(true).map(|row| corpus.tokens_of(row))),
        || split.sizes(rows_of(false).map(|row| corpus.tokens_of(row))),
    );
    let mut found = Vec::new();
    // With a bound, the rows are read again for each group of parts that it has room for.
    for parts in groups(&spam, &ham, corpus.memory()) {
        let (spam, ham) = rayon::join(
            || Parts::new(rows_of(true).map(|row| corpus.tokens_of(row)), split, &spam, parts.clone()),
            || Parts::new(rows_of(false).map(|row| corpus.tokens_of(row)), split, &ham, parts.clone()),
        );
        let count = |table: &mut Table, part: usize| {
            table.clear();
            spam.part(part).iter().for_each(|&fingerprint| table.count(fingerprint, 0));
            ham.part(part).iter().for_each(|&fingerprint| table.count(fingerprint, 1));
            let enough = |&(_, counts): &(u64, Counts)| total(counts) >= u64::from(rarest.max(1));
            table.slots.iter().copied().filter(enough).collect::<Vec<_>>()
        };
        let counted: Vec<Vec<(u64, Counts)>> =
            (0..parts.len()).into_par_iter().map_init(Table::default, count).collect();
        found.extend(counted.into_iter().flatten());
    }
    found
}

/// Divides fingerprints into parts by their upper bits.
#[derive(Clone, Copy)]
struct Split {
    bits: u32,
}

impl Split {
    fn part(self, fingerprint: u64) -> usize {
        fingerprint.checked_shr(u64::BITS - self.bits).unwrap_or(0) as usize
    }

    /// How many fingerprints each part has.
    fn sizes<'c>(self, rows: impl Iterator<Item = &'c [u64]>) -> Vec<usize> {
        let mut sizes = vec![0; 1 << self.bits];
        for row in rows {
            row.iter().for_each(|&fingerprint| sizes[self.part(fingerprint)] += 1);
        }
        sizes
    }
}

/// Parts one after another, as many together as half of the bound holds, one at least.
fn groups(spam: &[usize], ham: &[usize], memory: &Memory) -> Vec<Range<usize>> {
    let room = memory.bytes / size_of::<u64>() / 2;
    let mut groups = Vec::new();
    let (mut start, mut size) = (0, 0usize);
    for (part, more) in spam.iter().zip(ham).map(|(spam, ham)| spam + ham).enumerate() {
        if part > start && size + more > room {
            groups.push(start..part);
            (start, size) = (part, 0);
        }
        size += more;
    }
    groups.push(start..spam.len());
    groups
}

/// The fingerprints of one class in some parts.
struct Parts {
    fingerprints: Vec<u64>,
    /// Where each part ends.
    ends: Vec<usize>,
}

impl Parts {
    fn new<'c>(
        rows: impl Iterator<Item = &'c [u64]>,
        split: Split,
        sizes: &[usize],
        parts: Range<usize>,
    ) -> Parts {
        let mut ends = sizes.get(parts.clone()).unwrap_or_default().to_vec();
        let mut start = 0;
        for end in &mut ends {
            start += std::mem::replace(end, start);
        }
        let mut fingerprints = vec![0; start];
        // Where each part starts moves up to its end as it fills.
        for row in rows {
            for &fingerprint in row {
                let part = split.part(fingerprint).wrapping_sub(parts.start);
                if let Some(at) = ends.get_mut(part) {
                    fingerprints[*at] = fingerprint;
                    *at += 1;
                }
            }
        }
        Parts { fingerprints, ends }
    }

    fn part(&self, part: usize) -> &[u64] {
        let start = part.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.fingerprints[start..self.ends[part]]
    }
}

/// Counts fingerprints: open addressing with linear steps, grown at half full; a slot without counts is free.
#[derive(Default)]
struct Table {
    slots: Vec<(u64, Counts)>,
    used: usize,
}

impl Table {
    fn clear(&mut self) {
        self.slots.fill((0, [0; 2]));
        self.used = 0;
    }

    fn count(&mut self, fingerprint: u64, class: usize) {
        if 2 * self.used >= self.slots.len() {
            let slots = vec![(0, [0; 2]); (2 * self.slots.len()).max(SLOTS)];
            for (fingerprint, counts) in std::mem::replace(&mut self.slots, slots) {
                if counts != [0; 2] {
                    let at = self.place(fingerprint);
                    self.slots[at] = (fingerprint, counts);
                }
            }
        }
        let at = self.place(fingerprint);
        let (found, counts) = &mut self.slots[at];
        self.used += usize::from(*counts == [0; 2]);
        *found = fingerprint;
        counts[class] += 1;
    }

    /// The slot where it is, or where it goes.
    fn place(&self, fingerprint: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = fingerprint as usize & mask;
        while self.slots[at].1 != [0; 2] && self.slots[at].0 != fingerprint {
            at = (at + 1) & mask;
        }
        at
    }
}

/// Finds the number of a fingerprint: open addressing, a fingerprint and one more than its number in each slot, 0 is
/// free.
struct Index {
    slots: Vec<(u64, u32)>,
}

impl Index {
    /// Of tokens with their numbers.
    fn new(tokens: &[(u64, u32)]) -> Index {
        // Two thirds full. Not a power of two, which may be far too large for the caches.
        let mut index = Index { slots: vec![(0, 0); 3 * tokens.len() / 2 + 1] };
        for &(fingerprint, number) in tokens {
            let mut at = index.home(fingerprint);
            while index.slots[at].1 != 0 {
                at = index.after(at);
            }
            index.slots[at] = (fingerprint, number + 1);
        }
        index
    }

    #[inline]
    fn home(&self, fingerprint: u64) -> usize {
        ((u128::from(fingerprint) * self.slots.len() as u128) >> 64) as usize
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        if at + 1 == self.slots.len() { 0 } else { at + 1 }
    }

    #[inline]
    fn find(&self, fingerprint: u64) -> Option<u32> {
        let mut at = self.home(fingerprint);
        loop {
            let (found, number) = self.slots[at];
            let number = number.checked_sub(1)?;
            if found == fingerprint {
                return Some(number);
            }
            at = self.after(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::hash::mix, *};

    #[test]
    fn numbers_fall_with_frequency_and_rare_tokens_are_left_out() {
        let mut corpus = Corpus::default();
        // Token n is in the first n messages; every second message is spam.
        for row in 0..20u64 {
            let tokens: Vec<u64> = (row + 1..=20).map(|token| mix(token, 7) & !1).collect();
            corpus.push_row(&tokens, row % 2 == 0, 0);
        }
        corpus.push_row(&[1], true, 0);
        let [matrix, other] = Matrix::of_views(&corpus, 3).unwrap();
        let number = |token: u64| {
            let wanted = mix(token, 7) & !1;
            matrix.fingerprints.iter().position(|&found| found == wanted).unwrap()
        };
        assert_eq!(matrix.fingerprints.len(), 18, "tokens 1 and 2 are too rare");
        assert_eq!((matrix.counts[number(20)], matrix.counts[number(19)]), ([10, 10], [10, 9]));
        // 16 and more, 8 and more, 4 and more.
        assert!(number(16) < number(8) && number(15) < number(7) && number(4) < number(3));
        let wanted = |tokens: std::ops::RangeInclusive<u64>| -> Vec<u32> {
            tokens.map(|token| number(token) as u32).collect()
        };
        let row = matrix.row(17);
        assert_eq!((row.all, row.common), (&wanted(18..=20)[..], 3));
        // Without message 2, token 3 would be in two messages only.
        let row = matrix.row(2);
        assert_eq!(row.all.last(), Some(&(number(3) as u32)));
        assert_eq!(row.common(), wanted(4..=20));
        assert_eq!(matrix.row(20), Tokens::default(), "it has no token of this view");
        assert!(other.fingerprints.is_empty(), "there is one of that view, too rare");
    }

    #[test]
    fn many_tokens_are_counted_as_a_map_would() {
        let mut corpus = Corpus::default();
        for row in 0..300u64 {
            let tokens: Vec<u64> = (0..200).map(|n| mix(mix(row, n) % 3000, 3)).collect();
            corpus.push_row(&tokens, row % 3 == 0, 0);
        }
        let mut wanted = std::collections::BTreeMap::<u64, Counts>::new();
        for (row, tokens) in corpus.rows() {
            for &token in tokens {
                wanted.entry(token).or_default()[usize::from(!row.spam)] += 1;
            }
        }
        let wanted: Vec<_> = wanted.into_iter().collect();
        let found = |corpus: &Corpus| {
            let mut found = frequent(corpus, 0);
            found.sort_unstable();
            found
        };
        assert_eq!(found(&corpus), wanted);
        // Part by part.
        let mut bounded = Corpus::within(&Memory { bytes: 1000, ..Memory::default() });
        bounded.append(corpus);
        assert_eq!(found(&bounded), wanted);
    }
}
