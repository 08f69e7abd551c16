//! Closed loop, open loop, and scanning without an engine to ask.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use memchr::memmem;

use super::{
    Plan,
    mix::Class,
    tally::{Answer, Tally},
};
use crate::{
    budget::Budget,
    client::{Client, Error, Reply},
    engine::Engine,
    pipeline::{self, Mail},
    profile::Profile,
    wire::{frame::Kind, request::Envelope},
};

/// Each client has one message in flight.
pub(super) fn closed(plan: &Plan, clients: Vec<Client>) -> Result<Vec<Tally>, Error> {
    let next = AtomicUsize::new(0);
    let until = Instant::now() + plan.duration;
    let one = |mut client: Client, number: usize| {
        let mut tallies = plan.tallies();
        let mut random = Random::new(number);
        while Instant::now() < until {
            let (index, class) = plan.mix.pick(random.uniform());
            let mail = plan.mail(class, next.fetch_add(1, Ordering::Relaxed), &mut random);
            let sent = Instant::now();
            let reply = client.scan(&mail, &class.envelope, plan.budget)?;
            if let Some(tally) = tallies.get_mut(index) {
                tally.answered(&plan.answer(&reply, sent.elapsed(), Duration::ZERO));
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
pub(super) fn open(plan: &Plan, clients: Vec<Client>, rate: f64) -> Result<Vec<Tally>, Error> {
    let each = rate / clients.len().max(1) as f64;
    together(
        clients.into_iter().enumerate().map(|(number, client)| move || open_one(plan, client, each, number)),
    )
}

/// What a sender and the receiver of its replies share.
struct Flight {
    /// By the id of the request.
    due: Mutex<HashMap<u32, Due>>,
    /// How many were sent, once all are.
    sent: AtomicU64,
}

/// A message that was sent.
struct Due {
    /// When it should have been.
    at: Instant,
    /// How much later it was.
    lag: Duration,
    /// Its class.
    class: usize,
}

fn open_one(plan: &Plan, mut receiver: Client, rate: f64, number: usize) -> Result<Vec<Tally>, Error> {
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
            if let Some(due) = due
                && let Some(tally) = tallies.get_mut(due.class)
            {
                answered += 1;
                tally.answered(&plan.answer(&reply, now - due.at, due.lag));
            }
        }
        let sent = sending.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        tallies.iter_mut().zip(&sent).for_each(|(all, more)| all.add(more));
        Ok(tallies)
    })
}

fn send(
    plan: &Plan,
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
        let (index, class) = plan.mix.pick(random.uniform());
        let mail = plan.mail(class, sent as usize + number * 7919, &mut random);
        let lag = due.elapsed();
        if let Some(tally) = tallies.get_mut(index) {
            tally.sent(lag);
        }
        // The reply may be there before `send` returns.
        let mut known = flight.due.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(client.next_id(), Due { at: due, lag, class: index });
        drop(known);
        client.send(Kind::Scan, &mail, &class.envelope, plan.budget)?;
        sent += 1;
    }
    flight.sent.store(sent, Ordering::Release);
    // The receiver waits for a reply: this one makes it look at the count.
    client.send(Kind::Ping, &[], &Envelope::default(), 0)?;
    Ok(tallies)
}

