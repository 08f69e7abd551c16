//! `criba opensmtpd-filter`: a filter of OpenSMTPD, which smtpd starts and talks to over standard input and output.

use std::{
    io::{self, BufRead, Read, Write},
    sync::{Mutex, PoisonError},
    thread,
};

use super::failure::Failure;
use crate::{
    client::Cluster,
    wire::{
        headers::Summary,
        opensmtpd::{Filter, Limits, Scan},
    },
};

/// smtpd's own limit is 64 KiB.
const LONGEST_LINE: u64 = 1 << 20;

/// Options of `criba opensmtpd-filter`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The engine to ask (unix:/path, host:port or tls://host:port/folder); of several, separated by commas, another is asked when one is
    /// gone, slow or busy
    #[arg(long, value_name = "ADDR[,ADDR...]", default_value = "unix:/run/criba/criba.sock")]
    server: String,
    /// Time for one message; without it the profile's
    #[arg(long, value_name = "MS", default_value_t = 0, hide_default_value = true)]
    budget: u32,
    /// Messages that are asked about at once
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=1000))]
    workers: u16,
}

/// What the threads share: smtpd's sessions, and with the same lock standard output, so that answers leave whole.
struct Shared {
    filter: Mutex<Filter>,
    engines: Cluster,
    budget: u32,
}

/// Runs until smtpd closes our input.
///
/// # Errors
/// smtpd says what the protocol does not know, or cannot be heard or told anything any more. Then smtpd stops too, and
/// no mail passes unscanned.
pub fn run(args: &Args) -> Result<(), Failure> {
    let engines = Cluster::new(&args.server).map_err(Failure::usage)?;
    let shared = Shared { filter: Mutex::new(Filter::new(Limits::default())), engines, budget: args.budget };
    let (send, receive) = crossbeam::channel::unbounded::<Scan>();
    thread::scope(|scope| {
        for _ in 0..args.workers {
            let (shared, receive) = (&shared, receive.clone());
            scope.spawn(move || receive.iter().for_each(|scan| shared.judge(&scan)));
        }
        let read = shared.read(|scan| send.send(scan).map_err(io::Error::other));
        drop(send);
        read
    })
}

impl Shared {
    fn read(&self, judge: impl Fn(Scan) -> io::Result<()>) -> Result<(), Failure> {
        let mut input = io::stdin().lock();
        let mut line = Vec::new();
        loop {
            line.clear();
            (&mut input).take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(Failure::io)?;
            // Without its end a line is cut off, and smtpd is gone.
            let Some(line) = line.strip_suffix(b"\n") else { return Ok(()) };
            let mut filter = self.filter.lock().unwrap_or_else(PoisonError::into_inner);
            let mut out = Vec::new();
            let scan = filter.line(line, &mut out).map_err(Failure::data)?;
            say(&out).map_err(Failure::io)?;
            drop(filter);
            if let Some(scan) = scan {
                judge(scan).map_err(Failure::io)?;
            }
        }
    }

    fn judge(&self, scan: &Scan) {
        let reply = self.engines.scan(&scan.raw, &scan.envelope, self.budget);
        let summary = match reply {
            Ok(reply) if reply.is_verdict() => {
                Summary::parse(&mut reply.json.into_bytes()).map_err(|error| error.to_string())
            }
            Ok(reply) => Err(reply.json),
            Err(error) => Err(error.to_string()),
        };
        if let Err(why) = &summary {
            // smtpd's log takes stderr.
            eprintln!("criba: message {} is put off: {why}", scan.envelope.queue_id);
        }
        let mut filter = self.filter.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = Vec::new();
        filter.answer(scan, summary.ok().as_ref(), &mut out);
        // An output that is closed shows at the next line that comes in.
        let _ = say(&out);
    }
}

fn say(bytes: &[u8]) -> io::Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    let mut output = io::stdout().lock();
    output.write_all(bytes)?;
    output.flush()
}
