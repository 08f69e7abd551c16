//! What happened since the start: the counters and gauges behind STATUS.

use std::{
    collections::BTreeMap,
    fs,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use rustix::{
    param::clock_ticks_per_second,
    time::{ClockId, clock_gettime},
};
use serde::Serialize;

use super::sync::{Mutex, lock};
use crate::{
    verdict::{Action, millis},
    wire::frame::{Kind, Status},
};

/// Counters of one server.
#[derive(Debug)]
pub(super) struct Stats {
    started: Instant,
    requests: [AtomicU64; Kind::ALL.len()],
    replies: [AtomicU64; Status::ALL.len()],
    actions: [AtomicU64; Action::ALL.len()],
    cancelled: AtomicU64,
    panics: AtomicU64,
    reloads: AtomicU64,
    accepted: AtomicU64,
    open: AtomicUsize,
    /// Microseconds from a frame's first byte to its verdict.
    latency: Mutex<Histogram<u64>>,
}

/// A connection that is open as long as this lives.
#[derive(Debug)]
pub(super) struct Open<'a>(&'a Stats);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Relaxed);
    }
}

impl Stats {
    pub fn new() -> Stats {
        // 1 us to 10 min with two digits; larger values are counted as the largest.
        let latency = Histogram::new_with_bounds(1, 600_000_000, 2).expect("constant bounds");
        Stats {
            started: Instant::now(),
            requests: Default::default(),
            replies: Default::default(),
            actions: Default::default(),
            cancelled: AtomicU64::new(0),
            panics: AtomicU64::new(0),
            reloads: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            open: AtomicUsize::new(0),
            latency: Mutex::new(latency),
        }
    }

    /// Counts a connection, unless `limit` of them are open.
    pub fn accept(&self, limit: usize) -> Option<Open<'_>> {
        let added = self.open.fetch_update(Relaxed, Relaxed, |open| (open < limit).then_some(open + 1));
        added.ok()?;
        self.accepted.fetch_add(1, Relaxed);
        Some(Open(self))
    }

    pub fn asked(&self, kind: Kind) {
        count(&self.requests, Kind::ALL.iter().position(|&known| known == kind));
    }

    pub fn replied(&self, status: Status) {
        count(&self.replies, Status::ALL.iter().position(|&known| known == status));
    }

    pub fn judged(&self, status: Status, action: Action, elapsed: Duration) {
        self.replied(status);
        count(&self.actions, Action::ALL.iter().position(|&known| known == action));
        lock(&self.latency).saturating_record(elapsed.as_micros() as u64);
    }

    /// A request whose client left before it was answered.
    pub fn cancelled(&self) {
        self.cancelled.fetch_add(1, Relaxed);
    }

    pub fn panicked(&self) {
        self.panics.fetch_add(1, Relaxed);
    }

    pub fn reloaded(&self) {
        self.reloads.fetch_add(1, Relaxed);
    }

    /// The figures as they are now.
    pub fn report(&self) -> Report {
        let latency = lock(&self.latency);
        let at = |quantile| latency.value_at_quantile(quantile) as f64 / 1e3;
        Report {
            uptime_s: self.started.elapsed().as_secs(),
            requests: by_name(Kind::ALL.map(Kind::name), &self.requests),
            replies: by_name(Status::ALL.map(Status::name), &self.replies),
            actions: by_name(Action::ALL.map(Action::name), &self.actions),
            cancelled: self.cancelled.load(Relaxed),
            panics: self.panics.load(Relaxed),
            reloads: self.reloads.load(Relaxed),
            connections: Connections { open: self.open.load(Relaxed), accepted: self.accepted.load(Relaxed) },
            latency_ms: Latency {
                p50: at(0.5),
                p90: at(0.9),
                p99: at(0.99),
                p999: at(0.999),
                max: latency.max() as f64 / 1e3,
            },
            process: Process::now(),
        }
    }
}

fn count(counters: &[AtomicU64], index: Option<usize>) {
    if let Some(counter) = index.and_then(|index| counters.get(index)) {
        counter.fetch_add(1, Relaxed);
    }
}

fn by_name<const N: usize>(
    names: [&'static str; N],
    counters: &[AtomicU64; N],
) -> BTreeMap<&'static str, u64> {
    names.into_iter().zip(counters.iter().map(|counter| counter.load(Relaxed))).collect()
}

/// The counters of STATUS.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub uptime_s: u64,
    pub requests: BTreeMap<&'static str, u64>,
    pub replies: BTreeMap<&'static str, u64>,
    pub actions: BTreeMap<&'static str, u64>,
    pub cancelled: u64,
    pub panics: u64,
    pub reloads: u64,
    pub connections: Connections,
    pub latency_ms: Latency,
    pub process: Process,
}

#[derive(Debug, Serialize)]
pub(super) struct Connections {
    pub open: usize,
    pub accepted: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Latency {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    #[serde(rename = "p99.9")]
    pub p999: f64,
    pub max: f64,
}

/// What the process used so far.
#[derive(Debug, Serialize)]
pub(super) struct Process {
    /// Its OCR workers not counted.
    pub cpu_ms: f64,
    /// Those of now and those that ended.
    pub ocr_cpu_ms: f64,
    pub resident_bytes: u64,
    pub peak_bytes: u64,
    /// Open files and sockets.
    pub descriptors: u64,
}

impl Process {
    fn now() -> Process {
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let cpu = Duration::new(cpu.tv_sec.try_into().unwrap_or(0), cpu.tv_nsec.try_into().unwrap_or(0));
        // Absent outside of Linux, and then the figures are 0.
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        let bytes = |name| field(name).unwrap_or(0) * 1024;
        Process {
            cpu_ms: millis(cpu),
            ocr_cpu_ms: children_cpu_ms(),
            resident_bytes: bytes("VmRSS:"),
            peak_bytes: bytes("VmHWM:"),
            descriptors: fs::read_dir("/proc/self/fd").map_or(0, |all| all.count() as u64),
        }
    }
}

/// CPU time of the processes that this one started: proc_pid_stat(5), proc_pid_task(5).
fn children_cpu_ms() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().filter_map(Result::ok);
    let children = |task: fs::DirEntry| fs::read_to_string(task.path().join("children")).unwrap_or_default();
    let alive: u64 = tasks
        .flat_map(|task| children(task).split_whitespace().map(|pid| ticks(pid, 11)).collect::<Vec<_>>())
        .sum();
    (alive + ticks("self", 13)) as f64 * 1e3 / clock_ticks_per_second() as f64
}

/// Two neighbouring fields of /proc/PID/stat added up; fields count from 0 behind the name in brackets, which
/// may hold anything: 11 is user time (then system time), 13 that of children that ended.
fn ticks(pid: &str, first: usize) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields);
    fields.split(' ').skip(first).take(2).filter_map(|field| field.parse::<u64>().ok()).sum()
}
