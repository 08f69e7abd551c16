//! One view of a corpus as a sparse matrix: rows of small numbers in place of fingerprints.

use rayon::prelude::*;

use super::{corpus::Corpus, hash::view_of};

/// How many messages of each class have a token: spam, ham.
pub(super) type Counts = [u32; 2];

/// Messages as rows of numbers, one for each token that is frequent enough.
pub(super) struct Matrix {
    /// Number to fingerprint. Frequent tokens have low numbers: what is used often lies close together.
    pub fingerprints: Vec<u64>,
    /// Number to messages.
    pub counts: Vec<Counts>,
    numbers: Vec<u32>,
    /// Where each row ends in `numbers`.
    ends: Vec<usize>,
}

impl Matrix {
    /// The tokens of `view` that stand in at least `rarest` messages.
    pub(super) fn new(corpus: &Corpus, view: u64, rarest: u32) -> Matrix {
        let mut found = frequent(corpus, view, rarest);
        found.par_sort_unstable_by_key(|&(fingerprint, [spam, ham])| {
            (std::cmp::Reverse(u64::from(spam) + u64::from(ham)), fingerprint)
        });
        let (fingerprints, counts): (Vec<u64>, Vec<Counts>) = found.into_iter().unzip();
        let index = Index::new(&fingerprints);
        let rows: Vec<Vec<u32>> = corpus
            .par_rows()
            .map(|(_, row)| {
                let mut numbers = Vec::with_capacity(row.len());
                let of_view = row.iter().filter(|&&fingerprint| view_of(fingerprint) == view);
                numbers.extend(of_view.filter_map(|&fingerprint| index.find(fingerprint)));
                numbers
            })
            .collect();
        let mut ends = Vec::with_capacity(rows.len());
        let mut numbers = Vec::with_capacity(rows.iter().map(Vec::len).sum());
        for row in &rows {
            numbers.extend_from_slice(row);
            ends.push(numbers.len());
        }
        Matrix { fingerprints, counts, numbers, ends }
    }

    pub(super) fn row(&self, row: usize) -> &[u32] {
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        self.ends.get(row).and_then(|&end| self.numbers.get(start..end)).unwrap_or_default()
    }
}

/// Fingerprints of one view and class, in parts by their upper bits.
struct Parts {
    fingerprints: Vec<u64>,
    /// Where each part ends.
    ends: Vec<usize>,
}

impl Parts {
    fn new(corpus: &Corpus, view: u64, spam: bool, bits: u32) -> Parts {
        let part_of = |fingerprint: u64| fingerprint.checked_shr(u64::BITS - bits).unwrap_or(0) as usize;
        let all = || {
            let rows = corpus.rows().filter(move |(row, _)| row.spam == spam);
            rows.flat_map(|(_, row)| row).copied().filter(move |&fingerprint| view_of(fingerprint) == view)
        };
        let mut ends = vec![0usize; 1 << bits];
        all().for_each(|fingerprint| ends[part_of(fingerprint)] += 1);
        let mut start = 0;
        for end in &mut ends {
            start += std::mem::replace(end, start);
        }
        let mut fingerprints = vec![0; start];
        // Where each part starts moves up to its end as it fills.
        for fingerprint in all() {
            let at = &mut ends[part_of(fingerprint)];
            fingerprints[*at] = fingerprint;
            *at += 1;
        }
        Parts { fingerprints, ends }
    }

    fn part(&self, part: usize) -> &[u64] {
        let start = part.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.fingerprints[start..self.ends[part]]
    }
}

/// Tokens that one part should have: their table stays in the first cache.
const PART: usize = 4096;
/// Slots of a part's table to begin with: most tokens come again.
const SLOTS: usize = 1024;

fn frequent(corpus: &Corpus, view: u64, rarest: u32) -> Vec<(u64, Counts)> {
    let bits = (corpus.tokens() / PART).checked_ilog2().map_or(0, |bits| (bits + 1).min(16));
    let (spam, ham) =
        rayon::join(|| Parts::new(corpus, view, true, bits), || Parts::new(corpus, view, false, bits));
    let count = |part: usize| {
        let mut table = Table::default();
        spam.part(part).iter().for_each(|&fingerprint| table.count(fingerprint, 0));
        ham.part(part).iter().for_each(|&fingerprint| table.count(fingerprint, 1));
        table.slots.retain(|&(_, [spam, ham])| u64::from(spam) + u64::from(ham) >= u64::from(rarest.max(1)));
        table.slots
    };
    (0..1usize << bits).into_par_iter().flat_map_iter(count).collect()
}

/// Counts fingerprints: open addressing with linear steps, grown at half full; a slot without counts is free.
#[derive(Default)]
struct Table {
    slots: Vec<(u64, Counts)>,
    used: usize,
}

impl Table {
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
        // The lowest bit is the view, the same for all.
        let mut at = (fingerprint >> 1) as usize & mask;
        while self.slots[at].1 != [0; 2] && self.slots[at].0 != fingerprint {
            at = (at + 1) & mask;
        }
        at
    }
}

/// Finds the number of a fingerprint: open addressing, one more than the number in each slot, 0 is free.
struct Index<'a> {
    fingerprints: &'a [u64],
    slots: Vec<u32>,
}

impl<'a> Index<'a> {
    fn new(fingerprints: &'a [u64]) -> Index<'a> {
        let mut slots = vec![0u32; (2 * fingerprints.len()).next_power_of_two()];
        let mask = slots.len() - 1;
        for (number, &fingerprint) in fingerprints.iter().enumerate() {
            let mut at = (fingerprint >> 1) as usize & mask;
            while slots[at] != 0 {
                at = (at + 1) & mask;
            }
            slots[at] = number as u32 + 1;
        }
        Index { fingerprints, slots }
    }

    #[inline]
    fn find(&self, fingerprint: u64) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut at = (fingerprint >> 1) as usize & mask;
        loop {
            let number = self.slots.get(at)?.checked_sub(1)?;
            if self.fingerprints.get(number as usize) == Some(&fingerprint) {
                return Some(number);
            }
            at = (at + 1) & mask;
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
        let matrix = Matrix::new(&corpus, 0, 3);
        let wanted: Vec<u64> = (3..=20).rev().map(|token| mix(token, 7) & !1).collect();
        assert_eq!(matrix.fingerprints, wanted);
        assert_eq!(matrix.counts[0], [10, 10]);
        assert_eq!(matrix.counts[1], [10, 9]);
        assert_eq!(matrix.row(17), [2, 1, 0]);
        assert_eq!(matrix.row(20), [0u32; 0], "it has no token of this view");
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
            for &token in tokens.iter().filter(|&&token| view_of(token) == 1) {
                wanted.entry(token).or_default()[usize::from(!row.spam)] += 1;
            }
        }
        let mut found = frequent(&corpus, 1, 0);
        found.sort_unstable();
        assert_eq!(found, wanted.into_iter().collect::<Vec<_>>());
    }
}
