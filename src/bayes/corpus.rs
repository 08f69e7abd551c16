//! Counted messages: the tokens of each, and its class. Rows of different machines are put together by
//! [`Corpus::append`]; the order they come in makes no difference.

use std::{collections::HashMap, io};

use rayon::prelude::*;

use super::{
    Error, Tokens,
    learn::{self, Options},
    metrics::Metrics,
    model::Model,
    store::{Memory, Place, Store},
    tokens::beginning,
};
use crate::{mime::Message, render::Glance};

/// The tokens of sorted messages. A copy shares the tokens.
#[derive(Clone, Debug, Default)]
pub struct Corpus {
    rows: Vec<Row>,
    /// The tokens of rows, as their numbers in dictionaries.
    numbers: Store<u16>,
    /// Where the fingerprints of each dictionary are; those of the last one, which grows, are not yet among them.
    dictionaries: Vec<Place>,
    fingerprints: Store<u64>,
    growing: Tokens,
    memory: Memory,
}

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// A hash of all tokens: messages that look the same are counted once.
    pub digest: u64,
    pub spam: bool,
    /// When it was counted, in days since 1970.
    pub day: i32,
    /// What its numbers mean.
    pub dictionary: u32,
    /// Where they are.
    place: Place,
}

/// What building a model was like.
#[derive(Clone, Debug)]
pub struct Report {
    /// Messages without duplicates.
    pub spam: u64,
    pub ham: u64,
    /// Tokens that the model knows.
    pub tokens: usize,
    /// How messages were told by models that had not seen them.
    pub unseen: Option<Metrics>,
}

impl Corpus {
    /// An empty corpus that keeps to a bound wherever [`Corpus::relieve`] is called.
    pub fn within(memory: &Memory) -> Corpus {
        Corpus { memory: memory.clone(), ..Corpus::default() }
    }

