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
    waits::Waits,
};
use crate::{
    budget::Budget,
    client::{Client, Error, Reply},
    engine::Engine,
    pipeline::{self, Mail},
    precedence_ffi::{self, Precedence},
    profile::Profile,
    wire::{frame::Kind, request::Envelope},
};

/// Each client has one message in flight.
pub(super) fn closed(plan: &Plan, clients: Vec<Client>) -> Result<Vec<Tally>, Error> {
    let next = AtomicUsize::new(0);
    let until = Instant::now() + plan.duration;
    let one = |mut client: Client, number: usize| {
        precedence_ffi::take(Precedence::Prompt);
        let mut tallies = plan.tallies();
        let mut random = Random::new(plan.seed, number);
        while Instant::now() < until {
            let (index, class) = plan.mix.pick(random.uniform());
            let mail = plan.mail(class, next.fetch_add(1, Ordering::Relaxed), &mut random);
            let sent = Instant::now();
            let reply = client.scan(&mail, &class.envelope, plan.budget)?;
            if let Some(tally) = tallies.get_mut(index) {
                tally.answered(&plan.answer(&reply, sent.elapsed()));
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
    // On the engine's machine, a reply waits for nothing but this thread.
    precedence_ffi::take(Precedence::Prompt);
    let sender = receiver.try_clone()?;
    let flight = Flight { due: Mutex::default(), sent: AtomicU64::new(u64::MAX) };
    thread::scope(|scope| {
        let sending = scope.spawn(|| send(plan, sender, rate, number, &flight));
        let mut tallies = plan.tallies();
        let mut waits = Waits::of_this_thread();
        let mut answered = 0;
        while answered < flight.sent.load(Ordering::Acquire) {
            let reply = receiver.receive()?;
            let now = Instant::now();
            let waited = waits.look(now);
            let due = flight.due.lock().unwrap_or_else(PoisonError::into_inner).remove(&reply.id);
            // The one that is not known answers the PING that follows the last message.
            if let Some(due) = due
                && let Some(tally) = tallies.get_mut(due.class)
            {
                answered += 1;
                tally.received(waited);
                let mut answer = plan.answer(&reply, now - due.at);
                answer.lag = due.lag + answer.budget.map_or(waited, |budget| waits.since(due.at + budget));
                tally.answered(&answer);
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
    precedence_ffi::take(Precedence::Prompt);
    let mut tallies = plan.tallies();
    let mut random = Random::new(plan.seed, number);
    let started = Instant::now();
    let mut due = started;
    let mut sent = 0;
    loop {
        due += Duration::from_secs_f64(random.exponential() / rate);
        if due >= started + plan.duration {
            break;
        }
        // Connections start at different places of the corpus.
        let (index, class) = plan.mix.pick(random.uniform());
        let mail = plan.mail(class, sent as usize + number * 7919, &mut random);
        thread::sleep(due.saturating_duration_since(Instant::now()));
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
        let mut random = Random::new(plan.seed, number);
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
    fn answer(&self, reply: &Reply, latency: Duration) -> Answer {
        // The verdict is not parsed, since this program shares the machine with the engine that it measures.
        let named = |key: &str| {
            let at = memmem::rfind(reply.json.as_bytes(), key.as_bytes())?;
            let digits = reply.json.get(at + key.len()..)?;
            let end = digits.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(digits.len());
            digits[..end].parse().ok().and_then(|ms: f64| Duration::try_from_secs_f64(ms / 1e3).ok())
        };
        let asked = Duration::from_millis(self.budget.into());
        let budget = if asked.is_zero() { named("\"budget_ms\":") } else { Some(asked) };
        let lag = Duration::ZERO;
        Answer { status: reply.status, latency, lag, budget, engine: named("\"elapsed_ms\":") }
    }
}

/// `mail` with random words in its subject, and before its text where that is easily found.
fn varied(mail: &[u8], random: &mut Random) -> Vec<u8> {
    const SUBJECT: &[u8] = b"\nSubject: ";
    let body = text_start(mail);
    let header = mail.get(..body.unwrap_or(mail.len())).unwrap_or(mail);
    let at = memmem::find(header, SUBJECT).map_or(0, |at| at + SUBJECT.len());
    let mut words = |count| (0..count).map(|_| random.word()).collect::<Vec<_>>().join(" ");
    let subject = if at == 0 { format!("Subject: {}\n", words(3)) } else { format!("{} ", words(3)) };
    let text = body.map(|_| format!("{}\n", words(8))).unwrap_or_default();
    let (before, after) = mail.split_at(at);
    let (between, after) = after.split_at(body.map_or(0, |body| body - at));
    [before, subject.as_bytes(), between, text.as_bytes(), after].concat()
}

/// Where the text of a mail begins, or that of its first part, where it is written as it is.
fn text_start(mail: &[u8]) -> Option<usize> {
    // A header is no longer than this; what is has no need to be varied.
    const HEADER: usize = 16 << 10;
    let after_header = |from: usize| {
        let rest = mail.get(from..)?;
        let rest = rest.get(..HEADER).unwrap_or(rest);
        let ends = [&b"\n\n"[..], b"\n\r\n"];
        ends.iter().filter_map(|end| Some(from + memmem::find(rest, end)? + end.len())).min()
    };
    let end = after_header(0)?;
    let holds =
        |header: &[u8], words: [&[u8]; 2]| words.iter().any(|word| memmem::find(header, word).is_some());
    let header = mail.get(..end)?;
    let start = if holds(header, [b"multipart/", b"Multipart/"]) { after_header(end)? } else { end };
    (!holds(mail.get(..start)?, [b"base64", b"BASE64"])).then_some(start)
}

/// SplitMix64: the load has to be random, not unpredictable, and the same in every run.
struct Random(u64);

impl Random {
    /// Of the thread with this `number`, in the run with this `seed`.
    fn new(seed: u64, number: usize) -> Random {
        // So that neighbours do not begin where the other one goes on.
        Random(Random(seed).bits().wrapping_add(number as u64 + 1))
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
        Plan { mix, vary: true, seed: 0, budget, duration: Duration::ZERO }
    }

    #[test]
    fn budget_and_time_are_read_off_a_verdict() {
        let answer = |budget: u32, json: &str| {
            let reply = Reply { id: 1, status: 0, json: json.into() };
            let answer = plan(budget).answer(&reply, Duration::ZERO);
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
    fn varied_messages_differ_in_subject_and_text() {
        let mut random = Random::new(0, 1);
        let mut vary = |mail: &str| String::from_utf8(varied(mail.as_bytes(), &mut random)).unwrap();
        let mail = "From: a@b\nSubject: hello\n\nbody\n";
        let (first, second) = (vary(mail), vary(mail));
        assert_ne!(first, second);
        for one in [&first, &second] {
            let (subject, body) =
                one.strip_prefix("From: a@b\nSubject: ").unwrap().split_once("\n\n").unwrap();
            assert_eq!((subject.split(' ').count(), &subject[subject.len() - 6..]), (4, " hello"));
            assert_eq!((body.split_whitespace().count(), body.ends_with("\nbody\n")), (9, true));
        }
        let bare = vary("From: a@b\r\n\r\nSubject: body\r\n");
        assert!(bare.starts_with("Subject: ") && bare.ends_with("\nSubject: body\r\n"), "{bare}");
        let part = |encoding| {
            format!(
                "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Transfer-Encoding: {encoding}\n\nYQ==\n"
            )
        };
        assert!(vary(&part("base64")).ends_with(": base64\n\nYQ==\n"), "it would not be base64 any more");
        let part = vary(&part("7bit"));
        assert!(part.contains("\n\n--b\n") && !part.ends_with("\n\nYQ==\n"), "{part}");
    }

    #[test]
    fn another_seed_or_another_thread_is_another_order() {
        let first = |seed, number| Random::new(seed, number).bits();
        let all: std::collections::BTreeSet<u64> =
            (0..100).flat_map(|seed| (0..100).map(move |number| first(seed, number))).collect();
        assert_eq!(all.len(), 10_000);
        assert_eq!(first(3, 4), first(3, 4));
    }
}
