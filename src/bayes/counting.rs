//! Counts the tokens of a corpus: how many messages of either class have each, and for each place in a row what became
//! of the token that stands there.
//!
//! Fingerprints are dealt to parts by their upper bits, so that the table of a part stays in the nearer caches, and
//! what became of them takes their place. Whoever then reads the rows again in the same order finds it one after
//! another in each part: nothing is looked up twice.

use std::{hint, io, mem, ops::Range};

use rayon::prelude::*;

use super::{
    corpus::{Corpus, Row},
    hash::{VIEWS, view_of},
    matrix::Counts,
    store::{Memory, Place, Store},
};

/// The tokens of a corpus.
pub(super) struct Counting<'c> {
    corpus: &'c Corpus,
    split: Split,
    rarest: u32,
    lots: Vec<Lot<'c>>,
    pub parts: Vec<Part>,
    /// A code for each token of the rows, part by part, in the first half of the room that the fingerprints had.
    codes: Store<u64>,
}

/// Rows of one class that one task reads, in the order that they are stored in.
struct Lot<'c> {
    rows: Vec<(usize, &'c Row)>,
    class: usize,
    /// How many fingerprints it has of each part.
    sizes: Vec<usize>,
    /// The codes of those of each part.
    codes: Vec<Place>,
}

/// The tokens of which the upper bits are the same.
pub(super) struct Part {
    /// Those that more than one message has and that are not too rare, each once.
    pub tokens: Vec<(Code, u64, Counts)>,
    /// How many there are of each kind.
    pub sizes: [u32; Kind::ALL],
}

/// What became of a token: its kind in the low bits, above them its number among those of its kind and part.
#[derive(Clone, Copy)]
pub(super) struct Code(u32);

/// How many messages have a token, by orders of magnitude, and its view.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Kind(u8);

impl Code {
    const KIND: u32 = 5;

    fn new(kind: Kind, number: u32) -> Code {
        Code(number << Code::KIND | u32::from(kind.0))
    }

    #[inline]
    pub(super) fn kind(self) -> Kind {
        Kind((self.0 & (Kind::ALL as u32 - 1)) as u8)
    }

    #[inline]
    pub(super) fn number(self) -> u32 {
        self.0 >> Code::KIND
    }
}

impl Kind {
    pub(super) const ALL: usize = 1 << Code::KIND;
    /// Too few messages have it.
    const NONE: u8 = 0;
    /// One message alone has it.
    const ALONE: u8 = 1;
    /// As few messages have it as may.
    const RARE: u8 = 2;
    /// More have it: the first order of magnitude, and the last one.
    const COMMON: u8 = 3;
    const MOST: u8 = (Kind::ALL / VIEWS as usize - 1) as u8;

    fn of(fingerprint: u64, counts: Counts, rarest: u32) -> Kind {
        let class = match counts[0].saturating_add(counts[1]) {
            few if few < rarest => Kind::NONE,
            1 => Kind::ALONE,
            few if few == rarest => Kind::RARE,
            more => (Kind::COMMON + more.ilog2() as u8).min(Kind::MOST),
        };
        Kind(class << 1 | view_of(fingerprint) as u8)
    }

    /// The numbered ones of a view, the most frequent first.
    pub(super) fn numbered(view: usize) -> impl Iterator<Item = Kind> {
        (Kind::RARE..=Kind::MOST).rev().map(move |class| Kind(class << 1 | view as u8))
    }

    #[inline]
    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }

    #[inline]
    pub(super) fn view(self) -> usize {
        usize::from(self.0 & 1)
    }

    #[inline]
    pub(super) fn is_common(self) -> bool {
        self.0 >> 1 >= Kind::COMMON
    }

    /// Whether it has a number of its own.
    pub(super) fn is_numbered(self) -> bool {
        self.0 >> 1 >= Kind::RARE
    }

    pub(super) fn is_rare(self) -> bool {
        self.0 >> 1 == Kind::RARE
    }

    pub(super) fn is_alone(self) -> bool {
        self.0 >> 1 == Kind::ALONE
    }
}

