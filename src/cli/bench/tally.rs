//! What came back, and how long it took.

use std::{collections::BTreeMap, fmt, time::Duration};

use hdrhistogram::Histogram;
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::wire::frame::Status;

/// The answers of one thread; those of all are added up.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// In microseconds, from the moment a message should have been sent.
    latency: Histogram<u64>,
    /// In microseconds: how late this program itself sent.
    lag: Histogram<u64>,
    /// In microseconds: how long it had no core to receive a reply with.
    receipt: Histogram<u64>,
    replies: [u64; Status::ALL.len()],
    past_budget: u64,
    late: u64,
    engine_late: u64,
}

/// More than this past its budget is late; less is the way through two sockets on a busy machine.
const TOLERANCE: Duration = Duration::from_millis(10);

/// One answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    /// Of its frame.
    pub status: u16,
    /// From the moment at which its message should have been sent.
    pub latency: Duration,
    /// How late it was sent, and how long past its budget there was no core to receive it with: this program's fault.
    pub lag: Duration,
    pub budget: Option<Duration>,
    /// What the engine says it took, from the frame's first byte to the reply.
    pub engine: Option<Duration>,
}

impl Tally {
    pub fn new() -> Tally {
        // 1 us to 1 h with three digits.
        let empty = Histogram::new_with_bounds(1, 3_600_000_000, 3).expect("constant bounds");
        Tally {
            latency: empty.clone(),
            lag: empty.clone(),
            receipt: empty,
            replies: Default::default(),
            past_budget: 0,
            late: 0,
            engine_late: 0,
        }
    }

    /// Counts an answer.
    pub fn answered(&mut self, answer: &Answer) {
        let Answer { status, latency, lag, budget, engine } = *answer;
        self.latency.saturating_record(latency.as_micros() as u64);
        if let Some(budget) = budget {
            self.past_budget += u64::from(latency > budget);
            self.late += u64::from(latency > budget + lag + TOLERANCE);
            self.engine_late += u64::from(engine.is_some_and(|engine| engine > budget));
        }
        if let Some(count) = self.replies.get_mut(usize::from(status)) {
            *count += 1;
        }
    }

    /// Counts how late a message was sent.
    pub fn sent(&mut self, lag: Duration) {
        self.lag.saturating_record(lag.as_micros() as u64);
    }

    /// Counts how long there was no core to receive a reply with.
    pub fn received(&mut self, waited: Duration) {
        self.receipt.saturating_record(waited.as_micros() as u64);
    }

    /// All of them together.
    pub fn sum(tallies: &[Tally]) -> Tally {
        tallies.iter().fold(Tally::new(), |mut all, more| {
            all.add(more);
            all
        })
    }

    /// Names and latencies in ms.
    pub fn percentiles(&self) -> [(&'static str, f64); 5] {
        Percentiles(&self.latency).each()
    }

    /// Adds the answers of another thread.
    pub fn add(&mut self, other: &Tally) {
        // The bounds are the same, so nothing is out of them.
        let _ = self.latency.add(&other.latency);
        let _ = self.lag.add(&other.lag);
        let _ = self.receipt.add(&other.receipt);
        for (count, more) in self.replies.iter_mut().zip(other.replies) {
            *count += more;
        }
        self.past_budget += other.past_budget;
        self.late += other.late;
        self.engine_late += other.engine_late;
    }

    fn messages(&self) -> u64 {
        self.replies.iter().sum()
    }
}

/// What the engine used for it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Used {
    /// Without its OCR workers.
    pub cpu_ms: f64,
    pub ocr_cpu_ms: f64,
    pub peak_bytes: u64,
    /// Before and after.
    pub resident_bytes: [u64; 2],
    pub descriptors: [u64; 2],
}

/// The figures of a run.
#[derive(Debug)]
pub(super) struct Report {
    pub mode: &'static str,
    pub connections: usize,
    pub rate: Option<f64>,
    pub seconds: f64,
    pub used: Used,
    pub tally: Tally,
    /// The same by client class, where there are several.
    pub profiles: Vec<(String, Tally)>,
}

impl Report {
    pub fn per_second(&self) -> f64 {
        self.tally.messages() as f64 / self.seconds
    }

    fn per_message(&self, ms: f64) -> f64 {
        ms / self.tally.messages().max(1) as f64
    }
}

struct Percentiles<'a>(&'a Histogram<u64>);

impl Percentiles<'_> {
    fn each(&self) -> [(&'static str, f64); 5] {
        let at = |quantile| self.0.value_at_quantile(quantile) as f64 / 1e3;
        [
            ("p50", at(0.5)),
            ("p90", at(0.9)),
            ("p99", at(0.99)),
            ("p99.9", at(0.999)),
            ("max", self.0.max() as f64 / 1e3),
        ]
    }
}

impl Serialize for Percentiles<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.each())
    }
}

impl fmt::Display for Percentiles<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.each().iter().try_for_each(|(name, value)| write!(f, "  {name} {value:.3}"))
    }
}

fn entries<M: SerializeMap>(tally: &Tally, map: &mut M) -> Result<(), M::Error> {
    map.serialize_entry("messages", &tally.messages())?;
    map.serialize_entry("latency_ms", &Percentiles(&tally.latency))?;
    if !tally.lag.is_empty() {
        map.serialize_entry("send_lag_ms", &Percentiles(&tally.lag))?;
    }
    if !tally.receipt.is_empty() {
        map.serialize_entry("receive_lag_ms", &Percentiles(&tally.receipt))?;
    }
    map.serialize_entry("past_budget", &tally.past_budget)?;
    map.serialize_entry("late", &tally.late)?;
    map.serialize_entry("engine_late", &tally.engine_late)?;
    Status::ALL
        .iter()
        .zip(tally.replies)
        .try_for_each(|(status, count)| map.serialize_entry(&status.name().replace(' ', "_"), &count))
}

