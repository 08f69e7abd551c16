//! The way of a message, one commented line a stage.

use std::{
    mem,
    time::{Duration, Instant},
};

use rustc_hash::FxHashSet;

use crate::{
    bayes::Tokens,
    budget::{Budget, Stage, Why},
    engine::Engine,
    mime::{Arena, Message},
    profile::Profile,
    render::{self, LateText, Rendered},
    rules::{self, Hits},
    verdict::{self, Findings, FoundUri, Verdict},
    wire::request::Envelope,
};

pub use looked::{Looked, ReadPage};

mod attachments;

mod looked;

/// A message to judge.
#[derive(Clone, Copy, Debug)]
pub struct Mail<'a> {
    pub raw: &'a [u8],
    pub envelope: &'a Envelope,
    pub profile: &'a Profile,
}

/// Takes the verdict that stands after each stage, so that a reply is ready whenever the deadline strikes.
pub trait Publish {
    fn publish(&self, verdict: Verdict);

    /// Takes what was seen of an attachment, where [`crate::media::Limits::shown`] asks for that.
    fn looked(&self, _: Looked) {}
}

/// For callers that wait for the whole verdict.
impl Publish for () {
    fn publish(&self, _: Verdict) {}
}

/// What one worker thread reuses from message to message.
#[derive(Debug)]
pub struct Scratch {
    pub(crate) arena: Arena,
    pub(crate) rules: rules::Scratch,
    pub(crate) tokens: Tokens,
}

/// Time that is kept for judging what pictures and documents say, or an eighth of all, where that is less.
const JUDGING: Duration = Duration::from_millis(10);

/// More than this is given back after a message: one giant must not be kept for all that follow.
const ARENA_KEPT: usize = 16 << 20;

/// Judges one message: within its budget as far as the stages can be cut, and with every stage that
/// was cut or left out named in the verdict.
pub fn scan(
    engine: &Engine,
    scratch: &mut Scratch,
    mail: Mail<'_>,
    budget: Budget,
    slot: &dyn Publish,
) -> Verdict {
    match scan_text(engine, scratch, mail, budget, slot) {
        Progress::Done(verdict) => verdict,
        Progress::Media(pending) => {
            slot.publish(pending.verdict(mail.profile, Why::Deadline));
            scan_media(engine, scratch, mail, pending, slot)
        }
    }
}

/// How far the first half of a scan got.
#[derive(Debug)]
pub enum Progress {
    /// There was nothing but text.
    Done(Verdict),
    /// There are pictures or documents to look into: work for the heavy lane.
    Media(Pending),
}

/// What is known of a message whose pictures and documents were not looked into yet. It borrows
/// nothing, so that another thread can go on with it.
#[derive(Debug)]
pub struct Pending {
    budget: Budget,
    findings: Findings,
    hits: Hits,
}

impl Pending {
    /// The verdict that stands, should the rest not be done; `why` it was not.
    pub fn verdict(&self, profile: &Profile, why: Why) -> Verdict {
        let mut budget = self.budget.clone();
        budget.skip(Stage::Media, "", why);
        self.findings.verdict(profile, &budget)
    }

    /// Whether no text that the pictures and documents may hold can change the action any more.
    pub fn is_decided(&self, engine: &Engine, profile: &Profile) -> bool {
        let score = self.findings.symbols.iter().map(|symbol| symbol.score).sum();
        let probability = self.findings.bayes.map(|opinion| opinion.probability);
        let outlook = engine.rules.outlook(&self.hits, probability, score);
        let action = |score: &f64| verdict::by_score(*score, &profile.thresholds);
        !profile.read_decided && action(outlook.start()) == action(outlook.end())
    }

    /// When the reply has to leave.
    pub fn deadline(&self) -> Instant {
        self.budget.deadline()
    }
}

/// The first half, a millisecond or less: everything but pictures and documents.
pub fn scan_text(
    engine: &Engine,
    scratch: &mut Scratch,
    mail: Mail<'_>,
    budget: Budget,
    slot: &dyn Publish,
) -> Progress {
    scratch.with_arena(|arena, scratch| Scan::new(engine, mail, budget).text(arena, scratch, slot))
}

/// The second half: pictures and documents, whose text goes through rules and Bayes again. The message
/// is parsed once more, which costs less than keeping a parsed one over the change of threads.
pub fn scan_media(
    engine: &Engine,
    scratch: &mut Scratch,
    mail: Mail<'_>,
    pending: Pending,
    slot: &dyn Publish,
) -> Verdict {
    scratch.with_arena(|arena, scratch| Scan::resume(engine, mail, pending).media(arena, scratch, slot))
}

