//! Counts the tokens of a corpus: how many messages of either class have each, and for each token of a dictionary what
//! became of it.
//!
//! The fingerprints of dictionaries are dealt to parts by their upper bits, so that the table of a part stays in the nearer
//! caches. Whoever then goes through the dictionaries in the same order finds what became of their tokens one after another
//! in each part: nothing is looked up twice.

use std::{io, mem, ops::Range};

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
    /// A code for each token of the dictionaries, part by part.
    codes: Store<u32>,
}

/// Rows that one task reads, in the order that they are stored in: all that have the same dictionary are together.
struct Lot<'c> {
    rows: Vec<(usize, &'c Row)>,
    /// How many fingerprints its dictionaries have of each part.
    sizes: Vec<usize>,
    /// The codes of those of each part.
    codes: Vec<Place>,
}

impl<'c> Lot<'c> {
    /// The rows of each dictionary, and its fingerprints.
    fn dictionaries(&self, corpus: &'c Corpus) -> impl Iterator<Item = (&[(usize, &'c Row)], &'c [u64])> {
        let rows = self.rows.chunk_by(|(_, a), (_, b)| a.dictionary == b.dictionary);
        rows.map(|rows| (rows, rows.first().map_or(&[][..], |(_, row)| corpus.dictionary_of(row))))
    }
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

/// Kinds by counts.
struct Kinds {
    rarest: u32,
    /// Most tokens are rare.
    few: [u8; FEW],
}

const FEW: usize = 64;

impl Kinds {
    fn new(rarest: u32) -> Kinds {
        Kinds { rarest, few: std::array::from_fn(|count| Kinds::class(count as u32, rarest)) }
    }

    fn class(count: u32, rarest: u32) -> u8 {
        match count {
            few if few < rarest => Kind::NONE,
            1 => Kind::ALONE,
            few if few == rarest => Kind::RARE,
            more => (Kind::COMMON + more.ilog2() as u8).min(Kind::MOST),
        }
    }

    fn of(&self, fingerprint: u64, counts: Counts) -> Kind {
        let count = counts[0].saturating_add(counts[1]);
        let class = self.few.get(count as usize).copied();
        let class = class.unwrap_or_else(|| Kinds::class(count, self.rarest));
        Kind(class << 1 | view_of(fingerprint) as u8)
    }
}

/// Tokens of dictionaries that one part should have.
const PART: usize = 1 << 16;

impl<'c> Counting<'c> {
    /// Counts, and leaves out what fewer messages than `rarest` have.
    ///
    /// # Errors
    /// A corpus that has a bound on its memory cannot be written to files.
    pub(super) fn new(corpus: &'c Corpus, rarest: u32) -> io::Result<Counting<'c>> {
        let mut lots = lots(corpus);
        let tokens = |lot: &Lot<'_>| lot.dictionaries(corpus).map(|(_, tokens)| tokens.len()).sum::<usize>();
        let split = Split::new(lots.iter().map(tokens).sum());
        lots.par_iter_mut().for_each(|lot| lot.sizes = sizes(corpus, lot, split));
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
        let dealt: Vec<Dealt> =
            self.lots.par_iter().map(|lot| Dealt::new(self.corpus, lot, self.split, parts.clone())).collect();
        let rarest = self.rarest;
        let counted: Vec<(Part, Vec<u32>)> = (0..parts.len())
            .into_par_iter()
            .map_init(Table::default, |table, part| {
                table.part(dealt.iter().map(|dealt| dealt.part(part)), rarest)
            })
            .collect();
        for (number, (part, codes)) in counted.into_iter().enumerate() {
            self.parts.push(part);
            let all = self.codes.adopt(codes);
            let mut start = 0;
            for (lot, dealt) in self.lots.iter_mut().zip(&dealt) {
                let end = start + dealt.part(number).len();
                lot.codes.push(all.part(start..end));
                start = end;
            }
        }
    }

    /// Readers that tell together of each row which tokens it has. `first` is the first number of each kind of each part.
    pub(super) fn readers<'r>(&'r self, first: &'r [First]) -> Vec<Reader<'r>> {
        let tails = |lot: &Lot<'_>| lot.codes.iter().map(|&place| self.codes.get(place).iter()).collect();
        let reader = |lot: &'r Lot<'c>| Reader {
            corpus: self.corpus,
            split: self.split,
            first,
            rows: lot.rows.iter(),
            tails: tails(lot),
            dictionary: None,
            meanings: Vec::new(),
        };
        self.lots.iter().map(reader).collect()
    }
}

/// The first number of each kind of a part.
pub(super) type First = [u32; Kind::ALL];

/// What a token of a dictionary is in the end.
#[derive(Clone, Copy)]
pub(super) struct Meaning {
    /// Among all of its view, if it is numbered.
    pub number: u32,
    pub kind: Kind,
}

/// Goes through the rows of a lot.
pub(super) struct Reader<'c> {
    corpus: &'c Corpus,
    split: Split,
    first: &'c [First],
    rows: std::slice::Iter<'c, (usize, &'c Row)>,
    /// What was not yet read of each part.
    tails: Vec<std::slice::Iter<'c, u32>>,
    /// That of the last row, and what its tokens mean.
    dictionary: Option<u32>,
    meanings: Vec<Meaning>,
}

