//! The views of a corpus as sparse matrices: rows of small numbers in place of fingerprints.

use std::io;

use rayon::prelude::*;

use super::{
    corpus::Corpus,
    counting::{Counting, First, Kind, Line, Meaning, Part, Reader},
    hash::VIEWS,
    store::{Place, Store},
};

/// How many messages of each class have a token: spam, ham.
pub(super) type Counts = [u32; 2];

/// Messages as rows of numbers, one for each token of a view that is frequent enough. The tokens that one message alone
/// has are one number, the message's: what is learned of them is the same.
#[derive(Default)]
pub(super) struct Matrix {
    /// Number to messages.
    pub counts: Vec<Counts>,
    /// Tokens with a number of their own. Frequent ones have low numbers: what is used often lies close together.
    fingerprints: Vec<u64>,
    /// The other tokens, and the message that has them. Numbers of messages follow those of tokens.
    alone: Vec<(u64, u32)>,
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
        let rarest = rarest.max(1);
        let counting = Counting::new(corpus, rarest)?;
        let mut views: [Matrix; VIEWS as usize] = Default::default();
        let first = number(&mut views, &counting.parts);
        let messages = views.each_ref().map(|view| view.fingerprints.len() as u32);
        for view in &mut views {
            view.rows = vec![Numbers::default(); corpus.len()];
            if rarest == 1 {
                view.counts
                    .extend(corpus.rows().iter().map(|row| [u32::from(row.spam), u32::from(!row.spam)]));
            }
        }
        let numbering = |reader| Numbering::new(reader, messages);
        let mut lots: Vec<Numbering<'_>> = counting.readers(&first).into_iter().map(numbering).collect();
        // What is numbered at once lies in memory until it is appended.
        let batch = (corpus.memory().bytes / BYTES_OF_ROW / lots.len().max(1)).clamp(CHUNK, 1 << 20);
        loop {
            let numbered: Vec<[Numbered; VIEWS as usize]> =
                lots.par_iter_mut().map(|lot| lot.rows(batch)).collect();
            if numbered.iter().all(|[numbered, _]| numbered.rows.is_empty()) {
                return Ok(views);
            }
            for (view, numbered) in numbered.into_iter().flat_map(|numbered| (0..).zip(numbered)) {
                let view: &mut Matrix = &mut views[view];
                let shift = view.numbers.append(numbered.numbers);
                for (row, numbers) in numbered.rows {
                    if let Some(slot) = view.rows.get_mut(row) {
                        *slot = Numbers { place: numbers.place.moved(shift), ..numbers };
                    }
                }
                if view.alone.is_empty() {
                    view.alone = numbered.alone;
                } else {
                    view.alone.extend(numbered.alone);
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

    /// How many tokens it has.
    pub(super) fn len(&self) -> usize {
        self.fingerprints.len() + self.alone.len()
    }

    /// Each fingerprint with its number.
    pub(super) fn tokens(&self) -> impl Iterator<Item = (u64, usize)> {
        let own = self.fingerprints.iter().copied().zip(0..);
        own.chain(self.alone.iter().map(|&(token, row)| (token, self.fingerprints.len() + row as usize)))
    }
}

/// What a row of numbers may take, with room to spare: a message has few thousand tokens.
const BYTES_OF_ROW: usize = 64 << 10;

/// Gives tokens their numbers.
fn number(views: &mut [Matrix; VIEWS as usize], parts: &[Part]) -> Vec<First> {
    let mut first = vec![[0; Kind::ALL]; parts.len()];
    for (view, matrix) in views.iter_mut().enumerate() {
        let mut next = 0;
        for kind in Kind::numbered(view) {
            if kind.is_rare() {
                matrix.common = next;
            }
            for (part, first) in parts.iter().zip(&mut first) {
                first[kind.index()] = next;
                next += part.sizes[kind.index()];
            }
        }
        matrix.fingerprints = vec![0; next as usize];
        matrix.counts = vec![[0; 2]; next as usize];
    }
    for (part, first) in parts.iter().zip(&first) {
        for &(code, fingerprint, counts) in &part.tokens {
            let matrix = &mut views[code.kind().view()];
            let number = (first[code.kind().index()] + code.number()) as usize;
            (matrix.fingerprints[number], matrix.counts[number]) = (fingerprint, counts);
        }
    }
    first
}

/// Numbers the rows of a lot.
struct Numbering<'c> {
    reader: Reader<'c>,
    /// For each view the number of the first message.
    messages: [u32; VIEWS as usize],
    /// The common tokens of a row, by view.
    common: [Vec<u32>; VIEWS as usize],
    /// The other ones: fingerprint, number if it has one, kind.
    others: Vec<(u64, u32, Kind)>,
}

/// Some rows of a view.
#[derive(Default)]
struct Numbered {
    numbers: Store<u32>,
    /// Which rows they are.
    rows: Vec<(usize, Numbers)>,
    /// As [`Matrix::alone`].
    alone: Vec<(u64, u32)>,
}

impl<'c> Numbering<'c> {
    fn new(reader: Reader<'c>, messages: [u32; VIEWS as usize]) -> Numbering<'c> {
        Numbering { reader, messages, common: Default::default(), others: Vec::new() }
    }

    /// The next rows, so many at most.
    fn rows(&mut self, most: usize) -> [Numbered; VIEWS as usize] {
        let mut numbered: [Numbered; VIEWS as usize] = Default::default();
        let mut rare: [Vec<u32>; VIEWS as usize] = Default::default();
        for _ in 0..most {
            let Some(row) = self.sort() else { break };
            let mut is_alone = [false; VIEWS as usize];
            for &(fingerprint, number, kind) in &self.others {
                let view = kind.view();
                if kind.is_alone() {
                    numbered[view].alone.push((fingerprint, row as u32));
                    is_alone[view] = true;
                } else if kind.is_rare() {
                    rare[view].push(number);
                }
            }
            for (view, numbered) in numbered.iter_mut().enumerate() {
                let common = &self.common[view];
                rare[view].extend(is_alone[view].then_some(self.messages[view] + row as u32));
                let place = numbered.numbers.push_both(common, &rare[view]);
                numbered.rows.push((row, Numbers { place, common: common.len() as u32 }));
                rare[view].clear();
            }
        }
        numbered
    }

    /// Sorts the tokens of the next row, and says which row it is.
    fn sort(&mut self) -> Option<usize> {
        let Numbering { reader, common, others, .. } = self;
        let Line { row, numbers, meanings, fingerprints } = reader.next()?;
        common.iter_mut().for_each(Vec::clear);
        others.clear();
        for place in numbers.iter().map(|&number| usize::from(number)) {
            let Meaning { number, kind } = meanings[place];
            match kind.is_common() {
                true => common[kind.view()].push(number),
                false => others.push((fingerprints[place], number, kind)),
            }
        }
        Some(row)
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
            corpus.restore(&tokens, row % 2 == 0, 0);
        }
        corpus.restore(&[1], true, 0);
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
    fn tokens_that_one_message_alone_has_are_one_number() {
        let mut corpus = Corpus::default();
        for row in 0..300u64 {
            let own = (0..3).map(|token| mix(row * 3 + token, 5) & !1);
            let tokens: Vec<u64> = own.chain([2, 4]).collect();
            corpus.restore(&tokens, row % 2 == 0, 0);
        }
        let [matrix, _] = Matrix::of_views(&corpus, 1).unwrap();
        assert_eq!((matrix.fingerprints.len(), matrix.counts.len(), matrix.alone.len()), (2, 302, 900));
        for row in 0..300 {
            assert_eq!((matrix.row(row).all, matrix.row(row).common), (&[0, 1, 2 + row as u32][..], 2));
            assert_eq!(matrix.counts[2 + row], if row % 2 == 0 { [1, 0] } else { [0, 1] });
        }
        for (fingerprint, number) in matrix.tokens().filter(|&(_, number)| number >= 2) {
            assert!((0..3).any(|token| mix((number as u64 - 2) * 3 + token, 5) & !1 == fingerprint));
        }
    }
}
