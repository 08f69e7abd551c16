//! One worker process, seen from the engine.

use std::{
    env,
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
    Options, Page, Reading, Word,
    protocol::{self, Note},
};

/// Set in a worker's environment: a program that embeds criba and does not know the hidden command must not
/// start workers of its own without end.
const MARK: &str = "CRIBA_OCR_WORKER";

/// A worker process and the socket to it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    socket: UnixStream,
    ready: bool,
    /// Pages it was given.
    pub pages: u32,
    /// CPU time of the last page that it read to its end, in microseconds.
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
        let child = Command::new(program)
            .args(["ocr-worker", "--languages", &options.languages.join("+")])
            .env(MARK, "1")
            // Tesseract's threads cost four times the CPU they save on one page.
            .env("OMP_THREAD_LIMIT", "1")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(OwnedFd::from(reply)))
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Process { child, socket, ready: false, pages: 0, cpu_us: 0 })
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Has a page read.
    ///
    /// # Errors
    /// The worker has to be killed then: it may be busy with that page for long.
    pub fn read(&mut self, page: &Page, deadline: Instant) -> Result<Reading, Stopped> {
        self.pages += 1;
        let mut socket = Timed { socket: &self.socket, deadline };
        let mut so_far = Lines::default();
        if let Err(error) = protocol::write_page(&mut socket, page) {
            // It may have said why it went.
            return Err(match (is_timeout(&error), protocol::read_note(&mut socket)) {
                (true, _) => Stopped::Deadline(Reading::default()),
                (_, Ok(Note::Failed(why))) => Stopped::Unavailable(why),
                _ => self.ended(&error),
            });
        }
        loop {
            match protocol::read_note(&mut socket) {
                Ok(Note::Ready) => self.ready = true,
                Ok(Note::Failed(why)) => return Err(Stopped::Unavailable(why)),
                Ok(Note::Line(words)) => so_far.add(words),
                Ok(Note::End { cpu_us }) => {
                    self.cpu_us = cpu_us;
                    return Ok(so_far.reading(true));
                }
                Err(error) if is_timeout(&error) => return Err(Stopped::Deadline(so_far.reading(false))),
                Err(error) => return Err(self.ended(&error)),
            }
        }
    }

    fn ended(&mut self, error: &io::Error) -> Stopped {
        // One that was killed while it loaded (for memory, or by hand) says nothing about the next one.
        match self.ready || self.was_killed() {
            true => Stopped::Crashed(error.to_string()),
            false => Stopped::Unavailable(format!("it ended before it was ready: {error}")),
        }
    }

    fn was_killed(&mut self) -> bool {
        // Its socket closes a moment before it can be waited for.
        for _ in 0..20 {
            match self.child.try_wait() {
                Ok(None) => thread::sleep(Duration::from_millis(1)),
                Ok(Some(status)) => return status.signal() == Some(Signal::KILL.as_raw()),
                Err(_) => return false,
            }
        }
        false
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
        self.socket.read(buffer)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
