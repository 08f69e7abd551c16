//! What attachments said before: a campaign sends the same picture a thousand times.
//!
//! The key is a keyed hash of the content, so that nobody can make two files that take each other's place. A file that
//! is new may still hold a known picture: pages are known by a hash of the pixels that the recogniser gets, whatever
//! the file around them. Pages that differ in one pixel are two, so that no text is taken for another.

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

use crate::ocr::Page;

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
    pub actions: Vec<String>,
    pub codes: Vec<(String, String)>,
    /// What was read from its pages: the place, the text, the confidence from 0 to 100.
    pub readings: Vec<(String, String, u8)>,
}

impl Said {
    fn size(&self) -> usize {
        let codes = self.codes.iter().map(|(label, text)| label.len() + text.len());
        let readings = self.readings.iter().map(|(label, text, _)| label.len() + text.len());
        let parts = self.uris.iter().chain(&self.actions).map(String::len).chain(codes).chain(readings);
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
    page_hits: AtomicU64,
    page_misses: AtomicU64,
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MemoryCounts {
    pub entries: usize,
    pub hits: u64,
    pub misses: u64,
    /// Of pages in files that were not known.
    pub page_hits: u64,
    pub page_misses: u64,
}

impl Memory {
    /// The key of a content.
    pub fn key(&self, content: &[u8]) -> Key {
        (self.secret.hash_one(content), content.len())
    }

    /// The key of a page. No content has it: the sizes are hashed, too.
    pub fn page_key(&self, page: &Page) -> Key {
        (self.secret.hash_one((page.width, page.height, &page.pixels)), page.pixels.len())
    }

    /// What a content said before.
    pub fn recall(&self, key: Key) -> Option<Arc<Said>> {
        let found = self.find(key);
        let counter = if found.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Relaxed);
        found
    }

    /// What was read from a page before, as the only reading.
    pub fn recall_page(&self, key: Key) -> Option<Arc<Said>> {
        let found = self.find(key);
        let counter = if found.is_some() { &self.page_hits } else { &self.page_misses };
        counter.fetch_add(1, Relaxed);
        found
    }

    fn find(&self, key: Key) -> Option<Arc<Said>> {
        let mut shelves = self.shelves();
        match shelves.young.get(&key) {
            Some(said) => Some(Arc::clone(said)),
            None => shelves.old.remove(&key).inspect(|said| shelves.add(key, Arc::clone(said))),
        }
    }

    /// Remembers all that a content says; what was cut short must not be remembered.
    pub fn remember(&self, key: Key, said: Arc<Said>) {
        self.shelves().add(key, said);
    }

    /// How often it helped.
    pub fn counts(&self) -> MemoryCounts {
        let shelves = self.shelves();
        let entries = shelves.young.len() + shelves.old.len();
        let [hits, misses, page_hits, page_misses] =
            [&self.hits, &self.misses, &self.page_hits, &self.page_misses]
                .map(|counter| counter.load(Relaxed));
        MemoryCounts { entries, hits, misses, page_hits, page_misses }
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
    use std::{io, time::Duration};

    use super::*;
    use crate::{
        budget::Budget,
        media::{Kind, Limits, extract},
    };

    fn said(text: &str) -> Arc<Said> {
        Arc::new(Said { text: text.to_owned(), ..Said::default() })
    }

    #[test]
    fn a_content_is_known_again_and_another_is_not() {
        let memory = Memory::default();
        memory.remember(memory.key(b"one"), said("first"));
        assert_eq!(memory.recall(memory.key(b"one")).unwrap().text, "first");
        assert_eq!(memory.recall(memory.key(b"two")), None);
        assert_eq!(
            memory.counts(),
            MemoryCounts { entries: 1, hits: 1, misses: 1, ..MemoryCounts::default() }
        );
    }

    const LETTERS: &[u8] = include_bytes!("../../tests/ocr/clean.png");

    /// The key of the page that is made of a picture.
    fn key(memory: &Memory, picture: &image::RgbImage) -> Key {
        let mut bytes = Vec::new();
        picture.write_to(&mut io::Cursor::new(&mut bytes), image::ImageFormat::Bmp).unwrap();
        let budget = Budget::new(Duration::from_secs(60));
        let extract = extract(Kind::Bmp, &bytes, &Limits::default(), &budget).unwrap();
        memory.page_key(&extract.pages[0].1)
    }

    #[test]
    fn a_picture_is_known_again_in_another_file() {
        let memory = Memory::default();
        let picture = image::load_from_memory(LETTERS).unwrap().into_rgb8();
        let budget = Budget::new(Duration::from_secs(60));
        let extract = extract(Kind::Png, LETTERS, &Limits::default(), &budget).unwrap();
        assert_eq!(key(&memory, &picture), memory.page_key(&extract.pages[0].1));
    }

    #[test]
    fn pictures_with_another_letter_are_never_taken_for_each_other() {
        let memory = Memory::default();
        let picture = image::load_from_memory(LETTERS).unwrap().into_rgb8();
        let (width, height) = picture.dimensions();
        let dark = |x: u32, y: u32| picture.get_pixel(x, y).0[0] < 100;
        let known = key(&memory, &picture);
        let mut changed = 0;
        // A stroke is taken away, as it makes one letter or digit of another, here and there all over the picture.
        for (left, top) in
            (0..height - 6).step_by(9).flat_map(|y| (0..width - 6).step_by(23).map(move |x| (x, y)))
        {
            let ink =
                (0..6).flat_map(|y| (0..6).map(move |x| (x, y))).filter(|&(x, y)| dark(left + x, top + y));
            if ink.count() < 8 {
                continue;
            }
            let mut other = picture.clone();
            for (x, y) in (0..6).flat_map(|y| (0..6).map(move |x| (x, y))) {
                other.put_pixel(left + x, top + y, image::Rgb([255; 3]));
            }
            assert_ne!(key(&memory, &other), known, "{left} {top}");
            changed += 1;
        }
        assert!(changed >= 20, "{changed}");
    }

    #[test]
    fn pages_of_other_sizes_are_others() {
        let memory = Memory::default();
        let page = |width, height| Page { width, height, pixels: vec![7; 12] };
        assert_eq!(memory.page_key(&page(3, 4)), memory.page_key(&page(3, 4)));
        assert_ne!(memory.page_key(&page(3, 4)), memory.page_key(&page(4, 3)));
        assert_ne!(memory.page_key(&page(3, 4)), memory.key(&[7; 12]));
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