/// What the rules alone say of a message, for comparing rule sets.
#[derive(Clone, Debug, Default)]
pub struct RuleHits {
    pub score: f64,
    /// Scored rules that hit, in order of names.
    pub tests: Vec<String>,
    /// What each of them adds.
    pub scores: Vec<f64>,
    /// `__` rules that hit, in order of names.
    pub subtests: Vec<String>,
}

/// Runs the text stages and shows every rule that hit, sub-rules included.
pub fn rule_hits(
    engine: &Engine,
    scratch: &mut Scratch,
    raw: &[u8],
    envelope: &Envelope,
    budget: Budget,
) -> RuleHits {
    let profile = Profile::external();
    let mail = Mail { raw, envelope, profile: &profile };
    scratch.rules.look_for_all();
    scratch.with_arena(|arena, scratch| {
        let mut scan = Scan::new(engine, mail, budget);
        let message = scan.parse(arena);
        let rendered = render::render_with(&message, engine.rules.links());
        scan.rules(&message, &rendered, scratch);
        scan.bayes(&message, scratch);
        let probability = scan.findings.bayes.map(|opinion| opinion.probability);
        let outcome = engine.rules.evaluate(&scan.hits, probability);
        let mut symbols = outcome.symbols;
        symbols.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut hits = RuleHits {
            score: symbols.iter().map(|symbol| symbol.score).sum::<f64>(),
            tests: symbols.iter().map(|symbol| symbol.name.to_string()).collect(),
            scores: symbols.iter().map(|symbol| symbol.score).collect(),
            subtests: outcome.subtests.iter().map(|name| name.to_string()).collect(),
        };
        hits.score = (hits.score * 1e3).round() / 1e3;
        hits.subtests.sort_unstable();
        hits
    })
}

impl Scratch {
    fn with_arena<T>(&mut self, work: impl FnOnce(&Arena, &mut Scratch) -> T) -> T {
        let mut arena = mem::take(&mut self.arena);
        let result = work(&arena, self);
        if arena.allocated_bytes() <= ARENA_KEPT {
            arena.reset();
            self.arena = arena;
        }
        result
    }
}

/// One message on its way: what is asked, what is left of its time, what was found.
struct Scan<'a> {
    engine: &'a Engine,
    mail: Mail<'a>,
    budget: Budget,
    findings: Findings,
    hits: Hits,
    late: Vec<LateText>,
    /// How many of these the rules have seen.
    judged: usize,
    /// What was seen, where anyone asks for it.
    looked: Vec<Looked>,
}

