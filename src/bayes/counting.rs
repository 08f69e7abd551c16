//! Counts the tokens of a corpus: each once with the messages of either class that have it, and for each place in
//! a row which of them stands there.
//!
//! Fingerprints are dealt to parts by their upper bits, so that the table of a part stays in the nearer caches. Whoever
//! then reads the rows again in the same order finds what became of each token one after another in its part: nothing is
//! looked up twice.

use std::{io, ops::Range};

use rayon::prelude::*;

use super::{
    corpus::{Corpus, Row},
    matrix::Counts,
    store::{Memory, Place, Store},
};

/// The tokens of a corpus.
pub(super) struct Counting<'c> {
    /// Each once, in no order that means anything; at most 2^32.
    pub tokens: Vec<(u64, Counts)>,
    corpus: &'c Corpus,
    split: Split,
    lots: Vec<Lot<'c>>,
    parts: Vec<Part>,
    /// For each part the tokens of one lot after another, by their place among the part's.
    occurrences: Store<u32>,
}

/// Rows of one class that one task reads, in the order that they are stored in.
struct Lot<'c> {
    rows: Vec<(usize, &'c Row)>,
    class: usize,
    /// How many fingerprints it has of each part.
    sizes: Vec<usize>,
}

struct Part {
    /// Where its tokens begin.
    first: u32,
    occurrences: Place,
}

/// Tokens that one part should have.
const PART: usize = 1 << 14;

impl<'c> Counting<'c> {
    /// # Errors
    /// A corpus that has a bound on its memory cannot be written to files.
    pub(super) fn new(corpus: &'c Corpus) -> io::Result<Counting<'c>> {
        let split = Split::new(corpus.tokens());
        let lots = lots(corpus, split);
        let mut counting = Counting {
            tokens: Vec::new(),
            corpus,
            split,
            lots,
            parts: Vec::new(),
            occurrences: Store::default(),
        };
        // With a bound, the rows are read again for each group of parts that it has room for.
        for parts in groups(&counting.lots, split, corpus.memory()) {
            counting.count(parts);
            counting.occurrences.relieve(corpus.memory())?;
        }
        Ok(counting)
    }

    fn count(&mut self, parts: Range<usize>) {
        let dealt: Vec<Dealt> =
            self.lots.par_iter().map(|lot| Dealt::new(self.corpus, lot, self.split, parts.clone())).collect();
        let count = |table: &mut Table, part: usize| {
            table.clear();
            let mut places = Vec::with_capacity(dealt.iter().map(|dealt| dealt.part(part).len()).sum());
            for (lot, dealt) in self.lots.iter().zip(&dealt) {
                let fingerprints = dealt.part(part).iter();
                places.extend(fingerprints.map(|&fingerprint| table.count(fingerprint, lot.class)));
            }
            (table.tokens.clone(), places)
        };
        let counted: Vec<_> = (0..parts.len()).into_par_iter().map_init(Table::default, count).collect();
        for (tokens, places) in counted {
            let first = self.tokens.len() as u32;
            self.parts.push(Part { first, occurrences: self.occurrences.adopt(places) });
            self.tokens.extend(tokens);
        }
    }

    /// Readers that tell together of each row which tokens it has.
    pub(super) fn readers(&self) -> Vec<Reader<'_>> {
        let mut read: Vec<usize> = vec![0; self.parts.len()];
        let mut readers = Vec::with_capacity(self.lots.len());
        for lot in &self.lots {
            let tails = self.parts.iter().zip(&mut read).zip(&lot.sizes).map(|((part, read), size)| {
                let places = self.occurrences.get(part.occurrences);
                let places = places.get(*read..*read + size).unwrap_or_default();
                *read += size;
                Tail { places: places.iter(), first: part.first }
            });
            let tails = tails.collect();
            readers.push(Reader { corpus: self.corpus, split: self.split, rows: lot.rows.iter(), tails });
        }
        readers
    }
}

/// Goes through the rows of a lot.
pub(super) struct Reader<'c> {
    corpus: &'c Corpus,
    split: Split,
    rows: std::slice::Iter<'c, (usize, &'c Row)>,
    tails: Vec<Tail<'c>>,
}

/// What was not yet read of a part.
struct Tail<'c> {
    places: std::slice::Iter<'c, u32>,
    first: u32,
}

impl Reader<'_> {
    /// How many tokens the next row has; 0 where there is none.
    pub(super) fn length(&self) -> usize {
        self.rows.as_slice().first().map_or(0, |(_, row)| self.corpus.tokens_of(row).len())
    }

    /// The next row, and for each of its fingerprints, in their order, what `each` makes of the token's place in
    /// [`Counting::tokens`].
    pub(super) fn next(&mut self, mut each: impl FnMut(u64, usize)) -> Option<usize> {
        let &(number, row) = self.rows.next()?;
        for &fingerprint in self.corpus.tokens_of(row) {
            let tail = &mut self.tails[self.split.part(fingerprint)];
            if let Some(place) = tail.places.next() {
                each(fingerprint, (tail.first + place) as usize);
            }
        }
        Some(number)
    }
}