/// Scans in this process.
pub(super) fn here(plan: &Plan, engine: &Engine, profile: &Profile, threads: usize) -> Tally {
    let next = AtomicUsize::new(0);
    let until = Instant::now() + plan.duration;
    let allowance = match plan.budget {
        0 => profile.budget,
        ms => Duration::from_millis(ms.into()),
    };
    let one = |number: usize| {
        let mut tally = Tally::new();
        let mut random = Random::new(number);
        let mut scratch = engine.scratch();
        while Instant::now() < until {
            let (_, class) = plan.mix.pick(0.0);
            let raw = plan.mail(class, next.fetch_add(1, Ordering::Relaxed), &mut random);
            let budget = Budget::new(allowance);
            let started = Instant::now();
            let mail = Mail { raw: &raw, envelope: &class.envelope, profile };
            let verdict = pipeline::scan(engine, &mut scratch, mail, budget, &());
            let took = started.elapsed();
            let status = u16::from(!verdict.complete);
            let (budget, engine) = (Some(allowance), Some(took));
            tally.answered(&Answer { status, latency: took, lag: Duration::ZERO, budget, engine });
        }
        Ok::<_, std::convert::Infallible>(vec![tally])
    };
    let Ok(tallies) = together((0..threads).map(|number| move || one(number)));
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

impl Plan {
    /// One for each class.
    fn tallies(&self) -> Vec<Tally> {
        self.mix.names().map(|_| Tally::new()).collect()
    }

    fn mail<'m>(&'m self, class: &'m Class, number: usize, random: &mut Random) -> Cow<'m, [u8]> {
        let mail = self.mix.mail(class, number);
        if self.vary { varied(mail, random).into() } else { mail.into() }
    }

    /// What a reply tells, `latency` after its message should have been sent.
    fn answer(&self, reply: &Reply, latency: Duration, lag: Duration) -> Answer {
        // The verdict is not parsed, since this program shares the machine with the engine that it measures.
        let named = |key: &str| {
            let at = memmem::rfind(reply.json.as_bytes(), key.as_bytes())?;
            let digits = reply.json.get(at + key.len()..)?;
            let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
            digits[..end].parse().ok().and_then(|ms: f64| Duration::try_from_secs_f64(ms / 1e3).ok())
        };
        let asked = Duration::from_millis(self.budget.into());
        let budget = if asked.is_zero() { named("\"budget_ms\":") } else { Some(asked) };
        Answer { status: reply.status, latency, lag, budget, engine: named("\"elapsed_ms\":") }
    }
}

/// `mail` with random words in its subject.
fn varied(mail: &[u8], random: &mut Random) -> Vec<u8> {
    const SUBJECT: &[u8] = b"\nSubject: ";
    let at = memmem::find(mail, SUBJECT).map_or(0, |at| at + SUBJECT.len());
    let header = if at == 0 { "Subject: " } else { "" };
    let words: String = (0..3).map(|_| format!("{} ", random.word())).collect();
    let end = if at == 0 { "\n" } else { "" };
    let (before, after) = mail.split_at(at);
    [before, header.as_bytes(), words.as_bytes(), end.as_bytes(), after].concat()
}

/// SplitMix64: the load has to be random, not unpredictable, and the same in every run.
struct Random(u64);

impl Random {
    fn new(number: usize) -> Random {
        Random(number as u64 + 1)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number in 0..1, without 1.
    fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Four to eleven small letters.
    fn word(&mut self) -> String {
        let mut bits = self.bits();
        let length = 4 + bits % 8;
        let letter = |_| {
            bits /= 26;
            char::from(b'a' + (bits % 26) as u8)
        };
        (0..length).map(letter).collect()
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

    fn plan(budget: u32) -> Plan {
        let mix = Mix::new(None, &[], vec![]).unwrap();
        Plan { mix, vary: true, budget, duration: Duration::ZERO }
    }

    #[test]
    fn budget_and_time_are_read_off_a_verdict() {
        let answer = |budget: u32, json: &str| {
            let reply = Reply { id: 1, status: 0, json: json.into() };
            let answer = plan(budget).answer(&reply, Duration::ZERO, Duration::ZERO);
            (answer.budget, answer.engine)
        };
        let verdict =
            r#"{"symbols":[{"evidence":["\"budget_ms\":1"]}],"budget_ms":500,"elapsed_ms":1.25,"stages":{}}"#;
        let (ms, engine) = (Duration::from_millis, Some(Duration::from_micros(1250)));
        assert_eq!(answer(0, verdict), (Some(ms(500)), engine));
        assert_eq!(answer(70, verdict), (Some(ms(70)), engine));
        assert_eq!(answer(0, r#"{"error":"no"}"#), (None, None));
    }

    #[test]
    fn varied_messages_differ_in_their_subject_only() {
        let mut random = Random::new(1);
        let mail = b"From: a@b\nSubject: hello\n\nbody\n";
        let (first, second) = (varied(mail, &mut random), varied(mail, &mut random));
        assert_ne!(first, second);
        for one in [&first, &second] {
            assert!(one.starts_with(b"From: a@b\nSubject: ") && one.ends_with(b" hello\n\nbody\n"));
        }
        assert!(varied(b"From: a@b\n\nbody\n", &mut random).ends_with(b" \nFrom: a@b\n\nbody\n"));
    }
}
