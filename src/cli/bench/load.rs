//! Closed loop, open loop, and scanning without an engine to ask.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use memchr::memmem;

use super::{Plan, Tally};
use crate::{
    budget::Budget,
    client::{Client, Error, Reply},
    engine::Engine,
    pipeline::{self, Mail},
    profile::Profile,
    wire::{frame::Kind, request::Envelope},
};

/// Each client has one message in flight.
pub(super) fn closed(plan: &Plan<'_>, clients: Vec<Client>) -> Result<Vec<Tally>, Error> {
    let next = AtomicUsize::new(0);
    let until = Instant::now() + plan.duration;
    let one = |mut client: Client, number: usize| {
        let mut tallies = plan.tallies();
        let mut random = Random::new(number);
        while Instant::now() < until {
            let mail = plan.mail(next.fetch_add(1, Ordering::Relaxed));
            let (class, envelope) = plan.mix.pick(random.uniform());
            let sent = Instant::now();
            let reply = client.scan(mail, envelope, plan.budget)?;
            if let Some(tally) = tallies.get_mut(class) {
                tally.answered(reply.status, sent.elapsed(), plan.budget_of(&reply));
            }
        }
        Ok(tallies)
    };
    together(clients.into_iter().enumerate().map(|(number, client)| {
        let one = &one;
        move || one(client, number)
    }))
}

/// Messages leave at random moments, `rate` of them a second over all clients.
pub(super) fn open(plan: &Plan<'_>, clients: Vec<Client>, rate: f64) -> Result<Vec<Tally>, Error> {
    let each = rate / clients.len().max(1) as f64;
    together(
        clients.into_iter().enumerate().map(|(number, client)| move || open_one(plan, client, each, number)),
    )
}

/// What a sender and the receiver of its replies share.
struct Flight {
    /// By the id of the request: when it should have been sent, and its class.
    due: Mutex<HashMap<u32, (Instant, usize)>>,
    /// How many were sent, once all are.
    sent: AtomicU64,
}

fn open_one(plan: &Plan<'_>, mut receiver: Client, rate: f64, number: usize) -> Result<Vec<Tally>, Error> {
    let sender = receiver.try_clone()?;
    let flight = Flight { due: Mutex::default(), sent: AtomicU64::new(u64::MAX) };
    thread::scope(|scope| {
        let sending = scope.spawn(|| send(plan, sender, rate, number, &flight));
        let mut tallies = plan.tallies();
        let mut answered = 0;
        while answered < flight.sent.load(Ordering::Acquire) {
            let reply = receiver.receive()?;
            let now = Instant::now();
            let due = flight.due.lock().unwrap_or_else(PoisonError::into_inner).remove(&reply.id);
            // The one that is not known answers the PING that follows the last message.
            if let Some((due, class)) = due
                && let Some(tally) = tallies.get_mut(class)
            {
                answered += 1;
                tally.answered(reply.status, now - due, plan.budget_of(&reply));
            }
        }
        let sent = sending.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        tallies.iter_mut().zip(&sent).for_each(|(all, more)| all.add(more));
        Ok(tallies)
    })
}

fn send(
    plan: &Plan<'_>,
    mut client: Client,
    rate: f64,
    number: usize,
    flight: &Flight,
) -> Result<Vec<Tally>, Error> {
    let mut tallies = plan.tallies();
    let mut random = Random::new(number);
    let started = Instant::now();
    let mut due = started;
    let mut sent = 0;
    loop {
        due += Duration::from_secs_f64(random.exponential() / rate);
        if due >= started + plan.duration {
            break;
        }
        thread::sleep(due.saturating_duration_since(Instant::now()));
        // Connections start at different places of the corpus.
        let mail = plan.mail(sent as usize + number * 7919);
        let (class, envelope) = plan.mix.pick(random.uniform());
        if let Some(tally) = tallies.get_mut(class) {
            tally.sent(due.elapsed());
        }
        // The reply may be there before `send` returns.
        let mut known = flight.due.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(client.next_id(), (due, class));
        drop(known);
        client.send(Kind::Scan, mail, envelope, plan.budget)?;
        sent += 1;
    }
    flight.sent.store(sent, Ordering::Release);
    // The receiver waits for a reply: this one makes it look at the count.
    client.send(Kind::Ping, &[], &Envelope::default(), 0)?;
    Ok(tallies)
}

