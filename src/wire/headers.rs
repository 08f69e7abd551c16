//! The header fields by which a message tells what was found, under SpamAssassin's names: mail programs
//! and sieve scripts know those.

use serde::Deserialize;

use crate::verdict::{Action, Verdict};

/// Fields of this prefix in the message as it came are forged, or another filter's: they go.
pub const PREFIX: &str = "X-Spam-";

/// What comes before the subject of spam, where it is rewritten.
pub const SUBJECT_PREFIX: &str = "[SPAM] ";

/// A header field to add: its name and its value, folded with LF and a tab.
pub type Field = (&'static str, String);

/// What the header fields need of a verdict; made of one, or read from its JSON.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Summary {
    pub action: Action,
    pub score: f64,
    pub required: f64,
    pub complete: bool,
    symbols: Vec<Named>,
    skipped: Vec<Left>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Named {
    name: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Left {
    stage: String,
    #[serde(rename = "where")]
    place: String,
    why: String,
}

impl From<&Verdict> for Summary {
    fn from(verdict: &Verdict) -> Summary {
        let named = verdict.symbols.iter().map(|symbol| Named { name: symbol.name.to_string() });
        let left = verdict.skipped.iter().filter(|skipped| skipped.why.is_incomplete()).map(|skipped| Left {
            stage: skipped.stage.name().to_owned(),
            place: skipped.place.clone(),
            why: skipped.why.to_string(),
        });
        Summary {
            action: verdict.action,
            score: verdict.score,
            required: verdict.required,
            complete: verdict.complete,
            symbols: named.collect(),
            skipped: left.collect(),
        }
    }
}

impl Summary {
    /// The names of all fields that are ours to add.
    pub const NAMES: [&str; 6] = [
        "X-Spam-Flag",
        "X-Spam-Status",
        "X-Spam-Level",
        "X-Spam-Checker-Version",
        "X-Spam-Skipped",
        "X-Spam-Report",
    ];

    /// Reads the JSON of a verdict; the parser works in place.
    ///
    /// # Errors
    /// It is no verdict.
    pub fn parse(json: &mut [u8]) -> Result<Summary, simd_json::Error> {
        simd_json::from_slice(json)
    }

    /// Whether the message is called spam.
    pub fn is_spam(&self) -> bool {
        self.score >= self.required
    }

    /// The fields for a message that goes on with this verdict.
    pub fn fields(&self) -> Vec<Field> {
        let mut fields = Vec::new();
        if matches!(self.action, Action::AddHeader | Action::RewriteSubject) || self.is_spam() {
            fields.push(("X-Spam-Flag", "YES".into()));
        }
        fields.push(("X-Spam-Status", self.status()));
        fields.push(("X-Spam-Level", level(self.score)));
        fields.push(("X-Spam-Checker-Version", concat!("criba ", env!("CARGO_PKG_VERSION")).into()));
        if !self.complete {
            fields.push(("X-Spam-Skipped", self.skipped()));
        }
        fields
    }

    /// `Yes, score=12.3 required=5.0 tests=A,B autolearn=no version=0.1.0`, folded between the tests.
    fn status(&self) -> String {
        let answer = if self.is_spam() { "Yes" } else { "No" };
        let mut text = format!("{answer}, score={:.1} required={:.1}\n\ttests=", self.score, self.required);
        let mut column = "\ttests=".len();
        for (index, Named { name }) in self.symbols.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            column += name.len() + 1;
            if column > 72 && index > 0 {
                text.push_str("\n\t");
                column = name.len() + 1;
            }
            text.push_str(name);
        }
        if self.symbols.is_empty() {
            text.push_str("none");
        }
        text.push_str("\n\tautolearn=no version=");
        text.push_str(env!("CARGO_PKG_VERSION"));
        text
    }

    /// What was not looked at, so that a reader of the mail knows.
    fn skipped(&self) -> String {
        const SHOWN: usize = 5;
        let mut parts: Vec<String> = self
            .skipped
            .iter()
            .take(SHOWN)
            .map(|Left { stage, place, why }| {
                let place = if place.is_empty() { "all" } else { place };
                format!("{stage} of {place} ({why})")
            })
            .collect();
        if self.skipped.len() > SHOWN {
            parts.push("...".into());
        }
        parts.join("; ")
    }
}

/// A message whose header tells what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked<'m> {
    /// Our fields, then those of the message without other filters'; with the line ends of the message.
    pub header: Vec<u8>,
    /// The rest as it came, from the empty line on.
    pub body: &'m [u8],
}

impl<'m> Marked<'m> {
    /// Puts the fields of `summary`, then `more`, on top of a message, and rewrites its subject if that is the action.
    pub fn new(message: &'m [u8], summary: &Summary, more: &[Field]) -> Marked<'m> {
        let crlf = has_crlf(message);
        let mut header = Vec::with_capacity(4096);
        let mut rest = message;
        // An mbox line stays in front.
        if rest.starts_with(b"From ") {
            let (line, after) = split_line(rest);
            header.extend_from_slice(line);
            rest = after;
        }
        summary.fields().iter().chain(more).for_each(|field| push_field(&mut header, field, crlf));
        let mut rewrites = summary.action == Action::RewriteSubject;
        let mut dropping = false;
        while !rest.is_empty() {
            let (line, after) = split_line(rest);
            if line.iter().all(|byte| matches!(byte, b'\r' | b'\n')) {
                break;
            }
            let continues = matches!(line.first(), Some(b' ' | b'\t'));
            if !continues {
                dropping = begins_with(line, PREFIX);
            }
            if rewrites && begins_with(line, "Subject:") {
                let value = line["Subject:".len()..].trim_ascii_start();
                header.extend_from_slice(format!("Subject: {SUBJECT_PREFIX}").as_bytes());
                header.extend_from_slice(if value.is_empty() { line_end(crlf) } else { value });
                rewrites = false;
            } else if !dropping {
                header.extend_from_slice(line);
            }
            rest = after;
        }
        if rewrites {
            push_field(&mut header, &("Subject", SUBJECT_PREFIX.trim_end().into()), crlf);
        }
        Marked { header, body: rest }
    }
}

/// Whether the lines of a message end in CRLF.
fn has_crlf(message: &[u8]) -> bool {
    memchr::memchr(b'\n', message).is_some_and(|at| message[..at].ends_with(b"\r"))
}

/// The end of a line, in a message with CRLF or without.
pub fn line_end(crlf: bool) -> &'static [u8] {
    if crlf { b"\r\n" } else { b"\n" }
}

