//! Work on many inputs with all cores, results in input order.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use crossbeam::channel;

use super::failure::Failure;

/// One thread a core, where nothing else is asked for.
pub fn cores() -> usize {
    thread::available_parallelism().map_or(1, Into::into)
}

/// Runs `work` over `inputs` in `workers` threads, each with a `state` of its own, and hands the
/// results to `emit` on this thread, in input order.
///
/// # Errors
/// What `emit` says; the workers stop then.
pub fn in_order<I: Sync, S, T: Send>(
    inputs: &[I],
    workers: usize,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &I) -> T + Sync,
    mut emit: impl FnMut(&I, T) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let next = AtomicUsize::new(0);
    let workers = workers.clamp(1, inputs.len().max(1));
    // Bounded, so that workers wait for a slow reader of the output instead of piling up results.
    let (sender, results) = channel::bounded(4 * workers);
    let (next, state, work) = (&next, &state, &work);
    thread::scope(|scope| {
        for _ in 0..workers {
            let sender = sender.clone();
            scope.spawn(move || {
                let mut state = state();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(input) = inputs.get(index) else { return };
                    if sender.send((index, work(&mut state, input))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(sender);
        let mut waiting = BTreeMap::new();
        let mut done = 0;
        for (index, result) in results {
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&done) {
                emit(&inputs[done], result)?;
                done += 1;
            }
        }
        Ok(())
    })
}
