//! Symbols to a score, a score to an action; the JSON that every dialect is made from.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    budget::{Budget, Skipped, Stage, Why},
    profile::{Policy, Profile, Thresholds},
};

/// What the front end should do with the message, in rspamd's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Action {
    #[serde(rename = "no action")]
    NoAction,
    #[serde(rename = "greylist")]
    Greylist,
    #[serde(rename = "add header")]
    AddHeader,
    #[serde(rename = "rewrite subject")]
    RewriteSubject,
    #[serde(rename = "soft reject")]
    SoftReject,
    #[serde(rename = "reject")]
    Reject,
}

impl Action {
    /// Every action, from the mildest.
    pub const ALL: [Action; 6] = [
        Action::NoAction,
        Action::Greylist,
        Action::AddHeader,
        Action::RewriteSubject,
        Action::SoftReject,
        Action::Reject,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Action::NoAction => "no action",
            Action::Greylist => "greylist",
            Action::AddHeader => "add header",
            Action::RewriteSubject => "rewrite subject",
            Action::SoftReject => "soft reject",
            Action::Reject => "reject",
        }
    }
}

/// A rule that hit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Symbol {
    pub name: Arc<str>,
    /// What it adds to the message's score.
    pub score: f64,
    /// Which kind of rule: `header`, `body`, `uri`, `meta`, `bayes`, `ocr`, ...
    pub kind: &'static str,
    pub description: Arc<str>,
    /// The pieces of text that it hit, at most a few and cut short; empty where nothing was kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
    /// Where, for example `part 3, frame 4`; empty for all of the message.
    #[serde(rename = "where", skip_serializing_if = "String::is_empty")]
    pub place: String,
}

/// What Bayes thinks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BayesOpinion {
    /// The probability that the message is spam, in 0..=1.
    pub probability: f64,
    /// How many tokens of the message the model knew.
    pub tokens: usize,
}

/// Text that was read from a picture or a page.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReadText {
    #[serde(rename = "where")]
    pub place: String,
    /// `gif`, `png`, `jpeg`, `pdf`, ...
    pub kind: &'static str,
    pub frames: usize,
    pub text: String,
    /// The recogniser's own confidence, 0 to 100; 100 for text that needed no reading.
    pub confidence: u8,
    pub ms: f64,
}

/// A link that was found, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoundUri {
    pub uri: String,
    /// `html`, `text`, `ocr`, `qr` or `pdf`.
    pub origin: &'static str,
}

/// The answer to one message. Serialises to the JSON of the RPC.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verdict {
    pub action: Action,
    pub score: f64,
    pub required: f64,
    pub profile: String,
    /// Whether every stage that the profile asks for looked at everything.
    pub complete: bool,
    pub symbols: Vec<Symbol>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bayes: Option<BayesOpinion>,
    pub texts: Vec<ReadText>,
    pub uris: Vec<FoundUri>,
    pub skipped: Vec<Skipped>,
    pub budget_ms: u64,
    pub elapsed_ms: f64,
    /// Milliseconds by stage.
    pub stages: BTreeMap<&'static str, f64>,
    pub message_id: String,
    pub queue_id: String,
}

impl Verdict {
    /// The verdict on a message that no stage looked at: overload is answered as the profile says for it,
    /// everything else as an incomplete scan.
    pub fn unseen(profile: &Profile, mut budget: Budget, queue_id: &str, why: Why) -> Verdict {
        for stage in Stage::ALL.into_iter().filter(|&stage| profile.stages.has(stage)) {
            budget.skip(stage, "", why);
        }
        let policy = if why == Why::Overload { profile.on_overload } else { profile.on_partial };
        let findings = Findings { queue_id: queue_id.to_owned(), ..Findings::default() };
        findings.verdict(&Profile { on_partial: policy, ..profile.clone() }, &budget)
    }
}

/// What the stages found; [`Findings::verdict`] makes the answer of it.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    pub symbols: Vec<Symbol>,
    pub bayes: Option<BayesOpinion>,
    pub texts: Vec<ReadText>,
    pub uris: Vec<FoundUri>,
    pub stages: BTreeMap<&'static str, f64>,
    pub message_id: String,
    pub queue_id: String,
}

impl Findings {
    /// Adds up what is known and picks the profile's action for it.
    pub fn verdict(&self, profile: &Profile, budget: &Budget) -> Verdict {
        let score = round3(self.symbols.iter().map(|symbol| symbol.score).sum());
        let complete = !budget.skipped().iter().any(|skipped| skipped.why.is_incomplete());
        let passing = budget.skipped().iter().any(|skipped| skipped.why.is_passing());
        Verdict {
            action: action(score, passing, profile),
            score,
            required: profile.required,
            profile: profile.name.clone(),
            complete,
            symbols: self.symbols.clone(),
            bayes: self.bayes,
            texts: self.texts.clone(),
            uris: self.uris.clone(),
            skipped: budget.skipped().to_vec(),
            budget_ms: budget.allowance().as_millis() as u64,
            elapsed_ms: millis(budget.elapsed()),
            stages: self.stages.clone(),
            message_id: self.message_id.clone(),
            queue_id: self.queue_id.clone(),
        }
    }

