//! The wall around a worker: it can compute, and speak over its socket.
//!
//! Landlock takes the file system and the network away, seccomp every system call but those that memory and
//! the socket need, resource limits the rest.

use std::io;

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetStatus,
};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};

/// Address space on top of what is used when the wall goes up.
const MEMORY: u64 = 1 << 30;

/// Asks the kernel to kill this process when the engine's thread that started it is gone.
pub fn die_with_parent() {
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        tracing::warn!(%error, "cannot tie the OCR worker to its engine");
    }
}

/// Raises the wall. There is no way back.
///
/// # Errors
/// What the kernel refused; whatever could be raised stands.
pub fn enter() -> io::Result<()> {
    let results = [limits(), files(), calls()];
    results.into_iter().collect()
}

fn limits() -> io::Result<()> {
    let set = |resource, value: u64| {
        let hard = getrlimit(resource).maximum.unwrap_or(u64::MAX).min(value);
        setrlimit(resource, Rlimit { current: Some(hard), maximum: Some(hard) }).map_err(io::Error::from)
    };
    set(Resource::As, used_address_space()?.saturating_add(MEMORY))?;
    set(Resource::Core, 0)?;
    set(Resource::Fsize, 0)?;
    set(Resource::Nofile, 0)
}

// The first number of /proc/self/statm is the size in pages (proc_pid_statm(5)).
fn used_address_space() -> io::Result<u64> {
    let text = std::fs::read_to_string("/proc/self/statm")?;
    let pages: Option<u64> = text.split(' ').next().and_then(|number| number.parse().ok());
    let pages = pages.ok_or_else(|| io::Error::other("/proc/self/statm without a number"))?;
    Ok(pages.saturating_mul(rustix::param::page_size() as u64))
}

fn files() -> io::Result<()> {
    let abi = ABI::V5;
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(abi)))
        .and_then(|rules| rules.create())
        .and_then(|rules| rules.restrict_self())
        .map_err(io::Error::other)?;
    match status.ruleset {
        RulesetStatus::NotEnforced => Err(io::Error::other("the kernel has no Landlock")),
        _ => Ok(()),
    }
}

/// What computing, memory and an open socket need (x86-64 and ARM64 have these by the same names).
const CALLS: [libc::c_long; 31] = [
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_lseek,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
    libc::SYS_clock_gettime,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

// Whatever else is called fails with EPERM: a library that asks for something it can do without goes on.
fn calls() -> io::Result<()> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let rules = CALLS.into_iter().map(|call| (call, Vec::new())).collect();
    let filter =
        SeccompFilter::new(rules, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow, arch)
            .map_err(io::Error::other)?;
    let program = BpfProgram::try_from(filter).map_err(io::Error::other)?;
    seccompiler::apply_filter_all_threads(&program).map_err(io::Error::other)
}
