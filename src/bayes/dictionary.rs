//! Short numbers for the tokens of some messages: neighbours share most of their tokens, so that each fingerprint is kept
//! once and a message is a list of numbers of a quarter of the size.

/// Fingerprints, each once, as many as numbers of 16 bits can tell apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Dictionary {
    length: usize,
    /// Nothing before the first message.
    room: Option<Room>,
}

/// Room for as many fingerprints as there may be.
#[derive(Clone, Debug)]
struct Room {
    /// By their numbers, and a place more: one is written before it is known whether it stays.
    fingerprints: Box<[u64; NUMBERS]>,
    /// Open addressing with linear steps, at most half full: one more than the number, 0 is a free slot.
    slots: Box<[u16; SLOTS]>,
    /// The numbers of the last message.
    numbers: Vec<u16>,
}

const NUMBERS: usize = 1 << u16::BITS;
const SLOTS: usize = 1 << BITS;
const BITS: u32 = 17;

impl Dictionary {
    /// Tokens that one dictionary can have.
    pub(super) const MOST: usize = NUMBERS - 1;

    /// Whether a message with so many tokens finds room, whatever they are.
    pub(super) fn has_room(&self, tokens: usize) -> bool {
        self.length + tokens <= Dictionary::MOST
    }

    /// The numbers of the tokens of a message, which has room.
    pub(super) fn numbers(&mut self, tokens: &[u64]) -> &[u16] {
        let Room { fingerprints, slots, numbers } = self.room.get_or_insert_with(Room::new);
        let mut length = self.length;
        numbers.clear();
        numbers.extend(tokens.iter().map(|&fingerprint| {
            // The upper bits, as the lowest one is the view.
            let mut at = (fingerprint >> (u64::BITS - BITS)) as usize;
            let mut place = slots[at];
            while (place != 0) & (fingerprints[usize::from(place.wrapping_sub(1))] != fingerprint) {
                at = (at + 1) % SLOTS;
                place = slots[at];
            }
            // Whether it is new can't be foretold, so no branch hangs on it.
            fingerprints[length % NUMBERS] = fingerprint;
            length += usize::from(place == 0);
            let place = if place == 0 { length as u16 } else { place };
            slots[at] = place;
            place.wrapping_sub(1)
        }));
        self.length = length;
        numbers
    }

    /// Each fingerprint, in the order of their numbers.
    pub(super) fn fingerprints(&self) -> &[u64] {
        self.room.as_ref().and_then(|room| room.fingerprints.get(..self.length)).unwrap_or_default()
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) {
        self.length = 0;
        if let Some(room) = &mut self.room {
            room.slots.fill(0);
        }
    }
}

impl Room {
    fn new() -> Room {
        Room { fingerprints: bytemuck::zeroed_box(), slots: bytemuck::zeroed_box(), numbers: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::hash::mix, *};

    #[test]
    fn numbers_stand_for_fingerprints() {
        let mut dictionary = Dictionary::default();
        for round in 0..3u64 {
            for message in 0..40 {
                // Neighbours in the table, around its end too.
                let ends = [0, 1, u64::MAX, u64::MAX - 1];
                let tokens: Vec<u64> = (0..500).map(|n| mix(n * message % 9000, round)).chain(ends).collect();
                assert!(dictionary.has_room(tokens.len()));
                let numbers = dictionary.numbers(&tokens).to_vec();
                let meant: Vec<u64> =
                    numbers.iter().map(|&number| dictionary.fingerprints()[usize::from(number)]).collect();
                assert_eq!(meant, tokens);
            }
            let mut all = dictionary.fingerprints().to_vec();
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count);
            dictionary.clear();
            assert!(dictionary.fingerprints().is_empty());
        }
    }

    #[test]
    fn it_can_be_full() {
        let mut dictionary = Dictionary::default();
        let tokens: Vec<u64> = (0..Dictionary::MOST as u64).map(|n| mix(n, 7)).collect();
        assert!(dictionary.has_room(tokens.len()) && !dictionary.has_room(tokens.len() + 1));
        for _ in 0..2 {
            let numbers = dictionary.numbers(&tokens).to_vec();
            assert!(numbers.iter().copied().eq(0..Dictionary::MOST as u16));
        }
        assert!(dictionary.numbers(&[]).is_empty());
        assert!(!dictionary.has_room(1));
        assert_eq!(dictionary.fingerprints(), tokens);
    }
}
