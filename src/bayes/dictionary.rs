//! Short numbers for the tokens of some messages: neighbours share most of their tokens, so that each fingerprint is kept
//! once and a message is a list of numbers of a quarter of the size.

use std::hash::{BuildHasher, RandomState};

/// Fingerprints, each once, as many as numbers of 16 bits can tell apart; and which of them the last message has.
#[derive(Clone, Debug, Default)]
pub(super) struct Dictionary {
    length: usize,
    /// Tokens of the last message, and the sum of their fingerprints.
    found: usize,
    sum: u64,
    /// Nothing before the first token.
    room: Option<Room>,
}

/// Room for as many fingerprints as there may be.
#[derive(Clone, Debug)]
struct Room {
    /// By their places, from place 1 on; place 0 has the one that is searched for, so that every search ends with a find. One
    /// is written behind the others before it is known whether it stays.
    fingerprints: Box<[u64; PLACES]>,
    /// Open addressing with linear steps, at most half full: the place, 0 is a free slot.
    slots: Box<[u16; SLOTS]>,
    /// Whoever writes mail must not know which tokens share a slot: searching for thousands of them would take its time.
    key: u64,
    /// The numbers of the last message, in the order they were found; and a bit for each number that is among them.
    numbers: Box<[u16; ROW]>,
    has: Box<[u64; PLACES / BITS_OF_WORD]>,
}

const PLACES: usize = 1 << u16::BITS;
const SLOTS: usize = 1 << BITS;
const BITS: u32 = 17;
const ROW: usize = (Dictionary::OF_MESSAGE + 1).next_power_of_two();
const BITS_OF_WORD: usize = u64::BITS as usize;

impl Dictionary {
    /// Tokens of one message: far above what one of the size that is looked at can have; what comes after is dropped.
    pub(super) const OF_MESSAGE: usize = 12_000;

    /// Whether another message finds room, whatever it has.
    pub(super) fn has_room(&self) -> bool {
        self.length + Dictionary::OF_MESSAGE < PLACES - 1
    }

    /// Begins a message; where there is no room for it, with an empty dictionary.
    pub(super) fn begin(&mut self) {
        if !self.has_room() {
            self.clear();
        }
        (self.found, self.sum) = (0, 0);
        if let Some(room) = &mut self.room {
            room.has.fill(0);
        }
    }

    /// Takes in tokens of the message.
    pub(super) fn read(&mut self, tokens: &[u64]) {
        let Room { fingerprints, slots, key, numbers, has } = self.room.get_or_insert_with(Room::new);
        let (fingerprints, slots, key) = (&mut **fingerprints, &mut **slots, *key);
        let (numbers, has) = (&mut **numbers, &mut **has);
        let (mut length, mut found, mut sum) = (self.length, self.found, self.sum);
        for &fingerprint in tokens {
            if found == Dictionary::OF_MESSAGE {
                break;
            }
            fingerprints[0] = fingerprint;
            let mut at = (fingerprint.wrapping_mul(key) >> (u64::BITS - BITS)) as usize;
            while fingerprints[usize::from(slots[at])] != fingerprint {
                at = (at + 1) % SLOTS;
            }
            // Whether it is new, to the dictionary and to the message, can't be foretold, so no branch hangs on it.
            let place = slots[at];
            fingerprints[(length + 1) % PLACES] = fingerprint;
            length += usize::from(place == 0);
            let place = if place == 0 { length as u16 } else { place };
            slots[at] = place;
            let (word, bit) = (usize::from(place) / BITS_OF_WORD, u32::from(place) % u64::BITS);
            let is_first = has[word] >> bit & 1 == 0;
            has[word] |= 1 << bit;
            numbers[found % ROW] = place.wrapping_sub(1);
            found += usize::from(is_first);
            sum = sum.wrapping_add(if is_first { fingerprint } else { 0 });
        }
        (self.length, self.found, self.sum) = (length, found, sum);
    }

