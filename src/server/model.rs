//! Proofs by exploration: `cargo test --features model server::model` runs the parts of the server that threads
//! share through thousands of interleavings, random ones and those that change threads at few, badly chosen
//! moments (Burckhardt et al., A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs, 2010).

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use shuttle::{check_pct, check_random, thread};

use super::{
    lane::{Lane, Order, Takes},
    slot::{Answer, Request, Slot},
    stats::Stats,
    swap::Swap,
    sync::{Mutex, lock},
};
use crate::{
    budget::{Budget, Why},
    pipeline::Publish,
    profile::Profile,
    verdict::Verdict,
    wire::{
        frame::{Error, Status},
        request::Envelope,
    },
};

fn explore(model: fn()) {
    check_random(model, 3000);
    check_pct(model, 3000, 3);
}

#[test]
fn each_item_of_a_lane_is_taken_once_and_none_is_left() {
    explore(|| {
        let lane = Arc::new(Lane::new(2, 1));
        let taken = Arc::new(Mutex::new(Vec::new()));
        let takers: Vec<_> = [Takes::Anything, Takes::Anything, Takes::Reserved, Takes::Slow, Takes::Spare]
            .into_iter()
            .map(|takes| {
                let (lane, taken) = (Arc::clone(&lane), Arc::clone(&taken));
                thread::spawn(move || {
                    while let Some((item, work)) = lane.take(takes) {
                        let mut taken = lock(&taken);
                        taken.push(item);
                        // Whoever takes the last one sends all home.
                        if taken.len() == 4 {
                            lane.close();
                        }
                        drop(taken);
                        lane.done(work);
                    }
                })
            })
            .collect();
        let pushers: Vec<_> = [0_u32, 2]
            .into_iter()
            .map(|first| {
                let lane = Arc::clone(&lane);
                thread::spawn(move || {
                    for item in [first, first + 1] {
                        let cost = Duration::from_millis(1);
                        let (reserved, is_slow) = (item % 2 == 1, item == 2);
                        lane.push(Order { deadline: Instant::now(), reserved, cost, is_slow }, item);
                    }
                })
            })
            .collect();
        // A wake-up that is lost leaves a taker asleep for ever, and the checker says so: a deadlock.
        pushers.into_iter().chain(takers).for_each(|thread| thread.join().unwrap());
        let mut all = lock(&taken).clone();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3]);
        assert_eq!(
            (lane.len(), lane.wait(false, true), lane.wait(true, false)),
            (0, Duration::ZERO, Duration::ZERO)
        );
    });
}

/// Counts what is answered.
#[derive(Debug, Default)]
struct Seen {
    answers: AtomicUsize,
    gone: AtomicUsize,
    last: Mutex<Option<(Status, String)>>,
}

#[derive(Debug)]
struct Back(Arc<Seen>);

impl Answer for Back {
    fn verdict(self: Box<Self>, status: Status, verdict: &Verdict) {
        self.0.answers.fetch_add(1, Ordering::SeqCst);
        *lock(&self.0.last) = Some((status, verdict.message_id.clone()));
    }

    fn refuse(self: Box<Self>, _: Error) {
        self.0.answers.fetch_add(1, Ordering::SeqCst);
    }

    fn is_void(&self) -> bool {
        self.0.gone.load(Ordering::SeqCst) > 0
    }
}

fn slot(seen: &Arc<Seen>) -> Arc<Slot> {
    let profile = Profile::external();
    let budget = Budget::new(Duration::from_secs(1));
    let request = Request { envelope: Envelope::default(), profile, budget, size: 0 };
    Arc::new(Slot::new(request, Box::new(Back(Arc::clone(seen))), Arc::new(Stats::new())))
}

/// The verdict after a stage, known again by its message id.
fn after(stage: &str) -> Verdict {
    let budget = Budget::new(Duration::from_secs(1));
    let unseen = Verdict::unseen(&Profile::external(), budget, "", Why::Deadline);
    Verdict { message_id: stage.into(), complete: stage == "all", ..unseen }
}

#[test]
fn a_request_is_answered_once_with_the_verdict_that_stands() {
    explore(|| {
        let seen = Arc::new(Seen::default());
        let slot = slot(&seen);
        let published = Arc::new(AtomicUsize::new(0));
        let (worker, steps) = (Arc::clone(&slot), Arc::clone(&published));
        let work = thread::spawn(move || {
            worker.publish(after("text"));
            steps.store(1, Ordering::SeqCst);
            worker.finish(after("all"));
        });
        let (clock, steps) = (Arc::clone(&slot), Arc::clone(&published));
        let time = thread::spawn(move || {
            let before = steps.load(Ordering::SeqCst);
            clock.expire();
            before
        });
        work.join().unwrap();
        let before = time.join().unwrap();
        assert_eq!(seen.answers.load(Ordering::SeqCst), 1);
        let (status, stage) = lock(&seen.last).clone().unwrap();
        match stage.as_str() {
            "all" => assert_eq!(status, Status::Complete),
            "text" => assert_eq!(status, Status::Partial),
            // The clock struck before anything was known.
            _ => assert_eq!((status, before), (Status::Partial, 0)),
        }
        assert!(slot.is_gone());
    });
}

#[test]
fn a_request_whose_client_leaves_is_answered_once_or_not_at_all() {
    explore(|| {
        let seen = Arc::new(Seen::default());
        let slot = slot(&seen);
        let (worker, client) = (Arc::clone(&slot), Arc::clone(&seen));
        let work = thread::spawn(move || worker.finish(after("all")));
        let leave = thread::spawn(move || client.gone.store(1, Ordering::SeqCst));
        let shed = Arc::clone(&slot);
        let admission = thread::spawn(move || shed.shed());
        [work, leave, admission].into_iter().for_each(|thread| thread.join().unwrap());
        assert!(seen.answers.load(Ordering::SeqCst) <= 1);
        assert!(slot.is_gone());
    });
}

#[test]
fn a_swap_loses_no_successor_and_tears_no_value() {
    explore(|| {
        let swap = Arc::new(Swap::new([0, 0]));
        let makers: Vec<_> = (0..2)
            .map(|_| {
                let swap = Arc::clone(&swap);
                thread::spawn(move || {
                    let next = |now: &[i32; 2]| Ok::<_, Infallible>([now[0] + 1, now[1] + 1]);
                    let Ok(()) = swap.replace(next);
                })
            })
            .collect();
        let (broken, user) = (Arc::clone(&swap), Arc::clone(&swap));
        let refused = thread::spawn(move || assert_eq!(broken.replace(|_| Err("broken")), Err("broken")));
        let using = thread::spawn(move || {
            let (first, second) = (user.get(), user.get());
            assert!(first[0] == first[1] && second[0] >= first[0], "{first:?} {second:?}");
        });
        makers.into_iter().chain([refused, using]).for_each(|thread| thread.join().unwrap());
        assert_eq!(*swap.get(), [2, 2]);
    });
}