    /// Adds `spent` to the time of `stage`.
    pub fn spent(&mut self, stage: Stage, spent: Duration) {
        *self.stages.entry(stage.name()).or_default() += millis(spent);
    }
}

/// Milliseconds with microseconds after the point, as the verdict prints them.
pub fn millis(duration: Duration) -> f64 {
    round3(duration.as_secs_f64() * 1e3)
}

// SpamAssassin rounds the sum with "%.3f"; so 4.9999 of accumulated binary error is 5. Zero is
// added since the sum of nothing is -0.0, and people would read that.
fn round3(value: f64) -> f64 {
    (value * 1e3).round() / 1e3 + 0.0
}

/// What a complete verdict with this score asks for.
pub fn by_score(score: f64, thresholds: &Thresholds) -> Action {
    let reached = |limit: Option<f64>| limit.is_some_and(|limit| score >= limit);
    if reached(thresholds.reject) {
        Action::Reject
    } else if reached(thresholds.rewrite_subject) {
        Action::RewriteSubject
    } else if reached(thresholds.add_header) {
        Action::AddHeader
    } else if reached(thresholds.greylist) {
        Action::Greylist
    } else {
        Action::NoAction
    }
}

fn action(score: f64, passing: bool, profile: &Profile) -> Action {
    let by_score = by_score(score, &profile.thresholds);
    match profile.on_partial {
        _ if !passing || by_score == Action::Reject => by_score,
        Policy::Accept => by_score,
        Policy::Tag => by_score.max(Action::AddHeader),
        Policy::Tempfail => Action::SoftReject,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Why;

    fn findings(scores: &[f64]) -> Findings {
        let symbols = scores.iter().map(|&score| Symbol {
            name: "TEST".into(),
            score,
            kind: "body",
            description: "".into(),
            evidence: vec![],
            place: String::new(),
        });
        Findings { symbols: symbols.collect(), ..Findings::default() }
    }

    fn budget() -> Budget {
        Budget::new(Duration::from_secs(1))
    }

    #[test]
    fn the_score_picks_the_action() {
        let profile = Profile::external();
        for (scores, action) in
            [(&[4.9][..], Action::NoAction), (&[5.0], Action::AddHeader), (&[10.0, 5.0], Action::Reject)]
        {
            assert_eq!(findings(scores).verdict(&profile, &budget()).action, action);
        }
    }

    #[test]
    fn binary_fractions_do_not_lose_the_threshold() {
        // 0.1 * 50 sums to 4.999999999999998
        let verdict = findings(&[0.1; 50]).verdict(&Profile::external(), &budget());
        assert_eq!(verdict.score, 5.0);
        assert_eq!(verdict.action, Action::AddHeader);
    }

    #[test]
    fn no_symbols_are_no_negative_score() {
        let verdict = findings(&[]).verdict(&Profile::external(), &budget());
        assert!(verdict.score.is_sign_positive());
    }

    #[test]
    fn a_partial_verdict_follows_the_profiles_policy() {
        let mut budget = budget();
        budget.skip(Stage::Ocr, "part 2", Why::Deadline);
        for (policy, action) in [
            (Policy::Accept, Action::NoAction),
            (Policy::Tag, Action::AddHeader),
            (Policy::Tempfail, Action::SoftReject),
        ] {
            let profile = Profile { on_partial: policy, ..Profile::external() };
            let verdict = findings(&[1.0]).verdict(&profile, &budget);
            assert!(!verdict.complete);
            assert_eq!(verdict.action, action);
        }
        let profile = Profile { on_partial: Policy::Tempfail, ..Profile::external() };
        assert_eq!(findings(&[20.0]).verdict(&profile, &budget).action, Action::Reject);
    }

    #[test]
    fn a_message_that_nothing_looked_at_is_answered_by_the_reason() {
        let profile =
            Profile { on_overload: Policy::Accept, on_partial: Policy::Tempfail, ..Profile::external() };
        for (why, action) in [(Why::Overload, Action::NoAction), (Why::Deadline, Action::SoftReject)] {
            let verdict = Verdict::unseen(&profile, budget(), "4tX", why);
            assert_eq!((verdict.action, verdict.complete), (action, false));
            assert_eq!(verdict.skipped.len(), Stage::ALL.len());
            assert_eq!(verdict.queue_id, "4tX");
        }
    }

    #[test]
    fn a_stage_that_the_profile_switched_off_leaves_the_verdict_complete() {
        let mut budget = budget();
        budget.skip(Stage::Ocr, "", Why::Disabled);
        assert!(findings(&[1.0]).verdict(&Profile::internal(), &budget).complete);
    }
}
