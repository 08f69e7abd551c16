//! Several engines that stand in for each other.

use std::{
    fmt,
    os::fd::AsFd,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Address, Client, Error, Reply};
use crate::wire::{
    frame::{Kind, Status},
    request::Envelope,
};

/// A message without a budget of its own waits so long for all engines together.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a reply may be on its way.
const GRACE: Duration = Duration::from_millis(25);
/// An engine that failed is left alone for so long, while there are others.
const REST: Duration = Duration::from_secs(1);
/// Connections that are kept to each engine while nobody uses them.
const IDLE: usize = 64;

/// Asks one of several engines, and another when that one is gone or slow: within the budget of the
/// message, never longer. Shared by any number of threads.
///
/// Of two engines in turn the one with fewer requests of ours in flight is asked. When two thirds of the
/// time are over without a reply, a second one is asked beside it, and the first reply counts: scanning
/// is done twice then, which does no harm, since engines keep nothing. One that sheds the message or is
/// stopping hands it on as well.
#[derive(Debug)]
pub struct Cluster {
    nodes: Vec<Node>,
    next: AtomicUsize,
}

#[derive(Debug)]
struct Node {
    /// As it was written.
    name: String,
    address: Address,
    in_flight: AtomicUsize,
    /// When it failed last.
    failed: Mutex<Option<Instant>>,
    idle: Mutex<Vec<Client>>,
}

/// A request that one node has.
struct Asked<'a> {
    node: &'a Node,
    /// Gone with the reply.
    client: Option<Client>,
    id: u32,
    /// Whether the connection was there before: the engine may have been restarted since.
    reused: bool,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.node.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What became of the engines that were asked, for the error in the end.
#[derive(Default)]
struct Failures(Vec<(String, Error)>);

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (address, error)) in self.0.iter().enumerate() {
            let comma = if index > 0 { "; " } else { "" };
            write!(f, "{comma}{address}: {error}")?;
        }
        Ok(())
    }
}

impl Cluster {
    /// The engines at `addresses`, separated by commas. Nothing is connected yet.
    ///
    /// # Errors
    /// There is no address in it, or one that makes no sense.
    pub fn new(addresses: &str) -> Result<Cluster, Error> {
        let node = |address: &str| {
            Ok(Node {
                name: address.to_owned(),
                address: address.parse()?,
                in_flight: AtomicUsize::new(0),
                failed: Mutex::new(None),
                idle: Mutex::new(Vec::new()),
            })
        };
        let nodes = addresses.split(',').map(str::trim).map(node).collect::<Result<Vec<_>, Error>>()?;
        Ok(Cluster { nodes, next: AtomicUsize::new(0) })
    }

    /// Has one message judged; `budget` is in ms, 0 for the profile's.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when no engine answered in time: the message has to be tried again later.
    pub fn scan(&self, raw: &[u8], envelope: &Envelope, budget: u32) -> Result<Reply, Error> {
        self.ask(Kind::Scan, raw, envelope, budget)
    }

    /// Asks whether any engine is there.
    ///
    /// # Errors
    /// See [`Cluster::scan`].
    pub fn ping(&self) -> Result<Reply, Error> {
        self.ask(Kind::Ping, &[], &Envelope::default(), 0)
    }

    fn ask(&self, kind: Kind, raw: &[u8], envelope: &Envelope, budget: u32) -> Result<Reply, Error> {
        let allowance = if budget == 0 { PATIENCE } else { Duration::from_millis(budget.into()) };
        let deadline = Instant::now() + allowance;
        // A reply that left its engine at the deadline is still on its way then.
        let until = deadline + GRACE;
        let mut failures = Failures::default();
        let mut shed = None;
        let mut asked: Vec<Asked<'_>> = Vec::new();
        let mut left = self.order();
        loop {
            if let Some(node) = left.pop() {
                // An engine that is asked late has what is left.
                let budget =
                    budget.min(u32::try_from(remaining(deadline).as_millis()).unwrap_or(budget).max(1));
                match node.send(kind, raw, envelope, budget, remaining(until)) {
                    Ok(request) => asked.push(request),
                    Err(error) => {
                        node.fail(error, &mut failures);
                        continue;
                    }
                }
            } else if asked.is_empty() {
                return shed.ok_or_else(|| Error::Unavailable(failures.to_string()));
            }
            let turn = if left.is_empty() { until } else { Instant::now() + remaining(deadline) * 2 / 3 };
            let Some(index) = first_of(&asked, turn) else {
                if !remaining(until).is_zero() {
                    continue;
                }
                asked.iter().for_each(|request| request.node.fail(Error::TimedOut, &mut failures));
                return shed.ok_or_else(|| Error::Unavailable(failures.to_string()));
            };
            let mut request = asked.swap_remove(index);
            match request.receive() {
                Ok(reply) if reply.status == Status::Unavailable as u16 => {
                    request.node.fail(Error::Refused(reply.json), &mut failures);
                }
                // Another may have more time on its hands; if none has, this is the answer.
                Ok(reply)
                    if reply.status == Status::Shed as u16 && !(left.is_empty() && asked.is_empty()) =>
                {
                    shed = Some(reply);
                }
                Ok(reply) => return Ok(reply),
                // A connection that was idle while its engine was restarted.
                Err(Error::Closed | Error::Broken(_)) if request.reused => {
                    request.node.forget();
                    left.push(request.node);
                }
                Err(error) => request.node.fail(error, &mut failures),
            }
        }
    }