fn lots(corpus: &Corpus, split: Split) -> Vec<Lot<'_>> {
    let rows = corpus.stored();
    let tasks = rayon::current_num_threads();
    let mut lots = Vec::new();
    for (class, spam) in [true, false].into_iter().enumerate() {
        let rows: Vec<_> = rows.iter().copied().filter(|(_, row)| row.spam == spam).collect();
        for rows in rows.chunks(rows.len().div_ceil(tasks).max(1)) {
            lots.push(Lot { rows: rows.to_vec(), class, sizes: Vec::new() });
        }
    }
    lots.par_iter_mut().for_each(|lot| {
        let mut sizes = vec![0; split.parts()];
        for (_, row) in &lot.rows {
            corpus.tokens_of(row).iter().for_each(|&fingerprint| sizes[split.part(fingerprint)] += 1);
        }
        lot.sizes = sizes;
    });
    lots
}

/// Divides fingerprints into parts by their upper bits.
#[derive(Clone, Copy)]
struct Split {
    bits: u32,
}

impl Split {
    /// Of so many tokens.
    fn new(tokens: usize) -> Split {
        Split { bits: (tokens / PART).checked_ilog2().map_or(0, |bits| (bits + 1).min(16)) }
    }

    fn parts(self) -> usize {
        1 << self.bits
    }

    #[inline]
    fn part(self, fingerprint: u64) -> usize {
        // By half and half again, as a shift by all 64 bits is none.
        (fingerprint >> 1 >> (u64::BITS - 1 - self.bits)) as usize
    }
}

/// Parts one after another, as many together as half of the bound holds, one at least.
fn groups(lots: &[Lot], split: Split, memory: &Memory) -> Vec<Range<usize>> {
    let room = memory.bytes / size_of::<u64>() / 2;
    let mut groups = Vec::new();
    let (mut start, mut size) = (0, 0usize);
    for part in 0..split.parts() {
        let more: usize = lots.iter().filter_map(|lot| lot.sizes.get(part)).sum();
        if part > start && size + more > room {
            groups.push(start..part);
            (start, size) = (part, 0);
        }
        size += more;
    }
    groups.push(start..split.parts());
    groups
}

/// The fingerprints of a lot in some parts.
struct Dealt {
    fingerprints: Vec<u64>,
    /// Where each part ends.
    ends: Vec<usize>,
}

impl Dealt {
    fn new(corpus: &Corpus, lot: &Lot, split: Split, parts: Range<usize>) -> Dealt {
        let mut ends = lot.sizes.get(parts.clone()).unwrap_or_default().to_vec();
        let mut start = 0;
        for end in &mut ends {
            start += std::mem::replace(end, start);
        }
        let mut fingerprints = vec![0; start];
        // Where each part starts moves up to its end as it fills.
        for (_, row) in &lot.rows {
            for &fingerprint in corpus.tokens_of(row) {
                let part = split.part(fingerprint).wrapping_sub(parts.start);
                if let Some(at) = ends.get_mut(part) {
                    fingerprints[*at] = fingerprint;
                    *at += 1;
                }
            }
        }
        Dealt { fingerprints, ends }
    }

    fn part(&self, part: usize) -> &[u64] {
        let start = part.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.fingerprints[start..self.ends[part]]
    }
}

/// Slots of a table to begin with: most tokens come again.
const SLOTS: usize = 1 << 12;

/// Counts fingerprints.
struct Table {
    tokens: Vec<(u64, Counts)>,
    /// Open addressing with linear steps, grown at half full: one more than the place in `tokens`, 0 is a free slot.
    slots: Vec<u32>,
}

impl Default for Table {
    fn default() -> Table {
        Table { tokens: Vec::new(), slots: vec![0; SLOTS] }
    }
}

impl Table {
    fn clear(&mut self) {
        self.slots.fill(0);
        self.tokens.clear();
    }

    /// Counts a message of a class with this token: the token's place.
    #[inline]
    fn count(&mut self, fingerprint: u64, class: usize) -> u32 {
        let mut at = self.home(fingerprint);
        while let Some(place) = self.slots[at].checked_sub(1) {
            let (found, counts) = &mut self.tokens[place as usize];
            if *found == fingerprint {
                counts[class] += 1;
                return place;
            }
            at = self.after(at);
        }
        let place = self.tokens.len() as u32;
        let mut counts = [0; 2];
        counts[class] = 1;
        self.tokens.push((fingerprint, counts));
        self.slots[at] = place + 1;
        if 2 * self.tokens.len() >= self.slots.len() {
            self.grow();
        }
        place
    }

    #[cold]
    fn grow(&mut self) {
        self.slots = vec![0; 2 * self.slots.len()];
        for (number, place) in (0..self.tokens.len()).zip(1..) {
            let mut at = self.home(self.tokens[number].0);
            while self.slots[at] != 0 {
                at = self.after(at);
            }
            self.slots[at] = place;
        }
    }

    /// By the lower bits, as the upper ones are the same in a part; without the lowest one, the view.
    #[inline]
    fn home(&self, fingerprint: u64) -> usize {
        (fingerprint >> 1) as usize & (self.slots.len() - 1)
    }

    #[inline]
    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::hash::mix, *};

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
            let mut found = Counting::new(corpus).unwrap().tokens;
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
