//! How long a message may take, and what had to be left out for it.
//!
//! One [`Budget`] is made when the frame's first byte arrives and is handed down through every
//! stage. A stage asks [`Budget::expired`] between units of work, and records what it leaves out
//! with [`Budget::skip`], so that the verdict can name it.

use std::{
    fmt, mem,
    time::{Duration, Instant},
};

use serde::{Serialize, Serializer};

/// A stage of the pipeline, by the name that the verdict uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Stage {
    Mime,
    Render,
    Rules,
    Bayes,
    Net,
    Media,
    Pdf,
    Qr,
    Ocr,
}

impl Stage {
    /// Every stage, in the order the pipeline runs them.
    pub const ALL: [Stage; 9] = [
        Stage::Mime,
        Stage::Render,
        Stage::Rules,
        Stage::Bayes,
        Stage::Net,
        Stage::Media,
        Stage::Pdf,
        Stage::Qr,
        Stage::Ocr,
    ];

    /// The name in the verdict, the configuration and the metrics.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Mime => "mime",
            Stage::Render => "render",
            Stage::Rules => "rules",
            Stage::Bayes => "bayes",
            Stage::Net => "net",
            Stage::Media => "media",
            Stage::Pdf => "pdf",
            Stage::Qr => "qr",
            Stage::Ocr => "ocr",
        }
    }
}

/// Why something was not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The time was up.
    Deadline,
    /// The node was too busy for this stage.
    Overload,
    /// The worker process that looked at it died.
    Crashed,
    /// A cap was reached; its name.
    Limit(&'static str),
    /// What it takes is not there; its name. Whether it will be is not known, so nobody is asked to come back for it.
    Unavailable(&'static str),
    /// The profile has this stage off.
    Disabled,
    /// Nothing that could be found there would change what happens to the message.
    Decided,
    /// What is there cannot be read by anyone: broken, or encrypted with a password we don't have.
    Unreadable(&'static str),
}

impl Why {
    /// Whether trying again later could bring more than was seen now.
    pub fn is_passing(self) -> bool {
        matches!(self, Why::Deadline | Why::Overload | Why::Crashed)
    }

    /// Whether something was left out that criba could have looked at.
    pub fn is_incomplete(self) -> bool {
        self.is_passing() || matches!(self, Why::Limit(_) | Why::Unavailable(_))
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Deadline => f.write_str("deadline"),
            Why::Overload => f.write_str("overload"),
            Why::Crashed => f.write_str("crashed"),
            Why::Limit(name) => write!(f, "limit: {name}"),
            Why::Unavailable(what) => write!(f, "unavailable: {what}"),
            Why::Disabled => f.write_str("disabled"),
            Why::Decided => f.write_str("decided"),
            Why::Unreadable(how) => write!(f, "unreadable: {how}"),
        }
    }
}

impl Serialize for Why {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Something that was not looked at, and the reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Skipped {
    pub stage: Stage,
    /// The place in the message, for example `part 4` or `part 3, frame 2`; empty for all of it.
    #[serde(rename = "where")]
    pub place: String,
    pub why: Why,
}

/// The time one message may take, and the list of what was skipped to keep it.
#[derive(Clone, Debug)]
pub struct Budget {
    started: Instant,
    deadline: Instant,
    /// See [`Budget::keep`].
    kept: Duration,
    skipped: Vec<Skipped>,
}

impl Budget {
    /// The most entries kept in the list of skipped work; a mail of 1,000 pictures needs no 1,000 lines.
    pub const MAX_SKIPPED: usize = 64;

    /// A budget of `allowance` whose clock starts now.
    pub fn new(allowance: Duration) -> Budget {
        Budget::starting_at(Instant::now(), allowance)
    }

    /// A budget of `allowance` whose clock started at `started`, when the frame's first byte was read.
    pub fn starting_at(started: Instant, allowance: Duration) -> Budget {
        Budget { started, deadline: started + allowance, kept: Duration::ZERO, skipped: Vec::new() }
    }

    /// When the reply has to leave.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// When the work has to end, so that its result is in the reply that leaves at the deadline: an eighth of
    /// the allowance before it, 10 ms at the most.
    pub fn cutoff(&self) -> Instant {
        const MARGIN: Duration = Duration::from_millis(10);
        self.deadline.checked_sub(MARGIN.min(self.allowance() / 8) + self.kept).unwrap_or(self.deadline)
    }

    /// Keeps so much time for the work that comes after the present one: the [cutoff](Budget::cutoff) is earlier by it,
    /// until another time is kept, or none. Gives back what was kept before.
    pub fn keep(&mut self, time: Duration) -> Duration {
        mem::replace(&mut self.kept, time)
    }

    /// The whole allowance.
    pub fn allowance(&self) -> Duration {
        self.deadline - self.started
    }

    /// Time since the clock started.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Time left; zero once the deadline has passed.
    pub fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Whether the work has to end: the [cutoff](Budget::cutoff) has passed. Costs one clock read (some 25 ns).
    pub fn expired(&self) -> bool {
        Instant::now() >= self.cutoff()
    }

    /// Records that `stage` did not look at `place`.
    pub fn skip(&mut self, stage: Stage, place: impl Into<String>, why: Why) {
        if self.skipped.len() < Self::MAX_SKIPPED {
            self.skipped.push(Skipped { stage, place: place.into(), why });
        }
    }

    /// What was skipped so far.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exhausted_budget_says_so() {
        let budget = Budget::starting_at(Instant::now() - Duration::from_secs(2), Duration::from_secs(1));
        assert!(budget.expired());
        assert_eq!(budget.left(), Duration::ZERO);
        assert_eq!(budget.allowance(), Duration::from_secs(1));
    }

    #[test]
    fn work_ends_a_little_before_the_reply_leaves() {
        for (allowance, margin) in [(500, 10.0), (80, 10.0), (8, 1.0), (0, 0.0)] {
            let budget = Budget::new(Duration::from_millis(allowance));
            let before = budget.deadline() - budget.cutoff();
            assert_eq!(before.as_secs_f64() * 1e3, margin, "{allowance}");
        }
        let mut budget = Budget::new(Duration::from_millis(500));
        budget.keep(Duration::from_millis(7));
        assert_eq!(budget.deadline() - budget.cutoff(), Duration::from_millis(17));
        budget.keep(Duration::ZERO);
        assert_eq!(budget.deadline() - budget.cutoff(), Duration::from_millis(10));
        let late =
            Budget::starting_at(Instant::now() - Duration::from_millis(95), Duration::from_millis(100));
        assert!(late.expired());
    }

    #[test]
    fn what_is_not_there_is_missing_but_no_reason_to_come_back() {
        let why = Why::Unavailable("OCR worker");
        assert!(why.is_incomplete() && !why.is_passing());
        assert_eq!(why.to_string(), "unavailable: OCR worker");
    }

    #[test]
    fn the_list_of_skipped_work_is_bounded() {
        let mut budget = Budget::new(Duration::from_secs(1));
        for part in 0..1000 {
            budget.skip(Stage::Ocr, format!("part {part}"), Why::Deadline);
        }
        assert_eq!(budget.skipped().len(), Budget::MAX_SKIPPED);
    }
}
