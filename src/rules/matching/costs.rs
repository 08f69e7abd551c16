//! What matching costs, measured on mail: for those who write rules. Nothing is measured unless it is asked for.

use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

/// Time spent, by what it was spent on.
#[derive(Clone, Debug, Default)]
pub struct Costs {
    /// Scans of the databases that patterns share.
    pub shared: Duration,
    /// Scans of databases of one pattern, and searches by PCRE2.
    pub rules: FxHashMap<u32, Cost>,
}

/// What one rule's pattern cost beside its part of the shared databases.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    pub spent: Duration,
    /// Texts that were searched.
    pub searched: u64,
}

impl Costs {
    pub fn shared(&mut self, spent: Duration) {
        self.shared += spent;
    }

    pub fn of(&mut self, rule: u32, spent: Duration) {
        let cost = self.rules.entry(rule).or_default();
        cost.spent += spent;
        cost.searched += 1;
    }
}

/// Does `work`, and books the time where costs are kept.
pub fn timed<T>(
    costs: &mut Option<Box<Costs>>,
    book: impl FnOnce(&mut Costs, Duration),
    work: impl FnOnce() -> T,
) -> T {
    let Some(costs) = costs else { return work() };
    let started = Instant::now();
    let done = work();
    book(costs, started.elapsed());
    done
}
