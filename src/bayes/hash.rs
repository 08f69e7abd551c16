//! Fingerprints: the hash of a token.

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
