//! The views of a corpus as sparse matrices: rows of small numbers in place of fingerprints.

use std::io;

use rayon::prelude::*;

use super::{
    corpus::Corpus,
    counting::{Counting, Reader},
    hash::{VIEWS, view_of},
    store::{Place, Store},
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
#[derive(Clone, Copy, Default)]
struct Numbers {
    place: Place,
    common: u32,
}

/// Messages that one task numbers at least.
const CHUNK: usize = 128;

impl Matrix {
    /// One matrix for each view, of the tokens that stand in at least `rarest` messages.
    ///
    /// # Errors
    /// A corpus that has a bound on its memory cannot be written to files.
    pub(super) fn of_views(corpus: &Corpus, rarest: u32) -> io::Result<[Matrix; VIEWS as usize]> {
        let counting = Counting::new(corpus)?;
        let mut views: [Matrix; VIEWS as usize] = Default::default();
        views.iter_mut().for_each(|view| view.rows = vec![Numbers::default(); corpus.len()]);
        let mut numbers = vec![NONE; counting.tokens.len()];
        for place in by_frequency(&counting.tokens, rarest.max(1)) {
            let (fingerprint, counts) = counting.tokens[place];
            let view = &mut views[view_of(fingerprint) as usize];
            view.common += u32::from(total(counts) > u64::from(rarest.max(1)));
            numbers[place] = view.fingerprints.len() as u32;
            view.fingerprints.push(fingerprint);
            view.counts.push(counts);
        }
        let numbering = Numbering { numbers, common: views.each_ref().map(|view| view.common) };
        let mut readers = counting.readers();
        // What is numbered at once lies in memory until it is appended.
        let batch = (corpus.memory().bytes / BYTES_OF_ROW / readers.len().max(1)).clamp(CHUNK, 1 << 20);
        loop {
            let numbered: Vec<Numbered> =
                readers.par_iter_mut().map(|reader| numbering.rows(reader, batch)).collect();
            if numbered.iter().all(|[(_, rows), _]| rows.is_empty()) {
                return Ok(views);
            }
            for (view, (numbers, rows)) in numbered.into_iter().flat_map(|numbered| (0..).zip(numbered)) {
                let view: &mut Matrix = &mut views[view];
                let shift = view.numbers.append(numbers);
                for (row, numbers) in rows {
                    if let Some(slot) = view.rows.get_mut(row) {
                        *slot = Numbers { place: numbers.place.moved(shift), ..numbers };
                    }
                }
                view.numbers.relieve(corpus.memory())?;
            }
        }
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

/// For each view the numbers of some rows, and which rows they are.
type Numbered = [(Store<u32>, Vec<(usize, Numbers)>); VIEWS as usize];

/// Too rare to have a number.
const NONE: u32 = u32::MAX;

/// Which number became of each token.
struct Numbering {
    numbers: Vec<u32>,
    /// Of each view.
    common: [u32; VIEWS as usize],
}

impl Numbering {
    /// The next rows of a reader, so many at most.
    fn rows(&self, reader: &mut Reader<'_>, most: usize) -> Numbered {
        // Common and rare tokens of each view, and what has no number. Where a token goes can't be foretold, so no
        // branch hangs on it.
        const KINDS: usize = 2 * VIEWS as usize + 1;
        let mut numbered: Numbered = Default::default();
        let mut found: Vec<u32> = Vec::new();
        for _ in 0..most {
            let length = reader.length();
            if found.len() < KINDS * length {
                found.resize(KINDS * length, 0);
            }
            let mut lengths = [0usize; KINDS];
            let row = reader.next(|fingerprint, place| {
                let number = self.numbers[place];
                let view = view_of(fingerprint) as usize;
                let kind = 2 * view + usize::from(number >= self.common[view]);
                let kind = if number == NONE { KINDS - 1 } else { kind };
                found[kind * length + lengths[kind]] = number;
                lengths[kind] += 1;
            });
            let Some(row) = row else { break };
            for (view, (numbers, rows)) in numbered.iter_mut().enumerate() {
                let (common, rare) = (lengths[2 * view], lengths[2 * view + 1]);
                let first = 2 * view * length;
                let second = first + length;
                let place = numbers.push_both(&found[first..first + common], &found[second..second + rare]);
                rows.push((row, Numbers { place, common: common as u32 }));
            }
        }
        numbered
    }
}

/// Places of tokens by how often they come, by orders of magnitude, the most frequent first: what is used often lies
/// close together. Those that stand in no more than `rarest` messages come last, those in fewer not at all.
fn by_frequency(tokens: &[(u64, Counts)], rarest: u32) -> impl Iterator<Item = usize> {
    let mut classes: [Vec<u32>; 36] = [const { Vec::new() }; 36];
    for (place, &(_, counts)) in (0..).zip(tokens) {
        let class = match total(counts) {
            few if few < u64::from(rarest) => continue,
            few if few == u64::from(rarest) => 0,
            more => more.ilog2() as usize + 1,
        };
        classes[class].push(place);
    }
    classes.into_iter().rev().flatten().map(|place| place as usize)
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
}
