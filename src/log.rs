//! The log on stderr, written by a thread of its own: whoever reads it slowly delays no reply.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use crossbeam::channel::{self, Receiver, Sender};
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// Lines that wait to be written; more are dropped and counted.
const QUEUE: usize = 8192;
/// As much is written at once.
const BATCH: usize = 64 << 10;
/// How long the end of the program waits for the last lines.
const FLUSH: Duration = Duration::from_secs(1);

enum Item {
    Line(Vec<u8>),
    /// Everything before it has to be written; the sender is dropped then.
    Flush(Sender<()>),
}

/// Writes the last lines when it is dropped.
#[derive(Debug)]
pub struct Guard(Option<Sender<Item>>);

/// Starts to log. `RUST_LOG` picks what; without it that is everything from `info` on. The journal puts
/// its own time in front.
pub fn start() -> Guard {
    let (sender, items) = channel::bounded(QUEUE);
    let lost = Arc::new(AtomicU64::new(0));
    let lines = Lines { sender: sender.clone(), lost: Arc::clone(&lost) };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(lines);
    // A second subscriber is refused; then the first one goes on.
    let started = match std::env::var_os("JOURNAL_STREAM") {
        Some(_) => builder.without_time().try_init(),
        None => builder.try_init(),
    };
    let writer = thread::Builder::new().name("log".into());
    let writing = writer.spawn(move || write(&items, &lost, io::stderr())).is_ok();
    Guard((started.is_ok() && writing).then_some(sender))
}

fn write(items: &Receiver<Item>, lost: &AtomicU64, mut output: impl Write) {
    let mut batch = Vec::new();
    while let Ok(first) = items.recv() {
        let mut flushed = Vec::new();
        let mut next = Some(first);
        while let Some(item) = next {
            match item {
                Item::Line(line) => batch.extend_from_slice(&line),
                Item::Flush(done) => flushed.push(done),
            }
            next = if batch.len() < BATCH { items.try_recv().ok() } else { None };
        }
        let lost = lost.swap(0, Ordering::Relaxed);
        if lost > 0 {
            batch.extend_from_slice(
                format!("{lost} lines are missing here: they came faster than they were read\n").as_bytes(),
            );
        }
        // There is no place left to say that the log cannot be written.
        let _ = output.write_all(&batch);
        batch.clear();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(sender) = self.0.take() else { return };
        let (done, is_done) = channel::bounded(0);
        if sender.send_timeout(Item::Flush(done), FLUSH).is_ok() {
            let _ = is_done.recv_timeout(FLUSH);
        }
    }
}

/// Where the formatter puts its lines.
struct Lines {
    sender: Sender<Item>,
    lost: Arc<AtomicU64>,
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Lines;

    fn make_writer(&'a self) -> &'a Lines {
        self
    }
}

impl Write for &Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.sender.try_send(Item::Line(line.to_vec())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_find_no_room_are_counted_and_not_waited_for() {
        let (sender, items) = channel::bounded(2);
        let lines = Lines { sender, lost: Arc::default() };
        for number in 0..5 {
            (&lines).write_all(format!("{number}\n").as_bytes()).unwrap();
        }
        let lost = Arc::clone(&lines.lost);
        drop(lines);
        let mut written = Vec::new();
        write(&items, &lost, &mut written);
        let text = String::from_utf8(written).unwrap();
        assert!(text.starts_with("0\n1\n3 lines are missing"), "{text}");
    }

    #[test]
    fn a_flush_waits_for_the_lines_before_it() {
        let (sender, items) = channel::bounded(10);
        let lines = Lines { sender: sender.clone(), lost: Arc::default() };
        (&lines).write_all(b"last words\n").unwrap();
        let writer = thread::spawn(move || {
            let mut written = Vec::new();
            write(&items, &AtomicU64::new(0), &mut written);
            written
        });
        drop(Guard(Some(sender)));
        drop(lines);
        assert_eq!(writer.join().unwrap(), b"last words\n");
    }
}
