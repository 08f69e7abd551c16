//! `criba bench`: puts an engine under load and measures its answers.

mod load;
mod mix;
mod plot;
mod tally;
mod waits;

use std::{io::IsTerminal, path::PathBuf, thread, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::{
    failure::Failure,
    inputs, parallel,
    settings::{EngineArgs, load_engine},
};
use crate::client::Client;
use mix::Mix;
use tally::{Report, Tally, Used};

/// Options of `criba bench`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --rate the loop is closed: each connection has one message in flight, and the next is sent when its reply is \
there. With --rate it is open: messages are sent at random (Poisson) moments, R a second over all connections, \
whether replies come or not, and latency counts from the moment at which a message should have been sent, so that \
an engine that stalls cannot hide it.

With --sweep the closed loop finds how many messages a second the engine manages, and then the open loop offers it each \
of these multiples, for --duration each: what an engine is worth shows above 1.

Without --server no engine is asked: the messages are scanned in this process, by N threads.")]
pub struct Args {
    /// Ask the engine at this address (unix:/path, host:port or tls://host:port/folder) instead of scanning here
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["config", "rules", "no_default_rules", "model"])]
    server: Option<String>,
    /// Connections; without --server the threads that scan (then one a core by default)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    connections: Option<u16>,
    /// Messages a second, over all connections; without it as many as get answered
    #[arg(long, value_name = "R", requires = "server", value_parser = rate)]
    rate: Option<f64>,
    /// Find the capacity first, then offer these multiples of it
    #[arg(long, value_name = "F,F...", requires = "server", conflicts_with = "rate", value_delimiter = ',', value_parser = rate)]
    sweep: Vec<f64>,
    /// Draw the latencies of a sweep over the load offered
    #[arg(long, value_name = "FILE", requires = "sweep")]
    svg: Option<PathBuf>,
    /// Seconds to go on for
    #[arg(long, value_name = "S", default_value_t = 10.0, value_parser = rate)]
    duration: f64,
    /// Time for one message; without it the profile's
    #[arg(long, value_name = "MS")]
    budget: Option<u32>,
    /// Client class: external, internal, or one of the configuration
    #[arg(long, value_name = "P", conflicts_with = "mix")]
    profile: Option<String>,
    /// Several classes and how often each is asked for, as in external:0.9,internal:0.1; one with a third field,
    /// as in external:0.2:pictures/, sends the messages from there
    #[arg(long, value_name = "P:SHARE[:PATH],...", requires = "server", value_delimiter = ',')]
    mix: Vec<mix::Part>,
    /// Put random words into subject and text of each message, so that no two are the same
    #[arg(long)]
    vary: bool,
    /// Another seed is another order of messages, at other moments; each step of a sweep has its own
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Print the figures as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    engine: EngineArgs,
    /// Messages to send, over and over: files, directories, maildirs, mbox files
    #[arg(required_unless_present = "mix", value_name = "PATH")]
    paths: Vec<PathBuf>,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if number > 0.0 && number <= 1e6 => Ok(number),
        _ => Err("a number above 0 is needed, at most a million".into()),
    }
}

/// What every thread of a run knows.
struct Plan {
    mix: Mix,
    /// Whether each message is made different from all others.
    vary: bool,
    seed: u64,
    /// In ms; 0 is the profile's.
    budget: u32,
    duration: Duration,
}

/// Runs the command.
///
/// # Errors
/// A message cannot be read, or the engine is not there or breaks off.
pub fn run(args: Args) -> Result<(), Failure> {
    let own = !args.mix.is_empty() && args.mix.iter().all(mix::Part::has_mails);
    let mails = if own && args.paths.is_empty() { Vec::new() } else { read(&args.paths)? };
    let mut plan = Plan {
        mix: Mix::new(args.profile.clone(), &args.mix, mails)?,
        vary: args.vary,
        seed: args.seed,
        budget: args.budget.unwrap_or(0),
        duration: Duration::from_secs_f64(args.duration),
    };
    match &args.server {
        Some(server) if !args.sweep.is_empty() => sweep(server, &args, &mut plan),
        Some(server) => print(&args, &ask(server, &args, &plan, args.rate)?),
        None => print(&args, &scan_here(&args, &plan)?),
    }
}