fn begins_with(line: &[u8], name: &str) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
}

fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1))
}

fn push_field(out: &mut Vec<u8>, (name, value): &Field, crlf: bool) {
    let value = if crlf { value.replace('\n', "\r\n") } else { value.clone() };
    out.extend_from_slice(format!("{name}: {value}").as_bytes());
    out.extend_from_slice(line_end(crlf));
}

/// A star for each point, at most 50: what simple filters count.
fn level(score: f64) -> String {
    "*".repeat(score.clamp(0.0, 50.0) as usize)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        budget::{Budget, Stage, Why},
        profile::Profile,
        verdict::{Findings, Symbol},
    };

    fn verdict(names: &[String], skip: bool) -> Verdict {
        let symbol = |name: &String| Symbol {
            name: name.as_str().into(),
            score: 2.5,
            kind: "body",
            description: "".into(),
            evidence: vec![],
            place: String::new(),
        };
        let findings = Findings { symbols: names.iter().map(symbol).collect(), ..Findings::default() };
        let mut budget = Budget::new(Duration::from_secs(1));
        if skip {
            budget.skip(Stage::Ocr, "part 2", Why::Deadline);
        }
        findings.verdict(&Profile::external(), &budget)
    }

    fn value(fields: &[Field], name: &str) -> Option<String> {
        fields.iter().find(|field| field.0 == name).map(|field| field.1.clone())
    }

    #[test]
    fn spam_is_flagged_and_ham_is_not() {
        let spam = Summary::from(&verdict(&["A".into(), "B".into()], false)).fields();
        assert_eq!(value(&spam, "X-Spam-Flag").as_deref(), Some("YES"));
        let status = value(&spam, "X-Spam-Status").unwrap();
        assert!(status.starts_with("Yes, score=5.0 required=5.0\n\ttests=A,B\n\t"), "{status}");
        assert_eq!(value(&spam, "X-Spam-Level").as_deref(), Some("*****"));
        let ham = Summary::from(&verdict(&[], false)).fields();
        assert_eq!(value(&ham, "X-Spam-Flag"), None);
        assert!(
            value(&ham, "X-Spam-Status").unwrap().starts_with("No, score=0.0 required=5.0\n\ttests=none")
        );
    }

    #[test]
    fn a_marked_message_loses_forged_fields_and_keeps_the_rest() {
        let message =
            b"From: a\r\nX-Spam-Status: No,\r\n forged\r\nsubject:  hi\r\n\r\nX-Spam-Flag: body\r\n";
        let mut summary = Summary::from(&verdict(&["A".into()], false));
        let Marked { header, body } = Marked::new(message, &summary, &[("X-Spam-Report", "a\n\tb".into())]);
        let header = String::from_utf8(header).unwrap();
        assert!(header.starts_with("X-Spam-Status: No, score=2.5 required=5.0\r\n\ttests=A\r\n"), "{header}");
        assert!(header.ends_with("X-Spam-Report: a\r\n\tb\r\nFrom: a\r\nsubject:  hi\r\n"), "{header}");
        assert_eq!(body, b"\r\nX-Spam-Flag: body\r\n");
        summary.action = Action::RewriteSubject;
        let Marked { header, .. } = Marked::new(message, &summary, &[]);
        assert!(header.ends_with(b"From: a\r\nSubject: [SPAM] hi\r\n"));
        let Marked { header, body } = Marked::new(b"\nonly a body", &summary, &[]);
        assert!(header.ends_with(b"\nSubject: [SPAM]\n") && body == b"\nonly a body");
    }

    #[test]
    fn long_lists_are_folded_within_the_line_limit() {
        let names: Vec<String> = (0..200).map(|number| format!("A_RATHER_LONG_NAME_{number}")).collect();
        let status = value(&Summary::from(&verdict(&names, false)).fields(), "X-Spam-Status").unwrap();
        assert!(status.lines().all(|line| line.len() < 120), "{status}");
        assert_eq!(status.matches("A_RATHER").count(), 200);
    }

    #[test]
    fn what_was_skipped_is_said() {
        let fields = Summary::from(&verdict(&[], true)).fields();
        assert!(fields.iter().all(|(name, _)| Summary::NAMES.contains(name)));
        assert_eq!(value(&fields, "X-Spam-Skipped").as_deref(), Some("ocr of part 2 (deadline)"));
    }

    #[test]
    fn the_json_of_a_verdict_gives_the_same_fields() {
        let verdict = verdict(&["A".into()], true);
        let mut json = simd_json::to_vec(&verdict).unwrap();
        assert_eq!(Summary::parse(&mut json).unwrap().fields(), Summary::from(&verdict).fields());
        assert!(Summary::parse(&mut b"{\"error\":\"x\"}".to_vec()).is_err());
    }
}