/// A row of numbers, what they mean, and their fingerprints.
pub(super) struct Line<'r> {
    pub row: usize,
    pub numbers: &'r [u16],
    pub meanings: &'r [Meaning],
    pub fingerprints: &'r [u64],
}

impl Reader<'_> {
    /// The next row.
    pub(super) fn next(&mut self) -> Option<Line<'_>> {
        let &(number, row) = self.rows.next()?;
        let fingerprints = self.corpus.dictionary_of(row);
        if self.dictionary.replace(row.dictionary) != Some(row.dictionary) {
            let (split, first, tails) = (self.split, self.first, &mut self.tails[..]);
            self.meanings.clear();
            self.meanings.extend(fingerprints.iter().map(|&fingerprint| {
                let part = split.part(fingerprint);
                let code = Code(tails[part].next().copied().unwrap_or_default());
                let kind = code.kind();
                Meaning { number: first[part][kind.index()].wrapping_add(code.number()), kind }
            }));
        }
        let numbers = self.corpus.numbers_of(row);
        Some(Line { row: number, numbers, meanings: &self.meanings, fingerprints })
    }
}

fn lots(corpus: &Corpus) -> Vec<Lot<'_>> {
    let rows = corpus.stored();
    let enough = rows.len().div_ceil(rayon::current_num_threads()).max(1);
    let mut lots: Vec<Lot<'_>> = Vec::new();
    for rows in rows.chunk_by(|(_, a), (_, b)| a.dictionary == b.dictionary) {
        match lots.last_mut() {
            Some(lot) if lot.rows.len() < enough => lot.rows.extend_from_slice(rows),
            _ => lots.push(Lot { rows: rows.to_vec(), sizes: Vec::new(), codes: Vec::new() }),
        }
    }
    lots
}

