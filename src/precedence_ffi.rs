//! Who comes first where there are fewer cores than threads? sched_setattr(2), which no library has for threads of
//! the usual policies.

/// What a thread does, in order of who comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precedence {
    /// Keeps the deadlines, or moves bytes between sockets and memory: never more than some microseconds a message. It
    /// waits for nobody, where the system allows that (CAP_SYS_NICE, or RLIMIT_RTPRIO of 1).
    Prompt,
    /// Does a fraction of a millisecond for somebody who was promised not to wait for others. It comes first where the
    /// system allows that (CAP_SYS_NICE, or RLIMIT_NICE of 30).
    Reserved,
    /// Decodes pictures, or reads the text of mail that is large: takes as long as a hundred other mails. It has a
    /// quarter of a core that both want, and whoever wakes up meanwhile does not wait until its turn ends.
    Patient,
    /// Has what the others leave. For processes that hold no lock which others wait for: it may be long until such
    /// a one runs again.
    Idle,
}

/// The kernel's `struct sched_attr`, first version.
#[cfg(target_os = "linux")]
#[derive(Clone, Debug, Default)]
#[repr(C)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    /// For the usual policies the length of a turn, in nanoseconds, from Linux 6.12 on; older ones ignore it.
    runtime: u64,
    deadline: u64,
    period: u64,
}

/// Gives the calling thread this precedence, or as much of it as the system allows; there is no way back without
/// privileges. Threads that it starts afterwards have none of it. Says whether all of it was allowed.
#[cfg(target_os = "linux")]
pub fn take(precedence: Precedence) -> bool {
    const SCHED_OTHER: u32 = 0;
    const SCHED_FIFO: u32 = 1;
    const SCHED_IDLE: u32 = 5;
    const RESET_ON_FORK: u64 = 1;
    // A thread that wakes up and has shorter turns takes the place of one with longer turns at once (EEVDF). Not much
    // longer than the usual 3 ms, since who has longer turns also waits longer, perhaps with a lock in hand.
    const LONG_TURN: u64 = 10_000_000;
    const SHORT_TURN: u64 = 200_000;
    // On Linux this is about the one thread, and whoever started the program may have put it lower.
    let nice = rustix::process::getpriority_process(None).unwrap_or(0);
    let usual = |nice, runtime, flags| Attributes {
        policy: SCHED_OTHER,
        flags,
        nice,
        runtime,
        ..Attributes::default()
    };
    let quick =
        |lower| [usual(nice - lower, SHORT_TURN, RESET_ON_FORK), usual(nice, SHORT_TURN, RESET_ON_FORK)];
    let first = Attributes { policy: SCHED_FIFO, flags: RESET_ON_FORK, priority: 1, ..Attributes::default() };
    let wishes = match precedence {
        // With one core for all, whoever sends enough would have it for nothing but reading.
        Precedence::Prompt if is_single_core() => quick(10).to_vec(),
        Precedence::Prompt => [&[first][..], &quick(10)].concat(),
        Precedence::Reserved => quick(10).to_vec(),
        Precedence::Patient => vec![usual(nice.max(5), LONG_TURN, 0)],
        Precedence::Idle => vec![Attributes { policy: SCHED_IDLE, ..Attributes::default() }],
    };
    let granted = wishes.iter().position(|wish| match set(wish.clone()) {
        Ok(()) => true,
        Err(error) => {
            tracing::debug!("{precedence:?} is refused: {error}");
            false
        }
    });
    granted == Some(0)
}

#[cfg(target_os = "linux")]
fn is_single_core() -> bool {
    std::thread::available_parallelism().is_ok_and(|cores| cores.get() == 1)
}

#[cfg(target_os = "linux")]
fn set(attributes: Attributes) -> std::io::Result<()> {
    let size = std::mem::size_of::<Attributes>() as u32;
    let attributes = Attributes { size, ..attributes };
    // SAFETY: the kernel reads `size` bytes from the pointer, which is how many there are; 0 is the calling thread.
    match unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// Elsewhere threads are all alike.
#[cfg(not(target_os = "linux"))]
pub fn take(_: Precedence) -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    /// Policy and nice value of the calling thread: fields 41 and 19 of proc_pid_stat(5).
    fn own() -> (u32, i32) {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        // The name may hold blanks; what follows its bracket is field 3.
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        (fields[41 - 3].parse().unwrap(), fields[19 - 3].parse().unwrap())
    }

    #[test]
    fn a_thread_steps_back_and_the_others_stay() {
        let before = own();
        let own_after = |precedence| {
            let thread = std::thread::spawn(move || {
                let granted = take(precedence);
                (own(), granted)
            });
            thread.join().unwrap().0
        };
        assert_eq!(own_after(Precedence::Patient), (0, before.1.max(5)));
        assert_eq!(own_after(Precedence::Idle).0, 5);
        assert_eq!(own(), before);
    }

    #[test]
    fn a_thread_that_comes_first_starts_others_that_do_not() {
        let before = own();
        for precedence in [Precedence::Prompt, Precedence::Reserved] {
            let thread = std::thread::spawn(move || {
                let granted = take(precedence);
                (granted, own(), std::thread::spawn(own).join().unwrap())
            });
            let (granted, own, child) = thread.join().unwrap();
            match (granted, precedence) {
                (true, Precedence::Prompt) if !is_single_core() => assert_eq!(own.0, 1, "real time"),
                (true, _) => assert_eq!(own, (0, (before.1 - 10).max(-20))),
                (false, _) => assert!(own.0 == 0 && own.1 <= before.1),
            }
            assert_eq!(child.0, 0, "{precedence:?}");
            assert!(child.1 >= before.1.min(0), "{precedence:?}");
        }
    }
}
