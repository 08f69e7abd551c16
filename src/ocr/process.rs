//! One worker process, seen from the engine.

use std::{
    env, fs,
    io::{self, Read, Write},
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::ExitStatusExt},
    },
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use super::{
    Backend, Options, Page, Reading, Word,
    protocol::{self, Note, Ticket},
};

/// Set in a worker's environment: a program that embeds criba and does not know the hidden command must not
/// start workers of its own without end.
const MARK: &str = "CRIBA_OCR_WORKER";
/// CPU time that a worker may take, after its deadline, for the part of a page that it is at.
const LATE_CPU: Duration = Duration::from_millis(500);
/// The same by the clock: it has what others leave, and on a busy machine that may be nothing for long.
const LATE: Duration = Duration::from_secs(5);
/// How long it may take to load, by the clock.
const LOADING: Duration = Duration::from_secs(30);

/// A worker process and the socket to it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    socket: UnixStream,
    ready: bool,
    /// What it said, as far as that is no whole note.
    said: Vec<u8>,
    /// Number of the last page.
    number: u32,
    /// Pixels of that page that it was not sent.
    unsent: usize,
    /// Whether it has not done with that page.
    busy: bool,
    /// Since when nobody waits for it, and the CPU time it had taken by then.
    late: Option<(Instant, Duration)>,
    /// Pages it was given.
    pub pages: u32,
    /// CPU time of the last page that it had done with, in microseconds.
    pub cpu_us: u64,
}

/// Why a page was not read to its end.
#[derive(Debug)]
pub enum Stopped {
    /// Time was up; what had been read until then.
    Deadline(Reading),
    /// The worker ended, or answers nonsense.
    Crashed(String),
    /// The worker cannot work at all.
    Unavailable(String),
    /// It does not come back from a page whose deadline is long past.
    Hangs,
}

