//! The beginning of a message as a reader sees it: what a filter of words looks at, for a fraction of what all views
//! cost. It does not depend on what the rules say about links.

use super::{
    html,
    uri::{self, Link},
    views::LeafText,
};
use crate::mime::{Message, TextKind};

/// The beginning of a message.
#[derive(Debug, Default)]
pub struct Glance<'m> {
    /// The decoded subject, without the LF at its end.
    pub subject: &'m str,
    /// What a reader sees of the text of each leaf, without the subject; white space is as it was written.
    pub texts: Vec<&'m str>,
    /// Whether HTML hides text.
    pub hides: bool,
    /// Links in the text, then those of HTML; each once.
    pub links: Vec<Link<'m>>,
}

/// How far a glance goes.
#[derive(Clone, Copy, Debug)]
pub struct Reach {
    /// Bytes of visible text.
    pub text: usize,
    pub links: usize,
}

/// So many times the text that is wanted is looked at of HTML, and of a text: there may be nothing but markup, or blanks.
const MARKUP: usize = 32;
const BLANKS: usize = 8;
/// Tables and signatures have shorter runs of blanks.
const LONG_RUN: usize = 100;

/// Looks at the beginning of a message.
pub fn glance<'m>(message: &Message<'m>, reach: Reach) -> Glance<'m> {
    let arena = message.arena();
    let subject = message.header("Subject").unwrap_or_default();
    let mut glance = Glance { subject, ..Glance::default() };
    let mut found = Vec::new();
    let mut left = reach.text;
    for (_, part) in message.leaves() {
        if left == 0 {
            break;
        }
        let Some(kind) = part.text_kind() else { continue };
        let text = part.text(message);
        let text = match kind {
            TextKind::Plain => text,
            TextKind::Html => {
                let html = html::render_within(start(text, left.saturating_mul(MARKUP)), left, arena);
                glance.hides |= !html.invisible.is_empty();
                found.extend(html.links.iter().map(|link| link.uri));
                let leaf = LeafText::Html { text: html.text, invisible: html.invisible };
                arena.alloc_str(&leaf.visible())
            }
        };
        let (text, length) = beginning(text, left);
        left -= length;
        glance.texts.push(text);
    }
    glance.links = uri::links(&glance.texts, &found, reach.links, arena);
    glance
}

/// The beginning of a text of which so many bytes count, and how many do: the blanks of a long run do not, lest somebody
/// fills the beginning with them.
fn beginning(text: &str, bytes: usize) -> (&str, usize) {
    let first = start(text, bytes);
    if !has_long_run(first.as_bytes()) {
        return (first, bytes.min(text.len()));
    }
    let looked_at = start(text, bytes.saturating_mul(BLANKS));
    let (mut counted, mut run) = (0, 0);
    for (at, byte) in looked_at.bytes().enumerate() {
        if counted == bytes {
            return (start(looked_at, at), counted);
        }
        run = if byte.is_ascii_whitespace() { run + 1 } else { 0 };
        counted += usize::from(run <= LONG_RUN);
    }
    (looked_at, counted)
}

fn has_long_run(text: &[u8]) -> bool {
    let is_blank = |byte: &&u8| byte.is_ascii_whitespace();
    // A long run covers one of these places.
    (LONG_RUN..text.len()).step_by(LONG_RUN + 1).any(|at| {
        let (before, after) = text.split_at(at);
        let after = after.iter().take_while(is_blank).count();
        after > 0 && before.iter().rev().take_while(is_blank).count() + after > LONG_RUN
    })
}

fn start(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mime::{Arena, Limits};

    fn with<T>(mail: &str, reach: Reach, look: impl FnOnce(&Glance<'_>) -> T) -> T {
        let arena = Arena::new();
        let message = Message::parse(mail.as_bytes(), &arena, &Limits::default());
        look(&glance(&message, reach))
    }

    const FAR: Reach = Reach { text: 6000, links: 60 };

    #[test]
    fn it_sees_what_a_reader_sees() {
        let mail = "Subject: s\nContent-Type: text/html\n\n<p>One  two</p><p>three</p>\
                    <span style=\"display:none\">hidden</span> <a href=\"http://Example.com/x\">four</a>\n";
        with(mail, FAR, |glance| {
            let text = glance.texts.concat();
            assert!(text.contains("One two") && text.contains("three") && text.contains("four"), "{text:?}");
            assert!(glance.hides && !text.contains("hidden"), "{text:?}");
            assert_eq!((glance.subject, glance.links.len()), ("s", 1));
            let link = glance.links[0];
            assert_eq!((link.raw, link.host), ("http://Example.com/x", "example.com"));
        });
    }

    #[test]
    fn it_ends_where_its_reach_does() {
        let words = "word http://a.example.com/ ".repeat(1000);
        let plain = format!("Subject: s\n\n{words}");
        let html =
            format!("Subject: s\nContent-Type: text/html\n\n<b>{}</b>", words.replace(' ', "</b> <b>"));
        for mail in [plain, html] {
            with(&mail, Reach { text: 100, links: 60 }, |glance| {
                assert_eq!(glance.texts.concat().len(), 100, "{mail:.60}");
                assert_eq!(glance.links.len(), 1, "the same link is one");
            });
        }
        let links: String = (0..100).map(|n| format!("http://host{n}.example.com/\n")).collect();
        with(&format!("Subject: s\n\n{links}"), Reach { text: 6000, links: 7 }, |glance| {
            assert_eq!(glance.links.len(), 7);
        });
    }

    #[test]
    fn what_is_hidden_first_does_not_use_up_the_reach() {
        let hidden = "innocent words ".repeat(2000);
        let mail = format!(
            "Subject: s\nContent-Type: text/html\n\n<div style=\"display:none\">{hidden}</div><p>buy pills</p>"
        );
        with(&mail, FAR, |glance| {
            assert!(glance.texts.concat().contains("buy pills"));
        });
    }

    #[test]
    fn blanks_do_not_use_up_the_reach() {
        let blanks = format!("{}x{}", " \n".repeat(8000), " ".repeat(16_000));
        with(&format!("Subject: s\n\n{blanks}buy pills\n"), FAR, |glance| {
            assert!(glance.texts.concat().contains("buy pills"));
        });
        // What is cut is cut between characters.
        let text = format!("{}\n", format!("\u{e9}{}", " ".repeat(300)).repeat(500));
        with(&format!("Subject: s\n\n{text}"), FAR, |glance| {
            let texts = glance.texts.concat();
            assert!(texts.len() > 2 * FAR.text && texts.len() < 4 * FAR.text && text.starts_with(&texts));
        });
    }

    #[test]
    fn long_runs_are_found_wherever_they_are() {
        for length in [LONG_RUN - 1, LONG_RUN, LONG_RUN + 1, 3 * LONG_RUN] {
            for start in 0..3 * LONG_RUN {
                let text = format!("{}{}{}", "x".repeat(start), " ".repeat(length), "y".repeat(start % 7));
                assert_eq!(has_long_run(text.as_bytes()), length > LONG_RUN, "{length} from {start}");
            }
        }
    }

    #[test]
    fn a_host_that_is_written_with_escapes_is_found() {
        with(
            "Subject: s\nContent-Type: text/html\n\n<a href=\"http://www.ex%61mple.com/\">x</a>",
            FAR,
            |glance| {
                assert_eq!(glance.links[0].host, "www.example.com");
            },
        );
    }
}
