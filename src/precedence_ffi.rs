//! Who comes first where there are fewer cores than threads? sched_setattr(2), which no library has for threads of
//! the usual policies.

/// What a thread does, in order of who comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precedence {
    /// Decodes pictures, or reads the text of mail that is large: takes as long as a hundred other mails. It has a
    /// quarter of a core that both want, and whoever wakes up meanwhile does not wait until its turn ends.
    Patient,
    /// Has what the others leave. For processes that hold no lock which others wait for: it may be long until such
    /// a one runs again.
    Idle,
}

/// The kernel's `struct sched_attr`, first version.
#[cfg(target_os = "linux")]
#[derive(Default)]
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

/// Gives the calling thread this precedence; there is no way back without privileges. Where it is refused, the thread
/// has the precedence that it had.
#[cfg(target_os = "linux")]
pub fn take(precedence: Precedence) {
    const SCHED_OTHER: u32 = 0;
    const SCHED_IDLE: u32 = 5;
    // A thread that wakes up and has shorter turns takes the place of one with longer turns at once (EEVDF). Not much
    // longer than the usual 3 ms, since who has longer turns also waits longer, perhaps with a lock in hand.
    const LONG_TURN: u64 = 10_000_000;
    let size = std::mem::size_of::<Attributes>() as u32;
    // On Linux this is about the one thread, and whoever started the program may have put it lower.
    let nice = rustix::process::getpriority_process(None).unwrap_or(0).max(5);
    let attributes = match precedence {
        Precedence::Patient => {
            Attributes { size, policy: SCHED_OTHER, nice, runtime: LONG_TURN, ..Attributes::default() }
        }
        Precedence::Idle => Attributes { size, policy: SCHED_IDLE, ..Attributes::default() },
    };
    // SAFETY: the kernel reads `size` bytes from the pointer, which is how many there are; 0 is the calling thread.
    let refused = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) } != 0;
    if refused {
        tracing::debug!("{precedence:?} is refused: {}", std::io::Error::last_os_error());
    }
}

/// Elsewhere threads are all alike.
#[cfg(not(target_os = "linux"))]
pub fn take(_: Precedence) {}

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
                take(precedence);
                own()
            });
            thread.join().unwrap()
        };
        assert_eq!(own_after(Precedence::Patient), (0, before.1.max(5)));
        assert_eq!(own_after(Precedence::Idle).0, 5);
        assert_eq!(own(), before);
    }
}
