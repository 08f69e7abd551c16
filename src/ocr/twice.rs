//! A page that was read badly is read once more, made ready in another way.

use std::time::Instant;

use super::{Error, Page, Pool, Reading};

/// Mean confidence, 0 to 100, below which a page was read badly: of 240 noisy pictures the 18 with less have .71 of their
/// words read, the others .94.
const POOR: u8 = 80;
/// Words without which there is no text that could be read better.
const LEAST_WORDS: usize = 3;
/// Confidence of a word that speaks neither for nor against a reading.
const NEITHER: i64 = 50;

impl Pool {
    /// Reads `page`, and where that was read badly and time is left what `again` makes of it, once. Returns the better
    /// reading, and the other page if it is that one's.
    ///
    /// # Errors
    /// Those of [`Pool::read`] for the first page.
    pub fn read_twice(
        &self,
        page: &Page,
        again: impl FnOnce() -> Page,
        deadline: Instant,
    ) -> Result<(Reading, Option<Page>), Error> {
        let first = self.read(page, deadline)?;
        if !first.is_poor() || Instant::now() >= deadline {
            return Ok((first, None));
        }
        let other = again();
        match self.read(&other, deadline) {
            Ok(second) if second.complete && second.weight() > first.weight() => Ok((second, Some(other))),
            _ => Ok((first, None)),
        }
    }
}

impl Reading {
    /// Whether there was something to read, and it was read badly.
    fn is_poor(&self) -> bool {
        self.complete && self.words.len() >= LEAST_WORDS && self.confidence < POOR
    }

    /// How much was read, and how well.
    fn weight(&self) -> i64 {
        let weight =
            |text: &str, confidence: u8| text.chars().count() as i64 * (i64::from(confidence) - NEITHER);
        self.words.iter().map(|word| weight(&word.text, word.confidence)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ocr::Word;

    fn reading(words: &[(&str, u8)]) -> Reading {
        let word =
            |&(text, confidence): &(&str, u8)| Word { text: text.into(), confidence, ..Word::default() };
        let sum: u32 = words.iter().map(|(_, confidence)| u32::from(*confidence)).sum();
        let confidence = sum.checked_div(words.len() as u32).unwrap_or(0) as u8;
        Reading { words: words.iter().map(word).collect(), confidence, complete: true, ..Reading::default() }
    }

    #[test]
    fn more_words_read_well_are_better() {
        let good = reading(&[("cheap", 90), ("pills", 90), ("here", 88)]);
        let bad = reading(&[("chcap", 60), ("pi11s", 70), ("hcre", 60), ("||", 30)]);
        assert!(bad.is_poor() && !good.is_poor() && good.weight() > bad.weight());
        // Junk makes no page better, and nothing is nothing to read better.
        let junk = reading(&[("cheap", 90), ("pills", 90), ("here", 88), ("xqxw", 26), ("ri", 30)]);
        assert!(good.weight() > junk.weight() && !reading(&[]).is_poor());
        assert!(!Reading { complete: false, ..bad }.is_poor());
    }
}