    /// The engines in the order in which they are asked, the first one last.
    fn order(&self) -> Vec<&Node> {
        let start = self.next.fetch_add(1, Ordering::Relaxed);
        let count = self.nodes.len();
        let mut order: Vec<&Node> =
            (0..count).filter_map(|step| self.nodes.get((start.wrapping_add(step)) % count)).collect();
        if let [first, second, ..] = order.as_mut_slice()
            && second.in_flight.load(Ordering::Relaxed) < first.in_flight.load(Ordering::Relaxed)
        {
            std::mem::swap(first, second);
        }
        order.reverse();
        // Those that failed a moment ago are asked when all others failed too.
        order.sort_by_key(|node| !node.is_resting());
        order
    }
}

impl Node {
    fn send(
        &self,
        kind: Kind,
        raw: &[u8],
        envelope: &Envelope,
        budget: u32,
        time: Duration,
    ) -> Result<Asked<'_>, Error> {
        let time = time.max(Duration::from_millis(1));
        let idle = lock(&self.idle).pop();
        let reused = idle.is_some();
        let mut client = match idle {
            Some(client) => client,
            None => Client::connect_within(&self.address, time)?,
        };
        client.set_timeout(time)?;
        match client.send(kind, raw, envelope, budget) {
            Ok(id) => {
                self.in_flight.fetch_add(1, Ordering::Relaxed);
                Ok(Asked { node: self, client: Some(client), id, reused })
            }
            Err(_) if reused => {
                self.forget();
                self.send(kind, raw, envelope, budget, time)
            }
            Err(error) => Err(error),
        }
    }

    /// Drops the connections that were idle: they are as broken as the one that was tried.
    fn forget(&self) {
        lock(&self.idle).clear();
    }

    fn fail(&self, error: Error, failures: &mut Failures) {
        self.forget();
        *lock(&self.failed) = Some(Instant::now());
        failures.0.push((self.name.clone(), error));
    }

    fn is_resting(&self) -> bool {
        lock(&self.failed).is_some_and(|failed| failed.elapsed() < REST)
    }
}

impl Asked<'_> {
    fn receive(&mut self) -> Result<Reply, Error> {
        let mut client = self.client.take().ok_or(Error::Closed)?;
        let reply = client.receive()?;
        if reply.id != self.id && reply.id != 0 {
            return Err(Error::Closed);
        }
        *lock(&self.node.failed) = None;
        // After a refusal the engine closes the connection.
        let mut idle = lock(&self.node.idle);
        if reply.is_verdict() && idle.len() < IDLE {
            idle.push(client);
        }
        Ok(reply)
    }
}

/// The first of the requests that has something to read; `None` when the time is up.
fn first_of(asked: &[Asked<'_>], until: Instant) -> Option<usize> {
    loop {
        let left = remaining(until);
        let mut sockets: Vec<PollFd<'_>> = asked
            .iter()
            .filter_map(|request| {
                Some(PollFd::from_borrowed_fd(request.client.as_ref()?.as_fd(), PollFlags::IN))
            })
            .collect();
        let timeout = Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(&mut sockets, Some(&timeout)) {
            Ok(0) if left.is_zero() => return None,
            // An interrupted wait goes on.
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => return sockets.iter().position(|socket| !socket.revents().is_empty()),
            Err(_) => return Some(0),
        }
    }
}

fn remaining(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
