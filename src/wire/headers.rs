//! The header fields by which a message tells what was found, under SpamAssassin's names: mail programs
//! and sieve scripts know those.

use std::fmt::Write;

use crate::verdict::{Action, Verdict};

/// Fields of this prefix in the message as it came are forged, or another filter's: they go.
pub const PREFIX: &str = "X-Spam-";

/// A header field to add: its name and its value, folded with LF and a tab.
pub type Field = (&'static str, String);

/// Whether the verdict calls the message spam.
pub fn is_spam(verdict: &Verdict) -> bool {
    verdict.score >= verdict.required
}

/// The fields for a message that goes on with this verdict.
pub fn fields(verdict: &Verdict) -> Vec<Field> {
    let mut fields = Vec::new();
    if matches!(verdict.action, Action::AddHeader | Action::RewriteSubject) || is_spam(verdict) {
        fields.push(("X-Spam-Flag", "YES".into()));
    }
    fields.push(("X-Spam-Status", status(verdict)));
    fields.push(("X-Spam-Level", level(verdict.score)));
    fields.push(("X-Spam-Checker-Version", concat!("criba ", env!("CARGO_PKG_VERSION")).into()));
    if !verdict.complete {
        fields.push(("X-Spam-Skipped", skipped(verdict)));
    }
    fields
}

/// `Yes, score=12.3 required=5.0 tests=A,B autolearn=no version=0.1.0`, folded between the tests.
fn status(verdict: &Verdict) -> String {
    let answer = if is_spam(verdict) { "Yes" } else { "No" };
    let mut text = format!("{answer}, score={:.1} required={:.1}\n\ttests=", verdict.score, verdict.required);
    let mut column = "\ttests=".len();
    for (index, symbol) in verdict.symbols.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        column += symbol.name.len() + 1;
        if column > 72 && index > 0 {
            text.push_str("\n\t");
            column = symbol.name.len() + 1;
        }
        text.push_str(&symbol.name);
    }
    if verdict.symbols.is_empty() {
        text.push_str("none");
    }
    text.push_str("\n\tautolearn=no version=");
    text.push_str(env!("CARGO_PKG_VERSION"));
    text
}

/// A star for each point, at most 50: what simple filters count.
fn level(score: f64) -> String {
    "*".repeat(score.clamp(0.0, 50.0) as usize)
}

/// What was not looked at, so that a reader of the mail knows.
fn skipped(verdict: &Verdict) -> String {
    const SHOWN: usize = 5;
    let mut text = String::new();
    for (index, skipped) in verdict.skipped.iter().filter(|skipped| skipped.why.is_incomplete()).enumerate() {
        if index == SHOWN {
            text.push_str("; ...");
            break;
        }
        let comma = if index > 0 { "; " } else { "" };
        let place = if skipped.place.is_empty() { "all" } else { &skipped.place };
        // Writing to a string does not fail.
        let _ = write!(text, "{comma}{} of {place} ({})", skipped.stage.name(), skipped.why);
    }
    text
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
        let spam = fields(&verdict(&["A".into(), "B".into()], false));
        assert_eq!(value(&spam, "X-Spam-Flag").as_deref(), Some("YES"));
        let status = value(&spam, "X-Spam-Status").unwrap();
        assert!(status.starts_with("Yes, score=5.0 required=5.0\n\ttests=A,B\n\t"), "{status}");
        assert_eq!(value(&spam, "X-Spam-Level").as_deref(), Some("*****"));
        let ham = fields(&verdict(&[], false));
        assert_eq!(value(&ham, "X-Spam-Flag"), None);
        assert!(
            value(&ham, "X-Spam-Status").unwrap().starts_with("No, score=0.0 required=5.0\n\ttests=none")
        );
    }

    #[test]
    fn long_lists_are_folded_within_the_line_limit() {
        let names: Vec<String> = (0..200).map(|number| format!("A_RATHER_LONG_NAME_{number}")).collect();
        let status = value(&fields(&verdict(&names, false)), "X-Spam-Status").unwrap();
        assert!(status.lines().all(|line| line.len() < 120), "{status}");
        assert_eq!(status.matches("A_RATHER").count(), 200);
    }

    #[test]
    fn what_was_skipped_is_said() {
        let fields = fields(&verdict(&[], true));
        assert_eq!(value(&fields, "X-Spam-Skipped").as_deref(), Some("ocr of part 2 (deadline)"));
    }
}
