//! The worker process: pages in, lines out.

use std::io;

use rustix::time::{ClockId, clock_gettime};

use super::{
    Backend, Page, Word,
    protocol::{self, Note},
    sandbox,
    tesseract::Tesseract,
};
use crate::precedence_ffi::{self, Precedence};

/// Where the words of a line go.
pub type Say<'s> = &'s mut dyn FnMut(Vec<Word>) -> io::Result<()>;

/// What reads pages. Loads all that it needs before its first page: after that there are no files.
pub trait Recogniser {
    /// Reads a page from the top, and says each line as soon as it is read. Gives up, and returns `false`, before what
    /// would not be done by the deadline.
    ///
    /// # Errors
    /// It cannot go on at all, or what `say` returns.
    fn read(&mut self, page: &Page, deadline_us: u64, say: Say<'_>) -> io::Result<bool>;
}

/// Serves pages until the engine hangs up.
///
/// # Errors
/// What the socket says. That nothing could be loaded is said over the socket.
pub fn serve(
    socket: &mut (impl io::Read + io::Write + Send),
    backend: &Backend,
    languages: &str,
) -> io::Result<()> {
    sandbox::die_with_parent();
    match backend {
        Backend::Tesseract => pages(socket, || Tesseract::load(languages)),
        #[cfg(feature = "rten")]
        Backend::Rten(models) => {
            use super::neural::{Neural, on_its_thread};
            on_its_thread(|| pages(socket, || Neural::load(models)))
        }
        #[cfg(not(feature = "rten"))]
        Backend::Rten(_) => protocol::write_note(socket, 0, &Note::Failed(super::WITHOUT_RTEN.into())),
    }
}

fn pages<R: Recogniser>(
    socket: &mut (impl io::Read + io::Write),
    load: impl FnOnce() -> Result<R, String>,
) -> io::Result<()> {
    // A page waits for text mail and not the other way round.
    precedence_ffi::take(Precedence::Idle);
    let mut recogniser = match load() {
        Ok(recogniser) => recogniser,
        Err(why) => return protocol::write_note(socket, 0, &Note::Failed(why)),
    };
    if let Err(error) = sandbox::enter() {
        // An old kernel: the worker still sees nothing but pixels.
        tracing::warn!(%error, "the OCR worker runs without a sandbox");
    }
    protocol::write_note(socket, 0, &Note::Ready)?;
    while let Some((ticket, page)) = protocol::read_page(socket)? {
        let started = cpu_us();
        let mut say = |line| protocol::write_note(socket, ticket.number, &Note::Line(line));
        let complete = recogniser.read(&page, ticket.deadline_us, &mut say)?;
        let end = Note::End { cpu_us: cpu_us().saturating_sub(started), complete };
        protocol::write_note(socket, ticket.number, &end)?;
    }
    Ok(())
}

/// CPU time of this process, in microseconds.
pub fn cpu_us() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec.unsigned_abs() * 1_000_000 + time.tv_nsec.unsigned_abs() / 1_000
}
