//! What a message will cost, by its size and by what others like it did cost just now.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Running means of one kind of work, one for each power of two of the size.
#[derive(Debug)]
pub(super) struct Forecast {
    /// In nanoseconds; 0 is not measured yet.
    costs: [AtomicU64; CLASSES],
}

const CLASSES: usize = 33;
/// A new measurement counts an eighth: a few messages tell that the load has changed.
const WEIGHT: u64 = 8;

impl Forecast {
    pub fn new() -> Forecast {
        Forecast { costs: [const { AtomicU64::new(0) }; CLASSES] }
    }

    /// What a message of `size` bytes will cost. What was never measured costs as much as the next smaller
    /// size that was, and nothing where there is none: it has to be tried.
    pub fn cost(&self, size: usize) -> Duration {
        let known = self.costs[..=class(size)].iter().rev().map(|cost| cost.load(Relaxed));
        Duration::from_nanos(known.into_iter().find(|&cost| cost > 0).unwrap_or(0))
    }

    /// A message of `size` bytes did cost `cost`.
    pub fn measured(&self, size: usize, cost: Duration) {
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
        forecast.measured(5000, Duration::from_millis(8));
        assert_eq!(forecast.cost(5000), Duration::from_millis(8));
        assert_eq!(forecast.cost(1 << 20), Duration::from_millis(8), "at least as much as a smaller one");
        assert_eq!(forecast.cost(10), Duration::ZERO);
        for _ in 0..100 {
            forecast.measured(6000, Duration::from_millis(1));
        }
        let now = forecast.cost(5000);
        assert!(now < Duration::from_millis(2) && now >= Duration::from_micros(900), "{now:?}");
        forecast.measured(usize::MAX, Duration::MAX);
        forecast.measured(usize::MAX, Duration::MAX);
        assert!(forecast.cost(usize::MAX) > Duration::from_secs(1));
    }
}