/// Occurrences that one part should have.
const PART: usize = 1 << 17;

impl<'c> Counting<'c> {
    /// Counts, and leaves out what fewer messages than `rarest` have.
    ///
    /// # Errors
    /// A corpus that has a bound on its memory cannot be written to files.
    pub(super) fn new(corpus: &'c Corpus, rarest: u32) -> io::Result<Counting<'c>> {
        let split = Split::new(corpus.tokens());
        let lots = lots(corpus, split);
        let mut counting =
            Counting { corpus, split, rarest, lots, parts: Vec::new(), codes: Store::default() };
        // With a bound, the rows are read again for each group of parts that it has room for.
        for parts in groups(&counting.lots, split, corpus.memory()) {
            counting.count(parts);
            counting.codes.relieve(corpus.memory())?;
        }
        Ok(counting)
    }

    fn count(&mut self, parts: Range<usize>) {
        let mut dealt: Vec<Dealt> =
            self.lots.par_iter().map(|lot| Dealt::new(self.corpus, lot, self.split, parts.clone())).collect();
        // For each part what each lot has of it.
        let mut shares: Vec<Vec<(usize, &mut [u64])>> = parts.map(|_| Vec::new()).collect();
        for (lot, dealt) in self.lots.iter().zip(&mut dealt) {
            let mut rest = &mut dealt.fingerprints[..];
            let mut start = 0;
            for (share, &end) in shares.iter_mut().zip(&dealt.ends) {
                let (first, others) = mem::take(&mut rest).split_at_mut(end - start);
                start = end;
                share.push((lot.class, first));
                rest = others;
            }
        }
        let rarest = self.rarest;
        let counted =
            shares.into_par_iter().map_init(Table::default, |table, shares| table.part(shares, rarest));
        self.parts.par_extend(counted);
        for (lot, dealt) in self.lots.iter_mut().zip(dealt) {
            let all = self.codes.adopt(dealt.fingerprints);
            let starts = [0].into_iter().chain(dealt.ends.iter().copied());
            lot.codes.extend(starts.zip(&dealt.ends).map(|(start, &end)| all.part(start..end)));
        }
    }

    /// Readers that tell together of each row which tokens it has.
    pub(super) fn readers(&self) -> Vec<Reader<'_>> {
        let tail = |place: &Place| {
            let codes: &[u32] = bytemuck::cast_slice(self.codes.get(*place));
            codes.get(..place.len()).unwrap_or_default().iter()
        };
        let tails = |lot: &Lot<'_>| lot.codes.iter().map(tail).collect();
        let (corpus, split) = (self.corpus, self.split);
        let lots = self.lots.iter();
        lots.map(|lot| Reader { corpus, split, rows: lot.rows.iter(), tails: tails(lot), near: 0 }).collect()
    }
}

/// Goes through the rows of a lot.
pub(super) struct Reader<'c> {
    corpus: &'c Corpus,
    split: Split,
    rows: std::slice::Iter<'c, (usize, &'c Row)>,
    /// What was not yet read of each part.
    tails: Vec<std::slice::Iter<'c, u32>>,
    /// So many more rows have their codes in the nearer caches.
    near: usize,
}

/// Rows that are fetched together.
const NEAR: usize = 32;
/// Codes in a line of the cache.
const LINE: usize = 16;