/// The messages at `paths`.
fn read(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, Failure> {
    let named = |input: &inputs::Input, error| Failure::no_input(format!("{}: {error}", input.name()));
    let mails: Vec<Vec<u8>> = inputs::messages(paths)?
        .iter()
        .map(|input| input.read().map_err(|error| named(input, error)))
        .collect::<Result<_, _>>()?;
    match mails.is_empty() {
        true => Err(Failure::no_input("there are no messages in what was named")),
        false => Ok(mails),
    }
}

fn print(args: &Args, report: &Report) -> Result<(), Failure> {
    match args.json {
        true => println!("{}", simd_json::to_string(report).map_err(Failure::software)?),
        false => println!("{report}"),
    }
    Ok(())
}

/// The capacity, and then multiples of it.
fn sweep(server: &str, args: &Args, plan: &mut Plan) -> Result<(), Failure> {
    let closed = ask(server, args, plan, None)?;
    print(args, &closed)?;
    let mut steps = Vec::new();
    for factor in &args.sweep {
        plan.seed += 1;
        let step = ask(server, args, plan, Some(factor * closed.per_second()))?;
        print(args, &step)?;
        steps.push(step);
    }
    let Some(path) = &args.svg else { return Ok(()) };
    plot::write(path, &steps).map_err(|error| Failure::cannot_create(format!("{}: {error}", path.display())))
}

fn ask(server: &str, args: &Args, plan: &Plan, rate: Option<f64>) -> Result<Report, Failure> {
    let connections = args.connections.map_or(1, usize::from);
    let failed = |error| Failure::unavailable(format!("{server}: {error}"));
    let mut asking = Client::connect(server).map_err(failed)?;
    let before = usage(&mut asking).map_err(failed)?;
    let clients: Vec<Client> =
        (0..connections).map(|_| Client::connect(server)).collect::<Result<_, _>>().map_err(failed)?;
    let (tally, seconds) = with_progress(plan.duration, || match rate {
        Some(rate) => load::open(plan, clients, rate),
        None => load::closed(plan, clients),
    });
    let tallies = tally.map_err(failed)?;
    let after = usage(&mut asking).map_err(failed)?;
    Ok(Report {
        mode: if rate.is_some() { "open loop" } else { "closed loop" },
        connections,
        rate,
        seconds,
        used: Used {
            cpu_ms: after.cpu_ms - before.cpu_ms,
            ocr_cpu_ms: after.ocr_cpu_ms - before.ocr_cpu_ms,
            peak_bytes: after.peak_bytes,
            resident_bytes: [before.resident_bytes, after.resident_bytes],
            descriptors: [before.descriptors, after.descriptors],
        },
        tally: Tally::sum(&tallies),
        profiles: plan.mix.names().map(str::to_owned).zip(tallies).collect(),
    })
}

fn scan_here(args: &Args, plan: &Plan) -> Result<Report, Failure> {
    let threads = args.connections.map_or_else(parallel::cores, usize::from);
    let engine = load_engine(&args.engine.settings()?)?;
    let profile = engine.profile(args.profile.as_deref()).ok_or_else(|| {
        Failure::usage(format!("there is no profile `{}`", args.profile.as_deref().unwrap_or_default()))
    })?;
    let before = cpu_ms();
    let (tally, seconds) = with_progress(plan.duration, || load::here(plan, &engine, profile, threads));
    Ok(Report {
        mode: "in this process",
        connections: threads,
        rate: None,
        seconds,
        used: Used { cpu_ms: cpu_ms() - before, peak_bytes: peak_bytes(), ..Used::default() },
        tally,
        profiles: Vec::new(),
    })
}

/// Runs `work` with a bar on the terminal, and says how many seconds it took.
fn with_progress<T>(duration: Duration, work: impl FnOnce() -> T) -> (T, f64) {
    let started = std::time::Instant::now();
    if !std::io::stderr().is_terminal() {
        return (work(), started.elapsed().as_secs_f64());
    }
    let bar = ProgressBar::new(duration.as_millis() as u64);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {elapsed}") {
        bar.set_style(style);
    }
    let result = thread::scope(|scope| {
        let (done, is_done) = crossbeam::channel::bounded::<()>(0);
        let bar = &bar;
        scope.spawn(move || {
            // The channel closes when the work is done.
            while is_done.recv_timeout(Duration::from_millis(200)).is_err_and(|error| error.is_timeout()) {
                bar.set_position(started.elapsed().as_millis() as u64);
            }
        });
        let result = work();
        drop(done);
        result
    });
    bar.finish_and_clear();
    (result, started.elapsed().as_secs_f64())
}

/// What the engine's process used so far, by its own account.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Usage {
    cpu_ms: f64,
    ocr_cpu_ms: f64,
    resident_bytes: u64,
    peak_bytes: u64,
    descriptors: u64,
}

fn usage(client: &mut Client) -> Result<Usage, crate::client::Error> {
    #[derive(Default, Deserialize)]
    struct Status {
        process: Usage,
    }
    let reply = client.status()?;
    // An engine that does not tell leaves the figures at 0.
    let status: Status = simd_json::from_slice(&mut reply.json.into_bytes()).unwrap_or_default();
    Ok(status.process)
}

fn cpu_ms() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