    /// The numbers of the message's tokens, each once, in the order they were found.
    pub(super) fn numbers(&self) -> &[u16] {
        self.room.as_ref().and_then(|room| room.numbers.get(..self.found)).unwrap_or_default()
    }

    /// The fingerprints that they stand for.
    pub(super) fn found(&self) -> impl ExactSizeIterator<Item = u64> + Clone {
        let all = self.fingerprints();
        self.numbers().iter().map(|&number| all.get(usize::from(number)).copied().unwrap_or_default())
    }

    /// Their sum, in which their order means nothing.
    pub(super) fn sum(&self) -> u64 {
        self.sum
    }

    /// Each fingerprint, in the order of their numbers.
    pub(super) fn fingerprints(&self) -> &[u64] {
        self.room.as_ref().and_then(|room| room.fingerprints.get(1..=self.length)).unwrap_or_default()
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) {
        (self.length, self.found, self.sum) = (0, 0, 0);
        if let Some(room) = &mut self.room {
            room.slots.fill(0);
        }
    }
}

impl Room {
    fn new() -> Room {
        Room {
            fingerprints: bytemuck::zeroed_box(),
            slots: bytemuck::zeroed_box(),
            key: RandomState::new().hash_one(0) | 1,
            numbers: bytemuck::zeroed_box(),
            has: bytemuck::zeroed_box(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{super::hash::mix, *};

    fn message(dictionary: &mut Dictionary, tokens: impl IntoIterator<Item = u64>) -> Vec<u64> {
        dictionary.begin();
        // In pieces as well as at once.
        let tokens: Vec<u64> = tokens.into_iter().collect();
        tokens.chunks(1 + tokens.len() / 3).for_each(|tokens| dictionary.read(tokens));
        let meant: Vec<u64> = dictionary.found().collect();
        assert_eq!(dictionary.sum(), meant.iter().copied().fold(0, u64::wrapping_add));
        let mut all = dictionary.fingerprints().to_vec();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        meant
    }

    #[test]
    fn numbers_stand_for_fingerprints() {
        let mut dictionary = Dictionary::default();
        for round in 0..3u64 {
            for number in 0..40 {
                let ends = [0, 1, u64::MAX, u64::MAX - 1];
                let tokens: Vec<u64> = (0..500).map(|n| mix(n * number % 9000, round)).chain(ends).collect();
                // Each once, in their order, however often and from whichever message they come.
                let mut unique = tokens.clone();
                let mut seen = HashSet::new();
                unique.retain(|&token| seen.insert(token));
                let twice = tokens.iter().chain(&tokens).copied();
                assert_eq!(message(&mut dictionary, twice), unique);
            }
            dictionary.clear();
            assert!(dictionary.fingerprints().is_empty() && dictionary.numbers().is_empty());
        }
    }

    #[test]
    fn a_message_has_an_end() {
        let mut dictionary = Dictionary::default();
        for round in 0..3 {
            let tokens = |count: u64| (0..count).map(move |n| mix(n, round));
            let found = message(&mut dictionary, tokens(100_000));
            assert!(found.iter().copied().eq(tokens(Dictionary::OF_MESSAGE as u64)));
            // Another one has all of its own.
            assert_eq!(message(&mut dictionary, [5, 6, 5]), [5, 6]);
        }
    }

    #[test]
    fn a_full_one_begins_anew() {
        let mut dictionary = Dictionary::default();
        let most = (PLACES / Dictionary::OF_MESSAGE) as u64;
        for round in 0..3 * most {
            let tokens = || (0..Dictionary::OF_MESSAGE as u64).map(move |n| mix(n, round));
            assert_eq!(dictionary.has_room(), round == 0 || !round.is_multiple_of(most), "{round}");
            assert!(message(&mut dictionary, tokens()).into_iter().eq(tokens()));
        }
    }
}