impl Reader<'_> {
    /// How many tokens the next row has; 0 where there is none.
    pub(super) fn length(&self) -> usize {
        self.rows.as_slice().first().map_or(0, |(_, row)| self.corpus.tokens_of(row).len())
    }

    /// The next row, and for each of its fingerprints, in their order, its part and what became of it.
    pub(super) fn next(&mut self) -> Option<(usize, impl Iterator<Item = (u64, usize, Code)>)> {
        if self.near == 0 {
            self.fetch();
        }
        self.near -= 1;
        let &(number, row) = self.rows.next()?;
        let (split, tails) = (self.split, &mut self.tails[..]);
        let tokens = self.corpus.tokens_of(row).iter().map(move |&fingerprint| {
            let part = split.part(fingerprint);
            (fingerprint, part, Code(tails[part].next().copied().unwrap_or_default()))
        });
        Some((number, tokens))
    }

    /// Brings near what the next rows need: one part after another, as memory likes it, and not one code of each.
    fn fetch(&mut self) {
        let rows = self.rows.as_slice().iter().take(NEAR);
        let tokens: usize = rows.map(|(_, row)| self.corpus.tokens_of(row).len()).sum();
        let share = tokens / self.tails.len() + LINE;
        let lines = self.tails.iter().flat_map(|tail| tail.as_slice().iter().take(share).step_by(LINE));
        hint::black_box(lines.fold(0, |all, code| all ^ code));
        self.near = NEAR;
    }
}

/// The same room for twice as many numbers.
fn narrow(share: &mut [u64]) -> &mut [u32] {
    bytemuck::cast_slice_mut(share)
}

fn lots(corpus: &Corpus, split: Split) -> Vec<Lot<'_>> {
    let rows = corpus.stored();
    let tasks = rayon::current_num_threads();
    let mut lots = Vec::new();
    for (class, spam) in [true, false].into_iter().enumerate() {
        let rows: Vec<_> = rows.iter().copied().filter(|(_, row)| row.spam == spam).collect();
        for rows in rows.chunks(rows.len().div_ceil(tasks).max(1)) {
            lots.push(Lot { rows: rows.to_vec(), class, sizes: Vec::new(), codes: Vec::new() });
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
    // A list has a length of 32 bits.
    let room = (memory.bytes / size_of::<u64>() / 2).min(u32::MAX as usize);
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
            start += mem::replace(end, start);
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
}

/// Slots of a table to begin with: most tokens come again.
const SLOTS: usize = 1 << 14;

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

    /// Counts the tokens of a part, which lots of either class have, and puts codes in the place of fingerprints.
    fn part(&mut self, mut shares: Vec<(usize, &mut [u64])>, rarest: u32) -> Part {
        self.clear();
        for (class, share) in &mut shares {
            // A place takes half the room of a fingerprint: it never lands on one that was not read yet.
            for at in 0..share.len() {
                let place = self.count(share[at], *class);
                narrow(share)[at] = place;
            }
        }
        let mut sizes = [0; Kind::ALL];
        let code = |&(fingerprint, counts): &(u64, Counts)| {
            let kind = Kind::of(fingerprint, counts, rarest);
            let number = &mut sizes[kind.index()];
            *number += 1;
            Code::new(kind, *number - 1)
        };
        let codes: Vec<Code> = self.tokens.iter().map(code).collect();
        for (_, share) in shares {
            let length = share.len();
            narrow(share).iter_mut().take(length).for_each(|place| *place = codes[*place as usize].0);
        }
        let numbered = (0..).zip(sizes).filter(|&(kind, _)| Kind(kind).is_numbered()).map(|(_, size)| size);
        let mut tokens = Vec::with_capacity(numbered.sum::<u32>() as usize);
        let known = self.tokens.iter().zip(codes).filter(|(_, code)| code.kind().is_numbered());
        tokens.extend(known.map(|(&(fingerprint, counts), code)| (code, fingerprint, counts)));
        Part { tokens, sizes }
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
        let wanted: Vec<_> = wanted.into_iter().filter(|(_, [spam, ham])| spam + ham > 1).collect();
        let found = |corpus: &Corpus| {
            let counting = Counting::new(corpus, 2).unwrap();
            let tokens = counting.parts.iter().flat_map(|part| &part.tokens);
            let mut found: Vec<_> = tokens.map(|&(_, token, counts)| (token, counts)).collect();
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