impl<'a> Scan<'a> {
    fn new(engine: &'a Engine, mail: Mail<'a>, budget: Budget) -> Scan<'a> {
        let findings = Findings { queue_id: mail.envelope.queue_id.clone(), ..Findings::default() };
        Scan {
            engine,
            mail,
            budget,
            findings,
            hits: Hits::default(),
            late: Vec::new(),
            judged: 0,
            looked: Vec::new(),
        }
    }

    fn resume(engine: &'a Engine, mail: Mail<'a>, pending: Pending) -> Scan<'a> {
        let Pending { budget, findings, hits } = pending;
        Scan { engine, mail, budget, findings, hits, late: Vec::new(), judged: 0, looked: Vec::new() }
    }

    fn text(mut self, arena: &Arena, scratch: &mut Scratch, slot: &dyn Publish) -> Progress {
        // What parts is it made of?
        let message = self.parse(arena);
        self.findings.message_id = message.header("Message-Id").unwrap_or_default().to_owned();
        // What would the reader see?
        let rendered = self.timed(Stage::Render, |scan| {
            render::render_until(&message, scan.engine.rules.links(), Some(scan.budget.cutoff()))
        });
        if rendered.is_cut {
            self.budget.skip(Stage::Render, "", Why::Deadline);
        }
        self.findings.uris = uris(&rendered);
        // Which patterns match where?
        self.rules(&message, &rendered, scratch);
        // One that took long so far may be cut before it is done.
        if self.budget.left() < self.budget.allowance() / 2 {
            self.judge();
            slot.publish(self.unfinished(Stage::Bayes));
        }
        // How likely is it, given the words?
        self.bayes(&message, scratch);
        self.judge();
        // Is there more than text?
        let more = attachments::are_in(&message);
        self.note_cut(&message);
        match more {
            true => {
                Progress::Media(Pending { budget: self.budget, findings: self.findings, hits: self.hits })
            }
            false => Progress::Done(self.verdict()),
        }
    }

    fn media(mut self, arena: &Arena, scratch: &mut Scratch, slot: &dyn Publish) -> Verdict {
        let message = self.parse(arena);
        // What pixels and text hide in the parts, and what do they say?
        self.budget.keep(JUDGING.min(self.budget.allowance() / 8));
        self.attachments(&message, scratch, slot);
        self.budget.keep(Duration::ZERO);
        self.note_cut(&message);
        // The text that was found late goes the same way as the rest.
        if !self.late.is_empty() {
            self.late_rules(scratch);
            if self.mail.profile.stages.has(Stage::Bayes) && self.engine.model.is_some() {
                self.bayes(&message, scratch);
            }
            self.judge();
        }
        self.verdict()
    }

    fn parse<'m>(&mut self, arena: &'m Arena) -> Message<'m>
    where
        'a: 'm,
    {
        self.timed(Stage::Mime, |scan| {
            let until = Some(scan.budget.cutoff());
            Message::parse_until(scan.mail.raw, arena, &scan.engine.mime, until)
        })
    }

    /// Notes that parts of a message, or ends of them, were never decoded: that is known when all is done.
    fn note_cut(&mut self, message: &Message<'_>) {
        let is_noted = || self.budget.skipped().iter().any(|skipped| skipped.stage == Stage::Mime);
        if message.is_cut() && !is_noted() {
            self.budget.skip(Stage::Mime, "", Why::Deadline);
        }
    }

    fn rules<'m>(&mut self, message: &Message<'m>, rendered: &Rendered<'m>, scratch: &mut Scratch) {
        if !self.runs(Stage::Rules) {
            return;
        }
        let engine = self.engine;
        let subject = engine.rules.subject(message, rendered, self.mail.envelope);
        self.hits = self
            .timed(Stage::Rules, |scan| engine.rules.scan(&subject, &mut scratch.rules, &mut scan.budget));
    }

    /// The rules over the text that was found late and that they have not seen.
    fn late_rules(&mut self, scratch: &mut Scratch) {
        let unseen = mem::replace(&mut self.judged, self.late.len());
        if !self.mail.profile.stages.has(Stage::Rules) {
            return;
        }
        let kept = self.budget.keep(Duration::ZERO);
        self.timed(Stage::Rules, |scan| {
            for late in &scan.late[unseen..] {
                scan.engine.rules.scan_late(late, &mut scan.hits, &mut scratch.rules, &mut scan.budget);
            }
        });
        self.budget.keep(kept);
    }

    fn bayes(&mut self, message: &Message<'_>, scratch: &mut Scratch) {
        let Some(model) = &self.engine.model else { return };
        if !self.runs(Stage::Bayes) {
            return;
        }
        self.findings.bayes = self.timed(Stage::Bayes, |scan| {
            scratch.tokens.collect(message, &scan.late);
            model.judge(&scratch.tokens)
        });
    }

    /// Evaluates the metas over all that is known so far.
    fn judge(&mut self) {
        let probability = self.findings.bayes.map(|opinion| opinion.probability);
        self.findings.symbols =
            self.timed(Stage::Rules, |scan| scan.engine.rules.evaluate(&scan.hits, probability).symbols);
    }

    /// Whether the profile has `stage` on; notes it as skipped where it has not.
    fn runs(&mut self, stage: Stage) -> bool {
        let on = self.mail.profile.stages.has(stage);
        if !on {
            self.budget.skip(stage, "", Why::Disabled);
        }
        on
    }

    fn timed<T>(&mut self, stage: Stage, work: impl FnOnce(&mut Self) -> T) -> T {
        let started = Instant::now();
        let result = work(self);
        self.findings.spent(stage, started.elapsed());
        result
    }

    /// The verdict that stands when time is up before `stage` and what follows it.
    fn unfinished(&self, stage: Stage) -> Verdict {
        let mut budget = self.budget.clone();
        budget.skip(stage, "", Why::Deadline);
        self.findings.verdict(self.mail.profile, &budget)
    }

    fn verdict(&self) -> Verdict {
        self.findings.verdict(self.mail.profile, &self.budget)
    }
}

/// The links of the verdict: one entry for a link that stands in a part several times.
fn uris(rendered: &Rendered<'_>) -> Vec<FoundUri> {
    let mut seen = FxHashSet::default();
    // Rules also see anchors that go nowhere.
    let links = rendered.uris.iter().filter(|uri| !uri.raw.is_empty());
    let once = links.filter(|uri| seen.insert((uri.raw, uri.origin)));
    once.map(|uri| FoundUri { uri: uri.raw.to_owned(), origin: uri.origin.name() }).collect()
}
