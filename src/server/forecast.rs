//! What a message will cost, by its size and by what others like it did cost just now.

use std::{
    sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Running means of one kind of work, one for each power of two of the size.
#[derive(Debug)]
pub(super) struct Forecast {
    /// In nanoseconds; 0 is not measured yet.
    costs: [AtomicU64; CLASSES],
    /// Votes of the last messages on whether their size is slow.
    slow: [AtomicU8; CLASSES],
}

/// Work that keeps a core busy for longer is slow: ten times what the text of the average mail takes.
const LONG: Duration = Duration::from_millis(5);
/// The most votes, and how many of them make a size slow. It is those that count and no mean: a message that was
/// slow because the engine was just started, or one that is made to be slow among ten others, says nothing of the rest.
const MOST_VOTES: u8 = 16;
const MAJORITY: u8 = 8;

const CLASSES: usize = 33;
/// A new measurement counts an eighth: a few messages tell that the load has changed.
const WEIGHT: u64 = 8;

impl Forecast {
    pub fn new() -> Forecast {
        Forecast {
            costs: [const { AtomicU64::new(0) }; CLASSES],
            slow: [const { AtomicU8::new(0) }; CLASSES],
        }
    }

    /// Whether messages of `size` bytes are mostly slow.
    pub fn is_slow(&self, size: usize) -> bool {
        self.slow[class(size)].load(Relaxed) >= MAJORITY
    }

    /// What a message of `size` bytes will cost. What was never measured costs as much as the next smaller
    /// size that was, and nothing where there is none: it has to be tried.
    pub fn cost(&self, size: usize) -> Duration {
        let known = self.costs[..=class(size)].iter().rev().map(|cost| cost.load(Relaxed));
        Duration::from_nanos(known.into_iter().find(|&cost| cost > 0).unwrap_or(0))
    }

    /// A message of `size` bytes did cost `cost`, and kept a core busy for `cpu` of it.
    pub fn measured(&self, size: usize, cost: Duration, cpu: Duration) {
        let votes = &self.slow[class(size)];
        let before = votes.load(Relaxed);
        let after = if cpu >= LONG { (before + 1).min(MOST_VOTES) } else { before.saturating_sub(1) };
        votes.store(after, Relaxed);
        let cost = (cost.as_nanos() as u64).max(1);
        let mean = &self.costs[class(size)];
        // Two threads at once may lose a measurement, and that is all they lose.
        mean.store(
            match mean.load(Relaxed) {
                0 => cost,
                before => (before / WEIGHT * (WEIGHT - 1)).saturating_add(cost / WEIGHT).max(1),
            },
            Relaxed,
        );
    }
}

fn class(size: usize) -> usize {
    ((usize::BITS - size.leading_zeros()) as usize).min(CLASSES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_learnt_by_size() {
        let forecast = Forecast::new();
        assert_eq!(forecast.cost(5000), Duration::ZERO);
        let measured = |size, cost| forecast.measured(size, cost, Duration::ZERO);
        measured(5000, Duration::from_millis(8));
        assert_eq!(forecast.cost(5000), Duration::from_millis(8));
        assert_eq!(forecast.cost(1 << 20), Duration::from_millis(8), "at least as much as a smaller one");
        assert_eq!(forecast.cost(10), Duration::ZERO);
        for _ in 0..100 {
            measured(6000, Duration::from_millis(1));
        }
        let now = forecast.cost(5000);
        assert!(now < Duration::from_millis(2) && now >= Duration::from_micros(900), "{now:?}");
        measured(usize::MAX, Duration::MAX);
        measured(usize::MAX, Duration::MAX);
        assert!(forecast.cost(usize::MAX) > Duration::from_secs(1));
    }
    #[test]
    fn a_size_is_slow_when_most_of_its_messages_are() {
        let forecast = Forecast::new();
        let measured = |cpu| forecast.measured(3000, cpu, cpu);
        measured(Duration::from_millis(50));
        assert!(!forecast.is_slow(3000), "the first one, with all caches cold");
        for number in 0..1000 {
            measured(if number % 10 == 0 { Duration::from_millis(50) } else { Duration::from_micros(300) });
            assert!(!forecast.is_slow(3000), "one among ten");
        }
        (0..20).for_each(|_| measured(Duration::from_millis(6)));
        assert!(forecast.is_slow(3000) && !forecast.is_slow(300));
        // Wall time of a thread that others kept from running.
        (0..20).for_each(|_| forecast.measured(3000, Duration::from_millis(50), Duration::from_millis(1)));
        assert!(!forecast.is_slow(3000));
    }
}
