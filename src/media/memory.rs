//! What attachments said before: a campaign sends the same picture a thousand times.
//!
//! The key is a keyed hash of the content, so that nobody can make two files that take each other's place.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use serde::Serialize;

/// Bytes kept of all that was said, about.
const ROOM: usize = 16 << 20;
/// What an entry costs beside its text.
const ENTRY: usize = 256;

/// All that an attachment says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// As in [`super::Extract`].
    pub frames: usize,
    pub text: String,
    pub uris: Vec<String>,
    pub codes: Vec<(String, String)>,
    /// What was read from its pages: the place, the text, the confidence from 0 to 100.
    pub readings: Vec<(String, String, u8)>,
}

impl Said {
    fn size(&self) -> usize {
        let codes = self.codes.iter().map(|(label, text)| label.len() + text.len());
        let readings = self.readings.iter().map(|(label, text, _)| label.len() + text.len());
        let parts = self.uris.iter().map(String::len).chain(codes).chain(readings);
        ENTRY + self.text.len() + parts.map(|length| length + 64).sum::<usize>()
    }
}

/// Remembers what attachments said, the last ones that were asked for, in bounded space.
#[derive(Debug, Default)]
pub struct Memory {
    secret: RandomState,
    shelves: Mutex<Shelves>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// Hash and length of the content.
type Key = (u64, usize);

/// When the young ones fill half of the room, the old ones go and the young ones are old: what is asked for again
/// comes back to the young.
#[derive(Debug, Default)]
struct Shelves {
    young: HashMap<Key, Arc<Said>>,
    old: HashMap<Key, Arc<Said>>,
    /// Of the young ones.
    bytes: usize,
}

/// Counters of a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MemoryCounts {
    pub entries: usize,
    pub hits: u64,
    pub misses: u64,
}

impl Memory {
    /// The key of a content.
    pub fn key(&self, content: &[u8]) -> Key {
        (self.secret.hash_one(content), content.len())
    }

    /// What a content said before.
    pub fn recall(&self, key: Key) -> Option<Arc<Said>> {
        let mut shelves = self.shelves();
        let found = match shelves.young.get(&key) {
            Some(said) => Some(Arc::clone(said)),
            None => shelves.old.remove(&key).inspect(|said| shelves.add(key, Arc::clone(said))),
        };
        let counter = if found.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Relaxed);
        found
    }

    /// Remembers all that a content says; what was cut short must not be remembered.
    pub fn remember(&self, key: Key, said: Arc<Said>) {
        self.shelves().add(key, said);
    }

    /// How often it helped.
    pub fn counts(&self) -> MemoryCounts {
        let shelves = self.shelves();
        let entries = shelves.young.len() + shelves.old.len();
        MemoryCounts { entries, hits: self.hits.load(Relaxed), misses: self.misses.load(Relaxed) }
    }

    // A panic elsewhere leaves no shelf half full.
    fn shelves(&self) -> MutexGuard<'_, Shelves> {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    fn add(&mut self, key: Key, said: Arc<Said>) {
        let size = said.size();
        if size > ROOM / 2 {
            return;
        }
        if self.bytes + size > ROOM / 2 {
            self.old = mem::take(&mut self.young);
            self.bytes = 0;
        }
        if self.young.insert(key, said).is_none() {
            self.bytes += size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Arc<Said> {
        Arc::new(Said { text: text.to_owned(), ..Said::default() })
    }

    #[test]
    fn a_content_is_known_again_and_another_is_not() {
        let memory = Memory::default();
        memory.remember(memory.key(b"one"), said("first"));
        assert_eq!(memory.recall(memory.key(b"one")).unwrap().text, "first");
        assert_eq!(memory.recall(memory.key(b"two")), None);
        assert_eq!(memory.counts(), MemoryCounts { entries: 1, hits: 1, misses: 1 });
    }

    #[test]
    fn it_stays_within_its_room_and_keeps_what_is_asked_for() {
        let memory = Memory::default();
        let long = "x".repeat(ROOM / 40);
        let known = memory.key(b"asked for");
        memory.remember(known, said("kept"));
        for number in 0..400u32 {
            memory.remember(memory.key(&number.to_le_bytes()), said(&long));
            assert!(memory.recall(known).is_some(), "{number}");
            let shelves = memory.shelves();
            let held: usize =
                shelves.young.values().chain(shelves.old.values()).map(|said| said.size()).sum();
            assert!(held <= ROOM);
        }
        assert_eq!(memory.recall(memory.key(&0u32.to_le_bytes())), None);
        memory.remember(memory.key(b"huge"), said(&"x".repeat(ROOM)));
        assert_eq!(memory.recall(memory.key(b"huge")), None);
    }
}