/// Scans in this process.
pub(super) fn here(plan: &Plan<'_>, engine: &Engine, profile: &Profile, threads: usize) -> Tally {
    let next = AtomicUsize::new(0);
    let until = Instant::now() + plan.duration;
    let allowance = match plan.budget {
        0 => profile.budget,
        ms => Duration::from_millis(ms.into()),
    };
    let envelope = Envelope::default();
    let one = || {
        let mut tally = Tally::new();
        let mut scratch = engine.scratch();
        while Instant::now() < until {
            let raw = plan.mail(next.fetch_add(1, Ordering::Relaxed));
            let budget = Budget::new(allowance);
            let started = Instant::now();
            let mail = Mail { raw, envelope: &envelope, profile };
            let verdict = pipeline::scan(engine, &mut scratch, mail, budget, &());
            tally.answered(u16::from(!verdict.complete), started.elapsed(), Some(allowance));
        }
        Ok::<_, std::convert::Infallible>(vec![tally])
    };
    let Ok(tallies) = together((0..threads).map(|_| one));
    Tally::sum(&tallies)
}

/// Runs each of `work` in a thread of its own and adds up what they say, class by class.
fn together<W, E>(work: impl Iterator<Item = W>) -> Result<Vec<Tally>, E>
where
    W: FnOnce() -> Result<Vec<Tally>, E> + Send,
    E: Send,
{
    thread::scope(|scope| {
        let threads: Vec<_> = work.map(|work| scope.spawn(work)).collect();
        threads.into_iter().try_fold(Vec::new(), |mut all: Vec<Tally>, thread| {
            let more = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            all.resize_with(more.len().max(all.len()), Tally::new);
            all.iter_mut().zip(&more).for_each(|(all, more)| all.add(more));
            Ok(all)
        })
    })
}

impl Plan<'_> {
    /// One for each class.
    fn tallies(&self) -> Vec<Tally> {
        self.mix.names().map(|_| Tally::new()).collect()
    }

    fn mail(&self, number: usize) -> &[u8] {
        self.mails.get(number % self.mails.len().max(1)).map_or(&[], Vec::as_slice)
    }

    /// The budget that a reply had: what was asked for, else what the engine says. The verdict is not
    /// parsed for it, since this program shares the machine with the engine that it measures.
    fn budget_of(&self, reply: &Reply) -> Option<Duration> {
        if self.budget > 0 {
            return Some(Duration::from_millis(self.budget.into()));
        }
        const KEY: &str = "\"budget_ms\":";
        let at = memmem::rfind(reply.json.as_bytes(), KEY.as_bytes())?;
        let digits = reply.json.get(at + KEY.len()..)?;
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        digits[..end].parse().ok().map(Duration::from_millis)
    }
}

/// SplitMix64: the load has to be random, not unpredictable, and the same in every run.
struct Random(u64);

impl Random {
    fn new(number: usize) -> Random {
        Random(number as u64 + 1)
    }

    /// A number in 0..1, without 1.
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The time to the next event of a Poisson process, whose mean is 1.
    fn exponential(&mut self) -> f64 {
        -(1.0 - self.uniform()).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::mix::Mix, *};

    #[test]
    fn arrivals_are_a_poisson_process() {
        let mut random = Random(1);
        let gaps: Vec<f64> = (0..100_000).map(|_| random.exponential()).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((mean - 1.0).abs() < 0.02 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
        assert!(gaps.iter().all(|gap| gap.is_finite() && *gap >= 0.0));
    }

    #[test]
    fn the_budget_is_read_off_a_verdict() {
        let mails = vec![vec![]];
        let plan = Plan { mails: &mails, mix: Mix::new(None, &[]), budget: 0, duration: Duration::ZERO };
        let reply = |json: &str| Reply { id: 1, status: 0, json: json.into() };
        let verdict = r#"{"symbols":[{"evidence":["\"budget_ms\":1"]}],"budget_ms":500,"elapsed_ms":1}"#;
        assert_eq!(plan.budget_of(&reply(verdict)), Some(Duration::from_millis(500)));
        assert_eq!(plan.budget_of(&reply(r#"{"error":"no"}"#)), None);
    }
}
