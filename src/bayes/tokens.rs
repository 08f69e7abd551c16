//! What the filter sees of a message: words, characters four by four, pairs of words of the header section, and facts about senders, links and parts, each as
//! a 64-bit fingerprint.
//!
//! Left out on purpose is what tells one site's mail from another's and not spam from ham: `Received`,
//! dates, the fields of mailing lists, and whatever other filters wrote.

use super::{
    dictionary::Dictionary,
    fields,
    hash::{WordHash, fingerprint},
    text::{Finder, Fours, Look},
};
use crate::{
    mime::Message,
    render::{self, Glance, LateText, Origin, Reach},
};

/// Counts up whenever the same message gets other fingerprints: models and counts of another version are
/// refused, as their fingerprints mean nothing then.
pub(super) const VERSION: u32 = 7;

/// Bytes of body text that are looked at; spam that has not said what it wants by then is rare.
const BODY: usize = 9000;
/// Of running text. Pairs of its words told nothing that words and characters had not told already, and were a quarter of
/// all tokens.
const RUNNING: Look = Look { pairs: 0, fours: Fours::Some };
/// Links that are looked at.
const LINKS: usize = 60;
/// Bytes of text that was read from pictures and documents.
const LATE: usize = 4000;

/// Tokens of headers, links and parts together, several times what mail has: whoever writes hundreds of fields must not use
/// up the room of what the text says.
const BEFORE_TEXT: usize = 4000;
/// Tokens that wait for the dictionary: more than most messages have, as one loop over all takes the least time.
const WAITING: usize = 1 << 13;

/// The tokens of one message, as 64-bit fingerprints without duplicates. Reused between messages, which share a dictionary.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// Those of this message that are not yet in the dictionary, as they were found, some of them several times.
    found: Vec<u64>,
    /// With so many of them no more are taken.
    room: usize,
    dictionary: Dictionary,
    finder: Finder,
}

/// Where a token stands: the same word in the subject and in the body are two tokens. The lowest bit is the
/// view.
pub(super) type Field = u64;

/// A field of the header section.
pub(super) const fn head(name: &str) -> Field {
    WordHash::of(name.as_bytes()) & !1
}

/// A field of the body.
pub(super) const fn body(name: &str) -> Field {
    WordHash::of(name.as_bytes()) | 1
}

/// What of a message's text is looked at.
pub(super) fn beginning<'m>(message: &Message<'m>) -> Glance<'m> {
    render::glance(message, Reach { text: BODY, links: LINKS })
}

impl Tokens {
    /// Forgets the last message and collects the tokens of this one.
    pub fn collect(&mut self, message: &Message<'_>, late: &[LateText]) {
        self.collect_seen(message, &beginning(message), late);
    }

    /// The same, where [`beginning`] was called before.
    pub(super) fn collect_seen(&mut self, message: &Message<'_>, glance: &Glance<'_>, late: &[LateText]) {
        self.dictionary.begin();
        self.room = BEFORE_TEXT;
        fields::headers(self, message, glance);
        fields::links(self, message, glance);
        fields::parts(self, message);
        self.room = usize::MAX;
        self.body(glance);
        for text in late {
            self.late(text);
        }
        self.take_in();
    }

    fn take_in(&mut self) {
        self.dictionary.read(&self.found);
        self.found.clear();
    }

    /// The same of a message that was collected before.
    pub(super) fn restore(&mut self, fingerprints: &[u64]) {
        self.dictionary.begin();
        self.dictionary.read(fingerprints);
    }

    /// Each fingerprint once, in the order they were found.
    pub fn fingerprints(&self) -> impl ExactSizeIterator<Item = u64> + Clone {
        self.dictionary.found()
    }

    /// What the last messages have, this one among them.
    pub(super) fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// The next message begins with an empty dictionary.
    pub(super) fn clear(&mut self) {
        self.dictionary.clear();
    }

    /// Adds one token: `value` in `field`.
    #[inline]
    pub(super) fn add(&mut self, field: Field, value: u64) {
        if self.found.len() < self.room {
            self.found.push(fingerprint(field, value));
        }
    }

    /// Adds the tokens of a text.
    pub(super) fn text(&mut self, field: Field, text: &str, look: Look) {
        if self.found.len() < self.room {
            self.finder.find(&mut self.found, field, text, look);
        }
        if self.found.len() > WAITING {
            self.take_in();
        }
    }

    /// What the reader sees. What HTML hides is left out: a spammer chose it to look innocent, and on folds
    /// its words did more harm than good.
    fn body(&mut self, glance: &Glance<'_>) {
        for text in &glance.texts {
            self.text(const { body("body") }, text, RUNNING);
        }
        self.add(const { head("hidden") }, u64::from(glance.hides));
    }

    fn late(&mut self, late: &LateText) {
        let text = late.text.get(..late.text.floor_char_boundary(LATE)).unwrap_or(&late.text);
        let field = match late.origin {
            Origin::Qr => const { body("qr") },
            Origin::Pdf => const { body("pdf") },
            // A handful of words of our own; rules know what to make of them.
            Origin::Action => return,
            Origin::Ocr | Origin::Text | Origin::Html => const { body("ocr") },
        };
        self.text(field, text, RUNNING);
        // What a picture says is said: the words count as words of the body too, so that a model that has
        // seen no picture can judge them.
        self.text(const { body("body") }, text, RUNNING);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{super::hash::mix, *};
    use crate::mime::{Arena, Limits};

    #[test]
    fn a_flood_of_fields_leaves_room_for_the_text() {
        let words = |seed: u64, count: u64| -> String {
            (0..count).map(|n| format!("{:x} ", mix(n, seed) >> 44)).collect()
        };
        let text = words(0, 1000).replace(' ', "\n");
        let mut of_text = Vec::new();
        Finder::default().find(&mut of_text, const { body("body") }, &text, RUNNING);
        let replies: String = (1..200).map(|seed| format!("Reply-To: {}\n", words(seed, 60))).collect();
        let subject = format!("Subject: {}\n", words(1, 2000));
        let part =
            |seed| format!("--b\nContent-Disposition: attachment; filename=\"{}\"\n\n\n", words(seed, 60));
        let names: String = (1..30).map(part).collect();
        let parts = format!("Content-Type: multipart/mixed; boundary=b\n\n{names}--b\n");
        for flood in [replies, subject, parts] {
            let (arena, mail) = (Arena::new(), format!("{flood}Content-Type: text/plain\n\n{text}"));
            let mut tokens = Tokens::default();
            tokens.collect(&Message::parse(mail.as_bytes(), &arena, &Limits::default()), &[]);
            let found: HashSet<u64> = tokens.fingerprints().collect();
            let missing = of_text.iter().filter(|token| !found.contains(token)).count();
            assert_eq!(missing, 0, "of {}: {flood:.40}", of_text.len());
        }
    }
}
