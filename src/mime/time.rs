//! Until when a message may be decoded.

use std::{cell::Cell, time::Instant};

/// Bytes that are decoded between two looks at the clock: well below a millisecond.
pub(super) const STRETCH: usize = 64 << 10;

/// The time that all parts of a message have together.
#[derive(Debug, Default)]
pub(super) struct Time {
    until: Option<Instant>,
    cut: Cell<bool>,
}

impl Time {
    /// Until the moment given, or without end.
    pub fn until(until: Option<Instant>) -> Time {
        Time { until, cut: Cell::new(false) }
    }

    /// Whether the time is up. Whoever asks leaves out the rest then, and that is noted.
    pub fn is_up(&self) -> bool {
        let is_up = self.is_cut() || self.until.is_some_and(|until| Instant::now() >= until);
        self.cut.set(is_up);
        is_up
    }

    /// Whether something was left out.
    pub fn is_cut(&self) -> bool {
        self.cut.get()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Arena, Limits, Message};
    use super::*;

    fn mail() -> String {
        let part = |encoding, body: &str| {
            format!("--b\nContent-Type: text/plain\nContent-Transfer-Encoding: {encoding}\n\n{body}\n")
        };
        let parts = [part("base64", &"aGVsbG8g".repeat(9000)), part("quoted-printable", &"=41".repeat(9000))];
        format!("Content-Type: multipart/mixed; boundary=b\n\n{}--b--\n", parts.concat())
    }

    #[test]
    fn a_message_whose_time_is_up_has_its_root_and_says_that_it_is_cut() {
        let (mail, arena, limits) = (mail(), Arena::new(), Limits::default());
        let message = Message::parse_until(mail.as_bytes(), &arena, &limits, Some(Instant::now()));
        assert_eq!((message.parts.len(), message.is_cut()), (1, true));
        let message = Message::parse(mail.as_bytes(), &arena, &limits);
        assert_eq!((message.parts.len(), message.is_cut()), (3, false));
    }

    #[test]
    fn contents_are_decoded_no_longer_than_there_is_time() {
        for encoding in ["base64", "quoted-printable"] {
            // A byte that is none of the alphabet goes the slow way.
            for damage in ["", "\u{1}"] {
                let text =
                    format!("Content-Transfer-Encoding: {encoding}\n\n{damage}{}\n", "=41A".repeat(90_000));
                let (arena, limits) = (Arena::new(), Limits::default());
                let mut message = Message::parse(text.as_bytes(), &arena, &limits);
                message.time = Time::until(Some(Instant::now()));
                let part = &message.parts[0];
                assert_eq!((part.decoded(&message).len(), part.text(&message)), (0, ""), "{encoding}");
                assert!(message.is_cut(), "{encoding}");
            }
        }
    }
}