struct ByProfile<'a>(&'a Tally);

impl Serialize for ByProfile<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        entries(self.0, &mut map)?;
        map.end()
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let tally = &self.tally;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("mode", self.mode)?;
        map.serialize_entry("connections", &self.connections)?;
        map.serialize_entry("rate", &self.rate)?;
        map.serialize_entry("seconds", &self.seconds)?;
        map.serialize_entry("per_second", &self.per_second())?;
        entries(tally, &mut map)?;
        if self.profiles.len() > 1 {
            let profiles = self.profiles.iter().map(|(name, tally)| (name, ByProfile(tally)));
            map.serialize_entry("profiles", &profiles.collect::<BTreeMap<_, _>>())?;
        }
        let used = &self.used;
        map.serialize_entry("engine_cpu_ms_per_message", &self.per_message(used.cpu_ms))?;
        map.serialize_entry("ocr_cpu_ms_per_message", &self.per_message(used.ocr_cpu_ms))?;
        map.serialize_entry("engine_peak_bytes", &used.peak_bytes)?;
        map.serialize_entry("engine_resident_bytes", &used.resident_bytes)?;
        map.serialize_entry("engine_descriptors", &used.descriptors)?;
        map.end()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = &self.tally;
        let what = if self.mode == "in this process" { "threads" } else { "connections" };
        writeln!(f, "{}, {} {what}, {:.1} s", self.mode, self.connections, self.seconds)?;
        write!(f, "messages     {} ({:.1}/s", tally.messages(), self.per_second())?;
        match self.rate {
            Some(rate) => writeln!(f, " of {rate:.1}/s offered)")?,
            None => writeln!(f, ")")?,
        }
        write!(f, "{tally}")?;
        for (name, tally) in self.profiles.iter().filter(|_| self.profiles.len() > 1) {
            write!(f, "{name}: {} messages\n{tally}", tally.messages())?;
        }
        let used = &self.used;
        write!(f, "engine       {:.3} CPU ms a message, ", self.per_message(used.cpu_ms))?;
        writeln!(f, "its OCR workers {:.3}", self.per_message(used.ocr_cpu_ms))?;
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        write!(f, "peak memory  {:.1} MiB", mib(used.peak_bytes))?;
        if let ([0, _], _) | (_, [0, _]) = (used.resident_bytes, used.descriptors) {
            return writeln!(f);
        }
        let [before, after] = used.resident_bytes.map(mib);
        let [files, files_after] = used.descriptors;
        writeln!(f, "; {before:.1} MiB and {files} open files before, {after:.1} and {files_after} after")
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "latency ms {}", Percentiles(&self.latency))?;
        if !self.lag.is_empty() {
            writeln!(f, "send lag ms{}", Percentiles(&self.lag))?;
        }
        if !self.receipt.is_empty() {
            writeln!(f, "receive lag{}", Percentiles(&self.receipt))?;
        }
        write!(f, "replies    ")?;
        for (status, count) in Status::ALL.iter().zip(self.replies).filter(|(_, count)| *count > 0) {
            write!(f, "  {} {count}", status.name())?;
        }
        write!(f, "\npast budget  {}, {} of them by more than ", self.past_budget, self.late)?;
        write!(f, "{} ms without our own lag; ", TOLERANCE.as_millis())?;
        writeln!(f, "by the engine's own clock {}", self.engine_late)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_late_is_not_always_the_engines_fault() {
        let ms = Duration::from_millis;
        let mut tally = Tally::new();
        // Within the tolerance; late; late because it was sent late; late by the engine's own account.
        for (latency, lag, engine) in [(25, 0, 19), (31, 0, 19), (45, 16, 19), (60, 0, 21)] {
            let (latency, lag, engine) = (ms(latency), ms(lag), Some(ms(engine)));
            tally.answered(&Answer { status: 0, latency, lag, budget: Some(ms(20)), engine });
        }
        assert_eq!((tally.past_budget, tally.late, tally.engine_late), (4, 2, 1));
    }

    #[test]
    fn answers_add_up() {
        let mut all = Tally::new();
        for (status, ms, budget) in [(0, 10, Some(20)), (1, 30, Some(20)), (2, 1, None), (99, 1, None)] {
            let mut one = Tally::new();
            let (latency, budget) = (Duration::from_millis(ms), budget.map(Duration::from_millis));
            one.answered(&Answer { status, latency, lag: Duration::ZERO, budget, engine: None });
            all.add(&one);
        }
        assert_eq!((all.messages(), all.past_budget, all.replies[..3].to_vec()), (3, 1, vec![1, 1, 1]));
        assert_eq!(all.latency.len(), 4);
        let report = Report {
            mode: "open loop",
            connections: 1,
            rate: Some(3.0),
            seconds: 1.0,
            used: Used { cpu_ms: 6.0, peak_bytes: 1 << 20, ..Used::default() },
            profiles: vec![("a".into(), all.clone()), ("b".into(), Tally::new())],
            tally: all,
        };
        let json = simd_json::to_string(&report).unwrap();
        for part in [
            r#""messages":3"#,
            r#""partial":1"#,
            r#""past_budget":1"#,
            r#""engine_cpu_ms_per_message":2.0"#,
            r#""profiles":{"a":{"messages":3"#,
        ] {
            assert!(json.contains(part), "{part} in {json}");
        }
        assert!(report.to_string().contains("peak memory  1.0 MiB"));
    }
}
