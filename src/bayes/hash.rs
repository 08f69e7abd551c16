//! Fingerprints: the hash of a token, and the set that keeps one of each.

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes two words into one by the folded product of 64 by 64 bits, as wyhash does.
#[inline]
pub(super) const fn mix(a: u64, b: u64) -> u64 {
    let product = ((a ^ b.rotate_left(32) ^ 0x2545_f491_4f6c_dd1d) as u128) * (MULTIPLIER as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

/// Header section and body are learned and scored apart: the lowest bit of a fingerprint says which it is.
pub(super) const VIEWS: u64 = 2;

/// The view that a fingerprint (or a field) belongs to.
#[inline]
pub(super) const fn view_of(fingerprint: u64) -> u64 {
    fingerprint & 1
}

/// The hash of a word that is read character by character.
#[derive(Clone, Copy, Debug)]
pub(super) struct WordHash(u64);

impl WordHash {
    pub(super) const EMPTY: WordHash = WordHash(0xcbf2_9ce4_8422_2325);

    #[inline]
    pub(super) const fn push(self, character: u32) -> WordHash {
        WordHash((self.0 ^ character as u64).wrapping_mul(MULTIPLIER).rotate_left(23))
    }

    #[inline]
    pub(super) const fn value(self) -> u64 {
        self.0
    }

    /// The hash of bytes, ASCII letters in lower case.
    pub(super) const fn of(bytes: &[u8]) -> u64 {
        let mut hash = WordHash::EMPTY;
        let mut at = 0;
        while at < bytes.len() {
            hash = hash.push(bytes[at].to_ascii_lowercase() as u32);
            at += 1;
        }
        hash.0
    }
}

/// Fingerprints in the order they were found, each once; at most [`Set::CAP`].
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub(super) found: Vec<u64>,
    /// Open addressing with linear steps: one more than the place in `found`, 0 is a free slot. A power of two, grown
    /// at half full: for most messages it stays in the nearest cache.
    slots: Vec<u16>,
}

impl Default for Set {
    fn default() -> Set {
        Set { found: Vec::new(), slots: vec![0; Set::SLOTS] }
    }
}

impl Set {
    /// Far above what a message of the size that is looked at can have; what comes after is dropped.
    const CAP: usize = 12_000;
    /// Slots to begin with.
    const SLOTS: usize = 1 << 12;

    pub(super) fn clear(&mut self) {
        self.slots.truncate(Set::SLOTS);
        self.slots.fill(0);
        self.found.clear();
    }

    #[inline]
    pub(super) fn insert(&mut self, fingerprint: u64) {
        let fingerprint = fingerprint.max(2);
        let mask = self.slots.len() - 1;
        let mut at = fingerprint as usize & mask;
        loop {
            let place = usize::from(self.slots[at]);
            if place == 0 {
                break;
            }
            if self.found.get(place - 1) == Some(&fingerprint) {
                return;
            }
            at = (at + 1) & mask;
        }
        self.add(fingerprint, at);
    }

    fn add(&mut self, fingerprint: u64, at: usize) {
        if self.found.len() == Set::CAP {
            return;
        }
        self.found.push(fingerprint);
        self.slots[at] = self.found.len() as u16;
        if 2 * self.found.len() >= self.slots.len() {
            self.grow();
        }
    }

    #[cold]
    fn grow(&mut self) {
        let length = 2 * self.slots.len();
        self.slots.clear();
        self.slots.resize(length, 0);
        for (number, &fingerprint) in self.found.iter().enumerate() {
            let mut at = fingerprint as usize & (length - 1);
            while self.slots[at] != 0 {
                at = (at + 1) & (length - 1);
            }
            self.slots[at] = number as u16 + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_keeps_one_of_each_and_forgets_all() {
        let mut set = Set::default();
        for round in 0..3u64 {
            // Neighbours in the table, around its end too.
            for low in [5, 5, 6, 5, 32767, 65535, 0, 32767 + 65536] {
                set.insert(low | round << 40);
            }
            assert_eq!(set.found.len(), 6);
            (0..5000).for_each(|n| set.insert(mix(n % 3000, 1)));
            assert_eq!(set.found.len(), 3006);
            set.clear();
            assert!(set.slots.iter().all(|&slot| slot == 0));
        }
    }

    #[test]
    fn a_set_has_an_end() {
        let mut set = Set::default();
        (0..100_000).for_each(|n| set.insert(mix(n, 1)));
        assert_eq!(set.found.len(), Set::CAP);
    }
}