impl Process {
    /// Starts a worker. Does not wait for it to load: the first page does.
    ///
    /// # Errors
    /// The program cannot be started.
    pub fn start(options: &Options) -> io::Result<Process> {
        if env::var_os(MARK).is_some() {
            return Err(io::Error::other("this process is an OCR worker itself"));
        }
        let program = match &options.program {
            Some(program) => program.clone(),
            None => PathBuf::from("/proc/self/exe"),
        };
        let (socket, theirs) = UnixStream::pair()?;
        let reply = theirs.try_clone()?;
        let mut command = Command::new(program);
        command.args(["ocr-worker", "--languages", &options.languages.join("+")]);
        if let Backend::Rten(models) = &options.backend {
            command.arg("--rten").arg(models);
        }
        let child = command
            .env(MARK, "1")
            // Tesseract's threads cost four times the CPU they save on one page.
            .env("OMP_THREAD_LIMIT", "1")
            // Its thread is the one that the wall is around.
            .env("RTEN_NUM_THREADS", "1")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(OwnedFd::from(reply)))
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Process {
            child,
            socket,
            ready: false,
            said: Vec::new(),
            number: 0,
            unsent: 0,
            busy: false,
            late: None,
            pages: 0,
            cpu_us: 0,
        })
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Has a page read.
    ///
    /// # Errors
    /// After [`Stopped::Deadline`] it may be [busy](Process::is_busy) with that page still; after the others it has
    /// to be killed.
    pub fn read(&mut self, page: &Page, deadline: Instant) -> Result<Reading, Stopped> {
        self.pages += 1;
        let mut so_far = Lines::default();
        if let Err(error) = self.send(page, deadline) {
            // It may have said why it went.
            return Err(match is_timeout(&error) {
                true => self.stop_waiting(so_far),
                false => match self.hear(deadline) {
                    Ok((_, Note::Failed(why))) => Stopped::Unavailable(why),
                    _ => self.ended(&error),
                },
            });
        }
        loop {
            match self.hear(deadline) {
                Ok((_, Note::Ready)) => self.ready = true,
                Ok((_, Note::Failed(why))) => return Err(Stopped::Unavailable(why)),
                // A late word about another page.
                Ok((number, _)) if number != self.number => {}
                Ok((_, Note::Line(words))) => so_far.add(words),
                Ok((_, Note::End { cpu_us, complete })) => {
                    (self.cpu_us, self.busy) = (cpu_us, false);
                    return match complete {
                        true => Ok(so_far.reading(true)),
                        false => Err(self.stop_waiting(so_far)),
                    };
                }
                Err(error) if is_timeout(&error) => return Err(self.stop_waiting(so_far)),
                Err(error) => return Err(self.ended(&error)),
            }
        }
    }

    fn send(&mut self, page: &Page, deadline: Instant) -> io::Result<()> {
        self.number = self.number.wrapping_add(1);
        let ticket = Ticket { number: self.number, deadline_us: protocol::moment_us(deadline) };
        let header = protocol::header(page, ticket)?;
        let mut socket = Timed { socket: &self.socket, deadline };
        // Whole or not at all: whatever was sent before has been read.
        if socket.write(&header)? != header.len() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        (self.busy, self.unsent) = (true, page.pixels.len());
        while self.unsent > 0 {
            self.unsent -= socket.write(&page.pixels[page.pixels.len() - self.unsent..])?;
        }
        Ok(())
    }

    /// The next note, and the number of its page.
    fn hear(&mut self, deadline: Instant) -> io::Result<(u32, Note)> {
        loop {
            if let Some(note) = protocol::take_note(&mut self.said)? {
                return Ok(note);
            }
            let mut bytes = [0; 4096];
            let length = Timed { socket: &self.socket, deadline }.read(&mut bytes)?;
            if length == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.said.extend(&bytes[..length]);
        }
    }

    fn stop_waiting(&mut self, so_far: Lines) -> Stopped {
        if self.busy {
            self.late = Some((Instant::now(), self.cpu()));
        }
        Stopped::Deadline(so_far.reading(false))
    }

    /// Whether it is at a page that nobody waits for: it stops by itself, and then
    /// [`catch_up`](Process::catch_up) says so.
    pub fn is_busy(&self) -> bool {
        self.busy
    }

    /// Hears what it says of a page that nobody waits for, without waiting; `true` once it has done with it.
    ///
    /// # Errors
    /// It has to be killed.
    pub fn catch_up(&mut self) -> Result<bool, Stopped> {
        let failed = |error: io::Error| Stopped::Crashed(error.to_string());
        self.socket.set_nonblocking(true).map_err(failed)?;
        let busy = self.drain();
        self.socket.set_nonblocking(false).map_err(failed)?;
        if busy? {
            return if self.hangs() { Err(Stopped::Hangs) } else { Ok(false) };
        }
        (self.busy, self.late) = (false, None);
        Ok(true)
    }

    /// Whether it is still busy.
    fn drain(&mut self) -> Result<bool, Stopped> {
        // What is asked of a worker in one go: one that never ends speaking keeps nobody.
        const MOST: usize = 1_000;
        // It reads the page to its end before it looks at the deadline, and then not at the pixels.
        const ANY: [u8; 1 << 14] = [0; 1 << 14];
        // The socket does not wait now.
        let deadline = Instant::now() + LATE;
        while self.unsent > 0 {
            let part = &ANY[..ANY.len().min(self.unsent)];
            match (Timed { socket: &self.socket, deadline }).write(part) {
                Ok(length) => self.unsent -= length,
                // If it went, it may have said why, below.
                Err(_) => break,
            }
        }
        for _ in 0..MOST {
            match self.hear(deadline) {
                Ok((_, Note::Ready)) if !self.ready => {
                    self.ready = true;
                    self.late = Some((Instant::now(), self.cpu()));
                }
                Ok((_, Note::Failed(why))) => return Err(Stopped::Unavailable(why)),
                Ok((number, Note::End { .. })) if number == self.number => match self.unsent {
                    0 => return Ok(false),
                    _ => return Err(Stopped::Crashed("it has done with a page that it was not sent".into())),
                },
                Ok(_) => {}
                Err(error) if is_timeout(&error) => break,
                Err(error) => return Err(self.ended(&error)),
            }
        }
        Ok(true)
    }

    fn hangs(&self) -> bool {
        let Some((since, cpu)) = self.late else { return false };
        let late = since.elapsed();
        match self.ready {
            false => late > LOADING,
            // It has taken less CPU time than has passed.
            true => late > LATE || late > LATE_CPU && self.cpu().saturating_sub(cpu) > LATE_CPU,
        }
    }

    /// CPU time it has taken, as far as the system tells: fields 14 and 15 of proc_pid_stat(5).
    fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        // The name may hold blanks; what follows its bracket is field 3.
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
        let ticks: u64 = fields.skip(14 - 3).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second().max(1))
    }

    fn ended(&mut self, error: &io::Error) -> Stopped {
        // One that was killed while it loaded (for memory, or by hand) says nothing about the next one.
        match self.ready || self.was_killed() {
            true => Stopped::Crashed(error.to_string()),
            false => Stopped::Unavailable(format!("it ended before it was ready: {error}")),
        }
    }

    /// Whether it did not end by itself, as far as is known.
    fn was_killed(&mut self) -> bool {
        // Its socket closes a moment before it can be waited for.
        for _ in 0..20 {
            match self.child.try_wait() {
                Ok(None) => thread::sleep(Duration::from_millis(1)),
                Ok(Some(status)) => return status.signal() == Some(Signal::KILL.as_raw()),
                Err(_) => return false,
            }
        }
        // On a busy machine the moment may be long: one more is started rather than none.
        true
    }

    /// Sends SIGKILL; does not wait for it to be gone.
    pub fn kill(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
    }

    /// Waits until it is gone, so that no zombie stays.
    pub fn bury(mut self) {
        self.kill();
        let _ = self.child.wait();
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Does a call over that a signal broke off.
fn again(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// The lines of a page that came in so far.
#[derive(Debug, Default)]
struct Lines {
    text: String,
    words: Vec<Word>,
}

impl Lines {
    fn add(&mut self, line: Vec<Word>) {
        for (number, word) in line.iter().enumerate() {
            if !self.text.is_empty() {
                self.text.push(if number == 0 { '\n' } else { ' ' });
            }
            self.text.push_str(&word.text);
        }
        self.words.extend(line);
    }

    fn reading(self, complete: bool) -> Reading {
        let Lines { text, words } = self;
        let sum: u64 = words.iter().map(|word| u64::from(word.confidence)).sum();
        let confidence = sum.checked_div(words.len() as u64).unwrap_or(0) as u8;
        Reading { text, confidence, words, complete }
    }
}

/// A socket whose every call ends by the deadline.
struct Timed<'a> {
    socket: &'a UnixStream,
    deadline: Instant,
}

impl Timed<'_> {
    fn left(&self) -> io::Result<Option<std::time::Duration>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        again(|| self.socket.read(buffer))
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        again(|| self.socket.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
