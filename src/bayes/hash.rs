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

/// Of a token: `value` in `field`.
#[inline]
pub(super) fn fingerprint(field: u64, value: u64) -> u64 {
    (mix(field, value) & !1) | view_of(field)
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
    /// From place 1 on.
    found: Box<[u64; Set::SLOTS]>,
    length: usize,
    /// Open addressing with linear steps: the place in `found`, 0 is a free slot.
    slots: Box<[u16; Set::SLOTS]>,
}

impl Default for Set {
    fn default() -> Set {
        Set { found: Box::new([0; Set::SLOTS]), length: 0, slots: Box::new([0; Set::SLOTS]) }
    }
}

impl Set {
    /// Far above what a message of the size that is looked at can have; what comes after is dropped.
    pub(super) const CAP: usize = 12_000;
    /// For most messages a few of a hundred are taken, and what is touched stays in the nearest cache.
    const SLOTS: usize = 1 << Set::BITS;
    const BITS: u32 = 14;
    const MASK: usize = Set::SLOTS - 1;

    pub(super) fn clear(&mut self) {
        self.slots.fill(0);
        self.length = 0;
    }

    pub(super) fn found(&self) -> &[u64] {
        self.found.get(1..=self.length).unwrap_or_default()
    }

    /// Adds one token: `value` in `field`.
    #[inline]
    pub(super) fn add(&mut self, field: u64, value: u64) {
        self.insert(fingerprint(field, value));
    }

    pub(super) fn insert(&mut self, fingerprint: u64) {
        self.insert_all([fingerprint]);
    }

    #[inline]
    pub(super) fn insert_all(&mut self, fingerprints: impl IntoIterator<Item = u64>) {
        let (found, slots) = (&mut *self.found, &mut *self.slots);
        let mut length = self.length;
        for fingerprint in fingerprints {
            // The upper bits, as the lowest one is the view.
            let mut at = (fingerprint >> (u64::BITS - Set::BITS)) as usize;
            let mut place = usize::from(slots[at]);
            while (place != 0) & (found[place & Set::MASK] != fingerprint) {
                at = (at + 1) & Set::MASK;
                place = usize::from(slots[at]);
            }
            // Whether it is new can't be foretold, so no branch hangs on it.
            let is_new = place == 0 && length < Set::CAP;
            found[(length + 1) & Set::MASK] = fingerprint;
            length += usize::from(is_new);
            slots[at] = if is_new { length as u16 } else { place as u16 };
        }
        self.length = length;
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
            assert_eq!(set.found().len(), 6);
            (0..5000).for_each(|n| set.insert(mix(n % 3000, 1)));
            assert_eq!(set.found().len(), 3006);
            set.clear();
            assert!(set.slots.iter().all(|&slot| slot == 0));
        }
    }

    #[test]
    fn a_set_has_an_end() {
        let mut set = Set::default();
        (0..100_000).for_each(|n| set.insert(mix(n, 1)));
        assert_eq!(set.found().len(), Set::CAP);
    }
}
