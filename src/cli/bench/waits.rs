//! How long the calling thread was ready to run and had no core: what a late reply owes to this program.

use std::{
    collections::VecDeque,
    fs::File,
    os::unix::fs::FileExt,
    time::{Duration, Instant},
};

/// Budgets of this many changes of threads can be looked back on; a second has some thousands.
const KEPT: usize = 4096;

/// The waits of one thread, as the kernel counts them.
#[derive(Debug, Default)]
pub(super) struct Waits {
    /// `None` where the kernel does not count, and then there are none.
    source: Option<File>,
    /// When it was looked at, and all waits until then.
    seen: VecDeque<(Instant, Duration)>,
}

impl Waits {
    /// Those of the calling thread, from now on.
    pub fn of_this_thread() -> Waits {
        let source = File::open("/proc/thread-self/schedstat").ok();
        let mut waits = Waits { source, seen: VecDeque::new() };
        waits.look(Instant::now());
        waits
    }

    /// Looks what was added until `now`, and says how much.
    pub fn look(&mut self, now: Instant) -> Duration {
        let mut text = [0; 64];
        let length = self.source.as_ref().and_then(|source| source.read_at(&mut text, 0).ok()).unwrap_or(0);
        let total = text.get(..length).and_then(total).unwrap_or_default();
        self.add(now, total)
    }

    fn add(&mut self, now: Instant, total: Duration) -> Duration {
        let before = self.seen.back().map_or(total, |last| last.1);
        if total != before || self.seen.is_empty() {
            if self.seen.len() == KEPT {
                self.seen.pop_front();
            }
            self.seen.push_back((now, total));
        }
        total.saturating_sub(before)
    }

    /// How much of the time from `from` to the last look was spent waiting, at most.
    pub fn since(&self, from: Instant) -> Duration {
        let Some(&(until, total)) = self.seen.back() else { return Duration::ZERO };
        let known = self.seen.iter().rev().find(|seen| seen.0 <= from).or(self.seen.front());
        let before = known.map_or(total, |seen| seen.1);
        total.saturating_sub(before).min(until.saturating_duration_since(from))
    }
}

/// The second figure of schedstat, in nanoseconds.
fn total(text: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(text).ok()?;
    text.split_whitespace().nth(1)?.parse().ok().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_count_where_they_fall_behind_the_moment_in_question() {
        let ms = Duration::from_millis;
        let start = Instant::now();
        let mut waits = Waits::default();
        // A wait of 3 ms that ended after 20, and one of 40 that ended after 90.
        let added =
            [(0, 5), (20, 8), (30, 8), (90, 48)].map(|(at, total)| waits.add(start + ms(at), ms(total)));
        assert_eq!(added, [0, 3, 0, 40].map(ms));
        assert_eq!(
            [0, 10, 20, 40, 80, 95].map(|at| waits.since(start + ms(at))),
            [43, 43, 40, 40, 10, 0].map(ms)
        );
        assert_eq!(Waits::default().since(start), Duration::ZERO);
    }

    #[test]
    fn the_kernels_line_is_read() {
        assert_eq!(total(b"282968 1500 7\n"), Some(Duration::from_nanos(1500)));
        assert_eq!(total(b""), None);
        Waits::of_this_thread().look(Instant::now());
    }
}