    /// Adds messages that were counted on `day`, in days since 1970, each with whether it is spam. A few together take less
    /// time than one by one: the same code is used for all of them before the next one is.
    pub fn push(&mut self, messages: &[(Message<'_>, bool)], day: i32) {
        let glances: Vec<Glance<'_>> = messages.iter().map(|(message, _)| beginning(message)).collect();
        for ((message, spam), glance) in messages.iter().zip(&glances) {
            self.make_room();
            self.growing.collect_seen(message, glance, &[]);
            self.row(*spam, day);
        }
    }

    /// Adds a message by its tokens.
    pub(super) fn restore(&mut self, fingerprints: &[u64], spam: bool, day: i32) {
        self.make_room();
        self.growing.restore(fingerprints);
        self.row(spam, day);
    }

    fn make_room(&mut self) {
        if !self.growing.dictionary().has_room() {
            self.close();
        }
    }

    /// Takes in the message that was collected last.
    fn row(&mut self, spam: bool, day: i32) {
        let dictionary = self.growing.dictionary();
        // A sum, as the order of tokens means nothing; they are hashes already.
        let digest = dictionary.sum();
        let place = self.numbers.push(dictionary.numbers());
        self.rows.push(Row { digest, spam, day, dictionary: self.dictionaries.len() as u32, place });
    }

    /// Adds the messages of another corpus.
    pub fn append(&mut self, mut other: Corpus) {
        self.close();
        other.close();
        let shift = self.numbers.append(other.numbers);
        let dictionaries = self.dictionaries.len() as u32;
        let fingerprints = self.fingerprints.append(other.fingerprints);
        self.dictionaries.extend(other.dictionaries.iter().map(|place| place.moved(fingerprints)));
        self.rows.extend(other.rows.iter().map(|row| Row {
            dictionary: row.dictionary + dictionaries,
            place: row.place.moved(shift),
            ..*row
        }));
    }

    /// Ends the last dictionary.
    fn close(&mut self) {
        let fingerprints = self.growing.dictionary().fingerprints();
        if !fingerprints.is_empty() {
            self.dictionaries.push(self.fingerprints.push(fingerprints));
            self.growing.clear();
        }
    }

    /// All messages. What is left is empty and keeps its room for the next ones.
    pub fn take(&mut self) -> Corpus {
        self.close();
        let growing = std::mem::take(&mut self.growing);
        let empty = Corpus { growing, ..Corpus::within(&self.memory) };
        std::mem::replace(self, empty)
    }

    /// Moves the tokens to a file if they are more than the bound.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn relieve(&mut self) -> io::Result<()> {
        let half = Memory { bytes: self.memory.bytes / 2, ..self.memory.clone() };
        self.numbers.relieve(&half)?;
        self.fingerprints.relieve(&half)
    }

    /// Puts the messages in the order of their digests and drops duplicates: messages of one class with
    /// the same tokens. Returns how many were dropped.
    pub fn unify(&mut self) -> usize {
        let before = self.rows.len();
        let mut rows = std::mem::take(&mut self.rows);
        // Duplicates may have their tokens in different orders: which one stays must not depend on chance.
        rows.par_sort_unstable_by(|a, b| {
            let tokens = || self.tokens_of(a).cmp(self.tokens_of(b));
            (a.digest, a.spam).cmp(&(b.digest, b.spam)).then_with(tokens)
        });
        rows.dedup_by(|next, kept| {
            let is_same = (next.digest, next.spam) == (kept.digest, kept.spam);
            if is_same {
                // It was seen again.
                kept.day = kept.day.max(next.day);
            }
            is_same
        });
        self.rows = rows;
        before - self.rows.len()
    }

    /// Takes out the messages that `other` has too, of either class. What is built then is what would have
    /// been built had they never been there. Returns how many were taken out.
    pub fn forget(&mut self, other: &Corpus) -> usize {
        self.drop_like(other, |_, _| true)
    }

    /// Takes out the messages that `other` has in the other class: its word about them is the last one.
    /// Returns how many were taken out.
    pub fn overrule(&mut self, other: &Corpus) -> usize {
        self.drop_like(other, |own, others| own != others)
    }

    /// Takes out the messages that were last counted before `day`. Returns how many.
    pub fn expire(&mut self, day: i32) -> usize {
        let before = self.rows.len();
        self.rows.retain(|row| row.day >= day);
        before - self.rows.len()
    }

    fn drop_like(&mut self, other: &Corpus, is_dropped: impl Fn(bool, bool) -> bool) -> usize {
        let before = self.rows.len();
        let mut words: HashMap<u64, [bool; 2]> = HashMap::new();
        for row in &other.rows {
            words.entry(row.digest).or_default()[usize::from(row.spam)] = true;
        }
        self.rows.retain(|row| {
            let said = words.get(&row.digest).copied().unwrap_or_default();
            !([false, true].into_iter().any(|class| said[usize::from(class)] && is_dropped(row.spam, class)))
        });
        before - self.rows.len()
    }

    /// The messages for whose index `keep` says so.
    pub fn select(&self, keep: impl Fn(usize) -> bool) -> Corpus {
        let rows = self.rows.iter().enumerate().filter(|(index, _)| keep(*index)).map(|(_, row)| *row);
        Corpus {
            rows: rows.collect(),
            numbers: self.numbers.clone(),
            dictionaries: self.dictionaries.clone(),
            fingerprints: self.fingerprints.clone(),
            growing: self.growing.clone(),
            memory: self.memory.clone(),
        }
    }

    /// Deals the messages of each class to `parts` parts in turn: the part of each message.
    pub fn deal(&self, parts: usize) -> Vec<usize> {
        let mut dealt = [0usize; 2];
        let deal = |row: &Row| {
            let next = &mut dealt[usize::from(row.spam)];
            *next += 1;
            (*next - 1) % parts.max(1)
        };
        self.rows.iter().map(deal).collect()
    }

    /// Whether the message at `index` is spam.
    pub fn is_spam(&self, index: usize) -> bool {
        self.rows.get(index).is_some_and(|row| row.spam)
    }

    /// The tokens of the message at `index`.
    pub(super) fn fingerprints(&self, index: usize) -> impl Iterator<Item = u64> + Clone {
        self.rows.get(index).into_iter().flat_map(|row| self.tokens_of(row))
    }

    /// How many messages there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many messages there are of each class: spam, ham.
    pub fn classes(&self) -> (u64, u64) {
        let spam = self.rows.iter().filter(|row| row.spam).count() as u64;
        (spam, self.rows.len() as u64 - spam)
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The rows with their indices in the order that their tokens lie in, so that files are read from front to back.
    pub(super) fn stored(&self) -> Vec<(usize, &Row)> {
        let mut rows: Vec<(usize, &Row)> = self.rows.iter().enumerate().collect();
        rows.par_sort_unstable_by_key(|(_, row)| (row.dictionary, row.place));
        rows
    }

    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    pub(super) fn tokens_of(&self, row: &Row) -> impl Iterator<Item = u64> + Clone {
        let dictionary = self.dictionary_of(row);
        let meaning = |&number: &u16| dictionary.get(usize::from(number)).copied().unwrap_or_default();
        self.numbers_of(row).iter().map(meaning)
    }

    pub(super) fn numbers_of(&self, row: &Row) -> &[u16] {
        self.numbers.get(row.place)
    }

    /// The fingerprints that the numbers of a row stand for.
    pub(super) fn dictionary_of(&self, row: &Row) -> &[u64] {
        match self.dictionaries.get(row.dictionary as usize) {
            Some(&place) => self.fingerprints.get(place),
            None => self.growing.dictionary().fingerprints(),
        }
    }

    /// Learns a model from the messages, which are put in order first.
    ///
    /// # Errors
    /// There is no spam or no ham.
    pub fn build(&mut self, options: &Options) -> Result<(Model, Report), Error> {
        self.unify();
        let outcome = learn::learn(self, options)?;
        let (spam, ham) = (outcome.learned.spam, outcome.learned.ham);
        let model = outcome.learned.model()?;
        let report = Report { spam, ham, tokens: model.entries(), unseen: Metrics::new(&outcome.unseen) };
        Ok((model, report))
    }
}