fn sizes(corpus: &Corpus, lot: &Lot<'_>, split: Split) -> Vec<usize> {
    let mut sizes = vec![0; split.parts()];
    for (_, fingerprints) in lot.dictionaries(corpus) {
        fingerprints.iter().for_each(|&fingerprint| sizes[split.part(fingerprint)] += 1);
    }
    sizes
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
    let room = (memory.bytes / size_of::<Entry>() / 2).min(u32::MAX as usize);
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

/// A token of a dictionary, and how many of its messages have it.
#[derive(Clone, Copy, Default)]
struct Entry {
    fingerprint: u64,
    counts: Counts,
}

/// The tokens of the dictionaries of a lot in some parts.
struct Dealt {
    entries: Vec<Entry>,
    /// Where each part ends.
    ends: Vec<usize>,
}

impl Dealt {
    fn new(corpus: &Corpus, lot: &Lot<'_>, split: Split, parts: Range<usize>) -> Dealt {
        let mut ends = lot.sizes.get(parts.clone()).unwrap_or_default().to_vec();
        let mut start = 0;
        for end in &mut ends {
            start += mem::replace(end, start);
        }
        let mut entries = vec![Entry::default(); start];
        let mut counts: Vec<Counts> = Vec::new();
        // Where each part starts moves up to its end as it fills.
        for (rows, fingerprints) in lot.dictionaries(corpus) {
            counts.clear();
            counts.resize(fingerprints.len(), [0; 2]);
            for (_, row) in rows {
                let class = usize::from(!row.spam);
                corpus.numbers_of(row).iter().for_each(|&number| counts[usize::from(number)][class] += 1);
            }
            for (&fingerprint, &counts) in fingerprints.iter().zip(&counts) {
                let part = split.part(fingerprint).wrapping_sub(parts.start);
                if let Some(at) = ends.get_mut(part) {
                    entries[*at] = Entry { fingerprint, counts };
                    *at += 1;
                }
            }
        }
        Dealt { entries, ends }
    }

    fn part(&self, part: usize) -> &[Entry] {
        let start = part.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(part).and_then(|&end| self.entries.get(start..end)).unwrap_or_default()
    }
}

/// Slots of a table to begin with: most tokens come again.
const SLOTS: usize = 1 << 14;

/// Counts fingerprints.
struct Table {
    /// From place 1 on, so many; place 0 has the one that is searched for, so that every search ends with a find.
    tokens: Vec<(u64, Counts)>,
    length: usize,
    /// Open addressing with linear steps, grown at half full: the place in `tokens`, 0 is a free slot.
    slots: Vec<u32>,
}

impl Default for Table {
    fn default() -> Table {
        Table { tokens: vec![(0, [0; 2]); SLOTS / 2 + 1], length: 0, slots: vec![0; SLOTS] }
    }
}

impl Table {
    fn clear(&mut self) {
        self.slots.fill(0);
        self.length = 0;
    }

    /// Counts the tokens of a part, and gives each entry a code.
    fn part<'d>(
        &mut self,
        dealt: impl Iterator<Item = &'d [Entry]> + Clone,
        rarest: u32,
    ) -> (Part, Vec<u32>) {
        self.clear();
        let mut entries = Vec::with_capacity(dealt.clone().map(<[Entry]>::len).sum());
        entries.extend(dealt.flatten().map(|entry| self.count(entry)));
        let kinds = Kinds::new(rarest);
        let mut sizes = [0; Kind::ALL];
        let code = |&(fingerprint, counts): &(u64, Counts)| {
            let kind = kinds.of(fingerprint, counts);
            let number = &mut sizes[kind.index()];
            *number += 1;
            Code::new(kind, *number - 1)
        };
        let codes: Vec<Code> = self.tokens[..=self.length].iter().map(code).collect();
        entries.iter_mut().for_each(|place| *place = codes[*place as usize].0);
        let numbered = (0..).zip(sizes).filter(|&(kind, _)| Kind(kind).is_numbered()).map(|(_, size)| size);
        let mut tokens = Vec::with_capacity(numbered.sum::<u32>() as usize);
        let known = self.tokens.iter().zip(codes).filter(|(_, code)| code.kind().is_numbered());
        tokens.extend(known.map(|(&(fingerprint, counts), code)| (code, fingerprint, counts)));
        (Part { tokens, sizes }, entries)
    }

    /// Adds up what dictionaries have: the token's place.
    #[inline]
    fn count(&mut self, entry: &Entry) -> u32 {
        self.tokens[0].0 = entry.fingerprint;
        let mut at = self.home(entry.fingerprint);
        while self.tokens[self.slots[at] as usize].0 != entry.fingerprint {
            at = self.after(at);
        }
        // Whether it is new can't be foretold, so no branch hangs on it.
        let place = self.slots[at];
        self.tokens[self.length + 1] = (entry.fingerprint, [0; 2]);
        self.length += usize::from(place == 0);
        let place = if place == 0 { self.length as u32 } else { place };
        self.slots[at] = place;
        let (_, counts) = &mut self.tokens[place as usize];
        counts.iter_mut().zip(entry.counts).for_each(|(all, more)| *all += more);
        if 2 * self.length >= self.slots.len() {
            self.grow();
        }
        place
    }

    #[cold]
    fn grow(&mut self) {
        self.slots = vec![0; 2 * self.slots.len()];
        self.tokens.resize(self.slots.len() / 2 + 1, (0, [0; 2]));
        for place in 1..=self.length {
            let mut at = self.home(self.tokens[place].0);
            while self.slots[at] != 0 {
                at = self.after(at);
            }
            self.slots[at] = place as u32;
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
            corpus.restore(&tokens, row % 3 == 0, 0);
        }
        let mut wanted = std::collections::BTreeMap::<u64, Counts>::new();
        for row in corpus.rows() {
            for token in corpus.tokens_of(row) {
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
